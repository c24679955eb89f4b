package tier

import (
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/money"
)

// year is how many days count as the last twelve months.
const year = 365

// How a tier that was reached is lost.
const (
	LoseByRule = "rule"  // when its rule has not been met for the days of grace
	LoseIdle   = "idle"  // after a year without spending (C04)
	LoseNever  = "never" // not at all
)

// Where a member's tier comes from.
const (
	FromDefault    = "default"
	FromRule       = "rule"
	FromManual     = "manual"
	FromMembership = "membership"
	FromAccount    = "account" // a company's account names it for its people (A05)
)

// Day is what a member paid on one business date; No counts days.
type Day struct {
	No       int
	SpentFen money.Fen
}

// Facts are what the rules look at: the days with a paid visit, oldest first and each once, and what is known now.
type Facts struct {
	Days       []Day
	Experience int64
	CarMonths  int64
	CarKm      int64
}

// Terms are the shop's choices on losing a tier.
type Terms struct {
	Lose      string
	GraceDays int
	IdleDays  int
}

// Manual is a tier that somebody gave. It is the least that the member has; Fixed: exactly that.
type Manual struct {
	TierID int64
	Fixed  bool
	Reason string
	By     string
	EndsAt int64 // unix ms; 0 never
}

// Paid is a tier that a membership grants.
type Paid struct {
	TierID int64
	Title  string
	From   int64
	To     int64
}

// Placed is a tier that a company's account gives to one of its people.
type Placed struct {
	MemberID int64
	TierID   int64
	Account  string // what the account is called
	Until    string // the last day; "" has no end
}

// Decision is a member's tier and why.
type Decision struct {
	TierID int64
	Source string
	Reason string
	By     string
}

// Rules are all tiers, lowest first, with the shop's terms.
type Rules struct {
	Tiers []Full
	Terms Terms
}

// dayNo counts the days of business dates; 0 for what is no date.
func dayNo(date string) int {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return 0
	}
	return int(t.Unix() / 86400)
}

func dayText(no int) string { return time.Unix(int64(no)*86400, 0).UTC().Format(time.DateOnly) }

func today(now time.Time) int { return dayNo(bizday.Of(now, bizday.DefaultZone)) }

// line is Facts with running sums, so that any day's window costs two searches.
type line struct {
	Facts
	sums []money.Fen // of the days before
}

func (f Facts) line() line {
	l := line{Facts: f, sums: make([]money.Fen, len(f.Days)+1)}
	for i, d := range f.Days {
		l.sums[i+1] = l.sums[i] + d.SpentFen
	}
	return l
}

// until is how many of the days are not after no.
func (l line) until(no int) int {
	i, found := slices.BinarySearchFunc(l.Days, no, func(d Day, no int) int { return d.No - no })
	if found {
		return i + 1
	}
	return i
}

// value is a measure as it stood at the end of a day. The window of a year is that day and the 364 before it.
func (l line) value(kind string, no int) int64 {
	switch kind {
	case SpendYear:
		return int64(l.sums[l.until(no)] - l.sums[l.until(no-year)])
	case SpendLife:
		return int64(l.sums[l.until(no)])
	case VisitsYear:
		return int64(l.until(no) - l.until(no-year))
	case VisitsLife:
		return int64(l.until(no))
	case Experience:
		return l.Facts.Experience
	case CarMonths:
		return l.Facts.CarMonths
	case CarKm:
		return l.Facts.CarKm
	}
	return 0
}

func (l line) met(r *Rule, no int) bool {
	if r == nil || len(r.Measures) == 0 {
		return false
	}
	for _, m := range r.Measures {
		if ok := l.value(m.Kind, no) >= m.AtLeast; ok != (r.Match == MatchAll) {
			return ok
		}
	}
	return r.Match == MatchAll
}

// best is the index of the highest tier whose rule was met on a day, -1 when none was.
func (s Rules) best(l line, no int) int {
	for i := len(s.Tiers) - 1; i >= 0; i-- {
		if l.met(s.Tiers[i].Programme.Rule, no) {
			return i
		}
	}
	return -1
}

