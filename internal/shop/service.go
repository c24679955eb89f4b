package shop

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/fresh"
)

// Service keeps the stores.
type Service struct {
	db       *db.DB
	copy     fresh.Value[[]Store]
	plan     fresh.Value[*setup]
	affected Affected
}

// New returns the service.
func New(d *db.DB) *Service { return &Service{db: d} }

// Stores lists every store, also the inactive ones, oldest first.
func (s *Service) Stores(ctx context.Context) ([]Store, error) {
	all, err := s.cached(ctx)
	return slices.Clone(all), err
}

// Zone is the time zone of a store; of no store, and of one that is not there, the shop's.
func (s *Service) Zone(ctx context.Context, storeID int64) string {
	if st, err := s.Store(ctx, storeID); storeID != 0 && err == nil {
		return st.Timezone
	}
	return bizday.DefaultZone
}

// BizDay is the business date of an instant in the Zone of a store.
func (s *Service) BizDay(ctx context.Context, at time.Time, storeID int64) string {
	return bizday.Of(at, s.Zone(ctx, storeID))
}

// Store returns a store, also an inactive one. Fault: not_found.
func (s *Service) Store(ctx context.Context, id int64) (Store, error) {
	all, err := s.cached(ctx)
	if err != nil {
		return Store{}, err
	}
	for _, st := range all {
		if st.ID == id {
			return st, nil
		}
	}
	return Store{}, fault.ErrNotFound
}

// Open returns a store that does business. Faults: not_found, shop.inactive.
func (s *Service) Open(ctx context.Context, id int64) (Store, error) {
	st, err := s.Store(ctx, id)
	if err == nil && !st.Active {
		err = ErrInactive
	}
	return st, err
}

func (s *Service) cached(ctx context.Context) ([]Store, error) {
	return s.copy.Get(ctx, s.db.Now(), s.load)
}

func (s *Service) load(ctx context.Context) ([]Store, error) { return readAll(ctx, s.db) }

// Create opens a store. Faults: request.invalid, shop.name_taken.
func (s *Service) Create(ctx context.Context, in Input) (st Store, err error) {
	if in, err = in.clean(); err != nil {
		return st, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		n := Store{ID: tx.NewID(), Active: in.Active == nil || *in.Active}
		n.fill(in)
		if err := insert(ctx, tx, n); err != nil {
			return err
		}
		if err := insertHours(ctx, tx, n.ID, usualHours()); err != nil {
			return err
		}
		tx.AfterCommit(func() { s.copy.Renew(ctx, tx.Now, s.load) })
		tx.AfterCommit(func() { s.plan.Renew(ctx, tx.Now, s.loadSetUp) })
		st = n
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "store.create", SubjectKind: "store", SubjectID: n.ID, SubjectLabel: n.Name, StoreID: n.ID, Detail: n})
	})
	return st, err
}

// Update changes a store. A new time zone applies to what is written from now on. Faults: not_found,
// request.invalid, shop.name_taken, shop.last.
func (s *Service) Update(ctx context.Context, id int64, in Input) (st Store, err error) {
	if in, err = in.clean(); err != nil {
		return st, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		active, err := lockActive(ctx, tx)
		if err != nil {
			return err
		}
		old, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		n := old
		n.fill(in)
		if in.Active != nil {
			n.Active = *in.Active
		}
		if !n.Active && len(active) == 1 && active[0] == id {
			return ErrLast
		}
		if err := update(ctx, tx, n); err != nil {
			return err
		}
		tx.AfterCommit(func() { s.copy.Renew(ctx, tx.Now, s.load) })
		st = n
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "store.update", SubjectKind: "store", SubjectID: id, SubjectLabel: n.Name, StoreID: id,
			Detail: map[string]Store{"before": old, "after": n}})
	})
	return st, err
}

func (s *Store) fill(in Input) {
	s.Name, s.Address, s.Phone, s.Timezone, s.HoursText = in.Name, in.Address, in.Phone, in.Timezone, in.HoursText
}

// Known says whether there is such a store, also an inactive one.
func (s *Service) Known(ctx context.Context, id int64) (bool, error) {
	_, err := s.Store(ctx, id)
	if errors.Is(err, fault.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
