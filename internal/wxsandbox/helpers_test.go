package wxsandbox

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/cache"
	"github.com/silenceper/wechat/v2/miniprogram"
	mpconfig "github.com/silenceper/wechat/v2/miniprogram/config"
	"github.com/silenceper/wechat/v2/officialaccount"
	oaconfig "github.com/silenceper/wechat/v2/officialaccount/config"
	"github.com/silenceper/wechat/v2/util"
	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/downloader"
	"github.com/wechatpay-apiv3/wechatpay-go/core/notify"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/jsapi"
)

// testCreds are made once: RSA keys cost time, and sandboxes share nothing else.
var testCreds = sync.OnceValues(func() (Credentials, error) { return NewCredentials(time.Now()) })

// fakeClock is the platform's movable clock; signatures keep the real one.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fakeClock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *fakeClock) Add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// rig is a sandbox mounted below /sandbox on a loopback server, and the merchant's notification receiver.
type rig struct {
	*Sandbox
	t     *testing.T
	srv   *httptest.Server
	clock *fakeClock
	c     Credentials
	http  *http.Client
	hook  *receiver
	mux   *http.ServeMux
}

const (
	tplPaid = "TPL_PAID_mp_0000000000000000000000000000001"
	tplOA   = "TPL_OA_00000000000000000000000000000000001"
)

func testTemplates() []Template {
	return []Template{
		{ID: tplPaid, App: AppMP, Title: "消费成功通知", Fields: []Field{{"thing1", "服务项目"}, {"amount2", "消费金额"}, {"time3", "消费时间"}, {"car_number4", "车牌号"}}},
		{ID: tplOA, App: AppOA, Title: "余额变动提醒", Fields: []Field{{"thing1", "变动原因"}, {"amount2", "余额"}}},
	}
}

func newRig(t *testing.T, change ...func(*Options)) *rig {
	t.Helper()
	c, err := testCreds()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, c: c, clock: &fakeClock{now: time.Date(2026, 6, 1, 12, 0, 0, 0, cst)}}
	mux := http.NewServeMux()
	r.mux = mux
	r.srv = httptest.NewServer(mux)
	r.hook = newReceiver()
	mux.Handle("/hooks/wxpay", r.hook)
	o := Options{
		PublicURL: r.srv.URL + "/sandbox", OAuthHosts: []string{"shop.example.com"}, MiniProgramURL: "https://shop.example.com/h5/",
		OfficialAccountURL: "https://shop.example.com/h5/#/oa", Templates: testTemplates(), NotifySpeedup: 3000,
		Pay: PayOptions{RefundDelay: 10 * time.Millisecond, RefundInterval: -1}, Now: r.clock.Now, RealNow: time.Now, Logger: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&o)
	}
	if r.Sandbox, err = New(o, c); err != nil {
		t.Fatal(err)
	}
	mux.Handle("/sandbox/", http.StripPrefix("/sandbox", r.Handler()))
	base, _ := url.Parse(r.srv.URL + "/sandbox")
	r.http = &http.Client{Transport: hostMapper{base}, Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		r.srv.Close()
	})
	r.hook.handler = notify.NewNotifyHandler(c.APIv3Key, r.verifier())
	return r
}

// hostMapper sends the three WeChat hosts to the sandbox and refuses every other host but loopback.
type hostMapper struct{ base *url.URL }

func (m hostMapper) RoundTrip(r *http.Request) (*http.Response, error) {
	switch r.URL.Host {
	case "api.weixin.qq.com", "open.weixin.qq.com", "api.mch.weixin.qq.com":
		c := r.Clone(r.Context())
		c.URL.Scheme, c.URL.Host, c.Host = m.base.Scheme, m.base.Host, m.base.Host
		c.URL.Path = m.base.Path + c.URL.Path
		if c.URL.RawPath != "" {
			c.URL.RawPath = m.base.Path + c.URL.RawPath
		}
		return http.DefaultTransport.RoundTrip(c)
	case m.base.Host:
		return http.DefaultTransport.RoundTrip(r)
	}
	return nil, fmt.Errorf("host %s is not allowed", r.URL.Host)
}

func (r *rig) keys() (*rsa.PrivateKey, *rsa.PublicKey) {
	r.t.Helper()
	priv, err := parsePrivate(r.c.MerchantPrivateKeyPEM)
	if err != nil {
		r.t.Fatal(err)
	}
	pub, err := parsePublic(r.c.PlatformPublicKeyPEM)
	if err != nil {
		r.t.Fatal(err)
	}
	return priv, pub
}

// payClient is the real SDK client in the rig's mode.
func (r *rig) payClient() *core.Client {
	r.t.Helper()
	priv, pub := r.keys()
	opt := option.WithWechatPayPublicKeyAuthCipher(r.c.MchID, r.c.MerchantSerial, priv, r.c.PlatformPublicKeyID, pub)
	if r.o.Pay.Mode == ModeCertificate {
		opt = option.WithWechatPayAutoAuthCipherUsingDownloaderMgr(r.c.MchID, r.c.MerchantSerial, priv, r.manager())
	}
	client, err := core.NewClient(r.t.Context(), opt, option.WithHTTPClient(r.http))
	if err != nil {
		r.t.Fatal(err)
	}
	return client
}

