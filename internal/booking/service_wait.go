package booking

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/slot"
)

// JobFreed looks for somebody who wants time that became free in a store.
const JobFreed = "booking.freed"

// maxWaits is how many times a member may wait for at once; a wait costs nothing, but each makes others wait longer.
const maxWaits = 5

// Faults of waiting.
var (
	ErrWaits      = fault.Define(fault.Conflict, "booking.wait_limit", "您的候补已经很多了，请先取消用不到的")
	ErrWaitWindow = fault.Define(fault.Invalid, "booking.wait_window", "候补的日期或时间不对，请重新选择")
)

// WaitAsk is a wish for time that is taken now.
type WaitAsk struct {
	StoreID    int64   `json:"storeId" minimum:"1"`
	VehicleID  int64   `json:"vehicleId" minimum:"1"`
	ServiceIDs []int64 `json:"serviceIds" minItems:"1" maxItems:"10"`
	Kind       Kind    `json:"kind" enum:"visit,repair,other"`
	FromDay    string  `json:"fromDay" doc:"YYYY-MM-DD"`
	ToDay      string  `json:"toDay" doc:"Inclusive"`
	FromMinute int     `json:"fromMinute" minimum:"0" maximum:"1440" doc:"Of the day: the earliest start"`
	ToMinute   int     `json:"toMinute" minimum:"0" maximum:"1440" doc:"The latest start"`
}

// WaitCreate puts the owner who acts on the waiting list. It is a money command, because what it brings holds time. Faults: ErrWaits, ErrWaitWindow, those of
// wish.
func (s *Service) WaitCreate(ctx context.Context, in WaitAsk) (Wait, error) {
	who := actor.From(ctx)
	w, err := s.newWait(ctx, who.MemberID, in)
	if err != nil {
		id, err := idem.Or[int64](ctx, s.db, err)
		if err != nil {
			return Wait{}, err
		}
		return waitByID(ctx, s.db, id, "")
	}
	var id int64
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		fresh := tx.NewID()
		got, _, err := idem.OnceAs(ctx, tx, fresh, func() error {
			if _, err := s.members.StandingTx(ctx, tx, who.MemberID); err != nil { // two phones at once see each other
				return err
			}
			n, err := openWaits(ctx, tx, who.MemberID)
			if err != nil {
				return err
			}
			if n >= maxWaits {
				return ErrWaits
			}
			w.ID, w.State = fresh, WaitWaiting
			if err := insertWait(ctx, tx, w); err != nil {
				return err
			}
			return s.queue.EnqueueTx(ctx, tx, jobs.Job{Kind: JobFreed, Payload: freed{w.StoreID}})
		})
		id = got
		return err
	})
	if err != nil {
		return Wait{}, err
	}
	return waitByID(ctx, s.db, id, "")
}

func (s *Service) newWait(ctx context.Context, memberID int64, in WaitAsk) (w Wait, err error) {
	cars, err := s.members.Vehicles(ctx, memberID)
	if err != nil {
		return w, err
	}
	i := slices.IndexFunc(cars, func(v member.Vehicle) bool { return v.ID == in.VehicleID })
	if i < 0 {
		return w, fault.ErrInvalid.Say("没有找到这辆车，请重新选择").On("vehicleId", "请重新选择")
	}
	x, err := s.wish(ctx, what{storeID: in.StoreID, memberID: memberID, classID: cars[i].VehicleClassID, kind: in.Kind, services: in.ServiceIDs})
	if err != nil {
		return w, err
	}
	now := s.db.Now()
	today, last := x.store.BizDay(now), x.lastDay(now)
	switch {
	case !bizday.Valid(in.FromDay) || !bizday.Valid(in.ToDay) || in.FromDay > in.ToDay:
		return w, ErrWaitWindow.On("toDay", "结束日期不能早于开始日期")
	case in.ToDay < today:
		return w, ErrWaitWindow.Say("候补的日期已经过去").On("toDay", "已经过去")
	case in.ToDay > last:
		return w, ErrWaitWindow.Say("现在最远可以候补到 %s", last).On("toDay", "请选择近一点的日期")
	case in.FromMinute > in.ToMinute:
		return w, ErrWaitWindow.On("toMinute", "结束时间不能早于开始时间")
	}
	ends, err := bizday.At(in.ToDay, in.ToMinute, x.store.Timezone)
	if err != nil {
		return w, err
	}
	if !ends.After(now) {
		return w, ErrWaitWindow.Say("候补的时间已经过去").On("toMinute", "已经过去")
	}
	return Wait{StoreID: in.StoreID, MemberID: memberID, VehicleID: in.VehicleID, Kind: in.Kind, ServiceIDs: in.ServiceIDs, Title: titleOf(in.Kind, x.items), FromDay: in.FromDay,
		ToDay: in.ToDay, FromMinute: in.FromMinute, ToMinute: in.ToMinute, EndsAt: ends, Priority: x.tier.Priority, CreatedAt: now}, nil
}

