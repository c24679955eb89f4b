package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/group"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/referral"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/tier"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// The membership programme of the demo: what the tiers ask and bring, passes and memberships on offer, who bought which,
// friends, a family and a company. The mall and presents are in seed_mall.go.

// club is what the seeder remembers of it.
type club struct {
	passes, memberships []int64
	invite              string // the first member's code, which friends bring
	family              int64
}

// programmes are what the tiers of demoTiers ask and bring, in their order.
func (s *seeder) programmes() []tier.Programme {
	wash := []int64{s.svc[0].ID}
	return []tier.Programme{
		{Rule: &tier.Rule{Match: "any", Measures: []tier.Measure{{Kind: "spend_year", AtLeast: 80000}, {Kind: "visits_year", AtLeast: 12}}},
			Comforts: []string{"候车区茶水与无线网络"}, PointsBP: 10000},
		{Rule: &tier.Rule{Match: "any", Measures: []tier.Measure{{Kind: "spend_year", AtLeast: 200000}}},
			Discounts:    []tier.Discount{{Kind: "good", BP: 9000}},
			MemberPrices: []tier.MemberPrice{{ServiceID: s.svc[1].ID, VehicleClassID: s.classes[1], PriceFen: 7800}},
			Rights:       []tier.Right{{Kind: "free_use", Title: "每月一次标准洗车", ServiceIDs: wash, Times: 1, Period: "month"}},
			Comforts:     []string{"候车区茶水与无线网络", "固定技师"}, PointsBP: 12000},
		{Rule: &tier.Rule{Match: "all", Measures: []tier.Measure{{Kind: "spend_year", AtLeast: 500000}, {Kind: "visits_year", AtLeast: 24}}},
			Discounts: []tier.Discount{{Kind: "good", BP: 8500}, {Kind: "repair", BP: 9500}},
			Rights: []tier.Right{{Kind: "free_use", Title: "每周一次标准洗车", ServiceIDs: wash, Times: 1, Period: "week"},
				{Kind: "counted", Title: "道路救援", Times: 1, Period: "year", Note: "市区 30 公里内"}, {Kind: "counted", Title: "代办年检", Times: 2, Period: "year"}},
			Comforts: []string{"贵宾休息室", "免排队洗车"}, PointsBP: 15000},
	}
}

// offerClub puts passes and memberships on offer and makes the tiers ask and bring something.
func (s *seeder) offerClub(ctx context.Context) error {
	face, err := s.picture(ctx, "gold")
	if err != nil {
		return err
	}
	for i, p := range s.programmes() {
		t := demoTiers[i]
		if i == 1 {
			p.CardImage = face
		}
		if _, err := s.Tiers.Update(ctx, s.tiers[i], tier.Input{Name: t.name, Color: t.color, Rank: t.rank, DiscountBP: money.BP(t.bp), Programme: &p}); err != nil {
			return fmt.Errorf("tier %s: %w", t.name, err)
		}
	}
	wash, fine, wax, inside := s.svc[0], s.svc[1], s.svc[3], s.svc[2]
	for i, in := range []pass.PlanInput{
		{Offer: pass.Offer{Name: "标准洗车 10 次卡", Note: "两年内有效，绑定一辆车", Kind: pass.KindTimes, Lines: []pass.PlanLine{{ServiceIDs: []int64{wash.ID}, Times: 10, ListFen: 3500}}, PriceFen: 28800,
			ValidMonths: 24, Plates: 1, Giftable: true, Upgrade: true, FromBalance: true, Recharge: &pass.Recharge{Times: 5, PriceFen: 14800}}},
		{Offer: pass.Offer{Name: "精致洗车 5 次卡", Note: "不限车辆，可以送给朋友", Kind: pass.KindTimes, Lines: []pass.PlanLine{{ServiceIDs: []int64{fine.ID}, Times: 5, ListFen: 8800}}, PriceFen: 38800,
			ValidMonths: 12, Giftable: true, FromBalance: true}},
		{Offer: pass.Offer{Name: "畅洗月卡", Note: "每天一次标准洗车，绑定一辆车，可自动续期", Kind: pass.KindUnlimited, Lines: []pass.PlanLine{{ServiceIDs: []int64{wash.ID}, ListFen: 3500}}, PriceFen: 19800,
			ValidMonths: 1, PerDay: 1, Plates: 1, FromBalance: true, Renew: &pass.Renew{Months: 1, PriceFen: 18800}}},
		{Offer: pass.Offer{Name: "四季养护套餐", Note: "洗车、打蜡、内饰，一年的养护一次备齐", Kind: pass.KindTimes, Lines: []pass.PlanLine{
			{ServiceIDs: []int64{wash.ID}, Times: 12, ListFen: 3500}, {ServiceIDs: []int64{wax.ID}, Times: 2, ListFen: 15800}, {ServiceIDs: []int64{inside.ID}, Times: 1, ListFen: 26800}}, PriceFen: 79800,
			ValidMonths: 12, Plates: 1, FromBalance: true}},
	} {
		in.OnSale, in.Sort = true, int64(i)
		v, err := s.Passes.CreatePlan(ctx, in)
		if err != nil {
			return fmt.Errorf("pass plan %s: %w", in.Name, err)
		}
		s.club.passes = append(s.club.passes, v.ID)
	}
	for i, in := range []tier.PlanInput{
		{Name: "银卡年费会员", Kind: tier.PlanDiscount, PriceFen: 9900, Months: 12, TierID: s.tiers[0], Note: "全年享银卡折扣"},
		{Name: "尊享服务会员", Kind: tier.PlanService, PriceFen: 128800, Months: 12, TierID: s.tiers[2], Note: "全年黑金待遇，另含上门取送车四次",
			Rights: []tier.Right{{Kind: "counted", Title: "上门取送车", Times: 4, Period: "term"}}},
	} {
		in.Sort = i
		v, err := s.Tiers.SavePlan(ctx, 0, in)
		if err != nil {
			return fmt.Errorf("membership %s: %w", in.Name, err)
		}
		s.club.memberships = append(s.club.memberships, v.ID)
	}
	return nil
}

