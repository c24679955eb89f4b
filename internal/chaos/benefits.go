package main

import (
	"context"
	"fmt"
	"net/http"
)

// What the shop of a site gives and sells beside washes.
const (
	washPoints = 3  // that a wash brings when it is paid with money
	passTimes  = 10 // washes of a pass
	mallPoints = 8  // that a thing of the mall costs
	mallStock  = 15 // of it, at first
)

// taken are what a till may be refused with when another one was faster with what the member has.
const taken = "checkout.quote_changed checkout.cover checkout.coupon checkout.points coupon.held coupon.used pass.not_usable points.insufficient"

// visit is a wash that is rung up; use says what of the member's pays for it.
func (l *load) visit(o *owner, qty int, use obj) obj {
	return obj{"storeId": l.store, "memberId": o.member, "plate": o.plate, "vehicleClassId": l.class, "items": []obj{{"kind": "service", "id": l.wash, "qty": qty}}, "benefits": use}
}

// ring prices a visit and settles it: with at most so many points, and the rest from the card.
func (l *load) ring(ctx context.Context, o *owner, visit obj, points int64) error {
	may := ""
	if len(visit["benefits"].(obj)) > 0 || points > 0 {
		may = taken
	}
	q, _, err := l.boss.insist(ctx, http.MethodPost, "/api/staff/quotes", l.key("quote"), visit)
	if err != nil || among(may, q.s("code")) {
		return err
	}
	if !q.ok() {
		return fmt.Errorf("quote: %s", q)
	}
	did := effect{member: o.member, fen: q.i("totalFen"), coupons: q.ints("benefits.couponIds")}
	for _, c := range q.list("benefits.covers") {
		did.uses += c.i("qty")
	}
	tenders := []obj{}
	if n := min(points, q.i("offers.points.maxFen")); n > 0 { // a point pays a fen
		tenders = append(tenders, obj{"kind": "points", "amountFen": n})
		did.fen -= n
		did.points -= n
	}
	if did.fen > 0 {
		tenders = append(tenders, obj{"kind": "balance", "amountFen": did.fen})
	}
	visit["quoteHash"], visit["tenders"] = q.s("quoteHash"), tenders
	a, err := l.command(ctx, ack{who: l.boss, kind: "order", path: "/api/staff/checkouts", body: visit, at: "orderId", may: may, did: did})
	if err == nil && a.ok() {
		l.books.moved(o.member, -did.fen)
	}
	return err
}

// benefit pays with a coupon or a pass, or with whatever is best, and with points. Every till takes the first that it sees, so that several want the
// same one. Who has little gets more.
func (l *load) benefit(ctx context.Context, w *worker) error {
	o, qty := l.anybody(w), 1+w.IntN(3)
	q, err := l.boss.must(ctx, http.MethodPost, "/api/staff/quotes", l.key("quote"), l.visit(o, qty, obj{}))
	if err != nil {
		return err
	}
	use := obj{}
	switch w.IntN(5) {
	case 0, 1:
		have := usable(q.list("offers.coupons"))
		if len(have) < 2 {
			err = l.give(ctx, w, o)
		}
		if len(have) > 0 {
			use["couponIds"] = []int64{have[0].i("id")}
		}
	case 2, 3:
		have := usable(q.list("offers.covers"))
		if len(have) == 0 {
			return l.sell(ctx, o)
		}
		use["covers"] = []obj{{"kind": "pass", "id": have[0].i("id"), "itemIndex": 0, "qty": min(have[0].i("left"), int64(qty))}}
	default:
		use["auto"] = true
	}
	if err != nil {
		return err
	}
	return l.ring(ctx, o, l.visit(o, qty, use), int64(w.IntN(6)))
}

// usable are those of what a member has of which nothing says why not.
func usable(all []obj) (out []obj) {
	for _, o := range all {
		if o.s("why") == "" {
			out = append(out, o)
		}
	}
	return out
}

// give hands a coupon to a member.
func (l *load) give(ctx context.Context, w *worker, o *owner) error {
	_, err := l.command(ctx, ack{who: l.boss, kind: "coupon", path: fmt.Sprintf("/api/staff/members/%d/coupons", o.member), at: "items.0.id", did: effect{member: o.member},
		body: obj{"templateId": l.coupons[w.IntN(len(l.coupons))], "n": 1, "reason": "久等了"}})
	return err
}

// sell sells a pass for cash.
func (l *load) sell(ctx context.Context, o *owner) error {
	_, err := l.command(ctx, ack{who: l.boss, kind: "pass", path: "/api/staff/passes", at: "resultId", did: effect{member: o.member, uses: -passTimes},
		body: obj{"storeId": l.store, "memberId": o.member, "planId": l.plan, "tender": "cash"}})
	return err
}

// exchange takes a thing from the mall for points. When there is none left the shop gets more.
func (l *load) exchange(ctx context.Context, w *worker) error {
	o := l.anybody(w)
	a, err := l.command(ctx, ack{who: o.phone, kind: "exchange", path: "/api/owner/mall/orders", at: "order.id", did: effect{member: o.member, points: -mallPoints},
		body: obj{"itemId": l.item, "qty": 1, "points": mallPoints, "delivery": "collect", "storeId": l.store}})
	if err != nil || a.s("code") != "mall.out_of_stock" {
		return err
	}
	const more = 3
	a, err = l.command(ctx, ack{who: l.boss, kind: "stock", path: fmt.Sprintf("/api/console/mall/items/%d/stock", l.item), body: obj{"amount": more, "reason": "到货"}})
	if err == nil && a.ok() {
		l.books.locked(func() { l.books.stock += more })
	}
	return err
}

// fetch ends one of the last orders of the mall, perhaps again: of each it is always the same who does, and how. Half are handed out, half given up.
func (l *load) fetch(ctx context.Context, w *worker) error {
	was, found := l.books.some(w.Rand, "exchange", 8)
	if !found {
		return nil
	}
	c, end := ack{who: l.boss, kind: "handout", path: fmt.Sprintf("/api/staff/mall/orders/%d/deliver", was.result), body: obj{"code": was.did.code}}, "collected"
	if was.key[len(was.key)-1]%2 == 0 {
		c, end = ack{who: was.who, kind: "giveup", path: fmt.Sprintf("/api/owner/mall/orders/%d/cancel", was.result), body: obj{}}, "cancelled"
	}
	a, err := l.command(ctx, c)
	if err == nil && a.ok() {
		l.books.locked(func() { l.books.ended[was.result] = end })
	}
	return err
}
