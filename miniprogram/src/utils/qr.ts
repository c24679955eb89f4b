import qrcode from 'qrcode-generator'

export interface QrMatrix {
  size: number
  dark(row: number, column: number): boolean
}

export function qrMatrix(text: string): QrMatrix {
  const qr = qrcode(0, 'M')
  qr.addData(text)
  qr.make()
  return { size: qr.getModuleCount(), dark: (row, column) => qr.isDark(row, column) }
}

/** The slice of CanvasRenderingContext2D that WeChat's 2d canvas and the DOM's have in common. */
export interface Ctx2D {
  fillStyle: string | CanvasGradient | CanvasPattern
  fillRect(x: number, y: number, width: number, height: number): void
}

/** Draws the code as a square of `px` device pixels with a white quiet zone. Cells meet without seams. */
export function drawQr(ctx: Ctx2D, matrix: QrMatrix, px: number, quiet = 2): void {
  const cell = px / (matrix.size + quiet * 2)
  const edge = (index: number) => Math.round((index + quiet) * cell)
  ctx.fillStyle = '#ffffff'
  ctx.fillRect(0, 0, px, px)
  ctx.fillStyle = '#14272b'
  for (let row = 0; row < matrix.size; row++) {
    for (let column = 0; column < matrix.size; column++) {
      if (!matrix.dark(row, column)) continue
      const x = edge(column)
      const y = edge(row)
      ctx.fillRect(x, y, edge(column + 1) - x, edge(row + 1) - y)
    }
  }
}

/** The same inside a picture: a square of `size` at (x, y) of a context that may be scaled. */
export function drawQrAt(ctx: Ctx2D, matrix: QrMatrix, x: number, y: number, size: number): void {
  const cell = size / matrix.size
  ctx.fillStyle = '#14272b'
  for (let row = 0; row < matrix.size; row++) {
    for (let column = 0; column < matrix.size; column++) {
      // A hair larger than the cell: neighbours meet without seams at every scale.
      if (matrix.dark(row, column)) ctx.fillRect(x + column * cell, y + row * cell, cell + 0.2, cell + 0.2)
    }
  }
}
