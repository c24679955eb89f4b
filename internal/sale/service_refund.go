package sale

import (
	"context"
	"fmt"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/wallet"
)

// refundSubject marks refunds of this package at the payment slice.
const refundSubject = "sale_refund"

// Refund asks for money of a sale to go back.
type Refund struct {
	SaleID    int64
	AmountFen money.Fen
	Debit     string       // the shop account that owed it; "" is the one that the sale credited
	Legs      []ledger.Leg // further legs on shop accounts in fen, such as what the shop keeps: they sum to zero
	StoreID   int64        // in whose books it stands; 0 is the sale's
	Reason    string
}

// LockTx locks payments and sales in the order of the whole system and returns the sales in ascending order. It belongs before any lock of a
// member or of what was sold. Unknown ids are absent.
func (s *Service) LockTx(ctx context.Context, tx *db.Tx, ids ...int64) ([]Sale, error) {
	seen, err := salesByID(ctx, tx, ids, "")
	if err != nil {
		return nil, err
	}
	var payments []int64
	for _, x := range seen {
		payments = append(payments, x.PaymentID)
	}
	if err := s.payments.LockTx(ctx, tx, payments); err != nil {
		return nil, err
	}
	return salesByID(ctx, tx, ids, tx.ForUpdate())
}

// RefundTx gives money of a sale back to where it came from: WeChat by job with a number that never changes (N07), stored value to the lots
// that paid, in proportion, the rest by the desk. LockTx belongs before it, and the lock of the member where stored value paid. It returns
// the refund's id. Faults: ErrState, ErrRefundMax, ErrLeft.
func (s *Service) RefundTx(ctx context.Context, tx *db.Tx, r Refund) (int64, error) {
	locked, err := s.LockTx(ctx, tx, r.SaleID)
	if err != nil {
		return 0, err
	}
	if len(locked) == 0 || (locked[0].State != StatePaid && locked[0].State != StateRefunded) {
		return 0, ErrState
	}
	x := locked[0]
	if r.AmountFen <= 0 || r.AmountFen > x.Left() {
		return 0, ErrRefundMax.Say("最多可退 %s", x.Left().Yuan())
	}
	if r.Debit == "" {
		r.Debit = x.Account
	}
	if r.StoreID == 0 {
		r.StoreID = x.StoreID
	}
	who := actor.From(ctx)
	row := refundRow{ID: tx.NewID(), SaleID: x.ID, MemberID: x.MemberID, StoreID: r.StoreID, AmountFen: int64(r.AmountFen), Method: x.Method, PaymentID: x.PaymentID,
		State: RefundDone, Reason: db.Clip(r.Reason, 200), StaffID: who.ID, StaffName: db.Clip(who.Name, 64), BizDay: s.shops.BizDay(ctx, tx.Now, r.StoreID), CreatedAt: tx.Millis()}
	row.No = fmt.Sprintf("SR%d", row.ID)
	legs := append([]ledger.Leg{ledger.ShopLeg(r.Debit, -r.AmountFen)}, r.Legs...)
	book := &ledger.Book{MemberID: x.MemberID}
	wechat := x.Method == MethodWeChat || x.Method == MethodWeChatNative
	switch {
	case x.Method == MethodBalance:
		st, err := s.members.StandingTx(ctx, tx, x.MemberID)
		if err != nil {
			return 0, err
		}
		if st.Status == member.StatusClosed {
			return 0, ErrLeft
		}
		if book, err = ledger.LockTx(ctx, tx, x.MemberID); err != nil {
			return 0, err
		}
		back, principal, bonus := x.give(r.AmountFen)
		legs, row.PrincipalFen, row.BonusFen = append(legs, back...), int64(principal), int64(bonus)
	case wechat && !x.ByHand(tx.Now):
		made, err := s.payments.RefundTx(ctx, tx, payment.RefundCreate{PaymentID: x.PaymentID, AmountFen: r.AmountFen, Reason: r.Reason, SubjectKind: refundSubject, SubjectID: row.ID})
		if err != nil {
			return 0, err
		}
		row.PaymentRefundID, row.State = made.ID, RefundProcessing
		legs = append(legs, ledger.ShopLeg(ledger.WeChat, r.AmountFen))
	default:
		legs = append(legs, ledger.ShopLeg(wallet.ShopAccount(x.Method), r.AmountFen))
	}
	if row.State == RefundDone {
		now := tx.Millis()
		row.DoneAt = &now
	}
	row.PostingID, err = ledger.PostTx(ctx, tx, book, ledger.Post{Kind: ledger.KindSaleRefund, StoreID: r.StoreID, BizDay: row.BizDay, RefKind: "sale_refund", RefID: row.ID,
		Title: "退款 " + x.Title, Memo: r.Reason}, legs...)
	if err != nil {
		return 0, err
	}
	if err := markRefunded(ctx, tx, x, r.AmountFen, money.Fen(row.BonusFen)); err != nil {
		return 0, err
	}
	return row.ID, tx.Insert(ctx, "sale_refunds", row)
}

// Refunds reads the refunds of sales, oldest first.
func (s *Service) Refunds(ctx context.Context, r db.Reader, saleIDs ...int64) ([]Back, error) {
	return refundsOf(ctx, r, saleIDs)
}

// Sales reads several sales in ascending order, without a lock: for display and plans.
func (s *Service) Sales(ctx context.Context, r db.Reader, ids ...int64) ([]Sale, error) {
	return salesByID(ctx, r, ids, "")
}
