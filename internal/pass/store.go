package pass

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

type passRow struct {
	ID         int64   `db:"id"`
	No         string  `db:"pass_no"`
	PlanID     int64   `db:"plan_id"`
	MemberID   int64   `db:"member_id"`
	PayerID    int64   `db:"payer_id"`
	StoreID    int64   `db:"store_id"`
	SaleID     int64   `db:"sale_id"`
	RenewsID   *int64  `db:"renews_id"`
	Source     string  `db:"source"`
	Dedupe     *string `db:"dedupe"`
	Name       string  `db:"name"`
	Kind       string  `db:"kind"`
	State      string  `db:"state"`
	Terms      string  `db:"terms"`
	PaidFen    int64   `db:"paid_fen"`
	ValueFen   int64   `db:"value_fen"`
	LostFen    int64   `db:"lost_fen"`
	StartsAt   int64   `db:"starts_at"`
	ExpiresAt  int64   `db:"expires_at"`
	UsedAt     int64   `db:"used_at"`
	PausedAt   int64   `db:"paused_at"`
	PauseUntil int64   `db:"pause_until"`
	PausedMs   int64   `db:"paused_ms"`
	PlateAt    int64   `db:"plate_at"`
	RenewOn    bool    `db:"renew_on"`
	RenewNote  string  `db:"renew_note"`
	NoticedAt  int64   `db:"noticed_at"`
	WarnedFor  int64   `db:"warned_for"`
	GiftCode   *string `db:"gift_code"`
	GiftUntil  int64   `db:"gift_until"`
	GivenBy    int64   `db:"given_by"`
	EndPosting int64   `db:"end_posting_id"`
	CreatedAt  int64   `db:"created_at"`
	PaidAt     int64   `db:"paid_at"`
	EndedAt    int64   `db:"ended_at"`
}

const passColumns = `id, pass_no, plan_id, member_id, payer_id, store_id, sale_id, renews_id, source, dedupe, name, kind, state, terms, paid_fen, value_fen, lost_fen, starts_at,
	expires_at, used_at, paused_at, pause_until, paused_ms, plate_at, renew_on, renew_note, noticed_at, warned_for, gift_code, gift_until, given_by, end_posting_id,
	created_at, paid_at, ended_at`

func text(v any) string {
	b, _ := json.Marshal(v) // plain values always marshal
	return string(b)
}

func (r passRow) pass() (Pass, error) {
	p := Pass{ID: r.ID, No: r.No, PlanID: r.PlanID, MemberID: r.MemberID, PayerID: r.PayerID, StoreID: r.StoreID, SaleID: r.SaleID, Source: r.Source, Name: r.Name,
		Kind: r.Kind, State: r.State, PaidFen: money.Fen(r.PaidFen), ValueFen: money.Fen(r.ValueFen), LostFen: money.Fen(r.LostFen), StartsAt: clock.Maybe(r.StartsAt), ExpiresAt: clock.Maybe(r.ExpiresAt), UsedAt: clock.Maybe(r.UsedAt),
		PausedAt: clock.Maybe(r.PausedAt), PauseUntil: clock.Maybe(r.PauseUntil), Paused: time.Duration(r.PausedMs) * time.Millisecond, PlateAt: clock.Maybe(r.PlateAt), RenewOn: r.RenewOn,
		RenewNote: r.RenewNote, NoticedAt: clock.Maybe(r.NoticedAt), GiftUntil: clock.Maybe(r.GiftUntil), GivenBy: r.GivenBy, EndPosting: r.EndPosting, CreatedAt: clock.Maybe(r.CreatedAt),
		PaidAt: clock.Maybe(r.PaidAt), EndedAt: clock.Maybe(r.EndedAt)}
	if r.RenewsID != nil {
		p.RenewsID = *r.RenewsID
	}
	if r.GiftCode != nil {
		p.GiftCode = *r.GiftCode
	}
	return p, json.Unmarshal([]byte(r.Terms), &p.Terms)
}

