package rain

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

// theRule is the id of the one row of rain_rules.
const theRule = 1

// errTaken says that somebody else took a voucher back.
var errTaken = errors.New("rain: the voucher was taken back")

type ruleRow struct {
	ID         int64  `db:"id"`
	Vouchers   bool   `db:"vouchers"`
	TemplateID int64  `db:"template_id"`
	Hours      int    `db:"hours"`
	ServiceIDs string `db:"service_ids"`
	MinFen     int64  `db:"min_fen"`
	PerMonth   int    `db:"per_month"`
	Rebooking  bool   `db:"rebooking"`
	PassDays   int    `db:"pass_days"`
	Automatic  bool   `db:"automatic"`
	UpdatedAt  int64  `db:"updated_at"`
}

func readRule(ctx context.Context, r db.Reader, lock string) (Rule, error) {
	var x ruleRow
	err := r.Get(ctx, &x, `SELECT id, vouchers, template_id, hours, service_ids, min_fen, per_month, rebooking, pass_days, automatic, updated_at FROM rain_rules WHERE id = ?`+lock, theRule)
	if errors.Is(err, db.ErrNoRows) {
		return DefaultRule(), nil
	}
	if err != nil {
		return Rule{}, err
	}
	out := Rule{Vouchers: x.Vouchers, TemplateID: x.TemplateID, Hours: x.Hours, MinFen: money.Fen(x.MinFen), PerMonth: x.PerMonth, Rebooking: x.Rebooking, PassDays: x.PassDays, Automatic: x.Automatic}
	return out, json.Unmarshal([]byte(x.ServiceIDs), &out.ServiceIDs)
}

func saveRule(ctx context.Context, tx *db.Tx, r Rule) error {
	services, err := json.Marshal(r.ServiceIDs)
	if err != nil {
		return err
	}
	x := ruleRow{theRule, r.Vouchers, r.TemplateID, r.Hours, string(services), int64(r.MinFen), r.PerMonth, r.Rebooking, r.PassDays, r.Automatic, tx.Millis()}
	n, err := tx.Exec(ctx, `UPDATE rain_rules SET vouchers = ?, template_id = ?, hours = ?, service_ids = ?, min_fen = ?, per_month = ?, rebooking = ?, pass_days = ?, automatic = ?,
		updated_at = ? WHERE id = ?`, x.Vouchers, x.TemplateID, x.Hours, x.ServiceIDs, x.MinFen, x.PerMonth, x.Rebooking, x.PassDays, x.Automatic, x.UpdatedAt, theRule)
	if err != nil || n > 0 {
		return err
	}
	if err := tx.Insert(ctx, "rain_rules", x); errors.Is(err, db.ErrDuplicate) {
		return fault.ErrBusyWrite.With(err)
	} else if err != nil {
		return err
	}
	return nil
}

type dayRow struct {
	ID         int64   `db:"id"`
	StoreID    int64   `db:"store_id"`
	Date       string  `db:"biz_day"`
	ActiveKey  *string `db:"active_key"`
	FromMinute int     `db:"from_minute"`
	Source     string  `db:"source"`
	Note       string  `db:"note"`
	Rules      string  `db:"rules"`
	State      string  `db:"state"`
	Vouchers   int     `db:"vouchers"`
	Passes     int     `db:"passes"`
	Bookings   int     `db:"bookings"`
	StaffID    int64   `db:"staff_id"`
	StaffName  string  `db:"staff_name"`
	CreatedAt  int64   `db:"created_at"`
	UndoneAt   int64   `db:"undone_at"`
}

const dayColumns = `id, store_id, biz_day, active_key, from_minute, source, note, rules, state, vouchers, passes, bookings, staff_id, staff_name, created_at, undone_at`

func (x dayRow) day() (Day, error) {
	d := Day{ID: x.ID, StoreID: x.StoreID, Date: x.Date, FromMinute: x.FromMinute, Source: x.Source, Note: x.Note, State: x.State, Vouchers: x.Vouchers, Passes: x.Passes,
		Bookings: x.Bookings, StaffName: x.StaffName, CreatedAt: clock.FromMillis(x.CreatedAt), UndoneAt: clock.Maybe(x.UndoneAt)}
	return d, json.Unmarshal([]byte(x.Rules), &d.Rule)
}

