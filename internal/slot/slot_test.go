package slot

import (
	"context"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *Service) in(t testing.TB, f func(ctx context.Context, tx *db.Tx) error) error {
	t.Helper()
	return s.db.InTx(t.Context(), f)
}

// sound fails when the audit finds anything.
func sound(t testing.TB, s *Service) {
	t.Helper()
	must(t, s.Audit(t.Context(), func(p string) { t.Error(p) }))
}

func TestTakeMoveFree(t *testing.T) {
	d, clk := dbtest.New(t)
	s := New(d)
	now := CellUp(clk.Now())
	claims := []Claim{{2, Span{now, now + 6}}, {1, Span{now, now + 6}}}
	take := func(owner int64, c []Claim) error {
		return s.in(t, func(ctx context.Context, tx *db.Tx) error { return s.TakeTx(ctx, tx, 1, owner, c) })
	}
	must(t, take(10, claims))
	if err := take(11, []Claim{{2, Span{now + 5, now + 8}}}); !ErrTaken.Is(err) && err == nil {
		t.Fatal(err)
	}
	must(t, s.in(t, func(ctx context.Context, tx *db.Tx) error {
		return s.ReplaceTx(ctx, tx, 1, 10, []Claim{{2, Span{now + 3, now + 9}}})
	}))
	sound(t, s)
	must(t, s.in(t, func(ctx context.Context, tx *db.Tx) error { return s.FreeTx(ctx, tx, 10) }))
	sound(t, s)
	b, _, err := s.Block(t.Context(), Block{StoreID: 1, ResourceID: 2, ResourceKind: Bay, From: clk.Now(), To: clk.Now().Add(time.Hour), Reason: "检修"}, false)
	must(t, err)
	sound(t, s)
	must(t, s.Unblock(t.Context(), b.ID))
	sound(t, s)
}
