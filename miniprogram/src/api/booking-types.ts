/** The app's names for what booking speaks. All of them follow from the contract's paths. */
import type { paths } from './schema'
import type { BodyOf, ResultOf } from './typed'

type Get<P extends keyof paths> = ResultOf<paths, P, 'get'>

export type Booking = Get<'/api/owner/bookings/{id}'>
export type BookingKind = Booking['kind']
export type BookingState = Booking['state']
export type DepositState = Booking['depositState']
export type BookingPhoto = Booking['photos'][number]
export type PhotoStage = BookingPhoto['stage']
export type BookingDetail = Get<'/api/staff/bookings/{id}'>
export type DeskBooking = Get<'/api/staff/bookings'>['items'][number]
export type Slots = Get<'/api/owner/booking/slots'>
export type SlotDay = Slots['days'][number]
export type Slot = SlotDay['slots'][number]
export type BookingOptions = Get<'/api/owner/booking/options'>
export type BookingStore = BookingOptions['stores'][number]
export type BookableService = BookingOptions['services'][number]
export type BookingTechnician = BookingOptions['technicians'][number]
export type StaffBookingOptions = Get<'/api/staff/booking/options'>
export type Wait = Get<'/api/owner/waits'>['items'][number]
export type CalendarFile = Get<'/api/owner/bookings/{id}/calendar'>

export type NewBooking = BodyOf<paths, '/api/owner/bookings', 'post'>
export type BookingChannel = NewBooking['channel']
export type NewWait = BodyOf<paths, '/api/owner/waits', 'post'>
export type NewDeskBooking = BodyOf<paths, '/api/staff/bookings', 'post'>
export type NewWalkIn = BodyOf<paths, '/api/staff/queue', 'post'>
export type Assignment = BodyOf<paths, '/api/staff/bookings/{id}/assign', 'post'>
