package report

import (
	"context"
	"slices"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
)

type useRow struct {
	OrderID  int64  `db:"order_id"`
	MemberID int64  `db:"member_id"`
	DriverID int64  `db:"driver_id"`
	Plate    string `db:"plate"`
	OrderNo  string `db:"order_no"`
	Title    string `db:"title"`
}

// usesOf are the orders that a group paid, or took back, in a month.
func usesOf(ctx context.Context, r db.Reader, groupID int64, month string) (rows []useRow, err error) {
	const columns = `SELECT u.order_id, u.member_id, u.driver_id, u.plate, o.order_no, o.title FROM group_uses u JOIN checkout_orders o ON o.id = u.order_id WHERE u.group_id = ? AND `
	if err = r.Select(ctx, &rows, columns+`u.biz_month = ? ORDER BY u.order_id`, groupID, month); err != nil {
		return nil, err
	}
	var undone []useRow
	if err = r.Select(ctx, &undone, columns+`u.undone_month = ? AND u.biz_month <> ? ORDER BY u.order_id`, groupID, month, month); err != nil {
		return nil, err
	}
	return append(rows, undone...), nil
}

type movedRow struct {
	PostingID int64  `db:"posting_id"`
	OrderID   int64  `db:"ref_id"`
	StoreID   int64  `db:"store_id"`
	BizDay    string `db:"biz_day"`
	At        int64  `db:"created_at"`
	Amount    int64  `db:"amount"`
}

// paidFor are the movements of the payer's principal and bonus for some orders within a month of business dates.
func paidFor(ctx context.Context, r db.Reader, payer int64, orders []int64, month string) (out []movedRow, err error) {
	slices.Sort(orders)
	for chunk := range slices.Chunk(orders, 500) {
		var rows []movedRow
		// What an order moved was written after the order got its id.
		if err := db.SelectIn(ctx, r, &rows, `SELECT p.id AS posting_id, p.ref_id, p.store_id, p.biz_day, p.created_at, SUM(-e.amount) AS amount FROM ledger_postings p
			JOIN ledger_entries e ON e.posting_id = p.id AND e.account = 'member' AND e.unit IN ('principal', 'bonus')
			WHERE p.ref_id IN (?) AND p.ref_kind = 'order' AND p.member_id = ? AND p.id > ? AND p.biz_day BETWEEN ? AND ?
			GROUP BY p.id, p.ref_id, p.store_id, p.biz_day, p.created_at ORDER BY p.id`, chunk, payer, chunk[0], month+"-01", month+"-31"); err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// monthsOf are the months in which a group paid something, newest first.
func monthsOf(ctx context.Context, r db.Reader, groupID int64) (months []string, err error) {
	var undone []string
	if err = r.Select(ctx, &months, `SELECT DISTINCT biz_month FROM group_uses WHERE group_id = ?`, groupID); err != nil {
		return nil, err
	}
	if err = r.Select(ctx, &undone, `SELECT DISTINCT undone_month FROM group_uses WHERE group_id = ? AND undone_month <> ''`, groupID); err != nil {
		return nil, err
	}
	months = append(months, undone...)
	slices.Sort(months)
	months = slices.Compact(months)
	slices.Reverse(months)
	return months, nil
}

// driverNotes are what the payer calls the places.
func driverNotes(ctx context.Context, r db.Reader, groupID int64) (map[int64]string, error) {
	var rows []struct {
		MemberID int64  `db:"member_id"`
		Note     string `db:"note"`
	}
	err := r.Select(ctx, &rows, `SELECT member_id, note FROM group_drivers WHERE group_id = ? ORDER BY id`, groupID)
	out := map[int64]string{}
	for _, v := range rows {
		out[v.MemberID] = v.Note
	}
	return out, err
}

// statementLines joins uses with what the ledger moved for them.
func (s *Service) statementLines(ctx context.Context, groupID, payer int64, month string) ([]StatementLine, error) {
	uses, err := usesOf(ctx, s.db, groupID, month)
	if err != nil {
		return nil, err
	}
	of := map[int64]useRow{}
	var orders, members []int64
	for _, u := range uses {
		of[u.OrderID] = u
		orders, members = append(orders, u.OrderID), append(members, u.MemberID)
	}
	moved, err := paidFor(ctx, s.db, payer, orders, month)
	if err != nil {
		return nil, err
	}
	names, err := s.members.MaskedNames(ctx, members)
	out := make([]StatementLine, 0, len(moved))
	for _, m := range moved {
		u := of[m.OrderID]
		l := StatementLine{PostingID: m.PostingID, OrderID: m.OrderID, OrderNo: u.OrderNo, At: clock.FromMillis(m.At), BizDay: m.BizDay, MemberID: u.MemberID,
			Name: names[u.MemberID], Plate: u.Plate, Title: u.Title, AmountFen: fen(m.Amount)}
		if st, err := s.shops.Store(ctx, m.StoreID); err == nil {
			l.StoreName = st.Name
		}
		out = append(out, l)
	}
	return out, err
}
