package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/gauge"
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

// save writes the figures into docs.
func (s *scale) save() error {
	var md strings.Builder
	fmt.Fprintf(&md, "# Scale: the last run\n\nWritten by `make scale ARGS=\"-members %d -save\"` on %s: %s. Client, program and database shared the machine.\n\n",
		s.members, s.begin.Format(time.DateOnly), gauge.Machine())
	md.WriteString(gauge.Markdown(s.rows()))
	md.WriteByte('\n')
	for _, f := range s.facts {
		md.WriteString("- " + f + "\n")
	}
	return os.WriteFile(filepath.Join("docs", "scale-last.md"), []byte(md.String()), 0o644)
}
