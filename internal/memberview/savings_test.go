package memberview

import (
	"testing"
	"time"

	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/tier"
)

func TestNextOfferIsWhatServesBest(t *testing.T) {
	now := time.Date(2026, 11, 18, 2, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	often := Period{Visits: 20, Washes: 20, ListFen: 90000, PaidFen: 80000, washList: 90000}
	plans := []planFact{{id: 1, name: "十次卡", price: 40000, times: 10, validDays: 365}, {id: 2, name: "五次卡", price: 21500, times: 5}, {id: 3, name: "百次卡", price: 300000, times: 100, validDays: 365}}
	topups := []topupFact{{id: 7, amount: 20000, bonus: 2000}, {id: 8, amount: 50000, bonus: 8000}, {id: 9, amount: 500000, bonus: 200000}}
	for name, c := range map[string]struct {
		f    facts
		kind string
		ref  int64
		save money.Fen
	}{
		"nobody knows anything":              {facts{}, NextBook, 0, 0},
		"a pass that ends":                   {facts{endings: []ending{{5, "十次卡", 3, now.Add(30 * day)}, {4, "五次卡", 1, now.Add(20 * day)}}, coupons: []time.Time{now.Add(day)}, year: often, plans: plans}, NextUsePass, 4, 0},
		"a pass that ends later":             {facts{endings: []ending{{5, "十次卡", 3, now.Add(30 * day)}}, usesLeft: 3, year: often, plans: plans, balance: 90000}, NextBook, 0, 0},
		"a pass that has ended":              {facts{endings: []ending{{5, "十次卡", 3, now}}}, NextBook, 0, 0},
		"a coupon that ends":                 {facts{coupons: []time.Time{{}, now.Add(6 * day), now.Add(9 * day)}, year: often, plans: plans}, NextUseCoupon, 0, 0},
		"coupons that last":                  {facts{coupons: []time.Time{{}, now.Add(8 * day)}}, NextBook, 0, 0},
		"often here":                         {facts{year: often, plans: plans}, NextBuyPass, 1, 5000},
		"often here, with uses left":         {facts{year: often, plans: plans, usesLeft: 1, balance: 90000}, NextBook, 0, 0},
		"seldom here":                        {facts{year: Period{Visits: 3, Washes: 3, ListFen: 13500, PaidFen: 13500, washList: 13500}, plans: plans, balance: 9000}, NextBook, 0, 0},
		"what is not used up saves nothing":  {facts{year: Period{Visits: 5, Washes: 5, ListFen: 22500, PaidFen: 22500, washList: 22500}, plans: plans[:1], balance: 9000}, NextBook, 0, 0},
		"a tier within reach":                {facts{tierNear: true, tierName: "金卡", missing: "再消费 ¥20.00", worth: 5000, points: 5000}, NextTier, 0, 0},
		"many points":                        {facts{worth: 1000, points: 1000}, NextPoints, 0, 1000},
		"few points":                         {facts{worth: 999, points: 999}, NextBook, 0, 0},
		"an empty wallet":                    {facts{year: Period{Visits: 10, PaidFen: 60000, ListFen: 60000}, balance: 5999, topups: topups}, NextTopup, 8, 8000},
		"enough for a visit":                 {facts{year: Period{Visits: 10, PaidFen: 60000, ListFen: 60000}, balance: 6000, topups: topups}, NextBook, 0, 0},
		"more than is spent in a year":       {facts{year: Period{Visits: 1, PaidFen: 10000, ListFen: 10000}, topups: topups}, NextBook, 0, 0},
		"has not been here for a long while": {facts{lastAt: now.Add(-60 * day)}, NextBook, 0, 0},
	} {
		c.f.now = now
		got := next(c.f)
		if got.Kind != c.kind || got.RefID != c.ref || got.SaveFen != c.save || got.Title == "" || got.Text == "" {
			t.Errorf("%s: %+v", name, got)
		}
		if again := next(c.f); again != got {
			t.Errorf("%s: %+v, then %+v", name, got, again)
		}
	}
}

func TestSavingsArithmetic(t *testing.T) {
	p := Period{Visits: 10, ListFen: 65000, PaidFen: 52000, Washes: 10, washList: 45000}
	p.settle()
	if p.SavedFen != 13000 || p.PerWashFen != 3600 {
		t.Errorf("%+v", p)
	}
	dear := Period{ListFen: 100, PaidFen: 500}
	dear.settle()
	if dear.SavedFen != 0 || dear.PerWashFen != 0 {
		t.Errorf("%+v", dear)
	}
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	to := from.Add(100 * time.Hour)
	for _, c := range []struct {
		since time.Time
		want  money.Fen
	}{{from.Add(-time.Hour), 1000}, {from, 1000}, {from.Add(25 * time.Hour), 750}, {to, 0}, {to.Add(time.Hour), 0}} {
		if got := overlap(1000, from, to, c.since); got != c.want {
			t.Errorf("since %s: %d, want %d", c.since, got, c.want)
		}
	}
}

func TestTheWayToTheNextTier(t *testing.T) {
	gold := tier.Tier{Name: "金卡"}
	progress := []tier.Progress{{Have: 900, Need: 1000, Missing: "再消费 ¥1.00"}, {Have: 1, Need: 4, Missing: "再来 3 次"}}
	for match, want := range map[string]TierStep{"any": {Name: "金卡", Percent: 90, Missing: "再消费 ¥1.00"}, "all": {Name: "金卡", Percent: 25, Missing: "再消费 ¥1.00，再来 3 次"}} {
		got := tierStep(&tier.NextTier{Tier: gold, Match: match, Progress: progress})
		if got == nil || got.Name != want.Name || got.Percent != want.Percent || got.Missing != want.Missing {
			t.Errorf("%s: %+v", match, got)
		}
	}
	if tierStep(nil) != nil || tierStep(&tier.NextTier{Tier: gold}) != nil {
		t.Error("nothing above")
	}
}
