package slot

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
)

// shopFloor is a shop that is open 09:00–21:00 in Shanghai, with bays and technicians, taken to a share.
type shopFloor struct {
	resources []Resource
	window    Span
	taken     map[int64][]Span // by resource
	ask       Ask
}

const dayCells = 24 * 60 / CellMinutes

// newShop fills a shop with jobs of 20 to 90 minutes until about the share of the open time is taken.
func newShop(bays, technicians, days int, share float64) *shopFloor {
	rnd := rand.New(rand.NewPCG(1, 2))
	midnight := CellOf(time.Date(2026, 11, 18, 16, 0, 0, 0, time.UTC)) // 00:00 in Shanghai
	s := &shopFloor{window: Span{midnight, midnight + Cell(days)*dayCells}, taken: map[int64][]Span{}}
	var open []Span
	for d := range days {
		at := midnight + Cell(d)*dayCells
		open = append(open, Span{at + 9*12, at + 21*12})
	}
	for i := range bays + technicians {
		r := Resource{ID: 1000 + int64(i)*37, Open: open}
		if i < bays {
			r.Kind, r.Name, r.BayKind, r.Priority = Bay, fmt.Sprintf("%d 号洗车位", i+1), "wash", i == 0
			if i%4 == 3 {
				r.BayKind = "detail"
			}
		} else {
			r.Kind, r.Name, r.Skills = Technician, fmt.Sprintf("技师%d", i), map[string]int{"wash": 1 + i%5, "detail": i % 4}
		}
		s.resources = append(s.resources, r)
		for _, o := range open {
			for at := o.From; at < o.To; {
				n := Cell(4 + rnd.IntN(15))
				if rnd.Float64() < share {
					s.taken[r.ID] = append(s.taken[r.ID], Span{at, min(at+n, o.To)})
				}
				at += n
			}
		}
	}
	s.ask = Ask{Needs: []Need{{BayKind: "wash", Skill: "wash", MinLevel: 2, Cells: 8}, {BayKind: "detail", Skill: "detail", MinLevel: 1, Cells: 12}},
		Step: 3, Align: midnight, Window: s.window}
	return s
}

func (s *shopFloor) floor() *Floor {
	f := NewFloor(s.window, s.resources)
	for id, spans := range s.taken {
		for _, v := range spans {
			f.Take(id, v)
		}
	}
	return f
}

// store writes what is taken, one owner per job.
func (s *shopFloor) store(tb testing.TB, d *db.DB) *Service {
	tb.Helper()
	svc := New(d)
	for i, r := range s.resources {
		for spans := range slices.Chunk(s.taken[r.ID], 50) {
			must(tb, d.InTx(tb.Context(), func(ctx context.Context, tx *db.Tx) error {
				for _, v := range spans {
					if err := svc.TakeTx(ctx, tx, 1, int64(i)<<32+int64(v.From), []Claim{{r.ID, v}}); err != nil {
						return err
					}
				}
				return nil
			}))
		}
	}
	return svc
}

func BenchmarkStarts(b *testing.B) {
	for _, c := range []struct{ bays, technicians, days int }{{20, 30, 1}, {20, 30, 7}, {20, 30, 14}, {20, 30, 28}, {10, 15, 14}, {40, 60, 14}} {
		b.Run(fmt.Sprintf("%dbays_%dtechnicians_%ddays", c.bays, c.technicians, c.days), func(b *testing.B) {
			s := newShop(c.bays, c.technicians, c.days, 0.7)
			f := s.floor()
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n = len(f.Starts(s.ask))
			}
			b.ReportMetric(float64(n), "starts")
		})
	}
}

func BenchmarkNewFloor(b *testing.B) {
	s := newShop(20, 30, 14, 0.7)
	b.ReportAllocs()
	for b.Loop() {
		NewFloor(s.window, s.resources)
	}
}

func BenchmarkAssign(b *testing.B) {
	s := newShop(20, 30, 14, 0.7)
	f := s.floor()
	starts := f.Starts(s.ask)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := f.Assign(s.ask, starts[len(starts)/2], nil); !ok {
			b.Fatal("nothing assigned")
		}
	}
}

// BenchmarkSearch is what a search costs from the database to the list of starts (P7): one client, and eight at once.
func BenchmarkSearch(b *testing.B) {
	for _, days := range []int{1, 14} {
		s := newShop(20, 30, 14, 0.7)
		d, _ := dbtest.New(b)
		svc := s.store(b, d)
		s.window.To = s.window.From + Cell(days)*dayCells
		s.ask.Window = s.window
		search := func() {
			f := NewFloor(s.window, s.resources)
			if err := svc.Load(b.Context(), d, f); err != nil {
				b.Fatal(err)
			}
			if len(f.Starts(s.ask)) == 0 {
				b.Fatal("no starts")
			}
		}
		b.Run(fmt.Sprintf("%ddays", days), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				search()
			}
		})
		b.Run(fmt.Sprintf("%ddays_8clients", days), func(b *testing.B) {
			b.SetParallelism(4) // times GOMAXPROCS
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					search()
				}
			})
		})
	}
}

// BenchmarkTake is one booking's change in a shop that is 70 % full: a bay and a technician for an hour and a half, taken and freed.
func BenchmarkTake(b *testing.B) {
	shop := newShop(20, 30, 14, 0.7)
	d, _ := dbtest.New(b)
	s := shop.store(b, d)
	f := shop.floor()
	starts := f.Starts(shop.ask)
	picks, ok := f.Assign(shop.ask, starts[len(starts)/2], nil)
	if !ok {
		b.Fatal("nothing is free")
	}
	b.ReportAllocs()
	for b.Loop() {
		must(b, d.InTx(b.Context(), func(ctx context.Context, tx *db.Tx) error { return s.TakeTx(ctx, tx, 1, 7, Claims(picks)) }))
		must(b, d.InTx(b.Context(), func(ctx context.Context, tx *db.Tx) error { return s.FreeTx(ctx, tx, 7) }))
	}
}
