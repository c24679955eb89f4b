// Package shopfloor gives tests of reads a business that really works: two stores, a catalogue, members, top-ups and
// settlements made through the use cases, without WeChat.
//
// Model: a Floor is one empty business on a throw-away database; its methods do what a desk does.
// Owns: nothing that outlives the test. Invariants: rows come from use cases only, never from hand-written SQL, except
// WeChat identities, which only WeChat makes.
package shopfloor

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/tier"
	"github.com/liangche/liangche/internal/wallet"
)

// Floor is a business. Wash costs 45.00 and Wax 200.00 for Car in both stores; Plan gives 80.00 on 500.00.
type Floor struct {
	T        testing.TB
	DB       *db.DB
	Clock    *clock.Manual
	Settings *setting.Service
	Shops    *shop.Service
	Catalog  *catalog.Service
	Tiers    *tier.Service
	Members  *member.Service
	Wallet   *wallet.Service
	Checkout *checkout.Service

	West, East, Car, Wash, Wax, Plan, Gold int64

	keys int
}

type tiers struct{ *Floor }

func (f tiers) TierName(ctx context.Context, id int64) (string, error) {
	t, err := f.Tiers.OfMember(ctx, f.DB, id)
	return t.Name, err
}

func (f tiers) SetTierTx(ctx context.Context, tx *db.Tx, id, tierID int64, reason string) error {
	return f.Tiers.SetMemberTierTx(ctx, tx, id, tierID, reason)
}

func (f tiers) TotalFen(context.Context, int64) (money.Fen, error) { return 0, nil }

type nobody struct{}

func (nobody) Recipients(context.Context, int64) ([]notify.Recipient, error) { return nil, nil }
func (nobody) OpenID(context.Context, int64) (string, string, error) {
	return "", "", fault.ErrNotFound
}

// New opens an empty business at dbtest.Start.
func New(t testing.TB) *Floor {
	t.Helper()
	d, clk := dbtest.New(t)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	q := jobs.New(d, log)
	key, err := secret.Generate()
	Must(t, err)
	box, err := secret.New(key)
	Must(t, err)
	f := &Floor{T: t, DB: d, Clock: clk, Settings: setting.New(d), Shops: shop.New(d), Tiers: tier.New(d)}
	f.Catalog = catalog.New(d, f.Shops)
	f.Members = member.New(d, box, f.Settings, nil, f.Catalog, member.Options{})
	f.Members.Connect(tiers{f}, tiers{f})
	messages := notify.New(d, q, nobody{}, nil, f.Settings, notify.Options{})
	pay := payment.New(d, q, nil, log)
	f.Wallet = wallet.New(d, log, f.Members, pay, f.Catalog, f.Shops, f.Settings, messages)
	f.Checkout = checkout.New(d, log, f.Members, pay, f.Catalog, f.Tiers, f.Shops, f.Settings, messages)
	f.furnish()
	return f
}

func (f *Floor) furnish() {
	ctx := f.Ctx()
	Must(f.T, f.Members.EnsureCharter(ctx))
	Must(f.T, f.Tiers.EnsureDefault(ctx))
	gold, err := f.Tiers.Create(ctx, tier.Input{Name: "金卡", Color: "#C9A227", Rank: 2, DiscountBP: 9000})
	Must(f.T, err)
	f.Gold = gold.ID
	for name, id := range map[string]*int64{"西湖店": &f.West, "滨江店": &f.East} {
		st, err := f.Shops.Create(ctx, shop.Input{Name: name})
		Must(f.T, err)
		*id = st.ID
	}
	car, err := f.Catalog.CreateVehicleClass(ctx, catalog.VehicleClassInput{Name: "轿车"})
	Must(f.T, err)
	f.Car = car.ID
	for name, s := range map[string]struct {
		price money.Fen
		id    *int64
	}{"精洗": {4500, &f.Wash}, "打蜡": {20000, &f.Wax}} {
		v, err := f.Catalog.CreateService(ctx, catalog.ServiceInput{Name: name, Kind: "wash", Minutes: 30, Prices: []catalog.Price{{VehicleClassID: f.Car, PriceFen: s.price}}})
		Must(f.T, err)
		*s.id = v.ID
	}
	plan, err := f.Catalog.CreatePlan(ctx, catalog.TopupPlanInput{Name: "充500送80", AmountFen: 50000, BonusFen: 8000})
	Must(f.T, err)
	f.Plan = plan.ID
}

// Must ends the test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Staff is a manager in every store.
func (f *Floor) Staff() actor.Actor {
	return actor.Actor{Kind: actor.Staff, ID: 7, Name: "王店长", Permissions: perm.Keys(), AllStores: true}
}

