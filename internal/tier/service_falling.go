package tier

import (
	"context"
	"fmt"
	"strings"
)

// Fall is that a member's tier will be lower soon unless they come.
type Fall struct {
	MemberID  int64
	From, To  Tier
	KeptUntil string // the last business date of From
	Hint      string // what would keep it
}

// Falling finds those of the members whose tier, given by the rules, ends within so many days without another visit. Tiers that were
// given by hand or paid for end on a day that their holders know.
func (s *Service) Falling(ctx context.Context, members []int64, within int) ([]Fall, error) {
	rules, err := s.rules(ctx, s.db)
	if err != nil || rules.Terms.Lose == LoseNever {
		return nil, err
	}
	f, err := s.read(ctx, s.db, rules, s.db.Now(), members, "")
	if err != nil {
		return nil, err
	}
	var out []Fall
	for _, m := range members {
		if fall, ok := f.falls(m, within); ok {
			out = append(out, fall)
		}
	}
	return out, nil
}

// falls looks ahead for one member of the file. It is pure.
func (f file) falls(member int64, within int) (fall Fall, ok bool) {
	now, _ := f.decide(member)
	have, err := pick(f.rules.Tiers, now.TierID)
	if err != nil || now.Source != FromRule || have.IsDefault || f.places[member].TierID != now.TierID {
		return fall, false
	}
	at := func(n int) (Full, line) {
		later := f
		later.now = f.now.AddDate(0, 0, n)
		d, l := later.decide(member)
		t, err := pick(f.rules.Tiers, d.TierID)
		if err != nil {
			return have, l
		}
		return t, l
	}
	if t, _ := at(within + 1); t.Rank >= have.Rank {
		return fall, false
	}
	for n := 1; n <= within+1; n++ {
		if t, l := at(n); t.Rank < have.Rank {
			no := today(f.now) + n
			return Fall{MemberID: member, From: have.Tier, To: t.Tier, KeptUntil: dayText(no - 1), Hint: f.rules.keeps(have, l, no)}, true
		}
	}
	return fall, false
}

// keeps says what would keep a tier that is lost on a day, in at most 20 characters.
func (s Rules) keeps(have Full, l line, no int) string {
	if s.Terms.Lose == LoseIdle {
		return "到店消费一次就能保住"
	}
	var parts []string
	for _, m := range have.Programme.Rule.Measures {
		lack := m.AtLeast - l.value(m.Kind, no)
		switch {
		case lack <= 0:
			continue
		case m.Kind == SpendYear || m.Kind == SpendLife:
			parts = append(parts, fmt.Sprintf("再消费 %d 元", (lack+99)/100))
		case m.Kind == VisitsYear || m.Kind == VisitsLife:
			parts = append(parts, fmt.Sprintf("再来 %d 次", lack))
		}
	}
	if len(parts) == 0 {
		return "到店消费就能保住"
	}
	if have.Programme.Rule.Match == MatchAny {
		return parts[0] + "就能保住"
	}
	return strings.Join(parts, "、") + "就能保住"
}
