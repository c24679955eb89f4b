package member

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/session"
	"github.com/liangche/liangche/internal/wechat"
)

// sessionLife is how long an owner stays signed in on a phone without logging in again.
const sessionLife = 30 * 24 * time.Hour

// ticketLife is how long the H5 page has to redeem what the OAuth return gave it.
const ticketLife = time.Minute

// The audiences of a ticket.
const (
	forOwner = "owner"
	forStaff = "staff"
)

// LoginMini signs in with the code of wx.login. status is "" for somebody who has not joined. Faults: those of the
// wechat package.
func (s *Service) LoginMini(ctx context.Context, code string) (out session.Session, status string, err error) {
	who, err := s.wechat.MiniProgramSession(ctx, code)
	if err != nil {
		return out, "", wechat.Fault(err)
	}
	return s.signIn(ctx, func(context.Context, *db.Tx) (wechat.Identity, error) { return who, nil })
}

// LoginTicket signs in with a ticket of the OAuth return. Fault: ErrTicket.
func (s *Service) LoginTicket(ctx context.Context, ticket string) (out session.Session, status string, err error) {
	return s.signIn(ctx, func(ctx context.Context, tx *db.Tx) (wechat.Identity, error) {
		t, err := takeTicketTx(ctx, tx, secret.Hash(ticket), forOwner)
		return wechat.Identity{App: t.App, OpenID: t.OpenID, UnionID: t.UnionID}, err
	})
}

// LoginAs signs in an identity that was established elsewhere: the demo's seed.
func (s *Service) LoginAs(ctx context.Context, who wechat.Identity) (session.Session, string, error) {
	return s.signIn(ctx, func(context.Context, *db.Tx) (wechat.Identity, error) { return who, nil })
}

func (s *Service) signIn(ctx context.Context, prove func(context.Context, *db.Tx) (wechat.Identity, error)) (out session.Session, status string, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		status = ""
		who, err := prove(ctx, tx)
		if err != nil {
			return err
		}
		x, err := upsertIdentityTx(ctx, tx, who.App, who.OpenID, who.UnionID)
		if err != nil {
			return err
		}
		if x.MemberID != nil {
			m, err := s.readMember(ctx, tx, *x.MemberID, "")
			if err != nil {
				return err
			}
			status = m.Status
			if x.BoundAt == tx.Millis() { // just now, by the unionid
				if err := s.attachedTx(ctx, tx, m.ID, x.ID); err != nil {
					return err
				}
			}
		}
		out, err = session.StartTx(ctx, tx, actor.Owner, x.ID, sessionLife)
		return err
	})
	return out, status, err
}

// RedeemStaffTicket gives the WeChat identity behind a staff ticket, once, with the invite code that came along.
// Fault: ErrTicket.
func (s *Service) RedeemStaffTicket(ctx context.Context, ticket string) (who wechat.Identity, invite string, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		t, err := takeTicketTx(ctx, tx, secret.Hash(ticket), forStaff)
		who, invite = wechat.Identity{App: t.App, OpenID: t.OpenID, UnionID: t.UnionID}, t.Invite
		return err
	})
	return who, invite, err
}

// newTicket makes a single-use ticket for an identity that OAuth established.
func (s *Service) newTicket(ctx context.Context, audience, invite string, who wechat.Identity) (string, error) {
	ticket := secret.Token(24)
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.Insert(ctx, "member_tickets", ticketRow{Hash: secret.Hash(ticket), Audience: audience, App: who.App, OpenID: who.OpenID,
			UnionID: who.UnionID, Invite: invite, ExpiresAt: tx.Now.Add(ticketLife).UnixMilli()})
	})
	return ticket, err
}
