package sale

import (
	"context"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// MergeLook says what keeps a member from going to another: something that may still be paid, a refund under way. Sales stay where they were made.
func (s *Service) MergeLook(ctx context.Context, r db.Reader, lock string, from, _ int64) (moves map[string][]string, blocks []*fault.Error, err error) {
	var open, back []int64
	if err := r.Select(ctx, &open, `SELECT id FROM sale_sales WHERE member_id = ? AND state = 'pending' ORDER BY id`+lock, from); err != nil {
		return nil, nil, err
	}
	if len(open) > 0 {
		blocks = append(blocks, ErrMergeUnpaid)
	}
	if err := r.Select(ctx, &back, `SELECT f.id FROM sale_sales s JOIN sale_refunds f ON f.sale_id = s.id WHERE s.member_id = ? AND f.state <> 'done' ORDER BY f.id`, from); err != nil {
		return nil, nil, err
	}
	if len(back) > 0 {
		blocks = append(blocks, ErrMergeRefund)
	}
	return nil, blocks, nil
}
