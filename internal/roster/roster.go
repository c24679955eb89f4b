// Package roster knows which technicians there are, what they can do and when they work (K02).
//
// Model: a Technician is a member of staff who was given skills, each with a level of 1 to 5, and who may be bookable; a Shift
// is when one of them works in one store, in minutes of the store's day, with at most one break. Leave is not here: it takes
// time away from a shift and so belongs to who hands out time.
// Owns: roster_technicians, roster_skills, roster_shifts. Invariants: shifts of one person never overlap, also in two stores
// with different clocks; only a technician has shifts; days that are over do not change; reads are served from a copy of at
// most two seconds of age, and a write shows at once in the instance that made it.
package roster

import (
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/shop"
)

// Faults of this package.
var (
	ErrOverlap       = fault.Define(fault.Conflict, "roster.overlap", "这段时间与该员工的另一个班次重叠，请先调整")
	ErrNotTechnician = fault.Define(fault.Conflict, "roster.not_technician", "请先在技师页为该员工设置技能，再排班")
	ErrNotHere       = fault.Define(fault.Conflict, "roster.not_here", "该员工已停用或不属于这家门店，请换一位")
)

// The skills.
const (
	SkillWash    = "wash"
	SkillDetail  = "detail"
	SkillFilm    = "film"
	SkillRepair  = "repair"
	SkillInspect = "inspect"
	SkillRescue  = "rescue"
	SkillDriver  = "driver"
)

// MaxLevel is the highest level of a skill.
const MaxLevel = 5

// Skills lists the skills in the order in which people know them.
func Skills() []string {
	return []string{SkillWash, SkillDetail, SkillFilm, SkillRepair, SkillInspect, SkillRescue, SkillDriver}
}

// SkillName is the Chinese name of a skill.
func SkillName(skill string) string {
	switch skill {
	case SkillWash:
		return "洗车"
	case SkillDetail:
		return "美容"
	case SkillFilm:
		return "贴膜"
	case SkillRepair:
		return "维修"
	case SkillInspect:
		return "检测代办"
	case SkillRescue:
		return "救援"
	case SkillDriver:
		return "取送车"
	}
	return "服务"
}

// Span is a stretch of time, To not included.
type Span = shop.Span

// Skill is what somebody can do, and how well.
type Skill struct {
	Skill string `json:"skill" db:"skill" enum:"wash,detail,film,repair,inspect,rescue,driver"`
	Level int    `json:"level" db:"level" minimum:"1" maximum:"5"`
}

// Technician is a member of staff who does the work. StoreIDs empty means every store.
type Technician struct {
	StaffID  int64   `json:"staffId"`
	Name     string  `json:"name"`
	Skills   []Skill `json:"skills"`
	Bookable bool    `json:"bookable" doc:"May be given bookings"`
	Active   bool    `json:"active" doc:"The account is not suspended"`
	StoreIDs []int64 `json:"storeIds" doc:"Empty means every store"`
}

// In says whether the technician belongs to a store.
func (t Technician) In(storeID int64) bool {
	return storeID == 0 || len(t.StoreIDs) == 0 || slices.Contains(t.StoreIDs, storeID)
}

// Level is how well the technician masters a skill; 0 is not at all.
func (t Technician) Level(skill string) int {
	for _, s := range t.Skills {
		if s.Skill == skill {
			return s.Level
		}
	}
	return 0
}

// Person is a member of staff, as this package sees it.
type Person struct {
	ID       int64
	Name     string
	Active   bool
	StoreIDs []int64
}

// Shift is when somebody works in a store on a date, in minutes of the store's wall clock. Past 1440 it reaches into the next
// day. A break of 0, 0 is none.
type Shift struct {
	ID          int64  `json:"id" db:"id"`
	StaffID     int64  `json:"staffId" db:"staff_id"`
	StoreID     int64  `json:"storeId" db:"store_id"`
	Day         string `json:"day" db:"biz_day" doc:"2006-01-02"`
	Starts      int    `json:"starts" db:"starts"`
	Ends        int    `json:"ends" db:"ends" doc:"Minute; past 1440 it is the next day's"`
	BreakStarts int    `json:"breakStarts" db:"break_starts" doc:"0 and 0: no break"`
	BreakEnds   int    `json:"breakEnds" db:"break_ends"`
}

// ShiftInput is a shift to be planned, in minutes of the store's day in steps of 5.
type ShiftInput struct {
	Starts      int `json:"starts" minimum:"0" maximum:"1435"`
	Ends        int `json:"ends" minimum:"5" maximum:"2880" doc:"Past 1440 it is the next day's"`
	BreakStarts int `json:"breakStarts,omitempty" minimum:"0" maximum:"2880" doc:"0 and 0: no break"`
	BreakEnds   int `json:"breakEnds,omitempty" minimum:"0" maximum:"2880"`
}

const (
	minutesOfDay = 24 * 60
	maxShifts    = 4   // of one person on one day
	maxAhead     = 366 // days that can be planned ahead
	maxRange     = 92  // days of one list
)

