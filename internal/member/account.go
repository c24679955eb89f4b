package member

import (
	"context"
	"errors"
	"fmt"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/session"
)

// actionUnmask is the only thing that is still done with a member who was merged: to look.
const actionUnmask = "member.unmask"

// change locks a member, lets fn edit the row, saves it and records the action. Fault: ErrMerged.
func (s *Service) change(ctx context.Context, memberID int64, action string, fn func(tx *db.Tx, m *memberRow) (detail map[string]any, err error)) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		m, err := s.readMember(ctx, tx, memberID, tx.ForUpdate())
		if err != nil {
			return err
		}
		if m.Status == StatusMerged && action != actionUnmask {
			return ErrMerged
		}
		detail, err := fn(tx, &m)
		if err != nil {
			return err
		}
		if err := s.saveTx(ctx, tx, m); err != nil {
			return err
		}
		return s.recordTx(ctx, tx, action, m, detail)
	})
}

// Edit is a change of a member's particulars; nil leaves a field as it is.
type Edit struct {
	Name     *string
	Gender   *string
	Birthday *string
	TierID   *int64 // staff only
	Reason   string // staff: why
}

// Update changes particulars. Faults: fault.ErrInvalid, fault.ErrNotFound, ErrClosed.
func (s *Service) Update(ctx context.Context, memberID int64, e Edit) error {
	var c fault.Complaints
	var name, gender string
	if e.Name != nil {
		var complaint string
		name, complaint = cleanName(*e.Name)
		c.Bad("name", complaint)
	}
	if e.Gender != nil {
		var complaint string
		gender, complaint = cleanGender(*e.Gender)
		c.Bad("gender", complaint)
	}
	if e.Birthday != nil {
		c.Bad("birthday", cleanBirthday(*e.Birthday, today(s.db.Now())))
	}
	reason, complaint := cleanText(e.Reason, 200)
	c.Bad("reason", complaint)
	if err := c.First(); err != nil {
		return err
	}
	return s.change(ctx, memberID, "member.update", func(tx *db.Tx, m *memberRow) (map[string]any, error) {
		if m.Status == StatusClosed {
			return nil, ErrClosed
		}
		changed := []string{}
		if e.Name != nil {
			if err := s.setName(m, name); err != nil {
				return nil, err
			}
			changed = append(changed, "name")
		}
		if e.Gender != nil {
			m.Gender = gender
			changed = append(changed, "gender")
		}
		if e.Birthday != nil {
			m.Birthday = *e.Birthday
			changed = append(changed, "birthday")
		}
		detail := map[string]any{"changed": changed, "reason": reason}
		if e.TierID != nil {
			if s.tiers == nil {
				return nil, errors.New("member: tiers are not connected")
			}
			if err := s.tiers.SetTierTx(ctx, tx, memberID, *e.TierID, reason); err != nil {
				return nil, err
			}
			detail["tierId"] = *e.TierID
		}
		return detail, nil
	})
}

// Suspend stops a member's use, with a reason (A10). Faults: ErrState, fault.ErrNotFound.
func (s *Service) Suspend(ctx context.Context, memberID int64, reason string) error {
	return s.move(ctx, memberID, "member.suspend", StatusSuspended, reason, StatusActive, StatusClosing)
}

// Reinstate ends a suspension. Faults: ErrState, fault.ErrNotFound.
func (s *Service) Reinstate(ctx context.Context, memberID int64, reason string) error {
	return s.move(ctx, memberID, "member.reinstate", StatusActive, reason, StatusSuspended)
}

// Reject refuses an application; the person may apply again. Faults: ErrState, fault.ErrNotFound.
func (s *Service) Reject(ctx context.Context, memberID int64, reason string) error {
	return s.move(ctx, memberID, "member.reject", StatusRejected, reason, StatusReview)
}

// Reopen withdraws the wish to leave. Faults: ErrState, fault.ErrNotFound.
func (s *Service) Reopen(ctx context.Context, memberID int64) error {
	return s.move(ctx, memberID, "member.reopen", StatusActive, "", StatusClosing)
}

