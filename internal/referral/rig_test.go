package referral

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
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

// rig is a shop whose members bring friends; it is Wednesday, 18 November 2026, 10:00 in Shanghai.
type rig struct {
	*Service
	t      testing.TB
	clk    *clock.Manual
	points *points.Service
	wechat *drawer
	keys   atomic.Int64
}

type stub struct{}

func (stub) TotalFen(context.Context, int64) (money.Fen, error)            { return 0, nil }
func (stub) TierName(context.Context, int64) (string, error)               { return "", nil }
func (stub) SetTierTx(context.Context, *db.Tx, int64, int64, string) error { return nil }
func (stub) Recipients(context.Context, int64) ([]notify.Recipient, error) { return nil, nil }
func (stub) OpenID(context.Context, int64) (string, string, error)         { return "", "", fault.ErrNotFound }
func (stub) Put(context.Context, []byte) (string, error) {
	return strings.Repeat("0", 32) + ".jpg", nil
}
func (stub) URL(key string) string { return "/media/" + key }

// drawer draws mini-program codes, or fails.
type drawer struct {
	asked int
	err   error
	scene string
}

func (d *drawer) MiniProgramCode(_ context.Context, scene, _ string) ([]byte, error) {
	d.asked++
	d.scene = scene
	return []byte("picture"), d.err
}

type giver struct{ *points.Service }

// soldOut has one coupon template, 7, which may run out.
type soldOut struct{ gone bool }

func (*soldOut) Check(context.Context, db.Reader, int64, int64) (string, error) {
	return "洗车券", nil
}
func (s *soldOut) GiveTx(context.Context, *db.Tx, campaign.Grant) ([]int64, error) {
	if s.gone {
		return nil, fault.ErrInvalid.Say("这种券已停发")
	}
	return nil, nil
}
func (*soldOut) TakeBackTx(context.Context, *db.Tx, campaign.Grant) error { return nil }

func (giver) Check(_ context.Context, _ db.Reader, _, n int64) (string, error) {
	return fmt.Sprintf("%d 积分", n), nil
}
func (g giver) GiveTx(ctx context.Context, tx *db.Tx, x campaign.Grant) ([]int64, error) {
	return nil, g.Service.GiveTx(ctx, tx, points.Gift{MemberID: x.MemberID, N: x.N, Source: points.FromReferral, Dedupe: x.Dedupe, Title: x.Title})
}
func (g giver) TakeBackTx(ctx context.Context, tx *db.Tx, x campaign.Grant) error {
	return g.Service.TakeBackTx(ctx, tx, x.Dedupe, x.Title)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func gift(n int64) campaign.Gift { return campaign.Gift{{Kind: campaign.Points, N: n}} }

func newRig(t testing.TB) *rig {
	t.Helper()
	d, clk := dbtest.New(t)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	key, err := secret.Generate()
	must(t, err)
	box, err := secret.New(key)
	must(t, err)
	r := &rig{t: t, clk: clk, wechat: &drawer{}}
	q := jobs.New(d, log)
	settings, shops, tiers := setting.New(d), shop.New(d), tier.New(d)
	members := member.New(d, box, settings, nil, catalog.New(d, shops), member.Options{})
	members.Connect(stub{}, stub{})
	must(t, tiers.EnsureDefault(r.boss()))
	messages := notify.New(d, q, stub{}, nil, settings, notify.Options{})
	r.points = points.New(d, log, members, shops, settings, messages, func(context.Context, db.Reader, int64) (int64, error) { return 0, nil })
	gifts := campaign.New(d, log, box, members, tiers, nil)
	gifts.Connect(campaign.Points, giver{r.points})
	r.Service = New(Deps{DB: d, Log: log, Box: box, Members: members, Gifts: gifts, Messages: messages, Codes: r.wechat, Pictures: stub{}, PageBase: "https://shop/h5/#/"})
	rules := firstRules()
	rules.On, rules.InviterGift, rules.FriendGift = true, gift(100), gift(50)
	rules.Grades = []Grade{{Friends: 3, Gift: gift(5000)}}
	r.rules(rules)
	return r
}

func (r *rig) rules(x Rules) {
	r.t.Helper()
	_, err := r.SetRules(r.boss(), x)
	must(r.t, err)
}

func (r *rig) boss() context.Context {
	return actor.With(r.t.Context(), actor.Actor{Kind: actor.Staff, ID: 7, Name: "孙店长", AllStores: true})
}

// person joins with a phone, a WeChat identity and a plate of their own, unless it is told which.
type person struct{ phone, openID, union, plate, ip string }

func (r *rig) join(p person) int64 {
	r.t.Helper()
	n := r.keys.Add(1)
	if p.phone == "" {
		p.phone = fmt.Sprintf("138%08d", n)
	}
	if p.openID == "" {
		p.openID = fmt.Sprintf("openid-%d", n)
	}
	if p.plate == "" {
		p.plate = fmt.Sprintf("沪B%05d", n)
	}
	j, err := r.Members.Register(actor.With(r.t.Context(), actor.Job("test")), member.NewMember{StoreID: 1, Phone: p.phone, Name: "测试", Vehicle: &member.VehicleInput{Plate: p.plate}})
	must(r.t, err)
	must(r.t, r.db.InTx(r.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		return tx.Insert(ctx, "member_identities", struct {
			ID     int64  `db:"id"`
			App    string `db:"app"`
			OpenID string `db:"openid"`
			Union  string `db:"unionid"`
			Member int64  `db:"member_id"`
			Bound  int64  `db:"bound_at"`
			Seen   int64  `db:"last_seen_at"`
			At     int64  `db:"created_at"`
		}{tx.NewID(), member.AppMini, p.openID, p.union, j.MemberID, tx.Millis(), tx.Millis(), tx.Millis()})
	}))
	return j.MemberID
}

