package pass

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// passByID reads a pass with lines and plates. bizDay is the day whose uses are counted; "" none. Fault: fault.ErrNotFound.
func passByID(ctx context.Context, r db.Reader, id int64, bizDay, lock string) (Pass, error) {
	list, err := passesWhere(ctx, r, `WHERE id = ?`, lock, bizDay, id)
	if err == nil && len(list) == 0 {
		err = fault.ErrNotFound
	}
	if err != nil {
		return Pass{}, err
	}
	return list[0], nil
}

// usableOf reads the passes that a member holds and that have not ended.
func usableOf(ctx context.Context, r db.Reader, memberID int64, bizDay string) ([]Pass, error) {
	return passesWhere(ctx, r, `WHERE member_id = ? AND state IN ('active', 'paused') ORDER BY id`, "", bizDay, memberID)
}

// heldBy reads the passes of a member, newest first; ended ones too with all.
func heldBy(ctx context.Context, r db.Reader, memberID int64, bizDay string, all bool) ([]Pass, error) {
	if all {
		return passesWhere(ctx, r, `WHERE member_id = ? AND state NOT IN ('pending', 'void') ORDER BY id DESC LIMIT 200`, "", bizDay, memberID)
	}
	return passesWhere(ctx, r, `WHERE member_id = ? AND state IN ('active', 'paused') ORDER BY id DESC LIMIT 200`, "", bizDay, memberID)
}

// ofPlate reads the active passes that a plate is bound to.
func ofPlate(ctx context.Context, r db.Reader, plate, bizDay string) ([]Pass, error) {
	var ids []int64
	if err := r.Select(ctx, &ids, `SELECT pass_id FROM pass_plates WHERE plate = ? ORDER BY pass_id LIMIT 50`, plate); err != nil || len(ids) == 0 {
		return nil, err
	}
	return passesIn(ctx, r, `WHERE id IN (?) AND state = 'active' ORDER BY id`, bizDay, ids)
}

// haveSoon says, with the next db.Tx.Collect, which of several members hold a pass that has not ended.
func haveSoon(tx *db.Tx, members []int64, then func(map[int64]bool)) error {
	query, args, err := db.In(`SELECT DISTINCT member_id FROM pass_passes WHERE member_id IN (?) AND state IN ('active', 'paused')`, members)
	if err != nil {
		return err
	}
	var rows []struct {
		MemberID int64 `db:"member_id"`
	}
	tx.SelectSoon(&rows, func() {
		out := make(map[int64]bool, len(members))
		for _, id := range members {
			out[id] = false
		}
		for _, x := range rows {
			out[x.MemberID] = true
		}
		then(out)
	}, query, args...)
	return nil
}

// filter chooses passes; zero values choose all. before is the id after which the page begins.
type filter struct {
	member, before int64
	state, q       string
}

// listPasses pages passes, newest first.
func listPasses(ctx context.Context, r db.Reader, f filter, limit int) ([]Pass, error) {
	cond, args := []string{"state NOT IN ('pending', 'void')"}, []any{}
	and := func(c string, a ...any) { cond, args = append(cond, c), append(args, a...) }
	if f.member != 0 {
		and("member_id = ?", f.member)
	}
	if f.state != "" {
		and("state = ?", f.state)
	}
	if f.q != "" {
		like := "%" + db.Like(f.q) + "%"
		and("(pass_no = ? OR name LIKE ? ESCAPE '!' OR id IN (SELECT pass_id FROM pass_plates WHERE plate = ?))", strings.ToUpper(f.q), like, strings.ToUpper(f.q))
	}
	if f.before != 0 {
		and("id < ?", f.before)
	}
	return passesWhere(ctx, r, `WHERE `+strings.Join(cond, " AND ")+` ORDER BY id DESC LIMIT ?`, "", "", append(args, limit)...)
}

// passesByID reads several passes.
func passesByID(ctx context.Context, r db.Reader, ids []int64) ([]Pass, error) {
	return passesIn(ctx, r, `WHERE id IN (?) ORDER BY id`, "", ids)
}

// lockPasses is passesByID under lock.
func lockPasses(ctx context.Context, tx *db.Tx, ids []int64) ([]Pass, error) {
	where, args, err := db.In(`WHERE id IN (?) ORDER BY id`, ids)
	if err != nil {
		return nil, err
	}
	return passesWhere(ctx, tx, where, tx.ForUpdate(), "", args...)
}

