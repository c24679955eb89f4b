package booking

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
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
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/slot"
	"github.com/liangche/liangche/internal/tier"
	"github.com/liangche/liangche/internal/wechat"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// rig is a store in Shanghai, open from 9 to 21, with the services of a real one. It is Wednesday, 18 November 2026, 10:00.
type rig struct {
	*Service
	t        testing.TB
	clk      *clock.Manual
	people   *staffList
	catalog  *catalog.Service
	wx       *wxsandbox.Sandbox
	queue    *jobs.Queue
	store    int64
	class    int64
	wash     int64 // 30 minutes, 45.00
	detail   int64 // 120 minutes and 15 of changeover, level 2, 268.00; a deposit of 50.00, free to cancel up to 24 hours before
	priority int64 // a tier
	keys     atomic.Int64
}

// staffList is who works here.
type staffList struct {
	mu  sync.Mutex
	all []roster.Person
}

func (l *staffList) StaffPeople(context.Context) ([]roster.Person, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]roster.Person(nil), l.all...), nil
}

type silence struct{}

func (silence) Recipients(context.Context, int64) ([]notify.Recipient, error) { return nil, nil }
func (silence) OpenID(context.Context, int64) (string, string, error) {
	return "", "", fault.ErrNotFound
}

type ranks struct{ *tier.Service }

func (r ranks) TierName(context.Context, int64) (string, error) { return "", nil }
func (r ranks) SetTierTx(ctx context.Context, tx *db.Tx, id, tierID int64, reason string) error {
	return r.SetMemberTierTx(ctx, tx, id, tierID, reason)
}
func (ranks) TotalFen(context.Context, int64) (money.Fen, error) { return 0, nil }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newRig(t testing.TB, bays, technicians int) *rig {
	t.Helper()
	return newRigIn(t, bays, technicians, bizday.DefaultZone, dbtest.Start)
}

func newRigIn(t testing.TB, bays, technicians int, zone string, now time.Time) *rig {
	t.Helper()
	d, clk := dbtest.New(t)
	clk.Set(now)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	key, err := secret.Generate()
	must(t, err)
	box, err := secret.New(key)
	must(t, err)
	r := &rig{t: t, clk: clk, people: &staffList{}, queue: jobs.New(d, log)}
	settings, shops, tiers := setting.New(d), shop.New(d), tier.New(d)
	r.catalog = catalog.New(d, shops)
	members := member.New(d, box, settings, nil, r.catalog, member.Options{})
	members.Connect(ranks{tiers}, ranks{tiers})
	pay := payment.New(d, r.queue, r.platform(log), log)
	r.Service = New(Deps{DB: d, Log: log, Box: box, Members: members, Payments: pay, Catalog: r.catalog, Tiers: tiers, Shops: shops, Roster: roster.New(d, r.people, shops),
		Slots: slot.New(d), Settings: settings, Messages: notify.New(d, r.queue, silence{}, nil, settings, notify.Options{})})
	r.furnish(bays, technicians, zone)
	return r
}

var sandboxKeys = sync.OnceValues(func() (wxsandbox.Credentials, error) { return wxsandbox.NewCredentials(time.Now()) })

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
		MiniProgram:     wechat.App{AppID: c.MiniProgram.AppID, Secret: c.MiniProgram.Secret},
		OfficialAccount: wechat.App{AppID: c.OfficialAccount.AppID, Secret: c.OfficialAccount.Secret},
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

func (r *rig) furnish(bays, technicians int, zone string) {
	ctx := r.staff()
	must(r.t, r.members.EnsureCharter(ctx))
	must(r.t, r.tiers.EnsureDefault(ctx))
	yes := true
	gold, err := r.tiers.Create(ctx, tier.Input{Name: "黑金", Color: "#222222", Rank: 9, DiscountBP: 9000, Priority: &yes})
	must(r.t, err)
	r.priority = gold.ID
	st, err := r.shops.Create(ctx, shop.Input{Name: "静安店", Address: "江宁路 888 号", Timezone: zone})
	must(r.t, err)
	r.store = st.ID
	car, err := r.catalog.CreateVehicleClass(ctx, catalog.VehicleClassInput{Name: "轿车"})
	must(r.t, err)
	r.class = car.ID
	r.wash = r.service(catalog.ServiceInput{Name: "精洗", Kind: "wash", Minutes: 30, Prices: []catalog.Price{{VehicleClassID: r.class, PriceFen: 4500}}})
	in := catalog.ServiceInput{Name: "内饰清洁", Kind: "detail", Minutes: 120, Prices: []catalog.Price{{VehicleClassID: r.class, PriceFen: 26800}}}
	in.MinLevel, in.ChangeoverMinutes, in.DepositFen, in.FreeCancelHours = 2, 15, 5000, 24
	r.detail = r.service(in)
	for i := range bays {
		r.bay(fmt.Sprintf("%d 号洗车位", i+1), shop.BayWash, false)
	}
	r.bay("美容位", shop.BayDetail, false)
	for i := range technicians {
		r.hire(fmt.Sprintf("技师%d", i+1), roster.Skill{Skill: "wash", Level: 3}, roster.Skill{Skill: "detail", Level: 3})
	}
}

