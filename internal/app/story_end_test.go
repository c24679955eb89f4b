package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func (s *story) reverses(t *testing.T) {
	p0, b0, _ := s.owner.wallet()
	path := func(id int64) string { return fmt.Sprintf("/api/staff/orders/%d/reverse", id) }
	why := obj{"reason": "多拿了一瓶玻璃水，重新结算"}
	s.desk.fails("request.invalid", http.MethodPost, path(s.first), obj{"reason": ""})
	k := key("reverse-0001")
	r := s.desk.post(path(s.first), why, k)
	if r.s("status") != "reversed" || r.s("reversal.reason") != "多拿了一瓶玻璃水，重新结算" || r.s("reversal.staffName") != "周前台" || r.b("canReverse") {
		t.Errorf("reversed: %v", r)
	}
	if again := s.desk.post(path(s.first), why, k); again.s("status") != "reversed" {
		t.Errorf("again: %v", again)
	}
	s.desk.fails("checkout.order_state", http.MethodPost, path(s.first), why)
	if p, b, _ := s.owner.wallet(); p != p0+5603 || b != b0+897 {
		t.Errorf("wallet %d+%d, want exactly what was taken back on %d+%d", p, b, p0, b0)
	}
	// Every reversal is new entries; the old ones stay.
	if n := s.count(`SELECT COUNT(*) FROM ledger_postings WHERE ref_kind = 'order' AND ref_id = ?`, s.first); n != 2 {
		t.Errorf("%d postings, want the settlement and its reversal", n)
	}
	entries := s.manager.console(http.MethodGet, fmt.Sprintf("members/%d/ledger?unit=principal", s.owner.id), nil).list("items")
	if entries[0].s("kind") != "reversal" || entries[0].i("amount") != 5603 || entries[0].i("reversesId") < 1 || entries[0].s("actorName") != "周前台" {
		t.Errorf("ledger: %v", entries[0])
	}
	if rec := s.owner.get("/api/owner/records?kind=reversal").list("items"); len(rec) != 1 || rec[0].i("deltaFen") != 6500 {
		t.Errorf("records: %v", rec)
	}

	s.later(31 * time.Minute) // sessions end too
	s.refreshAll()
	s.desk.fails("checkout.reverse_denied", http.MethodPost, path(s.native), why)
	if r := s.desk.get(fmt.Sprintf("/api/staff/orders/%d", s.native)); r.b("canReverse") || r.s("canReverseReason") == "" {
		t.Errorf("after the limit: %v", r)
	}
	r = s.manager.console(http.MethodPost, fmt.Sprintf("orders/%d/reverse", s.native), why)
	if r.s("status") != "reversed" || r.s("reversal.staffName") != "孙店长" {
		t.Errorf("the manager may: %v", r)
	}
	s.drain()
	s.eventually("WeChat gives its part back", func() bool { s.later(20 * time.Second); return s.refundedAtWeChat() == 2000 })
}

// refreshAll signs everybody in again after the clock has passed the life of their tokens.
func (s *story) refreshAll() {
	s.desk = s.staffLogin(s.seeded("p8"), "")
	r := s.anonymous().post("/api/owner/session", obj{"channel": "mini_program", "code": s.loginCode(s.owner.p)})
	s.owner.token = r.s("session.accessToken")
	s.mini.token = s.owner.token
	if x := s.manager.send(http.MethodPost, "/api/console/session/refresh", nil, header{"X-Liangche", "console"}); x.status != http.StatusOK {
		s.t.Fatalf("refresh: %d %s", x.status, x.body)
	}
}

func (s *story) refundedAtWeChat() (sum int64) {
	for _, f := range s.Sandbox.Snapshot().Refunds {
		if f.Status == "SUCCESS" {
			sum += f.RefundFen
		}
	}
	return sum
}

