package referral

import (
	"context"
	"fmt"
)

// checks are what always holds; each query returns the ids of the rows that are wrong.
var checks = []struct{ query, say string }{
	{`SELECT id FROM referral_invites WHERE inviter_id = invitee_id ORDER BY id`, "referral_invites %d: invited themselves"},
	{`SELECT id FROM referral_invites WHERE state = 'rewarded' AND (reward_at = 0 OR paid_fen <= 0) ORDER BY id`, "referral_invites %d: rewarded without a payment"},
	{`SELECT i.id FROM referral_invites i WHERE i.state IN ('pending', 'rewarded') AND NOT EXISTS (SELECT 1 FROM referral_marks m WHERE m.invite_id = i.id AND m.kind = 'phone') ORDER BY i.id`,
		"referral_invites %d: nothing is known by which its friend would be recognised"},
	{`SELECT id FROM referral_invites WHERE share_state = 'given' AND (via = '' OR state NOT IN ('pending', 'suspect', 'rewarded', 'expired', 'taken_back')) ORDER BY id`,
		"referral_invites %d: rewarded for sharing without a share, or for an invitation that was rejected"},
	{`SELECT d.inviter_id FROM referral_days d WHERE d.rewarded < (SELECT COUNT(*) FROM referral_invites i WHERE i.inviter_id = d.inviter_id AND i.reward_day = d.biz_day AND i.state = 'rewarded') ORDER BY d.inviter_id`,
		"referral_days of member %d: more rewards on a day than were counted"},
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
