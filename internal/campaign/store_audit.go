package campaign

import (
	"context"
	"fmt"
)

// checks are what always holds; each query returns the ids of the rows that are wrong.
var checks = []struct{ query, say string }{
	{`SELECT c.id FROM campaign_codes c WHERE (c.used_at <> 0 AND (c.member_id IS NULL OR c.use_no IS NULL)) OR (c.used_at = 0 AND (c.member_id IS NOT NULL OR c.use_no IS NOT NULL)) ORDER BY c.id`,
		"campaign_codes %d: half used"},
	{`SELECT c.id FROM campaign_codes c JOIN campaign_batches b ON b.id = c.batch_id WHERE c.use_no > b.per_member ORDER BY c.id`, "campaign_codes %d: more than its batch allows one member"},
	{`SELECT b.id FROM campaign_batches b WHERE (SELECT COUNT(*) FROM campaign_codes c WHERE c.batch_id = b.id) <> CASE WHEN b.exported_at = 0 THEN 0 ELSE b.code_count END ORDER BY b.id`,
		"campaign_batches %d: another number of codes than it says"},
	{`SELECT c.id FROM campaign_codes c LEFT JOIN campaign_gifts g ON g.ref_id = c.id AND g.source = 'code' AND g.member_id = c.member_id WHERE c.used_at <> 0 AND g.id IS NULL ORDER BY c.id`,
		"campaign_codes %d: used, but nothing was given"},
	{`SELECT g.id FROM campaign_gifts g LEFT JOIN campaign_codes c ON c.id = g.ref_id AND c.member_id = g.member_id WHERE g.source = 'code' AND c.id IS NULL ORDER BY g.id`,
		"campaign_gifts %d: given for a code that was not used"},
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
