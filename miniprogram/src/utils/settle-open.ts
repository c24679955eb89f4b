import { dropPending, pendingCommands, resolvePending, type Resolution } from '@/api/commands'
import { messageOf } from '@/api/errors'
import { readSession } from '@/api/tokens'
import type { Audience } from '@/platform/types'
import { confirm } from '@/composables/useUi'

/** Younger commands are finished without asking; an older one may no longer be wanted. */
const FRESH_MS = 10 * 60_000

let busy = false

function tell(resolutions: Resolution[]): void {
  for (const { command, outcome, error } of resolutions) {
    if (outcome === 'unknown') continue
    const content =
      outcome === 'done' ? `“${command.label}”已经成功。` : `“${command.label}”没有成功：${messageOf(error)}`
    uni.showModal({ title: '上次的操作有结果了', content, showCancel: false, confirmText: '知道了' })
  }
}

/** Finishes what a weak network or a closed app left open, and tells the person how it ended. */
export async function settleOpenCommands(): Promise<void> {
  if (busy || !pendingCommands().length) return
  busy = true
  try {
    for (const audience of ['owner', 'staff'] as Audience[]) {
      if (!readSession(audience)) continue
      tell(await resolvePending(audience, (command) => Date.now() - command.createdAt < FRESH_MS))
    }
    for (const command of pendingCommands().filter((c) => Date.now() - c.createdAt >= FRESH_MS)) {
      const again = await confirm({
        title: '有一笔操作没有结果',
        content: `“${command.label}”没有收到回复。继续会用同一个编号确认，不会重复执行。`,
        ok: '继续确认',
        cancel: '放弃',
      })
      if (!again) dropPending(command.key)
      else {
        const audience: Audience = command.path.startsWith('/api/staff') ? 'staff' : 'owner'
        tell(await resolvePending(audience, (c) => c.key === command.key))
      }
    }
  } finally {
    busy = false
  }
}
