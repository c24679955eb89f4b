package wxsandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// errTexts are WeChat's own texts; the SDKs show them, so they are part of the contract.
var errTexts = map[int]string{
	-1: "system error", 40001: "invalid credential, access_token is invalid or not latest", 40002: "invalid grant_type",
	40003: "invalid openid", 40013: "invalid appid", 40029: "invalid code", 40037: "invalid template_id", 40066: "invalid url",
	40125: "invalid appsecret", 40163: "code been used", 40097: "invalid args", 40129: "invalid scene", 40226: "code blocked",
	40030: "invalid refresh_token", 41001: "access_token missing", 41002: "appid missing", 41004: "appsecret missing", 41008: "missing code",
	41030: "invalid page", 42001: "access_token expired", 43002: "require POST method", 43004: "require subscribe",
	43101: "user refuse to accept the msg", 44002: "empty post data", 45009: "reach max api daily quota limit",
	45011: "api minute-quota reach limit, must slower, retry next minute", 47001: "data format error", 47003: "argument invalid!",
	48001: "api unauthorized", 46003: "menu no exist", 40016: "invalid button size", 40017: "invalid button type", 40018: "invalid button name size",
	40019: "invalid button key size", 40020: "invalid button url size", 40023: "invalid sub button size", 40024: "invalid sub button type", 40025: "invalid sub button name size",
	40055: "invalid button url domain", 45064: "no permission to use weapp in menu", 40053: "invalid action info", 40052: "invalid action name", 87014: "risky content", 1400001: "quota exceeded", 61010: "code is expired",
}

// apiErr is an error answer; detail replaces the standard text.
func apiErr(code int, detail string) map[string]any {
	msg := detail
	if msg == "" {
		msg = errTexts[code]
	}
	if msg == "" {
		msg = "error"
	}
	r := randomHex(8)
	return map[string]any{"errcode": code, "errmsg": fmt.Sprintf("%s rid: %s-%s-%s", msg, r[:8], r[8:12], r[12:])}
}

func apiOK(kv ...any) map[string]any {
	m := map[string]any{"errcode": 0, "errmsg": "ok"}
	for i := 0; i+1 < len(kv); i += 2 {
		m[kv[i].(string)] = kv[i+1]
	}
	return m
}

// apiFunc answers one call; it runs under mu and returns what is written with HTTP 200.
type apiFunc func(r *http.Request, app string, body []byte) any

func (s *Sandbox) apiRoutes(m *http.ServeMux) {
	m.HandleFunc("/sns/jscode2session", s.plain(s.jscode2session))
	m.HandleFunc("/cgi-bin/token", s.plain(s.plainToken))
	m.HandleFunc("/cgi-bin/stable_token", s.plain(s.stableToken))
	m.HandleFunc("/wxa/business/getuserphonenumber", s.authed(AppMP, s.phoneNumber))
	m.HandleFunc("/cgi-bin/ticket/getticket", s.authed(AppOA, s.ticket))
	m.HandleFunc("/cgi-bin/user/info", s.authed(AppOA, s.userInfo))
	m.HandleFunc("/cgi-bin/user/info/batchget", s.authed(AppOA, s.userInfos))
	m.HandleFunc("/cgi-bin/menu/create", s.authed(AppOA, s.menuCreate))
	m.HandleFunc("/cgi-bin/menu/get", s.authed(AppOA, s.menuGet))
	m.HandleFunc("/cgi-bin/menu/delete", s.authed(AppOA, s.menuDelete))
	m.HandleFunc("/cgi-bin/qrcode/create", s.authed(AppOA, s.qrCode))
	m.HandleFunc("/cgi-bin/message/template/send", s.authed(AppOA, s.templateSend))
	m.HandleFunc("/cgi-bin/message/subscribe/bizsend", s.authed(AppOA, s.bizSend))
	m.HandleFunc("/cgi-bin/message/subscribe/send", s.authed(AppMP, s.subscribeSend))
	m.HandleFunc("/wxa/getwxacodeunlimit", s.wxaCode)
	m.HandleFunc("/wxa/sec/order/upload_shipping_info", s.authed(AppMP, s.uploadShipping))
	m.HandleFunc("/wxa/sec/order/is_trade_managed", s.authed(AppMP, s.isTradeManaged))
	m.HandleFunc("/wxa/msg_sec_check", s.authed(AppMP, s.msgSecCheck))
	// Anything else under these roots exists at WeChat but not here: say so instead of a 404 page.
	for _, root := range []string{"/sns/", "/cgi-bin/", "/wxa/"} {
		m.HandleFunc(root, func(w http.ResponseWriter, r *http.Request) {
			writeJSON(w, http.StatusOK, apiErr(48001, "api unauthorized: not simulated: "+r.URL.Path))
		})
	}
}

// plain serves an API that needs no access token.
func (s *Sandbox) plain(f apiFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body := readBody(r)
		s.mu.Lock()
		v := f(r, "", body)
		s.mu.Unlock()
		writeJSON(w, http.StatusOK, v)
	}
}

// authed serves an API that needs an access token of the given app.
func (s *Sandbox) authed(app string, f apiFunc) http.HandlerFunc {
	return s.plain(func(r *http.Request, _ string, body []byte) any {
		if e := s.checkToken(r.URL.Query().Get("access_token"), app); e != nil {
			return e
		}
		if !s.allow(r.URL.Path, "") {
			return apiErr(45009, "")
		}
		return f(r, app, body)
	})
}

