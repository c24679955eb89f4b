package app

import (
	"context"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/points"
	"github.com/liangche/liangche/internal/pricing"
	"github.com/liangche/liangche/internal/setting"
)

// layPoints switches points on before the first visit: one a yuan, half as much again for the highest tier, double on the eighth.
func (s *seeder) layPoints(ctx context.Context) error {
	if err := s.Settings.Update(ctx, []setting.Value{{Key: setting.PointsEarnBP, Value: int64(money.Whole)}}); err != nil {
		return err
	}
	year := s.clk.Now().Year()
	_, err := s.Points.SetRules(ctx, points.Rules{
		Kinds: []points.KindRate{{Kind: "good", BP: 5000}},
		Tiers: []points.TierRate{{TierID: s.tiers[len(s.tiers)-1], BP: 15000}},
		Days:  []points.DayRate{{Name: "会员日", From: fmt.Sprintf("%d-01-01", year), To: fmt.Sprintf("%d-12-31", year+1), MonthDays: []int{8}, BP: 20000}},
	})
	return err
}

// giveCoupons makes templates and a claim page, and gives the owners who are on WeChat something to use.
func (s *seeder) giveCoupons(ctx context.Context) error {
	var ids []int64
	for _, t := range []coupon.TemplateInput{
		{Terms: coupon.Terms{Name: "洗车满 50 减 10", Note: "感谢一路同行", Kind: coupon.KindAmount, OffFen: 1000, ThresholdFen: 5000, Kinds: []string{"wash"}, Stack: pricing.StackAny, ValidDays: 30, Giftable: true}},
		{Terms: coupon.Terms{Name: "美容项目 9 折", Note: "最高减 100 元", Kind: coupon.KindPercent, PayBP: 9000, MaxOffFen: 10000, Kinds: []string{"detail"}, Stack: pricing.StackNoTier, ValidDays: 60}},
		{Terms: coupon.Terms{Name: "免费标准洗车", Note: "新朋友见面礼，可送给好友", Kind: coupon.KindService, ServiceIDs: []int64{s.svc[0].ID}, Stack: pricing.StackNone, ValidDays: 90, Giftable: true}, PerMember: 3},
	} {
		v, err := s.Coupons.CreateTemplate(s.as(ctx, s.boss), t)
		if err != nil {
			return err
		}
		ids = append(ids, v.ID)
	}
	now := s.clk.Now()
	if _, err := s.Coupons.SaveClaim(s.as(ctx, s.boss), 0, coupon.ClaimInput{TemplateID: ids[0], Code: "XICHE10", Title: "周末洗车券，先到先得", Note: "每人一张，领完为止", Stock: 200, PerMember: 1,
		From: now, Until: now.Add(60 * 24 * time.Hour)}); err != nil {
		return err
	}
	for i, p := range s.people[:wechatPeople] {
		if _, err := s.Coupons.Give(s.as(ctx, s.boss), p.id, ids[i%len(ids)], 1, "老顾客回馈"); err != nil {
			return err
		}
	}
	if _, err := s.Coupons.IssueBulk(s.as(ctx, s.boss), coupon.Bulk{TemplateID: ids[0], Filter: &coupon.Filter{LastVisitBefore: now.AddDate(0, 0, -7).Format(time.DateOnly)}, Note: "一周没来的顾客"}); err != nil {
		return err
	}
	return s.Queue.Drain(ctx)
}
