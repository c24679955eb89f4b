package member

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/secret"
)

// maxDevices is how many phones or browsers one identity may keep; a further one ends the oldest.
const maxDevices = 5

// Device is what a phone needs to derive member codes offline. Secret is in base64.
type Device struct {
	No, Secret string
	Limits     Limits
}

// Limits narrow what the codes of one device may do (X05); zero values do not.
type Limits struct {
	StoreID   int64
	VehicleID int64
	CapFen    money.Fen
}

// NewDevice makes a code device for the acting member's phone. Fault: ErrClosed.
func (s *Service) NewDevice(ctx context.Context, name string) (Device, error) {
	me := actor.From(ctx)
	name, complaint := cleanText(name, 60)
	if complaint != "" {
		return Device{}, fault.ErrInvalid.Say("%s", complaint).On("deviceName", complaint)
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: see crypto/rand
	sealed, err := s.box.Seal(colSecret, string(key))
	if err != nil {
		return Device{}, err
	}
	d := deviceRow{IdentityID: me.ID, MemberID: me.MemberID, Name: name, SecretSealed: sealed}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		x, err := readIdentity(ctx, tx, me.ID, tx.ForUpdate())
		if err != nil {
			return err
		}
		if x.MemberID == nil || *x.MemberID != me.MemberID {
			return fault.ErrExpired // it was unbound a moment ago
		}
		have, err := livingDevices(ctx, tx, me.ID, tx.ForUpdate())
		if err != nil {
			return err
		}
		for len(have) >= maxDevices {
			if err := revokeDeviceTx(ctx, tx, have[0].DeviceNo); err != nil {
				return err
			}
			have = have[1:]
		}
		d.CreatedAt = tx.Millis()
		for try := 0; ; try++ {
			d.DeviceNo = secret.Digits(9)
			err := tx.Insert(ctx, "member_code_devices", d)
			if !errors.Is(err, db.ErrDuplicate) || try == 5 {
				return err
			}
		}
	})
	if err != nil {
		return Device{}, err
	}
	return Device{No: d.DeviceNo, Secret: base64.StdEncoding.EncodeToString(key)}, nil
}

// LimitDevice sets the limits of one of the acting identity's devices. Faults: fault.ErrNotFound, fault.ErrInvalid.
func (s *Service) LimitDevice(ctx context.Context, deviceNo string, l Limits) (Device, error) {
	me := actor.From(ctx)
	if l.StoreID != 0 && s.opt.StoreExists != nil {
		if err := s.opt.StoreExists(ctx, l.StoreID); errors.Is(err, fault.ErrNotFound) {
			return Device{}, fault.ErrInvalid.Say("没有这家门店，请重新选择").On("storeId", "没有这家门店")
		} else if err != nil {
			return Device{}, err
		}
	}
	var out Device
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		d, err := readDevice(ctx, tx, deviceNo, tx.ForUpdate())
		if errors.Is(err, ErrCodeUnknown) || err == nil && (d.IdentityID != me.ID || d.MemberID != me.MemberID) {
			return fault.ErrNotFound
		}
		if err != nil {
			return err
		}
		if l.VehicleID != 0 {
			if _, err := readVehicle(ctx, tx, me.MemberID, l.VehicleID, ""); errors.Is(err, fault.ErrNotFound) {
				return fault.ErrInvalid.Say("没有这辆车，请重新选择").On("vehicleId", "没有这辆车")
			} else if err != nil {
				return err
			}
		}
		d.StoreID, d.VehicleID, d.CapFen = l.StoreID, l.VehicleID, int64(l.CapFen)
		if err := limitDeviceTx(ctx, tx, d); err != nil {
			return err
		}
		key, err := s.box.Open(colSecret, d.SecretSealed)
		out = Device{No: d.DeviceNo, Secret: base64.StdEncoding.EncodeToString([]byte(key)), Limits: l}
		return err
	})
	return out, err
}
