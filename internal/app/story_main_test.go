package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// story is the main job from an empty shop to exact books, told by the people who take part.
type story struct {
	*system
	owner   owner  // 林晓雨, in the official account
	mini    caller // the same person in the mini-program
	manager browser
	desk    caller
	first   int64 // the first settlement, by stored value
	native  int64 // a settlement that WeChat Pay took part in
	lost    int64 // the top-up whose notification was lost
}

func TestStoryMain(t *testing.T) {
	s := &story{system: start(t).open()}
	s.tell(
		chapter{"1 an owner joins", s.joins},
		chapter{"1 the same person in the mini-program", s.mini1},
		chapter{"2 tops up by WeChat Pay", s.topsUp},
		chapter{"2 a lost notification is found by asking", s.lostNotification},
		chapter{"2 cancelled, mistyped and expired payments end right", s.endedPayments},
		chapter{"3 the manager invites a receptionist", s.invites},
		chapter{"3 the receptionist finds the member", s.findsMember},
		chapter{"3 scans and settles by stored value", s.scansAndSettles},
		chapter{"4 the owner sees it at once", s.ownerSees},
		chapter{"3 settles by every other means", s.otherTenders},
		chapter{"3 the customer scans the desk's code", s.nativeTender},
		chapter{"3 a walk-in by plate", s.walkIn},
		chapter{"4 the owner asks, the manager answers", s.disputes},
		chapter{"5 a wrong settlement is reversed", s.reverses},
		chapter{"5 a top-up goes back over two orders", s.refunds},
		chapter{"6 the console shows it", s.consoleShows},
		chapter{"7 the books are exact", func(*testing.T) { s.exact() }},
		chapter{"7 the audit names what was changed by hand", s.tampered},
	)
}

func (s *story) joins(t *testing.T) {
	b := s.browser()
	home := b.open("/")
	if home.status != http.StatusFound || home.header.Get("Location") != "/h5/" {
		t.Errorf("/ answers %d %s", home.status, home.header.Get("Location"))
	}
	arrived := b.oauth("/hooks/oauth/start?for=owner&to=/pages/home/index", "p1")
	ticket := arrived.Query().Get("ticket")
	if arrived.Path != "/h5/" || ticket == "" || arrived.Fragment != "/pages/home/index" {
		t.Fatalf("arrived at %s", arrived)
	}
	in := s.anonymous().post("/api/owner/session", obj{"channel": "ticket", "code": ticket})
	if in.at("memberStatus") != nil {
		t.Error("somebody who has not joined has a member status")
	}
	s.anonymous().fails("member.ticket_used", http.MethodPost, "/api/owner/session", obj{"channel": "ticket", "code": ticket})
	s.owner = owner{caller: caller{s: s.system, token: in.s("session.accessToken")}, p: s.seeded("p1"), plate: "沪AD12345"}
	o := &s.owner
	o.fails("member.not_joined", http.MethodGet, "/api/owner/home", nil)

	charter := s.anonymous().get("/api/owner/charter")
	if charter.i("version") < 1 || !strings.Contains(charter.s("body"), "储值") || charter.s("privacyBody") == "" {
		t.Errorf("charter: %v", charter)
	}
	code, err := s.Sandbox.PhoneCode("p1")
	if err != nil {
		t.Fatal(err)
	}
	phone := o.post("/api/owner/phone", obj{"code": code})
	if phone.s("phoneMasked") != "138****0001" || phone.b("taken") {
		t.Errorf("phone: %v", phone)
	}
	ask := obj{"charterVersion": charter.i("version"), "phoneToken": phone.s("phoneToken"), "name": "林晓雨", "gender": "female", "birthday": "1991-03-12",
		"vehicle": obj{"plate": "沪A·d12345", "brand": "特斯拉", "vehicleClassId": s.shop.class}}
	k := key("join-0001")
	joined := o.post("/api/owner/join", ask, k)
	if again := o.post("/api/owner/join", ask, k); again.String() != joined.String() {
		t.Errorf("the same command answers %v, then %v", joined, again)
	}
	o.id, o.cardNo = joined.i("memberId"), joined.s("cardNo")
	if joined.s("status") != "active" || len(o.cardNo) < 10 || luhnDigit(o.cardNo[:len(o.cardNo)-1]) != o.cardNo[len(o.cardNo)-1:] {
		t.Errorf("joined: %v; the card number needs its check digit", joined)
	}
	h := o.get("/api/owner/home")
	if h.s("member.name") != "林晓雨" || h.s("member.phoneMasked") != "138****0001" || !h.b("member.phoneVerified") || h.s("card.no") != o.cardNo || h.s("card.status") != "active" ||
		h.i("wallet.totalFen") != 0 || h.i("points") != 0 || h.s("tier.name") == "" || h.s("vehicles.0.plate") != "沪AD12345" || h.s("vehicles.0.plateKind") != "green" {
		t.Errorf("home: %v", h)
	}
	if strings.Contains(h.String(), "13800010001") {
		t.Error("the whole phone number is shown")
	}
	if n := s.count(`SELECT COUNT(*) FROM member_members`); n != 1 {
		t.Errorf("%d members", n)
	}
	if n := s.count(`SELECT COUNT(*) FROM member_members WHERE phone_sealed LIKE '%13800010001%' OR name_sealed LIKE '%林晓雨%'`); n != 0 {
		t.Error("personal data lies open in the database")
	}
}

