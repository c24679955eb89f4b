package tier

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

var noon = time.Date(2026, 11, 18, 4, 0, 0, 0, time.UTC) // noon in Shanghai

func ruled(id int64, rank int, match string, measures ...Measure) Full {
	return Full{Tier: Tier{ID: id, Name: fmt.Sprint("级", id), Rank: rank, DiscountBP: money.Whole}, Programme: Programme{Rule: &Rule{match, measures}}}
}

// ladder is default 1, silver 2 at 1,000 yuan a year, gold 3 at 3,000 a year or 20 visits, black 4 by assignment only.
func ladder(t Terms) Rules {
	return Rules{Terms: t, Tiers: []Full{
		{Tier: Tier{ID: 1, Name: "普通", IsDefault: true, DiscountBP: money.Whole}},
		ruled(2, 1, MatchAll, Measure{SpendYear, 100_000}),
		ruled(3, 2, MatchAny, Measure{SpendYear, 300_000}, Measure{VisitsYear, 20}),
		{Tier: Tier{ID: 4, Name: "黑卡", Rank: 3, DiscountBP: money.Whole}},
	}}
}

func days(now int, list ...int64) Facts { // pairs of how many days ago, and fen
	var f Facts
	for i := 0; i < len(list); i += 2 {
		f.Days = append(f.Days, Day{now - int(list[i]), money.Fen(list[i+1])})
	}
	return f
}

// N14: exactly the threshold is enough, one fen less is not; a jump over a tier lands on the right one; the window of a year has an edge.
func TestN14Boundaries(t *testing.T) {
	now := today(noon)
	rule := Terms{Lose: LoseByRule}
	for _, c := range []struct {
		name  string
		terms Terms
		facts Facts
		want  int64
	}{
		{"nothing", rule, Facts{}, 1},
		{"one fen short", rule, days(now, 0, 99_999), 1},
		{"exactly", rule, days(now, 0, 100_000), 2},
		{"one fen short of gold", rule, days(now, 0, 299_999), 2},
		{"two tiers at once", rule, days(now, 0, 300_000), 3},
		{"19 visits", rule, visits(now, 19), 1},
		{"20 visits", rule, visits(now, 20), 3},
		{"364 days ago still counts", rule, days(now, 364, 100_000), 2},
		{"365 days ago does not", rule, days(now, 365, 100_000), 1},
		{"tomorrow does not count", rule, days(now, -1, 100_000), 1},
		{"a negative day takes off", rule, days(now, 3, 150_000, 1, -60_000), 1},
		{"the last day of grace", Terms{Lose: LoseByRule, GraceDays: 30}, days(now, 394, 100_000), 2},
		{"the day after grace", Terms{Lose: LoseByRule, GraceDays: 30}, days(now, 395, 100_000), 1},
		{"grace gives nothing that was never reached", Terms{Lose: LoseByRule, GraceDays: 30}, days(now, 380, 50_000, 0, 50_000), 1},
		{"both within some year that ended in the grace", Terms{Lose: LoseByRule, GraceDays: 30}, days(now, 380, 50_000, 20, 50_000), 2},
		{"idle: 364 days without spending keep it", Terms{Lose: LoseIdle, IdleDays: 365}, days(now, 700, 100_000, 364, 1), 2},
		{"idle: a year without spending loses it", Terms{Lose: LoseIdle, IdleDays: 365}, days(now, 700, 100_000, 365, 1), 1},
		{"idle: what was before a year's gap is gone", Terms{Lose: LoseIdle, IdleDays: 365}, days(now, 900, 300_000, 10, 1), 1},
		{"idle: gold kept by small visits", Terms{Lose: LoseIdle, IdleDays: 365}, days(now, 900, 300_000, 600, 1, 300, 1), 3},
		{"never lost", Terms{Lose: LoseNever}, days(now, 3000, 300_000), 3},
	} {
		if got := ladder(c.terms).Decide(noon, c.facts, nil, nil, nil); got.TierID != c.want {
			t.Errorf("%s: tier %d (%s), want %d", c.name, got.TierID, got.Reason, c.want)
		}
	}
	all := Rules{Terms: rule, Tiers: []Full{{Tier: Tier{ID: 1, IsDefault: true}},
		ruled(2, 1, MatchAll, Measure{CarMonths, 36}, Measure{CarKm, 60_000}), ruled(3, 2, MatchAll, Measure{Experience, 500}, Measure{SpendLife, 10}, Measure{VisitsLife, 2})}}
	for _, c := range []struct {
		facts Facts
		want  int64
	}{
		{Facts{CarMonths: 36, CarKm: 60_000}, 2}, {Facts{CarMonths: 35, CarKm: 60_000}, 1}, {Facts{CarMonths: 36, CarKm: 59_999}, 1},
		{Facts{Experience: 500, Days: days(now, 900, 5, 2, 5).Days}, 3}, {Facts{Experience: 499, Days: days(now, 900, 5, 2, 5).Days}, 1},
		{Facts{Experience: 500, Days: days(now, 2, 10).Days}, 1},
	} {
		if got := all.Decide(noon, c.facts, nil, nil, nil); got.TierID != c.want {
			t.Errorf("%+v: tier %d, want %d", c.facts, got.TierID, c.want)
		}
	}
}