func insertPass(ctx context.Context, tx *db.Tx, p Pass, dedupe string) error {
	r := passRow{ID: p.ID, No: p.No, PlanID: p.PlanID, MemberID: p.MemberID, PayerID: p.PayerID, StoreID: p.StoreID, SaleID: p.SaleID, Source: p.Source, Name: p.Name, Kind: p.Kind,
		State: p.State, Terms: text(p.Terms), PaidFen: int64(p.PaidFen), ValueFen: int64(p.ValueFen), StartsAt: clock.MaybeMillis(p.StartsAt), ExpiresAt: clock.MaybeMillis(p.ExpiresAt), CreatedAt: clock.MaybeMillis(p.CreatedAt)}
	if p.RenewsID != 0 {
		r.RenewsID = &p.RenewsID
	}
	if dedupe != "" {
		r.Dedupe = &dedupe
	}
	return tx.Insert(ctx, "pass_passes", r)
}

const updatePass = `UPDATE pass_passes SET member_id = ?, state = ?, paid_fen = ?, value_fen = ?, lost_fen = ?, starts_at = ?, expires_at = ?, used_at = ?, paused_at = ?,
	pause_until = ?, paused_ms = ?, plate_at = ?, renew_on = ?, renew_note = ?, noticed_at = ?, gift_code = ?, gift_until = ?, given_by = ?, end_posting_id = ?,
	paid_at = ?, ended_at = ? WHERE id = ?`

func (p Pass) changing() []any {
	var code *string
	if p.GiftCode != "" {
		code = &p.GiftCode
	}
	return []any{p.MemberID, p.State, int64(p.PaidFen), int64(p.ValueFen), int64(p.LostFen), clock.MaybeMillis(p.StartsAt), clock.MaybeMillis(p.ExpiresAt), clock.MaybeMillis(p.UsedAt), clock.MaybeMillis(p.PausedAt),
		clock.MaybeMillis(p.PauseUntil), p.Paused.Milliseconds(), clock.MaybeMillis(p.PlateAt), p.RenewOn, p.RenewNote, clock.MaybeMillis(p.NoticedAt), code, clock.MaybeMillis(p.GiftUntil), p.GivenBy, p.EndPosting,
		clock.MaybeMillis(p.PaidAt), clock.MaybeMillis(p.EndedAt), p.ID}
}

// savePass writes what changes of a pass during its life; the pass is locked.
func savePass(ctx context.Context, tx *db.Tx, p Pass) error {
	return tx.ExecOne(ctx, ErrState, updatePass, p.changing()...)
}

// unfollow lets another pass follow what this one followed.
func unfollow(ctx context.Context, tx *db.Tx, id int64) error {
	_, err := tx.Exec(ctx, `UPDATE pass_passes SET renews_id = NULL WHERE id = ?`, id)
	return err
}

// savePassSoon is savePass together with the other writes of a job.
func savePassSoon(tx *db.Tx, p Pass) { tx.ExecSoon(1, ErrState, updatePass, p.changing()...) }

type lineRow struct {
	ID       int64  `db:"id"`
	PassID   int64  `db:"pass_id"`
	Sort     int64  `db:"sort_no"`
	Title    string `db:"title"`
	Counted  bool   `db:"counted"`
	Times    int64  `db:"times"`
	Left     int64  `db:"left_uses"`
	Lost     int64  `db:"lost_uses"`
	ValueFen int64  `db:"value_fen"`
	LostFen  int64  `db:"lost_fen"`
	ListFen  int64  `db:"list_fen"`
	Services string `db:"service_ids"`
	Goods    string `db:"good_ids"`
}

func insertLines(ctx context.Context, tx *db.Tx, lines []Line) error {
	rows := make([]lineRow, 0, len(lines))
	for _, l := range lines {
		rows = append(rows, lineRow{l.ID, l.PassID, l.Sort, l.Title, l.Counted, l.Times, l.Left, l.Lost, int64(l.ValueFen), int64(l.LostFen), int64(l.ListFen), text(l.ServiceIDs), text(l.GoodIDs)})
	}
	return tx.Insert(ctx, "pass_lines", rows)
}

const updateLine = `UPDATE pass_lines SET times = ?, left_uses = ?, lost_uses = ?, value_fen = ?, lost_fen = ? WHERE id = ?`

// saveLine writes the count of a line; its pass is locked.
func saveLine(ctx context.Context, tx *db.Tx, l Line) error {
	return tx.ExecOne(ctx, ErrState, updateLine, l.Times, l.Left, l.Lost, int64(l.ValueFen), int64(l.LostFen), l.ID)
}

