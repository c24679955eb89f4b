package wechat

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/validators"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/downloader"
	"github.com/wechatpay-apiv3/wechatpay-go/core/notify"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/jsapi"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/native"
	"github.com/wechatpay-apiv3/wechatpay-go/services/refunddomestic"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/money"
)

// The states of an order at WeChat Pay. USERPAYING, REVOKED and PAYERROR come with payment codes only.
const (
	TradeNotPay     = "NOTPAY"
	TradeSuccess    = "SUCCESS"
	TradeRefund     = "REFUND" // paid, and refunded in part or whole
	TradeClosed     = "CLOSED"
	TradeRevoked    = "REVOKED"
	TradeUserPaying = "USERPAYING"
	TradePayError   = "PAYERROR"
)

// The states of a refund at WeChat Pay.
const (
	RefundProcessing = "PROCESSING"
	RefundSuccess    = "SUCCESS"
	RefundClosed     = "CLOSED"   // it failed and the number is spent
	RefundAbnormal   = "ABNORMAL" // the payer's account cannot take it: somebody has to act
)

// Prepay describes an order. The same OutTradeNo needs the same content for ever.
type Prepay struct {
	AppID       string
	OpenID      string // JSAPI only
	OutTradeNo  string // 6 to 32 of 0-9 A-Z a-z _ - | *
	Description string // at most 127 characters
	AmountFen   money.Fen
	ExpiresAt   time.Time // last moment to pay; it does not close the order
}

// JSAPIParams is what the phone hands to WeChat to open the pay sheet.
type JSAPIParams struct {
	AppID     string `json:"appId"`
	TimeStamp string `json:"timeStamp"`
	NonceStr  string `json:"nonceStr"`
	Package   string `json:"package"`
	SignType  string `json:"signType"`
	PaySign   string `json:"paySign"`
}

// Transaction is an order as WeChat Pay tells it. Amounts are 0 and SuccessAt is zero before it is paid.
type Transaction struct {
	AppID, MchID  string
	OutTradeNo    string
	TransactionID string
	TradeType     string
	State         string // Trade…
	TotalFen      money.Fen
	Currency      string
	OpenID        string
	SuccessAt     time.Time
}

// Refund is a refund as WeChat Pay tells it. MchID is known from notifications only.
type Refund struct {
	MchID         string
	RefundID      string
	OutRefundNo   string
	OutTradeNo    string
	TransactionID string
	State         string // Refund…
	RefundFen     money.Fen
	TotalFen      money.Fen
	SuccessAt     time.Time
}

// RefundRequest asks for a refund. The same OutRefundNo is the same refund, however often it is asked for (N07).
type RefundRequest struct {
	OutTradeNo  string
	OutRefundNo string
	Reason      string // at most 80 characters; the payer sees it
	RefundFen   money.Fen
	TotalFen    money.Fen // what was paid
}

// payClients are wechatpay-go's parts.
type payClients struct {
	signed   *core.Client // verifies answers
	unsigned *core.Client // for the bill file, which carries no signature
	notify   *notify.Handler
	manager  *downloader.CertificateDownloaderMgr // certificate mode
}

// payClients builds the parts once. In certificate mode that needs the network, so it is tried again until it works.
func (c *Client) payClients(ctx context.Context) (*payClients, error) {
	if c.merchantKey == nil {
		return nil, notConfigured("WeChat Pay")
	}
	c.payMu.Lock()
	defer c.payMu.Unlock()
	if c.pay != nil {
		return c.pay, nil
	}
	p := c.cfg.Pay
	base := []core.ClientOption{option.WithMerchantCredential(p.MchID, p.MerchantSerial, c.merchantKey), option.WithHTTPClient(c.httpClient())}
	unsigned, err := core.NewClient(ctx, append(base, option.WithoutValidator())...)
	if err != nil {
		return nil, classifyPay("WeChat Pay client", err)
	}
	out := &payClients{unsigned: unsigned}
	var verifier auth.Verifier
	if p.Mode == ModePublicKey {
		verifier = verifiers.NewSHA256WithRSAPubkeyVerifier(p.PublicKeyID, *c.publicKey)
	} else {
		// Never option.WithWechatPayAutoAuthCipher: it dials the real host by itself.
		mgr := downloader.NewCertificateDownloaderMgr(c.life)
		if err := mgr.RegisterDownloaderWithClient(ctx, unsigned, p.MchID, p.APIv3Key); err != nil {
			mgr.Stop()
			return nil, classifyPay("platform certificates", err)
		}
		out.manager = mgr
		if c.publicKey != nil && p.PublicKeyID != "" {
			verifier = verifiers.NewSHA256WithRSACombinedVerifier(mgr.GetCertificateVisitor(p.MchID), p.PublicKeyID, *c.publicKey)
		} else {
			verifier = verifiers.NewSHA256WithRSAVerifier(mgr.GetCertificateVisitor(p.MchID))
		}
	}
	out.signed = core.NewClientWithValidator(unsigned, validators.NewWechatPayResponseValidator(verifier))
	if out.notify, err = notify.NewRSANotifyHandler(p.APIv3Key, verifier); err != nil {
		return nil, classifyPay("WeChat Pay notifications", err)
	}
	c.pay = out
	return out, nil
}

