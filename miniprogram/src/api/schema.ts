/** Hand-written paths of the contract, to be replaced by the generated types under the same names. */

type Json<T> = { content: { 'application/json': T } }
type Op<R, B = never, P = never, Q = never> = {
  parameters: ([P] extends [never] ? { path?: never } : { path: P }) &
    ([Q] extends [never] ? { query?: never } : { query?: Q })
  responses: { 200: Json<R> }
} & ([B] extends [never] ? { requestBody?: never } : { requestBody: Json<B> })
type Id = { id: number }

interface Session { accessToken: string; refreshToken: string; expiresAt: string }
interface Jsapi { appId: string; timeStamp: string; nonceStr: string; package: string; signType: string; paySign: string }
interface Vehicle {
  id: number; plate: string; plateKind: 'blue' | 'green' | 'yellow' | 'other'; brand: string; model: string; color: string
  vehicleClassId: number; vehicleClassName: string; marks: string; purchasedOn?: string; mileageKm?: number
}
interface VehicleInput {
  plate: string; brand?: string; model?: string; color?: string; vehicleClassId?: number; marks?: string
  purchasedOn?: string; mileageKm?: number
}
interface Wallet { principalFen: number; bonusFen: number; totalFen: number; heldFen: number }
interface Card { id: number; no: string; status: 'active' | 'frozen' | 'lost' | 'replaced' | 'closed'; issuedAt: string }
interface Tier { id: number; name: string; color: string; rank: number; discountBp: number }
type MemberStatus = 'review' | 'active' | 'suspended' | 'closing' | 'closed' | 'rejected'
type TenderKind = 'balance' | 'cash' | 'card' | 'alipay' | 'wechat_native'
interface QuoteLine {
  kind: 'service' | 'good' | 'tier_discount' | 'manual_discount' | 'floor'
  title: string; explain: string; qty: number; unitPriceFen: number; amountFen: number
}
interface Tender { kind: TenderKind; label: string; amountFen: number; principalFen?: number; bonusFen?: number; reference?: string }
interface Receipt {
  orderId: number; no: string; status: 'awaiting_payment' | 'settled' | 'cancelled' | 'reversed'; storeName: string; staffName: string
  memberName?: string; plate: string; vehicleClassName: string; at: string; lines: QuoteLine[]; totalFen: number; tenders: Tender[]
  balanceAfterFen?: number; points?: number
  dispute?: { id: number; status: 'open' | 'upheld' | 'rejected'; reason: string; note: string; at: string; answer?: string }
  reversal?: { at: string; reason: string; staffName: string }
  codeUrl?: string; payExpiresAt?: string; canReverse: boolean; canReverseReason?: string
}
interface Record_ {
  id: number; seq: number; kind: 'topup' | 'consume' | 'reversal' | 'refund' | 'walk_in_tender' | 'adjust'; title: string; at: string
  storeName: string; deltaFen: number; principalDeltaFen: number; bonusDeltaFen: number; balanceAfterFen: number; paidFen: number
  orderId?: number; topupId?: number
}
interface Member {
  id: number; name: string; phoneMasked: string; gender: 'male' | 'female' | 'unknown'; birthday?: string; status: MemberStatus
  statusReason?: string; phoneVerified: boolean; joinedAt: string
}
interface Home {
  member: Member; card?: Card; tier: Tier; wallet: Wallet; points: number; vehicles: Vehicle[]; records: Record_[]
  store?: { id: number; name: string; address: string; phone: string; hoursText: string }; charterOutdated: boolean; asOf: string
}
interface BindOffer { nameMasked: string; cardNoMasked: string; tierName: string }
interface JoinResult { status: MemberStatus; memberId: number; cardNo?: string }
interface TopupPlan { id: number; name: string; amountFen: number; bonusFen: number; note: string }
interface Topup {
  id: number; state: 'pending' | 'paying' | 'credited' | 'closed' | 'failed' | 'refunded'; amountFen: number; bonusFen: number
  createdAt: string; creditedAt?: string; balanceAfterFen?: number; message: string
}
interface StaffMe {
  id: number; name: string; username: string; roles: { id: number; name: string }[]; permissions: string[]
  stores: { id: number; name: string }[]; wechatBound: boolean
}
interface RecentOrder { orderId: number; no: string; at: string; title: string; totalFen: number; plate: string }
interface DeskMember {
  memberId: number; scanId?: number; scanExpiresAt?: string; name: string; phoneMasked: string; tier: Tier; card?: Card; status: MemberStatus
  blockReason?: string; vehicles: Vehicle[]; wallet: Wallet; points: number; capFen?: number; boundVehicleId?: number; visits: number
  lastVisitAt?: string; recent: RecentOrder[]
}
interface Catalog {
  vehicleClasses: { id: number; name: string; example: string }[]
  services: { id: number; name: string; description: string; kind: string; minutes: number; prices: { vehicleClassId: number; priceFen: number }[] }[]
  goods: { id: number; name: string; unit: string; priceFen: number }[]
  topupPlans: TopupPlan[]
}
interface QuoteRequest {
  storeId: number; memberId?: number; scanId?: number; plate: string; vehicleClassId: number
  items: { kind: 'service' | 'good'; id: number; qty: number }[]; manualDiscount?: { amountFen: number; reason: string }
}
interface Quote {
  quoteHash: string; lines: QuoteLine[]; subtotalFen: number; discountFen: number; totalFen: number
  balance?: { availableFen: number; usableFen: number; missingFen: number }; suggestion: Tender[]
}
interface TenderInput { kind: TenderKind; amountFen: number; reference?: string; receivedFen?: number }
interface DeskTopup {
  topupId: number; state: Topup['state']; amountFen: number; bonusFen: number; balanceAfterFen?: number; codeUrl?: string; payExpiresAt?: string
}
interface Today {
  bizDay: string; takings: { kind: TenderKind; label: string; amountFen: number; count: number }[]; settledCount: number; settledFen: number
  items: {
    orderId: number; no: string; at: string; plate: string; memberName?: string; title: string; totalFen: number
    status: Receipt['status']; tenderLabel: string
  }[]
  next?: string
}

