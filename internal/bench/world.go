package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"

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
	"github.com/liangche/liangche/internal/session"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/staff"
	"github.com/liangche/liangche/internal/wallet"
)

const (
	storeCount      = 20
	workerCount     = 32
	sqliteWorkers   = 8
	benchPassword   = "bench-liangche-2026"
	benchUser       = "boss"
	topupFen        = 500_000 // what the law allows on one card
	bonusFen        = 80_000
	servicePriceFen = 7 // small, so that a card lasts for the whole run
	goodPriceFen    = 3
)

// world is a shop with members who hold stored value, made by the same use cases that people use.
type world struct {
	*app.App
	keyset  []byte
	boss    actor.Actor
	token   string
	refresh string
	stores  []int64
	class   int64
	items   []checkout.Item
	members []customer
}

// customer is a member with a car and the quote for a visit, at the first store and at one of many.
type customer struct {
	id        int64
	plate     string
	home      int64
	atFirst   string // hashes of quotes
	atHome    string
	totalFen  money.Fen
	firstSite int64
}

// newWorld opens an App over the database, migrates it and fills it with n members.
func newWorld(ctx context.Context, d db.Config, n int, change ...func(*config.Config)) (w *world, err error) {
	keyset, err := secret.Generate()
	if err != nil {
		return nil, err
	}
	c := config.Default()
	c.PublicURL, c.Secret.Keyset = "http://127.0.0.1", string(keyset)
	c.Database = config.Database{Driver: string(d.Driver), Path: d.Path, DSN: d.DSN, MaxConns: d.MaxConns}
	for _, f := range change {
		f(&c)
	}
	w = &world{keyset: keyset}
	if w.App, err = app.Open(ctx, app.Options{Config: c, Clock: clock.System(), Log: slog.New(slog.DiscardHandler)}); err != nil {
		return nil, err
	}
	if err = w.Migrate(ctx, nil); err == nil {
		err = w.open(ctx)
	}
	if err == nil {
		err = w.invite(ctx, n)
	}
	if err != nil {
		_ = w.Close()
		return nil, err
	}
	return w, nil
}

// open founds the stores, the offers and the account of the boss.
func (w *world) open(ctx context.Context) error {
	sys := actor.With(ctx, actor.Job("bench"))
	if _, err := w.Staff.CreateOwner(sys, benchUser, benchPassword, "店主"); err != nil {
		return err
	}
	in, _, err := w.Staff.LoginPassword(sys, benchUser, benchPassword)
	if err != nil {
		return err
	}
	w.token, w.refresh = in.AccessToken, in.RefreshToken
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
	wash, err := w.Catalog.CreateService(sys, catalog.ServiceInput{Name: "标准洗车", Kind: "wash", Minutes: 30, MinPriceBP: &whole,
		Prices: []catalog.Price{{VehicleClassID: class.ID, PriceFen: servicePriceFen}}})
	if err != nil {
		return err
	}
	scent, err := w.Catalog.CreateGood(sys, catalog.GoodInput{Name: "车内香片", Unit: "片", PriceFen: goodPriceFen})
	if err != nil {
		return err
	}
	w.items = []checkout.Item{{Kind: catalog.KindService, ID: wash.ID, Qty: 1}, {Kind: catalog.KindGood, ID: scent.ID, Qty: 1}}
	_, err = w.Catalog.CreatePlan(sys, catalog.TopupPlanInput{Name: "充 5000 送 800", AmountFen: topupFen, BonusFen: bonusFen})
	return err
}

