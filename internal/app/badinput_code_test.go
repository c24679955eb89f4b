package app_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// scan takes a code at the desk of the first store.
func (s *system) scan(code string) obj {
	return obj{"storeId": s.shop.store, "code": code}
}

func TestBadMemberCode(t *testing.T) {
	s := start(t).open()
	o := s.join("林晓舟")
	d := o.device()
	const scan = "/api/staff/scan"
	desk := s.shop.desk
	refused := func(t *testing.T, code, member string, status int64) {
		t.Helper()
		if f := desk.fails(code, http.MethodPost, scan, s.scan(member)); f.i("status") != status || f.at("detail") != nil {
			t.Errorf("refused by %v, want %d", f, status)
		}
	}
	scans := func() int64 { return s.count(`SELECT COUNT(*) FROM member_scans`) }
	none := scans()

	s.sub("expired", func(t *testing.T) {
		for _, ago := range []time.Duration{2 * time.Minute, time.Hour} {
			refused(t, "member.code_expired", d.code(s.clk.Now().Add(-ago)), 409)
		}
	})
	s.sub("from a phone whose clock is ahead", func(t *testing.T) {
		refused(t, "member.code_expired", d.code(s.clk.Now().Add(3*time.Minute)), 409)
	})
	s.sub("forged", func(t *testing.T) {
		good := d.code(s.clk.Now())
		otp := fmt.Sprintf("%08d", (atoi(good[9:17])+1)%100000000)
		refused(t, "member.code_unknown", good[:9]+otp+luhnDigit(good[:9]+otp), 404)
	})
	s.sub("mistyped: the check digit is wrong", func(t *testing.T) {
		good := d.code(s.clk.Now())
		refused(t, "member.code_unknown", good[:17]+fmt.Sprint((atoi(good[17:])+1)%10), 404)
	})
	s.sub("foreign: a device of nobody", func(t *testing.T) {
		refused(t, "member.code_unknown", device{"000000001", d.secret}.code(s.clk.Now()), 404)
	})
	s.sub("no code at all", func(t *testing.T) {
		for _, x := range []string{"https://u.wechat.com/abc", "6225880112345678", "LC1:", "' OR '1'='1", "LC1:" + d.code(s.clk.Now()) + "9"} {
			refused(t, "member.code_unknown", x, 404)
		}
	})
	if n := scans(); n != none {
		t.Errorf("%d refused codes were taken", n-none)
	}
	s.sub("reused", func(t *testing.T) {
		code := d.code(s.clk.Now())
		desk.post(scan, s.scan(code))
		refused(t, "member.code_used", code, 409)
		other := s.shop.manager
		other.fails("member.code_used", http.MethodPost, scan, s.scan("LC1:"+code))
	})
	limits := func(t *testing.T, l obj) {
		t.Helper()
		s.clk.Advance(time.Minute)
		o.want(http.MethodPut, "/api/owner/code-devices/"+d.no+"/limits", l)
	}
	s.sub("bound to another store", func(t *testing.T) {
		limits(t, obj{"storeId": s.shop.other})
		refused(t, "member.code_wrong_store", d.code(s.clk.Now()), 409)
		limits(t, obj{"storeId": s.shop.store})
		if r := desk.post(scan, s.scan(d.code(s.clk.Now()))); r.i("scanId") < 1 {
			t.Errorf("the store it is bound to: %v", r)
		}
	})
	settle := func(t *testing.T, scanID int64, plate, want string, amount int64) {
		t.Helper()
		ask := desk.ask(with(s.visit(o.id, plate), obj{"scanId": scanID}), tender("balance", amount), tender("cash", 3500-amount))
		desk.fails(want, http.MethodPost, "/api/staff/checkouts", ask)
	}
	s.fund(o.id, 10000)
	s.sub("bound to another car", func(t *testing.T) {
		v := o.get("/api/owner/vehicles").i("items.0.id")
		limits(t, obj{"vehicleId": v})
		r := desk.post(scan, s.scan(d.code(s.clk.Now())))
		if r.i("boundVehicleId") != v {
			t.Errorf("the desk is not told: %v", r)
		}
		settle(t, r.i("scanId"), "沪Z99999", "member.code_wrong_plate", 3400)
		limits(t, obj{})
	})
	s.sub("over the owner's cap", func(t *testing.T) {
		limits(t, obj{"capFen": 1000})
		r := desk.post(scan, s.scan(d.code(s.clk.Now())))
		settle(t, r.i("scanId"), o.plate, "member.code_over_cap", 1001)
		desk.post("/api/staff/checkouts", desk.ask(with(s.visit(o.id, o.plate), obj{"scanId": r.i("scanId")}), tender("balance", 1000), tender("cash", 2500)))
		limits(t, obj{})
	})
	s.sub("scanned for another member", func(t *testing.T) {
		limits(t, obj{})
		other := s.join("陈思远")
		s.fund(other.id, 10000)
		r := desk.post(scan, s.scan(d.code(s.clk.Now())))
		ask := desk.ask(with(s.visit(other.id, other.plate), obj{"scanId": r.i("scanId")}), tender("balance", 3500))
		desk.fails("member.code_unknown", http.MethodPost, "/api/staff/checkouts", ask)
		if p, _, _ := other.wallet(); p != 10000 {
			t.Errorf("the other member paid: %d left", p)
		}
	})
	s.sub("scanned, then forgotten for ten minutes", func(t *testing.T) {
		limits(t, obj{})
		r := desk.post(scan, s.scan(d.code(s.clk.Now())))
		s.clk.Advance(10*time.Minute + time.Second)
		settle(t, r.i("scanId"), o.plate, "member.code_expired", 3400)
	})
	s.sub("scanned by a colleague", func(t *testing.T) {
		limits(t, obj{})
		r := s.shop.manager.post(scan, s.scan(d.code(s.clk.Now())))
		settle(t, r.i("scanId"), o.plate, "member.code_unknown", 3400)
	})
	s.sub("stored value by phone number where the shop asks for a code", func(t *testing.T) {
		s.boss.set("checkout.require_code_for_balance", true)
		desk.fails("checkout.code_required", http.MethodPost, "/api/staff/checkouts", desk.ask(s.visit(o.id, o.plate), tender("balance", 3500)))
		s.boss.set("checkout.require_code_for_balance", false)
	})

	member := fmt.Sprintf("/api/console/members/%d", o.id)
	why := obj{"reason": "测试"}
	blocked := func(t *testing.T, code string) {
		t.Helper()
		refused(t, code, d.code(s.clk.Now()), 409)
		desk.fails(code, http.MethodPost, "/api/staff/checkouts", desk.ask(s.visit(o.id, o.plate), tender("balance", 3500)))
		desk.fails(code, http.MethodPost, "/api/staff/topups", obj{"storeId": s.shop.store, "memberId": o.id, "amountFen": 1000, "tender": "cash"})
		o.fails(code, http.MethodPost, "/api/owner/topups", obj{"amountFen": 10000})
		if r := desk.get(fmt.Sprintf("/api/staff/members/%d?storeId=%d", o.id, s.shop.store)); r.s("blockReason") == "" {
			t.Error("the desk is not told why")
		}
		// Money in hand is always taken: the car is clean.
		if r := desk.settle(s.visit(o.id, o.plate), tender("cash", 3500)); r.s("status") != "settled" {
			t.Errorf("cash: %v", r)
		}
	}
	s.sub("of a frozen card", func(t *testing.T) {
		limits(t, obj{})
		s.boss = s.login()
		s.boss.post(member+"/card/freeze", why)
		blocked(t, "member.card_frozen")
		s.boss.post(member+"/card/unfreeze", why)
	})
	s.sub("of a lost card", func(t *testing.T) {
		limits(t, obj{})
		o.post("/api/owner/card/report-lost", obj{"note": "钱包丢了"})
		blocked(t, "member.card_lost")
		s.boss.post(member+"/card/reissue", why)
	})
	s.sub("of a suspended member", func(t *testing.T) {
		limits(t, obj{})
		s.boss.post(member+"/suspend", why)
		blocked(t, "member.suspended")
		s.boss.post(member+"/reinstate", why)
	})
	s.sub("of a closed member", func(t *testing.T) {
		gone := s.join("再见")
		g := gone.device()
		if r := gone.post("/api/owner/account/close", obj{"reason": "搬家"}); r.s("status") != "closed" {
			t.Fatalf("closed: %v", r)
		}
		refused(t, "member.code_unknown", g.code(s.clk.Now()), 404)
		desk.fails("member.closed", http.MethodPost, "/api/staff/topups", obj{"storeId": s.shop.store, "memberId": gone.id, "amountFen": 1000, "tender": "cash"})
		gone.fails("session.expired", http.MethodGet, "/api/owner/home", nil)
	})
	s.sub("guessing is stopped", func(t *testing.T) {
		for range 25 {
			desk.do(http.MethodPost, scan, s.scan(device{"000000002", d.secret}.code(s.clk.Now())))
		}
		s.clk.Advance(time.Minute)
		refused(t, "member.code_throttled", d.code(s.clk.Now()), 429)
	})
	s.exact()
}

func atoi(s string) (n int) {
	if _, err := fmt.Sscan(s, &n); err != nil {
		panic(err)
	}
	return n
}
