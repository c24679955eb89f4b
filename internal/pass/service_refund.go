package pass

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/sale"
)

// RefundPlanFor computes what would go back of a pass (X01); of one that was given back it is what was computed then, to be printed again.
// Faults: fault.ErrNotFound, ErrState, ErrRefund for a gift of the shop.
func (s *Service) RefundPlanFor(ctx context.Context, memberID, id int64, whose string) (plan RefundPlan, err error) {
	p, err := s.Pass(ctx, memberID, id)
	if err != nil {
		return plan, err
	}
	if p.State == StateRefunded {
		if plan, err = keptPlan(ctx, s.db, p.ID); !errors.Is(err, fault.ErrNotFound) {
			return plan, err
		}
	}
	funds, extra, err := s.funds(ctx, s.db, p.ID)
	if err != nil {
		return plan, err
	}
	if err := mayRefund(p, s.db.Now()); err != nil {
		return plan, err
	}
	return PlanRefund(p, funds, extra, whose, s.db.Now()), nil
}

// mayRefund says whether a pass can be given back. Faults: ErrState, ErrRefund.
func mayRefund(p Pass, now time.Time) error {
	switch {
	case p.State == StateActive && p.expired(now):
		return ErrState.Say("这张卡已到期，不能退卡")
	case p.State != StateActive && p.State != StatePaused:
		return ErrState.Say("这张卡%s，不能退卡", map[string]string{StateUsed: "已用完", StateExpired: "已到期", StateRefunded: "已退过"}[p.State])
	case p.PaidFen == 0:
		return ErrRefund.Say("赠送的卡没有付款，不能退款")
	}
	return nil
}

// funds reads the sales that paid for a pass, oldest first, and how many uses each recharge brought.
func (s *Service) funds(ctx context.Context, r db.Reader, passID int64) ([]sale.Sale, map[int64]int64, error) {
	rows, err := fundsOf(ctx, r, passID)
	if err != nil {
		return nil, nil, err
	}
	var ids []int64
	extra := map[int64]int64{}
	for _, f := range rows {
		ids = append(ids, f.SaleID)
		if f.Kind == SaleRecharge {
			extra[f.SaleID] = f.Times
		}
	}
	list, err := s.sales.Sales(ctx, r, ids...)
	return list, extra, err
}

// Refund ends a pass and gives back what the calculator says, to the payments that it came from. It is a money command. Faults: those of
// RefundPlanFor, ErrChanged with the new plan when the pass moved since, fault.ErrStore.
func (s *Service) Refund(ctx context.Context, id, storeID int64, whose, reason, planHash string) (RefundPlan, error) {
	var out RefundPlan
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		got, _, err := idem.Once(ctx, tx, func() (RefundPlan, error) { return s.refundTx(ctx, tx, id, storeID, whose, reason, planHash) })
		out = got
		return err
	})
	return out, err
}

