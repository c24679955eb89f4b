package member

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
)

type deviceRow struct {
	DeviceNo     string `db:"device_no"`
	IdentityID   int64  `db:"identity_id"`
	MemberID     int64  `db:"member_id"`
	Name         string `db:"name"`
	SecretSealed string `db:"secret_sealed"`
	StoreID      int64  `db:"store_id"`
	VehicleID    int64  `db:"vehicle_id"`
	CapFen       int64  `db:"cap_fen"`
	CreatedAt    int64  `db:"created_at"`
	RevokedAt    *int64 `db:"revoked_at"`
}

const deviceColumns = `device_no, identity_id, member_id, name, secret_sealed, store_id, vehicle_id, cap_fen, created_at, revoked_at`

// readDevice finds a device that is not revoked. Fault: ErrCodeUnknown.
func readDevice(ctx context.Context, r db.Reader, deviceNo, lock string) (deviceRow, error) {
	var d deviceRow
	err := r.Get(ctx, &d, `SELECT `+deviceColumns+` FROM member_code_devices WHERE device_no = ?`+lock, deviceNo)
	if errors.Is(err, db.ErrNoRows) || err == nil && d.RevokedAt != nil {
		err = ErrCodeUnknown
	}
	return d, err
}

// livingDevices lists an identity's devices, oldest first.
func livingDevices(ctx context.Context, r db.Reader, identityID int64, lock string) ([]deviceRow, error) {
	var rows []deviceRow
	err := r.Select(ctx, &rows, `SELECT `+deviceColumns+` FROM member_code_devices WHERE identity_id = ? AND revoked_at IS NULL ORDER BY created_at, device_no`+lock, identityID)
	return rows, err
}

func revokeDeviceTx(ctx context.Context, tx *db.Tx, deviceNo string) error {
	_, err := tx.Exec(ctx, `UPDATE member_code_devices SET revoked_at = ? WHERE device_no = ? AND revoked_at IS NULL`, tx.Millis(), deviceNo)
	return err
}

// revokeDevicesTx ends all devices of an identity.
func revokeDevicesTx(ctx context.Context, tx *db.Tx, identityID int64) error {
	_, err := tx.Exec(ctx, `UPDATE member_code_devices SET revoked_at = ? WHERE identity_id = ? AND revoked_at IS NULL`, tx.Millis(), identityID)
	return err
}

func limitDeviceTx(ctx context.Context, tx *db.Tx, d deviceRow) error {
	return tx.ExecOne(ctx, ErrCodeUnknown, `UPDATE member_code_devices SET store_id = ?, vehicle_id = ?, cap_fen = ? WHERE device_no = ? AND revoked_at IS NULL`,
		d.StoreID, d.VehicleID, d.CapFen, d.DeviceNo)
}

type scanRow struct {
	ID        int64  `db:"id"`
	DeviceNo  string `db:"device_no"`
	Step      int64  `db:"step"`
	MemberID  int64  `db:"member_id"`
	StoreID   int64  `db:"store_id"`
	StaffID   int64  `db:"staff_id"`
	Plate     string `db:"plate"` // "" when any car may use it
	VehicleID int64  `db:"vehicle_id"`
	CapFen    int64  `db:"cap_fen"` // 0 is no cap
	CreatedAt int64  `db:"created_at"`
	ExpiresAt int64  `db:"expires_at"`
	UsedAt    *int64 `db:"used_at"`
}

const scanColumns = `id, device_no, step, member_id, store_id, staff_id, plate, vehicle_id, cap_fen, created_at, expires_at, used_at`

func readScan(ctx context.Context, r db.Reader, id int64, lock string) (scanRow, error) {
	var x scanRow
	err := r.Get(ctx, &x, `SELECT `+scanColumns+` FROM member_scans WHERE id = ?`+lock, id)
	if errors.Is(err, db.ErrNoRows) {
		err = ErrCodeUnknown
	}
	return x, err
}

type scansKey struct{}

// scansSoon reads and locks several scans, nil for those that do not exist.
func scansSoon(tx *db.Tx, ids []int64) error {
	q, args, err := db.In(`SELECT `+scanColumns+` FROM member_scans WHERE id IN (?) ORDER BY id`+tx.ForUpdate(), ids)
	if err != nil {
		return err
	}
	var rows []scanRow
	tx.SelectSoon(&rows, func() {
		out := make(map[int64]*scanRow, len(ids))
		for _, id := range ids {
			out[id] = nil
		}
		for i := range rows {
			out[rows[i].ID] = &rows[i]
		}
		tx.Stash(scansKey{}, out)
	}, q, args...)
	return nil
}

// lockScan reads and locks a scan. Fault: ErrCodeUnknown.
func lockScan(ctx context.Context, tx *db.Tx, id int64) (*scanRow, error) {
	if x, ok := db.Stashed[map[int64]*scanRow](tx, scansKey{})[id]; ok {
		if x == nil {
			return nil, ErrCodeUnknown
		}
		return x, nil
	}
	x, err := readScan(ctx, tx, id, tx.ForUpdate())
	return &x, err
}

// useScan marks a locked scan as used; that it was not used before is guarded all the same.
func useScan(tx *db.Tx, x *scanRow) {
	now := tx.Millis()
	tx.ExecSoon(1, ErrCodeUsed, `UPDATE member_scans SET used_at = ? WHERE id = ? AND used_at IS NULL`, now, x.ID)
	x.UsedAt = &now
	tx.OnUndo(func() { x.UsedAt = nil })
}

type attemptRow struct {
	Bucket   string `db:"bucket"`
	Failures int64  `db:"failures"`
	Until    int64  `db:"window_until"`
}

// failures counts what failed in a bucket's current window; the count is shared by all instances.
func failures(ctx context.Context, r db.Reader, bucket string, now int64) (int64, error) {
	var n int64
	err := r.Get(ctx, &n, `SELECT failures FROM member_attempts WHERE bucket = ? AND window_until > ?`, bucket, now)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// failTx counts a failure; a window that ended starts anew and lasts windowMs.
func failTx(ctx context.Context, tx *db.Tx, bucket string, windowMs int64) error {
	now := tx.Millis()
	bump := func() (int64, error) {
		n, err := tx.Exec(ctx, `UPDATE member_attempts SET failures = failures + 1 WHERE bucket = ? AND window_until > ?`, bucket, now)
		if err != nil || n > 0 {
			return n, err
		}
		return tx.Exec(ctx, `UPDATE member_attempts SET failures = 1, window_until = ? WHERE bucket = ? AND window_until <= ?`, now+windowMs, bucket, now)
	}
	if n, err := bump(); err != nil || n > 0 {
		return err
	}
	err := tx.Insert(ctx, "member_attempts", attemptRow{bucket, 1, now + windowMs})
	if errors.Is(err, db.ErrDuplicate) {
		_, err = bump()
	}
	return err
}
