package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/booking"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// Bookings of the demo: for some weeks past, today around the moment at which it starts, and the days to come. Each is a stay that is planned
// first; making it, coming, work, paying and rating are done when the clock gets there, so whatever is not due yet is still to come.
const (
	stayDays  = 18               // how far back
	stayAhead = 5                // how far ahead
	nearNow   = 75 * time.Minute // around the start of the demo nothing is left to chance
)

// How a stay ends.
const (
	served = iota
	cancels
	staysAway
)

// nobody is the person of a stay whose customer is known by phone and plate alone.
const nobody = -1

// stay is a visit that will be booked.
type stay struct {
	made    time.Time // when it is booked
	starts  time.Time
	store   int
	service int // of demoServices
	who     int // of people, or nobody
	kind    booking.Kind
	with    []string // technicians: the first who is free; nil for anybody
	ending  int
	until   booking.State // where it stops, "" for the end
	photos  bool
	stars   int // 0 is left to chance
	note    string
	address string
	extra   *booking.Extra
	leave   bool // whoever is to do it will be on leave
}

// due is something that will happen.
type due struct {
	at time.Time
	do func(ctx context.Context) error
}

// then plans something; what was planned first is done first when the time is the same.
func (s *seeder) then(at time.Time, do func(ctx context.Context) error) {
	i, _ := slices.BinarySearchFunc(s.agenda, at, func(d due, at time.Time) int { return cmp.Or(d.at.Compare(at), -1) })
	s.agenda = slices.Insert(s.agenda, i, due{at, do})
}

