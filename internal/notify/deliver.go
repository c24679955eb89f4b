package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/jobs"
)

// What stands in messageRow.Tried beside the channels that must not be tried again.
const markHand = "hand" // sent again by a person: neither quiet hours nor the cap hold it

func (m messageRow) marked(mark string) bool { return strings.Contains(","+m.Tried, ","+mark+",") }

func (m *messageRow) mark(mark string) {
	if !m.marked(mark) && len(m.Tried)+len(mark) < 64 {
		m.Tried += mark + ","
	}
}

// plan is what decides a message's fate besides the answers of the channels.
type plan struct {
	set   setup
	event EventInfo
	rule  Rule
	pref  Preference
	zone  string
	store int64

	campaign *Campaign // of an Offer
}

// deliver sends a message once, however often it runs. What could not be decided yet is due again later: the error says when.
func (s *Service) deliver(ctx context.Context, id int64) error {
	m, err := readMessage(ctx, s.db, id, "")
	if errors.Is(err, db.ErrNoRows) {
		return fmt.Errorf("%w: message %d is gone", jobs.ErrPermanent, id)
	}
	if err != nil {
		return err
	}
	switch m.State {
	case Queued, Held:
	case Sending:
		return s.recover(ctx, m)
	default:
		return nil // decided before: this run is the second one
	}
	now := s.db.Now()
	if due := clock.FromMillis(m.DueAt); m.DueAt != 0 && due.After(now) {
		return jobs.After{D: due.Sub(now)}
	}
	if m.UntilAt != 0 && now.UnixMilli() >= m.UntilAt {
		return s.end(ctx, m, Stale, "已过时，不再发送")
	}
	p, err := s.plan(ctx, m)
	if err != nil {
		return err
	}
	switch {
	case p.campaign != nil && p.campaign.Stopped != "":
		return s.end(ctx, m, Off, p.campaign.Stopped)
	case p.campaign != nil && p.campaign.Paused:
		return s.hold(ctx, m, now.Add(pausedFor), "群发已暂停")
	case !p.rule.On:
		return s.end(ctx, m, Off, "店铺关闭了这类消息")
	case !p.pref.wants(p.event):
		return s.end(ctx, m, Off, "会员不想收到这类消息")
	}
	if !p.event.Urgent && !m.marked(markHand) {
		if at := opens(now, p.set, p.pref, p.zone); at.After(now) {
			return s.hold(ctx, m, at, "免打扰时段，"+at.In(bizday.Location(p.zone)).Format("1月2日 15:04")+" 后发送")
		}
	}
	return s.route(ctx, m, p)
}

func (s *Service) plan(ctx context.Context, m messageRow) (p plan, err error) {
	if p.set, err = s.current(ctx); err != nil {
		return p, err
	}
	var known bool
	if p.event, known = eventInfo(m.Event); !known {
		p.event = EventInfo{Event: m.Event, Title: "消息", Urgent: true}
	}
	p.rule = p.set.rule(m.Event)
	if p.pref, err = s.preferenceOf(ctx, m.MemberID); err != nil {
		return p, err
	}
	if m.Event == Offer {
		if p.campaign, err = s.campaignOf(ctx, m); err != nil {
			return p, err
		}
	}
	p.zone = s.opt.Zone
	if s.opt.People != nil && (!p.event.Urgent || p.rule.Calls) {
		p.store, p.zone, err = s.opt.People.Place(ctx, m.MemberID)
	}
	return p, err
}

