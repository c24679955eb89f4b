package booking

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/slot"
)

// album stands for the folder of photos.
type album struct {
	mu   sync.Mutex
	kept [][]byte
}

var errNoPicture = fault.Define(fault.Invalid, "booking_test.no_picture", "不是图片")

func (a *album) Put(_ context.Context, data []byte) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if bytes.HasPrefix(data, []byte("<")) {
		return "", errNoPicture
	}
	a.kept = append(a.kept, data)
	return fmt.Sprintf("key-%d", len(a.kept)), nil
}

func (a *album) URL(key string) string { return "/media/" + key }

// liveRig is a rig whose jobs and watchers work.
func liveRig(t testing.TB, bays, technicians int) *rig {
	t.Helper()
	r := newRig(t, bays, technicians)
	r.Live(r.queue, &album{})
	return r
}

// minute is one run of the clock, and of every job that it leaves.
func (r *rig) minute() {
	r.t.Helper()
	must(r.t, r.Minute(r.t.Context()))
	must(r.t, r.queue.Drain(r.t.Context()))
}

func (r *rig) later(d time.Duration) {
	r.t.Helper()
	r.clk.Advance(d)
	r.minute()
}

// messages are the events of which a member is told, in their order.
func (r *rig) messages(memberID int64) (out []string) {
	r.t.Helper()
	must(r.t, r.db.Select(r.t.Context(), &out, `SELECT event FROM notify_messages WHERE member_id = ? ORDER BY id`, memberID))
	return out
}

func (r *rig) walksIn(plate string) (Booking, error) {
	return r.QueueAdd(r.staff(), QueueAsk{StoreID: r.store, Plate: plate, VehicleClassID: r.class, ServiceIDs: []int64{r.wash}})
}

func (r *rig) lined(plate string) Booking {
	r.t.Helper()
	b, err := r.walksIn(plate)
	must(r.t, err)
	return b
}

func (r *rig) queueView(b Booking) QueueView {
	r.t.Helper()
	v, err := r.one(r.staff(), r.get(b.ID), nil)
	must(r.t, err)
	if v.Queue == nil {
		r.t.Fatalf("%s has no place in the line: %s", b.Plate, v.State)
	}
	return *v.Queue
}

func TestWalkInsTakeTheNextBay(t *testing.T) {
	r := liveRig(t, 1, 2)
	first := r.lined("沪A10001")
	if first.State != Arrived || first.Segments[0].BayID == 0 || first.Explain == "" || first.Channel != ChannelWalkIn {
		t.Fatalf("a free bay was not taken at once: %+v", first)
	}
	second, third := r.lined("沪A10002"), r.lined("沪A10003")
	if second.State != Queued || r.count(`SELECT COUNT(*) FROM slot_cells WHERE owner_id = ?`, second.ID) != 0 {
		t.Fatalf("the second is %s", second.State)
	}
	if q := r.queueView(second); q != (QueueView{0, 30}) {
		t.Errorf("the second waits %+v", q)
	}
	if q := r.queueView(third); q != (QueueView{1, 60}) {
		t.Errorf("the third waits %+v", q)
	}
	// A booking that comes to stand before them moves their turn.
	o := r.owner()
	o.booked(r.at(0, 10, 30))
	if q := r.queueView(second); q != (QueueView{0, 60}) {
		t.Errorf("with a booking before, the second waits %+v", q)
	}
	_, err := r.Start(r.staff(), first.ID)
	must(t, err)
	r.clk.Advance(10 * time.Minute)
	_, err = r.Finish(r.staff(), first.ID, "")
	must(t, err)
	must(t, r.queue.Drain(t.Context()))
	r.wantState(second.ID, Queued) // twenty minutes until the booking are not enough
	if _, err := r.ShopCancel(r.staff(), second.ID, "不等了"); err != nil {
		t.Fatal(err)
	}
	r.wantState(third.ID, Queued)
	r.clk.Set(r.at(0, 11, 0))
	r.minute()
	r.wantState(third.ID, Arrived)
	r.sound()
}

