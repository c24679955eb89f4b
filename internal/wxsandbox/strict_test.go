package wxsandbox

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/jsapi"
)

// raw is one hand-signed request; the fields let a test break exactly one thing.
type raw struct {
	method, uri, body, sentBody string
	mchid, serial, nonce, auth  string
	at                          time.Time
	key                         *rsa.PrivateKey
	accept                      string
}

func (r *rig) raw(method, uri string, body any) raw {
	key, _ := r.keys()
	q := raw{method: method, uri: uri, mchid: r.c.MchID, serial: r.c.MerchantSerial, nonce: randomHex(16), at: time.Now(), key: key}
	if body != nil {
		b, _ := json.Marshal(body)
		q.body = string(b)
	}
	q.sentBody = q.body
	return q
}

func (r *rig) do(q raw) (int, map[string]any, http.Header) {
	r.t.Helper()
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d\n%s\n%s\n", q.method, q.uri, q.at.Unix(), q.nonce, q.body))
	sig, err := rsa.SignPKCS1v15(rand.Reader, q.key, crypto.SHA256, sum[:])
	if err != nil {
		r.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(r.t.Context(), q.method, r.srv.URL+"/sandbox"+q.uri, strings.NewReader(q.sentBody))
	if err != nil {
		r.t.Fatal(err)
	}
	if q.auth == "" {
		q.auth = fmt.Sprintf(`%s mchid="%s",nonce_str="%s",timestamp="%d",serial_no="%s",signature="%s"`, authScheme, q.mchid, q.nonce, q.at.Unix(), q.serial, base64.StdEncoding.EncodeToString(sig))
	}
	req.Header.Set("Authorization", q.auth)
	req.Header.Set("Content-Type", "application/json")
	if q.accept != "" {
		req.Header.Set("Wechatpay-Serial", q.accept)
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return 0, map[string]any{"error": err.Error()}, nil
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	out := map[string]any{}
	_ = json.Unmarshal(b, &out)
	return resp.StatusCode, out, resp.Header
}

func (r *rig) wantRefusal(q raw, status int, code string) {
	r.t.Helper()
	got, out, h := r.do(q)
	if got != status || out["code"] != code {
		r.t.Errorf("%s %s: got %d %v, want %d %s", q.method, q.uri, got, out, status, code)
	}
	if h.Get("Wechatpay-Signature") != "" {
		r.t.Error("a refusal came signed")
	}
}

func TestRequestSignature(t *testing.T) {
	r := newRig(t)
	r.paid("AUTH000001", 100)
	uri := "/v3/pay/transactions/out-trade-no/AUTH000001?mchid=" + r.c.MchID
	ok := r.raw("GET", uri, nil)
	if status, _, h := r.do(ok); status != 200 || h.Get("Wechatpay-Serial") != r.c.PlatformPublicKeyID {
		t.Fatalf("a right request: %d %v", status, h)
	}
	r.wantRefusal(ok, 401, "SIGN_ERROR") // the same nonce again
	for name, change := range map[string]func(*raw){
		"mchid":          func(q *raw) { q.mchid = "1999000000" },
		"serial":         func(q *raw) { q.serial = "00FF" },
		"old":            func(q *raw) { q.at = q.at.Add(-6 * time.Minute) },
		"future":         func(q *raw) { q.at = q.at.Add(6 * time.Minute) },
		"no header":      func(q *raw) { q.auth = "Bearer x" },
		"garbage":        func(q *raw) { q.auth = authScheme + ` mchid="1",bogus` },
		"foreign key":    func(q *raw) { q.key, _ = rsa.GenerateKey(rand.Reader, 2048) },
		"body":           func(q *raw) { q.sentBody = `{"a":1}` },
		"long nonce":     func(q *raw) { q.nonce = strings.Repeat("x", 65) },
		"prefix in path": func(q *raw) { q.auth = "" },
	} {
		q := r.raw("GET", uri, nil)
		change(&q)
		if name == "prefix in path" {
			// A merchant that signs the mount prefix too does not sign what WeChat verifies.
			sum := sha256.Sum256(fmt.Appendf(nil, "GET\n/sandbox%s\n%d\n%s\n\n", uri, q.at.Unix(), q.nonce))
			sig, _ := rsa.SignPKCS1v15(rand.Reader, q.key, crypto.SHA256, sum[:])
			q.auth = fmt.Sprintf(`%s mchid="%s",nonce_str="%s",timestamp="%d",serial_no="%s",signature="%s"`, authScheme, q.mchid, q.nonce, q.at.Unix(), q.serial, base64.StdEncoding.EncodeToString(sig))
		}
		t.Run(name, func(t *testing.T) { r.t = t; r.wantRefusal(q, 401, "SIGN_ERROR") })
	}
	r.t = t
	q := r.raw("GET", uri, nil)
	q.accept = "PUB_KEY_ID_other"
	r.wantRefusal(q, 400, "PARAM_ERROR")
	r.wantRefusal(r.raw("GET", "/v3/certificates", nil), 404, "RESOURCE_NOT_EXISTS") // none in public-key mode
	r.wantRefusal(r.raw("GET", "/v3/nonsense", nil), 404, "RESOURCE_NOT_EXISTS")
	r.wantRefusal(r.raw("GET", strings.Replace(uri, r.c.MchID, "1999999999", 1), nil), 400, "PARAM_ERROR")
	r.wantRefusal(r.raw("GET", strings.Replace(uri, "AUTH000001", "UNKNOWN001", 1), nil), 404, "ORDER_NOT_EXIST")
}

func (r *rig) order(no string) map[string]any {
	return map[string]any{"appid": r.c.MiniProgram.AppID, "mchid": r.c.MchID, "description": "洗车", "out_trade_no": no, "notify_url": r.srv.URL + "/hooks/wxpay",
		"amount": map[string]any{"total": 100, "currency": "CNY"}, "payer": map[string]any{"openid": r.openID("p1", AppMP)}}
}

func TestPrepayRules(t *testing.T) {
	r := newRig(t)
	for i, c := range []struct {
		field string
		value any
		code  string
	}{
		{"appid", "", "PARAM_ERROR"}, {"appid", "wx8888888888888888", "APPID_MCHID_NOT_MATCH"}, {"mchid", "1999999999", "PARAM_ERROR"}, {"description", "", "PARAM_ERROR"},
		{"description", strings.Repeat("长", 128), "PARAM_ERROR"}, {"out_trade_no", "short", "PARAM_ERROR"}, {"out_trade_no", strings.Repeat("1", 33), "PARAM_ERROR"},
		{"out_trade_no", "has space1", "PARAM_ERROR"}, {"amount", map[string]any{"total": 0}, "PARAM_ERROR"}, {"amount", map[string]any{"total": -5}, "PARAM_ERROR"},
		{"amount", map[string]any{"total": "100"}, "PARAM_ERROR"}, {"amount", map[string]any{"total": 1.5}, "PARAM_ERROR"}, {"amount", map[string]any{"total": 1, "currency": "USD"}, "PARAM_ERROR"},
		{"amount", nil, "PARAM_ERROR"}, {"payer", nil, "PARAM_ERROR"}, {"payer", map[string]any{"openid": r.openID("p1", AppOA)}, "PARAM_ERROR"}, {"payer", map[string]any{"openid": "oMadeUp"}, "PARAM_ERROR"},
		{"notify_url", "", "PARAM_ERROR"}, {"notify_url", "ftp://x/y", "PARAM_ERROR"}, {"notify_url", "https://shop.example.com/hook?a=1", "PARAM_ERROR"},
		{"time_expire", "2026-06-01 13:00:00", "PARAM_ERROR"}, {"time_expire", "2026-06-01T11:59:00+08:00", "PARAM_ERROR"}, {"attach", strings.Repeat("x", 128), "PARAM_ERROR"},
	} {
		body := r.order(fmt.Sprintf("RULE%06d", i))
		body[c.field] = c.value
		status := 400
		r.wantRefusal(r.raw("POST", "/v3/pay/transactions/jsapi", body), status, c.code)
	}
	q := r.raw("POST", "/v3/pay/transactions/jsapi", nil)
	q.body, q.sentBody = "{not json", "{not json"
	r.wantRefusal(q, 400, "PARAM_ERROR")
	if n := len(r.Orders()); n != 0 {
		t.Fatalf("%d orders from refused requests", n)
	}
	// One number, one order: other parameters, another kind, a closed and a paid one.
	send := func(path string, body map[string]any) raw { return r.raw("POST", "/v3/pay/transactions/"+path, body) }
	if status, out, _ := r.do(send("jsapi", r.order("SAME000001"))); status != 200 || len(out["prepay_id"].(string)) != 36 {
		t.Fatal(status, out)
	}
	other := r.order("SAME000001")
	other["amount"] = map[string]any{"total": 101}
	r.wantRefusal(send("jsapi", other), 400, "INVALID_REQUEST")
	native := r.order("SAME000001")
	delete(native, "payer")
	r.wantRefusal(send("native", native), 403, "OUT_TRADE_NO_USED")
	shut := r.raw("POST", "/v3/pay/transactions/out-trade-no/SAME000001/close", map[string]any{"mchid": r.c.MchID})
	if status, _, h := r.do(shut); status != 204 || h.Get("Wechatpay-Signature") == "" {
		t.Fatal("close must be a signed 204", status)
	}
	r.wantRefusal(r.raw("POST", "/v3/pay/transactions/out-trade-no/SAME000001/close", map[string]any{"mchid": r.c.MchID}), 400, "ORDER_CLOSED")
	r.wantRefusal(send("jsapi", r.order("SAME000001")), 400, "ORDER_CLOSED")
	r.paid("SAME000002", 100)
	r.wantRefusal(send("jsapi", r.order("SAME000002")), 400, "ORDERPAID")
}

func TestPayingRules(t *testing.T) {
	r := newRig(t)
	prepay := func(no string, expire time.Time) string {
		t.Helper()
		req := r.prepayReq(no, 100)
		if !expire.IsZero() {
			req.TimeExpire = core.Time(expire)
		}
		res, _, err := (&jsapi.JsapiApiService{Client: r.payClient()}).Prepay(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		return *res.PrepayId
	}
	try := func(in PayRequest, want error) {
		t.Helper()
		if _, err := r.Pay(in); !errors.Is(err, want) {
			t.Fatalf("got %v, want %v", err, want)
		}
	}
	id := prepay("RULES00001", time.Time{})
	try(PayRequest{PrepayID: "wx-unknown", PersonaID: "p1"}, ErrOrderUnknown)
	try(PayRequest{PrepayID: id, PersonaID: "nobody"}, ErrNoPersona)
	try(PayRequest{PrepayID: id, PersonaID: "p2"}, ErrWrongPayer)
	try(PayRequest{PrepayID: id, PersonaID: "p1", Outcome: OutcomeCancel}, ErrUserCancel)
	try(PayRequest{PrepayID: id, PersonaID: "p1", Outcome: OutcomeWrongPassword}, ErrWrongPassword)
	r.clock.Add(prepayLife)
	try(PayRequest{PrepayID: id, PersonaID: "p1"}, ErrOrderExpired)
	if again := prepay("RULES00001", time.Time{}); again == id {
		t.Fatal("an expired prepay_id was given out again")
	}
	try(PayRequest{OutTradeNo: "RULES00001", PersonaID: "p1"}, nil)
	try(PayRequest{OutTradeNo: "RULES00001", PersonaID: "p1"}, ErrOrderPaid)
	// time_expire is the payer's deadline, not a close: who had typed the password before may still pay late.
	prepay("RULES00002", r.clock.Now().Add(time.Minute))
	r.clock.Add(time.Minute)
	try(PayRequest{OutTradeNo: "RULES00002", PersonaID: "p1"}, ErrOrderExpired)
	try(PayRequest{OutTradeNo: "RULES00002", PersonaID: "p1", Outcome: OutcomePayLate, DelayMs: 10, Force: true}, nil)
	until(t, "late payment", func() bool { o, _ := r.Order("RULES00002"); return o.State == StateSuccess })
	// A late payment does not reopen a closed order.
	prepay("RULES00003", time.Time{})
	try(PayRequest{OutTradeNo: "RULES00003", PersonaID: "p1", Outcome: OutcomePayLate, DelayMs: 50}, nil)
	r.do(r.raw("POST", "/v3/pay/transactions/out-trade-no/RULES00003/close", map[string]any{"mchid": r.c.MchID}))
	until(t, "late payment refused", func() bool { o, _ := r.Order("RULES00003"); return o.LastFailure != "" })
	if o, _ := r.Order("RULES00003"); o.State != StateClosed || o.TransactionID != "" {
		t.Fatalf("%+v", o)
	}
	prepay("RULES00004", time.Time{})
	r.clock.Add(unpaidLife)
	try(PayRequest{OutTradeNo: "RULES00004", PersonaID: "p1", Force: true}, ErrOrderClosed)
	// Over-payment: notification and query agree on the other amount, as a platform's would.
	prepay("RULES00005", time.Time{})
	try(PayRequest{OutTradeNo: "RULES00005", PersonaID: "p1", AmountFen: 150}, nil)
	_, out, _ := r.do(r.raw("GET", "/v3/pay/transactions/out-trade-no/RULES00005?mchid="+r.c.MchID, nil))
	if out["amount"].(map[string]any)["total"].(float64) != 150 {
		t.Fatal(out)
	}
}

func TestPaidOnceByManyHands(t *testing.T) {
	r := newRig(t)
	if _, _, err := (&jsapi.JsapiApiService{Client: r.payClient()}).Prepay(t.Context(), r.prepayReq("ONCE000001", 100)); err != nil {
		t.Fatal(err)
	}
	var paid atomic.Int32
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if _, err := r.Pay(PayRequest{OutTradeNo: "ONCE000001", PersonaID: "p1"}); err == nil {
				paid.Add(1)
			}
		})
	}
	wg.Wait()
	if paid.Load() != 1 || len(r.Notifications()) != 1 {
		t.Fatalf("paid %d times, %d notifications", paid.Load(), len(r.Notifications()))
	}
	// Concurrent refunds under different numbers never exceed what was paid.
	var ok atomic.Int32
	for i := range 20 {
		wg.Go(func() {
			body := map[string]any{"out_trade_no": "ONCE000001", "out_refund_no": fmt.Sprintf("R%04d", i), "amount": map[string]any{"refund": 15, "total": 100, "currency": "CNY"}}
			if status, _, _ := r.do(r.raw("POST", "/v3/refund/domestic/refunds", body)); status == 200 {
				ok.Add(1)
			}
		})
	}
	wg.Wait()
	if ok.Load() != 6 {
		t.Fatalf("%d refunds of 15 fen from 100", ok.Load())
	}
}

