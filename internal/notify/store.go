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
	UntilAt    int64  `db:"until_at"` // 0: never stale
	DueAt      int64  `db:"due_at"`   // not before; 0: at once
	Channel    string `db:"channel"`  // of the last try
	Tried      string `db:"tried"`    // marks, each followed by a comma: what must not be tried again, and markHand
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

const messageColumns = `id, member_id, event, dedupe_key, data, page, state, detail, attempts, lease_until, app, openid, template_id, created_at, done_at,
	until_at, due_at, channel, tried`

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

func readMessage(ctx context.Context, r db.Reader, id int64, lock string) (m messageRow, err error) {
	err = r.Get(ctx, &m, `SELECT `+messageColumns+` FROM notify_messages WHERE id = ?`+lock, id)
	return m, err
}

// claim takes a waiting message for one send; false when somebody else was quicker.
func claim(ctx context.Context, tx *db.Tx, id int64, way string, to Recipient, templateID string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE notify_messages SET state = 'sending', attempts = attempts + 1, lease_until = ?, channel = ?, app = ?, openid = ?,
		template_id = ? WHERE id = ? AND state IN ('queued', 'held')`,
		tx.Now.Add(leaseTime).UnixMilli(), way, to.App, to.OpenID, templateID, id)
	return n == 1, err
}

// settle ends a message that is in state from. The lease names the very claim, so a late sender never overwrites what
// was decided after its lease.
func settle(ctx context.Context, tx *db.Tx, id int64, from string, lease int64, to, detail string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE notify_messages SET state = ?, detail = ?, lease_until = 0, due_at = 0, done_at = ? WHERE id = ? AND state = ?
		AND lease_until = ?`, to, db.Clip(detail, 200), tx.Millis(), id, from, lease)
	return n == 1, err
}

// requeue gives a message back to be tried again, not before due (0: at once), with one more mark.
func requeue(ctx context.Context, tx *db.Tx, m messageRow, from string, lease int64, to, detail string, due int64) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE notify_messages SET state = ?, lease_until = 0, detail = ?, due_at = ?, tried = ? WHERE id = ? AND state = ?
		AND lease_until = ?`, to, db.Clip(detail, 200), due, m.Tried, m.ID, from, lease)
	return n == 1, err
}

// redo begins a message anew that had ended.
func redo(ctx context.Context, tx *db.Tx, m messageRow, tried string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE notify_messages SET state = 'queued', detail = '', attempts = 0, lease_until = 0, due_at = 0, until_at = 0, done_at = NULL, channel = '',
		app = '', openid = '', template_id = '', tried = ? WHERE id = ? AND state = ?`, tried, m.ID, m.State)
	return n == 1, err
}

// stuck are open messages of an id between from and until whose job was lost: nothing was due later than before.
func stuck(ctx context.Context, r db.Reader, from, until, before int64, limit int) (out []messageRow, err error) {
	err = r.Select(ctx, &out, `SELECT `+messageColumns+` FROM notify_messages WHERE id >= ? AND id < ? AND state IN ('queued', 'held', 'sending') AND due_at < ?
		AND lease_until < ? ORDER BY id LIMIT ?`, from, until, before, before, limit)
	return out, err
}

func setDue(ctx context.Context, tx *db.Tx, id, was, due int64) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE notify_messages SET due_at = ? WHERE id = ? AND due_at = ? AND state IN ('queued', 'held', 'sending')`, due, id, was)
	return n == 1, err
}

type stepRow struct {
	ID        int64  `db:"id"`
	MessageID int64  `db:"message_id"`
	Day       string `db:"day"`
	Channel   string `db:"channel"`
	Outcome   string `db:"outcome"`
	Code      string `db:"code"`
	Detail    string `db:"detail"`
	At        int64  `db:"at"`
}

type receiptRow struct {
	App       string `db:"app"`
	RemoteID  string `db:"remote_id"`
	MessageID int64  `db:"message_id"` // 0: WeChat reported before we knew the number
	Status    string `db:"status"`     // "" until WeChat reports
	CreatedAt int64  `db:"created_at"`
}

// fileReceipt connects WeChat's number with our message; it returns the report that came before.
func fileReceipt(ctx context.Context, tx *db.Tx, r receiptRow) (status string, err error) {
	err = tx.Insert(ctx, "notify_receipts", r)
	if !errors.Is(err, db.ErrDuplicate) {
		return "", err
	}
	var have receiptRow
	if err := tx.Get(ctx, &have, `SELECT app, remote_id, message_id, status, created_at FROM notify_receipts WHERE app = ? AND remote_id = ?`+tx.ForUpdate(), r.App, r.RemoteID); err != nil {
		return "", err
	}
	if have.MessageID != 0 {
		return "", nil // the same number for two messages of ours: WeChat took them for one
	}
	_, err = tx.Exec(ctx, `UPDATE notify_receipts SET message_id = ? WHERE app = ? AND remote_id = ? AND message_id = 0`, r.MessageID, r.App, r.RemoteID)
	return have.Status, err
}

// reportReceipt notes WeChat's report; it returns the message, 0 when the number is not known yet or was reported on before.
func reportReceipt(ctx context.Context, tx *db.Tx, r receiptRow) (messageID int64, err error) {
	var have []receiptRow
	if err := tx.Select(ctx, &have, `SELECT app, remote_id, message_id, status, created_at FROM notify_receipts WHERE app = ? AND remote_id = ?`+tx.ForUpdate(), r.App, r.RemoteID); err != nil {
		return 0, err
	}
	if len(have) == 0 {
		err := tx.Insert(ctx, "notify_receipts", r)
		if !errors.Is(err, db.ErrDuplicate) {
			return 0, err
		}
		return reportReceipt(ctx, tx, r) // the sender was quicker
	}
	if have[0].Status != "" {
		return 0, nil
	}
	_, err = tx.Exec(ctx, `UPDATE notify_receipts SET status = ? WHERE app = ? AND remote_id = ?`, r.Status, r.App, r.RemoteID)
	return have[0].MessageID, err
}

func purgeReceipts(ctx context.Context, tx *db.Tx, before int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM notify_receipts WHERE created_at < ?`, before)
	return err
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
