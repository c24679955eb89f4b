package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
)

const member = int64(7)

func topup(t testing.TB, d *db.DB, ref, principal, bonus int64) (posting int64) {
	t.Helper()
	must(t, d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
		posting, err = topupTx(ctx, tx, ref, principal, bonus)
		return err
	}))
	return posting
}

func topupTx(ctx context.Context, tx *db.Tx, ref, principal, bonus int64) (int64, error) {
	b, err := ledger.LockTx(ctx, tx, member)
	if err != nil {
		return 0, err
	}
	legs := []ledger.Leg{{Unit: ledger.Principal, Amount: principal}, ledger.ShopLeg(ledger.WeChat, money.Fen(-principal))}
	if bonus > 0 {
		legs = append(legs, ledger.Leg{Unit: ledger.Bonus, Amount: bonus}, ledger.ShopLeg(ledger.BonusGranted, money.Fen(-bonus)))
	}
	return ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindTopup, BizDay: "2026-11-18", RefKind: "topup", RefID: ref, Title: "充值"}, legs...)
}

func spendTx(ctx context.Context, tx *db.Tx, ref, amount int64) (int64, error) {
	b, err := ledger.LockTx(ctx, tx, member)
	if err != nil {
		return 0, err
	}
	takes, err := b.TakeOldest(ledger.Principal, amount)
	if err != nil {
		return 0, err
	}
	legs := append(ledger.Debits(takes), ledger.ShopLeg(ledger.Revenue, money.Fen(amount)))
	return ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindConsume, BizDay: "2026-11-18", RefKind: "order", RefID: ref, Title: "洗车"}, legs...)
}

func reverseTx(ctx context.Context, tx *db.Tx, posting int64) (int64, error) {
	b, err := ledger.LockTx(ctx, tx, member)
	if err != nil {
		return 0, err
	}
	return ledger.ReverseTx(ctx, tx, b, posting, ledger.Post{Kind: ledger.KindReversal, BizDay: "2026-11-18", RefKind: "order", RefID: posting, Title: "撤销"})
}

func in(t testing.TB, d *db.DB, fn func(context.Context, *db.Tx) (int64, error)) (id int64, err error) {
	t.Helper()
	err = d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) (err error) { id, err = fn(ctx, tx); return err })
	return id, err
}

func problems(t testing.TB, d *db.DB) []string {
	t.Helper()
	var out []string
	must(t, ledger.Audit(t.Context(), d, func(p string) { out = append(out, p) }, func(int) {}))
	return out
}

func clean(t testing.TB, d *db.DB) {
	t.Helper()
	if p := problems(t, d); len(p) > 0 {
		t.Fatalf("audit: %s", strings.Join(p, "\n"))
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func balance(t testing.TB, d *db.DB) ledger.Balance {
	t.Helper()
	b, err := ledger.BalanceOf(t.Context(), d, member)
	must(t, err)
	return b
}

func TestPostMovesBalanceAndLots(t *testing.T) {
	d, _ := dbtest.New(t)
	topup(t, d, 1, 50000, 8000)
	_, err := in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) { return spendTx(ctx, tx, 2, 3500) })
	must(t, err)
	if b := balance(t, d); b.Principal != 46500 || b.Bonus != 8000 {
		t.Fatalf("balance %+v", b)
	}
	clean(t, d)
}

func TestUnbalancedPostingIsRefused(t *testing.T) {
	d, _ := dbtest.New(t)
	_, err := in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) {
		return ledger.PostTx(ctx, tx, nil, ledger.Post{Kind: ledger.KindConsume}, ledger.ShopLeg(ledger.Cash, -1), ledger.ShopLeg(ledger.Revenue, 2))
	})
	if !errors.Is(err, ledger.ErrUnbalanced) {
		t.Fatalf("got %v", err)
	}
}

