package model

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/sale"
)

// This file is what is paid for that is no work, and how it goes back.

// payment is an attempt to pay by WeChat.
type payment struct {
	id        int64
	no        string // ours, out_trade_no
	fen       int64
	due       time.Time
	persona   string      // who must pay; "" is anybody who scans the code
	known     bool        // WeChat has heard of it
	paid      bool        // WeChat has the money
	state     string      // live, paid, closed, surplus
	back      int64       // asked back
	wanted    func() bool // nil: whatever it is for waits for it as long as it is live
	succeeded func()      // what the money is for
	ended     func()      // nobody paid
}

// settle is what the system does when it learns that WeChat has the money: nobody may want it any more.
func (p *payment) settle() {
	switch {
	case p.state != "live":
	case p.wanted != nil && !p.wanted():
		p.state, p.back = "surplus", p.back+p.fen
	default:
		p.state = "paid"
		p.succeeded()
	}
}

func (p *payment) close() {
	if p.state == "live" {
		p.state = "closed"
		p.ended()
	}
}

// bought is a sale.
type bought struct {
	id              int64
	by              *person
	fen             int64
	method          string
	state           string // pending, paid, closed, refunded
	paid            time.Time
	from            []*source // of stored value
	back, bonusBack int64
	pay             *payment
}

// source is what paid a part and did not get it back.
type source struct {
	of    *topup
	bonus bool
	n     int64
}

// sells notes a sale that was begun: what it is for comes once it is paid, and until then the shop has nothing.
func (h *history) sells(b *bought, paymentID int64, account string, delivered, ended func()) {
	h.sales = append(h.sales, b)
	paid := func() {
		h.takesMoney(b, account)
		delivered()
	}
	switch b.method {
	case sale.MethodWeChat:
		b.pay = h.expects(paymentID, b.fen, b.by.persona)
	case sale.MethodWeChatNative:
		b.pay = h.expects(paymentID, b.fen, "")
	default:
		paid()
		return
	}
	b.state, b.pay.known, b.pay.succeeded = "pending", true, paid
	b.pay.ended = func() {
		b.state = "closed"
		ended()
	}
}

// takesMoney books a sale that is paid; account owes it until it is earned.
func (h *history) takesMoney(b *bought, account string) {
	b.state, b.paid = "paid", h.clk.Now()
	h.books[account] += b.fen
	if b.method != sale.MethodBalance {
		h.books[till(b.method)] -= b.fen
		return
	}
	list, _ := b.by.choose(b.fen)
	spend(list)
	for _, t := range list {
		b.from = append(b.from, &source{t.from.of, t.from.bonus, t.n})
	}
}

// returns gives money of a sale back to where it came from: to each part of stored value in proportion, as money that comes anew.
func (h *history) returns(b *bought, fen int64, account string) {
	if fen == 0 {
		return
	}
	b.state, b.back = "refunded", b.back+fen
	h.books[account] -= fen
	switch {
	case b.method == sale.MethodBalance:
		var sizes []int64
		for _, s := range b.from {
			sizes = append(sizes, s.n)
		}
		for i, n := range inProportion(fen, sizes) {
			s := b.from[i]
			s.n -= n
			b.by.receives(s.of, s.bonus, n)
			if s.bonus {
				b.bonusBack += n
			}
		}
		return
	case b.pay != nil && h.clk.Now().Sub(b.paid) < 365*24*time.Hour:
		b.pay.back += fen
	}
	h.books[till(b.method)] += fen
}

const coolOffDays = 7

// refund is what goes back of a pass: all of it while it is new, later what its uses left, which count as single ones unless the shop is to blame.
func (c *passCard) refund(whose string, now time.Time) int64 {
	fresh := c.used == 0 && c.sale.back == 0 && now.Before(c.sale.paid.Add(coolOffDays*24*time.Hour))
	if fresh || whose == pass.FaultShop {
		return c.value
	}
	return min(max(passPrice-c.sale.back-c.used*priceWash, 0), c.value)
}

func (h *history) returnsAPass(r *rand.Rand) {
	c, ok := likely(r, h.passes, func(c *passCard) bool { return c.good(h.clk.Now()) })
	if !ok {
		return
	}
	whose, _ := one(r, []string{pass.FaultShop, pass.FaultCustomer})
	fen, fault, hash := c.refund(whose, h.clk.Now()), "", "x"
	h.say("  pass %d goes back by fault of the %s: %d", c.id, whose, fen)
	if !c.good(h.clk.Now()) {
		fault = "pass.state"
	} else {
		plan, err := h.Passes.RefundPlanFor(h.t.Context(), c.by.id, c.id, whose)
		h.need(err)
		if int64(plan.RefundFen) != fen {
			h.fail("%s goes back, the model says %d", plan.RefundFen, fen)
		}
		if hash = plan.PlanHash; r.IntN(8) == 0 { // what was shown is another plan
			hash, fault = "x", "pass.refund_plan_changed"
		}
	}
	ctx := h.staff()
	command := func(ctx context.Context) (int64, error) {
		plan, err := h.Passes.Refund(ctx, c.id, h.store, whose, "顾客要求退卡", hash)
		return plan.PassID, err
	}
	_, err := command(ctx)
	if !h.answers(fault, err) {
		return
	}
	h.remember(ctx, c.id, command)
	h.returns(c.sale, fen, "passes")
	h.books["passes"] -= c.value - fen // what does not go back is earned
	h.books["revenue"] += c.value - fen
	c.state, c.left, c.value = "refunded", 0, 0
}
