package wallet

import (
	"context"
	"errors"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/payment"
)

// fulfiller is what the payment slice calls when WeChat has decided.
type fulfiller struct{ *Service }

// PaidTx credits the top-up. It refuses, so that the money goes back by itself, when the top-up is no longer pending (N06) or the member
// has left meanwhile.
func (f fulfiller) PaidTx(ctx context.Context, tx *db.Tx, p payment.Payment) (bool, error) {
	t, err := topupByID(ctx, tx, p.SubjectID, tx.ForUpdate())
	if errors.Is(err, fault.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if t.State != StatePending {
		return false, nil
	}
	st, err := f.members.StandingTx(ctx, tx, t.MemberID)
	if err != nil {
		return false, err
	}
	if member.Gone(st.Status) {
		return false, nil
	}
	return true, f.creditTx(ctx, tx, t)
}

// ClosedTx ends a top-up that was not paid.
func (f fulfiller) ClosedTx(ctx context.Context, tx *db.Tx, p payment.Payment) error {
	return closeTopup(ctx, tx, p.SubjectID)
}

// RefundedTx notes what became of a part of a refund.
func (f fulfiller) RefundedTx(ctx context.Context, tx *db.Tx, r payment.Refund) error {
	return f.partDoneTx(ctx, tx, r)
}

// creditTx posts a pending top-up and tells the member. The guard on the state makes it happen once (N03, N05).
func (s *Service) creditTx(ctx context.Context, tx *db.Tx, t Topup) error {
	b, err := ledger.LockTx(ctx, tx, t.MemberID)
	if err != nil {
		return err
	}
	legs := []ledger.Leg{{Unit: ledger.Principal, Amount: int64(t.AmountFen)}, ledger.ShopLeg(ShopAccount(t.Method), -t.AmountFen)}
	if t.BonusFen > 0 {
		legs = append(legs, ledger.Leg{Unit: ledger.Bonus, Amount: int64(t.BonusFen)}, ledger.ShopLeg(ledger.BonusGranted, -t.BonusFen))
	}
	day := s.shops.BizDay(ctx, tx.Now, t.StoreID)
	id, err := ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindTopup, StoreID: t.StoreID, BizDay: day, RefKind: "topup", RefID: t.ID,
		Title: topupTitle(t), Memo: MethodLabel(t.Method)}, legs...)
	if err != nil {
		return err
	}
	total := money.Fen(b.Balance(ledger.Principal) + b.Balance(ledger.Bonus))
	if err := markCredited(ctx, tx, t.ID, id, total, day); err != nil {
		return err
	}
	return s.messages.EnqueueTx(ctx, tx, notify.Message{MemberID: t.MemberID, Event: "topup", Dedupe: "topup:" + t.No, Page: "pages/home/index",
		Data: map[string]string{"amount": t.AmountFen.String(), "bonus": t.BonusFen.String(), "balance": total.String(),
			"time": tx.Now.Format(time.RFC3339), "title": topupTitle(t)}})
}
