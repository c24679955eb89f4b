// Package pass is what is paid ahead as work, not as money: so many washes, a year of them, a bundle of services (D04–D09).
//
// Model: a Plan is what can be bought; a Pass is one that was bought, with the Plan's terms frozen in it (X02), made of Lines: each covers some
// services or goods, so many times or as often as the period allows. A Use is one line on one item of an order; a Fund is a sale that paid for
// it. pending → active ⇄ paused → used | expired | refunded, or void when nobody paid. A renewal and a second purchase are passes of their own (N17).
// Owns: pass_plans, pass_passes, pass_lines, pass_plates, pass_uses, pass_funds, pass_refunds, pass_events. Invariants: editing a plan never touches what
// was sold; uses live in the ledger, one lot or more a line, and a line's count is the sum of its lots; value + what was earned + what went
// back is what was paid; a use earns the line's share and the last one the rest, a period pass earns by the time that passed; expiry, pause,
// plate, store and limit a day are checked again under the lock (N09, N10); a refund ends the pass (N10) and follows one pure calculator (X01).
package pass

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// The kinds of sales that this package delivers.
const (
	SalePass     = "pass"
	SaleRecharge = "pass_recharge"
)

// The states of a pass.
const (
	StatePending  = "pending"
	StateActive   = "active"
	StatePaused   = "paused"
	StateUsed     = "used"
	StateExpired  = "expired"
	StateRefunded = "refunded"
	StateVoid     = "void"
)

// Where a pass comes from.
const (
	SourceSale    = "sale"
	SourceRenewal = "renewal"
	SourceGift    = "gift" // the shop gave it: a campaign, a code, the mall
)

const day = 24 * time.Hour

// giftLife is how long a gift may be claimed.
const giftLife = 7 * day

// Faults of this package.
var (
	ErrPlan     = fault.Define(fault.Conflict, "pass.plan_unavailable", "这种卡现在不能购买，请重新选择")
	ErrName     = fault.Define(fault.Conflict, "pass.plan_name_taken", "已有同名的卡种，请换一个名称")
	ErrSoldOut  = fault.Define(fault.Conflict, "pass.sold_out", "这种卡已经售完")
	ErrMany     = fault.Define(fault.Conflict, "pass.per_member", "已达到每人限购的张数")
	ErrPlate    = fault.Define(fault.Invalid, "pass.plate", "车牌号不正确，请检查")
	ErrPlateCap = fault.Define(fault.Conflict, "pass.plate_limit", "绑定的车牌已满，请选择要换掉的车牌")
	ErrPlateHot = fault.Define(fault.Conflict, "pass.plate_cooling_off", "刚换过车牌，过几天才能再换")
	ErrUse      = fault.Define(fault.Conflict, "pass.not_usable", "这张卡现在不能用，请换一种方式")
	ErrState    = fault.Define(fault.Conflict, "pass.state", "这张卡现在的状态不能这样操作，请刷新后再看")
	ErrPause    = fault.Define(fault.Conflict, "pass.pause", "这张卡不能暂停")
	ErrNoGift   = fault.Define(fault.Conflict, "pass.not_giftable", "这张卡不能转赠")
	ErrClaim    = fault.Define(fault.NotFound, "pass.claim_unknown", "赠卡码无效或已被领取，请让赠送人确认")
	ErrGifted   = fault.Define(fault.Conflict, "pass.given_away", "这张卡已经转赠他人，这次消费不能撤销，请当面协商")
	ErrRecharge = fault.Define(fault.Conflict, "pass.not_rechargeable", "这张卡不能充次")
	ErrRenew    = fault.Define(fault.Conflict, "pass.not_renewable", "这张卡没有自动续期")
	ErrRefund   = fault.Define(fault.Conflict, "pass.nothing_to_refund", "这张卡没有可退的款项")
	ErrChanged  = fault.Define(fault.Conflict, "pass.refund_plan_changed", "卡刚刚有变动，退款方案已更新，请重新确认")
)

// Line is a part of a pass with its own count.
type Line struct {
	ID         int64
	PassID     int64
	Sort       int64
	Title      string
	Counted    bool
	Times      int64     // granted in all; 0 when not counted
	Left       int64     // 0 when not counted
	Lost       int64     // what expired of it
	ValueFen   money.Fen // what is owed for Left; 0 in a pass that earns by time
	LostFen    money.Fen // what was owed for Lost
	ListFen    money.Fen // agreed price of a single use
	ServiceIDs []int64
	GoodIDs    []int64
	Used       int64 // live uses
	UsedToday  int64 // live uses on the day that was asked about
}

