package booking

import (
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/slot"
)

// door is a bay kind of this package alone: what needs neither bay nor technician still happens while the shop is open.
const door = "door"

// usualMinutes is how long something without a service in the catalogue takes: a rescue, a test drive.
const usualMinutes = 60

// part is one stretch of a plan: travel before, work, changeover or travel after, in cells.
type part struct {
	bayKind, skill   string
	minLevel         int
	lead, work, tail int
}

func (p part) cells() int { return p.lead + p.work + p.tail }

// plan is what a booking takes, whenever it begins.
type plan struct {
	parts           []part
	lead            int // cells of the first part before the customer sees anything
	minutes         int // of work
	travelMinutes   int
	deposit         money.Fen
	freeCancelHours int
}

// cellsUp is how many cells minutes take.
func cellsUp(minutes int) int { return (minutes + slot.CellMinutes - 1) / slot.CellMinutes }

// planOf turns services into stretches of bays and technicians (X07): services that need the same bay kind and skill are done in one go, the highest
// level counts, and the changeover comes once at its end. It is pure. Faults: ErrKind, ErrMixed, ErrNoService.
func planOf(kind Kind, terms []catalog.Term, travel int) (plan, error) {
	var p plan
	change := []int{}
	for i, t := range terms {
		if !slices.Contains(t.BookingKinds, string(kind)) {
			return p, ErrKind.Say("%s不支持%s预约，请换一个项目或方式", t.Name, kindLabel(kind)).On(fmt.Sprintf("serviceIds[%d]", i), "不支持这种预约方式")
		}
		bay, skill := t.BayKind, t.Skill
		switch kind {
		case KindAtHome:
			bay = shop.BayVan
		case KindErrand:
			bay = ""
			if skill == "" {
				skill = roster.SkillInspect
			}
		case KindRescue:
			bay, skill = "", roster.SkillRescue
		}
		p.minutes += t.Minutes
		p.deposit += t.DepositFen
		p.freeCancelHours = max(p.freeCancelHours, t.FreeCancelHours)
		at := slices.IndexFunc(p.parts, func(q part) bool { return q.bayKind == bay && q.skill == skill })
		if at < 0 {
			at = len(p.parts)
			p.parts, change = append(p.parts, part{bayKind: bay, skill: skill}), append(change, 0)
		}
		q := &p.parts[at]
		q.work += t.Minutes // minutes for now
		if skill != "" {
			q.minLevel = max(q.minLevel, t.MinLevel)
		}
		change[at] = max(change[at], t.ChangeoverMinutes)
	}
	if len(p.parts) == 0 {
		if kind != KindRescue && kind != KindOther {
			return p, ErrNoService.On("serviceIds", "请选择项目")
		}
		one := part{work: usualMinutes}
		if kind == KindRescue {
			one.skill, one.minLevel = roster.SkillRescue, 1
		}
		p.parts, p.minutes, change = []part{one}, usualMinutes, []int{0}
	}
	for i := range p.parts {
		p.parts[i].work, p.parts[i].tail = cellsUp(p.parts[i].work), cellsUp(change[i])
	}
	return p.travelling(kind, travel)
}

// travelling adds the ways between shop and customer.
func (p plan) travelling(kind Kind, travel int) (plan, error) {
	way := cellsUp(travel)
	switch kind {
	case KindAtHome, KindRescue:
		// The van and its crew stay together from leaving until they are back.
		if len(p.parts) > 1 {
			return p, ErrMixed.On("serviceIds", "请选择同一类项目")
		}
		p.parts[0].lead, p.parts[0].tail = way, max(p.parts[0].tail, way)
		p.travelMinutes = way * slot.CellMinutes
	case KindPickup:
		// A driver goes there and comes back with the car; after the work the other way round. The customer sees the car go and come.
		fetch := part{skill: roster.SkillDriver, minLevel: 1, lead: way, work: way}
		bring := part{skill: roster.SkillDriver, minLevel: 1, work: way, tail: way}
		p.parts = slices.Concat([]part{fetch}, p.parts, []part{bring})
		p.travelMinutes = way * slot.CellMinutes
	}
	p.lead = p.parts[0].lead
	return p, nil
}

