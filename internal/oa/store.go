package oa

import (
	"context"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

type inboxRow struct {
	ID        int64  `db:"id"`
	Dedupe    string `db:"dedupe_key"`
	Nonce     string `db:"nonce_key"`
	App       string `db:"app"`
	Kind      string `db:"kind"`
	OpenID    string `db:"openid"`
	EventKey  string `db:"event_key"`
	Content   string `db:"content"`
	Status    string `db:"status"`
	MsgID     string `db:"msg_id"`
	Body      string `db:"body"`
	State     string `db:"state"`
	BatchID   int64  `db:"batch_id"`
	EventAt   int64  `db:"event_at"`
	CreatedAt int64  `db:"created_at"`
	DoneAt    *int64 `db:"done_at"`
}

const inboxColumns = `id, dedupe_key, nonce_key, app, kind, openid, event_key, content, status, msg_id, body, state, batch_id, event_at, created_at, done_at`

// knownArrivals reads which of these came before.
func knownArrivals(ctx context.Context, tx *db.Tx, needs []keys) (*arrivals, error) {
	a := &arrivals{dedupe: map[string]bool{}, nonce: map[string]bool{}}
	dedupe, nonce := make([]string, len(needs)), make([]string, len(needs))
	for i, k := range needs {
		dedupe[i], nonce[i] = k.dedupe, k.nonce
	}
	for _, x := range []struct {
		query string
		keys  []string
		into  map[string]bool
	}{{`SELECT dedupe_key FROM oa_inbox WHERE dedupe_key IN (?)`, dedupe, a.dedupe}, {`SELECT nonce_key FROM oa_inbox WHERE nonce_key IN (?)`, nonce, a.nonce}} {
		q, args, err := db.In(x.query, x.keys)
		if err != nil {
			return nil, err
		}
		var found []string
		if err := tx.Select(ctx, &found, q, args...); err != nil {
			return nil, err
		}
		for _, k := range found {
			x.into[k] = true
		}
	}
	return a, nil
}

// openArrivals are those of a batch that are still to be handled, in the order of WeChat's time.
func openArrivals(ctx context.Context, r db.Reader, batch int64) (rows []inboxRow, err error) {
	return rows, r.Select(ctx, &rows, `SELECT `+inboxColumns+` FROM oa_inbox WHERE batch_id = ? AND state = 'new' ORDER BY event_at, id`, batch)
}

// followedIn are the people who followed in a batch.
func followedIn(ctx context.Context, r db.Reader, batch int64) (openIDs []string, err error) {
	return openIDs, r.Select(ctx, &openIDs, `SELECT DISTINCT openid FROM oa_inbox WHERE batch_id = ? AND kind IN ('subscribe', 'SCAN') AND openid <> '' ORDER BY openid`, batch)
}

// claimArrival ends an arrival; false when somebody else did.
func claimArrival(ctx context.Context, tx *db.Tx, id int64) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE oa_inbox SET state = 'done', done_at = ? WHERE id = ? AND state = 'new'`, tx.Millis(), id)
	return n == 1, err
}

// readArrivals lists the inbox, newest first.
func readArrivals(ctx context.Context, r db.Reader, state, kind, after string, limit int) (rows []inboxRow, err error) {
	q, args := `SELECT `+inboxColumns+` FROM oa_inbox WHERE id < ?`, []any{before(after)}
	if state != "" {
		q, args = q+` AND state = ?`, append(args, state)
	}
	if kind != "" {
		q, args = q+` AND kind = ?`, append(args, kind)
	}
	return rows, r.Select(ctx, &rows, q+` ORDER BY id DESC LIMIT ?`, append(args, limit)...)
}

// purgeArrivals forgets what came before an instant and is no longer waited for.
func purgeArrivals(ctx context.Context, tx *db.Tx, before int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM oa_inbox WHERE created_at < ? AND state <> 'new'`, before)
	return err
}

type followerRow struct {
	ID         int64   `db:"id"`
	OpenID     *string `db:"openid"`
	UnionID    string  `db:"unionid"`
	Person     string  `db:"person"`
	State      string  `db:"state"`
	FirstScene string  `db:"first_scene"`
	Scene      string  `db:"scene"`
	Source     string  `db:"source"`
	Follows    int     `db:"follows"`
	FirstAt    int64   `db:"first_at"`
	LastAt     int64   `db:"last_at"`
	LeftAt     int64   `db:"left_at"`
	EventAt    int64   `db:"event_at"`
	InfoAt     int64   `db:"info_at"`
	GiftAt     int64   `db:"gift_at"`
}

const followerColumns = `id, openid, unionid, person, state, first_scene, scene, source, follows, first_at, last_at, left_at, event_at, info_at, gift_at`

func (f followerRow) follower() Follower {
	out := Follower{ID: f.ID, UnionID: f.UnionID, State: f.State, FirstScene: f.FirstScene, Scene: f.Scene, Source: f.Source, Follows: f.Follows, FirstAt: clock.FromMillis(f.FirstAt)}
	if f.OpenID != nil {
		out.OpenID = *f.OpenID
	}
	if f.LastAt > 0 {
		out.LastAt = clock.FromMillis(f.LastAt)
	}
	if f.LeftAt > 0 {
		out.LeftAt = clock.FromMillis(f.LeftAt)
	}
	if f.GiftAt > 0 {
		out.GiftAt = clock.FromMillis(f.GiftAt)
	}
	return out
}

