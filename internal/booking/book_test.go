package booking

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/slot"
)

func (r *rig) set(key string, value any) {
	r.t.Helper()
	must(r.t, r.settings.Update(r.staff(), []setting.Value{{Key: key, Value: value}}))
}

func TestBookFromSearchToReady(t *testing.T) {
	r := newRig(t, 2, 2)
	o := r.owner()
	free := o.slots(1)
	if len(free) != 4*12-1 || !free[0].Equal(r.at(1, 9, 0)) || !free[len(free)-1].Equal(r.at(1, 20, 30)) {
		t.Fatalf("%d starts from %v", len(free), free)
	}
	b, err := o.create(r.at(1, 10, 0))
	must(t, err)
	if b.State != Held || !b.HoldExpiresAt.Equal(r.clk.Now().Add(10*time.Minute)) || b.PriceFen != 4500 || b.Minutes != 30 || b.Explain == "" {
		t.Fatalf("created %+v", b)
	}
	if b, err = r.Confirm(o.ctx(), b.ID); err != nil || b.State != Confirmed {
		t.Fatalf("confirm: %s %v", b.State, err)
	}
	if _, err := r.Confirm(o.ctx(), b.ID); err != nil {
		t.Fatalf("confirming twice: %v", err)
	}
	r.clk.Set(r.at(1, 10, 0))
	for _, step := range []struct {
		f    func(context.Context, int64) (Booking, error)
		want State
	}{{r.Arrive, Arrived}, {r.Start, InService}} {
		if b, err = step.f(r.staff(), b.ID); err != nil || b.State != step.want {
			t.Fatalf("%s: %s %v", step.want, b.State, err)
		}
	}
	r.clk.Advance(18 * time.Minute)
	if b, err = r.Finish(r.staff(), b.ID, ""); err != nil || b.State != Done {
		t.Fatalf("finish: %v", err)
	}
	if got := slot.Cell(b.Segments[0].ToCell).Time(); !got.Equal(r.at(0, 10, 20)) {
		t.Errorf("the rest of the time is kept until %v", got)
	}
	log, err := eventsOf(t.Context(), r.db, b.ID)
	must(t, err)
	var kinds []string
	for _, e := range log {
		kinds = append(kinds, e.Kind)
	}
	if !slices.Equal(kinds, []string{EventCreated, EventConfirmed, EventArrived, EventStarted, EventFinished}) {
		t.Errorf("log: %v", kinds)
	}
	if n := r.count(`SELECT COUNT(*) FROM notify_messages WHERE event IN ('booking_confirmed', 'car_ready')`); n != 2 {
		t.Errorf("%d messages", n)
	}
	r.sound()
}

