package wallet

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/setting"
)

// planText writes a plan as "refundable/bonus back/shortfall: place:refund+back(h) …"; h is handed out by the desk.
func (p *purse) planText(plan Plan) string {
	s := fmt.Sprintf("%d/%d/%d:", plan.RefundableFen, plan.BonusBackFen, plan.ShortfallFen)
	for _, x := range plan.Parts {
		for i, t := range p.tops {
			if t.ID == x.TopupID {
				s += fmt.Sprintf(" %d:%d+%d", i+1, x.RefundFen, x.BonusBackFen)
			}
		}
		if x.ByHand {
			s += "h"
		}
	}
	return s
}

func TestPlanRefundExamples(t *testing.T) {
	const year = 365 * 24 * time.Hour
	d, clk := dbtest.New(t)
	spend := func(t *testing.T, p *purse, amount money.Fen, rule string) {
		t.Helper()
		_, err := p.spend(amount, rule)
		must(t, err)
	}
	for i, c := range []struct {
		name    string
		arrange func(t *testing.T, p *purse)
		ask     money.Fen
		want    string
		explain []string
	}{
		{"unspent: all principal, all bonus back", func(t *testing.T, p *purse) { p.add(MethodWeChat, 50000, 8000, 0) },
			0, "50000/8000/0: 1:50000+8000", []string{"只退本金", "原路退回微信支付", "收回赠送 ¥80.00"}},
		{"half spent in proportion", func(t *testing.T, p *purse) {
			p.add(MethodWeChat, 50000, 8000, 0)
			spend(t, p, 29000, setting.SpendProRata)
		}, 0, "25000/4000/0: 1:25000+4000", nil},
		{"bonus spent first: its principal stays", func(t *testing.T, p *purse) {
			p.add(MethodWeChat, 50000, 8000, 0)
			spend(t, p, 8000, setting.SpendBonusFirst)
		}, 0, "43104/0/0: 1:43104+0", []string{"赠送已提前用掉一部分，与之对应的 ¥68.96 本金暂不能退，仍可消费"}},
		{"principal spent first: nothing of the bonus remains", func(t *testing.T, p *purse) {
			p.add(MethodWeChat, 50000, 8000, 0)
			spend(t, p, 8000, setting.SpendPrincipalFirst)
		}, 0, "42000/8000/0: 1:42000+8000", nil},
		{"a part takes its share of the bonus back, rounded up", func(t *testing.T, p *purse) { p.add(MethodWeChat, 50000, 8000, 0) },
			12345, "50000/1976/0: 1:12345+1976", nil},
		{"after 365 days by hand", func(t *testing.T, p *purse) {
			p.add(MethodWeChat, 50000, 0, 0).CreatedAt = clk.Now().Add(-year)
		}, 0, "50000/0/0: 1:50000+0h", []string{"由门店以微信支付退还"}},
		{"one moment before, WeChat does it", func(t *testing.T, p *purse) {
			p.add(MethodWeChat, 50000, 0, 0).CreatedAt = clk.Now().Add(-year + time.Millisecond)
		}, 0, "50000/0/0: 1:50000+0", nil},
		{"WeChat orders newest first, then what the desk hands out", func(t *testing.T, p *purse) {
			p.add(MethodWeChat, 20000, 0, 0).CreatedAt = clk.Now().Add(-48 * time.Hour)
			p.add(MethodCash, 10000, 0, 0)
			p.add(MethodWeChatNative, 30000, 0, 0).CreatedAt = clk.Now().Add(-24 * time.Hour)
		}, 55000, "60000/0/0: 3:30000+0 1:20000+0 2:5000+0h", []string{"由门店以现金退还"}},
		{"only as many orders as it takes", func(t *testing.T, p *purse) {
			p.add(MethodWeChat, 20000, 0, 0).CreatedAt = clk.Now().Add(-48 * time.Hour)
			p.add(MethodWeChat, 30000, 0, 0)
		}, 30000, "50000/0/0: 2:30000+0", nil},
		{"a shortfall is named", func(t *testing.T, p *purse) { p.add(MethodAlipay, 50000, 8000, 0) },
			60000, "50000/8000/10000: 1:50000+8000h", []string{"申请 ¥600.00，最多可退 ¥500.00，还差 ¥100.00 不能退"}},
		{"nothing there", func(*testing.T, *purse) {}, 0, "0/0/0:", nil},
		{"nothing there, asked for something", func(*testing.T, *purse) {}, 100, "0/0/100:", nil},
		{"held money waits", func(t *testing.T, p *purse) {
			p.add(MethodWeChat, 50000, 0, 0)
			p.hold(10000, 0)
		}, 0, "40000/0/0: 1:40000+0", []string{"有 ¥100.00 本金正被一笔未完成的结算占用"}},
		{"held bonus waits too", func(t *testing.T, p *purse) {
			p.add(MethodWeChat, 50000, 8000, 0)
			p.hold(3017, 483)
		}, 0, "46983/7517/0: 1:46983+7517", nil},
		{"what went back before is counted", func(t *testing.T, p *purse) {
			p.add(MethodWeChat, 50000, 8000, 0)
			_, err := p.refund(20000)
			must(t, err)
		}, 0, "30000/4800/0: 1:30000+4800", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPurse(t, d, int64(i+1))
			c.arrange(t, p)
			plan := p.plan(c.ask)
			if got := p.planText(plan); got != c.want {
				t.Errorf("planned %s, want %s", got, c.want)
			}
			for _, x := range c.explain {
				if !strings.Contains(strings.Join(plan.Explain, "\n"), x) {
					t.Errorf("%q does not say %q", plan.Explain, x)
				}
			}
			if again := p.plan(c.ask); again.PlanHash != plan.PlanHash {
				t.Error("the same account gives another hash")
			}
			if plan.RefundableFen == 0 {
				return
			}
			if other := p.plan(plan.RefundableFen - 1); other.PlanHash == plan.PlanHash {
				t.Error("another plan has the same hash")
			}
			if _, err := p.refund(c.ask); err != nil {
				t.Errorf("what was planned cannot be carried out: %v", err)
			}
			if rest := p.plan(0); c.ask == 0 && len(rest.Parts) > 0 {
				t.Errorf("after giving everything back %s is left to give back", p.planText(rest))
			}
		})
	}
	exact(t, d)
}

