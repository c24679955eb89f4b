package group

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/secret"
)

// Invite is a link that brings one driver.
type Invite struct {
	ID        int64
	Code      string // only when it is made: afterwards nobody knows it
	URL       string
	Place     Place
	ExpiresAt time.Time
	CreatedAt time.Time
}

// Invite makes a link that gives one member the place. Faults: those of Place.clean, ErrFull, ErrInvites, those of Group.live.
func (s *Service) Invite(ctx context.Context, id int64, p Place) (out Invite, err error) {
	known, err := s.known(ctx)
	if err != nil {
		return out, err
	}
	_, err = s.change(ctx, id, func(ctx context.Context, tx *db.Tx, g *Group) error {
		if err := g.live(); err != nil {
			return err
		}
		p, err := p.clean(g.Kind, s.today(), known)
		if err != nil {
			return err
		}
		if err := s.namedTx(ctx, tx, Place{}, &p); err != nil {
			return err
		}
		open, err := openInvites(ctx, tx, id, tx.Millis())
		if err != nil {
			return err
		}
		if len(open) >= maxOpenInvites {
			return ErrInvites
		}
		if err := s.roomTx(ctx, tx, *g); err != nil {
			return err
		}
		rules, err := json.Marshal(p.Rules)
		if err != nil {
			return err
		}
		code := secret.Code(16)
		v := Invite{ID: tx.NewID(), Code: code, URL: s.inviteURL + code, Place: p, ExpiresAt: tx.Now.Add(inviteLife), CreatedAt: tx.Now}
		if err := tx.Insert(ctx, "group_invites", inviteRow{ID: v.ID, GroupID: id, Hash: secret.Hash(code), CardKind: p.CardKind, Note: p.Note, Until: p.Until, Rules: string(rules),
			ExpiresAt: v.ExpiresAt.UnixMilli(), CreatedAt: tx.Millis(), TierID: p.TierID}); err != nil {
			return err
		}
		out = v
		return s.record(ctx, tx, "group.invite", *g, map[string]any{"cardKind": p.CardKind, "note": p.Note, "until": p.Until, "tierId": p.TierID})
	})
	return out, err
}

func hashOf(code string) string {
	return secret.Hash(strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(code)))
}

// roomTx says whether one more driver may come. Fault: ErrFull.
func (s *Service) roomTx(ctx context.Context, tx *db.Tx, g Group) error {
	have, err := driversOf(ctx, tx, g.ID)
	if err != nil {
		return err
	}
	most := maxFamily
	if g.Kind == Corporate {
		most = maxCorporate
	}
	if len(have) >= most {
		return ErrFull
	}
	return nil
}

// Invites are the links of a group that still work.
func (s *Service) Invites(ctx context.Context, id int64) ([]Invite, error) {
	g, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := s.mine(ctx, s.db, g); err != nil {
		return nil, err
	}
	rows, err := openInvites(ctx, s.db, id, s.db.Now().UnixMilli())
	if err != nil {
		return nil, err
	}
	out := make([]Invite, 0, len(rows))
	for _, r := range rows {
		p, err := r.place()
		if err != nil {
			return nil, err
		}
		out = append(out, Invite{ID: r.ID, Place: p, ExpiresAt: time.UnixMilli(r.ExpiresAt).UTC(), CreatedAt: time.UnixMilli(r.CreatedAt).UTC()})
	}
	return out, nil
}

// Revoke takes a link back. Fault: ErrInvite.
func (s *Service) Revoke(ctx context.Context, id, inviteID int64) error {
	_, err := s.change(ctx, id, func(ctx context.Context, tx *db.Tx, g *Group) error {
		if err := revokeInvite(ctx, tx, id, inviteID); err != nil {
			return err
		}
		return s.record(ctx, tx, "group.invite_revoke", *g, nil)
	})
	return err
}

