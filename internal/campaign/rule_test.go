package campaign

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/tier"
)

func TestAGiftIsGivenOnceAndTakenBackOnce(t *testing.T) {
	r := newRig(t)
	m := r.join("")
	at := func(fn func(ctx context.Context, tx *db.Tx) (bool, error)) (n int) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		for range 12 {
			wg.Go(func() {
				done := false
				if err := r.db.InTx(r.ctx(), func(ctx context.Context, tx *db.Tx) (err error) {
					if _, err = r.members.StandingTx(ctx, tx, m); err != nil {
						return err
					}
					done, err = fn(ctx, tx)
					return err
				}); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if done {
					n++
				}
			})
		}
		wg.Wait()
		return n
	}
	if n := at(func(ctx context.Context, tx *db.Tx) (bool, error) {
		return r.GiveTx(ctx, tx, Give{MemberID: m, Source: "test", Dedupe: "test:1", Title: "见面礼", Gift: Gift{{Kind: Points, N: 70}}})
	}); n != 1 {
		t.Errorf("given %d times", n)
	}
	r.want(m, 70, "given")
	r.exact()
	if n := at(func(ctx context.Context, tx *db.Tx) (bool, error) { return r.TakeBackTx(ctx, tx, "test:1") }); n != 1 {
		t.Errorf("taken back %d times", n)
	}
	r.want(m, 0, "taken back")
	if n := at(func(ctx context.Context, tx *db.Tx) (bool, error) { return r.TakeBackTx(ctx, tx, "test:none") }); n != 0 {
		t.Errorf("what was never given came back %d times", n)
	}
	r.exact()
}

func TestAfterPurchase(t *testing.T) {
	r := newRig(t)
	m, other := r.join(""), r.join("")
	r.pay(m, ledger.Cash, 50000, 0) // before there is a rule
	r.clk.Advance(time.Minute)
	x := r.rule(RuleInput{Trigger: AfterPurchase, Terms: Terms{MinFen: 10000, PerMember: 2}})
	r.sweep()
	r.want(m, 0, "what was before the rule brings nothing")
	r.pay(m, ledger.Cash, 9999, 0)
	r.pay(m, ledger.Cash, 9000, 5000) // bonus is no money
	r.sweep()
	r.want(m, 0, "too little money")
	first := r.pay(m, ledger.WeChat, 10000, 0)
	r.sweep()
	r.sweep()
	r.want(m, 100, "exactly enough, once")
	r.pay(m, ledger.Alipay, 30000, 0)
	r.pay(m, ledger.Card, 30000, 0)
	r.sweep()
	r.want(m, 200, "no more than twice")
	r.pay(other, ledger.Cash, 20000, 0)
	r.clk.Advance(3 * time.Minute)
	r.sweep()
	r.want(other, 100, "another member")
	// An undone purchase takes its gift back, also when the points are spent, and no sweep gives it again.
	must(t, r.db.InTx(r.ctx(), func(ctx context.Context, tx *db.Tx) error {
		return r.points.TakeTx(ctx, tx, m, 150, "test", 1, "换走")
	}))
	r.undo(m, first)
	r.sweep()
	r.clk.Advance(10 * time.Minute)
	r.sweep()
	r.want(m, -50, "taken back into debt")
	p := r.pay(other, ledger.Cash, 20000, 0)
	r.undo(other, p)
	r.sweep()
	r.want(other, 100, "bought and undone between two looks")
	// Ended rules give nothing, but what they gave is still taken back.
	must(t, r.DeleteRule(r.ctx(), x.ID))
	r.pay(other, ledger.Cash, 20000, 0)
	r.sweep()
	r.want(other, 100, "the rule is gone")
	r.exact()
}

func TestManyPurchasesInOneMinute(t *testing.T) {
	r := newRig(t)
	r.rule(RuleInput{Trigger: AfterPurchase, Terms: Terms{MinFen: 1}, Gift: Gift{{Kind: Points, N: 1}}})
	m := r.join("")
	for range chunk + 20 {
		r.pay(m, ledger.Cash, 100, 0)
	}
	r.sweep()
	r.sweep()
	r.want(m, chunk+20, "each once")
}

func TestAFullShelfDoesNotStopTheOthers(t *testing.T) {
	r := newRig(t)
	no := &refuser{}
	r.Connect(Coupon, no)
	r.rule(RuleInput{Trigger: AfterPurchase, Terms: Terms{MinFen: 1}, Gift: Gift{{Kind: Coupon, ID: 7, N: 1}}})
	r.rule(RuleInput{Trigger: AfterPurchase, Terms: Terms{MinFen: 1}})
	no.err = fault.ErrInvalid
	m := r.join("")
	r.pay(m, ledger.Cash, 100, 0)
	r.sweep()
	r.want(m, 100, "the other rule gives")
	no.err = errors.New("the database is away")
	if err := r.Sweep(t.Context()); err == nil {
		t.Error("an unknown failure must show")
	}
	no.err = nil
	r.sweep()
	var n int
	must(t, r.db.Get(t.Context(), &n, `SELECT COUNT(*) FROM campaign_gifts WHERE state = 'given'`))
	if n != 2 {
		t.Errorf("%d gifts", n)
	}
}

