package member

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
)

type linkRow struct {
	Hash       string `db:"code_hash"`
	MemberID   int64  `db:"member_id"`
	IdentityID int64  `db:"identity_id"`
	App        string `db:"app"`
	CreatedAt  int64  `db:"created_at"`
	ExpiresAt  int64  `db:"expires_at"`
	UsedAt     *int64 `db:"used_at"`
	UsedBy     int64  `db:"used_by"`
}

// putLinkTx keeps a code and ends the identity's earlier ones.
func putLinkTx(ctx context.Context, tx *db.Tx, l linkRow) error {
	if _, err := tx.Exec(ctx, `UPDATE member_links SET expires_at = ? WHERE identity_id = ? AND used_at IS NULL AND expires_at > ?`, l.CreatedAt, l.IdentityID, l.CreatedAt); err != nil {
		return err
	}
	return tx.Insert(ctx, "member_links", l)
}

func readLink(ctx context.Context, r db.Reader, hash, lock string) (l linkRow, found bool, err error) {
	err = r.Get(ctx, &l, `SELECT code_hash, member_id, identity_id, app, created_at, expires_at, used_at, used_by FROM member_links WHERE code_hash = ?`+lock, hash)
	if errors.Is(err, db.ErrNoRows) {
		return l, false, nil
	}
	return l, err == nil, err
}

// useLinkTx takes a code, once. Fault: ErrLink.
func useLinkTx(ctx context.Context, tx *db.Tx, hash string, identityID int64) error {
	return tx.ExecOne(ctx, ErrLink, `UPDATE member_links SET used_at = ?, used_by = ? WHERE code_hash = ? AND used_at IS NULL AND expires_at > ?`, tx.Millis(), identityID, hash, tx.Millis())
}
