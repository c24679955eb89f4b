package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
)

func TestGuesses(t *testing.T) {
	g, at := httpapi.NewGuesses(), time.Unix(1_700_000_000, 0)
	as := func(member int64, ip string) context.Context {
		return actor.With(t.Context(), actor.Actor{Kind: actor.Owner, ID: member + 100, MemberID: member, IP: ip})
	}
	tries := func(ctx context.Context, n int) (ok int) {
		for range n {
			err := g.Allow(ctx, at)
			if err == nil {
				ok++
			} else if !errors.Is(err, fault.ErrTooMany) || fault.As(err).Message == fault.ErrTooMany.Message {
				t.Fatal("what people read should say what to do: ", err)
			}
		}
		return ok
	}
	if n := tries(as(1, "10.0.0.1"), 20); n != 10 {
		t.Errorf("one person tried %d times", n)
	}
	if n := tries(as(1, "10.0.0.2"), 20); n != 0 {
		t.Errorf("%d more from another phone", n)
	}
	var sum int
	for m := range int64(20) {
		sum += tries(as(m+10, "10.0.0.1"), 10)
	}
	if sum != 50 {
		t.Errorf("%d tries from one address beside the first ten", sum)
	}
	at = at.Add(time.Minute)
	if n := tries(as(1, "10.0.0.9"), 20); n != 6 {
		t.Errorf("%d tries after a minute", n)
	}
	if n := tries(as(77, fmt.Sprint("10.0.0.", 3)), 3); n != 3 {
		t.Errorf("somebody else had %d tries", n)
	}
}

// What exists costs nothing, however often it is looked up; what does not is dammed as any guess is, also when the guesses come at once.
func TestTryCountsWhatIsWrong(t *testing.T) {
	g, at := httpapi.NewGuesses(), time.Unix(1_700_000_000, 0)
	wrong, other := errors.New("no such code"), errors.New("over")
	as := func(member int64) context.Context {
		return actor.With(t.Context(), actor.Actor{Kind: actor.Owner, ID: member, MemberID: member, IP: "10.0.0.1"})
	}
	try := func(member int64, err error) error {
		got, e := httpapi.Try(as(member), g, at, func() (int, error) { return 7, err }, wrong)
		if e == nil && got != 7 {
			t.Errorf("got %d", got)
		}
		return e
	}
	for n := range 200 {
		if err := try(1, nil); err != nil {
			t.Fatalf("look %d: %v", n, err)
		}
		if err := try(1, other); !errors.Is(err, other) {
			t.Fatalf("look %d: %v", n, err)
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	counts := map[error]int{}
	for range 50 {
		wg.Go(func() {
			err := try(2, fmt.Errorf("coupon: %w", wrong))
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, wrong) {
				counts[wrong]++
			} else if errors.Is(err, fault.ErrTooMany) {
				counts[fault.ErrTooMany]++
			} else {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if counts[wrong] != 10 || counts[fault.ErrTooMany] != 40 {
		t.Errorf("%v", counts)
	}
	if err := try(2, nil); !errors.Is(err, fault.ErrTooMany) {
		t.Errorf("who has guessed too often sees what exists: %v", err)
	}
	for m := range int64(5) { // the address has fifty left
		for range 10 {
			if err := try(10+m, wrong); !errors.Is(err, wrong) {
				t.Fatal(err)
			}
		}
	}
	if err := try(99, nil); !errors.Is(err, fault.ErrTooMany) {
		t.Errorf("the address has nothing left: %v", err)
	}
}

// A line of IPv6 has 2⁶⁴ addresses: it is one, and a flood of others is not looked through at each call.
func TestLimiterCountsNetworks(t *testing.T) {
	l, at := httpapi.NewLimiter(time.Second, 5), time.Unix(1_700_000_000, 0)
	ok := 0
	for n := range 20 {
		if l.Allow(at, fmt.Sprintf("2001:db8:0:1::%x", n)) == nil {
			ok++
		}
	}
	if ok != 5 {
		t.Errorf("%d calls from one line", ok)
	}
	for n := range 50_000 {
		if err := l.Allow(at, fmt.Sprintf("2001:db8:%x:%x::1", n>>12, n&0xfff+0x1000)); err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
	}
	if l.Allow(at, "2001:db8:0:1::ffff") == nil {
		t.Error("the flood made the limiter forget")
	}
}
