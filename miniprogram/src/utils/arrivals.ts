/** The invite code with which somebody first came here: by a link (?invite=) or by a mini-program code (scene i=CODE). It waits for the day they join. */
const KEY = 'lc.invite'
const VALID_MS = 30 * 24 * 3600_000
const FORM = /^[A-Za-z0-9-]{4,40}$/

interface Arrival {
  path?: string
  query?: Record<string, unknown>
}

/** "i=ABCD2345", as a mini-program code carries it, still encoded. */
export function sceneCode(scene: string): string {
  let plain = scene
  try {
    plain = decodeURIComponent(scene)
  } catch {
    // Kept as it came.
  }
  return /(?:^|&)i=([^&]+)/.exec(plain)?.[1] ?? ''
}

/** Reads what a page was opened with; the staff's pages have invitations of their own. */
export function noteArrival(arrival?: Arrival): void {
  const query = arrival?.query
  if (!query || arrival.path?.replace(/^\//, '').startsWith('pkg-staff/')) return
  const code = String(query.invite ?? '') || sceneCode(String(query.scene ?? ''))
  if (FORM.test(code)) uni.setStorageSync(KEY, { code, at: Date.now() })
}

export function pendingInvite(): string {
  const kept = uni.getStorageSync(KEY) as { code: string; at: number } | ''
  return kept && Date.now() - kept.at < VALID_MS ? kept.code : ''
}

export function takeInvite(): string {
  const code = pendingInvite()
  uni.removeStorageSync(KEY)
  return code
}
