package booking

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/slot"
	"github.com/liangche/liangche/internal/tier"
)

// Reschedule gives a booking another time, with everything that it had: the new time is taken and the old one freed in one transaction (N22). It is a
// money command when an owner acts (memberID), because a deposit hangs on it; 0 is staff. Faults: ErrState, ErrCar, ErrGone with alternatives, those of fit.
func (s *Service) Reschedule(ctx context.Context, memberID, id int64, startsAt time.Time, technicianID int64) (Booking, error) {
	seen, err := s.Get(ctx, memberID, id)
	if err != nil {
		return seen, err
	}
	w, err := s.wishAgain(ctx, seen, memberID == 0)
	if err != nil {
		return seen, err
	}
	w.technicianID = technicianID
	if err := s.fit(ctx, w, startsAt); err != nil {
		if memberID != 0 {
			return s.before(ctx, err)
		}
		return seen, err
	}
	err = errTry
	for try := 0; try < tries && (errors.Is(err, slot.ErrTaken) || errors.Is(err, errTry)); try++ {
		if try > 0 { // resized meanwhile, perhaps: it takes the time that it has now
			if seen, err = s.Get(ctx, memberID, id); err != nil {
				return seen, err
			}
			w.plan = planAgain(seen)
			if err = s.fit(ctx, w, startsAt); err != nil {
				return seen, err
			}
		}
		err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			run := func() (int64, error) { return id, s.rescheduleTx(ctx, tx, w, memberID, id, startsAt.UTC()) }
			if memberID == 0 {
				_, err := run()
				return err
			}
			_, _, err := idem.Once(ctx, tx, run)
			return err
		})
		if errors.Is(err, slot.ErrTaken) && try == 0 {
			if _, err := s.freeDue(ctx, w.store.ID); err != nil {
				return seen, err
			}
		}
	}
	switch {
	case errors.Is(err, errTry):
		return seen, ErrVersion
	case errors.Is(err, slot.ErrTaken), errors.Is(err, ErrGone):
		return seen, s.gone(ctx, w, startsAt)
	case err != nil:
		return seen, err
	}
	return s.Get(ctx, memberID, id)
}

// wishAgain is the wish that a booking stands for, from what was agreed and not from the catalogue of today.
func (s *Service) wishAgain(ctx context.Context, b Booking, desk bool) (w wish, err error) {
	w = wish{kind: b.Kind, channel: b.Channel, memberID: b.MemberID, plate: b.Plate, classID: b.VehicleClassID, className: b.VehicleClassName, items: b.Items,
		plan: planAgain(b), price: b.PriceFen, tier: tier.Tier{Name: b.MemberTier, Priority: b.Priority}, desk: desk}
	if len(w.plan.parts) == 0 {
		return w, ErrState.Say("这个预约没有固定时间，不能改期")
	}
	if w.policy, err = s.policy(ctx); err != nil {
		return w, err
	}
	w.store, err = s.shops.Open(ctx, b.StoreID)
	return w, err
}

// rescheduleTx moves a booking with the plan of the wish. Fault: errTry when somebody gave it another length since the wish was read.
func (s *Service) rescheduleTx(ctx context.Context, tx *db.Tx, w wish, memberID, id int64, start time.Time) error {
	due, err := s.expireDueTx(ctx, tx, w.store.ID)
	if err != nil {
		return err
	}
	b, err := lockBooking(ctx, tx, id)
	if err == nil {
		err = visible(ctx, b, memberID)
	}
	if err != nil {
		return err
	}
	switch {
	case b.State != Confirmed && b.State != Held && b.State != Requested:
		return ErrState.Say("车辆已经到店或预约已结束，不能改期")
	case b.State == Held && !b.HoldExpiresAt.After(tx.Now):
		return ErrHoldOver
	case !slices.Equal(planAgain(b).parts, w.plan.parts):
		return errTry
	}
	if x := w.plan.shown(w.plan.first(start)); b.longer(x) {
		if err := s.freeCarTx(ctx, tx, memberID, w.store, b, x.StartsAt, x.EndsAt); err != nil {
			return err
		}
	}
	prefer := technicians(b.Segments)
	picks, err := s.pick(ctx, tx, w, start, tx.Now, prefer, append(due, b.ID)...)
	if err != nil {
		return err
	}
	was, until := b.StartsAt, b.FreeCancelUntil
	b.place(w.plan.segments(picks), w.store.BizDay)
	b.Explain = explain(picks)
	b.FreeCancelUntil = freeUntil(was, until, b.StartsAt, tx.Now, memberID == 0)
	b.RemindedAt = time.Time{}
	want := map[int64][]slot.Claim{b.ID: claims(b.Segments)}
	for _, d := range due {
		want[d] = nil
	}
	if err := s.slots.ArrangeTx(ctx, tx, b.StoreID, want); err != nil {
		return err
	}
	if err := saveTx(ctx, tx, &b, b.State); err != nil {
		return err
	}
	if err := replaceSegmentsTx(ctx, tx, b); err != nil {
		return err
	}
	logTx(ctx, tx, b, EventRescheduled, fmt.Sprintf("改期：%s → %s；%s", clockText(w.store, was), clockText(w.store, b.StartsAt), b.Explain))
	if memberID == 0 {
		if err := s.tellTx(ctx, tx, b, notify.BookingChanged); err != nil {
			return err
		}
		if err := s.auditTx(ctx, tx, b, "booking.reschedule", map[string]any{"from": was, "to": b.StartsAt}); err != nil {
			return err
		}
	}
	return s.changedTx(ctx, tx, b, b.State)
}

