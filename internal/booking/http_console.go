package booking

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/perm"
)

type consoleListInput struct {
	httpapi.Paging
	StoreID int64  `query:"storeId" minimum:"0"`
	From    string `query:"from" maxLength:"10" doc:"First business date, YYYY-MM-DD"`
	To      string `query:"to" maxLength:"10" doc:"Last business date, inclusive"`
	State   string `query:"state" enum:"queued,requested,held,confirmed,dispatched,arrived,in_service,done,settled,cancelled,expired,no_show"`
	Kind    string `query:"kind" enum:"visit,at_home,pickup,repair,errand,rescue,other"`
	Text    string `query:"text" maxLength:"30" doc:"Part of a plate or of a booking number"`
	Sort    string `query:"sort" enum:"starts,-starts" default:"starts"`
}

func (s *Service) consoleRoutes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "consoleBookingList", Method: http.MethodGet, Path: "/api/console/bookings", Summary: "Bookings by their start", Who: httpapi.Console, Permission: perm.BookingRead}, s.consoleList)
	httpapi.Register(r, httpapi.Op{ID: "consoleBookingMove", Method: http.MethodPost, Path: "/api/console/bookings/{id}/move", Summary: "Drag, resize or undo on the board", Who: httpapi.Console, Permission: perm.BookingOverride, Idempotent: true},
		func(ctx context.Context, in *httpapi.ByIDBody[MoveAsk]) (Detail, error) {
			b, err := s.MoveOnce(ctx, in.ID, in.Body)
			return s.detail(ctx, b, err)
		})
}

// consoleList pages bookings. Faults: fault.ErrStore, fault.ErrInvalid.
func (s *Service) consoleList(ctx context.Context, in *consoleListInput) (httpapi.Page[DeskView], error) {
	var page httpapi.Page[DeskView]
	who := actor.From(ctx)
	if in.StoreID != 0 && !who.InStore(in.StoreID) {
		return page, fault.ErrStore
	}
	f := Filter{StoreID: in.StoreID, FromDay: in.From, ToDay: in.To, State: in.State, Kind: in.Kind, Newest: in.Sort == "-starts", Limit: in.Limit + 1}
	for _, d := range []struct{ field, day string }{{"from", in.From}, {"to", in.To}} {
		if d.day != "" && !bizday.Valid(d.day) {
			return page, fault.ErrInvalid.On(d.field, "应为日期，如 2026-01-31")
		}
	}
	if !who.AllStores {
		f.Stores = append([]int64{}, who.Stores...)
	}
	if text := strings.TrimSpace(in.Text); text != "" {
		if len([]rune(text)) < 2 {
			return page, fault.ErrInvalid.On("text", "至少输入 2 个字")
		}
		f.Text = member.NormalPlate(text)
	}
	if in.After != "" {
		f.After = &cursor{}
		if n, err := fmt.Sscanf(in.After, "%d.%d", &f.After.starts, &f.After.id); err != nil || n != 2 {
			return page, fault.ErrInvalid.On("after", "翻页位置不正确，请从第一页开始")
		}
	}
	rows, err := list(ctx, s.db, f)
	if err != nil {
		return page, err
	}
	if len(rows) > in.Limit {
		rows = rows[:in.Limit]
		last := rows[len(rows)-1]
		page.Next = fmt.Sprintf("%d.%d", last.StartsAt.UnixMilli(), last.ID)
	}
	page.Items, err = s.deskViews(ctx, rows)
	return page, err
}
