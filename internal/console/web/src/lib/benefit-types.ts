/** The shapes of tiers, memberships, passes and their sales, under the names that the pages use. */
import type { components } from './schema'

type Schemas = components['schemas']

export type TierRow = Schemas['TierRow']
export type TierFull = Schemas['TierFull']
export type TierInput = Schemas['TierInput']
export type TierRule = Schemas['TierRule']
export type TierMeasure = Schemas['TierMeasure']
export type TierDiscount = Schemas['TierDiscount']
export type MemberPrice = Schemas['TierMemberPrice']
export type Right = Schemas['TierRight']
export type TierGift = Schemas['TierGift']
export type TierPreview = Schemas['TierPreview']
export type TierRun = Schemas['TierRun']
export type InTier = Schemas['TierInTier']
export type MemberTier = Schemas['TierMemberTier']
export type TierSet = Schemas['TierSetRequest']
export type Membership = Schemas['TierMembership']
export type MembershipPlan = Schemas['TierPlan']
export type MembershipPlanInput = Schemas['TierPlanInput']

export type PassPlan = Schemas['PassPlan']
export type PassPlanInput = Schemas['PassPlanInput']
export type PassPlanLine = Schemas['PassPlanLine']
export type PassRow = Schemas['PassRecord']
export type PassDetail = Schemas['PassRecordDetail']
export type PassLine = Schemas['PassLineView']
export type PassRefundPlan = Schemas['PassRefundPlan']
export type PassRefundInput = Schemas['PassRefundAsk']

export type Sale = Schemas['SaleRecord']
