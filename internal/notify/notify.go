// Package notify tells members what happened, by the way that reaches them (D12, F14, J05, M03, M04, X04).
//
// Model: a Message belongs to an event ("deduction") of the catalogue and is written to the outbox in the transaction of what it reports; a
// job delivers it: by a subscribe message of the mini-program, by a template message of the official account, by SMS, by a line on the
// staff's call list. A template is what the shop uses for an event on a channel, with its fields; a Rule says how far an event goes; a
// Preference what a member wants. A grant counts how often a WeChat identity allowed a template: one accept, one send. A step is a line of a
// message's history.
// Owns: notify_messages, notify_steps, notify_receipts, notify_grants, notify_templates, notify_rules, notify_preferences, notify_pace, notify_calls.
// Invariants: a message exists exactly when what it reports does (N29); one dedupe key, one message, and no channel takes it twice; all is
// decided at delivery, nothing when it is promised; a grant is taken by a guarded UPDATE before the send and given back when nothing was
// sent; "refused" is an outcome, not an error (N23); an openid is used for its own app alone (N24); fields are cut to WeChat's limits (N25);
// what the owner did not ask for never goes by subscribe or template message (N30).
package notify

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/sms"
	"github.com/liangche/liangche/internal/wechat"
)

// The events that members are told of.
const (
	Deduction = "deduction" // stored value was spent
	Topup     = "topup"     // a top-up was credited
	Reversal  = "reversal"  // a settlement was taken back
	Refund    = "refund"    // money is on its way back

	BookingConfirmed = "booking_confirmed" // a time is firm
	BookingReminder  = "booking_reminder"  // it begins soon
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
	RainRebook      = "rain_rebook"    // it rains on the day of a booking: it may be moved free of charge
	Birthday        = "birthday"       // marketing (N30): by SMS with consent, or by a grant for exactly this
	Holiday         = "holiday"        // marketing, as above
	MissedYou       = "missed_you"     // somebody stays away: marketing, by SMS with consent alone
	Offer           = "offer"          // a text to many: marketing, by SMS with consent alone
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

// The channels: the apps whose identities can be reached, by subscribe message and by template message, then SMS.
const (
	MiniProgram     = "mini_program"
	OfficialAccount = "official_account"
	TextMessage     = "sms"
)

// leaseTime bounds one call to WeChat. A message whose lease ended with its process may or may not have been sent.
const leaseTime = 3 * time.Minute

// JobDeliver is the kind of the delivery job.
const JobDeliver = "notify.deliver"

// Faults of this package.
var (
	ErrTemplate = fault.Define(fault.Invalid, "notify.template_unknown", "没有这个消息模板，请更新到最新版本")
	ErrEvent    = fault.Define(fault.NotFound, "notify.event_unknown", "没有这类消息，请刷新页面后再试")
	ErrState    = fault.Define(fault.Conflict, "notify.wrong_state", "这条消息不能重发，请刷新后再看")
	ErrCallDone = fault.Define(fault.Conflict, "notify.call_done", "已经有同事处理过了，请刷新列表")
	ErrNoPhone  = fault.Define(fault.NotFound, "notify.no_phone", "这位会员没有可拨打的手机号")
	ErrNoSelf   = fault.Define(fault.Conflict, "notify.no_identity", "您的员工账号还没有绑定这个渠道，无法给自己测试发送")
	ErrNoSetup  = fault.Define(fault.Conflict, "notify.no_template", "还没有配置这个模板，请先保存")
)

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
	Templates         map[string]TemplateConfig                              // the mini-program's subscribe templates by event
	OfficialTemplates map[string]TemplateConfig                              // the official account's templates by event, where no subscribe message can be sent
	SMS               SMS                                                    // nil: the shop sends no SMS
	People            People                                                 // nil: nobody has a phone
	Self              func(ctx context.Context, staffID int64) (Self, error) // whom a test goes to; nil: nobody
	SaveSettings      func(ctx context.Context, tx *db.Tx, values []setting.Value) error
	Campaigns         Campaigns // who knows the texts to many; nil: there are none
	PageBase          string    // what is put before Message.Page to make an address for the official account
	Zone              string    // in which instants are written, Asia/Shanghai unless told
}

// Recipient is a WeChat identity of a member.
type Recipient struct {
	App, OpenID string
	Following   bool // official account: follows it, so that template messages reach it (N24)
	Unknown     bool // official account: WeChat could not be asked whether it follows; later it can
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

// SMS sends one text message; it is sms.Sender. The class of its error decides what becomes of the message.
type SMS interface {
	Send(ctx context.Context, m sms.Message) (bizID string, err error)
}

// People tells what the way by SMS and by telephone needs of a member.
type People interface {
	Phone(ctx context.Context, memberID int64) (phone string, err error)               // "" where there is none, or it was never verified
	Place(ctx context.Context, memberID int64) (storeID int64, zone string, err error) // the store that the member belongs to, 0 for none, and its zone
	Contacts(ctx context.Context, memberIDs []int64) (map[int64]Contact, error)        // masked; who left has neither
}

// Contact is a member's name and phone, masked.
type Contact struct{ Name, Phone string }

// Settings are what the shop chose for all messages; it is setting.Service.
type Settings interface {
	Bool(ctx context.Context, key string) (bool, error)
	Int(ctx context.Context, key string) (int64, error)
	Text(ctx context.Context, key string) (string, error)
}

// switchOf is the setting that turned an event's messages on before each event had a switch of its own: what it says goes on counting until
// the event's is set. "" for an event that had none.
func switchOf(event string) string {
	switch event {
	case Topup, Refund:
		return setting.MessageTopup
	case BookingConfirmed, BookingTomorrow, BookingReminder, BookingLate, BookingChanged, BookingCancelled, BookingOffer, CarReady:
		return setting.MessageBooking
	case MallReady, MallShipped, ReferralRewarded, PointsExpiring, CouponReceived, CouponExpiring, TierChanged, TierFalling, MembershipEnds:
		return setting.MessageBenefits
	case Deduction, Reversal, PassSold, PassExpiring, PassRenewal, GroupApproval:
		return setting.MessageDeduction
	}
	return ""
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
