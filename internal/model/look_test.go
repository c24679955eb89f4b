package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/db"
)

// compare reads what the system holds of this history's members and store and fails where the model holds something else.
func (h *history) compare() {
	have, want := h.holds(), h.booked()
	slices.Sort(have)
	slices.Sort(want)
	if slices.Equal(have, want) {
		return
	}
	var out []string
	for _, l := range want {
		if !slices.Contains(have, l) {
			out = append(out, "  model:  "+l)
		}
	}
	for _, l := range have {
		if !slices.Contains(want, l) {
			out = append(out, "  system: "+l)
		}
	}
	h.fail("the system holds something else than the model:\n%s", strings.Join(out, "\n"))
}

// booked are the model's books as lines.
func (h *history) booked() (out []string) {
	line := func(n int64, format string, args ...any) {
		if n != 0 {
			out = append(out, fmt.Sprintf(format, args...)+fmt.Sprintf(": %d", n))
		}
	}
	left := map[*topup]part{}
	for _, p := range h.people {
		for _, c := range p.wallet {
			of := left[c.of]
			of.add(c.bonus, c.left)
			left[c.of] = of
		}
		b := p.balance()
		line(b.principal, "member %d principal", p.id)
		line(b.bonus, "member %d bonus", p.id)
		line(p.held.principal, "member %d principal held", p.id)
		line(p.held.bonus, "member %d bonus held", p.id)
		line(p.allPoints(), "member %d points", p.id)
		line(p.debt, "member %d points_debt", p.id)
		var uses int64
		for _, c := range p.passes {
			uses += c.left
		}
		line(uses, "member %d uses", p.id)
		if p.silver {
			out = append(out, fmt.Sprintf("member %d is in tier %d", p.id, h.catalog.silver))
		}
	}
	for _, t := range h.topups {
		out = append(out, fmt.Sprintf("top-up %d is %s, %d and %d went back", t.id, t.state, t.refunded.principal, t.refunded.bonus))
		line(left[t].principal, "top-up %d principal", t.id)
		line(left[t].bonus, "top-up %d bonus", t.id)
	}
	for _, o := range h.orders {
		out = append(out, fmt.Sprintf("order %d of %d is %s", o.id, o.fen, o.status))
		if n := o.tenders[checkout.TenderGroup]; n > 0 && o.status == "settled" {
			out = append(out, fmt.Sprintf("a family pays %d of order %d", n, o.id))
		}
	}
	for _, b := range h.sales {
		out = append(out, fmt.Sprintf("sale %d is %s, %d went back, %d of it bonus", b.id, b.state, b.back, b.bonusBack))
	}
	for _, m := range h.memberships {
		if m.state != "" {
			out = append(out, fmt.Sprintf("the membership of sale %d is %s until %d", m.sale.id, m.state, m.ends.UnixMilli()))
			line(m.earned, "earned of the membership of sale %d", m.sale.id)
		}
	}
	for _, c := range h.passes {
		out = append(out, fmt.Sprintf("pass %d is %s and owes %d", c.id, c.state, c.value))
		line(c.left, "line %d of a pass", c.line)
	}
	for _, v := range h.coupons {
		out = append(out, fmt.Sprintf("coupon %d is %s", v.id, v.state))
	}
	for _, w := range h.wares {
		out = append(out, fmt.Sprintf("ware %d: %d in stock", w.id, w.stock))
	}
	for _, x := range h.presents {
		out = append(out, fmt.Sprintf("present %d of %d is %s", x.id, x.n, x.state))
	}
	for _, v := range h.visits {
		out = append(out, fmt.Sprintf("booking %d is %s at %d", v.id, v.state, cellOf(v.starts)))
		if v.deposit > 0 {
			out = append(out, fmt.Sprintf("the deposit of booking %d is %s, %d counted, %d went back", v.id, v.kept, v.used, v.back))
		}
		if v.state != "held" && !v.stands(h.clk.Now()) {
			continue
		}
		for _, who := range v.holds {
			for c := range int64(washCells) {
				out = append(out, fmt.Sprintf("booking %d has %d at %d", v.id, who, cellOf(v.starts)+c))
			}
		}
	}
	for _, p := range h.payments {
		state := p.state
		if state == "live" && p.known {
			state = "prepaid"
		} else if state == "live" {
			state = "created"
		}
		out = append(out, fmt.Sprintf("payment %d is %s", p.id, state))
		line(p.back, "payment %d asked back", p.id)
	}
	for account, fen := range h.books {
		line(fen, "account %s", account)
	}
	return out
}

