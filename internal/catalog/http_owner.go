package catalog

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/httpapi"
)

// ClassChoice is a vehicle class as people choose it.
type ClassChoice struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	Example string `json:"example" doc:"Cars that everybody knows"`
}

// ClassChoices is the list of classes that can be chosen.
type ClassChoices struct {
	Items []ClassChoice `json:"items"`
}

func (s *Service) ownerRoutes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "ownerVehicleClasses", Method: http.MethodGet, Path: "/api/owner/vehicle-classes",
		Summary: "The vehicle classes that can be chosen", Who: httpapi.Owner},
		func(ctx context.Context, _ *httpapi.None) (ClassChoices, error) {
			items, err := s.classChoices(ctx)
			return ClassChoices{items}, err
		})
}

func (s *Service) classChoices(ctx context.Context) ([]ClassChoice, error) {
	all, err := s.VehicleClasses(ctx, true)
	out := make([]ClassChoice, 0, len(all))
	for _, v := range all {
		out = append(out, ClassChoice{v.ID, v.Name, v.Example})
	}
	return out, err
}
