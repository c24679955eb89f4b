package member

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/secret"
)

// A link joins a person's two WeChat identities where no unionid does: who is a member in one app gets a code there and
// redeems it in the other, signed in there. It is good once, for ten minutes, in the other app only.

const (
	linkLife     = 10 * time.Minute
	linkFailures = 10 // wrong codes an hour, by identity
)

// Link is a fresh code.
type Link struct {
	Code      string
	App       string // where it was made: the other one redeems it
	ExpiresAt time.Time
}

// LinkOf is what a code would join the acting identity to.
type LinkOf struct {
	BindInfo
	PhoneMasked string
	App         string
	ExpiresAt   time.Time
	Same        bool // the acting identity is this member's already
}

// cleanLink reads a code as it was typed, or the address that holds it.
func cleanLink(s string) string {
	if i := strings.LastIndex(s, "c="); i >= 0 {
		s = s[i+2:]
	}
	return strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToUpper(strings.TrimSpace(s)))
}

func (s *Service) linkHash(code string) string { return s.box.Index("member.link", code) }

// NewLink makes a code for the acting member; earlier ones of this identity end. Fault: fault.ErrExpired.
func (s *Service) NewLink(ctx context.Context) (out Link, err error) {
	me := actor.From(ctx)
	code := secret.Code(10)
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		x, err := readIdentity(ctx, tx, me.ID, tx.ForUpdate())
		if err != nil {
			return err
		}
		if x.MemberID == nil || *x.MemberID != me.MemberID {
			return fault.ErrExpired // it was unbound a moment ago
		}
		m, err := s.readMember(ctx, tx, me.MemberID, "")
		if err != nil {
			return err
		}
		out = Link{Code: code, App: x.App, ExpiresAt: tx.Now.Add(linkLife)}
		if err := putLinkTx(ctx, tx, linkRow{Hash: s.linkHash(code), MemberID: m.ID, IdentityID: x.ID, App: x.App, CreatedAt: tx.Millis(), ExpiresAt: out.ExpiresAt.UnixMilli()}); err != nil {
			return err
		}
		return s.recordTx(ctx, tx, "identity.link_code", m, map[string]any{"app": x.App})
	})
	return out, err
}

// ReadLink shows whose member a code joins, so that nobody joins a stranger's unseen. Faults: ErrLink, ErrLinkSameApp, fault.ErrTooMany.
func (s *Service) ReadLink(ctx context.Context, typed string) (out LinkOf, err error) {
	me := actor.From(ctx)
	if me.Kind != actor.Owner {
		return out, fault.ErrNoSession
	}
	l, err := s.findLink(ctx, me, cleanLink(typed))
	if err != nil {
		return out, err
	}
	r, err := s.readMember(ctx, s.db, l.MemberID, "")
	if err != nil {
		return out, err
	}
	info, err := s.bindInfo(ctx, r)
	if err != nil {
		return out, err
	}
	m, err := s.open(r)
	return LinkOf{BindInfo: info, PhoneMasked: MaskPhone(m.Phone), App: l.App, ExpiresAt: at(l.ExpiresAt), Same: me.MemberID == l.MemberID}, err
}

// findLink reads a code that is still good; a miss is counted. Faults: ErrLink, ErrLinkSameApp, fault.ErrTooMany.
func (s *Service) findLink(ctx context.Context, me actor.Actor, code string) (linkRow, error) {
	bucket := fmt.Sprintf("link:%d", me.ID)
	if err := s.throttle(ctx, bucket, linkFailures); err != nil {
		return linkRow{}, err
	}
	l, found, err := readLink(ctx, s.db, s.linkHash(code), "")
	switch {
	case err != nil:
		return l, err
	case !found || l.UsedAt != nil || l.ExpiresAt <= s.db.Now().UnixMilli():
		if err := s.count(ctx, bucket, time.Hour); err != nil {
			return l, err
		}
		return l, ErrLink
	case l.App == me.App:
		return l, ErrLinkSameApp
	}
	return l, nil
}

// RedeemLink makes the acting identity one of the member's who made the code. It never merges members: an identity whose
// own member holds money is sent to the desk. Faults: ErrLink, ErrLinkSameApp, ErrLinkOther, ErrLinkTaken, ErrHoldsMoney,
// ErrUnfinished, ErrSuspended, fault.ErrTooMany.
func (s *Service) RedeemLink(ctx context.Context, typed string) (Joined, error) {
	me := actor.From(ctx)
	if me.Kind != actor.Owner {
		return Joined{}, fault.ErrNoSession
	}
	code := cleanLink(typed)
	var out Joined
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		j, err := once(ctx, tx, func() (Joined, error) { return s.redeemTx(ctx, tx, me, s.linkHash(code)) })
		out = j
		return err
	})
	if errors.Is(err, ErrLink) { // counted apart: the transaction is gone
		if _, found, rerr := readLink(ctx, s.db, s.linkHash(code), ""); rerr == nil && !found {
			if cerr := s.count(ctx, fmt.Sprintf("link:%d", me.ID), time.Hour); cerr != nil {
				return Joined{}, cerr
			}
		}
	}
	return out, err
}

