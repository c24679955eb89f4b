// Package points is what members earn by paying and may pay with (E01–E08, F09, I04).
//
// Model: the shop's Rules say how many points money brings: a base rate, a share of it per kind and per item, a multiplier per tier and on
// certain days. Each earning is a posting of its own, so that exactly it can be taken back; each brings a lot that lives until the end
// of a month. Paying, exchanging and expiring consume lots, oldest expiry first. What was taken back when it had been spent already stays as a
// debt, which the next points pay first.
// Owns: points_rules, points_earnings, points_gifts, points_takes, points_warnings. The points themselves are in ledger.
// Invariants: points come from money that was really paid; one reference earns once and is taken back at most once (N11); a gift's dedupe key
// gives once for ever; consumed equals redeemed (N12); what has expired is never used, a job removes it after a warning (N13); points
// are never passed on to another member and never paid out.
package points

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// Faults of this package.
var (
	ErrInsufficient = fault.Define(fault.Conflict, "points.insufficient", "积分不足，请减少使用的积分")
	ErrAmount       = fault.Define(fault.Invalid, "points.amount", "积分数量不对，请填写 1 至 1,000,000 之间的整数")
	ErrReason       = fault.Define(fault.Invalid, "points.reason_missing", "请填写调整积分的原因，2 至 100 个字")
	ErrRules        = fault.Define(fault.Invalid, "points.rules", "积分规则有误，请检查标出的地方")
	ErrRulesChanged = fault.Define(fault.Conflict, "points.rules_changed", "积分规则刚被别人改过，请刷新后再改")
)

// MaxPoints bounds one gift or adjustment.
const MaxPoints = 1_000_000

// maxRate is the highest multiplier: ten times.
const maxRate money.BP = 100_000

// Where gifts come from.
const (
	FromReferral = "referral"
	FromActivity = "activity"
	FromBirthday = "birthday"
	FromReview   = "review"
	FromManual   = "manual"
	FromCode     = "code"
)

// Item is a part of a purchase that may bring points. PaidFen is what was really paid for it: not by bonus, passes, coupons or points.
type Item struct {
	Kind        string // "service" or "good"
	ServiceKind string // "" for a good
	ID          int64
	Qty         int64
	PaidFen     money.Fen
	DueFen      money.Fen // what was to be paid for it in all; 0 when unknown, then PaidFen counts as all
	PointsEach  *int64    // points per piece instead of the rate (I04); nil by rate
}

// kind is the name under which the rules know the item.
func (i Item) kind() string {
	if i.Kind == "good" {
		return "good"
	}
	return i.ServiceKind
}

// Earn is a purchase that brings points.
type Earn struct {
	MemberID, StoreID, RefID int64
	RefKind, BizDay, Title   string
	Items                    []Item
}

// Gift gives points for something that is no purchase. Dedupe is unique for ever, like "birthday:<member>:<year>".
type Gift struct {
	MemberID, N           int64
	Source, Dedupe, Title string
}

// Rules are the shop's own: what is not named counts as 10000, once the base rate.
type Rules struct {
	Version int64      `json:"version" doc:"Goes back with a change, so that nobody's is lost"`
	Kinds   []KindRate `json:"kinds" maxItems:"6"`
	Items   []ItemRate `json:"items" maxItems:"500" doc:"Instead of the kind's rate"`
	Tiers   []TierRate `json:"tiers" maxItems:"100"`
	Days    []DayRate  `json:"days" maxItems:"100" doc:"No two may hold on the same day"`
}

// KindRate is the rate of a kind of item.
type KindRate struct {
	Kind string   `json:"kind" enum:"wash,detail,film,repair,other,good"`
	BP   money.BP `json:"bp" minimum:"0" maximum:"100000" doc:"10000 is once, 0 none"`
}

// ItemRate is the rate of one service or good.
type ItemRate struct {
	Kind string   `json:"kind" enum:"service,good"`
	ID   int64    `json:"id" minimum:"1"`
	BP   money.BP `json:"bp" minimum:"0" maximum:"100000"`
}

