package app

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
)

// mergedUnit is what the postings of a merge moved of a unit; -1 where what one lost is not what the other got.
func mergedUnit(unit string) string {
	const sum = `(SELECT COALESCE(SUM(e.amount), 0) FROM ledger_entries e WHERE e.account = 'member' AND e.unit = '`
	out, in := sum+unit+`' AND e.posting_id = m.out_posting_id)`, sum+unit+`' AND e.posting_id = m.in_posting_id)`
	return `CASE WHEN ` + out + ` + ` + in + ` = 0 THEN ` + in + ` ELSE -1 END`
}

// joins are the checks that span slices; each query returns the ids of the rows that are wrong.
var joins = []struct{ query, say string }{
	{`SELECT t.id FROM wallet_topups t WHERE t.state IN ('credited', 'refunded') AND (SELECT COALESCE(SUM(e.amount), 0) FROM ledger_entries e
		WHERE e.posting_id = t.posting_id AND e.unit = 'principal') <> t.amount_fen ORDER BY t.id`, "wallet_topups %d: its posting credits another principal"},
	{`SELECT t.id FROM wallet_topups t WHERE t.state IN ('credited', 'refunded') AND (SELECT COALESCE(SUM(e.amount), 0) FROM ledger_entries e
		WHERE e.posting_id = t.posting_id AND e.unit = 'bonus') <> t.bonus_fen ORDER BY t.id`, "wallet_topups %d: its posting credits another bonus"},
	{`SELECT o.id FROM checkout_orders o WHERE o.posting_id <> 0 AND (SELECT COALESCE(SUM(e.amount), 0) FROM ledger_entries e
		WHERE e.posting_id = o.posting_id AND e.account = 'revenue') <> o.total_fen + o.recognised_fen ORDER BY o.id`, "checkout_orders %d: its posting books another revenue"},
	{`SELECT o.id FROM checkout_orders o WHERE o.posting_id <> 0 AND (SELECT COALESCE(-SUM(e.amount), 0) FROM ledger_entries e
		WHERE e.posting_id = o.posting_id AND e.account = 'member') <> (SELECT COALESCE(SUM(t.amount_fen), 0) FROM checkout_tenders t WHERE t.order_id = o.id AND t.kind IN ('balance', 'group')) ORDER BY o.id`,
		"checkout_orders %d: its posting takes another amount of stored value than its tender says"},
	{`SELECT o.id FROM checkout_orders o WHERE o.posting_id <> 0 AND (SELECT COALESCE(-SUM(e.amount), 0) FROM ledger_entries e
		WHERE e.posting_id = o.posting_id AND e.account = 'passes') <> o.recognised_fen ORDER BY o.id`, "checkout_orders %d: its posting earns another part of passes than it says"},
	{`SELECT o.id FROM checkout_orders o LEFT JOIN ledger_postings p ON p.id = o.benefit_posting_id AND p.kind = 'benefit' AND p.ref_id = o.id AND p.member_id = o.member_id
		LEFT JOIN ledger_postings r ON r.reverses_id = p.id WHERE o.benefit_posting_id <> 0 AND (p.id IS NULL OR (r.id IS NOT NULL) <> (o.status IN ('cancelled', 'reversed'))) ORDER BY o.id`,
		"checkout_orders %d: what it took of uses and points does not fit its status"},
	{`SELECT p.id FROM ledger_postings p LEFT JOIN checkout_orders o ON o.benefit_posting_id = p.id WHERE p.kind = 'benefit' AND o.id IS NULL ORDER BY p.id`, "ledger_postings %d: no order used it"},
	{`SELECT o.id FROM checkout_orders o LEFT JOIN points_earnings n ON n.ref_kind = 'order' AND n.ref_id = o.id AND n.member_id = CASE WHEN o.earner_id <> 0 THEN o.earner_id ELSE o.member_id END
		WHERE COALESCE(n.points, 0) <> o.points_earned OR (n.id IS NOT NULL AND (n.clawback_id <> 0) <> (o.status = 'reversed')) ORDER BY o.id`, "checkout_orders %d: its points were given or taken back otherwise than it says"},
	{`SELECT o.id FROM checkout_orders o LEFT JOIN group_uses u ON u.order_id = o.id WHERE o.group_id <> 0
		AND (u.id IS NULL OR u.group_id <> o.group_id OR u.payer_id <> o.payer_id OR (u.state = 'undone') <> (o.status IN ('cancelled', 'reversed'))) ORDER BY o.id`, "checkout_orders %d: its group noted something else"},
	{`SELECT u.id FROM group_uses u JOIN group_groups g ON g.id = u.group_id LEFT JOIN member_members m ON m.id = u.payer_id WHERE g.payer_id <> u.payer_id
		AND (m.id IS NULL OR m.merged_into <> g.payer_id) ORDER BY u.id`, "group_uses %d: another member pays for its group"},
	{`SELECT b.id FROM checkout_benefits b LEFT JOIN coupon_coupons c ON c.id = b.ref_id AND c.member_id = b.member_id WHERE b.kind = 'coupon' AND b.state <> 'undone'
		AND (c.id IS NULL OR c.state <> b.state) ORDER BY b.id`, "checkout_benefits %d: its coupon says something else"},
	{`SELECT p.id FROM ledger_postings p LEFT JOIN checkout_orders o ON o.id = p.ref_id AND o.posting_id = p.id WHERE p.kind = 'consume' AND o.id IS NULL ORDER BY p.id`, "ledger_postings %d: no order belongs to it"},
	{`SELECT p.id FROM ledger_postings p LEFT JOIN wallet_topups t ON t.id = p.ref_id AND t.posting_id = p.id WHERE p.kind = 'topup' AND t.id IS NULL ORDER BY p.id`, "ledger_postings %d: no top-up belongs to it"},
	{`SELECT p.id FROM ledger_postings p LEFT JOIN wallet_refunds r ON r.id = p.ref_id AND r.posting_id = p.id WHERE p.kind = 'refund' AND r.id IS NULL ORDER BY p.id`, "ledger_postings %d: no refund belongs to it"},
	{`SELECT t.id FROM wallet_topups t LEFT JOIN payment_intents p ON p.id = t.payment_id WHERE t.payment_id <> 0 AND t.state IN ('credited', 'refunded')
		AND (p.id IS NULL OR p.state <> 'paid' OR p.paid_fen <> t.amount_fen) ORDER BY t.id`, "wallet_topups %d: credited, but its payment is not paid with that amount"},
	{`SELECT p.id FROM payment_intents p LEFT JOIN wallet_topups t ON t.id = p.subject_id AND t.payment_id = p.id WHERE p.purpose = 'topup' AND p.state = 'paid'
		AND (t.id IS NULL OR t.state NOT IN ('credited', 'refunded')) ORDER BY p.id`, "payment_intents %d: paid, but no top-up was credited"},
	{`SELECT p.id FROM payment_intents p LEFT JOIN checkout_orders o ON o.id = p.subject_id AND o.payment_id = p.id WHERE p.purpose = 'order' AND p.state = 'paid'
		AND (o.id IS NULL OR o.status NOT IN ('settled', 'reversed')) ORDER BY p.id`, "payment_intents %d: paid, but no order was settled"},
	{`SELECT b.id FROM booking_bookings b WHERE (SELECT COALESCE(SUM(e.amount), 0) FROM ledger_entries e JOIN ledger_postings p ON p.id = e.posting_id
		WHERE p.ref_kind = 'booking' AND p.ref_id = b.id AND e.account = 'deposit') <> CASE WHEN b.deposit_state IN ('none', 'due', 'forfeited') THEN 0 ELSE b.deposit_fen - b.deposit_back_fen END ORDER BY b.id`,
		"booking_bookings %d: its postings keep another deposit than it says"},
	{`SELECT b.id FROM booking_bookings b LEFT JOIN payment_intents p ON p.id = b.payment_id WHERE b.paid_posting_id <> 0
		AND (p.id IS NULL OR p.state <> 'paid' OR p.paid_fen <> b.deposit_fen) ORDER BY b.id`, "booking_bookings %d: its deposit was booked, but its payment is not paid with that amount"},
	{`SELECT b.id FROM booking_bookings b WHERE b.deposit_back_fen <> (SELECT COALESCE(SUM(f.amount_fen), 0) FROM payment_refunds f
		WHERE f.subject_kind = 'booking_deposit' AND f.subject_id = b.id AND f.replaced_by = 0) ORDER BY b.id`, "booking_bookings %d: another amount of its deposit was sent back than it says"},
	{`SELECT p.id FROM payment_intents p LEFT JOIN booking_bookings b ON b.id = p.subject_id AND b.payment_id = p.id WHERE p.purpose = 'deposit' AND p.state = 'paid'
		AND (b.id IS NULL OR b.paid_posting_id = 0) ORDER BY p.id`, "payment_intents %d: paid, but no deposit was booked"},
	{`SELECT p.id FROM ledger_postings p LEFT JOIN booking_bookings b ON b.id = p.ref_id WHERE p.kind IN ('deposit', 'deposit_refund', 'forfeit') AND (p.ref_kind <> 'booking' OR b.id IS NULL) ORDER BY p.id`,
		"ledger_postings %d: no booking belongs to it"},
	{`SELECT b.id FROM booking_bookings b LEFT JOIN member_members m ON m.id = b.member_id WHERE b.member_id <> 0 AND m.id IS NULL ORDER BY b.id`, "booking_bookings %d: its member is missing"},
	{`SELECT g.id FROM tier_grants g WHERE (SELECT COALESCE(SUM(l.remaining), 0) FROM ledger_lots l WHERE l.ref_kind = 'right' AND l.ref_id = g.id)
		<> CASE WHEN g.state = 'open' THEN g.granted - g.used ELSE 0 END ORDER BY g.id`, "tier_grants %d: the journal holds another number of uses than it says"},
	{`SELECT m.id FROM tier_memberships m WHERE m.earned_fen <> (SELECT COALESCE(-SUM(e.amount), 0) FROM ledger_postings p JOIN ledger_entries e ON e.posting_id = p.id
		WHERE p.kind = 'membership_earned' AND p.ref_id = m.id AND e.account = 'memberships') ORDER BY m.id`, "tier_memberships %d: its postings earned another amount than it says"},
	{`SELECT m.id FROM tier_memberships m LEFT JOIN sale_sales s ON s.id = m.sale_id AND s.result_id = m.id WHERE m.sale_id > 0
		AND (s.id IS NULL OR s.price_fen <> m.price_fen OR (m.state <> 'refunded' AND s.refunded_fen <> 0)) ORDER BY m.id`, "tier_memberships %d: its sale says something else"},
	{`SELECT x.posting_id FROM tier_earned x WHERE (SELECT COALESCE(SUM(e.amount), 0) FROM ledger_entries e
		WHERE e.posting_id IN (x.earned_posting_id, x.undone_posting_id) AND e.unit = 'experience') <> CASE WHEN x.undone_posting_id = 0 THEN x.experience ELSE 0 END
		ORDER BY x.posting_id`, "tier_earned %d: the journal gave other experience for it"},
	{`SELECT s.id FROM sale_sales s WHERE s.posting_id <> 0 AND (SELECT COALESCE(SUM(e.amount), 0) FROM ledger_entries e
		WHERE e.posting_id = s.posting_id AND e.account = s.account AND e.unit = 'shop') <> s.price_fen ORDER BY s.id`, "sale_sales %d: its posting credits another amount than its price"},
	{`SELECT p.id FROM ledger_postings p LEFT JOIN sale_sales s ON s.id = p.ref_id AND s.posting_id = p.id WHERE p.kind = 'sale' AND s.id IS NULL ORDER BY p.id`, "ledger_postings %d: no sale belongs to it"},
	{`SELECT p.id FROM ledger_postings p LEFT JOIN sale_refunds r ON r.id = p.ref_id AND r.posting_id = p.id WHERE p.kind = 'sale_refund' AND r.id IS NULL ORDER BY p.id`, "ledger_postings %d: no refund of a sale belongs to it"},
	{`SELECT p.id FROM payment_intents p LEFT JOIN sale_sales s ON s.id = p.subject_id AND s.payment_id = p.id WHERE p.purpose = 'sale' AND p.state = 'paid'
		AND (s.id IS NULL OR s.state NOT IN ('paid', 'refunded')) ORDER BY p.id`, "payment_intents %d: paid, but no sale was delivered"},
	{`SELECT s.id FROM sale_sales s LEFT JOIN payment_intents p ON p.id = s.payment_id WHERE s.payment_id <> 0 AND s.state IN ('paid', 'refunded')
		AND (p.id IS NULL OR p.state <> 'paid' OR p.paid_fen <> s.price_fen) ORDER BY s.id`, "sale_sales %d: delivered, but its payment is not paid with that amount"},
	{`SELECT r.id FROM sale_refunds r LEFT JOIN payment_refunds f ON f.id = r.payment_refund_id WHERE r.payment_refund_id <> 0
		AND (f.id IS NULL OR f.amount_fen <> r.amount_fen OR f.payment_id <> r.payment_id) ORDER BY r.id`, "sale_refunds %d: another amount was sent back by WeChat"},
	{`SELECT l.id FROM pass_lines l JOIN pass_passes p ON p.id = l.pass_id LEFT JOIN ledger_lots x ON x.ref_kind = 'pass_line' AND x.ref_id = l.id AND x.member_id = p.member_id
		WHERE l.counted GROUP BY l.id, l.left_uses HAVING COALESCE(SUM(x.remaining), 0) <> l.left_uses ORDER BY l.id`, "pass_lines %d: the journal holds another number of uses than it says"},
	{`SELECT x.id FROM (SELECT 1 AS id) x WHERE (SELECT COALESCE(SUM(e.amount), 0) FROM ledger_entries e WHERE e.account = 'passes') <>
		(SELECT COALESCE(SUM(p.value_fen), 0) FROM pass_passes p) + (SELECT COALESCE(SUM(u.value_fen), 0) FROM pass_uses u JOIN checkout_orders o ON o.id = u.order_id
		WHERE NOT u.undone AND o.status = 'awaiting_payment')`, "pass_passes: the journal owes another amount for all of them than they are worth (%d)"},
	{`SELECT u.id FROM pass_uses u LEFT JOIN checkout_orders o ON o.id = u.order_id WHERE NOT u.undone AND (o.id IS NULL OR o.status NOT IN ('settled', 'awaiting_payment')) ORDER BY u.id`,
		"pass_uses %d: its order ended, and it did not come back"},
	{`SELECT o.id FROM mall_orders o WHERE o.points <> (SELECT COALESCE(SUM(t.points), 0) FROM points_takes t WHERE t.ref_kind = 'mall_order' AND t.ref_id = o.id) ORDER BY o.id`,
		"mall_orders %d: other points were taken than it says"},
	{`SELECT o.id FROM mall_orders o JOIN points_takes t ON t.ref_kind = 'mall_order' AND t.ref_id = o.id WHERE (o.state = 'cancelled') <> (t.return_id <> 0) ORDER BY o.id`,
		"mall_orders %d: its points came back and it did not end, or the other way round"},
	{`SELECT o.id FROM mall_orders o LEFT JOIN sale_sales x ON x.id = o.sale_id WHERE o.sale_id <> 0 AND (x.id IS NULL OR x.price_fen <> o.money_fen
		OR CASE o.state WHEN 'pending' THEN x.state <> 'pending' WHEN 'cancelled' THEN x.state = 'pending' OR x.state = 'paid' ELSE x.state <> 'paid' END) ORDER BY o.id`,
		"mall_orders %d: its state is not that of its money"},
	{`SELECT a.id FROM ledger_accounts a LEFT JOIN member_members m ON m.id = a.member_id WHERE m.id IS NULL ORDER BY a.id`, "ledger_accounts %d: its member is missing"},
	{`SELECT a.id FROM ledger_accounts a JOIN member_members m ON m.id = a.member_id WHERE a.merged_into <> m.merged_into ORDER BY a.id`, "ledger_accounts %d: it leads to another member than its own was merged into"},
	{`SELECT m.id FROM merge_merges m WHERE m.principal_fen <> ` + mergedUnit("principal") + ` OR m.bonus_fen <> ` + mergedUnit("bonus") + ` OR m.points <> ` + mergedUnit("points") + ` OR m.points_debt <> ` +
		mergedUnit("points_debt") + ` OR m.experience <> ` + mergedUnit("experience") + ` OR m.uses <> ` + mergedUnit("uses") + ` ORDER BY m.id`, "merge_merges %d: its postings moved something else"},
	{`SELECT m.id FROM merge_merges m LEFT JOIN ledger_postings o ON o.id = m.out_posting_id LEFT JOIN ledger_postings i ON i.id = m.in_posting_id WHERE m.out_posting_id <> 0
		AND (o.id IS NULL OR i.id IS NULL OR o.kind <> 'merge' OR i.kind <> 'merge' OR o.member_id <> m.from_id OR i.member_id <> m.into_id OR o.ref_id <> m.id OR i.ref_id <> m.id
		OR o.actor_id <> m.staff_id OR o.created_at <> m.created_at OR o.memo <> m.reason) ORDER BY m.id`, "merge_merges %d: its postings say something else"},
	{`SELECT p.id FROM ledger_postings p LEFT JOIN merge_merges m ON m.id = p.ref_id AND p.id IN (m.out_posting_id, m.in_posting_id) WHERE p.kind = 'merge' AND m.id IS NULL ORDER BY p.id`,
		"ledger_postings %d: no merge belongs to it"},
	{`SELECT m.id FROM merge_merges m LEFT JOIN member_members f ON f.id = m.from_id LEFT JOIN member_members i ON i.id = m.into_id WHERE f.id IS NULL OR i.id IS NULL
		OR f.status NOT IN ('merged', 'closed') OR f.merged_into <> CASE WHEN i.merged_into = 0 THEN i.id ELSE i.merged_into END ORDER BY m.id`, "merge_merges %d: its members say something else"},
	{`SELECT m.id FROM merge_merges m LEFT JOIN member_cards c ON c.card_no = m.from_card_no AND c.member_id = m.from_id LEFT JOIN member_cards d ON d.card_no = m.into_card_no AND d.member_id = m.into_id
		WHERE (m.from_card_no <> '' AND (c.id IS NULL OR c.status <> 'closed')) OR (m.into_card_no <> '' AND d.id IS NULL) ORDER BY m.id`, "merge_merges %d: its cards say something else"},
	{`SELECT f.id FROM member_members f LEFT JOIN merge_merges m ON m.from_id = f.id WHERE (f.merged_into <> 0 OR f.status = 'merged') AND m.id IS NULL ORDER BY f.id`, "member_members %d: no merge belongs to it"},
	{`SELECT m.id FROM merge_merges m LEFT JOIN audit_log l ON l.action = 'member.merge' AND l.subject_id = m.into_id AND l.actor_id = m.staff_id AND l.created_at = m.created_at WHERE l.id IS NULL ORDER BY m.id`,
		"merge_merges %d: the trail does not know it"},
}

