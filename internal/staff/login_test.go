package staff

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/wechat"
)

func TestPasswordHash(t *testing.T) {
	h := hashPassword(goodPassword)
	if !strings.HasPrefix(h, "$argon2id$v=19$m=19456,t=2,p=1$") || !checkHash(h, goodPassword) || checkHash(h, goodPassword+"x") || h == hashPassword(goodPassword) {
		t.Fatal(h)
	}
	for _, bad := range []string{"", "plain", "$argon2id$v=19$m=1,t=0,p=1$YQ$YQ", "$argon2id$v=19$m=99999999,t=1,p=1$YQ$YQ", "$argon2id$v=18$m=8,t=1,p=1$YQ$YQ", "$argon2i$v=19$m=8,t=1,p=1$YQ$YQ", "$argon2id$v=19$m=8,t=1,p=1$!$YQ", "$argon2id$v=19$m=8,t=1,p=1$YQ$"} {
		if checkHash(bad, "") {
			t.Errorf("%q matched", bad)
		}
	}
	for p, ok := range map[string]bool{goodPassword: true, "correct horse battery": true, "short": false, "12345678": false, "aaaaaaaa": false, "password": false, "zhangsan1": false, strings.Repeat("ab", 65): false} {
		if got := checkPassword(p, "zhangsan1"); (got == "") != ok {
			t.Errorf("%q: %q", p, got)
		}
	}
}

func TestPasswordsThatPeoplePickFirst(t *testing.T) {
	for _, p := range []string{"password", "Password1", "password2026!", "P@ssw0rd", "passw0rd123", "12345678", "123456789012", "20261122", "11111111", "aaaaaaaa", "AAAAAAAAA", "abcd1234", "abcd.1234", "abc123456", "a1234567", "Qwerty123",
		"qwertyuiop", "1qaz2wsx", "1q2w3e4r", "asdfghjkl", "zxcvbnm123", "admin888", "Admin@123", "root1234", "welcome1", "test1234", "woaini520", "woaini1314", "5201314a", "iloveyou", "aa123456", "qq123456", "abcdabcd", "!!!!!!!!", "老老老老老老老老",
		"boss.wang"} {
		if checkPassword(p, "boss.wang") == "" {
			t.Errorf("%q is taken", p)
		}
	}
	for _, p := range []string{goodPassword, "liangche2026", "car-wash-2026", "雨后补洗要记得带券", "kestrel-harbour-9", "j8Kq!2vRtz", "correct horse battery", "p4ssphrase of mine", strings.Repeat("ab3", 42)} {
		if c := checkPassword(p, "boss.wang"); c != "" {
			t.Errorf("%q: %s", p, c)
		}
	}
}

func TestLoginPassword(t *testing.T) {
	w := newWorld(t)
	ctx := actor.With(t.Context(), actor.Actor{IP: "10.0.0.1"})
	ses, id, err := w.LoginPassword(ctx, " BOSS ", goodPassword)
	must(t, err)
	a, err := w.Authenticate(ctx, ses.AccessToken)
	must(t, err)
	if a.ID != id || !a.AllStores || len(a.Permissions) != len(perm.Keys()) || a.Name != "周老板" || a.SessionID == 0 {
		t.Fatalf("%+v", a)
	}
	for _, c := range [][2]string{{"boss", "wrong"}, {"nobody", goodPassword}, {"", ""}, {"boss' OR 1=1 --", "x"}, {strings.Repeat("x", 500), "x"}} {
		_, _, err := w.LoginPassword(ctx, c[0], c[1])
		wants(t, err, ErrBadCredentials)
	}
	w.clk.Advance(SessionLife)
	_, err = w.Authenticate(ctx, ses.AccessToken)
	wants(t, err, fault.ErrExpired)
}

