package tier

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// What a rule measures.
const (
	SpendYear  = "spend_year"  // fen, paid in the last 365 days
	SpendLife  = "spend_life"  // fen, ever paid
	VisitsYear = "visits_year" // days with a paid visit, of the last 365
	VisitsLife = "visits_life"
	Experience = "experience" // in the ledger, apart from points
	CarMonths  = "car_months" // since the oldest car was bought
	CarKm      = "car_km"     // on the car that has run farthest
)

// How the measures of a rule go together.
const (
	MatchAny = "any"
	MatchAll = "all"
)

// The kinds of right.
const (
	FreeUse = "free_use" // services at the till
	Counted = "counted"  // given outside the till: an errand, a rescue, a disinfection
)

// The periods of rights. They follow the calendar of China, except the term of a membership.
const (
	Weekly  = "week"
	Monthly = "month"
	Yearly  = "year"
	ForTerm = "term"
)

// Limits of what can be entered.
const (
	maxRights   = 30
	maxComforts = 20
	maxPrices   = 500
	maxTimes    = 366
	maxServices = 100
)

// kindNames are what discounts go by; every service has one of the first five kinds.
var kindNames = map[string]string{"wash": "洗车", "detail": "美容", "film": "贴膜", "repair": "维修工时", "other": "其他服务", "good": "配件商品"}

// Programme is what a tier asks for and brings.
type Programme struct {
	CardImage    string        `json:"cardImage,omitempty" maxLength:"80" doc:"Key of the picture on the card's face"`
	Rule         *Rule         `json:"rule,omitempty" doc:"Who rises into the tier by themselves; absent: by assignment or membership only"`
	Discounts    []Discount    `json:"discounts,omitempty" doc:"By kind; the others have discountBp"`
	FinalBP      money.BP      `json:"finalBp,omitempty" doc:"Share that is paid of the whole bill after all other discounts; 0 is none"`
	MemberPrices []MemberPrice `json:"memberPrices,omitempty"`
	Rights       []Right       `json:"rights,omitempty"`
	Comforts     []string      `json:"comforts,omitempty" doc:"Stated in words: lounge, tea, own technician"`
	Gift         *Gift         `json:"gift,omitempty" doc:"On the birthday"`
	PointsBP     money.BP      `json:"pointsBp,omitempty" doc:"Points as a multiple of the usual: 15000 is 1.5 times; 0 is the usual"`
}

// Rule says who rises into a tier.
type Rule struct {
	Match    string    `json:"match" enum:"any,all"`
	Measures []Measure `json:"measures" minItems:"1" maxItems:"7"`
}

// Measure is one threshold: fen, days, points of experience, months or kilometres.
type Measure struct {
	Kind    string `json:"kind" enum:"spend_year,spend_life,visits_year,visits_life,experience,car_months,car_km"`
	AtLeast int64  `json:"atLeast"`
}

// Discount is the share that is paid of one kind.
type Discount struct {
	Kind string   `json:"kind" enum:"wash,detail,film,repair,other,good" doc:"repair is labour, good is parts and goods"`
	BP   money.BP `json:"bp"`
}

// MemberPrice is what a service costs in this tier. VehicleClassID 0 is every class.
type MemberPrice struct {
	ServiceID      int64     `json:"serviceId" minimum:"1"`
	VehicleClassID int64     `json:"vehicleClassId,omitempty" minimum:"0"`
	PriceFen       money.Fen `json:"priceFen"`
}

// Right is a number of free uses per period. ID is kept when a right is edited, so that what was used stays used.
type Right struct {
	ID         int64   `json:"id,omitempty" doc:"0 for a new one"`
	Kind       string  `json:"kind" enum:"free_use,counted"`
	Title      string  `json:"title" maxLength:"20"`
	ServiceIDs []int64 `json:"serviceIds,omitempty" doc:"Of a free use: the services that it pays"`
	Times      int64   `json:"times"`
	Period     string  `json:"period" enum:"week,month,year,term" doc:"term: the term of a membership"`
	Note       string  `json:"note,omitempty" maxLength:"100"`
}

// Gift refers to what the campaign gives on the birthday.
type Gift struct {
	Kind  string `json:"kind" enum:"coupon,points,pass,membership"`
	ID    int64  `json:"id,omitempty" doc:"Of the coupon template or plan"`
	N     int64  `json:"n"`
	Title string `json:"title" maxLength:"30" doc:"As the owner reads it"`
}

// Discount is the share that is paid of a kind in this tier.
func (f Full) Discount(kind string) money.BP {
	for _, d := range f.Programme.Discounts {
		if d.Kind == kind {
			return d.BP
		}
	}
	if f.DiscountBP <= 0 || f.DiscountBP > money.Whole {
		return money.Whole
	}
	return f.DiscountBP
}

var keyForm = regexp.MustCompile(`^[A-Za-z0-9._-]{8,80}$`)