// Every bad input of a wish, each with its own word.
func TestBookRefusals(t *testing.T) {
	r := newRig(t, 1, 1)
	o, other := r.owner(), r.owner()
	tech := r.hire("李师傅", roster.Skill{Skill: "wash", Level: 1})
	idle := r.service(catalog.ServiceInput{Name: "打蜡", Kind: "wash", Minutes: 40, Prices: []catalog.Price{{VehicleClassID: r.class, PriceFen: 9000}}})
	must(t, r.catalog.RetireService(r.staff(), idle))
	far := r.service(catalog.ServiceInput{Name: "上门打蜡", Kind: "wash", Minutes: 40, Prices: []catalog.Price{{VehicleClassID: r.class, PriceFen: 9000}}})
	_, _, err := r.shops.SetDay(r.staff(), shop.DayInput{StoreID: r.store, Day: r.day(3), Kind: shop.DayClosed, Name: "盘点"})
	must(t, err)
	r.suspend(tech)
	with := func(f func(*OwnerAsk)) OwnerAsk {
		a := o.ask(r.at(1, 10, 0))
		f(&a)
		return a
	}
	at := func(when time.Time) OwnerAsk { return with(func(a *OwnerAsk) { a.StartsAt = &when }) }
	for name, c := range map[string]struct {
		ask   OwnerAsk
		want  error
		field string
	}{
		"past":                    {at(r.at(-1, 10, 0)), ErrPast, "startsAt"},
		"too soon":                {at(r.at(0, 10, 15)), ErrPast, "startsAt"},
		"before opening":          {at(r.at(1, 8, 0)), ErrHours, "startsAt"},
		"after closing":           {at(r.at(1, 21, 0)), ErrHours, "startsAt"},
		"not done before closing": {at(r.at(1, 20, 45)), ErrHours, "startsAt"},
		"beyond the window":       {at(r.at(14, 10, 0)), ErrWindow, "startsAt"},
		"closed day":              {at(r.at(3, 10, 0)), ErrClosedDay, "startsAt"},
		"no cell":                 {at(r.at(1, 10, 0).Add(time.Second)), fault.ErrInvalid, "startsAt"},
		"no time":                 {with(func(a *OwnerAsk) { a.StartsAt = nil }), fault.ErrInvalid, "startsAt"},
		"technician suspended":    {with(func(a *OwnerAsk) { a.TechnicianID = tech }), ErrTechnician, "technicianId"},
		"technician unknown":      {with(func(a *OwnerAsk) { a.TechnicianID = 4242 }), ErrTechnician, "technicianId"},
		"service deactivated":     {with(func(a *OwnerAsk) { a.ServiceIDs = []int64{r.wash, idle} }), catalog.ErrItems, "serviceIds[1]"},
		"service unknown":         {with(func(a *OwnerAsk) { a.ServiceIDs = []int64{4242} }), catalog.ErrItems, "serviceIds[0]"},
		"no service":              {with(func(a *OwnerAsk) { a.ServiceIDs = nil }), ErrNoService, "serviceIds"},
		"kind not offered":        {with(func(a *OwnerAsk) { a.Kind, a.ServiceIDs, a.Address = KindAtHome, []int64{far}, "某路 1 号" }), ErrKind, "serviceIds[0]"},
		"someone's car":           {with(func(a *OwnerAsk) { a.VehicleID = other.vehicle }), fault.ErrInvalid, "vehicleId"},
		"rescue without place":    {with(func(a *OwnerAsk) { a.Kind, a.ServiceIDs = KindRescue, nil }), ErrAddress, "address"},
		"unknown store":           {with(func(a *OwnerAsk) { a.StoreID = 4242 }), fault.ErrNotFound, ""},
	} {
		_, err := r.Create(o.ctx(), c.ask)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
			continue
		}
		if f := fault.As(err); c.field != "" && (len(f.Fields) == 0 || f.Fields[0].Field != c.field) {
			t.Errorf("%s: blames %v", name, f.Fields)
		}
	}
	if n := r.count(`SELECT COUNT(*) FROM booking_bookings`); n != 0 {
		t.Errorf("%d bookings were written", n)
	}
	r.sound()
}

// The class of a car that is not known, or was retired, is asked for before a price is promised.
func TestBookNeedsAVehicleClass(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner()
	suv, err := r.catalog.CreateVehicleClass(r.staff(), catalog.VehicleClassInput{Name: "SUV"})
	must(t, err)
	car := func(class int64) {
		_, err := r.members.EditVehicle(r.staff(), o.id, o.vehicle, member0(o.plate, class))
		must(t, err)
	}
	car(0)
	_, err = o.create(r.at(1, 10, 0))
	r.wantErr(err, ErrClass)
	car(suv.ID)
	_, err = o.create(r.at(1, 10, 0))
	r.wantErr(err, catalog.ErrItems) // the wash has no price for it
	must(t, r.catalog.RetireVehicleClass(r.staff(), suv.ID))
	_, err = o.create(r.at(1, 10, 0))
	r.wantErr(err, catalog.ErrClass)
}

// Whoever is late is told so and shown the three nearest times.
func TestBookSlotGoneWithAlternatives(t *testing.T) {
	r := newRig(t, 1, 3)
	first, second := r.owner(), r.owner()
	first.booked(r.at(1, 10, 0))
	_, err := second.create(r.at(1, 10, 0))
	f := r.wantErr(err, ErrGone)
	alt, _ := f.Detail.(Alternatives)
	var got []time.Time
	for _, a := range alt.Alternatives {
		got = append(got, a.StartsAt)
		if !a.EndsAt.Equal(a.StartsAt.Add(30 * time.Minute)) {
			t.Errorf("an alternative from %v to %v", a.StartsAt, a.EndsAt)
		}
	}
	want := []time.Time{r.at(1, 9, 15), r.at(1, 9, 30), r.at(1, 10, 30)}
	if !slices.EqualFunc(got, want, time.Time.Equal) {
		t.Errorf("alternatives %v, want %v", got, want)
	}
	for _, at := range got {
		if !slices.ContainsFunc(second.slots(1), at.Equal) {
			t.Errorf("%v is offered but not free", at)
		}
	}
	r.sound()
}