// Waits lists the waits of the owner who acts; those that ended are shown for a week.
func (s *Service) Waits(ctx context.Context) ([]Wait, error) {
	return waitsOf(ctx, s.db, actor.From(ctx).MemberID, s.db.Now().AddDate(0, 0, -7))
}

// WaitCancel takes the owner who acts off the list; what is offered is declined with it. Cancelling twice changes nothing. Fault: fault.ErrNotFound.
func (s *Service) WaitCancel(ctx context.Context, id int64) (Wait, error) {
	memberID := actor.From(ctx).MemberID
	w, err := waitByID(ctx, s.db, id, "")
	if err == nil && w.MemberID != memberID {
		err = fault.ErrNotFound
	}
	if err != nil {
		return w, err
	}
	switch w.State {
	case WaitWaiting:
		err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return moveWait(ctx, tx, id, WaitWaiting, WaitCancelled) })
		if errors.Is(err, ErrState) { // offered just now: what the owner sees is no longer true
			return s.WaitCancel(ctx, id)
		}
	case WaitOffered:
		// A booking that ends takes its offer with it (see waitWatch); a deposit under way is closed by the same rules as always.
		b, err := s.Get(ctx, memberID, w.BookingID)
		if err != nil {
			return w, err
		}
		if err := s.closePayment(ctx, b); err != nil {
			return w, err
		}
		if _, err := s.change(ctx, memberID, w.BookingID, func(ctx context.Context, tx *db.Tx, b *Booking) error {
			if b.State != Held {
				return ErrState
			}
			return s.cancelTx(ctx, tx, b, "owner", "放弃候补", false)
		}); err != nil {
			return w, err
		}
	}
	if err != nil {
		return w, err
	}
	return waitByID(ctx, s.db, id, "")
}

// waitWatch lets an offer follow its booking: confirmed, it is accepted; run out, it goes to the next.
func (s *Service) waitWatch(ctx context.Context, tx *db.Tx, b Booking, from State) error {
	if from != Held || b.State == Held {
		return nil
	}
	w, ok, err := offeredBy(ctx, tx, b.ID)
	if err != nil || !ok {
		return err
	}
	to := map[State]WaitState{Confirmed: WaitAccepted, Expired: WaitExpired, Cancelled: WaitCancelled}[b.State]
	return moveWait(ctx, tx, w.ID, WaitOffered, to)
}

// freeWatch wakes those who wait for time that a change of state sets free.
func (s *Service) freeWatch(ctx context.Context, tx *db.Tx, b Booking, from State) error {
	if from == "" || (b.State == from && b.State != Confirmed && b.State != Held) {
		return nil
	}
	switch b.State {
	case Cancelled, Expired, NoShow, Done, Confirmed, Held: // the last two: moved elsewhere
	default:
		return nil
	}
	if from == Held && b.State == Confirmed {
		return nil
	}
	waiting, err := anybodyWaits(ctx, tx, b.StoreID)
	if err != nil || !waiting {
		return err
	}
	return s.queue.EnqueueTx(ctx, tx, jobs.Job{Kind: JobFreed, Payload: freed{b.StoreID}})
}

