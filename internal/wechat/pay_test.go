package wechat

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
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
	"testing"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"github.com/liangche/liangche/internal/wxsandbox"
)

func certificateMode(c *Config, o *wxsandbox.Options) {
	c.Pay.Mode, o.Pay.Mode = ModeCertificate, wxsandbox.ModeCertificate
	c.Pay.PublicKeyID, c.Pay.PublicKeyPEM = "", ""
}

func TestN27BothModes(t *testing.T) {
	t.Run("public key", func(t *testing.T) {
		r := newRig(t)
		r.payOnce()
		if r.hits("/v3/certificates") != 0 {
			t.Fatal("certificates were asked for in public-key mode")
		}
	})
	t.Run("certificate", func(t *testing.T) { newRig(t, certificateMode).payOnce() })
	t.Run("switching", func(t *testing.T) {
		r := newRig(t, certificateMode)
		if _, err := r.PrepayJSAPI(t.Context(), r.order("SWITCH01", 1)); err != nil {
			t.Fatal(err)
		}
		cfg := r.cfg
		cfg.Pay.PublicKeyID, cfg.Pay.PublicKeyPEM = r.c.PlatformPublicKeyID, r.c.PlatformPublicKeyPEM
		both, err := New(t.Context(), cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Client.Close()
		r.Client = both
		if _, err := r.wx.Pay(wxsandbox.PayRequest{OutTradeNo: "SWITCH01", PersonaID: "p1"}); err != nil {
			t.Fatal(err)
		}
		if d := r.receive(); d.err != nil { // signed with the certificate's key
			t.Fatal(d.err)
		}
		body := sealed(t, r.c, "n1", "TRANSACTION.SUCCESS", []byte(`{"out_trade_no":"A","trade_state":"SUCCESS"}`))
		if _, err := r.ParseNotification(r.signed(body, 0)); err != nil { // signed with the public key's pair
			t.Fatal(err)
		}
	})
}

// payOnce runs an order through its whole life.
func (r *rig) payOnce() {
	r.t.Helper()
	t, ctx := r.t, r.t.Context()
	in := r.order("LIFE0001", 50000)
	id, err := r.PrepayJSAPI(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := r.PrepayJSAPI(ctx, in); err != nil || again != id {
		t.Fatal(again, err)
	}
	sheet, err := r.SignJSAPI(ctx, in.AppID, id)
	if err != nil {
		t.Fatal(err)
	}
	r.checkPaySign(sheet)
	if q, err := r.Query(ctx, in.OutTradeNo); err != nil || q.State != TradeNotPay {
		t.Fatal(q, err)
	}
	if _, err := r.wx.Pay(wxsandbox.PayRequest{PrepayID: id, PersonaID: "p1"}); err != nil {
		t.Fatal(err)
	}
	d := r.receive()
	if d.err != nil || d.n.Transaction == nil || d.n.EventType != "TRANSACTION.SUCCESS" || d.n.ID == "" {
		t.Fatal(d.err)
	}
	q, err := r.Query(ctx, in.OutTradeNo)
	if err != nil || q != *d.n.Transaction || q.TotalFen != 50000 || q.Currency != "CNY" || q.OpenID != in.OpenID || q.MchID != r.c.MchID || q.SuccessAt.IsZero() {
		t.Fatal(q, d.n.Transaction, err)
	}
	wantClass(t, r.CloseOrder(ctx, in.OutTradeNo), Paid, "")
	_, err = r.PrepayJSAPI(ctx, in)
	wantClass(t, err, Paid, "")
	ref := RefundRequest{OutTradeNo: in.OutTradeNo, OutRefundNo: "LR1", Reason: "退款", RefundFen: 100, TotalFen: 50000}
	f, err := r.Refund(ctx, ref)
	if err != nil || f.State != RefundProcessing && f.State != RefundSuccess || f.RefundFen != 100 || f.TotalFen != 50000 {
		t.Fatal(f, err)
	}
	if d = r.receive(); d.err != nil || d.n.Refund == nil || d.n.Refund.State != RefundSuccess || d.n.Refund.MchID != r.c.MchID || d.n.Refund.RefundFen != 100 {
		t.Fatal(d)
	}
	if f, err = r.QueryRefund(ctx, "LR1"); err != nil || f.State != RefundSuccess || f.RefundID != d.n.Refund.RefundID {
		t.Fatal(f, err)
	}
}

func (r *rig) checkPaySign(p JSAPIParams) {
	r.t.Helper()
	key, err := utils.LoadPublicKey(r.c.MerchantPublicKeyPEM)
	if err != nil {
		r.t.Fatal(err)
	}
	sig, err := base64.StdEncoding.DecodeString(p.PaySign)
	if err != nil {
		r.t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(p.AppID + "\n" + p.TimeStamp + "\n" + p.NonceStr + "\n" + p.Package + "\n"))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig); err != nil || p.SignType != "RSA" {
		r.t.Fatal(p, err)
	}
}

func TestCertificatesComeLate(t *testing.T) {
	r := newRig(t, certificateMode)
	c, err := New(t.Context(), Config{Pay: r.cfg.Pay, Timeout: time.Second, Endpoints: Endpoints{Pay: "http://127.0.0.1:1"}}, nil)
	if err != nil {
		t.Fatal("New must survive that WeChat is down: ", err)
	}
	_, err = c.Query(t.Context(), "NOBODY1")
	wantClass(t, err, Unavailable, "")
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("{}"))
	_, err = c.ParseNotification(req)
	wantClass(t, err, Unavailable, "")
	c.route = r.route // WeChat is back
	if _, err = c.Query(t.Context(), "NOBODY1"); ClassOf(err) != NotFound {
		t.Fatal(err)
	}
	c.Close()
}

