package ics

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Whatever people write stays inside its line: the file has the lines of its kind and no others, none longer than 75 octets.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "洗车", "a;b,c\\d", "x\r\nBEGIN:VALARM", "x\nEND:VCALENDAR", strings.Repeat("洗", 200), "\xff\xfe", "\u2028", "a\x00b", strings.Repeat("\U0001F697", 40)} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, title, note string) {
		text := Event{UID: "b1@x", Title: title, Note: note, Location: note, Starts: time.Unix(1700000000, 0), Ends: time.Unix(1700003600, 0), AlarmMinutes: 60}.Text()
		if !utf8.ValidString(text) || !strings.HasSuffix(text, "\r\n") {
			t.Fatalf("%q", text)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
			if len(line) > lineOctets || strings.ContainsAny(line, "\r\n\x00") {
				t.Fatalf("the line %q", line)
			}
		}
		for _, once := range []string{"BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VALARM", "UID:b1@x"} {
			if strings.Count("\r\n"+text, "\r\n"+once+"\r\n") != 1 {
				t.Fatalf("%s stands there otherwise than once: %q", once, text)
			}
		}
	})
}
