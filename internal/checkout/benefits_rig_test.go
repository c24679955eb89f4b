package checkout_test

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
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/group"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/points"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/tier"
	"github.com/liangche/liangche/internal/wechat"
	"github.com/liangche/liangche/internal/wxsandbox"
)

var wxKeys = sync.OnceValues(func() (wxsandbox.Credentials, error) { return wxsandbox.NewCredentials(time.Now()) })

// club is a business whose members have passes, rights, coupons, points and families, with a simulated WeChat.
type club struct {
	*shopfloor.Floor
	t       *testing.T
	till    *checkout.Service
	pay     *payment.Service
	sales   *sale.Service
	passes  *pass.Service
	coupons *coupon.Service
	points  *points.Service
	groups  *group.Service
	wx      *wxsandbox.Sandbox
	mat     int64 // a good of 25.00
	n       atomic.Int64
}

type mute struct{}

func (mute) Recipients(context.Context, int64) ([]notify.Recipient, error) { return nil, nil }
func (mute) OpenID(context.Context, int64) (string, string, error) {
	return "", "", fault.ErrNotFound
}
func (mute) Find(context.Context, coupon.Filter, int64, int) ([]int64, error) { return nil, nil }
func (mute) Count(context.Context, coupon.Filter) (int64, error)              { return 0, nil }

func openClub(t *testing.T) *club {
	t.Helper()
	f := shopfloor.New(t)
	c := &club{Floor: f, t: t}
	quiet := slog.New(slog.DiscardHandler)
	q := jobs.New(f.DB, quiet)
	key, err := secret.Generate()
	shopfloor.Must(t, err)
	box, err := secret.New(key)
	shopfloor.Must(t, err)
	c.pay = payment.New(f.DB, q, c.wechat(), quiet)
	messages := notify.New(f.DB, q, mute{}, nil, f.Settings, notify.Options{})
	c.sales = sale.New(f.DB, quiet, f.Members, c.pay, f.Shops, f.Settings)
	c.passes = pass.New(pass.Deps{DB: f.DB, Log: quiet, Queue: q, Members: f.Members, Catalog: f.Catalog, Shops: f.Shops, Settings: f.Settings, Messages: messages, Sales: c.sales})
	c.coupons = coupon.New(coupon.Deps{DB: f.DB, Log: quiet, Box: box, Queue: q, Members: f.Members, Catalog: f.Catalog, Shops: f.Shops, Settings: f.Settings, Messages: messages, People: mute{}, BaseURL: "https://x/"})
	c.points = points.New(f.DB, quiet, f.Members, f.Shops, f.Settings, messages, func(ctx context.Context, r db.Reader, id int64) (int64, error) {
		v, err := f.Tiers.OfMember(ctx, r, id)
		return v.ID, err
	})
	c.groups = group.New(group.Deps{DB: f.DB, Box: box, Members: f.Members, Tiers: f.Tiers, Catalog: f.Catalog, Shops: f.Shops, Settings: f.Settings, Messages: messages, Queue: q, InviteURL: "https://x/?code="})
	f.Tiers.Connect(f.Settings, tier.Deps{Log: quiet, People: f.Members, Messages: messages, Catalog: f.Catalog, Shops: f.Shops, Sales: c.sales})
	c.till = checkout.New(f.DB, quiet, f.Members, c.pay, f.Catalog, f.Tiers, f.Shops, f.Settings, messages)
	c.till.Bring(checkout.Assets{Passes: c.passes, Coupons: c.coupons, Points: c.points, Groups: c.groups})
	c.set(setting.PointsEarnBP, 10000)
	c.set(setting.RequireCode, false)
	mat, err := f.Catalog.CreateGood(f.Ctx(), catalog.GoodInput{Name: "玻璃水", Unit: "瓶", PriceFen: 2500})
	shopfloor.Must(t, err)
	c.mat = mat.ID
	return c
}

