package wallet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
)

type topupRow struct {
	ID           int64  `db:"id"`
	No           string `db:"topup_no"`
	MemberID     int64  `db:"member_id"`
	StoreID      int64  `db:"store_id"`
	PlanID       int64  `db:"plan_id"`
	PlanName     string `db:"plan_name"`
	AmountFen    int64  `db:"amount_fen"`
	BonusFen     int64  `db:"bonus_fen"`
	Method       string `db:"method"`
	Reference    string `db:"reference"`
	PaymentID    int64  `db:"payment_id"`
	State        string `db:"state"`
	RefundedFen  int64  `db:"refunded_fen"`
	BonusBackFen int64  `db:"bonus_back_fen"`
	PostingID    int64  `db:"posting_id"`
	StaffID      int64  `db:"staff_id"`
	StaffName    string `db:"staff_name"`
	BizDay       string `db:"biz_day"`
	BalanceAfter int64  `db:"balance_after"`
	CreatedAt    int64  `db:"created_at"`
	ExpiresAt    int64  `db:"expires_at"`
	CreditedAt   *int64 `db:"credited_at"`
}

const topupColumns = `id, topup_no, member_id, store_id, plan_id, plan_name, amount_fen, bonus_fen, method, reference, payment_id, state, refunded_fen,
	bonus_back_fen, posting_id, staff_id, staff_name, biz_day, balance_after, created_at, expires_at, credited_at`

func (r topupRow) topup() Topup {
	t := Topup{ID: r.ID, No: r.No, MemberID: r.MemberID, StoreID: r.StoreID, PlanID: r.PlanID, PlanName: r.PlanName, AmountFen: money.Fen(r.AmountFen),
		BonusFen: money.Fen(r.BonusFen), Method: r.Method, Reference: r.Reference, PaymentID: r.PaymentID, State: r.State, RefundedFen: money.Fen(r.RefundedFen),
		BonusBack: money.Fen(r.BonusBackFen), PostingID: r.PostingID, StaffID: r.StaffID, StaffName: r.StaffName, BizDay: r.BizDay,
		BalanceFen: money.Fen(r.BalanceAfter), CreatedAt: clock.FromMillis(r.CreatedAt), ExpiresAt: clock.FromMillis(r.ExpiresAt)}
	if r.CreditedAt != nil {
		t.CreditedAt = clock.FromMillis(*r.CreditedAt)
	}
	return t
}

func insertTopup(ctx context.Context, tx *db.Tx, t Topup) error {
	return tx.Insert(ctx, "wallet_topups", topupRow{ID: t.ID, No: t.No, MemberID: t.MemberID, StoreID: t.StoreID, PlanID: t.PlanID, PlanName: t.PlanName,
		AmountFen: int64(t.AmountFen), BonusFen: int64(t.BonusFen), Method: t.Method, Reference: t.Reference, PaymentID: t.PaymentID, State: t.State,
		StaffID: t.StaffID, StaffName: t.StaffName, BizDay: t.BizDay, CreatedAt: t.CreatedAt.UnixMilli(), ExpiresAt: t.ExpiresAt.UnixMilli()})
}

func topupByID(ctx context.Context, r db.Reader, id int64, lock string) (Topup, error) {
	var row topupRow
	err := r.Get(ctx, &row, `SELECT `+topupColumns+` FROM wallet_topups WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		return Topup{}, fault.ErrNotFound
	}
	return row.topup(), err
}

// topupsOf reads the top-ups that the principal of a book came with: those of a member who was merged into the book's among them.
func topupsOf(ctx context.Context, tx *db.Tx, b *ledger.Book, lock string) ([]Topup, error) {
	var ids []int64
	for _, l := range b.Lots(ledger.Principal) {
		if l.RefKind == "topup" {
			ids = append(ids, l.RefID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	slices.Sort(ids)
	query, args, err := db.In(`SELECT `+topupColumns+` FROM wallet_topups WHERE id IN (?) AND state IN ('credited', 'refunded') ORDER BY id`+lock, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	var rows []topupRow
	err = tx.Select(ctx, &rows, query, args...)
	out := make([]Topup, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.topup())
	}
	return out, err
}

// pendingTx is what the member has begun to top up and may still pay.
func pendingTx(ctx context.Context, tx *db.Tx, memberID int64) (money.Fen, error) {
	var n int64
	err := tx.Get(ctx, &n, `SELECT COALESCE(SUM(amount_fen), 0) FROM wallet_topups WHERE member_id = ? AND state = 'pending' AND expires_at > ?`, memberID, tx.Millis())
	return money.Fen(n), err
}

func closeTopup(ctx context.Context, tx *db.Tx, id int64) error {
	_, err := tx.Exec(ctx, `UPDATE wallet_topups SET state = 'closed' WHERE id = ? AND state = 'pending'`, id)
	return err
}

func markCredited(ctx context.Context, tx *db.Tx, id, posting int64, balance money.Fen, day string) error {
	return tx.ExecOne(ctx, ErrTopupState, `UPDATE wallet_topups SET state = 'credited', posting_id = ?, balance_after = ?, biz_day = ?, credited_at = ?
		WHERE id = ? AND state = 'pending'`, posting, int64(balance), day, tx.Millis(), id)
}

func markRefunded(ctx context.Context, tx *db.Tx, p Part) error {
	n := int64(p.RefundFen)
	if err := tx.ExecOne(ctx, ErrRefundPlan, `UPDATE wallet_topups SET refunded_fen = refunded_fen + ?, bonus_back_fen = bonus_back_fen + ?
		WHERE id = ? AND state = 'credited' AND refunded_fen + ? <= amount_fen`, n, int64(p.BonusBackFen), p.TopupID, n); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE wallet_topups SET state = 'refunded' WHERE id = ? AND refunded_fen = amount_fen`, p.TopupID)
	return err
}

