import { onHide, onShow, onUnload } from '@dcloudio/uni-app'
import { ref } from 'vue'
import { serverNow } from '@/api/clock'

/** The server's time, ticking while the page is visible. */
export function useNow(everyMs = 1000) {
  const now = ref(serverNow())
  let timer: ReturnType<typeof setInterval> | undefined
  const stop = () => clearInterval(timer)
  onShow(() => {
    stop()
    now.value = serverNow()
    timer = setInterval(() => (now.value = serverNow()), everyMs)
  })
  onHide(stop)
  onUnload(stop)
  return now
}