// planAgain is the plan of a booking that exists: it needs no catalogue, so what was agreed stays when the offer changes.
func planAgain(b Booking) plan {
	p := plan{minutes: b.Minutes, travelMinutes: b.TravelMinutes}
	for _, s := range b.Segments {
		p.parts = append(p.parts, part{bayKind: s.BayKind, skill: s.Skill, minLevel: s.MinLevel, lead: int(s.ServiceFrom - s.FromCell),
			work: int(s.ServiceTo - s.ServiceFrom), tail: int(s.ToCell - s.ServiceTo)})
	}
	if len(p.parts) > 0 {
		p.lead = p.parts[0].lead
	}
	return p
}

// cells is how long everything is reserved.
func (p plan) cells() (n int) {
	for _, q := range p.parts {
		n += q.cells()
	}
	return n
}

// needs are the plan in the words of slot.
func (p plan) needs() []slot.Need {
	out := make([]slot.Need, 0, len(p.parts))
	for _, q := range p.parts {
		n := slot.Need{BayKind: q.bayKind, Skill: q.skill, MinLevel: q.minLevel, Cells: q.cells()}
		if n.BayKind == "" && n.Skill == "" {
			n.BayKind = door
		}
		out = append(out, n)
	}
	return out
}

// first is the first reserved cell of a booking that begins at start for the customer.
func (p plan) first(start time.Time) slot.Cell { return slot.CellOf(start) - slot.Cell(p.lead) }

// shown is the start that the customer sees when the first reserved cell is first, and the end.
func (p plan) shown(first slot.Cell) Slot {
	end := first + slot.Cell(p.cells())
	if n := len(p.parts); n > 0 {
		end -= slot.Cell(p.parts[n-1].tail)
	}
	return Slot{StartsAt: (first + slot.Cell(p.lead)).Time(), EndsAt: end.Time()}
}

func (p plan) shownAll(firsts []slot.Cell) []Slot {
	out := make([]Slot, 0, len(firsts))
	for _, c := range firsts {
		out = append(out, p.shown(c))
	}
	return out
}

// segments turns picks into the segments of a booking.
func (p plan) segments(picks []slot.Pick) []Segment {
	out := make([]Segment, 0, len(picks))
	for i, k := range picks {
		q := p.parts[k.Need]
		s := Segment{No: i + 1, BayKind: q.bayKind, Skill: q.skill, MinLevel: q.minLevel, BayID: k.BayID, TechnicianID: k.TechnicianID, FromCell: int64(k.From), ToCell: int64(k.To),
			ServiceFrom: int64(k.From) + int64(q.lead), ServiceTo: int64(k.To) - int64(q.tail)}
		if q.bayKind == "" {
			s.BayID = 0 // the door
		}
		out = append(out, s)
	}
	return out
}

// place writes segments and the times that follow from them into a booking.
func (b *Booking) place(segments []Segment, zone func(time.Time) string) {
	b.Segments = segments
	if len(segments) == 0 {
		return
	}
	first, last := segments[0], segments[len(segments)-1]
	b.FromCell, b.ToCell = first.FromCell, last.ToCell
	b.StartsAt, b.EndsAt = slot.Cell(first.ServiceFrom).Time(), slot.Cell(last.ServiceTo).Time()
	b.BizDay = zone(b.StartsAt)
}

// claims are the resources' times that segments stand for; segments that were cut to nothing have none.
func claims(segments []Segment) []slot.Claim {
	var out []slot.Claim
	for _, s := range segments {
		if s.FromCell >= s.ToCell {
			continue
		}
		for _, id := range []int64{s.BayID, s.TechnicianID} {
			if id != 0 {
				out = append(out, slot.Claim{ResourceID: id, Span: slot.Span{From: slot.Cell(s.FromCell), To: slot.Cell(s.ToCell)}})
			}
		}
	}
	return out
}

// titleOf names a booking after its first service.
func titleOf(kind Kind, items []Item) string {
	switch len(items) {
	case 0:
		return kindLabel(kind)
	case 1:
		return items[0].Title
	}
	return fmt.Sprintf("%s等%d项", items[0].Title, len(items))
}

func itemsOf(terms []catalog.Term) []Item {
	out := make([]Item, 0, len(terms))
	for _, t := range terms {
		out = append(out, Item{t.ServiceID, t.Name, t.Minutes, t.PriceFen})
	}
	return out
}

// explain joins why each bay and technician was chosen.
func explain(picks []slot.Pick) string {
	var out string
	for _, k := range picks {
		if k.Why == "" {
			continue
		}
		if out != "" {
			out += "；"
		}
		out += k.Why
	}
	return db.Clip(out, 300)
}
