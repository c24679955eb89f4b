package model

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/booking"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/staff"
)

// Bookings: a wash of half an hour takes one bay and one technician for six cells of five minutes.

const (
	washCells    = 6
	bays         = 2
	opens, shuts = 9 * 60, 21 * 60 // minutes of the day
	leadMinutes  = 30
	windowDays   = 14
	holdMinutes  = 10
	maxOpen      = 3
)

// visit is a booking.
type visit struct {
	id     int64
	by     *person
	state  string // held, confirmed, arrived, in_service, done, settled, cancelled, expired, no_show
	until  time.Time
	starts time.Time
	holds  [2]int64 // bay and technician

	deposit, used, back int64
	kept                string    // what became of the deposit, in the words of the system
	free                time.Time // until when cancelling costs nothing
	pay                 *payment
	order               *order // that settles it, or waits to
	settled             bool
	surplus             bool // a job is to send back what was not needed
}

// stands says whether a visit has its bay and technician.
func (v *visit) stands(now time.Time) bool {
	return v.state == "held" && !v.due(now) || v.state == "confirmed" || v.here() || v.state == "settled"
}

func (v *visit) due(now time.Time) bool { return v.state == "held" && !v.until.After(now) }

// open says whether a visit is still to come, or under way.
func (v *visit) open(now time.Time) bool {
	return v.stands(now) && v.state != "done" && v.state != "settled"
}

// floor is where bookings happen: one store for all histories, which are far apart in time.
type floor struct {
	store        int64
	bays, people []int64
	planned      map[string]bool // days on which everybody works
}

// opensFloor makes the store with its bays and technicians.
func (w *world) opensFloor() {
	w.floor.planned = map[string]bool{}
	s, err := w.Shops.Create(w.staff(), shop.Input{Name: "洗车店"})
	must(w.t, err)
	w.floor.store = s.ID
	roles, err := w.Staff.Roles(w.staff())
	must(w.t, err)
	at := slices.IndexFunc(roles, func(r staff.Role) bool { return r.Key == perm.RoleTechnician })
	for i := range bays {
		b, err := w.Shops.CreateBay(w.staff(), shop.BayInput{StoreID: s.ID, Name: fmt.Sprintf("%d 号位", i+1), Kind: shop.BayWash})
		must(w.t, err)
		w.floor.bays = append(w.floor.bays, b.ID)
		a, _, err := w.Staff.Create(w.staff(), staff.Input{Name: "师傅", RoleIDs: []int64{roles[at].ID}})
		must(w.t, err)
		w.clk.Advance(5 * time.Second) // copies of small tables are a little old
		_, _, err = w.Roster.SetTechnician(w.staff(), a.ID, roster.TechnicianInput{Bookable: true, Skills: []roster.Skill{{Skill: roster.SkillWash, Level: 3}}})
		must(w.t, err)
		w.floor.people = append(w.floor.people, a.ID)
	}
}

// staffs lets everybody work on a day.
func (h *history) staffs(day string) {
	if h.floor.planned[day] {
		return
	}
	for _, id := range h.floor.people {
		h.need(h.Roster.PlanDay(h.staff(), h.floor.store, id, day, []roster.ShiftInput{{Starts: opens, Ends: shuts}}))
	}
	h.floor.planned[day] = true
	h.clk.Advance(5 * time.Second)
}

func cellOf(t time.Time) int64 { return t.Unix() / 300 }

// busy says who is taken by whom in a span of a wash that begins at a time, except by one visit.
func (h *history) busy(at time.Time, except *visit) map[int64]bool {
	out := map[int64]bool{}
	for _, v := range h.visits {
		if v != except && v.stands(h.clk.Now()) && cellOf(v.starts) < cellOf(at)+washCells && cellOf(at) < cellOf(v.starts)+washCells {
			out[v.holds[0]], out[v.holds[1]] = true, true
		}
	}
	return out
}

// wishes draws a start, and says which fault it has by itself.
func (h *history) wishes(r *rand.Rand) (at time.Time, fault string) {
	china := h.clk.Now().In(time.FixedZone("", 8*3600))
	minute := opens + 15*r.IntN(2) // everybody wants to come first
	day := 1
	switch r.IntN(12) {
	case 0:
		minute = opens - 15
	case 1:
		minute = shuts - 15
	case 2:
		day = windowDays
	case 3:
		day = 0
	}
	at = time.Date(china.Year(), china.Month(), china.Day()+day, minute/60, minute%60, 0, 0, china.Location())
	h.staffs(at.Format(time.DateOnly))
	switch now := h.clk.Now(); {
	case at.Before(now.Add(leadMinutes * time.Minute)):
		return at, "booking.past"
	case day >= windowDays:
		return at, "booking.beyond_window"
	case minute < opens || minute+30 > shuts:
		return at, "booking.outside_hours"
	}
	return at, ""
}

// crowded says whether no bay or nobody is free.
func (h *history) crowded(at time.Time, except *visit) bool {
	busy := h.busy(at, except)
	free := func(id int64) bool { return !busy[id] }
	return !slices.ContainsFunc(h.floor.bays, free) || !slices.ContainsFunc(h.floor.people, free)
}

// open is how many visits a member still has before them.
func (h *history) open(p *person) (n int) {
	for _, v := range h.visits {
		if v.by == p && v.open(h.clk.Now()) {
			n++
		}
	}
	return n
}

// expires ends the holds whose time is over: whoever takes a time does so.
func (h *history) expires() {
	for _, v := range h.visits {
		if v.due(h.clk.Now()) {
			v.ends("expired")
		}
	}
}

