package booking

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/notify"
)

// bySystem is who cancels what time alone has ended.
const bySystem = "system"

const (
	// rescuePatience is how long a rescue waits for somebody to accept it: afterwards whoever waits has found other help.
	rescuePatience = 2 * time.Hour
	// staleAfter is when nobody wants to be told any more that a line has ended.
	staleAfter = 2 * time.Hour
)

// requestEnds is when a request that nobody accepted is over. It is pure.
func requestEnds(b Booking) time.Time {
	if b.Kind == KindRescue {
		return b.CreatedAt.Add(rescuePatience)
	}
	return b.StartsAt
}

// lineEnds is when the line in which a walk-in stands ends: when the shop closes on the business day on which it came, however late that is. Where the
// shop never closes, a car waits as long as turns are looked for.
func (s *Service) lineEnds(ctx context.Context, b Booking) (time.Time, error) {
	store, err := s.shops.Store(ctx, b.StoreID)
	if err != nil {
		return time.Time{}, err
	}
	today := store.BizDay(b.CreatedAt)
	ends, err := midnight(store, bizday.Add(today, 1)) // where the hours have changed since
	if err != nil {
		return ends, err
	}
	for _, day := range []string{bizday.Add(today, -1), today} {
		p, err := s.shops.DayPlan(ctx, b.StoreID, day)
		if err != nil {
			return ends, err
		}
		var last time.Time
		came := false
		for _, m := range p.Spans {
			x, err := s.shops.At(ctx, b.StoreID, day, m.Opens, m.Closes)
			if err != nil {
				return ends, err
			}
			came = came || (!b.CreatedAt.Before(x.From) && b.CreatedAt.Before(x.To))
			if x.To.After(last) {
				last = x.To
			}
		}
		if came {
			ends = last
			break
		}
	}
	until := b.CreatedAt.Add(queueWindow)
	if !ends.Before(until) {
		return ends, nil
	}
	on, err := s.shops.OpenSpans(ctx, b.StoreID, ends, until)
	if err == nil && len(on) > 0 && on[0].From.Equal(ends) {
		ends = on[0].To
	}
	return ends, err
}

// endLines cancels the walk-ins whose turn did not come before the shop closed.
func (s *Service) endLines(ctx context.Context) error {
	list, err := inState(ctx, s.db, 0, Queued)
	if err != nil {
		return err
	}
	var problems error
	for _, b := range list {
		ends, err := s.lineEnds(ctx, b)
		if err == nil && !s.db.Now().Before(ends) {
			err = s.giveUp(ctx, b, "门店已打烊，当天没有轮到", s.db.Now().Before(ends.Add(staleAfter)))
		}
		if err != nil && !quick(err) {
			problems = errors.Join(problems, fmt.Errorf("booking %d: %w", b.ID, err))
		}
	}
	return problems
}

// endRequests cancels the requests that nobody accepted in time.
func (s *Service) endRequests(ctx context.Context) error {
	list, err := inState(ctx, s.db, 0, Requested)
	if err != nil {
		return err
	}
	var problems error
	for _, b := range list {
		if s.db.Now().Before(requestEnds(b)) {
			continue
		}
		reason := "到预约时间还没有人接单，请联系门店"
		if b.Kind == KindRescue {
			reason = "很久没有人接单，请直接致电门店或其他救援"
		}
		if err := s.giveUp(ctx, b, reason, true); err != nil && !quick(err) {
			problems = errors.Join(problems, fmt.Errorf("booking %d: %w", b.ID, err))
		}
	}
	return problems
}

// giveUp cancels for the clock what stands as it was seen.
func (s *Service) giveUp(ctx context.Context, seen Booking, reason string, tell bool) error {
	_, err := s.change(ctx, 0, seen.ID, func(ctx context.Context, tx *db.Tx, b *Booking) error {
		if b.State != seen.State || b.Version != seen.Version {
			return ErrState
		}
		if err := s.cancelTx(ctx, tx, b, bySystem, reason, false); err != nil || !tell {
			return err
		}
		return s.tellTx(ctx, tx, *b, notify.BookingCancelled)
	})
	return err
}
