/** Colours that follow from the one accent (or tier) colour of a shop, always readable. */

interface Rgb {
  r: number
  g: number
  b: number
}

export function parseHex(hex: string): Rgb | null {
  const m = /^#?([0-9a-f]{6}|[0-9a-f]{3})$/i.exec(hex.trim())
  if (!m) return null
  const s = m[1]!.length === 3 ? [...m[1]!].map((c) => c + c).join('') : m[1]!
  return { r: parseInt(s.slice(0, 2), 16), g: parseInt(s.slice(2, 4), 16), b: parseInt(s.slice(4, 6), 16) }
}

function toHex({ r, g, b }: Rgb): string {
  return '#' + [r, g, b].map((n) => Math.round(n).toString(16).padStart(2, '0')).join('')
}

function luminance({ r, g, b }: Rgb): number {
  const [x, y, z] = [r, g, b].map((n) => {
    const c = n / 255
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * x + 0.7152 * y + 0.0722 * z
}

/** WCAG contrast ratio of two colours, 1 to 21. */
export function contrast(a: string, b: string): number {
  const x = luminance(parseHex(a) ?? { r: 0, g: 0, b: 0 })
  const y = luminance(parseHex(b) ?? { r: 255, g: 255, b: 255 })
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)
}

/** Mixes `share` (0 to 1) of `other` into `hex`. */
export function mix(hex: string, other: string, share: number): string {
  const a = parseHex(hex) ?? { r: 0, g: 0, b: 0 }
  const b = parseHex(other) ?? { r: 0, g: 0, b: 0 }
  const m = (x: number, y: number) => x + (y - x) * share
  return toHex({ r: m(a.r, b.r), g: m(a.g, b.g), b: m(a.b, b.b) })
}

/** White or ink, whichever reads better on `background`. */
export function textOn(background: string): string {
  return contrast(background, '#ffffff') >= 4.5 ? '#ffffff' : '#14272b'
}

/** `hex` darkened until it reads on white (4.5 : 1). */
export function readableOnWhite(hex: string): string {
  let out = hex
  for (let share = 0.1; contrast(out, '#ffffff') < 4.6 && share <= 1; share += 0.1) out = mix(hex, '#000000', share)
  return out
}

const FALLBACK_ACCENT = '#0b7a75'

const baseAccent = (accent: string | undefined) => (accent && parseHex(accent) ? accent : FALLBACK_ACCENT)

/** The accent as the colour of text on white, where no CSS variable reaches (dialogs of the system). */
export const accentText = (accent: string | undefined) => readableOnWhite(baseAccent(accent))

/** CSS variables of a page, to be bound as its root style. */
export function accentVars(accent: string | undefined): string {
  const base = baseAccent(accent)
  const text = accentText(accent)
  const soft = mix(base, '#ffffff', 0.9)
  return [
    `--accent:${base}`,
    `--accent-ink:${textOn(base)}`,
    `--accent-text:${contrast(text, soft) < 4.5 ? mix(text, '#000000', 0.15) : text}`,
    `--accent-soft:${soft}`,
    `--wot-color-theme:${base}`,
    `--wot-button-primary-bg-color:${base}`,
    `--wot-button-primary-color:${textOn(base)}`,
  ].join(';')
}

/** Face of the membership card for a tier's colour, with its picture under a shade on which white is readable. */
export function cardFace(color: string | undefined, picture = ''): { background: string; ink: string } {
  const own = baseAccent(color)
  // Colours of middle brightness look dull under dark text: deepen them and write in white. Light ones stay light.
  const deepened = contrast(own, '#ffffff') >= 2.2 ? readableOnWhite(own) : own
  const ink = textOn(deepened)
  const far = ink === '#ffffff' ? mix(deepened, '#0a1a1e', 0.45) : mix(deepened, '#ffffff', 0.4)
  const plain = `linear-gradient(135deg, ${deepened} 10%, ${far} 100%)`
  if (!picture) return { background: plain, ink }
  return { background: `linear-gradient(135deg, rgba(8,20,24,.55), rgba(8,20,24,.2)), url("${picture}") center / cover, ${plain}`, ink: '#ffffff' }
}
