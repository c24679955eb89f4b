package notify

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
)

type templateRow struct {
	Channel    string `db:"channel"`
	Event      string `db:"event"`
	TemplateID string `db:"template_id"`
	Sign       string `db:"sign"`
	Body       string `db:"body"`
	Layout     string `db:"layout"` // JSON of []Field
	Broken     string `db:"broken"` // "" while it works
	UpdatedAt  int64  `db:"updated_at"`
	UpdatedBy  int64  `db:"updated_by"`
}

type ruleRow struct {
	Event     string `db:"event"`
	Enabled   bool   `db:"enabled"`
	SMS       bool   `db:"sms"`
	Calls     bool   `db:"calls"`
	UpdatedAt int64  `db:"updated_at"`
	UpdatedBy int64  `db:"updated_by"`
}

func readTemplates(ctx context.Context, r db.Reader, lock string) (out []templateRow, err error) {
	err = r.Select(ctx, &out, `SELECT channel, event, template_id, sign, body, layout, broken, updated_at, updated_by FROM notify_templates ORDER BY channel, event`+lock)
	return out, err
}

func saveTemplate(ctx context.Context, tx *db.Tx, t templateRow) error {
	update := func() (int64, error) {
		return tx.Exec(ctx, `UPDATE notify_templates SET template_id = ?, sign = ?, body = ?, layout = ?, broken = ?, updated_at = ?, updated_by = ? WHERE channel = ? AND event = ?`,
			t.TemplateID, t.Sign, t.Body, t.Layout, t.Broken, t.UpdatedAt, t.UpdatedBy, t.Channel, t.Event)
	}
	if n, err := update(); err != nil || n > 0 {
		return err
	}
	err := tx.Insert(ctx, "notify_templates", t)
	if errors.Is(err, db.ErrDuplicate) { // another instance wrote it first
		_, err = update()
	}
	return err
}

// breakTemplate marks a stored template of this very id; false when there is no such row.
func breakTemplate(ctx context.Context, tx *db.Tx, channel, event, templateID, why string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE notify_templates SET broken = ? WHERE channel = ? AND event = ? AND template_id = ?`, db.Clip(why, 200), channel, event, templateID)
	return n == 1, err
}

func readRules(ctx context.Context, r db.Reader, lock string) (out []ruleRow, err error) {
	err = r.Select(ctx, &out, `SELECT event, enabled, sms, calls, updated_at, updated_by FROM notify_rules ORDER BY event`+lock)
	return out, err
}

func saveRule(ctx context.Context, tx *db.Tx, x ruleRow) error {
	update := func() (int64, error) {
		return tx.Exec(ctx, `UPDATE notify_rules SET enabled = ?, sms = ?, calls = ?, updated_at = ?, updated_by = ? WHERE event = ?`,
			x.Enabled, x.SMS, x.Calls, x.UpdatedAt, x.UpdatedBy, x.Event)
	}
	if n, err := update(); err != nil || n > 0 {
		return err
	}
	err := tx.Insert(ctx, "notify_rules", x)
	if errors.Is(err, db.ErrDuplicate) {
		_, err = update()
	}
	return err
}

type preferenceRow struct {
	MemberID   int64  `db:"member_id"`
	OffGroups  string `db:"off_groups"` // each followed by a comma
	SMS        bool   `db:"sms"`
	Calls      bool   `db:"calls"`
	Marketing  bool   `db:"marketing"`
	FromMinute int    `db:"from_minute"`
	ToMinute   int    `db:"to_minute"`
	UpdatedAt  int64  `db:"updated_at"`
}

const preferenceColumns = `member_id, off_groups, sms, calls, marketing, from_minute, to_minute, updated_at`

// readPreferences maps members to what they chose; who chose nothing is absent.
func readPreferences(ctx context.Context, r db.Reader, ids []int64, lock string) (map[int64]preferenceRow, error) {
	out := map[int64]preferenceRow{}
	if len(ids) == 0 {
		return out, nil
	}
	query, args, err := db.In(`SELECT `+preferenceColumns+` FROM notify_preferences WHERE member_id IN (?)`, ids)
	if err != nil {
		return nil, err
	}
	var rows []preferenceRow
	err = r.Select(ctx, &rows, query+lock, args...)
	for _, x := range rows {
		out[x.MemberID] = x
	}
	return out, err
}

func savePreference(ctx context.Context, tx *db.Tx, p preferenceRow) error {
	update := func() (int64, error) {
		return tx.Exec(ctx, `UPDATE notify_preferences SET off_groups = ?, sms = ?, calls = ?, marketing = ?, from_minute = ?, to_minute = ?, updated_at = ? WHERE member_id = ?`,
			p.OffGroups, p.SMS, p.Calls, p.Marketing, p.FromMinute, p.ToMinute, p.UpdatedAt, p.MemberID)
	}
	if n, err := update(); err != nil || n > 0 {
		return err
	}
	err := tx.Insert(ctx, "notify_preferences", p)
	if errors.Is(err, db.ErrDuplicate) {
		_, err = update()
	}
	return err
}

type paceRow struct {
	MemberID int64  `db:"member_id"`
	Day      string `db:"day"`
	Taken    int    `db:"taken"`
}

// takePace counts one message of a member's day, when fewer than perDay went out on it and fewer than perWeek since the day weekFrom; 0 is no
// limit. The day's row is locked from the update on, so two senders never both take the last place.
func takePace(ctx context.Context, tx *db.Tx, memberID int64, day, weekFrom string, perDay, perWeek int) (ok bool, err error) {
	n, err := tx.Exec(ctx, `UPDATE notify_pace SET taken = taken + 1 WHERE member_id = ? AND day = ?`, memberID, day)
	if err != nil {
		return false, err
	}
	if n == 0 {
		err := tx.Insert(ctx, "notify_pace", paceRow{memberID, day, 1})
		if errors.Is(err, db.ErrDuplicate) {
			err = db.ErrAgain // another sender was quicker
		}
		if err != nil {
			return false, err
		}
	}
	var rows []paceRow
	if err := tx.Select(ctx, &rows, `SELECT member_id, day, taken FROM notify_pace WHERE member_id = ? AND day >= ? ORDER BY day`+tx.ForUpdate(), memberID, weekFrom); err != nil {
		return false, err
	}
	today, week := 0, 0
	for _, x := range rows {
		week += x.Taken
		if x.Day == day {
			today = x.Taken
		}
	}
	if (perDay == 0 || today <= perDay) && (perWeek == 0 || week <= perWeek) {
		return true, nil
	}
	return false, givePace(ctx, tx, memberID, day)
}

// givePace takes back what takePace counted.
func givePace(ctx context.Context, tx *db.Tx, memberID int64, day string) error {
	_, err := tx.Exec(ctx, `UPDATE notify_pace SET taken = taken - 1 WHERE member_id = ? AND day = ? AND taken > 0`, memberID, day)
	return err
}

func purgePace(ctx context.Context, tx *db.Tx, before string) error {
	_, err := tx.Exec(ctx, `DELETE FROM notify_pace WHERE day < ?`, before)
	return err
}
