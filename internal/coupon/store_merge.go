package coupon

import (
	"context"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// giveTx makes a coupon another member's, as it is.
func giveTx(ctx context.Context, tx *db.Tx, id, to int64) error {
	_, err := tx.Exec(ctx, `UPDATE coupon_coupons SET member_id = ? WHERE id = ?`, to, id)
	return err
}

// mergeable are the coupons that a member may still use, and those that wait for a friend to take them.
const mergeable = `SELECT ` + columns + ` FROM coupon_coupons WHERE member_id = ? AND (state = 'available' OR (state = 'held' AND ref_kind = '` + refGift + `')) ORDER BY id`

// MergeLook says which coupons of a member would go to another. One that an unpaid order holds is in the way with its order.
func (s *Service) MergeLook(ctx context.Context, r db.Reader, lock string, from, _ int64) (moves map[string][]string, blocks []*fault.Error, err error) {
	var rows []row
	if err := r.Select(ctx, &rows, mergeable+lock, from); err != nil {
		return nil, nil, err
	}
	moves = map[string][]string{}
	for _, c := range rows {
		t, err := s.terms(ctx, r, c.TermsID)
		if err != nil {
			return nil, nil, err
		}
		moves["coupons"] = append(moves["coupons"], t.Name+"（"+lastDay(c.ExpiresAt)+" 到期）")
	}
	return moves, nil, nil
}

// MergeTx gives the coupons that a member may still use to another, and those that are on their way to a friend: taken back they are the other's. Who
// was given a coupon first stays: what one person may have of a template or a page is counted over all the members that the person was.
func (s *Service) MergeTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	var rows []row
	if err := tx.Select(ctx, &rows, mergeable+tx.ForUpdate(), from); err != nil {
		return err
	}
	for _, c := range rows {
		if err := giveTx(ctx, tx, c.ID, into); err != nil {
			return err
		}
		if c.State != Held {
			continue
		}
		if _, err := tx.Exec(ctx, `UPDATE coupon_gifts SET from_member = ? WHERE id = ? AND state = 'open'`, into, c.RefID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE coupon_holds SET member_id = ? WHERE coupon_id = ? AND state = 'held'`, into, c.ID); err != nil {
			return err
		}
	}
	forget(tx, from)
	forget(tx, into)
	return nil
}
