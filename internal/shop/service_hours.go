package shop

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// Affected counts the bookings to come that no longer fit a store's set-up; storeID 0 is every store.
type Affected func(ctx context.Context, storeID int64) (int, error)

// Watch hands over who knows the bookings. It is called once, before the service is used.
func (s *Service) Watch(f Affected) { s.affected = f }

func (s *Service) countAffected(ctx context.Context, storeID int64) (int, error) {
	if s.affected == nil {
		return 0, nil
	}
	return s.affected(ctx, storeID)
}

func (s *Service) setUp(ctx context.Context) (*setup, error) {
	return s.plan.Get(ctx, s.db.Now(), s.loadSetUp)
}

func (s *Service) loadSetUp(ctx context.Context) (*setup, error) { return readSetup(ctx, s.db) }

// Edition names the copies that everything this service says of stores, bays and hours comes from: what was derived from its answers holds while the
// edition is the same. It is asked for first; one that is not Known names nothing.
type Edition struct{ stores, plan uint64 }

// Known says whether the edition names anything.
func (e Edition) Known() bool { return e.stores != 0 && e.plan != 0 }

// Edition is what is answered from now.
func (s *Service) Edition(ctx context.Context) (e Edition, err error) {
	if _, e.stores, err = s.copy.Edition(ctx, s.db.Now(), s.load); err == nil {
		_, e.plan, err = s.plan.Edition(ctx, s.db.Now(), s.loadSetUp)
	}
	return e, err
}

// Bays lists a store's bays, also the inactive ones, in their order.
func (s *Service) Bays(ctx context.Context, storeID int64) ([]Bay, error) {
	p, err := s.setUp(ctx)
	if err != nil {
		return nil, err
	}
	var out []Bay
	for _, b := range p.bays {
		if b.StoreID == storeID {
			out = append(out, b)
		}
	}
	return out, nil
}

// BayByID returns a bay, also an inactive one. Fault: not_found.
func (s *Service) BayByID(ctx context.Context, id int64) (Bay, error) {
	p, err := s.setUp(ctx)
	if err != nil {
		return Bay{}, err
	}
	for _, b := range p.bays {
		if b.ID == id {
			return b, nil
		}
	}
	return Bay{}, fault.ErrNotFound
}

// OpenSpans lists when a store is open between two instants: the hours of the weekday, overridden by the days that differ,
// in the store's zone; merged, sorted and cut to the window. Fault: not_found.
func (s *Service) OpenSpans(ctx context.Context, storeID int64, from, to time.Time) ([]Span, error) {
	st, err := s.Store(ctx, storeID)
	if err != nil {
		return nil, err
	}
	p, err := s.setUp(ctx)
	if err != nil {
		return nil, err
	}
	return p.open(st, from, to)
}

// DayPlan says what holds in a store on a date. Faults: not_found, request.invalid.
func (s *Service) DayPlan(ctx context.Context, storeID int64, day string) (DayPlan, error) {
	if !bizday.Valid(day) {
		return DayPlan{}, fault.ErrInvalid.On("day", "请填写日期，例如 2027-02-05")
	}
	if _, err := s.Store(ctx, storeID); err != nil {
		return DayPlan{}, err
	}
	p, err := s.setUp(ctx)
	if err != nil {
		return DayPlan{}, err
	}
	return p.day(storeID, day), nil
}

// At names the instants of a span in minutes of a store's day. Faults: not_found, a parse error.
func (s *Service) At(ctx context.Context, storeID int64, day string, from, to int) (Span, error) {
	st, err := s.Store(ctx, storeID)
	if err != nil {
		return Span{}, err
	}
	return instants(st, day, from, to)
}

// mine says whether the actor may see or change a store's set-up; 0 is all stores at once. Faults: not_found,
// permission.store.
func (s *Service) mine(ctx context.Context, storeID int64) error {
	who := actor.From(ctx)
	if storeID == 0 {
		if who.Kind == actor.System || who.AllStores {
			return nil
		}
		return fault.ErrStore.Say("只有管理所有门店的员工才能修改共同的日历")
	}
	if _, err := s.Store(ctx, storeID); err != nil {
		return err
	}
	if !who.InStore(storeID) {
		return fault.ErrStore
	}
	return nil
}

