package setting

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
)

type row struct {
	Key       string `db:"setting_key"`
	Value     string `db:"value"`
	UpdatedAt int64  `db:"updated_at"`
	UpdatedBy int64  `db:"updated_by"`
}

// load reads every key's text; a value that is missing or no longer acceptable is the default.
func load(ctx context.Context, r db.Reader, lock string) (map[string]string, error) {
	var rows []row
	if err := r.Select(ctx, &rows, `SELECT setting_key, value, updated_at, updated_by FROM setting_values ORDER BY setting_key`+lock); err != nil {
		return nil, err
	}
	stored := map[string]string{}
	for _, x := range rows {
		stored[x.Key] = x.Value
	}
	out := map[string]string{}
	for _, d := range Definitions() {
		out[d.Key] = d.Default
		if v, ok := stored[d.Key]; ok {
			if text, complaint := d.checkText(v); complaint == "" {
				out[d.Key] = text
			}
		}
	}
	return out, nil
}

// store writes a value. The update comes first: an insert that fails would cost MySQL a wider lock.
func store(ctx context.Context, tx *db.Tx, r row) error {
	update := func() (int64, error) {
		return tx.Exec(ctx, `UPDATE setting_values SET value = ?, updated_at = ?, updated_by = ? WHERE setting_key = ?`, r.Value, r.UpdatedAt, r.UpdatedBy, r.Key)
	}
	if n, err := update(); err != nil || n > 0 {
		return err
	}
	err := tx.Insert(ctx, "setting_values", r)
	if errors.Is(err, db.ErrDuplicate) { // another instance set it first
		_, err = update()
	}
	return err
}
