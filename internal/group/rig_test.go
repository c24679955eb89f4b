package group

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/blob"
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
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/tier"
)

// rig is a shop with a payer and two drivers. It is Wednesday, 18 November 2026, 10:00 in Shanghai.
type rig struct {
	*Service
	t                  *testing.T
	clk                *clock.Manual
	queue              *jobs.Queue
	dir                string
	store, wash, wax   int64
	payer, anna, bruno int64
	keys               atomic.Int64
}

type nobody struct{}

func (nobody) Recipients(context.Context, int64) ([]notify.Recipient, error) { return nil, nil }
func (nobody) OpenID(context.Context, int64) (string, string, error) {
	return "", "", fault.ErrNotFound
}

type ranks struct{ *tier.Service }

func (ranks) TierName(context.Context, int64) (string, error) { return "", nil }
func (ranks) SetTierTx(context.Context, *db.Tx, int64, int64, string) error {
	return nil
}

type purse struct{ *db.DB }

func (p purse) TotalFen(ctx context.Context, id int64) (money.Fen, error) {
	b, err := ledger.BalanceOf(ctx, p.DB, id)
	return money.Fen(b.Principal + b.Bonus), err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t testing.TB, err error, want *fault.Error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%v, want %s", err, want.Code)
	}
}

func newRig(t *testing.T) *rig {
	t.Helper()
	d, clk := dbtest.New(t)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	key, err := secret.Generate()
	must(t, err)
	box, err := secret.New(key)
	must(t, err)
	r := &rig{t: t, clk: clk, queue: jobs.New(d, log), dir: t.TempDir()}
	settings, shops, tiers := setting.New(d), shop.New(d), tier.New(d)
	cat := catalog.New(d, shops)
	people := member.New(d, box, settings, nil, cat, member.Options{EraseTx: func(ctx context.Context, tx *db.Tx, id int64) error { return r.MemberLeftTx(ctx, tx, id) }})
	people.Connect(purse{d}, ranks{tiers})
	r.Service = New(Deps{DB: d, Box: box, Members: people, Tiers: tiers, Catalog: cat, Shops: shops, Settings: settings, Messages: notify.New(d, r.queue, nobody{}, nil, settings, notify.Options{}),
		Queue: r.queue, Documents: blob.New(blob.NewFolder(r.dir)), InviteURL: "https://shop.example/join?code="})
	tiers.Connect(settings, tier.Deps{Log: log, People: people, Accounts: r.Service})
	must(t, people.EnsureCharter(r.staff()))
	must(t, tiers.EnsureDefault(r.staff()))
	st, err := shops.Create(r.staff(), shop.Input{Name: "西湖店"})
	must(t, err)
	r.store = st.ID
	class, err := cat.CreateVehicleClass(r.staff(), catalog.VehicleClassInput{Name: "轿车"})
	must(t, err)
	for name, id := range map[string]*int64{"精洗": &r.wash, "打蜡": &r.wax} {
		v, err := cat.CreateService(r.staff(), catalog.ServiceInput{Name: name, Kind: "wash", Minutes: 30, Prices: []catalog.Price{{VehicleClassID: class.ID, PriceFen: 4500}}})
		must(t, err)
		*id = v.ID
	}
	r.payer, r.anna, r.bruno = r.person("王付款", "13800138001"), r.person("安司机", "13800138002"), r.person("布司机", "13800138003")
	r.fund(r.payer, 1_000_000)
	return r
}

func (r *rig) person(name, phone string) int64 {
	r.t.Helper()
	j, err := r.members.Register(r.staff(), member.NewMember{StoreID: r.store, Phone: phone, Name: name})
	must(r.t, err)
	return j.MemberID
}

func (r *rig) key(ctx context.Context) context.Context {
	n := r.keys.Add(1)
	return idem.With(ctx, idem.Key{Actor: "test", Key: fmt.Sprintf("key-%06d", n), Hash: "x"})
}

