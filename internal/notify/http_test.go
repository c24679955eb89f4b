package notify

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/wechat"
)

func TestConsoleOfMessages(t *testing.T) {
	f, g := wide(t, people{1: {{App: MiniProgram, OpenID: "mp1"}}}, phones{1: "13800000001"})
	f.wx.answer = func(wechat.SubscribeMessage) error { return &wechat.Error{Class: wechat.Rejected, Code: "40003"} }
	f.accept(t, 1, "tmpl-coupon_expiring", 60)
	for i := range 25 {
		f.enqueue(t, msg(1, CouponExpiring, fmt.Sprint("c:", i)))
	}
	f.enqueue(t, msg(1, Topup, "t"))
	f.drain(t)
	base := apitest.New(t, f.s.Routes)
	c := base.As(apitest.Staff(perm.MessageRead, perm.MessageWrite))
	var page struct {
		Items []EntryView
		Next  string
	}
	c.OK(http.MethodGet, "/api/console/messages?state=failed&limit=20", nil, &page)
	if len(page.Items) != 20 || page.Next == "" || !page.Items[0].Resendable || page.Items[0].Name != "王*" {
		t.Fatalf("%d, %q", len(page.Items), page.Next)
	}
	first := page.Items[0].ID
	after := page.Next
	page.Next = ""
	c.OK(http.MethodGet, "/api/console/messages?state=failed&limit=20&after="+after, nil, &page)
	if len(page.Items) != 5 || page.Next != "" {
		t.Fatalf("%d, %q", len(page.Items), page.Next)
	}
	c.OK(http.MethodGet, "/api/console/messages?event=topup", nil, &page)
	if len(page.Items) != 1 || page.Items[0].Channel != TextMessage || len(g.sent) != 1 {
		t.Fatalf("%+v", page.Items)
	}
	c.OK(http.MethodGet, "/api/console/messages?memberId=2", nil, &page)
	if len(page.Items) != 0 {
		t.Fatalf("%+v", page.Items)
	}
	c.Fault(fault.ErrInvalid, http.MethodGet, "/api/console/messages?from=2026-13-01", nil)
	c.Fault(fault.ErrInvalid, http.MethodGet, "/api/console/messages?from=2020-01-01&to=2026-01-01", nil)
	c.Fault(fault.ErrInvalid, http.MethodGet, "/api/console/messages?state=nonsense", nil)
	c.Fault(fault.ErrNotFound, http.MethodGet, "/api/console/messages/424242", nil)
	f.wx.answer = nil
	c.OK(http.MethodPost, "/api/console/messages/resend", ResendAsk{[]int64{first}}, nil)
	c.Fault(ErrState, http.MethodPost, "/api/console/messages/resend", ResendAsk{[]int64{first}})
	c.Fault(fault.ErrNotFound, http.MethodPost, "/api/console/messages/resend", ResendAsk{[]int64{99}})
	c.Fault(fault.ErrInvalid, http.MethodPost, "/api/console/messages/resend", ResendAsk{})
	f.drain(t)
	var one MessageView
	c.OK(http.MethodGet, fmt.Sprint("/api/console/messages/", first), nil, &one)
	var way []string
	for _, s := range one.Steps {
		way = append(way, s.Channel+":"+s.Outcome)
	}
	if got := strings.Join(way, " "); got != "mini_program:failed :failed :resent mini_program:sent" || one.State != Sent {
		t.Errorf("%s: %s", one.State, got)
	}
	var stats StatsView
	c.OK(http.MethodGet, "/api/console/messages/stats", nil, &stats)
	if len(stats.Days) == 0 {
		t.Error("no counts")
	}
	base.As(apitest.Staff(perm.MessageRead)).Fault(fault.ErrForbidden, http.MethodPost, "/api/console/messages/resend", ResendAsk{[]int64{first}})
	base.As(apitest.Staff()).Fault(fault.ErrForbidden, http.MethodGet, "/api/console/messages", nil)
	f.audit(t)
}

