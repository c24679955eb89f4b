package checkout

import (
	"context"
	"errors"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

type disputeRow struct {
	ID         int64  `db:"id"`
	OrderID    int64  `db:"order_id"`
	MemberID   int64  `db:"member_id"`
	StoreID    int64  `db:"store_id"`
	Reason     string `db:"reason"`
	Note       string `db:"note"`
	Status     string `db:"status"`
	Answer     string `db:"answer"`
	ResolvedBy string `db:"resolved_by"`
	CreatedAt  int64  `db:"created_at"`
	ResolvedAt *int64 `db:"resolved_at"`
}

// DisputeRecord is a dispute with the order that it is about.
type DisputeRecord struct {
	ID, OrderID, MemberID, StoreID         int64
	OrderNo, StoreName, StaffName, Plate   string
	Total                                  money.Fen
	Reason, Note, Status, Answer, Resolver string
	CreatedAt, ResolvedAt                  time.Time
}

func disputeByID(ctx context.Context, tx *db.Tx, id int64) (d disputeRow, err error) {
	err = tx.Get(ctx, &d, `SELECT id, order_id, member_id, store_id, reason, note, status, answer, resolved_by, created_at, resolved_at
		FROM checkout_disputes WHERE id = ?`+tx.ForUpdate(), id)
	if errors.Is(err, db.ErrNoRows) {
		err = fault.ErrNotFound
	}
	return d, err
}

func resolve(ctx context.Context, tx *db.Tx, id int64, outcome, answer, by string) error {
	return tx.ExecOne(ctx, ErrResolved, `UPDATE checkout_disputes SET status = ?, answer = ?, resolved_by = ?, resolved_at = ? WHERE id = ? AND status = 'open'`,
		outcome, answer, by, tx.Millis(), id)
}

const oneDispute = "WHERE d.id = ?"

// disputesWhere reads disputes; where is one of this package's own constants.
func disputesWhere(ctx context.Context, r db.Reader, where string, args ...any) ([]DisputeRecord, error) {
	var rows []struct {
		disputeRow
		OrderNo   string `db:"order_no"`
		StoreName string `db:"store_name"`
		StaffName string `db:"staff_name"`
		Plate     string `db:"plate"`
		TotalFen  int64  `db:"total_fen"`
	}
	err := r.Select(ctx, &rows, `SELECT d.id, d.order_id, d.member_id, d.store_id, d.reason, d.note, d.status, d.answer, d.resolved_by, d.created_at, d.resolved_at,
		o.order_no, o.store_name, o.staff_name, o.plate, o.total_fen FROM checkout_disputes d JOIN checkout_orders o ON o.id = d.order_id `+where, args...)
	out := make([]DisputeRecord, 0, len(rows))
	for _, x := range rows {
		created := x.CreatedAt
		out = append(out, DisputeRecord{ID: x.ID, OrderID: x.OrderID, MemberID: x.MemberID, StoreID: x.StoreID, OrderNo: x.OrderNo, StoreName: x.StoreName, StaffName: x.StaffName,
			Plate: x.Plate, Total: money.Fen(x.TotalFen), Reason: x.Reason, Note: x.Note, Status: x.Status, Answer: x.Answer, Resolver: x.ResolvedBy,
			CreatedAt: clock.FromNull(&created), ResolvedAt: clock.FromNull(x.ResolvedAt)})
	}
	return out, err
}

func listDisputes(ctx context.Context, r db.Reader, status string, stores []int64, before int64, limit int) ([]DisputeRecord, error) {
	where, args := "WHERE 1 = 1", []any{}
	if status != "" {
		where, args = where+" AND d.status = ?", append(args, status)
	}
	if before != 0 {
		where, args = where+" AND d.id < ?", append(args, before)
	}
	if stores != nil {
		where, args = where+" AND d.store_id IN (?)", append(args, append([]int64{0}, stores...))
		var err error
		if where, args, err = db.In(where, args...); err != nil {
			return nil, err
		}
	}
	return disputesWhere(ctx, r, where+" ORDER BY d.id DESC LIMIT ?", append(args, limit)...)
}
