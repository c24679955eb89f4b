package staff

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/perm"
)

func TestSeededRoles(t *testing.T) {
	w := newWorld(t)
	must(t, w.EnsureRoles(t.Context()))
	all, err := w.Roles(t.Context())
	must(t, err)
	if len(all) != 5 {
		t.Fatalf("%d roles", len(all))
	}
	for _, r := range all {
		want := slices.Sorted(slices.Values(perm.Defaults(r.Key)))
		if got := slices.Sorted(slices.Values(r.Permissions)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", r.Key, got, want)
		}
	}
}

// An upgrade brings new permissions to the roles that hold them by default, and gives nothing back that the owner took away.
func TestUpgradeOffersNewPermissions(t *testing.T) {
	w := newWorld(t)
	must(t, w.EnsureRoles(t.Context()))
	for _, offered := range []string{"", "checkout.settle member.read"} {
		_, err := w.db.SQLDB().ExecContext(t.Context(), "UPDATE staff_roles SET permissions = 'checkout.settle', offered = ? WHERE role_key = 'receptionist'", offered)
		must(t, err)
		must(t, w.EnsureRoles(t.Context()))
		must(t, w.EnsureRoles(t.Context()))
		all, err := w.Roles(t.Context())
		must(t, err)
		for _, r := range all {
			if r.Key != perm.RoleReceptionist {
				continue
			}
			for _, p := range perm.Defaults(r.Key) {
				had := p == "checkout.settle"
				isNew := strings.HasPrefix(p, "booking.") || strings.HasPrefix(p, "roster.") || offered != "" && p != "member.read"
				if got := slices.Contains(r.Permissions, p); got != (had || isNew) {
					t.Errorf("offered %q before: %s is %v", offered, p, got)
				}
			}
		}
	}
}

func TestSuspensionActsAtOnce(t *testing.T) {
	w := newWorld(t)
	_, id := w.hire(w.owner, "li", perm.RoleReceptionist)
	ses, _, err := w.LoginIdentity(t.Context(), Identity{App: "mini_program", OpenID: "o-li"}, "")
	must(t, err)
	_, err = w.Authenticate(t.Context(), ses.AccessToken)
	must(t, err)
	must(t, w.Suspend(w.owner, id, "离职"))
	_, err = w.Authenticate(t.Context(), ses.AccessToken)
	wants(t, err, fault.ErrExpired)
	_, _, err = w.LoginIdentity(t.Context(), Identity{App: "mini_program", OpenID: "o-li"}, "")
	wants(t, err, ErrSuspended)
	wants(t, w.Suspend(w.owner, id, "再来"), ErrState)
	_, err = w.NewInvite(w.owner, id)
	wants(t, err, ErrState)
	must(t, w.Reactivate(w.owner, id, "复职"))
	_, err = w.Authenticate(t.Context(), ses.AccessToken) // old sessions stay ended
	wants(t, err, fault.ErrExpired)
	_, _, err = w.LoginIdentity(t.Context(), Identity{App: "mini_program", OpenID: "o-li"}, "")
	must(t, err)

	// The status alone is enough, should a session outlive its revocation.
	ses, _, err = w.LoginIdentity(t.Context(), Identity{App: "mini_program", OpenID: "o-li"}, "")
	must(t, err)
	_, err = w.db.SQLDB().ExecContext(t.Context(), "UPDATE staff_accounts SET status = 'suspended'")
	must(t, err)
	_, err = w.Authenticate(t.Context(), ses.AccessToken)
	wants(t, err, fault.ErrExpired)
}