export interface paths {
  '/api/owner/config': {
    get: Op<{ shopName: string; accentColor: string; servicePhone: string; charterVersion: number; charterTitle: string
      templates: { deduction: string; topup: string; refund: string }; demo: boolean }>
  }
  '/api/owner/session': {
    post: Op<{ session: Session; memberStatus?: MemberStatus }, { channel: 'mini_program' | 'ticket'; code: string }>
    delete: Op<object>
  }
  '/api/owner/charter': { get: Op<{ version: number; title: string; body: string; privacyBody: string; publishedAt: string }> }
  '/api/owner/charter/accept': { post: Op<object, { version: number }> }
  '/api/owner/phone': { post: Op<{ phoneToken: string; phoneMasked: string; taken: boolean; bind?: BindOffer }, { code: string }> }
  '/api/owner/join': {
    post: Op<JoinResult, { charterVersion: number; phoneToken?: string; phone?: string; name: string; gender?: Member['gender']; birthday?: string; vehicle?: VehicleInput }>
  }
  '/api/owner/bind': { post: Op<JoinResult, { phoneToken: string; charterVersion: number }> }
  '/api/owner/home': { get: Op<Home> }
  '/api/owner/pulse': { get: Op<{ seq: number; items: Record_[] }, never, never, { since?: number }> }
  '/api/owner/profile': { get: Op<Member>; put: Op<Member, { name: string; gender: Member['gender']; birthday?: string }> }
  '/api/owner/profile/phone': { post: Op<Member, { phoneToken: string }> }
  '/api/owner/vehicle-classes': { get: Op<{ items: { id: number; name: string; example: string }[] }> }
  '/api/owner/vehicles': { get: Op<{ items: Vehicle[] }>; post: Op<Vehicle, VehicleInput> }
  '/api/owner/vehicles/{id}': { put: Op<Vehicle, VehicleInput, Id>; delete: Op<object, never, Id> }
  '/api/owner/code-devices': { post: Op<{ deviceNo: string; secret: string; stepSeconds: number; serverTime: string }, { deviceName?: string }> }
  '/api/owner/code-devices/{deviceNo}/limits': {
    put: Op<{ storeId?: number; vehicleId?: number; capFen?: number }, { storeId?: number; vehicleId?: number; capFen?: number }, { deviceNo: string }>
  }
  '/api/owner/topup-plans': {
    get: Op<{ items: TopupPlan[]; customAllowed: boolean; customMinFen: number; customMaxFen: number; cardCapFen: number; capLeftFen: number }>
  }
  '/api/owner/topups': {
    post: Op<{ topupId: number; amountFen: number; bonusFen: number; expiresAt: string; pay: Jsapi }, { planId?: number; amountFen: number }>
  }
  '/api/owner/topups/{id}': { get: Op<Topup, never, Id> }
  '/api/owner/topups/{id}/check': { post: Op<Topup, never, Id> }
  '/api/owner/topups/{id}/cancel': { post: Op<Topup, never, Id> }
  '/api/owner/topups/{id}/pay': { post: Op<{ pay: Jsapi }, never, Id> }
  '/api/owner/records': { get: Op<{ items: Record_[]; next?: string }, never, never, { kind?: string; after?: string; limit?: number }> }
  '/api/owner/orders/{id}': { get: Op<Receipt, never, Id> }
  '/api/owner/orders/{id}/dispute': { post: Op<Receipt, { reason: 'not_me' | 'not_done' | 'amount' | 'other'; note?: string }, Id> }
  '/api/owner/card/report-lost': { post: Op<Card, { note?: string }> }
  '/api/owner/account/close': { post: Op<{ status: MemberStatus; message: string }, { reason?: string }> }
  '/api/owner/account/reopen': { post: Op<{ status: MemberStatus; message?: string }> }
  '/api/owner/grants': {
    post: Op<{ counts: { templateId: string; left: number }[] }, { results: { templateId: string; result: 'accept' | 'reject' | 'ban' | 'filter' }[] }>
  }
  '/api/staff/session': {
    post: Op<{ session: Session; staff: StaffMe }, { method: 'mini_program' | 'ticket' | 'password'; code?: string; username?: string; password?: string; inviteCode?: string }>
    delete: Op<object>
  }
  '/api/staff/me': { get: Op<StaffMe> }
  '/api/staff/me/password': { post: Op<object, { old: string; new: string }> }
  '/api/staff/scan': { post: Op<DeskMember, { storeId: number; code: string }> }
  '/api/staff/lookup': {
    get: Op<{ items: { kind: 'member' | 'walk_in'; memberId?: number; nameMasked: string; phoneMasked: string; cardNo?: string; tierName?: string; plates: string[]; visits: number; lastAt?: string; status?: MemberStatus }[] }, never, never, { storeId: number; q: string }>
  }
  '/api/staff/members/{id}': { get: Op<DeskMember, never, Id, { storeId: number }> }
  '/api/staff/members': { post: Op<DeskMember, { storeId: number; phone: string; name: string; gender?: Member['gender']; birthday?: string; vehicle?: VehicleInput }> }
  '/api/staff/members/{id}/vehicles': { post: Op<Vehicle, VehicleInput, Id> }
  '/api/staff/plates/{plate}': {
    get: Op<{ plate: string; memberId?: number; visits: number; totalFen: number; lastAt?: string; suggestJoin: boolean; recent: RecentOrder[] }, never, { plate: string }, { storeId: number }>
  }
  '/api/staff/catalog': { get: Op<Catalog, never, never, { storeId: number }> }
  '/api/staff/quotes': { post: Op<Quote, QuoteRequest> }
  '/api/staff/checkouts': { post: Op<Receipt, QuoteRequest & { quoteHash: string; tenders: TenderInput[] }> }
  '/api/staff/orders/{id}': { get: Op<Receipt, never, Id> }
  '/api/staff/orders/{id}/cancel': { post: Op<Receipt, never, Id> }
  '/api/staff/orders/{id}/reverse': { post: Op<Receipt, { reason: string }, Id> }
  '/api/staff/topups': {
    post: Op<DeskTopup, { storeId: number; memberId: number; planId?: number; amountFen: number; tender: Exclude<TenderKind, 'balance'>; reference?: string }>
  }
  '/api/staff/topups/{id}': { get: Op<DeskTopup, never, Id> }
  '/api/staff/today': { get: Op<Today, never, never, { storeId: number; after?: string; limit?: number }> }
}