// mini1 signs the same person in through the mini-program: the union id joins both identities to one member.
func (s *story) mini1(t *testing.T) {
	r := s.anonymous().post("/api/owner/session", obj{"channel": "mini_program", "code": s.loginCode(s.owner.p)})
	s.mini = caller{s: s.system, token: r.s("session.accessToken"), id: s.owner.id}
	if r.s("memberStatus") != "active" {
		t.Errorf("the union id did not join the identities: %v", r)
	}
	if got := s.mini.get("/api/owner/profile").i("id"); got != s.owner.id {
		t.Errorf("member %d, want %d", got, s.owner.id)
	}
	cfg := s.anonymous().get("/api/owner/config")
	if err := s.Sandbox.Grant("p1", cfg.s("templates.deduction"), 3); err != nil {
		t.Fatal(err)
	}
	var allowed []obj
	for range 3 {
		allowed = append(allowed, s.mini.post("/api/owner/grants", obj{"results": []obj{{"templateId": cfg.s("templates.deduction"), "result": "accept"}}}))
	}
	if n := allowed[2].i("counts.0.left"); n != 3 {
		t.Errorf("%d messages are allowed, want 3", n)
	}
}

func (s *story) topsUp(t *testing.T) {
	o := s.owner
	plans := o.get("/api/owner/topup-plans")
	if plans.i("items.0.amountFen") != 50000 || plans.i("items.0.bonusFen") != 8000 || plans.i("cardCapFen") != 500000 || plans.i("capLeftFen") != 500000 {
		t.Errorf("plans: %v", plans)
	}
	k := key("topup-0001")
	ask := obj{"planId": s.shop.plan, "amountFen": 50000}
	begun := o.post("/api/owner/topups", ask, k)
	if again := o.post("/api/owner/topups", ask, k); again.i("topupId") != begun.i("topupId") || prepayID(again) != prepayID(begun) {
		t.Errorf("a double tap began %v and %v", begun, again)
	}
	path := fmt.Sprintf("/api/owner/topups/%d", begun.i("topupId"))
	if st := o.get(path); st.s("state") != "pending" || st.at("creditedAt") != nil {
		t.Errorf("before paying: %v", st)
	}
	if p, b, _ := o.wallet(); p+b != 0 {
		t.Errorf("%d+%d before paying", p, b)
	}
	order := o.pay(begun, wxsandbox.OutcomePay)
	if order.AppID != s.Sandbox.Credentials().OfficialAccount.AppID || order.PaidFen != 50000 {
		t.Errorf("the order at WeChat: %+v", order)
	}
	o.credited(begun.i("topupId"))
	if st := o.get(path); st.i("balanceAfterFen") != 58000 || st.s("creditedAt") == "" {
		t.Errorf("after paying: %v", st)
	}
	for range 3 { // WeChat repeats after success too
		if _, err := s.Sandbox.Resend(order.OutTradeNo); err != nil {
			t.Fatal(err)
		}
	}
	if p, b, _ := o.wallet(); p != 50000 || b != 8000 {
		t.Errorf("wallet %d+%d, want 50000+8000 once", p, b)
	}
	if n := s.count(`SELECT COUNT(*) FROM ledger_postings WHERE kind = 'topup'`); n != 1 {
		t.Errorf("%d postings for one top-up", n)
	}
	rec := o.get("/api/owner/records").list("items")
	if len(rec) != 1 || rec[0].s("kind") != "topup" || rec[0].i("deltaFen") != 58000 || rec[0].i("principalDeltaFen") != 50000 || rec[0].i("bonusDeltaFen") != 8000 || rec[0].i("balanceAfterFen") != 58000 {
		t.Errorf("records: %v", rec)
	}
}

