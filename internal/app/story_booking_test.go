package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// bookingStory is a visit from the phone to the rating, told by the people who take part.
type bookingStory struct {
	*system
	whole          *testing.T // of which each step is a part
	owner, other   owner
	desk, tech     worker
	bays           [2]int64
	deluxe         int64 // 45 minutes, 68.00, a deposit of 20.00
	id             int64 // the booking
	order          int64
	board          *watcher
	deposit, price int64
}

// worker is a member of staff who can sign in again.
type worker struct {
	caller
	p wxsandbox.Persona
}

func (s *system) worker(role, name string, stores ...int64) worker {
	s.t.Helper()
	a := s.boss.post("/api/console/staff", obj{"name": name, "roleIds": []int64{s.shop.roles[role]}, "storeIds": stores})
	p := s.persona(name)
	return worker{s.staffLogin(p, a.s("inviteCode")), p}
}

// clock moves to a time of the shop's clock, n days after today's date, and signs everybody in again.
func (s *bookingStory) clock(day string, hour, minute int) {
	s.t.Helper()
	at, err := bizday.At(day, hour*60+minute, bizday.DefaultZone)
	if err != nil {
		s.t.Fatal(err)
	}
	s.clk.Set(at)
	s.drain()
	s.desk.caller, s.tech.caller = s.staffLogin(s.desk.p, ""), s.staffLogin(s.tech.p, "")
	for _, o := range []*owner{&s.owner, &s.other} {
		o.token = s.anonymous().post("/api/owner/session", obj{"channel": "mini_program", "code": s.loginCode(o.p)}).s("session.accessToken")
	}
	s.boss.token = s.anonymous().post("/api/staff/session", obj{"method": "password", "username": "boss", "password": bossPassword}).s("session.accessToken")
}

func TestStoryBooking(t *testing.T) {
	s := &bookingStory{system: start(t).open(), whole: t}
	s.tell(
		chapter{"1 the shop sets up bays, skills, shifts and a deposit", s.setsUp},
		chapter{"2 the owner books tomorrow 10:00 with a deposit", s.books},
		chapter{"3 the desk drags it to another bay", s.drags},
		chapter{"4 the owner is reminded and comes", s.comes},
		chapter{"5 the technician works, with photos", s.works},
		chapter{"6 the desk settles with the deposit counted", s.settles},
		chapter{"7 the owner rates", s.rates},
		chapter{"8 a reversal gives the deposit its place back", s.reversed},
		chapter{"9 the books are exact", func(*testing.T) { s.exact() }},
	)
}

func (s *bookingStory) setsUp(t *testing.T) {
	for i := range s.bays {
		s.bays[i] = s.boss.post("/api/console/bays", obj{"storeId": s.shop.store, "name": fmt.Sprintf("%d 号洗车位", i+1), "kind": "wash"}).i("id")
	}
	s.deposit, s.price = 2000, 6800
	s.deluxe = s.boss.post("/api/console/services", obj{"name": "精致洗车", "kind": "wash", "minutes": 45, "minPriceBp": 8000, "depositFen": s.deposit, "freeCancelHours": 2, "changeoverMinutes": 5,
		"prices": []obj{{"vehicleClassId": s.shop.class, "priceFen": s.price}}}).i("id")
	s.desk, s.tech = s.worker(perm.RoleReceptionist, "周前台", s.shop.store), s.worker(perm.RoleTechnician, "王师傅", s.shop.store)
	second := s.worker(perm.RoleTechnician, "吴师傅", s.shop.store)
	for _, id := range []int64{s.tech.id, second.id} {
		level := 3
		if id == second.id {
			level = 5
		}
		s.boss.want(http.MethodPut, fmt.Sprintf("/api/console/technicians/%d", id), obj{"bookable": true, "skills": []obj{{"skill": "wash", "level": level}}})
		for n := range 3 {
			s.boss.want(http.MethodPut, "/api/console/shifts", obj{"storeId": s.shop.store, "staffId": id, "day": s.day(n + 1), "spans": []obj{{"starts": 540, "ends": 1260}}})
		}
	}
	s.owner, s.other = s.join("林晓舟"), s.join("陈思远")
	s.desk.fails("permission.denied", http.MethodPost, "/api/console/bays", obj{"storeId": s.shop.store, "name": "3 号", "kind": "wash"})
}

