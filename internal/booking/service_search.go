package booking

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/slot"
	"github.com/liangche/liangche/internal/tier"
)

// The search is what is asked most often and changes least, so its answers are kept as they leave. A kept answer is used only when everything that it
// depends on is the same: the question with what the rules made of it (asked), the copies of the rules, the marks of the slot maps, the holds that
// are due and the cells at which "from now" begins (state). Marks and holds are read from the database for every request, after it began, together
// with what is known of the member (facts), so that no answer shows a time that was taken before it was asked for, by whichever server.

// asked is a question about a store's free time but for what changes by itself.
type asked struct {
	store, bay, technician int64
	from, last             string
	ask                    string // needs, grid, window and rank in words
}

// copies are the editions of the rules that a scene and its days come from.
type copies struct {
	shop   shop.Edition
	roster roster.Edition
}

// state is what else an answer depends on.
type state struct {
	copies
	mark            slot.Mark
	due             string
	earliest, until slot.Cell // of the ask: no start before, reserved bays open
	shut            bool      // the store has closed for today
}

// answer is the days of a search, also as they are sent. It is shared and never changed.
type answer struct {
	days []SlotDay
	json []byte
}

// stage names a scene: every question about the same days of a store stands on one.
type stage struct {
	store, bay int64
	from, to   int64 // unix s
}

// question is what a search asks the database. memberID 0 is the desk.
type question struct {
	memberID, storeID int64
	ground            slot.Ground
}

// facts are the answer to a question.
type facts struct {
	cars    []member.Car
	tier    tier.Tier
	noShows int64
	due     []int64 // holds that have run out
	mark    slot.Mark
}

// readFacts answers the questions of one moment in one round trip, with one statement for all members and one for each store. What is due is read before the marks: a hold that is
// freed in between changes them.
func (s *Service) readFacts(ctx context.Context, r db.Reader, all []question) (map[question]facts, error) {
	now := s.db.Now()
	var members, stores []int64
	var grounds []slot.Ground
	for _, q := range all {
		if !slices.Contains(grounds, q.ground) {
			grounds = append(grounds, q.ground)
		}
		if q.memberID != 0 && !slices.Contains(members, q.memberID) {
			members = append(members, q.memberID)
		}
		if !slices.Contains(stores, q.storeID) {
			stores = append(stores, q.storeID)
		}
	}
	ask := s.db.Reads()
	cars, err := s.members.CarsSoon(ask, members)
	if err != nil {
		return nil, err
	}
	tiers, err := s.tiers.OfMembersSoon(ctx, r, ask, members)
	if err != nil {
		return nil, err
	}
	absent, err := noShowsSoon(ask, members, now.Add(-noShowPeriod).UnixMilli())
	if err != nil {
		return nil, err
	}
	due := map[int64][]int64{}
	for _, id := range stores {
		dueSoon(ask, id, now.UnixMilli(), func(ids []int64) { due[id] = ids })
	}
	marksOf := s.slots.MarksSoon(ask, grounds)
	if err := ask.Collect(ctx); err != nil {
		return nil, err
	}
	marks, err := marksOf(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[question]facts, len(all))
	for _, q := range all {
		out[q] = facts{cars[q.memberID], tiers[q.memberID], absent[q.memberID], due[q.storeID], marks[q.ground]}
	}
	return out, nil
}

// OwnerSlots searches for an owner's car. Faults: those of search; request.invalid at vehicleId for a car of somebody else.
func (s *Service) OwnerSlots(ctx context.Context, memberID, vehicleID int64, in what, from string, days int) (SlotList, error) {
	in.memberID = memberID
	return s.search(ctx, in, from, days, func(in *what, f facts) error {
		for _, v := range f.cars {
			if v.ID == vehicleID {
				in.classID = v.ClassID
				return nil
			}
		}
		return fault.ErrInvalid.Say("没有找到这辆车，请重新选择").On("vehicleId", "请重新选择")
	})
}

