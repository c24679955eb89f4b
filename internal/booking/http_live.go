package booking

import (
	"context"
	"net/http"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// WaitView is a place on the waiting list.
type WaitView struct {
	ID             int64      `json:"id"`
	StoreID        int64      `json:"storeId"`
	StoreName      string     `json:"storeName"`
	Title          string     `json:"title"`
	FromDay        string     `json:"fromDay"`
	ToDay          string     `json:"toDay"`
	FromMinute     int        `json:"fromMinute"`
	ToMinute       int        `json:"toMinute"`
	State          WaitState  `json:"state" enum:"waiting,offered,accepted,expired,cancelled"`
	Offer          *View      `json:"offer,omitempty" doc:"The held booking that is offered: confirming it accepts"`
	OfferExpiresAt *time.Time `json:"offerExpiresAt,omitempty"`
	CreatedAt      time.Time  `json:"createdAt"`
	MemberName     string     `json:"memberName,omitempty" doc:"Masked; for staff"`
}

// CalendarFile is a booking for the phone's calendar.
type CalendarFile struct {
	FileName string    `json:"fileName"`
	ICS      string    `json:"ics" doc:"text/calendar"`
	Title    string    `json:"title"`
	Location string    `json:"location"`
	StartsAt time.Time `json:"startsAt"`
	EndsAt   time.Time `json:"endsAt"`
}

// Jobs is what a technician has to do, and what waits.
type Jobs struct {
	Mine  []DeskView `json:"mine" doc:"Of today, the car at hand first, then priority members, then by time"`
	Queue []DeskView `json:"queue"`
}

type photoForm struct {
	Stage string `json:"stage" enum:"before,after"`
}

type photoInput struct {
	ID int64 `path:"id" minimum:"1"`
	httpapi.Upload[photoForm]
}

func (s *Service) liveRoutes(r *httpapi.Router) {
	s.ownerLiveRoutes(r)
	httpapi.Register(r, httpapi.Op{ID: "staffJobs", Method: http.MethodGet, Path: "/api/staff/jobs", Summary: "My jobs of today, and who waits", Who: httpapi.Staff, Permission: perm.BookingRead},
		func(ctx context.Context, in *storeInput) (Jobs, error) { return s.jobsOf(ctx, in.StoreID) })
	both(r, deskOp{"QueueAdd", http.MethodPost, "/queue", "Line a walk-in up", perm.BookingWrite, true},
		func(ctx context.Context, in *httpapi.Body[QueueAsk]) (Detail, error) {
			b, err := s.QueueAdd(ctx, in.Body)
			return s.detail(ctx, b, err)
		})
	both(r, deskOp{"QueueList", http.MethodGet, "/queue", "Who waits, in their order", perm.BookingRead, false},
		func(ctx context.Context, in *storeInput) (httpapi.Page[DeskView], error) {
			items, err := s.queueOf(ctx, in.StoreID)
			return httpapi.Page[DeskView]{Items: items}, err
		})
	both(r, deskOp{"BookingPhoto", http.MethodPost, "/bookings/{id}/photos", "Add a photo of the car before or after the work", perm.BookingWork, false},
		func(ctx context.Context, in *photoInput) (Detail, error) {
			b, err := s.AddPhoto(ctx, in.ID, in.Form.Stage, in.File.Data)
			return s.detail(ctx, b, err)
		})
	s.boardRoutes(r)
}

func (s *Service) ownerLiveRoutes(r *httpapi.Router) {
	op := func(id, method, path, summary string, once bool) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/owner" + path, Summary: summary, Who: httpapi.Member, Idempotent: once}
	}
	httpapi.Register(r, op("ownerBookingCalendar", http.MethodGet, "/bookings/{id}/calendar", "A booking for my calendar", false),
		func(ctx context.Context, in *httpapi.ByID) (CalendarFile, error) { return s.Calendar(ctx, in.ID) })
	httpapi.Register(r, op("ownerBookingRate", http.MethodPost, "/bookings/{id}/rating", "Say how it was, once", true),
		func(ctx context.Context, in *httpapi.ByIDBody[RatingAsk]) (View, error) {
			b, err := s.Rate(ctx, in.ID, in.Body)
			return s.one(ctx, b, err)
		})
	httpapi.Register(r, op("ownerWaitCreate", http.MethodPost, "/waits", "Wait for a time that is taken now", true),
		func(ctx context.Context, in *httpapi.Body[WaitAsk]) (WaitView, error) {
			w, err := s.WaitCreate(ctx, in.Body)
			return s.oneWait(ctx, w, err)
		})
	httpapi.Register(r, op("ownerWaitList", http.MethodGet, "/waits", "What I wait for", false),
		func(ctx context.Context, _ *httpapi.None) (httpapi.Page[WaitView], error) {
			list, err := s.Waits(ctx)
			if err != nil {
				return httpapi.Page[WaitView]{}, err
			}
			views, err := s.waitViews(ctx, list, false)
			return httpapi.Page[WaitView]{Items: views}, err
		})
	httpapi.Register(r, op("ownerWaitCancel", http.MethodPost, "/waits/{id}/cancel", "Wait no longer, or decline what is offered", false),
		func(ctx context.Context, in *httpapi.ByID) (WaitView, error) {
			w, err := s.WaitCancel(ctx, in.ID)
			return s.oneWait(ctx, w, err)
		})
}

