package member

import (
	"context"
	"slices"

	"github.com/liangche/liangche/internal/db"
)

// tagRow is a tag of a member.
type tagRow struct {
	MemberID int64  `db:"member_id"`
	Tag      string `db:"tag"`
}

func tagsOf(ctx context.Context, r db.Reader, memberID int64) ([]string, error) {
	tags := []string{}
	err := r.Select(ctx, &tags, `SELECT tag FROM member_tags WHERE member_id = ?`, memberID)
	slices.Sort(tags) // the same order on every database
	return tags, err
}

// addTagsTx adds those that the member does not have yet.
func addTagsTx(ctx context.Context, tx *db.Tx, memberID int64, tags, have []string) error {
	for _, t := range tags {
		if slices.Contains(have, t) {
			continue
		}
		if err := tx.Insert(ctx, "member_tags", tagRow{memberID, t}); err != nil {
			return err
		}
	}
	return nil
}

func dropTagTx(ctx context.Context, tx *db.Tx, memberID int64, tag string) error {
	_, err := tx.Exec(ctx, `DELETE FROM member_tags WHERE member_id = ? AND tag = ?`, memberID, tag)
	return err
}

func deleteTagsTx(ctx context.Context, tx *db.Tx, memberID int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM member_tags WHERE member_id = ?`, memberID)
	return err
}

// countTags counts the living members of each tag; stores nil means of every store.
func countTags(ctx context.Context, r db.Reader, stores []int64) ([]TagCount, error) {
	const begin = `SELECT t.tag, COUNT(*) AS members FROM member_tags t JOIN member_members m ON m.id = t.member_id WHERE m.status <> 'closed'`
	const end = ` GROUP BY t.tag ORDER BY members DESC, t.tag LIMIT 200`
	out := []TagCount{}
	if stores == nil {
		err := r.Select(ctx, &out, begin+end)
		return out, err
	}
	err := db.SelectIn(ctx, r, &out, begin+` AND m.store_id IN (?)`+end, stores)
	return out, err
}