// complaint says what is wrong with a shift, "" when it is good.
func (in ShiftInput) complaint() string {
	switch {
	case in.Starts < 0 || in.Starts >= minutesOfDay:
		return "上班时间应在 00:00 至 23:55 之间"
	case in.Ends <= in.Starts || in.Ends > 2*minutesOfDay:
		return "下班时间应晚于上班时间，过夜请用 24:00 之后的时刻"
	case in.Ends-in.Starts > minutesOfDay:
		return "一个班次最长 24 小时"
	case in.Starts%5 != 0 || in.Ends%5 != 0 || in.BreakStarts%5 != 0 || in.BreakEnds%5 != 0:
		return "请填 5 分钟的整数倍"
	case in.BreakStarts == 0 && in.BreakEnds == 0:
		return ""
	case in.BreakEnds <= in.BreakStarts || in.BreakStarts < in.Starts || in.BreakEnds > in.Ends:
		return "休息时间应在上班时间之内"
	case in.BreakStarts == in.Starts || in.BreakEnds == in.Ends:
		return "休息不能紧贴上下班，请直接缩短班次"
	}
	return ""
}

// checkDay names every shift that makes no sense or overlaps another one of the list.
func checkDay(day string, spans []ShiftInput) error {
	f := fault.ErrInvalid
	if !bizday.Valid(day) {
		f = f.On("day", "请填写日期，例如 2027-02-05")
	}
	if len(spans) > maxShifts {
		f = f.On("spans", fmt.Sprintf("一天最多 %d 个班次", maxShifts))
	}
	for i, in := range spans {
		at := fmt.Sprintf("spans[%d]", i)
		if c := in.complaint(); c != "" {
			f = f.On(at, c)
			continue
		}
		for _, other := range spans[:i] {
			if in.Starts < other.Ends && other.Starts < in.Ends {
				f = f.On(at, "与前面的班次重叠")
				break
			}
		}
	}
	if len(f.Fields) > 0 {
		return f
	}
	return nil
}

// at is the instants of a shift, its break included, in a zone.
func (s Shift) at(zone string) (out Span, err error) {
	w := wall{zone: zone}
	return w.span(s.Day, s.Starts, s.Ends)
}

// wall tells the instants of a wall clock and keeps them: many people begin, rest and end at the same few minutes of a day.
type wall struct {
	zone  string
	known map[wallMinute]time.Time // nil keeps nothing
}

type wallMinute struct {
	day    string
	minute int
}

func (w wall) at(day string, minute int) (time.Time, error) {
	k := wallMinute{day, minute}
	if t, ok := w.known[k]; ok {
		return t, nil
	}
	t, err := bizday.At(day, minute, w.zone)
	if err == nil && w.known != nil {
		w.known[k] = t
	}
	return t, err
}

func (w wall) span(day string, from, to int) (s Span, err error) {
	if s.From, err = w.at(day, from); err == nil {
		s.To, err = w.at(day, to)
	}
	return s, err
}

// working appends when the shift is worked: without its break.
func (s Shift) working(w wall, out []Span) ([]Span, error) {
	if s.BreakStarts == 0 && s.BreakEnds == 0 {
		all, err := w.span(s.Day, s.Starts, s.Ends)
		return append(out, all), err
	}
	before, err := w.span(s.Day, s.Starts, s.BreakStarts)
	if err != nil {
		return nil, err
	}
	after, err := w.span(s.Day, s.BreakEnds, s.Ends)
	return append(out, before, after), err
}

func overlap(a, b Span) bool { return a.From.Before(b.To) && b.From.Before(a.To) }

// team is everybody who may be a technician, at one moment. It is shared and never changed.
type team struct {
	people []Person
	rows   map[int64]bool // technician → bookable
	skills map[int64][]Skill
}

// technician returns a person as a technician; known says whether they are one.
func (t *team) technician(p Person) (out Technician, known bool) {
	bookable, known := t.rows[p.ID]
	return Technician{p.ID, p.Name, t.skills[p.ID], bookable, p.Active, p.StoreIDs}, known
}

// TechnicianInput is what makes somebody a technician.
type TechnicianInput struct {
	Bookable bool    `json:"bookable"`
	Skills   []Skill `json:"skills" maxItems:"7"`
}

func (in TechnicianInput) check() error {
	f := fault.ErrInvalid
	for i, s := range in.Skills {
		at := fmt.Sprintf("skills[%d]", i)
		switch {
		case !slices.Contains(Skills(), s.Skill):
			f = f.On(at+".skill", "没有这项技能")
		case slices.ContainsFunc(in.Skills[:i], func(x Skill) bool { return x.Skill == s.Skill }):
			f = f.On(at+".skill", "同一技能只能填一次")
		case s.Level < 1 || s.Level > MaxLevel:
			f = f.On(at+".level", "级别应为 1 至 5")
		}
	}
	if in.Bookable && len(in.Skills) == 0 {
		f = f.On("skills", "可预约的技师至少要有一项技能")
	}
	if len(f.Fields) > 0 {
		return f
	}
	return nil
}

// monday is the Monday of the week that holds an instant's date.
func monday(day string) string {
	return bizday.Add(day, -(int(bizday.Weekday(day))+6)%7)
}

// Monday is the Monday of the week of t in a zone.
func Monday(t time.Time, zone string) string { return monday(bizday.Of(t, zone)) }
