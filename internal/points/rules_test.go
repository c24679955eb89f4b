package points

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

func each(n int64) *int64 { return &n }

var sample = Rules{
	Kinds: []KindRate{{"good", 5000}, {"film", 0}},
	Items: []ItemRate{{"service", 7, 20000}},
	Tiers: []TierRate{{3, 15000}},
	Days:  []DayRate{{Name: "会员日", From: "2026-01-01", To: "2026-12-31", MonthDays: []int{8}, BP: 20000}, {Name: "周三", From: "2026-11-10", To: "2026-11-20", Weekdays: []int{3}, BP: 30000}},
}

func TestEarned(t *testing.T) {
	wash := func(fen money.Fen) Item {
		return Item{Kind: "service", ServiceKind: "wash", ID: 1, Qty: 1, PaidFen: fen}
	}
	for name, c := range map[string]struct {
		base  money.BP
		items []Item
		tier  int64
		day   string
		want  int64
	}{
		"one a yuan, down":               {10000, []Item{wash(4599)}, 0, "2026-11-17", 45},
		"off":                            {0, []Item{wash(4599)}, 0, "2026-11-17", 0},
		"nothing paid":                   {10000, []Item{wash(0)}, 0, "2026-11-17", 0},
		"what is left adds up":           {10000, []Item{wash(4550), wash(4550)}, 0, "2026-11-17", 91},
		"a good counts half":             {10000, []Item{{Kind: "good", ID: 7, Qty: 1, PaidFen: 1000}}, 0, "2026-11-17", 5},
		"a kind that brings none":        {10000, []Item{{Kind: "service", ServiceKind: "film", ID: 2, PaidFen: 100000}}, 0, "2026-11-17", 0},
		"an item of its own":             {10000, []Item{{Kind: "service", ServiceKind: "film", ID: 7, PaidFen: 1000}}, 0, "2026-11-17", 20},
		"the tier":                       {10000, []Item{wash(1000)}, 3, "2026-11-17", 15},
		"the eighth":                     {10000, []Item{wash(1000)}, 3, "2026-11-08", 30},
		"a Wednesday":                    {10000, []Item{wash(1000)}, 0, "2026-11-18", 30},
		"a Wednesday after it":           {10000, []Item{wash(1000)}, 0, "2026-11-25", 10},
		"so many each":                   {10000, []Item{{Kind: "good", ID: 9, Qty: 3, PaidFen: 100, PointsEach: each(40)}}, 0, "2026-11-17", 120},
		"so many each, half of it paid":  {10000, []Item{{Kind: "good", ID: 9, Qty: 3, PaidFen: 5000, DueFen: 10000, PointsEach: each(40)}}, 0, "2026-11-17", 60},
		"none each":                      {10000, []Item{{Kind: "good", ID: 9, Qty: 3, PaidFen: 100000, PointsEach: each(0)}}, 0, "2026-11-17", 0},
		"each, but all paid by a coupon": {10000, []Item{{Kind: "good", ID: 9, Qty: 3, PointsEach: each(40)}}, 0, "2026-11-17", 0},
		"the largest":                    {1_000_000, []Item{wash(money.MaxFen)}, 3, "2026-11-18", 45_000_000_000},
	} {
		if got := sample.Earned(c.base, c.items, c.tier, c.day); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// Splitting a bill never brings more; paying more never brings less.
func TestEarnedProperty(t *testing.T) {
	for range 3000 {
		day := time.Date(2026, 11, 1+rand.N(28), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		base, tier := money.BP(rand.N(30000)), int64(rand.N(4))
		var items []Item
		var apart int64
		for i := range 1 + rand.N(6) {
			it := Item{Kind: "service", ServiceKind: []string{"wash", "film", "detail"}[rand.N(3)], ID: int64(i + 4), Qty: 1 + rand.N(int64(3)), PaidFen: money.Fen(rand.N(100000))}
			if rand.N(4) == 0 {
				it.PointsEach, it.DueFen = each(rand.N(int64(50))), it.PaidFen+money.Fen(rand.N(1000))
			}
			items = append(items, it)
			apart += sample.Earned(base, []Item{it}, tier, day)
		}
		whole := sample.Earned(base, items, tier, day)
		if apart > whole || whole < 0 {
			t.Fatalf("apart %d, together %d: %+v", apart, whole, items)
		}
		more := slices.Clone(items)
		more[0].PaidFen += 100
		if n := sample.Earned(base, more, tier, day); n < whole && more[0].PaidFen <= max(more[0].DueFen, more[0].PaidFen) {
			t.Fatalf("paid more, earned %d instead of %d", n, whole)
		}
	}
}

// N13: what comes in a month ends with the month that lies so many later, in the store's zone.
func TestN13Expiry(t *testing.T) {
	for _, c := range []struct {
		at     string
		months int64
		last   string
	}{
		{"2026-11-18T02:00:00Z", 24, "2028-11-30"}, {"2026-01-31T15:59:59Z", 1, "2026-02-28"}, {"2026-01-31T16:00:00Z", 1, "2026-03-31"},
		{"2027-12-31T00:00:00Z", 2, "2028-02-29"}, {"2026-11-18T02:00:00Z", 60, "2031-11-30"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		must(t, err)
		if got := lastDay(Expiry(at, c.months, "Asia/Shanghai")); got != c.last {
			t.Errorf("%s + %d months ends %s, want %s", c.at, c.months, got, c.last)
		}
	}
	if Expiry(time.Now(), 0, "") != 0 {
		t.Error("0 months is never")
	}
}

func TestBadRules(t *testing.T) {
	day := func(from, to string, week ...int) DayRate {
		return DayRate{Name: "双倍", From: from, To: to, Weekdays: week, BP: 20000}
	}
	for field, r := range map[string]Rules{
		"kinds[0].kind":     {Kinds: []KindRate{{"tea", 10000}}},
		"kinds[1].kind":     {Kinds: []KindRate{{"wash", 10000}, {"wash", 20000}}},
		"kinds[0].bp":       {Kinds: []KindRate{{"wash", 100_001}}},
		"items[0].bp":       {Items: []ItemRate{{"good", 1, -1}}},
		"tiers[0].bp":       {Tiers: []TierRate{{1, 0}}},
		"tiers[1].tierId":   {Tiers: []TierRate{{1, 10000}, {1, 10000}}},
		"days[0].name":      {Days: []DayRate{{From: "2026-01-01", To: "2026-01-02", BP: 20000}}},
		"days[0].from":      {Days: []DayRate{day("2026-02-30", "2026-03-02")}},
		"days[0].to":        {Days: []DayRate{day("2026-03-02", "2026-03-01")}},
		"days[0].weekdays":  {Days: []DayRate{day("2026-03-01", "2026-03-02", 8)}},
		"days[0].monthDays": {Days: []DayRate{{Name: "x", From: "2026-03-01", To: "2026-03-02", MonthDays: []int{32}, BP: 20000}}},
		"days[1].from":      {Days: []DayRate{day("2026-03-01", "2026-03-31", 3), day("2026-03-11", "2026-03-11")}},
		"days[0].bp":        {Days: []DayRate{{Name: "x", From: "2026-03-01", To: "2026-03-02"}}},
	} {
		_, err := r.clean()
		var f *fault.Error
		if !errors.As(err, &f) || !f.Is(ErrRules) || !slices.ContainsFunc(f.Fields, func(x fault.Field) bool { return x.Field == field && x.Message != "" }) {
			t.Errorf("%s: %+v", field, f)
		}
	}
	if _, err := (Rules{Days: []DayRate{day("2026-03-01", "2026-03-31", 3), day("2026-03-01", "2026-03-31", 4)}}).clean(); err != nil {
		t.Errorf("Wednesdays and Thursdays do not overlap: %v", err)
	}
	if _, err := sample.clean(); err != nil {
		t.Errorf("the eighth is no Wednesday while both hold: %v", err)
	}
}
