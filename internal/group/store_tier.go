package group

import (
	"context"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/tier"
)

type placedRow struct {
	MemberID  int64  `db:"member_id"`
	Account   string `db:"account"`
	GroupTier int64  `db:"group_tier"`
	PlaceTier int64  `db:"place_tier"`
	Until     string `db:"until_day"`
}

// PlacedIn reads which tiers active companies give to members: as payer or driver what the company names, by their card what the card names.
func (s *Service) PlacedIn(ctx context.Context, r db.Reader, members []int64) ([]tier.Placed, error) {
	if len(members) == 0 {
		return nil, nil
	}
	var rows []placedRow
	for _, query := range []string{
		`SELECT d.member_id, g.name AS account, g.tier_id AS group_tier, d.tier_id AS place_tier, d.until_day FROM group_drivers d JOIN group_groups g ON g.id = d.group_id
			WHERE d.live_key IS NOT NULL AND (d.tier_id <> 0 OR g.tier_id <> 0) AND g.state = 'active' AND d.member_id IN (?) ORDER BY d.id`,
		`SELECT payer_id AS member_id, name AS account, tier_id AS group_tier, 0 AS place_tier, '' AS until_day FROM group_groups
			WHERE tier_id <> 0 AND state = 'active' AND payer_id IN (?) ORDER BY id`,
	} {
		q, args, err := db.In(query, members)
		if err != nil {
			return nil, err
		}
		var some []placedRow
		if err := r.Select(ctx, &some, q, args...); err != nil {
			return nil, err
		}
		rows = append(rows, some...)
	}
	var out []tier.Placed
	for _, x := range rows {
		for _, id := range []int64{x.GroupTier, x.PlaceTier} {
			if id != 0 {
				out = append(out, tier.Placed{MemberID: x.MemberID, TierID: id, Account: x.Account, Until: x.Until})
			}
		}
	}
	return out, nil
}

// Naming counts the accounts that name a tier, by themselves, on a card or in a link that still works.
func (s *Service) Naming(ctx context.Context, r db.Reader, tierID int64) (n int, err error) {
	err = r.Get(ctx, &n, `SELECT COUNT(*) FROM group_groups g WHERE g.state <> 'ended' AND (g.tier_id = ?
		OR EXISTS (SELECT 1 FROM group_drivers d WHERE d.group_id = g.id AND d.tier_id = ? AND d.live_key IS NOT NULL)
		OR EXISTS (SELECT 1 FROM group_invites v WHERE v.group_id = g.id AND v.tier_id = ? AND v.used_at IS NULL AND v.revoked_at IS NULL AND v.expires_at > ?))`,
		tierID, tierID, tierID, s.db.Now().UnixMilli())
	return n, err
}
