import { computed, onBeforeUnmount, onMounted, ref, shallowRef, watch, type Ref } from 'vue'
import { getBoard, moveBooking, openBoardEvents } from '@/api/booking'
import { cellOf, cellTime, UndoStack, type Place } from '@/lib/board'
import type { Board, BookingDetail, DeskBooking, MoveInput, Segment } from '@/lib/booking-types'
import { CommandKey } from '@/lib/idempotency'
import { type LaneItem, type Overrides, type Ruling } from '@/lib/lanes'
import { LiveFeed, type LiveState } from '@/lib/live'
import { asProblem, isAborted, type Problem } from '@/lib/problem'

/** One placement that can be taken back: where the segment stood before. */
export interface Placement {
  bookingId: number
  segmentNo: number
  plate: string
  before: { bayId?: number; technicianId?: number; startsAt: string; endsAt: string }
}

export interface Refusal {
  problem: Problem
  item: LaneItem
  body: MoveInput
}

/**
 * The board of one store and day: read, kept fresh by the live feed, changed by placements. A placement is
 * shown at once and put back when the server refuses it.
 */
export function useBoard(storeId: Ref<number | undefined>, day: Ref<string>, days: Ref<1 | 7>) {
  const data = shallowRef<Board | null>(null)
  const problem = shallowRef<Problem | null>(null)
  const loading = ref(false)
  const live = ref<LiveState>('connecting')
  const overrides = shallowRef<Overrides>(new Map())
  const undo = new UndoStack<Placement>()
  const undoable = ref(0)
  const moving = ref(0)
  /** Milliseconds by which the server's clock is ahead of this computer's. */
  const skew = ref(0)
  let running: AbortController | null = null
  let again = false

  async function load(): Promise<void> {
    if (!storeId.value) return
    // A burst of changes is one more reading, not a reading started over and over.
    if (running) {
      again = true
      return
    }
    const mine = (running = new AbortController())
    loading.value = true
    try {
      const fresh = await getBoard({ storeId: storeId.value, day: day.value, days: days.value }, mine.signal)
      if (running !== mine) return
      skew.value = Date.parse(fresh.now) - Date.now()
      data.value = fresh
      problem.value = null
    } catch (error) {
      if (running !== mine || isAborted(error)) return
      problem.value = asProblem(error)
    } finally {
      if (running === mine) {
        running = null
        loading.value = false
        if (again) {
          again = false
          void load()
        }
      }
    }
  }

  /** Another store or day: whatever was being read is of no use. */
  function reload(): Promise<void> {
    running?.abort()
    running = null
    again = false
    return load()
  }

  let feed: LiveFeed | null = null
  function listen(): void {
    feed?.stop()
    const id = storeId.value
    if (!id) return
    feed = new LiveFeed({ open: (signal) => openBoardEvents(id, signal), onChange: (said) => void (revisionOf(said) !== data.value?.revision && load()), onState: (state) => (live.value = state) })
    feed.start()
  }
  const wake = () => document.visibilityState === 'visible' && feed?.wake()

  onMounted(() => {
    void reload()
    listen()
    window.addEventListener('online', wake)
    document.addEventListener('visibilitychange', wake)
  })
  onBeforeUnmount(() => {
    running?.abort()
    feed?.stop()
    window.removeEventListener('online', wake)
    document.removeEventListener('visibilitychange', wake)
  })
  watch(storeId, () => {
    data.value = null
    listen()
  })
  watch([storeId, day, days], () => {
    undo.drop(() => true)
    undoable.value = 0
    void reload()
  })

  function override(key: string, place: Place | null): void {
    const next = new Map(overrides.value)
    if (place) next.set(key, place)
    else next.delete(key)
    overrides.value = next
  }

  /** A fresh booking from an answer takes the place of the old one before the live feed says anything. */
  function adopt(fresh: BookingDetail): void {
    if (!data.value) return
    const bookings = data.value.bookings.map((booking) => (booking.id === fresh.id ? fresh : booking))
    if (!bookings.some((booking) => booking.id === fresh.id)) bookings.push(fresh)
    data.value = { ...data.value, bookings }
  }

  /** Puts a segment where a hand or a key put it. Null when it stands there now, otherwise why not. */
  async function place(item: LaneItem, to: Place, kind: 'move' | 'resize', ruling: Ruling): Promise<Refusal | null> {
    const body: MoveInput = { version: item.booking.version, segmentNo: item.segment.no }
    // What is drawn is what is reserved; the server is told about the work inside it.
    if (kind === 'resize') body.endsAt = cellTime(item.workTo + to.to - item.to)
    else {
      if (to.from !== item.from) body.startsAt = cellTime(item.workFrom + to.from - item.from)
      const home = ruling === 'bay' ? item.segment.bayId : item.segment.technicianId
      if (to.lane !== null && to.lane !== home) body[ruling === 'bay' ? 'bayId' : 'technicianId'] = to.lane
    }
    override(item.key, to)
    return send(item, body)
  }

  async function send(item: LaneItem, body: MoveInput): Promise<Refusal | null> {
    const before = standing(item.segment)
    moving.value++
    try {
      adopt(await moveBooking(item.booking.id, body, new CommandKey().forBody(body)))
      undo.push({ bookingId: item.booking.id, segmentNo: item.segment.no, plate: item.booking.plate, before })
      undoable.value = undo.size
      return null
    } catch (error) {
      void load()
      return { problem: asProblem(error), item, body }
    } finally {
      moving.value--
      override(item.key, null)
    }
  }

  /** Takes the last placement back. The booking moved, or null when there was nothing to undo. */
  async function undoLast(): Promise<Placement | null> {
    const last = undo.pop()
    undoable.value = undo.size
    if (!last) return null
    const booking = data.value?.bookings.find((one) => one.id === last.bookingId)
    const segment = booking?.segments.find((one) => one.no === last.segmentNo)
    if (!booking || !segment) return null
    const now = standing(segment)
    const body: MoveInput = { version: booking.version, segmentNo: last.segmentNo }
    if (last.before.startsAt !== now.startsAt) body.startsAt = last.before.startsAt
    if (length(last.before) !== length(now)) body.endsAt = last.before.endsAt
    if (last.before.bayId && last.before.bayId !== now.bayId) body.bayId = last.before.bayId
    if (last.before.technicianId && last.before.technicianId !== now.technicianId) body.technicianId = last.before.technicianId
    moving.value++
    try {
      adopt(await moveBooking(last.bookingId, body, new CommandKey().forBody(body)))
      return last
    } catch (error) {
      void load()
      throw error
    } finally {
      moving.value--
    }
  }

  const bookingOf = (id: number | undefined): DeskBooking | undefined =>
    id === undefined ? undefined : (data.value?.bookings.find((booking) => booking.id === id) ?? data.value?.queue.find((booking) => booking.id === id))

  return {
    data, problem, loading, live, overrides, skew, moving: computed(() => moving.value > 0), undoable: computed(() => undoable.value),
    load, reload, adopt, place, send, undoLast, bookingOf,
  }
}

function standing(segment: Segment): Placement['before'] {
  return { bayId: segment.bayId, technicianId: segment.technicianId, startsAt: segment.serviceFrom, endsAt: segment.serviceTo }
}

/** The revision in an event; an empty one stands for "look again". */
function revisionOf(said: string): string {
  try {
    return String((JSON.parse(said) as { revision?: string | number }).revision ?? '')
  } catch {
    return ''
  }
}

const length = (span: { startsAt: string; endsAt: string }) => cellOf(span.endsAt) - cellOf(span.startsAt)

