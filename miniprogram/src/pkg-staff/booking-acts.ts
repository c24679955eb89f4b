import type { BookingState, DeskBooking } from '@/api/booking-types'
import { needsAddress } from '@/utils/booking'

/** What staff do next with a booking, and what else they may do. */
export type Act = 'accept' | 'dispatch' | 'arrive' | 'start' | 'finish' | 'settle'
export interface NextAct {
  act: Act
  text: string
  permission: string
}
type Stated = Pick<DeskBooking, 'state' | 'kind'>

const away = (b: Stated) => needsAddress(b.kind) || b.kind === 'errand'

/** The one step that comes next; null when there is none. `working` is the technician's view: the car is there, so begin. */
export function nextAct(b: Stated, working = false): NextAct | null {
  switch (b.state) {
    case 'requested':
      return { act: 'accept', text: '接单', permission: 'booking.write' }
    case 'confirmed':
      if (away(b)) return { act: 'dispatch', text: '出发', permission: 'booking.work' }
      return working ? { act: 'start', text: '开始施工', permission: 'booking.work' } : { act: 'arrive', text: '车到了', permission: 'booking.work' }
    case 'dispatched':
      return { act: 'arrive', text: '已到达', permission: 'booking.work' }
    case 'arrived':
      return { act: 'start', text: '开始施工', permission: 'booking.work' }
    case 'in_service':
      return { act: 'finish', text: '完工', permission: 'booking.work' }
    case 'done':
      return { act: 'settle', text: '去结算', permission: 'checkout.settle' }
    default:
      return null
  }
}

const BEFORE: BookingState[] = ['requested', 'queued', 'held', 'confirmed']
const HERE: BookingState[] = ['arrived', 'in_service', 'done', 'dispatched']
/** The shop may also give up work that has begun; an owner may not. */
export const mayCancel = (b: Stated) => BEFORE.includes(b.state) || HERE.includes(b.state)
export const mayReschedule = (b: Stated) => b.state === 'confirmed' && b.kind !== 'rescue'
/** Where we drive to the customer, only who went there can say that nobody was there. */
export const mayMissOut = (b: Stated & Pick<DeskBooking, 'startsAt'>, now: number) => (away(b) ? b.state === 'dispatched' || b.state === 'arrived' : b.state === 'confirmed') && Date.parse(b.startsAt) < now
export const mayAssign = (b: Stated) => ['confirmed', 'dispatched', 'arrived', 'in_service'].includes(b.state)

/** A day's list: by time, members with priority first among those of one time. */
export function byTime(a: DeskBooking, b: DeskBooking): number {
  return Date.parse(a.startsAt) - Date.parse(b.startsAt) || Number(b.priority) - Number(a.priority) || a.id - b.id
}

export type DayFilter = 'all' | 'coming' | 'here' | 'over'
export function inFilter(b: Stated, filter: DayFilter): boolean {
  if (filter === 'all') return true
  if (filter === 'coming') return BEFORE.includes(b.state)
  return HERE.includes(b.state) === (filter === 'here') && !BEFORE.includes(b.state)
}
/** Finds by plate, name, phone, number or service, whatever somebody types. */
export function matches(b: DeskBooking, typed: string): boolean {
  const wanted = typed.toUpperCase().replace(/[\s·]/g, '')
  return !wanted || [b.plate, b.memberName, b.phone, b.no, b.title, b.technicianName].some((text) => text?.toUpperCase().includes(wanted))
}