func (s *Service) oneWait(ctx context.Context, w Wait, err error) (WaitView, error) {
	if err != nil {
		return WaitView{}, err
	}
	list, err := s.waitViews(ctx, []Wait{w}, false)
	if err != nil {
		return WaitView{}, err
	}
	return list[0], nil
}

// waitViews shows waits; names are for staff.
func (s *Service) waitViews(ctx context.Context, list []Wait, names bool) ([]WaitView, error) {
	out := make([]WaitView, 0, len(list))
	var members, offered []int64
	for _, w := range list {
		members = append(members, w.MemberID)
		if w.State == WaitOffered {
			offered = append(offered, w.BookingID)
		}
	}
	var masked map[int64]string
	var err error
	if names {
		if masked, err = s.members.MaskedNames(ctx, members); err != nil {
			return nil, err
		}
	}
	offers := map[int64]View{}
	if len(offered) > 0 {
		bookings, err := bookingsByID(ctx, s.db, offered)
		if err != nil {
			return nil, err
		}
		views, err := s.views(ctx, bookings)
		if err != nil {
			return nil, err
		}
		for _, v := range views {
			offers[v.ID] = v
		}
	}
	for _, w := range list {
		store, err := s.shops.Store(ctx, w.StoreID)
		if err != nil {
			return nil, err
		}
		v := WaitView{ID: w.ID, StoreID: w.StoreID, StoreName: store.Name, Title: w.Title, FromDay: w.FromDay, ToDay: w.ToDay, FromMinute: w.FromMinute, ToMinute: w.ToMinute,
			State: w.State, CreatedAt: w.CreatedAt, MemberName: masked[w.MemberID]}
		if o, ok := offers[w.BookingID]; ok && w.State == WaitOffered {
			v.Offer, v.OfferExpiresAt = &o, clock.Pointer(w.OfferExpiresAt)
		}
		out = append(out, v)
	}
	return out, nil
}

// queueOf lists who waits in a store. Fault: fault.ErrStore.
func (s *Service) queueOf(ctx context.Context, storeID int64) ([]DeskView, error) {
	if !actor.From(ctx).InStore(storeID) {
		return nil, fault.ErrStore
	}
	list, _, err := s.turns(ctx, storeID)
	if err != nil {
		return nil, err
	}
	return s.deskViews(ctx, list)
}

// jobsOf lists the acting technician's jobs of today and the queue of the store. Fault: fault.ErrStore.
func (s *Service) jobsOf(ctx context.Context, storeID int64) (j Jobs, err error) {
	if j.Queue, err = s.queueOf(ctx, storeID); err != nil {
		return j, err
	}
	mine, err := s.mine(ctx, storeID)
	if err != nil {
		return j, err
	}
	j.Mine, err = s.deskViews(ctx, mine)
	return j, err
}
