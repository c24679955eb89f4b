package wxsandbox

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/util"
	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/jsapi"
)

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(name string) []byte {
	b, _ := os.ReadFile(name)
	return b
}

func TestAPIFaults(t *testing.T) {
	r := newRig(t)
	auth := r.mp().GetAuth()
	login := func() error {
		code, _ := r.LoginCode("p1", AppMP)
		_, err := auth.Code2Session(code)
		return err
	}
	if err := login(); err != nil {
		t.Fatal(err)
	}
	r.fault(Fault{Target: "api", Path: "/sns/jscode2session", Kind: "errcode", Value: "-1", Count: 1})
	if err := login(); err == nil || !strings.Contains(err.Error(), "errcode=-1") {
		t.Fatal(err)
	}
	r.fault(Fault{Target: "api", Kind: "status", Value: "502", Count: 1})
	if err := login(); err == nil || !strings.Contains(err.Error(), "502") {
		t.Fatal(err)
	}
	r.fault(Fault{Target: "api", Kind: "drop", Count: 0})
	if login() == nil {
		t.Fatal("not dropped")
	}
	r.ClearFaults()
	r.fault(Fault{Target: "api", Kind: "delay", DelayMs: 120})
	start := time.Now()
	if err := login(); err != nil || time.Since(start) < 120*time.Millisecond {
		t.Fatal(err, time.Since(start))
	}
	r.ClearFaults()
	// The answer is lost after the code was spent: the retry sees a used code, as with the real one.
	code, _ := r.LoginCode("p1", AppMP)
	http.DefaultTransport.(*http.Transport).CloseIdleConnections() // a fresh connection: Go repeats a GET on a kept-alive one
	r.fault(Fault{Target: "api", Kind: "drop_after", Count: 1})
	_, _ = auth.Code2Session(code)
	if res, _ := auth.Code2Session(code); res.ErrCode != 40163 {
		t.Fatalf("%+v", res)
	}
	r.ClearFaults()
	r.fault(Fault{Target: "api", Kind: "timeout", Count: 1})
	old := util.DefaultHTTPClient
	util.DefaultHTTPClient = &http.Client{Transport: r.http.Transport, Timeout: 100 * time.Millisecond}
	if login() == nil {
		t.Fatal("no time-out")
	}
	util.DefaultHTTPClient = old
	r.fault(Fault{Target: "oauth", Kind: "errcode", Value: "40029", Count: 1})
	c, _ := r.OAuthCode("p1", "")
	if tok, _ := r.oa().GetOauth().GetUserAccessToken(c); tok.ErrCode != 40029 {
		t.Fatalf("%+v", tok)
	}
}

func TestPayAPIFaults(t *testing.T) {
	r := newRig(t)
	js := jsapi.JsapiApiService{Client: r.payClient()}
	query := func() error {
		_, _, err := js.QueryOrderByOutTradeNo(t.Context(), jsapi.QueryOrderByOutTradeNoRequest{OutTradeNo: core.String("FAULT00001"), Mchid: core.String(r.c.MchID)})
		return err
	}
	r.paid("FAULT00001", 100)
	if err := query(); err != nil {
		t.Fatal(err)
	}
	r.fault(Fault{Target: "pay.api", Kind: "status", Count: 1})
	wantAPI(t, query(), 500, "SYSTEM_ERROR")
	r.fault(Fault{Target: "pay.api", Kind: "errcode", Value: "FREQUENCY_LIMITED", Count: 1})
	wantAPI(t, query(), 429, "FREQUENCY_LIMITED")
	for _, kind := range []string{"forge", "unsigned", "drop"} {
		r.fault(Fault{Target: "pay.api", Kind: kind})
		var api *core.APIError
		if err := query(); err == nil || errors.As(err, &api) {
			t.Fatalf("%s: %v", kind, err)
		}
		r.ClearFaults()
	}
	// A refund whose answer is lost was made: the same number asks again and gets the same refund.
	body := map[string]any{"out_trade_no": "FAULT00001", "out_refund_no": "LOSTANSWER", "amount": map[string]any{"refund": 60, "total": 100, "currency": "CNY"}}
	r.fault(Fault{Target: "pay.api", Path: "/v3/refund/", Kind: "drop_after", Count: 1})
	if status, _, _ := r.do(r.raw("POST", "/v3/refund/domestic/refunds", body)); status != 0 {
		t.Fatal(status)
	}
	first, _ := r.Refund("LOSTANSWER")
	status, out, _ := r.do(r.raw("POST", "/v3/refund/domestic/refunds", body))
	if status != 200 || out["refund_id"] != first.RefundID {
		t.Fatal(status, out)
	}
	for _, bad := range []Fault{{Target: "x", Kind: "drop"}, {Target: "api", Kind: "forge"}, {Target: "api", Kind: "status", Value: "200"}, {Target: "api", Kind: "errcode"},
		{Target: "api", Kind: "drop", Count: -1}, {Target: "pay.notify", Kind: "wrong_amount", Value: "viel"}} {
		if _, err := r.SetFault(bad); err == nil {
			t.Errorf("accepted %+v", bad)
		}
	}
}

