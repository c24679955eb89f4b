package member

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/setting"
)

// JoinInput is an application. Either PhoneToken or Phone is given; a typed phone stays unverified.
type JoinInput struct {
	CharterVersion int64         `json:"charterVersion" minimum:"1"`
	PhoneToken     string        `json:"phoneToken,omitempty" maxLength:"600" doc:"From ownerPhoneVerify"`
	Phone          string        `json:"phone,omitempty" maxLength:"24" doc:"Typed and unproved: only where ownerConfig's phoneCode is false"`
	Name           string        `json:"name" maxLength:"60"`
	Gender         string        `json:"gender,omitempty" enum:"male,female,unknown"`
	Birthday       string        `json:"birthday,omitempty" maxLength:"10" doc:"YYYY-MM-DD"`
	Vehicle        *VehicleInput `json:"vehicle,omitempty"`
	InviteCode     string        `json:"inviteCode,omitempty" maxLength:"40" doc:"Of the member who brought this one; a wrong one is no obstacle"`
}

// Joined is the outcome of joining, binding or registering.
type Joined struct {
	Status   string `json:"status" enum:"review,active,suspended,closing,closed,rejected,merged"`
	MemberID int64  `json:"memberId"`
	CardNo   string `json:"cardNo,omitempty" doc:"Absent while the application is under review"`
}

// BindInfo tells a person who proved a phone which member it belongs to.
type BindInfo struct {
	NameMasked   string `json:"nameMasked"`
	CardNoMasked string `json:"cardNoMasked"`
	TierName     string `json:"tierName"`
}

// person is a checked application.
type person struct {
	name, phone, gender, birthday string
	verified                      bool
	vehicle                       *vehicleRow
}

// joinWindow and joinFailures bound how often one identity may probe phones.
const (
	joinWindow   = time.Hour
	joinFailures = 10
)

// Join makes the acting WeChat identity a member. It is idempotent: an identity that joined already gets its member.
// Faults: fault.ErrInvalid at the fields, ErrCharter, ErrPhoneToken, ErrPhoneProof, ErrPhoneTaken (with BindInfo as detail when the
// phone was proved), fault.ErrTooMany.
func (s *Service) Join(ctx context.Context, in JoinInput) (Joined, error) {
	me := actor.From(ctx)
	if me.Kind != actor.Owner {
		return Joined{}, fault.ErrNoSession
	}
	if err := s.throttle(ctx, fmt.Sprintf("join:%d", me.ID), joinFailures); err != nil {
		return Joined{}, err
	}
	p, err := s.applicant(ctx, me.ID, in)
	if err != nil {
		return idem.Or[Joined](ctx, s.db, err)
	}
	review, err := s.settings.Bool(ctx, setting.JoinReview)
	if err != nil {
		return Joined{}, err
	}
	var out Joined
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		j, err := once(ctx, tx, func() (Joined, error) { return s.joinTx(ctx, tx, me.ID, in.CharterVersion, p, review, in.InviteCode) })
		out = j
		return err
	})
	if errors.Is(err, ErrPhoneTaken) {
		return Joined{}, s.phoneTaken(ctx, me.ID, p)
	}
	return out, err
}

// phoneTaken counts the miss and, for a proved phone only, says whom it belongs to.
func (s *Service) phoneTaken(ctx context.Context, identityID int64, p person) error {
	if err := s.count(ctx, fmt.Sprintf("join:%d", identityID), joinWindow); err != nil {
		return err
	}
	if !p.verified {
		return ErrPhoneTaken.On("phone", "这个手机号已经是会员，请用微信验证手机号后绑定，或换一个手机号")
	}
	m, found, err := s.byPhone(ctx, s.db, p.phone, "")
	if err != nil || !found {
		return errors.Join(err, ErrPhoneTaken)
	}
	info, err := s.bindInfo(ctx, m)
	if err != nil {
		return err
	}
	return ErrPhoneTaken.Give(map[string]any{"bind": info})
}

// applicant checks an application. Faults: fault.ErrInvalid, ErrPhoneToken.
func (s *Service) applicant(ctx context.Context, identityID int64, in JoinInput) (p person, err error) {
	var c fault.Complaints
	if in.PhoneToken != "" {
		if p.phone, err = s.readPhoneToken(identityID, in.PhoneToken); err != nil {
			return p, err
		}
		p.verified = true
	} else {
		var ok bool
		if p.phone, ok = NormalPhone(in.Phone); !ok {
			c.Bad("phone", "请填写 11 位手机号")
		} else if codes, err := s.PhoneCodes(ctx); err != nil {
			return p, err
		} else if codes { // what can be proved must be: otherwise anybody learns who is a member
			return p, ErrPhoneProof.On("phone", "请获取短信验证码")
		}
	}
	err = s.fill(ctx, &p, &c, in.Name, in.Gender, in.Birthday, in.Vehicle)
	if err != nil {
		return p, err
	}
	return p, c.First()
}