func (s *story) lostNotification(t *testing.T) {
	s.clk.Advance(time.Minute)
	begun := s.mini.post("/api/owner/topups", obj{"planId": s.shop.plan, "amountFen": 50000})
	s.lost = begun.i("topupId")
	order := s.owner.pay(begun, wxsandbox.OutcomePayLoseNotice)
	if order.AppID != s.Sandbox.Credentials().MiniProgram.AppID {
		t.Error("the mini-program paid with the official account's appid")
	}
	path := fmt.Sprintf("/api/owner/topups/%d", begun.i("topupId"))
	if st := s.owner.get(path); st.s("state") != "pending" {
		t.Errorf("nobody has told us yet: %v", st)
	}
	s.later(6 * time.Second)
	s.owner.credited(begun.i("topupId"))
	if p, b, _ := s.owner.wallet(); p != 100000 || b != 16000 {
		t.Errorf("wallet %d+%d", p, b)
	}
}

func (s *story) endedPayments(t *testing.T) {
	o := s.owner
	begun := o.post("/api/owner/topups", obj{"amountFen": 10000})
	path := fmt.Sprintf("/api/owner/topups/%d", begun.i("topupId"))
	for _, outcome := range []string{wxsandbox.OutcomeCancel, wxsandbox.OutcomeWrongPassword} {
		if _, err := s.Sandbox.PayByPersona(prepayID(begun), "p1", outcome); err == nil {
			t.Errorf("%s paid", outcome)
		}
		if st := o.post(path+"/check", nil); st.s("state") != "pending" {
			t.Errorf("after %s: %v", outcome, st)
		}
	}
	if again := o.post(path+"/pay", nil); again.s("pay.paySign") == "" {
		t.Errorf("pay again: %v", again)
	}
	if st := o.post(path+"/cancel", nil); st.s("state") != "closed" {
		t.Errorf("cancelled: %v", st)
	}
	if _, err := s.Sandbox.PayByPersona(prepayID(begun), "p1", wxsandbox.OutcomePay); err == nil {
		t.Error("an order that was cancelled could still be paid")
	}
	expired := o.post("/api/owner/topups", obj{"amountFen": 10000})
	s.later(16 * time.Minute)
	s.eventually("the unpaid order is closed", func() bool {
		return o.get(fmt.Sprintf("/api/owner/topups/%d", expired.i("topupId"))).s("state") == "closed"
	})
	if p, b, _ := o.wallet(); p != 100000 || b != 16000 {
		t.Errorf("wallet %d+%d", p, b)
	}
}

