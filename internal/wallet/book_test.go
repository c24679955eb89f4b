package wallet

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
)

// purse is one member's wallet on a real journal, moved by the pure rules of this package.
type purse struct {
	t      testing.TB
	db     *db.DB
	member int64
	tops   []Topup
	refs   int64
}

func newPurse(t testing.TB, d *db.DB, member int64) *purse {
	return &purse{t: t, db: d, member: member, refs: member * 1000}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// locked runs fn with the locked book in one transaction.
func (p *purse) locked(fn func(ctx context.Context, tx *db.Tx, b *ledger.Book) error) error {
	return p.db.InTx(p.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		b, err := ledger.LockTx(ctx, tx, p.member)
		if err != nil {
			return err
		}
		return fn(ctx, tx, b)
	})
}

// add credits a top-up, as creditTx posts it. expires 0 is never.
func (p *purse) add(method string, paid, bonus, expires int64) *Topup {
	p.t.Helper()
	p.refs++
	t := Topup{ID: p.refs, MemberID: p.member, AmountFen: money.Fen(paid), BonusFen: money.Fen(bonus), Method: method, State: StateCredited, CreatedAt: p.db.Now()}
	if method == MethodWeChat || method == MethodWeChatNative {
		t.PaymentID = t.ID + 500
	}
	must(p.t, p.locked(func(ctx context.Context, tx *db.Tx, b *ledger.Book) error {
		lot := &ledger.NewLot{RefKind: "topup", RefID: t.ID, ExpiresAt: expires}
		legs := []ledger.Leg{{Unit: ledger.Principal, Amount: paid, Lot: lot}, ledger.ShopLeg(ShopAccount(method), -money.Fen(paid))}
		if bonus > 0 {
			legs = append(legs, ledger.Leg{Unit: ledger.Bonus, Amount: bonus, Lot: lot}, ledger.ShopLeg(ledger.BonusGranted, -money.Fen(bonus)))
		}
		_, err := ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindTopup, RefKind: "topup", RefID: t.ID, BizDay: "2026-11-18"}, legs...)
		return err
	}))
	p.tops = append(p.tops, t)
	return &p.tops[len(p.tops)-1]
}

// spend consumes by the rule and returns the posting.
func (p *purse) spend(amount money.Fen, rule string) (posting int64, err error) {
	p.refs++
	err = p.locked(func(ctx context.Context, tx *db.Tx, b *ledger.Book) error {
		takes, err := Spend(b, tx.Now, amount, rule)
		if err != nil {
			return err
		}
		posting, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindConsume, RefKind: "order", RefID: p.refs, BizDay: "2026-11-18"},
			append(ledger.Debits(takes), ledger.ShopLeg(ledger.Revenue, amount))...)
		return err
	})
	return posting, err
}

func (p *purse) reverse(posting int64) error {
	return p.locked(func(ctx context.Context, tx *db.Tx, b *ledger.Book) error {
		_, err := ledger.ReverseTx(ctx, tx, b, posting, ledger.Post{Kind: ledger.KindReversal, RefKind: "order", RefID: posting, BizDay: "2026-11-18"})
		return err
	})
}

func (p *purse) hold(principal, bonus int64) int64 {
	p.t.Helper()
	p.refs++
	must(p.t, p.locked(func(ctx context.Context, tx *db.Tx, b *ledger.Book) error {
		return ledger.HoldTx(ctx, tx, b, "order", p.refs, principal, bonus, 0)
	}))
	return p.refs
}

func (p *purse) release(ref int64) {
	p.t.Helper()
	must(p.t, p.locked(func(ctx context.Context, tx *db.Tx, b *ledger.Book) error {
		_, _, err := ledger.EndHoldTx(ctx, tx, b, "order", ref, false)
		return err
	}))
}

func (p *purse) plan(amount money.Fen) (plan Plan) {
	p.t.Helper()
	must(p.t, p.locked(func(_ context.Context, tx *db.Tx, b *ledger.Book) error {
		plan = PlanRefund(b, p.tops, amount, tx.Now)
		return nil
	}))
	return plan
}

// refund carries a plan out, as writeRefundTx posts it and markRefunded notes it.
func (p *purse) refund(amount money.Fen) (plan Plan, err error) {
	p.refs++
	err = p.locked(func(ctx context.Context, tx *db.Tx, b *ledger.Book) error {
		plan = PlanRefund(b, p.tops, amount, tx.Now)
		legs := ledger.Debits(plan.takes(b, p.tops))
		for _, x := range plan.Parts {
			legs = append(legs, ledger.ShopLeg(ShopAccount(x.Method), x.RefundFen), ledger.ShopLeg(ledger.BonusGranted, x.BonusBackFen))
		}
		_, err := ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindRefund, RefKind: "refund", RefID: p.refs, BizDay: "2026-11-18"}, legs...)
		return err
	})
	if err != nil {
		return plan, err
	}
	for _, x := range plan.Parts {
		for i := range p.tops {
			if p.tops[i].ID == x.TopupID {
				p.tops[i].RefundedFen += x.RefundFen
				p.tops[i].BonusBack += x.BonusBackFen
			}
		}
	}
	return plan, nil
}

func (p *purse) balance() (principal, bonus money.Fen) {
	p.t.Helper()
	b, err := ledger.BalanceOf(p.t.Context(), p.db, p.member)
	must(p.t, err)
	return money.Fen(b.Principal), money.Fen(b.Bonus)
}

// exact fails when the journal does not add up.
func exact(t testing.TB, d *db.DB) {
	t.Helper()
	var out []string
	must(t, ledger.Audit(t.Context(), d, func(p string) { out = append(out, p) }, func(int) {}))
	if len(out) > 0 {
		t.Fatalf("audit: %s", strings.Join(out, "\n"))
	}
}

// takesText writes takes as "1:3017+483 2:100": top-up's place, principal + bonus.
func (p *purse) takesText(takes []ledger.Take) string {
	p.t.Helper()
	got := map[int64][2]int64{}
	must(p.t, p.locked(func(_ context.Context, _ *db.Tx, b *ledger.Book) error {
		for _, l := range b.Lots(ledger.Principal, ledger.Bonus) {
			for _, k := range takes {
				if k.LotID != l.ID {
					continue
				}
				x := got[l.RefID]
				if l.Unit == ledger.Principal {
					x[0] += k.Amount
				} else {
					x[1] += k.Amount
				}
				got[l.RefID] = x
			}
		}
		return nil
	}))
	var out []string
	for i, t := range p.tops {
		if x, ok := got[t.ID]; ok {
			out = append(out, fmt.Sprintf("%d:%d+%d", i+1, x[0], x[1]))
		}
	}
	return strings.Join(out, " ")
}

func testDB(t testing.TB) *db.DB { t.Helper(); d, _ := dbtest.New(t); return d }
