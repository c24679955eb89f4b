package member

import (
	"context"
	"net/http"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/session"
)

// LoginRequest is how an owner signs in.
type LoginRequest struct {
	Channel string `json:"channel" enum:"mini_program,ticket"`
	Code    string `json:"code" minLength:"1" maxLength:"256" doc:"The code of wx.login, or the ticket that the OAuth return gave"`
}

// LoginAnswer is a fresh session.
type LoginAnswer struct {
	Session      session.Session `json:"session"`
	MemberStatus string          `json:"memberStatus,omitempty" enum:"review,active,suspended,closing,closed,rejected,merged" doc:"Absent before joining"`
}

// RefreshRequest trades a refresh token.
type RefreshRequest struct {
	RefreshToken string `json:"refreshToken" minLength:"1" maxLength:"100"`
}

// CharterAccept accepts a version.
type CharterAccept struct {
	Version int64 `json:"version" minimum:"1"`
}

// PhoneRequest carries the code of WeChat's phone component.
type PhoneRequest struct {
	Code string `json:"code" minLength:"1" maxLength:"256"`
}

// PhoneAnswer is a proved phone.
type PhoneAnswer struct {
	PhoneToken  string    `json:"phoneToken"`
	PhoneMasked string    `json:"phoneMasked"`
	Taken       bool      `json:"taken" doc:"It belongs to another member: offer to bind"`
	Bind        *BindInfo `json:"bind,omitempty"`
}

// BindRequest binds the identity to the member of a proved phone.
type BindRequest struct {
	PhoneToken     string `json:"phoneToken" minLength:"1" maxLength:"600"`
	CharterVersion int64  `json:"charterVersion" minimum:"1"`
}

// Profile is what an owner sees of themselves.
type Profile struct {
	ID            int64     `json:"id"`
	Name          string    `json:"name"`
	PhoneMasked   string    `json:"phoneMasked"`
	Gender        string    `json:"gender" enum:"male,female,unknown"`
	Birthday      string    `json:"birthday,omitempty"`
	Status        string    `json:"status" enum:"review,active,suspended,closing,closed,rejected,merged"`
	StatusReason  string    `json:"statusReason,omitempty"`
	PhoneVerified bool      `json:"phoneVerified"`
	JoinedAt      time.Time `json:"joinedAt"`
}

// ProfileOf is the owner's own view of a member.
func ProfileOf(m Member) Profile {
	return Profile{ID: m.ID, Name: m.Name, PhoneMasked: MaskPhone(m.Phone), Gender: m.Gender, Birthday: m.Birthday, Status: m.Status,
		StatusReason: m.StatusReason, PhoneVerified: m.PhoneVerified, JoinedAt: m.JoinedAt}
}

// ProfileUpdate replaces the particulars.
type ProfileUpdate struct {
	Name     string `json:"name" maxLength:"60"`
	Gender   string `json:"gender" enum:"male,female,unknown"`
	Birthday string `json:"birthday,omitempty" maxLength:"10"`
}

// PhoneChange carries a proved phone.
type PhoneChange struct {
	PhoneToken string `json:"phoneToken" minLength:"1" maxLength:"600"`
}

// VehicleList is all vehicles of a member.
type VehicleList struct {
	Items []Vehicle `json:"items"`
}

// CodeDeviceRequest names the device.
type CodeDeviceRequest struct {
	DeviceName string `json:"deviceName,omitempty" maxLength:"60"`
}

// CodeDevice is what a phone keeps to derive codes offline.
type CodeDevice struct {
	DeviceNo    string    `json:"deviceNo" doc:"9 digits"`
	Secret      string    `json:"secret" doc:"base64 of 32 bytes"`
	StepSeconds int       `json:"stepSeconds"`
	ServerTime  time.Time `json:"serverTime"`
	CodeLimits
}

// CodeLimits narrow what the codes of a device may do; absent means unlimited.
type CodeLimits struct {
	StoreID   int64     `json:"storeId,omitempty" minimum:"0"`
	VehicleID int64     `json:"vehicleId,omitempty" minimum:"0"`
	CapFen    money.Fen `json:"capFen,omitempty" minimum:"0" maximum:"10000000000"`
}

// LostReport tells how the card was lost.
type LostReport struct {
	Note string `json:"note,omitempty" maxLength:"200"`
}

// CloseRequest tells why.
type CloseRequest struct {
	Reason string `json:"reason,omitempty" maxLength:"200"`
}

type vehicleInput struct {
	ID   int64 `path:"id" minimum:"1"`
	Body VehicleInput
}

type limitsInput struct {
	DeviceNo string `path:"deviceNo" minLength:"9" maxLength:"9" pattern:"^[0-9]{9}$"`
	Body     CodeLimits
}

