package booking

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/money"
)

// The events of the till.
const (
	EventSettled   = "settled"
	EventUnsettled = "unsettled"
)

// JobSurplus gives back what the till did not need of a deposit: in a transaction of its own, because payments lock before bookings.
const JobSurplus = "booking.surplus"

// visits is what the till knows of bookings.
type visits struct{ *Service }

// Visits are the bookings for the till.
func (s *Service) Visits() checkout.Visits { return visits{s} }

// keptDeposit is what is left of a paid deposit.
func keptDeposit(b Booking) money.Fen {
	if b.DepositState != DepositPaid {
		return 0
	}
	return b.DepositFen - b.DepositBackFen
}

// claimable says why an order cannot settle a booking. It is pure.
func claimable(b Booking, c checkout.VisitClaim) error {
	switch {
	case b.StoreID != c.StoreID:
		return fault.ErrNotFound
	case b.State == Settled || (b.OrderID != 0 && b.OrderID != c.OrderID):
		return checkout.ErrVisit.Say("这个预约已经结算，或正在另一张单里结算")
	case b.State != Arrived && b.State != InService && b.State != Done:
		return checkout.ErrVisit.Say("车还没到店，不能结算这个预约")
	case b.MemberID != 0 && b.MemberID != c.MemberID:
		return checkout.ErrVisit.Say("预约的会员与结算的会员不一致，请核对")
	case b.Plate != c.Plate:
		return checkout.ErrVisit.Say("预约的车牌是 %s，与结算的不一致，请核对", b.Plate)
	}
	return nil
}

// Deposit is what was paid for a visit that may be settled now. Fault: checkout.ErrVisit.
func (v visits) Deposit(ctx context.Context, r db.Reader, c checkout.VisitClaim) (money.Fen, error) {
	b, err := bookingByID(ctx, r, c.BookingID, "")
	if err == nil {
		err = claimable(b, c)
	}
	return keptDeposit(b), notVisit(err)
}

// ClaimTx keeps a visit for an order.
func (v visits) ClaimTx(ctx context.Context, tx *db.Tx, c checkout.VisitClaim) (money.Fen, error) {
	b, err := lockBooking(ctx, tx, c.BookingID)
	if err == nil {
		err = claimable(b, c)
	}
	if err != nil {
		return 0, notVisit(err)
	}
	b.OrderID = c.OrderID
	return keptDeposit(b), saveTx(ctx, tx, &b, b.State)
}

// notVisit words a booking that is not there for the till.
func notVisit(err error) error {
	if errors.Is(err, fault.ErrNotFound) {
		return checkout.ErrVisit.Say("没有找到这个预约，请刷新后重试")
	}
	return err
}

// EndTx settles a visit, or opens it again. A car that was paid for before it is ready stays where it is; it is settled when it is done.
func (v visits) EndTx(ctx context.Context, tx *db.Tx, e checkout.VisitEnd) error {
	b, err := lockBooking(ctx, tx, e.BookingID)
	if err != nil {
		return err
	}
	if b.OrderID != e.OrderID {
		if e.Settled {
			return checkout.ErrVisit
		}
		return nil
	}
	if err := markPaid(ctx, tx, b.ID, e.Settled); err != nil {
		return err
	}
	if !e.Settled {
		return v.openTx(ctx, tx, &b)
	}
	surplus := keptDeposit(b) - e.UsedFen
	if surplus < 0 {
		return checkout.ErrVisit // never counted twice
	}
	if surplus > 0 {
		if err := v.queue.EnqueueTx(ctx, tx, jobs.Job{Kind: JobSurplus, Payload: surplusOf{b.ID}}); err != nil {
			return err
		}
	}
	text := "已结算"
	if e.UsedFen > 0 {
		b.DepositState, b.DepositUsedFen = DepositUsed, e.UsedFen
		text += "，定金抵扣 " + e.UsedFen.Yuan()
	}
	if b.State == Done {
		return v.moveTx(ctx, tx, &b, Settled, EventSettled, text)
	}
	if err := saveTx(ctx, tx, &b, b.State); err != nil {
		return err
	}
	logTx(ctx, tx, b, EventSettled, text+"，等待完工")
	return v.changedTx(ctx, tx, b, b.State)
}

// openTx undoes the settlement of a visit: what was kept of its deposit counts again.
func (v visits) openTx(ctx context.Context, tx *db.Tx, b *Booking) error {
	wasPaid := b.State == Settled || b.DepositState == DepositUsed
	b.OrderID, b.DepositUsedFen = 0, 0
	if b.DepositState == DepositUsed {
		b.DepositState = DepositPaid
	}
	if b.State == Settled {
		return v.moveTx(ctx, tx, b, Done, EventUnsettled, "结算已撤销")
	}
	if err := saveTx(ctx, tx, b, b.State); err != nil {
		return err
	}
	if wasPaid {
		logTx(ctx, tx, *b, EventUnsettled, "结算已撤销")
	}
	return v.changedTx(ctx, tx, *b, b.State)
}

// settleIfPaidTx settles a booking that has just been done and was paid for before.
func (s *Service) settleIfPaidTx(ctx context.Context, tx *db.Tx, b *Booking) error {
	if b.State != Done || b.OrderID == 0 {
		return nil
	}
	paid, err := isPaid(ctx, tx, b.ID)
	if err != nil || !paid {
		return err
	}
	return s.moveTx(ctx, tx, b, Settled, EventSettled, "完工前已付款")
}

type surplusOf struct {
	BookingID int64 `json:"bookingId"`
}

// surplusJob gives back what is left over, once: what was given back already is part of the booking.
func (s *Service) surplusJob(ctx context.Context, payload []byte) error {
	var p surplusOf
	if err := json.Unmarshal(payload, &p); err != nil {
		return fmt.Errorf("%w: %w", jobs.ErrPermanent, err)
	}
	ctx = actor.With(ctx, actor.Job("结算"))
	_, err := s.change(ctx, 0, p.BookingID, func(ctx context.Context, tx *db.Tx, b *Booking) error {
		paid, err := isPaid(ctx, tx, b.ID)
		if err != nil || !paid || (b.DepositState != DepositUsed && b.DepositState != DepositPaid) {
			return err // the order was undone meanwhile
		}
		surplus := b.DepositFen - b.DepositBackFen - b.DepositUsedFen
		if surplus <= 0 {
			return nil
		}
		if b.DepositUsedFen == 0 {
			if err := s.giveBackTx(ctx, tx, b, "结算没有用到"); err != nil {
				return err
			}
			return saveTx(ctx, tx, b, b.State)
		}
		if _, err := s.refundTx(ctx, tx, *b, surplus, "结算余下的定金"); err != nil {
			return err
		}
		b.DepositBackFen += surplus
		logTx(ctx, tx, *b, EventRefund, "定金余下的 "+surplus.Yuan()+" 原路退回")
		return saveTx(ctx, tx, b, b.State)
	})
	return err
}
