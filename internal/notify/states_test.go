package notify

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/setting"
)

func (f fixture) switched(t *testing.T, event string, on bool) error {
	t.Helper()
	return f.d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error { return f.s.SwitchTx(ctx, tx, event, on) })
}

// Who only switches a kind of message leaves the rest of its rule alone.
func TestSwitchLeavesTheRest(t *testing.T) {
	f := setUp(t, people{})
	if err := f.s.SaveRules(t.Context(), []Rule{{Event: InspectionDue, On: true, SMS: false, Calls: true}}); err != nil {
		t.Fatal(err)
	}
	for _, on := range []bool{false, false, true} {
		if err := f.switched(t, InspectionDue, on); err != nil {
			t.Fatal(err)
		}
		all, err := f.s.States(t.Context())
		if x := all[InspectionDue]; err != nil || x.On != on || x.SMS || !x.Calls || x.Title == "" {
			t.Errorf("%+v %v", x, err)
		}
	}
	if err := f.switched(t, "nonsense", true); !errors.Is(err, ErrEvent) {
		t.Error(err)
	}
}

// What a shop chose for all bookings before these events had a switch of their own goes on counting.
func TestOldSwitchCountsForNewEvents(t *testing.T) {
	f := setUp(t, people{})
	f.set.off[setting.MessageBooking], f.set.off[setting.MessageBenefits] = true, true
	all, err := f.s.States(t.Context())
	if err != nil || all[BookingLate].On || all[BookingTomorrow].On || all[TierFalling].On || !all[InspectionDue].On {
		t.Errorf("%+v %v", all[BookingLate], err)
	}
}

// Who is late is told by the reminder's template until there is one for this; the evening before never takes the reminder's grants.
func TestLateUsesTheRemindersTemplate(t *testing.T) {
	f := setUp(t, people{1: {{App: MiniProgram, OpenID: "mp-1"}}})
	f.s.opt.Templates[BookingReminder] = TemplateConfig{ID: "tmpl-reminder", Fields: map[string]string{"thing1": "hint"}}
	f.accept(t, 1, "tmpl-reminder", 1)
	f.enqueue(t, Message{MemberID: 1, Event: BookingTomorrow, Dedupe: "tomorrow", Data: map[string]string{"hint": "明天见"}})
	f.drain(t)
	if m := f.state(t, "tomorrow"); m.State != Unreachable {
		t.Errorf("%+v", m)
	}
	f.enqueue(t, Message{MemberID: 1, Event: BookingLate, Dedupe: "late", Data: map[string]string{"hint": "保留到 15:30"}})
	f.drain(t)
	if m := f.state(t, "late"); m.State != Sent || len(f.wx.sent) != 1 || f.wx.sent[0].TemplateID != "tmpl-reminder" {
		t.Errorf("%+v", m)
	}
	all, err := f.s.States(t.Context())
	if err != nil || !slices.Equal(all[BookingLate].Channels, []string{MiniProgram}) || len(all[BookingTomorrow].Channels) != 0 {
		t.Errorf("%+v %v", all[BookingLate], err)
	}
}

// N30: a grant for a template that other messages use too was not given for exactly this.
func TestN30GrantForExactlyThis(t *testing.T) {
	f := setUp(t, people{1: {{App: MiniProgram, OpenID: "mp-1"}}})
	f.s.opt.Templates[Birthday] = TemplateConfig{ID: "tmpl-topup", Fields: map[string]string{"thing1": "name"}}
	f.accept(t, 1, "tmpl-topup", 2)
	f.enqueue(t, Message{MemberID: 1, Event: Birthday, Dedupe: "wish:1", Data: map[string]string{"name": "林女士"}})
	f.drain(t)
	if m := f.state(t, "wish:1"); m.State != Unreachable || len(f.wx.sent) != 0 {
		t.Errorf("%+v", m)
	}
	f.s.opt.Templates[Birthday] = TemplateConfig{ID: "tmpl-wish", Fields: map[string]string{"thing1": "name"}}
	f.clk.Advance(5 * time.Second)
	f.accept(t, 1, "tmpl-wish", 1)
	f.enqueue(t, Message{MemberID: 1, Event: Birthday, Dedupe: "wish:2", Data: map[string]string{"name": "林女士"}})
	f.drain(t)
	if m := f.state(t, "wish:2"); m.State != Sent || len(f.wx.sent) != 1 {
		t.Errorf("%+v", m)
	}
}
