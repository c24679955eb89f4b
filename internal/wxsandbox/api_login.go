package wxsandbox

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

const codeLife = 5 * time.Minute

// issueCode makes a single-use code. The caller holds mu.
func (s *Sandbox) issueCode(c code) string {
	// 32 characters of the alphabet of real codes; the leading 0 is theirs too.
	value := "0" + base64.RawURLEncoding.EncodeToString([]byte(randomHex(16)))[:31]
	c.ExpiresAt = s.o.Now().Add(codeLife)
	s.st.Codes[value] = &c
	s.touch()
	return value
}

// spendCode uses up a code of a kind. The error codes differ by why it is refused.
func (s *Sandbox) spendCode(value, kind, app string) (*code, map[string]any) {
	c := s.st.Codes[value]
	switch {
	case value == "":
		return nil, apiErr(41008, "")
	case c == nil, c.Kind != kind, c.App != app:
		return nil, apiErr(40029, "")
	case c.Used:
		return nil, apiErr(40163, "")
	case !s.o.Now().Before(c.ExpiresAt):
		return nil, apiErr(40029, "")
	}
	c.Used = true
	s.touch()
	return c, nil
}

// LoginCode is what wx.login gives for a persona: a js_code of the mini-program, or with AppOA a base OAuth code.
func (s *Sandbox) LoginCode(personaID, app string) (string, error) {
	switch app {
	case AppMP, "":
		return s.newCode(personaID, code{Kind: "js", App: AppMP})
	case AppOA:
		return s.OAuthCode(personaID, scopeBase)
	}
	return "", errors.New("wxsandbox: app must be mp or oa")
}

// OAuthCode is the code of a web authorisation, as if the persona had agreed. Scope is snsapi_base or snsapi_userinfo.
func (s *Sandbox) OAuthCode(personaID, scope string) (string, error) {
	if scope == "" {
		scope = scopeBase
	}
	if scope != scopeBase && scope != scopeUserInfo {
		return "", errors.New("wxsandbox: unknown scope")
	}
	return s.newCode(personaID, code{Kind: "oauth", App: AppOA, Scope: scope})
}

// PhoneCode is what the getPhoneNumber button gives when the persona allows it.
func (s *Sandbox) PhoneCode(personaID string) (string, error) {
	return s.newCode(personaID, code{Kind: "phone", App: AppMP})
}

func (s *Sandbox) newCode(personaID string, c code) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.persona(personaID) == nil {
		return "", ErrNoPersona
	}
	c.PersonaID = personaID
	return s.issueCode(c), nil
}

func (s *Sandbox) jscode2session(r *http.Request, _ string, _ []byte) any {
	q := r.URL.Query()
	app, e := s.checkApp(q.Get("appid"), q.Get("secret"))
	if e != nil {
		return e
	}
	if app != AppMP {
		return apiErr(40013, "")
	}
	if q.Get("grant_type") != "authorization_code" {
		return apiErr(40002, "")
	}
	if c := s.st.Codes[q.Get("js_code")]; c != nil && !s.allow("/sns/jscode2session", c.PersonaID) {
		return apiErr(45011, "")
	}
	c, e := s.spendCode(q.Get("js_code"), "js", AppMP)
	if e != nil {
		return e
	}
	p := s.persona(c.PersonaID)
	if p == nil {
		return apiErr(40029, "")
	}
	key := sha1.Sum([]byte(q.Get("js_code") + p.ID))
	out := map[string]any{"openid": p.OpenIDs[AppMP], "session_key": base64.StdEncoding.EncodeToString(key[:16])}
	if p.UnionID != "" {
		out["unionid"] = p.UnionID
	}
	return out
}

func (s *Sandbox) phoneNumber(r *http.Request, app string, body []byte) any {
	var in struct {
		Code string `json:"code"`
	}
	if r.Method != http.MethodPost {
		return apiErr(43002, "")
	}
	if json.Unmarshal(body, &in) != nil {
		return apiErr(47001, "")
	}
	c, e := s.spendCode(in.Code, "phone", app)
	if e != nil {
		return e
	}
	p := s.persona(c.PersonaID)
	if p == nil {
		return apiErr(40029, "")
	}
	return apiOK("phone_info", map[string]any{
		"phoneNumber": p.Phone, "purePhoneNumber": p.Phone, "countryCode": "86",
		"watermark": map[string]any{"timestamp": s.o.Now().Unix(), "appid": s.appID(app)},
	})
}

func (s *Sandbox) ticket(r *http.Request, _ string, _ []byte) any {
	if t := r.URL.Query().Get("type"); t != "jsapi" && t != "wx_card" {
		return apiErr(40097, "invalid type")
	}
	window := s.o.Now().Unix() / 7200
	return apiOK("ticket", s.jsTicket(s.o.Now()), "expires_in", (window+1)*7200-s.o.Now().Unix())
}

func (s *Sandbox) userInfo(r *http.Request, app string, _ []byte) any {
	p := s.personaByOpenID(app, r.URL.Query().Get("openid"))
	if p == nil {
		return apiErr(40003, "")
	}
	return s.infoOf(p, app)
}

// infoOf is what WeChat tells of somebody. The caller holds mu.
func (s *Sandbox) infoOf(p *Persona, app string) map[string]any {
	out := map[string]any{"subscribe": 0, "openid": p.OpenIDs[app], "tagid_list": []int{}}
	if p.UnionID != "" {
		out["unionid"] = p.UnionID
	}
	if p.Follows {
		// Since 2021 WeChat leaves nickname and picture empty here.
		for k, v := range map[string]any{"subscribe": 1, "nickname": "", "sex": 0, "language": "zh_CN", "city": "", "province": "",
			"country": "", "headimgurl": "", "subscribe_time": s.o.Now().Add(-72 * time.Hour).Unix(), "remark": "", "groupid": 0,
			"subscribe_scene": "ADD_SCENE_QR_CODE", "qr_scene": 0, "qr_scene_str": ""} {
			out[k] = v
		}
	}
	return out
}
