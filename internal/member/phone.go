package member

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/wechat"
)

const phoneTokenLife = 10 * time.Minute

// phoneLimit bounds how often one identity may ask WeChat for its phone in an hour: each success costs the shop (N35).
const phoneLimit = 10

type phoneToken struct {
	Identity int64  `json:"i"`
	Phone    string `json:"p"`
	Until    int64  `json:"u"`
}

// Proved is a phone that WeChat vouches for, or that a code reached.
type Proved struct {
	Token  string
	Masked string
	Taken  bool      // by another member
	Bind   *BindInfo // whose, when taken
}

// VerifyPhone exchanges the code of WeChat's phone component for a token that proves the phone for ten minutes, for
// this identity only. Faults: those of the wechat package, fault.ErrTooMany.
func (s *Service) VerifyPhone(ctx context.Context, code string) (Proved, error) {
	me := actor.From(ctx)
	bucket := fmt.Sprintf("phone:%d", me.ID)
	if err := s.throttle(ctx, bucket, phoneLimit); err != nil {
		return Proved{}, err
	}
	if err := s.count(ctx, bucket, time.Hour); err != nil {
		return Proved{}, err
	}
	raw, err := s.wechat.PhoneNumber(ctx, code)
	if err != nil {
		return Proved{}, wechat.Fault(err)
	}
	phone, ok := NormalPhone(raw)
	if !ok {
		return Proved{}, fault.ErrInvalid.Say("目前只支持大陆手机号，请联系门店登记")
	}
	return s.proved(ctx, me, phone)
}

// proved is the token of a phone, and whose it is.
func (s *Service) proved(ctx context.Context, me actor.Actor, phone string) (Proved, error) {
	token, err := s.PhoneToken(s.db.Now(), me.ID, phone)
	if err != nil {
		return Proved{}, err
	}
	out := Proved{Token: token, Masked: MaskPhone(phone)}
	m, found, err := s.byPhone(ctx, s.db, phone, "")
	if err != nil || !found || m.ID == me.MemberID {
		return out, err
	}
	info, err := s.bindInfo(ctx, m)
	out.Taken, out.Bind = true, &info
	return out, err
}

// PhoneToken makes the token of VerifyPhone for a phone that was proved in another way.
func (s *Service) PhoneToken(now time.Time, identityID int64, phone string) (string, error) {
	b, err := json.Marshal(phoneToken{identityID, phone, now.Add(phoneTokenLife).UnixMilli()})
	if err != nil {
		return "", err
	}
	return s.box.Seal(colToken, string(b))
}

// readPhoneToken opens a token. Fault: ErrPhoneToken.
func (s *Service) readPhoneToken(identityID int64, token string) (string, error) {
	plain, err := s.box.Open(colToken, token)
	var t phoneToken
	if err != nil || json.Unmarshal([]byte(plain), &t) != nil || t.Identity != identityID || s.db.Now().UnixMilli() >= t.Until {
		return "", ErrPhoneToken
	}
	return t.Phone, nil
}

func (s *Service) bindInfo(ctx context.Context, r memberRow) (BindInfo, error) {
	m, err := s.open(r)
	if err != nil {
		return BindInfo{}, err
	}
	out := BindInfo{NameMasked: MaskName(m.Name)}
	if c, err := currentCard(ctx, s.db, m.ID, ""); err == nil {
		out.CardNoMasked = MaskCardNo(c.No)
	} else if !errors.Is(err, ErrNoCard) {
		return out, err
	}
	if s.tiers != nil {
		out.TierName, err = s.tiers.TierName(ctx, m.ID)
	}
	return out, err
}