// Pass is one purchase of a plan.
type Pass struct {
	ID        int64
	No        string
	PlanID    int64
	MemberID  int64 // who holds it
	PayerID   int64 // who paid
	StoreID   int64 // where it was sold; 0 online
	SaleID    int64 // 0 for a gift of the shop
	RenewsID  int64 // the pass that it follows; 0 none
	Source    string
	Name      string
	Kind      string
	State     string
	Terms     Terms
	PaidFen   money.Fen
	ValueFen  money.Fen // paid, and neither earned nor given back
	LostFen   money.Fen // what was left of it when it expired
	StartsAt  time.Time
	ExpiresAt time.Time // zero: never
	UsedAt    time.Time // first use; zero before it
	LastUse   time.Time // of the uses that were not undone; zero without one

	PausedAt   time.Time // zero when it runs
	PauseUntil time.Time // when it runs again by itself
	Paused     time.Duration
	PlateAt    time.Time // last change of a plate
	RenewOn    bool
	RenewNote  string // why the renewal failed
	NoticedAt  time.Time
	GiftCode   string
	GiftUntil  time.Time
	GivenBy    int64
	EndPosting int64
	CreatedAt  time.Time
	PaidAt     time.Time
	EndedAt    time.Time

	Lines  []Line
	Plates []string
}

// ByTime says whether the pass earns by the time that passes, not by use.
func (p Pass) ByTime() bool { return p.Kind != KindTimes }

// Ask says for whom, where and when covers are wanted.
type Ask struct {
	MemberID, StoreID, ClassID int64
	Plate                      string
	At                         time.Time
}

// Use is one line on one item of an order. ServiceID or GoodID says what is served.
type Use struct {
	OrderID, MemberID, StoreID, LineID, ServiceID, GoodID, Qty int64
	Plate, BizDay                                              string
}

// expired says whether the pass is over at an instant.
func (p Pass) expired(at time.Time) bool { return !p.ExpiresAt.IsZero() && !at.Before(p.ExpiresAt) }

// gifting says whether the pass waits for somebody to claim it.
func (p Pass) gifting(at time.Time) bool { return p.GiftCode != "" && at.Before(p.GiftUntil) }

// rest is how long a pass that was used is not given on.
const rest = day

// giftable says whether the pass may be given to somebody now. Fault: ErrNoGift with the reason.
func (p Pass) giftable(at time.Time) error {
	switch {
	case !p.Terms.Giftable:
		return ErrNoGift
	case p.GivenBy != 0:
		return ErrNoGift.Say("别人赠送的卡不能再转赠")
	case p.State != StateActive || p.expired(at):
		return ErrNoGift.Say("这张卡现在的状态不能转赠")
	case !p.LastUse.IsZero() && at.Sub(p.LastUse) < rest:
		return ErrNoGift.Say("今天用过的卡，请 24 小时后再转赠")
	}
	return nil
}

// why says why the pass cannot be used, in Chinese; "" when it can.
func (p Pass) why(storeID int64, plate string, at time.Time) string {
	switch {
	case p.State == StateRefunded:
		return "已退卡"
	case p.State == StateExpired || p.expired(at) && p.State == StateActive:
		return "已于 " + lastDay(p.ExpiresAt) + " 到期"
	case p.State == StatePaused:
		return "已暂停，恢复后可用"
	case p.State == StateUsed:
		return "已用完"
	case p.State != StateActive:
		return "还没有付款"
	case p.gifting(at):
		return "已转赠，等待对方领取"
	case at.Before(p.StartsAt):
		return p.StartsAt.In(zone()).Format(time.DateOnly) + " 起可用"
	case len(p.Terms.StoreIDs) > 0 && !slices.Contains(p.Terms.StoreIDs, storeID):
		return "不能在这家门店使用"
	case p.Terms.Plates > 0 && len(p.Plates) == 0:
		return "还没有绑定车牌"
	case p.Terms.Plates > 0 && !slices.Contains(p.Plates, plate):
		return "仅限 " + strings.Join(p.Plates, "、") + " 使用"
	}
	return ""
}

