import { describe, expect, it } from 'vitest'
import { alternatives, bookingIds, bookingLink, dayMark, settleLink, cancellable, kindFields, minuteText, parseMinute, partsOfDay, refusals, stepsOf, visitOf } from '@/lib/booking'
import { Problem } from '@/lib/problem'
import { breakText, draftOf, parseSpans, readShifts, spansText, workMinutes } from '@/lib/roster'

describe('minutes of a day', () => {
  it('are said and read, past midnight too', () => {
    for (const minute of [0, 570, 1439, 1440, 1500, 2880]) expect(parseMinute(minuteText(minute))).toBe(minute)
    expect(minuteText(1500)).toBe('次日 1:00')
    expect(parseMinute('９：３０')).toBe(570)
    expect(parseMinute('930')).toBe(570)
    expect(parseMinute('9')).toBe(540)
    expect(parseMinute('9:75')).toBeNull()
    expect(parseMinute('49:00')).toBeNull()
    expect(parseMinute('早上')).toBeNull()
  })
})

describe('a visit', () => {
  const planned = { startsAt: '2026-11-22T02:00:00Z', endsAt: '2026-11-22T02:30:00Z' }

  it('ends as planned until it has ended', () => {
    expect(visitOf(planned)).toEqual({ from: planned.startsAt, to: planned.endsAt })
    expect(visitOf({ ...planned, startedAt: '2026-11-22T02:07:00Z' })).toEqual({ from: planned.startsAt, to: planned.endsAt })
    expect(visitOf({ ...planned, startedAt: '2026-11-22T02:07:00Z', finishedAt: '2026-11-22T02:52:40Z' })).toEqual({ from: planned.startsAt, to: '2026-11-22T02:52:40Z' })
    expect(visitOf({ ...planned, startedAt: '2026-11-22T01:30:00Z', finishedAt: '2026-11-22T01:58:00Z' })).toEqual({ from: '2026-11-22T01:30:00Z', to: '2026-11-22T01:58:00Z' })
  })
})

describe('a day without free times', () => {
  it('is full only when everything is taken', () => {
    expect([{}, { off: 'closed', closed: '盘点休息' }, { off: 'shut', closed: '已打烊' }, { off: 'late', closed: '来不及约了' }].map(dayMark)).toEqual(['满', '休', '打烊', '过了'])
  })
})

describe('opening hours as typed', () => {
  it('takes several stretches, any dash, and the night', () => {
    expect(parseSpans('9:00–12:00，13:30-21:00')).toEqual([{ opens: 540, closes: 720 }, { opens: 810, closes: 1260 }])
    expect(parseSpans('10:00到2:00')).toEqual([{ opens: 600, closes: 1560 }])
    expect(parseSpans('10:00–次日 2:00')).toEqual([{ opens: 600, closes: 1560 }])
    expect(parseSpans('休息')).toEqual([])
    expect(parseSpans('')).toEqual([])
  })

  it('refuses what overlaps, what is odd, and what is no time', () => {
    for (const text of ['9:00-12:00,11:00-13:00', '9:02-10:00', '9:00', '9-10-11', 'x']) expect(parseSpans(text)).toBeNull()
  })

  it('reads back what it says', () => {
    const spans = [{ opens: 540, closes: 720 }, { opens: 810, closes: 1560 }]
    expect(parseSpans(spansText(spans))).toEqual(spans)
  })
})

describe('a day of shifts', () => {
  it('reads shifts with breaks, and ends of the next day', () => {
    const { shifts, obstacle } = readShifts([{ starts: '18:00', ends: '2:00', hasBreak: true, breakStarts: '23:45', breakEnds: '0:15' }, draftOf({ starts: 540, ends: 720 })])
    expect(obstacle).toBe('')
    expect(shifts).toEqual([{ starts: 540, ends: 720 }, { starts: 1080, ends: 1560, breakStarts: 1425, breakEnds: 1455 }])
    expect(workMinutes(shifts)).toBe(180 + 450)
    expect(breakText(shifts[1]!)).toBe('休 23:45–次日 0:15')
    expect(readShifts(shifts.map(draftOf)).shifts).toEqual(shifts)
  })

  it('says what is wrong', () => {
    const usual = draftOf()
    expect(readShifts([{ ...usual, starts: 'x' }]).obstacle).toContain('9:00')
    expect(readShifts([{ ...usual, starts: '9:01' }]).obstacle).toContain('5 分钟')
    expect(readShifts([{ ...usual, breakStarts: '8:00', breakEnds: '8:30' }]).obstacle).toContain('中间')
    expect(readShifts([usual, { ...usual, starts: '17:00', ends: '20:00', hasBreak: false }]).obstacle).toContain('重叠')
    expect(readShifts([])).toEqual({ shifts: [], obstacle: '' })
  })
})

describe('what can be done with a booking', () => {
  it('offers the next step of each state, by kind', () => {
    const steps = (state: string, kind = 'visit') => stepsOf({ state, kind } as Parameters<typeof stepsOf>[0]).map((step) => step.step)
    expect(steps('confirmed')).toEqual(['arrive', 'no-show'])
    expect(steps('confirmed', 'at_home')).toEqual(['dispatch'])
    for (const state of ['dispatched', 'arrived']) expect(steps(state, 'at_home')).toContain('no-show')
    expect(steps('requested', 'rescue')).toEqual(['accept'])
    expect(steps('arrived')).toEqual(['start'])
    expect(steps('in_service')).toEqual(['finish'])
    for (const state of ['done', 'settled', 'cancelled', 'expired', 'no_show', 'held']) expect(steps(state)).toEqual([])
    expect(['arrived', 'in_service', 'done', 'settled', 'no_show'].map(cancellable)).toEqual([true, true, true, false, false])
  })

  it('asks at the desk for what a kind needs', () => {
    expect(kindFields('visit')).toEqual([])
    expect(kindFields('at_home').map((field) => [field.key, field.required])).toEqual([['address', true]])
    expect(kindFields('rescue').map((field) => field.key)).toEqual(['address', 'fault', 'destination'])
  })
})

it('reads the details of refusals, and does without them', () => {
  const problem = (detail: unknown) => new Problem(409, { code: 'booking.move_refused', message: '不能这样安排', detail })
  expect(refusals(problem({ reasons: [{ text: '王师傅下班了', hard: false }], canForce: true }))).toEqual({ reasons: [{ text: '王师傅下班了', hard: false }], canForce: true })
  expect(refusals(problem(undefined))).toEqual({ reasons: [], canForce: false })
  expect(bookingIds(problem({ bookingIds: [3, 4] }))).toEqual([3, 4])
  expect(bookingIds(null)).toEqual([])
  expect(alternatives(problem({ alternatives: [{ startsAt: 'a', endsAt: 'b' }] }))).toHaveLength(1)
})

it('parts slots into morning, afternoon and evening of the shop', () => {
  const slot = (clock: string) => ({ startsAt: `2026-11-22T${clock}:00+08:00` })
  expect(partsOfDay([slot('09:00'), slot('11:45'), slot('12:00'), slot('18:00')]).map((part) => [part.name, part.slots.length])).toEqual([['上午', 2], ['下午', 1], ['晚上', 1]])
  expect(partsOfDay([{ startsAt: '2026-11-22T02:00:00Z' }])[0]!.name).toBe('上午')
})

it('links to a store, or to one service of it', () => {
  expect(bookingLink('https://x.example', 3)).toContain('storeId=3')
  expect(bookingLink('https://x.example', 3, 8)).toContain('serviceId=8')
  expect(settleLink({ id: 9 })).toContain('booking=9')
})
