package slot

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/jobs"
)

// kept is how long time that has passed stays: nobody searches it, and no audit of bookings looks back further than a day.
const kept = 5 * 7 * 24 * time.Hour

// Jobs registers the periodic work. Most runs find nothing; one of the day's falls into the night of every zone.
func (s *Service) Jobs(q *jobs.Queue) {
	q.Every("slot.forget", 6*time.Hour, func(ctx context.Context) error {
		_, err := s.Forget(ctx, s.db.Now().Add(-kept))
		return err
	})
}
