package app_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// A company's people, a shared page, a friend's points, a gift for a top-up and a membership that renews itself: told through the API, and the books are
// exact in the end.
func TestStoryFriendsAndCompany(t *testing.T) {
	s := start(t).open()
	sweep := func(jobs ...func(context.Context) error) {
		t.Helper()
		for _, job := range jobs {
			if err := job(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	gold := s.boss.post("/api/console/tiers", obj{"name": "金卡", "color": "#C9A227", "rank": 5, "discountBp": 9000}).i("id")
	s.boss.want(http.MethodPut, "/api/console/settings", obj{"values": []obj{{"key": "points.earn_bp", "value": 10000}, {"key": "points.for_others", "value": true}}})
	payer, driver := s.join("王付款"), s.join("李司机")

	// A05: the shop lets a company in and names a tier; a VIP card comes by hand.
	company := payer.post("/api/owner/group-applications", obj{"name": "福州某某科技有限公司", "creditCode": "91350100M000100Y43", "contact": obj{"name": "赵建国", "phone": "0591-88886666"}}).i("id")
	b, more := s.proof()
	payer.want(http.MethodPost, fmt.Sprintf("/api/owner/groups/%d/documents", company), b, more...)
	at := fmt.Sprintf("/api/console/groups/%d", company)
	s.boss.post(at+"/review", obj{"outcome": "approve"})
	s.boss.want(http.MethodPut, at+"/tier", obj{"tierId": gold})
	rules := obj{"plates": []string{}, "serviceIds": []int64{}, "weekdays": []int{}}
	s.shop.desk.fails("permission.denied", http.MethodPost, at+"/drivers", obj{"memberId": driver.id, "place": obj{"cardKind": "vip", "rules": rules}})
	place := s.boss.post(at+"/drivers", obj{"memberId": driver.id, "place": obj{"cardKind": "vip", "note": "销售部", "rules": rules}}).i("places.0.id")
	for _, o := range []owner{payer, driver} {
		if m := o.get("/api/owner/tier"); m.s("tier.name") != "金卡" || m.s("source") != "account" {
			t.Errorf("%s", m)
		}
	}
	s.boss.want(http.MethodDelete, fmt.Sprintf("%s/drivers/%d", at, place), nil)
	if m := driver.get("/api/owner/tier"); m.s("tier.name") == "金卡" {
		t.Errorf("%s", m)
	}

	// F03: a page of the mall that the driver shared brings somebody.
	ref := s.boss.get("/api/console/referrals/rules")
	ref["shareOn"], ref["shareGift"], ref["shareCap"] = true, []obj{{"kind": "points", "n": 20}}, 5
	s.boss.want(http.MethodPut, "/api/console/referrals/rules", ref)
	s.clk.Advance(time.Minute)
	code := driver.get("/api/owner/sharing").s("code")
	guest := s.visitor("陈新人")
	guest.plate = "沪C20001"
	guest.id = guest.post("/api/owner/join", obj{"charterVersion": s.charter(), "phoneToken": guest.provePhone(), "name": "陈新人", "inviteCode": code + ".item",
		"vehicle": obj{"plate": guest.plate, "vehicleClassId": s.shop.class}}).i("memberId")
	sweep(s.Referral.Sweep)
	if n := driver.get("/api/owner/points").i("available"); n != 20 {
		t.Errorf("%d points for sharing", n)
	}

	// B09: a walk-in's wash brings the driver points, and not any more when it is undone.
	order := s.shop.desk.settle(with(s.visit(0, "沪D30001"), obj{"earnerId": driver.id}), tender("cash", 3500))
	if order.i("pointsEarned") != 35 || driver.get("/api/owner/points").i("available") != 55 {
		t.Errorf("%s", order)
	}
	other := s.shop.desk.settle(with(s.visit(guest.id, guest.plate), obj{"earnerId": driver.id}), tender("cash", 3500))
	s.boss.post(fmt.Sprintf("/api/staff/orders/%d/reverse", order.i("orderId")), obj{"reason": "开错单"})
	if n := driver.get("/api/owner/points").i("available"); n != 55 || other.s("earnerName") == "" {
		t.Errorf("%d points, %s", n, other)
	}

	// D13: a gift for each full hundred of a top-up.
	s.boss.post("/api/console/gift-rules", obj{"name": "充值礼", "trigger": "after_topup", "terms": obj{"stepFen": 10000, "stepMost": 3}, "gift": []obj{{"kind": "points", "n": 5}}})
	s.clk.Advance(time.Second)
	s.fund(guest.id, 50000)
	sweep(s.Gifts.Sweep)
	if n := guest.get("/api/owner/points").i("available"); n != 15 {
		t.Errorf("%d points for the top-up", n)
	}

	// D08: a membership follows itself from stored value, once.
	plan := s.boss.post("/api/console/membership-plans", obj{"name": "月度会员", "kind": "discount", "priceFen": 9900, "months": 1, "tierId": gold}).i("id")
	guest.post("/api/owner/memberships", obj{"planId": plan, "pay": "balance"})
	m := guest.get("/api/owner/tier").list("memberships")[0]
	renewal := fmt.Sprintf("/api/owner/memberships/%d/renewal", m.i("id"))
	driver.fails("not_found", http.MethodPut, renewal, obj{"on": true})
	guest.want(http.MethodPut, renewal, obj{"on": true})
	before, _, _ := guest.wallet()
	ends, err := time.Parse(time.RFC3339, m.s("endsAt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, before := range []time.Duration{6 * 24 * time.Hour, 5 * time.Hour, 4 * time.Hour} {
		s.clk.Set(ends.Add(-before))
		sweep(s.Tiers.Renewals)
	}
	list := guest.signedIn().get("/api/owner/tier").list("memberships")
	after, _, _ := guest.signedIn().wallet()
	if len(list) != 2 || list[0].s("startsAt") != m.s("endsAt") || before-after <= 0 {
		t.Errorf("%d memberships, %d paid: %s", len(list), before-after, list[0])
	}
	s.exact()
}
