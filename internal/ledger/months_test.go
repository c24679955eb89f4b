package ledger

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/money"
)

func TestMonthsAreTheEntries(t *testing.T) {
	d, clk := dbtest.New(t)
	clk.Set(time.Date(2026, 9, 30, 15, 0, 0, 0, time.UTC)) // 23:00 in China: an hour later is October
	post := func(member int64, amount money.Fen) {
		t.Helper()
		if err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			b, err := LockTx(ctx, tx, member)
			if err != nil {
				return err
			}
			_, err = PostTx(ctx, tx, b, Post{Kind: KindTopup, RefKind: "topup"}, Leg{Unit: Principal, Amount: int64(amount)}, ShopLeg(Cash, -amount))
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string, want map[string]int64) {
		t.Helper()
		m, err := ReadMonths(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int64{}
		for month, by := range m {
			got[month] = by[Held(Principal)]
			if by[Owed(Cash)] != -by[Held(Principal)] {
				t.Errorf("%s, %s: %v", what, month, by)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
		if err := Audit(t.Context(), d, func(p string) { t.Errorf("%s: %s", what, p) }, func(int) {}); err != nil {
			t.Fatal(err)
		}
	}
	check("nothing", map[string]int64{})
	post(1, 100)
	clk.Advance(2 * time.Hour)
	for i := range 30 {
		post(int64(i%3+1), 10)
	}
	check("not folded", map[string]int64{"2026-09": 100, "2026-10": 300})
	for range 2 {
		if err := Fold(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		check("folded, but for the last minutes", map[string]int64{"2026-09": 100, "2026-10": 300})
	}
	if _, from, err := folded(t.Context(), d); err != nil || from == 0 {
		t.Errorf("folded to %d, %v", from, err)
	}
	clk.Advance(time.Hour)
	done := make(chan error, 4)
	for range cap(done) {
		go func() { done <- Fold(t.Context(), d) }()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	post(2, 5)
	check("folded by four at once", map[string]int64{"2026-09": 100, "2026-10": 305})
	m, _, err := folded(t.Context(), d)
	if err != nil || m["2026-10"][Held(Principal)] != 300 {
		t.Errorf("%v %v", m, err)
	}
	if _, err := d.SQLDB().ExecContext(t.Context(), `UPDATE ledger_months SET amount = amount + 1 WHERE unit = 'principal'`); err != nil {
		t.Fatal(err)
	}
	var found []string
	if err := Audit(t.Context(), d, func(p string) { found = append(found, p) }, func(int) {}); err != nil || len(found) != 1 {
		t.Errorf("%v %v", found, err)
	}
	if got := fmt.Sprint(Months{}.Total(Held(Points))); got != "0" {
		t.Error(got)
	}
}
