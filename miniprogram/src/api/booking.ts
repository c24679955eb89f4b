import { call, type CallOptions } from './client'
import { command, newKey } from './commands'
import type { Jsapi } from './types'
import type { Booking, BookingChannel, BookingDetail, BookingExtra, BookingKind, BookingOptions, DeskBooking, Slots, StaffBookingOptions, Wait } from './booking-types'

const get = <T>(path: string, options?: CallOptions) => call('get', path, options) as Promise<T>
const post = <T>(path: string, options?: CallOptions) => call('post', path, options) as Promise<T>
/** One key for one tap: the server answers a repetition with what the first one did. */
const once = (body: unknown = {}): CallOptions => ({ body, idempotencyKey: newKey() })
/** A command that must not be lost or done twice over a weak network, though its answer may be. */
const sure = <T>(slot: string, label: string, path: string, body: unknown) =>
  (command as unknown as (spec: object, path: string, init: object) => Promise<T>)({ slot, label }, path, { body })

export interface SlotQuery {
  storeId: number
  serviceIds: number[]
  kind: BookingKind
  from: string
  days: number
  technicianId?: number
}
export interface NewBooking {
  storeId: number
  kind: BookingKind
  vehicleId: number
  serviceIds: number[]
  startsAt?: string
  technicianId?: number
  sameTechnician?: boolean
  note?: string
  address?: string
  latE6?: number
  lngE6?: number
  extra?: BookingExtra
  channel: BookingChannel
}
export interface NewWait {
  storeId: number
  vehicleId: number
  serviceIds: number[]
  kind: BookingKind
  fromDay: string
  toDay: string
  fromMinute: number
  toMinute: number
}
export interface NewDeskBooking {
  storeId: number
  kind: BookingKind
  channel: 'desk' | 'phone'
  memberId?: number
  contactName?: string
  contactPhone?: string
  plate: string
  vehicleClassId: number
  serviceIds: number[]
  startsAt?: string
  technicianId?: number
  bayId?: number
  note?: string
  address?: string
  extra?: BookingExtra
}
interface List<T> {
  items: T[] | null
  next?: string
}

export const ownerBooking = {
  options: (storeId?: number) => get<BookingOptions>('/api/owner/booking/options', { query: { storeId } }),
  slots: ({ serviceIds, ...rest }: SlotQuery & { vehicleId: number }) => get<Slots>('/api/owner/booking/slots', { query: { ...rest, serviceIds: serviceIds.join(',') } }),
  create: (body: NewBooking, label: string) => sure<Booking>('booking', label, '/api/owner/bookings', body),
  list: (scope: 'open' | 'past', after?: string) => get<List<Booking>>('/api/owner/bookings', { query: { scope, after } }),
  one: (id: number) => get<Booking>('/api/owner/bookings/{id}', { path: { id } }),
  confirm: (id: number) => post<Booking>('/api/owner/bookings/{id}/confirm', { path: { id }, ...once() }),
  pay: (id: number) => post<{ booking: Booking; jsapi: Jsapi }>('/api/owner/bookings/{id}/pay', { path: { id }, ...once() }),
  check: (id: number) => post<Booking>('/api/owner/bookings/{id}/check', { path: { id } }),
  /** `refundFen` is what the person was shown: when it is no longer true, nothing happens and they are asked again. */
  cancel: (id: number, body: { reason: string; refundFen?: number }, label: string) => sure<Booking>(`booking-${id}`, label, `/api/owner/bookings/${id}/cancel`, body),
  reschedule: (id: number, body: { startsAt: string; technicianId?: number }) => post<Booking>('/api/owner/bookings/{id}/reschedule', { path: { id }, ...once(body) }),
  calendar: (id: number) => get<{ fileName: string; ics: string; title: string; location: string; startsAt: string; endsAt: string }>('/api/owner/bookings/{id}/calendar', { path: { id } }),
  rate: (id: number, body: { stars: number; tags: string[]; text: string }) => post<Booking>('/api/owner/bookings/{id}/rating', { path: { id }, ...once(body) }),
  wait: (body: NewWait) => post<Wait>('/api/owner/waits', once(body)),
  waits: () => get<List<Wait>>('/api/owner/waits'),
  cancelWait: (id: number) => post<Wait>('/api/owner/waits/{id}/cancel', { path: { id }, body: {} }),
}

type Act = 'arrive' | 'start' | 'finish' | 'dispatch' | 'accept' | 'cancel' | 'no-show' | 'reschedule' | 'assign'
export const staffBooking = {
  options: (storeId: number) => get<StaffBookingOptions>('/api/staff/booking/options', { query: { storeId } }),
  slots: ({ serviceIds, ...rest }: SlotQuery & { vehicleClassId: number; memberId?: number }) => get<Slots>('/api/staff/booking/slots', { query: { ...rest, serviceIds: serviceIds.join(',') } }),
  create: (body: NewDeskBooking, label: string) => sure<BookingDetail>(`desk-booking-${body.storeId}`, label, '/api/staff/bookings', body),
  list: (storeId: number, day: string, after?: string) => get<List<DeskBooking>>('/api/staff/bookings', { query: { storeId, day, after } }),
  one: (id: number) => get<BookingDetail>('/api/staff/bookings/{id}', { path: { id } }),
  act: (id: number, act: Act, body: Record<string, unknown> = {}) => post<BookingDetail>(`/api/staff/bookings/{id}/${act}`, { path: { id }, ...once(body) }),
  jobs: (storeId: number) => get<{ mine: DeskBooking[] | null; queue: DeskBooking[] | null }>('/api/staff/jobs', { query: { storeId } }),
  queue: (storeId: number) => get<List<DeskBooking>>('/api/staff/queue', { query: { storeId } }),
  enqueue: (body: { storeId: number; plate: string; vehicleClassId: number; serviceIds: number[]; memberId?: number; contactPhone?: string; note?: string }) => post<DeskBooking>('/api/staff/queue', once(body)),
}