func TestBirthdays(t *testing.T) {
	r := newRig(t)
	may, leap, gold := r.join("1990-05-01"), r.join("1992-02-29"), r.join("1985-05-01")
	must(t, r.db.InTx(r.ctx(), func(ctx context.Context, tx *db.Tx) error {
		return r.tiers.SetMemberTierTx(ctx, tx, gold, r.gold, "测试")
	}))
	r.rule(RuleInput{Trigger: Birthday, Name: "生日礼", Gift: Gift{{Kind: Points, N: 10}}})
	r.rule(RuleInput{Trigger: Birthday, Name: "金卡生日礼", Terms: Terms{TierIDs: []int64{r.gold}, DaysBefore: 3}, Gift: Gift{{Kind: Points, N: 1000}}})
	for day := time.Date(2026, 11, 18, 2, 0, 0, 0, time.UTC); day.Year() < 2029; day = day.AddDate(0, 0, 1) {
		if d := day.Format("01-02"); d == "05-01" || d == "04-30" {
			continue // the service was down on these days
		}
		r.clk.Set(day)
		if day.Format("01-02") == "05-02" || day.Format("01-02") == "02-28" || day.Format("01-02") == "02-29" || day.Format("01-02") == "04-28" || day.Day() == 3 {
			must(t, r.SweepBirthdays(t.Context()))
		}
	}
	r.want(may, 20, "two years")
	r.want(leap, 20, "28 February 2027 and 29 February 2028")
	r.want(gold, 2020, "both rules, twice")
	// Who changes the birthday within a year gets nothing more.
	m := r.join("1990-01-10")
	for _, d := range []int{10, 20} {
		r.clk.Set(time.Date(2029, 1, d, 2, 0, 0, 0, time.UTC))
		must(t, r.members.Update(r.ctx(), m, member.Edit{Name: ptr("测试"), Birthday: ptr(fmt.Sprintf("1990-01-%d", d))}))
		must(t, r.SweepBirthdays(t.Context()))
	}
	r.want(m, 10, "once a year")
	r.exact()
}

func TestATierGivesOnBirthdays(t *testing.T) {
	r := newRig(t)
	silver, err := r.tiers.Create(r.ctx(), tier.Input{Name: "银卡", Color: "#CCCCCC", Rank: 3, DiscountBP: 10000, Programme: &tier.Programme{Gift: &tier.Gift{Kind: Points, N: 88, Title: "银卡生日礼"}}})
	must(t, err)
	m, plain := r.join("1990-12-01"), r.join("1990-12-01")
	must(t, r.db.InTx(r.ctx(), func(ctx context.Context, tx *db.Tx) error {
		return r.tiers.SetMemberTierTx(ctx, tx, m, silver.ID, "测试")
	}))
	for range 400 {
		r.clk.Advance(24 * time.Hour)
		if d := r.clk.Now().Day(); d == 1 || d == 2 {
			must(t, r.SweepBirthdays(t.Context()))
		}
	}
	r.want(m, 176, "twice in 400 days")
	r.want(plain, 0, "the default tier gives nothing")
	r.exact()
}

func ptr[T any](v T) *T { return &v }

