package payment

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/wechat"
)

func moneyFen(n int) money.Fen { return money.Fen(n) }

// abnormal does what a merchant's cashier does on the merchant platform: it sends an abnormal refund to another account.
// This system has no call for that, so the request is signed here, by WeChat Pay's rules.
func (r *rig) abnormal(f Refund) {
	r.t.Helper()
	c := r.wx.Credentials()
	block, _ := pem.Decode([]byte(c.MerchantPrivateKeyPEM))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		r.t.Fatal(err)
	}
	path := "/v3/refund/domestic/refunds/" + f.RefundID + "/apply-abnormal-refund"
	body := `{"out_refund_no":"` + f.OutRefundNo + `","type":"MERCHANT_BANK_CARD"}`
	stamp := fmt.Sprint(time.Now().Unix())
	sum := sha256.Sum256([]byte("POST\n" + path + "\n" + stamp + "\nabnormal" + stamp + "\n" + body + "\n"))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key.(*rsa.PrivateKey), crypto.SHA256, sum[:])
	if err != nil {
		r.t.Fatal(err)
	}
	req, _ := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.srv.URL+"/sandbox"+path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", fmt.Sprintf(`WECHATPAY2-SHA256-RSA2048 mchid="%s",nonce_str="abnormal%s",timestamp="%s",serial_no="%s",signature="%s"`,
		c.MchID, stamp, stamp, c.MerchantSerial, base64.StdEncoding.EncodeToString(sig)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != 200 {
		r.t.Fatal("apply-abnormal-refund: ", resp, err)
	}
	_ = resp.Body.Close()
}

