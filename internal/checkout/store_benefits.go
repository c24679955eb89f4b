package checkout

import (
	"context"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/money"
)

type benefitRow struct {
	ID        int64  `db:"id"`
	OrderID   int64  `db:"order_id"`
	MemberID  int64  `db:"member_id"`
	Kind      string `db:"kind"`
	RefID     int64  `db:"ref_id"`
	Title     string `db:"title"`
	ItemID    int64  `db:"item_id"`
	Qty       int64  `db:"qty"`
	SavedFen  int64  `db:"saved_fen"`
	LeftAfter *int64 `db:"left_after"`
	State     string `db:"state"`
	CreatedAt int64  `db:"created_at"`
}

func insertBenefits(tx *db.Tx, o Order) {
	rows := make([]benefitRow, len(o.Benefits))
	for i, b := range o.Benefits {
		rows[i] = benefitRow{tx.NewID(), o.ID, o.MemberID, b.Kind, b.RefID, db.Clip(b.Title, 100), b.ItemID, b.Qty, int64(b.SavedFen), b.LeftAfter, b.State, tx.Millis()}
	}
	tx.InsertSoon("checkout_benefits", rows)
}

func benefitsOf(ctx context.Context, r db.Reader, orderID int64) ([]Benefit, error) {
	var rows []benefitRow
	err := r.Select(ctx, &rows, `SELECT id, order_id, member_id, kind, ref_id, title, item_id, qty, saved_fen, left_after, state, created_at FROM checkout_benefits
		WHERE order_id = ? ORDER BY id`, orderID)
	var out []Benefit
	for _, x := range rows {
		out = append(out, Benefit{x.Kind, x.RefID, x.Title, x.ItemID, x.Qty, money.Fen(x.SavedFen), x.LeftAfter, x.State})
	}
	return out, err
}

// undoBenefits marks what an order used as given back.
func undoBenefits(ctx context.Context, tx *db.Tx, orderID int64) error {
	_, err := tx.Exec(ctx, `UPDATE checkout_benefits SET state = 'undone' WHERE order_id = ? AND state <> 'undone'`, orderID)
	return err
}

// keepBenefits marks what an order held as used.
func keepBenefits(ctx context.Context, tx *db.Tx, orderID int64) error {
	_, err := tx.Exec(ctx, `UPDATE checkout_benefits SET state = 'used' WHERE order_id = ? AND state = 'held'`, orderID)
	return err
}
