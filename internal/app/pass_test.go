package app_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/wxsandbox"
)

// passPlan is ten washes for 200.00, bound to one plate, with upgrades.
func (s *system) passPlan(more obj) int64 {
	s.t.Helper()
	return s.boss.post("/api/console/pass-plans", with(obj{"name": "洗车十次卡", "kind": "times", "priceFen": 20000, "validMonths": 12, "plates": 1, "upgrade": true, "giftable": true, "onSale": true,
		"lines": []obj{{"serviceIds": []int64{s.shop.wash}, "times": 10, "listFen": 3500}}, "recharge": obj{"times": 5, "priceFen": 9000}}, more)).i("id")
}

// buyPass buys a pass by WeChat Pay and waits until it is there.
func (o owner) buyPass(plan int64) int64 {
	o.s.t.Helper()
	begun := o.post("/api/owner/passes", obj{"planId": plan, "plate": o.plate, "pay": "wechat"})
	o.pay(begun, wxsandbox.OutcomePay)
	sale := fmt.Sprintf("/api/owner/sales/%d", begun.i("saleId"))
	o.s.eventually("the pass is there", func() bool { return o.get(sale).s("state") == "paid" })
	return o.get(sale).i("resultId")
}

// A pass from the plan to its refund: bought by WeChat, used at the till beside an upgrade, held while a bill waits, taken back, given back.
func TestPassAtTheTill(t *testing.T) {
	s := start(t).open()
	o := s.join("林晓舟")
	better := s.boss.post("/api/console/services", obj{"name": "精致洗车", "kind": "wash", "minutes": 45, "prices": []obj{{"vehicleClassId": s.shop.class, "priceFen": 6800}}}).i("id")
	id := o.buyPass(s.passPlan(obj{}))
	one := fmt.Sprintf("/api/owner/passes/%d", id)
	left := func(want int64) {
		t.Helper()
		if got := o.get(one); got.i("lines.0.left") != want {
			t.Errorf("%d left, want %d", got.i("lines.0.left"), want)
		}
		s.exact()
	}
	left(10)
	desk := s.shop.desk
	first := desk.settle(s.visit(o.id, o.plate), []obj{}...)
	if first.i("totalFen") != 0 || first.s("status") != "settled" {
		t.Errorf("%v", first)
	}
	left(9)
	upgrade := with(s.visit(o.id, o.plate), obj{"items": []obj{{"kind": "service", "id": better, "qty": 1}}})
	if r := desk.settle(upgrade, tender("cash", 3300)); r.i("totalFen") != 3300 {
		t.Errorf("%v", r)
	}
	left(8)
	// A bill that waits for its money holds the use; given up it comes back, and paid it stays used.
	waiting := with(s.visit(o.id, o.plate), obj{"items": []obj{{"kind": "service", "id": s.shop.wash, "qty": 1}, {"kind": "good", "id": s.shop.good, "qty": 1}}})
	w := desk.settle(waiting, tender("wechat_native", 1500))
	left(7)
	desk.post(fmt.Sprintf("/api/staff/orders/%d/cancel", w.i("orderId")), nil)
	left(8)
	desk.post(fmt.Sprintf("/api/staff/orders/%d/reverse", first.i("orderId")), obj{"reason": "洗错了车"})
	left(9)
	if q := desk.post("/api/staff/quotes", s.visit(o.id, "沪B99999")); q.i("totalFen") == 0 {
		t.Errorf("a strange plate: %v", q)
	}
	if q := desk.post("/api/staff/quotes", s.visit(0, o.plate)); len(q.list("hints")) == 0 && q.at("hints") == nil {
		t.Errorf("no hint for the car: %v", q)
	}
	charged := desk.post(fmt.Sprintf("/api/staff/passes/%d/recharge", id), obj{"storeId": s.shop.store, "memberId": o.id, "tender": "cash"})
	if charged.s("state") != "paid" {
		t.Errorf("%v", charged)
	}
	left(14)
	plan := o.get(one + "/refund-plan")
	// 290.00 paid, one use at the agreed 35.00.
	if plan.s("rule") != "customer" || plan.i("refundFen") != 25500 || len(plan.list("parts")) != 2 || len(plan.list("lines")) != 1 {
		t.Errorf("%v", plan)
	}
	at := fmt.Sprintf("/api/console/passes/%d/refund", id)
	s.boss.fails("pass.refund_plan_changed", http.MethodPost, at, obj{"fault": "customer", "reason": "顾客搬家", "planHash": "0000000000"})
	desk.fails("permission.denied", http.MethodPost, at, obj{"fault": "customer", "reason": "顾客搬家", "planHash": plan.s("planHash")})
	s.boss.post(at, obj{"fault": "customer", "reason": "顾客搬家", "planHash": plan.s("planHash"), "storeId": s.shop.store})
	s.drain()
	if got := o.get(one); got.s("state") != "refunded" || got.i("refundedFen") != 25500 {
		t.Errorf("%v", got)
	}
	s.eventually("WeChat gives the money back", func() bool {
		s.later(time.Minute)
		return s.count(`SELECT COUNT(*) FROM sale_refunds WHERE state = 'done'`) == 2
	})
	if q := desk.post("/api/staff/quotes", s.visit(o.id, o.plate)); q.i("totalFen") != 3500 {
		t.Errorf("used after it was given back: %v", q)
	}
	s.exact()
}

// Who is owed a pass cannot leave without settling it.
func TestLeavingWithAPass(t *testing.T) {
	s := start(t).open()
	o := s.join("林晓舟")
	o.buyPass(s.passPlan(obj{}))
	if left := o.post("/api/owner/account/close", obj{"reason": "搬家了"}); left.s("status") != "closing" {
		t.Errorf("%v", left)
	}
}
