package booking

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/slot"
)

// tries is how often a booking looks for another bay when somebody was quicker at the one that it chose.
const tries = 12

// Create keeps a time for the owner who acts. It is a money command. The booking is held until it is confirmed or its deposit paid; a rescue or
// errand is requested and waits for somebody to accept it. Faults: those of wish and of fit; ErrLimit; ErrCar; ErrAddress; those of member.Standing.
func (s *Service) Create(ctx context.Context, in OwnerAsk) (Booking, error) {
	memberID := actor.From(ctx).MemberID
	cars, err := s.members.Vehicles(ctx, memberID)
	if err != nil {
		return Booking{}, err
	}
	i := slices.IndexFunc(cars, func(v member.Vehicle) bool { return v.ID == in.VehicleID })
	if i < 0 {
		return s.before(ctx, fault.ErrInvalid.Say("没有找到这辆车，请重新选择").On("vehicleId", "请重新选择"))
	}
	b := Booking{Kind: in.Kind, Channel: in.Channel, MemberID: memberID, Plate: cars[i].Plate, VehicleID: cars[i].ID, WishedTechnicianID: in.TechnicianID, SameTechnician: in.SameTechnician,
		Note: in.Note, Address: in.Address, LatE6: in.LatE6, LngE6: in.LngE6}
	if in.Extra != nil {
		b.Extra = *in.Extra
		b.Extra.Closing = "" // written by staff alone
	}
	return s.create(ctx, b, what{storeID: in.StoreID, memberID: memberID, classID: cars[i].VehicleClassID, kind: in.Kind, services: in.ServiceIDs,
		technicianID: in.TechnicianID, same: in.SameTechnician}, in.StartsAt)
}

// DeskCreate writes a booking that somebody asked for at the desk or by phone: confirmed at once, without deposit, and otherwise by the same rules
// and the same function as an owner's (N20). It is a money command. Faults: those of Create, ErrPlate, ErrContact, fault.ErrStore.
func (s *Service) DeskCreate(ctx context.Context, in DeskAsk) (Booking, error) {
	if !actor.From(ctx).InStore(in.StoreID) {
		return Booking{}, fault.ErrStore
	}
	plate, _, complaint := member.ParsePlate(in.Plate)
	if complaint != "" {
		return Booking{}, ErrPlate.Say("车牌号不正确：%s", complaint).On("plate", complaint)
	}
	b := Booking{Kind: in.Kind, Channel: in.Channel, MemberID: in.MemberID, Plate: plate, WishedTechnicianID: in.TechnicianID, SameTechnician: in.SameTechnician,
		Note: in.Note, Address: in.Address, LatE6: in.LatE6, LngE6: in.LngE6}
	if in.Extra != nil {
		b.Extra = *in.Extra
	}
	var err error
	if b.VehicleID, err = s.carOf(ctx, in.MemberID, plate); err != nil {
		return Booking{}, err
	}
	if err := s.contact(&b, in.ContactName, in.ContactPhone, in.Channel == ChannelPhone); err != nil {
		return Booking{}, err
	}
	return s.create(ctx, b, what{storeID: in.StoreID, memberID: in.MemberID, classID: in.VehicleClassID, kind: in.Kind, services: in.ServiceIDs,
		technicianID: in.TechnicianID, bayID: in.BayID, same: in.SameTechnician, desk: true}, in.StartsAt)
}

// contact seals who to call. Fault: ErrContact.
func (s *Service) contact(b *Booking, name, phone string, needed bool) error {
	name = strings.Join(strings.Fields(name), " ")
	if phone != "" {
		normal, ok := member.NormalPhone(phone)
		if !ok {
			return ErrContact.On("contactPhone", "应为 11 位手机号")
		}
		sealed, err := s.box.Seal(colPhone, normal)
		if err != nil {
			return err
		}
		b.ContactPhone = sealed
	} else if needed && b.MemberID == 0 {
		return ErrContact.Say("电话预约请留下联系电话").On("contactPhone", "必填")
	}
	if name == "" {
		return nil
	}
	sealed, err := s.box.Seal(colName, name)
	b.ContactName = sealed
	return err
}

// before refuses what is wrong before the transaction, unless the very command was done before.
func (s *Service) before(ctx context.Context, refusal error) (Booking, error) {
	id, err := idem.Or[int64](ctx, s.db, refusal)
	if err != nil {
		return Booking{}, err
	}
	return bookingByID(ctx, s.db, id, "")
}

