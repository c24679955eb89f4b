package shop

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
)

type row struct {
	Store
	LiveName  *string `db:"live_name"`
	CreatedAt int64   `db:"created_at"`
	UpdatedAt int64   `db:"updated_at"`
}

const columns = `id, name, address, phone, timezone, hours_text, active`

func readAll(ctx context.Context, r db.Reader) ([]Store, error) {
	var out []Store
	err := r.Select(ctx, &out, `SELECT `+columns+` FROM shop_stores ORDER BY id`)
	return out, err
}

func liveName(st Store) *string {
	if st.Active {
		return &st.Name
	}
	return nil
}

func insert(ctx context.Context, tx *db.Tx, st Store) error {
	err := tx.Insert(ctx, "shop_stores", row{st, liveName(st), tx.Millis(), tx.Millis()})
	if errors.Is(err, db.ErrDuplicate) {
		return ErrName.On("name", "名称已被使用")
	}
	return err
}

// lock reads a store to be changed. Fault: db.ErrNoRows.
func lock(ctx context.Context, tx *db.Tx, id int64) (Store, error) {
	var st Store
	err := tx.Get(ctx, &st, `SELECT `+columns+` FROM shop_stores WHERE id = ?`+tx.ForUpdate(), id)
	return st, err
}

// lockActive reads the ids of the active stores, so that of two closings at once the second sees the first.
func lockActive(ctx context.Context, tx *db.Tx) (ids []int64, err error) {
	err = tx.Select(ctx, &ids, `SELECT id FROM shop_stores WHERE active = TRUE ORDER BY id`+tx.ForUpdate())
	return ids, err
}

func update(ctx context.Context, tx *db.Tx, st Store) error {
	_, err := tx.Exec(ctx, `UPDATE shop_stores SET name = ?, live_name = ?, address = ?, phone = ?, timezone = ?, hours_text = ?,
		active = ?, updated_at = ? WHERE id = ?`,
		st.Name, liveName(st), st.Address, st.Phone, st.Timezone, st.HoursText, st.Active, tx.Millis(), st.ID)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrName.On("name", "名称已被使用")
	}
	return err
}
