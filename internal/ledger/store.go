package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/db"
)

// Guarded changes for db.Tx.AddSoon: a row that the guard refuses is missing from the affected rows.
const (
	changeLots     = `UPDATE ledger_lots SET remaining = remaining + %[1]s WHERE id IN (%[2]s) AND remaining + %[1]s >= 0`
	changeBalances = `UPDATE ledger_accounts SET balance = balance + %[1]s, seq = seq + %[3]s WHERE id IN (%[2]s) AND balance + %[1]s >= held`
	changeHeld     = `UPDATE ledger_accounts SET held = held + %[1]s WHERE id IN (%[2]s) AND held + %[1]s BETWEEN 0 AND balance`
	endHold        = `UPDATE ledger_holds SET state = ? WHERE id = ? AND state = 'held'`
)

type postingRow struct {
	ID         int64  `db:"id"`
	Kind       string `db:"kind"`
	MemberID   int64  `db:"member_id"`
	StoreID    int64  `db:"store_id"`
	BizDay     string `db:"biz_day"`
	RefKind    string `db:"ref_kind"`
	RefID      int64  `db:"ref_id"`
	ReversesID *int64 `db:"reverses_id"`
	ActorKind  string `db:"actor_kind"`
	ActorID    int64  `db:"actor_id"`
	ActorName  string `db:"actor_name"`
	Title      string `db:"title"`
	Memo       string `db:"memo"`
	CreatedAt  int64  `db:"created_at"`
}

// insertPosting writes the head of a posting. A reversal's unique pointer refuses a second one at once (ErrReversed); nothing else can.
func insertPosting(ctx context.Context, tx *db.Tx, p postingRow) error {
	if p.ReversesID == nil {
		tx.InsertSoon("ledger_postings", p)
		return nil
	}
	err := tx.Insert(ctx, "ledger_postings", p)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrReversed
	}
	return err
}

type entryRow struct {
	ID           int64  `db:"id"`
	PostingID    int64  `db:"posting_id"`
	Account      string `db:"account"`
	AccountID    int64  `db:"account_id"`
	MemberID     int64  `db:"member_id"`
	Unit         string `db:"unit"`
	Amount       int64  `db:"amount"`
	BalanceAfter int64  `db:"balance_after"`
	Seq          int64  `db:"seq"`
	CreatedAt    int64  `db:"created_at"`
}

type lotRow struct {
	ID        int64  `db:"id"`
	AccountID int64  `db:"account_id"`
	MemberID  int64  `db:"member_id"`
	Unit      string `db:"unit"`
	PostingID int64  `db:"posting_id"`
	RefKind   string `db:"ref_kind"`
	RefID     int64  `db:"ref_id"`
	Amount    int64  `db:"amount"`
	Remaining int64  `db:"remaining"`
	ExpiresAt int64  `db:"expires_at"`
	CreatedAt int64  `db:"created_at"`
}

func (r lotRow) lot() Lot {
	return Lot{ID: r.ID, AccountID: r.AccountID, Unit: Unit(r.Unit), RefKind: r.RefKind, RefID: r.RefID, Amount: r.Amount,
		Remaining: r.Remaining, ExpiresAt: r.ExpiresAt, CreatedAt: r.CreatedAt}
}

type moveRow struct {
	ID        int64 `db:"id"`
	PostingID int64 `db:"posting_id"`
	LotID     int64 `db:"lot_id"`
	Amount    int64 `db:"amount"`
}

type holdRow struct {
	ID        int64  `db:"id"`
	MemberID  int64  `db:"member_id"`
	RefKind   string `db:"ref_kind"`
	RefID     int64  `db:"ref_id"`
	Principal int64  `db:"principal"`
	Bonus     int64  `db:"bonus"`
	State     string `db:"state"`
	ExpiresAt int64  `db:"expires_at"`
	CreatedAt int64  `db:"created_at"`
}

type accountLot struct {
	ID        int64   `db:"id"`
	MemberID  int64   `db:"member_id"`
	Unit      string  `db:"unit"`
	Balance   int64   `db:"balance"`
	Held      int64   `db:"held"`
	Seq       int64   `db:"seq"`
	Gone      int64   `db:"merged_into"`
	LotID     *int64  `db:"lot_id"`
	RefKind   *string `db:"ref_kind"`
	RefID     *int64  `db:"ref_id"`
	Amount    *int64  `db:"amount"`
	Remaining *int64  `db:"remaining"`
	ExpiresAt *int64  `db:"expires_at"`
	LotAt     *int64  `db:"lot_at"`
}

// readBook locks accounts and open lots in one round trip.
func readBook(ctx context.Context, tx *db.Tx, memberID int64, units []Unit) (*Book, error) {
	books, err := readBooks(ctx, tx, []int64{memberID}, units)
	if err != nil {
		return nil, err
	}
	return books[memberID], nil
}

// readBooks is readBook for several members. The order of lots is made in Go: here it would cost a sort of locked rows.
func readBooks(ctx context.Context, tx *db.Tx, members []int64, units []Unit) (map[int64]*Book, error) {
	return booksOf(ctx, tx, tx.Now, tx.ForUpdate(), members, units)
}

func booksOf(ctx context.Context, r db.Reader, now time.Time, lock string, members []int64, units []Unit) (map[int64]*Book, error) {
	query, args := booksQuery(lock, members, units)
	var rows []accountLot
	if err := r.Select(ctx, &rows, query, args...); err != nil {
		return nil, err
	}
	return booksFrom(rows, now, members), nil
}

