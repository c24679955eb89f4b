package booking

import (
	"testing"

	"github.com/liangche/liangche/internal/actor"
)

// A car that was brought the evening before is its technician's, and so is one that stays for days; what is only booked for another day is not.
func TestJobsAreWhatIsHere(t *testing.T) {
	r := newRig(t, 2, 1)
	early, later := r.owner().booked(r.at(1, 10, 0)), r.owner().booked(r.at(1, 14, 0))
	me := actor.With(t.Context(), actor.Actor{Kind: actor.Staff, ID: technicians(early.Segments)[0], AllStores: true})
	mine := func(want ...int64) {
		t.Helper()
		list, err := r.mine(me, r.store)
		must(t, err)
		var got []int64
		for _, b := range list {
			got = append(got, b.ID)
		}
		if len(got) != len(want) {
			t.Fatalf("jobs %v, want %v", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("jobs %v, want %v", got, want)
			}
		}
	}
	mine()
	_, err := r.Arrive(r.staff(), early.ID)
	must(t, err)
	mine(early.ID)
	_, err = r.Start(r.staff(), early.ID)
	must(t, err)
	r.clk.Set(r.at(1, 9, 0))
	mine(early.ID, later.ID)
	r.clk.Set(r.at(4, 9, 0))
	mine(early.ID)
}
