package pass

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/sale"
)

var bought = time.Date(2026, 11, 18, 2, 0, 0, 0, time.UTC)

// tenFor is ten washes for paid, 45.00 each one by one, of which some are used.
func tenFor(paid money.Fen, used int64) Pass {
	p := Pass{ID: 1, No: "P1", Name: "十次卡", Kind: KindTimes, State: StateActive, PaidFen: paid, ValueFen: paid, PaidAt: bought, StartsAt: bought,
		Terms: Terms{Offer: Offer{Kind: KindTimes, PriceFen: paid, Lines: []PlanLine{{Title: "精洗", Times: 10, ListFen: 4500}}}, CoolOffDays: 7},
		Lines: []Line{{ID: 2, Title: "精洗", Counted: true, Times: 10, Left: 10, ValueFen: paid, ListFen: 4500}}}
	p.ValueFen -= p.Lines[0].earn(used)
	p.Lines[0].Used = used
	return p
}

// year is a year of washes for 720.00: 365 days, one wash 45.00.
func year(used int64, untouched bool, at time.Time) Pass {
	p := Pass{ID: 1, No: "P1", Name: "年卡", Kind: KindPeriod, State: StateActive, PaidFen: 72000, ValueFen: 72000, PaidAt: bought, StartsAt: bought, ExpiresAt: bought.Add(365 * day),
		Terms: Terms{Offer: Offer{Kind: KindPeriod, PriceFen: 72000, Lines: []PlanLine{{Title: "精洗", ListFen: 4500}}}, CoolOffDays: 7},
		Lines: []Line{{ID: 2, Title: "精洗", ListFen: 4500, Used: used}}}
	if !untouched {
		p.ValueFen -= p.due(at)
	}
	return p
}

func paidBy(method string, paid money.Fen, at time.Time) sale.Sale {
	return sale.Sale{ID: 7, No: "S7", Method: method, PriceFen: paid, State: sale.StatePaid, PaidAt: at}
}

// TestX01WorkedExamples are the examples that the shop and the customer can follow with a pencil.
func TestX01WorkedExamples(t *testing.T) {
	later := func(days int) time.Time { return bought.Add(time.Duration(days) * day) }
	for _, c := range []struct {
		name   string
		pass   Pass
		days   int
		whose  string
		rule   string
		refund money.Fen
		says   string
	}{
		{"unused on the sixth day: all of it", tenFor(30000, 0), 6, FaultCustomer, RuleCoolOff, 30000, "全额退款"},
		{"unused, a moment before seven days are over", tenFor(30000, 0), 6, FaultShop, RuleCoolOff, 30000, "全额退款"},
		{"unused after seven days, by one's own choice: nothing was used, so nothing is kept", tenFor(30000, 0), 7, FaultCustomer, RuleCustomer, 30000, "应退 ¥300.00"},
		{"used within seven days: what was used counts", tenFor(30000, 1), 3, FaultCustomer, RuleCustomer, 25500, "精洗 已用 1 次 × ¥45.00 = ¥45.00"},
		{"three used, the shop's doing: at the discounted 30.00", tenFor(30000, 3), 60, FaultShop, RuleShop, 21000, "精洗 已用 3 次 × ¥30.00"},
		{"three used, one's own choice: at the agreed 45.00", tenFor(30000, 3), 60, FaultCustomer, RuleCustomer, 16500, "精洗 已用 3 次 × ¥45.00 = ¥135.00"},
		{"seven used, one's own choice: 315.00 is more than was paid", tenFor(30000, 7), 60, FaultCustomer, RuleCustomer, 0, "应退 ¥0.00"},
		{"seven used, the shop's doing", tenFor(30000, 7), 60, FaultShop, RuleShop, 9000, "应退 ¥90.00"},
		{"a price that does not divide: the rest of 100.00 stays with the uses that are left", tenFor(10001, 3), 60, FaultShop, RuleShop, 7001, "应退 ¥70.01"},
		{"a year, 73 days gone, the shop's doing: 292 of 365 days", year(5, false, later(73)), 73, FaultShop, RuleShop, 57600, "共 365 天，已过 73 天"},
		{"a year, 73 days gone, 5 washes, one's own choice: 225.00 is more than 144.00", year(5, false, later(73)), 73, FaultCustomer, RuleCustomer, 49500, "应退 ¥495.00"},
		{"a year, 73 days gone, 1 wash, one's own choice: the days are more", year(1, false, later(73)), 73, FaultCustomer, RuleCustomer, 57600, "应退 ¥576.00"},
		{"a year, unused for five days", year(0, true, later(5)), 5, FaultCustomer, RuleCoolOff, 72000, "全额退款"},
		{"a year, never touched for 73 days: the days count all the same", year(0, true, later(73)), 73, FaultCustomer, RuleCustomer, 57600, "已过 73 天"},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := bought.Add(time.Duration(c.days) * day)
			r := PlanRefund(c.pass, []sale.Sale{paidBy(sale.MethodWeChat, c.pass.PaidFen, bought)}, nil, c.whose, now)
			if r.Rule != c.rule || r.RefundFen != c.refund {
				t.Errorf("%s %d, want %s %d", r.Rule, r.RefundFen, c.rule, c.refund)
			}
			if r.PaidFen-r.BackFen-r.UsedFen != r.RefundFen || r.keptFen+r.RefundFen != c.pass.ValueFen {
				t.Errorf("paid %d − back %d − used %d is not %d; %d is kept of %d", r.PaidFen, r.BackFen, r.UsedFen, r.RefundFen, r.keptFen, c.pass.ValueFen)
			}
			if all := strings.Join(r.Explain, "\n"); !strings.Contains(all, c.says) {
				t.Errorf("does not say %q:\n%s", c.says, all)
			}
			if c.refund > 0 && (len(r.Parts) != 1 || r.Parts[0].ByHand || r.Parts[0].AmountFen != c.refund) {
				t.Errorf("%+v", r.Parts)
			}
			if again := PlanRefund(c.pass, []sale.Sale{paidBy(sale.MethodWeChat, c.pass.PaidFen, bought)}, nil, c.whose, now); again.PlanHash != r.PlanHash {
				t.Error("the same pass, another plan")
			}
		})
	}
}

