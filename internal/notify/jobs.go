package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/wechat"
)

type delivery struct {
	MessageID int64 `json:"messageId"`
}

func (s *Service) deliverJob(ctx context.Context, payload []byte) error {
	var d delivery
	if err := json.Unmarshal(payload, &d); err != nil {
		return fmt.Errorf("%w: %w", jobs.ErrPermanent, err)
	}
	return s.deliver(ctx, d.MessageID)
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
	tmpl, ok := s.opt.Templates[m.Event]
	if !ok || tmpl.ID == "" {
		return s.end(ctx, m, Unreachable, "没有为这类消息配置微信模板")
	}
	people, err := s.dir.Recipients(ctx, m.MemberID)
	if err != nil {
		return err
	}
	refused := false
	for _, to := range people {
		if to.App != MiniProgram || to.OpenID == "" {
			continue
		}
		done, no, err := s.try(ctx, &m, tmpl, to)
		if done || err != nil {
			return err
		}
		refused = refused || no
	}
	if refused {
		return s.end(ctx, m, Refused, "车主未同意接收，或同意次数已用完")
	}
	return s.end(ctx, m, Unreachable, "没有可用的订阅同意")
}

// try sends m to one identity if that has a grant. done says that m's fate is decided or another run holds it;
// refused that WeChat says no for this identity.
func (s *Service) try(ctx context.Context, m *messageRow, tmpl TemplateConfig, to Recipient) (done, refused bool, err error) {
	var lease int64
	var granted, claimed bool
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		lease, claimed = tx.Now.Add(leaseTime).UnixMilli(), false
		if granted, err = takeGrant(ctx, tx, to, tmpl.ID); err != nil || !granted {
			return err
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
	sendErr := s.sender.SendSubscribe(ctx, wechat.SubscribeMessage{OpenID: to.OpenID, TemplateID: tmpl.ID, Page: m.Page,
		Data: fill(tmpl.Fields, data, s.opt.Zone)})
	// What WeChat did is written down even when the job is being stopped.
	fin, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	switch wechat.ClassOf(sendErr) {
	case "":
		return true, false, s.close(fin, m.ID, lease, Sent, "", nil)
	case wechat.Refused:
		// 43101 says that WeChat counts no grant: our count was wrong, so it becomes zero. Another identity may have one.
		return false, true, s.db.InTx(fin, func(ctx context.Context, tx *db.Tx) error {
			if err := zeroGrant(ctx, tx, to, tmpl.ID); err != nil {
				return err
			}
			_, err := requeue(ctx, tx, m.ID, lease, "车主未同意接收，或同意次数已用完")
			return err
		})
	case wechat.Rejected, wechat.NotConfigured:
		return true, false, s.close(fin, m.ID, lease, Failed, "微信不接受："+sendErr.Error(), func(ctx context.Context, tx *db.Tx) error {
			return addGrant(ctx, tx, to, tmpl.ID)
		})
	}
	err = s.db.InTx(fin, func(ctx context.Context, tx *db.Tx) error {
		ok, err := requeue(ctx, tx, m.ID, lease, "微信暂时无法连接，将自动重试")
		if err != nil || !ok {
			return err
		}
		return addGrant(ctx, tx, to, tmpl.ID)
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
