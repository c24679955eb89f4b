package checkout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/setting"
)

// Order reads an order with lines, tenders and dispute. Fault: fault.ErrNotFound.
func (s *Service) Order(ctx context.Context, id int64) (Order, error) {
	o, err := orderByID(ctx, s.db, id, "")
	if err != nil {
		return o, err
	}
	return o, fill(ctx, s.db, &o)
}

// reverseLimit is how long staff may take back their own settlements.
func (s *Service) reverseLimit(ctx context.Context) (time.Duration, error) {
	n, err := s.settings.Int(ctx, setting.CheckoutReverseMinutes)
	return time.Duration(n) * time.Minute, err
}

// Reverse undoes a settled order as a whole: stored value goes back to its lots, WeChat money by refund, the rest is handed back by the desk. It is
// a money command. Faults: ErrTooLate, ErrState, ledger.ErrReversed.
func (s *Service) Reverse(ctx context.Context, id int64, reason string) (Order, error) {
	who := actor.From(ctx)
	limit, err := s.reverseLimit(ctx)
	if err != nil {
		return Order{}, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, _, err := idem.Once(ctx, tx, func() (int64, error) {
			seen, err := orderByID(ctx, tx, id, "")
			if err != nil {
				return 0, err
			}
			if !who.InStore(seen.StoreID) {
				return 0, fault.ErrNotFound
			}
			// Payments lock before orders and wallets.
			if seen.PaymentID != 0 {
				if err := s.payments.LockTx(ctx, tx, []int64{seen.PaymentID}); err != nil {
					return 0, err
				}
			}
			o, err := orderByID(ctx, tx, id, tx.ForUpdate())
			if err != nil {
				return 0, err
			}
			if err := reversible(o, tx.Now, who.ID, who.Can(perm.ReverseAny), limit); err != nil {
				return 0, err
			}
			return id, s.reverseTx(ctx, tx, o, reason)
		})
		return err
	})
	if err != nil {
		return Order{}, err
	}
	return s.Order(ctx, id)
}

func (s *Service) reverseTx(ctx context.Context, tx *db.Tx, o Order, reason string) error {
	if err := fill(ctx, tx, &o); err != nil {
		return err
	}
	if err := s.endVisitTx(ctx, tx, o, false); err != nil { // bookings lock before members
		return err
	}
	zoneName := bizday.DefaultZone
	if st, err := s.shops.Store(ctx, o.StoreID); err == nil {
		zoneName = st.Timezone
	}
	var book *ledger.Book
	var err error
	if err := s.peopleTx(ctx, tx, o); err != nil {
		return err
	}
	if o.MemberID != 0 {
		if err := s.giveBackTx(ctx, tx, o); err != nil {
			return err
		}
		if book, err = ledger.LockTx(ctx, tx, cmp.Or(o.PayerID, o.MemberID)); err != nil {
			return err
		}
	}
	day := bizday.Of(tx.Now, zoneName)
	posting, err := ledger.ReverseTx(ctx, tx, book, o.PostingID, ledger.Post{Kind: ledger.KindReversal, StoreID: o.StoreID, BizDay: day, RefKind: "order", RefID: o.ID,
		Title: "撤销 " + o.Title, Memo: reason})
	if err != nil {
		return err
	}
	if err := s.undoTx(ctx, tx, o, "撤销 "+o.Title, day); err != nil {
		return err
	}
	if err := s.clawbackTx(ctx, tx, o); err != nil {
		return err
	}
	if t := o.tender(TenderNative); t != nil {
		if _, err := s.payments.RefundTx(ctx, tx, payment.RefundCreate{PaymentID: o.PaymentID, AmountFen: t.AmountFen, Reason: "结算撤销", SubjectKind: "order_reversal", SubjectID: o.ID}); err != nil {
			return err
		}
	}
	if err := markReversed(ctx, tx, o.ID, posting, reason, actor.From(ctx).Name); err != nil {
		return err
	}
	if err := audit.RecordTx(ctx, tx, audit.Entry{Action: "order.reverse", SubjectKind: "order", SubjectID: o.ID, SubjectLabel: o.No, StoreID: o.StoreID,
		Detail: map[string]any{"totalFen": o.Total, "reason": reason}}); err != nil {
		return err
	}
	if book == nil {
		return nil
	}
	if err := s.balanceAfterTx(ctx, tx, &o, book); err != nil {
		return err
	}
	if err := s.tellPayerTx(ctx, tx, o, book, "reversal"); err != nil {
		return err
	}
	return s.tellTx(ctx, tx, o, "reversal")
}