// wechat is a sandbox that tells nobody of a payment: tests ask.
func (c *club) wechat() *wechat.Client {
	c.t.Helper()
	keys, err := wxKeys()
	shopfloor.Must(c.t, err)
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	c.wx, err = wxsandbox.New(wxsandbox.Options{PublicURL: srv.URL + "/sandbox", NotifySpeedup: 1e9, Now: c.Clock.Now, RealNow: time.Now, Logger: slog.New(slog.DiscardHandler),
		Pay: wxsandbox.PayOptions{RefundDelay: time.Millisecond, RefundInterval: -1}}, keys)
	shopfloor.Must(c.t, err)
	mux.Handle("/sandbox/", http.StripPrefix("/sandbox", c.wx.Handler()))
	api := srv.URL + "/sandbox"
	client, err := wechat.New(c.t.Context(), wechat.Config{
		MiniProgram:     wechat.App{AppID: keys.MiniProgram.AppID, Secret: keys.MiniProgram.Secret},
		OfficialAccount: wechat.App{AppID: keys.OfficialAccount.AppID, Secret: keys.OfficialAccount.Secret},
		Pay: wechat.Pay{MchID: keys.MchID, APIv3Key: keys.APIv3Key, MerchantSerial: keys.MerchantSerial, MerchantPrivateKeyPEM: keys.MerchantPrivateKeyPEM,
			PublicKeyID: keys.PlatformPublicKeyID, PublicKeyPEM: keys.PlatformPublicKeyPEM, NotifyURL: srv.URL + "/nowhere", RefundNotifyURL: srv.URL + "/nowhere"},
		Endpoints: wechat.Endpoints{API: api, Open: api, Pay: api}, Timeout: 5 * time.Second,
	}, nil)
	shopfloor.Must(c.t, err)
	c.t.Cleanup(func() {
		_ = c.wx.Close()
		srv.Close()
		client.Close()
	})
	return client
}

func (c *club) set(key string, v any) {
	c.t.Helper()
	shopfloor.Must(c.t, c.Settings.Update(c.Ctx(), []setting.Value{{Key: key, Value: v}}))
}

// member has a car, and 580.00 in the wallet when rich.
func (c *club) member(rich bool) int64 {
	c.t.Helper()
	n := c.n.Add(1)
	m := c.Member("会员", fmt.Sprintf("137%08d", n), fmt.Sprintf("浙C%05d", n))
	if rich {
		c.Topup(c.West, m, 50000, "cash")
	}
	return m
}

// pass sells m a card of so many washes at 30.00 each, for cash.
func (c *club) pass(m, times int64, change ...func(*pass.PlanInput)) pass.Pass {
	c.t.Helper()
	in := pass.PlanInput{Offer: pass.Offer{Name: fmt.Sprintf("洗车卡%d", c.n.Add(1)), Kind: pass.KindTimes, PriceFen: money.Fen(3000 * times), ValidMonths: 12,
		Lines: []pass.PlanLine{{ServiceIDs: []int64{c.Wash}, Times: times, ListFen: 4500}}}, OnSale: true}
	for _, f := range change {
		f(&in)
	}
	plan, err := c.passes.CreatePlan(c.Ctx(), in)
	shopfloor.Must(c.t, err)
	x, _, err := c.sales.Begin(c.Ctx(), sale.Buy{Kind: pass.SalePass, SubjectID: plan.ID, MemberID: m, StoreID: c.West}, sale.Pay{Method: "cash"})
	shopfloor.Must(c.t, err)
	p, err := c.passes.Pass(c.t.Context(), m, x.ResultID)
	shopfloor.Must(c.t, err)
	return p
}

// coupon issues one to m that takes off so much.
func (c *club) coupon(m int64, off money.Fen, change ...func(*coupon.TemplateInput)) int64 {
	c.t.Helper()
	in := coupon.TemplateInput{Terms: coupon.Terms{Name: fmt.Sprintf("券%d", c.n.Add(1)), Kind: coupon.KindAmount, OffFen: off, Stack: "any", ValidDays: 30}}
	for _, f := range change {
		f(&in)
	}
	v, err := c.coupons.CreateTemplate(c.Ctx(), in)
	shopfloor.Must(c.t, err)
	var ids []int64
	shopfloor.Must(c.t, c.DB.InTx(c.t.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
		ids, err = c.coupons.IssueTx(ctx, tx, coupon.Issue{TemplateID: v.ID, MemberID: m, N: 1, Source: "test"})
		return err
	}))
	return ids[0]
}

func (c *club) couponIs(id int64, want string) {
	c.t.Helper()
	var got string
	shopfloor.Must(c.t, c.DB.Get(c.t.Context(), &got, `SELECT state FROM coupon_coupons WHERE id = ?`, id))
	if got != want {
		c.t.Errorf("the coupon is %s, want %s", got, want)
	}
}

// give gives points for nothing.
func (c *club) give(m, n int64) {
	c.t.Helper()
	shopfloor.Must(c.t, c.DB.InTx(c.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		return c.points.GiveTx(ctx, tx, points.Gift{MemberID: m, N: n, Source: points.FromManual, Dedupe: fmt.Sprint("test:", c.n.Add(1)), Title: "赠送"})
	}))
}

func (c *club) setTier(m, tierID int64) {
	c.t.Helper()
	shopfloor.Must(c.t, c.DB.InTx(c.Ctx(), func(ctx context.Context, tx *db.Tx) error {
		return c.Tiers.SetMemberTierTx(ctx, tx, m, tierID, "老顾客")
	}))
}