// row is what every question of holds answers.
type row struct {
	ID   int64  `db:"id"`
	Word string `db:"word"`
	N    int64  `db:"n"`
	M    int64  `db:"m"`
}

// holds is what the system holds, in the same lines.
func (h *history) holds() (out []string) {
	var members, payments, wares []int64
	for _, p := range h.people {
		members = append(members, p.id)
	}
	line := func(n int64, format string, args ...any) {
		if n != 0 {
			out = append(out, fmt.Sprintf(format, args...)+fmt.Sprintf(": %d", n))
		}
	}
	for _, r := range h.rows(`SELECT member_id AS id, unit AS word, balance AS n, held AS m FROM ledger_accounts WHERE member_id IN (?)`, members) {
		line(r.N, "member %d %s", r.ID, r.Word)
		line(r.M, "member %d %s held", r.ID, r.Word)
	}
	for _, r := range h.rows(`SELECT id, state AS word, refunded_fen AS n, bonus_back_fen AS m FROM wallet_topups WHERE member_id IN (?)`, members) {
		out = append(out, fmt.Sprintf("top-up %d is %s, %d and %d went back", r.ID, r.Word, r.N, r.M))
	}
	for _, r := range h.rows(`SELECT ref_id AS id, unit AS word, SUM(remaining) AS n, 0 AS m FROM ledger_lots WHERE member_id IN (?) AND unit IN ('principal', 'bonus') GROUP BY ref_id, unit`, members) {
		line(r.N, "top-up %d %s", r.ID, r.Word)
	}
	for _, r := range h.rows(`SELECT id, status AS word, total_fen AS n, 0 AS m FROM checkout_orders WHERE member_id IN (?)
		UNION ALL SELECT id, status, total_fen, 0 FROM checkout_orders WHERE store_id = ? AND member_id = 0`, members, h.store) {
		out = append(out, fmt.Sprintf("order %d of %d is %s", r.ID, r.N, r.Word))
	}
	if len(h.families) > 0 {
		for _, r := range h.rows(`SELECT u.order_id AS id, '' AS word, u.amount_fen AS n, 0 AS m FROM group_groups g JOIN group_uses u ON u.group_id = g.id WHERE g.payer_id IN (?) AND u.state = 'used'`, members) {
			out = append(out, fmt.Sprintf("a family pays %d of order %d", r.N, r.ID))
		}
	}
	for _, r := range h.rows(`SELECT id, state AS word, 0 AS n, 0 AS m FROM payment_intents WHERE member_id IN (?) OR store_id = ?`, members, h.store) {
		out = append(out, fmt.Sprintf("payment %d is %s", r.ID, r.Word))
		payments = append(payments, r.ID)
	}
	if len(payments) > 0 {
		for _, r := range h.rows(`SELECT payment_id AS id, '' AS word, SUM(amount_fen) AS n, 0 AS m FROM payment_refunds WHERE payment_id IN (?) GROUP BY payment_id`, payments) {
			line(r.N, "payment %d asked back", r.ID)
		}
	}
	for _, r := range h.rows(`SELECT member_id AS id, '' AS word, tier_id AS n, 0 AS m FROM tier_members WHERE member_id IN (?) AND tier_id = ?`, members, h.catalog.silver) {
		out = append(out, fmt.Sprintf("member %d is in tier %d", r.ID, r.N))
	}
	for _, r := range h.rows(`SELECT id, state AS word, refunded_fen AS n, bonus_back_fen AS m FROM sale_sales WHERE member_id IN (?)`, members) {
		out = append(out, fmt.Sprintf("sale %d is %s, %d went back, %d of it bonus", r.ID, r.Word, r.N, r.M))
	}
	for _, r := range h.rows(`SELECT sale_id AS id, state AS word, ends_at AS n, earned_fen AS m FROM tier_memberships WHERE member_id IN (?)`, members) {
		out = append(out, fmt.Sprintf("the membership of sale %d is %s until %d", r.ID, r.Word, r.N))
		line(r.M, "earned of the membership of sale %d", r.ID)
	}
	for _, r := range h.rows(`SELECT id, state AS word, value_fen AS n, 0 AS m FROM pass_passes WHERE member_id IN (?)`, members) {
		out = append(out, fmt.Sprintf("pass %d is %s and owes %d", r.ID, r.Word, r.N))
	}
	for _, r := range h.rows(`SELECT l.id, '' AS word, l.left_uses AS n, 0 AS m FROM pass_passes p JOIN pass_lines l ON l.pass_id = p.id WHERE p.member_id IN (?)`, members) {
		line(r.N, "line %d of a pass", r.ID)
	}
	for _, r := range h.rows(`SELECT id, state AS word, 0 AS n, 0 AS m FROM coupon_coupons WHERE member_id IN (?)`, members) {
		out = append(out, fmt.Sprintf("coupon %d is %s", r.ID, r.Word))
	}
	if len(h.wares) > 0 {
		for _, w := range h.wares {
			wares = append(wares, w.id)
		}
		for _, r := range h.rows(`SELECT id, '' AS word, stock AS n, 0 AS m FROM mall_items WHERE id IN (?)`, wares) {
			out = append(out, fmt.Sprintf("ware %d: %d in stock", r.ID, r.N))
		}
		for _, r := range h.rows(`SELECT id, state AS word, qty AS n, 0 AS m FROM mall_orders WHERE member_id IN (?)`, members) {
			out = append(out, fmt.Sprintf("present %d of %d is %s", r.ID, r.N, r.Word))
		}
	}
	var bookings []int64
	for _, r := range h.rows(`SELECT id, state AS word, from_cell AS n, 0 AS m FROM booking_bookings WHERE member_id IN (?)`, members) {
		out, bookings = append(out, fmt.Sprintf("booking %d is %s at %d", r.ID, r.Word, r.N)), append(bookings, r.ID)
	}
	if len(bookings) > 0 {
		for _, r := range h.rows(`SELECT id, CASE deposit_state WHEN 'refunded' THEN 'refunding' ELSE deposit_state END AS word, deposit_used_fen AS n, deposit_back_fen AS m
			FROM booking_bookings WHERE id IN (?) AND deposit_fen > 0`, bookings) {
			out = append(out, fmt.Sprintf("the deposit of booking %d is %s, %d counted, %d went back", r.ID, r.Word, r.N, r.M))
		}
		for _, r := range h.rows(`SELECT owner_id AS id, '' AS word, resource_id AS n, cell AS m FROM slot_cells WHERE owner_id IN (?)`, bookings) {
			out = append(out, fmt.Sprintf("booking %d has %d at %d", r.ID, r.N, r.M))
		}
	}
	accounts := map[string]int64{}
	for _, r := range h.rows(`SELECT 0 AS id, account AS word, SUM(amount) AS n, 0 AS m FROM ledger_entries WHERE member_id IN (?) AND unit = 'shop' GROUP BY account
		UNION ALL SELECT 0, e.account, SUM(e.amount), 0 FROM ledger_postings p JOIN ledger_entries e ON e.posting_id = p.id
			WHERE (p.store_id = ? OR p.store_id = ? AND p.ref_kind = 'booking' AND p.ref_id IN (?)) AND p.member_id = 0 AND e.unit = 'shop' GROUP BY e.account`,
		members, h.store, h.floor.store, append(bookings, 0)) {
		accounts[r.Word] += r.N
	}
	for account, fen := range accounts {
		line(fen, "account %s", account)
	}
	return out
}

func (h *history) rows(query string, args ...any) (rows []row) {
	query, args, err := db.In(query, args...)
	h.need(err)
	h.need(h.DB.Select(h.t.Context(), &rows, query, args...))
	return rows
}
