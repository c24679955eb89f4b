// Package pricing decides what a visit costs: one pure function that till, booking and estimate share.
//
// Model: an Item is so many units at a list price with a floor (I03); a Tier lowers units by kind, by a fixed member price or on the whole bill;
// a Cover pays whole units (a line of a pass, a counted right), a Coupon takes an amount or a share off, or gives one unit; Points are a tender
// and only get a limit here. Decide picks the combination that costs least, or the one that was asked for, and says why in each line.
// Owns: nothing. Invariants: never negative; no unit below its floor except by a cover or a gift; every unit is priced by itself and a
// coupon may leave units out, so a bill that is split never costs less; the same input gives the same result; one more cover or coupon never
// raises the best price; what is asked for and cannot be used is a fault on its field, never dropped in silence.
package pricing

import (
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// Kinds of items.
const (
	KindService = "service"
	KindGood    = "good"
)

// Kinds of covers.
const (
	CoverPass  = "pass"
	CoverRight = "right"
)

// Kinds of coupons.
const (
	CouponAmount  = "amount"
	CouponPercent = "percent"
	CouponService = "service" // one unit of one of its services or goods is free
)

// How a coupon goes together with others.
const (
	StackNone   = "none"    // one such a visit, and a day: whoever offers it says in Why that today's is used
	StackAny    = "any"     // with everything
	StackNoTier = "no_tier" // the units that it lowers are charged without the tier's discount
)

// Faults of this package.
var (
	ErrDiscount = fault.Define(fault.Invalid, "checkout.discount", "优惠超出允许范围，请减少优惠金额")
	ErrCover    = fault.Define(fault.Conflict, "checkout.cover", "次卡或权益现在不能这样使用，请重新选择")
	ErrCoupon   = fault.Define(fault.Conflict, "checkout.coupon", "优惠券现在不能这样使用，请重新选择")
)

// Item is what is sold, with its quantity.
type Item struct {
	Index       int    // its place in the request
	Kind        string // service or good
	ServiceKind string // wash, detail, film, repair, other; "" for a good
	ID          int64
	Name        string
	Explain     string // "" is written from price and quantity
	Qty         int64
	UnitFen     money.Fen
	MinPriceBP  money.BP  // lowest allowed share of the list price
	FixedFen    money.Fen // member price; 0 none
}

// kindKey is the word by which a tier's discount is looked up.
func (i Item) kindKey() string {
	if i.Kind == KindGood {
		return KindGood
	}
	return i.ServiceKind
}

// Tier is what a member's tier takes off. BP is the share that is paid by kind (wash, detail, film, repair, other, good); a missing kind, 0 and
// 10000 are no discount. FinalBP comes on top, on everything.
type Tier struct {
	ID      int64
	Name    string
	BP      map[string]money.BP
	FinalBP money.BP
}

// Cover pays whole units: a line of a pass or a counted right.
type Cover struct {
	Kind         string // pass or right
	ID           int64  // the pass's line, or the right
	PassID       int64
	Title        string
	ServiceIDs   []int64
	GoodIDs      []int64
	Left         int64 // uses that are left now, a limit a day included; -1 unlimited
	InAll        int64 // uses that are left where a limit a day makes Left less: what the line says; -1 unlimited, 0 as many as Left
	Upgrade      bool  // another service of UpgradeKinds costs what its list price is beyond BaseFen (D09)
	BaseFen      money.Fen
	UpgradeKinds []string
	ExpiresAt    int64  // unix ms; 0 never
	Why          string // why not now, in Chinese; "" usable
}

// Coupon lowers a bill.
type Coupon struct {
	ID           int64
	Title        string
	Kind         string // amount, percent or service
	AmountFen    money.Fen
	BP           money.BP  // share that is paid
	MaxOffFen    money.Fen // of a percent coupon; 0 no limit
	ThresholdFen money.Fen // list price of the units that it may lower and that nothing covers
	Kinds        []string  // wash, …, good; with ServiceIDs and GoodIDs all empty: everything
	ServiceIDs   []int64
	GoodIDs      []int64
	Stack        string
	ExpiresAt    int64
	Why          string
}

// Points says how far points may pay. PerYuan points are worth one yuan; MaxBP is the share of a bill that they may pay.
type Points struct {
	Available int64
	PerYuan   int64
	MaxBP     money.BP
	Debt      int64
}

// CoverUse is one cover on one item.
type CoverUse struct {
	Kind string `json:"kind" enum:"pass,right"`
	ID   int64  `json:"id" minimum:"1"`
	Item int    `json:"itemIndex" minimum:"0" maximum:"49" doc:"Place in items"`
	Qty  int64  `json:"qty" minimum:"1" maximum:"999"`
}

// Choice is what is to be used. Auto chooses covers and coupons itself and ignores those that are named.
type Choice struct {
	Auto    bool
	Covers  []CoverUse
	Coupons []int64
	Points  int64
}

// Manual is a discount that staff give by hand.
type Manual struct {
	AmountFen money.Fen `json:"amountFen" minimum:"1" maximum:"10000000"`
	Reason    string    `json:"reason" minLength:"2" maxLength:"60"`
}

// Input is everything that a price depends on.
type Input struct {
	Items        []Item
	VehicleClass string
	Tier         Tier
	Covers       []Cover
	Coupons      []Coupon
	Points       Points
	Choice       Choice
	Manual       *Manual
	MaxManual    money.BP // share of the subtotal that Manual may take
}

// Line is one line of a quote or receipt; its title and explanation stand for themselves.
type Line struct {
	Kind         string    `json:"kind" enum:"service,good,member_price,tier_discount,pass,right,upgrade,coupon,final_discount,manual_discount,floor"`
	ItemID       int64     `json:"-"`
	Title        string    `json:"title"`
	Explain      string    `json:"explain"`
	Qty          int64     `json:"qty"`
	UnitPriceFen money.Fen `json:"unitPriceFen"`
	AmountFen    money.Fen `json:"amountFen" doc:"Signed: discounts are negative"`
}

// Hint is something that could not be used, and why.
type Hint struct {
	Kind  string `json:"kind" enum:"pass,right,coupon"`
	ID    int64  `json:"id"`
	Title string `json:"title"`
	Why   string `json:"why"`
}

// Result is a price.
type Result struct {
	Lines                     []Line
	Subtotal, Discount, Total money.Fen
	Covers                    []CoverUse  // in use
	CoverOff                  []money.Fen // what each of Covers takes off the list price
	Coupons                   []int64     // in use
	CouponOff                 []money.Fen // what each of Coupons takes off
	PayableByItem             []money.Fen // what is charged for each item of the input, in its order
	ChargedQty                []int64     // units of each item that neither a cover nor a gift pays
	PointsMax                 int64       // points that may be used
	PointsMaxFen              money.Fen   // what they pay
	PointsFen                 money.Fen   // what Choice.Points pays, at most PointsMaxFen
	Unused                    []Hint
}

// PointsFor is how many points pay an amount, rounded up.
func PointsFor(amount money.Fen, perYuan int64) int64 { return (int64(amount)*perYuan + 99) / 100 }

// Decide prices a visit. Faults: ErrDiscount, ErrCover, ErrCoupon, each on its field.
func Decide(in Input) (Result, error) {
	s := newSolver(in)
	var err error
	var p plan
	if in.Choice.Auto {
		p = s.search()
	} else if p, err = s.asked(); err != nil {
		return Result{}, err
	}
	r := s.result(p)
	if err := r.manual(in, s.floors(p)); err != nil {
		return Result{}, err
	}
	r.Discount = r.Subtotal - r.Total
	r.points(in.Points, in.Choice.Points)
	return r, nil
}

// manual takes the discount that staff give off what is above the floors, item by item.
func (r *Result) manual(in Input, floors []money.Fen) error {
	m := in.Manual
	if m == nil {
		return nil
	}
	if limit := in.MaxManual.Round(r.Subtotal); m.AmountFen <= 0 || m.AmountFen > limit {
		return ErrDiscount.Say("手工优惠最多 %s", limit.Yuan()).On("manualDiscount.amountFen", "超出上限")
	}
	room := make([]money.Fen, len(floors))
	var sum money.Fen
	for i, f := range floors {
		room[i] = max(r.PayableByItem[i]-f, 0)
		sum += room[i]
	}
	if m.AmountFen > sum {
		return ErrDiscount.Say("这些项目最多还能优惠 %s", sum.Yuan()).On("manualDiscount.amountFen", "低于最低价")
	}
	for i, off := range money.Split(m.AmountFen, room) {
		r.PayableByItem[i] -= off
	}
	r.Total -= m.AmountFen
	r.Lines = append(r.Lines, Line{Kind: "manual_discount", Title: "门店优惠", Explain: m.Reason, Qty: 1, UnitPriceFen: -m.AmountFen, AmountFen: -m.AmountFen})
	return nil
}

// points limits the tender: a share of the bill, rounded down, so that splitting the bill never allows more.
func (r *Result) points(p Points, want int64) {
	have := p.Available - p.Debt
	if p.PerYuan <= 0 || p.MaxBP <= 0 || have <= 0 || r.Total <= 0 {
		return
	}
	bp := min(p.MaxBP, money.Whole)
	share := r.Total/money.Fen(money.Whole)*money.Fen(bp) + r.Total%money.Fen(money.Whole)*money.Fen(bp)/money.Fen(money.Whole)
	worth := func(n int64) money.Fen { return money.Fen(n/p.PerYuan*100 + n%p.PerYuan*100/p.PerYuan) }
	r.PointsMaxFen = min(share, worth(have))
	r.PointsMax = PointsFor(r.PointsMaxFen, p.PerYuan)
	r.PointsFen = min(r.PointsMaxFen, worth(max(want, 0)))
}
