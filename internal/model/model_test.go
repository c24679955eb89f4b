package model

import (
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db/dbtest"
)

var (
	seeds = flag.Int("seeds", 200, "how many histories TestModel runs")
	seed  = flag.Int64("seed", -1, "run this history alone, and tell it")
	steps = flag.String("steps", "", "with -seed: only these of its steps, as a failure prints them")
)

const (
	shared  = 50                   // so many histories share a database
	audited = 10                   // and so many an audit
	apart   = 240 * 24 * time.Hour // the clock between them: none sees what another left to be done, and each begins at an instant of its own
)

// begins is when the history of a seed begins: always the same, so that its replay is.
func begins(seed uint64) time.Time {
	return dbtest.Start.Add(time.Duration(seed%shared) * apart)
}

// TestModel is the model test: see the comment of the package.
func TestModel(t *testing.T) {
	if *seed >= 0 {
		replay(t, uint64(*seed))
		return
	}
	var w *world
	answers := map[string]int{}
	for s := range uint64(*seeds) {
		if s%shared == 0 {
			w = open(t, begins(s))
		}
		w.clk.Set(begins(s))
		h, err := w.run(s, plan(s))
		if err == nil && (s%audited == audited-1 || s == uint64(*seeds)-1) {
			if err := w.audited(); err != nil {
				blame(t, s, err)
			}
		}
		if err != nil {
			explain(t, s, h, err)
		}
		for code, n := range h.answered {
			answers[code] += n
		}
	}
	t.Logf("%d histories; commands by what they answered: %v", *seeds, answers)
}

// blame finds out which of the histories since the last audit spoiled the books.
func blame(t *testing.T, last uint64, found error) {
	for s := last - last%audited; s <= last; s++ {
		if h, err := fresh(t, s, plan(s)); err != nil {
			explain(t, s, h, err)
		}
	}
	t.Fatalf("after seeds %d to %d, though after none of them alone: %v", last-last%audited, last, found)
}

// explain ends the test with the smallest history that still fails and how to repeat it.
func explain(t *testing.T, s uint64, h *history, err error) {
	small := shrink(t, s, plan(s))
	t.Fatalf("seed %d: %v\n\nthe last of it:\n%s\n\nreplay it with\n  go test ./internal/model -run 'TestModel$' -seed %d -steps %s", s, err, tail(h.said, 12), s, list(small))
}

// fresh runs steps of a seed on a database of their own, with an audit at the end.
func fresh(t *testing.T, s uint64, steps []step) (*history, error) {
	w := open(t, begins(s))
	h, err := w.run(s, steps)
	if err == nil {
		err = w.audited()
	}
	return h, err
}

// replay runs one history, or some of its steps, on a database of its own.
func replay(t *testing.T, s uint64) {
	all := plan(s)
	keep := make([]int, len(all))
	for i := range keep {
		keep[i] = i
	}
	if *steps != "" {
		keep = nil
		for x := range strings.SplitSeq(*steps, ",") {
			n, err := strconv.Atoi(x)
			if err != nil || n < 0 || n >= len(all) {
				t.Fatalf("-steps %s: seed %d has steps 0 to %d", *steps, s, len(all)-1)
			}
			keep = append(keep, n)
		}
	}
	h, err := fresh(t, s, pick(all, keep))
	t.Logf("seed %d:\n%s", s, strings.Join(h.said, "\n"))
	if err != nil {
		t.Fatal(err)
	}
}

// shrink leaves out what a failure does not need: what came after it, then halves, quarters … of the rest, as long as anything still fails.
func shrink(t *testing.T, s uint64, all []step) []int {
	fails := func(keep []int) bool {
		_, err := fresh(t, s, pick(all, keep))
		return err != nil
	}
	keep := make([]int, len(all))
	for i := range keep {
		keep[i] = i
	}
	for tries, size := 0, len(keep)/2; size > 0; size /= 2 {
		for from := len(keep) - size; from >= 0 && tries < 60; from -= size {
			less := slices.Delete(slices.Clone(keep), from, from+size)
			if tries++; fails(less) {
				keep = less
			}
		}
	}
	return keep
}

func pick(all []step, keep []int) (out []step) {
	for _, i := range keep {
		out = append(out, all[i])
	}
	return out
}

func list(keep []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(keep), " ", ","), "[]")
}

func tail(lines []string, n int) string { return strings.Join(lines[max(0, len(lines)-n):], "\n") }
