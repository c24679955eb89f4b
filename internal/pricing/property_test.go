package pricing_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/pricing"
)

var kinds = []string{"wash", "detail", "film", "repair"}

func drawItem(r *rapid.T, i int) pricing.Item {
	id := rapid.Int64Range(1, 4).Draw(r, "item")
	it := pricing.Item{Index: i, Kind: pricing.KindService, ServiceKind: kinds[id-1], ID: id, Name: fmt.Sprint("项目", id), Qty: rapid.SampledFrom([]int64{1, 1, 1, 2}).Draw(r, "qty"),
		UnitFen: money.Fen([]int64{0, 3333, 4999, 10001, 2505}[id]), MinPriceBP: money.BP([]int64{0, 0, 8000, 5555, 0}[id])}
	if rapid.IntRange(0, 3).Draw(r, "good") == 0 {
		it.Kind, it.ServiceKind = pricing.KindGood, ""
	}
	if id == 1 {
		it.FixedFen = 3001
	}
	return it
}

func drawTier(r *rapid.T) pricing.Tier {
	t := pricing.Tier{ID: 1, Name: "金卡", BP: map[string]money.BP{}}
	for _, k := range append(slices.Clone(kinds), "good") {
		t.BP[k] = money.BP(rapid.SampledFrom([]int64{0, 10000, 9500, 8333, 7777}).Draw(r, "bp"))
	}
	t.FinalBP = money.BP(rapid.SampledFrom([]int64{0, 0, 9800}).Draw(r, "final"))
	return t
}

func drawCover(r *rapid.T, id int64) pricing.Cover {
	c := pricing.Cover{Kind: rapid.SampledFrom([]string{"pass", "right"}).Draw(r, "kind"), ID: id, Title: fmt.Sprint("卡", id), Left: rapid.SampledFrom([]int64{-1, 0, 1, 1, 2}).Draw(r, "left"),
		ServiceIDs: rapid.SliceOfN(rapid.Int64Range(1, 4), 1, 2).Draw(r, "services"), ExpiresAt: rapid.Int64Range(0, 2).Draw(r, "expires")}
	if rapid.Bool().Draw(r, "upgrade") {
		c.Upgrade, c.BaseFen, c.UpgradeKinds = true, 2000, []string{"wash", "film"}
	}
	if rapid.IntRange(0, 5).Draw(r, "why") == 0 {
		c.Why = "已过期"
	}
	return c
}

func drawCoupon(r *rapid.T, id int64) pricing.Coupon {
	c := pricing.Coupon{ID: id, Title: fmt.Sprint("券", id), Kind: rapid.SampledFrom([]string{"amount", "percent", "service"}).Draw(r, "kind"),
		AmountFen: money.Fen(rapid.SampledFrom([]int64{500, 2000, 5000}).Draw(r, "amount")), BP: money.BP(rapid.SampledFrom([]int64{8000, 8800, 5000}).Draw(r, "share")),
		MaxOffFen: money.Fen(rapid.SampledFrom([]int64{0, 1000}).Draw(r, "most")), ThresholdFen: money.Fen(rapid.SampledFrom([]int64{0, 3000, 10000}).Draw(r, "threshold")),
		Stack: rapid.SampledFrom([]string{pricing.StackNone, pricing.StackAny, pricing.StackNoTier}).Draw(r, "stack"), ExpiresAt: rapid.Int64Range(0, 2).Draw(r, "expires")}
	if c.Kind == pricing.CouponService || rapid.Bool().Draw(r, "limited") {
		c.ServiceIDs = rapid.SliceOfN(rapid.Int64Range(1, 4), 1, 2).Draw(r, "services")
	}
	return c
}

func drawInput(r *rapid.T) pricing.Input {
	in := pricing.Input{VehicleClass: "轿车", Tier: drawTier(r), Choice: pricing.Choice{Auto: true},
		Points: pricing.Points{Available: rapid.Int64Range(0, 30000).Draw(r, "points"), PerYuan: 100, MaxBP: 5000}}
	for i := range rapid.IntRange(1, 4).Draw(r, "items") {
		in.Items = append(in.Items, drawItem(r, i))
	}
	for i := range rapid.IntRange(0, 2).Draw(r, "covers") {
		in.Covers = append(in.Covers, drawCover(r, int64(i+1)))
	}
	for i := range rapid.IntRange(0, 3).Draw(r, "coupons") {
		in.Coupons = append(in.Coupons, drawCoupon(r, int64(i+1)))
	}
	return in
}

func decide(r rapid.TB, in pricing.Input) pricing.Result {
	r.Helper()
	out, err := pricing.Decide(in)
	if err != nil {
		r.Fatalf("%v", err)
	}
	return out
}

