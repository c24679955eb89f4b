package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/app"
	"github.com/liangche/liangche/internal/config"
	"github.com/liangche/liangche/internal/httpapi"
)

// raw are the routes beside the contract, each with what guards it. A route that stands neither here nor in the contract fails.
var raw = map[string]string{
	"GET /":                    "a redirect",
	"GET /h5":                  "a redirect",
	"GET /h5/*":                "the owner's and staff's pages, from memory",
	"HEAD /h5/*":               "the owner's and staff's pages, from memory",
	"GET /console":             "a redirect",
	"HEAD /console":            "a redirect",
	"GET /console/*":           "the console's pages, from memory",
	"HEAD /console/*":          "the console's pages, from memory",
	"GET /media/*":             "photos, for who knows their 128 random bits",
	"HEAD /media/*":            "photos, for who knows their 128 random bits",
	"GET /hooks/oauth/start":   "makes a signed state; asks nothing of the database",
	"GET /hooks/oauth/return":  "takes a state only from the browser that has its cookie; limited by address",
	"POST /hooks/wxpay/notify": "WeChat Pay's signature; 60 forged ones an hour are kept",
	"POST /hooks/wxpay/refund": "WeChat Pay's signature; 60 forged ones an hour are kept",
	"GET /hooks/oa":            "WeChat's signature",
	"POST /hooks/oa":           "WeChat's signature",
	"GET /hooks/mp":            "WeChat's signature",
	"POST /hooks/mp":           "WeChat's signature",
	"GET /healthz":             "says ok",
	"GET /readyz":              "says whether the database answers",
	"GET /metrics":             "private networks only",
	"GET /openapi.json":        "in the demo only",
	"GET /docs":                "in the demo only",
	"GET /docs.js":             "in the demo only",
	"* /sandbox":               "in the demo only",
	"* /sandbox/*":             "in the demo only",
}

// routes are the routes of a router without those of the sandbox, as method and path.
func routes(r *httpapi.Router) (list [][2]string) {
	for _, x := range r.Echo.Routes() {
		if !strings.HasPrefix(x.Path, "/sandbox") && slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch}, x.Method) {
			list = append(list, [2]string{x.Method, x.Path})
		}
	}
	return list
}

var echoParam = regexp.MustCompile(`:(\w+)`)

// Every route is an operation of the contract or is known by name.
func TestEveryRouteIsKnown(t *testing.T) {
	s := start(t)
	ops := map[string]bool{}
	for _, op := range s.Router.Ops() {
		ops[op.Method+" "+op.Path] = true
	}
	var seen int
	for _, x := range routes(s.Router) {
		what := x[0] + " " + echoParam.ReplaceAllString(x[1], "{$1}")
		if ops[what] {
			seen++
		} else if raw[what] == "" {
			t.Errorf("%s is no operation, and nothing is known of it", what)
		}
	}
	if seen != len(ops) {
		t.Errorf("%d of %d operations have a route", seen, len(ops))
	}
}

// wrong are the complaints about the headers of an answer.
func wrong(path string, h http.Header) (out []string) {
	csp := h.Get("Content-Security-Policy")
	want := map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		"Permissions-Policy": "camera=(self), geolocation=(self), microphone=()"}
	if strings.HasPrefix(path, "/api/") {
		want["Cache-Control"] = "no-store"
	}
	for name, value := range want {
		if got := h.Get(name); got != value {
			out = append(out, fmt.Sprintf("%s is %q", name, got))
		}
	}
	if h.Get("X-Request-Id") == "" {
		out = append(out, "no request id")
	}
	for _, name := range []string{"Server", "X-Powered-By", "Access-Control-Allow-Origin"} {
		if h.Get(name) != "" {
			out = append(out, name+" is there")
		}
	}
	photo := strings.HasPrefix(path, "/media/") && csp == "default-src 'none'; sandbox"
	for _, part := range []string{"default-src 'self'", "script-src 'self';", "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors "} {
		if !photo && !strings.Contains(csp, part) {
			out = append(out, fmt.Sprintf("the policy %q lacks %s", csp, part))
		}
	}
	if kind := h.Get("Content-Type"); strings.HasPrefix(kind, "text/") && !strings.Contains(kind, "charset=") {
		out = append(out, "no charset in "+kind)
	}
	return out
}

