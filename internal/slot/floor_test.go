package slot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
)

// shopModel is a shop as a child would keep it: who has which cell, one by one.
type shopModel struct {
	resources []Resource
	window    Span
	owner     map[int64]map[Cell]int64
	blocks    []Block
}

func (m *shopModel) taken(id int64, c Cell) bool {
	if m.owner[id][c] != 0 {
		return true
	}
	return slices.ContainsFunc(m.blocks, func(b Block) bool { return b.ResourceID == id && CellOf(b.From) <= c && c < CellUp(b.To) })
}

func (m *shopModel) free(r Resource, s Span) bool {
	for c := s.From; c < s.To; c++ {
		open := slices.ContainsFunc(r.Open, func(o Span) bool { return o.From <= c && c < o.To })
		if !open || c < m.window.From || c >= m.window.To || m.taken(r.ID, c) {
			return false
		}
	}
	return true
}

// can says whether a resource may serve a need of a visit that starts then, by everything but its time.
func (m *shopModel) can(r Resource, a Ask, n Need, start Cell) bool {
	if r.Kind == Bay {
		return n.BayKind != "" && r.BayKind == n.BayKind && (!r.Priority || a.Priority || start < a.ReleaseAt)
	}
	if n.Skill == "" || r.Skills[n.Skill] < max(n.MinLevel, 1) {
		return false
	}
	wished := func(t Resource) bool { return t.ID == a.TechnicianID && t.Skills[n.Skill] >= max(n.MinLevel, 1) }
	return wished(r) || !slices.ContainsFunc(m.resources, wished)
}

// possible tries every resource for every need.
func (m *shopModel) possible(a Ask, start Cell) bool {
	if a.TechnicianID != 0 {
		wanted := slices.ContainsFunc(a.Needs, func(n Need) bool { return n.Skill != "" })
		does := slices.ContainsFunc(m.resources, func(r Resource) bool {
			return r.ID == a.TechnicianID && slices.ContainsFunc(a.Needs, func(n Need) bool { return n.Skill != "" && r.Kind == Technician && m.can(r, a, n, start) })
		})
		if wanted && !does {
			return false
		}
	}
	at := start
	for _, n := range a.Needs {
		span := Span{at, at + Cell(n.Cells)}
		at = span.To
		for _, kind := range []string{Bay, Technician} {
			if (kind == Bay && n.BayKind == "") || (kind == Technician && n.Skill == "") {
				continue
			}
			if !slices.ContainsFunc(m.resources, func(r Resource) bool { return r.Kind == kind && m.can(r, a, n, start) && m.free(r, span) }) {
				return false
			}
		}
	}
	return start >= m.window.From && at <= m.window.To
}

func (m *shopModel) starts(a Ask) (out []Cell) {
	for c := a.Window.From; c < a.Window.To; c++ {
		if (c-a.Align)%Cell(a.Step) == 0 && c >= a.Earliest && m.possible(a, c) {
			out = append(out, c)
		}
	}
	return out
}

func (m *shopModel) mayTake(owner int64, claims []Claim) bool {
	for i, c := range claims {
		for at := c.From; at < c.To; at++ {
			if m.owner[c.ResourceID][at] != owner && m.taken(c.ResourceID, at) {
				return false
			}
		}
		for _, other := range claims[:i] {
			if other.ResourceID == c.ResourceID && other.overlaps(c.Span) {
				return false
			}
		}
	}
	return true
}

func (m *shopModel) leave(owner int64) {
	for _, cells := range m.owner {
		for c, o := range cells {
			if o == owner {
				delete(cells, c)
			}
		}
	}
}

func (m *shopModel) put(owner int64, claims []Claim) {
	for _, c := range claims {
		for at := c.From; at < c.To; at++ {
			if m.owner[c.ResourceID] == nil {
				m.owner[c.ResourceID] = map[Cell]int64{}
			}
			m.owner[c.ResourceID][at] = owner
		}
	}
}

