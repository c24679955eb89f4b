package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/mall"
	"github.com/liangche/liangche/internal/points"
	"github.com/liangche/liangche/internal/referral"
)

// openMall fills the mall, sets what is given for what, and lets two owners exchange points: one order waits to be collected.
func (s *seeder) openMall(ctx context.Context) error {
	all, err := s.Coupons.Templates(ctx)
	if err != nil {
		return err
	}
	named := func(name string) int64 {
		i := slices.IndexFunc(all, func(t coupon.Template) bool { return t.Name == name })
		if i < 0 {
			return 0
		}
		return all[i].ID
	}
	wash, off := named("免费标准洗车"), named("洗车满 50 减 10")
	boss := func() context.Context { return s.as(ctx, s.boss) }
	coupons := func(id int64) campaign.Gift { return campaign.Gift{{Kind: campaign.Coupon, ID: id, N: 1}} }
	pts := func(n int64) campaign.Gift { return campaign.Gift{{Kind: campaign.Points, N: n}} }
	for _, r := range []campaign.RuleInput{
		{Name: "满 200 送下次用券", Trigger: campaign.AfterPurchase, Terms: campaign.Terms{MinFen: 20000, PerMember: 12}, Gift: coupons(off)},
		{Name: "生日礼", Trigger: campaign.Birthday, Gift: pts(200)},
		{Name: "入会见面礼", Trigger: campaign.Join, Gift: pts(50)},
		{Name: "评价有礼", Trigger: campaign.Review, Terms: campaign.Terms{MinStars: 1, PerMember: 24}, Gift: pts(20)},
	} {
		if _, err := s.Gifts.SaveRule(boss(), 0, r); err != nil {
			return err
		}
	}
	end := s.clk.Now().AddDate(0, 6, 0)
	if _, err := s.Gifts.CreateBatch(boss(), campaign.BatchInput{Name: "新车首洗卡", Kind: campaign.BatchDealer, Partner: "申联汽车 4S 店", Gift: append(coupons(wash), pts(100)...), Count: 100, PerMember: 1, EndsAt: &end}); err != nil {
		return err
	}
	rules, err := s.Referral.Rules(ctx)
	if err != nil {
		return err
	}
	rules.On, rules.InviterGift, rules.FriendGift = true, pts(300), coupons(wash)
	rules.Grades = []referral.Grade{{Friends: 5, Gift: campaign.Gift{{Kind: campaign.Tier, ID: s.tiers[len(s.tiers)-1], N: 12}}}}
	if _, err := s.Referral.SetRules(boss(), rules); err != nil {
		return err
	}
	var items []mall.Item
	for i, in := range []mall.ItemInput{
		{Name: "全包围脚垫", Description: "按车型定制，到店免费安装", Kind: mall.KindGood, Points: 800, MoneyFen: 9900, Stock: 12, LowStock: 3, PerMember: 2},
		{Name: "车载香薰", Description: "三种香型，到店任选", Kind: mall.KindGood, Points: 300, Stock: 30, LowStock: 5, Ship: true},
		{Name: "免费标准洗车", Description: "兑换后自动放入优惠券", Kind: mall.KindService, SubjectID: wash, Points: 350, Stock: 200, LowStock: 20},
		{Name: "玻璃镀膜套装", Description: "金卡及以上会员专享", Kind: mall.KindGood, Points: 1500, Stock: 2, LowStock: 3, PerMember: 1, MinTierID: s.tiers[len(s.tiers)-1]},
	} {
		in.Sort = i
		item, err := s.Mall.SaveItem(boss(), 0, in)
		if err != nil {
			return err
		}
		items = append(items, item)
	}
	return errors.Join(s.exchange(ctx, s.people[0], items[1], false), s.exchange(ctx, s.people[1], items[1], true), s.Referral.Sweep(ctx), s.Queue.Drain(ctx))
}

// exchange lets somebody who has the points exchange them, and collect at once or later.
func (s *seeder) exchange(ctx context.Context, p person, i mall.Item, collect bool) error {
	owner := actor.Actor{Kind: actor.Owner, ID: p.id, MemberID: p.id}
	store := s.stores[p.home].ID
	o, _, err := s.Mall.Order(s.as(ctx, owner), p.id, mall.Ask{ItemID: i.ID, Qty: 1, Points: i.Points, StoreID: store})
	if errors.Is(err, points.ErrInsufficient) {
		return nil // has not been here often enough
	}
	if err != nil || !collect {
		return err
	}
	s.clk.Advance(time.Minute)
	code, err := s.Mall.PickupCode(ctx, p.id, o.ID)
	if err != nil {
		return err
	}
	_, err = s.Mall.Deliver(s.as(ctx, s.desks[p.home]), o.ID, code)
	return err
}
