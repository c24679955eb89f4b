package tier_test

import (
	"context"
	"fmt"
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

// A right that both have is had once; a use of the one that ended with the merge that comes back ends with it.
func TestAUseThatComesBackAfterAMerge(t *testing.T) {
	p := open(t)
	wash, _ := p.washes(3)
	from, into := p.golden("13800000001"), p.golden("13800000002")
	posting, err := p.take(from, wash, 1, 1)
	must(t, err)
	_, err = p.take(into, wash, 2, 1)
	must(t, err)
	p.merge(from, into)
	agree := func() {
		t.Helper()
		var bad int
		must(t, p.DB.Get(t.Context(), &bad, `SELECT COUNT(*) FROM tier_grants g WHERE (SELECT COALESCE(SUM(l.remaining), 0) FROM ledger_lots l WHERE l.ref_kind = 'right' AND l.ref_id = g.id)
			<> CASE WHEN g.state = 'open' THEN g.granted - g.used ELSE 0 END`))
		if bad != 0 {
			t.Errorf("%d grants are not what the journal holds", bad)
		}
		p.sound()
	}
	agree()
	p.giveBack(from, 1, posting)
	agree()
	must(t, p.Tiers.Expire(p.Ctx()))
	agree()
	if p.left(into, wash) != 2 || p.uses(into) != 2 {
		t.Errorf("%d left, %d in the journal", p.left(into, wash), p.uses(into))
	}
}

// A membership that was given follows the one that was bought, whoever of the two had which.
func TestAGivenMembershipFollowsAfterAMerge(t *testing.T) {
	p := open(t)
	p.rule(p.Gold, "金卡", 2, tier.Programme{})
	plan := p.plan(10000, 3)
	for i, bought := range []int{0, 1} {
		who := []int64{p.Member("王五", fmt.Sprintf("1380000000%d", 2*i), ""), p.Member("王五", fmt.Sprintf("1380000000%d", 2*i+1), "")}
		first := p.buy(who[bought], plan.ID)
		must(t, p.in(func(ctx context.Context, tx *db.Tx) error {
			_, err := p.Tiers.GiveMembershipTx(ctx, tx, who[1-bought], plan.ID)
			return err
		}))
		p.Clock.Advance(35 * 24 * time.Hour)
		must(t, p.Tiers.Advance(p.Ctx()))
		if _, blocks, err := p.Tiers.MergeLook(t.Context(), p.DB, "", who[0], who[1]); err != nil || len(blocks) != 0 {
			t.Fatalf("%v %v", blocks, err)
		}
		p.merge(who[0], who[1])
		list := p.memberships(who[1])
		if len(list) != 2 {
			t.Fatalf("%+v", list)
		}
		next := list[0]
		if next.ID == first.ID {
			next = list[1]
		}
		if days := next.EndsAt.Sub(next.StartsAt) / (24 * time.Hour); !next.StartsAt.Equal(first.EndsAt) || days < 59 || days > 62 {
			t.Errorf("the given one runs from %s for %d days, the bought one to %s", next.StartsAt, days, first.EndsAt)
		}
		p.lasts(next.EndsAt.Add(-12 * time.Hour))
		p.is(who[1], p.Gold)
		p.lasts(next.EndsAt.Add(12 * time.Hour))
		p.is(who[1], p.def)
		p.sound()
	}
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