// Asking for the same money in small pieces must not give more than asking once.
func TestRefundInPiecesGivesNoMore(t *testing.T) {
	d := testDB(t)
	for i, rule := range []string{setting.SpendProRata, setting.SpendBonusFirst, setting.SpendPrincipalFirst} {
		p := newPurse(t, d, int64(i+1))
		p.add(MethodWeChat, 50000, 8000, 0)
		_, err := p.spend(8000, rule)
		must(t, err)
		once := p.plan(0).RefundableFen
		var sum money.Fen
		for range 1000 {
			left := p.plan(0).RefundableFen
			if left == 0 {
				break
			}
			plan, err := p.refund(min(left, 997))
			must(t, err)
			for _, x := range plan.Parts {
				sum += x.RefundFen
			}
		}
		if sum != once {
			t.Errorf("%s: %d in pieces, %d at once", rule, sum, once)
		}
	}
	exact(t, d)
}

// Property: whatever happens to a wallet, a refund never pays bonus out, never gives back more than was paid, can always be carried
// out as planned, and no fen appears or is lost.
func TestWalletProperty(t *testing.T) {
	d := testDB(t)
	var member int64
	rapid.Check(t, func(r *rapid.T) {
		member++
		p := newPurse(t, d, member)
		var in, granted, consumed, paidBack, bonusBack money.Fen
		type bill struct {
			posting int64
			amount  money.Fen
		}
		var bills []bill
		var holds []int64
		for range rapid.IntRange(1, 10).Draw(r, "steps") {
			principal, bonus := p.balance()
			switch rapid.IntRange(0, 5).Draw(r, "command") {
			case 0, 1:
				paid, extra := rapid.Int64Range(1, 100000).Draw(r, "paid"), rapid.Int64Range(0, 50000).Draw(r, "bonus")
				p.add(rapid.SampledFrom([]string{MethodWeChat, MethodCash, MethodWeChatNative, MethodCard}).Draw(r, "method"), paid, extra, 0)
				in, granted = in+money.Fen(paid), granted+money.Fen(extra)
			case 2:
				n := money.Fen(rapid.Int64Range(1, 120000).Draw(r, "spend"))
				rule := rapid.SampledFrom([]string{setting.SpendProRata, setting.SpendBonusFirst, setting.SpendPrincipalFirst}).Draw(r, "rule")
				if posting, err := p.spend(n, rule); err == nil {
					bills, consumed = append(bills, bill{posting, n}), consumed+n
				} else if len(holds) == 0 && n <= principal+bonus {
					r.Fatalf("%d of %d+%d was refused: %v", n, principal, bonus, err)
				}
			case 3:
				ask := money.Fen(rapid.Int64Range(0, 120000).Draw(r, "refund"))
				most := p.plan(0).RefundableFen
				if most == 0 {
					continue
				}
				plan, err := p.refund(min(ask, most))
				if err != nil {
					r.Fatalf("a plan of %s cannot be carried out: %v", p.planText(plan), err)
				}
				paidBack, bonusBack = paidBack+plan.RequestedFen, bonusBack+plan.BonusBackFen
			case 4:
				if len(bills) == 0 {
					continue
				}
				i := rapid.IntRange(0, len(bills)-1).Draw(r, "reverse")
				must(t, p.reverse(bills[i].posting))
				consumed -= bills[i].amount
				bills = append(bills[:i], bills[i+1:]...)
			case 5:
				if len(holds) > 0 {
					p.release(holds[0])
					holds = holds[1:]
				} else if principal > 0 {
					holds = append(holds, p.hold(rapid.Int64Range(1, int64(principal)).Draw(r, "hold"), rapid.Int64Range(0, int64(bonus)).Draw(r, "hold bonus")))
				}
			}
			principal, bonus = p.balance()
			if in+granted != consumed+paidBack+bonusBack+principal+bonus {
				r.Fatalf("in %d granted %d, consumed %d back %d bonus back %d left %d+%d", in, granted, consumed, paidBack, bonusBack, principal, bonus)
			}
			if bonus > granted-bonusBack || principal > in-paidBack {
				r.Fatal("principal and bonus were mixed")
			}
			for i, x := range p.tops {
				if x.RefundedFen > x.AmountFen || x.BonusBack > x.BonusFen {
					r.Fatalf("top-up %d gave back %d of %d and %d of %d bonus", i, x.RefundedFen, x.AmountFen, x.BonusBack, x.BonusFen)
				}
			}
		}
	})
	exact(t, d)
}
