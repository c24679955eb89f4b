// Package ics writes calendar files.
//
// Model: an Event is one entry; its Text is an iCalendar file (RFC 5545) that every phone's calendar takes.
// Owns: nothing. Invariants: whatever people write comes back as they wrote it, and nothing that they write makes a line of its own; instants are in
// UTC, so that every phone shows them in its own zone and no zone table can be out of date.
package ics

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Event is an entry of a calendar.
type Event struct {
	UID          string // the same for ever, so that what has changed replaces its old entry
	Sequence     int64  // grows with every change
	Stamp        time.Time
	Starts, Ends time.Time
	Title        string
	Location     string
	Note         string
	LatE6, LngE6 int64 // both 0: unknown
	Cancelled    bool
	AlarmMinutes int64 // before the start; 0 none
}

// Text is the file.
func (e Event) Text() string {
	var b strings.Builder
	put := func(name, value string) { fold(&b, name+":"+value) }
	put("BEGIN", "VCALENDAR")
	put("VERSION", "2.0")
	put("PRODID", "-//Liangche//Booking//ZH")
	put("CALSCALE", "GREGORIAN")
	put("METHOD", "PUBLISH")
	put("BEGIN", "VEVENT")
	put("UID", escapeText(e.UID))
	put("SEQUENCE", fmt.Sprint(e.Sequence))
	put("DTSTAMP", utcStamp(e.Stamp))
	put("DTSTART", utcStamp(e.Starts))
	put("DTEND", utcStamp(e.Ends))
	put("SUMMARY", escapeText(e.Title))
	if e.Location != "" {
		put("LOCATION", escapeText(e.Location))
	}
	if e.Note != "" {
		put("DESCRIPTION", escapeText(e.Note))
	}
	if e.LatE6 != 0 || e.LngE6 != 0 {
		put("GEO", degrees(e.LatE6)+";"+degrees(e.LngE6))
	}
	if e.Cancelled {
		put("STATUS", "CANCELLED")
	} else {
		put("STATUS", "CONFIRMED")
		put("TRANSP", "OPAQUE")
		if e.AlarmMinutes > 0 {
			put("BEGIN", "VALARM")
			put("ACTION", "DISPLAY")
			put("DESCRIPTION", escapeText(e.Title))
			put("TRIGGER", fmt.Sprintf("-PT%dM", e.AlarmMinutes))
			put("END", "VALARM")
		}
	}
	put("END", "VEVENT")
	put("END", "VCALENDAR")
	return b.String()
}

func utcStamp(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

// degrees writes millionths of a degree as a decimal.
func degrees(e6 int64) string {
	sign := ""
	if e6 < 0 {
		sign, e6 = "-", -e6
	}
	return fmt.Sprintf("%s%d.%06d", sign, e6/1_000_000, e6%1_000_000)
}

// escapeText makes a value of the type TEXT: backslash, semicolon, comma and line break are escaped, other control characters have no place.
func escapeText(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\\' || r == ';' || r == ',':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' && r != '\t', r == 0x7f, r == utf8.RuneError:
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// lineOctets is how long a line may be, without its end.
const lineOctets = 75

// fold writes a line, broken where it grows too long: never inside a character, each piece after the first behind a space.
func fold(b *strings.Builder, line string) {
	room := lineOctets
	for len(line) > room {
		cut := room
		for !utf8.RuneStart(line[cut]) {
			cut--
		}
		b.WriteString(line[:cut] + "\r\n ")
		line, room = line[cut:], lineOctets-1
	}
	b.WriteString(line + "\r\n")
}
