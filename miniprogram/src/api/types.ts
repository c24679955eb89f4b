/** The app's names for what the API speaks. All of them follow from the contract's paths. */
import type { paths } from './schema'
import type { BodyOf, ResultOf } from './typed'

type Get<P extends keyof paths> = ResultOf<paths, P, 'get'>
type Post<P extends keyof paths> = ResultOf<paths, P, 'post'>

export type Problem = {
  code: string
  message: string
  fields?: { field: string; message: string }[] | null
  requestId: string
  detail?: unknown
}

export type OwnerConfig = Get<'/api/owner/config'>
export type Charter = Get<'/api/owner/charter'>
export type OwnerSession = Post<'/api/owner/session'>
export type Session = OwnerSession['session']
export type PhoneResult = Post<'/api/owner/phone'>
export type OwnIdentity = Get<'/api/owner/identities'>['items'][number]
export type LinkCode = Post<'/api/owner/links'>
export type LinkOffer = Post<'/api/owner/links/read'>
export type BindOffer = NonNullable<PhoneResult['bind']>
export type JoinInput = BodyOf<paths, '/api/owner/join', 'post'>
export type JoinResult = Post<'/api/owner/join'>
export type Home = Get<'/api/owner/home'>
export type Member = Home['member']
export type Card = NonNullable<Home['card']>
export type Tier = Home['tier']
export type Wallet = Home['wallet']
export type Vehicle = Home['vehicles'][number]
export type VehicleInput = BodyOf<paths, '/api/owner/vehicles', 'post'>
export type VehicleClass = Get<'/api/owner/vehicle-classes'>['items'][number]
export type LedgerRecord = Home['records'][number]
export type CodeDevice = Post<'/api/owner/code-devices'>
export type TopupPlans = Get<'/api/owner/topup-plans'>
export type TopupPlan = TopupPlans['items'][number]
export type TopupCreated = Post<'/api/owner/topups'>
export type Jsapi = TopupCreated['pay']
export type Topup = Get<'/api/owner/topups/{id}'>
export type Receipt = Get<'/api/owner/orders/{id}'>
export type QuoteLine = Receipt['lines'][number]
export type Tender = Receipt['tenders'][number]
export type TenderKind = Tender['kind']
export type DisputeReason = BodyOf<paths, '/api/owner/orders/{id}/dispute', 'post'>['reason']
export type GrantResult = NonNullable<BodyOf<paths, '/api/owner/grants', 'post'>['results']>[number]
export type MessageChoices = Get<'/api/owner/message-preference'>
export type CareList = Get<'/api/owner/care'>
export type Care = CareList['items'][number]
export type CareDue = Care['dues'][number]
export type CareInput = BodyOf<paths, '/api/owner/vehicles/{id}/care', 'put'>
export type CareDone = BodyOf<paths, '/api/owner/vehicles/{id}/care/done', 'post'>
export type StaffCall = Get<'/api/staff/calls'>['items'][number]
export type OutreachTask = Get<'/api/staff/outreach/tasks'>['items'][number]
export type OutreachGift = Get<'/api/staff/outreach/gifts'>['items'][number]
export type OutreachOutcome = BodyOf<paths, '/api/staff/outreach/tasks/{id}/result', 'post'>['outcome']
export type RainDay = Get<'/api/staff/rain/days'>['days'][number]
export type RainOutlook = Post<'/api/staff/rain/outlook'>
export type MemberStatus = Member['status']
export type OrderStatus = Receipt['status']

export type StaffSession = Post<'/api/staff/session'>
export type StaffMe = StaffSession['staff']
export type DeskMember = Post<'/api/staff/scan'>
export type LookupItem = Get<'/api/staff/lookup'>['items'][number]
export type PlateVisits = Get<'/api/staff/plates/{plate}'>
export type Catalog = Get<'/api/staff/catalog'>
export type Service = Catalog['services'][number]
export type Good = Catalog['goods'][number]
export type QuoteRequest = BodyOf<paths, '/api/staff/quotes', 'post'>
export type QuoteItem = QuoteRequest['items'][number]
export type Quote = Post<'/api/staff/quotes'>
export type CheckoutRequest = BodyOf<paths, '/api/staff/checkouts', 'post'>
export type TenderInput = CheckoutRequest['tenders'][number]
export type DeskTopupRequest = BodyOf<paths, '/api/staff/topups', 'post'>
export type DeskTopup = Post<'/api/staff/topups'>
export type NewMemberRequest = BodyOf<paths, '/api/staff/members', 'post'>
export type Today = Get<'/api/staff/today'>
export type TodayItem = Today['items'][number]
