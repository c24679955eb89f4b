package catalog

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/shop"
)

// Limits of the terms of a booking.
const (
	MaxTerms           = 10 // services of one booking
	maxChangeover      = 240
	maxFreeCancelHours = 168
)

// BookingKinds lists how a service can be booked: at the shop, at the customer's, fetched and brought back, as a repair, as an
// errand, as a rescue, otherwise.
func BookingKinds() []string {
	return []string{"visit", "at_home", "pickup", "repair", "errand", "rescue", "other"}
}

// Booking is how a service is booked: what it needs and what is asked of the customer.
type Booking struct {
	Bookable          bool      `json:"bookable"`
	BookingKinds      []string  `json:"bookingKinds" doc:"visit, at_home, pickup, repair, errand, rescue, other"`
	BayKind           string    `json:"bayKind" enum:",wash,detail,film,lift,van" doc:"Empty: needs no bay"`
	Skill             string    `json:"skill" enum:",wash,detail,film,repair,inspect,rescue,driver" doc:"Empty: needs nobody"`
	MinLevel          int       `json:"minLevel" doc:"1 to 5"`
	ChangeoverMinutes int       `json:"changeoverMinutes" doc:"The bay is cleaned and made ready after the service"`
	DepositFen        money.Fen `json:"depositFen"`
	FreeCancelHours   int       `json:"freeCancelHours" doc:"A cancellation up to so many hours before is free"`
	Image             string    `json:"image" doc:"Key below /media/, empty for none"`
}

// BookingInput is what a Booking is made of. What is left out gets what is usual for the service's kind.
type BookingInput struct {
	Bookable          *bool     `json:"bookable,omitempty" doc:"Unchanged when absent, true for a new service"`
	BookingKinds      []string  `json:"bookingKinds,omitempty" maxItems:"7" doc:"visit when absent"`
	BayKind           *string   `json:"bayKind,omitempty" enum:",wash,detail,film,lift,van" doc:"Empty: needs no bay; absent: by the service's kind"`
	Skill             *string   `json:"skill,omitempty" enum:",wash,detail,film,repair,inspect,rescue,driver" doc:"Empty: needs nobody; absent: by the service's kind"`
	MinLevel          int       `json:"minLevel,omitempty" minimum:"0" maximum:"5" doc:"1 when absent"`
	ChangeoverMinutes int       `json:"changeoverMinutes,omitempty" minimum:"0" maximum:"240"`
	DepositFen        money.Fen `json:"depositFen,omitempty" minimum:"0" maximum:"9999999"`
	FreeCancelHours   int       `json:"freeCancelHours,omitempty" minimum:"0" maximum:"168"`
	Image             string    `json:"image,omitempty" maxLength:"64"`
}

// usual is the bay and the skill that a kind of service needs unless told otherwise.
func usual(kind string) (bay, skill string) {
	switch kind {
	case "wash":
		return shop.BayWash, roster.SkillWash
	case "detail":
		return shop.BayDetail, roster.SkillDetail
	case "film":
		return shop.BayFilm, roster.SkillFilm
	case "repair":
		return shop.BayLift, roster.SkillRepair
	}
	return "", roster.SkillInspect
}

var imageForm = regexp.MustCompile(`^[0-9a-f]{32}\.jpg$`)

// check fills in what was left out and complains about the rest.
func (in *BookingInput) check(c *complaints, kind string) {
	bay, skill := usual(kind)
	if in.BayKind == nil {
		in.BayKind = &bay
	}
	if in.Skill == nil {
		in.Skill = &skill
	}
	if len(in.BookingKinds) == 0 {
		in.BookingKinds = []string{"visit"}
	}
	if in.MinLevel == 0 {
		in.MinLevel = 1
	}
	for i, k := range in.BookingKinds {
		if at := fmt.Sprintf("bookingKinds[%d]", i); !slices.Contains(BookingKinds(), k) {
			c.Bad(at, "没有这种预约方式")
		} else if slices.Contains(in.BookingKinds[:i], k) {
			c.Bad(at, "重复选择")
		}
	}
	if *in.BayKind != "" && !slices.Contains(shop.BayKinds(), *in.BayKind) {
		c.Bad("bayKind", "没有这种工位")
	}
	if *in.Skill != "" && !slices.Contains(roster.Skills(), *in.Skill) {
		c.Bad("skill", "没有这项技能")
	}
	c.Between("minLevel", int64(in.MinLevel), 1, roster.MaxLevel)
	c.Between("changeoverMinutes", int64(in.ChangeoverMinutes), 0, maxChangeover)
	c.price("depositFen", in.DepositFen, 0)
	c.Between("freeCancelHours", int64(in.FreeCancelHours), 0, maxFreeCancelHours)
	if in.Image != "" && !imageForm.MatchString(in.Image) {
		c.Bad("image", "请重新上传图片")
	}
}