// N09: many tills at once spend a balance that covers 40 debits: exactly 40 succeed.
func TestN09ConcurrentDebits(t *testing.T) {
	d, _ := dbtest.New(t)
	topup(t, d, 1, 40*100, 0)
	var won, lost atomic.Int64
	var wg sync.WaitGroup
	for i := range 120 {
		wg.Go(func() {
			_, err := in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) { return spendTx(ctx, tx, int64(100+i), 100) })
			switch {
			case err == nil:
				won.Add(1)
			case errors.Is(err, ledger.ErrInsufficient):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 40 || lost.Load() != 80 {
		t.Fatalf("%d won, %d lost", won.Load(), lost.Load())
	}
	if b := balance(t, d); b.Principal != 0 {
		t.Fatalf("left %d", b.Principal)
	}
	clean(t, d)
}

func TestReversalRestoresTheSameLotsOnce(t *testing.T) {
	d, _ := dbtest.New(t)
	topup(t, d, 1, 1000, 0)
	topup(t, d, 2, 1000, 0)
	p, err := in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) { return spendTx(ctx, tx, 3, 1500) })
	must(t, err)
	_, err = in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) { return reverseTx(ctx, tx, p) })
	must(t, err)
	if b := balance(t, d); b.Principal != 2000 {
		t.Fatalf("balance %+v", b)
	}
	if _, err = in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) { return reverseTx(ctx, tx, p) }); !errors.Is(err, ledger.ErrReversed) {
		t.Fatalf("second reversal: %v", err)
	}
	clean(t, d)
}

func TestReversingASpentTopupIsRefused(t *testing.T) {
	d, _ := dbtest.New(t)
	p := topup(t, d, 1, 1000, 0)
	_, err := in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) { return spendTx(ctx, tx, 2, 1) })
	must(t, err)
	if _, err := in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) { return reverseTx(ctx, tx, p) }); !errors.Is(err, ledger.ErrInsufficient) {
		t.Fatalf("got %v", err)
	}
	clean(t, d)
}

func TestHoldKeepsMoneyForItsReference(t *testing.T) {
	d, _ := dbtest.New(t)
	topup(t, d, 1, 1000, 200)
	must(t, d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		b, err := ledger.LockTx(ctx, tx, member)
		must(t, err)
		return ledger.HoldTx(ctx, tx, b, "order", 9, 800, 100, 0)
	}))
	clean(t, d)
	if _, err := in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) { return spendTx(ctx, tx, 3, 201) }); !errors.Is(err, ledger.ErrInsufficient) {
		t.Fatalf("held money was spent: %v", err)
	}
	must(t, d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		b, err := ledger.LockTx(ctx, tx, member)
		must(t, err)
		p, bo, err := ledger.EndHoldTx(ctx, tx, b, "order", 9, true)
		if p != 800 || bo != 100 {
			t.Errorf("held %d %d", p, bo)
		}
		return err
	}))
	err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		b, err := ledger.LockTx(ctx, tx, member)
		must(t, err)
		_, _, err = ledger.EndHoldTx(ctx, tx, b, "order", 9, false)
		return err
	})
	if !errors.Is(err, ledger.ErrHold) {
		t.Fatalf("ended twice: %v", err)
	}
	clean(t, d)
}

