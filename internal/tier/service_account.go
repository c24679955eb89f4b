package tier

import (
	"context"
	"slices"

	"github.com/liangche/liangche/internal/db"
)

// placedOf reads what companies' accounts give to members.
func (s *Service) placedOf(ctx context.Context, r db.Reader, members []int64) (map[int64][]Placed, error) {
	if s.Accounts == nil || len(members) == 0 {
		return nil, nil
	}
	rows, err := s.Accounts.PlacedIn(ctx, r, members)
	out := make(map[int64][]Placed, len(rows))
	for _, p := range rows {
		out[p.MemberID] = append(out[p.MemberID], p)
	}
	return out, err
}

// BetterTx names a tier that may be given to people: not the default one, which everybody has. It must not be deleted meanwhile. Fault: tier.unknown.
func (s *Service) BetterTx(ctx context.Context, tx *db.Tx, id int64) (Tier, error) {
	all, err := readAll(ctx, tx, tx.ForUpdate())
	if err != nil {
		return Tier{}, err
	}
	i := slices.IndexFunc(all, func(t Full) bool { return t.ID == id && !t.IsDefault })
	if i < 0 {
		return Tier{}, ErrUnknown.On("tierId", "请选择一个比默认等级好的等级")
	}
	return all[i].Tier, nil
}

// MovedTx brings members in line after their company's account changed what it gives, in the transaction of that change.
func (s *Service) MovedTx(ctx context.Context, tx *db.Tx, members []int64) error {
	if len(members) == 0 {
		return nil
	}
	def, err := s.Default(ctx, tx)
	if err != nil {
		return err
	}
	members = slices.Compact(slices.Sorted(slices.Values(members)))
	for _, m := range members {
		if _, err := lockPlace(ctx, tx, m, def.ID); err != nil {
			return err
		}
	}
	return s.placeTx(ctx, tx, members)
}