// moments are the days on which a tier may have been reached that is not lost yet. Between payments every measure only falls, so
// these days are enough.
func (t Terms) moments(l line, now int) []int {
	var out []int
	add := func(from int) {
		for _, d := range l.Days {
			if d.No >= from && d.No <= now {
				out = append(out, d.No)
			}
		}
	}
	n := l.until(now)
	switch t.Lose {
	case LoseNever:
		add(0)
	case LoseIdle:
		if n == 0 {
			break
		}
		if now-l.Days[n-1].No >= t.IdleDays {
			return nil
		}
		first := n - 1
		for first > 0 && l.Days[first].No-l.Days[first-1].No < t.IdleDays {
			first--
		}
		add(l.Days[first].No)
	default:
		add(now - t.GraceDays)
		if t.GraceDays > 0 {
			out = append(out, now-t.GraceDays)
		}
	}
	return append(out, now)
}

// reached is the index of the tier that the rules give on a day, -1 for none; on is the day on which it was reached.
func (s Rules) reached(l line, now int) (at, on int) {
	at = -1
	for _, no := range s.Terms.moments(l, now) {
		if i := s.best(l, no); i >= at && i >= 0 {
			at, on = i, no
		}
	}
	return at, on
}

// Decide gives a member's tier: the highest of what the rules give, what was paid for, what their company's account gives and what somebody gave,
// unless what somebody gave is fixed. It is pure: the same facts on the same day give the same tier (N14).
func (s Rules) Decide(now time.Time, f Facts, m *Manual, paid []Paid, placed []Placed) Decision {
	return s.decide(now.UnixMilli(), today(now), f.line(), m, paid, placed)
}

func (s Rules) decide(at int64, no int, l line, m *Manual, paid []Paid, placed []Placed) Decision {
	index := func(id int64) int {
		return slices.IndexFunc(s.Tiers, func(t Full) bool { return t.ID == id })
	}
	if m != nil && (m.EndsAt != 0 && m.EndsAt <= at || index(m.TierID) < 0) {
		m = nil
	}
	if m != nil && m.Fixed {
		return Decision{m.TierID, FromManual, m.Reason, m.By}
	}
	top := slices.IndexFunc(s.Tiers, func(t Full) bool { return t.IsDefault })
	d := Decision{Source: FromDefault}
	better := func(i int) bool { return i >= 0 && (top < 0 || s.Tiers[i].Rank > s.Tiers[top].Rank) }
	if i, on := s.reached(l, no); better(i) {
		top, d = i, Decision{Source: FromRule, Reason: s.because(l, i, on)}
	}
	for _, p := range paid {
		if i := index(p.TierID); p.From <= at && at < p.To && better(i) {
			top, d = i, Decision{Source: FromMembership, Reason: "会员权益「" + p.Title + "」"}
		}
	}
	for _, p := range placed {
		if i := index(p.TierID); (p.Until == "" || dayText(no) <= p.Until) && better(i) {
			top, d = i, Decision{Source: FromAccount, Reason: "单位会员「" + p.Account + "」"}
		}
	}
	if m != nil {
		if i := index(m.TierID); better(i) {
			top, d = i, Decision{Source: FromManual, Reason: m.Reason, By: m.By}
		}
	}
	if top >= 0 {
		d.TierID = s.Tiers[top].ID
	}
	return d
}

// because says by which measure a tier was reached.
func (s Rules) because(l line, i, on int) string {
	r := s.Tiers[i].Programme.Rule
	text := ""
	for _, m := range r.Measures {
		if l.value(m.Kind, on) >= m.AtLeast {
			if text != "" {
				text += "，"
			}
			text += m.Say()
			if r.Match == MatchAny {
				break
			}
		}
	}
	return text
}

// lost says why a tier that the rules gave is gone.
func (t Terms) lost(l line, now int) string {
	n := l.until(now)
	switch {
	case t.Lose == LoseIdle && n > 0 && now-l.Days[n-1].No >= t.IdleDays:
		return fmt.Sprintf("%d 天没有消费", t.IdleDays)
	case t.GraceDays > 0 && t.Lose == LoseByRule:
		return fmt.Sprintf("未达到保级条件，%d 天宽限期已过", t.GraceDays)
	}
	return "未达到等级条件"
}

// keptUntil is the last day on which the tier of today stays without another visit, "" when it is more than two years away.
func (s Rules) keptUntil(now time.Time, f Facts, m *Manual, paid []Paid, placed []Placed) string {
	l, no := f.line(), today(now)
	have := s.decide(now.UnixMilli(), no, l, m, paid, placed).TierID
	for ahead := 1; ahead <= 2*year; ahead++ {
		if s.decide(now.AddDate(0, 0, ahead).UnixMilli(), no+ahead, l, m, paid, placed).TierID != have {
			return dayText(no + ahead - 1)
		}
	}
	return ""
}
