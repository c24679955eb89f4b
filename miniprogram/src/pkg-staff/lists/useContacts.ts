import { ref, shallowRef } from 'vue'
import { onPullDownRefresh, onReachBottom } from '@dcloudio/uni-app'
import { messageOf, SessionError } from '@/api/errors'
import { useStaffPage } from '../useStaffPage'

interface Contact {
  id: number
  fromMinute: number
  toMinute: number
}

const clock = (minute: number) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
/** When a member likes to be called; '' where any time is fine. */
export const hoursOf = (c: Contact) => (c.fromMinute === c.toMinute ? '' : `方便时段 ${clock(c.fromMinute)}–${clock(c.toMinute)}`)

/**
 * A list of members to call: it goes on at its end, is read anew by a pull, and one call at a time is closed with what came of it.
 * `asked` names what is shown: an answer to something else is dropped.
 */
export function useContacts<T extends Contact>(asked: () => string, read: (after?: string) => Promise<{ items: T[]; next?: string }>, ready: () => unknown = () => {}) {
  const items = shallowRef<T[] | null>(null)
  const error = ref('')
  const busy = ref(0)
  const closing = shallowRef<T | null>(null)
  const note = ref('')
  let next = ''
  const { vars, fail } = useStaffPage(() => {
    void load()
    ready()
  })

  async function load(after = ''): Promise<void> {
    const what = asked()
    try {
      const page = await read(after || undefined)
      if (what !== asked()) return
      items.value = after ? [...(items.value ?? []), ...page.items] : page.items
      next = page.next ?? ''
      error.value = ''
    } catch (problem) {
      if (problem instanceof SessionError) fail(problem)
      else error.value = messageOf(problem)
    }
  }
  /** Shows something else. */
  function reload(): void {
    items.value = null
    void load()
  }
  function finish(c: T): void {
    closing.value = c
    note.value = ''
  }
  /** Does something with one of them, if nothing else is under way; `title` says what did not work. */
  async function act(c: T, title: string, what: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false
    busy.value = c.id
    try {
      await what()
      return true
    } catch (problem) {
      fail(problem, title)
      return false
    } finally {
      busy.value = 0
    }
  }
  const dial = (c: T, number: () => Promise<{ phone: string }>) =>
    act(c, '不能拨打', async () => {
      const { phone } = await number()
      uni.makePhoneCall({ phoneNumber: phone, fail: () => {} })
      finish(c)
    })

  onPullDownRefresh(async () => {
    await load()
    uni.stopPullDownRefresh()
  })
  onReachBottom(() => next && void load(next))
  return { vars, items, error, busy, closing, note, load, reload, finish, act, dial }
}
