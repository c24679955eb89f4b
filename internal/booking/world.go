package booking

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/slot"
)

// policy is what the shop chose for bookings.
type policy struct {
	step, windowDays, priorityDays, lead, hold, maxOpen, travel, releaseHours, grace, noShowLimit int
	noShowDeposit                                                                                 money.Fen
	forfeits                                                                                      bool
}

func (s *Service) policy(ctx context.Context) (p policy, err error) {
	read := func(to *int, key string) {
		if err != nil {
			return
		}
		var n int64
		n, err = s.settings.Int(ctx, key)
		*to = int(n)
	}
	read(&p.windowDays, setting.BookingWindowDays)
	read(&p.priorityDays, setting.BookingPriorityWindowDays)
	read(&p.lead, setting.BookingLeadMinutes)
	read(&p.hold, setting.BookingHoldMinutes)
	read(&p.maxOpen, setting.BookingMaxOpen)
	read(&p.travel, setting.BookingTravelMinutes)
	read(&p.releaseHours, setting.BookingPriorityReleaseHours)
	read(&p.grace, setting.BookingGraceMinutes)
	read(&p.noShowLimit, setting.BookingNoShowLimit)
	var fen int
	read(&fen, setting.BookingNoShowDepositFen)
	p.noShowDeposit = money.Fen(fen)
	if err != nil {
		return p, err
	}
	step, err := s.settings.Text(ctx, setting.BookingStepMinutes)
	if err != nil {
		return p, err
	}
	if p.step, err = strconv.Atoi(step); err != nil {
		return p, err
	}
	p.forfeits, err = s.settings.Bool(ctx, setting.BookingLateCancelForfeits)
	return p, err
}

// scene is a store over a window: everything that a floor is made of but for what is taken.
type scene struct {
	store     shop.Store
	window    slot.Span
	resources []slot.Resource
	open      []shop.Span
	people    []roster.Technician
	working   map[int64][]shop.Span // by technician
}

// scene reads hours, bays and shifts of a store for every instant in [from, to). A bay that is out of use and a technician who takes no bookings
// are on it, but never open; somebody who was suspended is not. onlyBay, when it is not 0, closes the other bays of its kind.
func (s *Service) scene(ctx context.Context, st shop.Store, from, to time.Time, onlyBay int64) (*scene, error) {
	c := &scene{store: st, window: slot.Span{From: slot.CellOf(from), To: slot.CellUp(to)}}
	from, to = c.window.From.Time(), c.window.To.Time()
	var err error
	if c.open, err = s.shops.OpenSpans(ctx, st.ID, from, to); err != nil {
		return nil, err
	}
	hours := cellSpans(c.open)
	bays, err := s.shops.Bays(ctx, st.ID)
	if err != nil {
		return nil, err
	}
	onlyKind := ""
	for _, b := range bays {
		if b.ID == onlyBay {
			onlyKind = b.Kind
		}
	}
	for _, b := range bays {
		r := slot.Resource{ID: b.ID, Kind: slot.Bay, Name: b.Name, BayKind: b.Kind, Priority: b.Priority, Open: hours}
		if !b.Active || (b.Kind == onlyKind && b.ID != onlyBay) {
			r.Open = nil
		}
		c.resources = append(c.resources, r)
	}
	c.resources = append(c.resources, slot.Resource{ID: -1, Kind: slot.Bay, Name: "门店", BayKind: door, Open: hours})
	if c.people, err = s.roster.Technicians(ctx, st.ID); err != nil {
		return nil, err
	}
	if c.working, err = s.roster.Working(ctx, st.ID, from, to); err != nil {
		return nil, err
	}
	for _, t := range c.people {
		if !t.Active {
			continue
		}
		r := slot.Resource{ID: t.StaffID, Kind: slot.Technician, Name: t.Name, Skills: map[string]int{}}
		for _, k := range t.Skills {
			r.Skills[k.Skill] = k.Level
		}
		if t.Bookable {
			r.Open = cellSpans(c.working[t.StaffID])
		}
		c.resources = append(c.resources, r)
	}
	return c, nil
}

// cellSpans are the whole cells of spans.
func cellSpans(spans []shop.Span) []slot.Span {
	out := make([]slot.Span, 0, len(spans))
	for _, x := range spans {
		if c := (slot.Span{From: slot.CellUp(x.From), To: slot.CellOf(x.To)}); c.From < c.To {
			out = append(out, c)
		}
	}
	return out
}

// floor is the scene with what is taken now, by everybody but the owners in ignore.
func (s *Service) floor(ctx context.Context, r db.Reader, c *scene, ignore ...int64) (*slot.Floor, error) {
	f := slot.NewFloor(c.window, c.resources)
	return f, s.slots.Load(ctx, r, f, ignore...)
}

// technician finds somebody on the scene who may be asked for. Fault: ErrTechnician.
func (c *scene) technician(id int64) (roster.Technician, error) {
	i := slices.IndexFunc(c.people, func(t roster.Technician) bool { return t.StaffID == id })
	if i < 0 || !c.people[i].Active || !c.people[i].Bookable {
		return roster.Technician{}, ErrTechnician.On("technicianId", "请重新选择")
	}
	return c.people[i], nil
}

// within says whether the shop is open for all of [from, to).
func (c *scene) within(from, to time.Time) bool {
	return slices.ContainsFunc(c.open, func(o shop.Span) bool { return !from.Before(o.From) && !to.After(o.To) })
}

// midnight is the first instant of a date in the store's zone.
func midnight(st shop.Store, day string) (time.Time, error) {
	from, _, err := bizday.Bounds(day, st.Timezone)
	return from, err
}