func (s *story) invites(t *testing.T) {
	s.boss.want(http.MethodPut, fmt.Sprintf("/api/console/staff/%d", s.shop.manager.id), obj{"name": "孙店长", "username": "sun", "roleIds": []int64{s.shop.roles[perm.RoleManager]}})
	s.boss.post(fmt.Sprintf("/api/console/staff/%d/password", s.shop.manager.id), obj{"password": "manager-2026"})
	b := s.browser()
	bad := b.send(http.MethodPost, "/api/console/session", obj{"username": "sun", "password": "wrong-2026"}, header{"X-Liangche", "console"})
	if bad.json(t).s("code") != "staff.bad_credentials" || bad.header.Get("Set-Cookie") != "" {
		t.Errorf("wrong password: %d %s", bad.status, bad.body)
	}
	in := b.send(http.MethodPost, "/api/console/session", obj{"username": "sun", "password": "manager-2026"}, header{"X-Liangche", "console"})
	for _, c := range in.header.Values("Set-Cookie") {
		if !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Strict") {
			t.Errorf("cookie %s", c)
		}
	}
	if in.status != http.StatusOK || strings.Contains(string(in.body), "accessToken") {
		t.Fatalf("login: %d %s", in.status, in.body)
	}
	if r := b.send(http.MethodPost, "/api/console/staff", obj{"name": "甲", "roleIds": []int64{s.shop.roles[perm.RoleTechnician]}}); r.json(t).s("code") != "session.csrf" || r.status != http.StatusForbidden {
		t.Errorf("a command from another site: %d %s", r.status, r.body)
	}
	s.manager = b
	if me := b.console(http.MethodGet, "me", nil); me.s("name") != "孙店长" || !me.b("demo") || me.s("shopName") == "" {
		t.Errorf("me: %v", me)
	}
	a := b.console(http.MethodPost, "staff", obj{"name": "周前台", "roleIds": []int64{s.shop.roles[perm.RoleReceptionist]}, "storeIds": []int64{s.shop.store}})
	invite := a.s("inviteCode")
	if a.s("status") != "invited" || invite == "" || !strings.Contains(a.s("inviteUrl"), invite) {
		t.Errorf("invited: %v", a)
	}
	p := s.browser()
	arrived := p.oauth("/hooks/oauth/start?for=staff&to=/pkg-staff/login/index&invite="+invite, "p8")
	got := s.anonymous().post("/api/staff/session", obj{"method": "ticket", "code": arrived.Query().Get("ticket")})
	s.desk = caller{s: s.system, token: got.s("session.accessToken"), id: got.i("staff.id")}
	if got.i("staff.id") != a.i("id") || !got.b("staff.wechatBound") || got.i("staff.stores.0.id") != s.shop.store || len(got.list("staff.stores")) != 1 {
		t.Errorf("bound: %v", got)
	}
	// The invite is spent, and the bound identity needs none.
	other := s.browser().oauth("/hooks/oauth/start?for=staff&to=/&invite="+invite, "p9")
	s.anonymous().fails("staff.invite_invalid", http.MethodPost, "/api/staff/session", obj{"method": "ticket", "code": other.Query().Get("ticket")})
	s.staffLogin(s.seeded("p8"), "")
}

func (s *story) findsMember(t *testing.T) {
	for _, q := range []string{"13800010001", "0001", s.owner.cardNo, "D12345", "沪AD12345", "ad123"} {
		hits := s.desk.get(fmt.Sprintf("/api/staff/lookup?storeId=%d&q=%s", s.shop.store, q)).list("items")
		if len(hits) != 1 || hits[0].i("memberId") != s.owner.id || hits[0].s("nameMasked") == "林晓雨" || strings.Contains(hits[0].String(), "13800010001") {
			t.Errorf("lookup of %s: %v", q, hits)
		}
	}
	for _, q := range []string{"1", "AB", "沪A", "%25%25%25", "___", "林"} {
		r := s.desk.do(http.MethodGet, fmt.Sprintf("/api/staff/lookup?storeId=%d&q=%s", s.shop.store, q), nil)
		if r.status/100 == 2 && len(r.json(t).list("items")) > 0 {
			t.Errorf("N32 lookup of %q finds %s", q, r.body)
		}
	}
	m := s.desk.get(fmt.Sprintf("/api/staff/members/%d?storeId=%d", s.owner.id, s.shop.store))
	if m.i("wallet.totalFen") != 116000 || m.s("tier.name") == "" || m.s("vehicles.0.plate") != s.owner.plate || m.at("scanId") != nil || m.at("blockReason") != nil {
		t.Errorf("desk: %v", m)
	}
}

