package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
)

// The checks of this file need no server: some of them look at the database while every server is dead.

// neverRow is a query that must find no row, and what it has found when it does.
type neverRow struct{ what, query string }

// never are queries that must find no row, whatever happened and however much is under way; each names what it found.
var never = []neverRow{
	{"a balance is not the sum of its entries", `SELECT a.id FROM ledger_accounts a WHERE a.balance <> (SELECT COALESCE(SUM(e.amount), 0) FROM ledger_entries e WHERE e.account_id = a.id) ORDER BY a.id`},
	{"a balance is negative, or more is held than there is", `SELECT a.id FROM ledger_accounts a WHERE a.balance < 0 OR a.held < 0 OR a.held > a.balance ORDER BY a.id`},
	{"a running balance was negative", `SELECT e.id FROM ledger_entries e WHERE e.account_id <> 0 AND e.balance_after < 0 ORDER BY e.id`},
	{"a running balance is not exact", `SELECT e.id FROM ledger_entries e LEFT JOIN ledger_entries p ON p.account_id = e.account_id AND p.seq = e.seq - 1
		WHERE e.account_id <> 0 AND (e.balance_after <> COALESCE(p.balance_after, 0) + e.amount OR (e.seq > 1 AND p.id IS NULL)) ORDER BY e.id`},
	{"a posting does not sum to zero", `SELECT p.id FROM ledger_postings p WHERE p.kind IN ('topup', 'consume', 'reversal') AND (SELECT COALESCE(SUM(e.amount), 0) FROM ledger_entries e WHERE e.posting_id = p.id) <> 0 ORDER BY p.id`},
	{"an order or a top-up was posted twice", `SELECT MAX(p.id) FROM ledger_postings p WHERE p.kind IN ('topup', 'consume') GROUP BY p.kind, p.ref_kind, p.ref_id HAVING COUNT(*) > 1`},
	{"a posting was reversed twice", `SELECT MAX(p.id) FROM ledger_postings p WHERE p.reverses_id IS NOT NULL GROUP BY p.reverses_id HAVING COUNT(*) > 1`},
	{"a transaction_id of WeChat paid twice", `SELECT MAX(p.id) FROM payment_intents p WHERE p.transaction_id IS NOT NULL GROUP BY p.transaction_id HAVING COUNT(*) > 1`},
	{"a payment credited two top-ups", `SELECT MAX(t.id) FROM wallet_topups t WHERE t.payment_id <> 0 AND t.state = 'credited' GROUP BY t.payment_id HAVING COUNT(*) > 1`},
	{"two bookings have the same bay or technician at the same time", `SELECT a.booking_id FROM booking_segments a JOIN booking_bookings x ON x.id = a.booking_id AND x.state IN ('held', 'confirmed')
		JOIN booking_segments b ON b.booking_id > a.booking_id AND b.from_cell < a.to_cell AND a.from_cell < b.to_cell AND ((b.bay_id <> 0 AND b.bay_id = a.bay_id) OR (b.technician_id <> 0 AND b.technician_id = a.technician_id))
		JOIN booking_bookings y ON y.id = b.booking_id AND y.state IN ('held', 'confirmed') ORDER BY a.booking_id`},
	{"a booking that holds its time has no cells", `SELECT x.id FROM booking_bookings x WHERE x.state IN ('held', 'confirmed') AND NOT EXISTS (SELECT 1 FROM slot_cells c WHERE c.owner_id = x.id) ORDER BY x.id`},
	{"cells are held for a booking that ended", `SELECT DISTINCT x.id FROM booking_bookings x JOIN slot_cells c ON c.owner_id = x.id WHERE x.state IN ('cancelled', 'expired') ORDER BY x.id`},
	{"a message was promised twice", `SELECT MAX(m.id) FROM notify_messages m WHERE m.event = 'deduction' GROUP BY m.member_id, m.page HAVING COUNT(*) > 1`},
	{"a settled order without its message", `SELECT o.id FROM checkout_orders o WHERE o.status IN ('settled', 'reversed') AND o.member_id <> 0
		AND NOT EXISTS (SELECT 1 FROM notify_messages m WHERE m.dedupe_key = CONCAT('deduction:', o.order_no)) ORDER BY o.id`},
}

