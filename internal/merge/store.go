package merge

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
)

type mergeRow struct {
	ID           int64  `db:"id"`
	FromID       int64  `db:"from_id"` // unique: nobody is merged twice
	IntoID       int64  `db:"into_id"`
	FromCard     string `db:"from_card_no"`
	IntoCard     string `db:"into_card_no"`
	PrincipalFen int64  `db:"principal_fen"`
	BonusFen     int64  `db:"bonus_fen"`
	Points       int64  `db:"points"`
	PointsDebt   int64  `db:"points_debt"`
	Experience   int64  `db:"experience"`
	Uses         int64  `db:"uses"`
	OutID        int64  `db:"out_posting_id"`
	InID         int64  `db:"in_posting_id"`
	Moved        string `db:"moved"` // JSON: the items
	Reason       string `db:"reason"`
	StaffID      int64  `db:"staff_id"`
	StaffName    string `db:"staff_name"`
	CreatedAt    int64  `db:"created_at"`
}

func itemsText(items []Item) string {
	b, _ := json.Marshal(items) // plain values always marshal
	return string(b)
}

func (r mergeRow) merge() (Merge, error) {
	m := Merge{ID: r.ID, FromID: r.FromID, FromCard: member.MaskCardNo(r.FromCard), IntoID: r.IntoID, IntoCard: member.MaskCardNo(r.IntoCard), Reason: r.Reason, StaffName: r.StaffName,
		At: clock.FromMillis(r.CreatedAt), Moved: holdings(ledger.Balance{Principal: r.PrincipalFen, Bonus: r.BonusFen, Points: r.Points, PointsDebt: r.PointsDebt,
			Experience: r.Experience, Uses: r.Uses})}
	return m, json.Unmarshal([]byte(r.Moved), &m.Items)
}

// insertMerge writes a merge. Fault: ledger.ErrMerged when the member was merged before.
func insertMerge(ctx context.Context, tx *db.Tx, r mergeRow) error {
	err := tx.Insert(ctx, "merge_merges", r)
	if errors.Is(err, db.ErrDuplicate) {
		return ledger.ErrMerged
	}
	return err
}

// EraseTx forgets what the things were called that a member handed over or got: plates, names of groups. How many there were stays.
func (s *Service) EraseTx(ctx context.Context, tx *db.Tx, memberID int64) error {
	rows, err := mergesWhere(ctx, tx, `from_id = ? OR into_id = ?`, memberID, memberID)
	if err != nil {
		return err
	}
	for _, r := range rows {
		m, err := r.merge()
		if err != nil {
			return err
		}
		for _, item := range m.Items {
			for i := range item.Names {
				item.Names[i] = "—"
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE merge_merges SET moved = ? WHERE id = ?`, itemsText(m.Items), r.ID); err != nil {
			return err
		}
	}
	return nil
}

// mergesWhere reads merges, newest first; where is one of this package's own texts.
func mergesWhere(ctx context.Context, r db.Reader, where string, args ...any) (rows []mergeRow, err error) {
	return rows, r.Select(ctx, &rows, `SELECT id, from_id, into_id, from_card_no, into_card_no, principal_fen, bonus_fen, points, points_debt, experience, uses, out_posting_id,
		in_posting_id, moved, reason, staff_id, staff_name, created_at FROM merge_merges WHERE `+where+` ORDER BY id DESC`, args...)
}
