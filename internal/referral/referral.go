// Package referral rewards members who bring friends, and the friends too (F03, F04, N16).
//
// Model: a member has one invite code, in a link and in a mini-program code. An Invite is bound once, when the friend joins or soon after:
// new → pending (waits for the first real payment) → rewarded, or suspect (a manager looks first), rejected, expired, or taken_back when the
// payment went back. A page that a member shared carries the code and says which page it was: when a new person joins by it, the sharer has a small
// reward of its own at once, whatever comes of the first payment (F03). A sweep looks at who is new, who has paid by now and whose payment went back; the till does nothing for it.
// Owns: referral_codes, referral_rules, referral_invites, referral_marks, referral_days.
// Invariants: nobody invites themselves; a friend is invited once for ever, known again by phone and WeChat identity, and looked at first when
// a plate is known already; a reward needs money from outside, as the journal has it, after the friend joined; each reward is given once and taken
// back once; a member gets so many rewards a day at most, of either kind; a reward for sharing is for who joined by a shared page after it was switched
// on, looked at as every invitation, and goes back when a manager rejects it.
package referral

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/secret"
)

// The states of an invitation.
const (
	StateNew       = "new" // not looked at yet
	StatePending   = "pending"
	StateSuspect   = "suspect"
	StateRewarded  = "rewarded"
	StateRejected  = "rejected"
	StateExpired   = "expired"
	StateTakenBack = "taken_back"
)

// What makes an invitation suspect.
const (
	FlagPlate     = "plate"      // the friend's car was brought by somebody else before
	FlagSelfPlate = "self_plate" // the friend drives the inviter's car
	FlagPlace     = "place"      // several friends came from one network address
	FlagFast      = "fast"       // many friends within an hour
	FlagRefund    = "refund"     // the payment went back after the reward
	FlagGift      = "gift"       // the reward could not be given, such as a coupon that is no longer issued
)

var flagTexts = map[string]string{FlagPlate: "车牌曾出现在别的邀请里", FlagSelfPlate: "与推荐人同一车牌", FlagPlace: "多位好友来自同一网络", FlagFast: "一小时内邀请过多", FlagRefund: "奖励后付款被退回", FlagGift: "奖励没能发出，请检查奖励设置后点通过"}

// Faults of this package.
var (
	ErrUnknown = fault.Define(fault.Invalid, "referral.code_unknown", "没有这个邀请码，请核对后再填")
	ErrSelf    = fault.Define(fault.Conflict, "referral.self", "不能填写自己的邀请码")
	ErrBound   = fault.Define(fault.Conflict, "referral.bound", "您已经填过邀请码，不能更换")
	ErrLate    = fault.Define(fault.Conflict, "referral.late", "邀请码只能在入会 7 天内、第一次付款之前填写")
	ErrKnown   = fault.Define(fault.Conflict, "referral.known", "您以前已被邀请过，不能再领新人奖励")
	ErrOff     = fault.Define(fault.Conflict, "referral.off", "推荐活动还没有开始，请留意门店通知")
	ErrState   = fault.Define(fault.Conflict, "referral.state", "这条推荐已经处理过了，请刷新查看")
	ErrReason  = fault.Define(fault.Invalid, "referral.reason_missing", "请填写原因")
)

// bindWithin is how long after joining an invite code may still be entered.
const bindWithin = 7 * 24 * time.Hour

// What can be shared (F03): the page by which a friend came.
const (
	ViaCard     = "card"
	ViaPlan     = "plan" // a pass that is for sale
	ViaItem     = "item" // of the mall
	ViaCampaign = "campaign"
	ViaBooking  = "booking"
	ViaShop     = "shop"
)

var viaTexts = map[string]string{ViaCard: "会员卡", ViaPlan: "卡项", ViaItem: "积分商城", ViaCampaign: "活动", ViaBooking: "预约", ViaShop: "会员商店"}

// The states of the reward for sharing.
const (
	shareGiven = "given"
	shareBack  = "taken_back"
)

// shareWithin is how long a reward for sharing waits for a day that is not full.
const shareWithin = 30 * 24 * time.Hour

// Grade is what an inviter gets beside, once so many friends have paid.
type Grade struct {
	Friends int           `json:"friends" minimum:"1" maximum:"1000"`
	Gift    campaign.Gift `json:"gift" maxItems:"8"`
}