// booking is the checked input as it is kept.
func (in BookingInput) booking(bookable bool) Booking {
	var kinds []string
	for _, k := range BookingKinds() {
		if slices.Contains(in.BookingKinds, k) {
			kinds = append(kinds, k)
		}
	}
	return Booking{wanted(in.Bookable, bookable), kinds, *in.BayKind, *in.Skill, in.MinLevel, in.ChangeoverMinutes, in.DepositFen, in.FreeCancelHours, in.Image}
}

// termRow is a Booking as columns. BayKind and Skill of a service from before there were bookings are a dash.
type termRow struct {
	Bookable          bool      `db:"bookable"`
	BookingKinds      string    `db:"booking_kinds"`
	BayKind           string    `db:"bay_kind"`
	Skill             string    `db:"skill"`
	MinLevel          int       `db:"min_level"`
	ChangeoverMinutes int       `db:"changeover_minutes"`
	DepositFen        money.Fen `db:"deposit_fen"`
	FreeCancelHours   int       `db:"free_cancel_hours"`
	Image             string    `db:"image"`
}

func (b Booking) row() termRow {
	return termRow{b.Bookable, strings.Join(b.BookingKinds, " "), b.BayKind, b.Skill, b.MinLevel, b.ChangeoverMinutes, b.DepositFen, b.FreeCancelHours, b.Image}
}

func (r termRow) booking(kind string) Booking {
	bay, skill := usual(kind)
	if r.BayKind == "-" {
		r.BayKind = bay
	}
	if r.Skill == "-" {
		r.Skill = skill
	}
	return Booking{r.Bookable, strings.Fields(r.BookingKinds), r.BayKind, r.Skill, r.MinLevel, r.ChangeoverMinutes, r.DepositFen, r.FreeCancelHours, r.Image}
}

// Term is what one service of a booking takes for a class of vehicle. Minutes do not hold the changeover.
type Term struct {
	ServiceID         int64
	Name, Kind        string
	Minutes           int
	PriceFen          money.Fen
	BayKind, Skill    string
	MinLevel          int
	ChangeoverMinutes int
	DepositFen        money.Fen
	FreeCancelHours   int
	BookingKinds      []string
}

// Terms resolves the services of one booking in a store for a class of vehicle, in the given order. Faults: request.invalid (no,
// too many), catalog.vehicle_class_unknown, catalog.items_unavailable with a field "serviceIds[i]" for every service that is
// unknown, inactive, not bookable, not offered in the store, without a price for the class, or chosen twice.
func (s *Service) Terms(ctx context.Context, r db.Reader, storeID, vehicleClassID int64, serviceIDs []int64) ([]Term, error) {
	o, err := s.now(ctx, r)
	if err != nil {
		return nil, err
	}
	return o.terms(storeID, vehicleClassID, serviceIDs)
}

func (o *offer) terms(storeID, classID int64, ids []int64) ([]Term, error) {
	if len(ids) == 0 || len(ids) > MaxTerms {
		return nil, fault.ErrInvalid.On("serviceIds", fmt.Sprintf("请选择 1 至 %d 个项目", MaxTerms))
	}
	ci, ok := o.classByID[classID]
	if !ok || !o.classes[ci].Active {
		return nil, ErrClass.On("vehicleClassId", "请重新选择车型")
	}
	out := make([]Term, 0, len(ids))
	f := ErrItems
	for i, id := range ids {
		t, problem := o.term(storeID, o.classes[ci], id)
		if problem == "" && slices.Contains(ids[:i], id) {
			problem = t.Name + "重复选择"
		}
		if problem != "" {
			f = f.On(fmt.Sprintf("serviceIds[%d]", i), problem)
			continue
		}
		out = append(out, t)
	}
	if len(f.Fields) > 0 {
		return nil, f.Say("%s", f.Fields[0].Message)
	}
	return out, nil
}

func (o *offer) term(storeID int64, class VehicleClass, id int64) (t Term, problem string) {
	it, problem := o.item(storeID, class, Ref{KindService, id, 1})
	if problem != "" {
		return t, problem
	}
	sv := o.services[o.serviceByID[id]]
	if !sv.Bookable {
		return t, sv.Name + "不接受预约，请到店办理"
	}
	t = Term{id, sv.Name, sv.Kind, sv.Minutes, it.UnitFen, sv.BayKind, sv.Skill, sv.MinLevel, sv.ChangeoverMinutes, sv.DepositFen, sv.FreeCancelHours, sv.BookingKinds}
	for _, p := range sv.Prices {
		if p.VehicleClassID == class.ID && p.Minutes > 0 {
			t.Minutes = p.Minutes
		}
	}
	return t, ""
}
