import { isCode, messageOf } from '@/api/errors'
import { confirm, explain, go } from '@/composables/useUi'

/** Says why it did not work; when the car has a booking of the owner's own already, that one is a tap away. */
export async function explainCar(problem: unknown, title: string): Promise<void> {
  const found = isCode(problem, 'booking.vehicle_booked') ? (problem.problem.detail as { bookingId?: number } | undefined)?.bookingId : undefined
  if (!found) return explain(problem, title)
  if (await confirm({ title, content: messageOf(problem), ok: '去看看', cancel: '知道了' })) go(`/pages/booking/detail?id=${found}`)
}
