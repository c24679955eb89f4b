import { type Cells, cellsOf, dayCell, merge } from './board'
import { shiftDate } from './dates'
import type { Board } from './booking-types'

/** How full one hour, or one day, is: taken and offered cells. */
export interface Load {
  taken: number
  offered: number
}

export interface DayLoad {
  day: string
  bookings: number
  minutes: number
  total: Load
  /** By bay kind; kinds that the store does not have are missing. */
  kinds: Record<string, Load & { hours: Load[] }>
}

const HOUR = 12
const DAY = 24 * HOUR
const GONE = ['cancelled', 'expired', 'no_show']

const common = (a: Cells, b: Cells) => Math.max(0, Math.min(a.to, b.to) - Math.max(a.from, b.from))

/**
 * The occupancy of bays, per day and bay kind. Offered is what is open; a bay that is blocked offers less,
 * and what is booked outside the hours (by force) counts as taken and as offered, so nothing exceeds 100 %.
 */
export function weekLoads(board: Pick<Board, 'day' | 'days' | 'open' | 'bays' | 'bookings' | 'blocks'>): DayLoad[] {
  const open = board.open.map(cellsOf)
  const bays = board.bays.filter((bay) => bay.active)
  const taken = new Map<number, Cells[]>()
  const put = (id: number | undefined, span: Cells) => id && taken.set(id, [...(taken.get(id) ?? []), span])
  const alive = board.bookings.filter((booking) => !GONE.includes(booking.state))
  for (const booking of alive) for (const segment of booking.segments) put(segment.bayId, cellsOf(segment))
  const blocked = new Map<number, Cells[]>()
  for (const block of board.blocks) if (block.resourceKind === 'bay') blocked.set(block.resourceId, [...(blocked.get(block.resourceId) ?? []), cellsOf(block)])

  return Array.from({ length: board.days }, (_, index) => {
    const day = shiftDate(board.day, index)
    const start = dayCell(day)
    const kinds: DayLoad['kinds'] = {}
    for (const bay of bays) {
      const kind = (kinds[bay.kind] ??= { taken: 0, offered: 0, hours: Array.from({ length: 24 }, () => ({ taken: 0, offered: 0 })) })
      const busy = merge(taken.get(bay.id) ?? [])
      const shut = merge(blocked.get(bay.id) ?? [])
      const offer = merge([...subtract(open, shut), ...busy])
      for (let hour = 0; hour < 24; hour++) {
        const range = { from: start + hour * HOUR, to: start + (hour + 1) * HOUR }
        const slot = kind.hours[hour]!
        slot.taken += sum(busy, range)
        slot.offered += sum(offer, range)
      }
    }
    for (const kind of Object.values(kinds)) {
      kind.taken = kind.hours.reduce((all, hour) => all + hour.taken, 0)
      kind.offered = kind.hours.reduce((all, hour) => all + hour.offered, 0)
    }
    const mine = alive.filter((booking) => {
      const at = cellsOf({ from: booking.startsAt, to: booking.endsAt }).from
      return at >= start && at < start + DAY
    })
    return {
      day,
      bookings: mine.length,
      minutes: mine.reduce((all, booking) => all + booking.minutes, 0),
      total: { taken: all(kinds, 'taken'), offered: all(kinds, 'offered') },
      kinds,
    }
  })
}

/** 0 to 100; null where nothing is offered (closed). */
export function percentFull(load: Load): number | null {
  return load.offered > 0 ? Math.round((load.taken * 100) / load.offered) : null
}

/** Monday of the week of a day. */
export function mondayOf(day: string): string {
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay()
  return shiftDate(day, weekday === 0 ? -6 : 1 - weekday)
}

const all = (kinds: DayLoad['kinds'], key: 'taken' | 'offered') => Object.values(kinds).reduce((total, kind) => total + kind[key], 0)
const sum = (spans: Cells[], range: Cells) => spans.reduce((total, span) => total + common(span, range), 0)

/** Spans without the parts that others cover. */
function subtract(spans: Cells[], holes: Cells[]): Cells[] {
  let left = merge(spans)
  for (const hole of holes) {
    left = left.flatMap((span) => (common(span, hole) === 0 ? [span] : [{ from: span.from, to: hole.from }, { from: hole.to, to: span.to }].filter((part) => part.to > part.from)))
  }
  return left
}
