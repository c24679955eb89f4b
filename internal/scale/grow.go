package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/mariadb"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/migrations"
)

var migrationSet = migrations.FS

// Rows that the past would not have left: they are purged, or they are sums and cursors that a job makes anew. The trail and the messages are
// left out to fit into the memory of a small machine; they are only ever appended, and never read by what is measured.
var notMultiplied = []string{"idem_keys", "jobs_queue", "session_tokens", "ledger_months", "ledger_folds", "audit_log", "notify_", "staff_", "member_attempts", "member_scans", "_cursors", "_runs"}

// template are the rows that some members left, and how to make those of other members of them.
type template struct {
	tables []rows
	ids    map[int64]bool
	people map[int64]int // member id → number of the person
}

type rows struct {
	db.Table
	rows [][]any
}

const idBits = 12 // an id is milliseconds and 12 bits that count

// template lets members live for some days, a month ago, and returns what they left.
func (w *shopfloor) template(ctx context.Context) (*template, error) {
	before, err := w.read(ctx)
	if err != nil {
		return nil, err
	}
	// Everything of a day happens at ten o'clock in China, so that copies some seconds apart share no id and no other day.
	at := w.DB.Now().Add(-30 * day).Truncate(day).Add(2 * time.Hour)
	past := clock.NewManual(at)
	w.clock.Follow(past)
	defer w.clock.Follow(clock.System())
	t := &template{ids: map[int64]bool{}, people: map[int64]int{}}
	guests := make([]guest, templateMembers)
	if err := many(len(guests), 8, func(i int) (err error) { guests[i], err = w.join(ctx, i); return err }); err != nil {
		return nil, err
	}
	for visit := range 2 {
		past.Set(at.Add(time.Duration(7*(visit+1)) * day))
		if err := many(len(guests), 8, func(i int) error {
			g, err := w.quoted(ctx, guests[i])
			if err == nil {
				err = w.settle(ctx, fmt.Sprintf("wash-%d-%08d", visit, i), g)
			}
			return err
		}); err != nil {
			return nil, err
		}
	}
	for i, g := range guests {
		t.people[g.ID] = i
	}
	after, err := w.read(ctx)
	if err != nil {
		return nil, err
	}
	for i, tab := range after {
		old := map[string]bool{}
		for _, r := range before[i].rows {
			old[keyOf(tab.Table, r)] = true
		}
		fresh := rows{Table: tab.Table}
		for _, r := range tab.rows {
			if !old[keyOf(tab.Table, r)] {
				fresh.rows = append(fresh.rows, r)
			}
		}
		if len(fresh.rows) == 0 || skipped(tab.Name) {
			continue
		}
		t.tables = append(t.tables, fresh)
		for _, r := range fresh.rows {
			for j, c := range tab.Columns {
				if id, ok := r[j].(int64); ok && c.Name == "id" {
					t.ids[id] = true
				}
			}
		}
	}
	return t, nil
}

func skipped(table string) bool {
	for _, s := range notMultiplied {
		if strings.HasPrefix(table, s) || strings.HasPrefix(s, "_") && strings.HasSuffix(table, s) {
			return true
		}
	}
	return false
}

func keyOf(t db.Table, row []any) string {
	var b strings.Builder
	for _, k := range t.Key {
		for j, c := range t.Columns {
			if c.Name == k {
				fmt.Fprintf(&b, "%v|", row[j])
			}
		}
	}
	return b.String()
}

// read reads the whole database.
func (w *shopfloor) read(ctx context.Context) ([]rows, error) {
	s, err := w.DB.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	all, err := s.Tables(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]rows, len(all))
	for i, t := range all {
		out[i].Table = t
		if err := s.Pages(ctx, t, func(r [][]any) error { out[i].rows = append(out[i].rows, r...); return nil }); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// grow multiplies the template until there are so many members.
func (s *scale) grow(ctx context.Context, w *shopfloor, at db.Config, t *template, members int) (err error) {
	if at.Driver == db.MySQL { // the copies are as right as the template
		for _, v := range []string{"unique_checks", "foreign_key_checks"} {
			if at.DSN, err = mariadb.Session(at.DSN, v, "0"); err != nil {
				return err
			}
		}
	}
	into, err := db.Open(ctx, at, clock.System())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, into.Close()) }()
	if s.server.pid != 0 { // whoever pulls the plug while a benchmark loads begins anew
		if err := s.admin(ctx, "SET GLOBAL innodb_flush_log_at_trx_commit = 0"); err != nil {
			return err
		}
	}
	copies := members/templateMembers - 1
	begin, count := time.Now(), 0
	const together = 8 // copies in one transaction
	groups := (copies + together - 1) / together
	var todo [][2]int
	for g := groups - 1; g >= 0; g-- { // the oldest first, so that keys are appended
		todo = append(todo, [2]int{g*together + 1, min((g+1)*together, copies)})
	}
	done := make(chan int, len(todo))
	err = many(len(todo), 2, func(i int) error {
		n := 0
		for _, tab := range t.tables {
			var rows [][]any
			for c := todo[i][1]; c >= todo[i][0]; c-- {
				rows = append(rows, t.copied(w, tab, c)...)
			}
			n += len(rows)
			if err := into.Load(ctx, tab.Name, columns(tab.Table), rows); err != nil {
				return err
			}
		}
		done <- n
		if left := len(todo) - len(done); left%50 == 0 && left > 0 {
			s.say("  %d of %d groups of copies are written", len(done), len(todo))
		}
		return nil
	})
	close(done)
	for n := range done {
		count += n
	}
	if err != nil {
		return err
	}
	if s.server.pid != 0 {
		if err := s.admin(ctx, "SET GLOBAL innodb_flush_log_at_trx_commit = 1"); err != nil {
			return err
		}
	}
	took := time.Since(begin).Seconds()
	if took > 1 {
		s.say("%s: %d rows in %.0f s, %.0f a second", s.engine, count, took, float64(count)/took)
	}
	begin = time.Now()
	if err := ledger.Fold(ctx, w.DB); err != nil {
		return err
	}
	var entries, have int64
	for q, n := range map[string]*int64{`SELECT COUNT(*) FROM ledger_entries`: &entries, `SELECT COUNT(*) FROM member_members`: &have} {
		if err := w.DB.Get(ctx, n, q); err != nil {
			return err
		}
	}
	s.fact("%s: %d members, %d entries; %d rows were loaded at %.0f a second; the months of the journal were summed in %.0f s", s.engine, have, entries, count, float64(count)/max(took, 1), time.Since(begin).Seconds())
	return s.settleDown(ctx, w)
}

