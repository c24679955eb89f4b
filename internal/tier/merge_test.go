package tier_test

import (
	"context"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/tier"
	"github.com/liangche/liangche/internal/wallet"
)

// merge makes a member another, as far as journal and tiers go.
func (p *programme) merge(from, into int64) {
	p.T.Helper()
	must(p.T, p.in(func(ctx context.Context, tx *db.Tx) error {
		if _, err := ledger.MergeTx(ctx, tx, from, into, ledger.Post{}, ledger.Post{}); err != nil {
			return err
		}
		return p.Tiers.MergeTx(ctx, tx, from, into)
	}))
}

// A membership that ended and still waits for the money of its renewal is renewed for the one that its member was merged into.
func TestARenewalGoesOnAfterAMerge(t *testing.T) {
	p := open(t)
	p.rule(p.Gold, "金卡", 2, tier.Programme{})
	from, into := p.Member("王五", "13800000001", ""), p.Member("王五", "13800000002", "")
	first := p.buy(from, p.plan(10000, 1).ID)
	must(t, p.Tiers.Renewal(p.Ctx(), from, first.ID, true))
	p.lasts(first.EndsAt.Add(3 * 24 * time.Hour))
	if got := p.memberships(from)[0]; got.State != tier.MembershipEnded || !got.RenewOn {
		t.Fatalf("%+v", got)
	}
	p.merge(from, into)
	p.Topup(p.West, into, 10000, wallet.MethodCash)
	p.lasts(first.EndsAt.Add(4 * 24 * time.Hour))
	list := p.memberships(into)
	if len(list) != 2 || list[0].State != tier.MembershipActive || list[1].RenewOn || p.purse(into) != 0 {
		t.Fatalf("%+v, %d left", list, p.purse(into))
	}
	p.is(into, p.Gold)
	p.sound()
}
