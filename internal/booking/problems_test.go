package booking

import (
	"slices"
	"testing"

	"github.com/liangche/liangche/internal/slot"
)

func span(from, to int) slot.Span {
	return slot.Span{From: slot.Cell(cell(from)), To: slot.Cell(cell(to))}
}

func TestProblems(t *testing.T) {
	sound := func() rules {
		return rules{storeActive: true, open: []slot.Span{span(-60, 480)},
			bays:    map[int64]bayRule{1: {name: "1 号洗车位", kind: "wash", active: true}},
			people:  map[int64]personRule{2: {name: "王师傅", active: true, bookable: true, here: true, skills: map[string]int{"wash": 2}, working: []slot.Span{span(-60, 120), span(180, 480)}}},
			blocks:  map[int64][]closure{},
			offered: map[int64]bool{7: true}}
	}
	b := visit(1, Confirmed, 1, 2, 30, 60, 5)
	b.Items = []Item{{ServiceID: 7, Title: "标准洗车"}}
	edit := func(f func(*rules)) rules { r := sound(); f(&r); return r }
	person := func(f func(*personRule)) rules {
		return edit(func(r *rules) { p := r.people[2]; f(&p); r.people[2] = p })
	}
	for _, c := range []struct {
		name string
		r    rules
		want []string
	}{
		{"nothing", sound(), nil},
		{"technician suspended", person(func(p *personRule) { p.active = false }), []string{"王师傅 已停用"}},
		{"technician gone", edit(func(r *rules) { delete(r.people, 2) }), []string{"技师 已停用"}},
		{"technician of another store", person(func(p *personRule) { p.here = false }), []string{"王师傅 不在本店"}},
		{"technician not to be booked", person(func(p *personRule) { p.bookable = false }), []string{"王师傅 不再接受预约"}},
		{"skill gone", person(func(p *personRule) { p.skills = nil }), []string{"王师傅 不会洗车"}},
		{"on leave", edit(func(r *rules) { r.blocks[2] = []closure{{span(40, 400), "事假"}} }), []string{"王师傅 请假：事假"}},
		{"leave is over before", edit(func(r *rules) { r.blocks[2] = []closure{{span(0, 30), "事假"}} }), nil},
		{"not on shift", person(func(p *personRule) { p.working = []slot.Span{span(-60, 45)} }), []string{"王师傅 这段时间没有排班"}},
		{"a break in the middle", person(func(p *personRule) { p.working = []slot.Span{span(0, 40), span(45, 400)} }), []string{"王师傅 这段时间没有排班"}},
		{"bay out of use", edit(func(r *rules) { r.bays[1] = bayRule{name: "1 号洗车位", kind: "wash"} }), []string{"1 号洗车位 已停用"}},
		{"bay of another kind", edit(func(r *rules) { r.bays[1] = bayRule{"1 号位", "film", true} }), []string{"1 号位 不再是洗车位"}},
		{"bay closed", edit(func(r *rules) { r.blocks[1] = []closure{{span(64, 90), "修水管"}} }), []string{"1 号洗车位 关闭：修水管"}},
		{"store closed that day", edit(func(r *rules) { r.open = nil }), []string{"门店在这段时间不营业"}},
		{"store closes earlier", edit(func(r *rules) { r.open = []slot.Span{span(-60, 50)} }), []string{"门店在这段时间不营业"}},
		{"only the changeover lies outside the hours", edit(func(r *rules) { r.open = []slot.Span{span(-60, 60)} }), nil},
		{"store shut down", edit(func(r *rules) { r.storeActive = false }), []string{"门店已停业"}},
		{"service no longer offered", edit(func(r *rules) { r.offered = nil }), []string{"标准洗车 已停止预约"}},
	} {
		if got := problemsOf(b, slot.Cell(cell(0)), c.r); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	everything := rules{}
	for _, s := range []State{Done, Settled, Cancelled, Expired, NoShow, Queued} {
		x := b
		x.State = s
		if got := problemsOf(x, slot.Cell(cell(0)), everything); got != nil {
			t.Errorf("%s has problems: %v", s, got)
		}
	}
	if got := problemsOf(b, slot.Cell(cell(65)), sound()); got != nil {
		t.Errorf("what is over has problems: %v", got)
	}
	busy := b
	busy.State = InService
	if got := problemsOf(busy, slot.Cell(cell(45)), edit(func(r *rules) { r.open, r.offered = nil, nil })); got != nil {
		t.Errorf("a car that is being washed: %v", got)
	}
}
