package member

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/wechat"
)

const keyHeader = "Idempotency-Key"

func TestOwnerStory(t *testing.T) {
	w := newWorld(t)
	c := apitest.New(t, w.Routes)
	w.wx.people["code-1"] = wechat.Identity{App: AppMini, OpenID: "o-1"}
	w.wx.phones["phone-1"] = "13800138000"
	var in LoginAnswer
	c.OK(http.MethodPost, "/api/owner/session", LoginRequest{"mini_program", "code-1"}, &in)
	if in.MemberStatus != "" || in.Session.AccessToken == "" {
		t.Fatalf("%+v", in)
	}
	c.Fault(wechat.ErrBadCode, http.MethodPost, "/api/owner/session", LoginRequest{"mini_program", "code-1"}) // a code is good once
	who, err := w.Authenticate(t.Context(), in.Session.AccessToken)
	must(t, err)
	me := c.As(who)
	me.Fault(httpapi.ErrNotJoined, http.MethodGet, "/api/owner/profile", nil)
	var ch Charter
	me.OK(http.MethodGet, "/api/owner/charter", nil, &ch)
	var p PhoneAnswer
	me.OK(http.MethodPost, "/api/owner/phone", PhoneRequest{"phone-1"}, &p)
	form := JoinInput{CharterVersion: ch.Version, PhoneToken: p.PhoneToken, Name: "王小明", Vehicle: &VehicleInput{Plate: "京A12345"}}
	me.Fault(idem.ErrMissing, http.MethodPost, "/api/owner/join", form)
	var j, j2 Joined
	me.OK(http.MethodPost, "/api/owner/join", form, &j, keyHeader, "join-0001")
	me.OK(http.MethodPost, "/api/owner/join", form, &j2, keyHeader, "join-0001")
	form.Name = "别人"
	me.Fault(idem.ErrReused, http.MethodPost, "/api/owner/join", form, keyHeader, "join-0001")
	if j != j2 || j.CardNo == "" {
		t.Fatalf("%+v %+v", j, j2)
	}
	who, err = w.Authenticate(t.Context(), in.Session.AccessToken)
	must(t, err)
	me = c.As(who)
	var prof Profile
	me.OK(http.MethodPut, "/api/owner/profile", ProfileUpdate{Name: "王大明", Gender: "male", Birthday: "1990-05-01"}, &prof)
	if prof.Name != "王大明" || prof.PhoneMasked != "138****8000" || prof.ID != j.MemberID {
		t.Fatalf("%+v", prof)
	}
	var d CodeDevice
	me.OK(http.MethodPost, "/api/owner/code-devices", CodeDeviceRequest{"iPhone"}, &d)
	me.OK(http.MethodPut, "/api/owner/code-devices/"+d.DeviceNo+"/limits", CodeLimits{CapFen: 10000}, &d)
	if d.CapFen != 10000 || d.StepSeconds != 60 || len(d.DeviceNo) != 9 || !d.ServerTime.Equal(w.clk.Now()) {
		t.Fatalf("%+v", d)
	}
	var vs VehicleList
	me.OK(http.MethodGet, "/api/owner/vehicles", nil, &vs)
	if fields := me.Fault(fault.ErrInvalid, http.MethodPost, "/api/owner/vehicles", VehicleInput{Plate: "京A1234I"}); len(fields) != 1 || fields[0].Field != "plate" {
		t.Fatalf("%+v", fields)
	}
	me.OK(http.MethodDelete, "/api/owner/vehicles/"+itoa(vs.Items[0].ID), nil, nil)
	var card Card
	me.OK(http.MethodPost, "/api/owner/card/report-lost", LostReport{}, &card)
	w.purse[j.MemberID] = 1
	var left Left
	me.OK(http.MethodPost, "/api/owner/account/close", CloseRequest{}, &left)
	me.OK(http.MethodPost, "/api/owner/account/reopen", nil, &left)
	if left.Status != StatusActive {
		t.Fatalf("%+v", left)
	}
	var ses struct{ AccessToken, RefreshToken string }
	c.OK(http.MethodPost, "/api/owner/session/refresh", RefreshRequest{in.Session.RefreshToken}, &ses)
	me.OK(http.MethodDelete, "/api/owner/session", nil, nil)
	_, err = w.Authenticate(t.Context(), ses.AccessToken)
	wants(t, err, fault.ErrExpired)
}

func TestWeChatDownAtLogin(t *testing.T) {
	w := newWorld(t)
	c := apitest.New(t, w.Routes)
	w.wx.people["code-1"] = wechat.Identity{App: AppMini, OpenID: "o-1"}
	w.wx.fail = &wechat.Error{Class: wechat.Unavailable, Op: "login"}
	c.Fault(wechat.ErrUnavailable, http.MethodPost, "/api/owner/session", LoginRequest{"mini_program", "code-1"})
	w.wx.fail = nil
	c.OK(http.MethodPost, "/api/owner/session", LoginRequest{"mini_program", "code-1"}, nil) // a retry works
}