func (s *story) refunds(t *testing.T) {
	p0, b0, _ := s.owner.wallet()
	plan := s.manager.console(http.MethodGet, fmt.Sprintf("members/%d/refund-plan", s.owner.id), nil)
	if plan.i("refundableFen") != p0 || plan.i("bonusBackFen") != b0 || plan.i("shortfallFen") != 0 || len(plan.list("parts")) != 2 {
		t.Errorf("plan: %v (wallet %d+%d)", plan, p0, b0)
	}
	over := s.manager.console(http.MethodGet, fmt.Sprintf("members/%d/refund-plan?amountFen=%d", s.owner.id, p0+100), nil)
	if over.i("shortfallFen") != 100 || !strings.Contains(fmt.Sprint(over.at("explain")), "还差 ¥1.00") {
		t.Errorf("shortfall: %v", over)
	}
	const ask = 60000
	plan = s.manager.console(http.MethodGet, fmt.Sprintf("members/%d/refund-plan?amountFen=%d", s.owner.id, ask), nil)
	parts := plan.list("parts")
	if len(parts) != 2 || parts[0].i("topupId") != s.lost || parts[0].i("refundFen")+parts[1].i("refundFen") != ask || parts[0].i("refundFen") != 50000 {
		t.Fatalf("newest first: %v", plan)
	}
	create := fmt.Sprintf("/api/console/members/%d/refunds", s.owner.id)
	body := obj{"amountFen": ask, "reason": "搬家，退部分余额", "planHash": plan.s("planHash")}
	s.desk.fails("permission.denied", http.MethodPost, create, body)
	s.boss = s.login()
	s.boss.fails("wallet.refund_plan_changed", http.MethodPost, create, with(body, obj{"planHash": "0123456789abcdef"}))
	s.boss.fails("wallet.refund_exceeds", http.MethodPost, create, with(body, obj{"amountFen": p0 + 1}))
	k := key("refund-0001")
	f := s.boss.post(create, body, k)
	if again := s.boss.post(create, body, k); again.i("refundId") != f.i("refundId") {
		t.Errorf("a double tap refunded %v and %v", f, again)
	}
	if p, b, _ := s.owner.wallet(); p != p0-ask || b != b0-plan.i("bonusBackFen") {
		t.Errorf("wallet %d+%d, was %d+%d: principal goes back, bonus is taken back", p, b, p0, b0)
	}
	path := fmt.Sprintf("refunds/%d", f.i("refundId"))
	s.eventually("WeChat has paid both parts back", func() bool {
		s.later(20 * time.Second)
		return s.manager.console(http.MethodGet, path, nil).s("state") == "done"
	})
	if sum := s.refundedAtWeChat(); sum != 2000+ask {
		t.Errorf("WeChat gave %d back, want %d", sum, 2000+ask)
	}
	if n := len(s.Sandbox.Snapshot().Refunds); n != 3 {
		t.Errorf("%d refunds at WeChat, want one of the order and one per top-up", n)
	}
	if n := s.count(`SELECT COUNT(*) FROM ledger_postings WHERE kind = 'refund'`); n != 1 {
		t.Errorf("%d postings", n)
	}
}

func (s *system) login() caller {
	s.t.Helper()
	r := s.anonymous().post("/api/staff/session", obj{"method": "password", "username": "boss", "password": bossPassword})
	return caller{s: s, token: r.s("session.accessToken"), id: r.i("staff.id")}
}

func (s *story) consoleShows(t *testing.T) {
	get := func(path string) obj { t.Helper(); return s.manager.console(http.MethodGet, path, nil) }
	m := get(fmt.Sprintf("members/%d", s.owner.id))
	if strings.Contains(m.String(), "林晓雨") || strings.Contains(m.String(), "13800010001") || m.s("member.phoneMasked") != "138****0001" || len(m.list("identities")) != 2 || m.s("cards.0.no") != s.owner.cardNo {
		t.Errorf("member: %v", m)
	}
	clear := s.manager.console(http.MethodPost, fmt.Sprintf("members/%d/unmask", s.owner.id), obj{"reason": "顾客来电核对"})
	if clear.s("name") != "林晓雨" || clear.s("phone") != "13800010001" {
		t.Errorf("unmasked: %v", clear)
	}
	trail := get("audit?action=member.unmask").list("items")
	if len(trail) != 1 || trail[0].s("actorName") != "孙店长" || trail[0].i("subjectId") != s.owner.id || strings.Contains(trail[0].String(), "13800010001") {
		t.Errorf("the trail of the unmasking: %v", trail)
	}
	for _, action := range []string{"order.reverse", "topup.refund", "dispute.resolve", "staff.bind", "code.scan"} {
		if len(get("audit?action="+action).list("items")) == 0 {
			t.Errorf("no trail of %s", action)
		}
	}
	pays := get("payments?purpose=topup&state=paid").list("items")
	if len(pays) != 2 {
		t.Fatalf("payments: %v", pays)
	}
	d := get(fmt.Sprintf("payments/%d", pays[1].i("id")))
	if d.s("wechatState") == "" || d.s("transactionId") == "" || len(d.list("notifications")) == 0 || len(d.list("history")) < 2 || len(d.list("refunds")) != 1 {
		t.Errorf("payment: %v", d)
	}
	for path, n := range map[string]int{"orders": 8, "topups": 4, "refunds": 1, "members": 1, "services": 2, "vehicle-classes": 2, "goods": 1, "topup-plans": 1, "stores": 2, "roles": 5, "tiers": 1} {
		if got := get(path).list("items"); len(got) < n {
			t.Errorf("%s lists %d, want %d", path, len(got), n)
		}
	}
	frozen := s.manager.console(http.MethodPost, fmt.Sprintf("members/%d/card/freeze", s.owner.id), obj{"reason": "顾客来电，手机丢了"})
	fresh := s.manager.console(http.MethodPost, fmt.Sprintf("members/%d/card/reissue", s.owner.id), obj{"reason": "补办"})
	if frozen.s("status") != "frozen" || fresh.s("status") != "active" || fresh.s("no") == s.owner.cardNo {
		t.Errorf("card: %v %v", frozen, fresh)
	}
}