// Bind makes the acting identity one of an existing member's, proved by the phone. It never merges members: an
// identity whose own member holds money is sent to the desk. Faults: ErrPhoneToken, ErrCharter, ErrPhoneUnknown,
// ErrPhoneUnproven, ErrHoldsMoney.
func (s *Service) Bind(ctx context.Context, token string, charter int64) (Joined, error) {
	me := actor.From(ctx)
	if me.Kind != actor.Owner {
		return Joined{}, fault.ErrNoSession
	}
	phone, err := s.readPhoneToken(me.ID, token)
	if err != nil {
		return idem.Or[Joined](ctx, s.db, err)
	}
	var out Joined
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		j, err := once(ctx, tx, func() (Joined, error) { return s.bindTx(ctx, tx, me.ID, phone, charter) })
		out = j
		return err
	})
	return out, err
}

func (s *Service) bindTx(ctx context.Context, tx *db.Tx, identityID int64, phone string, charter int64) (Joined, error) {
	x, err := readIdentity(ctx, tx, identityID, tx.ForUpdate())
	if err != nil {
		return Joined{}, err
	}
	m, found, err := s.byPhone(ctx, tx, phone, tx.ForUpdate())
	if err != nil {
		return Joined{}, err
	}
	if !found {
		return Joined{}, ErrPhoneUnknown
	}
	if x.MemberID != nil && *x.MemberID == m.ID {
		return s.joined(ctx, tx, m)
	}
	if err := currentCharter(ctx, tx, charter); err != nil {
		return Joined{}, err
	}
	others, err := identitiesOf(ctx, tx, m.ID, "")
	if err != nil {
		return Joined{}, err
	}
	if !m.PhoneVerified && len(others) > 0 { // somebody typed this phone without proving it: a person has to look
		return Joined{}, ErrPhoneUnproven
	}
	if x.MemberID != nil {
		if err := s.leaveTx(ctx, tx, x); err != nil {
			return Joined{}, err
		}
	}
	m.PhoneVerified, m.CharterVersion, m.CharterAt = true, charter, tx.Millis()
	if err := s.saveTx(ctx, tx, m); err != nil {
		return Joined{}, err
	}
	if err := attachTx(ctx, tx, x, m.ID); err != nil {
		return Joined{}, err
	}
	if err := s.attachedTx(ctx, tx, m.ID, x.ID); err != nil {
		return Joined{}, err
	}
	if len(others) > 0 {
		if err := s.linkedTx(ctx, tx, m.ID, x.App); err != nil {
			return Joined{}, err
		}
	}
	if err := s.recordTx(ctx, tx, "member.bind", m, map[string]any{"app": x.App, "charterVersion": charter}); err != nil {
		return Joined{}, err
	}
	return s.joined(ctx, tx, m)
}

// leaveTx lets an identity go from a member that holds nothing; the member itself stays for the desk to close.
// Faults: ErrHoldsMoney, ErrUnfinished.
func (s *Service) leaveTx(ctx context.Context, tx *db.Tx, x identityRow) error {
	old, err := s.readMember(ctx, tx, *x.MemberID, tx.ForUpdate())
	if err != nil {
		return err
	}
	total, err := s.total(ctx, old.ID)
	if err != nil {
		return err
	}
	if total != 0 {
		return ErrHoldsMoney
	}
	if err := s.finished(ctx, old.ID); err != nil {
		return err
	}
	if old.Status == StatusSuspended {
		return ErrSuspended
	}
	return revokeDevicesTx(ctx, tx, x.ID)
}

// ChangePhone gives the member a phone that the owner proved. Faults: ErrPhoneToken, ErrPhoneTaken.
func (s *Service) ChangePhone(ctx context.Context, memberID int64, token string) error {
	phone, err := s.readPhoneToken(actor.From(ctx).ID, token)
	if err != nil {
		return err
	}
	return s.change(ctx, memberID, "member.phone_change", func(_ *db.Tx, m *memberRow) (map[string]any, error) {
		if m.Status == StatusClosed {
			return nil, ErrClosed
		}
		m.PhoneVerified = true
		return map[string]any{"to": MaskPhone(phone)}, s.setPhone(m, phone)
	})
}
