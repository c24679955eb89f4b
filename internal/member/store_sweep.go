package member

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/db"
)

// Born reads the active members after an id whose birthday is the month and day, "05-01", in the order of their ids.
func (s *Service) Born(ctx context.Context, monthDay string, after int64, limit int) (ids []int64, err error) {
	err = s.db.Select(ctx, &ids, `SELECT id FROM member_members WHERE id > ? AND status = 'active' AND birthday LIKE ? ESCAPE '!' ORDER BY id LIMIT ?`,
		after, "%-"+db.Like(monthDay), limit)
	return ids, err
}

// ActiveAfter reads the active members after an id who joined before an instant, in the order of their ids.
func (s *Service) ActiveAfter(ctx context.Context, joinedBefore time.Time, after int64, limit int) (ids []int64, err error) {
	// COALESCE keeps MariaDB off the index on the status, which it would read from its beginning to the id for every page.
	err = s.db.Select(ctx, &ids, `SELECT id FROM member_members WHERE id > ? AND COALESCE(status, '') = 'active' AND joined_at <= ? ORDER BY id LIMIT ?`,
		after, joinedBefore.UnixMilli(), limit)
	return ids, err
}

// Carded is a card that was issued: the first one is when a person becomes a member.
type Carded struct {
	CardID, MemberID   int64
	IssuedAt, JoinedAt time.Time
}

// CardedAfter reads the cards after an id with their active members, in the order of their ids.
func (s *Service) CardedAfter(ctx context.Context, after int64, limit int) ([]Carded, error) {
	var rows []struct {
		ID       int64 `db:"id"`
		MemberID int64 `db:"member_id"`
		IssuedAt int64 `db:"issued_at"`
		JoinedAt int64 `db:"joined_at"`
	}
	// CROSS JOIN, because SQLite keeps its order: it would begin with all active members.
	err := s.db.Select(ctx, &rows, `SELECT c.id, c.member_id, c.issued_at, m.joined_at FROM member_cards c CROSS JOIN member_members m ON m.id = c.member_id
		WHERE c.id > ? AND m.status = 'active' ORDER BY c.id LIMIT ?`, after, limit)
	out := make([]Carded, 0, len(rows))
	for _, x := range rows {
		out = append(out, Carded{x.ID, x.MemberID, at(x.IssuedAt), at(x.JoinedAt)})
	}
	return out, err
}
