package bizday

import (
	"testing"
	"time"
)

// The clock of a zone may skip an hour, repeat one, or do so at midnight.
func TestAt(t *testing.T) {
	for _, c := range []struct {
		zone, day string
		minute    int
		want      string
	}{
		{"Asia/Shanghai", "2026-11-18", 0, "2026-11-17T16:00:00Z"},
		{"Asia/Shanghai", "2026-11-18", 1500, "2026-11-18T17:00:00Z"},
		{"Asia/Shanghai", "2026-11-18", 2880, "2026-11-19T16:00:00Z"},
		{"no/where", "2026-11-18", 60, "2026-11-17T17:00:00Z"},
		// New York: 2026-03-08 has 23 hours, 02:00 to 03:00 is skipped.
		{"America/New_York", "2026-03-08", 60, "2026-03-08T06:00:00Z"},
		{"America/New_York", "2026-03-08", 120, "2026-03-08T07:00:00Z"},
		{"America/New_York", "2026-03-08", 150, "2026-03-08T07:00:00Z"},
		{"America/New_York", "2026-03-08", 180, "2026-03-08T07:00:00Z"},
		{"America/New_York", "2026-03-08", 1440, "2026-03-09T04:00:00Z"},
		{"America/New_York", "2026-03-07", 1440 + 150, "2026-03-08T07:00:00Z"},
		// 2026-11-01 has 25 hours, 01:00 to 02:00 comes twice.
		{"America/New_York", "2026-11-01", 0, "2026-11-01T04:00:00Z"},
		{"America/New_York", "2026-11-01", 60, "2026-11-01T05:00:00Z"},
		{"America/New_York", "2026-11-01", 90, "2026-11-01T05:30:00Z"},
		{"America/New_York", "2026-11-01", 120, "2026-11-01T07:00:00Z"},
		{"Europe/Berlin", "2026-03-29", 150, "2026-03-29T01:00:00Z"},
		{"Europe/Berlin", "2026-03-29", 180, "2026-03-29T01:00:00Z"},
		{"Europe/Berlin", "2026-10-25", 150, "2026-10-25T00:30:00Z"},
		{"Europe/Berlin", "2026-10-25", 180, "2026-10-25T02:00:00Z"},
		// Beirut's clock skips the first hour of the day.
		{"Asia/Beirut", "2026-03-29", 0, "2026-03-28T22:00:00Z"},
	} {
		got, err := At(c.day, c.minute, c.zone)
		if err != nil || got.Format(time.RFC3339) != c.want {
			t.Errorf("%s %s minute %d: %s %v, want %s", c.zone, c.day, c.minute, got.Format(time.RFC3339), err, c.want)
		}
	}
	if _, err := At("2026-02-30", 0, DefaultZone); err == nil {
		t.Error("a day that is none")
	}
}

func TestDays(t *testing.T) {
	if Add("2026-02-28", 1) != "2026-03-01" || Add("2027-01-01", -1) != "2026-12-31" || Add("x", 1) != "x" || Weekday("2026-11-18") != time.Wednesday {
		t.Error(Add("2026-02-28", 1), Weekday("2026-11-18"))
	}
}

func BenchmarkAt(b *testing.B) {
	for _, zone := range []string{DefaultZone, "America/New_York"} {
		b.Run(zone, func(b *testing.B) {
			for b.Loop() {
				if _, err := At("2026-11-18", 600, zone); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
