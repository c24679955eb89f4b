package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/app"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// followStory is somebody who first meets the shop through its official account.
type followStory struct {
	*system
	owner   owner  // in the mini-program, once they open it
	h5      caller // inside the official account
	coupon  int64  // its template
	booking obj
}

func TestStoryOfficialAccount(t *testing.T) {
	s := &followStory{system: start(t, withTexts).open()}
	s.tell(
		chapter{"1 the shop says what followers get, and what may go by SMS", s.prepares},
		chapter{"2 a stranger follows and is greeted", s.follows},
		chapter{"3 they join inside the official account, by a code on their phone, and get the coupon once", s.joins},
		chapter{"4 the mini-program knows them", s.isTheSame},
		chapter{"5 they book, and are reminded by the grant they gave", s.books},
		chapter{"6 they pay, and get the receipt as a template message", s.pays},
		chapter{"7 they follow no longer, and are reached by SMS", s.leaves},
		chapter{"8 coming back brings no second coupon", s.returns},
		chapter{"9 the books are exact", func(*testing.T) { s.exact() }},
	)
}

// becomes waits until WeChat's event has arrived and everything that it asks for is done.
func (s *followStory) becomes(state string) obj {
	s.t.Helper()
	var f obj
	s.eventually("the follower is "+state, func() bool {
		s.drain()
		list := s.boss.get("/api/console/oa/followers").list("items")
		if len(list) != 1 {
			return false
		}
		f = list[0]
		return f.s("state") == state
	})
	return f
}

// inbox are the messages on the persona's phone that name all these words.
func (s *followStory) inbox(kind string, words ...string) (n int) {
	for _, m := range s.Sandbox.Inbox(s.owner.p.ID) {
		all := m.Kind == kind
		for _, w := range words {
			all = all && strings.Contains(fmt.Sprint(m.Title, m.Fields), w)
		}
		if all {
			n++
		}
	}
	return n
}

func (s *followStory) ways(event string) (ways []string) {
	for _, m := range s.boss.get(fmt.Sprintf("/api/console/messages?memberId=%d", s.owner.id)).list("items") {
		if m.s("event") == event {
			ways = append(ways, m.s("state")+" "+m.s("channel"))
		}
	}
	return ways
}

func (s *followStory) coupons() int {
	return len(s.owner.get("/api/owner/coupons?state=available").list("items"))
}

func (s *followStory) prepares(t *testing.T) {
	s.bookable()
	s.boss.set("sms.code_template", "1000001")
	s.coupon = s.boss.post("/api/console/coupon-templates", obj{"name": "关注礼洗车券", "kind": "amount", "offFen": 1000, "thresholdFen": 3000, "stack": "any", "validDays": 30}).i("id")
	s.boss.post("/api/console/gift-rules", obj{"name": "关注有礼", "trigger": "first_follow", "terms": obj{}, "gift": []obj{{"kind": "coupon", "id": s.coupon, "n": 1}}})
	s.boss.post("/api/console/oa/replies", obj{"kind": "welcome", "name": "欢迎语", "answer": obj{"kind": "mini", "text": "欢迎关注亮车洗护！", "link": "成为会员，领关注礼", "page": "pages/home/index"}})
	s.boss.want(http.MethodPut, "/api/console/message-setup/templates", obj{"channel": "sms", "event": "deduction", "templateId": storyText, "sign": "亮车洗护", "body": "您在${store}消费${amount}，余额${balance}。",
		"fields": []obj{{"key": "store", "label": "门店", "from": "store"}, {"key": "amount", "label": "金额", "from": "amount"}, {"key": "balance", "label": "余额", "from": "balance"}}})
	setup := s.boss.get("/api/console/message-setup")
	rules := obj{"quietFrom": setup.s("quietFrom"), "quietTo": setup.s("quietTo"), "capDay": setup.i("capDay"), "capWeek": setup.i("capWeek"),
		"events": []obj{{"event": notify.Deduction, "on": true, "sms": true, "calls": false}}}
	s.boss.want(http.MethodPut, "/api/console/message-setup/rules", rules)
}

