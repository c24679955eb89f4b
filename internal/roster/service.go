package roster

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/fresh"
	"github.com/liangche/liangche/internal/shop"
)

// People lists everybody on the staff, also those who left.
type People interface {
	StaffPeople(ctx context.Context) ([]Person, error)
}

// Stores names the stores; it is shop.Service.
type Stores interface {
	Store(ctx context.Context, id int64) (shop.Store, error)
}

// Affected counts the bookings to come that no longer fit a store's roster; storeID 0 is every store.
type Affected func(ctx context.Context, storeID int64) (int, error)

// Service keeps the roster.
type Service struct {
	db       *db.DB
	people   People
	stores   Stores
	affected Affected
	team     fresh.Value[*team]

	mu     sync.Mutex
	shifts map[int64]*fresh.Value[[]Shift] // by store: from four days ago on
}

// New returns the service.
func New(d *db.DB, people People, stores Stores) *Service {
	return &Service{db: d, people: people, stores: stores, shifts: map[int64]*fresh.Value[[]Shift]{}}
}

// Watch hands over who knows the bookings. It is called once, before the service is used.
func (s *Service) Watch(f Affected) { s.affected = f }

func (s *Service) countAffected(ctx context.Context, storeID int64) (int, error) {
	if s.affected == nil {
		return 0, nil
	}
	return s.affected(ctx, storeID)
}

func (s *Service) everybody(ctx context.Context) (*team, error) {
	return s.team.Get(ctx, s.db.Now(), s.loadTeam)
}

func (s *Service) loadTeam(ctx context.Context) (*team, error) {
	t, err := readTeam(ctx, s.db)
	if err != nil {
		return nil, err
	}
	t.people, err = s.people.StaffPeople(ctx)
	return t, err
}

// Technicians lists those of a store (0: of all), by id; also those who are not bookable or whose account is suspended,
// because bookings name them.
func (s *Service) Technicians(ctx context.Context, storeID int64) ([]Technician, error) {
	return s.list(ctx, storeID, false)
}

// Candidates is Technicians with everybody else on the active staff of the store, who could become one.
func (s *Service) Candidates(ctx context.Context, storeID int64) ([]Technician, error) {
	return s.list(ctx, storeID, true)
}

func (s *Service) list(ctx context.Context, storeID int64, others bool) ([]Technician, error) {
	t, err := s.everybody(ctx)
	if err != nil {
		return nil, err
	}
	var out []Technician
	for _, p := range t.people {
		x, known := t.technician(p)
		if (known || others && p.Active) && x.In(storeID) {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b Technician) int { return cmp.Compare(a.StaffID, b.StaffID) })
	return out, nil
}

// Technician returns one person, also one who is no technician yet. Fault: not_found.
func (s *Service) Technician(ctx context.Context, staffID int64) (Technician, error) {
	t, err := s.everybody(ctx)
	if err != nil {
		return Technician{}, err
	}
	for _, p := range t.people {
		if p.ID == staffID {
			x, _ := t.technician(p)
			return x, nil
		}
	}
	return Technician{}, fault.ErrNotFound
}

// storeShifts is the copy of a store's shifts from four days ago on: who asks about today, in any zone, asks for those of the two days before as well.
// Before that day the copy knows nothing.
func (s *Service) storeShifts(ctx context.Context, storeID int64) (since string, all []Shift, edition uint64, err error) {
	now := s.db.Now()
	all, edition, err = s.shiftsCopy(storeID).Edition(ctx, now, s.loadShifts(storeID, now))
	return firstKept(now), all, edition, err
}

func firstKept(now time.Time) string { return now.AddDate(0, 0, -4).Format(time.DateOnly) }

func (s *Service) shiftsCopy(storeID int64) *fresh.Value[[]Shift] {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.shifts[storeID]
	if !ok {
		v = &fresh.Value[[]Shift]{}
		s.shifts[storeID] = v
	}
	return v
}

func (s *Service) loadShifts(storeID int64, now time.Time) func(context.Context) ([]Shift, error) {
	return func(ctx context.Context) ([]Shift, error) {
		return readShifts(ctx, s.db, storeID, bizday.Add(firstKept(now), -1), "9999-12-31")
	}
}

// Edition names the copies that everything said of a store's technicians and their work from today on comes from: what was derived from it holds while
// the edition is the same. It is asked for first; one that is not Known names nothing.
type Edition struct{ team, shifts uint64 }

// Known says whether the edition names anything.
func (e Edition) Known() bool { return e.team != 0 && e.shifts != 0 }

