package booking

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/slot"
)

// The events that the clock causes.
const (
	EventReminded = "reminded"
	EventTomorrow = "tomorrow"
	EventLate     = "late"
	EventOverrun  = "overrun"
	EventDelayed  = "delayed"
)

// sweep is how many bookings one run of the clock looks at per question; the rest is looked at a minute later.
const sweep = 500

type freed struct {
	StoreID int64 `json:"storeId"`
}

func (s *Service) registerJobs(q *jobs.Queue) {
	q.Handle(JobSurplus, s.surplusJob)
	q.Handle(JobFreed, func(ctx context.Context, payload []byte) error {
		var p freed
		if err := json.Unmarshal(payload, &p); err != nil {
			return fmt.Errorf("%w: %w", jobs.ErrPermanent, err)
		}
		ctx = actor.With(ctx, actor.Job("系统"))
		return errors.Join(s.advance(ctx, p.StoreID), s.offer(ctx, p.StoreID))
	})
	q.Every("booking.minute", time.Minute, s.Minute)
}

// Minute does what time alone makes due: holds that ran out, reminders, late owners, late work, the line, requests and the waiting list. Each step looks at what is
// true now, so that after an outage it goes on without making up for what is no longer useful.
func (s *Service) Minute(ctx context.Context) error {
	ctx = actor.With(ctx, actor.Job("系统"))
	_, err := s.ExpireDue(ctx)
	return errors.Join(err, s.tomorrowAll(ctx), s.remindAll(ctx), s.lateAll(ctx), s.overrunAll(ctx), s.endLines(ctx), s.endRequests(ctx), s.advanceAll(ctx), s.offerAll(ctx))
}

// remindAll reminds owners before their visit (G08).
func (s *Service) remindAll(ctx context.Context) error {
	n, err := s.settings.Int(ctx, setting.BookingRemindMinutes)
	if err != nil || n == 0 {
		return err
	}
	before, now := time.Duration(n)*time.Minute, s.db.Now()
	ids, err := unreminded(ctx, s.db, now, now.Add(before), sweep)
	if err != nil {
		return err
	}
	var problems error
	for _, id := range ids {
		problems = errors.Join(problems, s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			b, err := lockBooking(ctx, tx, id)
			if err != nil {
				return err
			}
			useful := remindable(b, tx.Now, before)
			if ok, err := markReminded(ctx, tx, id); err != nil || !ok || !useful {
				return err
			}
			logTx(ctx, tx, b, EventReminded, "已提醒车主")
			// A booking that was moved is reminded of its new time too.
			return s.sayUntilTx(ctx, tx, b, notify.BookingReminder, fmt.Sprint(b.StartsAt.Unix()), "您预约的时间快到了，我们等您", b.StartsAt)
		}))
	}
	return problems
}

// lateAll tells owners who have not come how long their bay is kept, and releases it afterwards (G09).
func (s *Service) lateAll(ctx context.Context) error {
	p, err := s.policy(ctx)
	if err != nil {
		return err
	}
	now := s.db.Now()
	ids, err := startingBetween(ctx, s.db, Confirmed, now.AddDate(0, -1, 0), now, sweep)
	if err != nil {
		return err
	}
	var problems error
	for _, id := range ids {
		_, err := s.change(ctx, 0, id, func(ctx context.Context, tx *db.Tx, b *Booking) error { return s.lateTx(ctx, tx, b, p) })
		if err != nil && !quick(err) {
			problems = errors.Join(problems, err)
		}
	}
	return problems
}

func (s *Service) lateTx(ctx context.Context, tx *db.Tx, b *Booking, p policy) error {
	if kindLeaves(b.Kind) {
		return nil // we are to go to them
	}
	told, err := lastEventAt(ctx, tx, b.ID, EventLate)
	if err != nil {
		return err
	}
	if told.Before(b.StartsAt) {
		told = time.Time{} // about another time, before it was moved
	}
	ours, err := s.weAreLate(ctx, tx, *b)
	if err != nil {
		return err
	}
	if ours { // whoever was told to come later is not hurried, and loses nothing
		if tx.Now.Before(b.EndsAt) {
			return nil
		}
		p.forfeits = false
	}
	store, err := s.shops.Store(ctx, b.StoreID)
	if err != nil {
		return err
	}
	step, keep := lateStep(*b, tx.Now, told, time.Duration(p.grace)*time.Minute)
	switch step {
	case remindLate:
		until := keep.In(zoneOf(store)).Format("15:04")
		logTx(ctx, tx, *b, EventLate, "已过预约时间，保留到 "+until)
		if err := s.sayUntilTx(ctx, tx, *b, notify.BookingLate, fmt.Sprint(b.StartsAt.Unix()), "已到预约时间，为您保留到 "+until, keep); err != nil {
			return err
		}
		return s.changedTx(ctx, tx, *b, b.State)
	case release:
		if err := s.noShowTx(ctx, tx, b, p.forfeits); err != nil {
			return err
		}
		return s.sayTx(ctx, tx, *b, notify.BookingCancelled, "no_show", "您没有按时到店，预约已取消")
	case releaseOld:
		// Nobody was told in time, so nobody loses a deposit, and no message would make sense any more.
		return s.noShowTx(ctx, tx, b, false)
	}
	return nil
}

