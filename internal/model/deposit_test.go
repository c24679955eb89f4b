package model

import (
	"math/rand/v2"
	"time"

	"github.com/liangche/liangche/internal/booking"
)

// Deposits of bookings, and what becomes of a visit at the shop.

const (
	polishDeposit, polishFreeHours = 5000, 4
	badDeposit                     = 3000 // of who did not come twice in 90 days
	badVisits, badDays             = 2, 90
	graceMinutes                   = 15
	paySeconds                     = 30 // before the hold ends
)

// asksFor is the deposit of the next booking of a member.
func (h *history) asksFor(p *person, polish bool) (fen int64) {
	if polish {
		fen = polishDeposit
	}
	missed := 0
	for _, v := range h.visits {
		if v.by == p && v.state == "no_show" && v.starts.After(h.clk.Now().Add(-badDays*24*time.Hour)) {
			missed++
		}
	}
	if missed >= badVisits {
		fen = max(fen, badDeposit)
	}
	return fen
}

// left is what may still be counted of the deposit.
func (v *visit) left() int64 {
	if v.kept != booking.DepositPaid {
		return 0
	}
	return v.deposit - v.back
}

// here says whether the visit may be settled: the car is in the shop, or is done.
func (v *visit) here() bool {
	return v.state == "arrived" || v.state == "in_service" || v.state == "done"
}

func (v *visit) coming() bool { return v.state == "confirmed" }

// dealtWith says whether the car of a visit is in the shop for another one.
func (h *history) dealtWith(v *visit) bool {
	return len(only(h.visits, func(x *visit) bool {
		return x != v && x.by == v.by && (x.state == "arrived" || x.state == "in_service")
	})) > 0
}

// twice says whether a member's car is to be somewhere else at a time.
func (h *history) twice(p *person, at time.Time, except *visit) bool {
	return len(only(h.visits, func(v *visit) bool {
		return v != except && v.by == p && v.open(h.clk.Now()) && at.Sub(v.starts).Abs() < washCells*5*time.Minute
	})) > 0
}

// waitsUntil lets time pass until an instant, unless it is over.
func (h *history) waitsUntil(at time.Time) {
	if d := at.Sub(h.clk.Now()); d > 0 {
		h.clk.Advance(d)
		h.works()
	}
}

func (h *history) paysADeposit(r *rand.Rand) {
	v, ok := likely(r, only(h.visits, func(v *visit) bool { return v.deposit > 0 }), func(v *visit) bool { return v.state == "held" })
	if !ok || v.pay != nil && v.pay.paid {
		return
	}
	fault := ""
	if v.state != "held" || v.kept != booking.DepositDue {
		fault = "booking.state"
	} else if !v.until.Add(-paySeconds * time.Second).After(h.clk.Now()) {
		fault = "booking.hold_expired"
	}
	if h.beginsDeposit(v, fault); r.IntN(2) == 0 {
		h.paysAtOnce(v.pay)
	}
}

// paysAtOnce pays a deposit, of which WeChat tells.
func (h *history) paysAtOnce(p *payment) {
	if p == nil || p.paid {
		return
	}
	if h.pays(p); p.paid {
		_, err := h.wx.Resend(p.no)
		h.need(err)
		p.settle()
	}
}

// beginsDeposit asks for what is needed to pay, once or again.
func (h *history) beginsDeposit(v *visit, fault string) {
	h.say("  the deposit of booking %d is to be paid", v.id)
	b, _, err := h.Bookings.Pay(h.owner(v.by.id, v.by.identity), v.id)
	if !h.answers(fault, err) || v.pay != nil {
		return
	}
	p := h.expects(b.PaymentID, v.deposit, v.by.persona)
	v.pay, p.known = p, true
	p.wanted = func() bool { return v.state == "held" && v.kept == booking.DepositDue && v.pay == p }
	p.succeeded = func() {
		v.state, v.kept = "confirmed", booking.DepositPaid
		h.books["wechat"] -= v.deposit
		h.books["deposit"] += v.deposit
	}
	p.ended = func() {
		if v.state != "held" || v.pay != p {
			return
		}
		if v.pay = nil; v.due(h.clk.Now()) {
			v.ends("expired")
		}
	}
}

