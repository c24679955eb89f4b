package payment

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/wechat"
	"github.com/liangche/liangche/internal/wxsandbox"
)

var testCreds = sync.OnceValues(func() (wxsandbox.Credentials, error) { return wxsandbox.NewCredentials(time.Now()) })

// rig is the service with a sandbox for WeChat, joined by loopback HTTP in both directions.
type rig struct {
	*Service
	t    *testing.T
	db   *db.DB
	clk  *clock.Manual
	wx   *wxsandbox.Sandbox
	q    *jobs.Queue
	shop *shopFake
	srv  *httptest.Server
	subj int64
}

// shopFake is what payments are good for. It counts in the database, so that a rolled-back credit does not count.
type shopFake struct {
	refuse atomic.Bool // PaidTx: the subject does not want the money
	broken atomic.Bool // PaidTx fails
}

func (f *shopFake) note(ctx context.Context, tx *db.Tx, what string, id int64, detail any) error {
	return audit.RecordTx(ctx, tx, audit.Entry{Action: "test." + what, SubjectKind: "test", SubjectID: id, Detail: detail})
}

func (f *shopFake) PaidTx(ctx context.Context, tx *db.Tx, p Payment) (bool, error) {
	if f.broken.Load() {
		return false, errors.New("the till is on fire")
	}
	if p.State != StatePaid || p.PaidFen != p.AmountFen || p.TransactionID == "" || p.PaidAt.IsZero() {
		return false, errors.New("PaidTx got a payment that is not paid")
	}
	if f.refuse.Load() {
		return false, nil
	}
	return true, f.note(ctx, tx, "paid", p.ID, map[string]any{"fen": p.PaidFen})
}

func (f *shopFake) ClosedTx(ctx context.Context, tx *db.Tx, p Payment) error {
	return f.note(ctx, tx, "closed", p.ID, p.State)
}

func (f *shopFake) RefundedTx(ctx context.Context, tx *db.Tx, r Refund) error {
	return f.note(ctx, tx, "refunded_"+r.State, r.PaymentID, map[string]any{"fen": r.AmountFen})
}

