package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
)

// crowd is a Combiner whose commands can be made to wait for each other.
type crowd struct {
	*db.Combiner[string]
	t    *testing.T
	d    *db.DB
	wg   sync.WaitGroup
	gate chan struct{}
	in   chan struct{} // one for each leader that waits at the gate

	ahead func(ctx context.Context, tx *db.Tx, needs []string) error
}

// newCrowd holds every leader at a gate, so that all who come afterwards are one batch.
func newCrowd(t *testing.T) *crowd {
	d, _ := dbtest.New(t)
	c := &crowd{t: t, d: d, gate: make(chan struct{}), in: make(chan struct{}, 8)}
	c.Combiner = db.NewCombiner(d, func(ctx context.Context, tx *db.Tx, needs []string) error {
		if c.ahead != nil && needs[0] != "gate" {
			return c.ahead(ctx, tx, needs)
		}
		return nil
	})
	for range c.Stats().Leaders {
		c.wg.Go(func() {
			must(t, c.Do(t.Context(), "gate", func(context.Context, *db.Tx) error {
				c.in <- struct{}{}
				<-c.gate
				return nil
			}))
		})
		<-c.in
	}
	return c
}

// comes adds a command that waits; check gets what became of it.
func (c *crowd) comes(ctx context.Context, need string, run func(ctx context.Context, tx *db.Tx) error, check func(err error)) {
	c.t.Helper()
	waiting := c.Stats().Waiting
	c.wg.Go(func() { check(c.Do(ctx, need, run)) })
	for c.Stats().Waiting == waiting {
		time.Sleep(time.Millisecond)
	}
}

// writes is a command that inserts a row for the actor.
func writes(actor, name string) func(ctx context.Context, tx *db.Tx) error {
	return func(_ context.Context, tx *db.Tx) error {
		tx.InsertSoon("idem_keys", key{actor, name, "h", "", 1})
		return nil
	}
}

func (c *crowd) wants(want error) func(error) {
	return func(err error) {
		if !errors.Is(err, want) || (want == nil && err != nil) {
			c.t.Errorf("got %v, want %v", err, want)
		}
	}
}

// open lets everybody through and waits for the end.
func (c *crowd) open() {
	c.t.Helper()
	close(c.gate)
	c.wg.Wait()
}

func (c *crowd) counts(batches, alone int64, rows int) {
	c.t.Helper()
	if s := c.Stats(); s.Alone != alone || (s.Batches != batches && batches >= 0) {
		c.t.Errorf("%+v, want %d batches and %d alone", s, batches, alone)
	}
	if n := count(c.t, c.d, "c"); n != rows {
		c.t.Errorf("%d rows, want %d", n, rows)
	}
}

func TestCombinedCommandsShareOneTransaction(t *testing.T) {
	c := newCrowd(t)
	var after atomic.Int64
	for i := range 50 {
		c.comes(t.Context(), "", func(ctx context.Context, tx *db.Tx) error {
			tx.AfterCommit(func() { after.Add(1) })
			return writes("c", fmt.Sprint(i))(ctx, tx)
		}, c.wants(nil))
	}
	c.open()
	n := int64(1)
	if c.d.Dialect() == db.MySQL {
		n = 2
	}
	c.counts(n+1, 0, 50)
	if after.Load() != 50 {
		t.Errorf("%d after-commit functions ran, want 50", after.Load())
	}
}

func TestFailedCommandHarmsNobody(t *testing.T) {
	c := newCrowd(t)
	shared, afterFailed := 0, false
	for i := range 9 {
		fails := i%3 == 1
		want := error(nil)
		if fails {
			want = errMiss
		}
		c.comes(t.Context(), "", func(ctx context.Context, tx *db.Tx) error {
			was := shared
			tx.OnUndo(func() { shared = was })
			shared += 10
			must(t, writes("c", fmt.Sprint(i))(ctx, tx))
			if fails {
				shared += 1000
				tx.AfterCommit(func() { afterFailed = true })
				return errMiss
			}
			return nil
		}, c.wants(want))
	}
	c.open()
	c.counts(-1, 0, 6)
	if shared != 60 || afterFailed {
		t.Errorf("shared is %d, want 60; the failed command's after-commit ran: %v", shared, afterFailed)
	}
}

