// Package coupon is what lowers one bill once: an amount, a share, or a free service (F01, F03, F05).
//
// Model: a Template says what its coupons do and who may have how many; its Terms are frozen into every coupon that is issued, so that
// editing a template changes only what comes after. A coupon belongs to one member and is available, held (for an order that is not paid yet, or
// while it is on its way to a friend), used, expired or void. A Claim is a page, or a word, by which owners take one themselves while
// stock lasts; an Issue gives to a list of members or to everybody a filter finds; a Gift passes a coupon on, once, by a signed link.
// Owns: coupon_templates, coupon_terms, coupon_coupons, coupon_holds, coupon_issues, coupon_claims, coupon_gifts.
// Invariants: a coupon is promised to one thing at a time, held by a unique key (N15), and comes back when that ends without it; what has expired
// is never held; of the coupons that go with no other, a member has one a day in use; a dedupe key issues once for ever; a
// claim never gives more than its stock.
package coupon

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/pricing"
)

// The states of a coupon.
const (
	Available = "available"
	Held      = "held"
	Used      = "used"
	Expired   = "expired"
	Void      = "void"
)

// The kinds of coupon.
const (
	KindAmount  = pricing.CouponAmount
	KindPercent = pricing.CouponPercent
	KindService = pricing.CouponService
)

// Where coupons come from, as this package gives them; other slices name their own.
const (
	FromStaff = "staff"
	FromIssue = "issue"
	FromClaim = "claim"
)

// refGift is the reference under which a coupon is held while it is on its way to a friend.
const refGift = "coupon_gift"

// Limits of what can be entered.
const (
	maxEach    = 20
	maxMembers = 200
	maxStock   = 1_000_000
	maxDays    = 730
)

// Faults of this package.
var (
	ErrTemplate   = fault.Define(fault.Invalid, "coupon.template_unknown", "没有这种优惠券，或已停发，请重新选择")
	ErrName       = fault.Define(fault.Conflict, "coupon.name_taken", "已有同名的优惠券，请换一个名称或先停发旧的")
	ErrOver       = fault.Define(fault.Conflict, "coupon.validity_over", "这种优惠券的有效期已过，请换一种")
	ErrLimit      = fault.Define(fault.Conflict, "coupon.limit", "已达到每人可领的张数")
	ErrForeign    = fault.Define(fault.Conflict, "coupon.not_yours", "这张优惠券不属于这位会员，请重新选择")
	ErrHeld       = fault.Define(fault.Conflict, "coupon.held", "这张优惠券正在另一单中使用，请换一张或先取消那一单")
	ErrUsed       = fault.Define(fault.Conflict, "coupon.used", "这张优惠券已经用过了")
	ErrExpired    = fault.Define(fault.Conflict, "coupon.expired", "这张优惠券已过期")
	ErrVoid       = fault.Define(fault.Conflict, "coupon.void", "这张优惠券已作废，请联系门店")
	ErrNotYet     = fault.Define(fault.Conflict, "coupon.not_yet", "这张优惠券还没到可用时间")
	ErrAlone      = fault.Define(fault.Conflict, "coupon.one_a_day", "这种优惠券每天只能用一张，今天已经用过")
	ErrCode       = fault.Define(fault.NotFound, "coupon.code_unknown", "没有这个券码，请检查后再试")
	ErrGone       = fault.Define(fault.Conflict, "coupon.gone", "已经领完了，下次早点来")
	ErrNotOpen    = fault.Define(fault.Conflict, "coupon.not_open", "领取还没开始")
	ErrEnded      = fault.Define(fault.Conflict, "coupon.ended", "领取已经结束")
	ErrClaimed    = fault.Define(fault.Conflict, "coupon.claimed", "您已经领过了，请到「我的优惠券」查看")
	ErrCodeTaken  = fault.Define(fault.Conflict, "coupon.code_taken", "这个券码已被使用，请换一个")
	ErrGiftNo     = fault.Define(fault.Conflict, "coupon.not_giftable", "这张优惠券不能转赠")
	ErrGiftOwn    = fault.Define(fault.Conflict, "coupon.gift_own", "这是您自己送出的券，请让朋友来领取")
	ErrGiftOver   = fault.Define(fault.Conflict, "coupon.gift_over", "这张券已被领走或已收回")
	ErrReason     = fault.Define(fault.Invalid, "coupon.reason_missing", "请填写原因，2 至 100 个字")
	errStateMoved = fault.Define(fault.Conflict, "coupon.changed", "优惠券状态刚有变化，请刷新后重试")
)

