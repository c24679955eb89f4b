package db_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
)

// lookup counts its reads; the first two wait until free is closed.
func lookup(t *testing.T, d *db.DB, in chan<- struct{}, free <-chan struct{}, bad func(keys []string) error) (*db.Lookup[string, key], *atomic.Int64) {
	var reads atomic.Int64
	return db.NewLookup(d, func(ctx context.Context, r db.Reader, keys []string) (map[string]key, error) {
		if n := reads.Add(1); n <= 2 {
			in <- struct{}{}
			<-free
		}
		if err := bad(keys); err != nil {
			return nil, err
		}
		q, args, err := db.In(`SELECT actor, idem_key, request_hash, response, created_at FROM idem_keys WHERE actor = ? AND idem_key IN (?)`, "c", keys)
		must(t, err)
		var rows []key
		err = r.Select(ctx, &rows, q, args...)
		out := map[string]key{}
		for _, x := range rows {
			out[x.Key] = x
		}
		return out, err
	}), &reads
}

func TestLookupSharesAStatement(t *testing.T) {
	for name, bad := range map[string]func(keys []string) error{
		"all is well": func([]string) error { return nil },
		"the shared read fails": func(keys []string) error {
			if len(keys) > 1 {
				return errMiss
			}
			return nil
		},
		"the shared read panics": func(keys []string) error {
			if len(keys) > 1 {
				panic("boom")
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := dbtest.New(t)
			must(t, d.InTx(t.Context(), func(_ context.Context, tx *db.Tx) error {
				for i := range 10 {
					tx.InsertSoon("idem_keys", key{"c", fmt.Sprint(i), "h", "", int64(i)})
				}
				return nil
			}))
			in, free := make(chan struct{}), make(chan struct{})
			l, reads := lookup(t, d, in, free, bad)
			var wg sync.WaitGroup
			ask := func(ctx context.Context, k string, want error) {
				wg.Go(func() {
					got, err := l.Get(ctx, k)
					if !errors.Is(err, want) || (want == nil && (err != nil || got.Key != k)) {
						t.Errorf("%s: got %+v %v, want %v", k, got, err, want)
					}
				})
			}
			for range 2 {
				ask(t.Context(), "0", nil)
				<-in
			}
			gone, cancel := context.WithCancel(t.Context())
			ask(gone, "1", fault.ErrUnavailable)
			cancel()
			for i := range 30 {
				want := error(nil)
				if i%15 >= 10 {
					want = db.ErrNoRows
				}
				ask(t.Context(), fmt.Sprint(i%15), want)
			}
			for l.Waiting() < 30 {
				time.Sleep(time.Millisecond)
			}
			close(free)
			wg.Wait()
			if name == "all is well" && reads.Load() > 4 {
				t.Errorf("%d reads for 32 callers", reads.Load())
			}
		})
	}
}
