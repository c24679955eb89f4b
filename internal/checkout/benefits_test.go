package checkout_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/pricing"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/tier"
)

// A pass pays by itself: the quote says so, its value becomes revenue, and a reversal brings use and value back.
func TestPassPaysAndComesBack(t *testing.T) {
	c := openClub(t)
	m := c.member(false)
	p := c.pass(m, 10)
	q := c.quote(c.asks(m))
	if q.TotalFen != 0 || q.SavedFen != 4500 || len(q.Suggestion) != 0 || len(q.Benefits.Covers) != 1 || *q.Offers.Covers[0].Left != 10 {
		t.Fatalf("%+v %+v", q, q.Offers)
	}
	o := c.settles(c.asks(m))
	if o.Total != 0 || o.Recognised != 3000 || len(o.Benefits) != 1 || *o.Benefits[0].LeftAfter != 9 || o.Benefits[0].SavedFen != 4500 || o.PointsEarned != 0 {
		t.Fatalf("%+v", o)
	}
	c.holds(m, 9, 0, 0)
	if c.account(ledger.Revenue) != 3000 || c.account(ledger.Passes) != 27000 {
		t.Errorf("revenue %d, passes %d", c.account(ledger.Revenue), c.account(ledger.Passes))
	}
	c.exact()
	o = c.reverse(o.ID)
	if o.Benefits[0].State != "undone" {
		t.Errorf("%+v", o.Benefits)
	}
	c.holds(m, 10, 0, 0)
	if c.account(ledger.Revenue) != 0 || c.account(ledger.Passes) != 30000 {
		t.Errorf("revenue %d, passes %d", c.account(ledger.Revenue), c.account(ledger.Passes))
	}
	if _, err := c.till.Reverse(c.key(), o.ID, "再撤一次"); !errors.Is(err, checkout.ErrState) {
		t.Error(err)
	}
	if got, _ := c.passes.Pass(t.Context(), m, p.ID); got.Lines[0].Left != 10 {
		t.Errorf("%+v", got.Lines)
	}
	c.exact()
}

// What is asked for by name is used and nothing else; what cannot be used says why at its field.
func TestBenefitsByName(t *testing.T) {
	c := openClub(t)
	m := c.member(false)
	p := c.pass(m, 2)
	off := c.coupon(m, 1000)
	r := c.asks(m, checkout.Item{Kind: catalog.KindService, ID: c.Wash, Qty: 1}, checkout.Item{Kind: catalog.KindGood, ID: c.mat, Qty: 2})
	r.Benefits = &checkout.BenefitAsk{}
	if q := c.quote(r); q.TotalFen != 9500 || len(q.Offers.Coupons) != 1 || !slices.Equal(q.Offers.Covers[0].Items, []int{0}) {
		t.Fatalf("nothing is asked for: %+v", q)
	}
	r.Benefits = &checkout.BenefitAsk{CouponIDs: []int64{off}}
	if q := c.quote(r); q.TotalFen != 8500 {
		t.Fatalf("%+v", q)
	}
	for field, b := range map[string]checkout.BenefitAsk{
		"benefits.couponIds[0]":        {CouponIDs: []int64{99}},
		"benefits.couponIds[1]":        {CouponIDs: []int64{off, off}},
		"benefits.covers[0]":           {Covers: []pricing.CoverUse{{Kind: "pass", ID: 99, Qty: 1}}},
		"benefits.covers[0].qty":       {Covers: []pricing.CoverUse{{Kind: "pass", ID: p.Lines[0].ID, Qty: 3}}},
		"benefits.covers[0].itemIndex": {Covers: []pricing.CoverUse{{Kind: "pass", ID: p.Lines[0].ID, Item: 7, Qty: 1}}},
	} {
		r.Benefits = &b
		_, err := c.till.Quote(c.Ctx(), r)
		if f := fault.As(err); len(f.Fields) != 1 || f.Fields[0].Field != field {
			t.Errorf("%s: %v %v", field, err, f.Fields)
		}
	}
	r.Benefits = &checkout.BenefitAsk{Covers: []pricing.CoverUse{{Kind: "pass", ID: p.Lines[0].ID, Qty: 1}}, CouponIDs: []int64{off}}
	o := c.settles(r)
	if o.Total != 4000 || o.PointsEarned != 40 {
		t.Errorf("%+v", o)
	}
	c.couponIs(off, coupon.Used)
	c.holds(m, 1, 40, 0)
	c.exact()
	c.reverse(o.ID)
	c.couponIs(off, coupon.Available)
	c.holds(m, 2, 0, 0)
	c.exact()
}

