package member

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

type vehicleRow struct {
	ID          int64  `db:"id"`
	MemberID    int64  `db:"member_id"`
	Plate       string `db:"plate"`
	PlateKind   string `db:"plate_kind"`
	Brand       string `db:"brand"`
	Model       string `db:"model"`
	Color       string `db:"color"`
	ClassID     int64  `db:"vehicle_class_id"`
	Marks       string `db:"marks"`
	PurchasedOn string `db:"purchased_on"`
	MileageKm   *int64 `db:"mileage_km"`
	CreatedAt   int64  `db:"created_at"`
	UpdatedAt   int64  `db:"updated_at"`
}

const vehicleColumns = `id, member_id, plate, plate_kind, brand, model, color, vehicle_class_id, marks, purchased_on, mileage_km, created_at, updated_at`

// readVehicle reads a member's vehicle; another member's is not found. Fault: fault.ErrNotFound.
func readVehicle(ctx context.Context, r db.Reader, memberID, id int64, lock string) (vehicleRow, error) {
	var v vehicleRow
	err := r.Get(ctx, &v, `SELECT `+vehicleColumns+` FROM member_vehicles WHERE id = ? AND member_id = ?`+lock, id, memberID)
	return v, notFound(err)
}

func vehiclesOf(ctx context.Context, r db.Reader, memberID int64) ([]vehicleRow, error) {
	var rows []vehicleRow
	err := r.Select(ctx, &rows, `SELECT `+vehicleColumns+` FROM member_vehicles WHERE member_id = ? ORDER BY id`, memberID)
	return rows, err
}

// Car is as much of a vehicle as a booking needs to know.
type Car struct {
	ID       int64 `db:"id"`
	MemberID int64 `db:"member_id"`
	ClassID  int64 `db:"vehicle_class_id"`
}

// CarsSoon asks for the cars of several members, each member's oldest entry first; the map is full once the reads are collected.
func (s *Service) CarsSoon(ask db.Asker, members []int64) (map[int64][]Car, error) {
	out := make(map[int64][]Car, len(members))
	if len(members) == 0 {
		return out, nil
	}
	q, args, err := db.In(`SELECT id, member_id, vehicle_class_id FROM member_vehicles WHERE member_id IN (?) ORDER BY id`, members)
	if err != nil {
		return nil, err
	}
	var rows []Car
	ask.SelectSoon(&rows, func() {
		for _, x := range rows {
			out[x.MemberID] = append(out[x.MemberID], x)
		}
	}, q, args...)
	return out, nil
}

func insertVehicleTx(ctx context.Context, tx *db.Tx, v vehicleRow) error {
	err := tx.Insert(ctx, "member_vehicles", v)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrVehicleTaken
	}
	return err
}

func updateVehicleTx(ctx context.Context, tx *db.Tx, v vehicleRow) error {
	err := tx.ExecOne(ctx, fault.ErrNotFound, `UPDATE member_vehicles SET plate = ?, plate_kind = ?, brand = ?, model = ?, color = ?, vehicle_class_id = ?, marks = ?,
		purchased_on = ?, mileage_km = ?, updated_at = ? WHERE id = ? AND member_id = ?`,
		v.Plate, v.PlateKind, v.Brand, v.Model, v.Color, v.ClassID, v.Marks, v.PurchasedOn, v.MileageKm, tx.Millis(), v.ID, v.MemberID)
	if errors.Is(err, db.ErrDuplicate) {
		return ErrVehicleTaken
	}
	return err
}

func deleteVehicleTx(ctx context.Context, tx *db.Tx, memberID, id int64) error {
	return tx.ExecOne(ctx, fault.ErrNotFound, `DELETE FROM member_vehicles WHERE id = ? AND member_id = ?`, id, memberID)
}

func deleteVehiclesTx(ctx context.Context, tx *db.Tx, memberID int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM member_vehicles WHERE member_id = ?`, memberID)
	return err
}

// OwnersOfPlate lists the living members who entered a car of the plate, oldest first: a plate proves nothing, and a family's car may stand in
// several files.
func (s *Service) OwnersOfPlate(ctx context.Context, r db.Reader, plate string) (ids []int64, err error) {
	// CROSS JOIN, because SQLite keeps its order: it would begin with all members of these states.
	err = r.Select(ctx, &ids, `SELECT v.member_id FROM member_vehicles v CROSS JOIN member_members m ON m.id = v.member_id
		WHERE v.plate = ? AND m.status IN ('active', 'suspended', 'closing') ORDER BY v.member_id`, plate)
	return ids, err
}