func (r *rig) staff() context.Context {
	return r.key(actor.With(r.t.Context(), actor.Actor{Kind: actor.Staff, ID: 7, Name: "王店长", Permissions: perm.Keys(), AllStores: true}))
}

func (r *rig) owner(memberID int64) context.Context {
	return r.key(actor.With(r.t.Context(), actor.Actor{Kind: actor.Owner, ID: memberID + 1, MemberID: memberID, App: member.AppMini, Name: "车主"}))
}

// fund puts principal into a wallet.
func (r *rig) fund(memberID int64, amount money.Fen) {
	r.t.Helper()
	must(r.t, r.db.InTx(r.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		b, err := ledger.LockTx(ctx, tx, memberID)
		if err != nil {
			return err
		}
		_, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindAdjust, RefKind: "test"}, ledger.Leg{Unit: ledger.Principal, Amount: int64(amount)}, ledger.ShopLeg(ledger.Cash, -amount))
		return err
	}))
}

func (r *rig) balance(memberID int64) money.Fen {
	r.t.Helper()
	b, err := ledger.BalanceOf(r.t.Context(), r.db, memberID)
	must(r.t, err)
	return money.Fen(b.Principal)
}

// family makes a group of the payer in which anna has the place.
func (r *rig) family(p Place) (Group, Driver) {
	r.t.Helper()
	g, err := r.Create(r.owner(r.payer), NewGroup{Kind: Family, Name: "王家"})
	must(r.t, err)
	return g, r.join(g, r.anna, p)
}

func (r *rig) join(g Group, who int64, p Place) Driver {
	r.t.Helper()
	if p.CardKind == "" {
		p.CardKind = CardDriver
	}
	v, err := r.Invite(r.owner(g.PayerID), g.ID, p)
	must(r.t, err)
	d, err := r.Join(r.owner(who), v.Code)
	must(r.t, err)
	return d
}

// till is an order of the wash for a driver.
func (r *rig) till(g Group, driver int64, amount money.Fen) Ask {
	return Ask{GroupID: g.ID, DriverMemberID: driver, StoreID: r.store, Plate: "浙A12345", ServiceIDs: []int64{r.wash}, AmountFen: amount, OrderID: r.db.NewID()}
}

// pay does what the till does: asks the group, takes the money from the payer.
func (r *rig) pay(a Ask) error {
	return r.db.InTx(r.staff(), func(ctx context.Context, tx *db.Tx) error {
		a.At = tx.Now
		payer, err := r.AllowTx(ctx, tx, a)
		if err != nil {
			return err
		}
		b, err := ledger.LockTx(ctx, tx, payer)
		if err != nil {
			return err
		}
		takes, err := b.TakeOldest(ledger.Principal, int64(a.AmountFen))
		if err != nil {
			return err
		}
		_, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindConsume, StoreID: a.StoreID, RefKind: "order", RefID: a.OrderID}, append(ledger.Debits(takes), ledger.ShopLeg(ledger.Revenue, a.AmountFen))...)
		return err
	})
}

func (r *rig) undo(orderID int64) {
	r.t.Helper()
	must(r.t, r.db.InTx(r.staff(), func(ctx context.Context, tx *db.Tx) error { return r.UndoTx(ctx, tx, orderID) }))
}

// spentNow is what a driver has used this month.
func (r *rig) spentNow(g Group, driver int64) money.Fen {
	r.t.Helper()
	n, err := spent(r.t.Context(), r.db, g.ID, driver, monthOf(r.clk.Now()))
	must(r.t, err)
	return n
}

// sound wants the audit to find nothing.
func (r *rig) sound() {
	r.t.Helper()
	must(r.t, r.Audit(r.t.Context(), func(p string) { r.t.Errorf("audit: %s", p) }))
	must(r.t, ledger.Audit(r.t.Context(), r.db, func(p string) { r.t.Errorf("audit: %s", p) }, func(int) {}))
}

func photo() []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 40, 30)))
	return b.Bytes()
}
