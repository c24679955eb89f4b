package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/id"
)

// Column is an account as the months are summed: a shop account by its name, or "member" for what all members hold of a unit.
type Column struct {
	Account string
	Unit    Unit
}

// Held is the column of what all members hold of a unit.
func Held(u Unit) Column { return Column{"member", u} }

// Owed is the column of a shop account that counts fen.
func Owed(account string) Column { return Column{account, Shop} }

// Months are the sums of entries by month, "2006-01" by the clock of China.
type Months map[string]map[Column]int64

// Total is the sum of a column over all months: what it comes to now.
func (m Months) Total(c Column) (n int64) {
	for _, by := range m {
		n += by[c]
	}
	return n
}

func (m Months) add(at int64, c Column, n int64) {
	month := bizday.Of(clock.FromMillis(at), bizday.DefaultZone)[:7]
	if m[month] == nil {
		m[month] = map[Column]int64{}
	}
	m[month][c] += n
}

const (
	foldChunk = 5000
	foldAge   = 10 * time.Minute // no transaction lasts so long: below it ids are complete
)

type monthRow struct {
	Month   string `db:"biz_month"`
	Account string `db:"account"`
	Unit    string `db:"unit"`
	Amount  int64  `db:"amount"`
}

type foldEntry struct {
	ID      int64  `db:"id"`
	Account string `db:"account"`
	Unit    string `db:"unit"`
	Amount  int64  `db:"amount"`
	At      int64  `db:"created_at"`
}

// Fold sums what is older than some minutes into the months, in short transactions, each of which goes on where the one before ended. It may
// be stopped at any time, and several may run at once.
func Fold(ctx context.Context, d *db.DB) error {
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := d.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			n, err := foldTx(ctx, tx)
			more = n == foldChunk
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func foldTx(ctx context.Context, tx *db.Tx) (int, error) {
	after, err := foldedTo(ctx, tx, tx.ForUpdate())
	if errors.Is(err, db.ErrNoRows) {
		_, err = tx.Exec(ctx, `INSERT INTO ledger_folds (id, after_id, updated_at) VALUES (1, 0, ?)`, tx.Millis())
		if errors.Is(err, db.ErrDuplicate) {
			return foldChunk, nil // somebody else began: try again
		}
	}
	if err != nil {
		return 0, err
	}
	rows, err := entriesAfter(ctx, tx, after, id.First(tx.Now.Add(-foldAge)))
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	sums := Months{}
	for _, r := range rows {
		sums.add(r.At, Column{r.Account, Unit(r.Unit)}, r.Amount)
	}
	for month, by := range sums {
		for c, n := range by {
			hit, err := tx.Exec(ctx, `UPDATE ledger_months SET amount = amount + ? WHERE biz_month = ? AND account = ? AND unit = ?`, n, month, c.Account, string(c.Unit))
			if err == nil && hit == 0 {
				err = tx.Insert(ctx, "ledger_months", monthRow{month, c.Account, string(c.Unit), n})
			}
			if err != nil {
				return 0, err
			}
		}
	}
	return len(rows), tx.ExecOne(ctx, db.ErrNoRows, `UPDATE ledger_folds SET after_id = ?, updated_at = ? WHERE id = 1`, rows[len(rows)-1].ID, tx.Millis())
}

func foldedTo(ctx context.Context, r db.Reader, lock string) (after int64, err error) {
	err = r.Get(ctx, &after, `SELECT after_id FROM ledger_folds WHERE id = 1`+lock)
	return after, err
}

func entriesAfter(ctx context.Context, r db.Reader, after, below int64) (rows []foldEntry, err error) {
	err = r.Select(ctx, &rows, `SELECT id, account, unit, amount, created_at FROM ledger_entries WHERE id > ? AND id < ? ORDER BY id LIMIT ?`, after, below, foldChunk)
	return rows, err
}

// ReadMonths reads the sums of all months, what is not folded yet included.
func ReadMonths(ctx context.Context, r db.Reader) (Months, error) {
	for {
		m, from, err := folded(ctx, r)
		if err != nil {
			return nil, err
		}
		for after := from; ; {
			rows, err := entriesAfter(ctx, r, after, 1<<62)
			if err != nil {
				return nil, err
			}
			for _, e := range rows {
				m.add(e.At, Column{e.Account, Unit(e.Unit)}, e.Amount)
			}
			if len(rows) < foldChunk {
				break
			}
			after = rows[len(rows)-1].ID
		}
		now, err := foldedTo(ctx, r, "")
		if errors.Is(err, db.ErrNoRows) {
			now, err = 0, nil
		}
		if err != nil || now == from {
			return m, err
		}
	}
}

// folded are the sums with the entry that they reach to. Each fold moves both, so that they fit when the entry is the same before and after.
func folded(ctx context.Context, r db.Reader) (Months, int64, error) {
	from, err := foldedTo(ctx, r, "")
	if errors.Is(err, db.ErrNoRows) {
		return Months{}, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	var rows []monthRow
	err = r.Select(ctx, &rows, `SELECT biz_month, account, unit, amount FROM ledger_months`)
	m := Months{}
	for _, x := range rows {
		if m[x.Month] == nil {
			m[x.Month] = map[Column]int64{}
		}
		m[x.Month][Column{x.Account, Unit(x.Unit)}] = x.Amount
	}
	return m, from, err
}

// auditMonths compares the months with the entries that they were summed from.
func auditMonths(ctx context.Context, d *db.DB, report func(string)) error {
	from, err := foldedTo(ctx, d, "")
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	var sums, months []struct {
		Account string `db:"account"`
		Unit    string `db:"unit"`
		Amount  int64  `db:"amount"`
	}
	if err := d.Select(ctx, &sums, `SELECT account, unit, SUM(amount) AS amount FROM ledger_entries WHERE id <= ? GROUP BY account, unit`, from); err != nil {
		return err
	}
	if err := d.Select(ctx, &months, `SELECT account, unit, SUM(amount) AS amount FROM ledger_months GROUP BY account, unit`); err != nil {
		return err
	}
	if now, err := foldedTo(ctx, d, ""); err != nil || now != from {
		return err // a fold ran meanwhile: the next audit compares
	}
	have := map[Column]int64{}
	for _, m := range months {
		have[Column{m.Account, Unit(m.Unit)}] = m.Amount
	}
	for _, e := range sums {
		c := Column{e.Account, Unit(e.Unit)}
		if have[c] != e.Amount {
			report(fmt.Sprintf("ledger_months %s %s: the months sum to %d, the entries to %d", e.Account, e.Unit, have[c], e.Amount))
		}
		delete(have, c)
	}
	for c, n := range have {
		if n != 0 {
			report(fmt.Sprintf("ledger_months %s %s: the months sum to %d without entries", c.Account, c.Unit, n))
		}
	}
	return nil
}
