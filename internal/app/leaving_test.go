package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Whoever leaves is forgotten by their bookings too; what was done to the car stays.
func TestLeavingErasesWhatBookingsSay(t *testing.T) {
	s := start(t).open()
	s.bookable()
	o := s.join("林晓舟")
	id := o.post("/api/owner/bookings", obj{"storeId": s.shop.store, "kind": "visit", "vehicleId": o.get("/api/owner/vehicles").i("items.0.id"), "serviceIds": []int64{s.shop.wash},
		"startsAt": s.tomorrow(10, 0), "channel": "mini_program", "note": "车停在江宁路 888 号地库"}).i("id")
	o.post(fmt.Sprintf("/api/owner/bookings/%d/cancel", id), obj{"reason": "搬家"})
	look := func() obj { return s.boss.get(fmt.Sprintf("/api/console/bookings/%d", id)) }
	if b := look(); b.s("note") == "" {
		t.Fatalf("nothing to forget: %v", b)
	}
	if r := o.post("/api/owner/account/close", obj{"reason": "搬家"}); r.s("status") != "closed" {
		t.Fatalf("closed: %v", r)
	}
	if b := look(); b.s("note") != "" || b.s("plate") == "" {
		t.Errorf("afterwards: %v", b)
	}
	s.boss.fails("booking.no_contact", http.MethodPost, fmt.Sprintf("/api/console/bookings/%d/contact", id), nil)
}

// What a duplicate brought is no longer named once its owner has left.
func TestLeavingErasesWhatAMergeSays(t *testing.T) {
	s := start(t).open()
	dup, keep := s.join("林晓舟"), s.join("林晓舟")
	s.shop.manager.merge(dup.id, keep.id)
	said := func() string {
		return s.boss.get(fmt.Sprintf("/api/console/members/%d/merges", keep.id)).String()
	}
	if !strings.Contains(said(), dup.plate) {
		t.Fatalf("nothing to forget: %s", said())
	}
	if r := keep.post("/api/owner/account/close", obj{"reason": "搬家"}); r.s("status") != "closed" {
		t.Fatalf("closed: %v", r)
	}
	if strings.Contains(said(), dup.plate) {
		t.Errorf("afterwards: %s", said())
	}
	s.exact()
}