// Routes registers every operation of this package.
func (s *Service) Routes(r *httpapi.Router) {
	s.ownerRoutes(r)
	s.staffRoutes(r)
	s.consoleRoutes(r)
	s.oldCardRoutes(r)
}

func (s *Service) ownerRoutes(r *httpapi.Router) {
	logins, refreshes := httpapi.NewLimiter(time.Second, 60), httpapi.NewLimiter(time.Second, 60) // many phones share a carrier's address
	op := func(id, method, path, summary string, who httpapi.Who) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/owner" + path, Summary: summary, Who: who}
	}
	money := func(o httpapi.Op) httpapi.Op { o.Idempotent = true; return o }

	httpapi.Register(r, op("ownerLogin", http.MethodPost, "/session", "Sign in through WeChat", httpapi.Public),
		func(ctx context.Context, in *httpapi.Body[LoginRequest]) (out LoginAnswer, err error) {
			if err := logins.Allow(s.db.Now(), httpapi.ClientIP(ctx)); err != nil {
				return out, err
			}
			ctx = actor.With(ctx, actor.Actor{Kind: actor.None, IP: httpapi.ClientIP(ctx)})
			if in.Body.Channel == "ticket" {
				out.Session, out.MemberStatus, err = s.LoginTicket(ctx, in.Body.Code)
			} else {
				out.Session, out.MemberStatus, err = s.LoginMini(ctx, in.Body.Code)
			}
			return out, err
		})
	httpapi.Register(r, op("ownerRefresh", http.MethodPost, "/session/refresh", "Replace both tokens", httpapi.Public),
		func(ctx context.Context, in *httpapi.Body[RefreshRequest]) (session.Session, error) {
			if err := refreshes.Allow(s.db.Now(), httpapi.ClientIP(ctx)); err != nil {
				return session.Session{}, err
			}
			return session.Refresh(ctx, s.db, actor.Owner, in.Body.RefreshToken)
		})
	httpapi.Register(r, op("ownerLogout", http.MethodDelete, "/session", "Sign out", httpapi.Owner),
		func(ctx context.Context, _ *httpapi.None) (httpapi.None, error) {
			return httpapi.None{}, session.Revoke(ctx, s.db, actor.From(ctx).SessionID)
		})
	httpapi.Register(r, op("ownerCharter", http.MethodGet, "/charter", "The member charter in force", httpapi.Public),
		func(ctx context.Context, _ *httpapi.None) (Charter, error) { return s.Charter(ctx) })
	httpapi.Register(r, op("ownerCharterAccept", http.MethodPost, "/charter/accept", "Accept a new version", httpapi.Member),
		func(ctx context.Context, in *httpapi.Body[CharterAccept]) (httpapi.None, error) {
			return httpapi.None{}, s.AcceptCharter(ctx, actor.From(ctx).MemberID, in.Body.Version)
		})
	httpapi.Register(r, op("ownerPhoneVerify", http.MethodPost, "/phone", "Prove the phone through WeChat's component", httpapi.Owner),
		func(ctx context.Context, in *httpapi.Body[PhoneRequest]) (PhoneAnswer, error) {
			p, err := s.VerifyPhone(ctx, in.Body.Code)
			return PhoneAnswer{PhoneToken: p.Token, PhoneMasked: p.Masked, Taken: p.Taken, Bind: p.Bind}, err
		})
	httpapi.Register(r, money(op("ownerJoin", http.MethodPost, "/join", "Become a member", httpapi.Owner)),
		func(ctx context.Context, in *httpapi.Body[JoinInput]) (Joined, error) { return s.Join(ctx, in.Body) })
	httpapi.Register(r, money(op("ownerBind", http.MethodPost, "/bind", "Bind this WeChat identity to an existing member", httpapi.Owner)),
		func(ctx context.Context, in *httpapi.Body[BindRequest]) (Joined, error) {
			return s.Bind(ctx, in.Body.PhoneToken, in.Body.CharterVersion)
		})
	s.ownerProofRoutes(r, op)
	s.ownerIdentityRoutes(r, op)
	s.ownerProfileRoutes(r, op)
	s.ownerVehicleRoutes(r, op)
	s.ownerCardRoutes(r, op)
}

type opFunc func(id, method, path, summary string, who httpapi.Who) httpapi.Op

func (s *Service) profile(ctx context.Context, memberID int64) (Profile, error) {
	m, err := s.Get(ctx, memberID)
	return ProfileOf(m), err
}

