package pass

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/db"
)

// runningOn reads period passes without their lines.
func runningOn(ctx context.Context, r db.Reader, from, to time.Time, after int64, limit int) (out []Pass, err error) {
	var rows []passRow
	err = r.Select(ctx, &rows, `SELECT `+passColumns+` FROM pass_passes WHERE kind IN (?, ?) AND state = ? AND starts_at < ? AND expires_at > ? AND id > ? ORDER BY id LIMIT ?`,
		KindPeriod, KindUnlimited, StateActive, to.UnixMilli(), from.UnixMilli(), after, limit)
	for _, x := range rows {
		p, err := x.pass()
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, err
}
