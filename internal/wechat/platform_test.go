package wechat

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/util"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/wxsandbox"
)

func moneyFen(n int64) money.Fen { return money.Fen(n) }

func TestMiniProgramSession(t *testing.T) {
	r := newRig(t)
	code := r.jsCode()
	id, err := r.MiniProgramSession(t.Context(), code)
	p := r.wx.Personas()[0]
	if err != nil || id != (Identity{MiniProgram, r.c.MiniProgram.AppID, p.OpenIDs[wxsandbox.AppMP], p.UnionID}) {
		t.Fatal(id, err)
	}
	_, err = r.MiniProgramSession(t.Context(), code)
	wantClass(t, err, BadCode, "40163")
	_, err = r.MiniProgramSession(t.Context(), "nosuchcode")
	wantClass(t, err, BadCode, "40029")
	before := r.hits("/sns/jscode2session")
	for _, bad := range []string{"", "a b", "x&appid=evil", "中文", "../../etc", "a#b", strings.Repeat("a", 300)} {
		_, err := r.MiniProgramSession(t.Context(), bad)
		wantClass(t, err, BadCode, "")
	}
	if r.hits("/sns/jscode2session") != before {
		t.Fatal("a malformed code went out")
	}
	if !errors.Is(Fault(err), ErrBadCode) {
		t.Fatal(Fault(err))
	}
}

func TestOAuth(t *testing.T) {
	r := newRig(t)
	raw := r.AuthorizeURL("https://shop.example.com/hooks/oauth/return?x=1", "a&b=c #d", ScopeBase)
	u, err := url.Parse(raw)
	if err != nil || !strings.HasPrefix(raw, r.srv.URL+"/sandbox/connect/oauth2/authorize?") {
		t.Fatal(raw, err)
	}
	q := u.Query()
	if q.Get("state") != "a&b=c #d" || q.Get("redirect_uri") != "https://shop.example.com/hooks/oauth/return?x=1" || q.Get("scope") != ScopeBase || u.Fragment != "wechat_redirect" {
		t.Fatal(raw)
	}
	id, err := r.OAuthIdentity(t.Context(), r.oauthCode("p1"))
	if err != nil || id.App != OfficialAccount || id.OpenID != r.wx.Personas()[0].OpenIDs[wxsandbox.AppOA] || id.UnionID == "" {
		t.Fatal(id, err)
	}
	if id, err = r.OAuthIdentity(t.Context(), r.oauthCode("p4")); err != nil || id.UnionID != "" {
		t.Fatal(id, err)
	}
	_, err = r.OAuthIdentity(t.Context(), r.oauthCode("p5"))
	wantClass(t, err, Snapshot, "")
	if !errors.Is(Fault(err), ErrSnapshot) {
		t.Fatal(Fault(err))
	}
}

func TestPhoneNumber(t *testing.T) {
	r := newRig(t)
	got, err := r.PhoneNumber(t.Context(), r.phoneCode())
	if err != nil || got != r.wx.Personas()[0].Phone {
		t.Fatal(got, err)
	}
	r.fault("api", "errcode", "/wxa/business/getuserphonenumber", "1400001", 1)
	_, err = r.PhoneNumber(t.Context(), r.phoneCode())
	wantClass(t, err, Quota, "1400001")
	if !errors.Is(Fault(err), ErrPhoneQuota) {
		t.Fatal(Fault(err))
	}
}

func TestTokenIsRenewedOnce(t *testing.T) {
	for _, code := range []string{"40001", "42001", "40014"} {
		r := newRig(t)
		if _, err := r.PhoneNumber(t.Context(), r.phoneCode()); err != nil {
			t.Fatal(err)
		}
		r.fault("api", "errcode", "/wxa/business/", code, 1)
		if _, err := r.PhoneNumber(t.Context(), r.phoneCode()); err != nil {
			t.Fatal(code, err)
		}
		if n := r.hits("/cgi-bin/stable_token"); n != 2 {
			t.Fatal("tokens fetched: ", n)
		}
		r.fault("api", "errcode", "/wxa/business/", code, 0)
		_, err := r.PhoneNumber(t.Context(), r.phoneCode())
		wantClass(t, err, Unavailable, code)
		if n := r.hits("/wxa/business/getuserphonenumber"); n != 5 {
			t.Fatal("tries: ", n)
		}
		if r.hits("/cgi-bin/token") != 0 {
			t.Fatal("the unstable token was used")
		}
	}
}