func TestFinishedBayGoesToTheNextAtOnce(t *testing.T) {
	r := liveRig(t, 1, 1)
	o := r.owner()
	first := r.lined("沪A10001")
	second := r.lined(o.plate)
	if second.MemberID != o.id {
		t.Fatalf("the plate's only owner is not told: member %d", second.MemberID)
	}
	mine, err := r.Get(o.ctx(), o.id, second.ID)
	must(t, err)
	if v, err := r.one(o.ctx(), mine, nil); err != nil || v.Queue == nil || v.Queue.Ahead != 0 || v.Queue.Minutes != 30 {
		t.Errorf("the owner sees %+v %v", v.Queue, err)
	}
	_, err = r.Start(r.staff(), first.ID)
	must(t, err)
	r.clk.Advance(20 * time.Minute)
	_, err = r.Finish(r.staff(), first.ID, "")
	must(t, err)
	must(t, r.queue.Drain(t.Context()))
	b := r.wantState(second.ID, Arrived)
	if got := slot.Cell(b.Segments[0].FromCell).Time(); !got.Equal(r.at(0, 10, 20)) {
		t.Errorf("its bay is kept from %s", got)
	}
	if got := r.messages(o.id); !slices.Equal(got, []string{"booking_changed"}) {
		t.Errorf("the owner is told %v", got)
	}
	r.sound()
}

func TestN33OnePlaceInTheLinePerPlate(t *testing.T) {
	r := liveRig(t, 1, 2)
	r.lined("沪A10001")
	var wg sync.WaitGroup
	var mu sync.Mutex
	var won, refused int
	for range 8 {
		wg.Go(func() {
			_, err := r.walksIn("沪A10002")
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case errors.Is(err, ErrActive):
				refused++
			default:
				t.Errorf("a second tap: %v", err)
			}
		})
	}
	wg.Wait()
	if won != 1 || refused != 7 || r.count(`SELECT COUNT(*) FROM booking_bookings WHERE plate = '沪A10002'`) != 1 {
		t.Errorf("%d lined up, %d refused", won, refused)
	}
	_, err := r.walksIn("沪A10001")
	r.wantErr(err, ErrActive)
	// A booking of the same car cannot arrive while it stands in the line.
	o := r.owner()
	b := o.booked(r.at(0, 12, 0))
	q := r.lined(o.plate)
	if q.State != Queued {
		t.Fatalf("in the line: %s", q.State)
	}
	_, err = r.Arrive(r.staff(), b.ID)
	r.wantErr(err, ErrActive)
	_, err = r.ShopCancel(r.staff(), q.ID, "有预约")
	must(t, err)
	_, err = r.Arrive(r.staff(), b.ID)
	must(t, err)
	r.sound()
}

func TestWalkInsAreNotPickedForSomebody(t *testing.T) {
	r := liveRig(t, 2, 2)
	o, other := r.owner(), r.owner()
	_, err := r.members.AddVehicle(other.ctx(), other.id, member0(o.plate, r.class))
	must(t, err)
	if b := r.lined(o.plate); b.MemberID != 0 {
		t.Errorf("two members own the plate, and %d was picked (N32)", b.MemberID)
	}
	_, err = r.QueueAdd(r.staff(), QueueAsk{StoreID: r.store, Plate: "xx", VehicleClassID: r.class, ServiceIDs: []int64{r.wash}})
	r.wantErr(err, ErrPlate)
	_, err = r.QueueAdd(r.staff(), QueueAsk{StoreID: r.store, Plate: "沪A10009", VehicleClassID: r.class, ServiceIDs: []int64{r.wash}, ContactPhone: "123"})
	r.wantErr(err, ErrContact)
	r.clk.Set(r.at(0, 22, 0))
	_, err = r.walksIn("沪A10009")
	r.wantErr(err, ErrHours)
	if n := r.count(`SELECT COUNT(*) FROM booking_bookings`); n != 1 {
		t.Errorf("%d bookings", n)
	}
}

