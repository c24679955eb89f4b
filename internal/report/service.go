package report

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/group"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
)

// Service reads reports.
type Service struct {
	db       *db.DB
	shops    *shop.Service
	members  *member.Service
	settings *setting.Service
	groups   *group.Service

	cockpit kept[Cockpit]
	ending  kept[WindDown]
}

// New returns the service.
func New(d *db.DB, sh *shop.Service, m *member.Service, st *setting.Service, g *group.Service) *Service {
	return &Service{db: d, shops: sh, members: m, settings: st, groups: g, cockpit: newKept[Cockpit](), ending: newKept[WindDown]()}
}

func fen(n int64) money.Fen { return money.Fen(n) }

// view is what a dashboard looks at.
type view struct {
	scope
	storeName string
	zone      string
}

// look resolves store and date. storeID 0 is every store that the actor may see; what belongs to no store (online
// top-ups, refunds) shows only to actors who may see all. Faults: permission.store, not_found, request.invalid.
func (s *Service) look(ctx context.Context, storeID int64, date string) (v view, err error) {
	who := actor.From(ctx)
	v.zone = bizday.DefaultZone
	if storeID != 0 {
		if !who.InStore(storeID) {
			return v, fault.ErrStore
		}
		st, err := s.shops.Store(ctx, storeID)
		if err != nil {
			return v, err
		}
		v.stores, v.storeName, v.zone = []int64{storeID}, st.Name, st.Timezone
	} else {
		all, err := s.shops.Stores(ctx)
		if err != nil {
			return v, err
		}
		for _, st := range all {
			if who.InStore(st.ID) {
				v.stores = append(v.stores, st.ID)
			}
		}
		if len(v.stores) > 0 {
			v.zone = zoneOf(all, v.stores[0])
		}
		if who.AllStores || who.Kind == actor.System {
			v.stores = append(v.stores, 0)
		}
	}
	v.date = bizday.Of(s.db.Now(), v.zone)
	if date != "" {
		if !bizday.Valid(date) {
			return v, fault.ErrInvalid.On("date", "应为 2026-01-31 形式的日期")
		}
		v.date = date
	}
	return v, nil
}

func zoneOf(all []shop.Store, id int64) string {
	for _, st := range all {
		if st.ID == id {
			return st.Timezone
		}
	}
	return bizday.DefaultZone
}

// Dashboard reads a business date; date "" is today in the store's zone. Faults: permission.store, not_found,
// request.invalid.
func (s *Service) Dashboard(ctx context.Context, storeID int64, date string) (d Dashboard, err error) {
	v, err := s.look(ctx, storeID, date)
	if err != nil {
		return d, err
	}
	d.Date, d.StoreName = v.date, v.storeName
	if err = s.money(ctx, v, &d); err != nil {
		return d, err
	}
	if err = s.days(ctx, v, &d); err != nil {
		return d, err
	}
	from, to, err := bizday.Bounds(v.date, v.zone)
	if err != nil {
		return d, err
	}
	if d.NewMembers, err = v.joined(ctx, s.db, from.UnixMilli(), to.UnixMilli()); err != nil {
		return d, err
	}
	if d.OpenDisputes, err = v.openDisputes(ctx, s.db); err != nil {
		return d, err
	}
	if d.AwaitingPayments, err = v.awaiting(ctx, s.db, bizday.Of(s.db.Now().AddDate(0, 0, -2), v.zone)); err != nil {
		return d, err
	}
	d.Liability, err = readLiability(ctx, s.db)
	return d, err
}

func (s *Service) money(ctx context.Context, v view, d *Dashboard) error {
	flows, err := v.readFlows(ctx, s.db)
	if err != nil {
		return err
	}
	d.Takings = takings(flows)
	orders, err := v.settled(ctx, s.db)
	if err != nil {
		return err
	}
	topups, err := v.toppedUp(ctx, s.db)
	if err != nil {
		return err
	}
	d.Hourly = make([]Hour, 24)
	for h := range d.Hourly {
		d.Hourly[h].Hour = h
	}
	loc := bizday.Location(v.zone)
	for _, o := range orders {
		d.Settlements.Count++
		d.Settlements.TotalFen += fen(o.Amount)
		d.Hourly[hourOf(o.At, loc)].SettledFen += fen(o.Amount)
	}
	for _, t := range topups {
		d.Topups.Count++
		d.Topups.AmountFen += fen(t.Amount)
		d.Topups.BonusFen += fen(t.Bonus)
		d.Hourly[hourOf(t.At, loc)].TopupFen += fen(t.Amount)
	}
	n, err := v.byBalance(ctx, s.db)
	d.Settlements.BalanceFen = fen(n)
	return err
}

func hourOf(ms int64, loc *time.Location) int { return clock.FromMillis(ms).In(loc).Hour() }

func (s *Service) days(ctx context.Context, v view, d *Dashboard) error {
	shown := dates(v.date, daysShown)
	at := make(map[string]*Day, len(shown))
	d.Days = make([]Day, len(shown))
	for i, date := range shown {
		d.Days[i].Date = date
		at[date] = &d.Days[i]
	}
	settled, err := v.settledDays(ctx, s.db, shown[0])
	if err != nil {
		return err
	}
	topups, err := v.topupDays(ctx, s.db, shown[0])
	if err != nil {
		return err
	}
	for _, r := range settled {
		if day := at[r.Day]; day != nil {
			day.SettledFen = fen(r.Amount)
		}
	}
	for _, r := range topups {
		if day := at[r.Day]; day != nil {
			day.TopupFen = fen(r.Amount)
		}
	}
	return nil
}
