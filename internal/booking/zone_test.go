package booking

import (
	"slices"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/shop"
)

// A store that works from 22:00 to 06:00 in a zone whose clock changes: the night has as many starts as it has real time, each can be booked, lasts as
// long as it should, and stands under the date that the store's clock shows.
func TestNightsAndClockChanges(t *testing.T) {
	for name, c := range map[string]struct {
		eve   string // the date on which the night begins
		hours int    // of real time in that night
	}{"usual night": {"2026-10-20", 8}, "an hour twice": {"2026-10-24", 9}, "an hour missing": {"2027-03-27", 7}} {
		t.Run(name, func(t *testing.T) {
			const zone = "Europe/Berlin"
			noon, err := bizday.At(c.eve, 12*60, zone)
			must(t, err)
			r := newRigIn(t, 1, 0, zone, noon)
			var week []shop.WeekSpan
			for d := range 7 {
				week = append(week, shop.WeekSpan{Weekday: d, Opens: 22 * 60, Closes: 30 * 60})
			}
			_, err = r.shops.SetHours(r.staff(), r.store, week)
			must(t, err)
			id := r.hire("夜班", roster.Skill{Skill: "wash", Level: 1})
			for n := range 3 {
				must(t, r.roster.PlanDay(r.staff(), r.store, id, r.day(n), []roster.ShiftInput{{Starts: 22 * 60, Ends: 30 * 60}}))
			}
			o := r.owner()
			closing, err := bizday.At(c.eve, 30*60, zone)
			must(t, err)
			evening := o.slots(0)
			morning := slices.DeleteFunc(o.slots(1), func(at time.Time) bool { return !at.Before(closing) })
			night := append(slices.Clone(evening), morning...)
			if want := c.hours*4 - 1; len(night) != want {
				t.Fatalf("%d starts, want %d: %v", len(night), want, night)
			}
			for i, at := range night {
				if i > 0 && at.Sub(night[i-1]) != 15*time.Minute {
					t.Errorf("a start at %v after %v", at, night[i-1])
				}
			}
			if len(evening) != 8 {
				t.Errorf("%d starts before midnight", len(evening))
			}
			// The booking over midnight belongs to the evening's date; the one after it to the next, and both hold their time.
			late := o.booked(evening[7])
			if late.BizDay != c.eve || !late.EndsAt.Equal(late.StartsAt.Add(30*time.Minute)) {
				t.Errorf("%s: %v to %v", late.BizDay, late.StartsAt, late.EndsAt)
			}
			for _, at := range morning {
				if !at.Before(late.EndsAt) && at.Sub(late.EndsAt)%(30*time.Minute) == 0 {
					b := r.owner().booked(at)
					if b.BizDay != bizday.Add(c.eve, 1) {
						t.Errorf("%v stands under %s", at, b.BizDay)
					}
				}
			}
			left := slices.DeleteFunc(o.slots(1), func(at time.Time) bool { return !at.Before(closing) })
			if len(left) != 0 {
				t.Errorf("still offered: %v", left)
			}
			day, err := list(t.Context(), r.db, Filter{StoreID: r.store, FromDay: c.eve, ToDay: c.eve, Limit: 100})
			must(t, err)
			if len(day) != 1 {
				t.Errorf("%d bookings under the evening's date", len(day))
			}
			r.sound()
		})
	}
}

// A phone whose clock is wrong changes nothing: the server's clock decides, and the zone of the store says what a date is.
func TestClockSkewOfPhones(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner()
	zone := time.FixedZone("phone", -5*3600)
	b, err := o.create(r.at(1, 10, 0).In(zone))
	must(t, err)
	if !b.StartsAt.Equal(r.at(1, 10, 0)) || b.BizDay != r.day(1) {
		t.Errorf("%v under %s", b.StartsAt, b.BizDay)
	}
	_, err = o.create(r.clk.Now().Add(-time.Minute).Truncate(5 * time.Minute))
	r.wantErr(err, ErrPast)
}