// DeskSlots searches for staff. Faults: fault.ErrStore and those of search.
func (s *Service) DeskSlots(ctx context.Context, in what, from string, days int) (SlotList, error) {
	if !actor.From(ctx).InStore(in.storeID) {
		return SlotList{}, fault.ErrStore
	}
	in.desk = true
	return s.search(ctx, in, from, days, func(*what, facts) error { return nil })
}

// search lists what is free. from is a date, "" today; days are at most 31. know adds to the wish what only the facts say. Faults: fault.ErrInvalid,
// ErrTechnician, those of wish and of know.
func (s *Service) search(ctx context.Context, in what, from string, days int, know func(*what, facts) error) (out SlotList, err error) {
	if from != "" && !bizday.Valid(from) {
		return out, fault.ErrInvalid.On("from", "应为日期，如 2026-01-31")
	}
	now := s.db.Now()
	p, err := s.policy(ctx)
	if err != nil {
		return out, err
	}
	st, err := s.shops.Open(ctx, in.storeID)
	if err != nil {
		return out, err
	}
	from = max(from, st.BizDay(now))
	last := bizday.Add(from, min(max(days, 1), 31)-1)
	c, by, err := s.stage(ctx, p, st, in, now, from, last)
	if err != nil {
		return out, err
	}
	ground := slot.GroundOf(c.resources, c.window)
	f, err := s.facts.Get(ctx, question{in.memberID, st.ID, ground})
	if err != nil {
		return out, err
	}
	if in.memberID != 0 {
		in.tier = &f.tier
	}
	if err := know(&in, f); err != nil {
		return out, err
	}
	w, err := s.wishUnder(ctx, p, in)
	if err != nil {
		return out, err
	}
	out = SlotList{Minutes: w.plan.minutes, PriceFen: w.price, DepositFen: w.plan.deposit, FreeCancelHours: w.plan.freeCancelHours}
	if w.desk {
		out.DepositFen = 0
	} else if w.memberID != 0 && p.distrust(f.noShows) != "" {
		out.DepositFen = max(out.DepositFen, p.noShowDeposit)
	}
	last = min(last, w.lastDay(now))
	if from > last || w.kind == KindRescue {
		return out, nil
	}
	if w.technicianID != 0 {
		if _, err := c.technician(w.technicianID); err != nil {
			return out, err
		}
	}
	found, err := s.freeDays(ctx, w, now, from, last, c, by, ground, f)
	out.Days, out.json = found.days, found.json
	return out, err
}

// stage is the scene for all questions about these days of a store, with the copies that it comes from.
func (s *Service) stage(ctx context.Context, p policy, st shop.Store, in what, now time.Time, from, last string) (c *scene, by copies, err error) {
	if by.shop, err = s.shops.Edition(ctx); err != nil {
		return nil, by, err
	}
	if by.roster, err = s.roster.Edition(ctx, st.ID); err != nil {
		return nil, by, err
	}
	horizon := bizday.Add(st.BizDay(now), max(p.windowDays, p.priorityDays, 1)-1)
	begin, err := midnight(st, min(from, horizon))
	if err != nil {
		return nil, by, fault.ErrInvalid.On("from", "应为日期，如 2026-01-31")
	}
	end, err := midnight(st, bizday.Add(min(last, horizon), 1))
	if err != nil {
		return nil, by, err
	}
	if in.kind == KindAtHome || in.kind == KindPickup {
		begin = begin.Add(-time.Duration(cellsUp(p.travel)*slot.CellMinutes) * time.Minute)
	}
	end = end.Add(afterwards)
	build := func() (*scene, error) { return s.scene(ctx, st, begin, end, in.bayID) }
	if !by.known() {
		c, err = build()
	} else {
		c, err = s.scenes.Get(stage{st.ID, in.bayID, begin.Unix(), end.Unix()}, by, build)
	}
	return c, by, err
}

