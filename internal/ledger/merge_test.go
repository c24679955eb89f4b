package ledger_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
)

// every unit that a member may hold, with its contra leg.
var every = map[ledger.Unit]func(int64) ledger.Leg{
	ledger.Principal:  func(n int64) ledger.Leg { return ledger.ShopLeg(ledger.Cash, money.Fen(n)) },
	ledger.Bonus:      func(n int64) ledger.Leg { return ledger.ShopLeg(ledger.BonusGranted, money.Fen(n)) },
	ledger.Points:     ledger.PointsLeg,
	ledger.PointsDebt: func(n int64) ledger.Leg { return ledger.Leg{Account: "points_debt", Unit: ledger.ShopPts, Amount: n} },
	ledger.Experience: ledger.ExperienceLeg,
	ledger.Uses:       ledger.UsesLeg,
}

var inOrder = []ledger.Unit{ledger.Principal, ledger.Bonus, ledger.Points, ledger.PointsDebt, ledger.Experience, ledger.Uses}

func give(t testing.TB, d *db.DB, who int64, u ledger.Unit, n int64, lot ledger.NewLot) (id int64) {
	t.Helper()
	id, err := in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) {
		b, err := ledger.LockTx(ctx, tx, who, u)
		if err != nil {
			return 0, err
		}
		return ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindAdjust, RefKind: lot.RefKind, RefID: lot.RefID}, ledger.Leg{Unit: u, Amount: n, Lot: &lot}, every[u](-n))
	})
	must(t, err)
	return id
}

// take consumes n of a unit, oldest first.
func take(t testing.TB, d *db.DB, who int64, u ledger.Unit, n int64) (id int64, err error) {
	t.Helper()
	return in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) {
		b, err := ledger.LockTx(ctx, tx, who, u)
		if err != nil {
			return 0, err
		}
		takes, err := b.TakeOldest(u, n)
		if err != nil {
			return 0, err
		}
		return ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindConsume}, append(ledger.Debits(takes), every[u](n))...)
	})
}

func undo(t testing.TB, d *db.DB, who, posting int64, u ledger.Unit) error {
	t.Helper()
	_, err := in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) {
		b, err := ledger.LockTx(ctx, tx, who, u)
		if err != nil {
			return 0, err
		}
		return ledger.ReverseTx(ctx, tx, b, posting, ledger.Post{Kind: ledger.KindReversal})
	})
	return err
}

func mergeOf(t testing.TB, d *db.DB, from, into int64) (out ledger.Merged, err error) {
	t.Helper()
	err = d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
		out, err = ledger.MergeTx(ctx, tx, from, into, ledger.Post{Title: "并入"}, ledger.Post{Title: "合并自"})
		return err
	})
	return out, err
}

func holds(t testing.TB, d *db.DB, who int64) map[ledger.Unit]int64 {
	t.Helper()
	b, err := ledger.BalanceOf(t.Context(), d, who)
	must(t, err)
	return map[ledger.Unit]int64{ledger.Principal: b.Principal, ledger.Bonus: b.Bonus, ledger.Points: b.Points, ledger.PointsDebt: b.PointsDebt, ledger.Experience: b.Experience, ledger.Uses: b.Uses}
}

