package staff

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
)

type identityRow struct {
	ID        int64  `db:"id"`
	AccountID int64  `db:"account_id"`
	App       string `db:"app"`
	OpenID    string `db:"openid"`
	UnionID   string `db:"unionid"`
	BoundAt   int64  `db:"bound_at"`
}

// accountOfTx finds whose WeChat identity it is: by the app's openid (N24), or by the unionid that the same person has
// at the other app; then the new openid is noted. 0 means nobody's.
func accountOfTx(ctx context.Context, tx *db.Tx, who Identity) (int64, error) {
	var id int64
	err := tx.Get(ctx, &id, `SELECT account_id FROM staff_identities WHERE app = ? AND openid = ?`, who.App, who.OpenID)
	if !errors.Is(err, db.ErrNoRows) {
		return id, err
	}
	if who.UnionID == "" {
		return 0, nil
	}
	var ids []int64
	if err := tx.Select(ctx, &ids, `SELECT DISTINCT account_id FROM staff_identities WHERE unionid = ?`, who.UnionID); err != nil || len(ids) != 1 {
		return 0, err
	}
	if err := bindTx(ctx, tx, ids[0], who); err != nil {
		return 0, err
	}
	return ids[0], nil
}

// bindTx notes an identity as an account's; the account's former identity at that app gives way. Fault: ErrBound.
func bindTx(ctx context.Context, tx *db.Tx, accountID int64, who Identity) error {
	if _, err := tx.Exec(ctx, `DELETE FROM staff_identities WHERE account_id = ? AND app = ?`, accountID, who.App); err != nil {
		return err
	}
	err := tx.Insert(ctx, "staff_identities", identityRow{tx.NewID(), accountID, who.App, who.OpenID, who.UnionID, tx.Millis()})
	if errors.Is(err, db.ErrDuplicate) {
		return ErrBound
	}
	return err
}

func unbindTx(ctx context.Context, tx *db.Tx, accountID int64) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM staff_identities WHERE account_id = ?`, accountID)
}

// bound tells which of several accounts have a WeChat identity.
func bound(ctx context.Context, r db.Reader, ids []int64) (map[int64]bool, error) {
	out := map[int64]bool{}
	if len(ids) == 0 {
		return out, nil
	}
	q, args, err := db.In(`SELECT DISTINCT account_id FROM staff_identities WHERE account_id IN (?)`, ids)
	if err != nil {
		return nil, err
	}
	var have []int64
	if err := r.Select(ctx, &have, q, args...); err != nil {
		return nil, err
	}
	for _, id := range have {
		out[id] = true
	}
	return out, nil
}

type inviteRow struct {
	Hash      string `db:"code_hash"`
	AccountID int64  `db:"account_id"`
	ExpiresAt int64  `db:"expires_at"`
	UsedAt    *int64 `db:"used_at"`
	RevokedAt *int64 `db:"revoked_at"`
	CreatedBy int64  `db:"created_by"`
	CreatedAt int64  `db:"created_at"`
}

// insertInviteTx makes an invite the account's only valid one.
func insertInviteTx(ctx context.Context, tx *db.Tx, v inviteRow) error {
	if err := revokeInvitesTx(ctx, tx, v.AccountID); err != nil {
		return err
	}
	return tx.Insert(ctx, "staff_invites", v)
}

func revokeInvitesTx(ctx context.Context, tx *db.Tx, accountID int64) error {
	_, err := tx.Exec(ctx, `UPDATE staff_invites SET revoked_at = ? WHERE account_id = ? AND used_at IS NULL AND revoked_at IS NULL`, tx.Millis(), accountID)
	return err
}

// invitedTx tells whose a valid invite is, 0 for none.
func invitedTx(ctx context.Context, tx *db.Tx, hash string) (int64, error) {
	var id int64
	err := tx.Get(ctx, &id, `SELECT account_id FROM staff_invites WHERE code_hash = ? AND used_at IS NULL AND revoked_at IS NULL AND expires_at > ?`, hash, tx.Millis())
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// useInviteTx consumes an invite, once, and tells whose it is. Fault: ErrInvite.
func useInviteTx(ctx context.Context, tx *db.Tx, hash string) (int64, error) {
	if err := tx.ExecOne(ctx, ErrInvite, `UPDATE staff_invites SET used_at = ? WHERE code_hash = ? AND used_at IS NULL AND revoked_at IS NULL AND expires_at > ?`,
		tx.Millis(), hash, tx.Millis()); err != nil {
		return 0, err
	}
	var id int64
	err := tx.Get(ctx, &id, `SELECT account_id FROM staff_invites WHERE code_hash = ?`+tx.ForUpdate(), hash)
	return id, err
}

type attemptRow struct {
	Bucket   string `db:"bucket"`
	Failures int64  `db:"failures"`
	Until    int64  `db:"window_until"`
}

// attemptTx counts a try in a bucket and returns how many there were in the current window. Counting comes before
// checking, so that a hundred tries at once are a hundred, on any number of instances.
func attemptTx(ctx context.Context, tx *db.Tx, bucket string, windowMs int64) (int64, error) {
	now := tx.Millis()
	bump := func() (int64, error) {
		n, err := tx.Exec(ctx, `UPDATE staff_attempts SET failures = failures + 1 WHERE bucket = ? AND window_until > ?`, bucket, now)
		if err != nil || n > 0 {
			return n, err
		}
		return tx.Exec(ctx, `UPDATE staff_attempts SET failures = 1, window_until = ? WHERE bucket = ? AND window_until <= ?`, now+windowMs, bucket, now)
	}
	n, err := bump()
	if err != nil {
		return 0, err
	}
	if n == 0 {
		err := tx.Insert(ctx, "staff_attempts", attemptRow{bucket, 1, now + windowMs})
		if errors.Is(err, db.ErrDuplicate) {
			_, err = bump()
		}
		if err != nil {
			return 0, err
		}
	}
	var count int64
	err = tx.Get(ctx, &count, `SELECT failures FROM staff_attempts WHERE bucket = ?`+tx.ForUpdate(), bucket)
	return count, err
}

// forgiveTx takes a successful try out of the count; all forgets the bucket.
func forgiveTx(ctx context.Context, tx *db.Tx, bucket string, all bool) error {
	q := `UPDATE staff_attempts SET failures = failures - 1 WHERE bucket = ? AND failures > 0`
	if all {
		q = `DELETE FROM staff_attempts WHERE bucket = ?`
	}
	_, err := tx.Exec(ctx, q, bucket)
	return err
}

func purgeTx(ctx context.Context, tx *db.Tx, before int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM staff_attempts WHERE window_until < ?`, before)
	return err
}
