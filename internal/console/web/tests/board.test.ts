import { describe, expect, it } from 'vitest'
import { axisFor, axisWidth, cellAt, cellOf, cellTime, cellUp, cellsIn, clockOf, dayCell, dayRange, drawnSpan, edgeSpeed, gaps, merge, movePlace, resizePlace, samePlace, stack, ticks, UndoStack, widthOf, xOf } from '@/lib/board'

const day = '2026-11-22'
const midnight = dayCell(day)
const at = (clock: string) => cellOf(`2026-11-22T${clock}:00+08:00`)
const span = (from: string, to: string) => ({ from: at(from), to: at(to) })

describe('cells and pixels', () => {
  it('counts five minutes from 1970, down at the start and up at the end', () => {
    expect(cellOf('1970-01-01T00:10:00Z')).toBe(2)
    expect(cellOf('2026-11-22T10:04:59+08:00')).toBe(at('10:00'))
    expect(cellUp('2026-11-22T10:00:01+08:00')).toBe(at('10:05'))
    expect(cellTime(at('10:05'))).toBe('2026-11-22T02:05:00Z')
  })

  it('says the clock of the shop, also after midnight', () => {
    expect(clockOf(at('09:05'))).toBe('9:05')
    expect(clockOf(midnight + 26 * 12, day)).toBe('次日 2:00')
    expect(clockOf(midnight + 26 * 12)).toBe('2:00')
  })

  it('goes from cell to pixel and back', () => {
    const axis = axisFor(span('09:00', '21:00'), 600, 120)
    expect(axis.cellPx).toBe(10)
    expect(axisWidth(axis)).toBe(1440)
    for (const cell of [at('09:00'), at('12:35'), at('20:55')]) expect(cellAt(axis, xOf(axis, cell) + 3)).toBe(cell)
    expect(cellAt(axis, -50)).toBe(at('09:00'))
    expect(cellAt(axis, 99_999)).toBe(at('20:55'))
    expect(widthOf(axis, span('10:00', '10:30'))).toBe(60)
    expect([4, 5, 14, 15, -4, -6].map((px) => cellsIn(axis, px))).toEqual([0, 1, 1, 2, 0, -1])
  })

  it('fills the room when the day is short', () => {
    const axis = axisFor(span('09:00', '11:00'), 1200, 100)
    expect(axisWidth(axis)).toBeCloseTo(1200)
  })

  it('labels hours, and only every second one when they are narrow', () => {
    expect(ticks(axisFor(span('09:00', '12:00'), 0, 100), day).map((tick) => tick.label)).toEqual(['9:00', '10:00', '11:00'])
    expect(ticks(axisFor(span('09:00', '12:00'), 0, 30), day).map((tick) => tick.label)).toEqual(['9:00', '11:00'])
  })
})

describe('the range of a day', () => {
  it('covers hours and bookings in whole hours', () => {
    expect(dayRange(day, [span('09:30', '18:00')], [span('08:20', '08:50'), span('17:00', '18:40')])).toEqual(span('08:00', '19:00'))
  })

  it('shows an office day when the store is closed and nothing happens', () => {
    expect(dayRange(day, [], [])).toEqual(span('09:00', '18:00'))
  })

  it('cuts what began yesterday, and shows what runs past midnight', () => {
    const late = { from: at('22:00'), to: midnight + 25 * 12 }
    expect(dayRange(day, [late], [{ from: midnight - 24, to: midnight + 6 }])).toEqual({ from: midnight, to: midnight + 25 * 12 })
    expect(dayRange(day, [span('10:00', '18:00')], [{ from: midnight + 30 * 12, to: midnight + 31 * 12 }])).toEqual(span('10:00', '18:00'))
  })
})