// planClub plans who buys what in the weeks before today.
func (s *seeder) planClub(today time.Time) {
	ago := func(days int) time.Time {
		return time.Date(today.Year(), today.Month(), today.Day()-days, 11, 30, 0, 0, today.Location())
	}
	for _, x := range []struct{ daysAgo, who, plan int }{
		{45, 0, 0}, {40, 2, 1}, {33, 4, 2}, {30, 7, 0}, {24, 1, 3}, {20, 16, 0}, {15, 18, 1}, {12, 6, 0}, {9, 21, 3}, {5, 11, 2}, {3, 24, 0},
	} {
		s.then(ago(x.daysAgo), func(ctx context.Context) error {
			if x.who >= len(s.people) {
				return nil
			}
			return s.buy(ctx, s.people[x.who], pass.SalePass, s.club.passes[x.plan])
		})
	}
	s.then(ago(8), func(ctx context.Context) error { return s.buy(ctx, s.people[8], tier.SaleKind, s.club.memberships[0]) })
	s.then(ago(7), func(ctx context.Context) error {
		list, err := s.Tiers.Memberships(ctx, s.people[8].id)
		if err != nil || len(list) == 0 {
			return err
		}
		return s.Tiers.Renewal(ctx, s.people[8].id, list[0].ID, true)
	})
	s.planFamily(ago)
}

// buy sells something: by WeChat Pay to who is in WeChat, at the desk by card to the others.
func (s *seeder) buy(ctx context.Context, p person, kind string, id int64) error {
	b := sale.Buy{Kind: kind, SubjectID: id, MemberID: p.id}
	if kind == pass.SalePass {
		b.Plate = p.plate
	}
	if p.persona == "" {
		b.StoreID = s.stores[p.home].ID
		_, _, err := s.Sales.Begin(s.as(ctx, s.desks[p.home]), b, sale.Pay{Method: sale.MethodCard, Reference: s.reference(sale.MethodCard)})
		return err
	}
	owner := s.as(ctx, p.owner)
	x, prep, err := s.Sales.Begin(owner, b, sale.Pay{Method: sale.MethodWeChat})
	if err != nil {
		return err
	}
	if _, err := s.Sandbox.PayByPersona(prep.Jsapi.Package[len("prepay_id="):], p.persona, wxsandbox.OutcomePay); err != nil {
		return err
	}
	_, err = s.Sales.Check(owner, p.id, x.ID)
	return err
}

// inviteFriends promises points for friends; some who join afterwards bring the first member's code.
func (s *seeder) inviteFriends(ctx context.Context) error {
	rules, err := s.Referral.Rules(ctx)
	if err != nil {
		return err
	}
	rules.On, rules.InviterGift, rules.FriendGift = true, campaign.Gift{{Kind: campaign.Points, N: 200}}, campaign.Gift{{Kind: campaign.Points, N: 100}}
	rules.ShareOn, rules.ShareGift = true, campaign.Gift{{Kind: campaign.Points, N: 20}}
	if _, err := s.Referral.SetRules(s.as(ctx, s.boss), rules); err != nil {
		return err
	}
	c, err := s.Referral.Code(ctx, s.people[0].id)
	s.club.invite = c.Code + "." + referral.ViaItem
	return err
}

// planFamily plans a family that shares one wallet, and what the wife's car had done for it: one visit dear enough to be asked about first.
func (s *seeder) planFamily(ago func(days int) time.Time) {
	s.then(ago(41), func(ctx context.Context) error { return s.charge(ctx, &s.people[0], s.plans[1]) })
	s.then(ago(40), s.startFamily)
	for _, x := range []struct{ daysAgo, service int }{{38, 1}, {16, 2}, {4, 1}} {
		s.then(ago(x.daysAgo), func(ctx context.Context) error { return s.familyVisit(ctx, x.service) })
	}
}

