package booking

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
)

// carLocks is how many rows of booking_locks all cars share: enough that two different cars rarely wait for each other, few enough that the table
// stays small, and no plate stands in it.
const carLocks = 4096

// locksOf are the rows that stand for a car, ascending.
func locksOf(b Booking) []int64 {
	row := func(name string) int64 {
		h := fnv.New32a()
		_, _ = h.Write([]byte(name)) // never fails
		return int64(h.Sum32() % carLocks)
	}
	out := []int64{row("plate " + b.Plate)}
	if b.VehicleID != 0 {
		out = append(out, row(fmt.Sprint("vehicle ", b.VehicleID)))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

type lockRow struct {
	ID int64 `db:"id"`
}

// lockCar locks the car of a booking and reads its open bookings as they are then: what others have planned for it is committed by now. The rows are
// locked one by one, by their key, so that nobody waits for another car's.
func lockCar(ctx context.Context, tx *db.Tx, b Booking) ([]carTime, error) {
	var missing []int64
	for _, id := range locksOf(b) {
		var have []lockRow
		tx.SelectSoon(&have, func() {
			if len(have) == 0 {
				missing = append(missing, id)
			}
		}, `SELECT id FROM booking_locks WHERE id = ?`+tx.ForUpdate(), id)
	}
	all, err := openOfCar(ctx, tx, b, tx.Now)
	if err != nil || len(missing) == 0 {
		return all, err
	}
	for _, id := range missing {
		if err := tx.Insert(ctx, "booking_locks", lockRow{id}); errors.Is(err, db.ErrDuplicate) {
			return nil, db.ErrAgain // somebody was quicker
		} else if err != nil {
			return nil, err
		}
	}
	return openOfCar(ctx, tx, b, tx.Now) // the rows are new, and locked only since they were written
}

// gatherer is what reads several things at once: a transaction, or Reads outside of one.
type gatherer interface {
	db.Asker
	Collect(ctx context.Context) error
}

type carRow struct {
	ID       int64  `db:"id"`
	StoreID  int64  `db:"store_id"`
	MemberID int64  `db:"member_id"`
	Title    string `db:"title"`
	Kind     string `db:"kind"`
	State    string `db:"state"`
	StartsAt int64  `db:"starts_at"`
	EndsAt   int64  `db:"ends_at"`
}

// openOfCar reads the open bookings of a car, first start first: those with its plate, and those that its member made for it under another. The
// booking itself is among them; holds that have run out are not.
func openOfCar(ctx context.Context, r gatherer, b Booking, now time.Time) ([]carTime, error) {
	const what = `SELECT id, store_id, member_id, title, kind, state, starts_at, ends_at FROM booking_bookings WHERE `
	const alive = ` AND state IN (?) AND (state <> 'held' OR hold_expires_at > ?) ORDER BY starts_at, id`
	var rows, renamed []carRow
	query, args, err := db.In(what+`plate = ?`+alive, b.Plate, stateNames(open), clock.Millis(now))
	if err != nil {
		return nil, err
	}
	r.SelectSoon(&rows, func() {}, query, args...)
	if b.VehicleID != 0 {
		if query, args, err = db.In(what+`member_id = ? AND vehicle_id = ? AND plate <> ?`+alive, b.MemberID, b.VehicleID, b.Plate, stateNames(open), clock.Millis(now)); err != nil {
			return nil, err
		}
		r.SelectSoon(&renamed, func() {}, query, args...)
	}
	if err := r.Collect(ctx); err != nil {
		return nil, err
	}
	out := make([]carTime, 0, len(rows)+len(renamed))
	for _, x := range append(rows, renamed...) {
		out = append(out, carTime{x.ID, x.StoreID, x.MemberID, x.Title, Kind(x.Kind), State(x.State), clock.FromMillis(x.StartsAt), clock.FromMillis(x.EndsAt)})
	}
	slices.SortFunc(out, func(x, y carTime) int { return cmp.Or(x.StartsAt.Compare(y.StartsAt), cmp.Compare(x.ID, y.ID)) })
	return out, nil
}
