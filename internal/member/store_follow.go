package member

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/session"
)

// IdentityTx reads an identity. Fault: fault.ErrNotFound.
func (s *Service) IdentityTx(ctx context.Context, tx *db.Tx, id int64) (Identity, error) {
	x, err := readIdentity(ctx, tx, id, "")
	return x.identity(), err
}

// FollowerTx finds the member of somebody who follows the official account: by the openid, or by the unionid where exactly one member has it; then the
// openid becomes an identity of that member's, so that the official account reaches them. 0: nobody's.
func (s *Service) FollowerTx(ctx context.Context, tx *db.Tx, openID, unionID string) (memberID int64, err error) {
	var x identityRow
	err = tx.Get(ctx, &x, `SELECT `+identityColumns+` FROM member_identities WHERE app = ? AND openid = ?`+tx.ForUpdate(), AppOfficial, openID)
	known := err == nil
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return 0, err
	}
	switch {
	case known && x.MemberID != nil && (unionID == "" || x.UnionID == unionID):
		return *x.MemberID, nil
	case known && unionID == "", !known && unionID == "":
		return 0, nil
	}
	if !known {
		var others []int64
		if err := tx.Select(ctx, &others, `SELECT DISTINCT member_id FROM member_identities WHERE unionid = ? AND member_id IS NOT NULL`, unionID); err != nil || len(others) != 1 {
			return 0, err // two members of one person are left to the desk
		}
	}
	if x, err = upsertIdentityTx(ctx, tx, AppOfficial, openID, unionID); err != nil || x.MemberID == nil {
		return 0, err
	}
	return *x.MemberID, nil
}

// ForgetIdentityTx forgets a WeChat identity that took its authorisation back: its sessions and code devices end, and openid and unionid are gone. The
// member stays. memberID is whose it was, 0 for nobody's.
func (s *Service) ForgetIdentityTx(ctx context.Context, tx *db.Tx, app, openID string) (memberID int64, err error) {
	var x identityRow
	err = tx.Get(ctx, &x, `SELECT `+identityColumns+` FROM member_identities WHERE app = ? AND openid = ?`+tx.ForUpdate(), app, openID)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if x.MemberID != nil {
		memberID = *x.MemberID
	}
	if err := session.RevokeAllTx(ctx, tx, actor.Owner, x.ID); err != nil {
		return 0, err
	}
	if err := revokeDevicesTx(ctx, tx, x.ID); err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, `DELETE FROM member_identities WHERE id = ?`, x.ID)
	return memberID, err
}

// MembersOf says whose the identities of an app are; those that are nobody's are missing.
func (s *Service) MembersOf(ctx context.Context, app string, openIDs []string) (map[string]int64, error) {
	out := map[string]int64{}
	if len(openIDs) == 0 {
		return out, nil
	}
	q, args, err := db.In(`SELECT openid, member_id FROM member_identities WHERE app = ? AND openid IN (?) AND member_id IS NOT NULL`, app, openIDs)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		OpenID   string `db:"openid"`
		MemberID int64  `db:"member_id"`
	}
	if err := s.db.Select(ctx, &rows, q, args...); err != nil {
		return nil, err
	}
	for _, x := range rows {
		out[x.OpenID] = x.MemberID
	}
	return out, nil
}

// attachedTx tells whoever asks that an identity became a member's.
func (s *Service) attachedTx(ctx context.Context, tx *db.Tx, memberID, identityID int64) error {
	if s.opt.JoinedTx == nil {
		return nil
	}
	return s.opt.JoinedTx(ctx, tx, memberID, identityID)
}
