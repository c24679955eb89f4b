package staff

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/wechat"
)

const goodPassword = "Liangche#2026"

// outside stands for WeChat, the OAuth tickets and the shop.
type outside struct {
	mu      sync.Mutex
	people  map[string]wechat.Identity
	invites map[string]string // by ticket
	fail    error
}

func (o *outside) MiniProgramSession(_ context.Context, code string) (wechat.Identity, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return wechat.Identity{}, o.fail
	}
	who, ok := o.people[code]
	if !ok {
		return who, &wechat.Error{Class: wechat.BadCode, Op: "login"}
	}
	return who, nil
}

func (o *outside) RedeemStaffTicket(ctx context.Context, ticket string) (wechat.Identity, string, error) {
	who, err := o.MiniProgramSession(ctx, ticket)
	return who, o.invites[ticket], err
}

func (*outside) StaffStores(context.Context) ([]Store, error) {
	return []Store{{1, "东城店"}, {2, "西城店"}}, nil
}

type world struct {
	*Service
	t     testing.TB
	clk   *clock.Manual
	out   *outside
	owner context.Context
	roles map[string]int64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	d, clk := dbtest.New(t)
	keys, err := secret.Generate()
	must(t, err)
	box, err := secret.New(keys)
	must(t, err)
	out := &outside{people: map[string]wechat.Identity{}, invites: map[string]string{}}
	w := &world{t: t, clk: clk, out: out, roles: map[string]int64{}}
	w.Service = New(d, box, out, out, out, Options{SecureCookies: true, InviteURL: "https://shop.example/h5/#/pkg-staff/login/index?invite=", Demo: true,
		ShopName: func(context.Context) (string, error) { return "亮车洗护", nil }})
	id, err := w.CreateOwner(actor.With(t.Context(), actor.Job("test")), "boss", goodPassword, "周老板")
	must(t, err)
	w.owner = w.act(id)
	all, err := w.Roles(t.Context())
	must(t, err)
	for _, r := range all {
		w.roles[r.Key] = r.ID
	}
	return w
}

// act is a context in which an account acts, with its powers of this moment.
func (w *world) act(id int64) context.Context {
	w.t.Helper()
	a, err := who(w.t.Context(), w.db, id)
	must(w.t, err)
	return actor.With(w.t.Context(), a)
}

// hire creates a staff member with a role and lets them sign in by invite.
func (w *world) hire(by context.Context, name, role string, stores ...int64) (context.Context, int64) {
	w.t.Helper()
	a, inv, err := w.Create(by, Input{Name: name, Username: "u." + role + "-" + name, RoleIDs: []int64{w.roles[role]}, StoreIDs: stores})
	must(w.t, err)
	_, id, err := w.LoginIdentity(w.t.Context(), Identity{App: "mini_program", OpenID: "o-" + name}, inv.Code)
	must(w.t, err)
	if id != a.ID {
		w.t.Fatalf("bound to %d, want %d", id, a.ID)
	}
	return w.act(id), id
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
