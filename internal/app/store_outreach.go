package app

import (
	"context"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/outreach"
)

// Textable are those of some members who are active and have a verified phone, in ascending order.
func (p people) Textable(ctx context.Context, ids []int64) (out []int64, err error) {
	return out, db.SelectIn(ctx, p.db, &out, `SELECT id FROM member_members WHERE id IN (?) AND status = 'active' AND phone_verified = ? AND phone_index IS NOT NULL ORDER BY id`, ids, true)
}

// history tells the outreach what members did and have.
type history struct{ db *db.DB }

func (h history) Visits(ctx context.Context, members []int64, since string) (map[int64][]outreach.Visit, error) {
	var rows []struct {
		MemberID int64  `db:"member_id"`
		Day      string `db:"biz_day"`
		StoreID  int64  `db:"store_id"`
	}
	err := db.SelectIn(ctx, h.db, &rows, `SELECT member_id, biz_day, store_id FROM checkout_orders WHERE member_id IN (?) AND status = 'settled' AND biz_day >= ? ORDER BY member_id, biz_day, id`, members, since)
	out := map[int64][]outreach.Visit{}
	for _, x := range rows {
		list := out[x.MemberID]
		if n := len(list); n > 0 && list[n-1].Day == x.Day {
			list[n-1].StoreID = x.StoreID // two orders of a day are one visit
			continue
		}
		out[x.MemberID] = append(list, outreach.Visit{Day: x.Day, StoreID: x.StoreID})
	}
	return out, err
}

func (h history) Born(ctx context.Context, month string) ([]outreach.Born, error) {
	var rows []struct {
		ID       int64  `db:"id"`
		StoreID  int64  `db:"store_id"`
		Birthday string `db:"birthday"`
	}
	err := h.db.Select(ctx, &rows, `SELECT id, store_id, birthday FROM member_members WHERE status = 'active' AND birthday LIKE ? ORDER BY id`, "____-"+month+"-%")
	out := make([]outreach.Born, 0, len(rows))
	for _, x := range rows {
		out = append(out, outreach.Born{MemberID: x.ID, StoreID: x.StoreID, Birthday: x.Birthday})
	}
	return out, err
}

func (h history) Holdings(ctx context.Context, members []int64) (map[int64]outreach.Holding, error) {
	out := map[int64]outreach.Holding{}
	type count struct {
		MemberID int64 `db:"member_id"`
		N        int64 `db:"n"`
	}
	now := h.db.Now().UnixMilli()
	for _, q := range []struct {
		query string
		args  []any
		add   func(*outreach.Holding, int64)
	}{
		{`SELECT member_id, SUM(balance) AS n FROM ledger_accounts WHERE member_id IN (?) AND unit IN ('principal', 'bonus') GROUP BY member_id`, nil, func(x *outreach.Holding, n int64) { x.BalanceFen = money.Fen(n) }},
		{`SELECT member_id, SUM(balance) AS n FROM ledger_accounts WHERE member_id IN (?) AND unit = 'points' GROUP BY member_id`, nil, func(x *outreach.Holding, n int64) { x.Points = max(n, 0) }},
		{`SELECT member_id, COUNT(*) AS n FROM pass_passes WHERE member_id IN (?) AND state = 'active' AND (expires_at = 0 OR expires_at > ?) GROUP BY member_id`, []any{now}, func(x *outreach.Holding, n int64) { x.Passes = int(n) }},
		{`SELECT member_id, COUNT(*) AS n FROM coupon_coupons WHERE member_id IN (?) AND state = 'available' AND expires_at > ? GROUP BY member_id`, []any{now}, func(x *outreach.Holding, n int64) { x.Coupons = int(n) }},
	} {
		var rows []count
		if err := db.SelectIn(ctx, h.db, &rows, q.query, members, q.args...); err != nil {
			return nil, err
		}
		for _, r := range rows {
			x := out[r.MemberID]
			q.add(&x, r.N)
			out[r.MemberID] = x
		}
	}
	return out, nil
}
