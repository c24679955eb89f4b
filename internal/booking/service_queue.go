package booking

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/slot"
)

// queueWindow is how far ahead a walk-in's turn is looked for.
const queueWindow = 16 * time.Hour

// EventQueued is the event of a walk-in that lines up.
const EventQueued = "queued"

// QueueAsk is a walk-in that the desk lines up.
type QueueAsk struct {
	StoreID        int64   `json:"storeId" minimum:"1"`
	Plate          string  `json:"plate" minLength:"1" maxLength:"16"`
	VehicleClassID int64   `json:"vehicleClassId" minimum:"1"`
	ServiceIDs     []int64 `json:"serviceIds" minItems:"1" maxItems:"10"`
	MemberID       int64   `json:"memberId,omitempty" minimum:"0" doc:"0: the only member who entered this plate, if there is one"`
	ContactPhone   string  `json:"contactPhone,omitempty" maxLength:"20"`
	Note           string  `json:"note,omitempty" maxLength:"200"`
}

// QueueAdd lines a walk-in up and gives it the next fitting bay at once when one is free. It is a money command. Faults: ErrPlate, ErrContact, ErrHours,
// ErrActive when the plate waits or is dealt with already (N33), ErrCar when it is booked for this very time, those of wish, fault.ErrStore.
func (s *Service) QueueAdd(ctx context.Context, in QueueAsk) (Booking, error) {
	if !actor.From(ctx).InStore(in.StoreID) {
		return Booking{}, fault.ErrStore
	}
	b, w, err := s.walkIn(ctx, in)
	if err != nil {
		return s.before(ctx, err)
	}
	var id int64
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		fresh := tx.NewID()
		got, _, err := idem.OnceAs(ctx, tx, fresh, func() error {
			x := b
			return s.queueTx(ctx, tx, w, &x, fresh)
		})
		id = got
		return err
	})
	if err != nil {
		return Booking{}, err
	}
	// The line moves in transactions of its own; should that fail now, the job does it within a minute.
	if err := s.advance(ctx, in.StoreID); err != nil {
		s.log.WarnContext(ctx, "the queue was not advanced; it is tried again", "store", in.StoreID, "err", err)
	}
	return bookingByID(ctx, s.db, id, "")
}

// walkIn is the booking of a car that stands at the door.
func (s *Service) walkIn(ctx context.Context, in QueueAsk) (b Booking, w wish, err error) {
	plate, _, complaint := member.ParsePlate(in.Plate)
	if complaint != "" {
		return b, w, ErrPlate.Say("车牌号不正确：%s", complaint).On("plate", complaint)
	}
	if in.MemberID == 0 {
		owners, err := s.members.OwnersOfPlate(ctx, s.db, plate)
		if err != nil {
			return b, w, err
		}
		if len(owners) == 1 { // of several nobody is picked (N32)
			in.MemberID = owners[0]
		}
	}
	if w, err = s.wish(ctx, what{storeID: in.StoreID, memberID: in.MemberID, classID: in.VehicleClassID, kind: KindVisit, services: in.ServiceIDs, desk: true}); err != nil {
		return b, w, err
	}
	now := s.db.Now()
	c, err := s.scene(ctx, w.store, now, now.Add(time.Hour), 0)
	if err != nil {
		return b, w, err
	}
	if !c.within(now, now) {
		return b, w, ErrHours.Say("门店现在不营业，不能排队")
	}
	who := actor.From(ctx)
	b = Booking{Kind: KindVisit, Channel: ChannelWalkIn, State: Queued, StoreID: w.store.ID, MemberID: in.MemberID, Priority: w.tier.Priority, Plate: plate,
		VehicleClassID: w.classID, VehicleClassName: w.className, Items: w.items, Title: titleOf(KindVisit, w.items), Minutes: w.plan.minutes, PriceFen: w.price,
		DepositState: DepositNone, Version: 1, Note: strings.TrimSpace(in.Note), CreatedByKind: string(who.Kind), CreatedByID: who.ID, CreatedByName: db.Clip(who.Name, 60)}
	if in.MemberID != 0 {
		b.MemberTier = w.tier.Name
	}
	if b.VehicleID, err = s.carOf(ctx, in.MemberID, plate); err != nil {
		return b, w, err
	}
	return b, w, s.contact(&b, "", in.ContactPhone, false)
}

