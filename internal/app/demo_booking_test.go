package app_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/app"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/booking"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/idem"
)

// Whenever the demo begins, its shop has a past, a present and something to come, and its books are exact.
func TestDemoHasBookings(t *testing.T) {
	if testing.Short() {
		t.Skip("lives through three months")
	}
	for _, c := range []struct {
		name, now string
		open      bool // the first store
	}{
		{"a busy afternoon", "2026-11-18T15:10:20+08:00", true},
		{"in the middle of the night", "2026-11-20T02:40:00+08:00", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			now, err := time.Parse(time.RFC3339, c.now)
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			err = app.RunDemo(ctx, app.DemoOptions{Listen: "127.0.0.1:0", Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Out: io.Discard, Clock: clock.NewManual(now), Ready: func(d *app.Demo) {
				defer stop()
				looksBusy(t, d, now, c.open)
			}})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func looksBusy(t *testing.T, d *app.Demo, now time.Time, open bool) {
	ctx := t.Context()
	count := func(query string, args ...any) (n int) {
		t.Helper()
		if err := d.DB.Get(ctx, &n, query, args...); err != nil {
			t.Fatal(err)
		}
		return n
	}
	atLeast := func(what string, want int, query string, args ...any) {
		t.Helper()
		if n := count(query, args...); n < want {
			t.Errorf("%s: %d, want at least %d", what, n, want)
		}
	}
	stores, err := d.Shops.Stores(ctx)
	if err != nil {
		t.Fatal(err)
	}
	first, today := stores[0].ID, stores[0].BizDay(now)
	const of = `SELECT COUNT(*) FROM booking_bookings WHERE `
	atLeast("settled", 60, of+`state = 'settled' AND order_id <> 0`)
	atLeast("settled orders of bookings", 60, `SELECT COUNT(*) FROM checkout_orders WHERE booking_id <> 0 AND status = 'settled'`)
	atLeast("cancelled", 2, of+`state = 'cancelled'`)
	atLeast("no-shows", 1, of+`state = 'no_show'`)
	atLeast("ratings", 10, `SELECT COUNT(*) FROM booking_ratings`)
	atLeast("photos", 8, `SELECT COUNT(*) FROM booking_photos`)
	atLeast("tomorrow in the first store", 6, of+`state = 'confirmed' AND store_id = ? AND biz_day = ?`, first, bizday.Add(today, 1))
	atLeast("the days after", 5, of+`state = 'confirmed' AND biz_day > ?`, bizday.Add(today, 1))
	atLeast("deposits", 1, of+`state = 'confirmed' AND deposit_state = 'paid'`)
	atLeast("waiting", 1, `SELECT COUNT(*) FROM booking_waits WHERE state = 'waiting'`)
	atLeast("blocks", 2, `SELECT COUNT(*) FROM slot_blocks`)
	atLeast("of priority members", 1, of+`state = 'confirmed' AND priority`)
	if n := count(of + `state = 'queued'`); n != 2 {
		t.Errorf("%d cars wait", n)
	}
	under := count(of+`store_id = ? AND state = 'in_service'`, first)
	arrived := count(of+`store_id = ? AND state = 'arrived'`, first)
	if open && (under < 1 || arrived != 1) || !open && (under != 0 || arrived != 0) {
		t.Errorf("in the first store %d are in service and %d have arrived", under, arrived)
	}
	problems, err := d.Bookings.Problems(actor.With(ctx, actor.Job("test")), first)
	if err != nil || len(problems) == 0 || len(problems) > 4 || problems[0].Suggestion == nil {
		t.Errorf("problems: %+v %v", problems, err)
	}
	// Who signs in as a technician has nothing in hand: the browser's stories give them a car.
	if n := count(`SELECT COUNT(*) FROM booking_segments g JOIN booking_bookings b ON b.id = g.booking_id JOIN staff_accounts a ON a.id = g.technician_id
		WHERE a.username = 'tech' AND b.state IN ('arrived', 'in_service')`); n != 0 {
		t.Errorf("the technician of the demo has %d cars in hand", n)
	}
	// Who tries the demo can book tomorrow at ten, with a deposit.
	services, err := d.Catalog.Services(ctx)
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", bizday.Add(today, 1)+" 10:00", bizday.Location(bizday.DefaultZone))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(services, func(x catalog.ServiceItem) bool { return x.Name == "漆面打蜡" && x.DepositFen > 0 })
	if i < 0 {
		t.Fatal("waxing asks for no deposit")
	}
	all := actor.Actor{Kind: actor.Staff, ID: 1, AllStores: true}
	if _, err := d.Bookings.DeskCreate(idem.With(actor.With(ctx, all), idem.Key{Actor: "test", Key: "tomorrow-at-ten", Hash: "0"}), booking.DeskAsk{StoreID: first, Kind: booking.KindVisit, Channel: booking.ChannelPhone,
		ServiceIDs: []int64{services[i].ID}, StartsAt: &at, Plate: "沪A66666", VehicleClassID: services[i].Prices[0].VehicleClassID, ContactName: "来看演示的人", ContactPhone: "13800001234"}); err != nil {
		t.Errorf("tomorrow at ten: %v", err)
	}
	var said bytes.Buffer
	if n, err := d.Audit(ctx, &said, io.Discard); err != nil || n > 0 {
		t.Errorf("audit: %d %v\n%s", n, err, said.String())
	}
}
