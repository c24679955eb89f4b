import jsQR from 'jsqr'
import { PNG } from 'pngjs'

/** The text of the QR code on a picture of this element, as a scanner would see it, or null. */
export async function decode(locator) {
  const image = PNG.sync.read(await locator.screenshot())
  return jsQR(new Uint8ClampedArray(image.data), image.width, image.height)?.data ?? null
}

/** The same, waiting until something is drawn. */
export async function decodeSoon(locator, tries = 20) {
  for (let i = 0; i < tries; i++) {
    const text = await decode(locator)
    if (text) return text
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return null
}
