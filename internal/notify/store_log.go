package notify

import (
	"context"
	"strings"

	"github.com/liangche/liangche/internal/db"
)

type callRow struct {
	ID        int64  `db:"id"`
	MessageID int64  `db:"message_id"`
	MemberID  int64  `db:"member_id"`
	StoreID   int64  `db:"store_id"`
	Event     string `db:"event"`
	Body      string `db:"body"`
	Reason    string `db:"reason"`
	State     string `db:"state"`
	Note      string `db:"note"`
	StaffID   int64  `db:"staff_id"`
	StaffName string `db:"staff_name"`
	CreatedAt int64  `db:"created_at"`
	DoneAt    *int64 `db:"done_at"`
}

const callColumns = `id, message_id, member_id, store_id, event, body, reason, state, note, staff_id, staff_name, created_at, done_at`

// openCall puts a message on the list; one that was on it before comes back.
func openCall(ctx context.Context, tx *db.Tx, c callRow) error {
	n, err := tx.Exec(ctx, `UPDATE notify_calls SET state = 'open', reason = ?, note = '', staff_id = 0, staff_name = '', created_at = ?, done_at = NULL WHERE message_id = ?`,
		c.Reason, c.CreatedAt, c.MessageID)
	if err != nil || n == 1 {
		return err
	}
	return tx.Insert(ctx, "notify_calls", c)
}

func readCall(ctx context.Context, r db.Reader, id int64, lock string) (c callRow, err error) {
	err = r.Get(ctx, &c, `SELECT `+callColumns+` FROM notify_calls WHERE id = ?`+lock, id)
	return c, err
}

// endCall ticks an open line off. Fault: ErrCallDone.
func endCall(ctx context.Context, tx *db.Tx, id int64, state, note string, staffID int64, staffName string) error {
	return tx.ExecOne(ctx, ErrCallDone, `UPDATE notify_calls SET state = ?, note = ?, staff_id = ?, staff_name = ?, done_at = ? WHERE id = ? AND state = 'open'`,
		state, note, staffID, staffName, tx.Millis(), id)
}

// dropCall takes a message off the list that is sent again.
func dropCall(ctx context.Context, tx *db.Tx, messageID int64) error {
	_, err := tx.Exec(ctx, `UPDATE notify_calls SET state = 'skipped', note = '消息已重发', done_at = ? WHERE message_id = ? AND state = 'open'`, tx.Millis(), messageID)
	return err
}

// listCalls lists the lines of a state in the given stores (nil: all): open ones by age, others newest first.
func listCalls(ctx context.Context, r db.Reader, state string, stores []int64, after int64, limit int) (out []callRow, err error) {
	q, args := `SELECT `+callColumns+` FROM notify_calls WHERE state = ?`, []any{state}
	compare, way := ` AND id < ?`, ` DESC`
	if state == CallOpen {
		compare, way = ` AND id > ?`, ``
	}
	if after != 0 {
		q, args = q+compare, append(args, after)
	}
	if stores != nil {
		q, args = q+` AND store_id IN (?)`, append(args, stores)
	}
	q, args, err = db.In(q+` ORDER BY id`+way+` LIMIT ?`, append(args, limit)...)
	if err != nil {
		return nil, err
	}
	err = r.Select(ctx, &out, q, args...)
	return out, err
}

func countCalls(ctx context.Context, r db.Reader, stores []int64) (n int, err error) {
	q, args := `SELECT COUNT(*) FROM notify_calls WHERE state = 'open'`, []any{}
	if stores != nil {
		if q, args, err = db.In(q+` AND store_id IN (?)`, stores); err != nil {
			return 0, err
		}
	}
	err = r.Get(ctx, &n, q, args...)
	return n, err
}

// listMessages lists messages of ids in (from, until), newest first; member, event and state count when they are set.
func listMessages(ctx context.Context, r db.Reader, f LogFilter, from, until int64, limit int) (out []messageRow, err error) {
	var where strings.Builder
	args := []any{from, until}
	where.WriteString(`id >= ? AND id < ?`)
	for _, c := range []struct {
		clause string
		arg    any
		set    bool
	}{{` AND member_id = ?`, f.MemberID, f.MemberID != 0}, {` AND event = ?`, f.Event, f.Event != ""}, {` AND state = ?`, f.State, f.State != ""}} {
		if c.set {
			where.WriteString(c.clause)
			args = append(args, c.arg)
		}
	}
	err = r.Select(ctx, &out, `SELECT `+messageColumns+` FROM notify_messages WHERE `+where.String()+` ORDER BY id DESC LIMIT ?`, append(args, limit)...)
	return out, err
}