func TestPayErrors(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	_, err := r.Query(ctx, "NOBODY1")
	wantClass(t, err, NotFound, "")
	_, err = r.QueryRefund(ctx, "NOBODY1")
	wantClass(t, err, NotFound, "")
	for code, want := range map[string]Class{"ORDERPAID": Paid, "ORDER_PAID": Paid, "ORDERNOTEXIST": NotFound, "ORDER_NOT_EXIST": NotFound, "SYSTEMERROR": Unavailable,
		"SYSTEM_ERROR": Unavailable, "RULELIMIT": Quota, "RULE_LIMIT": Quota, "NOTENOUGH": Unavailable, "NOT_ENOUGH": Unavailable, "FREQUENCY_LIMITED": Quota,
		"PARAM_ERROR": Rejected, "INVALID_REQUEST": Rejected, "ORDER_CLOSED": Closed, "ORDERCLOSED": Closed, "SIGN_ERROR": Rejected, "OUT_TRADE_NO_USED": Rejected,
		"NO_AUTH": Rejected, "RESOURCE_NOT_EXISTS": NotFound, "APPID_MCHID_NOT_MATCH": Rejected, "USER_PAYING": Unavailable, "USERPAYING": Unavailable} {
		r.fault("pay.api", "errcode", "", code, 1)
		_, err := r.Query(ctx, "NOBODY1")
		wantClass(t, err, want, code)
	}
	unsigned := r.order("UNSIGNED1", 5) // once: asked again with another expiry, it would be refused
	for _, f := range []struct{ kind, value string }{{"status", "500"}, {"status", "503"}, {"drop", ""}, {"forge", ""}, {"unsigned", ""}} {
		if _, err := r.PrepayNative(ctx, unsigned); err != nil {
			t.Fatal(err)
		}
		// Two: Go may repeat a dropped GET by itself, which is harmless here.
		r.fault("pay.api", f.kind, "", f.value, 2)
		_, err := r.Query(ctx, "UNSIGNED1")
		wantClass(t, err, Unavailable, "")
		r.wx.ClearFaults()
	}
	wrapped := fmt.Errorf("a: %w", &core.APIError{StatusCode: 400, Code: "ORDERPAID"})
	wantClass(t, classifyPay("x", wrapped), Paid, "ORDERPAID")
	if !errors.Is(Fault(&Error{Class: Rejected}), ErrRejected) || Fault(io.EOF) != io.EOF || Fault(nil) != nil {
		t.Fatal("Fault")
	}
}

func TestNativeAndClose(t *testing.T) {
	r := newRig(t)
	order := r.order("NATIVE01", 100)
	url, err := r.PrepayNative(t.Context(), order)
	if err != nil || !strings.HasPrefix(url, "weixin://") {
		t.Fatal(url, err)
	}
	if err := r.CloseOrder(t.Context(), "NATIVE01"); err != nil {
		t.Fatal(err)
	}
	wantClass(t, r.CloseOrder(t.Context(), "NATIVE01"), Closed, "")
	_, err = r.PrepayNative(t.Context(), order)
	wantClass(t, err, Closed, "")
	wantClass(t, r.CloseOrder(t.Context(), "NATIVE02"), NotFound, "")
}

