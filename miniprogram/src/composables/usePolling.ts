import { onHide, onShow, onUnload } from '@dcloudio/uni-app'

/** Looks when the page shows, and again by itself while it is visible and `wanted` says so. */
export function usePolling(look: () => Promise<unknown>, wanted: () => boolean, everyMs: number, lookOnShow = true) {
  let timer: ReturnType<typeof setTimeout> | undefined
  let visible = false
  let generation = 0

  async function run(mine: number): Promise<void> {
    await look()
    plan(mine)
  }
  function plan(mine: number): void {
    clearTimeout(timer)
    if (visible && mine === generation && wanted()) timer = setTimeout(() => void run(mine), everyMs)
  }
  /** Looks now and goes on from there. */
  const poke = () => run(++generation)

  const stop = () => {
    visible = false
    generation++
    clearTimeout(timer)
  }
  onShow(() => {
    visible = true
    if (lookOnShow) void poke()
  })
  onHide(stop)
  onUnload(stop)
  return { poke }
}
