package shop

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

const (
	bayColumns = `id, store_id, name, kind, priority, active, sort_no`
	dayColumns = `store_id, biz_day, kind, name, opens, closes, edited`
)

type hourRow struct {
	StoreID int64 `db:"store_id"`
	WeekSpan
}

// readSetup reads how all stores are laid out: a few hundred rows.
func readSetup(ctx context.Context, r db.Reader) (*setup, error) {
	p := &setup{hours: map[int64][]WeekSpan{}, days: map[dayKey]Day{}}
	var hours []hourRow
	var days []Day
	err := r.Select(ctx, &p.bays, `SELECT `+bayColumns+` FROM shop_bays ORDER BY store_id, sort_no, id`)
	if err == nil {
		err = r.Select(ctx, &hours, `SELECT store_id, weekday, opens, closes FROM shop_hours ORDER BY store_id, weekday, opens`)
	}
	if err == nil {
		err = r.Select(ctx, &days, `SELECT `+dayColumns+` FROM shop_days`)
	}
	for _, h := range hours {
		p.hours[h.StoreID] = append(p.hours[h.StoreID], h.WeekSpan)
	}
	for _, d := range days {
		p.days[dayKey{d.StoreID, d.Day}] = d
	}
	return p, err
}

func insertHours(ctx context.Context, tx *db.Tx, storeID int64, spans []WeekSpan) error {
	var rows []hourRow
	for _, w := range spans {
		rows = append(rows, hourRow{storeID, w})
	}
	return tx.Insert(ctx, "shop_hours", rows)
}

// replaceHours writes the hours of a store that is locked and returns those before.
func replaceHours(ctx context.Context, tx *db.Tx, storeID int64, spans []WeekSpan) (old []WeekSpan, err error) {
	err = tx.Select(ctx, &old, `SELECT weekday, opens, closes FROM shop_hours WHERE store_id = ? ORDER BY weekday, opens`, storeID)
	if err != nil {
		return nil, err
	}
	if _, err = tx.Exec(ctx, `DELETE FROM shop_hours WHERE store_id = ?`, storeID); err != nil {
		return nil, err
	}
	return old, insertHours(ctx, tx, storeID, spans)
}

type bayRow struct {
	Bay
	CreatedAt int64 `db:"created_at"`
	UpdatedAt int64 `db:"updated_at"`
}

func bayTaken(err error) error {
	if errors.Is(err, db.ErrDuplicate) {
		return ErrBayName.On("name", "名称已被使用")
	}
	return err
}

func insertBay(ctx context.Context, tx *db.Tx, b Bay) error {
	return bayTaken(tx.Insert(ctx, "shop_bays", bayRow{b, tx.Millis(), tx.Millis()}))
}

func lockBay(ctx context.Context, tx *db.Tx, id int64) (b Bay, err error) {
	err = tx.Get(ctx, &b, `SELECT `+bayColumns+` FROM shop_bays WHERE id = ?`+tx.ForUpdate(), id)
	return b, err
}

func updateBay(ctx context.Context, tx *db.Tx, b Bay) error {
	_, err := tx.Exec(ctx, `UPDATE shop_bays SET name = ?, kind = ?, priority = ?, active = ?, sort_no = ?, updated_at = ? WHERE id = ?`,
		b.Name, b.Kind, b.Priority, b.Active, b.Sort, tx.Millis(), b.ID)
	return bayTaken(err)
}

func readDays(ctx context.Context, r db.Reader, storeID int64, from, to string) ([]Day, error) {
	var out []Day
	err := r.Select(ctx, &out, `SELECT `+dayColumns+` FROM shop_days WHERE store_id IN (0, ?) AND biz_day BETWEEN ? AND ? ORDER BY biz_day, store_id`, storeID, from, to)
	return out, err
}

func lockDay(ctx context.Context, tx *db.Tx, storeID int64, day string) (d Day, found bool, err error) {
	err = tx.Get(ctx, &d, `SELECT `+dayColumns+` FROM shop_days WHERE store_id = ? AND biz_day = ?`+tx.ForUpdate(), storeID, day)
	if errors.Is(err, db.ErrNoRows) {
		return d, false, nil
	}
	return d, err == nil, err
}

// putDay writes a day: the second of two first writes at once replaces the first.
func putDay(ctx context.Context, tx *db.Tx, d Day) error {
	change := func() (int64, error) {
		return tx.Exec(ctx, `UPDATE shop_days SET kind = ?, name = ?, opens = ?, closes = ?, edited = ?, updated_at = ? WHERE store_id = ? AND biz_day = ?`,
			d.Kind, d.Name, d.Opens, d.Closes, d.Edited, tx.Millis(), d.StoreID, d.Day)
	}
	n, err := change()
	if err != nil || n > 0 {
		return err
	}
	type columns Day // embedded as itself it would hide its own field of that name
	err = tx.Insert(ctx, "shop_days", struct {
		columns
		UpdatedAt int64 `db:"updated_at"`
	}{columns(d), tx.Millis()})
	if errors.Is(err, db.ErrDuplicate) {
		_, err = change()
	}
	return err
}

func removeDay(ctx context.Context, tx *db.Tx, storeID int64, day string) error {
	return tx.ExecOne(ctx, fault.ErrNotFound, `DELETE FROM shop_days WHERE store_id = ? AND biz_day = ?`, storeID, day)
}
