package model

import (
	"context"
	"math/rand/v2"

	"github.com/liangche/liangche/internal/mall"
	"github.com/liangche/liangche/internal/sale"
)

// The points mall: a thing for points, a thing for points and money, coupons for points.

// ware is something to be had for points.
type ware struct {
	id            int64
	kind          string
	points, money int64
	stock, each   int64 // each: the most for one member, 0 is no limit
}

// present is what a member exchanged.
type present struct {
	id     int64
	by     *person
	of     *ware
	n      int64
	state  string // pending, ready, collected, cancelled
	points []pointsTaken
	sale   *bought // nil where it costs no money
	code   string  // by which it is fetched, as far as somebody has looked at it
}

// shelf are the wares of this history, put up when somebody first wants one.
func (h *history) shelf() []*ware {
	if len(h.wares) == 0 {
		h.wares = []*ware{{kind: mall.KindGood, points: 300, stock: 4, each: 3}, {kind: mall.KindGood, points: 200, money: 2000, stock: 3}, {kind: mall.KindCoupon, points: 150, stock: 3}}
		for _, w := range h.wares {
			in := mall.ItemInput{Name: "礼品", Kind: w.kind, Points: w.points, MoneyFen: fenOf(w.money), Stock: w.stock, PerMember: int(w.each)}
			if w.kind == mall.KindCoupon {
				in.SubjectID = h.catalog.coupon
			}
			i, err := h.Mall.SaveItem(h.staff(), 0, in)
			h.need(err)
			w.id = i.ID
		}
	}
	return h.wares
}

// had is how many of a ware a member has exchanged.
func (h *history) had(p *person, w *ware) (n int64) {
	for _, x := range h.presents {
		if x.by == p && x.of == w && x.state != mall.Cancelled {
			n += x.n
		}
	}
	return n
}

// refuses is the fault of an exchange: its order is that in which the system looks.
func (h *history) refuses(p *person, w *ware, n int64, method string) string {
	switch {
	case w.each > 0 && h.had(p, w)+n > w.each:
		return "mall.limit"
	case w.points*n > p.spendable(h.clk.Now()):
		return "points.insufficient"
	case n > w.stock:
		return "mall.out_of_stock"
	case w.money > 0 && method == sale.MethodBalance && w.money*n > p.available():
		return "wallet.insufficient_balance"
	}
	return ""
}

func (h *history) exchanges(r *rand.Rand) {
	p, _ := likely(r, h.people, func(p *person) bool { return p.spendable(h.clk.Now()) >= 200 })
	w, _ := one(r, h.shelf())
	x := &present{by: p, of: w, n: 1 + r.Int64N(5)/3}
	a := mall.Ask{ItemID: w.id, Qty: x.n, Points: w.points, MoneyFen: fenOf(w.money)}
	if w.kind == mall.KindGood {
		a.StoreID = h.store
	}
	if w.money > 0 {
		a.Pay, _ = one(r, []string{sale.MethodWeChat, sale.MethodBalance})
	}
	fault := h.refuses(p, w, x.n, a.Pay)
	if r.IntN(10) == 0 { // the page was opened before the price changed
		a.Points--
		fault = "mall.changed"
	}
	h.say("  member %d exchanges %d points each for %d of %d, and %s of money by %q", p.id, w.points, x.n, w.id, a.MoneyFen, a.Pay)
	ctx := h.owner(p.id, p.identity)
	command := func(ctx context.Context) (int64, error) {
		o, _, err := h.Mall.Order(ctx, p.id, a)
		return o.ID, err
	}
	id, err := command(ctx)
	if !h.answers(fault, err) {
		return
	}
	o, err := h.Mall.Get(h.t.Context(), p.id, id)
	h.need(err)
	x.id, x.state = id, mall.Pending
	h.presents = append(h.presents, x)
	w.stock -= x.n
	x.points = p.takePoints(w.points*x.n, h.clk.Now())
	if w.money == 0 {
		h.isReady(x)
	} else {
		b, err := h.Sales.Sale(h.t.Context(), p.id, o.SaleID)
		h.need(err)
		x.sale = &bought{id: o.SaleID, by: p, fen: w.money * x.n, method: a.Pay}
		h.sells(x.sale, b.PaymentID, "revenue", func() { h.isReady(x) }, func() { h.takesBack(x) })
	}
	if x.sale == nil || x.sale.pay == nil {
		h.remember(ctx, id, command)
	}
}

