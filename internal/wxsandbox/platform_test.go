package wxsandbox

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/miniprogram/order"
	"github.com/silenceper/wechat/v2/miniprogram/qrcode"
	"github.com/silenceper/wechat/v2/miniprogram/security"
	"github.com/silenceper/wechat/v2/miniprogram/subscribe"
	"github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/silenceper/wechat/v2/util"
)

// wantCode asserts the errcode in an answer of the raw API.
func wantCode(t *testing.T, got map[string]any, code int) {
	t.Helper()
	if n, _ := got["errcode"].(float64); int(n) != code {
		t.Fatalf("got %v, want errcode %d", got, code)
	}
}

func wantErrCode(t *testing.T, err error, code int64) {
	t.Helper()
	var e *util.CommonError
	if !errors.As(err, &e) || e.ErrCode != code {
		t.Fatalf("got %v, want errcode %d", err, code)
	}
}

func TestMiniProgramLogin(t *testing.T) {
	r := newRig(t)
	auth := r.mp().GetAuth()
	code, err := r.LoginCode("p1", AppMP)
	if err != nil {
		t.Fatal(err)
	}
	res, err := auth.Code2Session(code)
	if err != nil || res.OpenID != r.openID("p1", AppMP) || res.UnionID == "" || res.SessionKey == "" {
		t.Fatalf("%+v %v", res, err)
	}
	if res, _ = auth.Code2Session(code); res.ErrCode != 40163 {
		t.Fatalf("reused: %+v", res)
	}
	if res, _ = auth.Code2Session("0nonsense"); res.ErrCode != 40029 {
		t.Fatalf("nonsense: %+v", res)
	}
	code, _ = r.LoginCode("p1", AppMP)
	r.clock.Add(codeLife)
	if res, _ = auth.Code2Session(code); res.ErrCode != 40029 {
		t.Fatalf("expired: %+v", res)
	}
	// A phone code is no login code, and the other way round.
	code, _ = r.PhoneCode("p1")
	if res, _ = auth.Code2Session(code); res.ErrCode != 40029 {
		t.Fatalf("foreign kind: %+v", res)
	}
	if code, _ = r.LoginCode("p4", AppMP); code == "" {
		t.Fatal("no code")
	}
	if res, err = auth.Code2Session(code); err != nil || res.UnionID != "" {
		t.Fatalf("p4 must have no unionid: %+v %v", res, err)
	}
	q := url.Values{"appid": {r.c.MiniProgram.AppID}, "secret": {"wrong"}, "js_code": {"x"}, "grant_type": {"authorization_code"}}
	_, got := r.call("GET", "/sns/jscode2session?"+q.Encode(), nil)
	wantCode(t, got, 40125)
	q.Set("appid", "wx0123456789abcdef")
	_, got = r.call("GET", "/sns/jscode2session?"+q.Encode(), nil)
	wantCode(t, got, 40013)
}

func TestLoginRate(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Quotas = map[string]int{"/sns/jscode2session": 2} })
	auth := r.mp().GetAuth()
	for i, want := range []int64{0, 0, 45011} {
		code, _ := r.LoginCode("p1", AppMP)
		if res, _ := auth.Code2Session(code); res.ErrCode != want {
			t.Fatalf("call %d: %+v", i, res)
		}
	}
}

func TestPhoneNumber(t *testing.T) {
	r := newRig(t)
	auth := r.mp().GetAuth()
	code, _ := r.PhoneCode("p1")
	res, err := auth.GetPhoneNumber(code)
	if err != nil || res.PhoneInfo.PurePhoneNumber != "13800010001" || res.PhoneInfo.CountryCode != "86" || res.PhoneInfo.WaterMark.AppID != r.c.MiniProgram.AppID {
		t.Fatalf("%+v %v", res, err)
	}
	_, err = auth.GetPhoneNumber(code)
	wantErrCode(t, err, 40163)
	_, err = auth.GetPhoneNumber("0nonsense")
	wantErrCode(t, err, 40029)
}

