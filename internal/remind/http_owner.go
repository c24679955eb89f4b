package remind

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/notify"
)

// CareView is a car with what it needs.
type CareView struct {
	VehicleID    int64     `json:"vehicleId"`
	Plate        string    `json:"plate"`
	Name         string    `json:"name" doc:"Brand and model"`
	PurchasedOn  string    `json:"purchasedOn,omitempty"`
	Kind         string    `json:"kind"`
	RegisteredOn string    `json:"registeredOn,omitempty"`
	InsuredTo    string    `json:"insuredTo,omitempty"`
	ServicedOn   string    `json:"servicedOn,omitempty"`
	ServicedKm   int64     `json:"servicedKm,omitempty"`
	EveryKm      int64     `json:"everyKm,omitempty" doc:"The car's own interval"`
	EveryMonths  int       `json:"everyMonths,omitempty"`
	Km           int64     `json:"km,omitempty" doc:"The odometer as it was read last"`
	KmOn         string    `json:"kmOn,omitempty"`
	Dues         []Due     `json:"dues" doc:"The nearest first, what is unknown last"`
	Next         string    `json:"next" doc:"What comes next, in words; empty when nothing is known"`
	Near         bool      `json:"near" doc:"What comes next is within a month, or passed"`
	Wash         *WashView `json:"wash,omitempty" doc:"Absent without a rhythm"`
}

// WashView is how often a car is washed here.
type WashView struct {
	EveryDays int    `json:"everyDays"`
	LastOn    string `json:"lastOn"`
	NextOn    string `json:"nextOn"`
	Text      string `json:"text"`
}

// KindName is a kind of vehicle.
type KindName struct {
	Kind  string `json:"kind"`
	Title string `json:"title"`
}

// CareList is all cars of a member, and what may be told of them.
type CareList struct {
	Items       []CareView `json:"items"`
	Kinds       []KindName `json:"kinds"`
	EveryKm     int64      `json:"everyKm" doc:"The shop's interval of maintenance"`
	EveryMonths int        `json:"everyMonths"`
}

func view(x Care, today string) CareView {
	c := x.Car
	v := CareView{VehicleID: x.Vehicle.ID, Plate: x.Vehicle.Plate, Name: strings.TrimSpace(x.Vehicle.Brand + " " + x.Vehicle.Model), PurchasedOn: x.Vehicle.PurchasedOn, Kind: c.Kind,
		RegisteredOn: c.RegisteredOn, InsuredTo: c.InsuredTo, ServicedOn: c.ServicedOn, ServicedKm: c.ServicedKm, EveryKm: c.EveryKm, EveryMonths: c.EveryMonths, Km: c.Km, KmOn: c.KmOn,
		Dues: x.Dues}
	if v.Km == 0 && x.Vehicle.MileageKm != nil {
		v.Km = *x.Vehicle.MileageKm
	}
	slices.SortStableFunc(v.Dues, func(a, b Due) int { return strings.Compare(cmp.Or(a.On, "9999"), cmp.Or(b.On, "9999")) })
	if i := nearest(x.Dues); i >= 0 {
		d := x.Dues[i]
		v.Next, v.Near = fmt.Sprintf("%s %s（%s）", d.Title, d.Text, inWords(today, d.On)), d.State != "fine"
	}
	if r := x.Wash; r != nil {
		v.Wash = &WashView{r.Every, r.Last, r.Next, fmt.Sprintf("平常约 %d 天洗一次，上次 %s", r.Every, strings.TrimPrefix(dayText(r.Last), today[:4]+"年"))}
	}
	return v
}

// nearest is the index of the due that comes first, -1 when none is known.
func nearest(list []Due) int {
	at := -1
	for i, d := range list {
		if d.On != "" && (at < 0 || d.On < list[at].On) {
			at = i
		}
	}
	return at
}

func (s *Service) careList(ctx context.Context, memberID int64) (out CareList, err error) {
	all, err := s.Cars(ctx, memberID)
	if err != nil {
		return out, err
	}
	b, err := readBook(ctx, s.DB, "")
	if err != nil {
		return out, err
	}
	today := s.today()
	for _, x := range all {
		out.Items = append(out.Items, view(x, today))
	}
	slices.SortStableFunc(out.Items, func(a, b CareView) int { return strings.Compare(order(a), order(b)) })
	for _, k := range b.table.Kinds {
		out.Kinds = append(out.Kinds, KindName{k.Kind, k.Title})
	}
	t := b.terms[notify.MaintenanceDue]
	out.EveryKm, out.EveryMonths = t.EveryKm, t.EveryMonths
	return out, nil
}

// order puts the car that needs something first to the front.
func order(v CareView) string {
	if i := nearest(v.Dues); i >= 0 {
		return v.Dues[i].On
	}
	return "9999"
}

// Routes registers the operations of the slice.
func (s *Service) Routes(r *httpapi.Router) {
	httpapi.Register(r, httpapi.Op{ID: "ownerCareList", Method: http.MethodGet, Path: "/api/owner/care", Who: httpapi.Member, Summary: "What my cars need and when, the nearest first"},
		func(ctx context.Context, _ *httpapi.None) (CareList, error) {
			return s.careList(ctx, actor.From(ctx).MemberID)
		})
	httpapi.Register(r, httpapi.Op{ID: "ownerCareTell", Method: http.MethodPut, Path: "/api/owner/vehicles/{id}/care", Who: httpapi.Member, Summary: "Tell what is known of a car: registration, maintenance, insurance, odometer"},
		func(ctx context.Context, in *httpapi.ByIDBody[Input]) (CareView, error) {
			x, err := s.Tell(ctx, actor.From(ctx).MemberID, in.ID, in.Body)
			return view(x, s.today()), err
		})
	httpapi.Register(r, httpapi.Op{ID: "ownerCareDone", Method: http.MethodPost, Path: "/api/owner/vehicles/{id}/care/done", Who: httpapi.Member, Summary: "Something was done: the next date counts"},
		func(ctx context.Context, in *httpapi.ByIDBody[DoneInput]) (CareView, error) {
			x, err := s.Done(ctx, actor.From(ctx).MemberID, in.ID, in.Body)
			return view(x, s.today()), err
		})
	s.staffRoutes(r)
	s.consoleRoutes(r)
}