// N10: what is over, paused, for another car or another member pays nothing, also when it ended between quote and settlement.
func TestN10NothingOverPays(t *testing.T) {
	c := openClub(t)
	m, other := c.member(false), c.member(false)
	c.pass(m, 5, func(in *pass.PlanInput) { in.ValidMonths, in.ValidDays = 0, 1 })
	off := c.coupon(m, 1000, func(in *coupon.TemplateInput) { in.ValidDays = 1 })
	r := c.asks(m)
	q := c.quote(r)
	if q.TotalFen != 0 {
		t.Fatalf("%+v", q)
	}
	r.Benefits = &checkout.BenefitAsk{CouponIDs: []int64{off}}
	withCoupon := c.quote(r)
	c.Clock.Advance(72 * time.Hour)
	if _, err := c.till.Settle(c.key(), c.asks(m), q.QuoteHash, nil); !errors.Is(err, checkout.ErrQuoteChanged) {
		t.Errorf("an expired pass paid: %v", err)
	} else if now := fault.As(err).Detail.(map[string]any)["quote"].(checkout.Quote); now.TotalFen != 4500 {
		t.Errorf("the new quote is %+v", now)
	}
	if _, err := c.till.Settle(c.key(), r, withCoupon.QuoteHash, []checkout.Tender{tender(checkout.TenderCash, 3500)}); !errors.Is(err, pricing.ErrCoupon) {
		t.Errorf("an expired coupon paid: %v", err)
	}
	theirs := c.coupon(other, 1000)
	r.Benefits = &checkout.BenefitAsk{CouponIDs: []int64{theirs}}
	if _, err := c.till.Quote(c.key(), r); !errors.Is(err, pricing.ErrCoupon) {
		t.Errorf("somebody else's coupon: %v", err)
	}
	c.couponIs(theirs, coupon.Available)
	c.exact()
}

// N11: points of a reversed purchase are taken back, once, and what is spent already is owed.
func TestN11PointsAreTakenBack(t *testing.T) {
	c := openClub(t)
	c.set(setting.PointsMaxPayBP, 10000)
	m := c.member(false)
	first := c.settles(c.asks(m, checkout.Item{Kind: catalog.KindService, ID: c.Wax, Qty: 5}))
	if first.PointsEarned != 1000 {
		t.Fatalf("earned %d", first.PointsEarned)
	}
	second := c.settles(c.asks(m, checkout.Item{Kind: catalog.KindGood, ID: c.mat, Qty: 1}), tender(checkout.TenderPoints, 700))
	c.holds(m, 0, 300+18, 0)
	c.reverse(first.ID)
	c.holds(m, 0, 0, 682)
	c.exact()
	c.reverse(second.ID) // 700 points come back and pay what is owed; the 18 are taken back
	b, err := ledger.BalanceOf(t.Context(), c.DB, m)
	shopfloor.Must(t, err)
	if b.Points-b.PointsDebt != 0 {
		t.Errorf("%d points, %d owed: want nothing in all", b.Points, b.PointsDebt)
	}
	c.exact()
}

