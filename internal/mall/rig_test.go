package mall

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/points"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/tier"
	"github.com/liangche/liangche/internal/wechat"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// rig is a shop with a mall, two stores and a WeChat that answers; it is Wednesday, 18 November 2026, 10:00 in Shanghai.
type rig struct {
	*Service
	t            testing.TB
	clk          *clock.Manual
	wx           *wxsandbox.Sandbox
	queue        *jobs.Queue
	pay          *payment.Service
	store, other int64
	gold         int64
	keys         atomic.Int64
	over         atomic.Bool // what is given at once is refused
}

type stub struct{}

func (stub) TotalFen(context.Context, int64) (money.Fen, error)            { return 0, nil }
func (stub) TierName(context.Context, int64) (string, error)               { return "", nil }
func (stub) SetTierTx(context.Context, *db.Tx, int64, int64, string) error { return nil }
func (stub) Recipients(context.Context, int64) ([]notify.Recipient, error) { return nil, nil }
func (stub) OpenID(context.Context, int64) (string, string, error)         { return "", "", fault.ErrNotFound }

// presents notes what was given, as part of the transaction; with over it refuses in the middle of it.
type presents struct{ over *atomic.Bool }

func (presents) Check(_ context.Context, _ db.Reader, id, _ int64) (string, error) {
	if id != 7 {
		return "", fault.ErrInvalid.Say("没有这种券")
	}
	return "洗车券", nil
}

func (p presents) GiveTx(ctx context.Context, tx *db.Tx, g campaign.Grant) ([]int64, error) {
	_, err := tx.Exec(ctx, `UPDATE campaign_gifts SET ended_at = ended_at + ? WHERE id = ?`, g.N, g.GiftID)
	if err == nil && p.over.Load() {
		err = errOver
	}
	return nil, err
}
func (presents) TakeBackTx(context.Context, *db.Tx, campaign.Grant) error { return nil }

var errOver = fault.Define(fault.Conflict, "mall_test.over", "已达到每人可领的张数")

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var sandboxKeys = sync.OnceValues(func() (wxsandbox.Credentials, error) { return wxsandbox.NewCredentials(time.Now()) })

func newRig(t testing.TB) *rig {
	t.Helper()
	d, clk := dbtest.New(t)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	key, err := secret.Generate()
	must(t, err)
	box, err := secret.New(key)
	must(t, err)
	r := &rig{t: t, clk: clk, queue: jobs.New(d, log)}
	settings, shops, tiers := setting.New(d), shop.New(d), tier.New(d)
	cat := catalog.New(d, shops)
	members := member.New(d, box, settings, nil, cat, member.Options{})
	members.Connect(stub{}, stub{})
	r.pay = payment.New(d, r.queue, r.platform(log), log)
	messages := notify.New(d, r.queue, stub{}, nil, settings, notify.Options{})
	gifts := campaign.New(d, log, box, members, tiers, nil)
	gifts.Connect(campaign.Coupon, presents{&r.over})
	pts := points.New(d, log, members, shops, settings, messages, func(ctx context.Context, rd db.Reader, id int64) (int64, error) {
		x, err := tiers.OfMember(ctx, rd, id)
		return x.ID, err
	})
	ctx := r.staff()
	must(t, tiers.EnsureDefault(ctx))
	gold, err := tiers.Create(ctx, tier.Input{Name: "金卡", Color: "#CC9900", Rank: 5, DiscountBP: 9000})
	must(t, err)
	r.gold = gold.ID
	for _, x := range []struct {
		name string
		id   *int64
	}{{"静安店", &r.store}, {"浦东店", &r.other}} {
		st, err := shops.Create(ctx, shop.Input{Name: x.name})
		must(t, err)
		*x.id = st.ID
	}
	r.Service = New(Deps{DB: d, Log: log, Box: box, Members: members, Catalog: cat, Tiers: tiers, Shops: shops, Points: pts, Sales: sale.New(d, log, members, r.pay, shops, settings), Gifts: gifts,
		Messages: messages, ImageURL: func(k string) string { return k }})
	return r
}