// invite makes the members, each with a topped-up card. Several at a time: half of it is waiting for the disk.
func (w *world) invite(ctx context.Context, n int) error {
	plans, err := w.Catalog.Plans(ctx)
	if err != nil {
		return err
	}
	w.members = make([]customer, n)
	next := make(chan int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range 8 {
		wg.Go(func() {
			for i := range next {
				m, e := w.join(ctx, i, plans[0].ID)
				mu.Lock()
				if w.members[i] = m; e != nil {
					err = fmt.Errorf("member %d: %w", i, e)
				}
				mu.Unlock()
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	return err
}

// as is the context of one command of the boss with a key of its own.
func (w *world) as(ctx context.Context, key string) context.Context {
	return idem.With(actor.With(ctx, w.boss), idem.Key{Actor: fmt.Sprintf("staff:%d", w.boss.ID), Key: key, Hash: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"})
}

func (w *world) join(ctx context.Context, i int, plan int64) (c customer, err error) {
	c.firstSite, c.home = w.stores[0], w.stores[i%len(w.stores)]
	c.plate = fmt.Sprintf("沪A%05d", i)
	got, err := w.Members.Register(w.as(ctx, fmt.Sprintf("join-%08d", i)), member.NewMember{StoreID: c.home, Phone: fmt.Sprintf("139%08d", i), Name: "顾客",
		Vehicle: &member.VehicleInput{Plate: c.plate, VehicleClassID: w.class}})
	if err != nil {
		return c, err
	}
	c.id = got.MemberID
	if _, _, err := w.Wallet.Desk(w.as(ctx, fmt.Sprintf("fill-%08d", i)), wallet.Ask{MemberID: c.id, StoreID: c.home, PlanID: plan, AmountFen: topupFen, Method: wallet.MethodCash}); err != nil {
		return c, err
	}
	for _, x := range []struct {
		store int64
		hash  *string
	}{{c.firstSite, &c.atFirst}, {c.home, &c.atHome}} {
		q, err := w.Checkout.Quote(actor.With(ctx, w.boss), w.visit(c, x.store))
		if err != nil {
			return c, err
		}
		*x.hash, c.totalFen = q.QuoteHash, q.TotalFen
	}
	return c, nil
}

func (w *world) visit(c customer, store int64) checkout.Request {
	return checkout.Request{StoreID: store, MemberID: c.id, Plate: c.plate, VehicleClassID: w.class, Items: w.items}
}

func (c customer) pay() []checkout.Tender {
	return []checkout.Tender{{Kind: checkout.TenderBalance, AmountFen: c.totalFen}}
}

func (w *world) anybody() customer { return w.members[rand.IntN(len(w.members))] }

func (w *world) settle(ctx context.Context, n int, c customer, store int64, hash string) error {
	_, err := w.Checkout.Settle(w.as(ctx, fmt.Sprintf("bench-%010d", n)), w.visit(c, store), hash, c.pay())
	return err
}

// spread settles for a random member at that member's store.
func (w *world) spread(ctx context.Context, _, n int) error {
	c := w.anybody()
	return w.settle(ctx, n, c, c.home, c.atHome)
}

// hotStore settles for a random member, always at the first store.
func (w *world) hotStore(ctx context.Context, _, n int) error {
	c := w.anybody()
	return w.settle(ctx, n, c, c.firstSite, c.atFirst)
}

// hotMember settles for one member.
func (w *world) hotMember(ctx context.Context, _, n int) error {
	c := w.members[0]
	return w.settle(ctx, n, c, c.home, c.atHome)
}

// till is a client that settles over HTTP, signed in as the boss. Each worker keeps a connection of its own and writes its requests to it: what is
// measured is the server, and a client with two goroutines to a connection would take a good part of the two cores.
type till struct {
	*world
	base   string
	client *http.Client
	lines  []line // by worker; more than any run has
}

// line is a worker's connection; it is dialled when it is first used.
type line struct {
	conn net.Conn
	in   *bufio.Reader
	out  bytes.Buffer
	body bytes.Buffer
}

func newTill(w *world, base string) *till {
	return &till{w, base, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workerCount, MaxConnsPerHost: workerCount}}, make([]line, 1024)}
}

// signOn replaces the till's tokens, as the staff's app does while it is used: an access token ends after half an hour.
func (t *till) signOn(ctx context.Context) error {
	body, err := json.Marshal(staff.RefreshRequest{RefreshToken: t.refresh})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.base+"/api/staff/session/refresh", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := t.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var got session.Session
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("session refresh: status %d: %w", res.StatusCode, err)
	}
	t.token, t.refresh = got.AccessToken, got.RefreshToken
	return nil
}

// listen serves the world's App on a port of its own until the returned function is called.
func (w *world) listen(ctx context.Context) (t *till, stop func(), err error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	srv := &http.Server{Handler: w.Handler()}
	go func() { _ = srv.Serve(ln) }()
	return newTill(w, "http://"+ln.Addr().String()), func() { _ = srv.Close() }, nil
}

// overHTTP settles for a random member at that member's store, as the staff's app does.
func (t *till) overHTTP(ctx context.Context, worker, n int) error {
	c := t.anybody()
	body, err := json.Marshal(checkout.CheckoutAsk{Request: t.visit(c, c.home), QuoteHash: c.atHome, Tenders: c.pay()})
	if err != nil {
		return err
	}
	l := &t.lines[worker]
	if l.conn == nil {
		if l.conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(t.base, "http://")); err != nil {
			return err
		}
		l.in = bufio.NewReader(l.conn)
	}
	l.out.Reset()
	fmt.Fprintf(&l.out, "POST /api/staff/checkouts HTTP/1.1\r\nHost: till\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nIdempotency-Key: http-%010d\r\nContent-Length: %d\r\n\r\n",
		t.token, n, len(body))
	l.out.Write(body)
	if _, err := l.conn.Write(l.out.Bytes()); err != nil {
		return err
	}
	res, err := http.ReadResponse(l.in, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	l.body.Reset()
	_, err = l.body.ReadFrom(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, l.body.Bytes())
	}
	return err
}

// exact fails unless the audit finds every book exact.
func (w *world) exact(ctx context.Context) error {
	var said bytes.Buffer
	n, err := w.Audit(ctx, &said, io.Discard)
	if err == nil && n > 0 {
		err = fmt.Errorf("the audit found %d differences:\n%s", n, said.String())
	}
	return err
}

func sqliteIn(dir string) db.Config {
	return db.Config{Driver: db.SQLite, Path: filepath.Join(dir, "liangche.db"), MaxConns: 16}
}