func (c *club) asks(m int64, items ...checkout.Item) checkout.Request {
	if len(items) == 0 {
		items = []checkout.Item{{Kind: catalog.KindService, ID: c.Wash, Qty: 1}}
	}
	return checkout.Request{StoreID: c.West, MemberID: m, Plate: "浙A12345", VehicleClassID: c.Car, Items: items}
}

func (c *club) quote(r checkout.Request) checkout.Quote {
	c.t.Helper()
	q, err := c.till.Quote(c.Ctx(), r)
	shopfloor.Must(c.t, err)
	return q
}

// key is a context with a key of its own; it may be asked for from several goroutines.
func (c *club) key() context.Context {
	return idem.With(actor.With(c.t.Context(), c.Staff()), idem.Key{Actor: "staff:7", Key: fmt.Sprintf("club-%08d", c.n.Add(1)), Hash: "x"})
}

func tender(kind string, fen money.Fen) checkout.Tender {
	return checkout.Tender{Kind: kind, AmountFen: fen, Reference: "ref"}
}

// settles rings a request up at the quoted price, with what is named, and cash for the rest.
func (c *club) settles(r checkout.Request, tenders ...checkout.Tender) checkout.Order {
	c.t.Helper()
	o, err := c.try(r, tenders...)
	shopfloor.Must(c.t, err)
	return o
}

func (c *club) try(r checkout.Request, tenders ...checkout.Tender) (checkout.Order, error) {
	c.Clock.Advance(time.Second)
	q, err := c.till.Quote(c.key(), r)
	if err != nil {
		return checkout.Order{}, err
	}
	rest := q.TotalFen
	for _, t := range tenders {
		rest -= t.AmountFen
	}
	if rest > 0 {
		tenders = append(tenders, tender(checkout.TenderCash, rest))
	}
	return c.till.Settle(c.key(), r, q.QuoteHash, tenders)
}

func (c *club) reverse(id int64) checkout.Order {
	c.t.Helper()
	c.Clock.Advance(time.Second)
	o, err := c.till.Reverse(c.key(), id, "客户要求撤销")
	shopfloor.Must(c.t, err)
	return o
}

// scans pays what an order waits for at WeChat, and the till asks.
func (c *club) scans(o checkout.Order) checkout.Order {
	c.t.Helper()
	p, err := c.pay.Get(c.t.Context(), c.DB, o.PaymentID)
	shopfloor.Must(c.t, err)
	_, err = c.till.Poll(c.key(), o.ID) // the code is made
	shopfloor.Must(c.t, err)
	_, err = c.wx.Pay(wxsandbox.PayRequest{OutTradeNo: p.OutTradeNo, PersonaID: c.wx.Personas()[0].ID, Outcome: wxsandbox.OutcomePayLoseNotice})
	shopfloor.Must(c.t, err)
	_, err = c.pay.Check(c.t.Context(), o.PaymentID)
	shopfloor.Must(c.t, err)
	o, err = c.till.Order(c.key(), o.ID)
	shopfloor.Must(c.t, err)
	return o
}

// holds checks what a member has: uses, points and debt.
func (c *club) holds(m, uses, pts, debt int64) {
	c.t.Helper()
	b, err := ledger.BalanceOf(c.t.Context(), c.DB, m)
	shopfloor.Must(c.t, err)
	if b.Uses != uses || b.Points != pts || b.PointsDebt != debt {
		c.t.Errorf("%d uses, %d points, %d owed; want %d, %d, %d", b.Uses, b.Points, b.PointsDebt, uses, pts, debt)
	}
}

func (c *club) account(name string) (n int64) {
	c.t.Helper()
	shopfloor.Must(c.t, c.DB.Get(c.t.Context(), &n, `SELECT COALESCE(SUM(amount), 0) FROM ledger_entries WHERE account = ?`, name))
	return n
}

// exact fails unless every book is.
func (c *club) exact() {
	c.t.Helper()
	var out []string
	say := func(p string) { out = append(out, p) }
	for _, audit := range []func(context.Context, func(string)) error{c.till.Audit, c.sales.Audit, c.passes.Audit, c.points.Audit, c.coupons.Audit, c.groups.Audit, c.Wallet.Audit, c.pay.Audit,
		func(ctx context.Context, say func(string)) error { return ledger.Audit(ctx, c.DB, say, func(int) {}) }} {
		shopfloor.Must(c.t, audit(c.t.Context(), say))
	}
	if len(out) > 0 {
		c.t.Errorf("audit: %s", strings.Join(out, "\n"))
	}
}