func newRig(t *testing.T) *rig {
	t.Helper()
	d, clk := dbtest.New(t)
	c, err := testCreds()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, db: d, clk: clk, shop: &shopFake{}}
	mux := http.NewServeMux()
	r.srv = httptest.NewServer(mux)
	r.wx, err = wxsandbox.New(wxsandbox.Options{
		PublicURL: r.srv.URL + "/sandbox", NotifySpeedup: 1e9, Now: clk.Now, RealNow: time.Now, Logger: slog.New(slog.DiscardHandler),
		Pay: wxsandbox.PayOptions{RefundDelay: time.Millisecond, RefundInterval: -1, BillsImmediate: true},
	}, c)
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/sandbox/", http.StripPrefix("/sandbox", r.wx.Handler()))
	api := r.srv.URL + "/sandbox"
	client, err := wechat.New(t.Context(), wechat.Config{
		MiniProgram:     wechat.App{AppID: c.MiniProgram.AppID, Secret: c.MiniProgram.Secret},
		OfficialAccount: wechat.App{AppID: c.OfficialAccount.AppID, Secret: c.OfficialAccount.Secret},
		Pay: wechat.Pay{MchID: c.MchID, APIv3Key: c.APIv3Key, MerchantSerial: c.MerchantSerial, MerchantPrivateKeyPEM: c.MerchantPrivateKeyPEM,
			PublicKeyID: c.PlatformPublicKeyID, PublicKeyPEM: c.PlatformPublicKeyPEM,
			NotifyURL: r.srv.URL + "/hooks/wxpay/notify", RefundNotifyURL: r.srv.URL + "/hooks/wxpay/refund"},
		Endpoints: wechat.Endpoints{API: api, Open: api, Pay: api}, Timeout: 2 * time.Second,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.q = jobs.New(d, slog.New(slog.DiscardHandler))
	r.Service = New(d, r.q, client, slog.New(slog.DiscardHandler))
	r.Fulfil("topup", r.shop)
	r.Fulfil("order", r.shop)
	mux.Handle("/hooks/wxpay/notify", r.NotifyHandler())
	mux.Handle("/hooks/wxpay/refund", r.RefundNotifyHandler())
	t.Cleanup(func() {
		if err := r.wx.Close(); err != nil {
			t.Error(err)
		}
		r.srv.Close()
		client.Close()
	})
	return r
}

// clean is deferred by most tests: whatever happened, the books must be right.
func (r *rig) clean() {
	r.t.Helper()
	if err := r.Audit(r.t.Context(), func(p string) { r.t.Error("audit: " + p) }); err != nil {
		r.t.Error(err)
	}
}

func (r *rig) openID(app string) string { return r.wx.Personas()[0].OpenIDs[app] }

// create makes a JSAPI payment of 500 yuan by persona p1, valid for 15 minutes.
func (r *rig) create(change ...func(*Create)) Payment {
	r.t.Helper()
	r.subj++
	in := Create{Purpose: "topup", SubjectID: r.subj, App: wechat.MiniProgram, TradeType: JSAPI, AmountFen: 50000, OpenID: r.openID(wxsandbox.AppMP),
		Description: "储值 500 元", ExpiresAt: r.clk.Now().Add(15 * time.Minute)}
	for _, f := range change {
		f(&in)
	}
	var p Payment
	if err := r.db.InTx(r.t.Context(), func(ctx context.Context, tx *db.Tx) (err error) { p, err = r.CreateTx(ctx, tx, in); return err }); err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *rig) prepay(p Payment) Prepared {
	r.t.Helper()
	out, err := r.Prepay(r.t.Context(), p.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// pay pays at WeChat without any notification being sent.
func (r *rig) pay(p Payment, change ...func(*wxsandbox.PayRequest)) {
	r.t.Helper()
	in := wxsandbox.PayRequest{OutTradeNo: p.OutTradeNo, PersonaID: "p1", Outcome: wxsandbox.OutcomePayLoseNotice}
	for _, f := range change {
		f(&in)
	}
	if _, err := r.wx.Pay(in); err != nil {
		r.t.Fatal(err)
	}
}

// notify sends the order's notifications once and returns the HTTP status of the last answer.
func (r *rig) notify(p Payment) int {
	r.t.Helper()
	if _, err := r.wx.Resend(p.OutTradeNo); err != nil {
		r.t.Fatal(err)
	}
	status := 0
	for _, n := range r.wx.Notifications() {
		if n.OutTradeNo == p.OutTradeNo && len(n.Attempts) > 0 {
			status = n.Attempts[len(n.Attempts)-1].Status
		}
	}
	return status
}

func (r *rig) fault(target, kind, path, value string, count int) {
	r.t.Helper()
	if _, err := r.wx.SetFault(wxsandbox.Fault{Target: target, Kind: kind, Path: path, Value: wxsandbox.FaultValue(value), Count: count}); err != nil {
		r.t.Fatal(err)
	}
}

// later moves the clock and runs what is due.
func (r *rig) later(d time.Duration) {
	r.t.Helper()
	r.clk.Advance(d)
	if err := r.q.Drain(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) get(p Payment) Payment {
	r.t.Helper()
	out, err := r.Get(r.t.Context(), r.db, p.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// want checks the state and that the subject was credited and closed so many times.
func (r *rig) want(p Payment, state string, credits, closes int) Payment {
	r.t.Helper()
	got := r.get(p)
	if got.State != state {
		r.t.Fatalf("state %s (alert %q), want %s", got.State, got.Alert, state)
	}
	if n := r.count("paid", p.ID); n != credits {
		r.t.Fatalf("credited %d times, want %d", n, credits)
	}
	if n := r.count("closed", p.ID); n != closes {
		r.t.Fatalf("told closed %d times, want %d", n, closes)
	}
	return got
}

func (r *rig) count(what string, id int64) (n int) {
	r.t.Helper()
	if err := r.db.Get(r.t.Context(), &n, `SELECT COUNT(*) FROM audit_log WHERE action = ? AND subject_id = ?`, "test."+what, id); err != nil {
		r.t.Fatal(err)
	}
	return n
}

func (r *rig) outcomes(p Payment) string {
	r.t.Helper()
	rows, err := notificationsOf(r.t.Context(), r.db, p.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	for _, n := range rows {
		out = append(out, n.Outcome)
	}
	return strings.Join(out, ",")
}

// paid makes a payment that is paid and credited.
func (r *rig) paid(change ...func(*Create)) Payment {
	r.t.Helper()
	p := r.create(change...)
	r.prepay(p)
	r.pay(p)
	if s := r.notify(p); s != http.StatusNoContent {
		r.t.Fatalf("notification answered %d", s)
	}
	return r.want(p, StatePaid, 1, 0)
}

func (r *rig) refund(p Payment, fen money.Fen) Refund {
	r.t.Helper()
	f, err := r.tryRefund(p, fen)
	if err != nil {
		r.t.Fatal(err)
	}
	return f
}

func (r *rig) tryRefund(p Payment, fen money.Fen) (f Refund, err error) {
	err = r.db.InTx(r.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		f, err = r.RefundTx(ctx, tx, RefundCreate{PaymentID: p.ID, AmountFen: fen, Reason: "会员退款", SubjectKind: "wallet_refund", SubjectID: 7})
		return err
	})
	return f, err
}

func (r *rig) refundState(f Refund) Refund {
	r.t.Helper()
	out, err := r.Refund(r.t.Context(), r.db, f.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// until polls for what another goroutine, such as the sandbox's refund, brings about.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for range 1000 {
		if f() {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Fatal("never: " + what)
}

func staffCtx(t *testing.T, stores ...int64) context.Context {
	return actor.With(t.Context(), actor.Actor{Kind: actor.Staff, ID: 9, Name: "孙店长", Stores: stores})
}
