package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

var idField = regexp.MustCompile(`(^|[a-z])(Id|Ids)$`)

// everybodys are the ids that an owner may name although they are not theirs.
var everybodys = map[string]string{"storeId": "a store", "serviceIds": "what is sold", "technicianId": "who works there", "planId": "what is sold", "itemId": "what the mall offers", "vehicleClassId": "a kind of car",
	"tierId": "a tier", "templateId": "a template of WeChat"}

// fields are the names in a body or a query of an operation, of lists and objects in it too.
func (g generator) fields(schema obj, depth int) (out []string) {
	schema = resolve(g.doc, schema)
	if depth > deepest {
		return nil
	}
	props, _ := schema["properties"].(map[string]any)
	for name, p := range props {
		out = append(append(out, name), g.fields(p.(map[string]any), depth+1)...)
	}
	if items, ok := schema["items"].(map[string]any); ok {
		out = append(out, g.fields(items, depth+1)...)
	}
	return out
}

// params are the names of an operation's query.
func (g generator) params(op httpapi.Op) (out []obj) {
	paths, _ := g.doc.at("paths").(map[string]any)
	item, _ := paths[op.Path].(map[string]any)
	for _, p := range obj(item).list(strings.ToLower(op.Method) + ".parameters") {
		if p.s("in") == "query" {
			out = append(out, p)
		}
	}
	return out
}

// What an owner names in a body or a query, and not only in the path, is theirs or everybody's.
func TestOtherMembersIDsInBodies(t *testing.T) {
	s := start(t).open()
	anna, bob := s.join("林晓舟"), s.join("陈思远")
	s.bookable()
	car := anna.get("/api/owner/vehicles").i("items.0.id")
	visit := obj{"storeId": s.shop.store, "vehicleId": car, "serviceIds": []int64{s.shop.wash}, "kind": "visit"}
	tried := map[string]func(){
		"ownerBookingSlots.vehicleId": func() {
			bob.fails("request.invalid", http.MethodGet, fmt.Sprintf("/api/owner/booking/slots?storeId=%d&vehicleId=%d&serviceIds=%d&from=%s&days=2", s.shop.store, car, s.shop.wash, s.day(1)), nil)
		},
		"ownerBookingCreate.vehicleId": func() {
			bob.fails("request.invalid", http.MethodPost, "/api/owner/bookings", with(visit, obj{"startsAt": s.tomorrow(12, 0), "channel": "mini_program"}))
		},
		"ownerWaitCreate.vehicleId": func() {
			bob.fails("request.invalid", http.MethodPost, "/api/owner/waits", with(visit, obj{"fromDay": s.day(1), "toDay": s.day(2), "fromMinute": 600, "toMinute": 720}))
		},
		"ownerCodeLimits.vehicleId": func() {
			bob.fails("request.invalid", http.MethodPut, "/api/owner/code-devices/"+bob.device().no+"/limits", obj{"vehicleId": car})
		},
	}
	g, bodies := generator{doc: s.anonymous().get("/openapi.json")}, s.bodies()
	done := map[string]bool{}
	for _, op := range s.Router.Ops() {
		if op.Who != httpapi.Owner && op.Who != httpapi.Member && op.Who != httpapi.Public {
			continue
		}
		names := g.fields(bodies[op.ID], 0)
		for _, p := range g.params(op) {
			names = append(names, p.s("name"))
		}
		for _, name := range names {
			what := op.ID + "." + name
			if !idField.MatchString(name) || everybodys[name] != "" || done[what] {
				continue
			}
			done[what] = true
			if try := tried[what]; try == nil {
				t.Errorf("%s may name what is somebody else's: teach this test", what)
			} else {
				s.sub(what, func(*testing.T) { try() })
			}
		}
	}
	for what := range tried {
		if !done[what] {
			t.Errorf("%s is tried and does not exist", what)
		}
	}
	if list := bob.get("/api/owner/waits").list("items"); len(list) != 0 {
		t.Errorf("Bob waits with %v", list)
	}
}

// forAllStores are the operations in which a member of staff may name a store that is not theirs, each with its reason.
var forAllStores = map[string]string{
	"consoleServiceCreate":        sharedOffer,
	"consoleTopupPlanCreate":      sharedOffer,
	"consolePassPlanCreate":       sharedOffer,
	"consolePassPlanUpdate":       sharedOffer,
	"consoleCouponTemplateCreate": sharedOffer,
	"consoleCouponTemplateUpdate": sharedOffer,
	"consoleCouponIssuePreview":   "members are the shop's, and so is whom a filter finds",
	"consoleOaSceneCreate":        "the official account is the shop's; the store is a name on a code",
}

