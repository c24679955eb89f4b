package shop

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
)

// The kinds of bays.
const (
	BayWash   = "wash"
	BayDetail = "detail"
	BayFilm   = "film"
	BayLift   = "lift"
	BayVan    = "van" // a car that goes to customers
)

// BayKinds lists the kinds of bays in the order in which people know them.
func BayKinds() []string { return []string{BayWash, BayDetail, BayFilm, BayLift, BayVan} }

// BayKindName is the Chinese name of a kind of bay.
func BayKindName(kind string) string {
	switch kind {
	case BayWash:
		return "洗车位"
	case BayDetail:
		return "美容位"
	case BayFilm:
		return "贴膜位"
	case BayLift:
		return "举升位"
	case BayVan:
		return "上门车"
	}
	return "工位"
}

// Bay is a place, or a van, that takes one car at a time.
type Bay struct {
	ID       int64  `json:"id" db:"id"`
	StoreID  int64  `json:"storeId" db:"store_id"`
	Name     string `json:"name" db:"name"`
	Kind     string `json:"kind" db:"kind" enum:"wash,detail,film,lift,van"`
	Priority bool   `json:"priority" db:"priority" doc:"Kept for members of priority tiers until shortly before"`
	Active   bool   `json:"active" db:"active"`
	Sort     int    `json:"sort" db:"sort_no"`
}

// BayInput is what a bay is made of. Active nil means true for a new one and unchanged for an old one; StoreID counts for
// a new one only, because a bay does not move.
type BayInput struct {
	StoreID  int64  `json:"storeId" minimum:"1"`
	Name     string `json:"name" maxLength:"20"`
	Kind     string `json:"kind" enum:"wash,detail,film,lift,van"`
	Priority bool   `json:"priority,omitempty"`
	Active   *bool  `json:"active,omitempty"`
	Sort     int    `json:"sort,omitempty" minimum:"0" maximum:"9999"`
}

func (in BayInput) clean() (BayInput, error) {
	in.Name = strings.TrimSpace(in.Name)
	f := fault.ErrInvalid
	if !text(in.Name, 1, 20) {
		f = f.On("name", "请填写工位名称，最多 20 个字")
	}
	if !slices.Contains(BayKinds(), in.Kind) {
		f = f.On("kind", "请选择工位类型")
	}
	if in.Sort < 0 || in.Sort > 9999 {
		f = f.On("sort", "应在 0 至 9999 之间")
	}
	if len(f.Fields) > 0 {
		return in, f
	}
	return in, nil
}

// Span is a stretch of time, To not included.
type Span struct{ From, To time.Time }

// MinuteSpan is a stretch of one day in minutes of the store's wall clock; past 1440 it reaches into the next day.
type MinuteSpan struct {
	Opens  int `json:"opens" minimum:"0" maximum:"1435" doc:"Minute of the day, in steps of 5"`
	Closes int `json:"closes" minimum:"5" maximum:"2880" doc:"Minute; past 1440 it is the next day's"`
}

// complaint says what is wrong with a span, "" when it is good.
func (m MinuteSpan) complaint() string {
	switch {
	case m.Opens < 0 || m.Opens >= minutesOfDay:
		return "开始时间应在 00:00 至 23:55 之间"
	case m.Closes <= m.Opens || m.Closes > 2*minutesOfDay:
		return "结束时间应晚于开始时间，过夜请用 24:00 之后的时刻"
	case m.Closes-m.Opens > minutesOfDay:
		return "一段营业时间最长 24 小时"
	case m.Opens%5 != 0 || m.Closes%5 != 0:
		return "请填 5 分钟的整数倍"
	}
	return ""
}

const minutesOfDay = 24 * 60

// WeekSpan is a MinuteSpan on a day of the week.
type WeekSpan struct {
	Weekday int `json:"weekday" db:"weekday" minimum:"0" maximum:"6" doc:"0 is Sunday"`
	Opens   int `json:"opens" db:"opens" minimum:"0" maximum:"1435" doc:"Minute of the day, in steps of 5"`
	Closes  int `json:"closes" db:"closes" minimum:"5" maximum:"2880" doc:"Minute; past 1440 it is the next day's"`
}

func (w WeekSpan) span() MinuteSpan { return MinuteSpan{w.Opens, w.Closes} }

// usualHours are those of a store that said nothing: 09:00 to 21:00 on every day.
func usualHours() (all []WeekSpan) {
	for d := range 7 {
		all = append(all, WeekSpan{d, 9 * 60, 21 * 60})
	}
	return all
}

// checkWeek names every span that makes no sense or overlaps another one, also across midnight and the end of the week.
func checkWeek(spans []WeekSpan) error {
	f := fault.ErrInvalid
	if len(spans) == 0 {
		f = f.On("spans", "请至少填写一天的营业时间；长期停业请停用门店")
	}
	at := func(i int) string { return fmt.Sprintf("spans[%d]", i) }
	order := make([]int, 0, len(spans))
	for i, s := range spans {
		switch c := s.span().complaint(); {
		case s.Weekday < 0 || s.Weekday > 6:
			f = f.On(at(i)+".weekday", "星期应为 0（周日）至 6")
		case c != "":
			f = f.On(at(i), c)
		default:
			order = append(order, i)
		}
	}
	start := func(i int) int { return spans[i].Weekday*minutesOfDay + spans[i].Opens }
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(start(a), start(b)) })
	for k, i := range order {
		next := order[(k+1)%len(order)]
		from := start(next)
		if k == len(order)-1 {
			from += 7 * minutesOfDay
		}
		if start(i)+spans[i].Closes-spans[i].Opens > from && i != next {
			f = f.On(at(next), "与上一段营业时间重叠")
		}
	}
	if len(f.Fields) > 0 {
		return f
	}
	return nil
}

