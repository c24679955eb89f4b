/** Splits the shop's plain texts (charter, privacy): blank lines part paragraphs, "# " starts a heading. */
export interface TextBlock {
  heading: boolean
  text: string
}

export function textBlocks(body: string): TextBlock[] {
  const blocks: TextBlock[] = []
  for (const chunk of body.replace(/\r/g, '').split(/\n\s*\n/)) {
    let lines: string[] = []
    const flush = () => {
      if (lines.length) blocks.push({ heading: false, text: lines.join('\n') })
      lines = []
    }
    for (const line of chunk.split('\n')) {
      if (line.startsWith('# ')) {
        flush()
        blocks.push({ heading: true, text: line.slice(2).trim() })
      } else if (line.trim()) {
        lines.push(line.trimEnd())
      }
    }
    flush()
  }
  return blocks
}

export const isPhone = (text: string) => /^1[3-9]\d{9}$/.test(text)

/** "880020314477" → "8800 2031 4477" */
export const groupCardNo = (no: string) => no.replace(/\s/g, '').replace(/(.{4})(?=.)/g, '$1 ')
