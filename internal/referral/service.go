package referral

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/wechat"
)

// joinPage is the page that an invite code opens.
const joinPage = "pages/join/index"

// Codes draws mini-program codes; it is *wechat.Client.
type Codes interface {
	MiniProgramCode(ctx context.Context, scene, page string) ([]byte, error)
}

// Pictures keeps pictures; it is *blob.Service.
type Pictures interface {
	Put(ctx context.Context, data []byte) (key string, err error)
	URL(key string) string
}

// Deps are what the service needs of others.
type Deps struct {
	DB       *db.DB
	Log      *slog.Logger
	Box      *secret.Box
	Members  *member.Service
	Gifts    *campaign.Service
	Messages *notify.Service
	Codes    Codes
	Pictures Pictures
	PageBase string // what is put before a page to make a link
}

// Service runs the use cases of invitations.
type Service struct {
	Deps
	db      *db.DB
	drawnAt atomic.Int64 // unix ms: no picture is asked for before, because WeChat refused one
}

// New returns the service.
func New(d Deps) *Service { return &Service{Deps: d, db: d.DB} }

// Rules reads the shop's rules.
func (s *Service) Rules(ctx context.Context) (Rules, error) { return readRules(ctx, s.db) }

// SetRules replaces the shop's rules; what was given stays. Faults: fault.ErrInvalid, campaign.ErrGift.
func (s *Service) SetRules(ctx context.Context, in Rules) (Rules, error) {
	if err := in.check(); err != nil {
		return in, err
	}
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		was, err := readRules(ctx, tx)
		if err != nil {
			return err
		}
		switch {
		case !in.ShareOn:
			in.ShareSince = 0
		case was.ShareOn:
			in.ShareSince = was.ShareSince
		default:
			in.ShareSince = tx.Millis()
		}
		gifts := map[string]campaign.Gift{"inviterGift": in.InviterGift, "friendGift": in.FriendGift, "shareGift": in.ShareGift}
		for i, g := range in.Grades {
			gifts[fmt.Sprintf("grades[%d].gift", i)] = g.Gift
		}
		for field, g := range gifts {
			if len(g) == 0 && !strings.HasPrefix(field, "grades") {
				continue
			}
			if _, err := s.Gifts.CheckGift(ctx, tx, field, g); err != nil {
				return err
			}
		}
		if err := writeRules(ctx, tx, in, db.Clip(actor.From(ctx).Name, 60)); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: "referral.rules", SubjectKind: "referral", SubjectLabel: "推荐奖励规则", Detail: in})
	})
	return in, err
}

// Code is the member's invite code, made at the first question.
func (s *Service) Code(ctx context.Context, memberID int64) (codeRow, error) {
	c, err := codeOf(ctx, s.db, memberID)
	if !errors.Is(err, db.ErrNoRows) {
		return c, err
	}
	for range 3 { // another member may have the same letters, or another phone of the member was quicker
		err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			c = codeRow{MemberID: memberID, Code: secret.Code(8), CreatedAt: tx.Millis()}
			return tx.Insert(ctx, "referral_codes", c)
		})
		if !errors.Is(err, db.ErrDuplicate) {
			return c, err
		}
		if c, err = codeOf(ctx, s.db, memberID); !errors.Is(err, db.ErrNoRows) {
			return c, err
		}
	}
	return c, fault.ErrUnavailable.With(err)
}

// picture is the address of the member's mini-program code; "" while WeChat draws none. It is drawn once and kept.
func (s *Service) picture(ctx context.Context, c codeRow) (string, error) {
	if c.Picture != "" {
		return s.Pictures.URL(c.Picture), nil
	}
	if now := s.db.Now().UnixMilli(); now < s.drawnAt.Load() {
		return "", nil
	}
	data, err := s.Codes.MiniProgramCode(ctx, "i="+c.Code, joinPage)
	if err != nil {
		// The link works without it. WeChat is not asked again at every look.
		s.drawnAt.Store(s.db.Now().Add(time.Minute).UnixMilli())
		if wechat.ClassOf(err) != wechat.NotConfigured {
			s.Log.WarnContext(ctx, "no mini-program code was drawn", "err", err)
		}
		return "", nil
	}
	key, err := s.Pictures.Put(ctx, data)
	if err != nil {
		return "", err
	}
	return s.Pictures.URL(key), s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return setPicture(ctx, tx, c.MemberID, key) })
}

// InvitedTx notes whose code a new member brought, in the transaction of joining. A code that is wrong, or rules that are off, never keep
// anybody from joining.
func (s *Service) InvitedTx(ctx context.Context, tx *db.Tx, memberID int64, code string) error {
	code, via := viaOf(code)
	plain := plainCode(code)
	if plain == "" {
		return nil
	}
	err := s.bindTx(ctx, tx, memberID, plain, via)
	if errors.Is(err, ErrUnknown) || errors.Is(err, ErrOff) || errors.Is(err, ErrSelf) || errors.Is(err, ErrBound) {
		return nil
	}
	return err
}

