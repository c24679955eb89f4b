package notify

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/db"
)

type messageRow struct {
	ID         int64  `db:"id"`
	MemberID   int64  `db:"member_id"`
	Event      string `db:"event"`
	Dedupe     string `db:"dedupe_key"`
	Data       string `db:"data"`
	Page       string `db:"page"`
	State      string `db:"state"`
	Detail     string `db:"detail"`
	Attempts   int    `db:"attempts"`
	LeaseUntil int64  `db:"lease_until"`
	App        string `db:"app"`
	OpenID     string `db:"openid"`
	TemplateID string `db:"template_id"`
	CreatedAt  int64  `db:"created_at"`
	DoneAt     *int64 `db:"done_at"`
}

// newRow is what a message begins with; its other columns have defaults.
type newRow struct {
	ID         int64  `db:"id"`
	MemberID   int64  `db:"member_id"`
	Event      string `db:"event"`
	Dedupe     string `db:"dedupe_key"`
	Data       string `db:"data"`
	Page       string `db:"page"`
	State      string `db:"state"`
	Detail     string `db:"detail"`
	Attempts   int    `db:"attempts"`
	LeaseUntil int64  `db:"lease_until"`
	App        string `db:"app"`
	OpenID     string `db:"openid"`
	TemplateID string `db:"template_id"`
	CreatedAt  int64  `db:"created_at"`
	UntilAt    int64  `db:"until_at"`
}

// knownKeys says which dedupe keys exist already.
func knownKeys(ctx context.Context, r db.Reader, keys []string) (map[string]bool, error) {
	out := make(map[string]bool, len(keys))
	if len(keys) == 0 {
		return out, nil
	}
	query, args, err := db.In(`SELECT dedupe_key FROM notify_messages WHERE dedupe_key IN (?)`, keys)
	if err != nil {
		return nil, err
	}
	var have []string
	err = r.Select(ctx, &have, query, args...)
	for _, k := range have {
		out[k] = true
	}
	return out, err
}

func readMessage(ctx context.Context, r db.Reader, id int64) (m messageRow, err error) {
	err = r.Get(ctx, &m, `SELECT id, member_id, event, dedupe_key, data, page, state, detail, attempts, lease_until, app, openid,
		template_id, created_at, done_at FROM notify_messages WHERE id = ?`, id)
	return m, err
}

// claim takes a queued message for one send; false when somebody else was quicker.
func claim(ctx context.Context, tx *db.Tx, id int64, to Recipient, templateID string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE notify_messages SET state = 'sending', attempts = attempts + 1, lease_until = ?, app = ?, openid = ?,
		template_id = ? WHERE id = ? AND state = 'queued'`,
		tx.Now.Add(leaseTime).UnixMilli(), to.App, to.OpenID, templateID, id)
	return n == 1, err
}

// settle ends a message that is in state from. The lease names the very claim, so a late sender never overwrites what
// was decided after its lease.
func settle(ctx context.Context, tx *db.Tx, id int64, from string, lease int64, to, detail string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE notify_messages SET state = ?, detail = ?, lease_until = 0, done_at = ? WHERE id = ? AND state = ?
		AND lease_until = ?`, to, clip(detail, 200), tx.Millis(), id, from, lease)
	return n == 1, err
}

// requeue gives a claimed message back to be tried again.
func requeue(ctx context.Context, tx *db.Tx, id, lease int64, detail string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE notify_messages SET state = 'queued', lease_until = 0, detail = ? WHERE id = ? AND state = 'sending'
		AND lease_until = ?`, clip(detail, 200), id, lease)
	return n == 1, err
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

type grantRow struct {
	App        string `db:"app"`
	OpenID     string `db:"openid"`
	TemplateID string `db:"template_id"`
	Left       int    `db:"left_count"`
	UpdatedAt  int64  `db:"updated_at"`
}

// maxGrants bounds a counter: a client that reports accepts without end gains nothing by it.
const maxGrants = 200

func addGrant(ctx context.Context, tx *db.Tx, to Recipient, templateID string) error {
	const up = `UPDATE notify_grants SET left_count = left_count + 1, updated_at = ? WHERE app = ? AND openid = ? AND template_id = ? AND left_count < ?`
	n, err := tx.Exec(ctx, up, tx.Millis(), to.App, to.OpenID, templateID, maxGrants)
	if err != nil || n == 1 {
		return err
	}
	err = tx.Insert(ctx, "notify_grants", grantRow{to.App, to.OpenID, templateID, 1, tx.Millis()})
	if errors.Is(err, db.ErrDuplicate) { // at the bound, or another request made the row just now
		_, err = tx.Exec(ctx, up, tx.Millis(), to.App, to.OpenID, templateID, maxGrants)
	}
	return err
}

// takeGrant uses one grant up; false when there is none.
func takeGrant(ctx context.Context, tx *db.Tx, to Recipient, templateID string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE notify_grants SET left_count = left_count - 1, updated_at = ?
		WHERE app = ? AND openid = ? AND template_id = ? AND left_count > 0`, tx.Millis(), to.App, to.OpenID, templateID)
	return n == 1, err
}

func zeroGrant(ctx context.Context, tx *db.Tx, to Recipient, templateID string) error {
	_, err := tx.Exec(ctx, `UPDATE notify_grants SET left_count = 0, updated_at = ? WHERE app = ? AND openid = ? AND template_id = ?`,
		tx.Millis(), to.App, to.OpenID, templateID)
	return err
}

func readGrants(ctx context.Context, r db.Reader, to Recipient) ([]grantRow, error) {
	var out []grantRow
	err := r.Select(ctx, &out, `SELECT app, openid, template_id, left_count, updated_at FROM notify_grants WHERE app = ? AND openid = ?
		ORDER BY template_id`, to.App, to.OpenID)
	return out, err
}
