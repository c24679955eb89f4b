package booking

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/slot"
)

func (r *rig) kinds(id int64) (out []string) {
	r.t.Helper()
	log, err := eventsOf(r.t.Context(), r.db, id)
	must(r.t, err)
	for _, e := range log {
		out = append(out, e.Kind)
	}
	return out
}

func TestG09LateOwnerIsRemindedAndThenReleased(t *testing.T) {
	r := liveRig(t, 1, 1)
	o := r.owner()
	b := o.booked(r.at(0, 12, 0))
	r.clk.Set(r.at(0, 10, 59))
	r.minute()
	if got := r.messages(o.id); !slices.Equal(got, []string{"booking_confirmed"}) {
		t.Fatalf("too early: %v", got)
	}
	for range 3 { // once, however often the clock runs
		r.later(time.Minute)
	}
	if got := r.messages(o.id); !slices.Equal(got, []string{"booking_confirmed", "booking_reminder"}) {
		t.Fatalf("an hour before: %v", got)
	}
	r.clk.Set(r.at(0, 12, 0))
	for range 14 {
		r.minute()
		r.clk.Advance(time.Minute)
	}
	r.minute()
	r.wantState(b.ID, Confirmed)
	if got := r.messages(o.id); !slices.Equal(got, []string{"booking_confirmed", "booking_reminder", "booking_late"}) {
		t.Fatalf("within the grace: %v", got)
	}
	r.later(time.Minute)
	r.wantState(b.ID, NoShow)
	if n := r.count(`SELECT COUNT(*) FROM slot_cells WHERE owner_id = ?`, b.ID); n != 0 {
		t.Errorf("%d cells are still kept", n)
	}
	if got := r.kinds(b.ID); !slices.Equal(got, []string{EventCreated, EventConfirmed, EventReminded, EventLate, EventNoShow}) {
		t.Errorf("log: %v", got)
	}
	if !slices.Contains(o.slots(0), r.at(0, 13, 0)) {
		t.Error("the time is not free again")
	}
	r.sound()
}

