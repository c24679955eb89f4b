import { ref } from 'vue'
import { staffBooking } from '@/api/booking'
import type { BookingDetail, DeskBooking } from '@/api/booking-types'
import { confirm, go } from '@/composables/useUi'
import { showPlate } from '@/utils/plate'
import type { Act } from './booking-acts'

/** Carries out the next step of a booking; asks only where a slip would be told to the customer. */
export function useBookingAct(done: (booking: BookingDetail) => void, fail: (error: unknown, title?: string) => void) {
  const busy = ref(0)

  async function run(b: DeskBooking, act: Act | 'cancel' | 'no-show' | 'reschedule' | 'assign', body: Record<string, unknown> = {}): Promise<boolean> {
    if (busy.value) return false
    if (act === 'settle') {
      go(`/pkg-staff/checkout/index?booking=${b.id}`)
      return false
    }
    if (act === 'finish' && !(await confirm({ title: `${showPlate(b.plate)} 完工？`, content: '会通知车主来取车。', ok: '完工', cancel: '还没有' }))) return false
    busy.value = b.id
    try {
      done(await staffBooking.act(b.id, act, body))
      return true
    } catch (error) {
      fail(error)
      return false
    } finally {
      busy.value = 0
    }
  }
  return { busy, run }
}
