package model

import (
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
	refunded   part
	pay        *payment
}

// part is an amount by origin.
type part struct{ principal, bonus int64 }

func (p part) sum() int64 { return p.principal + p.bonus }

func (p *part) add(bonus bool, n int64) {
	if bonus {
		p.bonus += n
	} else {
		p.principal += n
	}
}

// coins are money of one top-up and one origin that came to the wallet together.
type coins struct {
	of    *topup
	bonus bool
	left  int64
}

// taken is what some coins give to something.
type taken struct {
	from *coins
	n    int64
}

func total(list []taken) (p part) {
	for _, t := range list {
		p.add(t.from.bonus, t.n)
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
	wallet       []*coins // in the order in which they came
	held         part     // promised to orders that wait for money
	passes       []*passCard
	coupons      []*voucher
	points       []*lot
	lots         int // that came so far
	debt         int64
	silver       bool // as the tier job saw it last
}

// receives puts money into the wallet, behind what is there.
func (p *person) receives(of *topup, bonus bool, n int64) {
	if n > 0 {
		p.wallet = append(p.wallet, &coins{of, bonus, n})
	}
}

func (p *person) balance() (b part) {
	for _, c := range p.wallet {
		b.add(c.bonus, c.left)
	}
	return b
}

// free is what can be spent now, in the order of coming: what is held rests on what came last.
func (p *person) free() (out []taken) {
	for _, c := range p.wallet {
		if c.left > 0 {
			out = append(out, taken{c, c.left})
		}
	}
	held := p.held
	for i := len(out) - 1; i >= 0; i-- {
		on := &held.principal
		if out[i].from.bonus {
			on = &held.bonus
		}
		n := min(*on, out[i].n)
		out[i].n, *on = out[i].n-n, *on-n
	}
	return out
}

// of are those that come from one top-up.
func of(t *topup, list []taken) []taken {
	return only(list, func(x taken) bool { return x.from.of == t })
}

func (p *person) available() int64 { return total(p.free()).sum() }

// inProportion spreads n over parts by their size, rounded down; what is left goes one by one to those that lost most by it, the first among equals.
func inProportion(n int64, parts []int64) []int64 {
	var all int64
	for _, x := range parts {
		all += x
	}
	out, lost, left := make([]int64, len(parts)), make([]int64, len(parts)), n
	for i, x := range parts {
		if all > 0 {
			out[i], lost[i] = n*x/all, n*x%all
			left -= out[i]
		}
	}
	for ; left > 0 && all > 0; left-- {
		most := 0
		for i, x := range lost {
			if x > lost[most] {
				most = i
			}
		}
		out[most]++
		lost[most] = 0
	}
	return out
}

// choose says what pays an amount: the top-up whose money came first, all that is left of it in proportion, then the next.
func (p *person) choose(fen int64) (out []taken, ok bool) {
	free, seen := p.free(), map[*topup]bool{}
	for _, s := range free {
		if seen[s.from.of] {
			continue
		}
		seen[s.from.of] = true
		same := of(s.from.of, free)
		var sizes []int64
		for _, x := range same {
			sizes = append(sizes, x.n)
		}
		n := min(fen, total(same).sum())
		for i, k := range inProportion(n, sizes) {
			if k > 0 {
				out = append(out, taken{same[i].from, k})
			}
		}
		fen -= n
	}
	return out, fen == 0
}

// oldest takes so much principal and so much bonus from what came first, each by itself.
func oldest(free []taken, want part) (out []taken) {
	for _, bonus := range []bool{false, true} {
		n := want.principal
		if bonus {
			n = want.bonus
		}
		for _, s := range free {
			if k := min(n, s.n); k > 0 && s.from.bonus == bonus {
				out, n = append(out, taken{s.from, k}), n-k
			}
		}
	}
	return out
}

func spend(list []taken) {
	for _, t := range list {
		t.from.left -= t.n
	}
}

func unspend(list []taken) {
	for _, t := range list {
		t.from.left += t.n
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

// share is what one top-up gives back.
type share struct {
	of *topup
	part
	coins []taken
}

// refundable is how much principal of a top-up may go back, free being what of it is promised to nobody: what was paid, less what went back, less
// the paid share of what was consumed or is promised.
func (t *topup) refundable(free part) int64 {
	if t.bonus == 0 {
		return free.principal
	}
	gone := t.fen + t.bonus - t.refunded.sum() - free.sum()
	return max(min(free.principal, t.fen-t.refunded.principal-gone*t.fen/(t.fen+t.bonus)), 0)
}

// refundPlan says which top-ups give an amount back: those paid by WeChat first, then the newest. 0 asks for everything. most is what could go back.
func (p *person) refundPlan(fen int64, now time.Time) (out []share, most int64) {
	free := p.free()
	var all []share
	for _, s := range free {
		if !slices.ContainsFunc(all, func(x share) bool { return x.of == s.from.of }) {
			same := of(s.from.of, free)
			all = append(all, share{s.from.of, total(same), same})
		}
	}
	for _, s := range all {
		most += s.of.refundable(s.part)
	}
	most = min(most, total(free).principal)
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
		back := part{n, (s.bonus*n + whole - 1) / whole} // the bonus in proportion, rounded up
		out = append(out, share{s.of, back, oldest(s.coins, back)})
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
		spend(s.coins)
		s.of.refunded.principal, s.of.refunded.bonus = s.of.refunded.principal+s.principal, s.of.refunded.bonus+s.bonus
		if s.of.refunded.principal == s.of.fen {
			s.of.state = "refunded"
		}
	}
}
