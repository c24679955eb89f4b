package tier

import (
	"context"
	"errors"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/audit"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/jobs"
)

// jobRecompute goes on with a recomputation that somebody asked for.
const jobRecompute = "tier.recompute"

// jobs registers the periodic work.
func (s *Service) jobs(q *jobs.Queue) {
	as := func(run func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error { return run(actor.With(ctx, actor.Job("会员等级"))) }
	}
	q.Every("tier.sweep", 5*time.Second, as(func(ctx context.Context) error { return errors.Join(s.Sweep(ctx), s.Advance(ctx)) }))
	q.Every("tier.nightly", 5*time.Minute, as(s.Nightly))
	q.Every("tier.renew", 10*time.Minute, as(s.Renewals))
	q.Every("tier.expire", 10*time.Minute, as(s.Expire))
	q.Handle(jobRecompute, func(ctx context.Context, _ []byte) error { return as(s.Continue)(ctx) })
}

// askTx promises that the recomputation begins at once; the nightly job goes on with it should it be interrupted.
func (s *Service) askTx(ctx context.Context, tx *db.Tx) error {
	if err := audit.RecordTx(ctx, tx, audit.Entry{Action: "tier.recompute", SubjectKind: "tier", SubjectLabel: "全部会员"}); err != nil {
		return err
	}
	if s.Queue == nil {
		return nil
	}
	return s.Queue.EnqueueTx(ctx, tx, jobs.Job{Kind: jobRecompute, Payload: struct{}{}})
}

// Audit reports each claim of the slice's tables that does not add up.
func (s *Service) Audit(ctx context.Context, report func(problem string)) error {
	return auditAll(ctx, s.db, report)
}