// tampered changes one row per table by hand and expects the audit to say which.
func (s *story) tampered(t *testing.T) {
	one := func(query string, args ...any) (id int64) {
		t.Helper()
		if err := s.DB.Get(t.Context(), &id, query, args...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return id
	}
	text := func(query string, args ...any) (v string) {
		t.Helper()
		if err := s.DB.Get(t.Context(), &v, query, args...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return v
	}
	num := func(id int64) string { return fmt.Sprint(id) }
	account := one(`SELECT MIN(id) FROM ledger_accounts WHERE unit = 'principal'`)
	entry := one(`SELECT MIN(id) FROM ledger_entries WHERE unit = 'principal'`)
	posting := one(`SELECT MIN(id) FROM ledger_postings WHERE kind = 'consume'`)
	lot := one(`SELECT MIN(id) FROM ledger_lots WHERE unit = 'principal'`)
	move := one(`SELECT MIN(id) FROM ledger_lot_moves`)
	hold := one(`SELECT MIN(id) FROM ledger_holds WHERE state = 'captured' AND principal > 0`)
	topup := one(`SELECT MIN(id) FROM wallet_topups WHERE state = 'credited'`)
	refund := one(`SELECT MIN(id) FROM wallet_refunds`)
	part := one(`SELECT MIN(id) FROM wallet_refund_parts`)
	order := one(`SELECT MIN(id) FROM checkout_orders WHERE status = 'settled'`)
	line := one(`SELECT MIN(id) FROM checkout_lines`)
	paid := one(`SELECT MIN(id) FROM checkout_tenders WHERE kind = 'cash'`)
	intent := one(`SELECT MIN(id) FROM payment_intents WHERE state = 'paid'`)
	history := one(`SELECT MAX(id) FROM payment_history WHERE payment_id = ?`, intent)
	back := one(`SELECT MIN(id) FROM payment_refunds WHERE state = 'success'`)
	intentNo := text(`SELECT out_trade_no FROM payment_intents WHERE id = ?`, intent)
	backNo := text(`SELECT p.out_trade_no FROM payment_intents p JOIN payment_refunds f ON f.payment_id = p.id WHERE f.id = ?`, back)
	for _, c := range []struct {
		table, set, undo string
		id               int64
		says             string
	}{
		{"ledger_accounts", "balance = balance + 1", "balance = balance - 1", account, num(account)},
		{"ledger_entries", "amount = amount + 1", "amount = amount - 1", entry, num(entry)},
		{"ledger_postings", "kind = 'topup'", "kind = 'consume'", posting, num(posting)},
		{"ledger_lots", "remaining = remaining + 1", "remaining = remaining - 1", lot, num(lot)},
		{"ledger_lot_moves", "amount = amount + 1", "amount = amount - 1", move, num(one(`SELECT lot_id FROM ledger_lot_moves WHERE id = ?`, move))},
		{"ledger_holds", "state = 'held'", "state = 'captured'", hold, num(account)},
		{"wallet_topups", "amount_fen = amount_fen + 1", "amount_fen = amount_fen - 1", topup, num(topup)},
		{"wallet_refunds", "amount_fen = amount_fen + 1", "amount_fen = amount_fen - 1", refund, num(refund)},
		{"wallet_refund_parts", "amount_fen = amount_fen + 1", "amount_fen = amount_fen - 1", part, num(refund)},
		{"checkout_orders", "total_fen = total_fen + 1", "total_fen = total_fen - 1", order, num(order)},
		{"checkout_lines", "amount_fen = amount_fen + 1", "amount_fen = amount_fen - 1", line, num(one(`SELECT order_id FROM checkout_lines WHERE id = ?`, line))},
		{"checkout_tenders", "amount_fen = amount_fen + 1", "amount_fen = amount_fen - 1", paid, num(one(`SELECT order_id FROM checkout_tenders WHERE id = ?`, paid))},
		{"payment_intents", "paid_fen = paid_fen + 1", "paid_fen = paid_fen - 1", intent, intentNo},
		{"payment_history", "to_state = 'closed'", "to_state = 'paid'", history, intentNo},
		{"payment_refunds", "amount_fen = amount_fen + 1", "amount_fen = amount_fen - 1", back, backNo},
	} {
		s.exec(fmt.Sprintf("UPDATE %s SET %s WHERE id = ?", c.table, c.set), c.id)
		if said := s.audit(); !strings.Contains(said, c.says) {
			t.Errorf("%s %d was changed (%s); the audit says %q", c.table, c.id, c.set, said)
		}
		s.exec(fmt.Sprintf("UPDATE %s SET %s WHERE id = ?", c.table, c.undo), c.id)
	}
	s.exact()
}
