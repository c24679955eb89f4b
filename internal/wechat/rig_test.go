package wechat

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/wxsandbox"
)

var testCreds = sync.OnceValues(func() (wxsandbox.Credentials, error) { return wxsandbox.NewCredentials(time.Now()) })

const (
	tplMP = "TPL_MP"
	tplOA = "TPL_OA"
)

// rig is a Client whose endpoints are a sandbox below /sandbox.
type rig struct {
	*Client
	t    *testing.T
	wx   *wxsandbox.Sandbox
	srv  *httptest.Server
	c    wxsandbox.Credentials
	cfg  Config
	mu   sync.Mutex
	seen map[string]int // requests by path
	got  chan delivery
}

type delivery struct {
	n   Notification
	err error
}

func newRig(t *testing.T, change ...func(*Config, *wxsandbox.Options)) *rig {
	t.Helper()
	c, err := testCreds()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, c: c, seen: map[string]int{}, got: make(chan delivery, 100)}
	mux := http.NewServeMux()
	r.srv = httptest.NewServer(mux)
	base := r.srv.URL + "/sandbox"
	o := wxsandbox.Options{PublicURL: base, OAuthHosts: []string{"shop.example.com"}, NotifySpeedup: 1e6, Now: time.Now,
		Templates: []wxsandbox.Template{
			{ID: tplMP, App: wxsandbox.AppMP, Title: "消费通知", Fields: []wxsandbox.Field{{Key: "thing1", Label: "项目"}, {Key: "amount2", Label: "金额"},
				{Key: "car_number3", Label: "车牌"}, {Key: "phrase4", Label: "状态"}, {Key: "character_string5", Label: "单号"}, {Key: "name6", Label: "姓名"},
				{Key: "number7", Label: "次数"}, {Key: "phone_number8", Label: "电话"}, {Key: "time9", Label: "时间"}, {Key: "const10", Label: "常量"}}},
			{ID: tplOA, App: wxsandbox.AppOA, Title: "余额变动", Fields: []wxsandbox.Field{{Key: "thing1", Label: "原因"}, {Key: "amount2", Label: "余额"}}},
		},
		Pay: wxsandbox.PayOptions{RefundDelay: time.Millisecond, RefundInterval: -1, BillsImmediate: true}, Logger: slog.New(slog.DiscardHandler)}
	r.cfg = Config{
		MiniProgram:     App{AppID: c.MiniProgram.AppID, Secret: c.MiniProgram.Secret},
		OfficialAccount: App{AppID: c.OfficialAccount.AppID, Secret: c.OfficialAccount.Secret},
		Pay: Pay{MchID: c.MchID, APIv3Key: c.APIv3Key, MerchantSerial: c.MerchantSerial, MerchantPrivateKeyPEM: c.MerchantPrivateKeyPEM,
			PublicKeyID: c.PlatformPublicKeyID, PublicKeyPEM: c.PlatformPublicKeyPEM, NotifyURL: r.srv.URL + "/notify", RefundNotifyURL: r.srv.URL + "/notify"},
		Endpoints: Endpoints{API: base, Open: base, Pay: base}, Timeout: 2 * time.Second}
	for _, f := range change {
		f(&r.cfg, &o)
	}
	if r.wx, err = wxsandbox.New(o, c); err != nil {
		t.Fatal(err)
	}
	handler := http.StripPrefix("/sandbox", r.wx.Handler())
	mux.HandleFunc("/sandbox/", func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.seen[req.URL.Path[len("/sandbox"):]]++
		r.mu.Unlock()
		handler.ServeHTTP(w, req)
	})
	mux.HandleFunc("/notify", func(w http.ResponseWriter, req *http.Request) {
		n, err := r.ParseNotification(req)
		r.got <- delivery{n, err}
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	if r.Client, err = New(t.Context(), r.cfg, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.wx.Close(); err != nil {
			t.Error(err)
		}
		r.srv.Close()
		r.Close()
	})
	return r
}

func (r *rig) hits(path string) int { r.mu.Lock(); defer r.mu.Unlock(); return r.seen[path] }

func (r *rig) fault(target, kind, path, value string, count int) {
	r.t.Helper()
	if _, err := r.wx.SetFault(wxsandbox.Fault{Target: target, Kind: kind, Path: path, Value: wxsandbox.FaultValue(value), Count: count}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) code(f func() (string, error)) string {
	r.t.Helper()
	c, err := f()
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

func (r *rig) jsCode() string {
	return r.code(func() (string, error) { return r.wx.LoginCode("p1", wxsandbox.AppMP) })
}

func (r *rig) phoneCode() string {
	return r.code(func() (string, error) { return r.wx.PhoneCode("p1") })
}

func (r *rig) oauthCode(persona string) string {
	return r.code(func() (string, error) { return r.wx.OAuthCode(persona, "") })
}

func (r *rig) order(no string, fen int64) Prepay {
	return Prepay{AppID: r.c.MiniProgram.AppID, OpenID: r.wx.Personas()[0].OpenIDs[wxsandbox.AppMP], OutTradeNo: no, Description: "储值",
		AmountFen: moneyFen(fen), ExpiresAt: time.Now().Add(time.Hour)}
}

// receive waits for the next notification.
func (r *rig) receive() delivery {
	r.t.Helper()
	select {
	case d := <-r.got:
		return d
	case <-time.After(5 * time.Second):
		r.t.Fatal("no notification came")
		return delivery{}
	}
}

func wantClass(t *testing.T, err error, c Class, code string) {
	t.Helper()
	if ClassOf(err) != c || (code != "" && CodeOf(err) != code) {
		t.Fatalf("%v: class %q code %q, want %q %q", err, ClassOf(err), CodeOf(err), c, code)
	}
}

var background = context.Background
