package points

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/ledger"
)

// TakeBackTx takes back what GiveTx gave under a dedupe key, because the reason for it is gone: from what expires soonest, and what is missing
// becomes a debt (N11). Taken back before, or never given, is no error.
func (s *Service) TakeBackTx(ctx context.Context, tx *db.Tx, dedupe, title string) error {
	g, err := giftBy(ctx, tx, dedupe)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	b, err := ledger.LockTx(ctx, tx, g.MemberID, units()...)
	if err != nil {
		return err
	}
	if done, err := ledger.Reversed(ctx, tx, g.PostingID); err != nil || done {
		return err
	}
	post := ledger.Post{Kind: ledger.KindPointsClawback, BizDay: bizday.Of(tx.Now, bizday.DefaultZone), RefKind: "points_gift", RefID: g.PostingID, Title: title}
	e := earningRow{ID: g.PostingID, RefKind: "points_gift", MemberID: g.MemberID, Points: g.Points, PostingID: g.PostingID}
	takes, short := clawTakes(b, e)
	if short > 0 {
		borrow := post
		borrow.Title = "积分不够扣回，先记为欠积分"
		if _, err := ledger.PostTx(ctx, tx, b, borrow, ledger.Leg{Unit: ledger.Points, Amount: short, Lot: &ledger.NewLot{RefKind: debtAccount, RefID: e.ID}}, ledger.PointsLeg(-short),
			ledger.Leg{Unit: ledger.PointsDebt, Amount: short}, debtLeg(-short)); err != nil {
			return err
		}
		takes, _ = clawTakes(b, e)
	}
	_, err = ledger.ReverseFromTx(ctx, tx, b, g.PostingID, post, takes)
	return err
}