// The kinds of days.
const (
	DayNormal  = "normal"  // the usual hours; the row only names the day
	DayClosed  = "closed"  //
	DaySpecial = "special" // hours of its own
)

// Day is a date that differs from its weekday, or has a name. StoreID 0 holds for every store without a row of its own.
type Day struct {
	StoreID int64  `json:"storeId" db:"store_id" doc:"0 is every store"`
	Day     string `json:"day" db:"biz_day" doc:"2006-01-02"`
	Kind    string `json:"kind" db:"kind" enum:"normal,closed,special"`
	Name    string `json:"name" db:"name"`
	Opens   int    `json:"opens" db:"opens" doc:"Special days: minute of the day"`
	Closes  int    `json:"closes" db:"closes" doc:"Special days: minute; past 1440 it is the next day's"`
	Edited  bool   `json:"edited" db:"edited" doc:"By hand: an import leaves it alone"`
}

// DayInput sets a day. Opens and Closes count for special days.
type DayInput struct {
	StoreID int64  `json:"storeId" minimum:"0" doc:"0 is every store"`
	Day     string `json:"day" maxLength:"10" doc:"2006-01-02"`
	Kind    string `json:"kind" enum:"normal,closed,special"`
	Name    string `json:"name,omitempty" maxLength:"20"`
	Opens   int    `json:"opens,omitempty" minimum:"0" maximum:"1435"`
	Closes  int    `json:"closes,omitempty" minimum:"0" maximum:"2880"`
}

func (in DayInput) clean() (DayInput, *fault.Error) {
	in.Name, in.Day = strings.TrimSpace(in.Name), strings.TrimSpace(in.Day)
	f := fault.ErrInvalid
	if !bizday.Valid(in.Day) {
		f = f.On("day", "请填写日期，例如 2027-02-05")
	}
	if !text(in.Name, 0, 20) {
		f = f.On("name", "最多 20 个字")
	}
	switch in.Kind {
	case DaySpecial:
		if c := (MinuteSpan{in.Opens, in.Closes}).complaint(); c != "" {
			f = f.On("opens", c)
		}
	case DayNormal, DayClosed:
		in.Opens, in.Closes = 0, 0
	default:
		f = f.On("kind", "请选择：照常、休息或特殊时间")
	}
	if len(f.Fields) > 0 {
		return in, f
	}
	return in, nil
}

// DayPlan is what holds on one date.
type DayPlan struct {
	Day   string       `json:"day"`
	Name  string       `json:"name" doc:"Of the holiday, empty on other days"`
	Kind  string       `json:"kind" enum:"normal,closed,special"`
	Spans []MinuteSpan `json:"spans"`
}

// setup is how all stores are laid out, at one moment. It is shared and never changed.
type setup struct {
	bays  []Bay
	hours map[int64][]WeekSpan
	days  map[dayKey]Day
}

type dayKey struct {
	store int64
	day   string
}

func (p *setup) day(storeID int64, day string) DayPlan {
	out := DayPlan{Day: day, Kind: DayNormal}
	d, ok := p.days[dayKey{storeID, day}]
	if !ok {
		d, ok = p.days[dayKey{0, day}]
	}
	if ok {
		out.Name, out.Kind = d.Name, d.Kind
	}
	switch out.Kind {
	case DayClosed:
	case DaySpecial:
		out.Spans = []MinuteSpan{{d.Opens, d.Closes}}
	default:
		week, ok := p.hours[storeID]
		if !ok {
			week = usualHours()
		}
		for _, w := range week {
			if w.Weekday == int(bizday.Weekday(day)) {
				out.Spans = append(out.Spans, w.span())
			}
		}
	}
	return out
}

// open lists when a store is open between two instants. A day may reach into the next one, so the search begins a day
// early and two days count at both ends, whatever the zone does to its clock.
func (p *setup) open(st Store, from, to time.Time) ([]Span, error) {
	var all []Span
	for day := bizday.Add(st.BizDay(from), -2); day <= st.BizDay(to); day = bizday.Add(day, 1) {
		for _, m := range p.day(st.ID, day).Spans {
			s, err := instants(st, day, m.Opens, m.Closes)
			if err != nil {
				return nil, err
			}
			all = append(all, s)
		}
	}
	return Merge(all, from, to), nil
}

func instants(st Store, day string, from, to int) (s Span, err error) {
	if s.From, err = bizday.At(day, from, st.Timezone); err == nil {
		s.To, err = bizday.At(day, to, st.Timezone)
	}
	return s, err
}

// Merge sorts spans, joins those that touch and cuts them to the window; spans without length vanish.
func Merge(spans []Span, from, to time.Time) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return a.From.Compare(b.From) })
	var out []Span
	for _, s := range spans {
		if s.From.Before(from) {
			s.From = from
		}
		if s.To.After(to) {
			s.To = to
		}
		if !s.From.Before(s.To) {
			continue
		}
		if n := len(out); n > 0 && !out[n-1].To.Before(s.From) {
			if s.To.After(out[n-1].To) {
				out[n-1].To = s.To
			}
			continue
		}
		out = append(out, s)
	}
	return out
}
