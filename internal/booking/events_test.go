package booking

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// logBook stands for the event log of the database, written by this and by other instances.
type logBook struct {
	mu    sync.Mutex
	n     map[int64]int
	reads atomic.Int64
	down  atomic.Bool
}

func (l *logBook) write(store int64) { l.mu.Lock(); l.n[store]++; l.mu.Unlock() }

func (l *logBook) read(_ context.Context, stores []int64) (map[int64]string, error) {
	l.reads.Add(1)
	if l.down.Load() {
		return nil, errors.New("away")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[int64]string{}
	for _, s := range stores {
		out[s] = fmt.Sprint(l.n[s])
	}
	return out, nil
}

func take(t *testing.T, what string, news <-chan string, want string) time.Duration {
	t.Helper()
	began := time.Now()
	select {
	case got := <-news:
		if got != want {
			t.Fatalf("%s: revision %s, want %s", what, got, want)
		}
	case <-time.After(5 * time.Second):
		t.Fatalf("%s: nothing came", what)
	}
	return time.Since(began)
}

func TestBoardFollowsBothKindsOfChange(t *testing.T) {
	l := &logBook{n: map[int64]int{}}
	b := newBoard(slog.New(slog.DiscardHandler), l.read)
	ctx, leave := context.WithCancel(t.Context())
	one, two, other := b.follow(ctx, 1), b.follow(ctx, 1), b.follow(ctx, 2)
	for _, c := range []<-chan string{one, two, other} {
		take(t, "the revision to begin with", c, "0")
	}
	l.write(1)
	b.changed()
	if d := take(t, "a change made here", one, "1"); d > 300*time.Millisecond {
		t.Errorf("a change made here took %s", d)
	}
	take(t, "the second screen", two, "1")
	l.write(1) // by another instance: nobody wakes us
	if d := take(t, "a change made elsewhere", one, "2"); d > time.Second {
		t.Errorf("a change made elsewhere took %s", d)
	}
	l.down.Store(true)
	time.Sleep(2 * pollEvery)
	l.down.Store(false)
	l.write(1)
	l.write(1)
	time.Sleep(3 * pollEvery)
	take(t, "the screen that did not look gets the newest only", two, "4")
	select {
	case r := <-other:
		t.Errorf("another store's screen got %s", r)
	default:
	}
	leave()
	time.Sleep(3 * pollEvery)
	n := l.reads.Load()
	time.Sleep(3 * pollEvery)
	if l.reads.Load() != n {
		t.Error("the log is read although nobody looks")
	}
	ctx2, leave2 := context.WithCancel(t.Context())
	defer leave2()
	take(t, "somebody looks again", b.follow(ctx2, 1), "4")
}

func TestBoardBearsARush(t *testing.T) {
	l := &logBook{n: map[int64]int{}}
	b := newBoard(slog.New(slog.DiscardHandler), l.read)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	news := b.follow(ctx, 1)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for range 100 {
				l.write(1)
				b.changed()
			}
		})
	}
	wg.Wait()
	last := ""
	for last != "5000" {
		select {
		case last = <-news:
		case <-time.After(5 * time.Second):
			t.Fatalf("the last change was lost after %s", last)
		}
	}
	if n := l.reads.Load(); n > 50 {
		t.Errorf("5000 changes made the log be read %d times", n)
	}
}
