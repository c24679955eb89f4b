package sale

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

type saleRow struct {
	ID           int64  `db:"id"`
	No           string `db:"sale_no"`
	Kind         string `db:"kind"`
	SubjectID    int64  `db:"subject_id"`
	MemberID     int64  `db:"member_id"`
	StoreID      int64  `db:"store_id"`
	Qty          int64  `db:"qty"`
	Plate        string `db:"plate"`
	Title        string `db:"title"`
	PriceFen     int64  `db:"price_fen"`
	Account      string `db:"account"`
	Method       string `db:"method"`
	Reference    string `db:"reference"`
	PaymentID    int64  `db:"payment_id"`
	State        string `db:"state"`
	PrincipalFen int64  `db:"principal_fen"`
	BonusFen     int64  `db:"bonus_fen"`
	RefundedFen  int64  `db:"refunded_fen"`
	BonusBackFen int64  `db:"bonus_back_fen"`
	PostingID    int64  `db:"posting_id"`
	ResultID     int64  `db:"result_id"`
	Data         string `db:"data"`
	Snapshot     string `db:"snapshot"`
	Receipt      string `db:"receipt"`
	Sources      string `db:"sources"`
	StaffID      int64  `db:"staff_id"`
	StaffName    string `db:"staff_name"`
	BizDay       string `db:"biz_day"`
	CreatedAt    int64  `db:"created_at"`
	ExpiresAt    int64  `db:"expires_at"`
	PaidAt       *int64 `db:"paid_at"`
}

const saleColumns = `id, sale_no, kind, subject_id, member_id, store_id, qty, plate, title, price_fen, account, method, reference, payment_id, state, principal_fen,
	bonus_fen, refunded_fen, bonus_back_fen, posting_id, result_id, data, snapshot, receipt, sources, staff_id, staff_name, biz_day, created_at, expires_at, paid_at`

func (r saleRow) sale() (Sale, error) {
	s := Sale{ID: r.ID, No: r.No, Kind: r.Kind, SubjectID: r.SubjectID, MemberID: r.MemberID, StoreID: r.StoreID, Qty: r.Qty, Plate: r.Plate, Title: r.Title,
		PriceFen: money.Fen(r.PriceFen), Account: r.Account, Method: r.Method, Reference: r.Reference, PaymentID: r.PaymentID, State: r.State,
		PrincipalFen: money.Fen(r.PrincipalFen), BonusFen: money.Fen(r.BonusFen), RefundedFen: money.Fen(r.RefundedFen), BonusBackFen: money.Fen(r.BonusBackFen),
		PostingID: r.PostingID, ResultID: r.ResultID, Data: json.RawMessage(r.Data), Snapshot: json.RawMessage(r.Snapshot), StaffID: r.StaffID, StaffName: r.StaffName,
		BizDay: r.BizDay, CreatedAt: clock.FromMillis(r.CreatedAt), ExpiresAt: clock.FromMillis(r.ExpiresAt)}
	if r.PaidAt != nil {
		s.PaidAt = clock.FromMillis(*r.PaidAt)
	}
	return s, errors.Join(json.Unmarshal([]byte(r.Receipt), &s.Receipt), json.Unmarshal([]byte(r.Sources), &s.sources))
}

func text(v any) string {
	b, _ := json.Marshal(v) // plain values always marshal
	return string(b)
}

func raw(m json.RawMessage) string {
	if len(m) == 0 {
		return "null"
	}
	return string(m)
}

func insertSale(ctx context.Context, tx *db.Tx, s Sale) error {
	return tx.Insert(ctx, "sale_sales", saleRow{ID: s.ID, No: s.No, Kind: s.Kind, SubjectID: s.SubjectID, MemberID: s.MemberID, StoreID: s.StoreID, Qty: s.Qty, Plate: s.Plate,
		Title: s.Title, PriceFen: int64(s.PriceFen), Account: s.Account, Method: s.Method, Reference: s.Reference, PaymentID: s.PaymentID, State: s.State,
		Data: raw(s.Data), Snapshot: raw(s.Snapshot), Receipt: "[]", Sources: "[]", StaffID: s.StaffID, StaffName: s.StaffName, BizDay: s.BizDay,
		CreatedAt: s.CreatedAt.UnixMilli(), ExpiresAt: s.ExpiresAt.UnixMilli()})
}

