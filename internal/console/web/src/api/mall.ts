import type { Resource } from './catalog'
import { api, cleanQuery, keyHeader, unwrap, type Query } from './client'
import { itemBody } from '@/lib/mall'
import type { MallItem, MallItemInput, MallOrder } from '@/lib/club-types'
import type { Page } from '@/lib/types'

const at = (id: number) => ({ params: { path: { id } } })
const all = { params: { query: { limit: 200 } } }

export const mallItems: Resource<MallItem, MallItemInput> = {
  list: () => unwrap(api.GET('/api/console/mall/items', all)),
  create: (body) => unwrap(api.POST('/api/console/mall/items', { body: itemBody(body, true) })),
  update: (id, body) => unwrap(api.PUT('/api/console/mall/items/{id}', { ...at(id), body: itemBody(body, false) })),
}

export function lowItems(): Promise<Page<MallItem>> {
  return unwrap(api.GET('/api/console/mall/low', all))
}

export function changeStock(id: number, amount: number, reason: string, key: string): Promise<MallItem> {
  return unwrap(api.POST('/api/console/mall/items/{id}/stock', { params: { path: { id }, header: keyHeader(key) }, body: { amount, reason } }))
}

export function listMallOrders(query: Query, signal?: AbortSignal): Promise<Page<MallOrder>> {
  return unwrap(api.GET('/api/console/mall/orders', { params: { query: cleanQuery<'/api/console/mall/orders'>(query) }, signal }))
}

/** One order; with its address for who may send it, which leaves a trace. */
export function getMallOrder(id: number): Promise<MallOrder> {
  return unwrap(api.GET('/api/console/mall/orders/{id}', at(id)))
}

export function shipMallOrder(id: number, carrier: string, trackingNo: string, key: string): Promise<MallOrder> {
  return unwrap(api.POST('/api/console/mall/orders/{id}/ship', { params: { path: { id }, header: keyHeader(key) }, body: { carrier, trackingNo } }))
}

export function cancelMallOrder(id: number, reason: string, key: string): Promise<MallOrder> {
  return unwrap(api.POST('/api/console/mall/orders/{id}/cancel', { params: { path: { id }, header: keyHeader(key) }, body: { reason } }))
}
