package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/wxsandbox"
)

func TestBadOAuth(t *testing.T) {
	s := start(t).open()
	const begin = "/hooks/oauth/start?for=owner&to=/pages/home/index"
	// came expects the browser back on the page with this fault and without a ticket.
	came := func(t *testing.T, at *url.URL, code string) {
		t.Helper()
		if at.Path != "/h5/" || at.Query().Get("loginError") != code || at.Query().Get("ticket") != "" {
			t.Errorf("arrived at %s, want %s", at, code)
		}
	}
	back := func(b browser) *url.URL { // as far as WeChat's redirect, not yet followed
		t.Helper()
		to := b.redirected(b.open(begin))
		q := to.Query()
		q.Set("persona", "p1")
		to.RawQuery = q.Encode()
		return b.redirected(b.open(to.String()))
	}
	s.sub("code reused", func(t *testing.T) {
		b := s.browser()
		first := back(b)
		if at := b.redirected(b.open(first.String())); at.Query().Get("ticket") == "" {
			t.Fatalf("arrived at %s", at)
		}
		came(t, b.redirected(b.open(first.String())), "member.oauth_state") // the state is spent with its cookie
		again := s.browser()
		second := back(again)
		q := second.Query()
		q.Set("code", first.Query().Get("code")) // the code in a fresh login
		second.RawQuery = q.Encode()
		at := again.redirected(again.open(second.String()))
		if at.Query().Get("ticket") != "" || at.Query().Get("loginError") == "" {
			t.Errorf("a used code arrived at %s", at)
		}
	})
	s.sub("state wrong", func(t *testing.T) {
		for _, state := range []string{"", "x", strings.Repeat("A", 32)} {
			b := s.browser()
			to := back(b)
			q := to.Query()
			q.Set("state", state)
			to.RawQuery = q.Encode()
			came(t, b.redirected(b.open(to.String())), "member.oauth_state")
		}
	})
	s.sub("another browser's login pushed into mine", func(t *testing.T) {
		attacker, victim := s.browser(), s.browser()
		to := back(attacker)
		came(t, victim.redirected(victim.open(to.String())), "member.oauth_state")
		back(victim) // the victim has begun a login of their own
		came(t, victim.redirected(victim.open(to.String())), "member.oauth_state")
	})
	s.sub("state too old", func(t *testing.T) {
		b := s.browser()
		to := back(b)
		s.clk.Advance(11 * time.Minute)
		came(t, b.redirected(b.open(to.String())), "member.oauth_state")
	})
	s.sub("refused by the user, or nonsense for a code", func(t *testing.T) {
		for _, code := range []string{"", "../../etc/passwd", "x&appid=wx0", "no-such-code"} {
			b := s.browser()
			to := back(b)
			q := to.Query()
			q.Set("code", code)
			to.RawQuery = q.Encode()
			at := b.redirected(b.open(to.String()))
			if at.Query().Get("ticket") != "" || at.Query().Get("loginError") == "" {
				t.Errorf("%q arrived at %s", code, at)
			}
		}
	})
	s.sub("a preview page's virtual user", func(t *testing.T) {
		b := s.browser()
		at := b.oauth(begin, "p5")
		if at.Query().Get("ticket") != "" || at.Query().Get("loginError") == "" {
			t.Errorf("arrived at %s", at)
		}
	})
	s.sub("a return to somewhere else", func(t *testing.T) {
		for _, to := range []string{"//evil.example", "https://evil.example/", "javascript:alert(1)", "/x\r\nSet-Cookie: a=b"} {
			b := s.browser()
			at := b.oauth("/hooks/oauth/start?for=owner&to="+url.QueryEscape(to), "p1")
			if at.Host != strings.TrimPrefix(s.URL, "http://") || at.Path != "/h5/" || strings.Contains(at.Fragment, ":") {
				t.Errorf("%q arrived at %s", to, at)
			}
		}
	})
	s.sub("a ticket too old, used, invented, or of staff", func(t *testing.T) {
		ticket := s.browser().oauth(begin, "p1").Query().Get("ticket")
		s.clk.Advance(61 * time.Second)
		staff := s.browser().oauth("/hooks/oauth/start?for=staff&to=/", "p1").Query().Get("ticket")
		for _, x := range []string{ticket, "invented", staff} {
			s.anonymous().fails("member.ticket_used", http.MethodPost, "/api/owner/session", obj{"channel": "ticket", "code": x})
		}
	})
	if n := s.count(`SELECT COUNT(*) FROM session_tokens WHERE kind = 'owner'`); n != 0 {
		t.Errorf("%d sessions came of bad logins", n)
	}
}

