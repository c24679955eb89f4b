package booking

import (
	"context"
	"fmt"
	"slices"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ics"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/slot"
)

// The events of closures: they belong to no booking, but the board shows them.
const (
	EventBlocked   = "blocked"
	EventUnblocked = "unblocked"
)

// Block closes a bay or gives a technician leave. Faults: slot.blocked with the bookings in the way, fault.ErrInvalid, fault.ErrStore.
func (s *Service) Block(ctx context.Context, in BlockAsk) (v BlockView, err error) {
	if !actor.From(ctx).InStore(in.StoreID) {
		return v, fault.ErrStore
	}
	kind, name, err := s.resource(ctx, in.StoreID, in.ResourceID)
	if err != nil {
		return v, err
	}
	if in.ResourceKind != "" && in.ResourceKind != kind {
		return v, fault.ErrInvalid.On("resourceKind", "与所选的不一致")
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		b, owners, err := s.slots.BlockTx(ctx, tx, slot.Block{StoreID: in.StoreID, ResourceID: in.ResourceID, ResourceKind: kind, From: in.From, To: in.To, Reason: in.Reason}, in.Force)
		if err != nil {
			return err
		}
		logTx(ctx, tx, Booking{StoreID: in.StoreID}, EventBlocked, name+"："+b.Reason)
		tx.AfterCommit(s.board.changed)
		v = blockView(b)
		v.BookingIDs = owners
		return nil
	})
	return v, err
}

// resource finds a bay or technician of a store. Fault: fault.ErrInvalid.
func (s *Service) resource(ctx context.Context, storeID, id int64) (kind, name string, err error) {
	bays, err := s.shops.Bays(ctx, storeID)
	if err != nil {
		return "", "", err
	}
	for _, b := range bays {
		if b.ID == id {
			return slot.Bay, b.Name, nil
		}
	}
	people, err := s.roster.Technicians(ctx, storeID)
	if err != nil {
		return "", "", err
	}
	if i := slices.IndexFunc(people, func(t roster.Technician) bool { return t.StaffID == id }); i >= 0 {
		return slot.Technician, people[i].Name, nil
	}
	return "", "", fault.ErrInvalid.On("resourceId", "没有这个工位或技师，请重新选择")
}

// Unblock opens what was closed; whoever waits for the time is offered it. Fault: fault.ErrNotFound.
func (s *Service) Unblock(ctx context.Context, id int64) (v BlockView, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		b, err := s.slots.UnblockTx(ctx, tx, id)
		if err != nil {
			return err
		}
		if !actor.From(ctx).InStore(b.StoreID) {
			return fault.ErrNotFound // undoes it
		}
		logTx(ctx, tx, Booking{StoreID: b.StoreID}, EventUnblocked, b.Reason)
		tx.AfterCommit(s.board.changed)
		v = blockView(b)
		return s.queue.EnqueueTx(ctx, tx, jobs.Job{Kind: JobFreed, Payload: freed{b.StoreID}})
	})
	return v, err
}

// priorityFirst puts the priority members who are still to come before everybody else (G10); otherwise the order stays.
func priorityFirst(list []Booking) {
	awaited := func(b Booking) int {
		if b.Priority && (b.State == Confirmed || b.State == Held) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(list, func(x, y Booking) int { return awaited(x) - awaited(y) })
}

// atHandDays is how long before or after its day a car may be in the shop.
const atHandDays = 14

// mine are the jobs of today of the technician who acts, and whatever car of theirs is in the shop: the car at hand first, then priority members (G10),
// then by time.
func (s *Service) mine(ctx context.Context, storeID int64) ([]Booking, error) {
	store, err := s.shops.Store(ctx, storeID)
	if err != nil {
		return nil, err
	}
	today := store.BizDay(s.db.Now())
	me := actor.From(ctx).ID
	var out []Booking
	take := func(f Filter) error {
		f.StoreID, f.Limit = storeID, 1000
		all, err := list(ctx, s.db, f)
		for _, b := range all {
			if slices.Contains(technicians(b.Segments), me) {
				out = append(out, b)
			}
		}
		return err
	}
	// A repair takes days, and some bring their car the evening before.
	for _, state := range []State{InService, Arrived, Dispatched} {
		if err := take(Filter{FromDay: bizday.Add(today, -atHandDays), ToDay: bizday.Add(today, atHandDays), State: string(state)}); err != nil {
			return nil, err
		}
	}
	if err := take(Filter{FromDay: bizday.Add(today, -1), ToDay: today, State: string(Confirmed)}); err != nil { // of last night, too
		return nil, err
	}
	if err := take(Filter{FromDay: today, ToDay: today, State: string(Done)}); err != nil {
		return nil, err
	}
	order := func(b Booking) int {
		switch {
		case b.State == InService:
			return 0
		case b.State == Arrived || b.State == Dispatched:
			return 1
		case b.State == Done:
			return 4
		case b.Priority:
			return 2
		}
		return 3
	}
	slices.SortStableFunc(out, func(x, y Booking) int { return order(x) - order(y) })
	return out, nil
}

// Calendar is a booking of the owner who acts for the phone's calendar. Faults: fault.ErrNotFound, ErrState when it has no time.
func (s *Service) Calendar(ctx context.Context, id int64) (c CalendarFile, err error) {
	b, err := s.Get(ctx, actor.From(ctx).MemberID, id)
	if err != nil {
		return c, err
	}
	if err := s.unseal(&b); err != nil {
		return c, err
	}
	if b.State == Queued || b.State == Requested {
		return c, ErrState.Say("时间还没有定下来，确认后再加入日历")
	}
	store, err := s.shops.Store(ctx, b.StoreID)
	if err != nil {
		return c, err
	}
	remind, err := s.settings.Int(ctx, setting.BookingRemindMinutes)
	if err != nil {
		return c, err
	}
	c = CalendarFile{FileName: b.No + ".ics", Title: b.Title + " · " + b.Plate, Location: store.Name + " " + store.Address, StartsAt: b.StartsAt, EndsAt: b.EndsAt}
	if b.Address != "" && kindLeaves(b.Kind) {
		c.Location = b.Address
	}
	text := fmt.Sprintf("%s\n电话 %s\n预约号 %s", store.Name, store.Phone, b.No)
	c.ICS = ics.Event{UID: b.No + "@liangche", Sequence: b.Version, Stamp: s.db.Now(), Starts: b.StartsAt, Ends: b.EndsAt, Title: c.Title, Location: c.Location, Note: text,
		LatE6: b.LatE6, LngE6: b.LngE6, Cancelled: b.State == Cancelled || b.State == Expired || b.State == NoShow, AlarmMinutes: remind}.Text()
	return c, nil
}
