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

type statementInput struct {
	ID    int64  `path:"id" minimum:"1"`
	Month string `query:"month" maxLength:"7" doc:"YYYY-MM; the running month when empty"`
}

// StatementFile is a statement for a spreadsheet.
type StatementFile struct {
	FileName string `json:"fileName"`
	CSV      string `json:"csv" doc:"UTF-8 with a byte order mark"`
}

func (s *Service) statementRoutes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "ownerGroupStatement", Method: http.MethodGet, Path: "/api/owner/groups/{id}/statement", Who: httpapi.Member, Summary: "What my account paid in a month, by driver and plate"}, s.statement)
	httpapi.Register(r, httpapi.Op{ID: "consoleGroupStatement", Method: http.MethodGet, Path: "/api/console/groups/{id}/statement", Who: httpapi.Console, Permission: perm.GroupRead, Summary: "What an account paid in a month, by driver and plate"}, s.statement)
	httpapi.Register(r, httpapi.Op{ID: "consoleGroupStatementFile", Method: http.MethodGet, Path: "/api/console/groups/{id}/statement-file", Who: httpapi.Console, Permission: perm.GroupRead, Summary: "The same as CSV"},
		func(ctx context.Context, in *statementInput) (StatementFile, error) {
			t, err := s.Statement(ctx, in.ID, in.Month)
			if err != nil {
				return StatementFile{}, err
			}
			text, err := t.csv()
			return StatementFile{"对账单-" + t.Month + ".csv", text}, err
		})
}

func (s *Service) statement(ctx context.Context, in *statementInput) (Statement, error) {
	return s.Statement(ctx, in.ID, in.Month)
}

// Routes registers the console's reports.
func (s *Service) Routes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "consoleDashboard", Method: http.MethodGet, Path: "/api/console/dashboard", Summary: "A business date at a glance",
		Who: httpapi.Console, Permission: perm.ReportRead},
		func(ctx context.Context, in *dashboardInput) (Dashboard, error) {
			return s.Dashboard(ctx, in.StoreID, in.Date)
		})
	s.statementRoutes(r)
	op := func(id, path, summary string) httpapi.Op {
		return httpapi.Op{ID: id, Method: http.MethodGet, Path: "/api/console/reports" + path, Summary: summary, Who: httpapi.Console, Permission: perm.ReportRead}
	}
	httpapi.Register(r, op("consoleLiability", "/liability", "What the business owes its members"),
		func(ctx context.Context, _ *httpapi.None) (Cockpit, error) { return s.Liability(ctx) })
	httpapi.Register(r, op("consoleWindDown", "/wind-down", "What would go back to everybody if the business closed today"),
		func(ctx context.Context, _ *httpapi.None) (WindDown, error) { return s.WindDown(ctx) })
	httpapi.Register(r, op("consoleWindDownMembers", "/wind-down/members", "The same, member by member"),
		func(ctx context.Context, in *httpapi.Paging) (page httpapi.Page[BackMember], err error) {
			page.Items, page.Next, err = s.WindDownMembers(ctx, in.After, in.Limit)
			return page, err
		})
}
