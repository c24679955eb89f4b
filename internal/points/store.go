package points

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// rulesID is the id of the only row of points_rules.
const rulesID = 1

func readRules(ctx context.Context, r db.Reader, lock string) (out Rules, err error) {
	var row struct {
		Doc     string `db:"doc"`
		Version int64  `db:"version"`
	}
	err = r.Get(ctx, &row, `SELECT doc, version FROM points_rules WHERE id = ?`+lock, rulesID)
	if errors.Is(err, db.ErrNoRows) {
		return Rules{}, nil
	}
	if err != nil {
		return out, err
	}
	err = json.Unmarshal([]byte(row.Doc), &out)
	out.Version = row.Version
	return out, err
}

// writeRules stores rules whose version follows the old one; of two first ones at once the second is refused.
func writeRules(ctx context.Context, tx *db.Tx, old int64, r Rules) error {
	doc, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if old > 0 {
		return tx.ExecOne(ctx, ErrRulesChanged, `UPDATE points_rules SET doc = ?, version = ?, updated_at = ? WHERE id = ? AND version = ?`, string(doc), r.Version, tx.Millis(), rulesID, old)
	}
	err = tx.Insert(ctx, "points_rules", struct {
		ID        int64  `db:"id"`
		Doc       string `db:"doc"`
		Version   int64  `db:"version"`
		UpdatedAt int64  `db:"updated_at"`
	}{rulesID, string(doc), r.Version, tx.Millis()})
	if errors.Is(err, db.ErrDuplicate) {
		return ErrRulesChanged
	}
	return err
}

type earningRow struct {
	ID         int64  `db:"id"`
	RefKind    string `db:"ref_kind"`
	RefID      int64  `db:"ref_id"`
	MemberID   int64  `db:"member_id"`
	Points     int64  `db:"points"`
	PostingID  int64  `db:"posting_id"`
	ClawbackID int64  `db:"clawback_id"`
	Short      int64  `db:"short_points"`
	CreatedAt  int64  `db:"created_at"`
}

func earningOf(ctx context.Context, r db.Reader, refKind string, refID int64, lock string) (e earningRow, err error) {
	return e, r.Get(ctx, &e, `SELECT id, ref_kind, ref_id, member_id, points, posting_id, clawback_id, short_points, created_at
		FROM points_earnings WHERE ref_kind = ? AND ref_id = ?`+lock, refKind, refID)
}

func markClawed(ctx context.Context, tx *db.Tx, id, posting, short int64) error {
	return tx.ExecOne(ctx, fault.ErrBusyWrite, `UPDATE points_earnings SET clawback_id = ?, short_points = ? WHERE id = ? AND clawback_id = 0`, posting, short, id)
}

type giftRow struct {
	Dedupe    string `db:"dedupe"`
	MemberID  int64  `db:"member_id"`
	Points    int64  `db:"points"`
	Source    string `db:"source"`
	PostingID int64  `db:"posting_id"`
	CreatedAt int64  `db:"created_at"`
}

func markGift(ctx context.Context, tx *db.Tx, dedupe string, posting int64) error {
	return tx.ExecOne(ctx, fault.ErrBusyWrite, `UPDATE points_gifts SET posting_id = ? WHERE dedupe = ? AND posting_id = 0`, posting, dedupe)
}

type takeRow struct {
	ID        int64  `db:"id"`
	RefKind   string `db:"ref_kind"`
	RefID     int64  `db:"ref_id"`
	MemberID  int64  `db:"member_id"`
	Points    int64  `db:"points"`
	PostingID int64  `db:"posting_id"`
	ReturnID  int64  `db:"return_id"`
	CreatedAt int64  `db:"created_at"`
}

func takeOf(ctx context.Context, r db.Reader, refKind string, refID int64, lock string) (t takeRow, err error) {
	return t, r.Get(ctx, &t, `SELECT id, ref_kind, ref_id, member_id, points, posting_id, return_id, created_at
		FROM points_takes WHERE ref_kind = ? AND ref_id = ?`+lock, refKind, refID)
}

func markReturned(ctx context.Context, tx *db.Tx, id, posting int64) error {
	return tx.ExecOne(ctx, fault.ErrBusyWrite, `UPDATE points_takes SET return_id = ? WHERE id = ? AND return_id = 0`, posting, id)
}

// warning is what somebody was told of: what ends at an instant.
type warning struct {
	MemberID  int64 `db:"member_id"`
	ExpiresAt int64 `db:"expires_at"`
}

type warningRow struct {
	MemberID  int64 `db:"member_id"`
	ExpiresAt int64 `db:"expires_at"`
	WarnedAt  int64 `db:"warned_at"`
}

func warnedOf(ctx context.Context, r db.Reader, members []int64) (map[warning]bool, error) {
	q, args, err := db.In(`SELECT member_id, expires_at FROM points_warnings WHERE member_id IN (?)`, members)
	if err != nil {
		return nil, err
	}
	var rows []warning
	err = r.Select(ctx, &rows, q, args...)
	out := make(map[warning]bool, len(rows))
	for _, w := range rows {
		out[w] = true
	}
	return out, err
}

// forgetWarnings drops what has ended: nothing is left of it to warn of.
func (s *Service) forgetWarnings(ctx context.Context) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM points_warnings WHERE expires_at < ?`, tx.Millis())
		return err
	})
}

// Audit checks that what this slice noted has its posting, and reports each difference in one sentence.
func (s *Service) Audit(ctx context.Context, report func(problem string)) error {
	for _, c := range []struct{ query, say string }{
		{`SELECT id FROM points_earnings WHERE posting_id = 0 OR points <= 0 ORDER BY id LIMIT 1000`, "points_earnings %d: it earned nothing or has no posting"},
		{`SELECT id FROM points_earnings WHERE short_points < 0 OR short_points > points OR (clawback_id = 0 AND short_points <> 0) ORDER BY id LIMIT 1000`, "points_earnings %d: its debt does not fit what was taken back"},
		{`SELECT id FROM points_takes WHERE posting_id = 0 OR points <= 0 ORDER BY id LIMIT 1000`, "points_takes %d: it took nothing or has no posting"},
		{`SELECT member_id FROM points_gifts WHERE posting_id = 0 OR points <= 0 ORDER BY member_id LIMIT 1000`, "points_gifts of member %d: one has no posting"},
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

// giftBy reads a gift by its dedupe key and locks it.
func giftBy(ctx context.Context, tx *db.Tx, dedupe string) (g giftRow, err error) {
	return g, tx.Get(ctx, &g, `SELECT dedupe, member_id, points, source, posting_id, created_at FROM points_gifts WHERE dedupe = ?`+tx.ForUpdate(), dedupe)
}
