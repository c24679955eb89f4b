package pass_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/wallet"
)

// Property: whatever happens to a pass, and in whatever order, the journal, the sales and the passes agree afterwards, nothing is negative, and
// what was paid is what was earned, what went back and what is still owed.
func TestLifeOfAPassProperty(t *testing.T) {
	r := newRig(t)
	counted := r.plan(r.tenWash(func(in *pass.PlanInput) {
		thirtyDays(in)
		in.PriceFen, in.Giftable, in.Recharge = 29999, true, &pass.Recharge{Times: 3, PriceFen: 10001}
	}))
	timed := r.plan(r.tenWash(monthly))
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n += 2
		m, friend := r.Member("会员", fmt.Sprintf("138%08d", n), ""), r.Member("朋友", fmt.Sprintf("138%08d", n+1), "")
		r.Topup(r.West, m, 50000, wallet.MethodCash)
		p := r.sell(rapid.SampledFrom([]pass.Plan{counted, timed}).Draw(rt, "plan"), m, rapid.SampledFrom([]string{sale.MethodCash, sale.MethodBalance}).Draw(rt, "method"), "")
		var orders [][2]int64
		may := func(what string, err error) {
			var f *fault.Error
			if err != nil && (!errors.As(err, &f) || f.Kind == fault.Internal) {
				rt.Fatalf("%s: %v", what, err)
			}
		}
		for range rapid.IntRange(1, 9).Draw(rt, "steps") {
			now := r.get(p)
			switch what := rapid.SampledFrom([]string{"use", "use", "use", "undo", "recharge", "pause", "resume", "gift", "days", "extend", "refund"}).Draw(rt, "step"); what {
			case "use":
				order, err := r.use(now, rapid.Int64Range(1, 4).Draw(rt, "qty"))
				may(what, err)
				if err == nil {
					orders = append(orders, [2]int64{order, now.MemberID})
				}
			case "undo":
				if len(orders) > 0 {
					i := rapid.IntRange(0, len(orders)-1).Draw(rt, "order")
					may(what, r.undo(orders[i][0], orders[i][1]))
				}
			case "recharge":
				may(what, r.recharge(now, sale.MethodCash))
			case "pause":
				_, err := r.Pause(r.owner(now.MemberID), now.MemberID, p.ID, "暂停")
				may(what, err)
			case "resume":
				_, err := r.Resume(r.owner(now.MemberID), now.MemberID, p.ID)
				may(what, err)
			case "gift":
				g, err := r.Gift(r.owner(now.MemberID), now.MemberID, p.ID)
				may(what, err)
				if err == nil {
					_, err = r.Claim(r.owner(friend), friend, g.GiftCode, "")
					may("claim", err)
				}
			case "days":
				r.passes(time.Duration(rapid.IntRange(1, 20).Draw(rt, "days")) * 24 * time.Hour)
			case "extend":
				_, err := r.Extend(r.Ctx(), p.ID, 5, "补偿")
				may(what, err)
			case "refund":
				plan, err := r.RefundPlanFor(t.Context(), 0, p.ID, rapid.SampledFrom([]string{pass.FaultShop, pass.FaultCustomer}).Draw(rt, "fault"))
				may(what, err)
				if err == nil {
					_, err = r.Service.Refund(r.Ctx(), p.ID, r.West, plan.Fault, "顾客申请", plan.PlanHash)
					may(what, err)
				}
			}
		}
		// Passes of earlier rounds end meanwhile, so the sums are those of all.
		var paid, back, owed int64
		must(t, r.DB.Get(t.Context(), &back, `SELECT COALESCE(SUM(refunded_fen), 0) FROM sale_sales`))
		must(t, r.DB.Get(t.Context(), &paid, `SELECT COALESCE(SUM(paid_fen), 0) FROM pass_passes`))
		must(t, r.DB.Get(t.Context(), &owed, `SELECT COALESCE(SUM(value_fen), 0) FROM pass_passes`))
		if earned := r.account(ledger.Revenue); earned < 0 || paid != earned+back+owed {
			rt.Fatalf("paid %d is not earned %d + back %d + owed %d", paid, earned, back, owed)
		}
		r.exact()
		if t.Failed() {
			rt.Fatal("the books do not agree")
		}
	})
}
