package booking

import (
	"testing"

	"github.com/liangche/liangche/internal/slot"
)

func TestQueueTurns(t *testing.T) {
	now := slot.Cell(cell(0))
	day := slot.Span{From: now, To: now + 96}
	floor := func() *slot.Floor {
		open := []slot.Span{day}
		f := slot.NewFloor(day, []slot.Resource{
			{ID: 1, Kind: slot.Bay, BayKind: "wash", Open: open}, {ID: 2, Kind: slot.Bay, BayKind: "detail", Open: open},
			{ID: 11, Kind: slot.Technician, Skills: map[string]int{"wash": 2}, Open: open}, {ID: 12, Kind: slot.Technician, Skills: map[string]int{"detail": 2}, Open: open}})
		f.Take(1, slot.Span{From: now, To: now + 3}) // a wash goes on for a quarter of an hour
		return f
	}
	wash, detail := []slot.Need{{BayKind: "wash", Skill: "wash", MinLevel: 1, Cells: 6}}, []slot.Need{{BayKind: "detail", Skill: "detail", MinLevel: 1, Cells: 12}}
	never := []slot.Need{{BayKind: "film", Skill: "film", MinLevel: 1, Cells: 2}}
	got := lineUp(floor(), now, now+96, now+96, []inLine{{id: 1, needs: wash}, {id: 2, needs: never}, {id: 3, needs: wash}, {id: 4, needs: detail}, {id: 5, needs: wash}})
	want := []struct {
		ahead, minutes int
		free           bool
	}{{0, 15, true}, {0, 0, false}, {1, 45, true}, {0, 0, true}, {2, 75, true}}
	for i, w := range want {
		if g := got[i]; g.ahead != w.ahead || (g.picks != nil) != w.free || (w.free && g.minutes(now) != w.minutes) {
			t.Errorf("car %d: ahead %d, %d minutes, picks %v; want %v", g.id, g.ahead, g.minutes(now), g.picks, w)
		}
	}
	if p := got[3].picks[0]; p.BayID != 2 || p.TechnicianID != 12 || p.From != now {
		t.Errorf("the detail bay is free at once: %+v", p)
	}
}