// endedIDs are the messages of ids in [from, until) that a step of an outcome belongs to, newest first: states that are rare are found by it.
func endedIDs(ctx context.Context, r db.Reader, outcome string, from, until int64, limit int) (ids []int64, err error) {
	err = r.Select(ctx, &ids, `SELECT DISTINCT message_id FROM notify_steps WHERE outcome = ? AND message_id >= ? AND message_id < ? ORDER BY message_id DESC LIMIT ?`,
		outcome, from, until, limit)
	return ids, err
}

func messagesByID(ctx context.Context, r db.Reader, ids []int64) (out []messageRow, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	q, args, err := db.In(`SELECT `+messageColumns+` FROM notify_messages WHERE id IN (?) ORDER BY id DESC`, ids)
	if err != nil {
		return nil, err
	}
	err = r.Select(ctx, &out, q, args...)
	return out, err
}

func stepsOf(ctx context.Context, r db.Reader, messageID int64) (out []stepRow, err error) {
	err = r.Select(ctx, &out, `SELECT id, message_id, day, channel, outcome, code, detail, at FROM notify_steps WHERE message_id = ? ORDER BY id LIMIT 200`, messageID)
	return out, err
}

type dayRow struct {
	Day     string `db:"day"`
	Channel string `db:"channel"`
	Outcome string `db:"outcome"`
	N       int    `db:"n"`
}

// countDays counts the steps of the days from a date on.
func countDays(ctx context.Context, r db.Reader, from string) (out []dayRow, err error) {
	err = r.Select(ctx, &out, `SELECT day, channel, outcome, COUNT(*) AS n FROM notify_steps WHERE day >= ? GROUP BY day, channel, outcome ORDER BY day, channel, outcome`, from)
	return out, err
}

// eraseMember forgets what messages said to a member, whom they went to, and what the member chose; that they went out stays.
func eraseMember(ctx context.Context, tx *db.Tx, memberID int64) error {
	for _, q := range []string{
		`UPDATE notify_messages SET state = 'off', detail = '会员已注销', lease_until = 0, due_at = 0 WHERE member_id = ? AND state IN ('queued', 'held')`,
		`UPDATE notify_messages SET data = '{}', page = '', openid = '' WHERE member_id = ?`,
		`UPDATE notify_calls SET state = 'skipped', note = '会员已注销' WHERE member_id = ? AND state = 'open'`,
		`UPDATE notify_calls SET body = '' WHERE member_id = ?`,
		`DELETE FROM notify_preferences WHERE member_id = ?`,
		`DELETE FROM notify_pace WHERE member_id = ?`,
	} {
		if _, err := tx.Exec(ctx, q, memberID); err != nil {
			return err
		}
	}
	return nil
}

// breaches are what must never be in the tables; each query returns the ids of rows that are wrong.
var breaches = []struct{ query, say string }{
	{`SELECT id FROM notify_messages WHERE state IN ('sent', 'delivered') AND done_at IS NULL ORDER BY id`, "message %d was sent but has no time"},
	{`SELECT id FROM notify_messages WHERE state <> 'sending' AND lease_until <> 0 ORDER BY id`, "message %d is held by a sender although it is not being sent"},
	{`SELECT c.id FROM notify_calls c LEFT JOIN notify_messages m ON m.id = c.message_id WHERE m.id IS NULL OR (c.state = 'open' AND m.state <> 'unreachable') ORDER BY c.id`,
		"call %d is open although its message is not out of reach"},
	{`SELECT s.message_id FROM notify_steps s WHERE s.outcome = 'sent' GROUP BY s.message_id HAVING COUNT(*) >
		1 + (SELECT COUNT(*) FROM notify_steps r WHERE r.message_id = s.message_id AND (r.outcome = 'resent' OR (r.outcome = 'refused' AND r.channel = 'official_account')))
		ORDER BY s.message_id`, "message %d was sent twice"},
	{`SELECT r.message_id FROM notify_receipts r LEFT JOIN notify_messages m ON m.id = r.message_id WHERE r.message_id <> 0 AND m.id IS NULL ORDER BY r.message_id`,
		"a receipt names message %d, which does not exist"},
	{`SELECT left_count FROM notify_grants WHERE left_count < 0`, "a purse of grants holds %d"},
	{`SELECT member_id FROM notify_pace WHERE taken < 0 ORDER BY member_id`, "member %d has had fewer than no messages"},
}

// tally counts messages by state; the keys from the prefix on to what would follow all of them are those that begin with it.
func tally(ctx context.Context, r db.Reader, prefix string) (map[string]int64, error) {
	var rows []struct {
		State string `db:"state"`
		N     int64  `db:"n"`
	}
	until := prefix[:len(prefix)-1] + ";" // what follows a colon
	err := r.Select(ctx, &rows, `SELECT state, COUNT(*) AS n FROM notify_messages WHERE dedupe_key >= ? AND dedupe_key < ? GROUP BY state`, prefix, until)
	out := make(map[string]int64, len(rows))
	for _, x := range rows {
		out[x.State] = x.N
	}
	return out, err
}