func (s *Service) redeemTx(ctx context.Context, tx *db.Tx, me actor.Actor, hash string) (Joined, error) {
	if n, err := failures(ctx, tx, fmt.Sprintf("link:%d", me.ID), tx.Millis()); err != nil {
		return Joined{}, err
	} else if n >= linkFailures {
		return Joined{}, fault.ErrTooMany.Say("尝试次数太多，请一小时后再试，或联系门店")
	}
	if err := useLinkTx(ctx, tx, hash, me.ID); err != nil {
		return Joined{}, err
	}
	l, _, err := readLink(ctx, tx, hash, tx.ForUpdate())
	if err != nil {
		return Joined{}, err
	}
	x, err := readIdentity(ctx, tx, me.ID, tx.ForUpdate())
	if err != nil {
		return Joined{}, err
	}
	if x.App == l.App {
		return Joined{}, ErrLinkSameApp
	}
	m, err := s.readMember(ctx, tx, l.MemberID, tx.ForUpdate())
	if err != nil {
		return Joined{}, err
	}
	if x.MemberID != nil && *x.MemberID == m.ID {
		return s.joined(ctx, tx, m)
	}
	have, err := identitiesOf(ctx, tx, m.ID, tx.ForUpdate())
	if err != nil {
		return Joined{}, err
	}
	if err := sameHand(have, l.IdentityID, x); err != nil {
		return Joined{}, err
	}
	if x.MemberID != nil {
		if err := s.leaveTx(ctx, tx, x); err != nil {
			return Joined{}, err
		}
	}
	return s.adoptTx(ctx, tx, m, x, "identity.link")
}

// sameHand refuses what cannot be one person's two apps: the maker is gone from the member, both say who they are and
// differ, or the member has somebody of this app already. Faults: ErrLink, ErrLinkOther, ErrLinkTaken.
func sameHand(have []identityRow, maker int64, x identityRow) error {
	found := false
	for _, o := range have {
		switch {
		case o.ID == maker:
			found = true
			if o.UnionID != "" && x.UnionID != "" && o.UnionID != x.UnionID {
				return ErrLinkOther
			}
		case o.App == x.App:
			return ErrLinkTaken
		}
	}
	if !found {
		return ErrLink
	}
	return nil
}

// adoptTx makes an identity a member's, tells who asks, and writes the trail.
func (s *Service) adoptTx(ctx context.Context, tx *db.Tx, m memberRow, x identityRow, action string) (Joined, error) {
	if err := attachTx(ctx, tx, x, m.ID); err != nil {
		return Joined{}, err
	}
	if err := s.attachedTx(ctx, tx, m.ID, x.ID); err != nil {
		return Joined{}, err
	}
	if err := s.linkedTx(ctx, tx, m.ID, x.App); err != nil {
		return Joined{}, err
	}
	if err := s.recordTx(ctx, tx, action, m, map[string]any{"app": x.App, "identityId": x.ID}); err != nil {
		return Joined{}, err
	}
	return s.joined(ctx, tx, m)
}

// linkedTx tells the owner that another app opens the member's door.
func (s *Service) linkedTx(ctx context.Context, tx *db.Tx, memberID int64, app string) error {
	if s.opt.LinkedTx == nil {
		return nil
	}
	return s.opt.LinkedTx(ctx, tx, memberID, app)
}

// UnbindOwn takes one of the acting member's identities off, with those that WeChat says are the same person. One always
// stays: without any the member would be lost to its owner. Faults: fault.ErrNotFound, ErrLastIdentity.
func (s *Service) UnbindOwn(ctx context.Context, identityID int64) error {
	memberID := actor.From(ctx).MemberID
	return s.change(ctx, memberID, "identity.unbind", func(tx *db.Tx, _ *memberRow) (map[string]any, error) {
		ids, err := identitiesOf(ctx, tx, memberID, tx.ForUpdate())
		if err != nil {
			return nil, err
		}
		gone, app, err := samePerson(ids, identityID)
		if err != nil {
			return nil, err
		}
		if len(gone) == len(ids) {
			return nil, ErrLastIdentity
		}
		return map[string]any{"identityId": identityID, "app": app, "reason": "本人解除"}, s.detachTx(ctx, tx, gone)
	})
}
