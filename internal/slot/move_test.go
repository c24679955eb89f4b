package slot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
)

// N22: a cancelled slot is free at once, in the transaction that cancels; one that is rolled back keeps it.
func TestN22CancelFreesInItsTransaction(t *testing.T) {
	d, clk := dbtest.New(t)
	s := New(d)
	at := CellUp(clk.Now())
	claims := []Claim{{1, Span{at, at + 6}}, {2, Span{at, at + 6}}}
	take := func(owner int64) error {
		return s.in(t, func(ctx context.Context, tx *db.Tx) error { return s.TakeTx(ctx, tx, 1, owner, claims) })
	}
	must(t, take(10))
	gone := errors.New("changed my mind")
	if err := s.in(t, func(ctx context.Context, tx *db.Tx) error {
		must(t, s.FreeTx(ctx, tx, 10))
		return gone
	}); !errors.Is(err, gone) {
		t.Fatal(err)
	}
	if err := take(11); !errors.Is(err, ErrTaken) {
		t.Fatalf("after a cancellation that did not happen: %v", err)
	}
	must(t, s.in(t, func(ctx context.Context, tx *db.Tx) error { return s.FreeTx(ctx, tx, 10, 12) }))
	must(t, take(11))
	sound(t, s)
}

// N22: a move that finds its new place taken changes nothing, and one into its own time keeps what stays.
func TestN22MoveIsAllOrNothing(t *testing.T) {
	d, clk := dbtest.New(t)
	s := New(d)
	at := CellUp(clk.Now())
	replace := func(owner int64, claims ...Claim) error {
		return s.in(t, func(ctx context.Context, tx *db.Tx) error { return s.ReplaceTx(ctx, tx, 1, owner, claims) })
	}
	held := func(owner int64) (n int) {
		c, err := readCells(t.Context(), d, []int64{owner})
		must(t, err)
		return len(c)
	}
	must(t, replace(10, Claim{1, Span{at, at + 6}}, Claim{2, Span{at, at + 6}}))
	must(t, replace(11, Claim{1, Span{at + 12, at + 18}}))
	if err := replace(10, Claim{3, Span{at, at + 6}}, Claim{1, Span{at + 10, at + 13}}); !errors.Is(err, ErrTaken) {
		t.Fatal(err)
	}
	if owners, err := s.Owners(t.Context(), d, []Claim{{3, Span{at, at + 6}}}); err != nil || len(owners) != 0 || held(10) != 12 {
		t.Fatalf("after a move that failed: %v has the new place, %d old cells, %v", owners, held(10), err)
	}
	must(t, replace(10, Claim{1, Span{at + 3, at + 9}}, Claim{2, Span{at + 3, at + 9}}))
	if err := replace(10, Claim{1, Span{at, at + 2}}, Claim{1, Span{at + 1, at + 3}}); !errors.Is(err, ErrTaken) {
		t.Fatalf("a claim against itself: %v", err)
	}
	must(t, s.in(t, func(ctx context.Context, tx *db.Tx) error { return s.ShrinkTx(ctx, tx, 10, at+5) }))
	if held(10) != 4 {
		t.Fatalf("%d cells after an early end", held(10))
	}
	// Two trade places: nobody waits for the other to leave.
	must(t, s.in(t, func(ctx context.Context, tx *db.Tx) error {
		return s.ArrangeTx(ctx, tx, 1, map[int64][]Claim{10: {{1, Span{at + 12, at + 18}}}, 11: {{1, Span{at + 3, at + 5}}, {2, Span{at + 3, at + 5}}}})
	}))
	if held(10) != 6 || held(11) != 4 {
		t.Fatalf("%d and %d cells after trading places", held(10), held(11))
	}
	sound(t, s)
	must(t, replace(10))
	must(t, replace(11))
	sound(t, s)
}

