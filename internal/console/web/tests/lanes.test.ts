import { describe, expect, it } from 'vitest'
import { cellOf, dayCell } from '@/lib/board'
import { lanesOf, splitPlate, tardiness } from '@/lib/lanes'
import { mondayOf, percentFull, weekLoads } from '@/lib/occupancy'
import type { Board, DeskBooking } from '@/lib/booking-types'

const day = '2026-11-23' // a Monday
const at = (clock: string, date = day) => `${date}T${clock}:00+08:00`
const cell = (clock: string) => cellOf(at(clock))
const range = { from: cell('09:00'), to: cell('21:00') }

let ids = 100
function booking(bayId: number | undefined, technicianId: number | undefined, from: string, to: string, more: Partial<DeskBooking> = {}): DeskBooking {
  const segment = { no: 1, bayId, technicianId, from: at(from), to: at(to), serviceFrom: at(from), serviceTo: at(to) }
  return { id: ids++, plate: '沪A12345', title: '洗车', state: 'confirmed', startsAt: at(from), endsAt: at(to), minutes: 60, segments: [segment], warnings: [], ...more } as DeskBooking
}

function board(more: Partial<Board> = {}): Board {
  return {
    now: at('10:00'), day, days: 1, cellMinutes: 5, revision: '1',
    open: [{ from: at('10:00'), to: at('20:00') }],
    bays: [
      { id: 1, name: '1 号', kind: 'wash', priority: false, active: true },
      { id: 2, name: '2 号', kind: 'wash', priority: true, active: true },
      { id: 3, name: '旧位', kind: 'lift', priority: false, active: false },
    ],
    technicians: [{ id: 7, name: '王师傅', skills: [{ skill: 'wash', level: 3 }], working: [{ from: at('09:00'), to: at('12:00') }, { from: at('13:00'), to: at('18:00') }] }],
    bookings: [], blocks: [], queue: [], waits: [], problems: [],
    ...more,
  }
}

describe('lanes', () => {
  it('has a lane for every bay in use; one that was switched off only while bookings lie on it', () => {
    expect(lanesOf(board(), 'bay', range).map((lane) => lane.name)).toEqual(['1 号', '2 号'])
    const lanes = lanesOf(board({ bookings: [booking(3, 7, '11:00', '12:00')] }), 'bay', range)
    expect(lanes.map((lane) => lane.name)).toEqual(['1 号', '2 号', '旧位'])
    expect(lanes[2]!.off).toBe(true)
  })

  it('shades closed hours on bays, and breaks and free time on people', () => {
    expect(lanesOf(board(), 'bay', range)[0]!.closed).toEqual([{ from: range.from, to: cell('10:00') }, { from: cell('20:00'), to: range.to }])
    expect(lanesOf(board(), 'technician', range)[0]!.closed).toEqual([{ from: cell('12:00'), to: cell('13:00') }, { from: cell('18:00'), to: range.to }])
  })

  it('gathers what has no bay, or nobody yet, on a lane of its own', () => {
    const one = board({ bookings: [booking(undefined, 7, '11:00', '12:00'), booking(1, undefined, '11:00', '12:00')] })
    expect(lanesOf(one, 'bay', range).at(-1)).toMatchObject({ id: null, name: '不占工位' })
    expect(lanesOf(one, 'technician', range).at(-1)).toMatchObject({ id: null, name: '还没派人' })
  })

  it('leaves out what is cancelled, in the queue, or on another day', () => {
    const gone = (['cancelled', 'expired', 'queued'] as const).map((state) => booking(1, 7, '11:00', '12:00', { state }))
    const elsewhere = booking(1, 7, '07:00', '08:00')
    expect(lanesOf(board({ bookings: [...gone, elsewhere] }), 'bay', range)[0]!.items).toEqual([])
  })

  it('draws an override where the hand put it, and keeps travel and changeover around the work', () => {
    const one = booking(1, 7, '11:00', '12:00')
    one.segments[0] = { ...one.segments[0]!, from: at('10:40'), to: at('12:10') }
    const overrides = new Map([[`${one.id}-1`, { lane: 2, from: cell('13:40'), to: cell('15:10') }]])
    const lanes = lanesOf(board({ bookings: [one] }), 'bay', range, overrides)
    expect(lanes[0]!.items).toEqual([])
    expect(lanes[1]!.items[0]).toMatchObject({ from: cell('13:40'), to: cell('15:10'), workFrom: cell('14:00'), workTo: cell('15:00') })
  })

  it('makes a lane higher where bookings overlap', () => {
    const lane = lanesOf(board({ bookings: [booking(1, 7, '11:00', '12:00'), booking(2, 7, '11:30', '12:30')] }), 'technician', range)[0]!
    expect(lane.rows).toBe(2)
    expect(lane.items.map((item) => item.row)).toEqual([0, 1])
  })

  it('puts blocks on their lanes', () => {
    const block = { id: 1, storeId: 1, resourceId: 2, resourceKind: 'bay' as const, from: at('10:00'), to: at('11:00'), reason: '检修', byName: '', bookingIds: [] }
    const lanes = lanesOf(board({ blocks: [block] }), 'bay', range)
    expect(lanes.map((lane) => lane.blocks.length)).toEqual([0, 1])
    expect(lanesOf(board({ blocks: [block] }), 'technician', range)[0]!.blocks).toEqual([])
  })

  it('notices who is late and what takes too long', () => {
    const item = (state: string) => lanesOf(board({ bookings: [booking(1, 7, '11:00', '12:00', { state: state as DeskBooking['state'] })] }), 'bay', range)[0]!.items[0]!
    expect(tardiness(item('confirmed'), cell('11:10'))).toBe('late')
    expect(tardiness(item('confirmed'), cell('10:50'))).toBe('')
    expect(tardiness(item('in_service'), cell('12:10'))).toBe('over')
    expect(tardiness(item('done'), cell('12:10'))).toBe('')
  })
})

