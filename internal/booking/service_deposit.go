package booking

import (
	"context"
	"errors"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/payment"
)

// payMargin is by how much a deposit must be paid before the hold ends, so that the news of it arrives in time.
const payMargin = 30 * time.Second

// refundKind is the subject kind of refunds of deposits.
const refundKind = "booking_deposit"

// Pay starts or repeats the payment of a held booking's deposit by WeChat Pay in the app of the session. It is a money command. Faults: ErrState,
// ErrHoldOver, those of payment.CreateTx and payment.Prepay.
func (s *Service) Pay(ctx context.Context, id int64) (Booking, payment.Prepared, error) {
	who := actor.From(ctx)
	app, openID, err := s.members.OpenID(ctx, who.ID)
	if err != nil {
		return Booking{}, payment.Prepared{}, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, _, err := idem.Once(ctx, tx, func() (int64, error) {
			return id, s.startPaymentTx(ctx, tx, who.MemberID, id, payment.Create{App: app, TradeType: payment.JSAPI, OpenID: openID})
		})
		return err
	})
	if err != nil {
		return Booking{}, payment.Prepared{}, err
	}
	b, err := s.Get(ctx, who.MemberID, id)
	if err != nil || b.PaymentID == 0 {
		return b, payment.Prepared{}, errors.Join(err, ErrState)
	}
	prep, err := s.payments.Prepay(ctx, b.PaymentID)
	return b, prep, err
}

func (s *Service) startPaymentTx(ctx context.Context, tx *db.Tx, memberID, id int64, c payment.Create) error {
	b, err := lockBooking(ctx, tx, id)
	if err == nil {
		err = visible(ctx, b, memberID)
	}
	switch {
	case err != nil:
		return err
	case b.State != Held || b.DepositState != DepositDue:
		return ErrState
	case !b.HoldExpiresAt.Add(-payMargin).After(tx.Now):
		return ErrHoldOver
	case b.PaymentID != 0:
		return nil
	}
	store, err := s.shops.Store(ctx, b.StoreID)
	if err != nil {
		return err
	}
	c.Purpose, c.SubjectID, c.AmountFen, c.ExpiresAt = PurposeDeposit, b.ID, b.DepositFen, b.HoldExpiresAt.Add(-payMargin)
	c.StoreID, c.MemberID, c.Description = b.StoreID, b.MemberID, store.Name+"-"+b.Title+"定金"
	p, err := s.payments.CreateTx(ctx, tx, c)
	if err != nil {
		return err
	}
	b.PaymentID = p.ID
	return saveTx(ctx, tx, &b, Held)
}

// Check asks WeChat now what became of the deposit of a held booking.
func (s *Service) Check(ctx context.Context, memberID, id int64) (Booking, error) {
	b, err := s.Get(ctx, memberID, id)
	if err != nil || b.PaymentID == 0 || (b.DepositState != DepositDue && b.DepositState != DepositRefunding) {
		return b, err
	}
	if _, err := s.payments.Check(ctx, b.PaymentID); err != nil {
		return b, err
	}
	return s.Get(ctx, memberID, id)
}

// fulfiller is what the payment slice calls when WeChat has decided.
type fulfiller struct{ *Service }

