package notify

import (
	"context"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/jobs"
)

// The outcomes of a step that are no state of a message.
const (
	stepRetry  = "retry"  // not reached, again later
	stepQuota  = "quota"  // the quota is used up
	stepBroken = "broken" // the template is gone
	stepResent = "resent" // a person sent it again
)

// stepTx adds a line to the history of a message.
func (s *Service) stepTx(tx *db.Tx, messageID int64, channel, outcome, code, detail string) {
	tx.InsertSoon("notify_steps", stepRow{ID: tx.NewID(), MessageID: messageID, Day: bizday.Of(tx.Now, s.opt.Zone), Channel: channel, Outcome: outcome, Code: db.Clip(code, 80),
		Detail: db.Clip(detail, 200), At: tx.Millis()})
}

// taken ends a message that a channel took, and connects it with the channel's number.
func (s *Service) taken(ctx context.Context, m messageRow, took claimed, w way, a answer) error {
	return s.close(ctx, m, took, Sent, "", w, func(ctx context.Context, tx *db.Tx) error {
		if w.channel != OfficialAccount || a.remote == "" || a.remote == "0" {
			return nil
		}
		status, err := fileReceipt(ctx, tx, receiptRow{App: w.channel, RemoteID: a.remote, MessageID: m.ID, CreatedAt: tx.Millis()})
		if err != nil || status == "" {
			return err
		}
		m.State, m.Channel = Sent, w.channel // the report was quicker than the answer
		return s.reportedTx(ctx, tx, m, status)
	})
}

// close ends a claimed message; also runs in the same transaction when it was still ours.
func (s *Service) close(ctx context.Context, m messageRow, took claimed, state, detail string, w way, also func(context.Context, *db.Tx) error) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		ok, err := settle(ctx, tx, m.ID, Sending, took.lease, state, detail)
		if err != nil || !ok {
			return err
		}
		s.stepTx(tx, m.ID, w.channel, state, "", detail)
		if took.day != "" && state != Sent {
			if err := givePace(ctx, tx, m.MemberID, took.day); err != nil {
				return err
			}
		}
		if also == nil {
			return nil
		}
		return also(ctx, tx)
	})
}

// back gives a claimed message back after a call that led nowhere, due at an instant or, with 0, at once for the next way.
func (s *Service) back(ctx context.Context, m *messageRow, took claimed, w way, a answer, due int64, also func(context.Context, *db.Tx) error) error {
	outcome := map[answerKind]string{refused: Refused, rejected: Failed, broken: stepBroken, used: stepQuota, away: stepRetry}[a.kind]
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		ok, err := requeue(ctx, tx, *m, Sending, took.lease, Queued, a.detail, due)
		if err != nil || !ok {
			return err
		}
		s.stepTx(tx, m.ID, w.channel, outcome, a.code, a.detail)
		if took.day != "" {
			if err := givePace(ctx, tx, m.MemberID, took.day); err != nil {
				return err
			}
		}
		return also(ctx, tx)
	})
}

// end decides a message that is with no channel.
func (s *Service) end(ctx context.Context, m messageRow, state, detail string) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := s.endTx(ctx, tx, m, state, detail)
		return err
	})
}

func (s *Service) endTx(ctx context.Context, tx *db.Tx, m messageRow, state, detail string) (bool, error) {
	for _, from := range []string{Queued, Held} {
		if ok, err := settle(ctx, tx, m.ID, from, 0, state, detail); err != nil {
			return false, err
		} else if ok {
			s.stepTx(tx, m.ID, "", state, "", detail)
			return true, nil
		}
	}
	return false, nil
}

// hold keeps a message until an instant; why is shown.
func (s *Service) hold(ctx context.Context, m messageRow, until time.Time, why string) error {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		for _, from := range []string{Queued, Held} {
			ok, err := requeue(ctx, tx, m, from, 0, Held, why, until.UnixMilli())
			if err != nil || ok {
				if ok && m.State != Held {
					s.stepTx(tx, m.ID, "", Held, "", why)
				}
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return jobs.After{D: until.Sub(s.db.Now())}
}

// again makes a message wait for a channel that nobody can reach now, without a try.
func (s *Service) again(ctx context.Context, m messageRow, until time.Time, why string) error {
	until = until.Add(retryIn(1))
	if err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := requeue(ctx, tx, m, m.State, 0, Queued, why, until.UnixMilli())
		return err
	}); err != nil {
		return err
	}
	return jobs.After{D: until.Sub(s.db.Now())}
}

// recover looks at a message that is being sent. If its process is gone nobody knows whether it was taken; sending it again could tell the
// owner twice, so it ends visibly as failed. The official account recognises a repeat of a few minutes: there it is safe.
func (s *Service) recover(ctx context.Context, m messageRow) error {
	now := s.db.Now()
	ends := clock.FromMillis(m.LeaseUntil)
	if left := ends.Sub(now); left > 0 {
		return jobs.After{D: left + time.Second}
	}
	took := claimed{lease: m.LeaseUntil}
	if m.Channel == OfficialAccount && now.Sub(ends) < repeatTime-leaseTime {
		a := answer{kind: away, detail: "发送途中服务中断，将重新发送"}
		if err := s.back(ctx, &m, took, way{channel: m.Channel}, a, 0, func(context.Context, *db.Tx) error { return nil }); err != nil {
			return err
		}
		return jobs.After{}
	}
	return s.close(ctx, m, took, Failed, "发送途中服务中断，不确定是否送达，可手动重发", way{channel: m.Channel}, nil)
}

// repeatTime is for how long WeChat takes a template message with the same client_msg_id for the same one; a minute less to be sure.
const repeatTime = 9 * time.Minute

// DeliveredTx notes what WeChat says became of a message that it had taken (TEMPLATESENDJOBFINISH): "success", or why not. What did not
// arrive goes on by the next way. A number that is no message of ours changes nothing; one that is not known yet waits for its message.
func (s *Service) DeliveredTx(ctx context.Context, tx *db.Tx, app string, msgID int64, status string) error {
	id, err := reportReceipt(ctx, tx, receiptRow{App: db.Clip(app, 32), RemoteID: itoa(msgID), Status: or(db.Clip(status, 64), "?"), CreatedAt: tx.Millis()})
	if err != nil || id == 0 {
		return err
	}
	m, err := readMessage(ctx, tx, id, tx.ForUpdate())
	if err != nil {
		return err
	}
	return s.reportedTx(ctx, tx, m, status)
}

func (s *Service) reportedTx(ctx context.Context, tx *db.Tx, m messageRow, status string) error {
	if m.State != Sent {
		return nil
	}
	if status == "success" {
		if ok, err := settle(ctx, tx, m.ID, Sent, 0, Delivered, ""); err != nil || !ok {
			return err
		}
		s.stepTx(tx, m.ID, m.Channel, Delivered, "", "")
		return nil
	}
	detail := "微信没有送达：" + status
	if status == "failed:user block" {
		detail = "用户拒收公众号消息"
	}
	m.mark(m.Channel)
	if ok, err := requeue(ctx, tx, m, Sent, 0, Queued, detail, 0); err != nil || !ok {
		return err
	}
	s.stepTx(tx, m.ID, m.Channel, Refused, db.Clip(status, 40), detail)
	return s.queue.EnqueueTx(ctx, tx, jobs.Job{Kind: JobDeliver, Payload: delivery{MessageID: m.ID}})
}
