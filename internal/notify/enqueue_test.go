package notify

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/wechat"
)

func (f fixture) enqueueMany(t *testing.T, ms []Message) (added int) {
	t.Helper()
	if err := f.d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
		added, err = f.s.EnqueueManyTx(ctx, tx, ms)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return added
}

func TestN29ManyMessagesAreWrittenTogetherAndEachOnce(t *testing.T) {
	f := setUp(t, people{1: {{App: MiniProgram, OpenID: "mp-1"}}})
	f.accept(t, 1, "tmpl-topup", 150)
	f.enqueue(t, Message{MemberID: 1, Event: Topup, Dedupe: "many:7"})
	var ms []Message
	for i := range 450 {
		ms = append(ms, Message{MemberID: 1, Event: Topup, Dedupe: fmt.Sprintf("many:%d", i%430), Data: map[string]string{"amount": "1.00"}})
	}
	if n := f.enqueueMany(t, ms); n != 429 {
		t.Errorf("%d of 430 keys are new, 1 of them exists", n)
	}
	if n := f.enqueueMany(t, ms); n != 0 {
		t.Errorf("%d new at the second try", n)
	}
	var jobsQueued int
	if err := f.d.Get(t.Context(), &jobsQueued, `SELECT COUNT(*) FROM jobs_queue`); err != nil || jobsQueued > 1+3*10 {
		t.Errorf("%d jobs for 430 messages, %v", jobsQueued, err)
	}
	failed := false
	f.wx.answer = func(wechat.SubscribeMessage) error { // one call in the middle of a batch does not get through
		if f.wx.calls == 33 && !failed {
			failed = true
			return errors.New("dial tcp: connection refused")
		}
		return nil
	}
	f.drain(t)
	f.clk.Advance(time.Hour)
	f.drain(t)
	var left int
	if err := f.d.Get(t.Context(), &left, `SELECT COUNT(*) FROM notify_messages WHERE state IN ('queued', 'sending')`); err != nil || left != 0 {
		t.Errorf("%d messages were forgotten, %v", left, err)
	}
	if len(f.wx.sent) != 150 || f.wx.calls != 151 {
		t.Errorf("%d sent in %d calls; 150 grants, one call failed", len(f.wx.sent), f.wx.calls)
	}
}

func TestEventCatalogue(t *testing.T) {
	seen := map[string]bool{}
	groups := map[string]bool{}
	for _, g := range Groups() {
		groups[g.Group] = true
	}
	for _, e := range Events() {
		if seen[e.Event] || e.Title == "" || !groups[e.Group] || (len(e.Layout) == 0) != e.TextOnly() {
			t.Errorf("%+v", e)
		}
		seen[e.Event] = true
		names := map[string]bool{}
		for _, x := range e.Fields {
			if x.Label == "" || x.Example == "" || names[x.Name] {
				t.Errorf("%s: %+v", e.Event, x)
			}
			names[x.Name] = true
		}
		for key, from := range e.Layout {
			if from[0] != '=' && !names[from] {
				t.Errorf("%s: %s is filled from %q, which is no field", e.Event, key, from)
			}
		}
	}
}
