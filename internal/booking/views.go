package booking

import (
	"context"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/slot"
)

func zoneOf(st shop.Store) *time.Location { return bizday.Location(st.Timezone) }

// nameBook names the bays and technicians of a store.
type nameBook struct{ bays, people map[int64]string }

func (n nameBook) bay(id int64) string {
	if name := n.bays[id]; name != "" {
		return name
	}
	return "无工位"
}

func (n nameBook) person(id int64) string {
	if name := n.people[id]; name != "" {
		return name
	}
	return "无技师"
}

func (s *Service) names(ctx context.Context, storeID int64) (nameBook, error) {
	n := nameBook{bays: map[int64]string{}, people: map[int64]string{}}
	bays, err := s.shops.Bays(ctx, storeID)
	if err != nil {
		return n, err
	}
	for _, b := range bays {
		n.bays[b.ID] = b.Name
	}
	people, err := s.roster.Technicians(ctx, storeID)
	if err != nil {
		return n, err
	}
	for _, t := range people {
		n.people[t.StaffID] = t.Name
	}
	return n, nil
}

// views shows bookings to their owner.
func (s *Service) views(ctx context.Context, list []Booking) ([]View, error) {
	p, err := s.policy(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]View, len(list))
	at := make([]*View, len(list))
	books := map[int64]nameBook{}
	for i, b := range list {
		if err := s.unseal(&b); err != nil {
			return nil, err
		}
		store, err := s.shops.Store(ctx, b.StoreID)
		if err != nil {
			return nil, err
		}
		if _, ok := books[b.StoreID]; !ok {
			if books[b.StoreID], err = s.names(ctx, b.StoreID); err != nil {
				return nil, err
			}
		}
		out[i], at[i] = viewOf(b, store, books[b.StoreID]), &out[i]
		out[i].Cancel = cancelTerms(b, s.db.Now(), p.forfeits)
	}
	for _, f := range s.decorators {
		if err := f(ctx, list, at); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func viewOf(b Booking, store shop.Store, names nameBook) View {
	v := View{ID: b.ID, No: b.No, StoreID: b.StoreID, StoreName: store.Name, StoreAddress: store.Address, StorePhone: store.Phone, Kind: b.Kind, Channel: b.Channel,
		State: b.State, StartsAt: b.StartsAt, EndsAt: b.EndsAt, StartedAt: clock.Pointer(b.StartedAt), FinishedAt: clock.Pointer(b.FinishedAt), Plate: b.Plate, VehicleClassID: b.VehicleClassID, VehicleClassName: b.VehicleClassName, Title: b.Title,
		Items: b.Items, Minutes: b.Minutes, PriceFen: b.PriceFen, DepositFen: b.DepositFen, DepositState: b.DepositState, HoldExpiresAt: clock.Pointer(b.HoldExpiresAt),
		Note: b.Note, Address: b.Address, LatE6: b.LatE6, LngE6: b.LngE6, TravelMinutes: b.TravelMinutes, OrderID: b.OrderID, CreatedAt: b.CreatedAt}
	if b.DepositFen > 0 {
		v.FreeCancelUntil = clock.Pointer(b.FreeCancelUntil)
	}
	if b.Extra != (Extra{}) {
		x := b.Extra
		v.Extra = &x
	}
	for _, x := range b.Segments {
		if v.TechnicianName == "" || x.BayID != 0 { // whoever works on the car rather than the driver
			if name := names.people[x.TechnicianID]; name != "" {
				v.TechnicianName = name
			}
		}
		if v.BayName == "" {
			v.BayName = names.bays[x.BayID]
		}
	}
	return v
}

// deskViews shows bookings to staff.
func (s *Service) deskViews(ctx context.Context, list []Booking) ([]DeskView, error) {
	views, err := s.views(ctx, list)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, b := range list {
		if b.MemberID != 0 {
			ids = append(ids, b.MemberID)
		}
	}
	contacts, err := s.members.MaskedContacts(ctx, ids)
	if err != nil {
		return nil, err
	}
	p, err := s.policy(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]DeskView, len(list))
	books := map[int64]nameBook{}
	for i, b := range list {
		v := DeskView{View: views[i], Version: b.Version, MemberID: b.MemberID, MemberTier: b.MemberTier, Priority: b.Priority, Explain: b.Explain,
			MemberName: contacts[b.MemberID].Name, Phone: contacts[b.MemberID].Phone, CreatedBy: createdBy(b), Warnings: warnings(b, s.db.Now(), p.grace)}
		if err := s.openContact(&v, b); err != nil {
			return nil, err
		}
		if _, ok := books[b.StoreID]; !ok {
			if books[b.StoreID], err = s.names(ctx, b.StoreID); err != nil {
				return nil, err
			}
		}
		for _, x := range b.Segments {
			n := books[b.StoreID]
			v.Segments = append(v.Segments, SegmentView{x.No, x.BayKind, x.Skill, x.BayID, n.bays[x.BayID], x.TechnicianID, n.people[x.TechnicianID],
				slot.Cell(x.FromCell).Time(), slot.Cell(x.ToCell).Time(), slot.Cell(x.ServiceFrom).Time(), b.workedUntil(x)})
		}
		out[i] = v
	}
	return out, nil
}