func TestEscalation(t *testing.T) {
	w := newWorld(t)
	manager, mid := w.hire(w.owner, "wang", perm.RoleManager, 1)
	_, rid := w.hire(w.owner, "li", perm.RoleReceptionist, 1)
	_, far := w.hire(w.owner, "zhao", perm.RoleReceptionist, 2)
	oid := actor.From(w.owner).ID
	role := func(r string) []int64 { return []int64{w.roles[r]} }
	create := func(roles, stores []int64) error {
		_, _, err := w.Create(manager, Input{Name: "新人", RoleIDs: roles, StoreIDs: stores})
		return err
	}
	update := func(id int64, roles, stores []int64) error {
		_, err := w.Update(manager, id, Input{Name: "新人", RoleIDs: roles, StoreIDs: stores})
		return err
	}
	wants(t, create(role(perm.RoleOwner), []int64{1}), ErrOwnerOnly)
	wants(t, create(role(perm.RoleReceptionist), nil), ErrEscalation)           // every store
	wants(t, create(role(perm.RoleReceptionist), []int64{1, 2}), ErrEscalation) // a store of others
	wants(t, create([]int64{12345}, []int64{1}), fault.ErrInvalid)
	wants(t, create(role(perm.RoleReceptionist), []int64{9}), fault.ErrInvalid)
	wants(t, create(nil, []int64{1}), fault.ErrInvalid)
	must(t, create(role(perm.RoleReceptionist), []int64{1}))
	wants(t, update(mid, role(perm.RoleOwner), []int64{1}), ErrOwnerOnly) // oneself
	wants(t, update(mid, role(perm.RoleManager), nil), ErrEscalation)
	wants(t, update(rid, role(perm.RoleOwner), []int64{1}), ErrOwnerOnly)
	wants(t, update(far, role(perm.RoleReceptionist), []int64{1}), ErrEscalation)
	for _, do := range []func(int64) error{
		func(id int64) error { return w.Suspend(manager, id, "夺权") },
		func(id int64) error { return w.SetPassword(manager, id, "new-password-1") },
		func(id int64) error { return w.UnbindWeChat(manager, id) },
		func(id int64) error { _, err := w.NewInvite(manager, id); return err },
		func(id int64) error { return w.Reactivate(manager, id, "x") },
		func(id int64) error { return update(id, role(perm.RoleReceptionist), []int64{1}) },
	} {
		wants(t, do(oid), ErrOwnerOnly)
		wants(t, do(far), ErrEscalation)
		wants(t, do(404), fault.ErrNotFound)
	}
	// A role that gained what the manager lacks is out of reach, to grant and to touch.
	_, err := w.UpdateRole(w.owner, w.roles[perm.RoleReceptionist], "", append(perm.Defaults(perm.RoleReceptionist), perm.StoreWrite))
	must(t, err)
	wants(t, create(role(perm.RoleReceptionist), []int64{1}), ErrEscalation)
	wants(t, w.SetPassword(manager, rid, "new-password-1"), ErrEscalation)

	_, err = w.UpdateRole(manager, w.roles[perm.RoleReceptionist], "", append(perm.Defaults(perm.RoleReceptionist), perm.RoleWrite))
	wants(t, err, ErrEscalation)
	_, err = w.UpdateRole(w.owner, w.roles[perm.RoleOwner], "", nil)
	wants(t, err, ErrOwnerRole)
	_, err = w.UpdateRole(w.owner, w.roles[perm.RoleManager], "", []string{"root"})
	wants(t, err, fault.ErrInvalid)
	_, err = w.UpdateRole(w.owner, 404, "", nil)
	wants(t, err, fault.ErrNotFound)
}

func TestRoleChangeActsAtOnce(t *testing.T) {
	w := newWorld(t)
	w.hire(w.owner, "li", perm.RoleReceptionist)
	ses, _, err := w.LoginIdentity(t.Context(), Identity{App: "mini_program", OpenID: "o-li"}, "")
	must(t, err)
	r, err := w.UpdateRole(w.owner, w.roles[perm.RoleReceptionist], "收银", []string{perm.MemberRead})
	must(t, err)
	if r.Name != "收银" {
		t.Fatalf("%+v", r)
	}
	a, err := w.Authenticate(t.Context(), ses.AccessToken)
	must(t, err)
	if !slices.Equal(a.Permissions, []string{perm.MemberRead}) {
		t.Fatalf("%+v", a)
	}
}

