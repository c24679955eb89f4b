package checkout

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/payment"
)

// awaitTx writes an order that waits for the customer to scan: its stored-value part is held, so that nobody spends it meanwhile.
func (s *Service) awaitTx(ctx context.Context, tx *db.Tx, o *Order, f frame, amount money.Fen, book *ledger.Book, takes []ledger.Take) error {
	o.Status, o.ExpiresAt = Awaiting, s.payUntil(tx.Now, f.payMinutes)
	for i := range o.Tenders {
		o.Tenders[i].State = "awaiting"
	}
	p, err := s.payments.CreateTx(ctx, tx, payment.Create{Purpose: PurposeOrder, SubjectID: o.ID, TradeType: payment.Native, AmountFen: amount,
		Description: f.store.Name + "-" + o.Title, ExpiresAt: o.ExpiresAt, StoreID: o.StoreID, MemberID: o.MemberID})
	if err != nil {
		return err
	}
	o.PaymentID = p.ID
	if len(takes) > 0 {
		if err := ledger.HoldTx(ctx, tx, book, "order", o.ID, int64(ledger.SumOf(takes, ledger.Principal)), int64(ledger.SumOf(takes, ledger.Bonus)), o.ExpiresAt.UnixMilli()); err != nil {
			return err
		}
	}
	insertOrder(tx, *o)
	return nil
}

// Poll returns an order, asking WeChat while it waits: the till polls it.
func (s *Service) Poll(ctx context.Context, id int64) (Order, error) {
	o, err := s.Order(ctx, id)
	if err != nil || o.Status != Awaiting {
		return o, err
	}
	prep, err := s.payments.Prepay(ctx, o.PaymentID)
	if err != nil {
		// The order may have been decided between the two reads.
		if again, err2 := s.Order(ctx, id); err2 == nil && again.Status != Awaiting {
			return again, nil
		}
		// Between its expiry and the job that closes it an order waits without a code: the till keeps polling.
		if fault.As(err).Kind == fault.Conflict {
			return o, nil
		}
		return o, err
	}
	o.CodeURL = prep.CodeURL
	return o, nil
}

// Cancel gives up an order that waits for payment: at WeChat first; when it was paid meanwhile it is settled instead (N06).
// Fault: ErrState.
func (s *Service) Cancel(ctx context.Context, id int64) (Order, error) {
	o, err := s.Order(ctx, id)
	if err != nil {
		return o, err
	}
	if o.Status != Awaiting {
		return o, ErrState
	}
	if _, err := s.payments.Close(ctx, o.PaymentID); err != nil {
		return o, err
	}
	return s.Order(ctx, id)
}

// fulfiller is what the payment slice calls when WeChat has decided.
type fulfiller struct{ *Service }

// PaidTx settles the order that waited. It refuses, so that the money goes back by itself, when the order no longer waits (N06).
func (f fulfiller) PaidTx(ctx context.Context, tx *db.Tx, p payment.Payment) (bool, error) {
	o, err := orderByID(ctx, tx, p.SubjectID, tx.ForUpdate())
	if errors.Is(err, fault.ErrNotFound) || (err == nil && o.Status != Awaiting) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := fill(ctx, tx, &o); err != nil {
		return false, err
	}
	if err := f.endVisitTx(ctx, tx, o, true); err != nil {
		return false, err
	}
	if err := f.stillEarnsTx(ctx, tx, &o); err != nil {
		return false, err
	}
	var book *ledger.Book
	var takes []ledger.Take
	if o.MemberID != 0 {
		if err := f.keepCouponsTx(ctx, tx, o); err != nil {
			return false, err
		}
		if book, err = ledger.LockTx(ctx, tx, o.MemberID); err != nil {
			return false, err
		}
		if takes, err = f.captureTx(ctx, tx, o, book); err != nil {
			return false, err
		}
	}
	if err := f.postTx(ctx, tx, &o, book, takes); err != nil {
		return false, err
	}
	return true, markSettled(ctx, tx, o)
}

// captureTx turns the hold of an order into the lots that pay it.
func (s *Service) captureTx(ctx context.Context, tx *db.Tx, o Order, book *ledger.Book) ([]ledger.Take, error) {
	if o.tender(TenderBalance) == nil {
		return nil, nil
	}
	principal, bonus, err := ledger.EndHoldTx(ctx, tx, book, "order", o.ID, true)
	if err != nil {
		return nil, err
	}
	takes, err := book.TakeOldest(ledger.Principal, principal)
	if err != nil {
		return nil, err
	}
	more, err := book.TakeOldest(ledger.Bonus, bonus)
	return append(takes, more...), err
}

// ClosedTx cancels the order and releases what it held.
func (f fulfiller) ClosedTx(ctx context.Context, tx *db.Tx, p payment.Payment) error {
	o, err := orderByID(ctx, tx, p.SubjectID, tx.ForUpdate())
	if err != nil || o.Status != Awaiting {
		return err
	}
	if err := f.endVisitTx(ctx, tx, o, false); err != nil {
		return err
	}
	if err := fill(ctx, tx, &o); err != nil {
		return err
	}
	if o.MemberID != 0 && (len(o.Benefits) > 0 || o.tender(TenderBalance) != nil) {
		if _, err := f.members.StandingTx(ctx, tx, o.MemberID); err != nil {
			return err
		}
	}
	if err := f.giveBackTx(ctx, tx, o); err != nil {
		return err
	}
	if o.tender(TenderBalance) != nil {
		book, err := ledger.LockTx(ctx, tx, o.MemberID)
		if err != nil {
			return err
		}
		if _, _, err := ledger.EndHoldTx(ctx, tx, book, "order", o.ID, false); err != nil {
			return err
		}
	}
	if err := f.undoTx(ctx, tx, o, "取消 "+o.Title, o.BizDay); err != nil {
		return err
	}
	return markCancelled(ctx, tx, o.ID)
}

// RefundedTx notes that WeChat gave the money of a reversed order back, or could not.
func (f fulfiller) RefundedTx(ctx context.Context, tx *db.Tx, r payment.Refund) error {
	if r.SubjectKind == "order_reversal" && (r.State == payment.RefundClosed || r.State == payment.RefundAbnormal) {
		f.log.ErrorContext(ctx, "WeChat did not carry out the refund of a reversed order", "order", r.SubjectID, "payment_refund", r.ID, "state", r.State)
	}
	return nil
}
