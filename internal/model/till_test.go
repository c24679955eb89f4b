package model

import (
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
	paidBy  []share // of stored value
	held    part    // of it, while the bill waits
	pay     *payment

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
var tenderKinds = []string{checkout.TenderPoints, checkout.TenderBalance, checkout.TenderCash, checkout.TenderCard, checkout.TenderAlipay, checkout.TenderNative}

// pays draws how a bill is paid, and says which fault the settlement must have.
func (h *history) pays(r *rand.Rand, o *order) (tenders []checkout.Tender, fault string) {
	left := o.fen
	pay := func(kind string, fen int64) {
		if fen > 0 {
			o.tenders[kind], left = fen, left-fen
		}
	}
	if o.by != nil {
		most := min(o.fen/2, o.by.spendable(h.clk.Now())) // a point is a fen
		if r.IntN(3) == 0 {
			pay(checkout.TenderPoints, []int64{most, r.Int64N(most + 1), min(most+1, left)}[r.IntN(3)])
		}
		if o.tenders[checkout.TenderPoints] > most {
			fault = "checkout.points"
		}
		have := o.by.available()
		pay(checkout.TenderBalance, []int64{0, min(have, left), min(have, left), r.Int64N(min(have, left) + 1), min(have+1, left)}[r.IntN(5)])
		if o.tenders[checkout.TenderBalance] > have && fault == "" {
			fault = "wallet.insufficient_balance"
		}
	}
	kind, _ := one(r, []string{checkout.TenderCash, checkout.TenderCash, checkout.TenderCard, checkout.TenderAlipay, checkout.TenderNative, checkout.TenderNative})
	pay(kind, left)
	for _, kind := range tenderKinds {
		if n := o.tenders[kind]; n > 0 {
			tenders = append(tenders, checkout.Tender{Kind: kind, AmountFen: fenOf(n), Reference: "123456"})
		}
	}
	return tenders, fault
}

func (h *history) settles(r *rand.Rand) {
	o := &order{tenders: map[string]int64{}}
	req := checkout.Request{StoreID: h.store, Plate: "浙A12345", VehicleClassID: h.catalog.car}
	b, fault := h.fills(r), ""
	req.Items, o.fen = b.items, b.costs(false, 0)
	if r.IntN(5) > 0 {
		o.by, _ = one(r, h.people)
		req.MemberID, req.Plate = o.by.id, o.by.plate
		fault = h.asks(r, o, b, &req)
	}
	h.say("  member %d settles %d", req.MemberID, o.fen)
	q, err := h.Checkout.Quote(h.staff(), req)
	if !h.answers(fault, err) {
		return
	}
	if int64(q.TotalFen) != o.fen {
		h.fail("costs %s, the model says %d", q.TotalFen, o.fen)
	}
	tenders, fault := h.pays(r, o)
	h.say("  by %v", o.tenders)
	if r.IntN(12) == 0 { // what was shown is not what is charged
		q.QuoteHash, fault = "x", "checkout.quote_changed"
	} else if r.IntN(12) == 0 && len(tenders) > 0 {
		tenders[0].AmountFen++
		fault = "checkout.tenders"
	}
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
	h.uses(o)
	if n := o.tenders[checkout.TenderBalance]; n > 0 {
		o.paidBy, _ = o.by.choose(n)
	}
	if n := o.tenders[checkout.TenderNative]; n > 0 {
		h.waits(o, n)
		return
	}
	h.charges(o)
}

// uses takes what the member has off for a bill, at once, also when it waits for money.
func (h *history) uses(o *order) {
	if o.pass != nil {
		o.recognised = o.pass.earn(o.uses)
	}
	if o.coupon != nil {
		o.coupon.state = "held"
	}
	if o.by != nil {
		o.points = o.by.takePoints(o.tenders[checkout.TenderPoints], h.clk.Now())
	}
}

// gives back what a bill used: it ended unpaid or was reversed.
func (h *history) givesBack(o *order) {
	if o.pass != nil {
		o.pass.left, o.pass.value, o.pass.state = o.pass.left+o.uses, o.pass.value+o.recognised, "active"
	}
	if o.coupon != nil {
		if o.coupon.state = "available"; !h.clk.Now().Before(o.coupon.ends) {
			o.coupon.state = "expired"
		}
	}
	for _, t := range o.points {
		t.from.left += t.n
	}
}

// charges books a bill that is paid.
func (h *history) charges(o *order) {
	o.status = "settled"
	spend(o.paidBy)
	h.brings(o, 1)
	if o.coupon != nil {
		o.coupon.state = "used"
	}
	if o.by == nil {
		return
	}
	paid := total(o.paidBy).principal // with money: neither bonus nor points
	for _, kind := range []string{checkout.TenderCash, checkout.TenderCard, checkout.TenderAlipay, checkout.TenderNative} {
		paid += o.tenders[kind]
	}
	if o.earned = paid * pointsPerYuan / 100; o.earned > 0 {
		o.lot = o.by.getPoints(o.earned, h.clk.Now())
	}
}

// brings books, or with -1 takes back, what a bill brought the shop.
func (h *history) brings(o *order, sign int64) {
	for kind, fen := range o.tenders {
		switch kind {
		case checkout.TenderBalance:
		case checkout.TenderNative:
			h.books["wechat"] -= sign * fen
		case checkout.TenderPoints:
			h.books["points_paid"] -= sign * fen
		default:
			h.books[kind] -= sign * fen
		}
	}
	h.books["revenue"] += sign * (o.fen + o.recognised)
	h.books["passes"] -= sign * o.recognised
}

// waits notes a bill that waits for WeChat; its stored value is promised to it.
func (h *history) waits(o *order, fen int64) {
	o.status, o.held = "awaiting_payment", total(o.paidBy)
	o.paidBy = nil
	hold := func(sign int64) {
		if o.by != nil {
			o.by.held.principal, o.by.held.bonus = o.by.held.principal+sign*o.held.principal, o.by.held.bonus+sign*o.held.bonus
		}
	}
	hold(1)
	got, err := h.Checkout.Order(h.t.Context(), o.id)
	h.need(err)
	o.pay = h.expects(got.PaymentID, fen, "")
	o.pay.succeeded = func() {
		hold(-1)
		if o.by != nil {
			o.paidBy = o.by.oldest(o.held)
		}
		h.charges(o)
	}
	o.pay.ended = func() {
		hold(-1)
		o.status = "cancelled"
		h.givesBack(o)
	}
}

// showsTheCode lets the till poll a bill that waits.
func (h *history) showsTheCode(r *rand.Rand) {
	o, ok := one(r, only(h.orders, func(o *order) bool { return o.pay != nil }))
	if !ok {
		return
	}
	h.say("  polls order %d", o.id)
	got, err := h.Checkout.Poll(h.staff(), o.id)
	h.need(err)
	if o.status != "awaiting_payment" || !h.clk.Now().Before(o.pay.due) {
		return
	}
	if o.pay.known = true; got.CodeURL == "" {
		h.fail("the till shows no code")
	}
}

// cancels gives up a bill that waits.
func (h *history) cancels(r *rand.Rand) {
	o, ok := one(r, h.orders)
	if !ok {
		return
	}
	h.say("  cancels order %d", o.id)
	fault := ""
	if o.status != "awaiting_payment" {
		fault = "checkout.order_state"
	}
	_, err := h.Checkout.Cancel(h.staff(), o.id)
	if h.answers(fault, err) {
		if o.pay.paid { // too late: the money counts
			o.pay.settle()
		}
		o.pay.close()
	}
}

func (h *history) reverses(r *rand.Rand) {
	o, ok := one(r, h.orders)
	if !ok {
		return
	}
	h.say("  reverses order %d", o.id)
	fault := ""
	if o.status != "settled" {
		fault = "checkout.order_state"
	}
	ctx := h.staff()
	command := func(ctx context.Context) (int64, error) {
		got, err := h.Checkout.Reverse(ctx, o.id, "客户要求撤销")
		return got.ID, err
	}
	id, err := command(ctx)
	if !h.answers(fault, err) {
		return
	}
	h.remember(ctx, id, command)
	o.status = "reversed"
	unspend(o.paidBy)
	h.brings(o, -1)
	h.givesBack(o)
	if o.lot != nil {
		o.by.losePoints(o.lot, o.earned, h.clk.Now())
	}
	if o.pay != nil {
		o.pay.back += o.tenders[checkout.TenderNative]
	}
}