func (s *Service) ownerProfileRoutes(r *httpapi.Router, op opFunc) {
	httpapi.Register(r, op("ownerProfile", http.MethodGet, "/profile", "The member's own particulars", httpapi.Member),
		func(ctx context.Context, _ *httpapi.None) (Profile, error) {
			return s.profile(ctx, actor.From(ctx).MemberID)
		})
	httpapi.Register(r, op("ownerProfileUpdate", http.MethodPut, "/profile", "Change one's particulars", httpapi.Member),
		func(ctx context.Context, in *httpapi.Body[ProfileUpdate]) (Profile, error) {
			id, b := actor.From(ctx).MemberID, in.Body
			if err := s.Update(ctx, id, Edit{Name: &b.Name, Gender: &b.Gender, Birthday: &b.Birthday}); err != nil {
				return Profile{}, err
			}
			return s.profile(ctx, id)
		})
	httpapi.Register(r, op("ownerPhoneChange", http.MethodPost, "/profile/phone", "Change to a proved phone", httpapi.Member),
		func(ctx context.Context, in *httpapi.Body[PhoneChange]) (Profile, error) {
			id := actor.From(ctx).MemberID
			if err := s.ChangePhone(ctx, id, in.Body.PhoneToken); err != nil {
				return Profile{}, err
			}
			return s.profile(ctx, id)
		})
}

func (s *Service) ownerVehicleRoutes(r *httpapi.Router, op opFunc) {
	httpapi.Register(r, op("ownerVehicleList", http.MethodGet, "/vehicles", "The member's cars", httpapi.Member),
		func(ctx context.Context, _ *httpapi.None) (VehicleList, error) {
			items, err := s.Vehicles(ctx, actor.From(ctx).MemberID)
			return VehicleList{items}, err
		})
	httpapi.Register(r, op("ownerVehicleCreate", http.MethodPost, "/vehicles", "Add a car", httpapi.Member),
		func(ctx context.Context, in *httpapi.Body[VehicleInput]) (Vehicle, error) {
			return s.AddVehicle(ctx, actor.From(ctx).MemberID, in.Body)
		})
	httpapi.Register(r, op("ownerVehicleUpdate", http.MethodPut, "/vehicles/{id}", "Change a car", httpapi.Member),
		func(ctx context.Context, in *vehicleInput) (Vehicle, error) {
			return s.EditVehicle(ctx, actor.From(ctx).MemberID, in.ID, in.Body)
		})
	httpapi.Register(r, op("ownerVehicleDelete", http.MethodDelete, "/vehicles/{id}", "Remove a car", httpapi.Member),
		func(ctx context.Context, in *httpapi.ByID) (httpapi.None, error) {
			return httpapi.None{}, s.RemoveVehicle(ctx, actor.From(ctx).MemberID, in.ID)
		})
}

func (s *Service) ownerCardRoutes(r *httpapi.Router, op opFunc) {
	httpapi.Register(r, op("ownerCodeDevice", http.MethodPost, "/code-devices", "Let this phone derive member codes", httpapi.Member),
		func(ctx context.Context, in *httpapi.Body[CodeDeviceRequest]) (CodeDevice, error) {
			d, err := s.NewDevice(ctx, in.Body.DeviceName)
			return s.codeDevice(d), err
		})
	httpapi.Register(r, op("ownerCodeLimits", http.MethodPut, "/code-devices/{deviceNo}/limits", "Limit the codes of a device", httpapi.Member),
		func(ctx context.Context, in *limitsInput) (CodeDevice, error) {
			d, err := s.LimitDevice(ctx, in.DeviceNo, Limits(in.Body))
			return s.codeDevice(d), err
		})
	httpapi.Register(r, op("ownerCardLost", http.MethodPost, "/card/report-lost", "Report the card lost", httpapi.Member),
		func(ctx context.Context, in *httpapi.Body[LostReport]) (Card, error) {
			return s.ReportLost(ctx, actor.From(ctx).MemberID, in.Body.Note)
		})
	httpapi.Register(r, op("ownerAccountClose", http.MethodPost, "/account/close", "Leave", httpapi.Member),
		func(ctx context.Context, in *httpapi.Body[CloseRequest]) (Left, error) {
			return s.Close(ctx, actor.From(ctx).MemberID, in.Body.Reason)
		})
	httpapi.Register(r, op("ownerAccountReopen", http.MethodPost, "/account/reopen", "Withdraw the wish to leave", httpapi.Member),
		func(ctx context.Context, _ *httpapi.None) (Left, error) {
			return Left{StatusActive, "已撤回注销，会员卡照常使用。"}, s.Reopen(ctx, actor.From(ctx).MemberID)
		})
}

func (s *Service) codeDevice(d Device) CodeDevice {
	return CodeDevice{DeviceNo: d.No, Secret: d.Secret, StepSeconds: stepSeconds, ServerTime: s.db.Now(), CodeLimits: CodeLimits(d.Limits)}
}
