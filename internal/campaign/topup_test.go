package campaign

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/wallet"
)

// D13: a voucher for each full amount of a top-up, not of what is paid with it afterwards; and back with the money (N11).
func TestD13VouchersForATopup(t *testing.T) {
	r := newRig(t)
	coupons := &counter{map[int64]int64{}}
	r.Connect(Coupon, coupons)
	log := slog.New(slog.DiscardHandler)
	q, shops, settings := jobs.New(r.db, log), shop.New(r.db), setting.New(r.db)
	st, err := shops.Create(r.ctx(), shop.Input{Name: "西湖店"})
	must(t, err)
	w := wallet.New(r.db, log, r.members, payment.New(r.db, q, nil, log), catalog.New(r.db, shops), shops, settings, notify.New(r.db, q, nobody{}, nil, settings, notify.Options{}))
	n := 0
	key := func() context.Context {
		n++
		return idem.With(actor.With(t.Context(), actor.Actor{Kind: actor.Staff, ID: 7, Name: "王店长", AllStores: true, Permissions: perm.Keys()}), idem.Key{Actor: "test", Key: fmt.Sprintf("topup-%06d", n), Hash: "x"})
	}
	m := r.join("")
	r.rule(RuleInput{Trigger: AfterTopup, Terms: Terms{StepFen: 10000, StepMost: 5}, Gift: Gift{{Kind: Coupon, ID: 7, N: 1}}})
	r.rule(RuleInput{Trigger: AfterPurchase, Terms: Terms{MinFen: 1}, Gift: Gift{{Kind: Points, N: 7}}})
	r.clk.Advance(time.Second)
	told, err := r.TopupGifts(t.Context(), m, []money.Fen{9900, 25000, 99900})
	must(t, err)
	for i, n := range []int64{0, 2, 5} {
		want := ""
		if n > 0 {
			want, err = r.Title(t.Context(), r.db, Gift{{Kind: Coupon, ID: 7, N: n}})
			must(t, err)
		}
		if told[i] != want || (n > 0) != (want != "") {
			t.Errorf("the owner is told of %q, it brings %q", told[i], want)
		}
	}
	topup := func(amount money.Fen) {
		t.Helper()
		r.clk.Advance(time.Second)
		x, _, err := w.Desk(key(), wallet.Ask{StoreID: st.ID, MemberID: m, AmountFen: amount, Method: wallet.MethodCash})
		must(t, err)
		if x.State != wallet.StateCredited {
			t.Fatalf("%+v", x)
		}
	}
	back := func(amount money.Fen) {
		t.Helper()
		plan, err := w.PlanFor(key(), m, amount)
		must(t, err)
		_, err = w.Refund(key(), m, st.ID, amount, "搬家", plan.PlanHash)
		must(t, err)
	}
	want := func(n int64, what string) {
		t.Helper()
		r.sweep()
		r.sweep()
		if coupons.n[m] != n {
			t.Errorf("%s: the member holds %d coupons, want %d", what, coupons.n[m], n)
		}
		r.want(m, 0, what+": a top-up is no purchase")
	}
	topup(9999)
	want(0, "not full")
	topup(35000)
	want(3, "three full hundreds")
	topup(200000)
	want(8, "no more than five for one top-up")
	back(5000)
	want(8, "what is left still brings them")
	back(239999)
	want(0, "all of it went back")
	r.exact()
	if err := (&RuleInput{Name: "x", Trigger: AfterTopup, Terms: Terms{}, Gift: Gift{{Kind: Points, N: 1}}}).complain(); err == nil {
		t.Error("a rule without an amount")
	}
}

func (in *RuleInput) complain() error {
	var c fault.Complaints
	in.check(&c)
	return c.Err()
}