// Property: the lines add up, nothing is negative, and nothing is below the floor except by a cover or a gift.
func TestPriceAddsUpAndKeepsFloors(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		in := drawInput(r)
		out := decide(r, in)
		var sum, payable, list money.Fen
		for _, l := range out.Lines {
			sum += l.AmountFen
			if l.Title == "" || (l.Explain == "" && l.Kind != "floor") || (l.Kind != "service" && l.Kind != "good" && l.Kind != "upgrade" && l.AmountFen > 0) {
				r.Fatalf("line %+v", l)
			}
		}
		free := map[int]int64{}
		for i, it := range in.Items {
			payable += out.PayableByItem[i]
			list += it.UnitFen * money.Fen(it.Qty)
			free[i] = it.Qty
			if out.PayableByItem[i] < 0 || out.PayableByItem[i] > it.UnitFen*money.Fen(it.Qty) {
				r.Fatalf("item %d: %d", i, out.PayableByItem[i])
			}
		}
		if sum != out.Total || payable != out.Total || out.Total < 0 || out.Subtotal != list || out.Discount != list-out.Total {
			r.Fatalf("lines %d, items %d, total %d, subtotal %d", sum, payable, out.Total, out.Subtotal)
		}
		used := map[string]int64{}
		for _, u := range out.Covers {
			free[u.Item] -= u.Qty
			used[fmt.Sprint(u.Kind, u.ID)] += u.Qty
		}
		for _, c := range in.Covers {
			if n := used[fmt.Sprint(c.Kind, c.ID)]; n > 0 && (c.Why != "" || (c.Left >= 0 && n > c.Left)) {
				r.Fatalf("cover %+v used %d", c, n)
			}
		}
		gifts, alone := int64(0), 0
		for n, id := range out.Coupons {
			c := in.Coupons[id-1]
			if slices.Contains(out.Coupons[:n], id) || out.CouponOff[n] <= 0 {
				r.Fatalf("coupon %d: %+v", id, out)
			}
			if c.Kind == pricing.CouponService {
				gifts++
			}
			if c.Stack == pricing.StackNone {
				alone++
			}
		}
		if alone > 1 {
			r.Fatalf("%d coupons that are alone of their sort", alone)
		}
		if gifts == 0 {
			for i, it := range in.Items {
				if floor := it.MinPriceBP.Ceil(it.UnitFen) * money.Fen(free[i]); out.PayableByItem[i] < floor {
					r.Fatalf("item %d pays %d, floor %d", i, out.PayableByItem[i], floor)
				}
			}
		}
		if out.PointsMaxFen*2 > out.Total || out.PointsMax > in.Points.Available || pricing.PointsFor(out.PointsMaxFen, 100) != out.PointsMax {
			r.Fatalf("points %d %d of %d", out.PointsMax, out.PointsMaxFen, out.Total)
		}
	})
}

// Property: the same input gives the same result, in whatever order the covers and coupons come.
func TestPriceIsAFunction(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		in := drawInput(r)
		one, two := decide(r, in), decide(r, in)
		if !reflect.DeepEqual(one, two) {
			r.Fatalf("%+v\n%+v", one, two)
		}
		slices.Reverse(in.Covers)
		slices.Reverse(in.Coupons)
		if three := decide(r, in); three.Total != one.Total || !reflect.DeepEqual(three.Covers, one.Covers) {
			r.Fatalf("%+v\n%+v", one, three)
		}
	})
}

// Property: whoever has one thing more never pays more.
func TestMoreChoiceNeverCostsMore(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		in := drawInput(r)
		more := in
		if rapid.Bool().Draw(r, "cover") {
			more.Covers = append(slices.Clone(in.Covers), drawCover(r, 9))
		} else {
			more.Coupons = append(slices.Clone(in.Coupons), drawCoupon(r, int64(len(in.Coupons)+1)))
		}
		if a, b := decide(r, in), decide(r, more); b.Total > a.Total {
			r.Fatalf("%d with less, %d with more\n%+v", a.Total, b.Total, more)
		}
	})
}

// Property: a bill in two parts never costs less than in one, with what the first part leaves over; and points never pay more of it.
func TestSplittingNeverHelps(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		in := drawInput(r)
		whole := decide(r, in)
		var parts [2]pricing.Input
		for _, it := range in.Items {
			first := rapid.Int64Range(0, it.Qty).Draw(r, "first")
			for p, n := range []int64{first, it.Qty - first} {
				if n > 0 {
					part := it
					part.Qty, part.Index = n, len(parts[p].Items)
					parts[p].Items = append(parts[p].Items, part)
				}
			}
		}
		var sum, points money.Fen
		covers, coupons := slices.Clone(in.Covers), slices.Clone(in.Coupons)
		for _, p := range parts {
			if len(p.Items) == 0 {
				continue
			}
			p.Tier, p.Choice, p.Points, p.Covers, p.Coupons = in.Tier, in.Choice, in.Points, covers, coupons
			out := decide(r, p)
			sum += out.Total
			points += out.PointsMaxFen
			for _, u := range out.Covers {
				for i := range covers {
					if covers[i].Kind == u.Kind && covers[i].ID == u.ID && covers[i].Left > 0 {
						covers[i].Left -= u.Qty
					}
				}
			}
			alone := false
			for i := range coupons {
				if slices.Contains(out.Coupons, coupons[i].ID) {
					coupons[i].Why = "已使用"
					alone = alone || coupons[i].Stack == pricing.StackNone
				}
			}
			for i := range coupons { // today's is used
				if alone && coupons[i].Stack == pricing.StackNone {
					coupons[i].Why = "今天已用过一张"
				}
			}
		}
		if sum < whole.Total {
			r.Fatalf("%d in parts, %d whole\n%+v", sum, whole.Total, in)
		}
	})
}

