package model

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/shop"
)

func fenOf(n int64) money.Fen { return money.Fen(n) }

// history is one run of commands against the system and against the model beside it.
type history struct {
	*world
	store       int64
	people      []*person
	topups      []*topup
	orders      []*order
	payments    []*payment
	sales       []*bought
	passes      []*passCard
	coupons     []*voucher
	visits      []*visit
	families    []*family
	memberships []*membership
	wares       []*ware
	presents    []*present
	books       map[string]int64 // the shop's accounts
	again       func() error     // the last command once more, with its key
	answered    map[string]int   // how often with which fault
	said        []string
}

// differs reports that the system did not do what the model says.
type differs struct{ what string }

func (d differs) Error() string { return d.what }

// fail ends the history.
func (h *history) fail(format string, args ...any) { panic(differs{fmt.Sprintf(format, args...)}) }

func (h *history) need(err error) {
	if err != nil {
		h.fail("unexpected: %v", err)
	}
}

func (h *history) say(format string, args ...any) {
	h.said = append(h.said, fmt.Sprintf(format, args...))
}

// answers compares what the system answered with the fault that the model names; "" is none. It says whether the command was carried out.
func (h *history) answers(want string, err error) bool {
	got := ""
	if err != nil {
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind == fault.Internal {
			h.fail("answered %v, the model says %q", err, want)
		}
		got = f.Code
	}
	if got != want {
		h.fail("answered %q (%v), the model says %q", got, err, want)
	}
	h.answered[cmp.Or(got, "done")]++
	if got != "" {
		h.say("  refused: %s", got)
	}
	return got == ""
}

// step is one command: what it is and which chances it takes. Steps are independent of each other, so that some can be left out.
type step struct {
	kind string
	luck uint64
}

// commands are the kinds with how often they come.
var commands = []struct {
	kind  string
	often int
	do    func(h *history, r *rand.Rand)
}{
	{"joins", 2, (*history).joins},
	{"tops up at the desk", 10, (*history).topsUpAtTheDesk},
	{"tops up by WeChat", 10, (*history).topsUpByWeChat},
	{"pays at WeChat", 14, (*history).paysAtWeChat},
	{"WeChat tells", 12, (*history).weChatTells},
	{"asks WeChat", 6, (*history).asksWeChat},
	{"gives up", 4, (*history).givesUp},
	{"settles", 30, (*history).settles},
	{"the till polls", 6, (*history).showsTheCode},
	{"cancels", 5, (*history).cancels},
	{"reverses", 10, (*history).reverses},
	{"refunds a top-up", 10, (*history).refundsTopUp},
	{"buys a pass", 8, (*history).buysAPass},
	{"gives a pass back", 6, (*history).returnsAPass},
	{"buys a membership", 4, (*history).buysAMembership},
	{"gives a membership back", 3, (*history).returnsAMembership},
	{"gets a coupon", 6, (*history).getsACoupon},
	{"is given points", 5, (*history).isGivenPoints},
	{"joins a family", 12, (*history).joinsAFamily},
	{"leaves a family", 2, (*history).leavesAFamily},
	{"exchanges points", 7, (*history).exchanges},
	{"cancels a present", 4, (*history).cancelsAPresent},
	{"fetches a present", 4, (*history).fetches},
	{"restocks", 2, (*history).restocks},
	{"the tiers' job", 5, (*history).tierJob},
	{"what has ended goes", 6, (*history).expiryJobs},
	{"books", 10, (*history).booksATime},
	{"visits the shop", 14, (*history).visitsTheShop},
	{"confirms", 8, (*history).confirms},
	{"pays a deposit", 7, (*history).paysADeposit},
	{"does not want to come", 5, (*history).doesNotWantToCome},
	{"comes at another time", 5, (*history).comesAtAnotherTime},
	{"arrives", 5, (*history).arrives},
	{"is served", 4, (*history).isServed},
	{"is missed", 3, (*history).isMissed},
	{"the shop cancels", 2, (*history).theShopCancels},
	{"holds end", 2, (*history).holdsEnd},
	{"once more", 5, (*history).onceMore},
	{"time passes", 6, (*history).timePasses},
}