func (m *shopModel) owners() (out []int64) {
	for _, cells := range m.owner {
		for _, o := range cells {
			out = append(out, o)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

var skills = []string{"wash", "detail"}

// drawShop makes a small shop on the border of two map rows, with shifts, breaks and a night shift.
func drawShop(t *rapid.T, firstID int64, border Cell) *shopModel {
	from := border - Cell(rapid.IntRange(20, 100).Draw(t, "before"))
	m := &shopModel{window: Span{from, from + Cell(rapid.IntRange(60, 220).Draw(t, "length"))}, owner: map[int64]map[Cell]int64{}}
	for i := range int64(rapid.IntRange(2, 7).Draw(t, "resources")) {
		r := Resource{ID: firstID + i, Kind: Bay, Name: fmt.Sprint("R", i)}
		if rapid.Bool().Draw(t, "technician") {
			r.Kind, r.Skills = Technician, map[string]int{}
			for _, s := range skills {
				r.Skills[s] = rapid.IntRange(0, 3).Draw(t, s)
			}
		} else {
			r.BayKind, r.Priority = rapid.SampledFrom(skills).Draw(t, "kind"), rapid.IntRange(0, 3).Draw(t, "priority") == 0
		}
		for range rapid.IntRange(1, 3).Draw(t, "shifts") {
			at := m.window.From + Cell(rapid.IntRange(-30, 150).Draw(t, "opens"))
			r.Open = append(r.Open, Span{at, at + Cell(rapid.IntRange(1, 120).Draw(t, "open for"))})
		}
		m.resources = append(m.resources, r)
	}
	return m
}

func (m *shopModel) drawAsk(t *rapid.T) Ask {
	a := Ask{Step: rapid.SampledFrom([]int{1, 2, 3, 6, 12}).Draw(t, "step"), Align: m.window.From + Cell(rapid.IntRange(-300, 300).Draw(t, "align")),
		Window: m.window, Priority: rapid.Bool().Draw(t, "member"), Earliest: m.window.From + Cell(rapid.IntRange(-10, 30).Draw(t, "earliest")),
		ReleaseAt: m.window.From + Cell(rapid.IntRange(-10, 150).Draw(t, "release"))}
	if rapid.Bool().Draw(t, "narrow") {
		a.Window.From += Cell(rapid.IntRange(-20, 40).Draw(t, "window"))
	}
	for range rapid.IntRange(1, 3).Draw(t, "needs") {
		n := Need{Cells: rapid.IntRange(1, 20).Draw(t, "cells"), MinLevel: rapid.IntRange(0, 2).Draw(t, "level")}
		if k := rapid.IntRange(0, 4).Draw(t, "bay"); k < 4 {
			n.BayKind = skills[k%2]
		}
		if k := rapid.IntRange(0, 4).Draw(t, "skill"); k < 4 {
			n.Skill = skills[k%2]
		}
		a.Needs = append(a.Needs, n)
	}
	if rapid.IntRange(0, 3).Draw(t, "wish") == 0 {
		a.TechnicianID = rapid.SampledFrom(m.resources).Draw(t, "wished").ID
	}
	return a
}

// compare asks the floor and the model the same.
func (m *shopModel) compare(t *rapid.T, f *Floor, a Ask) {
	got, want := f.Starts(a), m.starts(a)
	if !slices.Equal(got, want) {
		t.Fatalf("starts of %+v: %v, want %v", a, got, want)
	}
	at := m.window.From + Cell(rapid.IntRange(-5, 220).Draw(t, "at"))
	if len(want) > 0 && rapid.Bool().Draw(t, "a start") {
		at = rapid.SampledFrom(want).Draw(t, "start")
	}
	picks, ok := f.Assign(a, at, []int64{m.resources[0].ID})
	if possible := m.possible(a, at); ok != possible {
		t.Fatalf("assign at %d of %+v: %v, want %v", at, a, ok, possible)
	}
	if o := f.Objections(a, picks); ok && len(o) > 0 {
		t.Fatalf("objections to what was assigned: %+v", o)
	}
	next := at
	for i, p := range picks {
		n := a.Needs[p.Need]
		if p.Need != i || p.From != next || p.To != next+Cell(n.Cells) || (p.BayID != 0) != (n.BayKind != "") || (p.TechnicianID != 0) != (n.Skill != "") {
			t.Fatalf("picks %+v for %+v", picks, a)
		}
		next = p.To
		for _, id := range []int64{p.BayID, p.TechnicianID} {
			for _, r := range m.resources {
				if r.ID == id && (!m.can(r, a, n, at) || !m.free(r, Span{p.From, p.To})) {
					t.Fatalf("pick %+v of %+v is not possible", p, a)
				}
			}
		}
	}
	near := f.Near(a, at, 3)
	slices.SortStableFunc(want, func(x, y Cell) int { return cmp.Compare(max(x-at, at-x), max(y-at, at-y)) })
	if !slices.Equal(near, want[:min(3, len(want))]) {
		t.Fatalf("near %d: %v, want %v", at, near, want[:min(3, len(want))])
	}
}

// Starts, Assign and Near say what trying everything cell by cell says, after any history of bookings, moves, cancellations and closings.
func TestSearchAgreesWithTryingEverything(t *testing.T) {
	d, _ := dbtest.New(t)
	s := New(d)
	border := (CellUp(dbtest.Start)>>chunkBits + 1) << chunkBits
	shops := int64(0)
	rapid.Check(t, func(rt *rapid.T) {
		shops++
		m := drawShop(rt, shops*100, border)
		next := shops * 100000
		in := func(f func(ctx context.Context, tx *db.Tx) error) error { return d.InTx(t.Context(), f) }
		drawClaims := func() (out []Claim) {
			for range rapid.IntRange(1, 3).Draw(rt, "claims") {
				from := m.window.From + Cell(rapid.IntRange(-10, 200).Draw(rt, "from"))
				out = append(out, Claim{rapid.SampledFrom(m.resources).Draw(rt, "resource").ID, Span{from, from + Cell(rapid.IntRange(1, 30).Draw(rt, "cells"))}})
			}
			return out
		}
		agree := func(what string, err error, may bool) bool {
			if (err == nil) != may || (err != nil && !errors.Is(err, ErrTaken)) {
				rt.Fatalf("%s: %v, want success %v", what, err, may)
			}
			return may
		}
		load := func(ignore ...int64) *Floor {
			f := NewFloor(m.window, m.resources)
			if err := s.Load(t.Context(), d, f, ignore...); err != nil {
				rt.Fatal(err)
			}
			return f
		}
		rt.Repeat(map[string]func(*rapid.T){
			"search": func(rt *rapid.T) { m.compare(rt, load(), m.drawAsk(rt)) },
			"search for a move": func(rt *rapid.T) {
				all := m.owners()
				if len(all) == 0 {
					rt.Skip()
				}
				owner := rapid.SampledFrom(all).Draw(rt, "owner")
				without := &shopModel{resources: m.resources, window: m.window, blocks: m.blocks, owner: map[int64]map[Cell]int64{}}
				for id, cells := range m.owner {
					without.owner[id] = map[Cell]int64{}
					for c, o := range cells {
						if o != owner {
							without.owner[id][c] = o
						}
					}
				}
				without.compare(rt, load(owner), m.drawAsk(rt))
			},
			"book": func(rt *rapid.T) {
				a := m.drawAsk(rt)
				f := load()
				starts := f.Starts(a)
				if len(starts) == 0 {
					rt.Skip()
				}
				picks, ok := f.Assign(a, rapid.SampledFrom(starts).Draw(rt, "start"), nil)
				if !ok {
					rt.Fatal("a start that cannot be assigned")
				}
				next++
				if claims := Claims(picks); len(claims) > 0 && agree("book", in(func(ctx context.Context, tx *db.Tx) error { return s.TakeTx(ctx, tx, 1, next, claims) }), true) {
					m.put(next, claims)
				}
			},
			"take": func(rt *rapid.T) {
				next++
				claims := drawClaims()
				if agree("take", in(func(ctx context.Context, tx *db.Tx) error { return s.TakeTx(ctx, tx, 1, next, claims) }), m.mayTake(next, claims)) {
					m.put(next, claims)
				}
			},
			"move": func(rt *rapid.T) {
				all := m.owners()
				if len(all) == 0 {
					rt.Skip()
				}
				owner, claims := rapid.SampledFrom(all).Draw(rt, "owner"), drawClaims()
				if agree("move", in(func(ctx context.Context, tx *db.Tx) error { return s.ReplaceTx(ctx, tx, 1, owner, claims) }), m.mayTake(owner, claims)) {
					m.leave(owner)
					m.put(owner, claims)
				}
			},
			"cancel": func(rt *rapid.T) {
				all := m.owners()
				if len(all) == 0 {
					rt.Skip()
				}
				owner := rapid.SampledFrom(all).Draw(rt, "owner")
				agree("cancel", in(func(ctx context.Context, tx *db.Tx) error { return s.FreeTx(ctx, tx, owner) }), true)
				m.leave(owner)
			},
			"close": func(rt *rapid.T) {
				r := rapid.SampledFrom(m.resources).Draw(rt, "resource")
				from := m.window.From + Cell(rapid.IntRange(0, 200).Draw(rt, "from"))
				to := from + Cell(rapid.IntRange(1, 60).Draw(rt, "cells"))
				var want []int64
				for c := from; c < to; c++ {
					if o := m.owner[r.ID][c]; o != 0 {
						want = append(want, o)
					}
				}
				slices.Sort(want)
				want = slices.Compact(want)
				force := rapid.Bool().Draw(rt, "force")
				b, owners, err := s.Block(t.Context(), Block{StoreID: 1, ResourceID: r.ID, ResourceKind: r.Kind, From: from.Time(), To: to.Time(), Reason: "检修"}, force)
				if !slices.Equal(owners, want) || (err != nil) != (len(want) > 0 && !force) || (err != nil && !errors.Is(err, ErrBlocked)) {
					rt.Fatalf("close: %v %v, want %v", owners, err, want)
				}
				if err == nil {
					m.blocks = append(m.blocks, b)
				}
			},
			"open": func(rt *rapid.T) {
				if len(m.blocks) == 0 {
					rt.Skip()
				}
				i := rapid.IntRange(0, len(m.blocks)-1).Draw(rt, "block")
				agree("open", s.Unblock(t.Context(), m.blocks[i].ID), true)
				m.blocks = slices.Delete(m.blocks, i, i+1)
			},
		})
		m.compare(rt, load(), m.drawAsk(rt))
	})
	sound(t, s)
}

// The pure search alone, on more shapes than a database has time for.
func TestFloorAgreesWithTryingEverything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := drawShop(rt, 100, rapid.SampledFrom([]Cell{0, -64, 2048, 5984256}).Draw(rt, "border"))
		f := NewFloor(m.window, m.resources)
		for i := range int64(rapid.IntRange(0, 12).Draw(rt, "jobs")) {
			from := m.window.From + Cell(rapid.IntRange(-10, 200).Draw(rt, "from"))
			c := Claim{rapid.SampledFrom(m.resources).Draw(rt, "resource").ID, Span{from, from + Cell(rapid.IntRange(1, 70).Draw(rt, "cells"))}}
			if m.mayTake(i+1, []Claim{c}) {
				m.put(i+1, []Claim{c})
				f.Take(c.ResourceID, c.Span)
			}
			if rapid.IntRange(0, 5).Draw(rt, "free") == 0 {
				f.Free(c.ResourceID, c.Span)
				for at := c.From; at < c.To; at++ {
					delete(m.owner[c.ResourceID], at)
				}
			}
		}
		for range 20 {
			m.compare(rt, f, m.drawAsk(rt))
		}
	})
}

