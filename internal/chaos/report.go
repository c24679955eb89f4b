package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/liangche/liangche/internal/gauge"
)

// result is what came of one part.
type result struct {
	part
	c   *chaos
	rnd *rand.Rand // of the part's main line; each worker has its own

	rounds, harms int // harms: how often something was killed, cut, filled
	book          tally
	took          time.Duration
	ready         []time.Duration // from each start to ready
	notes         []string
	skipped       string

	mu       sync.Mutex
	findings []string
}

// tally counts what became of commands.
type tally struct {
	acked      int // answered, done
	refused    int // answered, with a reason that the shop's rules give
	retried    int // tries that had no answer, or one that says to try again
	unanswered int // done before the harm, answered only after it
}

func (t *tally) add(o tally) {
	t.acked, t.refused, t.retried, t.unanswered = t.acked+o.acked, t.refused+o.refused, t.retried+o.retried, t.unanswered+o.unanswered
}

// find notes what must not be.
func (r *result) find(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	if slices.Contains(r.findings, text) {
		return
	}
	r.findings = append(r.findings, text)
	if len(r.findings) <= 40 {
		r.c.say("%s: ✗ %s", r.name, text)
	}
}

// note is what the report says of a part beside its figures.
func (r *result) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

func (r *result) verdict() string {
	switch {
	case r.skipped != "":
		return "skipped: " + r.skipped
	case len(r.findings) > 0:
		return fmt.Sprintf("%d FINDINGS", len(r.findings))
	}
	return "nothing"
}

// late says how many starts took longer than the two seconds that are the goal.
func (r *result) late() {
	n := 0
	for _, d := range r.ready {
		if d > 2*time.Second {
			n++
		}
	}
	if n > 0 {
		r.note("%d of %d starts took longer than 2 s", n, len(r.ready))
	}
}

// slowest is the longest of the times; "" when there is none.
func slowest(all []time.Duration) string {
	if len(all) == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f s", slices.Max(all).Seconds())
}

func rows(results []*result) [][]string {
	out := [][]string{{"part", "rounds", "harms", "acknowledged", "refused", "retried", "done, unanswered", "slowest ready", "found"}}
	for _, r := range results {
		n := func(v int) string { return fmt.Sprint(v) }
		out = append(out, []string{r.name, n(r.rounds), n(r.harms), n(r.book.acked), n(r.book.refused), n(r.book.retried), n(r.book.unanswered), slowest(r.ready), r.verdict()})
	}
	return out
}

// table sets the results in columns, with the notes and the findings below.
func table(results []*result) string {
	var b strings.Builder
	b.WriteString(gauge.Columns(rows(results)))
	for _, r := range results {
		for _, s := range r.notes {
			fmt.Fprintf(&b, "%s: %s\n", r.name, s)
		}
		for _, s := range r.findings {
			fmt.Fprintf(&b, "%s: ✗ %s\n", r.name, s)
		}
	}
	return b.String()
}

// save writes what was found into docs.
func (c *chaos) save() error {
	var md strings.Builder
	fmt.Fprintf(&md, "# Reliability: the last run\n\nWritten by `make chaos ARGS=-save` on %s: %s, seed %d, %s.\n[reliability.md](reliability.md) says what is harmed and what is checked.\n\n",
		c.begin.Format(time.DateOnly), gauge.Machine(), c.seed, time.Since(c.begin).Round(time.Second))
	md.WriteString(gauge.Markdown(rows(c.results)))
	md.WriteByte('\n')
	for _, r := range c.results {
		fmt.Fprintf(&md, "- **%s**: %s.", r.name, r.what)
		for _, s := range r.notes {
			md.WriteString(" " + s + ".")
		}
		md.WriteByte('\n')
		for _, s := range r.findings {
			md.WriteString("  - ✗ " + s + "\n")
		}
	}
	return os.WriteFile(filepath.Join("docs", "reliability-last.md"), []byte(md.String()), 0o644)
}