// N35: guessing is throttled per account and per address, and the count is shared by all instances.
func TestN35LoginThrottle(t *testing.T) {
	w := newWorld(t)
	other := New(w.db, w.box, w.out, w.out, w.out, Options{}) // a second instance on the same database
	ctx := actor.With(t.Context(), actor.Actor{IP: "10.0.0.1"})
	var wg sync.WaitGroup
	var mu sync.Mutex
	tried, throttled := 0, 0
	for i := range 12 { // all at once: a count that lags behind would let them through
		s := w.Service
		if i%2 == 1 {
			s = other
		}
		wg.Go(func() {
			_, _, err := s.LoginPassword(ctx, "boss", "wrong-wrong")
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, ErrBadCredentials):
				tried++
			case errors.Is(err, ErrThrottled):
				throttled++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if tried != triesHere || throttled != 12-triesHere {
		t.Fatalf("%d tried, %d throttled", tried, throttled)
	}
	var trail int
	must(t, w.db.Get(ctx, &trail, `SELECT COUNT(*) FROM audit_log WHERE action = 'staff.login_refused' AND ip = '10.0.0.1' AND subject_label = '周老板'`))
	if trail != triesHere {
		t.Errorf("%d refused logins are in the trail", trail)
	}
	_, _, err := w.LoginPassword(ctx, "boss", goodPassword)
	wants(t, err, ErrThrottled)
	// Whoever guesses there does not keep the owner out who is somewhere else.
	for range triesByAccount {
		_, _, err = w.LoginPassword(ctx, "boss", "wrong-wrong")
		wants(t, err, ErrThrottled)
	}
	home := actor.With(t.Context(), actor.Actor{IP: "10.0.0.3"})
	_, _, err = w.LoginPassword(home, "boss", goodPassword)
	must(t, err)
	w.clk.Advance(loginWindow + time.Second)
	_, _, err = w.LoginPassword(ctx, "boss", goodPassword)
	must(t, err)

	for i := range triesByAddress {
		_, _, err := w.LoginPassword(ctx, "user"+string(rune('a'+i%26))+string(rune('a'+i/26)), "x")
		wants(t, err, ErrBadCredentials)
	}
	_, _, err = w.LoginPassword(ctx, "fresh", "x")
	wants(t, err, ErrThrottled)
	_, _, err = w.LoginPassword(actor.With(t.Context(), actor.Actor{IP: "10.0.0.2"}), "boss", goodPassword)
	must(t, err)
	must(t, w.Purge(ctx))
}

// An account is guessed so often in all, from however many addresses; a line of IPv6 is one address.
func TestN35GuessesFromManyAddresses(t *testing.T) {
	w := newWorld(t)
	at := func(ip string) context.Context { return actor.With(t.Context(), actor.Actor{IP: ip}) }
	tried := 0
	for n := range 30 {
		_, _, err := w.LoginPassword(at(fmt.Sprintf("10.0.1.%d", n)), "boss", "wrong-wrong")
		if errors.Is(err, ErrBadCredentials) {
			tried++
		} else {
			wants(t, err, ErrThrottled)
		}
	}
	if tried != triesByAccount {
		t.Errorf("%d guesses from thirty addresses", tried)
	}
	_, _, err := w.LoginPassword(at("10.0.0.9"), "boss", goodPassword)
	wants(t, err, ErrThrottled)
	w.clk.Advance(loginWindow + time.Second)
	tried = 0
	for n := range 12 {
		_, _, err := w.LoginPassword(at(fmt.Sprintf("2001:db8:1:2::%x", n)), "boss", "wrong-wrong")
		if errors.Is(err, ErrBadCredentials) {
			tried++
		} else {
			wants(t, err, ErrThrottled)
		}
	}
	if tried != triesHere {
		t.Errorf("%d guesses from one line of IPv6", tried)
	}
}

func TestInvite(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	a, inv, err := w.Create(w.owner, Input{Name: "小李", RoleIDs: []int64{w.roles[perm.RoleReceptionist]}, StoreIDs: []int64{1}, Phone: "138 0013 8000"})
	must(t, err)
	if a.Status != StatusInvited || a.Phone != "13800138000" || !strings.HasSuffix(inv.URL, "?invite="+inv.Code) || !inv.ExpiresAt.Equal(w.clk.Now().Add(inviteLife)) {
		t.Fatalf("%+v %+v", a, inv)
	}
	li := Identity{App: "mini_program", OpenID: "o-li", UnionID: "u-li"}
	_, _, err = w.LoginIdentity(ctx, li, "")
	wants(t, err, ErrNotBound)
	_, _, err = w.LoginIdentity(ctx, li, "00000-00000")
	wants(t, err, ErrInvite)
	fresh, err := w.NewInvite(w.owner, a.ID) // the first one ends
	must(t, err)
	_, _, err = w.LoginIdentity(ctx, li, inv.Code)
	wants(t, err, ErrInvite)
	ses, id, err := w.LoginIdentity(ctx, li, strings.ToLower(fresh.Code))
	must(t, err)
	who, err := w.Authenticate(ctx, ses.AccessToken)
	must(t, err)
	if id != a.ID || who.AllStores || !who.InStore(1) || who.InStore(2) || !who.Can(perm.CheckoutSettle) || who.Can(perm.StaffWrite) {
		t.Fatalf("%+v", who)
	}
	_, _, err = w.LoginIdentity(ctx, Identity{App: "mini_program", OpenID: "o-thief"}, fresh.Code)
	wants(t, err, ErrInvite)
	_, _, err = w.LoginIdentity(ctx, li, "")
	must(t, err)
	_, _, err = w.LoginIdentity(ctx, li, fresh.Code) // a worn invite that the phone still sends
	must(t, err)
	_, others, err := w.Create(w.owner, Input{Name: "小赵", RoleIDs: []int64{w.roles[perm.RoleReceptionist]}})
	must(t, err)
	_, _, err = w.LoginIdentity(ctx, li, others.Code)
	wants(t, err, ErrBound)
	// N24: the same openid text at the other app is another person; the unionid is the same one.
	_, _, err = w.LoginIdentity(ctx, Identity{App: "official_account", OpenID: "o-li"}, "")
	wants(t, err, ErrNotBound)
	_, id, err = w.LoginIdentity(ctx, Identity{App: "official_account", OpenID: "oa-li", UnionID: "u-li"}, "")
	if must(t, err); id != a.ID {
		t.Fatal(id)
	}
	must(t, w.UnbindWeChat(w.owner, a.ID))
	wants(t, w.UnbindWeChat(w.owner, a.ID), ErrState)
	_, err = w.Authenticate(ctx, ses.AccessToken)
	wants(t, err, fault.ErrExpired)
	_, _, err = w.LoginIdentity(ctx, li, "")
	wants(t, err, ErrNotBound)

	late, err := w.NewInvite(w.owner, a.ID)
	must(t, err)
	w.clk.Advance(inviteLife)
	_, _, err = w.LoginIdentity(ctx, li, late.Code)
	wants(t, err, ErrInvite)
}

func TestInviteAtOnce(t *testing.T) {
	w := newWorld(t)
	_, inv, err := w.Create(w.owner, Input{Name: "小李", RoleIDs: []int64{w.roles[perm.RoleReceptionist]}})
	must(t, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range 10 {
		wg.Go(func() {
			_, _, err := w.LoginIdentity(t.Context(), Identity{App: "mini_program", OpenID: "o-" + string(rune('a'+i))}, inv.Code)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !errors.Is(err, ErrInvite) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Fatalf("one invite let %d people in", won)
	}
}

func TestLoginThroughWeChat(t *testing.T) {
	w := newWorld(t)
	_, inv, err := w.Create(w.owner, Input{Name: "小李", RoleIDs: []int64{w.roles[perm.RoleReceptionist]}})
	must(t, err)
	w.out.people["t1"], w.out.invites["t1"] = wechat.Identity{App: "official_account", OpenID: "oa-1"}, inv.Code
	_, _, err = w.LoginTicket(t.Context(), "t1", "") // the invite came with the link
	must(t, err)
	w.out.people["c1"] = wechat.Identity{App: "mini_program", OpenID: "mp-9"}
	_, _, err = w.LoginMini(t.Context(), "c1", "")
	wants(t, err, ErrNotBound)
	_, _, err = w.LoginMini(t.Context(), "used", "")
	wants(t, err, wechat.ErrBadCode)
	w.out.fail = &wechat.Error{Class: wechat.Unavailable, Op: "login"}
	_, _, err = w.LoginMini(t.Context(), "c1", "")
	wants(t, err, wechat.ErrUnavailable)
}

func TestChangePassword(t *testing.T) {
	w := newWorld(t)
	ses, id, err := w.LoginPassword(t.Context(), "boss", goodPassword)
	must(t, err)
	_, err = w.ChangePassword(w.owner, "wrong", "another-good-1")
	wants(t, err, ErrOldPassword)
	_, err = w.ChangePassword(w.owner, goodPassword, "12345678")
	wants(t, err, fault.ErrInvalid)
	next, err := w.ChangePassword(w.owner, goodPassword, "another-good-1")
	must(t, err)
	_, err = w.Authenticate(t.Context(), ses.AccessToken)
	wants(t, err, fault.ErrExpired)
	a, err := w.Authenticate(t.Context(), next.AccessToken)
	if must(t, err); a.ID != id {
		t.Fatal(a)
	}
	_, _, err = w.LoginPassword(t.Context(), "boss", goodPassword)
	wants(t, err, ErrBadCredentials)
	_, _, err = w.LoginPassword(t.Context(), "boss", "another-good-1")
	must(t, err)
}