func TestCells(t *testing.T) {
	at := time.Date(2026, 3, 8, 6, 59, 59, 999e6, time.UTC)
	if c := CellOf(at); c.Time() != at.Truncate(5*time.Minute) || CellUp(at) != c+1 || CellUp(c.Time()) != c || CellOf(c.Time()) != c {
		t.Errorf("%v: cell %d, up %d", at, CellOf(at), CellUp(at))
	}
	old := time.Date(1969, 12, 31, 23, 58, 0, 0, time.UTC)
	if CellOf(old) != -1 || CellUp(old) != 0 {
		t.Errorf("%d %d", CellOf(old), CellUp(old))
	}
}

// Days of 23 and of 25 hours, and a shift over midnight: an hour's work always lasts an hour, and the grid follows the wall clock.
func TestDaylightSavingAndMidnight(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	must(t, err)
	for _, c := range []struct {
		what       string
		from, to   time.Time // a night shift
		want, hour int
	}{
		{"the clock goes forward", time.Date(2026, 3, 7, 22, 0, 0, 0, zone), time.Date(2026, 3, 8, 6, 0, 0, 0, zone), 7, 3},
		{"the clock goes back", time.Date(2026, 10, 31, 22, 0, 0, 0, zone), time.Date(2026, 11, 1, 6, 0, 0, 0, zone), 9, 1},
		{"an ordinary night", time.Date(2026, 11, 17, 22, 0, 0, 0, zone), time.Date(2026, 11, 18, 6, 0, 0, 0, zone), 8, 2},
	} {
		midnight := CellOf(time.Date(c.from.Year(), c.from.Month(), c.from.Day(), 0, 0, 0, 0, zone))
		night := Span{CellOf(c.from), CellUp(c.to)}
		f := NewFloor(Span{midnight, midnight + 2*dayCells}, []Resource{{ID: 1, Kind: Bay, BayKind: "wash", Open: []Span{night}}})
		starts := f.Starts(Ask{Needs: []Need{{BayKind: "wash", Cells: 12}}, Step: 12, Align: midnight, Window: f.window})
		if len(starts) != c.want {
			t.Errorf("%s: %d starts, want %d", c.what, len(starts), c.want)
		}
		hours := map[int]int{}
		for _, s := range starts {
			l := s.Time().In(zone)
			if l.Minute() != 0 || l.Before(c.from) || s.Time().Add(time.Hour).After(c.to) {
				t.Errorf("%s: a start at %s", c.what, l)
			}
			hours[l.Hour()]++
		}
		if hours[c.hour] == 0 || hours[0] != 1 {
			t.Errorf("%s: starts by hour %v", c.what, hours)
		}
	}
}

