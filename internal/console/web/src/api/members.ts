import { api, cleanQuery, keyHeader, unwrap, type Query } from './client'
import type {
  Card,
  DeskTopup,
  DeskTopupInput,
  Registered,
  LedgerEntry,
  MemberDetail,
  MemberInput,
  MemberRow,
  MemberUpdate,
  MergeDone,
  MergeHistory,
  MergePreview,
  MergeRequest,
  Page,
  Refund,
  RefundInput,
  RefundPlan,
  TagCount,
  TopupRow,
  Unmasked,
  Vehicle,
  VehicleInput,
} from '@/lib/types'

export function listMembers(query: Query, signal?: AbortSignal): Promise<Page<MemberRow>> {
  return unwrap(api.GET('/api/console/members', { params: { query: cleanQuery<'/api/console/members'>(query) }, signal }))
}

export function getMember(id: number): Promise<MemberDetail> {
  return unwrap(api.GET('/api/console/members/{id}', { params: { path: { id } } }))
}

/** Gives a member these tags and no others; answers them in order. */
export async function setTags(id: number, tags: string[]): Promise<string[]> {
  return (await unwrap(api.PUT('/api/console/members/{id}/tags', { params: { path: { id } }, body: { tags } }))).tags
}

/** Tags in use, the most frequent first. */
export function memberTags(): Promise<Page<TagCount>> {
  return unwrap(api.GET('/api/console/member-tags'))
}

export function createMember(body: MemberInput, key: string): Promise<Registered> {
  return unwrap(api.POST('/api/console/members', { params: { header: keyHeader(key) }, body }))
}

export async function updateMember(id: number, body: MemberUpdate): Promise<void> {
  await unwrap(api.PUT('/api/console/members/{id}', { params: { path: { id } }, body }))
}

export function unmaskMember(id: number, reason: string): Promise<Unmasked> {
  return unwrap(api.POST('/api/console/members/{id}/unmask', { params: { path: { id } }, body: { reason } }))
}

export function listLedger(id: number, query: Query, signal?: AbortSignal): Promise<Page<LedgerEntry>> {
  return unwrap(api.GET('/api/console/members/{id}/ledger', { params: { path: { id }, query: cleanQuery<'/api/console/members/{id}/ledger'>(query) }, signal }))
}

export function previewMerge(intoId: number, fromId: number, signal?: AbortSignal): Promise<MergePreview> {
  return unwrap(api.GET('/api/console/members/{id}/merge', { params: { path: { id: intoId }, query: { fromId } }, signal }))
}

export function mergeMembers(intoId: number, body: MergeRequest, key: string): Promise<MergeDone> {
  return unwrap(api.POST('/api/console/members/{id}/merge', { params: { path: { id: intoId }, header: keyHeader(key) }, body }))
}

export function listMerges(id: number): Promise<MergeHistory> {
  return unwrap(api.GET('/api/console/members/{id}/merges', { params: { path: { id } } }))
}

export type MemberAction = 'suspend' | 'reinstate' | 'approve' | 'reject' | 'close'

export async function actOnMember(id: number, action: MemberAction, reason: string): Promise<void> {
  const options = { params: { path: { id } }, body: { reason } }
  const calls: Record<MemberAction, () => Promise<unknown>> = {
    suspend: () => unwrap(api.POST('/api/console/members/{id}/suspend', options)),
    reinstate: () => unwrap(api.POST('/api/console/members/{id}/reinstate', options)),
    approve: () => unwrap(api.POST('/api/console/members/{id}/approve', options)),
    reject: () => unwrap(api.POST('/api/console/members/{id}/reject', options)),
    close: () => unwrap(api.POST('/api/console/members/{id}/close', options)),
  }
  await calls[action]()
}

export type CardAction = 'freeze' | 'unfreeze' | 'lost' | 'reissue'

export function actOnCard(memberId: number, action: CardAction, reason: string): Promise<Card> {
  const options = { params: { path: { id: memberId } }, body: { reason } }
  const calls = {
    freeze: () => api.POST('/api/console/members/{id}/card/freeze', options),
    unfreeze: () => api.POST('/api/console/members/{id}/card/unfreeze', options),
    lost: () => api.POST('/api/console/members/{id}/card/lost', options),
    reissue: () => api.POST('/api/console/members/{id}/card/reissue', options),
  }
  return unwrap(calls[action]())
}

