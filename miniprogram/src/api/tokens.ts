import type { Audience } from '@/platform/types'
import type { Session } from './types'

/** Keeps the owner's and the staff's session apart: one phone may hold both. */
const KEY: Record<Audience, string> = { owner: 'lc.session.owner', staff: 'lc.session.staff' }

const cache: Partial<Record<Audience, Session | null>> = {}

export function readSession(audience: Audience): Session | null {
  if (cache[audience] === undefined) {
    const stored = uni.getStorageSync(KEY[audience]) as Session | ''
    cache[audience] = stored || null
  }
  return cache[audience] ?? null
}

export function writeSession(audience: Audience, session: Session | null): void {
  cache[audience] = session
  if (session) uni.setStorageSync(KEY[audience], session)
  else uni.removeStorageSync(KEY[audience])
}

/** For tests and after another tab changed the storage. */
export function forgetCachedSessions(): void {
  delete cache.owner
  delete cache.staff
}
