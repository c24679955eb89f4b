package payment

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/money"
)

type refund struct {
	ID          int64  `db:"id"`
	PaymentID   int64  `db:"payment_id"`
	OutRefundNo string `db:"out_refund_no"`
	RefundID    string `db:"refund_id"`
	State       string `db:"state"`
	AmountFen   int64  `db:"amount_fen"`
	Reason      string `db:"reason"`
	SubjectKind string `db:"subject_kind"`
	SubjectID   int64  `db:"subject_id"`
	Alert       string `db:"alert"`
	Tries       int    `db:"tries"`
	NextTryAt   int64  `db:"next_try_at"`
	CreatedAt   int64  `db:"created_at"`
	DoneAt      *int64 `db:"done_at"`
	ReplacedBy  int64  `db:"replaced_by"` // the refund that took over after WeChat closed this one, 0 none
}

const refundColumns = `id, payment_id, out_refund_no, refund_id, state, amount_fen, reason, subject_kind, subject_id, alert, tries, next_try_at,
	created_at, done_at, replaced_by`

func (r refund) final() bool { return r.State == RefundSuccess || r.State == RefundClosed }

func (r refund) refund(p intent) Refund {
	out := Refund{ID: r.ID, PaymentID: r.PaymentID, Purpose: p.Purpose, PaymentSubjectID: p.SubjectID, OutRefundNo: r.OutRefundNo,
		RefundID: r.RefundID, State: r.State, AmountFen: money.Fen(r.AmountFen), Reason: r.Reason, SubjectKind: r.SubjectKind,
		SubjectID: r.SubjectID, Alert: r.Alert, CreatedAt: clock.FromMillis(r.CreatedAt)}
	if r.DoneAt != nil {
		out.DoneAt = clock.FromMillis(*r.DoneAt)
	}
	return out
}

func getRefund(ctx context.Context, r db.Reader, id int64) (f refund, err error) {
	err = r.Get(ctx, &f, `SELECT `+refundColumns+` FROM payment_refunds WHERE id = ?`, id)
	return f, notFound(err)
}

func lockRefund(ctx context.Context, tx *db.Tx, id int64) (f refund, err error) {
	err = tx.Get(ctx, &f, `SELECT `+refundColumns+` FROM payment_refunds WHERE id = ?`+tx.ForUpdate(), id)
	return f, notFound(err)
}

func refundByNumber(ctx context.Context, r db.Reader, outRefundNo string) (f refund, err error) {
	err = r.Get(ctx, &f, `SELECT `+refundColumns+` FROM payment_refunds WHERE out_refund_no = ?`, outRefundNo)
	return f, notFound(err)
}

func refundsOf(ctx context.Context, r db.Reader, paymentID int64) (rows []refund, err error) {
	err = r.Select(ctx, &rows, `SELECT `+refundColumns+` FROM payment_refunds WHERE payment_id = ? ORDER BY id`, paymentID)
	return rows, err
}

// reserved is what refunds of the payment took or may still take. The caller holds the payment's lock, so a locking
// read is needed only for the snapshot rule of TiDB.
func reserved(ctx context.Context, tx *db.Tx, paymentID int64) (int64, error) {
	var amounts []int64
	err := tx.Select(ctx, &amounts, `SELECT amount_fen FROM payment_refunds WHERE payment_id = ? AND state <> ?`+tx.ForUpdate(), paymentID, RefundClosed)
	var sum int64
	for _, a := range amounts {
		sum += a
	}
	return sum, err
}

// moveRefund changes the state of a refund and, on success, the payment's sum, which can never exceed what was paid.
func moveRefund(ctx context.Context, tx *db.Tx, f refund, state, refundID, alert string) error {
	var done *int64
	if state == RefundSuccess || state == RefundClosed {
		now := tx.Millis()
		done = &now
	}
	if err := tx.ExecOne(ctx, errMoved, `UPDATE payment_refunds SET state = ?, refund_id = ?, alert = ?, done_at = ?, next_try_at = ?, tries = 0
		WHERE id = ? AND state = ?`, state, refundID, alert, done, tx.Now.Add(nextRefundTry(state, 0)).UnixMilli(), f.ID, f.State); err != nil {
		return err
	}
	if state != RefundSuccess {
		return nil
	}
	return tx.ExecOne(ctx, ErrRefundExceeds, `UPDATE payment_intents SET refunded_fen = refunded_fen + ? WHERE id = ? AND refunded_fen + ? <= paid_fen`,
		f.AmountFen, f.PaymentID, f.AmountFen)
}

// replaceRefund hands a closed refund over to another one, once.
func replaceRefund(ctx context.Context, tx *db.Tx, id, by int64) error {
	return tx.ExecOne(ctx, ErrNotFailed, `UPDATE payment_refunds SET replaced_by = ?, alert = '' WHERE id = ? AND state = 'closed' AND replaced_by = 0`, by, id)
}

// noteTry keeps what became of an attempt that did not change the state. An empty alert keeps the old one.
func noteTry(ctx context.Context, tx *db.Tx, id int64, alert string, next time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE payment_refunds SET tries = tries + 1, next_try_at = ?, alert = CASE WHEN ? <> '' THEN ? ELSE alert END WHERE id = ?`,
		next.UnixMilli(), db.Clip(alert, 300), db.Clip(alert, 300), id)
	return err
}

func dueRefunds(ctx context.Context, r db.Reader, before int64) (ids []int64, err error) {
	for _, state := range []string{RefundPending, RefundProcessing, RefundAbnormal} {
		var some []int64
		if err := r.Select(ctx, &some, `SELECT id FROM payment_refunds WHERE state = ? AND next_try_at < ? ORDER BY next_try_at, id LIMIT 50`,
			state, before); err != nil {
			return nil, err
		}
		ids = append(ids, some...)
	}
	return ids, nil
}
