package app

import (
	"context"
	"embed"
	"errors"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/mall"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/points"
	"github.com/liangche/liangche/internal/referral"
)

// demoPictures are drawn: gifts, the face of a card, and a company's licence that is none.
//
//go:embed pictures/*.jpg
var demoPictures embed.FS

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
	pictures := map[string]string{}
	for _, name := range []string{"mat", "scent", "wash", "coat"} {
		if pictures[name], err = s.picture(ctx, name); err != nil {
			return err
		}
	}
	var items []mall.Item
	for i, in := range []mall.ItemInput{
		{Name: "全包围脚垫", Image: pictures["mat"], Description: "按车型定制，到店免费安装", Kind: mall.KindGood, Points: 800, MoneyFen: 9900, Stock: 12, LowStock: 3, PerMember: 2},
		{Name: "车载香薰", Image: pictures["scent"], Description: "三种香型，到店任选", Kind: mall.KindGood, Points: 300, Stock: 30, LowStock: 5, Ship: true},
		{Name: "免费标准洗车", Image: pictures["wash"], Description: "兑换后自动放入优惠券", Kind: mall.KindService, SubjectID: wash, Points: 350, Stock: 200, LowStock: 20},
		{Name: "玻璃镀膜套装", Image: pictures["coat"], Description: "黑金会员专享", Kind: mall.KindGood, Points: 1500, Stock: 2, LowStock: 3, PerMember: 1, MinTierID: s.tiers[len(s.tiers)-1]},
	} {
		in.Sort = i
		item, err := s.Mall.SaveItem(boss(), 0, in)
		if err != nil {
			return err
		}
		items = append(items, item)
	}
	return errors.Join(s.exchange(ctx, s.people[0], items[1], false), s.exchange(ctx, s.people[1], items[1], true), s.sendGifts(ctx, items[1]), s.oweFor(ctx, s.people[12]),
		s.shareCar(ctx), s.Referral.Sweep(ctx), s.Queue.Drain(ctx))
}

// picture keeps a picture of the demo and returns its key.
func (s *seeder) picture(ctx context.Context, name string) (string, error) {
	data, err := demoPictures.ReadFile("pictures/" + name + ".jpg")
	if err != nil {
		return "", err
	}
	return s.Photos.Put(ctx, data)
}

// sendGifts lets two owners have something sent to their homes: one parcel is on its way, the other is still to be sent.
func (s *seeder) sendGifts(ctx context.Context, i mall.Item) error {
	sent := 0
	for k, p := range s.people[2:wechatPeople] {
		x, err := s.Points.Of(ctx, p.id)
		if err != nil || x.Available < i.Points || sent == 2 {
			continue
		}
		o, _, err := s.Mall.Order(s.as(ctx, p.owner), p.id, mall.Ask{ItemID: i.ID, Qty: 1, Points: i.Points, Delivery: mall.Ship,
			Address: &mall.Address{Name: demoPeople[k+2].name, Phone: "13800011001", Address: "上海市静安区愚园路 168 弄 8 号 1202 室"}})
		if err != nil {
			return err
		}
		if sent++; sent == 1 {
			s.clk.Advance(time.Minute)
			if _, err := s.Mall.Send(s.as(ctx, s.boss), o.ID, mall.Parcel{Carrier: "顺丰速运", TrackingNo: "SF1620045538217"}); err != nil {
				return err
			}
		}
	}
	return nil
}

// oweFor leaves somebody owing points: what a visit had brought was used, and then the visit was taken back.
func (s *seeder) oweFor(ctx context.Context, p person) error {
	desk := s.desks[p.home]
	r := checkout.Request{StoreID: s.stores[p.home].ID, MemberID: p.id, Plate: p.plate, VehicleClassID: s.classes[p.class], Items: []checkout.Item{{Kind: catalog.KindService, ID: s.svc[3].ID, Qty: 1}}}
	q, err := s.Checkout.Quote(s.as(ctx, desk), r)
	if err != nil {
		return err
	}
	o, err := s.Checkout.Settle(s.as(ctx, desk), r, q.QuoteHash, []checkout.Tender{{Kind: checkout.TenderCash, AmountFen: q.TotalFen, ReceivedFen: q.TotalFen}})
	if err != nil {
		return err
	}
	x, err := s.Points.Of(ctx, p.id)
	if err != nil {
		return err
	}
	if _, err := s.Points.Adjust(s.as(ctx, s.boss), p.id, -x.Available, "会员日现场换购礼品"); err != nil {
		return err
	}
	s.clk.Advance(3 * time.Minute)
	_, err = s.Checkout.Reverse(s.as(ctx, desk), o.ID, "顾客改天再做，退回现金")
	return err
}

// shareCar lets a friend whom the first member brought have a car that another friend has as well, which a manager should look at.
func (s *seeder) shareCar(ctx context.Context) error {
	friend, other := s.people[wechatPeople-1], s.people[11]
	_, err := s.Members.AddVehicle(s.as(ctx, friend.owner), friend.id, member.VehicleInput{Plate: other.plate, VehicleClassID: s.classes[other.class], Brand: "理想", Model: "L8", Color: "灰"})
	return err
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
