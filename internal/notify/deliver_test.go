package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/sms"
	"github.com/liangche/liangche/internal/wechat"
)

// gateway is an SMS provider that answers as scripted.
type gateway struct {
	mu     sync.Mutex
	answer func(m sms.Message) error
	sent   []sms.Message
}

func (g *gateway) Send(_ context.Context, m sms.Message) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.answer != nil {
		if err := g.answer(m); err != nil {
			return "", err
		}
	}
	g.sent = append(g.sent, m)
	return "biz", nil
}

// phones are members with a verified number; their store is 7.
type phones map[int64]string

func (p phones) Phone(_ context.Context, id int64) (string, error) { return p[id], nil }
func (p phones) Place(context.Context, int64) (int64, string, error) {
	return 7, "Asia/Shanghai", nil
}
func (p phones) Contacts(_ context.Context, ids []int64) (map[int64]Contact, error) {
	out := map[int64]Contact{}
	for _, id := range ids {
		out[id] = Contact{"王*", "138****0001"}
	}
	return out, nil
}

// wide is a shop with every channel: templates for Topup and CarReady on all three, for CouponExpiring on two.
func wide(t *testing.T, dir people, numbers phones) (fixture, *gateway) {
	t.Helper()
	f := setUp(t, dir)
	g := &gateway{}
	f.s.opt.SMS, f.s.opt.People = g, numbers
	f.s.opt.SaveSettings = func(_ context.Context, _ *db.Tx, values []setting.Value) error {
		for _, v := range values {
			switch x := v.Value.(type) {
			case string:
				f.set.texts[v.Key] = x
			case int:
				f.set.ints[v.Key] = int64(x)
			}
		}
		return nil
	}
	f.s.opt.OfficialTemplates = map[string]TemplateConfig{}
	for _, e := range []string{Topup, CarReady, CouponExpiring, Birthday} {
		f.s.opt.Templates[e] = TemplateConfig{ID: "tmpl-" + e, Fields: map[string]string{"thing1": "title"}}
		f.s.opt.OfficialTemplates[e] = TemplateConfig{ID: "oa-" + e, Fields: map[string]string{"thing1": "title"}}
		f.save(t, Template{Channel: TextMessage, Event: e, ID: "SMS_" + e, Fields: []Field{{Key: "what", From: "title"}, {Key: "at", From: "time"}}})
	}
	f.rule(t, Rule{Event: Topup, On: true, SMS: true})
	return f, g
}

func manager(ctx context.Context) context.Context {
	return actor.With(ctx, actor.Actor{Kind: actor.Staff, ID: 9, Name: "店长", AllStores: true})
}

func (f fixture) save(t *testing.T, tm Template) {
	t.Helper()
	if err := f.s.SaveTemplate(manager(t.Context()), tm); err != nil {
		t.Fatal(err)
	}
}

func (f fixture) rule(t *testing.T, r ...Rule) {
	t.Helper()
	if err := f.s.SaveRules(manager(t.Context()), r); err != nil {
		t.Fatal(err)
	}
}

func (f fixture) audit(t *testing.T) {
	t.Helper()
	if err := f.s.Audit(t.Context(), func(p string) { t.Error(p) }); err != nil {
		t.Fatal(err)
	}
}

func msg(member int64, event, key string) Message {
	return Message{MemberID: member, Event: event, Dedupe: key, Page: "pages/home/index", Data: map[string]string{"title": "充值", "time": "2026-11-18T02:00:00Z"}}
}

