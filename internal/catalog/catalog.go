// Package catalog is what the shop offers: vehicle classes, services with a price per class, goods and top-up plans.
//
// Model: a VehicleClass groups cars that cost the same; a Service has one price per class, a lowest allowed share of it
// (I03), the stores that offer it (none listed = all) and terms by which it is booked; a Good has one price; a TopupPlan gives a bonus on an amount.
// Owns: catalog_vehicle_classes, catalog_services, catalog_service_prices, catalog_service_stores, catalog_goods,
// catalog_plans, catalog_plan_stores. Invariants: nothing is deleted, only deactivated, because orders name it; two
// active entries of one kind never share a name; a price is 0 to 99,999.99 yuan; Items names every item that cannot be
// sold and why, it never leaves one out. Reads are served from a copy of at most two seconds of age (see fresh).
package catalog

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// Limits of what can be entered.
const (
	MaxPrice   money.Fen = 99_999_99
	MaxItems             = 50  // items in one quote
	MaxQty               = 999 // pieces of one item
	maxMinutes           = 7 * 24 * 60
	maxSort              = 9999
)

// Faults of this package.
var (
	ErrName  = fault.Define(fault.Conflict, "catalog.name_taken", "已有同名的有效条目，请换一个名称或先停用旧的")
	ErrItems = fault.Define(fault.Invalid, "catalog.items_unavailable", "有项目现在不能销售，请检查标出的项目")
	ErrClass = fault.Define(fault.Invalid, "catalog.vehicle_class_unknown", "没有这个车型，请重新选择车型")
	ErrPlan  = fault.Define(fault.Invalid, "catalog.plan_unavailable", "这个充值活动已不可用，请重新选择")
)

// Kinds of items.
const (
	KindService = "service"
	KindGood    = "good"
)

// VehicleClass groups cars that cost the same.
type VehicleClass struct {
	ID      int64  `json:"id" db:"id"`
	Name    string `json:"name" db:"name"`
	Example string `json:"example" db:"example"`
	Sort    int    `json:"sort" db:"sort_no"`
	Active  bool   `json:"active" db:"active"`
}

// Price is what a service costs for a class of vehicles.
type Price struct {
	VehicleClassID int64     `json:"vehicleClassId" db:"vehicle_class_id" minimum:"1"`
	PriceFen       money.Fen `json:"priceFen" db:"price_fen" minimum:"0" maximum:"9999999"`
	Minutes        int       `json:"minutes" db:"minutes" required:"false" minimum:"0" maximum:"10080" doc:"How long it takes for this class; 0 is the service's own"`
}

// ServiceItem is work that the shop offers. StoreIDs empty means every store.
type ServiceItem struct {
	ID          int64    `json:"id" db:"id"`
	Name        string   `json:"name" db:"name"`
	Description string   `json:"description" db:"description"`
	Kind        string   `json:"kind" db:"kind" enum:"wash,detail,film,repair,other"`
	Minutes     int      `json:"minutes" db:"minutes"`
	MinPriceBP  money.BP `json:"minPriceBp" db:"min_price_bp" doc:"Lowest allowed share of the list price: 8000 is never below 80 %"`
	Prices      []Price  `json:"prices"`
	StoreIDs    []int64  `json:"storeIds" doc:"Empty means every store"`
	Active      bool     `json:"active" db:"active"`
	Sort        int      `json:"sort" db:"sort_no"`
	PointsEach  *int64   `json:"pointsEach" db:"points_each" nullable:"true" doc:"Points for one; null is by the shop's ratio"`
	Booking
}

// Good is a thing that the shop sells.
type Good struct {
	ID         int64     `json:"id" db:"id"`
	Name       string    `json:"name" db:"name"`
	Unit       string    `json:"unit" db:"unit"`
	PriceFen   money.Fen `json:"priceFen" db:"price_fen"`
	MinPriceBP money.BP  `json:"minPriceBp" db:"min_price_bp"`
	Active     bool      `json:"active" db:"active"`
	Sort       int       `json:"sort" db:"sort_no"`
	PointsEach *int64    `json:"pointsEach" db:"points_each" nullable:"true" doc:"Points for one; null is by the shop's ratio"`
}

// TopupPlan gives BonusFen on a top-up of AmountFen. StoreIDs empty means every store.
type TopupPlan struct {
	ID        int64     `json:"id" db:"id"`
	Name      string    `json:"name" db:"name"`
	AmountFen money.Fen `json:"amountFen" db:"amount_fen"`
	BonusFen  money.Fen `json:"bonusFen" db:"bonus_fen"`
	Note      string    `json:"note" db:"note"`
	Active    bool      `json:"active" db:"active"`
	Sort      int       `json:"sort" db:"sort_no"`
	StoreIDs  []int64   `json:"storeIds" doc:"Empty means every store"`
}

// Ref names something to be sold: Kind is "service" or "good".
type Ref struct {
	Kind string
	ID   int64
	Qty  int64
}

