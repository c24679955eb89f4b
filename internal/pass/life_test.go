package pass_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/pass"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/wallet"
)

func thirtyDays(in *pass.PlanInput) { in.ValidMonths, in.ValidDays = 0, 30 }

// N13: the setting is read, the holder is warned before, and what is left is the shop's at the end; the manager may take that back.
func TestN13ExpiryWarnsAndEnds(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	p := r.sell(r.plan(r.tenWash(thirtyDays)), m, sale.MethodCash, "")
	_, err := r.use(p, 2)
	must(t, err)
	r.passes(22 * 24 * time.Hour)
	if r.messages("pass_expiring") != 0 {
		t.Error("warned too early")
	}
	r.passes(3 * 24 * time.Hour)
	r.passes(time.Hour)
	if r.messages("pass_expiring") != 1 {
		t.Errorf("%d warnings", r.messages("pass_expiring"))
	}
	r.passes(5 * 24 * time.Hour) // the last day
	r.want(p, pass.StateActive, 8, 24000)
	r.passes(14 * time.Hour) // midnight in Shanghai
	r.want(p, pass.StateExpired, 0, 0)
	if r.account(ledger.Revenue) != 30000 {
		t.Errorf("revenue %d", r.account(ledger.Revenue))
	}
	got, err := r.Extend(r.Ctx(), p.ID, 10, "顾客出差")
	must(t, err)
	r.want(p, pass.StateActive, 8, 24000)
	if r.account(ledger.Revenue) != 6000 || pass.LastDay(got.ExpiresAt) != "2026-12-29" {
		t.Errorf("revenue %d, %s", r.account(ledger.Revenue), pass.LastDay(got.ExpiresAt))
	}
	if _, err := r.use(p, 1); err != nil {
		t.Error(err)
	}
	r.passes(20 * 24 * time.Hour)
	r.want(p, pass.StateExpired, 0, 0)
}

// A use that is taken back after the end opens the pass for what came back, and time ends it again.
func TestUndoAfterTheEnd(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	p := r.sell(r.plan(r.tenWash(thirtyDays)), m, sale.MethodCash, "")
	order, err := r.use(p, 2)
	must(t, err)
	r.passes(40 * 24 * time.Hour)
	r.want(p, pass.StateExpired, 0, 0)
	must(t, r.undo(order, m))
	r.want(p, pass.StateActive, 2, 6000)
	r.passes(time.Hour)
	r.want(p, pass.StateExpired, 0, 0)
	// The same for a pass that was given back: the use that came back is still owed.
	q := r.sell(r.plan(r.tenWash()), m, sale.MethodCash, "")
	order, err = r.use(q, 3)
	must(t, err)
	r.Clock.Advance(8 * 24 * time.Hour)
	if plan := r.refund(q, pass.FaultCustomer); plan.RefundFen != 16500 {
		t.Errorf("%+v", plan)
	}
	must(t, r.undo(order, m))
	r.want(q, pass.StateActive, 3, 9000)
	if plan := r.refund(q, pass.FaultShop); plan.RefundFen != 9000 {
		t.Errorf("%+v", plan)
	}
	r.want(q, pass.StateRefunded, 0, 0)
}