it('splits a plate before its last four', () => {
  expect(splitPlate('沪A12345')).toEqual(['沪A1', '2345'])
  expect(splitPlate('沪AD12345')).toEqual(['沪AD1', '2345'])
  expect(splitPlate('无牌')).toEqual(['无牌', ''])
})

describe('occupancy of a week', () => {
  it('counts what is taken of what is offered, per kind and hour', () => {
    const [monday] = weekLoads(board({ bookings: [booking(1, 7, '10:00', '12:30'), booking(2, 7, '10:00', '11:00', { state: 'cancelled' })] }))
    expect(monday!.bookings).toBe(1)
    expect(monday!.kinds.wash).toMatchObject({ taken: 30, offered: 240 })
    expect(monday!.kinds.wash!.hours[10]).toEqual({ taken: 12, offered: 24 })
    expect(monday!.kinds.lift).toBeUndefined()
    expect(percentFull(monday!.total)).toBe(13)
  })

  it('offers less where a bay is blocked, and never passes 100 %', () => {
    const block = { id: 1, storeId: 1, resourceId: 2, resourceKind: 'bay' as const, from: at('10:00'), to: at('20:00'), reason: '', byName: '', bookingIds: [] }
    const [monday] = weekLoads(board({ blocks: [block], bookings: [booking(1, 7, '09:00', '20:00'), booking(2, 7, '10:00', '11:00')] }))
    expect(monday!.kinds.wash).toMatchObject({ taken: 144, offered: 144 })
  })

  it('knows a closed day, and Mondays', () => {
    const days = weekLoads(board({ days: 7 }))
    expect(days).toHaveLength(7)
    expect(percentFull(days[1]!.total)).toBeNull()
    expect([mondayOf('2026-11-23'), mondayOf('2026-11-22'), mondayOf('2026-11-29')]).toEqual(['2026-11-23', '2026-11-16', '2026-11-23'])
    expect(dayCell('2026-11-24') - dayCell('2026-11-23')).toBe(288)
  })
})
