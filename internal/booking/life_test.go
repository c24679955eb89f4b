package booking

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/slot"
)

func (r *rig) bays(kind string) (ids []int64) {
	all, err := r.shops.Bays(r.t.Context(), r.store)
	must(r.t, err)
	for _, b := range all {
		if b.Kind == kind {
			ids = append(ids, b.ID)
		}
	}
	return ids
}

// Every transition that the table does not have is refused, and changes nothing.
func TestLifeRefusesOtherWays(t *testing.T) {
	r := newRig(t, 2, 2)
	o := r.owner()
	steps := map[string]func(id int64) error{
		"arrive":   func(id int64) error { _, err := r.Arrive(r.staff(), id); return err },
		"start":    func(id int64) error { _, err := r.Start(r.staff(), id); return err },
		"finish":   func(id int64) error { _, err := r.Finish(r.staff(), id, ""); return err },
		"dispatch": func(id int64) error { _, err := r.Dispatch(r.staff(), id); return err },
		"no-show":  func(id int64) error { _, err := r.MarkNoShow(r.staff(), id); return err },
		"cancel":   func(id int64) error { _, err := r.ShopCancel(r.staff(), id, "测试"); return err },
		"accept":   func(id int64) error { _, err := r.Accept(r.staff(), id, 0); return err },
	}
	refused := func(b Booking, names ...string) {
		t.Helper()
		for _, n := range names {
			if err := steps[n](b.ID); !errors.Is(err, ErrState) {
				t.Errorf("%s of a booking that is %s: %v", n, b.State, err)
			}
		}
		r.wantState(b.ID, b.State)
	}
	b, err := o.create(r.at(1, 10, 0))
	must(t, err)
	refused(b, "arrive", "start", "finish", "dispatch", "no-show", "accept")
	b, err = r.Confirm(o.ctx(), b.ID)
	must(t, err)
	refused(b, "finish", "dispatch", "no-show", "accept")
	r.clk.Set(r.at(1, 10, 0))
	must(t, steps["arrive"](b.ID))
	refused(r.get(b.ID), "arrive", "finish", "dispatch", "no-show", "accept")
	if _, err := r.Cancel(o.ctx(), b.ID, "", nil); !errors.Is(err, ErrCancel) {
		t.Errorf("the owner cancels at the shop: %v", err)
	}
	must(t, steps["start"](b.ID))
	refused(r.get(b.ID), "arrive", "start", "dispatch", "no-show", "accept")
	must(t, steps["finish"](b.ID))
	refused(r.get(b.ID), "arrive", "start", "finish", "dispatch", "no-show", "accept")
	r.sound()
}

// N33: two jobs for one plate at the same time.
func TestN33TwoBookingsOfOneCar(t *testing.T) {
	r := newRig(t, 3, 3)
	o := r.owner()
	a, b := o.booked(r.at(1, 10, 0)), o.booked(r.at(1, 10, 30))
	r.clk.Set(r.at(1, 10, 0))
	done := make(chan error)
	for _, id := range []int64{a.ID, b.ID} {
		go func() { _, err := r.Arrive(r.staff(), id); done <- err }()
	}
	errs := []error{<-done, <-done}
	if n := len(slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err != nil })); n != 1 {
		t.Fatalf("%d of two arrivals: %v", n, errs)
	}
	for _, err := range errs {
		if err != nil && !errors.Is(err, ErrActive) {
			t.Errorf("refused by %v", err)
		}
	}
	first, second := r.get(a.ID), r.get(b.ID)
	if first.State != Arrived {
		first, second = second, first
	}
	_, err := r.Start(r.staff(), second.ID)
	r.wantErr(err, ErrActive)
	_, err = r.Start(r.staff(), first.ID)
	must(t, err)
	_, err = r.Finish(r.staff(), first.ID, "")
	must(t, err)
	_, err = r.Start(r.staff(), second.ID)
	must(t, err)
	r.sound()
}

// A job that begins early takes its bay from then on; when the bay is not free it begins all the same and keeps its planned time.
func TestLifeStartsEarly(t *testing.T) {
	r := newRig(t, 1, 2)
	o, next := r.owner(), r.owner()
	b := o.booked(r.at(1, 11, 0))
	r.clk.Set(r.at(1, 10, 20))
	b, err := r.Start(r.staff(), b.ID)
	must(t, err)
	if got := slot.Cell(b.Segments[0].FromCell).Time(); !got.Equal(r.at(0, 10, 20)) || !b.EndsAt.Equal(r.at(0, 10, 50)) {
		t.Errorf("works from %v to %v", got, b.EndsAt)
	}
	if free := next.slots(0); !slices.ContainsFunc(free, r.at(0, 11, 0).Equal) {
		t.Error("its planned time is not free")
	}
	r.sound()
	c := next.booked(r.at(0, 11, 0))
	d := r.owner().booked(r.at(0, 11, 30))
	r.clk.Set(r.at(0, 11, 10))
	_, err = r.Start(r.staff(), c.ID)
	must(t, err)
	if d, err = r.Start(r.staff(), d.ID); err != nil || !d.StartsAt.Equal(r.at(0, 11, 30)) {
		t.Errorf("on a bay that is taken: %v %v", d.StartsAt, err)
	}
	r.sound()
}

