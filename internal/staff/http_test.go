package staff

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/wechat"
)

type auth struct{ s *Service }

func (a auth) Authenticate(ctx context.Context, kind actor.Kind, token string) (actor.Actor, error) {
	if kind != actor.Staff {
		return actor.Actor{}, fault.ErrExpired
	}
	return a.s.Authenticate(ctx, token)
}

// browser keeps cookies like one, by path.
type browser struct {
	t   *testing.T
	r   *httpapi.Router
	jar map[string]*http.Cookie
}

func newBrowser(t *testing.T, w *world) *browser {
	r := httpapi.New(httpapi.Options{Title: "t", Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Auth: auth{w.Service}})
	w.Routes(r)
	return &browser{t, r, map[string]*http.Cookie{}}
}

func (b *browser) do(want int, code, method, path string, body, out any, header ...string) {
	b.t.Helper()
	var rd io.Reader
	if body != nil {
		j, err := json.Marshal(body)
		must(b.t, err)
		rd = bytes.NewReader(j)
	}
	req := httptest.NewRequestWithContext(b.t.Context(), method, path, rd)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	for _, c := range b.jar {
		if strings.HasPrefix(path, c.Path) {
			req.AddCookie(c)
		}
	}
	rec := httptest.NewRecorder()
	b.r.Echo.ServeHTTP(rec, req)
	for _, c := range rec.Result().Cookies() {
		if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode {
			b.t.Errorf("cookie %+v", c)
		}
		if b.jar[c.Name] = c; c.MaxAge < 0 {
			delete(b.jar, c.Name)
		}
	}
	var p httpapi.Problem
	if code != "" {
		must(b.t, json.Unmarshal(rec.Body.Bytes(), &p))
	}
	if rec.Code != want || string(p.Code) != code {
		b.t.Fatalf("%s %s: %d %s, want %d %s", method, path, rec.Code, rec.Body, want, code)
	}
	if out != nil {
		must(b.t, json.Unmarshal(rec.Body.Bytes(), out))
	}
}

var consoleHeader = []string{"X-Liangche", "console"}

func TestConsoleSession(t *testing.T) {
	w := newWorld(t)
	b := newBrowser(t, w)
	b.do(401, "session.required", http.MethodGet, "/api/console/me", nil, nil)
	b.do(401, "session.required", http.MethodPost, "/api/console/session/refresh", nil, nil, consoleHeader...)
	b.do(401, "staff.bad_credentials", http.MethodPost, "/api/console/session", ConsoleLoginRequest{"boss", "nope"}, nil, consoleHeader...)
	b.do(403, "session.csrf", http.MethodPost, "/api/console/session", ConsoleLoginRequest{"boss", goodPassword}, nil)
	b.do(403, "session.csrf", http.MethodPost, "/api/console/session/refresh", nil, nil)
	var me ConsoleMe
	b.do(200, "", http.MethodPost, "/api/console/session", ConsoleLoginRequest{"boss", goodPassword}, &me, consoleHeader...)
	if me.Name != "周老板" || me.ShopName != "亮车洗护" || !me.Demo || len(me.Stores) != 2 || me.Roles[0].Name != "老板" || me.WeChatBound {
		t.Fatalf("%+v", me)
	}
	if b.jar[refreshCookie].Path != "/api/console/session" || b.jar[httpapi.ConsoleCookie].Path != "/" {
		t.Fatalf("%+v", b.jar)
	}
	b.do(200, "", http.MethodGet, "/api/console/me", nil, &me)
	old := b.jar[httpapi.ConsoleCookie].Value
	b.do(200, "", http.MethodPost, "/api/console/session/refresh", nil, nil, consoleHeader...)
	if b.jar[httpapi.ConsoleCookie].Value == old {
		t.Fatal("refreshing left the token as it was")
	}
	b.do(200, "", http.MethodGet, "/api/console/me", nil, nil)
	b.do(403, "session.csrf", http.MethodDelete, "/api/console/session", nil, nil)
	b.do(200, "", http.MethodPost, "/api/console/me/password", PasswordChange{goodPassword, "another-good-1"}, nil, consoleHeader...)
	b.do(200, "", http.MethodGet, "/api/console/me", nil, nil) // this browser goes on
	b.do(200, "", http.MethodDelete, "/api/console/session", nil, nil, consoleHeader...)
	if len(b.jar) != 0 {
		t.Fatalf("%+v", b.jar)
	}
}

