package wechat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/wechatpay-apiv3/wechatpay-go/core/notify"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"
)

// MaxNotification is the largest body of a notification that is read, in bytes.
const MaxNotification = 64 << 10

// Notification is a verified and decrypted message of WeChat Pay: exactly one of Transaction and Refund is set. The same
// message comes more than once, with the same ID; verifying does not make it new.
type Notification struct {
	ID          string
	EventType   string // TRANSACTION.SUCCESS, REFUND.SUCCESS, REFUND.ABNORMAL, REFUND.CLOSED
	Transaction *Transaction
	Refund      *Refund
	Plaintext   string // what was decrypted, for the record
}

// ParseNotification verifies, decrypts and reads a notification. Errors: Forged (also a SIGNTEST probe, a signature older
// than five minutes, an oversized or unreadable body), Unavailable (the platform certificates are not there yet),
// NotConfigured.
func (c *Client) ParseNotification(r *http.Request) (Notification, error) {
	const op = "notification"
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxNotification+1))
	if err != nil {
		return Notification{}, &Error{Class: Forged, Code: "unreadable", Op: op}
	}
	if len(body) > MaxNotification {
		return Notification{}, &Error{Class: Forged, Code: "too_large", Op: op}
	}
	if strings.Contains(r.Header.Get("Wechatpay-Signature"), "WECHATPAY/SIGNTEST/") {
		return Notification{}, &Error{Class: Forged, Code: "signtest", Op: op}
	}
	ctx, cancel := c.call(r.Context())
	defer cancel()
	p, err := c.payClients(ctx)
	if err != nil {
		return Notification{}, err
	}
	req := r.Clone(ctx)
	req.Body = io.NopCloser(bytes.NewReader(body))
	var plain json.RawMessage
	n, err := parse(p.notify, req, &plain)
	if err != nil {
		// The SDK's error prints the whole request: it is not kept.
		return Notification{}, &Error{Class: Forged, Code: "invalid", Op: op}
	}
	out, err := decodeNotification(n.ID, n.EventType, plain)
	if err != nil {
		return Notification{}, &Error{Class: Forged, Code: "unreadable", Op: op, cause: err}
	}
	return out, nil
}

// parse survives the SDK's panics on a signed body with a nonce of the wrong length or without a resource.
func parse(h *notify.Handler, r *http.Request, into any) (n *notify.Request, err error) {
	defer func() {
		if p := recover(); p != nil {
			n, err = nil, errors.New("malformed resource")
		}
	}()
	return h.ParseNotifyRequest(r.Context(), r, into)
}

type refundNotice struct {
	MchID         string `json:"mchid"`
	OutTradeNo    string `json:"out_trade_no"`
	TransactionID string `json:"transaction_id"`
	OutRefundNo   string `json:"out_refund_no"`
	RefundID      string `json:"refund_id"`
	Status        string `json:"refund_status"` // the API calls it status
	SuccessTime   string `json:"success_time"`
	Amount        struct {
		Total  *int64 `json:"total"`
		Refund *int64 `json:"refund"`
	} `json:"amount"`
}

// decodeNotification reads the plaintext of a verified notification.
func decodeNotification(id, event string, plain []byte) (Notification, error) {
	n := Notification{ID: id, EventType: event, Plaintext: string(plain)}
	if id == "" || len(id) > 64 {
		return n, errors.New("no usable id")
	}
	switch {
	case strings.HasPrefix(event, "TRANSACTION."):
		var raw payments.Transaction
		if err := json.Unmarshal(plain, &raw); err != nil {
			return n, err
		}
		t := transactionOf(&raw)
		if t.OutTradeNo == "" || t.State == "" {
			return n, errors.New("transaction without number or state")
		}
		n.Transaction = &t
	case strings.HasPrefix(event, "REFUND."):
		var raw refundNotice
		if err := json.Unmarshal(plain, &raw); err != nil {
			return n, err
		}
		if raw.OutRefundNo == "" || raw.Status == "" {
			return n, errors.New("refund without number or state")
		}
		n.Refund = &Refund{MchID: raw.MchID, RefundID: raw.RefundID, OutRefundNo: raw.OutRefundNo, OutTradeNo: raw.OutTradeNo,
			TransactionID: raw.TransactionID, State: raw.Status, RefundFen: fen(raw.Amount.Refund), TotalFen: fen(raw.Amount.Total),
			SuccessAt: instant(raw.SuccessTime)}
	default:
		return n, fmt.Errorf("unknown event %.40q", event)
	}
	return n, nil
}
