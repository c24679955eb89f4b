package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/wxsandbox"
)

// The rows of the list of other systems' defects, end to end.

func TestNever(t *testing.T) {
	s := start(t).open()
	desk := s.shop.desk
	const settle = "/api/staff/checkouts"

	s.sub("N01 one live attempt per bill, and a surplus goes back", func(t *testing.T) {
		o := s.join("林晓舟")
		k := key("n01-topup-1")
		ask := obj{"amountFen": 10000}
		var ids sync.Map
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if r, err := o.try(http.MethodPost, "/api/owner/topups", ask, k); err == nil && r.status == http.StatusOK {
					ids.Store(r.json(t).i("topupId"), true)
				} else {
					t.Errorf("%v %d %s", err, r.status, r.body)
				}
			})
		}
		wg.Wait()
		n := 0
		ids.Range(func(any, any) bool { n++; return true })
		if orders := s.ordersOf(o.p); n != 1 || len(orders) != 1 {
			t.Errorf("%d top-ups, %d orders at WeChat", n, len(orders))
		}
		// A desk order that is polled by two tills stays one order at WeChat.
		r := desk.settle(s.visit(o.id, o.plate), tender("wechat_native", 3500))
		for range 5 {
			if again := desk.get(fmt.Sprintf("/api/staff/orders/%d", r.i("orderId"))); again.s("codeUrl") != r.s("codeUrl") {
				t.Errorf("another code for the same bill: %v", again)
			}
		}
		if n := s.count(`SELECT COUNT(*) FROM payment_intents WHERE purpose = 'order' AND subject_id = ?`, r.i("orderId")); n != 1 {
			t.Errorf("%d payments for one bill", n)
		}
		desk.post(fmt.Sprintf("/api/staff/orders/%d/cancel", r.i("orderId")), nil)
	})
	s.sub("N05 a notification delivered 200 times credits once and keeps its time", func(t *testing.T) {
		o := s.join("陈思远")
		x := o.post("/api/owner/topups", obj{"planId": s.shop.plan, "amountFen": 50000})
		order := o.pay(x, wxsandbox.OutcomePay)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 10 {
					if _, err := s.Sandbox.Resend(order.OutTradeNo); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		o.credited(x.i("topupId"))
		path := fmt.Sprintf("/api/owner/topups/%d", x.i("topupId"))
		at := o.get(path).s("creditedAt")
		s.clk.Advance(time.Minute)
		if _, err := s.Sandbox.Resend(order.OutTradeNo); err != nil {
			t.Fatal(err)
		}
		if p, b, _ := o.wallet(); p != 50000 || b != 8000 || o.get(path).s("creditedAt") != at {
			t.Errorf("%d+%d, credited at %s and %s", p, b, at, o.get(path).s("creditedAt"))
		}
		if n := s.count(`SELECT COUNT(*) FROM ledger_postings WHERE ref_kind = 'topup' AND ref_id = ?`, x.i("topupId")); n != 1 {
			t.Errorf("%d postings", n)
		}
	})
	s.sub("N06 a cancellation that meets a payment", func(t *testing.T) {
		o := s.join("王梦洁")
		x := o.post("/api/owner/topups", obj{"amountFen": 10000})
		o.pay(x, wxsandbox.OutcomePayLoseNotice)
		if r := o.post(fmt.Sprintf("/api/owner/topups/%d/cancel", x.i("topupId")), nil); r.s("state") != "credited" {
			t.Errorf("paid, then cancelled: %v", r)
		}
		r := desk.settle(s.visit(o.id, o.plate), tender("balance", 1000), tender("wechat_native", 2500))
		if _, err := s.Sandbox.Pay(wxsandbox.PayRequest{CodeURL: r.s("codeUrl"), PersonaID: o.p.ID, Outcome: wxsandbox.OutcomePayLoseNotice}); err != nil {
			t.Fatal(err)
		}
		if c := desk.post(fmt.Sprintf("/api/staff/orders/%d/cancel", r.i("orderId")), nil); c.s("status") != "settled" {
			t.Errorf("paid, then cancelled: %v", c)
		}
		if p, _, h := o.wallet(); p != 9000 || h != 0 {
			t.Errorf("wallet %d held %d", p, h)
		}
		desk.fails("checkout.order_state", http.MethodPost, fmt.Sprintf("/api/staff/orders/%d/cancel", r.i("orderId")), nil)
	})
	s.sub("N06 a late payment does not revive what is closed: it goes back", func(t *testing.T) {
		o := s.join("李浩然")
		x := o.post("/api/owner/topups", obj{"amountFen": 10000})
		no := s.order(x)
		o.pay(x, wxsandbox.OutcomePayLoseNotice)
		// The order was closed here although it is paid at WeChat: as after a restored backup.
		s.exec(`UPDATE wallet_topups SET state = 'closed' WHERE id = ?`, x.i("topupId"))
		if _, err := s.Sandbox.Resend(no); err != nil {
			t.Fatal(err)
		}
		s.eventually("the money goes back", func() bool {
			s.later(10 * time.Second)
			for _, f := range s.Sandbox.Snapshot().Refunds {
				if f.OutTradeNo == no && f.RefundFen == 10000 && f.Status == "SUCCESS" {
					return true
				}
			}
			return false
		})
		if p, _, _ := o.wallet(); p != 0 {
			t.Errorf("credited %d", p)
		}
		if st := o.get(fmt.Sprintf("/api/owner/topups/%d", x.i("topupId"))); st.s("state") != "closed" || !strings.Contains(st.s("message"), "退回") {
			t.Errorf("the owner reads %v", st)
		}
	})
	s.sub("N07 a refund that WeChat closed is sent again under a new number, once", func(t *testing.T) {
		o := s.join("周雨桐")
		o.topup()
		if _, err := s.Sandbox.SetFault(wxsandbox.Fault{Target: "pay.refund", Kind: "closed", Count: 1}); err != nil {
			t.Fatal(err)
		}
		path := fmt.Sprintf("/api/console/members/%d", o.id)
		plan := s.boss.get(path + "/refund-plan?amountFen=10000")
		f := s.boss.post(path+"/refunds", obj{"amountFen": 10000, "reason": "测试退款", "planHash": plan.s("planHash")})
		state := func() string { return s.boss.get(fmt.Sprintf("/api/console/refunds/%d", f.i("refundId"))).s("state") }
		s.eventually("somebody is asked to look", func() bool { s.later(time.Minute); return state() == "attention" })
		pay := fmt.Sprintf("/api/console/payments/%d", s.count(`SELECT payment_id FROM wallet_refund_parts WHERE refund_id = ?`, f.i("refundId")))
		failed := s.boss.get(pay).list("refunds")[0]
		if !failed.b("mayReissue") {
			t.Fatalf("%v", failed)
		}
		again := fmt.Sprintf("%s/refunds/%d/reissue", pay, failed.i("id"))
		if d := s.boss.post(again, nil); len(d.list("refunds")) != 2 || state() != "processing" {
			t.Fatalf("%s %v", state(), d)
		}
		s.boss.fails("payment.refund_not_failed", http.MethodPost, again, nil)
		s.boss.fails("not_found", http.MethodPost, fmt.Sprintf("/api/console/payments/%d/refunds/%d/reissue", failed.i("id"), failed.i("id")), nil)
		s.eventually("the money is back", func() bool { s.later(time.Minute); return state() == "done" })
	})
	s.sub("N07 a refund whose answer is lost is sent again under its number", func(t *testing.T) {
		o := s.join("张雨桐")
		o.topup()
		if _, err := s.Sandbox.SetFault(wxsandbox.Fault{Target: "pay.api", Path: "/v3/refund", Kind: "drop_after", Count: 2}); err != nil {
			t.Fatal(err)
		}
		path := fmt.Sprintf("/api/console/members/%d", o.id)
		plan := s.boss.get(path + "/refund-plan?amountFen=20000")
		f := s.boss.post(path+"/refunds", obj{"amountFen": 20000, "reason": "测试退款", "planHash": plan.s("planHash")})
		s.eventually("it is done", func() bool {
			s.later(30 * time.Second)
			s.boss = s.login()
			return s.boss.get(fmt.Sprintf("/api/console/refunds/%d", f.i("refundId"))).s("state") == "done"
		})
		var numbers []string
		for _, x := range s.Sandbox.Snapshot().Refunds {
			if x.RefundFen == 20000 {
				numbers = append(numbers, x.OutRefundNo)
			}
		}
		if len(numbers) != 1 {
			t.Errorf("refunds at WeChat: %v", numbers)
		}
	})
	desk = s.staffAgain(desk)
	s.sub("N08 200 at once under one key settle once", func(t *testing.T) {
		o := s.join("赵建国")
		s.fund(o.id, 100000)
		ask := desk.ask(s.visit(o.id, o.plate), tender("balance", 3500))
		k := key("n08-settle-1")
		var wg sync.WaitGroup
		var orders sync.Map
		for range 200 {
			wg.Go(func() {
				r, err := desk.try(http.MethodPost, settle, ask, k)
				switch {
				case err != nil:
					t.Error(err)
				case r.status == http.StatusOK:
					orders.Store(r.json(t).i("orderId"), true)
				case r.status != http.StatusServiceUnavailable:
					t.Errorf("%d %s", r.status, r.body)
				}
			})
		}
		wg.Wait()
		n := 0
		orders.Range(func(any, any) bool { n++; return true })
		if p, _, _ := o.wallet(); n != 1 || p != 100000-3500 {
			t.Errorf("%d orders, %d left", n, p)
		}
	})
	s.sub("N08 an answer that was lost is given again, whatever has changed since", func(t *testing.T) {
		o := s.join("郭子睿")
		s.fund(o.id, 10000)
		soap := s.boss.post("/api/console/goods", obj{"name": "洗车液", "unit": "瓶", "priceFen": 2000})
		visit := with(s.visit(o.id, o.plate), obj{"items": []obj{{"kind": "good", "id": soap.i("id"), "qty": 1}}})
		ask, k := desk.ask(visit, tender("balance", 2000)), key("n08-settle-2")
		first := desk.post(settle, ask, k)
		s.boss.want(http.MethodDelete, fmt.Sprintf("/api/console/goods/%d", soap.i("id")), nil)
		s.boss.post(fmt.Sprintf("/api/console/members/%d/card/freeze", o.id), obj{"reason": "测试"})
		if again := desk.post(settle, ask, k); again.i("orderId") != first.i("orderId") {
			t.Errorf("first %v, then %v", first, again)
		}
		if p, _, _ := o.wallet(); p != 8000 {
			t.Errorf("%d left", p)
		}
		v := s.visitor("何秀英")
		joining := obj{"charterVersion": s.charter(), "phoneToken": v.provePhone(), "name": "何秀英"}
		k = key("n08-join-1")
		joined := v.post("/api/owner/join", joining, k)
		s.clk.Advance(11 * time.Minute) // the proof of the phone is too old by now
		if again := v.post("/api/owner/join", joining, k); again.i("memberId") != joined.i("memberId") {
			t.Errorf("first %v, then %v", joined, again)
		}
	})
	s.sub("N09 many tills on one balance", func(t *testing.T) {
		o := s.join("周子涵")
		s.fund(o.id, 10*3500+100)
		var wg sync.WaitGroup
		var won, short atomic.Int64
		for i := range 40 {
			till := desk
			if i%2 == 1 {
				till = s.shop.manager
			}
			ask := desk.ask(s.visit(o.id, o.plate), tender("balance", 3500))
			wg.Go(func() {
				r, err := till.try(http.MethodPost, settle, ask)
				switch {
				case err != nil:
					t.Error(err)
				case r.status == http.StatusOK:
					won.Add(1)
				case r.json(t).s("code") == "wallet.insufficient_balance":
					short.Add(1)
				default:
					t.Errorf("%d %s", r.status, r.body)
				}
			})
		}
		wg.Wait()
		if p, _, _ := o.wallet(); won.Load() != 10 || short.Load() != 30 || p != 100 {
			t.Errorf("%d settled, %d short, %d left", won.Load(), short.Load(), p)
		}
	})
	s.sub("N10 stored value never buys stored value", func(t *testing.T) {
		o := s.join("吴佳怡")
		s.fund(o.id, 50000)
		before := s.footprint()
		for _, kind := range []string{"balance", "bonus", "points"} {
			desk.fails("request.invalid", http.MethodPost, "/api/staff/topups", obj{"storeId": s.shop.store, "memberId": o.id, "planId": s.shop.plan, "amountFen": 50000, "tender": kind})
		}
		desk.fails("request.invalid", http.MethodPost, "/api/staff/quotes", with(s.visit(o.id, o.plate), obj{"items": []obj{{"kind": "topup_plan", "id": s.shop.plan, "qty": 1}}}))
		if after := s.footprint(); after != before {
			t.Errorf("%s, was %s", after, before)
		}
	})
	s.sub("N20 every channel passes the same check", func(t *testing.T) {
		o := s.join("郑志强")
		s.boss.post(fmt.Sprintf("/api/console/members/%d/suspend", o.id), obj{"reason": "测试"})
		plan := obj{"planId": s.shop.plan, "amountFen": 50000}
		o.fails("member.suspended", http.MethodPost, "/api/owner/topups", plan)
		at := with(plan, obj{"storeId": s.shop.store, "tender": "cash"})
		desk.fails("member.suspended", http.MethodPost, "/api/staff/topups", with(at, obj{"memberId": o.id}))
		s.boss.fails("member.suspended", http.MethodPost, fmt.Sprintf("/api/console/members/%d/topups", o.id), at)
	})
	s.sub("N32 a search finds a list, never a person", func(t *testing.T) {
		for range 2 {
			s.join("孙丽华")
		}
		for _, q := range []string{"", "%20", "a", "沪", "??", "%25", "_", "'", "%27%27%27", "%25%25%25%25"} {
			r := desk.do(http.MethodGet, fmt.Sprintf("/api/staff/lookup?storeId=%d&q=%s", s.shop.store, q), nil)
			if r.status == http.StatusOK && len(r.json(t).list("items")) > 0 || r.status >= 500 {
				t.Errorf("%q: %d %s", q, r.status, r.body)
			}
		}
		list := desk.get(fmt.Sprintf("/api/staff/lookup?storeId=%d&q=沪A0", s.shop.store)).list("items")
		if len(list) < 2 {
			t.Errorf("a part of a plate that many share finds %d", len(list))
		}
	})
	s.sub("N36 an error of the database stays inside", func(t *testing.T) {
		o := s.join("马晨曦")
		s.exec(`ALTER TABLE tier_members RENAME TO tier_elsewhere`)
		r := o.do(http.MethodGet, "/api/owner/home", nil)
		s.exec(`ALTER TABLE tier_elsewhere RENAME TO tier_members`)
		f := r.json(t)
		if r.status != http.StatusInternalServerError || f.s("code") != "internal" || f.s("requestId") == "" || !han(f.s("message")) {
			t.Errorf("%d %s", r.status, r.body)
		}
		for _, word := range []string{"tier", "SQL", "sql", "table", "no such", "SELECT", "goroutine"} {
			if strings.Contains(string(r.body), word) {
				t.Errorf("%q tells of %s", r.body, word)
			}
		}
		if n := strings.Count(s.log.String(), `msg="request failed" code=internal request=`+f.s("requestId")+" cause="); n != 1 {
			t.Errorf("the log holds the cause %d times", n)
		}
	})
	s.exact()
}

// staffAgain gives a member of staff a fresh session after the clock was moved far.
func (s *system) staffAgain(c caller) caller {
	s.t.Helper()
	s.boss = s.login()
	r := s.boss.post(fmt.Sprintf("/api/console/staff/%d/unbind-wechat", c.id), nil)
	v := s.boss.post(fmt.Sprintf("/api/console/staff/%d/invite", c.id), nil)
	d := s.staffLogin(s.persona(r.s("name")), v.s("inviteCode"))
	if d.id != c.id {
		s.t.Fatalf("signed in as %d, want %d", d.id, c.id)
	}
	if c.id == s.shop.desk.id {
		s.shop.desk = d
		s.shop.manager = s.staffAgain(s.shop.manager)
	}
	return d
}

func (s *system) ordersOf(p wxsandbox.Persona) (out []wxsandbox.Order) {
	for _, x := range s.Sandbox.Orders() {
		if x.PayerOpenID == p.OpenIDs[wxsandbox.AppMP] {
			out = append(out, x)
		}
	}
	return out
}