// Every answer, of every route, to everybody and of every kind, carries the headers that browsers need to be safe.
func TestHeadersEverywhere(t *testing.T) {
	s := start(t).open()
	o := s.join("林晓舟")
	streams := map[string]bool{}
	paths, _ := s.anonymous().get("/openapi.json").at("paths").(map[string]any)
	for path, item := range paths {
		for method, op := range item.(map[string]any) {
			if m, ok := op.(map[string]any); ok && strings.Contains(fmt.Sprint(obj(m).at("responses.200.content")), "text/event-stream") {
				streams[strings.ToUpper(method)+" "+path] = true
			}
		}
	}
	if len(streams) == 0 {
		t.Error("no streams are known")
	}
	kinds := map[int]int{}
	check := func(c caller, method, path string, body any, with ...header) {
		t.Helper()
		r := c.do(method, path, body, with...)
		kinds[r.status]++
		for _, w := range wrong(path, r.header) {
			t.Errorf("%s %s: %d: %s", method, path, r.status, w)
		}
	}
	ops := map[string]httpapi.Op{}
	for _, op := range s.Router.Ops() {
		ops[op.Method+" "+op.Path] = op
	}
	for _, x := range routes(s.Router) {
		path := echoParam.ReplaceAllString(x[1], "{$1}")
		op, isOp := ops[x[0]+" "+path]
		at := strings.TrimSuffix(path, "*")
		if isOp {
			at = nobodys(op)
		}
		check(s.anonymous(), x[0], at, nil)
		if isOp && x[0] == http.MethodGet && !streams[x[0]+" "+path] {
			who := s.boss
			if op.Who == httpapi.Owner || op.Who == httpapi.Member {
				who = o.caller
			}
			check(who, x[0], at, nil)
		}
	}
	for _, path := range []string{"/api/owner/nothing", "/nothing", "/h5/nothing.js", "/console/nothing.js", "/media/nothing", "/api/owner/home/"} {
		check(o.caller, http.MethodGet, path, nil)
	}
	check(o.caller, http.MethodPatch, "/api/owner/home", nil)
	check(o.caller, http.MethodPost, "/api/owner/vehicles", []byte(strings.Repeat("x", 1<<20)))
	check(o.caller, http.MethodPost, "/api/owner/vehicles", obj{"plate": "沪B00001", "vehicleClassId": s.shop.class})
	check(s.anonymous(), http.MethodOptions, "/api/console/session", nil, header{"Origin", "https://elsewhere.example"}, header{"Access-Control-Request-Method", "POST"})
	for _, status := range []int{200, 302, 400, 401, 404, 405, 413, 422} {
		if kinds[status] == 0 {
			t.Errorf("no answer was %d: %v", status, kinds)
		}
	}
	if kinds[http.StatusInternalServerError] > 0 {
		t.Errorf("%v", kinds)
	}
}

// WeChat's browser may load WeChat's script on the owner's pages, and nothing else; no page of ours holds a script between its tags, which the policy
// would refuse.
func TestPolicyOfPages(t *testing.T) {
	s := start(t)
	wechat := s.anonymous().do(http.MethodGet, "/h5/", nil, header{"User-Agent", "Mozilla/5.0 MicroMessenger/8.0"}).header.Get("Content-Security-Policy")
	if !strings.Contains(wechat, "script-src 'self' https://res.wx.qq.com;") || strings.Count(wechat, "https:") != 1 {
		t.Errorf("in WeChat: %s", wechat)
	}
	inline := regexp.MustCompile(`(?is)<script(?:\s[^>]*)?>\s*[^<\s]|\son\w+\s*=\s*["']|javascript:`)
	for _, path := range []string{"/h5/", "/console/", "/docs"} {
		r := s.anonymous().do(http.MethodGet, path, nil)
		if m := inline.Find(r.body); m != nil {
			t.Errorf("%s holds %q, which its policy refuses", path, m)
		}
		if strings.Contains(r.header.Get("Content-Security-Policy"), "script-src 'self' 'unsafe-inline'") || strings.Contains(r.header.Get("Content-Security-Policy"), "unsafe-eval") {
			t.Errorf("%s: %s", path, r.header.Get("Content-Security-Policy"))
		}
	}
}

// Under https the session's cookies travel encrypted only, no script reads them and no other site sends them; browsers remember to use https; nobody frames a page.
func TestHeadersUnderHTTPS(t *testing.T) {
	var cfg config.Config
	s := start(t, func(o *app.DemoOptions) { o.Tune = func(c *config.Config) { cfg = *c } }).open()
	cfg.PublicURL = "https://car.example.com"
	a, err := app.Open(context.WithoutCancel(t.Context()), app.Options{Config: cfg, Clock: s.clk, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	req := httptest.NewRequest(http.MethodPost, "/api/console/session", strings.NewReader(`{"username":"boss","password":"`+bossPassword+`"}`))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Liangche", "console")
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, req)
	res := w.Result()
	if res.StatusCode != http.StatusOK || len(res.Cookies()) != 2 {
		t.Fatalf("%d %s %v", w.Code, w.Body, res.Cookies())
	}
	for _, c := range res.Cookies() {
		s.seen.add("cookie "+c.Name, c.Value)
		if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Domain != "" {
			t.Errorf("%+v", c)
		}
	}
	for _, path := range []string{"/h5/", "/console/", "/api/owner/config", "/nothing"} {
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if h := w.Result().Header; h.Get("Strict-Transport-Security") != "max-age=31536000" || !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s: %v", path, h)
		}
	}
	w = httptest.NewRecorder()
	a.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/hooks/oauth/start?for=owner&to=/", nil))
	for _, c := range w.Result().Cookies() {
		if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge <= 0 {
			t.Errorf("%+v", c)
		}
	}
}
