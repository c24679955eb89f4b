package model

import (
	"cmp"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/member"
)

// This file is the model's books of stored value: what the documents promise, in plain arithmetic. All amounts are fen.

// topup is money that a member brought, with the bonus that came with it.
type topup struct {
	id         int64
	by         *person
	fen, bonus int64 // as it was bought
	method     string
	state      string // pending, credited, closed, refunded
	begun      time.Time
	credited   int // its turn among the member's: spending takes the oldest first
	left       part
	spent      part // and not given back by a reversal
	refunded   part
	pay        *payment
}

// part is an amount by origin.
type part struct{ principal, bonus int64 }

func (p part) sum() int64 { return p.principal + p.bonus }

// share is what one top-up gives to something.
type share struct {
	of *topup
	part
}

func total(shares []share) (p part) {
	for _, s := range shares {
		p.principal += s.principal
		p.bonus += s.bonus
	}
	return p
}

// person is a member.
type person struct {
	id, identity int64
	persona      string
	plate        string
	form         member.NewMember
	topups       []*topup // in the order in which they were begun
	turn         int      // of the last credited top-up
	held         part     // promised to orders that wait for money
	passes       []*passCard
	coupons      []*voucher
	points       []*lot
	lots         int // that came so far
	debt         int64
	silver       bool // as the tier job saw it last
}

func (p *person) credited() []*topup {
	out := slices.DeleteFunc(slices.Clone(p.topups), func(t *topup) bool { return t.credited == 0 })
	slices.SortFunc(out, func(a, b *topup) int { return cmp.Compare(a.credited, b.credited) })
	return out
}

func (p *person) balance() (b part) {
	for _, t := range p.topups {
		b.principal += t.left.principal
		b.bonus += t.left.bonus
	}
	return b
}

// free is what each top-up can give now, oldest first: what is held rests on the newest.
func (p *person) free() []share {
	var out []share
	for _, t := range p.credited() {
		out = append(out, share{t, t.left})
	}
	held := p.held
	for i := len(out) - 1; i >= 0; i-- {
		a, b := min(held.principal, out[i].principal), min(held.bonus, out[i].bonus)
		out[i].principal, out[i].bonus = out[i].principal-a, out[i].bonus-b
		held.principal, held.bonus = held.principal-a, held.bonus-b
	}
	return out
}

func (p *person) available() int64 { return total(p.free()).sum() }

// choose says which top-ups pay an amount: the oldest first, each in the proportion of what it has left, rounded half in favour of the bonus.
func (p *person) choose(fen int64) (out []share, ok bool) {
	for _, s := range p.free() {
		n := min(fen, s.sum())
		if n == 0 {
			continue
		}
		principal := (2*n*s.principal + s.sum()) / (2 * s.sum())
		out = append(out, share{s.of, part{principal, n - principal}})
		fen -= n
	}
	return out, fen == 0
}

// oldest takes so much principal and so much bonus from the oldest top-ups that hold it, each by itself.
func (p *person) oldest(want part) (out []share) {
	for _, s := range p.free() {
		got := part{min(want.principal, s.principal), min(want.bonus, s.bonus)}
		if got.sum() > 0 {
			out = append(out, share{s.of, got})
		}
		want.principal, want.bonus = want.principal-got.principal, want.bonus-got.bonus
	}
	return out
}

func spend(shares []share) {
	for _, s := range shares {
		s.of.left.principal, s.of.left.bonus = s.of.left.principal-s.principal, s.of.left.bonus-s.bonus
		s.of.spent.principal, s.of.spent.bonus = s.of.spent.principal+s.principal, s.of.spent.bonus+s.bonus
	}
}

func unspend(shares []share) {
	for _, s := range shares {
		s.of.left.principal, s.of.left.bonus = s.of.left.principal+s.principal, s.of.left.bonus+s.bonus
		s.of.spent.principal, s.of.spent.bonus = s.of.spent.principal-s.principal, s.of.spent.bonus-s.bonus
	}
}

// room is how much may still be topped up under the card's cap; what waits to be paid, and still may be, counts.
func (p *person) room(cap int64, now time.Time) int64 {
	cap -= p.balance().principal
	for _, t := range p.topups {
		if t.state == "pending" && t.pay.due.After(now) {
			cap -= t.fen
		}
	}
	return cap
}

// refundable is how much principal of a top-up may go back, free being what of it is promised to nobody: what was paid, less what went back, less
// the paid share of what was consumed or is promised.
func (t *topup) refundable(free part) int64 {
	if t.bonus == 0 {
		return free.principal
	}
	gone := t.spent.sum() + t.left.sum() - free.sum()
	return max(min(free.principal, t.fen-t.refunded.principal-gone*t.fen/(t.fen+t.bonus)), 0)
}

// refundPlan says which top-ups give an amount back: those paid by WeChat first, then the newest. 0 asks for everything. most is what could go back.
func (p *person) refundPlan(fen int64, now time.Time) (out []share, most int64) {
	all := p.free()
	for _, s := range all {
		most += s.of.refundable(s.part)
	}
	most = min(most, total(all).principal)
	if fen == 0 {
		fen = most
	}
	slices.SortFunc(all, func(a, b share) int {
		if x, y := a.of.byHand(now), b.of.byHand(now); x != y {
			if x {
				return 1
			}
			return -1
		}
		return b.of.begun.Compare(a.of.begun)
	})
	fen = min(fen, most)
	for _, s := range all {
		whole := s.of.refundable(s.part)
		n := min(fen, whole)
		if n == 0 {
			continue
		}
		bonus := (s.bonus*n + whole - 1) / whole // in proportion, rounded up
		out = append(out, share{s.of, part{n, bonus}})
		fen -= n
	}
	return out, most
}

// byHand says whether the desk hands a refund out: not paid by WeChat, or a year ago.
func (t *topup) byHand(now time.Time) bool {
	return t.pay == nil || now.Sub(t.begun) >= 365*24*time.Hour
}

func giveBack(shares []share) {
	for _, s := range shares {
		s.of.left.principal, s.of.left.bonus = s.of.left.principal-s.principal, s.of.left.bonus-s.bonus
		s.of.refunded.principal, s.of.refunded.bonus = s.of.refunded.principal+s.principal, s.of.refunded.bonus+s.bonus
		if s.of.refunded.principal == s.of.fen {
			s.of.state = "refunded"
		}
	}
}

// payment is an attempt to pay by WeChat.
type payment struct {
	id        int64
	no        string // ours, out_trade_no
	fen       int64
	due       time.Time
	persona   string // who must pay; "" is anybody who scans the code
	known     bool   // WeChat has heard of it
	paid      bool   // WeChat has the money
	state     string // live, paid, closed
	back      int64  // asked back
	succeeded func() // what the money is for
	ended     func() // nobody paid
}

// settle is what the system does when it learns that WeChat has the money.
func (p *payment) settle() {
	if p.state == "live" {
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
