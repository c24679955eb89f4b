package points

import (
	"context"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/pricing"
	"github.com/liangche/liangche/internal/setting"
)

// Rule says how far a member's points may pay: what is available before a debt, and the debt. Inside a transaction it uses what AheadTx read; SpendTx decides again under the lock.
func (s *Service) Rule(ctx context.Context, r db.Reader, memberID int64) (p pricing.Points, err error) {
	bp, err := s.settings.Int(ctx, setting.PointsMaxPayBP)
	if err != nil || bp <= 0 || memberID == 0 {
		return p, err
	}
	if p.PerYuan, err = s.settings.Int(ctx, setting.PointsYuanRate); err != nil {
		return p, err
	}
	p.MaxBP = money.BP(bp)
	var b *ledger.Book
	if tx, ok := r.(*db.Tx); ok {
		b = ledger.AheadBook(tx, memberID, units()...)
	}
	if b == nil {
		if b, err = ledger.Peek(ctx, r, s.db.Now(), memberID, units()...); err != nil {
			return p, err
		}
	}
	p.Available, p.Debt = b.Available(ledger.Points), b.Balance(ledger.PointsDebt)
	return p, nil
}
