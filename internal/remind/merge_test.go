package remind

import (
	"context"
	"testing"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/member"
)

// Two members who are one person: what was told of their cars goes over with the cars, and of a plate that both have the survivor's word counts.
func TestMergedMembersKeepTheirDues(t *testing.T) {
	r := newRig(t)
	from, moves := r.owner("")
	into, own := r.owner("")
	add := func(m int64, plate string) int64 {
		v, err := r.Members.AddVehicle(r.ctx(), m, member.VehicleInput{Plate: plate})
		must(t, err)
		return v.ID
	}
	bothA, bothB := add(from, "浙A55555"), add(into, "浙A55555")
	onlyA, onlyB := add(from, "浙A66666"), add(into, "浙A66666")
	r.told(from, moves, Input{InsuredTo: "2027-01-01"})
	r.told(into, own, Input{InsuredTo: "2027-02-02"})
	r.told(from, bothA, Input{InsuredTo: "2027-03-03"})
	r.told(into, bothB, Input{InsuredTo: "2027-04-04"})
	r.told(from, onlyA, Input{InsuredTo: "2027-05-05"})
	must(t, r.DB.InTx(r.ctx(), func(ctx context.Context, tx *db.Tx) error {
		if err := r.Members.MergeTx(ctx, tx, from, into); err != nil {
			return err
		}
		return r.MergeTx(ctx, tx, from, into)
	}))
	all, err := r.Cars(t.Context(), into)
	must(t, err)
	got := map[int64]string{}
	for _, x := range all {
		got[x.Vehicle.ID] = x.Car.InsuredTo
	}
	for id, want := range map[int64]string{moves: "2027-01-01", own: "2027-02-02", bothB: "2027-04-04", onlyB: "2027-05-05"} {
		if got[id] != want {
			t.Errorf("%d: %q, want %q", id, got[id], want)
		}
	}
	if n := r.count(`SELECT COUNT(*) FROM remind_cars WHERE member_id <> ?`, into); n != 0 {
		t.Errorf("%d cars are still the other's", n)
	}
}
