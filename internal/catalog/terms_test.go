package catalog

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/shop"
)

func text(s string) *string { return &s }

func (f fixture) service(t *testing.T, name, kind string, b BookingInput, more ...func(*ServiceInput)) ServiceItem {
	t.Helper()
	in := ServiceInput{Name: name, Kind: kind, Minutes: 30, Prices: []Price{{VehicleClassID: f.car, PriceFen: 3500}, {VehicleClassID: f.suv, PriceFen: 4500, Minutes: 45}}, BookingInput: b}
	for _, m := range more {
		m(&in)
	}
	v, err := f.s.CreateService(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTermsOfEveryKind(t *testing.T) {
	f := setUp(t)
	for kind, want := range map[string][2]string{"wash": {shop.BayWash, roster.SkillWash}, "detail": {shop.BayDetail, roster.SkillDetail}, "film": {shop.BayFilm, roster.SkillFilm},
		"repair": {shop.BayLift, roster.SkillRepair}, "other": {"", roster.SkillInspect}} {
		v := f.service(t, kind, kind, BookingInput{})
		if v.BayKind != want[0] || v.Skill != want[1] || !v.Bookable || v.MinLevel != 1 || !slices.Equal(v.BookingKinds, []string{"visit"}) {
			t.Errorf("%s: %+v", kind, v.Booking)
		}
	}
	v := f.service(t, "上门精洗", "wash", BookingInput{BookingKinds: []string{"pickup", "at_home"}, BayKind: text("van"), Skill: text(""), MinLevel: 3, ChangeoverMinutes: 10, DepositFen: 5000,
		FreeCancelHours: 24, Image: strings.Repeat("0a", 16) + ".jpg"})
	got, err := f.s.Terms(t.Context(), f.d, f.west, f.suv, []int64{v.ID})
	if err != nil || fmt.Sprint(got) != fmt.Sprint([]Term{{v.ID, "上门精洗", "wash", 45, 4500, "van", "", 3, 10, 5000, 24, []string{"at_home", "pickup"}}}) {
		t.Errorf("%+v %v", got, err)
	}
	if got, _ = f.s.Terms(t.Context(), f.d, f.west, f.car, []int64{v.ID}); got[0].Minutes != 30 || got[0].PriceFen != 3500 {
		t.Errorf("%+v", got)
	}
	// What is written is read back alike, and replaced by what comes later; bookable alone stays when it is left out.
	off := false
	in := ServiceInput{Name: "上门精洗", Kind: "wash", Minutes: 40, Prices: []Price{{VehicleClassID: f.car, PriceFen: 3500}}, BookingInput: BookingInput{Bookable: &off}}
	if v, err = f.s.UpdateService(t.Context(), v.ID, in); err != nil || v.Bookable || v.BayKind != "wash" || v.DepositFen != 0 {
		t.Errorf("%+v %v", v, err)
	}
	in.Bookable = nil
	if v, err = f.s.UpdateService(t.Context(), v.ID, in); err != nil || v.Bookable {
		t.Errorf("%+v %v", v, err)
	}
	all, err := f.s.Services(t.Context())
	if err != nil || all[slices.IndexFunc(all, func(x ServiceItem) bool { return x.ID == v.ID })].Bookable {
		t.Error(err)
	}
}

func TestTermsNameEveryProblem(t *testing.T) {
	f := setUp(t)
	ctx := t.Context()
	wash := f.service(t, "精洗", "wash", BookingInput{})
	off := false
	desk := f.service(t, "补漆", "detail", BookingInput{Bookable: &off})
	gone := f.service(t, "打蜡", "detail", BookingInput{})
	east := f.service(t, "镀晶", "film", BookingInput{}, func(in *ServiceInput) { in.StoreIDs = []int64{f.east} })
	sedan := f.service(t, "贴膜", "film", BookingInput{}, func(in *ServiceInput) { in.Prices = in.Prices[:1] })
	if err := f.s.RetireService(ctx, gone.ID); err != nil {
		t.Fatal(err)
	}
	_, err := f.s.Terms(ctx, f.d, f.west, f.suv, []int64{wash.ID, desk.ID, gone.ID, east.ID, sedan.ID, 404, wash.ID})
	want := []string{"serviceIds[1]", "serviceIds[2]", "serviceIds[3]", "serviceIds[4]", "serviceIds[5]", "serviceIds[6]"}
	if !errors.Is(err, ErrItems) || !slices.Equal(fields(err), want) {
		t.Errorf("%v %v", err, fields(err))
	}
	for _, n := range []int{0, MaxTerms + 1} {
		if _, err := f.s.Terms(ctx, f.d, f.west, f.suv, make([]int64, n)); !errors.Is(err, fault.ErrInvalid) || fields(err)[0] != "serviceIds" {
			t.Errorf("%d services: %v", n, err)
		}
	}
	if _, err := f.s.Terms(ctx, f.d, f.west, 404, []int64{wash.ID}); !errors.Is(err, ErrClass) {
		t.Error(err)
	}
	err = f.d.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { // through the transaction's own connection
		got, err := f.s.Terms(ctx, tx, f.east, f.suv, []int64{east.ID, wash.ID})
		if err == nil && (len(got) != 2 || got[0].Name != "镀晶") {
			t.Errorf("%+v", got)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestBadTermsAreNamed(t *testing.T) {
	f := setUp(t)
	c := apitest.New(t, f.s.Routes).As(apitest.Staff(perm.CatalogRead, perm.CatalogWrite))
	for field, b := range map[string]BookingInput{
		"bookingKinds[0]": {BookingKinds: []string{"party"}}, "bookingKinds[1]": {BookingKinds: []string{"visit", "visit"}},
		"bayKind": {BayKind: text("garage")}, "skill": {Skill: text("magic")}, "minLevel": {MinLevel: 6}, "changeoverMinutes": {ChangeoverMinutes: 241},
		"depositFen": {DepositFen: MaxPrice + 1}, "freeCancelHours": {FreeCancelHours: 169}, "image": {Image: "../../etc/passwd"},
	} {
		in := ServiceInput{Name: "精洗", Kind: "wash", Minutes: 30, Prices: []Price{{VehicleClassID: f.car, PriceFen: 1}}, BookingInput: b}
		if _, err := f.s.CreateService(t.Context(), in); !errors.Is(err, fault.ErrInvalid) || !slices.Equal(fields(err), []string{field}) {
			t.Errorf("%s: %v %v", field, err, fields(err))
		}
		if got := c.Fault(fault.ErrInvalid, http.MethodPost, "/api/console/services", in); len(got) != 1 || got[0].Field != field {
			t.Errorf("%s over HTTP: %v", field, got)
		}
	}
	in := ServiceInput{Name: "精洗", Kind: "wash", Minutes: 30, Prices: []Price{{VehicleClassID: f.car, PriceFen: 1, Minutes: 10081}}}
	if _, err := f.s.CreateService(t.Context(), in); !slices.Equal(fields(err), []string{"prices[0].minutes"}) {
		t.Error(err)
	}
	var v ServiceItem
	in.Prices[0].Minutes = 0
	in.BayKind, in.Skill = text(""), text("")
	c.OK(http.MethodPost, "/api/console/services", in, &v)
	if v.BayKind != "" || v.Skill != "" {
		t.Errorf("%+v", v)
	}
}
