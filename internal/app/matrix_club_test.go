package app_test

import (
	"bytes"
	"fmt"
	"net/http"
)

// What a member may have in the membership programme, for the test that nobody else reaches it.

// mallOrderOf is a ready order of o in the mall.
func (s *system) mallOrderOf(o owner) int64 {
	s.t.Helper()
	s.boss.post(fmt.Sprintf("/api/console/members/%d/points", o.id), obj{"points": 10, "reason": "老会员补积分"})
	item := s.boss.post("/api/console/mall/items", obj{"name": "毛巾", "kind": "good", "points": 10, "stock": 5}).i("id")
	return o.post("/api/owner/mall/orders", obj{"itemId": item, "qty": 1, "points": 10, "storeId": s.shop.store}).i("order.id")
}

// membershipOf is a paid membership of o.
func (s *system) membershipOf(o owner) int64 {
	s.t.Helper()
	plan := s.boss.post("/api/console/membership-plans", obj{"name": "洗车会员", "kind": "service", "priceFen": 100, "months": 1,
		"rights": []obj{{"kind": "free_use", "title": "免费洗车", "serviceIds": []int64{s.shop.wash}, "times": 1, "period": "term"}}}).i("id")
	s.shop.desk.post("/api/staff/memberships", obj{"memberId": o.id, "planId": plan, "storeId": s.shop.store, "pay": "cash"})
	return o.get("/api/owner/tier").i("memberships.0.id")
}

// proof is the upload of a document.
func (s *system) proof() ([]byte, []header) {
	s.t.Helper()
	b, kind := photo(s.t)
	b = bytes.Replace(bytes.Replace(b, []byte(`name="stage"`), []byte(`name="kind"`), 1), []byte("before"), []byte("license"), 1)
	return b, []header{{"Content-Type", kind}}
}

// groupsOf gives o a family with a driver, a link and a question that waits, and a company's application with a document. The ids go by the
// part of the path that takes them.
func (s *system) groupsOf(o owner) map[string]string {
	s.t.Helper()
	family := o.post("/api/owner/groups", obj{"name": "林家"}).i("id")
	at := fmt.Sprintf("/api/owner/groups/%d", family)
	rules := obj{"plates": []string{}, "serviceIds": []int64{}, "weekdays": []int{}, "approvalOverFen": 100}
	driver := s.join("林小满")
	driver.post("/api/owner/group-joins", obj{"code": o.post(at+"/invites", obj{"cardKind": "driver", "note": "女儿", "rules": rules}).s("code")})
	link := o.post(at+"/invites", obj{"cardKind": "driver", "rules": rules}).i("id")
	asked := s.shop.desk.post("/api/staff/group-approvals", obj{"storeId": s.shop.store, "groupId": family, "memberId": driver.id, "plate": driver.plate, "serviceIds": []int64{s.shop.wash},
		"title": "标准洗车", "amountFen": 3500}).i("id")
	company := o.post("/api/owner/group-applications", obj{"name": "福州某某科技有限公司", "creditCode": "91350100M000100Y43", "contact": obj{"name": "赵经理", "phone": "0591-88886666"}}).i("id")
	b, with := s.proof()
	shown := o.want(http.MethodPost, fmt.Sprintf("/api/owner/groups/%d/documents", company), b, with...)
	return map[string]string{"groups": fmt.Sprint(family), "{driverId}": fmt.Sprint(o.get(at).i("places.0.id")), "{inviteId}": fmt.Sprint(link), "group-approvals": fmt.Sprint(asked),
		"group-applications": fmt.Sprint(company), "{documentId}": fmt.Sprint(shown.i("documents.0.id"))}
}

// notThroughMine asks for what is in theirs by the way of o's own groups, of which o is the payer.
func (s *system) notThroughMine(o owner, theirs map[string]string, place obj) {
	s.t.Helper()
	mine := fmt.Sprintf("/api/owner/groups/%d", o.post("/api/owner/groups", obj{"name": "陈家"}).i("id"))
	o.fails("not_found", http.MethodPut, mine+"/drivers/"+theirs["{driverId}"], place)
	o.fails("not_found", http.MethodDelete, mine+"/drivers/"+theirs["{driverId}"], nil)
	o.fails("group.invite_gone", http.MethodDelete, mine+"/invites/"+theirs["{inviteId}"], nil) // as one that never was
	o.fails("not_found", http.MethodGet, mine+"/documents/"+theirs["{documentId}"], nil)
}

// untouched fails when anything of o's groups was changed.
func (s *system) untouched(o owner, groups map[string]string) {
	s.t.Helper()
	family, company := o.get("/api/owner/groups/"+groups["groups"]), o.get("/api/owner/groups/"+groups["group-applications"])
	if family.s("name") != "林家" || family.s("state") != "active" || len(family.list("places")) != 1 || len(family.list("invites")) != 1 || family.s("places.0.note") != "女儿" {
		s.t.Errorf("the family was changed: %v", family)
	}
	if company.s("name") != "福州某某科技有限公司" || company.s("state") != "review" || len(company.list("documents")) != 1 {
		s.t.Errorf("the company was changed: %v", company)
	}
	if y := o.get("/api/owner/group-approvals").list("items"); len(y) != 1 || y[0].s("state") != "asked" {
		s.t.Errorf("the question was answered: %v", y)
	}
}
