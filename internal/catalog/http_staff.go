package catalog

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/perm"
)

// DeskService is a service as the till shows it: only classes that can be chosen have a price here.
type DeskService struct {
	ID          int64   `json:"id"`
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Kind        string  `json:"kind" enum:"wash,detail,film,repair,other"`
	Minutes     int     `json:"minutes"`
	Prices      []Price `json:"prices"`
}

// DeskGood is a good as the till shows it.
type DeskGood struct {
	ID       int64     `json:"id"`
	Name     string    `json:"name"`
	Unit     string    `json:"unit"`
	PriceFen money.Fen `json:"priceFen"`
}

// DeskPlan is a top-up plan as the till shows it.
type DeskPlan struct {
	ID        int64     `json:"id"`
	Name      string    `json:"name"`
	AmountFen money.Fen `json:"amountFen"`
	BonusFen  money.Fen `json:"bonusFen"`
	Note      string    `json:"note"`
}

// Desk is what a store sells now.
type Desk struct {
	VehicleClasses []ClassChoice `json:"vehicleClasses"`
	Services       []DeskService `json:"services"`
	Goods          []DeskGood    `json:"goods"`
	TopupPlans     []DeskPlan    `json:"topupPlans"`
}

func (s *Service) staffRoutes(r *httpapi.Router) {
	type input struct {
		StoreID int64 `query:"storeId" required:"true" minimum:"1"`
	}
	httpapi.Register(r, httpapi.Op{ID: "staffCatalog", Method: http.MethodGet, Path: "/api/staff/catalog", Summary: "What a store sells now",
		Who: httpapi.Staff, Permission: perm.CatalogRead},
		func(ctx context.Context, in *input) (Desk, error) {
			if !actor.From(ctx).InStore(in.StoreID) {
				return Desk{}, fault.ErrStore
			}
			return s.desk(ctx, in.StoreID)
		})
}

func (s *Service) desk(ctx context.Context, storeID int64) (d Desk, err error) {
	o, err := s.now(ctx, s.db)
	if err != nil {
		return d, err
	}
	if d.VehicleClasses, err = s.classChoices(ctx); err != nil {
		return d, err
	}
	for _, v := range o.services {
		if !v.Active || !sold(v.StoreIDs, storeID) {
			continue
		}
		ds := DeskService{ID: v.ID, Name: v.Name, Description: v.Description, Kind: v.Kind, Minutes: v.Minutes}
		for _, p := range v.Prices {
			if i, ok := o.classByID[p.VehicleClassID]; ok && o.classes[i].Active {
				ds.Prices = append(ds.Prices, p)
			}
		}
		if len(ds.Prices) > 0 {
			d.Services = append(d.Services, ds)
		}
	}
	for _, v := range o.goods {
		if v.Active {
			d.Goods = append(d.Goods, DeskGood{v.ID, v.Name, v.Unit, v.PriceFen})
		}
	}
	for _, p := range o.plans {
		if p.Active && sold(p.StoreIDs, storeID) {
			d.TopupPlans = append(d.TopupPlans, DeskPlan{p.ID, p.Name, p.AmountFen, p.BonusFen, p.Note})
		}
	}
	return d, nil
}
