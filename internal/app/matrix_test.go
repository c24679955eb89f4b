package app_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// selfService are the operations that every signed-in member of staff may use, whatever the role.
var selfService = []string{"staffMe", "staffLogout", "staffPasswordChange", "consoleMe", "consoleLogout", "consolePasswordChange"}

// someone is a role of the matrix.
type someone struct {
	name string
	who  httpapi.Who // Owner, Member, Staff; Public is nobody
	role string      // of staff
	dead bool        // the session must not work any more
	caller
}

func (s *system) everybody() []someone {
	s.t.Helper()
	suspended := s.hire(perm.RoleManager, "停用店长")
	s.boss.post(fmt.Sprintf("/api/console/staff/%d/suspend", suspended.id), obj{"reason": "离职"})
	return []someone{
		{name: "anonymous", who: httpapi.Public, caller: s.anonymous()},
		{name: "invented token", who: httpapi.Public, dead: true, caller: caller{s: s, token: "invented-token-0000000000000000000"}},
		{name: "owner not joined", who: httpapi.Owner, caller: s.visitor("路人").caller},
		{name: "owner", who: httpapi.Member, caller: s.join("林晓舟").caller},
		{name: "other owner", who: httpapi.Member, caller: s.join("陈思远").caller},
		{name: "boss", who: httpapi.Staff, role: perm.RoleOwner, caller: s.boss},
		{name: "manager", who: httpapi.Staff, role: perm.RoleManager, caller: s.shop.manager},
		{name: "receptionist", who: httpapi.Staff, role: perm.RoleReceptionist, caller: s.shop.desk},
		{name: "technician", who: httpapi.Staff, role: perm.RoleTechnician, caller: s.hire(perm.RoleTechnician, "吴技师", s.shop.store)},
		{name: "accountant", who: httpapi.Staff, role: perm.RoleAccountant, caller: s.hire(perm.RoleAccountant, "郑会计")},
		{name: "receptionist of another store", who: httpapi.Staff, role: perm.RoleReceptionist, caller: s.hire(perm.RoleReceptionist, "何前台", s.shop.other)},
		{name: "suspended manager", who: httpapi.Staff, role: perm.RoleManager, dead: true, caller: suspended},
	}
}

// expected is the fault that stops p at the door of an operation; "" lets them in.
func expected(op httpapi.Op, p someone) string {
	if op.Who == httpapi.Public {
		return ""
	}
	if p.token == "" {
		return "session.required"
	}
	staff := op.Who == httpapi.Staff || op.Who == httpapi.Console
	switch {
	case p.dead, staff != (p.who == httpapi.Staff):
		return "session.expired"
	case staff && op.Permission != "" && !slices.Contains(perm.Defaults(p.role), op.Permission):
		return "permission.denied"
	case op.Who == httpapi.Member && p.who == httpapi.Owner:
		return "member.not_joined"
	}
	return ""
}

var pathParam = regexp.MustCompile(`\{(\w+)\}`)

// nobodys fills the parameters of a path with what belongs to nobody.
func nobodys(op httpapi.Op) string {
	return pathParam.ReplaceAllStringFunc(op.Path, func(p string) string {
		switch p {
		case "{plate}":
			return "%E6%B2%AAA99999"
		case "{deviceNo}":
			return "000000000"
		}
		return "4242"
	})
}