// Hours lists the weekly hours of a store. Fault: not_found.
func (s *Service) Hours(ctx context.Context, storeID int64) ([]WeekSpan, error) {
	if _, err := s.Store(ctx, storeID); err != nil {
		return nil, err
	}
	p, err := s.setUp(ctx)
	if err != nil {
		return nil, err
	}
	if week, ok := p.hours[storeID]; ok {
		return slices.Clone(week), nil
	}
	return usualHours(), nil
}

// SetHours replaces the weekly hours of a store. Faults: not_found, permission.store, request.invalid at "spans[i]".
func (s *Service) SetHours(ctx context.Context, storeID int64, spans []WeekSpan) (affected int, err error) {
	if err := s.mine(ctx, storeID); err != nil {
		return 0, err
	}
	if err := checkWeek(spans); err != nil {
		return 0, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		st, err := lock(ctx, tx, storeID)
		if err != nil {
			return err
		}
		old, err := replaceHours(ctx, tx, storeID, spans)
		if err != nil {
			return err
		}
		tx.AfterCommit(func() { s.plan.Renew(ctx, tx.Now, s.loadSetUp) })
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "hours.update", SubjectKind: "store", SubjectID: storeID, SubjectLabel: st.Name, StoreID: storeID,
			Detail: map[string][]WeekSpan{"before": old, "after": spans}})
	})
	if err != nil {
		return 0, err
	}
	return s.countAffected(ctx, storeID)
}

// CreateBay adds a bay. Faults: not_found, permission.store, request.invalid, shop.bay_name_taken.
func (s *Service) CreateBay(ctx context.Context, in BayInput) (b Bay, err error) {
	if in, err = in.clean(); err != nil {
		return b, err
	}
	if err = s.mine(ctx, in.StoreID); err != nil {
		return b, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		n := Bay{tx.NewID(), in.StoreID, in.Name, in.Kind, in.Priority, in.Active == nil || *in.Active, in.Sort}
		if err := insertBay(ctx, tx, n); err != nil {
			return err
		}
		tx.AfterCommit(func() { s.plan.Renew(ctx, tx.Now, s.loadSetUp) })
		b = n
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "bay.create", SubjectKind: "bay", SubjectID: n.ID, SubjectLabel: n.Name, StoreID: n.StoreID, Detail: n})
	})
	return b, err
}

// UpdateBay changes, closes or reopens a bay. Faults: not_found, permission.store, request.invalid, shop.bay_name_taken.
func (s *Service) UpdateBay(ctx context.Context, id int64, in BayInput) (b Bay, affected int, err error) {
	if in, err = in.clean(); err != nil {
		return b, 0, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		old, err := lockBay(ctx, tx, id)
		if err != nil {
			return err
		}
		if !actor.From(ctx).InStore(old.StoreID) {
			return fault.ErrNotFound
		}
		n := Bay{id, old.StoreID, in.Name, in.Kind, in.Priority, old.Active, in.Sort}
		if in.Active != nil {
			n.Active = *in.Active
		}
		if err := updateBay(ctx, tx, n); err != nil {
			return err
		}
		tx.AfterCommit(func() { s.plan.Renew(ctx, tx.Now, s.loadSetUp) })
		b = n
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "bay.update", SubjectKind: "bay", SubjectID: id, SubjectLabel: n.Name, StoreID: n.StoreID,
			Detail: map[string]Bay{"before": old, "after": n}})
	})
	if err != nil {
		return b, 0, err
	}
	affected, err = s.countAffected(ctx, b.StoreID)
	return b, affected, err
}

// Days lists the days of a store, and those of all stores, that differ between two dates, in their order. Faults: not_found,
// request.invalid.
func (s *Service) Days(ctx context.Context, storeID int64, from, to string) ([]Day, error) {
	f := fault.ErrInvalid
	if !bizday.Valid(from) {
		f = f.On("from", "请填写日期，例如 2027-01-01")
	}
	if !bizday.Valid(to) || to < from || to > bizday.Add(from, 750) {
		f = f.On("to", "应不早于开始日期，最多两年")
	}
	if len(f.Fields) > 0 {
		return nil, f
	}
	if storeID != 0 {
		if _, err := s.Store(ctx, storeID); err != nil {
			return nil, err
		}
	}
	return readDays(ctx, s.db, storeID, from, to)
}

