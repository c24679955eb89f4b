package model

import (
	"bytes"
	"context"
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
	"github.com/liangche/liangche/internal/app"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/config"
	"github.com/liangche/liangche/internal/coupon"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/pricing"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/tier"
	"github.com/liangche/liangche/internal/wallet"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// world is the whole system on an empty database, with the sandbox in place of WeChat. Nothing works in the background: what time or WeChat does
// happens when a test says so.
type world struct {
	*app.App
	t       testing.TB
	clk     *clock.Manual
	wx      *wxsandbox.Sandbox
	payer   wxsandbox.Persona // scans codes
	n       atomic.Int64      // of keys, phones, plates
	boss    int64             // who acts at the desk
	catalog catalogue
	floor   floor
	turns   atomic.Pointer[context.Context] // with which the system answers WeChat
	slots   int                             // times that were given out to meetings
}

// catalogue is what the business sells.
type catalogue struct {
	car             int64
	wash, wax, good int64 // 45.00, 200.00, 25.00
	polish          int64 // 120.00, a wash that is booked with a deposit
	plan            int64 // 500.00 brings 80.00
	pass, coupon    int64 // three washes for 100.00; 10.00 off
	silver          int64 // from 300.00 a year on, 5 % off
	member          int64 // two months of it for 60.01
}

const (
	priceWash, priceWax, priceGood = 4500, 20000, 2500
	pricePolish                    = 12000
	planFen, planBonus             = 50000, 8000
)

var keys = sync.OnceValues(func() (wxsandbox.Credentials, error) { return wxsandbox.NewCredentials(time.Now()) })

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open builds the system; its clock shows at.
func open(t testing.TB, at time.Time) *world {
	t.Helper()
	cred, err := keys()
	must(t, err)
	w := &world{t: t, clk: clock.NewManual(at)}
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	quiet := slog.New(slog.DiscardHandler)
	w.wx, err = wxsandbox.New(wxsandbox.Options{PublicURL: srv.URL + "/sandbox", NotifySpeedup: 1e9, Now: w.clk.Now, RealNow: time.Now, Logger: quiet,
		Pay: wxsandbox.PayOptions{RefundDelay: time.Millisecond, RefundInterval: -1}}, cred)
	must(t, err)
	w.App, err = app.Open(t.Context(), app.Options{Config: configuration(t, srv.URL, cred), Clock: w.clk, Log: quiet})
	must(t, err)
	must(t, w.Install(t.Context()))
	mux.Handle("/sandbox/", http.StripPrefix("/sandbox", w.wx.Handler()))
	mux.HandleFunc("/", func(out http.ResponseWriter, r *http.Request) {
		if turns := w.turns.Load(); turns != nil {
			r = r.WithContext(merged(*turns, r.Context()))
		}
		w.Handler().ServeHTTP(out, r)
	})
	t.Cleanup(func() {
		must(t, w.wx.Close())
		srv.Close()
		w.WeChat.Close()
		must(t, w.Close())
	})
	w.payer = w.wx.Personas()[0]
	w.boss, err = w.Staff.CreateOwner(actor.With(t.Context(), actor.Job("test")), "boss", "car-wash-2026", "王老板")
	must(t, err)
	w.furnish()
	w.opensFloor()
	return w
}

func configuration(t testing.TB, url string, cred wxsandbox.Credentials) config.Config {
	t.Helper()
	c, d := config.Default(), dbtest.Config(t)
	keyset, err := secret.Generate()
	must(t, err)
	c.PublicURL, c.Secret.Keyset, c.Storage.Dir = url, string(keyset), t.TempDir()
	c.Database = config.Database{Driver: string(d.Driver), Path: d.Path, DSN: d.DSN, MaxConns: d.MaxConns}
	c.WeChat.MiniProgram = config.App{AppID: cred.MiniProgram.AppID, Secret: cred.MiniProgram.Secret}
	c.WeChat.OfficialAccount = config.App{AppID: cred.OfficialAccount.AppID, Secret: cred.OfficialAccount.Secret}
	c.WeChat.Pay = config.Pay{MchID: cred.MchID, APIv3Key: cred.APIv3Key, MerchantSerial: cred.MerchantSerial, MerchantPrivateKey: cred.MerchantPrivateKeyPEM,
		Mode: "public_key", PublicKeyID: cred.PlatformPublicKeyID, PublicKey: cred.PlatformPublicKeyPEM}
	api := url + "/sandbox"
	c.WeChat.Endpoints = config.Endpoints{API: api, Open: api, Pay: api}
	return c
}

// staff is the context of the desk with a key of its own; it may be asked for from several goroutines.
func (w *world) staff() context.Context {
	who := actor.Actor{Kind: actor.Staff, ID: w.boss, Name: "王老板", Permissions: perm.Keys(), AllStores: true}
	return w.keyed(who, fmt.Sprintf("staff:%d", w.boss))
}

// owner is the context of a member's own phone.
func (w *world) owner(memberID, identity int64) context.Context {
	return w.keyed(actor.Actor{Kind: actor.Owner, ID: identity, MemberID: memberID, App: member.AppMini, Name: "车主"}, fmt.Sprintf("owner:%d", identity))
}

func (w *world) keyed(who actor.Actor, name string) context.Context {
	return idem.With(actor.With(w.t.Context(), who), idem.Key{Actor: name, Key: fmt.Sprintf("model-%08d", w.n.Add(1)), Hash: "x"})
}

// identity gives a member a WeChat of their own.
func (w *world) identity(memberID int64) (id int64, p wxsandbox.Persona, err error) {
	p, err = w.wx.AddPersona(wxsandbox.Persona{Nickname: "车主", Phone: fmt.Sprintf("1391%07d", w.n.Add(1)), Follows: true})
	if err != nil {
		return 0, p, err
	}
	err = w.DB.InTx(w.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		row := struct {
			ID     int64  `db:"id"`
			App    string `db:"app"`
			OpenID string `db:"openid"`
			Union  string `db:"unionid"`
			Member int64  `db:"member_id"`
			Bound  int64  `db:"bound_at"`
			Seen   int64  `db:"last_seen_at"`
			At     int64  `db:"created_at"`
		}{tx.NewID(), member.AppMini, p.OpenIDs[wxsandbox.AppMP], "", memberID, tx.Millis(), tx.Millis(), tx.Millis()}
		id = row.ID
		return tx.Insert(ctx, "member_identities", row)
	})
	return id, p, err
}

