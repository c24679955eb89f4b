import { api, cleanQuery, keyHeader, unwrap, type Query } from './client'
import type { Dashboard, Dispute, OrderRow, Page, PaymentDetail, PaymentRow, Receipt } from '@/lib/types'

export function getDashboard(query: { storeId?: number; date?: string }, signal?: AbortSignal): Promise<Dashboard> {
  return unwrap(api.GET('/api/console/dashboard', { params: { query: cleanQuery<'/api/console/dashboard'>(query) }, signal }))
}

export function listOrders(query: Query, signal?: AbortSignal): Promise<Page<OrderRow>> {
  return unwrap(api.GET('/api/console/orders', { params: { query: cleanQuery<'/api/console/orders'>(query) }, signal }))
}

export function getOrder(id: number): Promise<Receipt> {
  return unwrap(api.GET('/api/console/orders/{id}', { params: { path: { id } } }))
}

export function reverseOrder(id: number, reason: string, key: string): Promise<Receipt> {
  return unwrap(api.POST('/api/console/orders/{id}/reverse', { params: { path: { id }, header: keyHeader(key) }, body: { reason } }))
}

export function listPayments(query: Query, signal?: AbortSignal): Promise<Page<PaymentRow>> {
  return unwrap(api.GET('/api/console/payments', { params: { query: cleanQuery<'/api/console/payments'>(query) }, signal }))
}

export function getPayment(id: number): Promise<PaymentDetail> {
  return unwrap(api.GET('/api/console/payments/{id}', { params: { path: { id } } }))
}

/** Asks WeChat Pay for the state now instead of waiting for the next round. */
export function checkPayment(id: number): Promise<PaymentDetail> {
  return unwrap(api.POST('/api/console/payments/{id}/check', { params: { path: { id } } }))
}

/** Sends the money of a refund that WeChat closed again, under a new number. */
export function reissueRefund(id: number, refundId: number): Promise<PaymentDetail> {
  return unwrap(api.POST('/api/console/payments/{id}/refunds/{refundId}/reissue', { params: { path: { id, refundId } } }))
}

export function listDisputes(query: Query, signal?: AbortSignal): Promise<Page<Dispute>> {
  return unwrap(api.GET('/api/console/disputes', { params: { query: cleanQuery<'/api/console/disputes'>(query) }, signal }))
}

export async function resolveDispute(id: number, outcome: 'upheld' | 'rejected', answer: string): Promise<void> {
  await unwrap(api.POST('/api/console/disputes/{id}/resolve', { params: { path: { id } }, body: { outcome, answer } }))
}
