package member

import (
	"context"
	"net/http"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// PhoneCodeRequest names the phone that a code goes to.
type PhoneCodeRequest struct {
	Phone string `json:"phone" minLength:"1" maxLength:"24"`
}

// PhoneCodeSent says when to ask again and how long the code is good.
type PhoneCodeSent struct {
	WaitSeconds int64 `json:"waitSeconds"`
	LifeSeconds int64 `json:"lifeSeconds"`
}

// PhoneCodeCheck carries what the text message said.
type PhoneCodeCheck struct {
	Phone string `json:"phone" minLength:"1" maxLength:"24"`
	Code  string `json:"code" minLength:"1" maxLength:"12" doc:"6 digits"`
}

// OwnIdentity is one of the WeChat accounts that are the member's.
type OwnIdentity struct {
	ID         int64     `json:"id"`
	App        string    `json:"app" enum:"mini_program,official_account"`
	Current    bool      `json:"current" doc:"The one that asks"`
	BoundAt    time.Time `json:"boundAt"`
	LastSeenAt time.Time `json:"lastSeenAt"`
}

// OwnIdentityList is all of them.
type OwnIdentityList struct {
	Items []OwnIdentity `json:"items"`
}

// LinkAnswer is a fresh code for the other app.
type LinkAnswer struct {
	Code      string    `json:"code" doc:"10 letters and digits; single use"`
	Path      string    `json:"path" doc:"The page that redeems it, below the app's root"`
	App       string    `json:"app" enum:"mini_program,official_account" doc:"Where it was made: the other one redeems it"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// LinkRequest carries a code.
type LinkRequest struct {
	Code string `json:"code" minLength:"4" maxLength:"300" doc:"As typed, or the address that holds it"`
}

// LinkPreview shows whose member a code joins.
type LinkPreview struct {
	BindInfo
	PhoneMasked string    `json:"phoneMasked"`
	App         string    `json:"app" enum:"mini_program,official_account"`
	ExpiresAt   time.Time `json:"expiresAt"`
	Same        bool      `json:"same" doc:"This WeChat account is this member's already"`
}

// OldCardBindRequest binds by the number of an old card and the member's proved phone.
type OldCardBindRequest struct {
	No             string `json:"no" minLength:"1" maxLength:"120"`
	PhoneToken     string `json:"phoneToken" minLength:"1" maxLength:"600"`
	CharterVersion int64  `json:"charterVersion" minimum:"1"`
}

func (s *Service) ownerProofRoutes(r *httpapi.Router, op opFunc) {
	httpapi.Register(r, op("ownerPhoneCodeSend", http.MethodPost, "/phone/code", "Send a code to a phone, whoever's it is", httpapi.Owner),
		func(ctx context.Context, in *httpapi.Body[PhoneCodeRequest]) (PhoneCodeSent, error) {
			x, err := s.SendPhoneCode(ctx, in.Body.Phone)
			return PhoneCodeSent{int64(x.Wait.Seconds()), int64(x.Life.Seconds())}, err
		})
	httpapi.Register(r, op("ownerPhoneCodeVerify", http.MethodPost, "/phone/code/verify", "Prove the phone by the code", httpapi.Owner),
		func(ctx context.Context, in *httpapi.Body[PhoneCodeCheck]) (PhoneAnswer, error) {
			p, err := s.VerifyPhoneCode(ctx, in.Body.Phone, in.Body.Code)
			return PhoneAnswer{PhoneToken: p.Token, PhoneMasked: p.Masked, Taken: p.Taken, Bind: p.Bind}, err
		})
	bind := op("ownerOldCardBind", http.MethodPost, "/old-cards/bind", "Bind this WeChat account by an old card's number and the member's phone", httpapi.Owner)
	bind.Idempotent = true
	httpapi.Register(r, bind, func(ctx context.Context, in *httpapi.Body[OldCardBindRequest]) (Joined, error) {
		return s.BindOldCard(ctx, in.Body.No, in.Body.PhoneToken, in.Body.CharterVersion)
	})
}

func (s *Service) ownerIdentityRoutes(r *httpapi.Router, op opFunc) {
	httpapi.Register(r, op("ownerIdentityList", http.MethodGet, "/identities", "The member's own WeChat accounts", httpapi.Member),
		func(ctx context.Context, _ *httpapi.None) (OwnIdentityList, error) { return s.ownIdentities(ctx) })
	httpapi.Register(r, op("ownerIdentityUnbind", http.MethodPost, "/identities/{id}/unbind", "Take one off; the last one stays", httpapi.Member),
		func(ctx context.Context, in *httpapi.ByID) (httpapi.None, error) {
			return httpapi.None{}, s.UnbindOwn(ctx, in.ID)
		})
	httpapi.Register(r, op("ownerLinkCreate", http.MethodPost, "/links", "Make a code that joins the other app", httpapi.Member),
		func(ctx context.Context, _ *httpapi.None) (LinkAnswer, error) {
			l, err := s.NewLink(ctx)
			return LinkAnswer{Code: l.Code, Path: "/pages/identities/redeem?c=" + l.Code, App: l.App, ExpiresAt: l.ExpiresAt}, err
		})
	httpapi.Register(r, op("ownerLinkRead", http.MethodPost, "/links/read", "Whose member a code joins", httpapi.Owner),
		func(ctx context.Context, in *httpapi.Body[LinkRequest]) (LinkPreview, error) {
			l, err := s.ReadLink(ctx, in.Body.Code)
			return LinkPreview(l), err
		})
	redeem := op("ownerLinkRedeem", http.MethodPost, "/links/redeem", "Make this WeChat account one of that member's", httpapi.Owner)
	redeem.Idempotent = true
	httpapi.Register(r, redeem, func(ctx context.Context, in *httpapi.Body[LinkRequest]) (Joined, error) {
		return s.RedeemLink(ctx, in.Body.Code)
	})
}

func (s *Service) ownIdentities(ctx context.Context) (out OwnIdentityList, err error) {
	me := actor.From(ctx)
	ids, err := s.Identities(ctx, me.MemberID)
	out.Items = make([]OwnIdentity, 0, len(ids))
	for _, x := range ids {
		out.Items = append(out.Items, OwnIdentity{ID: x.ID, App: x.App, Current: x.ID == me.ID, BoundAt: x.BoundAt, LastSeenAt: x.LastSeenAt})
	}
	return out, err
}

// OldCardRequest registers a card.
type OldCardRequest struct {
	No   string `json:"no" minLength:"1" maxLength:"120" doc:"Typed, scanned or swiped: 4 to 32 digits and letters"`
	Note string `json:"note,omitempty" maxLength:"60" doc:"Which kind of card, say"`
}

// DeskOldCardRequest registers a card at the desk.
type DeskOldCardRequest struct {
	StoreID int64 `json:"storeId" minimum:"1"`
	OldCardRequest
}

// OldCardLostRequest says that a card is lost, or found again.
type OldCardLostRequest struct {
	Lost   bool   `json:"lost"`
	Reason string `json:"reason" minLength:"2" maxLength:"200"`
}

// OldCardList is all old cards of a member.
type OldCardList struct {
	Items []OldCard `json:"items"`
}

// CodeUseAnswer is how many codes went out today.
type CodeUseAnswer struct {
	Provider  string `json:"provider" doc:"tencent or aliyun; empty for none" enum:",tencent,aliyun"`
	Ready     bool   `json:"ready" doc:"Phones can be proved by a text message"`
	Day       string `json:"day"`
	Sent      int64  `json:"sent"`
	Limit     int64  `json:"limit"`
	Exhausted bool   `json:"exhausted" doc:"No more today: perhaps somebody plays with the form"`
}

type oldCardInput struct {
	ID     int64 `path:"id" minimum:"1"`
	CardID int64 `path:"cardId" minimum:"1"`
	Body   OldCardLostRequest
}

type oldCardRemoveInput struct {
	ID     int64 `path:"id" minimum:"1"`
	CardID int64 `path:"cardId" minimum:"1"`
	Body   ReasonRequest
}

func (s *Service) oldCardRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console/members/{id}/old-cards" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
	}
	httpapi.Register(r, op("consoleOldCardList", http.MethodGet, "", "A member's plastic cards from before", perm.MemberRead),
		func(ctx context.Context, in *httpapi.ByID) (OldCardList, error) {
			items, err := s.OldCards(ctx, in.ID)
			return OldCardList{items}, err
		})
	httpapi.Register(r, op("consoleOldCardCreate", http.MethodPost, "", "Register a plastic card", perm.MemberCard),
		func(ctx context.Context, in *httpapi.ByIDBody[OldCardRequest]) (OldCard, error) {
			return s.AddOldCard(ctx, in.ID, 0, in.Body.No, in.Body.Note)
		})
	httpapi.Register(r, op("consoleOldCardLost", http.MethodPost, "/{cardId}/lost", "Mark as lost, or as found again", perm.MemberCard),
		func(ctx context.Context, in *oldCardInput) (OldCard, error) {
			return s.LoseOldCard(ctx, in.ID, in.CardID, in.Body.Lost, in.Body.Reason)
		})
	httpapi.Register(r, op("consoleOldCardRemove", http.MethodPost, "/{cardId}/remove", "Take a card off that was registered by mistake", perm.MemberCard),
		func(ctx context.Context, in *oldCardRemoveInput) (httpapi.None, error) {
			return httpapi.None{}, s.RemoveOldCard(ctx, in.ID, in.CardID, in.Body.Reason)
		})
	httpapi.Register(r, httpapi.Op{ID: "staffOldCardCreate", Method: http.MethodPost, Path: "/api/staff/members/{id}/old-cards", Summary: "Register a plastic card at the desk",
		Who: httpapi.Staff, Permission: perm.MemberCard},
		func(ctx context.Context, in *httpapi.ByIDBody[DeskOldCardRequest]) (OldCard, error) {
			return s.AddOldCard(ctx, in.ID, in.Body.StoreID, in.Body.No, in.Body.Note)
		})
	httpapi.Register(r, httpapi.Op{ID: "consoleCodeUse", Method: http.MethodGet, Path: "/api/console/sms", Summary: "Whether phones are proved by text message, and how many codes went out today",
		Who: httpapi.Console, Permission: perm.SettingRead},
		func(ctx context.Context, _ *httpapi.None) (CodeUseAnswer, error) {
			u, err := s.CodeUse(ctx)
			return CodeUseAnswer{Provider: s.opt.TextProvider, Ready: u.Ready, Day: u.Day, Sent: u.Sent, Limit: u.Limit, Exhausted: u.Exhausted}, err
		})
}
