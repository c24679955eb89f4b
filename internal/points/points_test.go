package points

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/setting"
)

// N11: bought, refunded: the points go too, once, also when they are spent; what is missing is a debt that the next points pay first.
func TestN11ClawbackOnceAndDebt(t *testing.T) {
	r := newRig(t)
	m := r.member()
	first, n := r.buy(m, 10000)
	if n != 100 {
		t.Fatalf("earned %d", n)
	}
	second, _ := r.buy(m, 5000)
	r.holds(m, 150, 0)
	_, err := r.spend(m, 120)
	must(t, err)
	r.holds(m, 30, 0)
	must(t, r.clawback(first))
	r.holds(m, 0, 70)
	for range 3 {
		must(t, r.clawback(first))
	}
	r.holds(m, 0, 70)
	_, err = r.spend(m, 1)
	r.refused(err, ErrInsufficient)
	must(t, r.clawback(second))
	r.holds(m, 0, 120)
	_, n = r.buy(m, 10000)
	if n != 100 {
		t.Fatalf("earned %d", n)
	}
	r.holds(m, 0, 20)
	r.buy(m, 5000)
	r.holds(m, 30, 0)
	var pointed int
	must(t, r.db.Get(t.Context(), &pointed, `SELECT COUNT(*) FROM ledger_postings p JOIN points_earnings e ON e.clawback_id = p.id AND e.posting_id = p.reverses_id`))
	if pointed != 2 {
		t.Errorf("%d reversals point at what they take back", pointed)
	}
	must(t, r.clawback(999))
	r.clean()
}

