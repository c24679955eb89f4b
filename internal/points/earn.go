package points

import (
	"context"
	"errors"
	"slices"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/setting"
)

// debtAccount is the contra account of debts; that of points is ledger.PointsLeg's.
const debtAccount = "points_debt"

func debtLeg(n int64) ledger.Leg {
	return ledger.Leg{Account: debtAccount, Unit: ledger.ShopPts, Amount: n}
}

// EarnTx gives the points of a purchase in a posting of their own and says how many; 0 when there are none or the shop gives none. The
// reference must be a new one: earning twice for one fails.
func (s *Service) EarnTx(ctx context.Context, tx *db.Tx, e Earn) (int64, error) {
	base, err := s.settings.Int(ctx, setting.PointsEarnBP)
	if err != nil || base <= 0 || e.MemberID == 0 {
		return 0, err
	}
	rules, err := s.rulesOf(ctx, tx)
	if err != nil {
		return 0, err
	}
	var tierID int64
	if len(rules.Tiers) > 0 || s.own != nil {
		if tierID, err = s.tierOf(ctx, tx, e.MemberID); err != nil {
			return 0, err
		}
	}
	if s.own != nil && !rules.names(tierID) {
		bp, err := s.own(ctx, tx, e.MemberID)
		if err != nil {
			return 0, err
		}
		rules.Tiers = append(slices.Clone(rules.Tiers), TierRate{tierID, bp})
	}
	n := rules.Earned(money.BP(base), e.Items, tierID, e.BizDay)
	if n <= 0 {
		return 0, nil
	}
	ends, err := s.expiry(ctx, tx.Now, e.StoreID)
	if err != nil {
		return 0, err
	}
	b, err := ledger.LockTx(ctx, tx, e.MemberID, units()...)
	if err != nil {
		return 0, err
	}
	memo := ""
	if r := rules.tier(tierID); r != money.Whole {
		memo = "等级 " + times(r)
	}
	if r, name := rules.day(e.BizDay); name != "" {
		memo += " " + name + " " + times(r)
	}
	id, err := creditTx(ctx, tx, b, n, ends, ledger.Post{Kind: ledger.KindPointsEarn, StoreID: e.StoreID, BizDay: e.BizDay, RefKind: e.RefKind, RefID: e.RefID,
		Title: e.Title, Memo: memo})
	if err != nil {
		return 0, err
	}
	tx.InsertSoon("points_earnings", earningRow{ID: tx.NewID(), RefKind: e.RefKind, RefID: e.RefID, MemberID: e.MemberID, Points: n, PostingID: id, CreatedAt: tx.Millis()})
	return n, nil
}

// creditTx brings points and pays a debt with them.
func creditTx(ctx context.Context, tx *db.Tx, b *ledger.Book, n, ends int64, p ledger.Post) (int64, error) {
	id, err := ledger.PostTx(ctx, tx, b, p, ledger.Leg{Unit: ledger.Points, Amount: n, Lot: &ledger.NewLot{RefKind: p.RefKind, RefID: p.RefID, ExpiresAt: ends}}, ledger.PointsLeg(-n))
	if err != nil {
		return 0, err
	}
	return id, payDebtTx(ctx, tx, b, p)
}

// payDebtTx pays as much of a debt as there are points.
func payDebtTx(ctx context.Context, tx *db.Tx, b *ledger.Book, p ledger.Post) error {
	n := min(b.Balance(ledger.PointsDebt), b.Available(ledger.Points))
	if n <= 0 {
		return nil
	}
	takes, err := b.TakeOldest(ledger.Points, n)
	if err != nil {
		return err
	}
	debt, err := b.TakeOldest(ledger.PointsDebt, n)
	if err != nil {
		return err
	}
	p.Kind, p.Title, p.Memo = ledger.KindPointsClawback, "补上欠的积分", ""
	_, err = ledger.PostTx(ctx, tx, b, p, append(ledger.Debits(append(takes, debt...)), ledger.PointsLeg(n), debtLeg(n))...)
	return err
}

// ClawbackTx takes back what a purchase brought: from its own lot first, then from what expires soonest, and what is missing becomes a
// debt. Done before, or nothing earned, is no error: it never happens twice (N11).
func (s *Service) ClawbackTx(ctx context.Context, tx *db.Tx, refKind string, refID int64) error {
	e, err := earningOf(ctx, tx, refKind, refID, tx.ForUpdate())
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil || e.ClawbackID != 0 {
		return err
	}
	b, err := ledger.LockTx(ctx, tx, e.MemberID, units()...)
	if err != nil {
		return err
	}
	post := ledger.Post{Kind: ledger.KindPointsClawback, BizDay: bizday.Of(tx.Now, bizday.DefaultZone), RefKind: refKind, RefID: refID, Title: "撤单扣回积分"}
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
	id, err := ledger.ReverseFromTx(ctx, tx, b, e.PostingID, post, takes)
	if err != nil {
		return err
	}
	return markClawed(ctx, tx, e.ID, id, short)
}

// clawTakes chooses the lots that give an earning back, and says what is missing. Its own lot gives also when it has just expired.
func clawTakes(b *ledger.Book, e earningRow) (takes []ledger.Take, short int64) {
	left := e.Points
	for _, own := range []bool{true, false} {
		for _, l := range b.Lots(ledger.Points) {
			mine := l.RefKind == e.RefKind && l.RefID == e.RefID
			if n := min(left, l.Remaining); n > 0 && mine == own && (mine || !b.Ended(l)) {
				takes = append(takes, ledger.Take{LotID: l.ID, Unit: ledger.Points, Amount: n})
				left -= n
			}
		}
	}
	return takes, left
}

// GiveTx gives points that are no purchase's. The same dedupe key gives nothing again, and that is no error. Fault: ErrAmount.
func (s *Service) GiveTx(ctx context.Context, tx *db.Tx, g Gift) error {
	if g.N < 1 || g.N > MaxPoints {
		return ErrAmount
	}
	row := giftRow{Dedupe: g.Dedupe, MemberID: g.MemberID, Points: g.N, Source: g.Source, CreatedAt: tx.Millis()}
	if err := tx.Insert(ctx, "points_gifts", row); err != nil {
		if errors.Is(err, db.ErrDuplicate) {
			return nil
		}
		return err
	}
	b, err := ledger.LockTx(ctx, tx, g.MemberID, units()...)
	if err != nil {
		return err
	}
	ends, err := s.expiry(ctx, tx.Now, 0)
	if err != nil {
		return err
	}
	id, err := creditTx(ctx, tx, b, g.N, ends, ledger.Post{Kind: ledger.KindPointsGift, BizDay: bizday.Of(tx.Now, bizday.DefaultZone), RefKind: "points_gift", RefID: tx.NewID(), Title: g.Title})
	if err != nil {
		return err
	}
	return markGift(ctx, tx, g.Dedupe, id)
}
