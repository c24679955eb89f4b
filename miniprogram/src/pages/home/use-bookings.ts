import { computed, shallowRef } from 'vue'
import { readSession } from '@/api/tokens'
import { ownerBooking } from '@/api/booking'
import { ApiError, SessionError } from '@/api/errors'
import type { Booking } from '@/api/booking-types'
import { useMember } from '@/stores/member'
import { usePolling } from '@/composables/usePolling'
import { isMoving } from '@/utils/booking'
import { BOOKINGS_KEY } from '@/utils/local-data'

const POLL_MS = 8000
const SHOWN = 2

/** The next bookings for the home page; the last known ones stay readable without network. Looks again by itself while a car waits or is worked on. */
export function useHomeBookings() {
  const member = useMember()
  const all = shallowRef<Booking[]>((uni.getStorageSync(BOOKINGS_KEY) || []) as Booking[])

  async function look(): Promise<void> {
    if (!member.home || !readSession('owner')) return
    try {
      keep((await ownerBooking.list('open')).items ?? [])
    } catch (error) {
      if (error instanceof SessionError || (error instanceof ApiError && error.status < 500)) keep([])
    }
  }
  function keep(items: Booking[]): void {
    all.value = items
    if (items.length) uni.setStorageSync(BOOKINGS_KEY, items)
    else uni.removeStorageSync(BOOKINGS_KEY)
  }
  const { poke } = usePolling(look, () => all.value.some((b) => isMoving(b.state)), POLL_MS, false)

  /** A car that waits or is worked on comes before what is next. */
  const shown = computed(() => [...all.value].sort((a, b) => Number(isMoving(b.state)) - Number(isMoving(a.state)) || Date.parse(a.startsAt) - Date.parse(b.startsAt)).slice(0, SHOWN))
  const more = computed(() => all.value.length - shown.value.length)
  return { shown, more, refresh: poke }
}
