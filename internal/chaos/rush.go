package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/liangche/liangche/internal/gauge"
)

// rushed is what came of a rush.
type rushed struct {
	clients        int
	perSecond      float64
	done, refused  []time.Duration // how long each took that was done, or refused; sorted
	server, client float64         // processor time in µs for each that was done, of the server and of the clients
	lag            []time.Duration // by how much the clients' own process was late when it wanted to go on; sorted
}

func (o rushed) String() string {
	text := fmt.Sprintf("%.0f settlements a second, half of them within %.0f ms and 99 of 100 within %.0f; processor time of each %.0f µs here and %.0f µs in the server", o.perSecond,
		gauge.Percentile(o.done, 0.5), gauge.Percentile(o.done, 0.99), o.client, o.server)
	if len(o.refused) > 0 {
		text += fmt.Sprintf("; %d refused, half of them within %.1f ms and 99 of 100 within %.0f", len(o.refused), gauge.Percentile(o.refused, 0.5), gauge.Percentile(o.refused, 0.99))
	}
	return text + fmt.Sprintf("; the clients themselves were late by %.1f ms, 1 of 100 times by %.0f", gauge.Percentile(o.lag, 0.5), gauge.Percentile(o.lag, 0.99))
}

func median(all []rushed) rushed {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b rushed) int { return int(a.perSecond - b.perSecond) })
	return all[len(all)/2]
}

// line is a connection that stays. Clients and server share the cores, so it costs as little as it can: what net/http does for a request would be half of all.
type line struct {
	addr, head string
	conn       net.Conn
	in         *bufio.Reader
	out        bytes.Buffer
}

func (l *line) open() (err error) {
	if l.conn != nil {
		_ = l.conn.Close()
	}
	if l.conn, err = net.Dial("tcp", l.addr); err == nil {
		l.in = bufio.NewReader(l.conn)
	}
	return err
}

// post sends a command and reads its answer, and says how long that took. Silence is status 0.
func (l *line) post(key string, body []byte) (a answer, took time.Duration) {
	l.out.Reset()
	fmt.Fprintf(&l.out, "%sIdempotency-Key: %s\r\nContent-Length: %d\r\n\r\n", l.head, key, len(body))
	l.out.Write(body)
	_ = l.conn.SetDeadline(time.Now().Add(time.Minute))
	since := time.Now()
	if _, err := l.conn.Write(l.out.Bytes()); err != nil {
		return a, time.Since(since)
	}
	res, err := http.ReadResponse(l.in, nil)
	if err != nil {
		return a, time.Since(since)
	}
	text, err := io.ReadAll(res.Body)
	took = time.Since(since)
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err != nil || d.Decode(&a.obj) != nil {
		return answer{}, took
	}
	a.status = res.StatusCode
	return a, took
}

// rush is n clients who settle as fast as they can, each on a connection of its own.
type rush struct {
	*site
	path        string
	quotes      []obj
	bodies      [][]byte
	from, until time.Time // what is answered in between counts

	mu  sync.Mutex
	out rushed
}

