package booking

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/clock"
)

// Rated is a rating that an owner gave.
type Rated struct {
	BookingID, MemberID, StoreID int64
	Stars                        int
	At                           time.Time
}

// RatedSince reads the ratings since an instant, oldest first.
func (s *Service) RatedSince(ctx context.Context, since time.Time, limit int) ([]Rated, error) {
	var rows []struct {
		BookingID int64 `db:"booking_id"`
		MemberID  int64 `db:"member_id"`
		StoreID   int64 `db:"store_id"`
		Stars     int   `db:"stars"`
		CreatedAt int64 `db:"created_at"`
	}
	err := s.db.Select(ctx, &rows, `SELECT booking_id, member_id, store_id, stars, created_at FROM booking_ratings WHERE created_at >= ? AND member_id <> 0
		ORDER BY created_at, booking_id LIMIT ?`, since.UnixMilli(), limit)
	out := make([]Rated, 0, len(rows))
	for _, x := range rows {
		out = append(out, Rated{x.BookingID, x.MemberID, x.StoreID, x.Stars, clock.FromMillis(x.CreatedAt)})
	}
	return out, err
}
