// Package notify tells members what happened, by WeChat subscribe messages (D12, M03, X04).
//
// Model: a Message belongs to an event ("deduction") and is written to the outbox in the transaction of what it
// reports; a job delivers it. A template is the shop's WeChat template for an event, with its fields. A grant counts
// how often a WeChat identity allowed a template: one accept, one send.
// Owns: notify_grants, notify_messages. Invariants: a message exists exactly when what it reports does (N29); one
// dedupe key, one message, sent at most once; a grant is taken by a guarded UPDATE before the send and given back
// when WeChat was not reached; "refused" is an outcome, not an error (N23); fields are cut to WeChat's limits (N25);
// an owner is only told what concerns the owner, never marketing (N30).
package notify

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/wechat"
)

// The events that members are told of.
const (
	Deduction = "deduction" // stored value was spent
	Topup     = "topup"     // a top-up was credited
	Reversal  = "reversal"  // a settlement was taken back
	Refund    = "refund"    // money is on its way back

	BookingConfirmed = "booking_confirmed" // a time is firm
	BookingReminder  = "booking_reminder"  // it begins soon, or should have begun
	BookingChanged   = "booking_changed"   // the shop moved it
	BookingCancelled = "booking_cancelled" // the shop cannot keep it
	BookingOffer     = "booking_offer"     // a place on the waiting list came free
	CarReady         = "car_ready"         // the work is done

	PointsExpiring = "points_expiring" // some points end soon
	TierChanged    = "tier_changed"    // up or down, with the reason
	MembershipEnds = "membership_ends" // a paid membership ends soon
	CouponReceived = "coupon_received" // somebody gave a coupon
	CouponExpiring = "coupon_expiring" // some coupons end soon
	PassSold       = "pass_sold"       // a pass was bought, given or renewed
	PassExpiring   = "pass_expiring"   // a pass ends soon
	PassRenewal    = "pass_renewal"    // stored value is about to be charged, or was not enough
	GroupApproval  = "group_approval"  // a driver's bill waits for the payer's yes

	MallReady        = "mall_ready"        // something of the mall waits at the store
	MallShipped      = "mall_shipped"      // it is on its way
	ReferralRewarded = "referral_rewarded" // a friend paid for the first time

	BookingTomorrow = "booking_tomorrow" // a booking is tomorrow
	BookingLate     = "booking_late"     // it should have begun: how long the bay is kept
	TierFalling     = "tier_falling"     // the tier will be lower soon, and what would keep it
	NextWash        = "next_wash"        // by the member's own rhythm
	MaintenanceDue  = "maintenance_due"  // by kilometres or months
	InspectionDue   = "inspection_due"   // the annual inspection
	InsuranceDue    = "insurance_due"
	RainVoucher     = "rain_voucher"   // it rained after a wash
	Birthday        = "birthday"       // marketing (N30): by SMS with consent, or by a grant for exactly this
	Holiday         = "holiday"        // marketing, as above
	AccountLinked   = "account_linked" // a WeChat identity or an old card was joined to the account
)

// The states of a message. Sending is held for the time of one call to WeChat or the SMS gateway.
const (
	Queued      = "queued"
	Held        = "held" // waits for the end of quiet hours or of a quota; then it is sent
	Sending     = "sending"
	Sent        = "sent"        // WeChat or the gateway took it
	Delivered   = "delivered"   // WeChat says that it arrived
	Refused     = "refused"     // the owner did not allow it, or the allowance is used up
	Unreachable = "unreachable" // no way led to the owner: somebody may call
	Called      = "called"      // somebody did
	Failed      = "failed"      // it can never be sent; Detail says why
	Dead        = "dead"        // tried for too long; may be sent again by hand
	Off         = "off"         // the shop or the member does not want this kind of message
	Capped      = "capped"      // the member had enough messages already (F14)
	Stale       = "stale"       // it would have come too late
)

// The apps whose identities can be reached: by subscribe message, by template message.
const (
	MiniProgram     = "mini_program"
	OfficialAccount = "official_account"
)

// leaseTime bounds one call to WeChat. A message whose lease ended with its process may or may not have been sent.
const leaseTime = 3 * time.Minute

// JobDeliver is the kind of the delivery job.
const JobDeliver = "notify.deliver"

// Faults of this package.
var ErrTemplate = fault.Define(fault.Invalid, "notify.template_unknown", "没有这个消息模板，请更新到最新版本")

// Message is what a member is told. Data holds plain values by name; the template picks from them. Amounts are yuan
// like "45.00", instants RFC 3339, plates as written. Dedupe is unique for ever, like "deduction:<order id>".
type Message struct {
	MemberID int64
	Event    string
	Dedupe   string
	Data     map[string]string
	Page     string    // mini-program page to open, without a leading slash
	Until    time.Time // zero: never stale; after it the message ends as Stale instead of being sent, so that a service that was down sends nothing stale
}

// TemplateConfig is the shop's WeChat template for an event. Fields maps WeChat's keys ("thing1", "amount3") to names
// in Message.Data; a name that starts with "=" is a fixed text.
type TemplateConfig struct {
	ID     string
	Fields map[string]string
}

// Options configure the service.
type Options struct {
	Templates         map[string]TemplateConfig // the mini-program's subscribe templates by event
	OfficialTemplates map[string]TemplateConfig // the official account's templates by event, where no subscribe message can be sent
	PageBase          string                    // what is put before Message.Page to make an address for the official account
	Zone              string                    // in which instants are written, Asia/Shanghai unless told
}

// Recipient is a WeChat identity of a member.
type Recipient struct {
	App, OpenID string
	Following   bool // official account: follows it, so that template messages reach it (N24)
}

// Directory tells who a member is on WeChat.
type Directory interface {
	Recipients(ctx context.Context, memberID int64) ([]Recipient, error)
	OpenID(ctx context.Context, identityID int64) (app, openID string, err error)
}

// Sender sends one message; it is *wechat.Client. The class of its error decides what becomes of the message.
type Sender interface {
	SendSubscribe(ctx context.Context, m wechat.SubscribeMessage) error
	SendTemplate(ctx context.Context, m wechat.TemplateMessage) (msgID int64, err error)
}

// Switches tells which kinds of message the shop wants; it is setting.Service.
type Switches interface {
	Bool(ctx context.Context, key string) (bool, error)
}

// switchOf is the setting that turns an event's messages on.
func switchOf(event string) string {
	switch event {
	case Topup, Refund:
		return "message.topup"
	case BookingConfirmed, BookingReminder, BookingChanged, BookingCancelled, BookingOffer, CarReady:
		return "message.booking"
	case MallReady, MallShipped, ReferralRewarded, PointsExpiring, CouponReceived, CouponExpiring, TierChanged, MembershipEnds:
		return "message.benefits"
	default:
		return "message.deduction"
	}
}

// Results of asking an owner for a grant, as WeChat names them.
const (
	Accept = "accept"
	Reject = "reject"
	Ban    = "ban"
	Filter = "filter"
)

// GrantResult is the answer of an owner for one template.
type GrantResult struct {
	TemplateID string `json:"templateId" minLength:"1" maxLength:"64"`
	Result     string `json:"result" enum:"accept,reject,ban,filter"`
}

// GrantCount says how many messages of a template may still be sent to an identity.
type GrantCount struct {
	TemplateID string `json:"templateId"`
	Left       int    `json:"left"`
}
