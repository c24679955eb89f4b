package campaign

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
)

// desk sells a thing for any price.
type desk struct {
	*rig
	sales *sale.Service
	price money.Fen
}

func (d *desk) OfferTx(context.Context, *db.Tx, sale.Buy) (sale.Terms, error) {
	return sale.Terms{Title: "十次卡", PriceFen: d.price, Account: ledger.Passes, BalanceAllowed: true}, nil
}
func (*desk) DeliverTx(context.Context, *db.Tx, sale.Sale) (sale.Delivered, error) {
	return sale.Delivered{ID: 1}, nil
}
func (*desk) ReleaseTx(context.Context, *db.Tx, sale.Sale) error { return nil }

func newDesk(t *testing.T) *desk {
	r := newRig(t)
	log := slog.New(slog.DiscardHandler)
	d := &desk{rig: r}
	d.sales = sale.New(r.db, log, r.members, payment.New(r.db, jobs.New(r.db, log), nil, log), shop.New(r.db), setting.New(r.db))
	d.sales.Offer("thing", d)
	return d
}

func (d *desk) sell(m int64, price money.Fen, method string) (x sale.Sale) {
	d.t.Helper()
	d.price = price
	must(d.t, d.db.InTx(d.ctx(), func(ctx context.Context, tx *db.Tx) (err error) {
		x, err = d.sales.BeginTx(ctx, tx, sale.Buy{Kind: "thing", SubjectID: 1, MemberID: m}, sale.Pay{Method: method})
		return err
	}))
	return x
}

func (d *desk) back(x sale.Sale, amount money.Fen) {
	d.t.Helper()
	must(d.t, d.db.InTx(d.ctx(), func(ctx context.Context, tx *db.Tx) error {
		_, err := d.sales.RefundTx(ctx, tx, sale.Refund{SaleID: x.ID, AmountFen: amount, Reason: "退款"})
		return err
	}))
}

// counter notes how many of something members hold.
type counter struct{ n map[int64]int64 }

func (*counter) Check(context.Context, db.Reader, int64, int64) (string, error) {
	return "洗车券", nil
}
func (c *counter) GiveTx(_ context.Context, _ *db.Tx, g Grant) ([]int64, error) {
	c.n[g.MemberID] += g.N
	return nil, nil
}
func (c *counter) TakeBackTx(_ context.Context, _ *db.Tx, g Grant) error {
	c.n[g.MemberID] -= g.Take
	return nil
}

// N11: who buys, gets points and gives a part back keeps points for what stays; who gives all back keeps none.
func TestN11APartOfAPurchaseGoesBackWithItsPoints(t *testing.T) {
	d := newDesk(t)
	coupons := &counter{map[int64]int64{}}
	d.Connect(Coupon, coupons)
	m := d.join("")
	d.rule(RuleInput{Trigger: AfterPurchase, Terms: Terms{MinFen: 50000}, Gift: Gift{{Kind: Points, N: 1000}, {Kind: Coupon, ID: 7, N: 2}}})
	d.clk.Advance(time.Second)
	x := d.sell(m, 99900, sale.MethodCash)
	d.sweep()
	d.want(m, 1000, "bought")
	d.back(x, 33300)
	d.sweep()
	d.want(m, 666, "a third went back: two thirds stay, rounded down as they are earned")
	d.clk.Advance(10 * time.Minute)
	d.sweep()
	d.sweep()
	d.want(m, 666, "no sweep takes it twice")
	if coupons.n[m] != 2 {
		t.Errorf("the member holds %d coupons: the rest still earns them", coupons.n[m])
	}
	// What is spent already becomes a debt.
	must(t, d.db.InTx(d.ctx(), func(ctx context.Context, tx *db.Tx) error {
		return d.points.TakeTx(ctx, tx, m, 600, "test", 1, "换走")
	}))
	d.back(x, 33300)
	d.sweep()
	d.want(m, 333-600, "two thirds went back")
	if coupons.n[m] != 0 {
		t.Errorf("the member keeps %d coupons for less than the least", coupons.n[m])
	}
	d.back(x, 33300)
	d.sweep()
	d.sweep()
	d.want(m, -600, "all of it went back")
	d.exact()
	// Bought and given back between two looks; and a rule that is gone.
	rules, _, err := d.Rules(t.Context())
	must(t, err)
	y, z := d.sell(m, 100000, sale.MethodCash), d.sell(m, 100000, sale.MethodCash)
	d.back(y, 100000)
	d.back(z, 40000)
	d.sweep()
	d.want(m, 0, "600 of the second one, which pay the debt")
	must(t, d.DeleteRule(d.ctx(), rules[0].ID))
	d.back(z, 30000)
	d.sweep()
	d.want(m, -300, "what a rule gave follows the money also when it is gone")
	d.exact()
	var out []string
	must(t, d.sales.Audit(t.Context(), func(p string) { out = append(out, p) }))
	if len(out) > 0 {
		t.Error(strings.Join(out, "\n"))
	}
}

