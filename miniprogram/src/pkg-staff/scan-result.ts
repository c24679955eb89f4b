/** Hands a code from the camera page back to the desk. */
let scanned: string | null = null

export const putScan = (code: string) => {
  scanned = code
}
export function takeScan(): string | null {
  const code = scanned
  scanned = null
  return code
}
