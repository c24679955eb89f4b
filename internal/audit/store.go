package audit

import (
	"context"
	"strings"

	"github.com/liangche/liangche/internal/db"
)

type row struct {
	ID           int64  `db:"id"`
	ActorKind    string `db:"actor_kind"`
	ActorID      int64  `db:"actor_id"`
	ActorName    string `db:"actor_name"`
	Action       string `db:"action"`
	SubjectKind  string `db:"subject_kind"`
	SubjectID    int64  `db:"subject_id"`
	SubjectLabel string `db:"subject_label"`
	StoreID      int64  `db:"store_id"`
	IP           string `db:"ip"`
	Detail       string `db:"detail"`
	At           int64  `db:"created_at"`
}

// Filter narrows the list; zero values do not. From and To are unix milliseconds, To exclusive; Before is an entry id.
type Filter struct {
	ActorID     int64
	Action      string
	SubjectKind string
	SubjectID   int64
	SubjectText string // part of the subject's label
	From, To    int64
	Before      int64
	Limit       int
}

// list reads newest first, one more than the limit so that the caller knows whether there is a next page.
func list(ctx context.Context, r db.Reader, f Filter) ([]row, error) {
	var where []string
	var args []any
	add := func(cond string, arg any) { where, args = append(where, cond), append(args, arg) }
	if f.ActorID != 0 {
		add("actor_id = ?", f.ActorID)
	}
	if f.Action != "" {
		add("action = ?", f.Action)
	}
	if f.SubjectKind != "" {
		add("subject_kind = ?", f.SubjectKind)
	}
	if f.SubjectID != 0 {
		add("subject_id = ?", f.SubjectID)
	}
	if f.SubjectText != "" {
		add("subject_label LIKE ? ESCAPE '!'", "%"+db.Like(f.SubjectText)+"%")
	}
	if f.From != 0 {
		add("created_at >= ?", f.From)
	}
	if f.To != 0 {
		add("created_at < ?", f.To)
	}
	if f.Before != 0 {
		add("id < ?", f.Before)
	}
	q := `SELECT id, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, subject_label, store_id, ip, detail, created_at FROM audit_log`
	if len(where) > 0 {
		q += " WHERE " + strings.Join(where, " AND ")
	}
	var rows []row
	err := r.Select(ctx, &rows, q+" ORDER BY id DESC LIMIT ?", append(args, f.Limit+1)...)
	return rows, err
}