func TestAccessTokens(t *testing.T) {
	r := newRig(t)
	body := map[string]any{"grant_type": "client_credential", "appid": r.c.MiniProgram.AppID, "secret": r.c.MiniProgram.Secret}
	_, a := r.call("POST", "/cgi-bin/stable_token", body)
	_, b := r.call("POST", "/cgi-bin/stable_token", body)
	if a["access_token"] == nil || a["access_token"] != b["access_token"] || a["expires_in"].(float64) != 7200 {
		t.Fatalf("stable token is not stable: %v %v", a, b)
	}
	use := func(token any) map[string]any {
		_, got := r.call("POST", "/wxa/sec/order/is_trade_managed?access_token="+token.(string), map[string]any{"appid": r.c.MiniProgram.AppID})
		return got
	}
	wantCode(t, use(a["access_token"]), 0)
	body["force_refresh"] = true
	_, c := r.call("POST", "/cgi-bin/stable_token", body)
	if c["access_token"] == a["access_token"] {
		t.Fatal("force must make a new token")
	}
	wantCode(t, use(a["access_token"]), 40001)
	wantCode(t, use(c["access_token"]), 0)
	wantCode(t, use(""), 41001)
	wantCode(t, use("made-up"), 40001)
	r.clock.Add(tokenLife)
	wantCode(t, use(c["access_token"]), 42001)
	body["secret"] = "wrong"
	_, got := r.call("POST", "/cgi-bin/stable_token", body)
	wantCode(t, got, 40125)
	// The old API renews on every call; the token before it lives five more minutes.
	q := url.Values{"grant_type": {"client_credential"}, "appid": {r.c.MiniProgram.AppID}, "secret": {r.c.MiniProgram.Secret}}
	_, a = r.call("GET", "/cgi-bin/token?"+q.Encode(), nil)
	_, b = r.call("GET", "/cgi-bin/token?"+q.Encode(), nil)
	if a["access_token"] == b["access_token"] {
		t.Fatal("the old API must renew")
	}
	wantCode(t, use(a["access_token"]), 0)
	r.clock.Add(graceLife)
	wantCode(t, use(a["access_token"]), 42001)
	wantCode(t, use(b["access_token"]), 0)
	// A token of the other app has no right here.
	q = url.Values{"grant_type": {"client_credential"}, "appid": {r.c.OfficialAccount.AppID}, "secret": {r.c.OfficialAccount.Secret}}
	_, a = r.call("GET", "/cgi-bin/token?"+q.Encode(), nil)
	wantCode(t, use(a["access_token"]), 48001)
}

func paidData() map[string]*subscribe.DataItem {
	return map[string]*subscribe.DataItem{"thing1": {Value: "精洗一次"}, "amount2": {Value: "¥38.00"}, "time3": {Value: "2026年6月1日 12:30"}, "car_number4": {Value: "沪A12345D"}}
}

func TestSubscribeSend(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Pages = []string{"pages/home/index"} })
	sub := r.mp().GetSubscribe()
	msg := func() *subscribe.Message {
		return &subscribe.Message{ToUser: r.openID("p1", AppMP), TemplateID: tplPaid, Page: "pages/home/index?id=1", Data: paidData()}
	}
	wantErrCode(t, sub.Send(msg()), 43101) // never accepted
	if err := r.Grant("p1", tplPaid, 2); err != nil {
		t.Fatal(err)
	}
	m := msg()
	m.Data["thing1"].Value = strings.Repeat("洗", 21)
	wantErrCode(t, sub.Send(m), 47003)
	m = msg()
	delete(m.Data, "amount2")
	wantErrCode(t, sub.Send(m), 47003)
	m = msg()
	m.TemplateID = "unknown"
	wantErrCode(t, sub.Send(m), 40037)
	m = msg()
	m.TemplateID = tplOA // of the other app
	wantErrCode(t, sub.Send(m), 40037)
	m = msg()
	m.ToUser = r.openID("p1", AppOA)
	wantErrCode(t, sub.Send(m), 40003)
	m = msg()
	m.Page = "/pages/home/index"
	wantErrCode(t, sub.Send(m), 41030)
	m = msg()
	m.Page = "pages/unknown"
	wantErrCode(t, sub.Send(m), 41030)
	if n := r.Grants("p1")[tplPaid]; n != 2 {
		t.Fatalf("a refused message spent a grant: %d left", n)
	}
	for range 2 {
		if err := sub.Send(msg()); err != nil {
			t.Fatal(err)
		}
	}
	wantErrCode(t, sub.Send(msg()), 43101) // used up
	in := r.Inbox(r.openID("p1", AppMP))
	if len(in) != 2 || in[0].Title != "消费成功通知" || in[0].Fields[1].Label != "消费金额" || in[0].Fields[1].Value != "¥38.00" || in[0].Page != "pages/home/index?id=1" {
		t.Fatalf("inbox: %+v", in)
	}
	if len(r.Inbox("p2")) != 0 {
		t.Fatal("message in a foreign inbox")
	}
}

