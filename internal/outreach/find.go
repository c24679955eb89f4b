package outreach

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/jobs"
)

const (
	findChunk = 500
	massSize  = 200
)

// Jobs registers the periodic work.
func (s *Service) Jobs(q *jobs.Queue) {
	q.Every("outreach.find", time.Hour, s.Find)
	q.Every("outreach.holidays", 10*time.Minute, s.Celebrate)
}

// Find keeps the lists: once a day it goes through all members for who stays away and who came back, and takes up the month's birthdays. It goes on
// where it stopped.
func (s *Service) Find(ctx context.Context) error {
	ctx = actor.With(ctx, actor.Job("客户维系"))
	rule, err := s.Rule(ctx)
	if err != nil {
		return err
	}
	if rule.Birthdays {
		if err := s.findBirthdays(ctx); err != nil {
			return err
		}
	}
	today := s.today()
	mark, err := readMark(ctx, s.db, Missed)
	if err != nil || mark.Day == today {
		return err
	}
	for elapsed := clock.Stopwatch(); ; {
		ids, err := s.Members.ActiveAfter(ctx, s.db.Now(), mark.After, findChunk)
		if err != nil {
			return err
		}
		if err := s.findChunkOf(ctx, rule, ids, today); err != nil {
			return err
		}
		if len(ids) == findChunk {
			mark.After = ids[len(ids)-1]
		} else {
			mark.After, mark.Day = 0, today
		}
		if err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return saveMark(ctx, tx, mark) }); err != nil {
			return err
		}
		if mark.Day == today {
			return nil
		}
		if elapsed() > turn {
			return jobs.After{}
		}
	}
}

// findChunkOf looks at some members: who is missed is listed, who came back is seen.
func (s *Service) findChunkOf(ctx context.Context, rule Rule, ids []int64, today string) error {
	visits, err := s.History.Visits(ctx, ids, bizday.Add(today, -rule.ForgetDays-400))
	if err != nil {
		return err
	}
	watched, err := watchedTasks(ctx, s.db, ids)
	if err != nil {
		return err
	}
	var fresh []Task
	if rule.Missed {
		for _, id := range ids {
			if v := visits[id]; rule.missing(v, today) {
				last := v[len(v)-1]
				fresh = append(fresh, Task{Kind: Missed, MemberID: id, StoreID: last.StoreID, DueDay: last.Day, LastDay: last.Day, Visits: len(v), RhythmDays: rhythm(v), State: Open})
			}
		}
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := addTasks(ctx, tx, fresh); err != nil {
			return err
		}
		for _, t := range watched {
			if err := s.watchTx(ctx, tx, rule, t, visits[t.MemberID], today); err != nil {
				return err
			}
		}
		return nil
	})
}

// watchTx notes that somebody came back: by themselves while the line is open, after the call when it is handled.
func (s *Service) watchTx(ctx context.Context, tx *db.Tx, rule Rule, t Task, visits []Visit, today string) error {
	switch {
	case t.Kind == Missed && t.State == Open:
		if day := cameBack(visits, t.DueDay); day != "" {
			return backTask(ctx, tx, t, Back, day)
		}
		if daysFrom(t.DueDay, today) > rule.ForgetDays {
			return backTask(ctx, tx, t, Gone, "")
		}
	case t.Kind == Birthday && t.State == Open:
		if t.DueDay[:7] < today[:7] {
			return backTask(ctx, tx, t, Gone, "") // the month is over
		}
	case t.State == Handled && t.BackDay == "":
		called := bizday.Of(t.HandledAt, bizday.DefaultZone)
		if day := cameBack(visits, bizday.Add(called, -1)); day != "" && daysFrom(called, day) <= rule.BackDays {
			return backTask(ctx, tx, t, Handled, day)
		}
	}
	return nil
}

// findBirthdays takes up the birthdays of the month and, in its last week, of the next one. It is cheap enough to run each hour, so that who joins today
// is on today's list.
func (s *Service) findBirthdays(ctx context.Context) error {
	today := s.today()
	months := []string{today[:7]}
	if next := bizday.Add(today, 7)[:7]; next != today[:7] {
		months = append(months, next)
	}
	for _, month := range months {
		list, err := s.History.Born(ctx, month[5:])
		if err != nil {
			return err
		}
		for part := range slices.Chunk(list, massSize) {
			ids := make([]int64, 0, len(part))
			for _, b := range part {
				ids = append(ids, b.MemberID)
			}
			visits, err := s.History.Visits(ctx, ids, bizday.Add(today, -730))
			if err != nil {
				return err
			}
			tasks := make([]Task, 0, len(part))
			for _, b := range part {
				t := Task{Kind: Birthday, MemberID: b.MemberID, StoreID: b.StoreID, DueDay: thisYear(b.Birthday, month[:4]), State: Open, Visits: len(visits[b.MemberID]), RhythmDays: rhythm(visits[b.MemberID])}
				if t.Visits > 0 {
					t.LastDay = visits[b.MemberID][t.Visits-1].Day
				}
				if t.DueDay != "" {
					tasks = append(tasks, t)
				}
			}
			if err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return addTasks(ctx, tx, tasks) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// key is what makes a task the same one.
func (t Task) key() string {
	if t.Kind == Birthday {
		return fmt.Sprintf("birthday:%d:%s", t.MemberID, t.DueDay[:4])
	}
	return fmt.Sprintf("missed:%d:%s", t.MemberID, t.DueDay)
}
