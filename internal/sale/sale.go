// Package sale is one purchase of something that is not work: a pass, a membership, goods of the mall that cost money.
//
// Model: a Product of a kind says what it costs, delivers it once it is paid, and takes back what it reserved when nobody pays; a Sale is
// pending → paid → refunded, or closed when it was not paid; a Refund returns money to where it came from.
// Owns: sale_sales, sale_refunds. Invariants: one use case for all products, by WeChat in the app or at the desk; a sale is delivered once
// and only when paid (N03, N05); what is paid after it was closed goes back by itself (N06); stored value pays only where the product says
// so, and what bonus paid goes back to bonus (N04, N10); a refund never exceeds what was paid, keeps its number for ever (N07) and goes
// back to the lots, the WeChat order or the till that it came from; the account that was credited is the one that owes.
package sale

import (
	"context"
	"encoding/json"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/wallet"
)

// The states of a sale.
const (
	StatePending  = "pending"
	StatePaid     = "paid"
	StateClosed   = "closed"
	StateRefunded = "refunded" // something of it went back
)

// The states of a refund.
const (
	RefundProcessing = "processing"
	RefundDone       = "done"
	RefundAttention  = "attention" // WeChat refused it: somebody must look
)

// How a sale is paid.
const (
	MethodWeChat       = "wechat"
	MethodWeChatNative = "wechat_native"
	MethodCash         = "cash"
	MethodCard         = "card"
	MethodAlipay       = "alipay"
	MethodBalance      = "balance"
	MethodFree         = "free" // costs nothing
)

// PurposeSale is the payment purpose of sales.
const PurposeSale = "sale"

// refundWindow is how long WeChat Pay takes refunds of an order.
const refundWindow = 365 * 24 * time.Hour

// Faults of this package.
var (
	ErrState       = fault.Define(fault.Conflict, "sale.state", "这笔购买已经有结果了，请刷新查看")
	ErrMethod      = fault.Define(fault.Invalid, "sale.method", "不能用这种方式付款，请换一种")
	ErrBalance     = fault.Define(fault.Conflict, "sale.no_balance", "这件商品不能用储值购买，请换一种付款方式")
	ErrReference   = fault.Define(fault.Invalid, "sale.reference_required", "请填写刷卡或支付宝的流水号")
	ErrCode        = fault.Define(fault.Conflict, "sale.code_required", "使用储值需要扫会员码，请顾客出示会员码")
	ErrGone        = fault.Define(fault.Conflict, "sale.gone", "这件商品刚刚不能购买了，请重新选择")
	ErrRefundMax   = fault.Define(fault.Conflict, "sale.refund_exceeds", "超过了可退金额，请刷新后重试")
	ErrLeft        = fault.Define(fault.Conflict, "sale.member_left", "会员已注销，储值无处可退，请当面协商退款")
	ErrMergeUnpaid = fault.Define(fault.Conflict, "sale.merge_unpaid", "有一笔购买还没有付完，请先付完或取消，再合并")
	ErrMergeRefund = fault.Define(fault.Conflict, "sale.merge_refunding", "有一笔购买的退款还没有到账，请等它完成，或先处理异常的退款，再合并")
	ErrKind        = fault.Define(fault.Internal, "sale.kind", "没有这种商品，请联系管理员")
)

// Product is what a sale delivers.
type Product interface {
	// OfferTx says what it costs, and reserves what there is little of. It refuses with a fault of its own who may not buy it.
	OfferTx(ctx context.Context, tx *db.Tx, b Buy) (Terms, error)
	// DeliverTx hands over what was paid. The member is locked. ErrGone, or any refusal, says that it cannot be delivered any more: what it wrote
	// is rolled back, and the money goes back.
	DeliverTx(ctx context.Context, tx *db.Tx, s Sale) (Delivered, error)
	// ReleaseTx gives back what OfferTx reserved: nobody paid.
	ReleaseTx(ctx context.Context, tx *db.Tx, s Sale) error
}

// Buy is what somebody wants to buy.
type Buy struct {
	Kind      string
	SubjectID int64 // what of the kind
	MemberID  int64
	StoreID   int64 // 0: online
	SaleID    int64 // given by the sale
	Qty       int64 // 0 counts as 1
	Plate     string
	Data      json.RawMessage // whatever else the product needs
}

// Pay is how it is to be paid. App and OpenID name who pays by WeChat in the app; Begin finds them by itself.
type Pay struct {
	Method    string
	Reference string
	ScanID    int64 // of the member code, where the desk pays from stored value
	App       string
	OpenID    string
}

// Terms are a product's answer.
type Terms struct {
	Title          string
	PriceFen       money.Fen
	Account        string // the shop account that is credited: ledger.Passes, ledger.Memberships, ledger.Revenue
	Snapshot       json.RawMessage
	BalanceAllowed bool
}