func saleByID(ctx context.Context, r db.Reader, id int64, lock string) (Sale, error) {
	var row saleRow
	err := r.Get(ctx, &row, `SELECT `+saleColumns+` FROM sale_sales WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		return Sale{}, fault.ErrNotFound
	}
	if err != nil {
		return Sale{}, err
	}
	return row.sale()
}

// salesByID reads several sales in ascending order; unknown ids are absent.
func salesByID(ctx context.Context, r db.Reader, ids []int64, lock string) ([]Sale, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	ids = slices.Clone(ids)
	slices.Sort(ids)
	query, args, err := db.In(`SELECT `+saleColumns+` FROM sale_sales WHERE id IN (?) ORDER BY id`+lock, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	return selectSales(ctx, r, query, args...)
}

func selectSales(ctx context.Context, r db.Reader, query string, args ...any) ([]Sale, error) {
	var rows []saleRow
	if err := r.Select(ctx, &rows, query, args...); err != nil {
		return nil, err
	}
	out := make([]Sale, 0, len(rows))
	for _, x := range rows {
		s, err := x.sale()
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func markPaid(ctx context.Context, tx *db.Tx, s Sale) error {
	return tx.ExecOne(ctx, ErrState, `UPDATE sale_sales SET state = 'paid', posting_id = ?, result_id = ?, principal_fen = ?, bonus_fen = ?, receipt = ?, sources = ?,
		biz_day = ?, paid_at = ? WHERE id = ? AND state = 'pending'`, s.PostingID, s.ResultID, int64(s.PrincipalFen), int64(s.BonusFen), text(s.Receipt), text(s.sources),
		s.BizDay, s.PaidAt.UnixMilli(), s.ID)
}

func markClosed(ctx context.Context, tx *db.Tx, id int64) error {
	return tx.ExecOne(ctx, ErrState, `UPDATE sale_sales SET state = 'closed' WHERE id = ? AND state = 'pending'`, id)
}

func markRefunded(ctx context.Context, tx *db.Tx, s Sale, amount, bonus money.Fen) error {
	return tx.ExecOne(ctx, ErrRefundMax, `UPDATE sale_sales SET state = 'refunded', refunded_fen = refunded_fen + ?, bonus_back_fen = bonus_back_fen + ?, sources = ?
		WHERE id = ? AND state IN ('paid', 'refunded') AND refunded_fen + ? <= price_fen`, int64(amount), int64(bonus), text(s.sources), s.ID, int64(amount))
}

type refundRow struct {
	ID              int64  `db:"id"`
	No              string `db:"refund_no"`
	SaleID          int64  `db:"sale_id"`
	MemberID        int64  `db:"member_id"`
	StoreID         int64  `db:"store_id"`
	AmountFen       int64  `db:"amount_fen"`
	PrincipalFen    int64  `db:"principal_fen"`
	BonusFen        int64  `db:"bonus_fen"`
	Method          string `db:"method"`
	PaymentID       int64  `db:"payment_id"`
	PaymentRefundID int64  `db:"payment_refund_id"`
	State           string `db:"state"`
	PostingID       int64  `db:"posting_id"`
	Reason          string `db:"reason"`
	StaffID         int64  `db:"staff_id"`
	StaffName       string `db:"staff_name"`
	BizDay          string `db:"biz_day"`
	CreatedAt       int64  `db:"created_at"`
	DoneAt          *int64 `db:"done_at"`
}

// Back is one refund of a sale.
type Back struct {
	ID        int64
	No        string
	SaleID    int64
	AmountFen money.Fen
	BonusFen  money.Fen // of AmountFen
	Method    string
	State     string
	Reason    string
	StaffName string
	CreatedAt time.Time
	DoneAt    time.Time // zero while it is under way
}

// refundsOf reads the refunds of sales, oldest first.
func refundsOf(ctx context.Context, r db.Reader, sales []int64) ([]Back, error) {
	if len(sales) == 0 {
		return nil, nil
	}
	query, args, err := db.In(`SELECT id, refund_no, sale_id, member_id, store_id, amount_fen, principal_fen, bonus_fen, method, payment_id, payment_refund_id, state, posting_id,
		reason, staff_id, staff_name, biz_day, created_at, done_at FROM sale_refunds WHERE sale_id IN (?) ORDER BY id`, sales)
	if err != nil {
		return nil, err
	}
	var rows []refundRow
	if err := r.Select(ctx, &rows, query, args...); err != nil {
		return nil, err
	}
	out := make([]Back, 0, len(rows))
	for _, x := range rows {
		b := Back{ID: x.ID, No: x.No, SaleID: x.SaleID, AmountFen: money.Fen(x.AmountFen), BonusFen: money.Fen(x.BonusFen), Method: x.Method, State: x.State, Reason: x.Reason,
			StaffName: x.StaffName, CreatedAt: clock.FromMillis(x.CreatedAt)}
		if x.DoneAt != nil {
			b.DoneAt = clock.FromMillis(*x.DoneAt)
		}
		out = append(out, b)
	}
	return out, nil
}

// Kept is what is left of the money that a member paid for a sale: without bonus, and without what went back.
type Kept struct {
	PostingID        int64 // of the sale
	PaidFen, KeptFen money.Fen
}

// KeptOf says what is left of the sales that refunds belong to.
func KeptOf(ctx context.Context, r db.Reader, refunds []int64) ([]Kept, error) {
	if len(refunds) == 0 {
		return nil, nil
	}
	query, args, err := db.In(`SELECT DISTINCT s.id, s.posting_id, s.price_fen, s.bonus_fen, s.refunded_fen, s.bonus_back_fen FROM sale_sales s JOIN sale_refunds f ON f.sale_id = s.id
		WHERE f.id IN (?) ORDER BY s.id`, refunds)
	if err != nil {
		return nil, err
	}
	var rows []saleRow
	if err := r.Select(ctx, &rows, query, args...); err != nil {
		return nil, err
	}
	out := make([]Kept, 0, len(rows))
	for _, x := range rows {
		paid := x.PriceFen - x.BonusFen
		out = append(out, Kept{x.PostingID, money.Fen(paid), money.Fen(paid - (x.RefundedFen - x.BonusBackFen))})
	}
	return out, nil
}

// noteRefund stores what WeChat decided on a refund; a refund that was sent again has a new number at WeChat.
func noteRefund(ctx context.Context, tx *db.Tx, id, paymentRefundID int64, state string, doneAt *int64) error {
	_, err := tx.Exec(ctx, `UPDATE sale_refunds SET state = ?, payment_refund_id = ?, done_at = ? WHERE id = ?`, state, paymentRefundID, doneAt, id)
	return err
}

// Filter chooses sales; zero values choose all. Before is the id after which the page begins.
type Filter struct {
	MemberID, StoreID, Before int64
	Kind, State               string
	Stores                    []int64 // nil: all
}

// listSales pages sales, newest first.
func listSales(ctx context.Context, r db.Reader, f Filter, limit int) ([]Sale, error) {
	cond, args := []string{"1 = 1"}, []any{}
	and := func(c string, a any) { cond, args = append(cond, c), append(args, a) }
	if f.MemberID != 0 {
		and("member_id = ?", f.MemberID)
	}
	if f.StoreID != 0 {
		and("store_id = ?", f.StoreID)
	}
	if f.Stores != nil {
		and("store_id IN (?)", append(slices.Clone(f.Stores), 0))
	}
	if f.Kind != "" {
		and("kind = ?", f.Kind)
	}
	if f.State != "" {
		and("state = ?", f.State)
	}
	if f.Before != 0 {
		and("id < ?", f.Before)
	}
	query, args, err := db.In(`SELECT `+saleColumns+` FROM sale_sales WHERE `+strings.Join(cond, " AND ")+` ORDER BY id DESC LIMIT ?`, append(args, limit)...)
	if err != nil {
		return nil, err
	}
	return selectSales(ctx, r, query, args...)
}

// Audit compares sales with their refunds and reports each difference in one sentence.
func (s *Service) Audit(ctx context.Context, report func(problem string)) error {
	checks := []struct{ query, say string }{
		{`SELECT id FROM sale_sales WHERE (state IN ('paid', 'refunded')) <> (posting_id <> 0) ORDER BY id`, "sale_sales %d: its state does not fit its posting"},
		{`SELECT id FROM sale_sales WHERE refunded_fen < 0 OR refunded_fen > price_fen OR bonus_back_fen < 0 OR bonus_back_fen > bonus_fen ORDER BY id`, "sale_sales %d: more went back than was paid"},
		{`SELECT id FROM sale_sales WHERE method = 'balance' AND state IN ('paid', 'refunded') AND principal_fen + bonus_fen <> price_fen ORDER BY id`, "sale_sales %d: principal and bonus do not sum to its price"},
		{`SELECT s.id FROM sale_sales s LEFT JOIN sale_refunds r ON r.sale_id = s.id GROUP BY s.id, s.refunded_fen, s.bonus_back_fen
			HAVING COALESCE(SUM(r.amount_fen), 0) <> s.refunded_fen OR COALESCE(SUM(r.bonus_fen), 0) <> s.bonus_back_fen ORDER BY s.id`, "sale_sales %d: its refunds do not sum to what it says went back"},
		{`SELECT id FROM sale_refunds WHERE posting_id = 0 OR (method = 'balance' AND principal_fen + bonus_fen <> amount_fen) ORDER BY id`, "sale_refunds %d: it does not fit what was posted"},
	}
	for _, c := range checks {
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
