package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/wxsandbox"
)

func mergePath(into int64) string { return fmt.Sprintf("/api/console/members/%d/merge", into) }

func (c caller) mergePreview(from, into int64) obj {
	c.s.t.Helper()
	return c.get(fmt.Sprintf("%s?fromId=%d", mergePath(into), from))
}

// mergeAsk is the body of a merge as the console sends it after a preview.
func (c caller) mergeAsk(from, into int64) obj {
	c.s.t.Helper()
	p := c.mergePreview(from, into)
	return obj{"fromId": from, "confirm": p.s("confirm"), "reason": "同一位顾客办了两张卡", "hash": p.s("hash")}
}

func (c caller) merge(from, into int64) obj {
	c.s.t.Helper()
	return c.post(mergePath(into), c.mergeAsk(from, into))
}

// names are the names of one kind in a preview or a merge.
func names(o obj, kind string) string {
	for _, x := range o.list("items") {
		if x.s("kind") == kind {
			list, _ := x["names"].([]any)
			return fmt.Sprint(list...)
		}
	}
	return ""
}

// Somebody who joined twice, with a second WeChat account, becomes one member: everything that the second one held is the first one's, what was done
// stays to be read, and what is taken back later goes where the money is now.
func TestMergeOfTwoMembers(t *testing.T) {
	s := start(t).open()
	s.bookable()
	desk, boss := s.shop.desk, s.boss
	boss.set("points.earn_bp", 10000)
	plan := boss.post("/api/console/pass-plans", obj{"name": "洗车五次卡", "kind": "times", "priceFen": 12500, "validMonths": 12, "onSale": true, "fromBalance": true,
		"lines": []obj{{"serviceIds": []int64{s.shop.wash}, "times": 5, "listFen": 3500}}}).i("id")
	template := boss.post("/api/console/coupon-templates", obj{"name": "内饰减三十", "kind": "amount", "offFen": 3000, "thresholdFen": 20000, "kinds": []string{"detail"}, "stack": "any", "validDays": 30}).i("id")
	keep, dup := s.join("林晓舟"), s.join("林晓舟")
	keep.topup()
	bought := dup.topup()
	// 58,000 less 5,800: 5,000 of principal, 800 of bonus.
	visit := s.visit(dup.id, dup.plate)
	visit["items"] = []obj{{"kind": "service", "id": s.shop.wash, "qty": 1}, {"kind": "good", "id": s.shop.good, "qty": 2}}
	q := desk.post("/api/staff/quotes", visit)
	order := desk.settle(visit, tender("balance", q.i("totalFen"))).i("orderId")
	spentP, spentB := int64(50000), int64(8000)
	p, b, _ := dup.wallet()
	spentP, spentB = spentP-p, spentB-b
	desk.post("/api/staff/passes", obj{"planId": plan, "memberId": dup.id, "storeId": s.shop.store, "tender": "cash"})
	free := with(s.visit(dup.id, dup.plate), obj{"benefits": obj{"auto": true}})
	covered := desk.post("/api/staff/checkouts", with(desk.ask(free), obj{"tenders": []obj{}})).i("orderId")
	desk.post(fmt.Sprintf("/api/staff/members/%d/coupons", dup.id), obj{"templateId": template, "n": 2, "reason": "新店开业"})
	boss.post(fmt.Sprintf("/api/console/members/%d/points", keep.id), obj{"points": 300, "reason": "老会员补积分"})
	boss.post(fmt.Sprintf("/api/console/members/%d/points", dup.id), obj{"points": 200, "reason": "老会员补积分"})
	held := dup.book(s.tomorrow(10, 0))
	dup.post(fmt.Sprintf("/api/owner/bookings/%d/confirm", held.i("id")), nil)
	dup.post(fmt.Sprintf("/api/owner/orders/%d/dispute", order), obj{"reason": "amount", "note": "好像多扣了"})
	boss.post(fmt.Sprintf("/api/console/members/%d/old-cards", dup.id), obj{"no": "VIP0008"})
	code := dup.device().code(s.clk.Now())
	dupPoints := dup.get("/api/owner/points").i("available")

	before := s.mergeSums(keep.id, dup.id)
	var done obj
	s.sub("the preview says what would go", func(t *testing.T) {
		x := s.shop.manager.mergePreview(dup.id, keep.id)
		if len(x.list("blocks")) != 0 || x.i("moves.principalFen") != p || x.i("moves.bonusFen") != b || x.i("after.principalFen") != 50000+p || x.i("moves.points") != dupPoints ||
			x.i("moves.uses") != 4 || x.i("orders") != 2 || x.s("confirm") != dup.cardNo || names(x, "vehicles") != dup.plate || !strings.Contains(names(x, "passes"), "洗车五次卡") ||
			strings.Count(names(x, "coupons"), "内饰减三十") != 2 || !strings.Contains(names(x, "bookings"), "标准洗车") || names(x, "disputes") == "" || names(x, "identities") != "小程序" || names(x, "oldCards") == "" {
			t.Fatalf("%v", x)
		}
		if n := s.count(`SELECT COUNT(*) FROM merge_merges`); n != 0 || s.mergeSums(keep.id, dup.id) != before {
			t.Error("the preview changed something")
		}
	})
	s.sub("nothing is merged unseen", func(t *testing.T) {
		ask := s.shop.manager.mergeAsk(dup.id, keep.id)
		for code, change := range map[string]obj{"merge.confirm": {"confirm": keep.cardNo}, "merge.reason_missing": {"reason": " "}, "merge.changed": {"hash": "0123"}, "merge.same_member": {"fromId": keep.id},
			"not_found": {"fromId": 1}} {
			s.shop.manager.fails(code, http.MethodPost, mergePath(keep.id), with(ask, change))
		}
		boss.post(fmt.Sprintf("/api/console/members/%d/points", dup.id), obj{"points": 1, "reason": "刚刚有变动"})
		f := s.shop.manager.fails("merge.changed", http.MethodPost, mergePath(keep.id), ask)
		if f.i("detail.preview.moves.points") != dupPoints+1 {
			t.Errorf("%v", f)
		}
		boss.post(fmt.Sprintf("/api/console/members/%d/points", dup.id), obj{"points": -1, "reason": "刚刚有变动"})
		if s.mergeSums(keep.id, dup.id) != before {
			t.Error("something was moved")
		}
	})
	s.sub("once", func(t *testing.T) {
		ask, k := s.shop.manager.mergeAsk(dup.id, keep.id), key("merge-once-1")
		done = s.shop.manager.post(mergePath(keep.id), ask, k)
		if again := s.shop.manager.post(mergePath(keep.id), ask, k); again.i("id") != done.i("id") || done.i("moved.principalFen") != p {
			t.Errorf("%v %v", done, again)
		}
		if after := s.mergeSums(keep.id, dup.id); after != before {
			t.Errorf("sums %s, were %s", after, before)
		}
		s.exact()
	})
	s.sub("it is the first one's", func(t *testing.T) {
		if hp, hb, _ := keep.wallet(); hp != 50000+p || hb != 8000+b {
			t.Errorf("wallet %d+%d", hp, hb)
		}
		if n := keep.get("/api/owner/points").i("available"); n != 300+dupPoints {
			t.Errorf("%d points", n)
		}
		if x := keep.get("/api/owner/passes").list("items"); len(x) != 1 || x[0].i("lines.0.left") != 4 {
			t.Errorf("passes %v", x)
		}
		if x := keep.get("/api/owner/coupons").list("items"); len(x) != 2 {
			t.Errorf("coupons %v", x)
		}
		if x := keep.get(fmt.Sprintf("/api/owner/bookings/%d", held.i("id"))); x.s("state") != "confirmed" {
			t.Errorf("booking %v", x)
		}
		if x := keep.get("/api/owner/vehicles").list("items"); len(x) != 2 {
			t.Errorf("vehicles %v", x)
		}
		if x := keep.get(fmt.Sprintf("/api/owner/orders/%d", order)); x.i("orderId") != order {
			t.Errorf("the old receipt %v", x)
		}
		records := keep.get("/api/owner/records?limit=50").String()
		if !strings.Contains(records, "合并自会员卡") || strings.Contains(records, "并入会员卡") || !strings.Contains(records, fmt.Sprintf(`"orderId":%d`, order)) {
			t.Errorf("records %s", records)
		}
	})
	s.sub("the second one is history", func(t *testing.T) {
		dup.fails("session.expired", http.MethodGet, "/api/owner/home", nil)
		if x := dup.again().get("/api/owner/home"); x.i("member.id") != keep.id || x.i("wallet.principalFen") != 50000+p {
			t.Errorf("the other WeChat account sees %v", x)
		}
		if x := keep.get("/api/owner/home"); x.i("member.id") != keep.id {
			t.Errorf("%v", x)
		}
		desk.fails("member.code_unknown", http.MethodPost, "/api/staff/scan", obj{"storeId": s.shop.store, "code": code})
		desk.fails("member.merged", http.MethodPost, "/api/staff/checkouts", desk.ask(s.visit(dup.id, dup.plate), tender("balance", 3500)))
		desk.fails("member.merged", http.MethodPost, "/api/staff/topups", obj{"storeId": s.shop.store, "memberId": dup.id, "amountFen": 10000, "tender": "cash"})
		at := fmt.Sprintf("/api/console/members/%d", dup.id)
		boss.fails("member.merged", http.MethodGet, at+"/refund-plan?amountFen=100", nil)
		boss.fails("member.merged", http.MethodPost, at+"/points", obj{"points": 5, "reason": "补积分"})
		boss.fails("member.merged", http.MethodPost, at+"/suspend", obj{"reason": "试一试"})
		x := boss.get(at)
		if x.s("member.status") != "merged" || x.s("cards.0.status") != "closed" || x.s("member.phoneMasked") == "" || x.i("counts.orders") != 2 {
			t.Errorf("%v", x)
		}
		if h := boss.get(at + "/merges"); h.i("into.intoId") != keep.id {
			t.Errorf("%v", h)
		}
		if h := boss.get(fmt.Sprintf("/api/console/members/%d/merges", keep.id)); h.i("from.0.fromId") != dup.id || h.at("into") != nil {
			t.Errorf("%v", h)
		}
		if x := desk.get(fmt.Sprintf("/api/staff/lookup?storeId=%d&q=%s", s.shop.store, dup.cardNo)); x.i("items.0.memberId") != keep.id {
			t.Errorf("the old card finds %v", x)
		}
		s.shop.manager.fails("member.merge_left", http.MethodPost, mergePath(keep.id), with(s.shop.manager.mergeAsk(dup.id, keep.id), obj{"confirm": "合并"}))
		if n := s.count(`SELECT COUNT(*) FROM notify_messages WHERE event = 'account_linked' AND member_id IN (?, ?)`, keep.id, dup.id); n != 2 {
			t.Errorf("%d were told", n)
		}
		if n := s.count(`SELECT COUNT(*) FROM audit_log WHERE action IN ('member.merge', 'member.merged')`); n != 2 {
			t.Errorf("%d lines of the trail", n)
		}
	})
	s.sub("old orders are taken back to where the money is", func(t *testing.T) {
		was, wasB, _ := keep.wallet()
		points := keep.get("/api/owner/points").i("available")
		earned := desk.get(fmt.Sprintf("/api/staff/orders/%d", order)).i("pointsEarned")
		s.shop.manager.post(fmt.Sprintf("/api/staff/orders/%d/reverse", order), obj{"reason": "多扣了"})
		if hp, hb, _ := keep.wallet(); hp != was+spentP || hb != wasB+spentB {
			t.Errorf("wallet %d+%d, was %d+%d", hp, hb, was, wasB)
		}
		if n := keep.get("/api/owner/points").i("available"); n != points-earned || earned == 0 {
			t.Errorf("%d points, were %d, %d go back", n, points, earned)
		}
		s.exact()
		s.shop.manager.post(fmt.Sprintf("/api/staff/orders/%d/reverse", covered), obj{"reason": "没洗成"})
		if x := keep.get("/api/owner/passes").list("items"); len(x) != 1 || x[0].i("lines.0.left") != 5 {
			t.Errorf("passes %v", x)
		}
		s.exact()
	})
	s.sub("the second one's top-up goes back through the first one's page to the order at WeChat", func(t *testing.T) {
		path := fmt.Sprintf("/api/console/members/%d", keep.id)
		x := boss.get(path + "/refund-plan?amountFen=100000")
		if x.i("refundableFen") != 100000 || len(x.list("parts")) != 2 {
			t.Fatalf("%v", x)
		}
		f := boss.post(path+"/refunds", obj{"amountFen": 100000, "reason": "顾客搬家", "planHash": x.s("planHash")})
		s.eventually("the money is back", func() bool {
			s.later(time.Minute)
			return boss.get(fmt.Sprintf("/api/console/refunds/%d", f.i("refundId"))).s("state") == "done"
		})
		no := ""
		for _, o := range s.ordersOf(dup.p) {
			no = o.OutTradeNo
		}
		found := false
		for _, r := range s.Sandbox.Snapshot().Refunds {
			found = found || (r.OutTradeNo == no && r.RefundFen == 50000 && r.Status == "SUCCESS")
		}
		if !found || s.count(`SELECT refunded_fen FROM wallet_topups WHERE id = ?`, bought) != 50000 {
			t.Errorf("nothing went back to %s", no)
		}
		if hp, hb, _ := keep.wallet(); hp != 0 || hb != 0 {
			t.Errorf("%d+%d are left", hp, hb)
		}
		s.exact()
	})
	s.sub("the audit sees each number that does not fit", func(t *testing.T) {
		for change, back := range map[string]string{
			`UPDATE merge_merges SET principal_fen = principal_fen + 1`:                                  `UPDATE merge_merges SET principal_fen = principal_fen - 1`,
			`UPDATE merge_merges SET points = points + 1`:                                                `UPDATE merge_merges SET points = points - 1`,
			`UPDATE merge_merges SET staff_id = staff_id + 1`:                                            `UPDATE merge_merges SET staff_id = staff_id - 1`,
			`UPDATE merge_merges SET reason = 'x'`:                                                       `UPDATE merge_merges SET reason = '同一位顾客办了两张卡'`,
			fmt.Sprintf(`UPDATE merge_merges SET into_id = from_id WHERE from_id = %d`, dup.id):          fmt.Sprintf(`UPDATE merge_merges SET into_id = %d WHERE from_id = %d`, keep.id, dup.id),
			`UPDATE merge_merges SET out_posting_id = in_posting_id, in_posting_id = out_posting_id`:     `UPDATE merge_merges SET out_posting_id = in_posting_id, in_posting_id = out_posting_id`,
			fmt.Sprintf(`UPDATE merge_merges SET from_card_no = '%s'`, keep.cardNo):                      fmt.Sprintf(`UPDATE merge_merges SET from_card_no = '%s'`, dup.cardNo),
			`UPDATE merge_merges SET created_at = created_at + 1`:                                        `UPDATE merge_merges SET created_at = created_at - 1`,
			fmt.Sprintf(`UPDATE member_members SET merged_into = 0 WHERE id = %d`, dup.id):               fmt.Sprintf(`UPDATE member_members SET merged_into = %d WHERE id = %d`, keep.id, dup.id),
			fmt.Sprintf(`UPDATE ledger_accounts SET merged_into = 0 WHERE member_id = %d`, dup.id):       fmt.Sprintf(`UPDATE ledger_accounts SET merged_into = %d WHERE member_id = %d`, keep.id, dup.id),
			fmt.Sprintf(`UPDATE merge_merges SET from_id = %d WHERE from_id = %d`, s.shop.store, dup.id): fmt.Sprintf(`UPDATE merge_merges SET from_id = %d WHERE from_id = %d`, dup.id, s.shop.store),
		} {
			if strings.Contains(change, "out_posting_id = in_posting_id") && !strings.Contains(s.dialect(), "sqlite") {
				continue // MySQL and MariaDB see the new value on the right
			}
			s.exec(change)
			if s.audit() == "" {
				t.Errorf("not seen: %s", change)
			}
			s.exec(back)
			s.exact()
		}
	})
	s.sub("who leaves is forgotten with who they were", func(t *testing.T) {
		keep.post(fmt.Sprintf("/api/owner/bookings/%d/cancel", held.i("id")), obj{"reason": "搬家"})
		pass := keep.get("/api/owner/passes").i("items.0.id")
		x := boss.get(fmt.Sprintf("/api/console/passes/%d/refund-plan?fault=customer", pass))
		boss.post(fmt.Sprintf("/api/console/passes/%d/refund", pass), obj{"fault": "customer", "reason": "搬家", "planHash": x.s("planHash")})
		if r := keep.post("/api/owner/account/close", obj{"reason": "搬家"}); r.s("status") != "closed" {
			t.Fatalf("%v", r)
		}
		if x := boss.get(fmt.Sprintf("/api/console/members/%d", dup.id)); x.s("member.status") != "closed" || x.s("member.phoneMasked") != "" || x.s("member.nameMasked") != "" {
			t.Errorf("%v", x)
		}
		if n := s.count(`SELECT COUNT(*) FROM member_members WHERE id IN (?, ?) AND (name_sealed <> '' OR phone_sealed <> '')`, keep.id, dup.id); n != 0 {
			t.Errorf("%d still have a name", n)
		}
		s.exact()
	})
}

