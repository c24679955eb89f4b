package sale_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/wallet"
	"github.com/liangche/liangche/internal/wxsandbox"
)

func TestDeskSellsAtOnce(t *testing.T) {
	r := newRig(t)
	m := r.owner()
	x, err := r.buy(r.Ctx(), m, r.West, sale.MethodCash)
	shopfloor.Must(t, err)
	got := r.want(x, sale.StatePaid, 10, 0)
	if got.ResultID != got.ID+1 || len(got.Receipt) != 2 || got.StaffName == "" || got.BizDay != "2026-11-18" {
		t.Errorf("%+v", got)
	}
	if r.account(ledger.Cash) != -30000 || r.account(ledger.Passes) != 30000 {
		t.Errorf("cash %d, passes %d", r.account(ledger.Cash), r.account(ledger.Passes))
	}
	r.thing.price = 0
	x, err = r.buy(r.as(m, ""), m, 0, sale.MethodWeChat)
	shopfloor.Must(t, err)
	if got := r.want(x, sale.StatePaid, 20, 0); got.Method != sale.MethodFree {
		t.Errorf("%+v", got)
	}
}

func TestWaysOfPayingAreChecked(t *testing.T) {
	r := newRig(t)
	m := r.owner()
	for _, c := range []struct {
		name   string
		owner  bool
		store  int64
		method string
		ref    string
		want   error
	}{
		{"an owner has no till", true, 0, sale.MethodCash, "", sale.ErrMethod},
		{"a desk has no app", false, r.West, sale.MethodWeChat, "", sale.ErrMethod},
		{"nobody pays with shells", true, 0, "shells", "", sale.ErrMethod},
		{"a card leaves a number", false, r.West, sale.MethodCard, "", sale.ErrReference},
		{"a desk is in a store", false, 99, sale.MethodCash, "", fault.ErrNotFound},
	} {
		ctx := r.Ctx()
		if c.owner {
			ctx = r.as(m, "")
		}
		_, _, err := r.sales.Begin(ctx, sale.Buy{Kind: "thing", MemberID: m, StoreID: c.store}, sale.Pay{Method: c.method, Reference: c.ref})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if _, _, err := r.sales.Begin(r.Ctx(), sale.Buy{Kind: "nothing", MemberID: m, StoreID: r.West}, sale.Pay{Method: sale.MethodCash}); !errors.Is(err, sale.ErrKind) {
		t.Error(err)
	}
	r.thing.balance = false
	r.Topup(r.West, m, 50000, wallet.MethodCash)
	if _, err := r.buy(r.as(m, ""), m, 0, sale.MethodBalance); !errors.Is(err, sale.ErrBalance) {
		t.Error(err)
	}
}

// A notification that comes twice, or beside a question, delivers once.
func TestN05PaidOnce(t *testing.T) {
	r := newRig(t)
	m := r.owner()
	x, err := r.buy(r.as(m, ""), m, 0, sale.MethodWeChat)
	shopfloor.Must(t, err)
	r.want(x, sale.StatePending, 0, 0)
	r.pays(x)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { _, _ = r.wx.Resend(r.outTradeNo(x)) })
		wg.Go(func() { _, _ = r.sales.Check(t.Context(), m, x.ID) })
	}
	wg.Wait()
	r.want(x, sale.StatePaid, 10, 0)
}

func TestLostNotificationIsFoundByAsking(t *testing.T) {
	r := newRig(t)
	m := r.owner()
	x, err := r.buy(r.as(m, ""), m, 0, sale.MethodWeChat)
	shopfloor.Must(t, err)
	r.pays(x)
	r.later(time.Minute)
	r.want(x, sale.StatePaid, 10, 0)
}

func TestN06PaidAfterItWasClosedGoesBack(t *testing.T) {
	r := newRig(t)
	m := r.owner()
	x, err := r.buy(r.as(m, ""), m, 0, sale.MethodWeChat)
	shopfloor.Must(t, err)
	if _, err := r.sales.Cancel(t.Context(), m, x.ID); err != nil {
		t.Fatal(err)
	}
	r.want(x, sale.StateClosed, 0, 1)
	// WeChat closed the order, so nobody can pay it; an order that was paid first is delivered by the cancel.
	y, err := r.buy(r.as(m, ""), m, 0, sale.MethodWeChat)
	shopfloor.Must(t, err)
	r.pays(y)
	if _, err := r.sales.Cancel(t.Context(), m, y.ID); err != nil {
		t.Fatal(err)
	}
	r.want(y, sale.StatePaid, 10, 1)
	if _, _, err := r.sales.Pay(t.Context(), m, x.ID); !errors.Is(err, sale.ErrState) {
		t.Error(err)
	}
}