// Line is one line of a receipt.
type Line struct {
	Title     string    `json:"title"`
	Explain   string    `json:"explain,omitempty"`
	AmountFen money.Fen `json:"amountFen"`
}

// Delivered is what was handed over. Legs are in other units than fen, on accounts of the member that Units name.
type Delivered struct {
	ID    int64 // what came of it, such as the pass
	Units []ledger.Unit
	Legs  []ledger.Leg
	Lines []Line
}

// Sale is one purchase.
type Sale struct {
	ID           int64
	No           string
	Kind         string
	SubjectID    int64
	MemberID     int64
	StoreID      int64
	Qty          int64
	Plate        string
	Title        string
	PriceFen     money.Fen
	Account      string
	Method       string
	Reference    string
	PaymentID    int64
	State        string
	PrincipalFen money.Fen // of stored value
	BonusFen     money.Fen
	RefundedFen  money.Fen
	BonusBackFen money.Fen // of RefundedFen
	PostingID    int64
	ResultID     int64 // Delivered.ID
	Data         json.RawMessage
	Snapshot     json.RawMessage
	Receipt      []Line
	StaffID      int64
	StaffName    string
	BizDay       string
	CreatedAt    time.Time
	ExpiresAt    time.Time
	PaidAt       time.Time // zero before it is paid

	sources []source
}

// source is a lot that paid a part, and how much of it went back.
type source struct {
	Unit      ledger.Unit `json:"unit"`
	RefKind   string      `json:"refKind"`
	RefID     int64       `json:"refId"`
	ExpiresAt int64       `json:"expiresAt,omitempty"`
	Amount    int64       `json:"amount"`
	Back      int64       `json:"back,omitempty"`
}

// Left is what was paid and has not gone back.
func (s Sale) Left() money.Fen { return s.PriceFen - s.RefundedFen }

// ByHand says whether the desk hands a refund out: it was not paid by WeChat or from stored value, or too long ago.
func (s Sale) ByHand(now time.Time) bool {
	switch s.Method {
	case MethodWeChat, MethodWeChatNative:
		return now.Sub(s.PaidAt) >= refundWindow
	case MethodBalance, MethodFree:
		return false
	}
	return true
}

// BonusOf is how much of a refund of amount goes back to bonus: in proportion to what paid, what went back already included.
func (s Sale) BonusOf(amount money.Fen) money.Fen {
	var n money.Fen
	for i, part := range s.shares(amount) {
		if s.sources[i].Unit == ledger.Bonus {
			n += part
		}
	}
	return n
}

// shares spreads amount over the lots that paid, in proportion to what is left of each.
func (s Sale) shares(amount money.Fen) []money.Fen {
	weights := make([]money.Fen, len(s.sources))
	for i, x := range s.sources {
		weights[i] = money.Fen(x.Amount - x.Back)
	}
	return money.Split(amount, weights)
}

// give returns the legs that bring amount back to the lots that paid, and notes it in the sale.
func (s *Sale) give(amount money.Fen) (legs []ledger.Leg, principal, bonus money.Fen) {
	for i, part := range s.shares(amount) {
		if part == 0 {
			continue
		}
		x := &s.sources[i]
		x.Back += int64(part)
		legs = append(legs, ledger.Leg{Unit: x.Unit, Amount: int64(part), Lot: &ledger.NewLot{RefKind: x.RefKind, RefID: x.RefID, ExpiresAt: x.ExpiresAt}})
		if x.Unit == ledger.Bonus {
			bonus += part
		} else {
			principal += part
		}
	}
	return legs, principal, bonus
}

// origins notes where what pays comes from.
func origins(b *ledger.Book, takes []ledger.Take) (out []source) {
	for _, t := range takes {
		if l, ok := b.Lot(t.LotID); ok {
			out = append(out, source{Unit: t.Unit, RefKind: l.RefKind, RefID: l.RefID, ExpiresAt: l.ExpiresAt, Amount: t.Amount})
		}
	}
	return out
}

// MethodLabel names a way of paying.
func MethodLabel(m string) string {
	switch m {
	case MethodBalance:
		return "储值"
	case MethodFree:
		return "无需付款"
	}
	return wallet.MethodLabel(m)
}

// checkMethod says whether whoever acts may pay this way. Faults: ErrMethod, ErrReference.
func checkMethod(p Pay, owner bool) error {
	switch p.Method {
	case MethodBalance:
	case MethodWeChat:
		if !owner {
			return ErrMethod.On("pay", "前台请用收款码")
		}
	case MethodWeChatNative, MethodCash, MethodCard, MethodAlipay:
		if owner {
			return ErrMethod.On("pay", "请用微信支付或储值")
		}
		if (p.Method == MethodCard || p.Method == MethodAlipay) && p.Reference == "" {
			return ErrReference.On("reference", "必填")
		}
	default:
		return ErrMethod.On("pay", "不支持的付款方式")
	}
	return nil
}