// look opens the database beside the servers for the time of f.
func (s *site) look(ctx context.Context, f func(d *db.DB) error) error {
	d, err := db.Open(ctx, s.direct, clock.System())
	if err != nil {
		return err
	}
	return errors.Join(f(d), d.Close())
}

// lookAtRows runs the queries that must find nothing.
func (s *site) lookAtRows(ctx context.Context, d *db.DB, when string) error {
	for _, q := range slices.Concat(never, neverOfBenefits) {
		var ids []int64
		if err := d.Select(ctx, &ids, q.query); err != nil {
			return fmt.Errorf("%s: %w", q.what, err)
		}
		if len(ids) > 0 {
			s.r.find("%s: %s: %d rows, the first is %d", when, q.what, len(ids), ids[0])
		}
	}
	return nil
}

// committed counts the commands among the keys that the database has done.
func committed(ctx context.Context, d *db.DB, keys []string) (n int, err error) {
	for part := range slices.Chunk(keys, 100) {
		query, args, err := db.In(`SELECT COUNT(*) FROM idem_keys WHERE idem_key IN (?)`, part)
		if err != nil {
			return n, err
		}
		var some int
		if err := d.Get(ctx, &some, query, args...); err != nil {
			return n, err
		}
		n += some
	}
	return n, nil
}

// made are what commands make, by their kind.
var made = []struct{ kind, query string }{
	{"order", `SELECT id FROM checkout_orders WHERE status IN ('settled', 'reversed')`},
	{"topup", `SELECT id FROM wallet_topups`},
	{"booking", `SELECT id FROM booking_bookings`},
	{"coupon", `SELECT id FROM coupon_coupons`},
	{"pass", `SELECT id FROM pass_passes`},
	{"exchange", `SELECT id FROM mall_orders`},
}

// compare holds the database against what people know. Nothing may be under way.
func (s *site) compare(ctx context.Context, d *db.DB, when string) error {
	b := s.books
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.open) > 0 {
		s.r.find("%s: %d commands still wait for an answer", when, len(b.open))
	}
	for _, x := range made {
		var ids []int64
		if err := d.Select(ctx, &ids, x.query); err != nil {
			return err
		}
		if n := len(ids); n < b.count[x.kind] || n > b.count[x.kind]+b.begun[x.kind] {
			s.r.find("%s: the database has %d of %s, %d were answered, and %d refused when they were begun already", when, n, x.kind, b.count[x.kind], b.begun[x.kind])
		}
		have := map[int64]bool{}
		for _, id := range ids {
			have[id] = true
		}
		for _, a := range b.acks {
			if a.kind == x.kind && !have[a.result] {
				s.r.find("%s: %s %d was answered to %s and is not there", when, x.kind, a.result, a.key)
			}
		}
	}
	var cards []struct {
		Member  int64 `db:"member_id"`
		Balance int64 `db:"balance"`
		Held    int64 `db:"held"`
	}
	if err := d.Select(ctx, &cards, `SELECT member_id, SUM(balance) AS balance, SUM(held) AS held FROM ledger_accounts WHERE unit IN ('principal', 'bonus') GROUP BY member_id`); err != nil {
		return err
	}
	for _, c := range cards {
		if c.Balance != b.holds[c.Member] || c.Held != 0 {
			s.r.find("%s: member %d has %d fen, of that %d held; by what was answered it must be %d and 0", when, c.Member, c.Balance, c.Held, b.holds[c.Member])
		}
	}
	if len(cards) != len(b.holds) {
		s.r.find("%s: %d cards, want %d", when, len(cards), len(b.holds))
	}
	if err := s.comparePayments(ctx, d, when); err != nil {
		return err
	}
	if err := s.compareBenefits(ctx, d, when); err != nil {
		return err
	}
	return s.compareBookings(ctx, d, when)
}

