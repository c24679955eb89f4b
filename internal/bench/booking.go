package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/booking"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/mariadb"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/slot"
	"github.com/liangche/liangche/internal/staff"
	"github.com/liangche/liangche/internal/wechat"
)

// workshop is how large the shop is that P7 searches.
type workshop struct {
	bays, technicians, days int
	full                    float64 // share of the open time that is taken
}

// rush is who wants what in P8: every start of a day is wished by the same number of owners.
type rush struct{ owners, bays, starts int }

func (r rush) places() int { return r.bays * r.starts }

// Who searches in P7: owners of their own cars, each with a token, of whom one asks at a time for each client; one search in wishEvery names a
// technician. Meanwhile somebody books, and gives back, a time of that store bookEvery: a shop of this size gives out one in two minutes.
const (
	searchClients = 8
	searchOwners  = 64
	wishEvery     = 8
	bookEvery     = 500 * time.Millisecond
)

// bookings measures P7 and P8 on both databases.
func (b *bench) bookings(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "liangche-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.say("booking: starting a throw-away MariaDB")
	server, err := mariadb.Start(ctx, true)
	if err != nil {
		return err
	}
	defer server.Close()
	dsn, err := server.Create(ctx, "liangche")
	if err != nil {
		return err
	}
	size, crowd := workshop{20, 30, 14, 0.7}, rush{2000, 4, 10}
	if b.quick {
		crowd.owners = 500
	}
	for _, c := range []struct {
		name string
		db   db.Config
	}{{"MariaDB", db.Config{Driver: db.MySQL, DSN: dsn, MaxConns: workerCount}}, {"SQLite", sqliteIn(dir)}} {
		w, err := newWorld(ctx, c.db, 0)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		err = b.search(ctx, w, c.name, size)
		if err == nil {
			err = b.stampede(ctx, w, c.name, crowd)
		}
		if err = errors.Join(err, w.Close()); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// search measures P7: an owner looks for a free start in two weeks, over HTTP.
func (b *bench) search(ctx context.Context, w *world, name string, size workshop) error {
	b.say("%s: a shop with %d bays and %d technicians, %.0f %% full for %d days", name, size.bays, size.technicians, 100*size.full, size.days)
	s, err := w.newSeekers(ctx, size)
	if err != nil {
		return err
	}
	defer s.stop()
	busy, done := context.WithCancel(ctx)
	defer done()
	booked := make(chan error, 1)
	go func() { booked <- s.book(busy) }()
	m := &meter{workers: searchClients}
	if _, err := m.run(ctx, b.length/2, s.search); err != nil {
		return err
	}
	var p50, p99 []float64
	for round := range b.rounds {
		x, err := m.run(ctx, b.length, s.search)
		if err != nil {
			return err
		}
		b.say("  round %d/%d  search  %8.0f /s  %6.0f µs CPU  p50 %6.2f  p99 %6.2f ms", round+1, b.rounds, x.perSecond, x.cpuMicros, x.p50, x.p99)
		p50, p99 = append(p50, x.p50), append(p99, x.p99)
	}
	done()
	if err := <-booked; err != nil {
		return fmt.Errorf("booking meanwhile: %w", err)
	}
	what := fmt.Sprintf("%s: slot search over HTTP, %d days, %d clients, ", name, size.days, searchClients)
	b.atMost("P7", what+"p50, ms", p50, "%.2f", 3, 0.5)
	b.atMost("P7", what+"p99, ms", p99, "%.2f", 15, 0)
	return b.boards(ctx, s, name)
}

// stampede measures P8: everybody wants the same few places at the same moment, as often as there are seeds.
func (b *bench) stampede(ctx context.Context, w *world, name string, size rush) error {
	b.say("%s: %d owners for %d places, %d seeds", name, size.owners, size.places(), b.seeds)
	c, err := w.newCrowd(ctx, size)
	if err != nil {
		return err
	}
	var won, took []float64
	for seed := range b.seeds {
		n, d, err := c.run(ctx, uint64(seed+1))
		if err != nil {
			return fmt.Errorf("seed %d: %w", seed+1, err)
		}
		if err := w.exact(ctx); err != nil {
			return fmt.Errorf("seed %d: %w", seed+1, err)
		}
		b.say("  seed %d/%d  %d winners in %s, every loser has other times, the audit finds nothing", seed+1, b.seeds, n, d.Round(time.Millisecond))
		won, took = append(won, float64(n)), append(took, d.Seconds())
	}
	b.exactly("P8", fmt.Sprintf("%s: %d owners for %d places, winners in each of %d seeds", name, size.owners, size.places(), b.seeds), won, float64(size.places()))
	b.atMost("P8", name+": until the last of them has an answer, s", took, "%.1f", 0, 0)
	return nil
}

// furnish opens a store with wash bays and technicians who work from nine to nine.
func (w *world) furnish(ctx context.Context, name string, bays, technicians, days int) (store shop.Store, resources []int64, err error) {
	sys := actor.With(ctx, w.boss)
	if store, err = w.Shops.Create(sys, shop.Input{Name: name, Address: "测试路", Phone: "021-55550000"}); err != nil {
		return store, nil, err
	}
	for i := range bays {
		b, err := w.Shops.CreateBay(sys, shop.BayInput{StoreID: store.ID, Name: fmt.Sprintf("%d 号洗车位", i+1), Kind: shop.BayWash, Sort: i})
		if err != nil {
			return store, nil, err
		}
		resources = append(resources, b.ID)
	}
	roles, err := w.Staff.Roles(sys)
	if err != nil {
		return store, nil, err
	}
	role := roles[slices.IndexFunc(roles, func(r staff.Role) bool { return r.Key == "technician" })].ID
	people := make([]int64, technicians)
	for i := range people {
		a, _, err := w.Staff.Create(sys, staff.Input{Name: fmt.Sprintf("技师%02d", i+1), Username: fmt.Sprintf("t%d-%d", store.ID, i), RoleIDs: []int64{role}, StoreIDs: []int64{store.ID}})
		if err != nil {
			return store, nil, err
		}
		people[i] = a.ID
	}
	for i, id := range people {
		if err := w.employ(sys, store, id, 1+i%5, days); err != nil {
			return store, nil, err
		}
	}
	return store, append(resources, people...), nil
}

// employ gives somebody a skill and shifts.
func (w *world) employ(ctx context.Context, store shop.Store, id int64, level, days int) (err error) {
	err = fault.ErrNotFound
	for wait := time.Now(); errors.Is(err, fault.ErrNotFound) && time.Since(wait) < 5*time.Second; { // the roster's copy of the staff may be two seconds old
		if _, _, err = w.Roster.SetTechnician(ctx, id, roster.TechnicianInput{Bookable: true, Skills: []roster.Skill{{Skill: roster.SkillWash, Level: level}}}); err != nil {
			time.Sleep(20 * time.Millisecond)
		}
	}
	for day := 0; err == nil && day < days; day++ {
		err = w.Roster.PlanDay(ctx, store.ID, id, bizday.Add(store.BizDay(w.DB.Now()), day), []roster.ShiftInput{{Starts: 9 * 60, Ends: 21 * 60}})
	}
	return err
}

// joinOnline is a member who came through WeChat: who it is, and the token of the phone. The phone number is typed, so WeChat is not asked.
func (w *world) joinOnline(ctx context.Context, i int) (actor.Actor, string, error) {
	session, _, err := w.Members.LoginAs(ctx, wechat.Identity{App: member.AppMini, AppID: "wxbench", OpenID: fmt.Sprintf("bench-%08d", i)})
	if err != nil {
		return actor.Actor{}, "", err
	}
	who, err := w.Members.Authenticate(ctx, session.AccessToken)
	if err != nil {
		return who, "", err
	}
	charter, err := w.Members.Charter(ctx)
	if err != nil {
		return who, "", err
	}
	key := idem.Key{Actor: fmt.Sprintf("owner:%d", who.ID), Key: fmt.Sprintf("join-%08d", i), Hash: "join"}
	_, err = w.Members.Join(idem.With(actor.With(ctx, who), key), member.JoinInput{CharterVersion: charter.Version, Phone: fmt.Sprintf("137%08d", i), Name: "车主",
		Vehicle: &member.VehicleInput{Plate: fmt.Sprintf("沪B%05d", i), VehicleClassID: w.class}})
	if err == nil {
		who, err = w.Members.Authenticate(ctx, session.AccessToken)
	}
	return who, session.AccessToken, err
}

// seekers are owners' phones that look for a time.
type seekers struct {
	*world
	base     string
	store    shop.Store
	days     int
	owners   []seeker
	services []int64
	team     []int64
	client   *http.Client
	stop     func()
	bodies   [searchClients]bytes.Buffer
}

type seeker struct {
	who   actor.Actor
	token string
	car   int64
}

func (w *world) newSeekers(ctx context.Context, size workshop) (*seekers, error) {
	s := &seekers{world: w, days: size.days, services: []int64{w.items[0].ID}}
	for _, minutes := range []int{60, 90} {
		v, err := w.Catalog.CreateService(actor.With(ctx, w.boss), catalog.ServiceInput{Name: fmt.Sprintf("精洗 %d 分钟", minutes), Kind: "wash", Minutes: minutes,
			Prices: []catalog.Price{{VehicleClassID: w.class, PriceFen: servicePriceFen}}})
		if err != nil {
			return nil, err
		}
		s.services = append(s.services, v.ID)
	}
	store, resources, err := w.furnish(ctx, "大店", size.bays, size.technicians, size.days+1)
	if err != nil {
		return nil, err
	}
	s.store, s.team = store, resources[size.bays:]
	if err := w.fill(ctx, store, resources, size); err != nil {
		return nil, err
	}
	for i := range searchOwners {
		who, token, err := w.joinOnline(ctx, 1+i)
		if err != nil {
			return nil, err
		}
		cars, err := w.Members.Vehicles(ctx, who.MemberID)
		if err != nil {
			return nil, err
		}
		s.owners = append(s.owners, seeker{who, token, cars[0].ID})
	}
	till, stop, err := w.listen(ctx)
	if err != nil {
		return nil, err
	}
	s.base, s.client, s.stop = till.base, till.client, stop
	// Once each and looked at: a search that finds nothing, or everything, measures nothing.
	for _, id := range s.services {
		body, err := s.get(ctx, s.owners[0], id, 0, 0)
		if text := body.String(); err == nil && (strings.Count(text, `"startsAt"`) < 20 || strings.Count(text, `"day"`) != size.days) {
			err = fmt.Errorf("the search found %d starts on %d days: %.300s", strings.Count(text, `"startsAt"`), strings.Count(text, `"day"`), text)
		}
		if err != nil {
			stop()
			return nil, err
		}
	}
	return s, nil
}

// fill takes jobs of 20 to 90 minutes of every bay and technician until the share of the open time is taken.
func (w *world) fill(ctx context.Context, store shop.Store, resources []int64, size workshop) error {
	rnd := rand.New(rand.NewPCG(1, 2))
	for i, id := range resources {
		err := w.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			for day := range size.days + 1 {
				opens, err := bizday.At(bizday.Add(store.BizDay(tx.Now), day), 9*60, store.Timezone)
				if err != nil {
					return err
				}
				from, to := slot.CellOf(opens), slot.CellOf(opens.Add(12*time.Hour))
				for at := from; at < to; {
					n := min(slot.Cell(4+rnd.IntN(15)), to-at)
					if rnd.Float64() < size.full {
						if err := w.Slots.TakeTx(ctx, tx, store.ID, int64(i+1)<<32+int64(at), []slot.Claim{{ResourceID: id, Span: slot.Span{From: at, To: at + n}}}); err != nil {
							return err
						}
					}
					at += n
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// get asks for the free times; what comes back is read into the worker's own buffer.
func (s *seekers) get(ctx context.Context, o seeker, service, technician int64, worker int) (*bytes.Buffer, error) {
	url := fmt.Sprintf("%s/api/owner/booking/slots?storeId=%d&vehicleId=%d&serviceIds=%d&days=%d", s.base, s.store.ID, o.car, service, s.days)
	if technician != 0 {
		url += fmt.Sprintf("&technicianId=%d", technician)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+o.token)
	res, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body := &s.bodies[worker]
	body.Reset()
	_, err = body.ReadFrom(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, body)
	}
	return body, err
}

// search asks as a random owner for a random service.
func (s *seekers) search(ctx context.Context, worker, n int) error {
	technician := int64(0)
	if n%wishEvery == 0 {
		technician = s.team[rand.IntN(len(s.team))]
	}
	_, err := s.get(ctx, s.owners[rand.IntN(len(s.owners))], s.services[rand.IntN(len(s.services))], technician, worker)
	return err
}

// book takes a time of the store and gives it back, again and again, until the context ends: kept answers do not last.
func (s *seekers) book(ctx context.Context) error {
	tick := time.NewTicker(bookEvery)
	defer tick.Stop()
	day, err := s.tomorrow()
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		o := s.owners[n%len(s.owners)]
		id, err := s.take(context.WithoutCancel(ctx), o, "take", n, day)
		if err != nil {
			return err
		}
		if !next(ctx, tick) {
			return nil
		}
		if _, err := s.Bookings.Cancel(o.as(context.WithoutCancel(ctx), "give", n), id, "", nil); err != nil {
			return err
		}
		if !next(ctx, tick) {
			return nil
		}
	}
}

// tomorrow is when the store opens then.
func (s *seekers) tomorrow() (time.Time, error) {
	return bizday.At(bizday.Add(s.store.BizDay(s.DB.Now()), 1), 9*60, s.store.Timezone)
}

// as is the owner's n-th command of that name.
func (o seeker) as(ctx context.Context, what string, n int) context.Context {
	return idem.With(actor.With(ctx, o.who), idem.Key{Actor: fmt.Sprintf("owner:%d", o.who.ID), Key: fmt.Sprintf("%s-%08d", what, n), Hash: what})
}

// take books some time of the store from that day on; which one is a guess until one is free.
func (s *seekers) take(ctx context.Context, o seeker, what string, n int, day time.Time) (int64, error) {
	for lost := 0; ; lost++ {
		at := day.AddDate(0, 0, rand.IntN(s.days-2)).Add(time.Duration(15*rand.IntN(46)) * time.Minute)
		b, err := s.Bookings.Create(o.as(ctx, what, n), booking.OwnerAsk{StoreID: s.store.ID, Kind: booking.KindVisit, VehicleID: o.car, ServiceIDs: s.services[:1], StartsAt: &at, Channel: booking.ChannelMini})
		if !errors.Is(err, booking.ErrGone) || lost == 1000 {
			return b.ID, err
		}
	}
}

func next(ctx context.Context, tick *time.Ticker) bool {
	select {
	case <-ctx.Done():
		return false
	case <-tick.C:
		return true
	}
}

// crowd is who rushes for the places of one day.
type crowd struct {
	*world
	size   rush
	store  shop.Store
	opens  time.Time
	wash   int64
	owners []actor.Actor
	cars   []int64
	keys   int
}

func (w *world) newCrowd(ctx context.Context, size rush) (*crowd, error) {
	sys := actor.With(ctx, w.boss)
	if err := w.Settings.Update(sys, []setting.Value{{Key: setting.BookingStepMinutes, Value: "30"}}); err != nil {
		return nil, err
	}
	c := &crowd{world: w, size: size, owners: make([]actor.Actor, size.owners), cars: make([]int64, size.owners)}
	var err error
	if c.store, _, err = w.furnish(ctx, "小店", size.bays, size.bays, 3); err != nil {
		return nil, err
	}
	tomorrow := bizday.Add(c.store.BizDay(w.DB.Now()), 1)
	if _, _, err = w.Shops.SetDay(sys, shop.DayInput{StoreID: c.store.ID, Day: tomorrow, Kind: shop.DaySpecial, Opens: 10 * 60, Closes: 10*60 + 30*size.starts}); err != nil {
		return nil, err
	}
	if c.opens, err = bizday.At(tomorrow, 10*60, c.store.Timezone); err != nil {
		return nil, err
	}
	v, err := w.Catalog.CreateService(sys, catalog.ServiceInput{Name: "快洗", Kind: "wash", Minutes: 30, Prices: []catalog.Price{{VehicleClassID: w.class, PriceFen: servicePriceFen}}})
	if err != nil {
		return nil, err
	}
	c.wash = v.ID
	var wg sync.WaitGroup
	failed := make([]error, searchClients)
	for k := range searchClients {
		wg.Go(func() {
			for i := k; i < size.owners && failed[k] == nil; i += searchClients {
				if c.owners[i], _, failed[k] = w.joinOnline(ctx, 1000+i); failed[k] != nil {
					return
				}
				cars, err := w.Members.Vehicles(ctx, c.owners[i].MemberID)
				if err != nil {
					failed[k] = err
					return
				}
				c.cars[i] = cars[0].ID
			}
		})
	}
	wg.Wait()
	return c, errors.Join(failed...)
}

// as is a command of an owner with a fresh key.
func (c *crowd) as(ctx context.Context, i int, what string) context.Context {
	return idem.With(actor.With(ctx, c.owners[i]), idem.Key{Actor: fmt.Sprintf("owner:%d", c.owners[i].ID), Key: fmt.Sprintf("%s-%06d-%06d", what, c.keys, i), Hash: what})
}

// run lets everybody ask at once and then gives the places back. It fails when somebody lost otherwise than by losing, was shown no other times
// though there were some, or when two hold the same time.
func (c *crowd) run(ctx context.Context, seed uint64) (won int, took time.Duration, err error) {
	c.keys++
	rnd := rand.New(rand.NewPCG(seed, 8))
	starts := make([]time.Time, c.size.owners)
	for i := range starts {
		starts[i] = c.opens.Add(time.Duration(i%c.size.starts) * 30 * time.Minute)
	}
	rnd.Shuffle(len(starts), func(i, j int) { starts[i], starts[j] = starts[j], starts[i] })
	got, lost := make([]booking.Booking, c.size.owners), make([]error, c.size.owners)
	var ready, gun, done sync.WaitGroup
	gun.Add(1)
	for i := range c.owners {
		ready.Add(1)
		done.Go(func() {
			ctx, at := c.as(ctx, i, "rush"), starts[i]
			ready.Done()
			gun.Wait()
			got[i], lost[i] = c.Bookings.Create(ctx, booking.OwnerAsk{StoreID: c.store.ID, Kind: booking.KindVisit, VehicleID: c.cars[i], ServiceIDs: []int64{c.wash}, StartsAt: &at, Channel: booking.ChannelMini})
		})
	}
	ready.Wait()
	begin := time.Now()
	gun.Done()
	done.Wait()
	took = time.Since(begin)
	taken := map[[2]int64]bool{}
	for i, b := range got {
		if lost[i] != nil {
			if alt, ok := fault.As(lost[i]).Detail.(booking.Alternatives); !errors.Is(lost[i], booking.ErrGone) || !ok || len(alt.Alternatives) != 3 {
				return won, took, fmt.Errorf("owner %d: %w with %+v", i, lost[i], fault.As(lost[i]).Detail)
			}
			continue
		}
		won++
		for _, id := range []int64{b.Segments[0].BayID, b.Segments[0].TechnicianID} {
			for at := b.Segments[0].FromCell; at < b.Segments[0].ToCell; at++ {
				if taken[[2]int64{id, at}] {
					return won, took, fmt.Errorf("two owners hold cell %d of %d", at, id)
				}
				taken[[2]int64{id, at}] = true
			}
		}
	}
	if won != c.size.places() {
		return won, took, fmt.Errorf("%d winners, want %d", won, c.size.places())
	}
	for i, b := range got {
		if lost[i] == nil {
			if _, err := c.Bookings.Cancel(c.as(ctx, i, "back"), b.ID, "", nil); err != nil {
				return won, took, err
			}
		}
	}
	return won, took, nil
}