// freeUntil is how long an owner may cancel for free, who could until then, when the start goes from was to start. Whoever is late already does not become
// early by moving; and nobody becomes late because the shop moved them closer: they may still leave until it begins. It is pure.
func freeUntil(was, until, start, now time.Time, byShop bool) time.Time {
	if now.After(until) {
		return until
	}
	next := start.Add(until.Sub(was))
	if !byShop || !next.Before(until) {
		return next
	}
	if until.After(start) {
		return start
	}
	return until
}

// technicians are those of segments, each once.
func technicians(segments []Segment) []int64 {
	var out []int64
	for _, x := range segments {
		if x.TechnicianID != 0 && !slices.Contains(out, x.TechnicianID) {
			out = append(out, x.TechnicianID)
		}
	}
	return out
}

func clockText(st shop.Store, t time.Time) string {
	return t.In(zoneOf(st)).Format("1月2日 15:04")
}

// Move is a drag, a resize, an assignment or an undo by staff: what absent values leave alone stays. The same function that finds times says what speaks
// against it (G06); force relaxes all but occupied time, and is logged with its reason. Faults: ErrVersion, ErrMove with every reason, ErrState.
func (s *Service) Move(ctx context.Context, id int64, in MoveAsk) (Booking, error) {
	if in.Force && strings.TrimSpace(in.Reason) == "" {
		return Booking{}, fault.ErrInvalid.Say("强制安排请写明原因").On("reason", "必填")
	}
	move := func() (Booking, error) {
		return s.change(ctx, 0, id, func(ctx context.Context, tx *db.Tx, b *Booking) error { return s.moveSegmentTx(ctx, tx, b, in) })
	}
	b, err := move()
	if errors.Is(err, slot.ErrTaken) && s.freedDueFor(ctx, id) {
		b, err = move()
	}
	if errors.Is(err, slot.ErrTaken) {
		err = refuse([]Refusal{{Text: "这段时间刚刚被占用", Hard: true}})
	}
	return b, err
}

// MoveOnce is Move as a money command: the same key moves once.
func (s *Service) MoveOnce(ctx context.Context, id int64, in MoveAsk) (Booking, error) {
	if in.Force && strings.TrimSpace(in.Reason) == "" {
		return Booking{}, fault.ErrInvalid.Say("强制安排请写明原因").On("reason", "必填")
	}
	move := func() error {
		return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			_, _, err := idem.Once(ctx, tx, func() (int64, error) {
				b, err := s.lockAll(ctx, tx, 0, id)
				if err != nil {
					return 0, err
				}
				return id, s.moveSegmentTx(ctx, tx, &b, in)
			})
			return err
		})
	}
	err := move()
	if errors.Is(err, slot.ErrTaken) && s.freedDueFor(ctx, id) {
		err = move()
	}
	if errors.Is(err, slot.ErrTaken) {
		err = refuse([]Refusal{{Text: "这段时间刚刚被占用", Hard: true}})
	}
	if err != nil {
		return Booking{}, err
	}
	return s.Get(ctx, 0, id)
}

// freedDueFor frees the due holds in a booking's store and says whether there were any.
func (s *Service) freedDueFor(ctx context.Context, id int64) bool {
	b, err := s.Get(ctx, 0, id)
	if err != nil {
		return false
	}
	n, err := s.freeDue(ctx, b.StoreID)
	return err == nil && n > 0
}

