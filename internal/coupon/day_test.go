package coupon

import (
	"context"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/pricing"
)

// One a day counts by the business date of the store, the same in the quote and at the till: at half past eleven in Shanghai it is tomorrow in Tokyo.
func TestOneADayIsTheStoresDay(t *testing.T) {
	r := newRig(t)
	r.clk.Set(time.Date(2026, 11, 18, 15, 30, 0, 0, time.UTC))
	here, there := bizday.Of(r.clk.Now(), "Asia/Shanghai"), bizday.Of(r.clk.Now(), "Asia/Tokyo")
	if here == there {
		t.Fatal("the test needs two dates")
	}
	m := r.member()
	tpl := r.template("新客专享", func(in *TemplateInput) { in.Stack = pricing.StackNone })
	a, b, c := r.issue(tpl, m), r.issue(tpl, m), r.issue(tpl, m)
	hold := func(id, ref int64, day string) error {
		return r.tx(func(ctx context.Context, tx *db.Tx) error {
			return r.HoldTx(ctx, tx, m, []int64{id}, "order", ref, day)
		})
	}
	why := func(day string) string {
		t.Helper()
		list, err := r.Usable(t.Context(), r.db, Ask{MemberID: m, StoreID: 1, At: r.clk.Now(), BizDay: day})
		must(t, err)
		return list[0].Why
	}
	must(t, hold(a, 1, there))
	if why(there) == "" || why(here) != "" {
		t.Errorf("the quote says %q there and %q here", why(there), why(here))
	}
	r.refused(hold(b, 2, there), ErrAlone)
	must(t, hold(b, 3, here))
	r.clk.Advance(time.Hour) // tomorrow here too
	r.refused(hold(c, 4, bizday.Of(r.clk.Now(), "Asia/Tokyo")), ErrAlone)
}