// Invited shows what a link offers. Fault: ErrInvite.
func (s *Service) Invited(ctx context.Context, code string) (Group, Place, time.Time, error) {
	row, err := inviteByHash(ctx, s.db, hashOf(code), s.db.Now().UnixMilli())
	if err != nil {
		return Group{}, Place{}, time.Time{}, err
	}
	g, err := groupByID(ctx, s.db, row.GroupID, "")
	if err != nil {
		return Group{}, Place{}, time.Time{}, err
	}
	p, err := row.place()
	return g, p, time.UnixMilli(row.ExpiresAt).UTC(), err
}

// Join takes the place of a link for the acting owner. Faults: ErrInvite, ErrOwnInvite, ErrJoined, ErrFull, those of Group.live and of
// member.Standing.Usable.
func (s *Service) Join(ctx context.Context, code string) (out Driver, err error) {
	me := actor.From(ctx).MemberID
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		row, err := inviteByHash(ctx, tx, hashOf(code), tx.Millis())
		if err != nil {
			return err
		}
		p, err := row.place()
		if err != nil {
			return err
		}
		out, err = s.enterTx(ctx, tx, row.GroupID, me, p, func(driverID int64) error { return useInvite(ctx, tx, row.ID, driverID) })
		return err
	})
	return out, err
}

// PutDriver gives a driver another place. Faults: those of Place.clean, fault.ErrNotFound, ErrEnded.
func (s *Service) PutDriver(ctx context.Context, id, driverID int64, p Place) (out Driver, err error) {
	known, err := s.known(ctx)
	if err != nil {
		return out, err
	}
	_, err = s.change(ctx, id, func(ctx context.Context, tx *db.Tx, g *Group) error {
		if g.State == StateEnded {
			return ErrEnded
		}
		d, err := driverByID(ctx, tx, id, driverID)
		if err != nil {
			return err
		}
		was := d.Place
		if p.Until != "" && p.Until == was.Until && p.CardKind == was.CardKind && p.Until < s.today() {
			return fault.ErrInvalid.On("until", "使用期限已过，请填写新的日期")
		}
		if d.Place, err = p.clean(g.Kind, s.today(), known); err != nil {
			return err
		}
		if err := s.namedTx(ctx, tx, was, &d.Place); err != nil {
			return err
		}
		out = d
		if err := savePlace(ctx, tx, d); err != nil {
			return err
		}
		if g.TierID != 0 || was.TierID != 0 || d.Place.TierID != 0 {
			g.moved = append(g.moved, d.MemberID)
		}
		return s.record(ctx, tx, "group.driver", *g, map[string]any{"memberId": d.MemberID, "from": was, "to": d.Place})
	})
	return out, err
}

// RemoveDriver ends a driver's place. Fault: fault.ErrNotFound.
func (s *Service) RemoveDriver(ctx context.Context, id, driverID int64) error {
	_, err := s.change(ctx, id, func(ctx context.Context, tx *db.Tx, g *Group) error {
		d, err := driverByID(ctx, tx, id, driverID)
		if err != nil {
			return err
		}
		if err := s.endPlaceTx(ctx, tx, d, EndRemoved); err != nil {
			return err
		}
		if g.TierID != 0 || d.Place.TierID != 0 {
			g.moved = append(g.moved, d.MemberID)
		}
		return s.record(ctx, tx, "group.driver_remove", *g, map[string]any{"memberId": d.MemberID})
	})
	return err
}

// Leave gives the acting owner's own place up. Faults: fault.ErrNotFound for who has none.
func (s *Service) Leave(ctx context.Context, id int64) error {
	me := actor.From(ctx).MemberID
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		g, err := groupByID(ctx, tx, id, tx.ForUpdate())
		if err != nil {
			return err
		}
		d, err := driverOf(ctx, tx, id, me)
		if errors.Is(err, ErrNoDriver) {
			return fault.ErrNotFound
		}
		if err != nil {
			return err
		}
		if err := s.endPlaceTx(ctx, tx, d, EndLeft); err != nil {
			return err
		}
		if g.TierID != 0 || d.Place.TierID != 0 {
			if err := s.tiers.MovedTx(ctx, tx, []int64{me}); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, "group.leave", g, map[string]any{"memberId": me})
	})
}
