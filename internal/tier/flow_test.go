package tier_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/shopfloor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/tier"
)

var must = shopfloor.Must

// programme is a business whose tiers are connected: 金卡 from 100 yuan within a year.
type programme struct {
	*shopfloor.Floor
	sales *sale.Service
	def   int64
}

func open(t testing.TB) *programme {
	p := &programme{Floor: shopfloor.New(t)}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	q := jobs.New(p.DB, log)
	p.sales = sale.New(p.DB, log, p.Members, payment.New(p.DB, q, nil, log), p.Shops, p.Settings)
	p.Tiers.Connect(p.Settings, p.deps(q, log))
	def, err := p.Tiers.Default(t.Context(), p.DB)
	must(t, err)
	p.def = def.ID
	p.rule(p.Gold, "金卡", 2, tier.Programme{Rule: &tier.Rule{Match: tier.MatchAny, Measures: []tier.Measure{{Kind: tier.SpendYear, AtLeast: 10_000}}}})
	return p
}

type unknown struct{}

func (unknown) Recipients(context.Context, int64) ([]notify.Recipient, error) { return nil, nil }
func (unknown) OpenID(context.Context, int64) (string, string, error) {
	return "", "", fault.ErrNotFound
}

func (p *programme) deps(q *jobs.Queue, log *slog.Logger) tier.Deps {
	return tier.Deps{Log: log, People: p.Members, Messages: notify.New(p.DB, q, unknown{}, nil, p.Settings, notify.Options{}), Catalog: p.Catalog, Shops: p.Shops, Sales: p.sales, Queue: q}
}

func (p *programme) rule(id int64, name string, rank int, of tier.Programme) tier.Full {
	p.T.Helper()
	f, err := p.Tiers.UpdateFull(p.Ctx(), id, tier.Input{Name: name, Color: "#C9A227", Rank: rank, DiscountBP: 10000, Programme: &of})
	must(p.T, err)
	return f
}

func (p *programme) set(key string, v any) {
	p.T.Helper()
	must(p.T, p.Settings.Update(p.Ctx(), []setting.Value{{Key: key, Value: v}}))
}

func (p *programme) is(m, want int64) {
	p.T.Helper()
	if got, err := p.Tiers.OfMember(p.T.Context(), p.DB, m); err != nil || got.ID != want {
		p.T.Fatalf("member is in %s, %v", got.Name, err)
	}
}

// sound says that journal and slice contradict neither themselves nor each other.
func (p *programme) sound() {
	p.T.Helper()
	var out []string
	must(p.T, ledger.Audit(p.T.Context(), p.DB, func(s string) { out = append(out, s) }, func(int) {}))
	must(p.T, p.Tiers.Audit(p.T.Context(), func(s string) { out = append(out, s) }))
	if len(out) > 0 {
		p.T.Fatalf("audit: %s", strings.Join(out, "\n"))
	}
}

func (p *programme) in(fn func(ctx context.Context, tx *db.Tx) error) error {
	return p.DB.InTx(actor.With(p.T.Context(), p.Staff()), fn)
}

func TestSpendingRaisesAtOnceAndReversingLowers(t *testing.T) {
	p := open(t)
	m := p.Member("王五", "13800000001", "")
	ctx := p.Ctx()
	p.Settle(p.West, m, "沪A12345", []int64{p.Wash})
	must(t, p.Tiers.Sweep(ctx))
	p.is(m, p.def)
	o := p.Settle(p.West, m, "沪A12345", []int64{p.Wash, p.Wash})
	must(t, p.Tiers.Sweep(ctx))
	p.is(m, p.Gold)
	mine, err := p.Tiers.Of(ctx, m)
	must(t, err)
	if len(mine.Changes) != 1 || mine.Changes[0].ToName != "金卡" || mine.Source != tier.FromRule || !strings.Contains(mine.Reason, "¥100.00") || mine.KeptUntil == "" {
		t.Errorf("%+v", mine)
	}
	var told int
	must(t, p.DB.Get(ctx, &told, `SELECT COUNT(*) FROM notify_messages WHERE event = 'tier_changed' AND member_id = ?`, m))
	if told != 1 {
		t.Errorf("told %d times", told)
	}
	must(t, p.Tiers.Sweep(ctx)) // nothing is new
	p.Reverse(o.ID)
	must(t, p.Tiers.Sweep(ctx))
	p.is(m, p.def)
	next, err := p.Tiers.Of(ctx, m)
	must(t, err)
	if len(next.Changes) != 2 || next.Next == nil || next.Next.Tier.ID != p.Gold || next.Next.Progress[0].Have != 4500 || next.Next.Progress[0].Missing != "还差 ¥55.00" {
		t.Errorf("%+v", next)
	}
	p.sound()
}