// lastPaidOrder is the member's latest settled order that cost money, 0 when there is none.
func lastPaidOrder(ctx context.Context, r db.Reader, memberID int64) (int64, error) {
	var ids []int64
	err := r.Select(ctx, &ids, `SELECT id FROM checkout_orders WHERE member_id = ? AND status = 'settled' AND total_fen > 0 ORDER BY id DESC LIMIT 1`, memberID)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return ids[0], nil
}

// leftOver are the bookings of a store that were under way or waited on a day before, when nobody was there to end them.
func leftOver(ctx context.Context, r db.Reader, storeID int64, today string) (list []struct {
	ID    int64  `db:"id"`
	State string `db:"state"`
}, err error) {
	return list, r.Select(ctx, &list, `SELECT id, state FROM booking_bookings WHERE store_id = ? AND biz_day < ? AND state IN ('queued', 'dispatched', 'arrived', 'in_service') ORDER BY id`, storeID, today)
}

// unhurried runs fn without waiting for the disk at each commit, on the embedded database: a history that is invented survives no power
// cut, and is written down whole at the end.
func unhurried(ctx context.Context, d *db.DB, fn func() error) error {
	if d.Dialect() != db.SQLite {
		return fn()
	}
	w := d.SQLDB() // one connection; should it be lost, the next one waits again
	if _, err := w.ExecContext(ctx, `PRAGMA synchronous = OFF`); err != nil {
		return err
	}
	err := fn()
	for _, q := range []string{`PRAGMA synchronous = FULL`, `PRAGMA wal_checkpoint(FULL)`} {
		_, e := w.ExecContext(context.WithoutCancel(ctx), q)
		err = errors.Join(err, e)
	}
	return err
}
