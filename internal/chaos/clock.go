package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/app"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
)

// jumpy is the machine's clock with an offset that jumps.
type jumpy struct{ offset atomic.Int64 }

func (j *jumpy) Now() time.Time { return clock.System().Now().Add(time.Duration(j.offset.Load())) }

// jump moves the clock by d, but keeps it between a day ago and three days ahead, for which the shop is staffed.
func (j *jumpy) jump(d time.Duration) time.Duration {
	now := time.Duration(j.offset.Load()) + d
	now = min(max(now, -24*time.Hour), 72*time.Hour)
	j.offset.Store(int64(now))
	return now
}

// clocks lets the clock of a shop jump under load. A server offers no way to move its clock, so the App runs in this process, with WeChat beside it on the
// same clock; the people use it over HTTP as ever.
func (c *chaos) clocks(ctx context.Context, r *result) error {
	dir := filepath.Join(c.dir, r.name)
	j := &jumpy{}
	s, stop, err := c.inside(ctx, r, dir, j)
	if err != nil {
		return err
	}
	defer func() {
		if e := stop(); e != nil && !errors.Is(e, context.Canceled) {
			r.find("the system did not end cleanly: %v", e)
		}
	}()
	l := s.startLoad(ctx, crowd, daily())
	for n := range c.times(40, 6) {
		l.resume()
		sleep(ctx, 50+r.rnd.IntN(150))
		now := j.Now().In(time.FixedZone("CST", 8*3600))
		midnight := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, now.Location()).Sub(now)
		d := []time.Duration{time.Minute, 31 * time.Minute, 3 * time.Hour, 25 * time.Hour, -time.Minute, -2 * time.Hour, -26 * time.Hour, midnight - 100*time.Millisecond}[r.rnd.IntN(8)]
		at := j.jump(d)
		r.harms++
		sleep(ctx, 150+r.rnd.IntN(150))
		if err = s.calm(ctx, l, fmt.Sprintf("after jump %d by %s to %s from now", n+1, d.Round(time.Second), at.Round(time.Second))); err != nil || ctx.Err() != nil || len(r.findings) > 20 {
			break
		}
	}
	if err == nil { // what was promised for a time that did not come
		j.offset.Store(int64(80 * time.Hour))
		err = s.inside.Queue.Drain(ctx)
	}
	return s.finish(ctx, l, err)
}

// inside founds a shop that this process serves.
func (c *chaos) inside(ctx context.Context, r *result, dir string, clk clock.Clock) (*site, func() error, error) {
	cfg := db.Config{Driver: db.SQLite, Path: filepath.Join(dir, "liangche.db")}
	addr, err := freeAddr()
	if err != nil {
		return nil, nil, err
	}
	ready, ended := make(chan *app.Demo, 1), make(chan error, 1)
	running, cancel := context.WithCancel(ctx)
	go func() {
		ended <- app.RunDemo(running, app.DemoOptions{Listen: addr, Dir: dir, Log: slog.New(slog.DiscardHandler), Out: io.Discard, Empty: true, Database: &cfg, Clock: clk, Ready: func(d *app.Demo) { ready <- d }})
	}()
	stop := func() error { cancel(); return <-ended }
	var d *app.Demo
	select {
	case d = <-ready:
	case err := <-ended:
		cancel()
		return nil, nil, err
	}
	hc := &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	s := &site{r: r, dir: dir, direct: cfg, books: newBooks(), hc: hc, bases: []string{d.URL}, now: clk.Now, inside: d.App, jumps: true,
		weixin: &weixin{base: d.URL + "/sandbox", hc: hc, told: map[string]int64{}}}
	if _, err = d.Staff.CreateOwner(actor.With(ctx, actor.Job("chaos")), bossName, bossPassword, "店主"); err == nil {
		err = s.open(ctx)
	}
	if err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	return s, stop, nil
}
