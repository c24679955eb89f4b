package shop

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// BaySaved is a bay with what the change means for bookings.
type BaySaved struct {
	Bay
	Affected int `json:"affected" doc:"Bookings to come that no longer fit"`
}

// Week is the hours of a store by day of the week.
type Week struct {
	Spans    []WeekSpan `json:"spans"`
	Affected int        `json:"affected" doc:"Bookings to come that no longer fit; 0 when only read"`
}

// WeekInput replaces the hours of a week. A day without a span is closed.
type WeekInput struct {
	Spans []WeekSpan `json:"spans" maxItems:"42"`
}

// DaySaved is a day with what the change means for bookings.
type DaySaved struct {
	Day
	Affected int `json:"affected" doc:"Bookings to come that no longer fit"`
}

// DayRef names a day that goes back to its weekday.
type DayRef struct {
	StoreID int64  `json:"storeId" minimum:"0" doc:"0 is every store"`
	Day     string `json:"day" maxLength:"10" doc:"2006-01-02"`
}

// DayRemoved says what the removal means for bookings.
type DayRemoved struct {
	Affected int `json:"affected" doc:"Bookings to come that no longer fit"`
}

type bayQuery struct {
	StoreID int64 `query:"storeId" required:"true" minimum:"1"`
	httpapi.ShortPaging
}

type dayQuery struct {
	StoreID int64  `query:"storeId" minimum:"0" doc:"Left out: only the days of every store"`
	From    string `query:"from" required:"true" maxLength:"10" doc:"2006-01-02"`
	To      string `query:"to" required:"true" maxLength:"10" doc:"2006-01-02, included"`
	httpapi.ShortPaging
}

func (s *Service) setupRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
	}
	httpapi.Register(r, op("consoleBayList", http.MethodGet, "/bays", "The bays of a store, also the inactive ones", perm.BookingRead), s.bayList)
	httpapi.Register(r, op("consoleBayCreate", http.MethodPost, "/bays", "Add a bay", perm.BookingSetup),
		func(ctx context.Context, in *httpapi.Body[BayInput]) (Bay, error) { return s.CreateBay(ctx, in.Body) })
	httpapi.Register(r, op("consoleBayUpdate", http.MethodPut, "/bays/{id}", "Change, close or reopen a bay", perm.BookingSetup),
		func(ctx context.Context, in *httpapi.ByIDBody[BayInput]) (BaySaved, error) {
			b, n, err := s.UpdateBay(ctx, in.ID, in.Body)
			return BaySaved{b, n}, err
		})
	httpapi.Register(r, op("consoleHoursGet", http.MethodGet, "/stores/{id}/hours", "The hours of a store by day of the week", perm.BookingRead), s.hours)
	httpapi.Register(r, op("consoleHoursPut", http.MethodPut, "/stores/{id}/hours", "Replace the hours of a store", perm.BookingSetup),
		func(ctx context.Context, in *httpapi.ByIDBody[WeekInput]) (w Week, err error) {
			if w.Affected, err = s.SetHours(ctx, in.ID, in.Body.Spans); err == nil {
				w.Spans, err = s.Hours(ctx, in.ID)
			}
			return w, err
		})
	httpapi.Register(r, op("consoleStoreDayList", http.MethodGet, "/store-days", "The days that differ or have a name, of a store and of every store", perm.BookingRead), s.dayList)
	httpapi.Register(r, op("consoleStoreDayPut", http.MethodPut, "/store-days", "Set how a store, or every store, works on a date", perm.BookingSetup),
		func(ctx context.Context, in *httpapi.Body[DayInput]) (DaySaved, error) {
			d, n, err := s.SetDay(ctx, in.Body)
			return DaySaved{d, n}, err
		})
	httpapi.Register(r, op("consoleStoreDayRemove", http.MethodPost, "/store-days/remove", "Give a date back to its weekday", perm.BookingSetup),
		func(ctx context.Context, in *httpapi.Body[DayRef]) (DayRemoved, error) {
			n, err := s.RemoveDay(ctx, in.Body.StoreID, strings.TrimSpace(in.Body.Day))
			return DayRemoved{n}, err
		})
	httpapi.Register(r, op("consoleStoreDayImport", http.MethodPost, "/store-days/import", "Import the public holidays of a year, or pasted lines", perm.BookingSetup),
		func(ctx context.Context, in *httpapi.Body[ImportInput]) (Imported, error) {
			return s.ImportDays(ctx, in.Body)
		})
}

func (s *Service) bayList(ctx context.Context, in *bayQuery) (p httpapi.Page[Bay], err error) {
	if err := s.mine(ctx, in.StoreID); err != nil {
		return p, err
	}
	all, err := s.Bays(ctx, in.StoreID)
	return httpapi.Cut(all, in.ShortPaging, func(b Bay) int64 { return b.ID }), err
}

func (s *Service) hours(ctx context.Context, in *httpapi.ByID) (w Week, err error) {
	if err := s.mine(ctx, in.ID); err != nil {
		return w, err
	}
	w.Spans, err = s.Hours(ctx, in.ID)
	return w, err
}

func (s *Service) dayList(ctx context.Context, in *dayQuery) (p httpapi.Page[Day], err error) {
	if in.StoreID != 0 {
		if err := s.mine(ctx, in.StoreID); err != nil {
			return p, err
		}
	}
	all, err := s.Days(ctx, in.StoreID, in.From, in.To)
	return httpapi.Cut(all, in.ShortPaging, Day.number), err
}

// number orders the days of a list: the date, and of two on one date the store's own last.
func (d Day) number() int64 {
	n, _ := strconv.ParseInt(strings.ReplaceAll(d.Day, "-", ""), 10, 64)
	if d.StoreID != 0 {
		return n*2 + 1
	}
	return n * 2
}
