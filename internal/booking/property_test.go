package booking

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/slot"
)

// oracle knows what a store has, and decides by trying everything, cell by cell, from the bookings' own rows.
type oracle struct {
	*rig
	bays   map[int64]string // id → kind
	people map[int64]map[string]int
	from   time.Time
}

// busy says who is taken in every cell, from the segments of the bookings that hold their time, and from blocks.
func (o *oracle) busy() map[[2]int64]bool {
	o.t.Helper()
	out := map[[2]int64]bool{}
	all, err := bookingsWhere(o.t.Context(), o.db, "id > ? ORDER BY id", 0)
	must(o.t, err)
	for _, b := range all {
		if !b.State.holdsCells() && b.State != Done || b.State == Held && !b.HoldExpiresAt.After(o.clk.Now()) {
			continue
		}
		for _, s := range b.Segments {
			for c := s.FromCell; c < s.ToCell; c++ {
				for _, id := range []int64{s.BayID, s.TechnicianID} {
					if id == 0 {
						continue
					}
					if out[[2]int64{id, c}] {
						o.t.Fatalf("resource %d has two bookings at cell %d", id, c)
					}
					out[[2]int64{id, c}] = true
				}
			}
		}
	}
	blocks, err := o.slots.Blocks(o.t.Context(), o.store, o.from, o.from.AddDate(0, 0, 30))
	must(o.t, err)
	for _, b := range blocks {
		for c := slot.CellOf(b.From); c < slot.CellUp(b.To); c++ {
			out[[2]int64{b.ResourceID, int64(c)}] = true
		}
	}
	return out
}

// free are the starts of a day, by trying every one with every bay and every person. One need only: a single service.
func (o *oracle) free(day int, bayKind, skill string, level, cells int, closed map[string]bool) []time.Time {
	busy := o.busy()
	if closed[o.day(day)] {
		return nil
	}
	var out []time.Time
	for m := 9 * 60; m < 21*60; m += 15 {
		start := o.at(day, m/60, m%60)
		if start.Before(o.clk.Now().Add(30*time.Minute)) || m+cells*slot.CellMinutes > 21*60 {
			continue
		}
		at := int64(slot.CellOf(start))
		idle := func(id int64) bool {
			for c := at; c < at+int64(cells); c++ {
				if busy[[2]int64{id, c}] {
					return false
				}
			}
			return true
		}
		bay, person := false, false
		for id, kind := range o.bays {
			bay = bay || kind == bayKind && idle(id)
		}
		for id, skills := range o.people {
			person = person || skills[skill] >= level && idle(id)
		}
		if bay && person {
			out = append(out, start)
		}
	}
	return out
}

// Books, confirms, moves, cancels, starts, finishes, misses, blocks and closes at random, and compares what is offered with what is there (P8): each
// step, every state.
func TestRandomLifeAgainstAnOracle(t *testing.T) {
	seeds := 4
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { randomLife(t, rand.New(rand.NewPCG(uint64(seed), 7))) })
	}
}

