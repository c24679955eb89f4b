package pass

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/sale"
)

// DeskBuyAsk sells a pass at a counter.
type DeskBuyAsk struct {
	StoreID   int64  `json:"storeId" minimum:"1"`
	MemberID  int64  `json:"memberId" minimum:"1"`
	PlanID    int64  `json:"planId" minimum:"1"`
	Plate     string `json:"plate,omitempty" maxLength:"16"`
	Tender    string `json:"tender" enum:"wechat_native,cash,card,alipay,balance"`
	Reference string `json:"reference,omitempty" maxLength:"64" doc:"Of card or Alipay"`
	ScanID    int64  `json:"scanId,omitempty" minimum:"0" doc:"Of the member code, for balance where the shop asks for it"`
}

// DeskRechargeAsk adds times to a pass at a counter.
type DeskRechargeAsk struct {
	StoreID   int64  `json:"storeId" minimum:"1"`
	MemberID  int64  `json:"memberId" minimum:"1"`
	Tender    string `json:"tender" enum:"wechat_native,cash,card,alipay,balance"`
	Reference string `json:"reference,omitempty" maxLength:"64"`
	ScanID    int64  `json:"scanId,omitempty" minimum:"0"`
}

type memberPassesInput struct {
	httpapi.ShortPaging
	MemberID int64  `query:"memberId" minimum:"1" required:"true"`
	State    string `query:"state" enum:"open,all" default:"open"`
}

func (s *Service) staffRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/staff" + path, Who: httpapi.Staff, Permission: permission, Summary: summary}
	}
	money := func(o httpapi.Op) httpapi.Op { o.Idempotent = true; return o }
	httpapi.Register(r, op("staffPassPlans", http.MethodGet, "/pass-plans", "Passes that this store sells", perm.PassRead),
		func(ctx context.Context, in *planListInput) (httpapi.Page[PlanView], error) {
			all, err := s.planViews(ctx, in.StoreID)
			return httpapi.Cut(all, in.ShortPaging, func(v PlanView) int64 { return v.ID }), err
		})
	httpapi.Register(r, money(op("staffPassSell", http.MethodPost, "/passes", "Sell a pass at the desk", perm.PassSell)),
		func(ctx context.Context, in *httpapi.Body[DeskBuyAsk]) (sale.Started, error) {
			b := in.Body
			return sale.ShowStarted(s.sales.Begin(ctx, sale.Buy{Kind: SalePass, SubjectID: b.PlanID, MemberID: b.MemberID, StoreID: b.StoreID, Plate: b.Plate},
				sale.Pay{Method: b.Tender, Reference: b.Reference, ScanID: b.ScanID}))
		})
	httpapi.Register(r, op("staffPassList", http.MethodGet, "/passes", "A member's passes", perm.PassRead),
		func(ctx context.Context, in *memberPassesInput) (httpapi.Page[View], error) {
			list, err := s.Held(ctx, in.MemberID, in.State == "all")
			return httpapi.Cut(views(list, s.db.Now(), false), in.ShortPaging, func(v View) int64 { return v.ID }), err
		})
	httpapi.Register(r, money(op("staffPassRecharge", http.MethodPost, "/passes/{id}/recharge", "Add times to a pass at the desk", perm.PassSell)),
		func(ctx context.Context, in *httpapi.ByIDBody[DeskRechargeAsk]) (sale.Started, error) {
			b := in.Body
			return sale.ShowStarted(s.sales.Begin(ctx, sale.Buy{Kind: SaleRecharge, SubjectID: in.ID, MemberID: b.MemberID, StoreID: b.StoreID},
				sale.Pay{Method: b.Tender, Reference: b.Reference, ScanID: b.ScanID}))
		})
}