func (s *Service) create(ctx context.Context, b Booking, in what, startsAt *time.Time) (Booking, error) {
	w, err := s.wish(ctx, in)
	if err == nil {
		err = s.fill(ctx, &b, w, startsAt)
	}
	if err != nil {
		return s.before(ctx, err)
	}
	return s.book(ctx, w, b)
}

// fill completes a booking with what follows from the wish and checks what can be checked before the transaction.
func (s *Service) fill(ctx context.Context, b *Booking, w wish, startsAt *time.Time) error {
	who := actor.From(ctx)
	b.StoreID, b.VehicleClassID, b.VehicleClassName = w.store.ID, w.classID, w.className
	b.Priority, b.Items, b.Title = w.tier.Priority, w.items, titleOf(w.kind, w.items)
	if w.memberID != 0 {
		b.MemberTier = w.tier.Name
	}
	b.Minutes, b.PriceFen, b.TravelMinutes, b.Version = w.plan.minutes, w.price, w.plan.travelMinutes, 1
	b.CreatedByKind, b.CreatedByID, b.CreatedByName = string(who.Kind), who.ID, db.Clip(who.Name, 60)
	b.DepositState, b.CancelledBy = DepositNone, ""
	if err := checkKind(*b); err != nil {
		return err
	}
	if b.Kind == KindRescue {
		b.StartsAt = slot.CellOf(s.db.Now()).Time()
		b.EndsAt = b.StartsAt.Add(time.Duration(b.Minutes+b.TravelMinutes) * time.Minute)
		return nil
	}
	if startsAt == nil {
		return fault.ErrInvalid.On("startsAt", "请选择时间")
	}
	b.StartsAt = startsAt.UTC()
	return s.fit(ctx, w, b.StartsAt)
}

// fit says why a start cannot be booked whatever is free. Faults: ErrPast, ErrWindow, ErrClosedDay, ErrHours, ErrTechnician, ErrBay, fault.ErrInvalid.
func (s *Service) fit(ctx context.Context, w wish, start time.Time) error {
	now, day := s.db.Now(), w.store.BizDay(start)
	switch {
	case start.Unix()%(slot.CellMinutes*60) != 0:
		return fault.ErrInvalid.Say("请从可约的时间里选择").On("startsAt", "请从可约的时间里选择")
	case start.Before(w.earliest(now)):
		return ErrPast.On("startsAt", "请选择晚一点的时间")
	case day > w.lastDay(now):
		return ErrWindow.Say("现在最远可以约到 %s", w.lastDay(now)).On("startsAt", "请选择近一点的日期")
	}
	from, to := w.reach(start, start)
	c, err := s.scene(ctx, w.store, from.Add(-time.Minute), to.Add(time.Minute), 0)
	if err != nil {
		return err
	}
	if w.technicianID != 0 {
		if _, err := c.technician(w.technicianID); err != nil {
			return err
		}
	}
	if w.bayID != 0 && !slices.ContainsFunc(c.resources, func(r slot.Resource) bool { return r.ID == w.bayID && r.Kind == slot.Bay }) {
		return ErrBay.On("bayId", "请重新选择")
	}
	shown := w.plan.shown(w.plan.first(start))
	if c.within(shown.StartsAt, shown.EndsAt) {
		return nil
	}
	p, err := s.shops.DayPlan(ctx, w.store.ID, day)
	if err != nil {
		return err
	}
	if len(p.Spans) == 0 {
		return ErrClosedDay.Say("%s%s，请换一天", day, closedText(p)).On("startsAt", "这一天不营业")
	}
	if c.within(shown.StartsAt, shown.StartsAt.Add(slot.CellMinutes*time.Minute)) {
		return ErrHours.Say("这个时间开始，打烊前做不完，请选择早一点的时间").On("startsAt", "打烊前做不完")
	}
	return ErrHours.On("startsAt", "不在营业时间内")
}

