package fresh

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestValueServesYoungAndReloadsOld(t *testing.T) {
	var v Value[int]
	n := 0
	load := func(context.Context) (int, error) { n++; return n, nil }
	now := time.Unix(1000, 0)
	get := func(at time.Time) int {
		got, err := v.Get(t.Context(), at, load)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, c := range []struct {
		at   time.Time
		want int
	}{{now, 1}, {now.Add(MaxAge - 1), 1}, {now.Add(MaxAge), 2}, {now, 3}} {
		if got := get(c.at); got != c.want {
			t.Errorf("at %v: %d, want %d", c.at, got, c.want)
		}
	}
	v.Forget()
	if got := get(now); got != 4 {
		t.Errorf("after Forget: %d, want 4", got)
	}
	v.Forget()
	if _, err := v.Get(t.Context(), now, func(context.Context) (int, error) { return 0, errors.New("away") }); err == nil {
		t.Error("a failed load must show")
	}
}

func TestValueOldLoadDoesNotOutliveForget(t *testing.T) {
	var v Value[int]
	now := time.Unix(1000, 0)
	got, err := v.Get(t.Context(), now, func(context.Context) (int, error) {
		v.Forget() // a write commits while this load is on its way
		return 1, nil
	})
	if err != nil || got != 1 {
		t.Fatal(got, err)
	}
	if got, _ = v.Get(t.Context(), now, func(context.Context) (int, error) { return 2, nil }); got != 2 {
		t.Errorf("%d: the rows of before the write came back", got)
	}
}

func TestValueOthersGoOnWhileOneLoads(t *testing.T) {
	var v Value[int]
	now := time.Unix(1000, 0)
	_, _ = v.Get(t.Context(), now, func(context.Context) (int, error) { return 1, nil })
	later := now.Add(time.Hour)
	got, err := v.Get(t.Context(), later, func(ctx context.Context) (int, error) {
		inner, err := v.Get(ctx, later, func(context.Context) (int, error) { t.Error("loaded twice"); return 0, nil })
		if inner != 1 || err != nil {
			t.Error("the others must get the old copy", inner, err)
		}
		return 2, nil
	})
	if got != 2 || err != nil {
		t.Error(got, err)
	}
}

func TestRenewServesTheOldUntilTheNewIsThere(t *testing.T) {
	var v Value[int]
	now := time.Unix(1000, 0)
	get := func(want int) {
		t.Helper()
		if got, err := v.Get(t.Context(), now, func(context.Context) (int, error) { return 9, nil }); got != want || err != nil {
			t.Errorf("%d, %v, want %d", got, err, want)
		}
	}
	_, first, _ := v.Edition(t.Context(), now, func(context.Context) (int, error) { return 1, nil })
	v.Renew(t.Context(), now, func(ctx context.Context) (int, error) {
		get(1)
		v.Renew(ctx, now, func(context.Context) (int, error) { return 3, nil }) // a later write is quicker
		get(3)
		return 2, nil
	})
	get(3)
	if _, n, _ := v.Edition(t.Context(), now, nil); n == first || n == 0 {
		t.Errorf("edition %d after %d", n, first)
	}
	v.Renew(t.Context(), now, func(context.Context) (int, error) { return 0, errors.New("away") })
	get(9)
}

func TestEditionOfWhatIsNotKept(t *testing.T) {
	var v Value[int]
	now := time.Unix(1000, 0)
	if got, n, err := v.Edition(t.Context(), now, func(context.Context) (int, error) { v.Forget(); return 1, nil }); got != 1 || n != 0 || err != nil {
		t.Error(got, n, err)
	}
	_, a, _ := v.Edition(t.Context(), now, func(context.Context) (int, error) { return 2, nil })
	_, b, _ := v.Edition(t.Context(), now.Add(MaxAge-1), nil)
	_, c, _ := v.Edition(t.Context(), now.Add(MaxAge), func(context.Context) (int, error) { return 2, nil })
	if a == 0 || a != b || c == b {
		t.Error(a, b, c)
	}
}