func (s *followStory) follows(t *testing.T) {
	p, err := s.Sandbox.AddPersona(wxsandbox.Persona{Nickname: "许清和", Role: "测试", Phone: "13912345670"})
	if err != nil {
		t.Fatal(err)
	}
	s.owner = owner{p: p}
	if err := s.Sandbox.Scan(p.ID, "desk"); err != nil {
		t.Fatal(err)
	}
	if f := s.becomes("following"); f.i("memberId") > 0 || f.s("from") == "" {
		t.Errorf("the follower: %v", f)
	}
	chat := s.Sandbox.Chat(p.ID)
	if last := chat[len(chat)-1]; last.Side != "oa" || !strings.Contains(last.Text, "欢迎关注亮车洗护") {
		t.Fatalf("the welcome: %+v", chat)
	}
}

func (s *followStory) joins(t *testing.T) {
	ticket := s.browser().oauth("/hooks/oauth/start?for=owner&to=/", s.owner.p.ID).Query().Get("ticket")
	s.h5 = caller{s: s.system, token: s.anonymous().post("/api/owner/session", obj{"channel": "ticket", "code": ticket}).s("session.accessToken")}
	// H5 has no phone component: a code proves the number.
	s.h5.post("/api/owner/phone/code", obj{"phone": s.owner.p.Phone})
	texts := s.Sandbox.Texts(s.owner.p.Phone)
	if len(texts) != 1 {
		t.Fatalf("texts: %+v", texts)
	}
	token := s.h5.post("/api/owner/phone/code/verify", obj{"phone": s.owner.p.Phone, "code": texts[0].Values["code"]}).s("phoneToken")
	s.owner.plate = "沪A12F34"
	r := s.h5.post("/api/owner/join", obj{"charterVersion": s.charter(), "phoneToken": token, "name": "许清和", "vehicle": obj{"plate": s.owner.plate, "vehicleClassId": s.shop.class}})
	s.owner.id, s.owner.cardNo = r.i("memberId"), r.s("cardNo")
	s.owner.caller = s.h5
	s.owner.caller.id = r.i("memberId")
	s.eventually("the coupon for following", func() bool { s.drain(); return s.coupons() == 1 })
	if f := s.becomes("following"); f.i("memberId") != s.owner.id {
		t.Errorf("the follower: %v", f)
	}
}

func (s *followStory) isTheSame(t *testing.T) {
	r := s.anonymous().post("/api/owner/session", obj{"channel": "mini_program", "code": s.loginCode(s.owner.p)})
	s.owner.token = r.s("session.accessToken")
	if home := s.owner.get("/api/owner/home"); home.s("card.no") != s.owner.cardNo && home.s("card.cardNo") != s.owner.cardNo {
		t.Fatalf("in the mini-program: %v", home)
	}
	if n := s.count(`SELECT COUNT(*) FROM member_members`); n != 1 {
		t.Errorf("%d members", n)
	}
	if n := s.coupons(); n != 1 {
		t.Errorf("%d coupons in the mini-program", n)
	}
}

func (s *followStory) books(t *testing.T) {
	s.booking = s.owner.book(s.tomorrow(10, 0))
	if b := s.owner.post(fmt.Sprintf("/api/owner/bookings/%d/confirm", s.booking.i("id")), nil); b.s("state") != "confirmed" {
		t.Fatalf("booked: %v", b)
	}
	// The app asks at the useful moment, and WeChat counts what was allowed.
	const template = "lc-mp-booking_reminder"
	if ask := s.owner.get("/api/owner/notify/ask?moment=after_booking"); !slices.Contains(ask.at("templateIds").([]any), any(template)) {
		t.Fatalf("the app asks for %v", ask)
	}
	if err := s.Sandbox.Grant(s.owner.p.ID, template, 1); err != nil {
		t.Fatal(err)
	}
	s.owner.post("/api/owner/grants", obj{"results": []obj{{"templateId": template, "result": "accept"}}})
	at, err := bizday.At(s.day(1), 9*60+10, bizday.DefaultZone)
	if err != nil {
		t.Fatal(err)
	}
	s.clk.Set(at)
	s.drain()
	s.signIn()
	s.eventually("the reminder is sent", func() bool {
		s.drain()
		w := s.ways(notify.BookingReminder)
		return len(w) == 1 && w[0] == "sent mini_program"
	})
	if n := s.inbox("subscribe", "10:00"); n != 1 {
		t.Errorf("reminded %d times: %+v", n, s.Sandbox.Inbox(s.owner.p.ID))
	}
}