// A closed day set after a booking exists: nothing new is taken, what was agreed stays and can be moved.
func TestBookDayClosedLater(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner()
	b := o.booked(r.at(2, 10, 0))
	_, _, err := r.shops.SetDay(r.staff(), shop.DayInput{StoreID: r.store, Day: r.day(2), Kind: shop.DayClosed, Name: "停电"})
	must(t, err)
	if got := o.slots(2); len(got) != 0 {
		t.Errorf("a closed day offers %v", got)
	}
	l, err := r.OwnerSlots(o.ctx(), o.id, o.vehicle, what{storeID: r.store, kind: KindVisit, services: []int64{r.wash}}, r.day(2), 1)
	must(t, err)
	if l.Days[0].Closed != "停电休息" {
		t.Errorf("why: %q", l.Days[0].Closed)
	}
	_, err = r.owner().create(r.at(2, 15, 0))
	r.wantErr(err, ErrClosedDay)
	if b, err = r.Reschedule(o.ctx(), o.id, b.ID, r.at(1, 10, 0), 0); err != nil || !b.StartsAt.Equal(r.at(1, 10, 0)) {
		t.Fatalf("moving away: %v", err)
	}
	r.sound()
}

func TestBookOpenLimit(t *testing.T) {
	r := newRig(t, 3, 3)
	r.set(setting.BookingMaxOpen, 2)
	o := r.owner()
	o.booked(r.at(1, 10, 0))
	held, err := o.create(r.at(1, 12, 0))
	must(t, err)
	_, err = o.create(r.at(1, 14, 0))
	r.wantErr(err, ErrLimit)
	r.clk.Advance(11 * time.Minute) // the hold runs out, by itself
	if _, err = o.create(r.at(1, 14, 0)); err != nil {
		t.Fatalf("after the hold ran out: %v", err)
	}
	r.wantState(held.ID, Expired)
	r.sound()
}

// Two devices of one member at once: the limit is decided on locked rows.
func TestBookLimitHoldsForTwoDevices(t *testing.T) {
	r := newRig(t, 8, 8)
	r.set(setting.BookingMaxOpen, 1)
	for range 5 {
		o := r.owner()
		type result struct {
			b   Booking
			err error
		}
		done := make(chan result)
		for i := range 4 {
			start := r.at(1, 10+i, 0)
			go func() { b, err := o.create(start); done <- result{b, err} }()
		}
		won := 0
		for range 4 {
			x := <-done
			switch {
			case x.err == nil:
				won++
			case !errors.Is(x.err, ErrLimit):
				t.Errorf("refused by %v", x.err)
			}
		}
		if won != 1 {
			t.Errorf("%d bookings of one member, want 1", won)
		}
	}
	r.sound()
}

// A member's bookings are counted without waiting for anybody else's, however small the table is: a server that goes over all of it under locks has a
// rush deadlock.
func TestBookLimitWaitsForNobodyElse(t *testing.T) {
	r := newRig(t, 3, 3)
	if r.db.Dialect() == db.SQLite {
		t.Skip("SQLite has one writer: nothing is locked by the row")
	}
	mine, other := r.owner(), r.owner()
	mine.booked(r.at(1, 10, 0))
	kept := other.booked(r.at(1, 12, 0))
	must(t, r.db.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		if _, err := lockBooking(ctx, tx, kept.ID); err != nil {
			return err
		}
		return r.db.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			if n, _, err := openOf(ctx, tx, mine.id); err != nil || n != 1 {
				t.Errorf("%d open, %v", n, err)
			}
			return nil
		})
	}))
}