// offer gives what is free in a store to those who wait for it, in their order: to each at most one time, held for the minutes of the setting (X08).
func (s *Service) offer(ctx context.Context, storeID int64) error {
	list, err := waitingIn(ctx, s.db, storeID)
	if err != nil {
		return err
	}
	minutes, err := s.settings.Int(ctx, setting.BookingOfferMinutes)
	if err != nil {
		return err
	}
	var problems error
	for _, w := range list {
		if w.State != WaitWaiting || !w.EndsAt.After(s.db.Now()) {
			continue
		}
		err := s.offerOne(ctx, w, int(minutes))
		if err != nil && fault.As(err).Kind == fault.Internal {
			problems = errors.Join(problems, fmt.Errorf("wait %d: %w", w.ID, err))
		}
		// Every other fault is about this member or about time that went to somebody else: the next one's turn.
	}
	return problems
}

func (s *Service) offerOne(ctx context.Context, wait Wait, minutes int) error {
	cars, err := s.members.Vehicles(ctx, wait.MemberID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(cars, func(v member.Vehicle) bool { return v.ID == wait.VehicleID })
	if i < 0 {
		return s.endWait(ctx, wait.ID, WaitExpired) // the car is gone
	}
	w, err := s.wish(ctx, what{storeID: wait.StoreID, memberID: wait.MemberID, classID: cars[i].VehicleClassID, kind: wait.Kind, services: wait.ServiceIDs})
	if err != nil {
		return err
	}
	w.hold = minutes
	now := s.db.Now()
	b := Booking{Kind: wait.Kind, Channel: ChannelMini, MemberID: wait.MemberID, Plate: cars[i].Plate, VehicleID: cars[i].ID}
	elsewhere, err := openOfCar(ctx, s.db.Reads(), b, now)
	if err != nil {
		return err
	}
	start, ok, err := s.firstFree(ctx, w, wait, now, elsewhere)
	if err != nil || !ok {
		return err
	}
	if err := s.fill(ctx, &b, w, &start); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		x := b
		if err := s.createTx(ctx, tx, w, &x, tx.NewID()); err != nil {
			return err
		}
		if err := offerWait(ctx, tx, wait.ID, x.ID, x.HoldExpiresAt); err != nil {
			return err
		}
		return s.sayTx(ctx, tx, x, notify.BookingOffer, "offer", fmt.Sprintf("候补有空位了，为您保留 %d 分钟", minutes))
	})
}

// firstFree is the first start that suits a wait, and whose car is not elsewhere then.
func (s *Service) firstFree(ctx context.Context, w wish, wait Wait, now time.Time, elsewhere []carTime) (time.Time, bool, error) {
	from, to := max(wait.FromDay, w.store.BizDay(now)), min(wait.ToDay, w.lastDay(now))
	if from > to {
		return now, false, nil
	}
	begin, err := midnight(w.store, from)
	if err != nil {
		return now, false, err
	}
	end, err := midnight(w.store, bizday.Add(to, 1))
	if err != nil {
		return now, false, err
	}
	free, err := s.freeStarts(ctx, w, now, begin, end)
	if err != nil {
		return now, false, err
	}
	zone := bizday.Location(w.store.Timezone)
	for _, x := range free {
		local := x.StartsAt.In(zone)
		away := slices.ContainsFunc(elsewhere, func(o carTime) bool { return o.meets(wait.Kind, x.StartsAt, x.EndsAt) })
		if m := local.Hour()*60 + local.Minute(); !away && m >= wait.FromMinute && m <= wait.ToMinute {
			return x.StartsAt, true, nil
		}
	}
	return now, false, nil
}

func (s *Service) endWait(ctx context.Context, id int64, to WaitState) error {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return moveWait(ctx, tx, id, WaitWaiting, to) })
	if errors.Is(err, ErrState) {
		return nil
	}
	return err
}

// offerAll looks for time in every store in which somebody waits, and ends the waits whose time is over.
func (s *Service) offerAll(ctx context.Context) error {
	over, err := overWaits(ctx, s.db, s.db.Now())
	if err != nil {
		return err
	}
	for _, id := range over {
		if err := s.endWait(ctx, id, WaitExpired); err != nil {
			return err
		}
	}
	stores, err := storesWaiting(ctx, s.db)
	if err != nil {
		return err
	}
	var problems error
	for _, id := range stores {
		problems = errors.Join(problems, s.offer(ctx, id))
	}
	return problems
}

// quick says whether an error only means that somebody else was quicker.
func quick(err error) bool {
	return errors.Is(err, slot.ErrTaken) || errors.Is(err, ErrState) || errors.Is(err, ErrGone) || errors.Is(err, fault.ErrNotFound)
}
