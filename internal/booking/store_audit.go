package booking

import (
	"context"
	"fmt"
	"maps"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/slot"
)

// Audit recomputes what bookings claim and reports each difference in one sentence: states against instants and plates, segments against the time
// that is taken, deposits against their postings. It changes nothing.
func (s *Service) Audit(ctx context.Context, report func(problem string)) error {
	checks := []struct{ query, say string }{
		{`SELECT id FROM booking_bookings WHERE state NOT IN ('queued', 'requested', 'held', 'confirmed', 'dispatched', 'arrived', 'in_service', 'done', 'settled', 'cancelled', 'expired', 'no_show') ORDER BY id`,
			"booking_bookings %d: its state does not exist"},
		{`SELECT id FROM booking_bookings WHERE state IN ('arrived', 'in_service') AND (active_plate IS NULL OR active_plate <> plate) ORDER BY id`, "booking_bookings %d: is under way without holding its plate"},
		{`SELECT id FROM booking_bookings WHERE state NOT IN ('queued', 'arrived', 'in_service') AND active_plate IS NOT NULL ORDER BY id`, "booking_bookings %d: holds its plate though nothing is under way"},
		{`SELECT id FROM booking_bookings WHERE (state = 'held') <> (hold_expires_at IS NOT NULL) ORDER BY id`, "booking_bookings %d: its state does not fit the end of its hold"},
		{`SELECT id FROM booking_bookings WHERE (state IN ('cancelled', 'expired', 'no_show')) <> (ended_at IS NOT NULL) ORDER BY id`, "booking_bookings %d: its state does not fit when it ended"},
		{`SELECT id FROM booking_bookings WHERE (state = 'in_service' AND started_at IS NULL) OR (state IN ('done', 'settled') AND finished_at IS NULL) ORDER BY id`, "booking_bookings %d: its state does not fit when work began or ended"},
		{`SELECT id FROM booking_bookings WHERE state = 'settled' AND order_id = 0 ORDER BY id`, "booking_bookings %d: settled without an order"},
		{`SELECT id FROM booking_bookings WHERE deposit_state IN ('paid', 'refunding', 'refunded', 'forfeited', 'used') AND (paid_posting_id = 0 OR payment_id = 0) ORDER BY id`, "booking_bookings %d: its deposit was taken without payment or posting"},
		{`SELECT id FROM booking_bookings WHERE deposit_state IN ('none', 'due') AND paid_posting_id <> 0 ORDER BY id`, "booking_bookings %d: has a posting of a deposit that was not paid"},
		{`SELECT id FROM booking_bookings WHERE deposit_state = 'due' AND state <> 'held' ORDER BY id`, "booking_bookings %d: waits for a deposit though it is not held"},
		{`SELECT id FROM booking_bookings WHERE (deposit_state IN ('refunding', 'refunded') AND deposit_back_fen <> deposit_fen) OR deposit_back_fen + deposit_used_fen > deposit_fen OR deposit_back_fen < 0 OR deposit_used_fen < 0 ORDER BY id`,
			"booking_bookings %d: more or less of its deposit went back than it says"},
		{`SELECT id FROM booking_bookings WHERE deposit_state IN ('refunding', 'refunded', 'forfeited') AND out_posting_id = 0 ORDER BY id`, "booking_bookings %d: its deposit is gone without a posting"},
		{`SELECT id FROM booking_bookings WHERE deposit_state IN ('paid') AND state IN ('cancelled', 'expired', 'no_show', 'settled') ORDER BY id`, "booking_bookings %d: ended, and still keeps a deposit"},
		{`SELECT b.id FROM booking_bookings b LEFT JOIN booking_events e ON e.booking_id = b.id WHERE e.id IS NULL ORDER BY b.id`, "booking_bookings %d: has no log"},
		{`SELECT booking_id FROM booking_segments WHERE from_cell > to_cell OR service_from > service_to OR service_to > to_cell ORDER BY booking_id`, "booking_segments of %d: the work does not lie within what is reserved"},
	}
	for _, c := range checks {
		var ids []int64
		if err := s.db.Select(ctx, &ids, c.query); err != nil {
			return err
		}
		for _, id := range ids {
			report(fmt.Sprintf(c.say, id))
		}
	}
	return s.auditCells(ctx, report)
}

// auditKeeps is how far back cells are compared: older ones may have been forgotten.
const auditKeeps = 24 * 60 / slot.CellMinutes

// auditCells compares what bookings have reserved with whose the time is: exactly their segments for those that live, none for those that ended
// unserved. Bookings go on meanwhile, so what differs is looked at again under the booking's lock.
func (s *Service) auditCells(ctx context.Context, report func(string)) error {
	since := int64(slot.CellOf(s.db.Now())) - auditKeeps
	for last := int64(0); ; {
		list, err := bookingsWhere(ctx, s.db, "id > ? AND to_cell >= ? ORDER BY id LIMIT 500", last, since)
		if err != nil || len(list) == 0 {
			return err
		}
		ids := make([]int64, 0, len(list))
		for _, b := range list {
			ids = append(ids, b.ID)
		}
		last = ids[len(ids)-1]
		held, err := s.slots.Held(ctx, s.db, ids...)
		if err != nil {
			return err
		}
		for _, b := range list {
			if sameTime(held[b.ID], reserved(b)) {
				continue
			}
			if err := s.auditAgain(ctx, b.ID, report); err != nil {
				return err
			}
		}
	}
}

func (s *Service) auditAgain(ctx context.Context, id int64, report func(string)) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		b, err := lockBooking(ctx, tx, id)
		if err != nil {
			return err
		}
		held, err := s.slots.Held(ctx, tx, id)
		if err == nil && !sameTime(held[id], reserved(b)) {
			report(fmt.Sprintf("booking_bookings %d (%s): the time that is taken, %v, is not that of its segments, %v", id, b.State, held[id], reserved(b)))
		}
		return err
	})
}

// reserved is what a booking should have taken.
func reserved(b Booking) []slot.Claim {
	if b.State.holdsCells() || b.State == Done || b.State == Settled {
		return claims(b.Segments)
	}
	return nil
}

// sameTime says whether two lists of claims stand for the same time.
func sameTime(a, b []slot.Claim) bool {
	cells := func(list []slot.Claim) map[[2]int64]bool {
		out := map[[2]int64]bool{}
		for _, c := range list {
			for at := c.From; at < c.To; at++ {
				out[[2]int64{c.ResourceID, int64(at)}] = true
			}
		}
		return out
	}
	return maps.Equal(cells(a), cells(b))
}