// Terms are what a coupon does: frozen when it is issued.
type Terms struct {
	Name         string    `json:"name" maxLength:"40"`
	Note         string    `json:"note,omitempty" maxLength:"200" doc:"Shown to the owner"`
	Kind         string    `json:"kind" enum:"amount,percent,service"`
	OffFen       money.Fen `json:"offFen,omitempty" minimum:"0" maximum:"9999999" doc:"amount: what it takes off"`
	PayBP        money.BP  `json:"payBp,omitempty" minimum:"0" maximum:"9999" doc:"percent: the share that is paid; 9000 is 9 折"`
	MaxOffFen    money.Fen `json:"maxOffFen,omitempty" minimum:"0" maximum:"9999999" doc:"percent: at most so much; 0 no limit"`
	ThresholdFen money.Fen `json:"thresholdFen,omitempty" minimum:"0" maximum:"9999999" doc:"Only from this sum on; 0 always"`
	Kinds        []string  `json:"kinds,omitempty" maxItems:"6" doc:"wash, detail, film, repair, other, good; with services and goods all empty: everything"`
	ServiceIDs   []int64   `json:"serviceIds,omitempty" maxItems:"200"`
	GoodIDs      []int64   `json:"goodIds,omitempty" maxItems:"200"`
	StoreIDs     []int64   `json:"storeIds,omitempty" maxItems:"200" doc:"Empty means every store"`
	ClassIDs     []int64   `json:"classIds,omitempty" maxItems:"50" doc:"Vehicle classes; empty means all"`
	Stack        string    `json:"stack" enum:"none,any,no_tier" doc:"none: one such a visit and a day; any: with everything; no_tier: instead of the tier's discount"`
	Giftable     bool      `json:"giftable,omitempty" doc:"May be given to a friend, once"`
	ValidFrom    string    `json:"validFrom,omitempty" maxLength:"10" doc:"YYYY-MM-DD with validTo; otherwise validDays counts from the issue"`
	ValidTo      string    `json:"validTo,omitempty" maxLength:"10"`
	ValidDays    int       `json:"validDays,omitempty" minimum:"0" maximum:"730"`
	AfterDays    int       `json:"afterDays,omitempty" minimum:"0" maximum:"365" doc:"Usable only so many days after the issue"`
}

var kindNames = map[string]string{"wash": "洗车", "detail": "美容", "film": "贴膜", "repair": "维修", "other": "其他服务", "good": "商品"}

// clean checks what can be checked without looking anything up. today is the business date.
func (t Terms) clean(c *fault.Complaints, today string) Terms {
	c.Text("name", &t.Name, 1, 40, false)
	c.Text("note", &t.Note, 0, 200, false)
	switch t.Kind {
	case KindAmount:
		t.PayBP, t.MaxOffFen = 0, 0
		if t.OffFen < 1 || t.OffFen > 9_999_999 {
			c.Bad("offFen", "请填写减免金额，如 10 元")
		}
		if t.ThresholdFen != 0 && t.ThresholdFen < t.OffFen {
			c.Bad("thresholdFen", "门槛不能低于减免金额")
		}
	case KindPercent:
		t.OffFen = 0
		if t.PayBP < 1 || t.PayBP > 9999 {
			c.Bad("payBp", "折扣应大于 0 折、小于 10 折")
		}
	case KindService:
		t.OffFen, t.PayBP, t.MaxOffFen = 0, 0, 0
		if len(t.ServiceIDs)+len(t.GoodIDs) == 0 {
			c.Bad("serviceIds", "请选择免费的项目")
		}
		if len(t.Kinds) > 0 {
			c.Bad("kinds", "免费券请直接选择项目")
		}
	default:
		c.Bad("kind", "请选择优惠方式")
	}
	if t.ThresholdFen < 0 || t.ThresholdFen > 9_999_999 {
		c.Bad("thresholdFen", "门槛金额不在允许范围内")
	}
	if t.MaxOffFen < 0 || t.MaxOffFen > 9_999_999 {
		c.Bad("maxOffFen", "最高减免不在允许范围内")
	}
	for i, k := range t.Kinds {
		if kindNames[k] == "" || slices.Contains(t.Kinds[:i], k) {
			c.Bad(fmt.Sprintf("kinds[%d]", i), "没有这个类别，或重复了")
		}
	}
	if !slices.Contains([]string{pricing.StackNone, pricing.StackAny, pricing.StackNoTier}, t.Stack) {
		c.Bad("stack", "请选择能否与其他优惠同享")
	}
	t.cleanValidity(c, today)
	return t
}