// inviterTx is whose code it is: of a member who was merged, who they are now. Fault: ErrUnknown.
func (s *Service) inviterTx(ctx context.Context, tx *db.Tx, code string) (int64, error) {
	id, err := inviterOf(ctx, tx, code)
	if err != nil {
		return 0, err
	}
	return s.Members.Holder(ctx, tx, id)
}

func (s *Service) bindTx(ctx context.Context, tx *db.Tx, memberID int64, code, via string) error {
	inviter, err := s.inviterTx(ctx, tx, code)
	if err != nil {
		return err
	}
	if inviter == memberID {
		return ErrSelf
	}
	rules, err := readRules(ctx, tx)
	if err != nil {
		return err
	}
	if !rules.On && !(rules.ShareOn && via != "") {
		return ErrOff
	}
	place := ""
	if ip := actor.From(ctx).IP; ip != "" {
		place = s.Box.Index("referral.place", ip)
	}
	return insertInvite(ctx, tx, inviteRow{ID: tx.NewID(), InviterID: inviter, InviteeID: memberID, State: StateNew, Place: place, Via: via,
		ExpiresAt: tx.Now.AddDate(0, 0, rules.PayWithinDays).UnixMilli(), CreatedAt: tx.Millis(), UpdatedAt: tx.Millis()})
}

// Bind notes whose code a member types who has just joined. Faults: ErrUnknown, ErrSelf, ErrBound, ErrLate, ErrKnown, ErrOff.
func (s *Service) Bind(ctx context.Context, memberID int64, code string) error {
	plain := plainCode(code)
	if plain == "" {
		return ErrUnknown.On("code", "邀请码是 8 位字母和数字")
	}
	m, err := s.Members.Get(ctx, memberID)
	if err != nil {
		return err
	}
	brought, err := ledger.BroughtBy(ctx, s.db, []int64{memberID})
	if err != nil {
		return err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		inviter, err := s.inviterTx(ctx, tx, plain)
		if err != nil {
			return err
		}
		if inviter == memberID {
			return ErrSelf.On("code", ErrSelf.Message)
		}
		if _, err := inviteOf(ctx, tx, memberID); !errors.Is(err, fault.ErrNotFound) {
			return errors.Join(err, ErrBound)
		}
		if tx.Now.Sub(m.JoinedAt) > bindWithin || !brought[memberID].First.IsZero() {
			return ErrLate
		}
		return s.bindTx(ctx, tx, memberID, plain, "")
	})
	if err != nil {
		return err
	}
	i, err := inviteOf(ctx, s.db, memberID)
	if err != nil {
		return err
	}
	if i, err = s.examine(ctx, i); err != nil {
		return err
	}
	if i.State == StateRejected {
		return ErrKnown
	}
	return nil
}

// Decide is a manager's answer about an invitation: accept a suspect one, or reject one, which takes back what was given. Faults: ErrState, ErrReason,
// fault.ErrNotFound.
func (s *Service) Decide(ctx context.Context, id int64, accept bool, reason string) (Invite, error) {
	reason = strings.TrimSpace(reason)
	if reason == "" && !accept {
		return Invite{}, ErrReason.On("reason", "必填")
	}
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		i, err := inviteByID(ctx, tx, id, tx.ForUpdate())
		if err != nil {
			return err
		}
		from := i.State
		i.Reason, i.DecidedBy = db.Clip(reason, 200), db.Clip(actor.From(ctx).Name, 60)
		action := "referral.accept"
		switch {
		case accept && from == StateSuspect:
			i.State, i.Accepted = StatePending, true
		case accept && (from == StateRewarded || from == StateTakenBack): // seen; it stays as it is
		case !accept && from == StateRewarded:
			if err := s.takeBackTx(ctx, tx, i); err != nil {
				return err
			}
			i.State, action = StateRejected, "referral.reject"
		case !accept && (from == StateSuspect || from == StatePending || from == StateNew || from == StateTakenBack):
			i.State, action = StateRejected, "referral.reject"
		default:
			return ErrState
		}
		if i.State == StateRejected {
			if err := s.unshareTx(ctx, tx, i); err != nil {
				return err
			}
		}
		if err := move(ctx, tx, i, from); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, audit.Entry{Action: action, SubjectKind: "referral", SubjectID: i.ID, SubjectLabel: fmt.Sprintf("会员 %d 邀请会员 %d", i.InviterID, i.InviteeID),
			Detail: map[string]any{"reason": i.Reason, "flags": i.Flags, "was": from}})
	})
	if err != nil {
		return Invite{}, err
	}
	return inviteByID(ctx, s.db, id, "")
}
