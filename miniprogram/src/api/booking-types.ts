/** What booking speaks, by the contract. */

export type BookingKind = 'visit' | 'at_home' | 'pickup' | 'repair' | 'errand' | 'rescue' | 'other'
export type BookingChannel = 'mini_program' | 'h5' | 'official_account' | 'link' | 'desk' | 'phone' | 'walk_in'
export type BookingState =
  | 'queued' | 'requested' | 'held' | 'confirmed' | 'dispatched' | 'arrived' | 'in_service' | 'done' | 'settled' | 'cancelled' | 'expired' | 'no_show'
export type DepositState = 'none' | 'due' | 'paid' | 'refunding' | 'refunded' | 'forfeited' | 'used'
export type PhotoStage = 'before' | 'after'

export interface BookingExtra {
  fault?: string
  destination?: string
  returnAddress?: string
  contactName?: string
  closing?: string
}
export interface BookingPhoto {
  id: number
  stage: PhotoStage
  url: string
}
export interface Booking {
  id: number
  no: string
  storeId: number
  storeName: string
  storeAddress: string
  storePhone: string
  kind: BookingKind
  channel: BookingChannel
  state: BookingState
  startsAt: string
  endsAt: string
  plate: string
  vehicleClassId: number
  vehicleClassName: string
  title: string
  items: { serviceId: number; title: string; minutes: number; priceFen: number }[] | null
  minutes: number
  priceFen: number
  depositFen: number
  depositState: DepositState
  holdExpiresAt?: string
  freeCancelUntil?: string
  technicianName?: string
  bayName?: string
  note?: string
  address?: string
  latE6?: number
  lngE6?: number
  travelMinutes?: number
  extra?: BookingExtra
  queue?: { ahead: number; minutes: number }
  cancel: { allowed: boolean; refundFen: number; text: string }
  photos: BookingPhoto[] | null
  rating?: { stars: number; tags: string[] | null; text: string }
  orderId?: number
  createdAt: string
}
export interface Segment {
  no: number
  bayKind?: string
  skill?: string
  bayId?: number
  bayName?: string
  technicianId?: number
  technicianName?: string
  from: string
  to: string
  serviceFrom: string
  serviceTo: string
}
export interface DeskBooking extends Booking {
  version: number
  memberId?: number
  memberName: string
  phone: string
  memberTier?: string
  priority: boolean
  explain: string
  segments: Segment[] | null
  createdBy: string
  warnings: string[] | null
}
export interface BookingDetail extends DeskBooking {
  events: { at: string; kind: string; text: string; byName: string }[] | null
}
export interface Slot {
  startsAt: string
  endsAt: string
}
export interface SlotDay {
  day: string
  closed?: string
  slots: Slot[] | null
}
export interface Slots {
  days: SlotDay[] | null
  minutes: number
  priceFen: number
  depositFen: number
  freeCancelHours: number
}
export interface BookableService {
  id: number
  name: string
  description: string
  kind: string
  bookingKinds: BookingKind[] | null
  image?: string
  depositFen: number
  freeCancelHours: number
  prices: { vehicleClassId: number; priceFen: number; minutes: number }[] | null
}
export interface BookingTechnician {
  id: number
  name: string
  skills: { skill: string; level: number }[] | null
  stars10?: number
  ratings: number
}
export interface BookingStore {
  id: number
  name: string
  address: string
  phone: string
  hoursText: string
  openToday: string
}
export interface BookingOptions {
  stores: BookingStore[] | null
  services: BookableService[] | null
  technicians: BookingTechnician[] | null
  windowDays: number
  stepMinutes: number
  maxOpen: number
  openCount: number
  needsDeposit?: string
}
export interface StaffBookingOptions extends BookingOptions {
  vehicleClasses: { id: number; name: string; example?: string }[] | null
  bays: { id: number; name: string; kind: string; priority: boolean; active: boolean }[] | null
}
export interface Wait {
  id: number
  storeName: string
  title: string
  fromDay: string
  toDay: string
  fromMinute: number
  toMinute: number
  state: 'waiting' | 'offered' | 'accepted' | 'expired' | 'cancelled'
  offer?: Booking
  offerExpiresAt?: string
  createdAt: string
}
