package group

import (
	"context"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// MergeLook says what a member pays for and drives in that would go to another, and what is in the way: both pay for groups, or a payer is being asked.
func (s *Service) MergeLook(ctx context.Context, r db.Reader, lock string, from, into int64) (moves map[string][]string, blocks []*fault.Error, err error) {
	const paid = `SELECT name FROM group_groups WHERE payer_id = ? AND state <> 'ended' ORDER BY id`
	var theirs, own []string
	if err := r.Select(ctx, &theirs, paid+lock, from); err != nil {
		return nil, nil, err
	}
	if err := r.Select(ctx, &own, paid, into); err != nil {
		return nil, nil, err
	}
	if len(theirs) > 0 && len(own) > 0 {
		blocks = append(blocks, ErrMergePayers)
	}
	var places []string
	if err := r.Select(ctx, &places, `SELECT g.name FROM group_drivers d JOIN group_groups g ON g.id = d.group_id WHERE d.member_id = ? AND d.live_key IS NOT NULL ORDER BY g.id`, from); err != nil {
		return nil, nil, err
	}
	var asked []int64
	now := s.db.Now().UnixMilli()
	if err := r.Select(ctx, &asked, `SELECT id FROM group_approvals WHERE (payer_id = ? OR driver_id IN (SELECT d.id FROM group_drivers d WHERE d.member_id = ?))
		AND state IN ('asked', 'approved') AND expires_at > ? ORDER BY id`, from, from, now); err != nil {
		return nil, nil, err
	}
	if len(asked) > 0 {
		blocks = append(blocks, ErrMergeApproval)
	}
	moves = map[string][]string{}
	for _, n := range theirs {
		moves["groups"] = append(moves["groups"], n+"（付款人）")
	}
	for _, n := range places {
		moves["groups"] = append(moves["groups"], n+"（用车人）")
	}
	return moves, blocks, nil
}

// MergeTx makes another member the payer of what a member pays for, and gives them the places in which the member drives, with what was used in them so
// that caps go on counting. A place in a group that the other drives in or pays for already ends: it would be their second.
func (s *Service) MergeTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	paid, err := lockPaid(ctx, tx, from)
	if err != nil {
		return err
	}
	for _, g := range paid {
		if _, err := tx.Exec(ctx, `UPDATE group_groups SET payer_id = ?, updated_at = ? WHERE id = ?`, into, tx.Millis(), g.ID); err != nil {
			return err
		}
	}
	pays := map[int64]bool{}
	own, err := lockPaid(ctx, tx, into)
	if err != nil {
		return err
	}
	for _, g := range own {
		pays[g.ID] = true
	}
	have, err := placesOf(ctx, tx, into)
	if err != nil {
		return err
	}
	drives := map[int64]bool{}
	for _, d := range have {
		drives[d.GroupID] = true
		if pays[d.GroupID] {
			if err := s.endPlaceTx(ctx, tx, d, EndLeft); err != nil {
				return err
			}
		}
	}
	places, err := placesOf(ctx, tx, from)
	if err != nil {
		return err
	}
	for _, d := range places {
		if pays[d.GroupID] || drives[d.GroupID] {
			if err := s.endPlaceTx(ctx, tx, d, EndLeft); err != nil {
				return err
			}
			continue
		}
		if err := tx.ExecOne(ctx, fault.ErrBusyWrite, `UPDATE group_drivers SET member_id = ?, live_key = ? WHERE id = ? AND live_key IS NOT NULL`, into, liveKey(d.GroupID, into), d.ID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE group_uses SET member_id = ? WHERE driver_id = ?`, into, d.ID); err != nil {
			return err
		}
	}
	return nil
}
