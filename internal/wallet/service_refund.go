package wallet

import (
	"context"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/payment"
)

// The states of a refund and of its parts.
const (
	RefundProcessing = "processing"
	RefundDone       = "done"
	RefundAttention  = "attention" // WeChat refused a part: somebody must look
)

// Refund is money given back to a member.
type Refund struct {
	ID           int64
	No           string
	MemberID     int64
	StoreID      int64
	AmountFen    money.Fen
	BonusBackFen money.Fen
	Reason       string
	State        string
	StaffName    string
	CreatedAt    time.Time
	DoneAt       time.Time
	Parts        []RefundPart
}

// RefundPart is what one original payment gives back.
type RefundPart struct {
	TopupID      int64
	PaymentID    int64
	Method       string
	AmountFen    money.Fen
	BonusBackFen money.Fen
	State        string
}

// PlanFor says how amount would go back to the member; 0 asks for everything. Fault: member.ErrMerged.
func (s *Service) PlanFor(ctx context.Context, memberID int64, amount money.Fen) (p Plan, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		st, err := s.members.StandingTx(ctx, tx, memberID)
		if err != nil {
			return err
		}
		if st.Status == member.StatusMerged {
			return member.ErrMerged
		}
		p, _, _, err = s.planTx(ctx, tx, memberID, amount)
		return err
	})
	return p, err
}

func (s *Service) planTx(ctx context.Context, tx *db.Tx, memberID int64, amount money.Fen) (Plan, *ledger.Book, []Topup, error) {
	b, err := ledger.LockTx(ctx, tx, memberID)
	if err != nil {
		return Plan{}, nil, nil, err
	}
	topups, err := topupsOf(ctx, tx, b, tx.ForUpdate())
	if err != nil {
		return Plan{}, nil, nil, err
	}
	return PlanRefund(b, topups, amount, tx.Now), b, topups, nil
}

// Refund gives amount of principal back as planned: the ledger at once, WeChat by job with a refund number that never changes (N07). It is a
// money command. storeID says in whose books it stands, 0 in nobody's. Faults: fault.ErrStore, member.ErrMerged, ErrRefundMax, ErrRefundPlan with the new plan when the account moved since.
func (s *Service) Refund(ctx context.Context, memberID, storeID int64, amount money.Fen, reason, planHash string) (Refund, error) {
	if storeID != 0 && !actor.From(ctx).InStore(storeID) {
		return Refund{}, fault.ErrStore
	}
	var id int64
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		got, _, err := idem.Once(ctx, tx, func() (int64, error) { return s.refundTx(ctx, tx, memberID, storeID, amount, reason, planHash) })
		id = got
		return err
	})
	if err != nil {
		return Refund{}, err
	}
	return s.RefundByID(ctx, id)
}

func (s *Service) refundTx(ctx context.Context, tx *db.Tx, memberID, storeID int64, amount money.Fen, reason, planHash string) (int64, error) {
	// Payments lock before members and wallets, so the top-ups are read once without a lock to learn which ones, and again under it.
	has, err := ledger.Peek(ctx, tx, tx.Now, memberID, ledger.Principal)
	if err != nil {
		return 0, err
	}
	seen, err := topupsOf(ctx, tx, has, "")
	if err != nil {
		return 0, err
	}
	if err := s.payments.LockTx(ctx, tx, paymentIDs(seen)); err != nil {
		return 0, err
	}
	st, err := s.members.StandingTx(ctx, tx, memberID)
	if err != nil {
		return 0, err
	}
	if st.Status == member.StatusMerged {
		return 0, member.ErrMerged
	}
	plan, b, topups, err := s.planTx(ctx, tx, memberID, amount)
	if err != nil {
		return 0, err
	}
	if plan.ShortfallFen > 0 || amount <= 0 {
		return 0, ErrRefundMax.Say("最多可退 %s", plan.RefundableFen.Yuan()).Give(map[string]any{"plan": plan})
	}
	if plan.PlanHash != planHash {
		return 0, ErrRefundPlan.Give(map[string]any{"plan": plan})
	}
	return s.writeRefundTx(ctx, tx, st.PhoneMasked, storeID, b, plan, topups, reason)
}