func (s *bookingStory) path(more string) string {
	return fmt.Sprintf("/api/owner/bookings/%d%s", s.id, more)
}

func (s *bookingStory) books(t *testing.T) {
	car := s.owner.get("/api/owner/vehicles").i("items.0.id")
	q := fmt.Sprintf("/api/owner/booking/slots?storeId=%d&vehicleId=%d&serviceIds=%d&from=%s&days=2", s.shop.store, car, s.deluxe, s.day(1))
	free := s.owner.get(q)
	if free.i("minutes") != 45 || free.i("priceFen") != s.price || free.i("depositFen") != s.deposit || !has(free, s.tomorrow(10, 0)) || has(free, s.tomorrow(20, 30)) {
		t.Fatalf("slots: %v", free)
	}
	s.board = s.watch(s.whole, s.shop.store)
	elsewhere := s.watch(t, s.shop.other)
	ask := obj{"storeId": s.shop.store, "kind": "visit", "vehicleId": car, "serviceIds": []int64{s.deluxe}, "startsAt": s.tomorrow(10, 0), "channel": "mini_program", "note": "后备箱不用打开"}
	b := s.owner.post("/api/owner/bookings", ask)
	s.id = b.i("id")
	if b.s("state") != "held" || b.s("depositState") != "due" || b.s("holdExpiresAt") == "" || b.s("technicianName") != "王师傅" || !b.b("cancel.allowed") || len(b.list("photos")) != 0 {
		t.Fatalf("held: %v", b)
	}
	s.board.news(t, "the board follows a booking")
	if got := elsewhere.later(); got != 0 {
		t.Errorf("the board of another store was told %d times", got)
	}
	s.owner.fails("booking.deposit_due", http.MethodPost, s.path("/confirm"), nil)
	pay := s.owner.post(s.path("/pay"), nil)
	if _, err := s.Sandbox.PayByPersona(strings.TrimPrefix(pay.s("jsapi.package"), "prepay_id="), s.owner.p.ID, wxsandbox.OutcomePay); err != nil {
		t.Fatal(err)
	}
	s.eventually("the deposit arrives", func() bool { return s.owner.get(s.path("")).s("state") == "confirmed" })
	b = s.owner.get(s.path(""))
	if b.s("depositState") != "paid" || b.at("holdExpiresAt") != nil || b.i("cancel.refundFen") != s.deposit {
		t.Errorf("confirmed: %v", b)
	}
	s.other.fails("not_found", http.MethodGet, s.path(""), nil)
	cal := s.owner.get(s.path("/calendar"))
	if !strings.Contains(cal.s("ics"), "BEGIN:VEVENT\r\n") || cal.s("startsAt") != b.s("startsAt") {
		t.Errorf("calendar: %v", cal)
	}
	if n := s.count(`SELECT COUNT(*) FROM ledger_entries WHERE account = 'revenue'`); n != 0 {
		t.Errorf("a deposit is booked as revenue %d times", n)
	}
	s.owner.fails("member.unfinished_bookings", http.MethodPost, "/api/owner/account/close", obj{"reason": "搬家"})
}

func has(slots obj, start string) bool {
	at, _ := time.Parse(time.RFC3339, start)
	for _, d := range slots.list("days") {
		for _, x := range d.list("slots") {
			if y, err := time.Parse(time.RFC3339, x.s("startsAt")); err == nil && y.Equal(at) {
				return true
			}
		}
	}
	return false
}

func (s *bookingStory) boardPath() string {
	return fmt.Sprintf("/api/console/board?storeId=%d&day=%s", s.shop.store, s.day(1))
}

