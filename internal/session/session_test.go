package session_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/session"
)

const life = 12 * time.Hour

type world struct {
	t   *testing.T
	db  *db.DB
	clk *clock.Manual
	*session.Finder[session.Token]
}

func newWorld(t *testing.T) *world {
	d, clk := dbtest.New(t)
	return &world{t, d, clk, session.NewFinder[session.Token](d, "", "")}
}

func (w *world) start(kind actor.Kind, subject int64) (s session.Session) {
	w.t.Helper()
	if err := w.db.InTx(w.t.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
		s, err = session.StartTx(ctx, tx, kind, subject, life)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) refresh(token string) session.Session {
	w.t.Helper()
	s, err := session.Refresh(w.t.Context(), w.db, actor.Staff, token)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// open says whether an access token opens anything.
func (w *world) open(token string) bool {
	w.t.Helper()
	rows, err := w.Find(w.t.Context(), actor.Staff, token)
	if err != nil && !errors.Is(err, fault.ErrExpired) {
		w.t.Fatal(err)
	}
	return err == nil && len(rows) == 1
}

func (w *world) dead(token string) {
	w.t.Helper()
	if _, err := session.Refresh(w.t.Context(), w.db, actor.Staff, token); !errors.Is(err, fault.ErrExpired) {
		w.t.Errorf("a dead refresh token gives %v", err)
	}
}

// Tokens are long, differ, and only their hashes are kept.
func TestTokensAreKeptAsHashes(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(actor.Staff, 7), w.start(actor.Staff, 7)
	tokens := map[string]bool{a.AccessToken: true, a.RefreshToken: true, b.AccessToken: true, b.RefreshToken: true}
	var kept []struct {
		Access  string `db:"access_hash"`
		Refresh string `db:"refresh_hash"`
	}
	if err := w.db.Select(t.Context(), &kept, `SELECT access_hash, refresh_hash FROM session_tokens`); err != nil || len(kept) != 2 || len(tokens) != 4 {
		t.Fatal(kept, err, len(tokens))
	}
	for token := range tokens {
		if len(token) < 43 { // 256 bits
			t.Errorf("%q is short", token)
		}
		for _, k := range kept {
			if strings.Contains(k.Access+k.Refresh, token) || len(k.Access) != 64 || len(k.Refresh) != 64 {
				t.Errorf("kept is %v", k)
			}
		}
	}
	// An access token is no refresh token, and each opens its own kind only.
	w.dead(a.AccessToken)
	if w.open(a.RefreshToken) || w.open("") || !w.open(a.AccessToken) {
		t.Error("the tokens are mixed up")
	}
	if _, err := w.Find(t.Context(), actor.Owner, a.AccessToken); !errors.Is(err, fault.ErrExpired) {
		t.Errorf("a session of staff as an owner's: %v", err)
	}
	if _, err := session.Refresh(t.Context(), w.db, actor.Owner, a.RefreshToken); !errors.Is(err, fault.ErrExpired) {
		t.Errorf("a session of staff refreshed as an owner's: %v", err)
	}
}

func TestSessionEnds(t *testing.T) {
	w := newWorld(t)
	s := w.start(actor.Staff, 7)
	if want := w.clk.Now().Add(session.AccessLife); !s.ExpiresAt.Equal(want) {
		t.Errorf("ends %v, want %v", s.ExpiresAt, want)
	}
	w.clk.Advance(session.AccessLife - time.Millisecond)
	if !w.open(s.AccessToken) {
		t.Error("ended early")
	}
	w.clk.Advance(time.Millisecond)
	if w.open(s.AccessToken) {
		t.Error("an access token outlives its half hour")
	}
	// Refreshing never moves the end of the whole.
	for range 30 {
		if w.clk.Now().Sub(s.ExpiresAt) > life {
			break
		}
		next, err := session.Refresh(t.Context(), w.db, actor.Staff, s.RefreshToken)
		if errors.Is(err, fault.ErrExpired) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		s = next
		w.clk.Advance(session.AccessLife)
	}
	w.dead(s.RefreshToken)
	if w.open(s.AccessToken) {
		t.Error("a session outlives its end")
	}
	w.clk.Advance(time.Second)
	if err := w.db.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error { return session.PurgeTx(ctx, tx, tx.Millis()) }); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := w.db.Get(t.Context(), &n, `SELECT COUNT(*) FROM session_tokens`); err != nil || n != 0 {
		t.Errorf("%d sessions are left: %v", n, err)
	}
}

// A refresh token is good once; the answer that got lost is given again for a minute; later it was stolen, and the session ends for whoever holds it.
func TestRefreshRotatesAndTheftEndsTheSession(t *testing.T) {
	w := newWorld(t)
	first := w.start(actor.Staff, 7)
	second := w.refresh(first.RefreshToken)
	if w.open(first.AccessToken) || !w.open(second.AccessToken) || second.RefreshToken == first.RefreshToken {
		t.Error("the tokens were not replaced")
	}
	w.clk.Advance(30 * time.Second)
	third := w.refresh(first.RefreshToken) // the answer with the second never came
	if !w.open(third.AccessToken) || w.open(second.AccessToken) {
		t.Error("a lost answer is not made good")
	}
	w.dead(second.RefreshToken)
	w.clk.Advance(time.Minute)
	w.dead(first.RefreshToken)
	if w.open(third.AccessToken) {
		t.Error("a refresh token that came twice did not end the session")
	}
	w.dead(third.RefreshToken)
}

func TestRevokingActsAtOnce(t *testing.T) {
	w := newWorld(t)
	a, b, other := w.start(actor.Staff, 7), w.start(actor.Staff, 7), w.start(actor.Staff, 8)
	rows, err := w.Find(t.Context(), actor.Staff, a.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time is no fault
		if err := session.Revoke(t.Context(), w.db, rows[0].SessionID); err != nil {
			t.Fatal(err)
		}
	}
	w.dead(a.RefreshToken)
	if w.open(a.AccessToken) || !w.open(b.AccessToken) {
		t.Error("signing out ended the wrong session")
	}
	if err := w.db.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error { return session.RevokeAllTx(ctx, tx, actor.Staff, 7) }); err != nil {
		t.Fatal(err)
	}
	w.dead(b.RefreshToken)
	if w.open(b.AccessToken) || !w.open(other.AccessToken) {
		t.Error("ending all of one ended others, or not all")
	}
}