func TestConsole(t *testing.T) {
	r := newRig(t)
	a := r.paid(func(c *Create) { c.StoreID = 1 })
	b := r.create(func(c *Create) { c.StoreID, c.Purpose = 2, "order" })
	online := r.create()
	ctx := staffCtx(t, 1)

	page, err := r.list(ctx, &listInput{Paging: httpapi.Paging{Limit: 10}})
	if err != nil || len(page.Items) != 2 || page.Items[0].ID != online.ID || page.Items[1].ID != a.ID {
		t.Fatalf("%+v %v", page, err)
	}
	all := actor.With(t.Context(), actor.Actor{Kind: actor.Staff, AllStores: true})
	for name, c := range map[string]struct {
		in   listInput
		want []int64
	}{
		"all":         {listInput{}, []int64{online.ID, b.ID, a.ID}},
		"number":      {listInput{Q: a.OutTradeNo}, []int64{a.ID}},
		"transaction": {listInput{Q: a.TransactionID}, []int64{a.ID}},
		"wildcards":   {listInput{Q: "%"}, nil},
		"state":       {listInput{State: StateCreated}, []int64{online.ID, b.ID}},
		"purpose":     {listInput{Purpose: "order"}, []int64{b.ID}},
		"today":       {listInput{From: "2026-11-18", To: "2026-11-18"}, []int64{online.ID, b.ID, a.ID}},
		"tomorrow":    {listInput{From: "2026-11-19"}, nil},
		"SQL":         {listInput{Q: "' OR 1=1 --"}, nil},
	} {
		c.in.Limit = 10
		page, err := r.list(all, &c.in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []int64
		for _, x := range page.Items {
			got = append(got, x.ID)
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	first, err := r.list(all, &listInput{Paging: httpapi.Paging{Limit: 2}})
	if err != nil || len(first.Items) != 2 || first.Next == "" {
		t.Fatalf("%+v %v", first, err)
	}
	second, err := r.list(all, &listInput{Paging: httpapi.Paging{Limit: 2, After: first.Next}})
	if err != nil || len(second.Items) != 1 || second.Items[0].ID != a.ID || second.Next != "" {
		t.Fatalf("%+v %v", second, err)
	}
	for _, in := range []listInput{{From: "yesterday"}, {To: "2026-02-30"}, {Paging: httpapi.Paging{After: "x"}}} {
		if _, err := r.list(all, &in); !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("%+v: %v", in, err)
		}
	}

	r.refund(a, 100)
	d, err := r.detail(ctx, a.ID)
	if err != nil || len(d.Notifications) != 1 || d.Notifications[0].HTTPStatus != 204 || len(d.Refunds) != 1 || len(d.History) != 3 || d.PaidAt == nil {
		t.Fatalf("%+v %v", d, err)
	}
	if h := d.History[2]; h.From != StatePrepaid || h.To != StatePaid || h.By != "微信支付通知" {
		t.Fatalf("%+v", h)
	}
	if _, err := r.detail(ctx, b.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Fatal("another store's payment: ", err)
	}
	if _, err := r.check(ctx, &httpapi.ByID{ID: b.ID}); !errors.Is(err, fault.ErrNotFound) {
		t.Fatal("another store's payment: ", err)
	}

	r.prepay(online)
	r.pay(online)
	after, err := r.check(ctx, &httpapi.ByID{ID: online.ID})
	if err != nil || after.State != StatePaid || after.History[2].By != "孙店长" {
		t.Fatalf("%+v %v", after, err)
	}
	var n int
	if err := r.db.Get(t.Context(), &n, `SELECT COUNT(*) FROM audit_log WHERE action = 'payment.check' AND actor_name = '孙店长'`); err != nil || n != 1 {
		t.Fatal("audited ", n, err)
	}
	r.fault("pay.api", "status", "/v3/pay", "502", 0)
	r.prepayIgnored(b)
	if _, err := r.check(all, &httpapi.ByID{ID: b.ID}); !errors.Is(err, wechat.ErrUnavailable) {
		t.Fatal(err)
	}
}

// prepayIgnored tries to prepay while WeChat is down, so that WeChat counts as told.
func (r *rig) prepayIgnored(p Payment) {
	r.t.Helper()
	if _, err := r.Prepay(r.t.Context(), p.ID); !errors.Is(err, wechat.ErrUnavailable) {
		r.t.Fatal(err)
	}
}

type auth struct{ a actor.Actor }

func (a auth) Authenticate(context.Context, actor.Kind, string) (actor.Actor, error) { return a.a, nil }

func TestConsoleOverHTTP(t *testing.T) {
	r := newRig(t)
	p := r.paid()
	call := func(who actor.Actor, method, path string) (int, map[string]any) {
		router := httpapi.New(httpapi.Options{Title: "t", Version: "1", Log: slog.New(slog.DiscardHandler), Auth: auth{who}})
		r.Routes(router)
		req := httptest.NewRequestWithContext(t.Context(), method, path, bytes.NewReader(nil))
		req.Header.Set("Authorization", "Bearer x")
		req.Header.Set("X-Liangche", "console")
		w := httptest.NewRecorder()
		router.Echo.ServeHTTP(w, req)
		out := map[string]any{}
		_ = json.Unmarshal(w.Body.Bytes(), &out)
		return w.Code, out
	}
	reader := actor.Actor{Kind: actor.Staff, AllStores: true, Permissions: []string{perm.PaymentRead}}
	path := fmt.Sprintf("/api/console/payments/%d", p.ID)
	if code, out := call(reader, http.MethodGet, "/api/console/payments?state=paid"); code != 200 || len(out["items"].([]any)) != 1 {
		t.Fatal(code, out)
	}
	code, out := call(reader, http.MethodGet, path)
	if code != 200 || out["outTradeNo"] != p.OutTradeNo || out["alert"] != nil || len(out["history"].([]any)) != 3 || out["refunds"] == nil {
		t.Fatal(code, out)
	}
	if code, out := call(reader, http.MethodPost, path+"/check"); code != 403 {
		t.Fatal(code, out)
	}
	manager := actor.Actor{Kind: actor.Staff, AllStores: true, Permissions: []string{perm.PaymentRead, perm.PaymentManage}}
	if code, out := call(manager, http.MethodPost, path+"/check"); code != 200 {
		t.Fatal(code, out)
	}
	for _, bad := range []string{"/api/console/payments?state=rich", "/api/console/payments?limit=1000", "/api/console/payments?x=1", "/api/console/payments/0"} {
		if code, out := call(reader, http.MethodGet, bad); code != 422 {
			t.Error(bad, code, out)
		}
	}
	if code, _ := call(reader, http.MethodGet, "/api/console/payments/99"); code != 404 {
		t.Error(code)
	}
}

func TestAuditFindsTampering(t *testing.T) {
	r := newRig(t)
	p := r.paid()
	f := r.refund(p, 100)
	r.finished(f, RefundSuccess)
	closed := r.create()
	if _, err := r.Close(t.Context(), closed.ID); err != nil {
		t.Fatal(err)
	}
	r.clean()
	for _, c := range []struct{ do, undo, want string }{
		{`UPDATE payment_intents SET refunded_fen = 200 WHERE id = ?`, `UPDATE payment_intents SET refunded_fen = 100 WHERE id = ?`, "成功的退款合计 100 分"},
		{`UPDATE payment_intents SET paid_fen = 49999 WHERE id = ?`, `UPDATE payment_intents SET paid_fen = 50000 WHERE id = ?`, "应付 50000 分"},
		{`UPDATE payment_intents SET state = 'closed' WHERE id = ?`, `UPDATE payment_intents SET state = 'paid' WHERE id = ?`, "却已收款"},
		{`UPDATE payment_intents SET state = 'golden' WHERE id = ?`, `UPDATE payment_intents SET state = 'paid' WHERE id = ?`, "不存在"},
		{`UPDATE payment_intents SET paid_at = NULL WHERE id = ?`, `UPDATE payment_intents SET paid_at = 1 WHERE id = ?`, "不一致"},
		{`UPDATE payment_history SET to_state = 'closed' WHERE payment_id = ? AND to_state = 'paid'`,
			`UPDATE payment_history SET to_state = 'paid' WHERE payment_id = ? AND from_state = 'prepaid'`, "变更记录的最后一条是 closed"},
		{`UPDATE payment_refunds SET amount_fen = 60000 WHERE payment_id = ?`, `UPDATE payment_refunds SET amount_fen = 100 WHERE payment_id = ?`, "超过实付"},
	} {
		r.exec(c.do, p.ID)
		var found []string
		if err := r.Audit(t.Context(), func(s string) { found = append(found, s) }); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.Join(found, "\n"), c.want) {
			t.Errorf("%s: found %q, want %q", c.do, found, c.want)
		}
		r.exec(c.undo, p.ID)
	}
	r.clean()
}

func (r *rig) exec(q string, args ...any) {
	r.t.Helper()
	if err := r.db.InTx(r.t.Context(), func(ctx context.Context, tx *db.Tx) error { _, err := tx.Exec(ctx, q, args...); return err }); err != nil {
		r.t.Fatal(err)
	}
}
