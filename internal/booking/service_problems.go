package booking

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/slot"
)

// maxProblems bounds how many bookings of a store are looked at, and maxSuggestions for how many another place is searched.
const (
	maxProblems    = 500
	maxSuggestions = 30
)

// Problem is a booking that no longer fits what the shop has set up since.
type Problem struct {
	BookingID  int64       `json:"bookingId"`
	No         string      `json:"no"`
	StartsAt   time.Time   `json:"startsAt"`
	Plate      string      `json:"plate"`
	Text       string      `json:"text"`
	Suggestion *Suggestion `json:"suggestion,omitempty"`
}

// Suggestion is a place where the booking would fit: what a move of the segment to it would say.
type Suggestion struct {
	SegmentNo    int       `json:"segmentNo"`
	BayID        int64     `json:"bayId,omitempty"`
	TechnicianID int64     `json:"technicianId,omitempty"`
	StartsAt     time.Time `json:"startsAt" doc:"Of this segment's work"`
	Text         string    `json:"text"`
}

// Problems lists what is wrong with the bookings to come of a store, earliest first. Fault: fault.ErrStore.
func (s *Service) Problems(ctx context.Context, storeID int64) ([]Problem, error) {
	if !actor.From(ctx).InStore(storeID) {
		return nil, fault.ErrStore
	}
	store, err := s.shops.Store(ctx, storeID)
	if err != nil {
		return nil, err
	}
	list, texts, facts, err := s.wrong(ctx, store)
	if err != nil {
		return nil, err
	}
	out := make([]Problem, 0, len(list))
	for i, b := range list {
		p := Problem{BookingID: b.ID, No: b.No, StartsAt: b.StartsAt, Plate: b.Plate, Text: strings.Join(texts[i], "；")}
		if i < maxSuggestions && (b.State == Confirmed || b.State == Held) {
			if p.Suggestion, err = s.suggestion(ctx, store, b, facts); err != nil {
				return nil, err
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// Affected counts the bookings to come that no longer fit; store 0 is every store.
func (s *Service) Affected(ctx context.Context, storeID int64) (n int, err error) {
	stores, err := s.shops.Stores(ctx)
	if err != nil {
		return 0, err
	}
	for _, st := range stores {
		if storeID != 0 && st.ID != storeID {
			continue
		}
		list, _, _, err := s.wrong(ctx, st)
		if err != nil {
			return 0, err
		}
		n += len(list)
	}
	return n, nil
}

// wrong are the bookings of a store that have problems, with what they are.
func (s *Service) wrong(ctx context.Context, store shop.Store) (list []Booking, texts [][]string, facts rules, err error) {
	now := s.db.Now()
	all, err := upcoming(ctx, s.db, store.ID, int64(slot.CellOf(now)), maxProblems)
	if err != nil {
		return nil, nil, facts, err
	}
	running, err := inState(ctx, s.db, store.ID, InService)
	if err != nil {
		return nil, nil, facts, err
	}
	// A forgotten job holds no time any more.
	running = slices.DeleteFunc(running, func(b Booking) bool { return slices.ContainsFunc(all, func(o Booking) bool { return o.ID == b.ID }) })
	if all = append(running, all...); len(all) == 0 {
		return nil, nil, facts, nil
	}
	until := now.Add(time.Hour)
	for _, b := range all {
		if end := slot.Cell(b.ToCell).Time(); end.After(until) {
			until = end
		}
	}
	if facts, err = s.rules(ctx, store, now.Add(-24*time.Hour), until); err != nil {
		return nil, nil, facts, err
	}
	for _, b := range all {
		if b.State == Held && !b.HoldExpiresAt.After(now) {
			continue
		}
		text := problemsOf(b, slot.CellOf(now), facts)
		if b.State == Confirmed && kindLeaves(b.Kind) && slot.Cell(b.FromCell).Time().Add(departGrace).Before(now) {
			text = append(text, "该出发了，还没有出发")
		}
		if b.State == InService && !now.Before(b.EndsAt) {
			until, err := s.overdueAt(ctx, b)
			if err != nil {
				return nil, nil, facts, err
			}
			if !now.Before(until) {
				text = append(text, "超过计划时间仍未完工，请确认")
			}
		}
		if len(text) > 0 {
			list, texts = append(list, b), append(texts, text)
		}
	}
	return list, texts, facts, nil
}

// departGrace is how long after the planned departure the desk is told that nobody has left.
const departGrace = 10 * time.Minute

// kindLeaves says whether our people go to the customer: then nobody but ourselves can be late.
func kindLeaves(k Kind) bool {
	return k == KindAtHome || k == KindPickup || k == KindRescue || k == KindErrand
}

// rules reads what holds in a store for every instant in [from, to).
func (s *Service) rules(ctx context.Context, store shop.Store, from, to time.Time) (r rules, err error) {
	r = rules{storeActive: store.Active, bays: map[int64]bayRule{}, people: map[int64]personRule{}, blocks: map[int64][]closure{}, offered: map[int64]bool{}}
	open, err := s.shops.OpenSpans(ctx, store.ID, from, to)
	if err != nil {
		return r, err
	}
	r.open = cellSpans(open)
	bays, err := s.shops.Bays(ctx, store.ID)
	if err != nil {
		return r, err
	}
	for _, b := range bays {
		r.bays[b.ID] = bayRule{b.Name, b.Kind, b.Active}
	}
	working, err := s.roster.Working(ctx, store.ID, from, to)
	if err != nil {
		return r, err
	}
	people, err := s.roster.Technicians(ctx, 0)
	if err != nil {
		return r, err
	}
	for _, t := range people {
		p := personRule{name: t.Name, active: t.Active, bookable: t.Bookable, here: t.In(store.ID), skills: map[string]int{}, working: cellSpans(working[t.StaffID])}
		for _, k := range t.Skills {
			p.skills[k.Skill] = k.Level
		}
		r.people[t.StaffID] = p
	}
	blocks, err := s.slots.Blocks(ctx, store.ID, from, to)
	if err != nil {
		return r, err
	}
	for _, b := range blocks {
		r.blocks[b.ResourceID] = append(r.blocks[b.ResourceID], closure{slot.Span{From: slot.CellOf(b.From), To: slot.CellUp(b.To)}, b.Reason})
	}
	services, err := s.offers.Services(ctx)
	if err != nil {
		return r, err
	}
	for _, x := range services {
		r.offered[x.ID] = x.Active && x.Bookable && inStore(x, store.ID)
	}
	return r, nil
}

func inStore(x catalog.ServiceItem, storeID int64) bool {
	return len(x.StoreIDs) == 0 || slices.Contains(x.StoreIDs, storeID)
}

// suggestion is the nearest place where a booking fits: at its own time with others if possible; nil when there is none within a day.
func (s *Service) suggestion(ctx context.Context, store shop.Store, b Booking, facts rules) (*Suggestion, error) {
	w, err := s.wishAgain(ctx, b, true)
	if err != nil {
		return nil, nil // a store that is closed for good, or a booking without a time: nothing to suggest
	}
	w.technicianID = b.WishedTechnicianID
	now := s.db.Now()
	from, to := b.StartsAt.Add(-12*time.Hour), b.StartsAt.Add(24*time.Hour)
	if from.Before(now) {
		from = now
	}
	f, a, err := s.picture(ctx, s.db, w, now, from, to, b.ID)
	if err != nil {
		return nil, err
	}
	for id, list := range facts.blocks { // its own cells count as free, but what is closed around them does not
		for _, c := range list {
			f.Take(id, c.Span)
		}
	}
	start := w.plan.first(b.StartsAt)
	picks, ok := f.Assign(a, start, technicians(b.Segments))
	if !ok || start < a.Earliest {
		near := f.Near(a, start, 1)
		if len(near) == 0 {
			return nil, nil
		}
		if picks, ok = f.Assign(a, near[0], technicians(b.Segments)); !ok {
			return nil, nil
		}
	}
	segments := w.plan.segments(picks)
	for i, x := range segments {
		o := b.Segments[i]
		if x.BayID == o.BayID && x.TechnicianID == o.TechnicianID && x.ServiceFrom == o.ServiceFrom {
			continue
		}
		g := &Suggestion{SegmentNo: x.No, BayID: x.BayID, TechnicianID: x.TechnicianID, StartsAt: slot.Cell(x.ServiceFrom).Time()}
		g.Text = suggestionText(store, facts, o, x)
		return g, nil
	}
	return nil, nil // it fits as it is, but for what no other place can change
}

func suggestionText(store shop.Store, facts rules, was, x Segment) string {
	var parts []string
	if x.ServiceFrom != was.ServiceFrom {
		parts = append(parts, clockText(store, slot.Cell(x.ServiceFrom).Time()))
	}
	if x.BayID != was.BayID {
		parts = append(parts, facts.bays[x.BayID].name)
	}
	if x.TechnicianID != was.TechnicianID {
		parts = append(parts, facts.people[x.TechnicianID].name)
	}
	return "可改到 " + strings.Join(parts, "，")
}
