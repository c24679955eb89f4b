package remind

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
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
	"github.com/liangche/liangche/internal/tier"
)

// rig is the slice with members that exist; their washes and bookings are made up.
type rig struct {
	*Service
	t      testing.TB
	clk    *clock.Manual
	store  int64
	keys   int
	n      int
	washed []Wash
	booked map[int64]bool
	gifts  map[int64]string
}

type nobody struct{}

func (nobody) Recipients(context.Context, int64) ([]notify.Recipient, error) { return nil, nil }
func (nobody) OpenID(context.Context, int64) (string, string, error) {
	return "", "", fault.ErrNotFound
}
func (nobody) TotalFen(context.Context, int64) (money.Fen, error)            { return 0, nil }
func (nobody) TierName(context.Context, int64) (string, error)               { return "", nil }
func (nobody) SetTierTx(context.Context, *db.Tx, int64, int64, string) error { return nil }

func (r *rig) Washes(_ context.Context, members, _ []int64, since string) (out []Wash, err error) {
	for _, w := range r.washed {
		if slices.Contains(members, w.MemberID) && w.Day >= since {
			out = append(out, w)
		}
	}
	return out, nil
}

func (r *rig) Booked(context.Context, []int64) (map[int64]bool, error) { return r.booked, nil }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newRig(t testing.TB) *rig {
	t.Helper()
	d, clk := dbtest.New(t)
	log := slog.New(slog.DiscardHandler)
	key, err := secret.Generate()
	must(t, err)
	box, err := secret.New(key)
	must(t, err)
	r := &rig{t: t, clk: clk, booked: map[int64]bool{}, gifts: map[int64]string{}}
	settings, shops := setting.New(d), shop.New(d)
	items := catalog.New(d, shops)
	queue := jobs.New(d, log)
	members := member.New(d, box, settings, nil, items, member.Options{
		VehicleTx: func(ctx context.Context, tx *db.Tx, c member.VehicleChange) error {
			return r.VehicleTx(ctx, tx, c)
		},
		EraseTx: func(ctx context.Context, tx *db.Tx, id int64) error { return r.EraseTx(ctx, tx, id) },
	})
	members.Connect(nobody{}, nobody{})
	tiers := tier.New(d)
	tiers.Connect(settings, tier.Deps{Log: log, People: members})
	messages := notify.New(d, queue, nobody{}, nil, settings, notify.Options{})
	r.Service = New(Deps{DB: d, Log: log, Queue: queue, Members: members, Messages: messages, Settings: settings, Shops: shops, Catalog: items, Tiers: tiers, Visits: r,
		Gifts: func(context.Context, []int64, string) (map[int64]string, error) { return r.gifts, nil }})
	must(t, members.EnsureCharter(r.ctx()))
	must(t, tiers.EnsureDefault(r.ctx()))
	st, err := shops.Create(r.ctx(), shop.Input{Name: "西湖店"})
	must(t, err)
	r.store = st.ID
	class, err := items.CreateVehicleClass(r.ctx(), catalog.VehicleClassInput{Name: "轿车"})
	must(t, err)
	_, err = items.CreateService(r.ctx(), catalog.ServiceInput{Name: "普洗", Kind: "wash", Minutes: 30, Prices: []catalog.Price{{VehicleClassID: class.ID, PriceFen: 3500}}})
	must(t, err)
	return r
}

func (r *rig) ctx() context.Context {
	return r.as(actor.Actor{Kind: actor.Staff, ID: 7, Name: "王店长", AllStores: true})
}

func (r *rig) as(who actor.Actor) context.Context {
	r.keys++
	return idem.With(actor.With(r.t.Context(), who), idem.Key{Actor: "staff:7", Key: fmt.Sprintf("key-%06d", r.keys), Hash: "x"})
}

// owner joins with a car, and returns the member and the vehicle.
func (r *rig) owner(birthday string) (memberID, vehicleID int64) {
	r.t.Helper()
	r.n++
	j, err := r.Members.Register(r.ctx(), member.NewMember{StoreID: r.store, Phone: fmt.Sprintf("139%08d", r.n), Name: "林晓舟", Gender: "female", Birthday: birthday,
		Vehicle: &member.VehicleInput{Plate: fmt.Sprintf("浙A%05d", 10000+r.n), Brand: "大众"}})
	must(r.t, err)
	cars, err := r.Members.Vehicles(r.t.Context(), j.MemberID)
	must(r.t, err)
	return j.MemberID, cars[0].ID
}

// told lets staff tell of a car: what its owner has not seen is reminded of.
func (r *rig) told(memberID, vehicleID int64, in Input) Care {
	r.t.Helper()
	if in.Kind == "" {
		in.Kind = Private
	}
	c, err := r.Tell(r.ctx(), memberID, vehicleID, in)
	must(r.t, err)
	return c
}

// day sets the clock to an hour of a date in China and lets the jobs run until nothing is left.
func (r *rig) day(date string, hour int) {
	r.t.Helper()
	day, err := time.ParseInLocation(time.DateOnly, date, time.FixedZone("CST", 8*3600))
	must(r.t, err)
	r.clk.Set(day.Add(time.Duration(hour) * time.Hour))
	must(r.t, r.Tick(r.t.Context()))
}

// message is what was written for a member.
type message struct {
	Event   string `db:"event"`
	Dedupe  string `db:"dedupe_key"`
	Data    string `db:"data"`
	UntilAt int64  `db:"until_at"`
}

func (m message) value(name string) string {
	var v map[string]string
	_ = json.Unmarshal([]byte(m.Data), &v)
	return v[name]
}

func (r *rig) messages(memberID int64) (out []message) {
	r.t.Helper()
	must(r.t, r.DB.Select(r.t.Context(), &out, `SELECT event, dedupe_key, data, until_at FROM notify_messages WHERE member_id = ? ORDER BY id`, memberID))
	return out
}

func (r *rig) events(memberID int64) (out []string) {
	for _, m := range r.messages(memberID) {
		out = append(out, m.Event)
	}
	return out
}

func (r *rig) wants(memberID int64, want ...string) {
	r.t.Helper()
	if got := r.events(memberID); !slices.Equal(got, want) {
		r.t.Fatalf("told %v, want %v", got, want)
	}
}

func (r *rig) count(query string, args ...any) (n int) {
	r.t.Helper()
	must(r.t, r.DB.Get(r.t.Context(), &n, query, args...))
	return n
}