// saveLineSoon is saveLine together with the other writes of a job.
func saveLineSoon(tx *db.Tx, l Line) {
	tx.ExecSoon(1, ErrState, updateLine, l.Times, l.Left, l.Lost, int64(l.ValueFen), int64(l.LostFen), l.ID)
}

// passOfLine finds the pass of a line. Fault: fault.ErrNotFound.
func passOfLine(ctx context.Context, r db.Reader, lineID int64) (id int64, err error) {
	err = r.Get(ctx, &id, `SELECT pass_id FROM pass_lines WHERE id = ?`, lineID)
	if errors.Is(err, db.ErrNoRows) {
		err = fault.ErrNotFound
	}
	return id, err
}

// byClaim finds the pass that a gift code stands for.
func byClaim(ctx context.Context, r db.Reader, code string) (id int64, err error) {
	err = r.Get(ctx, &id, `SELECT id FROM pass_passes WHERE gift_code = ?`, code)
	if errors.Is(err, db.ErrNoRows) {
		err = ErrClaim.On("code", "请核对赠卡码")
	}
	return id, err
}

// byDedupe finds a pass that the shop gave before; 0 when there is none.
func byDedupe(ctx context.Context, r db.Reader, dedupe string) (id int64, err error) {
	err = r.Get(ctx, &id, `SELECT id FROM pass_passes WHERE dedupe = ?`, dedupe)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// bySale finds the pass that a sale began; 0 when there is none.
func bySale(ctx context.Context, r db.Reader, saleID int64) (id int64, err error) {
	err = r.Get(ctx, &id, `SELECT p.id FROM pass_funds f JOIN pass_passes p ON p.id = f.pass_id WHERE f.sale_id = ?`, saleID)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// countOf is how many passes of a plan a member has bought, with all who are the same person by merges; those that were given back are left out, whoever
// holds the others now.
func (s *Service) countOf(ctx context.Context, r db.Reader, planID, memberID int64) (n int64, err error) {
	family, err := s.members.Family(ctx, r, memberID)
	if err != nil {
		return 0, err
	}
	query, args, err := db.In(`SELECT COUNT(*) FROM pass_passes WHERE plan_id = ? AND payer_id IN (?) AND state NOT IN ('void', 'refunded')`, planID, family)
	if err != nil {
		return 0, err
	}
	return n, r.Get(ctx, &n, query, args...)
}

// Owed is what the passes of a member are worth: paid, neither used nor given back. Who leaves has to settle it first.
func (s *Service) Owed(ctx context.Context, memberID int64) (money.Fen, error) {
	var n int64
	err := s.db.Get(ctx, &n, `SELECT COALESCE(SUM(value_fen), 0) FROM pass_passes WHERE member_id = ? AND state IN ('active', 'paused')`, memberID)
	return money.Fen(n), err
}

type plateRow struct {
	ID      int64  `db:"id"`
	PassID  int64  `db:"pass_id"`
	Plate   string `db:"plate"`
	BoundAt int64  `db:"bound_at"`
}

func bindPlate(ctx context.Context, tx *db.Tx, passID int64, plate string) error {
	err := tx.Insert(ctx, "pass_plates", plateRow{tx.NewID(), passID, plate, tx.Millis()})
	if errors.Is(err, db.ErrDuplicate) {
		return ErrPlate.Say("这个车牌已经绑定在这张卡上").On("plate", "重复")
	}
	return err
}

func unbindPlates(ctx context.Context, tx *db.Tx, passID int64, plate string) error {
	if plate == "" {
		_, err := tx.Exec(ctx, `DELETE FROM pass_plates WHERE pass_id = ?`, passID)
		return err
	}
	return tx.ExecOne(ctx, ErrPlate.On("old", "这张卡没有绑定这个车牌"), `DELETE FROM pass_plates WHERE pass_id = ? AND plate = ?`, passID, plate)
}

type useRow struct {
	ID        int64  `db:"id"`
	PassID    int64  `db:"pass_id"`
	LineID    int64  `db:"line_id"`
	OrderID   int64  `db:"order_id"`
	MemberID  int64  `db:"member_id"`
	StoreID   int64  `db:"store_id"`
	ServiceID int64  `db:"service_id"`
	GoodID    int64  `db:"good_id"`
	Qty       int64  `db:"qty"`
	Plate     string `db:"plate"`
	BizDay    string `db:"biz_day"`
	Upgraded  bool   `db:"upgraded"`
	ValueFen  int64  `db:"value_fen"`
	Undone    bool   `db:"undone"`
	CreatedAt int64  `db:"created_at"`
}

const useColumns = `id, pass_id, line_id, order_id, member_id, store_id, service_id, good_id, qty, plate, biz_day, upgraded, value_fen, undone, created_at`

// usesOfOrder reads the live uses of an order, in ascending order of passes.
func usesOfOrder(ctx context.Context, r db.Reader, orderID int64) (rows []useRow, err error) {
	err = r.Select(ctx, &rows, `SELECT `+useColumns+` FROM pass_uses WHERE order_id = ? AND undone = ? ORDER BY pass_id, id`, orderID, false)
	return rows, err
}

func undoUse(ctx context.Context, tx *db.Tx, id int64) error {
	return tx.ExecOne(ctx, ErrState, `UPDATE pass_uses SET undone = ? WHERE id = ? AND undone = ?`, true, id, false)
}

// usesOf pages the uses of a pass, newest first.
func usesOf(ctx context.Context, r db.Reader, passID int64, limit int) (rows []useRow, err error) {
	err = r.Select(ctx, &rows, `SELECT `+useColumns+` FROM pass_uses WHERE pass_id = ? ORDER BY id DESC LIMIT ?`, passID, limit)
	return rows, err
}

type fundRow struct {
	ID        int64  `db:"id"`
	PassID    int64  `db:"pass_id"`
	SaleID    int64  `db:"sale_id"`
	Kind      string `db:"kind"`
	Times     int64  `db:"times"`
	AmountFen int64  `db:"amount_fen"`
	CreatedAt int64  `db:"created_at"`
}

func insertFund(ctx context.Context, tx *db.Tx, passID, saleID int64, kind string, times int64, amount money.Fen) error {
	return tx.Insert(ctx, "pass_funds", fundRow{tx.NewID(), passID, saleID, kind, times, int64(amount), tx.Millis()})
}

func fundsOf(ctx context.Context, r db.Reader, passID int64) (rows []fundRow, err error) {
	err = r.Select(ctx, &rows, `SELECT id, pass_id, sale_id, kind, times, amount_fen, created_at FROM pass_funds WHERE pass_id = ? ORDER BY id`, passID)
	return rows, err
}

type eventRow struct {
	ID        int64  `db:"id"`
	PassID    int64  `db:"pass_id"`
	Kind      string `db:"kind"`
	Detail    string `db:"detail"`
	ActorName string `db:"actor_name"`
	CreatedAt int64  `db:"created_at"`
}

// note writes what happened to a pass into its history.
func note(ctx context.Context, tx *db.Tx, passID int64, kind, detail string) error {
	who := actor.From(ctx)
	name := who.Name
	if who.Kind == actor.Owner {
		name = "车主"
	}
	tx.InsertSoon("pass_events", eventRow{tx.NewID(), passID, kind, db.Clip(detail, 200), db.Clip(name, 64), tx.Millis()})
	return nil
}

func eventsOf(ctx context.Context, r db.Reader, passID int64, limit int) (rows []eventRow, err error) {
	err = r.Select(ctx, &rows, `SELECT id, pass_id, kind, detail, actor_name, created_at FROM pass_events WHERE pass_id = ? ORDER BY id DESC LIMIT ?`, passID, limit)
	return rows, err
}

// keepPlan keeps how a refund was computed.
func keepPlan(ctx context.Context, tx *db.Tx, r RefundPlan) error {
	return tx.Insert(ctx, "pass_refunds", struct {
		ID        int64  `db:"id"`
		PassID    int64  `db:"pass_id"`
		Plan      string `db:"plan"`
		CreatedAt int64  `db:"created_at"`
	}{tx.NewID(), r.PassID, text(r), tx.Millis()})
}

// keptPlan reads how the last refund of a pass was computed. Fault: fault.ErrNotFound.
func keptPlan(ctx context.Context, r db.Reader, passID int64) (plan RefundPlan, err error) {
	var doc string
	err = r.Get(ctx, &doc, `SELECT plan FROM pass_refunds WHERE pass_id = ? ORDER BY id DESC LIMIT 1`, passID)
	if errors.Is(err, db.ErrNoRows) {
		return plan, fault.ErrNotFound
	}
	if err != nil {
		return plan, err
	}
	return plan, json.Unmarshal([]byte(doc), &plan)
}