// The matrix: every operation, called by every role, opens exactly to those whom the declared permission and the default roles allow. The
// bodies hold a field that no operation knows, so that whoever is let in changes nothing.
func TestPermissionMatrix(t *testing.T) {
	s := start(t).open()
	people := s.everybody()
	strange := obj{"noSuchField": 1}
	known := perm.Keys()
	bodies := s.bodies()
	doors := []string{"session.required", "session.expired", "permission.denied", "permission.store", "member.not_joined", "session.csrf"}
	for _, op := range s.Router.Ops() {
		s.sub(op.ID, func(t *testing.T) {
			staff := op.Who == httpapi.Staff || op.Who == httpapi.Console
			switch {
			case staff && op.Permission == "" && !slices.Contains(selfService, op.ID):
				t.Error("names no permission")
			case op.Permission != "" && !slices.Contains(known, op.Permission):
				t.Errorf("needs %q, which nobody can hold", op.Permission)
			case !staff && op.Permission != "":
				t.Error("owners hold no permissions")
			}
			for _, p := range people {
				if strings.HasSuffix(op.ID, "Logout") && expected(op, p) == "" {
					continue // it would end the session of the next rows
				}
				r := p.do(op.Method, nobodys(op), strange)
				code := r.json(t).s("code")
				want := expected(op, p)
				status := map[string]int{"": 0, "session.required": 401, "session.expired": 401, "permission.denied": 403, "member.not_joined": 404}[want]
				switch {
				case r.status >= 500:
					t.Errorf("%s: %d %s", p.name, r.status, r.body)
				case want != "" && (code != want || r.status != status):
					t.Errorf("%s: %d %s, want %s", p.name, r.status, r.body, want)
				case want == "" && slices.Contains(doors, code) && op.ID != "consoleRefresh":
					t.Errorf("%s: %d %s, want in", p.name, r.status, r.body)
				case want == "" && bodies[op.ID] != nil && r.status != http.StatusUnprocessableEntity && r.status != http.StatusTooManyRequests:
					t.Errorf("%s: an unknown field gives %d %s", p.name, r.status, r.body)
				}
			}
			boss := people[5]
			if op.Who == httpapi.Console && op.Method != http.MethodGet {
				if f := boss.do(op.Method, nobodys(op), strange, header{"X-Liangche", ""}); f.status != http.StatusForbidden || f.json(t).s("code") != "session.csrf" {
					t.Errorf("without the header that other sites cannot send: %d %s", f.status, f.body)
				}
			}
			if op.Idempotent {
				p := boss
				if !staff {
					p = people[3]
				}
				if f := p.do(op.Method, nobodys(op), strange, key("")); f.status != http.StatusBadRequest || f.json(t).s("code") != "idempotency.key_missing" {
					t.Errorf("without a key: %d %s", f.status, f.body)
				}
			}
		})
	}
	s.exact()
}