func booksQuery(lock string, members []int64, units []Unit) (query string, args []any) {
	for _, m := range members {
		args = append(args, m)
	}
	for _, u := range units {
		args = append(args, string(u))
	}
	return `SELECT a.id, a.member_id, a.unit, a.balance, a.held, a.seq, a.merged_into, l.id AS lot_id, l.ref_kind, l.ref_id, l.amount, l.remaining, l.expires_at,
		l.created_at AS lot_at FROM ledger_accounts a LEFT JOIN ledger_lots l ON l.account_id = a.id AND l.remaining > 0
		WHERE a.member_id IN (` + marks(len(members)) + `) AND a.unit IN (` + marks(len(units)) + `)` + lock, args
}

func booksFrom(rows []accountLot, now time.Time, members []int64) map[int64]*Book {
	books := make(map[int64]*Book, len(members))
	for _, m := range members {
		books[m] = &Book{MemberID: m, now: now, accounts: map[Unit]*Account{}}
	}
	for _, r := range rows {
		b, u := books[r.MemberID], Unit(r.Unit)
		b.gone = r.Gone
		if b.accounts[u] == nil {
			b.accounts[u] = &Account{ID: r.ID, Unit: u, Balance: r.Balance, Held: r.Held, Seq: r.Seq}
		}
		if r.LotID != nil {
			b.lots = append(b.lots, Lot{ID: *r.LotID, AccountID: r.ID, Unit: u, RefKind: *r.RefKind, RefID: *r.RefID, Amount: *r.Amount,
				Remaining: *r.Remaining, ExpiresAt: *r.ExpiresAt, CreatedAt: *r.LotAt})
		}
	}
	for _, b := range books {
		sortLots(b.lots)
	}
	return books
}

func insertAccount(ctx context.Context, tx *db.Tx, memberID int64, u Unit) error {
	_, err := tx.Exec(ctx, `INSERT INTO ledger_accounts (id, member_id, unit, balance, held, seq, created_at) VALUES (?,?,?,0,0,0,?)`,
		tx.NewID(), memberID, string(u), tx.Millis())
	if errors.Is(err, db.ErrDuplicate) {
		return db.ErrAgain // another till opened it first
	}
	return err
}

func entriesOf(ctx context.Context, r db.Reader, postingID int64) (rows []entryRow, err error) {
	err = r.Select(ctx, &rows, `SELECT id, posting_id, account, account_id, member_id, unit, amount, balance_after, seq, created_at
		FROM ledger_entries WHERE posting_id = ? ORDER BY id`, postingID)
	if err == nil && len(rows) == 0 {
		err = db.ErrNoRows
	}
	return rows, err
}

// loadMoved returns the takes that undo a posting's lot moves, and puts lots that it had emptied back into the book. Where the posting is that of a
// member who was merged into the book's, what it took comes back as new lots of the same origin and expiry, and what it brought is taken
// from the lots of that origin. Fault: ErrInsufficient when those hold less.
func loadMoved(ctx context.Context, tx *db.Tx, b *Book, postingID int64) ([]Take, []NewLot, error) {
	var rows []struct {
		lotRow
		Moved int64 `db:"moved"`
	}
	err := tx.Select(ctx, &rows, `SELECT l.id, l.account_id, l.member_id, l.unit, l.posting_id, l.ref_kind, l.ref_id, l.amount, l.remaining, l.expires_at, l.created_at, m.amount AS moved
		FROM ledger_lot_moves m JOIN ledger_lots l ON l.id = m.lot_id WHERE m.posting_id = ? ORDER BY l.id`+tx.ForUpdate(), postingID)
	if err != nil {
		return nil, nil, err
	}
	var takes []Take
	var back []NewLot
	for _, r := range rows {
		switch {
		case r.MemberID == b.MemberID:
		case r.Moved < 0:
			back = append(back, NewLot{RefKind: r.RefKind, RefID: r.RefID, ExpiresAt: r.ExpiresAt, Amount: -r.Moved, unit: Unit(r.Unit)})
			continue
		default:
			same, err := b.takeOrigin(Unit(r.Unit), r.RefKind, r.RefID, r.Moved, takes)
			if err != nil {
				return nil, nil, err
			}
			takes = append(takes, same...)
			continue
		}
		takes = append(takes, Take{r.ID, Unit(r.Unit), r.Moved})
		known := false
		for _, l := range b.lots {
			known = known || l.ID == r.ID
		}
		if !known {
			b.lots = append(b.lots, r.lot())
		}
	}
	sortLots(b.lots)
	return takes, back, nil
}

func readHold(ctx context.Context, tx *db.Tx, refKind string, refID int64) (h holdRow, err error) {
	err = tx.Get(ctx, &h, `SELECT id, member_id, ref_kind, ref_id, principal, bonus, state, expires_at, created_at
		FROM ledger_holds WHERE ref_kind = ? AND ref_id = ?`+tx.ForUpdate(), refKind, refID)
	return h, err
}

// add queues a change of a locked row by a guarded statement.
func add(tx *db.Tx, statement string, id, by int64) {
	tx.AddSoon(statement, ErrInsufficient.With(fmt.Errorf("ledger: a guard refused row %d", id)), id, by)
}

func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }
