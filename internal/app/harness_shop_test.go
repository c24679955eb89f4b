package app_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/wxsandbox"
)

const bossPassword = "car-wash-2026"

// shopData is what the tests sell and who sells it.
type shopData struct {
	store, other int64 // two stores
	class, suv   int64
	wash, detail int64 // 35.00 and 268.00 for the class; the wash is never sold below 80 %
	good         int64 // 15.00
	plan         int64 // 500 + 80
	roles        map[string]int64
	desk         caller // receptionist of store
	manager      caller // of every store
}

// open makes a shop through the console: stores, prices, plans, staff.
func (s *system) open() *system {
	s.t.Helper()
	ctx := actor.With(s.t.Context(), actor.Job("test"))
	if _, err := s.Staff.CreateOwner(ctx, "boss", bossPassword, "陈老板"); err != nil {
		s.t.Fatal(err)
	}
	// The first account exists before anybody could invite: it signs in with its password.
	r := s.anonymous().post("/api/staff/session", obj{"method": "password", "username": "boss", "password": bossPassword})
	s.boss = caller{s: s, token: r.s("session.accessToken"), id: r.i("staff.id")}
	d := &s.shop
	id := func(path string, body obj) int64 { return s.boss.post("/api/console/"+path, body).i("id") }
	d.store = id("stores", obj{"name": "静安店", "address": "江宁路 888 号", "phone": "021-60000001"})
	d.other = id("stores", obj{"name": "浦东店"})
	d.class = id("vehicle-classes", obj{"name": "轿车"})
	d.suv = id("vehicle-classes", obj{"name": "SUV", "sort": 1})
	prices := func(sedan, suv int64) []obj {
		return []obj{{"vehicleClassId": d.class, "priceFen": sedan}, {"vehicleClassId": d.suv, "priceFen": suv}}
	}
	d.wash = id("services", obj{"name": "标准洗车", "kind": "wash", "minutes": 30, "minPriceBp": 8000, "prices": prices(3500, 4500)})
	d.detail = id("services", obj{"name": "内饰深度清洁", "kind": "detail", "minutes": 150, "minPriceBp": 5000, "prices": prices(26800, 31800)})
	d.good = id("goods", obj{"name": "玻璃水", "unit": "瓶", "priceFen": 1500})
	d.plan = id("topup-plans", obj{"name": "充 500 送 80", "amountFen": 50000, "bonusFen": 8000})
	d.roles = map[string]int64{}
	for _, x := range s.boss.get("/api/console/roles").list("items") {
		d.roles[x.s("key")] = x.i("id")
	}
	d.manager = s.hire(perm.RoleManager, "孙店长")
	d.desk = s.hire(perm.RoleReceptionist, "李前台", d.store)
	return s
}

// hire invites somebody and lets them bind their WeChat by the invite. No stores are all stores.
func (s *system) hire(role, name string, stores ...int64) caller {
	s.t.Helper()
	in := obj{"name": name, "roleIds": []int64{s.shop.roles[role]}}
	if len(stores) > 0 {
		in["storeIds"] = stores
	}
	a := s.boss.post("/api/console/staff", in)
	p := s.persona(name)
	return s.staffLogin(p, a.s("inviteCode"))
}

func (s *system) staffLogin(p wxsandbox.Persona, invite string) caller {
	s.t.Helper()
	in := obj{"method": "mini_program", "code": s.loginCode(p)}
	if invite != "" {
		in["inviteCode"] = invite
	}
	r := s.anonymous().post("/api/staff/session", in)
	return caller{s: s, token: r.s("session.accessToken"), id: r.i("staff.id")}
}

// persona adds a WeChat user with a phone of their own.
func (s *system) persona(name string) wxsandbox.Persona {
	s.t.Helper()
	p, err := s.Sandbox.AddPersona(wxsandbox.Persona{Nickname: name, Role: "测试", Phone: fmt.Sprintf("1391%07d", s.keys.Add(1)), Follows: true})
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func (s *system) loginCode(p wxsandbox.Persona) string {
	s.t.Helper()
	c, err := s.Sandbox.LoginCode(p.ID, wxsandbox.AppMP)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// owner is a car owner with their WeChat.
type owner struct {
	caller
	p      wxsandbox.Persona
	cardNo string
	plate  string
}

// visitor signs somebody in through the mini-program who has not joined.
func (s *system) visitor(name string) owner {
	s.t.Helper()
	p := s.persona(name)
	r := s.anonymous().post("/api/owner/session", obj{"channel": "mini_program", "code": s.loginCode(p)})
	return owner{caller: caller{s: s, token: r.s("session.accessToken")}, p: p}
}

// join makes a member through the mini-program.
func (s *system) join(name string) owner {
	s.t.Helper()
	o := s.visitor(name)
	o.plate = fmt.Sprintf("沪A%05d", s.keys.Add(1)%100000)
	s.seen.add("member's name", name)
	s.seen.add("plate", o.plate)
	r := o.post("/api/owner/join", obj{"charterVersion": s.charter(), "phoneToken": o.provePhone(), "name": name,
		"vehicle": obj{"plate": o.plate, "vehicleClassId": s.shop.class}})
	o.id, o.cardNo = r.i("memberId"), r.s("cardNo")
	return o
}

func (s *system) charter() int64 { return s.anonymous().get("/api/owner/charter").i("version") }

// provePhone gives the token of WeChat's phone component.
func (o owner) provePhone() string {
	o.s.t.Helper()
	c, err := o.s.Sandbox.PhoneCode(o.p.ID)
	if err != nil {
		o.s.t.Fatal(err)
	}
	return o.post("/api/owner/phone", obj{"code": c}).s("phoneToken")
}

func prepayID(pay obj) string { return strings.TrimPrefix(pay.s("pay.package"), "prepay_id=") }

// pay does with the pay sheet what the outcome says.
func (o owner) pay(started obj, outcome string) wxsandbox.Order {
	o.s.t.Helper()
	x, err := o.s.Sandbox.PayByPersona(prepayID(started), o.p.ID, outcome)
	if err != nil {
		o.s.t.Fatal(err)
	}
	return x
}

// topup buys the plan by WeChat Pay and waits for the money.
func (o owner) topup() int64 {
	o.s.t.Helper()
	t := o.post("/api/owner/topups", obj{"planId": o.s.shop.plan, "amountFen": 50000})
	o.pay(t, wxsandbox.OutcomePay)
	o.credited(t.i("topupId"))
	return t.i("topupId")
}

func (o owner) credited(id int64) {
	o.s.t.Helper()
	o.s.eventually("the top-up is credited", func() bool { return o.get(fmt.Sprintf("/api/owner/topups/%d", id)).s("state") == "credited" })
}

// fund gives a member cash at the desk, without bonus.
func (s *system) fund(memberID, fen int64) obj {
	s.t.Helper()
	return s.shop.desk.post("/api/staff/topups", obj{"storeId": s.shop.store, "memberId": memberID, "amountFen": fen, "tender": "cash"})
}

func (o owner) wallet() (principal, bonus, held int64) {
	o.s.t.Helper()
	h := o.get("/api/owner/home")
	return h.i("wallet.principalFen"), h.i("wallet.bonusFen"), h.i("wallet.heldFen")
}

// device is the owner's phone: it derives codes as the app does, from the documented rule and without the server.
type device struct {
	no     string
	secret []byte
}

func (o owner) device() device {
	o.s.t.Helper()
	r := o.post("/api/owner/code-devices", obj{"deviceName": "测试手机"})
	b, err := base64.StdEncoding.DecodeString(r.s("secret"))
	if err != nil || len(b) != 32 || len(r.s("deviceNo")) != 9 || r.i("stepSeconds") != 60 {
		o.s.t.Fatalf("device: %v %v", r, err)
	}
	return device{r.s("deviceNo"), b}
}

func (d device) code(at time.Time) string {
	step := at.Unix() / 60
	m := hmac.New(sha256.New, d.secret)
	fmt.Fprintf(m, "LC1|%s|%d", d.no, step)
	body := d.no + fmt.Sprintf("%08d", binary.BigEndian.Uint64(m.Sum(nil)[:8])%100000000)
	return body + luhnDigit(body)
}

// luhnDigit is the check digit of ISO/IEC 7812-1 over digits.
func luhnDigit(digits string) string {
	sum := 0
	for i := range digits {
		n := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return fmt.Sprint((10 - sum%10) % 10)
}

// visit is what a receptionist rings up.
func (s *system) visit(memberID int64, plate string) obj {
	r := obj{"storeId": s.shop.store, "plate": plate, "vehicleClassId": s.shop.class, "items": []obj{{"kind": "service", "id": s.shop.wash, "qty": 1}}}
	if memberID != 0 {
		r["memberId"] = memberID
	}
	return r
}

func with(o obj, more obj) obj {
	out := obj{}
	for k, v := range o {
		out[k] = v
	}
	for k, v := range more {
		out[k] = v
	}
	return out
}

func tender(kind string, fen int64) obj {
	t := obj{"kind": kind, "amountFen": fen}
	if kind == "card" || kind == "alipay" {
		t["reference"] = "123456"
	}
	return t
}

// ask turns a visit into the body of a settlement of its current quote.
func (c caller) ask(visit obj, tenders ...obj) obj {
	c.s.t.Helper()
	q := c.post("/api/staff/quotes", visit)
	return with(visit, obj{"quoteHash": q.s("quoteHash"), "tenders": tenders})
}

// settle rings up, quotes and settles.
func (c caller) settle(visit obj, tenders ...obj) obj {
	c.s.t.Helper()
	return c.post("/api/staff/checkouts", c.ask(visit, tenders...))
}

func (c caller) set(key string, value any) {
	c.s.t.Helper()
	c.want(http.MethodPut, "/api/console/settings", obj{"values": []obj{{"key": key, "value": value}}})
}

// bookable makes a wash bay and somebody who washes, from tomorrow on for a week.
func (s *system) bookable() (bay, technician int64) {
	s.t.Helper()
	bay = s.boss.post("/api/console/bays", obj{"storeId": s.shop.store, "name": "1 号洗车位", "kind": "wash"}).i("id")
	washer := s.hire(perm.RoleTechnician, "王师傅", s.shop.store)
	s.boss.want(http.MethodPut, fmt.Sprintf("/api/console/technicians/%d", washer.id), obj{"bookable": true, "skills": []obj{{"skill": "wash", "level": 3}}})
	for n := range 7 {
		s.boss.want(http.MethodPut, "/api/console/shifts", obj{"storeId": s.shop.store, "staffId": washer.id, "day": s.day(n + 1), "spans": []obj{{"starts": 540, "ends": 1260}}})
	}
	return bay, washer.id
}

// alwaysOpen opens the store day and night, for what must not depend on the hour at which it is tested.
func (s *system) alwaysOpen() {
	s.t.Helper()
	var spans []obj
	for weekday := range 7 {
		spans = append(spans, obj{"weekday": weekday, "opens": 0, "closes": 1440})
	}
	s.boss.want(http.MethodPut, fmt.Sprintf("/api/console/stores/%d/hours", s.shop.store), obj{"spans": spans})
}

// day is the date n days from now in the shop's zone.
func (s *system) day(n int) string { return bizday.Add(bizday.Of(s.clk.Now(), bizday.DefaultZone), n) }

// tomorrow is an instant of tomorrow on the shop's clock.
func (s *system) tomorrow(hour, minute int) string {
	s.t.Helper()
	at, err := bizday.At(s.day(1), hour*60+minute, bizday.DefaultZone)
	if err != nil {
		s.t.Fatal(err)
	}
	return at.Format(time.RFC3339)
}

// book keeps a time for a wash.
func (o owner) book(startsAt string) obj {
	o.s.t.Helper()
	return o.post("/api/owner/bookings", obj{"storeId": o.s.shop.store, "kind": "visit", "vehicleId": o.get("/api/owner/vehicles").i("items.0.id"), "serviceIds": []int64{o.s.shop.wash},
		"startsAt": startsAt, "channel": "mini_program"})
}
