package sale_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/wechat"
	"github.com/liangche/liangche/internal/wxsandbox"
)

var testCreds = sync.OnceValues(func() (wxsandbox.Credentials, error) { return wxsandbox.NewCredentials(time.Now()) })

// rig is a business with a simulated WeChat and one product: ten uses for price.
type rig struct {
	*shopfloor.Floor
	t     *testing.T
	sales *sale.Service
	pay   *payment.Service
	wx    *wxsandbox.Sandbox
	q     *jobs.Queue
	thing *thing
	keys  int
}

// thing is what is sold.
type thing struct {
	price    money.Fen
	gone     atomic.Bool
	balance  bool
	released atomic.Int64
}

func (p *thing) OfferTx(_ context.Context, _ *db.Tx, b sale.Buy) (sale.Terms, error) {
	return sale.Terms{Title: "十次卡", PriceFen: p.price * money.Fen(b.Qty), Account: ledger.Passes, BalanceAllowed: p.balance}, nil
}

func (p *thing) DeliverTx(_ context.Context, _ *db.Tx, s sale.Sale) (sale.Delivered, error) {
	if p.gone.Load() {
		return sale.Delivered{}, sale.ErrGone
	}
	return sale.Delivered{ID: s.ID + 1, Units: []ledger.Unit{ledger.Uses}, Legs: []ledger.Leg{{Unit: ledger.Uses, Amount: 10,
		Lot: &ledger.NewLot{RefKind: ledger.LotPassLine, RefID: s.ID}}, ledger.UsesLeg(-10)}, Lines: []sale.Line{{Title: "10 次"}}}, nil
}

func (p *thing) ReleaseTx(context.Context, *db.Tx, sale.Sale) error {
	p.released.Add(1)
	return nil
}

func newRig(t *testing.T) *rig {
	t.Helper()
	f := shopfloor.New(t)
	c, err := testCreds()
	shopfloor.Must(t, err)
	quiet := slog.New(slog.DiscardHandler)
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	r := &rig{Floor: f, t: t, thing: &thing{price: 30000, balance: true}}
	r.wx, err = wxsandbox.New(wxsandbox.Options{PublicURL: srv.URL + "/sandbox", NotifySpeedup: 1e9, Now: f.Clock.Now, RealNow: time.Now, Logger: quiet,
		Pay: wxsandbox.PayOptions{RefundDelay: time.Millisecond, RefundInterval: -1, BillsImmediate: true}}, c)
	shopfloor.Must(t, err)
	mux.Handle("/sandbox/", http.StripPrefix("/sandbox", r.wx.Handler()))
	api := srv.URL + "/sandbox"
	client, err := wechat.New(t.Context(), wechat.Config{
		MiniProgram:     wechat.App{AppID: c.MiniProgram.AppID, Secret: c.MiniProgram.Secret},
		OfficialAccount: wechat.App{AppID: c.OfficialAccount.AppID, Secret: c.OfficialAccount.Secret},
		Pay: wechat.Pay{MchID: c.MchID, APIv3Key: c.APIv3Key, MerchantSerial: c.MerchantSerial, MerchantPrivateKeyPEM: c.MerchantPrivateKeyPEM,
			PublicKeyID: c.PlatformPublicKeyID, PublicKeyPEM: c.PlatformPublicKeyPEM, NotifyURL: srv.URL + "/hooks/wxpay/notify", RefundNotifyURL: srv.URL + "/hooks/wxpay/refund"},
		Endpoints: wechat.Endpoints{API: api, Open: api, Pay: api}, Timeout: 2 * time.Second,
	}, nil)
	shopfloor.Must(t, err)
	r.q = jobs.New(f.DB, quiet)
	r.pay = payment.New(f.DB, r.q, client, quiet)
	r.sales = sale.New(f.DB, quiet, f.Members, r.pay, f.Shops, f.Settings)
	r.sales.Offer("thing", r.thing)
	mux.Handle("/hooks/wxpay/notify", r.pay.NotifyHandler())
	mux.Handle("/hooks/wxpay/refund", r.pay.RefundNotifyHandler())
	t.Cleanup(func() {
		if err := r.wx.Close(); err != nil {
			t.Error(err)
		}
		srv.Close()
		client.Close()
	})
	return r
}

// owner is a member with persona p1's WeChat.
func (r *rig) owner() int64 {
	r.t.Helper()
	m := r.Member("车主", "13900000001", "浙A12345")
	shopfloor.Must(r.t, r.DB.InTx(r.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		return tx.Insert(ctx, "member_identities", struct {
			ID     int64  `db:"id"`
			App    string `db:"app"`
			OpenID string `db:"openid"`
			Union  string `db:"unionid"`
			Member int64  `db:"member_id"`
			Bound  int64  `db:"bound_at"`
			Seen   int64  `db:"last_seen_at"`
			At     int64  `db:"created_at"`
		}{m + 1, member.AppMini, r.wx.Personas()[0].OpenIDs[wxsandbox.AppMP], "", m, tx.Millis(), tx.Millis(), tx.Millis()})
	}))
	return m
}

