package checkout

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/pricing"
	"github.com/liangche/liangche/internal/tier"
)

// Price is what items cost somebody of a tier.
func Price(items []catalog.Item, class string, t tier.Tier, manual *Manual, most money.BP) (pricing.Result, error) {
	return pricing.Decide(pricing.Input{Items: Items(items, nil), VehicleClass: class, Tier: terms(t), Manual: manual, MaxManual: most})
}

func terms(t tier.Tier) pricing.Tier {
	return pricing.Tier{ID: t.ID, Name: t.Name, BP: map[string]money.BP{"wash": t.DiscountBP, "good": t.DiscountBP}}
}

func service(name string, unit, qty int64, floor money.BP) catalog.Item {
	return catalog.Item{Ref: catalog.Ref{Kind: catalog.KindService, ID: unit + qty, Qty: qty}, Name: name, ServiceKind: "wash", UnitFen: money.Fen(unit), MinPriceBP: floor}
}

func good(name string, unit, qty int64) catalog.Item {
	return catalog.Item{Ref: catalog.Ref{Kind: catalog.KindGood, ID: unit, Qty: qty}, Name: name, UnitFen: money.Fen(unit)}
}

// shape writes lines as "kind:amount …".
func shape(lines []Line) string {
	var out []string
	for _, l := range lines {
		out = append(out, fmt.Sprintf("%s:%d", l.Kind, l.AmountFen))
	}
	return strings.Join(out, " ")
}

func TestPrice(t *testing.T) {
	whole, gold, black := tier.Tier{DiscountBP: money.Whole}, tier.Tier{Name: "金卡", DiscountBP: 9500}, tier.Tier{Name: "黑金", DiscountBP: 7000}
	off := func(fen money.Fen) *Manual { return &Manual{AmountFen: fen, Reason: "老顾客"} }
	for _, c := range []struct {
		name      string
		items     []catalog.Item
		tier      tier.Tier
		manual    *Manual
		maxManual money.BP
		want      string
		total     money.Fen
		fault     string // field blamed
	}{
		{"list price", []catalog.Item{service("洗车", 3500, 1, 8000)}, whole, nil, 3000, "service:3500", 3500, ""},
		{"several", []catalog.Item{service("洗车", 3500, 2, 0), good("玻璃水", 1500, 3)}, whole, nil, 3000, "service:7000 good:4500", 11500, ""},
		{"tier", []catalog.Item{service("洗车", 3500, 1, 8000)}, gold, nil, 3000, "service:3500 tier_discount:-175", 3325, ""},
		{"tier, half a fen rounds up to the shop", []catalog.Item{service("贴", 110, 1, 0)}, gold, nil, 3000, "service:110 tier_discount:-5", 105, ""},
		{"tier stops at the floor and says so", []catalog.Item{service("洗车", 3500, 1, 8000)}, black, nil, 3000, "service:3500 tier_discount:-700 floor:0", 2800, ""},
		{"floor of one item only", []catalog.Item{service("洗车", 3500, 1, 8000), service("打蜡", 10000, 1, 0)}, black, nil, 3000, "service:3500 service:10000 tier_discount:-3700 floor:0", 9800, ""},
		{"floor of 100 % allows nothing", []catalog.Item{service("保险", 9900, 1, 10000)}, black, nil, 3000, "service:9900 floor:0", 9900, ""},
		{"a floor is rounded up", []catalog.Item{service("洗车", 3333, 1, 8000)}, black, nil, 3000, "service:3333 tier_discount:-666 floor:0", 2667, ""},
		{"a tier of 0 or above 100 % is none", []catalog.Item{service("洗车", 3500, 1, 0)}, tier.Tier{DiscountBP: 0}, nil, 3000, "service:3500", 3500, ""},
		{"manual", []catalog.Item{service("洗车", 3500, 1, 8000)}, whole, off(700), 3000, "service:3500 manual_discount:-700", 2800, ""},
		{"manual on tier", []catalog.Item{service("洗车", 10000, 1, 8000)}, gold, off(1500), 3000, "service:10000 tier_discount:-500 manual_discount:-1500", 8000, ""},
		{"manual below the floor", []catalog.Item{service("洗车", 3500, 1, 8000)}, whole, off(701), 3000, "", 0, "低于最低价"},
		{"manual beyond the shop's limit", []catalog.Item{service("洗车", 10000, 1, 0)}, whole, off(3001), 3000, "", 0, "超出上限"},
		{"manual at the shop's limit", []catalog.Item{service("洗车", 10000, 1, 0)}, whole, off(3000), 3000, "service:10000 manual_discount:-3000", 7000, ""},
		{"manual switched off", []catalog.Item{service("洗车", 10000, 1, 0)}, whole, off(1), 0, "", 0, "超出上限"},
		{"manual of nothing", []catalog.Item{service("洗车", 10000, 1, 0)}, whole, off(0), 3000, "", 0, "超出上限"},
		{"a negative manual discount would be a surcharge", []catalog.Item{service("洗车", 10000, 1, 0)}, whole, off(-500), 3000, "", 0, "超出上限"},
		{"after a floor there is no room", []catalog.Item{service("洗车", 3500, 1, 8000)}, black, off(1), 3000, "", 0, "低于最低价"},
		{"a gift", []catalog.Item{service("赠洗", 0, 1, 8000)}, gold, nil, 3000, "service:0", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Price(c.items, "轿车", c.tier, c.manual, c.maxManual)
			if c.fault != "" {
				var f interface{ Error() string } = err
				if !errors.Is(err, ErrDiscount) || !strings.Contains(fmt.Sprintf("%+v", f), c.fault) && !blames(err, c.fault) {
					t.Fatalf("got %v, want %s", err, c.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := shape(p.Lines); got != c.want || p.Total != c.total {
				t.Errorf("%s = %d, want %s = %d", got, p.Total, c.want, c.total)
			}
			if p.Subtotal-p.Discount != p.Total {
				t.Errorf("%d − %d is not %d", p.Subtotal, p.Discount, p.Total)
			}
			for _, l := range p.Lines {
				if l.Title == "" || l.Explain == "" {
					t.Errorf("a line does not explain itself: %+v", l)
				}
			}
		})
	}
}

func TestPriceExplains(t *testing.T) {
	p, err := Price([]catalog.Item{service("洗车", 3500, 2, 8000)}, "轿车", tier.Tier{Name: "黑金", DiscountBP: 7500}, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"轿车 · ¥35.00 × 2", "黑金享 7.5 折", "洗车已按最低折扣计价"} {
		if p.Lines[i].Explain != want {
			t.Errorf("line %d says %q, want %q", i, p.Lines[i].Explain, want)
		}
	}
}

// Property: the price is never negative, never below the sum of floors, its lines sum to it, the same request gives the same price and hash,
// and ringing items up one by one instead of together never costs less.
func TestPriceProperty(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(r, "items")
		var items []catalog.Item
		var floors, list money.Fen
		for i := range n {
			it := service(fmt.Sprint("项目", i), rapid.Int64Range(0, 9999999).Draw(r, "unit"), rapid.Int64Range(1, 999).Draw(r, "qty"), money.BP(rapid.Int64Range(0, 10000).Draw(r, "floor")))
			items = append(items, it)
			list += it.UnitFen * money.Fen(it.Qty)
			floors += it.MinPriceBP.Ceil(it.UnitFen * money.Fen(it.Qty))
		}
		tr := tier.Tier{Name: "卡", DiscountBP: money.BP(rapid.Int64Range(0, 12000).Draw(r, "tier"))}
		most := money.BP(rapid.Int64Range(0, 10000).Draw(r, "most"))
		var manual *Manual
		if rapid.Bool().Draw(r, "manual?") {
			manual = &Manual{AmountFen: money.Fen(rapid.Int64Range(-10, int64(list)+10).Draw(r, "manual")), Reason: "原因"}
		}
		p, err := Price(items, "轿车", tr, manual, most)
		if err != nil {
			if manual == nil || !errors.Is(err, ErrDiscount) {
				r.Fatal(err)
			}
			return
		}
		var sum money.Fen
		for _, l := range p.Lines {
			sum += l.AmountFen
		}
		switch {
		case p.Total < 0, p.Total < floors, p.Total > list, p.Subtotal != list, sum != p.Total, p.Discount != list-p.Total:
			r.Fatalf("total %d of list %d, floors %d, lines %d, discount %d", p.Total, list, floors, sum, p.Discount)
		case manual != nil && manual.AmountFen > most.Round(list):
			r.Fatalf("a manual discount of %d passed a limit of %d", manual.AmountFen, most.Round(list))
		}
		again, err := Price(items, "轿车", tr, manual, most)
		q := Request{StoreID: 1, Plate: "沪A12345", VehicleClassID: 1}
		if err != nil || !reflect.DeepEqual(p, again) || hash(q, p) != hash(q, again) {
			r.Fatal("the same request gave another price")
		}
		if manual != nil {
			return
		}
		var split money.Fen
		for _, it := range items {
			one, err := Price([]catalog.Item{it}, "轿车", tr, nil, most)
			if err != nil {
				r.Fatal(err)
			}
			split += one.Total
		}
		if split != p.Total {
			r.Fatalf("together %d, one by one %d", p.Total, split)
		}
	})
}

