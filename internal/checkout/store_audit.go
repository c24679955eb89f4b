package checkout

import (
	"context"
	"fmt"
)

// Audit compares orders with their lines, tenders, benefits and postings and reports each difference in one sentence.
func (s *Service) Audit(ctx context.Context, report func(problem string)) error {
	checks := []struct{ query, say string }{
		{`SELECT o.id FROM checkout_orders o LEFT JOIN checkout_lines l ON l.order_id = o.id GROUP BY o.id, o.total_fen HAVING COALESCE(SUM(l.amount_fen), 0) <> o.total_fen ORDER BY o.id`, "checkout_orders %d: its lines do not sum to its total"},
		{`SELECT o.id FROM checkout_orders o LEFT JOIN checkout_tenders t ON t.order_id = o.id GROUP BY o.id, o.total_fen HAVING COALESCE(SUM(t.amount_fen), 0) <> o.total_fen ORDER BY o.id`, "checkout_orders %d: its tenders do not sum to its total"},
		{`SELECT id FROM checkout_orders WHERE (status IN ('settled', 'reversed')) <> (posting_id <> 0) ORDER BY id`, "checkout_orders %d: its status does not fit its posting"},
		{`SELECT id FROM checkout_orders WHERE (status = 'reversed') <> (reversal_posting_id <> 0) ORDER BY id`, "checkout_orders %d: its status does not fit its reversal"},
		{`SELECT id FROM checkout_orders WHERE subtotal_fen - discount_fen <> total_fen OR total_fen < 0 ORDER BY id`, "checkout_orders %d: subtotal less discount is not the total"},
		{`SELECT o.id FROM checkout_orders o JOIN checkout_lines l ON l.order_id = o.id AND l.kind IN ('service', 'good') GROUP BY o.id, o.total_fen
			HAVING SUM(l.net_qty) > 0 AND SUM(l.net_fen) <> o.total_fen ORDER BY o.id`, "checkout_orders %d: what its items came to is not its total"},
		{`SELECT DISTINCT o.id FROM checkout_orders o JOIN checkout_benefits b ON b.order_id = o.id WHERE (o.status IN ('cancelled', 'reversed')) <> (b.state = 'undone')
			OR (b.state = 'held' AND o.status <> 'awaiting_payment') ORDER BY o.id`, "checkout_orders %d: its status does not fit what it used of its member's"},
		{`SELECT o.id FROM checkout_orders o LEFT JOIN checkout_benefits b ON b.order_id = o.id AND b.kind = 'points' LEFT JOIN checkout_tenders t ON t.order_id = o.id AND t.kind = 'points'
			WHERE COALESCE(b.saved_fen, 0) <> COALESCE(t.amount_fen, 0) ORDER BY o.id`, "checkout_orders %d: its points do not pay its points tender"},
		{`SELECT id FROM checkout_orders WHERE recognised_fen < 0 OR points_earned < 0 OR (points_earned > 0 AND ((member_id = 0 AND earner_id = 0) OR posting_id = 0)) OR (earner_id <> 0 AND earner_id = member_id) OR (payer_id <> 0) <> (group_id <> 0) ORDER BY id`,
			"checkout_orders %d: what it earned or who paid it does not fit"},
		{`SELECT t.order_id FROM checkout_tenders t WHERE t.kind IN ('balance', 'group') AND t.principal_fen + t.bonus_fen <> t.amount_fen ORDER BY t.order_id`, "checkout_orders %d: principal and bonus do not sum to its stored-value tender"},
	}
	for _, c := range checks {
		var ids []int64
		if err := s.db.Select(ctx, &ids, c.query); err != nil {
			return err
		}
		for _, id := range ids {
			report(fmt.Sprintf(c.say, id))
		}
	}
	return nil
}