func (c *Client) withPay(ctx context.Context, op string, f func(ctx context.Context, p *payClients) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	p, err := c.payClients(ctx)
	if err != nil {
		return err
	}
	return classifyPay(op, f(ctx, p))
}

var china = time.FixedZone("CST", 8*3600)

// PrepayJSAPI creates the order, or finds the same one again, and returns its prepay_id, which lives two hours. Errors:
// Paid, Closed, Rejected, Quota, Unavailable, NotConfigured.
func (c *Client) PrepayJSAPI(ctx context.Context, in Prepay) (prepayID string, err error) {
	err = c.withPay(ctx, "prepay", func(ctx context.Context, p *payClients) error {
		svc := jsapi.JsapiApiService{Client: p.signed}
		r, _, err := svc.Prepay(ctx, jsapi.PrepayRequest{
			Appid: &in.AppID, Mchid: &c.cfg.Pay.MchID, Description: &in.Description, OutTradeNo: &in.OutTradeNo, NotifyUrl: &c.cfg.Pay.NotifyURL,
			TimeExpire: core.Time(in.ExpiresAt.In(china)), Amount: &jsapi.Amount{Total: core.Int64(int64(in.AmountFen)), Currency: core.String("CNY")},
			Payer: &jsapi.Payer{Openid: &in.OpenID},
		})
		if err == nil {
			prepayID, err = need("prepay_id", r.PrepayId)
		}
		return err
	})
	return prepayID, err
}

// PrepayNative creates the order, or finds the same one again, and returns the text of the QR code that the payer scans.
// Errors: as PrepayJSAPI.
func (c *Client) PrepayNative(ctx context.Context, in Prepay) (codeURL string, err error) {
	err = c.withPay(ctx, "prepay", func(ctx context.Context, p *payClients) error {
		svc := native.NativeApiService{Client: p.signed}
		r, _, err := svc.Prepay(ctx, native.PrepayRequest{
			Appid: &in.AppID, Mchid: &c.cfg.Pay.MchID, Description: &in.Description, OutTradeNo: &in.OutTradeNo, NotifyUrl: &c.cfg.Pay.NotifyURL,
			TimeExpire: core.Time(in.ExpiresAt.In(china)), Amount: &native.Amount{Total: core.Int64(int64(in.AmountFen)), Currency: core.String("CNY")},
		})
		if err == nil {
			codeURL, err = need("code_url", r.CodeUrl)
		}
		return err
	})
	return codeURL, err
}

func need(name string, v *string) (string, error) {
	if v == nil || *v == "" {
		return "", fmt.Errorf("answer without %s", name)
	}
	return *v, nil
}

// SignJSAPI makes the parameters of the pay sheet for a prepay_id. It needs no network and may be repeated.
func (c *Client) SignJSAPI(ctx context.Context, appID, prepayID string) (JSAPIParams, error) {
	out := JSAPIParams{AppID: appID, Package: "prepay_id=" + prepayID, SignType: "RSA",
		TimeStamp: strconv.FormatInt(clock.System().Now().Unix(), 10)} // the phone compares it with the real time
	err := c.withPay(ctx, "sign the pay sheet", func(ctx context.Context, p *payClients) error {
		nonce, err := utils.GenerateNonce()
		if err != nil {
			return err
		}
		out.NonceStr = nonce
		s, err := p.signed.Sign(ctx, strings.Join([]string{out.AppID, out.TimeStamp, out.NonceStr, out.Package, ""}, "\n"))
		if err == nil {
			out.PaySign = s.Signature
		}
		return err
	})
	return out, err
}