// takes notes what a booking got, which must have been free.
func (h *history) takes(v *visit, b booking.Booking) {
	if len(b.Segments) != 1 {
		h.fail("a wash in %d segments", len(b.Segments))
	}
	s := b.Segments[0]
	busy := h.busy(v.starts, v)
	if busy[s.BayID] || busy[s.TechnicianID] || !slices.Contains(h.floor.bays, s.BayID) || !slices.Contains(h.floor.people, s.TechnicianID) {
		h.fail("booking %d got bay %d and technician %d, who are taken in the model", b.ID, s.BayID, s.TechnicianID)
	}
	v.holds = [2]int64{s.BayID, s.TechnicianID}
}

func (h *history) booksATime(r *rand.Rand) {
	p, _ := one(r, h.people)
	at, fault := h.wishes(r)
	away := h.twice(p, at, nil)
	switch {
	case fault != "":
	case h.crowded(at, nil) && !away:
		fault = "booking.slot_gone"
	case h.open(p) >= maxOpen && !h.crowded(at, nil):
		fault = "booking.open_limit"
	case away:
		fault = "booking.vehicle_booked"
	}
	cars, err := h.Members.Vehicles(h.t.Context(), p.id)
	h.need(err)
	service, polish := h.catalog.wash, r.IntN(2) == 0
	if polish {
		service = h.catalog.polish
	}
	h.say("  member %d wants to come at %s, for a polish: %v", p.id, at.Format(time.DateTime), polish)
	b, err := h.Bookings.Create(h.owner(p.id, p.identity), booking.OwnerAsk{StoreID: h.floor.store, Kind: booking.KindVisit, VehicleID: cars[0].ID, ServiceIDs: []int64{service},
		StartsAt: &at, Channel: booking.ChannelMini})
	if !h.answers(fault, err) {
		return
	}
	h.expires()
	v := &visit{id: b.ID, by: p, state: "held", until: h.clk.Now().Add(holdMinutes * time.Minute), starts: at, kept: booking.DepositNone, free: at}
	if v.deposit = h.asksFor(p, polish); v.deposit > 0 {
		v.kept = booking.DepositDue
	}
	if polish {
		v.free = at.Add(-polishFreeHours * time.Hour)
	}
	if int64(b.DepositFen) != v.deposit {
		h.fail("asks for a deposit of %s, the model says %d", b.DepositFen, v.deposit)
	}
	h.takes(v, b)
	h.visits = append(h.visits, v)
}

func (h *history) confirms(r *rand.Rand) {
	if v, ok := likely(r, h.visits, func(v *visit) bool { return v.state == "held" && v.deposit == 0 }); ok {
		h.confirm(v)
	}
}

func (h *history) confirm(v *visit) {
	fault := ""
	switch {
	case v.state == "expired" || v.due(h.clk.Now()):
		fault = "booking.hold_expired"
	case v.state == "held" && v.kept == booking.DepositDue:
		fault = "booking.deposit_due"
	case v.state != "held" && v.state != "confirmed":
		fault = "booking.state"
	}
	h.say("  booking %d is confirmed", v.id)
	_, err := h.Bookings.Confirm(h.owner(v.by.id, v.by.identity), v.id)
	if h.answers(fault, err) {
		v.state = "confirmed"
	}
}

func (h *history) doesNotWantToCome(r *rand.Rand) {
	v, ok := likely(r, h.visits, func(v *visit) bool { return v.state == "held" || v.state == "confirmed" })
	if !ok {
		return
	}
	v.closesDeposit()
	fault, gets := "", int64(0)
	late := h.clk.Now().After(v.free)
	if !late {
		gets = v.left()
	}
	if v.state != "held" && v.state != "confirmed" {
		fault = "booking.cancel_denied"
	}
	var shown *money.Fen
	if r.IntN(3) == 0 { // the page said what goes back, when it was opened
		shown = new(money.Fen)
		if *shown = fenOf(v.left()); fault == "" && int64(*shown) > gets {
			fault = "booking.cancel_terms"
		}
	}
	h.say("  booking %d is cancelled, %d of its deposit goes back", v.id, gets)
	_, err := h.Bookings.Cancel(h.owner(v.by.id, v.by.identity), v.id, "", shown)
	if h.answers(fault, err) {
		h.loses(v, "cancelled", late)
	}
}

func (h *history) comesAtAnotherTime(r *rand.Rand) {
	v, ok := one(r, h.visits)
	if !ok {
		return
	}
	at, fault := h.wishes(r)
	if fault == "" && (v.state != "held" && v.state != "confirmed" || v.due(h.clk.Now())) {
		fault = "booking.state"
	}
	if fault == "" && h.twice(v.by, at, v) && !at.Equal(v.starts) {
		fault = "booking.vehicle_booked"
	}
	if fault == "" && h.twice(v.by, at, v) {
		fault = "booking.vehicle_booked"
	}
	if fault == "" && h.crowded(at, v) {
		fault = "booking.slot_gone"
	}
	h.say("  booking %d moves to %s", v.id, at.Format(time.DateTime))
	b, err := h.Bookings.Reschedule(h.owner(v.by.id, v.by.identity), v.by.id, v.id, at, 0)
	if !h.answers(fault, err) {
		return
	}
	h.expires()
	if !h.clk.Now().After(v.free) { // who is late stays so
		v.free = at.Add(v.free.Sub(v.starts))
	}
	v.starts = at
	h.takes(v, b)
}