// Edition is what is answered from now.
func (s *Service) Edition(ctx context.Context, storeID int64) (e Edition, err error) {
	if _, e.team, err = s.team.Edition(ctx, s.db.Now(), s.loadTeam); err == nil {
		_, _, e.shifts, err = s.storeShifts(ctx, storeID)
	}
	return e, err
}

// renew shows a write of a store's shifts at once.
func (s *Service) renew(ctx context.Context, storeID int64) func() {
	return func() {
		now := s.db.Now()
		s.shiftsCopy(storeID).Renew(ctx, now, s.loadShifts(storeID, now))
	}
}

// between reads a store's shifts of the days from … to, from the copy when it reaches back far enough.
func (s *Service) between(ctx context.Context, storeID int64, from, to string) ([]Shift, error) {
	since, all, _, err := s.storeShifts(ctx, storeID)
	if err != nil {
		return nil, err
	}
	if from < since {
		return readShifts(ctx, s.db, storeID, from, to)
	}
	var out []Shift
	for _, x := range all {
		if x.Day >= from && x.Day <= to {
			out = append(out, x)
		}
	}
	return out, nil
}

// Shifts lists a store's shifts of the days from … to, by day, person and start. Faults: not_found, request.invalid.
func (s *Service) Shifts(ctx context.Context, storeID int64, fromDay, toDay string) ([]Shift, error) {
	f := fault.ErrInvalid
	if !bizday.Valid(fromDay) {
		f = f.On("from", "请填写日期，例如 2027-01-01")
	}
	if !bizday.Valid(toDay) || toDay < fromDay || toDay > bizday.Add(fromDay, maxRange) {
		f = f.On("to", "应不早于开始日期，最多三个月")
	}
	if len(f.Fields) > 0 {
		return nil, f
	}
	if _, err := s.stores.Store(ctx, storeID); err != nil {
		return nil, err
	}
	return s.between(ctx, storeID, fromDay, toDay)
}

// Working says when each person works in a store between two instants: their shifts without the breaks, sorted and cut to the
// window. Fault: not_found.
func (s *Service) Working(ctx context.Context, storeID int64, from, to time.Time) (map[int64][]Span, error) {
	st, err := s.stores.Store(ctx, storeID)
	if err != nil {
		return nil, err
	}
	// A shift may reach into the next day, and one more day counts for clocks that change.
	all, err := s.between(ctx, storeID, bizday.Add(st.BizDay(from), -2), st.BizDay(to))
	if err != nil {
		return nil, err
	}
	out, clock := map[int64][]Span{}, wall{st.Timezone, map[wallMinute]time.Time{}}
	for _, x := range all {
		if out[x.StaffID], err = x.working(clock, out[x.StaffID]); err != nil {
			return nil, err
		}
	}
	for id, spans := range out {
		if out[id] = shop.Merge(spans, from, to); len(out[id]) == 0 {
			delete(out, id)
		}
	}
	return out, nil
}

// mine says whether the actor may see or change a store's roster. Faults: not_found, permission.store.
func (s *Service) mine(ctx context.Context, storeID int64) (shop.Store, error) {
	st, err := s.stores.Store(ctx, storeID)
	if err == nil && !actor.From(ctx).InStore(storeID) {
		err = fault.ErrStore
	}
	return st, err
}

// SetTechnician gives somebody skills and says whether they are bookable. Faults: not_found, request.invalid.
func (s *Service) SetTechnician(ctx context.Context, staffID int64, in TechnicianInput) (out Technician, affected int, err error) {
	if err := in.check(); err != nil {
		return out, 0, err
	}
	old, err := s.Technician(ctx, staffID)
	if err != nil {
		return out, 0, err
	}
	if who := actor.From(ctx); !who.AllStores && who.Kind != actor.System && !slices.ContainsFunc(who.Stores, old.In) {
		return out, 0, fault.ErrNotFound
	}
	in.Skills = slices.Clone(in.Skills)
	slices.SortFunc(in.Skills, func(a, b Skill) int {
		return cmp.Compare(slices.Index(Skills(), a.Skill), slices.Index(Skills(), b.Skill))
	})
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := putTechnician(ctx, tx, staffID, in.Bookable); err != nil {
			return err
		}
		if err := replaceSkills(ctx, tx, staffID, in.Skills); err != nil {
			return err
		}
		tx.AfterCommit(func() { s.team.Renew(ctx, tx.Now, s.loadTeam) })
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "technician.update", SubjectKind: "staff", SubjectID: staffID, SubjectLabel: old.Name,
			Detail: map[string]any{"before": TechnicianInput{old.Bookable, old.Skills}, "after": in}})
	})
	if err != nil {
		return out, 0, err
	}
	out = old
	out.Bookable, out.Skills = in.Bookable, in.Skills
	affected, err = s.countAffected(ctx, 0)
	return out, affected, err
}
