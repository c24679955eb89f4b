package db

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// On a machine that computes something else, each turn of the scheduler takes long: a leader must not spend a thousand of them on company
// while somebody waits for it.
func TestGivingWayEndsOnABusyMachine(t *testing.T) {
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 4 * runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for n := 0; !stop.Load(); n++ {
				_ = n
			}
		})
	}
	defer wg.Wait()
	defer stop.Store(true)
	g := gathering[*int]{patience: 1000, waiting: []*int{new(int)}}
	begin := time.Now()
	g.giveWay(2)
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("gave way for %v to one who did not come", d)
	}
}

// A second batch is begun beside a running one only when it is worth it: when as many wait as that one holds, or when it is held up.
func TestASecondBatchIsWorthIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var sizes []int
		free := make(chan struct{})
		g := &gathering[*int]{leaders: 2}
		g.serve = func(batch []*int) {
			mu.Lock()
			sizes = append(sizes, len(batch))
			mu.Unlock()
			<-free
		}
		step := func(join, release int, want ...int) {
			t.Helper()
			for range join {
				g.join(new(int))
			}
			for range release {
				free <- struct{}{}
				synctest.Wait()
			}
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(sizes, want) {
				t.Fatalf("batches of %v, want %v", sizes, want)
			}
		}
		step(1, 0, 1)
		step(1, 0, 1, 1)
		step(4, 0, 1, 1)
		step(0, 2, 1, 1, 4) // the second leader finds nobody
		step(3, 0, 1, 1, 4) // too few beside four
		step(1, 0, 1, 1, 4, 4)
		step(3, 1, 1, 1, 4, 4) // the first leader finds too few
		time.Sleep(maxDelay + time.Millisecond)
		step(0, 0, 1, 1, 4, 4, 3)
		step(2, 1, 1, 1, 4, 4, 3)
		step(0, 1, 1, 1, 4, 4, 3, 2) // none runs any more: they wait for nobody
		close(free)
		synctest.Wait()
		if waiting, leading := g.now(); waiting+leading+g.serving != 0 {
			t.Errorf("%d wait, %d lead, %d in hand", waiting, leading, g.serving)
		}
	})
}
