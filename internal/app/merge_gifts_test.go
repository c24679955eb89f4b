package app_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// refunded gives a member's top-ups back through their page, to where they came from.
func (s *system) refunded(o owner, fen int64) {
	s.t.Helper()
	path := fmt.Sprintf("/api/console/members/%d", o.id)
	x := s.boss.get(fmt.Sprintf("%s/refund-plan?amountFen=%d", path, fen))
	f := s.boss.post(path+"/refunds", obj{"amountFen": fen, "reason": "顾客搬家", "planHash": x.s("planHash")})
	s.eventually("the money is back", func() bool {
		s.later(time.Minute)
		return s.boss.get(fmt.Sprintf("/api/console/refunds/%d", f.i("refundId"))).s("state") == "done"
	})
}

// coupons counts the coupons that a member may use.
func (o owner) coupons() int {
	o.s.t.Helper()
	return len(o.get("/api/owner/coupons?state=available").list("items"))
}

// N11: what was given for a top-up goes back with its money although its member has become another one; what was used stays used, and does not come
// back when its order is taken back.
func TestMergeTakesGiftsBack(t *testing.T) {
	s := start(t).open()
	boss, desk := s.boss, s.shop.desk
	template := boss.post("/api/console/coupon-templates", obj{"name": "免费洗车", "kind": "service", "serviceIds": []int64{s.shop.wash}, "stack": "any", "validDays": 30}).i("id")
	tier := boss.post("/api/console/tiers", obj{"name": "金卡", "color": "#CC9900", "rank": 9, "discountBp": 9000}).i("id")
	boss.post("/api/console/gift-rules", obj{"name": "充值有礼", "trigger": "after_topup", "terms": obj{"minFen": 50000}, "gift": []obj{{"kind": "coupon", "id": template, "n": 3}, {"kind": "tier", "id": tier, "n": 12}}})
	keep, dup := s.join("林晓舟"), s.join("林晓舟")
	dup.topup()
	s.later(10 * time.Second)
	s.eventually("the gift", func() bool { return dup.coupons() == 3 })
	order := desk.post("/api/staff/checkouts", with(desk.ask(s.visit(dup.id, dup.plate)), obj{"tenders": []obj{}})).i("orderId") // takes one
	s.shop.manager.merge(dup.id, keep.id)
	if n, name := keep.coupons(), keep.get("/api/owner/home").s("tier.name"); n != 2 || name != "金卡" {
		t.Fatalf("%d coupons, %s", n, name)
	}
	s.refunded(keep, 50000)
	if err := s.Gifts.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, name := keep.coupons(), keep.get("/api/owner/home").s("tier.name"); n != 0 || name == "金卡" {
		t.Errorf("after the refund: %d coupons, %s", n, name)
	}
	s.shop.manager.post(fmt.Sprintf("/api/staff/orders/%d/reverse", order), obj{"reason": "没洗成"})
	if n := keep.coupons(); n != 0 {
		t.Errorf("%d coupons came back with the order", n)
	}
	s.exact()
}

// The vouchers of a rainy day of who became another member are taken back from that one: of a wash that is reversed, and of a day that is undone.
func TestMergeTakesRainBack(t *testing.T) {
	s := start(t).open()
	voucher := s.boss.post("/api/console/coupon-templates", obj{"name": "雨后补洗券", "kind": "service", "serviceIds": []int64{s.shop.wash}, "stack": "any", "validDays": 14}).i("id")
	s.boss.want(http.MethodPut, "/api/console/rain/rule", obj{"vouchers": true, "templateId": voucher, "hours": 48, "serviceIds": []int64{}, "minFen": 1000, "perMonth": 2, "rebooking": false, "passDays": 0, "automatic": false})
	keep, dup := s.join("林晓舟"), s.join("林晓舟")
	var orders []int64
	for range 2 {
		orders = append(orders, s.shop.desk.settle(s.visit(dup.id, dup.plate), tender("cash", 3500)).i("orderId"))
	}
	s.later(time.Minute)
	day := s.shop.manager.post("/api/staff/rain/days", obj{"storeId": s.shop.store, "date": s.day(0)}).i("id")
	s.give(day)
	s.shop.manager.merge(dup.id, keep.id)
	if n := keep.coupons(); n != 2 {
		t.Fatalf("%d vouchers went over", n)
	}
	s.shop.manager.post(fmt.Sprintf("/api/staff/orders/%d/reverse", orders[0]), obj{"reason": "没洗成"})
	if err := s.Rain.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := keep.coupons(); n != 1 {
		t.Errorf("after the reversal: %d vouchers", n)
	}
	s.boss.post(fmt.Sprintf("/api/console/rain/days/%d/undo", day), nil)
	if n := keep.coupons(); n != 0 {
		t.Errorf("after the undo: %d vouchers", n)
	}
	s.exact()
}

