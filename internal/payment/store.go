package payment

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

type intent struct {
	ID            int64   `db:"id"`
	OutTradeNo    string  `db:"out_trade_no"`
	TransactionID *string `db:"transaction_id"`
	ActiveKey     *string `db:"active_key"`
	Purpose       string  `db:"purpose"`
	SubjectID     int64   `db:"subject_id"`
	App           string  `db:"app"`
	AppID         string  `db:"app_id"`
	TradeType     string  `db:"trade_type"`
	State         string  `db:"state"`
	WechatState   string  `db:"wechat_state"`
	AmountFen     int64   `db:"amount_fen"`
	PaidFen       int64   `db:"paid_fen"`
	RefundedFen   int64   `db:"refunded_fen"`
	OpenID        string  `db:"open_id"`
	Description   string  `db:"description"`
	PrepayID      string  `db:"prepay_id"`
	CodeURL       string  `db:"code_url"`
	SentAt        int64   `db:"sent_at"` // 0 until WeChat is told
	PrepayAt      int64   `db:"prepay_at"`
	StoreID       int64   `db:"store_id"`
	MemberID      int64   `db:"member_id"`
	Alert         string  `db:"alert"`
	Polls         int     `db:"polls"`
	NextCheckAt   int64   `db:"next_check_at"`
	CreatedAt     int64   `db:"created_at"`
	ExpiresAt     int64   `db:"expires_at"`
	PaidAt        *int64  `db:"paid_at"`
}

const intentColumns = `id, out_trade_no, transaction_id, active_key, purpose, subject_id, app, app_id, trade_type, state, wechat_state,
	amount_fen, paid_fen, refunded_fen, open_id, description, prepay_id, code_url, sent_at, prepay_at, store_id, member_id, alert, polls,
	next_check_at, created_at, expires_at, paid_at`

func (p intent) live() bool { return p.State == StateCreated || p.State == StatePrepaid }

func (p intent) payment() Payment {
	out := Payment{ID: p.ID, OutTradeNo: p.OutTradeNo, Purpose: p.Purpose, SubjectID: p.SubjectID, App: p.App, TradeType: p.TradeType,
		State: p.State, WechatState: p.WechatState, AmountFen: money.Fen(p.AmountFen), PaidFen: money.Fen(p.PaidFen),
		RefundedFen: money.Fen(p.RefundedFen), StoreID: p.StoreID, MemberID: p.MemberID, Alert: p.Alert,
		CreatedAt: clock.FromMillis(p.CreatedAt), ExpiresAt: clock.FromMillis(p.ExpiresAt)}
	if p.TransactionID != nil {
		out.TransactionID = *p.TransactionID
	}
	if p.PaidAt != nil {
		out.PaidAt = clock.FromMillis(*p.PaidAt)
	}
	return out
}

type history struct {
	ID        int64  `db:"id"`
	PaymentID int64  `db:"payment_id"`
	At        int64  `db:"at"`
	From      string `db:"from_state"`
	To        string `db:"to_state"`
	By        string `db:"by_name"`
}

type notification struct {
	ID             int64   `db:"id"`
	NotificationID *string `db:"notification_id"` // nil for forged ones, whose id says nothing
	PaymentID      *int64  `db:"payment_id"`
	Kind           string  `db:"kind"`
	Outcome        string  `db:"outcome"`
	Detail         string  `db:"detail"`
	HTTPStatus     int     `db:"http_status"`
	Content        string  `db:"content"`
	At             int64   `db:"at"`
}

// errMoved reports that a guarded change found the row in another state: somebody else was first.
var errMoved = fault.ErrBusyWrite

func getIntent(ctx context.Context, r db.Reader, id int64) (p intent, err error) {
	err = r.Get(ctx, &p, `SELECT `+intentColumns+` FROM payment_intents WHERE id = ?`, id)
	return p, notFound(err)
}

func lockIntent(ctx context.Context, tx *db.Tx, id int64) (p intent, err error) {
	err = tx.Get(ctx, &p, `SELECT `+intentColumns+` FROM payment_intents WHERE id = ?`+tx.ForUpdate(), id)
	return p, notFound(err)
}

// idByNumber finds a payment by our number. Fault: fault.ErrNotFound.
func idByNumber(ctx context.Context, r db.Reader, outTradeNo string) (id int64, err error) {
	err = r.Get(ctx, &id, `SELECT id FROM payment_intents WHERE out_trade_no = ?`, outTradeNo)
	return id, notFound(err)
}

