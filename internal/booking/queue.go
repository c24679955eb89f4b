package booking

import "github.com/liangche/liangche/internal/slot"

// inLine is a walk-in that waits, as the floor sees it.
type inLine struct {
	id       int64
	needs    []slot.Need
	priority bool
}

// turn is when a walk-in's turn comes. picks is nil when nothing fits in the window.
type turn struct {
	id    int64
	ahead int // cars before it that wait for the same bays or people
	start slot.Cell
	picks []slot.Pick
}

// minutes is how long the turn is off.
func (t turn) minutes(now slot.Cell) int { return int(t.start-now) * slot.CellMinutes }

// lineUp gives every car of a queue its turn, in the order of the line: each takes the first time at which everything it needs is free, and
// what it takes is gone for those behind it. So a car may pass one that waits for something else, but never makes it wait longer. It is pure but
// for the floor, on which it marks what it gave.
func lineUp(f *slot.Floor, now, until, release slot.Cell, line []inLine) []turn {
	out := make([]turn, 0, len(line))
	for i, c := range line {
		t := turn{id: c.id}
		for _, before := range line[:i] {
			if compete(before.needs, c.needs) {
				t.ahead++
			}
		}
		ask := slot.Ask{Needs: c.needs, Step: 1, Align: now, Window: slot.Span{From: now, To: until}, Earliest: now, Priority: c.priority, ReleaseAt: release}
		if starts := f.Starts(ask); len(starts) > 0 {
			if picks, ok := f.Assign(ask, starts[0], nil); ok {
				t.start, t.picks = starts[0], picks
				for _, claim := range slot.Claims(picks) {
					if claim.ResourceID > 0 { // the door lets everybody in
						f.Take(claim.ResourceID, claim.Span)
					}
				}
			}
		}
		out = append(out, t)
	}
	return out
}

// compete says whether two visits want the same kind of bay or the same skill.
func compete(a, b []slot.Need) bool {
	for _, x := range a {
		for _, y := range b {
			if (x.BayKind != "" && x.BayKind == y.BayKind) || (x.Skill != "" && x.Skill == y.Skill) {
				return true
			}
		}
	}
	return false
}

// holdsPlate says whether a booking in the state keeps its plate from being dealt with elsewhere: a car that waits in one queue, or is washed, is
// not waiting in another (N33).
func (s State) holdsPlate() bool { return s == Queued || s.Active() }

// unplaced are the segments of a plan that has no bays and people yet, from a cell on.
func (p plan) unplaced(from slot.Cell) []Segment {
	picks := make([]slot.Pick, 0, len(p.parts))
	for i, q := range p.parts {
		picks = append(picks, slot.Pick{Need: i, From: from, To: from + slot.Cell(q.cells())})
		from += slot.Cell(q.cells())
	}
	return p.segments(picks)
}
