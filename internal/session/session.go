// Package session keeps who is signed in: short-lived access tokens with a rotating refresh token.
//
// Model: a session belongs to a subject (an owner's WeChat identity or a staff account); the access token lives 30
// minutes, the refresh token until the session's end and is replaced at each use.
// Owns: session_tokens. Invariants: only hashes are stored; revoking acts at the next request; a refresh token used
// twice outside a minute's grace (a lost answer on a weak network) was stolen and ends the session.
package session

import (
	"context"
	"errors"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/secret"
)

// AccessLife is how long an access token is good for.
const AccessLife = 30 * time.Minute

// graceLife is how long the previous refresh token is still taken, for answers lost on the way.
const graceLife = time.Minute

// Session is what a client holds. Tokens are secrets.
type Session struct {
	AccessToken  string    `json:"accessToken"`
	RefreshToken string    `json:"refreshToken"`
	ExpiresAt    time.Time `json:"expiresAt" doc:"When the access token ends"`
}

type row struct {
	ID            int64  `db:"id"`
	Kind          string `db:"kind"`
	SubjectID     int64  `db:"subject_id"`
	AccessHash    string `db:"access_hash"`
	AccessUntil   int64  `db:"access_until"`
	RefreshHash   string `db:"refresh_hash"`
	PreviousHash  string `db:"previous_hash"`
	PreviousUntil int64  `db:"previous_until"`
	EndsAt        int64  `db:"ends_at"`
	IP            string `db:"ip"`
	CreatedAt     int64  `db:"created_at"`
	RevokedAt     *int64 `db:"revoked_at"`
}

const columns = `id, kind, subject_id, access_hash, access_until, refresh_hash, previous_hash, previous_until, ends_at, ip, created_at, revoked_at`

// StartTx opens a session for a subject that ends for good after life.
func StartTx(ctx context.Context, tx *db.Tx, kind actor.Kind, subject int64, life time.Duration) (Session, error) {
	s, r := fresh(tx.Now, tx.Now.Add(life))
	r.ID, r.Kind, r.SubjectID, r.IP, r.CreatedAt = tx.NewID(), string(kind), subject, actor.From(ctx).IP, tx.Millis()
	return s, tx.Insert(ctx, "session_tokens", r)
}

func fresh(now, ends time.Time) (Session, row) {
	s := Session{AccessToken: secret.Token(32), RefreshToken: secret.Token(32), ExpiresAt: now.Add(AccessLife)}
	return s, row{AccessHash: secret.Hash(s.AccessToken), AccessUntil: s.ExpiresAt.UnixMilli(),
		RefreshHash: secret.Hash(s.RefreshToken), EndsAt: ends.UnixMilli()}
}

// Token is a session's row as a Finder reads it. Who wants to know more of the subject in the same statement embeds it.
type Token struct {
	SessionID   int64  `db:"session_id"`
	Kind        string `db:"session_kind"`
	SubjectID   int64  `db:"subject_id"`
	AccessHash  string `db:"access_hash"`
	AccessUntil int64  `db:"access_until"`
	EndsAt      int64  `db:"ends_at"`
	RevokedAt   *int64 `db:"revoked_at"`
}

func (t Token) token() Token { return t }

// Found is a Token, or what embeds one.
type Found interface{ token() Token }

// Finder resolves access tokens.
type Finder[R Found] struct {
	db   *db.DB
	rows *db.Lookup[string, []R]
}

// NewFinder returns a Finder that asks the database at each request, so that revoking acts at the next one. more and joins are what R holds besides its
// Token: columns after a comma, and JOINs from t.subject_id; a session that they leave out does not exist for this Finder.
func NewFinder[R Found](d *db.DB, more, joins string) *Finder[R] {
	text := `SELECT t.id AS session_id, t.kind AS session_kind, t.subject_id, t.access_hash, t.access_until, t.ends_at, t.revoked_at` + more +
		` FROM session_tokens t ` + joins + ` WHERE t.access_hash IN (?)`
	return &Finder[R]{d, db.NewLookup(d, func(ctx context.Context, r db.Reader, hashes []string) (map[string][]R, error) {
		q, args, err := db.In(text, hashes)
		if err != nil {
			return nil, err
		}
		var rows []R
		err = r.Select(ctx, &rows, q, args...)
		out := make(map[string][]R, len(rows))
		for _, x := range rows {
			h := x.token().AccessHash
			out[h] = append(out[h], x)
		}
		return out, err
	})}
}

// Find resolves an access token to its session: one row for each combination of what was joined, at least one. Fault: fault.ErrExpired.
func (f *Finder[R]) Find(ctx context.Context, kind actor.Kind, token string) ([]R, error) {
	rows, err := f.rows.Get(ctx, secret.Hash(token))
	if errors.Is(err, db.ErrNoRows) || (err == nil && len(rows) == 0) {
		return nil, fault.ErrExpired
	}
	if err != nil {
		return nil, err
	}
	now, t := f.db.Now().UnixMilli(), rows[0].token()
	if t.Kind != string(kind) || t.RevokedAt != nil || now >= t.AccessUntil || now >= t.EndsAt {
		return nil, fault.ErrExpired
	}
	return rows, nil
}

// Refresh replaces both tokens. Fault: fault.ErrExpired.
func Refresh(ctx context.Context, d *db.DB, kind actor.Kind, token string) (out Session, err error) {
	stolen := false
	err = d.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		stolen = false
		var r row
		h := secret.Hash(token)
		err := tx.Get(ctx, &r, `SELECT `+columns+` FROM session_tokens WHERE refresh_hash = ? OR previous_hash = ?`+tx.ForUpdate(), h, h)
		if errors.Is(err, db.ErrNoRows) {
			return fault.ErrExpired
		}
		if err != nil {
			return err
		}
		if r.Kind != string(kind) || r.RevokedAt != nil || tx.Millis() >= r.EndsAt {
			return fault.ErrExpired
		}
		if r.RefreshHash != h && tx.Millis() >= r.PreviousUntil {
			stolen = true
			_, err := tx.Exec(ctx, `UPDATE session_tokens SET revoked_at = ? WHERE id = ?`, tx.Millis(), r.ID)
			return err
		}
		s, n := fresh(tx.Now, time.UnixMilli(r.EndsAt))
		_, err = tx.Exec(ctx, `UPDATE session_tokens SET access_hash = ?, access_until = ?, refresh_hash = ?, previous_hash = ?, previous_until = ? WHERE id = ?`,
			n.AccessHash, n.AccessUntil, n.RefreshHash, h, tx.Now.Add(graceLife).UnixMilli(), r.ID)
		out = s
		return err
	})
	if err == nil && stolen {
		err = fault.ErrExpired
	}
	return out, err
}

// Revoke ends one session; ending one that ended already is no fault.
func Revoke(ctx context.Context, d *db.DB, sessionID int64) error {
	return d.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE session_tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL`, tx.Millis(), sessionID)
		return err
	})
}

// RevokeAllTx ends every session of a subject: suspension, password change, unbinding.
func RevokeAllTx(ctx context.Context, tx *db.Tx, kind actor.Kind, subject int64) error {
	_, err := tx.Exec(ctx, `UPDATE session_tokens SET revoked_at = ? WHERE kind = ? AND subject_id = ? AND revoked_at IS NULL`,
		tx.Millis(), string(kind), subject)
	return err
}

// PurgeTx deletes sessions that ended before the instant (unix ms).
func PurgeTx(ctx context.Context, tx *db.Tx, before int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM session_tokens WHERE ends_at < ?`, before)
	return err
}
