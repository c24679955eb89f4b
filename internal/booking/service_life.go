package booking

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/slot"
)

// change locks a booking, lets fn change it, and returns it as it is then; payments that fn may give back are locked first. memberID is the owner who
// acts, 0 for staff. Fault: fault.ErrNotFound.
func (s *Service) change(ctx context.Context, memberID, id int64, fn func(ctx context.Context, tx *db.Tx, b *Booking) error) (out Booking, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		b, err := s.lockAll(ctx, tx, memberID, id)
		if err != nil {
			return err
		}
		if err := fn(ctx, tx, &b); err != nil {
			return err
		}
		out = b
		return nil
	})
	return out, err
}

// lockAll locks a booking after the payment of its deposit: the lock order of the whole system.
func (s *Service) lockAll(ctx context.Context, tx *db.Tx, memberID, id int64) (Booking, error) {
	seen, err := paymentOf(ctx, tx, id)
	if err != nil {
		return Booking{}, err
	}
	if err := s.payments.LockTx(ctx, tx, []int64{seen}); err != nil {
		return Booking{}, err
	}
	b, err := lockBooking(ctx, tx, id)
	if err != nil {
		return b, err
	}
	if err := visible(ctx, b, memberID); err != nil {
		return b, err
	}
	if b.PaymentID != seen && b.DepositState == DepositPaid {
		return b, fault.ErrBusyWrite // paid between the two reads
	}
	return b, nil
}

// Confirm makes a held booking of the owner firm. It is a money command. Confirming twice changes nothing. Faults: ErrDepositDue, ErrHoldOver, ErrState.
func (s *Service) Confirm(ctx context.Context, id int64) (Booking, error) {
	memberID := actor.From(ctx).MemberID
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, _, err := idem.Once(ctx, tx, func() (int64, error) {
			b, err := lockBooking(ctx, tx, id)
			if err == nil {
				err = visible(ctx, b, memberID)
			}
			if err != nil || b.State == Confirmed {
				return id, err
			}
			return id, s.confirmTx(ctx, tx, &b)
		})
		return err
	})
	if err != nil {
		return Booking{}, err
	}
	return s.Get(ctx, memberID, id)
}

func (s *Service) confirmTx(ctx context.Context, tx *db.Tx, b *Booking) error {
	switch {
	case b.State == Expired, b.State == Held && !b.HoldExpiresAt.After(tx.Now):
		return ErrHoldOver
	case b.State != Held:
		return ErrState
	case b.DepositState == DepositDue:
		return ErrDepositDue.Say("这个预约需要先付定金 %s，付款后自动确认", b.DepositFen.Yuan())
	}
	b.HoldExpiresAt = time.Time{}
	if err := s.moveTx(ctx, tx, b, Confirmed, EventConfirmed, "预约确认"); err != nil {
		return err
	}
	return s.tellTx(ctx, tx, *b, notify.BookingConfirmed)
}

// Cancel ends a booking for its owner. It is a money command. A deposit under way is closed at WeChat first; when it was paid meanwhile the rules of a
// paid one count (N06). shown is the refund that the owner was shown, nil when none was. Faults: ErrCancel, ErrTerms with the terms of now.
func (s *Service) Cancel(ctx context.Context, id int64, reason string, shown *money.Fen) (Booking, error) {
	memberID := actor.From(ctx).MemberID
	seen, err := s.Get(ctx, memberID, id)
	if err != nil {
		return seen, err
	}
	p, err := s.policy(ctx)
	if err != nil {
		return seen, err
	}
	if err := s.closePayment(ctx, seen); err != nil {
		return seen, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, _, err := idem.Once(ctx, tx, func() (int64, error) {
			b, err := s.lockAll(ctx, tx, memberID, id)
			if err != nil {
				return 0, err
			}
			terms := cancelTerms(b, tx.Now, p.forfeits)
			switch {
			case !terms.Allowed:
				return 0, ErrCancel.Say("%s", terms.Text)
			case shown != nil && terms.RefundFen < *shown:
				return 0, ErrTerms.Say("%s", terms.Text).Give(terms)
			}
			return id, s.cancelTx(ctx, tx, &b, "owner", reason, terms.RefundFen == 0 && b.DepositState == DepositPaid)
		})
		return err
	})
	if err != nil {
		return seen, err
	}
	return s.Get(ctx, memberID, id)
}