func (s *Service) refundTx(ctx context.Context, tx *db.Tx, id, storeID int64, whose, reason, planHash string) (RefundPlan, error) {
	p, funds, extra, err := s.lockFundsTx(ctx, tx, id)
	if err != nil {
		return RefundPlan{}, err
	}
	if err := mayRefund(p, tx.Now); err != nil {
		return RefundPlan{}, err
	}
	plan := PlanRefund(p, funds, extra, whose, tx.Now)
	if plan.PlanHash != planHash {
		return RefundPlan{}, ErrChanged.Give(map[string]any{"plan": plan})
	}
	if storeID == 0 {
		storeID = p.StoreID
	}
	if storeID != 0 && !actor.From(ctx).InStore(storeID) {
		return RefundPlan{}, fault.ErrStore
	}
	for _, part := range plan.Parts {
		if _, err := s.sales.RefundTx(ctx, tx, sale.Refund{SaleID: part.SaleID, AmountFen: part.AmountFen, Debit: ledger.Passes, StoreID: storeID, Reason: reason}); err != nil {
			return RefundPlan{}, err
		}
	}
	if p.EndPosting, err = s.endTx(ctx, tx, p, ledger.Post{Kind: ledger.KindPassRefund, StoreID: storeID, BizDay: s.shops.BizDay(ctx, tx.Now, storeID), RefKind: "pass", RefID: p.ID,
		Title: "退卡 " + p.Name, Memo: reason}, plan); err != nil {
		return RefundPlan{}, err
	}
	for i := range p.Lines {
		l := &p.Lines[i]
		l.Left, l.ValueFen = 0, 0
		if err := saveLine(ctx, tx, *l); err != nil {
			return RefundPlan{}, err
		}
	}
	p.endPause()
	p.State, p.EndedAt, p.ValueFen, p.RenewOn, p.GiftCode = StateRefunded, tx.Now, 0, false, ""
	if err := savePass(ctx, tx, p); err != nil {
		return RefundPlan{}, err
	}
	if err := unfollow(ctx, tx, p.ID); err != nil {
		return RefundPlan{}, err
	}
	if err := keepPlan(ctx, tx, plan); err != nil {
		return RefundPlan{}, err
	}
	if err := recordTx(ctx, tx, "pass.refund", p, map[string]any{"amountFen": plan.RefundFen, "keptFen": plan.keptFen, "fault": whose, "rule": plan.Rule, "reason": reason}); err != nil {
		return RefundPlan{}, err
	}
	return plan, note(ctx, tx, p.ID, "refund", "退款 "+plan.RefundFen.Yuan()+"："+reason)
}

// lockFundsTx locks payments, sales, members and the pass, in the order of the whole system.
func (s *Service) lockFundsTx(ctx context.Context, tx *db.Tx, id int64) (Pass, []sale.Sale, map[int64]int64, error) {
	seen, err := passByID(ctx, tx, id, "", "")
	if err != nil {
		return Pass{}, nil, nil, err
	}
	funds, extra, err := s.funds(ctx, tx, id)
	if err != nil {
		return Pass{}, nil, nil, err
	}
	var ids []int64
	for _, f := range funds {
		ids = append(ids, f.ID)
	}
	if funds, err = s.sales.LockTx(ctx, tx, ids...); err != nil {
		return Pass{}, nil, nil, err
	}
	people := []int64{seen.MemberID, seen.PayerID}
	slices.Sort(people)
	for _, m := range slices.Compact(people) {
		if m == 0 {
			continue
		}
		if _, err := s.members.StandingTx(ctx, tx, m); err != nil {
			return Pass{}, nil, nil, err
		}
	}
	p, err := passByID(ctx, tx, id, "", tx.ForUpdate())
	if err == nil && p.MemberID != seen.MemberID {
		err = fault.ErrBusyWrite
	}
	if err != nil {
		return Pass{}, nil, nil, err
	}
	again, err := fundsOf(ctx, tx, id)
	if err == nil && len(again) != len(funds) {
		err = fault.ErrBusyWrite // a recharge was paid between the two reads
	}
	return p, funds, extra, err
}

// endTx takes the uses that are left, and books what the shop keeps.
func (s *Service) endTx(ctx context.Context, tx *db.Tx, p Pass, post ledger.Post, plan RefundPlan) (int64, error) {
	b, err := ledger.LockTx(ctx, tx, p.MemberID, ledger.Uses)
	if err != nil {
		return 0, err
	}
	var takes []ledger.Take
	var n int64
	for _, l := range p.Lines {
		for _, t := range allOf(b, l) {
			takes, n = append(takes, t), n+t.Amount
		}
	}
	legs := ledger.Debits(takes)
	if n > 0 {
		legs = append(legs, ledger.UsesLeg(n))
	}
	if plan.keptFen > 0 {
		legs = append(legs, ledger.ShopLeg(ledger.Passes, -plan.keptFen), ledger.ShopLeg(ledger.Revenue, plan.keptFen))
	}
	if len(legs) == 0 {
		return 0, nil
	}
	return ledger.PostTx(ctx, tx, b, post, legs...)
}