func (s *Service) queueTx(ctx context.Context, tx *db.Tx, w wish, b *Booking, id int64) error {
	b.ID, b.No, b.CreatedAt, b.FreeCancelUntil = id, fmt.Sprintf("B%d", id), tx.Now, tx.Now
	b.place(w.plan.unplaced(slot.CellOf(tx.Now)), w.store.BizDay)
	if b.MemberID != 0 {
		if st, err := s.members.StandingTx(ctx, tx, b.MemberID); err != nil || member.Gone(st.Status) {
			return errors.Join(err, fault.ErrNotFound)
		}
	}
	if err := s.freeCarTx(ctx, tx, 0, w.store, *b, b.StartsAt, b.EndsAt); err != nil {
		return err
	}
	if err := s.seal(b); err != nil {
		return err
	}
	if err := insertBooking(ctx, tx, *b); err != nil {
		return err
	}
	logTx(ctx, tx, *b, EventQueued, "排队"+b.Title)
	if err := audit.RecordTx(ctx, tx, audit.Entry{Action: "booking.queue", SubjectKind: "booking", SubjectID: b.ID, SubjectLabel: b.No + " " + b.Plate, StoreID: b.StoreID,
		Detail: map[string]any{"plate": b.Plate, "title": b.Title, "memberId": b.MemberID}}); err != nil {
		return err
	}
	return s.changedTx(ctx, tx, *b, "")
}

// turns are the cars that wait in a store today, priority members first, each with its turn: none after the shop has closed.
func (s *Service) turns(ctx context.Context, storeID int64) ([]Booking, []turn, error) {
	all, err := inState(ctx, s.db, storeID, Queued)
	if err != nil {
		return nil, nil, err
	}
	var list []Booking
	ends := map[int64]time.Time{}
	for _, b := range all {
		end, err := s.lineEnds(ctx, b)
		if err != nil {
			return nil, nil, err
		}
		if s.db.Now().Before(end) { // otherwise the clock is about to cancel it
			list, ends[b.ID] = append(list, b), end
		}
	}
	if len(list) == 0 {
		return nil, nil, nil
	}
	slices.SortStableFunc(list, func(x, y Booking) int {
		switch {
		case x.Priority == y.Priority:
			return 0
		case x.Priority:
			return -1
		}
		return 1
	})
	p, err := s.policy(ctx)
	if err != nil {
		return nil, nil, err
	}
	store, err := s.shops.Store(ctx, storeID)
	if err != nil {
		return nil, nil, err
	}
	now := s.db.Now()
	from := slot.CellOf(now)
	c, err := s.scene(ctx, store, from.Time(), now.Add(queueWindow), 0)
	if err != nil {
		return nil, nil, err
	}
	due, err := dueHolds(ctx, s.db, storeID, now.UnixMilli(), maxDue, "")
	if err != nil {
		return nil, nil, err
	}
	f, err := s.floor(ctx, s.db, c, due...)
	if err != nil {
		return nil, nil, err
	}
	var release slot.Cell
	if p.releaseHours > 0 {
		release = from + slot.Cell(cellsUp(p.releaseHours*60))
	}
	line := make([]inLine, 0, len(list))
	for _, b := range list {
		line = append(line, inLine{id: b.ID, needs: planAgain(b).needs(), priority: b.Priority})
	}
	turns := lineUp(f, from, c.window.To, release, line)
	for i := range turns {
		if !turns[i].start.Time().Before(ends[turns[i].id]) {
			turns[i].picks = nil
		}
	}
	return list, turns, nil
}