// rush lets n clients settle as fast as they can. All connections are open before; the first moments, and what comes after the end, do not count.
func (s *site) rush(ctx context.Context, n int, length time.Duration) (rushed, error) {
	r := &rush{site: s, path: "/api/staff/checkouts", out: rushed{clients: n}}
	for _, o := range s.owners {
		visit := obj{"storeId": s.store, "memberId": o.member, "plate": o.plate, "vehicleClassId": s.class, "items": []obj{{"kind": "service", "id": s.wash, "qty": 1}}}
		q, err := s.boss.must(ctx, http.MethodPost, "/api/staff/quotes", "", visit)
		if err != nil {
			return r.out, err
		}
		visit["quoteHash"], visit["tenders"] = q.s("quoteHash"), []obj{{"kind": "balance", "amountFen": q.i("totalFen")}}
		body, err := json.Marshal(visit)
		if err != nil {
			return r.out, err
		}
		r.quotes, r.bodies = append(r.quotes, visit), append(r.bodies, body)
	}
	addr := s.servers[0].addr
	lines := make([]*line, n)
	for i := range lines {
		lines[i] = &line{addr: addr, head: fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n", r.path, addr, s.boss.token)}
		if err := lines[i].open(); err != nil {
			return r.out, err
		}
		defer func() { _ = lines[i].conn.Close() }()
	}
	r.from = time.Now().Add(length / 4)
	r.until = r.from.Add(length)
	var all sync.WaitGroup
	all.Go(func() { r.watch(ctx) })
	for i, l := range lines {
		all.Go(func() { r.settle(ctx, l, fmt.Sprintf("rush-%d-%d-%d", r.from.UnixMilli(), n, i)) })
	}
	all.Wait()
	for _, x := range [][]time.Duration{r.out.done, r.out.refused, r.out.lag} {
		slices.Sort(x)
	}
	r.out.perSecond = float64(len(r.out.done)) / length.Seconds()
	each := float64(max(len(r.out.done), 1))
	r.out.server, r.out.client = r.out.server/each, r.out.client/each
	s.r.c.say("%s: %d clients: %s", s.r.name, n, r.out)
	return r.out, ctx.Err()
}

// watch takes the processor time of what counts, and how late this process itself is meanwhile.
func (r *rush) watch(ctx context.Context) {
	time.Sleep(time.Until(r.from))
	pid := r.servers[0].pid()
	mine, theirs := gauge.CPU(), gauge.CPUOf(pid)
	for ctx.Err() == nil && time.Now().Before(r.until) {
		const nap = 5 * time.Millisecond
		since := time.Now()
		time.Sleep(nap)
		r.out.lag = append(r.out.lag, max(time.Since(since)-nap, 0))
	}
	r.out.client, r.out.server = float64((gauge.CPU() - mine).Microseconds()), float64((gauge.CPUOf(pid) - theirs).Microseconds())
}

// settle is one client: one command after the other, each repeated with its key until it is answered.
func (r *rush) settle(ctx context.Context, l *line, name string) {
	for i := 0; time.Now().Before(r.until) && ctx.Err() == nil; i++ {
		who := rand.IntN(len(r.owners))
		c := ack{who: r.boss, path: r.path, key: fmt.Sprintf("%s-%06d", name, i), body: r.quotes[who], kind: "order", at: "orderId", did: effect{member: r.owners[who].member, fen: washFen}}
		r.books.sent(c)
		for retries := 0; ctx.Err() == nil; retries++ {
			a, took := l.post(c.key, r.bodies[who])
			r.count(a, took)
			if !a.again() {
				c.result = a.i(c.at)
				c.did.hear(a)
				if wrong := r.books.answered(c, retries, a.ok(), a.s("code")); wrong != "" {
					r.r.find("%s", wrong)
				}
				if !a.ok() {
					r.r.find("overload: refused: %s", a)
					return
				}
				r.books.moved(c.did.member, -washFen)
				break
			}
			if a.status == 0 {
				if err := l.open(); err != nil {
					r.r.find("overload: %v", err)
					return
				}
			} else if a.status != http.StatusServiceUnavailable || a.s("code") != "unavailable" {
				r.r.find("overload: %s", a)
			}
			r.wait(ctx, retries)
		}
	}
}

func (r *rush) count(a answer, took time.Duration) {
	if now := time.Now(); now.Before(r.from) || now.After(r.until) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.ok() {
		r.out.done = append(r.out.done, took)
	} else if a.status != 0 {
		r.out.refused = append(r.out.refused, took)
	}
}

// wait lets time pass before the next try, as the app does: 0.8 s at first and 2.5 s then, some more and some less.
func (r *rush) wait(ctx context.Context, retries int) {
	ms := 800
	if retries > 0 && time.Now().Before(r.until) {
		ms = 2500
	}
	sleep(ctx, ms*3/4+rand.IntN(ms/2))
}
