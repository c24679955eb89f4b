package member

import (
	"context"
	"crypto/hmac"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/secret"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/sms"
)

// A code by text message proves a phone where WeChat's own component is not there or has used up its quota. Each one
// costs the shop money and bothers whoever owns the number, so it is counted before it is sent (N35).
const (
	codeLife   = 5 * time.Minute
	codeResend = time.Minute
	codeTries  = 5

	codesPerPhone    = 5  // a day
	codesPerAddress  = 20 // a day: many people share a carrier's address
	codesPerIdentity = 10 // a day
)

// Texts sends text messages.
type Texts interface {
	Send(ctx context.Context, m sms.Message) (bizID string, err error)
}

// textRules are what the shop set up for codes.
type textRules struct {
	template, sign string
	minutes        bool // the template has a second value: for how many minutes the code is good
	limit          int64
}

// textRules reads the settings; ready is false where the shop sends no codes.
func (s *Service) textRules(ctx context.Context) (r textRules, ready bool, err error) {
	if s.opt.Texts == nil {
		return r, false, nil
	}
	if r.template, err = s.settings.Text(ctx, setting.SMSCodeTemplate); err != nil || r.template == "" {
		return r, false, err
	}
	if r.sign, err = s.settings.Text(ctx, setting.SMSSign); err != nil {
		return r, false, err
	}
	form, err := s.settings.Text(ctx, setting.SMSCodeForm)
	if err != nil {
		return r, false, err
	}
	r.minutes = form == setting.SMSCodeMinutes
	r.limit, err = s.settings.Int(ctx, setting.SMSDailyLimit)
	return r, true, err
}

// PhoneCodes says whether a phone can be proved by a text message. Where it can, a typed phone alone is no longer taken.
func (s *Service) PhoneCodes(ctx context.Context) (bool, error) {
	_, ready, err := s.textRules(ctx)
	return ready, err
}

// bucket is one counter that a code must pass.
type bucket struct {
	name   string
	window time.Duration
	limit  int64
	say    string // to whom it happens
}

func (s *Service) codeBuckets(who actor.Actor, phone, day string, limit int64) []bucket {
	const later = "这个手机号今天收的验证码已经够多，请明天再试，或联系门店"
	ix := s.PhoneIndex(phone)
	return []bucket{
		{"sms:1:" + ix, codeResend, 1, "验证码刚刚发过，请一分钟后再试"},
		{"sms:p:" + day + ":" + ix, 24 * time.Hour, codesPerPhone, later},
		{"sms:a:" + day + ":" + s.box.Index("member.address", actor.Network(who.IP)), 24 * time.Hour, codesPerAddress, "您所在的网络今天获取的验证码太多，请明天再试，或联系门店"},
		{fmt.Sprintf("sms:i:%s:%d", day, who.ID), 24 * time.Hour, codesPerIdentity, "您今天获取的验证码太多，请明天再试，或联系门店"},
		{shopBucket(day), 24 * time.Hour, limit, "短信验证暂时不可用，请稍后再试，或联系门店"},
	}
}

func shopBucket(day string) string { return "sms:s:" + day }

// CodeSent says when to ask again and how long the code is good.
type CodeSent struct{ Wait, Life time.Duration }

// SendPhoneCode sends a code to a phone, whoever's it is: nothing here tells a member's from a stranger's. It is counted
// first and sent outside any transaction. Faults: fault.ErrInvalid, fault.ErrTooMany, ErrNoTexts, ErrTextFailed.
func (s *Service) SendPhoneCode(ctx context.Context, typed string) (CodeSent, error) {
	me := actor.From(ctx)
	if me.Kind != actor.Owner {
		return CodeSent{}, fault.ErrNoSession
	}
	phone, ok := NormalPhone(typed)
	if !ok {
		return CodeSent{}, fault.ErrInvalid.Say("请填写 11 位手机号").On("phone", "请填写 11 位手机号")
	}
	rules, ready, err := s.textRules(ctx)
	if err != nil {
		return CodeSent{}, err
	}
	if !ready {
		return CodeSent{}, ErrNoTexts
	}
	code := secret.Digits(6)
	var id int64
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := s.countCodeTx(ctx, tx, me, phone, rules.limit); err != nil {
			return err
		}
		row := phoneCodeRow{ID: tx.NewID(), IdentityID: me.ID, PhoneIndex: s.PhoneIndex(phone), CodeHash: s.codeHash(me.ID, phone, code),
			CreatedAt: tx.Millis(), ExpiresAt: tx.Now.Add(codeLife).UnixMilli()}
		id = row.ID
		return putPhoneCodeTx(ctx, tx, row)
	})
	if err != nil {
		return CodeSent{}, err
	}
	m := sms.Message{Phone: phone, TemplateID: rules.template, Sign: rules.sign, Params: []sms.Param{{Name: "code", Value: code}}, Ref: strconv.FormatInt(id, 10)}
	if rules.minutes {
		m.Params = append(m.Params, sms.Param{Name: "minutes", Value: strconv.Itoa(int(codeLife.Minutes()))})
	}
	_, err = s.opt.Texts.Send(ctx, m)
	return CodeSent{codeResend, codeLife}, s.textFault(err)
}

