package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/wxsandbox"
)

// Friends, presents and the mall, end to end over HTTP: a friend joins by a code, pays, both are rewarded; coupons, passes, memberships and
// tiers as presents; goods for points and money, collected by code.

func TestGiftsEndToEnd(t *testing.T) {
	s := start(t).open()
	boss, desk := s.boss, s.shop.desk
	template := boss.post("/api/console/coupon-templates", obj{"name": "免费洗车", "kind": "service", "serviceIds": []int64{s.shop.wash}, "stack": "any", "validDays": 30, "giftable": true}).i("id")
	tier := boss.post("/api/console/tiers", obj{"name": "金卡", "color": "#CC9900", "rank": 9, "discountBp": 9000}).i("id")
	points := func(o owner) int64 { return o.get("/api/owner/points").i("available") }
	coupons := func(o owner) int { return len(o.get("/api/owner/coupons?state=available").list("items")) }

	boss.want(http.MethodPut, "/api/console/referrals/rules", obj{"on": true, "minPaidFen": 1, "payWithinDays": 90, "backDays": 15, "dailyCap": 10, "fastCount": 9,
		"inviterGift": []obj{{"kind": "points", "n": 300}, {"kind": "coupon", "id": template, "n": 1}}, "friendGift": []obj{{"kind": "points", "n": 50}},
		"grades": []obj{{"friends": 2, "gift": []obj{{"kind": "tier", "id": tier, "n": 12}}}}})
	a := s.join("林晓舟")
	mine := a.get("/api/owner/referral")
	if len(mine.s("code")) != 8 || !strings.HasPrefix(mine.s("codeUrl"), "/media/") || !strings.HasSuffix(mine.s("link"), "pages/join/index?invite="+mine.s("code")+"&via=card") || mine.s("inviterGift") != "300 积分、免费洗车" {
		t.Fatalf("%v", mine)
	}
	if r := s.anonymous().do(http.MethodGet, mine.s("codeUrl"), nil); r.status != http.StatusOK || r.header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("the mini-program code: %d", r.status)
	}
	var friends []owner
	var orders []int64
	s.sub("friends join by code, pay, and both sides are rewarded", func(t *testing.T) {
		for n, name := range []string{"陈思远", "周子涵"} {
			f := s.visitor(name)
			f.plate = fmt.Sprintf("沪C%05d", n+1)
			r := f.post("/api/owner/join", obj{"charterVersion": s.charter(), "phoneToken": f.provePhone(), "name": name, "inviteCode": strings.ToLower(mine.s("code")),
				"vehicle": obj{"plate": f.plate, "vehicleClassId": s.shop.class}})
			f.id = r.i("memberId")
			friends = append(friends, f)
		}
		f := friends[0]
		s.later(10 * time.Second)
		if points(a) != 0 || points(f) != 0 {
			t.Error("rewarded before anybody paid")
		}
		for _, f := range friends {
			orders = append(orders, desk.settle(s.visit(f.id, f.plate), tender("cash", 3500)).i("orderId"))
		}
		s.later(10 * time.Second)
		s.eventually("the reward", func() bool { return points(a) == 600 })
		if points(friends[0]) != 50 || coupons(a) != 2 {
			t.Errorf("%d points, %d coupons", points(friends[0]), coupons(a))
		}
		if got := a.get("/api/owner/home").s("tier.name"); got != "金卡" {
			t.Errorf("two friends bring the tier, not %q", got)
		}
		f.fails("referral.bound", http.MethodPost, "/api/owner/referral/bind", obj{"code": mine.s("code")})
		if x := boss.get("/api/console/referrals?state=rewarded").list("items"); len(x) != 2 || x[0].i("paidFen") != 3500 {
			t.Errorf("%v", x)
		}
		s.exact()
	})
	s.sub("a payment that goes back takes the reward back", func(t *testing.T) {
		s.shop.manager.post(fmt.Sprintf("/api/staff/orders/%d/reverse", orders[1]), obj{"reason": "误操作"})
		s.later(10 * time.Second)
		s.eventually("the reward is taken back", func() bool { return points(a) == 300 })
		if coupons(a) != 1 || a.get("/api/owner/home").s("tier.name") == "金卡" || points(friends[1]) != 0 {
			t.Errorf("%d coupons, %s", coupons(a), a.get("/api/owner/home").s("tier.name"))
		}
		if x := boss.get("/api/console/referrals/suspects").list("items"); len(x) != 1 || x[0].s("flags.0.key") != "refund" {
			t.Errorf("%v", x)
		}
		s.exact()
	})
	s.sub("a dealer's code gives what it says, once", func(t *testing.T) {
		b := boss.post("/api/console/code-batches", obj{"name": "新车礼", "kind": "dealer", "partner": "某 4S 店", "count": 2, "perMember": 1,
			"gift": []obj{{"kind": "coupon", "id": template, "n": 2}, {"kind": "points", "n": 20}}})
		codes := boss.post(fmt.Sprintf("/api/console/code-batches/%d/codes", b.i("id")), nil).at("codes").([]any)
		f := friends[1]
		if got := f.post("/api/owner/codes", obj{"code": codes[0]}); got.s("gift") != "免费洗车 ×2、20 积分" {
			t.Errorf("%v", got)
		}
		f.fails("campaign.code_used", http.MethodPost, "/api/owner/codes", obj{"code": codes[0]})
		f.fails("campaign.code_limit", http.MethodPost, "/api/owner/codes", obj{"code": codes[1]})
		if coupons(f) != 2 || points(f) != 20 {
			t.Errorf("%d coupons, %d points", coupons(f), points(f))
		}
		s.exact()
	})
	s.sub("a mat for points and money, paid by WeChat, collected by its code", func(t *testing.T) {
		item := boss.post("/api/console/mall/items", obj{"name": "全包围脚垫", "kind": "good", "points": 200, "moneyFen": 9900, "stock": 1, "lowStock": 1, "perMember": 1}).i("id")
		if low := boss.get("/api/console/mall/low").list("items"); len(low) != 1 {
			t.Errorf("%v", low)
		}
		ask := obj{"itemId": item, "qty": 1, "points": 200, "moneyFen": 9900, "storeId": s.shop.store, "pay": "wechat"}
		o := a.post("/api/owner/mall/orders", ask)
		if o.s("order.state") != "pending" || points(a) != 100 {
			t.Fatalf("%v", o)
		}
		if why := friends[0].get(fmt.Sprintf("/api/owner/mall/items/%d", item)).s("why"); why != "已兑完" {
			t.Errorf("the last one is gone: %q", why)
		}
		a.pay(o, wxsandbox.OutcomePay)
		path := fmt.Sprintf("/api/owner/mall/orders/%d", o.i("order.id"))
		s.eventually("the order is ready", func() bool { return a.get(path).s("state") == "ready" })
		if f := a.fails("mall.uncollected", http.MethodPost, "/api/owner/account/close", obj{"reason": "搬家"}); !strings.Contains(f.s("message"), "全包围脚垫") {
			t.Errorf("who leaves is told %v", f)
		}
		code := a.get(path).s("pickupCode")
		found := desk.post("/api/staff/mall/collect", obj{"code": code})
		if found.i("id") != o.i("order.id") || found.s("memberName") != "林**" || found.s("pickupCode") != "" {
			t.Errorf("%v", found)
		}
		deliver := fmt.Sprintf("/api/staff/mall/orders/%d/deliver", found.i("id"))
		if got := desk.post(deliver, obj{"code": code}); got.s("state") != "collected" {
			t.Errorf("%v", got)
		}
		desk.fails("mall.state", http.MethodPost, deliver, obj{"code": code})
		a.fails("mall.state", http.MethodPost, path+"/cancel", obj{})
		s.exact()
	})
	s.sub("a voucher is given at once, and what nobody pays comes back", func(t *testing.T) {
		item := boss.post("/api/console/mall/items", obj{"name": "洗车券", "kind": "service", "subjectId": template, "points": 60, "stock": 9}).i("id")
		before := coupons(a)
		if o := a.post("/api/owner/mall/orders", obj{"itemId": item, "qty": 1, "points": 60}); o.s("order.state") != "collected" || coupons(a) != before+1 || points(a) != 40 {
			t.Errorf("%v", o)
		}
		a.fails("points.insufficient", http.MethodPost, "/api/owner/mall/orders", obj{"itemId": item, "qty": 1, "points": 60})
		dear := boss.post("/api/console/mall/items", obj{"name": "香薰", "kind": "good", "points": 40, "moneyFen": 100, "stock": 3}).i("id")
		o := a.post("/api/owner/mall/orders", obj{"itemId": dear, "qty": 1, "points": 40, "moneyFen": 100, "storeId": s.shop.store})
		if points(a) != 0 {
			t.Errorf("%d points", points(a))
		}
		if got := a.post(fmt.Sprintf("/api/owner/mall/orders/%d/cancel", o.i("order.id")), obj{}); got.s("state") != "cancelled" || points(a) != 40 {
			t.Errorf("%v, %d points", got, points(a))
		}
		s.exact()
	})
	s.sub("passes and memberships as presents come back too", func(t *testing.T) {
		plan := boss.post("/api/console/pass-plans", obj{"name": "洗车三次卡", "kind": "times", "priceFen": 9000, "validDays": 365, "onSale": true,
			"lines": []obj{{"serviceIds": []int64{s.shop.wash}, "times": 3, "listFen": 3500}}}).i("id")
		boss.post("/api/console/gift-rules", obj{"name": "满百送卡", "trigger": "after_purchase", "terms": obj{"minFen": 10000}, "gift": []obj{{"kind": "pass", "id": plan, "n": 1}}})
		f := friends[0]
		detail := with(s.visit(f.id, f.plate), obj{"items": []obj{{"kind": "service", "id": s.shop.detail, "qty": 1}}})
		order := desk.settle(detail, tender("cash", 26800)).i("orderId")
		s.later(10 * time.Second)
		live := func() int64 {
			return s.count(`SELECT COUNT(*) FROM pass_passes WHERE member_id = ? AND state = 'active'`, f.id)
		}
		s.eventually("the pass is given", func() bool { return live() == 1 })
		s.exact()
		s.shop.manager.post(fmt.Sprintf("/api/staff/orders/%d/reverse", order), obj{"reason": "误操作"})
		s.later(10 * time.Second)
		s.eventually("the pass is taken back", func() bool { return live() == 0 })
		s.exact()
	})
}