// Rules are the shop's own.
type Rules struct {
	On            bool          `json:"on"`
	InviterGift   campaign.Gift `json:"inviterGift" maxItems:"8" doc:"For each friend who pays; may be empty"`
	FriendGift    campaign.Gift `json:"friendGift" maxItems:"8" doc:"For the friend; may be empty"`
	Grades        []Grade       `json:"grades" maxItems:"10" doc:"Such as five friends: the top tier. Each is given once"`
	MinPaidFen    money.Fen     `json:"minPaidFen" minimum:"1" maximum:"10000000" doc:"What the friend must have paid in money; stored-value bonus, passes and points do not count"`
	PayWithinDays int           `json:"payWithinDays" minimum:"1" maximum:"365"`
	BackDays      int           `json:"backDays" minimum:"0" maximum:"180" doc:"Rewards are taken back when all of the payment goes back within so many days"`
	DailyCap      int           `json:"dailyCap" minimum:"1" maximum:"1000" doc:"Rewarded friends of one member a day; more wait for the next day"`
	ShareOn       bool          `json:"shareOn,omitempty" doc:"Sharing is rewarded: off until the shop says so"`
	ShareGift     campaign.Gift `json:"shareGift,omitempty" maxItems:"8" doc:"For the sharer, when a new person joins by a page that was shared: points and coupons"`
	ShareCap      int           `json:"shareCap,omitempty" minimum:"0" maximum:"100" doc:"Rewarded shares of one member a day; more wait for the next day"`
	ShareSince    int64         `json:"shareSince,omitempty" doc:"Unix ms: who joined before it was switched on does not count. Kept by the server"`
	FastCount     int           `json:"fastCount" minimum:"1" maximum:"1000" doc:"More friends than this within an hour are looked at first"`
}

// firstRules are what a shop starts with: nothing is promised.
func firstRules() Rules {
	return Rules{MinPaidFen: 1, PayWithinDays: 90, BackDays: 15, DailyCap: 10, FastCount: 5, ShareCap: 5}
}

// check names what is wrong with rules by themselves.
func (r Rules) check() error {
	f := fault.ErrInvalid
	bad := func(field, text string) { f = f.On(field, text) }
	if r.On && len(r.InviterGift) == 0 && len(r.FriendGift) == 0 && len(r.Grades) == 0 {
		bad("inviterGift", "请至少设置一种奖励")
	}
	for i, g := range r.Grades {
		if i > 0 && g.Friends <= r.Grades[i-1].Friends {
			bad(fmt.Sprintf("grades[%d].friends", i), "应比上一级多")
		}
	}
	for _, x := range []struct {
		field    string
		n, least int
		most     int
	}{{"payWithinDays", r.PayWithinDays, 1, 365}, {"backDays", r.BackDays, 0, 180}, {"dailyCap", r.DailyCap, 1, 1000}, {"fastCount", r.FastCount, 1, 1000}} {
		if x.n < x.least || x.n > x.most {
			bad(x.field, fmt.Sprintf("应为 %d 至 %d", x.least, x.most))
		}
	}
	if r.ShareOn || len(r.ShareGift) > 0 {
		if len(r.ShareGift) == 0 {
			bad("shareGift", "请设置分享送什么")
		}
		for i, p := range r.ShareGift {
			if p.Kind != campaign.Points && p.Kind != campaign.Coupon {
				bad(fmt.Sprintf("shareGift[%d].kind", i), "分享只能送积分和优惠券")
			}
		}
		if r.ShareCap < 1 || r.ShareCap > 100 {
			bad("shareCap", "应为 1 至 100")
		}
	}
	if r.MinPaidFen < 1 {
		bad("minPaidFen", "至少 0.01 元")
	}
	if len(f.Fields) > 0 {
		return f
	}
	return nil
}

// Invite is one friend who came by somebody's code.
type Invite struct {
	ID        int64
	InviterID int64
	InviteeID int64
	State     string
	Flags     []string
	Accepted  bool // a manager said that it is in order
	PaidFen   money.Fen
	RewardAt  time.Time
	ExpiresAt time.Time
	Reason    string
	DecidedBy string
	CreatedAt time.Time
	Via       string // the page that was shared, "" for a code that was told or scanned

	place, day, share string // day of the reward; state of the reward for sharing
}

// flag adds what makes the invitation suspect, once.
func (i *Invite) flag(f string) {
	if !slices.Contains(i.Flags, f) {
		i.Flags = append(i.Flags, f)
	}
}

func (i Invite) flagText() string { return strings.Join(i.Flags, ",") }

// plainCode undoes how people write a code, and the scene of a mini-program code; "" for what is none.
func plainCode(in string) string {
	in = strings.TrimPrefix(strings.TrimSpace(in), "i=")
	in = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(in))
	if len(in) != 8 || strings.Trim(in, secret.Letters) != "" {
		return ""
	}
	return in
}

// viaOf takes apart what a shared page carries: the code and which page it was. What nobody shares is "".
func viaOf(in string) (code, via string) {
	code, via, _ = strings.Cut(in, ".")
	if viaTexts[via] == "" {
		via = ""
	}
	return code, via
}

func stateText(state string) string {
	switch state {
	case StateNew, StatePending:
		return "已加入，待首次消费"
	case StateSuspect:
		return "审核中"
	case StateRewarded:
		return "已奖励"
	case StateExpired:
		return "已过期"
	case StateTakenBack:
		return "付款已退回，奖励收回"
	}
	return "未获奖励"
}
