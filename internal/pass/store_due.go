package pass

import (
	"context"
	"fmt"
	"strconv"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
)

// What time alone does to passes: each query takes until, the id after which it goes on, and a limit.
const (
	duePauses   = `SELECT id FROM pass_passes WHERE state = 'paused' AND pause_until <= ? AND id > ? ORDER BY id LIMIT ?`
	dueExpiries = `SELECT id FROM pass_passes WHERE state = 'active' AND expires_at > 0 AND expires_at <= ? AND id > ? ORDER BY id LIMIT ?`
	dueWarnings = `SELECT id FROM pass_passes WHERE state = 'active' AND expires_at > 0 AND expires_at <= ? AND warned_for <> expires_at AND id > ? ORDER BY id LIMIT ?`
	dueNotices  = `SELECT id FROM pass_passes WHERE state = 'active' AND renew_on AND noticed_at = 0 AND expires_at > 0 AND expires_at <= ? AND id > ? ORDER BY id LIMIT ?`
	dueRenewals = `SELECT id FROM pass_passes WHERE state IN ('active', 'expired', 'used') AND renew_on AND noticed_at > 0 AND expires_at > 0 AND expires_at <= ? AND id > ? ORDER BY id LIMIT ?`
)

// What the end of a pass changes, for db.Tx.AddSoon: the same for all that end in one transaction, but for the posting. Columns are read before they are
// changed: MySQL assigns from left to right.
const (
	expireLines  = `UPDATE pass_lines SET lost_uses = lost_uses + left_uses, left_uses = 0, lost_fen = lost_fen + value_fen, value_fen = 0 WHERE id IN (%[2]s)`
	expirePasses = `UPDATE pass_passes SET lost_fen = lost_fen + value_fen, value_fen = 0, state = 'expired', gift_code = NULL, end_posting_id = %[1]s, ended_at = `
)

func expireLineSoon(tx *db.Tx, id int64) { tx.AddSoon(expireLines, ErrState, id, 0) }

func expirePassSoon(tx *db.Tx, id, posting int64) {
	tx.AddSoon(expirePasses+strconv.FormatInt(tx.Millis(), 10)+` WHERE id IN (%[2]s) AND state = 'active'`, ErrState, id, posting)
}

func dueIDs(ctx context.Context, r db.Reader, query string, until, after int64, limit int) (ids []int64, err error) {
	err = r.Select(ctx, &ids, query, until, after, limit)
	return ids, err
}

// markWarned notes that the holder was told of this end; false when that was done before.
func markWarned(ctx context.Context, tx *db.Tx, p Pass) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE pass_passes SET warned_for = expires_at WHERE id = ? AND state = 'active' AND expires_at = ? AND warned_for <> expires_at`, p.ID, clock.MaybeMillis(p.ExpiresAt))
	return n == 1, err
}

// Audit compares passes with their lines, uses and funds and reports each difference in one sentence.
func (s *Service) Audit(ctx context.Context, report func(problem string)) error {
	checks := []struct{ query, say string }{
		{`SELECT id FROM pass_lines WHERE left_uses < 0 OR left_uses > times OR value_fen < 0 ORDER BY id`, "pass_lines %d: has more or less left than it had"},
		{`SELECT l.id FROM pass_lines l JOIN pass_passes p ON p.id = l.pass_id LEFT JOIN pass_uses u ON u.line_id = l.id AND NOT u.undone
			WHERE l.counted AND p.state IN ('active', 'paused', 'used') GROUP BY l.id, l.times, l.left_uses, l.lost_uses
			HAVING l.left_uses + l.lost_uses + COALESCE(SUM(u.qty), 0) > l.times ORDER BY l.id`, "pass_lines %d: what is left and what was used are more than it had"},
		{`SELECT p.id FROM pass_passes p JOIN pass_lines l ON l.pass_id = p.id WHERE p.kind = 'times' GROUP BY p.id, p.value_fen
			HAVING SUM(l.value_fen) <> p.value_fen ORDER BY p.id`, "pass_passes %d: the value of its lines does not sum to its own"},
		{`SELECT p.id FROM pass_passes p JOIN pass_funds f ON f.pass_id = p.id WHERE p.state NOT IN ('pending', 'void') GROUP BY p.id, p.paid_fen
			HAVING SUM(f.amount_fen) <> p.paid_fen ORDER BY p.id`, "pass_passes %d: its sales do not sum to what was paid"},
		{`SELECT id FROM pass_passes WHERE value_fen < 0 OR value_fen > paid_fen OR (state NOT IN ('active', 'paused') AND value_fen <> 0) ORDER BY id`, "pass_passes %d: its value does not fit its state"},
		{`SELECT id FROM pass_passes WHERE (state = 'paused') <> (paused_at <> 0) ORDER BY id`, "pass_passes %d: its pause does not fit its state"},
	}
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
