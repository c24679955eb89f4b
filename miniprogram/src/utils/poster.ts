/** The invitation that a member saves to the album: shop, reward, and the code to scan. Drawn in device-independent units, 300 × 460. */
export const POSTER = { width: 300, height: 460 } as const

export interface PosterText {
  shopName: string
  memberName: string
  /** What the friend gets, in words. */
  gift: string
  code: string
  accent: string
  ink: string
}

type Ctx = CanvasRenderingContext2D

/** Breaks a text into lines that fit; what does not fit into `most` lines ends in an ellipsis. */
export function wrapText(text: string, fits: (line: string) => boolean, most: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const char of text) {
    if (line && !fits(line + char)) {
      if (lines.length === most - 1) {
        while (line && !fits(`${line}…`)) line = [...line].slice(0, -1).join('')
        return [...lines, `${line}…`]
      }
      lines.push(line)
      line = ''
    }
    line += char
  }
  return line ? [...lines, line] : lines
}

function rounded(ctx: Ctx, x: number, y: number, w: number, h: number, r: number): void {
  ctx.beginPath()
  ctx.moveTo(x + r, y)
  ctx.arcTo(x + w, y, x + w, y + h, r)
  ctx.arcTo(x + w, y + h, x, y + h, r)
  ctx.arcTo(x, y + h, x, y, r)
  ctx.arcTo(x, y, x + w, y, r)
  ctx.closePath()
}

const FONT = '-apple-system, "PingFang SC", "Noto Sans SC", "Noto Sans CJK SC", sans-serif'

/** Draws the poster; `drawCode` fills the square that it is given with the code. */
export function drawPoster(ctx: Ctx, text: PosterText, drawCode: (ctx: Ctx, x: number, y: number, size: number) => void): void {
  const { width: W, height: H } = POSTER
  const write = (words: string, x: number, y: number, size: number, weight: number, color: string, align: 'left' | 'center' = 'left') => {
    ctx.font = `${weight} ${size}px ${FONT}`
    ctx.fillStyle = color
    ctx.textAlign = align
    ctx.fillText(words, x, y)
  }
  const block = (words: string, x: number, y: number, size: number, weight: number, color: string, width: number, most: number, step: number) => {
    ctx.font = `${weight} ${size}px ${FONT}`
    const lines = wrapText(words, (line) => ctx.measureText(line).width <= width, most)
    lines.forEach((line, i) => write(line, x, y + i * step, size, weight, color))
    return y + lines.length * step
  }
  ctx.textBaseline = 'top'
  ctx.fillStyle = text.accent
  ctx.fillRect(0, 0, W, H)
  // Two rings of soap, lighter than the ground.
  ctx.globalAlpha = 0.14
  ctx.fillStyle = text.ink
  for (const [x, y, r] of [[258, 34, 74], [34, 150, 30], [276, 152, 18]] as const) {
    ctx.beginPath()
    ctx.arc(x, y, r, 0, Math.PI * 2)
    ctx.fill()
  }
  ctx.globalAlpha = 1
  block(text.shopName, 24, 26, 15, 400, text.ink, W - 48, 1, 20)
  block(`${text.memberName || '朋友'}请您来洗车`, 24, 54, 25, 600, text.ink, W - 48, 2, 32)
  if (text.gift) block(`首次消费后送：${text.gift}`, 24, 124, 15, 400, text.ink, W - 48, 2, 22)
  ctx.fillStyle = '#ffffff'
  rounded(ctx, 24, 184, W - 48, H - 208, 18)
  ctx.fill()
  const size = 176
  drawCode(ctx, (W - size) / 2, 200, size)
  write('长按或扫码，免费领会员卡', W / 2, 388, 14, 600, '#14272b', 'center')
  write(`邀请码 ${text.code}`, W / 2, 410, 13, 400, '#53646a', 'center')
}
