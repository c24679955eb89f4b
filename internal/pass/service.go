package pass

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
)

// Deps are what passes stand on.
type Deps struct {
	DB       *db.DB
	Log      *slog.Logger
	Queue    *jobs.Queue
	Members  *member.Service
	Catalog  *catalog.Service
	Shops    *shop.Service
	Settings *setting.Service
	Messages *notify.Service
	Sales    *sale.Service
}

// Service sells passes, lets them be used and ends them.
type Service struct {
	db       *db.DB
	log      *slog.Logger
	members  *member.Service
	catalog  *catalog.Service
	shops    *shop.Service
	settings *setting.Service
	messages *notify.Service
	sales    *sale.Service
}

// New returns the service, offers passes for sale and registers its jobs.
func New(d Deps) *Service {
	s := &Service{db: d.DB, log: d.Log, members: d.Members, catalog: d.Catalog, shops: d.Shops, settings: d.Settings, messages: d.Messages, sales: d.Sales}
	d.Sales.Offer(SalePass, passProduct{s})
	d.Sales.Offer(SaleRecharge, rechargeProduct{s})
	s.jobs(d.Queue)
	return s
}

// Plans lists every plan in the order in which they are shown.
func (s *Service) Plans(ctx context.Context) ([]Plan, error) { return allPlans(ctx, s.db) }

// OnSale lists what can be bought now in a store; storeID 0 is online.
func (s *Service) OnSale(ctx context.Context, storeID int64) ([]Plan, error) {
	all, err := allPlans(ctx, s.db)
	today := zoneDay(s.db.Now())
	return slices.DeleteFunc(all, func(p Plan) bool {
		return p.closed(today) != "" || storeID != 0 && len(p.StoreIDs) > 0 && !slices.Contains(p.StoreIDs, storeID)
	}), err
}

// named checks what a plan names, and names its lines after it.
func (s *Service) named(ctx context.Context, in *PlanInput, c *fault.Complaints) error {
	for i, id := range in.StoreIDs {
		ok, err := s.shops.Known(ctx, id)
		if err != nil {
			return err
		}
		if !ok {
			c.Bad(fmt.Sprintf("storeIds[%d]", i), "没有这家门店")
		}
	}
	services, err := s.catalog.Services(ctx)
	if err != nil {
		return err
	}
	goods, err := s.catalog.Goods(ctx)
	if err != nil {
		return err
	}
	for i := range in.Lines {
		l, names := &in.Lines[i], []string{}
		for j, id := range l.ServiceIDs {
			k := slices.IndexFunc(services, func(v catalog.ServiceItem) bool { return v.ID == id && v.Active })
			if k < 0 {
				c.Bad(fmt.Sprintf("lines[%d].serviceIds[%d]", i, j), "没有这个服务项目，或已停用")
				continue
			}
			names = append(names, services[k].Name)
		}
		for j, id := range l.GoodIDs {
			k := slices.IndexFunc(goods, func(v catalog.Good) bool { return v.ID == id && v.Active })
			if k < 0 {
				c.Bad(fmt.Sprintf("lines[%d].goodIds[%d]", i, j), "没有这个商品，或已停用")
				continue
			}
			names = append(names, goods[k].Name)
		}
		if l.Title == "" {
			l.Title = db.Clip(strings.Join(names, "/"), 40)
		}
	}
	return nil
}

func (s *Service) checked(ctx context.Context, in *PlanInput) error {
	c := in.check()
	if err := s.named(ctx, in, c); err != nil {
		return err
	}
	return c.Err()
}

// CreatePlan adds a plan. Faults: request.invalid, ErrName.
func (s *Service) CreatePlan(ctx context.Context, in PlanInput) (p Plan, err error) {
	if err := s.checked(ctx, &in); err != nil {
		return p, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		p = Plan{ID: tx.NewID(), PlanInput: in}
		if err := insertPlan(ctx, tx, p); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "pass_plan.create", SubjectKind: "pass_plan", SubjectID: p.ID, SubjectLabel: p.Name, Detail: p})
	})
	return p, err
}

// UpdatePlan changes a plan for those who buy it from now on; what was sold keeps its terms (X02). Faults: not_found, request.invalid, ErrName.
func (s *Service) UpdatePlan(ctx context.Context, id int64, in PlanInput) (p Plan, err error) {
	if err := s.checked(ctx, &in); err != nil {
		return p, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		old, err := planByID(ctx, tx, id, tx.ForUpdate())
		if err != nil {
			return err
		}
		p = Plan{ID: id, PlanInput: in, Sold: old.Sold}
		if p.Stock != nil && *p.Stock < old.Sold {
			var c fault.Complaints
			c.Bad("stock", fmt.Sprintf("已经售出 %d 张，库存不能更少", old.Sold))
			return c.Err()
		}
		if err := updatePlan(ctx, tx, p); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "pass_plan.update", SubjectKind: "pass_plan", SubjectID: id, SubjectLabel: p.Name,
			Detail: map[string]Plan{"before": old, "after": p}})
	})
	return p, err
}

// terms freezes an offer with the shop's rules of today (X02).
func (s *Service) terms(ctx context.Context, o Offer) (t Terms, err error) {
	t.Offer = o
	for key, to := range map[string]*int64{setting.PassCoolOffDays: &t.CoolOffDays, setting.PassPauseDays: &t.PauseDays, setting.PassPlateDays: &t.PlateDays} {
		if *to, err = s.settings.Int(ctx, key); err != nil {
			return t, err
		}
	}
	return t, nil
}
