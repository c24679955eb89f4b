package member

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
)

type phoneCodeRow struct {
	ID         int64  `db:"id"`
	IdentityID int64  `db:"identity_id"`
	PhoneIndex string `db:"phone_index"`
	CodeHash   string `db:"code_hash"`
	Tries      int64  `db:"tries"`
	CreatedAt  int64  `db:"created_at"`
	ExpiresAt  int64  `db:"expires_at"`
	UsedAt     *int64 `db:"used_at"`
}

// putPhoneCodeTx keeps a code; an earlier one of the same identity for the same phone ends.
func putPhoneCodeTx(ctx context.Context, tx *db.Tx, r phoneCodeRow) error {
	replace := func() (int64, error) {
		return tx.Exec(ctx, `UPDATE member_phone_codes SET id = ?, code_hash = ?, tries = 0, created_at = ?, expires_at = ?, used_at = NULL WHERE identity_id = ? AND phone_index = ?`,
			r.ID, r.CodeHash, r.CreatedAt, r.ExpiresAt, r.IdentityID, r.PhoneIndex)
	}
	if n, err := replace(); err != nil || n > 0 {
		return err
	}
	err := tx.Insert(ctx, "member_phone_codes", r)
	if errors.Is(err, db.ErrDuplicate) {
		_, err = replace()
	}
	return err
}

// tryPhoneCodeTx counts a try and reads the code; ok is false when there is none that still lives.
func tryPhoneCodeTx(ctx context.Context, tx *db.Tx, identityID int64, phoneIndex string) (r phoneCodeRow, ok bool, err error) {
	n, err := tx.Exec(ctx, `UPDATE member_phone_codes SET tries = tries + 1 WHERE identity_id = ? AND phone_index = ? AND used_at IS NULL AND tries < ? AND expires_at > ?`,
		identityID, phoneIndex, codeTries, tx.Millis())
	if err != nil || n == 0 {
		return r, false, err
	}
	err = tx.Get(ctx, &r, `SELECT id, identity_id, phone_index, code_hash, tries, created_at, expires_at, used_at FROM member_phone_codes
		WHERE identity_id = ? AND phone_index = ?`+tx.ForUpdate(), identityID, phoneIndex)
	return r, err == nil, err
}

// usePhoneCodeTx spends a code, once. Fault: ErrPhoneCodeOver.
func usePhoneCodeTx(ctx context.Context, tx *db.Tx, id int64) error {
	return tx.ExecOne(ctx, ErrPhoneCodeOver, `UPDATE member_phone_codes SET used_at = ? WHERE id = ? AND used_at IS NULL`, tx.Millis(), id)
}

// takeTx takes one from a counter of a window; n is how many are taken with it, 0 when the limit is reached. The guarded
// update decides, so that two at once never pass together.
func takeTx(ctx context.Context, tx *db.Tx, name string, windowMs, limit int64) (n int64, err error) {
	now := tx.Millis()
	if n, err := failures(ctx, tx, name, now); err != nil || n >= limit { // refused without a write: whoever floods holds no locks
		return 0, err
	}
	bump := func() (int64, error) {
		return tx.Exec(ctx, `UPDATE member_attempts SET failures = failures + 1 WHERE bucket = ? AND window_until > ? AND failures < ?`, name, now, limit)
	}
	anew := func() (int64, error) {
		return tx.Exec(ctx, `UPDATE member_attempts SET failures = 1, window_until = ? WHERE bucket = ? AND window_until <= ?`, now+windowMs, name, now)
	}
	took := false
	for _, try := range []func() (int64, error){bump, anew, func() (int64, error) {
		err := tx.Insert(ctx, "member_attempts", attemptRow{name, 1, now + windowMs})
		if errors.Is(err, db.ErrDuplicate) {
			return 0, nil
		}
		return 1, err
	}, bump} {
		affected, err := try()
		if err != nil {
			return 0, err
		}
		if took = affected > 0; took {
			break
		}
	}
	if !took {
		return 0, nil
	}
	err = tx.Get(ctx, &n, `SELECT failures FROM member_attempts WHERE bucket = ?`+tx.ForUpdate(), name)
	return n, err
}

// purgeCodesTx forgets codes and links whose time is over.
func purgeCodesTx(ctx context.Context, tx *db.Tx, before int64) error {
	if _, err := tx.Exec(ctx, `DELETE FROM member_phone_codes WHERE expires_at < ?`, before); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM member_links WHERE expires_at < ?`, before)
	return err
}