func TestBills(t *testing.T) {
	r := newRig(t)
	r.paid("BILL000001", 50000)
	r.hook.wait(t, 1)
	body := map[string]any{"out_trade_no": "BILL000001", "out_refund_no": "BILLREF", "amount": map[string]any{"refund": 20000, "total": 50000, "currency": "CNY"}}
	r.do(r.raw("POST", "/v3/refund/domestic/refunds", body))
	until(t, "refunded", func() bool { f, _ := r.Refund("BILLREF"); return f.Status == RefundSuccess })
	r.wantRefusal(r.raw("GET", "/v3/bill/tradebill?bill_date=2026-06-01&bill_type=ALL", nil), 400, "NO_STATEMENT_EXIST")
	r.clock.Add(21 * time.Hour) // 09:00 on the next day
	r.wantRefusal(r.raw("GET", "/v3/bill/tradebill?bill_date=2026-06-01&bill_type=ALL", nil), 400, "STATEMENT_CREATING")
	r.clock.Add(time.Hour)
	r.wantRefusal(r.raw("GET", "/v3/bill/tradebill?bill_date=2026-05-31", nil), 400, "NO_STATEMENT_EXIST")
	r.wantRefusal(r.raw("GET", "/v3/bill/tradebill?bill_date=01.06.2026", nil), 400, "PARAM_ERROR")
	r.wantRefusal(r.raw("GET", "/v3/bill/tradebill?bill_date=2026-06-01&bill_type=X", nil), 400, "PARAM_ERROR")
	client := r.payClient()
	for _, tar := range []string{"", "&tar_type=GZIP"} {
		for path, header := range map[string]string{"tradebill": tradeHeader, "fundflowbill": fundHeader} {
			res, err := client.Get(t.Context(), "https://api.mch.weixin.qq.com/v3/bill/"+path+"?bill_date=2026-06-01"+tar)
			if err != nil {
				t.Fatal(err)
			}
			var offer struct{ HashType, HashValue, DownloadURL string }
			decodeBill(t, res.Response, &offer.HashType, &offer.HashValue, &offer.DownloadURL)
			uri := strings.TrimPrefix(offer.DownloadURL, "https://api.mch.weixin.qq.com")
			file := r.download(uri)
			if tar != "" {
				z, err := gzip.NewReader(bytes.NewReader(file))
				if err != nil {
					t.Fatal(err)
				}
				file, _ = io.ReadAll(z)
			}
			if sum := sha1.Sum(file); offer.HashType != "SHA1" || hex.EncodeToString(sum[:]) != offer.HashValue {
				t.Fatal("hash")
			}
			rows := parseBill(t, file)
			if strings.Join(rows[0], ",") != header || len(rows) != 5 {
				t.Fatalf("%d rows, %v", len(rows), rows[0])
			}
			if path == "tradebill" {
				pay, ref, sum := rows[1], rows[2], rows[4]
				if pay[6] != "`BILL000001" || pay[12] != "`500.00" || pay[9] != "`SUCCESS" || ref[9] != "`REFUND" || ref[15] != "`BILLREF" || ref[16] != "`200.00" || sum[0] != "`2" || sum[1] != "`500.00" || sum[2] != "`200.00" || sum[4] != "`1.80000" {
					t.Fatal(pay, ref, sum)
				}
			}
		}
	}
	r.wantRefusal(r.raw("GET", "/v3/billdownload/file?token=trade-ALL.20260601..0000", nil), 400, "PARAM_ERROR")
}