// N22: cars that change places all the time, crosswise, over the border of a map row, with maps that do not exist yet: every one always has a whole
// place, nobody is refused for any other reason than a taken place, and nothing is left over.
func TestN22CrossingMovesLoseNothing(t *testing.T) {
	d, _ := dbtest.New(t)
	s := New(d)
	const owners, moves, resources, long = 24, 25, 6, 5
	border := (CellUp(dbtest.Start)>>chunkBits + 1) << chunkBits
	place := func(rnd *rand.Rand) []Claim {
		at := border - 60 + Cell(rnd.IntN(24))*long
		bay, man := rnd.Int64N(resources), rnd.Int64N(resources)
		return []Claim{{100 + man, Span{at, at + long}}, {1 + bay, Span{at, at + long}}}
	}
	var tried, ran, moved, refused atomic.Int64
	var all sync.WaitGroup
	var placed [owners]atomic.Bool
	for i := range owners {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(5, uint64(i)))
			for range moves {
				claims := place(rnd)
				tried.Add(1)
				err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
					ran.Add(1)
					return s.ReplaceTx(ctx, tx, 1, int64(1000+i), claims)
				})
				switch {
				case err == nil:
					moved.Add(1)
					placed[i].Store(true)
				case errors.Is(err, ErrTaken):
					refused.Add(1)
				default:
					t.Errorf("owner %d: %v", i, err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	for watching := true; watching; {
		select {
		case <-done:
			watching = false
		case <-time.After(5 * time.Millisecond): // no rule: only how often one looks
		}
		var must2 [owners]bool // before the count is read
		for i := range owners {
			must2[i] = placed[i].Load()
		}
		var rows []struct {
			Owner int64 `db:"owner_id"`
			N     int   `db:"n"`
		}
		must(t, d.Select(t.Context(), &rows, `SELECT owner_id, COUNT(*) AS n FROM slot_cells GROUP BY owner_id`))
		seen := map[int64]int{}
		for _, r := range rows {
			seen[r.Owner] = r.N
			if r.N != 2*long {
				t.Fatalf("owner %d is seen with %d cells of %d", r.Owner, r.N, 2*long)
			}
		}
		for i := range owners {
			if must2[i] && seen[int64(1000+i)] == 0 {
				t.Fatalf("owner %d is seen without a place", i)
			}
		}
	}
	t.Logf("%d moves, %d refused, %d transactions for %d calls", moved.Load(), refused.Load(), ran.Load(), tried.Load())
	if moved.Load() == 0 || refused.Load() == 0 {
		t.Error("the test does not test")
	}
	sound(t, s)
}

// Many first bookings at once in weeks that nobody has booked yet: the maps are made once, and nobody is sent away for it.
func TestFirstBookingsOfAWeek(t *testing.T) {
	d, _ := dbtest.New(t)
	s := New(d)
	var ran atomic.Int64
	const weeks, cars = 8, 16
	for w := range weeks {
		at := CellUp(dbtest.Start) + Cell(w)*chunkCells
		var all sync.WaitGroup
		gate := make(chan struct{})
		for i := range cars {
			all.Go(func() {
				<-gate
				span := Span{at + Cell(i)*4, at + Cell(i)*4 + 4}
				if err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
					ran.Add(1)
					return s.TakeTx(ctx, tx, 1, int64(w*1000+i+1), []Claim{{1, span}, {2, span}, {3, Span{span.From + chunkCells, span.To + chunkCells}}})
				}); err != nil {
					t.Errorf("week %d, car %d: %v", w, i, err)
				}
			})
		}
		close(gate)
		all.Wait()
	}
	t.Logf("%d transactions for %d bookings", ran.Load(), weeks*cars)
	sound(t, s)
}