func (s *seeder) startFamily(ctx context.Context) error {
	head, wife := s.people[0], s.people[4]
	g, err := s.Groups.Create(s.as(ctx, head.owner), group.NewGroup{Kind: group.Family, Name: "晓舟一家", PayerID: head.id})
	if err != nil {
		return err
	}
	s.club.family = g.ID
	over := money.Fen(20000)
	inv, err := s.Groups.Invite(s.as(ctx, head.owner), g.ID, group.Place{CardKind: "driver", Note: "雨桐的海豚", Rules: group.Rules{CapPerMonthFen: 100000, ApprovalOverFen: &over}})
	if err != nil {
		return err
	}
	_, err = s.Groups.Join(s.as(ctx, wife.owner), inv.Code)
	return err
}

// familyVisit serves the wife's car for the family's wallet.
func (s *seeder) familyVisit(ctx context.Context, service int) error {
	r, q, err := s.familyBill(ctx, service)
	if err != nil {
		return err
	}
	if q.TotalFen > 20000 {
		y, err := s.askPayer(ctx, r, q)
		if err != nil {
			return err
		}
		s.clk.Advance(2 * time.Minute)
		if _, err := s.Groups.Answer(s.as(ctx, s.people[0].owner), y.ID, true, ""); err != nil {
			return err
		}
	}
	_, err = s.Checkout.Settle(s.as(ctx, s.desks[s.people[4].home]), r, q.QuoteHash, []checkout.Tender{{Kind: checkout.TenderGroup, AmountFen: q.TotalFen}})
	return err
}

func (s *seeder) familyBill(ctx context.Context, service int) (checkout.Request, checkout.Quote, error) {
	p := s.people[4]
	r := checkout.Request{StoreID: s.stores[p.home].ID, MemberID: p.id, Plate: p.plate, VehicleClassID: s.classes[p.class], GroupID: s.club.family,
		Items: []checkout.Item{{Kind: catalog.KindService, ID: s.svc[service].ID, Qty: 1}}}
	q, err := s.Checkout.Quote(s.as(ctx, s.desks[p.home]), r)
	return r, q, err
}

func (s *seeder) askPayer(ctx context.Context, r checkout.Request, q checkout.Quote) (group.Approval, error) {
	return s.Groups.AskPayer(s.as(ctx, s.desks[s.people[4].home]), group.Ask{GroupID: r.GroupID, DriverMemberID: r.MemberID, StoreID: r.StoreID, Plate: r.Plate,
		ServiceIDs: []int64{r.Items[0].ID}, AmountFen: q.TotalFen}, s.svc[2].Name)
}

// shareWallets lets the family's till ask the payer once more, and a company ask for a wallet of its own.
func (s *seeder) shareWallets(ctx context.Context) error {
	r, q, err := s.familyBill(ctx, 2)
	if err != nil {
		return err
	}
	if _, err := s.askPayer(ctx, r, q); err != nil {
		return err
	}
	boss := s.people[5]
	g, err := s.Groups.Create(s.as(ctx, boss.owner), group.NewGroup{Kind: group.Corporate, Name: "上海捷达物流有限公司", PayerID: boss.id, CreditCode: "91310000MA1FL00K2G",
		Contact: group.Contact{Name: "赵建国", Phone: "13800011186", Note: "八辆商务车，月结"}})
	if err != nil {
		return err
	}
	licence, err := demoPictures.ReadFile("pictures/licence.jpg")
	if err != nil {
		return err
	}
	if _, err = s.Groups.AddDocument(s.as(ctx, boss.owner), g.ID, group.DocumentLicense, licence); err != nil {
		return err
	}
	return errors.Join(s.openFleet(ctx, licence), s.Queue.Drain(ctx))
}

// openFleet lets a company in whose people are members of a tier, with a VIP card by hand and one whose link waits.
func (s *seeder) openFleet(ctx context.Context, licence []byte) error {
	boss := s.as(ctx, s.boss)
	g, err := s.Groups.Create(boss, group.NewGroup{Kind: group.Corporate, Name: "上海恒通商务用车有限公司", PayerID: s.people[8].id, CreditCode: "91310115MA1H9WQ6X6",
		Contact: group.Contact{Name: "陆海涛", Phone: "13800011192", Note: "政企车队，十二辆"}})
	if err != nil {
		return err
	}
	if _, err := s.Groups.AddDocument(boss, g.ID, group.DocumentLicense, licence); err != nil {
		return err
	}
	if _, err := s.Groups.Review(boss, g.ID, true, ""); err != nil {
		return err
	}
	if _, err := s.Groups.SetTier(boss, g.ID, s.tiers[0]); err != nil {
		return err
	}
	for who, p := range map[int]group.Place{6: {CardKind: group.CardDriver, Note: "一队", Rules: group.Rules{CapPerMonthFen: 60000}}, 12: {CardKind: group.CardVIP, Note: "总经理", TierID: s.tiers[len(s.tiers)-1]}} {
		if _, err := s.Groups.AddDriver(s.as(ctx, s.boss), g.ID, s.people[who].id, p); err != nil {
			return err
		}
	}
	_, err = s.Groups.Invite(boss, g.ID, group.Place{CardKind: group.CardTemporary, Note: "参展嘉宾", Until: bizday.Add(bizday.Of(s.clk.Now(), bizday.DefaultZone), 30), TierID: s.tiers[0]})
	return err
}
