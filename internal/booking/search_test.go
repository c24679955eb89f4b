package booking

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/slot"
	"github.com/liangche/liangche/internal/tier"
)

// another is a second server over the same database: it shares no memory with the first.
func (r *rig) another() *Service {
	q := jobs.New(r.db, r.log)
	settings, shops, tiers := setting.New(r.db), shop.New(r.db), tier.New(r.db)
	offers := catalog.New(r.db, shops)
	members := member.New(r.db, r.box, settings, nil, offers, member.Options{})
	members.Connect(ranks{tiers}, ranks{tiers})
	return New(Deps{DB: r.db, Log: r.log, Box: r.box, Members: members, Payments: payment.New(r.db, q, nil, r.log), Catalog: offers, Tiers: tiers, Shops: shops,
		Roster: roster.New(r.db, r.people, shops), Slots: slot.New(r.db), Settings: settings, Messages: notify.New(r.db, q, silence{}, nil, settings, notify.Options{})})
}

// sent is a list as it leaves.
func sent(t testing.TB, l SlotList) string {
	t.Helper()
	var b bytes.Buffer
	must(t, l.WriteJSON(&b))
	return b.String()
}

// What is kept is never older than what a server that has just started says: whatever changes, whoever changes it.
func TestAKeptAnswerIsAsGoodAsANewOne(t *testing.T) {
	for name, first := range map[string]int{"this server first": 0, "another server first": 1} {
		t.Run(name, func(t *testing.T) { changesShow(t, first) })
	}
}

