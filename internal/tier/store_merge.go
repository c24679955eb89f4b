package tier

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// MergeLook says which memberships of a member would go to another, and whether both bought the same one: two that run at once would serve a person once.
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
		if !given(activeOf(theirs, m.PlanID)) && !given(activeOf(own, m.PlanID)) {
			blocks = append(blocks, ErrMergePlan.Say("两位会员都有「%s」，同时生效会白白浪费一份：请先退掉其中一份，再合并", p.Name))
		}
	}
	return moves, blocks, nil
}

// activeOf are the running and coming memberships of a plan, by their begin.
func activeOf(rows []membershipRow, planID int64) (out []membershipRow) {
	for _, m := range rows {
		if m.PlanID == planID && m.State == MembershipActive {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b membershipRow) int { return cmp.Compare(a.StartsAt, b.StartsAt) })
	return out
}

// given says whether none of them was sold.
func given(rows []membershipRow) bool {
	return !slices.ContainsFunc(rows, func(m membershipRow) bool { return m.SaleID > 0 })
}

// followTx lets memberships that were given follow those of the same plan that the other has, with the months that are left of them. Of two members who
// bought the same one MergeLook says so.
func followTx(ctx context.Context, tx *db.Tx, from, into int64) error {
	theirs, err := membershipsOf(ctx, tx, from)
	if err != nil {
		return err
	}
	own, err := membershipsOf(ctx, tx, into)
	if err != nil {
		return err
	}
	done := map[int64]bool{}
	for _, x := range theirs {
		first, late := activeOf(own, x.PlanID), activeOf(theirs, x.PlanID)
		if done[x.PlanID] || len(first) == 0 || len(late) == 0 {
			continue
		}
		done[x.PlanID] = true
		if !given(late) {
			first, late = late, first
		}
		at := max(lastOf(first, x.PlanID).EndsAt, tx.Millis())
		for _, m := range late {
			p, err := m.plan()
			if err != nil {
				return err
			}
			begun := time.UnixMilli(max(m.StartsAt, tx.Millis()))
			for p.Months = 1; term(begun, p.Months).UnixMilli() < m.EndsAt; {
				p.Months++
			}
			snapshot, err := json.Marshal(p)
			if err != nil {
				return err
			}
			ends := term(time.UnixMilli(at), p.Months).UnixMilli()
			if _, err := tx.Exec(ctx, `UPDATE tier_memberships SET starts_at = ?, ends_at = ?, earn_at = ?, snapshot = ?, warned = FALSE WHERE id = ?`, at, ends, at, string(snapshot), m.ID); err != nil {
				return err
			}
			at = ends
		}
	}
	return nil
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
	if err := followTx(ctx, tx, from, into); err != nil {
		return err
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
