package member

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/jobs"
)

// scansKept is how long scans stay: orders point at them while disputes are settled.
const scansKept = 180 * 24 * time.Hour

// Jobs registers the periodic work.
func (s *Service) Jobs(q *jobs.Queue) { q.Every("member.purge", 6*time.Hour, s.Purge) }

// Purge forgets login tickets, codes, counters and old scans.
func (s *Service) Purge(ctx context.Context) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		hourAgo := tx.Now.Add(-time.Hour).UnixMilli()
		if err := purgeCodesTx(ctx, tx, hourAgo); err != nil {
			return err
		}
		return purgeTx(ctx, tx, hourAgo, tx.Now.Add(-scansKept).UnixMilli())
	})
}
