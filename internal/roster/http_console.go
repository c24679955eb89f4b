package roster

import (
	"context"
	"net/http"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// TechnicianSaved is a technician with what the change means for bookings.
type TechnicianSaved struct {
	Technician
	Affected int `json:"affected" doc:"Bookings to come that no longer fit"`
}

// PlanInput replaces the shifts of one person in one store on one day.
type PlanInput struct {
	StoreID int64        `json:"storeId" minimum:"1"`
	StaffID int64        `json:"staffId" minimum:"1"`
	Day     string       `json:"day" maxLength:"10" doc:"2006-01-02"`
	Spans   []ShiftInput `json:"spans" maxItems:"4" doc:"None: a day off"`
}

// Planned is a day as it was planned.
type Planned struct {
	Items    []Shift `json:"items"`
	Affected int     `json:"affected" doc:"Bookings to come that no longer fit"`
}

// CopyInput names the week to be planned like the one before.
type CopyInput struct {
	StoreID int64  `json:"storeId" minimum:"1"`
	Week    string `json:"week" maxLength:"10" doc:"Its Monday, 2006-01-02"`
}

type staffQuery struct {
	StoreID int64 `query:"storeId" required:"true" minimum:"1"`
	httpapi.ShortPaging
}

type shiftQuery struct {
	StoreID int64  `query:"storeId" required:"true" minimum:"1"`
	From    string `query:"from" required:"true" maxLength:"10" doc:"2006-01-02"`
	To      string `query:"to" required:"true" maxLength:"10" doc:"2006-01-02, included"`
	httpapi.ShortPaging
}

type technicianPut struct {
	StaffID int64 `path:"staffId" minimum:"1"`
	Body    TechnicianInput
}

// Routes registers the console's operations on technicians and shifts.
func (s *Service) Routes(r *httpapi.Router) {
	op := func(id, method, path, summary, permission string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: "/api/console" + path, Summary: summary, Who: httpapi.Console, Permission: permission}
	}
	httpapi.Register(r, op("consoleTechnicianList", http.MethodGet, "/technicians", "The technicians of a store, and everybody else who could become one", perm.RosterRead), s.technicians)
	httpapi.Register(r, op("consoleTechnicianPut", http.MethodPut, "/technicians/{staffId}", "Set somebody's skills and whether they are bookable", perm.RosterWrite),
		func(ctx context.Context, in *technicianPut) (TechnicianSaved, error) {
			t, n, err := s.SetTechnician(ctx, in.StaffID, in.Body)
			return TechnicianSaved{t, n}, err
		})
	httpapi.Register(r, op("consoleShiftList", http.MethodGet, "/shifts", "The shifts of a store between two dates", perm.RosterRead), s.shiftList)
	httpapi.Register(r, op("consoleShiftPlan", http.MethodPut, "/shifts", "Replace the shifts of one person on one day", perm.RosterWrite), s.plan)
	httpapi.Register(r, op("consoleShiftCopy", http.MethodPost, "/shifts/copy", "Plan a week like the one before; days that have shifts stay", perm.RosterWrite),
		func(ctx context.Context, in *httpapi.Body[CopyInput]) (Copied, error) {
			return s.CopyWeek(ctx, in.Body.StoreID, in.Body.Week)
		})
}

func (s *Service) technicians(ctx context.Context, in *staffQuery) (p httpapi.Page[Technician], err error) {
	if _, err := s.mine(ctx, in.StoreID); err != nil {
		return p, err
	}
	all, err := s.Candidates(ctx, in.StoreID)
	return httpapi.Cut(all, in.ShortPaging, func(t Technician) int64 { return t.StaffID }), err
}

func (s *Service) shiftList(ctx context.Context, in *shiftQuery) (p httpapi.Page[Shift], err error) {
	if _, err := s.mine(ctx, in.StoreID); err != nil {
		return p, err
	}
	all, err := s.Shifts(ctx, in.StoreID, in.From, in.To)
	return httpapi.Cut(all, in.ShortPaging, func(x Shift) int64 { return x.ID }), err
}

func (s *Service) plan(ctx context.Context, in *httpapi.Body[PlanInput]) (p Planned, err error) {
	b := in.Body
	if err := s.PlanDay(ctx, b.StoreID, b.StaffID, b.Day, b.Spans); err != nil {
		return p, err
	}
	all, err := s.Shifts(ctx, b.StoreID, b.Day, b.Day)
	if err != nil {
		return p, err
	}
	for _, x := range all {
		if x.StaffID == b.StaffID {
			p.Items = append(p.Items, x)
		}
	}
	p.Affected, err = s.countAffected(ctx, b.StoreID)
	return p, err
}