func TestX10PauseMovesTheEnd(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	p := r.sell(r.plan(r.tenWash(thirtyDays)), m, sale.MethodCash, "")
	paused, err := r.Pause(r.owner(m), m, p.ID, "出差")
	must(t, err)
	if paused.State != pass.StatePaused || pass.LastDay(paused.PauseUntil) != "2026-12-17" {
		t.Errorf("%s until %s", paused.State, pass.LastDay(paused.PauseUntil))
	}
	if _, err := r.use(p, 1); !errors.Is(err, pass.ErrUse) {
		t.Error(err)
	}
	if _, err := r.Pause(r.owner(m), m, p.ID, "又"); !errors.Is(err, pass.ErrState) {
		t.Error(err)
	}
	r.passes(12 * 24 * time.Hour)
	got, err := r.Resume(r.owner(m), m, p.ID)
	must(t, err)
	if pass.LastDay(got.ExpiresAt) != "2026-12-30" {
		t.Error(pass.LastDay(got.ExpiresAt))
	}
	r.want(p, pass.StateActive, 10, 30000)
	if _, err := r.use(p, 1); err != nil {
		t.Error(err)
	}
	// 18 days are left to the owner: then it runs again by itself.
	_, err = r.Pause(r.owner(m), m, p.ID, "再")
	must(t, err)
	r.passes(30 * 24 * time.Hour)
	if got := r.get(p); got.State != pass.StateActive || pass.LastDay(got.ExpiresAt) != "2027-01-17" {
		t.Errorf("%s %s", got.State, pass.LastDay(got.ExpiresAt))
	}
	if _, err := r.Pause(r.owner(m), m, p.ID, "没了"); !errors.Is(err, pass.ErrPause) {
		t.Error(err)
	}
	if _, err := r.Pause(r.Ctx(), 0, p.ID, "店长"); err != nil {
		t.Error(err)
	}
	forever := r.sell(r.plan(r.tenWash(func(in *pass.PlanInput) { in.ValidMonths = 0 })), m, sale.MethodCash, "")
	if _, err := r.Pause(r.owner(m), m, forever.ID, "没有期限"); !errors.Is(err, pass.ErrPause) {
		t.Error(err)
	}
	r.exact()
}

func TestX10PlateHasItsDays(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	plan := r.plan(r.tenWash(func(in *pass.PlanInput) { in.Plates = 2 }))
	if _, err := r.try(plan, m, sale.MethodCash, ""); !errors.Is(err, pass.ErrPlate) {
		t.Error(err)
	}
	if _, err := r.try(plan, m, sale.MethodCash, "浙A1"); !errors.Is(err, pass.ErrPlate) {
		t.Error(err)
	}
	p := r.sell(plan, m, sale.MethodCash, "浙A12345")
	for _, c := range []struct {
		plate, old string
		want       error
	}{
		{"浙B22222", "", nil},
		{"浙C33333", "", pass.ErrPlateCap},
		{"浙B22222", "浙A12345", pass.ErrPlate}, // it is bound already
		{"浙C33333", "浙D44444", pass.ErrPlate},
		{"浙C33333", "浙A12345", nil},
		{"浙A12345", "浙C33333", pass.ErrPlateHot},
		{"车", "", pass.ErrPlate},
	} {
		if _, err := r.Plate(r.owner(m), m, p.ID, c.plate, c.old); !errors.Is(err, c.want) {
			t.Errorf("%s for %q: %v, want %v", c.plate, c.old, err, c.want)
		}
	}
	if _, err := r.use(p, 1); !errors.Is(err, pass.ErrUse) {
		t.Error(err)
	}
	r.Clock.Advance(31 * 24 * time.Hour)
	got, err := r.Plate(r.owner(m), m, p.ID, "浙A12345", "浙C33333")
	must(t, err)
	if len(got.Plates) != 2 || got.Plates[0] != "浙B22222" || got.Plates[1] != "浙A12345" {
		t.Error(got.Plates)
	}
	hints, err := r.OfPlate(t.Context(), r.DB, "浙B22222")
	if err != nil || len(hints) != 1 {
		t.Errorf("%v %v", hints, err)
	}
	if _, err := r.Plate(r.Ctx(), 0, p.ID, "浙E55555", "浙B22222"); err != nil { // staff need not wait
		t.Error(err)
	}
	stranger := r.Member("李四", "13900000002", "")
	if _, err := r.Plate(r.owner(stranger), stranger, p.ID, "浙F66666", "浙A12345"); !errors.Is(err, fault.ErrNotFound) {
		t.Error(err)
	}
}

