/** The shapes of the programme for members (coupons, gifts, points, mall, referral, groups, liability), under the names that the pages use. */
import type { components } from './schema'

type Schemas = components['schemas']

export type CouponTemplate = Schemas['CouponTemplate']
export type CouponTemplateInput = Schemas['CouponTemplateInput']
export type CouponRow = Schemas['CouponView']
export type CouponIssue = Schemas['CouponIssued']
export type CouponIssueInput = Schemas['CouponIssueAsk']
export type MemberFilter = Schemas['CouponFilter']
export type ClaimPage = Schemas['CouponClaimPage']
export type ClaimInput = Schemas['CouponClaimInput']

export type Present = Schemas['CampaignPresent']
export type GiftRule = Schemas['CampaignRuleView']
export type GiftRuleInput = Schemas['CampaignRuleInput']
export type CodeBatch = Schemas['CampaignBatchView']
export type CodeBatchInput = Schemas['CampaignBatchInput']

export type PointsRules = Schemas['PointsRules']
export type PointsDay = Schemas['PointsDayRate']
export type PointsSummary = Schemas['PointsSummary']
export type PointsEntry = Schemas['PointsEntry']

export type MallItem = Schemas['MallItemView']
export type MallItemInput = Schemas['MallItemInput']
export type MallOrder = Schemas['MallDeskOrder']

export type Invite = Schemas['ReferralInviteView']
export type ReferralRules = Schemas['ReferralRules']

export type GroupRow = Schemas['GroupView']
export type GroupDetail = Schemas['GroupDetail']
export type GroupDriver = Schemas['GroupDriverView']
export type GroupInvite = Schemas['GroupInviteView']
export type GroupPlace = Schemas['GroupPlace']
export type GroupRules = Schemas['GroupRules']
export type GroupInput = Schemas['GroupDeskGroupAsk']
export type Statement = Schemas['ReportStatement']

export type Cockpit = Schemas['ReportCockpit']
export type WindDown = Schemas['ReportWindDown']
export type BackMember = Schemas['ReportBackMember']
