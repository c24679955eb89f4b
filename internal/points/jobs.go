package points

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/setting"
)

const (
	// chunk is how many lots one transaction of a job looks at: tills wait for no longer than that.
	chunk = 200
	// turn is how long a job works before it lets others: the rest comes in the next turn, from where it stopped.
	turn = 45 * time.Second
	// recent is how far back the hourly run looks. Lots that a late return filled again after their end are the daily run's.
	recent = 3 * 24 * time.Hour
)

// Jobs registers the periodic work.
func (s *Service) Jobs(q *jobs.Queue) {
	q.Every("points.expire", time.Hour, func(ctx context.Context) error {
		return s.inTurns(ctx, "points expired", func(ctx context.Context, after ledger.Due) (ledger.Due, int, error) {
			return s.expireChunk(ctx, after)
		}, ledger.Due{ExpiresAt: s.db.Now().Add(-recent).UnixMilli()})
	})
	q.Every("points.expire_all", 24*time.Hour, func(ctx context.Context) error {
		return s.inTurns(ctx, "points expired", s.expireChunk, ledger.Due{})
	})
	q.Every("points.warn", 6*time.Hour, func(ctx context.Context) error {
		if err := s.forgetWarnings(ctx); err != nil {
			return err
		}
		return s.inTurns(ctx, "points: owners warned", s.warnChunk, ledger.Due{ExpiresAt: s.db.Now().UnixMilli() + 1})
	})
}

// inTurns works through lots chunk by chunk. What is done stays done, so that a run that was killed begins with what is left.
func (s *Service) inTurns(ctx context.Context, what string, step func(context.Context, ledger.Due) (ledger.Due, int, error), after ledger.Due) error {
	ctx = actor.With(ctx, actor.Job("积分到期"))
	elapsed, done := clock.Stopwatch(), 0
	for {
		next, n, err := step(ctx, after)
		if err != nil {
			return err
		}
		done += n
		if next == (ledger.Due{}) {
			break
		}
		after = next
		if elapsed() > turn {
			s.log.InfoContext(ctx, what+", more to come", "members", done)
			return jobs.After{}
		}
	}
	if done > 0 {
		s.log.InfoContext(ctx, what, "members", done)
	}
	return nil
}

// due reads a chunk; last is where the next one begins, zero after the last one.
func (s *Service) due(ctx context.Context, after ledger.Due, until int64) (list []ledger.Due, members []int64, last ledger.Due, err error) {
	if list, err = ledger.DueLots(ctx, s.db, ledger.Points, after, until, chunk); err != nil {
		return nil, nil, last, err
	}
	seen := map[int64]bool{}
	for _, l := range list {
		seen[l.MemberID] = true
	}
	members = slices.Sorted(maps.Keys(seen))
	if len(list) == chunk {
		last = ledger.Due{ExpiresAt: list[len(list)-1].ExpiresAt, LotID: list[len(list)-1].LotID}
	}
	return list, members, last, nil
}

// expireChunk takes away what has expired of the members of a chunk of lots.
func (s *Service) expireChunk(ctx context.Context, after ledger.Due) (last ledger.Due, done int, err error) {
	_, members, last, err := s.due(ctx, after, s.db.Now().UnixMilli())
	if err != nil || len(members) == 0 {
		return last, 0, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		books, err := ledger.LockManyTx(ctx, tx, members, ledger.Points)
		if err != nil {
			return err
		}
		n := 0
		for _, m := range members {
			gone, err := expireTx(ctx, tx, books[m])
			if err != nil {
				return err
			}
			if gone {
				n++
			}
		}
		done = n
		return nil
	})
	return last, done, err
}

func expireTx(ctx context.Context, tx *db.Tx, b *ledger.Book) (bool, error) {
	takes := all(slices.DeleteFunc(b.Lots(ledger.Points), func(l ledger.Lot) bool { return !l.Expired(tx.Now) }))
	if len(takes) == 0 {
		return false, nil
	}
	_, err := ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindPointsExpire, BizDay: bizday.Of(tx.Now, bizday.DefaultZone), RefKind: "points_expiry", RefID: takes[0].LotID,
		Title: "积分到期"}, append(ledger.Debits(takes), ledger.PointsLeg(int64(ledger.SumOf(takes, ledger.Points))))...)
	return err == nil, err
}

// warnChunk tells the members of a chunk of lots what will expire, once per member and end.
func (s *Service) warnChunk(ctx context.Context, after ledger.Due) (last ledger.Due, done int, err error) {
	days, err := s.settings.Int(ctx, setting.PointsWarnDays)
	if err != nil || days <= 0 {
		return last, 0, err
	}
	list, members, last, err := s.due(ctx, after, s.db.Now().AddDate(0, 0, int(days)).UnixMilli())
	if err != nil || len(members) == 0 {
		return last, 0, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		warned, err := warnedOf(ctx, tx, members)
		if err != nil {
			return err
		}
		books, err := ledger.LockManyTx(ctx, tx, members, ledger.Points)
		if err != nil {
			return err
		}
		n := 0
		for _, l := range list {
			key := warning{MemberID: l.MemberID, ExpiresAt: l.ExpiresAt}
			if warned[key] {
				continue
			}
			warned[key] = true
			n++
			if err := s.warnTx(ctx, tx, books[l.MemberID], key); err != nil {
				return err
			}
		}
		done = n
		return nil
	})
	return last, done, err
}

func (s *Service) warnTx(ctx context.Context, tx *db.Tx, b *ledger.Book, w warning) error {
	var n int64
	for _, l := range b.Lots(ledger.Points) {
		if l.ExpiresAt == w.ExpiresAt {
			n += l.Remaining
		}
	}
	if n == 0 {
		return nil
	}
	tx.InsertSoon("points_warnings", warningRow{w.MemberID, w.ExpiresAt, tx.Millis()})
	return s.messages.EnqueueNewTx(ctx, tx, notify.Message{MemberID: w.MemberID, Event: notify.PointsExpiring, Dedupe: fmt.Sprintf("points_expiring:%d:%d", w.MemberID, w.ExpiresAt),
		Page: "pages/club/points/index", Data: map[string]string{"title": "积分即将到期", "points": strconv.FormatInt(n, 10), "time": lastDay(w.ExpiresAt), "hint": "到期前可抵现或兑换礼品"}})
}