// N22: another time is taken and the old one freed in one transaction; when the new one is gone, the old one stays.
func TestN22RescheduleIsAtomic(t *testing.T) {
	r := newRig(t, 1, 1)
	o, other := r.owner(), r.owner()
	b := o.booked(r.at(1, 10, 0))
	other.booked(r.at(1, 12, 0))
	_, err := r.Reschedule(o.ctx(), o.id, b.ID, r.at(1, 12, 15), 0)
	f := r.wantErr(err, ErrGone)
	if alt, _ := f.Detail.(Alternatives); len(alt.Alternatives) != 3 {
		t.Errorf("alternatives %v", f.Detail)
	}
	if got := r.get(b.ID); !got.StartsAt.Equal(r.at(1, 10, 0)) || got.Version != b.Version {
		t.Error("the booking changed")
	}
	// Its own time is no obstacle.
	moved, err := r.Reschedule(o.ctx(), o.id, b.ID, r.at(1, 10, 15), 0)
	must(t, err)
	if !moved.StartsAt.Equal(r.at(1, 10, 15)) || moved.Version == b.Version {
		t.Errorf("moved to %v", moved.StartsAt)
	}
	_, err = other.create(r.at(1, 9, 30))
	must(t, err)
	for _, at := range []time.Time{r.at(1, 8, 0), r.at(-1, 10, 0), r.at(20, 10, 0)} {
		if _, err := r.Reschedule(o.ctx(), o.id, b.ID, at, 0); err == nil {
			t.Errorf("moved to %v", at)
		}
	}
	r.clk.Set(r.at(1, 10, 15))
	_, err = r.Arrive(r.staff(), b.ID)
	must(t, err)
	_, err = r.Reschedule(o.ctx(), o.id, b.ID, r.at(0, 15, 0), 0)
	r.wantErr(err, ErrState)
	r.sound()
}

// Moving a booking away does not undo that it is too late to cancel for free.
func TestRescheduleKeepsWhatIsAtStake(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner().onWeChat()
	b := o.paid(r.at(3, 10, 0))
	b, err := r.Reschedule(o.ctx(), o.id, b.ID, r.at(4, 10, 0), 0)
	must(t, err)
	if !b.FreeCancelUntil.Equal(r.at(3, 10, 0)) {
		t.Errorf("in time: free until %v", b.FreeCancelUntil)
	}
	r.clk.Set(r.at(3, 12, 0))
	if b, err = r.Reschedule(o.ctx(), o.id, b.ID, r.at(4, 10, 0), 0); err != nil || !b.FreeCancelUntil.Before(r.clk.Now()) {
		t.Errorf("late: free until %v, %v", b.FreeCancelUntil, err)
	}
	r.sound()
}