// manager downloads the platform certificate through the SDK.
func (r *rig) manager() *downloader.CertificateDownloaderMgr {
	r.t.Helper()
	priv, _ := r.keys()
	boot, err := core.NewClient(r.t.Context(), option.WithMerchantCredential(r.c.MchID, r.c.MerchantSerial, priv), option.WithHTTPClient(r.http), option.WithoutValidator())
	if err != nil {
		r.t.Fatal(err)
	}
	mgr := downloader.NewCertificateDownloaderMgr(r.t.Context())
	r.t.Cleanup(mgr.Stop)
	if err := mgr.RegisterDownloaderWithClient(r.t.Context(), boot, r.c.MchID, r.c.APIv3Key); err != nil {
		r.t.Fatal(err)
	}
	return mgr
}

func (r *rig) verifier() interface {
	Verify(context.Context, string, string, string) error
	GetSerial(context.Context) (string, error)
} {
	_, pub := r.keys()
	if r.o.Pay.Mode == ModeCertificate {
		return verifiers.NewSHA256WithRSAVerifier(r.manager().GetCertificateVisitor(r.c.MchID))
	}
	return verifiers.NewSHA256WithRSAPubkeyVerifier(r.c.PlatformPublicKeyID, *pub)
}

// mp and oa are the real SDK clients; they share a global HTTP client, so tests that use them do not run in parallel.
func (r *rig) mp() *miniprogram.MiniProgram {
	util.DefaultHTTPClient = r.http
	return miniprogram.NewMiniProgram(&mpconfig.Config{AppID: r.c.MiniProgram.AppID, AppSecret: r.c.MiniProgram.Secret, Cache: cache.NewMemory(), UseStableAK: true})
}

func (r *rig) oa() *officialaccount.OfficialAccount {
	util.DefaultHTTPClient = r.http
	return officialaccount.NewOfficialAccount(&oaconfig.Config{AppID: r.c.OfficialAccount.AppID, AppSecret: r.c.OfficialAccount.Secret, Cache: cache.NewMemory(), UseStableAK: true})
}

func (r *rig) openID(persona, app string) string {
	for _, p := range r.Personas() {
		if p.ID == persona {
			return p.OpenIDs[app]
		}
	}
	r.t.Fatalf("no persona %s", persona)
	return ""
}

func (r *rig) prepayReq(no string, fen int64) jsapi.PrepayRequest {
	return jsapi.PrepayRequest{
		Appid: core.String(r.c.MiniProgram.AppID), Mchid: core.String(r.c.MchID), Description: core.String("储值 500 元"), OutTradeNo: core.String(no),
		NotifyUrl: core.String(r.srv.URL + "/hooks/wxpay"), Amount: &jsapi.Amount{Total: core.Int64(fen)}, Payer: &jsapi.Payer{Openid: core.String(r.openID("p1", AppMP))},
	}
}

// paid makes a paid JSAPI order.
func (r *rig) paid(no string, fen int64) {
	r.t.Helper()
	svc := jsapi.JsapiApiService{Client: r.payClient()}
	if _, _, err := svc.Prepay(r.t.Context(), r.prepayReq(no, fen)); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.Pay(PayRequest{OutTradeNo: no, PersonaID: "p1"}); err != nil {
		r.t.Fatal(err)
	}
}

// call sends JSON to a path of the sandbox and decodes the answer.
func (r *rig) call(method, path string, body any) (int, map[string]any) {
	r.t.Helper()
	var b []byte
	if body != nil {
		b, _ = json.Marshal(body)
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.srv.URL+"/sandbox"+path, bytes.NewReader(b))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := r.http.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	out := map[string]any{}
	_ = json.Unmarshal(raw, &out)
	return resp.StatusCode, out
}

// receiver is the merchant's endpoint: it verifies and decrypts with the SDK and answers what the test wants.
type receiver struct {
	handler *notify.Handler
	mu      sync.Mutex
	status  func(n int) int // by number of the call, from 1
	calls   int
	good    []payments.Transaction
	ids     []string
	events  []string
	bad     []error
	came    chan struct{}
}

func newReceiver() *receiver { return &receiver{came: make(chan struct{}, 1000)} }

func (h *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var tx payments.Transaction
	n, err := h.handler.ParseNotifyRequest(r.Context(), r, &tx)
	h.mu.Lock()
	h.calls++
	status := 204
	if h.status != nil {
		status = h.status(h.calls)
	}
	if err != nil {
		h.bad = append(h.bad, err)
		status = 401
	} else {
		h.good, h.ids, h.events = append(h.good, tx), append(h.ids, n.ID), append(h.events, n.EventType)
	}
	h.mu.Unlock()
	w.WriteHeader(status)
	h.came <- struct{}{}
}

// wait blocks until n calls have come.
func (h *receiver) wait(t *testing.T, n int) {
	t.Helper()
	for range n {
		select {
		case <-h.came:
		case <-time.After(8 * time.Second):
			t.Fatal("notification did not come")
		}
	}
}

func (h *receiver) orders() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, tx := range h.good {
		out = append(out, *tx.OutTradeNo)
	}
	return slices.Clone(out)
}

// until polls a condition that another goroutine will make true.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for range 800 {
		if f() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("never: " + what)
}

// newBareClient signs its requests but checks no answer, as a bill download must.
func newBareClient(r *rig, key *rsa.PrivateKey) (*core.Client, error) {
	return core.NewClient(r.t.Context(), option.WithMerchantCredential(r.c.MchID, r.c.MerchantSerial, key), option.WithHTTPClient(r.http), option.WithoutValidator())
}
