import { defineStore } from 'pinia'
import { ref, shallowRef, watch } from 'vue'
import { api } from '@/api/client'
import type { Catalog, DeskMember, Quote, QuoteRequest } from '@/api/types'
import { calledName } from '@/utils/people'

/** What one till is working on: the member in front of it and the bill being made. */
export const useDesk = defineStore('desk', () => {
  const member = shallowRef<DeskMember | null>(null)
  const catalog = shallowRef<Catalog | null>(null)
  const request = shallowRef<QuoteRequest | null>(null)
  const quote = shallowRef<Quote | null>(null)
  const catalogStore = ref(0)
  /** The bill whose payment code is being shown: cancelled, it can be settled in another way. */
  const unpaid = shallowRef<{ orderId: number; request: QuoteRequest } | null>(null)
  const served = new Map<number, string>()
  watch(member, (m) => m && served.set(m.memberId, calledName(m.name, m.gender)), { flush: 'sync' })

  /** What somebody who stood at this till is called; orders know the masked name only. */
  const nameOf = (memberId: number | undefined, masked = '') => served.get(memberId ?? 0) ?? masked

  async function loadCatalog(storeId: number): Promise<Catalog> {
    if (catalogStore.value !== storeId) catalog.value = null
    catalog.value = await api.get('/api/staff/catalog', { query: { storeId } })
    catalogStore.value = storeId
    return catalog.value
  }

  /** What the member has now, after a sale. The code that was scanned stays good unless it was used. */
  async function refreshMember(id: number, storeId: number, keepScan: boolean): Promise<void> {
    const before = member.value?.memberId === id ? member.value : null
    const fresh = await api.get('/api/staff/members/{id}', { path: { id }, query: { storeId } })
    const { scanId, scanExpiresAt, capFen, boundVehicleId } = before ?? {}
    member.value = keepScan && scanId ? { ...fresh, scanId, scanExpiresAt, capFen, boundVehicleId } : fresh
  }

  function clearBill(): void {
    request.value = null
    quote.value = null
  }

  return { member, catalog, request, quote, unpaid, nameOf, loadCatalog, refreshMember, clearBill }
})