// closePayment ends a deposit that waits to be paid, at WeChat first.
func (s *Service) closePayment(ctx context.Context, b Booking) error {
	if b.State != Held || b.PaymentID == 0 || b.DepositState != DepositDue {
		return nil
	}
	_, err := s.payments.Close(ctx, b.PaymentID)
	return err
}

// cancelTx ends a locked booking and frees its time in the same transaction (N22).
func (s *Service) cancelTx(ctx context.Context, tx *db.Tx, b *Booking, by, reason string, forfeit bool) error {
	if b.OrderID != 0 { // the deposit stands in an order, which would count it once more when it is paid or undone
		return ErrState.Say("这个预约正在收款或已经结算，请先取消收款或撤销结算")
	}
	b.CancelledBy, b.CancelReason = by, db.Clip(strings.TrimSpace(reason), 200)
	if err := s.endDepositTx(ctx, tx, b, forfeit, "取消预约"); err != nil {
		return err
	}
	text := map[string]string{"shop": "门店取消", bySystem: "系统取消"}[by]
	if text == "" {
		text = "车主取消"
	}
	if b.CancelReason != "" {
		text += "：" + b.CancelReason
	}
	if err := s.moveTx(ctx, tx, b, Cancelled, EventCancelled, text); err != nil {
		return err
	}
	return s.slots.FreeTx(ctx, tx, b.ID)
}

// ShopCancel ends a booking for the shop, also work that has begun or is done and that nobody will pay for: a deposit goes back whatever the time.
// Faults: ErrState, also while an order holds the booking, fault.ErrNotFound.
func (s *Service) ShopCancel(ctx context.Context, id int64, reason string) (Booking, error) {
	if strings.TrimSpace(reason) == "" {
		return Booking{}, fault.ErrInvalid.Say("请填写取消原因，车主会看到").On("reason", "必填")
	}
	seen, err := s.Get(ctx, 0, id)
	if err != nil {
		return seen, err
	}
	if err := s.closePayment(ctx, seen); err != nil {
		return seen, err
	}
	return s.change(ctx, 0, id, func(ctx context.Context, tx *db.Tx, b *Booking) error {
		from := b.State
		if err := s.cancelTx(ctx, tx, b, "shop", reason, false); err != nil {
			return err
		}
		if err := s.tellTx(ctx, tx, *b, notify.BookingCancelled); err != nil {
			return err
		}
		return s.auditTx(ctx, tx, *b, "booking.cancel", map[string]any{"reason": reason, "from": from})
	})
}

// MarkNoShow releases the time of somebody who did not come. Whoever may still come within the grace, or was told that we are late, loses no deposit
// by it. Where our people go to the customer, they must have left. Faults: ErrState, also before the start.
func (s *Service) MarkNoShow(ctx context.Context, id int64) (Booking, error) {
	p, err := s.policy(ctx)
	if err != nil {
		return Booking{}, err
	}
	return s.change(ctx, 0, id, func(ctx context.Context, tx *db.Tx, b *Booking) error {
		switch {
		case kindLeaves(b.Kind) && b.State == Confirmed:
			return ErrState.Say("还没有人出发，不能记为没见到车主；去不了请取消预约")
		case mayMove(b.Kind, b.State, NoShow) && tx.Now.Before(b.StartsAt):
			return ErrState.Say("还没到预约时间，不能记为未到店")
		}
		over := !tx.Now.Before(b.StartsAt.Add(time.Duration(p.grace) * time.Minute))
		ours, err := s.weAreLate(ctx, tx, *b)
		if err != nil {
			return err
		}
		if err := s.noShowTx(ctx, tx, b, p.forfeits && over && !ours); err != nil {
			return err
		}
		return s.auditTx(ctx, tx, *b, "booking.no_show", nil)
	})
}

// noShowTx releases a locked booking. forfeits is the shop's rule about its deposit.
func (s *Service) noShowTx(ctx context.Context, tx *db.Tx, b *Booking, forfeits bool) error {
	if err := s.endDepositTx(ctx, tx, b, forfeits, "未到店"); err != nil {
		return err
	}
	if err := s.moveTx(ctx, tx, b, NoShow, EventNoShow, "未到店，时间已放开"); err != nil {
		return err
	}
	return s.slots.FreeTx(ctx, tx, b.ID)
}

