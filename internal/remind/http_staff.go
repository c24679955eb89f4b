package remind

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

type tellInput struct {
	ID        int64 `path:"id" minimum:"1"`
	VehicleID int64 `path:"vehicleId" minimum:"1"`
	Body      Input
}

type doneInput struct {
	ID        int64 `path:"id" minimum:"1"`
	VehicleID int64 `path:"vehicleId" minimum:"1"`
	Body      DoneInput
}

// of is careList for staff. Fault: not_found.
func (s *Service) of(ctx context.Context, memberID int64) (CareList, error) {
	if _, err := s.Members.Get(ctx, memberID); err != nil {
		return CareList{}, err
	}
	return s.careList(ctx, memberID)
}

func (s *Service) staffRoutes(r *httpapi.Router) {
	for _, x := range []struct {
		name string
		who  httpapi.Who
	}{{"staff", httpapi.Staff}, {"console", httpapi.Console}} {
		base := "/api/" + x.name + "/members/{id}"
		httpapi.Register(r, httpapi.Op{ID: x.name + "CareList", Method: http.MethodGet, Path: base + "/care", Who: x.who, Permission: perm.MemberRead, Summary: "What a member's cars need and when"},
			func(ctx context.Context, in *httpapi.ByID) (CareList, error) { return s.of(ctx, in.ID) })
		httpapi.Register(r, httpapi.Op{ID: x.name + "CareTell", Method: http.MethodPut, Path: base + "/vehicles/{vehicleId}/care", Who: x.who, Permission: perm.MemberWrite, Summary: "Keep what a member tells of a car"},
			func(ctx context.Context, in *tellInput) (CareView, error) {
				c, err := s.Tell(ctx, in.ID, in.VehicleID, in.Body)
				return view(c, s.today()), err
			})
		httpapi.Register(r, httpapi.Op{ID: x.name + "CareDone", Method: http.MethodPost, Path: base + "/vehicles/{vehicleId}/care/done", Who: x.who, Permission: perm.MemberWrite, Summary: "Something was done to a member's car"},
			func(ctx context.Context, in *doneInput) (CareView, error) {
				c, err := s.Done(ctx, in.ID, in.VehicleID, in.Body)
				return view(c, s.today()), err
			})
	}
}