func (o owner) waits(day string, from, to int, services ...int64) Wait {
	o.r.t.Helper()
	w, err := o.r.WaitCreate(o.ctx(), WaitAsk{StoreID: o.r.store, VehicleID: o.vehicle, ServiceIDs: services, Kind: KindVisit, FromDay: day, ToDay: day, FromMinute: from, ToMinute: to})
	must(o.r.t, err)
	return w
}

func (r *rig) wait(id int64) Wait {
	r.t.Helper()
	w, err := waitByID(r.t.Context(), r.db, id, "")
	must(r.t, err)
	return w
}

func TestX08WaitlistOffersInTurn(t *testing.T) {
	r := liveRig(t, 1, 1)
	r.set(setting.BookingOfferMinutes, 15)
	holder, a, b, c := r.owner(), r.owner(), r.owner(), r.owner()
	taken := holder.booked(r.at(1, 10, 0))
	ten := 10 * 60
	wa, wb := a.waits(r.day(1), ten, ten, r.wash), b.waits(r.day(1), ten, ten, r.wash)
	wc := c.waits(r.day(1), 14*60, 14*60, r.wash) // free now: offered at once
	r.minute()
	if w := r.wait(wc.ID); w.State != WaitOffered || r.get(w.BookingID).State != Held {
		t.Fatalf("what is free is offered at once: %+v", w)
	}
	for _, w := range []Wait{wa, wb} {
		if got := r.wait(w.ID); got.State != WaitWaiting {
			t.Fatalf("nothing is free, and the wait is %s", got.State)
		}
	}
	_, err := r.ShopCancel(r.staff(), taken.ID, "设备维修")
	must(t, err)
	must(t, r.queue.Drain(t.Context()))
	first := r.wait(wa.ID)
	held := r.get(first.BookingID)
	if first.State != WaitOffered || held.State != Held || !held.StartsAt.Equal(r.at(1, 10, 0)) || !held.HoldExpiresAt.Equal(r.clk.Now().Add(15*time.Minute)) || held.MemberID != a.id ||
		!first.OfferExpiresAt.Equal(held.HoldExpiresAt) {
		t.Fatalf("the first in the line: %+v, %+v", first, held)
	}
	if got := r.messages(a.id); !slices.Equal(got, []string{"booking_offer"}) {
		t.Errorf("told: %v", got)
	}
	if got := r.wait(wb.ID); got.State != WaitWaiting || slices.Contains(b.slots(1), r.at(1, 10, 0)) {
		t.Errorf("one time was offered twice: %s", got.State)
	}
	list, err := r.Waits(a.ctx())
	must(t, err)
	views, err := r.waitViews(a.ctx(), list, false)
	must(t, err)
	if len(views) != 1 || views[0].Offer == nil || views[0].Offer.ID != held.ID || views[0].OfferExpiresAt == nil || views[0].MemberName != "" {
		t.Errorf("the owner sees %+v", views)
	}
	// It runs out: the next one's turn, and nobody else's.
	r.later(15 * time.Minute)
	r.wantState(held.ID, Expired)
	second := r.wait(wb.ID)
	if r.wait(wa.ID).State != WaitExpired || second.State != WaitOffered {
		t.Fatalf("after the first ran out: %s, %s", r.wait(wa.ID).State, second.State)
	}
	_, err = r.Confirm(b.ctx(), second.BookingID)
	must(t, err)
	if w := r.wait(wb.ID); w.State != WaitAccepted {
		t.Errorf("confirmed, and the wait is %s", w.State)
	}
	r.later(time.Hour)
	r.wantState(second.BookingID, Confirmed)
	if got := r.messages(b.id); !slices.Equal(got, []string{"booking_offer", "booking_confirmed"}) {
		t.Errorf("the second is told %v", got)
	}
	r.sound()
}