func TestConsoleCommands(t *testing.T) {
	w := newWorld(t)
	c := apitest.New(t, w.Routes)
	_, j := w.member("13800138000")
	all := c.As(apitest.Staff(perm.MemberRead, perm.MemberWrite, perm.MemberCard, perm.MemberSuspend, perm.MemberReview, perm.MemberUnmask, perm.SettingRead, perm.SettingWrite))
	none := c.As(apitest.Staff(perm.MemberRead))
	base := "/api/console/members/" + itoa(j.MemberID)
	why := ReasonRequest{"客户要求"}
	for _, path := range []string{"/unmask", "/card/freeze", "/card/unfreeze", "/card/lost", "/card/reissue", "/suspend", "/reinstate", "/close"} {
		none.Fault(fault.ErrForbidden, http.MethodPost, base+path, why)
		if fields := all.Fault(fault.ErrInvalid, http.MethodPost, base+path, ReasonRequest{"x"}); len(fields) != 1 || fields[0].Field != "reason" {
			t.Errorf("%s: %+v", path, fields)
		}
		all.Fault(fault.ErrNotFound, http.MethodPost, "/api/console/members/1"+path, why)
	}
	var card Card
	for _, step := range []struct{ path, status string }{{"freeze", CardFrozen}, {"unfreeze", CardActive}, {"lost", CardLost}, {"reissue", CardActive}} {
		all.OK(http.MethodPost, base+"/card/"+step.path, why, &card)
		if card.Status != step.status {
			t.Fatalf("%s: %+v", step.path, card)
		}
	}
	var sum Summary
	all.OK(http.MethodPost, base+"/suspend", why, &sum)
	if sum.Status != StatusSuspended || sum.NameMasked != "王**" || sum.PhoneMasked != "138****8000" {
		t.Fatalf("%+v", sum)
	}
	all.OK(http.MethodPost, base+"/reinstate", why, &sum)
	var clear Clear
	all.OK(http.MethodPost, base+"/unmask", why, &clear)
	if clear.Phone != "13800138000" {
		t.Fatalf("%+v", clear)
	}
	var v Vehicle
	all.OK(http.MethodPost, base+"/vehicles", VehicleInput{Plate: "京B12345"}, &v)
	all.OK(http.MethodPut, base+"/vehicles/"+itoa(v.ID), VehicleInput{Plate: "京B12346"}, &v)
	all.OK(http.MethodDelete, base+"/vehicles/"+itoa(v.ID), nil, nil)
	var reg Registered
	all.OK(http.MethodPost, "/api/console/members", NewMember{StoreID: 1, Phone: "13900139000", Name: "李四"}, &reg, keyHeader, "create-01")
	if reg.Member.ID == 0 || !ValidCardNo(reg.CardNo) {
		t.Fatalf("%+v", reg)
	}
	all.OK(http.MethodPut, base, UpdateRequest{Gender: ptr("female"), Reason: "更正"}, &sum)
	if sum.Gender != "female" {
		t.Fatalf("%+v", sum)
	}
	all.OK(http.MethodPost, base+"/close", why, nil)
	var list CharterList
	all.OK(http.MethodGet, "/api/console/charters?limit=100", nil, &list)
	if len(list.Items) != 1 {
		t.Fatalf("%+v", list)
	}
	// Every command left its trace, by who did it.
	trail := apitest.New(t, audit.New(w.db, nil).Routes).As(apitest.Staff(perm.AuditRead))
	var page httpapi.Page[audit.Record]
	trail.OK(http.MethodGet, "/api/console/audit?limit=100&actorId=7", nil, &page)
	var got []string
	for _, r := range page.Items {
		got = append(got, r.Action)
		if r.ActionLabel == r.Action || r.ActorName != "王店长" {
			t.Errorf("%+v", r)
		}
	}
	want := "member.close member.update member.register vehicle.delete vehicle.update vehicle.create member.unmask member.reinstate member.suspend card.reissue card.lost card.unfreeze card.freeze"
	if strings.Join(got, " ") != want {
		t.Fatalf("trail\n%s, want\n%s", strings.Join(got, " "), want)
	}
}

// oauth walks the browser's way and returns where it ends.
func (w *world) oauth(query string, edit func(*http.Request)) *url.URL {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.OAuthStart().ServeHTTP(rec, httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, "/hooks/oauth/start?"+query, nil))
	to, err := url.Parse(rec.Header().Get("Location"))
	must(w.t, err)
	if to.Host == "" {
		return to
	}
	req := httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, "/hooks/oauth/return?code=oa-code&state="+to.Query().Get("state"), nil)
	for _, c := range rec.Result().Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/hooks/oauth" {
			w.t.Errorf("%+v", c)
		}
		req.AddCookie(c)
	}
	if edit != nil {
		edit(req)
	}
	rec = httptest.NewRecorder()
	w.OAuthReturn().ServeHTTP(rec, req)
	to, err = url.Parse(rec.Header().Get("Location"))
	must(w.t, err)
	return to
}

