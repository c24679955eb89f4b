import type { Quote, QuoteItem, QuoteRequest } from '@/api/types'
import { validText } from '@/utils/club'
import { ymd } from '@/utils/dates'
import { DEPOSIT, fillRest, GROUP, mixSum, POINTS, restOf, TENDERS, type Mix } from './tenders'

/** What of a member's passes, rights, coupons and points a bill uses, chosen by hand: pure. */
export type Benefits = NonNullable<QuoteRequest['benefits']>
export type Chosen = NonNullable<Quote['benefits']>
export type Offers = NonNullable<Quote['offers']>
export type CoverOffer = Offers['covers'][number]
export type CouponOffer = Offers['coupons'][number]
export type PointsOffer = NonNullable<Offers['points']>
export type GroupOffer = Offers['groups'][number]
type CoverUse = Chosen['covers'][number]

const same = (offer: Pick<CoverOffer, 'kind' | 'id'>) => (use: CoverUse) => use.kind === offer.kind && use.id === offer.id

/** How many uses of a cover the bill takes. */
export const usesOf = (chosen: Chosen, offer: Pick<CoverOffer, 'kind' | 'id'>) => (chosen.covers ?? []).filter(same(offer)).reduce((sum, use) => sum + use.qty, 0)

/** By hand from now on: exactly these. */
const exactly = (covers: CoverUse[], couponIds: number[]): Benefits => ({ auto: false, covers, couponIds })

/** Takes a cover out of the bill, or puts it on as many units as it may pay and nothing else pays. */
export function toggleCover(chosen: Chosen, offer: CoverOffer, items: QuoteItem[]): Benefits {
  const rest = (chosen.covers ?? []).filter((use) => !same(offer)(use))
  const coupons = chosen.couponIds ?? []
  if (usesOf(chosen, offer)) return exactly(rest, coupons)
  let left = offer.left ?? Infinity
  const more: CoverUse[] = []
  for (const itemIndex of offer.items ?? []) {
    const taken = rest.filter((use) => use.itemIndex === itemIndex).reduce((sum, use) => sum + use.qty, 0)
    const qty = Math.min(left, (items[itemIndex]?.qty ?? 0) - taken)
    if (qty <= 0) continue
    more.push({ kind: offer.kind, id: offer.id, itemIndex, qty })
    left -= qty
  }
  // Everything that it could pay is paid by others already: it takes the place of the first of them.
  if (!more.length && offer.items?.length) {
    const itemIndex = offer.items[0]!
    const qty = Math.min(left, items[itemIndex]?.qty ?? 0)
    if (qty > 0) return exactly([...rest.filter((use) => use.itemIndex !== itemIndex), { kind: offer.kind, id: offer.id, itemIndex, qty }], coupons)
  }
  return exactly([...rest, ...more], coupons)
}

/** Takes a coupon out, or puts it first. */
export function toggleCoupon(chosen: Chosen, id: number): Benefits {
  const had = chosen.couponIds ?? []
  return exactly(chosen.covers ?? [], had.includes(id) ? had.filter((c) => c !== id) : [id, ...had])
}

/**
 * What was ticked last wins: of what the till says does not go together the other one is left out. Null when it is what was ticked that cannot be.
 * `field` is where the till complains, `ticked` the coupon that was ticked, if it was one.
 */
export function giveWay(asked: Benefits, field: string, ticked?: number): Benefits | null {
  const at = /^benefits\.couponIds\[(\d+)\]/.exec(field)
  const coupons = asked.couponIds ?? []
  const id = at ? coupons[Number(at[1])] : undefined
  if (id === undefined) return null
  if (id !== ticked) return { ...asked, couponIds: coupons.filter((c) => c !== id) }
  return asked.covers?.length ? { ...asked, covers: [] } : null
}

/** The best combination, chosen by the till. */
export const AUTOMATIC: Benefits = { auto: true }

/** "剩 7 次 · 有效期至 2027-03-01" */
export function offerNote(offer: { left?: number; expiresAt?: number }, now: number): string {
  const left = offer.left === undefined ? '' : `剩 ${offer.left} 次`
  return [left, offer.expiresAt ? validText({ lastDay: ymd(offer.expiresAt - 1), state: 'active' }, now) : ''].filter(Boolean).join(' · ')
}

/** Points are moved in whole yuan; the last step is the most that they may pay. */
export const pointSteps = (offer: PointsOffer) => Math.ceil(offer.maxFen / 100)
export const stepFen = (offer: PointsOffer, step: number) => Math.max(0, Math.min(step * 100, offer.maxFen))
/** The points that pay an amount, rounded up as the till does. */
export const pointsFor = (fen: number, perYuan: number) => Math.ceil((fen * perYuan) / 100)

const KEPT = [DEPOSIT, POINTS, GROUP]

/** The mix with so many fen paid by points: the other tenders pay what is left, the last one makes it even. */
export function withPoints(totalFen: number, mix: Mix, pointsFen: number, usableFen: number): Mix {
  const kinds = TENDERS.map((t) => t.kind).filter((kind) => (mix[kind] ?? 0) > 0)
  const group = mix[GROUP] ?? 0
  let next: Mix = {}
  if (mix[DEPOSIT]) next[DEPOSIT] = mix[DEPOSIT]
  if (pointsFen) next[POINTS] = pointsFen
  if (group) next = fillRest(totalFen, next, GROUP, group)
  kinds.forEach((kind, index) => {
    const limit = kind === 'balance' ? usableFen : Infinity
    next = fillRest(totalFen, next, kind, index === kinds.length - 1 ? limit : Math.min(limit, mix[kind]!))
  })
  if (!kinds.length && !group && restOf(totalFen, next) > 0 && usableFen > 0) next = fillRest(totalFen, next, 'balance', usableFen)
  return next
}

/** What is paid apart from the tenders that staff choose: before, by points, by somebody else. */
export const keptFen = (mix: Mix) => mixSum(Object.fromEntries(KEPT.map((kind) => [kind, mix[kind] ?? 0])))
