package slot

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
)

// marks asks as a search does.
func (s *Service) marks(t *testing.T, grounds ...Ground) map[Ground]Mark {
	t.Helper()
	ask := s.db.Reads()
	marksOf := s.MarksSoon(ask, grounds)
	must(t, ask.Collect(t.Context()))
	m, err := marksOf(t.Context())
	must(t, err)
	return m
}

// Whatever happens, through whichever server and for whichever store, a mark that is kept while no turn was counted is the mark that the maps have.
func TestTurnsMissNoChange(t *testing.T) {
	d, clk := dbtest.New(t)
	servers := []*Service{New(d), New(d)}
	rnd := rand.New(rand.NewPCG(7, 7))
	from := CellUp(clk.Now())
	window := Span{from, from + 2*chunkCells}
	ground := func(ids ...int64) Ground {
		var list []Resource
		for _, id := range ids {
			list = append(list, Resource{ID: id})
		}
		return GroundOf(list, window)
	}
	grounds := []Ground{ground(1, 2, 3), ground(3, 4), ground(5), ground(6, -1)} // 3 works in two stores, nobody has 6
	at := func() Span {
		a := from + Cell(rnd.IntN(2*chunkCells-40))
		return Span{a, a + 1 + Cell(rnd.IntN(20))}
	}
	undo := errors.New("undone")
	var blocks []int64
	owners := int64(100)
	for i := range 200 {
		s := servers[rnd.IntN(2)]
		id, store := 1+rnd.Int64N(5), 1+rnd.Int64N(3)
		switch rnd.IntN(8) {
		case 0, 1, 2:
			owners++
			err := s.in(t, func(ctx context.Context, tx *db.Tx) error {
				return s.TakeTx(ctx, tx, store, owners, []Claim{{id, at()}})
			})
			if err != nil && !errors.Is(err, ErrTaken) {
				t.Fatal(err)
			}
		case 3:
			must(t, s.in(t, func(ctx context.Context, tx *db.Tx) error { return s.FreeTx(ctx, tx, 100+rnd.Int64N(owners-99)) }))
		case 4:
			x := at()
			b, _, err := s.Block(t.Context(), Block{StoreID: store, ResourceID: id, ResourceKind: Bay, From: x.From.Time(), To: x.To.Time(), Reason: "检修"}, true)
			must(t, err)
			blocks = append(blocks, b.ID)
		case 5:
			if len(blocks) > 0 {
				must(t, s.Unblock(t.Context(), blocks[0]))
				blocks = blocks[1:]
			}
		case 6: // what is undone counts nothing, and harms nobody who comes later
			owners++
			err := s.in(t, func(ctx context.Context, tx *db.Tx) error {
				if err := s.TakeTx(ctx, tx, store, owners, []Claim{{id, at()}}); err != nil {
					return err
				}
				return undo
			})
			if !errors.Is(err, undo) && !errors.Is(err, ErrTaken) {
				t.Fatal(err)
			}
		case 7:
			clk.Advance(time.Second)
		}
		for _, s := range servers {
			got := s.marks(t, grounds...)
			for _, g := range grounds {
				want, err := readMark(t.Context(), d, g)
				must(t, err)
				if got[g] != want {
					t.Fatalf("step %d: ground %v: %v, the maps say %v", i, g, got[g], want)
				}
			}
		}
	}
	sound(t, servers[0])
}

// The kept mark is what answers while nothing changes, for a moment: after it the maps are asked, in case that somebody counts no turns.
func TestTurnsSpareTheMaps(t *testing.T) {
	d, clk := dbtest.New(t)
	s := New(d)
	from := CellUp(clk.Now())
	g := GroundOf([]Resource{{ID: 1}}, Span{from, from + 10})
	must(t, s.in(t, func(ctx context.Context, tx *db.Tx) error {
		return s.TakeTx(ctx, tx, 1, 10, []Claim{{1, Span{from, from + 2}}})
	}))
	before := s.marks(t, g)[g]
	must(t, s.in(t, func(ctx context.Context, tx *db.Tx) error { return touchMaps(ctx, tx, 1, Span{from, from + 1}) })) // without a turn
	if s.marks(t, g)[g] != before {
		t.Error("the maps were asked though no turn was counted")
	}
	clk.Advance(maxTurnAge)
	if s.marks(t, g)[g] == before {
		t.Error("a change without a turn was never seen")
	}
	before = s.marks(t, g)[g]
	must(t, s.in(t, func(ctx context.Context, tx *db.Tx) error { return s.FreeTx(ctx, tx, 10) }))
	if s.marks(t, g)[g] == before {
		t.Error("a change with a turn was not seen")
	}
}
