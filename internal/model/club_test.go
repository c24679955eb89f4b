package model

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/sale"
)

// What members have beside money: passes, coupons, points, a tier.

const (
	passPrice, passTimes, passDays = 10000, 3, 20
	couponFen, couponDays          = 1000, 10
	pointsPerYuan                  = 10 // earned
	silverAt, silverPercent        = 30000, 95
)

// pass is a card of washes.
type passCard struct {
	id, line int64
	by       *person
	state    string // pending, active, used, expired, refunded, void
	left     int64
	value    int64 // owed for what is left, fen
	used     int64 // by bills that stand or wait
	ends     time.Time
	sale     *bought
}

// good says whether the pass may be used at an instant.
func (p *passCard) good(now time.Time) bool { return p.state == "active" && now.Before(p.ends) }

// earn uses n washes: each is worth its share of what is left.
func (p *passCard) earn(n int64) (fen int64) {
	for range n {
		v := p.value / p.left
		p.value, p.left, p.used, fen = p.value-v, p.left-1, p.used+1, fen+v
	}
	if p.left == 0 {
		p.state = "used"
	}
	return fen
}

// voucher is a coupon.
type voucher struct {
	id    int64
	by    *person
	state string // available, held, used, expired
	ends  time.Time
}

// lot is points that came together.
type lot struct {
	left int64
	ends time.Time
	turn int // of coming
}

// pointLots are a member's lots in the order in which they are spent: those that end first, then those that came first.
func (p *person) pointLots() []*lot {
	slices.SortFunc(p.points, func(a, b *lot) int { return cmp.Or(a.ends.Compare(b.ends), cmp.Compare(a.turn, b.turn)) })
	return p.points
}

func (p *person) allPoints() (n int64) {
	for _, l := range p.points {
		n += l.left
	}
	return n
}

// spendable are the points that may be used at an instant: what has ended may not, and a debt comes first.
func (p *person) spendable(now time.Time) int64 {
	n := -p.debt
	for _, l := range p.points {
		if now.Before(l.ends) {
			n += l.left
		}
	}
	return max(n, 0)
}

// pointsTaken is what one lot gave.
type pointsTaken struct {
	from *lot
	n    int64
}

// takePoints takes n from the lots that have not ended.
func (p *person) takePoints(n int64, now time.Time) (out []pointsTaken) {
	for _, l := range p.pointLots() {
		if k := min(n, l.left); k > 0 && now.Before(l.ends) {
			l.left, n, out = l.left-k, n-k, append(out, pointsTaken{l, k})
		}
	}
	return out
}

// getPoints brings points, which pay a debt first.
func (p *person) getPoints(n int64, now time.Time) *lot {
	p.lots++
	l := &lot{left: n, ends: pointsEnd(now), turn: p.lots}
	p.points = append(p.points, l)
	p.paysDebt(now)
	return l
}

// paysDebt lets what came pay what is owed.
func (p *person) paysDebt(now time.Time) {
	for _, t := range p.takePoints(p.debt, now) {
		p.debt -= t.n
	}
}

// losePoints takes back what a bill brought: from its own lot, then from the others, and the rest is owed.
func (p *person) losePoints(own *lot, n int64, now time.Time) {
	k := min(n, own.left)
	own.left -= k
	n -= k
	for _, t := range p.takePoints(n, now) {
		n -= t.n
	}
	p.debt += n
}

// pointsEnd is the end of the month after next's beginning: points live to the end of the month that is one month later, in China.
func pointsEnd(now time.Time) time.Time {
	china := now.In(time.FixedZone("", 8*3600))
	return time.Date(china.Year(), china.Month()+2, 1, 0, 0, 0, 0, china.Location())
}

// endOfDay is the midnight after the day that is so many days later, in China.
func endOfDay(now time.Time, days int) time.Time {
	china := now.In(time.FixedZone("", 8*3600))
	return time.Date(china.Year(), china.Month(), china.Day()+days+1, 0, 0, 0, 0, china.Location())
}

// spentFen is what a member's visits that stand were worth.
func (h *history) spentFen(p *person) (fen int64) {
	for _, o := range h.orders {
		if o.bearer() == p && o.status == "settled" {
			fen += o.fen + o.recognised - o.tenders["points"]
		}
	}
	return fen
}

