package payment

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/wechat"
	"github.com/liangche/liangche/internal/wxsandbox"
)

func TestPayJSAPIAndNative(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.create()
	out := r.prepay(p)
	if out.Jsapi == nil || out.Jsapi.AppID != r.wxAppID(wxsandbox.AppMP) || !strings.HasPrefix(out.Jsapi.Package, "prepay_id=") || out.Jsapi.PaySign == "" {
		t.Fatalf("pay sheet: %+v", out.Jsapi)
	}
	r.want(p, StatePrepaid, 0, 0)
	r.pay(p)
	if s := r.notify(p); s != http.StatusNoContent {
		t.Fatal("answered ", s)
	}
	got := r.want(p, StatePaid, 1, 0)
	if got.PaidFen != 50000 || got.TransactionID == "" || got.WechatState != wechat.TradeSuccess || got.Alert != "" || r.outcomes(p) != outcomeVerified {
		t.Fatalf("%+v, %s", got, r.outcomes(p))
	}
	if _, err := r.Prepay(t.Context(), p.ID); !errors.Is(err, ErrAlreadyPaid) {
		t.Fatal(err)
	}

	n := r.create(func(c *Create) { c.Purpose, c.App, c.TradeType, c.OpenID = "order", "", Native, "" })
	code := r.prepay(n)
	if !strings.HasPrefix(code.CodeURL, "weixin://") || code.Jsapi != nil {
		t.Fatalf("%+v", code)
	}
	r.pay(n, func(in *wxsandbox.PayRequest) { in.PersonaID = "p2" })
	r.notify(n)
	r.want(n, StatePaid, 1, 0)

	oa := r.create(func(c *Create) { c.App, c.OpenID = wechat.OfficialAccount, r.openID(wxsandbox.AppOA) })
	if out := r.prepay(oa); out.Jsapi.AppID != r.wxAppID(wxsandbox.AppOA) {
		t.Fatalf("%+v", out.Jsapi)
	}
}

func (r *rig) wxAppID(app string) string {
	if app == wxsandbox.AppMP {
		return r.wx.Credentials().MiniProgram.AppID
	}
	return r.wx.Credentials().OfficialAccount.AppID
}

