package tier_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/tier"
	"github.com/liangche/liangche/internal/wallet"
)

// lasts lets time go by in steps of six hours, with what the jobs do.
func (p *programme) lasts(until time.Time) {
	p.T.Helper()
	for p.Clock.Now().Before(until) {
		p.Clock.Advance(6 * time.Hour)
		must(p.T, p.Tiers.Renewals(p.Ctx()))
		must(p.T, p.Tiers.Advance(p.Ctx()))
	}
}

func (p *programme) told() (n int) {
	p.T.Helper()
	must(p.T, p.DB.Get(p.T.Context(), &n, `SELECT COUNT(*) FROM notify_messages WHERE event = 'pass_renewal'`))
	return n
}

func (p *programme) purse(m int64) int64 {
	p.T.Helper()
	b, err := ledger.BalanceOf(p.T.Context(), p.DB, m)
	must(p.T, err)
	return b.Principal + b.Bonus
}

func (p *programme) memberships(m int64) []tier.Membership {
	p.T.Helper()
	list, err := p.Tiers.Memberships(p.Ctx(), m)
	must(p.T, err)
	return list
}

// D08: a membership follows itself from stored value when its owner says so: announced, charged once on its last day, and told; without money it is told
// once, waits some days, and is given up.
func TestD08MembershipsRenewFromStoredValue(t *testing.T) {
	p := open(t)
	p.rule(p.Gold, "金卡", 2, tier.Programme{})
	m := p.Member("王五", "13800000001", "")
	p.Topup(p.West, m, 25000, wallet.MethodCash)
	plan := p.plan(10000, 3)
	first := p.buy(m, plan.ID)
	if first.RenewOn || !first.Renewable {
		t.Fatalf("%+v", first)
	}
	must(t, p.Tiers.Renewal(p.Ctx(), m, first.ID, true))
	_, err := p.Tiers.SavePlan(p.Ctx(), plan.ID, tier.PlanInput{Name: "涨价会员", Kind: tier.PlanService, PriceFen: 20000, Months: 3, TierID: p.Gold})
	must(t, err)
	p.lasts(first.EndsAt.Add(-7 * 24 * time.Hour))
	if p.told() != 0 || p.purse(m) != 25000 {
		t.Fatalf("too early: %d told, %d left", p.told(), p.purse(m))
	}
	p.lasts(first.EndsAt.Add(-2 * 24 * time.Hour))
	if p.told() != 1 || p.purse(m) != 25000 {
		t.Fatalf("the notice: %d told, %d left", p.told(), p.purse(m))
	}
	p.lasts(first.EndsAt.Add(24 * time.Hour))
	list := p.memberships(m)
	if len(list) != 2 || p.told() != 2 || p.purse(m) != 15000 {
		t.Fatalf("%d memberships, %d told, %d left", len(list), p.told(), p.purse(m))
	}
	next := list[0]
	if !next.StartsAt.Equal(first.EndsAt) || !next.RenewOn || next.PriceFen != 10000 || next.Plan.Name != "服务会员" || next.SaleID == first.SaleID || list[1].RenewOn || list[1].RenewNote != "已续费" {
		t.Errorf("%+v after %+v", next, list[1])
	}
	p.is(m, p.Gold)
	p.lasts(next.EndsAt.Add(24 * time.Hour))
	third := p.memberships(m)[0]
	if p.purse(m) != 5000 || !third.StartsAt.Equal(next.EndsAt) || p.told() != 4 {
		t.Fatalf("%+v, %d left, %d told", third, p.purse(m), p.told())
	}
	p.lasts(third.EndsAt.Add(9 * 24 * time.Hour))
	list = p.memberships(m)
	if len(list) != 3 || !list[0].RenewOn || list[0].RenewNote == "" || p.told() != 6 || p.purse(m) != 5000 {
		t.Fatalf("without money: %+v, %d told, %d left", list[0], p.told(), p.purse(m))
	}
	p.is(m, p.def)
	p.lasts(third.EndsAt.Add(12 * 24 * time.Hour))
	if got := p.memberships(m)[0]; got.RenewOn || got.State != tier.MembershipEnded {
		t.Errorf("never given up: %+v", got)
	}
	p.sound()
}

// Who tops up within the days of grace goes on from that day; and what was charged goes back as what was bought.
func TestARenewalWaitsForMoneyAndGoesBack(t *testing.T) {
	p := open(t)
	p.rule(p.Gold, "金卡", 2, tier.Programme{})
	m := p.Member("王五", "13800000001", "")
	first := p.buy(m, p.plan(10000, 1).ID)
	must(t, p.Tiers.Renewal(p.Ctx(), m, first.ID, true))
	p.lasts(first.EndsAt.Add(3 * 24 * time.Hour))
	p.is(m, p.def)
	p.Topup(p.West, m, 10000, wallet.MethodCash)
	p.lasts(first.EndsAt.Add(4 * 24 * time.Hour))
	p.is(m, p.Gold)
	next := p.memberships(m)[0]
	if next.ID == first.ID || !next.StartsAt.After(first.EndsAt) || p.purse(m) != 0 {
		t.Fatalf("%+v, %d left", next, p.purse(m))
	}
	back, err := p.Tiers.RefundMembership(p.Ctx(), next.ID, "不想续了")
	must(t, err)
	if p.purse(m) != int64(back) || back < 9000 || p.memberships(m)[0].RenewOn {
		t.Errorf("%d back, %d in the purse", back, p.purse(m))
	}
	p.is(m, p.def)
	p.lasts(next.EndsAt.Add(24 * time.Hour))
	if len(p.memberships(m)) != 2 {
		t.Error("renewed what was given back")
	}
	p.sound()
}

