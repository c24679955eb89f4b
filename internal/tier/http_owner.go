package tier

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/sale"
)

// Offers are the paid memberships that can be bought.
type Offers struct {
	Items []Plan `json:"items"`
}

// BuyRequest is what the owner buys.
type BuyRequest struct {
	PlanID  int64  `json:"planId" minimum:"1"`
	StoreID int64  `json:"storeId,omitempty" minimum:"0" doc:"In whose books it stands; 0 in nobody's"`
	Pay     string `json:"pay" enum:"wechat,balance"`
}

// RenewalAsk switches the renewal of a membership.
type RenewalAsk struct {
	On bool `json:"on"`
}

func (s *Service) ownerRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/owner/" + path, Summary: summary, Who: httpapi.Member}
	}
	httpapi.Register(r, op("ownerTier", http.MethodGet, "tier", "The owner's tier, what it brings, and how far it is to the next"),
		func(ctx context.Context, _ *httpapi.None) (Mine, error) { return s.Of(ctx, actor.From(ctx).MemberID) })
	httpapi.Register(r, op("ownerMembershipPlans", http.MethodGet, "membership-plans", "The paid memberships that can be bought"),
		func(ctx context.Context, _ *httpapi.None) (Offers, error) {
			all, err := s.Plans(ctx, true)
			return Offers{all}, err
		})
	httpapi.Register(r, op("ownerMembershipRenewal", http.MethodPut, "memberships/{id}/renewal", "Let a membership follow itself from stored value, or not any more"),
		func(ctx context.Context, in *httpapi.ByIDBody[RenewalAsk]) (Mine, error) {
			me := actor.From(ctx).MemberID
			if err := s.Renewal(ctx, me, in.ID, in.Body.On); err != nil {
				return Mine{}, err
			}
			return s.Of(ctx, me)
		})
	buy := op("ownerMembershipBuy", http.MethodPost, "memberships", "Buy or renew a paid membership")
	buy.Idempotent = true
	httpapi.Register(r, buy, func(ctx context.Context, in *httpapi.Body[BuyRequest]) (sale.Started, error) {
		if s.Sales == nil {
			return sale.Started{}, fault.ErrNotFound
		}
		b := in.Body
		return sale.ShowStarted(s.Sales.Begin(ctx, sale.Buy{Kind: SaleKind, SubjectID: b.PlanID, MemberID: actor.From(ctx).MemberID, StoreID: b.StoreID}, sale.Pay{Method: b.Pay}))
	})
}