func visits(now, n int) (f Facts) {
	for i := n; i > 0; i-- {
		f.Days = append(f.Days, Day{now - i, 1})
	}
	return f
}

// Somebody's word is the least that a member has, or exactly what they have; it ends. So does what was paid for.
func TestN14AssignmentsAndMemberships(t *testing.T) {
	now, ms := today(noon), noon.UnixMilli()
	s := ladder(Terms{Lose: LoseByRule})
	gold := days(now, 1, 300_000)
	for _, c := range []struct {
		name  string
		facts Facts
		hand  *Manual
		paid  []Paid
		want  int64
		from  string

		placed []Placed
	}{
		{"given", Facts{}, &Manual{TierID: 4, Reason: "老友"}, nil, 4, FromManual, nil},
		{"given less than earned", gold, &Manual{TierID: 2}, nil, 3, FromRule, nil},
		{"fixed below what is earned", gold, &Manual{TierID: 2, Fixed: true}, nil, 2, FromManual, nil},
		{"fixed to the default", gold, &Manual{TierID: 1, Fixed: true}, nil, 1, FromManual, nil},
		{"ends now", gold, &Manual{TierID: 4, EndsAt: ms}, nil, 3, FromRule, nil},
		{"ends in a millisecond", gold, &Manual{TierID: 4, EndsAt: ms + 1}, nil, 4, FromManual, nil},
		{"of a tier that is gone", gold, &Manual{TierID: 9, Fixed: true}, nil, 3, FromRule, nil},
		{"paid for", Facts{}, nil, []Paid{{4, "服务会员", ms, ms + 1}}, 4, FromMembership, nil},
		{"paid, begins later", Facts{}, nil, []Paid{{4, "服务会员", ms + 1, ms + 2}}, 1, FromDefault, nil},
		{"paid, over", Facts{}, nil, []Paid{{4, "服务会员", ms - 9, ms}}, 1, FromDefault, nil},
		{"paid less than earned", gold, nil, []Paid{{2, "折扣会员", ms, ms + 1}}, 3, FromRule, nil},
		{"the earned one of two equal ones", gold, &Manual{TierID: 3}, []Paid{{3, "折扣会员", ms, ms + 1}}, 3, FromRule, nil},
		{"of a company", Facts{}, nil, nil, 2, FromAccount, []Placed{{TierID: 2, Account: "捷达"}}},
		{"of a company, less than earned", gold, nil, nil, 3, FromRule, []Placed{{TierID: 2}}},
		{"of a company, on the last day", gold, nil, nil, 4, FromAccount, []Placed{{TierID: 4, Until: dayText(now)}}},
		{"of a company, the day after", gold, nil, nil, 3, FromRule, []Placed{{TierID: 4, Until: dayText(now - 1)}}},
		{"the higher of two companies", Facts{}, nil, nil, 4, FromAccount, []Placed{{TierID: 2}, {TierID: 4}, {TierID: 3}}},
		{"fixed below a company's", Facts{}, &Manual{TierID: 2, Fixed: true}, nil, 2, FromManual, []Placed{{TierID: 4}}},
		{"of a company, a tier that is gone", Facts{}, nil, nil, 1, FromDefault, []Placed{{TierID: 9}}},
	} {
		if got := s.Decide(noon, c.facts, c.hand, c.paid, c.placed); got.TierID != c.want || got.Source != c.from {
			t.Errorf("%s: %+v, want %d by %s", c.name, got, c.want, c.from)
		}
	}
}

