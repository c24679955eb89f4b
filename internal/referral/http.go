package referral

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/perm"
)

// Friend is one whom the member invited.
type Friend struct {
	Name      string    `json:"name" doc:"Masked"`
	State     string    `json:"state" enum:"new,pending,suspect,rewarded,rejected,expired,taken_back"`
	StateText string    `json:"stateText"`
	JoinedAt  time.Time `json:"joinedAt"`
	Via       string    `json:"via,omitempty" doc:"The page of mine by which they came, in words"`
	Shared    bool      `json:"shared,omitempty" doc:"I was rewarded for sharing it"`
}

// NextGrade is what the member gets next, and how far it is.
type NextGrade struct {
	Friends int    `json:"friends"`
	Left    int    `json:"left"`
	Gift    string `json:"gift"`
}

// Mine is a member's own page of invitations.
type Mine struct {
	On          bool       `json:"on" doc:"The shop rewards invitations now"`
	Code        string     `json:"code"`
	Link        string     `json:"link"`
	CodeURL     string     `json:"codeUrl,omitempty" doc:"Picture of the member's mini-program code, for the poster; absent where WeChat draws none"`
	Scene       string     `json:"scene" doc:"What the mini-program code carries"`
	InviterGift string     `json:"inviterGift,omitempty" doc:"What the member gets for each friend, in words"`
	FriendGift  string     `json:"friendGift,omitempty" doc:"What the friend gets, in words"`
	MinPaidFen  money.Fen  `json:"minPaidFen"`
	Rewarded    int        `json:"rewarded"`
	Next        *NextGrade `json:"next,omitempty"`
	Friends     []Friend   `json:"friends" doc:"Newest first, at most 100"`
	MayBind     bool       `json:"mayBind" doc:"The member may still enter somebody's code"`
	Sharing     Sharing    `json:"sharing"`
}

// BindAsk carries somebody's invite code.
type BindAsk struct {
	Code string `json:"code" minLength:"1" maxLength:"40"`
}

// InviteView is an invitation as the console shows it.
type InviteView struct {
	ID           int64      `json:"id"`
	InviterID    int64      `json:"inviterId"`
	InviterName  string     `json:"inviterName" doc:"Masked"`
	InviterPhone string     `json:"inviterPhone" doc:"Masked"`
	FriendID     int64      `json:"friendId"`
	FriendName   string     `json:"friendName" doc:"Masked"`
	FriendPhone  string     `json:"friendPhone" doc:"Masked"`
	State        string     `json:"state" enum:"new,pending,suspect,rewarded,rejected,expired,taken_back"`
	StateText    string     `json:"stateText"`
	Flags        []Flag     `json:"flags"`
	PaidFen      money.Fen  `json:"paidFen,omitempty" doc:"What the friend had paid in money when the reward was given"`
	RewardAt     *time.Time `json:"rewardAt,omitempty"`
	ExpiresAt    time.Time  `json:"expiresAt"`
	Reason       string     `json:"reason,omitempty"`
	DecidedBy    string     `json:"decidedBy,omitempty"`
	CreatedAt    time.Time  `json:"createdAt"`
	Via          string     `json:"via,omitempty" doc:"The page that was shared, in words; absent for a code that was told or scanned"`
	ShareState   string     `json:"shareState,omitempty" enum:"given,taken_back" doc:"Of the reward for sharing"`
}

// Flag is something that makes an invitation suspect.
type Flag struct {
	Key  string `json:"key" enum:"plate,self_plate,place,fast,refund,gift"`
	Text string `json:"text"`
}

// DecideAsk says why.
type DecideAsk struct {
	Reason string `json:"reason,omitempty" maxLength:"100" doc:"Required to reject"`
}

type listInput struct {
	httpapi.Paging
	State     string `query:"state" enum:"new,pending,suspect,rewarded,rejected,expired,taken_back"`
	InviterID int64  `query:"inviterId" minimum:"0"`
}

