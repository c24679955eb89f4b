package main

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/gauge"
)

// goal is one line of the table.
type goal struct {
	id, what    string
	value       float64
	low, high   float64
	format      string // of value, low and high
	want        string
	reached     float64 // how far: 1 is met, more is better; 0 for lines that are for information
	beyond      bool
	left, right string // the two absolute figures, with their CPU time
}

func (g goal) verdict() string {
	switch {
	case g.reached == 0:
		return "—"
	case g.beyond:
		return "beyond"
	case g.reached >= 1:
		return "met"
	}
	return "missed"
}

func (g goal) figure() string {
	if g.low == g.high {
		return fmt.Sprintf(g.format, g.value)
	}
	return fmt.Sprintf(g.format+" ("+g.format+"–"+g.format+")", g.value, g.low, g.high)
}

func absolute(s series) string {
	p, _, _ := s.of(rate)
	c, _, _ := s.of(cost)
	return fmt.Sprintf("%.0f/s, %.0f µs", p, c)
}

func compare(id, what string, a, b series, f func(sample) float64) goal {
	g := goal{id: id, what: what, format: "%.2f", left: absolute(a), right: absolute(b)}
	g.value, g.low, g.high = ratios(a, b, f)
	return g
}

// least adds a goal that a ratio must reach; beyond 0 knows no further step.
func (b *bench) least(id, what string, want, beyond float64, x, y series, f func(sample) float64) {
	g := compare(id, what, x, y, f)
	g.want, g.reached, g.beyond = fmt.Sprintf("≥ %.2f", want), g.value/want, beyond > 0 && g.value >= beyond
	b.goals = append(b.goals, g)
}

// most adds a goal that a ratio must not exceed.
func (b *bench) most(id, what string, want, beyond float64, x, y series, f func(sample) float64) {
	g := compare(id, what, x, y, f)
	g.want, g.reached, g.beyond = fmt.Sprintf("≤ %.2f", want), want/g.value, beyond > 0 && g.value <= beyond
	b.goals = append(b.goals, g)
}

// tails adds a goal that the 99th percentile of all rounds must not exceed, as a ratio; those of single rounds are the noise.
func (b *bench) tails(id, what string, want float64, x, y series) {
	g := compare(id, what, x, y, slow)
	g.value, g.left, g.right = x.tail()/y.tail(), fmt.Sprintf("%.1f ms", x.tail()), fmt.Sprintf("%.1f ms", y.tail())
	g.want, g.reached = fmt.Sprintf("≤ %.2f", want), want/g.value
	b.goals = append(b.goals, g)
}

// times adds a goal that follows from a measured ratio and a recorded one.
func (b *bench) times(id, what string, want, beyond, by float64, x, y series) {
	g := compare(id, what, x, y, rate)
	g.value, g.low, g.high = g.value*by, g.low*by, g.high*by
	g.format, g.want, g.reached, g.beyond = "%.1f", fmt.Sprintf("≥ %.0f", want), g.value/want, g.value >= beyond
	b.goals = append(b.goals, g)
}

// atMost adds a measured figure with its limit and, where there is one, a stricter limit.
func (b *bench) atMost(id, what string, values []float64, format string, want, beyond float64) {
	var s series
	for _, v := range values {
		s = append(s, sample{perSecond: v})
	}
	g := goal{id: id, what: what, format: format, want: "≤ " + fmt.Sprintf(format, want)}
	g.value, g.low, g.high = s.of(rate)
	if want > 0 && g.value > 0 {
		g.reached, g.beyond = want/g.value, beyond > 0 && g.value <= beyond
	} else {
		g.want = ""
	}
	b.goals = append(b.goals, g)
}

// exactly adds a count that must be the same in every round.
func (b *bench) exactly(id, what string, values []float64, want float64) {
	var s series
	for _, v := range values {
		s = append(s, sample{perSecond: v})
	}
	g := goal{id: id, what: what, format: "%.0f", want: fmt.Sprintf("= %.0f", want)}
	g.value, g.low, g.high = s.of(rate)
	g.reached = 0.5
	if g.low == want && g.high == want {
		g.reached = 1
	}
	b.goals = append(b.goals, g)
}

func header() [][]string {
	return [][]string{{"", "goal", "figure (min–max)", "met at", "", "measured", "against"}}
}

func rows(goals []goal) [][]string {
	out := header()
	for _, g := range goals {
		out = append(out, []string{g.id, g.what, g.figure(), g.want, g.verdict(), g.left, g.right})
	}
	return out
}

// save writes the table and the chart into docs.
func (b *bench) save() error {
	var md strings.Builder
	fmt.Fprintf(&md, "# Performance: the last run\n\nWritten by `go run ./internal/bench -save` on %s: %s; %d interleaved rounds of %s a variant, medians. Ratios of one run are what counts;\n"+
		"absolute figures depend on the machine and on what else it does. CPU time is that of client and database together.\n\n![chart](performance-last.svg)\n\n",
		b.begin.Format(time.DateOnly), gauge.Machine(), b.rounds, b.length)
	md.WriteString(gauge.Markdown(rows(b.goals)))
	if err := os.WriteFile(filepath.Join("docs", "performance-last.md"), []byte(md.String()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("docs", "performance-last.svg"), []byte(chart(b.goals)), 0o644)
}

// chart draws how far each goal is reached: the line at 1 is the goal, longer is better.
func chart(goals []goal) string {
	const left, unit, height, most = 430.0, 260.0, 26.0, 1.9
	var shown []goal
	for _, g := range goals {
		if g.reached > 0 {
			shown = append(shown, g)
		}
	}
	bottom := 40 + height*float64(len(shown))
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1040 %.0f" font-family="sans-serif" font-size="12">`+"\n", bottom+24)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/><text x="12" y="22" font-size="14" font-weight="bold">How far each goal is reached (1 = met, longer is better)</text>`+"\n")
	for i, g := range shown {
		y := 40 + height*float64(i)
		color := "#0B7A75"
		if g.reached < 1 {
			color = "#C2410C"
		}
		fmt.Fprintf(&b, `<text x="12" y="%.0f">%s</text><rect x="%.0f" y="%.0f" width="%.1f" height="%.0f" fill="%s"/>`, y+14, html.EscapeString(short(g.id+" "+g.what, 68)), left, y+3, unit*min(g.reached, most), height-10, color)
		fmt.Fprintf(&b, `<text x="%.1f" y="%.0f">%s</text>`+"\n", left+unit*min(g.reached, most)+6, y+14, html.EscapeString(fmt.Sprintf(g.format, g.value)+"  ("+g.want+")"))
	}
	fmt.Fprintf(&b, `<line x1="%[1]f" y1="34" x2="%[1]f" y2="%[2]f" stroke="#111" stroke-dasharray="4 3"/></svg>`+"\n", left+unit, bottom+4)
	return b.String()
}

func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