func TestBadNotifications(t *testing.T) {
	s := start(t).open()
	o := s.join("林晓舟")
	const hook = "/hooks/wxpay/notify"
	begin := func() obj { s.t.Helper(); return o.post("/api/owner/topups", obj{"amountFen": 10000}) }
	state := func(x obj) string { return o.get(fmt.Sprintf("/api/owner/topups/%d", x.i("topupId"))).s("state") }
	// statuses are what we answered to the notifications of an order.
	statuses := func(no string) (out []int) {
		for _, n := range s.Sandbox.Notifications() {
			if n.OutTradeNo == no {
				for _, a := range n.Attempts {
					out = append(out, a.Status)
				}
			}
		}
		return out
	}
	fault := func(f wxsandbox.Fault) {
		s.t.Helper()
		if _, err := s.Sandbox.SetFault(f); err != nil {
			s.t.Fatal(err)
		}
	}
	credits := func() int64 { return s.count(`SELECT COUNT(*) FROM ledger_postings WHERE kind = 'topup'`) }

	s.sub("forged: nobody's signature", func(t *testing.T) {
		for _, body := range []any{nil, []byte(`{}`), []byte(`{"id":"x","event_type":"TRANSACTION.SUCCESS"}`), []byte("not json"), []byte(strings.Repeat("x", 1<<20))} {
			r := s.anonymous().do(http.MethodPost, hook, body, header{"Wechatpay-Serial", s.Sandbox.Credentials().PlatformPublicKeyID},
				header{"Wechatpay-Timestamp", fmt.Sprint(time.Now().Unix())}, header{"Wechatpay-Nonce", "abc"}, header{"Wechatpay-Signature", "AAAA"})
			if r.status/100 != 4 || r.json(t).s("code") != "FAIL" {
				t.Errorf("%.40s: %d %s", body, r.status, r.body)
			}
		}
		if st, err := s.Sandbox.SignTest(s.URL + hook); err != nil || st/100 != 4 {
			t.Errorf("the probe is answered %d %v", st, err)
		}
	})
	s.sub("forged: signed wrongly on the way", func(t *testing.T) {
		x, before := begin(), credits()
		fault(wxsandbox.Fault{Target: "pay.notify", Kind: "forge", Count: 1, Path: s.order(x)})
		order := o.pay(x, wxsandbox.OutcomePay)
		s.eventually("the forged copy is refused", func() bool { st := statuses(order.OutTradeNo); return len(st) > 0 && st[0] == http.StatusUnauthorized })
		o.credited(x.i("topupId")) // by the honest repetition
		if credits() != before+1 {
			t.Errorf("%d credits", credits()-before)
		}
	})
	s.sub("replayed", func(t *testing.T) {
		x, before := begin(), credits()
		order := o.pay(x, wxsandbox.OutcomePay)
		o.credited(x.i("topupId"))
		for range 5 {
			if _, err := s.Sandbox.Resend(order.OutTradeNo); err != nil {
				t.Fatal(err)
			}
		}
		for _, st := range statuses(order.OutTradeNo) {
			if st != http.StatusNoContent {
				t.Errorf("answered %d", st)
			}
		}
		if credits() != before+1 {
			t.Errorf("%d credits", credits()-before)
		}
	})
	s.sub("for an unknown order", func(t *testing.T) {
		x, before := begin(), credits()
		no := s.order(x)
		s.exec(`UPDATE payment_intents SET out_trade_no = 'LCELSEWHERE1' WHERE out_trade_no = ?`, no)
		o.pay(x, wxsandbox.OutcomePay)
		s.eventually("it is answered", func() bool { return len(statuses(no)) > 0 })
		if st := statuses(no)[0]; st != http.StatusNotFound {
			t.Errorf("answered %d", st)
		}
		if credits() != before {
			t.Error("something was credited")
		}
		s.exec(`UPDATE payment_intents SET out_trade_no = ? WHERE out_trade_no = 'LCELSEWHERE1'`, no)
		o.credited(x.i("topupId")) // WeChat repeats, and now we know it
	})
	for _, kind := range []string{"wrong_amount", "wrong_mchid", "wrong_appid"} {
		s.sub("N02 "+kind, func(t *testing.T) {
			x, before := begin(), credits()
			fault(wxsandbox.Fault{Target: "pay.notify", Kind: kind, Count: 1, Path: s.order(x)})
			order := o.pay(x, wxsandbox.OutcomePay)
			s.eventually("it is answered", func() bool { return len(statuses(order.OutTradeNo)) > 0 })
			if st := statuses(order.OutTradeNo)[0]; st/100 != 4 {
				t.Errorf("answered %d", st)
			}
			o.credited(x.i("topupId")) // WeChat was asked, and what it answers decides
			if credits() != before+1 {
				t.Errorf("%d credits", credits()-before)
			}
		})
	}
	s.sub("N02 really paid another amount: nothing credited, money back, an alert", func(t *testing.T) {
		x, before := begin(), credits()
		no := s.order(x)
		if _, err := s.Sandbox.Pay(wxsandbox.PayRequest{PrepayID: prepayID(x), PersonaID: o.p.ID, Outcome: wxsandbox.OutcomePay, AmountFen: 1}); err != nil {
			t.Fatal(err)
		}
		s.eventually("the top-up is closed", func() bool { s.later(2 * time.Second); return state(x) == "closed" })
		s.eventually("the money goes back", func() bool {
			s.later(10 * time.Second)
			for _, f := range s.Sandbox.Snapshot().Refunds {
				if f.OutTradeNo == no && f.RefundFen == 1 && f.Status == "SUCCESS" {
					return true
				}
			}
			return false
		})
		if credits() != before {
			t.Error("something was credited")
		}
		p := s.boss.get("/api/console/payments?state=mismatch").list("items")
		if len(p) != 1 || p[0].s("alert") == "" || p[0].i("paidFen") != 1 {
			t.Errorf("payments: %v", p)
		}
	})
	s.exact()
}

// order is our number of a top-up's payment.
func (s *system) order(started obj) (no string) {
	s.t.Helper()
	if err := s.DB.Get(s.t.Context(), &no, `SELECT out_trade_no FROM payment_intents WHERE purpose = 'topup' AND subject_id = ?`, started.i("topupId")); err != nil {
		s.t.Fatal(err)
	}
	return no
}
