package member

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/wechat"
)

// platform answers like WeChat: each code is good once.
type platform struct {
	mu     sync.Mutex
	people map[string]wechat.Identity // by code
	phones map[string]string
	fail   error
}

func (p *platform) MiniProgramSession(_ context.Context, code string) (wechat.Identity, error) {
	return p.take(code)
}
func (p *platform) OAuthIdentity(_ context.Context, code string) (wechat.Identity, error) {
	return p.take(code)
}
func (p *platform) take(code string) (wechat.Identity, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return wechat.Identity{}, p.fail
	}
	who, ok := p.people[code]
	if !ok {
		return who, &wechat.Error{Class: wechat.BadCode, Op: "login", Code: "40029"}
	}
	delete(p.people, code)
	return who, nil
}
func (p *platform) PhoneNumber(_ context.Context, code string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	phone, ok := p.phones[code]
	if !ok {
		return "", &wechat.Error{Class: wechat.BadCode, Op: "phone", Code: "40029"}
	}
	delete(p.phones, code)
	return phone, nil
}

type purse map[int64]money.Fen

func (p purse) TotalFen(_ context.Context, id int64) (money.Fen, error) { return p[id], nil }

type ranks struct{ set map[int64]int64 }

func (ranks) TierName(context.Context, int64) (string, error) { return "普通会员", nil }
func (r ranks) SetTierTx(_ context.Context, _ *db.Tx, memberID, tierID int64, _ string) error {
	r.set[memberID] = tierID
	return nil
}

type sizes struct{}

func (sizes) VehicleClassName(_ context.Context, _ db.Reader, id int64) (string, error) {
	if id == 5 {
		return "小型车", nil
	}
	return "", fault.ErrNotFound
}

type world struct {
	*Service
	t     testing.TB
	clk   *clock.Manual
	wx    *platform
	purse purse
	ranks ranks
	keys  []byte
	seq   int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	d, clk := dbtest.New(t)
	keys, err := secret.Generate()
	must(t, err)
	box, err := secret.New(keys)
	must(t, err)
	wx := &platform{people: map[string]wechat.Identity{}, phones: map[string]string{}}
	w := &world{t: t, clk: clk, wx: wx, purse: purse{}, ranks: ranks{map[int64]int64{}}, keys: keys}
	w.Service = New(d, box, setting.New(d), wx, sizes{}, Options{
		AuthorizeURL: func(state string) string { return "https://open.example/authorize?state=" + state },
		StoreExists: func(_ context.Context, id int64) error {
			if id > 9 {
				return fault.ErrNotFound
			}
			return nil
		},
	})
	w.Connect(w.purse, w.ranks)
	must(t, w.EnsureCharter(t.Context()))
	return w
}

// person signs in a fresh identity and returns the acting context.
func (w *world) person() context.Context {
	w.seq++
	return w.login(wechat.Identity{App: AppMini, OpenID: fmt.Sprintf("o-mini-%d", w.seq)})
}

func (w *world) login(who wechat.Identity) context.Context {
	w.t.Helper()
	ses, _, err := w.LoginAs(w.t.Context(), who)
	must(w.t, err)
	a, err := w.Authenticate(w.t.Context(), ses.AccessToken)
	must(w.t, err)
	return actor.With(w.t.Context(), a)
}

// again re-reads who acts: after joining there is a member.
func (w *world) again(ctx context.Context) context.Context {
	w.t.Helper()
	x, err := readIdentity(ctx, w.db, actor.From(ctx).ID, "")
	must(w.t, err)
	return w.login(wechat.Identity{App: x.App, OpenID: x.OpenID, UnionID: x.UnionID})
}

func (w *world) phoneToken(ctx context.Context, phone string) string {
	w.t.Helper()
	tok, err := w.PhoneToken(w.clk.Now(), actor.From(ctx).ID, phone)
	must(w.t, err)
	return tok
}

func (w *world) form(ctx context.Context, phone string) JoinInput {
	return JoinInput{CharterVersion: 1, PhoneToken: w.phoneToken(ctx, phone), Name: "王小明", Gender: "male", Birthday: "1990-05-01",
		Vehicle: &VehicleInput{Plate: "京a·12345", Brand: "大众", VehicleClassID: 5}}
}

// member joins a fresh person and returns the acting context and the member.
func (w *world) member(phone string) (context.Context, Joined) {
	w.t.Helper()
	ctx := w.person()
	j, err := w.Join(ctx, w.form(ctx, phone))
	must(w.t, err)
	return w.again(ctx), j
}

// desk is staff of every store.
func desk(ctx context.Context, id int64) context.Context {
	return actor.With(ctx, actor.Actor{Kind: actor.Staff, ID: id, Name: "小李", AllStores: true, IP: "10.0.0.8"})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t testing.TB, err error, want *fault.Error) *fault.Error {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %s", err, want.Code)
	}
	return fault.As(err)
}

func wantsField(t testing.TB, err error, fields ...string) {
	t.Helper()
	f := wants(t, err, fault.ErrInvalid)
	var got []string
	for _, x := range f.Fields {
		got = append(got, x.Field)
		if x.Message == "" {
			t.Errorf("field %s has no message", x.Field)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(fields) {
		t.Fatalf("fields %v, want %v", got, fields)
	}
}

func identityOf(t testing.TB, w *world, ctx context.Context) wechat.Identity {
	t.Helper()
	x, err := readIdentity(ctx, w.db, actor.From(ctx).ID, "")
	must(t, err)
	return wechat.Identity{App: x.App, OpenID: x.OpenID, UnionID: x.UnionID}
}