func changesShow(t *testing.T, first int) {
	r := newRig(t, 1, 1)
	reserved := r.bay("会员位", shop.BayWash, true)
	servers := []*Service{r.Service, r.another()}
	o, asks := r.owner(), r.owner()
	technician := r.people.all[0].ID
	question := what{storeID: r.store, kind: KindVisit, services: []int64{r.wash}}
	ask := func(s *Service) SlotList {
		l, err := s.OwnerSlots(asks.ctx(), asks.id, asks.vehicle, question, "", 3)
		must(t, err)
		return l
	}
	var b Booking
	var block slot.Block
	take := func(s *Service) (err error) {
		b, err = s.Create(o.ctx(), o.ask(r.at(1, 10, 0)))
		return err
	}
	service := func(fen int64, minutes int) func(*Service) error {
		return func(s *Service) error {
			_, err := s.offers.UpdateService(r.staff(), r.wash, catalog.ServiceInput{Name: "精洗", Kind: "wash", Minutes: minutes,
				Prices: []catalog.Price{{VehicleClassID: r.class, PriceFen: money.Fen(fen)}}})
			return err
		}
	}
	bay := func(active bool) func(*Service) error {
		return func(s *Service) error {
			_, _, err := s.shops.UpdateBay(r.staff(), reserved, shop.BayInput{StoreID: r.store, Name: "会员位", Kind: shop.BayWash, Priority: active})
			return err
		}
	}
	for i, c := range []struct {
		what string
		do   func(s *Service) error
		copy bool // of a rule: another server sees it within two seconds
	}{
		{"a time is taken", take, false},
		{"and given back", func(s *Service) error { _, err := s.Cancel(o.ctx(), b.ID, "", nil); return err }, false},
		{"taken again", take, false},
		{"the hold runs out", func(*Service) error { r.clk.Advance(11 * time.Minute); return nil }, false},
		{"the bay closes over it", func(s *Service) (err error) {
			block, _, err = s.slots.Block(r.staff(), slot.Block{StoreID: r.store, ResourceID: b.Segments[0].BayID, ResourceKind: slot.Bay, From: b.StartsAt, To: b.EndsAt, Reason: "检修"}, true)
			return err
		}, false},
		{"and opens", func(s *Service) error { return s.slots.Unblock(r.staff(), block.ID) }, false},
		{"leave", func(s *Service) (err error) {
			block, _, err = s.slots.Block(r.staff(), slot.Block{StoreID: r.store, ResourceID: technician, ResourceKind: slot.Technician, From: r.at(2, 9, 0), To: r.at(2, 12, 0), Reason: "请假"}, false)
			return err
		}, false},
		{"a tier", func(s *Service) error {
			return s.db.InTx(t.Context(), func(ctx context.Context, tx *dbTx) error {
				return s.tiers.SetMemberTierTx(ctx, tx, asks.id, r.priority, "贵宾")
			})
		}, false},
		{"a price", service(5000, 30), true},
		{"a length", service(5000, 60), true},
		{"the grid", func(s *Service) error {
			return s.settings.Update(r.staff(), []setting.Value{{Key: setting.BookingStepMinutes, Value: "30"}})
		}, true},
		{"time goes by", func(*Service) error { r.clk.Advance(time.Hour); return nil }, false},
		{"hours", func(s *Service) error {
			var week []shop.WeekSpan
			for d := range 7 {
				week = append(week, shop.WeekSpan{Weekday: d, Opens: 10 * 60, Closes: 20 * 60})
			}
			_, err := s.shops.SetHours(r.staff(), r.store, week)
			return err
		}, true},
		{"a holiday", func(s *Service) error {
			_, _, err := s.shops.SetDay(r.staff(), shop.DayInput{StoreID: r.store, Day: r.day(1), Kind: shop.DayClosed, Name: "盘点 \"A&B\""})
			return err
		}, true},
		{"no holiday", func(s *Service) error { _, err := s.shops.RemoveDay(r.staff(), r.store, r.day(1)); return err }, true},
		{"a shift", func(s *Service) error {
			return s.roster.PlanDay(r.staff(), r.store, technician, r.day(1), []roster.ShiftInput{{Starts: 15 * 60, Ends: 18 * 60}})
		}, true},
		{"no shift", func(s *Service) error { return s.roster.PlanDay(r.staff(), r.store, technician, r.day(1), nil) }, true},
		{"the bay is not reserved any more, the other is taken", func(s *Service) error {
			if err := bay(false)(s); err != nil {
				return err
			}
			_, err := s.Create(o.ctx(), o.ask(r.at(2, 15, 0)))
			return err
		}, true},
		{"no skill", func(s *Service) error {
			_, _, err := s.roster.SetTechnician(r.staff(), technician, roster.TechnicianInput{Bookable: true, Skills: []roster.Skill{{Skill: "detail", Level: 3}}})
			return err
		}, true},
	} {
		var before []string
		for _, s := range servers {
			before = append(before, sent(t, ask(s)))
		}
		must(t, c.do(servers[(i+first)%2]))
		if c.copy {
			r.clk.Advance(2 * time.Second)
		}
		want := ask(r.another())
		for j, s := range servers {
			got := ask(s)
			if !reflect.DeepEqual(got, want) || sent(t, got) != sent(t, want) {
				t.Errorf("%s, server %d:\n got %s\nwant %s", c.what, j, sent(t, got), sent(t, want))
			}
			if sent(t, got) == before[j] {
				t.Errorf("%s: nothing changed: %s", c.what, before[j])
			}
			if again := ask(s); len(again.Days[0].Slots) > 0 && &again.Days[0].Slots[0] != &got.Days[0].Slots[0] {
				t.Errorf("%s: the answer was not kept", c.what)
			}
		}
		var plain bytes.Buffer
		e := json.NewEncoder(&plain)
		e.SetEscapeHTML(false)
		must(t, e.Encode(want))
		if plain.String() != sent(t, want) {
			t.Errorf("%s: sent %s\nwant %s", c.what, sent(t, want), plain.String())
		}
	}
}

// While one server gives time away, no answer of another shows what was gone before it was asked for.
func TestNoAnswerShowsWhatWasGone(t *testing.T) {
	r := newRig(t, 1, 1)
	there := r.another()
	o := make([]owner, 12)
	for i := range o {
		o[i] = r.owner()
	}
	asks := r.owner()
	var mu sync.Mutex
	var gone []time.Time
	var done atomic.Bool
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for !done.Load() {
				mu.Lock()
				before := slices.Clone(gone)
				mu.Unlock()
				l, err := r.OwnerSlots(asks.ctx(), asks.id, asks.vehicle, what{storeID: r.store, kind: KindVisit, services: []int64{r.wash}}, r.day(1), 2)
				if err != nil {
					t.Error(err)
					return
				}
				for _, d := range l.Days {
					for _, x := range d.Slots {
						if slices.ContainsFunc(before, x.StartsAt.Equal) {
							t.Errorf("%s is shown and was gone", x.StartsAt)
						}
					}
				}
			}
		})
	}
	for i := range o {
		at := r.at(1, 9+i/2, 30*(i%2))
		_, err := there.Create(o[i].ctx(), o[i].ask(at))
		must(t, err)
		mu.Lock()
		gone = append(gone, at)
		mu.Unlock()
	}
	done.Store(true)
	readers.Wait()
}
