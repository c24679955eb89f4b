package remind

import (
	"fmt"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
)

// Stage is a part of a vehicle's life in which it is inspected in the same way. Years count from the first registration.
type Stage struct {
	FromYear    int  `json:"fromYear" minimum:"0" maximum:"40"`
	ToYear      int  `json:"toYear" minimum:"0" maximum:"40" doc:"0: for good"`
	EveryMonths int  `json:"everyMonths" minimum:"1" maximum:"60"`
	OnSite      bool `json:"onSite" doc:"The car has to be driven to a testing station; otherwise the mark is applied for online"`
}

// Kind is a kind of vehicle with the stages of its life.
type Kind struct {
	Kind   string  `json:"kind" minLength:"1" maxLength:"16" pattern:"^[a-z]+$"`
	Title  string  `json:"title" minLength:"1" maxLength:"30"`
	Stages []Stage `json:"stages" minItems:"1" maxItems:"12"`
}

// Table says how often which vehicles are inspected.
type Table struct {
	Kinds []Kind `json:"kinds" minItems:"1" maxItems:"12"`
}

// The kinds of vehicle that the law's table has. Private is what a car is unless somebody says otherwise.
const (
	Private    = "private"
	Van        = "van"
	Commercial = "commercial"
	Truck      = "truck"
	Motorcycle = "motorcycle"
)

// DefaultTable is the law as of 2022-10-01.
//
// Sources: 道路交通安全法实施条例 (2017) 第十六条 for the periods; 公安部、市场监管总局、生态环境部、交通运输部《关于深化机动车检验制度改革优化车检服务工作的意见》
// (2022-09, in force since 2022-10-01): non-commercial small and micro passenger cars of at most 9 seats, vans excepted, and motorcycles need the
// testing station in the 6th and the 10th year only and a mark that is applied for online every two years in between (2nd, 4th, 8th); after the 10th
// year they are tested once a year, also after the 15th. A mark is valid to the end of its month, and may be renewed within the three months before.
// Should the law change, the shop edits the table in the console.
func DefaultTable() Table {
	six := []Stage{{0, 4, 24, false}, {4, 6, 24, true}, {6, 8, 24, false}, {8, 10, 24, true}, {10, 0, 12, true}}
	return Table{Kinds: []Kind{
		{Private, "私家车（9 座及以下）", six},
		{Van, "面包车", []Stage{{0, 6, 24, true}, {6, 15, 12, true}, {15, 0, 6, true}}},
		{Commercial, "营运客车、网约车", []Stage{{0, 5, 12, true}, {5, 0, 6, true}}},
		{Truck, "货车、皮卡", []Stage{{0, 10, 12, true}, {10, 0, 6, true}}},
		{Motorcycle, "摩托车", six},
	}}
}

// of is the kind of that name, or the first one.
func (t Table) of(kind string) Kind {
	for _, k := range t.Kinds {
		if k.Kind == kind {
			return k
		}
	}
	if len(t.Kinds) == 0 {
		return Kind{}
	}
	return t.Kinds[0]
}

// check says what is wrong with a table; nil when nothing is.
func (t Table) check() error {
	var c fault.Complaints
	seen := map[string]bool{}
	for i, k := range t.Kinds {
		at := fmt.Sprintf("kinds[%d]", i)
		if seen[k.Kind] {
			c.Bad(at+".kind", "同一种车辆出现了两次")
		}
		seen[k.Kind] = true
		for j, s := range k.Stages {
			field := fmt.Sprintf("%s.stages[%d]", at, j)
			from := 0
			if j > 0 {
				from = k.Stages[j-1].ToYear
			}
			last := j == len(k.Stages)-1
			switch {
			case s.FromYear != from:
				c.Bad(field+".fromYear", fmt.Sprintf("应当从第 %d 年接着算", from))
			case last != (s.ToYear == 0):
				c.Bad(field+".toYear", "只有最后一段不填结束年份")
			case !last && s.ToYear <= s.FromYear:
				c.Bad(field+".toYear", "结束年份要大于开始年份")
			case !last && (s.ToYear-s.FromYear)*12%s.EveryMonths != 0:
				c.Bad(field+".everyMonths", "周期要能整除这一段的年数")
			}
		}
	}
	if !seen[Private] {
		c.Bad("kinds", "缺少私家车")
	}
	return c.First()
}

// Inspection is the next one of a car.
type Inspection struct {
	On     string // the last day on which the present mark is valid; "" when it cannot be known
	OnSite bool
}

// overdueKept is for how many days a date that passed still counts as open: the shop does not know that it was done elsewhere.
const overdueKept = 60

// nextInspection is the first inspection that is not done and not long past. registered is the date of the first registration, done the due date up to which
// inspections are known to be done. It is pure.
func nextInspection(k Kind, registered, done, today string) (next Inspection) {
	if !bizday.Valid(registered) {
		return next
	}
	after := max(done, bizday.Add(today, -overdueKept-1))
	for _, s := range k.Stages {
		for m := s.FromYear*12 + s.EveryMonths; s.ToYear == 0 || m <= s.ToYear*12; m += s.EveryMonths {
			if on := monthEnd(registered, m); on > after {
				return Inspection{on, s.OnSite}
			}
			if m > 12*100 {
				return next // nothing that drives is that old
			}
		}
	}
	return next
}
