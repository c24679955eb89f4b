import { PlatformError } from '@/platform/types'

/** Reads QR codes from the browser's camera: BarcodeDetector where there is one, jsQR elsewhere. H5 only. */
export interface CameraWatch {
  stop(): void
}

type Reader = (video: HTMLVideoElement) => Promise<string | null>

interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>
}
type DetectorClass = {
  new (options: { formats: string[] }): Detector
  getSupportedFormats(): Promise<string[]>
}

const LOOK_EVERY_MS = 200
/** Large enough for a code at arm's length, small enough for an old phone. */
const FRAME_PX = 640

async function nativeReader(): Promise<Reader | null> {
  const Native = (window as unknown as { BarcodeDetector?: DetectorClass }).BarcodeDetector
  if (!Native) return null
  const formats = await Native.getSupportedFormats().catch(() => [] as string[])
  if (!formats.includes('qr_code')) return null
  const detector = new Native({ formats: ['qr_code'] })
  return async (video) => (await detector.detect(video))[0]?.rawValue ?? null
}

async function softwareReader(): Promise<Reader> {
  const { default: jsQR } = await import('jsqr')
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d', { willReadFrequently: true })!
  return async (video) => {
    const scale = Math.min(1, FRAME_PX / Math.max(video.videoWidth, video.videoHeight))
    canvas.width = Math.round(video.videoWidth * scale)
    canvas.height = Math.round(video.videoHeight * scale)
    context.drawImage(video, 0, 0, canvas.width, canvas.height)
    const image = context.getImageData(0, 0, canvas.width, canvas.height)
    return jsQR(image.data, image.width, image.height, { inversionAttempts: 'dontInvert' })?.data ?? null
  }
}

async function openStream(): Promise<MediaStream> {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new PlatformError('这个浏览器不能用相机，请输入会员码，或用微信打开')
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' }, audio: false })
  } catch (error) {
    const name = (error as Error).name
    if (name === 'NotAllowedError') throw new PlatformError('没有相机权限，请在浏览器里允许后再试')
    if (name === 'NotFoundError') throw new PlatformError('这台设备没有相机，请输入会员码')
    throw new PlatformError('相机没有打开，请关掉其他正在用相机的程序再试')
  }
}

/** Shows the camera in `host` and calls `found` once with the first code that is seen. */
export async function watchCamera(host: HTMLElement, found: (text: string) => void): Promise<CameraWatch> {
  const stream = await openStream()
  const video = document.createElement('video')
  video.playsInline = true
  video.muted = true
  video.srcObject = stream
  video.style.cssText = 'width:100%;height:100%;object-fit:cover'
  host.replaceChildren(video)
  let running = true
  const stop = () => {
    running = false
    for (const track of stream.getTracks()) track.stop()
    video.remove()
  }
  await video.play().catch(() => {})
  const read = (await nativeReader()) ?? (await softwareReader())

  async function look(): Promise<void> {
    if (!running) return
    const text = video.videoWidth ? await read(video).catch(() => null) : null
    if (!running) return
    if (text) {
      stop()
      found(text)
    } else setTimeout(() => void look(), LOOK_EVERY_MS)
  }
  void look()
  return { stop }
}
