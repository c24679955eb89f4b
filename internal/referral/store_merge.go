package referral

import (
	"context"

	"github.com/liangche/liangche/internal/db"
)

// MergeTx makes another member the inviter of whom a member invited, and gives them the member's code where they have none. Who was invited by whom they
// were merged with, and is not rewarded yet, was nobody's friend: nobody invites themselves. The little that sharing brought stays.
func (s *Service) MergeTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	if _, err := tx.Exec(ctx, `UPDATE referral_invites SET state = 'rejected', share_state = '', reason = ?, updated_at = ? WHERE state IN ('new', 'pending', 'suspect')
		AND ((inviter_id = ? AND invitee_id = ?) OR (inviter_id = ? AND invitee_id = ?))`, "会员合并，邀请人与好友是同一人", tx.Millis(), from, into, into, from); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE referral_invites SET inviter_id = ?, updated_at = ? WHERE inviter_id = ? AND invitee_id <> ? AND state IN ('new', 'pending', 'suspect')`, into, tx.Millis(), from, into); err != nil {
		return err
	}
	var own []int64
	if err := tx.Select(ctx, &own, `SELECT member_id FROM referral_codes WHERE member_id = ?`+tx.ForUpdate(), into); err != nil || len(own) > 0 {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE referral_codes SET member_id = ? WHERE member_id = ?`, into, from)
	return err
}
