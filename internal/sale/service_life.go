package sale

import (
	"cmp"
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/payment"
)

// Sale reads a sale of the member, or of who was merged into them; memberID 0 reads anybody's. Fault: fault.ErrNotFound.
func (s *Service) Sale(ctx context.Context, memberID, id int64) (Sale, error) {
	x, err := saleByID(ctx, s.db, id, "")
	if err != nil || memberID == 0 || x.MemberID == memberID {
		return x, err
	}
	if holder, err := s.members.Holder(ctx, s.db, x.MemberID); err != nil || holder != memberID {
		return Sale{}, cmp.Or(err, error(fault.ErrNotFound))
	}
	return x, nil
}

// Pay returns what is needed to pay a pending sale of the member, again if need be. Fault: ErrState.
func (s *Service) Pay(ctx context.Context, memberID, id int64) (Sale, payment.Prepared, error) {
	x, err := s.Sale(ctx, memberID, id)
	if err != nil {
		return x, payment.Prepared{}, err
	}
	if x.State != StatePending || x.PaymentID == 0 {
		return x, payment.Prepared{}, ErrState
	}
	prep, err := s.payments.Prepay(ctx, x.PaymentID)
	return x, prep, err
}

// Check asks WeChat now what became of a pending sale.
func (s *Service) Check(ctx context.Context, memberID, id int64) (Sale, error) {
	x, err := s.Sale(ctx, memberID, id)
	if err != nil || x.State != StatePending || x.PaymentID == 0 {
		return x, err
	}
	if _, err := s.payments.Check(ctx, x.PaymentID); err != nil {
		return x, err
	}
	return s.Sale(ctx, memberID, id)
}

// Cancel gives a pending sale up: at WeChat first; when it was paid meanwhile it is delivered instead (N06).
func (s *Service) Cancel(ctx context.Context, memberID, id int64) (Sale, error) {
	x, err := s.Sale(ctx, memberID, id)
	if err != nil || x.State != StatePending || x.PaymentID == 0 {
		return x, err
	}
	if _, err := s.payments.Close(ctx, x.PaymentID); err != nil {
		return x, err
	}
	return s.Sale(ctx, memberID, id)
}

// fulfiller is what the payment slice calls when WeChat has decided.
type fulfiller struct{ *Service }

// PaidTx delivers the sale. It refuses, so that the money goes back by itself, when the sale no longer waits (N06), the member has left, or
// the product cannot be delivered any more.
func (f fulfiller) PaidTx(ctx context.Context, tx *db.Tx, p payment.Payment) (bool, error) {
	x, err := saleByID(ctx, tx, p.SubjectID, tx.ForUpdate())
	if errors.Is(err, fault.ErrNotFound) || (err == nil && x.State != StatePending) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	product, err := f.product(x.Kind)
	if err != nil {
		return false, err
	}
	st, err := f.members.StandingTx(ctx, tx, x.MemberID)
	if err != nil {
		return false, err
	}
	if member.Gone(st.Status) {
		return false, f.endTx(ctx, tx, product, x)
	}
	if err = f.payTx(ctx, tx, product, &x); refused(err) {
		return false, payment.ErrUnwanted.With(err)
	}
	return err == nil, err
}

// refused says whether a product cannot be delivered, now or later: trying again would keep the money and deliver nothing.
func refused(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && !f.Is(fault.ErrBusyWrite) && (f.Kind == fault.Conflict || f.Kind == fault.Invalid || f.Kind == fault.NotFound)
}

// ClosedTx ends a sale that was not paid.
func (f fulfiller) ClosedTx(ctx context.Context, tx *db.Tx, p payment.Payment) error {
	x, err := saleByID(ctx, tx, p.SubjectID, tx.ForUpdate())
	if err != nil || x.State != StatePending {
		return err
	}
	product, err := f.product(x.Kind)
	if err != nil {
		return err
	}
	return f.endTx(ctx, tx, product, x)
}

func (s *Service) endTx(ctx context.Context, tx *db.Tx, product Product, x Sale) error {
	if err := product.ReleaseTx(ctx, tx, x); err != nil {
		return err
	}
	return markClosed(ctx, tx, x.ID)
}

// RefundedTx notes what became of a refund at WeChat.
func (f fulfiller) RefundedTx(ctx context.Context, tx *db.Tx, r payment.Refund) error {
	if r.SubjectKind != refundSubject {
		return nil
	}
	state := RefundDone
	var done *int64
	switch r.State {
	case payment.RefundSuccess:
		now := tx.Millis()
		done = &now
	case payment.RefundPending: // it was closed, and somebody sent the money again
		state = RefundProcessing
	default:
		state = RefundAttention
		f.log.ErrorContext(ctx, "WeChat did not carry out the refund of a sale", "refund", r.SubjectID, "payment_refund", r.ID, "state", r.State)
	}
	return noteRefund(ctx, tx, r.SubjectID, r.ID, state, done)
}
