package mall

import (
	"context"
	"fmt"
)

// checks are what always holds; each query returns the ids of the rows that are wrong.
var checks = []struct{ query, say string }{
	{`SELECT i.id FROM mall_items i WHERE i.stock < 0 OR i.stock <> (SELECT COALESCE(SUM(m.amount), 0) FROM mall_moves m WHERE m.item_id = i.id) ORDER BY i.id`,
		"mall_items %d: its stock is not the sum of its moves"},
	{`SELECT o.id FROM mall_orders o WHERE (SELECT COALESCE(SUM(m.amount), 0) FROM mall_moves m WHERE m.order_id = o.id) <> CASE WHEN o.state = 'cancelled' THEN 0 ELSE -o.qty END ORDER BY o.id`,
		"mall_orders %d: its stock moves are not what its state says"},
	{`SELECT o.id FROM mall_orders o WHERE o.state = 'pending' AND o.sale_id = 0 ORDER BY o.id`, "mall_orders %d: waits for money that nobody asks for"},
	{`SELECT o.id FROM mall_orders o WHERE o.money_fen > 0 AND o.sale_id = 0 ORDER BY o.id`, "mall_orders %d: costs money, but nothing was sold"},
	{`SELECT o.id FROM mall_orders o WHERE o.state = 'ready' AND o.delivery = 'collect' AND o.code_index IS NULL ORDER BY o.id`, "mall_orders %d: ready without a pickup code"},
}

// Audit recomputes what the tables of this package say and reports each difference.
func (s *Service) Audit(ctx context.Context, report func(string)) error {
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