func TestTemplateSendAndQuota(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Quotas = map[string]int{"/cgi-bin/message/template/send": 5} })
	tpl := r.oa().GetTemplate()
	msg := &message.TemplateMessage{ToUser: r.openID("p1", AppOA), TemplateID: tplOA, URL: "https://shop.example.com/h5/", ClientMsgID: "job-1",
		Data: map[string]*message.TemplateDataItem{"thing1": {Value: "充值"}, "amount2": {Value: "580.00元"}}}
	id, err := tpl.Send(msg)
	if err != nil || id == 0 {
		t.Fatal(err)
	}
	if again, err := tpl.Send(msg); err != nil || again != id || len(r.Inbox("p1")) != 1 {
		t.Fatalf("client_msg_id: %d %d %v", id, again, err)
	}
	for _, c := range []struct{ who, app, code string }{{"p3", AppOA, "43004"}, {"p1", AppMP, "40003"}} {
		m := *msg
		m.ToUser = r.openID(c.who, c.app)
		if _, err := tpl.Send(&m); err == nil || !strings.Contains(err.Error(), "errcode="+c.code) {
			t.Fatalf("%s: %v", c.code, err)
		}
	}
	if _, err := tpl.Send(msg); err != nil {
		t.Fatal(err)
	}
	if _, err := tpl.Send(msg); err == nil || !strings.Contains(err.Error(), "errcode=45009") {
		t.Fatalf("quota: %v", err)
	}
	// bizsend needs a grant like the mini-program's message.
	biz := r.oa().GetSubscribe()
	bm := &message.SubscribeMessage{ToUser: r.openID("p1", AppOA), TemplateID: tplOA, Data: map[string]*message.SubscribeDataItem{"thing1": {Value: "充值"}, "amount2": {Value: "580"}}}
	wantErrCode(t, biz.Send(bm), 43101)
	_ = r.Grant("p1", tplOA, 1)
	if err := biz.Send(bm); err != nil {
		t.Fatal(err)
	}
}

func TestFieldRules(t *testing.T) {
	for _, c := range []struct {
		key, value string
		ok         bool
	}{
		{"thing1", "精洗（五座）", true}, {"thing1", strings.Repeat("字", 20), true}, {"thing1", strings.Repeat("字", 21), false},
		{"character_string1", "LC-20260601-0001", true}, {"character_string1", strings.Repeat("x", 33), false}, {"character_string1", "单号1", false},
		{"phrase1", "已完成", true}, {"phrase1", "已经完成了呢", false}, {"phrase1", "OK", false},
		{"car_number1", "粤B12345", true}, {"car_number1", "沪AD12345", true}, {"car_number1", "沪A-12345", false}, {"car_number1", "沪AD123456", false},
		{"amount1", "¥500.00", true}, {"amount1", "500元", true}, {"amount1", "-5", false}, {"amount1", "12345678901", false}, {"amount1", "五百", false},
		{"time1", "2026年6月1日 12:30", true}, {"time1", "2026-06-01 12:30:05", true}, {"time1", "15:01", true}, {"time1", "25:01", false}, {"time1", "明天", false},
		{"date1", "2026-06-01", true}, {"date1", "2026年06月01日 08:00", true}, {"date1", "2026-13-01", false}, {"date1", "08:00", false},
		{"number1", "12.5", true}, {"number1", "12元", false}, {"number1", "1" + strings.Repeat("0", 32), false},
		{"name1", "张三", true}, {"name1", "张三3", false}, {"name1", strings.Repeat("张", 11), false}, {"name1", "John Smith", true},
		{"phone_number1", "+86-13800010001", true}, {"phone_number1", "+86-138000100011234", false}, {"phone_number1", "电话", false},
		{"thing1", "", false}, {"thing1", "a\x00b", false}, {"letter1", "abc", true}, {"letter1", "ab1", false},
	} {
		got := checkFields(Template{Fields: []Field{{Key: c.key}}}, map[string]string{c.key: c.value}) == ""
		if got != c.ok {
			t.Errorf("%s=%q: accepted %v, want %v", c.key, c.value, got, c.ok)
		}
	}
}

