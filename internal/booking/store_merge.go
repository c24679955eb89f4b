package booking

import (
	"cmp"
	"context"
	"slices"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// MergeLook says which bookings to come and waits of a member would go to another, and which ones are in the way.
func (s *Service) MergeLook(ctx context.Context, r db.Reader, lock string, from, _ int64) (moves map[string][]string, blocks []*fault.Error, err error) {
	type row struct {
		State    string `db:"state"`
		StartsAt int64  `db:"starts_at"`
		Title    string `db:"title"`
	}
	var rows []row
	query, args, err := db.In(`SELECT state, starts_at, title FROM booking_bookings WHERE member_id = ? AND state IN (?) ORDER BY id`, from, append(stateNames(open), string(Done)))
	if err != nil {
		return nil, nil, err
	}
	if err := r.Select(ctx, &rows, query+lock, args...); err != nil {
		return nil, nil, err
	}
	moves = map[string][]string{}
	held, working := false, false
	slices.SortStableFunc(rows, func(x, y row) int { return cmp.Compare(x.StartsAt, y.StartsAt) }) // locked by id, read by time
	for _, x := range rows {
		switch State(x.State) {
		case Confirmed:
			at := clock.FromMillis(x.StartsAt).In(bizday.Location(bizday.DefaultZone))
			moves["bookings"] = append(moves["bookings"], at.Format("1月2日 15:04")+" "+x.Title)
		case Held:
			held = true
		default:
			working = true
		}
	}
	if held {
		blocks = append(blocks, ErrMergeHeld)
	}
	if working {
		blocks = append(blocks, ErrMergeWorking)
	}
	var waits []string
	err = r.Select(ctx, &waits, `SELECT title FROM booking_waits WHERE member_id = ? AND state IN ('waiting', 'offered') ORDER BY id`+lock, from)
	if len(waits) > 0 {
		moves["waits"] = waits
	}
	return moves, blocks, err
}

// MergeTx gives a member's bookings to come, and what they wait for, to another. Those that are over stay.
func (s *Service) MergeTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	var rows []bookingRow
	if err := tx.Select(ctx, &rows, `SELECT `+bookingColumns+` FROM booking_bookings WHERE member_id = ? AND state = 'confirmed' ORDER BY id`+tx.ForUpdate(), from); err != nil {
		return err
	}
	for _, x := range rows {
		car, err := s.twin(ctx, tx, x.VehicleID, into)
		if err != nil {
			return err
		}
		if err := tx.ExecOne(ctx, ErrVersion, `UPDATE booking_bookings SET member_id = ?, vehicle_id = ?, version = version + 1 WHERE id = ? AND member_id = ?`, into, car, x.ID, from); err != nil {
			return err
		}
		logTx(ctx, tx, x.booking(), EventMerged, "会员已合并，预约转到合并后的会员")
	}
	if len(rows) > 0 {
		tx.AfterCommit(s.board.changed)
	}
	var waits []waitRow
	if err := tx.Select(ctx, &waits, `SELECT `+waitColumns+` FROM booking_waits WHERE member_id = ? AND state IN ('waiting', 'offered') ORDER BY id`+tx.ForUpdate(), from); err != nil {
		return err
	}
	for _, w := range waits {
		car, err := s.twin(ctx, tx, w.VehicleID, into)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE booking_waits SET member_id = ?, vehicle_id = ?, updated_at = ? WHERE id = ?`, into, car, tx.Millis(), w.ID); err != nil {
			return err
		}
	}
	return nil
}

// twin is the car of a member that has the same plate as another one's, which itself goes to them when they have none.
func (s *Service) twin(ctx context.Context, r db.Reader, vehicleID, into int64) (int64, error) {
	if vehicleID == 0 {
		return 0, nil
	}
	car, err := s.members.TwinVehicle(ctx, r, vehicleID, into)
	if car == 0 {
		car = vehicleID
	}
	return car, err
}