// Item is a Ref with what is needed to price it. UnitFen is the list price of one; Explain says in Chinese where it
// comes from; ServiceKind is "" for a good.
type Item struct {
	Ref
	Name, Explain string
	UnitFen       money.Fen
	MinPriceBP    money.BP
	ServiceKind   string
	PointsEach    *int64 // points for one instead of by ratio
}

// offer is the whole catalogue at one moment. It is shared and never changed.
type offer struct {
	classes  []VehicleClass
	services []ServiceItem
	goods    []Good
	plans    []TopupPlan

	classByID   map[int64]int
	serviceByID map[int64]int
	goodByID    map[int64]int
	planByID    map[int64]int
}

func (o *offer) index() {
	slices.SortStableFunc(o.classes, func(a, b VehicleClass) int { return cmp.Or(cmp.Compare(a.Sort, b.Sort), cmp.Compare(a.ID, b.ID)) })
	slices.SortStableFunc(o.services, func(a, b ServiceItem) int { return cmp.Or(cmp.Compare(a.Sort, b.Sort), cmp.Compare(a.ID, b.ID)) })
	slices.SortStableFunc(o.goods, func(a, b Good) int { return cmp.Or(cmp.Compare(a.Sort, b.Sort), cmp.Compare(a.ID, b.ID)) })
	slices.SortStableFunc(o.plans, func(a, b TopupPlan) int { return cmp.Or(cmp.Compare(a.Sort, b.Sort), cmp.Compare(a.ID, b.ID)) })
	o.classByID = byID(o.classes, func(v VehicleClass) int64 { return v.ID })
	o.serviceByID = byID(o.services, func(v ServiceItem) int64 { return v.ID })
	o.goodByID = byID(o.goods, func(v Good) int64 { return v.ID })
	o.planByID = byID(o.plans, func(v TopupPlan) int64 { return v.ID })
}

func byID[T any](rows []T, id func(T) int64) map[int64]int {
	m := make(map[int64]int, len(rows))
	for i, v := range rows {
		m[id(v)] = i
	}
	return m
}

// sold says whether something that is limited to stores is offered in a store.
func sold(stores []int64, storeID int64) bool {
	return len(stores) == 0 || slices.Contains(stores, storeID)
}

// items resolves refs against the offer. Faults: request.invalid, catalog.vehicle_class_unknown,
// catalog.items_unavailable with one field per item.
func (o *offer) items(storeID, classID int64, refs []Ref) ([]Item, error) {
	if len(refs) == 0 || len(refs) > MaxItems {
		return nil, fault.ErrInvalid.On("items", fmt.Sprintf("请选择 1 至 %d 个项目", MaxItems))
	}
	ci, ok := o.classByID[classID]
	if !ok || !o.classes[ci].Active {
		return nil, ErrClass.On("vehicleClassId", "请重新选择车型")
	}
	class := o.classes[ci]
	out := make([]Item, 0, len(refs))
	f := ErrItems
	for i, ref := range refs {
		it, problem := o.item(storeID, class, ref)
		if problem != "" {
			f = f.On(fmt.Sprintf("items[%d]", i), problem)
			continue
		}
		out = append(out, it)
	}
	if len(f.Fields) > 0 {
		return nil, f
	}
	return out, nil
}

func (o *offer) item(storeID int64, class VehicleClass, ref Ref) (it Item, problem string) {
	if ref.Qty < 1 || ref.Qty > MaxQty {
		return it, fmt.Sprintf("数量应为 1 至 %d", MaxQty)
	}
	it = Item{Ref: ref}
	switch ref.Kind {
	case KindService:
		i, ok := o.serviceByID[ref.ID]
		if !ok {
			return it, "没有这个服务项目"
		}
		sv := o.services[i]
		switch {
		case !sv.Active:
			return it, sv.Name + "已停用"
		case !sold(sv.StoreIDs, storeID):
			return it, sv.Name + "不在本店提供"
		}
		for _, p := range sv.Prices {
			if p.VehicleClassID == class.ID {
				it.Name, it.UnitFen, it.MinPriceBP, it.ServiceKind, it.PointsEach = sv.Name, p.PriceFen, sv.MinPriceBP, sv.Kind, sv.PointsEach
				it.Explain = class.Name + "价 " + p.PriceFen.Yuan()
				return it, ""
			}
		}
		return it, sv.Name + "没有" + class.Name + "的价格，请先在后台定价"
	case KindGood:
		i, ok := o.goodByID[ref.ID]
		if !ok {
			return it, "没有这个商品"
		}
		g := o.goods[i]
		if !g.Active {
			return it, g.Name + "已停用"
		}
		it.Name, it.UnitFen, it.MinPriceBP, it.PointsEach = g.Name, g.PriceFen, g.MinPriceBP, g.PointsEach
		it.Explain = g.PriceFen.Yuan() + "/" + g.Unit
		return it, ""
	}
	return it, "不支持的项目类型"
}
