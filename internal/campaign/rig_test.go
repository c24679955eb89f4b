package campaign

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/points"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/tier"
)

// rig is a shop that gives points; it is Wednesday, 18 November 2026, 10:00 in Shanghai.
type rig struct {
	*Service
	t      testing.TB
	clk    *clock.Manual
	points *points.Service
	rated  []Rated
	gold   int64
	keys   atomic.Int64
}

type noTiers struct{}

func (noTiers) TotalFen(context.Context, int64) (money.Fen, error)            { return 0, nil }
func (noTiers) TierName(context.Context, int64) (string, error)               { return "", nil }
func (noTiers) SetTierTx(context.Context, *db.Tx, int64, int64, string) error { return nil }

type nobody struct{}

func (nobody) Recipients(context.Context, int64) ([]notify.Recipient, error) { return nil, nil }
func (nobody) OpenID(context.Context, int64) (string, string, error) {
	return "", "", fault.ErrNotFound
}

// giver gives points as the real shop does.
type giver struct{ *points.Service }

func (giver) Check(_ context.Context, _ db.Reader, _, n int64) (string, error) {
	return fmt.Sprintf("%d 积分", n), nil
}
func (g giver) GiveTx(ctx context.Context, tx *db.Tx, x Grant) ([]int64, error) {
	return nil, g.Service.GiveTx(ctx, tx, points.Gift{MemberID: x.MemberID, N: x.N, Source: points.FromActivity, Dedupe: x.Dedupe, Title: x.Title})
}
func (g giver) TakeBackTx(ctx context.Context, tx *db.Tx, x Grant) error {
	if x.Whole() {
		return g.Service.TakeBackTx(ctx, tx, x.Dedupe, x.Title)
	}
	return g.TakeBackPartTx(ctx, tx, x.Dedupe, x.Take, x.Title)
}

// refuser has one coupon template, 7, which has run out.
type refuser struct{ err error }

func (r *refuser) Check(_ context.Context, _ db.Reader, id, n int64) (string, error) {
	if id != 7 {
		return "", fault.ErrInvalid.Say("没有这种优惠券")
	}
	return fmt.Sprintf("洗车券 ×%d", n), nil
}
func (r *refuser) GiveTx(context.Context, *db.Tx, Grant) ([]int64, error) { return nil, r.err }
func (r *refuser) TakeBackTx(context.Context, *db.Tx, Grant) error        { return nil }

