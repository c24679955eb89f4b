import { asciiBytes, hmacSha256 } from './sha256'

/**
 * The rotating member code, derived on the phone so that it shows without network:
 *
 *   step = floor(unix seconds / 60)
 *   mac  = HMAC-SHA256(secret, "LC1|" + deviceNo + "|" + step)
 *   otp  = first 8 bytes of mac, big-endian, mod 10^8, as 8 digits
 *   code = deviceNo (9) + otp (8) + Luhn check digit (1)
 */

const OTP_MODULUS = 100_000_000

export function codeStep(unixMs: number, stepSeconds = 60): number {
  return Math.floor(unixMs / 1000 / stepSeconds)
}

/** Check digit that makes the whole number pass the Luhn test. */
export function luhnDigit(body: string): number {
  let sum = 0
  for (let i = 0; i < body.length; i++) {
    let digit = body.charCodeAt(body.length - 1 - i) - 48
    if (i % 2 === 0) {
      digit *= 2
      if (digit > 9) digit -= 9
    }
    sum += digit
  }
  return (10 - (sum % 10)) % 10
}

export function luhnValid(number: string): boolean {
  return /^\d{2,}$/.test(number) && luhnDigit(number.slice(0, -1)) === Number(number.slice(-1))
}

export function memberCode(secret: Uint8Array, deviceNo: string, step: number): string {
  const mac = hmacSha256(secret, asciiBytes(`LC1|${deviceNo}|${step}`))
  let otp = 0
  // Horner's rule keeps every intermediate below 2^53, so no BigInt is needed.
  for (let i = 0; i < 8; i++) otp = (otp * 256 + mac[i]!) % OTP_MODULUS
  const body = deviceNo + String(otp).padStart(8, '0')
  return body + luhnDigit(body)
}

/** Text inside the QR code. */
export const qrText = (code: string) => `LC1:${code}`

/** "123456789012345678" → "123456 789012 345678" */
export const groupCode = (code: string) => code.replace(/(\d{6})(?=\d)/g, '$1 ')

/** Typed, pasted or scanned text → the 18 digits, or null when it cannot be a member code. */
export function readMemberCode(text: string): string | null {
  const digits = text.trim().replace(/^LC1:/i, '').replace(/[\s-]/g, '')
  return /^\d{18}$/.test(digits) && luhnValid(digits) ? digits : null
}
