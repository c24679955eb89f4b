/** Gifts: what is in them, and the rules and batches that give them. */
import type { CodeBatchInput, GiftRule, GiftRuleInput, Present } from './club-types'
import { label } from './labels'
import { yuanText } from './money'

export const PRESENT_MAX = 8

/** How many of a present; the unit after the number. */
export function presentUnit(kind: Present['kind']): string {
  return { coupon: '张', points: '分', pass: '张', membership: '份', tier: '个月' }[kind]
}

/** Why a gift cannot be given; empty when it can. */
export function giftObstacle(gift: Present[], optional = false): string {
  if (gift.length === 0) return optional ? '' : '请添加赠送内容'
  for (const present of gift) {
    if (!(Number.isInteger(present.n) && present.n > 0)) return '请填赠送数量'
    if (present.kind !== 'points' && !present.id) return `请选择${label('presentKind', present.kind)}`
  }
  return ''
}

export function giftBody(gift: Present[]): Present[] {
  return gift.map((present) => ({ kind: present.kind, n: present.n, ...(present.kind === 'points' ? {} : { id: present.id }) }))
}

/** Rules that measure money that was paid. */
export const ofMoney = (trigger: GiftRuleInput['trigger']): boolean => trigger === 'after_purchase' || trigger === 'after_topup'

/** What only one trigger knows is left out for the others: the server would refuse it. */
export function ruleBody(draft: GiftRuleInput): GiftRuleInput {
  const { terms, trigger } = draft
  return {
    name: draft.name.trim(),
    trigger,
    gift: giftBody(draft.gift),
    active: draft.active,
    terms: {
      tierIds: terms.tierIds ?? [],
      ...(ofMoney(trigger) ? { minFen: terms.minFen ?? 0, ...(terms.stepFen ? { stepFen: terms.stepFen, stepMost: terms.stepMost ?? 0 } : {}) } : {}),
      ...(ofMoney(trigger) || trigger === 'review' ? { perMember: terms.perMember ?? 0 } : {}),
      ...(trigger === 'birthday' ? { daysBefore: terms.daysBefore ?? 0 } : {}),
      ...(trigger === 'review' ? { minStars: terms.minStars ?? 0 } : {}),
    },
    ...(draft.startsAt ? { startsAt: draft.startsAt } : {}),
    ...(draft.endsAt ? { endsAt: draft.endsAt } : {}),
  }
}

export function ruleObstacle(draft: GiftRuleInput): string {
  if (!draft.name.trim()) return '请填名称'
  if (ofMoney(draft.trigger) && !draft.terms.minFen && !draft.terms.stepFen) return '请填满多少元'
  if (ofMoney(draft.trigger) && draft.terms.stepFen && !draft.terms.stepMost) return '请填一次最多送几份'
  if (draft.trigger === 'activity' && !draft.endsAt) return '活动要填结束时间'
  if (draft.startsAt && draft.endsAt && draft.endsAt <= draft.startsAt) return '结束要晚于开始'
  return giftObstacle(draft.gift)
}

/** When a rule gives, in a sentence. */
export function ruleText(rule: Pick<GiftRule, 'trigger' | 'terms'>): string {
  const { terms } = rule
  const times = terms.perMember ? `，每人最多 ${terms.perMember} 次` : ''
  switch (rule.trigger) {
    case 'after_purchase':
    case 'after_topup': {
      const what = rule.trigger === 'after_topup' ? '充值' : '实付'
      return (terms.stepFen ? `${what}每满 ${yuanText(terms.stepFen)}，一次最多 ${terms.stepMost ?? 0} 份` : `${what}满 ${yuanText(terms.minFen ?? 0)}`) + times
    }
    case 'birthday':
      return terms.daysBefore ? `生日前 ${terms.daysBefore} 天` : '生日当天'
    case 'review':
      return (terms.minStars ? `${terms.minStars} 星及以上评价` : '写评价') + times
    case 'join':
      return '入会当天'
    case 'first_follow':
      return '第一次关注公众号'
    default:
      return '活动期间每人一次'
  }
}

/** What a rule is doing at an instant. */
export function ruleState(rule: Pick<GiftRule, 'active' | 'startsAt' | 'endsAt'>, now = Date.now()): 'off' | 'soon' | 'over' | 'open' {
  if (!rule.active) return 'off'
  if (rule.endsAt && now >= Date.parse(rule.endsAt)) return 'over'
  return now < Date.parse(rule.startsAt) ? 'soon' : 'open'
}

export function batchBody(draft: CodeBatchInput): CodeBatchInput {
  return {
    name: draft.name.trim(),
    kind: draft.kind,
    count: draft.count,
    perMember: draft.perMember,
    gift: giftBody(draft.gift),
    ...(draft.partner?.trim() ? { partner: draft.partner.trim() } : {}),
    ...(draft.startsAt ? { startsAt: draft.startsAt } : {}),
    ...(draft.endsAt ? { endsAt: draft.endsAt } : {}),
  }
}

export function batchObstacle(draft: CodeBatchInput): string {
  if (!draft.name.trim()) return '请填名称'
  if (!(draft.count >= 1 && draft.count <= 5000)) return '每批 1 至 5000 个'
  return giftObstacle(draft.gift)
}
