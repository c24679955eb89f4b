// Package payment takes money by WeChat Pay and gives it back.
//
// Model: a Payment is one attempt to pay for one subject (a top-up, an order): created → prepaid → paid. Instead of paid
// it may end as closed (nobody paid), failed (WeChat gave up), mismatch (paid, but not what was asked) or surplus (paid
// when nobody wanted it any more); money of the last two goes back by itself. A Refund is pending → processing →
// success | closed | abnormal. What a payment is good for is known by the Fulfiller of its purpose.
// Owns: payment_intents, payment_history, payment_notifications, payment_refunds.
// Invariants: one live attempt per subject (N01); nothing is credited before merchant, app, number, amount, currency and
// payer match (N02); every change of state names the state it comes from and must hit one row (N03); out_trade_no,
// transaction_id and notification id are unique, the first writer wins (N05); an order is closed at WeChat before it is
// closed here, and a payment that comes later is refunded (N06); a refund keeps its number for ever (N07); no network
// call happens inside a transaction; an unsigned error answer alone never ends a payment or a refund.
package payment

import (
	"context"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/wechat"
)

// The states of a payment.
const (
	StateCreated  = "created"  // not yet known to WeChat
	StatePrepaid  = "prepaid"  // WeChat has the order, the payer may pay
	StatePaid     = "paid"     // paid and fulfilled
	StateClosed   = "closed"   // ended unpaid
	StateFailed   = "failed"   // WeChat says that paying failed for good
	StateMismatch = "mismatch" // paid, but not as asked: nothing credited
	StateSurplus  = "surplus"  // paid when it was no longer wanted: nothing credited
)

// The states of a refund.
const (
	RefundPending    = "pending"    // WeChat has not accepted it yet
	RefundProcessing = "processing" // accepted
	RefundSuccess    = "success"    // the money is back
	RefundClosed     = "closed"     // it failed, and its number is spent: a new refund may be made
	RefundAbnormal   = "abnormal"   // the payer's account cannot take it: somebody has to act at WeChat
)

// The trade types.
const (
	JSAPI  = "JSAPI"  // paid in WeChat, by the OpenID that the order names
	Native = "NATIVE" // paid by whoever scans the code
)

// The outcomes of a notification.
const (
	outcomeReceived  = "received" // stored, not yet decided
	outcomeVerified  = "verified"
	outcomeDuplicate = "duplicate"
	outcomeMismatch  = "mismatch"
	outcomeUnknown   = "unknown_order"
	outcomeForged    = "forged"
)

// SubjectAutomatic marks a refund that this package made by itself, of a surplus or a mismatch: no Fulfiller hears of it.
const SubjectAutomatic = "automatic"

// Payment is one attempt to pay.
type Payment struct {
	ID            int64
	OutTradeNo    string // ours
	TransactionID string // WeChat's, "" before it is paid
	Purpose       string // "topup", "order"
	SubjectID     int64
	App           string // wechat.MiniProgram or wechat.OfficialAccount
	TradeType     string // JSAPI or Native
	State         string
	WechatState   string // what WeChat said last, "" before it was asked
	AmountFen     money.Fen
	PaidFen       money.Fen // 0 before it is paid
	RefundedFen   money.Fen // sum of successful refunds
	StoreID       int64
	MemberID      int64
	Alert         string // what somebody should look at, in Chinese; "" when all is well
	CreatedAt     time.Time
	PaidAt        time.Time // zero before it is paid
	ExpiresAt     time.Time
}

// Final says whether the payment has left the states in which it may be paid.
func (p Payment) Final() bool { return p.State != StateCreated && p.State != StatePrepaid }

// Refund is one refund of a payment.
type Refund struct {
	ID               int64
	PaymentID        int64
	Purpose          string // of the payment
	PaymentSubjectID int64  // of the payment
	OutRefundNo      string // ours, fixed for ever
	RefundID         string // WeChat's, "" before it accepted
	State            string
	AmountFen        money.Fen
	Reason           string
	SubjectKind      string // what asked for it, such as "wallet_refund"
	SubjectID        int64
	Alert            string
	CreatedAt        time.Time
	DoneAt           time.Time // zero while it is under way
}

