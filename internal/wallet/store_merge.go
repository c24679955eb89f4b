package wallet

import (
	"context"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// MergeLook says what keeps a member's wallet from going to another: a top-up of either that may still be paid, because together
// they may be more than a card may hold; a refund under way. What it holds goes over in
// the ledger, and a refund finds the top-ups by the lots that came with them.
func (s *Service) MergeLook(ctx context.Context, r db.Reader, lock string, from, into int64) (moves map[string][]string, blocks []*fault.Error, err error) {
	for _, q := range []struct {
		f     *fault.Error
		query string
		args  []any
	}{
		{ErrMergeTopup, `SELECT id FROM wallet_topups WHERE member_id IN (?, ?) AND state = 'pending' ORDER BY id`, []any{from, into}},
		{ErrMergeRefund, `SELECT id FROM wallet_refunds WHERE member_id = ? AND state IN ('processing', 'attention') ORDER BY id`, []any{from}},
	} {
		var ids []int64
		if err := r.Select(ctx, &ids, q.query+lock, q.args...); err != nil {
			return nil, nil, err
		}
		if len(ids) > 0 {
			blocks = append(blocks, q.f)
		}
	}
	return nil, blocks, nil
}