func decodeBill(t *testing.T, resp *http.Response, kind, value, link *string) {
	t.Helper()
	var v map[string]string
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	*kind, *value, *link = v["hash_type"], v["hash_value"], v["download_url"]
}

// download fetches with a signed request; the file itself comes unsigned.
func (r *rig) download(uri string) []byte {
	r.t.Helper()
	priv, _ := r.keys()
	client, err := newBareClient(r, priv)
	if err != nil {
		r.t.Fatal(err)
	}
	res, err := client.Get(r.t.Context(), "https://api.mch.weixin.qq.com"+uri)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Response.Body.Close()
	b, _ := io.ReadAll(res.Response.Body)
	return b
}

func parseBill(t *testing.T, file []byte) [][]string {
	t.Helper()
	c := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\ufeff"))))
	c.FieldsPerRecord, c.LazyQuotes = -1, true
	rows, err := c.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestControlAPI(t *testing.T) {
	r := newRig(t)
	if status, out := r.call("GET", "/control", nil); status != 200 || len(out["calls"].([]any)) != len(controlDoc) {
		t.Fatal(status, out)
	}
	_, out := r.call("POST", "/control/login-code", map[string]any{"personaId": "p1", "app": "mp"})
	if res, err := r.mp().GetAuth().Code2Session(out["code"].(string)); err != nil || res.OpenID != r.openID("p1", AppMP) {
		t.Fatal(res, err)
	}
	_, out = r.call("POST", "/control/oauth-code", map[string]any{"personaId": "p1", "scope": "snsapi_userinfo"})
	if tok, err := r.oa().GetOauth().GetUserAccessToken(out["code"].(string)); err != nil || tok.Scope != scopeUserInfo {
		t.Fatal(tok, err)
	}
	_, out = r.call("POST", "/control/phone-code", map[string]any{"personaId": "p2"})
	if res, err := r.mp().GetAuth().GetPhoneNumber(out["code"].(string)); err != nil || res.PhoneInfo.PhoneNumber != "13800010002" {
		t.Fatal(res, err)
	}
	if status, _ := r.call("POST", "/control/login-code", map[string]any{"personaId": "nobody"}); status != 404 {
		t.Fatal(status)
	}
	_, out = r.call("POST", "/control/grants", map[string]any{"personaId": "p1", "templateId": tplPaid, "count": 2})
	if out[tplPaid].(float64) != 2 {
		t.Fatal(out)
	}
	status, out := r.call("POST", "/control/personas", map[string]any{"nickname": "外地客人", "phone": "13711112222", "unionId": "-"})
	if status != 200 || out["unionId"] != nil || out["follows"] != true {
		t.Fatal(status, out)
	}
	if status, _ := r.call("POST", "/control/personas", map[string]any{"nickname": "", "phone": "1"}); status != 400 {
		t.Fatal(status)
	}
	r.call("POST", "/control/personas", map[string]any{"id": "p1", "follows": false})
	if r.Personas()[0].Follows {
		t.Fatal("still follows")
	}
	r.do(r.raw("POST", "/v3/pay/transactions/jsapi", r.order("CTRL000001")))
	for _, c := range []struct {
		outcome string
		status  int
		code    any
	}{{"cancel", 200, "cancel"}, {"wrong_password", 200, "wrong_password"}, {"nonsense", 400, nil}, {"pay", 200, nil}, {"pay", 409, "order_paid"}} {
		status, out := r.call("POST", "/control/pay", map[string]any{"outTradeNo": "CTRL000001", "personaId": "p1", "outcome": c.outcome})
		if status != c.status || out["code"] != c.code {
			t.Fatal(c, status, out)
		}
	}
	r.hook.wait(t, 1)
	if status, out := r.call("POST", "/control/notify/CTRL000001/resend", map[string]any{}); status != 200 || out["sent"].(float64) != 1 {
		t.Fatal(status, out)
	}
	if _, out := r.call("POST", "/control/signtest", map[string]any{"url": r.srv.URL + "/hooks/wxpay"}); out["status"].(float64) != 401 {
		t.Fatal(out)
	}
	_, out = r.call("POST", "/control/faults", map[string]any{"target": "api", "kind": "errcode", "value": 45009, "count": 3})
	if out["id"] == nil || out["value"] != "45009" {
		t.Fatal(out)
	}
	if status, _ := r.call("POST", "/control/faults", map[string]any{"target": "api", "kind": "errcode", "value": 45009, "cuont": 3}); status != 400 {
		t.Fatal("unknown field accepted")
	}
	if _, out := r.call("DELETE", "/control/faults", nil); len(out["faults"].([]any)) != 0 {
		t.Fatal(out)
	}
	_, out = r.call("GET", "/control/state", nil)
	b, _ := json.Marshal(out)
	if bytes.Contains(b, []byte(r.c.MiniProgram.Secret)) || bytes.Contains(b, []byte("PRIVATE")) {
		t.Fatal("state shows secrets")
	}
	// A form of a foreign page cannot drive it.
	resp, err := http.Post(r.srv.URL+"/sandbox/control/reset", "text/plain", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 400 || len(r.Orders()) != 1 {
		t.Fatal("reset by a plain form", resp.StatusCode)
	}
	r.call("POST", "/control/reset", map[string]any{})
	if len(r.Orders()) != 0 || len(r.Personas()) != len(seeds) {
		t.Fatal("not reset")
	}
}

func TestPagesAndPolicy(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/", "/connect/oauth2/authorize", "/pay?out_trade_no=x", "/sheet/subscribe?tmpl=x", "/sheet/phone", "/sheet/privacy", "/sheet/scan"} {
		resp, err := r.http.Get(r.srv.URL + "/sandbox" + path)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || resp.Header.Get("Content-Security-Policy") != "default-src 'self'; img-src 'self' data:; frame-ancestors 'self'" {
			t.Errorf("%s: %d %q", path, resp.StatusCode, resp.Header.Get("Content-Security-Policy"))
		}
		for _, inline := range []string{" style=", " onclick=", "<style", "<script>"} {
			if bytes.Contains(b, []byte(inline)) {
				t.Errorf("%s contains %q", path, inline)
			}
		}
	}
	for _, path := range []string{"/bridge.js", "/bridge.css", "/assets/phone.js", "/assets/phone.css", "/assets/icons.svg", "/avatar/p1.svg"} {
		resp, err := r.http.Get(r.srv.URL + "/sandbox" + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	// The mini-program link carries a fresh code for the phone's persona.
	req, _ := http.NewRequestWithContext(t.Context(), "GET", r.srv.URL+"/sandbox/open/mp?page=pages/home/index%3Fid%3D1", nil)
	req.AddCookie(&http.Cookie{Name: personaCookie, Value: "p2"})
	resp, err := r.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	loc, err := resp.Location()
	if err != nil || loc.Host != "shop.example.com" || loc.Query().Get("persona") != "p2" || loc.Fragment != "/pages/home/index?id=1" {
		t.Fatal(loc, err)
	}
	if res, err := r.mp().GetAuth().Code2Session(loc.Query().Get("mp_code")); err != nil || res.OpenID != r.openID("p2", AppMP) {
		t.Fatal(res, err)
	}
}

// Close leaves no goroutine behind, whatever was under way.
func TestNoLeakedGoroutines(t *testing.T) {
	c, _ := testCreds()
	before := runtime.NumGoroutine()
	for range 3 {
		s, err := New(Options{PublicURL: "http://127.0.0.1/s", Now: time.Now, NotifySpeedup: 1, StateFile: t.TempDir() + "/s.json"}, c)
		if err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		s.notify(&Notification{OutTradeNo: "X", URL: "http://127.0.0.1:1/none", Plaintext: []byte("{}"), Original: "transaction"}, true)
		s.payLate("X", "p1", 0, time.Hour)
		s.mu.Unlock()
		until(t, "tried", func() bool { return len(s.Notifications()[0].Attempts) == 1 })
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "goroutines ended", func() bool { return runtime.NumGoroutine() <= before+1 })
}