// book writes the booking and takes its time, in one transaction. When somebody was quicker it looks again, until nothing is left. Faults: ErrGone with
// the three nearest alternatives, ErrCar, ErrLimit.
func (s *Service) book(ctx context.Context, w wish, b Booking) (Booking, error) {
	if b.Kind != KindRescue { // most losers of a rush are told before they queue for the database
		if _, err := s.pick(ctx, s.db, w, b.StartsAt, s.db.Now(), nil); err != nil {
			if errors.Is(err, ErrGone) {
				err = s.goneFor(ctx, w, b)
			}
			return s.before(ctx, err)
		}
	}
	err := errTry
	var done Booking
	for try := 0; try < tries && (errors.Is(err, slot.ErrTaken) || errors.Is(err, errTry)); try++ {
		err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			fresh, x := tx.NewID(), b
			id, _, err := idem.OnceAs(ctx, tx, fresh, func() error { return s.createTx(ctx, tx, w, &x, fresh) })
			if id != fresh {
				x = Booking{ID: id} // created before under the same key
			}
			done = x
			return err
		})
		if errors.Is(err, slot.ErrTaken) && try == 0 {
			if _, err := s.freeDue(ctx, w.store.ID); err != nil {
				return Booking{}, err
			}
		}
	}
	switch {
	case errors.Is(err, slot.ErrTaken), errors.Is(err, ErrGone):
		return Booking{}, s.gone(ctx, w, b.StartsAt)
	case err != nil:
		return Booking{}, err
	case done.No == "":
		return bookingByID(ctx, s.db, done.ID, "")
	}
	return done, nil
}

var errTry = errors.New("booking: not tried yet")

// pick chooses bays and technicians for a start. Fault: ErrGone.
func (s *Service) pick(ctx context.Context, r db.Reader, w wish, start, now time.Time, prefer []int64, ignore ...int64) ([]slot.Pick, error) {
	day := w.store.BizDay(start) // the whole day: who has least to do is seen on it
	from, err := midnight(w.store, day)
	if err != nil {
		return nil, err
	}
	to, err := midnight(w.store, bizday.Add(day, 1))
	if err != nil {
		return nil, err
	}
	f, a, err := s.picture(ctx, r, w, now, from, to, ignore...)
	if err != nil {
		return nil, err
	}
	picks, ok := f.Assign(a, w.plan.first(start), prefer)
	if !ok {
		return nil, ErrGone
	}
	return picks, nil
}

// gone is ErrGone with the nearest starts that are free.
func (s *Service) gone(ctx context.Context, w wish, start time.Time) error {
	now := s.db.Now()
	from, err := midnight(w.store, w.store.BizDay(now))
	if err != nil {
		return err
	}
	to, err := midnight(w.store, bizday.Add(w.lastDay(now), 1))
	if err != nil {
		return err
	}
	f, a, err := s.picture(ctx, s.db, w, now, from, to)
	if err != nil {
		return err
	}
	var alt Alternatives
	for _, c := range f.Near(a, w.plan.first(start), 3) {
		alt.Alternatives = append(alt.Alternatives, w.plan.shown(c))
	}
	slices.SortFunc(alt.Alternatives, func(x, y Slot) int { return x.StartsAt.Compare(y.StartsAt) })
	if alt.Alternatives == nil {
		alt.Alternatives = []Slot{}
	}
	return ErrGone.Give(alt)
}

// goneFor is gone, unless the car itself is what is missing: then another time alone would not help. Fault: ErrCar.
func (s *Service) goneFor(ctx context.Context, w wish, b Booking) error {
	x := w.plan.shown(w.plan.first(b.StartsAt))
	if err := s.freeCar(ctx, s.db.Reads(), w.asking(), w.store, b, x.StartsAt, x.EndsAt); err != nil {
		return err
	}
	return s.gone(ctx, w, b.StartsAt)
}