func liveOf(ctx context.Context, r db.Reader, key string) (p intent, err error) {
	err = r.Get(ctx, &p, `SELECT `+intentColumns+` FROM payment_intents WHERE active_key = ?`, key)
	return p, notFound(err)
}

func notFound(err error) error {
	if errors.Is(err, db.ErrNoRows) {
		return fault.ErrNotFound.With(err)
	}
	return err
}

func activeKey(purpose string, subjectID int64) string {
	return fmt.Sprintf("%s:%d", purpose, subjectID)
}

// number makes an out_trade_no or out_refund_no: readable, unique by the id, and with a random tail so that two systems
// that share a merchant number do not meet.
func number(prefix string, id int64) string {
	var b [3]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("%s%d%s", prefix, id, strings.ToUpper(hex.EncodeToString(b[:])))
}

func insertIntent(ctx context.Context, tx *db.Tx, p intent, by string) error {
	if err := tx.Insert(ctx, "payment_intents", p); err != nil {
		return err
	}
	return addHistory(ctx, tx, p.ID, "", p.State, by)
}

func addHistory(ctx context.Context, tx *db.Tx, id int64, from, to, by string) error {
	return tx.Insert(ctx, "payment_history", history{tx.NewID(), id, tx.Millis(), from, to, db.Clip(by, 100)})
}

// markSent notes that WeChat is about to hear of the order: from now on it must be closed there first.
func markSent(ctx context.Context, tx *db.Tx, p intent) error {
	return tx.ExecOne(ctx, errMoved, `UPDATE payment_intents SET sent_at = ? WHERE id = ? AND state = ? AND sent_at = 0`, tx.Millis(), p.ID, p.State)
}

// storePrepay keeps what WeChat gave for the payer; first is true when the order has just become known.
func storePrepay(ctx context.Context, tx *db.Tx, p intent, prepayID, codeURL, by string) (first bool, err error) {
	err = tx.ExecOne(ctx, errMoved, `UPDATE payment_intents SET state = ?, prepay_id = ?, code_url = ?, prepay_at = ?, next_check_at = ?
		WHERE id = ? AND state = ?`, StatePrepaid, prepayID, codeURL, tx.Millis(), tx.Now.Add(nextPoll(0)).UnixMilli(), p.ID, p.State)
	if err != nil || p.State == StatePrepaid {
		return false, err
	}
	return true, addHistory(ctx, tx, p.ID, p.State, StatePrepaid, by)
}

// retryAlert stands on a payment whose money came but whose fulfilment failed.
const retryAlert = "已收款，但入账失败，系统正在重试"

// take writes what was paid and the state that follows. Only a paid payment keeps its hold on the subject.
func take(ctx context.Context, tx *db.Tx, p intent, state, transactionID string, paid money.Fen, at time.Time, alert, by string) error {
	key := p.ActiveKey
	if state != StatePaid {
		key = nil
	}
	err := tx.ExecOne(ctx, errMoved, `UPDATE payment_intents SET state = ?, transaction_id = ?, paid_fen = ?, paid_at = ?, active_key = ?,
		wechat_state = 'SUCCESS', alert = CASE WHEN ? <> '' THEN ? WHEN alert = ? THEN '' ELSE alert END
		WHERE id = ? AND state = ? AND transaction_id IS NULL`,
		state, transactionID, int64(paid), at.UnixMilli(), key, alert, alert, retryAlert, p.ID, p.State)
	if err != nil {
		return err
	}
	return addHistory(ctx, tx, p.ID, p.State, state, by)
}

// move changes the state without money.
func move(ctx context.Context, tx *db.Tx, p intent, state, alert, by string) error {
	err := tx.ExecOne(ctx, errMoved, `UPDATE payment_intents SET state = ?, active_key = NULL, alert = CASE WHEN ? <> '' THEN ? ELSE alert END
		WHERE id = ? AND state = ?`, state, alert, alert, p.ID, p.State)
	if err != nil {
		return err
	}
	return addHistory(ctx, tx, p.ID, p.State, state, by)
}

func setAlert(ctx context.Context, tx *db.Tx, id int64, alert string) error {
	_, err := tx.Exec(ctx, `UPDATE payment_intents SET alert = ? WHERE id = ?`, db.Clip(alert, 300), id)
	return err
}

