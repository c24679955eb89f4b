package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/liangche/liangche/internal/db"
)

// overload measures what a server does for as many clients as saturate it, and for ten times as many, who all ask at once and never wait.
func (c *chaos) overload(ctx context.Context, r *result) error {
	dir := filepath.Join(c.dir, r.name)
	s, err := newSite(ctx, r, dir, db.Config{Driver: db.SQLite, Path: filepath.Join(dir, "liangche.db")}, []string{""})
	if err != nil {
		return err
	}
	defer s.close()
	s.hc.Transport = &http.Transport{MaxIdleConnsPerHost: 4096}
	s.hc.Timeout = time.Minute
	length := time.Duration(c.times(3000, 300)) * time.Millisecond
	for i, o := range s.owners { // enough for all of it
		const fen = 400_000
		if _, err := s.boss.must(ctx, http.MethodPost, "/api/staff/topups", fmt.Sprintf("more-%06d", i), obj{"storeId": s.store, "memberId": o.member, "amountFen": fen, "tender": "cash"}); err != nil {
			return err
		}
		s.books.opened(o.member, fen)
	}
	clients, best := 0, 0.0
	for n := 16; n <= c.times(128, 16); n *= 2 { // as many as bring more
		got, err := s.rush(ctx, n, length)
		if err != nil {
			return err
		}
		c.say("%s: %d clients: %.0f settlements a second, the slowest of a hundred %s", r.name, n, got.perSecond, got.p99.Round(time.Millisecond))
		if got.perSecond < 1.1*best {
			break
		}
		clients, best = n, got.perSecond
	}
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
	r.note("%d clients saturate it: %.0f settlements a second, the slowest of a hundred %s; %d clients: %.0f a second, %s, %d refused; of the goodput stayed %.0f %% (in the rounds %.0f to %.0f %%; the goal is at least 80 %%)",
		clients, a.perSecond, a.p99.Round(time.Millisecond), 10*clients, b.perSecond, b.p99.Round(time.Millisecond), b.refused, kept[len(kept)/2], kept[0], kept[len(kept)-1])
	r.note("%d clients at once: %.0f a second (%.0f %%), %d refused, half of them within %s", many, flood.perSecond, 100*flood.perSecond/a.perSecond, flood.refused, flood.refusal.Round(time.Millisecond))
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

// rushed is what came of a rush.
type rushed struct {
	perSecond float64
	p99       time.Duration // of those that were done
	refused   int
	refusal   time.Duration // the median of how long it took
}

func median(all []rushed) rushed {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b rushed) int { return int(a.perSecond - b.perSecond) })
	return all[len(all)/2]
}

// rush lets n clients settle as fast as they can. Who is refused tries again with the same key.
func (s *site) rush(ctx context.Context, n int, length time.Duration) (out rushed, err error) {
	quotes := make([]obj, len(s.owners))
	for i, o := range s.owners {
		visit := obj{"storeId": s.store, "memberId": o.member, "plate": o.plate, "vehicleClassId": s.class, "items": []obj{{"kind": "service", "id": s.wash, "qty": 1}}}
		q, err := s.boss.must(ctx, http.MethodPost, "/api/staff/quotes", "", visit)
		if err != nil {
			return out, err
		}
		visit["quoteHash"], visit["tenders"] = q.s("quoteHash"), []obj{{"kind": "balance", "amountFen": q.i("totalFen")}}
		quotes[i] = visit
	}
	var mu sync.Mutex
	var took, refused []time.Duration
	var all sync.WaitGroup
	begin := time.Now()
	for w := range n {
		all.Go(func() {
			for i := 0; time.Since(begin) < length && ctx.Err() == nil; i++ {
				who := rand.IntN(len(s.owners))
				c := ack{who: s.boss, path: "/api/staff/checkouts", key: fmt.Sprintf("rush-%d-%d-%d-%08d", begin.UnixMilli(), n, w, i), body: quotes[who], kind: "order"}
				s.books.sent(c)
				for retries := 0; ; retries++ {
					since := time.Now()
					a := s.boss.once(ctx, http.MethodPost, c.path, c.key, c.body)
					lasted := time.Since(since)
					if !a.again() {
						c.result = a.i("orderId")
						if wrong := s.books.answered(c, retries, a.ok(), a.s("code")); wrong != "" {
							s.r.find("%s", wrong)
						}
						if a.ok() {
							s.books.moved(s.owners[who].member, -washFen)
						} else {
							s.r.find("overload: refused: %s", a)
						}
						mu.Lock()
						took = append(took, lasted)
						mu.Unlock()
						break
					}
					if ctx.Err() != nil {
						return
					}
					mu.Lock()
					refused = append(refused, lasted)
					mu.Unlock()
					time.Sleep(time.Duration(50+rand.IntN(100)) * time.Millisecond)
				}
			}
		})
	}
	all.Wait()
	slices.Sort(took)
	slices.Sort(refused)
	if out.refused = len(refused); out.refused > 0 {
		out.refusal = refused[len(refused)/2]
	}
	out.perSecond = float64(len(took)) / time.Since(begin).Seconds()
	if len(took) > 0 {
		out.p99 = took[len(took)*99/100]
	}
	return out, ctx.Err()
}
