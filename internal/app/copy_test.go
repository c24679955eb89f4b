package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/app"
	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/idem"
	"github.com/liangche/liangche/internal/money"
)

// copiesDemo moves a demo's three months to an empty database of the engine of this run and from there to a SQLite file; on each of them the
// service opens and settles, and the books are exact.
func copiesDemo(t *testing.T, dir string, now time.Time) {
	from := db.Config{Driver: db.SQLite, Path: filepath.Join(dir, "liangche.db")}
	there, back := dbtest.Config(t), db.Config{Driver: db.SQLite, Path: filepath.Join(t.TempDir(), "back.db")}
	if there.Driver == db.SQLite {
		there.Path += ".other" // Copy makes the file
	}
	name := func(c db.Config) string {
		if c.Driver == db.SQLite {
			return "sqlite:" + c.Path
		}
		return "mysql:" + c.DSN
	}
	for _, hop := range [][2]db.Config{{from, there}, {there, back}} {
		code, out, errs := run("", nil, "copy", "--from", name(hop[0]), "--to", name(hop[1]))
		if code != 0 || !strings.Contains(out, "every count and sum is the same") || !strings.Contains(out, "the books are exact") || !strings.Contains(errs, "stop the service first") {
			t.Fatalf("copy: %d %q %q", code, out, errs)
		}
		again, _, errs := run("", nil, "copy", "--from", name(hop[0]), "--to", name(hop[1]))
		if again != 1 || !strings.Contains(errs, "data already") && !strings.Contains(errs, "exists already") {
			t.Errorf("onto itself: %d %q", again, errs)
		}
		target := hop[1]
		ctx, stop := context.WithCancel(t.Context())
		if err := app.RunDemo(ctx, app.DemoOptions{Listen: "127.0.0.1:0", Dir: dir, Log: slog.New(slog.DiscardHandler), Out: onWrite(func([]byte) {}), Database: &target, Clock: clock.NewManual(now),
			Ready: func(d *app.Demo) {
				defer stop()
				settlesOnce(t, d)
			}}); err != nil {
			t.Fatal(err)
		}
		stop()
	}
	if code, _, errs := run("", nil, "copy", "--from", name(from), "--to", name(from)); code != 1 || !strings.Contains(errs, "the same database") {
		t.Errorf("%d %q", code, errs)
	}
	if code, _, errs := run("", nil, "copy", "--from", "nowhere", "--to", name(from)); code != 1 || !strings.Contains(errs, "--from: write a configuration file, sqlite:FILE") {
		t.Errorf("%d %q", code, errs)
	}
	if code, _, errs := run("", nil, "copy", "--from", "sqlite:"+filepath.Join(dir, "none.db"), "--to", "sqlite:"+filepath.Join(dir, "x.db")); code != 1 || !strings.Contains(errs, "the source") {
		t.Errorf("%d %q", code, errs)
	}
}

// settlesOnce charges a wash to somebody's stored value and audits.
func settlesOnce(t *testing.T, d *app.Demo) {
	ctx := t.Context()
	in, _, err := d.Staff.LoginPassword(actor.With(ctx, actor.Job("test")), "boss", app.DemoPassword)
	if err != nil {
		t.Error(err)
		return
	}
	boss, err := d.Staff.Authenticate(ctx, in.AccessToken)
	if err != nil {
		t.Error(err)
		return
	}
	var who struct {
		Member  int64  `db:"member_id"`
		Plate   string `db:"plate"`
		Class   int64  `db:"vehicle_class_id"`
		Service int64  `db:"service_id"`
		Store   int64  `db:"store_id"`
	}
	if err := d.DB.Get(ctx, &who, `SELECT a.member_id, v.plate, v.vehicle_class_id, p.service_id, s.id AS store_id FROM ledger_accounts a
		JOIN member_members m ON m.id = a.member_id JOIN member_vehicles v ON v.member_id = m.id JOIN catalog_service_prices p ON p.vehicle_class_id = v.vehicle_class_id
		JOIN catalog_services c ON c.id = p.service_id JOIN shop_stores s ON s.active = TRUE
		WHERE a.unit = 'principal' AND a.balance - a.held > 3 * p.price_fen AND m.status = 'active' AND c.active = TRUE AND c.kind = 'wash' ORDER BY a.member_id, v.id, p.service_id, s.id LIMIT 1`); err != nil {
		t.Error(err)
		return
	}
	ask := checkout.Request{StoreID: who.Store, MemberID: who.Member, Plate: who.Plate, VehicleClassID: who.Class, Items: []checkout.Item{{Kind: catalog.KindService, ID: who.Service, Qty: 1}}}
	ctx = idem.With(actor.With(ctx, boss), idem.Key{Actor: fmt.Sprintf("staff:%d", boss.ID), Key: "after-the-copy", Hash: strings.Repeat("0", 64)})
	q, err := d.Checkout.Quote(ctx, ask)
	if err != nil {
		t.Error(err)
		return
	}
	var tenders []checkout.Tender
	if q.TotalFen > 0 {
		tenders = []checkout.Tender{{Kind: checkout.TenderBalance, AmountFen: q.TotalFen}}
	}
	before := principal(t, d, who.Member)
	if _, err := d.Checkout.Settle(ctx, ask, q.QuoteHash, tenders); err != nil {
		t.Errorf("settle after the copy: %v", err)
		return
	}
	if after := principal(t, d, who.Member); q.TotalFen > 0 && after >= before {
		t.Errorf("the wash of %d was not charged: %d, then %d", q.TotalFen, before, after)
	}
	var said strings.Builder
	if n, err := d.Audit(ctx, &said, onWrite(func([]byte) {})); n != 0 || err != nil {
		t.Errorf("audit after the copy: %v %s", err, said.String())
	}
}

func principal(t *testing.T, d *app.Demo, member int64) (fen money.Fen) {
	t.Helper()
	if err := d.DB.Get(t.Context(), &fen, `SELECT SUM(balance) FROM ledger_accounts WHERE member_id = ? AND unit IN ('principal', 'bonus')`, member); err != nil {
		t.Error(err)
	}
	return fen
}
