package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/liangche/liangche/internal/db"
)

// setMerged makes the accounts of a member, and of those who were merged into them, lead to another.
func setMerged(ctx context.Context, tx *db.Tx, from, into int64) error {
	_, err := tx.Exec(ctx, `UPDATE ledger_accounts SET merged_into = ? WHERE member_id = ? OR merged_into = ?`, into, from, from)
	return err
}

// lead is an account of a member who was merged.
type lead struct {
	MemberID int64 `db:"member_id"`
	Into     int64 `db:"merged_into"`
}

// few is for how many members at once it is asked who was merged into them. Of a longer list (eq_range_index_dive_limit, 200) a server does not look how many
// rows there are of each, it takes the index's average: with almost nobody merged that is half of the table, which it then reads from end to end.
const few = 100

// kin widens a list of members by those who were merged into them, and leaves out those who were merged themselves. whose maps the former to whom they
// were merged into; it is empty where nobody was.
func kin(ctx context.Context, r db.Reader, members []int64) (ask []int64, whose map[int64]int64, err error) {
	if len(members) == 0 {
		return nil, nil, nil
	}
	var rows []lead
	for some := range slices.Chunk(members, few) {
		query, args, err := db.In(`SELECT member_id, merged_into FROM ledger_accounts WHERE merged_into IN (?) AND unit = 'principal'
			UNION SELECT member_id, merged_into FROM ledger_accounts WHERE member_id IN (?) AND unit = 'principal' AND merged_into <> 0`, some, some)
		if err != nil {
			return nil, nil, err
		}
		var part []lead
		if err := r.Select(ctx, &part, query, args...); err != nil {
			return nil, nil, err
		}
		rows = append(rows, part...)
	}
	if len(rows) == 0 {
		return members, nil, nil
	}
	gone, added := map[int64]bool{}, map[int64]int64{}
	for _, x := range rows {
		gone[x.MemberID] = true
		if slices.Contains(members, x.Into) {
			added[x.MemberID] = x.Into
		}
	}
	for _, m := range members {
		if !gone[m] {
			ask = append(ask, m)
		}
	}
	for m := range added {
		ask = append(ask, m)
	}
	return ask, added, nil
}

// families are the members with all who are the same person by merges. whose maps those who were merged to who they are now.
func families(ctx context.Context, r db.Reader, members []int64) (all []int64, whose map[int64]int64, err error) {
	gone, err := selectIn[lead](ctx, r, `SELECT member_id, merged_into FROM ledger_accounts WHERE unit = 'principal' AND merged_into <> 0 AND member_id IN (?)`, members)
	if err != nil {
		return nil, nil, err
	}
	asked, whose := slices.Clone(members), map[int64]int64{}
	for _, x := range gone {
		asked = append(asked, x.Into)
	}
	all = asked
	for some := range slices.Chunk(asked, few) {
		merged, err := selectIn[lead](ctx, r, `SELECT member_id, merged_into FROM ledger_accounts WHERE unit = 'principal' AND merged_into IN (?)`, some)
		if err != nil {
			return nil, nil, err
		}
		for _, x := range merged {
			all, whose[x.MemberID] = append(all, x.MemberID), x.Into
		}
	}
	slices.Sort(all)
	return slices.Compact(all), whose, nil
}

// auditMerged checks that who was merged holds nothing, and that what lies between two members is nothing.
func auditMerged(ctx context.Context, d *db.DB, report func(string)) error {
	var full []int64
	if err := d.Select(ctx, &full, `SELECT id FROM ledger_accounts WHERE merged_into <> 0 AND (balance <> 0 OR held <> 0) ORDER BY id LIMIT 1000`); err != nil {
		return err
	}
	for _, id := range full {
		report(fmt.Sprintf("ledger_accounts %d: its member was merged into another, and it is not empty", id))
	}
	var lost []struct {
		Unit string `db:"unit"`
		Sum  int64  `db:"total"`
	}
	err := d.Select(ctx, &lost, `SELECT unit, SUM(amount) AS total FROM ledger_entries WHERE account = 'merge' GROUP BY unit HAVING SUM(amount) <> 0 ORDER BY unit`)
	for _, x := range lost {
		report(fmt.Sprintf("ledger_entries: the merges of members sum to %d %s, expected 0", x.Sum, x.Unit))
	}
	return err
}
