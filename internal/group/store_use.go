package group

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

type useRow struct {
	ID          int64  `db:"id"`
	GroupID     int64  `db:"group_id"`
	DriverID    int64  `db:"driver_id"`
	MemberID    int64  `db:"member_id"`
	PayerID     int64  `db:"payer_id"`
	OrderID     int64  `db:"order_id"`
	StoreID     int64  `db:"store_id"`
	Plate       string `db:"plate"`
	AmountFen   int64  `db:"amount_fen"`
	BizDay      string `db:"biz_day"`
	BizMonth    string `db:"biz_month"`
	State       string `db:"state"`
	ApprovalID  int64  `db:"approval_id"`
	CreatedAt   int64  `db:"created_at"`
	UndoneMonth string `db:"undone_month"`
	UndoneAt    *int64 `db:"undone_at"`
}

// spent is what a driver has let the group pay in a month, over all places that the driver had in it. It decides only under the group's lock.
func spent(ctx context.Context, r db.Reader, groupID, memberID int64, month string) (money.Fen, error) {
	var n int64
	err := r.Get(ctx, &n, `SELECT COALESCE(SUM(amount_fen), 0) FROM group_uses WHERE group_id = ? AND biz_month = ? AND member_id = ? AND state = 'used'`, groupID, month, memberID)
	return money.Fen(n), err
}

// spentBy is spent of every driver of a group.
func spentBy(ctx context.Context, r db.Reader, groupID int64, month string) (map[int64]money.Fen, error) {
	var rows []struct {
		MemberID int64 `db:"member_id"`
		Amount   int64 `db:"amount"`
	}
	err := r.Select(ctx, &rows, `SELECT member_id, SUM(amount_fen) AS amount FROM group_uses WHERE group_id = ? AND biz_month = ? AND state = 'used' GROUP BY member_id`, groupID, month)
	out := make(map[int64]money.Fen, len(rows))
	for _, r := range rows {
		out[r.MemberID] = money.Fen(r.Amount)
	}
	return out, err
}

// useOf reads what was used for an order; found is false when there is nothing.
func useOf(ctx context.Context, tx *db.Tx, orderID int64) (u useRow, found bool, err error) {
	err = tx.Get(ctx, &u, `SELECT id, group_id, driver_id, member_id, payer_id, order_id, store_id, plate, amount_fen, biz_day, biz_month, state, approval_id, created_at,
		undone_month, undone_at FROM group_uses WHERE order_id = ?`+tx.ForUpdate(), orderID)
	if errors.Is(err, db.ErrNoRows) {
		return u, false, nil
	}
	return u, err == nil, err
}

func undoUse(ctx context.Context, tx *db.Tx, id int64, month string) error {
	return tx.ExecOne(ctx, ErrState, `UPDATE group_uses SET state = 'undone', undone_month = ?, undone_at = ? WHERE id = ? AND state = 'used'`, month, tx.Millis(), id)
}

type approvalRow struct {
	ID          int64  `db:"id"`
	GroupID     int64  `db:"group_id"`
	DriverID    int64  `db:"driver_id"`
	MemberID    int64  `db:"member_id"`
	PayerID     int64  `db:"payer_id"`
	StoreID     int64  `db:"store_id"`
	Plate       string `db:"plate"`
	ServiceIDs  string `db:"service_ids"`
	Goods       bool   `db:"goods"`
	Title       string `db:"title"`
	AmountFen   int64  `db:"amount_fen"`
	State       string `db:"state"`
	AskedByID   int64  `db:"asked_by_id"`
	AskedByName string `db:"asked_by_name"`
	Note        string `db:"answer_note"`
	OrderID     int64  `db:"order_id"`
	CreatedAt   int64  `db:"created_at"`
	ExpiresAt   int64  `db:"expires_at"`
	AnsweredAt  *int64 `db:"answered_at"`
}

const approvalColumns = `id, group_id, driver_id, member_id, payer_id, store_id, plate, service_ids, goods, title, amount_fen, state, asked_by_id, asked_by_name, answer_note,
	order_id, created_at, expires_at, answered_at`

func (r approvalRow) approval() (Approval, error) {
	a := Approval{ID: r.ID, GroupID: r.GroupID, DriverID: r.DriverID, MemberID: r.MemberID, PayerID: r.PayerID, StoreID: r.StoreID, Plate: r.Plate, Goods: r.Goods,
		Title: r.Title, AmountFen: money.Fen(r.AmountFen), State: r.State, AskedBy: r.AskedByName, Note: r.Note, OrderID: r.OrderID,
		CreatedAt: clock.FromMillis(r.CreatedAt), ExpiresAt: clock.FromMillis(r.ExpiresAt), AnsweredAt: instant(r.AnsweredAt)}
	return a, json.Unmarshal([]byte(r.ServiceIDs), &a.ServiceIDs)
}