// Arrive notes that the car is here, or that our people are at the car. Faults: ErrState, ErrActive.
func (s *Service) Arrive(ctx context.Context, id int64) (Booking, error) {
	return s.change(ctx, 0, id, func(ctx context.Context, tx *db.Tx, b *Booking) error {
		if b.State == Queued {
			return ErrState.Say("排队的车由系统按顺序安排工位，请在排队列表里操作")
		}
		return s.moveTx(ctx, tx, b, Arrived, EventArrived, "已到达")
	})
}

// Dispatch notes that our people are on their way. Fault: ErrState.
func (s *Service) Dispatch(ctx context.Context, id int64) (Booking, error) {
	return s.change(ctx, 0, id, func(ctx context.Context, tx *db.Tx, b *Booking) error {
		return s.moveTx(ctx, tx, b, Dispatched, EventDispatched, "已出发")
	})
}

// Start begins the work. A job that begins before its time takes its bay and technician from now on, when they are free. Faults: ErrState, ErrActive.
func (s *Service) Start(ctx context.Context, id int64) (Booking, error) {
	b, err := s.start(ctx, id, true)
	if errors.Is(err, slot.ErrTaken) {
		b, err = s.start(ctx, id, false)
	}
	return b, err
}

func (s *Service) start(ctx context.Context, id int64, early bool) (Booking, error) {
	return s.change(ctx, 0, id, func(ctx context.Context, tx *db.Tx, b *Booking) error {
		if early && len(b.Segments) > 0 {
			if err := s.earlierTx(ctx, tx, b); err != nil {
				return err
			}
		}
		return s.moveTx(ctx, tx, b, InService, EventStarted, "开始施工")
	})
}

// earlierTx moves the segments of a job that begins early to now. Fault: slot.taken.
func (s *Service) earlierTx(ctx context.Context, tx *db.Tx, b *Booking) error {
	by := b.Segments[0].ServiceFrom - int64(slot.CellOf(tx.Now))
	if by <= 0 || !mayMove(b.Kind, b.State, InService) {
		return nil
	}
	moved := shifted(b.Segments, -by)
	for i := range moved { // the way to the customer is behind us
		moved[i].FromCell = max(moved[i].FromCell, int64(slot.CellOf(tx.Now)))
	}
	if err := s.slots.ReplaceTx(ctx, tx, b.StoreID, b.ID, claims(moved)); err != nil {
		return err
	}
	store, err := s.shops.Store(ctx, b.StoreID)
	if err != nil {
		return err
	}
	b.place(moved, store.BizDay)
	return replaceSegmentsTx(ctx, tx, *b)
}

// shifted are segments moved by so many cells.
func shifted(segments []Segment, by int64) []Segment {
	out := make([]Segment, len(segments))
	for i, x := range segments {
		x.FromCell, x.ToCell, x.ServiceFrom, x.ServiceTo = x.FromCell+by, x.ToCell+by, x.ServiceFrom+by, x.ServiceTo+by
		out[i] = x
	}
	return out
}

// Finish ends the work: the owner is told, and what is left of the time is free for others, after the changeover. closing is the record of a rescue
// or errand. Fault: ErrState.
func (s *Service) Finish(ctx context.Context, id int64, closing string) (Booking, error) {
	return s.change(ctx, 0, id, func(ctx context.Context, tx *db.Tx, b *Booking) error {
		if closing = strings.TrimSpace(closing); closing != "" {
			if err := s.unseal(b); err != nil {
				return err
			}
			b.Extra.Closing = closing
			if err := s.seal(b); err != nil {
				return err
			}
		}
		now := int64(slot.CellUp(tx.Now))
		for i := range b.Segments {
			x := &b.Segments[i]
			tail := x.ToCell - x.ServiceTo
			if end := now + tail; end < x.ToCell {
				x.ToCell = max(end, x.FromCell)
				x.ServiceTo = max(min(x.ServiceTo, now), x.FromCell)
				x.ServiceFrom = min(x.ServiceFrom, x.ServiceTo)
			}
		}
		if n := len(b.Segments); n > 0 {
			b.ToCell = b.Segments[n-1].ToCell
			if err := s.slots.ReplaceTx(ctx, tx, b.StoreID, b.ID, claims(b.Segments)); err != nil {
				return err
			}
			if err := replaceSegmentsTx(ctx, tx, *b); err != nil {
				return err
			}
		}
		if err := s.moveTx(ctx, tx, b, Done, EventFinished, "完工"); err != nil {
			return err
		}
		if err := s.settleIfPaidTx(ctx, tx, b); err != nil {
			return err
		}
		return s.tellTx(ctx, tx, *b, notify.CarReady)
	})
}

