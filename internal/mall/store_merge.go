package mall

import (
	"context"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// MergeLook says which orders of a member that are not handed over yet would go to another. One that waits for its money is in the way with its sale.
func (s *Service) MergeLook(ctx context.Context, r db.Reader, lock string, from, _ int64) (moves map[string][]string, blocks []*fault.Error, err error) {
	var titles []string
	err = r.Select(ctx, &titles, `SELECT title FROM mall_orders WHERE member_id = ? AND state = 'ready' ORDER BY id`+lock, from)
	if len(titles) > 0 {
		moves = map[string][]string{"mallOrders": titles}
	}
	return moves, nil, err
}

// MergeTx gives a member's orders that are not handed over yet to another.
func (s *Service) MergeTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	_, err := tx.Exec(ctx, `UPDATE mall_orders SET member_id = ? WHERE member_id = ? AND state = 'ready'`, into, from)
	return err
}