func TestLastOwner(t *testing.T) {
	w := newWorld(t)
	oid := actor.From(w.owner).ID
	wants(t, w.Suspend(w.owner, oid, "x"), ErrSelf)
	_, err := w.Update(w.owner, oid, Input{Name: "周老板", Username: "boss", RoleIDs: []int64{w.roles[perm.RoleManager]}})
	wants(t, err, ErrLastOwner)
	wants(t, w.Suspend(actor.With(t.Context(), actor.Job("cli")), oid, "x"), ErrLastOwner)
	id2, err := w.CreateOwner(actor.With(t.Context(), actor.Job("test")), "boss2", goodPassword, "吴老板")
	must(t, err)
	_, err = w.CreateOwner(t.Context(), "boss2", goodPassword, "吴老板")
	wants(t, err, ErrUsername)
	second := w.act(id2)
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for _, f := range []func() error{func() error { return w.Suspend(w.owner, id2, "x") }, func() error { return w.Suspend(second, oid, "x") }} {
		wg.Go(func() {
			err := f()
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				done++
			} else if !errors.Is(err, ErrLastOwner) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if has, err := w.HasOwner(t.Context()); err != nil || !has || done != 1 {
		t.Fatalf("%d suspended, owner left: %v %v", done, has, err)
	}
}

func TestAccountInputs(t *testing.T) {
	w := newWorld(t)
	_, _, err := w.Create(w.owner, Input{Name: "<b>", Username: "Ab", Phone: "123", RoleIDs: []int64{w.roles[perm.RoleTechnician]}})
	f := wants(t, err, fault.ErrInvalid)
	var fields []string
	for _, x := range f.Fields {
		fields = append(fields, x.Field)
	}
	if strings.Join(fields, " ") != "name username phone" {
		t.Fatal(fields)
	}
	a, _, err := w.Create(w.owner, Input{Name: "小李", Username: "li.wei", Phone: "13800138000", RoleIDs: []int64{w.roles[perm.RoleTechnician], w.roles[perm.RoleTechnician]}})
	must(t, err)
	_, _, err = w.Create(w.owner, Input{Name: "小李", Username: "LI.WEI", RoleIDs: []int64{w.roles[perm.RoleTechnician]}})
	wants(t, err, ErrUsername)
	must(t, w.SetPassword(w.owner, a.ID, goodPassword))
	_, id, err := w.LoginPassword(t.Context(), "li.wei", goodPassword) // the first sign-in makes it active
	must(t, err)
	b, err := w.Update(w.owner, id, Input{Name: "小李", Username: "li.wei", RoleIDs: []int64{w.roles[perm.RoleTechnician]}, StoreIDs: []int64{2}})
	must(t, err)
	if b.Status != StatusActive || b.Phone != "13800138000" || !slices.Equal(b.StoreIDs, []int64{2}) || b.LastLoginAt.IsZero() {
		t.Fatalf("%+v", b)
	}
	var phone string
	must(t, w.db.Get(t.Context(), &phone, `SELECT phone_sealed FROM staff_accounts WHERE id = ?`, id))
	if strings.Contains(phone, "1380013") {
		t.Fatal("the phone is in clear")
	}
	noName, _, err := w.Create(w.owner, Input{Name: "小赵", RoleIDs: []int64{w.roles[perm.RoleTechnician]}})
	must(t, err)
	wants(t, w.SetPassword(w.owner, noName.ID, goodPassword), fault.ErrInvalid)
	page, err := w.List(t.Context(), Filter{Text: "li.%", Limit: 10})
	if must(t, err); len(page) != 0 { // % is itself
		t.Fatalf("%+v", page)
	}
	page, err = w.List(t.Context(), Filter{Text: "li.", Status: StatusActive, Limit: 10})
	if must(t, err); len(page) != 1 {
		t.Fatalf("%+v", page)
	}
}
