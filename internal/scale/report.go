package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"
)

// line is a figure with the limit that it is held against.
type line struct {
	id, what, figure, want, verdict, detail string
}

func (s *scale) line(id, what string, value float64, format string, most float64, detail string) {
	l := line{id: id, what: what, figure: fmt.Sprintf(format, value), detail: detail}
	if most > 0 {
		l.want, l.verdict = "≤ "+fmt.Sprintf(format, most), "met"
		if value > most {
			l.verdict = "MISSED"
		}
	}
	s.lines = append(s.lines, l)
}

// holds adds something that is so or is not.
func (s *scale) holds(what string, ok bool, detail string) {
	l := line{id: "fleet", what: what, figure: "yes", want: "yes", verdict: "met", detail: detail}
	if !ok {
		l.figure, l.verdict = "no", "MISSED"
	}
	s.lines = append(s.lines, l)
}

// fact adds a sentence to the report and says it.
func (s *scale) fact(format string, args ...any) {
	s.facts = append(s.facts, fmt.Sprintf(format, args...))
	s.say("%s", s.facts[len(s.facts)-1])
}

func (s *scale) rows() [][]string {
	out := [][]string{{"", "what", "figure", "met at", "", "detail"}}
	for _, l := range s.lines {
		out = append(out, []string{l.id, l.what, l.figure, l.want, l.verdict, l.detail})
	}
	return out
}

func (s *scale) table() string {
	all := s.rows()
	width := make([]int, len(all[0]))
	for _, r := range all {
		for i, c := range r {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	for _, r := range all {
		for i, c := range r {
			b.WriteString(c + strings.Repeat(" ", width[i]-utf8.RuneCountInString(c)+2))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// save writes the figures into docs.
func (s *scale) save() error {
	var md strings.Builder
	fmt.Fprintf(&md, "# Scale: the last run\n\nWritten by `make scale ARGS=-save` on %s: %s, %d cores, %s, %s. Client, program and database shared the machine.\n\n",
		s.begin.Format(time.DateOnly), processor(), runtime.NumCPU(), runtime.GOOS+"/"+runtime.GOARCH, runtime.Version())
	for i, r := range s.rows() {
		md.WriteString("| " + strings.Join(r, " | ") + " |\n")
		if i == 0 {
			md.WriteString(strings.Repeat("|---", len(r)) + "|\n")
		}
	}
	md.WriteByte('\n')
	for _, f := range s.facts {
		md.WriteString("- " + f + "\n")
	}
	return os.WriteFile(filepath.Join("docs", "scale-last.md"), []byte(md.String()), 0o644)
}

// processor names the machine's processor where /proc tells it.
func processor() string {
	b, _ := os.ReadFile("/proc/cpuinfo") // unknown elsewhere
	for l := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return "unknown processor"
}
