package notify

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/wechat"
)

// platform is WeChat's end of the wire: it answers as scripted and keeps what it accepted.
type platform struct {
	mu     sync.Mutex
	answer func(m wechat.SubscribeMessage) error
	sent   []wechat.SubscribeMessage
	calls  int

	template func(m wechat.TemplateMessage) error
	sentOA   []wechat.TemplateMessage
}

func (p *platform) SendTemplate(_ context.Context, m wechat.TemplateMessage) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.template != nil {
		if err := p.template(m); err != nil {
			return 0, err
		}
	}
	p.sentOA = append(p.sentOA, m)
	return int64(len(p.sentOA)), nil
}

func (p *platform) SendSubscribe(_ context.Context, m wechat.SubscribeMessage) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if p.answer != nil {
		if err := p.answer(m); err != nil {
			return err
		}
	}
	p.sent = append(p.sent, m)
	return nil
}

type people map[int64][]Recipient // member → identities; the identity's id is the member's

func (p people) Recipients(_ context.Context, id int64) ([]Recipient, error) { return p[id], nil }
func (p people) OpenID(_ context.Context, id int64) (string, string, error) {
	if len(p[id]) == 0 {
		return "", "", fault.ErrNotFound
	}
	return p[id][0].App, p[id][0].OpenID, nil
}

// choices are the shop's: switches that are off, numbers and texts that are set.
type choices struct {
	off   map[string]bool
	texts map[string]string
	ints  map[string]int64
}

func (c choices) Bool(_ context.Context, key string) (bool, error)   { return !c.off[key], nil }
func (c choices) Int(_ context.Context, key string) (int64, error)   { return c.ints[key], nil }
func (c choices) Text(_ context.Context, key string) (string, error) { return c.texts[key], nil }

type fixture struct {
	d   *db.DB
	clk *clock.Manual
	q   *jobs.Queue
	s   *Service
	wx  *platform
	set choices
}

func setUp(t *testing.T, dir people) fixture {
	t.Helper()
	d, clk := dbtest.New(t)
	f := fixture{d: d, clk: clk, q: jobs.New(d, slog.New(slog.NewTextHandler(io.Discard, nil))), wx: &platform{}, set: choices{map[string]bool{}, map[string]string{}, map[string]int64{}}}
	f.s = New(d, f.q, dir, f.wx, f.set, Options{Templates: map[string]TemplateConfig{
		Deduction: {ID: "tmpl-deduction", Fields: map[string]string{"thing1": "store", "amount2": "amount", "car_number3": "plate", "time4": "at", "phrase5": "=已扣款"}},
		Topup:     {ID: "tmpl-topup", Fields: map[string]string{"amount1": "amount"}},
	}})
	return f
}

func (f fixture) enqueue(t *testing.T, m Message) {
	t.Helper()
	if err := f.d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error { return f.s.EnqueueTx(ctx, tx, m) }); err != nil {
		t.Fatal(err)
	}
}