// isReady is what becomes of a present that is paid: a thing waits for its owner, coupons are given at once.
func (h *history) isReady(x *present) {
	if x.state = mall.Ready; x.of.kind == mall.KindGood {
		return
	}
	x.state = mall.Collected
	var known []int64
	for _, v := range h.coupons {
		known = append(known, v.id)
	}
	before := len(known)
	for _, got := range h.rows(`SELECT id, state AS word, 0 AS n, 0 AS m FROM coupon_coupons WHERE member_id = ? AND id NOT IN (?) ORDER BY id`, x.by.id, append(known, 0)) {
		h.hasCoupon(x.by, got.ID)
		known = append(known, got.ID)
	}
	if n := int64(len(known) - before); n != x.n {
		h.fail("%d coupons came, the model says %d", n, x.n)
	}
}

// takesBack ends a present that nobody got: its stock and points come back, and a debt is paid first.
func (h *history) takesBack(x *present) {
	x.state = mall.Cancelled
	x.of.stock += x.n
	for _, t := range x.points {
		t.from.left += t.n
	}
	x.by.paysDebt(h.clk.Now())
}

// cancelsAPresent gives one back that was not fetched, by its owner or by the shop.
func (h *history) cancelsAPresent(r *rand.Rand) {
	x, ok := likely(r, h.presents, func(x *present) bool { return x.state == mall.Pending || x.state == mall.Ready })
	if !ok {
		return
	}
	fault := ""
	if x.state == mall.Collected || x.state == mall.Cancelled {
		fault = "mall.state"
	}
	ctx, who := h.owner(x.by.id, x.by.identity), x.by.id
	if r.IntN(2) == 0 {
		ctx, who = h.staff(), 0
	}
	h.say("  present %d is cancelled", x.id)
	_, err := h.Mall.Cancel(ctx, who, x.id, "不想要了")
	if !h.answers(fault, err) {
		return
	}
	if x.state == mall.Pending {
		if x.sale.pay.paid { // too late: it is ready instead
			x.sale.pay.settle()
		}
		x.sale.pay.close()
		return
	}
	if x.sale != nil {
		h.returns(x.sale, x.sale.fen, "revenue")
	}
	h.takesBack(x)
}

// fetches shows the code of a present at the desk, or another one.
func (h *history) fetches(r *rand.Rand) {
	x, ok := likely(r, only(h.presents, func(x *present) bool { return x.of.kind == mall.KindGood }), func(x *present) bool { return x.state == mall.Ready })
	if !ok {
		return
	}
	if x.state == mall.Ready {
		code, err := h.Mall.PickupCode(h.t.Context(), x.by.id, x.id)
		h.need(err)
		x.code = code
	}
	code := x.code
	if code == "" || r.IntN(6) == 0 {
		code = "0000000000"
	}
	fault := ""
	if code != x.code || x.state == mall.Pending || x.state == mall.Cancelled {
		fault = "mall.code_unknown"
	} else if x.state == mall.Collected {
		fault = "mall.state"
	}
	h.say("  present %d is fetched", x.id)
	_, err := h.Mall.Deliver(h.staff(), x.id, code)
	if h.answers(fault, err) {
		x.state = mall.Collected
	}
}

// restocks brings a stock up or down.
func (h *history) restocks(r *rand.Rand) {
	w, _ := one(r, h.shelf())
	n := []int64{1, 3, -1, -w.stock, -w.stock - 1}[r.IntN(5)]
	fault := ""
	if n == 0 {
		fault = "request.invalid"
	} else if w.stock+n < 0 {
		fault = "mall.out_of_stock"
	}
	h.say("  the stock of %d changes by %d", w.id, n)
	_, err := h.Mall.ChangeStock(h.staff(), w.id, mall.StockChange{Amount: n, Reason: "盘点"})
	if h.answers(fault, err) {
		w.stock += n
	}
}