// Property: what Auto proposes can be asked for by name, at the same price.
func TestTheProposalCanBeAskedFor(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		in := drawInput(r)
		auto := decide(r, in)
		in.Choice = pricing.Choice{Covers: auto.Covers, Coupons: auto.Coupons}
		if asked := decide(r, in); asked.Total != auto.Total || !reflect.DeepEqual(asked.PayableByItem, auto.PayableByItem) {
			r.Fatalf("asked %+v\nauto %+v", asked, auto)
		}
	})
}

// A bill with several ways to pay it, as a busy member has. It stays far below a millisecond.
func BenchmarkDecide(b *testing.B) {
	in := busy()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pricing.Decide(in); err != nil {
			b.Fatal(err)
		}
	}
}

func busy() pricing.Input {
	in := pricing.Input{VehicleClass: "SUV", Tier: pricing.Tier{Name: "金卡", BP: map[string]money.BP{"wash": 9000, "detail": 9500, "good": 9800}}, Choice: pricing.Choice{Auto: true},
		Points: pricing.Points{Available: 5000, PerYuan: 100, MaxBP: 5000}}
	in.Items = []pricing.Item{
		{Kind: "service", ServiceKind: "wash", ID: 1, Name: "精洗", Qty: 1, UnitFen: 6800}, {Kind: "service", ServiceKind: "detail", ID: 2, Name: "打蜡", Qty: 1, UnitFen: 28800, MinPriceBP: 8000},
		{Kind: "good", ID: 3, Name: "玻璃水", Qty: 2, UnitFen: 2500}, {Kind: "service", ServiceKind: "other", ID: 4, Name: "消毒", Qty: 1, UnitFen: 8000}}
	for i := range int64(3) {
		in.Covers = append(in.Covers, pricing.Cover{Kind: "pass", ID: i + 1, Title: "十次卡", ServiceIDs: []int64{1}, Left: 5, ExpiresAt: i}, pricing.Cover{Kind: "right", ID: i + 1, Title: "每月消毒", ServiceIDs: []int64{4}, Left: 1})
	}
	for i := range int64(8) {
		in.Coupons = append(in.Coupons, pricing.Coupon{ID: i + 1, Title: "满减", Kind: "amount", AmountFen: money.Fen(500 * (i + 1)), ThresholdFen: money.Fen(5000 * i), Stack: []string{"none", "any", "no_tier"}[i%3], ExpiresAt: i})
	}
	return in
}

// A bill of somebody who has nothing, as most are.
func BenchmarkDecidePlain(b *testing.B) {
	in := busy()
	in.Covers, in.Coupons, in.Items = nil, nil, in.Items[:2]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pricing.Decide(in); err != nil {
			b.Fatal(err)
		}
	}
}

// The most that a member may bring: 50 items, 20 passes, 60 coupons of all sorts. The search is bounded.
func BenchmarkDecideWorst(b *testing.B) {
	in := busy()
	for i := range int64(46) {
		in.Items = append(in.Items, pricing.Item{Index: int(i) + 4, Kind: "service", ServiceKind: "wash", ID: 10 + i, Name: "项目", Qty: 3, UnitFen: money.Fen(1000 + 37*i)})
	}
	for i := range int64(17) {
		in.Covers = append(in.Covers, pricing.Cover{Kind: "pass", ID: 100 + i, Title: "卡", ServiceIDs: []int64{10 + i, 11 + 2*i, 30 + i}, Left: 3 + i})
	}
	for i := range int64(52) {
		in.Coupons = append(in.Coupons, pricing.Coupon{ID: 100 + i, Title: "券", Kind: []string{"amount", "percent", "service"}[i%3], BP: 9000, AmountFen: money.Fen(500 + i), ServiceIDs: []int64{10 + i%46, 20 + i%20},
			ThresholdFen: money.Fen(1000 * (i % 5)), Stack: []string{"none", "any", "no_tier"}[i%3]})
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pricing.Decide(in); err != nil {
			b.Fatal(err)
		}
	}
}
