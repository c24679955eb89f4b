package tier

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/fresh"
	"github.com/liangche/liangche/internal/money"
)

// Service keeps the tiers and who is in which.
type Service struct {
	db   *db.DB
	copy fresh.Value[[]Tier]
}

// New returns the service. Call EnsureDefault once after migrating.
func New(d *db.DB) *Service { return &Service{db: d} }

// EnsureDefault makes the default tier 普通会员 (no discount) unless there is a default tier already.
func (s *Service) EnsureDefault(ctx context.Context) error {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		all, err := readAll(ctx, tx, tx.ForUpdate())
		if err != nil {
			return err
		}
		for _, t := range all {
			if t.IsDefault {
				return nil
			}
		}
		tx.AfterCommit(s.copy.Forget)
		return insert(ctx, tx, Tier{ID: tx.NewID(), Name: "普通会员", Color: "#0B7A75", DiscountBP: money.Whole, IsDefault: true})
	})
	if errors.Is(err, ErrName) { // another instance was quicker
		return nil
	}
	return err
}

// Tiers lists all tiers, lowest rank first.
func (s *Service) Tiers(ctx context.Context) ([]Tier, error) { return s.list(ctx, s.db) }

func (s *Service) list(ctx context.Context, r db.Reader) ([]Tier, error) {
	return s.copy.Get(ctx, s.db.Now(), func(ctx context.Context) ([]Tier, error) {
		all, err := readAll(ctx, r, "")
		sortTiers(all)
		return all, err
	})
}

// Default returns the tier of members that nobody assigned to one.
func (s *Service) Default(ctx context.Context, r db.Reader) (Tier, error) { return s.byID(ctx, r, 0) }

func (s *Service) byID(ctx context.Context, r db.Reader, id int64) (Tier, error) {
	all, err := s.list(ctx, r)
	if err != nil {
		return Tier{}, err
	}
	var def *Tier
	for i := range all {
		if all[i].ID == id {
			return all[i], nil
		}
		if all[i].IsDefault {
			def = &all[i]
		}
	}
	if def == nil {
		return Tier{}, errNoDefault
	}
	return *def, nil
}

// AheadTx reads the tiers of several members at once, with the next db.Tx.Collect, for OfMember in the same transaction.
func (s *Service) AheadTx(ctx context.Context, tx *db.Tx, members []int64) error {
	if len(members) == 0 {
		return nil
	}
	if _, err := s.list(ctx, tx); err != nil {
		return err
	}
	return memberTiersSoon(tx, members)
}

// OfMember returns the member's tier: the default one when none was set. It costs one indexed read.
func (s *Service) OfMember(ctx context.Context, r db.Reader, memberID int64) (Tier, error) {
	if tx, ok := r.(*db.Tx); ok {
		if id, ok := db.Stashed[map[int64]int64](tx, aheadKey{})[memberID]; ok {
			return s.byID(ctx, r, id)
		}
	}
	id, err := memberTier(ctx, r, memberID)
	if err != nil {
		return Tier{}, err
	}
	return s.byID(ctx, r, id)
}

// OfMembers is OfMember of several members, with one read for all of them.
func (s *Service) OfMembers(ctx context.Context, r db.Reader, members []int64) (map[int64]Tier, error) {
	out := make(map[int64]Tier, len(members))
	if len(members) == 0 {
		return out, nil
	}
	of, err := memberTiers(ctx, r, members)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if out[m], err = s.byID(ctx, r, of[m]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SetMemberTierTx puts a member into a tier. Faults: tier.unknown, tier.reason_missing.
func (s *Service) SetMemberTierTx(ctx context.Context, tx *db.Tx, memberID, tierID int64, reason string) error {
	reason = strings.TrimSpace(reason)
	if n := utf8.RuneCountInString(reason); n < 1 || n > 200 {
		return ErrReason.On("reason", "必填")
	}
	all, err := readAll(ctx, tx, "") // a tier is never deleted, so a plain read decides
	if err != nil {
		return err
	}
	var to *Tier
	for i := range all {
		if all[i].ID == tierID {
			to = &all[i]
		}
	}
	if to == nil {
		return ErrUnknown.On("tierId", "请重新选择")
	}
	from, err := s.OfMember(ctx, tx, memberID)
	if err != nil && !errors.Is(err, errNoDefault) {
		return err
	}
	who := actor.From(ctx)
	if err := assign(ctx, tx, assignment{memberID, tierID, reason, clip(who.Name, 60), tx.Millis()}); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, audit.Entry{Action: "member.tier", SubjectKind: "member", SubjectID: memberID, SubjectLabel: to.Name,
		Detail: map[string]any{"from": from.Name, "to": to.Name, "reason": reason}})
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// Create adds a tier. Faults: request.invalid, tier.name_taken.
func (s *Service) Create(ctx context.Context, in Input) (t Tier, err error) {
	if in, err = in.clean(); err != nil {
		return t, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := readAll(ctx, tx, tx.ForUpdate()); err != nil { // who becomes the default is decided under a lock
			return err
		}
		if in.IsDefault {
			if err := clearDefault(ctx, tx); err != nil {
				return err
			}
		}
		t = in.tier(tx.NewID(), false)
		if err := insert(ctx, tx, t); err != nil {
			return err
		}
		tx.AfterCommit(s.copy.Forget)
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "tier.create", SubjectKind: "tier", SubjectID: t.ID, SubjectLabel: t.Name, Detail: t})
	})
	return t, err
}

// Update changes a tier. Faults: not_found, request.invalid, tier.name_taken, tier.default_needed.
func (s *Service) Update(ctx context.Context, id int64, in Input) (t Tier, err error) {
	if in, err = in.clean(); err != nil {
		return t, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		all, err := readAll(ctx, tx, tx.ForUpdate())
		if err != nil {
			return err
		}
		var old *Tier
		for i := range all {
			if all[i].ID == id {
				old = &all[i]
			}
		}
		switch {
		case old == nil:
			return fault.ErrNotFound
		case old.IsDefault && !in.IsDefault:
			return ErrDefault.On("isDefault", "请把另一个等级设为默认")
		case in.IsDefault && !old.IsDefault:
			if err := clearDefault(ctx, tx); err != nil {
				return err
			}
		}
		t = in.tier(id, old.Priority)
		if err := update(ctx, tx, t); err != nil {
			return err
		}
		tx.AfterCommit(s.copy.Forget)
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "tier.update", SubjectKind: "tier", SubjectID: id, SubjectLabel: t.Name,
			Detail: map[string]Tier{"before": *old, "after": t}})
	})
	return t, err
}