// overrunAll extends work that lasts longer than planned and makes room for it (X07).
func (s *Service) overrunAll(ctx context.Context) error {
	list, err := inState(ctx, s.db, 0, InService)
	if err != nil {
		return err
	}
	var problems error
	for _, b := range list {
		until, err := s.overdueAt(ctx, b)
		limit := slot.CellUp(until)
		if err == nil {
			if _, _, late := extension(b, s.db.Now(), limit); !late {
				continue
			}
			err = s.overrun(ctx, b, limit, true)
		}
		if errors.Is(err, slot.ErrTaken) { // by a hold that has just run out?
			if _, err = s.freeDue(ctx, b.StoreID); err == nil {
				err = s.overrun(ctx, b, limit, true)
			}
		}
		if errors.Is(err, slot.ErrTaken) {
			err = s.overrun(ctx, b, limit, false) // closed, or taken just now: whoever waits is told all the same
		}
		if err != nil && !quick(err) {
			problems = errors.Join(problems, fmt.Errorf("booking %d: %w", b.ID, err))
		}
	}
	return problems
}

// overrun gives a late job more time. Bookings in its way go to another bay or technician at their own time; where that is impossible the job gets
// what is left before them, and desk and owner are told. After the limit nothing moves any more. Fault: slot.taken.
func (s *Service) overrun(ctx context.Context, seen Booking, limit slot.Cell, extend bool) error {
	store, err := s.shops.Store(ctx, seen.StoreID)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		serviceTo, to, ok := extension(seen, tx.Now, limit)
		if !ok {
			return nil
		}
		all, err := s.after(ctx, tx, seen)
		if err != nil {
			return err
		}
		waiting, blocked := inTheWay(seen, to, all)
		locked, err := s.lockSeveral(ctx, tx, seen, waiting)
		if err != nil {
			return err
		}
		job := locked[seen.ID]
		if job.State != InService || job.Version != seen.Version {
			return ErrState
		}
		want, stuck, err := s.makeRoom(ctx, tx, job, to, waiting, locked)
		if err != nil {
			return err
		}
		room := to
		for _, b := range stuck {
			room = min(room, slot.Cell(b.FromCell))
		}
		last := &job.Segments[len(job.Segments)-1]
		if extend && !blocked && int64(room) > last.ToCell {
			tail := to - serviceTo
			last.ServiceTo, last.ToCell = max(int64(min(serviceTo, room-tail)), last.ServiceTo), int64(room)
			want[job.ID] = claims(job.Segments)
			if err := s.arrangeTx(ctx, tx, job.StoreID, want, locked); err != nil {
				return err
			}
			job.place(job.Segments, store.BizDay)
			if err := saveTx(ctx, tx, &job, InService); err != nil {
				return err
			}
			if err := replaceSegmentsTx(ctx, tx, job); err != nil {
				return err
			}
			logTx(ctx, tx, job, EventOverrun, "超时，延长到 "+job.EndsAt.In(zoneOf(store)).Format("15:04"))
			for id := range want {
				if id != job.ID {
					if err := s.movedAwayTx(ctx, tx, locked[id], all); err != nil {
						return err
					}
				}
			}
			if err := s.changedTx(ctx, tx, job, InService); err != nil {
				return err
			}
		}
		for _, b := range stuck {
			if err := s.delayedTx(ctx, tx, b, to); err != nil {
				return err
			}
		}
		return nil
	})
}