func TestConsoleOfTemplatesAndRules(t *testing.T) {
	f, g := wide(t, people{}, phones{})
	base := apitest.New(t, f.s.Routes)
	c := base.As(apitest.Staff(perm.MessageRead, perm.MessageWrite))
	var set Setup
	c.OK(http.MethodGet, "/api/console/message-setup", nil, &set)
	if len(set.Events) != len(Events()) || len(set.Events[0].Templates) != 3 || set.Events[0].Templates[0].TemplateID != "tmpl-deduction" || set.Events[0].Templates[0].Stored {
		t.Fatalf("%+v", set.Events[0])
	}
	in := TemplateInput{Channel: MiniProgram, Event: Deduction, TemplateID: "chosen_here_1", Fields: []Field{{Key: "thing1", From: "store"}, {Key: "amount2", From: "title"}, {Key: "phrase3", From: "=已扣款"}}}
	var p PreviewView
	c.OK(http.MethodPost, "/api/console/message-setup/preview", in, &p)
	if len(p.Lines) != 3 || p.Lines[0].Cut || p.Lines[1].Note == "" || p.Lines[2].Value != "已扣款" {
		t.Errorf("%+v", p.Lines)
	}
	in.Fields[0] = Field{Key: "thing1", From: "=一二三四五六七八九十一二三四五六七八九十一二三"}
	c.OK(http.MethodPost, "/api/console/message-setup/preview", in, &p)
	if !p.Lines[0].Cut || !strings.HasSuffix(p.Lines[0].Value, "…") {
		t.Errorf("%+v", p.Lines[0])
	}
	c.OK(http.MethodPut, "/api/console/message-setup/templates", in, &set)
	if x := set.Events[0].Templates[0]; x.TemplateID != "chosen_here_1" || !x.Stored || x.Warnings != 2 {
		t.Errorf("%+v", x)
	}
	for name, bad := range map[string]TemplateInput{
		"id":         {Channel: MiniProgram, Event: Deduction, TemplateID: "no id!", Fields: in.Fields},
		"kind":       {Channel: MiniProgram, Event: Deduction, TemplateID: "abcdefgh", Fields: []Field{{Key: "emoji1", From: "store"}}},
		"twice":      {Channel: MiniProgram, Event: Deduction, TemplateID: "abcdefgh", Fields: []Field{{Key: "thing1", From: "store"}, {Key: "thing1", From: "title"}}},
		"value":      {Channel: MiniProgram, Event: Deduction, TemplateID: "abcdefgh", Fields: []Field{{Key: "thing1", From: "password"}}},
		"empty text": {Channel: MiniProgram, Event: Deduction, TemplateID: "abcdefgh", Fields: []Field{{Key: "thing1", From: "= "}}},
		"none":       {Channel: OfficialAccount, Event: Deduction, TemplateID: "abcdefgh"},
		"marketing":  {Channel: OfficialAccount, Event: Holiday, TemplateID: "abcdefgh", Fields: []Field{{Key: "thing1", From: "title"}}},
		"channel":    {Channel: "fax", Event: Deduction, TemplateID: "abcdefgh", Fields: in.Fields},
		"sms":        {Channel: TextMessage, Event: Deduction, TemplateID: "短信", Fields: []Field{{Key: "a b", From: "title"}}},
	} {
		if name == "none" {
			bad.Fields = []Field{}
		}
		c.Fault(fault.ErrInvalid, http.MethodPut, "/api/console/message-setup/templates", bad)
	}
	c.Fault(ErrEvent, http.MethodPut, "/api/console/message-setup/templates", TemplateInput{Channel: MiniProgram, Event: "wedding", TemplateID: "abcdefgh", Fields: in.Fields})
	c.OK(http.MethodPut, "/api/console/message-setup/templates", TemplateInput{Channel: MiniProgram, Event: Deduction, Fields: []Field{}}, &set)
	if x := set.Events[0].Templates[0]; x.TemplateID != "" || !x.Stored {
		t.Errorf("the template of the configuration came back: %+v", x)
	}
	f.s.opt.Self = nil
	c.Fault(ErrNoSelf, http.MethodPost, "/api/console/message-setup/test", TestAsk{TextMessage, Topup})
	c.Fault(ErrNoSetup, http.MethodPost, "/api/console/message-setup/test", TestAsk{TextMessage, Deduction})
	f.s.opt.Self = func(_ context.Context, _ int64) (Self, error) { return Self{Phone: "13900000009"}, nil }
	var said TestView
	c.OK(http.MethodPost, "/api/console/message-setup/test", TestAsk{TextMessage, Topup}, &said)
	if !said.OK || len(g.sent) != 1 || g.sent[0].Phone != "13900000009" {
		t.Errorf("%+v %+v", said, g.sent)
	}
	rules := RulesInput{Events: []RuleInput{{Event: Topup, On: false, SMS: true, Calls: true}}, QuietFrom: "22:00", QuietTo: "07:30", CapDay: 1, CapWeek: 4}
	c.OK(http.MethodPut, "/api/console/message-setup/rules", rules, &set)
	if set.QuietFrom != "22:00" || set.QuietTo != "07:30" || set.CapDay != 1 || set.Events[1].On || !set.Events[1].Calls {
		t.Errorf("%+v", set.Events[1])
	}
	rules.Events[0].Event = "wedding"
	c.Fault(ErrEvent, http.MethodPut, "/api/console/message-setup/rules", rules)
	base.As(apitest.Staff(perm.MessageRead)).Fault(fault.ErrForbidden, http.MethodPut, "/api/console/message-setup/rules", rules)
}