func (s *story) scansAndSettles(t *testing.T) {
	d := s.owner.device()
	code := d.code(s.clk.Now())
	scanned := s.desk.post("/api/staff/scan", obj{"storeId": s.shop.store, "code": "LC1:" + code})
	if scanned.i("memberId") != s.owner.id || scanned.i("scanId") < 1 || scanned.i("wallet.totalFen") != 116000 {
		t.Errorf("scanned: %v", scanned)
	}
	s.desk.fails("member.code_used", http.MethodPost, "/api/staff/scan", obj{"storeId": s.shop.store, "code": code})
	visit := with(s.visit(s.owner.id, s.owner.plate), obj{"scanId": scanned.i("scanId"),
		"items": []obj{{"kind": "service", "id": s.shop.wash, "qty": 1}, {"kind": "good", "id": s.shop.good, "qty": 2}}})
	q := s.desk.post("/api/staff/quotes", visit)
	lines := q.list("lines")
	if len(lines) != 2 || q.i("totalFen") != 6500 || q.i("balance.usableFen") != 6500 || q.i("balance.missingFen") != 0 || q.s("suggestion.0.kind") != "balance" {
		t.Errorf("quote: %v", q)
	}
	for _, l := range lines {
		if l.s("title") == "" || !strings.Contains(l.s("explain"), "¥") {
			t.Errorf("a line does not explain itself: %v", l)
		}
	}
	k := key("settle-0001")
	ask := with(visit, obj{"quoteHash": q.s("quoteHash"), "tenders": []obj{tender("balance", 6500)}})
	r := s.desk.post("/api/staff/checkouts", ask, k)
	s.first = r.i("orderId")
	if r.s("status") != "settled" || r.i("balanceAfterFen") != 109500 || r.i("tenders.0.principalFen") != 5603 || r.i("tenders.0.bonusFen") != 897 || !r.b("canReverse") {
		t.Errorf("receipt: %v", r)
	}
	if again := s.desk.post("/api/staff/checkouts", ask, k); again.i("orderId") != s.first {
		t.Errorf("a double tap settled %d and %d", s.first, again.i("orderId"))
	}
	if n := s.count(`SELECT COUNT(*) FROM checkout_orders`); n != 1 {
		t.Errorf("%d orders", n)
	}
	s.desk.fails("member.code_used", http.MethodPost, "/api/staff/checkouts", s.desk.ask(visit, tender("balance", 6500)))
}

func (s *story) ownerSees(t *testing.T) {
	begin := time.Now()
	p := s.owner.get("/api/owner/pulse?since=1")
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("the pulse took %s", took)
	}
	it := p.list("items")
	if len(it) < 1 || it[0].s("kind") != "consume" || it[0].i("orderId") != s.first || it[0].i("deltaFen") != -6500 || it[0].i("paidFen") != 6500 || it[0].s("storeName") != "静安店" {
		t.Fatalf("pulse: %v", p)
	}
	if more := s.owner.get(fmt.Sprintf("/api/owner/pulse?since=%d", p.i("seq"))); len(more.list("items")) != 0 || more.i("seq") != p.i("seq") {
		t.Errorf("nothing happened since, the pulse says %v", more)
	}
	r := s.owner.get(fmt.Sprintf("/api/owner/orders/%d", s.first))
	if r.s("staffName") != "周前台" || r.s("plate") != s.owner.plate || len(r.list("lines")) != 2 || r.i("balanceAfterFen") != 109500 || r.s("at") == "" || r.b("canReverse") {
		t.Errorf("receipt: %v", r)
	}
	var m wxsandbox.Message
	s.eventually("the message arrives", func() bool {
		for _, m = range s.Sandbox.Inbox("p1") {
			if m.Title == "消费扣款通知" {
				return true
			}
		}
		return false
	})
	text := fmt.Sprint(m.Fields)
	if !strings.Contains(text, "65.00") || !strings.Contains(text, "1095.00") || !strings.Contains(text, "静安店") {
		t.Errorf("message: %+v", m)
	}
}

