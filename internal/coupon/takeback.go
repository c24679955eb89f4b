package coupon

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// TakeBackTx voids what IssueTx gave under a dedupe key, n coupons, because the reason for it is gone: those that are still available and still
// belong to the member they were given to, or to the one that this one was merged into. What uses or holds one keeps it, and it does not come back when
// that ends without it. What was given on is lost. It returns how many it voided; done before is no error.
func (s *Service) TakeBackTx(ctx context.Context, tx *db.Tx, memberID int64, dedupe string, n int64) (voided int64, err error) {
	owners, err := s.ownersTx(ctx, tx, memberID)
	if err != nil {
		return 0, err
	}
	err = eachOf(ctx, tx, dedupe, n, func(c row) error {
		if slices.Contains(owners, c.MemberID) && (c.State == Held || c.State == Used) {
			return endNow(ctx, tx, c.ID)
		}
		done, err := takeTx(ctx, tx, c, owners)
		if done {
			voided++
		}
		return err
	})
	return voided, err
}

// TakeBackSomeTx voids at most so many of n coupons that IssueTx gave under a dedupe key; what uses or holds one keeps it. It returns how many
// it voided.
func (s *Service) TakeBackSomeTx(ctx context.Context, tx *db.Tx, memberID int64, dedupe string, n, most int64) (voided int64, err error) {
	owners, err := s.ownersTx(ctx, tx, memberID)
	if err != nil {
		return 0, err
	}
	err = eachOf(ctx, tx, dedupe, n, func(c row) error {
		if voided >= most {
			return nil
		}
		done, err := takeTx(ctx, tx, c, owners)
		if done {
			voided++
		}
		return err
	})
	return voided, err
}

// ownersTx are all who are one person with a member by merges: what was used stays with who used it, the rest went over.
func (s *Service) ownersTx(ctx context.Context, tx *db.Tx, memberID int64) ([]int64, error) {
	ids, err := s.Members.Family(ctx, tx, memberID)
	for _, id := range ids {
		forget(tx, id)
	}
	return ids, err
}

// takeTx voids a coupon that is available and still with whom it was given to.
func takeTx(ctx context.Context, tx *db.Tx, c row, owners []int64) (bool, error) {
	if !slices.Contains(owners, c.MemberID) || c.State != Available {
		return false, nil
	}
	return true, moveState(ctx, tx, c.ID, Available, Void, "", 0)
}

// eachOf locks the coupons of a dedupe key one after the other.
func eachOf(ctx context.Context, tx *db.Tx, dedupe string, n int64, do func(row) error) error {
	for k := range max(n, 1) {
		key := dedupe
		if n > 1 {
			key = fmt.Sprintf("%s#%d", dedupe, k+1)
		}
		ids, err := byDedupe(ctx, tx, key)
		if err != nil {
			return err
		}
		for _, id := range ids {
			c, err := byID(ctx, tx, id, tx.ForUpdate())
			if err != nil {
				return err
			}
			if err := do(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// TitleOf is NameOf inside somebody else's transaction. Fault: ErrTemplate.
func (s *Service) TitleOf(ctx context.Context, r db.Reader, id int64) (string, error) {
	t, err := templateByID(ctx, r, id, "")
	if errors.Is(err, fault.ErrNotFound) || (err == nil && !t.Active) {
		return "", ErrTemplate
	}
	return t.Name, err
}
