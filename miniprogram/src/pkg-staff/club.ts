import { api } from '@/api/client'
import { command } from '@/api/commands'
import type { paths } from '@/api/schema'
import type { BodyOf, ResultOf } from '@/api/typed'
import type { TenderKind } from '@/api/types'

/** What the till speaks of the membership programme. */
type Get<P extends keyof paths> = ResultOf<paths, P, 'get'>
type Post<P extends keyof paths> = ResultOf<paths, P, 'post'>

export type DeskPlan = Get<'/api/staff/pass-plans'>['items'][number]
export type DeskPass = Get<'/api/staff/passes'>['items'][number]
export type DeskRights = Get<'/api/staff/member-rights'>
export type DeskRight = DeskRights['rights'][number]
export type DeskMembership = DeskRights['plans'][number]
export type DeskCoupon = Get<'/api/staff/members/{id}/coupons'>['items'][number]
export type CouponChoice = Get<'/api/staff/coupon-templates'>['items'][number]
export type DeskPoints = Get<'/api/staff/members/{id}/points'>
export type DeskSale = Post<'/api/staff/passes'>
export type Pickup = Post<'/api/staff/mall/collect'>
export type GroupQuestion = Post<'/api/staff/group-approvals'>
export type SaleTender = BodyOf<paths, '/api/staff/passes', 'post'>['tender'] & TenderKind

/** How a sale at the desk is paid. */
export interface DeskPay {
  storeId: number
  memberId: number
  tender: SaleTender
  reference?: string
  scanId?: number
}

const of = (id: number) => ({ path: { id } })
/** One sale at a time and member: another one first finds out what became of the one before. */
const slotOf = (pay: DeskPay) => `sale-${pay.memberId}`

export const deskClub = {
  plans: (storeId: number) => api.get('/api/staff/pass-plans', { query: { storeId, limit: 100 } }),
  passes: (memberId: number, state: 'open' | 'all' = 'open', after?: string) => api.get('/api/staff/passes', { query: { memberId, state, after } }),
  sellPass: (planId: number, plate: string, pay: DeskPay, label: string) =>
    command({ slot: slotOf(pay), label }, '/api/staff/passes', { body: { ...pay, planId, ...(plate ? { plate } : {}) } }),
  recharge: (passId: number, pay: DeskPay, label: string) => command({ slot: slotOf(pay), label }, '/api/staff/passes/{id}/recharge', { ...of(passId), body: pay }),
  sellMembership: (planId: number, { tender, ...rest }: DeskPay, label: string) =>
    command({ slot: slotOf({ tender, ...rest }), label }, '/api/staff/memberships', { body: { ...rest, planId, pay: tender } }),
  sale: (id: number) => api.get('/api/staff/sales/{id}', of(id)),
  cancelSale: (id: number) => api.post('/api/staff/sales/{id}/cancel', of(id)),

  rights: (memberId: number) => api.get('/api/staff/member-rights', { query: { memberId } }),
  useRight: (body: BodyOf<paths, '/api/staff/right-uses', 'post'>, label: string) => command({ slot: `right-${body.memberId}`, label }, '/api/staff/right-uses', { body }),
  undoRight: (useId: number, label: string) => command({ slot: `right-undo-${useId}`, label }, '/api/staff/right-uses/{id}/undo', of(useId)),

  coupons: (memberId: number, after?: string) => api.get('/api/staff/members/{id}/coupons', { ...of(memberId), query: { state: 'available', after } }),
  couponChoices: () => api.get('/api/staff/coupon-templates', { query: { limit: 100 } }),
  giveCoupon: (memberId: number, body: BodyOf<paths, '/api/staff/members/{id}/coupons', 'post'>, label: string) =>
    command({ slot: `coupon-${memberId}`, label }, '/api/staff/members/{id}/coupons', { ...of(memberId), body }),
  points: (memberId: number) => api.get('/api/staff/members/{id}/points', of(memberId)),

  collect: (code: string) => api.post('/api/staff/mall/collect', { body: { code } }),
  deliver: (id: number, code: string, label: string) => command({ slot: `deliver-${id}`, label }, '/api/staff/mall/orders/{id}/deliver', { ...of(id), body: { code } }),

  askPayer: (body: BodyOf<paths, '/api/staff/group-approvals', 'post'>, label: string) => command({ slot: `ask-${body.groupId}`, label }, '/api/staff/group-approvals', { body }),
  question: (id: number) => api.get('/api/staff/group-approvals/{id}', of(id)),
}

/** A pickup code is 10 digits, however it is written; '' when the text is none. */
export function pickupCode(text: string): string {
  const plain = text.replace(/[\s-]/g, '')
  return /^\d{10}$/.test(plain) ? plain : ''
}
