import { api } from './client'
import { command } from './commands'
import type { LocalPhoto } from '@/platform/types'
import type { DocumentKind, GroupApply, GroupDetail, GroupPlace, MallAsk, PayWay } from './club-types'
import { uploadPhoto } from './upload'

/** The calls of the membership programme. What moves money, points or coupons goes through the commands that survive a weak network. */
const of = (id: number) => ({ path: { id } })
const byCode = (code: string) => ({ path: { code } })

export const passes = {
  plans: (after?: string) => api.get('/api/owner/pass-plans', { query: { after } }),
  buy: (body: { planId: number; plate?: string; storeId?: number; pay: PayWay }, label: string) => command({ slot: 'buy', label }, '/api/owner/passes', { body }),
  list: (state: 'open' | 'all', after?: string) => api.get('/api/owner/passes', { query: { state, after } }),
  one: (id: number) => api.get('/api/owner/passes/{id}', of(id)),
  gift: (id: number) => api.post('/api/owner/passes/{id}/gift', of(id)),
  takeBack: (id: number) => api.delete('/api/owner/passes/{id}/gift', of(id)),
  claim: (code: string, plate?: string) => api.post('/api/owner/pass-claims', { body: { code, plate } }),
  pause: (id: number) => api.post('/api/owner/passes/{id}/pause', of(id)),
  resume: (id: number) => api.post('/api/owner/passes/{id}/resume', of(id)),
  plate: (id: number, plate: string, old?: string) => api.post('/api/owner/passes/{id}/plate', { ...of(id), body: { plate, old } }),
  recharge: (id: number, pay: PayWay, label: string) => command({ slot: 'buy', label }, '/api/owner/passes/{id}/recharge', { ...of(id), body: { pay } }),
  refundPlan: (id: number) => api.get('/api/owner/passes/{id}/refund-plan', of(id)),
  renewal: (id: number, on: boolean) => api.put('/api/owner/passes/{id}/renewal', { ...of(id), body: { on } }),
}

export const sales = {
  one: (id: number) => api.get('/api/owner/sales/{id}', of(id)),
  check: (id: number) => api.post('/api/owner/sales/{id}/check', of(id)),
  pay: (id: number) => api.post('/api/owner/sales/{id}/pay', of(id)),
  cancel: (id: number) => api.post('/api/owner/sales/{id}/cancel', of(id)),
}

export const tiers = {
  mine: () => api.get('/api/owner/tier'),
  plans: () => api.get('/api/owner/membership-plans'),
  renewal: (id: number, on: boolean) => api.put('/api/owner/memberships/{id}/renewal', { ...of(id), body: { on } }),
  buy: (planId: number, pay: PayWay, label: string) => command({ slot: 'buy', label }, '/api/owner/memberships', { body: { planId, pay } }),
}

export const points = {
  mine: () => api.get('/api/owner/points'),
  entries: (after?: string) => api.get('/api/owner/points/entries', { query: { after } }),
}

export const mall = {
  items: (after?: string) => api.get('/api/owner/mall/items', { query: { after } }),
  item: (id: number) => api.get('/api/owner/mall/items/{id}', of(id)),
  order: (body: MallAsk, label: string) => command({ slot: 'mall', label }, '/api/owner/mall/orders', { body }),
  orders: (after?: string) => api.get('/api/owner/mall/orders', { query: { after } }),
  one: (id: number) => api.get('/api/owner/mall/orders/{id}', of(id)),
  cancel: (id: number, label: string) => command({ slot: `mall-${id}`, label }, '/api/owner/mall/orders/{id}/cancel', { ...of(id), body: {} }),
}