func (r *rig) service(in catalog.ServiceInput) int64 {
	r.t.Helper()
	v, err := r.catalog.CreateService(r.staff(), in)
	must(r.t, err)
	return v.ID
}

func (r *rig) bay(name, kind string, priority bool) int64 {
	r.t.Helper()
	b, err := r.shops.CreateBay(r.staff(), shop.BayInput{StoreID: r.store, Name: name, Kind: kind, Priority: priority})
	must(r.t, err)
	return b.ID
}

// hire adds a technician who works whenever the store is open, for three weeks.
func (r *rig) hire(name string, skills ...roster.Skill) int64 {
	r.t.Helper()
	id, now := r.db.NewID(), r.clk.Now()
	r.clk.Advance(time.Duration(3*len(r.people.all)+3) * time.Second) // copies are two seconds old at most
	defer r.clk.Set(now)
	r.people.mu.Lock()
	r.people.all = append(r.people.all, roster.Person{ID: id, Name: name, Active: true})
	r.people.mu.Unlock()
	_, _, err := r.roster.SetTechnician(r.staff(), id, roster.TechnicianInput{Bookable: true, Skills: skills})
	must(r.t, err)
	for n := range 22 {
		r.shift(id, r.day(n), 9*60, 21*60)
	}
	return id
}

func (r *rig) shift(id int64, day string, from, to int) {
	r.t.Helper()
	must(r.t, r.roster.PlanDay(r.staff(), r.store, id, day, []roster.ShiftInput{{Starts: from, Ends: to}}))
}

// suspend ends somebody's account.
func (r *rig) suspend(id int64) {
	r.people.mu.Lock()
	defer r.people.mu.Unlock()
	for i := range r.people.all {
		if r.people.all[i].ID == id {
			r.people.all[i].Active = false
		}
	}
	r.clk.Advance(time.Duration(3*len(r.people.all)+3) * time.Second) // copies are two seconds old at most
}

// day is the date n days from now in the store's zone.
func (r *rig) day(n int) string {
	st, err := r.shops.Store(r.t.Context(), r.store)
	must(r.t, err)
	return bizday.Add(st.BizDay(r.clk.Now()), n)
}

// at is an instant of the store's clock, n days from now.
func (r *rig) at(n, hour, minute int) time.Time {
	r.t.Helper()
	st, err := r.shops.Store(r.t.Context(), r.store)
	must(r.t, err)
	t, err := bizday.At(r.day(n), hour*60+minute, st.Timezone)
	must(r.t, err)
	return t
}

// staff acts as a manager with a fresh idempotency key.
func (r *rig) staff() context.Context {
	who := actor.Actor{Kind: actor.Staff, ID: 7, Name: "孙店长", Permissions: perm.Keys(), AllStores: true}
	return idem.With(actor.With(r.t.Context(), who), r.key("staff"))
}

func (r *rig) key(who string) idem.Key {
	return idem.Key{Actor: who, Key: fmt.Sprintf("key-%08d", r.keys.Add(1)), Hash: "x"}
}

// owner is a member with a car and a WeChat identity.
type owner struct {
	r        *rig
	id       int64
	vehicle  int64
	plate    string
	identity int64
}

func (r *rig) owner() owner {
	r.t.Helper()
	n := r.keys.Add(1)
	plate := fmt.Sprintf("沪A%05d", n%100000)
	j, err := r.members.Register(r.staff(), member.NewMember{StoreID: r.store, Phone: fmt.Sprintf("138%08d", n), Name: "车主",
		Vehicle: &member.VehicleInput{Plate: plate, VehicleClassID: r.class}})
	must(r.t, err)
	v, err := r.members.Vehicles(r.t.Context(), j.MemberID)
	must(r.t, err)
	return owner{r, j.MemberID, v[0].ID, plate, j.MemberID + 1}
}

// onWeChat gives the owner the identity of the sandbox's first persona.
func (o owner) onWeChat() owner {
	o.r.t.Helper()
	must(o.r.t, o.r.db.InTx(o.r.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		return tx.Insert(ctx, "member_identities", struct {
			ID     int64  `db:"id"`
			App    string `db:"app"`
			OpenID string `db:"openid"`
			Union  string `db:"unionid"`
			Member int64  `db:"member_id"`
			Bound  int64  `db:"bound_at"`
			Seen   int64  `db:"last_seen_at"`
			At     int64  `db:"created_at"`
		}{o.identity, member.AppMini, o.r.wx.Personas()[0].OpenIDs[wxsandbox.AppMP], "", o.id, tx.Millis(), tx.Millis(), tx.Millis()})
	}))
	return o
}