func insertDay(ctx context.Context, tx *db.Tx, d Day, staffID int64) error {
	rules, err := json.Marshal(d.Rule)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("%d:%s", d.StoreID, d.Date)
	return tx.Insert(ctx, "rain_days", dayRow{ID: d.ID, StoreID: d.StoreID, Date: d.Date, ActiveKey: &key, FromMinute: d.FromMinute, Source: d.Source, Note: d.Note, Rules: string(rules),
		State: d.State, StaffID: staffID, StaffName: d.StaffName, CreatedAt: tx.Millis()})
}

func readDay(ctx context.Context, r db.Reader, id int64, lock string) (Day, error) {
	var x dayRow
	err := r.Get(ctx, &x, `SELECT `+dayColumns+` FROM rain_days WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		return Day{}, fault.ErrNotFound
	}
	if err != nil {
		return Day{}, err
	}
	return x.day()
}

func daysOf(ctx context.Context, r db.Reader, storeID int64, from, to string) ([]Day, error) {
	var rows []dayRow
	if err := r.Select(ctx, &rows, `SELECT `+dayColumns+` FROM rain_days WHERE store_id = ? AND biz_day >= ? AND biz_day <= ? ORDER BY biz_day, id`, storeID, from, to); err != nil {
		return nil, err
	}
	out := make([]Day, 0, len(rows))
	for _, x := range rows {
		d, err := x.day()
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

func openDays(ctx context.Context, r db.Reader) (ids []int64, err error) {
	err = r.Select(ctx, &ids, `SELECT id FROM rain_days WHERE state = ? ORDER BY id`, Giving)
	return ids, err
}

// countDay adds to what a day gave; its row is locked.
func countDay(ctx context.Context, tx *db.Tx, id int64, vouchers, passes, bookings int) error {
	return tx.ExecOne(ctx, fault.ErrBusyWrite, `UPDATE rain_days SET vouchers = vouchers + ?, passes = passes + ?, bookings = bookings + ? WHERE id = ?`, vouchers, passes, bookings, id)
}

// closeDay ends the giving; a day that was undone meanwhile stays so.
func closeDay(ctx context.Context, tx *db.Tx, id int64) error {
	_, err := tx.Exec(ctx, `UPDATE rain_days SET state = ? WHERE id = ? AND state = ?`, Done, id, Giving)
	return err
}

func undoDay(ctx context.Context, tx *db.Tx, id int64) error {
	return tx.ExecOne(ctx, ErrUndone, `UPDATE rain_days SET state = ?, active_key = NULL, undone_at = ? WHERE id = ? AND state <> ?`, Undone, tx.Millis(), id, Undone)
}

type voucherRow struct {
	ID          int64  `db:"id"`
	DayID       int64  `db:"day_id"`
	OrderID     int64  `db:"order_id"`
	ActiveOrder *int64 `db:"active_order"`
	MemberID    int64  `db:"member_id"`
	Month       string `db:"month"`
	CouponID    int64  `db:"coupon_id"`
	State       string `db:"state"`
	GivenAt     int64  `db:"given_at"`
}

const voucherColumns = `id, day_id, order_id, active_order, member_id, month, coupon_id, state, given_at`

func haveVoucher(ctx context.Context, r db.Reader, orders []int64) (map[int64]bool, error) {
	var ids []int64
	err := db.SelectIn(ctx, r, &ids, `SELECT active_order FROM rain_vouchers WHERE active_order IN (?)`, orders)
	return set(ids), err
}

func set(ids []int64) map[int64]bool {
	out := make(map[int64]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out
}

// vouchersOf counts what a member was given in a month, with all who are the same person by merges.
func (s *Service) vouchersOf(ctx context.Context, r db.Reader, memberID int64, month string) (n int, err error) {
	family, err := s.Members.Family(ctx, r, memberID)
	if err != nil {
		return 0, err
	}
	query, args, err := db.In(`SELECT COUNT(*) FROM rain_vouchers WHERE member_id IN (?) AND month = ? AND state = ?`, family, month, given)
	if err != nil {
		return 0, err
	}
	return n, r.Get(ctx, &n, query, args...)
}

func vouchersOn(ctx context.Context, r db.Reader, dayID int64) (rows []voucherRow, err error) {
	err = r.Select(ctx, &rows, `SELECT `+voucherColumns+` FROM rain_vouchers WHERE day_id = ? AND state = ? ORDER BY id`, dayID, given)
	return rows, err
}

func vouchersSince(ctx context.Context, r db.Reader, since, after int64, limit int) (rows []voucherRow, err error) {
	err = r.Select(ctx, &rows, `SELECT `+voucherColumns+` FROM rain_vouchers WHERE state = ? AND given_at >= ? AND id > ? ORDER BY id LIMIT ?`, given, since, after, limit)
	return rows, err
}

// takeVoucher notes that a voucher does not count any more. Fault: errTaken.
func takeVoucher(ctx context.Context, tx *db.Tx, id int64) error {
	return tx.ExecOne(ctx, errTaken, `UPDATE rain_vouchers SET state = ?, active_order = NULL WHERE id = ? AND state = ?`, takenBack, id, given)
}

type creditRow struct {
	ID        int64   `db:"id"`
	DayID     int64   `db:"day_id"`
	PassID    int64   `db:"pass_id"`
	ActiveKey *string `db:"active_key"`
	Days      int     `db:"days"`
	GivenAt   int64   `db:"given_at"`
}

func creditKey(passID int64, date string) string { return fmt.Sprintf("%d:%s", passID, date) }

func haveCredit(ctx context.Context, r db.Reader, passes []int64, date string) (map[int64]bool, error) {
	if len(passes) == 0 {
		return nil, nil
	}
	keys := make([]string, 0, len(passes))
	for _, id := range passes {
		keys = append(keys, creditKey(id, date))
	}
	query, args, err := db.In(`SELECT pass_id FROM rain_credits WHERE active_key IN (?)`, keys)
	if err != nil {
		return nil, err
	}
	var ids []int64
	err = r.Select(ctx, &ids, query, args...)
	return set(ids), err
}

// creditsOn lists the credits of a day in the order in which passes are locked.
func creditsOn(ctx context.Context, r db.Reader, dayID int64) (rows []creditRow, err error) {
	err = r.Select(ctx, &rows, `SELECT id, day_id, pass_id, active_key, days, given_at FROM rain_credits WHERE day_id = ? AND active_key IS NOT NULL ORDER BY pass_id, id`, dayID)
	return rows, err
}

func freeCredits(ctx context.Context, tx *db.Tx, dayID int64) error {
	_, err := tx.Exec(ctx, `UPDATE rain_credits SET active_key = NULL WHERE day_id = ?`, dayID)
	return err
}

// Audit reports what must never be: a voucher or a credit of a day that was undone, and counts that are not those of the rows.
func (s *Service) Audit(ctx context.Context, report func(string)) error {
	for _, c := range []struct{ query, say string }{
		{`SELECT v.id FROM rain_vouchers v JOIN rain_days d ON d.id = v.day_id WHERE v.state = 'given' AND d.state = 'undone' ORDER BY v.id`, "rain_vouchers %d: counts although its day was undone"},
		{`SELECT c.id FROM rain_credits c JOIN rain_days d ON d.id = c.day_id WHERE c.active_key IS NOT NULL AND d.state = 'undone' ORDER BY c.id`, "rain_credits %d: counts although its day was undone"},
		{`SELECT d.id FROM rain_days d WHERE d.vouchers <> (SELECT COUNT(*) FROM rain_vouchers v WHERE v.day_id = d.id) ORDER BY d.id`, "rain_days %d: gave another number of vouchers than it says"},
		{`SELECT d.id FROM rain_days d WHERE d.passes <> (SELECT COUNT(*) FROM rain_credits c WHERE c.day_id = d.id) ORDER BY d.id`, "rain_days %d: credited another number of passes than it says"},
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
