package slot

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Assign picks a bay and a technician for every need of a visit that begins at start; false when one finds none. It looks at the resources alone:
// grid, window and earliest start are for Starts, because a car that stands at the door is served off the grid.
//
// Technicians: the one who was asked for; else the first of prefer who is free; else whoever serves this visit already; else the lowest level that
// is enough, so that experts stay free; then the least work that day; then the lowest id. Bays: the one where the car stands already; else one that
// is not reserved; then the tightest gap, so that long gaps stay whole; then the shop's own order.
func (f *Floor) Assign(a Ask, start Cell, prefer []int64) ([]Pick, bool) {
	if a.cells() <= 0 || start < f.window.From || start+a.cells() > f.window.To || !f.wishKnown(a) {
		return nil, false
	}
	picks := make([]Pick, 0, len(a.Needs))
	bay, tech := -1, -1 // of the need before
	at := start
	for i, n := range a.Needs {
		p := Pick{Need: i, From: at, To: at + Cell(n.Cells)}
		at = p.To
		span := Span{p.From, p.To}
		if span.empty() {
			continue
		}
		var why []string
		if n.Skill != "" {
			c, ok := f.chooseTechnician(a, n, span, prefer, tech)
			if !ok {
				return nil, false
			}
			tech = c.i
			p.TechnicianID = f.resources[tech].ID
			why = append(why, c.why)
		}
		if n.BayKind != "" {
			c, ok := f.chooseBay(a, n, span, start, bay)
			if !ok {
				return nil, false
			}
			bay = c.i
			p.BayID = f.resources[bay].ID
			why = append(why, c.why)
		}
		p.Why = strings.Join(why, "；")
		picks = append(picks, p)
	}
	return picks, true
}

// candidate is a resource that could serve, with what it is compared by.
type candidate struct {
	i      int
	rank   int // 0 asked for, then the place among the preferred, then already serving, then the others
	level  int
	load   int // cells taken that day; of a bay: cells of the gap that it would be taken from
	why    string
	locked bool // a reserved bay
}

