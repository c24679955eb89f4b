package ics

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestCalendarFile(t *testing.T) {
	at := time.Date(2026, 11, 19, 10, 0, 0, 0, time.FixedZone("CST", 8*3600))
	e := Event{UID: "B7@liangche", Sequence: 2, Stamp: at.Add(-time.Hour), Starts: at, Ends: at.Add(45 * time.Minute), Title: "标准洗车；轿车, 沪A12345",
		Location: "静安店 江宁路 888 号; 2 楼", Note: "第一行\n第二行 \\ 完", LatE6: 31_234_567, LngE6: -121_000_004, AlarmMinutes: 60}
	want := strings.Join([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Liangche//Booking//ZH", "CALSCALE:GREGORIAN", "METHOD:PUBLISH", "BEGIN:VEVENT", "UID:B7@liangche",
		"SEQUENCE:2", "DTSTAMP:20261119T010000Z", "DTSTART:20261119T020000Z", "DTEND:20261119T024500Z", `SUMMARY:标准洗车；轿车\, 沪A12345`,
		`LOCATION:静安店 江宁路 888 号\; 2 楼`, `DESCRIPTION:第一行\n第二行 \\ 完`, "GEO:31.234567;-121.000004", "STATUS:CONFIRMED", "TRANSP:OPAQUE", "BEGIN:VALARM",
		"ACTION:DISPLAY", `DESCRIPTION:标准洗车；轿车\, 沪A12345`, "TRIGGER:-PT60M", "END:VALARM", "END:VEVENT", "END:VCALENDAR", ""}, "\r\n")
	if got := e.Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	e.Cancelled = true
	if got := e.Text(); !strings.Contains(got, "STATUS:CANCELLED\r\n") || strings.Contains(got, "VALARM") {
		t.Errorf("a cancelled entry: %s", got)
	}
}

// unfold is the reader's side of RFC 5545, 3.1.
func unfold(s string) []string {
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(s, "\r\n ", ""), "\r\n"), "\r\n")
}

func unescape(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\;`, `;`, `\,`, `,`, `\n`, "\n").Replace(s)
}

// Whatever people write comes back as they wrote it, and nothing they write makes a line of its own.
func TestCalendarTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		title := rapid.StringMatching(`[一-龥a-zA-Z0-9 ,;\\:\n"🚗-]{0,200}`).Draw(t, "title")
		text := rapid.StringMatching("[一-龥 \r\n,;\\\\a-z\x00-\x1f🚗]{0,300}").Draw(t, "text")
		e := Event{UID: "x", Title: title, Note: text}
		got := e.Text()
		for _, l := range strings.Split(strings.TrimSuffix(got, "\r\n"), "\r\n") {
			if len(l) > lineOctets || !utf8.ValidString(l) || strings.ContainsAny(l, "\r\n") {
				t.Fatalf("line of %d octets: %q", len(l), l)
			}
		}
		known := 0
		for _, l := range unfold(got) {
			name, value, ok := strings.Cut(l, ":")
			if !ok {
				t.Fatalf("a line that is none: %q", l)
			}
			switch name {
			case "SUMMARY":
				if back := unescape(value); back != title {
					t.Fatalf("%q came back as %q", title, back)
				}
			case "BEGIN", "END":
				known++
			}
		}
		if known != 4 {
			t.Fatalf("%d begins and ends: %q", known, got)
		}
	})
}
