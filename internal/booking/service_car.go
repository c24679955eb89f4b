package booking

import (
	"context"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/shop"
)

// A car is in one place at a time. It is known by its plate, whoever entered it, and by the id that it has with its member, for a plate may be
// corrected. Whoever plans time for a car locks it first, until the commit, after bookings and members and before the time itself: so of two
// phones that book at once the second sees what the first has. Work that is under way is not asked: it lasts as long as it lasts.

// freeCarTx locks the car of a booking that is to last from start to end and refuses it when another open booking has the car then. memberID is the
// owner who asks, 0 for staff. Fault: ErrCar.
func (s *Service) freeCarTx(ctx context.Context, tx *db.Tx, memberID int64, here shop.Store, b Booking, start, end time.Time) error {
	all, err := lockCar(ctx, tx, b)
	if err != nil {
		return err
	}
	return s.refuseMet(ctx, memberID, here, b, start, end, all)
}

// freeCar is freeCarTx without the lock, for what is only said and not decided.
func (s *Service) freeCar(ctx context.Context, r gatherer, memberID int64, here shop.Store, b Booking, start, end time.Time) error {
	all, err := openOfCar(ctx, r, b, s.db.Now())
	if err != nil {
		return err
	}
	return s.refuseMet(ctx, memberID, here, b, start, end, all)
}

func (s *Service) refuseMet(ctx context.Context, memberID int64, here shop.Store, b Booking, start, end time.Time, all []carTime) error {
	walkIn := b.Channel == ChannelWalkIn && b.State == Queued
	i := slices.IndexFunc(all, func(x carTime) bool {
		return x.ID != b.ID && x.meets(b.Kind, start, end) && !(walkIn && x.State.holdsPlate()) // the plate's own key refuses that
	})
	if i < 0 {
		return nil
	}
	other, err := s.shops.Store(ctx, all[i].StoreID)
	if err != nil {
		return err
	}
	return refuseCar(b.Plate, all[i], other, here, asker{memberID: memberID, inStore: memberID == 0 && actor.From(ctx).InStore(other.ID), walkIn: walkIn})
}

// asking is the owner who is told what becomes of a wish, 0 when staff are.
func (w wish) asking() int64 {
	if w.desk {
		return 0
	}
	return w.memberID
}

// longer says whether a booking takes time at x that it does not have yet.
func (b Booking) longer(x Slot) bool {
	return x.StartsAt.Before(b.StartsAt) || x.EndsAt.After(b.EndsAt)
}

// carOf is the id that a plate has among a member's cars, 0 when they have none with it.
func (s *Service) carOf(ctx context.Context, memberID int64, plate string) (int64, error) {
	if memberID == 0 {
		return 0, nil
	}
	cars, err := s.members.Vehicles(ctx, memberID)
	for _, v := range cars {
		if v.Plate == plate {
			return v.ID, err
		}
	}
	return 0, err
}