func TestBlocks(t *testing.T) {
	d, clk := dbtest.New(t)
	s := New(d)
	now := clk.Now()
	at := CellUp(now)
	block := func(from, to Cell, force bool) (Block, []int64, error) {
		return s.Block(t.Context(), Block{StoreID: 7, ResourceID: 1, ResourceKind: Bay, From: from.Time(), To: to.Time(), Reason: " 检修 "}, force)
	}
	take := func(owner int64, from, to Cell) error {
		return s.in(t, func(ctx context.Context, tx *db.Tx) error {
			return s.TakeTx(ctx, tx, 7, owner, []Claim{{1, Span{from, to}}})
		})
	}
	must(t, take(10, at+6, at+12))
	var f *fault.Error
	if _, owners, err := block(at, at+24, false); !errors.As(err, &f) || !errors.Is(err, ErrBlocked) || len(owners) != 1 || f.Detail.(InTheWay).BookingIDs[0] != 10 {
		t.Fatalf("%v %v", owners, err)
	}
	one, owners, err := block(at, at+24, true)
	if err != nil || len(owners) != 1 || one.Reason != "检修" {
		t.Fatalf("%+v %v %v", one, owners, err)
	}
	moving := NewFloor(Span{at, at + 24}, []Resource{{ID: 1, Kind: Bay}})
	must(t, s.Load(t.Context(), d, moving, 10))
	if n := moving.count(moving.taken, moving.window); n != 24 {
		t.Fatalf("a booking that moves sees %d of 24 cells of a closed bay as taken", n)
	}
	two, owners, err := block(at+20, at+30, false) // over the first one: blocks do not hinder each other
	if err != nil || len(owners) != 0 {
		t.Fatalf("%v %v", owners, err)
	}
	if err := take(11, at+23, at+25); !errors.Is(err, ErrTaken) {
		t.Fatal(err)
	}
	sound(t, s)
	must(t, s.in(t, func(ctx context.Context, tx *db.Tx) error { return s.FreeTx(ctx, tx, 10) }))
	if err := take(11, at+6, at+12); !errors.Is(err, ErrTaken) {
		t.Fatalf("a bay that is closed was booked when its last booking had left: %v", err)
	}
	sound(t, s)
	must(t, s.Unblock(t.Context(), one.ID))
	must(t, take(11, at+6, at+20))
	if err := take(12, at+20, at+21); !errors.Is(err, ErrTaken) {
		t.Fatalf("the other block has ended too: %v", err)
	}
	sound(t, s)
	if list, err := s.Blocks(t.Context(), 7, (at + 29).Time(), (at + 40).Time()); err != nil || len(list) != 1 || list[0] != two {
		t.Fatalf("%+v %v", list, err)
	}
	if list, err := s.Blocks(t.Context(), 7, (at + 30).Time(), (at + 40).Time()); err != nil || len(list) != 0 {
		t.Fatalf("%+v %v", list, err)
	}
	if err := s.Unblock(t.Context(), one.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Fatal(err)
	}
	for _, b := range []Block{
		{ResourceID: 0, ResourceKind: Bay, From: now, To: now.Add(time.Hour), Reason: "x"}, {ResourceID: 1, ResourceKind: "car", From: now, To: now.Add(time.Hour), Reason: "x"},
		{ResourceID: 1, ResourceKind: Bay, From: now, To: now, Reason: "x"}, {ResourceID: 1, ResourceKind: Bay, From: now.Add(-time.Hour), To: now, Reason: "x"},
		{ResourceID: 1, ResourceKind: Bay, From: now, To: now.AddDate(0, 4, 0), Reason: "x"}, {ResourceID: 1, ResourceKind: Bay, From: now, To: now.Add(time.Hour), Reason: " \t"},
	} {
		if _, _, err := s.Block(t.Context(), b, true); !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("%+v: %v", b, err)
		}
	}
}

func TestForget(t *testing.T) {
	d, clk := dbtest.New(t)
	s := New(d)
	at := CellUp(clk.Now())
	for i, from := range []Cell{at - 3*chunkCells, at - chunkCells, at} {
		must(t, s.in(t, func(ctx context.Context, tx *db.Tx) error {
			return s.TakeTx(ctx, tx, 1, int64(i+1), []Claim{{1, Span{from, from + 6}}, {2, Span{from, from + 6}}})
		}))
	}
	if n, err := s.Forget(t.Context(), (at - chunkCells).Time()); err != nil || n != 2 {
		t.Fatalf("%d %v", n, err)
	}
	var owners []int64
	must(t, d.Select(t.Context(), &owners, `SELECT DISTINCT owner_id FROM slot_cells ORDER BY owner_id`))
	if len(owners) != 2 || owners[0] != 2 {
		t.Fatalf("%v", owners)
	}
	sound(t, s)
}

// The clock forgets what is more than five weeks old, and nothing younger.
func TestForgetsByItself(t *testing.T) {
	d, clk := dbtest.New(t)
	s, q := New(d), jobs.New(d, slog.New(slog.DiscardHandler))
	s.Jobs(q)
	begun := clk.Now()
	at := CellUp(begun)
	must(t, s.in(t, func(ctx context.Context, tx *db.Tx) error {
		return s.TakeTx(ctx, tx, 1, 1, []Claim{{1, Span{at, at + 6}}})
	}))
	taken := func() (n int) {
		t.Helper()
		must(t, d.Get(t.Context(), &n, `SELECT COUNT(*) FROM slot_cells`))
		return n
	}
	run := func(want string) {
		t.Helper()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		ended := make(chan struct{})
		go func() { defer close(ended); q.Run(ctx) }()
		for wait := clock.Stopwatch(); ; time.Sleep(5 * time.Millisecond) {
			var n int
			must(t, d.Get(t.Context(), &n, `SELECT COUNT(*) FROM jobs_queue WHERE dedupe_key = ? AND state = 'done'`, "slot.forget@"+want))
			if n > 0 {
				break
			}
			if wait() > 10*time.Second {
				t.Fatal("the job did not run")
			}
		}
		stop()
		<-ended
	}
	slot := func() string { return fmt.Sprint(clk.Now().Truncate(6 * time.Hour).UnixMilli()) }
	clk.Set(begun.AddDate(0, 0, 34))
	run(slot())
	if n := taken(); n != 6 {
		t.Errorf("%d cells are left of what is 34 days old", n)
	}
	clk.Set(begun.AddDate(0, 0, 35+8)) // whole chunks of about a week go
	run(slot())
	if n := taken(); n != 0 {
		t.Errorf("%d cells are left of what is six weeks old", n)
	}
	sound(t, s)
}

