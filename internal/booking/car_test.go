package booking

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
)

// carRefused is the word about a car that is booked elsewhere, and the booking that it shows.
func (r *rig) carRefused(err error) (string, int64) {
	r.t.Helper()
	f := r.wantErr(err, ErrCar)
	d, _ := f.Detail.(CarBooked)
	return f.Message, d.BookingID
}

// shares gives the owner a car with the plate of another one's: a couple has one car.
func (o owner) shares(with owner) owner {
	o.r.t.Helper()
	v, err := o.r.members.AddVehicle(o.r.staff(), o.id, member0(with.plate, o.r.class))
	must(o.r.t, err)
	o.vehicle, o.plate = v.ID, with.plate
	return o
}

// phoned is a booking at the desk of which nothing but the plate is known.
func (r *rig) phoned(plate string, at time.Time) (Booking, error) {
	return r.DeskCreate(r.staff(), DeskAsk{StoreID: r.store, Kind: KindVisit, Channel: ChannelDesk, Plate: plate, VehicleClassID: r.class, ServiceIDs: []int64{r.wash}, StartsAt: &at})
}

func TestWhenACarIsInTwoPlaces(t *testing.T) {
	at := func(h, m int) time.Time { return time.Date(2026, 11, 19, h, m, 0, 0, time.UTC) }
	x := carTime{Kind: KindVisit, State: Confirmed, StartsAt: at(10, 0), EndsAt: at(10, 30)}
	for _, c := range []struct {
		name     string
		kind     Kind
		from, to time.Time
		want     bool
	}{
		{"ends as the other begins", KindVisit, at(9, 30), at(10, 0), false},
		{"begins as the other ends", KindVisit, at(10, 30), at(11, 0), false},
		{"the same", KindVisit, at(10, 0), at(10, 30), true},
		{"the last minute", KindRepair, at(9, 0), at(10, 1), true},
		{"around it", KindAtHome, at(9, 0), at(12, 0), true},
		{"within it", KindPickup, at(10, 10), at(10, 20), true},
		{"help is not refused", KindRescue, at(10, 0), at(11, 0), false},
	} {
		if got := x.meets(c.kind, c.from, c.to); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	help := carTime{Kind: KindRescue, State: Requested, StartsAt: at(10, 0), EndsAt: at(11, 0)}
	if help.meets(KindRepair, at(10, 30), at(12, 0)) || !help.meets(KindRescue, at(15, 0), at(16, 0)) {
		t.Error("a rescue keeps no time from others, but there is only one of a car")
	}
}

// One car, one owner: what overlaps is refused with what is in the way and where; what touches is not; what ended is not in the way.
func TestOneCarIsBookedOnceAtATime(t *testing.T) {
	r := newRig(t, 3, 3)
	r.set(setting.BookingMaxOpen, 10)
	o := r.owner()
	held, err := o.create(r.at(1, 10, 0))
	must(t, err)
	_, err = o.create(r.at(1, 10, 15))
	if text, id := r.carRefused(err); text != o.plate+" 在 11月19日 10:00 的预约还在等您确认（静安店），请先确认或取消那一个，或者改时间" || id != held.ID {
		t.Errorf("held: %q, %d", text, id)
	}
	_, err = r.Confirm(o.ctx(), held.ID)
	must(t, err)
	_, err = o.create(r.at(1, 9, 0), r.detail)
	if text, id := r.carRefused(err); text != o.plate+" 在 11月19日 10:00 已有预约（静安店），请改时间或先取消那一个" || id != held.ID {
		t.Errorf("confirmed: %q, %d", text, id)
	}
	for _, at := range []time.Time{r.at(1, 9, 30), r.at(1, 10, 30)} {
		if _, err := o.create(at); err != nil {
			t.Errorf("what only touches: %v", err)
		}
	}
	_, err = r.Cancel(o.ctx(), held.ID, "", nil)
	must(t, err)
	again := o.booked(r.at(1, 10, 0)) // the time and the car are free again
	// Moving is the same: to a time at which the car is elsewhere, no; by a few minutes over its own time, yes.
	_, err = r.Reschedule(o.ctx(), o.id, again.ID, r.at(1, 10, 15), 0)
	r.carRefused(err)
	far := o.booked(r.at(2, 10, 0))
	_, err = r.Reschedule(o.ctx(), o.id, far.ID, r.at(1, 10, 0), 0)
	r.carRefused(err)
	if _, err = r.Reschedule(o.ctx(), o.id, far.ID, r.at(2, 10, 15), 0); err != nil {
		t.Errorf("over its own time: %v", err)
	}
	_, err = r.Reschedule(r.staff(), 0, far.ID, r.at(1, 10, 0), 0)
	if text, id := r.carRefused(err); !strings.Contains(text, "静安店，精洗") || id == 0 {
		t.Errorf("the desk is told %q, %d", text, id)
	}
	r.sound()
}

// A plate is one car whoever has entered it. Of somebody else's booking nothing but the time is told.
func TestOnePlateOfTwoMembers(t *testing.T) {
	r := newRig(t, 3, 3)
	her := r.owner()
	him := r.owner().shares(her)
	b := her.booked(r.at(1, 10, 0))
	_, err := him.create(r.at(1, 10, 15))
	text, id := r.carRefused(err)
	if text != her.plate+" 在 11月19日 10:00 已有预约，请换一个时间；要动那一个，请让预约的人操作或联系门店" || id != 0 {
		t.Errorf("another member is told %q, %d", text, id)
	}
	for _, private := range []string{"静安店", "精洗", b.No} {
		if strings.Contains(text, private) {
			t.Errorf("another member is told %q", private)
		}
	}
	_, err = r.phoned(her.plate, r.at(1, 10, 0))
	if text, id = r.carRefused(err); id != b.ID || !strings.Contains(text, "请约成一单") {
		t.Errorf("the desk is told %q, %d", text, id)
	}
	// The other way round: a guest's booking by phone stands before the member's.
	guest, err := r.phoned(her.plate, r.at(2, 10, 0))
	must(t, err)
	_, err = her.create(r.at(2, 10, 0))
	if text, id = r.carRefused(err); id != 0 || strings.Contains(text, "静安店") {
		t.Errorf("the member is told of a guest %q, %d", text, id)
	}
	_, err = r.ShopCancel(r.staff(), guest.ID, "记错了")
	must(t, err)
	her.booked(r.at(2, 10, 0))
	r.sound()
}

// A car is the same in every store, and after its plate was corrected.
func TestOneCarInTwoStoresAndUnderTwoPlates(t *testing.T) {
	r := newRig(t, 2, 2)
	r.set(setting.BookingMaxOpen, 10)
	o := r.owner()
	b := o.booked(r.at(1, 10, 0))
	st, err := r.shops.Create(r.staff(), shop.Input{Name: "徐汇店", Address: "漕溪北路 8 号", Timezone: "Asia/Shanghai"})
	must(t, err)
	_, err = r.shops.CreateBay(r.staff(), shop.BayInput{StoreID: st.ID, Name: "徐汇 1 号", Kind: shop.BayWash})
	must(t, err)
	r.clk.Advance(3 * time.Second)
	there := o.ask(r.at(1, 10, 0))
	there.StoreID = st.ID
	if _, err = r.Create(o.ctx(), there); err == nil {
		t.Fatal("booked in two stores at once")
	}
	if text, id := r.carRefused(err); !strings.Contains(text, "静安店") || id != b.ID {
		t.Errorf("told %q, %d", text, id)
	}
	_, err = r.members.EditVehicle(r.staff(), o.id, o.vehicle, member0("沪C99999", r.class))
	must(t, err)
	_, err = o.create(r.at(1, 10, 15))
	if _, id := r.carRefused(err); id != b.ID {
		t.Errorf("the plate was corrected, and %d is in the way", id)
	}
	if _, err = r.DeskCreate(r.staff(), DeskAsk{StoreID: r.store, Kind: KindVisit, Channel: ChannelDesk, MemberID: o.id, Plate: "沪C99999", VehicleClassID: r.class, ServiceIDs: []int64{r.wash},
		StartsAt: ptr(r.at(1, 10, 15))}); !errors.Is(err, ErrCar) {
		t.Errorf("the desk books the corrected plate: %v", err)
	}
	r.sound()
}

// The desk drags: a car that would be in two places is no matter of force.
func TestMoveDoesNotDoubleACar(t *testing.T) {
	r := newRig(t, 3, 3)
	o := r.owner()
	o.booked(r.at(1, 10, 0))
	b := o.booked(r.at(1, 14, 0))
	to := r.at(1, 10, 15)
	for _, force := range []bool{false, true} {
		_, err := r.MoveOnce(r.staff(), b.ID, MoveAsk{Version: b.Version, SegmentNo: 1, StartsAt: &to, Force: force, Reason: "试试"})
		d, _ := r.wantErr(err, ErrMove).Detail.(Refusals)
		if n := len(d.Reasons); d.CanForce || n == 0 || !strings.Contains(d.Reasons[n-1].Text, o.plate+" 在 11月19日 10:00 已有预约") {
			t.Errorf("force %v: %+v", force, d)
		}
	}
	free := r.at(1, 9, 30)
	if _, err := r.Move(r.staff(), b.ID, MoveAsk{Version: b.Version, SegmentNo: 1, StartsAt: &free}); err != nil {
		t.Errorf("to a time that is free: %v", err)
	}
	r.sound()
}

// What happens is not refused: work lasts as long as it lasts, though the car is booked after it; and a new wish sees how long that is.
func TestWorkUnderWayIsNotRefused(t *testing.T) {
	r := liveRig(t, 2, 2)
	o := r.owner()
	b := o.booked(r.at(0, 11, 0))
	next := o.booked(r.at(0, 11, 40))
	r.clk.Set(r.at(0, 11, 0))
	_, err := r.Start(r.staff(), b.ID)
	must(t, err)
	r.clk.Set(r.at(0, 11, 35))
	r.minute()
	b = r.wantState(b.ID, InService)
	if !b.EndsAt.After(r.at(0, 11, 40)) {
		t.Fatalf("not extended beyond the start of the next: %v", b.EndsAt)
	}
	r.wantState(next.ID, Confirmed)
	longer := r.at(0, 11, 55)
	if _, err = r.Move(r.staff(), b.ID, MoveAsk{Version: b.Version, SegmentNo: 1, EndsAt: &longer}); err != nil {
		t.Errorf("the desk makes a running job longer: %v", err)
	}
	_, err = r.Cancel(o.ctx(), next.ID, "", nil)
	must(t, err)
	r.set(setting.BookingLeadMinutes, 5)
	_, err = o.create(r.at(0, 11, 45))
	if text, id := r.carRefused(err); text != o.plate+" 正在店里（静安店），预计 11月18日 11:55 做好，请约在那以后" || id != b.ID {
		t.Errorf("told %q, %d", text, id)
	}
	r.sound()
}

// A car at the door that is booked for now is received, not lined up; one whose time is later is washed before it.
func TestAWalkInThatIsBooked(t *testing.T) {
	r := liveRig(t, 2, 2)
	soon, later := r.owner(), r.owner()
	b := soon.booked(r.at(0, 10, 30))
	later.booked(r.at(0, 15, 0))
	r.clk.Set(r.at(0, 10, 15))
	_, err := r.walksIn(soon.plate)
	if text, id := r.carRefused(err); text != soon.plate+" 在 11月18日 10:30 已有预约（精洗），不用排队，请在那一单里办理到店" || id != b.ID {
		t.Errorf("told %q, %d", text, id)
	}
	if got := r.lined(later.plate); got.State != Arrived {
		t.Errorf("the other one is %s", got.State)
	}
	_, err = r.walksIn(later.plate)
	r.wantErr(err, ErrActive) // the plate's own key comes first (N33)
	r.sound()
}

// Who waits is offered no time at which the car is elsewhere, but the next one that suits.
func TestOffersKeepClearOfTheCar(t *testing.T) {
	r := liveRig(t, 2, 2)
	o := r.owner()
	b := o.booked(r.at(1, 10, 0))
	near := o.waits(r.day(1), 9*60+45, 10*60+30, r.wash)
	only := o.waits(r.day(1), 10*60, 10*60+15, r.wash)
	r.minute()
	got := r.wait(near.ID)
	if got.State != WaitOffered || !r.get(got.BookingID).StartsAt.Equal(r.at(1, 10, 30)) {
		t.Fatalf("offered: %+v", got)
	}
	if w := r.wait(only.ID); w.State != WaitWaiting {
		t.Errorf("offered while the car is elsewhere: %s", w.State)
	}
	_, err := r.Cancel(o.ctx(), b.ID, "", nil)
	must(t, err)
	must(t, r.queue.Drain(t.Context()))
	if w := r.wait(only.ID); w.State != WaitOffered || !r.get(w.BookingID).StartsAt.Equal(r.at(1, 10, 0)) {
		t.Errorf("the car is free, and the wait is %s", w.State)
	}
	r.sound()
}

// Two phones, two members and the desk want the same car at the same moment, at times that overlap: exactly one of them gets it.
func TestTwoPhonesBookOneCar(t *testing.T) {
	r := newRig(t, 8, 8)
	for round := range 8 {
		her := r.owner()
		him := r.owner().shares(her)
		wishes := []func() error{
			func() error { _, err := her.create(r.at(1+round, 10, 0)); return err },
			func() error { _, err := her.create(r.at(1+round, 10, 15)); return err },
			func() error { _, err := him.create(r.at(1+round, 10, 0)); return err },
			func() error { _, err := him.create(r.at(1+round, 10, 20)); return err },
			func() error { _, err := r.phoned(her.plate, r.at(1+round, 10, 15)); return err },
		}
		if won := r.atOnce(wishes, ErrCar); won != 1 {
			t.Errorf("round %d: %d bookings of one car", round, won)
		}
		if n := r.count(`SELECT COUNT(*) FROM booking_bookings WHERE plate = ?`, her.plate); n != 1 {
			t.Errorf("round %d: %d bookings of one car are written", round, n)
		}
	}
	// Moving two bookings of one car to the same time is no way around it.
	for round := range 4 {
		o := r.owner()
		a, b := o.booked(r.at(9+round, 10, 0)), o.booked(r.at(9+round, 12, 0))
		to := r.at(9+round, 15, 15)
		won := r.atOnce([]func() error{
			func() error { _, err := r.Reschedule(o.ctx(), o.id, a.ID, r.at(9+round, 15, 0), 0); return err },
			func() error { _, err := r.Reschedule(r.staff(), 0, b.ID, to, 0); return err },
			func() error { _, err := o.create(to); return err },
		}, ErrCar)
		if won != 1 {
			t.Errorf("round %d: %d bookings of one car at one time", round, won)
		}
	}
	r.sound()
}

// atOnce runs wishes at the same moment and counts those that come true; the others must be refused by a fault.
func (r *rig) atOnce(wishes []func() error, refusal error) (won int) {
	r.t.Helper()
	var ready, done sync.WaitGroup
	gun, errs := make(chan struct{}), make([]error, len(wishes))
	for i, f := range wishes {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-gun
			errs[i] = f()
		})
	}
	ready.Wait()
	close(gun)
	done.Wait()
	for i, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, refusal):
			r.t.Errorf("wish %d is refused by %v", i, err)
		}
	}
	return won
}