// A switch of the old settings counts until the event's own is set.
func TestOldSwitchCountsUntilTheNewOneIsSet(t *testing.T) {
	f := setUp(t, people{})
	f.set.off["message.benefits"] = true
	set, err := f.s.current(t.Context())
	if err != nil || set.rule(CouponExpiring).On || !set.rule(Topup).On || !set.rule(InspectionDue).On {
		t.Fatalf("%+v, %v", set.rule(CouponExpiring), err)
	}
	f.rule(t, Rule{Event: CouponExpiring, On: true})
	if set, _ = f.s.current(t.Context()); !set.rule(CouponExpiring).On || set.rule(PointsExpiring).On {
		t.Errorf("%+v %+v", set.rule(CouponExpiring), set.rule(PointsExpiring))
	}
}

func TestOwnerIsAskedForWhatIsWorthMost(t *testing.T) {
	f, _ := wide(t, people{1: {{App: MiniProgram, OpenID: "mp1"}}}, phones{})
	base := apitest.New(t, f.s.Routes)
	c := base.As(actor.Actor{Kind: actor.Owner, ID: 1, App: MiniProgram, MemberID: 1})
	ask := func(moment string) string {
		var out AskList
		c.OK(http.MethodGet, "/api/owner/notify/ask?moment="+moment, nil, &out)
		return strings.Join(out.TemplateIDs, " ")
	}
	if got := ask("after_pay"); got != "tmpl-car_ready tmpl-deduction tmpl-coupon_expiring" {
		t.Error(got)
	}
	f.accept(t, 1, "tmpl-car_ready", 1)
	if got := ask("after_pay"); got != "tmpl-deduction tmpl-coupon_expiring tmpl-car_ready" {
		t.Error(got)
	}
	f.accept(t, 1, "tmpl-deduction", enough)
	f.rule(t, Rule{Event: CarReady, On: false})
	if got := ask("after_pay"); got != "tmpl-coupon_expiring" {
		t.Error(got)
	}
	var choices Choices
	c.OK(http.MethodPut, "/api/owner/message-preference", Preference{Off: []string{GroupBenefits}, SMS: true, FromMinute: 540, ToMinute: 1200}, &choices)
	if len(choices.Preference.Off) != 1 || choices.Preference.FromMinute != 540 || choices.Preference.Calls {
		t.Errorf("%+v", choices.Preference)
	}
	if got := ask("after_pay"); got != "" {
		t.Error(got)
	}
	c.Fault(fault.ErrInvalid, http.MethodGet, "/api/owner/notify/ask?moment=never", nil)
	c.Fault(fault.ErrInvalid, http.MethodPut, "/api/owner/message-preference", Preference{Off: []string{"weather"}})
	c.Fault(fault.ErrInvalid, http.MethodPut, "/api/owner/message-preference", Preference{Off: []string{GroupAccount}})
	c.Fault(fault.ErrInvalid, http.MethodPut, "/api/owner/message-preference", Preference{Off: []string{}, FromMinute: 600, ToMinute: 620})
	c.Fault(fault.ErrInvalid, http.MethodPut, "/api/owner/message-preference", Preference{Off: []string{}, FromMinute: -1})
}

