package points

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/setting"
)

var many = flag.Int("members", 1500, "how many members' points are warned of and expire")

// The jobs over many members: memory stays flat, what a kill left is done by the next run, nobody loses what has not expired. With
// -members 100000 it tells how long they take.
func TestJobsOverManyMembers(t *testing.T) {
	r := newRig(t)
	r.set(setting.PointsExpireMonths, 1)
	const each = 250
	for from := 0; from < *many; from += each {
		must(t, r.tx(func(ctx context.Context, tx *db.Tx) error {
			for i := from; i < min(from+each, *many); i++ {
				if err := r.GiveTx(ctx, tx, Gift{MemberID: int64(1_000_000 + i), N: 10, Source: FromActivity, Dedupe: fmt.Sprint("many:", i), Title: "活动"}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	r.clk.Set(time.Date(2026, 12, 20, 2, 0, 0, 0, time.UTC))
	run := func(kind string) {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		began := time.Now()
		for {
			last, err := r.step(kind)
			must(t, err)
			if last {
				break
			}
		}
		took := time.Since(began)
		runtime.GC()
		runtime.ReadMemStats(&after)
		t.Logf("%s over %d members: %s, heap %+d KiB", kind, *many, took.Round(time.Millisecond), (int64(after.HeapAlloc)-int64(before.HeapAlloc))/1024)
	}
	run("points.warn")
	if n := r.messagesOf(notify.PointsExpiring); n != *many {
		t.Errorf("%d were warned", n)
	}
	r.clk.Set(time.Date(2027, 1, 1, 2, 0, 0, 0, time.UTC))
	run("points.expire")
	var left int64
	must(t, r.db.Get(t.Context(), &left, `SELECT COALESCE(SUM(balance), 0) FROM ledger_accounts WHERE unit = 'points'`))
	if left != 0 {
		t.Errorf("%d points are left", left)
	}
}

// step is one turn of a job that is killed after five chunks.
func (r *rig) step(kind string) (last bool, err error) {
	chunk, after := r.expireChunk, ledger.Due{}
	if kind == "points.warn" {
		chunk, after = r.warnChunk, ledger.Due{ExpiresAt: r.clk.Now().UnixMilli() + 1}
	}
	done := 0
	for i := 0; *many > 10_000 || i < 5 || done == 0; i++ {
		next, n, err := chunk(r.t.Context(), after)
		if err != nil {
			return true, err
		}
		if done += n; next == (ledger.Due{}) {
			return true, nil
		}
		after = next
	}
	return false, nil
}