// createTx writes a booking. Locks: due holds, the member's open bookings, the member, the car, then the time.
func (s *Service) createTx(ctx context.Context, tx *db.Tx, w wish, b *Booking, id int64) error {
	b.ID, b.No, b.CreatedAt = id, fmt.Sprintf("B%d", id), tx.Now
	due, err := s.expireDueTx(ctx, tx, w.store.ID)
	if err != nil {
		return err
	}
	if w.memberID != 0 {
		if err := s.mayBookTx(ctx, tx, w, b); err != nil {
			return err
		}
	}
	shown := Slot{StartsAt: b.StartsAt, EndsAt: b.EndsAt} // of a rescue
	if b.Kind != KindRescue {
		shown = w.plan.shown(w.plan.first(b.StartsAt))
	}
	if err := s.freeCarTx(ctx, tx, w.asking(), w.store, *b, shown.StartsAt, shown.EndsAt); err != nil {
		return err
	}
	if err := s.openAs(ctx, tx, w, b); err != nil {
		return err
	}
	want := map[int64][]slot.Claim{}
	for _, d := range due {
		want[d] = nil
	}
	b.BizDay = w.store.BizDay(b.StartsAt)
	if b.Kind != KindRescue {
		var prefer []int64
		if w.same && w.memberID != 0 {
			if prefer, err = lastTechnicians(ctx, tx, w.memberID); err != nil {
				return err
			}
		}
		picks, err := s.pick(ctx, tx, w, b.StartsAt, tx.Now, prefer, due...)
		if err != nil {
			return err
		}
		b.place(w.plan.segments(picks), w.store.BizDay)
		b.Explain = explain(picks)
		want[b.ID] = claims(b.Segments)
	}
	b.FreeCancelUntil = b.StartsAt.Add(-time.Duration(w.plan.freeCancelHours) * time.Hour)
	if len(want) > 0 {
		if err := s.slots.ArrangeTx(ctx, tx, b.StoreID, want); err != nil {
			return err
		}
	}
	if err := s.seal(b); err != nil {
		return err
	}
	if err := insertBooking(ctx, tx, *b); err != nil {
		return err
	}
	logTx(ctx, tx, *b, EventCreated, createdText(*b))
	if w.desk {
		if err := audit.RecordTx(ctx, tx, audit.Entry{Action: "booking.create", SubjectKind: "booking", SubjectID: b.ID, SubjectLabel: b.No, StoreID: b.StoreID,
			Detail: map[string]any{"plate": b.Plate, "title": b.Title, "startsAt": b.StartsAt, "memberId": b.MemberID}}); err != nil {
			return err
		}
	}
	if b.State == Confirmed {
		if err := s.tellTx(ctx, tx, *b, notify.BookingConfirmed); err != nil {
			return err
		}
	}
	return s.changedTx(ctx, tx, *b, "")
}

// openAs decides how a new booking begins: the desk's word counts at once, an owner confirms or pays first, and what somebody has to drive out for
// is accepted first.
func (s *Service) openAs(ctx context.Context, tx *db.Tx, w wish, b *Booking) error {
	switch {
	case b.Kind == KindRescue, b.Kind == KindErrand && !w.desk:
		b.State = Requested
	case w.desk:
		b.State, b.ConfirmedAt = Confirmed, tx.Now
	default:
		b.State, b.HoldExpiresAt = Held, tx.Now.Add(time.Duration(w.hold)*time.Minute)
		deposit, _, err := s.depositFor(ctx, tx, w, tx.Now)
		if err != nil {
			return err
		}
		if deposit > 0 {
			b.DepositFen, b.DepositState = deposit, DepositDue
		}
	}
	return nil
}

// mayBookTx checks standing and limit of a member on locked rows, so that two phones at once see each other. Faults: ErrLimit, those of
// member.Standing.Usable for owners.
func (s *Service) mayBookTx(ctx context.Context, tx *db.Tx, w wish, b *Booking) error {
	if _, _, err := openOf(ctx, tx, w.memberID); err != nil { // bookings are locked before their member
		return err
	}
	st, err := s.members.StandingTx(ctx, tx, w.memberID)
	if err != nil {
		return err
	}
	if st.Status == member.StatusMerged {
		return member.ErrMerged
	}
	if st.Status == member.StatusClosed {
		return fault.ErrNotFound
	}
	if w.desk {
		return nil
	}
	if err := st.Usable(); err != nil && !errors.Is(err, member.ErrCardFrozen) && !errors.Is(err, member.ErrCardLost) && !errors.Is(err, member.ErrNoCard) {
		return err
	}
	n, rescues, err := openOf(ctx, tx, w.memberID)
	if err != nil {
		return err
	}
	if n >= w.maxOpen && (b.Kind != KindRescue || rescues > 0) { // help is not refused, once
		return ErrLimit.Say("您已有 %d 个未完成的预约，完成或取消后再约新的", n).Give(map[string]int{"maxOpen": w.maxOpen})
	}
	return nil
}

