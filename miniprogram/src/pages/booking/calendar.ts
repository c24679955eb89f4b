import { platform } from '@platform'
import { ownerBooking } from '@/api/booking'
import { explain, toast } from '@/composables/useUi'

/** Puts a booking into the phone's calendar, as far as this phone allows. */
export async function addToCalendar(id: number): Promise<void> {
  try {
    const outcome = await platform.addToCalendar(await ownerBooking.calendar(id))
    if (outcome === 'added' && platform.name === 'mp-weixin') toast('已加到日历')
    if (outcome === 'copied') toast('微信里不能直接加日历，时间和地址已复制')
  } catch (error) {
    explain(error, '没有加到日历')
  }
}
