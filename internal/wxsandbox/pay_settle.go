package wxsandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Outcomes of a pay sheet.
const (
	OutcomePay           = "pay"
	OutcomeCancel        = "cancel"
	OutcomeWrongPassword = "wrong_password"
	OutcomePayLate       = "pay_late"              // pays after Delay
	OutcomePayLoseNotice = "pay_lose_notification" // pays, and no notification is ever sent
	wrongPassword        = "000000"
	defaultLateDelay     = 10 * time.Second
	maxLateDelay         = time.Hour
)

// PayRequest says who does what with an order. One of PrepayID, CodeURL and OutTradeNo names the order.
type PayRequest struct {
	PrepayID   string `json:"prepayId"`
	CodeURL    string `json:"codeUrl"`
	OutTradeNo string `json:"outTradeNo"`
	PersonaID  string `json:"personaId"`
	Outcome    string `json:"outcome"`
	AmountFen  int64  `json:"amountFen"` // pays another amount than asked, to prove that the receiver compares; 0 pays what was asked
	DelayMs    int64  `json:"delayMs"`   // of pay_late; 0 means ten seconds
	Force      bool   `json:"force"`     // pays although time_expire or the prepay_id's two hours have passed
}

// PayError is a refusal on the pay sheet. Code is stable, Message is what the phone shows.
type PayError struct{ Code, Message string }

func (e *PayError) Error() string { return "wxsandbox: " + e.Code + ": " + e.Message }

// Refusals of Pay.
var (
	ErrOrderUnknown  = &PayError{"order_unknown", "订单不存在"}
	ErrOrderPaid     = &PayError{"order_paid", "该订单已支付"}
	ErrOrderClosed   = &PayError{"order_closed", "该订单已关闭"}
	ErrOrderExpired  = &PayError{"order_expired", "订单已过期，请重新下单"}
	ErrWrongPayer    = &PayError{"wrong_payer", "请使用下单的微信号支付"}
	ErrUserCancel    = &PayError{"cancel", "已取消支付"}
	ErrWrongPassword = &PayError{"wrong_password", "支付密码错误，请重试"}
)

// PayByPersona is Pay for a prepay_id.
func (s *Sandbox) PayByPersona(prepayID, personaID, outcome string) (Order, error) {
	return s.Pay(PayRequest{PrepayID: prepayID, PersonaID: personaID, Outcome: outcome})
}

// Pay does with an order what a person can do on the pay sheet. A refusal is a *PayError; a cancelled or mistyped
// payment is one too, and leaves the order NOTPAY.
func (s *Sandbox) Pay(in PayRequest) (Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.findOrder(in)
	if o == nil {
		return Order{}, ErrOrderUnknown
	}
	if in.AmountFen < 0 || in.AmountFen > maxOrderFen {
		return *o, errors.New("wxsandbox: amountFen out of range")
	}
	p := s.persona(in.PersonaID)
	if p == nil {
		return *o, ErrNoPersona
	}
	if err := s.payable(o, p, in.Force); err != nil {
		return *o, err
	}
	switch in.Outcome {
	case OutcomePay, "":
		err := s.settle(o, p, in.AmountFen, true)
		return *o, err
	case OutcomePayLoseNotice:
		err := s.settle(o, p, in.AmountFen, false)
		return *o, err
	case OutcomeCancel:
		o.LastFailure = "用户取消"
		s.touch()
		return *o, ErrUserCancel
	case OutcomeWrongPassword:
		o.LastFailure = "支付密码错误"
		s.touch()
		return *o, ErrWrongPassword
	case OutcomePayLate:
		d := time.Duration(in.DelayMs) * time.Millisecond
		if d <= 0 {
			d = defaultLateDelay
		}
		s.payLate(o.OutTradeNo, p.ID, in.AmountFen, min(d, maxLateDelay))
		return *o, nil
	}
	return *o, fmt.Errorf("wxsandbox: unknown outcome %q", in.Outcome)
}

func (s *Sandbox) findOrder(in PayRequest) *Order {
	switch {
	case in.PrepayID != "":
		return s.byPrepay[in.PrepayID]
	case in.CodeURL != "":
		return s.byCode[in.CodeURL]
	}
	return s.st.Orders[in.OutTradeNo]
}

// payable tells why the order cannot be paid by the persona now.
func (s *Sandbox) payable(o *Order, p *Persona, force bool) error {
	s.expire(o)
	app, _, _ := s.app(o.AppID)
	now := s.o.Now()
	switch {
	case o.State == StateClosed:
		return ErrOrderClosed
	case o.State != StateNotPay:
		return ErrOrderPaid
	case o.TradeType == "JSAPI" && p.OpenIDs[app] != o.PayerOpenID:
		return ErrWrongPayer
	case force:
		return nil
	case !o.TimeExpire.IsZero() && !now.Before(o.TimeExpire), now.Sub(o.PrepayAt) >= prepayLife:
		return ErrOrderExpired
	}
	return nil
}

// payLate pays after the delay if the order is still open: the bank was slow, so time_expire no longer counts, but a
// closed order stays closed. The caller holds mu.
func (s *Sandbox) payLate(outTradeNo, personaID string, amount int64, d time.Duration) {
	s.spawn(func() {
		if !s.pause(d) {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		o, p := s.st.Orders[outTradeNo], s.persona(personaID)
		if o == nil || p == nil {
			return // reset meanwhile
		}
		err := s.payable(o, p, true)
		if err == nil {
			err = s.settle(o, p, amount, true)
		}
		if err != nil {
			o.LastFailure = err.Error()
			s.touch()
		}
	})
}

// settle marks the order as paid and starts its notification. The caller holds mu.
func (s *Sandbox) settle(o *Order, p *Persona, amount int64, notify bool) error {
	app, _, _ := s.app(o.AppID)
	now := s.o.Now()
	o.State, o.PaidAt, o.PaidBy, o.LastFailure = StateSuccess, now, p.ID, ""
	o.PayerOpenID = p.OpenIDs[app]
	o.PaidFen = o.TotalFen
	if amount > 0 {
		o.PaidFen = amount
	}
	// 28 digits: 4200, six of routing, the day, and a number of its own.
	o.TransactionID = fmt.Sprintf("4200002%03d%s%010d", 714, now.In(cst).Format("20060102"), s.next())
	s.index(o)
	s.touch()
	plain, err := json.Marshal(s.transaction(o))
	if err != nil {
		return fmt.Errorf("wxsandbox: %w", err)
	}
	n := &Notification{EventType: "TRANSACTION.SUCCESS", Summary: "支付成功", Original: "transaction", OutTradeNo: o.OutTradeNo, URL: o.NotifyURL, Plaintext: plain}
	s.notify(n, notify)
	return nil
}

// Orders lists the orders, newest first.
func (s *Sandbox) Orders() []Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Order, 0, len(s.st.Orders))
	for _, o := range s.st.Orders {
		s.expire(o)
		out = append(out, *o)
	}
	slices.SortFunc(out, func(a, b Order) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.OutTradeNo, b.OutTradeNo))
	})
	return out
}