// clean trims the programme and says at its field what is absurd about it.
func (p Programme) clean(c *fault.Complaints) Programme {
	if p.CardImage = strings.TrimSpace(p.CardImage); p.CardImage != "" && !keyForm.MatchString(p.CardImage) {
		c.Bad("programme.cardImage", "没有这张图片，请重新上传")
	}
	if p.Rule != nil {
		p.Rule.check(c)
	}
	seen := map[string]bool{}
	for i, d := range p.Discounts {
		field := fmt.Sprintf("programme.discounts[%d]", i)
		if kindNames[d.Kind] == "" || seen[d.Kind] {
			c.Bad(field+".kind", "每个种类只能有一个折扣")
		}
		seen[d.Kind] = true
		c.Bad(field+".bp", absurdShare(d.BP))
	}
	if p.FinalBP != 0 {
		c.Bad("programme.finalBp", absurdShare(p.FinalBP))
	}
	if p.PointsBP < 0 || p.PointsBP > 10*money.Whole {
		c.Bad("programme.pointsBp", "积分倍数应在 0 至 10 倍之间")
	}
	p.cleanPrices(c)
	p.Rights = cleanRights(c, "programme.rights", p.Rights, false)
	p.cleanWords(c)
	return p
}

func (p *Programme) cleanPrices(c *fault.Complaints) {
	if len(p.MemberPrices) > maxPrices {
		c.Bad("programme.memberPrices", fmt.Sprintf("最多 %d 个会员价", maxPrices))
	}
	type key struct{ service, class int64 }
	seen := map[key]bool{}
	for i, m := range p.MemberPrices {
		field := fmt.Sprintf("programme.memberPrices[%d]", i)
		if m.PriceFen <= 0 {
			c.Bad(field+".priceFen", "会员价应大于 0；免费请用「免费权益」")
		}
		if k := (key{m.ServiceID, m.VehicleClassID}); seen[k] {
			c.Bad(field+".serviceId", "同一项目和车型只能有一个会员价")
		} else {
			seen[k] = true
		}
	}
}

func (p *Programme) cleanWords(c *fault.Complaints) {
	if len(p.Comforts) > maxComforts {
		c.Bad("programme.comforts", fmt.Sprintf("最多 %d 条", maxComforts))
	}
	p.Comforts = slices.Clone(p.Comforts)
	for i := range p.Comforts {
		p.Comforts[i] = strings.TrimSpace(p.Comforts[i])
		c.Bad(fmt.Sprintf("programme.comforts[%d]", i), badText(p.Comforts[i], 1, 40))
	}
	if g := p.Gift; g != nil {
		c.Bad("programme.gift.title", badText(strings.TrimSpace(g.Title), 1, 30))
		if g.N < 1 || g.N > 100_000 {
			c.Bad("programme.gift.n", "数量应在 1 至 100000 之间")
		}
		if g.Kind != "points" && g.ID <= 0 {
			c.Bad("programme.gift.id", "请选择要送什么")
		}
	}
}

func cleanRights(c *fault.Complaints, at string, in []Right, membership bool) []Right {
	if len(in) > maxRights {
		c.Bad(at, fmt.Sprintf("最多 %d 项权益", maxRights))
	}
	out := slices.Clone(in)
	ids := map[int64]bool{}
	for i := range out {
		r, field := &out[i], fmt.Sprintf("%s[%d]", at, i)
		r.Title, r.Note = strings.TrimSpace(r.Title), strings.TrimSpace(r.Note)
		c.Bad(field+".title", badText(r.Title, 1, 20))
		c.Bad(field+".note", badText(r.Note, 0, 100))
		if r.Times < 1 || r.Times > maxTimes {
			c.Bad(field+".times", fmt.Sprintf("次数应在 1 至 %d 之间", maxTimes))
		}
		switch r.Kind {
		case FreeUse:
			if len(r.ServiceIDs) == 0 || len(r.ServiceIDs) > maxServices {
				c.Bad(field+".serviceIds", "请选择免费的项目")
			}
		case Counted:
			r.ServiceIDs = nil
		default:
			c.Bad(field+".kind", "请选择权益的种类")
		}
		switch r.Period {
		case Weekly, Monthly, Yearly:
		case ForTerm:
			if !membership {
				c.Bad(field+".period", "等级没有期限，请选择每周、每月或每年")
			}
		default:
			c.Bad(field+".period", "请选择周期")
		}
		if r.ID != 0 && ids[r.ID] {
			c.Bad(field+".id", "同一项权益重复了")
		}
		ids[r.ID] = true
	}
	return out
}

func badText(s string, least, most int) string {
	switch n := utf8.RuneCountInString(s); {
	case n < least:
		return "必填"
	case n > most:
		return fmt.Sprintf("最多 %d 个字", most)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return "不能含有控制字符"
	}
	return ""
}