// afterwards is for how long after the last day a stage is set: what begins late must end somewhere.
const afterwards = 24 * time.Hour

func (b copies) known() bool { return b.shop.Known() && b.roster.Known() }

// freeDays lists the free starts of the days from … last on a stage whose ground is in the state that the facts say.
func (s *Service) freeDays(ctx context.Context, w wish, now time.Time, from, last string, c *scene, by copies, ground slot.Ground, f facts) (found answer, err error) {
	begin, err := midnight(w.store, from)
	if err != nil {
		return found, err
	}
	end, err := midnight(w.store, bizday.Add(last, 1))
	if err != nil {
		return found, err
	}
	a, err := w.ask(now, begin, end)
	if err != nil {
		return found, err
	}
	shut, err := s.shut(ctx, w.store, from, now)
	if err != nil {
		return found, err
	}
	if reach := a.Reach(); reach.From < c.window.From || reach.To > c.window.To {
		// So long a work that the stage is too small for it: rare enough to look at it alone.
		free, err := s.freeStarts(ctx, w, now, begin, end)
		if err != nil {
			return found, err
		}
		return s.answerOf(ctx, w, c, a, shut, free, from, last)
	}
	ask := a
	find := func() (answer, error) {
		f1 := slot.NewFloor(c.window, c.resources)
		if err := s.slots.LoadMarked(ctx, f1, ground, f.mark, f.due...); err != nil {
			return answer{}, err
		}
		return s.answerOf(ctx, w, c, ask, shut, w.plan.shownAll(f1.Starts(ask)), from, last)
	}
	if !by.known() {
		return find()
	}
	is := state{by, f.mark, joined(f.due), a.Earliest, a.ReleaseAt, shut}
	a.Earliest, a.ReleaseAt = 0, 0
	words := fmt.Sprintf("%+v %+v", a, w.plan)
	return s.answers.Get(asked{w.store.ID, w.bayID, w.technicianID, from, last, words}, is, find)
}

func joined(ids []int64) string {
	var b []byte
	for _, id := range ids {
		b = append(strconv.AppendInt(b, id, 10), ' ')
	}
	return string(b)
}

// Why a day has nothing to choose, where it is not that everything is taken.
const (
	offClosed    = "closed"    // no hours
	offUnstaffed = "unstaffed" // nobody works
	offShut      = "shut"      // today, after the store has closed
	offLate      = "late"      // what is left of the day is too short, or begins too soon
)

// answerOf groups starts by date and says why a date has none, when it is not because they are taken. a is the ask that the starts answer.
func (s *Service) answerOf(ctx context.Context, w wish, c *scene, a slot.Ask, shut bool, free []Slot, from, last string) (answer, error) {
	out := answer{days: []SlotDay{}}
	begin, err := midnight(w.store, from)
	if err != nil {
		return out, err
	}
	for day := from; day <= last; day = bizday.Add(day, 1) {
		end, err := midnight(w.store, bizday.Add(day, 1))
		if err != nil {
			return out, err
		}
		n := 0
		for n < len(free) && free[n].StartsAt.Before(end) {
			n++
		}
		d := SlotDay{Day: day, Slots: append([]Slot{}, free[:n]...)}
		free = free[n:]
		if n == 0 {
			p, err := s.shops.DayPlan(ctx, w.store.ID, day)
			if err != nil {
				return out, err
			}
			switch {
			case len(p.Spans) == 0:
				d.Off, d.Closed = offClosed, closedText(p)
			case shut && day == from:
				d.Off, d.Closed = offShut, "已打烊"
			case w.unmanned(c, begin, end):
				d.Off, d.Closed = offUnstaffed, "当天没有排班"
			case w.late(c, a, begin, end):
				d.Off, d.Closed = offLate, "来不及约了"
			}
		}
		out.days, begin = append(out.days, d), end
	}
	out.json = daysJSON(out.days)
	return out, nil
}

