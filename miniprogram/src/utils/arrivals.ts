/** The invite code with which somebody first came here: by a link (?invite=) or by a mini-program code (scene i=CODE). It waits for the day they join. */
const KEY = 'lc.invite'
const VALID_MS = 30 * 24 * 3600_000
const FORM = /^[A-Za-z0-9-]{4,40}$/

/** Which page was shared; the server knows the same words. */
export type Via = 'card' | 'plan' | 'item' | 'campaign' | 'booking' | 'shop'
const VIA = /^[a-z]{1,12}$/

/** A page's path with whose page it is. */
export function withCode(path: string, code: string | undefined, via: Via): string {
  return code ? `${path}${path.includes('?') ? '&' : '?'}invite=${code}&via=${via}` : path
}

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
  const via = String(query.via ?? '')
  if (FORM.test(code)) uni.setStorageSync(KEY, { code, at: Date.now(), ...(VIA.test(via) ? { via } : {}) })
}

function kept(): { code: string; at: number; via?: string } | null {
  const value = uni.getStorageSync(KEY) as { code: string; at: number; via?: string } | ''
  return value && Date.now() - value.at < VALID_MS ? value : null
}

export function pendingInvite(): string {
  return kept()?.code ?? ''
}

/** The code with the page that was shared, as joining hands it in: ABCD2345.item */
export function joinedBy(): string {
  const value = kept()
  return value ? [value.code, value.via].filter(Boolean).join('.') : ''
}

export function takeInvite(): string {
  const code = pendingInvite()
  uni.removeStorageSync(KEY)
  return code
}
