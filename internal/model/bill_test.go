package model

import (
	"context"
	"math/rand/v2"

	"github.com/liangche/liangche/internal/checkout"
)

// What becomes of bills.

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
		o.pass.left, o.pass.used, o.pass.value, o.pass.state = o.pass.left+o.uses, o.pass.used-o.uses, o.pass.value+o.recognised, "active"
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
	h.closesVisit(o, true)
	spend(o.paidBy)
	h.brings(o, 1)
	if o.coupon != nil {
		o.coupon.state = "used"
	}
	if o.by == nil {
		return
	}
	paid := int64(0) // with money: neither bonus nor points, nor what a family pays
	if o.bearer() == o.by {
		paid = total(o.paidBy).principal
	}
	for _, kind := range []string{checkout.TenderCash, checkout.TenderCard, checkout.TenderAlipay, checkout.TenderNative, checkout.TenderDeposit} {
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
		case checkout.TenderBalance, checkout.TenderGroup:
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
			o.paidBy = oldest(o.by.free(), o.held)
		}
		h.charges(o)
	}
	o.pay.ended = func() {
		hold(-1)
		o.status = "cancelled"
		h.closesVisit(o, false)
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
	o, ok := likely(r, h.orders, func(o *order) bool { return o.status == "awaiting_payment" })
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
	o, ok := likely(r, h.orders, func(o *order) bool { return o.status == "settled" })
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
	h.closesVisit(o, false)
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