func TestTradeBill(t *testing.T) {
	r := newRig(t)
	day := time.Now().In(china).Format(time.DateOnly)
	_, err := r.TradeBill(t.Context(), day)
	wantClass(t, err, NotFound, "")
	in := r.order("BILL0001", 12345)
	id, err := r.PrepayJSAPI(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.wx.PayByPersona(id, "p1", wxsandbox.OutcomePay); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Refund(t.Context(), RefundRequest{OutTradeNo: in.OutTradeNo, OutRefundNo: "LR9", RefundFen: 45, TotalFen: 12345}); err != nil {
		t.Fatal(err)
	}
	rows, err := r.TradeBill(t.Context(), day)
	if err != nil || len(rows) != 2 {
		t.Fatal(rows, err)
	}
	p, f := rows[0], rows[1]
	if p.OutRefundNo != "" {
		p, f = f, p
	}
	if p.OutTradeNo != "BILL0001" || p.PaidFen != 12345 || p.State != "SUCCESS" || p.TransactionID == "" || p.MchID != r.c.MchID || p.OpenID != in.OpenID {
		t.Fatalf("%+v", p)
	}
	if f.OutRefundNo != "LR9" || f.RefundFen != 45 || f.State != "REFUND" || f.RefundID == "" {
		t.Fatalf("%+v", f)
	}
	_, err = r.TradeBill(t.Context(), "yesterday")
	wantClass(t, err, Rejected, "PARAM_ERROR")
	for _, bad := range []string{"", "a,b\r\n`1,`2\r\n", strings.Repeat("x", 10)} {
		if _, err := parseBill(bad); err == nil {
			t.Errorf("read %q", bad)
		}
	}
}

func TestNotifications(t *testing.T) {
	r := newRig(t)
	if _, err := r.PrepayJSAPI(t.Context(), r.order("NOTIFY01", 1)); err != nil {
		t.Fatal(err)
	}
	r.fault("pay.notify", "forge", "NOTIFY01", "", 1)
	if _, err := r.wx.Pay(wxsandbox.PayRequest{OutTradeNo: "NOTIFY01", PersonaID: "p1"}); err != nil {
		t.Fatal(err)
	}
	d := r.receive()
	wantClass(t, d.err, Forged, "invalid")
	if strings.Contains(d.err.Error(), "Wechatpay") {
		t.Fatal("the request is in the error")
	}
	if d = r.receive(); d.err != nil {
		t.Fatal(d.err)
	}
	if s, err := r.wx.SignTest(r.srv.URL + "/notify"); err != nil || s != 401 {
		t.Fatal(s, err)
	}
	wantClass(t, r.receive().err, Forged, "signtest")
}

// signed makes a notification request as the platform would, with whatever body; age is how old its signature is.
func (r *rig) signed(body []byte, age time.Duration) *http.Request {
	r.t.Helper()
	return signedBy(r.t, r.c, body, age)
}

func signedBy(t testing.TB, c wxsandbox.Credentials, body []byte, age time.Duration) *http.Request {
	t.Helper()
	key, err := utils.LoadPrivateKey(c.PlatformPrivateKeyPEM)
	if err != nil {
		t.Fatal(err)
	}
	ts := fmt.Sprint(time.Now().Add(-age).Unix())
	sum := sha256.Sum256([]byte(ts + "\nnonce\n" + string(body) + "\n"))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(background(), http.MethodPost, "/notify", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{"Timestamp": ts, "Nonce": "nonce", "Signature": base64.StdEncoding.EncodeToString(sig), "Serial": c.PlatformPublicKeyID} {
		req.Header.Set("Wechatpay-"+k, v)
	}
	return req
}

// sealed encrypts a resource and wraps it in a notification.
func sealed(t testing.TB, c wxsandbox.Credentials, id, event string, plain []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher([]byte(c.APIv3Key))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(map[string]any{"id": id, "event_type": event, "resource_type": "encrypt-resource", "resource": map[string]string{
		"algorithm": "AEAD_AES_256_GCM", "nonce": "123456789012", "associated_data": "x",
		"ciphertext": base64.StdEncoding.EncodeToString(gcm.Seal(nil, []byte("123456789012"), plain, []byte("x")))}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestN27HostileButSignedNotifications(t *testing.T) {
	r := newRig(t)
	good := sealed(t, r.c, "n1", "TRANSACTION.SUCCESS", []byte(`{"out_trade_no":"A","trade_state":"SUCCESS","amount":{"total":1}}`))
	if n, err := r.ParseNotification(r.signed(good, 0)); err != nil || n.Transaction.TotalFen != 1 {
		t.Fatal(n, err)
	}
	_, err := r.ParseNotification(r.signed(good, 6*time.Minute))
	wantClass(t, err, Forged, "")
	_, err = r.ParseNotification(r.signed(good, -6*time.Minute))
	wantClass(t, err, Forged, "")
	for name, body := range map[string][]byte{
		"no resource":       []byte(`{"id":"1","event_type":"TRANSACTION.SUCCESS"}`),
		"null resource":     []byte(`{"id":"1","resource":null}`),
		"short nonce":       []byte(`{"id":"1","resource":{"algorithm":"AEAD_AES_256_GCM","nonce":"1","ciphertext":"AAAA"}}`),
		"other algorithm":   []byte(`{"id":"1","resource":{"algorithm":"ROT13"}}`),
		"not JSON":          []byte(`<xml>`),
		"list":              []byte(`[]`),
		"empty":             nil,
		"plain is a number": sealed(t, r.c, "1", "TRANSACTION.SUCCESS", []byte(`7`)),
		"plain is null":     sealed(t, r.c, "1", "TRANSACTION.SUCCESS", []byte(`null`)),
		"no number":         sealed(t, r.c, "1", "TRANSACTION.SUCCESS", []byte(`{"trade_state":"SUCCESS"}`)),
		"text amount":       sealed(t, r.c, "1", "TRANSACTION.SUCCESS", []byte(`{"out_trade_no":"A","trade_state":"SUCCESS","amount":{"total":"1"}}`)),
		"unknown event":     sealed(t, r.c, "1", "COUPON.USE", []byte(`{}`)),
		"no id":             sealed(t, r.c, "", "TRANSACTION.SUCCESS", []byte(`{"out_trade_no":"A","trade_state":"SUCCESS"}`)),
		"refund, no number": sealed(t, r.c, "1", "REFUND.SUCCESS", []byte(`{"refund_status":"SUCCESS"}`)),
		"oversized":         bytes.Repeat([]byte("a"), MaxNotification+1),
	} {
		_, err := r.ParseNotification(r.signed(body, 0))
		if ClassOf(err) != Forged {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzNotification(f *testing.F) {
	c, err := testCreds()
	if err != nil {
		f.Fatal(err)
	}
	client, err := New(background(), Config{Pay: Pay{MchID: c.MchID, APIv3Key: c.APIv3Key, MerchantSerial: c.MerchantSerial,
		MerchantPrivateKeyPEM: c.MerchantPrivateKeyPEM, PublicKeyID: c.PlatformPublicKeyID, PublicKeyPEM: c.PlatformPublicKeyPEM, NotifyURL: "https://x/y"}}, nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, event := range []string{"TRANSACTION.SUCCESS", "REFUND.ABNORMAL", "", "X"} {
		for _, plain := range []string{`{"out_trade_no":"A","trade_state":"SUCCESS","amount":{"total":1,"currency":"CNY"},"payer":{"openid":"o"},"success_time":"2026-11-18T10:00:00+08:00"}`,
			`{"out_refund_no":"B","refund_status":"SUCCESS","amount":{"refund":1,"total":2}}`, `{}`, `null`, `[]`, `{"amount":null,"payer":[]}`, ``} {
			f.Add(event, []byte(plain), true)
			f.Add(event, []byte(plain), false)
		}
	}
	f.Fuzz(func(t *testing.T, event string, raw []byte, seal bool) {
		body := raw
		if seal {
			body = sealed(t, c, "id", event, raw)
		}
		n, err := client.ParseNotification(signedBy(t, c, body, 0))
		if err == nil && (n.ID == "" || (n.Transaction == nil) == (n.Refund == nil)) {
			t.Fatalf("accepted %+v", n)
		}
		if err != nil && ClassOf(err) != Forged {
			t.Fatal(err)
		}
	})
}
