package oa

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/wechat"
	"github.com/liangche/liangche/internal/wxsandbox"
)

var testCreds = sync.OnceValues(func() (wxsandbox.Credentials, error) { return wxsandbox.NewCredentials(time.Now()) })

// rig is an official account at a sandboxed WeChat.
type rig struct {
	*Service
	t       testing.TB
	clk     *clock.Manual
	wx      *wxsandbox.Sandbox
	c       wxsandbox.Credentials
	srv     *httptest.Server
	members *member.Service
	queue   *jobs.Queue

	mu        sync.Mutex
	gifts     []string // "member person"
	invited   []string
	delivered []string
	calls     map[string]int // of WeChat's API, by path
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
	c, err := testCreds()
	must(t, err)
	r := &rig{t: t, clk: clk, c: c, calls: map[string]int{}}
	mux := http.NewServeMux()
	r.srv = httptest.NewServer(mux)
	t.Cleanup(r.srv.Close)
	u, err := url.Parse(r.srv.URL)
	must(t, err)
	o := wxsandbox.Options{PublicURL: r.srv.URL + "/sandbox", NotifySpeedup: 1e3, Now: clk.Now, RealNow: time.Now, OAuthHosts: []string{u.Host},
		Templates: []wxsandbox.Template{{ID: "T", App: wxsandbox.AppOA, Title: "通知", Fields: []wxsandbox.Field{{Key: "thing1", Label: "内容"}}}}}
	o.OfficialAccount.CallbackURL, o.MiniProgram.CallbackURL = r.srv.URL+"/hooks/oa", r.srv.URL+"/hooks/mp"
	r.wx, err = wxsandbox.New(o, c)
	must(t, err)
	t.Cleanup(func() { must(t, r.wx.Close()) })
	base := r.srv.URL + "/sandbox"
	app := func(a wxsandbox.AppOptions) wechat.App {
		return wechat.App{AppID: a.AppID, Secret: a.Secret, Token: a.Token, AESKey: a.AESKey}
	}
	client, err := wechat.New(t.Context(), wechat.Config{MiniProgram: app(c.MiniProgram), OfficialAccount: app(c.OfficialAccount),
		Endpoints: wechat.Endpoints{API: base, Open: base, Pay: base}, Timeout: 2 * time.Second}, nil)
	must(t, err)
	t.Cleanup(client.Close)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	key, err := secret.Generate()
	must(t, err)
	box, err := secret.New(key)
	must(t, err)
	r.queue = jobs.New(d, log)
	settings := setting.New(d)
	r.members = member.New(d, box, settings, client, catalog.New(d, shop.New(d)), member.Options{
		JoinedTx: func(ctx context.Context, tx *db.Tx, id, identity int64) error {
			return r.JoinedTx(ctx, tx, id, identity)
		}})
	note := func(to *[]string, text string) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		*to = append(*to, text)
		return nil
	}
	r.Service = New(d, log, r.queue, client, r.members, Deps{PublicURL: r.srv.URL,
		GiftTx: func(_ context.Context, tx *db.Tx, id int64, person string) error {
			tx.AfterCommit(func() { _ = note(&r.gifts, fmt.Sprint(id, " ", person)) })
			return nil
		},
		InvitedTx: func(_ context.Context, _ *db.Tx, id int64, code string) error {
			return note(&r.invited, fmt.Sprint(id, " ", code))
		},
		DeliveredTx: func(_ context.Context, _ *db.Tx, app string, id int64, status string) error {
			return note(&r.delivered, fmt.Sprint(app, " ", id, " ", status))
		},
		ForgetTx: r.members.ForgetIdentityTx,
		ShopName: func(context.Context) (string, error) { return "亮车洗护", nil }})
	handler := http.StripPrefix("/sandbox", r.wx.Handler())
	mux.HandleFunc("/sandbox/", func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.calls[strings.TrimPrefix(req.URL.Path, "/sandbox")]++
		r.mu.Unlock()
		handler.ServeHTTP(w, req)
	})
	mux.Handle("/hooks/oa", r.Hook(wechat.OfficialAccount))
	mux.Handle("/hooks/mp", r.Hook(wechat.MiniProgram))
	return r
}

// settle waits until every push was answered, and does the jobs.
func (r *rig) settle() {
	r.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		if !slices.ContainsFunc(r.wx.Pushes(), func(p wxsandbox.PushRecord) bool { return p.State == "pending" }) {
			break
		}
		if time.Now().After(end) {
			r.t.Fatal("a push is still under way")
		}
	}
	must(r.t, r.queue.Drain(r.t.Context()))
}

func (r *rig) openID(persona string) string { return r.persona(persona).OpenIDs[wxsandbox.AppOA] }

func (r *rig) persona(id string) wxsandbox.Persona {
	for _, p := range r.wx.Personas() {
		if p.ID == id {
			return p
		}
	}
	r.t.Fatal("no such persona")
	return wxsandbox.Persona{}
}

func (r *rig) follower(openID string) Follower {
	r.t.Helper()
	f, err := followerBy(r.t.Context(), r.db, openID, "")
	must(r.t, err)
	return f.follower()
}

func (r *rig) count(query string, args ...any) (n int) {
	r.t.Helper()
	must(r.t, r.db.Get(r.t.Context(), &n, query, args...))
	return n
}

func (r *rig) given() []string { r.mu.Lock(); defer r.mu.Unlock(); return slices.Clone(r.gifts) }

func sign(parts ...string) string {
	slices.Sort(parts)
	h := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(h[:])
}

// query signs a plain push by hand.
func (r *rig) query(nonce string, change ...func(url.Values)) string {
	stamp := fmt.Sprint(r.clk.Now().Unix())
	q := url.Values{"timestamp": {stamp}, "nonce": {nonce}, "signature": {sign(r.c.OfficialAccount.Token, stamp, nonce)}}
	for _, f := range change {
		f(q)
	}
	return "?" + q.Encode()
}

func (r *rig) post(query string, body []byte) (int, string) {
	r.t.Helper()
	resp, err := http.Post(r.srv.URL+"/hooks/oa"+query, "text/xml", bytes.NewReader(body))
	must(r.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(r.t, err)
	return resp.StatusCode, string(b)
}

// event is an event's XML by hand.
func (r *rig) event(from, event, key string) []byte {
	return fmt.Appendf(nil, `<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName><CreateTime>%d</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[%s]]></Event><EventKey><![CDATA[%s]]></EventKey></xml>`,
		from, r.clk.Now().Unix(), event, key)
}

// join makes a member of a persona at an app.
func (r *rig) join(app, persona, phone string) int64 {
	r.t.Helper()
	p := r.persona(persona)
	open := p.OpenIDs[wxsandbox.AppOA]
	if app == wechat.MiniProgram {
		open = p.OpenIDs[wxsandbox.AppMP]
	}
	return joinAs(r, wechat.Identity{App: app, OpenID: open, UnionID: p.UnionID}, phone)
}

// joinAs signs in and joins, as the pages do.
func joinAs(r *rig, who wechat.Identity, phone string) int64 {
	r.t.Helper()
	must(r.t, r.members.EnsureCharter(actor.With(r.t.Context(), actor.Job("test"))))
	in, _, err := r.members.LoginAs(r.t.Context(), who)
	must(r.t, err)
	me, err := r.members.Authenticate(r.t.Context(), in.AccessToken)
	must(r.t, err)
	j, err := r.members.Join(actor.With(r.t.Context(), me), member.JoinInput{CharterVersion: 1, Phone: phone, Name: "林晓雨"})
	must(r.t, err)
	return j.MemberID
}
