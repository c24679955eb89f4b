package member

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// VehicleChange is that a car was changed or removed.
type VehicleChange struct {
	ID, MemberID int64
	MileageKm    *int64 // nil when nobody knows
	Gone         bool
}

// PlatedCar is a car of an active member.
type PlatedCar struct {
	MemberID int64
	Plate    string
	StoreID  int64 // the member's home store, 0 when none
}

// Plated maps vehicles to their plates; those whose member is not active are absent.
func (s *Service) Plated(ctx context.Context, r db.Reader, vehicleIDs []int64) (map[int64]PlatedCar, error) {
	out := make(map[int64]PlatedCar, len(vehicleIDs))
	if len(vehicleIDs) == 0 {
		return out, nil
	}
	// CROSS JOIN, because SQLite keeps its order: it would begin with all active members.
	q, args, err := db.In(`SELECT v.id, v.member_id, v.plate, m.store_id FROM member_vehicles v CROSS JOIN member_members m ON m.id = v.member_id WHERE v.id IN (?) AND m.status = 'active'`, vehicleIDs)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		ID       int64  `db:"id"`
		MemberID int64  `db:"member_id"`
		Plate    string `db:"plate"`
		StoreID  int64  `db:"store_id"`
	}
	err = r.Select(ctx, &rows, q, args...)
	for _, x := range rows {
		out[x.ID] = PlatedCar{x.MemberID, x.Plate, x.StoreID}
	}
	return out, err
}

// HasVehicleTx locks a member's car. Fault: fault.ErrNotFound.
func (s *Service) HasVehicleTx(ctx context.Context, tx *db.Tx, memberID, vehicleID int64) error {
	_, err := readVehicle(ctx, tx, memberID, vehicleID, tx.ForUpdate())
	return err
}

// NoteMileageTx notes what the odometer of a car showed. Fault: fault.ErrNotFound.
func (s *Service) NoteMileageTx(ctx context.Context, tx *db.Tx, vehicleID, km int64) error {
	return tx.ExecOne(ctx, fault.ErrNotFound, `UPDATE member_vehicles SET mileage_km = ?, updated_at = ? WHERE id = ?`, km, tx.Millis(), vehicleID)
}

// BornCount counts the active members whose birthday is one of the months and days, like "05-01".
func (s *Service) BornCount(ctx context.Context, monthDays []string) (n int, err error) {
	for _, md := range monthDays {
		var some int
		if err := s.db.Get(ctx, &some, `SELECT COUNT(*) FROM member_members WHERE status = 'active' AND birthday LIKE ? ESCAPE '!'`, "%-"+db.Like(md)); err != nil {
			return n, err
		}
		n += some
	}
	return n, nil
}

// Salutations maps members to how a message addresses them: 王女士. Unknown ids are absent.
func (s *Service) Salutations(ctx context.Context, ids []int64) (map[int64]string, error) {
	out := make(map[int64]string, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	q, args, err := db.In(`SELECT id, name_sealed, gender FROM member_members WHERE id IN (?)`, ids)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		ID     int64  `db:"id"`
		Name   string `db:"name_sealed"`
		Gender string `db:"gender"`
	}
	if err := s.db.Select(ctx, &rows, q, args...); err != nil {
		return nil, err
	}
	for _, x := range rows {
		name, err := s.OpenName(x.Name)
		if err != nil {
			return nil, err
		}
		out[x.ID] = salutation(name, x.Gender)
	}
	return out, nil
}

// longSurnames are those of two characters that are common.
const longSurnames = "欧阳 司马 上官 诸葛 夏侯 东方 皇甫 尉迟 公孙 慕容 令狐 司徒 长孙 宇文 轩辕 端木"

// salutation addresses a person by the surname; by 会员 when it cannot be told from the name how.
func salutation(name, gender string) string {
	title := map[string]string{"male": "先生", "female": "女士"}[gender]
	first, size := utf8.DecodeRuneInString(name)
	if title == "" || size == 0 || !unicode.Is(unicode.Han, first) {
		return "会员"
	}
	surname := string(first)
	if r := []rune(name); len(r) > 2 && strings.Contains(longSurnames, string(r[:2])) {
		surname = string(r[:2])
	}
	return surname + title
}
