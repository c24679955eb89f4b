package notify

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/sms"
)

// texts is one campaign as the test sets it.
type texts struct {
	c      Campaign
	out    map[int64]bool // members who are to get nothing any more
	broken string
}

func (x *texts) Campaign(_ context.Context, _, memberID int64) (Campaign, error) {
	c := x.c
	if x.out[memberID] {
		c.Stopped = "会员已暂停或离开"
	}
	return c, nil
}

func (x *texts) Broken(_ context.Context, _ int64, why string) error {
	x.broken, x.c.Paused = why, true
	return nil
}

func offer(member int64) Message {
	return Message{MemberID: member, Event: Offer, Dedupe: fmt.Sprintf("offer:5:%d", member), Data: map[string]string{CampaignField: "5", "title": "洗车节", "name": "王女士"}}
}

// N30: a text to many and a word to who stays away go by SMS with consent, whatever templates and grants there are.
func TestN30CampaignsGoBySMSAlone(t *testing.T) {
	dir, numbers := people{}, phones{}
	for i := range int64(4) {
		dir[i+1] = []Recipient{{App: MiniProgram, OpenID: fmt.Sprint("mp", i+1)}, {App: OfficialAccount, OpenID: fmt.Sprint("oa", i+1), Following: true}}
		numbers[i+1] = fmt.Sprintf("1380000000%d", i+1)
	}
	f, g := wide(t, dir, numbers)
	x := &texts{c: Campaign{Template: Template{ID: "SMS_5", Fields: []Field{{Key: "1", From: "name"}}}}, out: map[int64]bool{3: true}}
	f.s.opt.Campaigns = x
	for _, e := range []string{Offer, MissedYou} { // a shop that put them into its configuration file all the same
		f.s.opt.Templates[e] = TemplateConfig{ID: "tmpl-" + e, Fields: map[string]string{"thing1": "title"}}
		f.s.opt.OfficialTemplates[e] = TemplateConfig{ID: "oa-" + e, Fields: map[string]string{"thing1": "title"}}
		for _, channel := range []string{MiniProgram, OfficialAccount} {
			if err := f.s.SaveTemplate(manager(t.Context()), Template{Channel: channel, Event: e, ID: "abcdefgh", Fields: []Field{{Key: "thing1", From: "title"}}}); err == nil {
				t.Errorf("a template of %s was accepted for %s", channel, e)
			}
		}
	}
	f.save(t, Template{Channel: TextMessage, Event: MissedYou, ID: "SMS_missed", Fields: []Field{{Key: "1", From: "name"}}})
	for id := range int64(3) {
		if _, err := f.s.SetPreference(t.Context(), id+1, Preference{SMS: true, Marketing: true}); err != nil {
			t.Fatal(err)
		}
	}
	for id := range int64(4) {
		f.accept(t, id+1, "tmpl-offer", 2)
		f.accept(t, id+1, "tmpl-missed_you", 2)
		f.enqueue(t, offer(id+1))
		f.enqueue(t, Message{MemberID: id + 1, Event: MissedYou, Dedupe: fmt.Sprint("missed:", id+1), Data: map[string]string{"name": "王女士"}})
	}
	f.drain(t)
	if len(f.wx.sent)+len(f.wx.sentOA) != 0 {
		t.Fatalf("%d subscribe and %d template messages of marketing", len(f.wx.sent), len(f.wx.sentOA))
	}
	for key, want := range map[string]string{"offer:5:1": Sent, "offer:5:2": Sent, "offer:5:3": Off, "offer:5:4": Unreachable, "missed:1": Sent, "missed:3": Sent, "missed:4": Unreachable} {
		if m := f.state(t, key); m.State != want {
			t.Errorf("%s: %s (%s), want %s", key, m.State, m.Detail, want)
		}
	}
	if got, err := f.s.Tally(t.Context(), "offer:5:"); err != nil || got[Sent] != 2 || got[Off] != 1 || got[Unreachable] != 1 || len(got) != 3 {
		t.Errorf("%v %v", got, err)
	}
	if len(g.sent) != 5 || g.sent[0].TemplateID == "" {
		t.Errorf("%d texts", len(g.sent))
	}
	f.audit(t)
}

func TestCampaignPausedStoppedBroken(t *testing.T) {
	f, g := wide(t, people{}, phones{1: "13800000001", 2: "13800000002"})
	x := &texts{c: Campaign{Template: Template{ID: "SMS_5"}, Paused: true}}
	f.s.opt.Campaigns = x
	for id := range int64(2) {
		if _, err := f.s.SetPreference(t.Context(), id+1, Preference{SMS: true, Marketing: true}); err != nil {
			t.Fatal(err)
		}
	}
	f.enqueue(t, offer(1))
	f.drain(t)
	if m := f.state(t, "offer:5:1"); m.State != Held || len(g.sent) != 0 {
		t.Fatalf("paused: %+v", m)
	}
	g.answer = func(sms.Message) error {
		return &sms.Error{Class: sms.Rejected, Code: "FailedOperation.TemplateIncorrectOrUnapproved"}
	}
	x.c.Paused = false
	f.clk.Advance(pausedFor + time.Second)
	f.drain(t)
	if m := f.state(t, "offer:5:1"); (m.State != Queued && m.State != Held) || x.broken == "" {
		t.Fatalf("a template that the provider refuses: %+v, %q", m, x.broken)
	}
	g.answer, x.c.Paused, x.c.Template.ID = nil, false, "SMS_6"
	f.clk.Advance(pausedFor + time.Second)
	f.drain(t)
	if m := f.state(t, "offer:5:1"); m.State != Sent || len(g.sent) != 1 || g.sent[0].TemplateID != "SMS_6" {
		t.Fatalf("mended: %+v %+v", m, g.sent)
	}
	x.c.Stopped = "群发已停止"
	f.enqueue(t, offer(2))
	f.drain(t)
	if m := f.state(t, "offer:5:2"); m.State != Off || len(g.sent) != 1 {
		t.Fatalf("stopped: %+v", m)
	}
	f.audit(t)
}

func TestObjectEndsCallsAndOffers(t *testing.T) {
	f, _ := wide(t, people{}, phones{})
	if _, err := f.s.SetPreference(t.Context(), 1, Preference{Off: []string{GroupCare}, SMS: true, Calls: true, Marketing: true, FromMinute: 600, ToMinute: 1200}); err != nil {
		t.Fatal(err)
	}
	if err := f.d.InTx(manager(t.Context()), func(ctx context.Context, tx *db.Tx) error { return f.s.ObjectTx(ctx, tx, 1) }); err != nil {
		t.Fatal(err)
	}
	all, err := f.s.Preferences(t.Context(), []int64{1})
	if p := all[1]; err != nil || p.Calls || p.Marketing || !p.SMS || len(p.Off) != 1 || p.FromMinute != 600 {
		t.Errorf("%+v %v", p, err)
	}
}