func (s *bookingStory) drags(t *testing.T) {
	board := s.desk.get(s.boardPath())
	if len(board.list("bays")) != 2 || len(board.list("technicians")) != 2 || len(board.list("bookings")) != 1 || len(board.list("problems")) != 0 || board.s("revision") == "" {
		t.Fatalf("board: %v", board)
	}
	x := board.list("bookings")[0]
	if x.s("memberName") == "林晓舟" || strings.Contains(x.s("phone"), s.owner.p.Phone) || x.s("explain") == "" {
		t.Errorf("the board shows too much or too little: %v", x)
	}
	was, to := x.i("segments.0.bayId"), s.bays[0]
	if was == to {
		to = s.bays[1]
	}
	move := fmt.Sprintf("/api/console/bookings/%d/move", s.id)
	drag := obj{"version": x.i("version"), "segmentNo": 1, "bayId": to}
	s.tech.fails("permission.denied", http.MethodPost, move, drag)
	k := key("drag-to-the-other-bay")
	d := s.desk.post(move, drag, k)
	if d.i("segments.0.bayId") != to || d.s("startsAt") != x.s("startsAt") || d.s("state") != "confirmed" {
		t.Fatalf("dragged: %v", d)
	}
	s.board.news(t, "the board follows a drag")
	if again := s.desk.post(move, drag, k); again.i("version") != d.i("version") {
		t.Errorf("the same drag twice: %v", again)
	}
	s.desk.fails("booking.version", http.MethodPost, move, drag)
	// Dropped on a bay that is occupied: refused in words, and nothing changes.
	taken := s.desk.post("/api/console/bookings", obj{"storeId": s.shop.store, "kind": "visit", "channel": "phone", "contactPhone": "13912345678", "plate": "沪B77777", "vehicleClassId": s.shop.class,
		"serviceIds": []int64{s.shop.wash}, "startsAt": s.tomorrow(10, 0), "bayId": was})
	if taken.i("segments.0.bayId") != was || taken.s("state") != "confirmed" || taken.s("depositState") != "none" {
		t.Errorf("the bay that became free is not free: %v", taken)
	}
	back := obj{"version": d.i("version"), "segmentNo": 1, "bayId": was}
	if f := s.desk.fails("booking.move_refused", http.MethodPost, move, back); f.b("detail.canForce") || f.s("detail.reasons.0.text") == "" {
		t.Errorf("refused: %v", f)
	}
	s.desk.fails("booking.move_refused", http.MethodPost, move, with(back, obj{"force": true, "reason": "老板说的"}))
	if b := s.owner.get(s.path("")); b.s("bayName") == x.s("bayName") || b.s("technicianName") != "王师傅" {
		t.Errorf("the owner sees %v", b)
	}
	// Nothing is left at ten.
	car := s.other.get("/api/owner/vehicles").i("items.0.id")
	f := s.other.fails("booking.slot_gone", http.MethodPost, "/api/owner/bookings", obj{"storeId": s.shop.store, "kind": "visit", "vehicleId": car, "serviceIds": []int64{s.shop.wash},
		"startsAt": s.tomorrow(10, 0), "channel": "h5"})
	if alt := f.list("detail.alternatives"); len(alt) != 3 {
		t.Errorf("alternatives: %v", f)
	}
}

func (s *bookingStory) told(o owner, event string) int64 {
	return s.count(`SELECT COUNT(*) FROM notify_messages WHERE member_id = ? AND event = ?`, o.id, event)
}

