import { storeLookup } from '@/composables/useLookup'
import type { ServicePrice } from './types'

/** The price for a vehicle class; null when the service is not offered for it. */
export function priceOf(prices: ServicePrice[], vehicleClassId: number): number | null {
  return prices.find((price) => price.vehicleClassId === vehicleClassId)?.priceFen ?? null
}

/** The grid with one price changed; an emptied cell takes the class out. How long it takes stays. */
export function setPrice(prices: ServicePrice[], vehicleClassId: number, priceFen: number | null): ServicePrice[] {
  const others = prices.filter((price) => price.vehicleClassId !== vehicleClassId)
  const minutes = minutesOf(prices, vehicleClassId)
  return priceFen === null ? others : [...others, { vehicleClassId, priceFen, ...(minutes ? { minutes } : {}) }]
}

/** How long a service takes for a class of cars; null stands for as long as usual. */
export function minutesOf(prices: ServicePrice[], vehicleClassId: number): number | null {
  return prices.find((price) => price.vehicleClassId === vehicleClassId)?.minutes || null
}

export function setMinutes(prices: ServicePrice[], vehicleClassId: number, minutes: number | null): ServicePrice[] {
  return prices.map((price) => (price.vehicleClassId === vehicleClassId ? { ...price, minutes: minutes ?? 0 } : price))
}

/** What a service of a kind usually needs, so that a new one is right without asking. */
export function usualNeeds(kind: string): { bayKind: string; skill: string } {
  switch (kind) {
    case 'wash':
    case 'detail':
    case 'film':
      return { bayKind: kind, skill: kind }
    case 'repair':
      return { bayKind: 'lift', skill: 'repair' }
    default:
      return { bayKind: '', skill: 'inspect' }
  }
}

export function storesText(storeIds: number[]): string {
  if (storeIds.length === 0) return '全部门店'
  const names = storeIds.map((id) => storeLookup.items.value.find((store) => store.id === id)?.name).filter(Boolean)
  return names.length > 0 ? names.join('、') : `${storeIds.length} 家门店`
}

/** Whether a number field holds a whole number above zero. */
export function countText(value: number | null | undefined): boolean {
  return Number.isInteger(value) && (value ?? 0) > 0
}

/** Why an amount or a share cannot be saved; empty when it can. */
export function amountObstacle(value: number | null | undefined, name: string, max?: number): string {
  if (value === null || value === undefined) return `请填${name}`
  if (value < 0 || (max !== undefined && value > max)) return `${name}超出范围`
  return ''
}
