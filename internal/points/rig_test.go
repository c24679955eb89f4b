package points

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
)

// rig is the slice on a real journal, with members that exist.
type rig struct {
	*Service
	t     testing.TB
	clk   *clock.Manual
	queue *jobs.Queue
	store int64
	tiers map[int64]int64
	keys  int
	refs  int64
}

type nobody struct{}

func (nobody) Recipients(context.Context, int64) ([]notify.Recipient, error) { return nil, nil }
func (nobody) OpenID(context.Context, int64) (string, string, error) {
	return "", "", fault.ErrNotFound
}
func (nobody) TotalFen(context.Context, int64) (money.Fen, error)            { return 0, nil }
func (nobody) TierName(context.Context, int64) (string, error)               { return "", nil }
func (nobody) SetTierTx(context.Context, *db.Tx, int64, int64, string) error { return nil }

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
	r := &rig{t: t, clk: clk, queue: jobs.New(d, log), tiers: map[int64]int64{}}
	settings, shops := setting.New(d), shop.New(d)
	members := member.New(d, box, settings, nil, catalog.New(d, shops), member.Options{})
	members.Connect(nobody{}, nobody{})
	messages := notify.New(d, r.queue, nobody{}, nil, settings, notify.Options{})
	r.Service = New(d, log, members, shops, settings, messages, func(_ context.Context, _ db.Reader, id int64) (int64, error) { return r.tiers[id], nil })
	r.Jobs(r.queue)
	must(t, members.EnsureCharter(r.ctx()))
	st, err := shops.Create(r.ctx(), shop.Input{Name: "西湖店"})
	must(t, err)
	r.store = st.ID
	r.set(setting.PointsEarnBP, 10000)
	return r
}

func (r *rig) ctx() context.Context {
	r.keys++
	return idem.With(actor.With(r.t.Context(), actor.Actor{Kind: actor.Staff, ID: 7, Name: "王店长", AllStores: true}), idem.Key{Actor: "staff:7", Key: fmt.Sprintf("key-%06d", r.keys), Hash: "x"})
}

func (r *rig) set(key string, v any) {
	r.t.Helper()
	must(r.t, r.settings.Update(r.ctx(), []setting.Value{{Key: key, Value: v}}))
}

func (r *rig) member() int64 {
	r.t.Helper()
	r.refs++
	j, err := r.members.Register(r.ctx(), member.NewMember{StoreID: r.store, Phone: fmt.Sprintf("139%08d", r.refs), Name: "林晓舟"})
	must(r.t, err)
	return j.MemberID
}

func (r *rig) tx(f func(ctx context.Context, tx *db.Tx) error) error {
	return r.db.InTx(r.t.Context(), f)
}

// buy earns for so many fen of a wash and returns the reference.
func (r *rig) buy(memberID int64, paid money.Fen) (ref, points int64) {
	r.t.Helper()
	r.refs++
	ref = r.refs
	must(r.t, r.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		points, err = r.EarnTx(ctx, tx, Earn{MemberID: memberID, StoreID: r.store, RefKind: "order", RefID: ref, BizDay: tx.Now.Format(time.DateOnly), Title: "精洗",
			Items: []Item{{Kind: "service", ServiceKind: "wash", ID: 1, Qty: 1, PaidFen: paid}}})
		return err
	}))
	return ref, points
}

// spend uses points as a till does.
func (r *rig) spend(memberID, n int64) (posting int64, err error) {
	r.refs++
	ref := r.refs
	err = r.tx(func(ctx context.Context, tx *db.Tx) error {
		b, err := ledger.LockTx(ctx, tx, memberID, ledger.Uses, ledger.Points)
		if err != nil {
			return err
		}
		legs, err := r.SpendTx(ctx, tx, b, n)
		if err != nil {
			return err
		}
		posting, err = ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindBenefit, RefKind: "order", RefID: ref}, legs...)
		return err
	})
	return posting, err
}

func (r *rig) clawback(ref int64) error {
	return r.tx(func(ctx context.Context, tx *db.Tx) error { return r.ClawbackTx(ctx, tx, "order", ref) })
}

func (r *rig) holds(memberID, available, debt int64) {
	r.t.Helper()
	s, err := r.Of(r.t.Context(), memberID)
	must(r.t, err)
	if s.Available != available || s.Debt != debt {
		r.t.Fatalf("available %d, debt %d; want %d and %d", s.Available, s.Debt, available, debt)
	}
}

func (r *rig) clean() {
	r.t.Helper()
	must(r.t, ledger.Audit(r.t.Context(), r.db, func(p string) { r.t.Error(p) }, func(int) {}))
	must(r.t, r.Audit(r.t.Context(), func(p string) { r.t.Error(p) }))
}

func (r *rig) refused(err error, want error) {
	r.t.Helper()
	if !errors.Is(err, want) {
		r.t.Fatalf("refused by %v, want %v", err, want)
	}
}

func (r *rig) messagesOf(event string) (n int) {
	r.t.Helper()
	must(r.t, r.db.Get(r.t.Context(), &n, `SELECT COUNT(*) FROM notify_messages WHERE event = ?`, event))
	return n
}
