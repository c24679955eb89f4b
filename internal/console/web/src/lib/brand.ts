/** One accent colour per shop, made safe to read whatever the owner picks. */

export const DEFAULT_ACCENT = '#0b7a75'
type Rgb = [number, number, number]

export function applyBrand(color: string, root: HTMLElement = document.documentElement): void {
  for (const [name, value] of Object.entries(brandVariables(color))) root.style.setProperty(name, value)
}

/** CSS variables of the accent. The working tone is darkened until white text on it reaches 4.5:1. */
export function brandVariables(color: string): Record<string, string> {
  const accent = readable(parseHex(color) ?? parseHex(DEFAULT_ACCENT)!)
  const white: Rgb = [255, 255, 255]
  const black: Rgb = [0, 0, 0]
  const variables: Record<string, string> = {
    '--brand': hex(accent),
    '--brand-dark': hex(mix(accent, black, 0.2)),
    '--brand-soft': hex(mix(accent, white, 0.9)),
    '--brand-line': hex(mix(accent, white, 0.7)),
    '--el-color-primary': hex(accent),
    '--el-color-primary-dark-2': hex(mix(accent, black, 0.2)),
  }
  for (const step of [3, 5, 7, 8, 9]) variables[`--el-color-primary-light-${step}`] = hex(mix(accent, white, step / 10))
  return variables
}

export function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(parseHex(a)!), luminance(parseHex(b)!)].sort((x, y) => y - x) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

function readable(color: Rgb): Rgb {
  let tone = color
  for (let i = 0; i < 20 && contrast(hex(tone), '#ffffff') < 4.6; i++) tone = mix(tone, [0, 0, 0], 0.08)
  return tone
}

function parseHex(color: string): Rgb | null {
  const match = /^#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color.trim())
  return match ? [parseInt(match[1]!, 16), parseInt(match[2]!, 16), parseInt(match[3]!, 16)] : null
}

function hex(color: Rgb): string {
  return '#' + color.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')
}

function mix(from: Rgb, to: Rgb, share: number): Rgb {
  return from.map((part, i) => part + (to[i]! - part) * share) as Rgb
}

function luminance(color: Rgb): number {
  const [r, g, b] = color.map((part) => {
    const c = part / 255
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  }) as Rgb
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
