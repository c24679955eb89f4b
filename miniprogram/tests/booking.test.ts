import { describe, expect, it } from 'vitest'
import type { Booking, BookingState, DeskBooking, SlotDay } from '@/api/booking-types'
import { noteServerDate, serverNow } from '@/api/clock'
import { bookedLabel, cancelRule, countdown, dateStrip, daySpan, firstFreeDay, futureDay, isMoving, lifeSteps, minuteSpan, minutesText, queueText, slotGroups, spanLabel, stateText, untilText, visitLabel } from '@/utils/booking'
import { toGcj02 } from '@/utils/gcj02'
import { byTime, inFilter, matches, mayCancel, mayMissOut, nextAct } from '@/pkg-staff/booking-acts'
import { depositOf, emptyMix, fillRest, mixProblem, restOf, startMix, tendersOf } from '@/pkg-staff/tenders'
import { quote } from './fixtures'

const now = Date.parse('2026-11-22T01:00:00Z') // Sunday 09:00 in China
const slot = (startsAt: string, minutes = 60) => ({ startsAt, endsAt: new Date(Date.parse(startsAt) + minutes * 60_000).toISOString() })

describe('when a booking is', () => {
  it('is said as people say it, ahead and back', () => {
    expect(bookedLabel('2026-11-22T06:30:00Z', now)).toBe('今天 14:30')
    expect(bookedLabel('2026-11-22T16:30:00Z', now)).toBe('明天 00:30')
    expect(bookedLabel('2026-11-24T02:00:00Z', now)).toBe('后天 10:00')
    expect(bookedLabel('2026-11-25T02:00:00Z', now)).toBe('11月25日 周三 10:00')
    expect(futureDay('2027-01-01', now)).toBe('2027年1月1日 周五')
    expect(futureDay('2026-11-21', now)).toBe('昨天')
    expect(futureDay('2026-11-18', now)).toBe('11月18日 周三')
  })
  it('names the day of the end only where it is another one', () => {
    expect(spanLabel('2026-11-23T02:00:00Z', '2026-11-23T03:15:00Z', now)).toBe('明天 10:00–11:15')
    expect(spanLabel('2026-11-22T15:30:00Z', '2026-11-22T16:30:00Z', now)).toBe('今天 23:30–明天 00:30')
  })
  it('counts down to the second and not below zero', () => {
    const at = (seconds: number) => new Date(now + seconds * 1000).toISOString()
    expect(countdown(at(545), now)).toBe('09:05')
    expect(countdown(at(3723), now)).toBe('1:02:03')
    expect(countdown(at(0.4), now)).toBe('00:01')
    expect(countdown(at(-5), now)).toBe('00:00')
    expect(untilText(at(25 * 60), now)).toBe('还有 25 分钟')
    expect(untilText(at(3 * 3600), now)).toBe('还有 3 小时')
    expect(untilText(at(49 * 3600), now)).toBe('还有 2 天')
    expect(untilText(at(0), now)).toBe('就是现在')
    expect(untilText(at(-600), now)).toBe('已过 10 分钟')
    expect(untilText(at(-9000), now)).toBe('')
  })
  it('goes by the server’s clock when the phone’s is wrong', () => {
    noteServerDate(new Date(Date.now() + 3600_000).toUTCString())
    expect(Math.abs(serverNow() - Date.now() - 3600_000)).toBeLessThan(2000)
    noteServerDate('no date')
    expect(serverNow() - Date.now()).toBeGreaterThan(3590_000)
    noteServerDate(new Date(Date.now() - 1000).toUTCString()) // the header has whole seconds: that is noise
    expect(Math.abs(serverNow() - Date.now())).toBeLessThan(5)
  })
  it('says durations, queues, waits and rules', () => {
    expect([45, 60, 135].map(minutesText)).toEqual(['45 分钟', '1 小时', '2 小时 15 分钟'])
    expect(queueText({ ahead: 2, minutes: 25 })).toBe('前面还有 2 台，约 25 分钟')
    expect(queueText({ ahead: 0, minutes: 5 })).toBe('下一台就是您，约 5 分钟')
    expect(queueText({ ahead: 0, minutes: 0 })).toBe('马上就轮到您')
    expect(minuteSpan(0, 1440)).toBe('全天都可以')
    expect(minuteSpan(540, 720)).toBe('09:00–12:00')
    expect(minuteSpan(720, 1080)).toBe('下午')
    expect(daySpan('2026-11-23', '2026-11-24', now)).toBe('明天 到 后天')
    expect(daySpan('2026-11-23', '2026-11-23', now)).toBe('明天')
    expect(cancelRule(4, 3000)).toBe('开始前 4 小时以前可免费取消，再晚取消定金可能不退')
    expect(cancelRule(4, 0)).toBe('开始前 4 小时以前可免费取消')
    expect(cancelRule(0, 3000)).toBe('开始前都可以免费取消')
  })
})

