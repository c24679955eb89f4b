package catalog

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// Routes registers the operations of the catalogue for owners, staff and the console.
func (s *Service) Routes(r *httpapi.Router) {
	s.ownerRoutes(r)
	s.staffRoutes(r)
	crud(r, "VehicleClass", "/vehicle-classes", s.listClasses, s.CreateVehicleClass, s.UpdateVehicleClass, s.RetireVehicleClass)
	crud(r, "Service", "/services", s.listServices, s.CreateService, s.UpdateService, s.RetireService)
	crud(r, "Good", "/goods", s.listGoods, s.CreateGood, s.UpdateGood, s.RetireGood)
	crud(r, "TopupPlan", "/topup-plans", s.listPlans, s.CreatePlan, s.UpdatePlan, s.RetirePlan)
}

// crud registers list, create, replace and retire of one kind of entry.
func crud[V, I any](r *httpapi.Router, name, path string,
	list func(context.Context, *httpapi.ShortPaging) (httpapi.Page[V], error),
	create func(context.Context, I) (V, error), update func(context.Context, int64, I) (V, error), retire func(context.Context, int64) error) {
	op := func(verb, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: "console" + name + verb, Method: method, Path: "/api/console" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
	}
	httpapi.Register(r, op("List", http.MethodGet, path, "All entries, also the inactive ones", perm.CatalogRead), list)
	httpapi.Register(r, op("Create", http.MethodPost, path, "Add an entry", perm.CatalogWrite),
		func(ctx context.Context, in *httpapi.Body[I]) (V, error) { return create(ctx, in.Body) })
	httpapi.Register(r, op("Update", http.MethodPut, path+"/{id}", "Replace an entry", perm.CatalogWrite),
		func(ctx context.Context, in *httpapi.ByIDBody[I]) (V, error) { return update(ctx, in.ID, in.Body) })
	httpapi.Register(r, op("Delete", http.MethodDelete, path+"/{id}", "Deactivate an entry; orders keep its name", perm.CatalogWrite),
		func(ctx context.Context, in *httpapi.ByID) (httpapi.None, error) {
			return httpapi.None{}, retire(ctx, in.ID)
		})
}

func (s *Service) listClasses(ctx context.Context, in *httpapi.ShortPaging) (httpapi.Page[VehicleClass], error) {
	all, err := s.VehicleClasses(ctx, false)
	return httpapi.Cut(all, *in, func(v VehicleClass) int64 { return v.ID }), err
}

func (s *Service) listServices(ctx context.Context, in *httpapi.ShortPaging) (httpapi.Page[ServiceItem], error) {
	all, err := s.Services(ctx)
	return httpapi.Cut(all, *in, func(v ServiceItem) int64 { return v.ID }), err
}

func (s *Service) listGoods(ctx context.Context, in *httpapi.ShortPaging) (httpapi.Page[Good], error) {
	all, err := s.Goods(ctx)
	return httpapi.Cut(all, *in, func(v Good) int64 { return v.ID }), err
}

func (s *Service) listPlans(ctx context.Context, in *httpapi.ShortPaging) (httpapi.Page[TopupPlan], error) {
	all, err := s.Plans(ctx)
	return httpapi.Cut(all, *in, func(v TopupPlan) int64 { return v.ID }), err
}
