package booking

import (
	"fmt"
	"slices"

	"github.com/liangche/liangche/internal/slot"
)

// rules are what holds in a store now, for the bookings that were made when something else held. Spans are sorted and do not touch.
type rules struct {
	storeActive bool
	open        []slot.Span
	bays        map[int64]bayRule
	people      map[int64]personRule
	blocks      map[int64][]closure // by resource
	offered     map[int64]bool      // services that can still be booked here
}

type bayRule struct {
	name, kind string
	active     bool
}

type personRule struct {
	name     string
	active   bool // the account works
	bookable bool
	here     bool // belongs to the store
	skills   map[string]int
	working  []slot.Span
}

// closure is a block: when, and why.
type closure struct {
	slot.Span
	reason string
}

// problemsOf says in words what has become wrong with a booking that is still to be served; nil when nothing has. From now on only what
// lies ahead counts. It is pure.
func problemsOf(b Booking, now slot.Cell, r rules) []string {
	if !b.State.holdsCells() {
		return nil
	}
	var out []string
	add := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	if !r.storeActive {
		add("门店已停业")
	}
	for _, it := range b.Items {
		if b.State != InService && b.State != Arrived && !r.offered[it.ServiceID] {
			add("%s 已停止预约", it.Title)
		}
	}
	for _, s := range b.Segments {
		span := slot.Span{From: max(slot.Cell(s.FromCell), now), To: slot.Cell(s.ToCell)}
		if span.From >= span.To {
			continue
		}
		// Work that overruns may last into the evening; what is asked is that the service lies within the hours.
		service := slot.Span{From: max(slot.Cell(s.ServiceFrom), now), To: slot.Cell(s.ServiceTo)}
		if s.BayID != 0 {
			r.bayProblems(s, span, add)
		}
		if b.State != InService && s.BayKind != "" && s.BayKind != "van" && r.storeActive && !covered(r.open, service) {
			add("门店在这段时间不营业")
		}
		if s.TechnicianID != 0 {
			r.personProblems(b, s, span, service, add)
		}
	}
	return out
}

func (r rules) bayProblems(s Segment, span slot.Span, add func(string, ...any)) {
	bay, known := r.bays[s.BayID]
	switch {
	case !known || !bay.active:
		add("%s 已停用", wordOr(bay.name, "工位"))
	case s.BayKind != "" && bay.kind != s.BayKind:
		add("%s 不再是%s", bay.name, slot.BayKindName(s.BayKind))
	}
	for _, c := range r.blocks[s.BayID] {
		if c.From < span.To && span.From < c.To {
			add("%s 关闭：%s", wordOr(bay.name, "工位"), c.reason)
		}
	}
}

func (r rules) personProblems(b Booking, s Segment, span, service slot.Span, add func(string, ...any)) {
	p, known := r.people[s.TechnicianID]
	name := wordOr(p.name, "技师")
	switch {
	case !known || !p.active:
		add("%s 已停用", name)
		return
	case !p.here:
		add("%s 不在本店", name)
		return
	case !p.bookable:
		add("%s 不再接受预约", name)
		return
	}
	if level := p.skills[s.Skill]; s.Skill != "" && level < max(s.MinLevel, 1) {
		if level == 0 {
			add("%s 不会%s", name, slot.SkillName(s.Skill))
		} else {
			add("%s 的%s是 %d 级，需要 %d 级", name, slot.SkillName(s.Skill), level, s.MinLevel)
		}
	}
	away := false
	for _, c := range r.blocks[s.TechnicianID] {
		if c.From < span.To && span.From < c.To {
			add("%s 请假：%s", name, c.reason)
			away = true
		}
	}
	if !away && b.State != InService && !covered(p.working, service) {
		add("%s 这段时间没有排班", name)
	}
}

// covered says whether a span lies within one of the spans as a whole; an empty span does.
func covered(spans []slot.Span, s slot.Span) bool {
	if s.From >= s.To {
		return true
	}
	for _, o := range spans {
		if o.From <= s.From && s.To <= o.To {
			return true
		}
	}
	return false
}

func wordOr(s, or string) string {
	if s == "" {
		return or
	}
	return s
}
