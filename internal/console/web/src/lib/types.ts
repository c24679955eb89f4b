/** The shapes of the console API, under the names of the contract. */

export interface Page<T> {
  items: T[]
  next?: string
}

export interface NamedRef {
  id: number
  name: string
}

export interface StaffMe {
  id: number
  name: string
  username?: string
  roles: NamedRef[]
  permissions: string[]
  stores: NamedRef[]
  wechatBound: boolean
  shopName: string
  demo: boolean
}

export interface OwnerConfig {
  shopName: string
  accentColor: string
  demo: boolean
}

export interface Takings {
  kind: string
  label: string
  amountFen: number
  count: number
}

export interface Dashboard {
  date: string
  storeName?: string
  takings: Takings[]
  topups: { count: number; amountFen: number; bonusFen: number }
  settlements: { count: number; totalFen: number; balanceFen: number }
  newMembers: number
  liability: { principalFen: number; bonusFen: number; members: number }
  openDisputes: number
  awaitingPayments: number
  hourly: { hour: number; settledFen: number; topupFen: number }[]
  days: { date: string; settledFen: number; topupFen: number }[]
}

export interface Tier {
  id: number
  name: string
  color: string
  rank: number
  discountBp: number
}
export interface TierAdmin extends Tier {
  isDefault: boolean
}

export interface Card {
  id: number
  no: string
  status: string
  issuedAt: string
}

export interface Wallet {
  principalFen: number
  bonusFen: number
  totalFen: number
  heldFen: number
}

export interface Vehicle {
  id: number
  plate: string
  plateKind: string
  brand: string
  model: string
  color: string
  vehicleClassId: number
  vehicleClassName: string
  marks: string
  purchasedOn?: string
  mileageKm?: number
}
export interface VehicleInput {
  plate: string
  brand?: string
  model?: string
  color?: string
  vehicleClassId?: number
  marks?: string
  purchasedOn?: string
  mileageKm?: number
}

export interface MemberRow {
  id: number
  name: string
  phoneMasked: string
  cardNo: string
  cardStatus: string
  tierName: string
  status: string
  totalFen: number
  principalFen: number
  bonusFen: number
  plates: string[]
  visits: number
  lastVisitAt?: string
  joinedAt: string
  storeName: string
}

export interface Identity {
  id: number
  app: string
  openidMasked: string
  unionid: boolean
  followed?: boolean
  boundAt: string
  lastSeenAt?: string
}

export interface MemberDetail {
  member: {
    id: number
    nameMasked: string
    phoneMasked: string
    gender: string
    birthday?: string
    status: string
    statusReason?: string
    phoneVerified: boolean
    joinedAt: string
    storeName: string
    charterVersion: number
  }
  cards: Card[]
  tier: Tier
  wallet: Wallet
  points: number
  vehicles: Vehicle[]
  identities: Identity[]
  visits: number
  spentFen: number
  counts: { disputes: number; orders: number }
}

export interface MemberInput {
  storeId: number
  phone: string
  name: string
  gender?: string
  birthday?: string
  vehicle?: VehicleInput
}
export interface Joined {
  status: string
  memberId: number
  cardNo?: string
}
export interface MemberUpdate {
  name?: string
  gender?: string
  birthday?: string
  tierId?: number
  reason: string
}
export interface Unmasked {
  name: string
  phone: string
}

export interface LedgerEntry {
  id: number
  at: string
  bizDay: string
  kind: string
  title: string
  unit: string
  amount: number
  balanceAfter: number
  storeName: string
  actorName: string
  reversesId?: number
  reversedById?: number
  refKind: string
  refId: number
  memo: string
}

export interface RefundPart {
  topupId: number
  paymentId?: number
  at: string
  method: string
  paidFen: number
  alreadyRefundedFen: number
  refundFen: number
  bonusBackFen: number
  /** The desk hands this part out: it was not paid by WeChat, or too long ago. */
  byHand: boolean
}
export interface RefundPlan {
  planHash: string
  refundableFen: number
  requestedFen: number
  bonusBackFen: number
  parts: RefundPart[]
  shortfallFen: number
  explain: string[]
}
export interface RefundInput {
  amountFen: number
  reason: string
  planHash: string
}
export interface Refund {
  refundId: number
  no: string
  memberId: number
  staffName: string
  amountFen: number
  bonusBackFen: number
  state: string
  reason: string
  createdAt: string
  doneAt?: string
  parts: RefundDonePart[]
}
export interface RefundDonePart {
  topupId: number
  paymentId?: number
  method: string
  amountFen: number
  bonusBackFen: number
  state: string
}

