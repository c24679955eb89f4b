import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { api } from '@/api/client'
import type { Catalog, DeskMember, Quote, QuoteRequest } from '@/api/types'

/** What one till is working on: the member in front of it and the bill being made. */
export const useDesk = defineStore('desk', () => {
  const member = shallowRef<DeskMember | null>(null)
  const catalog = shallowRef<Catalog | null>(null)
  const request = shallowRef<QuoteRequest | null>(null)
  const quote = shallowRef<Quote | null>(null)
  const catalogStore = ref(0)

  async function loadCatalog(storeId: number): Promise<Catalog> {
    if (catalogStore.value !== storeId) catalog.value = null
    catalog.value = await api.get('/api/staff/catalog', { query: { storeId } })
    catalogStore.value = storeId
    return catalog.value
  }

  function clearBill(): void {
    request.value = null
    quote.value = null
  }

  return { member, catalog, request, quote, loadCatalog, clearBill }
})
