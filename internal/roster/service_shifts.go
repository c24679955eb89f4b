package roster

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/shop"
)

// PlanDay replaces the shifts of one person in one store on one day; no spans is a day off. Faults: not_found,
// permission.store, request.invalid at "spans[i]", roster.not_technician, roster.not_here, roster.overlap.
func (s *Service) PlanDay(ctx context.Context, storeID, staffID int64, day string, spans []ShiftInput) error {
	st, err := s.mine(ctx, storeID)
	if err != nil {
		return err
	}
	if err := checkDay(day, spans); err != nil {
		return err
	}
	if err := s.plannable(st, day); err != nil {
		return err
	}
	who, err := s.Technician(ctx, staffID)
	if err != nil {
		return err
	}
	if len(spans) > 0 && (!who.Active || !who.In(storeID)) { // taking shifts away is always possible
		return ErrNotHere
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := lockTechnician(ctx, tx, staffID); err != nil {
			return err
		}
		old, others, err := s.around(ctx, tx, staffID, storeID, day)
		if err != nil {
			return err
		}
		next := make([]Shift, 0, len(spans))
		f := ErrOverlap
		for i, in := range spans {
			x := Shift{tx.NewID(), staffID, storeID, day, in.Starts, in.Ends, in.BreakStarts, in.BreakEnds}
			clash, err := s.clashes(ctx, st, x, others)
			if err != nil {
				return err
			}
			if clash != "" {
				f = f.On(fmt.Sprintf("spans[%d]", i), clash)
			}
			next = append(next, x)
		}
		if len(f.Fields) > 0 {
			return f
		}
		if err := deleteShifts(ctx, tx, staffID, storeID, day); err != nil {
			return err
		}
		if err := insertShifts(ctx, tx, next); err != nil {
			return err
		}
		tx.AfterCommit(s.renew(ctx, storeID))
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "shift.plan", SubjectKind: "staff", SubjectID: staffID, SubjectLabel: who.Name + " " + day, StoreID: storeID,
			Detail: map[string][]Shift{"before": old, "after": next}})
	})
}

// plannable says whether a day can still be planned. Fault: request.invalid.
func (s *Service) plannable(st shop.Store, day string) error {
	switch today := st.BizDay(s.db.Now()); {
	case day < today:
		return fault.ErrInvalid.Say("过去的日子不能再排班").On("day", "过去的日子不能再排班")
	case day > bizday.Add(today, maxAhead):
		return fault.ErrInvalid.Say("最多提前一年排班").On("day", "最多提前一年排班")
	}
	return nil
}

// around reads the shifts of a person who is locked: those of the store's day, and the others near it.
func (s *Service) around(ctx context.Context, tx *db.Tx, staffID, storeID int64, day string) (own, others []Shift, err error) {
	all, err := shiftsOf(ctx, tx, staffID, bizday.Add(day, -3), bizday.Add(day, 3))
	for _, x := range all {
		if x.StoreID == storeID && x.Day == day {
			own = append(own, x)
		} else {
			others = append(others, x)
		}
	}
	return own, others, err
}

// clashes says in Chinese which of the other shifts x overlaps, in real time; "" when none.
func (s *Service) clashes(ctx context.Context, st shop.Store, x Shift, others []Shift) (string, error) {
	mine, err := x.at(st.Timezone)
	if err != nil {
		return "", err
	}
	for _, o := range others {
		there := st
		if o.StoreID != st.ID {
			if there, err = s.stores.Store(ctx, o.StoreID); err != nil {
				return "", err
			}
		}
		theirs, err := o.at(there.Timezone)
		if err != nil {
			return "", err
		}
		if overlap(mine, theirs) {
			return fmt.Sprintf("与 %s %s 的班次 %s 重叠", o.Day, there.Name, hours(o.Starts, o.Ends)), nil
		}
	}
	return "", nil
}

func hours(from, to int) string {
	return fmt.Sprintf("%02d:%02d–%02d:%02d", from/60, from%60, to/60, to%60)
}

// Copied says what a copy of a week did.
type Copied struct {
	Copied  int `json:"copied" doc:"Shifts that were planned"`
	Skipped int `json:"skipped" doc:"Shifts that were left out: the person works elsewhere then, left the store, or the day is over"`
}

// CopyWeek plans the week that begins on a Monday like the week before it. A day on which a person has a shift already stays as it
// is. Faults: not_found, permission.store, request.invalid.
func (s *Service) CopyWeek(ctx context.Context, storeID int64, week string) (out Copied, err error) {
	st, err := s.mine(ctx, storeID)
	if err != nil {
		return out, err
	}
	if !bizday.Valid(week) || monday(week) != week {
		return out, fault.ErrInvalid.On("week", "请选择一个星期一")
	}
	if err := s.plannable(st, bizday.Add(week, 6)); err != nil {
		return out, err
	}
	team, err := s.everybody(ctx)
	if err != nil {
		return out, err
	}
	here := map[int64]bool{}
	for _, p := range team.people {
		t, known := team.technician(p)
		here[p.ID] = known && p.Active && t.In(storeID)
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := lockTechnicians(ctx, tx); err != nil {
			return err
		}
		all, err := shiftsFrom(ctx, tx, bizday.Add(week, -7), bizday.Add(week, 9))
		if err != nil {
			return err
		}
		done, next, err := s.copies(ctx, tx, st, week, here, all)
		if err != nil {
			return err
		}
		if err := insertShifts(ctx, tx, next); err != nil {
			return err
		}
		tx.AfterCommit(s.renew(ctx, storeID))
		out = done
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "shift.copy", SubjectKind: "store", SubjectID: storeID, SubjectLabel: st.Name + " " + week, StoreID: storeID, Detail: done})
	})
	return out, err
}

// copies makes the shifts that a copy of a week adds. all holds everybody's shifts of both weeks and the days around.
func (s *Service) copies(ctx context.Context, tx *db.Tx, st shop.Store, week string, here map[int64]bool, all []Shift) (done Copied, next []Shift, err error) {
	type slot struct {
		staff int64
		day   string
	}
	planned := map[slot]bool{}
	theirs := map[int64][]Shift{}
	for _, x := range all {
		theirs[x.StaffID] = append(theirs[x.StaffID], x)
		if x.StoreID == st.ID && x.Day >= week {
			planned[slot{x.StaffID, x.Day}] = true
		}
	}
	for _, x := range all {
		if x.StoreID != st.ID || x.Day >= week {
			continue
		}
		n := x
		n.ID, n.Day = tx.NewID(), bizday.Add(x.Day, 7)
		if planned[slot{n.StaffID, n.Day}] {
			continue
		}
		clash := "gone"
		if here[n.StaffID] && n.Day >= st.BizDay(tx.Now) {
			if clash, err = s.clashes(ctx, st, n, theirs[n.StaffID]); errors.Is(err, fault.ErrNotFound) {
				clash, err = "another store", nil
			}
			if err != nil {
				return done, nil, err
			}
		}
		if clash != "" {
			done.Skipped++
			continue
		}
		theirs[n.StaffID] = append(theirs[n.StaffID], n)
		next = append(next, n)
		done.Copied++
	}
	return done, slices.Clip(next), nil
}
