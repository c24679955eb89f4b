package booking

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/slot"
)

// overrunStep is by how much a job that is late is extended at a time: short enough to keep what follows, long enough not to move it every minute.
const overrunStep = slot.Cell(2)

// extension says up to where a job that should be finished needs its last bay and technician, its changeover still after it, but no longer than
// the limit. ok is false when the job is not late, and when it has had all that it may: then somebody forgot to say that it is finished. It is pure.
func extension(b Booking, now time.Time, limit slot.Cell) (serviceTo, to slot.Cell, ok bool) {
	if b.State != InService || len(b.Segments) == 0 {
		return 0, 0, false
	}
	last := b.Segments[len(b.Segments)-1]
	if now.Before(slot.Cell(last.ServiceTo).Time()) {
		return 0, 0, false
	}
	serviceTo = min(slot.CellOf(now)+overrunStep, limit)
	return serviceTo, serviceTo + slot.Cell(last.ToCell-last.ServiceTo), serviceTo > slot.Cell(last.ServiceTo)
}

// began is when the time of a job counts from: when it was planned, or later when it began later. It is pure.
func (b Booking) began() time.Time {
	if b.StartedAt.After(b.StartsAt) {
		return b.StartedAt
	}
	return b.StartsAt
}

// planned is how long a job should take, ways between shop and customer included. It is pure.
func (b Booking) planned() time.Duration {
	minutes := b.Minutes
	if b.Kind == KindPickup {
		minutes += 2 * b.TravelMinutes
	}
	return time.Duration(max(minutes, slot.CellMinutes)) * time.Minute
}

// worked is how long the work of segments lasts, in minutes, without the ways of a driver. It is pure.
func worked(k Kind, segments []Segment) (minutes int) {
	for i, x := range segments {
		if k != KindPickup || (i > 0 && i < len(segments)-1) {
			minutes += int(x.ServiceTo-x.ServiceFrom) * slot.CellMinutes
		}
	}
	return minutes
}

// overdueAt is when a job is taken for forgotten rather than late: after twice its planned time, and when the shop closes.
func (s *Service) overdueAt(ctx context.Context, b Booking) (time.Time, error) {
	from := b.began()
	until := from.Add(2 * b.planned())
	open, err := s.shops.OpenSpans(ctx, b.StoreID, from, until)
	if err == nil && len(open) > 0 {
		until = open[0].To
	}
	return until, err
}

// inTheWay are the bookings that need the last bay or technician of a late job within its extension, first start first; cars on which work has
// begun are no longer moved. all must be sorted by start. It is pure.
func inTheWay(late Booking, to slot.Cell, all []Booking) (waiting []Booking, blocked bool) {
	last := late.Segments[len(late.Segments)-1]
	for _, b := range all {
		if b.ID == late.ID || !b.State.holdsCells() {
			continue
		}
		for _, s := range b.Segments {
			same := (s.BayID != 0 && s.BayID == last.BayID) || (s.TechnicianID != 0 && s.TechnicianID == last.TechnicianID)
			if !same || s.FromCell >= int64(to) || s.ToCell <= last.ToCell {
				continue
			}
			if b.State == InService {
				blocked = true
			} else {
				waiting = append(waiting, b)
			}
			break
		}
	}
	return waiting, blocked
}

// delay is by how many minutes a booking will begin late when the job before it ends at serviceTo plus its changeover. It is pure.
func delay(next Booking, to slot.Cell) int {
	return max(int(to-slot.Cell(next.FromCell))*slot.CellMinutes, 0)
}

// What the clock wants of a confirmed booking whose owner has not come.
type lateness int

const (
	onTime     lateness = iota
	remindLate          // tell the owner how long the bay is kept
	release             // the grace is over, and the owner was told
	releaseOld          // nobody could be told in time: the shop's own service was down
)

// lateStep decides about a booking that has not begun. remindedAt is when the owner was told to hurry, zero when never. Being told comes first,
// always: after an outage of ours the grace begins anew with the reminder, and when even the end has passed no message would make sense. It
// is pure.
func lateStep(b Booking, now, remindedAt time.Time, grace time.Duration) (lateness, time.Time) {
	keep := b.StartsAt.Add(grace)
	switch {
	case b.State != Confirmed || now.Before(b.StartsAt):
		return onTime, keep
	case remindedAt.IsZero() && !now.Before(b.EndsAt) && !now.Before(keep):
		return releaseOld, keep
	case remindedAt.IsZero():
		if now.After(keep.Add(-grace / 2)) {
			keep = now.Add(grace)
		}
		return remindLate, keep
	}
	if again := remindedAt.Add(grace); remindedAt.After(b.StartsAt.Add(grace / 2)) {
		keep = again
	}
	if now.Before(keep) {
		return onTime, keep
	}
	return release, keep
}

// remindable says whether a reminder before the start still helps: the start is to come, and the booking was not made within the time of the
// reminder. It is pure.
func remindable(b Booking, now time.Time, before time.Duration) bool {
	return b.State == Confirmed && b.RemindedAt.IsZero() && now.Before(b.StartsAt) && !now.Before(b.StartsAt.Add(-before)) && b.ConfirmedAt.Before(b.StartsAt.Add(-before))
}
