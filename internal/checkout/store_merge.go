package checkout

import (
	"context"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// MergeLook says how many questions about orders of a member would go to another, how many orders stay as history, and whether one waits for money.
func (s *Service) MergeLook(ctx context.Context, r db.Reader, lock string, from, _ int64) (moves map[string][]string, blocks []*fault.Error, err error) {
	var unpaid []int64
	if err := r.Select(ctx, &unpaid, `SELECT id FROM checkout_orders WHERE (member_id = ? OR earner_id = ?) AND status = 'awaiting_payment' ORDER BY id`+lock, from, from); err != nil {
		return nil, nil, err
	}
	if len(unpaid) > 0 {
		blocks = append(blocks, ErrMergeUnpaid)
	}
	moves = map[string][]string{}
	var titles []string
	err = r.Select(ctx, &titles, `SELECT o.title FROM checkout_disputes d JOIN checkout_orders o ON o.id = d.order_id WHERE d.member_id = ? AND d.status = 'open' ORDER BY d.id`, from)
	if len(titles) > 0 {
		moves["disputes"] = titles
	}
	return moves, blocks, err
}

// MergeTx gives a member's open questions to another. The orders stay where they were made.
func (s *Service) MergeTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	_, err := tx.Exec(ctx, `UPDATE checkout_disputes SET member_id = ? WHERE member_id = ? AND status = 'open'`, into, from)
	return err
}

// OrdersOf counts the orders that were made for a member.
func (s *Service) OrdersOf(ctx context.Context, r db.Reader, memberID int64) (n int64, err error) {
	return n, r.Get(ctx, &n, `SELECT COUNT(*) FROM checkout_orders WHERE member_id = ? AND status IN ('settled', 'reversed')`, memberID)
}
