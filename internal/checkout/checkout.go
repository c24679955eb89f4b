// Package checkout is the till: quote, settle, reverse, and the two-sided receipt.
//
// Model: a Quote prices items for a vehicle class and a member's tier, in lines that explain themselves; settling turns the
// very quote that was shown into an Order paid by one or several Tenders; an order that waits for WeChat Pay holds its stored-value part;
// a reversal undoes the whole order; a Dispute is the owner's question about it.
// Owns: checkout_orders, checkout_lines, checkout_tenders, checkout_disputes. Invariants: a price is computed by one pure function and
// never below an item's floor (I03); what was not shown is not charged (the quote's hash is checked); tenders sum to the total; an
// order has exactly one posting and at most one reversal; money moves in the transaction that settles; no store or revenue row is locked.
package checkout

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/pricing"
	"github.com/liangche/liangche/internal/tier"
)

// PurposeOrder is the payment purpose of orders.
const PurposeOrder = "order"

// Status is where an order stands.
type Status string

// The statuses.
const (
	Awaiting  Status = "awaiting_payment"
	Settled   Status = "settled"
	Cancelled Status = "cancelled"
	Reversed  Status = "reversed"
)

// The kinds of tender.
const (
	TenderBalance = "balance"
	TenderCash    = "cash"
	TenderCard    = "card"
	TenderAlipay  = "alipay"
	TenderNative  = "wechat_native"
	TenderDeposit = "deposit" // what was paid when the visit was booked
)

// Faults of this package.
var (
	ErrPlate        = fault.Define(fault.Invalid, "checkout.plate", "车牌号不正确，请检查")
	ErrQuoteChanged = fault.Define(fault.Conflict, "checkout.quote_changed", "价格刚刚有变化，请核对新的报价后再结算")
	ErrTenders      = fault.Define(fault.Invalid, "checkout.tenders", "收款合计与应收不一致，请检查各项金额")
	ErrWalkIn       = fault.Define(fault.Invalid, "checkout.balance_needs_member", "散客不能用储值支付，请换一种收款方式")
	ErrNeedsCode    = fault.Define(fault.Conflict, "checkout.code_required", "使用储值需要扫会员码，请顾客出示会员码")
	ErrReference    = fault.Define(fault.Invalid, "checkout.reference_required", "请填写刷卡或支付宝的流水号")
	ErrCashShort    = fault.Define(fault.Invalid, "checkout.cash_short", "实收现金少于应收，请检查")
	ErrDiscount     = pricing.ErrDiscount
	ErrState        = fault.Define(fault.Conflict, "checkout.order_state", "订单状态已变化，请刷新查看")
	ErrTooLate      = fault.Define(fault.Forbidden, "checkout.reverse_denied", "超过可撤销时间或不是您经手的订单，请店长处理")
	ErrLeft         = fault.Define(fault.Conflict, "checkout.member_left", "会员已注销，储值无处可退，不能撤销；请当面协商退款")
	ErrDisputed     = fault.Define(fault.Conflict, "checkout.already_disputed", "这笔已经提交过疑问，请等待门店答复")
	ErrVisit        = fault.Define(fault.Conflict, "checkout.booking", "这个预约不能这样结算，请刷新后重试")
	ErrDeposit      = fault.Define(fault.Invalid, "checkout.deposit", "定金抵扣不能超过已付的定金，请检查")
	ErrResolved     = fault.Define(fault.Conflict, "checkout.dispute_resolved", "这条疑问已经处理过了，请刷新查看")
)

// Line is one line of a quote or receipt; its title and explanation stand for themselves.
type Line struct {
	Kind         string    `json:"kind" enum:"service,good,tier_discount,manual_discount,floor"`
	ItemID       int64     `json:"-"`
	Title        string    `json:"title"`
	Explain      string    `json:"explain"`
	Qty          int64     `json:"qty"`
	UnitPriceFen money.Fen `json:"unitPriceFen"`
	AmountFen    money.Fen `json:"amountFen" doc:"Signed: discounts are negative"`
}

