package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// load is what the people of a site do all the time, until they are told to pause. Each worker does one thing after the other and gives up nothing.
type load struct {
	*site
	gate sync.RWMutex // held for reading while something is under way
	stop context.CancelFunc
	done sync.WaitGroup
	next sync.Mutex
	n    int
	part string
}

// act is one kind of thing that people do, and how often.
type act struct {
	share int
	do    func(l *load, ctx context.Context, w *worker) error
}

type worker struct {
	*rand.Rand
	no int
}

func daily() []act {
	return []act{{50, (*load).settle}, {25, (*load).benefit}, {8, (*load).reverse}, {10, (*load).topUpAtDesk}, {15, (*load).topUp}, {20, (*load).book}, {10, (*load).exchange}, {6, (*load).fetch}}
}

// startLoad lets n workers do what the acts say, after the first resume.
func (s *site) startLoad(ctx context.Context, n int, acts []act) *load {
	ctx, cancel := context.WithCancel(ctx)
	l := &load{site: s, stop: cancel, part: s.r.name}
	l.gate.Lock()
	total := 0
	for _, a := range acts {
		total += a.share
	}
	for i := range n {
		w := &worker{rand.New(rand.NewPCG(s.r.c.seed, uint64(1000+i))), i}
		l.done.Go(func() {
			for ctx.Err() == nil {
				l.gate.RLock()
				if ctx.Err() == nil {
					pick := w.IntN(total)
					for _, a := range acts {
						if pick -= a.share; pick < 0 {
							if err := a.do(l, ctx, w); err != nil && ctx.Err() == nil {
								s.r.find("%v", err)
							}
							break
						}
					}
				}
				l.gate.RUnlock()
				time.Sleep(time.Duration(w.IntN(8000)) * time.Microsecond)
			}
		})
	}
	return l
}

// resume lets people go on; pause waits until each has the answer to what is under way.
func (l *load) resume() { l.gate.Unlock() }
func (l *load) pause()  { l.gate.Lock() }

// end sends everybody home; the load must be paused.
func (l *load) end() {
	l.stop()
	l.gate.Unlock()
	l.done.Wait()
}

// key makes an idempotency key.
func (l *load) key(what string) string {
	l.next.Lock()
	defer l.next.Unlock()
	l.n++
	return fmt.Sprintf("%s-%08d", what, l.n)
}

func (l *load) anybody(w *worker) *owner { return l.owners[w.IntN(len(l.owners))] }

// refusals are the rules of the shop that may stand in the way of each kind of command; anything else that is refused is a finding.
var refusals = map[string]string{
	"order":    "wallet.insufficient_balance",
	"reverse":  "ledger.already_reversed checkout.order_state",
	"topup":    "wallet.card_cap",
	"booking":  "booking.slot_gone booking.open_limit booking.vehicle_booked booking.past booking.outside_hours",
	"confirm":  "booking.hold_expired booking.state",
	"cancel":   "booking.state",
	"exchange": "mall.out_of_stock points.insufficient",
	"giveup":   "mall.state",
	"handout":  "mall.state",
}

// inTime are what a command may be refused with when the clock has jumped meanwhile.
const inTime = "booking.cancel_denied booking.deposit_due booking.beyond_window booking.closed_day booking.technician_unavailable booking.cancel_terms payment.expired payment.closed checkout.reverse_denied mall.not_on_sale"

// among says whether a code is one of those that are listed.
func among(list, code string) bool { return slices.Contains(strings.Fields(list), code) }

// command sends a command under a key of its own until it is answered.
func (l *load) command(ctx context.Context, c ack) (a answer, err error) {
	c.key = l.key(c.kind)
	l.books.sent(c)
	a, retries, err := c.who.insist(ctx, http.MethodPost, c.path, c.key, c.body)
	if err != nil {
		return a, fmt.Errorf("%s %s: %w", c.kind, c.key, err)
	}
	if a.ok() {
		c.did.hear(a)
		if c.at != "" {
			if c.result = a.i(c.at); c.result <= 0 {
				return a, fmt.Errorf("%s %s: answered without %s: %s", c.kind, c.key, c.at, a)
			}
		}
	}
	code := a.s("code")
	if wrong := l.books.answered(c, retries, a.ok(), code); wrong != "" {
		return a, errors.New(wrong)
	}
	if !a.ok() && !among(refusals[c.kind], code) && !among(c.may, code) && !(l.jumps && among(inTime, code)) {
		return a, fmt.Errorf("%s %s: refused: %s", c.kind, c.key, a)
	}
	return a, nil
}

// settle rings up a wash and takes it from the card, mostly without asking what else the member has.
func (l *load) settle(ctx context.Context, w *worker) error {
	o := l.anybody(w)
	if o.mini && w.IntN(2) == 0 {
		if err := l.grant(ctx, o); err != nil {
			return err
		}
	}
	use := obj{}
	if w.IntN(4) == 0 {
		use["auto"] = true
	}
	return l.ring(ctx, o, l.visit(o, 1+w.IntN(3), use), 0)
}