// settleDown lets the engine write down what was loaded and count what its planner must know.
func (s *scale) settleDown(ctx context.Context, w *shopfloor) error {
	if w.DB.Dialect() == db.SQLite {
		_, err := w.DB.SQLDB().ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
		return err
	}
	var tables []string
	if err := w.DB.Select(ctx, &tables, `SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name`); err != nil {
		return err
	}
	if _, err := w.DB.SQLDB().ExecContext(ctx, `ANALYZE TABLE `+strings.Join(tables, ", ")); err != nil || s.server.pid == 0 {
		return err
	}
	return s.flushed(ctx, w)
}

// flushed waits until MariaDB has written its changed pages: that would be measured otherwise.
func (s *scale) flushed(ctx context.Context, w *shopfloor) error {
	if err := s.admin(ctx, "SET GLOBAL innodb_max_dirty_pages_pct = 0"); err != nil {
		return err
	}
	begin := time.Now()
	for time.Since(begin) < 5*time.Minute {
		var status []struct {
			Name  string `db:"Variable_name"`
			Value int64  `db:"Value"`
		}
		if err := w.DB.Select(ctx, &status, `SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'`); err != nil {
			return err
		}
		if len(status) == 0 || status[0].Value < 2000 {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
	return s.admin(ctx, "SET GLOBAL innodb_max_dirty_pages_pct = 90")
}

func columns(t db.Table) []string {
	out := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		out[i] = c.Name
	}
	return out
}

// copied are the rows of a table for the n-th copy of the template's members: a day or more earlier and some seconds later.
func (t *template) copied(w *shopfloor, tab rows, n int) [][]any {
	days := n % 330
	ms := int64(n)*2000 - int64(days)*day.Milliseconds()
	out := make([][]any, len(tab.rows))
	for i, r := range tab.rows {
		row := make([]any, len(r))
		person := -1
		for j, c := range tab.Columns {
			switch v := r[j].(type) {
			case int64:
				switch {
				case t.ids[v]:
					row[j] = v + ms<<idBits
				case strings.HasSuffix(c.Name, "_at") && v > 1e12:
					row[j] = v + ms
				default:
					row[j] = v
				}
				if tab.Name == "member_members" && c.Name == "id" {
					person = t.people[v] + n*templateMembers
				}
			case string:
				if row[j] = text(c.Name, v, n, days); strings.HasSuffix(c.Name, "_no") && v != "" {
					row[j] = number(v, i, len(tab.rows), n)
				}
			default:
				row[j] = v
			}
		}
		if person >= 0 {
			w.rename(tab.Table, row, person)
		}
		out[i] = row
	}
	return out
}

// rename makes a member another person.
func (w *shopfloor) rename(t db.Table, row []any, person int) {
	p, who := phone(person), name(person)
	sealedName, _ := w.Box.Seal("member.name", who) // sealing with an open keyset cannot fail
	sealedPhone, _ := w.Box.Seal("member.phone", p)
	for j, c := range t.Columns {
		switch c.Name {
		case "name_sealed":
			row[j] = sealedName
		case "name_index":
			row[j] = w.Members.NameIndex(who)
		case "phone_sealed":
			row[j] = sealedPhone
		case "phone_index":
			row[j] = w.Members.PhoneIndex(p)
		case "last4_index":
			row[j] = w.Members.Last4Index(p)
		}
	}
}

// text makes another value of a text where it must differ: numbers of documents, plates, days.
func text(column, v string, n, days int) string {
	switch {
	case column == "biz_day":
		if at, err := time.Parse(time.DateOnly, v); err == nil {
			return at.AddDate(0, 0, -days).Format(time.DateOnly)
		}
	case column == "plate":
		if len(v) > len("沪A") {
			return v[:len("沪A")] + scramble(v[len("沪A"):], n, "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ")
		}
	}
	return v
}

// number is another number of a document for each copy: the first letter sets it apart from those of the template, and the rest counts, scattered
// over all numbers.
func number(v string, i, of, n int) string {
	first := "X"
	if v[0] >= '0' && v[0] <= '9' {
		first = "7"
	}
	cut := max(len(v)-10, 1)
	return first + v[1:cut] + fmt.Sprintf("%010d", (int64(i)+int64(of)*int64(n))*7_368_787%1_0000_000_000)[10-(len(v)-cut):]
}

// scramble is another text of the same length for each n.
func scramble(v string, n int, letters string) string {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(v), uint64(n)))
	out := make([]byte, len(v))
	for i := range out {
		out[i] = letters[int(sum[i%len(sum)])%len(letters)]
	}
	return string(out)
}