// A pass that two payments paid for: WeChat first, the newest first, the desk last; what WeChat takes no more is handed out.
func TestX01PartsGoBackToThosePayments(t *testing.T) {
	p := tenFor(30000, 3)
	p.PaidFen, p.ValueFen = 42500, 33500
	p.Lines[0].Times, p.Lines[0].Left, p.Lines[0].ValueFen = 15, 12, 33500
	now := bought.Add(30 * day)
	cash, wechat := paidBy(sale.MethodCash, 30000, bought), paidBy(sale.MethodWeChatNative, 12500, bought.Add(20*day))
	wechat.ID, wechat.No = 8, "S8"
	r := PlanRefund(p, []sale.Sale{cash, wechat}, map[int64]int64{8: 5}, FaultShop, now)
	if r.RefundFen != 33500 || len(r.Parts) != 2 || r.Parts[0].SaleID != 8 || r.Parts[0].AmountFen != 12500 || r.Parts[1].AmountFen != 21000 || !r.Parts[1].ByHand {
		t.Errorf("%+v", r)
	}
	r = PlanRefund(p, []sale.Sale{cash, wechat}, map[int64]int64{8: 5}, FaultShop, bought.Add(400*day))
	if !r.Parts[0].ByHand || !r.Parts[1].ByHand {
		t.Errorf("%+v", r.Parts)
	}
	// A recharge of yesterday whose uses are all there goes back whole, whatever the rest was used for.
	p = tenFor(30000, 9)
	p.PaidFen, p.ValueFen = 42500, 15500
	p.Lines[0].Times, p.Lines[0].Left, p.Lines[0].ValueFen = 15, 6, 15500
	wechat.PaidAt = now.Add(-day)
	if r := PlanRefund(p, []sale.Sale{cash, wechat}, map[int64]int64{8: 5}, FaultCustomer, now); r.RefundFen != 12500 {
		t.Errorf("%+v", r)
	}
	if r := PlanRefund(p, []sale.Sale{cash, wechat}, map[int64]int64{8: 5}, FaultCustomer, now.Add(7*day)); r.RefundFen != 2000 {
		t.Errorf("%+v", r)
	}
}

// Property: never negative, never more than what is owed or was paid; the shop's fault never gives less than one's own choice; one more use
// never gives more.
func TestX01Property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		paid := money.Fen(rapid.Int64Range(1, 45000).Draw(t, "paid"))
		used := rapid.Int64Range(0, 9).Draw(t, "used")
		now := bought.Add(time.Duration(rapid.Int64Range(0, 400).Draw(t, "days")) * day)
		plan := func(used int64, whose string) RefundPlan {
			return PlanRefund(tenFor(paid, used), []sale.Sale{paidBy(sale.MethodCash, paid, bought)}, nil, whose, now)
		}
		shop, own, more := plan(used, FaultShop), plan(used, FaultCustomer), plan(used+1, FaultCustomer)
		for _, r := range []RefundPlan{shop, own, more} {
			var parts money.Fen
			for _, x := range r.Parts {
				parts += x.AmountFen
			}
			if r.RefundFen < 0 || r.RefundFen > paid || r.keptFen < 0 || parts != r.RefundFen {
				t.Fatalf("%+v", r)
			}
		}
		if shop.RefundFen < own.RefundFen || more.RefundFen > own.RefundFen {
			t.Fatalf("shop %d, own %d, one more use %d", shop.RefundFen, own.RefundFen, more.RefundFen)
		}
	})
}

func TestEndOfValidity(t *testing.T) {
	for _, c := range []struct {
		from         string
		days, months int64
		want         string
	}{
		{"2026-11-18T02:00:00Z", 30, 0, "2026-12-18"},
		{"2026-11-18T15:59:59Z", 1, 0, "2026-11-19"},
		{"2026-11-18T16:00:00Z", 1, 0, "2026-11-20"}, // it is the 19th in Shanghai
		{"2026-01-31T02:00:00Z", 0, 1, "2026-02-28"},
		{"2028-01-31T02:00:00Z", 0, 1, "2028-02-29"},
		{"2026-12-31T02:00:00Z", 0, 12, "2027-12-31"},
		{"2026-11-30T02:00:00Z", 0, 3, "2027-02-28"},
	} {
		from, err := time.Parse(time.RFC3339, c.from)
		if err != nil {
			t.Fatal(err)
		}
		if got := lastDay(endOf(from, c.days, c.months)); got != c.want {
			t.Errorf("%s + %d days %d months: %s, want %s", c.from, c.days, c.months, got, c.want)
		}
	}
	if !endOf(bought, 0, 0).IsZero() {
		t.Error("for ever ends")
	}
}