// platform is a sandbox that answers on a loopback address; its notifications go nowhere, so tests ask by Check.
func (r *rig) platform(log *slog.Logger) *wechat.Client {
	r.t.Helper()
	c, err := sandboxKeys()
	must(r.t, err)
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	r.wx, err = wxsandbox.New(wxsandbox.Options{PublicURL: srv.URL + "/sandbox", NotifySpeedup: 1e9, Now: r.clk.Now, RealNow: time.Now, Logger: log,
		Pay: wxsandbox.PayOptions{RefundDelay: time.Millisecond, RefundInterval: -1}}, c)
	must(r.t, err)
	mux.Handle("/sandbox/", http.StripPrefix("/sandbox", r.wx.Handler()))
	api := srv.URL + "/sandbox"
	client, err := wechat.New(r.t.Context(), wechat.Config{
		MiniProgram: wechat.App{AppID: c.MiniProgram.AppID, Secret: c.MiniProgram.Secret},
		Pay: wechat.Pay{MchID: c.MchID, APIv3Key: c.APIv3Key, MerchantSerial: c.MerchantSerial, MerchantPrivateKeyPEM: c.MerchantPrivateKeyPEM,
			PublicKeyID: c.PlatformPublicKeyID, PublicKeyPEM: c.PlatformPublicKeyPEM, NotifyURL: srv.URL + "/nowhere", RefundNotifyURL: srv.URL + "/nowhere"},
		Endpoints: wechat.Endpoints{API: api, Open: api, Pay: api}, Timeout: 5 * time.Second,
	}, log)
	must(r.t, err)
	r.t.Cleanup(func() {
		_ = r.wx.Close()
		srv.Close()
		client.Close()
	})
	return client
}

func (r *rig) key(who string) idem.Key {
	return idem.Key{Actor: who, Key: fmt.Sprintf("key-%08d", r.keys.Add(1)), Hash: "x"}
}

// staff acts as a manager with a fresh idempotency key.
func (r *rig) staff() context.Context {
	who := actor.Actor{Kind: actor.Staff, ID: 7, Name: "孙店长", Permissions: perm.Keys(), AllStores: true}
	return idem.With(actor.With(r.t.Context(), who), r.key("staff"))
}

// desk acts in one store.
func (r *rig) desk(store int64) context.Context {
	who := actor.Actor{Kind: actor.Staff, ID: 8, Name: "李前台", Permissions: []string{perm.MallDeliver}, Stores: []int64{store}}
	return idem.With(actor.With(r.t.Context(), who), r.key("desk"))
}

// join makes a member with points and, on WeChat, the identity of a persona.
func (r *rig) join(n int64) int64 {
	r.t.Helper()
	k := r.keys.Add(1)
	j, err := r.Members.Register(actor.With(r.t.Context(), actor.Job("test")), member.NewMember{StoreID: r.store, Phone: fmt.Sprintf("138%08d", k), Name: "车主"})
	must(r.t, err)
	must(r.t, r.db.InTx(r.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		if n > 0 {
			if err := r.Points.GiveTx(ctx, tx, points.Gift{MemberID: j.MemberID, N: n, Source: points.FromManual, Dedupe: fmt.Sprintf("test:%d", k), Title: "测试"}); err != nil {
				return err
			}
		}
		if len(r.wx.Personas()) == 0 {
			return nil
		}
		return tx.Insert(ctx, "member_identities", struct {
			ID     int64  `db:"id"`
			App    string `db:"app"`
			OpenID string `db:"openid"`
			Union  string `db:"unionid"`
			Member int64  `db:"member_id"`
			Bound  int64  `db:"bound_at"`
			Seen   int64  `db:"last_seen_at"`
			At     int64  `db:"created_at"`
		}{j.MemberID + 1, member.AppMini, r.openID(k), "", j.MemberID, tx.Millis(), tx.Millis(), tx.Millis()})
	}))
	return j.MemberID
}

