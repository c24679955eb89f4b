package tier

import (
	"context"
	"errors"
	"slices"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// MergeLook says which memberships of a member would go to another, and whether both have the same one: two that run at once would serve a person once.
func (s *Service) MergeLook(ctx context.Context, r db.Reader, _ string, from, into int64) (moves map[string][]string, blocks []*fault.Error, err error) {
	theirs, err := membershipsOf(ctx, r, from)
	if err != nil {
		return nil, nil, err
	}
	own, err := membershipsOf(ctx, r, into)
	if err != nil {
		return nil, nil, err
	}
	moves = map[string][]string{}
	for _, m := range theirs {
		if m.State != MembershipActive {
			continue
		}
		p, err := m.plan()
		if err != nil {
			return nil, nil, err
		}
		moves["memberships"] = append(moves["memberships"], p.Name)
		if slices.ContainsFunc(own, func(o membershipRow) bool { return o.State == MembershipActive && o.PlanID == m.PlanID }) {
			blocks = append(blocks, ErrMergePlan.Say("两位会员都有「%s」，同时生效会白白浪费一份：请先退掉其中一份，再合并", p.Name))
		}
	}
	return moves, blocks, nil
}

// MergeTx joins the standing of a member with that of another: memberships and counted rights go over, a right that both have in the same period is one
// right, of two tiers that were given by hand the higher one stays, and what both paid counts together. So the other stands at least as high as the
// better of the two did, unless somebody fixed their tier. The ledger has brought the uses.
func (s *Service) MergeTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	rules, err := s.freshRulesTx(ctx, tx)
	if err != nil {
		return err
	}
	def, err := pick(rules.Tiers, 0)
	if err != nil {
		return err
	}
	at := map[int64]placeRow{}
	for _, m := range []int64{min(from, into), max(from, into)} {
		if at[m], err = lockPlace(ctx, tx, m, def.ID); err != nil {
			return err
		}
	}
	hand, err := manuals(ctx, tx, at, []int64{from, into})
	if err != nil {
		return err
	}
	if theirs := hand[from]; rules.outranks(theirs, hand[into], tx.Millis()) {
		if err := putAssignment(ctx, tx, assignmentRow{into, theirs.TierID, false, theirs.Reason, theirs.By, tx.Millis(), theirs.EndsAt}); err != nil {
			return err
		}
	}
	// One that has ended may still be renewed for some days.
	if _, err := tx.Exec(ctx, `UPDATE tier_memberships SET member_id = ? WHERE member_id = ? AND (state = 'active' OR renew_on)`, into, from); err != nil {
		return err
	}
	if err := s.mergeGrantsTx(ctx, tx, from, into); err != nil {
		return err
	}
	if err := dropAssignment(ctx, tx, from); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM tier_members WHERE member_id = ?`, from); err != nil {
		return err
	}
	return s.settleTx(ctx, tx, into)
}

// outranks says whether a tier that was given by hand goes over: it is no fixed one, still holds, and is above what the other was given.
func (s Rules) outranks(theirs, own *Manual, now int64) bool {
	rank := func(m *Manual) int {
		if m == nil || (m.EndsAt != 0 && m.EndsAt <= now) {
			return -1
		}
		i := slices.IndexFunc(s.Tiers, func(t Full) bool { return t.ID == m.TierID })
		if i < 0 {
			return -1
		}
		return s.Tiers[i].Rank
	}
	switch {
	case theirs == nil || theirs.Fixed:
		return false
	case own != nil && own.Fixed && rank(own) >= 0:
		return false
	}
	return rank(theirs) > rank(own)
}

// mergeGrantsTx gives a member's counted rights of running periods to another. Of a right that both have in one period the other's count stays: it is
// one person, who has it once.
func (s *Service) mergeGrantsTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	var rows []grantRow
	if err := tx.Select(ctx, &rows, `SELECT `+grantColumns+` FROM tier_grants WHERE member_id = ? AND state = 'open' ORDER BY id`+tx.ForUpdate(), from); err != nil {
		return err
	}
	for _, g := range rows {
		own, err := lockGrant(ctx, tx, into, g.RightID, g.Period)
		if err != nil {
			return err
		}
		if own.ID != 0 {
			if err := s.expireTx(ctx, tx, g); err != nil {
				return err
			}
			// A use of it that comes back later is all that it holds then, and ends at once.
			if _, err := tx.Exec(ctx, `UPDATE tier_grants SET granted = used, expires_at = ? WHERE id = ?`, tx.Millis(), g.ID); err != nil {
				return err
			}
			continue
		}
		if _, err := tx.Exec(ctx, `UPDATE tier_grants SET member_id = ? WHERE id = ?`, into, g.ID); err != nil {
			if errors.Is(err, db.ErrDuplicate) {
				return fault.ErrBusyWrite.With(err)
			}
			return err
		}
	}
	return nil
}
