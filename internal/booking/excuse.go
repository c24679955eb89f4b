package booking

import (
	"context"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/notify"
)

// Expected lists the members' bookings of a store and date that begin after an instant and were made before another, in the order of their start.
func (s *Service) Expected(ctx context.Context, storeID int64, date string, after, madeBefore time.Time) ([]int64, error) {
	return expectedOn(ctx, s.db, storeID, date, after, madeBefore)
}

// ExcuseTx lets the owner move or cancel a booking free of charge until it begins, because of why, and tells them. It is done once for a dedupe text; false
// says that it was done before, or that there is nothing left to move. Fault: not_found.
func (s *Service) ExcuseTx(ctx context.Context, tx *db.Tx, id int64, dedupe, why string) (bool, error) {
	b, err := lockBooking(ctx, tx, id)
	if err != nil {
		return false, err
	}
	if b.MemberID == 0 || b.State != Confirmed && b.State != Held && b.State != Requested || !b.StartsAt.After(tx.Now) {
		return false, nil
	}
	store, err := s.shops.Store(ctx, b.StoreID)
	if err != nil {
		return false, err
	}
	told, err := s.messages.EnqueueManyTx(ctx, tx, []notify.Message{{MemberID: b.MemberID, Event: notify.RainRebook, Dedupe: dedupe, Page: fmt.Sprintf("pages/booking/detail?id=%d", b.ID), Until: b.StartsAt,
		Data: map[string]string{"title": b.Title, "time": b.StartsAt.Format(time.RFC3339), "store": store.Name, "address": store.Address, "plate": b.Plate, "no": b.No,
			"amount": money.Fen(b.DepositFen).String(), "hint": why}}})
	if err != nil || told == 0 {
		return false, err
	}
	if b.FreeCancelUntil.Before(b.StartsAt) {
		b.FreeCancelUntil = b.StartsAt
		if err := saveTx(ctx, tx, &b, b.State); err != nil {
			return false, err
		}
		if err := s.changedTx(ctx, tx, b, b.State); err != nil {
			return false, err
		}
	}
	logTx(ctx, tx, b, EventExcused, why)
	return true, nil
}
