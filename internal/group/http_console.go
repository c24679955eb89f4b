package group

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/perm"
)

type memberInput struct {
	MemberID int64 `query:"memberId" required:"true" minimum:"1"`
}

type listInput struct {
	httpapi.Paging
	Kind    string `query:"kind" enum:"family,corporate"`
	State   string `query:"state" enum:"review,active,rejected,suspended,ended"`
	PayerID int64  `query:"payerId" minimum:"0"`
	Q       string `query:"q" maxLength:"60" doc:"Part of the name or the credit code"`
}

func (s *Service) staffRoutes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "staffMemberGroups", Method: http.MethodGet, Path: "/api/staff/groups", Who: httpapi.Staff, Permission: perm.GroupRead, Summary: "The accounts that a member pays for or drives with"},
		func(ctx context.Context, in *memberInput) (page httpapi.Page[View], err error) {
			list, err := groupsOf(ctx, s.db, in.MemberID)
			if err != nil {
				return page, err
			}
			page.Items, err = s.views(ctx, list)
			return page, err
		})
	httpapi.Register(r, httpapi.Op{ID: "staffGroupApprovalAsk", Method: http.MethodPost, Path: "/api/staff/group-approvals", Who: httpapi.Staff, Permission: perm.CheckoutSettle, Idempotent: true, Summary: "Ask the payer to say yes to a bill"},
		func(ctx context.Context, in *httpapi.Body[TillAsk]) (ApprovalView, error) {
			b := in.Body
			plate, _, complaint := member.ParsePlate(b.Plate)
			if complaint != "" {
				return ApprovalView{}, ErrPlate.Say("车牌号不正确：%s", complaint).On("plate", complaint)
			}
			ids := slices.Compact(slices.Sorted(slices.Values(b.ServiceIDs)))
			y, err := s.AskPayer(ctx, Ask{GroupID: b.GroupID, DriverMemberID: b.MemberID, StoreID: b.StoreID, Plate: plate, ServiceIDs: ids, Goods: b.Goods, AmountFen: b.AmountFen},
				strings.TrimSpace(b.Title))
			return s.oneApproval(ctx, y, err)
		})
	httpapi.Register(r, httpapi.Op{ID: "staffGroupApproval", Method: http.MethodGet, Path: "/api/staff/group-approvals/{id}", Who: httpapi.Staff, Permission: perm.CheckoutSettle, Summary: "What the payer said, polled by the till"},
		func(ctx context.Context, in *httpapi.ByID) (ApprovalView, error) {
			y, err := s.Asked(ctx, in.ID)
			return s.oneApproval(ctx, y, err)
		})
}