// expireDueTx ends the holds of a store whose time is over and returns whose cells are to be freed by the caller. A hold that somebody else is deciding
// about is waited for.
func (s *Service) expireDueTx(ctx context.Context, tx *db.Tx, storeID int64) ([]int64, error) {
	ids, err := dueHolds(ctx, tx, storeID, tx.Millis(), 50, "")
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	var ended []int64
	for _, id := range ids {
		ok, err := s.expireTx(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		if ok {
			ended = append(ended, id)
		}
	}
	return ended, nil
}

// expireTx ends one hold if it is due; its cells stay the caller's to free. Its deposit, if one is under way, goes back by itself (N06).
func (s *Service) expireTx(ctx context.Context, tx *db.Tx, id int64) (bool, error) {
	b, err := lockBooking(ctx, tx, id)
	if err != nil || b.State != Held || b.HoldExpiresAt.After(tx.Now) {
		return false, err
	}
	b.HoldExpiresAt = time.Time{}
	if b.DepositState == DepositDue {
		b.DepositState = DepositNone
	}
	return true, s.moveTx(ctx, tx, &b, Expired, EventExpired, "保留时间已过，自动放开")
}

// ExpireDue ends every hold whose time is over, a few at a time. It is for the job.
func (s *Service) ExpireDue(ctx context.Context) (n int, err error) { return s.freeDue(ctx, 0) }

// dueBatch is how many due holds are read at once.
const dueBatch = 200

// freeDue ends the holds of a store whose time is over, one transaction each; store 0 is every store. A search counts all of them as free, and a command ends
// only a few within its own transaction: whoever finds taken what a search has shown calls this and tries again.
func (s *Service) freeDue(ctx context.Context, storeID int64) (n int, err error) {
	for {
		ids, err := dueHolds(ctx, s.db, storeID, s.db.Now().UnixMilli(), dueBatch, "")
		if err != nil {
			return n, err
		}
		for _, id := range ids {
			ended := false
			err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
				if ended, err = s.expireTx(ctx, tx, id); err != nil || !ended {
					return err
				}
				return s.slots.FreeTx(ctx, tx, id)
			})
			if err != nil {
				return n, err
			}
			if ended {
				n++
			}
		}
		if len(ids) < dueBatch {
			return n, nil
		}
	}
}

func createdText(b Booking) string {
	text := "预约" + b.Title
	if b.State == Requested {
		text = "申请" + b.Title
	}
	if b.Explain != "" {
		text += "；" + b.Explain
	}
	return text
}

// moveTx changes the state of a locked booking, writes the row and the log, and tells whoever follows.
func (s *Service) moveTx(ctx context.Context, tx *db.Tx, b *Booking, to State, kind, text string) error {
	from := b.State
	if !mayMove(b.Kind, from, to) {
		return ErrState
	}
	b.State = to
	switch to {
	case Confirmed:
		b.ConfirmedAt = tx.Now
	case Dispatched:
		b.DispatchedAt = tx.Now
	case Arrived:
		b.ArrivedAt = tx.Now
	case InService:
		b.StartedAt = tx.Now
	case Done:
		if from == InService {
			b.FinishedAt = tx.Now
		}
	case Cancelled, Expired, NoShow:
		b.EndedAt, b.HoldExpiresAt = tx.Now, time.Time{}
	}
	if err := saveTx(ctx, tx, b, from); err != nil {
		return err
	}
	logTx(ctx, tx, *b, kind, text)
	return s.changedTx(ctx, tx, *b, from)
}

// changedTx tells the rest of the package, and open boards after the commit, that a booking changed. from is "" for a new one and the state that it
// still has when something else changed.
func (s *Service) changedTx(ctx context.Context, tx *db.Tx, b Booking, from State) error {
	tx.AfterCommit(s.board.changed)
	for _, f := range s.watchers {
		if err := f(ctx, tx, b, from); err != nil {
			return err
		}
	}
	return nil
}

// tellTx sends the member a message about the booking, once per event and version.
func (s *Service) tellTx(ctx context.Context, tx *db.Tx, b Booking, event string) error {
	if b.MemberID == 0 {
		return nil
	}
	store, err := s.shops.Store(ctx, b.StoreID)
	if err != nil {
		return err
	}
	return s.messages.EnqueueTx(ctx, tx, notify.Message{MemberID: b.MemberID, Event: event, Dedupe: fmt.Sprintf("%s:%d:%d", event, b.ID, b.Version),
		Page: fmt.Sprintf("pages/booking/detail?id=%d", b.ID),
		Data: map[string]string{"title": b.Title, "time": b.StartsAt.Format(time.RFC3339), "store": store.Name, "address": store.Address, "plate": b.Plate, "no": b.No,
			"amount": money.Fen(b.DepositFen).String(), "reason": b.CancelReason, "hint": "时间有调整，请查看"}})
}