func TestOAuth(t *testing.T) {
	w := newWorld(t)
	c := apitest.New(t, w.Routes)
	w.wx.people["oa-code"] = wechat.Identity{App: AppOfficial, OpenID: "oa-1"}
	to := w.oauth("for=owner&to=/pages/home/index", nil)
	ticket := to.Query().Get("ticket")
	if to.Path != "/h5/" || to.Fragment != "/pages/home/index" || ticket == "" {
		t.Fatal(to)
	}
	if _, _, err := w.RedeemStaffTicket(t.Context(), ticket); err == nil {
		t.Fatal("an owner's ticket opened the staff door")
	}
	var in LoginAnswer
	c.OK(http.MethodPost, "/api/owner/session", LoginRequest{"ticket", ticket}, &in)
	c.Fault(ErrTicket, http.MethodPost, "/api/owner/session", LoginRequest{"ticket", ticket})
	if who, err := w.Authenticate(t.Context(), in.Session.AccessToken); err != nil || who.App != AppOfficial || who.Kind != actor.Owner {
		t.Fatalf("%+v %v", who, err)
	}

	w.wx.people["oa-code"] = wechat.Identity{App: AppOfficial, OpenID: "oa-1"}
	to = w.oauth("for=owner", nil)
	w.clk.Advance(61 * time.Second)
	c.Fault(ErrTicket, http.MethodPost, "/api/owner/session", LoginRequest{"ticket", to.Query().Get("ticket")})

	w.wx.people["oa-code"] = wechat.Identity{App: AppOfficial, OpenID: "oa-2", UnionID: "u2"}
	to = w.oauth("for=staff&to=/pkg-staff/login/index&invite=ABCDE-12345", nil)
	who, invite, err := w.RedeemStaffTicket(t.Context(), to.Query().Get("ticket"))
	if must(t, err); who.OpenID != "oa-2" || who.UnionID != "u2" || invite != "ABCDE-12345" {
		t.Fatalf("%+v %s", who, invite)
	}
}

func TestOAuthFaults(t *testing.T) {
	w := newWorld(t)
	back := func(want *fault.Error, query string, edit func(*http.Request)) {
		t.Helper()
		to := w.oauth(query, edit)
		if to.Host != "" || to.Path != "/h5/" || to.Query().Get("loginError") != want.Code || to.Query().Get("ticket") != "" {
			t.Fatalf("%s, want %s", to, want.Code)
		}
	}
	set := func(key, value string) func(*http.Request) {
		return func(r *http.Request) { q := r.URL.Query(); q.Set(key, value); r.URL.RawQuery = q.Encode() }
	}
	w.wx.people["oa-code"] = wechat.Identity{App: AppOfficial, OpenID: "oa-1"}
	back(ErrOAuthState, "for=owner", set("state", "somebody-elses"))
	back(ErrOAuthState, "for=owner", func(r *http.Request) { r.Header.Del("Cookie") })
	back(ErrOAuthState, "for=owner", func(r *http.Request) { r.Header.Set("Cookie", "lc_oauth=eyJzIjoieCJ9.forged") })
	back(ErrOAuthState, "for=owner", func(*http.Request) { w.clk.Advance(11 * time.Minute) })
	back(ErrOAuthState, "for=admin", nil)
	back(ErrOAuthState, "for=staff&invite=%3Cscript%3E", nil)
	back(ErrOAuthDenied, "for=owner", set("code", ""))
	if w.oauth("for=owner", nil).Query().Get("ticket") == "" {
		t.Fatal("none of the refusals may have spent the code")
	}
	back(wechat.ErrBadCode, "for=owner", nil) // now it is spent
	w.wx.fail = &wechat.Error{Class: wechat.Snapshot, Op: "login"}
	back(wechat.ErrSnapshot, "for=owner", nil)
	w.wx.fail = &wechat.Error{Class: wechat.Unavailable, Op: "login"}
	back(wechat.ErrUnavailable, "for=owner", nil)
	var n int
	must(t, w.db.Get(t.Context(), &n, `SELECT COUNT(*) FROM member_identities`))
	if n != 0 {
		t.Fatalf("%d identities after refused logins", n)
	}
	w.wx.fail = nil
	for _, to := range []string{"https://evil.example/", "//evil.example", "/a\r\nSet-Cookie: x=1", "javascript:alert(1)", strings.Repeat("/a", 300)} {
		w.wx.people["oa-code"] = wechat.Identity{App: AppOfficial, OpenID: "oa-1"}
		got := w.oauth("for=owner&to="+url.QueryEscape(to), nil)
		if got.Host != "" || got.Path != "/h5/" || strings.Contains(got.Fragment, "evil") && got.Fragment != "//evil.example" || strings.ContainsAny(got.String(), "\r\n") {
			t.Fatalf("%q leads to %s", to, got)
		}
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
