package app_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/perm"
)

// back signs everybody in again after a time in which sessions ended.
func (s *system) back() {
	s.t.Helper()
	r := s.anonymous().post("/api/staff/session", obj{"method": "password", "username": "boss", "password": bossPassword})
	s.boss = caller{s: s, token: r.s("session.accessToken"), id: r.i("staff.id")}
	s.shop.manager, s.shop.desk = s.hire(perm.RoleManager, "孙店长"), s.hire(perm.RoleReceptionist, "李前台", s.shop.store)
}

func (s *system) find() {
	s.t.Helper()
	if err := s.Outreach.Find(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// give gives what a day of rain brings, whether or not the service is at it.
func (s *system) give(day int64) {
	s.t.Helper()
	if err := s.Rain.Give(actor.With(s.t.Context(), actor.Job("test")), day); err != nil {
		s.t.Fatal(err)
	}
}

// X09 through the whole system, with the real queries on the till's and the booking's tables: a wash, rain, a voucher that pays the next wash, a pass that
// runs longer, a booking that may be moved for free; and the undo that is refused once the voucher was used.
func TestX09RainThroughHTTP(t *testing.T) {
	s := start(t).open()
	o, friend := s.join("林晓舟"), s.join("陈知远")
	voucher := s.boss.post("/api/console/coupon-templates", obj{"name": "雨后补洗券", "kind": "service", "serviceIds": []int64{s.shop.wash}, "stack": "any", "validDays": 14}).i("id")
	plan := s.boss.post("/api/console/pass-plans", obj{"name": "洗车月卡", "kind": "unlimited", "perDay": 1, "validMonths": 1, "priceFen": 20000, "plates": 1, "onSale": true,
		"lines": []obj{{"serviceIds": []int64{s.shop.wash}, "times": 0, "listFen": 3500}}}).i("id")
	rule := obj{"vouchers": true, "templateId": voucher, "hours": 48, "serviceIds": []int64{}, "minFen": 1000, "perMonth": 2, "rebooking": true, "passDays": 1, "automatic": false}
	s.shop.desk.fails("permission.denied", http.MethodPut, "/api/console/rain/rule", rule)
	s.boss.want(http.MethodPut, "/api/console/rain/rule", rule)
	s.bookable()
	booked := o.book(s.tomorrow(20, 0)).i("id")
	o.post(fmt.Sprintf("/api/owner/bookings/%d/confirm", booked), nil)
	morning, err := time.Parse(time.RFC3339, s.tomorrow(10, 0))
	if err != nil {
		t.Fatal(err)
	}
	s.later(morning.Sub(s.clk.Now()))
	s.back()

	washed := s.shop.desk.settle(s.visit(o.id, o.plate), tender("cash", 3500)).i("orderId")
	s.shop.desk.settle(with(s.visit(o.id, o.plate), obj{"items": []obj{{"kind": "service", "id": s.shop.detail, "qty": 1}}}), tender("cash", 26800)) // no wash
	s.shop.desk.settle(s.visit(0, "沪A00001"), tender("cash", 3500))                                                                                  // a walk-in
	sold := s.shop.desk.post("/api/staff/passes", obj{"planId": plan, "memberId": friend.id, "storeId": s.shop.store, "plate": friend.plate, "tender": "cash"})
	s.later(time.Minute)
	mark := obj{"storeId": s.shop.store, "date": s.day(0)}
	if got := s.shop.manager.post("/api/console/rain/outlook", mark); got.i("vouchers") != 1 || got.i("passes") != 1 || got.i("bookings") != 1 {
		t.Fatalf("outlook: %v (sold %v)", got, sold)
	}
	s.shop.desk.fails("permission.denied", http.MethodPost, "/api/staff/rain/days", mark)
	day := s.shop.manager.post("/api/staff/rain/days", mark).i("id")
	s.shop.manager.fails("rain.marked", http.MethodPost, "/api/console/rain/days", mark)
	s.give(day)
	got := s.shop.manager.get(fmt.Sprintf("/api/console/rain/days?storeId=%d&month=%s", s.shop.store, s.day(0)[:7])).list("days")
	if len(got) != 1 || got[0].i("vouchers") != 1 || got[0].i("passes") != 1 || got[0].i("bookings") != 1 {
		t.Fatalf("given: %v", got)
	}
	if n := s.count(`SELECT COUNT(*) FROM rain_vouchers WHERE order_id = ? AND state = 'given'`, washed); n != 1 {
		t.Fatalf("%d vouchers for the wash", n)
	}
	if n := s.count(`SELECT COUNT(*) FROM booking_bookings WHERE id = ? AND free_cancel_until = starts_at`, booked); n != 1 {
		t.Error("the booking may not be moved for free")
	}
	if n := s.count(`SELECT COUNT(*) FROM notify_messages WHERE event IN ('rain_voucher', 'rain_rebook') AND member_id = ?`, o.id); n != 2 {
		t.Errorf("%d messages of rain", n)
	}
	s.exact()

	undo := fmt.Sprintf("/api/console/rain/days/%d/undo", day)
	s.boss.post(undo, nil)
	if n := s.count(`SELECT COUNT(*) FROM coupon_coupons WHERE member_id = ? AND state = 'available'`, o.id); n != 0 {
		t.Fatalf("%d coupons after the undo", n)
	}
	again := s.boss.post("/api/console/rain/days", mark).i("id")
	s.give(again)
	s.shop.desk.post("/api/staff/checkouts", with(s.shop.desk.ask(s.visit(o.id, o.plate)), obj{"tenders": []obj{}})) // the till takes the voucher by itself
	if n := s.count(`SELECT COUNT(*) FROM coupon_coupons WHERE member_id = ? AND state = 'used'`, o.id); n != 1 {
		t.Fatalf("%d vouchers were used", n)
	}
	s.boss.fails("rain.used", http.MethodPost, fmt.Sprintf("/api/console/rain/days/%d/undo", again), nil)
	s.later(time.Hour)
	if err := s.Rain.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := s.count(`SELECT COUNT(*) FROM rain_vouchers WHERE state = 'given'`); n != 1 {
		t.Errorf("the free wash brought another voucher: %d", n)
	}
	s.exact()
}

// F15, J06, F16 through HTTP: who stays away is listed for the desk, a result brings the coupon that the rule allows, and a filter by car and visits finds
// whom a text may reach.
func TestF15OutreachThroughHTTP(t *testing.T) {
	s := start(t).open()
	o := s.join("林晓舟")
	for range 2 {
		s.shop.desk.settle(s.visit(o.id, o.plate), tender("cash", 3500))
		s.later(10 * 24 * time.Hour)
		s.back()
	}
	gift := s.boss.post("/api/console/coupon-templates", obj{"name": "回店立减", "kind": "amount", "offFen": 1000, "stack": "any", "validDays": 30}).i("id")
	rule := obj{"missed": true, "silentDays": 45, "minVisits": 2, "rhythmPercent": 200, "forgetDays": 365, "backDays": 30, "birthdays": true, "couponIds": []int64{gift}, "priceLi": 50}
	s.shop.desk.fails("permission.denied", http.MethodPut, "/api/console/outreach/rule", rule)
	s.boss.want(http.MethodPut, "/api/console/outreach/rule", rule)
	s.later(40 * 24 * time.Hour)
	s.find()
	s.back()
	list := s.shop.desk.get("/api/staff/outreach/tasks?kind=missed&state=open").list("items")
	if len(list) != 1 || list[0].i("memberId") != o.id || list[0].i("visits") != 2 || list[0].i("rhythmDays") != 10 || list[0].s("storeName") != "静安店" {
		t.Fatalf("%v", list)
	}
	at := fmt.Sprintf("/api/staff/outreach/tasks/%d", list[0].i("id"))
	tech := s.hire(perm.RoleTechnician, "周技师", s.shop.store)
	tech.fails("permission.denied", http.MethodPost, at+"/dial", nil)
	elsewhere := s.hire(perm.RoleReceptionist, "何前台", s.shop.other)
	elsewhere.fails("not_found", http.MethodPost, at+"/dial", nil)
	if len(s.shop.desk.post(at+"/dial", nil).s("phone")) != 11 {
		t.Error("no number to dial")
	}
	s.shop.desk.fails("outreach.no_template", http.MethodPost, at+"/text", nil)
	got := s.shop.desk.post(at+"/result", obj{"outcome": "coming", "templateId": gift})
	if got.s("state") != "handled" || got.s("coupon") != "回店立减" {
		t.Fatalf("%v", got)
	}
	s.shop.desk.settle(s.visit(o.id, o.plate), tender("cash", 2800)) // the coupon, down to the floor price
	s.later(25 * time.Hour)
	s.find()
	s.back()
	if sum := s.boss.get("/api/console/outreach/summary"); sum.i("handled") != 1 || sum.i("cameBack") != 1 || sum.i("couponBack") != 1 {
		t.Errorf("%v", sum)
	}

	s.boss.want(http.MethodPut, fmt.Sprintf("/api/console/members/%d/tags", o.id), obj{"tags": []string{"爱车族"}})
	if tags := s.boss.get("/api/console/member-tags").list("items"); len(tags) != 1 || tags[0].s("tag") != "爱车族" || tags[0].i("members") != 1 {
		t.Errorf("%v", tags)
	}
	find := func(f obj) int64 { return s.boss.post("/api/console/coupon-issues/preview", f).i("members") }
	for _, c := range []struct {
		filter obj
		want   int64
	}{
		{obj{"classIds": []int64{s.shop.class}}, 1}, {obj{"classIds": []int64{s.shop.suv}}, 0},
		{obj{"platePrefix": o.plate[:len("沪")]}, 1}, {obj{"platePrefix": "藏"}, 0},
		{obj{"visitedFrom": s.day(-2)}, 1}, {obj{"visitedFrom": s.day(0)}, 0}, {obj{"lastVisitBefore": s.day(-2)}, 0}, {obj{"purchasedFrom": "2099-01-01"}, 0},
		{obj{"tags": []string{"爱车族", "企业"}}, 1}, {obj{"tags": []string{"企业"}}, 0},
	} {
		if n := find(c.filter); n != c.want {
			t.Errorf("%v finds %d, want %d", c.filter, n, c.want)
		}
	}
	text := obj{"name": "洗车节", "filter": obj{}, "template": "1000017", "body": "${name}，八折。拒收请回复R", "fields": []obj{{"key": "name", "label": "", "from": "name"}}}
	s.shop.desk.fails("permission.denied", http.MethodPost, "/api/console/outreach/campaigns", text)
	if e := s.boss.post("/api/console/outreach/campaigns/preview", text); e.i("found") != 1 || e.i("reachable") != 0 {
		t.Errorf("without consent: %v", e)
	}
	id := s.boss.post("/api/console/outreach/campaigns", text).i("id")
	if e := s.boss.post("/api/console/outreach/campaigns/preview", text); e.s("sample") == "" {
		t.Errorf("%v", e)
	}
	s.boss.fails("outreach.nobody", http.MethodPost, fmt.Sprintf("/api/console/outreach/campaigns/%d/start", id), nil)
	s.exact()
}
