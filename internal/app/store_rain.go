package app

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/rain"
)

// washes tells the rain what was settled at the till.
type washes struct{ db *db.DB }

func (w washes) Washes(ctx context.Context, storeID int64, from, to time.Time, after int64, limit int) ([]rain.Wash, error) {
	var rows []struct {
		ID         int64  `db:"id"`
		MemberID   int64  `db:"member_id"`
		Plate      string `db:"plate"`
		TotalFen   int64  `db:"total_fen"`
		Recognised int64  `db:"recognised_fen"`
		SettledAt  int64  `db:"settled_at"`
	}
	// The days find the rows quickly; an order may have begun on the day before it was settled.
	err := w.db.Select(ctx, &rows, `SELECT id, member_id, plate, total_fen, recognised_fen, settled_at FROM checkout_orders WHERE store_id = ? AND biz_day >= ? AND biz_day <= ?
		AND id > ? AND status = 'settled' AND member_id <> 0 AND settled_at >= ? AND settled_at < ? ORDER BY id LIMIT ?`,
		storeID, bizday.Of(from.Add(-36*time.Hour), "UTC"), bizday.Of(to.Add(36*time.Hour), "UTC"), after, from.UnixMilli(), to.UnixMilli(), limit)
	if err != nil {
		return nil, err
	}
	out, ids, at := make([]rain.Wash, 0, len(rows)), make([]int64, 0, len(rows)), map[int64]int{}
	for i, x := range rows {
		out = append(out, rain.Wash{OrderID: x.ID, MemberID: x.MemberID, At: clock.FromMillis(x.SettledAt), Plate: x.Plate, WorthFen: money.Fen(x.TotalFen + x.Recognised)})
		ids, at[x.ID] = append(ids, x.ID), i
	}
	var lines []struct {
		OrderID int64   `db:"order_id"`
		ItemID  int64   `db:"item_id"`
		Kind    *string `db:"service_kind"`
	}
	if err := db.SelectIn(ctx, w.db, &lines, `SELECT order_id, item_id, service_kind FROM checkout_lines WHERE order_id IN (?) AND kind = ? ORDER BY id`, ids, catalog.KindService); err != nil {
		return nil, err
	}
	for _, l := range lines {
		s := rain.Item{ID: l.ItemID}
		if l.Kind != nil {
			s.Kind = *l.Kind
		}
		out[at[l.OrderID]].Services = append(out[at[l.OrderID]].Services, s)
	}
	return out, nil
}

func (w washes) Reversed(ctx context.Context, orderIDs []int64) (ids []int64, err error) {
	return ids, db.SelectIn(ctx, w.db, &ids, `SELECT id FROM checkout_orders WHERE id IN (?) AND status <> 'settled' ORDER BY id`, orderIDs)
}
