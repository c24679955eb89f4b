package ledger

import (
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/db/dbtest"
)

// Accounts are audited together, and more entries than one read takes are followed over its end.
func TestAuditFollowsLongAccounts(t *testing.T) {
	d, _ := dbtest.New(t)
	var accounts, postings, entries, lots, moves [][]any
	at := dbtest.Start.UnixMilli()
	id := int64(1000)
	next := func() int64 { id++; return id }
	for i, n := range []int{auditBatch + 500, 3, 0, auditBatch + 1, 7} {
		account, member := next(), int64(i+1)
		accounts = append(accounts, []any{account, member, "points", n, 0, n, at})
		for seq := range n {
			p := next()
			postings = append(postings, []any{p, KindPointsGift, member, 0, "2026-11-18", "gift", p, "system", 0, "", "积分", "", at})
			entries = append(entries, []any{next(), p, "member", account, member, "points", 1, seq + 1, seq + 1, at}, []any{next(), p, "points", 0, member, "shop_points", -1, 0, 0, at})
		}
		if n > 0 {
			lot := next()
			lots = append(lots, []any{lot, account, member, "points", id - 1, "gift", 1, n, n, 0, at})
			moves = append(moves, []any{next(), id - 2, lot, n})
		}
	}
	for _, x := range []struct {
		table, columns string
		rows           [][]any
	}{{"ledger_accounts", "id,member_id,unit,balance,held,seq,created_at", accounts},
		{"ledger_postings", "id,kind,member_id,store_id,biz_day,ref_kind,ref_id,actor_kind,actor_id,actor_name,title,memo,created_at", postings},
		{"ledger_entries", "id,posting_id,account,account_id,member_id,unit,amount,balance_after,seq,created_at", entries},
		{"ledger_lots", "id,account_id,member_id,unit,posting_id,ref_kind,ref_id,amount,remaining,expires_at,created_at", lots},
		{"ledger_lot_moves", "id,posting_id,lot_id,amount", moves}} {
		if err := d.Load(t.Context(), x.table, strings.Split(x.columns, ","), x.rows); err != nil {
			t.Fatal(err)
		}
	}
	audit := func() (found []string) {
		if err := Audit(t.Context(), d, func(p string) { found = append(found, p) }, func(int) {}); err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := audit(); len(found) > 0 {
		t.Fatalf("%q", found)
	}
	late := accounts[3][0]
	if _, err := d.SQLDB().ExecContext(t.Context(), `UPDATE ledger_entries SET balance_after = 7 WHERE account_id = ? AND seq = ?`, late, auditBatch+1); err != nil {
		t.Fatal(err)
	}
	if found := audit(); len(found) != 1 || !strings.Contains(found[0], "says balance after 7, recomputed 2001") {
		t.Errorf("%q", found)
	}
}