func randomLife(t *testing.T, rnd *rand.Rand) {
	r := newRig(t, 2, 0)
	r.set(setting.BookingMaxOpen, 50)
	o := &oracle{rig: r, bays: map[int64]string{}, people: map[int64]map[string]int{}, from: r.clk.Now().AddDate(0, 0, -1)}
	for i := range 3 {
		k := map[string]int{"wash": 1 + i, "detail": i}
		var skills []roster.Skill
		for name, level := range k {
			if level > 0 {
				skills = append(skills, roster.Skill{Skill: name, Level: level})
			}
		}
		o.people[r.hire(fmt.Sprintf("师傅%d", i), skills...)] = k
	}
	for _, kind := range []string{shop.BayWash, shop.BayDetail} {
		for _, id := range r.bays(kind) {
			o.bays[id] = kind
		}
	}
	polish := r.service(catalog.ServiceInput{Name: "抛光", Kind: "detail", Minutes: 50, Prices: []catalog.Price{{VehicleClassID: r.class, PriceFen: 1000}}})
	people := []owner{r.owner(), r.owner(), r.owner()}
	var live []int64
	closed := map[string]bool{}
	known := []error{ErrGone, ErrState, ErrHoldOver, ErrActive, ErrMove, ErrCancel, ErrCar, ErrPast, ErrHours, ErrClosedDay, ErrWindow, slot.ErrBlocked, ErrVersion}
	for step := range 120 {
		who := people[rnd.IntN(len(people))]
		at := r.at(rnd.IntN(3), 9+rnd.IntN(12), 15*rnd.IntN(4))
		service := []int64{r.wash, polish}[rnd.IntN(2)]
		var id int64
		if len(live) > 0 {
			id = live[rnd.IntN(len(live))]
		}
		var err error
		switch op := rnd.IntN(20); {
		case op < 7 || id == 0:
			var b Booking
			if b, err = who.create(at, service); err == nil {
				live = append(live, b.ID)
				if rnd.IntN(4) > 0 {
					_, err = r.Confirm(who.ctx(), b.ID)
				}
			}
		case op < 9:
			b := r.get(id)
			_, err = r.Reschedule(owner{r: r, id: b.MemberID, identity: b.MemberID + 1}.ctx(), b.MemberID, id, at, 0)
		case op < 11:
			b := r.get(id)
			_, err = r.Cancel(owner{r: r, id: b.MemberID, identity: b.MemberID + 1}.ctx(), id, "", nil)
		case op < 13:
			b := r.get(id)
			in := MoveAsk{Version: b.Version, SegmentNo: 1, Force: rnd.IntN(2) == 0, Reason: "随机"}
			if rnd.IntN(2) == 0 {
				in.StartsAt = &at
			} else {
				for bay, kind := range o.bays {
					if len(b.Segments) > 0 && kind == b.Segments[0].BayKind {
						in.BayID = bay
					}
				}
			}
			_, err = r.Move(r.staff(), id, in)
		case op < 14:
			_, err = r.Start(r.staff(), id)
		case op < 15:
			_, err = r.Finish(r.staff(), id, "")
		case op < 16:
			_, err = r.MarkNoShow(r.staff(), id)
		case op < 17:
			r.clk.Advance(time.Duration(rnd.IntN(40)) * time.Minute)
		case op < 18:
			_, err = r.ExpireDue(r.staff())
		case op < 19:
			for bay := range o.bays {
				from := at.Truncate(5 * time.Minute)
				_, _, err = r.slots.Block(r.staff(), slot.Block{StoreID: r.store, ResourceID: bay, ResourceKind: slot.Bay, From: from, To: from.Add(45 * time.Minute), Reason: "检修", ByName: "测试"}, false)
				break
			}
		default:
			day := r.day(2)
			kind := shop.DayClosed
			if closed[day] {
				kind = shop.DayNormal
			}
			_, _, err = r.shops.SetDay(r.staff(), shop.DayInput{StoreID: r.store, Day: day, Kind: kind})
			closed[day] = !closed[day]
		}
		if err != nil && !slices.ContainsFunc(known, func(k error) bool { return errors.Is(err, k) }) && !errors.Is(err, fault.ErrInvalid) {
			t.Fatalf("step %d: %v", step, err)
		}
		for day := range 3 {
			for _, want := range []struct {
				service     int64
				kind, skill string
				cells       int
			}{{r.wash, shop.BayWash, "wash", 6}, {polish, shop.BayDetail, "detail", 10}} {
				got := who.slots(day, want.service)
				if all := o.free(day, want.kind, want.skill, 1, want.cells, closed); !slices.EqualFunc(got, all, time.Time.Equal) {
					t.Fatalf("step %d, day %d, %s: offered %v, free %v", step, day, want.kind, got, all)
				}
			}
		}
		if step%20 == 19 {
			r.sound()
		}
	}
}
