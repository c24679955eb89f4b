package pass

import (
	"context"
	"fmt"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// mergeable are the passes that are in use or may be again: those that were used up can be charged, those that ended may still be renewed.
const mergeable = `SELECT id FROM pass_passes WHERE member_id = ? AND (state IN ('active', 'paused', 'used') OR (state = 'expired' AND renew_on)) ORDER BY id`

// MergeLook says which passes of a member would go to another.
func (s *Service) MergeLook(ctx context.Context, r db.Reader, _ string, from, _ int64) (moves map[string][]string, blocks []*fault.Error, err error) {
	list, err := usableOf(ctx, r, from, "")
	moves = map[string][]string{}
	for _, p := range list {
		name := p.Name
		for _, l := range p.Lines {
			if l.Counted {
				name += fmt.Sprintf("，%s 剩 %d 次", l.Title, l.Left)
			}
		}
		moves["passes"] = append(moves["passes"], name)
	}
	return moves, nil, err
}

// MergeTx gives the passes that a member holds to another, as they are: plates, pauses, gifts on their way and renewals stay. Their uses go over in the
// ledger; who paid stays who paid, so that money goes back to where it came from.
func (s *Service) MergeTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	var ids []int64
	if err := tx.Select(ctx, &ids, mergeable+tx.ForUpdate(), from); err != nil {
		return err
	}
	for _, id := range ids {
		if err := tx.ExecOne(ctx, ErrState, `UPDATE pass_passes SET member_id = ? WHERE id = ? AND member_id = ?`, into, id, from); err != nil {
			return err
		}
		if err := note(ctx, tx, id, "merge", "会员合并，转到合并后的会员"); err != nil {
			return err
		}
	}
	return nil
}