// Points are a tender: as many as the shop allows, exactly as many as the amount needs, and back when the order is reversed.
func TestPointsPay(t *testing.T) {
	c := openClub(t)
	c.set(setting.PointsMaxPayBP, 5000)
	m := c.member(true)
	c.give(m, 3000)
	r := c.asks(m)
	r.Benefits = &checkout.BenefitAsk{Auto: true, Points: 10000}
	q := c.quote(r)
	if q.Offers.Points.MaxFen != 2250 || q.Offers.Points.Max != 2250 || q.Benefits.PointsFen != 2250 || q.Suggestion[0] != (checkout.Tender{Kind: checkout.TenderPoints, AmountFen: 2250}) {
		t.Fatalf("%+v %+v", q.Offers.Points, q.Suggestion)
	}
	if _, err := c.till.Settle(c.key(), r, q.QuoteHash, []checkout.Tender{tender(checkout.TenderPoints, 2251), tender(checkout.TenderBalance, 2249)}); !errors.Is(err, checkout.ErrPoints) {
		t.Errorf("more than allowed: %v", err)
	}
	o, err := c.till.Settle(c.key(), r, q.QuoteHash, q.Suggestion)
	shopfloor.Must(t, err)
	// 22.50 from the wallet, of which 580 : 500 is principal: only that brings points.
	if want := int64(o.Tenders[1].PrincipalFen) / 100; o.PointsEarned != want || want == 0 {
		t.Errorf("earned %d, want %d", o.PointsEarned, want)
	}
	c.holds(m, 0, 750+o.PointsEarned, 0)
	if c.account(ledger.PointsPaid) != -2250 {
		t.Errorf("points paid %d", c.account(ledger.PointsPaid))
	}
	c.exact()
	c.reverse(o.ID)
	c.holds(m, 0, 3000, 0)
	c.exact()
	if _, err := c.try(c.asks(0), tender(checkout.TenderPoints, 100)); !errors.Is(err, checkout.ErrPoints) && !errors.Is(err, checkout.ErrWalkIn) {
		t.Errorf("a walk-in has no points: %v", err)
	}
}

// N15, N31: an order that waits holds its coupon, its uses and its points; cancelled it gives all back, paid it keeps them, reversed it undoes what it
// brought.
func TestN15WaitingOrder(t *testing.T) {
	c := openClub(t)
	c.set(setting.PointsMaxPayBP, 5000)
	m := c.member(false)
	c.pass(m, 3)
	off := c.coupon(m, 1000)
	c.give(m, 5000)
	r := c.asks(m, checkout.Item{Kind: catalog.KindService, ID: c.Wash, Qty: 1}, checkout.Item{Kind: catalog.KindService, ID: c.Wax, Qty: 1})
	wait := func() checkout.Order {
		t.Helper()
		q := c.quote(r)
		if q.TotalFen != 19000 {
			t.Fatalf("%+v", q)
		}
		o, err := c.till.Settle(c.key(), r, q.QuoteHash, []checkout.Tender{tender(checkout.TenderPoints, 4000), tender(checkout.TenderNative, 15000)})
		shopfloor.Must(t, err)
		if o.Status != checkout.Awaiting {
			t.Fatalf("%+v", o)
		}
		c.couponIs(off, coupon.Held)
		c.holds(m, 2, 1000, 0)
		return o
	}
	o := wait()
	again := c.asks(m, checkout.Item{Kind: catalog.KindService, ID: c.Wax, Qty: 1})
	again.Benefits = &checkout.BenefitAsk{CouponIDs: []int64{off}}
	if _, err := c.till.Quote(c.key(), again); !errors.Is(err, pricing.ErrCoupon) {
		t.Errorf("one coupon in two orders: %v", err)
	}
	_, err := c.till.Poll(c.key(), o.ID)
	shopfloor.Must(t, err)
	o, err = c.till.Cancel(c.key(), o.ID)
	shopfloor.Must(t, err)
	if o.Status != checkout.Cancelled || slices.ContainsFunc(o.Benefits, func(b checkout.Benefit) bool { return b.State != "undone" }) {
		t.Errorf("%+v", o)
	}
	c.couponIs(off, coupon.Available)
	c.holds(m, 3, 5000, 0)
	c.exact()
	o = c.scans(wait())
	if o.Status != checkout.Settled || o.PointsEarned != 150 {
		t.Errorf("%+v", o)
	}
	c.couponIs(off, coupon.Used)
	c.holds(m, 2, 1150, 0)
	if c.account(ledger.Passes) != 6000 || c.account(ledger.Revenue) != 3000+19000 {
		t.Errorf("passes %d, revenue %d", c.account(ledger.Passes), c.account(ledger.Revenue))
	}
	c.exact()
	c.reverse(o.ID)
	c.couponIs(off, coupon.Available)
	c.holds(m, 3, 5000, 0)
	if c.account(ledger.Passes) != 9000 || c.account(ledger.Revenue) != 0 {
		t.Errorf("passes %d, revenue %d", c.account(ledger.Passes), c.account(ledger.Revenue))
	}
	c.exact()
}

