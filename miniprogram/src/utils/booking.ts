import type { Booking, BookingKind, BookingState, Slot, SlotDay } from '@/api/booking-types'
import { timeLabel, ymd } from './dates'

/** The words and the arithmetic of bookings: pure, so that they can be tested. */

export const KINDS: { kind: BookingKind; text: string; icon: string; hint: string }[] = [
  { kind: 'visit', text: '到店', icon: 'car', hint: '按时到店，到了就做' },
  { kind: 'at_home', text: '上门', icon: 'home', hint: '师傅带设备到您那里' },
  { kind: 'pickup', text: '取送车', icon: 'swap', hint: '我们来取车，做好送回' },
  { kind: 'repair', text: '维修', icon: 'tools', hint: '先说哪里不对，到店检查' },
  { kind: 'errand', text: '代办', icon: 'file', hint: '年检、过户，我们替您跑' },
  { kind: 'rescue', text: '救援', icon: 'warning', hint: '车坏在路上，马上派人' },
  { kind: 'other', text: '其他', icon: 'more', hint: '试驾、返厂等，写一句话' },
]
export const kindText = (kind: BookingKind) => KINDS.find((k) => k.kind === kind)?.text ?? '预约'
/** Where somebody comes to the owner, the address must be known. */
export const needsAddress = (kind: BookingKind) => kind === 'at_home' || kind === 'pickup' || kind === 'rescue'

type Tone = '' | 'good' | 'warn' | 'bad'
const STATES: Record<BookingState, { text: string; tone: Tone }> = {
  queued: { text: '排队中', tone: 'warn' },
  requested: { text: '等门店确认', tone: 'warn' },
  held: { text: '待确认', tone: 'warn' },
  confirmed: { text: '已约好', tone: 'good' },
  dispatched: { text: '师傅在路上', tone: 'good' },
  arrived: { text: '已到店', tone: 'good' },
  in_service: { text: '施工中', tone: 'good' },
  done: { text: '已完工', tone: 'good' },
  settled: { text: '已结算', tone: '' },
  cancelled: { text: '已取消', tone: '' },
  expired: { text: '没有留住', tone: '' },
  no_show: { text: '没有到店', tone: 'bad' },
}
export const stateTone = (state: BookingState): Tone => STATES[state]?.tone ?? ''

type Stated = Pick<Booking, 'state' | 'kind' | 'depositState'>
export function stateText(b: Stated): string {
  if (b.state === 'held' && b.depositState === 'due') return '待付定金'
  if (b.state === 'arrived' && needsAddress(b.kind)) return '师傅已到'
  return STATES[b.state]?.text ?? ''
}
const OVER: BookingState[] = ['settled', 'cancelled', 'expired', 'no_show']
export const isOver = (state: BookingState) => OVER.includes(state)
/** Somebody else moves these on: a page that shows one looks again by itself. */
export const isMoving = (state: BookingState) => ['queued', 'requested', 'held', 'dispatched', 'arrived', 'in_service'].includes(state)

const LIFE: { state: BookingState; text: string; away?: string }[] = [
  { state: 'confirmed', text: '约好' },
  { state: 'dispatched', text: '出发' },
  { state: 'arrived', text: '到店', away: '到达' },
  { state: 'in_service', text: '施工' },
  { state: 'done', text: '完工' },
  { state: 'settled', text: '结算' },
]
export interface LifeStep {
  text: string
  at: 'past' | 'now' | 'next'
}
/** 约好 → 到店 → 施工 → 完工 → 结算; with 出发 where somebody comes to the owner. Empty when it ended early. */
export function lifeSteps(b: Pick<Booking, 'state' | 'kind' | 'queue'>): LifeStep[] {
  if (b.state === 'cancelled' || b.state === 'expired' || b.state === 'no_show') return []
  const away = needsAddress(b.kind) || b.kind === 'errand'
  const steps = LIFE.filter((s) => s.state !== 'dispatched' || away)
  const first = b.state === 'queued' ? '排队' : b.state === 'requested' || b.state === 'held' ? '预约' : ''
  const now = first ? 0 : steps.findIndex((s) => s.state === b.state)
  return steps.map((s, i) => ({
    text: i === 0 && first ? first : away && s.away ? s.away : s.text,
    at: i < now ? 'past' : i === now ? 'now' : 'next',
  }))
}

