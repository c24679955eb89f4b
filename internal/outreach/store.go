package outreach

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// theRule is the id of the one row of outreach_rules.
const theRule = 1

// errElsewhere says that another instance went on meanwhile.
var errElsewhere = errors.New("outreach: somebody else went on")

type ruleRow struct {
	ID            int64  `db:"id"`
	Missed        bool   `db:"missed"`
	SilentDays    int    `db:"silent_days"`
	MinVisits     int    `db:"min_visits"`
	RhythmPercent int    `db:"rhythm_percent"`
	ForgetDays    int    `db:"forget_days"`
	BackDays      int    `db:"back_days"`
	Birthdays     bool   `db:"birthdays"`
	CouponIDs     string `db:"coupon_ids"`
	PriceLi       int    `db:"price_li"`
	UpdatedAt     int64  `db:"updated_at"`
}

func readRule(ctx context.Context, r db.Reader, lock string) (Rule, error) {
	var x ruleRow
	err := r.Get(ctx, &x, `SELECT id, missed, silent_days, min_visits, rhythm_percent, forget_days, back_days, birthdays, coupon_ids, price_li, updated_at FROM outreach_rules WHERE id = ?`+lock, theRule)
	if errors.Is(err, db.ErrNoRows) {
		return DefaultRule(), nil
	}
	if err != nil {
		return Rule{}, err
	}
	out := Rule{Missed: x.Missed, SilentDays: x.SilentDays, MinVisits: x.MinVisits, RhythmPercent: x.RhythmPercent, ForgetDays: x.ForgetDays, BackDays: x.BackDays, Birthdays: x.Birthdays, PriceLi: x.PriceLi}
	return out, json.Unmarshal([]byte(x.CouponIDs), &out.CouponIDs)
}

func saveRule(ctx context.Context, tx *db.Tx, r Rule) error {
	coupons, err := json.Marshal(r.CouponIDs)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `UPDATE outreach_rules SET missed = ?, silent_days = ?, min_visits = ?, rhythm_percent = ?, forget_days = ?, back_days = ?, birthdays = ?, coupon_ids = ?, price_li = ?,
		updated_at = ? WHERE id = ?`, r.Missed, r.SilentDays, r.MinVisits, r.RhythmPercent, r.ForgetDays, r.BackDays, r.Birthdays, string(coupons), r.PriceLi, tx.Millis(), theRule)
	if err != nil || n > 0 {
		return err
	}
	err = tx.Insert(ctx, "outreach_rules", ruleRow{theRule, r.Missed, r.SilentDays, r.MinVisits, r.RhythmPercent, r.ForgetDays, r.BackDays, r.Birthdays, string(coupons), r.PriceLi, tx.Millis()})
	return busy(err)
}

// busy says that somebody else wrote the same row first: what decided is read again.
func busy(err error) error {
	if errors.Is(err, db.ErrDuplicate) {
		return fault.ErrBusyWrite.With(err)
	}
	return err
}

type taskRow struct {
	ID         int64  `db:"id"`
	Kind       string `db:"kind"`
	MemberID   int64  `db:"member_id"`
	StoreID    int64  `db:"store_id"`
	Dedupe     string `db:"dedupe"`
	DueDay     string `db:"due_day"`
	LastDay    string `db:"last_day"`
	Visits     int    `db:"visits"`
	RhythmDays int    `db:"rhythm_days"`
	State      string `db:"state"`
	Outcome    string `db:"outcome"`
	Tries      int    `db:"tries"`
	Note       string `db:"note"`
	TemplateID int64  `db:"template_id"`
	CouponID   int64  `db:"coupon_id"`
	TextedAt   int64  `db:"texted_at"`
	BackDay    string `db:"back_day"`
	StaffID    int64  `db:"staff_id"`
	StaffName  string `db:"staff_name"`
	CreatedAt  int64  `db:"created_at"`
	HandledAt  int64  `db:"handled_at"`
}

const taskColumns = `id, kind, member_id, store_id, dedupe, due_day, last_day, visits, rhythm_days, state, outcome, tries, note, template_id, coupon_id, texted_at, back_day, staff_id,
	staff_name, created_at, handled_at`

