package staff

import (
	"context"
	"errors"
	"strings"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/session"
)

type standingRow struct {
	ID          int64   `db:"id"`
	Name        string  `db:"name"`
	Status      string  `db:"status"`
	RoleKey     *string `db:"role_key"`
	Permissions *string `db:"permissions"`
	StoreID     *int64  `db:"store_id"`
}

// signedIn is a session with its account's standing: one row for each role × store.
type signedIn struct {
	session.Token
	standingRow
}

// What a session's finder reads besides the session.
const (
	standingColumns = `, a.id, a.name, a.status, r.role_key, r.permissions, s.store_id`
	standingJoins   = `JOIN staff_accounts a ON a.id = t.subject_id LEFT JOIN staff_account_roles ar ON ar.account_id = a.id LEFT JOIN staff_roles r ON r.id = ar.role_id
		LEFT JOIN staff_account_stores s ON s.account_id = a.id`
)

// standings reads accounts, each with every role × store. No order is asked of the database: to sort rows with a TEXT column it would
// write a temporary table each time.
func standings(ctx context.Context, r db.Reader, ids []int64) (map[int64][]standingRow, error) {
	q, args, err := db.In(`SELECT a.id, a.name, a.status, r.role_key, r.permissions, s.store_id FROM staff_accounts a
		LEFT JOIN staff_account_roles ar ON ar.account_id = a.id LEFT JOIN staff_roles r ON r.id = ar.role_id
		LEFT JOIN staff_account_stores s ON s.account_id = a.id WHERE a.id IN (?)`, ids)
	if err != nil {
		return nil, err
	}
	var rows []standingRow
	err = r.Select(ctx, &rows, q, args...)
	out := map[int64][]standingRow{}
	for _, x := range rows {
		out[x.ID] = append(out[x.ID], x)
	}
	return out, err
}

type accountRow struct {
	ID           int64   `db:"id"`
	Name         string  `db:"name"`
	Username     *string `db:"username"`
	PasswordHash string  `db:"password_hash"`
	PhoneSealed  string  `db:"phone_sealed"`
	Status       string  `db:"status"`
	StatusReason string  `db:"status_reason"`
	CreatedBy    int64   `db:"created_by"`
	CreatedAt    int64   `db:"created_at"`
	UpdatedAt    int64   `db:"updated_at"`
	LastLoginAt  int64   `db:"last_login_at"`
}

const accountColumns = `id, name, username, password_hash, phone_sealed, status, status_reason, created_by, created_at, updated_at, last_login_at`

const colPhone = "staff.phone"

func (s *Service) readAccount(ctx context.Context, r db.Reader, id int64, lock string) (accountRow, error) {
	var a accountRow
	err := r.Get(ctx, &a, `SELECT `+accountColumns+` FROM staff_accounts WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		err = fault.ErrNotFound
	}
	return a, err
}

// Identities lists the WeChat identities that an account is bound to.
func (s *Service) Identities(ctx context.Context, id int64) (out []Identity, err error) {
	var rows []struct {
		App    string `db:"app"`
		OpenID string `db:"openid"`
	}
	err = s.db.Select(ctx, &rows, `SELECT app, openid FROM staff_identities WHERE account_id = ? ORDER BY app`, id)
	for _, r := range rows {
		out = append(out, Identity{App: r.App, OpenID: r.OpenID})
	}
	return out, err
}

type roleRow struct {
	ID          int64  `db:"id"`
	Key         string `db:"role_key"`
	Name        string `db:"name"`
	Permissions string `db:"permissions"`
	Sort        int64  `db:"sort_no"`
	UpdatedAt   int64  `db:"updated_at"`
	Offered     string `db:"offered"` // the permissions that existed when this role last got its defaults
}

func (r roleRow) role() Role {
	return Role{ID: r.ID, Key: r.Key, Name: r.Name, Permissions: effective(r.Key, r.Permissions)}
}

func roles(ctx context.Context, r db.Reader, lock string) ([]roleRow, error) {
	var rows []roleRow
	err := r.Select(ctx, &rows, `SELECT id, role_key, name, permissions, sort_no, updated_at, offered FROM staff_roles ORDER BY sort_no, id`+lock)
	return rows, err
}

func ensureRolesTx(ctx context.Context, tx *db.Tx) error {
	have, err := roles(ctx, tx, tx.ForUpdate())
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, r := range have {
		known[r.Key] = true
		if err := offerTx(ctx, tx, r); err != nil {
			return err
		}
	}
	for i, d := range roleNames {
		if known[d.key] {
			continue
		}
		r := roleRow{ID: tx.NewID(), Key: d.key, Name: d.name, Permissions: joined(perm.Defaults(d.key)), Sort: int64(i), UpdatedAt: tx.Millis(), Offered: joined(perm.Keys())}
		// Another instance may install them at the same moment.
		if err := tx.Insert(ctx, "staff_roles", r); err != nil && !errors.Is(err, db.ErrDuplicate) {
			return err
		}
	}
	return nil
}

// offerTx gives a role those of its default permissions that the program has learned since the role was last offered some: an
// upgrade must not lock people out of what is new. What the owner took away before stays away.
func offerTx(ctx context.Context, tx *db.Tx, r roleRow) error {
	all := joined(perm.Keys())
	if r.Offered == all {
		return nil
	}
	add := fresh(r.Offered, perm.Defaults(r.Key))
	_, err := tx.Exec(ctx, `UPDATE staff_roles SET permissions = ?, offered = ? WHERE id = ?`, joined(append(strings.Fields(r.Permissions), add...)), all, r.ID)
	return err
}