export const coupons = {
  list: (state: 'available' | 'used' | 'expired', after?: string) => api.get('/api/owner/coupons', { query: { state, after } }),
  claimPage: (code: string) => api.get('/api/owner/coupon-claims/{code}', byCode(code)),
  claim: (code: string) => command({ slot: 'claim', label: '领取优惠券' }, '/api/owner/coupon-claims/{code}', byCode(code)),
  typed: (code: string) => command({ slot: 'code', label: '兑换码' }, '/api/owner/coupon-codes', { body: { code } }),
  /** A code from a card: gifts of the shop, memberships, passes. */
  redeem: (code: string) => command({ slot: 'code', label: '兑换码' }, '/api/owner/codes', { body: { code } }),
  gift: (id: number) => command({ slot: `coupon-${id}`, label: '转赠优惠券' }, '/api/owner/coupons/{id}/gift', of(id)),
  takeBack: (id: number) => api.post('/api/owner/coupons/{id}/gift/cancel', of(id)),
  giftPage: (code: string) => api.get('/api/owner/coupon-gifts/{code}', byCode(code)),
  accept: (code: string) => command({ slot: 'claim', label: '收下优惠券' }, '/api/owner/coupon-gifts', { body: { code } }),
}

export const referral = {
  mine: () => api.get('/api/owner/referral'),
  sharing: () => api.get('/api/owner/sharing'),
  bind: (code: string) => api.post('/api/owner/referral/bind', { body: { code } }),
}

export const groups = {
  list: () => api.get('/api/owner/groups'),
  one: (id: number) => api.get('/api/owner/groups/{id}', of(id)),
  create: (name: string) => command({ slot: 'group', label: '建立家庭账户' }, '/api/owner/groups', { body: { name } }),
  rename: (id: number, name: string) => api.put('/api/owner/groups/{id}', { ...of(id), body: { name } }),
  apply: (body: GroupApply) => command({ slot: 'group', label: '申请企业账户' }, '/api/owner/group-applications', { body }),
  reapply: (id: number, body: GroupApply) => api.put('/api/owner/group-applications/{id}', { ...of(id), body }),
  addDocument: (id: number, kind: DocumentKind, photo: LocalPhoto) => uploadPhoto(`/api/owner/groups/${id}/documents`, photo, { kind }) as Promise<GroupDetail>,
  document: (id: number, documentId: number) => api.get('/api/owner/groups/{id}/documents/{documentId}', { path: { id, documentId } }),
  dropDocument: (id: number, documentId: number) => api.delete('/api/owner/groups/{id}/documents/{documentId}', { path: { id, documentId } }),
  invite: (id: number, body: GroupPlace) => api.post('/api/owner/groups/{id}/invites', { ...of(id), body }),
  revoke: (id: number, inviteId: number) => api.delete('/api/owner/groups/{id}/invites/{inviteId}', { path: { id, inviteId } }),
  invited: (code: string) => api.get('/api/owner/group-invites/{code}', byCode(code)),
  join: (code: string) => api.post('/api/owner/group-joins', { body: { code } }),
  driver: (id: number, driverId: number, body: GroupPlace) => api.put('/api/owner/groups/{id}/drivers/{driverId}', { path: { id, driverId }, body }),
  dropDriver: (id: number, driverId: number) => api.delete('/api/owner/groups/{id}/drivers/{driverId}', { path: { id, driverId } }),
  leave: (id: number) => api.post('/api/owner/groups/{id}/leave', of(id)),
  dissolve: (id: number) => api.post('/api/owner/groups/{id}/dissolve', { ...of(id), body: {} }),
  approvals: (after?: string) => api.get('/api/owner/group-approvals', { query: { after } }),
  approve: (id: number) => api.post('/api/owner/group-approvals/{id}/approve', { ...of(id), body: {} }),
  deny: (id: number, note: string) => api.post('/api/owner/group-approvals/{id}/deny', { ...of(id), body: note ? { note } : {} }),
  statement: (id: number, month?: string) => api.get('/api/owner/groups/{id}/statement', { ...of(id), query: { month } }),
}

export const savings = () => api.get('/api/owner/savings')

/** Short lists are read wholly: the shop has a few dozen of them at most. */
export async function everything<T>(fetch: (after?: string) => Promise<{ items: T[] | null; next?: string }>): Promise<T[]> {
  const out: T[] = []
  for (let after: string | undefined, n = 0; n < 20; n++) {
    const page = await fetch(after)
    out.push(...(page.items ?? []))
    after = page.next || undefined
    if (!after) break
  }
  return out
}