// The sweep sees what was posted while it was away, and a posting whose id is older than the last one that it saw.
func TestSweepCatchesUp(t *testing.T) {
	p := open(t)
	ctx := p.Ctx()
	var members []int64
	for i := range 4 {
		members = append(members, p.Member("客", fmt.Sprintf("1380000001%d", i), ""))
		p.Settle(p.West, members[i], "沪A12345", []int64{p.Wax})
	}
	must(t, p.Tiers.Sweep(ctx))
	for _, m := range members {
		p.is(m, p.Gold)
	}
	late := p.Member("晚", "13800000019", "")
	p.Clock.Advance(2 * time.Second)
	p.Settle(p.West, late, "沪A12345", []int64{p.Wax})
	_, err := p.DB.SQLDB().ExecContext(ctx, `UPDATE tier_cursors SET last_id = ?`, p.DB.NewID()) // somebody who began later was seen before
	must(t, err)
	p.Clock.Advance(20 * time.Second)
	must(t, p.Tiers.Sweep(ctx))
	p.is(late, p.Gold)
	away := p.Member("远", "13800000018", "")
	p.Settle(p.West, away, "沪A12345", []int64{p.Wax})
	p.Clock.Advance(3 * time.Hour) // the process was away
	must(t, p.Tiers.Sweep(ctx))
	p.is(away, p.Gold)
}

func TestADowngradeComesWithItsReason(t *testing.T) {
	p := open(t)
	m := p.Member("王五", "13800000001", "")
	p.Settle(p.West, m, "沪A12345", []int64{p.Wax})
	must(t, p.Tiers.Sweep(p.Ctx()))
	p.is(m, p.Gold)
	p.Clock.Advance(364 * 24 * time.Hour)
	must(t, p.Tiers.Nightly(p.Ctx()))
	p.is(m, p.Gold)
	p.Clock.Advance(24 * time.Hour)
	must(t, p.Tiers.Nightly(p.Ctx()))
	p.is(m, p.def)
	changes, err := p.Tiers.Changes(p.Ctx(), m, 5)
	must(t, err)
	if len(changes) != 2 || changes[0].Reason != "365 天没有消费" {
		t.Errorf("%+v", changes)
	}
	if run, err := p.Tiers.LastRun(p.Ctx()); err != nil || run.Running || run.Members != 1 || run.Changed != 1 {
		t.Errorf("%+v %v", run, err)
	}
}

func TestGivenByHand(t *testing.T) {
	p := open(t)
	m := p.Member("王五", "13800000001", "")
	for until, field := range map[string]string{"2026-11-17": "until", "morgen": "until"} {
		err := p.Tiers.Give(p.Ctx(), tier.Assign{MemberID: m, TierID: p.Gold, Reason: "老友"}, until)
		if err == nil || fault.As(err).Fields[0].Field != field {
			t.Errorf("%s: %v", until, err)
		}
	}
	must(t, p.Tiers.Give(p.Ctx(), tier.Assign{MemberID: m, TierID: p.Gold, Reason: "老友"}, "2026-11-20"))
	p.is(m, p.Gold)
	p.Clock.Advance(62*time.Hour - time.Second) // the 20th, one second before midnight
	must(t, p.Tiers.Sweep(p.Ctx()))
	p.is(m, p.Gold)
	p.Clock.Advance(time.Second)
	must(t, p.Tiers.Sweep(p.Ctx()))
	p.is(m, p.def)
	changes, err := p.Tiers.Changes(p.Ctx(), m, 5)
	must(t, err)
	if len(changes) != 2 || changes[0].Reason != "指定的等级已到期或取消" || changes[1].Reason != "老友" || changes[1].By != "王店长" {
		t.Errorf("%+v", changes)
	}
	// Lower than what the rules give: exactly that, until it is taken back.
	p.Settle(p.West, m, "沪A12345", []int64{p.Wax})
	must(t, p.Tiers.Sweep(p.Ctx()))
	p.is(m, p.Gold)
	must(t, p.in(func(ctx context.Context, tx *db.Tx) error {
		return p.Tiers.SetMemberTierTx(ctx, tx, m, p.def, "多次恶意退款")
	}))
	p.is(m, p.def)
	must(t, p.Tiers.Sweep(p.Ctx()))
	p.is(m, p.def)
	must(t, p.Tiers.Release(p.Ctx(), m, "已沟通"))
	p.is(m, p.Gold)
}

