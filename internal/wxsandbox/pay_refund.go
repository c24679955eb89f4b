package wxsandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"time"
	"unicode/utf8"
)

// States of a refund.
const (
	RefundProcessing = "PROCESSING"
	RefundSuccess    = "SUCCESS"
	RefundClosed     = "CLOSED"
	RefundAbnormal   = "ABNORMAL"
)

const (
	refundPeriod   = 365 * 24 * time.Hour
	maxRefundParts = 50
)

var refundNoForm = regexp.MustCompile(`^[0-9A-Za-z_\-|*@]{1,64}$`)

type refundIn struct {
	TransactionID string `json:"transaction_id"`
	OutTradeNo    string `json:"out_trade_no"`
	OutRefundNo   string `json:"out_refund_no"`
	Reason        string `json:"reason"`
	NotifyURL     string `json:"notify_url"`
	Amount        *struct {
		Refund   int64  `json:"refund"`
		Total    int64  `json:"total"`
		Currency string `json:"currency"`
	} `json:"amount"`
}

func (s *Sandbox) createRefund(_ *http.Request, body []byte) (any, *payError) {
	var in refundIn
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, refuse("PARAM_ERROR", "请求体不是合法的JSON或字段类型有误")
	}
	o, e := s.checkRefund(&in)
	if e != nil {
		return nil, e
	}
	mark := fingerprint(o.OutTradeNo, in.OutRefundNo, in.Reason, in.NotifyURL, fmt.Sprint(in.Amount.Refund, in.Amount.Total))
	if f := s.st.Refunds[in.OutRefundNo]; f != nil {
		// The same number is the same refund, and must say the same.
		if f.Fingerprint != mark {
			return nil, refuse("INVALID_REQUEST", "请求重入时，参数与首次请求时不一致，请检查参数后再试")
		}
		return s.refundView(f), nil
	}
	if e := s.refundRoom(o, in.Amount.Refund); e != nil {
		return nil, e
	}
	now := s.o.Now()
	f := &Refund{
		RefundID:    fmt.Sprintf("5030%03d%s%013d", 714, now.In(cst).Format("20060102"), s.next()),
		OutRefundNo: in.OutRefundNo, OutTradeNo: o.OutTradeNo, TransactionID: o.TransactionID, Reason: in.Reason, NotifyURL: in.NotifyURL,
		RefundFen: in.Amount.Refund, TotalFen: o.PaidFen, Status: RefundProcessing, CreatedAt: now, Fingerprint: mark,
	}
	s.st.Refunds[f.OutRefundNo] = f
	o.State = StateRefund
	s.touch()
	s.finishLater(f)
	return s.refundView(f), nil
}

// checkRefund applies the field rules and finds the order.
func (s *Sandbox) checkRefund(in *refundIn) (*Order, *payError) {
	switch {
	case (in.TransactionID == "") == (in.OutTradeNo == ""):
		return nil, refuse("PARAM_ERROR", "微信支付订单号与商户订单号须二选一")
	case len(in.OutRefundNo) == 0 || len(in.OutRefundNo) > 64 || !refundNoForm.MatchString(in.OutRefundNo):
		return nil, paramError("/body/out_refund_no", "商户退款单号", "字符串规则校验失败，须为1-64位数字、大小写字母或_-|*@")
	case in.Amount == nil || in.Amount.Refund < 1:
		return nil, paramError("/body/amount/refund", "退款金额", "数值规则校验失败，必须大于等于1")
	case in.Amount.Total < 1:
		return nil, paramError("/body/amount/total", "原订单金额", "数值规则校验失败，必须大于等于1")
	case in.Amount.Currency != "CNY":
		return nil, paramError("/body/amount/currency", "退款币种", "枚举值校验失败，仅支持CNY")
	case utf8.RuneCountInString(in.Reason) > 80:
		return nil, paramError("/body/reason", "退款原因", "字符串规则校验失败，字符数超过最大值80")
	}
	if e := checkNotifyURL(in.NotifyURL, false); e != nil {
		return nil, e
	}
	o := s.byTxn[in.TransactionID]
	if in.TransactionID == "" {
		o = s.st.Orders[in.OutTradeNo]
	}
	switch {
	case o == nil:
		return nil, refuse("RESOURCE_NOT_EXISTS", "订单不存在")
	case o.TransactionID == "":
		return nil, refuse("INVALID_REQUEST", "订单状态不支持退款")
	case in.Amount.Total != o.PaidFen:
		return nil, refuse("INVALID_REQUEST", "订单金额与原订单不一致，请检查")
	}
	return o, nil
}

// refundRoom checks period, sum, number and distance of the order's refunds. A closed refund gave its money back.
func (s *Sandbox) refundRoom(o *Order, fen int64) *payError {
	now := s.o.Now()
	if now.Sub(o.PaidAt) > refundPeriod {
		return refuse("INVALID_REQUEST", "订单已超过可退款的最大期限")
	}
	var sum int64
	n := 0
	for _, f := range s.st.Refunds {
		if f.OutTradeNo != o.OutTradeNo || f.Status == RefundClosed {
			continue
		}
		sum += f.RefundFen
		n++
		if gap := now.Sub(f.CreatedAt); gap < s.o.Pay.RefundInterval {
			return refuse("FREQUENCY_LIMITED", "同一笔订单的退款需间隔1分钟，请稍后重试")
		}
	}
	switch {
	case n >= maxRefundParts:
		return refuse("INVALID_REQUEST", "订单部分退款次数超过限制")
	case fen > o.PaidFen-sum:
		return refuse("INVALID_REQUEST", "申请退款金额超过订单可退金额")
	}
	return nil
}

