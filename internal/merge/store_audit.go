package merge

import (
	"context"
	"fmt"
)

// Audit checks merges by themselves and reports each difference in one sentence; what they say of members and the ledger is compared where every table
// may be read.
func (s *Service) Audit(ctx context.Context, report func(problem string)) error {
	for _, c := range []struct{ query, say string }{
		{`SELECT id FROM merge_merges WHERE from_id = into_id ORDER BY id`, "merge_merges %d: a member was merged into themselves"},
		{`SELECT id FROM merge_merges WHERE principal_fen < 0 OR bonus_fen < 0 OR points < 0 OR points_debt < 0 OR experience < 0 OR uses < 0 ORDER BY id`, "merge_merges %d: it moved less than nothing"},
		{`SELECT id FROM merge_merges WHERE (out_posting_id = 0) <> (principal_fen + bonus_fen + points + points_debt + experience + uses = 0)
			OR (out_posting_id = 0) <> (in_posting_id = 0) ORDER BY id`, "merge_merges %d: its postings do not fit what it moved"},
		{`SELECT m.id FROM merge_merges m JOIN merge_merges o ON o.from_id = m.into_id AND o.id < m.id ORDER BY m.id`, "merge_merges %d: it leads to a member who was merged before"},
	} {
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
