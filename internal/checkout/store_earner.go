package checkout

import (
	"context"

	"github.com/liangche/liangche/internal/db"
)

// earnedFromOthers counts the bills of others by which an account earns on a day. The account's member is locked.
func earnedFromOthers(ctx context.Context, tx *db.Tx, memberID int64, day string) (n int, err error) {
	return n, tx.Get(ctx, &n, `SELECT COUNT(*) FROM checkout_orders WHERE earner_id = ? AND biz_day = ? AND status IN ('settled', 'awaiting_payment')`, memberID, day)
}
