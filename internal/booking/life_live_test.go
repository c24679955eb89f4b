package booking

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/slot"
)

// A repair is a booking like every other: its time is taken, moves with it, and is free behind it.
func TestN21RepairHoldsItsTime(t *testing.T) {
	r := liveRig(t, 1, 1)
	lift := r.bay("1 号举升位", shop.BayLift, false)
	r.hire("修理工", roster.Skill{Skill: "repair", Level: 3})
	in := catalog.ServiceInput{Name: "换刹车片", Kind: "repair", Minutes: 90, Prices: []catalog.Price{{VehicleClassID: r.class, PriceFen: 60000}}}
	in.BookingKinds = []string{"visit", "repair"}
	brakes := r.service(in)
	o, other := r.owner(), r.owner()
	ask := o.ask(r.at(1, 10, 0), brakes)
	ask.Kind = KindRepair
	if _, err := r.Create(o.ctx(), ask); err == nil {
		t.Error("a repair of nobody knows what")
	}
	ask.Extra = &Extra{Fault: "刹车异响"}
	b, err := r.Create(o.ctx(), ask)
	must(t, err)
	b, err = r.Confirm(o.ctx(), b.ID)
	must(t, err)
	if len(b.Segments) != 1 || b.Segments[0].BayID != lift || b.Segments[0].TechnicianID == 0 {
		t.Fatalf("segments %+v", b.Segments)
	}
	free := func(start time.Time) bool {
		l, err := r.OwnerSlots(other.ctx(), other.id, other.vehicle, what{storeID: r.store, kind: KindRepair, services: []int64{brakes}}, r.day(1), 2)
		must(t, err)
		for _, d := range l.Days {
			if slices.ContainsFunc(d.Slots, func(x Slot) bool { return x.StartsAt.Equal(start) }) {
				return true
			}
		}
		return false
	}
	if free(r.at(1, 10, 0)) || free(r.at(1, 11, 15)) || !free(r.at(1, 11, 30)) {
		t.Error("the repair does not block its own time, and only that")
	}
	b, err = r.Reschedule(r.staff(), 0, b.ID, r.at(2, 14, 0), 0)
	must(t, err)
	if !free(r.at(1, 10, 0)) || free(r.at(2, 14, 0)) || free(r.at(2, 13, 0)) {
		t.Error("a moved repair blocks its old time, or not its new one")
	}
	claims, err := r.slots.Held(t.Context(), r.db, b.ID)
	must(t, err)
	for _, c := range claims[b.ID] {
		if c.From < slot.CellOf(r.at(2, 14, 0)) {
			t.Errorf("still taken: %+v", c)
		}
	}
	r.sound()
}

func TestG10PriorityMembersAreAnnounced(t *testing.T) {
	r := liveRig(t, 3, 3)
	plain, vip := r.owner(), r.owner()
	r.promote(vip)
	early := plain.booked(r.at(0, 11, 0))
	late := vip.booked(r.at(0, 12, 0))
	page, err := r.dayList(r.staff(), &dayListInput{StoreID: r.store})
	must(t, err)
	if len(page.Items) != 2 || page.Items[0].ID != late.ID || !page.Items[0].Priority || page.Items[0].MemberTier != "黑金" || page.Items[1].ID != early.ID || page.Items[1].Priority {
		t.Fatalf("today's list: %+v", page.Items)
	}
	if w := page.Items[0].Warnings; len(w) != 1 || !strings.Contains(w[0], "优先会员") {
		t.Errorf("the desk is told %v", w)
	}
	if w := page.Items[1].Warnings; len(w) != 0 {
		t.Errorf("of everybody else it is told %v", w)
	}
	// They wait in front, too.
	for _, p := range []string{"沪A90001", "沪A90002", "沪A90003"} {
		r.lined(p)
	}
	waits, first := r.lined("沪A90004"), r.owner()
	r.promote(first)
	ahead := r.lined(first.plate)
	if waits.State != Queued || ahead.State != Queued || r.queueView(ahead).Ahead != 0 || r.queueView(waits).Ahead != 1 {
		t.Errorf("priority %s, plain %s", ahead.State, waits.State)
	}
	r.sound()
}

// promote gives an owner the tier with priority.
func (r *rig) promote(o owner) {
	r.t.Helper()
	must(r.t, r.db.InTx(r.staff(), func(ctx context.Context, tx *dbTx) error {
		return r.tiers.SetMemberTierTx(ctx, tx, o.id, r.priority, "老客户")
	}))
}
