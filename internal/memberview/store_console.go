package memberview

import (
	"context"
	"strings"

	"github.com/liangche/liangche/internal/db"
)

// memberFilter selects and orders the console's list.
type memberFilter struct {
	find    *query // nil: everybody
	status  string
	tierID  int64
	isDef   bool // tierID is the default tier: members without an assignment are in it too
	storeID int64
	sort    string // joinedAt, balance or lastVisit
	desc    bool
	after   *cursor
	limit   int
}

// sortValues are what the list can be ordered by. Each is one number per member, so that pages follow by key.
var sortValues = map[string]string{
	"joinedAt":  `m.joined_at`,
	"balance":   `COALESCE((SELECT SUM(a.balance) FROM ledger_accounts a WHERE a.member_id = m.id AND a.unit IN ('principal', 'bonus')), 0)`,
	"lastVisit": `COALESCE((SELECT MAX(o.settled_at) FROM checkout_orders o WHERE o.member_id = m.id AND o.status = 'settled'), 0)`,
}

type sortedID struct {
	ID    int64 `db:"id"`
	Value int64 `db:"sort_value"`
}

func (s *Service) listMembers(ctx context.Context, f memberFilter) ([]sortedID, error) {
	var q strings.Builder
	var args []any
	q.WriteString(`SELECT x.id, x.sort_value FROM (SELECT m.id, ` + sortValues[f.sort] + ` AS sort_value FROM member_members m`)
	if f.find != nil {
		sql, more := s.hits(*f.find)
		if sql == "" {
			return nil, nil
		}
		q.WriteString(` JOIN (` + sql + `) f ON f.id = m.id`)
		args = append(args, more...)
	}
	if f.tierID != 0 {
		q.WriteString(` LEFT JOIN tier_members t ON t.member_id = m.id`)
	}
	where := []string{`1 = 1`}
	add := func(cond string, arg ...any) { where, args = append(where, cond), append(args, arg...) }
	if f.status != "" {
		add(`m.status = ?`, f.status)
	}
	if f.storeID != 0 {
		add(`m.store_id = ?`, f.storeID)
	}
	switch {
	case f.tierID != 0 && f.isDef:
		add(`(t.tier_id = ? OR t.tier_id IS NULL)`, f.tierID)
	case f.tierID != 0:
		add(`t.tier_id = ?`, f.tierID)
	}
	q.WriteString(` WHERE ` + strings.Join(where, ` AND `) + `) x`)
	dir, cmp := `ASC`, `>`
	if f.desc {
		dir, cmp = `DESC`, `<`
	}
	if f.after != nil {
		q.WriteString(` WHERE (x.sort_value ` + cmp + ` ? OR (x.sort_value = ? AND x.id ` + cmp + ` ?))`)
		args = append(args, f.after.value, f.after.value, f.after.id)
	}
	q.WriteString(` ORDER BY x.sort_value ` + dir + `, x.id ` + dir + ` LIMIT ?`)
	var rows []sortedID
	err := s.db.Select(ctx, &rows, q.String(), append(args, f.limit)...)
	return rows, err
}

type ledgerRow struct {
	ID           int64  `db:"id"`
	PostingID    int64  `db:"posting_id"`
	Unit         string `db:"unit"`
	Amount       int64  `db:"amount"`
	BalanceAfter int64  `db:"balance_after"`
	Kind         string `db:"kind"`
	StoreID      int64  `db:"store_id"`
	BizDay       string `db:"biz_day"`
	RefKind      string `db:"ref_kind"`
	RefID        int64  `db:"ref_id"`
	ReversesID   *int64 `db:"reverses_id"`
	ActorName    string `db:"actor_name"`
	Title        string `db:"title"`
	Memo         string `db:"memo"`
	CreatedAt    int64  `db:"created_at"`
}

// ledgerPage reads the entries on a member's accounts, newest first.
func ledgerPage(ctx context.Context, r db.Reader, memberID int64, unit string, before int64, limit int) ([]ledgerRow, error) {
	q := `SELECT e.id, e.posting_id, e.unit, e.amount, e.balance_after, p.kind, p.store_id, p.biz_day, p.ref_kind, p.ref_id, p.reverses_id,
		p.actor_name, p.title, p.memo, p.created_at FROM ledger_entries e JOIN ledger_postings p ON p.id = e.posting_id
		WHERE e.member_id = ? AND e.account = 'member'`
	args := []any{memberID}
	if unit != "" {
		q, args = q+` AND e.unit = ?`, append(args, unit)
	}
	if before > 0 {
		q, args = q+` AND e.id < ?`, append(args, before)
	}
	var rows []ledgerRow
	err := r.Select(ctx, &rows, q+` ORDER BY e.id DESC LIMIT ?`, append(args, limit)...)
	return rows, err
}

// reversals maps each of the postings that was reversed to the posting that did it.
func reversals(ctx context.Context, r db.Reader, postingIDs []int64) (map[int64]int64, error) {
	var rows []struct {
		ID       int64 `db:"id"`
		Reverses int64 `db:"reverses_id"`
	}
	err := db.SelectIn(ctx, r, &rows, `SELECT id, reverses_id FROM ledger_postings WHERE reverses_id IN (?)`, postingIDs)
	out := make(map[int64]int64, len(rows))
	for _, v := range rows {
		out[v.Reverses] = v.ID
	}
	return out, err
}

type entryKey struct {
	posting int64
	unit    string
}

// memberEntries finds the entries of postings on the member's accounts.
func memberEntries(ctx context.Context, r db.Reader, postingIDs []int64) (map[entryKey]int64, error) {
	var rows []struct {
		ID        int64  `db:"id"`
		PostingID int64  `db:"posting_id"`
		Unit      string `db:"unit"`
	}
	err := db.SelectIn(ctx, r, &rows, `SELECT id, posting_id, unit FROM ledger_entries WHERE posting_id IN (?) AND account = 'member'`, postingIDs)
	out := make(map[entryKey]int64, len(rows))
	for _, v := range rows {
		out[entryKey{v.PostingID, v.Unit}] = v.ID
	}
	return out, err
}

type tally struct {
	Orders   int `db:"orders"`
	Disputes int `db:"disputes"`
}

func countsOf(ctx context.Context, r db.Reader, memberID int64) (t tally, err error) {
	err = r.Get(ctx, &t, `SELECT (SELECT COUNT(*) FROM checkout_orders WHERE member_id = ?) AS orders,
		(SELECT COUNT(*) FROM checkout_disputes WHERE member_id = ?) AS disputes`, memberID, memberID)
	return t, err
}
