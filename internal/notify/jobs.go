package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/wechat"
)

// delivery names the messages of a job: one, or those of a batch.
type delivery struct {
	MessageID  int64   `json:"messageId,omitempty"`
	MessageIDs []int64 `json:"messageIds,omitempty"`
}

func (s *Service) deliverJob(ctx context.Context, payload []byte) error {
	var d delivery
	if err := json.Unmarshal(payload, &d); err != nil {
		return fmt.Errorf("%w: %w", jobs.ErrPermanent, err)
	}
	if len(d.MessageIDs) == 0 {
		return s.deliver(ctx, d.MessageID)
	}
	return s.deliverBatch(ctx, d.MessageIDs)
}

// batchTime is how long a batch goes on, well below a job's lease: the slowest call must still end before it.
const batchTime = time.Minute

// deliverBatch sends messages one after the other. What is not decided goes on in a job of its own, so that one that waits does not make
// the others run again.
func (s *Service) deliverBatch(ctx context.Context, ids []int64) error {
	type later struct {
		id int64
		at time.Time
	}
	var left []later
	spare, stop := context.WithTimeout(ctx, batchTime)
	defer stop()
	for i, id := range ids {
		if spare.Err() != nil {
			for _, id := range ids[i:] {
				left = append(left, later{id, s.db.Now()})
			}
			break
		}
		var again jobs.After
		switch err := s.deliver(ctx, id); {
		case errors.As(err, &again):
			left = append(left, later{id, s.db.Now().Add(again.D)})
		case errors.Is(err, jobs.ErrPermanent), err == nil:
		default:
			left = append(left, later{id, s.db.Now().Add(time.Minute)})
		}
	}
	if len(left) == 0 {
		return nil
	}
	fin, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return s.db.InTx(fin, func(ctx context.Context, tx *db.Tx) error {
		for _, x := range left {
			if err := s.queue.EnqueueTx(ctx, tx, jobs.Job{Kind: JobDeliver, Payload: delivery{MessageID: x.id}, RunAt: x.at}); err != nil {
				return err
			}
		}
		return nil
	})
}

// deliver sends a message once, however often it runs. A message that WeChat did not take because it could not be
// reached is queued again, and the error makes the job run again with back-off.
func (s *Service) deliver(ctx context.Context, id int64) error {
	m, err := readMessage(ctx, s.db, id)
	if errors.Is(err, db.ErrNoRows) {
		return fmt.Errorf("%w: message %d is gone", jobs.ErrPermanent, id)
	}
	if err != nil {
		return err
	}
	switch m.State {
	case Queued:
	case Sending:
		return s.recover(ctx, m)
	default:
		return nil // decided before: this run is the second one
	}
	want, err := s.switches.Bool(ctx, switchOf(m.Event))
	if err != nil {
		return err
	}
	if !want {
		return s.end(ctx, m, Off, "店铺关闭了这类消息")
	}
	people, err := s.dir.Recipients(ctx, m.MemberID)
	if err != nil {
		return err
	}
	refused, configured := false, false
	for _, ch := range s.channels(m.Event) {
		configured = true
		for _, to := range people {
			if to.App != ch.app || to.OpenID == "" {
				continue
			}
			done, no, err := s.try(ctx, &m, ch, to)
			if done || err != nil {
				return err
			}
			refused = refused || no
		}
	}
	switch {
	case !configured:
		return s.end(ctx, m, Unreachable, "没有为这类消息配置微信模板")
	case refused:
		return s.end(ctx, m, Refused, "车主未同意接收，或同意次数已用完")
	}
	return s.end(ctx, m, Unreachable, "没有可用的订阅同意，也没有关注公众号")
}

// channel is one way to reach an identity of an app (X04).
type channel struct {
	app      string
	template TemplateConfig
	granted  bool // each message costs a grant
	send     func(ctx context.Context, m messageRow, to Recipient, data map[string]string) error
}

