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

// LoginRequest is how staff sign in to the app.
type LoginRequest struct {
	Method     string `json:"method" enum:"mini_program,ticket,password"`
	Code       string `json:"code,omitempty" maxLength:"256" doc:"mini_program: of wx.login; ticket: of the OAuth return"`
	Username   string `json:"username,omitempty" maxLength:"64"`
	Password   string `json:"password,omitempty" maxLength:"128"`
	InviteCode string `json:"inviteCode,omitempty" maxLength:"64" doc:"Binds this WeChat identity to the invited account"`
}

// LoginAnswer is a fresh session with who it is.
type LoginAnswer struct {
	Session session.Session `json:"session"`
	Staff   Me              `json:"staff"`
}

// RefreshRequest trades a refresh token.
type RefreshRequest struct {
	RefreshToken string `json:"refreshToken" minLength:"1" maxLength:"100"`
}

// PasswordChange replaces one's own password.
type PasswordChange struct {
	Old string `json:"old" minLength:"1" maxLength:"128"`
	New string `json:"new" minLength:"8" maxLength:"128"`
}

// PasswordChanged is the session that goes on; all others ended.
type PasswordChanged struct {
	Session session.Session `json:"session"`
}

// doors dam, per address, what nobody is signed in for: logins, before the database counts them, and refreshes, which write.
type doors struct{ logins, refreshes *httpapi.Limiter }

// refresh replaces both tokens. Faults: fault.ErrTooMany, fault.ErrExpired.
func (s *Service) refresh(ctx context.Context, d doors, token string) (session.Session, error) {
	if err := d.refreshes.Allow(s.db.Now(), httpapi.ClientIP(ctx)); err != nil {
		return session.Session{}, err
	}
	return session.Refresh(ctx, s.db, actor.Staff, token)
}

// Routes registers every operation of this package.
func (s *Service) Routes(r *httpapi.Router) {
	d := doors{httpapi.NewLimiter(2*time.Second, 30), httpapi.NewLimiter(time.Second, 60)}
	s.staffRoutes(r, d)
	s.consoleRoutes(r, d)
	s.accountRoutes(r)
}

func (s *Service) staffRoutes(r *httpapi.Router, d doors) {
	op := func(id, method, path, summary string, who httpapi.Who) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/staff" + path, Summary: summary, Who: who}
	}
	httpapi.Register(r, op("staffLogin", http.MethodPost, "/session", "Sign in, binding WeChat by an invite where needed", httpapi.Public),
		func(ctx context.Context, in *httpapi.Body[LoginRequest]) (out LoginAnswer, err error) {
			if err := d.logins.Allow(s.db.Now(), httpapi.ClientIP(ctx)); err != nil {
				return out, err
			}
			var id int64
			if out.Session, id, err = s.login(visitor(ctx), in.Body); err != nil {
				return out, err
			}
			out.Staff, err = s.Me(ctx, id)
			return out, err
		})
	httpapi.Register(r, op("staffRefresh", http.MethodPost, "/session/refresh", "Replace both tokens", httpapi.Public),
		func(ctx context.Context, in *httpapi.Body[RefreshRequest]) (session.Session, error) {
			return s.refresh(ctx, d, in.Body.RefreshToken)
		})
	httpapi.Register(r, op("staffLogout", http.MethodDelete, "/session", "Sign out", httpapi.Staff),
		func(ctx context.Context, _ *httpapi.None) (httpapi.None, error) { return httpapi.None{}, s.Logout(ctx) })
	httpapi.Register(r, op("staffMe", http.MethodGet, "/me", "Who is signed in", httpapi.Staff),
		func(ctx context.Context, _ *httpapi.None) (Me, error) { return s.Me(ctx, actor.From(ctx).ID) })
	httpapi.Register(r, op("staffPasswordChange", http.MethodPost, "/me/password", "Change one's own password; other sessions end", httpapi.Staff),
		func(ctx context.Context, in *httpapi.Body[PasswordChange]) (PasswordChanged, error) {
			ses, err := s.ChangePassword(ctx, in.Body.Old, in.Body.New)
			return PasswordChanged{ses}, err
		})
}

func (s *Service) login(ctx context.Context, in LoginRequest) (session.Session, int64, error) {
	if in.Method != "password" && in.Code == "" {
		return session.Session{}, 0, fault.ErrInvalid.On("code", "必填")
	}
	switch in.Method {
	case "mini_program":
		return s.LoginMini(ctx, in.Code, in.InviteCode)
	case "ticket":
		return s.LoginTicket(ctx, in.Code, in.InviteCode)
	}
	return s.LoginPassword(ctx, in.Username, in.Password)
}

// visitor lets the use cases see the address of somebody who is not signed in yet.
func visitor(ctx context.Context) context.Context {
	return actor.With(ctx, actor.Actor{Kind: actor.None, IP: httpapi.ClientIP(ctx)})
}
