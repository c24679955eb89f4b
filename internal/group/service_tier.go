package group

import (
	"context"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/perm"
)

// movesTx notes everybody to whom the group gives a tier: they are looked at again once it is stored.
func (s *Service) movesTx(ctx context.Context, tx *db.Tx, g *Group) error {
	if g.Kind != Corporate {
		return nil
	}
	all, err := driversOf(ctx, tx, g.ID)
	for _, d := range all {
		if g.TierID != 0 || d.Place.TierID != 0 {
			g.moved = append(g.moved, d.MemberID)
		}
	}
	if g.TierID != 0 {
		g.moved = append(g.moved, g.PayerID)
	}
	return err
}

// SetTier says at which tier a company's people stand at least; 0 names none any more. Faults: tier.unknown, ErrState, fault.ErrInvalid for a family.
func (s *Service) SetTier(ctx context.Context, id, tierID int64) (Group, error) {
	return s.change(ctx, id, func(ctx context.Context, tx *db.Tx, g *Group) error {
		switch {
		case g.Kind != Corporate:
			return fault.ErrInvalid.On("tierId", "会员等级只用于企业账户")
		case g.State == StateEnded:
			return ErrEnded
		}
		name, was := "", g.TierID
		if tierID != 0 {
			t, err := s.tiers.BetterTx(ctx, tx, tierID)
			if err != nil {
				return err
			}
			name = t.Name
		}
		if was == tierID {
			return nil
		}
		g.TierID = max(was, tierID) // either of them moves everybody
		if err := s.movesTx(ctx, tx, g); err != nil {
			return err
		}
		g.TierID = tierID
		return s.record(ctx, tx, "group.tier", *g, map[string]any{"tierId": tierID, "tier": name})
	})
}

// namedTx says whether who acts may give a place the tier that it names, where was is what it named before. A payer changes neither the tier that
// the shop gave nor how long it lasts. Faults: ErrTier, fault.ErrForbidden, tier.unknown.
func (s *Service) namedTx(ctx context.Context, tx *db.Tx, was Place, p *Place) error {
	who := actor.From(ctx)
	if who.Kind == actor.Owner {
		if p.TierID == 0 {
			p.TierID = was.TierID
		}
		longer := was.Until != "" && (p.Until == "" || p.Until > was.Until)
		if p.TierID != was.TierID || was.TierID != 0 && (p.CardKind != was.CardKind || longer) {
			return ErrTier.Say("这张卡的等级由门店给出，卡种和延长期限请联系门店")
		}
		return nil
	}
	if p.TierID == was.TierID && p.Until == was.Until {
		return nil
	}
	if !who.Can(perm.TierWrite) && (p.TierID != 0 || was.TierID != 0) {
		return fault.ErrForbidden
	}
	if p.TierID == 0 {
		return nil
	}
	_, err := s.tiers.BetterTx(ctx, tx, p.TierID)
	return err
}

// AddDriver gives a member a place by hand, without a link: the shop does it. The same idempotency key gives one. Faults: those of Place.clean, ErrFull,
// ErrJoined, ErrOwnInvite, those of Group.live and of member.Standing.Usable.
func (s *Service) AddDriver(ctx context.Context, id, memberID int64, p Place) (Driver, error) {
	known, err := s.known(ctx)
	if err != nil {
		return Driver{}, err
	}
	var out Driver
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		got, _, err := idem.Once(ctx, tx, func() (int64, error) {
			g, err := groupByID(ctx, tx, id, "")
			if err != nil {
				return 0, err
			}
			p, err := p.clean(g.Kind, s.today(), known)
			if err != nil {
				return 0, err
			}
			if err := s.namedTx(ctx, tx, Place{}, &p); err != nil {
				return 0, err
			}
			d, err := s.enterTx(ctx, tx, id, memberID, p, nil)
			return d.ID, err
		})
		if err != nil {
			return err
		}
		out, err = driverByID(ctx, tx, id, got)
		return err
	})
	return out, err
}

// enterTx gives a member a place in a group: member before group. taken marks the link that brought them, if one did.
func (s *Service) enterTx(ctx context.Context, tx *db.Tx, groupID, memberID int64, p Place, taken func(driverID int64) error) (Driver, error) {
	st, err := s.members.StandingTx(ctx, tx, memberID)
	if err != nil {
		return Driver{}, err
	}
	if err := st.Usable(); err != nil {
		return Driver{}, err
	}
	g, err := groupByID(ctx, tx, groupID, tx.ForUpdate())
	if err != nil {
		return Driver{}, err
	}
	if err := g.live(); err != nil {
		return Driver{}, err
	}
	if g.PayerID == memberID {
		return Driver{}, ErrOwnInvite
	}
	if err := s.roomTx(ctx, tx, g); err != nil {
		return Driver{}, err
	}
	d := Driver{ID: tx.NewID(), GroupID: g.ID, MemberID: memberID, Place: p, JoinedAt: tx.Now}
	action := "group.driver_add"
	if taken != nil {
		action = "group.join"
		if err := taken(d.ID); err != nil {
			return Driver{}, err
		}
	}
	if err := insertDriver(ctx, tx, d); err != nil {
		return Driver{}, err
	}
	if g.TierID != 0 || p.TierID != 0 {
		if err := s.tiers.MovedTx(ctx, tx, []int64{memberID}); err != nil {
			return Driver{}, err
		}
	}
	return d, s.record(ctx, tx, action, g, map[string]any{"memberId": memberID, "cardKind": p.CardKind, "tierId": p.TierID})
}