// A hold that ran out is not in the way. Should its deposit be paid after all, the car is looked for again, and the money goes back when it is
// booked elsewhere (N06).
func TestN06LateDepositOfACarThatIsElsewhere(t *testing.T) {
	r := newRig(t, 2, 2)
	o := r.owner().onWeChat()
	b, err := o.create(r.at(3, 10, 0), r.detail)
	must(t, err)
	o.payDeposit(b.ID)
	r.clk.Advance(12 * time.Minute)
	st, err := r.shops.Create(r.staff(), shop.Input{Name: "徐汇店", Address: "漕溪北路 8 号", Timezone: "Asia/Shanghai"})
	must(t, err)
	_, err = r.shops.CreateBay(r.staff(), shop.BayInput{StoreID: st.ID, Name: "徐汇 1 号", Kind: shop.BayWash})
	must(t, err)
	idle := r.people.all[0].ID
	if idle == b.Segments[0].TechnicianID {
		idle = r.people.all[1].ID
	}
	must(t, r.roster.PlanDay(r.staff(), r.store, idle, r.day(3), nil))
	must(t, r.roster.PlanDay(r.staff(), st.ID, idle, r.day(3), []roster.ShiftInput{{Starts: 9 * 60, Ends: 21 * 60}}))
	r.clk.Advance(3 * time.Second)
	elsewhere := o.ask(r.at(3, 11, 0))
	elsewhere.StoreID = st.ID
	_, err = r.Create(o.ctx(), elsewhere) // the hold is over, but nobody has swept it yet: it is of another store
	must(t, err)
	r.wantState(b.ID, Held)
	p, err := r.payments.Check(t.Context(), r.get(b.ID).PaymentID)
	must(t, err)
	if p.State != payment.StateSurplus || r.kept() != 0 {
		t.Errorf("the payment is %s, %d are kept", p.State, r.kept())
	}
	r.wantState(b.ID, Held)
	_, err = r.ExpireDue(r.staff())
	must(t, err)
	r.wantState(b.ID, Expired)
	r.sound()
}