func TestJobRunnerDownForAnHour(t *testing.T) {
	r := liveRig(t, 6, 6)
	r.set(setting.BookingMaxOpen, 20)
	over, running, soon, far := r.owner(), r.owner(), r.owner(), r.owner()
	bOver, bRunning := over.booked(r.at(0, 11, 0)), running.booked(r.at(0, 11, 30)) // 11:00–11:30, 11:30–12:00
	bSoon, bFar := soon.booked(r.at(0, 12, 0)), far.booked(r.at(0, 16, 0))
	held, err := r.owner().create(r.at(0, 15, 0))
	must(t, err)
	r.clk.Set(r.at(0, 11, 45)) // nothing ran since ten: an hour and three quarters
	before := r.count(`SELECT COUNT(*) FROM notify_messages`)
	r.minute()
	r.wantState(held.ID, Expired)
	r.wantState(bOver.ID, NoShow) // over before anybody was told: released in silence
	r.wantState(bRunning.ID, Confirmed)
	r.wantState(bSoon.ID, Confirmed)
	for _, c := range []struct {
		name string
		o    owner
		want []string
	}{
		{"its end has passed", over, []string{"booking_confirmed"}},
		{"its start has passed", running, []string{"booking_confirmed", "booking_late"}}, // told until when it is kept, not that it begins soon
		{"still to come", soon, []string{"booking_confirmed", "booking_reminder"}},
		{"this afternoon", far, []string{"booking_confirmed"}},
	} {
		if got := r.messages(c.o.id); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if n := r.count(`SELECT COUNT(*) FROM notify_messages`) - before; n != 2 {
		t.Errorf("a burst of %d messages", n)
	}
	r.minute()
	if n := r.count(`SELECT COUNT(*) FROM notify_messages`) - before; n != 2 {
		t.Errorf("the second run sends %d more", n-2)
	}
	// The grace of somebody who was told late begins with the telling.
	r.clk.Set(r.at(0, 11, 59))
	r.minute()
	r.wantState(bRunning.ID, Confirmed)
	r.clk.Set(r.at(0, 12, 0))
	r.minute()
	r.wantState(bRunning.ID, NoShow)
	r.wantState(bFar.ID, Confirmed)
	r.sound()
}

func TestNoDepositIsLostInAnOutageOfOurs(t *testing.T) {
	r := liveRig(t, 1, 2)
	o := r.owner().onWeChat()
	b := o.paid(r.at(1, 10, 0))
	r.clk.Set(r.at(1, 20, 0))
	r.minute()
	b = r.wantState(b.ID, NoShow)
	if b.DepositState != DepositRefunding && b.DepositState != DepositRefunded {
		t.Errorf("the deposit is %s although nobody was told", b.DepositState)
	}
	r.sound()
}

// late starts a job at ten that takes half an hour and is not finished.
func (r *rig) late(o owner) Booking {
	r.t.Helper()
	b := o.booked(r.at(0, 11, 0))
	r.clk.Set(r.at(0, 11, 0))
	_, err := r.Arrive(r.staff(), b.ID)
	must(r.t, err)
	b, err = r.Start(r.staff(), b.ID)
	must(r.t, err)
	return b
}

func TestX07OverrunMovesTheNextBooking(t *testing.T) {
	r := liveRig(t, 2, 2)
	a, c := r.owner(), r.owner()
	b := a.booked(r.at(0, 11, 0))
	next, err := r.DeskCreate(r.staff(), DeskAsk{StoreID: r.store, Kind: KindVisit, Channel: ChannelDesk, MemberID: c.id, Plate: c.plate, VehicleClassID: r.class, ServiceIDs: []int64{r.wash},
		StartsAt: ptr(r.at(0, 11, 30)), BayID: b.Segments[0].BayID})
	must(t, err)
	if next.Segments[0].BayID != b.Segments[0].BayID {
		t.Fatalf("the next is on another bay: %+v", next.Segments)
	}
	r.clk.Set(r.at(0, 11, 0))
	_, err = r.Arrive(r.staff(), b.ID)
	must(t, err)
	_, err = r.Start(r.staff(), b.ID)
	must(t, err)
	r.clk.Set(r.at(0, 11, 29))
	r.minute()
	if got := r.get(b.ID); !got.EndsAt.Equal(r.at(0, 11, 30)) {
		t.Errorf("extended before it was late: %s", got.EndsAt)
	}
	r.clk.Set(r.at(0, 11, 30))
	r.minute()
	job, moved := r.get(b.ID), r.get(next.ID)
	if !job.EndsAt.Equal(r.at(0, 11, 40)) {
		t.Errorf("the job lasts until %s", job.EndsAt)
	}
	if moved.Segments[0].BayID == next.Segments[0].BayID || !moved.StartsAt.Equal(next.StartsAt) || moved.State != Confirmed {
		t.Errorf("the next: %+v", moved.Segments)
	}
	if got := r.kinds(next.ID); got[len(got)-1] != EventLate && !slices.Contains(got, EventMoved) {
		t.Errorf("log of the next: %v", got)
	}
	if got := r.messages(c.id); slices.Contains(got, "booking_changed") {
		t.Errorf("an owner whose time stays is told %v", got)
	}
	r.sound()
	r.later(10 * time.Minute)
	if got := r.get(b.ID); !got.EndsAt.Equal(r.at(0, 11, 50)) {
		t.Errorf("the second extension: %s", got.EndsAt)
	}
	_, err = r.Finish(r.staff(), b.ID, "")
	must(t, err)
	r.sound()
}

func ptr[T any](v T) *T { return &v }

func TestX07OverrunWarnsWhereNothingElseIsFree(t *testing.T) {
	r := liveRig(t, 1, 1)
	a, c := r.owner(), r.owner()
	next := c.booked(r.at(0, 11, 30))
	b := r.late(a)
	r.clk.Set(r.at(0, 11, 30))
	for range 3 {
		r.minute()
		r.clk.Advance(time.Minute)
	}
	job := r.get(b.ID)
	if got := slot.Cell(job.ToCell).Time(); got.After(r.at(0, 11, 30)) {
		t.Errorf("the job takes the next one's time until %s", got)
	}
	got := r.wantState(next.ID, Confirmed)
	if !got.StartsAt.Equal(r.at(0, 11, 30)) || got.Segments[0].BayID != next.Segments[0].BayID {
		t.Errorf("the next was moved: %+v", got)
	}
	log := r.kinds(next.ID)
	if n := len(slices.DeleteFunc(slices.Clone(log), func(k string) bool { return k != EventDelayed })); n != 1 {
		t.Errorf("warned %d times: %v", n, log)
	}
	told := r.messages(c.id)
	if n := len(slices.DeleteFunc(slices.Clone(told), func(k string) bool { return k != "booking_changed" })); n != 1 {
		t.Errorf("told %v", told)
	}
	r.sound()
}

func (r *rig) problems() map[int64]Problem {
	r.t.Helper()
	list, err := r.Problems(r.staff(), r.store)
	must(r.t, err)
	out := map[int64]Problem{}
	for _, p := range list {
		out[p.BookingID] = p
	}
	return out
}

func TestProblemsOfAShopThatChanges(t *testing.T) {
	r := liveRig(t, 2, 2)
	r.set(setting.BookingMaxOpen, 20)
	o := r.owner()
	b := o.booked(r.at(1, 10, 0))
	if got := r.problems(); len(got) != 0 {
		t.Fatalf("nothing changed, and there are problems: %v", got)
	}
	// A closed bay: without force nothing happens, with it the booking stays and another bay is proposed.
	bay := b.Segments[0].BayID
	ask := BlockAsk{StoreID: r.store, ResourceID: bay, From: r.at(1, 9, 0), To: r.at(1, 12, 0), Reason: "水泵坏了"}
	_, err := r.Block(r.staff(), ask)
	if f := r.wantErr(err, slot.ErrBlocked); f.Detail.(slot.InTheWay).BookingIDs[0] != b.ID {
		t.Errorf("in the way: %v", f.Detail)
	}
	ask.Force = true
	block, err := r.Block(r.staff(), ask)
	must(t, err)
	if !slices.Equal(block.BookingIDs, []int64{b.ID}) {
		t.Errorf("the answer names %v", block.BookingIDs)
	}
	p := r.problems()[b.ID]
	if !strings.Contains(p.Text, "水泵坏了") || p.Suggestion == nil || p.Suggestion.BayID == bay || !p.Suggestion.StartsAt.Equal(b.StartsAt) {
		t.Fatalf("bay closed: %+v %+v", p, p.Suggestion)
	}
	b = r.follow1(b, p)
	if got := r.problems(); len(got) != 0 {
		t.Errorf("after following the proposal: %v", got)
	}
	// Leave.
	person := b.Segments[0].TechnicianID
	_, err = r.Block(r.staff(), BlockAsk{StoreID: r.store, ResourceID: person, From: r.at(1, 0, 0), To: r.at(2, 0, 0), Reason: "病假", Force: true})
	must(t, err)
	p = r.problems()[b.ID]
	if !strings.Contains(p.Text, "病假") || p.Suggestion == nil || p.Suggestion.TechnicianID == person {
		t.Fatalf("on leave: %+v %+v", p, p.Suggestion)
	}
	b = r.follow1(b, p)
	// The technician is fired: nobody else is left that day.
	r.suspend(b.Segments[0].TechnicianID)
	p = r.problems()[b.ID]
	if !strings.Contains(p.Text, "已停用") || (p.Suggestion != nil && p.Suggestion.StartsAt.Equal(b.StartsAt)) {
		t.Errorf("fired: %+v %+v", p, p.Suggestion)
	}
	if n, err := r.Affected(t.Context(), r.store); err != nil || n != 1 {
		t.Errorf("affected: %d %v", n, err)
	}
	// A closed day.
	c := r.owner()
	second := c.booked(r.at(5, 10, 0))
	_, _, err = r.shops.SetDay(r.staff(), shop.DayInput{StoreID: r.store, Day: r.day(5), Kind: shop.DayClosed, Name: "盘点"})
	must(t, err)
	if p := r.problems()[second.ID]; !strings.Contains(p.Text, "不营业") {
		t.Errorf("closed day: %+v", p)
	}
	// A service that is no longer offered.
	must(t, r.catalog.RetireService(r.staff(), r.wash))
	if p := r.problems()[second.ID]; !strings.Contains(p.Text, "已停止预约") {
		t.Errorf("service gone: %+v", p)
	}
	away := actor.With(r.t.Context(), actor.Actor{Kind: actor.Staff, ID: 9, Stores: []int64{4242}})
	if _, err := r.Problems(away, r.store); !errors.Is(err, fault.ErrStore) {
		t.Errorf("another store's staff: %v", err)
	}
	r.sound()
}

// follow1 does what a problem's proposal says.
func (r *rig) follow1(b Booking, p Problem) Booking {
	r.t.Helper()
	b, err := r.Move(r.staff(), b.ID, MoveAsk{Version: r.get(b.ID).Version, SegmentNo: p.Suggestion.SegmentNo, BayID: p.Suggestion.BayID, TechnicianID: p.Suggestion.TechnicianID, StartsAt: &p.Suggestion.StartsAt})
	must(r.t, err)
	return b
}

func TestPhotosAndRating(t *testing.T) {
	r := liveRig(t, 1, 1)
	o := r.owner()
	b := o.booked(r.at(0, 11, 0))
	_, err := r.AddPhoto(r.staff(), b.ID, StageBefore, []byte("jpeg"))
	r.wantErr(err, ErrPhotoState)
	_, err = r.Rate(o.ctx(), b.ID, RatingAsk{Stars: 5})
	r.wantErr(err, ErrRating)
	r.clk.Set(r.at(0, 11, 0))
	_, err = r.Arrive(r.staff(), b.ID)
	must(t, err)
	_, err = r.AddPhoto(r.staff(), b.ID, StageBefore, []byte("<svg>"))
	r.wantErr(err, errNoPicture)
	errs := make(chan error, 20)
	for range 20 {
		go func() { _, err := r.AddPhoto(r.staff(), b.ID, StageBefore, []byte("jpeg")); errs <- err }()
	}
	var kept int
	for range 20 {
		if err := <-errs; err == nil {
			kept++
		} else if !errors.Is(err, ErrPhotos) {
			t.Errorf("a photo: %v", err)
		}
	}
	if kept != maxPhotos {
		t.Errorf("%d photos, want %d", kept, maxPhotos)
	}
	_, err = r.Start(r.staff(), b.ID)
	must(t, err)
	b, err = r.Finish(r.staff(), b.ID, "")
	must(t, err)
	in := RatingAsk{Stars: 4, Tags: []string{"洗得干净", "准时", "准时"}, Text: " 很好 "}
	_, err = r.Rate(o.ctx(), b.ID, RatingAsk{Stars: 4, Tags: []string{"a,b"}})
	r.wantErr(err, fault.ErrInvalid)
	_, err = r.Rate(r.owner().ctx(), b.ID, in)
	r.wantErr(err, fault.ErrNotFound)
	_, err = r.Rate(o.ctx(), b.ID, in)
	must(t, err)
	_, err = r.Rate(o.ctx(), b.ID, in)
	r.wantErr(err, ErrRating)
	v, err := r.one(o.ctx(), r.get(b.ID), nil)
	must(t, err)
	if len(v.Photos) != maxPhotos || v.Photos[0].Stage != StageBefore || !strings.HasPrefix(v.Photos[0].URL, "/media/") || v.Rating == nil || v.Rating.Stars != 4 || v.Rating.Text != "很好" ||
		!slices.Equal(v.Rating.Tags, []string{"洗得干净", "准时"}) {
		t.Errorf("the owner sees %+v %+v", v.Photos, v.Rating)
	}
	list, err := r.technicianChoices(t.Context(), r.store)
	must(t, err)
	if len(list) != 1 || list[0].Stars10 != 40 || list[0].Ratings != 1 {
		t.Errorf("the technician's average: %+v", list)
	}
	r.sound()
}

func TestRatingIsAboutWhoWorked(t *testing.T) {
	b := Booking{Segments: []Segment{{TechnicianID: 1, ServiceFrom: 0, ServiceTo: 6}, {BayID: 5, TechnicianID: 2, ServiceFrom: 6, ServiceTo: 10}, {TechnicianID: 1, ServiceFrom: 10, ServiceTo: 16}}}
	if got := worker(b); got != 2 {
		t.Errorf("the driver %d is rated", got)
	}
	if got := worker(Booking{}); got != 0 {
		t.Errorf("nobody worked, and %d is rated", got)
	}
}

func TestCalendarOfABooking(t *testing.T) {
	r := liveRig(t, 1, 1)
	o := r.owner()
	b := o.booked(r.at(1, 10, 0))
	c, err := r.Calendar(o.ctx(), b.ID)
	must(t, err)
	if c.FileName != b.No+".ics" || !strings.Contains(c.ICS, "DTSTART:20261119T020000Z\r\n") || !strings.Contains(c.ICS, "TRIGGER:-PT60M") || !strings.Contains(c.ICS, "STATUS:CONFIRMED") {
		t.Errorf("%+v", c)
	}
	if _, err := r.Calendar(r.owner().ctx(), b.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("somebody else's: %v", err)
	}
	_, err = r.ShopCancel(r.staff(), b.ID, "停电")
	must(t, err)
	again, err := r.Calendar(o.ctx(), b.ID)
	must(t, err)
	if !strings.Contains(again.ICS, "STATUS:CANCELLED") || !strings.Contains(again.ICS, "UID:"+b.No+"@liangche") {
		t.Errorf("cancelled: %s", again.ICS)
	}
}
