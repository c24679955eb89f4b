import { describe, expect, it } from 'vitest'
import { fullTime, sayDate, sayTime, shiftDate, todayDate } from '@/lib/dates'

const now = new Date('2026-11-22T14:30:00+08:00') // a Sunday

describe('sayTime', () => {
  it.each([
    ['2026-11-22T09:05:00+08:00', '今天 9:05'],
    ['2026-11-21T23:59:00+08:00', '昨天 23:59'],
    ['2026-11-18T09:00:00+08:00', '周三 9:00'],
    ['2026-11-03T09:00:00+08:00', '11月3日 9:00'],
    ['2025-03-01T09:00:00+08:00', '2025年3月1日'],
    ['2026-11-23T00:10:00+08:00', '明天 0:10'],
    ['2026-11-21T16:00:00Z', '今天 0:00'],
  ])('%s is %s', (iso, said) => expect(sayTime(iso, now)).toBe(said))

  it('shows a dash for nothing and for nonsense', () => {
    expect(sayTime(undefined, now)).toBe('—')
    expect(sayTime('soon', now)).toBe('—')
  })
})

it('writes the whole instant in shop time', () => expect(fullTime('2026-11-21T22:00:01Z')).toBe('2026-11-22 06:00:01'))
it('knows the shop day after midnight in China', () => expect(todayDate(new Date('2026-11-21T16:30:00Z'))).toBe('2026-11-22'))
it('moves days over the end of a month', () => expect(shiftDate('2026-03-01', -1)).toBe('2026-02-28'))
it('says calendar dates', () => {
  expect(sayDate('2026-11-22', now)).toBe('今天')
  expect(sayDate('2026-11-10', now)).toBe('11月10日 周二')
})
