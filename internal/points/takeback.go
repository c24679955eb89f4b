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
	e := earningRow{ID: g.PostingID, RefKind: "points_gift", MemberID: g.MemberID, Points: g.Points, PostingID: g.PostingID}
	post := clawPost(tx, e, title)
	takes, err := takesTx(ctx, tx, b, e, post)
	if err != nil {
		return err
	}
	_, err = ledger.ReverseFromTx(ctx, tx, b, g.PostingID, post, takes)
	return err
}

// TakeBackPartTx takes back n of what GiveTx gave under a dedupe key, because a part of the reason for it is gone (N11): from what expires soonest,
// and what is missing becomes a debt. The caller counts how many went back: this does not. Never given, or taken back as a whole, is no error.
func (s *Service) TakeBackPartTx(ctx context.Context, tx *db.Tx, dedupe string, n int64, title string) error {
	g, err := giftBy(ctx, tx, dedupe)
	if errors.Is(err, db.ErrNoRows) || (err == nil && n < 1) {
		return nil
	}
	if err != nil {
		return err
	}
	if n > g.Points {
		return ErrAmount
	}
	b, err := ledger.LockTx(ctx, tx, g.MemberID, units()...)
	if err != nil {
		return err
	}
	if done, err := ledger.Reversed(ctx, tx, g.PostingID); err != nil || done {
		return err
	}
	e := earningRow{ID: g.PostingID, RefKind: "points_gift", MemberID: g.MemberID, Points: n, PostingID: g.PostingID}
	post := clawPost(tx, e, title)
	takes, err := takesTx(ctx, tx, b, e, post)
	if err != nil {
		return err
	}
	_, err = ledger.PostTx(ctx, tx, b, post, append(ledger.Debits(takes), ledger.PointsLeg(n))...)
	return err
}

func clawPost(tx *db.Tx, e earningRow, title string) ledger.Post {
	return ledger.Post{Kind: ledger.KindPointsClawback, BizDay: bizday.Of(tx.Now, bizday.DefaultZone), RefKind: e.RefKind, RefID: e.ID, Title: title}
}

// takesTx chooses the lots that give an earning back; what is missing is lent first, as a debt.
func takesTx(ctx context.Context, tx *db.Tx, b *ledger.Book, e earningRow, post ledger.Post) ([]ledger.Take, error) {
	takes, short := clawTakes(b, e)
	if short == 0 {
		return takes, nil
	}
	post.Title = "积分不够扣回，先记为欠积分"
	if _, err := ledger.PostTx(ctx, tx, b, post, ledger.Leg{Unit: ledger.Points, Amount: short, Lot: &ledger.NewLot{RefKind: debtAccount, RefID: e.ID}}, ledger.PointsLeg(-short),
		ledger.Leg{Unit: ledger.PointsDebt, Amount: short}, debtLeg(-short)); err != nil {
		return nil, err
	}
	takes, _ = clawTakes(b, e)
	return takes, nil
}