export async function unbindIdentity(id: number, identityId: number, reason: string): Promise<void> {
  await unwrap(api.POST('/api/console/members/{id}/identities/{identityId}/unbind', { params: { path: { id, identityId } }, body: { reason } }))
}

export function createVehicle(id: number, body: VehicleInput): Promise<Vehicle> {
  return unwrap(api.POST('/api/console/members/{id}/vehicles', { params: { path: { id } }, body }))
}

export function updateVehicle(id: number, vehicleId: number, body: VehicleInput): Promise<Vehicle> {
  return unwrap(api.PUT('/api/console/members/{id}/vehicles/{vehicleId}', { params: { path: { id, vehicleId } }, body }))
}

export async function deleteVehicle(id: number, vehicleId: number): Promise<void> {
  await unwrap(api.DELETE('/api/console/members/{id}/vehicles/{vehicleId}', { params: { path: { id, vehicleId } } }))
}

export function deskTopup(id: number, body: DeskTopupInput, key: string): Promise<DeskTopup> {
  return unwrap(api.POST('/api/console/members/{id}/topups', { params: { path: { id }, header: keyHeader(key) }, body }))
}

/** The state of a desk top-up; while it is pending the server asks WeChat. */
export function getDeskTopup(id: number): Promise<DeskTopup> {
  return unwrap(api.GET('/api/console/topups/{id}', { params: { path: { id } } }))
}

export function listTopups(query: Query, signal?: AbortSignal): Promise<Page<TopupRow>> {
  return unwrap(api.GET('/api/console/topups', { params: { query: cleanQuery<'/api/console/topups'>(query) }, signal }))
}

/** The plan of a refund; without an amount, the plan of everything that may be paid back. */
export function getRefundPlan(id: number, amountFen: number | undefined, signal?: AbortSignal): Promise<RefundPlan> {
  return unwrap(api.GET('/api/console/members/{id}/refund-plan', { params: { path: { id }, query: cleanQuery<'/api/console/members/{id}/refund-plan'>({ amountFen }) }, signal }))
}

export function createRefund(id: number, body: RefundInput, key: string): Promise<Refund> {
  return unwrap(api.POST('/api/console/members/{id}/refunds', { params: { path: { id }, header: keyHeader(key) }, body }))
}

/** A list row needs an `id`. */
export type RefundRow = Refund & { id: number }

export async function listRefunds(query: Query, signal?: AbortSignal): Promise<Page<RefundRow>> {
  const page: Page<Refund> = await unwrap(api.GET('/api/console/refunds', { params: { query: cleanQuery<'/api/console/refunds'>(query) }, signal }))
  return { ...page, items: page.items.map((refund) => ({ ...refund, id: refund.refundId })) }
}

export function getRefund(id: number): Promise<Refund> {
  return unwrap(api.GET('/api/console/refunds/{id}', { params: { path: { id } } }))
}

export type OldCard = Awaited<ReturnType<typeof listOldCards>>[number]

/** Plastic cards from before that were registered at the member. */
export async function listOldCards(id: number, signal?: AbortSignal) {
  return (await unwrap(api.GET('/api/console/members/{id}/old-cards', { params: { path: { id } }, signal }))).items ?? []
}

export function addOldCard(id: number, no: string, note: string) {
  return unwrap(api.POST('/api/console/members/{id}/old-cards', { params: { path: { id } }, body: { no, note: note || undefined } }))
}

export function loseOldCard(id: number, cardId: number, lost: boolean, reason: string) {
  return unwrap(api.POST('/api/console/members/{id}/old-cards/{cardId}/lost', { params: { path: { id, cardId } }, body: { lost, reason } }))
}

export async function removeOldCard(id: number, cardId: number, reason: string): Promise<void> {
  await unwrap(api.POST('/api/console/members/{id}/old-cards/{cardId}/remove', { params: { path: { id, cardId } }, body: { reason } }))
}
