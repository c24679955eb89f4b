package booking

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
)

// Booked are those of the members who have a booking to come or under way.
func (s *Service) Booked(ctx context.Context, members []int64) (map[int64]bool, error) {
	out := map[int64]bool{}
	if len(members) == 0 {
		return out, nil
	}
	q, args, err := db.In(`SELECT DISTINCT member_id FROM booking_bookings WHERE member_id IN (?) AND state IN (?)`, members, stateNames(open))
	if err != nil {
		return nil, err
	}
	var ids []int64
	err = s.db.Select(ctx, &ids, q, args...)
	for _, id := range ids {
		out[id] = true
	}
	return out, err
}

// expected are the confirmed bookings of a store that begin in [from, to) and whose owner has not been told the evening before.
func expected(ctx context.Context, r db.Reader, storeID int64, from, to time.Time, limit int) (ids []int64, err error) {
	return ids, r.Select(ctx, &ids, `SELECT id FROM booking_bookings WHERE state = 'confirmed' AND starts_at >= ? AND starts_at < ? AND store_id = ? AND eve_of <> starts_at ORDER BY starts_at, id LIMIT ?`,
		clock.Millis(from), clock.Millis(to), storeID, limit)
}

// markTomorrow notes that the evening before a start is dealt with; a booking that is moved has another start and another evening. False when it was before.
func markTomorrow(ctx context.Context, tx *db.Tx, id int64, startsAt time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE booking_bookings SET eve_of = ? WHERE id = ? AND eve_of <> ? AND starts_at = ?`, clock.Millis(startsAt), id, clock.Millis(startsAt), clock.Millis(startsAt))
	return n == 1, err
}