func (f fixture) drain(t *testing.T) {
	t.Helper()
	if err := f.q.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (f fixture) state(t *testing.T, dedupe string) messageRow {
	t.Helper()
	var id int64
	if err := f.d.Get(t.Context(), &id, `SELECT id FROM notify_messages WHERE dedupe_key = ?`, dedupe); err != nil {
		t.Fatal(err)
	}
	m, err := readMessage(t.Context(), f.d, id, "")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func owner(id int64) actor.Actor { return actor.Actor{Kind: actor.Owner, ID: id, App: MiniProgram} }

func (f fixture) accept(t *testing.T, id int64, template string, times int) {
	t.Helper()
	for range times {
		if _, err := f.s.Grant(actor.With(t.Context(), owner(id)), []GrantResult{{template, Accept}}); err != nil {
			t.Fatal(err)
		}
	}
}

func (f fixture) left(t *testing.T, id int64, template string) int {
	t.Helper()
	got, err := f.s.Grant(actor.With(t.Context(), owner(id)), []GrantResult{{template, Reject}})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range got {
		if g.TemplateID == template {
			return g.Left
		}
	}
	return 0
}

func deduction(member int64, dedupe string) Message {
	return Message{MemberID: member, Event: Deduction, Dedupe: dedupe, Page: "pages/order/index?id=1", Data: map[string]string{
		"store": "亮车洗护西湖文化广场旗舰店二楼贵宾接待中心", "amount": "1,045.50", "plate": "浙A·D12345", "at": "2026-11-18T02:00:00Z"}}
}

func TestMessageIsSentWithOneGrant(t *testing.T) {
	f := setUp(t, people{1: {{App: OfficialAccount, OpenID: "oa-1"}, {App: MiniProgram, OpenID: "mp-1"}}, 2: {{App: MiniProgram, OpenID: "mp-1"}}})
	f.accept(t, 2, "tmpl-deduction", 1) // identity 2 is the mini-program identity of member 1
	f.enqueue(t, deduction(1, "deduction:1"))
	f.drain(t)
	m := f.state(t, "deduction:1")
	if m.State != Sent || m.OpenID != "mp-1" || m.Attempts != 1 || m.DoneAt == nil || len(f.wx.sent) != 1 {
		t.Fatalf("%+v, %d sent", m, len(f.wx.sent))
	}
	got := f.wx.sent[0]
	want := map[string]string{"amount2": "1045.50", "car_number3": "浙AD12345", "time4": "2026-11-18 10:00", "phrase5": "已扣款"}
	for k, v := range want {
		if got.Data[k] != v {
			t.Errorf("%s is %q, want %q", k, got.Data[k], v)
		}
	}
	if got.Page != "pages/order/index?id=1" || got.TemplateID != "tmpl-deduction" {
		t.Errorf("%+v", got)
	}
	f.enqueue(t, deduction(1, "deduction:2"))
	f.drain(t)
	if m := f.state(t, "deduction:2"); m.State != Unreachable || len(f.wx.sent) != 1 {
		t.Errorf("without a grant: %+v", m)
	}
}

func TestN25FieldsFitWeChatsLimits(t *testing.T) {
	forms := map[string]*regexp.Regexp{
		"thing1": regexp.MustCompile(`^.{1,20}$`), "character_string1": regexp.MustCompile(`^[\x20-\x7e]{1,32}$`),
		"phrase1": regexp.MustCompile(`^\p{Han}{1,5}$`), "car_number1": regexp.MustCompile(`^.{1,8}$`),
		"amount1": regexp.MustCompile(`^[¥￥$]?[0-9]{1,10}(\.[0-9]{1,2})?$`), "number1": regexp.MustCompile(`^-?[0-9]{1,32}(\.[0-9]{1,32})?$`),
		"time1": regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}$`), "date1": regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`),
		"name1": regexp.MustCompile(`^[^0-9]{1,20}$`), "letter1": regexp.MustCompile(`^[A-Za-z]{1,32}$`),
		"phone_number1": regexp.MustCompile(`^[0-9+-]{1,17}$`), "symbol1": regexp.MustCompile(`^[^\p{L}]{1,5}$`),
	}
	for key, form := range forms {
		for _, v := range []string{"", " ", "短", strings.Repeat("很长的文字", 20), strings.Repeat("abc", 50), "a\x00b\nc", "2026-11-18T02:00:00Z",
			"¥1,234,567.89", "-45.00", "浙A·D12345", "<script>alert(1)</script>", "\xff\xfe", "😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀"} {
			got := fill([]Field{{Key: key, From: "v"}}, map[string]string{"v": v}, "")[key]
			if !form.MatchString(got) || !utf8.ValidString(got) {
				t.Errorf("%s of %q is %q", key, v, got)
			}
		}
	}
}