func (s *Service) moveSegmentTx(ctx context.Context, tx *db.Tx, b *Booking, in MoveAsk) error {
	switch {
	case b.Version != in.Version:
		return ErrVersion
	case !b.State.holdsCells():
		return ErrState.Say("这个预约已经结束或还没有安排，不能移动")
	case b.State == Held && !b.HoldExpiresAt.After(tx.Now):
		return ErrHoldOver
	}
	store, err := s.shops.Store(ctx, b.StoreID)
	if err != nil {
		return err
	}
	segments, err := rearranged(*b, in, slot.CellOf(tx.Now))
	if err != nil {
		return err
	}
	soft, err := s.objectTx(ctx, tx, store, *b, segments)
	if err != nil {
		return err
	}
	met := func(look func(to Booking) error) error { // work that is under way lasts as long as it lasts
		to := *b
		to.place(segments, store.BizDay)
		if b.State.Active() || b.State == Dispatched || !b.longer(Slot{StartsAt: to.StartsAt, EndsAt: to.EndsAt}) {
			return nil
		}
		return look(to)
	}
	err = met(func(to Booking) error { return s.freeCar(ctx, tx, 0, store, to, to.StartsAt, to.EndsAt) })
	if errors.Is(err, ErrCar) {
		soft, err = append(soft, Refusal{Text: fault.As(err).Message, Hard: true}), nil
	}
	if err != nil {
		return err
	}
	if len(soft) > 0 && (!in.Force || slices.ContainsFunc(soft, func(r Refusal) bool { return r.Hard })) {
		return refuse(soft)
	}
	was := *b
	due, err := s.expireDueTx(ctx, tx, b.StoreID)
	if err != nil {
		return err
	}
	if err := met(func(to Booking) error { return s.freeCarTx(ctx, tx, 0, store, to, to.StartsAt, to.EndsAt) }); err != nil {
		return err
	}
	b.place(segments, store.BizDay)
	if in.EndsAt != nil {
		b.Minutes = worked(b.Kind, segments) // another length was planned by whoever drew it
	}
	b.Explain = db.Clip(actor.From(ctx).Name+" 调整"+withName(strings.TrimSpace(in.Reason)), 300)
	want := map[int64][]slot.Claim{b.ID: claims(segments)}
	for _, d := range due {
		want[d] = nil
	}
	if err := s.slots.ArrangeTx(ctx, tx, b.StoreID, want); err != nil {
		return err
	}
	moved := !was.StartsAt.Equal(b.StartsAt)
	if moved {
		b.RemindedAt = time.Time{}
		b.FreeCancelUntil = freeUntil(was.StartsAt, was.FreeCancelUntil, b.StartsAt, tx.Now, true)
	}
	if err := saveTx(ctx, tx, b, b.State); err != nil {
		return err
	}
	if err := replaceSegmentsTx(ctx, tx, *b); err != nil {
		return err
	}
	return s.loggedMoveTx(ctx, tx, store, was, *b, soft, in.Reason, moved)
}

// loggedMoveTx writes what a move did into log and trail, and tells the owner when the time changed.
func (s *Service) loggedMoveTx(ctx context.Context, tx *db.Tx, store shop.Store, was, b Booking, forced []Refusal, reason string, moved bool) error {
	text, err := s.moveText(ctx, store, was, b)
	if err != nil {
		return err
	}
	kind := EventMoved
	if len(forced) > 0 {
		kind = EventForced
		var over []string
		for _, r := range forced {
			over = append(over, r.Text)
		}
		text += "；强制：" + strings.Join(over, "，")
	}
	if reason = strings.TrimSpace(reason); reason != "" {
		text += "；" + reason
	}
	logTx(ctx, tx, b, kind, text)
	if err := s.auditTx(ctx, tx, b, "booking."+kind, map[string]any{"change": text, "reason": reason}); err != nil {
		return err
	}
	if moved {
		if err := s.tellTx(ctx, tx, b, notify.BookingChanged); err != nil {
			return err
		}
	}
	return s.changedTx(ctx, tx, b, b.State)
}

// rearranged are a booking's segments after a drag or resize. What has begun is not moved in time, and keeps what lies behind it: only the time from now
// on goes to another bay or technician. It is pure. Faults: ErrMove, ErrState.
func rearranged(b Booking, in MoveAsk, now slot.Cell) ([]Segment, error) {
	at := slices.IndexFunc(b.Segments, func(x Segment) bool { return x.No == in.SegmentNo })
	if at < 0 {
		return nil, fault.ErrInvalid.On("segmentNo", "没有这一段")
	}
	out := slices.Clone(b.Segments)
	begun := b.State.Active() || b.State == Dispatched
	if in.StartsAt != nil {
		by := int64(slot.CellOf(*in.StartsAt)) - out[at].ServiceFrom
		switch {
		case by != 0 && begun:
			return nil, refuse([]Refusal{{Text: "已经开始，不能改开始时间", Hard: true}})
		case by != 0 && slot.Cell(out[0].ServiceFrom+by) < now:
			return nil, refuse([]Refusal{{Text: "开始时间已经过去", Hard: true}})
		}
		out = shifted(out, by)
	}
	x := &out[at]
	if in.EndsAt != nil {
		by := int64(slot.CellUp(*in.EndsAt)) - x.ServiceTo
		switch {
		case x.ServiceTo+by <= x.ServiceFrom:
			return nil, refuse([]Refusal{{Text: "结束时间要晚于开始时间", Hard: true}})
		case begun && slot.Cell(x.ServiceTo+by) < now:
			return nil, refuse([]Refusal{{Text: "结束时间已经过去；做完了请点完工", Hard: true}})
		}
		x.ServiceTo, x.ToCell = x.ServiceTo+by, x.ToCell+by
		rest := shifted(out[at+1:], by)
		copy(out[at+1:], rest)
	}
	if in.BayID != 0 || in.TechnicianID != 0 {
		bay, person := x.BayID, x.TechnicianID
		if in.BayID != 0 {
			bay = in.BayID
		}
		if in.TechnicianID != 0 {
			person = in.TechnicianID
		}
		if (bay != x.BayID || person != x.TechnicianID) && slot.Cell(x.FromCell) < now {
			x.FromCell = min(int64(now), x.ToCell) // what is behind us stays where it was; nobody books the past
		}
		x.BayID, x.TechnicianID = bay, person
	}
	return out, nil
}

