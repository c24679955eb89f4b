package outreach

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/points"
)

// greetFrom is the hour of the day from which holidays are celebrated.
const greetFrom = 9

// Holidays lists them in the order in which they come next; those that are over last.
func (s *Service) Holidays(ctx context.Context) ([]Holiday, error) {
	list, err := readHolidays(ctx, s.db)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Next = list[i].next(s.today())
	}
	slices.SortStableFunc(list, func(a, b Holiday) int {
		switch {
		case (a.Next == "") != (b.Next == ""):
			if a.Next == "" {
				return 1
			}
			return -1
		case a.Next < b.Next:
			return -1
		case a.Next > b.Next:
			return 1
		}
		return 0
	})
	return list, nil
}

// SaveHoliday adds a holiday (id 0) or changes one. Faults: request.invalid, not_found.
func (s *Service) SaveHoliday(ctx context.Context, id int64, in HolidayInput) (Holiday, error) {
	var c fault.Complaints
	in.check(&c)
	if in.TemplateID != 0 {
		if err := s.knownCoupon(ctx, in.TemplateID); errors.Is(err, ErrCoupon) {
			c.Bad("templateId", "没有这种优惠券，或已停发，请重新选择")
		} else if err != nil {
			return Holiday{}, err
		}
	}
	if err := c.Err(); err != nil {
		return Holiday{}, err
	}
	h := Holiday{ID: id, Name: in.Name, Day: in.Day, Yearly: in.Yearly, Words: in.Words, Greet: in.Greet, TierIDs: in.TierIDs, TemplateID: in.TemplateID, Points: in.Points}
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if id == 0 {
			h.ID = tx.NewID()
		}
		if err := saveHoliday(ctx, tx, h, id == 0); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "outreach.holiday", SubjectKind: "holiday", SubjectID: h.ID, SubjectLabel: h.Name, Detail: map[string]any{"to": in}})
	})
	h.Next = h.next(s.today())
	return h, err
}

// RemoveHoliday ends a holiday. Fault: not_found.
func (s *Service) RemoveHoliday(ctx context.Context, id int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := dropHoliday(ctx, tx, id); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "outreach.holiday_delete", SubjectKind: "holiday", SubjectID: id})
	})
}

// Celebrate greets and gives on today's holidays, from nine in the morning on. How far it is stands with what was promised, so that two instances and a
// kill greet nobody twice; a holiday that the service slept through is not made up for.
func (s *Service) Celebrate(ctx context.Context) error {
	ctx = actor.With(ctx, actor.Job("节日问候"))
	now := s.db.Now()
	if now.In(bizday.Location(bizday.DefaultZone)).Hour() < greetFrom {
		return nil
	}
	list, err := readHolidays(ctx, s.db)
	if err != nil {
		return err
	}
	today, elapsed := s.today(), clock.Stopwatch()
	for _, h := range list {
		if !h.on(today) || !h.Greet && h.TemplateID == 0 && h.Points == 0 {
			continue
		}
		for {
			more, err := s.celebrateChunk(ctx, h, today)
			if err != nil {
				return err
			}
			if !more {
				break
			}
			if elapsed() > turn {
				return jobs.After{}
			}
		}
	}
	return nil
}

func (s *Service) celebrateChunk(ctx context.Context, h Holiday, today string) (more bool, err error) {
	run, err := readRun(ctx, s.db, h.ID, today)
	if err != nil || run.DoneAt != 0 {
		return false, err
	}
	ids, err := s.People.Find(ctx, coupon.Filter{TierIDs: h.TierIDs}, run.After, massSize)
	if err != nil {
		return false, err
	}
	gifted := 0
	for _, id := range ids {
		ok, err := s.giveHoliday(ctx, h, today, id)
		if err != nil {
			return false, err
		}
		if ok {
			gifted++
		}
	}
	var texts []notify.Message
	if h.Greet {
		if texts, err = s.greetings(ctx, h, today, ids); err != nil {
			return false, err
		}
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		next := run
		if next.Gifted += gifted; len(ids) > 0 {
			next.After = ids[len(ids)-1]
		}
		if len(ids) < massSize {
			next.DoneAt = tx.Millis()
		}
		added, err := s.Messages.EnqueueManyTx(ctx, tx, texts)
		if err != nil {
			return err
		}
		next.Greeted += added
		return saveRun(ctx, tx, next, run)
	})
	if errors.Is(err, errElsewhere) {
		return false, nil // another instance is at it
	}
	return len(ids) == massSize, err
}

// greetings are the texts to those of some members who consented.
func (s *Service) greetings(ctx context.Context, h Holiday, today string, ids []int64) ([]notify.Message, error) {
	reach, err := s.reachable(ctx, ids)
	if err != nil {
		return nil, err
	}
	_, until, err := bizday.Bounds(today, bizday.DefaultZone)
	if err != nil {
		return nil, err
	}
	out := make([]notify.Message, 0, len(reach))
	for _, id := range reach {
		m, err := s.Members.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		out = append(out, notify.Message{MemberID: id, Event: notify.Holiday, Dedupe: fmt.Sprintf("holiday:%d:%s:%d", h.ID, today, id), Until: until,
			Data: map[string]string{"title": h.Name, "name": salute(m.Name, m.Gender), "time": today, "hint": h.Words}})
	}
	return out, nil
}

// giveHoliday gives a member what the holiday brings, once a year. What cannot be given must not hold up the others.
func (s *Service) giveHoliday(ctx context.Context, h Holiday, today string, memberID int64) (bool, error) {
	if h.TemplateID == 0 && h.Points == 0 {
		return false, nil
	}
	dedupe := fmt.Sprintf("holiday:%d:%s:%d", h.ID, today[:4], memberID)
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		st, err := s.Members.StandingTx(ctx, tx, memberID)
		if err != nil {
			return err
		}
		if err := st.MayTopUp(); err != nil {
			return err
		}
		if h.TemplateID != 0 {
			if _, err := s.Coupons.IssueTx(ctx, tx, coupon.Issue{TemplateID: h.TemplateID, MemberID: memberID, Source: "holiday", SourceID: h.ID, Dedupe: dedupe}); err != nil {
				return err
			}
		}
		if h.Points == 0 {
			return nil
		}
		return s.Points.GiveTx(ctx, tx, points.Gift{MemberID: memberID, N: int64(h.Points), Source: points.FromActivity, Dedupe: dedupe, Title: h.Name + "礼"})
	})
	if f := new(fault.Error); errors.As(err, &f) && f.Kind < 500 && !errors.Is(err, fault.ErrBusyWrite) {
		s.Log.WarnContext(ctx, "a holiday's gift was not given", "holiday", h.ID, "member", memberID, "err", err)
		return false, nil
	}
	return err == nil, err
}

// HasHolidayText says whether greetings can go out at all.
func (s *Service) HasHolidayText(ctx context.Context) (bool, error) {
	return s.Messages.HasText(ctx, notify.Holiday)
}