func (s *bookingStory) comes(t *testing.T) {
	tomorrow := s.day(1)
	s.board.close()
	s.clock(tomorrow, 9, 10)
	s.eventually("the owner is reminded", func() bool { s.drain(); return s.told(s.owner, "booking_reminder") == 1 })
	s.clock(tomorrow, 9, 55)
	jobs := s.tech.get(fmt.Sprintf("/api/staff/jobs?storeId=%d", s.shop.store))
	if mine := jobs.list("mine"); len(mine) != 1 || mine[0].i("id") != s.id || len(jobs.list("queue")) != 0 {
		t.Errorf("jobs: %v", jobs)
	}
	arrived := s.desk.post(fmt.Sprintf("/api/staff/bookings/%d/arrive", s.id), nil)
	if arrived.s("state") != "arrived" {
		t.Fatalf("arrived: %v", arrived)
	}
	s.owner.fails("booking.cancel_denied", http.MethodPost, s.path("/cancel"), obj{"reason": "改主意"})
	s.clock(tomorrow, 10, 0)
	if n := s.told(s.owner, "booking_reminder"); n != 1 {
		t.Errorf("somebody who is here was reminded %d times", n)
	}
}

// photo is a picture that a phone uploads.
func photo(t testing.TB) (body []byte, contentType string) {
	t.Helper()
	var pic, out bytes.Buffer
	if err := png.Encode(&pic, image.NewGray(image.Rect(0, 0, 32, 24))); err != nil {
		t.Fatal(err)
	}
	w := multipart.NewWriter(&out)
	if err := w.WriteField("stage", "before"); err != nil {
		t.Fatal(err)
	}
	part, err := w.CreateFormFile("file", "../../etc/passwd.png")
	if err == nil {
		_, err = part.Write(pic.Bytes())
	}
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return out.Bytes(), w.FormDataContentType()
}

func (s *bookingStory) works(t *testing.T) {
	at := func(step string) string { return fmt.Sprintf("/api/staff/bookings/%d/%s", s.id, step) }
	body, kind := photo(t)
	upload := func(stage string) obj {
		return s.tech.want(http.MethodPost, at("photos"), bytes.Replace(body, []byte("before"), []byte(stage), 1), header{"Content-Type", kind})
	}
	first := upload("before")
	if n := len(first.list("photos")); n != 1 {
		t.Fatalf("photos: %v", first)
	}
	if started := s.tech.post(at("start"), nil); started.s("state") != "in_service" {
		t.Fatalf("started: %v", started)
	}
	s.clk.Advance(20 * time.Minute)
	if r := s.tech.do(http.MethodPost, at("photos"), bytes.Replace(body, []byte("\x89PNG"), []byte("<svg"), 1), header{"Content-Type", kind}); r.status != 422 {
		t.Errorf("what is no picture: %d %s", r.status, r.body)
	}
	upload("after")
	done := s.tech.post(at("finish"), obj{})
	if done.s("state") != "done" || len(done.list("photos")) != 2 {
		t.Fatalf("finished: %v", done)
	}
	s.drain()
	if n := s.told(s.owner, "car_ready"); n != 1 {
		t.Errorf("car ready: told %d times", n)
	}
	seen := s.owner.get(s.path(""))
	url := seen.s("photos.0.url")
	r := s.anonymous().do(http.MethodGet, url, nil)
	if r.status != 200 || r.header.Get("Content-Type") != "image/jpeg" || r.header.Get("X-Content-Type-Options") != "nosniff" || strings.Contains(url, fmt.Sprint(s.id)) || strings.Contains(url, "passwd") {
		t.Errorf("photo at %s: %d %v", url, r.status, r.header)
	}
	s.tech.fails("permission.denied", http.MethodPost, at("cancel"), obj{"reason": "不做了"})
}

func (s *bookingStory) ring() obj {
	return with(s.visit(s.owner.id, s.owner.plate), obj{"bookingId": s.id, "items": []obj{{"kind": "service", "id": s.deluxe, "qty": 1}}})
}

func (s *bookingStory) deposits() int64 {
	return s.count(`SELECT COALESCE(SUM(amount), 0) FROM ledger_entries WHERE account = 'deposit'`)
}