func (r *rig) code(memberID int64) string {
	r.t.Helper()
	c, err := r.Code(r.t.Context(), memberID)
	must(r.t, err)
	return c.Code
}

// invited joins by somebody's code, as the mini-program does.
func (r *rig) invited(inviter int64, p person) int64 {
	r.t.Helper()
	m := r.join(p)
	ctx := actor.With(r.t.Context(), actor.Actor{Kind: actor.Owner, ID: m + 1, MemberID: m, IP: p.ip})
	code := r.code(inviter)
	must(r.t, r.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return r.InvitedTx(ctx, tx, m, "i="+strings.ToLower(code)) }))
	return m
}

func (r *rig) of(friend int64) Invite {
	r.t.Helper()
	i, err := inviteOf(r.t.Context(), r.db, friend)
	must(r.t, err)
	return i
}

func (r *rig) state(friend int64, want string) Invite {
	r.t.Helper()
	i := r.of(friend)
	if i.State != want {
		r.t.Fatalf("the invitation is %s %v %s, want %s", i.State, i.Flags, i.Reason, want)
	}
	return i
}

func (r *rig) want(memberID, n int64, what string) {
	r.t.Helper()
	b, err := r.points.Of(r.t.Context(), memberID)
	must(r.t, err)
	if got := b.Available - b.Debt; got != n {
		r.t.Fatalf("%s: the member has %d points, want %d", what, got, n)
	}
}

// book posts something of a member.
func (r *rig) book(memberID int64, p ledger.Post, legs ...ledger.Leg) (id int64) {
	r.t.Helper()
	must(r.t, r.db.InTx(actor.With(r.t.Context(), actor.Job("test")), func(ctx context.Context, tx *db.Tx) error {
		b, err := ledger.LockTx(ctx, tx, memberID)
		if err != nil {
			return err
		}
		p.BizDay, p.RefKind, p.RefID = "2026-11-18", "order", tx.NewID()
		id, err = ledger.PostTx(ctx, tx, b, p, legs...)
		return err
	}))
	return id
}

func (r *rig) pay(memberID int64, account string, fen money.Fen) int64 {
	return r.book(memberID, ledger.Post{Kind: ledger.KindConsume}, ledger.ShopLeg(account, -fen), ledger.ShopLeg(ledger.Revenue, fen))
}

func (r *rig) undo(memberID, posting int64) {
	r.t.Helper()
	must(r.t, r.db.InTx(actor.With(r.t.Context(), actor.Job("test")), func(ctx context.Context, tx *db.Tx) error {
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
}

func (r *rig) wantErr(err, want error) {
	r.t.Helper()
	if !errors.Is(err, want) {
		r.t.Fatalf("got %v, want %v", err, want)
	}
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

var day = 24 * time.Hour
