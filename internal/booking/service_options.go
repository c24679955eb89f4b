package booking

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/shop"
)

// Unfinished counts the bookings of a member that are to come, under way, or hold a deposit that was not counted yet.
func (s *Service) Unfinished(ctx context.Context, memberID int64) (int, error) {
	return unfinished(ctx, s.db, memberID, s.db.Now().UnixMilli())
}

// options is what may be chosen in a store; storeID 0 lists the stores and what every one of them offers. Fault: shop.inactive, fault.ErrNotFound.
func (s *Service) options(ctx context.Context, storeID, memberID int64) (o OwnerOptions, err error) {
	if storeID != 0 {
		if _, err := s.shops.Open(ctx, storeID); err != nil {
			return o, err
		}
	}
	p, err := s.policy(ctx)
	if err != nil {
		return o, err
	}
	if o.Stores, err = s.storeChoices(ctx); err != nil {
		return o, err
	}
	if o.Services, err = s.serviceChoices(ctx, storeID); err != nil {
		return o, err
	}
	if storeID != 0 {
		if o.Technicians, err = s.technicianChoices(ctx, storeID); err != nil {
			return o, err
		}
	}
	o.WindowDays, o.StepMinutes, o.MaxOpen = p.windowDays, p.step, p.maxOpen
	if memberID == 0 {
		return o, nil
	}
	t, err := s.tiers.OfMember(ctx, s.db, memberID)
	if err != nil {
		return o, err
	}
	if t.Priority {
		o.WindowDays = max(p.windowDays, p.priorityDays)
	}
	mine, err := ofMember(ctx, s.db, memberID, false, 50)
	if err != nil {
		return o, err
	}
	for _, b := range mine {
		if b.State != Held || b.HoldExpiresAt.After(s.db.Now()) {
			o.OpenCount++
		}
	}
	o.NeedsDeposit, err = s.unreliable(ctx, s.db, p, memberID, s.db.Now())
	return o, err
}

func (s *Service) storeChoices(ctx context.Context) ([]StoreChoice, error) {
	stores, err := s.shops.Stores(ctx)
	if err != nil {
		return nil, err
	}
	var out []StoreChoice
	for _, st := range stores {
		if !st.Active {
			continue
		}
		p, err := s.shops.DayPlan(ctx, st.ID, st.BizDay(s.db.Now()))
		if err != nil {
			return nil, err
		}
		out = append(out, StoreChoice{ID: st.ID, Name: st.Name, Address: st.Address, Phone: st.Phone, HoursText: st.HoursText, OpenToday: hoursWords(p)})
	}
	return out, nil
}

// hoursWords says a day's hours: 09:00–21:00, or why there are none.
func hoursWords(p shop.DayPlan) string {
	if len(p.Spans) == 0 {
		return "今天" + closedText(p)
	}
	clock := func(m int) string {
		if m > 24*60 {
			return fmt.Sprintf("次日 %02d:%02d", m/60-24, m%60)
		}
		return fmt.Sprintf("%02d:%02d", m/60, m%60)
	}
	var parts []string
	for _, x := range p.Spans {
		parts = append(parts, clock(x.Opens)+"–"+clock(x.Closes))
	}
	return strings.Join(parts, "，")
}

func (s *Service) serviceChoices(ctx context.Context, storeID int64) ([]ServiceChoice, error) {
	services, err := s.offers.Services(ctx)
	if err != nil {
		return nil, err
	}
	classes, err := s.offers.VehicleClasses(ctx, true)
	if err != nil {
		return nil, err
	}
	var out []ServiceChoice
	for _, v := range services {
		if !v.Active || !v.Bookable || (storeID != 0 && len(v.StoreIDs) > 0 && !slices.Contains(v.StoreIDs, storeID)) {
			continue
		}
		c := ServiceChoice{ID: v.ID, Name: v.Name, Description: v.Description, Kind: v.Kind, BookingKinds: v.BookingKinds, DepositFen: v.DepositFen, FreeCancelHours: v.FreeCancelHours}
		if v.Image != "" {
			c.Image = "/media/" + v.Image
		}
		for _, price := range v.Prices {
			if !slices.ContainsFunc(classes, func(k catalog.VehicleClass) bool { return k.ID == price.VehicleClassID }) {
				continue
			}
			minutes := v.Minutes
			if price.Minutes > 0 {
				minutes = price.Minutes
			}
			c.Prices = append(c.Prices, ServicePrice{price.VehicleClassID, price.PriceFen, minutes})
		}
		if len(c.Prices) > 0 {
			out = append(out, c)
		}
	}
	return out, nil
}

func (s *Service) technicianChoices(ctx context.Context, storeID int64) ([]TechnicianChoice, error) {
	people, err := s.roster.Technicians(ctx, storeID)
	if err != nil {
		return nil, err
	}
	var out []TechnicianChoice
	var ids []int64
	for _, t := range people {
		if !t.Active || !t.Bookable || len(t.Skills) == 0 {
			continue
		}
		c := TechnicianChoice{ID: t.StaffID, Name: t.Name}
		for _, k := range t.Skills {
			c.Skills = append(c.Skills, SkillView{k.Skill, k.Level})
		}
		out, ids = append(out, c), append(ids, t.StaffID)
	}
	stars, err := starsOf(ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if x := stars[out[i].ID]; x.N > 0 {
			out[i].Ratings, out[i].Stars10 = int(x.N), int((x.Sum*10+x.N/2)/x.N)
		}
	}
	return out, nil
}

// deskOptions is options for staff. Fault: fault.ErrStore.
func (s *Service) deskOptions(ctx context.Context, storeID int64) (o DeskOptions, err error) {
	if !actor.From(ctx).InStore(storeID) {
		return o, fault.ErrStore
	}
	if o.OwnerOptions, err = s.options(ctx, storeID, 0); err != nil {
		return o, err
	}
	p, err := s.policy(ctx)
	if err != nil {
		return o, err
	}
	o.WindowDays = max(p.windowDays, p.priorityDays)
	classes, err := s.offers.VehicleClasses(ctx, true)
	if err != nil {
		return o, err
	}
	for _, c := range classes {
		o.VehicleClasses = append(o.VehicleClasses, ClassChoice{c.ID, c.Name})
	}
	bays, err := s.shops.Bays(ctx, storeID)
	if err != nil {
		return o, err
	}
	for _, b := range bays {
		o.Bays = append(o.Bays, BayChoice{b.ID, b.Name, b.Kind, b.Priority, b.Active})
	}
	return o, nil
}
