// A screenshot as a palette PNG: 256 colours by median cut, about a quarter of the size.
import zlib from 'node:zlib'
import { PNG } from 'pngjs'

const COLOURS = 256

/** Splits the box with the widest channel, weighted by how many pixels lie in it, until the palette is full. */
function medianCut(counts) {
  const boxes = [[...counts].map(([key, n]) => [key >> 16, (key >> 8) & 255, key & 255, n])]
  const spread = (box) => {
    let best = { channel: 0, range: -1 }
    for (let channel = 0; channel < 3; channel++) {
      let low = 255
      let high = 0
      for (const colour of box) {
        low = Math.min(low, colour[channel])
        high = Math.max(high, colour[channel])
      }
      if (high - low > best.range) best = { channel, range: high - low }
    }
    return best
  }
  const weight = (box) => (box.length < 2 ? 0 : spread(box).range * Math.log2(2 + box.reduce((sum, colour) => sum + colour[3], 0)))
  const weights = [weight(boxes[0])]
  while (boxes.length < COLOURS) {
    const at = weights.indexOf(Math.max(...weights))
    if (!weights[at]) break
    const { channel } = spread(boxes[at])
    const box = boxes[at].sort((a, b) => a[channel] - b[channel])
    const middle = box.findIndex((colour, index) => index > 0 && colour[channel] > (box[0][channel] + box.at(-1)[channel]) / 2)
    const halves = [box.slice(0, Math.max(1, middle)), box.slice(Math.max(1, middle))]
    boxes.splice(at, 1, ...halves)
    weights.splice(at, 1, ...halves.map(weight))
  }
  return boxes
}

const CRC = Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1
  return n >>> 0
})

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data])
  let crc = 0xffffffff
  for (const byte of body) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8)
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length)
  body.copy(out, 4)
  out.writeUInt32BE((crc ^ 0xffffffff) >>> 0, body.length + 4)
  return out
}

/** Takes and gives the bytes of a PNG file. */
export function shrink(bytes) {
  const { width, height, data } = PNG.sync.read(bytes)
  const counts = new Map()
  const keyAt = (i) => (data[i] << 16) | (data[i + 1] << 8) | data[i + 2]
  for (let i = 0; i < data.length; i += 4) counts.set(keyAt(i), (counts.get(keyAt(i)) ?? 0) + 1)

  const palette = Buffer.alloc(COLOURS * 3)
  const indexOf = new Map()
  medianCut(counts).forEach((box, index) => {
    const total = box.reduce((sum, colour) => sum + colour[3], 0)
    for (let c = 0; c < 3; c++) palette[index * 3 + c] = Math.round(box.reduce((sum, colour) => sum + colour[c] * colour[3], 0) / total)
    for (const [r, g, b] of box) indexOf.set((r << 16) | (g << 8) | b, index)
  })

  const rows = Buffer.alloc(height * (width + 1)) // each row begins with its filter: none
  for (let y = 0, i = 0; y < height; y++) for (let x = 0; x < width; x++, i += 4) rows[y * (width + 1) + 1 + x] = indexOf.get(keyAt(i))
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 3, 0, 0, 0], 8) // 8 bits, palette
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', header), chunk('PLTE', palette), chunk('IDAT', zlib.deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))])
}