type refundRow struct {
	ID           int64  `db:"id"`
	No           string `db:"refund_no"`
	MemberID     int64  `db:"member_id"`
	StoreID      int64  `db:"store_id"`
	AmountFen    int64  `db:"amount_fen"`
	BonusBackFen int64  `db:"bonus_back_fen"`
	Reason       string `db:"reason"`
	State        string `db:"state"`
	PostingID    int64  `db:"posting_id"`
	StaffID      int64  `db:"staff_id"`
	StaffName    string `db:"staff_name"`
	BizDay       string `db:"biz_day"`
	CreatedAt    int64  `db:"created_at"`
	DoneAt       *int64 `db:"done_at"`
}

type partRow struct {
	ID              int64  `db:"id"`
	RefundID        int64  `db:"refund_id"`
	TopupID         int64  `db:"topup_id"`
	PaymentID       int64  `db:"payment_id"`
	PaymentRefundID int64  `db:"payment_refund_id"`
	Method          string `db:"method"`
	AmountFen       int64  `db:"amount_fen"`
	BonusBackFen    int64  `db:"bonus_back_fen"`
	State           string `db:"state"`
}

func setPartState(ctx context.Context, tx *db.Tx, refundID, paymentID, paymentRefundID int64, state string) (all []string, err error) {
	if _, err := tx.Exec(ctx, `UPDATE wallet_refund_parts SET state = ?, payment_refund_id = ? WHERE refund_id = ? AND payment_id = ?`, state, paymentRefundID, refundID, paymentID); err != nil {
		return nil, err
	}
	err = tx.Select(ctx, &all, `SELECT state FROM wallet_refund_parts WHERE refund_id = ? ORDER BY id`+tx.ForUpdate(), refundID)
	return all, err
}

func setRefundState(ctx context.Context, tx *db.Tx, id int64, state string, doneAt *int64) error {
	_, err := tx.Exec(ctx, `UPDATE wallet_refunds SET state = ?, done_at = ? WHERE id = ?`, state, doneAt, id)
	return err
}

const refundByID = `WHERE id = ?`

// refundsWhere reads refunds; where is one of this package's own constants.
func refundsWhere(ctx context.Context, r db.Reader, where string, args ...any) ([]Refund, error) {
	var rows []refundRow
	err := r.Select(ctx, &rows, `SELECT id, refund_no, member_id, store_id, amount_fen, bonus_back_fen, reason, state, posting_id, staff_id, staff_name, biz_day, created_at, done_at
		FROM wallet_refunds `+where, args...)
	out := make([]Refund, 0, len(rows))
	for _, x := range rows {
		f := Refund{ID: x.ID, No: x.No, MemberID: x.MemberID, StoreID: x.StoreID, AmountFen: money.Fen(x.AmountFen), BonusBackFen: money.Fen(x.BonusBackFen),
			Reason: x.Reason, State: x.State, StaffName: x.StaffName, CreatedAt: clock.FromMillis(x.CreatedAt)}
		if x.DoneAt != nil {
			f.DoneAt = clock.FromMillis(*x.DoneAt)
		}
		out = append(out, f)
	}
	return out, err
}