func TestN23RefusedIsAnOutcomeAndEmptiesThePurse(t *testing.T) {
	f := setUp(t, people{1: {{App: MiniProgram, OpenID: "mp-1"}, {App: MiniProgram, OpenID: "mp-2"}}, 2: {{App: MiniProgram, OpenID: "mp-2"}}})
	f.accept(t, 1, "tmpl-deduction", 3)
	f.accept(t, 2, "tmpl-deduction", 1)
	f.wx.answer = func(m wechat.SubscribeMessage) error {
		if m.OpenID == "mp-1" {
			return &wechat.Error{Class: wechat.Refused, Code: "43101"}
		}
		return nil
	}
	f.enqueue(t, deduction(1, "deduction:1"))
	f.drain(t)
	if m := f.state(t, "deduction:1"); m.State != Sent || m.OpenID != "mp-2" {
		t.Errorf("the other identity has a grant: %+v", m)
	}
	if n := f.left(t, 1, "tmpl-deduction"); n != 0 {
		t.Errorf("WeChat counts none, we count %d", n)
	}
	f.accept(t, 1, "tmpl-deduction", 1)
	f.enqueue(t, deduction(1, "deduction:2"))
	f.drain(t)
	if m := f.state(t, "deduction:2"); m.State != Refused {
		t.Errorf("%+v", m)
	}
	if _, dead, err := f.q.Depth(t.Context()); dead != 0 || err != nil {
		t.Errorf("%d dead jobs: a refusal is no error, %v", dead, err)
	}
	var failed int
	_ = f.d.Get(t.Context(), &failed, `SELECT COUNT(*) FROM jobs_queue WHERE last_error <> ''`)
	if failed != 0 {
		t.Error("a refusal was recorded as a job's error")
	}
}

func TestUnreachableWeChatIsTriedAgainWithoutLosingTheGrant(t *testing.T) {
	f := setUp(t, people{1: {{App: MiniProgram, OpenID: "mp-1"}}})
	f.accept(t, 1, "tmpl-deduction", 1)
	away := true
	f.wx.answer = func(wechat.SubscribeMessage) error {
		if away {
			return &wechat.Error{Class: wechat.Unavailable}
		}
		return nil
	}
	f.enqueue(t, deduction(1, "deduction:1"))
	f.drain(t)
	if m := f.state(t, "deduction:1"); m.State != Queued || m.Detail == "" || f.left(t, 1, "tmpl-deduction") != 1 {
		t.Errorf("%+v, %d left", m, f.left(t, 1, "tmpl-deduction"))
	}
	away = false
	f.clk.Advance(time.Hour)
	f.drain(t)
	if m := f.state(t, "deduction:1"); m.State != Sent || m.Attempts != 2 || f.left(t, 1, "tmpl-deduction") != 0 {
		t.Errorf("%+v", m)
	}
	f.wx.answer = func(wechat.SubscribeMessage) error { return &wechat.Error{Class: wechat.Rejected, Code: "40003"} }
	f.accept(t, 1, "tmpl-deduction", 1)
	f.enqueue(t, deduction(1, "deduction:2"))
	f.drain(t)
	if m := f.state(t, "deduction:2"); m.State != Failed || !strings.Contains(m.Detail, "40003") || f.left(t, 1, "tmpl-deduction") != 1 {
		t.Errorf("%+v", m)
	}
}