// Query asks for an order by our number. Errors: NotFound, Unavailable, Quota, Rejected, NotConfigured.
func (c *Client) Query(ctx context.Context, outTradeNo string) (t Transaction, err error) {
	err = c.withPay(ctx, "query order", func(ctx context.Context, p *payClients) error {
		svc := jsapi.JsapiApiService{Client: p.signed}
		r, _, err := svc.QueryOrderByOutTradeNo(ctx, jsapi.QueryOrderByOutTradeNoRequest{OutTradeNo: &outTradeNo, Mchid: &c.cfg.Pay.MchID})
		if err == nil {
			t = transactionOf(r)
		}
		return err
	})
	return t, err
}

// CloseOrder closes an unpaid order. Errors: Paid, Closed, NotFound, Unavailable, Quota, Rejected, NotConfigured.
func (c *Client) CloseOrder(ctx context.Context, outTradeNo string) error {
	return c.withPay(ctx, "close order", func(ctx context.Context, p *payClients) error {
		svc := jsapi.JsapiApiService{Client: p.signed}
		_, err := svc.CloseOrder(ctx, jsapi.CloseOrderRequest{OutTradeNo: &outTradeNo, Mchid: &c.cfg.Pay.MchID})
		return err
	})
}

// Refund asks for a refund; success means accepted, the state tells how far it is. Errors: Unavailable (also when the
// merchant's balance is short), Quota (at most one a minute per order), NotFound, Rejected, NotConfigured.
func (c *Client) Refund(ctx context.Context, in RefundRequest) (out Refund, err error) {
	err = c.withPay(ctx, "refund", func(ctx context.Context, p *payClients) error {
		svc := refunddomestic.RefundsApiService{Client: p.signed}
		req := refunddomestic.CreateRequest{OutTradeNo: &in.OutTradeNo, OutRefundNo: &in.OutRefundNo,
			Amount: &refunddomestic.AmountReq{Refund: core.Int64(int64(in.RefundFen)), Total: core.Int64(int64(in.TotalFen)), Currency: core.String("CNY")}}
		if in.Reason != "" {
			req.Reason = &in.Reason
		}
		if c.cfg.Pay.RefundNotifyURL != "" {
			req.NotifyUrl = &c.cfg.Pay.RefundNotifyURL
		}
		r, _, err := svc.Create(ctx, req)
		if err == nil {
			out = refundOf(r)
		}
		return err
	})
	return out, err
}

// QueryRefund asks for a refund by our number. Errors: NotFound, Unavailable, Quota, Rejected, NotConfigured.
func (c *Client) QueryRefund(ctx context.Context, outRefundNo string) (out Refund, err error) {
	err = c.withPay(ctx, "query refund", func(ctx context.Context, p *payClients) error {
		svc := refunddomestic.RefundsApiService{Client: p.signed}
		r, _, err := svc.QueryByOutRefundNo(ctx, refunddomestic.QueryByOutRefundNoRequest{OutRefundNo: &outRefundNo})
		if err == nil {
			out = refundOf(r)
		}
		return err
	})
	return out, err
}

func transactionOf(r *payments.Transaction) Transaction {
	t := Transaction{AppID: text(r.Appid), MchID: text(r.Mchid), OutTradeNo: text(r.OutTradeNo), TransactionID: text(r.TransactionId),
		TradeType: text(r.TradeType), State: text(r.TradeState), SuccessAt: instant(text(r.SuccessTime))}
	if r.Amount != nil {
		t.TotalFen, t.Currency = fen(r.Amount.Total), text(r.Amount.Currency)
	}
	if r.Payer != nil {
		t.OpenID = text(r.Payer.Openid)
	}
	return t
}

func refundOf(r *refunddomestic.Refund) Refund {
	out := Refund{RefundID: text(r.RefundId), OutRefundNo: text(r.OutRefundNo), OutTradeNo: text(r.OutTradeNo), TransactionID: text(r.TransactionId)}
	if r.Status != nil {
		out.State = string(*r.Status)
	}
	if r.Amount != nil {
		out.RefundFen, out.TotalFen = fen(r.Amount.Refund), fen(r.Amount.Total)
	}
	if r.SuccessTime != nil {
		out.SuccessAt = r.SuccessTime.UTC()
	}
	return out
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func fen(n *int64) money.Fen {
	if n == nil {
		return 0
	}
	return money.Fen(*n)
}

// instant reads RFC 3339; anything else is the zero time.
func instant(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
