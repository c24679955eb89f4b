package slot

import "math/bits"

// Floor is a picture of a store's resources over a window: a bit for every cell, set where the resource is open, and one where it is taken. It is
// pure and not safe for concurrent use. What lies outside the window counts as closed.
type Floor struct {
	window    Span
	origin    Cell // of the first bit; a multiple of 64
	words     int  // per resource
	resources []Resource
	index     map[int64]int
	open      []uint64 // words of the first resource, then of the second, …
	taken     []uint64
}

// NewFloor makes the picture with nothing taken. The window must hold every start and the work that follows it.
func NewFloor(window Span, resources []Resource) *Floor {
	f := &Floor{window: window, resources: resources, index: make(map[int64]int, len(resources)), origin: window.From &^ 63}
	if !window.empty() {
		f.words = int((window.To - f.origin + 63) >> 6)
	}
	slab := make([]uint64, 2*f.words*len(resources))
	f.open, f.taken = slab[:len(slab)/2], slab[len(slab)/2:]
	for i, r := range resources {
		f.index[r.ID] = i
		for _, s := range r.Open {
			f.set(f.open, i, s, true)
		}
	}
	return f
}

// Take marks a resource's time as taken. A resource that the floor does not have is ignored.
func (f *Floor) Take(resourceID int64, s Span) { f.mark(resourceID, s, true) }

// Free marks a resource's time as not taken; whether it is open stays as it was.
func (f *Floor) Free(resourceID int64, s Span) { f.mark(resourceID, s, false) }

func (f *Floor) mark(resourceID int64, s Span, on bool) {
	if i, ok := f.index[resourceID]; ok {
		f.set(f.taken, i, s, on)
	}
}

// set changes the bits of a span, cut to the window.
func (f *Floor) set(rows []uint64, i int, s Span, on bool) {
	s.From, s.To = max(s.From, f.window.From), min(s.To, f.window.To)
	if s.empty() {
		return
	}
	row := f.row(rows, i)
	lo, hi := int(s.From-f.origin), int(s.To-f.origin)
	for w := lo >> 6; w <= (hi-1)>>6; w++ {
		if m := mask(w, lo, hi); on {
			row[w] |= m
		} else {
			row[w] &^= m
		}
	}
}

// mask are the bits of word w that lie in lo ≤ bit < hi.
func mask(w, lo, hi int) uint64 {
	m := ^uint64(0)
	if d := lo - w<<6; d > 0 {
		m <<= uint(d)
	}
	if d := (w+1)<<6 - hi; d > 0 {
		m &= ^uint64(0) >> uint(d)
	}
	return m
}

func (f *Floor) row(rows []uint64, i int) []uint64 { return rows[i*f.words : (i+1)*f.words] }

// Starts lists, in order, the starts on the grid at which every need finds a bay and a technician that are free for as long as it takes. The needs
// of a visit follow each other, so each may be looked at by itself; the cost is linear in days and in resources.
func (f *Floor) Starts(a Ask) []Cell {
	total := a.cells()
	if total <= 0 || f.words == 0 {
		return nil
	}
	ok := f.startable(a)
	if ok == nil {
		return nil
	}
	step := Cell(max(a.Step, 1))
	from, to := max(a.Window.From, a.Earliest, f.window.From), min(a.Window.To, f.window.To-total+1)
	if behind := Cell(floorMod(int64(from-a.Align), int64(step))); behind != 0 {
		from += step - behind
	}
	var out []Cell
	for c := from; c < to; c += step {
		if b := uint(c - f.origin); ok[b>>6]>>(b&63)&1 != 0 {
			out = append(out, c)
		}
	}
	return out
}

// startable are the cells at which the work could begin, on the grid or not; nil when it never could.
func (f *Floor) startable(a Ask) []uint64 {
	if !f.wishKnown(a) {
		return nil
	}
	slab := make([]uint64, 3*f.words)
	ok, some, run := slab[:f.words], slab[f.words:2*f.words], slab[2*f.words:]
	for i := range ok {
		ok[i] = ^uint64(0)
	}
	offset := Cell(0)
	for _, n := range a.Needs {
		if n.Cells <= 0 {
			continue
		}
		if n.BayKind != "" {
			clear(some)
			for i := range f.resources {
				if !f.suits(i, n) {
					continue
				}
				f.runs(run, i, n.Cells)
				if f.resources[i].Priority && !a.Priority {
					f.cut(run, a.ReleaseAt+offset)
				}
				or(some, run)
			}
			andShifted(ok, some, int(offset))
		}
		if n.Skill != "" {
			clear(some)
			wished := f.wished(a, n)
			for i := range f.resources {
				if (wished < 0 && f.skilled(i, n)) || i == wished {
					f.runs(run, i, n.Cells)
					or(some, run)
				}
			}
			andShifted(ok, some, int(offset))
		}
		offset += Cell(n.Cells)
	}
	return ok
}

