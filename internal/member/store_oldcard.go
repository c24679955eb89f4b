package member

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
)

type oldCardRow struct {
	ID          int64  `db:"id"`
	No          string `db:"card_no"`
	MemberID    int64  `db:"member_id"`
	Note        string `db:"note"`
	StoreID     int64  `db:"store_id"`
	CreatedKind string `db:"created_kind"`
	CreatedBy   int64  `db:"created_by"`
	CreatedName string `db:"created_name"`
	CreatedAt   int64  `db:"created_at"`
	LostAt      *int64 `db:"lost_at"`
}

const oldCardColumns = `id, card_no, member_id, note, store_id, created_kind, created_by, created_name, created_at, lost_at`

func (r oldCardRow) card() OldCard {
	c := OldCard{ID: r.ID, No: r.No, Note: r.Note, By: r.CreatedName, At: at(r.CreatedAt), Lost: r.LostAt != nil}
	if r.LostAt != nil {
		c.LostSince = at(*r.LostAt)
	}
	return c
}

func oldCardsOf(ctx context.Context, r db.Reader, memberID int64, lock string) ([]oldCardRow, error) {
	var rows []oldCardRow
	err := r.Select(ctx, &rows, `SELECT `+oldCardColumns+` FROM member_old_cards WHERE member_id = ? ORDER BY id`+lock, memberID)
	return rows, err
}

func readOldCard(ctx context.Context, r db.Reader, number, lock string) (c oldCardRow, found bool, err error) {
	err = r.Get(ctx, &c, `SELECT `+oldCardColumns+` FROM member_old_cards WHERE card_no = ?`+lock, number)
	if errors.Is(err, db.ErrNoRows) {
		return c, false, nil
	}
	return c, err == nil, err
}

func loseOldCardTx(ctx context.Context, tx *db.Tx, r oldCardRow) error {
	_, err := tx.Exec(ctx, `UPDATE member_old_cards SET lost_at = ? WHERE id = ?`, r.LostAt, r.ID)
	return err
}

func deleteOldCardTx(ctx context.Context, tx *db.Tx, id int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM member_old_cards WHERE id = ?`, id)
	return err
}

// deleteOldCardsTx frees the numbers of a member who leaves, and ends the codes that would join somebody.
func deleteOldCardsTx(ctx context.Context, tx *db.Tx, memberID int64) error {
	if _, err := tx.Exec(ctx, `DELETE FROM member_links WHERE member_id = ?`, memberID); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM member_old_cards WHERE member_id = ?`, memberID)
	return err
}