// left is how often the line may be used now, the limit a day included; -1 is without limit. Why says why it is 0.
func (p Pass) left(l Line) (n int64, why string) {
	n = -1
	if l.Counted {
		n = l.Left
		if n == 0 {
			return 0, "次数已用完"
		}
	}
	if limit := p.Terms.PerDay; limit > 0 {
		today := limit - l.UsedToday
		if today <= 0 {
			return 0, fmt.Sprintf("今天已用 %d 次，每天限 %d 次", l.UsedToday, limit)
		}
		if n < 0 || today < n {
			n = today
		}
	}
	return n, ""
}

// covers says whether the line pays for a service or good as it is, without an upgrade.
func (l Line) covers(serviceID, goodID int64) bool {
	return serviceID != 0 && slices.Contains(l.ServiceIDs, serviceID) || goodID != 0 && slices.Contains(l.GoodIDs, goodID)
}

// earn takes the value of qty uses out of the line: its share each, and the last use takes what is left.
func (l *Line) earn(qty int64) (sum money.Fen) {
	for ; qty > 0 && l.Left > 0; qty-- {
		v := l.ValueFen / money.Fen(l.Left)
		if l.Left == 1 {
			v = l.ValueFen
		}
		l.ValueFen -= v
		l.Left--
		sum += v
	}
	return sum
}

// days are the whole days that passed of a pass that earns by time, and those that it lasts; pauses do not count.
func (p Pass) days(at time.Time) (gone, total int64) {
	if p.ExpiresAt.IsZero() {
		return 0, 0
	}
	if !p.PausedAt.IsZero() && at.After(p.PausedAt) {
		at = p.PausedAt
	}
	total = int64((p.ExpiresAt.Sub(p.StartsAt) - p.Paused + day - 1) / day)
	return min(max(int64((at.Sub(p.StartsAt)-p.Paused)/day), 0), total), total
}

// elapsed is what a pass that earns by time has earned in all at an instant, rounded down in favour of the member.
func (p Pass) elapsed(at time.Time) money.Fen {
	gone, total := p.days(at)
	if total <= 0 {
		return 0
	}
	return p.PaidFen * money.Fen(gone) / money.Fen(total)
}

// due is what the pass has earned by now and is not yet taken from its value.
func (p Pass) due(at time.Time) money.Fen {
	if !p.ByTime() {
		return 0
	}
	earned := p.PaidFen - p.ValueFen
	return min(max(p.elapsed(at)-earned, 0), p.ValueFen)
}

// endPause forgets a pause: the pass ends.
func (p *Pass) endPause() { p.PausedAt, p.PauseUntil = time.Time{}, time.Time{} }

// usedUp says whether no use is left in a pass that is counted.
func (p Pass) usedUp() bool {
	return !p.ByTime() && !slices.ContainsFunc(p.Lines, func(l Line) bool { return l.Left > 0 })
}

// endOf is the midnight after the last day of a validity that begins on the day of from; zero for ever.
func endOf(from time.Time, days, months int64) time.Time { return endOn(from, days, months, 0) }

// endOn is endOf for what follows a validity whose last day is from's. anchor is the day of the month on which the first of them began: a month
// that was too short for it does not shorten those after it.
func endOn(from time.Time, days, months int64, anchor int) time.Time {
	if days <= 0 && months <= 0 {
		return time.Time{}
	}
	t := from.In(zone())
	last := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zone())
	if months > 0 {
		d := t.Day()
		if d == daysIn(t) {
			d = max(d, anchor)
		}
		last = addMonths(last, int(months), d)
	}
	return last.AddDate(0, 0, int(days)+1).UTC()
}

// addMonths is the day of the month so many months later, or that month's last where it has no such day.
func addMonths(t time.Time, n, day int) time.Time {
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, t.Location())
	return first.AddDate(0, 0, min(day, daysIn(first))-1)
}

// daysIn is how many days the month of t has.
func daysIn(t time.Time) int {
	return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, t.Location()).Day()
}

func zone() *time.Location { return bizday.Location(bizday.DefaultZone) }

// lastDay is the last day on which something that ends at t is good.
func lastDay(t time.Time) string { return t.Add(-time.Millisecond).In(zone()).Format(time.DateOnly) }
