package sale_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/wallet"
)

func TestN07RefundGoesBackToWeChatOnce(t *testing.T) {
	r := newRig(t)
	m := r.owner()
	x, err := r.buy(r.as(m, ""), m, 0, sale.MethodWeChat)
	shopfloor.Must(t, err)
	r.pays(x)
	r.later(time.Minute)
	r.want(x, sale.StatePaid, 10, 0)
	_, err = r.refund(x, 21000)
	shopfloor.Must(t, err)
	if _, err := r.refund(x, 9001); !errors.Is(err, sale.ErrRefundMax) {
		t.Errorf("more than was paid: %v", err)
	}
	for range 50 {
		r.later(time.Minute)
		backs, err := r.sales.Refunds(t.Context(), r.DB, x.ID)
		shopfloor.Must(t, err)
		if len(backs) != 1 {
			t.Fatalf("%d refunds", len(backs))
		}
		if backs[0].State == sale.RefundDone {
			break
		}
	}
	got := r.want(x, sale.StateRefunded, 10, 0)
	p, err := r.pay.Get(t.Context(), r.DB, x.PaymentID)
	shopfloor.Must(t, err)
	if got.RefundedFen != 21000 || p.RefundedFen != 21000 || r.account(ledger.WeChat) != -9000 || r.account(ledger.Passes) != 9000 {
		t.Errorf("%+v, WeChat gave %d, accounts %d %d", got, p.RefundedFen, r.account(ledger.WeChat), r.account(ledger.Passes))
	}
}

func TestCashGoesBackByHand(t *testing.T) {
	r := newRig(t)
	m := r.owner()
	x, err := r.buy(r.Ctx(), m, r.West, sale.MethodCash)
	shopfloor.Must(t, err)
	if _, err := r.refund(x, 0); !errors.Is(err, sale.ErrRefundMax) {
		t.Error(err)
	}
	_, err = r.refund(x, 30000)
	shopfloor.Must(t, err)
	r.want(x, sale.StateRefunded, 10, 0)
	if r.account(ledger.Cash) != 0 || r.account(ledger.Passes) != 0 {
		t.Errorf("cash %d, passes %d", r.account(ledger.Cash), r.account(ledger.Passes))
	}
	y, err := r.buy(r.as(m, ""), m, 0, sale.MethodWeChat)
	shopfloor.Must(t, err)
	if _, err := r.refund(y, 1); !errors.Is(err, sale.ErrState) {
		t.Errorf("not paid yet: %v", err)
	}
}

// Stored value never comes out as cash, and bonus never as principal: what paid is what comes back, to the top-up that it came from (N04, N10).
func TestN10StoredValueGoesBackToItsLots(t *testing.T) {
	r := newRig(t)
	m := r.owner()
	r.Topup(r.West, m, 50000, wallet.MethodCash) // 500.00 + 80.00
	x, err := r.buy(r.as(m, ""), m, 0, sale.MethodBalance)
	shopfloor.Must(t, err)
	got := r.want(x, sale.StatePaid, 10, 0)
	if got.PrincipalFen != 25862 || got.BonusFen != 4138 {
		t.Errorf("%d + %d paid", got.PrincipalFen, got.BonusFen)
	}
	r.holds(m, 24138, 3862)
	if got.BonusOf(15000) != 2069 {
		t.Errorf("bonus of a half: %d", got.BonusOf(15000))
	}
	_, err = r.refund(x, 15000)
	shopfloor.Must(t, err)
	r.holds(m, 24138+12931, 3862+2069)
	_, err = r.refund(x, 15000)
	shopfloor.Must(t, err)
	r.holds(m, 50000, 8000)
	r.want(x, sale.StateRefunded, 10, 0)
	// The top-up is whole again: all of it can go back to the till.
	plan, err := r.Wallet.PlanFor(t.Context(), m, 0)
	shopfloor.Must(t, err)
	if plan.RefundableFen != 50000 || plan.BonusBackFen != 8000 {
		t.Errorf("%+v", plan)
	}
}

// Property: however a sale is paid back in parts, the parts sum to what they say, principal and bonus never exceed what paid, and all of it
// brings back exactly what was there.
func TestRefundProperty(t *testing.T) {
	r := newRig(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		m := r.Member("会员", "1380000"+four(n), "")
		for range rapid.IntRange(1, 3).Draw(rt, "topups") {
			r.Topup(r.West, m, money.Fen(rapid.SampledFrom([]int{50000, 20000, 12345}).Draw(rt, "amount")), wallet.MethodCash)
		}
		before, err := ledger.BalanceOf(t.Context(), r.DB, m)
		shopfloor.Must(t, err)
		r.thing.price = money.Fen(rapid.Int64Range(1, before.Principal+before.Bonus).Draw(rt, "price"))
		x, err := r.buy(r.as(m, ""), m, 0, sale.MethodBalance)
		shopfloor.Must(t, err)
		left := r.thing.price
		for left > 0 {
			part := money.Fen(rapid.Int64Range(1, int64(left)).Draw(rt, "part"))
			now, err := r.sales.Sale(t.Context(), 0, x.ID)
			shopfloor.Must(t, err)
			bonus := now.BonusOf(part)
			was, err := ledger.BalanceOf(t.Context(), r.DB, m)
			shopfloor.Must(t, err)
			_, err = r.refund(x, part)
			shopfloor.Must(t, err)
			is, err := ledger.BalanceOf(t.Context(), r.DB, m)
			shopfloor.Must(t, err)
			if money.Fen(is.Bonus-was.Bonus) != bonus || money.Fen(is.Principal-was.Principal) != part-bonus || is.Bonus > before.Bonus || is.Principal > before.Principal {
				rt.Fatalf("part %d with bonus %d: %+v became %+v of %+v", part, bonus, was, is, before)
			}
			left -= part
		}
		if now, _ := ledger.BalanceOf(t.Context(), r.DB, m); now.Principal != before.Principal || now.Bonus != before.Bonus {
			rt.Fatalf("%+v, was %+v", now, before)
		}
	})
	r.exact()
}

func four(n int) string {
	s := "0000" + string(rune('0'+n/1000%10)) + string(rune('0'+n/100%10)) + string(rune('0'+n/10%10)) + string(rune('0'+n%10))
	return s[len(s)-4:]
}