// A tier's monthly wash, its discount and a member price show in a quote; the right is used once and comes back with a reversal.
func TestRightsAndTierTerms(t *testing.T) {
	c := openClub(t)
	f, err := c.Tiers.CreateFull(c.Ctx(), tier.Input{Name: "钻石", Color: "#112233", Rank: 5, DiscountBP: 9000, Programme: &tier.Programme{
		MemberPrices: []tier.MemberPrice{{ServiceID: c.Wax, VehicleClassID: c.Car, PriceFen: 15000}},
		Rights:       []tier.Right{{Kind: tier.FreeUse, Title: "每月精洗", ServiceIDs: []int64{c.Wash}, Times: 1, Period: "month"}}}})
	shopfloor.Must(t, err)
	m := c.member(false)
	c.setTier(m, f.ID)
	r := c.asks(m, checkout.Item{Kind: catalog.KindService, ID: c.Wash, Qty: 2}, checkout.Item{Kind: catalog.KindService, ID: c.Wax, Qty: 1})
	q := c.quote(r)
	if q.TotalFen != 4050+15000 || q.Benefits.Covers[0].Kind != "right" || q.Benefits.Covers[0].Qty != 1 {
		t.Fatalf("%+v", q)
	}
	o := c.settles(r)
	if o.Benefits[0].Kind != checkout.BenefitRight || *o.Benefits[0].LeftAfter != 0 {
		t.Errorf("%+v", o.Benefits)
	}
	if q = c.quote(r); q.TotalFen != 8100+15000 {
		t.Errorf("used twice: %+v", q)
	}
	c.exact()
	c.reverse(o.ID)
	if q = c.quote(r); q.TotalFen != 4050+15000 {
		t.Errorf("not back: %+v", q)
	}
	c.exact()
}

// D09: a dearer service of the same kind costs what it is dearer than the included one.
func TestUpgradeOfAPass(t *testing.T) {
	c := openClub(t)
	m := c.member(false)
	c.pass(m, 3, func(in *pass.PlanInput) { in.Upgrade = true })
	o := c.settles(c.asks(m, checkout.Item{Kind: catalog.KindService, ID: c.Wax, Qty: 1}))
	if o.Total != 20000-4500 || o.Recognised != 3000 || o.PointsEarned != 155 {
		t.Errorf("%+v", o)
	}
	c.holds(m, 2, 155, 0)
	c.exact()
}

// A frozen card uses nothing of what it has, and may still pay in cash.
func TestFrozenCardUsesNothing(t *testing.T) {
	c := openClub(t)
	m := c.member(false)
	c.pass(m, 3)
	_, err := c.Members.FreezeCard(c.Ctx(), m, "捡到卡")
	shopfloor.Must(t, err)
	q := c.quote(c.asks(m))
	if q.TotalFen != 4500 || q.Offers.Covers[0].Why == "" {
		t.Fatalf("%+v", q)
	}
	if o := c.settles(c.asks(m)); o.Total != 4500 {
		t.Errorf("%+v", o)
	}
	c.holds(m, 3, 45, 0)
	c.exact()
}