func TestN26TwoInstancesShareTheStableToken(t *testing.T) {
	r := newRig(t)
	other, err := New(t.Context(), r.cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for range 3 {
		for _, c := range []*Client{r.Client, other} {
			if _, err := c.PhoneNumber(t.Context(), r.phoneCode()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := r.hits("/cgi-bin/stable_token"); n != 2 {
		t.Fatal("tokens fetched: ", n)
	}
}

func TestCallsAreNotRepeatedByTheTransport(t *testing.T) {
	r := newRig(t)
	// Warm connections, so that there is one to be found dead.
	for range 3 {
		if _, err := r.MiniProgramSession(t.Context(), r.jsCode()); err != nil {
			t.Fatal(err)
		}
	}
	before := r.hits("/sns/jscode2session")
	r.fault("api", "drop_after", "/sns/jscode2session", "", 1)
	_, err := r.MiniProgramSession(t.Context(), r.jsCode())
	wantClass(t, err, Unavailable, "")
	if n := r.hits("/sns/jscode2session") - before; n != 1 {
		t.Fatal("a single-use code was sent ", n, " times")
	}
	if !errors.Is(Fault(err), ErrUnavailable) || fault.As(Fault(err)).Kind != fault.Unavailable {
		t.Fatal(Fault(err))
	}
}

func TestWeChatDown(t *testing.T) {
	r := newRig(t)
	for _, f := range []struct{ kind, value string }{{"status", "500"}, {"status", "404"}, {"drop", ""}, {"errcode", "-1"}} {
		r.fault("api", f.kind, "/sns/", f.value, 1)
		_, err := r.MiniProgramSession(t.Context(), r.jsCode())
		wantClass(t, err, Unavailable, "")
		leaks(t, r, err)
		r.fault("oauth", f.kind, "/sns/", f.value, 1)
		_, err = r.OAuthIdentity(t.Context(), r.oauthCode("p1"))
		wantClass(t, err, Unavailable, "")
		leaks(t, r, err)
	}
	if _, err := r.PhoneNumber(t.Context(), r.phoneCode()); err != nil {
		t.Fatal(err)
	}
	r.fault("api", "drop", "/wxa/", "", 1)
	_, err := r.PhoneNumber(t.Context(), r.phoneCode())
	wantClass(t, err, Unavailable, "")
	leaks(t, r, err)
}

// leaks fails when an error's text holds a secret, a token or a code.
func leaks(t *testing.T, r *rig, err error) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		s := e.Error()
		if strings.Contains(s, r.c.MiniProgram.Secret) || strings.Contains(s, r.c.OfficialAccount.Secret) {
			t.Fatal("the secret leaks: ", s)
		}
		if i := strings.Index(s, "access_token="); i >= 0 && !strings.HasPrefix(s[i:], "access_token=***") {
			t.Fatal("the token leaks: ", s)
		}
		if strings.Contains(s, "js_code=0") || strings.Contains(s, "&code=0") {
			t.Fatal("the code leaks: ", s)
		}
	}
}

func TestContextIsRespected(t *testing.T) {
	r := newRig(t)
	if _, err := r.wx.SetFault(wxsandbox.Fault{Target: "api", Kind: "timeout", DelayMs: 60_000}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := r.SendSubscribe(ctx, SubscribeMessage{OpenID: "o", TemplateID: tplMP})
	wantClass(t, err, Unavailable, "")
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > time.Second {
		t.Fatal(err, time.Since(start))
	}
}

func TestOnlyWeChatIsDialled(t *testing.T) {
	r := newRig(t)
	for _, host := range []string{"example.com", "127.0.0.1:1", "api.weixin.qq.com.evil.example", "open.weixin.qq.com", "api2.mch.weixin.qq.com"} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+host+"/", nil)
		if resp, err := r.httpClient().Do(req); err == nil {
			_ = resp.Body.Close()
			t.Error("dialled ", host)
		}
	}
	if _, err := util.HTTPGet("https://api.weixin.qq.com/"); err == nil {
		t.Error("the SDK reaches out without a client")
	}
	for _, bad := range []string{"weixin", "ftp://x", "http://", "http://x?y=1"} {
		if _, err := New(t.Context(), Config{Endpoints: Endpoints{API: bad}}, nil); err == nil {
			t.Error("accepted endpoint ", bad)
		}
	}
}

func TestN23N24Messages(t *testing.T) {
	r := newRig(t)
	p := r.wx.Personas()[0]
	msg := SubscribeMessage{OpenID: p.OpenIDs[wxsandbox.AppMP], TemplateID: tplMP, Page: "/pages/home/index", Data: map[string]string{
		"thing1": "标准洗车、内饰清洁、打蜡抛光、发动机舱清洗等共计六项", "amount2": "-¥12,345.60", "car_number3": "粤B·12345", "phrase4": "已完成结算了 OK",
		"character_string5": "LC20261118-单号-0001", "name6": "欧阳娜娜123", "number7": "第 3 次", "phone_number8": "(0755) 8888-6666", "time9": "2026-11-18 10:00",
		"const10": ""}}
	wantClass(t, r.SendSubscribe(t.Context(), msg), Refused, "43101")
	if err := r.wx.Grant("p1", tplMP, 1); err != nil {
		t.Fatal(err)
	}
	if err := r.SendSubscribe(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	wantClass(t, r.SendSubscribe(t.Context(), msg), Refused, "43101")
	msg.OpenID = p.OpenIDs[wxsandbox.AppOA] // of the wrong app (N24)
	wantClass(t, r.SendSubscribe(t.Context(), msg), Rejected, "40003")

	tm := TemplateMessage{OpenID: p.OpenIDs[wxsandbox.AppOA], TemplateID: tplOA, URL: "https://shop.example.com/h5/", Data: map[string]string{"thing1": "消费", "amount2": "¥1.00"}}
	id, err := r.SendTemplate(t.Context(), tm)
	if err != nil || id == 0 {
		t.Fatal(id, err)
	}
	if err := r.wx.SetFollows("p1", false); err != nil {
		t.Fatal(err)
	}
	_, err = r.SendTemplate(t.Context(), tm)
	wantClass(t, err, Refused, "43004")
	r.fault("api", "errcode", "/cgi-bin/message/", "45009", 1)
	_, err = r.SendTemplate(t.Context(), tm)
	wantClass(t, err, Quota, "45009")
}

func TestN25TrimField(t *testing.T) {
	for _, c := range []struct{ key, in, want string }{
		{"thing1", strings.Repeat("洗", 21), strings.Repeat("洗", 19) + "…"}, {"thing12", "a\nb\tc\x00", "a b c"}, {"thing1", "", "无"},
		{"phrase3", "已完成结算了", "已完成结算"}, {"phrase3", "OK", "无"}, {"character_string4", "编号 A-1", "A-1"},
		{"character_string4", strings.Repeat("9", 40), strings.Repeat("9", 32)}, {"car_number5", "粤B·D12345", "粤BD12345"}, {"car_number5", "粤BD123456789", "粤BD12345"},
		{"car_number5", "使014578", "使014578"}, {"car_number5", "粤Z1234港", "粤Z1234港"}, {"amount2", "¥1,234.50", "¥1234.50"}, {"amount2", "-12", "12"},
		{"amount2", "", "0"}, {"amount2", "¥99999999999.00", "¥99999999.00"}, {"name1", "张三3", "张三"}, {"name1", strings.Repeat("a", 25), strings.Repeat("a", 19) + "…"},
		{"number1", "12 次", "12"}, {"phone_number1", "138 0001 0001", "13800010001"}, {"letter1", "abc12", "abc"}, {"symbol1", "a★★", "★★"},
		{"time1", "2026年11月18日 10:00", "2026年11月18日 10:00"}, {"const1", "常量", "常量"}, {"thing1", "a\xffb", "ab"},
	} {
		if got := TrimField(c.key, c.in); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.key, c.in, got, c.want)
		}
	}
}

