package notify

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/wechat"
)

// WeChat is away when it should say whether somebody follows: the message waits, and is not lost to somebody who does.
func TestN29UnknownFollowerIsAskedAgain(t *testing.T) {
	dir := people{1: {{App: OfficialAccount, OpenID: "oa1", Unknown: true}}}
	f, _ := wide(t, dir, phones{})
	f.enqueue(t, msg(1, Topup, "x"))
	for range 30 {
		f.drain(t)
		f.clk.Advance(time.Minute)
	}
	if m := f.state(t, "x"); m.State != Queued || len(f.wx.sentOA) != 0 {
		t.Fatalf("%+v, %d sent", m, len(f.wx.sentOA))
	}
	dir[1] = []Recipient{{App: OfficialAccount, OpenID: "oa1", Following: true}}
	f.clk.Advance(time.Hour)
	f.drain(t)
	if m := f.state(t, "x"); m.State != Sent || len(f.wx.sentOA) != 1 {
		t.Errorf("%+v, %d sent", m, len(f.wx.sentOA))
	}
	f.audit(t)
}

// A call of the mini-program without an answer may have been taken. WeChat recognises no repeat, so the message is not sent again by itself: neither on the
// grant that was given back, nor on another, nor on one of which we do not know yet.
func TestN29UnansweredCallIsNotRepeated(t *testing.T) {
	for _, c := range []struct {
		name         string
		first, later int // grants
	}{{"the last grant", 1, 0}, {"two grants", 2, 0}, {"another grant afterwards", 1, 1}} {
		t.Run(c.name, func(t *testing.T) {
			f := setUp(t, people{1: {{App: MiniProgram, OpenID: "mp1"}}})
			f.accept(t, 1, "tmpl-topup", c.first)
			f.wx.answer = func(wechat.SubscribeMessage) error {
				if f.wx.calls == 1 { // WeChat took it, the answer was lost
					return errors.New("EOF")
				}
				return nil
			}
			f.enqueue(t, msg(1, Topup, "x"))
			f.drain(t)
			if c.later > 0 {
				f.accept(t, 1, "tmpl-topup", c.later)
			}
			for range 10 {
				f.clk.Advance(time.Minute)
				f.drain(t)
			}
			if m := f.state(t, "x"); m.State != Failed || !strings.Contains(m.Detail, "不确定") || f.wx.calls != 1 {
				t.Errorf("%+v, %d calls", m, f.wx.calls)
			}
			f.audit(t)
		})
	}
}

// Two messages of one member, the first without an answer: whatever the second does with the grants, the first is not sent again and the log does not
// say that it could not be sent.
func TestN29GrantOfAnUnansweredCallGoesToTheNextMessage(t *testing.T) {
	f := setUp(t, people{1: {{App: MiniProgram, OpenID: "mp1"}}})
	f.accept(t, 1, "tmpl-topup", 1)
	f.wx.answer = func(wechat.SubscribeMessage) error {
		if f.wx.calls == 1 {
			return errors.New("EOF")
		}
		return nil // of a grant that WeChat has and we do not know of yet
	}
	f.enqueue(t, msg(1, Topup, "first"))
	f.drain(t)
	f.enqueue(t, msg(1, Topup, "second"))
	f.drain(t)
	f.accept(t, 1, "tmpl-topup", 1)
	for range 10 {
		f.clk.Advance(time.Minute)
		f.drain(t)
	}
	if m := f.state(t, "first"); m.State != Failed || !strings.Contains(m.Detail, "不确定") {
		t.Errorf("%+v", m)
	}
	if m := f.state(t, "second"); m.State != Sent || f.wx.calls != 2 {
		t.Errorf("%+v, %d calls", m, f.wx.calls)
	}
	f.audit(t)
}