func (s *system) dialect() string { return string(s.DB.Dialect()) }

// mergeSums are what two members hold together of every unit, in words.
func (s *system) mergeSums(a, b int64) (out string) {
	s.t.Helper()
	for _, u := range []string{"principal", "bonus", "points", "points_debt", "experience", "uses"} {
		out += fmt.Sprintf("%s %d; ", u, s.count(`SELECT COALESCE(SUM(balance), 0) FROM ledger_accounts WHERE unit = ? AND member_id IN (?, ?)`, u, a, b))
	}
	return out
}

// What is unfinished is in the way: each with a fault that says what to do, shown in the preview too, and gone once it is done.
func TestMergeIsRefusedWhileSomethingIsOpen(t *testing.T) {
	s := start(t).open()
	s.bookable()
	boss, desk, manager := s.boss, s.shop.desk, s.shop.manager
	pass := boss.post("/api/console/pass-plans", obj{"name": "洗车五次卡", "kind": "times", "priceFen": 12500, "validMonths": 12, "onSale": true,
		"lines": []obj{{"serviceIds": []int64{s.shop.wash}, "times": 5, "listFen": 3500}}}).i("id")
	card := boss.post("/api/console/membership-plans", obj{"name": "金卡年费", "kind": "discount", "priceFen": 19900, "months": 12, "onSale": true,
		"tierId": boss.post("/api/console/tiers", obj{"name": "金卡", "color": "#D4A017", "rank": 30, "discountBp": 9000}).i("id")}).i("id")
	s.alwaysOpen()
	on := func(o owner, what string) {
		boss.post(fmt.Sprintf("/api/console/members/%d/%s", o.id, what), obj{"reason": "核对身份"})
	}
	for _, x := range []struct {
		name, code string
		begin      func(from, into owner) (end func())
	}{
		{"a top-up that may still be paid", "wallet.merge_pending", func(from, _ owner) func() {
			x := from.post("/api/owner/topups", obj{"amountFen": 10000})
			return func() { from.post(fmt.Sprintf("/api/owner/topups/%d/cancel", x.i("topupId")), nil) }
		}},
		{"a refund under way", "wallet.merge_refunding", func(from, _ owner) func() {
			from.topup()
			if _, err := s.Sandbox.SetFault(wxsandbox.Fault{Target: "pay.refund", Kind: "closed", Count: 1}); err != nil { // so that it stays under way until somebody looks
				s.t.Fatal(err)
			}
			path := fmt.Sprintf("/api/console/members/%d", from.id)
			p := boss.get(path + "/refund-plan?amountFen=10000")
			f := boss.post(path+"/refunds", obj{"amountFen": 10000, "reason": "测试退款", "planHash": p.s("planHash")})
			state := func() string {
				s.later(time.Minute)
				return boss.get(fmt.Sprintf("/api/console/refunds/%d", f.i("refundId"))).s("state")
			}
			return func() {
				s.eventually("somebody is asked to look", func() bool { return state() == "attention" })
				pay := fmt.Sprintf("/api/console/payments/%d", s.count(`SELECT payment_id FROM wallet_refund_parts WHERE refund_id = ?`, f.i("refundId")))
				boss.post(fmt.Sprintf("%s/refunds/%d/reissue", pay, boss.get(pay).i("refunds.0.id")), nil)
				s.eventually("it is done", func() bool { return state() == "done" })
			}
		}},
		{"a pass that waits for its money", "sale.merge_unpaid", func(from, _ owner) func() {
			x := from.post("/api/owner/passes", obj{"planId": pass, "pay": "wechat"})
			return func() { from.post(fmt.Sprintf("/api/owner/sales/%d/cancel", x.i("saleId")), nil) }
		}},
		{"an order that waits for its money", "checkout.merge_unpaid", func(from, _ owner) func() {
			r := desk.settle(s.visit(from.id, from.plate), tender("wechat_native", 3500))
			return func() { desk.post(fmt.Sprintf("/api/staff/orders/%d/cancel", r.i("orderId")), nil) }
		}},
		{"a booking that is not confirmed", "booking.merge_held", func(from, _ owner) func() {
			b := from.book(s.tomorrow(14, 0))
			return func() { from.post(fmt.Sprintf("/api/owner/bookings/%d/cancel", b.i("id")), obj{"reason": "改天"}) }
		}},
		{"a car that is here", "booking.merge_working", func(from, _ owner) func() {
			b := desk.post("/api/staff/queue", obj{"storeId": s.shop.store, "memberId": from.id, "plate": from.plate, "vehicleClassId": s.shop.class, "serviceIds": []int64{s.shop.wash}}).i("id")
			return func() { desk.post(fmt.Sprintf("/api/staff/bookings/%d/cancel", b), obj{"reason": "改天"}) }
		}},
		{"a frozen card", "member.merge_card", func(from, _ owner) func() {
			on(from, "card/freeze")
			return func() { on(from, "card/unfreeze") }
		}},
		{"a lost card of the one who stays", "member.merge_card", func(_, into owner) func() {
			on(into, "card/lost")
			return func() { on(into, "card/reissue") }
		}},
		{"who is suspended", "member.merge_suspended", func(from, _ owner) func() {
			on(from, "suspend")
			return func() { on(from, "reinstate") }
		}},
		{"who wants to leave", "member.merge_closing", func(_, into owner) func() {
			s.fund(into.id, 10000)
			into.post("/api/owner/account/close", obj{"reason": "搬家"})
			return func() { into.post("/api/owner/account/reopen", nil) }
		}},
		{"more on one card than the law allows", "merge.over_cap", func(from, into owner) func() {
			s.fund(from.id, 300000)
			s.fund(into.id, 200001)
			return func() { desk.settle(s.visit(into.id, into.plate), tender("balance", 3500)) }
		}},
		{"both pay for others", "group.merge_payers", func(from, into owner) func() {
			id := from.post("/api/owner/groups", obj{"name": "林家"}).i("id")
			into.post("/api/owner/groups", obj{"name": "林家二"})
			return func() { from.post(fmt.Sprintf("/api/owner/groups/%d/dissolve", id), obj{"reason": "合并"}) }
		}},
		{"the same paid membership", "tier.merge_same_plan", func(from, into owner) func() {
			sell := func(o owner) int64 {
				return desk.post("/api/staff/memberships", obj{"planId": card, "memberId": o.id, "storeId": s.shop.store, "pay": "cash"}).i("saleId")
			}
			sell(into)
			sell(from)
			id := s.count(`SELECT id FROM tier_memberships WHERE member_id = ?`, from.id)
			return func() {
				boss.post(fmt.Sprintf("/api/console/memberships/%d/refund", id), obj{"reason": "重复购买"})
			}
		}},
	} {
		s.sub(x.name, func(t *testing.T) {
			from, into := s.join("林晓舟"), s.join("林晓舟")
			end := x.begin(from, into)
			p := manager.mergePreview(from.id, into.id)
			if bs := p.list("blocks"); len(bs) != 1 || bs[0].s("code") != x.code || !han(bs[0].s("message")) {
				t.Errorf("the preview says %v", bs)
			}
			f := manager.fails(x.code, http.MethodPost, mergePath(into.id), manager.mergeAsk(from.id, into.id))
			if f.i("status") != http.StatusConflict || f.at("detail.preview") == nil {
				t.Errorf("%v", f)
			}
			if end(); t.Failed() {
				return
			}
			manager.merge(from.id, into.id)
		})
	}
	s.exact()
}

