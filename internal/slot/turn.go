package slot

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/liangche/liangche/internal/db"
)

// To ask for the mark of a ground the database looks at a row for each resource and week. Turns spare that most of the time: every transaction that
// changes a map counts, as the last thing it does, a turn of the map's week in slot_turns. A mark that was read after a turn was is good while the turn
// is the same, for then nothing has changed since on any map of those weeks, in whichever store and by whichever server.

// turn names a row of slot_turns.
type turn struct {
	Chunk int64 `db:"chunk"`
	Lane  int64 `db:"lane"`
}

// lanes spread the stores over rows, so that two of them rarely wait for each other's commit.
const lanes = 8

func turnAt(chunk, storeID int64) turn {
	return turn{chunk, int64(uint64(storeID) * 0x9E3779B97F4A7C15 >> 32 % lanes)}
}

// turnsOf are the turns of changed cells, in the order of the table.
func turnsOf(lists ...[]cell) []turn {
	var out []turn
	for _, list := range lists {
		for _, c := range list {
			if k := turnAt(chunkOf(c.Cell), c.StoreID); len(out) == 0 || out[len(out)-1] != k {
				out = append(out, k)
			}
		}
	}
	slices.SortFunc(out, func(a, b turn) int { return cmp.Or(cmp.Compare(a.Chunk, b.Chunk), cmp.Compare(a.Lane, b.Lane)) })
	return slices.Compact(out)
}

// turns remembers which rows there are, for they never go, and marks with the turn before which they were read.
type turns struct {
	mu    sync.Mutex
	there map[turn]bool
	marks map[Ground]turnMark
}

type turnMark struct {
	turn, mark Mark
	at         time.Time
}

// maxTurnAge is how long a mark is believed at most: while servers are replaced one by one, those of a version without turns count none.
const maxTurnAge = 2 * time.Second

// turnTx counts turns when the transaction ends.
func (s *Service) turnTx(ctx context.Context, tx *db.Tx, keys []turn) error {
	for _, k := range keys {
		s.turns.mu.Lock()
		there := s.turns.there[k]
		s.turns.mu.Unlock()
		if !there {
			if err := makeTurn(ctx, tx, k); err != nil {
				return err
			}
			tx.AfterCommit(func() { s.turns.exists(k) })
		}
		countTurn(tx, k)
	}
	return nil
}

func (t *turns) exists(k turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.there == nil {
		t.there = map[turn]bool{}
	}
	t.there[k] = true
}

func (t *turns) mark(g Ground, turn Mark, now time.Time) (Mark, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m, ok := t.marks[g]
	age := now.Sub(m.at)
	return m.mark, ok && m.turn == turn && age >= 0 && age < maxTurnAge
}

func (t *turns) keep(g Ground, m turnMark) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.marks == nil {
		t.marks = map[Ground]turnMark{}
	}
	if _, known := t.marks[g]; !known && len(t.marks) >= maxPictures {
		for old := range t.marks { // any of them: whoever still needs it reads it again
			delete(t.marks, old)
			break
		}
	}
	t.marks[g] = m
}

// weeks are the chunks that a ground lies in.
type weeks struct{ from, to int64 }

// MarksSoon asks for the state of grounds; what it returns gives the marks, outside transactions, once the reads are collected. Whatever is taken or
// freed on a ground, and every block that comes or goes, makes another mark. So what was derived from Load of these resources, for the same owners to
// ignore, holds while the mark is the same.
func (s *Service) MarksSoon(ask db.Asker, grounds []Ground) func(ctx context.Context) (map[Ground]Mark, error) {
	now := map[weeks]Mark{}
	for _, g := range grounds {
		w := weeks{g.from, g.to}
		if _, asked := now[w]; !asked {
			now[w] = Mark{}
			turnSoon(ask, w, func(m Mark) { now[w] = m })
		}
	}
	return func(ctx context.Context) (map[Ground]Mark, error) {
		out, again, at := make(map[Ground]Mark, len(grounds)), s.db.Reads(), s.db.Now()
		for _, g := range grounds {
			turn := now[weeks{g.from, g.to}]
			m, good := s.turns.mark(g, turn, at)
			if _, asked := out[g]; !good && !asked {
				markSoon(again, g, func(m Mark) {
					out[g] = m
					s.turns.keep(g, turnMark{turn, m, at})
				})
			}
			out[g] = m
		}
		return out, again.Collect(ctx)
	}
}
