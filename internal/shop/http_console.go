package shop

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// Routes registers the console's operations on stores and how they are set up.
func (s *Service) Routes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console/stores" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
	}
	httpapi.Register(r, op("consoleStoreList", http.MethodGet, "", "All stores, also the closed ones", perm.StoreRead), s.list)
	httpapi.Register(r, op("consoleStoreCreate", http.MethodPost, "", "Open a store", perm.StoreWrite),
		func(ctx context.Context, in *httpapi.Body[Input]) (Store, error) { return s.Create(ctx, in.Body) })
	httpapi.Register(r, op("consoleStoreUpdate", http.MethodPut, "/{id}", "Change, close or reopen a store", perm.StoreWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[Input]) (Store, error) {
			return s.Update(ctx, in.ID, in.Body)
		})
	s.setupRoutes(r)
}

func (s *Service) list(ctx context.Context, in *httpapi.ShortPaging) (httpapi.Page[Store], error) {
	all, err := s.Stores(ctx)
	return httpapi.Cut(all, *in, func(st Store) int64 { return st.ID }), err
}