func TestOAuth(t *testing.T) {
	r := newRig(t)
	oauth := r.oa().GetOauth()
	start := func(redirect, scope, state string) string {
		link, err := oauth.GetRedirectURL(redirect, scope, url.QueryEscape(state))
		if err != nil {
			t.Fatal(err)
		}
		return link
	}
	get := func(link, cookie string) *http.Response {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", link, nil)
		if cookie != "" {
			req.AddCookie(&http.Cookie{Name: personaCookie, Value: cookie})
		}
		resp, err := r.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	const back = "https://shop.example.com/h5/?from=oa#/home"
	link := start(back, scopeBase, "a b&c=中/文")
	if resp := get(link, ""); resp.StatusCode != 200 {
		t.Fatalf("a stranger gets the picker, not %d", resp.StatusCode)
	}
	resp := get(link, "p2")
	loc, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || resp.StatusCode != 302 || loc.Host != "shop.example.com" || loc.Fragment != "/home" || loc.Query().Get("from") != "oa" || loc.Query().Get("state") != "a b&c=中/文" {
		t.Fatalf("redirect: %d %v", resp.StatusCode, loc)
	}
	if resp := get(strings.Replace(link, "#", "&pick=1#", 1), "p2"); resp.StatusCode != 200 {
		t.Fatal("pick=1 must ask again")
	}
	tok, err := oauth.GetUserAccessToken(loc.Query().Get("code"))
	if err != nil || tok.OpenID != r.openID("p2", AppOA) || tok.IsSnapShotUser != 0 || tok.UnionID == "" {
		t.Fatalf("%+v %v", tok, err)
	}
	if used, _ := oauth.GetUserAccessToken(loc.Query().Get("code")); used.ErrCode != 40163 {
		t.Fatalf("reused: %+v", used)
	}
	if _, err := oauth.GetUserInfo(tok.AccessToken, tok.OpenID, ""); err == nil {
		t.Fatal("snsapi_base must not give the profile")
	}
	if ok, _ := oauth.CheckAccessToken(tok.AccessToken, tok.OpenID); !ok {
		t.Fatal("token not valid")
	}
	if again, err := oauth.RefreshAccessToken(tok.RefreshToken); err != nil || again.OpenID != tok.OpenID {
		t.Fatal(err)
	}
	// userinfo asks, and only the agreement continues.
	link = start(back, scopeUserInfo, "s")
	if resp := get(link, "p5"); resp.StatusCode != 200 {
		t.Fatal("userinfo must ask")
	}
	loc, _ = url.Parse(get(strings.Replace(link, "#", "&persona=p5&agree=1#", 1), "").Header.Get("Location"))
	tok, err = oauth.GetUserAccessToken(loc.Query().Get("code"))
	if err != nil || tok.IsSnapShotUser != 1 {
		t.Fatalf("snapshot: %+v %v", tok, err)
	}
	if info, err := oauth.GetUserInfo(tok.AccessToken, tok.OpenID, ""); err != nil || info.Nickname != "周予安" {
		t.Fatalf("%+v %v", info, err)
	}
	for _, bad := range []string{"https://evil.example.com/", "https://shop.example.com:8443/", "https://shop.example.com.evil.com/", "https://shop.example.com@evil.com/", "javascript:alert(1)", "//shop.example.com/"} {
		if resp := get(start(bad, scopeBase, "s"), "p1"); resp.Header.Get("Location") != "" {
			t.Errorf("redirected to %s", bad)
		}
	}
	if resp := get(strings.Replace(start(back, scopeBase, "s"), r.c.OfficialAccount.AppID, r.c.MiniProgram.AppID, 1), "p1"); resp.Header.Get("Location") != "" {
		t.Error("OAuth with the mini-program's appid")
	}
}

func TestCodesShippingAndChecks(t *testing.T) {
	r := newRig(t, func(o *Options) { o.TradeManaged = true })
	mp := r.mp()
	img, err := mp.GetQRCode().GetWXACodeUnlimit(qrcode.QRCoder{Scene: "s=1", Page: "pages/home/index"})
	if err != nil || len(img) < 1000 || string(img[:2]) != "\xff\xd8" {
		t.Fatalf("%d bytes, %v", len(img), err)
	}
	if _, err := mp.GetQRCode().GetWXACodeUnlimit(qrcode.QRCoder{Scene: strings.Repeat("x", 33)}); err == nil || !strings.Contains(err.Error(), "40129") {
		t.Fatalf("scene: %v", err)
	}
	if _, err := mp.GetQRCode().GetWXACodeUnlimit(qrcode.QRCoder{Scene: "a", Page: "/pages/x"}); err == nil || !strings.Contains(err.Error(), "41030") {
		t.Fatalf("page: %v", err)
	}
	sec := mp.GetSecurity()
	if res, err := sec.MsgCheck(&security.MsgCheckRequest{OpenID: r.openID("p1", AppMP), Scene: 2, Content: "洗得很干净"}); err != nil || res.Result.Suggest != "pass" {
		t.Fatalf("%+v %v", res, err)
	}
	if res, err := sec.MsgCheck(&security.MsgCheckRequest{OpenID: r.openID("p1", AppMP), Scene: 2, Content: "赌博网站"}); err != nil || res.Result.Suggest != "risky" {
		t.Fatalf("%+v %v", res, err)
	}
	r.paid("SHIP000001", 100)
	o, _ := r.Order("SHIP000001")
	at := time.Date(2026, 6, 1, 12, 0, 0, 123_000_000, cst)
	req := &order.UploadShippingInfoRequest{OrderKey: &order.ShippingOrderKey{OrderNumberType: 2, TransactionID: o.TransactionID}, LogisticsType: 4, DeliveryMode: 1,
		ShippingList: []*order.ShippingInfo{{ItemDesc: "储值卡充值"}}, UploadTime: &at, Payer: &order.ShippingPayer{Openid: r.openID("p1", AppMP)}}
	if err := mp.GetShipping().UploadShippingInfo(req); err != nil {
		t.Fatal(err)
	}
	req.Payer.Openid = r.openID("p2", AppMP)
	wantErrCode(t, mp.GetShipping().UploadShippingInfo(req), 10060009)
	req.Payer.Openid = r.openID("p1", AppMP)
	nano := at.Add(456)
	req.UploadTime = &nano
	wantErrCode(t, mp.GetShipping().UploadShippingInfo(req), 268485216)
	req.UploadTime, req.ShippingList = &at, append(req.ShippingList, req.ShippingList[0])
	wantErrCode(t, mp.GetShipping().UploadShippingInfo(req), 268485226)
	user := r.oa().GetUser()
	if info, err := user.GetUserInfo(r.openID("p1", AppOA)); err != nil || info.Subscribe != 1 {
		t.Fatalf("%+v %v", info, err)
	}
	if info, err := user.GetUserInfo(r.openID("p3", AppOA)); err != nil || info.Subscribe != 0 {
		t.Fatalf("%+v %v", info, err)
	}
	if tk, err := r.oa().GetJs().GetTicket(mustToken(t, r)); err != nil || tk == "" {
		t.Fatal(err)
	}
}

func mustToken(t *testing.T, r *rig) string {
	t.Helper()
	tok, err := r.oa().GetAccessToken()
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// Identifiers that the sandbox did not make are refused: it cannot stand in front of production keys.
func TestRefusesRealIdentifiers(t *testing.T) {
	c, err := testCreds()
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^wx[0-9a-f]{16}$`).MatchString(c.MiniProgram.AppID) || !IsSandboxAppID(c.OfficialAccount.AppID) || !IsSandboxMchID(c.MchID) {
		t.Fatalf("%+v", c)
	}
	base := Options{PublicURL: "http://127.0.0.1/sandbox", Now: time.Now}
	for name, o := range map[string]Options{
		"appid": {MiniProgram: AppOptions{AppID: "wx8888888888888888"}}, "marker alone": {OfficialAccount: AppOptions{AppID: "wx5a9db00000000000"}},
		"mchid": {Pay: PayOptions{MchID: "1900009191"}}, "same app": {OfficialAccount: AppOptions{AppID: c.MiniProgram.AppID}},
		"short key": {Pay: PayOptions{APIv3Key: "short"}}, "mode": {Pay: PayOptions{Mode: "none"}},
	} {
		o.PublicURL, o.Now = base.PublicURL, base.Now
		if s, err := New(o, c); err == nil {
			_ = s.Close()
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := New(Options{PublicURL: "http://127.0.0.1/"}, c); err == nil {
		t.Error("accepted no clock")
	}
}