// Manual is a discount that staff give by hand.
type Manual struct {
	AmountFen money.Fen `json:"amountFen" minimum:"1" maximum:"10000000"`
	Reason    string    `json:"reason" minLength:"2" maxLength:"60"`
}

// Priced is the result of Price.
type Priced struct {
	Lines                     []Line
	Subtotal, Discount, Total money.Fen
}

// Price decides what is charged: list price, tier discount never below an item's floor, then the manual discount never below the sum of
// floors nor beyond maxManual (a share of the subtotal). It is pure. Faults: ErrDiscount.
func Price(items []catalog.Item, vehicleClass string, t tier.Tier, manual *Manual, maxManual money.BP) (Priced, error) {
	var p Priced
	var floors, afterTier money.Fen
	var bound []string
	for _, it := range items {
		list := it.UnitFen * money.Fen(it.Qty)
		explain := it.Explain
		if explain == "" {
			explain = fmt.Sprintf("%s × %d", it.UnitFen.Yuan(), it.Qty)
			if it.Kind == catalog.KindService && vehicleClass != "" {
				explain = vehicleClass + " · " + explain
			}
		}
		p.Lines = append(p.Lines, Line{Kind: it.Kind, ItemID: it.ID, Title: it.Name, Explain: explain, Qty: it.Qty, UnitPriceFen: it.UnitFen, AmountFen: list})
		floor := it.MinPriceBP.Ceil(list)
		want := t.DiscountBP.Round(list)
		if t.DiscountBP <= 0 || t.DiscountBP > money.Whole {
			want = list
		}
		if want < floor {
			want = floor
			bound = append(bound, it.Name)
		}
		p.Subtotal += list
		floors += floor
		afterTier += want
	}
	p.Total = afterTier
	if off := p.Subtotal - afterTier; off > 0 {
		p.Lines = append(p.Lines, Line{Kind: "tier_discount", Title: t.Name + "优惠", Explain: fmt.Sprintf("%s享 %s", t.Name, zhe(t.DiscountBP)), Qty: 1, UnitPriceFen: -off, AmountFen: -off})
	}
	if len(bound) > 0 {
		p.Lines = append(p.Lines, Line{Kind: "floor", Title: "最低折扣", Explain: strings.Join(bound, "、") + "已按最低折扣计价", Qty: 1})
	}
	if manual != nil {
		if manual.AmountFen <= 0 || manual.AmountFen > maxManual.Round(p.Subtotal) {
			return p, ErrDiscount.Say("手工优惠最多 %s", maxManual.Round(p.Subtotal).Yuan()).On("manualDiscount.amountFen", "超出上限")
		}
		if room := afterTier - floors; manual.AmountFen > room {
			return p, ErrDiscount.Say("这些项目最多还能优惠 %s", max(room, 0).Yuan()).On("manualDiscount.amountFen", "低于最低价")
		}
		p.Total -= manual.AmountFen
		p.Lines = append(p.Lines, Line{Kind: "manual_discount", Title: "门店优惠", Explain: manual.Reason, Qty: 1, UnitPriceFen: -manual.AmountFen, AmountFen: -manual.AmountFen})
	}
	p.Discount = p.Subtotal - p.Total
	return p, nil
}

// zhe writes a rate as people say it: 9500 is "9.5 折".
func zhe(bp money.BP) string {
	s := fmt.Sprintf("%d.%03d", bp/1000, bp%1000)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".") + " 折"
}

// hash identifies what was shown, so that nothing else can be charged.
func (p Priced) hash(r Request) string {
	b, _ := json.Marshal([]any{r.StoreID, r.MemberID, r.Plate, r.VehicleClassID, r.Items, p.Lines, p.Total, r.BookingID}) // plain values always marshal
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:12])
}

// Request is what staff ring up. MemberID 0 is a walk-in.
type Request struct {
	StoreID        int64   `json:"storeId" minimum:"1"`
	MemberID       int64   `json:"memberId,omitempty" minimum:"0"`
	ScanID         int64   `json:"scanId,omitempty" minimum:"0"`
	Plate          string  `json:"plate" minLength:"1" maxLength:"16"`
	VehicleClassID int64   `json:"vehicleClassId" minimum:"1"`
	Items          []Item  `json:"items" minItems:"1" maxItems:"50"`
	ManualDiscount *Manual `json:"manualDiscount,omitempty"`
	BookingID      int64   `json:"bookingId,omitempty" minimum:"0" doc:"The booking that is settled: its deposit counts"`
}

