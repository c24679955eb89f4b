package member

import (
	"context"
	"slices"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/session"
)

// Holder is who a member is now: themselves, or the one that they were merged into. A member who does not exist is themselves.
func (s *Service) Holder(ctx context.Context, r db.Reader, memberID int64) (int64, error) {
	var into []int64
	err := r.Select(ctx, &into, `SELECT merged_into FROM member_members WHERE id = ? AND merged_into <> 0`, memberID)
	if err != nil || len(into) == 0 {
		return memberID, err
	}
	return into[0], nil
}

// Family are all who are one person with a member by merges: who they are now first, then everybody who was merged into that one.
func (s *Service) Family(ctx context.Context, r db.Reader, memberID int64) ([]int64, error) {
	holder, err := s.Holder(ctx, r, memberID)
	if err != nil || holder == 0 {
		return []int64{holder}, err
	}
	merged, err := s.MergedInto(ctx, r, holder)
	return append([]int64{holder}, merged...), err
}

// MergedInto lists who was merged into a member, in the order in which they joined the shop.
func (s *Service) MergedInto(ctx context.Context, r db.Reader, memberID int64) (ids []int64, err error) {
	return ids, r.Select(ctx, &ids, `SELECT id FROM member_members WHERE merged_into = ? ORDER BY id`, memberID)
}

// MergedIntoAny is MergedInto for several members: who was merged, by whom they are now. It asks for a hundred at a time, since of a longer list a server
// takes the average of the index, which for almost nobody merged is half of the members, and reads them all.
func (s *Service) MergedIntoAny(ctx context.Context, r db.Reader, memberIDs []int64) (map[int64]int64, error) {
	out := map[int64]int64{}
	for some := range slices.Chunk(memberIDs, 100) {
		var rows []struct {
			ID   int64 `db:"id"`
			Into int64 `db:"merged_into"`
		}
		if err := db.SelectIn(ctx, r, &rows, `SELECT id, merged_into FROM member_members WHERE merged_into IN (?)`, some); err != nil {
			return nil, err
		}
		for _, x := range rows {
			out[x.ID] = x.Into
		}
	}
	return out, nil
}

// identitiesFrom are the identities that came with a member who was merged.
func identitiesFrom(ctx context.Context, r db.Reader, memberID int64) (rows []identityRow, err error) {
	return rows, r.Select(ctx, &rows, `SELECT `+identityColumns+` FROM member_identities WHERE merged_from = ? AND member_id IS NOT NULL ORDER BY id`, memberID)
}

// leadTx makes a member, and those who were merged into them, another.
func leadTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	_, err := tx.Exec(ctx, `UPDATE member_members SET merged_into = ? WHERE id = ? OR merged_into = ?`, into, from, from)
	return err
}

// takeIdentityTx gives a WeChat identity to the member that its own is now. Who is signed in there signs in anew, and old codes end.
func takeIdentityTx(ctx context.Context, tx *db.Tx, x identityRow, into int64) error {
	if _, err := tx.Exec(ctx, `UPDATE member_identities SET member_id = ?, merged_from = CASE WHEN merged_from = 0 THEN ? ELSE merged_from END, bound_at = ? WHERE id = ?`,
		into, x.MemberID, tx.Millis(), x.ID); err != nil {
		return err
	}
	if err := session.RevokeAllTx(ctx, tx, actor.Owner, x.ID); err != nil {
		return err
	}
	return revokeDevicesTx(ctx, tx, x.ID)
}

// takeVehiclesTx gives cars to another member. One whose plate the other has already stays where it is.
func takeVehiclesTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	var ids []int64
	if err := tx.Select(ctx, &ids, `SELECT v.id FROM member_vehicles v WHERE v.member_id = ? AND NOT EXISTS (SELECT 1 FROM member_vehicles o WHERE o.member_id = ? AND o.plate = v.plate) ORDER BY v.id`,
		from, into); err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := tx.Exec(ctx, `UPDATE member_vehicles SET member_id = ? WHERE id = ?`, into, id); err != nil {
			return err
		}
	}
	return nil
}

// takeOldCardsTx gives old cards to another member, and ends the codes that would join somebody to the former.
func takeOldCardsTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	if _, err := tx.Exec(ctx, `UPDATE member_old_cards SET member_id = ? WHERE member_id = ?`, into, from); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM member_links WHERE member_id = ? AND used_at IS NULL`, from)
	return err
}

// TwinVehicle is the member's car with the plate of another car; 0 when they have none.
func (s *Service) TwinVehicle(ctx context.Context, r db.Reader, vehicleID, memberID int64) (int64, error) {
	var ids []int64
	err := r.Select(ctx, &ids, `SELECT o.id FROM member_vehicles v JOIN member_vehicles o ON o.plate = v.plate AND o.member_id = ? WHERE v.id = ?`, memberID, vehicleID)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return ids[0], nil
}