func TestPanicHarmsNobody(t *testing.T) {
	c := newCrowd(t)
	c.comes(t.Context(), "", writes("c", "1"), c.wants(nil))
	waiting := c.Stats().Waiting
	c.wg.Go(func() {
		defer func() {
			if p := recover(); p != "boom" {
				t.Errorf("recovered %v", p)
			}
		}()
		_ = c.Do(t.Context(), "", func(ctx context.Context, tx *db.Tx) error {
			_ = writes("c", "2")(ctx, tx)
			panic("boom")
		})
	})
	for c.Stats().Waiting == waiting {
		time.Sleep(time.Millisecond)
	}
	c.comes(t.Context(), "", writes("c", "3"), c.wants(nil))
	c.open()
	c.counts(-1, 1, 2)
	must(t, c.Do(t.Context(), "", writes("c", "4"))) // it still serves
}

// What cannot be undone alone makes the batch start over, one by one: each command is done exactly once, and an error is its own.
func TestSpoiledBatchRunsAlone(t *testing.T) {
	good := writes("c", "good")
	for name, bad := range map[string]struct {
		run  func(ctx context.Context, tx *db.Tx) error
		want error
		rows int
	}{
		"fails after a direct write": {func(ctx context.Context, tx *db.Tx) error {
			must(t, tx.Insert(ctx, "idem_keys", key{"c", "bad", "h", "", 1}))
			return errMiss
		}, errMiss, 2},
		"fails after a read that failed": {func(ctx context.Context, tx *db.Tx) error {
			var n int
			if tx.Get(ctx, &n, `SELECT nothing FROM idem_keys`) == nil {
				t.Error("the read did not fail")
			}
			return errMiss
		}, errMiss, 2},
		"panics after a direct write": {func(ctx context.Context, tx *db.Tx) error {
			must(t, tx.Insert(ctx, "idem_keys", key{"c", "bad", "h", "", 1}))
			panic("boom")
		}, nil, 2},
		"a queued guard misses": {func(_ context.Context, tx *db.Tx) error {
			tx.ExecSoon(1, errMiss, `UPDATE idem_keys SET created_at = 5 WHERE actor = 'nobody'`)
			return nil
		}, errMiss, 2},
		"a queued row is there already": {func(ctx context.Context, tx *db.Tx) error {
			_ = writes("c", "first")(ctx, tx)
			return writes("c", "first")(ctx, tx)
		}, db.ErrDuplicate, 2},
		"a direct write is fine": {func(ctx context.Context, tx *db.Tx) error {
			return tx.Insert(ctx, "idem_keys", key{"c", "direct", "h", "", 1})
		}, nil, 3},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCrowd(t)
			c.comes(t.Context(), "", good, c.wants(nil))
			waiting := c.Stats().Waiting
			c.wg.Go(func() {
				defer func() { _ = recover() }()
				c.wants(bad.want)(c.Do(t.Context(), "", bad.run))
			})
			for c.Stats().Waiting == waiting {
				time.Sleep(time.Millisecond)
			}
			c.comes(t.Context(), "", writes("c", "good too"), c.wants(nil))
			c.open()
			alone := int64(3)
			if bad.rows == 3 {
				alone = 0
			}
			c.counts(-1, alone, bad.rows)
		})
	}
}

func TestAheadThatFailsOrPanics(t *testing.T) {
	for name, ahead := range map[string]func(context.Context, *db.Tx, []string) error{
		"fails":  func(context.Context, *db.Tx, []string) error { return errMiss },
		"panics": func(context.Context, *db.Tx, []string) error { panic("boom") },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCrowd(t)
			c.ahead = ahead
			for i := range 3 {
				c.comes(t.Context(), "", writes("c", fmt.Sprint(i)), c.wants(nil))
			}
			c.open()
			c.counts(-1, 3, 3)
		})
	}
}

func TestWhatIsReadAheadIsHandedOn(t *testing.T) {
	type mine struct{}
	c := newCrowd(t)
	c.ahead = func(_ context.Context, tx *db.Tx, needs []string) error {
		tx.Stash(mine{}, append([]string(nil), needs...))
		return nil
	}
	for i := range 3 {
		c.comes(t.Context(), fmt.Sprint(i), func(_ context.Context, tx *db.Tx) error {
			if got := fmt.Sprint(db.Stashed[[]string](tx, mine{})); got != "[0 1 2]" {
				t.Errorf("stashed %s", got)
			}
			if db.Stashed[int](tx, mine{}) != 0 || db.Stashed[[]string](tx, "another") != nil {
				t.Error("a stash of something else")
			}
			return nil
		}, c.wants(nil))
	}
	c.open()
	c.counts(-1, 0, 0)
}

// Who leaves before being picked up has done nothing; who leaves afterwards has done it.
func TestCancelledCaller(t *testing.T) {
	c := newCrowd(t)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	c.comes(ctx, "", writes("c", "gone"), func(err error) { left <- err })
	c.comes(t.Context(), "", writes("c", "stays"), c.wants(nil))
	cancel()
	if err := <-left; !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	late, cancelLate := context.WithCancel(t.Context())
	c.comes(late, "", func(ctx context.Context, tx *db.Tx) error {
		cancelLate()
		if ctx.Err() != nil {
			t.Error("the command sees the cancelled context")
		}
		return writes("c", "late")(ctx, tx)
	}, c.wants(nil))
	c.open()
	c.counts(-1, 0, 2)
}

// A command's own statements end when its batch gives up: others wait for it.
func TestCommandHasTheDeadlineOfItsBatch(t *testing.T) {
	c := newCrowd(t)
	early, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	for _, ctx := range []context.Context{t.Context(), early} {
		c.comes(ctx, "", func(ctx context.Context, _ *db.Tx) error {
			if end, ok := ctx.Deadline(); !ok || time.Until(end) > 15*time.Second {
				t.Errorf("the command may take until %v, %v", end, ok)
			}
			return nil
		}, c.wants(nil))
	}
	c.open()
}

// A server waits for a lock on behalf of clients that have given up, and keeps what they have locked: it must give up before them.
func TestServerGivesUpALockFirst(t *testing.T) {
	d, _ := dbtest.New(t)
	if d.Dialect() != db.MySQL {
		t.Skip("one writer waits for no row")
	}
	var seconds int
	must(t, d.Get(t.Context(), &seconds, `SELECT @@innodb_lock_wait_timeout`))
	if seconds >= 15 {
		t.Errorf("a statement waits %d s for a lock, a batch 15 s", seconds)
	}
}

func TestCombinerDoesNotNest(t *testing.T) {
	c := newCrowd(t)
	c.open()
	must(t, c.d.InTx(t.Context(), func(ctx context.Context, _ *db.Tx) error {
		if c.Do(ctx, "", writes("c", "1")) == nil {
			t.Error("a command inside a transaction was allowed")
		}
		return nil
	}))
	must(t, c.Do(t.Context(), "", func(ctx context.Context, tx *db.Tx) error {
		if c.Do(ctx, "", writes("c", "1")) == nil || c.d.InTx(ctx, writes("c", "1")) == nil {
			t.Error("a transaction inside a command was allowed")
		}
		return nil
	}))
}