// Approve accepts an application and issues the card (A04). Faults: ErrState, fault.ErrNotFound.
func (s *Service) Approve(ctx context.Context, memberID int64, reason string) error {
	return s.change(ctx, memberID, "member.approve", func(tx *db.Tx, m *memberRow) (map[string]any, error) {
		if m.Status != StatusReview {
			return nil, ErrState
		}
		m.Status, m.StatusReason, m.JoinedAt = StatusActive, "", tx.Millis()
		c, err := issueTx(ctx, tx, m.ID)
		return map[string]any{"cardId": c.ID, "reason": reason}, err
	})
}

func (s *Service) move(ctx context.Context, memberID int64, action, to, reason string, from ...string) error {
	var c fault.Complaints
	reason, complaint := cleanText(reason, 200)
	c.Bad("reason", complaint)
	if err := c.First(); err != nil {
		return err
	}
	return s.change(ctx, memberID, action, func(_ *db.Tx, m *memberRow) (map[string]any, error) {
		for _, f := range from {
			if m.Status != f {
				continue
			}
			m.Status, m.StatusReason = to, ""
			if to == StatusSuspended || to == StatusRejected {
				m.StatusReason = reason
			}
			return map[string]any{"from": f, "reason": reason}, nil
		}
		return nil, ErrState
	})
}

// Left says how far leaving got.
type Left struct {
	Status  string `json:"status" enum:"closing,closed,active"`
	Message string `json:"message" doc:"What happens next, in Chinese"`
}

// Close lets a member leave (A11). With money left the member becomes closing, to be settled at the desk; otherwise
// the account ends: personal data is erased, plates and phone are freed, cards, codes and sessions end. Faults:
// ErrSuspended for an owner who is suspended, ErrClosed, ErrUnfinished with open bookings, that of Options.Open, fault.ErrNotFound.
func (s *Service) Close(ctx context.Context, memberID int64, reason string) (out Left, err error) {
	var c fault.Complaints
	reason, complaint := cleanText(reason, 200)
	c.Bad("reason", complaint)
	if err := c.First(); err != nil {
		return out, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		m, err := s.readMember(ctx, tx, memberID, tx.ForUpdate())
		if err != nil {
			return err
		}
		switch {
		case Gone(m.Status):
			return m.left()
		case m.Status == StatusSuspended && actor.From(ctx).Kind == actor.Owner:
			return ErrSuspended
		}
		if err := s.finished(ctx, m.ID); err != nil {
			return err
		}
		total, err := s.total(ctx, m.ID) // the lock on the member keeps money from moving meanwhile
		if err != nil {
			return err
		}
		if total != 0 {
			m.Status, m.StatusReason = StatusClosing, reason
			out = Left{StatusClosing, fmt.Sprintf("卡内还有 %s，请到门店办理退款，退完后再注销；期间仍可消费，也可以撤回注销。", total.Yuan())}
			if err := s.saveTx(ctx, tx, m); err != nil {
				return err
			}
			return s.recordTx(ctx, tx, "member.closing", m, map[string]any{"reason": reason, "balanceFen": int64(total)})
		}
		out = Left{StatusClosed, "会员已注销，个人信息已删除。欢迎随时再来。"}
		return s.closeTx(ctx, tx, m, reason)
	})
	return out, err
}

// finished refuses while something of the member is open. Faults: ErrUnfinished, that of Options.Open.
func (s *Service) finished(ctx context.Context, memberID int64) error {
	if s.opt.Unfinished != nil {
		n, err := s.opt.Unfinished(ctx, memberID)
		if err == nil && n > 0 {
			err = ErrUnfinished.Say("还有 %d 个预约没有结束，请先取消，或等服务完成、结清", n)
		}
		if err != nil {
			return err
		}
	}
	if s.opt.Open == nil {
		return nil
	}
	return s.opt.Open(ctx, memberID)
}