// comparePayments holds the payments against what people have paid at WeChat. The books are locked.
func (s *site) comparePayments(ctx context.Context, d *db.DB, when string) error {
	var rows []struct {
		No      string `db:"out_trade_no"`
		State   string `db:"state"`
		PaidFen int64  `db:"paid_fen"`
	}
	if err := d.Select(ctx, &rows, `SELECT out_trade_no, state, paid_fen FROM payment_intents`); err != nil {
		return err
	}
	paid := map[string]int64{}
	for _, p := range rows {
		if p.State == "paid" {
			paid[p.No] = p.PaidFen
		}
		if p.PaidFen != s.books.paid[p.No] {
			s.r.find("%s: payment %s is %s with %d fen; at WeChat %d were paid", when, p.No, p.State, p.PaidFen, s.books.paid[p.No])
		}
	}
	if len(paid) != len(s.books.paid) {
		s.r.find("%s: %d payments are paid, at WeChat %d", when, len(paid), len(s.books.paid))
	}
	return nil
}

// compareBookings holds the bookings against what their owners were told last. The books are locked.
func (s *site) compareBookings(ctx context.Context, d *db.DB, when string) error {
	var rows []struct {
		ID    int64  `db:"id"`
		State string `db:"state"`
	}
	if err := d.Select(ctx, &rows, `SELECT id, state FROM booking_bookings`); err != nil {
		return err
	}
	for _, x := range rows {
		told := s.books.booked[x.ID]
		switch {
		case told == nil:
			s.r.find("%s: nobody knows booking %d, which is %s", when, x.ID, x.State)
		case told.state != x.State && !(told.state == "held" && x.State == "expired") && !(s.jumps && told.state == "confirmed" && x.State == "no_show"):
			s.r.find("%s: booking %d is %s, its owner was told %s", when, x.ID, x.State, told.state)
		}
	}
	return nil
}

// undecided counts the messages of which nobody knows yet what becomes of them.
func undecided(ctx context.Context, d *db.DB) (n int, err error) {
	return n, d.Get(ctx, &n, `SELECT COUNT(*) FROM notify_messages WHERE event = 'deduction' AND state IN ('queued', 'held', 'sending')`)
}

// lookAtMessages holds what the log says of messages about orders against what arrived at each persona's phone.
func (s *site) lookAtMessages(ctx context.Context, arrived map[string]int) error {
	return s.look(ctx, func(d *db.DB) error {
		left, err := undecided(ctx, d)
		if err != nil {
			return err
		}
		if left > 0 {
			s.r.find("at the end: %d messages were never decided", left)
		}
		unsure := 0
		for _, o := range s.owners {
			var n struct {
				Sent   int `db:"sent"`
				Unsure int `db:"unsure"`
				All    int `db:"every"`
			}
			if err := d.Get(ctx, &n, `SELECT COALESCE(SUM(CASE WHEN state IN ('sent', 'delivered') THEN 1 ELSE 0 END), 0) AS sent,
				COALESCE(SUM(CASE WHEN state = 'failed' AND detail LIKE '%不确定%' THEN 1 ELSE 0 END), 0) AS unsure, COUNT(*) AS every
				FROM notify_messages WHERE event = 'deduction' AND member_id = ?`, o.member); err != nil {
				return err
			}
			unsure += n.Unsure
			if got := arrived[o.persona]; got < n.Sent || got > n.Sent+n.Unsure {
				s.r.find("at the end: member %d: %d messages arrived, the log says %d and is not sure of %d", o.member, got, n.Sent, n.Unsure)
			}
			// The official account recognises a repeat, so that nothing needs to stay unsure there.
			if !o.mini && n.Sent != n.All {
				var why []string
				if err := d.Select(ctx, &why, `SELECT DISTINCT CONCAT(state, ' ', channel, ' ', detail) FROM notify_messages WHERE event = 'deduction' AND member_id = ? AND state NOT IN ('sent', 'delivered')`, o.member); err != nil {
					return err
				}
				s.r.find("at the end: member %d: %d of %d messages by the official account are sent; the others: %s", o.member, n.Sent, n.All, strings.Join(why, ", "))
			}
		}
		s.r.note("%d messages of which nobody knows whether they arrived, each said so in the log", unsure)
		return nil
	})
}