func TestJoinReviewActivityFollow(t *testing.T) {
	r := newRig(t)
	old := r.join("")
	r.clk.Advance(time.Hour)
	r.rule(RuleInput{Trigger: Join, Gift: Gift{{Kind: Points, N: 1}}})
	r.rule(RuleInput{Trigger: Review, Terms: Terms{MinStars: 4, PerMember: 2}, Gift: Gift{{Kind: Points, N: 10}}})
	r.rule(RuleInput{Trigger: FirstFollow, Gift: Gift{{Kind: Points, N: 1000}}})
	fresh := r.join("")
	r.sweep()
	r.clk.Advance(5 * time.Minute)
	r.sweep()
	r.want(old, 0, "joined before")
	r.want(fresh, 1, "joined after")
	_, err := r.members.Reissue(r.ctx(), old, "丢了")
	must(t, err)
	r.sweep()
	r.want(old, 0, "a new card is no new member")
	for i, stars := range []int{5, 3, 4, 5} {
		r.rated = append(r.rated, Rated{RefID: int64(i + 1), MemberID: old, Stars: stars, At: r.clk.Now()})
		r.clk.Advance(2 * time.Minute)
		r.sweep()
		r.sweep()
	}
	r.want(old, 20, "two good reviews")
	follow := func(m int64, who string) {
		must(t, r.db.InTx(r.ctx(), func(ctx context.Context, tx *db.Tx) error { return r.FirstFollowTx(ctx, tx, m, who) }))
	}
	follow(fresh, "union-1")
	follow(fresh, "union-1")
	follow(fresh, "union-2")
	follow(old, "union-1")
	r.want(fresh, 1001, "first follow, once a member")
	r.want(old, 20, "and once a person")
	end := r.clk.Now().Add(48 * time.Hour)
	r.rule(RuleInput{Trigger: Activity, EndsAt: &end, Gift: Gift{{Kind: Points, N: 5}}})
	r.sweep()
	r.sweep()
	late := r.join("")
	r.clk.Advance(time.Hour)
	r.sweep()
	r.want(fresh, 1006, "activity")
	r.want(late, 6, "who joins while it lasts")
	r.clk.Advance(48 * time.Hour)
	later := r.join("")
	r.sweep()
	r.want(later, 1, "after its end")
	r.exact()
}

func TestRulesAreChecked(t *testing.T) {
	r := newRig(t)
	r.Connect(Coupon, &refuser{})
	past := r.clk.Now().Add(-time.Hour)
	points := Gift{{Kind: Points, N: 1}}
	for name, c := range map[string]struct {
		in    RuleInput
		field string
	}{
		"no name":       {RuleInput{Name: " ", Trigger: Join, Gift: points}, "name"},
		"no amount":     {RuleInput{Name: "x", Trigger: AfterPurchase, Gift: points}, "terms.minFen"},
		"amount":        {RuleInput{Name: "x", Trigger: Join, Terms: Terms{MinFen: 1}, Gift: points}, "terms.minFen"},
		"days":          {RuleInput{Name: "x", Trigger: Join, Terms: Terms{DaysBefore: 1}, Gift: points}, "terms.daysBefore"},
		"stars":         {RuleInput{Name: "x", Trigger: Join, Terms: Terms{MinStars: 1}, Gift: points}, "terms.minStars"},
		"tier":          {RuleInput{Name: "x", Trigger: Birthday, Terms: Terms{TierIDs: []int64{r.gold, 99}}, Gift: points}, "terms.tierIds[1]"},
		"no end":        {RuleInput{Name: "x", Trigger: Activity, Gift: points}, "endsAt"},
		"ends first":    {RuleInput{Name: "x", Trigger: Join, StartsAt: ptr(r.clk.Now()), EndsAt: &past, Gift: points}, "endsAt"},
		"no gift":       {RuleInput{Name: "x", Trigger: Join}, "gift"},
		"too much":      {RuleInput{Name: "x", Trigger: Join, Gift: Gift{{Kind: Coupon, ID: 7, N: 101}}}, "gift[0].n"},
		"nobody gives":  {RuleInput{Name: "x", Trigger: Join, Gift: Gift{{Kind: Pass, ID: 7, N: 1}}}, "gift[0].kind"},
		"no such thing": {RuleInput{Name: "x", Trigger: Join, Gift: Gift{{Kind: Points, N: 1}, {Kind: Coupon, ID: 8, N: 1}}}, "gift[1].id"},
		"twice":         {RuleInput{Name: "x", Trigger: Join, Gift: Gift{{Kind: Points, N: 1}, {Kind: Points, N: 2}}}, "gift[1].id"},
	} {
		_, err := r.SaveRule(r.ctx(), 0, c.in)
		if f := fault.As(err); err == nil || len(f.Fields) != 1 || f.Fields[0].Field != c.field {
			t.Errorf("%s: %v %+v, want a complaint at %s", name, err, f, c.field)
		}
	}
	x := r.rule(RuleInput{Trigger: Join})
	if _, err := r.SaveRule(r.ctx(), x.ID, RuleInput{Name: "x", Trigger: Review, Gift: points}); fault.As(err).Fields[0].Field != "trigger" {
		t.Error(err)
	}
	y, err := r.SaveRule(r.ctx(), x.ID, RuleInput{Name: "新名", Trigger: Join, Gift: points, Active: ptr(false)})
	if err != nil || y.Active || !y.StartsAt.Equal(x.StartsAt) {
		t.Error(y, err)
	}
	if _, err := r.SaveRule(r.ctx(), 12345, RuleInput{Name: "x", Trigger: Join, Gift: points}); !errors.Is(err, fault.ErrNotFound) {
		t.Error(err)
	}
}
