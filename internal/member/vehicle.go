package member

import (
	"context"
	"errors"
	"strings"

	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

const maxVehicles = 20

// vehicle checks an input; complaints carry the field prefix.
func (s *Service) vehicle(ctx context.Context, c *fault.Complaints, prefix string, in VehicleInput) (v vehicleRow, err error) {
	var complaint string
	v.Plate, v.PlateKind, complaint = ParsePlate(in.Plate)
	c.Bad(prefix+"plate", complaint)
	for _, f := range []struct {
		field, in string
		out       *string
		max       int
	}{{"brand", in.Brand, &v.Brand, 40}, {"model", in.Model, &v.Model, 40}, {"color", in.Color, &v.Color, 20}, {"marks", in.Marks, &v.Marks, 200}} {
		*f.out, complaint = cleanText(f.in, f.max)
		c.Bad(prefix+f.field, complaint)
	}
	if v.PurchasedOn = in.PurchasedOn; in.PurchasedOn != "" && (!bizday.Valid(in.PurchasedOn) || in.PurchasedOn > today(s.db.Now()) || in.PurchasedOn < "1950-01-01") {
		c.Bad(prefix+"purchasedOn", "请填写正确的购车日期，不晚于今天")
	}
	if v.MileageKm = in.MileageKm; in.MileageKm != nil && (*in.MileageKm < 0 || *in.MileageKm > 5_000_000) {
		c.Bad(prefix+"mileageKm", "请填写正确的里程")
	}
	if v.ClassID = in.VehicleClassID; v.ClassID != 0 {
		if _, err := s.className(ctx, v.ClassID); errors.Is(err, fault.ErrNotFound) {
			c.Bad(prefix+"vehicleClassId", "没有这个车型，请重新选择")
		} else if err != nil {
			return v, err
		}
	}
	return v, nil
}

// className names a vehicle class. A fault other than "not found" passes.
func (s *Service) className(ctx context.Context, id int64) (string, error) {
	if id == 0 || s.classes == nil {
		return "", nil
	}
	name, err := s.classes.VehicleClassName(ctx, s.db, id)
	var f *fault.Error
	if errors.As(err, &f) && (f.Kind == fault.NotFound || f.Kind == fault.Invalid) {
		return "", fault.ErrNotFound
	}
	return name, notFound(err)
}

// show completes a vehicle for people; a class that is gone has no name.
func (s *Service) show(ctx context.Context, r vehicleRow) (Vehicle, error) {
	name, err := s.className(ctx, r.ClassID)
	if err != nil && !errors.Is(err, fault.ErrNotFound) {
		return Vehicle{}, err
	}
	return Vehicle{ID: r.ID, Plate: r.Plate, PlateKind: r.PlateKind, Brand: r.Brand, Model: r.Model, Color: r.Color, VehicleClassID: r.ClassID,
		VehicleClassName: name, Marks: r.Marks, PurchasedOn: r.PurchasedOn, MileageKm: r.MileageKm}, nil
}

// Vehicles lists a member's cars, oldest entry first.
func (s *Service) Vehicles(ctx context.Context, memberID int64) ([]Vehicle, error) {
	rows, err := vehiclesOf(ctx, s.db, memberID)
	if err != nil {
		return nil, err
	}
	out := make([]Vehicle, 0, len(rows))
	for _, r := range rows {
		v, err := s.show(ctx, r)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// AddVehicle adds a car. Faults: fault.ErrInvalid at the field, ErrVehicleTaken, ErrVehicleMany, fault.ErrNotFound.
func (s *Service) AddVehicle(ctx context.Context, memberID int64, in VehicleInput) (Vehicle, error) {
	v, err := s.checkedVehicle(ctx, in)
	if err != nil {
		return Vehicle{}, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		m, err := s.readMember(ctx, tx, memberID, tx.ForUpdate()) // two that add at once must not pass the limit
		if err != nil {
			return err
		}
		if Gone(m.Status) {
			return m.left()
		}
		have, err := vehiclesOf(ctx, tx, memberID)
		if err != nil {
			return err
		}
		if len(have) >= maxVehicles {
			return ErrVehicleMany
		}
		v.ID, v.MemberID, v.CreatedAt, v.UpdatedAt = tx.NewID(), memberID, tx.Millis(), tx.Millis()
		if err := insertVehicleTx(ctx, tx, v); err != nil {
			return err
		}
		return s.recordVehicleTx(ctx, tx, "vehicle.create", v)
	})
	if err != nil {
		return Vehicle{}, err
	}
	return s.show(ctx, v)
}

// EditVehicle replaces what is known of a car. Faults: those of AddVehicle.
func (s *Service) EditVehicle(ctx context.Context, memberID, id int64, in VehicleInput) (Vehicle, error) {
	v, err := s.checkedVehicle(ctx, in)
	if err != nil {
		return Vehicle{}, err
	}
	v.ID, v.MemberID = id, memberID
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := updateVehicleTx(ctx, tx, v); err != nil {
			return err
		}
		if err := s.vehicleChangedTx(ctx, tx, VehicleChange{v.ID, memberID, v.MileageKm, false}); err != nil {
			return err
		}
		return s.recordVehicleTx(ctx, tx, "vehicle.update", v)
	})
	if err != nil {
		return Vehicle{}, err
	}
	return s.show(ctx, v)
}

// RemoveVehicle forgets a car; bills keep its plate. Fault: fault.ErrNotFound.
func (s *Service) RemoveVehicle(ctx context.Context, memberID, id int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		v, err := readVehicle(ctx, tx, memberID, id, tx.ForUpdate())
		if err != nil {
			return err
		}
		if err := deleteVehicleTx(ctx, tx, memberID, id); err != nil {
			return err
		}
		if err := s.vehicleChangedTx(ctx, tx, VehicleChange{v.ID, memberID, nil, true}); err != nil {
			return err
		}
		return s.recordVehicleTx(ctx, tx, "vehicle.delete", v)
	})
}

func (s *Service) vehicleChangedTx(ctx context.Context, tx *db.Tx, c VehicleChange) error {
	if s.opt.VehicleTx == nil {
		return nil
	}
	return s.opt.VehicleTx(ctx, tx, c)
}

func (s *Service) checkedVehicle(ctx context.Context, in VehicleInput) (vehicleRow, error) {
	var c fault.Complaints
	v, err := s.vehicle(ctx, &c, "", in)
	if err != nil {
		return v, err
	}
	return v, c.First()
}

func (s *Service) recordVehicleTx(ctx context.Context, tx *db.Tx, action string, v vehicleRow) error {
	return audit.RecordTx(ctx, tx, audit.Entry{Action: action, SubjectKind: "member", SubjectID: v.MemberID, SubjectLabel: v.Plate,
		Detail: map[string]any{"vehicleId": v.ID, "plate": v.Plate, "brand": strings.TrimSpace(v.Brand + " " + v.Model)}})
}