func (t *Terms) cleanValidity(c *fault.Complaints, today string) {
	if t.ValidFrom == "" && t.ValidTo == "" {
		if t.ValidDays < 1 || t.ValidDays > maxDays {
			c.Bad("validDays", fmt.Sprintf("请填写领取后几天内有效（1 至 %d），或填写起止日期", maxDays))
		}
		if t.AfterDays < 0 || t.AfterDays > 365 {
			c.Bad("afterDays", "应在 0 至 365 之间")
		}
		return
	}
	if t.ValidDays != 0 || t.AfterDays != 0 {
		c.Bad("validDays", "起止日期和领取后有效天数只能选一种")
	}
	switch {
	case !bizday.Valid(t.ValidFrom):
		c.Bad("validFrom", "请填写开始日期")
	case !bizday.Valid(t.ValidTo):
		c.Bad("validTo", "请填写结束日期")
	case t.ValidTo < t.ValidFrom:
		c.Bad("validTo", "结束不能早于开始")
	case t.ValidTo < today:
		c.Bad("validTo", "已经过去了，请重新选择")
	}
}

// span is when a coupon that is issued at now may be used: from the first instant to before the second (unix ms). Fault: ErrOver.
func (t Terms) span(now time.Time) (from, until int64, err error) {
	loc := bizday.Location(bizday.DefaultZone)
	midnight := func(day string) int64 {
		at, _ := time.ParseInLocation(time.DateOnly, day, loc) // checked when it was entered
		return at.UnixMilli()
	}
	if t.ValidTo != "" {
		from, until = midnight(t.ValidFrom), midnight(bizday.Add(t.ValidTo, 1))
		if until <= now.UnixMilli() {
			return 0, 0, ErrOver
		}
		return from, until, nil
	}
	day := bizday.Of(now, bizday.DefaultZone)
	from = now.UnixMilli()
	if t.AfterDays > 0 {
		from = midnight(bizday.Add(day, t.AfterDays))
	}
	return from, midnight(bizday.Add(day, t.AfterDays+t.ValidDays+1)), nil
}

// lastDay is the last date on which what ends at the instant (unix ms) may be used.
func lastDay(expiresAt int64) string {
	return bizday.Of(time.UnixMilli(expiresAt-1), bizday.DefaultZone)
}

// price is the coupon as the quote knows it.
func (t Terms) price(id, expiresAt int64) pricing.Coupon {
	return pricing.Coupon{ID: id, Title: t.Name, Kind: t.Kind, AmountFen: t.OffFen, BP: t.PayBP, MaxOffFen: t.MaxOffFen, ThresholdFen: t.ThresholdFen, Kinds: t.Kinds,
		ServiceIDs: t.ServiceIDs, GoodIDs: t.GoodIDs, Stack: t.Stack, ExpiresAt: expiresAt}
}

func (t Terms) text() (string, error) {
	b, err := json.Marshal(t)
	return string(b), err
}

// Issue gives coupons of a template to a member. N 0 is one. Dedupe is unique for ever; "" never repeats.
type Issue struct {
	TemplateID, MemberID int64
	N                    int64
	Source               string
	SourceID             int64
	Dedupe               string
	Tell                 bool // send the member a message
}

// Ask is at what time and where coupons are to be used.
type Ask struct {
	MemberID, StoreID, ClassID int64
	At                         time.Time
	BizDay                     string
}

// refusal is why a coupon in this state may not be used; nil when it may.
func refusal(state string) *fault.Error {
	switch state {
	case Held:
		return ErrHeld
	case Used:
		return ErrUsed
	case Expired:
		return ErrExpired
	case Void:
		return ErrVoid
	}
	return nil
}