func (s *bookingStory) settles(t *testing.T) {
	if got := s.deposits(); got != s.deposit {
		t.Fatalf("the shop owes %d before", got)
	}
	q := s.desk.post("/api/staff/quotes", s.ring())
	if q.i("depositFen") != s.deposit || q.i("totalFen") != s.price || q.s("suggestion.0.kind") != "deposit" || q.i("suggestion.0.amountFen") != s.deposit {
		t.Fatalf("quote: %v", q)
	}
	// The deposit is of this booking, this member and this car.
	s.desk.fails("checkout.booking", http.MethodPost, "/api/staff/quotes", with(s.ring(), obj{"memberId": s.other.id, "plate": s.other.plate}))
	s.desk.fails("checkout.booking", http.MethodPost, "/api/staff/quotes", with(s.ring(), obj{"bookingId": 4242}))
	s.desk.fails("checkout.deposit", http.MethodPost, "/api/staff/checkouts", s.desk.askRaw(s.ring(), tender("deposit", s.deposit+1), tender("cash", s.price-s.deposit-1)))
	s.desk.fails("checkout.deposit", http.MethodPost, "/api/staff/checkouts", s.desk.askRaw(s.visit(s.owner.id, s.owner.plate), tender("deposit", 1000), tender("cash", 2500)))
	if got := s.owner.get(s.path("")); got.s("state") != "done" || got.at("orderId") != nil {
		t.Errorf("after refusals: %v", got)
	}
	// A customer's code that nobody pays keeps the booking for its order, and gives it back.
	waiting := s.desk.settle(s.ring(), tender("deposit", s.deposit), tender("wechat_native", s.price-s.deposit))
	if waiting.s("status") != "awaiting_payment" || waiting.i("bookingId") != s.id {
		t.Fatalf("waits: %v", waiting)
	}
	s.desk.fails("checkout.booking", http.MethodPost, "/api/staff/quotes", s.ring())
	s.desk.post(fmt.Sprintf("/api/staff/orders/%d/cancel", waiting.i("orderId")), nil)
	r := s.desk.settle(s.ring(), tender("deposit", s.deposit), tender("cash", s.price-s.deposit))
	s.order = r.i("orderId")
	if r.s("status") != "settled" || r.i("bookingId") != s.id || r.s("tenders.0.label") != "定金" || r.i("tenders.0.amountFen") != s.deposit {
		t.Fatalf("settled: %v", r)
	}
	b := s.owner.get(s.path(""))
	if b.s("state") != "settled" || b.s("depositState") != "used" || b.i("orderId") != s.order {
		t.Errorf("the booking: %v", b)
	}
	if got := s.deposits(); got != 0 {
		t.Errorf("the shop still owes %d", got)
	}
	if n := s.count(`SELECT COALESCE(SUM(amount), 0) FROM ledger_entries WHERE account = 'revenue'`); n != s.price {
		t.Errorf("revenue %d", n)
	}
	s.desk.fails("checkout.booking", http.MethodPost, "/api/staff/quotes", s.ring())
	s.drain()
	if n := len(s.Sandbox.Snapshot().Refunds); n != 0 {
		t.Errorf("%d refunds at WeChat", n)
	}
	if mine := s.owner.get(fmt.Sprintf("/api/owner/orders/%d", s.order)); mine.i("bookingId") != s.id {
		t.Errorf("the owner's receipt: %v", mine)
	}
}