// Help comes whatever is booked, and once.
func TestRescueAndBookingOfOneCar(t *testing.T) {
	r := liveRig(t, 2, 2)
	o := r.owner()
	o.booked(r.at(0, 11, 0))
	r.clk.Set(r.at(0, 10, 50))
	help, err := o.help()
	must(t, err)
	_, err = o.help()
	if text, id := r.carRefused(err); text != o.plate+" 已有一单道路救援正在处理（静安店），请看那一单的进度，或先取消它" || id != help.ID {
		t.Errorf("told %q, %d", text, id)
	}
	if _, err = o.create(r.at(0, 11, 30)); err != nil {
		t.Errorf("a booking for the time after the rescue: %v", err)
	}
	r.sound()
}

// The rows that stand for cars are few, whatever the plates.
func TestLocksOfCars(t *testing.T) {
	seen := map[int64]bool{}
	for i := range 20000 {
		b := Booking{Plate: fmt.Sprintf("沪A%05d", i), VehicleID: int64(i + 1)}
		rows := locksOf(b)
		if len(rows) == 0 || len(rows) > 2 || len(rows) == 2 && rows[0] >= rows[1] {
			t.Fatalf("%v", rows)
		}
		for _, x := range rows {
			if x < 0 || x >= carLocks {
				t.Fatalf("%d", x)
			}
			seen[x] = true
		}
	}
	if len(seen) < carLocks*9/10 {
		t.Errorf("only %d rows are used", len(seen))
	}
	if a, b := locksOf(Booking{Plate: "沪A12345"}), locksOf(Booking{Plate: "沪A12345", VehicleID: 7}); a[0] != b[0] && a[0] != b[1] {
		t.Error("a car with and without an id has no lock in common")
	}
}