// N10, N12: oldest expiry first, never from an expired lot.
func TestN12OldestExpiryFirst(t *testing.T) {
	d, clk := dbtest.New(t)
	day := int64(86_400_000)
	now := clk.Now().UnixMilli()
	grant := func(ref, amount, expires int64) {
		_, err := in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) {
			b, err := ledger.LockTx(ctx, tx, member, ledger.Points)
			must(t, err)
			return ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindAdjust, RefKind: "gift", RefID: ref},
				ledger.Leg{Unit: ledger.Points, Amount: amount, Lot: &ledger.NewLot{RefKind: "gift", RefID: ref, ExpiresAt: expires}},
				ledger.Leg{Account: "points_granted", Unit: ledger.ShopPts, Amount: -amount})
		})
		must(t, err)
	}
	grant(1, 10, 0)
	grant(2, 10, now+2*day)
	grant(3, 10, now+day)
	must(t, d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		b, err := ledger.LockTx(ctx, tx, member, ledger.Points)
		must(t, err)
		takes, err := b.TakeOldest(ledger.Points, 25)
		must(t, err)
		var got []int64
		for _, tk := range takes {
			for _, l := range b.Lots(ledger.Points) {
				if l.ID == tk.LotID {
					got = append(got, l.RefID, tk.Amount)
				}
			}
		}
		if fmt.Sprint(got) != "[3 10 2 10 1 5]" {
			t.Errorf("consumed %v", got)
		}
		return nil
	}))
	clk.Advance(36 * 3600 * 1e9)
	must(t, d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		b, err := ledger.LockTx(ctx, tx, member, ledger.Points)
		must(t, err)
		if got := b.Available(ledger.Points); got != 20 {
			t.Errorf("available %d after one lot expired, want 20", got)
		}
		if _, err := b.TakeOldest(ledger.Points, 21); !errors.Is(err, ledger.ErrInsufficient) {
			t.Errorf("expired points were usable: %v", err)
		}
		return nil
	}))
}

// The audit must name a row that was changed behind its back: a check that cannot fail is no check.
func TestAuditNamesEachTamperedRow(t *testing.T) {
	for _, c := range []struct{ name, sql, want string }{
		{"balance", `UPDATE ledger_accounts SET balance = balance + 1 WHERE unit = 'principal'`, "balance is 901, its entries sum to 900"},
		{"entry", `UPDATE ledger_entries SET amount = amount - 1 WHERE unit = 'shop' AND account = 'revenue'`, "sum to -1"},
		{"running balance", `UPDATE ledger_entries SET balance_after = 5 WHERE unit = 'principal' AND amount < 0`, "says balance after 5, recomputed 900"},
		{"lot", `UPDATE ledger_lots SET remaining = remaining - 1 WHERE unit = 'principal'`, "its moves sum to"},
		{"held", `UPDATE ledger_accounts SET held = 3 WHERE unit = 'bonus'`, "3 is held, its holds promise 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _ := dbtest.New(t)
			topup(t, d, 1, 1000, 100)
			_, err := in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) { return spendTx(ctx, tx, 2, 100) })
			must(t, err)
			clean(t, d)
			must(t, d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error { _, err := tx.Exec(ctx, c.sql); return err }))
			if got := strings.Join(problems(t, d), "\n"); !strings.Contains(got, c.want) {
				t.Fatalf("audit said %q, want it to contain %q", got, c.want)
			}
		})
	}
}

// Property: any sequence of top-ups, spends and reversals leaves the books exact and equal to a plain model.
func TestLedgerProperty(t *testing.T) {
	d, _ := dbtest.New(t)
	var ref int64
	rapid.Check(t, func(r *rapid.T) {
		model := balance(t, d).Principal
		var open []int64
		amounts := map[int64]int64{}
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			ref++
			switch rapid.IntRange(0, 2).Draw(r, "command") {
			case 0:
				n := rapid.Int64Range(1, 100000).Draw(r, "amount")
				topup(t, d, ref, n, 0)
				model += n
			case 1:
				n := rapid.Int64Range(1, 60000).Draw(r, "spend")
				id, err := in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) { return spendTx(ctx, tx, ref, n) })
				if (err == nil) != (n <= model) {
					r.Fatalf("spend %d of %d: %v", n, model, err)
				}
				if err == nil {
					model -= n
					open, amounts[id] = append(open, id), n
				}
			case 2:
				if len(open) == 0 {
					continue
				}
				id := rapid.SampledFrom(open).Draw(r, "reverse")
				_, err := in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) { return reverseTx(ctx, tx, id) })
				if n, again := amounts[id]; again && err == nil {
					model += n
					delete(amounts, id)
				} else if !errors.Is(err, ledger.ErrReversed) {
					r.Fatalf("reverse: %v", err)
				}
			}
			if got := balance(t, d).Principal; got != model {
				r.Fatalf("balance %d, model %d", got, model)
			}
		}
	})
	clean(t, d)
}

