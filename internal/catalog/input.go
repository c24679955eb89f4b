package catalog

import (
	"fmt"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// The inputs below create and replace entries. Active nil means true for a new entry and unchanged for an old one.

// VehicleClassInput is what a vehicle class is made of.
type VehicleClassInput struct {
	Name    string `json:"name" maxLength:"40"`
	Example string `json:"example,omitempty" maxLength:"100" doc:"Cars that everybody knows, such as 轩逸、卡罗拉"`
	Sort    int    `json:"sort,omitempty" minimum:"0" maximum:"9999"`
	Active  *bool  `json:"active,omitempty"`
}

// ServiceInput is what a service is made of. MinPriceBP nil means 0: any discount is allowed.
type ServiceInput struct {
	Name        string    `json:"name" maxLength:"40"`
	Description string    `json:"description,omitempty" maxLength:"500"`
	Kind        string    `json:"kind" enum:"wash,detail,film,repair,other"`
	Minutes     int       `json:"minutes" minimum:"1" maximum:"10080"`
	MinPriceBP  *money.BP `json:"minPriceBp,omitempty" minimum:"0" maximum:"10000"`
	Prices      []Price   `json:"prices" maxItems:"100"`
	StoreIDs    []int64   `json:"storeIds,omitempty" maxItems:"500" doc:"Empty means every store"`
	Sort        int       `json:"sort,omitempty" minimum:"0" maximum:"9999"`
	PointsEach  *int64    `json:"pointsEach,omitempty" minimum:"0" maximum:"100000" doc:"Absent: by the shop's ratio"`
	Active      *bool     `json:"active,omitempty"`
	BookingInput
}

// GoodInput is what a good is made of.
type GoodInput struct {
	Name       string    `json:"name" maxLength:"40"`
	Unit       string    `json:"unit" maxLength:"10"`
	PriceFen   money.Fen `json:"priceFen" minimum:"0" maximum:"9999999"`
	MinPriceBP *money.BP `json:"minPriceBp,omitempty" minimum:"0" maximum:"10000"`
	Sort       int       `json:"sort,omitempty" minimum:"0" maximum:"9999"`
	PointsEach *int64    `json:"pointsEach,omitempty" minimum:"0" maximum:"100000" doc:"Absent: by the shop's ratio"`
	Active     *bool     `json:"active,omitempty"`
}

// TopupPlanInput is what a top-up plan is made of.
type TopupPlanInput struct {
	Name      string    `json:"name" maxLength:"40"`
	AmountFen money.Fen `json:"amountFen" minimum:"1" maximum:"9999999"`
	BonusFen  money.Fen `json:"bonusFen,omitempty" minimum:"0" maximum:"9999999"`
	Note      string    `json:"note,omitempty" maxLength:"100"`
	StoreIDs  []int64   `json:"storeIds,omitempty" maxItems:"500" doc:"Empty means every store"`
	Sort      int       `json:"sort,omitempty" minimum:"0" maximum:"9999"`
	Active    *bool     `json:"active,omitempty"`
}

// complaints collects what is wrong with an input.
type complaints struct{ fault.Complaints }

func (c *complaints) price(field string, v, least money.Fen) {
	if v < least || v > MaxPrice {
		c.Bad(field, fmt.Sprintf("应在 %s 至 %s 之间", least.Yuan(), MaxPrice.Yuan()))
	}
}

func (c *complaints) minPrice(v *money.BP) money.BP {
	if v == nil {
		return 0
	}
	if *v < 0 || *v > money.Whole {
		c.Bad("minPriceBp", "最低折扣应在 0% 至 100% 之间")
	}
	return *v
}

func (c *complaints) points(v *int64) {
	if v != nil {
		c.Between("pointsEach", *v, 0, 100_000)
	}
}

// unique reports ids that stand twice, by position.
func (c *complaints) unique(field string, ids []int64) {
	seen := map[int64]bool{}
	for i, v := range ids {
		if seen[v] {
			c.Bad(fmt.Sprintf("%s[%d]", field, i), "重复")
		}
		seen[v] = true
	}
}

var kindNames = map[string]bool{"wash": true, "detail": true, "film": true, "repair": true, "other": true}

func (in *VehicleClassInput) check() *complaints {
	c := &complaints{}
	c.Text("name", &in.Name, 1, 40, false)
	c.Text("example", &in.Example, 0, 100, false)
	c.Between("sort", int64(in.Sort), 0, maxSort)
	return c
}

func (in *ServiceInput) check(known func(classID int64) bool) *complaints {
	c := &complaints{}
	c.Text("name", &in.Name, 1, 40, false)
	c.Text("description", &in.Description, 0, 500, true)
	if !kindNames[in.Kind] {
		c.Bad("kind", "不在可选范围内")
	}
	c.Between("minutes", int64(in.Minutes), 1, maxMinutes)
	c.Between("sort", int64(in.Sort), 0, maxSort)
	c.minPrice(in.MinPriceBP)
	c.points(in.PointsEach)
	if len(in.Prices) == 0 {
		c.Bad("prices", "请至少给一个车型定价")
	}
	seen := map[int64]bool{}
	for i, p := range in.Prices {
		at := fmt.Sprintf("prices[%d]", i)
		c.price(at+".priceFen", p.PriceFen, 0)
		c.Between(at+".minutes", int64(p.Minutes), 0, maxMinutes)
		switch {
		case seen[p.VehicleClassID]:
			c.Bad(at+".vehicleClassId", "同一车型只能有一个价格")
		case !known(p.VehicleClassID):
			c.Bad(at+".vehicleClassId", "没有这个车型")
		}
		seen[p.VehicleClassID] = true
	}
	c.unique("storeIds", in.StoreIDs)
	in.BookingInput.check(c, in.Kind)
	return c
}

func (in *GoodInput) check() *complaints {
	c := &complaints{}
	c.Text("name", &in.Name, 1, 40, false)
	c.Text("unit", &in.Unit, 1, 10, false)
	c.price("priceFen", in.PriceFen, 0)
	c.minPrice(in.MinPriceBP)
	c.points(in.PointsEach)
	c.Between("sort", int64(in.Sort), 0, maxSort)
	return c
}

func (in *TopupPlanInput) check() *complaints {
	c := &complaints{}
	c.Text("name", &in.Name, 1, 40, false)
	c.Text("note", &in.Note, 0, 100, false)
	c.price("amountFen", in.AmountFen, 1)
	c.price("bonusFen", in.BonusFen, 0)
	c.Between("sort", int64(in.Sort), 0, maxSort)
	c.unique("storeIds", in.StoreIDs)
	return c
}
