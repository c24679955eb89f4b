package staff

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/jobs"
)

// Jobs registers the periodic work.
func (s *Service) Jobs(q *jobs.Queue) { q.Every("staff.purge", 6*time.Hour, s.Purge) }

// Purge forgets login counters whose window is over.
func (s *Service) Purge(ctx context.Context) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return purgeTx(ctx, tx, tx.Millis()) })
}
