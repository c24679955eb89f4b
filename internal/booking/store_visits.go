package booking

import (
	"context"

	"github.com/liangche/liangche/internal/db"
)

// markPaid notes whether the order that holds a booking is paid. The booking must be locked.
func markPaid(ctx context.Context, tx *db.Tx, id int64, paid bool) error {
	_, err := tx.Exec(ctx, `UPDATE booking_bookings SET order_paid = ? WHERE id = ?`, paid, id)
	return err
}

// isPaid says whether the order that holds a booking is paid. It is decided on, so it is read under the lock.
func isPaid(ctx context.Context, tx *db.Tx, id int64) (paid bool, err error) {
	err = tx.Get(ctx, &paid, `SELECT order_paid FROM booking_bookings WHERE id = ?`+tx.ForUpdate(), id)
	return paid, err
}
