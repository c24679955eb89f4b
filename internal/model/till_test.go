package model

import (
	"cmp"
	"context"
	"math/rand/v2"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/pricing"
)

// The till.

// order is a bill.
type order struct {
	id      int64
	by      *person // nil for a walk-in
	fen     int64   // to be paid
	status  string  // awaiting_payment, settled, cancelled, reversed
	tenders map[string]int64
	paidBy  []taken // of stored value
	held    part    // of it, while the bill waits
	pay     *payment
	visit   *visit
	family  *family // that pays a part
	month   string

	pass       *passCard
	uses       int64
	recognised int64 // what its uses were worth
	coupon     *voucher
	points     []pointsTaken
	earned     int64
	lot        *lot // of what was earned
}

// basket is what somebody buys.
type basket struct {
	items  []checkout.Item
	each   []int64 // prices
	washes int64   // of the first item, when it is one
}

func (h *history) fills(r *rand.Rand) (b basket) {
	add := func(kind string, id, qty, each int64) {
		b.items, b.each = append(b.items, checkout.Item{Kind: kind, ID: id, Qty: qty}), append(b.each, each)
	}
	if n := r.IntN(8); n != 0 {
		b.washes = 1 + int64(n)/6
		add(catalog.KindService, h.catalog.wash, b.washes, priceWash)
	}
	if r.IntN(5) == 0 {
		add(catalog.KindService, h.catalog.wax, 1, priceWax)
	}
	if r.IntN(4) == 0 || len(b.items) == 0 {
		add(catalog.KindGood, h.catalog.good, 1+r.Int64N(3), priceGood)
	}
	return b
}

// costs is the price of a basket when so many washes are covered.
func (b basket) costs(silver bool, covered int64) (fen int64) {
	for i, it := range b.items {
		n := it.Qty
		if i == 0 {
			n -= covered
		}
		fen += n * b.each[i]
	}
	if silver {
		fen = fen * silverPercent / 100
	}
	return fen
}

// asks puts what the member has on a bill, and says which fault the quote must have.
func (h *history) asks(r *rand.Rand, o *order, b basket, req *checkout.Request) (fault string) {
	now := h.clk.Now()
	req.Benefits = &checkout.BenefitAsk{}
	if c, ok := one(r, o.by.passes); ok && b.washes > 0 && r.IntN(2) == 0 {
		o.pass, o.uses = c, 1+r.Int64N(b.washes)
		req.Benefits.Covers = []pricing.CoverUse{{Kind: pricing.CoverPass, ID: c.line, Item: 0, Qty: o.uses}}
		if !c.good(now) || o.uses > c.left {
			return "checkout.cover"
		}
	}
	o.fen = b.costs(o.by.silver, o.uses)
	if v, ok := one(r, o.by.coupons); ok && r.IntN(2) == 0 {
		o.coupon = v
		req.Benefits.CouponIDs = []int64{v.id}
		if v.state != "available" || !now.Before(v.ends) || o.fen == 0 {
			return "checkout.coupon"
		}
		o.fen -= min(o.fen, couponFen)
	}
	if len(o.by.passes)+len(o.by.coupons) == 0 && r.IntN(2) == 0 {
		req.Benefits = nil // the best of what there is: nothing
	}
	return ""
}

// tenderKinds are in the order in which they are sent.
var tenderKinds = []string{checkout.TenderDeposit, checkout.TenderPoints, checkout.TenderBalance, checkout.TenderGroup, checkout.TenderCash, checkout.TenderCard, checkout.TenderAlipay, checkout.TenderNative}

