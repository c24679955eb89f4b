package pass

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/db"
)

// AddDaysTx moves the end of a running period pass by some days and says why in its history; false when it does not run, or is none. The caller makes sure
// that the same reason adds days once. Fault: fault.ErrNotFound.
func (s *Service) AddDaysTx(ctx context.Context, tx *db.Tx, id int64, days int, why string) (bool, error) {
	p, err := s.lockTx(ctx, tx, 0, id)
	if err != nil || !p.byTime() || p.State != StateActive || p.ExpiresAt.IsZero() || p.expired(tx.Now) || days < 1 {
		return false, err
	}
	if err := s.moveEndTx(ctx, tx, &p, p.ExpiresAt.Add(time.Duration(days)*day)); err != nil {
		return false, err
	}
	if err := savePass(ctx, tx, p); err != nil {
		return false, err
	}
	return true, note(ctx, tx, p.ID, "extend", fmt.Sprintf("顺延 %d 天：%s", days, why))
}

// TakeDaysTx takes back what AddDaysTx added, while the pass does not live on it. Nothing is left to take from one that was refunded or used up. Faults:
// ErrState when it ended, or would end now; fault.ErrNotFound.
func (s *Service) TakeDaysTx(ctx context.Context, tx *db.Tx, id int64, days int, why string) error {
	p, err := s.lockTx(ctx, tx, 0, id)
	if err != nil {
		return err
	}
	end := p.ExpiresAt.Add(-time.Duration(days) * day)
	switch {
	case p.State == StateRefunded || p.State == StateUsed:
		return nil
	case p.State != StateActive && p.State != StatePaused, !tx.Now.Before(end), p.State == StatePaused && !p.PausedAt.Before(end):
		return ErrState
	}
	if err := s.moveEndTx(ctx, tx, &p, end); err != nil {
		return err
	}
	if err := savePass(ctx, tx, p); err != nil {
		return err
	}
	return note(ctx, tx, p.ID, "extend", fmt.Sprintf("减回 %d 天：%s", days, why))
}

// byTime says whether the pass is used up by the calendar.
func (p Pass) byTime() bool { return p.Kind == KindPeriod || p.Kind == KindUnlimited }

// RunningOn lists the period passes after an id that run in [from, to) and count in a store: those bound to it and, of those that count everywhere, those
// sold in it or online. last is the id to go on after, 0 at the end.
func (s *Service) RunningOn(ctx context.Context, storeID int64, from, to time.Time, after int64, limit int) (ids []int64, last int64, err error) {
	list, err := runningOn(ctx, s.db, from, to, after, limit)
	for _, p := range list {
		last = p.ID
		if slices.Contains(p.Terms.StoreIDs, storeID) || len(p.Terms.StoreIDs) == 0 && (p.StoreID == storeID || p.StoreID == 0) {
			ids = append(ids, p.ID)
		}
	}
	if len(list) < limit {
		last = 0
	}
	return ids, last, err
}
