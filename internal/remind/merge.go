package remind

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// MergeTx gives what a member told of their cars to another, after the cars themselves: what both told of the same plate stays as the other
// told it.
func (s *Service) MergeTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	known, err := carsOf(ctx, tx, from)
	if err != nil || len(known) == 0 {
		return err
	}
	b, err := readBook(ctx, tx, "")
	if err != nil {
		return err
	}
	today := bizday.Of(tx.Now, bizday.DefaultZone)
	for _, id := range slices.Sorted(maps.Keys(known)) {
		c, _, err := lockCar(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := dropCar(ctx, tx, id); err != nil {
			return err
		}
		switch err := s.Members.HasVehicleTx(ctx, tx, into, id); {
		case errors.Is(err, fault.ErrNotFound): // the other has a car of that plate
			if c.VehicleID, err = s.Members.TwinVehicle(ctx, tx, id, into); err != nil {
				return err
			}
		case err != nil:
			return err
		}
		if c.VehicleID == 0 {
			continue
		}
		if _, told, err := lockCar(ctx, tx, c.VehicleID); err != nil {
			return err
		} else if told {
			continue
		}
		c.MemberID = into
		if err := putCar(ctx, tx, b.row(c, today, tx.Millis()), false); err != nil {
			return err
		}
	}
	return nil
}
