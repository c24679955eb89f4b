import type { DisputeReason } from '@/api/types'

export const REASONS: { reason: DisputeReason; title: string; text: string }[] = [
  { reason: 'not_me', title: '不是我消费的', text: '我或我的车没有来过' },
  { reason: 'not_done', title: '服务没有做', text: '有项目没有做，或没有做完' },
  { reason: 'amount', title: '金额不对', text: '价格、折扣或数量不对' },
  { reason: 'other', title: '其他问题', text: '写几句话告诉我们' },
]

/** 金额不对：多算了一项 */
export function disputeText(reason: DisputeReason, note?: string): string {
  const title = REASONS.find((r) => r.reason === reason)?.title ?? ''
  return [title, note?.trim()].filter(Boolean).join('：')
}
