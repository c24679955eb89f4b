package payment

import (
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/bizday"
)

// The bill is the one witness outside: every payment of the day must stand in it with the same amount, and nothing else.
func TestAuditComparesWithTheBill(t *testing.T) {
	r := newRig(t)
	paid := r.create()
	r.prepay(paid)
	r.pay(paid)
	r.notify(paid)
	r.want(paid, StatePaid, 1, 0)
	day := r.clk.Now().In(bizday.Location(bizday.DefaultZone)).Format(time.DateOnly)
	look := func() string {
		t.Helper()
		var got []string
		if err := r.AuditBill(t.Context(), day, func(p string) { got = append(got, p) }); err != nil {
			t.Fatal(err)
		}
		return strings.Join(got, "\n")
	}
	if got := look(); got != "" {
		t.Fatal("an exact day was reported: ", got)
	}
	for _, c := range []struct{ sql, want string }{
		{`UPDATE payment_intents SET paid_fen = paid_fen + 1`, "系统是"},
		{`UPDATE payment_intents SET transaction_id = 'other'`, "微信单号"},
		{`UPDATE payment_intents SET out_trade_no = 'LCgone0001'`, "系统里没有"},
	} {
		if _, err := r.db.SQLDB().ExecContext(t.Context(), c.sql); err != nil {
			t.Fatal(err)
		}
		if got := look(); !strings.Contains(got, c.want) {
			t.Errorf("%s: said %q, want %q in it", c.sql, got, c.want)
		}
	}
	if got := look(); !strings.Contains(got, "账单里没有") {
		t.Errorf("a payment that the bill does not know was not reported: %q", got)
	}
	if err := r.AuditBill(t.Context(), "yesterday", func(string) {}); err == nil {
		t.Error("a date that is none was taken")
	}
}
