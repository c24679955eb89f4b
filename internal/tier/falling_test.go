package tier

import (
	"testing"
)

// Who is about to fall is told in time, and by what it is kept; nobody else is.
func TestFalling(t *testing.T) {
	now := today(noon)
	idle, rule, grace := Terms{Lose: LoseIdle, IdleDays: 365}, Terms{Lose: LoseByRule}, Terms{Lose: LoseByRule, GraceDays: 30}
	for _, c := range []struct {
		name  string
		terms Terms
		facts Facts
		place int64
		kept  int // days from today; -1: does not fall
		hint  string
	}{
		{"idle in ten days", idle, days(now, 354, 100_000), 2, 10, "到店消费一次就能保住"},
		{"idle on the last day that is looked at", idle, days(now, 350, 100_000), 2, 14, "到店消费一次就能保住"},
		{"idle a day later", idle, days(now, 349, 100_000), 2, -1, ""},
		{"today is the last day", idle, days(now, 364, 100_000), 2, 0, "到店消费一次就能保住"},
		{"the rule is not met any more in ten days", rule, days(now, 354, 60_000, 10, 50_000), 2, 10, "再消费 500 元就能保住"},
		{"and grace follows", grace, days(now, 354, 60_000, 10, 50_000), 2, -1, ""},
		{"by visits or money: either keeps it", rule, days(now, 354, 300_000, 3, 20_000), 3, 10, "再消费 2800 元就能保住"},
		{"nobody in the default tier", idle, days(now, 354, 10), 1, -1, ""},
		{"has moved already, and is told of that", idle, days(now, 354, 100_000), 3, -1, ""},
	} {
		rules := ladder(c.terms)
		f := file{rules: rules, now: noon, places: map[int64]placeRow{7: {MemberID: 7, TierID: c.place}}, facts: map[int64]Facts{7: c.facts}}
		got, ok := f.falls(7, 14)
		if ok != (c.kept >= 0) {
			t.Errorf("%s: %+v %v", c.name, got, ok)
			continue
		}
		if ok && (got.KeptUntil != dayText(now+c.kept) || got.Hint != c.hint || got.From.ID != c.place) {
			t.Errorf("%s: %+v, want %s %s", c.name, got, dayText(now+c.kept), c.hint)
		}
	}
	given := file{rules: ladder(idle), now: noon, places: map[int64]placeRow{7: {MemberID: 7, TierID: 4}}, facts: map[int64]Facts{7: days(now, 354, 100_000)},
		hand: map[int64]*Manual{7: {TierID: 4, EndsAt: noon.AddDate(0, 0, 5).UnixMilli()}}}
	if got, ok := given.falls(7, 14); ok {
		t.Errorf("given by hand: %+v", got)
	}
}