// Other people's ids are as if they did not exist, in every owner route.
func TestOtherMembersIDs(t *testing.T) {
	s := start(t).open()
	anna, bob := s.join("林晓舟"), s.join("陈思远")
	s.fund(anna.id, 10000)
	device := anna.device()
	vehicle := anna.get("/api/owner/vehicles").i("items.0.id")
	order := s.shop.desk.settle(s.visit(anna.id, anna.plate), tender("balance", 3500)).i("orderId")
	topup := anna.post("/api/owner/topups", obj{"amountFen": 10000}).i("topupId")
	s.bookable()
	booking := anna.book(s.tomorrow(10, 0)).i("id")
	wait := anna.post("/api/owner/waits", obj{"storeId": s.shop.store, "vehicleId": vehicle, "serviceIds": []int64{s.shop.wash}, "kind": "visit", "fromDay": s.day(1), "toDay": s.day(2),
		"fromMinute": 600, "toMinute": 720}).i("id")
	template := s.boss.post("/api/console/coupon-templates", obj{"name": "转赠券", "kind": "amount", "offFen": 1000, "stack": "any", "validDays": 30, "giftable": true}).i("id")
	coupon := s.shop.desk.post(fmt.Sprintf("/api/staff/members/%d/coupons", anna.id), obj{"templateId": template, "reason": "服务补偿"}).i("items.0.id")
	plan := s.boss.post("/api/console/pass-plans", obj{"name": "十次卡", "kind": "times", "priceFen": 5000, "fromBalance": true, "onSale": true, "giftable": true,
		"lines": []obj{{"serviceIds": []int64{s.shop.wash}, "times": 2, "listFen": 3500}}, "recharge": obj{"times": 1, "priceFen": 2500}}).i("id")
	card := anna.post("/api/owner/passes", obj{"planId": plan, "pay": "balance"}).i("resultId")
	bought := anna.post("/api/owner/passes", obj{"planId": plan, "pay": "wechat"}).i("saleId")
	theirs := map[string]string{"passes": fmt.Sprint(card), "sales": fmt.Sprint(bought), "coupons": fmt.Sprint(coupon), "bookings": fmt.Sprint(booking), "waits": fmt.Sprint(wait), "topups": fmt.Sprint(topup), "orders": fmt.Sprint(order), "vehicles": fmt.Sprint(vehicle), "code-devices": device.no,
		"identities": fmt.Sprint(anna.get("/api/owner/identities").i("items.0.id")),
		"mall":       fmt.Sprint(s.mallOrderOf(anna)), "memberships": fmt.Sprint(s.membershipOf(anna))}
	groups := s.groupsOf(anna)
	for name, id := range groups {
		theirs[name] = id
	}
	place := obj{"cardKind": "driver", "rules": obj{"plates": []string{}, "serviceIds": []int64{}, "weekdays": []int{}}}
	company := obj{"name": "别人的公司", "creditCode": "91350100M000100Y43", "contact": obj{"name": "赵经理", "phone": "0591-88886666"}}
	body := map[string]obj{"ownerPassPlate": {"plate": "沪B12345"}, "ownerPassRecharge": {"pay": "balance"}, "ownerPassRenewal": {"on": true}, "ownerMembershipRenewal": {"on": true}, "ownerVehicleUpdate": {"plate": "沪B12345"}, "ownerDispute": {"reason": "not_me"}, "ownerCodeLimits": {"capFen": 1},
		"ownerBookingCancel": {"reason": "不去了"}, "ownerBookingReschedule": {"startsAt": s.tomorrow(15, 0)}, "ownerBookingRate": {"stars": 5, "tags": []string{}, "text": ""},
		"ownerGroupRename": {"name": "我的"}, "ownerGroupReapply": company, "ownerGroupDissolve": {}, "ownerGroupApprove": {}, "ownerGroupDeny": {}, "ownerGroupInvite": place, "ownerGroupDriverPut": place, "ownerMallOrderCancel": {}, "ownerCareTell": {"kind": "private"}, "ownerCareDone": {"event": "insurance_due", "on": s.day(300)}}
	forAll := []string{"ownerMallItem"} // what the mall offers is everybody's
	for _, op := range s.Router.Ops() {
		if op.Who != httpapi.Owner && op.Who != httpapi.Member || !strings.Contains(op.Path, "{") {
			continue
		}
		if strings.Contains(op.Path, "{code}") {
			continue // a code opens to whoever was given it
		}
		if slices.Contains(forAll, op.ID) {
			continue
		}
		s.sub(op.ID, func(t *testing.T) {
			path := pathParam.ReplaceAllStringFunc(op.Path, func(p string) string {
				id, ok := theirs[p]
				if !ok {
					id, ok = theirs[strings.Split(op.Path, "/")[3]]
				}
				if !ok {
					t.Fatalf("teach this test whose ids %s takes", op.Path)
				}
				return id
			})
			var in any
			var with []header
			if b := body[op.ID]; b != nil {
				in = b
			} else if op.ID == "ownerGroupDocumentAdd" {
				in, with = s.proof()
			}
			if f := bob.fails("not_found", op.Method, path, in, with...); f.i("status") != 404 || f.at("detail") != nil {
				t.Errorf("refused by %v", f)
			}
		})
	}
	if f := bob.fails("request.invalid", http.MethodPut, "/api/owner/code-devices/"+bob.device().no+"/limits", obj{"vehicleId": vehicle}); f.s("fields.0.field") != "vehicleId" {
		t.Errorf("a code bound to another's car: %v", f)
	}
	bob.fails("request.invalid", http.MethodPost, "/api/owner/bookings", obj{"storeId": s.shop.store, "kind": "visit", "vehicleId": vehicle, "serviceIds": []int64{s.shop.wash},
		"startsAt": s.tomorrow(12, 0), "channel": "mini_program"})
	s.notThroughMine(bob, groups, place)
	s.untouched(anna, groups)
	if b := anna.get(fmt.Sprintf("/api/owner/bookings/%d", booking)); b.s("state") != "held" {
		t.Errorf("Bob changed Anna's booking: %v", b)
	}
	if list := bob.get("/api/owner/bookings").list("items"); len(list) != 0 {
		t.Errorf("Bob reads %v", list)
	}
	for _, mine := range []string{"records", "mall/orders", "group-approvals", "passes?state=all", "coupons", "points/entries"} {
		if list := bob.get("/api/owner/" + mine).list("items"); len(list) != 0 {
			t.Errorf("Bob reads %s: %v", mine, list)
		}
	}
	if got := anna.get(fmt.Sprintf("/api/owner/topups/%d", topup)); got.s("state") != "pending" {
		t.Errorf("Bob changed Anna's top-up: %v", got)
	}
	if v := anna.get("/api/owner/vehicles"); v.s("items.0.plate") != anna.plate {
		t.Errorf("Bob changed Anna's car: %v", v)
	}
}

