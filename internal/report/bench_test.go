package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/id"
	"github.com/liangche/liangche/internal/ledger"
)

// BenchmarkLiability reads the cockpit and the wind-down of a business with 100,000 members, 1,100,000 lots and 2,000,000 entries:
// go test -run '^$' -bench Liability -benchtime 3x ./internal/report
func BenchmarkLiability(b *testing.B) {
	const members, entries = 100_000, 2_000_000
	f := shopfloor.New(b)
	w, err := f.DB.SQLDB().BeginTx(b.Context(), nil)
	shopfloor.Must(b, err)
	now := f.Clock.Now()
	fill := func(table, columns string, n int, row func(i int) []any) {
		const each = 400
		for from := 0; from < n; from += each {
			var q strings.Builder
			var args []any
			for i := from; i < min(from+each, n); i++ {
				values := row(i)
				q.WriteString(",(" + strings.TrimSuffix(strings.Repeat("?,", len(values)), ",") + ")")
				args = append(args, values...)
			}
			_, err := w.ExecContext(b.Context(), `INSERT INTO `+table+` (`+columns+`) VALUES `+q.String()[1:], args...)
			shopfloor.Must(b, err)
		}
	}
	at := func(i, n int) int64 { return now.AddDate(0, -20, 0).UnixMilli() + int64(i)*(600*86_400_000/int64(n)) }
	// A lot's id is made at its instant; those of two kinds do not meet.
	idAt := func(i, n int) int64 { return id.First(time.UnixMilli(at(i, n))) }
	fill("member_members", "id, name_sealed, name_index, phone_sealed, phone_index, last4_index, phone_verified, gender, birthday, status, status_reason, store_id, charter_version, charter_at, joined_at, created_kind, created_by, created_at, updated_at",
		members, func(i int) []any {
			return []any{i + 1, "", "", "", fmt.Sprint(i), "", true, "unknown", "", "active", "", 0, 1, 0, 0, "owner", 0, 0, 0}
		})
	units := []string{"principal", "bonus", "points"}
	fill("ledger_accounts", "id, member_id, unit, balance, held, seq, created_at", 3*members, func(i int) []any {
		return []any{i + 1, i/3 + 1, units[i%3], []int{30000, 3000, 500}[i%3], 0, 1, 0}
	})
	fill("wallet_topups", "id, topup_no, member_id, store_id, plan_id, plan_name, amount_fen, bonus_fen, method, reference, payment_id, state, refunded_fen, bonus_back_fen, posting_id, staff_id, staff_name, biz_day, balance_after, created_at, expires_at",
		3*members, func(i int) []any {
			return []any{i + 1, fmt.Sprint(i), i/3 + 1, 0, 0, "", 10000, 1000, []string{"wechat", "cash", "alipay"}[i%3], "", 0, "credited", 0, 0, 0, 0, "", "2026-01-01", 0, at(i, 3*members), 0}
		})
	fill("ledger_lots", "id, account_id, member_id, unit, posting_id, ref_kind, ref_id, amount, remaining, expires_at, created_at", 6*members, func(i int) []any {
		m := i / 6
		return []any{idAt(i, 6*members), 3*m + 1 + i%2, m + 1, units[i%2], 0, "topup", 3*m + i%6/2 + 1, 10000, []int{10000, 1000}[i%2], 0, at(i, 6*members)}
	})
	fill("ledger_lots", "id, account_id, member_id, unit, posting_id, ref_kind, ref_id, amount, remaining, expires_at, created_at", 5*members, func(i int) []any {
		return []any{idAt(i, 5*members) + 1<<21, 3*(i/5) + 3, i/5 + 1, "points", 0, "order", i, 100, 100, 0, at(i, 5*members)}
	})
	fill("ledger_postings", "id, kind, member_id, store_id, biz_day, ref_kind, ref_id, actor_kind, actor_id, actor_name, title, memo, created_at", 1, func(int) []any {
		return []any{1, "adjust", 1, 0, "2026-01-01", "", 0, "system", 0, "", "", "", 0}
	})
	fill("ledger_entries", "id, posting_id, account, account_id, member_id, unit, amount, balance_after, seq, created_at", entries, func(i int) []any {
		ms := at(i, entries)
		return []any{id.First(now.AddDate(0, -20, 0)) + int64(i), 1, []string{"member", "cash", "revenue", "passes"}[i%4], 0, 0, []string{"principal", "shop", "shop", "shop"}[i%4], 100, 0, 0, ms}
	})
	shopfloor.Must(b, w.Commit())
	s := New(f.DB, f.Shops, f.Members, f.Settings, nil)
	run := func(name string, do func() error) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				shopfloor.Must(b, do())
			}
		})
	}
	run("fold", func() error { return ledger.Fold(b.Context(), f.DB) })
	run("cockpit", func() error { _, err := s.readCockpit(b.Context()); return err })
	run("windDown", func() error { _, err := s.readWindDown(b.Context()); return err })
	run("windDownMembers", func() error { _, _, err := s.WindDownMembers(b.Context(), "", 50); return err })
}