const WEEK = ['周日', '周一', '周二', '周三', '周四', '周五', '周六']
const DAY_MS = 24 * 3600_000
/** Noon of a shop's day as an instant: safe for labels. */
const noonOf = (day: string) => Date.parse(`${day}T04:00:00Z`)

export const addDays = (day: string, n: number) => ymd(noonOf(day) + n * DAY_MS)

/** 今天, 明天, 后天, else 11月25日 周三 */
export function futureDay(day: string, now: number): string {
  const ahead = Math.round((noonOf(day) - noonOf(ymd(now))) / DAY_MS)
  const near = ({ '-1': '昨天', 0: '今天', 1: '明天', 2: '后天' } as Record<string, string>)[ahead]
  if (near) return near
  const [year, month, date] = day.split('-').map(Number)
  const short = `${month}月${date}日 ${WEEK[new Date(noonOf(day)).getUTCDay()]}`
  return ymd(now).startsWith(`${year}`) ? short : `${year}年${short}`
}
/** 明天 10:00 */
export const bookedLabel = (at: string, now: number) => `${futureDay(ymd(at), now)} ${timeLabel(at)}`
/** 明天 10:00–11:15; the day of the end is said where it is another one. */
export function spanLabel(startsAt: string, endsAt: string, now: number): string {
  const end = ymd(startsAt) === ymd(endsAt) ? timeLabel(endsAt) : bookedLabel(endsAt, now)
  return `${bookedLabel(startsAt, now)}–${end}`
}

/** The same for a visit: as planned until the work is done, then when it really ended, and began when that was earlier. */
export function visitLabel(b: Pick<Booking, 'startsAt' | 'endsAt' | 'startedAt' | 'finishedAt'>, now: number): string {
  if (!b.finishedAt) return spanLabel(b.startsAt, b.endsAt, now)
  const early = b.startedAt && Date.parse(b.startedAt) < Date.parse(b.startsAt)
  return spanLabel(early ? b.startedAt! : b.startsAt, b.finishedAt, now)
}

/** 45 分钟, 1 小时, 2 小时 15 分钟 */
export function minutesText(minutes: number): string {
  const hours = Math.floor(minutes / 60)
  const rest = minutes % 60
  if (!hours) return `${rest} 分钟`
  return rest ? `${hours} 小时 ${rest} 分钟` : `${hours} 小时`
}

/** 9:05 left → "09:05"; over an hour "1:02:03"; never below zero. */
export function countdown(until: string, now: number): string {
  const left = Math.max(0, Math.ceil((Date.parse(until) - now) / 1000))
  const two = (n: number) => String(n).padStart(2, '0')
  const tail = `${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`
  return left >= 3600 ? `${Math.floor(left / 3600)}:${tail}` : tail
}

/** How far away a booking is: 还有 25 分钟, 还有 3 小时, 还有 2 天, 就是现在, 已过 10 分钟 */
export function untilText(at: string, now: number): string {
  const minutes = Math.round((Date.parse(at) - now) / 60_000)
  if (minutes < -90) return ''
  if (minutes <= -5) return `已过 ${minutesText(-minutes)}`
  if (minutes < 1) return '就是现在'
  if (minutes < 60) return `还有 ${minutes} 分钟`
  if (minutes < 24 * 60) return `还有 ${Math.round(minutes / 60)} 小时`
  return `还有 ${Math.round(minutes / (24 * 60))} 天`
}

