/**
 * The arithmetic of the booking board, without a screen: cells and pixels, lanes, what lies beside what,
 * drags. A cell is five minutes counted from 1970 in UTC, as on the server, so that neither midnight nor
 * summer time can move a booking.
 */

export const CELL_MINUTES = 5
const CELL_MS = CELL_MINUTES * 60_000
const HOUR_CELLS = 60 / CELL_MINUTES
const SHOP_OFFSET_MS = 8 * 3_600_000 // the console speaks China's time, as lib/dates does

/** A half-open stretch of cells. */
export interface Cells {
  from: number
  to: number
}

export interface Axis extends Cells {
  /** Width of one cell. */
  cellPx: number
}

export const cellOf = (iso: string): number => Math.floor(Date.parse(iso) / CELL_MS)
export const cellUp = (iso: string): number => Math.ceil(Date.parse(iso) / CELL_MS)
/** The cell as an instant; fractions of a cell (the now-line) are cut to the second. */
export const cellTime = (cell: number): string => new Date(cell * CELL_MS).toISOString().replace('.000', '')
export const cellsOf = (span: { from: string; to: string }): Cells => ({ from: cellOf(span.from), to: cellUp(span.to) })
export const minutesOf = (cells: number): number => cells * CELL_MINUTES

/** The first cell of a calendar day of the shop. */
export const dayCell = (day: string): number => cellOf(`${day}T00:00:00+08:00`)

/** 9:05, or 次日 1:30 when the clock has passed midnight of `day`. */
export const clockOf = (cell: number, day?: string): string => clockAt(cell * CELL_MS, day)
/** The clock of an instant, also between two cells. */
export const minuteOf = (iso: string, day?: string): string => clockAt(Date.parse(iso), day)

function clockAt(ms: number, day?: string): string {
  const at = new Date(ms + SHOP_OFFSET_MS)
  const clock = `${at.getUTCHours()}:${String(at.getUTCMinutes()).padStart(2, '0')}`
  return day && ms >= (dayCell(day) + 24 * HOUR_CELLS) * CELL_MS ? `次日 ${clock}` : clock
}

export const xOf = (axis: Axis, cell: number): number => (cell - axis.from) * axis.cellPx
export const widthOf = (axis: Axis, span: Cells): number => Math.max(0, span.to - span.from) * axis.cellPx
export const axisWidth = (axis: Axis): number => widthOf(axis, axis)
/** The cell under a point, kept inside the axis. */
export const cellAt = (axis: Axis, x: number): number => clamp(axis.from + Math.floor(x / axis.cellPx), axis.from, axis.to - 1)
/** How many cells a drag of some pixels means. */
export const cellsIn = (axis: Axis, px: number): number => Math.round(px / axis.cellPx) || 0

const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high)
const floorHour = (cell: number) => Math.floor(cell / HOUR_CELLS) * HOUR_CELLS
const ceilHour = (cell: number) => Math.ceil(cell / HOUR_CELLS) * HOUR_CELLS

/**
 * What the day's axis reaches over: opening hours and everything that happens on that day, in whole hours,
 * at least eight of them; a closed and empty day shows 9 to 18. What began the day before or runs on into
 * the next is cut half a day beyond midnight.
 */
export function dayRange(day: string, open: Cells[], taken: Cells[]): Cells {
  const midnight = dayCell(day)
  const limit = { from: midnight, to: midnight + 36 * HOUR_CELLS }
  const all = [...open, ...taken].filter((span) => span.to > limit.from && span.from < midnight + 24 * HOUR_CELLS)
  if (all.length === 0) return { from: midnight + 9 * HOUR_CELLS, to: midnight + 18 * HOUR_CELLS }
  const from = clamp(floorHour(Math.min(...all.map((span) => span.from))), limit.from, limit.to)
  const to = clamp(ceilHour(Math.max(...all.map((span) => span.to))), limit.from, limit.to)
  return { from, to: Math.max(to, Math.min(from + 8 * HOUR_CELLS, limit.to)) }
}

/** An axis for a range: at least as wide as the room there is, so that nothing stays empty at the right. */
export function axisFor(range: Cells, room: number, hourPx: number): Axis {
  const cells = Math.max(1, range.to - range.from)
  const fit = Math.floor((room / cells) * 100) / 100
  return { ...range, cellPx: Math.max(hourPx / HOUR_CELLS, fit) }
}

export interface Tick {
  cell: number
  x: number
  label: string
}