func approvals(rows []approvalRow) ([]Approval, error) {
	out := make([]Approval, 0, len(rows))
	for _, r := range rows {
		a, err := r.approval()
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

func insertApproval(ctx context.Context, tx *db.Tx, a Approval, askedBy int64) error {
	ids, err := json.Marshal(a.ServiceIDs)
	if err != nil {
		return err
	}
	return tx.Insert(ctx, "group_approvals", approvalRow{ID: a.ID, GroupID: a.GroupID, DriverID: a.DriverID, MemberID: a.MemberID, PayerID: a.PayerID, StoreID: a.StoreID,
		Plate: a.Plate, ServiceIDs: string(ids), Goods: a.Goods, Title: a.Title, AmountFen: int64(a.AmountFen), State: a.State, AskedByID: askedBy, AskedByName: a.AskedBy,
		CreatedAt: a.CreatedAt.UnixMilli(), ExpiresAt: a.ExpiresAt.UnixMilli()})
}

// approvalByID reads an approval. Fault: fault.ErrNotFound.
func approvalByID(ctx context.Context, r db.Reader, id int64) (Approval, error) {
	var row approvalRow
	err := r.Get(ctx, &row, `SELECT `+approvalColumns+` FROM group_approvals WHERE id = ?`, id)
	if errors.Is(err, db.ErrNoRows) {
		return Approval{}, fault.ErrNotFound
	}
	if err != nil {
		return Approval{}, err
	}
	return row.approval()
}

// approvalsOf pages the approvals that a payer was asked for, newest first.
func approvalsOf(ctx context.Context, r db.Reader, payerID, before int64, limit int) ([]Approval, error) {
	q, args := `SELECT `+approvalColumns+` FROM group_approvals WHERE payer_id = ?`, []any{payerID}
	if before > 0 {
		q, args = q+` AND id < ?`, append(args, before)
	}
	var rows []approvalRow
	if err := r.Select(ctx, &rows, q+` ORDER BY id DESC LIMIT ?`, append(args, limit)...); err != nil {
		return nil, err
	}
	return approvals(rows)
}

// liveApprovals are those of a place that are asked or approved and not over, oldest first.
func liveApprovals(ctx context.Context, r db.Reader, driverID, now int64) ([]Approval, error) {
	var rows []approvalRow
	if err := r.Select(ctx, &rows, `SELECT `+approvalColumns+` FROM group_approvals WHERE driver_id = ? AND state IN ('asked', 'approved') AND expires_at > ? ORDER BY id`, driverID, now); err != nil {
		return nil, err
	}
	return approvals(rows)
}

// answer stores what the payer said. Fault: ErrApproved.
func answer(ctx context.Context, tx *db.Tx, id int64, state, note string, until int64) error {
	return tx.ExecOne(ctx, ErrApproved, `UPDATE group_approvals SET state = ?, answer_note = ?, expires_at = ?, answered_at = ? WHERE id = ? AND state = 'asked' AND expires_at > ?`,
		state, note, until, tx.Millis(), id, tx.Millis())
}

// useApproval spends a yes on an order. Fault: ErrApproval.
func useApproval(ctx context.Context, tx *db.Tx, id, orderID int64) error {
	return tx.ExecOne(ctx, ErrApproval, `UPDATE group_approvals SET state = 'used', order_id = ? WHERE id = ? AND state = 'approved' AND expires_at > ?`, orderID, id, tx.Millis())
}

// freeApproval gives a yes back whose order came to nothing; whether it is still in time is seen when it is used.
func freeApproval(ctx context.Context, tx *db.Tx, id, orderID int64) error {
	_, err := tx.Exec(ctx, `UPDATE group_approvals SET state = 'approved', order_id = 0 WHERE id = ? AND order_id = ? AND state = 'used'`, id, orderID)
	return err
}

// closeApprovals ends what a place or a group still waits for.
func closeApprovals(ctx context.Context, tx *db.Tx, column string, id int64) error {
	query := `UPDATE group_approvals SET expires_at = ? WHERE group_id = ? AND state IN ('asked', 'approved') AND expires_at > ?`
	if column == "driver" {
		query = `UPDATE group_approvals SET expires_at = ? WHERE driver_id = ? AND state IN ('asked', 'approved') AND expires_at > ?`
	}
	_, err := tx.Exec(ctx, query, tx.Millis(), id, tx.Millis())
	return err
}

// Audit compares groups with their drivers, uses and approvals and reports each difference in one sentence.
func (s *Service) Audit(ctx context.Context, report func(problem string)) error {
	for _, c := range []struct{ query, say string }{
		{`SELECT id FROM group_uses WHERE amount_fen <= 0 OR (state = 'undone') <> (undone_at IS NOT NULL) ORDER BY id`, "group_uses %d: its amount or its end does not fit its state"},
		{`SELECT u.id FROM group_uses u LEFT JOIN group_drivers d ON d.id = u.driver_id AND d.group_id = u.group_id AND d.member_id = u.member_id WHERE d.id IS NULL ORDER BY u.id`, "group_uses %d: its driver is missing"},
		{`SELECT u.id FROM group_uses u LEFT JOIN group_groups g ON g.id = u.group_id WHERE g.id IS NULL ORDER BY u.id`, "group_uses %d: its group is missing"},
		{`SELECT u.id FROM group_uses u LEFT JOIN group_approvals a ON a.id = u.approval_id AND a.order_id = u.order_id AND a.state = 'used' WHERE u.approval_id <> 0 AND u.state = 'used' AND a.id IS NULL ORDER BY u.id`,
			"group_uses %d: the approval that it names was not used for its order"},
		{`SELECT a.id FROM group_approvals a LEFT JOIN group_uses u ON u.approval_id = a.id AND u.order_id = a.order_id WHERE a.state = 'used' AND u.id IS NULL ORDER BY a.id`, "group_approvals %d: used, but no payment names it"},
		{`SELECT d.id FROM group_drivers d LEFT JOIN group_groups g ON g.id = d.group_id WHERE g.id IS NULL OR (d.live_key IS NOT NULL AND g.state = 'ended') ORDER BY d.id`, "group_drivers %d: its group is missing or has ended"},
		{`SELECT id FROM group_groups WHERE (state = 'ended') <> (ended_at IS NOT NULL) OR (state = 'ended' AND contact_sealed <> '') ORDER BY id`, "group_groups %d: its end does not fit its state, or a contact is left"},
	} {
		var ids []int64
		if err := s.db.Select(ctx, &ids, c.query); err != nil {
			return err
		}
		for _, id := range ids {
			report(fmt.Sprintf(c.say, id))
		}
	}
	return nil
}