// plan draws the steps of a seed.
func plan(seed uint64) []step {
	r := rand.New(rand.NewPCG(seed, 1))
	all := 0
	for _, c := range commands {
		all += c.often
	}
	out := make([]step, 15+r.IntN(36))
	for i := range out {
		n := r.IntN(all)
		for _, c := range commands {
			if n -= c.often; n < 0 {
				out[i] = step{c.kind, r.Uint64()}
				break
			}
		}
	}
	return out
}

// run carries steps out in a new store with new members. It returns where the system differed from the model, or nil.
func (w *world) run(seed uint64, steps []step) (h *history, err error) {
	h = &history{world: w, books: map[string]int64{}, answered: map[string]int{}}
	defer func() {
		if p := recover(); p != nil {
			d, ok := p.(differs)
			if !ok {
				panic(p)
			}
			err = d
		}
	}()
	h.opens()
	r := rand.New(rand.NewPCG(seed, 2))
	for len(h.people) < 3 {
		h.joins(r)
		h.topsUpAtTheDesk(r)
	}
	for i, s := range steps {
		for _, c := range commands {
			if c.kind == s.kind {
				h.say("%d %s", i, s.kind)
				r := rand.New(rand.NewPCG(s.luck, 3))
				h.clk.Advance(time.Duration(1+r.IntN(30)) * time.Second)
				c.do(h, r)
			}
		}
		h.compare()
	}
	return h, nil
}

// audited is an error when the books of the whole database are not exact.
func (w *world) audited() error {
	problems, err := w.audit()
	if err == nil && problems != "" {
		err = differs{"audit:\n" + problems}
	}
	return err
}

func (h *history) opens() {
	s, err := h.Shops.Create(h.staff(), shop.Input{Name: fmt.Sprintf("门店%d", h.n.Add(1))})
	h.need(err)
	h.store = s.ID
}

// one picks from a list; false when it is empty.
func one[T any](r *rand.Rand, list []T) (x T, ok bool) {
	if len(list) == 0 {
		return x, false
	}
	return list[r.IntN(len(list))], true
}

// likely picks from those that a command is for, and sometimes from all: those have to be refused.
func likely[T any](r *rand.Rand, list []T, fits func(T) bool) (x T, ok bool) {
	if fit := only(list, fits); len(fit) > 0 && r.IntN(6) > 0 {
		list = fit
	}
	return one(r, list)
}

// only are those of a list that pass.
func only[T any](list []T, pass func(T) bool) (out []T) {
	for _, x := range list {
		if pass(x) {
			out = append(out, x)
		}
	}
	return out
}

// onceMore sends the last command again with the same key: the answer is the same, and nothing happens.
func (h *history) onceMore(*rand.Rand) {
	if h.again != nil {
		h.need(h.again())
	}
}

// remember keeps a command to be sent again; same says what its answer must be.
func (h *history) remember(ctx context.Context, id int64, command func(ctx context.Context) (int64, error)) {
	h.again = func() error {
		got, err := command(ctx)
		if err == nil && got != id {
			err = fmt.Errorf("sent again, it made %d instead of %d", got, id)
		}
		return err
	}
}

// waits are how long a history lets time pass.
var waits = []time.Duration{6 * time.Minute, 16 * time.Minute, 3 * time.Hour, 26 * time.Hour, 11 * 24 * time.Hour, 40 * 24 * time.Hour}

func (h *history) timePasses(r *rand.Rand) {
	d, _ := one(r, waits)
	h.say("  %v", d)
	h.clk.Advance(d)
	h.works()
}

// works lets the system do what is due.
func (h *history) works(kinds ...string) {
	h.need(h.runs(kinds...))
	h.polled()
	h.surplus()
}

// polled is what the system learned by itself: it asks about a payment every few minutes, and closes at WeChat what was not paid in time.
func (h *history) polled() {
	for _, p := range h.payments {
		switch {
		case p.paid:
			p.settle()
		case h.clk.Now().After(p.due):
			p.close()
		}
	}
}
