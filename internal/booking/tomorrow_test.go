package booking

import (
	"slices"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
)

// N29: the evening before, once; made up for until midnight, and never for who knows anyway.
func TestN29TheEveningBefore(t *testing.T) {
	r := liveRig(t, 4, 4)
	r.set(setting.BookingMaxOpen, 20)
	known, late, moved, today, after := r.owner(), r.owner(), r.owner(), r.owner(), r.owner()
	told := func(o owner, want int) {
		t.Helper()
		n := 0
		for _, e := range r.messages(o.id) {
			if e == notify.BookingTomorrow {
				n++
			}
		}
		if n != want {
			t.Errorf("told %d times of tomorrow, want %d", n, want)
		}
	}
	b := known.booked(r.at(1, 10, 0))
	toMove := moved.booked(r.at(1, 11, 0))
	today.booked(r.at(0, 19, 0))
	after.booked(r.at(2, 10, 0))
	r.clk.Set(r.at(0, 17, 59))
	r.minute()
	told(known, 0)
	_, err := r.Reschedule(moved.ctx(), moved.id, toMove.ID, r.at(1, 14, 0), 0)
	must(t, err)
	r.clk.Set(r.at(0, 18, 0))
	for range 3 {
		r.minute()
	}
	told(known, 1)
	told(moved, 1)
	late.booked(r.at(1, 12, 0))
	_, err = r.Reschedule(moved.ctx(), moved.id, toMove.ID, r.at(1, 15, 0), 0)
	must(t, err)
	r.later(time.Hour)
	told(late, 0)  // just booked
	told(moved, 1) // just moved
	told(today, 0)
	told(after, 0)
	var until []int64
	must(t, r.db.Select(t.Context(), &until, `SELECT until_at FROM notify_messages WHERE event = 'booking_tomorrow' AND member_id = ?`, known.id))
	if !slices.Equal(until, []int64{r.at(1, 0, 0).UnixMilli()}) {
		t.Errorf("stale at %v, want midnight", until)
	}
	if !slices.Contains(r.kinds(b.ID), EventTomorrow) {
		t.Errorf("log: %v", r.kinds(b.ID))
	}
	r.clk.Set(r.at(1, 23, 59)) // nothing ran all day: of the day after tomorrow, now tomorrow, there is one minute left
	r.minute()
	told(after, 1)
	r.sound()
}

// What an outage of a whole night left out is not made up for: the reminder before the start tells of it.
func TestN29TomorrowIsNotToldToday(t *testing.T) {
	r := liveRig(t, 1, 1)
	o := r.owner()
	o.booked(r.at(1, 10, 0))
	r.clk.Set(r.at(1, 0, 1))
	r.minute()
	r.clk.Set(r.at(0, 9, 30)) // of the new day
	r.minute()
	if got := r.messages(o.id); !slices.Equal(got, []string{"booking_confirmed", "booking_reminder"}) {
		t.Errorf("told %v", got)
	}
}

func TestTomorrowIsTheStores(t *testing.T) {
	for _, c := range []struct {
		zone, now string
		hour      int
		from      string
		due       bool
	}{
		{"Asia/Shanghai", "2026-11-18T09:59:59Z", 18, "2026-11-18T16:00:00Z", false},
		{"Asia/Shanghai", "2026-11-18T10:00:00Z", 18, "2026-11-18T16:00:00Z", true},
		{"Asia/Shanghai", "2026-11-18T16:00:00Z", 18, "2026-11-19T16:00:00Z", false},
		{"America/New_York", "2026-11-18T23:00:00Z", 18, "2026-11-19T05:00:00Z", true},
		{"America/New_York", "2026-10-31T22:30:00Z", 18, "2026-11-01T04:00:00Z", true}, // the night has 25 hours
		{"Asia/Shanghai", "2028-02-28T12:00:00Z", 18, "2028-02-28T16:00:00Z", true},    // the 29th
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		must(t, err)
		from, to, due := tomorrow(shop.Store{Timezone: c.zone}, now, c.hour)
		if due != c.due || from.UTC().Format(time.RFC3339) != c.from || !to.After(from) {
			t.Errorf("%s at %s: from %s, %v", c.zone, c.now, from.UTC().Format(time.RFC3339), due)
		}
	}
}
