package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/db"
)

// overload measures what a server does for as many clients as saturate it, and for ten times as many, who all ask at once and never wait; and for more than it lets in.
func (c *chaos) overload(ctx context.Context, r *result) error {
	dir := filepath.Join(c.dir, r.name)
	s, err := newSite(ctx, r, dir, db.Config{Driver: db.SQLite, Path: filepath.Join(dir, "liangche.db")}, []string{""})
	if err != nil {
		return err
	}
	defer s.close()
	// Thousands of orders of each member are nobody's: with a lot of points for each of them it would be the lots that are measured.
	if _, err := s.boss.must(ctx, http.MethodPut, "/api/console/settings", "", obj{"values": []obj{{"key": "points.earn_bp", "value": 0}}}); err != nil {
		return err
	}
	length := time.Duration(c.times(3000, 300)) * time.Millisecond
	for i, o := range s.owners { // enough for all of it
		const fen = 400_000
		if _, err := s.boss.must(ctx, http.MethodPost, "/api/staff/topups", fmt.Sprintf("more-%06d", i), obj{"storeId": s.store, "memberId": o.member, "amountFen": fen, "tender": "cash"}); err != nil {
			return err
		}
		s.books.opened(o.member, fen)
	}
	var tried []rushed
	for n := 16; n <= c.times(128, 16); n *= 2 {
		got, err := s.rush(ctx, n, length)
		if err != nil {
			return err
		}
		tried = append(tried, got)
	}
	clients := saturating(tried)
	var usual, crowded []rushed
	for range c.times(3, 1) { // in turn, so that the machine's mood hits both
		for _, x := range []struct {
			n   int
			all *[]rushed
		}{{clients, &usual}, {10 * clients, &crowded}} {
			got, err := s.rush(ctx, x.n, length)
			if err != nil {
				return err
			}
			*x.all = append(*x.all, got)
			r.rounds++
		}
	}
	r.harms = len(crowded)
	var kept []float64 // what stays of the goodput, round by round
	for i := range usual {
		kept = append(kept, 100*crowded[i].perSecond/usual[i].perSecond)
	}
	slices.Sort(kept)
	a, b := median(usual), median(crowded)
	many := c.times(4096, 64) // a server lets 2048 in
	flood, err := s.rush(ctx, many, length)
	if err != nil {
		return err
	}
	r.note("%d clients saturate it: %s; %d clients: %s; of the goodput stayed %.0f %% (in the rounds %.0f to %.0f %%; the goal is at least 80 %%)", clients, a, 10*clients, b, kept[len(kept)/2], kept[0], kept[len(kept)-1])
	r.note("%d clients at once: %s, %.0f %% of the goodput (the goal is refusal within 50 ms)", many, flood, 100*flood.perSecond/a.perSecond)
	l := s.startLoad(ctx, 1, daily())
	l.resume()
	if err := s.calm(ctx, l, "after the rush"); err != nil {
		return err
	}
	l.end()
	r.book.add(s.books.tally)
	s.servers[0].stop() // with thousands of messages still to be sent, which the next start would send
	return s.audit(ctx, "at the end")
}

// saturating is how many clients keep the server busy: the fewest that come within a tenth of the best.
func saturating(tried []rushed) int {
	best := slices.MaxFunc(tried, func(a, b rushed) int { return cmp.Compare(a.perSecond, b.perSecond) })
	return tried[slices.IndexFunc(tried, func(x rushed) bool { return x.perSecond >= 0.9*best.perSecond })].clients
}
