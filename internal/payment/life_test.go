package payment

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/wechat"
	"github.com/liangche/liangche/internal/wxsandbox"
)

func TestN06LatePaymentIsReturned(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.create()
	r.prepay(p)
	// WeChat claims twice, unsigned, that it does not know the order: closed here, but still open there.
	r.fault("pay.api", "errcode", "/v3/pay/transactions/out-trade-no/", "ORDERNOTEXIST", 2)
	if got, err := r.Close(t.Context(), p.ID); err != nil || got.State != StateClosed {
		t.Fatal(got.State, err)
	}
	r.want(p, StateClosed, 0, 1)
	r.pay(p)
	if s := r.notify(p); s != http.StatusNoContent {
		t.Fatal("answered ", s)
	}
	r.want(p, StateSurplus, 0, 1)
	r.wantBack(p, 50000)
}

func TestN06CloseOfAPaidOrderCredits(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.create()
	r.prepay(p)
	r.pay(p)
	got, err := r.Close(t.Context(), p.ID)
	if err != nil || got.State != StatePaid {
		t.Fatal(got.State, err)
	}
	r.want(p, StatePaid, 1, 0)
}

func TestN06CloseRacesPayment(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	for range 10 {
		p := r.create()
		r.prepay(p)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _ = r.wx.Pay(wxsandbox.PayRequest{OutTradeNo: p.OutTradeNo, PersonaID: "p1"}) // refused when closed first
		})
		for range 2 {
			wg.Go(func() {
				if _, err := r.Close(t.Context(), p.ID); err != nil && !errors.Is(err, fault.ErrBusyWrite) && !errors.Is(err, wechat.ErrUnavailable) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		o, _ := r.wx.Order(p.OutTradeNo)
		if o.State == wxsandbox.StateSuccess {
			until(t, "credited", func() bool { return r.get(p).State == StatePaid })
			r.want(p, StatePaid, 1, 0)
		} else {
			if _, err := r.Close(t.Context(), p.ID); err != nil {
				t.Fatal(err)
			}
			r.want(p, StateClosed, 0, 1)
		}
	}
}

func TestLostNotificationIsFoundByPolling(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.create()
	r.prepay(p)
	r.later(4 * time.Second)
	r.pay(p)
	r.later(2 * time.Second)
	r.want(p, StatePaid, 1, 0)

	// Nobody pays at first: NOTPAY never ends a payment, and a later poll finds it.
	q := r.create()
	r.prepay(q)
	for range 5 {
		r.later(30 * time.Second)
	}
	if got := r.want(q, StatePrepaid, 0, 0); got.WechatState != wechat.TradeNotPay {
		t.Fatal(got.WechatState)
	}
	r.pay(q)
	r.later(5 * time.Minute)
	r.want(q, StatePaid, 1, 0)
}

func TestWrongPasswordAndCancelStayOpen(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.create()
	r.prepay(p)
	for _, o := range []string{wxsandbox.OutcomeCancel, wxsandbox.OutcomeWrongPassword} {
		if _, err := r.wx.Pay(wxsandbox.PayRequest{OutTradeNo: p.OutTradeNo, PersonaID: "p1", Outcome: o}); err == nil {
			t.Fatal("the sandbox paid")
		}
		r.later(20 * time.Second)
		r.want(p, StatePrepaid, 0, 0)
	}
	r.prepay(p)
	r.pay(p)
	r.notify(p)
	r.want(p, StatePaid, 1, 0)
}

func TestExpiryClosesAtWeChatFirst(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	never, p, late := r.create(), r.create(), r.create()
	r.prepay(p)
	r.prepay(late)
	r.later(14 * time.Minute)
	r.want(p, StatePrepaid, 0, 0)
	if _, err := r.Prepay(t.Context(), never.ID); err != nil {
		t.Fatal(err)
	}
	fresh := r.create()
	// Paid in the last second, and the notification is lost.
	r.clk.Advance(59 * time.Second)
	r.pay(late)
	r.fault("pay.api", "status", "/v3/pay/transactions/out-trade-no/"+p.OutTradeNo+"/close", "500", 1)
	r.later(3 * time.Second)
	r.want(p, StatePrepaid, 0, 0) // WeChat was down: not closed here either
	r.want(late, StatePaid, 1, 0)
	if _, err := r.Prepay(t.Context(), p.ID); !errors.Is(err, ErrExpired) {
		t.Fatal(err)
	}
	r.later(31 * time.Second)
	r.want(p, StateClosed, 0, 1)
	if o, _ := r.wx.Order(p.OutTradeNo); o.State != wxsandbox.StateClosed {
		t.Fatal("still open at WeChat: ", o.State)
	}
	r.want(never, StateClosed, 0, 1)
	if _, err := r.Prepay(t.Context(), p.ID); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	r.later(20 * time.Minute)
	r.want(fresh, StateClosed, 0, 1) // WeChat never heard of it
	if _, ok := r.wx.Order(fresh.OutTradeNo); ok {
		t.Fatal("an order that was never prepaid is known")
	}
}

func TestClosedAtWeChatIsNoticed(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.create()
	r.prepay(p)
	if err := r.Service.wx.CloseOrder(t.Context(), p.OutTradeNo); err != nil {
		t.Fatal(err)
	}
	r.later(6 * time.Second)
	r.want(p, StateClosed, 0, 1)
	q := r.create()
	r.prepay(q)
	if err := r.Service.wx.CloseOrder(t.Context(), q.OutTradeNo); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Close(t.Context(), q.ID); err != nil || got.State != StateClosed {
		t.Fatal(got.State, err)
	}
	r.want(q, StateClosed, 0, 1)
}

func TestWeChatDownAtPrepay(t *testing.T) {
	for _, f := range []struct{ kind, value string }{{"status", "500"}, {"drop", ""}, {"drop_after", ""}, {"forge", ""}, {"unsigned", ""}, {"errcode", "SYSTEMERROR"}} {
		t.Run(f.kind, func(t *testing.T) {
			r := newRig(t)
			defer r.clean()
			p := r.create()
			r.fault("pay.api", f.kind, "/v3/pay/transactions/jsapi", f.value, 1)
			if _, err := r.Prepay(t.Context(), p.ID); !errors.Is(err, wechat.ErrUnavailable) {
				t.Fatal(err)
			}
			r.want(p, StateCreated, 0, 0)
			r.prepay(p)
			if got := r.want(p, StatePrepaid, 0, 0); got.OutTradeNo != p.OutTradeNo {
				t.Fatal("the number changed")
			}
			if n := len(r.wx.Orders()); n != 1 {
				t.Fatal("orders at WeChat: ", n)
			}
			r.pay(p)
			r.notify(p)
			r.want(p, StatePaid, 1, 0)
		})
	}
}

func TestPrepayTimesOut(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.create()
	if _, err := r.wx.SetFault(wxsandbox.Fault{Target: "pay.api", Kind: "timeout", Path: "/v3/pay/transactions/jsapi", Count: 1, DelayMs: 60_000}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Prepay(t.Context(), p.ID); !errors.Is(err, wechat.ErrUnavailable) {
		t.Fatal(err)
	}
	r.want(p, StateCreated, 0, 0)
	r.prepay(p)
	r.want(p, StatePrepaid, 0, 0)
}

func TestPrepayIsRepeatable(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.create(func(c *Create) {
		c.ExpiresAt = r.clk.Now().Add(5 * time.Hour)
		c.Description = strings.Repeat("洗", 300)
	})
	first := r.prepay(p)
	r.fault("pay.api", "status", "/v3/pay/transactions/jsapi", "500", 1)
	if again := r.prepay(p); again.Jsapi.Package != first.Jsapi.Package || again.Jsapi.NonceStr == first.Jsapi.NonceStr {
		t.Fatal("within two hours the same prepay_id is signed anew, without asking WeChat")
	}
	r.wx.ClearFaults()
	r.clk.Advance(2 * time.Hour)
	if renewed := r.prepay(p); renewed.Jsapi.Package == first.Jsapi.Package {
		t.Fatal("a worn-out prepay_id is used")
	}
	if n := len(r.wx.Orders()); n != 1 {
		t.Fatal("orders at WeChat: ", n)
	}
	var wg sync.WaitGroup
	q := r.create()
	for range 10 {
		wg.Go(func() {
			if _, err := r.Prepay(t.Context(), q.ID); err != nil && !errors.Is(err, fault.ErrBusyWrite) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r.want(q, StatePrepaid, 0, 0)
}

func TestPrepayRefusedForGood(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p := r.create(func(c *Create) { c.OpenID = "oNobody" })
	if _, err := r.Prepay(t.Context(), p.ID); !errors.Is(err, wechat.ErrRejected) {
		t.Fatal(err)
	}
	if got := r.want(p, StateCreated, 0, 0); got.Alert == "" {
		t.Fatal("no alert")
	}
	r.later(16 * time.Minute)
	r.want(p, StateClosed, 0, 1)
}

func TestUnknownOrder(t *testing.T) {
	r := newRig(t)
	if _, err := r.Service.wx.PrepayJSAPI(t.Context(), wechat.Prepay{AppID: r.wxAppID(wxsandbox.AppMP), OpenID: r.openID(wxsandbox.AppMP),
		OutTradeNo: "SOMEBODYELSE1", Description: "x", AmountFen: 1, ExpiresAt: r.clk.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	p := Payment{OutTradeNo: "SOMEBODYELSE1"}
	r.pay(p)
	for range 2 {
		if s := r.notify(p); s != http.StatusNotFound {
			t.Fatal("answered ", s)
		}
	}
	var n int
	if err := r.db.Get(t.Context(), &n, `SELECT COUNT(*) FROM payment_notifications WHERE outcome = 'unknown_order' AND payment_id IS NULL`); err != nil || n != 1 {
		t.Fatal(n, err)
	}
}

func TestDatabaseAwayMakesWeChatRepeat(t *testing.T) {
	r := newRig(t)
	p := r.create()
	r.prepay(p)
	r.pay(p)
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	if s := r.notify(p); s != http.StatusServiceUnavailable {
		t.Fatal("answered ", s)
	}
}

func TestSweepFindsWhatJobsLost(t *testing.T) {
	r := newRig(t)
	defer r.clean()
	p, q := r.create(), r.create()
	r.prepay(p)
	r.prepay(q)
	r.pay(p)
	if err := r.db.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM jobs_queue WHERE kind LIKE 'payment.%'`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	r.clk.Advance(3 * time.Minute)
	if err := r.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.want(p, StatePaid, 1, 0)
	r.clk.Advance(20 * time.Minute)
	if err := r.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.want(q, StateClosed, 0, 1)
}