describe('what is closed and what lies beside what', () => {
  it('finds the gaps between shifts: before, break, after', () => {
    expect(gaps(span('09:00', '21:00'), [span('13:00', '18:00'), span('10:00', '12:00')])).toEqual([span('09:00', '10:00'), span('12:00', '13:00'), span('18:00', '21:00')])
    expect(gaps(span('09:00', '21:00'), [])).toEqual([span('09:00', '21:00')])
    expect(gaps(span('09:00', '21:00'), [{ from: midnight, to: midnight + 400 }])).toEqual([])
  })

  it('merges what touches', () => {
    expect(merge([span('12:00', '13:00'), span('09:00', '10:00'), span('10:00', '11:00')])).toEqual([span('09:00', '11:00'), span('12:00', '13:00')])
  })

  it('puts overlapping spans into rows of their own, and uses a row again when it is free', () => {
    const spans = [span('10:00', '11:00'), span('10:30', '11:30'), span('11:00', '12:00'), span('10:45', '11:15')]
    const { rows, count } = stack(spans)
    expect(count).toBe(3)
    expect(rows).toEqual([0, 1, 0, 2])
    expect(stack([]).count).toBe(1)
    expect(stack([span('09:00', '10:00'), span('10:00', '11:00')])).toEqual({ rows: [0, 0], count: 1 })
  })

  it('never lets two spans of a row overlap', () => {
    let seed = 7
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647
    for (let round = 0; round < 50; round++) {
      const spans = Array.from({ length: 30 }, () => {
        const from = Math.floor(random() * 100)
        return { from, to: from + 1 + Math.floor(random() * 20) }
      })
      const { rows, count } = stack(spans)
      for (let row = 0; row < count; row++) {
        const inRow = spans.filter((_, index) => rows[index] === row)
        expect(merge(inRow).reduce((sum, one) => sum + one.to - one.from, 0)).toBe(inRow.reduce((sum, one) => sum + one.to - one.from, 0) )
      }
    }
  })
})

describe('drags', () => {
  const axis = span('09:00', '21:00')
  const place = { lane: 1, ...span('10:00', '10:40') }

  it('moves in time and to another lane, the length stays', () => {
    expect(movePlace(place, 3, 2, axis)).toEqual({ lane: 2, ...span('10:15', '10:55') })
    expect(samePlace(movePlace(place, 0, 1, axis), place)).toBe(true)
  })

  it('stops at the edges of the day', () => {
    expect(movePlace(place, -500, 1, axis)).toEqual({ lane: 1, ...span('09:00', '09:40') })
    expect(movePlace(place, 500, 1, axis)).toEqual({ lane: 1, ...span('20:20', '21:00') })
  })

  it('leaves what already sticks out where it is', () => {
    const early = { lane: 1, ...span('08:30', '09:10') }
    expect(movePlace(early, 0, 2, axis)).toEqual({ ...early, lane: 2 })
  })

  it('changes the end, never below one cell', () => {
    expect(resizePlace(place, 4, axis).to).toBe(at('11:00'))
    expect(resizePlace(place, -99, axis).to).toBe(at('10:05'))
    expect(resizePlace(place, 999, axis).to).toBe(at('21:00'))
  })

  it('draws a span in either direction; a click is half an hour', () => {
    expect(drawnSpan(at('10:00'), at('11:25'), axis)).toEqual(span('10:00', '11:30'))
    expect(drawnSpan(at('11:25'), at('10:00'), axis)).toEqual(span('10:00', '11:30'))
    expect(drawnSpan(at('10:05'), at('10:05'), axis)).toEqual(span('10:00', '10:30'))
    expect(drawnSpan(at('20:50'), at('20:50'), axis)).toEqual(span('20:30', '21:00'))
  })

  it('scrolls near an edge, faster the nearer', () => {
    expect(edgeSpeed(500, 0, 1000)).toBe(0)
    expect(edgeSpeed(40, 0, 1000)).toBe(-2)
    expect(edgeSpeed(0, 0, 1000)).toBe(-12)
    expect(edgeSpeed(1000, 0, 1000)).toBe(12)
  })
})

describe('undo', () => {
  it('gives the newest first, keeps a limit, and forgets what others changed', () => {
    const undo = new UndoStack<{ id: number }>(3)
    for (const id of [1, 2, 3, 4, 2]) undo.push({ id })
    expect(undo.size).toBe(3)
    undo.drop((item) => item.id === 2)
    expect(undo.pop()).toEqual({ id: 4 })
    expect(undo.pop()).toEqual({ id: 3 })
    expect(undo.pop()).toBeUndefined()
  })
})
