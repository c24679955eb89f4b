/** The app's names for what the membership programme speaks. All of them follow from the contract's paths. */
import type { paths } from './schema'
import type { BodyOf, ResultOf } from './typed'

type Get<P extends keyof paths> = ResultOf<paths, P, 'get'>
type Post<P extends keyof paths> = ResultOf<paths, P, 'post'>

export type PassPlan = Get<'/api/owner/pass-plans'>['items'][number]
export type Pass = Get<'/api/owner/passes'>['items'][number]
export type PassDetail = Get<'/api/owner/passes/{id}'>
export type PassLine = Pass['lines'][number]
export type PassGift = Post<'/api/owner/passes/{id}/gift'>
export type RefundPlan = Get<'/api/owner/passes/{id}/refund-plan'>
export type Sale = Get<'/api/owner/sales/{id}'>
export type SaleStarted = Post<'/api/owner/passes'>
export type PayWay = BodyOf<paths, '/api/owner/passes', 'post'>['pay']

export type TierMine = Get<'/api/owner/tier'>
export type TierProgress = NonNullable<TierMine['next']>['progress'][number]
export type MembershipPlan = Get<'/api/owner/membership-plans'>['items'][number]

export type PointsSummary = Get<'/api/owner/points'>
export type PointsEntry = Get<'/api/owner/points/entries'>['items'][number]

export type MallItem = Get<'/api/owner/mall/items'>['items'][number]
export type MallOrder = Get<'/api/owner/mall/orders/{id}'>
export type MallAsk = BodyOf<paths, '/api/owner/mall/orders', 'post'>

export type Coupon = Get<'/api/owner/coupons'>['items'][number]
export type CouponOffer = Coupon['offer']
export type CouponClaim = Get<'/api/owner/coupon-claims/{code}'>
export type CouponGift = Get<'/api/owner/coupon-gifts/{code}'>
export type GiftLink = Post<'/api/owner/coupons/{id}/gift'>

export type Referral = Get<'/api/owner/referral'>
export type Sharing = Get<'/api/owner/sharing'>

export type Group = Get<'/api/owner/groups'>['items'][number]
export type GroupDetail = Get<'/api/owner/groups/{id}'>
export type GroupPlace = BodyOf<paths, '/api/owner/groups/{id}/invites', 'post'>
export type GroupRules = GroupPlace['rules']
export type GroupDriver = GroupDetail['places'][number]
export type GroupInvite = GroupDetail['invites'][number]
export type GroupInvited = Get<'/api/owner/group-invites/{code}'>
export type GroupApproval = Get<'/api/owner/group-approvals'>['items'][number]
export type GroupApply = BodyOf<paths, '/api/owner/group-applications', 'post'>
export type GroupStatement = Get<'/api/owner/groups/{id}/statement'>
export type DocumentKind = GroupDetail['documents'][number]['kind']

export type Savings = Get<'/api/owner/savings'>
