import type { Resource } from './catalog'
import { allPages, api, cleanQuery, keyHeader, unwrap, type Query } from './client'
import type { PassDetail, PassPlan, PassPlanInput, PassRefundInput, PassRefundPlan, PassRow, Sale } from '@/lib/benefit-types'
import { planBody } from '@/lib/pass'
import type { Page } from '@/lib/types'

const at = (id: number) => ({ params: { path: { id } } })

export const passPlans: Resource<PassPlan, PassPlanInput> = {
  list: async () => ({ items: await allPages((after) => unwrap(api.GET('/api/console/pass-plans', { params: { query: { after, limit: 200 } } }))) }),
  create: (body) => unwrap(api.POST('/api/console/pass-plans', { body: planBody(body) })),
  update: (id, body) => unwrap(api.PUT('/api/console/pass-plans/{id}', { ...at(id), body: planBody(body) })),
}

export function listPasses(query: Query, signal?: AbortSignal): Promise<Page<PassRow>> {
  return unwrap(api.GET('/api/console/passes', { params: { query: cleanQuery<'/api/console/passes'>(query) }, signal }))
}

export function getPass(id: number): Promise<PassDetail> {
  return unwrap(api.GET('/api/console/passes/{id}', at(id)))
}

/** What would go back, computed so that both sides can read it. */
export function getPassRefundPlan(id: number, fault: 'shop' | 'customer', signal?: AbortSignal): Promise<PassRefundPlan> {
  return unwrap(api.GET('/api/console/passes/{id}/refund-plan', { params: { path: { id }, query: { fault } }, signal }))
}

export function refundPass(id: number, body: PassRefundInput, key: string): Promise<PassRefundPlan> {
  return unwrap(api.POST('/api/console/passes/{id}/refund', { params: { path: { id }, header: keyHeader(key) }, body }))
}

export function pausePass(id: number, reason: string): Promise<PassDetail> {
  return unwrap(api.POST('/api/console/passes/{id}/pause', { ...at(id), body: { reason } }))
}

export function resumePass(id: number): Promise<PassDetail> {
  return unwrap(api.POST('/api/console/passes/{id}/resume', at(id)))
}

export function extendPass(id: number, days: number, reason: string): Promise<PassDetail> {
  return unwrap(api.POST('/api/console/passes/{id}/extend', { ...at(id), body: { days, reason } }))
}

/** Binds a plate, or changes `old` into it, without the wait that an owner has. */
export function setPassPlate(id: number, plate: string, old: string): Promise<PassDetail> {
  return unwrap(api.POST('/api/console/passes/{id}/plate', { ...at(id), body: { plate, ...(old ? { old } : {}) } }))
}

/** A list row needs an `id`. */
export type SaleRow = Sale & { id: number }

export async function listSales(query: Query, signal?: AbortSignal): Promise<Page<SaleRow>> {
  const page = await unwrap(api.GET('/api/console/sales', { params: { query: cleanQuery<'/api/console/sales'>(query) }, signal }))
  return { ...page, items: page.items.map((sale) => ({ ...sale, id: sale.saleId })) }
}

export function getSale(id: number): Promise<Sale> {
  return unwrap(api.GET('/api/console/sales/{id}', at(id)))
}