// ctx is the owner acting with a fresh key.
func (o owner) ctx() context.Context {
	return idem.With(actor.With(o.r.t.Context(), actor.Actor{Kind: actor.Owner, ID: o.identity, MemberID: o.id, App: member.AppMini}), o.r.key(fmt.Sprintf("owner:%d", o.identity)))
}

func (o owner) ask(start time.Time, services ...int64) OwnerAsk {
	if len(services) == 0 {
		services = []int64{o.r.wash}
	}
	return OwnerAsk{StoreID: o.r.store, Kind: KindVisit, VehicleID: o.vehicle, ServiceIDs: services, StartsAt: &start, Channel: ChannelMini}
}

func (o owner) create(start time.Time, services ...int64) (Booking, error) {
	return o.r.Create(o.ctx(), o.ask(start, services...))
}

// booked is a booking that the owner made and confirmed.
func (o owner) booked(start time.Time, services ...int64) Booking {
	o.r.t.Helper()
	b, err := o.create(start, services...)
	must(o.r.t, err)
	b, err = o.r.Confirm(o.ctx(), b.ID)
	must(o.r.t, err)
	return b
}

// payDeposit pays the deposit at WeChat; nobody is told of it.
func (o owner) payDeposit(id int64) {
	o.r.t.Helper()
	_, prep, err := o.r.Pay(o.ctx(), id)
	must(o.r.t, err)
	if prep.Jsapi == nil {
		o.r.t.Fatal("no payment parameters")
	}
	b, err := o.r.Get(o.ctx(), o.id, id)
	must(o.r.t, err)
	p, err := o.r.payments.Get(o.r.t.Context(), o.r.db, b.PaymentID)
	must(o.r.t, err)
	_, err = o.r.wx.Pay(wxsandbox.PayRequest{OutTradeNo: p.OutTradeNo, PersonaID: o.r.wx.Personas()[0].ID, Outcome: wxsandbox.OutcomePayLoseNotice})
	must(o.r.t, err)
}

// paid is a booking whose deposit was paid.
func (o owner) paid(start time.Time) Booking {
	o.r.t.Helper()
	b, err := o.create(start, o.r.detail)
	must(o.r.t, err)
	o.payDeposit(b.ID)
	b, err = o.r.Check(o.ctx(), o.id, b.ID)
	must(o.r.t, err)
	if b.State != Confirmed || b.DepositState != DepositPaid {
		o.r.t.Fatalf("after paying: %s, deposit %s", b.State, b.DepositState)
	}
	return b
}

// slots are the free starts of a day for the owner.
func (o owner) slots(n int, services ...int64) []time.Time {
	o.r.t.Helper()
	if len(services) == 0 {
		services = []int64{o.r.wash}
	}
	l, err := o.r.OwnerSlots(o.ctx(), o.id, o.vehicle, what{storeID: o.r.store, kind: KindVisit, services: services}, o.r.day(n), 1)
	must(o.r.t, err)
	var out []time.Time
	for _, d := range l.Days {
		for _, x := range d.Slots {
			out = append(out, x.StartsAt)
		}
	}
	return out
}

func (r *rig) get(id int64) Booking {
	r.t.Helper()
	b, err := bookingByID(r.t.Context(), r.db, id, "")
	must(r.t, err)
	return b
}

func (r *rig) wantState(id int64, want State) Booking {
	r.t.Helper()
	b := r.get(id)
	if b.State != want {
		r.t.Fatalf("booking is %s, want %s", b.State, want)
	}
	return b
}

func (r *rig) wantErr(err, want error) *fault.Error {
	r.t.Helper()
	if !errors.Is(err, want) {
		r.t.Fatalf("got %v, want %v", err, want)
	}
	return fault.As(err)
}

// sound fails when cells, bookings, money and log do not fit each other.
func (r *rig) sound() {
	r.t.Helper()
	report := func(p string) { r.t.Error("audit: " + p) }
	must(r.t, r.Audit(r.t.Context(), report))
	must(r.t, r.slots.Audit(r.t.Context(), report))
	must(r.t, ledger.Audit(r.t.Context(), r.db, report, func(int) {}))
	must(r.t, r.payments.Audit(r.t.Context(), report))
}

// count counts rows.
func (r *rig) count(query string, args ...any) (n int64) {
	r.t.Helper()
	must(r.t, r.db.Get(r.t.Context(), &n, query, args...))
	return n
}

type dbTx = db.Tx

func member0(plate string, class int64) member.VehicleInput {
	return member.VehicleInput{Plate: plate, VehicleClassID: class}
}
