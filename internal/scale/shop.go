package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/app"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/config"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/tier"
	"github.com/liangche/liangche/internal/wallet"
)

const (
	templateMembers = 500
	storeCount      = 20
	topupFen        = 500_000
	bonusFen        = 80_000
	pageFen         = 7 // prices are small, so that a card lasts for the whole run
	user, password  = "boss", "scale-liangche-2026"
)

// shopfloor is a business over one database.
type shopfloor struct {
	*app.App
	keyset []byte
	clock  *clock.Switch
	boss   actor.Actor
	token  string
	stores []int64
	class  int64
	plan   int64
	items  []checkout.Item
}

// newShop founds a business on an empty database.
func newShop(ctx context.Context, d db.Config) (w *shopfloor, err error) {
	keyset, err := secret.Generate()
	if err != nil {
		return nil, err
	}
	w = &shopfloor{keyset: keyset, clock: clock.NewSwitch(clock.System())}
	if err := w.over(ctx, d); err != nil {
		return nil, err
	}
	if err = w.Migrate(ctx, nil); err == nil {
		err = w.found(ctx)
	}
	if err != nil {
		_ = w.Close()
		return nil, err
	}
	return w, nil
}

// over opens the program over a database.
func (w *shopfloor) over(ctx context.Context, d db.Config) (err error) {
	c := config.Default()
	c.PublicURL, c.Secret.Keyset = "http://127.0.0.1", string(w.keyset)
	c.Database = config.Database{Driver: string(d.Driver), Path: d.Path, DSN: d.DSN, MaxConns: d.MaxConns}
	w.App, err = app.Open(ctx, app.Options{Config: c, Clock: w.clock, Log: slog.New(slog.DiscardHandler)})
	return err
}

// found makes the stores, the offers, the tiers and the account of the boss.
func (w *shopfloor) found(ctx context.Context) error {
	sys := actor.With(ctx, actor.Job("scale"))
	if _, err := w.Staff.CreateOwner(sys, user, password, "店主"); err != nil {
		return err
	}
	in, _, err := w.Staff.LoginPassword(sys, user, password)
	if err != nil {
		return err
	}
	w.token = in.AccessToken
	if w.boss, err = w.Staff.Authenticate(ctx, w.token); err != nil {
		return err
	}
	for i := range storeCount {
		s, err := w.Shops.Create(sys, shop.Input{Name: fmt.Sprintf("亮车%02d店", i+1), Address: "测试路", Phone: "021-55550000"})
		if err != nil {
			return err
		}
		w.stores = append(w.stores, s.ID)
	}
	class, err := w.Catalog.CreateVehicleClass(sys, catalog.VehicleClassInput{Name: "轿车", Example: "五座"})
	if err != nil {
		return err
	}
	w.class = class.ID
	whole := money.BP(8000)
	wash, err := w.Catalog.CreateService(sys, catalog.ServiceInput{Name: "标准洗车", Kind: "wash", Minutes: 30, MinPriceBP: &whole, Prices: []catalog.Price{{VehicleClassID: class.ID, PriceFen: pageFen}}})
	if err != nil {
		return err
	}
	scent, err := w.Catalog.CreateGood(sys, catalog.GoodInput{Name: "车内香片", Unit: "片", PriceFen: 3})
	if err != nil {
		return err
	}
	w.items = []checkout.Item{{Kind: catalog.KindService, ID: wash.ID, Qty: 1}, {Kind: catalog.KindGood, ID: scent.ID, Qty: 1}}
	plan, err := w.Catalog.CreatePlan(sys, catalog.TopupPlanInput{Name: "充 5000 送 800", AmountFen: topupFen, BonusFen: bonusFen})
	w.plan = plan.ID
	if err != nil {
		return err
	}
	// Tiers that nobody reaches: a night has to look at everybody all the same.
	for i, visits := range []int64{50, 100} {
		if _, err := w.Tiers.Create(sys, tier.Input{Name: []string{"银卡", "金卡"}[i], Color: "#888888", Rank: i + 1, DiscountBP: 9500, Programme: &tier.Programme{
			Rule: &tier.Rule{Match: tier.MatchAny, Measures: []tier.Measure{{Kind: tier.SpendYear, AtLeast: int64(i+1) * 5_000_000}, {Kind: tier.VisitsYear, AtLeast: visits}}}}}); err != nil {
			return err
		}
	}
	return nil
}

