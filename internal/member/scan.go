package member

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
)

// scanLife is how long the desk may take between scan and settlement.
const scanLife = 10 * time.Minute

// Too many wrong codes at one desk, or from one account, are guesses.
const (
	scanFailures = 20
	scanWindow   = 10 * time.Minute
)

// Scanned is a code that was taken at a desk.
type Scanned struct {
	ScanID         int64
	MemberID       int64
	ExpiresAt      time.Time
	CapFen         money.Fen // 0 is no cap
	BoundVehicleID int64     // 0 is any vehicle
	BoundPlate     string
}

// Scan takes a member code that staff scanned or typed in a store: once. Faults: fault.ErrStore, ErrCodeUnknown
// (forged, foreign, revoked), ErrCodeExpired, ErrCodeUsed, ErrCodeWrongStore, ErrCodeThrottled and those of
// Standing.Usable.
func (s *Service) Scan(ctx context.Context, storeID int64, code string) (Scanned, error) {
	who := actor.From(ctx)
	if !who.InStore(storeID) {
		return Scanned{}, fault.ErrStore
	}
	buckets := []string{fmt.Sprintf("scan:staff:%d", who.ID), fmt.Sprintf("scan:store:%d", storeID)}
	for i, b := range buckets {
		n, err := failures(ctx, s.db, b, s.db.Now().UnixMilli())
		if err != nil {
			return Scanned{}, err
		}
		if n >= scanFailures*int64(1+i*4) { // a store has several desks
			return Scanned{}, ErrCodeThrottled
		}
	}
	out, err := s.scan(ctx, who, storeID, code)
	if errors.Is(err, ErrCodeUnknown) {
		if ferr := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			for _, b := range buckets {
				if err := failTx(ctx, tx, b, scanWindow.Milliseconds()); err != nil {
					return err
				}
			}
			return nil
		}); ferr != nil {
			return Scanned{}, ferr
		}
	}
	return out, err
}

func (s *Service) scan(ctx context.Context, who actor.Actor, storeID int64, code string) (out Scanned, err error) {
	deviceNo, digits, ok := parseCode(code)
	if !ok {
		return out, ErrCodeUnknown
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		d, err := readDevice(ctx, tx, deviceNo, "")
		if err != nil {
			return err
		}
		step, err := s.stepOf(d, digits, tx.Now)
		if err != nil {
			return err
		}
		if d.StoreID != 0 && d.StoreID != storeID {
			return ErrCodeWrongStore
		}
		st, err := s.StandingTx(ctx, tx, d.MemberID)
		if err != nil {
			return err
		}
		if err := st.Usable(); err != nil {
			return err
		}
		x := scanRow{ID: tx.NewID(), DeviceNo: d.DeviceNo, Step: step, MemberID: d.MemberID, StoreID: storeID, StaffID: who.ID, VehicleID: d.VehicleID,
			CapFen: d.CapFen, CreatedAt: tx.Millis(), ExpiresAt: tx.Now.Add(scanLife).UnixMilli()}
		if d.VehicleID != 0 {
			v, err := readVehicle(ctx, tx, d.MemberID, d.VehicleID, "")
			if err != nil {
				return ErrCodeWrongPlate.Say("会员码绑定的车辆已被删除，请会员在会员码设置里改掉")
			}
			x.Plate = v.Plate
		}
		if err := tx.Insert(ctx, "member_scans", x); errors.Is(err, db.ErrDuplicate) {
			return ErrCodeUsed
		} else if err != nil {
			return err
		}
		if err := audit.RecordTx(ctx, tx, audit.Entry{Action: "code.scan", SubjectKind: "member", SubjectID: d.MemberID,
			SubjectLabel: MaskName(st.Name) + " " + st.PhoneMasked, StoreID: storeID, Detail: map[string]any{"scanId": x.ID}}); err != nil {
			return err
		}
		out = Scanned{ScanID: x.ID, MemberID: x.MemberID, ExpiresAt: at(x.ExpiresAt), CapFen: money.Fen(x.CapFen), BoundVehicleID: x.VehicleID, BoundPlate: x.Plate}
		return nil
	})
	return out, err
}

// stepOf proves the digits with the device's secret.
func (s *Service) stepOf(d deviceRow, digits string, now time.Time) (int64, error) {
	key, err := s.box.Open(colSecret, d.SecretSealed)
	if err != nil {
		return 0, err
	}
	step, fresh, stale := matchStep([]byte(key), d.DeviceNo, digits, codeStep(now))
	switch {
	case fresh:
		return step, nil
	case stale && step > codeStep(now):
		return 0, ErrCodeExpired.Say("会员手机的时间不准，请会员刷新会员码后重新出示")
	case stale:
		return 0, ErrCodeExpired
	}
	return 0, ErrCodeUnknown
}

// ScanInfo reads a scan that the acting staff made in the store and that is neither used nor expired. Faults: those of
// UseScanTx that need no amount.
func (s *Service) ScanInfo(ctx context.Context, scanID, storeID int64) (Scanned, error) {
	x, err := readScan(ctx, s.db, scanID, "")
	if err != nil {
		return Scanned{}, err
	}
	if err := x.open(ctx, storeID, s.db.Now()); err != nil {
		return Scanned{}, err
	}
	return Scanned{ScanID: x.ID, MemberID: x.MemberID, ExpiresAt: at(x.ExpiresAt), CapFen: money.Fen(x.CapFen), BoundVehicleID: x.VehicleID, BoundPlate: x.Plate}, nil
}

// open says whether the scan may still be used by who acts, in this store.
func (x scanRow) open(ctx context.Context, storeID int64, now time.Time) error {
	who := actor.From(ctx)
	switch {
	case who.Kind == actor.Staff && who.ID != x.StaffID:
		return ErrCodeUnknown.Say("这个会员码是别的同事扫的，请自己重新扫码")
	case x.StoreID != storeID:
		return ErrCodeWrongStore.Say("这个会员码是在另一家门店扫的，请重新扫码")
	case x.UsedAt != nil:
		return ErrCodeUsed
	case now.UnixMilli() >= x.ExpiresAt:
		return ErrCodeExpired.Say("扫码后已超过十分钟，请重新扫码")
	}
	return nil
}

// UseScanTx consumes a scan, once, for a settlement of amount fen from the member's assets. plate is the car that is
// served. Faults: ErrCodeUnknown (not this member's or another colleague's), ErrCodeUsed, ErrCodeExpired,
// ErrCodeWrongStore, ErrCodeWrongPlate, ErrCodeOverCap.
func (s *Service) UseScanTx(ctx context.Context, tx *db.Tx, scanID, storeID, memberID int64, plate string, amount money.Fen) error {
	x, err := lockScan(ctx, tx, scanID)
	if err != nil {
		return err
	}
	if x.MemberID != memberID {
		return ErrCodeUnknown
	}
	if err := x.open(ctx, storeID, tx.Now); err != nil {
		return err
	}
	if x.Plate != "" && x.Plate != NormalPlate(plate) {
		return ErrCodeWrongPlate
	}
	if x.CapFen != 0 && int64(amount) > x.CapFen {
		return ErrCodeOverCap
	}
	useScan(tx, x)
	return nil
}