// Routes registers the operations of invitations.
func (s *Service) Routes(r *httpapi.Router) {
	guesses := httpapi.NewGuesses()
	httpapi.Register(r, httpapi.Op{ID: "ownerReferral", Method: http.MethodGet, Path: "/api/owner/referral", Summary: "My invite code, friends and rewards", Who: httpapi.Member},
		func(ctx context.Context, _ *httpapi.None) (Mine, error) { return s.mine(ctx, actor.From(ctx).MemberID) })
	httpapi.Register(r, httpapi.Op{ID: "ownerReferralBind", Method: http.MethodPost, Path: "/api/owner/referral/bind", Summary: "Enter the code of who brought me, soon after joining", Who: httpapi.Member},
		func(ctx context.Context, in *httpapi.Body[BindAsk]) (Mine, error) {
			me := actor.From(ctx).MemberID
			if err := guesses.Allow(ctx, s.db.Now()); err != nil {
				return Mine{}, err
			}
			if err := s.Bind(ctx, me, in.Body.Code); err != nil {
				return Mine{}, err
			}
			return s.mine(ctx, me)
		})
	httpapi.Register(r, httpapi.Op{ID: "ownerSharing", Method: http.MethodGet, Path: "/api/owner/sharing", Summary: "What a page that I share carries, and what it brings me", Who: httpapi.Member},
		func(ctx context.Context, _ *httpapi.None) (Sharing, error) {
			return s.Sharing(ctx, actor.From(ctx).MemberID)
		})
	s.consoleRoutes(r)
}

func (s *Service) consoleRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console/referrals" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
	}
	httpapi.Register(r, op("consoleReferralRules", http.MethodGet, "/rules", "What invitations bring", perm.ReferralRead),
		func(ctx context.Context, _ *httpapi.None) (Rules, error) { return s.Rules(ctx) })
	httpapi.Register(r, op("consoleReferralRulesUpdate", http.MethodPut, "/rules", "Change what invitations bring; what was given stays", perm.CampaignWrite),
		func(ctx context.Context, in *httpapi.Body[Rules]) (Rules, error) { return s.SetRules(ctx, in.Body) })
	list := func(open bool) func(ctx context.Context, in *listInput) (httpapi.Page[InviteView], error) {
		return func(ctx context.Context, in *listInput) (out httpapi.Page[InviteView], err error) {
			rows, err := readInvites(ctx, s.db, in.State, in.InviterID, open, in.After, in.Limit+1)
			if err != nil {
				return out, err
			}
			if len(rows) > in.Limit {
				rows = rows[:in.Limit]
				out.Next = strconv.FormatInt(rows[in.Limit-1].ID, 10)
			}
			out.Items, err = s.views(ctx, rows)
			return out, err
		}
	}
	httpapi.Register(r, op("consoleReferralList", http.MethodGet, "", "Invitations, newest first", perm.ReferralRead), list(false))
	httpapi.Register(r, op("consoleReferralSuspects", http.MethodGet, "/suspects", "Invitations that somebody should look at, newest first", perm.ReferralRead), list(true))
	decide := func(accept bool) func(ctx context.Context, in *httpapi.ByIDBody[DecideAsk]) (InviteView, error) {
		return func(ctx context.Context, in *httpapi.ByIDBody[DecideAsk]) (InviteView, error) {
			i, err := s.Decide(ctx, in.ID, accept, in.Body.Reason)
			if err != nil {
				return InviteView{}, err
			}
			out, err := s.views(ctx, []Invite{i})
			if err != nil {
				return InviteView{}, err
			}
			return out[0], nil
		}
	}
	httpapi.Register(r, op("consoleReferralAccept", http.MethodPost, "/{id}/accept", "It is in order: the reward may be given", perm.ReferralReview), decide(true))
	httpapi.Register(r, op("consoleReferralReject", http.MethodPost, "/{id}/reject", "No reward; one that was given is taken back", perm.ReferralReview), decide(false))
}

