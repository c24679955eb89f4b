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

// With more than one grant a repeat would be taken as well as the first call: a message that may have arrived is not sent again by itself.
func TestN29UnansweredCallIsNotRepeatedOnAnotherGrant(t *testing.T) {
	for _, c := range []struct {
		name         string
		first, later int // grants
	}{{"two grants", 2, 0}, {"another grant while it waits", 1, 1}} {
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
