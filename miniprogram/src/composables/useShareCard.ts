import { onHide, onShow, onUnload } from '@dcloudio/uni-app'
import { watch } from 'vue'
import { platform } from '@platform'
import type { ShareCard } from '@/platform/types'

/**
 * How this page looks when it is shared from WeChat's browser. A page that says nothing is the shop's home page; the last one that speaks counts.
 * A mini-program shares by its own hook, which has to stand in the page.
 */
export function useShareCard(card: () => ShareCard | null) {
  let visible = false
  const show = () => {
    const now = visible ? card() : null
    if (now) platform.shareCard(now)
  }
  onShow(() => {
    visible = true
    show()
  })
  const leave = () => {
    visible = false
  }
  onHide(leave)
  onUnload(leave)
  watch(card, show)
}
