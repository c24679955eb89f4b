package coupon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/setting"
)

const (
	jobIssue = "coupon.issue"
	// chunk is how many coupons or members one transaction of a job looks at: tills wait for no longer than that.
	chunk = 200
	// turn is how long a job works before it lets others.
	turn = 45 * time.Second
)

type issuePayload struct {
	ID int64 `json:"id"`
}

// Jobs registers the periodic work.
func (s *Service) Jobs(q *jobs.Queue) {
	q.Every("coupon.expire", time.Hour, func(ctx context.Context) error {
		return s.inTurns(ctx, "coupons expired", func(ctx context.Context, _ row) (row, int, error) { return s.expireChunk(ctx) })
	})
	q.Every("coupon.warn", 6*time.Hour, func(ctx context.Context) error {
		return s.inTurns(ctx, "owners of coupons warned", s.warnChunk)
	})
	q.Every("coupon.gifts", time.Hour, func(ctx context.Context) error {
		return s.inTurns(ctx, "gifts of coupons came back", func(ctx context.Context, _ row) (row, int, error) { return s.giftChunk(ctx) })
	})
}

// inTurns works chunk by chunk until a step returns no row to go on after. What is done stays done, so that a run that was killed begins with
// what is left.
func (s *Service) inTurns(ctx context.Context, what string, step func(context.Context, row) (row, int, error)) error {
	ctx = actor.With(ctx, actor.Job("优惠券到期"))
	elapsed, done, after := clock.Stopwatch(), 0, row{}
	for {
		next, n, err := step(ctx, after)
		if err != nil {
			return err
		}
		done += n
		if next.ID == 0 {
			break
		}
		after = next
		if elapsed() > turn {
			s.Log.InfoContext(ctx, what+", more to come", "done", done)
			return jobs.After{}
		}
	}
	if done > 0 {
		s.Log.InfoContext(ctx, what, "done", done)
	}
	return nil
}

func (s *Service) expireChunk(ctx context.Context) (last row, done int, err error) {
	rows, err := dueRows(ctx, s.db, row{}, s.db.Now().UnixMilli(), false, chunk)
	if err != nil || len(rows) == 0 {
		return last, 0, err
	}
	ids := make([]int64, 0, len(rows))
	for _, c := range rows {
		ids = append(ids, c.ID)
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := expireRows(ctx, tx, ids)
		done = int(n)
		return err
	})
	if len(rows) == chunk && done > 0 {
		last = rows[len(rows)-1]
	}
	return last, done, err
}

// warnChunk tells owners of coupons that end soon, each coupon once; the coupons of a member in one chunk make one message.
func (s *Service) warnChunk(ctx context.Context, after row) (last row, done int, err error) {
	days, err := s.Settings.Int(ctx, setting.CouponWarnDays)
	if err != nil || days <= 0 {
		return last, 0, err
	}
	now := s.db.Now()
	after.ExpiresAt = max(after.ExpiresAt, now.UnixMilli()+1)
	rows, err := dueRows(ctx, s.db, after, now.AddDate(0, 0, int(days)).UnixMilli(), true, chunk)
	if err != nil || len(rows) == 0 {
		return last, 0, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		ids := make([]int64, 0, len(rows))
		for _, c := range rows {
			ids = append(ids, c.ID)
		}
		locked, err := lockRows(ctx, tx, ids)
		if err != nil {
			return err
		}
		first, count := map[int64]row{}, map[int64]int{}
		var order []int64
		for _, c := range rows {
			if c = locked[c.ID]; c.State != Available || c.WarnedAt != 0 {
				continue
			}
			if count[c.MemberID]++; count[c.MemberID] == 1 {
				first[c.MemberID] = c
				order = append(order, c.MemberID)
			}
		}
		if err := warnedRows(ctx, tx, ids); err != nil {
			return err
		}
		for _, m := range order {
			t, err := s.terms(ctx, tx, first[m].TermsID)
			if err != nil {
				return err
			}
			title := t.Name
			if count[m] > 1 {
				title = fmt.Sprintf("%s 等 %d 张券", db.Clip(t.Name, 10), count[m])
			}
			if err := s.Messages.EnqueueNewTx(ctx, tx, notify.Message{MemberID: m, Event: notify.CouponExpiring, Dedupe: fmt.Sprintf("coupon_expiring:%d:%d", m, first[m].ID), Page: "pages/club/coupons/index",
				Data: map[string]string{"title": title, "count": strconv.Itoa(count[m]), "time": lastDay(first[m].ExpiresAt), "hint": "即将到期，别忘了使用"}}); err != nil {
				return err
			}
		}
		done = len(order)
		return nil
	})
	if len(rows) == chunk {
		last = rows[len(rows)-1]
	}
	return last, done, err
}

// giftChunk gives coupons back that nobody took in time.
func (s *Service) giftChunk(ctx context.Context) (last row, done int, err error) {
	ids, err := dueGifts(ctx, s.db, s.db.Now().UnixMilli(), chunk)
	if err != nil {
		return last, 0, err
	}
	for _, id := range ids {
		err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.endGiftTx(ctx, tx, id, "expired") })
		if err != nil && !errors.Is(err, ErrGiftOver) { // taken at the last moment
			return last, done, err
		}
		done++
	}
	if len(ids) == chunk {
		last.ID = ids[len(ids)-1]
	}
	return last, done, nil
}

// issueJob gives to everybody a filter finds, chunk by chunk in ascending order of members: where it stands is written with what it gave, so
// that it goes on after a kill and gives nobody twice.
func (s *Service) issueJob(ctx context.Context, payload []byte) error {
	var p issuePayload
	if err := json.Unmarshal(payload, &p); err != nil {
		return errors.Join(jobs.ErrPermanent, err)
	}
	ctx = actor.With(ctx, actor.Job("优惠券到期"))
	for elapsed := clock.Stopwatch(); ; {
		i, err := issueByID(ctx, s.db, p.ID, "")
		if errors.Is(err, fault.ErrNotFound) {
			return errors.Join(jobs.ErrPermanent, err)
		}
		if err != nil || i.State != "running" {
			return err
		}
		if err := s.issueChunk(ctx, i); err != nil {
			return err
		}
		if elapsed() > turn {
			s.Log.InfoContext(ctx, "coupons: an issue goes on", "issue", i.ID, "members", i.Found, "issued", i.Issued)
			return jobs.After{}
		}
	}
}

func (s *Service) issueChunk(ctx context.Context, i issueRow) error {
	var f Filter
	if err := json.Unmarshal([]byte(i.Filter), &f); err != nil {
		return errors.Join(jobs.ErrPermanent, err)
	}
	members, err := s.People.Find(ctx, f, i.After, chunk)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		next := i
		if len(members) < chunk {
			next.State, next.DoneAt = "done", tx.Millis()
		}
		if len(members) > 0 {
			t, err := templateByID(ctx, tx, i.TemplateID, "")
			if err != nil {
				return err
			}
			terms, err := s.terms(ctx, tx, t.TermsID)
			if err != nil {
				return err
			}
			issued, skipped, err := s.issueManyTx(ctx, tx, t, terms, FromIssue, i.ID, members, i.Each)
			if errors.Is(err, ErrOver) { // the time of these coupons has passed meanwhile
				issued, skipped, next.State, next.DoneAt = 0, int64(len(members)), "done", tx.Millis()
			} else if err != nil {
				return err
			}
			next.Found, next.Issued, next.Skipped, next.After = i.Found+int64(len(members)), i.Issued+issued, i.Skipped+skipped, members[len(members)-1]
		}
		return advanceIssue(ctx, tx, next, i.After)
	})
}
