// Package wallet is stored value: topping up, what of it is spent first, and giving it back.
//
// Model: a Topup brings principal (money that was paid) and bonus (what the plan adds) as a pair of lots; spending takes
// from the oldest pair, in proportion, so that what is left of a top-up can always be given back fairly; a Refund returns principal to
// where it came from, over as many original payments as needed, and takes the bonus back in proportion.
// Owns: wallet_topups, wallet_refunds, wallet_refund_parts. Invariants: a top-up is credited once and only when paid (N03,
// N05); stored value never buys stored value (N10); bonus is never paid out (N04); a refund never exceeds what is
// left of what was paid; the card's cap holds when a top-up begins.
package wallet

import (
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/setting"
)

// The states of a top-up.
const (
	StatePending  = "pending"
	StateCredited = "credited"
	StateClosed   = "closed"
	StateRefunded = "refunded"
)

// How a top-up was paid.
const (
	MethodWeChat       = "wechat"
	MethodWeChatNative = "wechat_native"
	MethodCash         = "cash"
	MethodCard         = "card"
	MethodAlipay       = "alipay"
)

// PurposeTopup is the payment purpose of top-ups.
const PurposeTopup = "topup"

// Faults of this package.
var (
	ErrAmount      = fault.Define(fault.Invalid, "wallet.topup_amount", "充值金额不在允许范围内，请换一个金额")
	ErrNoCustom    = fault.Define(fault.Invalid, "wallet.topup_plans_only", "本店只能按方案充值，请选择一个充值方案")
	ErrCap         = fault.Define(fault.Conflict, "wallet.card_cap", "超过了单张卡的余额上限，请减少充值金额")
	ErrPlanChanged = fault.Define(fault.Conflict, "wallet.plan_changed", "充值方案刚刚有变化，请重新选择")
	ErrTopupState  = fault.Define(fault.Conflict, "wallet.topup_state", "这笔充值已经有结果了，请刷新查看")
	ErrRefundPlan  = fault.Define(fault.Conflict, "wallet.refund_plan_changed", "账户刚刚有变动，退款方案已更新，请重新确认")
	ErrMergeTopup  = fault.Define(fault.Conflict, "wallet.merge_pending", "有一笔充值还没有付完，请等会员付完，或在微信里取消、等它超时，再合并")
	ErrMergeRefund = fault.Define(fault.Conflict, "wallet.merge_refunding", "有一笔充值退款还没有到账，请等它完成，或先处理异常的退款，再合并")
	ErrRefundMax   = fault.Define(fault.Conflict, "wallet.refund_exceeds", "超过了可退本金，请减少退款金额")
)

// Topup is one top-up.
type Topup struct {
	ID          int64
	No          string
	MemberID    int64
	StoreID     int64
	PlanID      int64
	PlanName    string
	AmountFen   money.Fen
	BonusFen    money.Fen
	Method      string
	Reference   string
	PaymentID   int64
	State       string
	RefundedFen money.Fen
	BonusBack   money.Fen
	PostingID   int64
	StaffID     int64
	StaffName   string
	BizDay      string
	BalanceFen  money.Fen // principal and bonus after it was credited
	CreatedAt   time.Time
	ExpiresAt   time.Time
	CreditedAt  time.Time // zero when not credited
}

// Spend chooses the lots that pay amount, by the shop's rule: in proportion within the oldest top-up (pro rata), bonus first, or
// principal first. Held money is left alone. Fault: ledger.ErrInsufficient.
func Spend(b *ledger.Book, now time.Time, amount money.Fen, rule string) ([]ledger.Take, error) {
	lots := spendable(b, now)
	var takes []ledger.Take
	take := func(l *ledger.Lot, n int64) {
		if n > 0 {
			takes = append(takes, ledger.Take{LotID: l.ID, Unit: l.Unit, Amount: n})
			l.Remaining -= n
		}
	}
	left := int64(amount)
	switch rule {
	case setting.SpendBonusFirst, setting.SpendPrincipalFirst:
		first, second := ledger.Bonus, ledger.Principal
		if rule == setting.SpendPrincipalFirst {
			first, second = second, first
		}
		for _, u := range []ledger.Unit{first, second} {
			for i := range lots {
				if lots[i].Unit == u {
					n := min(left, lots[i].Remaining)
					take(&lots[i], n)
					left -= n
				}
			}
		}
	default:
		for i := range lots {
			pair := pairOf(lots, i)
			var weights []money.Fen
			var sum int64
			for _, j := range pair {
				weights = append(weights, money.Fen(lots[j].Remaining))
				sum += lots[j].Remaining
			}
			n := min(left, sum)
			for k, part := range money.Split(money.Fen(n), weights) {
				take(&lots[pair[k]], int64(part))
			}
			left -= n
		}
	}
	if left > 0 {
		return nil, ledger.ErrInsufficient
	}
	return takes, nil
}

// spendable copies the lots that may be used now, less what is held.
func spendable(b *ledger.Book, now time.Time) []ledger.Lot {
	return unheld(b, slices.DeleteFunc(b.Lots(ledger.Principal, ledger.Bonus), func(l ledger.Lot) bool { return l.Expired(now) }))
}

// unheld takes what is held off the lots, newest first: holds rest on the newest lots.
func unheld(b *ledger.Book, lots []ledger.Lot) []ledger.Lot {
	for _, u := range []ledger.Unit{ledger.Principal, ledger.Bonus} {
		held := b.Held(u)
		for i := len(lots) - 1; i >= 0 && held > 0; i-- {
			if lots[i].Unit == u {
				n := min(held, lots[i].Remaining)
				lots[i].Remaining -= n
				held -= n
			}
		}
	}
	return lots
}

// pairOf are the indexes of the lots that came with lots[i], itself first.
func pairOf(lots []ledger.Lot, i int) []int {
	out := []int{i}
	for j := range lots {
		if j != i && lots[j].RefKind == lots[i].RefKind && lots[j].RefID == lots[i].RefID {
			out = append(out, j)
		}
	}
	return out
}

// Available is what a book's principal and bonus can pay now.
func Available(b *ledger.Book) money.Fen {
	return money.Fen(b.Available(ledger.Principal) + b.Available(ledger.Bonus))
}

// MethodLabel names a way of paying.
func MethodLabel(m string) string {
	switch m {
	case MethodWeChat, MethodWeChatNative:
		return "微信支付"
	case MethodCash:
		return "现金"
	case MethodCard:
		return "刷卡"
	case MethodAlipay:
		return "支付宝"
	}
	return "其他"
}

// ShopAccount is the account of the shop that a way of paying fills.
func ShopAccount(method string) string {
	switch method {
	case MethodCash:
		return ledger.Cash
	case MethodCard:
		return ledger.Card
	case MethodAlipay:
		return ledger.Alipay
	}
	return ledger.WeChat
}

func topupTitle(t Topup) string {
	if t.BonusFen > 0 {
		return fmt.Sprintf("充值 %s 送 %s", t.AmountFen.Yuan(), t.BonusFen.Yuan())
	}
	return "充值 " + t.AmountFen.Yuan()
}
