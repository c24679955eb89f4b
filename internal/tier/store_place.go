package tier

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
)

// placeRow is where a member stands. Version changes with every change of what the tier is computed from that this slice keeps, so that a
// decision that was made without a lock is never written over a newer one.
type placeRow struct {
	MemberID    int64  `db:"member_id"`
	TierID      int64  `db:"tier_id"`
	Reason      string `db:"reason"`
	SetBy       string `db:"set_by"`
	SetAt       int64  `db:"set_at"`
	Source      string `db:"source"`
	Version     int64  `db:"version"`
	RightsUntil int64  `db:"rights_until"` // end of the last membership with rights; 0 for none
}

const placeColumns = `member_id, tier_id, reason, set_by, set_at, source, version, rights_until`

type aheadKey struct{}

// places reads where members stand; who was never moved is missing.
func places(ctx context.Context, r db.Reader, members []int64, lock string) (map[int64]placeRow, error) {
	rows, err := selectIn[placeRow](ctx, r, `SELECT `+placeColumns+` FROM tier_members WHERE member_id IN (?) ORDER BY member_id`+lock, members)
	out := make(map[int64]placeRow, len(rows))
	for _, x := range rows {
		out[x.MemberID] = x
	}
	return out, err
}

// placesSoon asks where members stand and gives then a place for each of them once the reads are collected.
func placesSoon(ask db.Asker, members []int64, then func(map[int64]placeRow)) error {
	q, args, err := db.In(`SELECT `+placeColumns+` FROM tier_members WHERE member_id IN (?)`, members)
	if err != nil {
		return err
	}
	var rows []placeRow
	ask.SelectSoon(&rows, func() {
		out := make(map[int64]placeRow, len(members))
		for _, m := range members {
			out[m] = placeRow{MemberID: m}
		}
		for _, x := range rows {
			out[x.MemberID] = x
		}
		then(out)
	}, q, args...)
	return nil
}

// lockPlace reads a member's place under lock; it makes one in the given tier where there is none.
func lockPlace(ctx context.Context, tx *db.Tx, memberID, defaultID int64) (p placeRow, err error) {
	err = tx.Get(ctx, &p, `SELECT `+placeColumns+` FROM tier_members WHERE member_id = ?`+tx.ForUpdate(), memberID)
	if !errors.Is(err, db.ErrNoRows) {
		return p, err
	}
	p = placeRow{MemberID: memberID, TierID: defaultID, Source: FromDefault, SetAt: tx.Millis()}
	if err = tx.Insert(ctx, "tier_members", p); errors.Is(err, db.ErrDuplicate) {
		err = db.ErrAgain // somebody else was quicker
	}
	return p, err
}

const movePlace = `UPDATE tier_members SET tier_id = ?, reason = ?, set_by = ?, set_at = ?, source = ?, rights_until = ?, version = version + 1 WHERE member_id = ?`

// move queues the change of a locked place.
func (p placeRow) move(tx *db.Tx) {
	tx.ExecSoon(1, db.ErrNoRows, movePlace, p.TierID, p.Reason, p.SetBy, p.SetAt, p.Source, p.RightsUntil, p.MemberID)
}

type assignmentRow struct {
	MemberID int64  `db:"member_id"`
	TierID   int64  `db:"tier_id"`
	Fixed    bool   `db:"fixed"`
	Reason   string `db:"reason"`
	SetBy    string `db:"set_by"`
	SetAt    int64  `db:"set_at"`
	EndsAt   int64  `db:"ends_at"`
}

func (r assignmentRow) manual() *Manual {
	return &Manual{TierID: r.TierID, Fixed: r.Fixed, Reason: r.Reason, By: r.SetBy, EndsAt: r.EndsAt}
}

// manuals reads what was given to members by hand. A row from before there were rules is an assignment by itself.
func manuals(ctx context.Context, r db.Reader, at map[int64]placeRow, members []int64) (map[int64]*Manual, error) {
	rows, err := selectIn[assignmentRow](ctx, r, `SELECT member_id, tier_id, fixed, reason, set_by, set_at, ends_at FROM tier_assignments WHERE member_id IN (?)`, members)
	out := make(map[int64]*Manual, len(rows))
	for _, x := range rows {
		out[x.MemberID] = x.manual()
	}
	for id, p := range at {
		if p.Source == FromManual && p.Version == 0 && out[id] == nil {
			out[id] = &Manual{TierID: p.TierID, Reason: p.Reason, By: p.SetBy}
		}
	}
	return out, err
}

func putAssignment(ctx context.Context, tx *db.Tx, a assignmentRow) error {
	if err := dropAssignment(ctx, tx, a.MemberID); err != nil {
		return err
	}
	return tx.Insert(ctx, "tier_assignments", a) // the member's place is locked
}

func dropAssignment(ctx context.Context, tx *db.Tx, memberID int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM tier_assignments WHERE member_id = ?`, memberID)
	return err
}

// endedAssignments are members whose assignment has run out and is still there.
func endedAssignments(ctx context.Context, r db.Reader, now int64, limit int) (ids []int64, err error) {
	return ids, r.Select(ctx, &ids, `SELECT member_id FROM tier_assignments WHERE ends_at > 0 AND ends_at <= ? ORDER BY ends_at, member_id LIMIT ?`, now, limit)
}

type changeRow struct {
	ID         int64  `db:"id"`
	MemberID   int64  `db:"member_id"`
	FromTierID int64  `db:"from_tier_id"`
	FromName   string `db:"from_name"`
	ToTierID   int64  `db:"to_tier_id"`
	ToName     string `db:"to_name"`
	Source     string `db:"source"`
	Reason     string `db:"reason"`
	ChangedBy  string `db:"changed_by"`
	CreatedAt  int64  `db:"created_at"`
}

// changesOf reads a member's changes of tier, newest first.
func changesOf(ctx context.Context, r db.Reader, memberID, before int64, limit int) (rows []changeRow, err error) {
	return rows, r.Select(ctx, &rows, `SELECT id, member_id, from_tier_id, from_name, to_tier_id, to_name, source, reason, changed_by, created_at
		FROM tier_changes WHERE member_id = ? AND id < ? ORDER BY id DESC LIMIT ?`, memberID, before, limit)
}

// inTier reads the members of a tier that have a row of their own.
func inTier(ctx context.Context, r db.Reader, tierID, after int64, limit int) (rows []placeRow, err error) {
	return rows, r.Select(ctx, &rows, `SELECT `+placeColumns+` FROM tier_members WHERE tier_id = ? AND member_id > ? ORDER BY member_id LIMIT ?`, tierID, after, limit)
}

func selectIn[T any](ctx context.Context, r db.Reader, query string, ids []int64, before ...any) (rows []T, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	q, args, err := db.In(query, append(before, ids)...)
	if err == nil {
		err = r.Select(ctx, &rows, q, args...)
	}
	return rows, err
}

// dropEnded forgets an assignment that has run out.
func dropEnded(ctx context.Context, tx *db.Tx, memberID int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM tier_assignments WHERE member_id = ? AND ends_at > 0 AND ends_at <= ?`, memberID, tx.Millis())
	return err
}
