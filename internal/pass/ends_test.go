package pass_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/wallet"
)

// A pass that ended, opened for a use that came back, and ended again: who extends it gets what both ends took, no more and no less.
func TestExtendAfterASecondEnd(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	for _, again := range []bool{true, false} {
		p := r.sell(r.plan(r.tenWash(thirtyDays)), m, sale.MethodCash, "")
		order, err := r.use(p, 2)
		must(t, err)
		r.passes(40 * 24 * time.Hour)
		r.want(p, pass.StateExpired, 0, 0)
		must(t, r.undo(order, m))
		r.want(p, pass.StateActive, 2, 6000)
		if again {
			r.passes(time.Hour)
			r.want(p, pass.StateExpired, 0, 0)
		}
		got, err := r.Extend(r.Ctx(), p.ID, 10, "顾客出差")
		must(t, err)
		if !got.ExpiresAt.After(r.DB.Now()) {
			t.Errorf("extended to %s, which is over", got.ExpiresAt)
		}
		r.want(p, pass.StateActive, 10, 30000)
		_, err = r.use(p, 3)
		must(t, err)
		r.want(p, pass.StateActive, 7, 21000)
	}
	// The same for one that earns by time: its value comes back once.
	p := r.sell(r.plan(r.tenWash(monthly)), m, sale.MethodCash, "")
	r.passes(15 * 24 * time.Hour)
	order, err := r.use(p, 1)
	must(t, err)
	r.passes(30 * 24 * time.Hour)
	must(t, r.undo(order, m))
	r.passes(time.Hour)
	_, err = r.Extend(r.Ctx(), p.ID, 10, "顾客出差")
	must(t, err)
	r.want(p, pass.StateActive, 0, 19900)
}

// A limit of so many each counts who bought: a pass that was given on counts for its buyer, not for its holder.
func TestPerMemberCountsTheBuyer(t *testing.T) {
	r := newRig(t)
	m, friend := r.Member("张三", "13900000001", "浙A12345"), r.Member("李四", "13900000002", "")
	plan := r.plan(r.tenWash(func(in *pass.PlanInput) { in.PerMember, in.Giftable = 1, true }))
	p := r.sell(plan, m, sale.MethodCash, "")
	gift, err := r.Gift(r.owner(m), m, p.ID)
	must(t, err)
	_, err = r.Claim(r.owner(friend), friend, gift.GiftCode, "")
	must(t, err)
	if _, err := r.try(plan, m, sale.MethodCash, ""); !errors.Is(err, pass.ErrMany) {
		t.Errorf("bought again after giving the first away: %v", err)
	}
	if _, err := r.try(plan, friend, sale.MethodCash, ""); err != nil {
		t.Errorf("who got one may buy one: %v", err)
	}
	r.exact()
}

// D08: a renewal is charged days after a notice that named its day: an end that moved is announced anew.
func TestD08MovedEndIsAnnouncedAnew(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	r.Topup(r.West, m, 50000, wallet.MethodCash)
	p := r.sell(r.plan(r.tenWash(monthly)), m, sale.MethodCash, "")
	_, err := r.Renewal(r.owner(m), m, p.ID, true)
	must(t, err)
	r.passes(27 * 24 * time.Hour)
	if r.messages("pass_renewal") != 1 {
		t.Fatalf("%d notices", r.messages("pass_renewal"))
	}
	_, err = r.Extend(r.Ctx(), p.ID, 60, "停业装修")
	must(t, err)
	for range 55 {
		r.passes(24 * time.Hour)
	}
	if n := r.messages("pass_renewal"); n != 1 {
		t.Errorf("%d notices long before the new end", n)
	}
	for range 12 {
		r.passes(24 * time.Hour)
	}
	list, err := r.Held(t.Context(), m, true)
	must(t, err)
	if r.messages("pass_renewal") != 2 || len(list) != 2 {
		t.Errorf("%d notices, %d passes", r.messages("pass_renewal"), len(list))
	}
	r.exact()
}

// A subscription that began on the 31st ends with each month's last day, not with February's for ever.
func TestRenewalKeepsItsDayOfTheMonth(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	r.Topup(r.West, m, 500000, wallet.MethodCash)
	r.Clock.Advance(time.Date(2027, 1, 31, 2, 0, 0, 0, time.UTC).Sub(r.DB.Now()))
	p := r.sell(r.plan(r.tenWash(monthly)), m, sale.MethodCash, "")
	_, err := r.Renewal(r.owner(m), m, p.ID, true)
	must(t, err)
	for range 100 {
		r.passes(24 * time.Hour)
	}
	list, err := r.Held(t.Context(), m, true)
	must(t, err)
	var ends []string
	for i := range list {
		ends = append(ends, pass.LastDay(list[len(list)-1-i].ExpiresAt))
	}
	want := []string{"2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"}
	if len(ends) != len(want) {
		t.Fatal(ends)
	}
	for i := range want {
		if ends[i] != want[i] {
			t.Errorf("ends are %v, want %v", ends, want)
			break
		}
	}
	r.exact()
}

// N10: a pass whose time is over is not given back, whether or not the job that ends it has come by.
func TestN10OverIsNotGivenBack(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	p := r.sell(r.plan(r.tenWash(thirtyDays)), m, sale.MethodCash, "")
	plan, err := r.RefundPlanFor(t.Context(), 0, p.ID, pass.FaultCustomer)
	must(t, err)
	r.Clock.Advance(40 * 24 * time.Hour)
	if got, err := r.RefundPlanFor(t.Context(), 0, p.ID, pass.FaultCustomer); !errors.Is(err, pass.ErrState) {
		t.Errorf("a plan for %d, %v", got.RefundFen, err)
	}
	if _, err := r.Service.Refund(r.Ctx(), p.ID, r.West, pass.FaultCustomer, "顾客申请", plan.PlanHash); !errors.Is(err, pass.ErrState) {
		t.Error(err)
	}
	r.exact()
}

// N11: a pass that the shop gave and took back does not come to life again by a use that is undone.
func TestN11RevokedStaysRevoked(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	plan := r.plan(r.tenWash(func(in *pass.PlanInput) { in.ValidMonths = 0 }))
	var p pass.Pass
	in := func(f func(ctx context.Context, tx *db.Tx) error) {
		t.Helper()
		must(t, r.DB.InTx(r.Ctx(), f))
	}
	in(func(ctx context.Context, tx *db.Tx) (err error) {
		p.ID, err = r.GiveTx(ctx, tx, pass.Gift{PlanID: plan.ID, MemberID: m, StoreID: r.West, Dedupe: "why", Why: "推荐有礼"})
		return err
	})
	p = r.get(p)
	order, err := r.use(p, 2)
	must(t, err)
	in(func(ctx context.Context, tx *db.Tx) error { return r.RevokeTx(ctx, tx, p.ID, "好友退款") })
	r.want(p, pass.StateRefunded, 0, 0)
	must(t, r.undo(order, m))
	if _, err := r.use(p, 1); !errors.Is(err, pass.ErrUse) {
		t.Errorf("used after it was taken back: %v", err)
	}
	r.passes(time.Hour)
	r.want(p, pass.StateExpired, 0, 0)
}