// advance gives every car whose turn has come its bay.
func (s *Service) advance(ctx context.Context, storeID int64) error {
	list, turns, err := s.turns(ctx, storeID)
	if err != nil || len(list) == 0 {
		return err
	}
	if _, err := s.freeDue(ctx, storeID); err != nil { // what they hold looked free
		return err
	}
	now := slot.CellOf(s.db.Now())
	for i, t := range turns {
		if t.picks == nil || t.start != now {
			continue
		}
		err := s.seat(ctx, list[i], t)
		switch {
		case errors.Is(err, slot.ErrTaken), errors.Is(err, ErrState), errors.Is(err, fault.ErrNotFound):
			continue // somebody was quicker; the next round looks again
		case err != nil:
			return err
		}
	}
	return nil
}

// seat gives a waiting car its bay and technician from now on.
func (s *Service) seat(ctx context.Context, seen Booking, t turn) error {
	store, err := s.shops.Store(ctx, seen.StoreID)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		b, err := lockBooking(ctx, tx, seen.ID)
		if err != nil {
			return err
		}
		if b.State != Queued || b.Version != seen.Version {
			return ErrState
		}
		b.place(planAgain(b).segments(t.picks), store.BizDay)
		b.Explain = explain(t.picks)
		if err := s.slots.TakeTx(ctx, tx, b.StoreID, b.ID, claims(b.Segments)); err != nil {
			return err
		}
		if err := s.moveTx(ctx, tx, &b, Arrived, EventArrived, "轮到了"+withName(b.Explain)); err != nil {
			return err
		}
		if err := replaceSegmentsTx(ctx, tx, b); err != nil {
			return err
		}
		if tx.Now.Sub(b.CreatedAt) < time.Minute {
			return nil // the owner stands at the desk
		}
		return s.sayTx(ctx, tx, b, notify.BookingChanged, "turn", "轮到您的车了，请把车开到工位")
	})
}

// advanceAll moves the line of every store in which somebody waits.
func (s *Service) advanceAll(ctx context.Context) error {
	list, err := inState(ctx, s.db, 0, Queued)
	if err != nil {
		return err
	}
	var problems error
	done := map[int64]bool{}
	for _, b := range list {
		if !done[b.StoreID] {
			done[b.StoreID] = true
			problems = errors.Join(problems, s.advance(ctx, b.StoreID))
		}
	}
	return problems
}

// decorateQueue says of waiting cars how long they wait.
func (s *Service) decorateQueue(ctx context.Context, list []Booking, views []*View) error {
	known := map[int64]map[int64]QueueView{}
	for i, b := range list {
		if b.State != Queued {
			continue
		}
		if known[b.StoreID] == nil {
			_, turns, err := s.turns(ctx, b.StoreID)
			if err != nil {
				return err
			}
			now := slot.CellOf(s.db.Now())
			m := map[int64]QueueView{}
			for _, t := range turns {
				q := QueueView{Ahead: t.ahead, Minutes: int(queueWindow.Minutes())} // not today
				if t.picks != nil {
					q.Minutes = t.minutes(now)
				}
				m[t.id] = q
			}
			known[b.StoreID] = m
		}
		if q, ok := known[b.StoreID][b.ID]; ok {
			views[i].Queue = &q
		}
	}
	return nil
}

// sayTx sends the member a message about the booking in words of its own, once per booking and name.
func (s *Service) sayTx(ctx context.Context, tx *db.Tx, b Booking, event, name, text string) error {
	return s.sayUntilTx(ctx, tx, b, event, name, text, time.Time{})
}

// sayUntilTx is sayTx for what makes no sense any more after an instant.
func (s *Service) sayUntilTx(ctx context.Context, tx *db.Tx, b Booking, event, name, text string, until time.Time) error {
	if b.MemberID == 0 {
		return nil
	}
	store, err := s.shops.Store(ctx, b.StoreID)
	if err != nil {
		return err
	}
	return s.messages.EnqueueTx(ctx, tx, notify.Message{MemberID: b.MemberID, Event: event, Dedupe: fmt.Sprintf("%s:%d:%s", event, b.ID, name),
		Page: fmt.Sprintf("pages/booking/detail?id=%d", b.ID), Until: until,
		Data: map[string]string{"title": b.Title, "time": b.StartsAt.Format(time.RFC3339), "store": store.Name, "address": store.Address, "plate": b.Plate, "no": b.No,
			"amount": b.DepositFen.String(), "reason": text, "hint": text}})
}
