package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest/mariadb"
	"github.com/liangche/liangche/internal/gauge"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/tier"
)

// night is how much P13 has to look at: each member paid so many times within two years, and every tenth has points that ended yesterday.
type night struct{ members, visits int }

// nightKinds are the jobs of a night that go over everybody.
var nightKinds = []string{"tier.recompute", "tier.expire", "points.expire_all", "points.warn", "coupon.expire", "coupon.warn", "pass.tick"}

// nightly measures P13 on both databases: tiers, expiry and reminders over everybody, as the queue runs them.
func (b *bench) nightly(ctx context.Context) error {
	size := night{100_000, 8}
	if b.quick {
		size.members = 10_000
	}
	dir, err := os.MkdirTemp("", "liangche-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	server, err := mariadb.Start(ctx, true)
	if err != nil {
		return err
	}
	defer server.Close()
	dsn, err := server.Create(ctx, "liangche")
	if err != nil {
		return err
	}
	for _, c := range []struct {
		name string
		db   db.Config
	}{{"MariaDB", db.Config{Driver: db.MySQL, DSN: dsn, MaxConns: workerCount}}, {"SQLite", sqliteIn(dir)}} {
		w, err := newWorld(ctx, c.db, 0)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if err = errors.Join(b.oneNight(ctx, w, c.name, size), w.Close()); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

func (b *bench) oneNight(ctx context.Context, w *world, name string, size night) error {
	ctx = actor.With(ctx, w.boss)
	if err := w.ladder(ctx); err != nil {
		return err
	}
	b.say("%s: %d members with %d visits each are written", name, size.members, size.visits)
	if err := w.past(ctx, size); err != nil {
		return err
	}
	var took, second, memory []float64
	for _, into := range []*[]float64{&took, &second} {
		peak := gauge.Heap()
		begin := time.Now()
		for _, kind := range nightKinds {
			at := time.Now()
			if err := w.runJob(ctx, kind); err != nil {
				return err
			}
			b.say("%s: %s took %.1f s", name, kind, time.Since(at).Seconds())
		}
		*into = append(*into, time.Since(begin).Seconds())
		memory = append(memory, float64(peak())/1e6)
	}
	run, err := w.Tiers.LastRun(ctx)
	if err != nil || run.Running || run.Members != int64(size.members) {
		return fmt.Errorf("the tiers of %+v were computed, %w", run, err)
	}
	var left int64
	if err := w.DB.Get(ctx, &left, `SELECT COALESCE(SUM(balance), 0) FROM ledger_accounts WHERE unit = 'points'`); err != nil || left != 0 {
		return fmt.Errorf("%d points are left, %w", left, err)
	}
	if err := w.Tiers.Audit(ctx, func(p string) { err = errors.Join(err, errors.New(p)) }); err != nil {
		return err
	}
	what := fmt.Sprintf("%s: tiers, expiry, reminders of %d members", name, size.members)
	b.atMost("P13", what+", the first night, s", took, "%.1f", 60, 20)
	b.atMost("P13", what+", a night on which little changes, s", second, "%.1f", 60, 20)
	b.atMost("P13", what+", the most memory beyond what was there before, MB", memory, "%.0f", 64, 32)
	return b.reminders(ctx, w, name, size.members)
}

// runJob runs one job, and what it asks for, through the queue. The messages that new tiers bring are not delivered here: each is a job of its own.
func (w *world) runJob(ctx context.Context, kind string) error {
	if kind == "tier.recompute" {
		if _, err := w.Tiers.Recompute(ctx); err != nil {
			return err
		}
		if err := w.Tiers.Continue(ctx); err != nil {
			return err
		}
		_, err := w.DB.SQLDB().ExecContext(ctx, `UPDATE jobs_queue SET state = 'done' WHERE kind = 'notify.deliver'`)
		return err
	}
	if err := w.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return w.Queue.EnqueueTx(ctx, tx, jobs.Job{Kind: kind, Payload: struct{}{}})
	}); err != nil {
		return err
	}
	return w.Queue.Drain(ctx)
}

// ladder makes three tiers by spending and visits.
func (w *world) ladder(ctx context.Context) error {
	for i, fen := range []int64{20_000, 60_000, 150_000} {
		_, err := w.Tiers.Create(ctx, tier.Input{Name: []string{"银卡", "金卡", "黑金"}[i], Color: "#888888", Rank: i + 1, DiscountBP: money.BP(9500 - 500*i), Programme: &tier.Programme{
			Rule: &tier.Rule{Match: tier.MatchAny, Measures: []tier.Measure{{Kind: tier.SpendYear, AtLeast: fen}, {Kind: tier.VisitsYear, AtLeast: int64(12 * (i + 1))}}}}})
		if err != nil {
			return err
		}
	}
	return nil
}

type nightMember struct {
	ID        int64  `db:"id"`
	Name      string `db:"name_sealed"`
	NameIndex string `db:"name_index"`
	Phone     string `db:"phone_sealed"`
	Last4     string `db:"last4_index"`
	Verified  bool   `db:"phone_verified"`
	Gender    string `db:"gender"`
	Birthday  string `db:"birthday"`
	Status    string `db:"status"`
	Reason    string `db:"status_reason"`
	Store     int64  `db:"store_id"`
	Charter   int64  `db:"charter_version"`
	CharterAt int64  `db:"charter_at"`
	Joined    int64  `db:"joined_at"`
	By        string `db:"created_kind"`
	ByID      int64  `db:"created_by"`
	Created   int64  `db:"created_at"`
	Updated   int64  `db:"updated_at"`
}

type nightPosting struct {
	ID        int64  `db:"id"`
	Kind      string `db:"kind"`
	Member    int64  `db:"member_id"`
	Store     int64  `db:"store_id"`
	Day       string `db:"biz_day"`
	RefKind   string `db:"ref_kind"`
	Ref       int64  `db:"ref_id"`
	ActorKind string `db:"actor_kind"`
	ActorID   int64  `db:"actor_id"`
	Actor     string `db:"actor_name"`
	Title     string `db:"title"`
	Memo      string `db:"memo"`
	At        int64  `db:"created_at"`
}

type nightEntry struct {
	ID      int64  `db:"id"`
	Posting int64  `db:"posting_id"`
	Account string `db:"account"`
	Holds   int64  `db:"account_id"`
	Member  int64  `db:"member_id"`
	Unit    string `db:"unit"`
	Amount  int64  `db:"amount"`
	After   int64  `db:"balance_after"`
	Seq     int64  `db:"seq"`
	At      int64  `db:"created_at"`
}

// past writes what two years would have left: it is what the jobs read, not what they do, and so it is written by hand.
func (w *world) past(ctx context.Context, size night) error {
	now := w.DB.Now()
	for from := 0; from < size.members; from += 100 {
		err := w.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			var members []nightMember
			var postings []nightPosting
			var entries []nightEntry
			var pointed []int64
			for i := from; i < min(from+100, size.members); i++ {
				m := nightMember{ID: tx.NewID(), Name: "-", NameIndex: "-", Phone: "-", Last4: "-", Gender: "unknown", Status: "active", Store: w.stores[0], Joined: tx.Millis(), By: "staff",
					Created: tx.Millis(), Updated: tx.Millis()}
				members = append(members, m)
				for v := range size.visits {
					ago := (i*7 + v*91) % 730
					p := nightPosting{ID: tx.NewID(), Kind: ledger.KindConsume, Member: m.ID, Store: w.stores[0], Day: bizday.Of(now.AddDate(0, 0, -ago), bizday.DefaultZone), RefKind: "order",
						Ref: tx.NewID(), ActorKind: "staff", Title: "洗车", At: now.AddDate(0, 0, -ago).UnixMilli()}
					fen := int64(1000 + i%40*500)
					postings = append(postings, p)
					entries = append(entries, nightEntry{ID: tx.NewID(), Posting: p.ID, Account: ledger.Cash, Member: m.ID, Unit: string(ledger.Shop), Amount: -fen, At: p.At},
						nightEntry{ID: tx.NewID(), Posting: p.ID, Account: ledger.Revenue, Member: m.ID, Unit: string(ledger.Shop), Amount: fen, At: p.At})
				}
				if i%10 == 0 {
					pointed = append(pointed, m.ID)
				}
			}
			for _, rows := range []struct {
				table string
				rows  any
			}{{"member_members", members}, {"ledger_postings", postings}, {"ledger_entries", entries}} {
				if err := tx.Insert(ctx, rows.table, rows.rows); err != nil {
					return err
				}
			}
			return endedPoints(ctx, tx, pointed)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// endedPoints gives points that ended yesterday.
func endedPoints(ctx context.Context, tx *db.Tx, members []int64) error {
	for _, m := range members {
		b, err := ledger.LockTx(ctx, tx, m, ledger.Points)
		if err != nil {
			return err
		}
		if _, err := ledger.PostTx(ctx, tx, b, ledger.Post{Kind: ledger.KindPointsGift, BizDay: bizday.Of(tx.Now, bizday.DefaultZone), RefKind: "gift", RefID: m, Title: "积分"},
			ledger.Leg{Unit: ledger.Points, Amount: 100, Lot: &ledger.NewLot{RefKind: "gift", RefID: m, ExpiresAt: tx.Now.AddDate(0, 0, -1).UnixMilli()}}, ledger.PointsLeg(-100)); err != nil {
			return err
		}
	}
	return nil
}