func (r *rig) RatedSince(_ context.Context, since time.Time, limit int) (out []Rated, _ error) {
	for _, x := range r.rated {
		if !x.At.Before(since) && len(out) < limit {
			out = append(out, x)
		}
	}
	return out, nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newRig(t testing.TB) *rig {
	t.Helper()
	d, clk := dbtest.New(t)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	key, err := secret.Generate()
	must(t, err)
	box, err := secret.New(key)
	must(t, err)
	q := jobs.New(d, log)
	settings, shops, tiers := setting.New(d), shop.New(d), tier.New(d)
	members := member.New(d, box, settings, nil, catalog.New(d, shops), member.Options{})
	members.Connect(noTiers{}, noTiers{})
	ctx := actor.With(t.Context(), actor.Job("test"))
	must(t, tiers.EnsureDefault(ctx))
	gold, err := tiers.Create(ctx, tier.Input{Name: "金卡", Color: "#CC9900", Rank: 5, DiscountBP: 9000})
	must(t, err)
	r := &rig{t: t, clk: clk, gold: gold.ID}
	r.points = points.New(d, log, members, shops, settings, notify.New(d, q, nobody{}, nil, settings, notify.Options{}),
		func(ctx context.Context, rd db.Reader, id int64) (int64, error) {
			x, err := tiers.OfMember(ctx, rd, id)
			return x.ID, err
		})
	r.Service = New(d, log, box, members, tiers, r)
	r.Connect(Points, giver{r.points})
	return r
}

func (r *rig) ctx() context.Context { return actor.With(r.t.Context(), actor.Job("test")) }

// owner is a context in which a member acts, with a fresh key.
func (r *rig) owner(memberID int64) context.Context {
	ctx := actor.With(r.t.Context(), actor.Actor{Kind: actor.Owner, ID: memberID + 1, MemberID: memberID})
	return idem.With(ctx, idem.Key{Actor: fmt.Sprintf("owner:%d", memberID), Key: fmt.Sprintf("key-%08d", r.keys.Add(1)), Hash: "x"})
}

func (r *rig) join(birthday string) int64 {
	r.t.Helper()
	n := r.keys.Add(1)
	j, err := r.members.Register(r.ctx(), member.NewMember{StoreID: 1, Phone: fmt.Sprintf("138%08d", n), Name: "测试", Birthday: birthday})
	must(r.t, err)
	return j.MemberID
}

func (r *rig) has(memberID int64) int64 {
	r.t.Helper()
	b, err := r.points.Of(r.t.Context(), memberID)
	must(r.t, err)
	return b.Available - b.Debt
}

func (r *rig) want(memberID, n int64, what string) {
	r.t.Helper()
	if got := r.has(memberID); got != n {
		r.t.Fatalf("%s: the member has %d points, want %d", what, got, n)
	}
}

// pay books a purchase: so much by the till, so much by bonus.
func (r *rig) pay(memberID int64, account string, fen, bonus int64) (posting int64) {
	r.t.Helper()
	must(r.t, r.db.InTx(r.ctx(), func(ctx context.Context, tx *db.Tx) error {
		b, err := ledger.LockTx(ctx, tx, memberID)
		if err != nil {
			return err
		}
		legs := []ledger.Leg{ledger.ShopLeg(account, -money.Fen(fen)), ledger.ShopLeg(ledger.Revenue, money.Fen(fen))}
		if bonus > 0 {
			if _, err := ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindAdjust, BizDay: "2026-11-18", RefKind: "test", RefID: tx.NewID()},
				ledger.Leg{Unit: ledger.Bonus, Amount: bonus}, ledger.ShopLeg(ledger.BonusGranted, -money.Fen(bonus))); err != nil {
				return err
			}
			takes, err := b.TakeOldest(ledger.Bonus, bonus)
			if err != nil {
				return err
			}
			legs = append(ledger.Debits(takes), append(legs, ledger.ShopLeg(ledger.Revenue, money.Fen(bonus)))...)
		}
		posting, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindConsume, BizDay: "2026-11-18", RefKind: "order", RefID: tx.NewID()}, legs...)
		return err
	}))
	return posting
}

func (r *rig) undo(memberID, posting int64) {
	r.t.Helper()
	must(r.t, r.db.InTx(r.ctx(), func(ctx context.Context, tx *db.Tx) error {
		b, err := ledger.LockTx(ctx, tx, memberID)
		if err != nil {
			return err
		}
		_, err = ledger.ReverseTx(ctx, tx, b, posting, ledger.Post{Kind: ledger.KindReversal, BizDay: "2026-11-18", RefKind: "order", RefID: posting})
		return err
	}))
}

func (r *rig) sweep() {
	r.t.Helper()
	must(r.t, r.Sweep(r.t.Context()))
	must(r.t, r.SweepBirthdays(r.t.Context()))
}

func (r *rig) rule(in RuleInput) Rule {
	r.t.Helper()
	if in.Name == "" {
		in.Name = "测试规则"
	}
	if in.Gift == nil {
		in.Gift = Gift{{Kind: Points, N: 100}}
	}
	x, err := r.SaveRule(r.ctx(), 0, in)
	must(r.t, err)
	return x
}

// exact fails when anything that is written down does not add up.
func (r *rig) exact() {
	r.t.Helper()
	var out []string
	say := func(p string) { out = append(out, p) }
	must(r.t, r.Audit(r.t.Context(), say))
	must(r.t, r.points.Audit(r.t.Context(), say))
	must(r.t, ledger.Audit(r.t.Context(), r.db, say, func(int) {}))
	if len(out) > 0 {
		r.t.Fatalf("audit: %s", strings.Join(out, "\n"))
	}
}
