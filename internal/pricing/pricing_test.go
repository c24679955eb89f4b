package pricing_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/pricing"
)

func wash(qty int64) pricing.Item {
	return pricing.Item{Kind: pricing.KindService, ServiceKind: "wash", ID: 1, Name: "精洗", Qty: qty, UnitFen: 4500}
}

func wax() pricing.Item {
	return pricing.Item{Kind: pricing.KindService, ServiceKind: "detail", ID: 2, Name: "打蜡", Qty: 1, UnitFen: 20000, MinPriceBP: 8000}
}

func mat() pricing.Item {
	return pricing.Item{Kind: pricing.KindGood, ID: 3, Name: "脚垫", Qty: 1, UnitFen: 10000}
}

func amount(id int64, off, threshold money.Fen, stack string) pricing.Coupon {
	return pricing.Coupon{ID: id, Title: fmt.Sprint("券", id), Kind: pricing.CouponAmount, AmountFen: off, ThresholdFen: threshold, Stack: stack}
}

// shape writes lines as "kind:amount …".
func shape(lines []pricing.Line) string {
	var out []string
	for _, l := range lines {
		out = append(out, fmt.Sprintf("%s:%d", l.Kind, l.AmountFen))
	}
	return strings.Join(out, " ")
}

func TestDecide(t *testing.T) {
	gold := pricing.Tier{Name: "金卡", BP: map[string]money.BP{"wash": 9000, "detail": 7000}}
	card := pricing.Cover{Kind: pricing.CoverPass, ID: 7, Title: "十次卡", ServiceIDs: []int64{1}, Left: 3}
	daily := card
	daily.Left, daily.InAll = 1, 10
	upgrade := card
	upgrade.Upgrade, upgrade.BaseFen, upgrade.UpgradeKinds = true, 4500, []string{"wash", "detail"}
	monthly := pricing.Cover{Kind: pricing.CoverRight, ID: 8, Title: "每月一洗", ServiceIDs: []int64{1}, Left: 1}
	gift := pricing.Coupon{ID: 5, Title: "免费精洗", Kind: pricing.CouponService, ServiceIDs: []int64{1}, Stack: pricing.StackNone}
	for _, c := range []struct {
		name string
		in   pricing.Input
		want string
		note string // stands in some line's explanation
	}{
		{"a pass pays", pricing.Input{Items: []pricing.Item{wash(1)}, Tier: gold, Covers: []pricing.Cover{card}}, "service:4500 pass:-4500", "精洗，用 1 次，剩 2 次"},
		{"a limit a day is not what is left", pricing.Input{Items: []pricing.Item{wash(1)}, Covers: []pricing.Cover{daily}}, "service:4500 pass:-4500", "精洗，用 1 次，剩 9 次"},
		{"a pass pays what it can", pricing.Input{Items: []pricing.Item{wash(5)}, Tier: gold, Covers: []pricing.Cover{card}}, "service:22500 pass:-13500 tier_discount:-900", "剩 0 次"},
		{"a right goes before a pass", pricing.Input{Items: []pricing.Item{wash(1)}, Covers: []pricing.Cover{card, monthly}}, "service:4500 right:-4500", "剩 0 次"},
		{"an upgrade costs the difference", pricing.Input{Items: []pricing.Item{wax()}, Tier: gold, Covers: []pricing.Cover{upgrade}}, "service:20000 pass:-20000 upgrade:15500", "已含 ¥45.00"},
		{"but not when the tier is cheaper", pricing.Input{Items: []pricing.Item{{Kind: pricing.KindService, ServiceKind: "detail", ID: 2, Name: "打蜡", Qty: 1, UnitFen: 20000}}, Tier: pricing.Tier{Name: "金卡", BP: map[string]money.BP{"detail": 7000}}, Covers: []pricing.Cover{upgrade}},
			"service:20000 tier_discount:-6000", "7 折"},
		{"a pass is kept for what is dearest", pricing.Input{Items: []pricing.Item{wash(1), {Kind: pricing.KindService, ServiceKind: "wash", ID: 9, Name: "大车精洗", Qty: 1, UnitFen: 6000}},
			Covers: []pricing.Cover{{Kind: pricing.CoverPass, ID: 7, Title: "一次卡", ServiceIDs: []int64{1, 9}, Left: 1}}}, "service:4500 service:6000 pass:-6000", ""},
		{"a member price", pricing.Input{Items: []pricing.Item{{Kind: pricing.KindService, ServiceKind: "wash", ID: 1, Name: "精洗", Qty: 2, UnitFen: 4500, FixedFen: 3000}}, Tier: gold}, "service:9000 member_price:-3000", "金卡精洗 ¥30.00"},
		{"the tier when it is better", pricing.Input{Items: []pricing.Item{{Kind: pricing.KindService, ServiceKind: "wash", ID: 1, Name: "精洗", Qty: 1, UnitFen: 4500, FixedFen: 4400}}, Tier: gold}, "service:4500 tier_discount:-450", "9 折"},
		{"by kind, to the floor", pricing.Input{Items: []pricing.Item{wash(1), wax(), mat()}, Tier: gold}, "service:4500 service:20000 good:10000 tier_discount:-4450 floor:0", "洗车 9 折、美容 7 折"},
		{"on everything", pricing.Input{Items: []pricing.Item{wash(1), mat()}, Tier: pricing.Tier{Name: "金卡", BP: gold.BP, FinalBP: 9800}}, "service:4500 good:10000 tier_discount:-450 final_discount:-281", "整单 9.8 折"},
		{"coupons of all sorts", pricing.Input{Items: []pricing.Item{mat()}, Coupons: []pricing.Coupon{amount(1, 1000, 0, pricing.StackAny), amount(2, 3000, 10000, pricing.StackNone), amount(3, 2000, 0, pricing.StackNone)}},
			"good:10000 coupon:-1000 coupon:-3000", "满 ¥100.00 减 ¥30.00"},
		{"a threshold that is not reached", pricing.Input{Items: []pricing.Item{wash(1)}, Coupons: []pricing.Coupon{amount(1, 1000, 5000, pricing.StackAny)}}, "service:4500", ""},
		{"a coupon never undercuts a floor", pricing.Input{Items: []pricing.Item{wax()}, Coupons: []pricing.Coupon{amount(1, 9000, 0, pricing.StackAny)}}, "service:20000 coupon:-4000", "这次用到 ¥40.00"},
		{"a gift does", pricing.Input{Items: []pricing.Item{{Kind: pricing.KindService, ServiceKind: "wash", ID: 1, Name: "精洗", Qty: 2, UnitFen: 4500, MinPriceBP: 10000}}, Coupons: []pricing.Coupon{gift}}, "service:9000 coupon:-4500", "赠送精洗一次"},
		{"instead of the tier, when that is better", pricing.Input{Items: []pricing.Item{wash(1)}, Tier: gold, Coupons: []pricing.Coupon{amount(1, 1000, 0, pricing.StackNoTier)}}, "service:4500 coupon:-1000", "不与等级折扣同享"},
		{"and not when it is worse", pricing.Input{Items: []pricing.Item{wash(1)}, Tier: gold, Coupons: []pricing.Coupon{amount(1, 400, 0, pricing.StackNoTier)}}, "service:4500 tier_discount:-450", ""},
		{"percent with a limit", pricing.Input{Items: []pricing.Item{mat()}, Coupons: []pricing.Coupon{{ID: 1, Title: "八折", Kind: pricing.CouponPercent, BP: 8000, MaxOffFen: 1500, Stack: pricing.StackAny}}}, "good:10000 coupon:-1500", "最多减 ¥15.00"},
		{"for some kinds only", pricing.Input{Items: []pricing.Item{wash(1), mat()}, Coupons: []pricing.Coupon{{ID: 1, Title: "配件九折", Kind: pricing.CouponPercent, BP: 9000, Kinds: []string{pricing.KindGood}, Stack: pricing.StackAny}}}, "service:4500 good:10000 coupon:-1000", "9 折"},
		{"a threshold is kept rather than a use", pricing.Input{Items: []pricing.Item{wash(1), mat()}, Covers: []pricing.Cover{card}, Coupons: []pricing.Coupon{amount(1, 8000, 14500, pricing.StackAny)}}, "service:4500 good:10000 coupon:-8000", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.in.Choice.Auto = true
			r, err := pricing.Decide(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := shape(r.Lines); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			noted := c.note == ""
			for _, l := range r.Lines {
				noted = noted || strings.Contains(l.Explain, c.note)
			}
			if !noted {
				t.Errorf("nobody says %q: %+v", c.note, r.Lines)
			}
		})
	}
}