// runs does jobs of these kinds now, and whatever else is due.
func (w *world) runs(kinds ...string) error {
	err := w.DB.InTx(w.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		for _, k := range kinds {
			if err := w.Queue.EnqueueTx(ctx, tx, jobs.Job{Kind: k, Payload: struct{}{}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return w.Queue.Drain(w.t.Context())
}

// audit recomputes everything; "" when all is well.
func (w *world) audit() (string, error) {
	var out bytes.Buffer
	_, err := w.Audit(w.t.Context(), &out, io.Discard)
	return strings.TrimSpace(out.String()), err
}

// furnish makes what every history needs.
func (w *world) furnish() {
	c := &w.catalog
	car, err := w.Catalog.CreateVehicleClass(w.staff(), catalog.VehicleClassInput{Name: "轿车"})
	must(w.t, err)
	c.car = car.ID
	service := func(name, kind string, fen int64, b catalog.BookingInput) int64 {
		v, err := w.Catalog.CreateService(w.staff(), catalog.ServiceInput{Name: name, Kind: kind, Minutes: 30, Prices: []catalog.Price{{VehicleClassID: c.car, PriceFen: fenOf(fen)}}, BookingInput: b})
		must(w.t, err)
		return v.ID
	}
	c.wash, c.wax = service("精洗", "wash", priceWash, catalog.BookingInput{}), service("打蜡", "detail", priceWax, catalog.BookingInput{})
	c.polish = service("抛光", "wash", pricePolish, catalog.BookingInput{DepositFen: polishDeposit, FreeCancelHours: polishFreeHours})
	good, err := w.Catalog.CreateGood(w.staff(), catalog.GoodInput{Name: "玻璃水", Unit: "瓶", PriceFen: priceGood})
	must(w.t, err)
	c.good = good.ID
	plan, err := w.Catalog.CreatePlan(w.staff(), catalog.TopupPlanInput{Name: "充500送80", AmountFen: planFen, BonusFen: planBonus})
	must(w.t, err)
	c.plan = plan.ID
	w.club()
}

// club is what members may have beside money.
func (w *world) club() {
	c := &w.catalog
	must(w.t, w.Settings.Update(w.staff(), []setting.Value{{Key: setting.PointsEarnBP, Value: pointsPerYuan * 10000}, {Key: setting.PointsExpireMonths, Value: 1}, {Key: setting.PointsWarnDays, Value: 0}}))
	p, err := w.Passes.CreatePlan(w.staff(), pass.PlanInput{Offer: pass.Offer{Name: "洗车三次卡", Kind: pass.KindTimes, PriceFen: passPrice, ValidDays: passDays, FromBalance: true,
		Lines: []pass.PlanLine{{ServiceIDs: []int64{c.wash}, Times: passTimes, ListFen: priceWash}}}, OnSale: true})
	must(w.t, err)
	c.pass = p.ID
	v, err := w.Coupons.CreateTemplate(w.staff(), coupon.TemplateInput{Terms: coupon.Terms{Name: "减十元", Kind: coupon.KindAmount, OffFen: couponFen, Stack: pricing.StackAny, ValidDays: couponDays}})
	must(w.t, err)
	c.coupon = v.ID
	s, err := w.Tiers.Create(w.staff(), tier.Input{Name: "银卡", Color: "#999999", Rank: 2, DiscountBP: silverPercent * 100,
		Programme: &tier.Programme{Rule: &tier.Rule{Match: tier.MatchAny, Measures: []tier.Measure{{Kind: tier.SpendYear, AtLeast: silverAt}}}}})
	must(w.t, err)
	c.silver = s.ID
	m, err := w.Tiers.SavePlan(w.staff(), 0, tier.PlanInput{Name: "银卡会员", Kind: tier.PlanDiscount, PriceFen: memberPrice, Months: memberMonths, TierID: s.ID})
	must(w.t, err)
	c.member = m.ID
	// The job begins an hour before it runs first: from here on it sees everything.
	_, _, err = w.Wallet.Desk(w.staff(), w.firstTopup())
	must(w.t, err)
	must(w.t, w.Tiers.Sweep(w.t.Context()))
}

// firstTopup is one of somebody whom no history knows.
func (w *world) firstTopup() wallet.Ask {
	s, err := w.Shops.Create(w.staff(), shop.Input{Name: "总店"})
	must(w.t, err)
	j, err := w.Members.Register(w.staff(), member.NewMember{StoreID: s.ID, Phone: "13600000000", Name: "会员"})
	must(w.t, err)
	return wallet.Ask{StoreID: s.ID, MemberID: j.MemberID, AmountFen: leastTopup, Method: wallet.MethodCash}
}
