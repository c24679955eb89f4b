package jobs

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
)

type row struct {
	ID         int64   `db:"id"`
	Kind       string  `db:"kind"`
	Dedupe     *string `db:"dedupe_key"`
	Payload    string  `db:"payload"`
	State      string  `db:"state"`
	RunAt      int64   `db:"run_at"`
	Attempts   int     `db:"attempts"`
	LeaseUntil int64   `db:"lease_until"`
	LastError  string  `db:"last_error"`
	CreatedAt  int64   `db:"created_at"`
	DoneAt     *int64  `db:"done_at"`
}

// dueKinds reads what may run now: queued jobs, and running ones whose lease ended with their process.
func (q *Queue) dueKinds(ctx context.Context) []row {
	now := q.db.Now().UnixMilli()
	var rows []row
	err := q.db.Select(ctx, &rows, `SELECT id, kind, dedupe_key, payload, state, run_at, attempts, lease_until, last_error, created_at, done_at
		FROM jobs_queue WHERE state = 'queued' AND run_at <= ? ORDER BY run_at, id LIMIT 64`, now)
	if err == nil && len(rows) < 64 {
		var lost []row
		err = q.db.Select(ctx, &lost, `SELECT id, kind, dedupe_key, payload, state, run_at, attempts, lease_until, last_error, created_at, done_at
			FROM jobs_queue WHERE state = 'running' AND lease_until < ? ORDER BY run_at, id LIMIT 16`, now)
		rows = append(rows, lost...)
	}
	if err != nil && ctx.Err() == nil {
		q.log.Warn("due jobs were not read", "err", err)
	}
	return rows
}

func (q *Queue) known(ctx context.Context, kind string, slot int64) (bool, error) {
	var n int
	err := q.db.Get(ctx, &n, `SELECT COUNT(*) FROM jobs_queue WHERE dedupe_key = ?`, dedupeSlot(kind, slot))
	return n > 0, err
}

func (q *Queue) claim(ctx context.Context, r row) (ok bool, err error) {
	err = q.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE jobs_queue SET state = 'running', lease_until = ?, attempts = attempts + 1
			WHERE id = ? AND state = ? AND lease_until = ?`, tx.Now.Add(q.lease).UnixMilli(), r.ID, r.State, r.LeaseUntil)
		ok = n == 1
		return err
	})
	return ok, err
}

func (q *Queue) finish(ctx context.Context, r row, result error) error {
	return q.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		var again After
		switch {
		case result == nil:
			_, err := tx.Exec(ctx, `UPDATE jobs_queue SET state = 'done', done_at = ?, lease_until = 0, last_error = '' WHERE id = ?`, tx.Millis(), r.ID)
			return err
		case errors.As(result, &again):
			_, err := tx.Exec(ctx, `UPDATE jobs_queue SET state = 'queued', run_at = ?, attempts = ?, lease_until = 0 WHERE id = ?`,
				tx.Now.Add(again.D).UnixMilli(), r.Attempts, r.ID)
			return err
		}
		state := "queued"
		if errors.Is(result, ErrPermanent) || r.Attempts+1 >= maxAttempts {
			state = "dead"
			q.log.Error("job failed for good", "kind", r.Kind, "job", r.ID, "attempts", r.Attempts+1, "err", result)
		} else {
			q.log.Warn("job failed, will run again", "kind", r.Kind, "job", r.ID, "attempts", r.Attempts+1, "err", result)
		}
		msg := result.Error()
		if len(msg) > 480 {
			msg = msg[:480]
		}
		_, err := tx.Exec(ctx, `UPDATE jobs_queue SET state = ?, run_at = ?, lease_until = 0, last_error = ? WHERE id = ?`,
			state, tx.Now.Add(backoff(r.Attempts)).UnixMilli(), msg, r.ID)
		return err
	})
}

// Purge deletes jobs that were done before the given instant (unix ms), keeping dead letters.
func (q *Queue) Purge(ctx context.Context, before int64) error {
	return q.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM jobs_queue WHERE state = 'done' AND done_at < ?`, before)
		return err
	})
}

// Depth counts queued and dead jobs, for metrics.
func (q *Queue) Depth(ctx context.Context) (queued, dead int, err error) {
	if err = q.db.Get(ctx, &queued, `SELECT COUNT(*) FROM jobs_queue WHERE state = 'queued'`); err != nil {
		return 0, 0, err
	}
	err = q.db.Get(ctx, &dead, `SELECT COUNT(*) FROM jobs_queue WHERE state = 'dead'`)
	return queued, dead, err
}
