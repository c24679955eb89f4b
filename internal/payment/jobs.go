package payment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/wechat"
)

const (
	kindCheck  = "payment.check"  // follows a prepaid payment until it is final
	kindAsk    = "payment.ask"    // asks once, now
	kindExpire = "payment.expire" // ends a payment that WeChat never heard of
	kindRefund = "payment.refund" // sends a refund and follows it until it is final
	kindSweep  = "payment.sweep"  // picks up what the others lost
)

type payload struct {
	ID int64 `json:"id"`
}

func checkJob(id int64, at time.Time) jobs.Job {
	return jobs.Job{Kind: kindCheck, Dedupe: fmt.Sprintf("%s:%d", kindCheck, id), Payload: payload{id}, RunAt: at}
}

func askJob(id int64, why string) jobs.Job {
	return jobs.Job{Kind: kindAsk, Dedupe: fmt.Sprintf("%s:%d:%s", kindAsk, id, why), Payload: payload{id}}
}

func expireJob(id int64, at time.Time) jobs.Job {
	return jobs.Job{Kind: kindExpire, Dedupe: fmt.Sprintf("%s:%d", kindExpire, id), Payload: payload{id}, RunAt: at.Add(time.Second)}
}

func refundJob(id int64) jobs.Job {
	return jobs.Job{Kind: kindRefund, Dedupe: fmt.Sprintf("%s:%d", kindRefund, id), Payload: payload{id}}
}

func (s *Service) registerJobs() {
	each := func(kind, name string, f func(ctx context.Context, id int64) (time.Duration, error)) {
		s.queue.Handle(kind, func(ctx context.Context, raw []byte) error {
			var p payload
			if err := json.Unmarshal(raw, &p); err != nil {
				return fmt.Errorf("%w: %w", jobs.ErrPermanent, err)
			}
			next, err := f(actor.With(ctx, actor.Job(name)), p.ID)
			if err == nil && next > 0 {
				return jobs.After{D: next}
			}
			if errors.Is(err, wechat.ErrRejected) || errors.Is(err, wechat.ErrNotConfigured) {
				s.log.WarnContext(ctx, "WeChat Pay refuses to answer", "job", kind, "payment", p.ID, "err", err)
			}
			return patient(err)
		})
	}
	each(kindCheck, "自动查询", s.follow)
	each(kindAsk, "自动查询", func(ctx context.Context, id int64) (time.Duration, error) {
		_, err := s.Check(ctx, id)
		return 0, err
	})
	each(kindExpire, "超时关闭", func(ctx context.Context, id int64) (time.Duration, error) {
		p, err := getIntent(ctx, s.db, id)
		if err != nil || p.State != StateCreated {
			return 0, err
		}
		_, err = s.Close(ctx, id)
		return 0, err
	})
	each(kindRefund, "自动退款", s.stepRefund)
	s.queue.Every(kindSweep, time.Minute, func(ctx context.Context) error { return s.sweep(actor.With(ctx, actor.Job("自动查询"))) })
}

// patient keeps a job alive while WeChat or the database is away: that is no failure of the job, so it does not count.
func patient(err error) error {
	var f *fault.Error
	if errors.As(err, &f) && (f.Kind == fault.Unavailable || f.Kind == fault.TooMany || errors.Is(err, errMoved)) {
		return jobs.After{D: 30 * time.Second}
	}
	return err
}

// follow asks about a payment, ends it when its time is over, and returns when to look again; 0 when it is final.
func (s *Service) follow(ctx context.Context, id int64) (time.Duration, error) {
	p, err := getIntent(ctx, s.db, id)
	if err != nil || !p.live() {
		return 0, err
	}
	if s.db.Now().UnixMilli() > p.ExpiresAt {
		_, err := s.Close(ctx, id)
		return 0, err
	}
	if p.SentAt == 0 {
		return clock.FromMillis(p.ExpiresAt).Sub(s.db.Now()) + time.Second, nil
	}
	if p, err = s.ask(ctx, p); err != nil || !p.live() {
		return 0, err
	}
	return max(s.nextCheck(p).Sub(s.db.Now()), time.Second), nil
}

// sweep looks at what should have been looked at minutes ago: its job died, or was lost with a restored backup.
func (s *Service) sweep(ctx context.Context) error {
	var problems []error
	late := func(d time.Duration) int64 { return s.db.Now().Add(-d).UnixMilli() }
	ids, err := dueIntents(ctx, s.db, late(2*time.Minute))
	problems = append(problems, err)
	for _, id := range ids {
		_, err := s.follow(ctx, id)
		problems = append(problems, patientNil(err))
	}
	if ids, err = dueRefunds(ctx, s.db, late(5*time.Minute)); err != nil {
		problems = append(problems, err)
	}
	for _, id := range ids {
		_, err := s.stepRefund(ctx, id)
		problems = append(problems, patientNil(err))
	}
	return errors.Join(problems...)
}

// patientNil drops what the next sweep will find again.
func patientNil(err error) error {
	var again jobs.After
	if errors.As(patient(err), &again) {
		return nil
	}
	return err
}
