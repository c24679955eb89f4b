package booking

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
)

// tomorrowAll tells owners the evening before that they are expected. After an outage it is made up for until midnight of the store; then the booking is
// today's, and the reminder before its start tells of it.
func (s *Service) tomorrowAll(ctx context.Context) error {
	hour, err := s.settings.Int(ctx, setting.BookingTomorrowHour)
	if err != nil {
		return err
	}
	stores, err := s.shops.Stores(ctx)
	if err != nil {
		return err
	}
	now := s.db.Now()
	var problems error
	for _, st := range stores {
		from, to, due := tomorrow(st, now, int(hour))
		if !due {
			continue
		}
		ids, err := expected(ctx, s.db, st.ID, from, to, sweep)
		if err != nil {
			return err
		}
		for _, id := range ids {
			problems = errors.Join(problems, s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.tomorrowTx(ctx, tx, id, st, int(hour)) }))
		}
	}
	return problems
}

// tomorrow is the store's next day; due says whether the hour has come at which it is told of.
func tomorrow(st shop.Store, now time.Time, hour int) (from, to time.Time, due bool) {
	from, to, err := bizday.Bounds(bizday.Add(bizday.Of(now, st.Timezone), 1), st.Timezone)
	return from, to, err == nil && now.In(bizday.Location(st.Timezone)).Hour() >= hour
}

func (s *Service) tomorrowTx(ctx context.Context, tx *db.Tx, id int64, st shop.Store, hour int) error {
	b, err := lockBooking(ctx, tx, id)
	if err != nil {
		return err
	}
	from, to, due := tomorrow(st, tx.Now, hour)
	if ok, err := markTomorrow(ctx, tx, id, b.StartsAt); err != nil || !ok {
		return err
	}
	if !due || b.State != Confirmed || b.StartsAt.Before(from) || !b.StartsAt.Before(to) {
		return nil
	}
	since := from.Add(time.Duration(hour-24) * time.Hour) // who booked it, or was told that it moved, since that hour knows
	for _, kind := range []string{EventConfirmed, EventRescheduled, EventMoved} {
		if at, err := lastEventAt(ctx, tx, id, kind); err != nil || !at.Before(since) {
			return err
		}
	}
	logTx(ctx, tx, b, EventTomorrow, "已提醒车主明天到店")
	text := "明天 " + b.StartsAt.In(zoneOf(st)).Format("15:04") + " 见，改期请提前告诉我们"
	if kindLeaves(b.Kind) {
		text = "明天 " + b.StartsAt.In(zoneOf(st)).Format("15:04") + " 上门，请保持电话畅通"
	}
	return s.sayUntilTx(ctx, tx, b, notify.BookingTomorrow, fmt.Sprint(b.StartsAt.Unix()), text, from)
}