func (x taskRow) task() Task {
	return Task{ID: x.ID, Kind: x.Kind, MemberID: x.MemberID, StoreID: x.StoreID, DueDay: x.DueDay, LastDay: x.LastDay, Visits: x.Visits, RhythmDays: x.RhythmDays, State: x.State,
		Outcome: x.Outcome, Tries: x.Tries, Note: x.Note, TemplateID: x.TemplateID, BackDay: x.BackDay, StaffName: x.StaffName, TextedAt: clock.Maybe(x.TextedAt), HandledAt: clock.Maybe(x.HandledAt)}
}

func tasksFrom(rows []taskRow) []Task {
	out := make([]Task, 0, len(rows))
	for _, x := range rows {
		out = append(out, x.task())
	}
	return out
}

// addTasks writes tasks that do not exist yet.
func addTasks(ctx context.Context, tx *db.Tx, tasks []Task) error {
	if len(tasks) == 0 {
		return nil
	}
	keys := make([]string, 0, len(tasks))
	for _, t := range tasks {
		keys = append(keys, t.key())
	}
	query, args, err := db.In(`SELECT dedupe FROM outreach_tasks WHERE dedupe IN (?)`, keys)
	if err != nil {
		return err
	}
	var have []string
	if err := tx.Select(ctx, &have, query, args...); err != nil {
		return err
	}
	known := make(map[string]bool, len(have))
	for _, k := range have {
		known[k] = true
	}
	var rows []taskRow
	for i, t := range tasks {
		if !known[keys[i]] {
			known[keys[i]] = true
			rows = append(rows, taskRow{ID: tx.NewID(), Kind: t.Kind, MemberID: t.MemberID, StoreID: t.StoreID, Dedupe: keys[i], DueDay: t.DueDay, LastDay: t.LastDay, Visits: t.Visits,
				RhythmDays: t.RhythmDays, State: t.State, CreatedAt: tx.Millis()})
		}
	}
	return busy(tx.Insert(ctx, "outreach_tasks", rows))
}

func taskByID(ctx context.Context, r db.Reader, id int64, lock string) (Task, error) {
	var x taskRow
	err := r.Get(ctx, &x, `SELECT `+taskColumns+` FROM outreach_tasks WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		return Task{}, fault.ErrNotFound
	}
	return x.task(), err
}

// tasksOf reads a page of a list: who was lost last first, birthdays in their order.
func tasksOf(ctx context.Context, r db.Reader, f Filter) ([]Task, error) {
	where, args := `kind = ? AND state = ?`, []any{f.Kind, f.State}
	and := func(c string, a ...any) { where, args = where+" AND "+c, append(args, a...) }
	if f.Stores != nil {
		and(`store_id IN (?)`, f.Stores)
	}
	if f.Month != "" {
		and(`due_day >= ? AND due_day <= ?`, f.Month+"-01", f.Month+"-31")
	}
	order, than := `due_day DESC, id DESC`, "<"
	if f.Kind == Birthday {
		order, than = `due_day, id`, ">"
	}
	if f.After.id != 0 {
		and(`(due_day `+than+` ? OR (due_day = ? AND id `+than+` ?))`, f.After.day, f.After.day, f.After.id)
	}
	query, args, err := db.In(`SELECT `+taskColumns+` FROM outreach_tasks WHERE `+where+` ORDER BY `+order+` LIMIT ?`, append(args, f.Limit)...)
	if err != nil {
		return nil, err
	}
	var rows []taskRow
	err = r.Select(ctx, &rows, query, args...)
	return tasksFrom(rows), err
}

// watchedTasks are the lines of members whose coming back would be news.
func watchedTasks(ctx context.Context, r db.Reader, members []int64) ([]Task, error) {
	var rows []taskRow
	err := db.SelectIn(ctx, r, &rows, `SELECT `+taskColumns+` FROM outreach_tasks WHERE member_id IN (?) AND (state = ? OR state = ? AND back_day = '') ORDER BY id`, members, Open, Handled)
	return tasksFrom(rows), err
}

// backTask notes a member's coming back; a line that somebody moved meanwhile is left for the next time.
func backTask(ctx context.Context, tx *db.Tx, t Task, to, day string) error {
	_, err := tx.Exec(ctx, `UPDATE outreach_tasks SET state = ?, back_day = ? WHERE id = ? AND state = ?`, to, day, t.ID, t.State)
	return err
}

// handledTask writes what came of a call; the line is locked. Fault: ErrDone.
func handledTask(ctx context.Context, tx *db.Tx, t Task, staffID, couponID int64) error {
	return tx.ExecOne(ctx, ErrDone, `UPDATE outreach_tasks SET state = ?, outcome = ?, tries = ?, note = ?, template_id = ?, coupon_id = ?, staff_id = ?, staff_name = ?, handled_at = ?
		WHERE id = ? AND state = ?`, t.State, t.Outcome, t.Tries, t.Note, t.TemplateID, couponID, staffID, t.StaffName, clock.MaybeMillis(t.HandledAt), t.ID, Open)
}

// textedTask notes that a text was promised. Fault: ErrTexted.
func textedTask(ctx context.Context, tx *db.Tx, id int64) error {
	return tx.ExecOne(ctx, ErrTexted, `UPDATE outreach_tasks SET texted_at = ? WHERE id = ? AND texted_at = 0`, tx.Millis(), id)
}

func eraseMember(ctx context.Context, tx *db.Tx, memberID int64) error {
	if _, err := tx.Exec(ctx, `UPDATE outreach_tasks SET state = ? WHERE member_id = ? AND state = ?`, Gone, memberID, Open); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE outreach_tasks SET note = '', outcome = '' WHERE member_id = ?`, memberID)
	return err
}