// Property: the tier is the highest one whose rule held on a day that counts, by a naive look at every single day; more spending never lowers it.
func TestN14TierIsAPureFunction(t *testing.T) {
	now := today(noon)
	rapid.Check(t, func(r *rapid.T) {
		terms := Terms{Lose: rapid.SampledFrom([]string{LoseByRule, LoseIdle, LoseNever}).Draw(r, "lose"), GraceDays: rapid.IntRange(0, 60).Draw(r, "grace"), IdleDays: 365}
		s := ladder(terms)
		at := map[int]int64{}
		for range rapid.IntRange(0, 12).Draw(r, "days") {
			at[rapid.IntRange(0, 1200).Draw(r, "ago")] += rapid.SampledFrom([]int64{1, 40_000, 60_000, 100_000, 200_000}).Draw(r, "fen")
		}
		facts := Facts{}
		for ago := 1200; ago >= 0; ago-- {
			if n, ok := at[ago]; ok {
				facts.Days = append(facts.Days, Day{now - ago, money.Fen(n)})
			}
		}
		got := s.Decide(noon, facts, nil, nil, nil)
		if again := s.Decide(noon, facts, nil, nil, nil); again != got {
			r.Fatal("not pure")
		}
		if want := naive(s, facts, now); got.TierID != want {
			r.Fatalf("%+v %v: %d, want %d", terms, facts.Days, got.TierID, want)
		}
		more := Facts{Days: slices.Clone(facts.Days)}
		if n := len(more.Days); n > 0 {
			more.Days[rapid.IntRange(0, n-1).Draw(r, "which")].SpentFen += 50_000
			if b := s.Decide(noon, more, nil, nil, nil); b.TierID < got.TierID {
				r.Fatalf("spending more lowers from %d to %d", got.TierID, b.TierID)
			}
		}
	})
}

// naive looks at every day for which a tier that was met then still counts.
func naive(s Rules, f Facts, now int) int64 {
	sum := func(from, to int) (fen, n int64) {
		for _, d := range f.Days {
			if d.No > from && d.No <= to {
				fen, n = fen+int64(d.SpentFen), n+1
			}
		}
		return
	}
	met := func(no int) int64 {
		fen, n := sum(no-year, no)
		switch {
		case fen >= 300_000 || n >= 20:
			return 3
		case fen >= 100_000:
			return 2
		}
		return 1
	}
	from := now
	switch s.Terms.Lose {
	case LoseNever:
		from = now - 2000
	case LoseByRule:
		from = now - s.Terms.GraceDays
	case LoseIdle:
		last := now + 1
		for i := len(f.Days) - 1; i >= 0; i-- {
			gap := last - f.Days[i].No
			if i == len(f.Days)-1 {
				gap = now - f.Days[i].No
			}
			if gap >= 365 {
				break
			}
			last = f.Days[i].No
		}
		from = min(last, now)
		if n := len(f.Days); n > 0 && now-f.Days[n-1].No >= 365 {
			return 1
		}
	}
	best := int64(1)
	for no := from; no <= now; no++ {
		best = max(best, met(no))
	}
	return best
}

func TestKeptUntil(t *testing.T) {
	now := today(noon)
	for _, c := range []struct {
		terms Terms
		want  int // days from today, -1 for never
	}{
		{Terms{Lose: LoseByRule}, 354}, {Terms{Lose: LoseByRule, GraceDays: 30}, 384}, {Terms{Lose: LoseIdle, IdleDays: 365}, 354}, {Terms{Lose: LoseNever}, -1},
	} {
		want := ""
		if c.want >= 0 {
			want = dayText(now + c.want)
		}
		if got := ladder(c.terms).keptUntil(noon, days(now, 10, 100_000), nil, nil, nil); got != want {
			t.Errorf("%+v: %q, want %q", c.terms, got, want)
		}
	}
}