// What the hash covers cannot be changed between quote and settlement.
func TestHashCoversWhatWasShown(t *testing.T) {
	base := Request{StoreID: 1, MemberID: 2, Plate: "沪A12345", VehicleClassID: 3, Items: []Item{{Kind: "service", ID: 1, Qty: 1}}}
	p, _ := Price([]catalog.Item{service("洗车", 3500, 1, 0)}, "轿车", tier.Tier{}, nil, 0)
	seen := map[string]string{hash(base, p): "base"}
	for name, change := range map[string]func(*Request, *pricing.Result){
		"store":   func(r *Request, _ *pricing.Result) { r.StoreID++ },
		"member":  func(r *Request, _ *pricing.Result) { r.MemberID++ },
		"plate":   func(r *Request, _ *pricing.Result) { r.Plate = "沪B12345" },
		"class":   func(r *Request, _ *pricing.Result) { r.VehicleClassID++ },
		"items":   func(r *Request, _ *pricing.Result) { r.Items = []Item{{Kind: "service", ID: 1, Qty: 2}} },
		"booking": func(r *Request, _ *pricing.Result) { r.BookingID = 9 },
		"line":    func(_ *Request, p *pricing.Result) { p.Lines = append([]Line{}, Line{Title: "另一行"}) },
		"total":   func(_ *Request, p *pricing.Result) { p.Total++ },
		"coupon":  func(_ *Request, p *pricing.Result) { p.Coupons = []int64{5} },
		"pass":    func(_ *Request, p *pricing.Result) { p.Covers = []pricing.CoverUse{{Kind: "pass", ID: 5, Qty: 1}} },
	} {
		r, q := base, p
		change(&r, &q)
		if was, dup := seen[hash(r, q)]; dup {
			t.Errorf("%s has the hash of %s", name, was)
		}
		seen[hash(r, q)] = name
	}
}
