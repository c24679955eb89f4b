package wxsandbox

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/jsapi"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/native"
	"github.com/wechatpay-apiv3/wechatpay-go/services/refunddomestic"
)

// wantAPI asserts the code of an unsigned refusal.
func wantAPI(t *testing.T, err error, status int, code string) {
	t.Helper()
	var e *core.APIError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an APIError %s", err, code)
	}
	if e.Code != code || e.StatusCode != status {
		t.Fatalf("got %d %s %s, want %d %s", e.StatusCode, e.Code, e.Message, status, code)
	}
	if e.Header.Get("Wechatpay-Signature") != "" {
		t.Fatal("a refusal must come unsigned")
	}
}

// The whole life of an order through the real SDK, in both verification modes.
func TestPayThroughSDK(t *testing.T) {
	for _, mode := range []string{ModePublicKey, ModeCertificate} {
		t.Run(mode, func(t *testing.T) {
			r := newRig(t, func(o *Options) { o.Pay.Mode = mode })
			ctx := t.Context()
			client := r.payClient()
			js := jsapi.JsapiApiService{Client: client}
			pre, _, err := js.PrepayWithRequestPayment(ctx, r.prepayReq("ORDER00001", 50000))
			if err != nil {
				t.Fatal(err)
			}
			if again, _, err := js.Prepay(ctx, r.prepayReq("ORDER00001", 50000)); err != nil || *again.PrepayId != *pre.PrepayId {
				t.Fatalf("same parameters: %v %v", again, err)
			}
			q := jsapi.QueryOrderByOutTradeNoRequest{OutTradeNo: core.String("ORDER00001"), Mchid: core.String(r.c.MchID)}
			tx, _, err := js.QueryOrderByOutTradeNo(ctx, q)
			if err != nil || *tx.TradeState != StateNotPay || tx.TransactionId != nil {
				t.Fatalf("unpaid: %v %v", tx, err)
			}
			if _, err := r.PayByPersona(*pre.PrepayId, "p1", OutcomePay); err != nil {
				t.Fatal(err)
			}
			r.hook.wait(t, 1)
			if len(r.hook.good) != 1 || len(r.hook.bad) != 0 {
				t.Fatalf("notification not readable: %v", r.hook.bad)
			}
			got := r.hook.good[0]
			if *got.OutTradeNo != "ORDER00001" || *got.Amount.Total != 50000 || *got.Mchid != r.c.MchID || *got.Payer.Openid != r.openID("p1", AppMP) {
				t.Fatalf("notification says %v", got)
			}
			tx, _, err = js.QueryOrderById(ctx, jsapi.QueryOrderByIdRequest{TransactionId: got.TransactionId, Mchid: core.String(r.c.MchID)})
			if err != nil || *tx.TradeState != StateSuccess || *tx.Amount.PayerTotal != 50000 {
				t.Fatalf("paid: %v %v", tx, err)
			}
			_, err = js.CloseOrder(ctx, jsapi.CloseOrderRequest{OutTradeNo: core.String("ORDER00001"), Mchid: core.String(r.c.MchID)})
			wantAPI(t, err, 400, "ORDERPAID")
			refundThroughSDK(ctx, t, r, client)
			nativeThroughSDK(ctx, t, r, client)
		})
	}
}