// The merge meets others who want the same at the same moment: each wins or loses as a whole.
func TestMergeAtOnce(t *testing.T) {
	s := start(t).open()
	manager := s.shop.manager
	s.sub("two members are merged both ways", func(t *testing.T) {
		for range 4 {
			a, b := s.join("林晓舟"), s.join("林晓舟")
			s.fund(a.id, 20000)
			s.fund(b.id, 30000)
			ask := map[int64]obj{a.id: manager.mergeAsk(b.id, a.id), b.id: manager.mergeAsk(a.id, b.id)}
			var won atomic.Int64
			var wg sync.WaitGroup
			for into, body := range ask {
				wg.Go(func() {
					r, err := manager.try(http.MethodPost, mergePath(into), body)
					switch {
					case err != nil:
						t.Error(err)
					case r.status == http.StatusOK:
						won.Add(1)
					case r.status != http.StatusConflict || !strings.Contains(string(r.body), `"member.merge_left"`):
						t.Errorf("%d %s", r.status, r.body)
					}
				})
			}
			wg.Wait()
			if won.Load() != 1 {
				t.Errorf("%d merges", won.Load())
			}
			if n := s.count(`SELECT COALESCE(SUM(balance), 0) FROM ledger_accounts WHERE unit = 'principal' AND member_id IN (?, ?)`, a.id, b.id); n != 50000 {
				t.Errorf("%d fen", n)
			}
		}
		s.exact()
	})
	s.sub("the same merge by many hands", func(t *testing.T) {
		a, b := s.join("林晓舟"), s.join("林晓舟")
		s.fund(b.id, 30000)
		body := manager.mergeAsk(b.id, a.id)
		var won atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if r, err := manager.try(http.MethodPost, mergePath(a.id), body); err != nil {
					t.Error(err)
				} else if r.status == http.StatusOK {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		if p, _, _ := a.wallet(); won.Load() != 1 || p != 30000 {
			t.Errorf("%d merges, %d fen", won.Load(), p)
		}
		s.exact()
	})
	s.sub("settlements, top-ups and the money from WeChat meet it", func(t *testing.T) {
		for range 3 {
			a, b := s.join("林晓舟"), s.join("林晓舟")
			s.fund(a.id, 20000)
			s.fund(b.id, 50000)
			x := b.post("/api/owner/topups", obj{"amountFen": 10000})
			body := manager.mergeAsk(b.id, a.id)
			var spent, merged, paid atomic.Int64
			var wg sync.WaitGroup
			for range 4 {
				ask := s.shop.desk.ask(s.visit(b.id, b.plate), tender("balance", 3500))
				wg.Go(func() {
					if r, err := s.shop.desk.try(http.MethodPost, "/api/staff/checkouts", ask); err != nil {
						t.Error(err)
					} else if r.status == http.StatusOK {
						spent.Add(1)
					}
				})
			}
			wg.Go(func() {
				if _, err := s.Sandbox.PayByPersona(prepayID(x), b.p.ID, wxsandbox.OutcomePay); err != nil {
					t.Error(err)
				} else {
					paid.Add(1)
				}
			})
			for range 6 { // while the top-up is unpaid or the account moves it is refused, then it goes through
				wg.Go(func() {
					for range 20 {
						r, err := manager.try(http.MethodPost, mergePath(a.id), body, key(s.key()))
						if err != nil {
							t.Error(err)
							return
						}
						if r.status == http.StatusOK {
							merged.Add(1)
							return
						}
						if strings.Contains(string(r.body), `"member.merge_left"`) {
							return
						}
						p, err := manager.try(http.MethodGet, fmt.Sprintf("%s?fromId=%d", mergePath(a.id), b.id), nil)
						if err != nil {
							t.Error(err)
							return
						}
						body := with(body, obj{"hash": p.json(t).s("hash")})
						if r, err = manager.try(http.MethodPost, mergePath(a.id), body, key(s.key())); err == nil && r.status == http.StatusOK {
							merged.Add(1)
							return
						}
					}
				})
			}
			wg.Wait()
			s.eventually("the top-up is credited", func() bool {
				s.later(10 * time.Second)
				return s.count(`SELECT COUNT(*) FROM wallet_topups WHERE id = ? AND state = 'credited'`, x.i("topupId")) == 1
			})
			if merged.Load() == 0 {
				manager.merge(b.id, a.id)
				merged.Add(1)
			}
			if p, _, _ := a.wallet(); merged.Load() != 1 || p != 20000+50000+10000-3500*spent.Load() {
				t.Errorf("%d merges, %d settlements, %d paid, %d fen", merged.Load(), spent.Load(), paid.Load(), p)
			}
			s.exact()
		}
	})
}

// Owner and manager may merge; nobody else, until somebody gives them the permission.
func TestMergePermission(t *testing.T) {
	s := start(t).open()
	a, b := s.join("林晓舟"), s.join("林晓舟")
	body := s.boss.mergeAsk(b.id, a.id)
	for name, c := range map[string]caller{"receptionist": s.shop.desk, "technician": s.hire(perm.RoleTechnician, "吴技师", s.shop.store), "accountant": s.hire(perm.RoleAccountant, "郑会计")} {
		s.sub(name, func(*testing.T) {
			c.fails("permission.denied", http.MethodPost, mergePath(a.id), body)
			c.fails("permission.denied", http.MethodGet, fmt.Sprintf("%s?fromId=%d", mergePath(a.id), b.id), nil)
		})
	}
	a.fails("session.expired", http.MethodPost, mergePath(a.id), body)
	s.shop.manager.merge(b.id, a.id)
}

// Two tiers, two sums of spending, a debt of points and a family: what becomes of each.
func TestMergeOfStanding(t *testing.T) {
	s := start(t).open()
	boss, desk := s.boss, s.shop.desk
	boss.set("points.earn_bp", 10000)
	silver := boss.post("/api/console/tiers", obj{"name": "银卡", "color": "#999999", "rank": 10, "discountBp": 9500}).i("id")
	gold := boss.post("/api/console/tiers", obj{"name": "金卡", "color": "#D4A017", "rank": 20, "discountBp": 9000}).i("id")
	set := func(o owner, tier int64) {
		boss.want(http.MethodPut, fmt.Sprintf("/api/console/members/%d/tier", o.id), obj{"tierId": tier, "reason": "老客户"})
	}
	a, b := s.join("林晓舟"), s.join("林晓舟")
	set(a, silver)
	set(b, gold)
	// The duplicate earned points, spent them and had the visit taken back: it owes 35.
	s.fund(b.id, 20000)
	order := desk.settle(s.visit(b.id, b.plate), tender("cash", desk.post("/api/staff/quotes", s.visit(b.id, b.plate)).i("totalFen")))
	earned := order.i("pointsEarned")
	boss.post(fmt.Sprintf("/api/console/members/%d/points", b.id), obj{"points": -earned, "reason": "兑换"})
	s.shop.manager.post(fmt.Sprintf("/api/staff/orders/%d/reverse", order.i("orderId")), obj{"reason": "没洗成"})
	boss.post(fmt.Sprintf("/api/console/members/%d/points", a.id), obj{"points": 100, "reason": "老会员补积分"})
	// The duplicate pays for a family in which the other one drives.
	family := b.post("/api/owner/groups", obj{"name": "林家"}).i("id")
	at := fmt.Sprintf("/api/owner/groups/%d", family)
	rules := obj{"plates": []string{}, "serviceIds": []int64{}, "weekdays": []int{}}
	child := s.join("林小满")
	for _, o := range []owner{a, child} {
		o.post("/api/owner/group-joins", obj{"code": b.post(at+"/invites", obj{"cardKind": "driver", "rules": rules}).s("code")})
	}
	desk.settle(with(s.visit(child.id, child.plate), obj{"groupId": family}), tender("group", 3500))
	if p := s.shop.manager.mergePreview(b.id, a.id); p.i("moves.pointsDebt") != earned || earned == 0 || names(p, "groups") != "林家（付款人）" || !strings.Contains(p.String(), "积分一并转过去") {
		t.Errorf("%v", p)
	}
	s.shop.manager.merge(b.id, a.id)
	s.exact()
	if x := boss.get(fmt.Sprintf("/api/console/members/%d", a.id)); x.s("tier.name") != "金卡" {
		t.Errorf("tier %v", x.at("tier"))
	}
	if n := a.get("/api/owner/points"); n.i("available") != 100-earned || n.i("debt") != 0 {
		t.Errorf("points %v", n)
	}
	g := a.get(at)
	if g.s("state") != "active" || len(g.list("places")) != 1 {
		t.Errorf("family %v", g)
	}
	before, _, _ := a.wallet()
	desk.settle(with(s.visit(child.id, child.plate), obj{"groupId": family}), tender("group", 3500))
	if p, _, _ := a.wallet(); p != before-3500 {
		t.Errorf("the family's wash took %d", before-p)
	}
	s.exact()
}
