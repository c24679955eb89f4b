import { allPages, api, fetchWithRefresh, ownHeaders, BASE, unwrap } from './client'
import { problemFrom } from '@/lib/problem'
import type { Bay, BayInput, Imported, ImportInput, Shift, ShiftInput, SkillLevel, StoreDay, StoreDayInput, Technician, WeekSpan } from '@/lib/booking-types'
import type { Page } from '@/lib/types'

const at = (id: number) => ({ params: { path: { id } } })

export function listBays(storeId: number): Promise<Page<Bay>> {
  return unwrap(api.GET('/api/console/bays', { params: { query: { storeId } } }))
}

export function createBay(body: BayInput): Promise<unknown> {
  return unwrap(api.POST('/api/console/bays', { body }))
}

export function updateBay(id: number, body: BayInput): Promise<{ affected?: number }> {
  return unwrap(api.PUT('/api/console/bays/{id}', { ...at(id), body }))
}

export function getHours(storeId: number): Promise<{ spans: WeekSpan[] }> {
  return unwrap(api.GET('/api/console/stores/{id}/hours', at(storeId)))
}

export function saveHours(storeId: number, spans: WeekSpan[]): Promise<{ affected: number }> {
  return unwrap(api.PUT('/api/console/stores/{id}/hours', { ...at(storeId), body: { spans } }))
}

export function listStoreDays(query: { storeId: number; from: string; to: string }): Promise<StoreDay[]> {
  return allPages((after) => unwrap(api.GET('/api/console/store-days', { params: { query: { ...query, after } } })))
}

export function saveStoreDay(body: StoreDayInput): Promise<{ affected: number }> {
  return unwrap(api.PUT('/api/console/store-days', { body }))
}

export function removeStoreDay(storeId: number, day: string): Promise<{ affected: number }> {
  return unwrap(api.POST('/api/console/store-days/remove', { body: { storeId, day } }))
}

export function importStoreDays(body: ImportInput): Promise<Imported> {
  return unwrap(api.POST('/api/console/store-days/import', { body }))
}

export function listTechnicians(storeId: number): Promise<Technician[]> {
  return allPages((after) => unwrap(api.GET('/api/console/technicians', { params: { query: { storeId, after } } })))
}

export function saveTechnician(staffId: number, body: { bookable: boolean; skills: SkillLevel[] }): Promise<{ affected: number }> {
  return unwrap(api.PUT('/api/console/technicians/{staffId}', { params: { path: { staffId } }, body }))
}

export function listShifts(query: { storeId: number; from: string; to: string }): Promise<Shift[]> {
  return allPages((after) => unwrap(api.GET('/api/console/shifts', { params: { query: { ...query, after } } })))
}

export function planDay(body: { storeId: number; staffId: number; day: string; spans: ShiftInput[] }): Promise<{ affected: number }> {
  return unwrap(api.PUT('/api/console/shifts', { body }))
}

export function copyWeek(storeId: number, week: string): Promise<{ copied: number; skipped: number }> {
  return unwrap(api.POST('/api/console/shifts/copy', { body: { storeId, week } }))
}

/** A picture of a service. A form with a file is sent as it is: the typed client speaks JSON. */
export async function uploadImage(file: File): Promise<{ key: string; url: string }> {
  const body = new FormData()
  body.append('file', file)
  const response = await fetchWithRefresh(new Request(`${BASE}/api/console/images`, { method: 'POST', headers: ownHeaders, credentials: 'same-origin', body }))
  const answer: unknown = await response.json().catch(() => null)
  if (!response.ok) throw problemFrom(response.status, answer)
  return answer as { key: string; url: string }
}
