package catalog

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/shop"
)

type fixture struct {
	d          *db.DB
	s          *Service
	west, east int64 // stores
	car, suv   int64 // classes
}

func setUp(t *testing.T) fixture {
	t.Helper()
	d, _ := dbtest.New(t)
	stores := shop.New(d)
	f := fixture{d: d, s: New(d, stores)}
	for name, id := range map[string]*int64{"西湖店": &f.west, "滨江店": &f.east} {
		st, err := stores.Create(t.Context(), shop.Input{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		*id = st.ID
	}
	for name, id := range map[string]*int64{"轿车": &f.car, "SUV": &f.suv} {
		v, err := f.s.CreateVehicleClass(t.Context(), VehicleClassInput{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		*id = v.ID
	}
	return f
}

func bp(v money.BP) *money.BP { return &v }

func fields(err error) []string {
	var out []string
	for _, f := range fault.As(err).Fields {
		out = append(out, f.Field)
	}
	return out
}

func TestInputsNameEveryBadValue(t *testing.T) {
	f := setUp(t)
	ctx := t.Context()
	long := strings.Repeat("长", 41)
	good := func() ServiceInput {
		return ServiceInput{Name: "精洗", Kind: "wash", Minutes: 40, MinPriceBP: bp(8000), Prices: []Price{{VehicleClassID: f.car, PriceFen: 4500}, {VehicleClassID: f.suv, PriceFen: 5500}}}
	}
	change := func(edit func(*ServiceInput)) func() error {
		return func() error { in := good(); edit(&in); _, err := f.s.CreateService(ctx, in); return err }
	}
	sv, err := f.s.CreateService(ctx, ServiceInput{Name: "普洗", Kind: "wash", Minutes: 20, Prices: []Price{{VehicleClassID: f.car, PriceFen: 0}, {VehicleClassID: f.suv, PriceFen: MaxPrice}}})
	if err != nil {
		t.Fatal("the limits themselves are allowed:", err)
	}
	for _, c := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"service without name", change(func(in *ServiceInput) { in.Name = " " }), []string{"name"}},
		{"long name", change(func(in *ServiceInput) { in.Name = long }), []string{"name"}},
		{"control characters", change(func(in *ServiceInput) { in.Name = "a\x00b" }), []string{"name"}},
		{"kind", change(func(in *ServiceInput) { in.Kind = "magic" }), []string{"kind"}},
		{"minutes", change(func(in *ServiceInput) { in.Minutes = 0 }), []string{"minutes"}},
		{"negative price", change(func(in *ServiceInput) { in.Prices[1].PriceFen = -1 }), []string{"prices[1].priceFen"}},
		{"price over the limit", change(func(in *ServiceInput) { in.Prices[0].PriceFen = MaxPrice + 1 }), []string{"prices[0].priceFen"}},
		{"unknown class", change(func(in *ServiceInput) { in.Prices[0].VehicleClassID = 5 }), []string{"prices[0].vehicleClassId"}},
		{"class twice", change(func(in *ServiceInput) { in.Prices[1].VehicleClassID = f.car }), []string{"prices[1].vehicleClassId"}},
		{"no price", change(func(in *ServiceInput) { in.Prices = nil }), []string{"prices"}},
		{"floor under 0", change(func(in *ServiceInput) { in.MinPriceBP = bp(-1) }), []string{"minPriceBp"}},
		{"floor over 100 %", change(func(in *ServiceInput) { in.MinPriceBP = bp(10001) }), []string{"minPriceBp"}},
		{"unknown store", change(func(in *ServiceInput) { in.StoreIDs = []int64{f.west, 9} }), []string{"storeIds[1]"}},
		{"store twice", change(func(in *ServiceInput) { in.StoreIDs = []int64{f.west, f.west} }), []string{"storeIds[1]"}},
		{"several at once", change(func(in *ServiceInput) { in.Name = ""; in.Minutes = -1; in.Sort = -1 }), []string{"name", "minutes", "sort"}},
		{"class without name", func() error { _, err := f.s.CreateVehicleClass(ctx, VehicleClassInput{}); return err }, []string{"name"}},
		{"good", func() error {
			_, err := f.s.CreateGood(ctx, GoodInput{Name: long, PriceFen: -5, MinPriceBP: bp(20000)})
			return err
		}, []string{"name", "unit", "priceFen", "minPriceBp"}},
		{"plan of nothing", func() error {
			_, err := f.s.CreatePlan(ctx, TopupPlanInput{Name: "充", AmountFen: 0, BonusFen: -1, StoreIDs: []int64{4}})
			return err
		}, []string{"amountFen", "bonusFen", "storeIds[0]"}},
	} {
		err := c.do()
		if !errors.Is(err, fault.ErrInvalid) || !slices.Equal(fields(err), c.want) {
			t.Errorf("%s: %v %v, want %v", c.name, err, fields(err), c.want)
		}
	}
	if _, err := f.s.CreateService(ctx, ServiceInput{Name: "普洗", Kind: "wash", Minutes: 20, Prices: []Price{{VehicleClassID: f.car, PriceFen: 1}}}); !errors.Is(err, ErrName) {
		t.Error("two active services share a name:", err)
	}
	if err := f.s.RetireService(ctx, sv.ID); err != nil {
		t.Fatal(err)
	}
	again, err := f.s.CreateService(ctx, ServiceInput{Name: "普洗", Kind: "wash", Minutes: 20, Prices: []Price{{VehicleClassID: f.car, PriceFen: 1}}})
	if err != nil {
		t.Fatal("a retired name is free:", err)
	}
	on := true
	if _, err := f.s.UpdateService(ctx, sv.ID, ServiceInput{Name: "普洗", Kind: "wash", Minutes: 20, Prices: []Price{{VehicleClassID: f.car, PriceFen: 1}}, Active: &on}); !errors.Is(err, ErrName) {
		t.Error("reviving a retired name:", err)
	}
	all, _ := f.s.Services(ctx)
	if len(all) != 2 || again.ID == sv.ID {
		t.Errorf("%d services; a refused write must leave nothing", len(all))
	}
}

func TestItemsNamesTheProblemOfEachItem(t *testing.T) {
	f := setUp(t)
	ctx := t.Context()
	wash, _ := f.s.CreateService(ctx, ServiceInput{Name: "精洗", Kind: "wash", Minutes: 40, MinPriceBP: bp(8000), Prices: []Price{{VehicleClassID: f.car, PriceFen: 4500}}})
	film, _ := f.s.CreateService(ctx, ServiceInput{Name: "贴膜", Kind: "film", Minutes: 400, Prices: []Price{{VehicleClassID: f.car, PriceFen: 90000}, {VehicleClassID: f.suv, PriceFen: 99000}}, StoreIDs: []int64{f.east}})
	old, _ := f.s.CreateService(ctx, ServiceInput{Name: "打蜡", Kind: "detail", Minutes: 60, Prices: []Price{{VehicleClassID: f.car, PriceFen: 100}}})
	water, err := f.s.CreateGood(ctx, GoodInput{Name: "玻璃水", Unit: "瓶", PriceFen: 1500})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.s.RetireService(ctx, old.ID); err != nil {
		t.Fatal(err)
	}
	items, err := f.s.Items(ctx, f.d, f.west, f.car, []Ref{{KindGood, water.ID, 2}, {KindService, wash.ID, 1}})
	if err != nil {
		t.Fatal(err)
	}
	if items[0].UnitFen != 1500 || items[0].Qty != 2 || items[0].Explain != "¥15.00/瓶" || items[0].ServiceKind != "" {
		t.Errorf("good %+v", items[0])
	}
	if items[1].Name != "精洗" || items[1].UnitFen != 4500 || items[1].MinPriceBP != 8000 || items[1].ServiceKind != "wash" || items[1].Explain != "轿车价 ¥45.00" {
		t.Errorf("service %+v", items[1])
	}
	_, err = f.s.Items(ctx, f.d, f.west, f.suv, []Ref{
		{KindService, wash.ID, 1},  // no price for the class
		{KindGood, water.ID, 1},    // fine
		{KindService, film.ID, 1},  // other store
		{KindService, old.ID, 1},   // inactive
		{KindService, 12345, 1},    // unknown
		{KindGood, wash.ID, 1},     // an id of another kind
		{"pass", water.ID, 1},      // unknown kind
		{KindGood, water.ID, 0},    // nothing
		{KindGood, water.ID, -3},   // negative
		{KindGood, water.ID, 1000}, // too many
	})
	if !errors.Is(err, ErrItems) {
		t.Fatal(err)
	}
	want := []string{"items[0]", "items[2]", "items[3]", "items[4]", "items[5]", "items[6]", "items[7]", "items[8]", "items[9]"}
	if got := fields(err); !slices.Equal(got, want) {
		t.Errorf("blamed %v, want %v", got, want)
	}
	for i, has := range map[int]string{0: "没有SUV的价格", 1: "不在本店", 2: "已停用", 3: "没有这个服务"} {
		if m := fault.As(err).Fields[i].Message; !strings.Contains(m, has) {
			t.Errorf("field %d says %q", i, m)
		}
	}
	for _, c := range []struct {
		class int64
		refs  []Ref
		want  error
	}{{f.car, nil, fault.ErrInvalid}, {f.car, make([]Ref, MaxItems+1), fault.ErrInvalid}, {999, []Ref{{KindGood, water.ID, 1}}, ErrClass}} {
		if _, err := f.s.Items(ctx, f.d, f.west, c.class, c.refs); !errors.Is(err, c.want) {
			t.Errorf("%d refs of class %d: %v", len(c.refs), c.class, err)
		}
	}
	if err := f.s.RetireVehicleClass(ctx, f.car); err != nil {
		t.Fatal(err)
	}
	if _, err := f.s.Items(ctx, f.d, f.west, f.car, []Ref{{KindService, wash.ID, 1}}); !errors.Is(err, ErrClass) {
		t.Error("retired class still sells:", err)
	}
	if name, err := f.s.VehicleClassName(ctx, f.d, f.car); name != "轿车" || err != nil {
		t.Error("history must still name it:", name, err)
	}
}

func TestTopupPlansOfAStore(t *testing.T) {
	f := setUp(t)
	ctx := t.Context()
	all, err := f.s.CreatePlan(ctx, TopupPlanInput{Name: "充500送80", AmountFen: 50000, BonusFen: 8000})
	if err != nil {
		t.Fatal(err)
	}
	east, _ := f.s.CreatePlan(ctx, TopupPlanInput{Name: "滨江专享", AmountFen: 20000, BonusFen: 3000, StoreIDs: []int64{f.east}})
	for store, want := range map[int64]int{f.west: 1, f.east: 2, 0: 1} {
		if got, err := f.s.TopupPlans(ctx, store); err != nil || len(got) != want {
			t.Errorf("store %d: %d plans, %v", store, len(got), err)
		}
	}
	if p, err := f.s.TopupPlan(ctx, f.d, f.east, east.ID); err != nil || p.BonusFen != 3000 {
		t.Error(p, err)
	}
	for _, c := range []struct{ store, plan int64 }{{f.west, east.ID}, {f.west, 1}} {
		if _, err := f.s.TopupPlan(ctx, f.d, c.store, c.plan); !errors.Is(err, ErrPlan) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if err := f.s.RetirePlan(ctx, all.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.s.TopupPlan(ctx, f.d, f.west, all.ID); !errors.Is(err, ErrPlan) {
		t.Error("retired plan is offered:", err)
	}
}

func TestCatalogueOverHTTP(t *testing.T) {
	f := setUp(t)
	base := apitest.New(t, f.s.Routes)
	c := base.As(apitest.Staff(perm.CatalogRead, perm.CatalogWrite))
	var sv ServiceItem
	c.OK(http.MethodPost, "/api/console/services", map[string]any{"name": "精洗", "kind": "wash", "minutes": 40, "minPriceBp": 8000,
		"prices": []map[string]any{{"vehicleClassId": f.car, "priceFen": 4500}}, "storeIds": []int64{f.west}}, &sv)
	c.OK(http.MethodPost, "/api/console/goods", GoodInput{Name: "玻璃水", Unit: "瓶", PriceFen: 1500}, nil)
	c.OK(http.MethodPost, "/api/console/topup-plans", TopupPlanInput{Name: "充500送80", AmountFen: 50000, BonusFen: 8000}, nil)
	c.OK(http.MethodPut, fmt.Sprint("/api/console/services/", sv.ID), map[string]any{"name": "精洗", "kind": "wash", "minutes": 45,
		"prices": []map[string]any{{"vehicleClassId": f.car, "priceFen": 4800}}, "storeIds": []int64{f.west}, "sort": 3}, &sv)
	if sv.Prices[0].PriceFen != 4800 || sv.MinPriceBP != 0 || sv.Minutes != 45 || !sv.Active {
		t.Errorf("replaced %+v", sv)
	}
	c.Fault(fault.ErrInvalid, http.MethodPost, "/api/console/services", map[string]any{"name": "x", "kind": "magic", "minutes": 1, "prices": []any{}})
	c.Fault(fault.ErrInvalid, http.MethodPost, "/api/console/goods", map[string]any{"name": "x", "unit": "个", "priceFen": 10000000})
	c.Fault(fault.ErrInvalid, http.MethodPost, "/api/console/goods", map[string]any{"name": "x", "unit": "个", "priceFen": 1, "surprise": true})
	c.Fault(fault.ErrNotFound, http.MethodDelete, "/api/console/goods/77", nil)
	c.Fault(fault.ErrNotFound, http.MethodPut, "/api/console/services/77", map[string]any{"name": "x", "kind": "wash", "minutes": 1,
		"prices": []map[string]any{{"vehicleClassId": f.car, "priceFen": 1}}})
	reader := base.As(apitest.Staff(perm.CatalogRead))
	for _, p := range []string{"services", "goods", "vehicle-classes", "topup-plans"} {
		reader.OK(http.MethodGet, "/api/console/"+p, nil, nil)
		reader.Fault(fault.ErrForbidden, http.MethodDelete, "/api/console/"+p+"/1", nil)
	}

	var desk Desk
	reader.OK(http.MethodGet, fmt.Sprint("/api/staff/catalog?storeId=", f.west), nil, &desk)
	if len(desk.Services) != 1 || len(desk.Goods) != 1 || len(desk.VehicleClasses) != 2 || len(desk.TopupPlans) != 1 {
		t.Errorf("desk %+v", desk)
	}
	reader.OK(http.MethodGet, fmt.Sprint("/api/staff/catalog?storeId=", f.east), nil, &desk)
	if len(desk.Services) != 0 {
		t.Errorf("the other store sells %+v", desk.Services)
	}
	mine := apitest.Staff(perm.CatalogRead)
	mine.AllStores, mine.Stores = false, []int64{f.west}
	base.As(mine).Fault(fault.ErrStore, http.MethodGet, fmt.Sprint("/api/staff/catalog?storeId=", f.east), nil)

	c.OK(http.MethodDelete, fmt.Sprint("/api/console/services/", sv.ID), nil, nil)
	var page httpapi.Page[ServiceItem]
	c.OK(http.MethodGet, "/api/console/services", nil, &page)
	if len(page.Items) != 1 || page.Items[0].Active || len(page.Items[0].Prices) != 1 {
		t.Errorf("deleted means inactive, with its prices: %+v", page.Items)
	}
	var classes ClassChoices
	base.As(actor.Actor{Kind: actor.Owner, ID: 3}).OK(http.MethodGet, "/api/owner/vehicle-classes", nil, &classes)
	if len(classes.Items) != 2 {
		t.Errorf("classes %+v", classes)
	}
}

// I04: an item may have its own points; what is not given is by ratio again.
func TestPointsPerItem(t *testing.T) {
	f := setUp(t)
	n := int64(30)
	v, err := f.s.CreateGood(t.Context(), GoodInput{Name: "脚垫", Unit: "套", PriceFen: 9900, PointsEach: &n})
	if err != nil {
		t.Fatal(err)
	}
	items, err := f.s.Items(t.Context(), f.d, f.west, f.car, []Ref{{KindGood, v.ID, 2}})
	if err != nil || items[0].PointsEach == nil || *items[0].PointsEach != 30 {
		t.Fatalf("%+v %v", items, err)
	}
	v, err = f.s.UpdateGood(t.Context(), v.ID, GoodInput{Name: "脚垫", Unit: "套", PriceFen: 9900})
	if err != nil || v.PointsEach != nil {
		t.Fatalf("%+v %v", v, err)
	}
	n = -1
	if _, err := f.s.UpdateGood(t.Context(), v.ID, GoodInput{Name: "脚垫", Unit: "套", PriceFen: 9900, PointsEach: &n}); err == nil {
		t.Error("negative points are refused")
	}
}