func TestRefundRules(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Pay.RefundInterval = 0 }) // WeChat's minute
	refund := func(no, rno string, fen, total int64) raw {
		return r.raw("POST", "/v3/refund/domestic/refunds", map[string]any{"out_trade_no": no, "out_refund_no": rno, "notify_url": r.srv.URL + "/hooks/wxpay",
			"amount": map[string]any{"refund": fen, "total": total, "currency": "CNY"}})
	}
	good := func(q raw) map[string]any {
		t.Helper()
		status, out, _ := r.do(q)
		if status != 200 {
			t.Fatal(status, out)
		}
		return out
	}
	r.do(r.raw("POST", "/v3/pay/transactions/jsapi", r.order("REF0000000")))
	r.wantRefusal(refund("REF0000000", "A", 1, 100), 400, "INVALID_REQUEST") // not paid
	r.wantRefusal(refund("UNKNOWN000", "A", 1, 100), 404, "RESOURCE_NOT_EXISTS")
	r.paid("REF0000001", 100)
	r.hook.wait(t, 1)
	r.wantRefusal(refund("REF0000001", "A", 0, 100), 400, "PARAM_ERROR")
	r.wantRefusal(refund("REF0000001", "A", 1, 99), 400, "INVALID_REQUEST")
	r.wantRefusal(refund("REF0000001", "A", 101, 100), 400, "INVALID_REQUEST")
	r.wantRefusal(refund("REF0000001", "a b", 1, 100), 400, "PARAM_ERROR")
	good(refund("REF0000001", "A", 1, 100))
	good(refund("REF0000001", "A", 1, 100))
	r.wantRefusal(refund("REF0000001", "B", 1, 100), 429, "FREQUENCY_LIMITED")
	for i := range maxRefundParts - 1 {
		r.clock.Add(time.Minute)
		good(refund("REF0000001", fmt.Sprintf("P%02d", i), 1, 100))
	}
	r.clock.Add(time.Minute)
	r.wantRefusal(refund("REF0000001", "ONE-TOO-MANY", 1, 100), 400, "INVALID_REQUEST")
	r.hook.wait(t, maxRefundParts)
	r.paid("REF0000002", 100)
	r.clock.Add(refundPeriod + time.Hour)
	r.wantRefusal(refund("REF0000002", "LATE", 1, 100), 400, "INVALID_REQUEST")
	r.hook.wait(t, 1)

	// ABNORMAL has its own way out; CLOSED gives the amount free for a new number.
	r.paid("REF0000003", 100)
	r.hook.wait(t, 1)
	if _, err := r.SetFault(Fault{Target: "pay.refund", Kind: "abnormal", Count: 1}); err != nil {
		t.Fatal(err)
	}
	out := good(refund("REF0000003", "ABN", 100, 100))
	r.hook.wait(t, 1)
	if f, _ := r.Refund("ABN"); f.Status != RefundAbnormal || r.hook.events[len(r.hook.events)-1] != "REFUND.ABNORMAL" {
		t.Fatal(f, r.hook.events)
	}
	again := r.raw("POST", "/v3/refund/domestic/refunds/"+out["refund_id"].(string)+"/apply-abnormal-refund", map[string]any{"out_refund_no": "ABN", "type": "MERCHANT_BANK_CARD"})
	good(again)
	r.hook.wait(t, 1)
	if f, _ := r.Refund("ABN"); f.Status != RefundSuccess {
		t.Fatal(f)
	}
	r.paid("REF0000004", 100)
	r.hook.wait(t, 1)
	if _, err := r.SetFault(Fault{Target: "pay.refund", Kind: "closed", Count: 1}); err != nil {
		t.Fatal(err)
	}
	good(refund("REF0000004", "CLO", 100, 100))
	r.hook.wait(t, 1)
	if o, _ := r.Order("REF0000004"); o.State != StateSuccess {
		t.Fatal(o)
	}
	r.clock.Add(time.Minute)
	good(refund("REF0000004", "CLO2", 100, 100))
	r.hook.wait(t, 1)
}

func TestBodyLimits(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/cgi-bin/stable_token", "/control/faults", "/v3/pay/transactions/jsapi"} {
		resp, err := r.http.Post(r.srv.URL+"/sandbox"+path, "application/json", bytes.NewReader(make([]byte, maxBody+1)))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}