// ends lets a visit end before anything was paid for it.
func (v *visit) ends(state string) {
	if v.state = state; v.kept == booking.DepositDue {
		v.kept = booking.DepositNone
	}
}

// closesDeposit is what whoever cancels does first: nobody may pay any more, and what was paid counts.
func (v *visit) closesDeposit() {
	if p := v.pay; p != nil && v.state == "held" && v.kept == booking.DepositDue {
		if p.paid {
			p.settle()
		}
		p.close()
	}
}

// sendsBack gives a part of a paid deposit back.
func (h *history) sendsBack(v *visit, fen int64) {
	h.books["deposit"] -= fen
	h.books["wechat"] += fen
	v.back, v.pay.back = v.back+fen, v.pay.back+fen
}

// loses ends a visit that was not served: its deposit is the shop's, or goes back.
func (h *history) loses(v *visit, state string, forfeits bool) {
	if v.kept == booking.DepositPaid && forfeits {
		v.kept = booking.DepositForfeited
		h.books["deposit"] -= v.deposit
		h.books["revenue"] += v.deposit
	} else if v.kept == booking.DepositPaid {
		h.sendsBack(v, v.left())
		v.kept = booking.DepositRefunding
	}
	v.ends(state)
}

func (h *history) arrives(r *rand.Rand) {
	if v, ok := likely(r, h.visits, (*visit).coming); ok {
		h.arrive(v)
	}
}

func (h *history) arrive(v *visit) {
	fault := ""
	if v.state != "confirmed" {
		fault = "booking.state"
	} else if h.dealtWith(v) {
		fault = "booking.plate_active"
	}
	h.say("  booking %d arrives", v.id)
	_, err := h.Bookings.Arrive(h.staff(), v.id)
	if h.answers(fault, err) {
		v.state = "arrived"
	}
}

// isServed lets the work of a visit begin at its time, or later, and end when it takes no longer than was planned.
func (h *history) isServed(r *rand.Rand) {
	v, ok := likely(r, h.visits, func(v *visit) bool { return v.state == "confirmed" || v.state == "arrived" })
	if !ok {
		return
	}
	fault := ""
	if v.state != "confirmed" && v.state != "arrived" {
		fault = "booking.state"
	} else if h.dealtWith(v) {
		fault = "booking.plate_active"
	} else {
		h.waitsUntil(v.starts)
	}
	h.say("  the work of booking %d begins", v.id)
	_, err := h.Bookings.Start(h.staff(), v.id)
	if !h.answers(fault, err) {
		return
	}
	v.state = "in_service"
	h.waitsUntil(v.starts.Add(washCells * 5 * time.Minute))
	_, err = h.Bookings.Finish(h.staff(), v.id, "")
	h.need(err)
	if v.state = "done"; v.settled {
		v.state = "settled"
	}
}

// isMissed notes that somebody did not come; within the grace nobody loses anything by it.
func (h *history) isMissed(r *rand.Rand) {
	v, ok := likely(r, h.visits, (*visit).coming)
	if !ok {
		return
	}
	if v.state == "confirmed" && r.IntN(3) > 0 {
		h.waitsUntil(v.starts.Add([]time.Duration{0, graceMinutes*time.Minute - time.Second, graceMinutes * time.Minute}[r.IntN(3)]))
	}
	fault, now := "", h.clk.Now()
	if v.state != "confirmed" || now.Before(v.starts) {
		fault = "booking.state"
	}
	h.say("  booking %d did not come", v.id)
	_, err := h.Bookings.MarkNoShow(h.staff(), v.id)
	if h.answers(fault, err) {
		h.loses(v, "no_show", !now.Before(v.starts.Add(graceMinutes*time.Minute)))
	}
}

// theShopCancels ends a visit whatever the time, unless a bill holds it.
func (h *history) theShopCancels(r *rand.Rand) {
	v, ok := likely(r, h.visits, func(v *visit) bool { return v.stands(h.clk.Now()) })
	if !ok {
		return
	}
	v.closesDeposit()
	fault := ""
	if v.order != nil || v.state != "held" && v.state != "confirmed" && !v.here() {
		fault = "booking.state"
	}
	h.say("  the shop cancels booking %d", v.id)
	_, err := h.Bookings.ShopCancel(h.staff(), v.id, "设备故障")
	if h.answers(fault, err) {
		h.loses(v, "cancelled", false)
	}
}
