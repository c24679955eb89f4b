import { onHide, onShow, onUnload } from '@dcloudio/uni-app'
import { computed, watch } from 'vue'
import { readSession } from '@/api/tokens'
import { useMember } from '@/stores/member'
import { usePulse } from '@/stores/pulse'
import { useShop } from '@/stores/shop'
import { useShareCard } from './useShareCard'

/** What every page of the owner does: the shop's colours, and watching for deductions while visible. */
export function useOwnerPage() {
  const shop = useShop()
  const pulse = usePulse()
  const member = useMember()
  let visible = false
  useShareCard(() => ({ title: `${shop.name}会员`, desc: '预约洗车，查余额、次卡和优惠券', path: '/pages/home/index' }))
  /** Somebody without a card has no records that could change. */
  const follow = () => {
    if (!visible) return
    if (member.home && readSession('owner')) pulse.start()
    else pulse.stop()
  }
  const leave = () => {
    visible = false
    pulse.stop()
  }
  onShow(() => {
    visible = true
    follow()
  })
  onHide(leave)
  onUnload(leave)
  watch(() => member.home !== null, follow)
  return { vars: computed(() => shop.vars), shop, pulse }
}