func TestRedact(t *testing.T) {
	in := `Get "https://h/x?appid=wx1&secret=S3CRET&js_code=0abcdefgh&grant_type=y": errcode=40029 statusCode=503 access_token=60_abc refresh_token=z`
	out := redact(in)
	for _, leak := range []string{"S3CRET", "0abcdefgh", "60_abc", "=z"} {
		if strings.Contains(out, leak) {
			t.Errorf("%q leaks in %q", leak, out)
		}
	}
	for _, keep := range []string{"appid=wx1", "errcode=40029", "statusCode=503"} {
		if !strings.Contains(out, keep) {
			t.Errorf("%q is lost in %q", keep, out)
		}
	}
}

func TestNotConfigured(t *testing.T) {
	c, err := New(t.Context(), Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, e1 := c.MiniProgramSession(t.Context(), "x")
	_, e2 := c.OAuthIdentity(t.Context(), "x")
	_, e3 := c.PhoneNumber(t.Context(), "x")
	_, e4 := c.Query(t.Context(), "x")
	_, e5 := c.SendTemplate(t.Context(), TemplateMessage{})
	for _, e := range []error{e1, e2, e3, e4, e5, c.SendSubscribe(t.Context(), SubscribeMessage{})} {
		wantClass(t, e, NotConfigured, "")
	}
	if c.AuthorizeURL("x", "y", ScopeBase) != "" {
		t.Fatal("an address without an official account")
	}
}

func TestConfigNamesWhatIsWrong(t *testing.T) {
	r := newRig(t)
	for want, change := range map[string]func(*Config){
		"api_v3_key":               func(c *Config) { c.Pay.APIv3Key = "short" },
		"merchant_private_key":     func(c *Config) { c.Pay.MerchantPrivateKeyPEM = "no" },
		"public_key is no PEM":     func(c *Config) { c.Pay.PublicKeyPEM = "no" },
		"public_key_id":            func(c *Config) { c.Pay.PublicKeyID = "" },
		"merchant_serial":          func(c *Config) { c.Pay.MerchantSerial = "" },
		`mode "magic" is unknown`:  func(c *Config) { c.Pay.Mode = "magic" },
		"notify_url are required":  func(c *Config) { c.Pay.NotifyURL = "" },
		"no absolute http(s) addr": func(c *Config) { c.Endpoints.Pay = "mch" },
	} {
		cfg := r.cfg
		change(&cfg)
		if _, err := New(t.Context(), cfg, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	r := newRig(t)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if _, err := r.PhoneNumber(t.Context(), r.phoneCode()); err != nil {
				t.Error(err)
			}
			if _, err := r.PrepayJSAPI(t.Context(), r.order(fmt.Sprintf("ORDER%05d", i), 1)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := r.hits("/cgi-bin/stable_token"); n != 1 {
		t.Fatal("tokens fetched: ", n)
	}
}
