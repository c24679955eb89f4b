package booking

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/wechat"
)

type ownerOptionsInput struct {
	StoreID int64 `query:"storeId" minimum:"0" doc:"0 lists the stores and what they all offer"`
}

type ownerSlotsInput struct {
	StoreID      int64   `query:"storeId" required:"true" minimum:"1"`
	VehicleID    int64   `query:"vehicleId" required:"true" minimum:"1"`
	ServiceIDs   []int64 `query:"serviceIds" maxItems:"10" doc:"1,2"`
	Kind         Kind    `query:"kind" enum:"visit,at_home,pickup,repair,errand,rescue,other" default:"visit"`
	From         string  `query:"from" maxLength:"10" doc:"YYYY-MM-DD, today when absent"`
	Days         int     `query:"days" default:"1" minimum:"1" maximum:"31"`
	TechnicianID int64   `query:"technicianId" minimum:"0"`
}

type ownerListInput struct {
	Scope string `query:"scope" enum:"open,past" default:"open"`
}

// Routes declares the operations of the slice.
func (s *Service) Routes(r *httpapi.Router) {
	s.ownerRoutes(r)
	s.staffRoutes(r)
	s.consoleRoutes(r)
	s.liveRoutes(r)
}

func (s *Service) ownerRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary string, once bool) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/owner" + path, Summary: summary, Who: httpapi.Member, Idempotent: once}
	}
	httpapi.Register(r, op("ownerBookingOptions", http.MethodGet, "/booking/options", "What I can book", false),
		func(ctx context.Context, in *ownerOptionsInput) (OwnerOptions, error) {
			return s.options(ctx, in.StoreID, actor.From(ctx).MemberID)
		})
	httpapi.Register(r, op("ownerBookingSlots", http.MethodGet, "/booking/slots", "When it is free", false),
		func(ctx context.Context, in *ownerSlotsInput) (SlotList, error) {
			return s.OwnerSlots(ctx, actor.From(ctx).MemberID, in.VehicleID, what{storeID: in.StoreID, kind: in.Kind, services: in.ServiceIDs, technicianID: in.TechnicianID}, in.From, in.Days)
		})
	httpapi.Register(r, op("ownerBookingCreate", http.MethodPost, "/bookings", "Keep a time while I confirm or pay the deposit", true),
		func(ctx context.Context, in *httpapi.Body[OwnerAsk]) (View, error) {
			b, err := s.Create(ctx, in.Body)
			return s.one(ctx, b, err)
		})
	httpapi.Register(r, op("ownerBookingList", http.MethodGet, "/bookings", "My bookings", false),
		func(ctx context.Context, in *ownerListInput) (httpapi.Page[View], error) {
			list, err := ofMember(ctx, s.db, actor.From(ctx).MemberID, in.Scope == "past", 100)
			if err != nil {
				return httpapi.Page[View]{}, err
			}
			views, err := s.views(ctx, list)
			return httpapi.Page[View]{Items: views}, err
		})
	httpapi.Register(r, op("ownerBookingGet", http.MethodGet, "/bookings/{id}", "A booking of mine", false),
		func(ctx context.Context, in *httpapi.ByID) (View, error) {
			b, err := s.Get(ctx, actor.From(ctx).MemberID, in.ID)
			return s.one(ctx, b, err)
		})
	httpapi.Register(r, op("ownerBookingConfirm", http.MethodPost, "/bookings/{id}/confirm", "Make a held booking firm", true),
		func(ctx context.Context, in *httpapi.ByID) (View, error) {
			b, err := s.Confirm(ctx, in.ID)
			return s.one(ctx, b, err)
		})
	httpapi.Register(r, op("ownerBookingPay", http.MethodPost, "/bookings/{id}/pay", "Pay the deposit by WeChat Pay", true),
		func(ctx context.Context, in *httpapi.ByID) (PayStarted, error) {
			b, prep, err := s.Pay(ctx, in.ID)
			v, err := s.one(ctx, b, err)
			if err != nil {
				return PayStarted{}, err
			}
			out := PayStarted{Booking: v}
			if prep.Jsapi != nil {
				out.Pay = *prep.Jsapi
			}
			return out, nil
		})
	httpapi.Register(r, op("ownerBookingCheck", http.MethodPost, "/bookings/{id}/check", "Ask WeChat now whether the deposit is paid", false),
		func(ctx context.Context, in *httpapi.ByID) (View, error) {
			b, err := s.Check(ctx, actor.From(ctx).MemberID, in.ID)
			return s.one(ctx, b, err)
		})
	httpapi.Register(r, op("ownerBookingCancel", http.MethodPost, "/bookings/{id}/cancel", "Cancel a booking", true),
		func(ctx context.Context, in *httpapi.ByIDBody[CancelAsk]) (View, error) {
			b, err := s.Cancel(ctx, in.ID, in.Body.Reason, in.Body.RefundFen)
			return s.one(ctx, b, err)
		})
	httpapi.Register(r, op("ownerBookingReschedule", http.MethodPost, "/bookings/{id}/reschedule", "Take another time", true),
		func(ctx context.Context, in *httpapi.ByIDBody[RescheduleAsk]) (View, error) {
			b, err := s.Reschedule(ctx, actor.From(ctx).MemberID, in.ID, in.Body.StartsAt, in.Body.TechnicianID)
			return s.one(ctx, b, err)
		})
}

// PayStarted is what the phone needs to pay a deposit.
type PayStarted struct {
	Booking View               `json:"booking"`
	Pay     wechat.JSAPIParams `json:"jsapi"`
}
