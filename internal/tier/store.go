package tier

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
)

type row struct {
	Tier
	DefaultMark *int  `db:"default_mark"` // 1 for the default tier: unique, so there is one at most
	CreatedAt   int64 `db:"created_at"`
	UpdatedAt   int64 `db:"updated_at"`
}

func mark(isDefault bool) *int {
	if isDefault {
		one := 1
		return &one
	}
	return nil
}

const columns = `id, name, color, tier_rank, discount_bp, priority, default_mark`

func (r row) tier() Tier {
	t := r.Tier
	t.IsDefault = r.DefaultMark != nil
	return t
}

func readAll(ctx context.Context, r db.Reader, lock string) ([]Tier, error) {
	var rows []row
	if err := r.Select(ctx, &rows, `SELECT `+columns+` FROM tier_tiers ORDER BY id`+lock); err != nil {
		return nil, err
	}
	out := make([]Tier, 0, len(rows))
	for _, v := range rows {
		out = append(out, v.tier())
	}
	return out, nil
}

func insert(ctx context.Context, tx *db.Tx, t Tier) error {
	err := tx.Insert(ctx, "tier_tiers", row{t, mark(t.IsDefault), tx.Millis(), tx.Millis()})
	if errors.Is(err, db.ErrDuplicate) {
		return ErrName.On("name", "名称已被使用")
	}
	return err
}

func update(ctx context.Context, tx *db.Tx, t Tier) error {
	_, err := tx.Exec(ctx, `UPDATE tier_tiers SET name = ?, color = ?, tier_rank = ?, discount_bp = ?, priority = ?, default_mark = ?, updated_at = ?
		WHERE id = ?`, t.Name, t.Color, t.Rank, t.DiscountBP, t.Priority, mark(t.IsDefault), tx.Millis(), t.ID)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrName.On("name", "名称已被使用")
	}
	return err
}

func clearDefault(ctx context.Context, tx *db.Tx) error {
	_, err := tx.Exec(ctx, `UPDATE tier_tiers SET default_mark = NULL WHERE default_mark = 1`)
	return err
}

func memberTier(ctx context.Context, r db.Reader, memberID int64) (id int64, err error) {
	err = r.Get(ctx, &id, `SELECT tier_id FROM tier_members WHERE member_id = ?`, memberID)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

type aheadKey struct{}

const memberTiersQuery = `SELECT member_id, tier_id FROM tier_members WHERE member_id IN (?)`

type tierOf struct {
	MemberID int64 `db:"member_id"`
	TierID   int64 `db:"tier_id"`
}

// memberTiers reads the assignments of several members.
func memberTiers(ctx context.Context, r db.Reader, members []int64) (map[int64]int64, error) {
	var rows []tierOf
	q, args, err := db.In(memberTiersQuery, members)
	if err == nil {
		err = r.Select(ctx, &rows, q, args...)
	}
	return tiersFrom(rows, members), err
}

// memberTiersSoon is memberTiers with the next db.Tx.Collect, into the stash.
func memberTiersSoon(tx *db.Tx, members []int64) error {
	q, args, err := db.In(memberTiersQuery, members)
	if err != nil {
		return err
	}
	var rows []tierOf
	tx.SelectSoon(&rows, func() { tx.Stash(aheadKey{}, tiersFrom(rows, members)) }, q, args...)
	return nil
}

func tiersFrom(rows []tierOf, members []int64) map[int64]int64 {
	out := make(map[int64]int64, len(members))
	for _, m := range members {
		out[m] = 0
	}
	for _, x := range rows {
		out[x.MemberID] = x.TierID
	}
	return out
}

type assignment struct {
	MemberID int64  `db:"member_id"`
	TierID   int64  `db:"tier_id"`
	Reason   string `db:"reason"`
	SetBy    string `db:"set_by"`
	SetAt    int64  `db:"set_at"`
}

// assign writes the member's tier: the second of two first assignments at once replaces the first.
func assign(ctx context.Context, tx *db.Tx, a assignment) error {
	const update = `UPDATE tier_members SET tier_id = ?, reason = ?, set_by = ?, set_at = ? WHERE member_id = ?`
	n, err := tx.Exec(ctx, update, a.TierID, a.Reason, a.SetBy, a.SetAt, a.MemberID)
	if err != nil || n > 0 {
		return err
	}
	if err = tx.Insert(ctx, "tier_members", a); errors.Is(err, db.ErrDuplicate) {
		_, err = tx.Exec(ctx, update, a.TierID, a.Reason, a.SetBy, a.SetAt, a.MemberID)
	}
	return err
}
