package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// dammed is an operation that takes what could be guessed, or that anybody may call, and how trying it ends.
type dammed struct {
	op   string
	who  caller
	body any
	code string // the fault that ends it, request.too_many unless told
	most int    // tries until then, at most
}

// undammed are the other operations of that kind, each with what stands in for a limit.
var undammed = map[string]string{
	"ownerBind":            "the token is sealed for one identity and ten minutes; a phone is proved before, which is limited",
	"ownerPhoneChange":     "as ownerBind",
	"ownerConfig":          "a read of settings without parameters",
	"ownerCharter":         "a read of one text without parameters",
	"ownerPassPlate":       "old is the plate that goes",
	"consolePassPlate":     "old is the plate that goes",
	"consoleClaimCreate":   "sets the code",
	"consoleClaimUpdate":   "sets the code",
	"consoleStaffPassword": "sets the password",
	"consoleOldCardCreate": "registers the number",
	"staffOldCardCreate":   "registers the number",
}

var guessable = regexp.MustCompile(`^(code|inviteCode|refreshToken|phoneToken|password|old|ticket|no)$`)

// Whatever can be guessed is given few tries, and whoever is not signed in few calls. An operation that takes a code and stands in neither list fails.
func TestEverythingGuessableIsLimited(t *testing.T) {
	s := start(t).open()
	o, taken := s.join("林晓舟"), s.join("陈思远")
	fresh := func(name string) caller { return s.visitor(name).caller }
	prober, carded := s.visitor("试号"), s.visitor("试卡")
	boss := s.hire(perm.RoleManager, "改密码的人")
	mall := s.mallOrderOf(o)
	token := carded.provePhone()
	body := func(more obj) obj { return with(obj{"charterVersion": s.charter(), "name": "某人"}, more) }
	anybody := s.anonymous()
	list := []dammed{
		{"ownerJoin", prober.caller, body(obj{"phone": taken.p.Phone}), "", 10},
		{"ownerCodeRedeem", o.caller, obj{"code": "AAAABBBBCCCC"}, "", 10},
		{"ownerReferralBind", o.caller, obj{"code": "AAAABBBB"}, "", 10},
		{"ownerCouponClaim", o.caller, nil, "", 10},
		{"ownerCouponCode", o.caller, obj{"code": "AAAABBBB"}, "", 0}, // one dam with the next ones: trying in turns brings nothing
		{"ownerCouponAccept", o.caller, obj{"code": "AAAABBBB"}, "", 0},
		{"ownerCouponClaimPage", o.caller, nil, "", 0},
		{"ownerCouponGiftPage", o.caller, nil, "", 0},
		{"ownerPassClaim", o.caller, obj{"code": "AAAABBBBCCCC"}, "", 10},
		{"ownerGroupInvited", o.caller, nil, "", 10},
		{"ownerGroupJoin", o.caller, obj{"code": "AAAABBBBCCCCDDDD"}, "", 0},
		{"ownerLinkRead", fresh("路人乙"), obj{"code": "AAAABBBBCC"}, "", 10},
		{"ownerLinkRedeem", fresh("路人丙"), obj{"code": "AAAABBBBCC"}, "", 10},
		{"ownerOldCardBind", carded.caller, obj{"charterVersion": s.charter(), "no": "88880001", "phoneToken": token}, "", 5},
		{"ownerPhoneVerify", fresh("路人丁"), obj{"code": "made-up"}, "", 10},
		{"staffScan", s.shop.desk, s.scan(device{"000000002", []byte("x")}.code(s.clk.Now())), "member.code_throttled", 20},
		{"staffMallCollect", s.shop.manager, obj{"code": "0000000000"}, "", 10},
		{"staffMallDeliver", s.shop.desk, obj{"code": "0000000000"}, "", 10},
		{"staffPasswordChange", boss, obj{"old": "not-the-password", "new": "new-Pass-2026"}, "staff.throttled", 5},
		{"consolePasswordChange", boss, obj{"old": "not-the-password", "new": "new-Pass-2026"}, "staff.throttled", 0},
		{"ownerPhoneCodeSend", fresh("路人戊"), obj{"phone": "13700000001"}, "", 1},
		{"ownerPhoneCodeVerify", prober.caller, obj{"phone": "13700000002", "code": "000000"}, "member.phone_code_over", 4},
		{"consoleLogin", anybody, obj{"username": "nobody", "password": "wrong-password"}, "staff.throttled", 5},
		{"staffLogin", anybody, obj{"method": "password", "username": "nobody-else", "password": "wrong-password"}, "staff.throttled", 5},
		{"ownerLogin", anybody, obj{"channel": "ticket", "code": "made-up"}, "", 60},
		{"ownerRefresh", anybody, obj{"refreshToken": "made-up"}, "", 60},
		{"staffRefresh", anybody, obj{"refreshToken": "made-up"}, "", 60},
		{"consoleRefresh", anybody, nil, "", 0}, // with staffRefresh
		{"ownerJssdk", anybody, nil, "", 60},
	}
	ops := map[string]httpapi.Op{}
	bodies := s.bodies()
	for _, op := range s.Router.Ops() {
		ops[op.ID] = op
		takes := op.Who == httpapi.Public || strings.Contains(op.Path, "{code}")
		props, _ := bodies[op.ID]["properties"].(map[string]any)
		for name := range props {
			takes = takes || guessable.MatchString(name)
		}
		known := slices.ContainsFunc(list, func(d dammed) bool { return d.op == op.ID })
		if takes && !known && undammed[op.ID] == "" {
			t.Errorf("%s takes what can be guessed, or is for anybody: nothing is known of its limit", op.ID)
		}
		if known && undammed[op.ID] != "" || !takes && undammed[op.ID] != "" {
			t.Errorf("%s does not belong to the undammed", op.ID)
		}
	}
	for _, d := range list {
		op := ops[d.op]
		if d.op == "ownerPhoneCodeSend" {
			s.boss.set("sms.code_template", "1000001")
		}
		if d.op == "ownerPhoneCodeVerify" {
			d.who.post("/api/owner/phone/code", obj{"phone": "13700000002"})
		}
		path := strings.NewReplacer("{code}", "AAAABBBB", "{id}", fmt.Sprint(mall)).Replace(op.Path)
		var with []header
		switch d.op {
		case "ownerJssdk":
			path += "?url=https://elsewhere.example/"
		case "consoleRefresh":
			with = []header{{"Cookie", "lc_refresh=made-up"}}
		}
		want := d.code
		if want == "" {
			want = "request.too_many"
		}
		s.sub(d.op, func(t *testing.T) {
			for n := range d.most + 1 {
				r := d.who.do(op.Method, path, d.body, with...)
				switch code := r.json(t).s("code"); {
				case r.status/100 == 2 && d.op == "ownerPhoneCodeSend" && n < d.most: // the first one is sent
				case r.status/100 == 2:
					t.Fatalf("try %d is let in: %s", n, r.body)
				case code == want && (n > 0 || d.most == 0):
					return
				case code == want:
					t.Fatalf("the first try is refused already: %s", r.body)
				case slices.Contains([]string{"request.invalid", "request.malformed", "session.required", "session.expired"}, code) && !strings.HasSuffix(d.op, "Refresh"):
					t.Fatalf("the try itself is wrong: %s", r.body)
				}
				if n == d.most {
					t.Errorf("after %d tries: %d %s", n, r.status, r.body)
				}
			}
		})
	}
	s.exact()
}