// X04: grant, follower's template, SMS, call list, out of reach, in that order.
func TestN24MessageTakesTheFirstWayThatReaches(t *testing.T) {
	dir := people{
		1: {{App: MiniProgram, OpenID: "mp1"}, {App: OfficialAccount, OpenID: "oa1", Following: true}},
		2: {{App: OfficialAccount, OpenID: "oa2", Following: true}},
		3: {{App: MiniProgram, OpenID: "mp3"}, {App: OfficialAccount, OpenID: "oa3"}}, // does not follow
		4: {{App: OfficialAccount, OpenID: "oa4"}},
	}
	f, g := wide(t, dir, phones{1: "13800000001", 2: "13800000002", 3: "13800000003"})
	f.accept(t, 1, "tmpl-topup", 1)
	for m := range int64(4) {
		f.enqueue(t, msg(m+1, Topup, fmt.Sprint("a:", m+1)))
	}
	f.enqueue(t, msg(4, CarReady, "car:4"))
	f.drain(t)
	want := map[string][2]string{"a:1": {Sent, MiniProgram}, "a:2": {Sent, OfficialAccount}, "a:3": {Sent, TextMessage}, "a:4": {Unreachable, ""}, "car:4": {Unreachable, ""}}
	for key, w := range want {
		if m := f.state(t, key); m.State != w[0] || m.Channel != w[1] {
			t.Errorf("%s: %s by %q, want %v (%s)", key, m.State, m.Channel, w, m.Detail)
		}
	}
	for _, m := range f.wx.sent {
		if !strings.HasPrefix(m.OpenID, "mp") {
			t.Errorf("the mini-program got %s", m.OpenID)
		}
	}
	for _, m := range f.wx.sentOA {
		if m.OpenID != "oa2" {
			t.Errorf("the official account got %s", m.OpenID)
		}
	}
	if len(g.sent) != 1 || g.sent[0].Phone != "13800000003" || g.sent[0].Params[1].Value != "11月18日10:00" || g.sent[0].TemplateID != "SMS_topup" {
		t.Errorf("%+v", g.sent)
	}
	calls, _, err := f.s.Calls(manager(t.Context()), CallOpen, 0, 10)
	if err != nil || len(calls) != 1 || calls[0].MemberID != 4 || calls[0].Event != CarReady || !strings.Contains(calls[0].Reason, "没有关注公众号") {
		t.Fatalf("%+v, %v", calls, err)
	}
	elsewhere := actor.With(t.Context(), actor.Actor{Kind: actor.Staff, ID: 5, Stores: []int64{8}})
	if other, _, err := f.s.Calls(elsewhere, CallOpen, 0, 10); err != nil || len(other) != 0 {
		t.Errorf("another store sees %+v, %v", other, err)
	}
	if err := f.s.EndCall(elsewhere, calls[0].ID, CallDone, ""); err == nil {
		t.Error("another store ended the call")
	}
	if err := f.s.EndCall(manager(t.Context()), calls[0].ID, CallDone, "已告知，下午来取"); err != nil {
		t.Fatal(err)
	}
	if err := f.s.EndCall(manager(t.Context()), calls[0].ID, CallDone, ""); !errors.Is(err, ErrCallDone) {
		t.Errorf("ended twice: %v", err)
	}
	if m := f.state(t, "car:4"); m.State != Called {
		t.Errorf("%+v", m)
	}
	f.audit(t)
}

// N29: WeChat is down for hours; nothing is lost, nothing is sent twice, and the workers are not kept busy by it.
func TestN29AnHourWithoutWeChatLosesAndDoublesNothing(t *testing.T) {
	f := setUp(t, people{1: {{App: MiniProgram, OpenID: "mp-1"}}})
	f.accept(t, 1, "tmpl-topup", 60)
	down := true
	f.wx.answer = func(wechat.SubscribeMessage) error {
		if down {
			return &wechat.Error{Class: wechat.Unavailable}
		}
		return nil
	}
	for i := range 50 {
		f.enqueue(t, msg(1, Topup, fmt.Sprint("t:", i)))
	}
	for range 150 { // two and a half hours
		f.drain(t)
		f.clk.Advance(time.Minute)
	}
	calls := f.wx.calls
	if calls == 0 || calls > 400 {
		t.Errorf("%d calls while nobody answered", calls)
	}
	down = false
	for range 90 {
		f.drain(t)
		f.clk.Advance(time.Minute)
	}
	seen := map[string]int{}
	var states []string
	if err := f.d.Select(t.Context(), &states, `SELECT state FROM notify_messages`); err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		seen[s]++
	}
	if seen[Sent] != 50 || len(f.wx.sent) != 50 || f.left(t, 1, "tmpl-topup") != 10 {
		t.Errorf("%v, %d sent, %d grants left of 60", seen, len(f.wx.sent), f.left(t, 1, "tmpl-topup"))
	}
	f.audit(t)
}