// tenders draws how a bill is paid, and says which fault the settlement must have; at once is one that is found before anybody looks at the bill.
func (h *history) tenders(r *rand.Rand, o *order, b basket) (tenders []checkout.Tender, atOnce, fault string) {
	left := o.fen
	pay := func(kind string, fen int64) {
		if fen > 0 {
			o.tenders[kind], left = fen, left-fen
		}
	}
	if v := o.visit; v != nil {
		pay(checkout.TenderDeposit, min([]int64{0, v.left(), v.left(), r.Int64N(v.left() + 1), v.left() + 1}[r.IntN(5)], left))
		if o.tenders[checkout.TenderDeposit] > v.left() {
			atOnce = "checkout.deposit"
		}
	}
	if o.by != nil {
		most := min(o.fen/2, o.by.spendable(h.clk.Now())) // a point is a fen
		if r.IntN(3) == 0 {
			pay(checkout.TenderPoints, min([]int64{most, r.Int64N(most + 1), most + 1}[r.IntN(3)], left))
		}
		if o.tenders[checkout.TenderPoints] > most {
			fault = "checkout.points"
		}
	}
	kinds := []string{checkout.TenderCash, checkout.TenderCash, checkout.TenderCard, checkout.TenderAlipay, checkout.TenderNative, checkout.TenderNative}
	switch {
	case o.family != nil:
		have := o.family.payer.available()
		n := min([]int64{left, left, have, r.Int64N(left + 1), have + 1}[r.IntN(5)], left)
		if pay(checkout.TenderGroup, n); n == 0 {
			break
		}
		atOnce = cmp.Or(atOnce, h.lets(o, b, n))
		if kinds = kinds[:4]; n > have { // what WeChat still has to pay cannot be mixed with it
			fault = cmp.Or(fault, "wallet.insufficient_balance")
		}
	case o.by != nil:
		have := o.by.available()
		pay(checkout.TenderBalance, []int64{0, min(have, left), min(have, left), r.Int64N(min(have, left) + 1), min(have+1, left)}[r.IntN(5)])
		if o.tenders[checkout.TenderBalance] > have {
			fault = cmp.Or(fault, "wallet.insufficient_balance")
		}
	}
	kind, _ := one(r, kinds)
	pay(kind, left)
	for _, kind := range tenderKinds {
		if n := o.tenders[kind]; n > 0 {
			tenders = append(tenders, checkout.Tender{Kind: kind, AmountFen: fenOf(n), Reference: "123456"})
		}
	}
	return tenders, atOnce, fault
}

func (h *history) settles(r *rand.Rand) {
	o := &order{tenders: map[string]int64{}}
	req := checkout.Request{StoreID: h.store, Plate: "浙A12345", VehicleClassID: h.catalog.car}
	b, fault := h.fills(r), ""
	req.Items, o.fen = b.items, b.costs(false, 0)
	visited := ""
	if n := r.IntN(6); n > 0 {
		o.by, _ = one(r, h.people)
		if n > 2 && (len(only(h.visits, (*visit).here)) > 0 || n > 4 && len(h.visits) > 0 && r.IntN(4) == 0) {
			visited = h.rings(r, o, &req)
		}
		if f, ok := one(r, h.families); ok && r.IntN(2) == 0 {
			if x, ok := one(r, f.places); ok && o.visit == nil && r.IntN(12) > 0 {
				o.by = x.by
			}
			o.family, req.GroupID = f, f.id
		}
		req.MemberID, req.Plate = o.by.id, o.by.plate
		fault = cmp.Or(visited, h.asks(r, o, b, &req))
	}
	h.say("  member %d settles %d", req.MemberID, o.fen)
	q, err := h.Checkout.Quote(h.staff(), req)
	if !h.answers(fault, err) {
		return
	}
	if int64(q.TotalFen) != o.fen {
		h.fail("costs %s, the model says %d", q.TotalFen, o.fen)
	}
	if o.visit != nil && int64(q.DepositFen) != o.visit.left() {
		h.fail("%s was paid before, the model says %d", q.DepositFen, o.visit.left())
	}
	tenders, atOnce, fault := h.tenders(r, o, b)
	h.say("  by %v", o.tenders)
	if n := len(tenders); r.IntN(12) == 0 { // what was shown is not what is charged
		q.QuoteHash, fault = "x", "checkout.quote_changed"
	} else if n > 0 && r.IntN(12) == 0 && tenders[n-1].Kind != checkout.TenderDeposit && tenders[n-1].Kind != checkout.TenderGroup {
		tenders[n-1].AmountFen++
		fault = "checkout.tenders"
	}
	fault = cmp.Or(atOnce, fault)
	ctx := h.staff()
	command := func(ctx context.Context) (int64, error) {
		got, err := h.Checkout.Settle(ctx, req, q.QuoteHash, tenders)
		return got.ID, err
	}
	o.id, err = command(ctx)
	if !h.answers(fault, err) {
		return
	}
	h.remember(ctx, o.id, command)
	h.orders = append(h.orders, o)
	if o.visit != nil {
		o.visit.order = o
	}
	h.uses(o)
	o.month = monthOf(h.clk.Now())
	if n := o.tenders[checkout.TenderBalance] + o.tenders[checkout.TenderGroup]; n > 0 {
		o.paidBy, _ = o.bearer().choose(n)
	}
	if n := o.tenders[checkout.TenderNative]; n > 0 {
		h.waits(o, n)
		return
	}
	h.charges(o)
}
