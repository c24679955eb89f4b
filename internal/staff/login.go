package staff

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/session"
	"github.com/liangche/liangche/internal/wechat"
)

// Tries within a quarter of an hour; the count is shared by all instances.
const (
	loginWindow    = 15 * time.Minute
	triesHere      = 5  // for an account from one address
	triesByAccount = 20 // for an account in all: who guesses elsewhere shall not lock its owner out with a handful
	triesByAddress = 40 // a shop's desks share one address
)

// LoginPassword signs in by user name and password. Faults: ErrBadCredentials, ErrThrottled, ErrSuspended.
func (s *Service) LoginPassword(ctx context.Context, username, password string) (session.Session, int64, error) {
	name, complaint := cleanUsername(username)
	if complaint != "" || name == "" {
		name = "?" // counted together
	}
	buckets := doorsOf(ctx, name)
	if err := s.try(ctx, buckets, triesHere, triesByAccount, triesByAddress); err != nil {
		return session.Session{}, 0, err
	}
	a, found, err := byUsername(ctx, s.db, name, "")
	if err != nil {
		return session.Session{}, 0, err
	}
	hash := a.PasswordHash
	if !found || hash == "" {
		hash = s.decoy() // the answer takes as long as for an account that exists
	}
	if !s.matches(ctx, hash, password) || !found || a.PasswordHash == "" {
		if !found {
			return session.Session{}, 0, ErrBadCredentials
		}
		if err := s.refused(ctx, a); err != nil {
			return session.Session{}, 0, err
		}
		return session.Session{}, 0, ErrBadCredentials
	}
	var out session.Session
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		now, err := s.readAccount(ctx, tx, a.ID, tx.ForUpdate())
		if err != nil {
			return err
		}
		if now.PasswordHash != a.PasswordHash { // it was changed while this one was compared
			return ErrBadCredentials
		}
		if err := errors.Join(forgiveTx(ctx, tx, buckets[0], true), forgiveTx(ctx, tx, buckets[1], true), forgiveTx(ctx, tx, buckets[2], false)); err != nil {
			return err
		}
		out, err = s.startTx(ctx, tx, now, "password")
		return err
	})
	return out, a.ID, err
}

// doorsOf are the counters of a try at an account: from here, in all, and for whatever account from here.
func doorsOf(ctx context.Context, username string) []string {
	here := actor.Network(actor.From(ctx).IP)
	return []string{"user:" + username + "@" + here, "user:" + username, "addr:" + here}
}

// refused leaves a trace of a wrong password for an account that exists; there are as many as there are tries.
func (s *Service) refused(ctx context.Context, a accountRow) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "staff.login_refused", SubjectKind: "staff", SubjectID: a.ID, SubjectLabel: a.Name})
	})
}

// try counts a login attempt; what a bucket refuses is not counted in the next ones. Fault: ErrThrottled.
func (s *Service) try(ctx context.Context, buckets []string, limits ...int64) error {
	refused := false
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		refused = false
		for i, b := range buckets {
			n, err := attemptTx(ctx, tx, b, loginWindow.Milliseconds())
			if err != nil {
				return err
			}
			if refused = n > limits[i]; refused {
				break
			}
		}
		return nil
	})
	if err == nil && refused {
		err = ErrThrottled
	}
	return err
}

// matches compares a password, a few at a time: each comparison takes 19 MiB.
func (s *Service) matches(ctx context.Context, hash, password string) bool {
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
		return checkHash(hash, password)
	case <-ctx.Done():
		return false
	}
}

// LoginMini signs in by the code of wx.login; an invite binds the identity first. Faults: those of the wechat package,
// ErrNotBound, ErrInvite, ErrBound, ErrSuspended, ErrThrottled.
func (s *Service) LoginMini(ctx context.Context, code, invite string) (session.Session, int64, error) {
	who, err := s.wechat.MiniProgramSession(ctx, code)
	if err != nil {
		return session.Session{}, 0, wechat.Fault(err)
	}
	return s.LoginIdentity(ctx, Identity{who.App, who.OpenID, who.UnionID}, invite)
}

// LoginTicket signs in by a ticket of the OAuth return. Faults: those of LoginMini, member.ticket_used.
func (s *Service) LoginTicket(ctx context.Context, ticket, invite string) (session.Session, int64, error) {
	who, carried, err := s.tickets.RedeemStaffTicket(ctx, ticket)
	if err != nil {
		return session.Session{}, 0, err
	}
	if invite == "" {
		invite = carried
	}
	return s.LoginIdentity(ctx, Identity{who.App, who.OpenID, who.UnionID}, invite)
}

// LoginIdentity signs in a WeChat identity that was established, binding it by an invite where it is nobody's yet.
// Faults: ErrNotBound, ErrInvite, ErrBound, ErrSuspended, ErrThrottled.
func (s *Service) LoginIdentity(ctx context.Context, who Identity, invite string) (session.Session, int64, error) {
	invite = normalInvite(invite)
	bucket := "invite:" + actor.Network(actor.From(ctx).IP)
	if invite != "" {
		if err := s.try(ctx, []string{bucket}, triesByAddress); err != nil {
			return session.Session{}, 0, err
		}
	}
	var out session.Session
	var id int64
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		found, err := accountOfTx(ctx, tx, who)
		if err != nil {
			return err
		}
		via := who.App
		if found == 0 {
			if found, err = s.acceptTx(ctx, tx, who, invite); err != nil {
				return err
			}
			via = "invite"
		} else if err := notAnothers(ctx, tx, found, invite); err != nil {
			return err
		}
		if invite != "" {
			if err := forgiveTx(ctx, tx, bucket, false); err != nil {
				return err
			}
		}
		a, err := s.readAccount(ctx, tx, found, tx.ForUpdate())
		if err != nil {
			return err
		}
		id = a.ID
		out, err = s.startTx(ctx, tx, a, via)
		return err
	})
	return out, id, err
}

