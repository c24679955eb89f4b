package memberview

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/money"
)

// visitsPaid compares a member's settled orders since an instant with their list prices, without what was paid ahead for passes and memberships.
func visitsPaid(ctx context.Context, r db.Reader, memberID, since int64) (p Period, last int64, err error) {
	var o struct {
		N    int   `db:"n"`
		List int64 `db:"list_fen"`
		Last int64 `db:"last_at"`
	}
	if err = r.Get(ctx, &o, `SELECT COUNT(*) AS n, COALESCE(SUM(subtotal_fen), 0) AS list_fen, COALESCE(MAX(settled_at), 0) AS last_at
		FROM checkout_orders WHERE member_id = ? AND status = 'settled' AND settled_at >= ?`, memberID, since); err != nil || o.N == 0 {
		return p, 0, err
	}
	var tenders []struct {
		Kind      string `db:"kind"`
		Amount    int64  `db:"amount"`
		Principal int64  `db:"principal"`
		Bonus     int64  `db:"bonus"`
	}
	if err = r.Select(ctx, &tenders, `SELECT t.kind, SUM(t.amount_fen) AS amount, SUM(t.principal_fen) AS principal, SUM(t.bonus_fen) AS bonus FROM checkout_orders o
		JOIN checkout_tenders t ON t.order_id = o.id WHERE o.member_id = ? AND o.status = 'settled' AND o.settled_at >= ? GROUP BY t.kind`, memberID, since); err != nil {
		return p, 0, err
	}
	p.Visits, p.ListFen = o.N, money.Fen(o.List)
	for _, t := range tenders {
		if t.Kind != "points" {
			p.PaidFen += money.Fen(t.Amount - t.Bonus)
		}
	}
	var w struct {
		N    int64 `db:"n"`
		List int64 `db:"list_fen"`
	}
	err = r.Get(ctx, &w, `SELECT COALESCE(SUM(l.qty), 0) AS n, COALESCE(SUM(l.qty * l.unit_fen), 0) AS list_fen FROM checkout_orders o JOIN checkout_lines l ON l.order_id = o.id AND l.kind = 'service'
		JOIN catalog_services c ON c.id = l.item_id AND c.kind = 'wash' WHERE o.member_id = ? AND o.status = 'settled' AND o.settled_at >= ?`, memberID, since)
	p.Washes, p.washList = w.N, money.Fen(w.List)
	return p, o.Last, err
}

// paidAhead is what has been used up of the passes and memberships that a member paid for, since an instant and in all.
func paidAhead(ctx context.Context, r db.Reader, memberID int64, now, since time.Time) (year, life money.Fen, err error) {
	var passes []struct {
		Kind     string `db:"kind"`
		Starts   int64  `db:"starts_at"`
		Expires  int64  `db:"expires_at"`
		Ended    int64  `db:"ended_at"`
		Owed     int64  `db:"value_fen"`
		Paid     int64  `db:"paid"`
		Used     int64  `db:"used"`
		UsedYear int64  `db:"used_year"`
	}
	if err = r.Select(ctx, &passes, `SELECT p.kind, p.starts_at, p.expires_at, p.ended_at, p.value_fen,
		COALESCE((SELECT SUM(s.price_fen - s.refunded_fen) FROM pass_funds f JOIN sale_sales s ON s.id = f.sale_id WHERE f.pass_id = p.id AND s.state IN ('paid', 'refunded')), 0) AS paid,
		COALESCE((SELECT SUM(u.value_fen) FROM pass_uses u WHERE u.pass_id = p.id AND u.undone = ?), 0) AS used,
		COALESCE((SELECT SUM(u.value_fen) FROM pass_uses u WHERE u.pass_id = p.id AND u.undone = ? AND u.created_at >= ?), 0) AS used_year
		FROM pass_passes p WHERE p.payer_id = ? AND p.state NOT IN ('pending', 'void') ORDER BY p.id`, false, false, since.UnixMilli(), memberID); err != nil {
		return 0, 0, err
	}
	for _, p := range passes {
		earned := money.Fen(max(p.Paid-p.Owed, 0))
		life += earned
		end := now
		for _, ms := range []int64{p.Expires, p.Ended} {
			if t := clock.FromMillis(ms); ms > 0 && t.Before(end) {
				end = t
			}
		}
		if p.Kind != "times" {
			year += overlap(earned, clock.FromMillis(p.Starts), end, since)
			continue
		}
		year += money.Fen(p.UsedYear)
		if p.Ended > 0 && end.After(since) { // what lapsed with it
			year += max(earned-money.Fen(p.Used), 0)
		}
	}
	var fees []struct {
		Starts int64 `db:"starts_at"`
		Ends   int64 `db:"ends_at"`
		Earned int64 `db:"earned_fen"`
	}
	err = r.Select(ctx, &fees, `SELECT starts_at, ends_at, earned_fen FROM tier_memberships WHERE member_id = ? AND earned_fen > 0 ORDER BY id`, memberID)
	for _, m := range fees {
		end := clock.FromMillis(m.Ends)
		if now.Before(end) {
			end = now
		}
		life += money.Fen(m.Earned)
		year += overlap(money.Fen(m.Earned), clock.FromMillis(m.Starts), end, since)
	}
	return year, life, err
}

// passEndings are a member's passes that have counted uses left and end.
func passEndings(ctx context.Context, r db.Reader, memberID, now int64) (out []ending, err error) {
	var rows []struct {
		ID      int64  `db:"id"`
		Name    string `db:"name"`
		Left    int64  `db:"left_uses"`
		Expires int64  `db:"expires_at"`
	}
	err = r.Select(ctx, &rows, `SELECT p.id, p.name, p.expires_at, SUM(l.left_uses) AS left_uses FROM pass_passes p JOIN pass_lines l ON l.pass_id = p.id
		WHERE p.member_id = ? AND p.state = 'active' AND p.expires_at > ? GROUP BY p.id, p.name, p.expires_at HAVING SUM(l.left_uses) > 0 ORDER BY p.expires_at, p.id`, memberID, now)
	for _, v := range rows {
		out = append(out, ending{v.ID, v.Name, v.Left, clock.FromMillis(v.Expires)})
	}
	return out, err
}

// usableCoupons are the ends of the coupons that a member may use now; a zero instant never ends.
func usableCoupons(ctx context.Context, r db.Reader, memberID, now int64) (out []time.Time, err error) {
	var ends []int64
	err = r.Select(ctx, &ends, `SELECT expires_at FROM coupon_coupons WHERE member_id = ? AND state = 'available' AND starts_at <= ? AND (expires_at = 0 OR expires_at > ?) ORDER BY expires_at`, memberID, now, now)
	for _, ms := range ends {
		t := time.Time{}
		if ms > 0 {
			t = clock.FromMillis(ms)
		}
		out = append(out, t)
	}
	return out, err
}

// couponCount is how many coupons a member may use now.
func couponCount(ctx context.Context, r db.Reader, memberID, now int64) (n int, err error) {
	err = r.Get(ctx, &n, `SELECT COUNT(*) FROM coupon_coupons WHERE member_id = ? AND state = 'available' AND starts_at <= ? AND (expires_at = 0 OR expires_at > ?)`, memberID, now, now)
	return n, err
}

func washServices(ctx context.Context, r db.Reader) (ids []int64, err error) {
	err = r.Select(ctx, &ids, `SELECT id FROM catalog_services WHERE kind = 'wash'`)
	return ids, err
}
