package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/perm"
)

// noon moves the clock to tomorrow noon and signs the boss and the desk in again.
func (s *system) noon(desk *worker) {
	s.t.Helper()
	at, err := bizday.At(s.day(1), 12*60, bizday.DefaultZone)
	if err != nil {
		s.t.Fatal(err)
	}
	s.clk.Set(at)
	s.drain()
	s.boss.token = s.anonymous().post("/api/staff/session", obj{"method": "password", "username": "boss", "password": bossPassword}).s("session.accessToken")
	desk.caller = s.staffLogin(desk.p, "")
}

func (o owner) again() owner {
	o.s.t.Helper()
	o.token = o.s.anonymous().post("/api/owner/session", obj{"channel": "mini_program", "code": o.s.loginCode(o.p)}).s("session.accessToken")
	return o
}

// A car without a booking: in the line, on the owner's phone, and in a bay as soon as one is free.
func TestStoryQueue(t *testing.T) {
	s := start(t).open()
	s.bookable()
	desk := s.worker(perm.RoleReceptionist, "周前台", s.shop.store)
	o := s.join("林晓舟")
	s.noon(&desk)
	o = o.again()
	add := func(plate string) obj {
		return obj{"storeId": s.shop.store, "plate": plate, "vehicleClassId": s.shop.class, "serviceIds": []int64{s.shop.wash}}
	}
	first := desk.post("/api/staff/queue", add("沪C11111"))
	if first.s("state") != "arrived" || first.s("channel") != "walk_in" || first.s("bayName") != "1 号洗车位" {
		t.Fatalf("first: %v", first)
	}
	k := key("queue-once-0001")
	second := desk.post("/api/staff/queue", add(o.plate), k)
	if again := desk.post("/api/staff/queue", add(o.plate), k); again.i("id") != second.i("id") {
		t.Errorf("the same tap twice: %v", again)
	}
	desk.fails("booking.plate_active", http.MethodPost, "/api/console/queue", add(o.plate))
	mine := o.get("/api/owner/bookings").list("items")
	if len(mine) != 1 || mine[0].i("id") != second.i("id") || mine[0].s("state") != "queued" || mine[0].i("queue.ahead") != 0 || mine[0].i("queue.minutes") != 30 || mine[0].at("explain") != nil {
		t.Fatalf("the phone shows %v", mine)
	}
	line := desk.get(fmt.Sprintf("/api/staff/queue?storeId=%d", s.shop.store)).list("items")
	board := s.boss.get(fmt.Sprintf("/api/console/board?storeId=%d", s.shop.store))
	if len(line) != 1 || line[0].s("plate") != o.plate || len(board.list("queue")) != 1 || len(board.list("bookings")) != 1 {
		t.Errorf("line %v, board %v", line, board)
	}
	at := func(id int64, step string) string { return fmt.Sprintf("/api/staff/bookings/%d/%s", id, step) }
	desk.fails("booking.state", http.MethodPost, at(second.i("id"), "arrive"), nil)
	desk.post(at(first.i("id"), "start"), nil)
	s.clk.Advance(10 * time.Minute)
	desk.post(at(first.i("id"), "finish"), obj{})
	s.eventually("the next car gets the bay", func() bool {
		s.drain()
		return o.get(fmt.Sprintf("/api/owner/bookings/%d", second.i("id"))).s("state") == "arrived"
	})
	if n := s.count(`SELECT COUNT(*) FROM notify_messages WHERE member_id = ? AND event = 'booking_changed'`, o.id); n != 1 {
		t.Errorf("the owner is told %d times that it is their turn", n)
	}
	s.exact()
}