// Item is a service or good with its quantity.
type Item struct {
	Kind string `json:"kind" enum:"service,good"`
	ID   int64  `json:"id" minimum:"1"`
	Qty  int64  `json:"qty" minimum:"1" maximum:"999"`
}

// Tender is one way in which a part is paid.
type Tender struct {
	Kind        string    `json:"kind" enum:"balance,cash,card,alipay,wechat_native,deposit"`
	AmountFen   money.Fen `json:"amountFen" minimum:"1" maximum:"100000000"`
	Reference   string    `json:"reference,omitempty" maxLength:"64"`
	ReceivedFen money.Fen `json:"receivedFen,omitempty" minimum:"0" maximum:"100000000"`
}

// checkTenders says whether the tenders pay exactly total. Faults: ErrTenders, ErrWalkIn, ErrReference, ErrCashShort.
func checkTenders(total money.Fen, tenders []Tender, member bool) error {
	var sum money.Fen
	seen := map[string]bool{}
	for i, t := range tenders {
		field := func(name string) string { return fmt.Sprintf("tenders[%d].%s", i, name) }
		if t.AmountFen <= 0 {
			return ErrTenders.On(field("amountFen"), "金额必须大于 0")
		}
		if seen[t.Kind] {
			return ErrTenders.Say("同一种收款方式请合并成一笔").On(field("kind"), "重复")
		}
		seen[t.Kind] = true
		switch t.Kind {
		case TenderBalance:
			if !member {
				return ErrWalkIn
			}
		case TenderCard, TenderAlipay:
			if strings.TrimSpace(t.Reference) == "" {
				return ErrReference.On(field("reference"), "必填")
			}
		case TenderCash:
			if t.ReceivedFen != 0 && t.ReceivedFen < t.AmountFen {
				return ErrCashShort.On(field("receivedFen"), "少于应收")
			}
		}
		sum += t.AmountFen
	}
	if sum != total {
		return ErrTenders.Say("应收 %s，收款合计 %s，请检查各项金额", total.Yuan(), sum.Yuan())
	}
	return nil
}

// suggest proposes how to pay: what was paid already, then stored value, the rest by the desk's WeChat code.
func suggest(total, available, deposit money.Fen) []Tender {
	var out []Tender
	if n := min(total, deposit); n > 0 {
		out = append(out, Tender{Kind: TenderDeposit, AmountFen: n})
		total -= n
	}
	if n := min(total, available); n > 0 {
		out = append(out, Tender{Kind: TenderBalance, AmountFen: n})
		total -= n
	}
	if total > 0 {
		out = append(out, Tender{Kind: TenderNative, AmountFen: total})
	}
	return out
}

// tenderLabel names a kind of tender.
func tenderLabel(kind string) string {
	switch kind {
	case TenderBalance:
		return "储值"
	case TenderCash:
		return "现金"
	case TenderCard:
		return "刷卡"
	case TenderAlipay:
		return "支付宝"
	case TenderNative:
		return "微信支付"
	case TenderDeposit:
		return "定金"
	}
	return "其他"
}

func tenderLabels(ts []Tender) string {
	var out []string
	for _, t := range ts {
		out = append(out, tenderLabel(t.Kind))
	}
	return strings.Join(out, "+")
}

// title names an order after its first item.
func title(items []catalog.Item) string {
	if len(items) == 1 {
		return items[0].Name
	}
	return fmt.Sprintf("%s等%d项", items[0].Name, len(items))
}

// reversible says whether an order may be reversed by whoever holds the permissions. Fault: ErrTooLate.
func reversible(o Order, now time.Time, staffID int64, any bool, limit time.Duration) error {
	if o.Status != Settled {
		return ErrState
	}
	if any || (o.StaffID == staffID && now.Sub(o.SettledAt) <= limit) {
		return nil
	}
	return ErrTooLate
}
