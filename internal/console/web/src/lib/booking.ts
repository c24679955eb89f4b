import { axisDate, sayDate, sayTime } from './dates'
import type { Problem } from './problem'
import type { DeskBooking, Wait } from './booking-types'
import type { BookingStep } from '@/api/booking'

/** Kinds whose staff drive somewhere first. */
const DRIVES = ['at_home', 'pickup', 'rescue', 'errand']

export interface StepButton {
  step: BookingStep
  text: string
  permission: string
  main?: boolean
}

/** Only who went there can say that nobody was there. */
const NOT_MET: StepButton = { step: 'no-show', text: '没见到人', permission: 'booking.write' }

/** What may be done with a booking next, in the words of the button; the main one first. */
export function stepsOf(booking: Pick<DeskBooking, 'state' | 'kind'>): StepButton[] {
  const drives = DRIVES.includes(booking.kind)
  switch (booking.state) {
    case 'requested':
      return [{ step: 'accept', text: '接单', permission: 'booking.write', main: true }]
    case 'queued':
      return [{ step: 'arrive', text: '进工位', permission: 'booking.work', main: true }]
    case 'confirmed':
      if (drives) return [{ step: 'dispatch', text: '出发', permission: 'booking.work', main: true }]
      return [{ step: 'arrive', text: '车到了', permission: 'booking.work', main: true }, { step: 'no-show', text: '没来', permission: 'booking.write' }]
    case 'dispatched':
      return [{ step: 'arrive', text: '已到达', permission: 'booking.work', main: true }, NOT_MET]
    case 'arrived':
      return [{ step: 'start', text: '开始施工', permission: 'booking.work', main: true }, ...(drives ? [NOT_MET] : [])]
    case 'in_service':
      return [{ step: 'finish', text: '完工', permission: 'booking.work', main: true }]
    default:
      return []
  }
}

/** When a visit began and ended: as planned until the work is done, then as it really was; it never began later than promised. */
export function visitOf(booking: Pick<DeskBooking, 'startsAt' | 'endsAt' | 'startedAt' | 'finishedAt'>): { from: string; to: string } {
  const { startsAt, endsAt, startedAt, finishedAt } = booking
  if (!finishedAt) return { from: startsAt, to: endsAt }
  return { from: startedAt && Date.parse(startedAt) < Date.parse(startsAt) ? startedAt : startsAt, to: finishedAt }
}

/** The mark of a day without free times: 休, 打烊, 过了 or 满. */
export function dayMark(day: { closed?: string; off?: string }): string {
  if (day.off === 'shut') return '打烊'
  if (day.off === 'late') return '过了'
  return day.off || day.closed ? '休' : '满'
}

export const cancellable = (state: string): boolean => ['queued', 'requested', 'held', 'confirmed', 'dispatched', 'arrived', 'in_service', 'done'].includes(state)
export const reschedulable = (state: string): boolean => ['held', 'confirmed'].includes(state)

/** Why a placement was refused, and whether the server says that a reason could overrule it. */
export function refusals(problem: Problem): { reasons: { text: string; hard: boolean }[]; canForce: boolean } {
  const detail = problem.detail as { reasons?: { text: string; hard: boolean }[]; canForce?: boolean } | null | undefined
  return { reasons: detail?.reasons ?? [], canForce: Boolean(detail?.canForce) }
}

/** Other times that the server offers when the wished one is gone. */
export function alternatives(problem: Problem | null): { startsAt: string; endsAt: string }[] {
  const detail = problem?.detail as { alternatives?: { startsAt: string; endsAt: string }[] } | null | undefined
  return detail?.alternatives ?? []
}

/** The bookings that a refusal names. */
export function bookingIds(problem: Problem | null): number[] {
  const detail = problem?.detail as { bookingIds?: number[] } | null | undefined
  return detail?.bookingIds ?? []
}

