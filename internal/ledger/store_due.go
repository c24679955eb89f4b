package ledger

import (
	"context"
	"math"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
)

// Due is an open lot whose expiry lies in a span of time.
type Due struct {
	LotID     int64 `db:"id"`
	MemberID  int64 `db:"member_id"`
	ExpiresAt int64 `db:"expires_at"`
}

// DueLots lists open lots of a unit that expire at or before until (unix ms), oldest expiry first, after the given one; Due{ExpiresAt: n}
// begins with what expires at n. It takes no lock: decide on what LockTx reads.
func DueLots(ctx context.Context, r db.Reader, u Unit, after Due, until int64, limit int) (rows []Due, err error) {
	after.ExpiresAt = max(after.ExpiresAt, 1) // 0 never expires
	err = r.Select(ctx, &rows, `SELECT id, member_id, expires_at FROM ledger_lots
		WHERE unit = ? AND expires_at >= ? AND expires_at <= ? AND (expires_at > ? OR id > ?) AND remaining > 0 ORDER BY expires_at, id LIMIT ?`,
		string(u), after.ExpiresAt, until, after.ExpiresAt, after.LotID, limit)
	return rows, err
}

// Movement is one change of what a member holds of a unit.
type Movement struct {
	Seq    int64
	Kind   string
	Title  string
	Memo   string
	Amount int64
	After  int64
	At     time.Time
}

// Movements lists the changes of a unit of a member, newest first; before is the Seq after which the page begins, 0 for the newest.
func Movements(ctx context.Context, r db.Reader, memberID int64, u Unit, before int64, limit int) ([]Movement, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	var rows []struct {
		Seq    int64  `db:"seq"`
		Kind   string `db:"kind"`
		Title  string `db:"title"`
		Memo   string `db:"memo"`
		Amount int64  `db:"amount"`
		After  int64  `db:"balance_after"`
		At     int64  `db:"created_at"`
	}
	err := r.Select(ctx, &rows, `SELECT e.seq, p.kind, p.title, p.memo, e.amount, e.balance_after, e.created_at
		FROM ledger_accounts a JOIN ledger_entries e ON e.account_id = a.id JOIN ledger_postings p ON p.id = e.posting_id
		WHERE a.member_id = ? AND a.unit = ? AND e.seq < ? ORDER BY e.seq DESC LIMIT ?`, memberID, string(u), before, limit)
	out := make([]Movement, 0, len(rows))
	for _, x := range rows {
		out = append(out, Movement{x.Seq, x.Kind, x.Title, x.Memo, x.Amount, x.After, clock.FromMillis(x.At)})
	}
	return out, err
}
