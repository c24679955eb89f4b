package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/mariadb"
)

// cutting cuts connections to MariaDB in the middle of COMMIT, before and after the database has seen it, and now and then all of them.
func (c *chaos) cutting(ctx context.Context, r *result) error {
	return c.withMariaDB(ctx, func(_ *mariadb.Server, d db.Config) error { return c.cutMidCommit(ctx, r, d, c.times(30, 4)) })
}

func (c *chaos) cutMidCommit(ctx context.Context, r *result, d db.Config, rounds int) error {
	wires, reach, err := wired(d, 1)
	if err != nil {
		return err
	}
	defer closeAll(wires)
	w := wires[0]
	s, err := newSite(ctx, r, filepath.Join(c.dir, r.name), d, reach)
	if err != nil {
		return err
	}
	defer s.close()
	var before, after, torn atomic.Int64
	l := s.startLoad(ctx, crowd, daily())
	for n := range rounds {
		l.resume()
		sleep(ctx, 20+r.rnd.IntN(60))
		chance := 2 + r.rnd.IntN(4) // one of so many commits
		w.at(func(m moment) fate {
			if rand.IntN(chance) > 0 {
				return pass
			}
			switch {
			case m == answered:
				after.Add(1)
				return cut
			case rand.IntN(3) == 0:
				torn.Add(1)
				return half
			}
			before.Add(1)
			return cut
		})
		sleep(ctx, 150+r.rnd.IntN(150))
		w.at(nil)
		if n%5 == 4 { // the network is gone for a moment
			w.down.Store(true)
			w.cutAll()
			sleep(ctx, 50+r.rnd.IntN(300))
			w.down.Store(false)
		}
		if err = s.calm(ctx, l, fmt.Sprintf("after round %d", n+1)); err != nil || ctx.Err() != nil || len(r.findings) > 20 {
			break
		}
	}
	r.harms = int(before.Load() + after.Load() + torn.Load())
	r.note("connections cut before COMMIT reached the database: %d, in the middle of the packet: %d, between the commit and its answer: %d", before.Load(), torn.Load(), after.Load())
	return s.finish(ctx, l, err)
}

// restarting kills the database server under load, or asks it to stop, and starts it again.
func (c *chaos) restarting(ctx context.Context, r *result) error {
	return c.withMariaDB(ctx, func(server *mariadb.Server, d db.Config) error {
		s, err := newSite(ctx, r, filepath.Join(c.dir, r.name), d, []string{""})
		if err != nil {
			return err
		}
		defer s.close()
		l := s.startLoad(ctx, crowd, daily())
		var healed []time.Duration
		for n := range c.times(12, 2) {
			l.resume()
			sleep(ctx, 100+r.rnd.IntN(200))
			if err = server.Restart(ctx, n%2 == 0); err != nil {
				break
			}
			r.harms++
			begin := time.Now()
			if err = s.heals(ctx); err != nil {
				break
			}
			healed = append(healed, time.Since(begin))
			if err = s.calm(ctx, l, fmt.Sprintf("after restart %d", n+1)); err != nil || ctx.Err() != nil || len(r.findings) > 20 {
				break
			}
		}
		r.note("from the database's first answer to the first command that is done: at most %s (the goal is 3 s)", slowest(healed))
		return s.finish(ctx, l, err)
	})
}

// heals waits until a command is done again.
func (s *site) heals(ctx context.Context) error {
	done := func() (n int) { s.books.locked(func() { n = s.books.tally.acked }); return n }
	for was, begin := done(), time.Now(); done() == was; sleep(ctx, 1) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(begin) > patience {
			return fmt.Errorf("nothing was done for %s", patience)
		}
	}
	return nil
}

// times is how often something is done: less often when the run is short.
func (c *chaos) times(full, short int) int {
	if c.short {
		return short
	}
	return full
}
