package rain

import (
	"context"
	"net/http"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// DayView is a date on which it rained.
type DayView struct {
	ID         int64      `json:"id"`
	StoreID    int64      `json:"storeId"`
	Date       string     `json:"date"`
	FromMinute int        `json:"fromMinute" doc:"When it began, in minutes of the day; 0: not known"`
	Source     string     `json:"source" enum:"manual,automatic"`
	Note       string     `json:"note"`
	State      string     `json:"state" enum:"giving,done,undone"`
	Vouchers   int        `json:"vouchers" doc:"Given by now"`
	Passes     int        `json:"passes"`
	Bookings   int        `json:"bookings"`
	StaffName  string     `json:"staffName"`
	CreatedAt  time.Time  `json:"createdAt"`
	UndoneAt   *time.Time `json:"undoneAt,omitempty"`
}

// Month is what was marked in a month, in the order of the dates.
type Month struct {
	Days []DayView `json:"days"`
}

// Setup is the rule, and whether somebody tells the weather.
type Setup struct {
	Rule
	Weather bool `json:"weather" doc:"A weather provider is connected"`
}

type monthInput struct {
	StoreID int64  `query:"storeId" minimum:"1" required:"true"`
	Month   string `query:"month" minLength:"7" maxLength:"7" required:"true" doc:"2026-11"`
}

func (d Day) view() DayView {
	return DayView{ID: d.ID, StoreID: d.StoreID, Date: d.Date, FromMinute: d.FromMinute, Source: d.Source, Note: d.Note, State: d.State, Vouchers: d.Vouchers, Passes: d.Passes,
		Bookings: d.Bookings, StaffName: d.StaffName, CreatedAt: d.CreatedAt, UndoneAt: clock.Pointer(d.UndoneAt)}
}

// Routes registers the operations of the console and of the staff app.
func (s *Service) Routes(r *httpapi.Router) {
	s.dayRoutes(r, "console", "/api/console", httpapi.Console)
	s.dayRoutes(r, "staff", "/api/staff", httpapi.Staff)
	httpapi.Register(r, httpapi.Op{ID: "consoleRainRule", Method: http.MethodGet, Path: "/api/console/rain/rule", Summary: "What rain brings", Who: httpapi.Console, Permission: perm.RainMark},
		func(ctx context.Context, _ *httpapi.None) (Setup, error) {
			rule, err := s.Rule(ctx)
			return Setup{rule, s.Weather != nil}, err
		})
	httpapi.Register(r, httpapi.Op{ID: "consoleRainRuleSave", Method: http.MethodPut, Path: "/api/console/rain/rule", Summary: "Change what rain brings from now on", Who: httpapi.Console, Permission: perm.RainRule},
		func(ctx context.Context, in *httpapi.Body[Rule]) (Setup, error) {
			rule, err := s.SaveRule(ctx, in.Body)
			return Setup{rule, s.Weather != nil}, err
		})
}

// dayRoutes are the same for who sits at the console and who stands at the desk.
func (s *Service) dayRoutes(r *httpapi.Router, prefix, path string, who httpapi.Who) {
	op := func(id, method, at, summary string) httpapi.Op {
		return httpapi.Op{ID: prefix + id, Method: method, Path: path + "/rain" + at, Summary: summary, Who: who, Permission: perm.RainMark}
	}
	httpapi.Register(r, op("RainMonth", http.MethodGet, "/days", "Dates on which it rained in a month"),
		func(ctx context.Context, in *monthInput) (out Month, err error) {
			days, err := s.Days(ctx, in.StoreID, in.Month)
			for _, d := range days {
				out.Days = append(out.Days, d.view())
			}
			return out, err
		})
	httpapi.Register(r, op("RainOutlook", http.MethodPost, "/outlook", "What marking a date would bring"),
		func(ctx context.Context, in *httpapi.Body[Mark]) (Outlook, error) { return s.Outlook(ctx, in.Body) })
	httpapi.Register(r, op("RainMark", http.MethodPost, "/days", "It rained: vouchers, days for passes and free changes follow"),
		func(ctx context.Context, in *httpapi.Body[Mark]) (DayView, error) {
			d, err := s.MarkDay(ctx, in.Body)
			return d.view(), err
		})
	httpapi.Register(r, op("RainUndo", http.MethodPost, "/days/{id}/undo", "Marked by mistake: takes everything back while nothing was used"),
		func(ctx context.Context, in *httpapi.ByID) (DayView, error) {
			d, err := s.Undo(ctx, in.ID)
			return d.view(), err
		})
}