func (h *history) buysAPass(r *rand.Rand) {
	p, _ := one(r, h.people)
	method, _ := one(r, []string{sale.MethodCash, sale.MethodBalance, sale.MethodBalance, sale.MethodWeChatNative})
	want := ""
	if method == sale.MethodBalance && p.available() < passPrice {
		want = "wallet.insufficient_balance"
	}
	h.say("  member %d buys a pass by %s", p.id, method)
	ctx := h.staff()
	command := func(ctx context.Context) (int64, error) {
		x, _, err := h.Sales.Begin(ctx, sale.Buy{Kind: pass.SalePass, SubjectID: h.catalog.pass, MemberID: p.id, StoreID: h.store}, sale.Pay{Method: method})
		return x.ID, err
	}
	id, err := command(ctx)
	if !h.answers(want, err) {
		return
	}
	x, err := h.Sales.Sale(h.t.Context(), p.id, id)
	h.need(err)
	c := &passCard{by: p, state: "pending", sale: &bought{id: id, by: p, fen: passPrice, method: method}}
	var ids []struct {
		Pass int64 `db:"pass_id"`
		Line int64 `db:"id"`
	}
	h.need(h.DB.Select(h.t.Context(), &ids, `SELECT l.pass_id, l.id FROM pass_passes p JOIN pass_lines l ON l.pass_id = p.id WHERE p.sale_id = ?`, id))
	if len(ids) != 1 {
		h.fail("the sale made %d lines", len(ids))
	}
	c.id, c.line = ids[0].Pass, ids[0].Line
	p.passes, h.passes = append(p.passes, c), append(h.passes, c)
	h.sells(c.sale, x.PaymentID, "passes", func() {
		c.state, c.left, c.value, c.ends = "active", passTimes, passPrice, endOfDay(h.clk.Now(), passDays)
	}, func() { c.state = "void" })
	if c.sale.pay == nil {
		h.remember(ctx, id, command)
	}
}

func (h *history) getsACoupon(r *rand.Rand) {
	p, _ := one(r, h.people)
	var ids []int64
	h.need(h.DB.InTx(h.t.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
		ids, err = h.Coupons.IssueTx(ctx, tx, coupon.Issue{TemplateID: h.catalog.coupon, MemberID: p.id, N: 1 + r.Int64N(2), Source: coupon.FromStaff})
		return err
	}))
	h.say("  member %d gets %d coupons", p.id, len(ids))
	for _, id := range ids {
		h.hasCoupon(p, id)
	}
}

func (h *history) hasCoupon(p *person, id int64) {
	v := &voucher{id: id, by: p, state: "available", ends: endOfDay(h.clk.Now(), couponDays)}
	p.coupons, h.coupons = append(p.coupons, v), append(h.coupons, v)
}

// isGivenPoints gives or takes points by hand.
func (h *history) isGivenPoints(r *rand.Rand) {
	p, _ := one(r, h.people)
	now := h.clk.Now()
	n := 100 + r.Int64N(3000)
	if r.IntN(3) == 0 {
		n = -[]int64{1, p.spendable(now), p.spendable(now) + 1}[r.IntN(3)]
	}
	want := ""
	if n == 0 {
		want = "points.amount"
	} else if -n > p.spendable(now) {
		want = "points.insufficient"
	}
	h.say("  member %d is given %d points", p.id, n)
	_, err := h.Points.Adjust(h.staff(), p.id, n, "门店调整")
	if !h.answers(want, err) {
		return
	}
	if n > 0 {
		p.getPoints(n, now)
	} else {
		p.takePoints(-n, now)
	}
}

// tierJob lets the job look who has risen or fallen, and whose membership goes on or ends.
func (h *history) tierJob(r *rand.Rand) {
	if r.IntN(3) == 0 && len(h.memberships) > 0 {
		h.waitsUntil(h.clk.Now().Add([]time.Duration{32, 65}[r.IntN(2)] * 24 * time.Hour))
	}
	h.need(h.Tiers.Sweep(h.t.Context()))
	h.need(h.Tiers.Advance(h.t.Context()))
	h.advances()
	for _, p := range h.people {
		h.placed(p)
	}
}

// expiryJobs take away what has ended.
func (h *history) expiryJobs(*rand.Rand) {
	h.clk.Advance(6 * time.Minute)
	h.works("points.expire", "points.expire_all", "coupon.expire", "pass.tick")
	now := h.clk.Now()
	for _, p := range h.people {
		for _, l := range p.points {
			if !now.Before(l.ends) {
				l.left = 0
			}
		}
	}
	for _, v := range h.coupons {
		if v.state == "available" && !now.Before(v.ends) {
			v.state = "expired"
		}
	}
	for _, c := range h.passes {
		if c.state == "active" && !now.Before(c.ends) {
			h.books["passes"] -= c.value
			h.books["revenue"] += c.value
			c.state, c.left, c.value = "expired", 0, 0
		}
	}
}