// TierRate is the multiplier of a tier.
type TierRate struct {
	TierID int64    `json:"tierId" minimum:"1"`
	BP     money.BP `json:"bp" minimum:"1" maximum:"100000" doc:"15000 is one and a half times"`
}

// DayRate is a multiplier on certain days: every day from From to To, or only the named days of the week or of the month.
type DayRate struct {
	Name      string   `json:"name" maxLength:"20"`
	From      string   `json:"from" maxLength:"10" doc:"YYYY-MM-DD"`
	To        string   `json:"to" maxLength:"10" doc:"YYYY-MM-DD, inclusive"`
	Weekdays  []int    `json:"weekdays,omitempty" maxItems:"7" doc:"1 Monday … 7 Sunday"`
	MonthDays []int    `json:"monthDays,omitempty" maxItems:"31"`
	BP        money.BP `json:"bp" minimum:"1" maximum:"100000"`
}

// on says whether the rate holds on a business date.
func (d DayRate) on(day string) bool {
	if day < d.From || day > d.To {
		return false
	}
	if len(d.Weekdays) == 0 && len(d.MonthDays) == 0 {
		return true
	}
	t, err := time.Parse(time.DateOnly, day)
	return err == nil && (slices.Contains(d.Weekdays, (int(t.Weekday())+6)%7+1) || slices.Contains(d.MonthDays, t.Day()))
}

var kindNames = map[string]string{"wash": "洗车", "detail": "美容", "film": "贴膜", "repair": "维修", "other": "其他服务", "good": "商品"}

// maxSpan is how many days a rate may hold.
const maxSpan = 1100

// clean names every rule that is not acceptable, at its field. Fault: ErrRules.
func (r Rules) clean() (Rules, error) {
	f := ErrRules
	bad := func(field, format string, args ...any) { f = f.On(field, fmt.Sprintf(format, args...)) }
	rate := func(field string, v, least money.BP) {
		if v < least || v > maxRate {
			bad(field, "倍数应在 %s 至 10 倍之间", map[bool]string{true: "0", false: "0.0001"}[least == 0])
		}
	}
	for i, k := range r.Kinds {
		at := fmt.Sprintf("kinds[%d]", i)
		if kindNames[k.Kind] == "" {
			bad(at+".kind", "没有这个类别")
		}
		if slices.ContainsFunc(r.Kinds[:i], func(o KindRate) bool { return o.Kind == k.Kind }) {
			bad(at+".kind", "「%s」重复了", kindNames[k.Kind])
		}
		rate(at+".bp", k.BP, 0)
	}
	for i, k := range r.Items {
		at := fmt.Sprintf("items[%d]", i)
		if slices.ContainsFunc(r.Items[:i], func(o ItemRate) bool { return o.Kind == k.Kind && o.ID == k.ID }) {
			bad(at+".id", "这个项目重复了")
		}
		rate(at+".bp", k.BP, 0)
	}
	for i, k := range r.Tiers {
		at := fmt.Sprintf("tiers[%d]", i)
		if slices.ContainsFunc(r.Tiers[:i], func(o TierRate) bool { return o.TierID == k.TierID }) {
			bad(at+".tierId", "这个等级重复了")
		}
		rate(at+".bp", k.BP, 1)
	}
	for i := range r.Days {
		r.cleanDay(i, bad)
		rate(fmt.Sprintf("days[%d].bp", i), r.Days[i].BP, 1)
	}
	if len(f.Fields) > 0 {
		return r, f
	}
	return r, nil
}