// Dragging: the engine says in words what speaks against it, force overrules rules and never somebody else's time, and everything is logged.
func TestMoveAsksTheEngine(t *testing.T) {
	r := newRig(t, 2, 2)
	trainee := r.hire("小赵", roster.Skill{Skill: "detail", Level: 1})
	o, other := r.owner(), r.owner()
	b, c := o.booked(r.at(1, 10, 0)), other.booked(r.at(1, 10, 0))
	wash := r.bays(shop.BayWash)
	free := r.at(1, 14, 0)
	move := func(in MoveAsk) (Booking, error) { return r.MoveOnce(r.staff(), b.ID, in) }
	hard := func(err error) bool {
		f := r.wantErr(err, ErrMove)
		d, _ := f.Detail.(Refusals)
		return !d.CanForce && len(d.Reasons) > 0
	}
	_, err := move(MoveAsk{Version: b.Version + 1, SegmentNo: 1, StartsAt: &free})
	r.wantErr(err, ErrVersion)
	taken := wash[0]
	if c.Segments[0].BayID != taken {
		taken = wash[1]
	}
	_, err = move(MoveAsk{Version: b.Version, SegmentNo: 1, BayID: taken, Force: true, Reason: "急"})
	if !hard(err) {
		t.Error("an occupied bay could be forced")
	}
	_, err = move(MoveAsk{Version: b.Version, SegmentNo: 1, TechnicianID: trainee})
	if hard(err) {
		t.Error("a missing skill cannot be forced")
	}
	_, err = move(MoveAsk{Version: b.Version, SegmentNo: 1, TechnicianID: trainee, Force: true})
	if err == nil {
		t.Error("forced without a reason")
	}
	moved, err := move(MoveAsk{Version: b.Version, SegmentNo: 1, TechnicianID: trainee, StartsAt: &free, Force: true, Reason: "人手不够"})
	must(t, err)
	if moved.Segments[0].TechnicianID != trainee || !moved.StartsAt.Equal(free) || moved.Version == b.Version {
		t.Errorf("moved: %+v", moved.Segments)
	}
	d, err := r.Service.detail(r.staff(), moved, nil)
	must(t, err)
	if last := d.Events[len(d.Events)-1]; last.Kind != EventForced || last.ByName != "孙店长" {
		t.Errorf("log %+v", last)
	}
	if n := r.count(`SELECT COUNT(*) FROM audit_log WHERE action = 'booking.forced'`); n != 1 {
		t.Errorf("%d entries in the trail", n)
	}
	// The new time does not hold the old one, and undo is the same call.
	again := other.slots(1)
	if !slices.ContainsFunc(again, r.at(1, 10, 0).Equal) {
		t.Error("the old time is still taken")
	}
	back := r.at(1, 10, 0)
	if _, err = move(MoveAsk{Version: moved.Version, SegmentNo: 1, TechnicianID: b.Segments[0].TechnicianID, BayID: b.Segments[0].BayID, StartsAt: &back}); err != nil {
		t.Errorf("undo: %v", err)
	}
	late := r.at(1, 22, 0)
	if _, err = move(MoveAsk{Version: r.get(b.ID).Version, SegmentNo: 1, StartsAt: &late}); hard(err) {
		t.Error("hours cannot be forced")
	}
	longer := r.at(1, 11, 15)
	long, err := move(MoveAsk{Version: r.get(b.ID).Version, SegmentNo: 1, EndsAt: &longer})
	must(t, err)
	if !long.EndsAt.Equal(longer) {
		t.Errorf("resized to %v", long.EndsAt)
	}
	past := r.at(0, 9, 0)
	if _, err = move(MoveAsk{Version: long.Version, SegmentNo: 1, StartsAt: &past, Force: true, Reason: "补录"}); !hard(err) {
		t.Error("moved into the past")
	}
	r.sound()
}

// A job that runs goes to another bay from now on; what lies behind it stays where it was.
func TestMoveARunningJob(t *testing.T) {
	r := newRig(t, 2, 2)
	o := r.owner()
	b := o.booked(r.at(1, 10, 0))
	r.clk.Set(r.at(1, 10, 0))
	_, err := r.Start(r.staff(), b.ID)
	must(t, err)
	r.clk.Advance(10 * time.Minute)
	wash := r.bays(shop.BayWash)
	to := wash[0]
	if b.Segments[0].BayID == to {
		to = wash[1]
	}
	b, err = r.Move(r.staff(), b.ID, MoveAsk{Version: r.get(b.ID).Version, SegmentNo: 1, BayID: to})
	must(t, err)
	if s := b.Segments[0]; s.BayID != to || !slot.Cell(s.FromCell).Time().Equal(r.at(0, 10, 10)) {
		t.Errorf("segment %+v", s)
	}
	r.sound()
	later := r.at(0, 11, 0)
	_, err = r.Move(r.staff(), b.ID, MoveAsk{Version: b.Version, SegmentNo: 1, StartsAt: &later})
	r.wantErr(err, ErrMove)
	r.sound()
}

// Several services in one visit: what one bay and one person can do in one go is one segment, the rest follows without a gap (X07).
func TestSeveralServices(t *testing.T) {
	r := newRig(t, 1, 2)
	extra := r.service(catalog.ServiceInput{Name: "打蜡", Kind: "wash", Minutes: 25, Prices: []catalog.Price{{VehicleClassID: r.class, PriceFen: 9000}}})
	o := r.owner()
	b, err := o.create(r.at(1, 10, 0), r.wash, r.detail, extra)
	must(t, err)
	if len(b.Segments) != 2 || b.Minutes != 175 || b.PriceFen != 40300 || b.Title != "精洗等3项" {
		t.Fatalf("%d segments, %d minutes, %d fen, %q", len(b.Segments), b.Minutes, b.PriceFen, b.Title)
	}
	x, y := b.Segments[0], b.Segments[1]
	if x.ToCell-x.FromCell != 11 || y.FromCell != x.ToCell || y.ToCell-y.ServiceTo != 3 {
		t.Errorf("segments %+v %+v", x, y)
	}
	if !b.EndsAt.Equal(r.at(1, 12, 55)) {
		t.Errorf("ready at %v", b.EndsAt)
	}
	r.sound()
}

