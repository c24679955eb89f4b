package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/wxsandbox"
)

func TestBadMoneyCommands(t *testing.T) {
	s := start(t).open()
	desk := s.shop.desk
	o := s.join("林晓舟")
	s.fund(o.id, 3000)
	const settle, quote, topups = "/api/staff/checkouts", "/api/staff/quotes", "/api/staff/topups"
	visit := s.visit(o.id, o.plate)
	// nothing asserts that a refused command left no trace.
	nothing := func(t *testing.T, f func()) {
		t.Helper()
		before := s.footprint()
		f()
		if after := s.footprint(); after != before {
			t.Errorf("a refused command changed the books: %s, was %s", after, before)
		}
	}

	s.sub("insufficient balance says how much is missing and offers a mix", func(t *testing.T) {
		q := desk.post(quote, visit)
		if q.i("balance.availableFen") != 3000 || q.i("balance.usableFen") != 3000 || q.i("balance.missingFen") != 500 {
			t.Errorf("quote: %v", q)
		}
		nothing(t, func() {
			f := desk.fails("wallet.insufficient_balance", http.MethodPost, settle, desk.ask(visit, tender("balance", 3500)))
			if f.i("status") != 409 || f.i("detail.availableFen") != 3000 || f.i("detail.missingFen") != 500 || !strings.Contains(f.s("message"), "¥5.00") {
				t.Errorf("refused by %v", f)
			}
			mix := f.list("detail.suggestion")
			if len(mix) != 2 || mix[0].s("kind") != "balance" || mix[0].i("amountFen") != 3000 || mix[1].i("amountFen") != 500 {
				t.Errorf("offered %v", mix)
			}
		})
		if r := desk.settle(visit, tender("balance", 3000), tender("cash", 500)); r.s("status") != "settled" || r.i("balanceAfterFen") != 0 {
			t.Errorf("the mix: %v", r)
		}
	})
	s.sub("price changed between quote and settlement", func(t *testing.T) {
		ask := desk.ask(visit, tender("cash", 3500))
		prices := obj{"name": "标准洗车", "kind": "wash", "minutes": 30, "minPriceBp": 8000, "prices": []obj{{"vehicleClassId": s.shop.class, "priceFen": 3900}, {"vehicleClassId": s.shop.suv, "priceFen": 4500}}}
		s.boss.want(http.MethodPut, fmt.Sprintf("/api/console/services/%d", s.shop.wash), prices)
		k := key("price-changed-1")
		nothing(t, func() {
			f := desk.fails("checkout.quote_changed", http.MethodPost, settle, ask, k)
			if f.i("status") != 409 || f.i("detail.quote.totalFen") != 3900 || f.s("detail.quote.quoteHash") == ask.s("quoteHash") {
				t.Errorf("the new quote: %v", f)
			}
		})
		// What failed left no key behind: the same key settles the new quote.
		q := desk.post(quote, visit)
		if r := desk.post(settle, with(ask, obj{"quoteHash": q.s("quoteHash"), "tenders": []obj{tender("cash", 3900)}}), k); r.i("totalFen") != 3900 {
			t.Errorf("settled: %v", r)
		}
	})
	s.sub("the same key with another body", func(t *testing.T) {
		k := key("same-key-01")
		first := desk.post(topups, obj{"storeId": s.shop.store, "memberId": o.id, "amountFen": 2000, "tender": "cash"}, k)
		nothing(t, func() {
			f := desk.fails("idempotency.key_reused", http.MethodPost, topups, obj{"storeId": s.shop.store, "memberId": o.id, "amountFen": 9000, "tender": "cash"}, k)
			if f.i("status") != 409 {
				t.Errorf("refused by %v", f)
			}
			desk.fails("idempotency.key_reused", http.MethodPost, settle, desk.ask(visit, tender("cash", 3900)), k) // nor for another command
			if again := desk.post(topups, obj{"storeId": s.shop.store, "memberId": o.id, "amountFen": 2000, "tender": "cash"}, k); again.i("topupId") != first.i("topupId") {
				t.Errorf("replayed %v", again)
			}
		})
		// Keys belong to who sent them: a colleague's command under the same key is another command.
		if r := s.shop.manager.post(topups, obj{"storeId": s.shop.store, "memberId": o.id, "amountFen": 2000, "tender": "cash"}, k); r.i("topupId") == first.i("topupId") {
			t.Error("somebody else's key replayed")
		}
	})
	s.sub("no key or a malformed one", func(t *testing.T) {
		nothing(t, func() {
			for _, k := range []string{"", "short", strings.Repeat("k", 65), "with space 12", "umlaut-äöü-1", "a/b/c/d/e/f"} {
				f := desk.fails("idempotency.key_missing", http.MethodPost, topups, obj{"storeId": s.shop.store, "memberId": o.id, "amountFen": 2000, "tender": "cash"}, key(k))
				if f.i("status") != 400 {
					t.Errorf("%q refused by %v", k, f)
				}
			}
		})
	})
	s.sub("amount 0, negative, above the plan's maximum, not a number", func(t *testing.T) {
		nothing(t, func() {
			for _, fen := range []any{0, -1, -100000000, 100000001, 1.5, "1000", "1e3", nil, int64(9223372036854775807), []int{1}} {
				o.fails("request.invalid", http.MethodPost, "/api/owner/topups", obj{"amountFen": fen})
				desk.fails("request.invalid", http.MethodPost, topups, obj{"storeId": s.shop.store, "memberId": o.id, "amountFen": fen, "tender": "cash"})
				desk.fails("request.invalid", http.MethodPost, settle, with(visit, obj{"quoteHash": "0123456789", "tenders": []obj{{"kind": "cash", "amountFen": fen}}}))
			}
			for _, fen := range []int64{1, 999, 500001} {
				o.fails("wallet.topup_amount", http.MethodPost, "/api/owner/topups", obj{"amountFen": fen})
			}
			o.fails("wallet.plan_changed", http.MethodPost, "/api/owner/topups", obj{"planId": s.shop.plan, "amountFen": 40000})
			o.fails("catalog.plan_unavailable", http.MethodPost, "/api/owner/topups", obj{"planId": 12345, "amountFen": 50000})
			s.boss.set("topup.custom_allowed", false)
			o.fails("wallet.topup_plans_only", http.MethodPost, "/api/owner/topups", obj{"amountFen": 10000})
			s.boss.set("topup.custom_allowed", true)
		})
	})
	s.sub("over the legal cap of 5,000 yuan per card", func(t *testing.T) {
		p, _, _ := o.wallet()
		nothing(t, func() {
			f := o.fails("wallet.card_cap", http.MethodPost, "/api/owner/topups", obj{"amountFen": 500000 - p + 1})
			if f.i("status") != 409 || f.i("detail.capFen") != 500000 || f.i("detail.capLeftFen") != 500000-p || !strings.Contains(f.s("message"), "¥5,000.00") {
				t.Errorf("refused by %v", f)
			}
			desk.fails("wallet.card_cap", http.MethodPost, topups, obj{"storeId": s.shop.store, "memberId": o.id, "amountFen": 500000 - p + 1, "tender": "cash"})
		})
		// What is begun and not yet paid counts: two sheets side by side cannot pass the cap together.
		begun := o.post("/api/owner/topups", obj{"amountFen": 500000 - p - 1000})
		o.fails("wallet.card_cap", http.MethodPost, "/api/owner/topups", obj{"amountFen": 1001})
		o.post(fmt.Sprintf("/api/owner/topups/%d/cancel", begun.i("topupId")), nil)
		o.post(fmt.Sprintf("/api/owner/topups/%d/cancel", o.post("/api/owner/topups", obj{"amountFen": 500000 - p}).i("topupId")), nil)
		s.boss.set("wallet.card_cap_fen", 100000)
		o.fails("wallet.card_cap", http.MethodPost, "/api/owner/topups", obj{"amountFen": 100001 - p})
		s.boss.fails("request.invalid", http.MethodPut, "/api/console/settings", obj{"values": []obj{{"key": "wallet.card_cap_fen", "value": 500001}}})
		s.boss.set("wallet.card_cap_fen", 500000)
	})
	s.sub("plate of wrong form", func(t *testing.T) {
		nothing(t, func() {
			for _, plate := range []string{"A12345", "沪", "沪A1234", "沪A123456789", "沪I12345", "沪A1234O", "沪AX12345", "XX12345", "沪A12'45", "京京12345"} {
				f := desk.fails("checkout.plate", http.MethodPost, quote, s.visit(0, plate))
				if f.i("status") != 422 || f.s("fields.0.field") != "plate" {
					t.Errorf("%s refused by %v", plate, f)
				}
				f = o.fails("request.invalid", http.MethodPost, "/api/owner/vehicles", obj{"plate": plate})
				if f.s("fields.0.field") != "plate" {
					t.Errorf("%s refused by %v", plate, f)
				}
			}
			desk.fails("request.invalid", http.MethodPost, quote, s.visit(0, ""))
		})
	})
	s.sub("items that cannot be sold", func(t *testing.T) {
		nothing(t, func() {
			for _, items := range [][]obj{{}, {{"kind": "service", "id": 12345, "qty": 1}}, {{"kind": "good", "id": s.shop.wash, "qty": 1}}, {{"kind": "topup", "id": s.shop.plan, "qty": 1}},
				{{"kind": "service", "id": s.shop.wash, "qty": 0}}, {{"kind": "service", "id": s.shop.wash, "qty": -1}}, {{"kind": "service", "id": s.shop.wash, "qty": 1000}}} {
				r := desk.do(http.MethodPost, quote, with(visit, obj{"items": items}))
				if r.status != http.StatusUnprocessableEntity {
					t.Errorf("%v: %d %s", items, r.status, r.body)
				}
			}
			desk.fails("catalog.vehicle_class_unknown", http.MethodPost, quote, with(visit, obj{"vehicleClassId": 12345}))
		})
	})
	s.sub("tenders that do not add up", func(t *testing.T) {
		nothing(t, func() {
			for code, ts := range map[string][]obj{
				"checkout.tenders":              {tender("cash", 3899)},
				"checkout.cash_short":           {with(tender("cash", 3900), obj{"receivedFen": 3800})},
				"checkout.reference_required":   {{"kind": "alipay", "amountFen": 3900}},
				"checkout.balance_needs_member": {tender("balance", 3900)},
			} {
				v := visit
				if code == "checkout.balance_needs_member" {
					v = s.visit(0, "苏E7L209")
				}
				desk.fails(code, http.MethodPost, settle, desk.ask(v, ts...))
			}
		})
	})
	s.sub("another member's balance", func(t *testing.T) {
		other := s.join("陈思远")
		nothing(t, func() {
			// A quote for one member does not settle for another.
			ask := desk.ask(visit, tender("balance", 3900))
			desk.fails("checkout.quote_changed", http.MethodPost, settle, with(ask, obj{"memberId": other.id}))
			desk.fails("not_found", http.MethodPost, settle, desk.askRaw(with(visit, obj{"memberId": 12345}), tender("cash", 3900)))
		})
	})
	s.sub("a manual discount without the permission, or below the floor", func(t *testing.T) {
		off := func(fen int64) obj {
			return with(visit, obj{"manualDiscount": obj{"amountFen": fen, "reason": "老顾客"}})
		}
		nothing(t, func() {
			desk.fails("permission.denied", http.MethodPost, quote, off(100))
			s.shop.manager.fails("checkout.discount", http.MethodPost, quote, off(781)) // 80 % of 39.00 is 31.20
			s.shop.manager.fails("request.invalid", http.MethodPost, quote, off(0))
			s.shop.manager.fails("request.invalid", http.MethodPost, quote, off(-100))
		})
		if q := s.shop.manager.post(quote, off(780)); q.i("totalFen") != 3120 {
			t.Errorf("the floor itself: %v", q)
		}
	})
	s.sub("another store", func(t *testing.T) {
		nothing(t, func() {
			desk.fails("permission.store", http.MethodPost, quote, with(visit, obj{"storeId": s.shop.other}))
			desk.fails("permission.store", http.MethodPost, topups, obj{"storeId": s.shop.other, "memberId": o.id, "amountFen": 2000, "tender": "cash"})
			s.shop.manager.fails("not_found", http.MethodPost, topups, obj{"storeId": 12345, "memberId": o.id, "amountFen": 2000, "tender": "cash"})
		})
	})
	s.exact()
}