// finishLater moves a PROCESSING refund to its end and tells the merchant. The caller holds mu.
func (s *Sandbox) finishLater(f *Refund) {
	no := f.OutRefundNo
	s.spawn(func() {
		if !s.pause(s.o.Pay.RefundDelay) {
			return // resumed by the next start
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if f := s.st.Refunds[no]; f != nil && f.Status == RefundProcessing {
			s.finishRefund(f)
		}
	})
}

func (s *Sandbox) finishRefund(f *Refund) {
	f.Status, f.SuccessAt = RefundSuccess, s.o.Now()
	event, summary := "REFUND.SUCCESS", "退款成功"
	if x := s.takeFaultLocked("pay.refund", f.OutTradeNo, nil, "abnormal", "closed"); x != nil {
		f.SuccessAt = time.Time{}
		if x.Kind == "abnormal" {
			f.Status, event, summary = RefundAbnormal, "REFUND.ABNORMAL", "退款异常"
		} else {
			f.Status, event, summary = RefundClosed, "REFUND.CLOSED", "退款关闭"
		}
	}
	s.touch()
	o := s.st.Orders[f.OutTradeNo]
	if o != nil && f.Status == RefundClosed && !s.hasRefund(o) {
		o.State = StateSuccess
	}
	if f.NotifyURL == "" {
		return
	}
	body := map[string]any{
		"mchid": s.o.Pay.MchID, "out_trade_no": f.OutTradeNo, "transaction_id": f.TransactionID, "out_refund_no": f.OutRefundNo,
		"refund_id": f.RefundID, "refund_status": f.Status, "user_received_account": "支付用户零钱",
		"amount": map[string]any{"total": f.TotalFen, "refund": f.RefundFen, "payer_total": f.TotalFen, "payer_refund": f.RefundFen},
	}
	if !f.SuccessAt.IsZero() {
		body["success_time"] = f.SuccessAt.In(cst).Format(payTimeStyle)
	}
	plain, err := json.Marshal(body)
	if err != nil {
		s.o.Logger.Error("wxsandbox: refund notification", "error", err)
		return
	}
	s.notify(&Notification{EventType: event, Summary: summary, Original: "refund", OutTradeNo: f.OutTradeNo, OutRefundNo: f.OutRefundNo, URL: f.NotifyURL, Plaintext: plain}, true)
}

func (s *Sandbox) hasRefund(o *Order) bool {
	for _, f := range s.st.Refunds {
		if f.OutTradeNo == o.OutTradeNo && f.Status != RefundClosed {
			return true
		}
	}
	return false
}

// refundView is the API's form: here the state is `status`, in the notification it is `refund_status`.
func (s *Sandbox) refundView(f *Refund) map[string]any {
	out := map[string]any{
		"refund_id": f.RefundID, "out_refund_no": f.OutRefundNo, "transaction_id": f.TransactionID, "out_trade_no": f.OutTradeNo,
		"channel": "ORIGINAL", "user_received_account": "支付用户零钱", "create_time": f.CreatedAt.In(cst).Format(payTimeStyle),
		"status": f.Status, "funds_account": "AVAILABLE", "promotion_detail": []any{},
		"amount": map[string]any{
			"total": f.TotalFen, "refund": f.RefundFen, "payer_total": f.TotalFen, "payer_refund": f.RefundFen, "settlement_refund": f.RefundFen,
			"settlement_total": f.TotalFen, "discount_refund": 0, "currency": "CNY", "from": []any{},
		},
	}
	if !f.SuccessAt.IsZero() {
		out["success_time"] = f.SuccessAt.In(cst).Format(payTimeStyle)
	}
	return out
}

func (s *Sandbox) queryRefund(r *http.Request, _ []byte) (any, *payError) {
	f := s.st.Refunds[r.PathValue("no")]
	if f == nil {
		return nil, refuse("RESOURCE_NOT_EXISTS", "退款单不存在")
	}
	return s.refundView(f), nil
}

// abnormalRefund sends an ABNORMAL refund on its way again, by another account.
func (s *Sandbox) abnormalRefund(r *http.Request, body []byte) (any, *payError) {
	var in struct {
		OutRefundNo string `json:"out_refund_no"`
		Type        string `json:"type"`
	}
	if json.Unmarshal(body, &in) != nil || (in.Type != "USER_BANK_CARD" && in.Type != "MERCHANT_BANK_CARD") {
		return nil, paramError("/body/type", "异常退款处理方式", "枚举值校验失败")
	}
	f := s.st.Refunds[in.OutRefundNo]
	if f == nil || f.RefundID != r.PathValue("id") {
		return nil, refuse("RESOURCE_NOT_EXISTS", "退款单不存在")
	}
	if f.Status != RefundAbnormal {
		return nil, refuse("INVALID_REQUEST", "退款单状态不支持发起异常退款")
	}
	f.Status = RefundProcessing
	s.touch()
	s.finishLater(f)
	return s.refundView(f), nil
}

// Refund returns a refund by its out_refund_no.
func (s *Sandbox) Refund(outRefundNo string) (Refund, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.st.Refunds[outRefundNo]
	if f == nil {
		return Refund{}, false
	}
	return *f, true
}
