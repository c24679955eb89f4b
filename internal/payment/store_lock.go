package payment

import (
	"context"
	"slices"

	"github.com/liangche/liangche/internal/db"
)

// LockTx locks payments in ascending order before whatever they paid for is locked: the lock order of the whole system.
// Unknown ids and 0 are passed over.
func (s *Service) LockTx(ctx context.Context, tx *db.Tx, ids []int64) error {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return id == 0 })
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	query, args, err := db.In(`SELECT id FROM payment_intents WHERE id IN (?) ORDER BY id`+tx.ForUpdate(), slices.Compact(ids))
	if err != nil {
		return err
	}
	var locked []int64
	return tx.Select(ctx, &locked, query, args...)
}