// N11: two reversals at the same moment take back once.
func TestN11ClawbackConcurrent(t *testing.T) {
	r := newRig(t)
	m := r.member()
	ref, _ := r.buy(m, 10000)
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			if err := r.clawback(ref); err != nil && fault.As(err).Kind == fault.Internal {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r.holds(m, 0, 0)
	r.clean()
}

// Tills that spend at the same moment never spend more than there is (N09), and every point is accounted for (N12).
func TestN12SpendConcurrent(t *testing.T) {
	r := newRig(t)
	m := r.member()
	for range 5 {
		r.buy(m, 10000)
		r.clk.Advance(31 * 24 * time.Hour)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	spent := int64(0)
	for range 30 {
		wg.Go(func() {
			mu.Lock()
			r.refs++
			ref := r.refs
			mu.Unlock()
			err := r.tx(func(ctx context.Context, tx *db.Tx) error { return r.TakeTx(ctx, tx, m, 37, "mall", ref, "兑换") })
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				spent += 37
			} else if !errors.Is(err, ErrInsufficient) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if spent != 481 {
		t.Errorf("spent %d of 500", spent)
	}
	r.holds(m, 500-spent, 0)
	r.clean()
}

// N12: what ends first is used first, and each lot gives exactly what was redeemed from it.
func TestN12OldestFirst(t *testing.T) {
	r := newRig(t)
	m := r.member()
	r.set(setting.PointsExpireMonths, 0)
	r.buy(m, 1000) // never ends
	r.set(setting.PointsExpireMonths, 2)
	r.buy(m, 2000)
	r.set(setting.PointsExpireMonths, 1)
	r.buy(m, 3000)
	_, err := r.spend(m, 35)
	must(t, err)
	var left []int64
	must(t, r.db.Select(t.Context(), &left, `SELECT remaining FROM ledger_lots WHERE member_id = ? AND unit = 'points' ORDER BY id`, m))
	if !slices.Equal(left, []int64{10, 15, 0}) {
		t.Errorf("left %v", left)
	}
	r.clean()
}

// N13: warned before, gone after, and not usable in between; a run that was stopped goes on.
func TestN13WarnAndExpire(t *testing.T) {
	r := newRig(t)
	r.set(setting.PointsExpireMonths, 1)
	r.set(setting.PointsWarnDays, 10)
	people := make([]int64, 5)
	for i := range people {
		people[i] = r.member()
		r.buy(people[i], money.Fen(1000*(i+1)))
		r.buy(people[i], 1000)
	}
	run := func(kind string) {
		t.Helper()
		must(t, r.tx(func(ctx context.Context, tx *db.Tx) error {
			return r.queue.EnqueueTx(ctx, tx, jobs.Job{Kind: kind, Payload: struct{}{}})
		}))
		must(t, r.queue.Drain(t.Context()))
	}
	at := func(day string) {
		t.Helper()
		from, _, err := bizday.Bounds(day, bizday.DefaultZone)
		must(t, err)
		r.clk.Set(from)
	}
	at("2026-12-20")
	run("points.warn")
	if n := r.messagesOf(notify.PointsExpiring); n != 0 {
		t.Fatalf("%d were warned too early", n)
	}
	at("2026-12-23")
	run("points.warn")
	run("points.warn")
	if n := r.messagesOf(notify.PointsExpiring); n != 5 {
		t.Fatalf("%d were warned, want 5", n)
	}
	run("points.expire")
	r.holds(people[4], 60, 0)
	at("2027-01-01")
	r.holds(people[4], 0, 0) // before any job ran
	_, err := r.spend(people[4], 1)
	r.refused(err, ErrInsufficient)
	r.buy(people[0], 500)
	run("points.expire")
	for _, m := range people[1:] {
		if b, err := ledger.BalanceOf(t.Context(), r.db, m); err != nil || b.Points != 0 {
			t.Errorf("balance %d, %v", b.Points, err)
		}
	}
	r.holds(people[0], 5, 0)
	run("points.expire")
	run("points.expire_all")
	r.holds(people[0], 5, 0)
	r.clean()
}

// A return after the end fills a lot that has ended: it is never usable, and the daily run takes it away.
func TestReturnAfterTheEnd(t *testing.T) {
	r := newRig(t)
	r.set(setting.PointsExpireMonths, 1)
	m := r.member()
	r.buy(m, 5000)
	take := func() error {
		return r.tx(func(ctx context.Context, tx *db.Tx) error { return r.TakeTx(ctx, tx, m, 20, "mall", 5, "兑换") })
	}
	back := func() error {
		return r.tx(func(ctx context.Context, tx *db.Tx) error { return r.ReturnTx(ctx, tx, "mall", 5) })
	}
	must(t, take())
	if err := take(); err == nil {
		t.Error("taken twice for one order")
	}
	must(t, back())
	must(t, back())
	r.holds(m, 50, 0)
	must(t, r.tx(func(ctx context.Context, tx *db.Tx) error { return r.TakeTx(ctx, tx, m, 20, "mall", 6, "兑换") }))
	r.clk.Advance(60 * 24 * time.Hour)
	must(t, r.tx(func(ctx context.Context, tx *db.Tx) error { return r.ReturnTx(ctx, tx, "mall", 6) }))
	r.holds(m, 0, 0)
	for after := (ledger.Due{}); ; {
		next, _, err := r.expireChunk(t.Context(), after)
		must(t, err)
		if after = next; next == (ledger.Due{}) {
			break
		}
	}
	if b, err := ledger.BalanceOf(t.Context(), r.db, m); err != nil || b.Points != 0 {
		t.Errorf("balance %d, %v", b.Points, err)
	}
	r.clean()
}

func TestGiveOnce(t *testing.T) {
	r := newRig(t)
	m := r.member()
	give := func(key string, n int64) error {
		return r.tx(func(ctx context.Context, tx *db.Tx) error {
			return r.GiveTx(ctx, tx, Gift{MemberID: m, N: n, Source: FromBirthday, Dedupe: key, Title: "生日礼"})
		})
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := give("birthday:1:2026", 50); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r.holds(m, 50, 0)
	must(t, give("birthday:1:2027", 50))
	r.holds(m, 100, 0)
	for _, n := range []int64{0, -5, MaxPoints + 1} {
		r.refused(give("x", n), ErrAmount)
	}
	r.clean()
}

func TestAdjust(t *testing.T) {
	r := newRig(t)
	m := r.member()
	ctx := r.ctx()
	for range 2 { // the same command twice
		s, err := r.Adjust(ctx, m, 80, "服务补偿")
		must(t, err)
		if s.Available != 80 {
			t.Fatalf("available %d", s.Available)
		}
	}
	_, err := r.Adjust(r.ctx(), m, -81, "录错了")
	r.refused(err, ErrInsufficient)
	_, err = r.Adjust(r.ctx(), m, -30, "录错了")
	must(t, err)
	r.holds(m, 50, 0)
	_, err = r.Adjust(r.ctx(), m, 0, "录错了")
	r.refused(err, ErrAmount)
	_, err = r.Adjust(r.ctx(), m, 5, " ")
	r.refused(err, ErrReason)
	_, err = r.Adjust(r.ctx(), 12345, 5, "没有这个人")
	r.refused(err, fault.ErrNotFound)
	var trail int
	must(t, r.db.Get(t.Context(), &trail, `SELECT COUNT(*) FROM audit_log WHERE action = 'points.adjust'`))
	if trail != 2 {
		t.Errorf("%d entries in the trail", trail)
	}
	r.clean()
}

func TestRulesAreReplacedByVersion(t *testing.T) {
	r := newRig(t)
	r.tiers[1] = 3
	in := sample
	one, err := r.SetRules(r.ctx(), in)
	must(t, err)
	_, err = r.SetRules(r.ctx(), in)
	r.refused(err, ErrRulesChanged)
	in.Version = one.Version
	_, err = r.SetRules(r.ctx(), in)
	must(t, err)
	m := r.member()
	r.tiers[m] = 3
	if _, n := r.buy(m, 1000); n != 45 { // a Wednesday: one and a half times, three times
		t.Errorf("earned %d", n)
	}
}

func TestRuleAndAhead(t *testing.T) {
	r := newRig(t)
	m := r.member()
	r.buy(m, 10000)
	p, err := r.Rule(t.Context(), r.db, m)
	must(t, err)
	if p.Available != 100 || p.PerYuan != 100 || p.MaxBP != 5000 {
		t.Errorf("%+v", p)
	}
	must(t, r.tx(func(ctx context.Context, tx *db.Tx) error {
		must(t, r.AheadTx(ctx, tx, []int64{m}))
		must(t, tx.Collect(ctx))
		p, err := r.Rule(ctx, tx, m)
		must(t, err)
		if p.Available != 100 {
			t.Errorf("ahead: %+v", p)
		}
		for ref := range int64(2) {
			_, err = r.EarnTx(ctx, tx, Earn{MemberID: m, StoreID: r.store, RefKind: "order", RefID: 7000 + ref, BizDay: "2026-11-17", Title: "x",
				Items: []Item{{Kind: "good", ID: 1, Qty: 1, PaidFen: 1000}}})
			must(t, err)
		}
		p, err = r.Rule(ctx, tx, m)
		if must(t, err); p.Available != 120 {
			t.Errorf("after: %+v", p)
		}
		return nil
	}))
	r.holds(m, 120, 0)
	ref, _ := r.buy(m, 5000)
	_, err = r.spend(m, 170)
	must(t, err)
	must(t, r.clawback(ref))
	if p, err := r.Rule(t.Context(), r.db, m); err != nil || p.Available != 0 || p.Debt != 50 {
		t.Errorf("with a debt: %+v, %v", p, err)
	}
	r.set(setting.PointsMaxPayBP, 0)
	if p, err := r.Rule(t.Context(), r.db, m); err != nil || p.Available != 0 {
		t.Errorf("off: %+v, %v", p, err)
	}
	r.clean()
}

func TestForfeit(t *testing.T) {
	r := newRig(t)
	m := r.member()
	ref, _ := r.buy(m, 10000)
	_, err := r.spend(m, 60)
	must(t, err)
	must(t, r.clawback(ref))
	r.holds(m, 0, 60)
	must(t, r.tx(func(ctx context.Context, tx *db.Tx) error { return r.ForfeitTx(ctx, tx, m) }))
	r.holds(m, 0, 0)
	must(t, r.tx(func(ctx context.Context, tx *db.Tx) error { return r.ForfeitTx(ctx, tx, m) }))
	r.clean()
}

// Whatever happens in whatever order: no account below zero, debt only when nothing is left, everything adds up.
func TestPointsProperty(t *testing.T) {
	r := newRig(t)
	m := r.member()
	r.set(setting.PointsExpireMonths, 1)
	var refs, spends []int64
	taken := int64(9000)
	for range 150 {
		switch rand.N(7) {
		case 0, 1:
			if ref, n := r.buy(m, money.Fen(100+rand.N(20000))); n > 0 {
				refs = append(refs, ref)
			}
		case 2:
			if p, err := r.spend(m, 1+rand.N(int64(150))); err == nil {
				spends = append(spends, p)
			} else if !errors.Is(err, ErrInsufficient) {
				t.Fatal(err)
			}
		case 3:
			if len(refs) > 0 {
				must(t, r.clawback(refs[rand.N(len(refs))]))
			}
		case 4:
			if len(spends) > 0 { // the bill is taken back
				p := spends[len(spends)-1]
				spends = spends[:len(spends)-1]
				must(t, r.tx(func(ctx context.Context, tx *db.Tx) error {
					b, err := ledger.LockTx(ctx, tx, m, ledger.Uses, ledger.Points)
					if err != nil {
						return err
					}
					_, err = ledger.ReverseTx(ctx, tx, b, p, ledger.Post{Kind: ledger.KindReversal, RefKind: "order", RefID: p})
					return err
				}))
			}
		case 5:
			r.clk.Advance(rand.N(20 * 24 * time.Hour))
			_, _, err := r.expireChunk(t.Context(), ledger.Due{})
			must(t, err)
		case 6:
			taken++
			err := r.tx(func(ctx context.Context, tx *db.Tx) error {
				return r.TakeTx(ctx, tx, m, 1+rand.N(int64(60)), "mall", taken, "兑换")
			})
			if err == nil && rand.N(2) == 0 {
				must(t, r.tx(func(ctx context.Context, tx *db.Tx) error { return r.ReturnTx(ctx, tx, "mall", taken) }))
			}
		}
		s, err := r.Of(t.Context(), m)
		must(t, err)
		if s.Available < 0 || s.Debt < 0 {
			t.Fatalf("%+v", s)
		}
	}
	r.clean()
}

// C10: a tier's own multiplier counts, and the rules' one for the tier goes before it.
func TestTiersOwnMultiplier(t *testing.T) {
	r := newRig(t)
	r.Multiply(func(_ context.Context, _ db.Reader, id int64) (money.BP, error) {
		if r.tiers[id] == 77 {
			return 15000, nil
		}
		return money.Whole, nil
	})
	gold, plain := r.member(), r.member()
	r.tiers[gold] = 77
	_, n := r.buy(gold, 10000)
	_, usual := r.buy(plain, 10000)
	if n != 150 || usual != 100 {
		t.Errorf("gold earned %d, the others %d", n, usual)
	}
	rules, err := r.Rules(r.ctx())
	must(t, err)
	rules.Tiers = []TierRate{{TierID: 77, BP: 20000}}
	_, err = r.SetRules(r.ctx(), rules)
	must(t, err)
	if _, n = r.buy(gold, 10000); n != 200 {
		t.Errorf("by the rules gold earned %d", n)
	}
	r.clean()
}
