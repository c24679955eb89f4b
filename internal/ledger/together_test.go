package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
)

// move is a top-up (positive) or a spending of one member; refused ones change their mind after the posting.
type move struct {
	member, amount int64
	refused        bool
}

var errRefused = errors.New("refused")

// Property: whatever several members do in one batch, each move ends as if it had been alone and in its turn, and the books are exact.
func TestCombinedMovesProperty(t *testing.T) {
	d, _ := dbtest.New(t)
	c := db.NewCombiner(d, func(ctx context.Context, tx *db.Tx, members []int64) error {
		seen := map[int64]bool{}
		var ids []int64
		for id := range int64(4) {
			for _, m := range members {
				if m == id && id != 0 && !seen[id] {
					seen[id], ids = true, append(ids, id)
				}
			}
		}
		ledger.AheadTx(tx, ids)
		return tx.Collect(ctx)
	})
	leaders := 1
	if d.Dialect() == db.MySQL {
		leaders = 2
	}
	var ref int64
	for id := range int64(4) { // a first account is opened by a direct write, after which a refusal would make the batch start over in any order
		must(t, d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := ledger.LockTx(ctx, tx, id+1)
			return err
		}))
	}
	rapid.Check(t, func(r *rapid.T) {
		model := map[int64]int64{}
		for id := range int64(4) {
			b, err := ledger.BalanceOf(t.Context(), d, id)
			must(t, err)
			model[id] = b.Principal
		}
		moves := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) move {
			return move{rapid.Int64Range(1, 3).Draw(r, "member"), rapid.Int64Range(-60_000, 50_000).Draw(r, "amount"), rapid.IntRange(0, 4).Draw(r, "refused") == 0}
		}), 1, 12).Draw(r, "moves")
		var wg sync.WaitGroup
		free := make(chan struct{})
		for range leaders { // keep every leader busy, so that the moves meet
			in := make(chan struct{})
			wg.Go(func() {
				must(t, c.Do(t.Context(), 0, func(context.Context, *db.Tx) error { close(in); <-free; return nil }))
			})
			<-in
		}
		got := make([]error, len(moves))
		for i, m := range moves {
			ref++
			of := ref
			wg.Go(func() {
				got[i] = c.Do(t.Context(), m.member, func(ctx context.Context, tx *db.Tx) error { return moveTx(ctx, tx, m, of) })
			})
			for c.Stats().Waiting <= i {
				time.Sleep(20 * time.Microsecond)
			}
		}
		close(free)
		wg.Wait()
		for i, m := range moves {
			want := error(nil)
			switch {
			case m.amount < 0 && -m.amount > model[m.member]:
				want = ledger.ErrInsufficient
			case m.refused:
				want = errRefused
			default:
				model[m.member] += m.amount
			}
			if !errors.Is(got[i], want) || (want == nil && got[i] != nil) {
				r.Fatalf("move %d %+v: %v, want %v", i, m, got[i], want)
			}
		}
		for id, want := range model {
			if b, err := ledger.BalanceOf(t.Context(), d, id); err != nil || b.Principal != want {
				r.Fatalf("member %d holds %d, model %d, %v", id, b.Principal, want, err)
			}
		}
	})
	clean(t, d)
	if s := c.Stats(); s.Combined <= s.Batches || s.Alone > 0 {
		t.Errorf("%+v", s)
	}
}

func moveTx(ctx context.Context, tx *db.Tx, m move, ref int64) error {
	b, err := ledger.LockTx(ctx, tx, m.member)
	if err != nil {
		return err
	}
	p := ledger.Post{Kind: ledger.KindTopup, BizDay: "2026-11-18", RefKind: "topup", RefID: ref, Title: fmt.Sprint(ref)}
	legs := []ledger.Leg{{Unit: ledger.Principal, Amount: m.amount}, ledger.ShopLeg(ledger.WeChat, money.Fen(-m.amount))}
	if m.amount < 0 {
		p.Kind, p.RefKind = ledger.KindConsume, "order"
		takes, err := b.TakeOldest(ledger.Principal, -m.amount)
		if err != nil {
			return err
		}
		legs = append(ledger.Debits(takes), ledger.ShopLeg(ledger.Revenue, money.Fen(-m.amount)))
	}
	if _, err := ledger.PostTx(ctx, tx, b, p, legs...); err != nil {
		return err
	}
	if m.refused {
		return errRefused
	}
	return nil
}
