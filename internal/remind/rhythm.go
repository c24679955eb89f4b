package remind

import (
	"slices"

	"github.com/liangche/liangche/internal/bizday"
)

// Wash is one wash of a car: that a bill with one was settled, and not taken back.
type Wash struct {
	MemberID int64
	Plate    string
	Day      string
	Store    string
}

// Rhythm is how often a car comes.
type Rhythm struct {
	Every int    // days, the median between two washes
	Last  string // the latest wash
	Next  string // when the next one would be usual
	Gone  string // from that day on the car comes no more, as far as one can tell
}

const (
	// recentWashes is how many washes count: habits change.
	recentWashes = 11
	// washesSince is how many days back washes are looked for.
	washesSince = 400
	// goneAfter is the longest silence after which a car may still be called.
	goneAfter = 120
	// washLate is for how many days after its day a reminder still makes sense.
	washLate = 14
)

// rhythmOf finds the rhythm in the days of a car's washes. Several washes on a day are one. ok is false when there are fewer than least. It is pure.
func rhythmOf(washes []string, least int) (r Rhythm, ok bool) {
	list := slices.Clone(washes)
	slices.Sort(list)
	list = slices.Compact(list)
	if len(list) < max(least, 2) {
		return r, false
	}
	list = list[max(len(list)-recentWashes, 0):]
	gaps := make([]int, 0, len(list)-1)
	for i := 1; i < len(list); i++ {
		gaps = append(gaps, days(list[i-1], list[i]))
	}
	slices.Sort(gaps)
	mid := gaps[len(gaps)/2]
	if len(gaps)%2 == 0 {
		mid = (gaps[len(gaps)/2-1] + mid) / 2
	}
	r = Rhythm{Every: mid, Last: list[len(list)-1]}
	r.Next = bizday.Add(r.Last, mid)
	r.Gone = bizday.Add(r.Last, min(max(3*mid, mid+washLate), goneAfter))
	return r, true
}

// washDue is when a car is to be reminded: some days after its usual day. until is the last day on which that makes sense, "" when it never does. It is pure.
func (r Rhythm) washDue(after int) (on, until string) {
	on = bizday.Add(r.Next, after)
	until = min(bizday.Add(on, washLate), bizday.Add(r.Gone, -1))
	if until < on {
		return on, ""
	}
	return on, until
}
