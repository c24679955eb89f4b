package app

import (
	"context"
	"fmt"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/outreach"
	"github.com/liangche/liangche/internal/pricing"
	"github.com/liangche/liangche/internal/rain"
)

// keepInTouch lets a part of the owners consent to offers, keeps the lists, enters the holidays, texts once, and has it rain yesterday.
func (s *seeder) keepInTouch(ctx context.Context) error {
	back, err := s.Coupons.CreateTemplate(s.as(ctx, s.boss), coupon.TemplateInput{Terms: coupon.Terms{Name: "回店立减 15 元", Note: "好久不见，欢迎回来", Kind: coupon.KindAmount, OffFen: 1500, ThresholdFen: 4000,
		Stack: pricing.StackAny, ValidDays: 21}})
	if err != nil {
		return err
	}
	again, err := s.Coupons.CreateTemplate(s.as(ctx, s.boss), coupon.TemplateInput{Terms: coupon.Terms{Name: "雨后补洗券", Note: "洗完车遇雨，免费补洗一次", Kind: coupon.KindService, ServiceIDs: []int64{s.svc[0].ID},
		Stack: pricing.StackAny, ValidDays: 14}})
	if err != nil {
		return err
	}
	for i, p := range s.people {
		if i%3 == 0 {
			continue // never asked, or said no
		}
		if _, err := s.Messages.SetPreference(s.as(ctx, s.boss), p.id, notify.Preference{SMS: true, Calls: i%7 != 0, Marketing: true}); err != nil {
			return err
		}
	}
	if err := s.lists(ctx, back.ID); err != nil {
		return fmt.Errorf("lists: %w", err)
	}
	for _, h := range outreach.Suggestions(bizday.Of(s.clk.Now(), bizday.DefaultZone)) {
		h.Greet = true
		if h.Name == "春节" {
			h.TemplateID, h.TierIDs = back.ID, s.tiers[1:]
		}
		if _, err := s.Outreach.SaveHoliday(s.as(ctx, s.boss), 0, h); err != nil {
			return err
		}
	}
	c, err := s.Outreach.SaveCampaign(s.as(ctx, s.boss), 0, outreach.CampaignInput{Name: "周末洗车节", Template: demoOfferTemplate, Body: demoOfferText,
		Fields: []notify.Field{{Key: "name", From: "name"}, {Key: "store", From: "store"}}})
	if err != nil {
		return err
	}
	if _, err := s.Outreach.Start(s.as(ctx, s.boss), c.ID); err != nil {
		return err
	}
	if err := s.Queue.Drain(ctx); err != nil {
		return err
	}
	return s.rainYesterday(ctx, again.ID)
}

// lists keeps the lists with a rule that finds somebody in the demo's short history, and works on them.
func (s *seeder) lists(ctx context.Context, gift int64) error {
	rule := outreach.DefaultRule()
	rule.SilentDays, rule.RhythmPercent, rule.CouponIDs = 7, 100, []int64{gift}
	if _, err := s.Outreach.SaveRule(s.as(ctx, s.boss), rule); err != nil {
		return err
	}
	if err := s.Outreach.Find(actor.With(ctx, actor.Job("演示数据"))); err != nil {
		return err
	}
	list, _, err := s.Outreach.Lines(s.as(ctx, s.boss), outreach.Filter{Kind: outreach.Missed, State: outreach.Open, Limit: 30})
	if err != nil {
		return err
	}
	for i, l := range list {
		r := outreach.Result{Outcome: outreach.Considering, Note: "说最近在外地"}
		switch i % 4 {
		case 1:
			r = outreach.Result{Outcome: outreach.Coming, Note: "周末来", TemplateID: gift}
		case 2:
		default:
			continue
		}
		if _, err := s.Outreach.Handle(s.as(ctx, s.boss), l.ID, r); err != nil {
			return fmt.Errorf("a call: %w", err)
		}
	}
	return nil
}

// rainYesterday turns on what rain brings and marks yesterday in the first store.
func (s *seeder) rainYesterday(ctx context.Context, voucher int64) error {
	rule := rain.DefaultRule()
	rule.Vouchers, rule.TemplateID, rule.Rebooking, rule.PassDays, rule.MinFen = true, voucher, true, 1, money.Fen(2000)
	if _, err := s.Rain.SaveRule(s.as(ctx, s.boss), rule); err != nil {
		return err
	}
	day := bizday.Add(s.shopDay(ctx, s.stores[0].ID), -1)
	if _, err := s.Rain.MarkDay(s.as(ctx, s.boss), rain.Mark{StoreID: s.stores[0].ID, Date: day, FromMinute: 16 * 60, Note: "傍晚阵雨"}); err != nil {
		return err
	}
	return s.Queue.Drain(ctx)
}

func (s *seeder) shopDay(ctx context.Context, storeID int64) string {
	return s.Shops.BizDay(ctx, s.clk.Now(), storeID)
}
