import { computed, ref } from 'vue'
import { platform } from '@platform'
import { api } from '@/api/client'
import { readSession } from '@/api/tokens'
import type { GrantResult } from '@/api/types'

export type Moment = 'after_join' | 'after_pay' | 'after_topup' | 'after_booking' | 'after_offer' | 'after_pass' | 'after_mall' | 'after_coupon' | 'after_car' | 'preferences'

/**
 * Asks the owner for messages at the moment when they are useful. What is worth asking for is read beforehand, because WeChat
 * opens its dialog only from the tap itself; until it is known the shop's usual messages are asked for.
 */
export function useAsk(moment: Moment, usual: () => string[] = () => []) {
  const known = ref<string[] | null>(null)
  const wanted = computed(() => known.value ?? usual())

  async function look(): Promise<void> {
    if (!readSession('owner')) return
    try {
      const answer = await api.get('/api/owner/notify/ask', { query: { moment } })
      if (Array.isArray(answer?.templateIds)) known.value = answer.templateIds
    } catch {
      // The usual ones will do.
    }
  }

  /** Must run in a tap. The answer is reported in the background. */
  async function ask(): Promise<GrantResult[]> {
    const grants = await platform.askSubscribe(wanted.value).catch((): GrantResult[] => [])
    if (grants.length) void api.post('/api/owner/grants', { body: { results: grants } }).then(look).catch(() => {})
    return grants
  }

  void look()
  return { wanted, ask, look }
}
