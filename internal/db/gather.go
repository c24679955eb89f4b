package db

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/liangche/liangche/internal/clock"
)

// maxTogether is how many are served as one batch.
const maxTogether = 64

// maxPatience ends giving way on a busy machine, where one turn of the scheduler may take tens of milliseconds.
const maxPatience = time.Millisecond

// maxDelay is how long somebody waits for more to come for a batch of their own, while another one runs.
const maxDelay = 20 * time.Millisecond

// gathering makes batches of those who arrive while the batch before is served. Whoever arrives first is served at once; a second batch is
// begun beside the first when as many wait as the first holds.
type gathering[T comparable] struct {
	serve    func(batch []T)
	leaders  int // that serve at the same time, at most
	patience int // turns of the scheduler for which a leader gives way to those it has just served, when they were several; see maxPatience

	mu      sync.Mutex
	waiting []T
	leading int
	serving int         // how many they have picked up and not yet served
	overdue *time.Timer // while somebody waits although there could be another leader
}

func (g *gathering[T]) join(t T) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, t)
	if g.leading < g.leaders {
		if g.worthwhile() {
			g.leading++
			go g.lead(false)
			return
		}
		g.mind()
	}
}

// worthwhile says whether those who wait are enough for a batch beside the one that runs: many small ones cost more than few large ones.
func (g *gathering[T]) worthwhile() bool {
	return g.leading == 0 || len(g.waiting) >= min(g.serving, maxTogether)
}

// mind sees to it that those who wait are picked up soon, should the batch that runs be held up by a lock.
func (g *gathering[T]) mind() {
	if g.overdue != nil {
		return
	}
	g.overdue = time.AfterFunc(maxDelay, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.overdue = nil
		if len(g.waiting) > 0 && g.leading < g.leaders {
			g.leading++
			go g.lead(true)
		}
	})
}

// leave says whether t was taken back before anybody picked it up.
func (g *gathering[T]) leave(t T) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, w := range g.waiting {
		if w == t {
			g.waiting = append(g.waiting[:i:i], g.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// lead serves batches as long as somebody waits; the first one now, when its company is overdue, however small it is.
func (g *gathering[T]) lead(now bool) {
	served := 0
	for {
		g.giveWay(served)
		batch := g.take(served, now)
		if len(batch) == 0 {
			return
		}
		g.serve(batch)
		served, now = len(batch), false
	}
}

// giveWay lets those run who are just arriving, or coming back at once: they come along. It costs nothing when there are none.
func (g *gathering[T]) giveWay(served int) {
	runtime.Gosched()
	if served < 2 {
		return
	}
	taken := clock.Stopwatch()
	for range g.patience {
		if waiting, _ := g.now(); waiting >= served || taken() > maxPatience {
			return
		}
		runtime.Gosched()
	}
}

// take picks up the oldest after so many were served, or ends the leadership when nobody waits, or too few.
func (g *gathering[T]) take(served int, now bool) []T {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.serving -= served
	n := min(len(g.waiting), maxTogether)
	if g.leading--; n == 0 {
		return nil
	}
	if !now && !g.worthwhile() {
		g.mind()
		return nil
	}
	g.leading++
	g.serving += n
	batch := g.waiting[:n:n]
	g.waiting = append([]T(nil), g.waiting[n:]...)
	return batch
}

func (g *gathering[T]) now() (waiting, running int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting), g.leading
}

// Lookup reads by key, outside transactions: callers of the same moment share one statement. Each reads what was committed before it asked,
// as if it had asked alone.
type Lookup[K comparable, V any] struct {
	db     *DB
	read   func(ctx context.Context, r Reader, keys []K) (map[K]V, error)
	gather gathering[*question[K, V]]
}

// question is one caller that waits for an answer.
type question[K comparable, V any] struct {
	ctx    context.Context
	key    K
	answer chan answer[V]
}

type answer[V any] struct {
	value V
	found bool
	alone bool // ask by yourself
}

// NewLookup returns a Lookup. read returns what it finds under each of the keys, and nothing for the others.
func NewLookup[K comparable, V any](d *DB, read func(ctx context.Context, r Reader, keys []K) (map[K]V, error)) *Lookup[K, V] {
	l := &Lookup[K, V]{db: d, read: read}
	l.gather.leaders, l.gather.serve = 2, l.together
	return l
}

// InTurn lets one batch run at a time, where a second one would only split what costs as much for many keys as for one.
func (l *Lookup[K, V]) InTurn() *Lookup[K, V] {
	l.gather.leaders = 1
	return l
}

// Get reads what stands under the key. Fault: ErrNoRows.
func (l *Lookup[K, V]) Get(ctx context.Context, key K) (value V, err error) {
	q := &question[K, V]{ctx, key, make(chan answer[V], 1)}
	l.gather.join(q)
	var a answer[V]
	select {
	case a = <-q.answer:
	case <-ctx.Done():
		l.gather.leave(q)
		return value, classify(ctx.Err())
	}
	if a.alone {
		got, err := l.read(ctx, l.db, []K{key})
		if err != nil {
			return value, err
		}
		a.value, a.found = got[key]
	}
	if !a.found {
		return value, ErrNoRows
	}
	return a.value, nil
}

// together answers a batch. When the read fails everybody asks alone and gets an error of their own.
func (l *Lookup[K, V]) together(batch []*question[K, V]) {
	var got map[K]V
	err := error(errSpoiled)
	defer func() {
		_ = recover() // whoever needs it meets it again alone
		for _, q := range batch {
			v, found := got[q.key]
			q.answer <- answer[V]{v, found, err != nil}
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(batch[0].ctx), batchTime)
	defer cancel()
	seen, keys := make(map[K]bool, len(batch)), make([]K, 0, len(batch))
	for _, q := range batch {
		if !seen[q.key] {
			seen[q.key], keys = true, append(keys, q.key)
		}
	}
	got, err = l.read(ctx, l.db, keys)
}