// as is the owner with an idempotency key; "" is a fresh one.
func (r *rig) as(m int64, key string) context.Context {
	if key == "" {
		r.keys++
		key = fmt.Sprintf("owner-%06d", r.keys)
	}
	return idem.With(actor.With(r.t.Context(), r.Owner(m)), idem.Key{Actor: fmt.Sprintf("owner:%d", m), Key: key, Hash: "x"})
}

func (r *rig) buy(ctx context.Context, m, store int64, method string) (sale.Sale, error) {
	x, _, err := r.sales.Begin(ctx, sale.Buy{Kind: "thing", SubjectID: 1, MemberID: m, StoreID: store}, sale.Pay{Method: method, Reference: "ref"})
	return x, err
}

func (r *rig) outTradeNo(x sale.Sale) string {
	r.t.Helper()
	p, err := r.pay.Get(r.t.Context(), r.DB, x.PaymentID)
	shopfloor.Must(r.t, err)
	return p.OutTradeNo
}

// pays pays at WeChat without any notification being sent.
func (r *rig) pays(x sale.Sale, change ...func(*wxsandbox.PayRequest)) {
	r.t.Helper()
	in := wxsandbox.PayRequest{OutTradeNo: r.outTradeNo(x), PersonaID: "p1", Outcome: wxsandbox.OutcomePayLoseNotice}
	for _, f := range change {
		f(&in)
	}
	_, err := r.wx.Pay(in)
	shopfloor.Must(r.t, err)
}

// later moves the clock and runs what is due.
func (r *rig) later(d time.Duration) {
	r.t.Helper()
	r.Clock.Advance(d)
	shopfloor.Must(r.t, r.q.Drain(r.t.Context()))
}

// want checks the state of a sale, the uses of its buyer and how often something was released, and every book.
func (r *rig) want(x sale.Sale, state string, uses, released int64) sale.Sale {
	r.t.Helper()
	got, err := r.sales.Sale(r.t.Context(), 0, x.ID)
	shopfloor.Must(r.t, err)
	if got.State != state || r.thing.released.Load() != released {
		r.t.Errorf("sale is %s and %d were released, want %s and %d", got.State, r.thing.released.Load(), state, released)
	}
	b, err := ledger.Peek(r.t.Context(), r.DB, r.DB.Now(), x.MemberID, ledger.Uses)
	shopfloor.Must(r.t, err)
	if b.Balance(ledger.Uses) != uses {
		r.t.Errorf("the buyer holds %d uses, want %d", b.Balance(ledger.Uses), uses)
	}
	r.exact()
	return got
}

func (r *rig) exact() {
	r.t.Helper()
	var out []string
	say := func(p string) { out = append(out, p) }
	shopfloor.Must(r.t, ledger.Audit(r.t.Context(), r.DB, say, func(int) {}))
	shopfloor.Must(r.t, r.sales.Audit(r.t.Context(), say))
	shopfloor.Must(r.t, r.Wallet.Audit(r.t.Context(), say))
	shopfloor.Must(r.t, r.pay.Audit(r.t.Context(), say))
	if len(out) > 0 {
		r.t.Errorf("audit: %s", strings.Join(out, "\n"))
	}
}

// account is what stands on a shop account.
func (r *rig) account(name string) (n int64) {
	r.t.Helper()
	shopfloor.Must(r.t, r.DB.Get(r.t.Context(), &n, `SELECT COALESCE(SUM(amount), 0) FROM ledger_entries WHERE account = ?`, name))
	return n
}

func (r *rig) holds(m int64, principal, bonus int64) {
	r.t.Helper()
	b, err := ledger.BalanceOf(r.t.Context(), r.DB, m)
	shopfloor.Must(r.t, err)
	if b.Principal != principal || b.Bonus != bonus {
		r.t.Errorf("the wallet holds %d+%d, want %d+%d", b.Principal, b.Bonus, principal, bonus)
	}
}

func (r *rig) refund(x sale.Sale, amount money.Fen) (id int64, err error) {
	err = r.DB.InTx(actor.With(r.t.Context(), r.Staff()), func(ctx context.Context, tx *db.Tx) error {
		id, err = r.sales.RefundTx(ctx, tx, sale.Refund{SaleID: x.ID, AmountFen: amount, Reason: "退款"})
		return err
	})
	return id, err
}