// At home the van's way there and back is reserved with the work; the customer sees when it comes (G11).
func TestAtHome(t *testing.T) {
	r := newRig(t, 1, 2)
	in := catalog.ServiceInput{Name: "上门洗", Kind: "wash", Minutes: 40, Prices: []catalog.Price{{VehicleClassID: r.class, PriceFen: 9900}}}
	in.BookingKinds = []string{"visit", "at_home", "pickup"}
	home := r.service(in)
	r.bay("上门车", shop.BayVan, false)
	o := r.owner()
	a := o.ask(r.at(1, 10, 0), home)
	a.Kind, a.Address = KindAtHome, "江苏路 1 号"
	b, err := r.Create(o.ctx(), a)
	must(t, err)
	s := b.Segments[0]
	if !b.StartsAt.Equal(r.at(1, 10, 0)) || !slot.Cell(s.FromCell).Time().Equal(r.at(1, 9, 30)) || !b.EndsAt.Equal(r.at(1, 10, 40)) || !slot.Cell(s.ToCell).Time().Equal(r.at(1, 11, 10)) {
		t.Errorf("%v – %v, reserved %v – %v", b.StartsAt, b.EndsAt, slot.Cell(s.FromCell).Time(), slot.Cell(s.ToCell).Time())
	}
	_, err = r.Confirm(o.ctx(), b.ID)
	must(t, err)
	r.clk.Set(r.at(1, 9, 30))
	for _, f := range []func() (Booking, error){func() (Booking, error) { return r.Dispatch(r.staff(), b.ID) }, func() (Booking, error) { return r.Arrive(r.staff(), b.ID) },
		func() (Booking, error) { return r.Start(r.staff(), b.ID) }} {
		if _, err := f(); err != nil {
			t.Fatal(err)
		}
		r.clk.Advance(10 * time.Minute)
	}
	_, err = r.Finish(r.staff(), b.ID, "")
	must(t, err)
	r.sound()

	r.hire("司机", roster.Skill{Skill: "driver", Level: 1})
	p := o.ask(r.at(1, 14, 0), home)
	p.Kind, p.Address = KindPickup, "江苏路 1 号"
	c, err := r.Create(o.ctx(), p)
	must(t, err)
	if len(c.Segments) != 3 || c.Segments[0].Skill != "driver" || c.Segments[1].BayID == 0 || c.Segments[2].Skill != "driver" {
		t.Fatalf("segments %+v", c.Segments)
	}
	// The driver leaves at 13:30, takes the car at 14:00, is back at 14:30; it is washed until 15:10 and returned at 15:40.
	if !slot.Cell(c.Segments[0].FromCell).Time().Equal(r.at(1, 13, 30)) || !c.EndsAt.Equal(r.at(1, 15, 40)) {
		t.Errorf("from %v, back at %v", slot.Cell(c.Segments[0].FromCell).Time(), c.EndsAt)
	}
	r.sound()
}

// A rescue asks for no time: whoever can is sent from now on, and the same person is not sent twice (H10).
func TestRescue(t *testing.T) {
	r := newRig(t, 1, 1)
	helper := r.hire("老周", roster.Skill{Skill: "rescue", Level: 2})
	ask := func(o owner) Booking {
		a := o.ask(time.Time{})
		a.Kind, a.ServiceIDs, a.StartsAt, a.LatE6, a.LngE6, a.Extra = KindRescue, nil, nil, 31230000, 121473000, &Extra{Fault: "没电了", Closing: "车主写的不算"}
		b, err := r.Create(o.ctx(), a)
		must(t, err)
		return b
	}
	first, second := ask(r.owner()), ask(r.owner())
	if first.State != Requested || first.Extra.Closing != "" || len(first.Segments) != 0 {
		t.Fatalf("requested: %+v", first)
	}
	b, err := r.Accept(r.staff(), first.ID, 0)
	must(t, err)
	if b.State != Confirmed || b.Segments[0].TechnicianID != helper {
		t.Errorf("accepted: %+v", b)
	}
	_, err = r.Accept(r.staff(), second.ID, 0)
	r.wantErr(err, ErrNobody)
	_, err = r.Accept(r.staff(), second.ID, 4242)
	r.wantErr(err, ErrTechnician)
	for _, f := range []func() (Booking, error){func() (Booking, error) { return r.Dispatch(r.staff(), b.ID) }, func() (Booking, error) { return r.Arrive(r.staff(), b.ID) },
		func() (Booking, error) { return r.Start(r.staff(), b.ID) }, func() (Booking, error) { return r.Finish(r.staff(), b.ID, "搭电成功") }} {
		if b, err = f(); err != nil {
			t.Fatal(err)
		}
		r.clk.Advance(5 * time.Minute)
	}
	if b.State != Done || b.Extra.Closing != "搭电成功" {
		t.Errorf("%s, %q", b.State, b.Extra.Closing)
	}
	r.sound()
}