// What is named and cannot be used is refused at its field, in words.
func TestDecideRefuses(t *testing.T) {
	in := pricing.Input{Items: []pricing.Item{wash(1), wax()},
		Covers:  []pricing.Cover{{Kind: pricing.CoverPass, ID: 1, Title: "十次卡", ServiceIDs: []int64{1}, Left: 2}, {Kind: pricing.CoverPass, ID: 2, Title: "旧卡", ServiceIDs: []int64{1}, Left: 5, Why: "已过期"}},
		Coupons: []pricing.Coupon{amount(1, 500, 0, pricing.StackNone), amount(2, 500, 0, pricing.StackNone), amount(3, 500, 99999, pricing.StackAny), {ID: 4, Title: "配件券", Kind: pricing.CouponAmount, AmountFen: 100, Kinds: []string{pricing.KindGood}}}}
	use := func(id int64, item int, qty int64) []pricing.CoverUse {
		return []pricing.CoverUse{{Kind: pricing.CoverPass, ID: id, Item: item, Qty: qty}}
	}
	for _, c := range []struct {
		name   string
		choice pricing.Choice
		field  string
		says   string
		want   error
	}{
		{"unknown pass", pricing.Choice{Covers: use(9, 0, 1)}, "benefits.covers[0]", "没有这项", pricing.ErrCover},
		{"a right's id is not a pass's", pricing.Choice{Covers: []pricing.CoverUse{{Kind: pricing.CoverRight, ID: 1, Qty: 1}}}, "benefits.covers[0]", "没有这项", pricing.ErrCover},
		{"expired", pricing.Choice{Covers: use(2, 0, 1)}, "benefits.covers[0]", "已过期", pricing.ErrCover},
		{"wrong service", pricing.Choice{Covers: use(1, 1, 1)}, "benefits.covers[0]", "不包含打蜡", pricing.ErrCover},
		{"no such item", pricing.Choice{Covers: use(1, -1, 1)}, "benefits.covers[0].itemIndex", "", pricing.ErrCover},
		{"more than there are", pricing.Choice{Covers: use(1, 0, 3)}, "benefits.covers[0].qty", "只剩 2 次", pricing.ErrCover},
		{"more than is bought", pricing.Choice{Covers: use(1, 0, 2)}, "benefits.covers[0].qty", "只有 1 份", pricing.ErrCover},
		{"two that are alone", pricing.Choice{Coupons: []int64{1, 2}}, "benefits.couponIds[1]", "只选一张", pricing.ErrCoupon},
		{"threshold", pricing.Choice{Coupons: []int64{3}}, "benefits.couponIds[0]", "还差 ¥754.99", pricing.ErrCoupon},
		{"nothing it is for", pricing.Choice{Coupons: []int64{4}}, "benefits.couponIds[0]", "没有适用的项目", pricing.ErrCoupon},
	} {
		t.Run(c.name, func(t *testing.T) {
			in.Choice = c.choice
			_, err := pricing.Decide(in)
			f := fault.As(err)
			if !errors.Is(err, c.want) || len(f.Fields) != 1 || f.Fields[0].Field != c.field || !strings.Contains(f.Message, c.says) {
				t.Errorf("%v %v", err, f.Fields)
			}
		})
	}
}