// Who repeatedly did not come pays a deposit even where the service asks for none.
func TestBookRepeatedNoShows(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner()
	for n := range 2 {
		b := o.booked(r.at(n+1, 10, 0))
		r.clk.Set(r.at(n+1, 10, 20))
		_, err := r.MarkNoShow(r.staff(), b.ID)
		must(t, err)
		r.clk.Set(time.Date(2026, 11, 18, 2, n, 0, 0, time.UTC))
	}
	b, err := o.create(r.at(3, 10, 0))
	must(t, err)
	if b.DepositFen != 3000 || b.DepositState != DepositDue {
		t.Fatalf("deposit %s of %d", b.DepositState, b.DepositFen)
	}
	_, err = r.Confirm(o.ctx(), b.ID)
	r.wantErr(err, ErrDepositDue)
	opt, err := r.options(o.ctx(), r.store, o.id)
	must(t, err)
	if opt.NeedsDeposit == "" {
		t.Error("the owner is not told before")
	}
	if other, err := r.owner().create(r.at(3, 12, 0)); err != nil || other.DepositFen != 0 {
		t.Errorf("somebody else: %d %v", other.DepositFen, err)
	}
	r.set(setting.BookingNoShowLimit, 0)
	if b, err = o.create(r.at(3, 14, 0)); err != nil || b.DepositState != DepositNone {
		t.Errorf("with the rule off: %s %v", b.DepositState, err)
	}
	r.sound()
}

