package tier

import (
	"context"
	"errors"
	"fmt"

	"github.com/liangche/liangche/internal/db"
)

// runRow is one recomputation of everybody: it goes on behind after_member.
type runRow struct {
	ID          int64  `db:"id"`
	Key         string `db:"run_key"`
	AfterMember int64  `db:"after_member"`
	Members     int64  `db:"members"`
	Changed     int64  `db:"changed"`
	StartedAt   int64  `db:"started_at"`
	UpdatedAt   int64  `db:"updated_at"`
	FinishedAt  int64  `db:"finished_at"` // 0 while it runs
}

const runColumns = `id, run_key, after_member, members, changed, started_at, updated_at, finished_at`

// startRun writes a run unless there is one with the key; it returns what stands there.
func startRun(ctx context.Context, tx *db.Tx, key string) (r runRow, err error) {
	r = runRow{ID: tx.NewID(), Key: key, StartedAt: tx.Millis(), UpdatedAt: tx.Millis()}
	if err = tx.Insert(ctx, "tier_runs", r); errors.Is(err, db.ErrDuplicate) {
		return runByKey(ctx, tx, key)
	}
	return r, err
}

func runByKey(ctx context.Context, r db.Reader, key string) (x runRow, err error) {
	return x, r.Get(ctx, &x, `SELECT `+runColumns+` FROM tier_runs WHERE run_key = ?`, key)
}

// openRuns are those that have not finished, oldest first.
func openRuns(ctx context.Context, r db.Reader) (rows []runRow, err error) {
	return rows, r.Select(ctx, &rows, `SELECT `+runColumns+` FROM tier_runs WHERE finished_at = 0 ORDER BY id`)
}

// lastRun is the newest run; ID 0 when there was none.
func lastRun(ctx context.Context, r db.Reader) (x runRow, err error) {
	err = r.Get(ctx, &x, `SELECT `+runColumns+` FROM tier_runs ORDER BY id DESC LIMIT 1`)
	if errors.Is(err, db.ErrNoRows) {
		return runRow{}, nil
	}
	return x, err
}

// passRun notes how far a run got; false when another instance is at it.
func passRun(ctx context.Context, tx *db.Tx, was, now runRow) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE tier_runs SET after_member = ?, members = ?, changed = ?, updated_at = ?, finished_at = ? WHERE id = ? AND after_member = ? AND finished_at = 0`,
		now.AfterMember, now.Members, now.Changed, tx.Millis(), now.FinishedAt, was.ID, was.AfterMember)
	return n == 1, err
}

// purgeRuns forgets runs that finished long ago.
func purgeRuns(ctx context.Context, tx *db.Tx, before int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM tier_runs WHERE finished_at > 0 AND finished_at < ?`, before)
	return err
}

// readCursor is how far a reader of the journal got; 0 at the beginning.
func readCursor(ctx context.Context, r db.Reader, name string) (id int64, err error) {
	err = r.Get(ctx, &id, `SELECT last_id FROM tier_cursors WHERE name = ?`, name)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// passCursor moves a cursor forward, never back.
func passCursor(ctx context.Context, tx *db.Tx, name string, id int64) error {
	n, err := tx.Exec(ctx, `UPDATE tier_cursors SET last_id = CASE WHEN last_id < ? THEN ? ELSE last_id END, updated_at = ? WHERE name = ?`, id, id, tx.Millis(), name)
	if err != nil || n > 0 {
		return err
	}
	err = tx.Insert(ctx, "tier_cursors", struct {
		Name      string `db:"name"`
		LastID    int64  `db:"last_id"`
		UpdatedAt int64  `db:"updated_at"`
	}{name, id, tx.Millis()})
	if errors.Is(err, db.ErrDuplicate) {
		return nil
	}
	return err
}

type earnedRow struct {
	PostingID int64 `db:"posting_id"`
	MemberID  int64 `db:"member_id"`
	Amount    int64 `db:"experience"`
	EarnedBy  int64 `db:"earned_posting_id"`
	UndoneBy  int64 `db:"undone_posting_id"`
	CreatedAt int64 `db:"created_at"`
}

// earnedFor reads what experience came of settlements.
func earnedFor(ctx context.Context, r db.Reader, postings []int64) (map[int64]earnedRow, error) {
	rows, err := selectIn[earnedRow](ctx, r, `SELECT posting_id, member_id, experience, earned_posting_id, undone_posting_id, created_at FROM tier_earned WHERE posting_id IN (?)`, postings)
	out := make(map[int64]earnedRow, len(rows))
	for _, x := range rows {
		out[x.PostingID] = x
	}
	return out, err
}

func setUndone(ctx context.Context, tx *db.Tx, posting, by int64) error {
	return tx.ExecOne(ctx, db.ErrNoRows, `UPDATE tier_earned SET undone_posting_id = ? WHERE posting_id = ? AND undone_posting_id = 0`, by, posting)
}

// auditAll reports rows of the slice that contradict each other.
func auditAll(ctx context.Context, d *db.DB, report func(string)) error {
	grants, err := badGrants(ctx, d)
	if err != nil {
		return err
	}
	for _, id := range grants {
		report(fmt.Sprintf("tier_grants %d: its uses do not add up, or are more than were granted", id))
	}
	memberships, err := badMemberships(ctx, d)
	if err != nil {
		return err
	}
	for _, id := range memberships {
		report(fmt.Sprintf("tier_memberships %d: more was earned than it cost, or it ended with something left", id))
	}
	var lost []int64
	if err := d.Select(ctx, &lost, `SELECT m.member_id FROM tier_members m LEFT JOIN tier_tiers t ON t.id = m.tier_id WHERE t.id IS NULL ORDER BY m.member_id LIMIT 1000`); err != nil {
		return err
	}
	for _, id := range lost {
		report(fmt.Sprintf("tier_members %d: the tier is missing", id))
	}
	return nil
}