// signIn signs everybody in again after the clock has moved.
func (s *followStory) signIn() {
	s.t.Helper()
	s.boss.token = s.anonymous().post("/api/staff/session", obj{"method": "password", "username": "boss", "password": bossPassword}).s("session.accessToken")
	s.owner.token = s.anonymous().post("/api/owner/session", obj{"channel": "mini_program", "code": s.loginCode(s.owner.p)}).s("session.accessToken")
}

// pay settles a wash at the desk by stored value.
func (s *followStory) pay() obj {
	s.t.Helper()
	c := caller{s: s.system, token: s.boss.token}
	visit := s.visit(s.owner.id, s.owner.plate)
	q := c.post("/api/staff/quotes", visit)
	r := c.post("/api/staff/checkouts", with(visit, obj{"quoteHash": q.s("quoteHash"), "tenders": []obj{tender("balance", q.i("totalFen"))}}))
	s.drain()
	return r
}

func (s *followStory) pays(t *testing.T) {
	s.owner.topup()
	if r := s.pay(); r.s("status") != "settled" || s.coupons() != 0 {
		t.Fatalf("settled, with the coupon for following: %v", r)
	}
	s.eventually("WeChat says that the receipt arrived", func() bool {
		s.drain()
		w := s.ways(notify.Deduction)
		return len(w) == 1 && w[0] == "delivered official_account"
	})
	if n := s.inbox("template", "消费扣款"); n != 1 {
		t.Errorf("%d receipts: %+v", n, s.Sandbox.Inbox(s.owner.p.ID))
	}
}

func (s *followStory) leaves(t *testing.T) {
	if err := s.Sandbox.SetFollows(s.owner.p.ID, false); err != nil {
		t.Fatal(err)
	}
	s.becomes("left")
	before := len(s.Sandbox.Texts(s.owner.p.Phone))
	s.clk.Advance(time.Hour)
	s.signIn()
	s.pay()
	s.eventually("the receipt comes by SMS", func() bool {
		s.drain()
		return slices.Contains(s.ways(notify.Deduction), "sent sms")
	})
	texts := s.Sandbox.Texts(s.owner.p.Phone)
	if len(texts) != before+1 || !strings.Contains(texts[len(texts)-1].Text, "静安店") {
		t.Errorf("texts: %+v, %v", texts, s.ways(notify.Deduction))
	}
	if n := s.inbox("template", "消费扣款"); n != 1 {
		t.Errorf("N24: %d template messages, one of them to somebody who does not follow", n)
	}
}

func (s *followStory) returns(t *testing.T) {
	before := s.coupons()
	if err := s.Sandbox.SetFollows(s.owner.p.ID, true); err != nil {
		t.Fatal(err)
	}
	s.becomes("following")
	if n := s.coupons(); n != before {
		t.Errorf("%d coupons, %d before", n, before)
	}
	if n := s.count(`SELECT COUNT(*) FROM coupon_coupons WHERE template_id = ?`, s.coupon); n != 1 {
		t.Errorf("%d coupons for following", n)
	}
}

// storyText is an approved text of the shop's SMS provider.
const storyText = "1000099"

func withTexts(o *app.DemoOptions) {
	was := o.Sandbox
	o.Sandbox = func(so *wxsandbox.Options) {
		was(so)
		so.SMS.Templates = append(so.SMS.Templates, wxsandbox.SMSTemplate{ID: storyText, Text: "您在${store}消费${amount}，余额${balance}。"})
	}
}