/** 前面还有 2 台，约 25 分钟 */
export function queueText(queue: { ahead: number; minutes: number }): string {
  if (!queue.ahead) return queue.minutes > 0 ? `下一台就是您，约 ${minutesText(queue.minutes)}` : '马上就轮到您'
  return `前面还有 ${queue.ahead} 台，约 ${minutesText(queue.minutes)}`
}

export interface StripDay {
  day: string
  /** 今天, 明天, 周三 */
  name: string
  /** 11/25 */
  date: string
  free: number
  /** Why nothing can be chosen: 休息, 已打烊, 来不及, 约满; '' when something can. */
  off: string
}
const OFF: Record<NonNullable<SlotDay['off']>, string> = { closed: '休息', unstaffed: '休息', shut: '已打烊', late: '来不及' }
/** The days of the strip, in order; a day that the server left out cannot be booked. */
export function dateStrip(days: SlotDay[], now: number): StripDay[] {
  return days.map(({ day, closed, off, slots }) => {
    const noon = noonOf(day)
    const ahead = Math.round((noon - noonOf(ymd(now))) / DAY_MS)
    const [, month, date] = day.split('-')
    return {
      day,
      name: ahead === 0 ? '今天' : ahead === 1 ? '明天' : WEEK[new Date(noon).getUTCDay()]!,
      date: `${Number(month)}/${Number(date)}`,
      free: slots?.length ?? 0,
      off: off ? OFF[off] : closed ? '休息' : slots?.length ? '' : '约满',
    }
  })
}
/** The day to show first: the wished one when something is free there, else the first with a free slot. */
export function firstFreeDay(days: SlotDay[], wished = ''): string {
  if (days.some((d) => d.day === wished && d.slots?.length)) return wished
  return days.find((d) => d.slots?.length)?.day ?? days[0]?.day ?? ''
}

export interface SlotGroup {
  name: string
  slots: { startsAt: string; endsAt: string; label: string }[]
}
/** 上午 before 12, 下午 before 18, 晚上 the rest; what begins after midnight belongs to the evening of its day. */
export function slotGroups(slots: Slot[], day: string): SlotGroup[] {
  const groups: SlotGroup[] = [{ name: '上午', slots: [] }, { name: '下午', slots: [] }, { name: '晚上', slots: [] }]
  for (const slot of slots) {
    const label = timeLabel(slot.startsAt)
    const hour = Number(label.slice(0, 2))
    const next = ymd(slot.startsAt) !== day
    groups[next || hour >= 18 ? 2 : hour < 12 ? 0 : 1]!.slots.push({ ...slot, label: next ? `次日${label}` : label })
  }
  return groups.filter((g) => g.slots.length)
}

/** 上午, 全天 and the like for the parts of a day, else 9:30–11:00. */
const PART_NAMES: Record<string, string> = { '0-720': '上午', '720-1080': '下午', '1080-1440': '晚上' }
export function minuteSpan(from: number, to: number): string {
  if (from <= 0 && to >= 24 * 60) return '全天都可以'
  const part = PART_NAMES[`${from}-${to}`]
  if (part) return part
  const at = (m: number) => `${String(Math.floor(m / 60)).padStart(2, '0')}:${String(m % 60).padStart(2, '0')}`
  return `${at(from)}–${at(to)}`
}
/** 明天, 明天 到 周五 11月27日 */
export const daySpan = (from: string, to: string, now: number) => (from === to ? futureDay(from, now) : `${futureDay(from, now)} 到 ${futureDay(to, now)}`)

/** What a cancellation would mean, in one line for before it is booked. */
export function cancelRule(freeCancelHours: number, depositFen: number): string {
  const until = freeCancelHours ? `开始前 ${freeCancelHours} 小时以前可免费取消` : '开始前都可以免费取消'
  return depositFen && freeCancelHours ? `${until}，再晚取消定金可能不退` : until
}
