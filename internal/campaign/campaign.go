// Package campaign gives presents: by rules that look at what happened, and by codes that were handed out (A16, A17, F05, F18–F20).
//
// Model: a Gift is a list of presents (coupons, points, a pass, a membership, a tier); each kind has a Giver that app connects. A Rule says
// what for: a purchase, a top-up, a birthday, the first follow, joining, a review, or an activity for everybody. Sweeps read what happened from the
// journal and from others' lists; the till does nothing for it. A Batch is a number of codes with one gift: cards that a dealer hands out, a
// competitor's card that is swapped, opening cards.
// Owns: campaign_rules, campaign_gifts, campaign_cursors, campaign_batches, campaign_codes.
// Invariants: a gift is given once, by its unique dedupe text; what a rule gave for a purchase or a top-up is taken back when that is undone, and what
// it gave for the part that goes back when a part does (N11); a code is stored as its blind index only, shown once in an export that leaves a trace, and used once; a member uses at most so many codes of
// a batch, by a unique number.
package campaign

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// The triggers of rules.
const (
	AfterPurchase = "after_purchase"
	AfterTopup    = "after_topup"
	Birthday      = "birthday"
	FirstFollow   = "first_follow"
	Join          = "join"
	Review        = "review"
	Activity      = "activity"
)

// The kinds of presents.
const (
	Coupon     = "coupon"
	Points     = "points"
	Pass       = "pass"
	Membership = "membership"
	Tier       = "tier"
)

// order is how presents of several kinds are given: assets are locked in this order everywhere.
var order = []string{Tier, Membership, Coupon, Pass, Points}

// The states of a given gift.
const (
	Given     = "given"
	TakenBack = "taken_back"
)

// Limits.
const (
	maxPresents = 8
	maxNumber   = 100
	maxPoints   = 1_000_000
)

// Faults of this package.
var (
	ErrGift     = fault.Define(fault.Invalid, "campaign.gift", "赠礼内容有误，请检查标出的地方")
	ErrUnknown  = fault.Define(fault.Invalid, "campaign.code_unknown", "没有这个兑换码，请核对后再输入")
	ErrUsed     = fault.Define(fault.Conflict, "campaign.code_used", "这个兑换码已经用过了")
	ErrStopped  = fault.Define(fault.Conflict, "campaign.code_stopped", "这批兑换码已停用，请联系发放的门店或商家")
	ErrExpired  = fault.Define(fault.Conflict, "campaign.code_expired", "这个兑换码已过期")
	ErrEarly    = fault.Define(fault.Conflict, "campaign.code_early", "这个兑换码还没到开始使用的时间")
	ErrLimit    = fault.Define(fault.Conflict, "campaign.code_limit", "您已用过这批兑换码，每人有次数限制")
	ErrExported = fault.Define(fault.Conflict, "campaign.codes_exported", "这批兑换码已经导出过，只能导出一次；如已遗失，请停用后另建一批")
)

// Present is one part of a gift. ID names the coupon template, pass plan, membership plan or tier; points have none.
type Present struct {
	Kind string `json:"kind" enum:"coupon,points,pass,membership,tier"`
	ID   int64  `json:"id,omitempty" minimum:"0" doc:"Template, plan or tier; 0 for points"`
	N    int64  `json:"n" minimum:"1" maximum:"1000000" doc:"How many; of a tier: for how many months"`
}

// Gift is a list of presents.
type Gift []Present

// Grant is one present on its way to a member, or back. Dedupe is unique for ever; Refs are what GiveTx returned. Of N that were given, Back went
// back before and Take go back now; Take is less than the rest only for points and coupons.
type Grant struct {
	GiftID, MemberID, ID, N int64
	Source, Dedupe, Title   string
	Refs                    []int64
	Back, Take              int64
}

// Whole says whether all that was given goes back at once.
func (g Grant) Whole() bool { return g.Back == 0 && g.Take == g.N }

// Giver gives one kind of present. Check says what n of it are called. Faults of Check name no field.
type Giver interface {
	Check(ctx context.Context, r db.Reader, id, n int64) (title string, err error)
	// GiveTx gives it and returns the ids of what came of it, where TakeBackTx will need them.
	GiveTx(ctx context.Context, tx *db.Tx, g Grant) (refs []int64, err error)
	// TakeBackTx takes back Take of it, as far as it is still there; what is used already is lost.
	TakeBackTx(ctx context.Context, tx *db.Tx, g Grant) error
}

// Terms narrow a rule.
type Terms struct {
	MinFen     money.Fen `json:"minFen,omitempty" minimum:"0" maximum:"100000000" doc:"after_purchase: at least so much was really paid, by money or principal; after_topup: so much was topped up"`
	StepFen    money.Fen `json:"stepFen,omitempty" minimum:"0" maximum:"100000000" doc:"after_purchase and after_topup: the gift once for each full such amount; 0 once for all of it (D13)"`
	StepMost   int       `json:"stepMost,omitempty" minimum:"0" maximum:"100" doc:"With stepFen: at most so many times for one purchase or top-up"`
	TierIDs    []int64   `json:"tierIds,omitempty" maxItems:"50" doc:"Only members of these tiers; empty for all"`
	DaysBefore int       `json:"daysBefore,omitempty" minimum:"0" maximum:"30" doc:"birthday: so many days ahead"`
	MinStars   int       `json:"minStars,omitempty" minimum:"0" maximum:"5" doc:"review: at least so many stars"`
	PerMember  int       `json:"perMember,omitempty" minimum:"0" maximum:"1000" doc:"At most so often for one member; 0 for no limit"`
}