// late says whether a day has no start only because it is too late for one: an empty shop would have had some, but none is left from now on.
func (w wish) late(c *scene, a slot.Ask, from, to time.Time) bool {
	lead := slot.Cell(w.plan.lead)
	a.Window = slot.Span{From: slot.CellUp(from) - lead, To: slot.CellUp(to) - lead}
	if a.Earliest <= a.Window.From {
		return false
	}
	f := slot.NewFloor(c.window, c.resources)
	if len(f.Starts(a)) > 0 {
		return false
	}
	a.Earliest = a.Window.From
	return len(f.Starts(a)) > 0
}

// shut says whether a day is today and the store, which was open, has closed for good by now.
func (s *Service) shut(ctx context.Context, st shop.Store, day string, now time.Time) (bool, error) {
	if day != st.BizDay(now) {
		return false, nil
	}
	p, err := s.shops.DayPlan(ctx, st.ID, day)
	if err != nil || len(p.Spans) == 0 {
		return false, err
	}
	last := 0
	for _, x := range p.Spans {
		last = max(last, x.Closes)
	}
	closes, err := bizday.At(day, last, st.Timezone)
	return !now.Before(closes), err
}

// unmanned says whether nobody whom a wish could ask works on the scene between two instants.
func (w wish) unmanned(c *scene, from, to time.Time) bool {
	if !slices.ContainsFunc(w.plan.parts, func(q part) bool { return q.skill != "" }) {
		return false
	}
	return !slices.ContainsFunc(c.people, func(t roster.Technician) bool {
		return t.Active && t.Bookable && (w.technicianID == 0 || w.technicianID == t.StaffID) &&
			slices.ContainsFunc(c.working[t.StaffID], func(x shop.Span) bool { return x.From.Before(to) && from.Before(x.To) })
	})
}

func closedText(p shop.DayPlan) string {
	if p.Name != "" {
		return p.Name + "休息"
	}
	return "门店休息"
}

// daysJSON is the beginning of a SlotList as it is sent: up to and with its days.
func daysJSON(days []SlotDay) []byte {
	n := 16
	for _, d := range days {
		n += 64 + len(d.Closed) + 72*len(d.Slots)
	}
	out := append(make([]byte, 0, n), `{"days":[`...)
	for i, d := range days {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, `{"day":"`...), d.Day...), '"')
		if d.Closed != "" {
			out = append(append(out, `,"closed":`...), quoted(d.Closed)...)
		}
		if d.Off != "" {
			out = append(append(out, `,"off":`...), quoted(d.Off)...)
		}
		out = append(out, `,"slots":[`...)
		for j, x := range d.Slots {
			if j > 0 {
				out = append(out, ',')
			}
			out = x.StartsAt.AppendFormat(append(out, `{"startsAt":"`...), time.RFC3339Nano)
			out = x.EndsAt.AppendFormat(append(out, `","endsAt":"`...), time.RFC3339Nano)
			out = append(out, `"}`...)
		}
		out = append(out, `]}`...)
	}
	return append(out, ']')
}

// quoted is a text in JSON, its & and < as they are.
func quoted(text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a text and a buffer never fail
	return bytes.TrimSpace(b.Bytes())
}

// WriteJSON sends the list; see httpapi.Rendered.
func (l SlotList) WriteJSON(w io.Writer) error {
	days := l.json
	if days == nil {
		days = daysJSON(l.Days)
	}
	if _, err := w.Write(days); err != nil {
		return err
	}
	out := strconv.AppendInt([]byte(`,"minutes":`), int64(l.Minutes), 10)
	out = strconv.AppendInt(append(out, `,"priceFen":`...), int64(l.PriceFen), 10)
	out = strconv.AppendInt(append(out, `,"depositFen":`...), int64(l.DepositFen), 10)
	out = strconv.AppendInt(append(out, `,"freeCancelHours":`...), int64(l.FreeCancelHours), 10)
	_, err := w.Write(append(out, '}', '\n'))
	return err
}