/** 570 → 9:30; 1500 → 次日 1:00. */
export function minuteText(minute: number): string {
  const clock = `${Math.floor((minute % 1440) / 60)}:${String(minute % 60).padStart(2, '0')}`
  if (minute === 1440) return '24:00'
  if (minute === 2880) return '次日 24:00'
  return minute > 1440 ? `次日 ${clock}` : clock
}

/** "9:30", "21：00", "930", "次日 1:30", "25:30" → minutes of the day up to 48:00; null when it is no time. */
export function parseMinute(text: string): number | null {
  const clean = text.normalize('NFKC').replace(/\s/g, '')
  const match = /^(次日)?(\d{1,2})(?::?([0-5]\d))?$/.exec(clean)
  if (!match) return null
  const minute = Number(match[2]) * 60 + Number(match[3] ?? 0) + (match[1] ? 1440 : 0)
  return minute <= 2880 ? minute : null
}

export function waitText(wait: Wait): string {
  const days = wait.fromDay === wait.toDay ? sayDate(wait.fromDay) : `${axisDate(wait.fromDay)}–${axisDate(wait.toDay)}`
  return `${days} ${minuteText(wait.fromMinute)}–${minuteText(wait.toMinute)}`
}

/** Slots of a day in the parts in which people think. */
export function partsOfDay<T extends { startsAt: string }>(slots: T[]): { name: string; slots: T[] }[] {
  const hour = (slot: T) => new Date(Date.parse(slot.startsAt) + 8 * 3_600_000).getUTCHours()
  return [
    { name: '上午', slots: slots.filter((slot) => hour(slot) < 12) },
    { name: '下午', slots: slots.filter((slot) => hour(slot) >= 12 && hour(slot) < 18) },
    { name: '晚上', slots: slots.filter((slot) => hour(slot) >= 18) },
  ].filter((part) => part.slots.length > 0)
}

/** The till of the staff app with this booking in it: the deposit counts there. */
export function settleLink(booking: Pick<DeskBooking, 'id'>): string {
  return `/h5/#/pkg-staff/checkout/index?booking=${booking.id}`
}

/** That a hold is running, and until when. */
export function holdText(booking: Pick<DeskBooking, 'state' | 'holdExpiresAt'>): string {
  return booking.state === 'held' && booking.holdExpiresAt ? `为车主保留到 ${sayTime(booking.holdExpiresAt)}` : ''
}

export interface KindField {
  key: 'address' | 'fault' | 'destination' | 'returnAddress'
  label: string
  required?: boolean
  placeholder?: string
}

/** What a kind of booking has to say beside services and a time. */
export function kindFields(kind: string): KindField[] {
  switch (kind) {
    case 'at_home':
      return [{ key: 'address', label: '上门地址', required: true, placeholder: '小区、楼栋、车位号' }]
    case 'pickup':
      return [
        { key: 'address', label: '取车地址', required: true },
        { key: 'returnAddress', label: '还车地址', placeholder: '不填就还到取车的地方' },
      ]
    case 'repair':
      return [{ key: 'fault', label: '故障情况', placeholder: '什么时候、什么声音' }]
    case 'errand':
      return [
        { key: 'fault', label: '办什么', placeholder: '如 年检、过户' },
        { key: 'address', label: '取车地址', placeholder: '车主自己送来可不填' },
      ]
    case 'rescue':
      return [
        { key: 'address', label: '车在哪里', required: true, placeholder: '路名、桩号、附近建筑' },
        { key: 'fault', label: '什么情况', placeholder: '如 爆胎、搭电、拖车' },
        { key: 'destination', label: '送到哪里', placeholder: '可不填' },
      ]
    case 'other':
      return [{ key: 'fault', label: '什么事', placeholder: '如 试驾、返厂、召回' }]
    default:
      return []
  }
}

/** Where owners book a store, or one service of it. */
export function bookingLink(origin: string, storeId: number, serviceId?: number): string {
  return `${origin}/h5/#/pages/booking/index?storeId=${storeId}${serviceId ? `&serviceId=${serviceId}` : ''}&channel=link`
}