func TestUnansweredCallThatWasTakenIsNotRepeatedElsewhere(t *testing.T) {
	f, g := wide(t, people{1: {{App: MiniProgram, OpenID: "mp1"}, {App: OfficialAccount, OpenID: "oa1", Following: true}}}, phones{1: "13800000001"})
	f.accept(t, 1, "tmpl-topup", 1)
	f.wx.answer = func(wechat.SubscribeMessage) error { return errors.New("EOF") } // WeChat took it, the answer was lost
	f.enqueue(t, msg(1, Topup, "x"))
	for range 5 {
		f.drain(t)
		f.clk.Advance(time.Minute)
	}
	if m := f.state(t, "x"); m.State != Failed || !strings.Contains(m.Detail, "不确定") || f.wx.calls != 1 || len(f.wx.sentOA) != 0 || len(g.sent) != 0 {
		t.Errorf("%+v, %d, %d", m, len(f.wx.sentOA), len(g.sent))
	}
}

func TestDeadAfterManyTriesAndSentAgainByHand(t *testing.T) {
	f := setUp(t, people{1: {{App: MiniProgram, OpenID: "mp-1"}}})
	f.accept(t, 1, "tmpl-topup", 1)
	down := true
	f.wx.answer = func(wechat.SubscribeMessage) error {
		if down {
			return &wechat.Error{Class: wechat.Unavailable}
		}
		return nil
	}
	f.enqueue(t, msg(1, Topup, "x"))
	start := f.d.Now()
	for range 24 * 60 {
		f.drain(t)
		f.clk.Advance(time.Minute)
		if f.state(t, "x").State == Dead {
			break
		}
	}
	if m, after := f.state(t, "x"), f.d.Now().Sub(start); m.State != Dead || after < 3*time.Hour {
		t.Fatalf("%+v after %s", m, after)
	}
	down = false
	id := f.state(t, "x").ID
	if err := f.s.Resend(manager(t.Context()), []int64{id, id}); err != nil {
		t.Fatal(err)
	}
	if err := f.s.Resend(manager(t.Context()), []int64{id}); !errors.Is(err, ErrState) {
		t.Errorf("resent while it is on its way: %v", err)
	}
	f.clk.Advance(10 * time.Minute) // beyond the brake
	f.drain(t)
	if m := f.state(t, "x"); m.State != Sent || len(f.wx.sent) != 1 {
		t.Errorf("%+v", m)
	}
	f.audit(t)
}

func TestQuotaOfTheDayHoldsWhatCanWait(t *testing.T) {
	f, g := wide(t, people{1: {{App: OfficialAccount, OpenID: "oa1", Following: true}}}, phones{1: "13800000001"})
	used := true
	f.wx.template = func(wechat.TemplateMessage) error {
		if used {
			return &wechat.Error{Class: wechat.Quota, Code: "45009"}
		}
		return nil
	}
	f.enqueue(t, msg(1, CouponExpiring, "wait"))
	f.enqueue(t, msg(1, Topup, "now")) // urgent: the next way
	f.drain(t)
	if m := f.state(t, "now"); m.State != Sent || m.Channel != TextMessage || len(g.sent) != 1 {
		t.Errorf("%+v", m)
	}
	m := f.state(t, "wait")
	if m.State != Held || time.UnixMilli(m.DueAt).In(time.FixedZone("", 8*3600)).Format("15:04") != "00:01" {
		t.Errorf("%+v", m)
	}
	used = false
	f.clk.Advance(30 * time.Hour)
	f.drain(t)
	if m := f.state(t, "wait"); m.State != Sent {
		t.Errorf("%+v", m)
	}
	f.audit(t)
}

