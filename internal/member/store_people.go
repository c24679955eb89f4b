package member

import (
	"context"

	"github.com/liangche/liangche/internal/db"
)

// LivingAfter reads the members after an id who have not left, in the order of their ids.
func (s *Service) LivingAfter(ctx context.Context, r db.Reader, after int64, limit int) (ids []int64, err error) {
	return ids, r.Select(ctx, &ids, `SELECT id FROM member_members WHERE id > ? AND status NOT IN ('closed', 'rejected', 'merged') ORDER BY id LIMIT ?`, after, limit)
}

// OwnedCar is what a car says of its owner: how long they have had it, and how far it ran.
type OwnedCar struct {
	MemberID    int64  `db:"member_id"`
	PurchasedOn string `db:"purchased_on"` // "" when unknown
	MileageKm   *int64 `db:"mileage_km"`
}

// OwnedCars reads the cars of several members.
func (s *Service) OwnedCars(ctx context.Context, r db.Reader, members []int64) (rows []OwnedCar, err error) {
	if len(members) == 0 {
		return nil, nil
	}
	q, args, err := db.In(`SELECT member_id, purchased_on, mileage_km FROM member_vehicles WHERE member_id IN (?)`, members)
	if err == nil {
		err = r.Select(ctx, &rows, q, args...)
	}
	return rows, err
}