// openID adds a persona.
func (r *rig) openID(k int64) string {
	p, err := r.wx.AddPersona(wxsandbox.Persona{Nickname: "车主", Phone: fmt.Sprintf("139%08d", k)})
	must(r.t, err)
	return p.OpenIDs[wxsandbox.AppMP]
}

// owner is a member acting with a fresh key.
func (r *rig) owner(m int64) context.Context {
	return idem.With(actor.With(r.t.Context(), actor.Actor{Kind: actor.Owner, ID: m + 1, MemberID: m, App: member.AppMini}), r.key(fmt.Sprintf("owner:%d", m)))
}

func (r *rig) item(in ItemInput) Item {
	r.t.Helper()
	if in.Name == "" {
		in.Name = "脚垫"
	}
	if in.Kind == "" {
		in.Kind = KindGood
	}
	if in.Points == 0 {
		in.Points = 100
	}
	i, err := r.SaveItem(r.staff(), 0, in)
	must(r.t, err)
	return i
}

func (r *rig) ask(i Item, qty int64) Ask {
	return Ask{ItemID: i.ID, Qty: qty, Points: i.Points, MoneyFen: i.MoneyFen, StoreID: r.store}
}

func (r *rig) ordered(m int64, a Ask) Order {
	r.t.Helper()
	o, _, err := r.Order(r.owner(m), m, a)
	must(r.t, err)
	return o
}

func (r *rig) code(o Order) string {
	r.t.Helper()
	v, err := r.own(r.t.Context(), o)
	must(r.t, err)
	return v.PickupCode
}

func (r *rig) has(m int64) int64 {
	r.t.Helper()
	b, err := r.Points.Of(r.t.Context(), m)
	must(r.t, err)
	return b.Available - b.Debt
}

func (r *rig) stock(i Item) int64 {
	r.t.Helper()
	got, err := itemByID(r.t.Context(), r.db, i.ID, "")
	must(r.t, err)
	return got.Stock
}

func (r *rig) state(o Order, want string) Order {
	r.t.Helper()
	got, err := orderByID(r.t.Context(), r.db, o.ID, "")
	must(r.t, err)
	if got.State != want {
		r.t.Fatalf("the order is %s, want %s", got.State, want)
	}
	return got
}

func (r *rig) wantErr(err, want error) *fault.Error {
	r.t.Helper()
	if !errors.Is(err, want) {
		r.t.Fatalf("got %v, want %v", err, want)
	}
	return fault.As(err)
}

// top gives the member stored value.
func (r *rig) top(m, principal, bonus int64) {
	r.t.Helper()
	must(r.t, r.db.InTx(r.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		b, err := ledger.LockTx(ctx, tx, m)
		if err != nil {
			return err
		}
		_, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindTopup, BizDay: "2026-11-18", RefKind: "topup", RefID: tx.NewID()},
			ledger.Leg{Unit: ledger.Principal, Amount: principal}, ledger.ShopLeg(ledger.Cash, -money.Fen(principal)),
			ledger.Leg{Unit: ledger.Bonus, Amount: bonus}, ledger.ShopLeg(ledger.BonusGranted, -money.Fen(bonus)))
		return err
	}))
}

// exact fails when anything that is written down does not add up.
func (r *rig) exact() {
	r.t.Helper()
	var out []string
	say := func(p string) { out = append(out, p) }
	must(r.t, r.Audit(r.t.Context(), say))
	must(r.t, r.Points.Audit(r.t.Context(), say))
	must(r.t, r.Sales.Audit(r.t.Context(), say))
	must(r.t, r.Gifts.Audit(r.t.Context(), say))
	must(r.t, r.pay.Audit(r.t.Context(), say))
	must(r.t, ledger.Audit(r.t.Context(), r.db, say, func(int) {}))
	if len(out) > 0 {
		r.t.Fatalf("audit: %s", strings.Join(out, "\n"))
	}
}