// What followed a membership and was given back does not stand in the way of the next one.
func TestARenewalThatWentBackMayBeHadAgain(t *testing.T) {
	p := open(t)
	p.rule(p.Gold, "金卡", 2, tier.Programme{})
	m := p.Member("王五", "13800000001", "")
	p.Topup(p.West, m, 30000, wallet.MethodCash)
	first := p.buy(m, p.plan(10000, 1).ID)
	must(t, p.Tiers.Renewal(p.Ctx(), m, first.ID, true))
	p.lasts(first.EndsAt.Add(-12 * time.Hour))
	list := p.memberships(m)
	if len(list) != 2 {
		t.Fatalf("%+v", list)
	}
	_, err := p.Tiers.RefundMembership(p.Ctx(), list[0].ID, "不想续了")
	must(t, err)
	must(t, p.Tiers.Renewal(p.Ctx(), m, first.ID, true))
	p.lasts(first.EndsAt.Add(5 * 24 * time.Hour))
	list = p.memberships(m)
	if len(list) != 3 || list[0].State != tier.MembershipActive || list[2].RenewOn || p.purse(m) != 20000 {
		t.Errorf("%+v, %d left", list, p.purse(m))
	}
	p.is(m, p.Gold)
	p.sound()
}

// Several instances at once charge once; one tap stops it; who buys the next one by hand is not charged for another.
func TestARenewalIsChargedOnce(t *testing.T) {
	p := open(t)
	p.rule(p.Gold, "金卡", 2, tier.Programme{})
	plan := p.plan(10000, 1)
	m, n, o := p.Member("王五", "13800000001", ""), p.Member("赵六", "13800000002", ""), p.Member("孙七", "13800000003", "")
	for _, x := range []int64{m, n, o} {
		p.Topup(p.West, x, 60000, wallet.MethodCash)
	}
	a, b, c := p.buy(m, plan.ID), p.buy(n, plan.ID), p.buy(o, plan.ID)
	for x, id := range map[int64]int64{m: a.ID, n: b.ID, o: c.ID} {
		must(t, p.Tiers.Renewal(p.Ctx(), x, id, true))
	}
	p.lasts(a.EndsAt.Add(-48 * time.Hour))
	must(t, p.Tiers.Renewal(p.Ctx(), n, b.ID, false))
	p.buy(o, plan.ID)
	p.Clock.Set(a.EndsAt.Add(-time.Hour))
	var wg sync.WaitGroup
	for range 4 {
		ctx := p.Ctx()
		wg.Go(func() {
			if err := p.Tiers.Renewals(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(p.memberships(m)) != 2 || p.purse(m) != 50000 {
		t.Errorf("%d memberships, %d left", len(p.memberships(m)), p.purse(m))
	}
	if len(p.memberships(n)) != 1 || p.purse(n) != 60000 {
		t.Errorf("switched off: %d memberships, %d left", len(p.memberships(n)), p.purse(n))
	}
	if list := p.memberships(o); len(list) != 2 || p.purse(o) != 60000 || !list[0].RenewOn || list[1].RenewOn {
		t.Errorf("bought by hand: %+v, %d left", list, p.purse(o))
	}
	p.sound()
}

func TestWhoMayRenew(t *testing.T) {
	p := open(t)
	m, other := p.Member("王五", "13800000001", ""), p.Member("赵六", "13800000002", "")
	plan := p.plan(10000, 1)
	x := p.buy(m, plan.ID)
	c := apitest.New(t, p.Tiers.Routes)
	at := fmt.Sprintf("/api/owner/memberships/%d/renewal", x.ID)
	c.As(p.Owner(other)).Fault(fault.ErrNotFound, http.MethodPut, at, tier.RenewalAsk{On: true})
	var mine tier.Mine
	c.As(p.Owner(m)).OK(http.MethodPut, at, tier.RenewalAsk{On: true}, &mine)
	if !mine.Memberships[0].RenewOn {
		t.Errorf("%+v", mine.Memberships)
	}
	c.As(p.Owner(m)).OK(http.MethodPut, at, tier.RenewalAsk{On: false}, &mine)
	if mine.Memberships[0].RenewOn {
		t.Errorf("%+v", mine.Memberships)
	}
	off := false
	_, err := p.Tiers.SavePlan(p.Ctx(), plan.ID, tier.PlanInput{Name: "服务会员", Kind: tier.PlanService, PriceFen: 10000, Months: 1, TierID: p.Gold, OnSale: &off})
	must(t, err)
	if err := p.Tiers.Renewal(p.Ctx(), m, x.ID, true); !errors.Is(err, tier.ErrPlanGone) {
		t.Errorf("%v", err)
	}
	_, err = p.Tiers.RefundMembership(p.Ctx(), x.ID, "搬家")
	must(t, err)
	if err := p.Tiers.Renewal(p.Ctx(), m, x.ID, true); !errors.Is(err, tier.ErrNoRenewal) {
		t.Errorf("%v", err)
	}
	if _, _, err := p.sales.Begin(p.Ctx(), sale.Buy{Kind: tier.SaleKind, SubjectID: plan.ID, MemberID: m, StoreID: p.West, Data: []byte(fmt.Sprintf(`{"renews":%d}`, x.ID))}, sale.Pay{Method: sale.MethodCash}); !errors.Is(err, tier.ErrNoRenewal) {
		t.Errorf("%v", err)
	}
	p.sound()
}
