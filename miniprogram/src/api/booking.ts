import { api } from './client'
import { command } from './commands'
import type { Assignment, BookingKind, NewBooking, NewDeskBooking, NewWait, NewWalkIn } from './booking-types'

/**
 * The calls of booking. What holds time or moves money goes through the commands that survive a weak network: a tap that is repeated
 * after a lost answer must not find its own first attempt in the way.
 */

interface SlotQuery {
  storeId: number
  serviceIds: number[]
  kind: BookingKind
  from: string
  days: number
  technicianId?: number
}
const of = (id: number) => ({ path: { id } })

export const ownerBooking = {
  options: (storeId?: number) => api.get('/api/owner/booking/options', { query: { storeId } }),
  slots: ({ serviceIds, ...rest }: SlotQuery & { vehicleId: number }) => api.get('/api/owner/booking/slots', { query: { ...rest, serviceIds } }),
  list: (scope: 'open' | 'past') => api.get('/api/owner/bookings', { query: { scope } }),
  one: (id: number) => api.get('/api/owner/bookings/{id}', of(id)),
  create: (body: NewBooking, label: string) => command({ slot: 'booking', label }, '/api/owner/bookings', { body }),
  confirm: (id: number) => command({ slot: `booking-${id}`, label: '确认预约' }, '/api/owner/bookings/{id}/confirm', of(id)),
  pay: (id: number) => command({ slot: `booking-${id}`, label: '支付定金' }, '/api/owner/bookings/{id}/pay', of(id)),
  check: (id: number) => api.post('/api/owner/bookings/{id}/check', of(id)),
  /** `refundFen` is what the person was shown: when it is no longer true, nothing happens and they are asked again. */
  cancel: (id: number, body: { reason: string; refundFen?: number }, label: string) =>
    command({ slot: `booking-${id}`, label }, '/api/owner/bookings/{id}/cancel', { ...of(id), body }),
  reschedule: (id: number, body: { startsAt: string; technicianId?: number }) => api.post('/api/owner/bookings/{id}/reschedule', { ...of(id), body }),
  calendar: (id: number) => api.get('/api/owner/bookings/{id}/calendar', of(id)),
  rate: (id: number, body: { stars: number; tags: string[]; text: string }) => command({ slot: `rating-${id}`, label: '评价' }, '/api/owner/bookings/{id}/rating', { ...of(id), body }),
  wait: (body: NewWait) => command({ slot: 'wait', label: '排候补' }, '/api/owner/waits', { body }),
  waits: () => api.get('/api/owner/waits'),
  cancelWait: (id: number) => api.post('/api/owner/waits/{id}/cancel', of(id)),
}

export const staffBooking = {
  options: (storeId: number) => api.get('/api/staff/booking/options', { query: { storeId } }),
  slots: ({ serviceIds, ...rest }: SlotQuery & { vehicleClassId: number; memberId?: number }) => api.get('/api/staff/booking/slots', { query: { ...rest, serviceIds } }),
  create: (body: NewDeskBooking, label: string) => command({ slot: `desk-booking-${body.storeId}`, label }, '/api/staff/bookings', { body }),
  list: (storeId: number, day: string) => api.get('/api/staff/bookings', { query: { storeId, day } }),
  one: (id: number) => api.get('/api/staff/bookings/{id}', of(id)),
  accept: (id: number) => api.post('/api/staff/bookings/{id}/accept', { ...of(id), body: {} }),
  dispatch: (id: number) => api.post('/api/staff/bookings/{id}/dispatch', of(id)),
  arrive: (id: number) => api.post('/api/staff/bookings/{id}/arrive', of(id)),
  start: (id: number) => api.post('/api/staff/bookings/{id}/start', of(id)),
  finish: (id: number, closing = '') => api.post('/api/staff/bookings/{id}/finish', { ...of(id), body: closing ? { closing } : {} }),
  missed: (id: number) => api.post('/api/staff/bookings/{id}/no-show', of(id)),
  cancel: (id: number, reason: string) => api.post('/api/staff/bookings/{id}/cancel', { ...of(id), body: { reason } }),
  /** Whom to call, in clear; the server records who looked. */
  contact: (id: number) => api.post('/api/staff/bookings/{id}/contact', of(id)),
  reschedule: (id: number, body: { startsAt: string; technicianId?: number }) => api.post('/api/staff/bookings/{id}/reschedule', { ...of(id), body }),
  assign: (id: number, body: Assignment) => api.post('/api/staff/bookings/{id}/assign', { ...of(id), body }),
  jobs: (storeId: number) => api.get('/api/staff/jobs', { query: { storeId } }),
  queue: (storeId: number) => api.get('/api/staff/queue', { query: { storeId } }),
  enqueue: (body: NewWalkIn) => command({ slot: `queue-${body.storeId}`, label: `${body.plate} 排队` }, '/api/staff/queue', { body }),
}