// footprint counts what money commands write.
func (s *system) footprint() string {
	s.t.Helper()
	return fmt.Sprint(s.count(`SELECT COUNT(*) FROM ledger_postings`), s.count(`SELECT COUNT(*) FROM ledger_entries`), s.count(`SELECT COUNT(*) FROM checkout_orders`),
		s.count(`SELECT COUNT(*) FROM wallet_topups WHERE state <> 'closed'`), s.count(`SELECT COUNT(*) FROM payment_intents WHERE state <> 'closed'`), s.count(`SELECT COALESCE(SUM(balance), 0) FROM ledger_accounts`),
		s.count(`SELECT COALESCE(SUM(held), 0) FROM ledger_accounts`), s.count(`SELECT COUNT(*) FROM member_vehicles`))
}

// askRaw is ask for a visit that cannot be quoted.
func (c caller) askRaw(visit obj, tenders ...obj) obj {
	return with(visit, obj{"quoteHash": "0123456789abcdef", "tenders": tenders})
}

func TestBadJoining(t *testing.T) {
	s := start(t).open()
	charter := s.charter()
	anna := s.join("林晓舟")
	anna.topup()

	s.sub("a phone taken by another member is offered to bind", func(t *testing.T) {
		twin := s.visitorWithPhone("同号", anna.p.Phone)
		token := twin.post("/api/owner/phone", obj{"code": must(s.Sandbox.PhoneCode(twin.p.ID))})
		if !token.b("taken") || token.s("bind.nameMasked") == "" || token.s("bind.cardNoMasked") == "" || strings.Contains(token.String(), anna.cardNo) || strings.Contains(token.String(), "林晓舟") {
			t.Errorf("proved: %v", token)
		}
		f := twin.fails("member.phone_taken", http.MethodPost, "/api/owner/join", obj{"charterVersion": charter, "phoneToken": token.s("phoneToken"), "name": "同号"})
		if f.i("status") != 409 || f.s("detail.bind.cardNoMasked") == "" {
			t.Errorf("refused by %v", f)
		}
		if n := s.count(`SELECT COUNT(*) FROM member_members`); n != 1 {
			t.Errorf("%d members", n)
		}
		r := twin.post("/api/owner/bind", obj{"phoneToken": token.s("phoneToken"), "charterVersion": charter})
		if r.i("memberId") != anna.id || r.s("cardNo") != anna.cardNo {
			t.Errorf("bound: %v", r)
		}
		if p, b, _ := (owner{caller: twin.caller}).wallet(); p != 50000 || b != 8000 {
			t.Errorf("the bound identity sees %d+%d", p, b)
		}
	})
	s.sub("a typed phone that is taken tells nothing of whose it is", func(t *testing.T) {
		v := s.visitor("打字")
		f := v.fails("member.phone_taken", http.MethodPost, "/api/owner/join", obj{"charterVersion": charter, "phone": anna.p.Phone, "name": "打字"})
		if f.at("detail") != nil {
			t.Errorf("told %v", f)
		}
	})
	s.sub("two members that hold money are never merged", func(t *testing.T) {
		bob := s.join("陈思远")
		s.fund(bob.id, 1000)
		// Bob proves Anna's phone: his own member holds money, so nothing is merged.
		proof := s.proveAs(bob, anna.p.Phone)
		bob.fails("member.holds_money", http.MethodPost, "/api/owner/bind", obj{"phoneToken": proof, "charterVersion": charter})
		if p, _, _ := bob.wallet(); p != 1000 {
			t.Errorf("Bob's wallet: %d", p)
		}
		if p, b, _ := anna.wallet(); p != 50000 || b != 8000 {
			t.Errorf("Anna's wallet: %d+%d", p, b)
		}
		if n := s.count(`SELECT COUNT(*) FROM member_members WHERE status = 'active'`); n != 2 {
			t.Errorf("%d members", n)
		}
	})
	s.sub("somebody else's proof of a phone", func(t *testing.T) {
		v, thief := s.visitor("甲"), s.visitor("乙")
		token := v.provePhone()
		thief.fails("member.phone_token", http.MethodPost, "/api/owner/join", obj{"charterVersion": charter, "phoneToken": token, "name": "乙"})
		thief.fails("member.phone_token", http.MethodPost, "/api/owner/join", obj{"charterVersion": charter, "phoneToken": token[:len(token)-4] + "AAAA", "name": "乙"})
	})
	s.sub("a phone code used twice", func(t *testing.T) {
		v := s.visitor("丙")
		code := must(s.Sandbox.PhoneCode(v.p.ID))
		v.post("/api/owner/phone", obj{"code": code})
		if r := v.do(http.MethodPost, "/api/owner/phone", obj{"code": code}); r.status/100 == 2 || r.status >= 500 {
			t.Errorf("again: %d %s", r.status, r.body)
		}
	})
	s.sub("an outdated charter", func(t *testing.T) {
		v := s.visitor("丁")
		v.fails("member.charter_outdated", http.MethodPost, "/api/owner/join", obj{"charterVersion": charter + 1, "phoneToken": v.provePhone(), "name": "丁"})
		s.boss.post("/api/console/charters", obj{"title": "新章程", "body": strings.Repeat("第二版。", 20), "privacyBody": strings.Repeat("隐私。", 20)})
		v.fails("member.charter_outdated", http.MethodPost, "/api/owner/join", obj{"charterVersion": charter, "phoneToken": v.provePhone(), "name": "丁"})
		if h := anna.get("/api/owner/home"); !h.b("charterOutdated") {
			t.Error("members are not told of the new charter")
		}
	})
	s.sub("no name, no phone, an impossible birthday", func(t *testing.T) {
		v := s.visitor("戊")
		for field, body := range map[string]obj{"name": {"name": "  ", "phone": "13912345678"}, "phone": {"name": "戊", "phone": "123"}, "birthday": {"name": "戊", "phone": "13912345678", "birthday": "2026-02-30"}} {
			f := v.fails("request.invalid", http.MethodPost, "/api/owner/join", with(body, obj{"charterVersion": s.charter()}))
			if f.s("fields.0.field") != field {
				t.Errorf("%s refused by %v", field, f)
			}
		}
	})
	s.exact()
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// visitorWithPhone is a second WeChat account of a phone number.
func (s *system) visitorWithPhone(name, phone string) owner {
	s.t.Helper()
	p := must(s.Sandbox.AddPersona(wxsandbox.Persona{Nickname: name, Role: "测试", Phone: phone}))
	r := s.anonymous().post("/api/owner/session", obj{"channel": "mini_program", "code": s.loginCode(p)})
	return owner{caller: caller{s: s, token: r.s("session.accessToken")}, p: p}
}

// proveAs gives o the proof of a phone that is another account's: o holds that phone too.
func (s *system) proveAs(o owner, phone string) string {
	s.t.Helper()
	p := must(s.Sandbox.AddPersona(wxsandbox.Persona{Nickname: "同机", Role: "测试", Phone: phone}))
	return o.post("/api/owner/phone", obj{"code": must(s.Sandbox.PhoneCode(p.ID))}).s("phoneToken")
}