// peopleTx locks whose order it is, who paid it and who earned by it, in ascending order. Fault: ErrLeft when something of it went to a wallet that is gone.
func (s *Service) peopleTx(ctx context.Context, tx *db.Tx, o Order) error {
	for _, id := range ascending([]int64{o.MemberID, cmp.Or(o.PayerID, o.MemberID), o.EarnerID}) {
		if id == 0 {
			continue
		}
		st, err := s.members.StandingTx(ctx, tx, id)
		if err != nil {
			return err
		}
		if st.Status != member.StatusClosed {
			continue
		}
		if (id == o.MemberID && (o.tender(TenderBalance) != nil || len(o.Benefits) > 0)) || (id == o.PayerID && o.tender(TenderGroup) != nil) {
			return ErrLeft
		}
	}
	return nil
}

// own says whether an order is the acting owner's, or that of somebody who was merged into them. Fault: fault.ErrNotFound.
func (s *Service) own(ctx context.Context, r db.Reader, o Order) error {
	me := actor.From(ctx).MemberID
	if o.MemberID == 0 || me == 0 {
		return fault.ErrNotFound
	}
	if o.MemberID == me {
		return nil
	}
	holder, err := s.members.Holder(ctx, r, o.MemberID)
	if err == nil && holder != me {
		err = fault.ErrNotFound
	}
	return err
}

// Dispute stores an owner's question about an order of theirs (X03). Faults: fault.ErrNotFound, ErrDisputed.
func (s *Service) Dispute(ctx context.Context, orderID int64, reason, note string) (Order, error) {
	memberID := actor.From(ctx).MemberID
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		o, err := orderByID(ctx, tx, orderID, "")
		if err != nil {
			return err
		}
		if err := s.own(ctx, tx, o); err != nil {
			return err
		}
		if o.Status != Settled && o.Status != Reversed {
			return ErrState
		}
		err = tx.Insert(ctx, "checkout_disputes", disputeRow{ID: tx.NewID(), OrderID: orderID, MemberID: memberID, StoreID: o.StoreID, Reason: reason,
			Note: note, Status: "open", CreatedAt: tx.Millis()})
		if errors.Is(err, db.ErrDuplicate) {
			return ErrDisputed
		}
		return err
	})
	if err != nil {
		return Order{}, err
	}
	return s.Order(ctx, orderID)
}

// Resolve answers a dispute: upheld (the owner is right) or rejected. Faults: fault.ErrNotFound, ErrResolved.
func (s *Service) Resolve(ctx context.Context, id int64, outcome, answer string) (DisputeRecord, error) {
	who := actor.From(ctx)
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		d, err := disputeByID(ctx, tx, id)
		if err != nil {
			return err
		}
		if !who.InStore(d.StoreID) {
			return fault.ErrNotFound
		}
		if err := resolve(ctx, tx, id, outcome, answer, who.Name); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "dispute.resolve", SubjectKind: "order", SubjectID: d.OrderID, SubjectLabel: fmt.Sprintf("W%d", d.OrderID), StoreID: d.StoreID,
			Detail: map[string]any{"outcome": map[string]string{"upheld": "车主有理", "rejected": "维持原单"}[outcome], "answer": answer}})
	})
	if err != nil {
		return DisputeRecord{}, err
	}
	list, err := disputesWhere(ctx, s.db, oneDispute, id)
	if err != nil || len(list) == 0 {
		return DisputeRecord{}, err
	}
	return list[0], nil
}
