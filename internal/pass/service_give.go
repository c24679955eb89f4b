package pass

import (
	"context"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/ledger"
)

// Gift is a pass that the shop gives away. Dedupe is unique for ever.
type Gift struct {
	PlanID, MemberID, StoreID int64
	Dedupe, Why               string
}

// GiveTx gives a member a pass of a plan without money; it is never refunded and cannot be given on. A pass that is bound to plates waits for
// one. The same Dedupe gives the same pass. It locks the member. Faults: ErrPlan, those of member.Standing.Usable.
func (s *Service) GiveTx(ctx context.Context, tx *db.Tx, g Gift) (int64, error) {
	st, err := s.members.StandingTx(ctx, tx, g.MemberID)
	if err != nil {
		return 0, err
	}
	if id, err := byDedupe(ctx, tx, g.Dedupe); err != nil || id != 0 {
		return id, err
	}
	if err := st.Usable(); err != nil {
		return 0, err
	}
	plan, err := planByID(ctx, tx, g.PlanID, "")
	if err != nil {
		return 0, ErrPlan.On("planId", "没有这种卡")
	}
	terms, err := s.terms(ctx, plan.Offer)
	if err != nil {
		return 0, err
	}
	terms.Giftable, terms.Renew, terms.Recharge, terms.PriceFen = false, nil, nil, 0
	p := Pass{PlanID: plan.ID, MemberID: g.MemberID, StoreID: g.StoreID, Source: SourceGift, Terms: terms}
	if err := s.writeTx(ctx, tx, &p, "", g.Dedupe); err != nil {
		return 0, err
	}
	legs, err := s.activateTx(ctx, tx, &p, true)
	if err != nil {
		return 0, err
	}
	if len(legs) > 0 {
		b, err := ledger.LockTx(ctx, tx, g.MemberID, ledger.Uses)
		if err != nil {
			return 0, err
		}
		if _, err := ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindPassGift, StoreID: g.StoreID, BizDay: s.shops.BizDay(ctx, tx.Now, g.StoreID), RefKind: "pass", RefID: p.ID,
			Title: "获赠 " + p.Name, Memo: g.Why}, legs...); err != nil {
			return 0, err
		}
	}
	return p.ID, s.tellSoldTx(ctx, tx, p)
}