// followerBy reads somebody. Fault: db.ErrNoRows.
func followerBy(ctx context.Context, r db.Reader, openID, lock string) (f followerRow, err error) {
	return f, r.Get(ctx, &f, `SELECT `+followerColumns+` FROM oa_followers WHERE openid = ?`+lock, openID)
}

// followersOf reads and locks whom an identity is at the official account: by openid, or by unionid.
func followersOf(ctx context.Context, tx *db.Tx, openID, unionID string) (list []followerRow, err error) {
	if openID == "" && unionID == "" {
		return nil, nil
	}
	if unionID == "" {
		return list, tx.Select(ctx, &list, `SELECT `+followerColumns+` FROM oa_followers WHERE openid = ? ORDER BY id`+tx.ForUpdate(), openID)
	}
	return list, tx.Select(ctx, &list, `SELECT `+followerColumns+` FROM oa_followers WHERE openid = ? OR unionid = ? ORDER BY id`+tx.ForUpdate(), openID, unionID)
}

// saveFollower writes what an event changed in somebody who is locked.
func saveFollower(ctx context.Context, tx *db.Tx, f followerRow) error {
	return tx.ExecOne(ctx, fault.ErrBusyWrite, `UPDATE oa_followers SET openid = ?, unionid = ?, person = ?, state = ?, first_scene = ?, scene = ?, source = ?, follows = ?, first_at = ?, last_at = ?,
		left_at = ?, event_at = ?, info_at = ? WHERE id = ?`,
		f.OpenID, f.UnionID, f.Person, f.State, f.FirstScene, f.Scene, f.Source, f.Follows, f.FirstAt, f.LastAt, f.LeftAt, f.EventAt, f.InfoAt, f.ID)
}

// setGift takes somebody's present, once.
func setGift(ctx context.Context, tx *db.Tx, id int64) error {
	return tx.ExecOne(ctx, fault.ErrBusyWrite, `UPDATE oa_followers SET gift_at = ? WHERE id = ? AND gift_at = 0`, tx.Millis(), id)
}

// askedFor are those of the given people who follow and of whom WeChat has not said who they are.
func askedFor(ctx context.Context, r db.Reader, openIDs []string) (list []string, err error) {
	if len(openIDs) == 0 {
		return nil, nil
	}
	q, args, err := db.In(`SELECT openid FROM oa_followers WHERE openid IN (?) AND state = 'following' AND info_at = 0 ORDER BY id`, openIDs)
	if err != nil {
		return nil, err
	}
	return list, r.Select(ctx, &list, q, args...)
}

type moveRow struct {
	ID         int64  `db:"id"`
	FollowerID int64  `db:"follower_id"`
	Kind       string `db:"kind"`
	Scene      string `db:"scene"`
	Day        string `db:"day"`
	CreatedAt  int64  `db:"created_at"`
}

// forgetArrivals strikes out who sent what.
func forgetArrivals(ctx context.Context, tx *db.Tx, openID string) error {
	_, err := tx.Exec(ctx, `UPDATE oa_inbox SET openid = '', content = '', body = '' WHERE openid = ?`, openID)
	return err
}

func readFollowers(ctx context.Context, r db.Reader, state, scene, after string, limit int) (list []followerRow, err error) {
	q, args := `SELECT `+followerColumns+` FROM oa_followers WHERE id < ? AND state <> 'never'`, []any{before(after)}
	if state != "" {
		q, args = q+` AND state = ?`, append(args, state)
	}
	if scene != "" {
		q, args = q+` AND first_scene = ?`, append(args, scene)
	}
	return list, r.Select(ctx, &list, q+` ORDER BY id DESC LIMIT ?`, append(args, limit)...)
}

// DayCount is how many came and left on a day.
type DayCount struct {
	Day       string `json:"day"`
	Follows   int64  `json:"follows"`
	Unfollows int64  `json:"unfollows"`
}

func readDays(ctx context.Context, r db.Reader, from, to string) (map[string]DayCount, error) {
	var rows []struct {
		Day  string `db:"day"`
		Kind string `db:"kind"`
		N    int64  `db:"n"`
	}
	if err := r.Select(ctx, &rows, `SELECT day, kind, COUNT(*) AS n FROM oa_moves WHERE day >= ? AND day <= ? GROUP BY day, kind`, from, to); err != nil {
		return nil, err
	}
	out := map[string]DayCount{}
	for _, x := range rows {
		d := out[x.Day]
		if x.Kind == moveFollow {
			d.Follows = x.N
		} else {
			d.Unfollows = x.N
		}
		out[x.Day] = d
	}
	return out, nil
}

func countFollowing(ctx context.Context, r db.Reader) (n int64, err error) {
	return n, r.Get(ctx, &n, `SELECT COUNT(*) FROM oa_followers WHERE state = 'following'`)
}

// sceneCounts is how many people each scene brought first.
func sceneCounts(ctx context.Context, r db.Reader) (map[string]int64, error) {
	var rows []struct {
		Scene string `db:"scene"`
		N     int64  `db:"n"`
	}
	if err := r.Select(ctx, &rows, `SELECT scene, COUNT(*) AS n FROM oa_moves WHERE kind = 'follow' AND scene <> '' GROUP BY scene`); err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for _, x := range rows {
		out[x.Scene] = x.N
	}
	return out, nil
}
