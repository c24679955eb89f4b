package member

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/wechat"
)

// The login through the official account: start sends the browser to WeChat with a state that a signed cookie repeats;
// the return proves both belong together, so nobody can push somebody else's login into a browser.

const (
	oauthCookie = "lc_oauth"
	oauthPath   = "/hooks/oauth"
	oauthLife   = 10 * time.Minute
	oauthSign   = "member.oauth"
)

type oauthState struct {
	State  string `json:"s"`
	For    string `json:"f"`
	To     string `json:"t"`
	Invite string `json:"i,omitempty"`
	Until  int64  `json:"u"`
}

var (
	hashPath   = regexp.MustCompile(`^/[A-Za-z0-9/_\-.?=&%,]{0,300}$`)
	inviteForm = regexp.MustCompile(`^[A-Za-z0-9-]{0,64}$`)
)

// OAuthStart answers GET /hooks/oauth/start?for=owner|staff&to=<hash path>&invite=<code>.
func (s *Service) OAuthStart() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		q := req.URL.Query()
		st := oauthState{State: secret.Token(24), For: q.Get("for"), To: safeHash(q.Get("to")), Until: s.db.Now().Add(oauthLife).UnixMilli()}
		if st.For == "" {
			st.For = forOwner
		}
		st.Invite = q.Get("invite")
		target := ""
		if s.opt.AuthorizeURL != nil {
			target = s.opt.AuthorizeURL(st.State)
		}
		switch {
		case st.For != forOwner && st.For != forStaff, !inviteForm.MatchString(st.Invite):
			s.loginError(w, req, st.To, ErrOAuthState)
			return
		case target == "":
			s.loginError(w, req, st.To, wechat.ErrNotConfigured)
			return
		}
		b, err := json.Marshal(st)
		if err != nil {
			s.loginError(w, req, st.To, err)
			return
		}
		text := base64.RawURLEncoding.EncodeToString(b)
		s.oauthCookie(w, text+"."+s.box.Sign(oauthSign, text), int(oauthLife.Seconds()))
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, req, target, http.StatusFound)
	})
}

// OAuthReturn answers GET /hooks/oauth/return?code&state, to which WeChat sends the browser back.
func (s *Service) OAuthReturn() http.Handler {
	calls := httpapi.NewLimiter(time.Second, 60)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		st, ok := s.oauthState(req)
		s.oauthCookie(w, "", -1) // once, whatever comes of it
		q := req.URL.Query()
		if !ok || q.Get("state") != st.State || s.db.Now().UnixMilli() >= st.Until {
			s.loginError(w, req, st.To, ErrOAuthState)
			return
		}
		if err := calls.Allow(s.db.Now(), httpapi.ClientIP(req.Context())); err != nil {
			s.loginError(w, req, st.To, err)
			return
		}
		code := q.Get("code")
		if code == "" {
			s.loginError(w, req, st.To, ErrOAuthDenied)
			return
		}
		who, err := s.wechat.OAuthIdentity(req.Context(), code)
		if err != nil {
			s.loginError(w, req, st.To, wechat.Fault(err))
			return
		}
		ticket, err := s.newTicket(req.Context(), st.For, st.Invite, who)
		if err != nil {
			s.loginError(w, req, st.To, err)
			return
		}
		http.Redirect(w, req, "/h5/?ticket="+url.QueryEscape(ticket)+"#"+st.To, http.StatusFound)
	})
}

// oauthState reads the signed cookie; the path to return to is safe even when ok is false.
func (s *Service) oauthState(req *http.Request) (st oauthState, ok bool) {
	st.To = "/"
	c, err := req.Cookie(oauthCookie)
	if err != nil {
		return st, false
	}
	text, mac, found := strings.Cut(c.Value, ".")
	if !found || !s.box.Verify(oauthSign, text, mac) {
		return st, false
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(b, &st) != nil || st.State == "" {
		return oauthState{To: "/"}, false
	}
	return st, true
}

func (s *Service) oauthCookie(w http.ResponseWriter, value string, maxAge int) {
	// Lax, because the browser comes back from WeChat's host.
	http.SetCookie(w, &http.Cookie{Name: oauthCookie, Value: value, Path: oauthPath, MaxAge: maxAge, HttpOnly: true, Secure: s.opt.SecureCookies, SameSite: http.SameSiteLaxMode})
}

// loginError sends the browser back to the page, which explains the fault by its code.
func (s *Service) loginError(w http.ResponseWriter, req *http.Request, to string, err error) {
	http.Redirect(w, req, "/h5/?loginError="+url.QueryEscape(fault.As(err).Code)+"#"+to, http.StatusFound)
}

// safeHash lets only a path of the H5 pages through: it stands behind "#", so it cannot leave them anyway.
func safeHash(to string) string {
	to = strings.TrimPrefix(to, "#")
	if !hashPath.MatchString(to) {
		return "/"
	}
	return to
}
