package booking

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

type storeInput struct {
	StoreID int64 `query:"storeId" required:"true" minimum:"1"`
}

type deskSlotsInput struct {
	StoreID        int64   `query:"storeId" required:"true" minimum:"1"`
	VehicleClassID int64   `query:"vehicleClassId" required:"true" minimum:"1"`
	ServiceIDs     []int64 `query:"serviceIds" maxItems:"10" doc:"1,2"`
	Kind           Kind    `query:"kind" enum:"visit,at_home,pickup,repair,errand,rescue,other" default:"visit"`
	From           string  `query:"from" maxLength:"10" doc:"YYYY-MM-DD, today when absent"`
	Days           int     `query:"days" default:"1" minimum:"1" maximum:"31"`
	TechnicianID   int64   `query:"technicianId" minimum:"0"`
	BayID          int64   `query:"bayId" minimum:"0"`
	MemberID       int64   `query:"memberId" minimum:"0" doc:"For the member's price and priority"`
}

type dayListInput struct {
	StoreID int64  `query:"storeId" required:"true" minimum:"1"`
	Day     string `query:"day" maxLength:"10" doc:"YYYY-MM-DD, today when absent"`
	State   string `query:"state" enum:"queued,requested,held,confirmed,dispatched,arrived,in_service,done,settled,cancelled,expired,no_show"`
}

// deskOp declares an operation for staff in the app and for the console alike.
type deskOp struct {
	name, method, path, summary, permission string
	once                                    bool
}

// both registers an operation twice: what can be done at the desk can be done in the console, by the same function.
func both[I, B any](r *httpapi.Router, o deskOp, h func(ctx context.Context, in *I) (B, error)) {
	for _, side := range []struct {
		id, path string
		who      httpapi.Who
	}{{"staff", "/api/staff", httpapi.Staff}, {"console", "/api/console", httpapi.Console}} {
		httpapi.Register(r, httpapi.Op{ID: side.id + o.name, Method: o.method, Path: side.path + o.path, Summary: o.summary, Who: side.who, Permission: o.permission, Idempotent: o.once}, h)
	}
}

func (s *Service) staffRoutes(r *httpapi.Router) {
	both(r, deskOp{"BookingOptions", http.MethodGet, "/booking/options", "What can be booked in a store", perm.BookingRead, false},
		func(ctx context.Context, in *storeInput) (DeskOptions, error) { return s.deskOptions(ctx, in.StoreID) })
	both(r, deskOp{"BookingSlots", http.MethodGet, "/booking/slots", "When it is free", perm.BookingRead, false},
		func(ctx context.Context, in *deskSlotsInput) (SlotList, error) {
			return s.DeskSlots(ctx, what{storeID: in.StoreID, memberID: in.MemberID, classID: in.VehicleClassID, kind: in.Kind, services: in.ServiceIDs,
				technicianID: in.TechnicianID, bayID: in.BayID}, in.From, in.Days)
		})
	both(r, deskOp{"BookingCreate", http.MethodPost, "/bookings", "Write down what somebody asked for at the desk or by phone", perm.BookingWrite, true},
		func(ctx context.Context, in *httpapi.Body[DeskAsk]) (Detail, error) {
			b, err := s.DeskCreate(ctx, in.Body)
			return s.detail(ctx, b, err)
		})
	both(r, deskOp{"BookingGet", http.MethodGet, "/bookings/{id}", "A booking with its log", perm.BookingRead, false},
		func(ctx context.Context, in *httpapi.ByID) (Detail, error) {
			b, err := s.Get(ctx, 0, in.ID)
			return s.detail(ctx, b, err)
		})
	httpapi.Register(r, httpapi.Op{ID: "staffBookingList", Method: http.MethodGet, Path: "/api/staff/bookings", Summary: "The bookings of a day", Who: httpapi.Staff, Permission: perm.BookingRead}, s.dayList)
	s.stepRoutes(r)
	httpapi.Register(r, httpapi.Op{ID: "staffBookingAssign", Method: http.MethodPost, Path: "/api/staff/bookings/{id}/assign", Summary: "Give a booking another bay or technician", Who: httpapi.Staff, Permission: perm.BookingOverride},
		func(ctx context.Context, in *httpapi.ByIDBody[MoveAsk]) (Detail, error) {
			b, err := s.Move(ctx, in.ID, in.Body)
			return s.detail(ctx, b, err)
		})
}