func refundThroughSDK(ctx context.Context, t *testing.T, r *rig, client *core.Client) {
	svc := refunddomestic.RefundsApiService{Client: client}
	req := refunddomestic.CreateRequest{OutTradeNo: core.String("ORDER00001"), OutRefundNo: core.String("REFUND0001"), NotifyUrl: core.String(r.srv.URL + "/hooks/wxpay"),
		Amount: &refunddomestic.AmountReq{Refund: core.Int64(20000), Total: core.Int64(50000), Currency: core.String("CNY")}}
	ref, _, err := svc.Create(ctx, req)
	if err != nil || *ref.Status != refunddomestic.STATUS_PROCESSING {
		t.Fatalf("refund: %v %v", ref, err)
	}
	r.hook.wait(t, 1)
	if n := len(r.hook.events); r.hook.events[n-1] != "REFUND.SUCCESS" {
		t.Fatal(r.hook.events)
	}
	ref, _, err = svc.QueryByOutRefundNo(ctx, refunddomestic.QueryByOutRefundNoRequest{OutRefundNo: core.String("REFUND0001")})
	if err != nil || *ref.Status != refunddomestic.STATUS_SUCCESS || ref.SuccessTime == nil {
		t.Fatalf("refund: %v %v", ref, err)
	}
	// The same number is the same refund; it must not pay twice, and must not change.
	if again, _, err := svc.Create(ctx, req); err != nil || *again.RefundId != *ref.RefundId {
		t.Fatalf("again: %v %v", again, err)
	}
	req.Amount.Refund = core.Int64(10000)
	_, _, err = svc.Create(ctx, req)
	wantAPI(t, err, 400, "INVALID_REQUEST")
	req.OutRefundNo, req.Amount.Refund = core.String("REFUND0002"), core.Int64(30001)
	_, _, err = svc.Create(ctx, req)
	wantAPI(t, err, 400, "INVALID_REQUEST")
	_, _, err = svc.QueryByOutRefundNo(ctx, refunddomestic.QueryByOutRefundNoRequest{OutRefundNo: core.String("REFUND9999")})
	wantAPI(t, err, 404, "RESOURCE_NOT_EXISTS")
}

func nativeThroughSDK(ctx context.Context, t *testing.T, r *rig, client *core.Client) {
	svc := native.NativeApiService{Client: client}
	req := native.PrepayRequest{Appid: core.String(r.c.OfficialAccount.AppID), Mchid: core.String(r.c.MchID), Description: core.String("洗车"), OutTradeNo: core.String("NATIVE*_|-1"),
		NotifyUrl: core.String(r.srv.URL + "/hooks/wxpay"), Amount: &native.Amount{Total: core.Int64(3500)}, TimeExpire: core.Time(r.clock.Now().Add(5 * time.Minute))}
	res, _, err := svc.Prepay(ctx, req)
	if err != nil || !strings.HasPrefix(*res.CodeUrl, "weixin://wxpay/bizpayurl?pr=") {
		t.Fatalf("native: %v %v", res, err)
	}
	if _, err := r.Pay(PayRequest{CodeURL: *res.CodeUrl, PersonaID: "p2"}); err != nil {
		t.Fatal(err)
	}
	r.hook.wait(t, 1)
	tx, _, err := svc.QueryOrderByOutTradeNo(ctx, native.QueryOrderByOutTradeNoRequest{OutTradeNo: core.String("NATIVE*_|-1"), Mchid: core.String(r.c.MchID)})
	if err != nil || *tx.TradeState != StateSuccess || *tx.Payer.Openid != r.openID("p2", AppOA) {
		t.Fatalf("native paid: %v %v", tx, err)
	}
	if _, err := svc.CloseOrder(ctx, native.CloseOrderRequest{OutTradeNo: core.String("NONE000001"), Mchid: core.String(r.c.MchID)}); err == nil {
		t.Fatal("closed an unknown order")
	}
	req.OutTradeNo = core.String("NATIVE0002")
	if _, _, err = svc.Prepay(ctx, req); err != nil {
		t.Fatal(err)
	}
	result, err := svc.CloseOrder(ctx, native.CloseOrderRequest{OutTradeNo: core.String("NATIVE0002"), Mchid: core.String(r.c.MchID)})
	if err != nil || result.Response.StatusCode != http.StatusNoContent {
		t.Fatalf("close: %v %v", result, err)
	}
	if _, err := r.Pay(PayRequest{OutTradeNo: "NATIVE0002", PersonaID: "p2", Force: true}); !errors.Is(err, ErrOrderClosed) {
		t.Fatalf("paid a closed order: %v", err)
	}
}