func (s *Service) writeRefundTx(ctx context.Context, tx *db.Tx, label string, storeID int64, b *ledger.Book, plan Plan, topups []Topup, reason string) (int64, error) {
	who := actor.From(ctx)
	r := refundRow{ID: tx.NewID(), MemberID: b.MemberID, StoreID: storeID, AmountFen: int64(plan.RequestedFen), BonusBackFen: int64(plan.BonusBackFen), Reason: reason,
		State: RefundDone, StaffID: who.ID, StaffName: who.Name, BizDay: s.shops.BizDay(ctx, tx.Now, storeID), CreatedAt: tx.Millis()}
	r.No = fmt.Sprintf("R%d", r.ID)
	var parts []partRow
	legs := ledger.Debits(plan.takes(b, topups))
	for _, p := range plan.Parts {
		row := partRow{ID: tx.NewID(), RefundID: r.ID, TopupID: p.TopupID, PaymentID: p.PaymentID, Method: p.Method, AmountFen: int64(p.RefundFen),
			BonusBackFen: int64(p.BonusBackFen), State: RefundDone}
		if !p.ByHand {
			pr, err := s.payments.RefundTx(ctx, tx, payment.RefundCreate{PaymentID: p.PaymentID, AmountFen: p.RefundFen, Reason: "会员退款", SubjectKind: "wallet_refund", SubjectID: r.ID})
			if err != nil {
				return 0, err
			}
			row.PaymentRefundID, row.State, r.State = pr.ID, RefundProcessing, RefundProcessing
		}
		legs = append(legs, ledger.ShopLeg(ShopAccount(p.Method), p.RefundFen))
		if p.BonusBackFen > 0 {
			legs = append(legs, ledger.ShopLeg(ledger.BonusGranted, p.BonusBackFen))
		}
		parts = append(parts, row)
		if err := markRefunded(ctx, tx, p); err != nil {
			return 0, err
		}
	}
	if r.State == RefundDone {
		now := tx.Millis()
		r.DoneAt = &now
	}
	var err error
	r.PostingID, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindRefund, StoreID: storeID, BizDay: r.BizDay, RefKind: "refund", RefID: r.ID,
		Title: "退款 " + plan.RequestedFen.Yuan(), Memo: reason}, legs...)
	if err != nil {
		return 0, err
	}
	if err := tx.Insert(ctx, "wallet_refunds", r); err != nil {
		return 0, err
	}
	if err := tx.Insert(ctx, "wallet_refund_parts", parts); err != nil {
		return 0, err
	}
	if err := audit.RecordTx(ctx, tx, audit.Entry{Action: "topup.refund", SubjectKind: "member", SubjectID: b.MemberID, SubjectLabel: label, StoreID: storeID,
		Detail: map[string]any{"refundNo": r.No, "amountFen": r.AmountFen, "bonusBackFen": r.BonusBackFen, "reason": reason, "parts": len(parts)}}); err != nil {
		return 0, err
	}
	total := money.Fen(b.Balance(ledger.Principal) + b.Balance(ledger.Bonus))
	return r.ID, s.messages.EnqueueTx(ctx, tx, notify.Message{MemberID: b.MemberID, Event: "refund", Dedupe: "refund:" + r.No, Page: "pages/home/index",
		Data: map[string]string{"amount": plan.RequestedFen.String(), "balance": total.String(), "time": tx.Now.Format(time.RFC3339), "title": "充值退款"}})
}

// partDoneTx stores what WeChat decided on a part; the refund is done when all parts are.
func (s *Service) partDoneTx(ctx context.Context, tx *db.Tx, r payment.Refund) error {
	if r.SubjectKind != "wallet_refund" {
		return nil
	}
	state := RefundDone
	switch r.State {
	case payment.RefundSuccess:
	case payment.RefundPending: // it was closed, and somebody sent the money again
		state = RefundProcessing
	default:
		state = RefundAttention
		s.log.ErrorContext(ctx, "WeChat did not carry out a refund", "refund", r.SubjectID, "payment_refund", r.ID, "state", r.State)
	}
	states, err := setPartState(ctx, tx, r.SubjectID, r.PaymentID, r.ID, state)
	if err != nil {
		return err
	}
	whole := RefundDone
	for _, x := range states {
		if x == RefundAttention || (x == RefundProcessing && whole != RefundAttention) {
			whole = x
		}
	}
	var done *int64
	if whole == RefundDone {
		now := tx.Millis()
		done = &now
	}
	return setRefundState(ctx, tx, r.SubjectID, whole, done)
}

func paymentIDs(topups []Topup) []int64 {
	var out []int64
	for _, t := range topups {
		if t.PaymentID != 0 {
			out = append(out, t.PaymentID)
		}
	}
	return out
}

// RefundByID reads a refund with its parts. Fault: fault.ErrNotFound.
func (s *Service) RefundByID(ctx context.Context, id int64) (Refund, error) {
	list, err := refundsWhere(ctx, s.db, refundByID, id)
	if err != nil {
		return Refund{}, err
	}
	if len(list) == 0 {
		return Refund{}, fault.ErrNotFound
	}
	list[0].Parts, err = partsOf(ctx, s.db, id)
	return list[0], err
}
