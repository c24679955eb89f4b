import { api, BASE, cleanQuery, fetchWithRefresh, keyHeader, ownHeaders, unwrap, type Query } from './client'
import type {
  Block,
  BlockInput,
  Board,
  BookingDetail,
  BookingInput,
  BookingListRow,
  MoveInput,
  QueueInput,
  SlotDays,
} from '@/lib/booking-types'
import type { Page } from '@/lib/types'

const at = (id: number) => ({ params: { path: { id } } })

export function getBoard(query: { storeId: number; day: string; days: 1 | 7 }, signal?: AbortSignal): Promise<Board> {
  return unwrap(api.GET('/api/console/board', { params: { query }, signal }))
}

/** The stream that says that the board changed. EventSource cannot refresh a session, fetch can. */
export function openBoardEvents(storeId: number, signal: AbortSignal): Promise<Response> {
  return fetchWithRefresh(new Request(`${BASE}/api/console/board/events?storeId=${storeId}`, { headers: { ...ownHeaders, Accept: 'text/event-stream' }, credentials: 'same-origin', cache: 'no-store', signal }))
}

export function listBookings(query: Query, signal?: AbortSignal): Promise<Page<BookingListRow>> {
  return unwrap(api.GET('/api/console/bookings', { params: { query: cleanQuery<'/api/console/bookings'>(query) }, signal }))
}

export function getBooking(id: number): Promise<BookingDetail> {
  return unwrap(api.GET('/api/console/bookings/{id}', at(id)))
}

export function findSlots(query: Query, signal?: AbortSignal): Promise<SlotDays> {
  return unwrap(api.GET('/api/console/booking/slots', { params: { query: cleanQuery<'/api/console/booking/slots'>(query) }, signal }))
}

export function createBooking(body: BookingInput, key: string): Promise<BookingDetail> {
  return unwrap(api.POST('/api/console/bookings', { params: { header: keyHeader(key) }, body }))
}

export function addToQueue(body: QueueInput, key: string): Promise<BookingDetail> {
  return unwrap(api.POST('/api/console/queue', { params: { header: keyHeader(key) }, body }))
}

export function moveBooking(id: number, body: MoveInput, key: string): Promise<BookingDetail> {
  return unwrap(api.POST('/api/console/bookings/{id}/move', { params: { path: { id }, header: keyHeader(key) }, body }))
}

export function rescheduleBooking(id: number, body: { startsAt: string; technicianId?: number }): Promise<BookingDetail> {
  return unwrap(api.POST('/api/console/bookings/{id}/reschedule', { ...at(id), body }))
}

export type BookingStep = 'accept' | 'dispatch' | 'arrive' | 'start' | 'finish' | 'no-show'

/** The next step in a booking's life. `closing` is the record of a rescue or errand. */
export function stepBooking(id: number, step: BookingStep, closing?: string): Promise<BookingDetail> {
  const calls: Record<BookingStep, () => Promise<BookingDetail>> = {
    accept: () => unwrap(api.POST('/api/console/bookings/{id}/accept', { ...at(id), body: {} })),
    dispatch: () => unwrap(api.POST('/api/console/bookings/{id}/dispatch', at(id))),
    arrive: () => unwrap(api.POST('/api/console/bookings/{id}/arrive', at(id))),
    start: () => unwrap(api.POST('/api/console/bookings/{id}/start', at(id))),
    finish: () => unwrap(api.POST('/api/console/bookings/{id}/finish', { ...at(id), body: { closing } })),
    'no-show': () => unwrap(api.POST('/api/console/bookings/{id}/no-show', at(id))),
  }
  return calls[step]()
}

export function cancelBooking(id: number, reason: string): Promise<BookingDetail> {
  return unwrap(api.POST('/api/console/bookings/{id}/cancel', { ...at(id), body: { reason } }))
}

/** Whom to call, in clear; the server records who looked. */
export function bookingContact(id: number): Promise<{ name: string; phone: string }> {
  return unwrap(api.POST('/api/console/bookings/{id}/contact', at(id)))
}

export function createBlock(body: BlockInput): Promise<Block> {
  return unwrap(api.POST('/api/console/blocks', { body }))
}

export async function removeBlock(id: number): Promise<void> {
  await unwrap(api.POST('/api/console/blocks/{id}/remove', at(id)))
}

/** Between two instants. */
export async function listBlocks(query: { storeId: number; from: string; to: string }): Promise<Block[]> {
  return (await unwrap(api.GET('/api/console/blocks', { params: { query } }))).items
}