// invited joins somebody by the code of a member.
func (s *system) invited(name string, by owner) owner {
	s.t.Helper()
	o := s.visitor(name)
	o.plate = fmt.Sprintf("沪C%05d", s.keys.Add(1)%100000)
	o.id = o.post("/api/owner/join", obj{"charterVersion": s.charter(), "phoneToken": o.provePhone(), "name": name, "inviteCode": by.get("/api/owner/referral").s("code"),
		"vehicle": obj{"plate": o.plate, "vehicleClassId": s.shop.class}}).i("memberId")
	return o
}

// N16: whether a friend brought money is judged by all that the person brought who was two members.
func TestMergeKeepsReferralsHonest(t *testing.T) {
	s := start(t).open()
	s.boss.want(http.MethodPut, "/api/console/referrals/rules", obj{"on": true, "minPaidFen": 1, "payWithinDays": 90, "backDays": 15, "dailyCap": 10, "fastCount": 9,
		"inviterGift": []obj{{"kind": "points", "n": 300}}, "friendGift": []obj{{"kind": "points", "n": 50}}, "grades": []obj{}})
	rewarded := func(inviter owner, want int64) {
		s.t.Helper()
		s.later(10 * time.Second)
		if err := s.Referral.Sweep(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
		if n := inviter.get("/api/owner/points").i("available"); n != want {
			s.t.Errorf("the inviter has %d points, want %d", n, want)
		}
	}
	s.sub("the refund of another one's top-up takes no reward", func(*testing.T) {
		x := s.join("王推荐")
		friend, dup := s.invited("林晓舟", x), s.join("林晓舟")
		s.shop.desk.settle(s.visit(friend.id, friend.plate), tender("cash", 3500))
		rewarded(x, 300)
		dup.topup()
		s.shop.manager.merge(dup.id, friend.id)
		s.refunded(friend, 50000)
		rewarded(x, 300)
	})
	s.sub("a refund that posts under the other one takes it", func(*testing.T) {
		x := s.join("王推荐")
		friend, keep := s.invited("林晓舟", x), s.join("林晓舟")
		friend.topup()
		rewarded(x, 300)
		s.shop.manager.merge(friend.id, keep.id)
		rewarded(x, 300)
		s.refunded(keep, 50000)
		rewarded(x, 0)
	})
	s.sub("a friend who pays as the other one is a friend", func(*testing.T) {
		x := s.join("王推荐")
		friend, keep := s.invited("林晓舟", x), s.join("林晓舟")
		s.shop.manager.merge(friend.id, keep.id)
		rewarded(x, 0)
		s.shop.desk.settle(s.visit(keep.id, keep.plate), tender("cash", 3500))
		rewarded(x, 300)
	})
	s.sub("who was a customer before is none", func(*testing.T) {
		x, keep := s.join("王推荐"), s.join("林晓舟")
		s.shop.desk.settle(s.visit(keep.id, keep.plate), tender("cash", 3500))
		s.later(time.Minute)
		friend := s.invited("林晓舟", x)
		s.shop.manager.merge(friend.id, keep.id)
		rewarded(x, 0)
	})
	s.exact()
}
