/**
 * The server's clock. A phone whose clock is wrong must still count a hold down to the right second and
 * must not call tomorrow today, so every answer's Date header corrects what the app takes for now.
 */
let ahead = 0
/** A header is whole seconds old at best: smaller differences say nothing. */
const NOISE_MS = 2500

export function noteServerDate(header: unknown): void {
  const at = Date.parse(String(header ?? ''))
  if (Number.isNaN(at)) return
  const difference = at + 500 - Date.now()
  ahead = Math.abs(difference) > NOISE_MS ? difference : 0
}

export const serverNow = () => Date.now() + ahead
