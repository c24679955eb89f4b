package checkout

import (
	"context"

	"github.com/liangche/liangche/internal/db"
)

// ServedCar is that a car of a member was served and paid for.
type ServedCar struct {
	MemberID int64  `db:"member_id"`
	Plate    string `db:"plate"`
	BizDay   string `db:"biz_day"`
	Store    string `db:"store_name"`
}

// Served lists the settled bills of members with one of the services since a business date, by member and then as they were made. A bill that was taken
// back is missing.
func (s *Service) Served(ctx context.Context, members, services []int64, since string) (rows []ServedCar, err error) {
	if len(members) == 0 || len(services) == 0 {
		return nil, nil
	}
	q, args, err := db.In(`SELECT o.member_id, o.plate, o.biz_day, o.store_name FROM checkout_orders o WHERE o.member_id IN (?) AND o.status = 'settled' AND o.biz_day >= ? AND o.plate <> ''
		AND EXISTS (SELECT 1 FROM checkout_lines l WHERE l.order_id = o.id AND l.kind = 'service' AND l.item_id IN (?)) ORDER BY o.member_id, o.id`, members, since, services)
	if err != nil {
		return nil, err
	}
	return rows, s.db.Select(ctx, &rows, q, args...)
}
