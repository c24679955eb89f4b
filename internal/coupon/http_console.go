package coupon

import (
	"context"
	"net/http"
	"strconv"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// IssueAsk issues to named members at once, or to all that the filter finds, in the background.
type IssueAsk struct {
	TemplateID int64   `json:"templateId" minimum:"1"`
	MemberIDs  []int64 `json:"memberIds,omitempty" maxItems:"200"`
	Filter     *Filter `json:"filter,omitempty"`
	Each       int64   `json:"each,omitempty" minimum:"0" maximum:"20" doc:"How many each gets, 1 unless told"`
	Note       string  `json:"note,omitempty" maxLength:"100"`
}

// Found is how many members a filter finds.
type Found struct {
	Members int64 `json:"members"`
}

// VoidAsk ends a coupon.
type VoidAsk struct {
	Reason string `json:"reason" minLength:"2" maxLength:"100"`
}

type consoleListInput struct {
	httpapi.Paging
	TemplateID int64  `query:"templateId" minimum:"0"`
	MemberID   int64  `query:"memberId" minimum:"0"`
	State      string `query:"state" enum:"available,held,used,expired,void"`
}

func (s *Service) consoleRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
	}
	httpapi.Register(r, op("consoleCouponTemplateList", http.MethodGet, "/coupon-templates", "All templates, newest first", perm.CouponRead),
		func(ctx context.Context, in *httpapi.ShortPaging) (httpapi.Page[Template], error) {
			all, err := s.Templates(ctx)
			return httpapi.Cut(all, *in, func(t Template) int64 { return t.ID }), err
		})
	httpapi.Register(r, op("consoleCouponTemplateCreate", http.MethodPost, "/coupon-templates", "Add a template", perm.CouponWrite),
		func(ctx context.Context, in *httpapi.Body[TemplateInput]) (Template, error) {
			return s.CreateTemplate(ctx, in.Body)
		})
	httpapi.Register(r, op("consoleCouponTemplateUpdate", http.MethodPut, "/coupon-templates/{id}", "Change what is issued from now on", perm.CouponWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[TemplateInput]) (Template, error) {
			return s.UpdateTemplate(ctx, in.ID, in.Body)
		})
	httpapi.Register(r, op("consoleCouponList", http.MethodGet, "/coupons", "Coupons, newest first", perm.CouponRead),
		func(ctx context.Context, in *consoleListInput) (httpapi.Page[CouponView], error) {
			f := listFilter{template: in.TemplateID, member: in.MemberID}
			if in.State != "" {
				f.states = []string{in.State}
			}
			return s.page(ctx, f, in.Paging, true)
		})
	httpapi.Register(r, op("consoleCouponVoid", http.MethodPost, "/coupons/{id}/void", "End a coupon that is available", perm.CouponWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[VoidAsk]) (CouponView, error) {
			return s.VoidCoupon(ctx, in.ID, in.Body.Reason)
		})
	issue := op("consoleCouponIssue", http.MethodPost, "/coupon-issues", "Issue to named members or to a filter's", perm.CouponIssue)
	issue.Idempotent = true
	httpapi.Register(r, issue, func(ctx context.Context, in *httpapi.Body[IssueAsk]) (Issued, error) {
		return s.IssueBulk(ctx, Bulk(in.Body))
	})
	httpapi.Register(r, op("consoleCouponIssuePreview", http.MethodPost, "/coupon-issues/preview", "How many members a filter finds", perm.CouponIssue),
		func(ctx context.Context, in *httpapi.Body[Filter]) (Found, error) {
			n, err := s.Preview(ctx, in.Body)
			return Found{n}, err
		})
	httpapi.Register(r, op("consoleCouponIssueList", http.MethodGet, "/coupon-issues", "Issues and how far they are, newest first", perm.CouponRead),
		func(ctx context.Context, in *httpapi.Paging) (page httpapi.Page[Issued], err error) {
			before, _ := strconv.ParseInt(in.After, 10, 64) // a cursor that is none starts from the newest
			if page.Items, err = s.Issues(ctx, before, in.Limit); len(page.Items) == in.Limit {
				page.Next = strconv.FormatInt(page.Items[in.Limit-1].ID, 10)
			}
			return page, err
		})
	httpapi.Register(r, op("consoleCouponIssueGet", http.MethodGet, "/coupon-issues/{id}", "An issue and how far it is", perm.CouponRead),
		func(ctx context.Context, in *httpapi.ByID) (Issued, error) { return s.IssueByID(ctx, in.ID) })
	httpapi.Register(r, op("consoleClaimList", http.MethodGet, "/coupon-claims", "Claim pages, newest first", perm.CouponRead),
		func(ctx context.Context, in *httpapi.Paging) (page httpapi.Page[ClaimPage], err error) {
			before, _ := strconv.ParseInt(in.After, 10, 64)
			if page.Items, err = s.Claims(ctx, before, in.Limit); len(page.Items) == in.Limit {
				page.Next = strconv.FormatInt(page.Items[in.Limit-1].ID, 10)
			}
			return page, err
		})
	httpapi.Register(r, op("consoleClaimCreate", http.MethodPost, "/coupon-claims", "Open a claim page", perm.CouponWrite),
		func(ctx context.Context, in *httpapi.Body[ClaimInput]) (ClaimPage, error) {
			return s.SaveClaim(ctx, 0, in.Body)
		})
	httpapi.Register(r, op("consoleClaimUpdate", http.MethodPut, "/coupon-claims/{id}", "Change a claim page; never its coupon or code", perm.CouponWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[ClaimInput]) (ClaimPage, error) {
			return s.SaveClaim(ctx, in.ID, in.Body)
		})
}