/** One tick an hour; every second one where hours are too narrow for their words. */
export function ticks(axis: Axis, day: string): Tick[] {
  const step = axis.cellPx * HOUR_CELLS < 44 ? 2 * HOUR_CELLS : HOUR_CELLS
  const list: Tick[] = []
  for (let cell = axis.from; cell < axis.to; cell += step) list.push({ cell, x: xOf(axis, cell), label: clockOf(cell, day) })
  return list
}

/** Spans merged and in order. */
export function merge(spans: Cells[]): Cells[] {
  const sorted = spans.filter((span) => span.to > span.from).sort((a, b) => a.from - b.from)
  const merged: Cells[] = []
  for (const span of sorted) {
    const last = merged[merged.length - 1]
    if (last && span.from <= last.to) last.to = Math.max(last.to, span.to)
    else merged.push({ ...span })
  }
  return merged
}

/** What is left of `range` outside the spans: closed hours, breaks. */
export function gaps(range: Cells, spans: Cells[]): Cells[] {
  const left: Cells[] = []
  let at = range.from
  for (const span of merge(spans)) {
    if (span.from > at) left.push({ from: at, to: Math.min(span.from, range.to) })
    at = Math.max(at, span.to)
    if (at >= range.to) break
  }
  if (at < range.to) left.push({ from: at, to: range.to })
  return left.filter((span) => span.to > span.from)
}

export const overlaps = (a: Cells, b: Cells): boolean => a.from < b.to && b.from < a.to

/** Which of several rows of a lane each span takes, so that none hides another: the first row that is free. */
export function stack(spans: Cells[]): { rows: number[]; count: number } {
  const order = spans.map((_, index) => index).sort((a, b) => spans[a]!.from - spans[b]!.from || spans[b]!.to - spans[a]!.to)
  const ends: number[] = []
  const rows = new Array<number>(spans.length).fill(0)
  for (const index of order) {
    const span = spans[index]!
    let row = ends.findIndex((end) => end <= span.from)
    if (row < 0) row = ends.length
    ends[row] = span.to
    rows[index] = row
  }
  return { rows, count: Math.max(1, ends.length) }
}

/** Where a segment of a booking stands. */
export interface Place extends Cells {
  lane: number | null
}

/** A place moved by whole cells, to another lane if there is one, without leaving the axis. Its length stays. */
export function movePlace(place: Place, delta: number, lane: number | null, axis: Cells): Place {
  const length = place.to - place.from
  const from = clamp(place.from + delta, Math.min(axis.from, place.from), Math.max(axis.to - length, place.from))
  return { lane, from, to: from + length }
}

/** A place with another end: at least one cell long, inside the axis. */
export function resizePlace(place: Place, delta: number, axis: Cells): Place {
  return { ...place, to: clamp(place.to + delta, place.from + 1, Math.max(axis.to, place.to)) }
}

export const samePlace = (a: Place, b: Place): boolean => a.lane === b.lane && a.from === b.from && a.to === b.to

/** What was drawn on an empty lane, whichever way the hand went; a mere click means half an hour. */
export function drawnSpan(anchor: number, cell: number, axis: Cells): Cells {
  if (anchor === cell) {
    const from = Math.min(Math.floor(anchor / 3) * 3, axis.to - HOUR_CELLS / 2)
    return { from, to: from + HOUR_CELLS / 2 }
  }
  return { from: Math.min(anchor, cell), to: Math.max(anchor, cell) + 1 }
}

/** How fast the board scrolls under a drag that comes near an edge, in px per frame. */
export function edgeSpeed(at: number, from: number, to: number, zone = 48): number {
  if (at < from + zone) return -Math.ceil(Math.min(zone, from + zone - at) / 4)
  if (at > to - zone) return Math.ceil(Math.min(zone, at - (to - zone)) / 4)
  return 0
}

/** The last placements, newest on top, for 撤销. */
export class UndoStack<T> {
  private items: T[] = []
  constructor(private readonly limit = 30) {}

  push(item: T): void {
    this.items.push(item)
    if (this.items.length > this.limit) this.items.shift()
  }

  /** Takes the newest one. */
  pop(): T | undefined {
    return this.items.pop()
  }

  /** Forgets what can no longer be undone, for instance everything about a booking that others changed. */
  drop(match: (item: T) => boolean): void {
    this.items = this.items.filter((item) => !match(item))
  }

  get size(): number {
    return this.items.length
  }
}