// upTo does what is due until t and leaves the clock there.
func (s *seeder) upTo(ctx context.Context, t time.Time) error {
	for len(s.agenda) > 0 && !s.agenda[0].at.After(t) {
		next := s.agenda[0]
		s.agenda = s.agenda[1:]
		s.clk.Set(later(next.at, s.clk.Now()))
		if err := next.do(ctx); err != nil {
			return err
		}
	}
	s.clk.Set(later(t, s.clk.Now()))
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// planStays plans every stay of the demo.
func (s *seeder) planStays(until time.Time) {
	zone := bizday.Location(bizday.DefaultZone)
	today := until.In(zone)
	clock := func(day, hour, minute int) time.Time {
		return time.Date(today.Year(), today.Month(), today.Day()+day, hour, minute, 0, 0, zone)
	}
	for _, x := range wishedStays(clock) {
		s.book(x)
	}
	s.then(clock(-1, 9, 5), func(ctx context.Context) error { return s.serviced(ctx, clock) })
	s.then(clock(-1, 16, 20), func(ctx context.Context) error { return s.coat(ctx, clock) })
	for day := -stayDays; day <= stayAhead; day++ {
		drawn := map[int]bool{} // nobody comes twice a day
		for _, x := range demoStays {
			if s.dice.IntN(100) >= share(day, x.store) || day == 1 && (x.hour == 9 || x.hour == 10) {
				continue // who tries the demo finds tomorrow at ten free
			}
			v := stay{starts: clock(day, x.hour, x.minute), made: clock(min(day, 0)-1, 10+s.dice.IntN(10), s.dice.IntN(60)), store: x.store, service: x.service,
				who: s.somebody(x.store, day, drawn), photos: x.service >= 1 && s.dice.IntN(4) == 0}
			if day == 0 && v.starts.Sub(until).Abs() < nearNow {
				continue
			}
			if day < 0 && s.dice.IntN(12) == 0 {
				v.ending = cancels
			}
			s.book(v)
		}
	}
	for _, x := range happeningStays(until) {
		s.book(x)
	}
}

// share is how many in a hundred of the usual stays of a day are booked by now.
func share(day, store int) int {
	switch {
	case day < 0:
		return []int{20, 16}[store]
	case day == 0:
		return []int{85, 70}[store]
	case day == 1:
		return []int{50, 40}[store]
	}
	return max(45-10*day, 5)
}

// somebody is a member of the store who has not been drawn yet, or, one time in four, a guest.
func (s *seeder) somebody(store, day int, drawn map[int]bool) int {
	if s.dice.IntN(4) == 0 {
		return nobody
	}
	first := coated + 1
	if day >= 0 {
		first = firstDrawn // what the others still have to come is told one by one
	}
	for range 20 {
		if i := first + s.dice.IntN(len(s.people)-first); s.people[i].home == store && !drawn[i] && !slices.Contains(strayed, i) {
			drawn[i] = true
			return i
		}
	}
	return nobody
}

// book plans the making of a stay. What a full shop or a day off does not allow is not booked: that is how it goes.
func (s *seeder) book(v stay) {
	s.then(v.made, func(ctx context.Context) error {
		b, err := s.make(ctx, &v)
		if err != nil || b.ID == 0 {
			return err
		}
		if v.until != "" && v.service <= deluxe {
			s.busy++
		}
		if v.leave {
			s.onLeave = b.Segments[0].TechnicianID
		}
		s.live(v, b)
		return s.tell(ctx, v)
	})
}

// tell sends what is to be sent while the clock shows when it was; people without a phone in the sandbox are told nothing.
func (s *seeder) tell(ctx context.Context, v stay) error {
	if v.who == nobody || s.people[v.who].persona == "" {
		return nil
	}
	return s.Queue.Drain(ctx)
}

// make books a stay with the first of the wished technicians who is free, or at the nearest time. No booking and no error means that it cannot be had.
func (s *seeder) make(ctx context.Context, v *stay) (booking.Booking, error) {
	with := []int64{0}
	if len(v.with) > 0 {
		with = nil
		for _, name := range v.with {
			with = append(with, s.team[name])
		}
	}
	for _, technician := range with {
		b, err := s.makeAt(ctx, v, technician, v.starts)
		if errors.Is(err, booking.ErrGone) && len(v.with) == 0 {
			near, _ := fault.As(err).Detail.(booking.Alternatives)
			if i := slices.IndexFunc(near.Alternatives, func(x booking.Slot) bool { return x.StartsAt.Sub(v.starts).Abs() < 2*time.Hour }); i >= 0 {
				b, err = s.makeAt(ctx, v, technician, near.Alternatives[i].StartsAt)
			}
		}
		if err == nil {
			return b, nil
		}
		if !refused(err) {
			return b, err
		}
	}
	return booking.Booking{}, nil
}

// refused says whether an error is the shop's no.
func refused(err error) bool {
	k := fault.As(err).Kind
	return k == fault.Conflict || k == fault.Invalid
}

func (s *seeder) makeAt(ctx context.Context, v *stay, technician int64, at time.Time) (booking.Booking, error) {
	if v.kind == "" {
		v.kind = booking.KindVisit
	}
	store, services := s.stores[v.store].ID, []int64{s.svc[v.service].ID}
	if v.who != nobody && s.people[v.who].persona != "" {
		p := s.people[v.who]
		car, err := s.Members.Vehicles(ctx, p.id)
		if err != nil || len(car) == 0 {
			return booking.Booking{}, errors.Join(err, fault.ErrNotFound)
		}
		channel := pick(s.dice, booking.ChannelMini, booking.ChannelMini, booking.ChannelMini, booking.ChannelH5, booking.ChannelOfficial, booking.ChannelLink)
		b, err := s.Bookings.Create(s.as(ctx, p.owner), booking.OwnerAsk{StoreID: store, Kind: v.kind, VehicleID: car[0].ID, ServiceIDs: services, StartsAt: &at, TechnicianID: technician,
			Note: v.note, Address: v.address, Extra: v.extra, Channel: channel})
		if err != nil || b.State != booking.Held {
			return b, err
		}
		if b.DepositState == booking.DepositDue {
			return s.payDeposit(ctx, p, b)
		}
		return s.Bookings.Confirm(s.as(ctx, p.owner), b.ID)
	}
	in := booking.DeskAsk{StoreID: store, Kind: v.kind, Channel: booking.ChannelPhone, ServiceIDs: services, StartsAt: &at, TechnicianID: technician, Note: v.note, Address: v.address, Extra: v.extra}
	if v.who != nobody {
		p := s.people[v.who]
		in.MemberID, in.Plate, in.VehicleClassID = p.id, p.plate, s.classes[p.class]
		in.Channel = pick(s.dice, booking.ChannelPhone, booking.ChannelDesk)
	} else {
		g := s.guest()
		in.Plate, in.VehicleClassID, in.ContactName, in.ContactPhone = g.plate, s.classes[g.class], g.name, g.phone
	}
	return s.Bookings.DeskCreate(s.as(ctx, s.desks[v.store]), in)
}

// payDeposit pays on the sandbox's phone and asks what became of it.
func (s *seeder) payDeposit(ctx context.Context, p person, b booking.Booking) (booking.Booking, error) {
	owner := s.as(ctx, p.owner)
	_, prep, err := s.Bookings.Pay(owner, b.ID)
	if err != nil {
		return b, err
	}
	if _, err := s.Sandbox.PayByPersona(prep.Jsapi.Package[len("prepay_id="):], p.persona, wxsandbox.OutcomePay); err != nil {
		return b, err
	}
	return s.Bookings.Check(owner, p.id, b.ID)
}

// live plans what becomes of a booking.
func (s *seeder) live(v stay, b booking.Booking) {
	if b.State != booking.Confirmed {
		return
	}
	minutes := func(from, to int) time.Duration { return time.Duration(from+s.dice.IntN(to-from+1)) * time.Minute }
	step := func(at time.Time, do func(ctx context.Context) error) {
		s.then(at, func(ctx context.Context) error {
			if err := do(ctx); err != nil && !refused(err) {
				return fmt.Errorf("booking %s: %w", b.No, err)
			}
			return s.tell(ctx, v)
		})
	}
	desk := s.desks[v.store]
	switch v.ending {
	case cancels:
		half := b.StartsAt.Sub(v.made) / 2
		step(v.made.Add(half), func(ctx context.Context) error { return s.cancel(ctx, v, b) })
		return
	case staysAway:
		for _, after := range []time.Duration{time.Minute, 17 * time.Minute} { // first told to hurry, then released
			step(b.StartsAt.Add(after), s.Bookings.Minute)
		}
		return
	}
	if b.Kind != booking.KindVisit && b.Kind != booking.KindRepair {
		return // people who drive out tell when they leave
	}
	arrive := b.StartsAt.Add(minutes(-9, 3))
	if v.until == booking.Arrived {
		arrive = b.StartsAt.Add(-7 * time.Minute)
	}
	arrive = later(arrive, v.made.Add(time.Minute))
	start := later(arrive.Add(minutes(2, 5)), b.StartsAt)
	finish := later(b.EndsAt.Add(minutes(-9, 2)), start.Add(15*time.Minute))
	step(arrive, func(ctx context.Context) error { _, err := s.Bookings.Arrive(s.as(ctx, desk), b.ID); return err })
	if v.until == booking.Arrived {
		return
	}
	step(start, func(ctx context.Context) error {
		if v.photos {
			if err := s.photo(ctx, v, b, booking.StageBefore); err != nil {
				return err
			}
		}
		_, err := s.Bookings.Start(s.as(ctx, s.worker(v, b)), b.ID)
		return err
	})
	if v.until == booking.InService {
		return
	}
	step(finish, func(ctx context.Context) error {
		if v.photos {
			if err := s.photo(ctx, v, b, booking.StageAfter); err != nil {
				return err
			}
		}
		_, err := s.Bookings.Finish(s.as(ctx, s.worker(v, b)), b.ID, "")
		return err
	})
	step(finish.Add(minutes(3, 8)), func(ctx context.Context) error { return s.settleStay(ctx, v, b) })
	if v.who != nobody && s.people[v.who].persona != "" && (v.stars > 0 || s.dice.IntN(10) < 7) {
		step(finish.Add(minutes(20, 150)), func(ctx context.Context) error { return s.rate(ctx, v, b) })
	}
}

// worker is who works on the car: those who sign in do it themselves, the desk for the others.
func (s *seeder) worker(v stay, b booking.Booking) actor.Actor {
	if slices.ContainsFunc(b.Segments, func(x booking.Segment) bool { return x.TechnicianID == s.tech.ID }) {
		return s.tech
	}
	return s.desks[v.store]
}

func (s *seeder) cancel(ctx context.Context, v stay, b booking.Booking) error {
	if v.who != nobody && s.people[v.who].persona != "" {
		_, err := s.Bookings.Cancel(s.as(ctx, s.people[v.who].owner), b.ID, pick(s.dice, "时间有变化", "天气不好", "临时有事"), nil)
		return err
	}
	_, err := s.Bookings.ShopCancel(s.as(ctx, s.desks[v.store]), b.ID, pick(s.dice, "客人来电取消", "客人改天再约"))
	return err
}

// settleStay rings a booking up with what it is for; members pay by stored value when they can, a deposit counts first.
func (s *seeder) settleStay(ctx context.Context, v stay, b booking.Booking) error {
	r := checkout.Request{StoreID: b.StoreID, MemberID: b.MemberID, Plate: b.Plate, VehicleClassID: b.VehicleClassID, BookingID: b.ID}
	for _, x := range b.Items {
		r.Items = append(r.Items, checkout.Item{Kind: catalog.KindService, ID: x.ServiceID, Qty: 1})
	}
	desk := s.desks[v.store]
	q, err := s.Checkout.Quote(s.as(ctx, desk), r)
	if err != nil {
		return err
	}
	var tenders []checkout.Tender
	left := q.TotalFen
	if n := min(q.DepositFen, left); n > 0 {
		tenders, left = append(tenders, checkout.Tender{Kind: checkout.TenderDeposit, AmountFen: n}), left-n
	}
	if q.Balance != nil {
		if n := min(q.Balance.AvailableFen, left); n > 0 {
			tenders, left = append(tenders, checkout.Tender{Kind: checkout.TenderBalance, AmountFen: n}), left-n
		}
	}
	if left > 0 {
		kind := pick(s.dice, checkout.TenderCash, checkout.TenderAlipay, checkout.TenderCard)
		tenders = append(tenders, checkout.Tender{Kind: kind, AmountFen: left, Reference: s.reference(kind)})
	}
	_, err = s.Checkout.Settle(s.as(ctx, desk), r, q.QuoteHash, tenders)
	return err
}

func (s *seeder) rate(ctx context.Context, v stay, b booking.Booking) error {
	in := booking.RatingAsk{Stars: v.stars}
	if in.Stars == 0 {
		in.Stars = pick(s.dice, 5, 5, 5, 5, 4, 4, 3)
	}
	good := []string{"洗得干净", "师傅细心", "准时", "环境好", "价格清楚"}
	if in.Stars < 4 {
		in.Tags, in.Text = []string{"等得久"}, "洗得可以，就是等了一会儿"
	} else {
		n := s.dice.IntN(len(good))
		in.Tags = []string{good[n], good[(n+1+s.dice.IntN(3))%len(good)]}
		in.Text = pick(s.dice, "", "", "", "很满意，下次还来", "师傅很仔细，轮毂缝里都擦到了", "约的时间一到就开始，不用等")
	}
	_, err := s.Bookings.Rate(s.as(ctx, s.people[v.who].owner), b.ID, in)
	return err
}

func (s *seeder) photo(ctx context.Context, v stay, b booking.Booking, stage string) error {
	data, err := carPhoto(uint64(b.ID), stage == booking.StageBefore)
	if err != nil {
		return err
	}
	_, err = s.Bookings.AddPhoto(s.as(ctx, s.worker(v, b)), b.ID, stage, data)
	return err
}

// finishStays leaves what a manager finds on the board: leave with somebody booked, a wait, a line.
func (s *seeder) finishStays(ctx context.Context, until time.Time) error {
	if err := s.leave(ctx, until); err != nil {
		return fmt.Errorf("leave: %w", err)
	}
	if err := s.wait(ctx); err != nil {
		return fmt.Errorf("waiting list: %w", err)
	}
	if err := s.lineUp(ctx); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	return s.Queue.Drain(ctx)
}

// serviced closes the lift tomorrow afternoon, before anybody books it.
func (s *seeder) serviced(ctx context.Context, clock func(day, hour, minute int) time.Time) error {
	bays, err := s.Shops.Bays(ctx, s.stores[0].ID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(bays, func(b shop.Bay) bool { return b.Name == "举升位" })
	_, err = s.Bookings.Block(actor.With(ctx, s.boss), booking.BlockAsk{StoreID: s.stores[0].ID, ResourceID: bays[i].ID, From: clock(1, 14, 0), To: clock(1, 16, 30), Reason: "举升机年检"})
	return err
}

// leave lets somebody off tomorrow afternoon who has a booking then.
func (s *seeder) leave(ctx context.Context, until time.Time) error {
	if s.onLeave == 0 {
		return nil
	}
	st := s.stores[0]
	from, err := bizday.At(bizday.Add(st.BizDay(until), 1), 14*60+30, st.Timezone)
	if err != nil {
		return err
	}
	_, err = s.Bookings.Block(actor.With(ctx, s.boss), booking.BlockAsk{StoreID: st.ID, ResourceID: s.onLeave, From: from, To: from.Add(5*time.Hour + 30*time.Minute), Reason: "家里有事，请假半天", Force: true})
	return err
}

// wait puts somebody on the list for the time that the coating has taken.
func (s *seeder) wait(ctx context.Context) error {
	b := s.dear
	if b.ID == 0 {
		return nil
	}
	p, st := s.people[waits], s.stores[0]
	car, err := s.Members.Vehicles(ctx, p.id)
	if err != nil {
		return err
	}
	at := b.StartsAt.In(bizday.Location(st.Timezone))
	minute := at.Hour()*60 + at.Minute()
	_, err = s.Bookings.WaitCreate(s.as(ctx, p.owner), booking.WaitAsk{StoreID: st.ID, VehicleID: car[0].ID, ServiceIDs: []int64{s.svc[coating].ID}, Kind: booking.KindVisit,
		FromDay: b.BizDay, ToDay: b.BizDay, FromMinute: minute - 60, ToMinute: minute + 60})
	return err
}

// lineUp lets walk-ins come until two wait: where every bay is at work, at the first store if that can be.
func (s *seeder) lineUp(ctx context.Context) error {
	store := 1
	if s.busy == len(washers) {
		store = 0
	}
	desk := s.desks[store]
	for waiting := 0; waiting < 2; {
		g := s.guest()
		b, err := s.Bookings.QueueAdd(s.as(ctx, desk), booking.QueueAsk{StoreID: s.stores[store].ID, Plate: g.plate, VehicleClassID: s.classes[g.class], ServiceIDs: []int64{s.svc[0].ID}})
		if err != nil {
			if refused(err) {
				return nil // closed
			}
			return err
		}
		if b.State == booking.Queued {
			waiting++
			continue
		}
		if _, err := s.Bookings.Start(s.as(ctx, desk), b.ID); err != nil {
			return err
		}
	}
	return nil
}

// coat books a coating on the next days on which the bay and somebody who can do it are free, and pays its deposit.
func (s *seeder) coat(ctx context.Context, clock func(day, hour, minute int) time.Time) error {
	for day := 2; day <= 7 && s.dear.ID == 0; day++ {
		v := stay{made: clock(-1, 16, 20), starts: clock(day, 13, 30), service: coating, who: coated, note: "漆面有细划痕，请先看看"}
		b, err := s.makeAt(ctx, &v, 0, v.starts)
		switch {
		case err == nil:
			s.dear = b
		case !refused(err):
			return err
		}
	}
	return s.Queue.Drain(ctx)
}

// continueBookings ends what was under way when the demo was stopped on a day before: nobody has been at work since.
func (d *Demo) continueBookings(ctx context.Context) error {
	ctx = actor.With(ctx, actor.Job("演示数据"))
	stores, err := d.Shops.Stores(ctx)
	if err != nil {
		return err
	}
	for _, st := range stores {
		list, err := leftOver(ctx, d.DB, st.ID, st.BizDay(d.DB.Now()))
		if err != nil {
			return err
		}
		for _, b := range list {
			switch booking.State(b.State) {
			case booking.Queued:
				_, err = d.Bookings.ShopCancel(ctx, b.ID, "当天没有轮到")
			case booking.Dispatched, booking.Arrived:
				_, err = d.Bookings.ShopCancel(ctx, b.ID, "当天没有做")
			case booking.InService:
				_, err = d.Bookings.Finish(ctx, b.ID, "")
			}
			if err != nil && !refused(err) {
				return fmt.Errorf("booking %d: %w", b.ID, err)
			}
		}
	}
	return nil
}
