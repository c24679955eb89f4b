package booking

import (
	"context"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/jobs"
)

// live is what the parts of this package need that work by themselves: the line, the waiting list, the clock, the pictures.
type live struct {
	queue  *jobs.Queue
	photos Photos
}

// Live starts those parts: it registers the jobs and what follows a change of state. It is called once, before the first request.
func (s *Service) Live(q *jobs.Queue, photos Photos) {
	s.queue, s.photos = q, photos
	s.watchers = append(s.watchers, s.waitWatch, s.freeWatch)
	s.decorators = append(s.decorators, s.decorateQueue, s.decoratePhotos)
	s.registerJobs(q)
}

// changeOnce is change as a money command. It locks no payment.
func (s *Service) changeOnce(ctx context.Context, memberID, id int64, fn func(ctx context.Context, tx *db.Tx, b *Booking) error) (done int64, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		done, _, err = idem.Once(ctx, tx, func() (int64, error) {
			b, err := lockBooking(ctx, tx, id)
			if err == nil {
				err = visible(ctx, b, memberID)
			}
			if err != nil {
				return 0, err
			}
			return id, fn(ctx, tx, &b)
		})
		return err
	})
	return done, err
}