// Two members with 500 + 80 and 300 + 30, of which 100 + 10 are spent, and points that end on different days: what is left is one member's, lot by lot.
func TestMergeKeepsLots(t *testing.T) {
	d, clk := dbtest.New(t)
	const a, b = int64(7), int64(9)
	soon, late := clk.Now().Add(time.Hour).UnixMilli(), clk.Now().Add(48*time.Hour).UnixMilli()
	give(t, d, a, ledger.Principal, 50000, ledger.NewLot{RefKind: "topup", RefID: 1})
	give(t, d, a, ledger.Bonus, 8000, ledger.NewLot{RefKind: "topup", RefID: 1})
	give(t, d, b, ledger.Principal, 30000, ledger.NewLot{RefKind: "topup", RefID: 2})
	give(t, d, b, ledger.Bonus, 3000, ledger.NewLot{RefKind: "topup", RefID: 2})
	give(t, d, a, ledger.Points, 100, ledger.NewLot{RefKind: "order", RefID: 3, ExpiresAt: late})
	give(t, d, b, ledger.Points, 70, ledger.NewLot{RefKind: "order", RefID: 4, ExpiresAt: soon})
	spent, err := take(t, d, b, ledger.Principal, 10000)
	must(t, err)
	bonus, err := take(t, d, b, ledger.Bonus, 1000)
	must(t, err)
	got, err := mergeOf(t, d, b, a)
	must(t, err)
	if got.Moved != (ledger.Balance{Principal: 20000, Bonus: 2000, Points: 70}) || got.OutID == 0 || got.InID == 0 {
		t.Fatalf("%+v", got)
	}
	for u, n := range holds(t, d, b) {
		if n != 0 {
			t.Errorf("%s: %d are left", u, n)
		}
	}
	book, err := ledger.Peek(t.Context(), d, clk.Now(), a, inOrder...)
	must(t, err)
	for _, x := range []struct {
		u         ledger.Unit
		kind      string
		ref, left int64
		ends      int64
	}{{ledger.Principal, "topup", 1, 50000, 0}, {ledger.Principal, "topup", 2, 20000, 0}, {ledger.Bonus, "topup", 1, 8000, 0}, {ledger.Bonus, "topup", 2, 2000, 0},
		{ledger.Points, "order", 4, 70, soon}, {ledger.Points, "order", 3, 100, late}} {
		found := false
		for _, l := range book.Lots(x.u) {
			found = found || (l.RefKind == x.kind && l.RefID == x.ref && l.Remaining == x.left && l.ExpiresAt == x.ends)
		}
		if !found {
			t.Errorf("no %s lot of %s %d with %d: %+v", x.u, x.kind, x.ref, x.left, book.Lots(x.u))
		}
	}
	clean(t, d)

	// What the former paid goes back to the latter, whoever is asked for, once.
	must(t, undo(t, d, b, spent, ledger.Principal))
	must(t, undo(t, d, a, bonus, ledger.Bonus))
	if h := holds(t, d, a); h[ledger.Principal] != 80000 || h[ledger.Bonus] != 11000 {
		t.Errorf("after the reversal %v", h)
	}
	if err := undo(t, d, b, spent, ledger.Principal); !errors.Is(err, ledger.ErrReversed) {
		t.Errorf("again: %v", err)
	}
	clean(t, d)

	// A merged member is nobody to merge with.
	for _, x := range [][2]int64{{b, a}, {a, b}, {b, 11}, {11, b}, {a, a}} {
		if _, err := mergeOf(t, d, x[0], x[1]); !errors.Is(err, ledger.ErrMerged) {
			t.Errorf("%v: %v", x, err)
		}
	}
	clean(t, d)
}

// What a posting of the former brought, and was spent by the latter since, cannot be taken back as a whole.
func TestReversingWhatWasMerged(t *testing.T) {
	d, _ := dbtest.New(t)
	const a, b = int64(7), int64(9)
	posting := give(t, d, b, ledger.Principal, 500, ledger.NewLot{RefKind: "gift", RefID: 2})
	_, err := mergeOf(t, d, b, a)
	must(t, err)
	id, err := take(t, d, a, ledger.Principal, 200)
	must(t, err)
	if err := undo(t, d, b, posting, ledger.Principal); !errors.Is(err, ledger.ErrInsufficient) {
		t.Fatalf("half of it is spent: %v", err)
	}
	must(t, undo(t, d, a, id, ledger.Principal))
	must(t, undo(t, d, b, posting, ledger.Principal))
	if h := holds(t, d, a); h[ledger.Principal] != 0 {
		t.Errorf("%v", h)
	}
	clean(t, d)
}

// A chain: the third is merged into the second, who is merged into the first. Their visits count once, for the first.
func TestMergeChain(t *testing.T) {
	d, _ := dbtest.New(t)
	visit := func(who, fen int64) (id int64) {
		give(t, d, who, ledger.Principal, fen, ledger.NewLot{RefKind: "topup", RefID: who})
		id, err := in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) {
			b, err := ledger.LockTx(ctx, tx, who)
			if err != nil {
				return 0, err
			}
			takes, err := b.TakeOldest(ledger.Principal, fen)
			if err != nil {
				return 0, err
			}
			return ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindConsume, BizDay: "2026-11-18"}, append(ledger.Debits(takes), ledger.ShopLeg(ledger.Revenue, money.Fen(fen)))...)
		})
		must(t, err)
		return id
	}
	old := visit(3, 300)
	visit(2, 200)
	visit(1, 100)
	visit(4, 400)
	give(t, d, 3, ledger.Points, 10, ledger.NewLot{RefKind: "order", RefID: 1})
	for _, x := range [][2]int64{{3, 2}, {2, 1}} {
		_, err := mergeOf(t, d, x[0], x[1])
		must(t, err)
	}
	must(t, undo(t, d, 3, old, ledger.Principal))
	if h := holds(t, d, 1); h[ledger.Principal] != 300 {
		t.Errorf("the first holds %v", h)
	}
	rows, err := ledger.Visits(t.Context(), d, []int64{1, 2, 3, 4})
	must(t, err)
	sum := map[int64]money.Fen{}
	for _, v := range rows {
		sum[v.MemberID] += v.Fen
	}
	if len(sum) != 2 || sum[1] != 300 || sum[4] != 400 { // the third's visit was undone
		t.Errorf("visits %v", sum)
	}
	clean(t, d)
	for _, q := range []string{`UPDATE ledger_accounts SET merged_into = 1 WHERE member_id = 4 AND unit = 'principal'`, `UPDATE ledger_entries SET amount = amount + 1 WHERE account = 'merge' AND amount > 0`} {
		if q[:22] == "UPDATE ledger_accounts" {
			give(t, d, 4, ledger.Principal, 5, ledger.NewLot{RefKind: "topup", RefID: 44})
		}
		must(t, d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error { _, err := tx.Exec(ctx, q); return err }))
	}
	if p := strings.Join(problems(t, d), "\n"); !strings.Contains(p, "was merged into another, and it is not empty") || !strings.Contains(p, "the merges of members sum to") {
		t.Errorf("the audit says %q", p)
	}
}

