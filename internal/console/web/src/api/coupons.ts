import type { Resource } from './catalog'
import { allPages, api, cleanQuery, keyHeader, unwrap, type Query } from './client'
import { claimBody, templateBody } from '@/lib/coupon'
import type { ClaimInput, ClaimPage, CouponIssue, CouponIssueInput, CouponRow, CouponTemplate, CouponTemplateInput, MemberFilter } from '@/lib/club-types'
import type { Page } from '@/lib/types'

const at = (id: number) => ({ params: { path: { id } } })

export const couponTemplates: Resource<CouponTemplate, CouponTemplateInput> = {
  list: () => unwrap(api.GET('/api/console/coupon-templates', { params: { query: { limit: 200 } } })),
  create: (body) => unwrap(api.POST('/api/console/coupon-templates', { body: templateBody(body) })),
  update: (id, body) => unwrap(api.PUT('/api/console/coupon-templates/{id}', { ...at(id), body: templateBody(body) })),
}

export const claimPages: Resource<ClaimPage, ClaimInput> = {
  list: async () => ({ items: await allPages((after) => unwrap(api.GET('/api/console/coupon-claims', { params: { query: { after, limit: 200 } } }))) }),
  create: (body) => unwrap(api.POST('/api/console/coupon-claims', { body: claimBody(body) })),
  update: (id, body) => unwrap(api.PUT('/api/console/coupon-claims/{id}', { ...at(id), body: claimBody(body) })),
}

export function listCoupons(query: Query, signal?: AbortSignal): Promise<Page<CouponRow>> {
  return unwrap(api.GET('/api/console/coupons', { params: { query: cleanQuery<'/api/console/coupons'>(query) }, signal }))
}

export async function voidCoupon(id: number, reason: string): Promise<void> {
  await unwrap(api.POST('/api/console/coupons/{id}/void', { ...at(id), body: { reason } }))
}

/** How many members a filter finds now. */
export async function previewFilter(filter: MemberFilter): Promise<number> {
  return (await unwrap(api.POST('/api/console/coupon-issues/preview', { body: filter }))).members
}

export function issueCoupons(body: CouponIssueInput, key: string): Promise<CouponIssue> {
  return unwrap(api.POST('/api/console/coupon-issues', { params: { header: keyHeader(key) }, body }))
}

export function listIssues(query: Query, signal?: AbortSignal): Promise<Page<CouponIssue>> {
  return unwrap(api.GET('/api/console/coupon-issues', { params: { query: cleanQuery<'/api/console/coupon-issues'>(query) }, signal }))
}

export function getIssue(id: number): Promise<CouponIssue> {
  return unwrap(api.GET('/api/console/coupon-issues/{id}', at(id)))
}
