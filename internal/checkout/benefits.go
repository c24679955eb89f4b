package checkout

import (
	"slices"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/points"
	"github.com/liangche/liangche/internal/pricing"
)

// The kinds of benefit.
const (
	BenefitPass   = "pass"
	BenefitRight  = "right"
	BenefitCoupon = "coupon"
	BenefitPoints = "points"
)

// The states of a benefit of an order.
const (
	benefitHeld   = "held"   // of coupons, while the order waits
	benefitUsed   = "used"   //
	benefitUndone = "undone" // given back
)

// BenefitAsk says what of a member's passes, rights and coupons is used. With auto the best combination is chosen and the lists are ignored.
type BenefitAsk struct {
	Auto      bool               `json:"auto,omitempty"`
	Covers    []pricing.CoverUse `json:"covers,omitempty" maxItems:"50"`
	CouponIDs []int64            `json:"couponIds,omitempty" maxItems:"20"`
	Points    int64              `json:"points,omitempty" minimum:"0" maximum:"100000000" doc:"Points that the suggestion should pay with; the tender of kind points decides"`
}

// choice is what the request asks for: nothing for a walk-in, the best when it says nothing.
func (r Request) choice() pricing.Choice {
	switch b := r.Benefits; {
	case b == nil:
		return pricing.Choice{Auto: true}
	default:
		return pricing.Choice{Auto: b.Auto, Covers: b.Covers, Coupons: b.CouponIDs, Points: b.Points}
	}
}

// wantsAny says whether the request may use anything that the member has.
func (r Request) wantsAny() bool {
	return r.MemberID != 0 && (r.Benefits == nil || r.Benefits.Auto || len(r.Benefits.Covers) > 0 || len(r.Benefits.CouponIDs) > 0)
}

// names says whether the request asks for passes, rights or coupons by name.
func (r Request) names() bool {
	b := r.Benefits
	return b != nil && !b.Auto && len(b.Covers)+len(b.CouponIDs) > 0
}

// Chosen is what a quote uses: asked for by name, it gives the same price again.
type Chosen struct {
	Covers    []pricing.CoverUse `json:"covers"`
	CouponIDs []int64            `json:"couponIds"`
	Points    int64              `json:"points" doc:"Points that the suggestion pays with"`
	PointsFen money.Fen          `json:"pointsFen"`
}

// CoverOffer is a line of a pass or a counted right that the member has.
type CoverOffer struct {
	Kind      string `json:"kind" enum:"pass,right"`
	ID        int64  `json:"id"`
	PassID    int64  `json:"passId,omitempty"`
	Title     string `json:"title"`
	Left      *int64 `json:"left,omitempty" doc:"Uses left now, a limit a day included; absent: unlimited"`
	ExpiresAt int64  `json:"expiresAt,omitempty" doc:"Unix milliseconds; absent: never"`
	Items     []int  `json:"items" doc:"Places of the items that it may pay"`
	Why       string `json:"why,omitempty" doc:"Why it cannot be used now"`
}

// CouponOffer is a coupon that the member has.
type CouponOffer struct {
	ID        int64  `json:"id"`
	Title     string `json:"title"`
	ExpiresAt int64  `json:"expiresAt,omitempty" doc:"Unix milliseconds; absent: never"`
	Why       string `json:"why,omitempty" doc:"Why it is not used, or cannot be"`
}

// PointsOffer says how far points may pay this bill.
type PointsOffer struct {
	Available int64     `json:"available"`
	Max       int64     `json:"max" doc:"Points that may be used for this bill"`
	MaxFen    money.Fen `json:"maxFen" doc:"What they pay"`
	PerYuan   int64     `json:"perYuan"`
}

// Offers is what the member has that may pay or lower the bill.
type Offers struct {
	Covers  []CoverOffer  `json:"covers"`
	Coupons []CouponOffer `json:"coupons"`
	Points  *PointsOffer  `json:"points,omitempty" doc:"Absent when points pay nothing in this shop"`
	Groups  []GroupOffer  `json:"groups"`
}

// BenefitView is what an order used.
type BenefitView struct {
	Kind      string    `json:"kind" enum:"pass,right,coupon,points"`
	Title     string    `json:"title"`
	Qty       int64     `json:"qty" doc:"Uses, coupons or points"`
	SavedFen  money.Fen `json:"savedFen"`
	LeftAfter *int64    `json:"leftAfter,omitempty" doc:"Uses that were left then; absent: unlimited, and of coupons and points"`
	Undone    bool      `json:"undone,omitempty" doc:"Given back"`
}

// holdings is what a member has that may lower a bill, read without a lock: whoever uses it checks again under the lock.
type holdings struct {
	covers  []pricing.Cover
	coupons []pricing.Coupon
	points  pricing.Points
	groups  []GroupOffer
	hints   []string
}

// pays says whether any of it may lower a bill of the items.
func (h holdings) pays(items []pricing.Item) bool {
	return len(h.coupons) > 0 || slices.ContainsFunc(h.covers, func(c pricing.Cover) bool { return c.Why == "" && slices.ContainsFunc(items, c.Pays) })
}

