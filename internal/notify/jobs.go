package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/id"
	"github.com/liangche/liangche/internal/jobs"
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

// lostAfter is when an open message that nothing waits for counts as one whose job was lost: longer than any job waits by itself.
const lostAfter = 2 * time.Hour

// Sweep gives messages whose job died a new one, and forgets what nobody asks for: reports of numbers that are not ours after a month, counts
// of the cap after a month. It runs every half hour.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.db.Now()
	before := now.Add(-lostAfter).UnixMilli()
	lost, err := stuck(ctx, s.db, id.First(now.AddDate(0, 0, -14)), id.First(now.Add(-lostAfter)), before, 500)
	if err != nil {
		return err
	}
	for _, m := range lost {
		if err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			if ok, err := setDue(ctx, tx, m.ID, m.DueAt, tx.Millis()); err != nil || !ok {
				return err
			}
			return s.queue.EnqueueTx(ctx, tx, jobs.Job{Kind: JobDeliver, Payload: delivery{MessageID: m.ID}})
		}); err != nil {
			return err
		}
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := purgeReceipts(ctx, tx, now.AddDate(0, -1, 0).UnixMilli()); err != nil {
			return err
		}
		return purgePace(ctx, tx, bizday.Of(now.AddDate(0, -1, 0), s.opt.Zone))
	})
}
