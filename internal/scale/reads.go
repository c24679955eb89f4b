package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/gauge"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/setting"
)

// page is something that a person waits for.
type page struct {
	what, path string
	most       float64 // ms that it may take at most on the large database; 0 is for information
}

// pages are what grows with the business: searches at the desk, lists and reports of the console.
func (w *shopfloor) pages(g guest) []page {
	q := url.QueryEscape
	store := fmt.Sprint(g.Store)
	return []page{
		{"desk: search by phone", "/api/staff/lookup?storeId=" + store + "&q=" + phone(7), 100},
		{"desk: search by the last four digits", "/api/staff/lookup?storeId=" + store + "&q=" + phone(7)[7:], 200},
		{"desk: search by plate", "/api/staff/lookup?storeId=" + store + "&q=" + q(plate(7)), 1000},
		{"console: a member", fmt.Sprintf("/api/console/members/%d", g.ID), 100},
		{"console: members, newest first", "/api/console/members?limit=50", 500},
		{"console: members by balance", "/api/console/members?limit=50&sort=-balance", 0},
		{"console: members by last visit", "/api/console/members?limit=50&sort=-lastVisit", 0},
		{"console: dashboard of a store", "/api/console/dashboard?storeId=" + store, 1000},
		{"console: dashboard of all stores", "/api/console/dashboard", 2000},
		{"console: what the shop owes", "/api/console/reports/liability", 0},
		{"console: members by phone", "/api/console/members?limit=50&q=" + phone(7), 200},
		{"console: members by name", "/api/console/members?limit=50&q=" + q(name(7)), 200},
		{"console: members by three characters of a plate", "/api/console/members?limit=50&q=" + "007", 0},
		{"console: orders by plate", "/api/console/orders?limit=50&q=" + q(plate(7)), 0},
		{"console: orders of a store", "/api/console/orders?limit=50&storeId=" + store, 500},
	}
}

// reads times every page on both databases, over HTTP: the slowest of three.
func (s *scale) reads(ctx context.Context, small, large *shopfloor) error {
	var took [2][]float64
	var list []page
	for i, w := range []*shopfloor{small, large} {
		base, stop, err := w.listen(ctx)
		if err != nil {
			return err
		}
		guests, err := w.sample(ctx, 1)
		if err != nil {
			return err
		}
		list = w.pages(guests[0])
		for _, p := range list {
			var times []float64
			for range 3 {
				begin := time.Now()
				if err := w.get(ctx, base+p.path, strings.Contains(p.path, "q=")); err != nil {
					return err
				}
				times = append(times, time.Since(begin).Seconds()*1000)
			}
			worst := slices.Max(times) // some answers are kept for half a minute
			took[i] = append(took[i], worst)
			s.say("  %-6s %-50s %9.1f ms", []string{"small", "large"}[i], p.what, worst)
		}
		stop()
	}
	for i, p := range list {
		s.line("page", fmt.Sprintf("%s: %s, %d members", s.engine, p.what, s.members), took[1][i], "%.0f ms", p.most, fmt.Sprintf("%.0f ms with %d", took[0][i], s.small))
	}
	return nil
}

// listen serves the program on a port of its own.
func (w *shopfloor) listen(ctx context.Context) (base string, stop func(), err error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	srv := &http.Server{Handler: w.Handler()}
	go func() { _ = srv.Serve(ln) }()
	return "http://" + ln.Addr().String(), func() { _ = srv.Close() }, nil
}

// get reads an address as the boss. A search must find somebody.
func (w *shopfloor) get(ctx context.Context, address string, finds bool) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	req.Header.Set("X-Liangche", "console")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != http.StatusOK || !json.Valid(b)) {
		err = fmt.Errorf("%s: %s %.300s", address, res.Status, b)
	}
	if err == nil && finds && bytes.Contains(b, []byte(`"items":[]`)) {
		err = fmt.Errorf("%s finds nobody: %.300s", address, b)
	}
	return err
}

// nights runs the jobs that go over everybody, and says how long they take and how much memory they need.
func (s *scale) nights(ctx context.Context, w *shopfloor) error {
	peak := gauge.Heap()
	// What the settlements left to do comes first: it is no part of the night.
	var queued int64
	if err := w.DB.Get(ctx, &queued, `SELECT COUNT(*) FROM jobs_queue WHERE state = 'queued'`); err != nil {
		return err
	}
	begin := time.Now()
	if err := w.Queue.Drain(ctx); err != nil {
		return err
	}
	s.fact("%s: %d jobs of the settlements were done in %.0f s by one worker", s.engine, queued, time.Since(begin).Seconds())
	if err := w.Settings.Update(w.as(ctx, "hour"), []setting.Value{{Key: setting.RemindHour, Value: int64(0)}}); err != nil { // whatever the time is
		return err
	}
	all := time.Now()
	for _, kind := range []string{"tier.recompute", "tier.expire", "points.expire_all", "points.warn", "coupon.expire", "coupon.warn", "pass.tick", "campaign.birthdays", "remind.tick", "app.purge"} {
		begin = time.Now()
		if err := w.job(ctx, kind); err != nil {
			return err
		}
		s.say("  %-20s %7.1f s", kind, time.Since(begin).Seconds())
	}
	s.line("night", fmt.Sprintf("%s: tiers, expiry, reminders of %d members", s.engine, s.members), time.Since(all).Seconds(), "%.0f s", 60*float64(s.members)/100_000, "P13 allows 60 s for 100,000")
	s.line("night", "the most memory beyond what was there before", float64(peak())/1e6, "%.0f MB", 64, "")
	return nil
}

// job runs one job as the queue does.
func (w *shopfloor) job(ctx context.Context, kind string) error {
	if kind == "tier.recompute" {
		if _, err := w.Tiers.Recompute(w.as(ctx, "night")); err != nil {
			return err
		}
		return w.Tiers.Continue(ctx)
	}
	if err := w.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return w.Queue.EnqueueTx(ctx, tx, jobs.Job{Kind: kind, Payload: struct{}{}})
	}); err != nil {
		return err
	}
	return w.Queue.Drain(ctx)
}