// Fulfiller is what a payment of one purpose is good for. Its methods run in the transaction that changes the state and
// must not open one.
type Fulfiller interface {
	// PaidTx credits the subject. It is called once, in the transaction that marks the payment as paid. accept false
	// says that the subject does not want the money any more: the payment becomes a surplus and is refunded. ErrUnwanted
	// says the same when something was written already: all of it is rolled back, and ClosedTx is told instead. Any other
	// error rolls everything back and is tried again.
	PaidTx(ctx context.Context, tx *db.Tx, p Payment) (accept bool, err error)
	// ClosedTx tells that the payment ended unpaid, as closed or failed.
	ClosedTx(ctx context.Context, tx *db.Tx, p Payment) error
	// RefundedTx tells that a refund made by RefundTx reached success, closed or abnormal; abnormal may be followed by
	// success or closed, and closed by pending, when somebody sends the money again under a new number: then r is the new
	// refund of the same subject and payment.
	RefundedTx(ctx context.Context, tx *db.Tx, r Refund) error
}

// Create asks for a payment.
type Create struct {
	Purpose     string // at most 16 characters, with a Fulfiller
	SubjectID   int64
	App         string // wechat.MiniProgram or wechat.OfficialAccount; "" with Native: whichever is configured
	TradeType   string // JSAPI or Native
	AmountFen   money.Fen
	OpenID      string // JSAPI: the payer in App
	Description string // what the payer reads; cut to 127 characters
	ExpiresAt   time.Time
	StoreID     int64
	MemberID    int64
}

// Prepared is what the payer needs: Jsapi or CodeURL, by the trade type.
type Prepared struct {
	Jsapi     *wechat.JSAPIParams
	CodeURL   string
	ExpiresAt time.Time
}

// RefundCreate asks for a refund.
type RefundCreate struct {
	PaymentID   int64
	AmountFen   money.Fen
	Reason      string // the payer sees it; cut to 80 characters
	SubjectKind string // what asks: at most 32 characters, not SubjectAutomatic
	SubjectID   int64
}

// The faults of this package.
var (
	ErrLiveAttempt   = fault.Define(fault.Conflict, "payment.live_attempt", "这笔单已有一次支付在进行，请先完成或取消它")
	ErrAlreadyPaid   = fault.Define(fault.Conflict, "payment.already_paid", "已经支付成功，无需再付")
	ErrClosed        = fault.Define(fault.Conflict, "payment.closed", "这次支付已关闭，请重新下单")
	ErrExpired       = fault.Define(fault.Conflict, "payment.expired", "支付时间已过，请重新下单")
	ErrAmount        = fault.Define(fault.Invalid, "payment.amount", "支付金额不正确，请核对")
	ErrUnwanted      = fault.Define(fault.Conflict, "payment.unwanted", "这笔付款已不能交付，将自动原路退款")
	ErrNoPayer       = fault.Define(fault.Invalid, "payment.no_payer", "请先用微信登录再支付")
	ErrNotRefundable = fault.Define(fault.Conflict, "payment.not_refundable", "这笔支付还没有收款，不能退款")
	ErrRefundExceeds = fault.Define(fault.Conflict, "payment.refund_exceeds", "退款金额超过可退金额，请核对")
	ErrNotFailed     = fault.Define(fault.Conflict, "payment.refund_not_failed", "只有微信退款失败的单可以换新单号重退，请刷新后再看")
	ErrRefundTooLate = fault.Define(fault.Conflict, "payment.refund_too_late", "支付已超过一年，微信不再支持原路退款，请线下退款")
)

