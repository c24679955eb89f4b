package report

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

type dashboardInput struct {
	StoreID int64  `query:"storeId" minimum:"0" doc:"0: every store that the reader may see"`
	Date    string `query:"date" maxLength:"10" doc:"YYYY-MM-DD; today when empty"`
}

// Routes registers the console's reports.
func (s *Service) Routes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "consoleDashboard", Method: http.MethodGet, Path: "/api/console/dashboard", Summary: "A business date at a glance",
		Who: httpapi.Console, Permission: perm.ReportRead},
		func(ctx context.Context, in *dashboardInput) (Dashboard, error) {
			return s.Dashboard(ctx, in.StoreID, in.Date)
		})
}
