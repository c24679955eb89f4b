package outreach

import (
	"context"

	"github.com/liangche/liangche/internal/db"
)

// MergeTx takes a member who became another off the lists: the other stands there by their own visits.
func (s *Service) MergeTx(ctx context.Context, tx *db.Tx, from, _ int64) error {
	_, err := tx.Exec(ctx, `UPDATE outreach_tasks SET state = ? WHERE member_id = ? AND state = ?`, Gone, from, Open)
	return err
}