func (f *Floor) chooseTechnician(a Ask, n Need, span Span, prefer []int64, before int) (candidate, bool) {
	var all []candidate
	wished := f.wished(a, n)
	day := f.day(a, span.From)
	for i, r := range f.resources {
		if !f.skilled(i, n) || (wished >= 0 && i != wished) || !f.free(i, span) {
			continue
		}
		c := candidate{i: i, level: r.Skills[n.Skill], load: f.count(f.row(f.taken, i), day), rank: len(prefer) + 2}
		switch at := slices.Index(prefer, r.ID); {
		case i == wished:
			c.rank = 0
		case at >= 0:
			c.rank = 1 + at
		case i == before:
			c.rank = len(prefer) + 1
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return candidate{}, false
	}
	best := slices.MinFunc(all, func(x, y candidate) int {
		return cmp.Or(cmp.Compare(x.rank, y.rank), cmp.Compare(x.level, y.level), cmp.Compare(x.load, y.load),
			cmp.Compare(f.resources[x.i].ID, f.resources[y.i].ID))
	})
	best.why = fmt.Sprintf("%s会%s（%d级），%s", f.resources[best.i].Name, SkillName(n.Skill), best.level, f.reason(best, all, wished, before, len(prefer)))
	return best, true
}

// reason says why a technician came out first.
func (f *Floor) reason(best candidate, all []candidate, wished, before, preferred int) string {
	switch {
	case best.i == wished:
		return "客人指定"
	case best.rank <= preferred:
		return "上次也是他"
	case best.i == before:
		return "同一人做完"
	case len(all) == 1:
		return "只有他有空"
	}
	busy := "当天还没有活"
	if best.load > 0 {
		busy = "当天已排" + minutes(best.load*CellMinutes)
	}
	least, lower := true, false
	for _, c := range all {
		least = least && c.load >= best.load
		lower = lower || c.level > best.level
	}
	switch {
	case least:
		return busy + "，最空"
	case lower:
		return busy + "，级别刚好"
	}
	return busy
}

func (f *Floor) chooseBay(a Ask, n Need, span Span, start Cell, before int) (candidate, bool) {
	var all []candidate
	for i, r := range f.resources {
		if !f.suits(i, n) || (r.Priority && !a.Priority && start >= a.ReleaseAt) || !f.free(i, span) {
			continue
		}
		c := candidate{i: i, rank: 1, locked: r.Priority, load: f.gap(i, span)}
		if i == before {
			c.rank = 0
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return candidate{}, false
	}
	best := slices.MinFunc(all, func(x, y candidate) int {
		reserved := func(c candidate) int {
			if c.locked {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(x.rank, y.rank), cmp.Compare(reserved(x), reserved(y)), cmp.Compare(x.load, y.load), cmp.Compare(x.i, y.i))
	})
	best.why = f.resources[best.i].Name
	switch {
	case best.rank == 0:
		best.why += "，不用挪车"
	case best.locked && a.Priority:
		best.why += "，会员优先工位"
	case best.locked:
		best.why += "，优先工位已开放"
	case len(all) == 1:
		best.why += "，只有它空着"
	}
	return best, true
}

// day is the day, counted from the ask's grid, that holds c.
func (f *Floor) day(a Ask, c Cell) Span {
	const day = 24 * 60 / CellMinutes
	from := a.Align + Cell(floorDiv(int64(c-a.Align), day)*day)
	return Span{from, from + day}
}

// gap is the length of the free time that a free span lies in, within the window.
func (f *Floor) gap(i int, s Span) int {
	for s.From > f.window.From && f.free(i, Span{s.From - 1, s.From}) {
		s.From--
	}
	for s.To < f.window.To && f.free(i, Span{s.To, s.To + 1}) {
		s.To++
	}
	return int(s.To - s.From)
}

// Objection is a reason why a pick does not fit. A hard one is never overruled: somebody else has the time, or there is no such resource.
type Objection struct {
	ResourceID int64
	Text       string // Chinese
	Hard       bool
}

// Objections says what speaks against picks that somebody made by hand, in words; none when the rules agree. It asks what Starts and Assign ask.
func (f *Floor) Objections(a Ask, picks []Pick) (out []Objection) {
	object := func(id int64, hard bool, format string, args ...any) {
		out = append(out, Objection{id, fmt.Sprintf(format, args...), hard})
	}
	for _, p := range picks {
		if p.Need < 0 || p.Need >= len(a.Needs) {
			object(0, true, "没有这一段服务")
			continue
		}
		n, span := a.Needs[p.Need], Span{p.From, p.To}
		if n.BayKind != "" || p.BayID != 0 {
			if i, ok := f.index[p.BayID]; !ok || f.resources[i].Kind != Bay {
				object(p.BayID, true, "没有这个工位，请重新选择")
			} else {
				r := f.resources[i]
				if n.BayKind != "" && r.BayKind != n.BayKind {
					object(r.ID, false, "%s不是%s", r.Name, BayKindName(n.BayKind))
				}
				if r.Priority && !a.Priority && picks[0].From >= a.ReleaseAt {
					object(r.ID, false, "%s留给优先会员", r.Name)
				}
				f.objectTime(i, span, "%s在这段时间不营业", "%s这段时间已被占用", object)
			}
		}
		if n.Skill != "" || p.TechnicianID != 0 {
			if i, ok := f.index[p.TechnicianID]; !ok || f.resources[i].Kind != Technician {
				object(p.TechnicianID, true, "没有这位技师，请重新选择")
			} else {
				r := f.resources[i]
				switch level := r.Skills[n.Skill]; {
				case n.Skill == "" || f.skilled(i, n):
				case level == 0:
					object(r.ID, false, "%s不会%s", r.Name, SkillName(n.Skill))
				default:
					object(r.ID, false, "%s的%s是 %d 级，需要 %d 级", r.Name, SkillName(n.Skill), level, n.MinLevel)
				}
				f.objectTime(i, span, "%s在这段时间没有排班", "%s这段时间已有安排", object)
			}
		}
	}
	return out
}

func (f *Floor) objectTime(i int, s Span, closed, taken string, object func(id int64, hard bool, format string, args ...any)) {
	r := f.resources[i]
	if s.empty() || s.From < f.window.From || s.To > f.window.To || f.count(f.row(f.open, i), s) < int(s.To-s.From) {
		object(r.ID, false, closed, r.Name)
	}
	if f.count(f.row(f.taken, i), s) > 0 {
		object(r.ID, true, taken, r.Name)
	}
}

// SkillName is the Chinese word of a skill; a skill that it does not know is named as it is.
func SkillName(skill string) string {
	switch skill {
	case "wash":
		return "洗车"
	case "detail":
		return "美容"
	case "film":
		return "贴膜"
	case "repair":
		return "维修"
	case "inspect":
		return "检测代办"
	case "rescue":
		return "救援"
	case "driver":
		return "取送车"
	}
	return skill
}

// BayKindName is the Chinese word of a kind of bay; a kind that it does not know is named as it is.
func BayKindName(kind string) string {
	switch kind {
	case "wash":
		return "洗车位"
	case "detail":
		return "美容位"
	case "film":
		return "贴膜位"
	case "lift":
		return "举升位"
	case "van":
		return "上门车"
	}
	return kind
}

// minutes words a length: 90 is "1 小时 30 分".
func minutes(n int) string {
	var parts []string
	if n >= 60 {
		parts = append(parts, fmt.Sprintf("%d 小时", n/60))
	}
	if n%60 > 0 || n == 0 {
		parts = append(parts, fmt.Sprintf("%d 分", n%60))
	}
	return " " + strings.Join(parts, " ")
}
