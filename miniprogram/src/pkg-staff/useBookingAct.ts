import { ref } from 'vue'
import { staffBooking } from '@/api/booking'
import type { BookingDetail, DeskBooking } from '@/api/booking-types'
import { confirm, go } from '@/composables/useUi'
import { showPlate } from '@/utils/plate'
import type { Act } from './booking-acts'

/** Carries out what staff do with a booking, one thing at a time; asks only where a slip would be told to the customer. */
export function useBookingAct(done: (booking: BookingDetail) => void, fail: (error: unknown, title?: string) => void) {
  const busy = ref(0)

  /** Runs one call. True when it was carried out. */
  async function run(id: number, call: () => Promise<BookingDetail>): Promise<boolean> {
    if (busy.value) return false
    busy.value = id
    try {
      done(await call())
      return true
    } catch (error) {
      fail(error)
      return false
    } finally {
      busy.value = 0
    }
  }

  async function act(b: DeskBooking, what: Act): Promise<boolean> {
    if (what === 'settle') {
      go(`/pkg-staff/checkout/index?booking=${b.id}`)
      return false
    }
    if (what === 'finish' && !(await confirm({ title: `${showPlate(b.plate)} 完工？`, content: '会通知车主来取车。', ok: '完工', cancel: '还没有' }))) return false
    return run(b.id, () => staffBooking[what](b.id))
  }
  return { busy, run, act }
}
