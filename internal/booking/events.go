package booking

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// board tells the open screens of this instance that something of their store changed.
//
// A change made here wakes it after the commit. Changes made by other instances are found by reading the event log, which happens only while
// somebody looks, for all watched stores in one query, every pollEvery: so every screen of every instance follows within a second.
type board struct {
	log  *slog.Logger
	read func(ctx context.Context, stores []int64) (map[int64]string, error)

	mu      sync.Mutex
	screens map[*screen]bool
	running bool
	wake    chan struct{}
}

const (
	pollEvery = 450 * time.Millisecond
	// pollGap bounds how often a rush of changes makes the log be read.
	pollGap = 100 * time.Millisecond
)

// screen is one listener. news holds the newest revision that it has not taken yet.
type screen struct {
	store int64
	seen  string
	news  chan string
}

func newBoard(log *slog.Logger, read func(context.Context, []int64) (map[int64]string, error)) *board {
	return &board{log: log, read: read, screens: map[*screen]bool{}, wake: make(chan struct{}, 1)}
}

// changed makes the screens look at once. It is called after a commit, and never waits.
func (b *board) changed() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// follow sends the store's revision, and then every new one, until ctx ends. Revisions that nobody took are replaced by newer ones.
func (b *board) follow(ctx context.Context, store int64) <-chan string {
	s := &screen{store: store, news: make(chan string, 1)}
	b.mu.Lock()
	b.screens[s] = true
	start := !b.running
	b.running = true
	b.mu.Unlock()
	if start {
		// The reader serves everybody, so it outlives the request that was first.
		go b.run(context.WithoutCancel(ctx))
	}
	b.changed()
	context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.screens, s)
		b.changed() // lets the reader end when this was the last one
	})
	return s.news
}

// run reads until nobody listens.
func (b *board) run(ctx context.Context) {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		select {
		case <-b.wake:
		case <-t.C:
		}
		stores := b.watched()
		if stores == nil {
			return
		}
		one, cancel := context.WithTimeout(ctx, 5*time.Second)
		revisions, err := b.read(one, stores)
		cancel()
		if err != nil {
			b.log.WarnContext(ctx, "the board's revision was not read; it is tried again", "err", err)
		} else {
			b.tell(revisions)
		}
		time.Sleep(pollGap)
	}
}

// watched are the stores that somebody looks at; nil ends the reader.
func (b *board) watched() []int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := map[int64]bool{}
	var out []int64
	for s := range b.screens {
		if !seen[s.store] {
			seen[s.store] = true
			out = append(out, s.store)
		}
	}
	b.running = len(out) > 0
	return out
}

func (b *board) tell(revisions map[int64]string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.screens {
		now, known := revisions[s.store]
		if !known || now == s.seen {
			continue
		}
		s.seen = now
		select {
		case <-s.news: // nobody took the last one
		default:
		}
		s.news <- now
	}
}
