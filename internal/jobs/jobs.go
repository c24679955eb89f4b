// Package jobs is the outbox: effects that a transaction promises and a worker carries out afterwards.
//
// Model: a Job has a kind, a payload, an optional dedupe key and a time to run; states queued → running → done, or
// queued again after a failure with back-off, or dead after too many. Periodic work is a job that re-queues itself.
// Owns: jobs_queue. Invariants: a job is written in the transaction of what caused it; a dedupe key exists once for
// ever; a job is claimed by a guarded UPDATE with a lease, so two instances never run it at the same time; a handler
// may run again after a crash and must be idempotent.
package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/liangche/liangche/internal/db"
)

// Job is work to be done after the commit.
type Job struct {
	Kind    string
	Dedupe  string    // "" for none; otherwise unique for ever
	Payload any       // JSON
	RunAt   time.Time // zero: at once
}

// ErrPermanent wrapped in a handler's error sends the job to the dead letters at once.
var ErrPermanent = errors.New("jobs: permanent failure")

// After is a handler's error that asks to run again after d without counting as a failure.
type After struct{ D time.Duration }

func (a After) Error() string { return "run again in " + a.D.String() }

// Handler does one job. Its context ends when the lease does.
type Handler func(ctx context.Context, payload []byte) error

// Queue stores jobs and runs them.
type Queue struct {
	db       *db.DB
	log      *slog.Logger
	handlers map[string]Handler
	periodic []periodic
	wake     chan struct{}
	lease    time.Duration
	poll     time.Duration
	workers  int
}

type periodic struct {
	kind  string
	every time.Duration
}

// New returns a queue that runs nothing until Run.
func New(d *db.DB, log *slog.Logger) *Queue {
	return &Queue{db: d, log: log, handlers: map[string]Handler{}, wake: make(chan struct{}, 1), lease: 2 * time.Minute,
		poll: time.Second, workers: 4}
}

// Handle registers the handler of a kind, before Run.
func (q *Queue) Handle(kind string, h Handler) {
	if _, dup := q.handlers[kind]; dup {
		panic("jobs: handler registered twice: " + kind)
	}
	q.handlers[kind] = h
}

// Every registers a handler that runs at each multiple of the interval, once over all instances; slots missed while
// the service was down are not made up.
func (q *Queue) Every(kind string, interval time.Duration, h func(ctx context.Context) error) {
	q.Handle(kind, func(ctx context.Context, _ []byte) error { return h(ctx) })
	q.periodic = append(q.periodic, periodic{kind, interval})
}

// EnqueueTx writes a job in tx; a dedupe key that exists already makes it a no-op.
func (q *Queue) EnqueueTx(ctx context.Context, tx *db.Tx, j Job) error {
	at := tx.Now
	if !j.RunAt.IsZero() {
		at = j.RunAt
	}
	body, err := json.Marshal(j.Payload)
	if err != nil {
		return fmt.Errorf("jobs: payload of %s: %w", j.Kind, err)
	}
	r := row{ID: tx.NewID(), Kind: j.Kind, Payload: string(body), State: "queued", RunAt: at.UnixMilli(), CreatedAt: tx.Millis()}
	tx.AfterCommit(q.Wake)
	if j.Dedupe == "" {
		tx.InsertSoon("jobs_queue", r)
		return nil
	}
	r.Dedupe = &j.Dedupe
	if err := tx.Insert(ctx, "jobs_queue", r); err != nil && !errors.Is(err, db.ErrDuplicate) {
		return err
	}
	return nil
}

// Wake makes a running worker look for due jobs now.
func (q *Queue) Wake() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends, then waits for the jobs under way.
func (q *Queue) Run(ctx context.Context) {
	var wg sync.WaitGroup
	work := make(chan row)
	for range q.workers {
		wg.Go(func() {
			for r := range work {
				q.do(ctx, r)
			}
		})
	}
	t := time.NewTicker(q.poll)
	defer t.Stop()
	for ctx.Err() == nil {
		for _, r := range q.due(ctx) {
			select {
			case work <- r:
			case <-ctx.Done():
			}
		}
		select {
		case <-ctx.Done():
		case <-q.wake:
		case <-t.C:
		}
	}
	close(work)
	wg.Wait()
}

// Drain runs every job that is due at the clock's now, and those that they enqueue, until none is left. It is for tests
// and for the demo's seed: no sleeping, no background.
func (q *Queue) Drain(ctx context.Context) error {
	for {
		rows := q.dueKinds(ctx)
		if len(rows) == 0 {
			return ctx.Err()
		}
		for _, r := range rows {
			q.do(ctx, r)
		}
	}
}

func (q *Queue) due(ctx context.Context) []row {
	if err := q.enqueuePeriodic(ctx); err != nil && ctx.Err() == nil {
		q.log.Warn("periodic jobs were not queued", "err", err)
	}
	return q.dueKinds(ctx)
}

func (q *Queue) enqueuePeriodic(ctx context.Context) error {
	now := q.db.Now()
	for _, p := range q.periodic {
		slot := now.Truncate(p.every).UnixMilli()
		if known, err := q.known(ctx, p.kind, slot); err != nil || known {
			if err != nil {
				return err
			}
			continue
		}
		err := q.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			return q.EnqueueTx(ctx, tx, Job{Kind: p.kind, Dedupe: dedupeSlot(p.kind, slot), Payload: struct{}{}})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func dedupeSlot(kind string, slot int64) string { return fmt.Sprintf("%s@%d", kind, slot) }

func (q *Queue) do(ctx context.Context, r row) {
	if ok, err := q.claim(ctx, r); err != nil || !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, q.lease-10*time.Second)
	defer cancel()
	err := q.call(ctx, r)
	// What became of the job is written even when the process is being stopped.
	fin, done := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer done()
	if ferr := q.finish(fin, r, err); ferr != nil {
		q.log.Error("job result was not stored; its lease will expire and it will run again", "kind", r.Kind, "job", r.ID, "err", ferr)
	}
}

func (q *Queue) call(ctx context.Context, r row) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("jobs: handler of %s panicked: %v", r.Kind, p)
		}
	}()
	h, ok := q.handlers[r.Kind]
	if !ok {
		return fmt.Errorf("jobs: nobody handles %s", r.Kind)
	}
	return h(ctx, []byte(r.Payload))
}

const maxAttempts = 12

// backoff doubles from 2 s to 30 min, with a quarter of jitter.
func backoff(attempt int) time.Duration {
	d := 2 * time.Second << min(attempt, 10)
	d = min(d, 30*time.Minute)
	return d + rand.N(d/4)
}
