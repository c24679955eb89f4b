package main

import (
	"time"

	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/pricing"
)

// busyBill is what a member with a tier, three passes, a monthly right and eight coupons of all sorts brings to the till.
func busyBill() pricing.Input {
	in := pricing.Input{VehicleClass: "SUV", Choice: pricing.Choice{Auto: true}, Points: pricing.Points{Available: 5000, PerYuan: 100, MaxBP: 5000},
		Tier: pricing.Tier{Name: "金卡", BP: map[string]money.BP{"wash": 9000, "detail": 9500, "good": 9800}}}
	in.Items = []pricing.Item{
		{Kind: pricing.KindService, ServiceKind: "wash", ID: 1, Name: "精洗", Qty: 1, UnitFen: 6800},
		{Kind: pricing.KindService, ServiceKind: "detail", ID: 2, Name: "打蜡", Qty: 1, UnitFen: 28800, MinPriceBP: 8000},
		{Kind: pricing.KindGood, ID: 3, Name: "玻璃水", Qty: 2, UnitFen: 2500},
		{Kind: pricing.KindService, ServiceKind: "other", ID: 4, Name: "消毒", Qty: 1, UnitFen: 8000}}
	for i := range int64(3) {
		in.Covers = append(in.Covers, pricing.Cover{Kind: pricing.CoverPass, ID: i + 1, Title: "十次卡", ServiceIDs: []int64{1}, Left: 5, ExpiresAt: i})
	}
	in.Covers = append(in.Covers, pricing.Cover{Kind: pricing.CoverRight, ID: 1, Title: "每月消毒", ServiceIDs: []int64{4}, Left: 1})
	for i := range int64(8) {
		in.Coupons = append(in.Coupons, pricing.Coupon{ID: i + 1, Title: "满减", Kind: pricing.CouponAmount, AmountFen: money.Fen(500 * (i + 1)), ThresholdFen: money.Fen(5000 * i),
			Stack: []string{pricing.StackNone, pricing.StackAny, pricing.StackNoTier}[i%3], ExpiresAt: i})
	}
	return in
}

// quotes measures the price function: one quote is to take less than a millisecond.
func (b *bench) quotes() error {
	const each = 500
	in := busyBill()
	var took []float64
	for range b.rounds {
		begin := time.Now()
		for range each {
			if _, err := pricing.Decide(in); err != nil {
				return err
			}
		}
		took = append(took, time.Since(begin).Seconds()*1000/each)
	}
	b.atMost("quote", "best price of a busy member's bill, in-process, ms", took, "%.3f", 1, 0.2)
	return nil
}