// fill checks what every way of joining has in common.
func (s *Service) fill(ctx context.Context, p *person, c *fault.Complaints, name, gender, birthday string, v *VehicleInput) error {
	var complaint string
	p.name, complaint = cleanName(name)
	c.Bad("name", complaint)
	p.gender, complaint = cleanGender(gender)
	c.Bad("gender", complaint)
	p.birthday = birthday
	c.Bad("birthday", cleanBirthday(birthday, today(s.db.Now())))
	if v != nil {
		row, err := s.vehicle(ctx, c, "vehicle.", *v)
		if err != nil {
			return err
		}
		p.vehicle = &row
	}
	return nil
}

func (s *Service) joinTx(ctx context.Context, tx *db.Tx, identityID, charter int64, p person, review bool, invite string) (Joined, error) {
	x, err := readIdentity(ctx, tx, identityID, tx.ForUpdate())
	if err != nil {
		return Joined{}, err
	}
	if x.MemberID != nil {
		m, err := s.readMember(ctx, tx, *x.MemberID, tx.ForUpdate())
		if err != nil {
			return Joined{}, err
		}
		if m.Status != StatusRejected {
			return s.joined(ctx, tx, m)
		}
		return s.reapplyTx(ctx, tx, m, charter, p)
	}
	if err := currentCharter(ctx, tx, charter); err != nil {
		return Joined{}, err
	}
	status := StatusActive
	if review {
		status = StatusReview
	}
	m := memberRow{Status: status, CharterVersion: charter, CharterAt: tx.Millis(), CreatedKind: string(actor.Owner), CreatedBy: identityID}
	j, err := s.createTx(ctx, tx, &m, p)
	if err != nil {
		return Joined{}, err
	}
	if err := attachTx(ctx, tx, x, m.ID); err != nil {
		return Joined{}, err
	}
	if invite != "" && s.opt.InvitedTx != nil {
		if err := s.opt.InvitedTx(ctx, tx, m.ID, invite); err != nil {
			return Joined{}, err
		}
	}
	if err := s.attachedTx(ctx, tx, m.ID, x.ID); err != nil {
		return Joined{}, err
	}
	return j, s.recordTx(ctx, tx, "member.join", m, map[string]any{"status": status, "charterVersion": charter, "phoneVerified": p.verified})
}

// reapplyTx turns a refused application into a new one, always for review.
func (s *Service) reapplyTx(ctx context.Context, tx *db.Tx, m memberRow, charter int64, p person) (Joined, error) {
	if err := currentCharter(ctx, tx, charter); err != nil {
		return Joined{}, err
	}
	if err := errors.Join(s.setName(&m, p.name), s.setPhone(&m, p.phone)); err != nil {
		return Joined{}, err
	}
	m.PhoneVerified, m.Gender, m.Birthday, m.Status, m.StatusReason = p.verified, p.gender, p.birthday, StatusReview, ""
	m.CharterVersion, m.CharterAt = charter, tx.Millis()
	if err := s.saveTx(ctx, tx, m); err != nil {
		return Joined{}, err
	}
	if p.vehicle != nil {
		v := *p.vehicle
		v.ID, v.MemberID, v.CreatedAt, v.UpdatedAt = tx.NewID(), m.ID, tx.Millis(), tx.Millis()
		if err := insertVehicleTx(ctx, tx, v); err != nil && !errors.Is(err, ErrVehicleTaken) {
			return Joined{}, err
		}
	}
	return Joined{Status: m.Status, MemberID: m.ID}, s.recordTx(ctx, tx, "member.join", m, map[string]any{"status": m.Status, "again": true})
}

// createTx writes member, first vehicle and, unless under review, the card.
func (s *Service) createTx(ctx context.Context, tx *db.Tx, m *memberRow, p person) (Joined, error) {
	m.ID, m.PhoneVerified, m.Gender, m.Birthday = tx.NewID(), p.verified, p.gender, p.birthday
	m.JoinedAt, m.CreatedAt, m.UpdatedAt = tx.Millis(), tx.Millis(), tx.Millis()
	if err := errors.Join(s.setName(m, p.name), s.setPhone(m, p.phone)); err != nil {
		return Joined{}, err
	}
	if err := tx.Insert(ctx, "member_members", *m); errors.Is(err, db.ErrDuplicate) {
		// Either the phone, which decides between two who join at once, or an id of another instance.
		return Joined{}, s.whichDuplicate(ctx, tx, p.phone, err)
	} else if err != nil {
		return Joined{}, err
	}
	if p.vehicle != nil {
		v := *p.vehicle
		v.ID, v.MemberID, v.CreatedAt, v.UpdatedAt = tx.NewID(), m.ID, tx.Millis(), tx.Millis()
		if err := insertVehicleTx(ctx, tx, v); err != nil {
			return Joined{}, err
		}
	}
	out := Joined{Status: m.Status, MemberID: m.ID}
	if m.Status == StatusActive {
		c, err := issueTx(ctx, tx, m.ID)
		if err != nil {
			return Joined{}, err
		}
		out.CardNo = c.No
	}
	return out, nil
}