// Other people's bookings are as if they did not exist.
func TestBookForeignMember(t *testing.T) {
	r := newRig(t, 1, 1)
	anna, bob := r.owner(), r.owner()
	b := anna.booked(r.at(1, 10, 0))
	held, err := anna.create(r.at(1, 12, 0))
	must(t, err)
	for name, f := range map[string]func() error{
		"get":        func() error { _, err := r.Get(bob.ctx(), bob.id, b.ID); return err },
		"confirm":    func() error { _, err := r.Confirm(bob.ctx(), held.ID); return err },
		"cancel":     func() error { _, err := r.Cancel(bob.ctx(), b.ID, "", nil); return err },
		"reschedule": func() error { _, err := r.Reschedule(bob.ctx(), bob.id, b.ID, r.at(1, 15, 0), 0); return err },
		"check":      func() error { _, err := r.Check(bob.ctx(), bob.id, b.ID); return err },
		"unknown":    func() error { _, err := r.Get(bob.ctx(), bob.id, 4242); return err },
	} {
		if err := f(); !errors.Is(err, fault.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	away := actor.With(t.Context(), actor.Actor{Kind: actor.Staff, ID: 9, Stores: []int64{4242}})
	for name, f := range map[string]func() error{
		"get":    func() error { _, err := r.Get(away, 0, b.ID); return err },
		"arrive": func() error { _, err := r.Arrive(away, b.ID); return err },
		"cancel": func() error { _, err := r.ShopCancel(away, b.ID, "试试"); return err },
		"move":   func() error { _, err := r.Move(away, b.ID, MoveAsk{Version: b.Version, SegmentNo: 1}); return err },
	} {
		if err := f(); !errors.Is(err, fault.ErrNotFound) {
			t.Errorf("staff of another store, %s: %v", name, err)
		}
	}
	r.wantState(b.ID, Confirmed)
}

// A double tap is one booking, whatever the network does in between.
func TestN08DoubleTapIsOneBooking(t *testing.T) {
	r := newRig(t, 4, 4)
	o := r.owner()
	ctx := o.ctx()
	ids := make(chan int64)
	for range 8 {
		go func() {
			b, err := r.Create(ctx, o.ask(r.at(1, 10, 0)))
			if err != nil {
				t.Error(err)
			}
			ids <- b.ID
		}()
	}
	seen := map[int64]bool{}
	for range 8 {
		seen[<-ids] = true
	}
	if len(seen) != 1 {
		t.Errorf("%d bookings of one tap", len(seen))
	}
	// The answer is the same when the world has changed since.
	r.clk.Set(r.at(2, 9, 0))
	if b, err := r.Create(ctx, o.ask(r.at(-1, 10, 0))); err != nil || !seen[b.ID] {
		t.Errorf("repeated a day later: %d %v", b.ID, err)
	}
	k, _ := idem.From(ctx)
	k.Hash = "another request"
	_, err := r.Create(idem.With(ctx, k), o.ask(r.at(1, 12, 0)))
	r.wantErr(err, idem.ErrReused)
	r.sound()
}

// N20: the desk takes times by the same function, so it cannot take what an owner has.
func TestN20DeskAndOwnerShareOneFunction(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner()
	o.booked(r.at(1, 10, 0))
	start := r.at(1, 10, 15)
	ask := DeskAsk{StoreID: r.store, Kind: KindVisit, Channel: ChannelPhone, ContactName: "林女士", ContactPhone: "139 1234 5678", Plate: "沪b·12345", VehicleClassID: r.class,
		ServiceIDs: []int64{r.wash}, StartsAt: &start}
	_, err := r.DeskCreate(r.staff(), ask)
	r.wantErr(err, ErrGone)
	start = r.at(1, 10, 30)
	b, err := r.DeskCreate(r.staff(), ask)
	must(t, err)
	if b.State != Confirmed || b.Plate != "沪B12345" || b.DepositState != DepositNone {
		t.Errorf("written: %+v", b)
	}
	views, err := r.deskViews(r.staff(), []Booking{b})
	must(t, err)
	if v := views[0]; v.Phone != "139****5678" || v.MemberName != "林**" || v.CreatedBy != "孙店长" {
		t.Errorf("shown: %q %q %q", v.Phone, v.MemberName, v.CreatedBy)
	}
	if n := r.count(`SELECT COUNT(*) FROM booking_bookings WHERE contact_phone_sealed LIKE '%5678%'`); n != 0 {
		t.Error("the phone stands in clear")
	}
	ask.ContactPhone, ask.Plate = "123", "沪B12346"
	_, err = r.DeskCreate(r.staff(), ask)
	r.wantErr(err, ErrContact)
	ask.ContactPhone, ask.Plate = "", "沪B1234I"
	_, err = r.DeskCreate(r.staff(), ask)
	r.wantErr(err, ErrPlate)
	r.sound()
}

// Priority tiers see the reserved bay and a longer window; shortly before, everybody sees the bay.
func TestBookPriority(t *testing.T) {
	r := newRig(t, 0, 3)
	r.bay("贵宾位", shop.BayWash, true)
	plain, gold := r.owner(), r.owner()
	must(t, r.db.InTx(r.staff(), func(ctx context.Context, tx *dbTx) error {
		return r.tiers.SetMemberTierTx(ctx, tx, gold.id, r.priority, "老客户")
	}))
	if n := len(plain.slots(3)); n != 0 {
		t.Errorf("everybody sees %d times of the reserved bay", n)
	}
	if n := len(gold.slots(3)); n == 0 {
		t.Error("priority sees nothing")
	}
	if n := len(plain.slots(0)); n == 0 {
		t.Error("the reserved bay is not released")
	}
	if n := len(gold.slots(20)); n == 0 {
		t.Error("priority does not look further")
	}
	_, err := plain.create(r.at(20, 10, 0))
	r.wantErr(err, ErrWindow)
	b, err := gold.create(r.at(20, 10, 0))
	must(t, err)
	if b.PriceFen != 4050 || !b.Priority || b.MemberTier != "黑金" {
		t.Errorf("price %d, %v, %q", b.PriceFen, b.Priority, b.MemberTier)
	}
	_, err = plain.create(r.at(3, 10, 0))
	r.wantErr(err, ErrGone)
	r.sound()
}

// The same technician as last time, when wished.
func TestBookSameTechnician(t *testing.T) {
	r := newRig(t, 3, 3)
	o := r.owner()
	b := o.booked(r.at(1, 10, 0))
	first := b.Segments[0].TechnicianID
	r.clk.Set(r.at(1, 10, 0))
	_, err := r.Start(r.staff(), b.ID)
	must(t, err)
	r.clk.Advance(30 * time.Minute)
	_, err = r.Finish(r.staff(), b.ID, "")
	must(t, err)
	r.owner().booked(r.at(1, 10, 0)) // gives somebody else a first job, and the first one a reason not to be the emptiest
	for range 2 {
		r.owner().booked(r.at(1, 12, 0))
	}
	a := o.ask(r.at(1, 15, 0))
	a.SameTechnician = true
	again, err := r.Create(o.ctx(), a)
	must(t, err)
	if again.Segments[0].TechnicianID != first {
		t.Errorf("%d works, want %d: %s", again.Segments[0].TechnicianID, first, again.Explain)
	}
}