// Ctx is a context in which Staff acts with a fresh idempotency key.
func (f *Floor) Ctx() context.Context {
	f.keys++
	return idem.With(actor.With(f.T.Context(), f.Staff()), idem.Key{Actor: "staff:7", Key: fmt.Sprintf("key-%06d", f.keys), Hash: "x"})
}

// Owner is the member's own actor.
func (f *Floor) Owner(memberID int64) actor.Actor {
	return actor.Actor{Kind: actor.Owner, ID: memberID + 1, MemberID: memberID, App: member.AppMini, Name: "车主"}
}

// Member registers somebody in the western store; plate "" is none.
func (f *Floor) Member(name, phone, plate string) int64 {
	f.T.Helper()
	in := member.NewMember{StoreID: f.West, Phone: phone, Name: name}
	if plate != "" {
		in.Vehicle = &member.VehicleInput{Plate: plate, VehicleClassID: f.Car}
	}
	j, err := f.Members.Register(f.Ctx(), in)
	Must(f.T, err)
	return j.MemberID
}

// Code gives the member a WeChat identity with a phone and returns what the phone shows now.
func (f *Floor) Code(memberID int64) string {
	f.T.Helper()
	id := memberID + 1
	Must(f.T, f.DB.InTx(f.T.Context(), func(ctx context.Context, tx *db.Tx) error {
		return tx.Insert(ctx, "member_identities", struct {
			ID     int64  `db:"id"`
			App    string `db:"app"`
			OpenID string `db:"openid"`
			Union  string `db:"unionid"`
			Member int64  `db:"member_id"`
			Bound  int64  `db:"bound_at"`
			Seen   int64  `db:"last_seen_at"`
			At     int64  `db:"created_at"`
		}{id, member.AppMini, fmt.Sprintf("openid-%d", id), "", memberID, tx.Millis(), tx.Millis(), tx.Millis()})
	}))
	dev, err := f.Members.NewDevice(actor.With(f.T.Context(), f.Owner(memberID)), "手机")
	Must(f.T, err)
	key, err := base64.StdEncoding.DecodeString(dev.Secret)
	Must(f.T, err)
	return member.MemberCode(key, dev.No, f.Clock.Now().Unix()/60)
}

// Topup credits a top-up at the desk, by plan when the amount is the plan's.
func (f *Floor) Topup(storeID, memberID int64, amount money.Fen, method string) {
	f.T.Helper()
	f.Clock.Advance(time.Second)
	a := wallet.Ask{StoreID: storeID, MemberID: memberID, AmountFen: amount, Method: method, Reference: "ref"}
	if amount == 50000 {
		a.PlanID = f.Plan
	}
	t, _, err := f.Wallet.Desk(f.Ctx(), a)
	Must(f.T, err)
	if t.State != wallet.StateCredited {
		f.T.Fatalf("top-up is %s", t.State)
	}
}

// Settle charges services in a store; memberID 0 is a walk-in. Tenders are kind and amount in turn; without any the
// whole is paid in cash.
func (f *Floor) Settle(storeID, memberID int64, plate string, services []int64, tenders ...checkout.Tender) checkout.Order {
	f.T.Helper()
	f.Clock.Advance(time.Second)
	r := checkout.Request{StoreID: storeID, MemberID: memberID, Plate: plate, VehicleClassID: f.Car}
	for _, id := range services {
		r.Items = append(r.Items, checkout.Item{Kind: catalog.KindService, ID: id, Qty: 1})
	}
	q, err := f.Checkout.Quote(f.Ctx(), r)
	Must(f.T, err)
	if len(tenders) == 0 {
		tenders = []checkout.Tender{{Kind: checkout.TenderCash, AmountFen: q.TotalFen}}
	}
	o, err := f.Checkout.Settle(f.Ctx(), r, q.QuoteHash, tenders)
	Must(f.T, err)
	return o
}

// Reverse undoes an order.
func (f *Floor) Reverse(id int64) {
	f.T.Helper()
	f.Clock.Advance(time.Second)
	_, err := f.Checkout.Reverse(f.Ctx(), id, "客户要求撤销")
	Must(f.T, err)
}

// Refund gives principal back; it stands in the store's books, or in nobody's with store 0.
func (f *Floor) Refund(storeID, memberID int64, amount money.Fen) {
	f.T.Helper()
	f.Clock.Advance(time.Second)
	p, err := f.Wallet.PlanFor(f.T.Context(), memberID, amount)
	Must(f.T, err)
	_, err = f.Wallet.Refund(f.Ctx(), memberID, storeID, amount, "会员申请退款", p.PlanHash)
	Must(f.T, err)
}