func TestConsoleStaff(t *testing.T) {
	w := newWorld(t)
	b := newBrowser(t, w)
	b.do(200, "", http.MethodPost, "/api/console/session", ConsoleLoginRequest{"boss", goodPassword}, nil, consoleHeader...)
	call := func(want int, code, method, path string, body, out any) {
		t.Helper()
		b.do(want, code, method, path, body, out, consoleHeader...)
	}
	var made Created
	call(200, "", http.MethodPost, "/api/console/staff", Body{Name: "小李", Username: "xiaoli", Phone: "13800138000", RoleIDs: []int64{w.roles[perm.RoleReceptionist]}}, &made)
	if made.InviteCode == "" || made.PhoneMasked != "138****8000" || made.Status != StatusInvited {
		t.Fatalf("%+v", made)
	}
	one := "/api/console/staff/" + strconv.FormatInt(made.ID, 10)
	var inv InviteAnswer
	call(200, "", http.MethodPost, one+"/invite", nil, &inv)
	call(200, "", http.MethodPost, one+"/password", PasswordSet{goodPassword}, nil)
	var row Row
	call(200, "", http.MethodPost, one+"/suspend", ReasonRequest{"离职"}, &row)
	if row.Status != StatusSuspended {
		t.Fatalf("%+v", row)
	}
	b.do(401, "staff.suspended", http.MethodPost, "/api/staff/session", LoginRequest{Method: "password", Username: "xiaoli", Password: goodPassword}, nil)
	call(200, "", http.MethodPost, one+"/reactivate", ReasonRequest{"复职"}, &row)
	call(409, "staff.state", http.MethodPost, one+"/unbind-wechat", nil, nil)
	call(200, "", http.MethodPut, one, Body{Name: "李伟", Username: "xiaoli", RoleIDs: []int64{w.roles[perm.RoleTechnician]}, StoreIDs: []int64{1}}, &row)
	var page, last httpapi.Page[Row]
	call(200, "", http.MethodGet, "/api/console/staff?limit=1", nil, &page)
	call(200, "", http.MethodGet, "/api/console/staff?limit=1&after="+page.Next, nil, &last)
	if len(last.Items) != 1 || last.Items[0].ID != made.ID || last.Next != "" || last.Items[0].LastLoginAt != nil {
		t.Fatalf("%+v", last)
	}
	call(422, "request.invalid", http.MethodGet, "/api/console/staff?after=x", nil, nil)
	var roles RoleList
	call(200, "", http.MethodGet, "/api/console/roles", nil, &roles)
	var perms PermissionList
	call(200, "", http.MethodGet, "/api/console/permissions", nil, &perms)
	if len(roles.Items) != 5 || len(perms.Items) != len(perm.Keys()) || !roles.Items[0].System || roles.Items[1].System {
		t.Fatalf("%+v", roles)
	}
	call(409, "staff.owner_role", http.MethodPut, "/api/console/roles/"+strconv.FormatInt(w.roles[perm.RoleOwner], 10), RoleBody{Permissions: []string{}}, nil)
	call(200, "", http.MethodPut, "/api/console/roles/"+strconv.FormatInt(w.roles[perm.RoleManager], 10), RoleBody{Name: "店长", Permissions: []string{perm.StaffRead}}, nil)
}

func TestStaffApp(t *testing.T) {
	w := newWorld(t)
	b := newBrowser(t, w)
	_, inv, err := w.Create(w.owner, Input{Name: "小李", RoleIDs: []int64{w.roles[perm.RoleReceptionist]}, StoreIDs: []int64{2}})
	must(t, err)
	w.out.people["c1"] = wechat.Identity{App: "mini_program", OpenID: "o-1"}
	b.do(401, "staff.not_bound", http.MethodPost, "/api/staff/session", LoginRequest{Method: "mini_program", Code: "c1"}, nil)
	b.do(422, "request.invalid", http.MethodPost, "/api/staff/session", LoginRequest{Method: "mini_program"}, nil)
	var in LoginAnswer
	b.do(200, "", http.MethodPost, "/api/staff/session", LoginRequest{Method: "mini_program", Code: "c1", InviteCode: inv.Code}, &in)
	if in.Staff.Name != "小李" || len(in.Staff.Stores) != 1 || in.Staff.Stores[0].ID != 2 || !in.Staff.WeChatBound {
		t.Fatalf("%+v", in.Staff)
	}
	bearer := []string{"Authorization", "Bearer " + in.Session.AccessToken}
	b.do(200, "", http.MethodGet, "/api/staff/me", nil, &in.Staff, bearer...)
	b.do(422, "staff.old_password", http.MethodPost, "/api/staff/me/password", PasswordChange{"x", "another-good-1"}, nil, bearer...)
	b.do(403, "permission.denied", http.MethodGet, "/api/console/staff", nil, nil, bearer...)
	b.do(200, "", http.MethodPost, "/api/staff/session/refresh", RefreshRequest{in.Session.RefreshToken}, &in.Session)
	b.do(401, "session.expired", http.MethodGet, "/api/staff/me", nil, nil, bearer...)
	bearer[1] = "Bearer " + in.Session.AccessToken
	b.do(200, "", http.MethodDelete, "/api/staff/session", nil, nil, bearer...)
	b.do(401, "session.expired", http.MethodGet, "/api/staff/me", nil, nil, bearer...)
	for range 60 {
		req := LoginRequest{Method: "password", Username: "boss", Password: "x"}
		j, _ := json.Marshal(req)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/staff/session", bytes.NewReader(j))
		r.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		b.r.Echo.ServeHTTP(rec, r)
		if rec.Code == http.StatusTooManyRequests {
			return
		}
	}
	t.Fatal("sixty guesses and no throttle")
}