func partsOf(ctx context.Context, r db.Reader, refundID int64) ([]RefundPart, error) {
	var rows []partRow
	err := r.Select(ctx, &rows, `SELECT id, refund_id, topup_id, payment_id, payment_refund_id, method, amount_fen, bonus_back_fen, state
		FROM wallet_refund_parts WHERE refund_id = ? ORDER BY id`, refundID)
	out := make([]RefundPart, 0, len(rows))
	for _, x := range rows {
		out = append(out, RefundPart{TopupID: x.TopupID, PaymentID: x.PaymentID, Method: x.Method, AmountFen: money.Fen(x.AmountFen),
			BonusBackFen: money.Fen(x.BonusBackFen), State: x.State})
	}
	return out, err
}

// refundFilter chooses refunds; zero values choose all. before is the id after which the page begins.
type refundFilter struct {
	member, store, before int64
	state                 string
}

// listRefunds pages refunds, newest first.
func listRefunds(ctx context.Context, r db.Reader, f refundFilter, limit int) ([]Refund, error) {
	var cond []string
	var args []any
	and := func(c string, a any) { cond, args = append(cond, c), append(args, a) }
	if f.member != 0 {
		and("member_id = ?", f.member)
	}
	if f.store != 0 {
		and("store_id = ?", f.store)
	}
	if f.state != "" {
		and("state = ?", f.state)
	}
	if f.before != 0 {
		and("id < ?", f.before)
	}
	where := ""
	if len(cond) > 0 {
		where = "WHERE " + strings.Join(cond, " AND ")
	}
	return refundsWhere(ctx, r, where+" ORDER BY id DESC LIMIT ?", append(args, limit)...)
}

// KeptOf says what is left of the top-ups that refunds belong to.
func KeptOf(ctx context.Context, r db.Reader, refunds []int64) ([]Kept, error) {
	if len(refunds) == 0 {
		return nil, nil
	}
	query, args, err := db.In(`SELECT DISTINCT t.id, t.posting_id, t.amount_fen, t.refunded_fen FROM wallet_topups t JOIN wallet_refund_parts p ON p.topup_id = t.id WHERE p.refund_id IN (?) ORDER BY t.id`, refunds)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		ID        int64     `db:"id"`
		PostingID int64     `db:"posting_id"`
		Amount    money.Fen `db:"amount_fen"`
		Refunded  money.Fen `db:"refunded_fen"`
	}
	err = r.Select(ctx, &rows, query, args...)
	out := make([]Kept, 0, len(rows))
	for _, x := range rows {
		out = append(out, Kept{x.PostingID, x.Amount, x.Amount - x.Refunded})
	}
	return out, err
}

// Audit compares top-ups and refunds with the journal and reports each difference in one sentence.
func (s *Service) Audit(ctx context.Context, report func(problem string)) error {
	checks := []struct{ query, say string }{
		{`SELECT t.id FROM wallet_topups t WHERE t.state IN ('credited', 'refunded') AND t.posting_id = 0 ORDER BY t.id`, "wallet_topups %d: credited without a posting"},
		{`SELECT t.id FROM wallet_topups t WHERE t.state IN ('pending', 'closed') AND t.posting_id <> 0 ORDER BY t.id`, "wallet_topups %d: has a posting though it was not paid"},
		{`SELECT id FROM wallet_topups WHERE refunded_fen < 0 OR refunded_fen > amount_fen OR bonus_back_fen < 0 OR bonus_back_fen > bonus_fen ORDER BY id`, "wallet_topups %d: more was given back than came in"},
		{`SELECT id FROM wallet_topups WHERE (state = 'refunded') <> (refunded_fen = amount_fen) ORDER BY id`, "wallet_topups %d: its state does not fit what was refunded"},
		{`SELECT t.id FROM wallet_topups t LEFT JOIN wallet_refund_parts p ON p.topup_id = t.id GROUP BY t.id, t.refunded_fen, t.bonus_back_fen
			HAVING COALESCE(SUM(p.amount_fen), 0) <> t.refunded_fen OR COALESCE(SUM(p.bonus_back_fen), 0) <> t.bonus_back_fen ORDER BY t.id`, "wallet_topups %d: the parts of its refunds do not sum to what it says was refunded"},
		{`SELECT r.id FROM wallet_refunds r LEFT JOIN wallet_refund_parts p ON p.refund_id = r.id GROUP BY r.id, r.amount_fen, r.bonus_back_fen
			HAVING COALESCE(SUM(p.amount_fen), 0) <> r.amount_fen OR COALESCE(SUM(p.bonus_back_fen), 0) <> r.bonus_back_fen ORDER BY r.id`, "wallet_refunds %d: its parts do not sum to it"},
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
