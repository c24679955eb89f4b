package group

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/httpapi"
)

type documentForm struct {
	Kind string `json:"kind" enum:"license,authorization,other"`
}

type documentInput struct {
	ID int64 `path:"id" minimum:"1"`
	httpapi.Upload[documentForm]
}

type documentID struct {
	ID         int64 `path:"id" minimum:"1"`
	DocumentID int64 `path:"documentId" minimum:"1"`
}

type driverID struct {
	ID       int64 `path:"id" minimum:"1"`
	DriverID int64 `path:"driverId" minimum:"1"`
}

type driverInput struct {
	ID       int64 `path:"id" minimum:"1"`
	DriverID int64 `path:"driverId" minimum:"1"`
	Body     Place
}

type inviteID struct {
	ID       int64 `path:"id" minimum:"1"`
	InviteID int64 `path:"inviteId" minimum:"1"`
}

type codeInput struct {
	Code string `path:"code" maxLength:"64"`
}

// Routes declares the operations of the slice.
func (s *Service) Routes(r *httpapi.Router) {
	s.ownerRoutes(r)
	s.ownerDriverRoutes(r)
	s.staffRoutes(r)
	s.consoleRoutes(r)
}

func owner(id, method, path, summary string) httpapi.Op {
	return httpapi.Op{ID: id, Method: method, Path: "/api/owner" + path, Summary: summary, Who: httpapi.Member}
}

func once(op httpapi.Op) httpapi.Op { op.Idempotent = true; return op }

// show is detail over what a use case returned.
func (s *Service) show(ctx context.Context) func(Group, error) (Detail, error) {
	return func(g Group, err error) (Detail, error) { return s.detail(ctx, g, err) }
}

func (s *Service) ownerRoutes(r *httpapi.Router) {
	httpapi.Register(r, owner("ownerGroups", http.MethodGet, "/groups", "The accounts that I pay for or drive with"),
		func(ctx context.Context, in *httpapi.ShortPaging) (page httpapi.Page[View], err error) {
			list, err := groupsOf(ctx, s.db, actor.From(ctx).MemberID)
			if err != nil {
				return page, err
			}
			all, err := s.views(ctx, list)
			return httpapi.Cut(all, *in, func(v View) int64 { return v.ID }), err
		})
	httpapi.Register(r, owner("ownerGroup", http.MethodGet, "/groups/{id}", "One of my accounts"),
		func(ctx context.Context, in *httpapi.ByID) (Detail, error) { return s.show(ctx)(s.ofOwner(ctx, in.ID)) })
	httpapi.Register(r, once(owner("ownerGroupCreate", http.MethodPost, "/groups", "Make a family account that I pay for")),
		func(ctx context.Context, in *httpapi.Body[CreateAsk]) (Detail, error) {
			return s.show(ctx)(s.Create(ctx, NewGroup{Kind: Family, Name: in.Body.Name}))
		})
	httpapi.Register(r, owner("ownerGroupRename", http.MethodPut, "/groups/{id}", "Rename my family account"),
		func(ctx context.Context, in *httpapi.ByIDBody[CreateAsk]) (Detail, error) {
			return s.show(ctx)(s.Rename(ctx, in.ID, in.Body.Name))
		})
	httpapi.Register(r, once(owner("ownerGroupApply", http.MethodPost, "/group-applications", "Apply for a company account that I pay for")),
		func(ctx context.Context, in *httpapi.Body[ApplyAsk]) (Detail, error) {
			return s.show(ctx)(s.Create(ctx, in.Body.group()))
		})
	httpapi.Register(r, owner("ownerGroupReapply", http.MethodPut, "/group-applications/{id}", "Change an application that waits or was refused"),
		func(ctx context.Context, in *httpapi.ByIDBody[ApplyAsk]) (Detail, error) {
			return s.show(ctx)(s.Reapply(ctx, in.ID, in.Body.group()))
		})
	httpapi.Register(r, owner("ownerGroupDocumentAdd", http.MethodPost, "/groups/{id}/documents", "Add a photo of a proof to my application"),
		func(ctx context.Context, in *documentInput) (Detail, error) {
			return s.show(ctx)(s.AddDocument(ctx, in.ID, in.Form.Kind, in.File.Data))
		})
	httpapi.Register(r, owner("ownerGroupDocument", http.MethodGet, "/groups/{id}/documents/{documentId}", "A proof of mine"), s.picture)
	httpapi.Register(r, owner("ownerGroupDocumentRemove", http.MethodDelete, "/groups/{id}/documents/{documentId}", "Take a proof away"),
		func(ctx context.Context, in *documentID) (Detail, error) {
			return s.show(ctx)(s.RemoveDocument(ctx, in.ID, in.DocumentID))
		})
	httpapi.Register(r, owner("ownerGroupDissolve", http.MethodPost, "/groups/{id}/dissolve", "End an account that I pay for"),
		func(ctx context.Context, in *httpapi.ByIDBody[ReasonAsk]) (Detail, error) {
			return s.show(ctx)(s.Dissolve(ctx, in.ID, in.Body.Reason))
		})
	httpapi.Register(r, owner("ownerGroupApprovals", http.MethodGet, "/group-approvals", "What I was asked to pay, newest first"),
		func(ctx context.Context, in *httpapi.Paging) (page httpapi.Page[ApprovalView], err error) {
			before, _ := strconv.ParseInt(in.After, 10, 64) // a cursor that is none starts from the newest
			list, err := approvalsOf(ctx, s.db, actor.From(ctx).MemberID, before, in.Limit)
			if err != nil {
				return page, err
			}
			if len(list) == in.Limit {
				page.Next = itoa(list[len(list)-1].ID)
			}
			page.Items, err = s.approvalViews(ctx, list)
			return page, err
		})
	answer := func(id, path, summary string, yes bool) {
		httpapi.Register(r, owner(id, http.MethodPost, "/group-approvals/{id}"+path, summary),
			func(ctx context.Context, in *httpapi.ByIDBody[NoteAsk]) (ApprovalView, error) {
				y, err := s.Answer(ctx, in.ID, yes, in.Body.Note)
				return s.oneApproval(ctx, y, err)
			})
	}
	answer("ownerGroupApprove", "/approve", "Say yes to a payment", true)
	answer("ownerGroupDeny", "/deny", "Say no to a payment", false)
}

