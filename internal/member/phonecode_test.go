package member

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/sms"
	"github.com/liangche/liangche/internal/wechat"
)

// drawer keeps text messages instead of sending them.
type drawer struct {
	mu   sync.Mutex
	sent []sms.Message
	fail error
}

func (d *drawer) Send(_ context.Context, m sms.Message) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return "", d.fail
	}
	d.sent = append(d.sent, m)
	return fmt.Sprint(len(d.sent)), nil
}

// last is the code of the newest message to a phone.
func (d *drawer) last(phone string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := len(d.sent) - 1; i >= 0; i-- {
		if d.sent[i].Phone == phone {
			return d.sent[i].Params[0].Value
		}
	}
	return ""
}

// texting is a world whose shop sends codes.
func texting(t *testing.T) (*world, *drawer) {
	w, d := newWorld(t), &drawer{}
	w.opt.Texts, w.opt.TextProvider = d, "tencent"
	w.set(setting.SMSCodeTemplate, "1000001")
	return w, d
}

func (w *world) set(key string, value any) {
	w.t.Helper()
	must(w.t, w.settings.Update(actor.With(w.t.Context(), actor.Job("test")), []setting.Value{{Key: key, Value: value}}))
}

// from is ctx as seen from another address.
func from(ctx context.Context, ip string) context.Context {
	a := actor.From(ctx)
	a.IP = ip
	return actor.With(ctx, a)
}

const mobile = "13800138000"

func TestPhoneCode(t *testing.T) {
	w, d := texting(t)
	ctx := w.person()
	sent, err := w.SendPhoneCode(ctx, "+86 138-0013-8000")
	must(t, err)
	code := d.last(mobile)
	if sent.Wait != time.Minute || sent.Life != 5*time.Minute || len(code) != 6 || len(d.sent[0].Params) != 2 || d.sent[0].Params[1].Value != "5" || d.sent[0].TemplateID != "1000001" {
		t.Fatalf("%+v %+v", sent, d.sent)
	}
	var kept []string
	must(t, w.db.Select(ctx, &kept, `SELECT code_hash FROM member_phone_codes`))
	if len(kept) != 1 || strings.Contains(kept[0], code) {
		t.Errorf("kept %v", kept)
	}
	other := w.person()
	if _, err := w.VerifyPhoneCode(other, mobile, code); !errors.Is(err, ErrPhoneCodeOver) {
		t.Errorf("another identity: %v", err)
	}
	if _, err := w.VerifyPhoneCode(ctx, "13800138001", code); !errors.Is(err, ErrPhoneCodeOver) {
		t.Errorf("another phone: %v", err)
	}
	p, err := w.VerifyPhoneCode(ctx, mobile, " "+code[:3]+" "+code[3:])
	must(t, err)
	j, err := w.Join(ctx, JoinInput{CharterVersion: 1, PhoneToken: p.Token, Name: "王小明"})
	must(t, err)
	if m, err := w.Get(ctx, j.MemberID); err != nil || m.Phone != mobile || !m.PhoneVerified || p.Taken {
		t.Errorf("%+v %v", m, err)
	}
	if _, err := w.VerifyPhoneCode(ctx, mobile, code); !errors.Is(err, ErrPhoneCodeOver) {
		t.Errorf("used twice: %v", err)
	}
	// What it proves binds and says whose it is, after the proof only.
	w.clk.Advance(time.Minute)
	_, err = w.SendPhoneCode(other, mobile)
	must(t, err)
	p, err = w.VerifyPhoneCode(other, mobile, d.last(mobile))
	must(t, err)
	if !p.Taken || p.Bind == nil || p.Bind.NameMasked != "王**" {
		t.Errorf("%+v", p)
	}
	if b, err := w.Bind(other, p.Token, 1); err != nil || b.MemberID != j.MemberID {
		t.Errorf("%+v %v", b, err)
	}
}