// grant is the tap with which an owner lets the mini-program send one message.
func (l *load) grant(ctx context.Context, o *owner) error {
	const template = "lc-mp-deduction"
	if _, err := l.weixin.control(ctx, http.MethodPost, "grants", obj{"personaId": o.persona, "templateId": template, "count": 1}); err != nil {
		return err
	}
	_, err := o.must(ctx, http.MethodPost, "/api/owner/grants", "", obj{"results": []obj{{"templateId": template, "result": "accept"}}})
	return err
}

// reverse undoes a settlement: what it took comes back, what it brought goes.
func (l *load) reverse(ctx context.Context, w *worker) error {
	was, found := l.books.some(w.Rand, "order", 200)
	if !found {
		return nil
	}
	a, err := l.command(ctx, ack{who: l.boss, kind: "reverse", path: fmt.Sprintf("/api/staff/orders/%d/reverse", was.result), body: obj{"reason": "客户要求撤销"}})
	if err == nil && a.ok() {
		l.books.moved(was.did.member, was.did.fen)
		l.books.locked(func() { l.books.undone[was.result] = true })
	}
	return err
}

// topUpAtDesk pays cash.
func (l *load) topUpAtDesk(ctx context.Context, w *worker) error {
	o := l.anybody(w)
	fen := int64(topupFen + w.IntN(100))
	a, err := l.command(ctx, ack{who: l.boss, kind: "topup", path: "/api/staff/topups", body: obj{"storeId": l.store, "memberId": o.member, "amountFen": fen, "tender": "cash"}, at: "topupId"})
	if err == nil && a.ok() {
		l.books.moved(o.member, fen)
	}
	return err
}

// topUp pays by WeChat: most notifications come, some are lost, some people think better of it.
func (l *load) topUp(ctx context.Context, w *worker) error {
	o := l.anybody(w)
	a, err := l.command(ctx, ack{who: o.phone, kind: "topup", path: "/api/owner/topups", body: obj{"amountFen": topupFen}, at: "topupId"})
	if err != nil || !a.ok() {
		return err
	}
	path := fmt.Sprintf("/api/owner/topups/%d", a.i("topupId"))
	outcome, want := "pay", "credited"
	switch w.IntN(10) {
	case 0:
		if _, err := o.must(ctx, http.MethodPost, path+"/cancel", "", nil); err != nil {
			return err
		}
		want = "closed"
	case 1, 2:
		outcome = "pay_lose_notification"
	}
	if want == "credited" {
		p, err := l.weixin.control(ctx, http.MethodPost, "pay", obj{"prepayId": strings.TrimPrefix(a.s("pay.package"), "prepay_id="), "personaId": o.persona, "outcome": outcome})
		if err != nil && l.jumps {
			return nil // it expired before it was paid
		}
		if err != nil {
			return fmt.Errorf("topup %d: %w", a.i("topupId"), err)
		}
		l.books.locked(func() { l.books.paid[p.s("order.outTradeNo")] = topupFen })
	}
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(20 * time.Millisecond) {
		// The page asks now and then, and the shop asks WeChat when the owner taps.
		method, at := http.MethodGet, path
		if time.Since(begin) > 300*time.Millisecond {
			method, at = http.MethodPost, path+"/check"
		}
		t, err := o.must(ctx, method, at, "", nil)
		if err != nil {
			return err
		}
		if state := t.s("state"); state == want {
			if want == "credited" {
				l.books.moved(o.member, topupFen)
			}
			return nil
		} else if state != "pending" {
			return fmt.Errorf("topup %d is %s, want %s", a.i("topupId"), state, want)
		}
	}
	return fmt.Errorf("topup %d was never %s", a.i("topupId"), want)
}

// book wants one of few times, confirms it, and mostly gives it back.
func (l *load) book(ctx context.Context, w *worker) error {
	o := l.anybody(w)
	at := fmt.Sprintf("%sT%02d:%02d:00+08:00", l.day(1+w.IntN(2)), 9+w.IntN(8), 30*w.IntN(2))
	a, err := l.command(ctx, ack{who: o.phone, kind: "booking", path: "/api/owner/bookings", at: "id",
		body: obj{"storeId": l.store, "kind": "visit", "vehicleId": o.car, "serviceIds": []int64{l.wash}, "startsAt": at, "channel": "mini_program"}})
	if err != nil {
		return err
	}
	if !a.ok() {
		if id := l.books.spare(o.member); id != 0 && a.s("code") == "booking.open_limit" {
			return l.change(ctx, o, id, "cancel", obj{"reason": "改天再来"})
		}
		return nil
	}
	id := a.i("id")
	l.books.told(id, o.member, a.s("state"), true)
	if w.IntN(5) > 0 {
		err = l.change(ctx, o, id, "confirm", nil)
	}
	if err == nil && w.IntN(5) > 0 {
		err = l.change(ctx, o, id, "cancel", obj{"reason": "改天再来"})
	}
	l.books.told(id, o.member, "", false)
	return err
}

// change takes one step with a booking.
func (l *load) change(ctx context.Context, o *owner, id int64, step string, body any) error {
	var in obj
	if body != nil {
		in = body.(obj)
	}
	a, err := l.command(ctx, ack{who: o.phone, kind: step, path: fmt.Sprintf("/api/owner/bookings/%d/%s", id, step), body: in})
	if err == nil && a.ok() {
		l.books.told(id, o.member, a.s("state"), true)
	}
	return err
}
