package booking

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
)

// N18: 2,000 owners want 40 places at the same moment: 4 bays, 10 starts. Exactly 40 win, nobody twice, every bay at most once at a time; each loser is
// shown times that were free elsewhere.
func TestN18StampedeThroughTheService(t *testing.T) {
	if testing.Short() {
		t.Skip("needs half a minute")
	}
	const people, bays, starts = 2000, 4, 10
	r := newRig(t, bays, bays)
	r.set(setting.BookingStepMinutes, "30")
	_, _, err := r.shops.SetDay(r.staff(), shop.DayInput{StoreID: r.store, Day: r.day(1), Kind: shop.DaySpecial, Opens: 10 * 60, Closes: 15 * 60})
	must(t, err)
	all := make([]owner, people)
	var setup sync.WaitGroup
	for w := range 8 {
		setup.Go(func() {
			for i := w; i < people; i += 8 {
				all[i] = r.owner()
			}
		})
	}
	setup.Wait()
	if t.Failed() {
		return
	}

	type result struct {
		b   Booking
		err error
	}
	results := make([]result, people)
	var ready, gun, done sync.WaitGroup
	gun.Add(1)
	for i, o := range all {
		start, ctx := r.at(1, 10, 30*rand.N(starts)), o.ctx()
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			gun.Wait()
			b, err := r.Create(ctx, o.ask(start))
			results[i] = result{b, err}
		})
	}
	ready.Wait()
	began := time.Now()
	gun.Done()
	done.Wait()
	took := time.Since(began)

	won, shown := 0, 0
	taken := map[[2]int64]bool{}
	for i, x := range results {
		if x.err == nil {
			won++
			s := x.b.Segments[0]
			for _, id := range []int64{s.BayID, s.TechnicianID} {
				for c := s.FromCell; c < s.ToCell; c++ {
					if taken[[2]int64{id, c}] {
						t.Errorf("resource %d is taken twice at cell %d", id, c)
					}
					taken[[2]int64{id, c}] = true
				}
			}
			continue
		}
		if !errors.Is(x.err, ErrGone) {
			t.Fatalf("owner %d lost by %v", i, x.err)
		}
		if alt, ok := fault.As(x.err).Detail.(Alternatives); ok && len(alt.Alternatives) == 3 {
			shown++
		}
	}
	if won != bays*starts {
		t.Errorf("%d winners, want %d", won, bays*starts)
	}
	if shown != people-won {
		t.Errorf("%d of %d losers were shown three alternatives", shown, people-won)
	}
	if n := r.count(`SELECT COUNT(*) FROM booking_bookings`); n != int64(won) {
		t.Errorf("%d bookings for %d winners", n, won)
	}
	if got := all[0].slots(1); len(got) != 0 {
		t.Errorf("still offered: %v", got)
	}
	t.Logf("%d owners, %d places: %v", people, won, took.Round(time.Millisecond))
	r.sound()
}