// Random holdings of every unit, with lots of every kind, spent in part: the sums before and after are the same for every unit, each lot keeps its
// origin and its end, and what was spent before comes back afterwards.
func TestMergeProperty(t *testing.T) {
	d, clk := dbtest.New(t)
	var next int64
	rapid.Check(t, func(r *rapid.T) {
		next += 10
		from, into := next, next+1
		if rapid.Bool().Draw(r, "the other way round") {
			from, into = into, from
		}
		type spend struct {
			id int64
			u  ledger.Unit
			n  int64
		}
		var spends []spend
		ref := next * 100
		for range rapid.IntRange(0, 14).Draw(r, "steps") {
			who := rapid.SampledFrom([]int64{from, into}).Draw(r, "who")
			u := rapid.SampledFrom(inOrder).Draw(r, "unit")
			n := rapid.Int64Range(1, 5000).Draw(r, "amount")
			if rapid.Bool().Draw(r, "spend") {
				if id, err := take(t, d, who, u, n); err == nil {
					if who == from {
						spends = append(spends, spend{id, u, n})
					}
				} else if !errors.Is(err, ledger.ErrInsufficient) {
					r.Fatalf("spend: %v", err)
				}
				continue
			}
			ref++
			lot := ledger.NewLot{RefKind: rapid.SampledFrom([]string{"topup", "order", "pass_line"}).Draw(r, "kind"), RefID: ref}
			if rapid.Bool().Draw(r, "ends") {
				lot.ExpiresAt = clk.Now().Add(time.Duration(rapid.Int64Range(1, 1000).Draw(r, "hours")) * time.Hour).UnixMilli()
			}
			give(t, d, who, u, n, lot)
		}
		theirs, own := holds(t, d, from), holds(t, d, into)
		lots := func(who ...int64) map[ledger.Lot]bool {
			out := map[ledger.Lot]bool{}
			for _, m := range who {
				b, err := ledger.Peek(t.Context(), d, clk.Now(), m, inOrder...)
				must(t, err)
				for _, l := range b.Lots(inOrder...) {
					out[ledger.Lot{Unit: l.Unit, RefKind: l.RefKind, RefID: l.RefID, Remaining: l.Remaining, ExpiresAt: l.ExpiresAt}] = true
				}
			}
			return out
		}
		before := lots(from, into)
		if _, err := mergeOf(t, d, from, into); err != nil {
			r.Fatalf("merge: %v", err)
		}
		for _, u := range inOrder {
			if n, m := holds(t, d, into)[u], holds(t, d, from)[u]; n != theirs[u]+own[u] || m != 0 {
				r.Fatalf("%s: %d and %d, they held %d and %d", u, n, m, theirs[u], own[u])
			}
		}
		after := lots(into)
		if len(after) != len(before) || len(lots(from)) != 0 {
			r.Fatalf("lots %v, were %v", after, before)
		}
		for l := range before {
			if !after[l] {
				r.Fatalf("%+v is gone: %v", l, after)
			}
		}
		for _, x := range spends {
			was := holds(t, d, into)[x.u]
			if err := undo(t, d, from, x.id, x.u); err != nil {
				r.Fatalf("reverse: %v", err)
			}
			if n := holds(t, d, into)[x.u]; n != was+x.n {
				r.Fatalf("%s: %d came back, expected %d", x.u, n-was, x.n)
			}
		}
	})
	clean(t, d)
}

// What is held for somebody else is not moved.
func TestMergeLeavesHeldMoney(t *testing.T) {
	d, _ := dbtest.New(t)
	give(t, d, 9, ledger.Principal, 500, ledger.NewLot{RefKind: "topup", RefID: 2})
	_, err := in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) {
		b, err := ledger.LockTx(ctx, tx, 9)
		if err != nil {
			return 0, err
		}
		return 0, ledger.HoldTx(ctx, tx, b, "order", 1, 100, 0, 0)
	})
	must(t, err)
	if _, err := mergeOf(t, d, 9, 7); !errors.Is(err, ledger.ErrMergeHeld) {
		t.Fatalf("got %v", err)
	}
	clean(t, d)
}
