package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/wxsandbox"
)

// A visit over HTTP that uses everything a member may have: what the till proposes, what the receipts of staff and owner say, what waits, what comes
// back, and that the audit sees each number that does not fit.
func TestVisitWithEverything(t *testing.T) {
	s := start(t).open()
	anna := s.join("林晓舟")
	desk := s.shop.desk
	s.boss.set("points.earn_bp", 10000)
	s.boss.set("points.max_pay_bp", 5000)
	plan := s.boss.post("/api/console/pass-plans", obj{"name": "洗车五次卡", "kind": "times", "priceFen": 12500, "validMonths": 12, "onSale": true,
		"lines": []obj{{"serviceIds": []int64{s.shop.wash}, "times": 5, "listFen": 3500}}}).i("id")
	desk.post("/api/staff/passes", obj{"planId": plan, "memberId": anna.id, "storeId": s.shop.store, "tender": "cash"})
	template := s.boss.post("/api/console/coupon-templates", obj{"name": "内饰减三十", "kind": "amount", "offFen": 3000, "thresholdFen": 20000, "kinds": []string{"detail"}, "stack": "any", "validDays": 30}).i("id")
	desk.post(fmt.Sprintf("/api/staff/members/%d/coupons", anna.id), obj{"templateId": template, "n": 1, "reason": "新店开业"})
	s.boss.post(fmt.Sprintf("/api/console/members/%d/points", anna.id), obj{"points": 2000, "reason": "老会员补积分"})
	visit := s.visit(anna.id, anna.plate)
	visit["items"] = []obj{{"kind": "service", "id": s.shop.wash, "qty": 1}, {"kind": "service", "id": s.shop.detail, "qty": 1}}
	visit["benefits"] = obj{"auto": true, "points": 2000}
	var order obj
	s.sub("the till proposes the best", func(t *testing.T) {
		q := desk.post("/api/staff/quotes", visit)
		if q.i("totalFen") != 23800 || q.i("savedFen") != 6500 || q.i("benefits.covers.0.qty") != 1 || len(q.list("offers.coupons")) != 1 || q.i("offers.points.maxFen") != 2000 ||
			q.s("suggestion.0.kind") != "points" || q.i("suggestion.0.amountFen") != 2000 {
			t.Fatalf("%v", q)
		}
		order = desk.post("/api/staff/checkouts", with(visit, obj{"quoteHash": q.s("quoteHash"), "tenders": []obj{tender("points", 2000), tender("wechat_native", 21800)}}))
		if order.s("status") != "awaiting_payment" || len(order.list("benefits")) != 3 {
			t.Fatalf("%v", order)
		}
		s.exact()
	})
	one := fmt.Sprintf("/api/staff/orders/%d", order.i("orderId"))
	s.sub("given up, everything is back", func(t *testing.T) {
		if r := desk.post(one+"/cancel", nil); r.s("status") != "cancelled" || r.at("benefits.0.undone") != true {
			t.Errorf("%v", r)
		}
		s.exact()
	})
	s.sub("paid by WeChat, everything is used", func(t *testing.T) {
		q := desk.post("/api/staff/quotes", visit)
		order = desk.post("/api/staff/checkouts", with(visit, obj{"quoteHash": q.s("quoteHash"), "tenders": []obj{tender("points", 2000), tender("wechat_native", 21800)}}))
		one = fmt.Sprintf("/api/staff/orders/%d", order.i("orderId"))
		if _, err := s.Sandbox.Pay(wxsandbox.PayRequest{CodeURL: order.s("codeUrl"), PersonaID: anna.p.ID, Outcome: wxsandbox.OutcomePay}); err != nil {
			t.Fatal(err)
		}
		s.eventually("the order is settled", func() bool { return desk.get(one).s("status") == "settled" })
		r := anna.get(fmt.Sprintf("/api/owner/orders/%d", order.i("orderId")))
		if r.i("pointsEarned") != 218 || r.i("savedFen") != 6500 || len(r.list("benefits")) != 3 {
			t.Errorf("%v", r)
		}
		left := int64(-1)
		for _, b := range r.list("benefits") {
			if b.s("kind") == "pass" {
				left = b.i("leftAfter")
			}
		}
		if left != 4 {
			t.Errorf("the receipt says %d uses are left", left)
		}
		s.exact()
	})
	id := order.i("orderId")
	s.sub("the audit sees what does not fit", func(t *testing.T) {
		for query, back := range map[string]string{
			`UPDATE checkout_orders SET points_earned = points_earned + 1 WHERE id = ?`:           `UPDATE checkout_orders SET points_earned = points_earned - 1 WHERE id = ?`,
			`UPDATE checkout_orders SET recognised_fen = recognised_fen + 1 WHERE id = ?`:         `UPDATE checkout_orders SET recognised_fen = recognised_fen - 1 WHERE id = ?`,
			`UPDATE checkout_orders SET benefit_posting_id = benefit_posting_id + 1 WHERE id = ?`: `UPDATE checkout_orders SET benefit_posting_id = benefit_posting_id - 1 WHERE id = ?`,
			`UPDATE checkout_benefits SET state = 'undone' WHERE order_id = ? AND kind = 'pass'`:  `UPDATE checkout_benefits SET state = 'used' WHERE order_id = ? AND kind = 'pass'`,
			`UPDATE checkout_benefits SET saved_fen = 1 WHERE order_id = ? AND kind = 'points'`:   `UPDATE checkout_benefits SET saved_fen = 2000 WHERE order_id = ? AND kind = 'points'`,
			`UPDATE checkout_benefits SET state = 'held' WHERE order_id = ? AND kind = 'coupon'`:  `UPDATE checkout_benefits SET state = 'used' WHERE order_id = ? AND kind = 'coupon'`,
			`UPDATE checkout_lines SET net_fen = net_fen + 1 WHERE order_id = ? AND line_no = 2`:  `UPDATE checkout_lines SET net_fen = net_fen - 1 WHERE order_id = ? AND line_no = 2`,
		} {
			s.exec(query, id)
			if said := s.audit(); !strings.Contains(said, "checkout_") {
				t.Errorf("%s: %q", query, said)
			}
			s.exec(back, id)
		}
		s.exact()
	})
	s.sub("reversed, everything is as before", func(t *testing.T) {
		r := s.shop.manager.post(one+"/reverse", obj{"reason": "客户改天再来"})
		if r.s("status") != "reversed" {
			t.Errorf("%v", r)
		}
		q := desk.post("/api/staff/quotes", visit)
		if q.i("totalFen") != 23800 || q.i("offers.points.available") != 2000 || q.i("offers.covers.0.left") != 5 {
			t.Errorf("%v", q)
		}
		s.shop.manager.fails("checkout.order_state", http.MethodPost, one+"/reverse", obj{"reason": "再撤一次"})
		s.exact()
	})
}