// block says of everything why it cannot be used.
func (h *holdings) block(why string) {
	for i := range h.covers {
		h.covers[i].Why = why
	}
	for i := range h.coupons {
		h.coupons[i].Why = why
	}
}

func (h holdings) offers(r pricing.Result, items []pricing.Item) *Offers {
	o := &Offers{Covers: []CoverOffer{}, Coupons: []CouponOffer{}, Groups: h.groups}
	if o.Groups == nil {
		o.Groups = []GroupOffer{}
	}
	why := map[[2]any]string{}
	for _, u := range r.Unused {
		why[[2]any{u.Kind, u.ID}] = u.Why
	}
	for _, c := range h.covers {
		v := CoverOffer{Kind: c.Kind, ID: c.ID, PassID: c.PassID, Title: c.Title, ExpiresAt: c.ExpiresAt, Why: c.Why, Items: []int{}}
		if c.Left >= 0 {
			v.Left = &c.Left
		}
		for i, it := range items {
			if c.Pays(it) {
				v.Items = append(v.Items, i)
			}
		}
		if v.Why == "" && len(v.Items) == 0 {
			v.Why = "没有适用的项目"
		}
		o.Covers = append(o.Covers, v)
	}
	for _, c := range h.coupons {
		o.Coupons = append(o.Coupons, CouponOffer{c.ID, c.Title, c.ExpiresAt, why[[2]any{"coupon", c.ID}]})
	}
	if h.points.PerYuan > 0 && h.points.MaxBP > 0 {
		o.Points = &PointsOffer{max(h.points.Available-h.points.Debt, 0), r.PointsMax, r.PointsMaxFen, h.points.PerYuan}
	}
	return o
}

// Items are catalogue items as the price function wants them, with the member's fixed prices by service.
func Items(items []catalog.Item, fixed map[int64]money.Fen) []pricing.Item {
	out := make([]pricing.Item, len(items))
	for i, it := range items {
		out[i] = pricing.Item{Index: i, Kind: it.Kind, ServiceKind: it.ServiceKind, ID: it.ID, Name: it.Name, Explain: it.Explain, Qty: it.Qty, UnitFen: it.UnitFen, MinPriceBP: it.MinPriceBP}
		if it.Kind == catalog.KindService {
			out[i].FixedFen = fixed[it.ID]
		}
	}
	return out
}

// reallyPaid is what was paid with money: at the desk, by WeChat, before as a deposit, or from principal. Bonus, points and what a group pays
// bring no points.
func (o Order) reallyPaid() (sum money.Fen) {
	for _, t := range o.Tenders {
		switch t.Kind {
		case TenderCash, TenderCard, TenderAlipay, TenderNative, TenderDeposit:
			sum += t.AmountFen
		case TenderBalance:
			sum += t.PrincipalFen
		}
	}
	return sum
}

// earning is what an order's items bring in points: money that was really paid, spread over them by what each costs.
func (o Order) earning() []points.Item {
	var net []money.Fen
	for _, it := range o.Items {
		net = append(net, it.NetFen)
	}
	if len(net) == 0 || o.Total == 0 {
		return nil
	}
	var out []points.Item
	for i, paid := range money.Split(o.reallyPaid(), net) {
		it := o.Items[i]
		if paid > 0 {
			out = append(out, points.Item{Kind: it.Kind, ServiceKind: it.ServiceKind, ID: it.ID, Qty: it.NetQty, PaidFen: paid, DueFen: it.NetFen, PointsEach: it.PointsEach})
		}
	}
	return out
}

// Sold is an item of an order with what it came to.
type Sold struct {
	Kind, ServiceKind string
	ID                int64
	NetFen            money.Fen // charged for it after everything
	NetQty            int64     // units that neither a cover nor a gift pays
	PointsEach        *int64
}

func soldOf(items []catalog.Item, p pricing.Result) []Sold {
	out := make([]Sold, len(items))
	for i, it := range items {
		out[i] = Sold{it.Kind, it.ServiceKind, it.ID, p.PayableByItem[i], p.ChargedQty[i], it.PointsEach}
	}
	return out
}

// Benefit is what an order used of what its member has.
type Benefit struct {
	Kind      string
	RefID     int64
	Title     string
	ItemID    int64
	Qty       int64
	SavedFen  money.Fen
	LeftAfter *int64
	State     string
}

func (o Order) benefit(kind string) bool {
	return slices.ContainsFunc(o.Benefits, func(b Benefit) bool { return b.Kind == kind && b.State != benefitUndone })
}

// uses says whether the price takes anything that the member has, so that the settlement locks more than a wallet.
func uses(p pricing.Result, tenders []Tender) bool {
	return len(p.Covers) > 0 || len(p.Coupons) > 0 || amountOf(tenders, TenderPoints) > 0 || amountOf(tenders, TenderGroup) > 0
}