func TestOneAcceptIsOneSendUnderConcurrency(t *testing.T) {
	f := setUp(t, people{1: {{App: MiniProgram, OpenID: "mp-1"}}})
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			if _, err := f.s.Grant(actor.With(t.Context(), owner(1)), []GrantResult{{"tmpl-deduction", Accept}}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := f.left(t, 1, "tmpl-deduction"); n != 12 {
		t.Fatalf("%d grants of 12 accepts", n)
	}
	var ids []int64
	for i := range 30 {
		key := "deduction:" + string(rune('a'+i))
		f.enqueue(t, deduction(1, key))
		ids = append(ids, f.state(t, key).ID)
	}
	for _, id := range ids {
		for range 2 { // every job runs twice at once
			wg.Go(func() {
				var again jobs.After
				if err := f.s.deliver(t.Context(), id); err != nil && !errors.As(err, &again) {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if len(f.wx.sent) != 12 || f.wx.calls != 12 || f.left(t, 1, "tmpl-deduction") != 0 {
		t.Errorf("%d sent in %d calls, %d left; 12 accepts are 12 sends", len(f.wx.sent), f.wx.calls, f.left(t, 1, "tmpl-deduction"))
	}
	states := map[string]int{}
	var rows []string
	if err := f.d.Select(t.Context(), &rows, `SELECT state FROM notify_messages`); err != nil {
		t.Fatal(err)
	}
	for _, st := range rows {
		states[st]++
	}
	if states[Sent] != 12 || states[Unreachable] != 18 {
		t.Errorf("%v", states)
	}
}

func TestN29MessageLivesAndDiesWithItsTransaction(t *testing.T) {
	f := setUp(t, people{1: {{App: MiniProgram, OpenID: "mp-1"}}})
	f.accept(t, 1, "tmpl-deduction", 5)
	boom := errors.New("the sale failed")
	err := f.d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		if err := f.s.EnqueueTx(ctx, tx, deduction(1, "deduction:1")); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	f.drain(t)
	var n int
	if err := f.d.Get(t.Context(), &n, `SELECT (SELECT COUNT(*) FROM notify_messages) + (SELECT COUNT(*) FROM jobs_queue)`); err != nil || n != 0 || f.wx.calls != 0 {
		t.Errorf("%d rows, %d calls after a rollback, %v", n, f.wx.calls, err)
	}
	for range 2 { // a retried command promises the same message again
		f.enqueue(t, deduction(1, "deduction:1"))
	}
	f.drain(t)
	id := f.state(t, "deduction:1").ID
	for range 3 { // and its job may run again
		if err := f.s.deliver(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.wx.sent) != 1 || f.left(t, 1, "tmpl-deduction") != 4 {
		t.Errorf("%d sent, %d left", len(f.wx.sent), f.left(t, 1, "tmpl-deduction"))
	}
}

func TestInterruptedSendEndsVisiblyAndIsNotRepeated(t *testing.T) {
	f := setUp(t, people{1: {{App: MiniProgram, OpenID: "mp-1"}}})
	f.accept(t, 1, "tmpl-deduction", 2)
	f.enqueue(t, deduction(1, "deduction:1"))
	id := f.state(t, "deduction:1").ID
	if err := f.d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error { // the process died right after its claim
		_, err := claim(ctx, tx, id, MiniProgram, Recipient{App: MiniProgram, OpenID: "mp-1"}, "tmpl-deduction")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var again jobs.After
	if err := f.s.deliver(t.Context(), id); !errors.As(err, &again) {
		t.Errorf("a claim under way: %v", err)
	}
	f.clk.Advance(leaseTime + time.Second)
	f.drain(t)
	if m := f.state(t, "deduction:1"); m.State != Failed || f.wx.calls != 0 {
		t.Errorf("%+v, %d calls", m, f.wx.calls)
	}
}

func TestShopMaySwitchMessagesOff(t *testing.T) {
	f := setUp(t, people{1: {{App: MiniProgram, OpenID: "mp-1"}}})
	f.accept(t, 1, "tmpl-deduction", 1)
	f.set.off["message.deduction"] = true
	f.clk.Advance(3 * time.Second) // what was chosen counts within two seconds
	f.enqueue(t, deduction(1, "deduction:1"))
	f.enqueue(t, Message{MemberID: 1, Event: Refund, Dedupe: "refund:1"})
	f.drain(t)
	if a, b := f.state(t, "deduction:1"), f.state(t, "refund:1"); a.State != Off || b.State != Unreachable || f.wx.calls != 0 {
		t.Errorf("%+v %+v", a, b)
	}
}

func TestGrantsOverHTTP(t *testing.T) {
	f := setUp(t, people{1: {{App: MiniProgram, OpenID: "mp-1"}}, 2: {{App: MiniProgram, OpenID: "mp-2"}}})
	base := apitest.New(t, f.s.Routes)
	c := base.As(owner(1))
	var out GrantCounts
	in := GrantInput{[]GrantResult{{"tmpl-deduction", Accept}, {"tmpl-topup", Reject}}}
	c.OK(http.MethodPost, "/api/owner/grants", in, &out)
	c.OK(http.MethodPost, "/api/owner/grants", in, &out)
	if len(out.Counts) != 1 || out.Counts[0] != (GrantCount{"tmpl-deduction", 2}) {
		t.Errorf("%+v", out)
	}
	base.As(owner(2)).OK(http.MethodPost, "/api/owner/grants", GrantInput{[]GrantResult{{"tmpl-deduction", Filter}}}, &out)
	if len(out.Counts) != 0 {
		t.Errorf("another owner's purse: %+v", out)
	}
	c.OK(http.MethodPost, "/api/owner/grants", GrantInput{[]GrantResult{{"tmpl-deduction", Ban}}}, &out)
	if out.Counts[0].Left != 0 {
		t.Errorf("banned: %+v", out)
	}
	c.Fault(ErrTemplate, http.MethodPost, "/api/owner/grants", GrantInput{[]GrantResult{{"somebody-elses", Accept}}})
	c.Fault(fault.ErrInvalid, http.MethodPost, "/api/owner/grants", GrantInput{[]GrantResult{{"tmpl-topup", "maybe"}}})
	c.Fault(fault.ErrInvalid, http.MethodPost, "/api/owner/grants", GrantInput{[]GrantResult{{"tmpl-topup", Accept}, {"tmpl-topup", Accept}}})
	c.Fault(fault.ErrInvalid, http.MethodPost, "/api/owner/grants", GrantInput{})
	base.As(apitest.Staff()).Fault(fault.ErrExpired, http.MethodPost, "/api/owner/grants", in)
}

// X04: without a grant the message goes to the official account; someone who does not follow it (43004) is unreachable by it.
func TestOfficialAccountIsTheNextWay(t *testing.T) {
	f := setUp(t, people{1: {{App: MiniProgram, OpenID: "mp1"}, {App: OfficialAccount, OpenID: "oa1", Following: true}}, 2: {{App: OfficialAccount, OpenID: "oa2", Following: true}}})
	f.s.opt.OfficialTemplates = map[string]TemplateConfig{Topup: {ID: "oa-topup", Fields: map[string]string{"amount2": "amount"}}}
	f.s.opt.PageBase = "https://car.example.com/h5/#/"
	f.wx.template = func(m wechat.TemplateMessage) error {
		if m.OpenID == "oa2" {
			return &wechat.Error{Class: wechat.Refused, Code: "43004"}
		}
		return nil
	}
	f.enqueue(t, Message{MemberID: 1, Event: Topup, Dedupe: "topup:1", Page: "pages/home/index", Data: map[string]string{"amount": "500.00"}})
	f.enqueue(t, Message{MemberID: 2, Event: Topup, Dedupe: "topup:2", Data: map[string]string{"amount": "1.00"}})
	f.drain(t)
	if len(f.wx.sent) != 0 || len(f.wx.sentOA) != 1 || f.wx.sentOA[0].OpenID != "oa1" || f.wx.sentOA[0].URL != "https://car.example.com/h5/#/pages/home/index" {
		t.Fatalf("sent %+v, official %+v", f.wx.sent, f.wx.sentOA)
	}
	if got := f.state(t, "topup:1").State; got != Sent {
		t.Errorf("first message is %s", got)
	}
	if got := f.state(t, "topup:2").State; got != Refused {
		t.Errorf("second message is %s", got)
	}
}