func (s *story) otherTenders(t *testing.T) {
	visit := s.visit(s.owner.id, s.owner.plate)
	before, bonus, _ := s.owner.wallet()
	cash := s.desk.settle(visit, with(tender("cash", 3500), obj{"receivedFen": 5000}))
	card := s.desk.settle(visit, tender("card", 3500))
	alipay := s.desk.settle(visit, tender("alipay", 3500))
	for _, r := range []obj{cash, card, alipay} {
		if r.s("status") != "settled" || r.i("balanceAfterFen") != before+bonus {
			t.Errorf("receipt: %v", r)
		}
	}
	if alipay.s("tenders.0.reference") != "123456" || cash.i("tenders.0.receivedFen") != 5000 {
		t.Errorf("recorded: %v %v", alipay, cash)
	}
	mix := s.desk.settle(visit, tender("balance", 2000), tender("cash", 1000), tender("alipay", 500))
	if mix.s("status") != "settled" || len(mix.list("tenders")) != 3 {
		t.Errorf("mix: %v", mix)
	}
	if p, b, _ := s.owner.wallet(); p+b != before+bonus-2000 {
		t.Errorf("wallet %d+%d, was %d", p, b, before+bonus)
	}
}

func (s *story) nativeTender(t *testing.T) {
	p0, b0, _ := s.owner.wallet()
	visit := s.visit(s.owner.id, s.owner.plate)
	r := s.desk.settle(visit, tender("balance", 1500), tender("wechat_native", 2000))
	s.native = r.i("orderId")
	if r.s("status") != "awaiting_payment" || !strings.HasPrefix(r.s("codeUrl"), "weixin://") || r.s("payExpiresAt") == "" || r.at("balanceAfterFen") != nil {
		t.Fatalf("waiting: %v", r)
	}
	if p, b, h := s.owner.wallet(); p != p0 || b != b0 || h != 1500 {
		t.Errorf("wallet %d+%d held %d: the part is held, not taken", p, b, h)
	}
	if n := s.count(`SELECT COUNT(*) FROM ledger_postings WHERE ref_kind = 'order' AND ref_id = ?`, s.native); n != 0 {
		t.Error("money moved before the customer paid")
	}
	if _, err := s.Sandbox.Pay(wxsandbox.PayRequest{CodeURL: r.s("codeUrl"), PersonaID: "p3", Outcome: wxsandbox.OutcomePay}); err != nil { // whoever stands at the desk may pay
		t.Fatal(err)
	}
	path := fmt.Sprintf("/api/staff/orders/%d", s.native)
	s.eventually("the order is settled", func() bool { return s.desk.get(path).s("status") == "settled" })
	if p, b, h := s.owner.wallet(); p+b != p0+b0-1500 || h != 0 {
		t.Errorf("wallet %d+%d held %d", p, b, h)
	}
	gone := s.desk.settle(visit, tender("balance", 1500), tender("wechat_native", 2000))
	if st := s.desk.post(fmt.Sprintf("/api/staff/orders/%d/cancel", gone.i("orderId")), nil); st.s("status") != "cancelled" {
		t.Errorf("cancelled: %v", st)
	}
	if _, err := s.Sandbox.Pay(wxsandbox.PayRequest{CodeURL: gone.s("codeUrl"), PersonaID: "p3", Outcome: wxsandbox.OutcomePay}); err == nil {
		t.Error("a cancelled order could be paid")
	}
	if p, b, h := s.owner.wallet(); p+b != p0+b0-1500 || h != 0 {
		t.Errorf("wallet %d+%d held %d after the cancellation", p, b, h)
	}
}