// The audit finds a row that was changed by hand, in either table.
func TestAuditFindsChangesByHand(t *testing.T) {
	d, clk := dbtest.New(t)
	s := New(d)
	at := CellUp(clk.Now())
	for i := range Cell(3) {
		must(t, s.in(t, func(ctx context.Context, tx *db.Tx) error {
			return s.TakeTx(ctx, tx, 1, int64(i+1), []Claim{{int64(i + 1), Span{at, at + 6}}, {9, Span{at + i*6, at + i*6 + 6}}})
		}))
	}
	b, _, err := s.Block(t.Context(), Block{StoreID: 1, ResourceID: 5, ResourceKind: Bay, From: at.Time(), To: (at + 6).Time(), Reason: "检修"}, false)
	must(t, err)
	sound(t, s)
	for _, c := range []struct {
		change, undo string
		args, back   []any
		want         int
	}{
		{`DELETE FROM slot_cells WHERE resource_id = 9 AND cell = ?`, `INSERT INTO slot_cells (resource_id, cell, store_id, owner_id) VALUES (9, ?, 1, 1)`, []any{at}, []any{at}, 1},
		{`INSERT INTO slot_cells (resource_id, cell, store_id, owner_id) VALUES (2, ?, 1, 77)`, `DELETE FROM slot_cells WHERE owner_id = 77 AND cell = ?`, []any{at + 6}, []any{at + 6}, 1},
		{`INSERT INTO slot_cells (resource_id, cell, store_id, owner_id) VALUES (99, ?, 1, 77)`, `DELETE FROM slot_cells WHERE owner_id = 77 AND cell = ?`, []any{at}, []any{at}, 1},
		{`UPDATE slot_maps SET bits = ? WHERE resource_id = 1`, `UPDATE slot_maps SET bits = ? WHERE resource_id = 1`, []any{(&bitmap{}).pack()}, nil, 6},
		{`UPDATE slot_cells SET owner_id = ? WHERE resource_id = 9 AND owner_id = 1`, `UPDATE slot_cells SET owner_id = 1 WHERE owner_id = ? AND resource_id = 9`, []any{b.ID}, []any{b.ID}, 1},
		{`DELETE FROM slot_maps WHERE resource_id = ?`, ``, []any{3}, nil, 1},
	} {
		var before mapRow
		must(t, d.Get(t.Context(), &before, `SELECT `+mapColumns+` FROM slot_maps WHERE resource_id = 1`))
		if c.back == nil {
			c.back = []any{before.Bits}
		}
		exec := func(q string, args []any) {
			must(t, s.in(t, func(ctx context.Context, tx *db.Tx) error { _, err := tx.Exec(ctx, q, args...); return err }))
		}
		exec(c.change, c.args)
		var found []string
		must(t, s.Audit(t.Context(), func(p string) { found = append(found, p) }))
		if len(found) != c.want {
			t.Errorf("%s: found %q", c.change, found)
		}
		if c.undo != "" {
			exec(c.undo, c.back)
			sound(t, s)
		}
	}
}

// A copy of the maps is used only while the database has the same.
func TestLoadIsNeverOlderThanTheQuestion(t *testing.T) {
	d, clk := dbtest.New(t)
	here, there := New(d), New(d) // two instances
	at := CellUp(clk.Now())
	window := Span{at, at + 10}
	resources := []Resource{{ID: 1, Kind: Bay, BayKind: "wash", Open: []Span{window}}}
	free := func(r db.Reader) int {
		f := NewFloor(window, resources)
		must(t, here.Load(t.Context(), r, f))
		return int(window.To-window.From) - f.count(f.taken, window)
	}
	for i := range Cell(8) {
		if n := free(d); n != 10-int(i) {
			t.Fatalf("%d free, want %d", n, 10-i)
		}
		undone := errors.New("undone")
		if err := there.in(t, func(ctx context.Context, tx *db.Tx) error {
			must(t, there.TakeTx(ctx, tx, 1, 99, []Claim{{1, Span{at + 8, at + 10}}}))
			if n := free(tx); n != 8-int(i) {
				t.Errorf("inside: %d free, want %d", n, 8-i)
			}
			return undone
		}); !errors.Is(err, undone) {
			t.Fatal(err)
		}
		must(t, there.in(t, func(ctx context.Context, tx *db.Tx) error {
			return there.TakeTx(ctx, tx, 1, int64(i+1), []Claim{{1, Span{at + i, at + i + 1}}})
		}))
	}
	f := NewFloor(window, resources)
	must(t, here.Load(t.Context(), d, f, 3, 4, 77))
	if n := f.count(f.taken, window); n != 6 {
		t.Fatalf("%d taken when two owners do not count", n)
	}
}
