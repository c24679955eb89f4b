package memberview

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// A cursor that is accepted is the one that was given out.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "0.0", "1.2", "-1.5", "1", "1.", ".1", "1.2.3", "9223372036854775807.9223372036854775807", "9223372036854775808.1", "+1.1", "a.b", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, ok, err := parseCursor(s)
		if (err != nil || s == "") && (ok || c != cursor{}) || err != nil && !errors.Is(err, ErrCursor) {
			t.Fatalf("%q: %+v %v %v", s, c, ok, err)
		}
		if ok {
			if again, _, err := parseCursor(c.String()); err != nil || again != c {
				t.Fatalf("%q: %+v, then %+v %v", s, c, again, err)
			}
		}
		if id, err := parseID(s); err == nil && s != "" && id <= 0 {
			t.Fatalf("%q: the id %d", s, id)
		}
	})
}

// A search text finds by what it may be: never by less than three characters, never by a wildcard (N32).
func FuzzQuery(f *testing.F) {
	for _, s := range []string{"", "%", "___", "王小明", "1380", "13800008000", "沪A12345", "沪A1", "12%4", "a b", "１２３４", "\xff\xff\xff", "0000-0000-0000", ";1234=?", "' OR 1=1 --"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, names bool) {
		q, err := parseQuery(s, names)
		if err != nil {
			if !errors.Is(err, ErrTooShort) {
				t.Fatal(err)
			}
			return
		}
		if q.name != "" && (!names || utf8.RuneCountInString(q.name) < 2 && strings.ContainsAny(q.name, "%_0123456789")) {
			t.Fatalf("%q: the name %q", s, q.name)
		}
		if q.last4 != "" && (len(q.last4) != 4 || !onlyDigits(q.last4)) || q.card != "" && (len(q.card) < 4 || len(q.card) > 12 || !onlyDigits(q.card)) {
			t.Fatalf("%q: %+v", s, q)
		}
		if q.plate != "" && (utf8.RuneCountInString(q.plate) < 3 || !strings.ContainsAny(q.plate, "0123456789") || strings.ContainsAny(q.plate, "%_!'\\")) {
			t.Fatalf("%q: the plate %q", s, q.plate)
		}
	})
}