func (s *Service) consoleRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console/groups" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
	}
	httpapi.Register(r, op("consoleGroupList", http.MethodGet, "", "Family and company accounts, newest first", perm.GroupRead),
		func(ctx context.Context, in *listInput) (page httpapi.Page[View], err error) {
			before, _ := strconv.ParseInt(in.After, 10, 64) // a cursor that is none starts from the newest
			list, err := listGroups(ctx, s.db, groupFilter{kind: in.Kind, state: in.State, payer: in.PayerID, like: strings.TrimSpace(in.Q), before: before}, in.Limit)
			if err != nil {
				return page, err
			}
			if len(list) == in.Limit {
				page.Next = itoa(list[len(list)-1].ID)
			}
			page.Items, err = s.views(ctx, list)
			return page, err
		})
	httpapi.Register(r, op("consoleGroup", http.MethodGet, "/{id}", "An account with its drivers", perm.GroupRead),
		func(ctx context.Context, in *httpapi.ByID) (Detail, error) { return s.show(ctx)(s.Get(ctx, in.ID)) })
	// Whoever may open a wallet to a driver, or widen what one may do, could open it to themselves: that is the manager's, not the desk's.
	httpapi.Register(r, once(op("consoleGroupCreate", http.MethodPost, "", "Make a family, or apply for a company, for a member", perm.GroupReview)),
		func(ctx context.Context, in *httpapi.Body[DeskGroupAsk]) (Detail, error) {
			b := in.Body
			n := NewGroup{Kind: b.Kind, Name: b.Name, PayerID: b.MemberID, StoreID: b.StoreID}
			if b.Kind == Corporate {
				n.CreditCode = b.CreditCode
				if b.Contact != nil {
					n.Contact = *b.Contact
				}
			}
			return s.show(ctx)(s.Create(ctx, n))
		})
	httpapi.Register(r, op("consoleGroupReview", http.MethodPost, "/{id}/review", "Answer a company's application", perm.GroupReview),
		func(ctx context.Context, in *httpapi.ByIDBody[ReviewAsk]) (Detail, error) {
			return s.show(ctx)(s.Review(ctx, in.ID, in.Body.Outcome == "approve", in.Body.Reason))
		})
	httpapi.Register(r, op("consoleGroupSuspend", http.MethodPost, "/{id}/suspend", "Stop an account from paying", perm.GroupReview),
		func(ctx context.Context, in *httpapi.ByIDBody[ReasonAsk]) (Detail, error) {
			return s.show(ctx)(s.Suspend(ctx, in.ID, true, in.Body.Reason))
		})
	httpapi.Register(r, op("consoleGroupResume", http.MethodPost, "/{id}/resume", "Let an account pay again", perm.GroupReview),
		func(ctx context.Context, in *httpapi.ByIDBody[ReasonAsk]) (Detail, error) {
			return s.show(ctx)(s.Suspend(ctx, in.ID, false, in.Body.Reason))
		})
	httpapi.Register(r, op("consoleGroupDissolve", http.MethodPost, "/{id}/dissolve", "End an account", perm.GroupReview),
		func(ctx context.Context, in *httpapi.ByIDBody[ReasonAsk]) (Detail, error) {
			return s.show(ctx)(s.Dissolve(ctx, in.ID, in.Body.Reason))
		})
	httpapi.Register(r, op("consoleGroupDocument", http.MethodGet, "/{id}/documents/{documentId}", "A proof; looking at it leaves a trace", perm.GroupReview), s.picture)
	httpapi.Register(r, op("consoleGroupDocumentAdd", http.MethodPost, "/{id}/documents", "Add a photo of a proof", perm.GroupWrite),
		func(ctx context.Context, in *documentInput) (Detail, error) {
			return s.show(ctx)(s.AddDocument(ctx, in.ID, in.Form.Kind, in.File.Data))
		})
	httpapi.Register(r, op("consoleGroupInvite", http.MethodPost, "/{id}/invites", "Make a link that brings one driver", perm.GroupReview),
		func(ctx context.Context, in *httpapi.ByIDBody[Place]) (InviteView, error) {
			v, err := s.Invite(ctx, in.ID, in.Body)
			return inviteView(v), err
		})
	httpapi.Register(r, op("consoleGroupInviteRevoke", http.MethodDelete, "/{id}/invites/{inviteId}", "Take a link back", perm.GroupWrite),
		func(ctx context.Context, in *inviteID) (httpapi.None, error) {
			return httpapi.None{}, s.Revoke(ctx, in.ID, in.InviteID)
		})
	httpapi.Register(r, op("consoleGroupTier", http.MethodPut, "/{id}/tier", "Name the least tier of a company's people", perm.TierWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[TierAsk]) (Detail, error) {
			return s.show(ctx)(s.SetTier(ctx, in.ID, in.Body.TierID))
		})
	httpapi.Register(r, once(op("consoleGroupDriverAdd", http.MethodPost, "/{id}/drivers", "Give a member a place by hand", perm.GroupReview)),
		func(ctx context.Context, in *httpapi.ByIDBody[AddAsk]) (Detail, error) {
			if _, err := s.AddDriver(ctx, in.ID, in.Body.MemberID, in.Body.Place); err != nil {
				return Detail{}, err
			}
			return s.show(ctx)(s.Get(ctx, in.ID))
		})
	httpapi.Register(r, op("consoleGroupDriverPut", http.MethodPut, "/{id}/drivers/{driverId}", "Change what a driver may do", perm.GroupReview),
		func(ctx context.Context, in *driverInput) (Detail, error) {
			if _, err := s.PutDriver(ctx, in.ID, in.DriverID, in.Body); err != nil {
				return Detail{}, err
			}
			return s.show(ctx)(s.Get(ctx, in.ID))
		})
	httpapi.Register(r, op("consoleGroupDriverRemove", http.MethodDelete, "/{id}/drivers/{driverId}", "Remove a driver", perm.GroupWrite),
		func(ctx context.Context, in *driverID) (Detail, error) {
			if err := s.RemoveDriver(ctx, in.ID, in.DriverID); err != nil {
				return Detail{}, err
			}
			return s.show(ctx)(s.Get(ctx, in.ID))
		})
}
