package sale

import (
	"context"
	"errors"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// When a renewal is charged (D08).
const (
	RenewAhead = 24 * time.Hour      // within the last day
	renewLate  = 10 * 24 * time.Hour // and tried again until so long after the end
)

// Renewal is how something that was bought follows itself, paid from stored value: it is announced days before, charged near the end, and given up some
// days after it. What it is of keeps it.
type Renewal struct {
	On        bool
	Note      string    // why it failed, or that it was done
	NoticedAt time.Time // zero: not announced yet, so nothing is charged
}

// Announce says whether it has to be announced.
func (r Renewal) Announce() bool { return r.On && r.NoticedAt.IsZero() }

// Due says whether it may be charged: so long after it was announced.
func (r Renewal) Due(now time.Time, notice time.Duration) bool {
	return r.On && !r.NoticedAt.IsZero() && !now.Before(r.NoticedAt.Add(notice))
}

// Failed is the renewal of what ends, or ended, at an instant after it could not be paid: it stays on for a while.
func (r Renewal) Failed(now, end time.Time, why string) Renewal {
	r.On, r.Note = !now.After(end.Add(renewLate)), db.Clip(why, 100)
	return r
}

// Renew charges a renewal to stored value; step notes in the same transaction that it was done. The product makes sure that one thing is followed by
// one at most: when it was followed already, nothing happens. It returns in words why it cannot be, such as too little stored value.
func (s *Service) Renew(ctx context.Context, b Buy, step func(ctx context.Context, tx *db.Tx) error) (why string, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := s.BeginTx(ctx, tx, b, Pay{Method: MethodBalance}); err != nil {
			return err
		}
		return step(ctx, tx)
	})
	if errors.Is(err, db.ErrDuplicate) {
		return "", nil
	}
	if f := new(fault.Error); errors.As(err, &f) && f.Kind == fault.Conflict {
		return f.Message, nil
	}
	return "", err
}
