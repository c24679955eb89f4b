package model

import (
	"math/rand/v2"

	"github.com/liangche/liangche/internal/booking"
	"github.com/liangche/liangche/internal/checkout"
)

// Visits from the booking to the bill.

// visitsTheShop goes all the way at once: somebody books, pays what is asked for, and comes.
func (h *history) visitsTheShop(r *rand.Rand) {
	n := len(h.visits)
	if h.booksATime(r); len(h.visits) == n {
		return
	}
	v := h.visits[n]
	if v.deposit > 0 {
		h.beginsDeposit(v, "")
		h.paysAtOnce(v.pay)
	} else {
		h.confirm(v)
	}
	h.arrive(v)
}

// rings puts a visit on a bill, and says which fault the quote must have.
func (h *history) rings(r *rand.Rand, o *order, req *checkout.Request) (fault string) {
	v, _ := likely(r, h.visits, (*visit).here)
	o.visit, o.by = v, v.by
	req.BookingID, req.StoreID = v.id, h.floor.store
	if v.order != nil || !v.here() {
		return "checkout.booking"
	}
	return ""
}

// closesVisit is what becomes of the visit of a bill: it is settled, with what the bill took of its deposit, or open again.
func (h *history) closesVisit(o *order, settled bool) {
	v := o.visit
	if v == nil || v.order != o {
		return
	}
	v.settled = settled
	if !settled {
		if v.order, v.used = nil, 0; v.kept == booking.DepositUsed {
			v.kept = booking.DepositPaid
		}
		if v.state == "settled" {
			v.state = "done"
		}
		return
	}
	n := o.tenders[checkout.TenderDeposit]
	v.surplus = v.surplus || v.left() > n
	if n > 0 {
		v.kept, v.used = booking.DepositUsed, n
	}
	if v.state == "done" {
		v.state = "settled"
	}
}

// surplus sends back what bills did not need of deposits, if they still stand when the job comes to it.
func (h *history) surplus() {
	for _, v := range h.visits {
		n := v.deposit - v.back - v.used
		if v.surplus && v.settled && n > 0 && (v.kept == booking.DepositUsed || v.kept == booking.DepositPaid) {
			if h.sendsBack(v, n); v.used == 0 {
				v.kept = booking.DepositRefunding
			}
		}
		v.surplus = false
	}
}

// holdsEnd runs the job that ends what nobody confirmed.
func (h *history) holdsEnd(*rand.Rand) {
	_, err := h.Bookings.ExpireDue(h.staff())
	h.need(err)
	h.expires()
}
