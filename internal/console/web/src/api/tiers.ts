import type { Resource } from './catalog'
import { allPages, api, cleanQuery, keyHeader, unwrap, type Query } from './client'
import type { InTier, MemberTier, MembershipPlan, MembershipPlanInput, TierFull, TierInput, TierPreview, TierRow, TierRun, TierSet } from '@/lib/benefit-types'
import { membershipBody } from '@/lib/tier'
import type { Page } from '@/lib/types'

const at = (id: number) => ({ params: { path: { id } } })

export function listTiers(): Promise<TierRow[]> {
  return allPages((after) => unwrap(api.GET('/api/console/tiers', { params: { query: { after, limit: 200 } } })))
}

export function saveTier(id: number, body: TierInput): Promise<TierFull> {
  return id ? unwrap(api.PUT('/api/console/tiers/{id}', { ...at(id), body })) : unwrap(api.POST('/api/console/tiers', { body }))
}

export async function deleteTier(id: number): Promise<void> {
  await unwrap(api.DELETE('/api/console/tiers/{id}', at(id)))
}

/** What would become of everybody if the tier were as the form says. It writes nothing. */
export function previewTier(tierId: number, tier: TierInput, signal?: AbortSignal): Promise<TierPreview> {
  return unwrap(api.POST('/api/console/tiers/preview', { body: { tier, ...(tierId ? { tierId } : {}) }, signal }))
}

export function recomputeTiers(): Promise<TierRun> {
  return unwrap(api.POST('/api/console/tiers/recompute'))
}

export async function lastRun(signal?: AbortSignal): Promise<TierRun | undefined> {
  return (await unwrap(api.GET('/api/console/tiers/run', { signal }))).run
}

/** A list row needs an `id`. */
export type InTierRow = InTier & { id: number }

export async function listTierMembers(id: number, query: Query, signal?: AbortSignal): Promise<Page<InTierRow>> {
  const page = await unwrap(api.GET('/api/console/tiers/{id}/members', { params: { path: { id }, query: cleanQuery<'/api/console/tiers/{id}/members'>(query) }, signal }))
  return { ...page, items: page.items.map((row) => ({ ...row, id: row.memberId })) }
}

export function getMemberTier(id: number): Promise<MemberTier> {
  return unwrap(api.GET('/api/console/members/{id}/tier', at(id)))
}

export function setMemberTier(id: number, body: TierSet): Promise<MemberTier> {
  return unwrap(api.PUT('/api/console/members/{id}/tier', { ...at(id), body }))
}

export function releaseMemberTier(id: number, reason: string): Promise<MemberTier> {
  return unwrap(api.POST('/api/console/members/{id}/tier/release', { ...at(id), body: { reason } }))
}

export const membershipPlans: Resource<MembershipPlan, MembershipPlanInput> = {
  list: async () => ({ items: await allPages((after) => unwrap(api.GET('/api/console/membership-plans', { params: { query: { after, limit: 200 } } }))) }),
  create: (body) => unwrap(api.POST('/api/console/membership-plans', { body: membershipBody(body) })),
  update: (id, body) => unwrap(api.PUT('/api/console/membership-plans/{id}', { ...at(id), body: membershipBody(body) })),
}

/** Ends a paid membership and gives the days that are left back; says how much. */
export async function refundMembership(id: number, reason: string, key: string): Promise<number> {
  return (await unwrap(api.POST('/api/console/memberships/{id}/refund', { params: { path: { id }, header: keyHeader(key) }, body: { reason } }))).amountFen
}
