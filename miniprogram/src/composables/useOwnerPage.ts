import { onHide, onShow, onUnload } from '@dcloudio/uni-app'
import { computed } from 'vue'
import { readSession } from '@/api/tokens'
import { usePulse } from '@/stores/pulse'
import { useShop } from '@/stores/shop'

/** What every page of the owner does: the shop's colours, and watching for deductions while visible. */
export function useOwnerPage() {
  const shop = useShop()
  const pulse = usePulse()
  onShow(() => {
    if (readSession('owner')) pulse.start()
  })
  onHide(() => pulse.stop())
  onUnload(() => pulse.stop())
  return { vars: computed(() => shop.vars), shop, pulse }
}