// after are the bookings that hold time when a late job should be over, earliest start first: those of its store, and those for which its technician is
// wanted in another one.
func (s *Service) after(ctx context.Context, r db.Reader, late Booking) ([]Booking, error) {
	last := late.Segments[len(late.Segments)-1]
	all, err := upcoming(ctx, r, late.StoreID, last.ToCell, sweep)
	if err != nil || last.TechnicianID == 0 {
		return all, err
	}
	people, err := s.roster.Technicians(ctx, 0)
	if err != nil {
		return nil, err
	}
	stores, err := s.shops.Stores(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(people, func(t roster.Technician) bool { return t.StaffID == last.TechnicianID })
	for _, st := range stores {
		if at < 0 || st.ID == late.StoreID || !people[at].In(st.ID) {
			continue
		}
		there, err := upcoming(ctx, r, st.ID, last.ToCell, sweep)
		if err != nil {
			return nil, err
		}
		for _, b := range there {
			if slices.Contains(technicians(b.Segments), last.TechnicianID) {
				all = append(all, b)
			}
		}
	}
	slices.SortStableFunc(all, func(x, y Booking) int { return x.StartsAt.Compare(y.StartsAt) })
	return all, nil
}

// arrangeTx takes what bookings of several stores want: those of other stores leave first. Fault: slot.taken.
func (s *Service) arrangeTx(ctx context.Context, tx *db.Tx, storeID int64, want map[int64][]slot.Claim, locked map[int64]Booking) error {
	stores := map[int64]map[int64][]slot.Claim{storeID: {}}
	for id, list := range want {
		st := locked[id].StoreID
		if stores[st] == nil {
			stores[st] = map[int64][]slot.Claim{}
		}
		stores[st][id] = list
	}
	for _, st := range slices.Sorted(maps.Keys(stores)) {
		if st == storeID {
			continue
		}
		if err := s.slots.ArrangeTx(ctx, tx, st, stores[st]); err != nil {
			return err
		}
	}
	return s.slots.ArrangeTx(ctx, tx, storeID, stores[storeID])
}

// lockSeveral locks a job and those in its way, in ascending order.
func (s *Service) lockSeveral(ctx context.Context, tx *db.Tx, job Booking, others []Booking) (map[int64]Booking, error) {
	ids := []int64{job.ID}
	for _, b := range others {
		ids = append(ids, b.ID)
	}
	slices.Sort(ids)
	out := map[int64]Booking{}
	for _, id := range ids {
		b, err := lockBooking(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		out[id] = b
	}
	return out, nil
}

// makeRoom finds other places, at their own time, for those in the way of a job that lasts until to. It returns the claims of those that move, whose new
// segments stand in locked, and those that cannot.
func (s *Service) makeRoom(ctx context.Context, tx *db.Tx, job Booking, to slot.Cell, waiting []Booking, locked map[int64]Booking) (want map[int64][]slot.Claim, stuck []Booking, err error) {
	want = map[int64][]slot.Claim{}
	if len(waiting) == 0 {
		return want, nil, nil
	}
	last := job.Segments[len(job.Segments)-1]
	for _, seen := range waiting {
		b := locked[seen.ID]
		if !b.State.holdsCells() || b.State == InService || b.Version != seen.Version {
			return nil, nil, ErrState // changed just now: looked at again in a minute
		}
		w, err := s.wishAgain(ctx, b, true)
		if err != nil {
			stuck = append(stuck, b) // the shop was closed for good: nothing moves any more
			continue
		}
		w.technicianID = b.WishedTechnicianID
		ignore := []int64{b.ID, job.ID}
		f, a, err := s.picture(ctx, tx, w, tx.Now, b.StartsAt, b.StartsAt.Add(time.Minute), ignore...)
		if err != nil {
			return nil, nil, err
		}
		for _, id := range []int64{last.BayID, last.TechnicianID} {
			f.Take(id, slot.Span{From: slot.Cell(last.FromCell), To: to})
		}
		for _, list := range want { // those who were moved before
			for _, c := range list {
				f.Take(c.ResourceID, c.Span)
			}
		}
		picks, ok := f.Assign(a, w.plan.first(b.StartsAt), technicians(b.Segments))
		if !ok {
			stuck = append(stuck, b)
			continue
		}
		b.Segments, b.Explain = w.plan.segments(picks), explain(picks)
		locked[b.ID], want[b.ID] = b, claims(b.Segments)
	}
	return want, stuck, nil
}

// movedAwayTx writes a booking that makes room. Its time stays, so its owner has nothing to do.
func (s *Service) movedAwayTx(ctx context.Context, tx *db.Tx, b Booking, all []Booking) error {
	store, err := s.shops.Store(ctx, b.StoreID)
	if err != nil {
		return err
	}
	was := b
	if i := slices.IndexFunc(all, func(o Booking) bool { return o.ID == b.ID }); i >= 0 {
		was = all[i]
	}
	if err := saveTx(ctx, tx, &b, b.State); err != nil {
		return err
	}
	if err := replaceSegmentsTx(ctx, tx, b); err != nil {
		return err
	}
	text, err := s.moveText(ctx, store, was, b)
	if err != nil {
		return err
	}
	logTx(ctx, tx, b, EventMoved, "前车还没完工，"+text)
	return s.changedTx(ctx, tx, b, b.State)
}

// delayPeriod is how long before its start a booking's owner may be told that it will begin late.
const delayPeriod = 12 * time.Hour

// weAreLate says whether the owner was told that the booking begins late because of the shop.
func (s *Service) weAreLate(ctx context.Context, tx *db.Tx, b Booking) (bool, error) {
	told, err := lastEventAt(ctx, tx, b.ID, EventDelayed)
	return told.After(b.StartsAt.Add(-delayPeriod)), err
}

// delayedTx warns once of a booking that will begin late because the car before it is not ready.
func (s *Service) delayedTx(ctx context.Context, tx *db.Tx, b Booking, to slot.Cell) error {
	told, err := lastEventAt(ctx, tx, b.ID, EventDelayed)
	if err != nil || told.After(b.StartsAt.Add(-delayPeriod)) || !tx.Now.Before(b.EndsAt) {
		return err
	}
	text := fmt.Sprintf("前车还没完工，可能要晚 %d 分钟", delay(b, to))
	logTx(ctx, tx, b, EventDelayed, text)
	if err := s.sayTx(ctx, tx, b, notify.BookingChanged, "delayed:"+fmt.Sprint(b.StartsAt.Unix()), text); err != nil {
		return err
	}
	return s.changedTx(ctx, tx, b, b.State)
}