// A posting balances in each domain: uses do not pay money.
func TestDomainsBalanceApart(t *testing.T) {
	d, _ := dbtest.New(t)
	give := func(legs ...ledger.Leg) error {
		_, err := in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) {
			purse, err := ledger.LockTx(ctx, tx, member)
			must(t, err)
			uses, err := ledger.LockTx(ctx, tx, member, ledger.Uses)
			must(t, err)
			if _, err := ledger.PostTx(ctx, tx, purse, ledger.Post{Kind: ledger.KindTopup, RefKind: "t", RefID: tx.NewID()},
				ledger.Leg{Unit: ledger.Principal, Amount: 100}, ledger.ShopLeg(ledger.Cash, -100)); err != nil {
				return 0, err
			}
			return ledger.PostTx(ctx, tx, uses, ledger.Post{Kind: ledger.KindPassSale, RefKind: "pass", RefID: 1}, legs...)
		})
		return err
	}
	lot := &ledger.NewLot{RefKind: ledger.LotPassLine, RefID: 5, ExpiresAt: d.Now().UnixMilli() + 1000}
	for _, legs := range [][]ledger.Leg{
		{{Unit: ledger.Uses, Amount: 10, Lot: lot}, ledger.ShopLeg(ledger.Cash, -10)},
		{{Unit: ledger.Uses, Amount: 10, Lot: lot}, ledger.PointsLeg(-10)},
		{{Unit: ledger.Uses, Amount: 10, Lot: lot}, ledger.ExperienceLeg(-10)},
	} {
		if err := give(legs...); !errors.Is(err, ledger.ErrUnbalanced) {
			t.Errorf("%+v: %v", legs, err)
		}
	}
	must(t, give(ledger.Leg{Unit: ledger.Uses, Amount: 10, Lot: lot}, ledger.UsesLeg(-10)))
	if b := balance(t, d); b.Principal != 100 || b.Uses != 10 {
		t.Errorf("%+v", b)
	}
	clean(t, d)
}

// N10: a lot that has expired or is not this book's cannot be taken.
func TestN10TakeLot(t *testing.T) {
	d, clk := dbtest.New(t)
	_, err := in(t, d, func(ctx context.Context, tx *db.Tx) (int64, error) {
		b, err := ledger.LockTx(ctx, tx, member, ledger.Uses)
		must(t, err)
		return ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindPassSale, RefKind: "pass", RefID: 1},
			ledger.Leg{Unit: ledger.Uses, Amount: 2, Lot: &ledger.NewLot{RefKind: ledger.LotPassLine, RefID: 5, ExpiresAt: clk.Now().UnixMilli() + 60_000}}, ledger.UsesLeg(-2))
	})
	must(t, err)
	take := func(n int64) error {
		return d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			b, err := ledger.LockTx(ctx, tx, member, ledger.Uses)
			must(t, err)
			lots := b.Lots(ledger.Uses)
			if len(lots) != 1 {
				return ledger.ErrInsufficient
			}
			tk, err := b.TakeLot(lots[0].ID, n)
			if err != nil {
				return err
			}
			_, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindPassUse, RefKind: "order", RefID: tx.NewID()}, append(ledger.Debits([]ledger.Take{tk}), ledger.UsesLeg(n))...)
			return err
		})
	}
	for _, n := range []int64{0, -1, 3} {
		if err := take(n); !errors.Is(err, ledger.ErrInsufficient) {
			t.Errorf("take %d: %v", n, err)
		}
	}
	must(t, take(1))
	clk.Advance(60 * 1e9)
	if err := take(1); !errors.Is(err, ledger.ErrInsufficient) {
		t.Errorf("expired: %v", err)
	}
	clean(t, d)
}
