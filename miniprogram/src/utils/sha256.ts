/**
 * SHA-256 and HMAC-SHA256 (FIPS 180-4, RFC 2104) on bytes. A mini-program's engine has neither
 * crypto.subtle nor TextEncoder; the member code needs one short HMAC a minute, so plain code will do.
 */

const K = new Uint32Array(64)
const INITIAL = new Uint32Array(8)

// The constants are the fractional parts of the roots of the first primes: derived rather than typed.
;(function derive() {
  const fraction = (x: number) => ((x - Math.floor(x)) * 4294967296) | 0
  let found = 0
  for (let n = 2; found < 64; n++) {
    let prime = true
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false
    if (!prime) continue
    if (found < 8) INITIAL[found] = fraction(Math.sqrt(n))
    K[found++] = fraction(Math.cbrt(n))
  }
})()

const rotr = (x: number, n: number) => (x >>> n) | (x << (32 - n))

function compress(state: Uint32Array, block: Uint8Array, offset: number, w: Uint32Array): void {
  for (let i = 0; i < 16; i++) {
    const p = offset + i * 4
    w[i] = (block[p]! << 24) | (block[p + 1]! << 16) | (block[p + 2]! << 8) | block[p + 3]!
  }
  for (let i = 16; i < 64; i++) {
    const a = w[i - 15]!
    const b = w[i - 2]!
    const s0 = rotr(a, 7) ^ rotr(a, 18) ^ (a >>> 3)
    const s1 = rotr(b, 17) ^ rotr(b, 19) ^ (b >>> 10)
    w[i] = w[i - 16]! + s0 + w[i - 7]! + s1
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [
    number, number, number, number, number, number, number, number,
  ]
  for (let i = 0; i < 64; i++) {
    const s1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0
    const s0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  const next = [a, b, c, d, e, f, g, h]
  for (let i = 0; i < 8; i++) state[i] = state[i]! + next[i]!
}

export function sha256(message: Uint8Array): Uint8Array {
  const bits = message.length * 8
  const padded = new Uint8Array((((message.length + 8) >> 6) + 1) << 6)
  padded.set(message)
  padded[message.length] = 0x80
  const high = Math.floor(bits / 4294967296)
  for (let i = 0; i < 4; i++) {
    padded[padded.length - 1 - i] = (bits >>> (8 * i)) & 255
    padded[padded.length - 5 - i] = (high >>> (8 * i)) & 255
  }
  const state = INITIAL.slice()
  const w = new Uint32Array(64)
  for (let offset = 0; offset < padded.length; offset += 64) compress(state, padded, offset, w)
  const out = new Uint8Array(32)
  for (let i = 0; i < 32; i++) out[i] = (state[i >> 2]! >>> (24 - 8 * (i & 3))) & 255
  return out
}

export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  const block = new Uint8Array(64)
  block.set(key.length > 64 ? sha256(key) : key)
  const inner = new Uint8Array(64 + message.length)
  const outer = new Uint8Array(96)
  for (let i = 0; i < 64; i++) {
    inner[i] = block[i]! ^ 0x36
    outer[i] = block[i]! ^ 0x5c
  }
  inner.set(message, 64)
  outer.set(sha256(inner), 64)
  return sha256(outer)
}

export function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0) & 127)
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Standard or URL-safe base64, padding optional. Throws on any other character. */
export function base64Bytes(text: string): Uint8Array {
  const clean = text.replace(/-/g, '+').replace(/_/g, '/').replace(/=+$/, '')
  const out = new Uint8Array(Math.floor((clean.length * 6) / 8))
  let buffer = 0
  let bits = 0
  let at = 0
  for (const c of clean) {
    const value = BASE64.indexOf(c)
    if (value < 0) throw new Error('not base64')
    buffer = ((buffer << 6) | value) & 0xffffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      out[at++] = (buffer >>> bits) & 255
    }
  }
  return out
}
