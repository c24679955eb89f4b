package member

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

func (s *Service) staffRoutes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "staffVehicleCreate", Method: http.MethodPost, Path: "/api/staff/members/{id}/vehicles",
		Summary: "Add a member's car at the desk", Who: httpapi.Staff, Permission: perm.MemberWrite},
		func(ctx context.Context, in *vehicleInput) (Vehicle, error) { return s.AddVehicle(ctx, in.ID, in.Body) })
}