// notAnothers refuses an identity that works for one account and shows the invite of another. An invite that is worn is
// no matter: phones keep it and send it along. Fault: ErrBound.
func notAnothers(ctx context.Context, tx *db.Tx, accountID int64, invite string) error {
	if invite == "" {
		return nil
	}
	id, err := invitedTx(ctx, tx, secret.Hash(invite))
	if err == nil && id != 0 && id != accountID {
		err = ErrBound
	}
	return err
}

// acceptTx consumes an invite and binds the identity to its account. Faults: ErrNotBound without an invite, ErrInvite,
// ErrBound, ErrSuspended.
func (s *Service) acceptTx(ctx context.Context, tx *db.Tx, who Identity, invite string) (int64, error) {
	if invite == "" {
		return 0, ErrNotBound
	}
	id, err := useInviteTx(ctx, tx, secret.Hash(invite))
	if err != nil {
		return 0, err
	}
	a, err := s.readAccount(ctx, tx, id, tx.ForUpdate())
	if err != nil {
		return 0, err
	}
	if a.Status == StatusSuspended {
		return 0, ErrSuspended
	}
	if err := bindTx(ctx, tx, id, who); err != nil {
		return 0, err
	}
	return id, audit.RecordTx(as(ctx, a), tx, audit.Entry{Action: "staff.bind", SubjectKind: "staff", SubjectID: id, SubjectLabel: a.Name,
		Detail: map[string]any{"app": who.App}})
}

// startTx opens a session for an account that proved itself; the first one makes an invited account active.
// Fault: ErrSuspended.
func (s *Service) startTx(ctx context.Context, tx *db.Tx, a accountRow, via string) (session.Session, error) {
	if a.Status == StatusSuspended {
		return session.Session{}, ErrSuspended
	}
	a.Status, a.LastLoginAt = StatusActive, tx.Millis()
	if err := saveTx(ctx, tx, a); err != nil {
		return session.Session{}, err
	}
	ctx = as(ctx, a)
	if err := audit.RecordTx(ctx, tx, audit.Entry{Action: "staff.login", SubjectKind: "staff", SubjectID: a.ID, SubjectLabel: a.Name,
		Detail: map[string]any{"via": via}}); err != nil {
		return session.Session{}, err
	}
	return session.StartTx(ctx, tx, actor.Staff, a.ID, SessionLife)
}

// as lets the trail name an account that is just proving itself.
func as(ctx context.Context, a accountRow) context.Context {
	return actor.With(ctx, actor.Actor{Kind: actor.Staff, ID: a.ID, Name: a.Name, IP: actor.From(ctx).IP})
}

// ChangePassword replaces the acting account's own password, ends all its sessions and opens a new one. Faults:
// ErrOldPassword, ErrThrottled, fault.ErrInvalid at "new".
func (s *Service) ChangePassword(ctx context.Context, old, fresh string) (session.Session, error) {
	me := actor.From(ctx)
	a, err := s.readAccount(ctx, s.db, me.ID, "")
	if err != nil {
		return session.Session{}, err
	}
	if complaint := checkPassword(fresh, deref(a.Username)); complaint != "" {
		return session.Session{}, fault.ErrInvalid.Say("%s", complaint).On("new", complaint)
	}
	buckets := doorsOf(ctx, deref(a.Username))[:2]
	if err := s.try(ctx, buckets, triesHere, triesByAccount); err != nil {
		return session.Session{}, err
	}
	if a.PasswordHash == "" || !s.matches(ctx, a.PasswordHash, old) {
		return session.Session{}, ErrOldPassword.On("old", "原密码不对")
	}
	hash := hashPassword(fresh)
	var out session.Session
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		now, err := s.readAccount(ctx, tx, me.ID, tx.ForUpdate())
		if err != nil {
			return err
		}
		if now.PasswordHash != a.PasswordHash {
			return fault.ErrBusyWrite
		}
		now.PasswordHash = hash
		if err := saveTx(ctx, tx, now); err != nil {
			return err
		}
		if err := errors.Join(forgiveTx(ctx, tx, buckets[0], true), forgiveTx(ctx, tx, buckets[1], true), session.RevokeAllTx(ctx, tx, actor.Staff, me.ID)); err != nil {
			return err
		}
		if err := audit.RecordTx(ctx, tx, audit.Entry{Action: "staff.password_change", SubjectKind: "staff", SubjectID: me.ID, SubjectLabel: a.Name}); err != nil {
			return err
		}
		out, err = session.StartTx(ctx, tx, actor.Staff, me.ID, SessionLife)
		return err
	})
	return out, err
}

// Logout ends the acting session.
func (s *Service) Logout(ctx context.Context) error {
	return session.Revoke(ctx, s.db, actor.From(ctx).SessionID)
}

func deref(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// normalInvite strips what people add when they type a code.
func normalInvite(code string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-':
			return -1
		case r == 'O':
			return '0'
		case r == 'I' || r == 'L':
			return '1'
		}
		return r
	}, strings.ToUpper(strings.TrimSpace(code)))
}
