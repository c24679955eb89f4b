/** Saves a drawing as a picture for posters, large and sharp. */
export function savePicture(svg: SVGElement | null | undefined, fileName: string): void {
  if (!svg) return
  const SIDE = 1000
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = SIDE
  const image = new Image()
  image.onload = () => {
    const pen = canvas.getContext('2d')!
    pen.imageSmoothingEnabled = false
    pen.drawImage(image, 0, 0, SIDE, SIDE)
    const anchor = document.createElement('a')
    anchor.href = canvas.toDataURL('image/png')
    anchor.download = `${fileName}.png`
    anchor.click()
  }
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`
}