func TestTemplateDeletedAtWeChatIsMarkedAndPassedOver(t *testing.T) {
	f, _ := wide(t, people{1: {{App: MiniProgram, OpenID: "mp1"}, {App: OfficialAccount, OpenID: "oa1", Following: true}}}, phones{})
	f.accept(t, 1, "tmpl-topup", 3)
	f.wx.answer = func(wechat.SubscribeMessage) error { return &wechat.Error{Class: wechat.Rejected, Code: "40037"} }
	f.enqueue(t, msg(1, Topup, "a"))
	f.drain(t)
	f.enqueue(t, msg(1, Topup, "b"))
	f.drain(t)
	if f.state(t, "a").Channel != OfficialAccount || f.state(t, "b").Channel != OfficialAccount || f.wx.calls != 1 || f.left(t, 1, "tmpl-topup") != 3 {
		t.Errorf("%+v %+v, %d calls", f.state(t, "a"), f.state(t, "b"), f.wx.calls)
	}
	set, err := f.s.current(t.Context())
	if err != nil || !strings.Contains(set.template(MiniProgram, Topup).Broken, "40037") {
		t.Errorf("%+v, %v", set.template(MiniProgram, Topup), err)
	}
	f.save(t, Template{Channel: MiniProgram, Event: Topup, ID: "another_one", Fields: []Field{{Key: "thing1", From: "title"}}})
	if set, _ = f.s.current(t.Context()); set.template(MiniProgram, Topup).Broken != "" || set.template(MiniProgram, Topup).ID != "another_one" {
		t.Errorf("%+v", set.template(MiniProgram, Topup))
	}
}

func TestReportOfTheOfficialAccount(t *testing.T) {
	f, g := wide(t, people{1: {{App: OfficialAccount, OpenID: "oa1", Following: true}}}, phones{1: "13800000001"})
	report := func(n int64, status string) {
		t.Helper()
		if err := f.d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			return f.s.DeliveredTx(ctx, tx, OfficialAccount, n, status)
		}); err != nil {
			t.Fatal(err)
		}
	}
	report(3, "success") // quicker than the answer
	for _, key := range []string{"a", "b", "c"} {
		f.enqueue(t, msg(1, Topup, key))
	}
	f.drain(t)
	report(1, "success")
	report(1, "failed:user block") // repeated or contradicted: the first one counts
	report(2, "failed:user block")
	report(99, "success")
	f.drain(t)
	for key, want := range map[string][2]string{"a": {Delivered, OfficialAccount}, "b": {Sent, TextMessage}, "c": {Delivered, OfficialAccount}} {
		if m := f.state(t, key); m.State != want[0] || m.Channel != want[1] {
			t.Errorf("%s: %+v, want %v", key, m, want)
		}
	}
	if len(g.sent) != 1 || len(f.wx.sentOA) != 3 {
		t.Errorf("%d SMS, %d templates", len(g.sent), len(f.wx.sentOA))
	}
	f.audit(t)
}

