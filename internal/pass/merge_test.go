package pass_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/wallet"
)

// A pass that ended and still waits for the money of its renewal is renewed for the one that its member was merged into.
func TestARenewalGoesOnAfterAMerge(t *testing.T) {
	r := newRig(t)
	from, into := r.Member("张三", "13900000001", "浙A12345"), r.Member("张三", "13900000002", "")
	p := r.sell(r.plan(r.tenWash(monthly)), from, sale.MethodCash, "")
	_, err := r.Renewal(r.owner(from), from, p.ID, true)
	must(t, err)
	for range 33 {
		r.passes(24 * time.Hour)
	}
	if got := r.get(p); got.State != pass.StateExpired || !got.RenewOn || got.RenewNote == "" {
		t.Fatalf("%+v", got)
	}
	must(t, r.DB.InTx(r.Ctx(), func(ctx context.Context, tx *db.Tx) error {
		if _, err := ledger.MergeTx(ctx, tx, from, into, ledger.Post{}, ledger.Post{}); err != nil {
			return err
		}
		return r.MergeTx(ctx, tx, from, into)
	}))
	r.Topup(r.West, into, 50000, wallet.MethodCash)
	r.passes(time.Hour)
	list, err := r.Held(t.Context(), into, true)
	must(t, err)
	if len(list) != 2 || list[0].State != pass.StateActive || list[0].RenewsID != p.ID || list[1].RenewOn {
		t.Errorf("%+v", list)
	}
	r.exact()
}

// How many of a plan one person may buy counts with all the members that the person was.
func TestLimitOfAPlanCountsWhoWasMerged(t *testing.T) {
	r := newRig(t)
	from, into := r.Member("张三", "13900000001", ""), r.Member("张三", "13900000002", "")
	plan := r.plan(r.tenWash(func(in *pass.PlanInput) { in.PerMember = 2 }))
	r.sell(plan, from, sale.MethodCash, "")
	r.sell(plan, into, sale.MethodCash, "")
	must(t, r.DB.InTx(r.Ctx(), func(ctx context.Context, tx *db.Tx) error {
		if _, err := ledger.MergeTx(ctx, tx, from, into, ledger.Post{}, ledger.Post{}); err != nil {
			return err
		}
		return errors.Join(r.Floor.Members.MergeTx(ctx, tx, from, into), r.MergeTx(ctx, tx, from, into))
	}))
	if _, err := r.try(plan, into, sale.MethodCash, ""); !errors.Is(err, pass.ErrMany) {
		t.Errorf("a third: %v", err)
	}
	r.exact()
}
