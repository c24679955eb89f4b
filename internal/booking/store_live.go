package booking

import (
	"context"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
)

// revisionWindow is how far back the log is counted. Two instances may commit in another order than they made their ids, so the highest id alone
// would miss a change; the count finds it.
const revisionWindow = 15 * time.Minute

// revisions names the state of each store's log: another name, another state. The window moves in whole steps, so a quiet store keeps its name.
func revisions(ctx context.Context, r db.Reader, now time.Time, stores []int64) (map[int64]string, error) {
	since := now.Truncate(revisionWindow).Add(-revisionWindow)
	query, args, err := db.In(`SELECT store_id, COUNT(*) AS n, MAX(id) AS top FROM booking_events WHERE store_id IN (?) AND created_at >= ? GROUP BY store_id ORDER BY store_id`,
		stores, clock.Millis(since))
	if err != nil {
		return nil, err
	}
	var rows []struct {
		StoreID int64 `db:"store_id"`
		N       int64 `db:"n"`
		Top     int64 `db:"top"`
	}
	if err := r.Select(ctx, &rows, query, args...); err != nil {
		return nil, err
	}
	out := make(map[int64]string, len(stores))
	for _, s := range stores {
		out[s] = fmt.Sprint(since.Unix())
	}
	for _, x := range rows {
		out[x.StoreID] = fmt.Sprintf("%d-%d-%d", since.Unix(), x.N, x.Top)
	}
	return out, nil
}

// lastEventAt is when a booking's latest event of a kind was written; zero when there is none.
func lastEventAt(ctx context.Context, r db.Reader, bookingID int64, kind string) (time.Time, error) {
	var at []int64
	err := r.Select(ctx, &at, `SELECT created_at FROM booking_events WHERE booking_id = ? AND kind = ? ORDER BY id DESC LIMIT 1`, bookingID, kind)
	if err != nil || len(at) == 0 {
		return time.Time{}, err
	}
	return clock.FromMillis(at[0]), nil
}

// startingBetween are bookings in a state whose start lies in [from, to], earliest first.
func startingBetween(ctx context.Context, r db.Reader, state State, from, to time.Time, limit int) (ids []int64, err error) {
	err = r.Select(ctx, &ids, `SELECT id FROM booking_bookings WHERE state = ? AND starts_at >= ? AND starts_at <= ? ORDER BY starts_at, id LIMIT ?`,
		string(state), clock.Millis(from), clock.Millis(to), limit)
	return ids, err
}

// unreminded are confirmed bookings that begin in (now, until] and whose owner has not been reminded.
func unreminded(ctx context.Context, r db.Reader, now, until time.Time, limit int) (ids []int64, err error) {
	err = r.Select(ctx, &ids, `SELECT id FROM booking_bookings WHERE state = 'confirmed' AND starts_at > ? AND starts_at <= ? AND reminded_at IS NULL ORDER BY starts_at, id LIMIT ?`,
		clock.Millis(now), clock.Millis(until), limit)
	return ids, err
}

// inState are the bookings of a store in any of the states, in the order in which they came; store 0 is every store.
func inState(ctx context.Context, r db.Reader, storeID int64, states ...State) ([]Booking, error) {
	if storeID == 0 {
		return bookingsWhere(ctx, r, "state IN (?) ORDER BY id", stateNames(states))
	}
	return bookingsWhere(ctx, r, "state IN (?) AND store_id = ? ORDER BY id", stateNames(states), storeID)
}

// upcoming are the bookings of a store that hold time after an instant, earliest start first.
func upcoming(ctx context.Context, r db.Reader, storeID, fromCell int64, limit int) ([]Booking, error) {
	return bookingsWhere(ctx, r, "store_id = ? AND to_cell > ? AND state IN (?) ORDER BY starts_at, id LIMIT ?", storeID, fromCell,
		stateNames([]State{Held, Confirmed, Dispatched, Arrived, InService}), limit)
}

// markReminded notes that a booking's owner was reminded, once; the version stays, because nothing changed that anybody sees.
func markReminded(ctx context.Context, tx *db.Tx, id int64) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE booking_bookings SET reminded_at = ? WHERE id = ? AND state = 'confirmed' AND reminded_at IS NULL`, tx.Millis(), id)
	return n == 1, err
}

// bookingsByID reads several bookings.
func bookingsByID(ctx context.Context, r db.Reader, ids []int64) ([]Booking, error) {
	return bookingsWhere(ctx, r, "id IN (?) ORDER BY id", ids)
}