// SetDay sets how a store, or with storeID 0 every store, works on a date. Faults: not_found, permission.store,
// request.invalid.
func (s *Service) SetDay(ctx context.Context, in DayInput) (d Day, affected int, err error) {
	in, f := in.clean()
	if f != nil {
		return d, 0, f
	}
	if err := s.mine(ctx, in.StoreID); err != nil {
		return d, 0, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		n := Day{in.StoreID, in.Day, in.Kind, in.Name, in.Opens, in.Closes, true}
		if err := putDay(ctx, tx, n); err != nil {
			return err
		}
		tx.AfterCommit(func() { s.plan.Renew(ctx, tx.Now, s.loadSetUp) })
		d = n
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "store_day.update", SubjectKind: "store", SubjectID: n.StoreID, SubjectLabel: n.Day, StoreID: n.StoreID, Detail: n})
	})
	if err != nil {
		return d, 0, err
	}
	affected, err = s.countAffected(ctx, d.StoreID)
	return d, affected, err
}

// RemoveDay gives a date back to its weekday. Faults: not_found, permission.store.
func (s *Service) RemoveDay(ctx context.Context, storeID int64, day string) (affected int, err error) {
	if err := s.mine(ctx, storeID); err != nil {
		return 0, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := removeDay(ctx, tx, storeID, day); err != nil {
			return err
		}
		tx.AfterCommit(func() { s.plan.Renew(ctx, tx.Now, s.loadSetUp) })
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "store_day.delete", SubjectKind: "store", SubjectID: storeID, SubjectLabel: day, StoreID: storeID})
	})
	if err != nil {
		return 0, err
	}
	return s.countAffected(ctx, storeID)
}

// ImportDays writes the public holidays of a year, or pasted lines. A row that somebody edited stays unless replace says
// otherwise. Faults: not_found, permission.store, request.invalid with a complaint for every line that cannot be read.
func (s *Service) ImportDays(ctx context.Context, in ImportInput) (out Imported, err error) {
	if err := s.mine(ctx, in.StoreID); err != nil {
		return out, err
	}
	days, err := in.days()
	if err != nil {
		return out, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		done := Imported{}
		for _, n := range days {
			line := ImportedDay{Day: n, Outcome: OutcomeAdded}
			old, found, err := lockDay(ctx, tx, n.StoreID, n.Day)
			if err != nil {
				return err
			}
			if found {
				line.Outcome = OutcomeChanged
				if old.Edited && !in.Replace || sameDay(old, n) {
					line.Day, line.Outcome = old, OutcomeKept
				}
			}
			switch line.Outcome {
			case OutcomeKept:
				done.Kept++
			case OutcomeAdded:
				done.Added++
			default:
				done.Changed++
			}
			done.Lines = append(done.Lines, line)
			if line.Outcome == OutcomeKept {
				continue
			}
			if err := putDay(ctx, tx, n); err != nil {
				return err
			}
		}
		tx.AfterCommit(func() { s.plan.Renew(ctx, tx.Now, s.loadSetUp) })
		out = done
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "store_day.import", SubjectKind: "store", SubjectID: in.StoreID, SubjectLabel: in.label(), StoreID: in.StoreID,
			Detail: map[string]any{"added": done.Added, "changed": done.Changed, "kept": done.Kept, "replace": in.Replace}})
	})
	if err != nil {
		return out, err
	}
	out.Affected, err = s.countAffected(ctx, in.StoreID)
	return out, err
}

func sameDay(a, b Day) bool {
	return a.Kind == b.Kind && a.Name == b.Name && a.Opens == b.Opens && a.Closes == b.Closes
}

func (in ImportInput) label() string {
	if in.Year != 0 {
		return strconv.Itoa(in.Year)
	}
	return "文本"
}
