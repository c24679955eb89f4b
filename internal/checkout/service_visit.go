package checkout

import (
	"context"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/money"
)

// Visits are the bookings that orders settle. Everything here locks the booking before any member, and after payments and orders.
type Visits interface {
	// Deposit is what was paid for a visit and may count at the till. Fault: ErrVisit when it cannot be settled, or not like this.
	Deposit(ctx context.Context, r db.Reader, c VisitClaim) (money.Fen, error)
	// ClaimTx keeps the visit for an order, so that no other order settles it, and returns what Deposit does. Fault: ErrVisit.
	ClaimTx(ctx context.Context, tx *db.Tx, c VisitClaim) (money.Fen, error)
	// EndTx reports what became of the order: settled with so much of the deposit, or given up or undone.
	EndTx(ctx context.Context, tx *db.Tx, e VisitEnd) error
}

// VisitClaim says which visit an order is about.
type VisitClaim struct {
	BookingID, OrderID, StoreID, MemberID int64
	Plate                                 string
}

// VisitEnd is what became of an order.
type VisitEnd struct {
	BookingID, OrderID int64
	Settled            bool      // false: cancelled or reversed
	UsedFen            money.Fen // of the deposit, when it is settled
}

// Connect hands over who knows the bookings, before the first request.
func (s *Service) Connect(v Visits) { s.visits = v }

func (f frame) claim(orderID int64) VisitClaim {
	return VisitClaim{BookingID: f.BookingID, OrderID: orderID, StoreID: f.StoreID, MemberID: f.MemberID, Plate: f.Plate}
}

// claimTx keeps the booking of a settlement for the order and says what its deposit comes to. Faults: ErrVisit, ErrDeposit.
func (s *Service) claimTx(ctx context.Context, tx *db.Tx, f frame, orderID int64, want money.Fen) (m means, err error) {
	if f.BookingID != 0 {
		if s.visits == nil {
			return m, ErrVisit
		}
		if m.deposit, err = s.visits.ClaimTx(ctx, tx, f.claim(orderID)); err != nil {
			return m, err
		}
	}
	if want > m.deposit {
		return m, ErrDeposit.Say("定金最多抵扣 %s，请检查", m.deposit.Yuan())
	}
	return m, nil
}

// endVisitTx tells the booking of an order, if it has one, what became of it.
func (s *Service) endVisitTx(ctx context.Context, tx *db.Tx, o Order, settled bool) error {
	if o.BookingID == 0 {
		return nil
	}
	e := VisitEnd{BookingID: o.BookingID, OrderID: o.ID, Settled: settled}
	if t := o.tender(TenderDeposit); t != nil && settled {
		e.UsedFen = t.AmountFen
	}
	return s.visits.EndTx(ctx, tx, e)
}
