package tier

import (
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/bizday"
)

// entitled is a right that a member has now, in the period that runs.
type entitled struct {
	Right
	From  string // the tier's or plan's name
	Key   string // of the period
	Until time.Time
}

// period names the period of a right that runs at an instant, and when it ends. Weeks begin on Monday; all follow the calendar of China.
// The term is a membership's: its number and its end.
func (r Right) period(at time.Time, membership int64, ends time.Time) (key string, until time.Time) {
	t := at.In(bizday.Location(bizday.DefaultZone))
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
	switch r.Period {
	case Weekly:
		monday := day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
		return "w" + monday.Format(time.DateOnly), monday.AddDate(0, 0, 7)
	case Yearly:
		return "y" + day.Format("2006"), time.Date(t.Year()+1, 1, 1, 0, 0, 0, 0, t.Location())
	case ForTerm:
		return fmt.Sprintf("t%d", membership), ends
	}
	return "m" + day.Format("2006-01"), time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, t.Location())
}

// left is how often the right can still be used in the period.
func (e entitled) left(g grantRow) int64 {
	if g.ID == 0 {
		return e.Times
	}
	return max(e.Times-g.Used, 0)
}

// periodName is how people call it.
func periodName(p string) string {
	switch p {
	case Weekly:
		return "每周"
	case Yearly:
		return "每年"
	case ForTerm:
		return "会员期内"
	}
	return "每月"
}

// entitlements are the rights of a tier and of running memberships. One that a renewal brings again is the same right.
func entitlements(f Full, running []membershipRow, at time.Time) (out []entitled, err error) {
	seen := map[int64]bool{}
	for _, r := range f.Programme.Rights {
		key, until := r.period(at, 0, time.Time{})
		seen[r.ID] = true
		out = append(out, entitled{r, f.Name, key, until})
	}
	for _, m := range running {
		p, err := m.plan()
		if err != nil {
			return nil, err
		}
		ends := time.UnixMilli(m.EndsAt)
		for _, r := range p.Rights {
			if seen[r.ID] || at.UnixMilli() < m.StartsAt || at.UnixMilli() >= m.EndsAt {
				continue
			}
			key, until := r.period(at, m.ID, ends)
			if until.After(ends) {
				until = ends
			}
			seen[r.ID] = true
			out = append(out, entitled{r, p.Name, key, until})
		}
	}
	return out, nil
}
