package coupon

import (
	"context"
	"errors"
	"fmt"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// TakeBackTx voids what IssueTx gave under a dedupe key, n coupons, because the reason for it is gone: those that are still available and still
// belong to the member they were given to. What uses or holds one keeps it, and it does not come back when that ends without it. What was given on
// is lost. It returns how many it voided; done before is no error.
func (s *Service) TakeBackTx(ctx context.Context, tx *db.Tx, memberID int64, dedupe string, n int64) (voided int64, err error) {
	forget(tx, memberID)
	for k := range max(n, 1) {
		key := dedupe
		if n > 1 {
			key = fmt.Sprintf("%s#%d", dedupe, k+1)
		}
		ids, err := byDedupe(ctx, tx, key)
		if err != nil {
			return voided, err
		}
		for _, id := range ids {
			c, err := byID(ctx, tx, id, tx.ForUpdate())
			if err != nil {
				return voided, err
			}
			if c.MemberID == memberID && (c.State == Held || c.State == Used) {
				if err := endNow(ctx, tx, id); err != nil {
					return voided, err
				}
				continue
			}
			if c.MemberID != memberID || c.State != Available {
				continue
			}
			if err := moveState(ctx, tx, id, Available, Void, "", 0); err != nil {
				return voided, err
			}
			voided++
		}
	}
	return voided, nil
}

// TitleOf is NameOf inside somebody else's transaction. Fault: ErrTemplate.
func (s *Service) TitleOf(ctx context.Context, r db.Reader, id int64) (string, error) {
	t, err := templateByID(ctx, r, id, "")
	if errors.Is(err, fault.ErrNotFound) || (err == nil && !t.Active) {
		return "", ErrTemplate
	}
	return t.Name, err
}
