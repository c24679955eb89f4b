package memberview

import (
	"context"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/ledger"
)

// What a member sees are points that may be spent: what has expired and was not swept yet, and what is owed, is not there.
func TestPointsThatMayBeSpent(t *testing.T) {
	f := shopfloor.New(t)
	s := New(f.DB, f.Members, f.Tiers, f.Shops, f.Settings)
	me, other := f.Member("王小明", "13800138000", "浙A12345"), f.Member("李小红", "13800138001", "浙A12346")
	bring := func(m, n int64, ends time.Duration) {
		t.Helper()
		shopfloor.Must(t, f.DB.InTx(f.Ctx(), func(ctx context.Context, tx *db.Tx) error {
			b, err := ledger.LockTx(ctx, tx, m, ledger.Points, ledger.PointsDebt)
			if err != nil {
				return err
			}
			lot := &ledger.NewLot{RefKind: "test", RefID: tx.NewID()}
			if ends > 0 {
				lot.ExpiresAt = tx.Now.Add(ends).UnixMilli()
			}
			_, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindPointsGift, BizDay: "2026-11-18", RefKind: "test", RefID: tx.NewID()},
				ledger.Leg{Unit: ledger.Points, Amount: n, Lot: lot}, ledger.PointsLeg(-n))
			return err
		}))
	}
	want := func(m, n int64, what string) {
		t.Helper()
		h, err := s.holding(t.Context(), m)
		shopfloor.Must(t, err)
		if h.Points != n {
			t.Errorf("%s: %d points, want %d", what, h.Points, n)
		}
	}
	bring(me, 100, time.Hour)
	bring(me, 50, 0)
	bring(other, 7, 0)
	want(me, 150, "all of them")
	want(other, 7, "somebody else")
	f.Clock.Advance(time.Hour)
	want(me, 50, "what has just expired")
	shopfloor.Must(t, f.DB.InTx(f.Ctx(), func(ctx context.Context, tx *db.Tx) error {
		b, err := ledger.LockTx(ctx, tx, me, ledger.Points, ledger.PointsDebt)
		if err != nil {
			return err
		}
		_, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindPointsClawback, BizDay: "2026-11-18", RefKind: "test", RefID: tx.NewID()},
			ledger.Leg{Unit: ledger.PointsDebt, Amount: 80}, ledger.Leg{Account: "points_debt", Unit: ledger.ShopPts, Amount: -80})
		return err
	}))
	want(me, 0, "more is owed than there is")
}