func (s *story) walkIn(t *testing.T) {
	r := s.desk.settle(s.visit(0, "苏E7L209"), tender("cash", 3500))
	if r.s("status") != "settled" || r.at("memberId") != nil || r.at("memberName") != nil || r.at("balanceAfterFen") != nil {
		t.Errorf("walk-in: %v", r)
	}
	s.desk.fails("checkout.balance_needs_member", http.MethodPost, "/api/staff/checkouts", s.desk.ask(s.visit(0, "苏E7L209"), tender("balance", 3500)))
	p := s.desk.get(fmt.Sprintf("/api/staff/plates/%s?storeId=%d", "苏E7L209", s.shop.store))
	if p.i("visits") != 1 || p.i("totalFen") != 3500 || p.at("memberId") != nil || p.b("suggestJoin") {
		t.Errorf("plate: %v", p)
	}
	today := s.desk.get(fmt.Sprintf("/api/staff/today?storeId=%d", s.shop.store))
	sum := map[string]int64{}
	for _, x := range today.list("takings") {
		sum[x.s("kind")] = x.i("amountFen")
	}
	if sum["cash"] != 3500+1000+3500 || sum["card"] != 3500 || sum["alipay"] != 3500+500 || sum["balance"] != 6500+2000+1500 || sum["wechat_native"] != 2000 || today.i("settledCount") != 7 {
		t.Errorf("today: %v", today)
	}
}

func (s *story) disputes(t *testing.T) {
	path := fmt.Sprintf("/api/owner/orders/%d/dispute", s.first)
	ask := obj{"reason": "amount", "note": "玻璃水只拿了一瓶"}
	r := s.owner.post(path, ask)
	if r.s("dispute.status") != "open" || r.s("dispute.note") != "玻璃水只拿了一瓶" {
		t.Errorf("asked: %v", r)
	}
	s.owner.fails("checkout.already_disputed", http.MethodPost, path, ask)
	list := s.manager.console(http.MethodGet, "disputes?status=open", nil).list("items")
	if len(list) != 1 || list[0].i("orderId") != s.first || list[0].s("memberName") == "林晓雨" || list[0].s("staffName") != "周前台" {
		t.Fatalf("disputes: %v", list)
	}
	s.desk.fails("permission.denied", http.MethodPost, fmt.Sprintf("/api/console/disputes/%d/resolve", list[0].i("id")), obj{"outcome": "rejected", "answer": "没有"})
	done := s.manager.console(http.MethodPost, fmt.Sprintf("disputes/%d/resolve", list[0].i("id")), obj{"outcome": "upheld", "answer": "已核实，将撤销后重新结算"})
	if done.s("status") != "upheld" {
		t.Errorf("resolved: %v", done)
	}
	if r := s.owner.get(fmt.Sprintf("/api/owner/orders/%d", s.first)); r.s("dispute.answer") != "已核实，将撤销后重新结算" {
		t.Errorf("the owner reads %v", r)
	}
	if open := s.manager.console(http.MethodGet, "disputes?status=open", nil).list("items"); len(open) != 0 {
		t.Errorf("still open: %v", open)
	}
}

func (s *story) seeded(id string) wxsandbox.Persona {
	all := s.Sandbox.Personas()
	i := slices.IndexFunc(all, func(p wxsandbox.Persona) bool { return p.ID == id })
	if i < 0 {
		s.t.Fatalf("no persona %s", id)
	}
	return all[i]
}
