package booking

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/db"
)

func expectedOn(ctx context.Context, r db.Reader, storeID int64, date string, after, madeBefore time.Time) (ids []int64, err error) {
	err = r.Select(ctx, &ids, `SELECT id FROM booking_bookings WHERE store_id = ? AND biz_day = ? AND state IN ('requested', 'held', 'confirmed') AND member_id <> 0
		AND starts_at > ? AND created_at <= ? ORDER BY starts_at, id`, storeID, date, after.UnixMilli(), madeBefore.UnixMilli())
	return ids, err
}
