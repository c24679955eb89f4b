package wxsandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	scopeBase     = "snsapi_base"
	scopeUserInfo = "snsapi_userinfo"
	personaCookie = "wxsandbox_persona"
	userTokenLife = 7200 * time.Second
	refreshLife   = 30 * 24 * time.Hour
)

func (s *Sandbox) oauthRoutes(m *http.ServeMux) {
	m.HandleFunc("GET /connect/oauth2/authorize", s.authorize)
	m.HandleFunc("/sns/oauth2/access_token", s.plain(s.oauthToken))
	m.HandleFunc("/sns/oauth2/refresh_token", s.plain(s.oauthRefresh))
	m.HandleFunc("/sns/userinfo", s.plain(s.snsUserInfo))
	m.HandleFunc("/sns/auth", s.plain(s.snsAuth))
}

// checkAuthorize returns the text of WeChat's error page, or "".
func (s *Sandbox) checkAuthorize(q url.Values) (*url.URL, string) {
	switch app, _, ok := s.app(q.Get("appid")); {
	case q.Get("appid") == "":
		return nil, "appid不能为空 错误码:10012"
	case !ok:
		return nil, "appid 参数错误 错误码:10012"
	case app != AppOA:
		return nil, "不支持的 Appid，请使用公众号 Appid 错误码:10016"
	}
	if q.Get("redirect_uri") == "" {
		return nil, "redirect_uri不能为空 错误码:10011"
	}
	u, err := url.Parse(q.Get("redirect_uri"))
	// The host is compared as written, port included: a sub-domain or another port is another host.
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || !slices.Contains(s.o.OAuthHosts, u.Host) {
		return nil, "redirect_uri域名与后台配置不一致 错误码:10003"
	}
	if q.Get("response_type") != "code" {
		return nil, "response_type 参数错误 错误码:10004"
	}
	switch q.Get("scope") {
	case "":
		return nil, "scope不能为空 错误码:10010"
	case scopeBase, scopeUserInfo:
	default:
		return nil, "Scope 参数错误或没有 Scope 权限 错误码:10005"
	}
	if len(q.Get("state")) > 128 {
		return nil, "state 参数错误 错误码:10013"
	}
	return u, ""
}

// authorize is the page of open.weixin.qq.com. It lets the visitor be a persona, asks where WeChat asks, and sends
// the browser back with code and state.
func (s *Sandbox) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	target, problem := s.checkAuthorize(q)
	if problem != "" {
		text, number, _ := strings.Cut(problem, " 错误码:")
		s.pages.render(s, w, http.StatusOK, "oauth_error.html", map[string]any{"Problem": text, "Code": "错误码:" + number})
		return
	}
	// What the page's own links add must not survive in the links that it shows.
	again := url.Values{}
	for _, k := range []string{"appid", "redirect_uri", "response_type", "scope", "state"} {
		again.Set(k, q.Get(k))
	}
	self := s.base + "/connect/oauth2/authorize?" + again.Encode()
	id := q.Get("persona")
	if id == "" && q.Get("pick") == "" {
		if c, err := r.Cookie(personaCookie); err == nil {
			id = c.Value
		}
	}
	s.mu.Lock()
	p := s.persona(id)
	var who Persona
	if p != nil {
		who = p.copy()
	}
	s.mu.Unlock()
	if p == nil {
		s.pages.render(s, w, http.StatusOK, "oauth_pick.html", map[string]any{"Personas": s.Personas(), "Self": self})
		return
	}
	setPersonaCookie(w, who.ID)
	if q.Get("scope") == scopeUserInfo && q.Get("agree") == "" {
		s.pages.render(s, w, http.StatusOK, "oauth_agree.html", map[string]any{"P": who, "Self": self, "Name": s.o.Name})
		return
	}
	value, err := s.OAuthCode(who.ID, q.Get("scope"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	// code and state go before a fragment, behind the query that is there already.
	if target.RawQuery != "" {
		target.RawQuery += "&"
	}
	target.RawQuery += "code=" + url.QueryEscape(value) + "&state=" + url.QueryEscape(q.Get("state"))
	http.Redirect(w, r, target.String(), http.StatusFound)
}

func setPersonaCookie(w http.ResponseWriter, id string) {
	http.SetCookie(w, &http.Cookie{Name: personaCookie, Value: id, Path: "/", SameSite: http.SameSiteLaxMode, MaxAge: 90 * 86400})
}

func (s *Sandbox) oauthToken(r *http.Request, _ string, _ []byte) any {
	q := r.URL.Query()
	app, e := s.checkApp(q.Get("appid"), q.Get("secret"))
	if e != nil {
		return e
	}
	if app != AppOA {
		return apiErr(40013, "")
	}
	if q.Get("grant_type") != "authorization_code" {
		return apiErr(40002, "")
	}
	c, e := s.spendCode(q.Get("code"), "oauth", AppOA)
	if e != nil {
		return e
	}
	p := s.persona(c.PersonaID)
	if p == nil {
		return apiErr(40029, "")
	}
	return s.userTokens(p, c.Scope)
}

func (s *Sandbox) userTokens(p *Persona, scope string) map[string]any {
	now := s.o.Now()
	access, refresh := "61_"+randomHex(40), "61_"+randomHex(40)
	s.st.UserTokens[access] = &userToken{PersonaID: p.ID, Scope: scope, ExpiresAt: now.Add(userTokenLife)}
	s.st.UserTokens[refresh] = &userToken{PersonaID: p.ID, Scope: scope, ExpiresAt: now.Add(refreshLife), Refresh: true}
	s.touch()
	out := map[string]any{"access_token": access, "expires_in": int64(userTokenLife / time.Second), "refresh_token": refresh,
		"openid": p.OpenIDs[AppOA], "scope": scope}
	if p.Snapshot {
		out["is_snapshotuser"] = 1
	}
	if p.UnionID != "" {
		out["unionid"] = p.UnionID
	}
	return out
}

func (s *Sandbox) oauthRefresh(r *http.Request, _ string, _ []byte) any {
	q := r.URL.Query()
	if q.Get("appid") != s.o.OfficialAccount.AppID {
		return apiErr(40013, "")
	}
	if q.Get("grant_type") != "refresh_token" {
		return apiErr(40002, "")
	}
	t := s.st.UserTokens[q.Get("refresh_token")]
	if t == nil || !t.Refresh || !s.o.Now().Before(t.ExpiresAt) {
		return apiErr(40030, "")
	}
	p := s.persona(t.PersonaID)
	if p == nil {
		return apiErr(40030, "")
	}
	delete(s.st.UserTokens, q.Get("refresh_token"))
	return s.userTokens(p, t.Scope)
}

// userOf checks a web access token against the openid.
func (s *Sandbox) userOf(q url.Values) (*Persona, *userToken, map[string]any) {
	t := s.st.UserTokens[q.Get("access_token")]
	if t == nil || t.Refresh {
		return nil, nil, apiErr(40001, "")
	}
	if !s.o.Now().Before(t.ExpiresAt) {
		return nil, nil, apiErr(42001, "")
	}
	p := s.persona(t.PersonaID)
	if p == nil || p.OpenIDs[AppOA] != q.Get("openid") {
		return nil, nil, apiErr(40003, "")
	}
	return p, t, nil
}

func (s *Sandbox) snsUserInfo(r *http.Request, _ string, _ []byte) any {
	p, t, e := s.userOf(r.URL.Query())
	if e != nil {
		return e
	}
	if t.Scope != scopeUserInfo {
		return apiErr(48001, "")
	}
	out := map[string]any{"openid": p.OpenIDs[AppOA], "nickname": p.Nickname, "sex": 0, "province": "", "city": "", "country": "",
		"headimgurl": s.o.PublicURL + "/avatar/" + p.ID + ".svg", "privilege": []string{}}
	if p.UnionID != "" {
		out["unionid"] = p.UnionID
	}
	return out
}

func (s *Sandbox) snsAuth(r *http.Request, _ string, _ []byte) any {
	if _, _, e := s.userOf(r.URL.Query()); e != nil {
		return e
	}
	return apiOK()
}