func TestPhoneCodeEnds(t *testing.T) {
	w, d := texting(t)
	ctx := w.person()
	send := func() string {
		t.Helper()
		_, err := w.SendPhoneCode(ctx, mobile)
		must(t, err)
		return d.last(mobile)
	}
	wrong := func(code string) string {
		if code == "000000" {
			return "000001"
		}
		return "000000"
	}
	code := send()
	for i := range 5 {
		_, err := w.VerifyPhoneCode(ctx, mobile, wrong(code))
		if i < 4 {
			f := wants(t, err, ErrPhoneCode)
			if f.Detail.(map[string]any)["left"] != int64(4-i) || f.Fields[0].Field != "code" {
				t.Errorf("%+v", f)
			}
		} else {
			wants(t, err, ErrPhoneCodeOver)
		}
	}
	if _, err := w.VerifyPhoneCode(ctx, mobile, code); !errors.Is(err, ErrPhoneCodeOver) {
		t.Errorf("after five wrong ones: %v", err)
	}
	w.clk.Advance(time.Minute)
	code = send()
	w.clk.Advance(5 * time.Minute)
	if _, err := w.VerifyPhoneCode(ctx, mobile, code); !errors.Is(err, ErrPhoneCodeOver) {
		t.Errorf("after five minutes: %v", err)
	}
	first := send()
	w.clk.Advance(time.Minute)
	second := send()
	if first != second {
		if _, err := w.VerifyPhoneCode(ctx, mobile, first); !errors.Is(err, ErrPhoneCode) {
			t.Errorf("the earlier one: %v", err)
		}
	}
	if _, err := w.VerifyPhoneCode(ctx, mobile, second); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "12345", "1234567", "12345a", "１２３４５６", "12 34"} {
		_, err := w.VerifyPhoneCode(ctx, mobile, bad)
		wantsField(t, err, "code")
	}
	for _, bad := range []string{"", "1380013800", "010-12345678", "+1 202 555 0100", "23800138000"} {
		_, err := w.SendPhoneCode(ctx, bad)
		wantsField(t, err, "phone")
	}
}

// SMS bombing cost a shop 20,000 yuan in a night: limits per phone, address, identity and shop, whoever asks how fast.
func TestN35TextMessagesAreLimited(t *testing.T) {
	w, d := texting(t)
	tooMany := func(ctx context.Context, phone, what string) {
		t.Helper()
		n := len(d.sent)
		if _, err := w.SendPhoneCode(ctx, phone); !errors.Is(err, fault.ErrTooMany) {
			t.Errorf("%s: %v", what, err)
		}
		if len(d.sent) != n {
			t.Errorf("%s: it was sent", what)
		}
	}
	fine := func(ctx context.Context, phone string) {
		t.Helper()
		if _, err := w.SendPhoneCode(ctx, phone); err != nil {
			t.Fatal(err)
		}
	}
	// A phone: one a minute, five a day, from wherever.
	for i := range 5 {
		ctx := from(w.person(), fmt.Sprintf("10.0.1.%d", i))
		fine(ctx, mobile)
		tooMany(from(w.person(), fmt.Sprintf("10.0.2.%d", i)), mobile, "within the minute")
		w.clk.Advance(time.Minute)
	}
	tooMany(from(w.person(), "10.0.3.1"), mobile, "the sixth of the day")
	// An identity: ten a day. A refusal takes nothing from the other counters.
	one := from(w.person(), "10.0.4.1")
	for i := range 10 {
		fine(one, fmt.Sprintf("1390000%04d", i))
	}
	tooMany(one, "13900009999", "the identity's eleventh")
	fine(from(w.person(), "10.0.4.1"), "13900009999") // address 11
	// An address: twenty a day, and an IPv6 line is one address.
	for i := range 9 {
		fine(from(w.person(), "10.0.4.1"), fmt.Sprintf("1391000%04d", i))
	}
	tooMany(from(w.person(), "10.0.4.1"), "13920000000", "the address's twenty-first")
	for i := range 20 {
		fine(from(w.person(), fmt.Sprintf("2001:db8:1:2::%x", i+1)), fmt.Sprintf("1393000%04d", i))
	}
	tooMany(from(w.person(), "2001:db8:1:2:ffff::1"), "13940000000", "the line's twenty-first")
	// The shop: the setting, with an entry in the trail.
	sent := len(d.sent)
	w.set(setting.SMSDailyLimit, sent+1)
	fine(from(w.person(), "10.0.5.1"), "13950000000")
	tooMany(from(w.person(), "10.0.5.2"), "13950000001", "the shop's daily limit")
	u, err := w.CodeUse(t.Context())
	must(t, err)
	if !u.Exhausted || u.Sent != int64(sent+1) || !u.Ready {
		t.Errorf("%+v", u)
	}
	var alarms int
	must(t, w.db.Get(t.Context(), &alarms, `SELECT COUNT(*) FROM audit_log WHERE action = 'sms.limit'`))
	if alarms != 1 {
		t.Errorf("%d alarms", alarms)
	}
	// Another day starts anew.
	w.clk.Advance(24 * time.Hour)
	fine(from(w.person(), "10.0.4.1"), mobile)
}

