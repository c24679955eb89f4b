package db

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// batchTime is when a batch gives up and its commands run alone.
const batchTime = 15 * time.Second

// Combiner runs commands that arrive at the same time in one transaction: what costs is the round trip, the statement and the commit, not
// the row. A lone command runs at once; those that come meanwhile wait for the batch that runs and are the next one. N says what a command
// needs; all of it is read ahead in one go.
//
// The commands of a batch run one after the other, each as if it was alone: a command that fails takes back what it queued and harms
// nobody. When that is impossible, because it has written already, or because flush or commit fails, nothing of the batch is kept and every
// command runs again alone, by InTx, in its caller's goroutine, where an error is exactly its own.
//
// So a command may run more than once, as with InTx. After a commit whose answer was lost it runs again too: an idempotency key inside must
// make it happen once.
type Combiner[N any] struct {
	db     *DB
	ahead  func(ctx context.Context, tx *Tx, needs []N) error
	gather gathering[*command[N]]

	batches, combined, alone atomic.Int64
}

// command is one caller that waits for its outcome.
type command[N any] struct {
	ctx     context.Context
	need    N
	run     func(ctx context.Context, tx *Tx) error
	outcome chan outcome
}

type outcome struct {
	err   error
	alone bool // nothing was kept: run it by yourself
	after []func()
}

// NewCombiner returns a Combiner. ahead reads and locks what the commands of a batch need, ids in ascending order, and keeps it by Tx.Stash.
func NewCombiner[N any](d *DB, ahead func(ctx context.Context, tx *Tx, needs []N) error) *Combiner[N] {
	c := &Combiner[N]{db: d, ahead: ahead}
	c.gather.leaders, c.gather.patience = 1, 1000 // some 0.2 ms at most, of the 3 ms that a batch on SQLite takes
	if d.dialect == MySQL {
		c.gather.leaders, c.gather.patience = 2, 0 // while one waits for the server; there patience brings nothing
	}
	c.gather.serve = func(batch []*command[N]) {
		outcomes := c.together(batch)
		for i, cmd := range batch {
			cmd.outcome <- outcomes[i]
		}
	}
	return c
}

// Do runs a command, together with others when there are any. Once it has been picked up it runs to its end, whatever becomes of ctx.
// Faults: those of InTx.
func (c *Combiner[N]) Do(ctx context.Context, need N, run func(ctx context.Context, tx *Tx) error) error {
	if ctx.Value(inTx{}) != nil {
		return errNested
	}
	stepsOf(ctx)(StepBegin)
	cmd := &command[N]{ctx: ctx, need: need, run: run, outcome: make(chan outcome, 1)}
	c.gather.join(cmd)
	var o outcome
	select {
	case o = <-cmd.outcome:
	case <-ctx.Done():
		if c.gather.leave(cmd) {
			return classify(ctx.Err())
		}
		o = <-cmd.outcome
	}
	if o.alone {
		c.alone.Add(1)
		return c.db.InTx(ctx, run)
	}
	for _, f := range o.after {
		f()
	}
	return classify(o.err)
}

// CombinerStats tells what a Combiner has done.
type CombinerStats struct {
	Waiting  int   // commands that nobody has picked up yet
	Running  int   // batches, now
	Batches  int64 // committed
	Combined int64 // commands in them
	Alone    int64 // commands that ran again alone, because their batch failed or they panicked in it
	Leaders  int   // batches that may run at once
}

// Stats says what was done since the start, and how many wait now.
func (c *Combiner[N]) Stats() CombinerStats {
	waiting, running := c.gather.now()
	return CombinerStats{waiting, running, c.batches.Load(), c.combined.Load(), c.alone.Load(), c.gather.leaders}
}

// together runs a batch in one transaction.
func (c *Combiner[N]) together(batch []*command[N]) (outcomes []outcome) {
	defer func() {
		if recover() != nil || outcomes == nil { // of ahead: whoever needs it meets it again alone
			outcomes = make([]outcome, len(batch))
			for i := range outcomes {
				outcomes[i].alone = true
			}
		}
	}()
	// One caller who leaves must not end what the others wait for.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(batch[0].ctx), batchTime)
	defer cancel()
	until, _ := ctx.Deadline()
	needs, got := make([]N, len(batch)), make([]outcome, len(batch))
	for i, cmd := range batch {
		needs[i] = cmd.need
	}
	_, err := c.db.once(ctx, func(ctx context.Context, tx *Tx) error {
		tx.queued = make([]write, 0, 16*len(batch))
		if err := c.ahead(ctx, tx, needs); err != nil {
			return err
		}
		for i, cmd := range batch {
			own, done := context.WithDeadline(context.WithoutCancel(cmd.ctx), until) // it waits for a lock no longer than the batch
			var err error
			got[i], err = tx.try(context.WithValue(own, inTx{}, true), cmd.run)
			done()
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil
	}
	c.batches.Add(1)
	c.combined.Add(int64(len(batch)))
	return got
}

// errSpoiled reports a command that failed after it had reached the engine, so that it cannot be undone alone.
var errSpoiled = errors.New("db: a command of the batch cannot be undone alone")

// try runs one command of several. When it fails, what it queued and changed in memory is taken back. Fault: errSpoiled.
func (t *Tx) try(ctx context.Context, run func(ctx context.Context, tx *Tx) error) (o outcome, err error) {
	queued, last, after, sent := len(t.queued), len(t.last), len(t.after), t.sent
	t.part++
	t.undo = nil
	func() {
		defer func() {
			if p := recover(); p != nil {
				o.alone = true // it panics again in its caller's goroutine
			}
		}()
		o.err = run(ctx, t)
	}()
	switch {
	case o.err == nil && !o.alone:
		o.after = t.after[after:len(t.after):len(t.after)]
		return o, nil
	case t.sent != sent:
		return o, errSpoiled
	}
	for i := len(t.undo) - 1; i >= 0; i-- {
		t.undo[i]()
	}
	t.queued, t.last, t.after, t.reads = t.queued[:queued], t.last[:last], t.after[:after], nil
	return o, nil
}
