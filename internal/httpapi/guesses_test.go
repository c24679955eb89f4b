package httpapi_test

import (
	"context"
	"errors"
	"fmt"
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
