package campaign

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/db"
)

// BirthdayGifts names what members were given for a birthday since an instant, by member.
func (s *Service) BirthdayGifts(ctx context.Context, members []int64, since time.Time) (map[int64]string, error) {
	out := map[int64]string{}
	if len(members) == 0 {
		return out, nil
	}
	q, args, err := db.In(`SELECT member_id, title FROM campaign_gifts WHERE member_id IN (?) AND source = ? AND state = 'given' AND created_at >= ? ORDER BY id`, members, Birthday, since.UnixMilli())
	if err != nil {
		return nil, err
	}
	var rows []struct {
		MemberID int64  `db:"member_id"`
		Title    string `db:"title"`
	}
	err = s.db.Select(ctx, &rows, q, args...)
	for _, x := range rows {
		if was := out[x.MemberID]; was != "" && was != x.Title {
			x.Title = was + "、" + x.Title
		}
		out[x.MemberID] = x.Title
	}
	return out, err
}
