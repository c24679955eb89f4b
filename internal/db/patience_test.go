package db

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
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