func TestCreateRefusesBadInput(t *testing.T) {
	r := newRig(t)
	for name, c := range map[string]struct {
		change func(*Create)
		want   error
	}{
		"zero":      {func(c *Create) { c.AmountFen = 0 }, ErrAmount},
		"negative":  {func(c *Create) { c.AmountFen = -1 }, ErrAmount},
		"huge":      {func(c *Create) { c.AmountFen = 1 << 50 }, ErrAmount},
		"no payer":  {func(c *Create) { c.OpenID = "" }, ErrNoPayer},
		"expired":   {func(c *Create) { c.ExpiresAt = r.clk.Now() }, ErrExpired},
		"no app":    {func(c *Create) { c.App = "web" }, wechat.ErrNotConfigured},
		"nobody":    {func(c *Create) { c.Purpose = "gift" }, nil},
		"odd trade": {func(c *Create) { c.TradeType = "MICROPAY" }, nil},
	} {
		in := Create{Purpose: "topup", SubjectID: 1, App: wechat.MiniProgram, TradeType: JSAPI, AmountFen: 1, OpenID: "o", ExpiresAt: r.clk.Now().Add(time.Hour)}
		c.change(&in)
		err := r.db.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error { _, err := r.CreateTx(ctx, tx, in); return err })
		if err == nil || (c.want != nil && !errors.Is(err, c.want)) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestN01OneLiveAttempt(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	var made, refused atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			err := r.db.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
				_, err := r.CreateTx(ctx, tx, Create{Purpose: "order", SubjectID: 77, App: wechat.MiniProgram, TradeType: JSAPI, AmountFen: 100, OpenID: "o",
					ExpiresAt: tx.Now.Add(time.Minute)})
				return err
			})
			switch {
			case err == nil:
				made.Add(1)
			case errors.Is(err, ErrLiveAttempt):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 || refused.Load() != 19 {
		t.Fatalf("%d made, %d refused", made.Load(), refused.Load())
	}
	live, err := r.Live(t.Context(), r.db, "order", 77)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Close(t.Context(), live.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Live(t.Context(), r.db, "order", 77); !errors.Is(err, fault.ErrNotFound) {
		t.Fatal(err)
	}
	r.subj = 76
	r.create(func(c *Create) { c.Purpose = "order" }) // the way is free again
}

func TestN01SurplusGoesBack(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	r.shop.refuse.Store(true)
	p := r.create()
	r.prepay(p)
	r.pay(p)
	r.notify(p)
	got := r.want(p, StateSurplus, 0, 0)
	if got.Alert == "" || got.PaidFen != 50000 {
		t.Fatalf("%+v", got)
	}
	r.wantBack(p, 50000)
}

// wantBack runs the automatic refund and checks that exactly that much went back, once.
func (r *rig) wantBack(p Payment, fen int64) {
	r.t.Helper()
	until(r.t, "refunded", func() bool { r.later(10 * time.Second); return int64(r.get(p).RefundedFen) == fen })
	var sum int64
	for _, f := range r.wx.Snapshot().Refunds {
		if f.OutTradeNo == p.OutTradeNo {
			sum += f.RefundFen
		}
	}
	rows, err := r.Refunds(r.t.Context(), r.db, p.ID)
	if err != nil || len(rows) != 1 || rows[0].State != RefundSuccess || rows[0].SubjectKind != SubjectAutomatic || sum != fen {
		r.t.Fatalf("refunds %+v, at WeChat %d fen, %v", rows, sum, err)
	}
	if n := r.count("refunded_success", p.ID); n != 0 {
		r.t.Fatal("the subject heard of an automatic refund")
	}
	if a := r.get(p).Alert; !strings.HasSuffix(a, wentBack) {
		r.t.Fatalf("alert %q", a)
	}
}

func TestN02OverAndUnderPaid(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	for _, fen := range []int64{50001, 49999, 1} {
		p := r.create()
		r.prepay(p)
		r.pay(p, func(in *wxsandbox.PayRequest) { in.AmountFen = fen })
		if s := r.notify(p); s != http.StatusConflict {
			t.Fatal("answered ", s)
		}
		if got := r.want(p, StatePrepaid, 0, 0); got.Alert == "" {
			t.Fatal("no alert")
		}
		r.later(0)
		got := r.want(p, StateMismatch, 0, 1)
		if int64(got.PaidFen) != fen || !strings.HasPrefix(r.outcomes(p), outcomeMismatch) {
			t.Fatalf("%+v %s", got, r.outcomes(p))
		}
		r.wantBack(p, fen)
	}
}

func TestN02WrongNotificationCreditsNothing(t *testing.T) {
	for _, kind := range []string{"wrong_amount", "wrong_mchid", "wrong_appid"} {
		t.Run(kind, func(t *testing.T) {
			r := newRig(t)
			defer r.clean()
			p := r.create()
			r.prepay(p)
			r.pay(p)
			r.fault("pay.notify", kind, p.OutTradeNo, "", 1)
			if s := r.notify(p); s != http.StatusConflict {
				t.Fatal("answered ", s)
			}
			got := r.want(p, StatePrepaid, 0, 0)
			if got.Alert == "" || r.outcomes(p) != outcomeMismatch {
				t.Fatalf("%+v %s", got, r.outcomes(p))
			}
			// The owner did pay the right amount: WeChat's own answer says so and decides.
			r.later(0)
			r.want(p, StatePaid, 1, 0)
			if s := r.notify(p); s != http.StatusNoContent || r.outcomes(p) != outcomeMismatch {
				t.Fatal(s, r.outcomes(p))
			}
			r.want(p, StatePaid, 1, 0)
		})
	}
}

func TestN02ForgedAndProbes(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.create()
	r.prepay(p)
	r.pay(p)
	r.fault("pay.notify", "forge", p.OutTradeNo, "", 1)
	if s := r.notify(p); s != http.StatusUnauthorized {
		t.Fatal("a forgery was answered ", s)
	}
	r.want(p, StatePrepaid, 0, 0)
	if s, err := r.wx.SignTest(r.srv.URL + "/hooks/wxpay/notify"); err != nil || s < 400 || s > 499 {
		t.Fatal("the probe was answered ", s, err)
	}
	for name, c := range map[string]struct {
		method string
		body   []byte
		want   int
	}{
		"nothing":   {http.MethodPost, nil, 401},
		"not JSON":  {http.MethodPost, []byte("<xml/>"), 401},
		"unsigned":  {http.MethodPost, []byte(`{"id":"x","event_type":"TRANSACTION.SUCCESS"}`), 401},
		"oversized": {http.MethodPost, bytes.Repeat([]byte("a"), wechat.MaxNotification+10), 413},
		"GET":       {http.MethodGet, nil, 405},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), c.method, r.srv.URL+"/hooks/wxpay/notify", bytes.NewReader(c.body))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", name, resp.StatusCode, c.want)
		}
	}
	var n int
	if err := r.db.Get(t.Context(), &n, `SELECT COUNT(*) FROM payment_notifications WHERE outcome = 'forged' AND payment_id IS NULL`); err != nil || n != 6 {
		t.Fatal("forged rows: ", n, err)
	}
	for range 70 {
		r.forged(t.Context(), "flood", 401)
	}
	if err := r.db.Get(t.Context(), &n, `SELECT COUNT(*) FROM payment_notifications WHERE outcome = 'forged'`); err != nil || n != 60 {
		t.Fatal("a flood is bounded: ", n, err)
	}
	if s := r.notify(p); s != http.StatusNoContent {
		t.Fatal("the real one was answered ", s)
	}
	r.want(p, StatePaid, 1, 0)
}

