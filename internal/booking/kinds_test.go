package booking

import (
	"errors"
	"slices"
	"testing"

	"github.com/liangche/liangche/internal/fault"
)

func TestKindsSayWhatTheyNeed(t *testing.T) {
	item := []Item{{ServiceID: 1}}
	for _, c := range []struct {
		name  string
		b     Booking
		field string // "" is fine
	}{
		{"visit", Booking{Kind: KindVisit, Items: item}, ""},
		{"visit with an address", Booking{Kind: KindVisit, Address: "江宁路 888 号"}, "address"},
		{"visit with a fault", Booking{Kind: KindVisit, Extra: Extra{Fault: "异响"}}, "extra.fault"},
		{"at home", Booking{Kind: KindAtHome, Items: item, Address: "江宁路 888 号"}, ""},
		{"at home, nowhere", Booking{Kind: KindAtHome, Items: item, LatE6: 31_000_000, LngE6: 121_000_000}, "address"},
		{"at home with a word", Booking{Kind: KindAtHome, Items: item, Address: "家"}, "address"},
		{"pick-up", Booking{Kind: KindPickup, Items: item, Address: "江宁路 888 号", Extra: Extra{ReturnAddress: "南京西路 1 号", ContactName: "王女士"}}, ""},
		{"pick-up with a destination", Booking{Kind: KindPickup, Items: item, Address: "江宁路 888 号", Extra: Extra{Destination: "4S 店"}}, "extra.destination"},
		{"repair", Booking{Kind: KindRepair, Items: item, Extra: Extra{Fault: "刹车异响"}}, ""},
		{"repair of nothing", Booking{Kind: KindRepair, Items: item}, "extra.fault"},
		{"rescue by location", Booking{Kind: KindRescue, LatE6: 31_000_000, LngE6: 121_000_000, Extra: Extra{Fault: "爆胎"}}, ""},
		{"rescue by words", Booking{Kind: KindRescue, Address: "沪宁高速 K23", Extra: Extra{Fault: "爆胎", Destination: "静安店"}}, ""},
		{"rescue without a place", Booking{Kind: KindRescue, Extra: Extra{Fault: "爆胎"}}, "address"},
		{"rescue without a word", Booking{Kind: KindRescue, Address: "沪宁高速 K23"}, "extra.fault"},
		{"half a location", Booking{Kind: KindRescue, Address: "沪宁高速 K23", LatE6: 1, Extra: Extra{Fault: "爆胎"}}, "latE6"},
		{"errand", Booking{Kind: KindErrand, Items: item, Address: "江宁路 888 号", Extra: Extra{Destination: "车管所"}}, ""},
		{"other with a note", Booking{Kind: KindOther, Note: "试驾"}, ""},
		{"other about nothing", Booking{Kind: KindOther}, "note"},
	} {
		err := checkKind(c.b)
		if c.field == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		var f *fault.Error
		if !errors.As(err, &f) || !slices.ContainsFunc(f.Fields, func(x fault.Field) bool { return x.Field == c.field }) {
			t.Errorf("%s: %v, want a complaint about %s", c.name, err, c.field)
		}
	}
}