func TestCallListOverHTTP(t *testing.T) {
	f, _ := wide(t, people{}, phones{1: "13800000001"})
	f.rule(t, Rule{Event: CarReady, On: true, Calls: true})
	f.enqueue(t, msg(1, CarReady, "a"))
	f.enqueue(t, msg(2, CarReady, "b"))
	f.drain(t)
	base := apitest.New(t, f.s.Routes)
	who := apitest.Staff(perm.MessageCall)
	who.AllStores = true
	c := base.As(who)
	var page struct{ Items []CallView }
	c.OK(http.MethodGet, "/api/staff/calls", nil, &page)
	if len(page.Items) != 2 || page.Items[0].Phone != "138****0001" || page.Items[0].EventTitle != "完工取车" {
		t.Fatalf("%+v", page.Items)
	}
	var phone CallPhone
	c.OK(http.MethodPost, fmt.Sprintf("/api/staff/calls/%d/dial", page.Items[0].ID), nil, &phone)
	if phone.Phone != "13800000001" {
		t.Error(phone)
	}
	c.Fault(ErrNoPhone, http.MethodPost, fmt.Sprintf("/api/staff/calls/%d/dial", page.Items[1].ID), nil)
	c.Fault(fault.ErrNotFound, http.MethodPost, "/api/staff/calls/77/dial", nil)
	c.OK(http.MethodPost, fmt.Sprintf("/api/staff/calls/%d/done", page.Items[0].ID), CallNote{"说了"}, nil)
	c.Fault(ErrCallDone, http.MethodPost, fmt.Sprintf("/api/staff/calls/%d/skip", page.Items[0].ID), CallNote{})
	c.OK(http.MethodPost, fmt.Sprintf("/api/staff/calls/%d/skip", page.Items[1].ID), CallNote{}, nil)
	if f.state(t, "a").State != Called || f.state(t, "b").State != Unreachable {
		t.Errorf("%+v %+v", f.state(t, "a"), f.state(t, "b"))
	}
	base.As(apitest.Staff()).Fault(fault.ErrForbidden, http.MethodGet, "/api/staff/calls", nil)
	f.audit(t)
}

func TestQuietHours(t *testing.T) {
	at := func(h, m int) time.Time { return time.Date(2026, 11, 18, h-8, m, 0, 0, time.UTC) }
	set := setup{quietFrom: 21*60 + 30, quietTo: 8*60 + 30}
	for _, c := range []struct {
		now  time.Time
		pref Preference
		want time.Time
	}{
		{at(12, 0), Preference{}, at(12, 0)},
		{at(21, 29), Preference{}, at(21, 29)},
		{at(21, 30), Preference{}, at(32, 30)},
		{at(8, 29), Preference{}, at(8, 30)},
		{at(8, 30), Preference{}, at(8, 30)},
		{at(12, 0), Preference{FromMinute: 18 * 60, ToMinute: 20 * 60}, at(18, 0)},
		{at(20, 30), Preference{FromMinute: 18 * 60, ToMinute: 20 * 60}, at(42, 0)},
		{at(20, 30), Preference{FromMinute: 22 * 60, ToMinute: 23 * 60}, at(22, 0)}, // at night alone: the member decides
		{at(20, 30), Preference{FromMinute: 20 * 60, ToMinute: 2 * 60}, at(20, 30)},
	} {
		if got := opens(c.now, set, c.pref, "Asia/Shanghai"); !got.Equal(c.want) {
			t.Errorf("%s with %d–%d: %s, want %s", c.now, c.pref.FromMinute, c.pref.ToMinute, got, c.want)
		}
	}
	if got := opens(at(23, 0), setup{}, Preference{}, "Asia/Shanghai"); !got.Equal(at(23, 0)) {
		t.Error(got)
	}
}