func TestN03FailedFulfilmentLeavesNothing(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	r.shop.broken.Store(true)
	p := r.create()
	r.prepay(p)
	r.pay(p)
	if s := r.notify(p); s != http.StatusServiceUnavailable {
		t.Fatal("answered ", s)
	}
	if got := r.want(p, StatePrepaid, 0, 0); got.Alert != retryAlert || got.TransactionID != "" || got.PaidFen != 0 {
		t.Fatalf("%+v", got)
	}
	r.shop.broken.Store(false)
	if s := r.notify(p); s != http.StatusNoContent {
		t.Fatal("answered ", s)
	}
	if got := r.want(p, StatePaid, 1, 0); got.Alert != "" {
		t.Fatalf("alert stays: %q", got.Alert)
	}
}

func TestN05ReplayChangesNothing(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.paid()
	before := r.get(p)
	r.clk.Advance(time.Hour)
	for range 3 {
		if s := r.notify(p); s != http.StatusNoContent {
			t.Fatal("answered ", s)
		}
	}
	after := r.want(p, StatePaid, 1, 0)
	if !after.PaidAt.Equal(before.PaidAt) || after.TransactionID != before.TransactionID || r.outcomes(p) != outcomeVerified {
		t.Fatalf("%+v\n%+v\n%s", before, after, r.outcomes(p))
	}
	// Found by polling first, the notification is a duplicate.
	q := r.create()
	r.prepay(q)
	r.pay(q)
	if got, err := r.Check(t.Context(), q.ID); err != nil || got.State != StatePaid {
		t.Fatal(got.State, err)
	}
	if s := r.notify(q); s != http.StatusNoContent || r.outcomes(q) != outcomeDuplicate {
		t.Fatal(s, r.outcomes(q))
	}
	r.want(q, StatePaid, 1, 0)
}

// notifyCopies is how often P10's notification arrives.
var notifyCopies = flag.Int("copies", 200, "how often TestP10 has one payment notification delivered, a multiple of 50")

func TestP10OneNotificationManyTimesAtOnce(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.create()
	r.prepay(p)
	r.pay(p)
	copies := *notifyCopies
	r.fault("pay.notify", "duplicate", p.OutTradeNo, "50", 4)
	var wg sync.WaitGroup
	for range copies / 50 {
		wg.Go(func() {
			if _, err := r.wx.Resend(p.OutTradeNo); err != nil {
				t.Error(err)
			}
		})
	}
	for range 8 { // polling at the same time
		wg.Go(func() {
			if _, err := r.Check(t.Context(), p.ID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r.want(p, StatePaid, 1, 0)
	n := 0
	for _, x := range r.wx.Notifications() {
		for _, a := range x.Attempts {
			if a.Status != http.StatusNoContent {
				t.Fatalf("answered %d %s", a.Status, a.Error)
			}
			n++
		}
	}
	if want := min(copies, 200); n != want { // the sandbox remembers no more
		t.Fatalf("%d copies were delivered, want %d", n, want)
	}
	t.Logf("credits: %d", r.count("paid", p.ID)) // make bench reads it
	h, err := historyOf(t.Context(), r.db, p.ID)
	if err != nil || len(h) != 3 {
		t.Fatal(h, err)
	}
}
