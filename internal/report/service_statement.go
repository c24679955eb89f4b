package report

import (
	"context"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// Statement reads what a group paid in a month; month "" is the running one. An owner reads it of a group that the owner pays for. Faults:
// not_found, request.invalid.
func (s *Service) Statement(ctx context.Context, groupID int64, month string) (t Statement, err error) {
	t.AsOf = s.db.Now()
	if month == "" {
		month = bizday.Of(t.AsOf, bizday.DefaultZone)[:7]
	}
	if m, err := time.Parse("2006-01", month); err != nil || m.Format("2006-01") != month {
		return t, fault.ErrInvalid.On("month", "应为 2026-01 形式的月份")
	}
	g, err := s.groups.Get(ctx, groupID)
	if err != nil {
		return t, err
	}
	if who := actor.From(ctx); who.Kind == actor.Owner && who.MemberID != g.PayerID {
		return t, fault.ErrNotFound
	}
	t.GroupID, t.GroupName, t.Kind, t.Month = g.ID, g.Name, g.Kind, month
	names, err := s.members.MaskedNames(ctx, []int64{g.PayerID})
	if err != nil {
		return t, err
	}
	t.PayerName = names[g.PayerID]
	if t.Lines, err = s.statementLines(ctx, g.ID, g.PayerID, month); err != nil {
		return t, err
	}
	t.sum()
	notes, err := driverNotes(ctx, s.db, g.ID)
	if err != nil {
		return t, err
	}
	for i := range t.Drivers {
		t.Drivers[i].Note = notes[t.Drivers[i].MemberID]
	}
	t.Months, err = monthsOf(ctx, s.db, g.ID)
	return t, err
}