// What is chosen, and why it says so.
func TestAssignment(t *testing.T) {
	day := Span{1000 * dayCells, 1001 * dayCells}
	open := []Span{{day.From + 108, day.From + 252}} // 09:00–21:00
	at := day.From + 120
	const king, zhao, li, sun = 11, 12, 13, 14
	resources := []Resource{
		{ID: 1, Kind: Bay, Name: "1 号洗车位", BayKind: "wash", Priority: true, Open: open}, {ID: 2, Kind: Bay, Name: "2 号洗车位", BayKind: "wash", Open: open},
		{ID: 3, Kind: Bay, Name: "3 号洗车位", BayKind: "wash", Open: open}, {ID: 4, Kind: Bay, Name: "美容位", BayKind: "detail", Open: open},
		{ID: king, Kind: Technician, Name: "王师傅", Skills: map[string]int{"wash": 3, "detail": 3}, Open: open}, {ID: zhao, Kind: Technician, Name: "赵师傅", Skills: map[string]int{"wash": 2}, Open: open},
		{ID: li, Kind: Technician, Name: "李师傅", Skills: map[string]int{"wash": 2, "detail": 1}, Open: open}, {ID: sun, Kind: Technician, Name: "孙师傅", Skills: map[string]int{"wash": 1}, Open: open},
	}
	wash := Need{BayKind: "wash", Skill: "wash", MinLevel: 2, Cells: 6}
	ask := Ask{Needs: []Need{wash}, Step: 3, Align: day.From, Window: day, ReleaseAt: day.From}
	for _, c := range []struct {
		what      string
		ask       func(*Ask)
		prepare   func(*Floor)
		prefer    []int64
		tech, bay int64
		why       string
	}{
		{"lowest level that is enough, then the lowest id", nil, nil, nil, zhao, 2, "赵师傅会洗车（2级），当天还没有活，最空；2 号洗车位"},
		{"least work that day", nil, func(f *Floor) { f.Take(zhao, Span{at + 60, at + 78}) }, nil, li, 2, "李师傅会洗车（2级），当天还没有活，最空；2 号洗车位"},
		{"experts stay free", nil, func(f *Floor) { f.Take(zhao, Span{at + 60, at + 78}); f.Take(li, Span{at + 60, at + 90}) }, nil, zhao, 2, "赵师傅会洗车（2级），当天已排 1 小时 30 分，级别刚好；2 号洗车位"},
		{"the one who was there last time", nil, nil, []int64{sun, king, zhao}, king, 2, "王师傅会洗车（3级），上次也是他；2 号洗车位"},
		{"the one who was asked for", func(a *Ask) { a.TechnicianID = king }, nil, []int64{zhao}, king, 2, "王师傅会洗车（3级），客人指定；2 号洗车位"},
		{"the tightest gap", nil, func(f *Floor) { f.Take(3, Span{at + 6, at + 20}) }, nil, zhao, 3, "赵师傅会洗车（2级），当天还没有活，最空；3 号洗车位"},
		{"a reserved bay for a member with priority, last", func(a *Ask) { a.Priority = true }, func(f *Floor) { f.Take(2, Span{at, at + 1}); f.Take(3, Span{at, at + 1}) }, nil, zhao, 1, "赵师傅会洗车（2级），当天还没有活，最空；1 号洗车位，会员优先工位"},
		{"a reserved bay that was released", func(a *Ask) { a.ReleaseAt = at + 1 }, func(f *Floor) { f.Take(2, Span{at, at + 1}); f.Take(3, Span{at, at + 1}) }, nil, zhao, 1, "赵师傅会洗车（2级），当天还没有活，最空；1 号洗车位，优先工位已开放"},
		{"only one left", nil, func(f *Floor) {
			f.Take(zhao, Span{at, at + 1})
			f.Take(li, Span{at, at + 1})
			f.Take(3, Span{at, at + 1})
		}, nil, king, 2, "王师傅会洗车（3级），只有他有空；2 号洗车位，只有它空着"},
		{"nobody", func(a *Ask) { a.TechnicianID = sun }, nil, nil, 0, 0, ""},
		{"no bay but a reserved one", nil, func(f *Floor) { f.Take(2, Span{at, at + 1}); f.Take(3, Span{at, at + 1}) }, nil, 0, 0, ""},
	} {
		f := NewFloor(day, resources)
		a := ask
		if c.ask != nil {
			c.ask(&a)
		}
		if c.prepare != nil {
			c.prepare(f)
		}
		picks, ok := f.Assign(a, at, c.prefer)
		if ok != (c.tech != 0) {
			t.Errorf("%s: %+v", c.what, picks)
		}
		if ok && (picks[0].TechnicianID != c.tech || picks[0].BayID != c.bay || picks[0].Why != c.why) {
			t.Errorf("%s: %+v, want %d at %d, %q", c.what, picks[0], c.tech, c.bay, c.why)
		}
	}
	f := NewFloor(day, resources)
	two := ask
	two.Needs = []Need{wash, {BayKind: "wash", Skill: "wash", MinLevel: 1, Cells: 3}, {BayKind: "detail", Skill: "detail", MinLevel: 3, Cells: 12}}
	picks, ok := f.Assign(two, at, nil)
	if !ok || picks[1].TechnicianID != picks[0].TechnicianID || picks[1].BayID != picks[0].BayID || picks[2].TechnicianID != king ||
		picks[1].Why != "赵师傅会洗车（2级），同一人做完；2 号洗车位，不用挪车" || picks[2].Why != "王师傅会美容（3级），只有他有空；美容位，只有它空着" {
		t.Errorf("a visit of three: %+v", picks)
	}
	// By hand.
	f.Take(3, Span{at, at + 3})
	hand := []Pick{{BayID: 3, TechnicianID: sun, From: at, To: at + 6}, {Need: 1, BayID: 4, TechnicianID: 99, From: at + 130, To: at + 133}, {Need: 2, BayID: 1, TechnicianID: li, From: day.From, To: day.From + 12}}
	var hard, soft []string
	for _, o := range f.Objections(two, hand) {
		if o.Hard {
			hard = append(hard, o.Text)
		} else {
			soft = append(soft, o.Text)
		}
	}
	if h := strings.Join(hard, "，"); h != "3 号洗车位这段时间已被占用，没有这位技师，请重新选择" {
		t.Errorf("hard: %s", h)
	}
	if s := strings.Join(soft, "，"); s != "孙师傅的洗车是 1 级，需要 2 级，美容位不是洗车位，美容位在这段时间不营业，1 号洗车位不是美容位，1 号洗车位留给优先会员，1 号洗车位在这段时间不营业，李师傅的美容是 1 级，需要 3 级，李师傅在这段时间没有排班" {
		t.Errorf("soft: %s", s)
	}
}
