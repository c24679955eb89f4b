package outreach

import (
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/notify"
)

func visits(days ...string) (out []Visit) {
	for _, d := range days {
		out = append(out, Visit{Day: d, StoreID: 1})
	}
	return out
}

func TestWhoIsMissing(t *testing.T) {
	r := DefaultRule()
	for _, c := range []struct {
		name  string
		days  []string
		today string
		want  bool
	}{
		{"never here", nil, "2026-11-18", false},
		{"once only", []string{"2026-01-01"}, "2026-11-18", false},
		{"44 days", []string{"2026-09-20", "2026-10-05"}, "2026-11-18", false},
		{"45 days, usually every 15", []string{"2026-09-19", "2026-10-04"}, "2026-11-18", true},
		{"45 days, usually every 30", []string{"2026-09-04", "2026-10-04"}, "2026-11-18", false},
		{"60 days, usually every 30", []string{"2026-08-20", "2026-09-19"}, "2026-11-18", true},
		{"forgotten", []string{"2025-10-01", "2025-10-15"}, "2026-11-18", false},
	} {
		if got := r.missing(visits(c.days...), c.today); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestRhythm(t *testing.T) {
	for _, c := range []struct {
		days []string
		want int
	}{
		{nil, 0}, {[]string{"2026-01-01"}, 0}, {[]string{"2026-01-01", "2026-01-15"}, 14},
		{[]string{"2026-01-01", "2026-01-08", "2026-01-15", "2026-06-01"}, 7}, // one long pause does not make the rhythm
	} {
		if got := rhythm(visits(c.days...)); got != c.want {
			t.Errorf("%v: %d, want %d", c.days, got, c.want)
		}
	}
}

func TestBirthdaysAndHolidays(t *testing.T) {
	for _, c := range [][3]string{{"1990-11-18", "2026", "2026-11-18"}, {"1992-02-29", "2027", "2027-02-28"}, {"1992-02-29", "2028", "2028-02-29"}, {"", "2026", ""}} {
		if got := thisYear(c[0], c[1]); got != c[2] {
			t.Errorf("%v: %s", c, got)
		}
	}
	yearly, once := Holiday{Day: "2026-10-01", Yearly: true}, Holiday{Day: "2027-02-06"}
	for _, c := range []struct {
		h          Holiday
		today      string
		on         bool
		next, name string
	}{
		{yearly, "2026-10-01", true, "2026-10-01", "on the day"}, {yearly, "2027-10-01", true, "2027-10-01", "a year later"},
		{yearly, "2026-11-18", false, "2027-10-01", "next year"}, {once, "2027-02-06", true, "2027-02-06", "the lunar one"},
		{once, "2028-02-06", false, "", "over"}, {once, "2026-11-18", false, "2027-02-06", "to come"},
	} {
		if c.h.on(c.today) != c.on || c.h.next(c.today) != c.next {
			t.Errorf("%s: on %v, next %s", c.name, c.h.on(c.today), c.h.next(c.today))
		}
	}
	for _, h := range Suggestions("2026-11-18") {
		var c fault.Complaints
		if h.Greet = true; true {
			h.check(&c)
		}
		if err := c.Err(); err != nil {
			t.Errorf("%s: %v", h.Name, fault.As(err).Fields)
		}
	}
}

func TestSalute(t *testing.T) {
	for _, c := range [][3]string{{"王小明", "male", "王先生"}, {"林晓舟", "female", "林女士"}, {"陈知远", "unknown", "陈知远"}, {"", "male", "车主"}, {"Anna", "female", "Anna"}, {"阿卜杜拉江", "male", "阿卜杜拉江"}} {
		if got := salute(c[0], c[1]); got != c[2] {
			t.Errorf("%v: %s", c, got)
		}
	}
}

func TestSegmentsAndPlaces(t *testing.T) {
	for _, c := range []struct {
		sign string
		n    int
		want int
	}{{"", 70, 1}, {"", 71, 2}, {"", 134, 2}, {"", 135, 3}, {"亮车", 66, 1}, {"亮车", 67, 2}} {
		if got := segments(c.sign, strings.Repeat("字", c.n)); got != c.want {
			t.Errorf("%q %d: %d, want %d", c.sign, c.n, got, c.want)
		}
	}
	fields := []notify.Field{{Key: "1", From: "name"}, {Key: "what", From: "=八折"}}
	for body, want := range map[string]string{"{1}，精洗{2}": "王女士，精洗八折", "${what}，${1}": "八折，王女士", "没有变量": "没有变量"} {
		if got := filled(body, fields, map[string]string{"name": "王女士"}); got != want {
			t.Errorf("%s: %s", body, got)
		}
	}
}

func TestCampaignInput(t *testing.T) {
	good := CampaignInput{Name: "洗车节", Template: "SMS_5", Body: "{1}，精洗八折。拒收请回复R", Fields: []notify.Field{{Key: "1", From: "name"}}}
	for name, change := range map[string]func(*CampaignInput){
		"":              func(*CampaignInput) {},
		"name":          func(in *CampaignInput) { in.Name = " " },
		"template":      func(in *CampaignInput) { in.Template = "有空格 5" },
		"body":          func(in *CampaignInput) { in.Body = "{1}，精洗八折" }, // says nothing of how to object
		"fields":        func(in *CampaignInput) { in.Fields = nil },
		"fields[0].key": func(in *CampaignInput) { in.Fields[0].Key = "a b" },
		"fields[0].from": func(in *CampaignInput) {
			in.Fields[0].From = "balance"
		},
	} {
		in := good
		in.Fields = append([]notify.Field{}, good.Fields...)
		change(&in)
		var c fault.Complaints
		in.check(&c)
		switch err := c.Err(); {
		case name == "" && err != nil:
			t.Errorf("a good one: %v", fault.As(err).Fields)
		case name != "" && (err == nil || fault.As(err).Fields[0].Field != name):
			t.Errorf("%s: %v", name, err)
		}
	}
}
