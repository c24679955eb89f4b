package member

import (
	"context"
	"errors"

	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
)

// FreezeCard stops an active card. Faults: ErrNoCard, ErrCardState.
func (s *Service) FreezeCard(ctx context.Context, memberID int64, reason string) (Card, error) {
	return s.moveCard(ctx, memberID, "card.freeze", CardActive, CardActive, CardFrozen, reason)
}

// UnfreezeCard makes a frozen card usable again. Faults: ErrNoCard, ErrCardState.
func (s *Service) UnfreezeCard(ctx context.Context, memberID int64, reason string) (Card, error) {
	return s.moveCard(ctx, memberID, "card.unfreeze", CardFrozen, CardFrozen, CardActive, reason)
}

// ReportLost stops a card until a new one is issued (A08). Reporting a lost card again changes nothing. Faults:
// ErrNoCard, ErrCardState.
func (s *Service) ReportLost(ctx context.Context, memberID int64, reason string) (Card, error) {
	c, err := s.Card(ctx, memberID)
	if err == nil && c.Status == CardLost {
		return c, nil
	}
	return s.moveCard(ctx, memberID, "card.lost", CardActive, CardFrozen, CardLost, reason)
}

func (s *Service) moveCard(ctx context.Context, memberID int64, action, from, orFrom, to, reason string) (out Card, err error) {
	var cs fault.Complaints
	reason, complaint := cleanText(reason, 200)
	cs.Bad("reason", complaint)
	if err := cs.First(); err != nil {
		return out, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := s.readMember(ctx, tx, memberID, tx.ForUpdate()); err != nil {
			return err
		}
		c, err := currentCard(ctx, tx, memberID, tx.ForUpdate())
		if err != nil {
			return err
		}
		if err := moveCardTx(ctx, tx, c, from, orFrom, to, reason); err != nil {
			return err
		}
		was := c.Status
		c.Status = to
		if err := s.recordCardTx(ctx, tx, action, c, map[string]any{"from": was, "to": to, "reason": reason}); err != nil {
			return err
		}
		out = c.card()
		return nil
	})
	return out, err
}

// Reissue replaces the member's card by one with a new number. Everything that the member holds stays, because it
// hangs on the member. Faults: ErrState, fault.ErrNotFound.
func (s *Service) Reissue(ctx context.Context, memberID int64, reason string) (out Card, err error) {
	var cs fault.Complaints
	reason, complaint := cleanText(reason, 200)
	cs.Bad("reason", complaint)
	if err := cs.First(); err != nil {
		return out, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		m, err := s.readMember(ctx, tx, memberID, tx.ForUpdate())
		if err != nil {
			return err
		}
		if m.Status == StatusReview || m.Status == StatusRejected || Gone(m.Status) {
			return ErrState
		}
		old, err := currentCard(ctx, tx, memberID, tx.ForUpdate())
		if err != nil && !errors.Is(err, ErrNoCard) {
			return err
		}
		if err == nil { // the old one goes first: a member has one current card
			if err := moveCardTx(ctx, tx, old, old.Status, old.Status, CardReplaced, reason); err != nil {
				return err
			}
		}
		c, err := issueTx(ctx, tx, memberID)
		if err != nil {
			return err
		}
		if old.ID != 0 {
			if err := replacedByTx(ctx, tx, old.ID, c.ID); err != nil {
				return err
			}
		}
		if err := s.recordCardTx(ctx, tx, "card.reissue", c, map[string]any{"replaces": MaskCardNo(old.No), "was": old.Status, "reason": reason}); err != nil {
			return err
		}
		out = c.card()
		return nil
	})
	return out, err
}

func (s *Service) recordCardTx(ctx context.Context, tx *db.Tx, action string, c cardRow, detail map[string]any) error {
	detail["cardId"] = c.ID
	return audit.RecordTx(ctx, tx, audit.Entry{Action: action, SubjectKind: "member", SubjectID: c.MemberID, SubjectLabel: "卡 " + MaskCardNo(c.No), Detail: detail})
}
