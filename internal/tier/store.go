package tier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/liangche/liangche/internal/db"
)

type row struct {
	Tier
	Programme   *string `db:"programme"`    // JSON
	DefaultMark *int    `db:"default_mark"` // 1 for the default tier: unique, so there is one at most
	CreatedAt   int64   `db:"created_at"`
	UpdatedAt   int64   `db:"updated_at"`
}

func mark(isDefault bool) *int {
	if isDefault {
		one := 1
		return &one
	}
	return nil
}

const columns = `id, name, color, tier_rank, discount_bp, priority, programme, default_mark`

func (r row) full() (Full, error) {
	f := Full{Tier: r.Tier}
	f.IsDefault = r.DefaultMark != nil
	if r.Programme != nil {
		if err := json.Unmarshal([]byte(*r.Programme), &f.Programme); err != nil {
			return f, fmt.Errorf("tier: programme of %d: %w", r.ID, err)
		}
	}
	return f, nil
}

func (f Full) row() (row, error) {
	b, err := json.Marshal(f.Programme)
	text := string(b)
	return row{Tier: f.Tier, Programme: &text, DefaultMark: mark(f.IsDefault)}, err
}

func readAll(ctx context.Context, r db.Reader, lock string) ([]Full, error) {
	var rows []row
	if err := r.Select(ctx, &rows, `SELECT `+columns+` FROM tier_tiers ORDER BY id`+lock); err != nil {
		return nil, err
	}
	out := make([]Full, 0, len(rows))
	for _, v := range rows {
		f, err := v.full()
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func insert(ctx context.Context, tx *db.Tx, f Full) error {
	v, err := f.row()
	if err != nil {
		return err
	}
	v.CreatedAt, v.UpdatedAt = tx.Millis(), tx.Millis()
	err = tx.Insert(ctx, "tier_tiers", v)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrName.On("name", "名称已被使用")
	}
	return err
}

func update(ctx context.Context, tx *db.Tx, f Full) error {
	v, err := f.row()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE tier_tiers SET name = ?, color = ?, tier_rank = ?, discount_bp = ?, priority = ?, programme = ?, default_mark = ?, updated_at = ?
		WHERE id = ?`, v.Name, v.Color, v.Rank, v.DiscountBP, v.Priority, v.Programme, v.DefaultMark, tx.Millis(), v.ID)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrName.On("name", "名称已被使用")
	}
	return err
}

func remove(ctx context.Context, tx *db.Tx, id int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM tier_tiers WHERE id = ?`, id)
	return err
}

func clearDefault(ctx context.Context, tx *db.Tx) error {
	_, err := tx.Exec(ctx, `UPDATE tier_tiers SET default_mark = NULL WHERE default_mark = 1`)
	return err
}

// using counts what keeps a tier: members in it, members it was given to, plans and running memberships that grant it.
func using(ctx context.Context, r db.Reader, id int64) (members, given, plans, memberships int, err error) {
	for _, q := range []struct {
		n     *int
		query string
	}{
		{&members, `SELECT COUNT(*) FROM tier_members WHERE tier_id = ?`},
		{&given, `SELECT COUNT(*) FROM tier_assignments WHERE tier_id = ?`},
		{&plans, `SELECT COUNT(*) FROM tier_plans WHERE tier_id = ?`},
		{&memberships, `SELECT COUNT(*) FROM tier_memberships WHERE tier_id = ? AND state = 'active'`},
	} {
		if err = r.Get(ctx, q.n, q.query, id); err != nil {
			return
		}
	}
	return
}

// countMembers counts the members with a row of their own by tier.
func countMembers(ctx context.Context, r db.Reader) (map[int64]int64, error) {
	var rows []struct {
		TierID int64 `db:"tier_id"`
		N      int64 `db:"n"`
	}
	err := r.Select(ctx, &rows, `SELECT tier_id, COUNT(*) AS n FROM tier_members GROUP BY tier_id`)
	out := map[int64]int64{}
	for _, x := range rows {
		out[x.TierID] = x.N
	}
	return out, err
}