// Rule says for what a gift is given.
type Rule struct {
	ID        int64
	Name      string
	Trigger   string
	Terms     Terms
	Gift      Gift
	Active    bool
	StartsAt  time.Time
	EndsAt    time.Time // zero: never
	CreatedAt time.Time
}

// holds says whether the rule counts for what happened at t.
func (r Rule) holds(t time.Time) bool {
	return r.Active && !t.Before(r.StartsAt) && (r.EndsAt.IsZero() || t.Before(r.EndsAt))
}

// RuleInput is what a rule is made of.
type RuleInput struct {
	Name     string     `json:"name" maxLength:"60"`
	Trigger  string     `json:"trigger" enum:"after_purchase,after_topup,birthday,first_follow,join,review,activity"`
	Terms    Terms      `json:"terms"`
	Gift     Gift       `json:"gift" maxItems:"8"`
	Active   *bool      `json:"active,omitempty"`
	StartsAt *time.Time `json:"startsAt,omitempty" doc:"From now on when absent"`
	EndsAt   *time.Time `json:"endsAt,omitempty"`
}

// ofMoney says whether a rule measures money that was paid.
func ofMoney(trigger string) bool { return trigger == AfterPurchase || trigger == AfterTopup }

// shortText trims a short text and complains about one that is empty, too long or unprintable.
func shortText(c *fault.Complaints, field, in string, most int) string {
	in = strings.TrimSpace(in)
	if n := utf8.RuneCountInString(in); n < 1 || n > most || strings.ContainsFunc(in, unicode.IsControl) {
		c.Bad(field, fmt.Sprintf("请填写 1 至 %d 个字", most))
	}
	return in
}

// check names everything that is wrong with a rule by itself; what its gift names is checked by the givers.
func (in *RuleInput) check(c *fault.Complaints) {
	in.Name = shortText(c, "name", in.Name, 60)
	t := &in.Terms
	switch {
	case !ofMoney(in.Trigger) && t.MinFen != 0:
		c.Bad("terms.minFen", "只有消费和充值赠礼可以设置金额")
	case ofMoney(in.Trigger) && t.MinFen < 1 && t.StepFen < 1:
		c.Bad("terms.minFen", "请填写满多少元赠送")
	}
	in.checkSteps(c)
	if in.Trigger != Birthday && t.DaysBefore != 0 {
		c.Bad("terms.daysBefore", "只有生日礼可以提前")
	}
	if in.Trigger != Review && t.MinStars != 0 {
		c.Bad("terms.minStars", "只有评价赠礼可以设置星级")
	}
	if in.StartsAt != nil && in.EndsAt != nil && !in.EndsAt.After(*in.StartsAt) {
		c.Bad("endsAt", "结束时间应晚于开始时间")
	}
	if in.Trigger == Activity && in.EndsAt == nil {
		c.Bad("endsAt", "活动赠礼请填写结束时间")
	}
}

// checkSteps looks at what a rule says for each full amount.
func (in *RuleInput) checkSteps(c *fault.Complaints) {
	t := &in.Terms
	switch {
	case t.StepFen == 0 && t.StepMost == 0:
		return
	case !ofMoney(in.Trigger):
		c.Bad("terms.stepFen", "只有消费和充值赠礼可以按每满多少元送")
		return
	case t.StepFen < 100:
		c.Bad("terms.stepFen", "每满的金额至少 1 元")
		return
	case t.StepMost < 1:
		c.Bad("terms.stepMost", "请填写一次最多送几份")
		return
	}
	for i, p := range in.Gift {
		most := int64(maxNumber)
		if p.Kind == Points {
			most = maxPoints
		}
		switch {
		case p.Kind != Points && p.Kind != Coupon:
			c.Bad(fmt.Sprintf("gift[%d].kind", i), "按每满多少元只能送优惠券和积分")
		case p.N > most/int64(t.StepMost):
			c.Bad(fmt.Sprintf("gift[%d].n", i), fmt.Sprintf("一次最多送 %d，请减少数量或份数", most))
		}
	}
}

// each says how often one member may get the gift of the rule; 0 is no limit. Some things happen once.
func (r Rule) each() int {
	switch r.Trigger {
	case Join, FirstFollow, Activity:
		return 1
	case Birthday:
		return 0 // once a year, by its dedupe text
	}
	return r.Terms.PerMember
}

func (g Gift) ordered() []int {
	out := make([]int, len(g))
	for i := range g {
		out[i] = i
	}
	slices.SortStableFunc(out, func(a, b int) int { return slices.Index(order, g[a].Kind) - slices.Index(order, g[b].Kind) })
	return out
}

// monthDay is how the birthdays that are celebrated on a day are written; who was born on a 29 February celebrates on the 28th of other years.
func monthDays(day time.Time) []string {
	out := []string{day.Format("01-02")}
	if out[0] == "02-28" && day.AddDate(0, 0, 1).Day() == 1 {
		out = append(out, "02-29")
	}
	return out
}