const sharedOffer = "what is offered is the whole shop's, and may be limited to stores by who may change it"

// Staff of one store who name another are refused, by every operation that takes a store.
func TestOtherStoresEverywhere(t *testing.T) {
	s := start(t).open()
	o := s.join("林晓舟")
	s.fund(o.id, 20000)
	order := s.shop.desk.settle(s.visit(o.id, o.plate), tender("balance", 3500)).i("orderId")
	bay, technician := s.bookable()
	booking := o.book(s.tomorrow(10, 0)).i("id")
	g := generator{doc: s.anonymous().get("/openapi.json"), ids: map[string]int64{"storeId": s.shop.store, "storeIds": s.shop.store, "memberId": o.id, "vehicleClassId": s.shop.class, "planId": s.shop.plan, "id": s.shop.wash,
		"serviceId": s.shop.wash, "serviceIds": s.shop.wash, "staffId": technician, "technicianId": technician, "bayId": bay, "amountFen": 1000, "qty": 1, "minutes": 30, "orderId": order, "bookingId": booking}}
	bodies := s.bodies()
	// What the contract alone does not tell of a good body or query.
	soon := s.tomorrow(10, 0)
	good := map[string]obj{
		"consoleStaffCreate": {"username": "somebody.new", "roleIds": []int64{s.shop.roles[perm.RoleReceptionist]}}, "consoleStaffUpdate": {"username": "somebody.new", "roleIds": []int64{s.shop.roles[perm.RoleReceptionist]}},
		"consoleStoreDayPut": {"day": s.day(3)}, "staffBookingCreate": {"startsAt": soon}, "consoleBookingCreate": {"startsAt": soon},
		"consoleBlockCreate": {"from": soon, "to": s.tomorrow(11, 0)}, "consoleBlockList": {"from": soon, "to": s.tomorrow(11, 0)},
	}
	away := map[httpapi.Who]caller{}
	for _, w := range []httpapi.Who{httpapi.Staff, httpapi.Console} {
		away[w] = s.hire(perm.RoleManager, "分店店长", s.shop.other)
	}
	var refused int
	for _, op := range s.Router.Ops() {
		who, ok := away[op.Who]
		if !ok {
			continue
		}
		body := resolve(g.doc, bodies[op.ID])
		props, _ := body["properties"].(map[string]any)
		takes := props["storeId"] != nil || props["storeIds"] != nil
		query := url.Values{}
		for _, p := range g.params(op) {
			name := p.s("name")
			takes = takes || name == "storeId" || name == "storeIds"
			if schema, _ := p["schema"].(map[string]any); p.b("required") || name == "storeId" || name == "storeIds" {
				query.Set(name, strings.Trim(fmt.Sprint(g.value(name, schema)), "[]"))
			}
		}
		if !takes {
			continue
		}
		s.sub(op.ID, func(t *testing.T) {
			var in any
			if bodies[op.ID] != nil {
				in = with(g.value("", body).(obj), good[op.ID])
			} else {
				for name, value := range good[op.ID] {
					query.Set(name, fmt.Sprint(value))
				}
			}
			to := nobodys(op)
			if strings.HasPrefix(to, "/api/console/stores/4242") {
				to = strings.Replace(to, "4242", fmt.Sprint(s.shop.store), 1)
			}
			if len(query) > 0 {
				to += "?" + query.Encode()
			}
			r := who.do(op.Method, to, in)
			code := r.json(t).s("code")
			switch {
			case slices.Contains([]string{"permission.store", "permission.denied", "not_found", "staff.escalation"}, code):
				refused++
				if forAllStores[op.ID] != "" {
					t.Errorf("is refused now: %s", r.body)
				}
			case r.status/100 == 2 && len(r.json(t).list("items")) == 0 && r.json(t).at("items") != nil:
				refused++ // an empty list
			case forAllStores[op.ID] != "":
			default:
				t.Errorf("%s: %d %.300s", to, r.status, r.body)
			}
		})
	}
	if refused < 40 {
		t.Errorf("only %d operations were tried", refused)
	}
	s.exact()
}