// route tries one way after the other until a message is taken or none is left.
func (s *Service) route(ctx context.Context, m messageRow, p plan) error {
	ways, err := s.ways(ctx, p, m)
	if err != nil {
		return err
	}
	now := s.db.Now()
	var said []string
	var wait time.Time // of the channel whose quota is used up first
	worst := ""        // Failed before Refused before Unreachable
	configured := false
	for _, w := range ways {
		if m.marked(w.channel) {
			configured = true
			continue
		}
		if w.template.ID == "" {
			continue
		}
		configured = true
		if w.template.Broken != "" {
			said = append(said, channelName(w.channel)+"的模板已失效")
			continue
		}
		if len(w.to) == 0 && w.unknown {
			return s.again(ctx, m, now, channelName(w.channel)+"暂时无法连接，将自动重试")
		}
		if len(w.to) == 0 {
			said = append(said, w.none)
			continue
		}
		if until, quota := s.brakes.closed(w.channel, now); !until.IsZero() {
			if !quota {
				return s.again(ctx, m, until, channelName(w.channel)+"暂时无法连接，将自动重试")
			}
			wait = earliest(wait, until)
			said = append(said, channelName(w.channel)+"的额度已用完")
			if p.waitsFor(m, until) {
				return s.hold(ctx, m, until, said[len(said)-1]+"，到时自动发送")
			}
			continue
		}
		for _, to := range w.to {
			done, a, err := s.try(ctx, &m, p, w, to)
			if done || err != nil {
				return err
			}
			switch a.kind {
			case refused:
				if worst == "" {
					worst = Refused
				}
			case rejected:
				worst = Failed
			case used:
				wait = earliest(wait, a.until)
			}
			if a.detail != "" {
				said = append(said, a.detail)
			}
			if a.kind == used && p.waitsFor(m, a.until) {
				return s.hold(ctx, m, a.until, a.detail+"，到时自动发送")
			}
			if a.kind == broken || a.kind == used {
				break
			}
		}
	}
	switch detail := strings.Join(said, "；"); {
	case !wait.IsZero() && (m.UntilAt == 0 || wait.UnixMilli() < m.UntilAt):
		return s.hold(ctx, m, wait, detail)
	case p.rule.Calls && p.pref.Calls && !p.event.Marketing():
		return s.toCallList(ctx, m, p, or(detail, "没有配置消息模板"))
	case !configured:
		return s.end(ctx, m, Unreachable, "没有为这类消息配置模板")
	case worst != "":
		return s.end(ctx, m, worst, detail)
	default:
		return s.end(ctx, m, Unreachable, detail)
	}
}

// waitsFor says whether a message rather waits for a quota than goes on to the next way: one that is not urgent and does not go stale before.
func (p plan) waitsFor(m messageRow, until time.Time) bool {
	return !p.event.Urgent && (m.UntilAt == 0 || until.UnixMilli() < m.UntilAt)
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

func channelName(channel string) string {
	switch channel {
	case MiniProgram:
		return "小程序"
	case OfficialAccount:
		return "公众号"
	case TextMessage:
		return "短信"
	}
	return "电话"
}

// unsureText is what the log says of a message that the mini-program may have shown: it is not sent again by itself.
const unsureText = "微信没有答复，不确定是否送达，可手动重发"

// errLostClaim says that another run holds the message; errCapped that the member had enough.
var (
	errLostClaim = errors.New("notify: another run holds the message")
	errCapped    = errors.New("notify: the member had enough messages")
)

// claimed is what a claim took and a failure gives back.
type claimed struct {
	lease int64
	day   string // of the member's pace; "" when the message does not count
}

// try sends m to one recipient, if that has a grant where one is needed. done says that m's fate is decided, or that it runs again later, or that
// another run holds it; otherwise the answer says why this way led nowhere.
func (s *Service) try(ctx context.Context, m *messageRow, p plan, w way, to Recipient) (done bool, a answer, err error) {
	var took claimed
	granted := true
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		took = claimed{lease: tx.Now.Add(leaseTime).UnixMilli()}
		if w.granted {
			if granted, err = takeGrant(ctx, tx, to, w.template.ID); err != nil || !granted {
				return err
			}
		}
		ok, err := claim(ctx, tx, m.ID, w.channel, to, w.template.ID)
		if err != nil {
			return err
		}
		if !ok {
			return errLostClaim // gives the grant back
		}
		if p.event.Cap && !m.marked(markHand) && (p.set.perDay > 0 || p.set.perWeek > 0) {
			took.day = bizday.Of(tx.Now, p.zone)
			if ok, err = takePace(ctx, tx, m.MemberID, took.day, bizday.Of(tx.Now.AddDate(0, 0, -6), p.zone), p.set.perDay, p.set.perWeek); err == nil && !ok {
				return errCapped
			}
		}
		return err
	})
	switch {
	case errors.Is(err, errLostClaim):
		return true, a, nil
	case errors.Is(err, errCapped):
		return true, a, s.end(ctx, *m, Capped, "该会员近期收到的消息已达上限，本条不再发送")
	case err != nil:
		return false, a, err
	case !granted:
		return false, answer{kind: refused, detail: "没有可用的订阅同意"}.quiet(), nil
	}
	m.Attempts++
	var data map[string]string
	if err := json.Unmarshal([]byte(m.Data), &data); err != nil {
		return true, a, s.close(ctx, *m, took, Failed, "消息内容无法读取", w, nil)
	}
	a = s.call(ctx, w, to, *m, data, p.zone)
	// What became of the call is written down even when the job is being stopped.
	fin, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return s.note(fin, m, p, w, to, took, a)
}