// F14, J05: quiet hours, the member's own hours, the cap, groups that are not wanted.
func TestMessagesComeWhenAndAsOftenAsWanted(t *testing.T) {
	f, _ := wide(t, people{1: {{App: MiniProgram, OpenID: "mp1"}}, 2: {{App: MiniProgram, OpenID: "mp2"}}}, phones{})
	f.accept(t, 1, "tmpl-coupon_expiring", 20)
	f.accept(t, 1, "tmpl-topup", 20)
	f.accept(t, 2, "tmpl-coupon_expiring", 20)
	f.set.texts[setting.MessageQuietFrom], f.set.texts[setting.MessageQuietTo] = "21:30", "08:30"
	f.set.ints[setting.MessageCapDay], f.set.ints[setting.MessageCapWeek] = 2, 3
	f.clk.Set(time.Date(2026, 11, 18, 14, 0, 0, 0, time.UTC)) // 22:00 in China
	f.enqueue(t, msg(1, Topup, "urgent"))
	for i := range 5 {
		f.enqueue(t, msg(1, CouponExpiring, fmt.Sprint("c:", i)))
	}
	stale := msg(1, CouponExpiring, "stale")
	stale.Until = f.d.Now().Add(time.Hour)
	f.enqueue(t, stale)
	if _, err := f.s.SetPreference(t.Context(), 2, Preference{SMS: true, FromMinute: 12 * 60, ToMinute: 14 * 60}); err != nil {
		t.Fatal(err)
	}
	f.enqueue(t, msg(2, CouponExpiring, "noon"))
	f.drain(t)
	if f.state(t, "urgent").State != Sent || f.state(t, "c:0").State != Held {
		t.Errorf("%+v %+v", f.state(t, "urgent"), f.state(t, "c:0"))
	}
	f.clk.Set(time.Date(2026, 11, 19, 1, 0, 0, 0, time.UTC)) // 9:00
	f.drain(t)
	count := func() map[string]int {
		out := map[string]int{}
		for i := range 5 {
			out[f.state(t, fmt.Sprint("c:", i)).State]++
		}
		return out
	}
	if got := count(); got[Sent] != 2 || got[Capped] != 3 {
		t.Errorf("%v", got)
	}
	if f.state(t, "stale").State != Stale || f.state(t, "noon").State != Held {
		t.Errorf("%+v %+v", f.state(t, "stale"), f.state(t, "noon"))
	}
	f.clk.Set(time.Date(2026, 11, 19, 4, 30, 0, 0, time.UTC)) // 12:30
	f.drain(t)
	if f.state(t, "noon").State != Sent {
		t.Errorf("%+v", f.state(t, "noon"))
	}
	f.clk.Set(time.Date(2026, 11, 20, 4, 30, 0, 0, time.UTC))
	f.enqueue(t, msg(1, CouponExpiring, "d:1"))
	f.enqueue(t, msg(1, CouponExpiring, "d:2"))
	f.drain(t)
	if f.state(t, "d:1").State != Sent || f.state(t, "d:2").State != Capped {
		t.Errorf("the week: %+v %+v", f.state(t, "d:1"), f.state(t, "d:2"))
	}
	if _, err := f.s.SetPreference(t.Context(), 1, Preference{Off: []string{GroupMoney}}); err != nil {
		t.Fatal(err)
	}
	f.enqueue(t, msg(1, Topup, "unwanted"))
	f.drain(t)
	if m := f.state(t, "unwanted"); m.State != Off || !strings.Contains(m.Detail, "会员") {
		t.Errorf("%+v", m)
	}
	if _, err := f.s.SetPreference(t.Context(), 1, Preference{Off: []string{GroupAccount}}); err == nil {
		t.Error("what must be told was switched off")
	}
	f.audit(t)
}

func TestCapHoldsUnderConcurrency(t *testing.T) {
	f, _ := wide(t, people{1: {{App: MiniProgram, OpenID: "mp1"}}}, phones{})
	f.accept(t, 1, "tmpl-coupon_expiring", 30)
	f.set.ints[setting.MessageCapDay] = 3
	f.clk.Advance(3 * time.Second)
	if set, err := f.s.current(t.Context()); err != nil || set.perDay != 3 { // while one reads the rules anew, others may still go by the copy
		t.Fatal(set.perDay, err)
	}
	var ids []int64
	for i := range 20 {
		f.enqueue(t, msg(1, CouponExpiring, fmt.Sprint("c:", i)))
		ids = append(ids, f.state(t, fmt.Sprint("c:", i)).ID)
	}
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			var again jobs.After
			if err := f.s.deliver(t.Context(), id); err != nil && !errors.As(err, &again) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(f.wx.sent) != 3 || f.left(t, 1, "tmpl-coupon_expiring") != 27 {
		t.Errorf("%d sent, %d grants left", len(f.wx.sent), f.left(t, 1, "tmpl-coupon_expiring"))
	}
}