func TestUnpaidSaleEndsByItself(t *testing.T) {
	r := newRig(t)
	m := r.owner()
	x, err := r.buy(r.as(m, ""), m, 0, sale.MethodWeChat)
	shopfloor.Must(t, err)
	r.later(16 * time.Minute)
	r.want(x, sale.StateClosed, 0, 1)
}

func TestN02OverpaidDeliversNothingAndGoesBack(t *testing.T) {
	r := newRig(t)
	m := r.owner()
	x, err := r.buy(r.as(m, ""), m, 0, sale.MethodWeChat)
	shopfloor.Must(t, err)
	r.pays(x, func(p *wxsandbox.PayRequest) { p.AmountFen = 40000 })
	r.later(time.Minute)
	r.want(x, sale.StateClosed, 0, 1)
	r.later(time.Minute)
	p, err := r.pay.Get(t.Context(), r.DB, x.PaymentID)
	shopfloor.Must(t, err)
	if p.State == "paid" {
		t.Errorf("%+v", p)
	}
}

func TestGoneProductGivesTheMoneyBack(t *testing.T) {
	r := newRig(t)
	m := r.owner()
	x, err := r.buy(r.as(m, ""), m, 0, sale.MethodWeChat)
	shopfloor.Must(t, err)
	r.thing.gone.Store(true)
	r.pays(x)
	r.later(time.Minute)
	r.want(x, sale.StateClosed, 0, 1)
	p, err := r.pay.Get(t.Context(), r.DB, x.PaymentID)
	shopfloor.Must(t, err)
	if p.State != "surplus" {
		t.Errorf("the payment is %s", p.State)
	}
}

func TestN08DoubleClickBuysOnce(t *testing.T) {
	r := newRig(t)
	m := r.owner()
	r.Topup(r.West, m, 50000, wallet.MethodCash)
	var wg sync.WaitGroup
	var ids sync.Map
	for range 8 {
		wg.Go(func() {
			x, err := r.buy(r.as(m, "one"), m, 0, sale.MethodBalance)
			if err != nil {
				t.Error(err)
			}
			ids.Store(x.ID, true)
		})
	}
	wg.Wait()
	n := 0
	ids.Range(func(id, _ any) bool {
		n++
		r.want(sale.Sale{ID: id.(int64), MemberID: m}, sale.StatePaid, 10, 0)
		return true
	})
	if n != 1 {
		t.Errorf("%d sales", n)
	}
	k, _ := idem.From(r.as(m, "one"))
	k.Hash = "other"
	if _, err := r.buy(idem.With(r.as(m, "one"), k), m, 0, sale.MethodBalance); !errors.Is(err, idem.ErrReused) {
		t.Error(err)
	}
}

// Two buyers at once, one balance: what is there is spent once.
func TestN09OneBalanceManyTills(t *testing.T) {
	r := newRig(t)
	m := r.owner()
	r.Topup(r.West, m, 50000, wallet.MethodCash) // 580.00 with bonus
	r.thing.price = 20000
	var wg sync.WaitGroup
	var bought, refused atomic.Int64
	for range 6 {
		ctx := r.as(m, "")
		wg.Go(func() {
			switch _, err := r.buy(ctx, m, 0, sale.MethodBalance); {
			case err == nil:
				bought.Add(1)
			case errors.Is(err, ledger.ErrInsufficient):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if bought.Load() != 2 || refused.Load() != 4 {
		t.Errorf("%d bought, %d refused", bought.Load(), refused.Load())
	}
	b, err := ledger.BalanceOf(t.Context(), r.DB, m)
	shopfloor.Must(t, err)
	if b.Principal+b.Bonus != 18000 {
		t.Errorf("%d left", b.Principal+b.Bonus)
	}
	r.exact()
}

// N08: a retry gets its sale again, also when the store has closed since: what is checked before the transaction must not hide what was done.
func TestN08RetryAfterTheStoreClosed(t *testing.T) {
	r := newRig(t)
	m := r.owner()
	r.Topup(r.West, m, 50000, wallet.MethodCash)
	x, err := r.buy(r.as(m, "one"), m, r.West, sale.MethodBalance)
	if err != nil {
		t.Fatal(err)
	}
	no := false
	if _, err := r.Shops.Update(r.Ctx(), r.West, shop.Input{Name: "城西店", Active: &no}); err != nil {
		t.Fatal(err)
	}
	r.Clock.Advance(time.Minute)
	again, err := r.buy(r.as(m, "one"), m, r.West, sale.MethodBalance)
	if err != nil || again.ID != x.ID {
		t.Errorf("sale %d, then %d, %v", x.ID, again.ID, err)
	}
	if _, err := r.buy(r.as(m, "two"), m, r.West, sale.MethodBalance); err == nil {
		t.Error("a closed store sells")
	}
}