// workedUntil is when the work of a segment is to end, or when it ended, should that lie within it: its last cell is reserved whole.
func (b Booking) workedUntil(x Segment) time.Time {
	from, to := slot.Cell(x.ServiceFrom).Time(), slot.Cell(x.ServiceTo).Time()
	if b.FinishedAt.After(from) && b.FinishedAt.Before(to) {
		return b.FinishedAt
	}
	return to
}

// openContact shows, masked, whom the desk wrote down.
func (s *Service) openContact(v *DeskView, b Booking) error {
	if b.ContactName != "" {
		name, err := s.box.Open(colName, b.ContactName)
		if err != nil {
			return err
		}
		v.MemberName = member.MaskName(name)
	}
	if b.ContactPhone != "" {
		phone, err := s.box.Open(colPhone, b.ContactPhone)
		if err != nil {
			return err
		}
		v.Phone, v.HasContact = member.MaskPhone(phone), true
	}
	return nil
}

func createdBy(b Booking) string {
	if b.CreatedByKind == "owner" {
		return "车主"
	}
	return b.CreatedByName
}

// announce is how long before a priority member comes the desk is told to be ready (G10).
const announce = 2 * time.Hour

// warnings are what the clock says about a booking. It is pure.
func warnings(b Booking, now time.Time, graceMinutes int) []string {
	var out []string
	late := func(since time.Time) int { return int(now.Sub(since).Minutes()) }
	if soon := b.StartsAt.Sub(now); b.Priority && b.State == Confirmed && soon > 0 && soon <= announce {
		out = append(out, "优先会员快到了，请备好工位和接待")
	}
	switch b.State {
	case Confirmed:
		if n := late(b.StartsAt); n > 0 && n > graceMinutes/2 {
			out = append(out, fmt.Sprintf("已过预约时间 %d 分钟，还没到", n))
		}
	case InService:
		if n := late(b.EndsAt); n > 0 {
			out = append(out, fmt.Sprintf("已超时 %d 分钟", n))
		}
	case Requested:
		if n := late(b.CreatedAt); n >= 5 {
			out = append(out, fmt.Sprintf("已等待接单 %d 分钟", n))
		}
	}
	return out
}

// one shows a booking to its owner, after a use case.
func (s *Service) one(ctx context.Context, b Booking, err error) (View, error) {
	if err != nil {
		return View{}, err
	}
	list, err := s.views(ctx, []Booking{b})
	if err != nil {
		return View{}, err
	}
	return list[0], nil
}

// detail shows a booking to staff with its log, after a use case.
func (s *Service) detail(ctx context.Context, b Booking, err error) (Detail, error) {
	if err != nil {
		return Detail{}, err
	}
	list, err := s.deskViews(ctx, []Booking{b})
	if err != nil {
		return Detail{}, err
	}
	log, err := eventsOf(ctx, s.db, b.ID)
	if err != nil {
		return Detail{}, err
	}
	d := Detail{DeskView: list[0]}
	for _, e := range log {
		name := e.ActorName
		if e.ActorKind == "owner" {
			name = "车主"
		}
		d.Events = append(d.Events, EventView{e.At, e.Kind, e.Text, name})
	}
	return d, nil
}