// stepRoutes are the steps of a booking's life that staff take.
func (s *Service) stepRoutes(r *httpapi.Router) {
	step := func(name, path, summary, permission string, f func(ctx context.Context, id int64) (Booking, error)) {
		both(r, deskOp{"Booking" + name, http.MethodPost, "/bookings/{id}/" + path, summary, permission, false},
			func(ctx context.Context, in *httpapi.ByID) (Detail, error) {
				b, err := f(ctx, in.ID)
				return s.detail(ctx, b, err)
			})
	}
	step("Arrive", "arrive", "The car is here", perm.BookingWork, s.Arrive)
	step("Start", "start", "The work begins", perm.BookingWork, s.Start)
	step("Dispatch", "dispatch", "Our people are on their way", perm.BookingWork, s.Dispatch)
	step("NoShow", "no-show", "Nobody came: the time is free again", perm.BookingWrite, s.MarkNoShow)
	both(r, deskOp{"BookingFinish", http.MethodPost, "/bookings/{id}/finish", "The work is done", perm.BookingWork, false},
		func(ctx context.Context, in *httpapi.ByIDBody[FinishAsk]) (Detail, error) {
			b, err := s.Finish(ctx, in.ID, in.Body.Closing)
			return s.detail(ctx, b, err)
		})
	both(r, deskOp{"BookingAccept", http.MethodPost, "/bookings/{id}/accept", "Take a rescue or an errand", perm.BookingWrite, false},
		func(ctx context.Context, in *httpapi.ByIDBody[AcceptAsk]) (Detail, error) {
			b, err := s.Accept(ctx, in.ID, in.Body.TechnicianID)
			return s.detail(ctx, b, err)
		})
	both(r, deskOp{"BookingCancel", http.MethodPost, "/bookings/{id}/cancel", "Cancel for the shop: a deposit goes back", perm.BookingWrite, false},
		func(ctx context.Context, in *httpapi.ByIDBody[ReasonAsk]) (Detail, error) {
			b, err := s.ShopCancel(ctx, in.ID, in.Body.Reason)
			return s.detail(ctx, b, err)
		})
	both(r, deskOp{"BookingContact", http.MethodPost, "/bookings/{id}/contact", "Whom to call, in clear; that somebody looked is recorded", perm.BookingWrite, false},
		func(ctx context.Context, in *httpapi.ByID) (ContactView, error) { return s.Contact(ctx, in.ID) })
	both(r, deskOp{"BookingReschedule", http.MethodPost, "/bookings/{id}/reschedule", "Give a booking another time", perm.BookingWrite, false},
		func(ctx context.Context, in *httpapi.ByIDBody[RescheduleAsk]) (Detail, error) {
			b, err := s.Reschedule(ctx, 0, in.ID, in.Body.StartsAt, in.Body.TechnicianID)
			return s.detail(ctx, b, err)
		})
}

// dayList lists a day of a store. Fault: fault.ErrStore.
func (s *Service) dayList(ctx context.Context, in *dayListInput) (httpapi.Page[DeskView], error) {
	var page httpapi.Page[DeskView]
	if !actor.From(ctx).InStore(in.StoreID) {
		return page, fault.ErrStore
	}
	st, err := s.shops.Store(ctx, in.StoreID)
	if err != nil {
		return page, err
	}
	day := in.Day
	if day == "" {
		day = st.BizDay(s.db.Now())
	}
	if !bizday.Valid(day) {
		return page, fault.ErrInvalid.On("day", "应为日期，如 2026-01-31")
	}
	rows, err := list(ctx, s.db, Filter{StoreID: in.StoreID, FromDay: day, ToDay: day, State: in.State, Limit: 500})
	if err != nil {
		return page, err
	}
	if day == st.BizDay(s.db.Now()) {
		priorityFirst(rows)
	}
	page.Items, err = s.deskViews(ctx, rows)
	return page, err
}