// as is the context of one command of the boss with a key of its own.
func (w *shopfloor) as(ctx context.Context, key string) context.Context {
	return idem.With(actor.With(ctx, w.boss), idem.Key{Actor: fmt.Sprintf("staff:%d", w.boss.ID), Key: key, Hash: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"})
}

// guest is a member with a car at home in a store, and the quote for a visit there.
type guest struct {
	ID    int64  `db:"id"`
	Plate string `db:"plate"`
	Store int64  `db:"store_id"`
	hash  string
	total money.Fen
}

func (w *shopfloor) visit(g guest) checkout.Request {
	return checkout.Request{StoreID: g.Store, MemberID: g.ID, Plate: g.Plate, VehicleClassID: w.class, Items: w.items}
}

func (w *shopfloor) quoted(ctx context.Context, g guest) (guest, error) {
	q, err := w.Checkout.Quote(actor.With(ctx, w.boss), w.visit(g))
	g.hash, g.total = q.QuoteHash, q.TotalFen
	return g, err
}

func (g guest) pay() []checkout.Tender {
	return []checkout.Tender{{Kind: checkout.TenderBalance, AmountFen: g.total}}
}

func (w *shopfloor) settle(ctx context.Context, key string, g guest) error {
	_, err := w.Checkout.Settle(w.as(ctx, key), w.visit(g), g.hash, g.pay())
	return err
}

// join makes a member with a car and a full card.
func (w *shopfloor) join(ctx context.Context, i int) (g guest, err error) {
	g = guest{Plate: plate(i), Store: w.stores[i%len(w.stores)]}
	got, err := w.Members.Register(w.as(ctx, fmt.Sprintf("join-%08d", i)), member.NewMember{StoreID: g.Store, Phone: phone(i), Name: name(i),
		Vehicle: &member.VehicleInput{Plate: g.Plate, VehicleClassID: w.class}})
	if err != nil {
		return g, err
	}
	g.ID = got.MemberID
	_, _, err = w.Wallet.Desk(w.as(ctx, fmt.Sprintf("fill-%08d", i)), wallet.Ask{MemberID: g.ID, StoreID: g.Store, PlanID: w.plan, AmountFen: topupFen, Method: wallet.MethodCash})
	return g, err
}

// phone, plate and name are those of the i-th person: every number once, the last four digits as evenly as in life, some thousand names.
func phone(i int) string { return fmt.Sprintf("1%010d", 3_000_000_000+int64(i)*7919%6_999_999_999) }

func plate(i int) string { return fmt.Sprintf("沪A%05d", i) }

func name(i int) string {
	family, given := []rune("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"), []rune("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红波")
	n := len(given)
	return string([]rune{family[i%len(family)], given[i/len(family)%n], given[i/len(family)/n%n]})
}

// many runs f for 0 to n-1, several at a time; the first error counts.
func many(n, at int, f func(i int) error) (failed error) {
	next := make(chan int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range at {
		wg.Go(func() {
			for i := range next {
				if err := f(i); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	return failed
}

// sample draws members with their quotes.
func (w *shopfloor) sample(ctx context.Context, n int) ([]guest, error) {
	var ids []int64
	if err := w.DB.Select(ctx, &ids, `SELECT id FROM member_members ORDER BY id`); err != nil {
		return nil, err
	}
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	ids = ids[:min(n, len(ids))]
	guests := make([]guest, 0, len(ids))
	for len(ids) > 0 {
		part := ids[:min(500, len(ids))]
		ids = ids[len(part):]
		var some []guest
		if err := db.SelectIn(ctx, w.DB, &some, `SELECT m.id, v.plate, m.store_id FROM member_members m JOIN member_vehicles v ON v.member_id = m.id WHERE m.id IN (?)`, part); err != nil {
			return nil, err
		}
		guests = append(guests, some...)
	}
	return guests, many(len(guests), 8, func(i int) (err error) { guests[i], err = w.quoted(ctx, guests[i]); return err })
}

// exact fails unless the audit finds every book exact.
func (w *shopfloor) exact(ctx context.Context) error {
	var said bytes.Buffer
	n, err := w.Audit(ctx, &said, io.Discard)
	if err == nil && n > 0 {
		err = fmt.Errorf("the audit found %d differences:\n%.2000s", n, said.String())
	}
	return err
}

// twin opens another database with the same rows.
func (w *shopfloor) twin(ctx context.Context, d db.Config) (*shopfloor, error) {
	t := *w
	t.clock = clock.NewSwitch(clock.System())
	if err := t.over(ctx, d); err != nil {
		return nil, err
	}
	s, err := w.DB.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := t.DB.Migrate(ctx, migrationSet, nil); err != nil {
		return nil, err
	}
	_, err = s.CopyTo(ctx, t.DB, func(string, db.Progress) {})
	return &t, err
}

// day is how long a day of the template's life lasts.
const day = 24 * time.Hour
