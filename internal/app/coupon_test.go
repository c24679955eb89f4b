package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/perm"
)

// Points and coupons over HTTP, as the apps and the console use them.
func TestPointsAndCouponsOverHTTP(t *testing.T) {
	s := start(t).open()
	anna, bob := s.join("林晓舟"), s.join("陈思远")
	s.fund(anna.id, 20000)
	desk := s.shop.desk
	desk.settle(s.visit(anna.id, anna.plate), tender("balance", 3500))
	template := s.boss.post("/api/console/coupon-templates", obj{"name": "洗车减十元", "kind": "amount", "offFen": 1000, "thresholdFen": 3000, "kinds": []string{"wash"}, "storeIds": []int64{s.shop.store},
		"stack": "any", "validDays": 30, "giftable": true}).i("id")

	s.sub("a filter finds whom it says", func(t *testing.T) {
		find := func(want int64, f obj) {
			t.Helper()
			if n := s.boss.post("/api/console/coupon-issues/preview", f).i("members"); n != want {
				t.Errorf("%v finds %d, want %d", f, n, want)
			}
		}
		tier := s.boss.get("/api/console/tiers").i("items.0.id")
		find(2, obj{})
		find(2, obj{"tierIds": []int64{tier}})
		find(0, obj{"tierIds": []int64{4242}})
		find(2, obj{"joinedFrom": s.day(0), "joinedTo": s.day(0)})
		find(0, obj{"joinedFrom": s.day(1)})
		find(0, obj{"joinedTo": s.day(-1)})
		find(1, obj{"lastVisitBefore": s.day(0)})
		find(2, obj{"lastVisitBefore": s.day(1)})
		find(0, obj{"storeId": 4242})
		born := s.count(`SELECT COUNT(*) FROM member_members WHERE birthday LIKE '____-05-%'`)
		find(born, obj{"birthMonth": 5})
		s.boss.fails("request.invalid", http.MethodPost, "/api/console/coupon-issues/preview", obj{"joinedFrom": "2026-02-30"})
	})
	s.sub("issued to a filter, in the background", func(t *testing.T) {
		i := s.boss.post("/api/console/coupon-issues", obj{"templateId": template, "filter": obj{"lastVisitBefore": s.day(1)}, "note": "回馈"})
		one := fmt.Sprintf("/api/console/coupon-issues/%d", i.i("id"))
		s.eventually("the issue is done", func() bool { return s.boss.get(one).s("state") == "done" })
		if got := s.boss.get(one); got.i("issued") != 2 || got.i("found") != 2 {
			t.Errorf("%v", got)
		}
		mine := anna.get("/api/owner/coupons?state=available").list("items")
		if len(mine) != 1 || !strings.Contains(mine[0].s("offer.scope"), "限洗车") || mine[0].at("mayGift") != true {
			t.Errorf("%v", mine)
		}
	})
	s.sub("given to a friend", func(t *testing.T) {
		id := anna.get("/api/owner/coupons").i("items.0.id")
		gift := anna.post(fmt.Sprintf("/api/owner/coupons/%d/gift", id), nil)
		if invite := "&invite=" + anna.get("/api/owner/referral").s("code"); len(invite) < 12 || !strings.HasSuffix(gift.s("path"), invite) || !strings.HasSuffix(gift.s("url"), invite) {
			t.Errorf("the link does not bring a friend: %v", gift)
		}
		if on := anna.get("/api/owner/coupons").list("items")[0]; on.s("gift.code") != gift.s("code") || on.s("state") != "held" {
			t.Errorf("%v", on)
		}
		if v := bob.get("/api/owner/coupon-gifts/" + gift.s("code")); v.s("state") != "open" || v.at("mine") != false {
			t.Errorf("%v", v)
		}
		if v := bob.post("/api/owner/coupon-gifts", obj{"code": gift.s("code")}); v.i("id") != id || v.s("giftedFrom") == "" {
			t.Errorf("%v", v)
		}
		anna.fails("not_found", http.MethodPost, fmt.Sprintf("/api/owner/coupons/%d/gift", id), nil)
		if n := len(bob.get("/api/owner/coupons?state=available").list("items")); n != 2 {
			t.Errorf("Bob has %d", n)
		}
	})
	s.sub("a claim page", func(t *testing.T) {
		page := s.boss.post("/api/console/coupon-claims", obj{"templateId": template, "code": "xihu2026", "title": "开业领券", "stock": 1, "from": s.clk.Now(), "until": s.clk.Now().Add(time.Hour)})
		if v := s.visitor("赵一鸣").get("/api/owner/coupon-claims/XIHU2026"); v.s("state") != "open" {
			t.Errorf("who has not joined sees %v", v)
		}
		anna.post("/api/owner/coupon-codes", obj{"code": "xihu 2026"})
		bob.fails("coupon.gone", http.MethodPost, "/api/owner/coupon-claims/XIHU2026", nil)
		bob.fails("coupon.code_unknown", http.MethodPost, "/api/owner/coupon-codes", obj{"code": "NOSUCH"})
		for range 9 {
			bob.fails("coupon.code_unknown", http.MethodPost, "/api/owner/coupon-codes", obj{"code": "NOSUCH"})
		}
		if f := bob.fails("request.too_many", http.MethodPost, "/api/owner/coupon-codes", obj{"code": "NOSUCH"}); f.i("status") != http.StatusTooManyRequests || !strings.Contains(f.s("message"), "输入次数太多") {
			t.Errorf("who tries codes is told %v", f)
		}
		s.boss.fails("request.invalid", http.MethodPut, fmt.Sprintf("/api/console/coupon-claims/%d", page.i("id")), obj{"templateId": template + 1, "title": "x", "stock": 5, "from": s.clk.Now(), "until": s.clk.Now().Add(time.Hour)})
	})
	s.sub("void by the shop", func(t *testing.T) {
		id := desk.post(fmt.Sprintf("/api/staff/members/%d/coupons", anna.id), obj{"templateId": template, "reason": "服务补偿"}).i("items.0.id")
		s.boss.post(fmt.Sprintf("/api/console/coupons/%d/void", id), obj{"reason": "发错了"})
		s.boss.fails("coupon.void", http.MethodPost, fmt.Sprintf("/api/console/coupons/%d/void", id), obj{"reason": "发错了"})
		if list := s.boss.get(fmt.Sprintf("/api/console/coupons?memberId=%d&state=void", anna.id)).list("items"); len(list) != 1 || !han(list[0].s("memberName")) {
			t.Errorf("%v", list)
		}
	})
	s.sub("points by hand and by rule", func(t *testing.T) {
		path := fmt.Sprintf("/api/console/members/%d/points", anna.id)
		if v := s.boss.post(path, obj{"points": 80, "reason": "活动奖励"}); v.i("available") != 80 || v.i("worthFen") != 80 {
			t.Errorf("%v", v)
		}
		s.boss.fails("points.insufficient", http.MethodPost, path, obj{"points": -81, "reason": "录错了"})
		s.hire(perm.RoleReceptionist, "何前台", s.shop.store).fails("permission.denied", http.MethodPost, path, obj{"points": 1, "reason": "录错了"})
		if v := anna.get("/api/owner/points"); v.i("available") != 80 || len(v.list("expiring")) != 1 {
			t.Errorf("%v", v)
		}
		if e := anna.get("/api/owner/points/entries").list("items"); len(e) != 1 || e[0].i("points") != 80 || e[0].s("memo") != "活动奖励" {
			t.Errorf("%v", e)
		}
		rules := s.boss.get("/api/console/points/rules")
		days := []obj{{"name": "双倍日", "from": s.day(0), "to": s.day(5), "bp": 20000}, {"name": "周年庆", "from": s.day(5), "to": s.day(6), "bp": 30000}}
		f := s.boss.fails("points.rules", http.MethodPut, "/api/console/points/rules", obj{"version": rules.i("version"), "kinds": []obj{}, "items": []obj{}, "tiers": []obj{}, "days": days})
		if f.s("fields.0.field") != "days[1].from" || !han(f.s("fields.0.message")) {
			t.Errorf("%v", f)
		}
		s.boss.want(http.MethodPut, "/api/console/points/rules", obj{"version": rules.i("version"), "kinds": []obj{}, "items": []obj{}, "tiers": []obj{}, "days": days[:1]})
		s.boss.fails("points.rules_changed", http.MethodPut, "/api/console/points/rules", obj{"version": rules.i("version"), "kinds": []obj{}, "items": []obj{}, "tiers": []obj{}, "days": days[:1]})
	})
	s.exact()
}
