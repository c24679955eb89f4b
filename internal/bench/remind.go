package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/gauge"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/setting"
)

type nightCar struct {
	ID      int64  `db:"id"`
	Member  int64  `db:"member_id"`
	Plate   string `db:"plate"`
	Kind    string `db:"plate_kind"`
	Brand   string `db:"brand"`
	Model   string `db:"model"`
	Color   string `db:"color"`
	Class   int64  `db:"vehicle_class_id"`
	Marks   string `db:"marks"`
	Bought  string `db:"purchased_on"`
	Created int64  `db:"created_at"`
	Updated int64  `db:"updated_at"`
}

type nightDues struct {
	Vehicle     int64  `db:"vehicle_id"`
	Member      int64  `db:"member_id"`
	Kind        string `db:"kind"`
	Registered  string `db:"registered_on"`
	Inspected   string `db:"inspected_to"`
	Insured     string `db:"insured_to"`
	Serviced    string `db:"serviced_on"`
	ServicedKm  int64  `db:"serviced_km"`
	EveryKm     int64  `db:"every_km"`
	EveryMonths int64  `db:"every_months"`
	Km          int64  `db:"km"`
	KmOn        string `db:"km_on"`
	Seen        string `db:"seen_on"`
	Maintenance string `db:"maintenance_on"`
	Inspection  string `db:"inspection_on"`
	Updated     int64  `db:"updated_at"`
}

// cars gives every member a car whose insurance ends in a week: everybody is to be reminded in one night.
func (w *world) cars(ctx context.Context) error {
	ends := bizday.Add(bizday.Of(w.DB.Now(), bizday.DefaultZone), 7)
	for after := int64(0); ; {
		var members []int64
		if err := w.DB.Select(ctx, &members, `SELECT id FROM member_members WHERE id > ? AND status = 'active' ORDER BY id LIMIT 200`, after); err != nil || len(members) == 0 {
			return err
		}
		after = members[len(members)-1]
		if err := w.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			cars, dues := make([]nightCar, len(members)), make([]nightDues, len(members))
			for i, m := range members {
				cars[i] = nightCar{ID: tx.NewID(), Member: m, Plate: fmt.Sprintf("沪N%05d", i), Kind: "blue"}
				dues[i] = nightDues{Vehicle: cars[i].ID, Member: m, Kind: "private", Registered: "2020-06-15", Insured: ends}
			}
			if err := tx.Insert(ctx, "member_vehicles", cars); err != nil {
				return err
			}
			return tx.Insert(ctx, "remind_cars", dues)
		}); err != nil {
			return err
		}
	}
}

// reminders measures a night in which every member is to be reminded of something: all dates are computed anew, then a message is written for each.
func (b *bench) reminders(ctx context.Context, w *world, name string, members int) error {
	if err := w.cars(ctx); err != nil {
		return err
	}
	if err := w.Settings.Update(ctx, []setting.Value{{Key: setting.RemindHour, Value: int64(0)}}); err != nil {
		return err
	}
	peak := gauge.Heap()
	begin := time.Now()
	for {
		err := w.Reminders.Tick(ctx)
		if err == nil {
			break
		}
		if !errors.As(err, new(jobs.After)) {
			return err
		}
	}
	took := time.Since(begin).Seconds()
	memory := float64(peak()) / 1e6
	var told int
	if err := w.DB.Get(ctx, &told, `SELECT COUNT(*) FROM notify_messages WHERE event = 'insurance_due'`); err != nil || told != members {
		return fmt.Errorf("%d of %d members were reminded, %w", told, members, err)
	}
	var late int
	if err := w.DB.Get(ctx, &late, `SELECT COUNT(*) FROM remind_cars WHERE inspection_on = ''`); err != nil || late != 0 {
		return fmt.Errorf("%d dates were not computed, %w", late, err)
	}
	what := fmt.Sprintf("%s: %d reminders computed and enqueued", name, members)
	b.atMost("P13", what+", s", []float64{took}, "%.1f", 60, 20)
	b.atMost("P13", what+", the most memory beyond what was there before, MB", []float64{memory}, "%.0f", 64, 32)
	return nil
}