// A link that exists opens for everybody behind one address, however many they are and however often they tap.
func TestCrowdOpensALink(t *testing.T) {
	s := start(t).open()
	template := s.boss.post("/api/console/coupon-templates", obj{"name": "开业券", "kind": "amount", "offFen": 1000, "stack": "any", "validDays": 30}).i("id")
	now := s.clk.Now()
	page := s.boss.post("/api/console/coupon-claims", obj{"templateId": template, "title": "开业领券", "stock": 100, "from": now.Add(-time.Hour), "until": now.Add(time.Hour)})
	for n := range 4 {
		o := s.visitor(fmt.Sprint("客人", n))
		for range 20 {
			o.get("/api/owner/coupon-claims/" + page.s("code"))
		}
	}
	curious := s.visitor("好奇的人")
	for range 10 {
		curious.fails("coupon.code_unknown", http.MethodGet, "/api/owner/coupon-claims/AAAABBBB", nil)
	}
	curious.fails("request.too_many", http.MethodGet, "/api/owner/coupon-claims/"+page.s("code"), nil)
	s.clk.Advance(10 * time.Second)
	curious.get("/api/owner/coupon-claims/" + page.s("code"))
}

// Figures are shown to this machine and to private networks, also behind a proxy that says whom it serves.
func TestMetricsStayInside(t *testing.T) {
	s := start(t)
	for address, want := range map[string]int{"127.0.0.1:1": 200, "[::1]:1": 200, "10.1.2.3:1": 200, "192.168.1.9:1": 200, "[fd00::1]:1": 200, "[::ffff:10.0.0.1]:1": 200,
		"203.0.113.7:1": 404, "[2001:db8::1]:1": 404, "[::ffff:203.0.113.7]:1": 404, "nowhere": 404} {
		req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		req.RemoteAddr = address
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, req)
		if w.Code != want || strings.Contains(w.Body.String(), "liangche_") != (want == 200) {
			t.Errorf("%s: %d %.100s", address, w.Code, w.Body)
		}
	}
}