func (s *Sandbox) checkToken(value, app string) map[string]any {
	t := s.st.Tokens[value]
	switch {
	case value == "":
		return apiErr(41001, "")
	case t == nil || t.Dead:
		return apiErr(40001, "")
	case !s.o.Now().Before(t.ExpiresAt):
		return apiErr(42001, "")
	case t.App != app:
		return apiErr(48001, "")
	}
	return nil
}

// tokenLife is what WeChat promises; graceLife is how long a replaced token still works.
const (
	tokenLife = 7200 * time.Second
	graceLife = 5 * time.Minute
)

func (s *Sandbox) checkApp(appID, secret string) (string, map[string]any) {
	if appID == "" {
		return "", apiErr(41002, "")
	}
	name, app, ok := s.app(appID)
	if !ok {
		return "", apiErr(40013, "")
	}
	if secret == "" {
		return "", apiErr(41004, "")
	}
	if app.Secret != secret {
		return "", apiErr(40125, "")
	}
	return name, nil
}

func (s *Sandbox) stableToken(r *http.Request, _ string, body []byte) any {
	var in struct {
		GrantType    string `json:"grant_type"`
		AppID        string `json:"appid"`
		Secret       string `json:"secret"`
		ForceRefresh bool   `json:"force_refresh"`
	}
	if r.Method != http.MethodPost {
		return apiErr(43002, "")
	}
	if json.Unmarshal(body, &in) != nil {
		return apiErr(47001, "")
	}
	if in.GrantType != "client_credential" {
		return apiErr(40002, "")
	}
	app, e := s.checkApp(in.AppID, in.Secret)
	if e != nil {
		return e
	}
	if !s.allow(r.URL.Path, app) || (in.ForceRefresh && !s.allow("stable_token/force", app)) {
		return apiErr(45009, "")
	}
	return s.issueToken(app, app, in.ForceRefresh, false)
}

func (s *Sandbox) plainToken(r *http.Request, _ string, _ []byte) any {
	q := r.URL.Query()
	if q.Get("grant_type") != "client_credential" {
		return apiErr(40002, "")
	}
	app, e := s.checkApp(q.Get("appid"), q.Get("secret"))
	if e != nil {
		return e
	}
	if !s.allow(r.URL.Path, app) {
		return apiErr(45009, "")
	}
	// Every call of the old API makes a new token; the stable series is separate.
	return s.issueToken("token:"+app, app, false, true)
}

// issueToken returns the series' current token, or a new one when it is worn out, forced, or always renewed.
func (s *Sandbox) issueToken(series, app string, force, renew bool) any {
	now := s.o.Now()
	cur := s.st.Tokens[s.st.Current[series]]
	if cur != nil && !force && !renew && cur.ExpiresAt.Sub(now) > graceLife {
		return map[string]any{"access_token": s.st.Current[series], "expires_in": int64(cur.ExpiresAt.Sub(now) / time.Second)}
	}
	if cur != nil {
		if force {
			cur.Dead = true
		} else if end := now.Add(graceLife); end.Before(cur.ExpiresAt) {
			cur.ExpiresAt = end
		}
	}
	value := fmt.Sprintf("%d_%s", 60+s.next()%40, randomHex(64))
	s.st.Tokens[value] = &token{App: app, ExpiresAt: now.Add(tokenLife)}
	s.st.Current[series] = value
	s.touch()
	return map[string]any{"access_token": value, "expires_in": int64(tokenLife / time.Second)}
}

// quotaWindow counts calls in a fixed window.
type quotaWindow struct {
	start time.Time
	n     int
}

var quotas = map[string]struct {
	max int
	per time.Duration
}{
	"/sns/jscode2session":                 {100, time.Minute}, // per user
	"/cgi-bin/stable_token":               {10000, time.Minute},
	"stable_token/force":                  {20, 24 * time.Hour},
	"/cgi-bin/token":                      {2000, 24 * time.Hour},
	"/cgi-bin/message/template/send":      {100000, 24 * time.Hour},
	"/cgi-bin/message/subscribe/send":     {3000000, 24 * time.Hour},
	"/cgi-bin/message/subscribe/bizsend":  {1000000, 24 * time.Hour},
	"/wxa/getwxacodeunlimit":              {5000, time.Minute},
	"/cgi-bin/user/info":                  {5000000, 24 * time.Hour},
	"/wxa/msg_sec_check":                  {2000000, 24 * time.Hour},
	"/wxa/business/getuserphonenumber":    {1000, time.Minute},
	"/wxa/sec/order/upload_shipping_info": {1000000, 24 * time.Hour},
	"/cgi-bin/ticket/getticket":           {1000000, 24 * time.Hour},
	"/cgi-bin/menu/create":                {1000, 24 * time.Hour},
	"/cgi-bin/menu/get":                   {10000, 24 * time.Hour},
	"/cgi-bin/menu/delete":                {1000, 24 * time.Hour},
	"/cgi-bin/qrcode/create":              {100000, 24 * time.Hour},
	"/cgi-bin/user/info/batchget":         {500000, 24 * time.Hour},
}

// allow counts one call and reports whether it is within the quota.
func (s *Sandbox) allow(path, who string) bool {
	q, ok := quotas[path]
	if !ok {
		return true
	}
	if n, ok := s.o.Quotas[path]; ok {
		q.max = n
	}
	w := s.quota[path+"|"+who]
	if now := s.o.Now(); w == nil || now.Sub(w.start) >= q.per {
		w = &quotaWindow{start: now}
		s.quota[path+"|"+who] = w
	}
	w.n++
	return w.n <= q.max
}
