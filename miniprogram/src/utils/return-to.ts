/** Where somebody was going when they first had to become a member. */
const KEY = 'lc.return'
const VALID_MS = 3600_000

export function returnTo(url: string): void {
  uni.setStorageSync(KEY, { url, at: Date.now() })
}
export function pendingReturn(): string {
  const kept = uni.getStorageSync(KEY) as { url: string; at: number } | ''
  return kept && Date.now() - kept.at < VALID_MS && kept.url.startsWith('/pages/') ? kept.url : ''
}
export function takeReturn(): string {
  const url = pendingReturn()
  uni.removeStorageSync(KEY)
  return url
}
