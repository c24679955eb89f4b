package payment

import (
	"testing"
	"time"

	"github.com/liangche/liangche/internal/wechat"
)

func TestN02JudgeComparesEverything(t *testing.T) {
	old := "4200000000000000000000000001"
	base := intent{OutTradeNo: "LC1", AppID: "wxa", TradeType: JSAPI, AmountFen: 500, OpenID: "o1", State: StatePrepaid}
	good := wechat.Transaction{MchID: "m", AppID: "wxa", OutTradeNo: "LC1", State: wechat.TradeSuccess, TransactionID: "42", TotalFen: 500, Currency: "CNY", OpenID: "o1"}
	cases := []struct {
		name string
		p    func(*intent)
		t    func(*wechat.Transaction)
		want verdict
	}{
		{"as asked", nil, nil, credit},
		{"created, prepay answer lost", func(p *intent) { p.State = StateCreated }, nil, credit},
		{"merchant", nil, func(t *wechat.Transaction) { t.MchID = "x" }, foreign},
		{"app", nil, func(t *wechat.Transaction) { t.AppID = "x" }, foreign},
		{"number", nil, func(t *wechat.Transaction) { t.OutTradeNo = "x" }, foreign},
		{"no transaction id", nil, func(t *wechat.Transaction) { t.TransactionID = "" }, foreign},
		{"amount less", nil, func(t *wechat.Transaction) { t.TotalFen = 499 }, wrong},
		{"amount more", nil, func(t *wechat.Transaction) { t.TotalFen = 501 }, wrong},
		{"amount zero", nil, func(t *wechat.Transaction) { t.TotalFen = 0 }, wrong},
		{"currency", nil, func(t *wechat.Transaction) { t.Currency = "USD" }, wrong},
		{"currency missing", nil, func(t *wechat.Transaction) { t.Currency = "" }, wrong},
		{"payer", nil, func(t *wechat.Transaction) { t.OpenID = "o2" }, wrong},
		{"any payer of a code", func(p *intent) { p.TradeType = Native; p.OpenID = "" }, func(t *wechat.Transaction) { t.OpenID = "o2" }, credit},
		{"known", func(p *intent) { p.State = StatePaid; id := "42"; p.TransactionID = &id }, nil, duplicate},
		{"known, refunded since", func(p *intent) { p.State = StatePaid; id := "42"; p.TransactionID = &id },
			func(t *wechat.Transaction) { t.State = wechat.TradeRefund }, duplicate},
		{"another transaction", func(p *intent) { p.State = StatePaid; p.TransactionID = &old }, nil, foreign},
		{"refunded outside", nil, func(t *wechat.Transaction) { t.State = wechat.TradeRefund }, foreign},
		{"after close", func(p *intent) { p.State = StateClosed }, nil, surplus},
		{"after failure", func(p *intent) { p.State = StateFailed }, nil, surplus},
		{"after close, other amount", func(p *intent) { p.State = StateClosed }, func(t *wechat.Transaction) { t.TotalFen = 1 }, wrong},
		{"unpaid", nil, func(t *wechat.Transaction) { t.State = wechat.TradeNotPay; t.TransactionID = "" }, nothing},
		{"paying", nil, func(t *wechat.Transaction) { t.State = wechat.TradeUserPaying }, nothing},
		{"unheard of", nil, func(t *wechat.Transaction) { t.State = "DANCING" }, nothing},
		{"closed", nil, func(t *wechat.Transaction) { t.State = wechat.TradeClosed }, ended},
		{"closed twice", func(p *intent) { p.State = StateClosed }, func(t *wechat.Transaction) { t.State = wechat.TradeClosed }, nothing},
		{"failed", nil, func(t *wechat.Transaction) { t.State = wechat.TradePayError }, failed},
	}
	for _, c := range cases {
		p, tr := base, good
		if c.p != nil {
			c.p(&p)
		}
		if c.t != nil {
			c.t(&tr)
		}
		if got, why := judge(p, tr, "m"); got != c.want {
			t.Errorf("%s: verdict %d (%s), want %d", c.name, got, why, c.want)
		}
	}
}

func TestPollingSchedule(t *testing.T) {
	var at time.Duration
	var marks []time.Duration
	for range 9 {
		at += nextPoll(at)
		marks = append(marks, at)
	}
	want := []time.Duration{5 * time.Second, 20 * time.Second, 50 * time.Second, 110 * time.Second, 170 * time.Second, 230 * time.Second, 290 * time.Second,
		350 * time.Second, 650 * time.Second}
	for i := range want {
		if marks[i] != want[i] {
			t.Fatalf("polls at %v, want %v", marks, want)
		}
	}
	if nextPoll(time.Hour) != 5*time.Minute || nextRefundTry(RefundPending, 1000) != time.Hour || nextRefundTry(RefundAbnormal, 0) != 6*time.Hour {
		t.Fatal("wrong steady pace")
	}
}
