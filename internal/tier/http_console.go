package tier

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// Routes registers the console's tier operations.
func (s *Service) Routes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console/tiers" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
	}
	httpapi.Register(r, op("consoleTierList", http.MethodGet, "", "All tiers, lowest first", perm.CatalogRead),
		func(ctx context.Context, in *httpapi.ShortPaging) (httpapi.Page[Tier], error) {
			all, err := s.Tiers(ctx)
			return httpapi.Cut(all, *in, func(t Tier) int64 { return t.ID }), err
		})
	httpapi.Register(r, op("consoleTierCreate", http.MethodPost, "", "Add a tier", perm.CatalogWrite),
		func(ctx context.Context, in *httpapi.Body[Input]) (Tier, error) { return s.Create(ctx, in.Body) })
	httpapi.Register(r, op("consoleTierUpdate", http.MethodPut, "/{id}", "Change a tier", perm.CatalogWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[Input]) (Tier, error) {
			return s.Update(ctx, in.ID, in.Body)
		})
}