// What bonus paid brought nothing, and its way back takes nothing.
func TestBonusThatGoesBackTakesNoPoints(t *testing.T) {
	d := newDesk(t)
	m := d.join("")
	d.rule(RuleInput{Trigger: AfterPurchase, Terms: Terms{MinFen: 100}, Gift: Gift{{Kind: Points, N: 100}}})
	must(t, d.db.InTx(d.ctx(), func(ctx context.Context, tx *db.Tx) error {
		b, err := ledger.LockTx(ctx, tx, m)
		if err != nil {
			return err
		}
		_, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindTopup, BizDay: "2026-11-18", RefKind: "test", RefID: tx.NewID()},
			ledger.Leg{Unit: ledger.Principal, Amount: 8000}, ledger.ShopLeg(ledger.Cash, -8000), ledger.Leg{Unit: ledger.Bonus, Amount: 2000}, ledger.ShopLeg(ledger.BonusGranted, -2000))
		return err
	}))
	d.clk.Advance(time.Second)
	x := d.sell(m, 10000, sale.MethodBalance)
	d.sweep()
	d.want(m, 100, "bought")
	d.back(x, 2500)
	d.sweep()
	d.want(m, 75, "a quarter of principal and bonus went back")
	d.exact()
}

// D13: a voucher for each full amount, up to a cap, and back by the same steps.
func TestForEachFullAmount(t *testing.T) {
	d := newDesk(t)
	coupons := &counter{map[int64]int64{}}
	d.Connect(Coupon, coupons)
	m := d.join("")
	d.rule(RuleInput{Trigger: AfterPurchase, Terms: Terms{StepFen: 10000, StepMost: 5}, Gift: Gift{{Kind: Coupon, ID: 7, N: 2}, {Kind: Points, N: 20}}})
	d.clk.Advance(time.Second)
	want := func(c, p int64, what string) {
		t.Helper()
		d.sweep()
		d.sweep()
		d.want(m, p, what)
		if coupons.n[m] != c {
			t.Errorf("%s: the member holds %d coupons, want %d", what, coupons.n[m], c)
		}
	}
	d.sell(m, 9999, sale.MethodCash)
	want(0, 0, "not full")
	x := d.sell(m, 25000, sale.MethodCash)
	want(4, 40, "two full hundreds")
	y := d.sell(m, 90000, sale.MethodCash)
	want(14, 140, "no more than five")
	d.back(x, 5000)
	want(14, 140, "two full hundreds are left")
	d.back(x, 1)
	want(12, 120, "one full hundred is left")
	d.back(y, 40000)
	want(12, 120, "what is left still brings five")
	d.back(y, 10000)
	want(10, 100, "four")
	d.back(x, 19999)
	want(8, 80, "all of it")
	d.exact()

	points := Gift{{Kind: Points, N: 1}}
	for name, c := range map[string]struct {
		in    RuleInput
		field string
	}{
		"another trigger": {RuleInput{Name: "x", Trigger: Join, Terms: Terms{StepFen: 10000, StepMost: 1}, Gift: points}, "terms.stepFen"},
		"tiny":            {RuleInput{Name: "x", Trigger: AfterPurchase, Terms: Terms{StepFen: 99, StepMost: 1}, Gift: points}, "terms.stepFen"},
		"no cap":          {RuleInput{Name: "x", Trigger: AfterPurchase, Terms: Terms{StepFen: 10000}, Gift: points}, "terms.stepMost"},
		"no step":         {RuleInput{Name: "x", Trigger: AfterPurchase, Terms: Terms{MinFen: 1, StepMost: 3}, Gift: points}, "terms.stepFen"},
		"a membership":    {RuleInput{Name: "x", Trigger: AfterPurchase, Terms: Terms{StepFen: 10000, StepMost: 2}, Gift: Gift{{Kind: Membership, ID: 1, N: 1}}}, "gift[0].kind"},
		"too many":        {RuleInput{Name: "x", Trigger: AfterPurchase, Terms: Terms{StepFen: 10000, StepMost: 51}, Gift: Gift{{Kind: Coupon, ID: 7, N: 2}}}, "gift[0].n"},
	} {
		_, err := d.SaveRule(d.ctx(), 0, c.in)
		if f := fault.As(err); err == nil || len(f.Fields) != 1 || f.Fields[0].Field != c.field {
			t.Errorf("%s: %v %+v, want a complaint at %s", name, err, f, c.field)
		}
	}
}
