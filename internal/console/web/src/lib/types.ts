/**
 * The shapes of the API under the names that the pages use. All of them come from the generated schema;
 * `npm run gen:api` after a change of the contract, and the type check shows what has to follow.
 */
import type { components } from './schema'

type Schemas = components['schemas']

/** One page of a list; `next` is the cursor of the page after it. */
export interface Page<T> {
  items: T[]
  next?: string
}

export type NamedRef = Schemas['StaffNamed']
export type StaffMe = Schemas['StaffConsoleMe']
export type ShopLook = Schemas['MemberviewPublicConfig']

export type Tier = Schemas['Tier']
export type Card = Schemas['MemberCard']
export type Wallet = Schemas['MemberviewWallet']
export type Vehicle = Schemas['MemberVehicle']
export type VehicleInput = Schemas['MemberVehicleInput']
export type MemberRow = Schemas['MemberviewRow']
export type Identity = Schemas['MemberviewIdentity']
export type MemberDetail = Schemas['MemberviewDetail']
export type TagCount = Schemas['MemberTagCount']
export type MergePreview = Schemas['MergePreview']
export type MergeRequest = Schemas['MergeRequest']
export type MergeDone = Schemas['Merge']
export type MergeHistory = Schemas['MergeHistory']
export type MemberInput = Schemas['MemberNewMember']
export type MemberUpdate = Schemas['MemberUpdateRequest']
export type Registered = Schemas['MemberRegistered']
export type Unmasked = Schemas['MemberClear']
export type LedgerEntry = Schemas['MemberviewEntry']

export type RefundPart = Schemas['WalletPart']
export type RefundPlan = Schemas['WalletPlan']
export type RefundInput = Schemas['WalletRefundAsk']
export type Refund = Schemas['WalletRefundView']
export type DeskTopupInput = Schemas['WalletConsoleDeskAsk']
export type DeskTopup = Schemas['WalletDeskTopup']

export type QuoteLine = Schemas['PricingLine']
export type Receipt = Schemas['CheckoutReceipt']
export type Dispute = Schemas['CheckoutDisputeView']
export type DisputeOutcome = Schemas['CheckoutResolveAsk']['outcome']

export type PaymentRow = Schemas['PaymentRow']
export type PaymentDetail = Schemas['PaymentDetail']

export type ServicePrice = Schemas['CatalogPrice']
export type Service = Schemas['CatalogServiceItem']
export type ServiceInput = Schemas['CatalogServiceInput']
export type VehicleClass = Schemas['CatalogVehicleClass']
export type VehicleClassInput = Schemas['CatalogVehicleClassInput']
export type Good = Schemas['CatalogGood']
export type GoodInput = Schemas['CatalogGoodInput']
export type TopupPlan = Schemas['CatalogTopupPlan']
export type TopupPlanInput = Schemas['CatalogTopupPlanInput']

export type Store = Schemas['ShopStore']
export type StoreInput = Schemas['ShopInput']
export type StaffRow = Schemas['StaffRow']
export type StaffInput = Schemas['StaffBody']
export type StaffInvite = Schemas['StaffInviteAnswer']
export type Role = Schemas['StaffRoleRow']
export type Permission = Schemas['StaffPermissionRow']
export type AuditRow = Schemas['AuditRecord']
export type Charter = Schemas['MemberCharter']

/** The API says "bool, integer or text, by type"; here it is a union. */
export type SettingValue = boolean | number | string
export type SettingItem = Omit<Schemas['SettingItem'], 'value' | 'default'> & { value: SettingValue; default: SettingValue }

export type Dashboard = Schemas['ReportDashboard']
export type Takings = Schemas['ReportTaking']
export type OrderRow = Schemas['ConsoleOrderRow']
export type TopupRow = Schemas['ConsoleTopupRow']