// channels lists the ways for an event in the order of preference: the mini-program's subscribe message, then the official account's
// template message to those who follow it.
func (s *Service) channels(event string) (out []channel) {
	if t := s.opt.Templates[event]; t.ID != "" {
		out = append(out, channel{MiniProgram, t, true, func(ctx context.Context, m messageRow, to Recipient, data map[string]string) error {
			return s.sender.SendSubscribe(ctx, wechat.SubscribeMessage{OpenID: to.OpenID, TemplateID: t.ID, Page: m.Page, Data: data})
		}})
	}
	if t := s.opt.OfficialTemplates[event]; t.ID != "" {
		out = append(out, channel{OfficialAccount, t, false, func(ctx context.Context, m messageRow, to Recipient, data map[string]string) error {
			_, err := s.sender.SendTemplate(ctx, wechat.TemplateMessage{OpenID: to.OpenID, TemplateID: t.ID, URL: s.opt.PageBase + m.Page,
				ClientMsgID: strconv.FormatInt(m.ID, 10), Data: data})
			return err
		}})
	}
	return out
}

// try sends m to one identity, if that has a grant where one is needed. done says that m's fate is decided or another run holds it;
// refused that WeChat says no for this identity.
func (s *Service) try(ctx context.Context, m *messageRow, ch channel, to Recipient) (done, refused bool, err error) {
	var lease int64
	var claimed bool
	granted, tmpl := true, ch.template
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		lease, claimed = tx.Now.Add(leaseTime).UnixMilli(), false
		if ch.granted {
			if granted, err = takeGrant(ctx, tx, to, tmpl.ID); err != nil || !granted {
				return err
			}
		}
		if claimed, err = claim(ctx, tx, m.ID, to, tmpl.ID); err == nil && !claimed {
			return errLostClaim // gives the grant back
		}
		return err
	})
	if errors.Is(err, errLostClaim) {
		return true, false, nil
	}
	if err != nil || !granted {
		return false, false, err
	}
	var data map[string]string
	if err := json.Unmarshal([]byte(m.Data), &data); err != nil {
		return true, false, s.close(ctx, m.ID, lease, Failed, "消息内容无法读取", nil)
	}
	sendErr := ch.send(ctx, *m, to, fill(tmpl.Fields, data, s.opt.Zone))
	giveBack := func(ctx context.Context, tx *db.Tx) error {
		if !ch.granted {
			return nil
		}
		return addGrant(ctx, tx, to, tmpl.ID)
	}
	// What WeChat did is written down even when the job is being stopped.
	fin, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	switch wechat.ClassOf(sendErr) {
	case "":
		return true, false, s.close(fin, m.ID, lease, Sent, "", nil)
	case wechat.Refused:
		// 43101 says that WeChat counts no grant: our count was wrong, so it becomes zero. 43004 says that they do not follow. Another way may work.
		return false, true, s.db.InTx(fin, func(ctx context.Context, tx *db.Tx) error {
			if ch.granted {
				if err := zeroGrant(ctx, tx, to, tmpl.ID); err != nil {
					return err
				}
			}
			_, err := requeue(ctx, tx, m.ID, lease, "车主未同意接收，或同意次数已用完")
			return err
		})
	case wechat.Rejected, wechat.NotConfigured:
		return true, false, s.close(fin, m.ID, lease, Failed, "微信不接受："+sendErr.Error(), giveBack)
	}
	err = s.db.InTx(fin, func(ctx context.Context, tx *db.Tx) error {
		ok, err := requeue(ctx, tx, m.ID, lease, "微信暂时无法连接，将自动重试")
		if err != nil || !ok {
			return err
		}
		return giveBack(ctx, tx)
	})
	return true, false, errors.Join(err, sendErr)
}

var errLostClaim = errors.New("notify: another run holds the message")

// close ends a claimed message; also runs in the same transaction when it was still ours.
func (s *Service) close(ctx context.Context, id, lease int64, state, detail string, also func(context.Context, *db.Tx) error) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		ok, err := settle(ctx, tx, id, Sending, lease, state, detail)
		if err != nil || !ok || also == nil {
			return err
		}
		return also(ctx, tx)
	})
}

// end decides a message that was never handed to WeChat.
func (s *Service) end(ctx context.Context, m messageRow, state, detail string) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := settle(ctx, tx, m.ID, Queued, 0, state, detail)
		return err
	})
}

// recover looks at a message that is being sent. If its process is gone nobody knows whether WeChat took it; sending
// it again could tell the owner twice, so it ends visibly as failed.
func (s *Service) recover(ctx context.Context, m messageRow) error {
	if left := clock.FromMillis(m.LeaseUntil).Sub(s.db.Now()); left > 0 {
		return jobs.After{D: left + time.Second}
	}
	return s.close(ctx, m.ID, m.LeaseUntil, Failed, "发送途中服务中断，不确定是否送达", nil)
}
