package tier_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/pricing"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/tier"
)

// washes is a programme in which 金卡 brings n free washes a month and one rescue a year.
func (p *programme) washes(n int64, ids ...int64) (wash, rescue int64) {
	p.T.Helper()
	rights := []tier.Right{{Kind: tier.FreeUse, Title: "免费精洗", ServiceIDs: []int64{p.Wash}, Times: n, Period: tier.Monthly}, {Kind: tier.Counted, Title: "道路救援", Times: 1, Period: tier.Yearly}}
	for i, id := range ids {
		rights[i].ID = id
	}
	f := p.rule(p.Gold, "金卡", 2, tier.Programme{Rights: rights})
	return f.Programme.Rights[0].ID, f.Programme.Rights[1].ID
}

func (p *programme) golden(phone string) int64 {
	p.T.Helper()
	m := p.Member("王五", phone, "")
	must(p.T, p.Tiers.Give(p.Ctx(), tier.Assign{MemberID: m, TierID: p.Gold, Reason: "老友"}, ""))
	return m
}

// take is what the till does for an order that takes free washes.
func (p *programme) take(m, right, order, qty int64) (posting int64, err error) {
	err = p.in(func(ctx context.Context, tx *db.Tx) error {
		b, err := ledger.LockTx(ctx, tx, m, ledger.Uses)
		if err != nil {
			return err
		}
		legs, err := p.Tiers.UseRightTx(ctx, tx, b, tier.RightUse{OrderID: order, MemberID: m, RightID: right, ServiceID: p.Wash, Qty: qty})
		if err != nil {
			return err
		}
		posting, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindBenefit, BizDay: "2026-11-18", RefKind: "order", RefID: order, Title: "权益"}, legs...)
		return err
	})
	return posting, err
}

func (p *programme) giveBack(m, order, posting int64) {
	p.T.Helper()
	must(p.T, p.in(func(ctx context.Context, tx *db.Tx) error {
		b, err := ledger.LockTx(ctx, tx, m, ledger.Uses)
		if err != nil {
			return err
		}
		if _, err := ledger.ReverseTx(ctx, tx, b, posting, ledger.Post{Kind: ledger.KindReversal, BizDay: "2026-11-18", RefKind: "order", RefID: order, Title: "撤销"}); err != nil {
			return err
		}
		return p.Tiers.UndoRightsTx(ctx, tx, order)
	}))
}

func (p *programme) left(m, right int64) int64 {
	p.T.Helper()
	covers, err := p.Tiers.Rights(p.T.Context(), p.DB, m, p.Clock.Now())
	must(p.T, err)
	for _, c := range covers {
		if c.ID == right {
			if (c.Left == 0) != (c.Why != "") {
				p.T.Errorf("%+v", c)
			}
			return c.Left
		}
	}
	return -1
}

func (p *programme) uses(m int64) int64 {
	p.T.Helper()
	b, err := ledger.BalancesOf(p.T.Context(), p.DB, ledger.Uses, []int64{m})
	must(p.T, err)
	return b[m]
}