// A tier that was given before there were rules stays the least that the member has.
func TestWhatWasGivenBeforeThereWereRulesStays(t *testing.T) {
	p := open(t)
	m := p.Member("王五", "13800000001", "")
	silver, err := p.Tiers.Create(p.Ctx(), tier.Input{Name: "银卡", Color: "#C0C0C0", Rank: 1, DiscountBP: 9800})
	must(t, err)
	_, err = p.DB.SQLDB().ExecContext(t.Context(), `INSERT INTO tier_members (member_id, tier_id, reason, set_by, set_at) VALUES (?, ?, '老顾客', '老板', 1)`, m, silver.ID)
	must(t, err)
	must(t, p.Tiers.Nightly(p.Ctx()))
	p.is(m, silver.ID)
	o := p.Settle(p.West, m, "沪A12345", []int64{p.Wax})
	must(t, p.Tiers.Sweep(p.Ctx()))
	p.is(m, p.Gold)
	p.Reverse(o.ID)
	must(t, p.Tiers.Sweep(p.Ctx()))
	p.is(m, silver.ID)
	if mine, err := p.Tiers.Of(p.Ctx(), m); err != nil || mine.Reason != "老顾客" {
		t.Errorf("%+v %v", mine, err)
	}
	must(t, p.Tiers.Release(p.Ctx(), m, "取消"))
	p.is(m, p.def)
}

func TestExperienceIsGivenOnceAndTakenBackOnce(t *testing.T) {
	p := open(t)
	p.set(setting.TierExperiencePerYuan, 2)
	m := p.Member("王五", "13800000001", "")
	var orders []checkout.Order
	for range 5 {
		orders = append(orders, p.Settle(p.West, m, "沪A12345", []int64{p.Wash}))
	}
	gone := p.Settle(p.West, m, "沪A12345", []int64{p.Wash})
	p.Reverse(gone.ID) // before anybody looked
	other := tier.New(p.DB)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	other.Connect(p.Settings, tier.Deps{Log: log, People: p.Members})
	sweep := func() {
		t.Helper()
		var wg sync.WaitGroup
		for _, s := range []*tier.Service{p.Tiers, other} {
			wg.Go(func() { must(t, s.Sweep(p.T.Context())) })
		}
		wg.Wait()
	}
	xp := func(want int64) {
		t.Helper()
		b, err := ledger.BalancesOf(t.Context(), p.DB, ledger.Experience, []int64{m})
		must(t, err)
		if b[m] != want {
			t.Fatalf("experience %d, want %d", b[m], want)
		}
	}
	sweep()
	xp(5 * 90)
	sweep()
	xp(5 * 90)
	p.Reverse(orders[2].ID)
	sweep()
	xp(4 * 90)
	p.Clock.Advance(20 * time.Hour)
	must(t, p.Tiers.Nightly(p.Ctx()))
	xp(4 * 90)
	p.sound()
}

// everybody is a list of people without a past; it ends the context when it is asked for the n-th time.
type everybody struct {
	*member.Service
	n     int64
	asked atomic.Int64
	stop  func()
	after int64
}

func (e *everybody) LivingAfter(_ context.Context, _ db.Reader, after int64, limit int) (ids []int64, err error) {
	if e.asked.Add(1) == e.after {
		e.stop()
	}
	for id := after + 1; id <= e.n && len(ids) < limit; id++ {
		ids = append(ids, id)
	}
	return ids, nil
}

