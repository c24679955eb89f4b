package shop

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/fault"
)

// ImportInput brings many days at once: either the public holidays of Year or the lines of Text, such as
// `2027-02-05,春节,closed` and `2027-02-09,春节,special,10:00-16:00`.
type ImportInput struct {
	StoreID int64  `json:"storeId" minimum:"0" doc:"0 is every store"`
	Year    int    `json:"year,omitempty" minimum:"0" maximum:"2100"`
	Text    string `json:"text,omitempty" maxLength:"20000" doc:"One day a line: date,name,kind,hours"`
	Closed  bool   `json:"closed,omitempty" doc:"With year: the shop rests on these days; otherwise they only get a name"`
	Replace bool   `json:"replace,omitempty" doc:"Also overwrite what was edited by hand"`
}

// What an import did with a line.
const (
	OutcomeAdded   = "added"
	OutcomeChanged = "changed"
	OutcomeKept    = "kept"
)

// ImportedDay is a line of an import with what became of it.
type ImportedDay struct {
	Day     Day    `json:"day"`
	Outcome string `json:"outcome" enum:"added,changed,kept"`
}

// Imported says what an import did.
type Imported struct {
	Added    int           `json:"added"`
	Changed  int           `json:"changed"`
	Kept     int           `json:"kept"`
	Affected int           `json:"affected" doc:"Bookings to come that no longer fit"`
	Lines    []ImportedDay `json:"lines"`
}

type holiday struct{ name, from, to string }

// holidays are the days off of the State Council's notice of November 2025 for 2026. The notice for 2027 comes in autumn
// 2026; until then 2027 holds the statutory days, which do not move, without the days that are exchanged around them.
var holidays = map[int][]holiday{
	2026: {{"元旦", "2026-01-01", "2026-01-03"}, {"春节", "2026-02-15", "2026-02-23"}, {"清明节", "2026-04-04", "2026-04-06"},
		{"劳动节", "2026-05-01", "2026-05-05"}, {"端午节", "2026-06-19", "2026-06-21"}, {"中秋节", "2026-09-25", "2026-09-27"}, {"国庆节", "2026-10-01", "2026-10-07"}},
	2027: {{"元旦", "2027-01-01", "2027-01-01"}, {"春节", "2027-02-05", "2027-02-08"}, {"清明节", "2027-04-05", "2027-04-05"},
		{"劳动节", "2027-05-01", "2027-05-02"}, {"端午节", "2027-06-09", "2027-06-09"}, {"中秋节", "2027-09-15", "2027-09-15"}, {"国庆节", "2027-10-01", "2027-10-03"}},
}

const maxImport = 400

// days reads what is to be imported. Fault: request.invalid.
func (in ImportInput) days() ([]Day, error) {
	lines := strings.TrimSpace(in.Text)
	switch {
	case (in.Year != 0) == (lines != ""):
		return nil, fault.ErrInvalid.On("year", "请选择年份，或粘贴要导入的日期")
	case in.Year != 0:
		return in.yearDays()
	}
	f := fault.ErrInvalid
	var out []Day
	seen := map[string]int{}
	for i, l := range strings.Split(lines, "\n") {
		if strings.TrimSpace(l) == "" {
			continue
		}
		if len(out) == maxImport {
			return nil, fault.ErrInvalid.On("text", fmt.Sprintf("一次最多导入 %d 天", maxImport))
		}
		d, complaint := readLine(l)
		if was, twice := seen[d.Day]; complaint == "" && twice {
			complaint = fmt.Sprintf("与第 %d 行是同一天", was)
		}
		if complaint != "" {
			f = f.On(fmt.Sprintf("lines[%d]", i), fmt.Sprintf("第 %d 行：%s", i+1, complaint))
			continue
		}
		d.StoreID, seen[d.Day] = in.StoreID, i+1
		out = append(out, d)
	}
	if len(f.Fields) > 0 {
		return nil, f.Say("%s", f.Fields[0].Message)
	}
	return out, nil
}

func (in ImportInput) yearDays() (out []Day, err error) {
	table, ok := holidays[in.Year]
	if !ok {
		return nil, fault.ErrInvalid.On("year", "目前只备有 2026 和 2027 年的法定节假日，其他年份请粘贴日期导入")
	}
	kind := DayNormal
	if in.Closed {
		kind = DayClosed
	}
	for _, h := range table {
		for d := h.from; d <= h.to; d = bizday.Add(d, 1) {
			out = append(out, Day{StoreID: in.StoreID, Day: d, Kind: kind, Name: h.name})
		}
	}
	return out, nil
}

var (
	lineCut   = regexp.MustCompile(`\s*[,，;；\t]\s*`)
	hoursForm = regexp.MustCompile(`^([0-9]{1,2})[:：]([0-9]{2})\s*[-–—~～至]\s*([0-9]{1,2})[:：]([0-9]{2})$`)
	dateForm  = regexp.MustCompile(`^([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})$`)
)

// readLine reads a pasted line; complaint is "" when it is good. A kind that is left out means the usual hours.
func readLine(l string) (d Day, complaint string) {
	parts := lineCut.Split(strings.TrimSpace(strings.TrimPrefix(l, "\ufeff")), -1)
	for len(parts) > 1 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	if len(parts) > 4 {
		return d, "每行应为：日期,名称,类型,时间"
	}
	parts = append(parts, "", "", "")
	m := dateForm.FindStringSubmatch(parts[0])
	if m == nil {
		return d, "日期应写成 2027-02-05"
	}
	in := DayInput{Day: fmt.Sprintf("%s-%02s-%02s", m[1], m[2], m[3]), Name: parts[1], Kind: DayNormal}
	kinds := map[string][]string{DayNormal: {"normal", "照常", "营业", ""}, DayClosed: {"closed", "休息", "休业", "停业"}, DaySpecial: {"special", "特殊", "特殊时间"}}
	known := false
	for kind, words := range kinds {
		if slices.Contains(words, strings.ToLower(parts[2])) {
			in.Kind, known = kind, true
		}
	}
	if !known {
		return d, "类型应为 normal、closed 或 special"
	}
	switch h := hoursForm.FindStringSubmatch(parts[3]); {
	case in.Kind == DaySpecial && h == nil:
		return d, "特殊时间应写成 10:00-16:00"
	case in.Kind != DaySpecial && parts[3] != "":
		return d, "只有 special 才写时间"
	case h != nil:
		n := func(i int) int { v, _ := strconv.Atoi(h[i]); return v }
		if n(2) > 59 || n(4) > 59 {
			return d, "特殊时间应写成 10:00-16:00"
		}
		in.Opens, in.Closes = n(1)*60+n(2), n(3)*60+n(4)
		if in.Closes <= in.Opens && in.Closes < minutesOfDay {
			in.Closes += minutesOfDay // 18:00-02:00 ends the next day
		}
	}
	in, f := in.clean()
	if f != nil {
		return d, f.Fields[0].Message
	}
	return Day{Day: in.Day, Kind: in.Kind, Name: in.Name, Opens: in.Opens, Closes: in.Closes}, ""
}
