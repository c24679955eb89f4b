package remind

import (
	"context"

	"github.com/liangche/liangche/internal/db"
)

// MergeTx gives what is known of a member's cars to another, whose the cars are now. Of a car that both have entered, what the other told of it stays; what
// only the former told goes to the other's entry.
func (s *Service) MergeTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	cars, err := carsOf(ctx, tx, from)
	if err != nil {
		return err
	}
	own, err := carsOf(ctx, tx, into)
	if err != nil {
		return err
	}
	for id := range cars {
		twin, err := s.Members.TwinVehicle(ctx, tx, id, into)
		if err != nil {
			return err
		}
		if _, told := own[twin]; told && twin != id {
			if err := dropCar(ctx, tx, id); err != nil {
				return err
			}
			continue
		}
		if twin == 0 {
			twin = id
		}
		if _, err := tx.Exec(ctx, `UPDATE remind_cars SET member_id = ?, vehicle_id = ? WHERE vehicle_id = ?`, into, twin, id); err != nil {
			return err
		}
	}
	return nil
}