// suits says whether the resource is a bay of the needed kind.
func (f *Floor) suits(i int, n Need) bool {
	return f.resources[i].Kind == Bay && f.resources[i].BayKind == n.BayKind
}

// skilled says whether the resource is a technician who is good enough.
func (f *Floor) skilled(i int, n Need) bool {
	return f.resources[i].Kind == Technician && f.resources[i].Skills[n.Skill] >= max(n.MinLevel, 1)
}

// wished is the index of the technician who was asked for, when he can do the need; otherwise -1.
func (f *Floor) wished(a Ask, n Need) int {
	if i, known := f.index[a.TechnicianID]; a.TechnicianID != 0 && known && f.skilled(i, n) {
		return i
	}
	return -1
}

// wishKnown says whether the technician who was asked for, if any, can do something of the visit. Where nobody is needed, no wish counts.
func (f *Floor) wishKnown(a Ask) bool {
	known := true
	for _, n := range a.Needs {
		if a.TechnicianID != 0 && n.Skill != "" {
			if f.wished(a, n) >= 0 {
				return true
			}
			known = false
		}
	}
	return known
}

// runs sets in out the cells from which the resource is free for n cells. Each round doubles the length that is known to be free.
func (f *Floor) runs(out []uint64, i, n int) {
	open, taken := f.row(f.open, i), f.row(f.taken, i)
	for w := range out {
		out[w] = open[w] &^ taken[w]
	}
	for have := 1; have < n; {
		by := min(have, n-have)
		andShifted(out, out, by)
		have += by
	}
}

// cut clears what lies at or after c.
func (f *Floor) cut(row []uint64, c Cell) {
	b := max(int(c-f.origin), 0)
	for w := b >> 6; w < len(row); w++ {
		row[w] &^= mask(w, b, len(row)<<6)
	}
}

func or(dst, src []uint64) {
	for i, v := range src[:len(dst)] {
		dst[i] |= v
	}
}

// andShifted keeps in dst the bits i for which src has bit i+by. dst may be src.
func andShifted(dst, src []uint64, by int) {
	skip, sh := by>>6, uint(by&63)
	n := len(dst)
	for i := range dst {
		var v uint64
		if j := i + skip; j < n {
			v = src[j] >> sh
			if sh != 0 && j+1 < n {
				v |= src[j+1] << (64 - sh)
			}
		}
		dst[i] &= v
	}
}

// Near lists up to n free starts, the nearest to want first; of two that are as near, the earlier.
func (f *Floor) Near(a Ask, want Cell, n int) []Cell {
	all := f.Starts(a)
	right := 0
	for right < len(all) && all[right] < want {
		right++
	}
	left := right - 1
	var out []Cell
	for len(out) < n && (left >= 0 || right < len(all)) {
		if right == len(all) || (left >= 0 && want-all[left] <= all[right]-want) {
			out = append(out, all[left])
			left--
		} else {
			out = append(out, all[right])
			right++
		}
	}
	return out
}

// count is how many bits of a row are set within a span.
func (f *Floor) count(row []uint64, s Span) (n int) {
	s.From, s.To = max(s.From, f.window.From), min(s.To, f.window.To)
	if s.empty() {
		return 0
	}
	lo, hi := int(s.From-f.origin), int(s.To-f.origin)
	for w := lo >> 6; w <= (hi-1)>>6; w++ {
		n += bits.OnesCount64(row[w] & mask(w, lo, hi))
	}
	return n
}

// free says whether a resource is open and not taken for a whole span.
func (f *Floor) free(i int, s Span) bool {
	if s.empty() || s.From < f.window.From || s.To > f.window.To {
		return false
	}
	open, taken := f.row(f.open, i), f.row(f.taken, i)
	lo, hi := int(s.From-f.origin), int(s.To-f.origin)
	for w := lo >> 6; w <= (hi-1)>>6; w++ {
		if m := mask(w, lo, hi); open[w]&^taken[w]&m != m {
			return false
		}
	}
	return true
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }
