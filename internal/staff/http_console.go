package staff

import (
	"context"
	"net/http"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/session"
)

const (
	refreshCookie = "lc_refresh"
	refreshPath   = "/api/console/session"
)

// ConsoleLoginRequest signs in to the web console.
type ConsoleLoginRequest struct {
	Username string `json:"username" minLength:"1" maxLength:"64"`
	Password string `json:"password" minLength:"1" maxLength:"128"`
}

// ConsoleMe is the acting account with what every console page shows of the shop.
type ConsoleMe struct {
	Me
	ShopName string `json:"shopName"`
	Demo     bool   `json:"demo"`
}

// ConsoleSession says until when the cookies are good without a refresh.
type ConsoleSession struct {
	ExpiresAt time.Time `json:"expiresAt"`
}

// FromConsole is what every command of the console carries: a header that another site cannot send.
type FromConsole struct {
	Client string `header:"X-Liangche" hidden:"true"`
}

// check refuses a request that another site may have sent. Fault: fault.ErrCSRF.
func (f FromConsole) check() error {
	if f.Client != "console" {
		return fault.ErrCSRF
	}
	return nil
}

type consoleLoginInput struct {
	FromConsole
	Body ConsoleLoginRequest
}

func (s *Service) consoleRoutes(r *httpapi.Router, d doors) {
	op := func(id, method, path, summary string, who httpapi.Who) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console" + path, Summary: summary, Who: who}
	}
	httpapi.Register(r, op("consoleLogin", http.MethodPost, "/session", "Sign in; the session travels in cookies", httpapi.Public),
		func(ctx context.Context, in *consoleLoginInput) (ConsoleMe, error) {
			// Nobody shall be signed in to somebody else's account by another site.
			if err := in.check(); err != nil {
				return ConsoleMe{}, err
			}
			if err := d.logins.Allow(s.db.Now(), httpapi.ClientIP(ctx)); err != nil {
				return ConsoleMe{}, err
			}
			ses, id, err := s.LoginPassword(visitor(ctx), in.Body.Username, in.Body.Password)
			if err != nil {
				return ConsoleMe{}, err
			}
			me, err := s.consoleMe(ctx, id)
			if err == nil {
				s.setCookies(ctx, ses)
			}
			return me, err
		})
	httpapi.Register(r, op("consoleRefresh", http.MethodPost, "/session/refresh", "Replace the session's cookies", httpapi.Public),
		func(ctx context.Context, in *FromConsole) (ConsoleSession, error) {
			if err := in.check(); err != nil {
				return ConsoleSession{}, err
			}
			token := httpapi.Cookie(ctx, refreshCookie)
			if token == "" {
				return ConsoleSession{}, fault.ErrNoSession
			}
			ses, err := s.refresh(ctx, d, token)
			if err != nil {
				if fault.As(err).Kind == fault.Unauthorized {
					s.clearCookies(ctx)
				}
				return ConsoleSession{}, err
			}
			s.setCookies(ctx, ses)
			return ConsoleSession{ses.ExpiresAt}, nil
		})
	httpapi.Register(r, op("consoleLogout", http.MethodDelete, "/session", "Sign out", httpapi.Console),
		func(ctx context.Context, _ *httpapi.None) (httpapi.None, error) {
			err := s.Logout(ctx)
			if err == nil {
				s.clearCookies(ctx)
			}
			return httpapi.None{}, err
		})
	httpapi.Register(r, op("consoleMe", http.MethodGet, "/me", "Who is signed in", httpapi.Console),
		func(ctx context.Context, _ *httpapi.None) (ConsoleMe, error) {
			return s.consoleMe(ctx, actor.From(ctx).ID)
		})
	httpapi.Register(r, op("consolePasswordChange", http.MethodPost, "/me/password", "Change one's own password; other sessions end", httpapi.Console),
		func(ctx context.Context, in *httpapi.Body[PasswordChange]) (ConsoleSession, error) {
			ses, err := s.ChangePassword(ctx, in.Body.Old, in.Body.New)
			if err != nil {
				return ConsoleSession{}, err
			}
			s.setCookies(ctx, ses)
			return ConsoleSession{ses.ExpiresAt}, nil
		})
}

func (s *Service) consoleMe(ctx context.Context, id int64) (ConsoleMe, error) {
	me, err := s.Me(ctx, id)
	if err != nil {
		return ConsoleMe{}, err
	}
	out := ConsoleMe{Me: me, Demo: s.opt.Demo}
	if s.opt.ShopName != nil {
		out.ShopName, err = s.opt.ShopName(ctx)
	}
	return out, err
}

// setCookies hands the tokens to the browser where no script can read them; Strict keeps other sites from using them.
func (s *Service) setCookies(ctx context.Context, ses session.Session) {
	life := int(SessionLife.Seconds())
	s.cookie(ctx, httpapi.ConsoleCookie, ses.AccessToken, "/", life)
	s.cookie(ctx, refreshCookie, ses.RefreshToken, refreshPath, life)
}

func (s *Service) clearCookies(ctx context.Context) {
	s.cookie(ctx, httpapi.ConsoleCookie, "", "/", -1)
	s.cookie(ctx, refreshCookie, "", refreshPath, -1)
}

func (s *Service) cookie(ctx context.Context, name, value, path string, maxAge int) {
	httpapi.SetCookie(ctx, &http.Cookie{Name: name, Value: value, Path: path, MaxAge: maxAge, HttpOnly: true, Secure: s.opt.SecureCookies, SameSite: http.SameSiteStrictMode})
}
