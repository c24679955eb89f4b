// Package checkout is the till: quote, settle, reverse, and the two-sided receipt.
//
// Model: a Quote prices items for a vehicle class and a member's tier, in lines that explain themselves; settling turns the
// very quote that was shown into an Order paid by one or several Tenders; an order that waits for WeChat Pay holds its stored-value part;
// a reversal undoes the whole order; a Dispute is the owner's question about it.
// What a member has (passes, rights, coupons, points) is used in a posting of its own, at once, also while the order waits.
// Owns: checkout_orders, checkout_lines, checkout_tenders, checkout_benefits, checkout_disputes. Invariants: a price is computed by one pure
// function and never below an item's floor (I03); what was not shown is not charged (the quote's hash is checked); tenders sum to the
// total; an order has exactly one money posting and at most one reversal; what a benefit posting took is given back when the order ends
// unpaid or is reversed, and what it earned is taken back (N11, N15); money moves in the transaction that settles; no store or revenue
// row is locked.
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
	TenderPoints  = "points"  // a tender, never a discount
	TenderGroup   = "group"   // the wallet of who pays for a family or a company
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
	ErrMergeUnpaid  = fault.Define(fault.Conflict, "checkout.merge_unpaid", "有一笔订单还在等待付款，请先收完款或取消，再合并")
	ErrDisputed     = fault.Define(fault.Conflict, "checkout.already_disputed", "这笔已经提交过疑问，请等待门店答复")
	ErrVisit        = fault.Define(fault.Conflict, "checkout.booking", "这个预约不能这样结算，请刷新后重试")
	ErrDeposit      = fault.Define(fault.Invalid, "checkout.deposit", "定金抵扣不能超过已付的定金，请检查")
	ErrPoints       = fault.Define(fault.Invalid, "checkout.points", "积分抵扣超过可用，请减少")
	ErrGroup        = fault.Define(fault.Invalid, "checkout.group", "家庭或企业账户不能这样支付，请检查收款方式")
	ErrEarner       = fault.Define(fault.Conflict, "checkout.earner", "这单的积分不能记给这位会员")
	ErrResolved     = fault.Define(fault.Conflict, "checkout.dispute_resolved", "这条疑问已经处理过了，请刷新查看")
)

// Line is one line of a quote or receipt.
type Line = pricing.Line

// Manual is a discount that staff give by hand.
type Manual = pricing.Manual

// hash identifies what was shown, so that nothing else can be charged.
func hash(r Request, p pricing.Result) string {
	b, _ := json.Marshal([]any{r.StoreID, r.MemberID, r.Plate, r.VehicleClassID, r.Items, p.Lines, p.Total, r.BookingID, p.Covers, p.Coupons}) // plain values always marshal
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
	GroupID        int64   `json:"groupId,omitempty" minimum:"0" doc:"The family or company that pays the tender of kind group"`

	EarnerID int64 `json:"earnerId,omitempty" minimum:"0" doc:"Whose account earns the points instead: a friend's, of a walk-in or of another member; where the shop allows it"`

	Benefits *BenefitAsk `json:"benefits,omitempty" doc:"Absent: the best combination of what the member has, without points"`
}

// Item is a service or good with its quantity.
type Item struct {
	Kind string `json:"kind" enum:"service,good"`
	ID   int64  `json:"id" minimum:"1"`
	Qty  int64  `json:"qty" minimum:"1" maximum:"999"`
}

// Tender is one way in which a part is paid.
type Tender struct {
	Kind        string    `json:"kind" enum:"balance,cash,card,alipay,wechat_native,deposit,points,group"`
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
		case TenderBalance, TenderPoints, TenderGroup:
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

// means is what can pay beside money at the desk.
type means struct{ deposit, points, group, available money.Fen }

// suggest proposes how to pay: what was paid already, the points that are wanted, a group, then stored value, the rest by the desk's WeChat code.
// A group and the own wallet are never mixed.
func suggest(total money.Fen, m means) []Tender {
	var out []Tender
	take := func(kind string, most money.Fen) {
		if n := min(total, most); n > 0 {
			out = append(out, Tender{Kind: kind, AmountFen: n})
			total -= n
		}
	}
	take(TenderDeposit, m.deposit)
	take(TenderPoints, m.points)
	if m.group > 0 {
		if take(TenderGroup, m.group); total > 0 {
			take(TenderCash, total)
		}
		return out
	}
	take(TenderBalance, m.available)
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
	case TenderPoints:
		return "积分"
	case TenderGroup:
		return "家庭/企业账户"
	}
	return "其他"
}

func tenderLabels(ts []Tender) string {
	if len(ts) == 0 {
		return "权益抵扣" // passes, rights and coupons left nothing to pay
	}
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