// Staff of one store reach nothing of another.
func TestOtherStores(t *testing.T) {
	s := start(t).open()
	away := s.hire(perm.RoleReceptionist, "何前台", s.shop.other)
	o := s.join("林晓舟")
	s.fund(o.id, 20000)
	desk := s.shop.desk
	order := desk.settle(s.visit(o.id, o.plate), tender("balance", 3500)).i("orderId")
	waiting := desk.settle(s.visit(o.id, o.plate), tender("wechat_native", 3500)).i("orderId")
	topup := desk.post("/api/staff/topups", obj{"storeId": s.shop.store, "memberId": o.id, "amountFen": 2000, "tender": "wechat_native"}).i("topupId")
	o.post(fmt.Sprintf("/api/owner/orders/%d/dispute", order), obj{"reason": "amount"})
	dispute := s.boss.get("/api/console/disputes").i("items.0.id")
	why := obj{"reason": "测试"}
	s.bookable()
	booking := o.book(s.tomorrow(10, 0)).i("id")
	o.post(fmt.Sprintf("/api/owner/bookings/%d/confirm", booking), nil)
	for _, side := range []string{"staff", "console"} {
		one := fmt.Sprintf("/api/%s/bookings/%d", side, booking)
		away.fails("not_found", http.MethodGet, one, nil)
		for _, step := range []string{"arrive", "start", "dispatch", "no-show", "contact"} {
			away.fails("not_found", http.MethodPost, one+"/"+step, nil)
		}
		away.fails("not_found", http.MethodPost, one+"/cancel", why)
		away.fails("not_found", http.MethodPost, one+"/reschedule", obj{"startsAt": s.tomorrow(12, 0)})
		away.fails("not_found", http.MethodPost, one+"/accept", obj{})
		away.fails("not_found", http.MethodPost, one+map[string]string{"staff": "/assign", "console": "/move"}[side], obj{"version": 1, "segmentNo": 1})
		start := obj{"storeId": s.shop.store, "kind": "visit", "channel": "desk", "plate": "沪A12345", "vehicleClassId": s.shop.class, "serviceIds": []int64{s.shop.wash}, "startsAt": s.tomorrow(15, 0)}
		away.fails("permission.store", http.MethodPost, "/api/"+side+"/bookings", start)
		for _, path := range []string{"booking/options?", fmt.Sprintf("booking/slots?vehicleClassId=%d&serviceIds=%d&", s.shop.class, s.shop.wash), "bookings?"} {
			away.fails("permission.store", http.MethodGet, fmt.Sprintf("/api/%s/%sstoreId=%d", side, path, s.shop.store), nil)
		}
	}
	if list := away.get("/api/console/bookings").list("items"); len(list) != 0 {
		t.Errorf("bookings of another store: %v", list)
	}
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{http.MethodGet, fmt.Sprintf("/api/staff/orders/%d", order), nil},
		{http.MethodPost, fmt.Sprintf("/api/staff/orders/%d/cancel", waiting), nil},
		{http.MethodPost, fmt.Sprintf("/api/staff/orders/%d/reverse", order), why},
		{http.MethodPost, fmt.Sprintf("/api/console/orders/%d/reverse", order), why},
		{http.MethodGet, fmt.Sprintf("/api/console/orders/%d", order), nil},
		{http.MethodGet, fmt.Sprintf("/api/staff/topups/%d", topup), nil},
		{http.MethodGet, fmt.Sprintf("/api/console/topups/%d", topup), nil},
	} {
		away.fails("not_found", c.method, c.path, c.body)
	}
	for _, path := range []string{"lookup?q=0001&", fmt.Sprintf("members/%d?", o.id), "plates/%E6%B2%AAA12345?", "today?", "catalog?"} {
		r := away.do(http.MethodGet, fmt.Sprintf("/api/staff/%sstoreId=%d", path, s.shop.store), nil)
		if r.status != http.StatusForbidden || r.json(t).s("code") != "permission.store" {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	at := func(more obj) obj { return with(obj{"storeId": s.shop.store}, more) }
	away.fails("permission.store", http.MethodPost, "/api/staff/scan", at(obj{"code": o.device().code(s.clk.Now())}))
	away.fails("permission.store", http.MethodPost, "/api/staff/quotes", s.visit(o.id, o.plate))
	away.fails("permission.store", http.MethodPost, "/api/staff/checkouts", away.askRaw(s.visit(o.id, o.plate), tender("balance", 3500)))
	away.fails("permission.store", http.MethodPost, "/api/staff/topups", at(obj{"memberId": o.id, "amountFen": 1000, "tender": "cash"}))
	away.fails("permission.store", http.MethodPost, "/api/staff/members", at(obj{"phone": "13912345678", "name": "某人"}))
	if list := away.get("/api/console/disputes").list("items"); len(list) != 0 {
		t.Errorf("disputes of another store: %v", list)
	}
	if list := away.get("/api/console/orders").list("items"); len(list) != 0 {
		t.Errorf("orders of another store: %v", list)
	}
	local := s.hireManagerOf(s.shop.other)
	local.fails("not_found", http.MethodPost, fmt.Sprintf("/api/console/disputes/%d/resolve", dispute), obj{"outcome": "rejected", "answer": "不是我们店"})
	s.exact()
}

func (s *system) hireManagerOf(store int64) caller {
	return s.hire(perm.RoleManager, "分店店长", store)
}

// bodies are the body schemas of the contract by operation, from the served document.
func (s *system) bodies() map[string]obj {
	s.t.Helper()
	doc := s.anonymous().get("/openapi.json")
	out := map[string]obj{}
	paths, _ := doc.at("paths").(map[string]any)
	for _, item := range paths {
		methods, _ := item.(map[string]any)
		for _, m := range methods {
			op, ok := m.(map[string]any)
			if !ok {
				continue
			}
			o := obj(op)
			content, _ := o.at("requestBody.content").(map[string]any)
			if media, ok := content["application/json"].(map[string]any); ok {
				schema, _ := media["schema"].(map[string]any)
				out[o.s("operationId")] = resolve(doc, schema)
			}
		}
	}
	return out
}

// resolve follows a reference into the components.
func resolve(doc obj, schema obj) obj {
	if ref, ok := schema["$ref"].(string); ok {
		parts := strings.Split(ref, "/")
		all, _ := doc.at("components.schemas").(map[string]any)
		found, _ := all[parts[len(parts)-1]].(map[string]any)
		return resolve(doc, found)
	}
	return schema
}
