package pass

import (
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// The kinds of pass.
const (
	KindTimes     = "times"     // so many times; earns by use
	KindPeriod    = "period"    // for a period, lines counted or not; earns by time
	KindUnlimited = "unlimited" // for a period, as often as the limit a day allows; earns by time
)

const maxPrice money.Fen = 99_999_99

const (
	maxTimes  = 999
	maxDays   = 3660
	maxMonths = 60
	maxLines  = 10
)

// PlanLine is what a plan covers, and how often.
type PlanLine struct {
	Title      string    `json:"title,omitempty" maxLength:"40" doc:"Empty: named after what it covers"`
	ServiceIDs []int64   `json:"serviceIds,omitempty" maxItems:"50"`
	GoodIDs    []int64   `json:"goodIds,omitempty" maxItems:"50"`
	Times      int64     `json:"times" minimum:"0" maximum:"999" doc:"0: not counted, as often as the period and the limit a day allow"`
	ListFen    money.Fen `json:"listFen" minimum:"0" maximum:"9999999" doc:"Agreed price of a single use: what a used one costs when the customer gives the pass back"`
}

// Recharge is how times are added to a pass that was sold.
type Recharge struct {
	Times    int64     `json:"times" minimum:"1" maximum:"999"`
	PriceFen money.Fen `json:"priceFen" minimum:"1" maximum:"9999999"`
}

// Renew is how a pass follows itself when it ends, paid from stored value.
type Renew struct {
	Months   int64     `json:"months" minimum:"1" maximum:"60"`
	PriceFen money.Fen `json:"priceFen" minimum:"1" maximum:"9999999"`
}

// Offer is what a pass is made of: the part of a plan that is frozen when it is sold.
type Offer struct {
	Name        string     `json:"name" minLength:"1" maxLength:"40"`
	Note        string     `json:"note,omitempty" maxLength:"500"`
	Kind        string     `json:"kind" enum:"times,period,unlimited"`
	Lines       []PlanLine `json:"lines" minItems:"1" maxItems:"10"`
	PriceFen    money.Fen  `json:"priceFen" minimum:"0" maximum:"9999999"`
	ValidDays   int64      `json:"validDays,omitempty" minimum:"0" maximum:"3660" doc:"With validMonths 0: for ever"`
	ValidMonths int64      `json:"validMonths,omitempty" minimum:"0" maximum:"60"`
	PerDay      int64      `json:"perDay,omitempty" minimum:"0" maximum:"99" doc:"Uses of one line a day; 0 no limit"`
	Plates      int64      `json:"plates,omitempty" minimum:"0" maximum:"20" doc:"How many plates it is bound to; 0 is none"`
	StoreIDs    []int64    `json:"storeIds,omitempty" maxItems:"500" doc:"Where it is good; empty means every store"`
	Giftable    bool       `json:"giftable,omitempty"`
	Upgrade     bool       `json:"upgrade,omitempty" doc:"A dearer service of the same kind costs the difference"`
	Recharge    *Recharge  `json:"recharge,omitempty"`
	Renew       *Renew     `json:"renew,omitempty"`
	FromBalance bool       `json:"fromBalance,omitempty" doc:"May be bought with stored value"`
}

// Terms are an offer as it was sold, with the shop's rules of that day.
type Terms struct {
	Offer
	CoolOffDays int64 `json:"coolOffDays" doc:"Unused, all of it goes back for so many days"`
	PauseDays   int64 `json:"pauseDays" doc:"How long the owner may pause it, in all"`
	PlateDays   int64 `json:"plateDays" doc:"Between two changes of a plate"`
	AnchorDay   int   `json:"anchorDay,omitempty" doc:"Of a renewal: the day of the month on which the subscription began; short months end it earlier, for that month alone"`
}

// PlanInput is what a plan is made of.
type PlanInput struct {
	Offer
	SaleFrom  string `json:"saleFrom,omitempty" maxLength:"10" doc:"YYYY-MM-DD"`
	SaleTo    string `json:"saleTo,omitempty" maxLength:"10" doc:"YYYY-MM-DD, the last day"`
	PerMember int64  `json:"perMember,omitempty" minimum:"0" maximum:"999" doc:"0 no limit"`
	Stock     *int64 `json:"stock,omitempty" minimum:"0" maximum:"1000000" doc:"How many may be sold in all; absent: no limit"`
	OnSale    bool   `json:"onSale"`
	Sort      int64  `json:"sort,omitempty" minimum:"0" maximum:"9999"`
}

// Plan is what can be bought.
type Plan struct {
	ID int64 `json:"id"`
	PlanInput
	Sold int64 `json:"sold" doc:"Those that wait for their money included"`
}

func price(c *fault.Complaints, field string, v, least money.Fen) {
	if v < least || v > maxPrice {
		c.Bad(field, fmt.Sprintf("应在 %s 至 %s 之间", least.Yuan(), maxPrice.Yuan()))
	}
}

// check complains about everything that a plan cannot be. What it names is checked by the service.
func (in *PlanInput) check() *fault.Complaints {
	c := &fault.Complaints{}
	c.Text("name", &in.Name, 1, 40, true)
	c.Text("note", &in.Note, 0, 500, true)
	price(c, "priceFen", in.PriceFen, 0)
	c.Between("validDays", in.ValidDays, 0, maxDays)
	c.Between("validMonths", in.ValidMonths, 0, maxMonths)
	c.Between("perDay", in.PerDay, 0, 99)
	c.Between("plates", in.Plates, 0, 20)
	c.Between("perMember", in.PerMember, 0, 999)
	c.Between("sort", in.Sort, 0, 9999)
	if in.Stock != nil {
		c.Between("stock", *in.Stock, 0, 1_000_000)
	}
	in.checkKind(c)
	in.checkLines(c)
	in.checkSale(c)
	if r := in.Recharge; r != nil {
		c.Between("recharge.times", r.Times, 1, maxTimes)
		price(c, "recharge.priceFen", r.PriceFen, 1)
		if in.Kind != KindTimes || len(in.Lines) != 1 {
			c.Bad("recharge", "只有单一项目的计次卡可以充次")
		}
	}
	if r := in.Renew; r != nil {
		c.Between("renew.months", r.Months, 1, maxMonths)
		price(c, "renew.priceFen", r.PriceFen, 1)
		if in.ValidDays == 0 && in.ValidMonths == 0 {
			c.Bad("renew", "长期有效的卡不用续期，请先填写有效期")
		}
	}
	return c
}

func (in *PlanInput) checkKind(c *fault.Complaints) {
	forever := in.ValidDays == 0 && in.ValidMonths == 0
	switch in.Kind {
	case KindTimes:
	case KindPeriod:
		if forever {
			c.Bad("validMonths", "期限卡请填写有效期")
		}
	case KindUnlimited:
		if forever {
			c.Bad("validMonths", "不限次卡请填写有效期")
		}
		if in.PerDay == 0 {
			c.Bad("perDay", "不限次卡请填写每天限用几次")
		}
	default:
		c.Bad("kind", "不在可选范围内")
	}
	if in.ValidDays > 0 && in.ValidMonths > 0 {
		c.Bad("validDays", "有效天数和月数只填一个")
	}
}

func (in *PlanInput) checkLines(c *fault.Complaints) {
	if len(in.Lines) == 0 || len(in.Lines) > maxLines {
		c.Bad("lines", fmt.Sprintf("请填写 1 至 %d 个项目", maxLines))
	}
	seen := map[string]bool{}
	var list money.Fen
	for i := range in.Lines {
		l, at := &in.Lines[i], fmt.Sprintf("lines[%d]", i)
		c.Text(at+".title", &l.Title, 0, 40, true)
		price(c, at+".listFen", l.ListFen, 0)
		c.Between(at+".times", l.Times, 0, maxTimes)
		if len(l.ServiceIDs)+len(l.GoodIDs) == 0 {
			c.Bad(at, "请选择包含的服务或商品")
		}
		if in.Kind == KindTimes && l.Times == 0 {
			c.Bad(at+".times", "计次卡请填写次数")
		}
		if in.Kind == KindUnlimited && l.Times != 0 {
			c.Bad(at+".times", "不限次卡不填次数")
		}
		for j, id := range l.ServiceIDs {
			if key := fmt.Sprint("s", id); seen[key] {
				c.Bad(fmt.Sprintf("%s.serviceIds[%d]", at, j), "重复")
			} else {
				seen[key] = true
			}
		}
		for j, id := range l.GoodIDs {
			if key := fmt.Sprint("g", id); seen[key] {
				c.Bad(fmt.Sprintf("%s.goodIds[%d]", at, j), "重复")
			} else {
				seen[key] = true
			}
		}
		list += l.ListFen * money.Fen(l.Times)
	}
	if in.Kind == KindTimes && in.PriceFen > 0 && list < in.PriceFen {
		c.Bad("priceFen", "售价高于各项目单次价之和 "+list.Yuan()+"，请检查")
	}
}

func (in *PlanInput) checkSale(c *fault.Complaints) {
	for _, d := range []struct{ field, value string }{{"saleFrom", in.SaleFrom}, {"saleTo", in.SaleTo}} {
		if d.value != "" && !bizday.Valid(d.value) {
			c.Bad(d.field, "请填写日期，如 2026-12-31")
		}
	}
	if in.SaleFrom != "" && in.SaleTo != "" && in.SaleTo < in.SaleFrom {
		c.Bad("saleTo", "结束日期早于开始日期")
	}
	seen := map[int64]bool{}
	for i, id := range in.StoreIDs {
		if seen[id] {
			c.Bad(fmt.Sprintf("storeIds[%d]", i), "重复")
		}
		seen[id] = true
	}
}

// closed says why the plan cannot be bought on a day, in Chinese; "" when it can.
func (p Plan) closed(today string) string {
	switch {
	case !p.OnSale:
		return "已停售"
	case p.SaleFrom != "" && today < p.SaleFrom:
		return p.SaleFrom + " 开始发售"
	case p.SaleTo != "" && today > p.SaleTo:
		return "已于 " + p.SaleTo + " 停售"
	case p.Stock != nil && p.Sold >= *p.Stock:
		return "已售完"
	}
	return ""
}

// share spreads the price over the lines of a pass that earns by use: by what they would cost one by one.
func (o Offer) share() []money.Fen {
	weights := make([]money.Fen, len(o.Lines))
	for i, l := range o.Lines {
		weights[i] = money.Fen(l.Times) * max(l.ListFen, 1)
	}
	return money.Split(o.PriceFen, weights)
}

// Explain says the terms in sentences that stand for themselves.
func (t Terms) Explain() []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, l := range t.Lines {
		switch {
		case l.Times > 0:
			say("%s %d 次，单次约定价 %s", l.Title, l.Times, l.ListFen.Yuan())
		default:
			say("%s 期内不限次，单次约定价 %s", l.Title, l.ListFen.Yuan())
		}
	}
	switch {
	case t.ValidMonths > 0:
		say("有效期 %d 个月", t.ValidMonths)
	case t.ValidDays > 0:
		say("有效期 %d 天", t.ValidDays)
	default:
		say("长期有效")
	}
	if t.PerDay > 0 {
		say("每个项目每天限用 %d 次", t.PerDay)
	}
	if t.Plates > 0 {
		say("限 %d 个车牌使用，%d 天内可换一次", t.Plates, t.PlateDays)
	}
	if len(t.StoreIDs) > 0 {
		say("限指定门店使用")
	}
	if t.Upgrade {
		say("升级同类项目只补差价")
	}
	if t.Giftable {
		say("可以转赠一次")
	}
	if r := t.Recharge; r != nil {
		say("可充次：%s 充 %d 次", r.PriceFen.Yuan(), r.Times)
	}
	if r := t.Renew; r != nil {
		say("可开通自动续期：每 %d 个月 %s，从储值扣款，扣款前提醒，随时可关", r.Months, r.PriceFen.Yuan())
	}
	if t.PauseDays > 0 && (t.ValidDays > 0 || t.ValidMonths > 0) {
		say("可自助暂停，累计 %d 天，有效期顺延", t.PauseDays)
	}
	if t.PriceFen > 0 {
		say("购买 %d 天内未使用全额退；之后退卡：因门店原因按折后价扣除已用，自行退卡按单次约定价扣除已用", t.CoolOffDays)
	}
	return out
}

// zoneDay is the date of an instant.
func zoneDay(t time.Time) string { return bizday.Of(t, bizday.DefaultZone) }
