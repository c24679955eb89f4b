// Package bizday turns instants into a store's business dates.
//
// Model: a business date is "2006-01-02" in the store's time zone, computed when something is written and stored with it.
// Owns: nothing. Invariants: a stored business date never changes when a store's zone is edited later.
package bizday

import (
	"sync"
	"time"
	_ "time/tzdata" // a fresh Debian or a scratch container may lack the zone files
)

// DefaultZone is the zone of every store in China.
const DefaultZone = "Asia/Shanghai"

// Of is the business date of t in zone; an unknown zone counts as DefaultZone.
func Of(t time.Time, zone string) string { return t.In(Location(zone)).Format(time.DateOnly) }

// china is DefaultZone, or a fixed +08:00 where it cannot be loaded. Loading reads and parses a file, so it is done once.
var china = sync.OnceValue(func() *time.Location {
	if l, err := time.LoadLocation(DefaultZone); err == nil {
		return l
	}
	return time.FixedZone("CST", 8*3600)
})

// zones are those that were loaded before, by name: a search for a free time asks a thousand times.
var zones sync.Map

// Location loads zone, falling back to DefaultZone.
func Location(zone string) *time.Location {
	if zone == "" || zone == DefaultZone {
		return china()
	}
	if l, ok := zones.Load(zone); ok {
		return l.(*time.Location)
	}
	l, err := time.LoadLocation(zone)
	if err != nil {
		return china()
	}
	zones.Store(zone, l)
	return l
}

// Valid says whether s is a real calendar date.
func Valid(s string) bool {
	t, err := time.Parse(time.DateOnly, s)
	return err == nil && t.Format(time.DateOnly) == s
}

// Bounds are the first instant of date in zone and the first one of the next date. Fault: a parse error.
func Bounds(date, zone string) (from, to time.Time, err error) {
	from, err = time.ParseInLocation(time.DateOnly, date, Location(zone))
	return from, from.AddDate(0, 0, 1), err
}

// At is the instant at which the wall clock of zone shows minute of date; minutes past 1440 belong to the days after. A time
// that a change of the clock skips is the instant of the change; one that it repeats is the first. Fault: a parse error.
func At(date string, minute int, zone string) (time.Time, error) {
	wall, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return wall, err
	}
	wall = wall.Add(time.Duration(minute) * time.Minute)
	loc := Location(zone)
	offset := func(t time.Time) time.Duration {
		_, s := t.In(loc).Zone()
		return time.Duration(s) * time.Second
	}
	shown := func(t time.Time) bool { return wall.Sub(t) == offset(t) }
	before, after := wall.Add(-offset(wall.AddDate(0, 0, -1))), wall.Add(-offset(wall.AddDate(0, 0, 1)))
	switch {
	case shown(before):
		return before, nil
	case shown(after):
		return after, nil
	}
	change, _ := before.In(loc).ZoneBounds()
	return change.UTC(), nil
}

// Add is the date n days after date, which must be valid.
func Add(date string, n int) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return t.AddDate(0, 0, n).Format(time.DateOnly)
}

// Weekday is the day of the week of date, which must be valid.
func Weekday(date string) time.Weekday {
	t, _ := time.Parse(time.DateOnly, date) // zero for what is no date
	return t.Weekday()
}