// A gift is claimed once, however many tap at the same moment; what was used stays used, and plates are bound anew.
func TestGiftIsClaimedOnce(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	friends := []int64{r.Member("甲", "13900000002", "浙A22222"), r.Member("乙", "13900000003", "浙A33333"), r.Member("丙", "13900000004", "浙A44444")}
	p := r.sell(r.plan(r.tenWash(func(in *pass.PlanInput) { in.Giftable, in.Plates = true, 1 })), m, sale.MethodCash, "浙A12345")
	order, err := r.use(p, 4)
	must(t, err)
	if _, err := r.Gift(r.owner(m), m, p.ID); !errors.Is(err, pass.ErrNoGift) {
		t.Errorf("used today: %v", err)
	}
	shown := func(want bool, when string) {
		t.Helper()
		if got := pass.ViewOf(r.get(p), r.Clock.Now(), true).CanGift; got != want {
			t.Errorf("%s: the page says %v", when, got)
		}
	}
	shown(false, "used just now")
	r.Clock.Advance(time.Hour)
	undone, err := r.use(p, 1)
	must(t, err)
	r.Clock.Advance(23 * time.Hour)
	shown(false, "used 23 hours ago")
	must(t, r.undo(undone, m))
	shown(true, "what was undone is no use")
	r.Clock.Advance(time.Hour)
	g, err := r.Gift(r.owner(m), m, p.ID)
	must(t, err)
	if again, err := r.Gift(r.owner(m), m, p.ID); err != nil || again.GiftCode != g.GiftCode || len(g.GiftCode) != 12 {
		t.Errorf("%v %q %q", err, again.GiftCode, g.GiftCode)
	}
	if _, err := r.use(p, 1); !errors.Is(err, pass.ErrUse) {
		t.Error(err)
	}
	for who, c := range map[string]struct {
		m     int64
		code  string
		plate string
		want  error
	}{"oneself": {m, g.GiftCode, "浙A12345", pass.ErrNoGift}, "a wrong code": {friends[0], "AAAAAAAAAAAA", "浙A22222", pass.ErrClaim}, "without a plate": {friends[0], g.GiftCode, "", pass.ErrPlate}} {
		if _, err := r.Claim(r.owner(c.m), c.m, c.code, c.plate); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", who, err)
		}
	}
	var wg sync.WaitGroup
	var got, missed atomic.Int64
	for i, f := range friends {
		ctx := r.owner(f)
		wg.Go(func() {
			switch _, err := r.Claim(ctx, f, g.GiftCode, []string{"浙A22222", "浙A33333", "浙A44444"}[i]); {
			case err == nil:
				got.Add(1)
			case errors.Is(err, pass.ErrClaim) || errors.Is(err, fault.ErrNotFound):
				missed.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got.Load() != 1 || missed.Load() != 2 {
		t.Errorf("%d got it, %d missed it", got.Load(), missed.Load())
	}
	now := r.want(p, pass.StateActive, 6, 18000)
	if now.GivenBy != m || len(now.Plates) != 1 || now.Plates[0] == "浙A12345" {
		t.Errorf("%+v", now)
	}
	if err := r.undo(order, m); !errors.Is(err, pass.ErrGifted) {
		t.Errorf("the giver's use: %v", err)
	}
	if _, err := r.Gift(r.owner(now.MemberID), now.MemberID, p.ID); !errors.Is(err, pass.ErrNoGift) {
		t.Error(err)
	}
	if _, err := r.use(now, 1, func(u *pass.Use) { u.Plate = now.Plates[0] }); err != nil {
		t.Error(err)
	}
	r.want(p, pass.StateActive, 5, 15000)
	// Who paid gets the money.
	r.refund(now, pass.FaultShop)
	r.want(p, pass.StateRefunded, 0, 0)
}

func TestGiftComesBack(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	f := r.Member("甲", "13900000002", "浙A22222")
	p := r.sell(r.plan(r.tenWash(func(in *pass.PlanInput) { in.Giftable = true })), m, sale.MethodCash, "")
	g, err := r.Gift(r.owner(m), m, p.ID)
	must(t, err)
	_, err = r.TakeBack(r.owner(m), m, p.ID)
	must(t, err)
	if _, err := r.Claim(r.owner(f), f, g.GiftCode, ""); !errors.Is(err, pass.ErrClaim) {
		t.Error(err)
	}
	g, err = r.Gift(r.owner(m), m, p.ID)
	must(t, err)
	r.Clock.Advance(8 * 24 * time.Hour) // nobody came: it is good again
	if _, err := r.Claim(r.owner(f), f, g.GiftCode, ""); !errors.Is(err, pass.ErrClaim) {
		t.Error(err)
	}
	if _, err := r.use(p, 1); err != nil {
		t.Error(err)
	}
}

func monthly(in *pass.PlanInput) {
	in.Kind, in.PerDay, in.ValidMonths, in.PriceFen = pass.KindUnlimited, 1, 1, 19900
	in.Lines[0].Times, in.Renew = 0, &pass.Renew{Months: 1, PriceFen: 19900}
}

// D08, N17: a subscription is announced, charged once, and the pass that follows is its own; switched off it just ends.
func TestD08Renewal(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	r.Topup(r.West, m, 50000, wallet.MethodCash)
	p := r.sell(r.plan(r.tenWash(monthly)), m, sale.MethodCash, "")
	if p.RenewOn {
		t.Fatal("on by itself")
	}
	_, err := r.Renewal(r.owner(m), m, p.ID, true)
	must(t, err)
	r.passes(20 * 24 * time.Hour) // 11 days to go
	if r.messages("pass_renewal") != 0 {
		t.Error("announced too early")
	}
	for range 30 * 8 { // every three hours
		r.passes(3 * time.Hour)
	}
	list, err := r.Held(t.Context(), m, true)
	must(t, err)
	if len(list) != 2 || r.messages("pass_renewal") != 1 {
		t.Fatalf("%d passes, %d notices", len(list), r.messages("pass_renewal"))
	}
	next := list[0]
	if next.RenewsID != p.ID || !next.StartsAt.Equal(p.ExpiresAt) || pass.LastDay(next.ExpiresAt) != "2027-01-18" || !next.RenewOn || next.SaleID == p.SaleID {
		t.Errorf("%+v", next)
	}
	if got := r.get(p); got.State != pass.StateExpired || got.RenewOn {
		t.Errorf("%+v", got)
	}
	b, err := ledger.BalanceOf(t.Context(), r.DB, m)
	must(t, err)
	if b.Principal+b.Bonus != 58000-19900 {
		t.Errorf("%+v", b)
	}
	_, err = r.Renewal(r.owner(m), m, next.ID, false)
	must(t, err)
	r.passes(40 * 24 * time.Hour)
	if list, _ := r.Held(t.Context(), m, true); len(list) != 2 {
		t.Errorf("%d passes", len(list))
	}
	r.exact()
}

// What followed a pass and was given back does not stand in the way of the next one.
func TestARenewalThatWentBackMayBeHadAgain(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	r.Topup(r.West, m, 50000, wallet.MethodCash)
	p := r.sell(r.plan(r.tenWash(monthly)), m, sale.MethodCash, "")
	_, err := r.Renewal(r.owner(m), m, p.ID, true)
	must(t, err)
	held := func() []pass.Pass {
		list, err := r.Held(t.Context(), m, true)
		must(t, err)
		return list
	}
	for range 40 * 8 {
		if r.passes(3 * time.Hour); len(held()) == 2 {
			break
		}
	}
	if got := r.get(p); got.State != pass.StateActive || len(held()) != 2 {
		t.Fatalf("%+v of %d", got, len(held()))
	}
	r.refund(held()[0], pass.FaultShop)
	_, err = r.Renewal(r.owner(m), m, p.ID, true)
	must(t, err)
	for range 6 * 8 {
		r.passes(3 * time.Hour)
	}
	list := held()
	if len(list) != 3 || list[0].State != pass.StateActive || list[0].RenewsID != p.ID || r.get(p).RenewOn {
		t.Errorf("%d passes, the first %+v", len(list), r.get(p))
	}
	r.exact()
}

// Without notice nothing is charged, without money nothing is renewed, and both are said.
func TestRenewalNeedsNoticeAndMoney(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	p := r.sell(r.plan(r.tenWash(monthly)), m, sale.MethodCash, "")
	_, err := r.Renewal(r.owner(m), m, p.ID, true)
	must(t, err)
	r.passes(30 * 24 * time.Hour) // the service was down: the notice goes out on the last day
	r.passes(24 * time.Hour)
	if list, _ := r.Held(t.Context(), m, true); len(list) != 1 {
		t.Fatal("charged without days of notice")
	}
	r.passes(5 * 24 * time.Hour) // now the days are over, and the wallet is empty
	if got := r.get(p); got.RenewNote == "" || !got.RenewOn {
		t.Errorf("%+v", got)
	}
	r.passes(time.Hour)
	if r.messages("pass_renewal") != 2 {
		t.Errorf("%d messages", r.messages("pass_renewal"))
	}
	r.Topup(r.West, m, 50000, wallet.MethodCash)
	r.passes(time.Hour)
	list, err := r.Held(t.Context(), m, true)
	must(t, err)
	if len(list) != 2 || list[0].StartsAt.Before(p.ExpiresAt) {
		t.Errorf("%+v", list)
	}
	plain := r.sell(r.plan(r.tenWash()), m, sale.MethodCash, "")
	if _, err := r.Renewal(r.owner(m), m, plain.ID, true); !errors.Is(err, pass.ErrRenew) {
		t.Error(err)
	}
	r.exact()
}

// A pass that earns by time: on each use what has passed, and the rest at the end.
func TestEarnsByTime(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	p := r.sell(r.plan(r.tenWash(monthly)), m, sale.MethodCash, "") // 30.6 days: 31
	for _, c := range []struct {
		days int
		owed money.Fen
	}{{0, 19900}, {10, 19900 - 19900*10/31}, {5, 19900 - 19900*15/31}} {
		r.Clock.Advance(time.Duration(c.days) * 24 * time.Hour)
		order, err := r.use(p, 1)
		must(t, err)
		r.want(p, pass.StateActive, 0, c.owed)
		if c.days == 10 {
			must(t, r.undo(order, m))
			r.want(p, pass.StateActive, 0, 19900)
			_, err := r.use(p, 1)
			must(t, err)
		}
		if _, err := r.use(p, 1); !errors.Is(err, pass.ErrUse) {
			t.Errorf("twice a day: %v", err)
		}
	}
	r.passes(20 * 24 * time.Hour)
	r.want(p, pass.StateExpired, 0, 0)
	if r.account(ledger.Revenue) != 19900 {
		t.Errorf("revenue %d", r.account(ledger.Revenue))
	}
}

func TestSuspendedMembersBuyNothing(t *testing.T) {
	r := newRig(t)
	m := r.Member("张三", "13900000001", "浙A12345")
	plan := r.plan(r.tenWash())
	must(t, r.Members.Suspend(r.Ctx(), m, "核实身份"))
	if _, err := r.try(plan, m, sale.MethodCash, ""); !errors.Is(err, member.ErrSuspended) {
		t.Error(err)
	}
}

// The tick may stop anywhere and go on.
func TestTickGoesOn(t *testing.T) {
	r := newRig(t)
	plan := r.plan(r.tenWash(thirtyDays))
	var all []pass.Pass
	for i := range 5 {
		all = append(all, r.sell(plan, r.Member("会员", "1380000000"+string(rune('0'+i)), ""), sale.MethodCash, ""))
	}
	r.Clock.Advance(40 * 24 * time.Hour)
	ctx, cancel := context.WithCancel(actor.With(t.Context(), actor.Job("x")))
	cancel()
	if err := r.Tick(ctx); err == nil {
		t.Error("went on without a context")
	}
	must(t, r.Tick(t.Context()))
	must(t, r.Tick(t.Context()))
	for _, p := range all {
		r.want(p, pass.StateExpired, 0, 0)
	}
}
