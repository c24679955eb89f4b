package main

import (
	"cmp"
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
)

// neverOfBenefits are queries that must find no row, as never is.
var neverOfBenefits = []neverRow{
	{"a coupon is used in two orders", `SELECT b.ref_id FROM checkout_benefits b WHERE b.kind = 'coupon' AND b.state IN ('held', 'used') GROUP BY b.ref_id HAVING COUNT(*) > 1 ORDER BY b.ref_id`},
	{"a coupon is used, and its order does not say so", `SELECT c.id FROM coupon_coupons c WHERE c.state = 'used'
		AND NOT EXISTS (SELECT 1 FROM checkout_benefits b WHERE b.order_id = c.ref_id AND b.kind = 'coupon' AND b.ref_id = c.id AND b.state = 'used') ORDER BY c.id`},
	{"an order says that it used a coupon, which does not say so", `SELECT b.ref_id FROM checkout_benefits b JOIN coupon_coupons c ON c.id = b.ref_id
		WHERE b.kind = 'coupon' AND b.state = 'used' AND (c.state <> 'used' OR c.ref_id <> b.order_id) ORDER BY b.ref_id`},
	{"what is left of a pass is not what was bought less what was used", `SELECT l.id FROM pass_lines l WHERE l.left_uses < 0
		OR l.left_uses <> l.times - l.lost_uses - (SELECT COALESCE(SUM(u.qty), 0) FROM pass_uses u WHERE u.pass_id = l.pass_id AND u.line_id = l.id AND NOT u.undone) ORDER BY l.id`},
	{"a stock is negative, or not the sum of its moves", `SELECT i.id FROM mall_items i WHERE i.stock < 0 OR i.stock <> (SELECT COALESCE(SUM(m.amount), 0) FROM mall_moves m WHERE m.item_id = i.id) ORDER BY i.id`},
	{"points were taken or brought twice for one thing", `SELECT MAX(p.id) FROM ledger_postings p WHERE p.kind IN ('points_spend', 'points_return', 'points_earn', 'benefit') GROUP BY p.kind, p.ref_kind, p.ref_id HAVING COUNT(*) > 1`},
}

// compareBenefits holds coupons, passes, points and the mall against what was answered. The books are locked.
func (s *site) compareBenefits(ctx context.Context, d *db.DB, when string) error {
	b := s.books
	used, uses, points, left := map[int64]int64{}, map[int64]int64{}, map[int64]int64{}, map[int64]int64{} // order by coupon, uses by order; points and uses left by member
	stock := b.stock
	for _, a := range b.acks {
		if a.kind == "order" && a.did.uses > 0 {
			uses[a.result] = a.did.uses
		}
		if !b.lives(a) {
			continue
		}
		points[a.did.member] += a.did.points
		left[a.did.member] -= a.did.uses
		for _, c := range a.did.coupons {
			if other := used[c]; other != 0 {
				s.r.find("%s: coupon %d was used for order %d and for order %d", when, c, other, a.result)
			}
			used[c] = a.result
		}
		if a.kind == "exchange" {
			stock--
		}
	}
	return errors.Join(
		s.compareCoupons(ctx, d, when, used),
		s.compareUses(ctx, d, when, uses),
		s.compareMall(ctx, d, when),
		s.compareSums(ctx, d, when, "points of member", points, `SELECT member_id AS id, SUM(CASE unit WHEN 'points' THEN balance ELSE -balance END) AS n
			FROM ledger_accounts WHERE unit IN ('points', 'points_debt') GROUP BY member_id`),
		s.compareSums(ctx, d, when, "uses of passes of member", left, `SELECT p.member_id AS id, SUM(l.left_uses) AS n FROM pass_passes p JOIN pass_lines l ON l.pass_id = p.id GROUP BY p.member_id`),
		s.compareSums(ctx, d, when, "uses in the ledger of member", left, `SELECT member_id AS id, SUM(balance) AS n FROM ledger_accounts WHERE unit = 'uses' GROUP BY member_id`),
		s.compareSums(ctx, d, when, "stock of thing", map[int64]int64{s.item: stock}, `SELECT id, stock AS n FROM mall_items`))
}

// compareSums holds sums by member or thing against what they must be.
func (s *site) compareSums(ctx context.Context, d *db.DB, when, what string, want map[int64]int64, query string) error {
	var rows []struct {
		ID int64 `db:"id"`
		N  int64 `db:"n"`
	}
	if err := d.Select(ctx, &rows, query); err != nil {
		return err
	}
	have := map[int64]int64{}
	for _, x := range rows {
		have[x.ID] = x.N
		if x.N != want[x.ID] {
			s.r.find("%s: %s %d: there are %d; by what was answered it must be %d", when, what, x.ID, x.N, want[x.ID])
		}
	}
	for id, n := range want {
		if _, known := have[id]; !known && n != 0 {
			s.r.find("%s: %s %d: there is nothing; by what was answered it must be %d", when, what, id, n)
		}
	}
	return nil
}

// compareCoupons holds the coupons against the orders that used them.
func (s *site) compareCoupons(ctx context.Context, d *db.DB, when string, used map[int64]int64) error {
	var rows []struct {
		ID    int64  `db:"id"`
		State string `db:"state"`
		RefID int64  `db:"ref_id"`
	}
	if err := d.Select(ctx, &rows, `SELECT id, state, ref_id FROM coupon_coupons`); err != nil {
		return err
	}
	for _, c := range rows {
		if order := used[c.ID]; order != 0 && (c.State != "used" || c.RefID != order) || order == 0 && c.State != "available" {
			s.r.find("%s: coupon %d is %s by %d; by what was answered order %d used it", when, c.ID, c.State, c.RefID, order)
		}
		delete(used, c.ID)
	}
	for c, order := range used {
		s.r.find("%s: coupon %d, which order %d used, is not there", when, c, order)
	}
	return nil
}

// compareUses holds the uses of passes against the orders that were answered: each once, and given back when the order was.
func (s *site) compareUses(ctx context.Context, d *db.DB, when string, want map[int64]int64) error {
	var rows []struct {
		Order  int64 `db:"order_id"`
		Qty    int64 `db:"qty"`
		Undone int64 `db:"undone"`
	}
	if err := d.Select(ctx, &rows, `SELECT order_id, SUM(qty) AS qty, SUM(CASE WHEN undone THEN qty ELSE 0 END) AS undone FROM pass_uses GROUP BY order_id`); err != nil {
		return err
	}
	for _, x := range rows {
		back := int64(0)
		if s.books.undone[x.Order] {
			back = want[x.Order]
		}
		if x.Qty != want[x.Order] || x.Undone != back {
			s.r.find("%s: order %d used %d of passes and gave %d back; by what was answered it must be %d and %d", when, x.Order, x.Qty, x.Undone, want[x.Order], back)
		}
		delete(want, x.Order)
	}
	for order, n := range want {
		s.r.find("%s: order %d used no pass; by what was answered it must be %d", when, order, n)
	}
	return nil
}

// compareMall holds the orders of the mall against what their owners and the desk were told.
func (s *site) compareMall(ctx context.Context, d *db.DB, when string) error {
	var rows []struct {
		ID    int64  `db:"id"`
		State string `db:"state"`
	}
	if err := d.Select(ctx, &rows, `SELECT id, state FROM mall_orders`); err != nil {
		return err
	}
	for _, o := range rows {
		if want := cmp.Or(s.books.ended[o.ID], "ready"); o.State != want {
			s.r.find("%s: order %d of the mall is %s; by what was answered it must be %s", when, o.ID, o.State, want)
		}
	}
	return nil
}