// N30: marketing never goes by template message; by SMS with consent alone; by a grant that was given for exactly this.
func TestN30MarketingGoesNowhereUnasked(t *testing.T) {
	dir := people{}
	numbers := phones{}
	for i := range int64(4) {
		dir[i+1] = []Recipient{{App: MiniProgram, OpenID: fmt.Sprint("mp", i+1)}, {App: OfficialAccount, OpenID: fmt.Sprint("oa", i+1), Following: true}}
		numbers[i+1] = fmt.Sprintf("1380000000%d", i+1)
	}
	f, g := wideMarketing(t, dir, numbers)
	f.accept(t, 1, "tmpl-birthday", 1)
	if _, err := f.s.SetPreference(t.Context(), 2, Preference{SMS: true, Marketing: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.s.SetPreference(t.Context(), 3, Preference{Off: []string{GroupWishes}, SMS: true, Marketing: true}); err != nil {
		t.Fatal(err)
	}
	for i := range int64(4) {
		f.enqueue(t, msg(i+1, Birthday, fmt.Sprint("b:", i+1)))
	}
	f.drain(t)
	for key, want := range map[string]string{"b:1": Sent, "b:2": Sent, "b:3": Off, "b:4": Unreachable} {
		if m := f.state(t, key); m.State != want {
			t.Errorf("%s: %+v", key, m)
		}
	}
	if len(f.wx.sentOA) != 0 || len(f.wx.sent) != 1 || len(g.sent) != 1 || g.sent[0].Phone != "13800000002" {
		t.Errorf("%d templates, %d grants, %+v", len(f.wx.sentOA), len(f.wx.sent), g.sent)
	}
	if calls, _, _ := f.s.Calls(manager(t.Context()), CallOpen, 0, 10); len(calls) != 0 {
		t.Errorf("%+v", calls)
	}
	err := f.s.SaveTemplate(manager(t.Context()), Template{Channel: OfficialAccount, Event: Birthday, ID: "abcdefgh", Fields: []Field{{Key: "thing1", From: "title"}}})
	if err == nil {
		t.Error("a template message for a birthday was accepted")
	}
}

func wideMarketing(t *testing.T, dir people, numbers phones) (fixture, *gateway) {
	f, g := wide(t, dir, numbers)
	f.rule(t, Rule{Event: Birthday, On: true, SMS: true, Calls: true})
	return f, g
}

func TestUncertainTextIsNotRepeated(t *testing.T) {
	f, g := wide(t, people{}, phones{1: "13800000001", 2: "13800000002"})
	first := true
	g.answer = func(m sms.Message) error {
		if m.Phone == "13800000001" {
			return &sms.Error{Class: sms.Unavailable, Uncertain: true}
		}
		if first {
			first = false
			return &sms.Error{Class: sms.Unavailable}
		}
		return nil
	}
	f.enqueue(t, msg(1, Topup, "unsure"))
	f.enqueue(t, msg(2, Topup, "again"))
	for range 10 {
		f.drain(t)
		f.clk.Advance(time.Minute)
	}
	if m := f.state(t, "unsure"); m.State != Failed || !strings.Contains(m.Detail, "不确定") || m.Attempts != 1 {
		t.Errorf("%+v", m)
	}
	if m := f.state(t, "again"); m.State != Sent || m.Attempts != 2 {
		t.Errorf("%+v", m)
	}
}

// Two instances with workers of their own over one database: no message goes out twice.
func TestN29TwoInstancesSendEachMessageOnce(t *testing.T) {
	dir := people{1: {{App: MiniProgram, OpenID: "mp-1"}}}
	f := setUp(t, dir)
	f.accept(t, 1, "tmpl-topup", 100)
	q2 := jobs.New(f.d, slog.New(slog.NewTextHandler(io.Discard, nil)))
	New(f.d, q2, dir, f.wx, f.set, f.s.opt)
	var ms []Message
	for i := range 80 {
		ms = append(ms, msg(1, Topup, fmt.Sprint("m:", i)))
	}
	f.enqueueMany(t, ms[:40])
	for _, m := range ms[40:] {
		f.enqueue(t, m)
	}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, q := range []*jobs.Queue{f.q, q2} {
		wg.Go(func() { q.Run(ctx) })
	}
	for range 400 {
		var open int
		if err := f.d.Get(t.Context(), &open, `SELECT COUNT(*) FROM notify_messages WHERE state <> 'sent'`); err != nil {
			t.Fatal(err)
		}
		if open == 0 {
			break
		}
		f.clk.Advance(time.Second)
		f.q.Wake()
		q2.Wake()
		time.Sleep(20 * time.Millisecond)
	}
	stop()
	wg.Wait()
	if len(f.wx.sent) != 80 || f.left(t, 1, "tmpl-topup") != 20 {
		t.Errorf("%d sent of 80, %d grants left of 100", len(f.wx.sent), f.left(t, 1, "tmpl-topup"))
	}
	f.audit(t)
}