// noteCheck keeps what WeChat said and when to ask again.
func noteCheck(ctx context.Context, tx *db.Tx, id int64, wechatState string, next time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE payment_intents SET polls = polls + 1, next_check_at = ?,
		wechat_state = CASE WHEN ? <> '' THEN ? ELSE wechat_state END WHERE id = ?`, next.UnixMilli(), wechatState, wechatState, id)
	return err
}

// dueIntents are unfinished payments that nobody has looked at although it was time.
func dueIntents(ctx context.Context, r db.Reader, before int64) (ids []int64, err error) {
	for _, state := range []string{StateCreated, StatePrepaid} {
		var some []int64
		if err := r.Select(ctx, &some, `SELECT id FROM payment_intents WHERE state = ? AND next_check_at < ? ORDER BY next_check_at, id LIMIT 50`,
			state, before); err != nil {
			return nil, err
		}
		ids = append(ids, some...)
	}
	return ids, nil
}

func outcomeOf(ctx context.Context, r db.Reader, notificationID string) (outcome string, err error) {
	err = r.Get(ctx, &outcome, `SELECT outcome FROM payment_notifications WHERE notification_id = ?`, notificationID)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	return outcome, err
}

func decideNotification(ctx context.Context, tx *db.Tx, notificationID string, paymentID int64, outcome, detail string, status int) error {
	var pid *int64
	if paymentID != 0 {
		pid = &paymentID
	}
	// The first decision stands: a copy that came at the same time may have taken it already, and a mismatch stays on
	// record when a right copy follows. Only an order that was unknown may become known.
	_, err := tx.Exec(ctx, `UPDATE payment_notifications SET payment_id = ?, outcome = ?, detail = ?, http_status = ?
		WHERE notification_id = ? AND outcome IN (?, ?)`, pid, outcome, db.Clip(detail, 300), status, notificationID, outcomeReceived, outcomeUnknown)
	return err
}

func countForged(ctx context.Context, r db.Reader, since int64) (n int, err error) {
	err = r.Get(ctx, &n, `SELECT COUNT(*) FROM payment_notifications WHERE outcome = ? AND at > ?`, outcomeForged, since)
	return n, err
}

// filter narrows the console's list. Zero values do not filter.
type filter struct {
	store                int64
	text, state, purpose string
	from, to             int64 // unix ms, to is exclusive
	before               int64 // id
	limit                int
	who                  actor.Actor
}

func listIntents(ctx context.Context, r db.Reader, f filter) (rows []intent, err error) {
	where, args := []string{"1 = 1"}, []any{}
	and := func(cond string, a ...any) { where, args = append(where, cond), append(args, a...) }
	if f.text != "" {
		like := db.Like(f.text) + "%"
		and(`(out_trade_no LIKE ? ESCAPE '!' OR transaction_id LIKE ? ESCAPE '!')`, like, like)
	}
	if f.state != "" {
		and("state = ?", f.state)
	}
	if f.purpose != "" {
		and("purpose = ?", f.purpose)
	}
	if f.from != 0 {
		and("created_at >= ?", f.from)
	}
	if f.to != 0 {
		and("created_at < ?", f.to)
	}
	if f.before != 0 {
		and("id < ?", f.before)
	}
	if f.store != 0 {
		and("store_id = ?", f.store)
	}
	if !f.who.AllStores {
		// A payment of no store was made by an owner online; everybody with the permission may see it.
		and("store_id IN (?)", append([]int64{0}, f.who.Stores...))
	}
	q, args, err := db.In(`SELECT `+intentColumns+` FROM payment_intents WHERE `+strings.Join(where, " AND ")+` ORDER BY id DESC LIMIT ?`,
		append(args, f.limit)...)
	if err != nil {
		return nil, err
	}
	err = r.Select(ctx, &rows, q, args...)
	return rows, err
}

func historyOf(ctx context.Context, r db.Reader, id int64) (rows []history, err error) {
	err = r.Select(ctx, &rows, `SELECT id, payment_id, at, from_state, to_state, by_name FROM payment_history WHERE payment_id = ? ORDER BY id LIMIT 200`, id)
	return rows, err
}

func notificationsOf(ctx context.Context, r db.Reader, id int64) (rows []notification, err error) {
	err = r.Select(ctx, &rows, `SELECT id, notification_id, payment_id, kind, outcome, detail, http_status, content, at FROM payment_notifications
		WHERE payment_id = ? ORDER BY id LIMIT 200`, id)
	return rows, err
}
