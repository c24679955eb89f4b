package coupon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
)

// rig is the slice with members that exist and a small catalogue.
type rig struct {
	*Service
	t          testing.TB
	clk        *clock.Manual
	store, car int64
	wash       int64
	found      []int64 // what the filter finds
	mu         sync.Mutex
	keys       int64
}

// Find lists what the test put into found.
func (r *rig) Find(_ context.Context, _ Filter, after int64, limit int) (out []int64, err error) {
	for _, id := range r.found {
		if id > after && len(out) < limit {
			out = append(out, id)
		}
	}
	return out, nil
}

// Count counts them.
func (r *rig) Count(context.Context, Filter) (int64, error) { return int64(len(r.found)), nil }

type nobody struct{}

func (nobody) Recipients(context.Context, int64) ([]notify.Recipient, error) { return nil, nil }
func (nobody) OpenID(context.Context, int64) (string, string, error) {
	return "", "", fault.ErrNotFound
}
func (nobody) TotalFen(context.Context, int64) (money.Fen, error)            { return 0, nil }
func (nobody) TierName(context.Context, int64) (string, error)               { return "", nil }
func (nobody) SetTierTx(context.Context, *db.Tx, int64, int64, string) error { return nil }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newRig(t testing.TB) *rig {
	t.Helper()
	d, clk := dbtest.New(t)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	key, err := secret.Generate()
	must(t, err)
	box, err := secret.New(key)
	must(t, err)
	r := &rig{t: t, clk: clk}
	settings, shops := setting.New(d), shop.New(d)
	offers := catalog.New(d, shops)
	members := member.New(d, box, settings, nil, offers, member.Options{})
	members.Connect(nobody{}, nobody{})
	queue := jobs.New(d, log)
	r.Service = New(Deps{DB: d, Log: log, Box: box, Queue: queue, Members: members, Catalog: offers, Shops: shops, Settings: settings,
		Messages: notify.New(d, queue, nobody{}, nil, settings, notify.Options{}), People: r, BaseURL: "https://x/h5/#/"})
	r.Jobs(queue)
	must(t, members.EnsureCharter(r.ctx()))
	st, err := shops.Create(r.ctx(), shop.Input{Name: "西湖店"})
	must(t, err)
	car, err := offers.CreateVehicleClass(r.ctx(), catalog.VehicleClassInput{Name: "轿车"})
	must(t, err)
	wash, err := offers.CreateService(r.ctx(), catalog.ServiceInput{Name: "精洗", Kind: "wash", Minutes: 30, Prices: []catalog.Price{{VehicleClassID: car.ID, PriceFen: 4500}}})
	must(t, err)
	r.store, r.car, r.wash = st.ID, car.ID, wash.ID
	return r
}

func (r *rig) next() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys++
	return r.keys
}

func (r *rig) ctx() context.Context {
	return idem.With(actor.With(r.t.Context(), actor.Actor{Kind: actor.Staff, ID: 7, Name: "王店长", AllStores: true}), idem.Key{Actor: "staff:7", Key: fmt.Sprintf("key-%06d", r.next()), Hash: "x"})
}

func (r *rig) owner(m int64) context.Context {
	return idem.With(actor.With(r.t.Context(), actor.Actor{Kind: actor.Owner, ID: m + 1, MemberID: m}), idem.Key{Actor: fmt.Sprintf("owner:%d", m+1), Key: fmt.Sprintf("key-%06d", r.next()), Hash: "x"})
}

func (r *rig) set(key string, v any) {
	r.t.Helper()
	must(r.t, r.Settings.Update(r.ctx(), []setting.Value{{Key: key, Value: v}}))
}

func (r *rig) member() int64 {
	r.t.Helper()
	j, err := r.Members.Register(r.ctx(), member.NewMember{StoreID: r.store, Phone: fmt.Sprintf("139%08d", r.next()), Name: "林晓舟"})
	must(r.t, err)
	return j.MemberID
}

func (r *rig) tx(f func(ctx context.Context, tx *db.Tx) error) error {
	return r.db.InTx(r.t.Context(), f)
}

// template makes one that takes 10 yuan off for 30 days; change may make it another.
func (r *rig) template(name string, change ...func(*TemplateInput)) int64 {
	r.t.Helper()
	in := TemplateInput{Terms: Terms{Name: name, Kind: KindAmount, OffFen: 1000, Stack: "any", ValidDays: 30, Giftable: true}}
	for _, f := range change {
		f(&in)
	}
	t, err := r.CreateTemplate(r.ctx(), in)
	must(r.t, err)
	return t.ID
}

func (r *rig) issue(template, memberID int64) int64 {
	r.t.Helper()
	var ids []int64
	must(r.t, r.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		ids, err = r.IssueTx(ctx, tx, Issue{TemplateID: template, MemberID: memberID, Source: "test"})
		return err
	}))
	return ids[0]
}

func (r *rig) hold(memberID, ref int64, ids ...int64) error {
	return r.tx(func(ctx context.Context, tx *db.Tx) error {
		return r.HoldTx(ctx, tx, memberID, ids, "order", ref, bizday.Of(tx.Now, bizday.DefaultZone))
	})
}

func (r *rig) use(ref int64) error {
	return r.tx(func(ctx context.Context, tx *db.Tx) error { return r.UseTx(ctx, tx, "order", ref) })
}

func (r *rig) release(ref int64) error {
	return r.tx(func(ctx context.Context, tx *db.Tx) error { return r.ReleaseTx(ctx, tx, "order", ref) })
}

func (r *rig) state(id int64) string {
	r.t.Helper()
	c, err := byID(r.t.Context(), r.db, id, "")
	must(r.t, err)
	return c.State
}

func (r *rig) is(id int64, want string) {
	r.t.Helper()
	if got := r.state(id); got != want {
		r.t.Fatalf("coupon is %s, want %s", got, want)
	}
}

// usable are the ids that count now, and why others do not.
func (r *rig) usable(memberID int64) (ids []int64, why []string) {
	r.t.Helper()
	now := r.clk.Now()
	all, err := r.Usable(r.t.Context(), r.db, Ask{MemberID: memberID, StoreID: r.store, ClassID: r.car, At: now, BizDay: bizday.Of(now, bizday.DefaultZone)})
	must(r.t, err)
	for _, c := range all {
		if c.Why == "" {
			ids = append(ids, c.ID)
		} else {
			why = append(why, c.Why)
		}
	}
	return ids, why
}

func (r *rig) run(kind string) {
	r.t.Helper()
	must(r.t, r.tx(func(ctx context.Context, tx *db.Tx) error {
		return r.Queue.EnqueueTx(ctx, tx, jobs.Job{Kind: kind, Payload: struct{}{}})
	}))
	must(r.t, r.Queue.Drain(r.t.Context()))
}

func (r *rig) clean() {
	r.t.Helper()
	must(r.t, r.Audit(r.t.Context(), func(p string) { r.t.Error(p) }))
}

func (r *rig) count(query string, args ...any) (n int64) {
	r.t.Helper()
	must(r.t, r.db.Get(r.t.Context(), &n, query, args...))
	return n
}

func (r *rig) refused(err error, want error) {
	r.t.Helper()
	if !errors.Is(err, want) {
		r.t.Fatalf("refused by %v, want %v", err, want)
	}
}
