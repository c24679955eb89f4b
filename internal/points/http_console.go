package points

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// Adjustment gives or takes points by hand.
type Adjustment struct {
	Points int64  `json:"points" minimum:"-1000000" maximum:"1000000" doc:"Negative to take"`
	Reason string `json:"reason" minLength:"2" maxLength:"100"`
}

type entriesInput struct {
	ID int64 `path:"id" minimum:"1"`
	httpapi.Paging
}

func (s *Service) consoleRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
	}
	httpapi.Register(r, op("consolePointsRules", http.MethodGet, "/points/rules", "What brings how many points", perm.PointsRead),
		func(ctx context.Context, _ *httpapi.None) (Rules, error) { return s.Rules(ctx) })
	httpapi.Register(r, op("consolePointsRulesUpdate", http.MethodPut, "/points/rules", "Replace the rules", perm.PointsAdjust),
		func(ctx context.Context, in *httpapi.Body[Rules]) (Rules, error) { return s.SetRules(ctx, in.Body) })
	httpapi.Register(r, op("consoleMemberPoints", http.MethodGet, "/members/{id}/points", "A member's points", perm.PointsRead),
		func(ctx context.Context, in *httpapi.ByID) (Summary, error) { return s.member(ctx, in.ID) })
	httpapi.Register(r, op("consoleMemberPointsList", http.MethodGet, "/members/{id}/points/entries", "How a member's points changed, newest first", perm.PointsRead),
		func(ctx context.Context, in *entriesInput) (httpapi.Page[Entry], error) {
			return s.entries(ctx, in.ID, in.Paging)
		})
	adjust := op("consolePointsAdjust", http.MethodPost, "/members/{id}/points", "Give or take points by hand, with a reason", perm.PointsAdjust)
	adjust.Idempotent = true
	httpapi.Register(r, adjust, func(ctx context.Context, in *httpapi.ByIDBody[Adjustment]) (Summary, error) {
		return s.Adjust(ctx, in.ID, in.Body.Points, in.Body.Reason)
	})
}