// Accept takes a rescue or errand. A rescue gets a technician from now on: the one named, or whoever can and is free. Faults: ErrState, ErrPast when it
// waited too long, ErrNobody, ErrTechnician.
func (s *Service) Accept(ctx context.Context, id, technicianID int64) (b Booking, err error) {
	seen, err := s.Get(ctx, 0, id)
	if err != nil {
		return b, err
	}
	if _, err := s.freeDue(ctx, seen.StoreID); err != nil { // what they hold looks free
		return b, err
	}
	err = slot.ErrTaken
	for try := 0; try < tries && errors.Is(err, slot.ErrTaken); try++ {
		b, err = s.change(ctx, 0, id, func(ctx context.Context, tx *db.Tx, b *Booking) error {
			switch {
			case b.State != Requested:
				return ErrState
			case !tx.Now.Before(requestEnds(*b)):
				return ErrPast.Say("这个申请已经过了时间，请与车主另约")
			}
			if len(b.Segments) == 0 || technicianID != 0 {
				if err := s.crewTx(ctx, tx, b, technicianID); err != nil {
					return err
				}
			}
			if err := s.moveTx(ctx, tx, b, Confirmed, EventAccepted, "已接单"+withName(b.Explain)); err != nil {
				return err
			}
			return s.tellTx(ctx, tx, *b, notify.BookingConfirmed)
		})
	}
	if errors.Is(err, slot.ErrTaken) {
		return b, ErrNobody
	}
	return b, err
}

func withName(explain string) string {
	if explain == "" {
		return ""
	}
	return "；" + explain
}

// crewTx gives a request its people: a rescue from now on, an errand at its time.
func (s *Service) crewTx(ctx context.Context, tx *db.Tx, b *Booking, technicianID int64) error {
	w := wish{kind: b.Kind, memberID: b.MemberID, technicianID: technicianID, desk: true}
	var err error
	if w.policy, err = s.policy(ctx); err != nil {
		return err
	}
	if w.store, err = s.shops.Store(ctx, b.StoreID); err != nil {
		return err
	}
	start := b.StartsAt
	if len(b.Segments) > 0 {
		w.plan = planAgain(*b)
	} else {
		if w.plan, err = planOf(b.Kind, nil, w.travel); err != nil {
			return err
		}
		w.plan.parts[0].work = cellsUp(max(b.Minutes, slot.CellMinutes))
		start = slot.CellOf(tx.Now).Time().Add(time.Duration(w.plan.lead*slot.CellMinutes) * time.Minute)
	}
	if technicianID != 0 {
		c, err := s.scene(ctx, w.store, tx.Now, tx.Now.Add(time.Hour), 0)
		if err != nil {
			return err
		}
		if _, err := c.technician(technicianID); err != nil {
			return err
		}
	}
	picks, err := s.pick(ctx, tx, w, start, tx.Now, nil, b.ID)
	if errors.Is(err, ErrGone) {
		return ErrNobody
	}
	if err != nil {
		return err
	}
	b.place(w.plan.segments(picks), w.store.BizDay)
	b.Explain, b.TravelMinutes = explain(picks), w.plan.travelMinutes
	if err := s.slots.ReplaceTx(ctx, tx, b.StoreID, b.ID, claims(b.Segments)); err != nil {
		return err
	}
	return replaceSegmentsTx(ctx, tx, *b)
}

// auditTx records what staff did to a booking.
func (s *Service) auditTx(ctx context.Context, tx *db.Tx, b Booking, action string, detail map[string]any) error {
	return audit.RecordTx(ctx, tx, audit.Entry{Action: action, SubjectKind: "booking", SubjectID: b.ID, SubjectLabel: fmt.Sprintf("%s %s", b.No, b.Plate),
		StoreID: b.StoreID, Detail: detail})
}