// total is what the wallet holds. Without a wallet nobody may be taken for penniless.
func (s *Service) total(ctx context.Context, memberID int64) (money.Fen, error) {
	if s.balances == nil {
		return 0, errors.New("member: balances are not connected")
	}
	return s.balances.TotalFen(ctx, memberID)
}

func (s *Service) closeTx(ctx context.Context, tx *db.Tx, m memberRow, reason string) error {
	label := m // the trail names the member as it was, masked
	if err := s.wipeTx(ctx, tx, m, reason); err != nil {
		return err
	}
	if err := s.wipeMergedTx(ctx, tx, m.ID, reason); err != nil {
		return err
	}
	if c, err := currentCard(ctx, tx, m.ID, tx.ForUpdate()); err == nil {
		if err := moveCardTx(ctx, tx, c, c.Status, c.Status, CardClosed, "会员注销"); err != nil {
			return err
		}
	} else if !errors.Is(err, ErrNoCard) {
		return err
	}
	if err := errors.Join(deleteVehiclesTx(ctx, tx, m.ID), deleteOldCardsTx(ctx, tx, m.ID)); err != nil {
		return err
	}
	ids, err := identitiesOf(ctx, tx, m.ID, tx.ForUpdate())
	if err != nil {
		return err
	}
	if err := s.detachTx(ctx, tx, ids); err != nil {
		return err
	}
	if s.opt.EraseTx != nil {
		if err := s.opt.EraseTx(ctx, tx, m.ID); err != nil {
			return err
		}
	}
	return s.recordTx(ctx, tx, "member.close", label, map[string]any{"reason": reason})
}

// wipeTx closes a member and forgets who they were.
func (s *Service) wipeTx(ctx context.Context, tx *db.Tx, m memberRow, reason string) error {
	now := tx.Millis()
	m.Status, m.StatusReason, m.ClosedAt = StatusClosed, reason, &now
	m.NameSealed, m.NameIndex, m.PhoneSealed, m.PhoneIndex, m.Last4Index = "", "", "", nil, ""
	m.PhoneVerified, m.Gender, m.Birthday = false, "unknown", ""
	if err := deleteTagsTx(ctx, tx, m.ID); err != nil {
		return err
	}
	return s.saveTx(ctx, tx, m)
}

// detachTx frees identities of their member, ends their sessions and their code devices.
func (s *Service) detachTx(ctx context.Context, tx *db.Tx, ids []identityRow) error {
	for _, x := range ids {
		if err := unbindTx(ctx, tx, x.ID); err != nil {
			return err
		}
		if err := session.RevokeAllTx(ctx, tx, actor.Owner, x.ID); err != nil {
			return err
		}
		if err := revokeDevicesTx(ctx, tx, x.ID); err != nil {
			return err
		}
	}
	return nil
}

// Unbind takes a WeChat identity from a member, with those that WeChat says are the same person: otherwise the next
// login would bring it back. Fault: fault.ErrNotFound.
func (s *Service) Unbind(ctx context.Context, memberID, identityID int64, reason string) error {
	return s.change(ctx, memberID, "identity.unbind", func(tx *db.Tx, _ *memberRow) (map[string]any, error) {
		ids, err := identitiesOf(ctx, tx, memberID, tx.ForUpdate())
		if err != nil {
			return nil, err
		}
		gone, app, err := samePerson(ids, identityID)
		if err != nil {
			return nil, err
		}
		return map[string]any{"identityId": identityID, "app": app, "reason": reason}, s.detachTx(ctx, tx, gone)
	})
}

// Unmask shows name and phone in clear, for a reason that goes into the trail. Faults: fault.ErrNotFound, ErrClosed.
func (s *Service) Unmask(ctx context.Context, memberID int64, reason string) (name, phone string, err error) {
	err = s.change(ctx, memberID, actionUnmask, func(_ *db.Tx, r *memberRow) (map[string]any, error) {
		if r.Status == StatusClosed {
			return nil, ErrClosed
		}
		m, err := s.open(*r)
		name, phone = m.Name, m.Phone
		return map[string]any{"reason": reason}, err
	})
	if err != nil {
		return "", "", err
	}
	return name, phone, nil
}