func (s *Service) mine(ctx context.Context, memberID int64) (out Mine, err error) {
	c, err := s.Code(ctx, memberID)
	if err != nil {
		return out, err
	}
	rules, err := s.Rules(ctx)
	if err != nil {
		return out, err
	}
	out = Mine{On: rules.On, Code: c.Code, Link: s.PageBase + joinPage + "?invite=" + c.Code + "&via=" + ViaCard, Scene: "i=" + c.Code, MinPaidFen: rules.MinPaidFen}
	if out.CodeURL, err = s.picture(ctx, c); err != nil {
		return out, err
	}
	if out.InviterGift, err = s.Gifts.Title(ctx, s.db, rules.InviterGift); err != nil {
		return out, err
	}
	if out.FriendGift, err = s.Gifts.Title(ctx, s.db, rules.FriendGift); err != nil {
		return out, err
	}
	if out.Rewarded, err = rewarded(ctx, s.db, memberID); err != nil {
		return out, err
	}
	for _, g := range rules.Grades {
		if g.Friends > out.Rewarded {
			out.Next = &NextGrade{Friends: g.Friends, Left: g.Friends - out.Rewarded}
			if out.Next.Gift, err = s.Gifts.Title(ctx, s.db, g.Gift); err != nil {
				return out, err
			}
			break
		}
	}
	friends, err := readInvites(ctx, s.db, "", memberID, false, "", 100)
	if err != nil {
		return out, err
	}
	var ids []int64
	for _, f := range friends {
		ids = append(ids, f.InviteeID)
	}
	names, err := s.Members.MaskedNames(ctx, ids)
	if err != nil {
		return out, err
	}
	for _, f := range friends {
		out.Friends = append(out.Friends, Friend{Name: names[f.InviteeID], State: f.State, StateText: stateText(f.State), JoinedAt: f.CreatedAt, Via: viaTexts[f.Via], Shared: f.share == shareGiven})
	}
	if out.Sharing, err = s.Sharing(ctx, memberID); err != nil {
		return out, err
	}
	out.MayBind, err = s.mayBind(ctx, memberID, rules)
	return out, err
}

// mayBind says whether it is worth asking for a code.
func (s *Service) mayBind(ctx context.Context, memberID int64, rules Rules) (bool, error) {
	if !rules.On {
		return false, nil
	}
	if _, err := inviteOf(ctx, s.db, memberID); err == nil {
		return false, nil
	} else if f := fault.As(err); f.Kind != fault.NotFound {
		return false, err
	}
	m, err := s.Members.Get(ctx, memberID)
	return err == nil && s.db.Now().Sub(m.JoinedAt) <= bindWithin, err
}

func (s *Service) views(ctx context.Context, list []Invite) ([]InviteView, error) {
	var ids []int64
	for _, i := range list {
		ids = append(ids, i.InviterID, i.InviteeID)
	}
	who, err := s.Members.MaskedContacts(ctx, ids)
	if err != nil {
		return nil, err
	}
	name := func(id int64) member.Contact {
		if c := who[id]; c.Name != "" {
			return c
		}
		return member.Contact{Name: "已注销"}
	}
	out := make([]InviteView, 0, len(list))
	for _, i := range list {
		a, b := name(i.InviterID), name(i.InviteeID)
		v := InviteView{ID: i.ID, InviterID: i.InviterID, InviterName: a.Name, InviterPhone: a.Phone, FriendID: i.InviteeID, FriendName: b.Name, FriendPhone: b.Phone, State: i.State,
			StateText: stateText(i.State), PaidFen: i.PaidFen, ExpiresAt: i.ExpiresAt, Reason: i.Reason, DecidedBy: i.DecidedBy, CreatedAt: i.CreatedAt,
			Via: viaTexts[i.Via], ShareState: i.share}
		if !i.RewardAt.IsZero() {
			v.RewardAt = &i.RewardAt
		}
		for _, f := range i.Flags {
			v.Flags = append(v.Flags, Flag{f, flagTexts[f]})
		}
		out = append(out, v)
	}
	return out, nil
}