describe('days and times to choose', () => {
  const days: SlotDay[] = [
    { day: '2026-11-22', slots: [] },
    { day: '2026-11-23', closed: '盘点休息', slots: null },
    { day: '2026-11-24', slots: [slot('2026-11-24T01:00:00Z'), slot('2026-11-24T03:45:00Z'), slot('2026-11-24T04:00:00Z'), slot('2026-11-24T10:00:00Z'), slot('2026-11-24T16:15:00Z')] },
  ]
  it('keeps closed and full days and says why', () => {
    expect(dateStrip(days, now).map((d) => [d.name, d.date, d.off, d.free])).toEqual([['今天', '11/22', '约满', 0], ['明天', '11/23', '休息', 0], ['周二', '11/24', '', 5]])
  })
  it('does not call a day full that is over', () => {
    const over: SlotDay[] = [{ day: '2026-11-22', closed: '已打烊', off: 'shut', slots: [] }, { day: '2026-11-23', closed: '来不及约了', off: 'late', slots: [] }, { day: '2026-11-24', closed: '当天没有排班', off: 'unstaffed', slots: [] }]
    expect(dateStrip(over, now).map((d) => d.off)).toEqual(['已打烊', '来不及', '休息'])
  })
  it('opens on the first day with a free time', () => {
    expect(firstFreeDay(days)).toBe('2026-11-24')
    expect(firstFreeDay(days, '2026-11-22')).toBe('2026-11-24')
    expect(firstFreeDay(days.slice(0, 2))).toBe('2026-11-22')
    expect(firstFreeDay([])).toBe('')
  })
  it('groups by part of the day; after midnight is still that evening', () => {
    expect(slotGroups(days[2]!.slots!, '2026-11-24').map((g) => [g.name, g.slots.map((s) => s.label)])).toEqual([
      ['上午', ['09:00', '11:45']],
      ['下午', ['12:00']],
      ['晚上', ['18:00', '次日00:15']],
    ])
    expect(slotGroups([], '2026-11-24')).toEqual([])
  })
})

describe('the life of a booking', () => {
  it('says when the work really ended', () => {
    const planned = { startsAt: '2026-11-22T02:00:00Z', endsAt: '2026-11-22T02:30:00Z' }
    expect(visitLabel(planned, now)).toBe('今天 10:00–10:30')
    expect(visitLabel({ ...planned, startedAt: '2026-11-22T02:07:00Z', finishedAt: '2026-11-22T02:52:40Z' }, now)).toBe('今天 10:00–10:52')
    expect(visitLabel({ ...planned, startedAt: '2026-11-22T01:30:00Z', finishedAt: '2026-11-22T01:58:00Z' }, now)).toBe('今天 09:30–09:58')
  })
  const b = (state: BookingState, over: Partial<Booking> = {}) => ({ state, kind: 'visit', depositState: 'none', ...over }) as Booking
  it('is shown as steps, with the way where somebody drives', () => {
    expect(lifeSteps(b('arrived')).map((s) => [s.text, s.at])).toEqual([['约好', 'past'], ['到店', 'now'], ['施工', 'next'], ['完工', 'next'], ['结算', 'next']])
    expect(lifeSteps(b('dispatched', { kind: 'rescue' })).map((s) => s.text)).toEqual(['约好', '出发', '到达', '施工', '完工', '结算'])
    expect(lifeSteps(b('queued'))[0]).toEqual({ text: '排队', at: 'now' })
    expect(lifeSteps(b('cancelled'))).toEqual([])
  })
  it('has a word for every state', () => {
    for (const state of ['queued', 'requested', 'held', 'confirmed', 'dispatched', 'arrived', 'in_service', 'done', 'settled', 'cancelled', 'expired', 'no_show'] as const) expect(stateText(b(state))).toMatch(/[\u4e00-\u9fa5]/)
    expect(stateText(b('held', { depositState: 'due' }))).toBe('待付定金')
    expect(stateText(b('arrived', { kind: 'at_home' }))).toBe('师傅已到')
    expect(isMoving('queued') && !isMoving('confirmed')).toBe(true)
  })
})

