package coupon

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

type memberListInput struct {
	ID int64 `path:"id" minimum:"1"`
	httpapi.Paging
	State string `query:"state" enum:"available,used,expired"`
}

// GiveAsk issues coupons to one member by hand.
type GiveAsk struct {
	TemplateID int64  `json:"templateId" minimum:"1"`
	N          int64  `json:"n,omitempty" minimum:"0" maximum:"20" doc:"1 unless told"`
	Reason     string `json:"reason" minLength:"2" maxLength:"100"`
}

// Choice is a template that may be issued at the desk.
type Choice struct {
	ID    int64 `json:"id"`
	Offer Offer `json:"offer"`
}

func (s *Service) choices(ctx context.Context, in *httpapi.ShortPaging) (page httpapi.Page[Choice], err error) {
	rows, err := templates(ctx, s.db)
	if err != nil {
		return page, err
	}
	known, err := s.known(ctx)
	if err != nil {
		return page, err
	}
	var out []Choice
	for _, t := range rows {
		terms, err := s.terms(ctx, s.db, t.TermsID)
		if err != nil {
			return page, err
		}
		if _, _, over := terms.span(s.db.Now()); t.Active && over == nil {
			out = append(out, Choice{t.ID, newOffer(terms, known)})
		}
	}
	return httpapi.Cut(out, *in, func(c Choice) int64 { return c.ID }), nil
}

func (s *Service) staffRoutes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "staffMemberCoupons", Method: http.MethodGet, Path: "/api/staff/members/{id}/coupons", Who: httpapi.Staff, Permission: perm.CouponRead, Summary: "A member's coupons, newest first"},
		func(ctx context.Context, in *memberListInput) (httpapi.Page[CouponView], error) {
			return s.page(ctx, listFilter{member: in.ID, states: statesOf(in.State)}, in.Paging, false)
		})
	httpapi.Register(r, httpapi.Op{ID: "staffCouponChoices", Method: http.MethodGet, Path: "/api/staff/coupon-templates", Who: httpapi.Staff, Permission: perm.CouponIssue, Summary: "What may be given at the desk"},
		s.choices)
	httpapi.Register(r, httpapi.Op{ID: "staffCouponIssue", Method: http.MethodPost, Path: "/api/staff/members/{id}/coupons", Who: httpapi.Staff, Permission: perm.CouponIssue, Idempotent: true, Summary: "Give a member coupons by hand"},
		func(ctx context.Context, in *httpapi.ByIDBody[GiveAsk]) (httpapi.Page[CouponView], error) {
			got, err := s.Give(ctx, in.ID, in.Body.TemplateID, in.Body.N, in.Body.Reason)
			return httpapi.Page[CouponView]{Items: got}, err
		})
}