// PaidTx confirms the booking whose deposit was paid. It refuses, so that the money goes back by itself, when the booking no longer waits for it (N06).
func (f fulfiller) PaidTx(ctx context.Context, tx *db.Tx, p payment.Payment) (bool, error) {
	b, err := lockBooking(ctx, tx, p.SubjectID)
	if errors.Is(err, fault.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if b.State != Held || b.DepositState != DepositDue || b.PaymentID != p.ID {
		return false, nil
	}
	if !b.HoldExpiresAt.After(tx.Now) { // nobody took its time yet, but the car may be booked elsewhere since
		store, err := f.shops.Store(ctx, b.StoreID)
		if err == nil {
			err = f.freeCarTx(ctx, tx, b.MemberID, store, b, b.StartsAt, b.EndsAt)
		}
		if errors.Is(err, ErrCar) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	id, err := f.postTx(ctx, tx, b, ledger.KindDeposit, "预约定金", ledger.ShopLeg(ledger.WeChat, -b.DepositFen), ledger.ShopLeg(ledger.Deposits, b.DepositFen))
	if err != nil {
		return false, err
	}
	b.PaidPostingID, b.DepositState, b.HoldExpiresAt = id, DepositPaid, time.Time{}
	if err := f.moveTx(ctx, tx, &b, Confirmed, EventPaid, "定金 "+b.DepositFen.Yuan()+" 已付，预约确认"); err != nil {
		return false, err
	}
	return true, f.tellTx(ctx, tx, b, notify.BookingConfirmed)
}

// ClosedTx notes that the deposit was not paid: while the hold lasts it may be paid anew, afterwards the time is free again.
func (f fulfiller) ClosedTx(ctx context.Context, tx *db.Tx, p payment.Payment) error {
	b, err := lockBooking(ctx, tx, p.SubjectID)
	if errors.Is(err, fault.ErrNotFound) || (err == nil && (b.State != Held || b.PaymentID != p.ID)) {
		return nil
	}
	if err != nil {
		return err
	}
	b.PaymentID = 0
	if b.HoldExpiresAt.After(tx.Now) {
		return saveTx(ctx, tx, &b, Held)
	}
	b.HoldExpiresAt, b.DepositState = time.Time{}, DepositNone
	if err := f.moveTx(ctx, tx, &b, Expired, EventExpired, "定金没有付，自动放开"); err != nil {
		return err
	}
	return f.slots.FreeTx(ctx, tx, b.ID)
}

// RefundedTx notes what became of a deposit that goes back.
func (f fulfiller) RefundedTx(ctx context.Context, tx *db.Tx, r payment.Refund) error {
	if r.SubjectKind != refundKind {
		return nil
	}
	b, err := lockBooking(ctx, tx, r.SubjectID)
	if err != nil {
		return err
	}
	switch r.State {
	case payment.RefundSuccess:
		logTx(ctx, tx, b, EventRefund, "定金 "+r.AmountFen.Yuan()+" 已退回")
		if b.DepositState != DepositRefunding {
			return nil // a part that the till gave back: the deposit stays used
		}
		list, err := f.payments.Refunds(ctx, tx, r.PaymentID)
		if err != nil {
			return err
		}
		var arrived money.Fen
		for _, x := range list {
			if x.State == payment.RefundSuccess && x.SubjectKind == refundKind {
				arrived += x.AmountFen
			}
		}
		if arrived < b.DepositFen {
			return nil // another part is still on its way
		}
		b.DepositState = DepositRefunded
		return saveTx(ctx, tx, &b, b.State)
	case payment.RefundClosed, payment.RefundAbnormal:
		f.log.ErrorContext(ctx, "WeChat did not carry out the refund of a deposit", "booking", b.ID, "payment_refund", r.ID, "state", r.State)
		logTx(ctx, tx, b, EventRefund, "定金退款没有成功，请在支付页处理")
	}
	return nil
}

// postTx writes a posting of a booking.
func (s *Service) postTx(ctx context.Context, tx *db.Tx, b Booking, kind, title string, legs ...ledger.Leg) (int64, error) {
	store, err := s.shops.Store(ctx, b.StoreID)
	if err != nil {
		return 0, err
	}
	return ledger.PostTx(ctx, tx, nil, ledger.Post{Kind: kind, StoreID: b.StoreID, BizDay: store.BizDay(tx.Now), RefKind: "booking", RefID: b.ID, Title: title, Memo: b.Plate}, legs...)
}

// giveBackTx sends all that is left of a paid deposit back. The payment must be locked before the booking. The row is the caller's to save.
func (s *Service) giveBackTx(ctx context.Context, tx *db.Tx, b *Booking, reason string) error {
	left := keptDeposit(*b)
	id, err := s.refundTx(ctx, tx, *b, left, reason)
	if err != nil {
		return err
	}
	b.OutPostingID, b.DepositBackFen, b.DepositState = id, b.DepositFen, DepositRefunding
	logTx(ctx, tx, *b, EventRefund, "定金 "+left.Yuan()+" 原路退回："+reason)
	return nil
}

// refundTx books and sends an amount of a deposit back and returns the posting.
func (s *Service) refundTx(ctx context.Context, tx *db.Tx, b Booking, amount money.Fen, reason string) (int64, error) {
	id, err := s.postTx(ctx, tx, b, ledger.KindDepositRefund, "退还预约定金", ledger.ShopLeg(ledger.Deposits, -amount), ledger.ShopLeg(ledger.WeChat, amount))
	if err != nil {
		return 0, err
	}
	_, err = s.payments.RefundTx(ctx, tx, payment.RefundCreate{PaymentID: b.PaymentID, AmountFen: amount, Reason: reason, SubjectKind: refundKind, SubjectID: b.ID})
	return id, err
}

// forfeitTx turns a paid deposit into revenue, by the rule that was shown. The row is the caller's to save.
func (s *Service) forfeitTx(ctx context.Context, tx *db.Tx, b *Booking, reason string) error {
	id, err := s.postTx(ctx, tx, *b, ledger.KindForfeit, "预约定金不退", ledger.ShopLeg(ledger.Deposits, -b.DepositFen), ledger.ShopLeg(ledger.Revenue, b.DepositFen))
	if err != nil {
		return err
	}
	b.OutPostingID, b.DepositState = id, DepositForfeited
	logTx(ctx, tx, *b, EventForfeited, "定金 "+b.DepositFen.Yuan()+" 不退："+reason)
	return nil
}

// endDepositTx decides about the deposit of a booking that ends unserved.
func (s *Service) endDepositTx(ctx context.Context, tx *db.Tx, b *Booking, forfeit bool, reason string) error {
	switch b.DepositState {
	case DepositDue:
		b.DepositState = DepositNone // a payment that is still under way finds nobody who wants it and goes back (N06)
		return nil
	case DepositPaid:
		if forfeit {
			return s.forfeitTx(ctx, tx, b, reason)
		}
		return s.giveBackTx(ctx, tx, b, reason)
	}
	return nil
}