const (
	prepayLife   = 2*time.Hour - 5*time.Minute // of prepay_id and code_url, with a margin for the payer
	refundPeriod = 365 * 24 * time.Hour
	maxReason    = 80
)

// verdict is what a transaction means for a payment.
type verdict int

const (
	nothing   verdict = iota // not decided yet: wait
	credit                   // paid as asked
	duplicate                // known already
	surplus                  // paid too late
	wrong                    // paid, but not as asked: take nothing, give it back
	foreign                  // does not belong to this payment, or is to be looked at by a person: take nothing
	ended                    // closed at WeChat
	failed                   // failed at WeChat
)

// judge compares what WeChat says with what was asked (N02). It is the only place where that is decided.
func judge(p intent, t wechat.Transaction, mchID string) (v verdict, why string) {
	switch {
	case t.MchID != mchID:
		return foreign, "商户号不符"
	case t.AppID != p.AppID:
		return foreign, "应用 AppID 不符"
	case t.OutTradeNo != p.OutTradeNo:
		return foreign, "商户订单号不符"
	}
	live := p.State == StateCreated || p.State == StatePrepaid
	switch t.State {
	case wechat.TradeSuccess, wechat.TradeRefund:
	case wechat.TradeClosed, wechat.TradeRevoked:
		return when(live, ended), ""
	case wechat.TradePayError:
		return when(live, failed), ""
	default:
		return nothing, ""
	}
	switch {
	case t.TransactionID == "":
		return foreign, "缺少微信支付单号"
	case p.TransactionID != nil && *p.TransactionID == t.TransactionID:
		return duplicate, ""
	case p.TransactionID != nil:
		return foreign, "微信支付单号与已入账的不同"
	case t.State == wechat.TradeRefund:
		return foreign, "该订单已在微信商户平台退款"
	case t.Currency != "CNY":
		return wrong, "币种不符"
	case t.TotalFen != money.Fen(p.AmountFen):
		return wrong, fmt.Sprintf("实付 %s，应付 %s", t.TotalFen.Yuan(), money.Fen(p.AmountFen).Yuan())
	case p.TradeType == JSAPI && t.OpenID != p.OpenID:
		return wrong, "付款人不是下单人"
	case live:
		return credit, ""
	}
	return surplus, "订单关闭后才付款"
}

func when(ok bool, v verdict) verdict {
	if ok {
		return v
	}
	return nothing
}

// nextPoll is the pause before WeChat is asked again about an order that it has known for age: after 5 s, 20 s, 50 s,
// then every minute, and after five minutes every five.
func nextPoll(age time.Duration) time.Duration {
	switch {
	case age < 5*time.Second:
		return 5*time.Second - age
	case age < 20*time.Second:
		return 15 * time.Second
	case age < 50*time.Second:
		return 30 * time.Second
	case age < 5*time.Minute:
		return time.Minute
	}
	return 5 * time.Minute
}

// nextRefundTry is the pause before a refund is sent or asked about again, after tries attempts.
func nextRefundTry(state string, tries int) time.Duration {
	if state == RefundAbnormal {
		return 6 * time.Hour // somebody has to act first
	}
	steps := []time.Duration{5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute}
	if tries < len(steps) {
		return steps[tries]
	}
	return time.Hour
}

// refundState turns WeChat's word into ours; "" for a word that we do not know.
func refundState(w string) string {
	switch w {
	case wechat.RefundProcessing:
		return RefundProcessing
	case wechat.RefundSuccess:
		return RefundSuccess
	case wechat.RefundClosed:
		return RefundClosed
	case wechat.RefundAbnormal:
		return RefundAbnormal
	}
	return ""
}

// moves lists which refund state may follow which.
var moves = map[string][]string{
	RefundPending:    {RefundProcessing, RefundSuccess, RefundClosed, RefundAbnormal},
	RefundProcessing: {RefundSuccess, RefundClosed, RefundAbnormal},
	RefundAbnormal:   {RefundSuccess, RefundClosed},
}
