import { cellsOf, gaps, stack, type Cells } from './board'
import type { Block, Board, DeskBooking, Segment } from './booking-types'
import { label } from './labels'

/** By what the board is ruled: bays, or the people who work in them. */
export type Ruling = 'bay' | 'technician'

/** One booking on one lane: a segment of it, as it is drawn. */
export interface LaneItem extends Cells {
  key: string
  booking: DeskBooking
  segment: Segment
  /** The work itself; before it lies the way there, after it the changeover or the way back. */
  workFrom: number
  workTo: number
  row: number
}

export interface LaneBlock extends Cells {
  block: Block
}

export interface Lane {
  /** null gathers what has no bay, or nobody to do it. */
  id: number | null
  name: string
  hint: string
  /** Kept for members with priority. */
  priority: boolean
  /** Switched off, but still with bookings on it. */
  off: boolean
  closed: Cells[]
  items: LaneItem[]
  blocks: LaneBlock[]
  rows: number
}

const GONE = ['cancelled', 'expired', 'queued']

export const itemKey = (bookingId: number, segmentNo: number): string => `${bookingId}-${segmentNo}`

/** Where optimistic drags put a segment before the server has answered. */
export type Overrides = ReadonlyMap<string, Cells & { lane: number | null }>

/** The lanes of a board, in its own order, with what lies on them. */
export function lanesOf(board: Board, ruling: Ruling, range: Cells, overrides: Overrides = new Map()): Lane[] {
  const open = board.open.map(cellsOf)
  const shut = gaps(range, open)
  const lanes: Lane[] =
    ruling === 'bay'
      ? board.bays.map((bay) => blank(bay.id, bay.name, label('bayKind', bay.kind), { priority: bay.priority, off: !bay.active, closed: shut }))
      : board.technicians.map((person) =>
          blank(person.id, person.name, person.skills.map((item) => `${label('skill', item.skill)} ${item.level}`).join('、') || '还没有技能', { closed: gaps(range, person.working.map(cellsOf)) }),
        )
  const none = blank(null, ruling === 'bay' ? '不占工位' : '还没派人', ruling === 'bay' ? '代办、救援等' : '拖到技师那一行', { closed: shut })
  const byId = new Map(lanes.map((lane) => [lane.id, lane]))
  for (const booking of board.bookings) {
    if (GONE.includes(booking.state)) continue
    for (const segment of booking.segments) {
      const key = itemKey(booking.id, segment.no)
      const moved = overrides.get(key)
      const span = moved ?? cellsOf(segment)
      if (span.to <= range.from || span.from >= range.to) continue
      const home = moved ? moved.lane : ((ruling === 'bay' ? segment.bayId : segment.technicianId) ?? null)
      const was = cellsOf(segment)
      const work = cellsOf({ from: segment.serviceFrom, to: segment.serviceTo })
      const lane = byId.get(home || null) ?? none
      const workFrom = span.from + work.from - was.from
      lane.items.push({ key, booking, segment, from: span.from, to: span.to, workFrom, workTo: Math.max(workFrom, span.to - (was.to - work.to)), row: 0 })
    }
  }
  for (const block of board.blocks) {
    if (block.resourceKind !== ruling) continue
    const span = cellsOf(block)
    if (span.to > range.from && span.from < range.to) byId.get(block.resourceId)?.blocks.push({ block, ...span })
  }
  const shown = lanes.filter((lane) => !lane.off || lane.items.length > 0)
  if (none.items.length > 0) shown.push(none)
  for (const lane of shown) {
    const { rows, count } = stack(lane.items)
    lane.items.forEach((item, index) => (item.row = rows[index]!))
    lane.rows = count
  }
  return shown
}

function blank(id: number | null, name: string, hint: string, more: Partial<Lane>): Lane {
  return { id, name, hint, priority: false, off: false, closed: [], items: [], blocks: [], rows: 1, ...more }
}

/** What a person should look at: still here after its time, or not come yet. */
export function tardiness(item: LaneItem, now: number): 'over' | 'late' | '' {
  if (item.booking.state === 'in_service' && item.workTo < now) return 'over'
  if (['confirmed', 'held'].includes(item.booking.state) && item.workFrom + 1 < now) return 'late'
  return ''
}

/** 沪A12345 → 沪A1 and 2345, for cards too narrow for one line: the last four are what people call out. */
export function splitPlate(plate: string): [string, string] {
  return plate.length > 4 ? [plate.slice(0, -4), plate.slice(-4)] : [plate, '']
}