func summaryOf(ctx context.Context, r db.Reader, stores []int64, since int64, month string) (out Summary, err error) {
	scope, more := ``, []any{}
	if stores != nil {
		scope, more = ` AND store_id IN (?)`, []any{stores}
	}
	count := func(to *int, where string, args ...any) {
		if err != nil {
			return
		}
		var query string
		if query, args, err = db.In(`SELECT COUNT(*) FROM outreach_tasks WHERE `+where+scope, append(args, more...)...); err == nil {
			err = r.Get(ctx, to, query, args...)
		}
	}
	count(&out.Missed, `kind = ? AND state = ?`, Missed, Open)
	count(&out.Birthdays, `kind = ? AND state = ? AND due_day >= ? AND due_day <= ?`, Birthday, Open, month+"-01", month+"-31")
	count(&out.BirthdayMet, `kind = ? AND state = ? AND due_day >= ? AND due_day <= ?`, Birthday, Handled, month+"-01", month+"-31")
	count(&out.Handled, `kind = ? AND handled_at >= ?`, Missed, since)
	count(&out.CameBack, `kind = ? AND handled_at >= ? AND back_day <> ''`, Missed, since)
	count(&out.WithCoupon, `kind = ? AND handled_at >= ? AND template_id <> 0`, Missed, since)
	count(&out.CouponBack, `kind = ? AND handled_at >= ? AND template_id <> 0 AND back_day <> ''`, Missed, since)
	count(&out.Unprompted, `kind = ? AND state = ? AND created_at >= ?`, Missed, Back, since)
	return out, err
}

// mark is how far a job has gone through the members.
type mark struct {
	Name  string `db:"name"`
	Day   string `db:"biz_day"`
	After int64  `db:"after_id"`
}

func readMark(ctx context.Context, r db.Reader, name string) (m mark, err error) {
	err = r.Get(ctx, &m, `SELECT name, biz_day, after_id FROM outreach_marks WHERE name = ?`, name)
	if errors.Is(err, db.ErrNoRows) {
		return mark{Name: name}, nil
	}
	return m, err
}

func saveMark(ctx context.Context, tx *db.Tx, m mark) error {
	n, err := tx.Exec(ctx, `UPDATE outreach_marks SET biz_day = ?, after_id = ? WHERE name = ?`, m.Day, m.After, m.Name)
	if err != nil || n > 0 {
		return err
	}
	return busy(tx.Insert(ctx, "outreach_marks", m))
}
