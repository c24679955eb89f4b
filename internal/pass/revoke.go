package pass

import (
	"context"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/ledger"
)

// TitleOf is what a plan that may be given is called, inside somebody else's transaction. Fault: ErrPlan.
func (s *Service) TitleOf(ctx context.Context, r db.Reader, id int64) (string, error) {
	p, err := planByID(ctx, r, id, "")
	if err != nil {
		return "", ErrPlan
	}
	return p.Name, nil
}

// RevokeTx ends a pass that GiveTx gave, because the reason for it is gone: its uses that are left are lost. One that was paid for, or has ended,
// stays as it is. It locks the member.
func (s *Service) RevokeTx(ctx context.Context, tx *db.Tx, id int64, reason string) error {
	seen, err := passByID(ctx, tx, id, "", "")
	if err != nil {
		return err
	}
	if _, err := s.members.StandingTx(ctx, tx, seen.MemberID); err != nil {
		return err
	}
	p, err := passByID(ctx, tx, id, "", tx.ForUpdate())
	if err != nil {
		return err
	}
	if p.Source != SourceGift || p.MemberID != seen.MemberID || p.PaidFen != 0 || (p.State != StateActive && p.State != StatePaused) {
		return nil
	}
	if p.EndPosting, err = s.endTx(ctx, tx, p, ledger.Post{Kind: ledger.KindPassRefund, StoreID: p.StoreID, BizDay: s.shops.BizDay(ctx, tx.Now, p.StoreID), RefKind: "pass", RefID: p.ID,
		Title: "收回 " + p.Name, Memo: reason}, RefundPlan{}); err != nil {
		return err
	}
	for i := range p.Lines {
		l := &p.Lines[i]
		l.Left, l.ValueFen = 0, 0
		if err := saveLine(ctx, tx, *l); err != nil {
			return err
		}
	}
	p.endPause()
	p.State, p.EndedAt, p.RenewOn, p.GiftCode = StateRefunded, tx.Now, false, ""
	if p.ExpiresAt.IsZero() || p.ExpiresAt.After(tx.Now) {
		p.ExpiresAt = tx.Now // a use that comes back later finds its time over
	}
	if err := savePass(ctx, tx, p); err != nil {
		return err
	}
	return note(ctx, tx, p.ID, "revoke", reason)
}