// Fifty at once: one message.
func TestN35OneMessageForFiftyAtOnce(t *testing.T) {
	w, d := texting(t)
	var wg sync.WaitGroup
	ctxs := make([]context.Context, 50)
	for i := range ctxs {
		ctxs[i] = from(w.person(), fmt.Sprintf("10.1.0.%d", i))
	}
	var ok, refused int
	var mu sync.Mutex
	for _, ctx := range ctxs {
		wg.Go(func() {
			_, err := w.SendPhoneCode(ctx, mobile)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				ok++
			case errors.Is(err, fault.ErrTooMany):
				refused++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if ok != 1 || refused != 49 || len(d.sent) != 1 {
		t.Errorf("%d sent, %d refused, %d messages", ok, refused, len(d.sent))
	}
}

func TestPhoneCodeUsedTwiceAtOnce(t *testing.T) {
	w, d := texting(t)
	ctx := w.person()
	_, err := w.SendPhoneCode(ctx, mobile)
	must(t, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	ok := 0
	for range 4 {
		wg.Go(func() {
			if _, err := w.VerifyPhoneCode(ctx, mobile, d.last(mobile)); err == nil {
				mu.Lock()
				ok++
				mu.Unlock()
			} else if !errors.Is(err, ErrPhoneCodeOver) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if ok != 1 {
		t.Errorf("good %d times", ok)
	}
}

// The provider's trouble: what certainly did not leave is an error, what may have left is not; both are counted.
func TestPhoneCodeProviderTrouble(t *testing.T) {
	w, d := texting(t)
	for _, x := range []struct {
		err  *sms.Error
		want *fault.Error
	}{
		{&sms.Error{Class: sms.Unavailable}, ErrTextFailed}, {&sms.Error{Class: sms.Rejected, Code: "x"}, ErrTextFailed}, {&sms.Error{Class: sms.Limited}, fault.ErrTooMany},
		{&sms.Error{Class: sms.NotConfigured}, ErrNoTexts}, {&sms.Error{Class: sms.Unavailable, Uncertain: true}, nil},
	} {
		d.fail = x.err
		_, err := w.SendPhoneCode(w.person(), mobile)
		if x.want == nil && err != nil || x.want != nil && !errors.Is(err, x.want) {
			t.Errorf("%v: %v", x.err, err)
		}
		d.fail = nil
		if _, err := w.SendPhoneCode(w.person(), mobile); !errors.Is(err, fault.ErrTooMany) {
			t.Errorf("%v was not counted: %v", x.err, err)
		}
		w.clk.Advance(time.Minute)
	}
}

// Nothing tells a member's phone from a stranger's before it is proved, and where codes exist a typed phone is not taken.
func TestPhoneCodeTellsNobody(t *testing.T) {
	w, d := texting(t)
	_, j := w.member(mobile)
	for _, phone := range []string{mobile, "13800138001"} {
		ctx := w.person()
		a, err := w.SendPhoneCode(ctx, phone)
		must(t, err)
		if a.Wait != time.Minute || a.Life != 5*time.Minute {
			t.Errorf("%s: %+v", phone, a)
		}
		_, err = w.Join(ctx, JoinInput{CharterVersion: 1, Phone: phone, Name: "李雷"})
		f := wants(t, err, ErrPhoneProof)
		if f.Detail != nil || f.Fields[0].Field != "phone" {
			t.Errorf("%+v", f)
		}
		_, err = w.BindOldCard(ctx, "12345678", w.phoneToken(ctx, phone), 1)
		wants(t, err, ErrOldCard)
	}
	if len(d.sent) != 2 || j.MemberID == 0 {
		t.Errorf("%+v", d.sent)
	}
	// Without a provider or a template the typed phone stays.
	w.set(setting.SMSCodeTemplate, "")
	ctx := w.person()
	if _, err := w.SendPhoneCode(ctx, "13800138002"); !errors.Is(err, ErrNoTexts) {
		t.Error(err)
	}
	if _, err := w.Join(ctx, JoinInput{CharterVersion: 1, Phone: "13800138002", Name: "李雷"}); err != nil {
		t.Error(err)
	}
}

func TestUnionIDLearntLater(t *testing.T) {
	w := newWorld(t)
	mini, j := w.member(mobile)
	oa := w.login(wechat.Identity{App: AppOfficial, OpenID: "o-oa-x", UnionID: "u1"})
	if actor.From(oa).MemberID != 0 {
		t.Fatal("nobody knows yet")
	}
	x := identityOf(t, w, mini)
	x.UnionID = "u1"
	w.login(x) // WeChat names the person at the mini-program only now
	if got := actor.From(w.again(oa)).MemberID; got != j.MemberID {
		t.Errorf("member %d, want %d", got, j.MemberID)
	}
}
