package model

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/group"
)

// Families: one member's wallet pays for others, within rules.

// family is an account with its drivers.
type family struct {
	id     int64
	payer  *person
	places []*place
}

// place is what a driver may let the family pay; 0 is no limit.
type place struct {
	by                 *person
	perOrder, perMonth int64
	washOnly           bool
}

// of is a driver's place; nil for whoever has none.
func (f *family) of(p *person) *place {
	for _, x := range f.places {
		if x.by == p {
			return x
		}
	}
	return nil
}

// monthOf is a month by the clock of the stores.
func monthOf(t time.Time) string { return t.In(time.FixedZone("", 8*3600)).Format("2006-01") }

// usedBy is what a driver has let a family pay in a month: leaving and coming back does not change it.
func (h *history) usedBy(f *family, p *person, month string) (fen int64) {
	for _, o := range h.orders {
		if o.family == f && o.by == p && o.month == month && o.status == "settled" {
			fen += o.tenders[checkout.TenderGroup]
		}
	}
	return fen
}

// joinsAFamily lets somebody invite somebody else, who takes the link.
func (h *history) joinsAFamily(r *rand.Rand) {
	payer, _ := one(r, h.people)
	p, _ := likely(r, h.people, func(p *person) bool { return p != payer })
	at := slices.IndexFunc(h.families, func(f *family) bool { return f.payer == payer })
	if at < 0 {
		g, err := h.Groups.Create(h.owner(payer.id, payer.identity), group.NewGroup{Kind: group.Family, Name: "一家人"})
		h.need(err)
		at, h.families = len(h.families), append(h.families, &family{id: g.ID, payer: payer})
	}
	f := h.families[at]
	x := &place{by: p, perOrder: []int64{0, 5000}[r.IntN(2)], perMonth: []int64{0, 6000, 10000}[r.IntN(3)], washOnly: r.IntN(4) == 0}
	rules := group.Rules{CapPerOrderFen: fenOf(x.perOrder), CapPerMonthFen: fenOf(x.perMonth)}
	if x.washOnly {
		rules.ServiceIDs = []int64{h.catalog.wash}
	}
	link, err := h.Groups.Invite(h.owner(payer.id, payer.identity), f.id, group.Place{CardKind: group.CardDriver, Rules: rules})
	h.need(err)
	fault := ""
	if payer == p {
		fault = "group.own_invite"
	} else if f.of(p) != nil {
		fault = "group.joined"
	}
	h.say("  member %d joins the family of %d: %+v", p.id, payer.id, *x)
	_, err = h.Groups.Join(h.owner(p.id, p.identity), link.Code)
	if h.answers(fault, err) {
		f.places = append(f.places, x)
	}
}

func (h *history) leavesAFamily(r *rand.Rand) {
	f, ok := one(r, h.families)
	if !ok {
		return
	}
	p, _ := likely(r, h.people, func(p *person) bool { return f.of(p) != nil })
	fault := ""
	if f.of(p) == nil {
		fault = "not_found"
	}
	h.say("  member %d leaves the family of %d", p.id, f.payer.id)
	if h.answers(fault, h.Groups.Leave(h.owner(p.id, p.identity), f.id)) {
		f.places = slices.DeleteFunc(f.places, func(x *place) bool { return x.by == p })
	}
}

// lets says why a family does not pay an amount of a bill, in the order in which the system looks; what its wallet holds is looked at later.
func (h *history) lets(o *order, b basket, fen int64) string {
	x := o.family.of(o.by)
	if x == nil {
		return "group.not_driver"
	}
	other := slices.ContainsFunc(b.items, func(i checkout.Item) bool { return i.Kind != catalog.KindService || i.ID != h.catalog.wash })
	switch {
	case x.washOnly && other:
		return "group.service"
	case x.perOrder > 0 && fen > x.perOrder:
		return "group.order_cap"
	case x.perMonth > 0 && fen > x.perMonth-h.usedBy(o.family, o.by, monthOf(h.clk.Now())):
		return "group.month_cap"
	}
	return ""
}

// bearer is whose stored value pays a bill, and for whom it counts as spending.
func (o *order) bearer() *person {
	if o.tenders[checkout.TenderGroup] > 0 {
		return o.family.payer
	}
	return o.by
}