// A bay is closed with bookings on it: asked first, then listed with another place; whoever waits gets it when it opens.
func TestStoryClosedBay(t *testing.T) {
	s := start(t).open()
	bay, _ := s.bookable()
	second := s.boss.post("/api/console/bays", obj{"storeId": s.shop.store, "name": "2 号洗车位", "kind": "wash"}).i("id")
	o := s.join("林晓舟")
	b := o.book(s.tomorrow(10, 0))
	o.post(fmt.Sprintf("/api/owner/bookings/%d/confirm", b.i("id")), nil)
	from, to := s.tomorrow(9, 0), s.tomorrow(12, 0)
	onBay := s.boss.get(fmt.Sprintf("/api/console/bookings/%d", b.i("id"))).i("segments.0.bayId")
	free := map[int64]int64{bay: second, second: bay}[onBay]
	block := obj{"storeId": s.shop.store, "resourceId": onBay, "resourceKind": "bay", "from": from, "to": to, "reason": "水泵坏了"}
	if f := s.boss.fails("slot.blocked", http.MethodPost, "/api/console/blocks", block); f.i("detail.bookingIds.0") != b.i("id") {
		t.Errorf("asked first: %v", f)
	}
	s.boss.fails("request.invalid", http.MethodPost, "/api/console/blocks", with(block, obj{"resourceId": 4242}))
	s.boss.fails("request.invalid", http.MethodPost, "/api/console/blocks", with(block, obj{"resourceKind": "technician"}))
	made := s.boss.post("/api/console/blocks", with(block, obj{"force": true}))
	if made.i("bookingIds.0") != b.i("id") {
		t.Errorf("closed: %v", made)
	}
	list := s.boss.get(fmt.Sprintf("/api/console/booking/problems?storeId=%d", s.shop.store)).list("items")
	if len(list) != 1 || list[0].i("bookingId") != b.i("id") || !strings.Contains(list[0].s("text"), "水泵坏了") || list[0].i("suggestion.bayId") != free {
		t.Fatalf("problems: %v", list)
	}
	d := s.boss.get(fmt.Sprintf("/api/console/bookings/%d", b.i("id")))
	s.boss.post(fmt.Sprintf("/api/console/bookings/%d/move", b.i("id")), obj{"version": d.i("version"), "segmentNo": list[0].i("suggestion.segmentNo"), "bayId": free})
	if left := s.boss.get(fmt.Sprintf("/api/console/booking/problems?storeId=%d", s.shop.store)).list("items"); len(left) != 0 {
		t.Errorf("still: %v", left)
	}
	path := fmt.Sprintf("/api/console/blocks?storeId=%d&from=%s&to=%s", s.shop.store, strings.ReplaceAll(from, "+", "%2B"), strings.ReplaceAll(to, "+", "%2B"))
	if blocks := s.boss.get(path).list("items"); len(blocks) != 1 || blocks[0].s("byName") != "陈老板" {
		t.Errorf("blocks: %v", blocks)
	}
	s.boss.post(fmt.Sprintf("/api/console/blocks/%d/remove", made.i("id")), nil)
	if blocks := s.boss.get(path).list("items"); len(blocks) != 0 {
		t.Errorf("removed: %v", blocks)
	}
	s.exact()
}

// What works by itself knows the stores too.
func TestOtherStoresLive(t *testing.T) {
	s := start(t).open()
	bay, _ := s.bookable()
	away := s.hire(perm.RoleManager, "何店长", s.shop.other)
	o := s.join("林晓舟")
	booking := o.book(s.tomorrow(10, 0)).i("id")
	store := s.shop.store
	block := obj{"storeId": store, "resourceId": bay, "from": s.tomorrow(14, 0), "to": s.tomorrow(15, 0), "reason": "清洁"}
	made := s.boss.post("/api/console/blocks", block).i("id")
	for _, path := range []string{"staff/jobs?", "staff/queue?", "console/queue?", "console/board?", "console/board/events?", "console/booking/problems?",
		"console/blocks?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&"} {
		away.fails("permission.store", http.MethodGet, fmt.Sprintf("/api/%sstoreId=%d", path, store), nil)
	}
	walkIn := obj{"storeId": store, "plate": "沪C11111", "vehicleClassId": s.shop.class, "serviceIds": []int64{s.shop.wash}}
	away.fails("permission.store", http.MethodPost, "/api/staff/queue", walkIn)
	away.fails("permission.store", http.MethodPost, "/api/console/queue", walkIn)
	away.fails("permission.store", http.MethodPost, "/api/console/blocks", block)
	away.fails("not_found", http.MethodPost, fmt.Sprintf("/api/console/blocks/%d/remove", made), nil)
	body, kind := photo(t)
	away.fails("not_found", http.MethodPost, fmt.Sprintf("/api/staff/bookings/%d/photos", booking), body, header{"Content-Type", kind})
	if n := s.count(`SELECT COUNT(*) FROM slot_blocks`); n != 1 {
		t.Errorf("%d blocks", n)
	}
	s.exact()
}