// objectTx asks the engine what speaks against segments.
func (s *Service) objectTx(ctx context.Context, tx *db.Tx, store shop.Store, b Booking, segments []Segment) ([]Refusal, error) {
	now := slot.CellOf(tx.Now)
	from, to := slot.Cell(segments[0].FromCell), slot.Cell(segments[len(segments)-1].ToCell)
	c, err := s.scene(ctx, store, from.Time(), to.Time(), 0)
	if err != nil {
		return nil, err
	}
	due, err := dueHolds(ctx, tx, b.StoreID, tx.Millis(), maxDue, "")
	if err != nil {
		return nil, err
	}
	f, err := s.floor(ctx, tx, c, append(due, b.ID)...)
	if err != nil {
		return nil, err
	}
	p, err := s.policy(ctx)
	if err != nil {
		return nil, err
	}
	a := slot.Ask{Priority: b.Priority}
	if p.releaseHours > 0 {
		a.ReleaseAt = slot.CellOf(tx.Now.Add(time.Duration(p.releaseHours) * time.Hour))
	}
	var picks []slot.Pick
	for _, x := range segments {
		span := slot.Span{From: slot.Cell(x.FromCell), To: slot.Cell(x.ToCell)}
		if b.State.Active() {
			span.From = max(span.From, now) // the past is what it was
		}
		if span.From >= span.To {
			continue
		}
		picks = append(picks, slot.Pick{Need: len(a.Needs), BayID: x.BayID, TechnicianID: x.TechnicianID, From: span.From, To: span.To})
		a.Needs = append(a.Needs, slot.Need{BayKind: x.BayKind, Skill: x.Skill, MinLevel: x.MinLevel, Cells: int(span.To - span.From)})
	}
	var out []Refusal
	for _, o := range f.Objections(a, picks) {
		out = append(out, Refusal{Text: o.Text, Hard: o.Hard})
	}
	return out, nil
}

// refuse is ErrMove with its reasons.
func refuse(reasons []Refusal) error {
	hard := slices.ContainsFunc(reasons, func(r Refusal) bool { return r.Hard })
	var text []string
	for _, r := range reasons {
		text = append(text, r.Text)
	}
	return ErrMove.Say("不能这样安排：%s", strings.Join(text, "，")).Give(Refusals{Reasons: reasons, CanForce: !hard})
}

// moveText says in one line what differs.
func (s *Service) moveText(ctx context.Context, store shop.Store, was, b Booking) (string, error) {
	names, err := s.names(ctx, store.ID)
	if err != nil {
		return "", err
	}
	var parts []string
	if !was.StartsAt.Equal(b.StartsAt) {
		parts = append(parts, clockText(store, was.StartsAt)+" → "+clockText(store, b.StartsAt))
	}
	if was.EndsAt.Sub(was.StartsAt) != b.EndsAt.Sub(b.StartsAt) {
		parts = append(parts, fmt.Sprintf("时长 %d → %d 分钟", int(was.EndsAt.Sub(was.StartsAt).Minutes()), int(b.EndsAt.Sub(b.StartsAt).Minutes())))
	}
	for i, x := range b.Segments {
		if i >= len(was.Segments) {
			break
		}
		o := was.Segments[i]
		if o.BayID != x.BayID {
			parts = append(parts, names.bay(o.BayID)+" → "+names.bay(x.BayID))
		}
		if o.TechnicianID != x.TechnicianID {
			parts = append(parts, names.person(o.TechnicianID)+" → "+names.person(x.TechnicianID))
		}
	}
	if len(parts) == 0 {
		return "没有变化", nil
	}
	return strings.Join(parts, "，"), nil
}
