import type { Resource } from './catalog'
import { api, cleanQuery, unwrap, type Query } from './client'
import { ruleBody } from '@/lib/gift'
import type { CodeBatch, CodeBatchInput, GiftRule, GiftRuleInput, Invite, ReferralRules } from '@/lib/club-types'
import type { Page } from '@/lib/types'

const at = (id: number) => ({ params: { path: { id } } })
const all = { params: { query: { limit: 200 } } }

export const giftRules: Resource<GiftRule, GiftRuleInput> = {
  list: () => unwrap(api.GET('/api/console/gift-rules', all)),
  create: (body) => unwrap(api.POST('/api/console/gift-rules', { body: ruleBody(body) })),
  update: (id, body) => unwrap(api.PUT('/api/console/gift-rules/{id}', { ...at(id), body: ruleBody(body) })),
  remove: (id) => unwrap(api.DELETE('/api/console/gift-rules/{id}', at(id))),
}

/** What a gift can name beside coupons and tiers. */
export interface Named {
  id: number
  name: string
}

export async function passPlanNames(): Promise<Page<Named>> {
  return await unwrap(api.GET('/api/console/pass-plans', all))
}

export async function membershipPlanNames(): Promise<Page<Named>> {
  return await unwrap(api.GET('/api/console/membership-plans', all))
}

export function listBatches(query: Query, signal?: AbortSignal): Promise<Page<CodeBatch>> {
  return unwrap(api.GET('/api/console/code-batches', { params: { query: cleanQuery<'/api/console/code-batches'>(query) }, signal }))
}

export function createBatch(body: CodeBatchInput): Promise<CodeBatch> {
  return unwrap(api.POST('/api/console/code-batches', { body }))
}

/** Draws the codes of a batch. The server shows them this once. */
export async function drawCodes(id: number): Promise<string[]> {
  return (await unwrap(api.POST('/api/console/code-batches/{id}/codes', at(id)))).codes
}

export async function stopBatch(id: number): Promise<void> {
  await unwrap(api.POST('/api/console/code-batches/{id}/stop', at(id)))
}

export function getReferralRules(): Promise<ReferralRules> {
  return unwrap(api.GET('/api/console/referrals/rules'))
}

export function saveReferralRules(body: ReferralRules): Promise<ReferralRules> {
  return unwrap(api.PUT('/api/console/referrals/rules', { body }))
}

export function listInvites(query: Query, signal?: AbortSignal): Promise<Page<Invite>> {
  return unwrap(api.GET('/api/console/referrals', { params: { query: cleanQuery<'/api/console/referrals'>(query) }, signal }))
}

export function listSuspects(query: Query, signal?: AbortSignal): Promise<Page<Invite>> {
  return unwrap(api.GET('/api/console/referrals/suspects', { params: { query: cleanQuery<'/api/console/referrals/suspects'>(query) }, signal }))
}

export async function decideInvite(id: number, accept: boolean, reason: string): Promise<void> {
  const options = { ...at(id), body: reason ? { reason } : {} }
  await unwrap(accept ? api.POST('/api/console/referrals/{id}/accept', options) : api.POST('/api/console/referrals/{id}/reject', options))
}