// A recomputation that was killed goes on where it was: everybody is looked at exactly once, however often it is interrupted.
func TestRecomputationGoesOnAfterAKill(t *testing.T) {
	p := open(t)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	people := &everybody{Service: p.Members, n: 3210}
	run := func(interrupt int64) {
		t.Helper()
		ctx, stop := context.WithCancel(p.Ctx())
		defer stop()
		people.stop, people.after = stop, people.asked.Load()+interrupt
		s := tier.New(p.DB) // as after a restart
		s.Connect(p.Settings, tier.Deps{Log: log, People: people})
		if err := s.Continue(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	_, err := p.Tiers.Recompute(p.Ctx())
	must(t, err)
	if _, err := p.Tiers.Recompute(p.Ctx()); !errors.Is(err, tier.ErrRunning) {
		t.Errorf("a second one: %v", err)
	}
	run(2)
	half, err := p.Tiers.LastRun(p.Ctx())
	must(t, err)
	if !half.Running || half.Members == 0 || half.Members >= people.n {
		t.Fatalf("%+v", half)
	}
	run(3)
	run(0)
	if got, err := p.Tiers.LastRun(p.Ctx()); err != nil || got.Running || got.Members != people.n {
		t.Errorf("%+v %v", got, err)
	}
}

func TestATierInUseIsNotDeleted(t *testing.T) {
	p := open(t)
	m := p.Member("王五", "13800000001", "")
	free, err := p.Tiers.Create(p.Ctx(), tier.Input{Name: "黑卡", Color: "#000000", Rank: 9, DiscountBP: 8000})
	must(t, err)
	must(t, p.Tiers.Give(p.Ctx(), tier.Assign{MemberID: m, TierID: p.Gold, Reason: "老友"}, ""))
	plan, err := p.Tiers.SavePlan(p.Ctx(), 0, tier.PlanInput{Name: "黑卡年费", Kind: tier.PlanDiscount, PriceFen: 100, Months: 12, TierID: free.ID})
	must(t, err)
	for id, want := range map[int64]error{p.Gold: tier.ErrInUse, free.ID: tier.ErrInUse, p.def: tier.ErrDefault, 9: fault.ErrNotFound} {
		if err := p.Tiers.Delete(p.Ctx(), id); !errors.Is(err, want) || !strings.ContainsAny(err.Error()+fault.As(err).Message, "会员默认方案没") {
			t.Errorf("%d: %v", id, err)
		}
	}
	must(t, p.Tiers.Release(p.Ctx(), m, "取消"))
	must(t, p.Tiers.Delete(p.Ctx(), p.Gold))
	_, err = p.Tiers.SavePlan(p.Ctx(), plan.ID, tier.PlanInput{Name: "年费", Kind: tier.PlanService, PriceFen: 100, Months: 12, Rights: []tier.Right{{Kind: tier.Counted, Title: "救援", Times: 1, Period: tier.ForTerm}}})
	must(t, err)
	must(t, p.Tiers.Delete(p.Ctx(), free.ID))
	p.is(m, p.def)
}

func TestPreviewCountsWithoutWriting(t *testing.T) {
	p := open(t)
	for i, n := range []int{0, 1, 3, 5} { // 金卡 are those with 3 and 5 washes
		m := p.Member("客", fmt.Sprintf("1380000001%d", i), "")
		for range n {
			p.Settle(p.West, m, "沪A12345", []int64{p.Wash})
		}
	}
	must(t, p.Tiers.Sweep(p.Ctx()))
	draft := func(fen int64) tier.Input {
		return tier.Input{Name: "金卡", Color: "#C9A227", Rank: 2, DiscountBP: 9000, Programme: &tier.Programme{Rule: &tier.Rule{Match: tier.MatchAll, Measures: []tier.Measure{{Kind: tier.SpendYear, AtLeast: fen}}}}}
	}
	for _, c := range []struct {
		fen                 int64
		now, then, up, down int64
	}{{10_000, 2, 2, 0, 0}, {4_500, 2, 3, 1, 0}, {20_000, 2, 1, 0, 1}} {
		got, err := p.Tiers.Preview(p.Ctx(), p.Gold, draft(c.fen))
		must(t, err)
		if gold := got.Tiers[1]; !got.Complete || got.Members != 4 || gold.Now != c.now || gold.Then != c.then || got.Up != c.up || got.Down != c.down {
			t.Errorf("%d: %+v", c.fen, got)
		}
	}
	in := draft(50_000)
	in.Name, in.Rank = "黑卡", 3
	got, err := p.Tiers.Preview(p.Ctx(), 0, in)
	must(t, err)
	if len(got.Tiers) != 3 || got.Tiers[2].TierID != 0 || got.Tiers[2].Then != 0 || got.Up+got.Down != 0 {
		t.Errorf("%+v", got)
	}
	if _, err := p.Tiers.Preview(p.Ctx(), 0, draft(500)); err == nil {
		t.Error("the same rank is accepted")
	}
}
