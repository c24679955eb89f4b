package staff

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/perm"
)

// Filter narrows the list of accounts; zero values do not. After is an account id.
type Filter struct {
	Text   string // part of name or user name
	Status string
	After  int64
	Limit  int
}

// accounts lists accounts by id.
func accounts(ctx context.Context, r db.Reader, f Filter) ([]accountRow, error) {
	q, args := `SELECT `+accountColumns+` FROM staff_accounts WHERE id > ?`, []any{f.After}
	if f.Status != "" {
		q, args = q+` AND status = ?`, append(args, f.Status)
	}
	if f.Text != "" {
		like := "%" + db.Like(f.Text) + "%"
		q, args = q+` AND (name LIKE ? ESCAPE '!' OR username LIKE ? ESCAPE '!')`, append(args, like, like)
	}
	var rows []accountRow
	err := r.Select(ctx, &rows, q+` ORDER BY id LIMIT ?`, append(args, f.Limit)...)
	return rows, err
}

func everybody(ctx context.Context, r db.Reader) ([]Person, error) {
	var out []Person
	err := r.Select(ctx, &out, `SELECT id, name, status FROM staff_accounts ORDER BY id`)
	return out, err
}

func storesOfAll(ctx context.Context, r db.Reader) (map[int64][]int64, error) {
	var rows []link
	err := r.Select(ctx, &rows, `SELECT account_id, store_id AS other_id FROM staff_account_stores ORDER BY account_id, store_id`)
	return byAccount(rows), err
}

func byAccount(rows []link) map[int64][]int64 {
	out := map[int64][]int64{}
	for _, x := range rows {
		out[x.AccountID] = append(out[x.AccountID], x.OtherID)
	}
	return out
}

// byUsername finds an account; found is false when there is none.
func byUsername(ctx context.Context, r db.Reader, username, lock string) (a accountRow, found bool, err error) {
	err = r.Get(ctx, &a, `SELECT `+accountColumns+` FROM staff_accounts WHERE username = ?`+lock, username)
	if errors.Is(err, db.ErrNoRows) {
		return a, false, nil
	}
	return a, err == nil, err
}

func insertAccountTx(ctx context.Context, tx *db.Tx, a accountRow) error {
	err := tx.Insert(ctx, "staff_accounts", a)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrUsername.On("username", "用户名已被使用")
	}
	return err
}

// saveTx writes every changeable column of an account that is locked. Fault: ErrUsername.
func saveTx(ctx context.Context, tx *db.Tx, a accountRow) error {
	err := tx.ExecOne(ctx, fault.ErrNotFound, `UPDATE staff_accounts SET name = ?, username = ?, password_hash = ?, phone_sealed = ?, status = ?, status_reason = ?,
		updated_at = ?, last_login_at = ? WHERE id = ?`,
		a.Name, a.Username, a.PasswordHash, a.PhoneSealed, a.Status, a.StatusReason, tx.Millis(), a.LastLoginAt, a.ID)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrUsername.On("username", "用户名已被使用")
	}
	return err
}

type link struct {
	AccountID int64 `db:"account_id"`
	OtherID   int64 `db:"other_id"`
}

// rolesOf and storesOf read the links of several accounts at once, in a stable order.
func rolesOf(ctx context.Context, r db.Reader, ids []int64) (map[int64][]int64, error) {
	return links(ctx, r, `SELECT ar.account_id, ar.role_id AS other_id FROM staff_account_roles ar JOIN staff_roles r ON r.id = ar.role_id
		WHERE ar.account_id IN (?) ORDER BY r.sort_no, ar.role_id`, ids)
}

func storesOf(ctx context.Context, r db.Reader, ids []int64) (map[int64][]int64, error) {
	return links(ctx, r, `SELECT account_id, store_id AS other_id FROM staff_account_stores WHERE account_id IN (?) ORDER BY store_id`, ids)
}

func links(ctx context.Context, r db.Reader, query string, ids []int64) (map[int64][]int64, error) {
	if len(ids) == 0 {
		return map[int64][]int64{}, nil
	}
	q, args, err := db.In(query, ids)
	if err != nil {
		return nil, err
	}
	var rows []link
	if err := r.Select(ctx, &rows, q, args...); err != nil {
		return nil, err
	}
	return byAccount(rows), nil
}

type accountRole struct {
	AccountID int64 `db:"account_id"`
	RoleID    int64 `db:"role_id"`
}

type accountStore struct {
	AccountID int64 `db:"account_id"`
	StoreID   int64 `db:"store_id"`
}

// relinkTx replaces the roles and stores of an account.
func relinkTx(ctx context.Context, tx *db.Tx, id int64, roleIDs, storeIDs []int64) error {
	for _, q := range []string{`DELETE FROM staff_account_roles WHERE account_id = ?`, `DELETE FROM staff_account_stores WHERE account_id = ?`} {
		if _, err := tx.Exec(ctx, q, id); err != nil {
			return err
		}
	}
	var rs []accountRole
	for _, r := range roleIDs {
		rs = append(rs, accountRole{id, r})
	}
	var ss []accountStore
	for _, s := range storeIDs {
		ss = append(ss, accountStore{id, s})
	}
	return errors.Join(tx.Insert(ctx, "staff_account_roles", rs), tx.Insert(ctx, "staff_account_stores", ss))
}

// otherOwnersTx counts the active owners beside one account, and locks every owner, so that two of them cannot suspend
// each other at the same moment.
func otherOwnersTx(ctx context.Context, tx *db.Tx, id int64) (int, error) {
	var rows []struct {
		ID     int64  `db:"id"`
		Status string `db:"status"`
	}
	err := tx.Select(ctx, &rows, `SELECT a.id, a.status FROM staff_accounts a JOIN staff_account_roles ar ON ar.account_id = a.id
		JOIN staff_roles r ON r.id = ar.role_id WHERE r.role_key = ? ORDER BY a.id`+tx.ForUpdate(), perm.RoleOwner)
	n := 0
	for _, x := range rows {
		if x.ID != id && x.Status == StatusActive {
			n++
		}
	}
	return n, err
}

func updateRoleTx(ctx context.Context, tx *db.Tx, r roleRow) error {
	return tx.ExecOne(ctx, fault.ErrNotFound, `UPDATE staff_roles SET name = ?, permissions = ?, updated_at = ? WHERE id = ?`, r.Name, r.Permissions, tx.Millis(), r.ID)
}
