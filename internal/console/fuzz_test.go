package console

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/memberview"
)

// A search text in the console finds by what it may be, never by less than three characters and never by a wildcard; a cursor that is accepted is one
// that was given out.
func FuzzSearch(f *testing.F) {
	for _, s := range []string{"", "%", "王小明", "W1234567890", "13800008000", "沪A12345", "京12345678", "１２３４５６", "\xff\xff\xff", "1.2", "-1.-1", "1.2.3", "9223372036854775808.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if q, err := parseSearch(s); err != nil && !errors.Is(err, memberview.ErrTooShort) {
			t.Fatal(err)
		} else if err == nil && (strings.ContainsAny(q.no+q.plate+q.phone, "%_!'\\") || q.plate != "" && utf8.RuneCountInString(q.plate) < 3 || len(q.no) > 24) {
			t.Fatalf("%q: %+v", s, q)
		}
		if p, ok, err := parsePlace(s); ok {
			if again, _, err := parsePlace(p.String()); err != nil || again != p {
				t.Fatalf("%q: %+v, then %+v %v", s, p, again, err)
			}
		} else if err != nil && (p != place{}) {
			t.Fatalf("%q: refused, yet %+v", s, p)
		}
	})
}