describe('staff', () => {
  const b = (over: Partial<DeskBooking>) => ({ id: 1, state: 'confirmed', kind: 'visit', startsAt: '2026-11-22T02:00:00Z', priority: false, plate: '沪A8K316', memberName: '林**', phone: '138****6688', no: 'BK1', title: '精致洗车', ...over }) as DeskBooking
  it('are offered the one step that comes next', () => {
    expect(nextAct(b({}))?.act).toBe('arrive')
    expect(nextAct(b({}), true)?.act).toBe('start')
    expect(nextAct(b({ kind: 'at_home' }))?.act).toBe('dispatch')
    expect(nextAct(b({ state: 'dispatched', kind: 'rescue' }))?.text).toBe('已到达')
    expect(nextAct(b({ state: 'done' }))).toMatchObject({ act: 'settle', permission: 'checkout.settle' })
    expect(nextAct(b({ state: 'cancelled' }))).toBeNull()
  })
  it('may give up whatever is not settled or over', () => {
    const states: BookingState[] = ['requested', 'queued', 'held', 'confirmed', 'dispatched', 'arrived', 'in_service', 'done', 'settled', 'cancelled', 'no_show']
    expect(states.filter((state) => mayCancel(b({ state })))).toEqual(states.slice(0, 8))
  })
  it('say that nobody was there only where somebody looked', () => {
    const late = Date.parse('2026-11-22T03:00:00Z')
    const states: BookingState[] = ['confirmed', 'dispatched', 'arrived', 'in_service']
    expect(states.map((state) => mayMissOut(b({ state }), late))).toEqual([true, false, false, false])
    expect(states.map((state) => mayMissOut(b({ state, kind: 'at_home' }), late))).toEqual([false, true, true, false])
    expect(mayMissOut(b({}), now)).toBe(false)
  })
  it('see a day by time, priority first among equals', () => {
    const list = [b({ id: 1 }), b({ id: 2, priority: true }), b({ id: 3, startsAt: '2026-11-22T01:00:00Z' })]
    expect(list.sort(byTime).map((x) => x.id)).toEqual([3, 2, 1])
  })
  it('filter and find', () => {
    expect(inFilter(b({}), 'coming') && inFilter(b({ state: 'done' }), 'here') && inFilter(b({ state: 'no_show' }), 'over')).toBe(true)
    expect(inFilter(b({ state: 'no_show' }), 'here') || inFilter(b({ state: 'done' }), 'over')).toBe(false)
    for (const typed of ['', '8k316', '沪A·8K', '6688', '林', '精致']) expect(matches(b({}), typed)).toBe(true)
    expect(matches(b({}), '京A')).toBe(false)
  })
  it('count a deposit first and never change it', () => {
    const q = { ...quote({ suggestion: [], balance: { availableFen: 5000, usableFen: 5000, missingFen: 0 } }), depositFen: 3000 } as never as ReturnType<typeof quote>
    expect(startMix(q)).toEqual({ balance: 5000, deposit: 3000 })
    const mix = fillRest(q.totalFen, emptyMix(q), 'cash')
    expect(mix).toEqual({ deposit: 3000, cash: 5360 })
    expect(restOf(q.totalFen, mix)).toBe(0)
    expect(mixProblem(q.totalFen, mix, 0, {}, undefined)).toBe('')
    expect(tendersOf(mix, {})).toEqual([{ kind: 'deposit', amountFen: 3000 }, { kind: 'cash', amountFen: 5360 }])
    const small = { ...q, totalFen: 2000 } as typeof q
    expect(depositOf(small)).toBe(2000) // what is too much goes back to where it came from
    expect(startMix({ ...small, balance: undefined } as typeof q)).toEqual({ deposit: 2000 })
  })
})

describe('coordinates', () => {
  it('are those of Chinese maps inside China, and unchanged elsewhere', () => {
    const there = toGcj02(31.2304, 121.4737) // People's Square: maps draw it about half a kilometre off
    expect(there.lat).toBeCloseTo(31.2284, 3)
    expect(there.lng).toBeCloseTo(121.4782, 3)
    expect(toGcj02(48.8566, 2.3522)).toEqual({ lat: 48.8566, lng: 2.3522 })
  })
})
