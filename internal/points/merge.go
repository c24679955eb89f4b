package points

import (
	"context"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/ledger"
)

// MergeTx pays a debt that came with a member with the points that there are now, as the next points would. The ledger has brought both.
func (s *Service) MergeTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	b, err := ledger.LockTx(ctx, tx, into, units()...)
	if err != nil {
		return err
	}
	return payDebtTx(ctx, tx, b, ledger.Post{BizDay: bizday.Of(tx.Now, bizday.DefaultZone), RefKind: "member", RefID: from})
}
