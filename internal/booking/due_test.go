package booking

import (
	"testing"
	"time"

	"github.com/liangche/liangche/internal/roster"
)

// More holds run out at once than a command ends by itself: what the search shows can be booked all the same.
func TestManyDueHoldsAreFreeForBookingToo(t *testing.T) {
	r := newRig(t, 2, 2)
	var last time.Time
	for n := range 60 {
		last = r.at(1+n/40, 9, 30*(n%40/2))
		_, err := r.owner().create(last)
		must(t, err)
	}
	other := r.owner().booked(r.at(4, 10, 0))
	r.clk.Advance(time.Hour)
	o := r.owner()
	b, err := o.create(last)
	must(t, err)
	if !b.StartsAt.Equal(last) {
		t.Errorf("booked %s", b.StartsAt)
	}
	_, err = r.Reschedule(r.staff(), 0, other.ID, last, 0)
	must(t, err)
	r.sound()
}

func TestADueHoldDoesNotKeepARescueWaiting(t *testing.T) {
	r := newRig(t, 1, 0)
	r.hire("老周", roster.Skill{Skill: "rescue", Level: 2}, roster.Skill{Skill: "wash", Level: 2})
	b, err := r.owner().help()
	must(t, err)
	_, err = r.owner().create(r.at(0, 11, 0))
	must(t, err)
	r.clk.Set(r.at(0, 10, 50))
	b, err = r.Accept(r.staff(), b.ID, 0)
	must(t, err)
	if b.State != Confirmed {
		t.Errorf("the rescue is %s", b.State)
	}
	r.sound()
}