// quiet turns an answer that nobody gave into one that does not count as a refusal.
func (a answer) quiet() answer { a.kind = broken; return a }

// note writes down what a channel answered.
func (s *Service) note(ctx context.Context, m *messageRow, p plan, w way, to Recipient, took claimed, a answer) (done bool, _ answer, err error) {
	now := s.db.Now()
	giveBack := func(ctx context.Context, tx *db.Tx) error {
		if w.granted {
			return addGrant(ctx, tx, to, w.template.ID)
		}
		return nil
	}
	switch a.kind {
	case taken:
		s.brakes.answered(w.channel)
		return true, a, s.taken(ctx, *m, took, w, a)
	case refused:
		s.brakes.answered(w.channel)
		// 43101 says that WeChat counts no grant: our count was wrong, so it becomes zero.
		return false, a, s.back(ctx, m, took, w, a, 0, func(ctx context.Context, tx *db.Tx) error {
			if w.granted {
				return zeroGrant(ctx, tx, to, w.template.ID)
			}
			return nil
		})
	case rejected:
		s.brakes.answered(w.channel)
		m.mark(w.channel)
		return false, a, s.back(ctx, m, took, w, a, 0, giveBack)
	case broken:
		s.brakes.answered(w.channel)
		if p.campaign != nil { // it waits for somebody to mend the template
			due := now.Add(pausedFor)
			if err := errors.Join(s.back(ctx, m, took, w, a, due.UnixMilli(), giveBack), s.opt.Campaigns.Broken(ctx, p.campaign.ID, a.detail)); err != nil {
				return true, a, err
			}
			return true, a, jobs.After{D: due.Sub(now)}
		}
		if err := s.back(ctx, m, took, w, a, 0, giveBack); err != nil {
			return false, a, err
		}
		return false, a, s.breakTemplate(ctx, w.template, a.detail)
	case used:
		s.brakes.used(w.channel, a.until)
		return false, a, s.back(ctx, m, took, w, a, 0, giveBack)
	}
	s.brakes.failed(w.channel, now)
	if a.unsure && w.granted {
		// WeChat recognises no repeat, and may have more grants than we know of: one that is on its way to us, or one that another message took of ours.
		// If the call was not taken, the grant is still there; if it was, the next call says so.
		return true, a, s.close(ctx, *m, took, Failed, unsureText, w, giveBack)
	}
	if m.Attempts >= maxTries {
		return true, a, s.close(ctx, *m, took, Dead, "多次重试仍无法连接，可手动重发", w, giveBack)
	}
	due := now.Add(retryIn(m.Attempts))
	if err := s.back(ctx, m, took, w, a, due.UnixMilli(), giveBack); err != nil {
		return true, a, err
	}
	return true, a, jobs.After{D: due.Sub(now)}
}