func (r Rules) cleanDay(i int, bad func(field, format string, args ...any)) {
	d, at := &r.Days[i], fmt.Sprintf("days[%d]", i)
	d.Name = strings.TrimSpace(d.Name)
	if d.Name == "" {
		bad(at+".name", "请填写名称")
	}
	for _, w := range d.Weekdays {
		if w < 1 || w > 7 {
			bad(at+".weekdays", "星期应为 1 至 7")
		}
	}
	for _, m := range d.MonthDays {
		if m < 1 || m > 31 {
			bad(at+".monthDays", "日期应为 1 至 31")
		}
	}
	switch {
	case !bizday.Valid(d.From):
		bad(at+".from", "请填写开始日期")
		return
	case !bizday.Valid(d.To):
		bad(at+".to", "请填写结束日期")
		return
	case d.To < d.From:
		bad(at+".to", "结束不能早于开始")
		return
	case bizday.Add(d.From, maxSpan) < d.To:
		bad(at+".to", "最长 3 年，到期后可再设")
		return
	}
	for _, o := range r.Days[:i] {
		if !bizday.Valid(o.From) || !bizday.Valid(o.To) || bizday.Add(o.From, maxSpan) < o.To {
			continue
		}
		for day := max(o.From, d.From); day <= min(o.To, d.To); day = bizday.Add(day, 1) {
			if o.on(day) && d.on(day) {
				bad(at+".from", "与「%s」在 %s 重叠，请错开", o.Name, day)
				break
			}
		}
	}
}

func (r Rules) share(i Item) money.BP {
	for _, x := range r.Items {
		if x.Kind == i.Kind && x.ID == i.ID {
			return x.BP
		}
	}
	for _, x := range r.Kinds {
		if x.Kind == i.kind() {
			return x.BP
		}
	}
	return money.Whole
}

func (r Rules) tier(id int64) money.BP {
	for _, x := range r.Tiers {
		if x.TierID == id {
			return x.BP
		}
	}
	return money.Whole
}

// names says whether the rules hold a multiplier of the tier.
func (r Rules) names(tierID int64) bool {
	return slices.ContainsFunc(r.Tiers, func(x TierRate) bool { return x.TierID == tierID })
}

func (r Rules) day(day string) (money.BP, string) {
	for _, x := range r.Days {
		if x.on(day) {
			return x.BP, x.Name
		}
	}
	return money.Whole, ""
}

// Earned is how many points items bring: a pure function. base is points per yuan ×10000; nothing is rounded before the end, and then
// down, so that splitting a bill never brings more.
func (r Rules) Earned(base money.BP, items []Item, tierID int64, day string) int64 {
	sum := new(big.Rat)
	for _, i := range items {
		if i.PaidFen <= 0 {
			continue
		}
		if i.PointsEach != nil {
			part := big.NewRat(max(*i.PointsEach, 0), 1)
			part.Mul(part, big.NewRat(max(i.Qty, 0), 1))
			if i.DueFen > i.PaidFen {
				part.Mul(part, big.NewRat(int64(i.PaidFen), int64(i.DueFen)))
			}
			sum.Add(sum, part)
			continue
		}
		part := big.NewRat(int64(i.PaidFen), 100)
		part.Mul(part, big.NewRat(int64(max(base, 0)), 10000))
		sum.Add(sum, part.Mul(part, big.NewRat(int64(r.share(i)), 10000)))
	}
	times, _ := r.day(day)
	sum.Mul(sum, big.NewRat(int64(r.tier(tierID)), 10000))
	sum.Mul(sum, big.NewRat(int64(times), 10000))
	n := new(big.Int).Quo(sum.Num(), sum.Denom())
	if !n.IsInt64() {
		return 0
	}
	return n.Int64()
}

// Expiry is when points that come at t end: with the month that lies so many months later, in the zone; 0 months is never, as 0.
func Expiry(t time.Time, months int64, zone string) int64 {
	if months <= 0 {
		return 0
	}
	loc := bizday.Location(zone)
	in := t.In(loc)
	return time.Date(in.Year(), in.Month()+time.Month(months)+1, 1, 0, 0, 0, 0, loc).UnixMilli()
}

// lastDay is the last date on which what expires at the instant (unix ms) may be used.
func lastDay(expiresAt int64) string {
	return bizday.Of(time.UnixMilli(expiresAt-1), bizday.DefaultZone)
}

// times writes a multiplier the way people read it: 1.5 倍.
func times(r money.BP) string {
	s := fmt.Sprintf("%d.%04d", r/10000, r%10000)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".") + " 倍"
}