func TestAbsurdRulesAreExplainedAtTheField(t *testing.T) {
	ok := Input{Name: "金卡", Color: "#C9A227", Rank: 2, DiscountBP: 9000}
	with := func(p Programme) Input { in := ok; in.Programme = &p; return in }
	rule := func(ms ...Measure) Input { return with(Programme{Rule: &Rule{MatchAny, ms}}) }
	right := func(r Right) Input { return with(Programme{Rights: []Right{r}}) }
	for field, in := range map[string]Input{
		"discountBp":                          {Name: "金卡", Color: "#C9A227", DiscountBP: 0},
		"programme.discounts[0].bp":           with(Programme{Discounts: []Discount{{"wash", 100_000}}}),
		"programme.discounts[1].kind":         with(Programme{Discounts: []Discount{{"wash", 9000}, {"wash", 8000}}}),
		"programme.discounts[0].kind":         with(Programme{Discounts: []Discount{{"gold", 9000}}}),
		"programme.finalBp":                   with(Programme{FinalBP: 10_001}),
		"programme.rule.measures":             rule(),
		"programme.rule.measures[0].atLeast":  rule(Measure{SpendYear, 0}),
		"programme.rule.measures[1].kind":     rule(Measure{SpendYear, 1}, Measure{SpendYear, 2}),
		"programme.memberPrices[0].priceFen":  with(Programme{MemberPrices: []MemberPrice{{1, 0, 0}}}),
		"programme.memberPrices[1].serviceId": with(Programme{MemberPrices: []MemberPrice{{1, 0, 5}, {1, 0, 6}}}),
		"programme.rights[0].times":           right(Right{Kind: Counted, Title: "救援", Times: 0, Period: Yearly}),
		"programme.rights[0].period":          right(Right{Kind: Counted, Title: "救援", Times: 1, Period: ForTerm}),
		"programme.rights[0].serviceIds":      right(Right{Kind: FreeUse, Title: "洗车", Times: 1, Period: Monthly}),
		"programme.comforts[0]":               with(Programme{Comforts: []string{" "}}),
		"programme.gift.n":                    with(Programme{Gift: &Gift{Kind: "points", N: 0, Title: "积分"}}),
		"programme.pointsBp":                  with(Programme{PointsBP: -1}),
		"programme.cardImage":                 with(Programme{CardImage: "../x"}),
	} {
		_, err := in.clean()
		if said(err, field) == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := (Input{Name: "金卡", Color: "#C9A227", DiscountBP: 100_000}).clean(); !strings.Contains(said(err, "discountBp"), "还贵") {
		t.Errorf("1000 %%: %v", fault.As(err).Fields)
	}
	low, def := ruled(2, 1, MatchAny, Measure{SpendYear, 100_000}), Full{Tier: Tier{ID: 1, Name: "普通", IsDefault: true}}
	high := ruled(4, 5, MatchAny, Measure{SpendYear, 500_000})
	for field, at := range map[string]Full{
		"rank":                               ruled(9, 0, MatchAny, Measure{VisitsYear, 3}),
		"programme.rule.measures[0].atLeast": ruled(9, 3, MatchAny, Measure{SpendYear, 99_999}),
	} {
		if err := amongOthers([]Full{def, low, high, at}, at); said(err, field) == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	for name, at := range map[string]Full{
		"higher than the tier above": ruled(9, 3, MatchAny, Measure{SpendYear, 500_001}),
		"equal to the tier below":    ruled(9, 3, MatchAny, Measure{SpendYear, 100_000}),
		"the same rank":              ruled(9, 5, MatchAny, Measure{VisitsYear, 3}),
	} {
		if amongOthers([]Full{def, low, high, at}, at) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if err := amongOthers([]Full{def, low, high}, ruled(9, 3, MatchAll, Measure{SpendYear, 100_000}, Measure{VisitsYear, 5})); err != nil {
		t.Errorf("the same threshold and one more measure: %v", fault.As(err).Fields)
	}
}

// said is what an error says of a field.
func said(err error, field string) string {
	if err == nil {
		return ""
	}
	for _, f := range fault.As(err).Fields {
		if f.Field == field {
			return f.Message
		}
	}
	return ""
}

func TestPeriodsFollowTheCalendarOfChina(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct{ period, at, key, until string }{
		{Monthly, "2026-11-30T15:59:59Z", "m2026-11", "2026-11-30T16:00:00Z"}, {Monthly, "2026-11-30T16:00:00Z", "m2026-12", "2026-12-31T16:00:00Z"},
		{Weekly, "2026-11-15T15:59:59Z", "w2026-11-09", "2026-11-15T16:00:00Z"}, {Weekly, "2026-11-15T16:00:00Z", "w2026-11-16", "2026-11-22T16:00:00Z"},
		{Yearly, "2026-12-31T15:59:59Z", "y2026", "2026-12-31T16:00:00Z"}, {ForTerm, "2026-11-18T00:00:00Z", "t7", "2027-01-01T00:00:00Z"},
	} {
		key, until := (Right{Period: c.period}).period(at(c.at), 7, at("2027-01-01T00:00:00Z"))
		if key != c.key || !until.Equal(at(c.until)) {
			t.Errorf("%s at %s: %s until %s", c.period, c.at, key, until.UTC())
		}
	}
	for _, c := range []struct {
		start, want string
		months      int
	}{
		{"2026-11-18T02:00:00Z", "2026-12-18T16:00:00Z", 1}, {"2026-12-18T16:00:00Z", "2027-01-18T16:00:00Z", 1},
		{"2027-01-31T02:00:00Z", "2027-02-28T16:00:00Z", 1}, {"2027-01-31T02:00:00Z", "2027-03-31T16:00:00Z", 2}, {"2028-02-29T02:00:00Z", "2029-02-28T16:00:00Z", 12},
	} {
		if got := term(at(c.start), c.months); !got.Equal(at(c.want)) {
			t.Errorf("%d months from %s: %s, want %s", c.months, c.start, got.UTC(), c.want)
		}
	}
}