func (s *Service) ownerDriverRoutes(r *httpapi.Router) {
	guesses := httpapi.NewGuesses()
	httpapi.Register(r, owner("ownerGroupInvite", http.MethodPost, "/groups/{id}/invites", "Make a link that brings one driver"),
		func(ctx context.Context, in *httpapi.ByIDBody[Place]) (InviteView, error) {
			v, err := s.Invite(ctx, in.ID, in.Body)
			return inviteView(v), err
		})
	httpapi.Register(r, owner("ownerGroupInviteRevoke", http.MethodDelete, "/groups/{id}/invites/{inviteId}", "Take a link back"),
		func(ctx context.Context, in *inviteID) (httpapi.None, error) {
			return httpapi.None{}, s.Revoke(ctx, in.ID, in.InviteID)
		})
	httpapi.Register(r, owner("ownerGroupInvited", http.MethodGet, "/group-invites/{code}", "What a link offers me"),
		func(ctx context.Context, in *codeInput) (InvitedView, error) {
			var g Group
			var p Place
			until, err := httpapi.Try(ctx, guesses, s.db.Now(), func() (until time.Time, err error) {
				g, p, until, err = s.Invited(ctx, in.Code)
				return until, err
			}, ErrInvite)
			if err != nil {
				return InvitedView{}, err
			}
			names, err := s.members.MaskedNames(ctx, []int64{g.PayerID})
			if err != nil {
				return InvitedView{}, err
			}
			tiers, err := s.tierNames(ctx)
			return InvitedView{GroupName: g.Name, Kind: g.Kind, PayerName: names[g.PayerID], ExpiresAt: until, TierName: cmp.Or(tiers[p.TierID], tiers[g.TierID]), Place: p}, err
		})
	httpapi.Register(r, owner("ownerGroupJoin", http.MethodPost, "/group-joins", "Take the place of a link"),
		func(ctx context.Context, in *httpapi.Body[CodeAsk]) (Detail, error) {
			d, err := httpapi.Try(ctx, guesses, s.db.Now(), func() (Driver, error) { return s.Join(ctx, in.Body.Code) }, ErrInvite)
			if err != nil {
				return Detail{}, err
			}
			return s.show(ctx)(s.Get(ctx, d.GroupID))
		})
	httpapi.Register(r, owner("ownerGroupDriverPut", http.MethodPut, "/groups/{id}/drivers/{driverId}", "Change what a driver may do"),
		func(ctx context.Context, in *driverInput) (Detail, error) {
			if _, err := s.PutDriver(ctx, in.ID, in.DriverID, in.Body); err != nil {
				return Detail{}, err
			}
			return s.show(ctx)(s.Get(ctx, in.ID))
		})
	httpapi.Register(r, owner("ownerGroupDriverRemove", http.MethodDelete, "/groups/{id}/drivers/{driverId}", "Remove a driver"),
		func(ctx context.Context, in *driverID) (Detail, error) {
			if err := s.RemoveDriver(ctx, in.ID, in.DriverID); err != nil {
				return Detail{}, err
			}
			return s.show(ctx)(s.Get(ctx, in.ID))
		})
	httpapi.Register(r, owner("ownerGroupLeave", http.MethodPost, "/groups/{id}/leave", "Give my place up"),
		func(ctx context.Context, in *httpapi.ByID) (httpapi.None, error) {
			return httpapi.None{}, s.Leave(ctx, in.ID)
		})
}

// ofOwner reads a group that the acting owner pays for or drives in. Fault: fault.ErrNotFound.
func (s *Service) ofOwner(ctx context.Context, id int64) (Group, error) {
	g, err := s.Get(ctx, id)
	if err != nil {
		return g, err
	}
	if err := s.mine(ctx, s.db, g); err != nil && err != error(ErrNotMine) {
		return Group{}, err
	}
	return g, nil
}

func (s *Service) picture(ctx context.Context, in *documentID) (Picture, error) {
	data, err := s.Document(ctx, in.ID, in.DocumentID)
	return Picture{"image/jpeg", data}, err
}