export interface DeskTopupInput {
  storeId: number
  planId?: number
  amountFen: number
  tender: string
  reference?: string
}
export interface DeskTopup {
  topupId: number
  state: string
  amountFen: number
  bonusFen: number
  balanceAfterFen?: number
  codeUrl?: string
  payExpiresAt?: string
}
export interface TopupRow {
  id: number
  no: string
  at: string
  memberId: number
  memberName: string
  amountFen: number
  bonusFen: number
  method: string
  state: string
  storeName: string
  refundedFen: number
}

export interface OrderRow {
  id: number
  no: string
  at: string
  storeName: string
  staffName: string
  memberId?: number
  memberName?: string
  plate: string
  title: string
  totalFen: number
  tenderLabel: string
  status: string
  disputed: boolean
}
export interface QuoteLine {
  kind: string
  title: string
  explain: string
  qty: number
  unitPriceFen: number
  amountFen: number
}
export interface Tender {
  kind: string
  label: string
  amountFen: number
  principalFen?: number
  bonusFen?: number
  reference?: string
}
export interface Receipt {
  orderId: number
  no: string
  status: string
  storeName: string
  staffName: string
  memberName?: string
  plate: string
  vehicleClassName: string
  at: string
  lines: QuoteLine[]
  totalFen: number
  tenders: Tender[]
  balanceAfterFen?: number
  points?: number
  dispute?: { id: number; status: string; reason: string; note: string; at: string; answer?: string }
  reversal?: { at: string; reason: string; staffName: string }
  codeUrl?: string
  payExpiresAt?: string
  canReverse: boolean
  canReverseReason?: string
}

export interface PaymentRow {
  id: number
  outTradeNo: string
  transactionId?: string
  purpose: string
  subjectId: number
  app: string
  tradeType: string
  amountFen: number
  paidFen?: number
  refundedFen: number
  state: string
  wechatState?: string
  createdAt: string
  paidAt?: string
  alert?: string
}
export interface PaymentDetail extends PaymentRow {
  notifications: { at: string; kind: string; outcome: string; detail: string; httpStatus: number }[]
  refunds: { id: number; outRefundNo: string; amountFen: number; state: string; reason: string; createdAt: string; doneAt?: string }[]
  history: { at: string; from: string; to: string; by: string }[]
}

export interface Dispute {
  id: number
  at: string
  orderId: number
  orderNo: string
  memberId: number
  memberName: string
  storeName: string
  staffName: string
  plate: string
  totalFen: number
  reason: string
  note: string
  status: string
  answer?: string
  resolvedAt?: string
}

export interface ServicePrice {
  vehicleClassId: number
  priceFen: number
}
export interface Service {
  id: number
  name: string
  description: string
  kind: string
  minutes: number
  minPriceBp: number
  prices: ServicePrice[]
  storeIds: number[]
  active: boolean
  sort: number
}
export interface VehicleClass {
  id: number
  name: string
  example: string
  sort: number
  active: boolean
}
export interface Good {
  id: number
  name: string
  unit: string
  priceFen: number
  minPriceBp: number
  active: boolean
  sort: number
}
export interface TopupPlan {
  id: number
  name: string
  amountFen: number
  bonusFen: number
  note: string
  active: boolean
  sort: number
  storeIds: number[]
}

export interface Store {
  id: number
  name: string
  address: string
  phone: string
  timezone: string
  hoursText: string
  active: boolean
}

export interface StaffRow {
  id: number
  name: string
  username?: string
  phoneMasked: string
  roleIds: number[]
  storeIds: number[]
  status: string
  wechatBound: boolean
  lastLoginAt?: string
}
export interface StaffInput {
  name: string
  username?: string
  phone?: string
  roleIds: number[]
  storeIds: number[]
}
export interface StaffInvite {
  inviteCode: string
  inviteUrl: string
  inviteExpiresAt: string
}

export interface Role {
  id: number
  name: string
  key: string
  permissions: string[]
  system: boolean
}
export interface Permission {
  key: string
  label: string
  group: string
}

export interface AuditRow {
  id: number
  at: string
  actorName: string
  actorKind: string
  action: string
  actionLabel: string
  subjectKind: string
  subjectId: number
  subjectLabel: string
  storeName: string
  ip: string
  detail: unknown
}

export type SettingValue = boolean | number | string
export interface SettingItem {
  key: string
  group: string
  label: string
  help: string
  type: string
  value: SettingValue
  default: SettingValue
  min?: number
  max?: number
  options?: { value: string; label: string }[]
}

export interface Charter {
  id: number
  version: number
  title: string
  body: string
  privacyBody: string
  publishedAt: string
}