func (s *bookingStory) rates(t *testing.T) {
	in := obj{"stars": 5, "tags": []string{"洗得干净", "准时"}, "text": "很满意"}
	s.other.fails("not_found", http.MethodPost, s.path("/rating"), in)
	s.owner.fails("request.invalid", http.MethodPost, s.path("/rating"), with(in, obj{"stars": 6}))
	k := key("rate-once-0001")
	b := s.owner.post(s.path("/rating"), in, k)
	if b.i("rating.stars") != 5 || b.s("rating.text") != "很满意" || b.s("state") != "settled" {
		t.Fatalf("rated: %v", b)
	}
	if again := s.owner.post(s.path("/rating"), in, k); again.i("rating.stars") != 5 {
		t.Errorf("the same tap twice: %v", again)
	}
	s.owner.fails("booking.rating_denied", http.MethodPost, s.path("/rating"), in)
	for _, x := range s.owner.get(fmt.Sprintf("/api/owner/booking/options?storeId=%d", s.shop.store)).list("technicians") {
		if want := map[string]int64{"王师傅": 50, "吴师傅": -1}[x.s("name")]; x.i("stars10") != want {
			t.Errorf("%s has %d stars", x.s("name"), x.i("stars10"))
		}
	}
	if list := s.owner.get("/api/owner/bookings?scope=past").list("items"); len(list) != 1 || list[0].i("rating.stars") != 5 {
		t.Errorf("past bookings: %v", list)
	}
}

func (s *bookingStory) reversed(t *testing.T) {
	s.boss.post(fmt.Sprintf("/api/console/orders/%d/reverse", s.order), obj{"reason": "项目选错了"})
	b := s.owner.get(s.path(""))
	if b.s("state") != "done" || b.s("depositState") != "paid" || b.at("orderId") != nil || s.deposits() != s.deposit {
		t.Fatalf("reversed: %v, the shop owes %d", b, s.deposits())
	}
	// This time something cheaper: what is left of the deposit goes back by itself.
	cheap := with(s.visit(s.owner.id, s.owner.plate), obj{"bookingId": s.id, "items": []obj{{"kind": "good", "id": s.shop.good, "qty": 1}}})
	q := s.desk.post("/api/staff/quotes", cheap)
	if q.i("suggestion.0.amountFen") != 1500 || len(q.list("suggestion")) != 1 {
		t.Errorf("quote: %v", q)
	}
	s.desk.settle(cheap, tender("deposit", 1500))
	s.eventually("the rest of the deposit goes back", func() bool {
		s.later(20 * time.Second)
		var sum int64
		for _, f := range s.Sandbox.Snapshot().Refunds {
			if f.Status == "SUCCESS" {
				sum += f.RefundFen
			}
		}
		return sum == s.deposit-1500
	})
	if got := s.deposits(); got != 0 {
		t.Errorf("the shop still owes %d", got)
	}
	if b := s.owner.get(s.path("")); b.s("state") != "settled" || b.s("depositState") != "used" {
		t.Errorf("settled again: %v", b)
	}
}

// watcher is a screen that follows a board.
type watcher struct {
	s    *system
	stop context.CancelFunc
	got  chan string
}

// watch follows the board of a store until t ends.
func (s *system) watch(t testing.TB, store int64) *watcher {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/api/console/board/events?storeId=%d", s.URL, store), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.boss.token)
	hc := *s.http
	hc.Timeout = 0
	res, err := hc.Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		s.t.Fatalf("board events: %v %v", res, err)
	}
	w := &watcher{s, cancel, make(chan string, 100)}
	go func() {
		defer res.Body.Close()
		for sc := bufio.NewScanner(res.Body); sc.Scan(); {
			if data, ok := strings.CutPrefix(sc.Text(), "data: "); ok {
				var c struct{ Revision string }
				if json.Unmarshal([]byte(data), &c) == nil {
					w.got <- c.Revision
				}
			}
		}
	}()
	w.news(s.t, "the revision to begin with")
	return w
}

// news wants a new revision within a second.
func (w *watcher) news(t testing.TB, what string) {
	t.Helper()
	select {
	case <-w.got:
	case <-time.After(time.Second + 500*time.Millisecond): // the machine may be busy; the rule is one second
		t.Errorf("%s: the screen was not told", what)
	}
	for len(w.got) > 0 {
		<-w.got
	}
}

// later is how many revisions come within a moment.
func (w *watcher) later() int {
	time.Sleep(700 * time.Millisecond)
	return len(w.got)
}

func (w *watcher) close() { w.stop() }