func TestX08DecliningOffersTheNext(t *testing.T) {
	r := liveRig(t, 1, 1)
	holder, a, b := r.owner(), r.owner(), r.owner()
	taken := holder.booked(r.at(1, 10, 0))
	ten := 10 * 60
	wa, wb := a.waits(r.day(1), ten, ten, r.wash), b.waits(r.day(1), ten, ten, r.wash)
	_, err := r.Cancel(holder.ctx(), taken.ID, "改主意", nil)
	must(t, err)
	must(t, r.queue.Drain(t.Context()))
	if _, err := r.WaitCancel(b.ctx(), wa.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("somebody else's wait: %v", err)
	}
	w, err := r.WaitCancel(a.ctx(), wa.ID)
	must(t, err)
	if w.State != WaitCancelled {
		t.Errorf("declined: %s", w.State)
	}
	must(t, r.queue.Drain(t.Context()))
	if got := r.wait(wb.ID); got.State != WaitOffered {
		t.Errorf("the next: %s", got.State)
	}
	// A closed bay that opens again is offered too; a wait whose time is over is not.
	c := r.owner()
	bays, err := r.shops.Bays(t.Context(), r.store)
	must(t, err)
	block, err := r.Block(r.staff(), BlockAsk{StoreID: r.store, ResourceID: bays[0].ID, From: r.at(2, 0, 0), To: r.at(3, 0, 0), Reason: "刷地坪"})
	must(t, err)
	wc := c.waits(r.day(2), ten, ten+30, r.wash)
	r.minute()
	if got := r.wait(wc.ID); got.State != WaitWaiting {
		t.Fatalf("a closed bay was offered: %s", got.State)
	}
	_, err = r.Unblock(r.staff(), block.ID)
	must(t, err)
	must(t, r.queue.Drain(t.Context()))
	if got := r.wait(wc.ID); got.State != WaitOffered {
		t.Errorf("the bay is open again: %s", got.State)
	}
	d := r.owner()
	wd := d.waits(r.day(0), 11*60, 11*60, r.detail)
	taken2 := r.wait(wd.ID)
	r.clk.Set(r.at(0, 11, 0))
	r.minute()
	if got := r.wait(wd.ID); got.State == WaitWaiting {
		t.Errorf("a wait whose time is over still waits (it was %s)", taken2.State)
	}
	r.sound()
}

func TestWaitRefusals(t *testing.T) {
	r := liveRig(t, 1, 1)
	o := r.owner()
	ask := func(f func(*WaitAsk)) error {
		in := WaitAsk{StoreID: r.store, VehicleID: o.vehicle, ServiceIDs: []int64{r.detail}, Kind: KindVisit, FromDay: r.day(1), ToDay: r.day(1), FromMinute: 600, ToMinute: 660}
		f(&in)
		_, err := r.WaitCreate(o.ctx(), in)
		return err
	}
	for name, f := range map[string]func(*WaitAsk){
		"no date":         func(a *WaitAsk) { a.FromDay = "morgen" },
		"backwards":       func(a *WaitAsk) { a.FromDay = r.day(2) },
		"past":            func(a *WaitAsk) { a.FromDay, a.ToDay = r.day(-2), r.day(-1) },
		"too far":         func(a *WaitAsk) { a.ToDay = r.day(60) },
		"hours backwards": func(a *WaitAsk) { a.FromMinute = 700 },
		"this morning":    func(a *WaitAsk) { a.FromDay, a.ToDay, a.FromMinute, a.ToMinute = r.day(0), r.day(0), 540, 570 },
	} {
		if err := ask(f); !errors.Is(err, ErrWaitWindow) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := ask(func(a *WaitAsk) { a.VehicleID = 4242 }); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("somebody else's car: %v", err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for range 12 {
		wg.Go(func() {
			err := ask(func(*WaitAsk) {})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made++
			} else if !errors.Is(err, ErrWaits) {
				t.Errorf("many at once: %v", err)
			}
		})
	}
	wg.Wait()
	if made != maxWaits {
		t.Errorf("%d waits, want %d", made, maxWaits)
	}
}