// countCodeTx takes one from every counter or from none. Fault: fault.ErrTooMany.
func (s *Service) countCodeTx(ctx context.Context, tx *db.Tx, who actor.Actor, phone string, limit int64) error {
	day := today(tx.Now)
	for _, b := range s.codeBuckets(who, phone, day, limit) {
		n, err := takeTx(ctx, tx, b.name, b.window.Milliseconds(), b.limit)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.ErrTooMany.Say("%s", b.say)
		}
		if b.name == shopBucket(day) && n == limit { // once a day: it stands in the trail, and the console shows it
			return audit.RecordTx(actor.With(ctx, actor.Job("短信验证码")), tx, audit.Entry{Action: "sms.limit", SubjectKind: "setting", SubjectLabel: "短信验证码每日上限", Detail: map[string]any{"limit": limit, "day": day}})
		}
	}
	return nil
}

// textFault is what the owner sees of a provider's error. One that may have been sent counts as sent: the owner waits, and
// may ask again after a minute.
func (s *Service) textFault(err error) error {
	switch class := sms.ClassOf(err); {
	case err == nil:
		return nil
	case class == sms.NotConfigured:
		return ErrNoTexts.With(err)
	case sms.Uncertain(err):
		s.log().Warn("a text message may not have been sent", "err", err)
		return nil
	case class == sms.Limited:
		s.log().Warn("the SMS provider asks to wait", "err", err)
		return fault.ErrTooMany.Say("短信发送太频繁，请稍后再试，或联系门店").With(err)
	default:
		s.log().Error("a text message was not sent", "err", err)
		return ErrTextFailed.With(err)
	}
}

// codeHash is what is kept of a code: keyed, because six digits are quickly tried.
func (s *Service) codeHash(identityID int64, phone, code string) string {
	return s.box.Index("member.phone_code", fmt.Sprintf("%d|%s|%s", identityID, phone, code))
}

// VerifyPhoneCode exchanges a code for the token that VerifyPhone gives. A code is good for one identity, once, for five
// minutes and five tries. Faults: fault.ErrInvalid at code or phone, ErrPhoneCode (detail left), ErrPhoneCodeOver.
func (s *Service) VerifyPhoneCode(ctx context.Context, typed, code string) (Proved, error) {
	me := actor.From(ctx)
	if me.Kind != actor.Owner {
		return Proved{}, fault.ErrNoSession
	}
	var c fault.Complaints
	phone, ok := NormalPhone(typed)
	if !ok {
		c.Bad("phone", "请填写 11 位手机号")
	}
	code = strings.Join(strings.Fields(code), "")
	if len(code) != 6 || !allDigits(code) {
		c.Bad("code", "请填写短信里的 6 位数字")
	}
	if err := c.First(); err != nil {
		return Proved{}, err
	}
	left, right := int64(-1), false
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		left, right = -1, false
		row, ok, err := tryPhoneCodeTx(ctx, tx, me.ID, s.PhoneIndex(phone))
		if err != nil || !ok {
			return err
		}
		left = codeTries - row.Tries
		if right = hmac.Equal([]byte(row.CodeHash), []byte(s.codeHash(me.ID, phone, code))); !right {
			return nil // the try stays counted
		}
		return usePhoneCodeTx(ctx, tx, row.ID)
	})
	switch {
	case err != nil:
		return Proved{}, err
	case right:
		return s.proved(ctx, me, phone)
	case left > 0:
		return Proved{}, ErrPhoneCode.Say("验证码不对，还可以试 %d 次", left).On("code", "验证码不对").Give(map[string]any{"left": left})
	}
	return Proved{}, ErrPhoneCodeOver.On("code", "验证码已失效，请重新获取")
}

// CodeUse is how many codes went out on one day.
type CodeUse struct {
	Ready     bool
	Day       string
	Sent      int64
	Limit     int64
	Exhausted bool
}

// CodeUse counts today's codes for the console.
func (s *Service) CodeUse(ctx context.Context) (CodeUse, error) {
	rules, ready, err := s.textRules(ctx)
	if err != nil {
		return CodeUse{}, err
	}
	if rules.limit, err = s.settings.Int(ctx, setting.SMSDailyLimit); err != nil {
		return CodeUse{}, err
	}
	out := CodeUse{Ready: ready, Day: today(s.db.Now()), Limit: rules.limit}
	out.Sent, err = failures(ctx, s.db, shopBucket(out.Day), s.db.Now().UnixMilli())
	out.Exhausted = out.Sent >= out.Limit
	return out, err
}