func (s *Service) whichDuplicate(ctx context.Context, tx *db.Tx, phone string, cause error) error {
	_, taken, err := s.byPhone(ctx, tx, phone, tx.ForUpdate())
	switch {
	case err != nil:
		return err
	case taken:
		return ErrPhoneTaken
	}
	return fault.ErrUnavailable.With(cause)
}

// joined is the outcome for a member that exists.
func (s *Service) joined(ctx context.Context, r db.Reader, m memberRow) (Joined, error) {
	out := Joined{Status: m.Status, MemberID: m.ID}
	c, err := currentCard(ctx, r, m.ID, "")
	if err == nil {
		out.CardNo = c.No
	} else if !errors.Is(err, ErrNoCard) {
		return Joined{}, err
	}
	return out, nil
}

// NewMember is a registration at the desk.
type NewMember struct {
	StoreID  int64         `json:"storeId" minimum:"1"`
	Phone    string        `json:"phone" maxLength:"24"`
	Name     string        `json:"name" maxLength:"60"`
	Gender   string        `json:"gender,omitempty" enum:"male,female,unknown"`
	Birthday string        `json:"birthday,omitempty" maxLength:"10"`
	Vehicle  *VehicleInput `json:"vehicle,omitempty"`
}

// Register makes a member at the desk; the owner binds WeChat later by proving the phone. It runs once per
// Idempotency-Key of the context. Faults: fault.ErrInvalid, fault.ErrStore, ErrPhoneTaken (detail memberId).
func (s *Service) Register(ctx context.Context, in NewMember) (Joined, error) {
	if !actor.From(ctx).InStore(in.StoreID) {
		return Joined{}, fault.ErrStore
	}
	p, err := s.registrant(ctx, in)
	if err != nil {
		return idem.Or[Joined](ctx, s.db, err)
	}
	var out Joined
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		j, err := once(ctx, tx, func() (Joined, error) { return s.registerTx(ctx, tx, in.StoreID, p) })
		out = j
		return err
	})
	if errors.Is(err, ErrPhoneTaken) {
		m, found, rerr := s.byPhone(ctx, s.db, p.phone, "")
		if rerr != nil {
			return Joined{}, rerr
		}
		if found {
			return Joined{}, ErrPhoneTaken.Say("这个手机号已经是会员，请直接查找该会员").On("phone", "已是会员").Give(map[string]any{"memberId": m.ID})
		}
	}
	return out, err
}

func (s *Service) registrant(ctx context.Context, in NewMember) (p person, err error) {
	var c fault.Complaints
	var ok bool
	if p.phone, ok = NormalPhone(in.Phone); !ok {
		c.Bad("phone", "请填写 11 位手机号")
	}
	if err = s.fill(ctx, &p, &c, in.Name, in.Gender, in.Birthday, in.Vehicle); err != nil {
		return p, err
	}
	return p, c.First()
}

func (s *Service) registerTx(ctx context.Context, tx *db.Tx, storeID int64, p person) (Joined, error) {
	who := actor.From(ctx)
	m := memberRow{Status: StatusActive, StoreID: storeID, CreatedKind: string(who.Kind), CreatedBy: who.ID}
	j, err := s.createTx(ctx, tx, &m, p)
	if err != nil {
		return Joined{}, err
	}
	return j, s.recordTx(ctx, tx, "member.register", m, map[string]any{"storeId": storeID})
}

// recordTx writes the trail of something that happened to a member.
func (s *Service) recordTx(ctx context.Context, tx *db.Tx, action string, m memberRow, detail map[string]any) error {
	return audit.RecordTx(ctx, tx, audit.Entry{Action: action, SubjectKind: "member", SubjectID: m.ID, SubjectLabel: s.label(m), StoreID: m.StoreID, Detail: detail})
}

// throttle refuses when a bucket holds too many failures. Fault: fault.ErrTooMany.
func (s *Service) throttle(ctx context.Context, bucket string, limit int64) error {
	n, err := failures(ctx, s.db, bucket, s.db.Now().UnixMilli())
	if err != nil {
		return err
	}
	if n >= limit {
		return fault.ErrTooMany.Say("尝试次数太多，请一小时后再试，或联系门店")
	}
	return nil
}

func (s *Service) count(ctx context.Context, bucket string, window time.Duration) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return failTx(ctx, tx, bucket, window.Milliseconds()) })
}
