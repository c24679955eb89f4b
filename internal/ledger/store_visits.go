package ledger

import (
	"cmp"
	"context"
	"slices"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/money"
)

// Visited is what one settlement that stands was worth on its business date: revenue less what points paid of it.
type Visited struct {
	PostingID int64     `db:"id"`
	MemberID  int64     `db:"member_id"`
	BizDay    string    `db:"biz_day"`
	Fen       money.Fen `db:"fen"`
}

const visited = `SELECT p.id, p.member_id, p.biz_day, e.amount AS fen FROM ledger_postings p
	JOIN ledger_entries e ON e.posting_id = p.id AND e.account IN ('revenue', 'points_paid')
	LEFT JOIN ledger_postings r ON r.reverses_id = p.id WHERE p.kind = 'consume' AND r.id IS NULL AND p.`

// Visits reads the settlements of members that were not reversed, those of each member in the order in which they were made. One that was
// reversed counts on no day at all. A settlement may come in two rows. Those of a member who was merged count for the one that they were merged into.
func Visits(ctx context.Context, r db.Reader, members []int64) (rows []Visited, err error) {
	ask, whose, err := kin(ctx, r, members)
	if err != nil {
		return nil, err
	}
	rows, err = selectIn[Visited](ctx, r, visited+`member_id IN (?) ORDER BY p.member_id, p.id`, ask)
	if len(whose) == 0 {
		return rows, err
	}
	for i := range rows {
		rows[i].MemberID = cmp.Or(whose[rows[i].MemberID], rows[i].MemberID)
	}
	slices.SortStableFunc(rows, func(x, y Visited) int {
		return cmp.Or(cmp.Compare(x.MemberID, y.MemberID), cmp.Compare(x.PostingID, y.PostingID))
	})
	return rows, err
}

// VisitsBy is Visits of some postings: those that are no settlement, or were reversed, are missing.
func VisitsBy(ctx context.Context, r db.Reader, postings []int64) (rows []Visited, err error) {
	return selectIn[Visited](ctx, r, visited+`id IN (?) ORDER BY p.id`, postings)
}

// Happened is that something was posted for a member.
type Happened struct {
	PostingID  int64  `db:"id"`
	MemberID   int64  `db:"member_id"`
	Kind       string `db:"kind"`
	ReversesID *int64 `db:"reverses_id"`
}

// HappenedAfter reads the postings after an id in the order of their ids. Postings of the last moments may be followed by some with lower ids.
func HappenedAfter(ctx context.Context, r db.Reader, after int64, limit int) (rows []Happened, err error) {
	return rows, r.Select(ctx, &rows, `SELECT id, member_id, kind, reverses_id FROM ledger_postings WHERE id > ? ORDER BY id LIMIT ?`, after, limit)
}

// BalancesOf reads what members hold of a unit; who has no account is missing.
func BalancesOf(ctx context.Context, r db.Reader, u Unit, members []int64) (map[int64]int64, error) {
	type row struct {
		MemberID int64 `db:"member_id"`
		Balance  int64 `db:"balance"`
	}
	rows, err := selectIn[row](ctx, r, `SELECT member_id, balance FROM ledger_accounts WHERE unit = ? AND member_id IN (?)`, members, string(u))
	out := make(map[int64]int64, len(rows))
	for _, x := range rows {
		out[x.MemberID] = x.Balance
	}
	return out, err
}

func selectIn[T any](ctx context.Context, r db.Reader, query string, ids []int64, before ...any) (rows []T, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	q, args, err := db.In(query, append(before, ids)...)
	if err == nil {
		err = r.Select(ctx, &rows, q, args...)
	}
	return rows, err
}