// holdersOf reads who holds passes, in ascending order.
func holdersOf(ctx context.Context, r db.Reader, ids []int64) (members []int64, err error) {
	err = db.SelectIn(ctx, r, &members, `SELECT DISTINCT member_id FROM pass_passes WHERE id IN (?) ORDER BY member_id`, ids)
	return members, err
}

func passesIn(ctx context.Context, r db.Reader, where, bizDay string, ids []int64) ([]Pass, error) {
	where, args, err := db.In(where, ids)
	if err != nil {
		return nil, err
	}
	return passesWhere(ctx, r, where, "", bizDay, args...)
}

// passesWhere reads passes with lines and plates; where is one of this package's own texts. With a lock the passes' rows are locked: they
// stand for their lines and plates.
func passesWhere(ctx context.Context, r db.Reader, where, lock, bizDay string, args ...any) ([]Pass, error) {
	var rows []passRow
	if err := r.Select(ctx, &rows, `SELECT `+passColumns+` FROM pass_passes `+where+lock, args...); err != nil || len(rows) == 0 {
		return nil, err
	}
	out, ids := make([]Pass, 0, len(rows)), make([]int64, 0, len(rows))
	for _, x := range rows {
		p, err := x.pass()
		if err != nil {
			return nil, err
		}
		out, ids = append(out, p), append(ids, p.ID)
	}
	return out, fillPasses(ctx, r, out, ids, bizDay, lock)
}

func fillPasses(ctx context.Context, r db.Reader, list []Pass, ids []int64, bizDay, lock string) error {
	at := make(map[int64]int, len(list))
	for i, p := range list {
		at[p.ID] = i
	}
	var lines []lineRow
	if err := db.SelectIn(ctx, r, &lines, `SELECT id, pass_id, sort_no, title, counted, times, left_uses, lost_uses, value_fen, lost_fen, list_fen, service_ids, good_ids
		FROM pass_lines WHERE pass_id IN (?) ORDER BY pass_id, sort_no`+lock, ids); err != nil {
		return err
	}
	for _, x := range lines {
		l := Line{ID: x.ID, PassID: x.PassID, Sort: x.Sort, Title: x.Title, Counted: x.Counted, Times: x.Times, Left: x.Left, Lost: x.Lost, ValueFen: money.Fen(x.ValueFen), LostFen: money.Fen(x.LostFen),
			ListFen: money.Fen(x.ListFen)}
		if err := errors.Join(json.Unmarshal([]byte(x.Services), &l.ServiceIDs), json.Unmarshal([]byte(x.Goods), &l.GoodIDs)); err != nil {
			return err
		}
		p := &list[at[x.PassID]]
		p.Lines = append(p.Lines, l)
	}
	var plates []plateRow
	if err := db.SelectIn(ctx, r, &plates, `SELECT id, pass_id, plate, bound_at FROM pass_plates WHERE pass_id IN (?) ORDER BY pass_id, id`+lock, ids); err != nil {
		return err
	}
	for _, x := range plates {
		p := &list[at[x.PassID]]
		p.Plates = append(p.Plates, x.Plate)
	}
	var used []struct {
		PassID int64  `db:"pass_id"`
		LineID int64  `db:"line_id"`
		BizDay string `db:"biz_day"`
		Qty    int64  `db:"qty"`
		LastAt int64  `db:"last_at"`
	}
	if err := db.SelectIn(ctx, r, &used, `SELECT pass_id, line_id, biz_day, SUM(qty) AS qty, MAX(created_at) AS last_at FROM pass_uses WHERE pass_id IN (?) AND undone = ? GROUP BY pass_id, line_id, biz_day`, ids, false); err != nil {
		return err
	}
	for _, x := range used {
		p := &list[at[x.PassID]]
		p.LastUse = later(p.LastUse, clock.FromMillis(x.LastAt))
		for i := range p.Lines {
			if p.Lines[i].ID == x.LineID {
				p.Lines[i].Used += x.Qty
				if x.BizDay == bizDay {
					p.Lines[i].UsedToday += x.Qty
				}
			}
		}
	}
	return nil
}