// Many tills at once take five free washes: exactly five succeed, and the journal says the same.
func TestRightsAreTakenExactlyAsOftenAsGranted(t *testing.T) {
	p := open(t)
	wash, _ := p.washes(5)
	m := p.golden("13800000001")
	var won, lost atomic.Int64
	var wg sync.WaitGroup
	for i := range int64(30) {
		wg.Go(func() {
			switch _, err := p.take(m, wash, 1000+i, 1); {
			case err == nil:
				won.Add(1)
			case errors.Is(err, tier.ErrRightUsed):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 5 || lost.Load() != 25 || p.left(m, wash) != 0 || p.uses(m) != 0 {
		t.Fatalf("%d won, %d lost, %d left, %d in the journal", won.Load(), lost.Load(), p.left(m, wash), p.uses(m))
	}
	p.sound()
}

func TestRightsComeBackExpireAndBeginAnew(t *testing.T) {
	p := open(t)
	wash, rescue := p.washes(3)
	m, stranger := p.golden("13800000001"), p.Member("赵六", "13800000002", "")
	if p.left(m, wash) != 3 || p.left(stranger, wash) != -1 || p.left(m, rescue) != -1 {
		t.Fatalf("left %d %d", p.left(m, wash), p.left(stranger, wash))
	}
	posting, err := p.take(m, wash, 1, 2)
	must(t, err)
	if _, err := p.take(m, wash, 2, 2); !errors.Is(err, tier.ErrRightUsed) {
		t.Errorf("%v", err)
	}
	for who, right := range map[int64]int64{stranger: wash, m: rescue} {
		if _, err := p.take(who, right, 3, 1); !errors.Is(err, tier.ErrRight) {
			t.Errorf("%v", err)
		}
	}
	p.giveBack(m, 1, posting)
	if p.left(m, wash) != 3 {
		t.Errorf("left %d", p.left(m, wash))
	}
	p.giveBackNothing(1)
	posting, err = p.take(m, wash, 4, 1)
	must(t, err)
	p.washes(5, wash, rescue) // the manager is generous in the middle of the month
	if p.left(m, wash) != 4 {
		t.Errorf("left %d", p.left(m, wash))
	}
	_, err = p.take(m, wash, 5, 4)
	must(t, err)
	p.Clock.Advance(14 * 24 * time.Hour) // December
	must(t, p.Tiers.Expire(p.Ctx()))
	if p.left(m, wash) != 5 || p.uses(m) != 0 {
		t.Errorf("left %d, %d in the journal", p.left(m, wash), p.uses(m))
	}
	p.giveBack(m, 4, posting) // an order of November is reversed: what comes back has expired
	must(t, p.Tiers.Expire(p.Ctx()))
	if p.left(m, wash) != 5 || p.uses(m) != 0 {
		t.Errorf("left %d, %d in the journal", p.left(m, wash), p.uses(m))
	}
	p.sound()
}

func (p *programme) giveBackNothing(order int64) {
	p.T.Helper()
	must(p.T, p.in(func(ctx context.Context, tx *db.Tx) error { return p.Tiers.UndoRightsTx(ctx, tx, order) }))
}

// Two items of one order take from the same right before anything is posted.
func TestTwoItemsOfAnOrderShareARight(t *testing.T) {
	p := open(t)
	wash, rescue := p.washes(1)
	m := p.golden("13800000001")
	_, err := p.take(m, wash, 1, 1)
	must(t, err)
	p.washes(3, wash, rescue) // two lots now: one is empty
	must(t, p.in(func(ctx context.Context, tx *db.Tx) error {
		b, err := ledger.LockTx(ctx, tx, m, ledger.Uses)
		must(t, err)
		var legs []ledger.Leg
		for range 2 {
			more, err := p.Tiers.UseRightTx(ctx, tx, b, tier.RightUse{OrderID: 2, MemberID: m, RightID: wash, ServiceID: p.Wash, Qty: 1})
			must(t, err)
			legs = append(legs, more...)
		}
		_, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindBenefit, BizDay: "2026-11-18", RefKind: "order", RefID: 2, Title: "权益"}, legs...)
		return err
	}))
	if _, err := p.take(m, wash, 3, 1); !errors.Is(err, tier.ErrRightUsed) {
		t.Error(err)
	}
	p.sound()
}

func TestErrandsAreNotedAndUndone(t *testing.T) {
	p := open(t)
	wash, rescue := p.washes(1)
	m := p.golden("13800000001")
	for name, e := range map[string]tier.Errand{
		"a free wash belongs to the till": {MemberID: m, RightID: wash, Qty: 1, StoreID: p.West}, "an unknown right": {MemberID: m, RightID: 9, Qty: 1, StoreID: p.West},
		"more than there is": {MemberID: m, RightID: rescue, Qty: 2, StoreID: p.West}, "a wrong plate": {MemberID: m, RightID: rescue, Qty: 1, StoreID: p.West, Plate: "X"},
		"nobody": {MemberID: 9, RightID: rescue, Qty: 1, StoreID: p.West}, "an unknown store": {MemberID: m, RightID: rescue, Qty: 1, StoreID: 9},
	} {
		if _, err := p.Tiers.Use(p.Ctx(), e); err == nil || fault.As(err).Kind == fault.Internal {
			t.Errorf("%s: %v", name, err)
		}
	}
	id, err := p.Tiers.Use(p.Ctx(), tier.Errand{MemberID: m, RightID: rescue, Qty: 1, StoreID: p.West, Plate: "沪A12345", Note: "高速抛锚"})
	must(t, err)
	rights, err := p.Tiers.RightsLeft(p.Ctx(), m)
	must(t, err)
	if len(rights) != 2 || rights[1].Left != 0 || rights[1].PeriodText != "每年 1 次" {
		t.Errorf("%+v", rights)
	}
	if _, err := p.Tiers.Use(p.Ctx(), tier.Errand{MemberID: m, RightID: rescue, Qty: 1, StoreID: p.West}); !errors.Is(err, tier.ErrRightUsed) {
		t.Errorf("a second one: %v", err)
	}
	must(t, p.Tiers.Undo(p.Ctx(), id))
	if err := p.Tiers.Undo(p.Ctx(), id); !errors.Is(err, tier.ErrUseUndone) {
		t.Errorf("undone twice: %v", err)
	}
	if rights, err = p.Tiers.RightsLeft(p.Ctx(), m); err != nil || rights[1].Left != 1 {
		t.Errorf("%+v %v", rights, err)
	}
	p.sound()
}

// The terms that the till asks for, alone and read ahead for many.
func TestTermsOfATier(t *testing.T) {
	p := open(t)
	suv, err := p.Catalog.CreateVehicleClass(p.Ctx(), catalog.VehicleClassInput{Name: "SUV"})
	must(t, err)
	in := tier.Input{Name: "金卡", Color: "#C9A227", Rank: 2, DiscountBP: 9500, Programme: &tier.Programme{FinalBP: 9900, PointsBP: 15000,
		Discounts: []tier.Discount{{Kind: "wash", BP: 8000}, {Kind: "good", BP: 10000}}, MemberPrices: []tier.MemberPrice{{ServiceID: p.Wash, PriceFen: 4000}},
		Gift: &tier.Gift{Kind: "points", N: 100, Title: "100 积分"}}}
	in.Programme.MemberPrices = append(in.Programme.MemberPrices, tier.MemberPrice{ServiceID: p.Wax, VehicleClassID: suv.ID, PriceFen: 1})
	if _, err := p.Tiers.UpdateFull(p.Ctx(), p.Gold, in); err == nil || fault.As(err).Fields[0].Field != "programme.memberPrices[1].vehicleClassId" {
		t.Errorf("no price for the class: %v", err)
	}
	in.Programme.MemberPrices[1].VehicleClassID, in.Programme.MemberPrices[1].PriceFen = p.Car, 20001
	if _, err := p.Tiers.UpdateFull(p.Ctx(), p.Gold, in); err == nil || fault.As(err).Fields[0].Field != "programme.memberPrices[1].priceFen" {
		t.Errorf("dearer than the list price: %v", err)
	}
	in.Programme.MemberPrices[1].PriceFen = 18000
	_, err = p.Tiers.UpdateFull(p.Ctx(), p.Gold, in)
	must(t, err)
	m, other := p.golden("13800000001"), p.Member("赵六", "13800000002", "")
	check := func(r db.Reader) {
		t.Helper()
		terms, fixed, err := p.Tiers.Terms(t.Context(), r, m, p.Car)
		must(t, err)
		if terms.BP["wash"] != 8000 || terms.BP["film"] != 9500 || terms.BP["good"] != 0 || terms.FinalBP != 9900 || fixed[p.Wash] != 4000 || fixed[p.Wax] != 18000 {
			t.Errorf("%+v %v", terms, fixed)
		}
		if _, fixed, err = p.Tiers.Terms(t.Context(), r, m, suv.ID); err != nil || fixed[p.Wax] != 0 || fixed[p.Wash] != 4000 {
			t.Errorf("%v %v", fixed, err)
		}
		if terms, _, err = p.Tiers.Terms(t.Context(), r, other, p.Car); err != nil || len(terms.BP) != 0 {
			t.Errorf("%+v %v", terms, err)
		}
	}
	check(p.DB)
	wash, rescue := p.washes(2)
	if _, err = p.Tiers.UpdateFull(p.Ctx(), p.Gold, in); err != nil {
		t.Error(err)
	}
	wash, _ = p.rightsToo(in, wash, rescue)
	_, err = p.take(m, wash, 1, 1)
	must(t, err)
	must(t, p.in(func(ctx context.Context, tx *db.Tx) error {
		must(t, p.Tiers.AheadTx(ctx, tx, []int64{m, other}))
		must(t, tx.Collect(ctx))
		check(tx)
		covers, err := p.Tiers.Rights(ctx, tx, m, tx.Now)
		must(t, err)
		if len(covers) != 1 || covers[0].Left != 1 || covers[0].ServiceIDs[0] != p.Wash || covers[0].Title != "金卡·免费精洗" {
			t.Errorf("%+v", covers)
		}
		if covers, err = p.Tiers.Rights(ctx, tx, other, tx.Now); err != nil || len(covers) != 0 {
			t.Errorf("%+v %v", covers, err)
		}
		return nil
	}))
	if rate, err := p.Tiers.PointsRate(t.Context(), p.DB, m); err != nil || rate != 15000 {
		t.Errorf("%d %v", rate, err)
	}
	if gift, err := p.Tiers.BirthdayGift(t.Context(), p.DB, m); err != nil || gift == nil || gift.N != 100 {
		t.Errorf("%v %v", gift, err)
	}
	if got, fixed, err := p.Tiers.Terms(t.Context(), p.DB, 0, p.Car); err != nil || len(got.BP) != 0 || fixed != nil || got.ID != (pricing.Tier{}).ID {
		t.Errorf("a walk-in: %+v %v", got, err)
	}
}

func (p *programme) rightsToo(in tier.Input, wash, rescue int64) (int64, int64) {
	p.T.Helper()
	in.Programme.Rights = []tier.Right{{ID: wash, Kind: tier.FreeUse, Title: "免费精洗", ServiceIDs: []int64{p.Wash}, Times: 2, Period: tier.Monthly},
		{ID: rescue, Kind: tier.Counted, Title: "道路救援", Times: 1, Period: tier.Yearly}}
	f, err := p.Tiers.UpdateFull(p.Ctx(), p.Gold, in)
	must(p.T, err)
	return f.Programme.Rights[0].ID, f.Programme.Rights[1].ID
}

func (p *programme) plan(price money.Fen, months int) tier.Plan {
	p.T.Helper()
	v, err := p.Tiers.SavePlan(p.Ctx(), 0, tier.PlanInput{Name: "服务会员", Kind: tier.PlanService, PriceFen: price, Months: months, TierID: p.Gold,
		Rights: []tier.Right{{Kind: tier.FreeUse, Title: "免费精洗", ServiceIDs: []int64{p.Wash}, Times: 2, Period: tier.ForTerm}}})
	must(p.T, err)
	return v
}

func (p *programme) buy(m, plan int64) tier.Membership {
	p.T.Helper()
	x, _, err := p.sales.Begin(p.Ctx(), sale.Buy{Kind: tier.SaleKind, SubjectID: plan, MemberID: m, StoreID: p.West}, sale.Pay{Method: sale.MethodCash})
	must(p.T, err)
	list, err := p.Tiers.Memberships(p.Ctx(), m)
	must(p.T, err)
	if x.State != sale.StatePaid || list[0].ID != x.ResultID {
		p.T.Fatalf("%+v %+v", x, list)
	}
	return list[0]
}

func (p *programme) owed() int64 {
	p.T.Helper()
	var n int64
	must(p.T, p.DB.Get(p.T.Context(), &n, `SELECT COALESCE(SUM(amount), 0) FROM ledger_entries WHERE account = 'memberships'`))
	return n
}

// N17, X02: each purchase is its own membership with the terms under which it was sold; one follows the other; what is owed becomes revenue month by month.
func TestN17MembershipsFollowEachOther(t *testing.T) {
	p := open(t)
	p.rule(p.Gold, "金卡", 2, tier.Programme{})
	m := p.Member("王五", "13800000001", "")
	plan := p.plan(10000, 3)
	first := p.buy(m, plan.ID)
	p.is(m, p.Gold)
	right := first.Plan.Rights[0].ID
	if p.left(m, right) != 2 || p.owed() != 10000 {
		t.Fatalf("left %d, owed %d", p.left(m, right), p.owed())
	}
	_, err := p.Tiers.SavePlan(p.Ctx(), plan.ID, tier.PlanInput{Name: "缩水会员", Kind: tier.PlanDiscount, PriceFen: 20000, Months: 1, TierID: p.Gold})
	must(t, err)
	if p.left(m, right) != 2 {
		t.Error("an edited plan changed what was sold")
	}
	second := p.buy(m, plan.ID)
	if !second.StartsAt.Equal(first.EndsAt) || second.PriceFen != 20000 || second.Plan.Name != "缩水会员" || first.EndsAt.Sub(first.StartsAt) < 89*24*time.Hour {
		t.Errorf("%+v after %+v", second, first)
	}
	_, err = p.take(m, right, 1, 2)
	must(t, err)
	for _, c := range []struct {
		at   time.Time
		owed int64
		tier int64
	}{
		{first.StartsAt.AddDate(0, 1, 0), 30000, p.Gold}, {first.StartsAt.AddDate(0, 1, 1), 30000 - 3333, p.Gold}, {first.StartsAt.AddDate(0, 2, 1), 30000 - 6666, p.Gold},
		{first.EndsAt, 20000, p.Gold}, {second.EndsAt.Add(-time.Second), 20000, p.Gold}, {second.EndsAt, 0, p.def},
	} {
		p.Clock.Set(c.at)
		must(t, p.Tiers.Advance(p.Ctx()))
		must(t, p.Tiers.Advance(p.Ctx()))
		p.is(m, c.tier)
		if p.owed() != c.owed {
			t.Errorf("at %s: owed %d, want %d", c.at, p.owed(), c.owed)
		}
	}
	list, err := p.Tiers.Memberships(p.Ctx(), m)
	must(t, err)
	if list[0].State != tier.MembershipEnded || list[1].State != tier.MembershipEnded || p.left(m, right) != -1 {
		t.Errorf("%+v", list)
	}
	changes, err := p.Tiers.Changes(p.Ctx(), m, 9)
	must(t, err)
	if len(changes) != 2 || changes[0].Reason != "付费会员已到期" {
		t.Errorf("%+v", changes)
	}
	must(t, p.Tiers.Expire(p.Ctx()))
	p.sound()
}

// Two refunds at once give the money back once; what the shop keeps is revenue; nothing is owed any more.
func TestMembershipRefund(t *testing.T) {
	p := open(t)
	p.rule(p.Gold, "金卡", 2, tier.Programme{})
	m := p.Member("王五", "13800000001", "")
	a := p.buy(m, p.plan(9100, 3).ID) // 18 November until the end of 18 February: 92 days and a piece
	p.Clock.Advance(45 * 24 * time.Hour)
	must(t, p.Tiers.Advance(p.Ctx()))
	list, err := p.Tiers.Memberships(p.Ctx(), m)
	must(t, err)
	want := list[0].RefundFen
	if want <= 4000 || want >= 5000 {
		t.Fatalf("refund %d of %+v", want, list[0])
	}
	var wg sync.WaitGroup
	var back, refused atomic.Int64
	for range 4 {
		ctx := p.Ctx()
		wg.Go(func() {
			n, err := p.Tiers.RefundMembership(ctx, a.ID, "搬家")
			switch {
			case err == nil:
				back.Add(int64(n))
			case errors.Is(err, tier.ErrEnded):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if back.Load() != int64(want) || refused.Load() != 3 || p.owed() != 0 {
		t.Errorf("%d back, want %d, %d refused, %d owed", back.Load(), want, refused.Load(), p.owed())
	}
	p.is(m, p.def)
	must(t, p.Tiers.Advance(p.Ctx()))
	p.sound()
}

func TestMembershipGivenAndTakenBack(t *testing.T) {
	p := open(t)
	p.rule(p.Gold, "金卡", 2, tier.Programme{})
	m := p.Member("王五", "13800000001", "")
	plan := p.plan(9100, 3)
	var id int64
	must(t, p.in(func(ctx context.Context, tx *db.Tx) (err error) {
		id, err = p.Tiers.GiveMembershipTx(ctx, tx, m, plan.ID)
		return err
	}))
	p.is(m, p.Gold)
	if _, err := p.Tiers.RefundMembership(p.Ctx(), id, "x"); !errors.Is(err, tier.ErrEnded) {
		t.Errorf("a gift is worth nothing: %v", err)
	}
	for range 2 {
		must(t, p.in(func(ctx context.Context, tx *db.Tx) error { return p.Tiers.EndMembershipTx(ctx, tx, id) }))
	}
	p.is(m, p.def)
	off := false
	_, err := p.Tiers.SavePlan(p.Ctx(), plan.ID, tier.PlanInput{Name: "服务会员", Kind: tier.PlanService, PriceFen: 1, Months: 1, TierID: p.Gold, OnSale: &off})
	must(t, err)
	if _, _, err := p.sales.Begin(p.Ctx(), sale.Buy{Kind: tier.SaleKind, SubjectID: plan.ID, MemberID: m, StoreID: p.West}, sale.Pay{Method: sale.MethodCash}); !errors.Is(err, tier.ErrPlanGone) {
		t.Errorf("%v", err)
	}
	for field, in := range map[string]tier.PlanInput{
		"priceFen": {Name: "a", Kind: tier.PlanService, Months: 1, TierID: p.Gold}, "months": {Name: "a", Kind: tier.PlanService, PriceFen: 1, TierID: p.Gold},
		"tierId": {Name: "a", Kind: tier.PlanService, PriceFen: 1, Months: 1}, "kind": {Name: "a", PriceFen: 1, Months: 1, TierID: p.Gold},
	} {
		if _, err := p.Tiers.SavePlan(p.Ctx(), 0, in); err == nil || fault.As(err).Fields[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	p.sound()
}