// Many callers at once, some failing: each gets its own outcome, and what was acknowledged is there.
func TestCombinerUnderLoad(t *testing.T) {
	c := newCrowd(t)
	close(c.gate)
	var kept atomic.Int64
	for w := range 40 {
		c.wg.Go(func() {
			for i := range 10 {
				fails, direct := (w+i)%7 == 0, (w+i)%31 == 0
				err := c.Do(t.Context(), "", func(ctx context.Context, tx *db.Tx) error {
					if direct {
						if err := tx.Insert(ctx, "idem_keys", key{"d", fmt.Sprintf("%d-%d", w, i), "h", "", 1}); err != nil {
							return err
						}
					}
					if err := writes("c", fmt.Sprintf("%d-%d", w, i))(ctx, tx); err != nil || !fails {
						return err
					}
					return errMiss
				})
				if fails != errors.Is(err, errMiss) || (!fails && err != nil) {
					t.Errorf("%d-%d: %v", w, i, err)
				}
				if err == nil {
					kept.Add(1)
				}
			}
		})
	}
	c.wg.Wait()
	s := c.Stats()
	c.counts(-1, s.Alone, int(kept.Load()))
	if s.Combined <= s.Batches || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
}

// A connection that is lost takes a batch with it: all of it is done again, and done once.
func TestLostConnectionRunsTheBatchAlone(t *testing.T) {
	c := newCrowd(t)
	if c.d.Dialect() != db.MySQL {
		c.open()
		t.Skip("an embedded database has no connection to lose; run with withmariadb")
	}
	admin, err := sql.Open("mysql", os.Getenv("LIANGCHE_TEST_MYSQL_DSN"))
	must(t, err)
	defer admin.Close()
	killed := false
	for i := range 5 {
		c.comes(t.Context(), "", func(ctx context.Context, tx *db.Tx) error {
			if i == 3 && !killed {
				killed = true
				var id int64
				must(t, tx.Get(ctx, &id, `SELECT CONNECTION_ID()`))
				_, err := admin.ExecContext(ctx, fmt.Sprintf("KILL %d", id))
				must(t, err)
				time.Sleep(50 * time.Millisecond)
			}
			return writes("c", fmt.Sprint(i))(ctx, tx)
		}, c.wants(nil))
	}
	c.open()
	c.counts(-1, 5, 5)
}

// After a deadlock the server has ended the transaction: a caller that goes on must not write outside of it.
func TestNothingIsKeptAfterADeadlock(t *testing.T) {
	d, _ := dbtest.New(t)
	if d.Dialect() != db.MySQL {
		t.Skip("one writer never deadlocks")
	}
	must(t, d.InTx(t.Context(), func(_ context.Context, tx *db.Tx) error {
		tx.InsertSoon("idem_keys", []key{{"l", "1", "h", "", 1}, {"l", "2", "h", "", 1}})
		return nil
	}))
	const lock = `UPDATE idem_keys SET created_at = created_at + 1 WHERE actor = 'l' AND idem_key = ?`
	var both sync.WaitGroup
	both.Add(2)
	var wg sync.WaitGroup
	var victims atomic.Int64
	for i, order := range [][]string{{"1", "2"}, {"2", "1"}} {
		wg.Go(func() {
			first := true
			must(t, d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
				if _, err := tx.Exec(ctx, lock, order[0]); err != nil {
					return err
				}
				if first {
					first = false
					both.Done()
					both.Wait()
				}
				if _, err := tx.Exec(ctx, lock, order[1]); err != nil {
					victims.Add(1) // and goes on as if nothing had happened
				}
				_ = tx.Insert(ctx, "idem_keys", key{"m", fmt.Sprint(i, tx.NewID()), "h", "", 1})
				return nil
			}))
		})
	}
	wg.Wait()
	if victims.Load() == 0 {
		t.Fatal("no deadlock")
	}
	if n := count(t, d, "m"); n != 2 {
		t.Errorf("%d rows, want one of each", n)
	}
}
