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
			out = append(out, fmt.Sprintf("the membership of sale %d is %s until %d, earned %d", m.sale.id, m.state, m.ends.UnixMilli(), m.earned))
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

// questions are what the system is asked, all of them at once: the line that an answer is, its four columns (an id, a word and two numbers, which are
// %[1] to %[4] of the line) and where they come from.
var questions = []struct{ line, columns, from string }{
	{"member %[1]d %[2]s: %[3]d", `member_id AS id, unit AS word, balance AS n, 0 AS m`, `ledger_accounts WHERE member_id IN ($members) AND balance <> 0`},
	{"member %[1]d %[2]s held: %[3]d", `member_id, unit, held, 0`, `ledger_accounts WHERE member_id IN ($members) AND held <> 0`},
	{"member %[1]d is in tier %[3]d", `member_id, '', tier_id, 0`, `tier_members WHERE member_id IN ($members) AND tier_id = $silver`},
	{"top-up %[1]d is %[2]s, %[3]d and %[4]d went back", `id, state, refunded_fen, bonus_back_fen`, `wallet_topups WHERE member_id IN ($members)`},
	{"top-up %[1]d %[2]s: %[3]d", `ref_id, unit, SUM(remaining), 0`,
		`ledger_lots WHERE member_id IN ($members) AND unit IN ('principal', 'bonus') GROUP BY ref_id, unit HAVING SUM(remaining) <> 0`},
	{"order %[1]d of %[3]d is %[2]s", `id, status, total_fen, 0`, `checkout_orders WHERE member_id IN ($members)`},
	{"order %[1]d of %[3]d is %[2]s", `id, status, total_fen, 0`, `checkout_orders WHERE store_id = $store AND member_id = 0`},
	{"a family pays %[3]d of order %[1]d", `u.order_id, '', u.amount_fen, 0`, `group_groups g JOIN group_uses u ON u.group_id = g.id WHERE g.payer_id IN ($members) AND u.state = 'used'`},
	{"payment %[1]d is %[2]s", `id, state, 0, 0`, `payment_intents WHERE member_id IN ($members) OR store_id = $store`},
	{"payment %[1]d asked back: %[3]d", `payment_id, '', SUM(amount_fen), 0`, `payment_refunds WHERE payment_id IN ($payments) GROUP BY payment_id`},
	{"sale %[1]d is %[2]s, %[3]d went back, %[4]d of it bonus", `id, state, refunded_fen, bonus_back_fen`, `sale_sales WHERE member_id IN ($members)`},
	{"the membership of sale %[1]d is %[2]s until %[3]d, earned %[4]d", `sale_id, state, ends_at, earned_fen`, `tier_memberships WHERE member_id IN ($members)`},
	{"pass %[1]d is %[2]s and owes %[3]d", `id, state, value_fen, 0`, `pass_passes WHERE member_id IN ($members)`},
	{"line %[1]d of a pass: %[3]d", `l.id, '', l.left_uses, 0`, `pass_passes p JOIN pass_lines l ON l.pass_id = p.id WHERE p.member_id IN ($members) AND l.left_uses <> 0`},
	{"coupon %[1]d is %[2]s", `id, state, 0, 0`, `coupon_coupons WHERE member_id IN ($members)`},
	{"ware %[1]d: %[3]d in stock", `id, '', stock, 0`, `mall_items WHERE id IN ($wares)`},
	{"present %[1]d of %[3]d is %[2]s", `id, state, qty, 0`, `mall_orders WHERE member_id IN ($members)`},
	{"booking %[1]d is %[2]s at %[3]d", `id, state, from_cell, 0`, `booking_bookings WHERE member_id IN ($members)`},
	{"booking %[1]d has %[3]d at %[4]d", `owner_id, '', resource_id, cell`, `slot_cells WHERE owner_id IN ($visits)`},
	{"the deposit of booking %[1]d is %[2]s, %[3]d counted, %[4]d went back",
		`id, CASE deposit_state WHEN 'refunded' THEN 'refunding' ELSE deposit_state END, deposit_used_fen, deposit_back_fen`, `booking_bookings WHERE id IN ($visits) AND deposit_fen > 0`},
	{"account %[2]s: %[3]d", `0, account, SUM(amount), 0`, `(SELECT account, amount FROM ledger_entries WHERE member_id IN ($members) AND unit = 'shop'
		UNION ALL SELECT e.account, e.amount FROM ledger_postings p JOIN ledger_entries e ON e.posting_id = p.id
			WHERE (p.store_id = $store OR p.store_id = $floor AND p.ref_kind = 'booking' AND p.ref_id IN ($visits)) AND p.member_id = 0 AND e.unit = 'shop') entries
		GROUP BY account HAVING SUM(amount) <> 0`},
}

// row is an answer.
type row struct {
	What int64  `db:"what"`
	ID   int64  `db:"id"`
	Word string `db:"word"`
	N    int64  `db:"n"`
	M    int64  `db:"m"`
}

// holds is what the system holds, in the same lines.
func (h *history) holds() (out []string) {
	name := strings.NewReplacer("$members", ids(h.people, func(p *person) int64 { return p.id }), "$payments", ids(h.payments, func(p *payment) int64 { return p.id }),
		"$visits", ids(h.visits, func(v *visit) int64 { return v.id }), "$wares", ids(h.wares, func(w *ware) int64 { return w.id }),
		"$store", fmt.Sprint(h.store), "$floor", fmt.Sprint(h.floor.store), "$silver", fmt.Sprint(h.catalog.silver))
	var all []string
	for i, q := range questions {
		what := fmt.Sprint(i)
		if i == 0 {
			what += " AS what"
		}
		all = append(all, fmt.Sprintf("SELECT %s, %s FROM %s", what, q.columns, q.from))
	}
	for _, r := range h.rows(name.Replace(strings.Join(all, "\nUNION ALL "))) {
		out = append(out, fmt.Sprintf(questions[r.What].line, r.ID, r.Word, r.N, r.M))
	}
	return out
}

// ids are those of a list as SQL has them; no id is negative.
func ids[T any](list []T, id func(T) int64) string {
	out := "-1"
	for _, x := range list {
		out += fmt.Sprintf(", %d", id(x))
	}
	return out
}

func (h *history) rows(query string, args ...any) (rows []row) {
	query, args, err := db.In(query, args...)
	h.need(err)
	h.need(h.DB.Select(h.t.Context(), &rows, query, args...))
	return rows
}
