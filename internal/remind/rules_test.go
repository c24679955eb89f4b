package remind

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/notify"
)

func TestDates(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{addMonths("2026-08-31", 6), "2027-02-28"}, {addMonths("2023-08-31", 6), "2024-02-29"}, {addMonths("2024-02-29", 12), "2025-02-28"}, {addMonths("2024-02-29", 48), "2028-02-29"},
		{addMonths("2026-12-15", 1), "2027-01-15"}, {addMonths("2026-01-31", -2), "2025-11-30"}, {addMonths("no", 3), "no"},
		{monthEnd("2020-02-29", 24), "2022-02-28"}, {monthEnd("2020-02-01", 48), "2024-02-29"}, {monthEnd("2020-12-31", 12), "2021-12-31"}, {monthEnd("2020-11-02", 1), "2020-12-31"},
		{inWords("2026-11-18", "2026-11-18"), "今天"}, {inWords("2026-11-18", "2026-11-19"), "明天"}, {inWords("2026-11-18", "2026-11-30"), "还有 12 天"},
		{inWords("2026-11-18", "2026-11-15"), "已过 3 天"}, {inWords("2026-11-18", "2027-11-18"), "约 12 个月后"},
		{strings.Join(birthdays("2027-02-28"), " "), "02-28 02-29"}, {strings.Join(birthdays("2028-02-28"), " "), "02-28"}, {strings.Join(birthdays("2028-02-29"), " "), "02-29"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
	if days("2024-02-28", "2024-03-01") != 2 || days("2026-11-18", "2026-11-17") != -1 || days("", "2026-11-17") != 0 {
		t.Error("days are counted otherwise")
	}
}

// The law's table, year by year: at which age, and whether the car has to be driven to the station.
func TestInspectionsOfTheLaw(t *testing.T) {
	table := DefaultTable()
	if err := table.check(); err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]string{
		Private:    "24 48 72! 96 120! 132! 144! 156! 168! 180! 192!",
		Motorcycle: "24 48 72! 96 120! 132! 144!",
		Van:        "24! 48! 72! 84! 96! 108! 120! 132! 144! 156! 168! 180! 186! 192!",
		Commercial: "12! 24! 36! 48! 60! 66! 72!",
		Truck:      "12! 24! 36! 48! 60! 72! 84! 96! 108! 120! 126! 132!",
	} {
		var got []string
		done := ""
		for range strings.Fields(want) {
			next := nextInspection(table.of(kind), "2000-03-31", done, "2000-04-01")
			months := 0
			for monthEnd("2000-03-31", months) != next.On {
				if months++; months > 400 {
					t.Fatalf("%s: %+v", kind, next)
				}
			}
			text := strconv.Itoa(months)
			if next.OnSite {
				text += "!"
			}
			got, done = append(got, text), next.On
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %s, want %s", kind, s, want)
		}
	}
}

func TestNextInspection(t *testing.T) {
	private := DefaultTable().of("nonsense") // an unknown kind is a private car
	for _, c := range []struct{ name, registered, done, today, want string }{
		{"nobody told", "", "", "2026-11-18", ""},
		{"no date", "2026-02-30", "", "2026-11-18", ""},
		{"new", "2026-11-18", "", "2026-11-18", "2028-11-30"},
		{"leap day", "2020-02-29", "", "2023-12-01", "2024-02-29"},
		{"the last day of the mark", "2020-11-02", "", "2026-11-30", "2026-11-30"},
		{"the day after: still open", "2020-11-02", "", "2026-12-01", "2026-11-30"},
		{"long past: it was done elsewhere", "2020-11-02", "", "2027-02-01", "2028-11-30"},
		{"sixty days past", "2020-11-02", "", "2027-01-29", "2026-11-30"},
		{"done", "2020-11-02", "2026-11-30", "2026-11-18", "2028-11-30"},
		{"after ten years each year", "2010-05-05", "2026-05-31", "2026-11-18", "2027-05-31"},
		{"a very old car", "1961-05-05", "", "2026-11-18", "2027-05-31"},
		{"a registration to come", "2027-01-01", "", "2026-11-18", "2029-01-31"},
	} {
		if got := nextInspection(private, c.registered, c.done, c.today).On; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestTableIsChecked(t *testing.T) {
	for name, c := range map[string]struct {
		stages []Stage
		field  string
	}{
		"a gap":                         {[]Stage{{0, 4, 24, false}, {5, 0, 12, true}}, "kinds[0].stages[1].fromYear"},
		"begins late":                   {[]Stage{{1, 0, 12, true}}, "kinds[0].stages[0].fromYear"},
		"ends":                          {[]Stage{{0, 4, 24, false}}, "kinds[0].stages[0].toYear"},
		"never ends twice":              {[]Stage{{0, 0, 24, false}, {0, 0, 12, true}}, "kinds[0].stages[0].toYear"},
		"backwards":                     {[]Stage{{0, 6, 24, false}, {6, 4, 12, true}, {4, 0, 12, true}}, "kinds[0].stages[1].toYear"},
		"a period that ends in between": {[]Stage{{0, 4, 36, false}, {4, 0, 12, true}}, "kinds[0].stages[0].everyMonths"},
	} {
		err := Table{[]Kind{{Private, "私家车", c.stages}}}.check()
		var f *fault.Error
		if !errors.As(err, &f) || !slices.ContainsFunc(f.Fields, func(x fault.Field) bool { return x.Field == c.field }) {
			t.Errorf("%s: %v", name, err)
		}
	}
	van := Kind{Van, "面包车", []Stage{{0, 0, 12, true}}}
	if (Table{[]Kind{van}}).check() == nil || (Table{[]Kind{{Private, "私家车", van.Stages}, van, van}}).check() == nil {
		t.Error("no private car, or one kind twice, is good")
	}
}

func TestNextMaintenance(t *testing.T) {
	shop := Terms{EveryKm: 10000, EveryMonths: 6}
	for _, c := range []struct {
		name string
		car  Car
		want Maintenance
	}{
		{"nobody told", Car{}, Maintenance{}},
		{"months alone", Car{ServicedOn: "2026-08-31"}, Maintenance{On: "2027-02-28"}},
		{"the odometer was read long ago and says nothing of its pace", Car{ServicedOn: "2026-08-31", ServicedKm: 30000}, Maintenance{On: "2027-02-28"}},
		{"100 km a day since the maintenance", Car{ServicedOn: "2026-09-01", ServicedKm: 30000, Km: 35000, KmOn: "2026-10-21"}, Maintenance{"2026-12-10", 40000, true}},
		{"10 km a day: the months come first", Car{ServicedOn: "2026-09-01", ServicedKm: 30000, Km: 30500, KmOn: "2026-10-21"}, Maintenance{On: "2027-03-01"}},
		{"over it already", Car{ServicedOn: "2026-09-01", ServicedKm: 30000, Km: 40000, KmOn: "2026-11-10"}, Maintenance{"2026-11-10", 40000, true}},
		{"one kilometre short", Car{ServicedOn: "2026-09-01", ServicedKm: 30000, Km: 39999, KmOn: "2026-11-10"}, Maintenance{"2026-11-11", 40000, true}},
		{"watched for 13 days: the pace of its life counts", Car{ServicedOn: "2026-09-01", ServicedKm: 30000, Km: 31000, KmOn: "2026-09-14", RegisteredOn: "2021-09-14"}, Maintenance{On: "2027-03-01"}},
		{"its own interval", Car{ServicedOn: "2026-09-01", EveryMonths: 12}, Maintenance{On: "2027-09-01"}},
		{"its own interval in kilometres alone, at no pace", Car{ServicedOn: "2026-09-01", ServicedKm: 30000, EveryKm: 5000}, Maintenance{}},
		{"a new car counts from its registration", Car{RegisteredOn: "2026-07-01"}, Maintenance{On: "2027-01-01"}},
		{"a new car that is driven much", Car{RegisteredOn: "2026-09-01", Km: 8000, KmOn: "2026-11-10"}, Maintenance{"2026-11-28", 10000, true}},
		{"an old car of which nothing is known", Car{RegisteredOn: "2020-07-01"}, Maintenance{}},
		{"a car that hardly moves", Car{ServicedOn: "2026-09-01", ServicedKm: 30000, EveryKm: 10000, Km: 30001, KmOn: "2026-11-10"}, Maintenance{}},
		{"an odometer that ran backwards", Car{ServicedOn: "2026-09-01", ServicedKm: 30000, Km: 20000, KmOn: "2026-11-10"}, Maintenance{On: "2027-03-01"}},
	} {
		if got := nextMaintenance(c.car, shop, "2026-11-18"); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// N29: one reminder for each step; after an outage the newest alone, and none when it would come too late.
func TestN29StepAfterAnOutage(t *testing.T) {
	for _, c := range []struct {
		name, today, seen string
		late              int
		no                int // -1: nothing
		until             string
	}{
		{"the day before the first", "2026-10-31", "", 0, -1, ""},
		{"the first", "2026-11-01", "", 0, 0, "2026-11-23"},
		{"the first, made up for", "2026-11-23", "", 0, 0, "2026-11-23"},
		{"the second", "2026-11-24", "", 0, 1, "2026-12-01"},
		{"the second, made up for on the last day", "2026-12-01", "", 0, 1, "2026-12-01"},
		{"too late", "2026-12-02", "", 0, -1, ""},
		{"an estimate may be late", "2026-12-02", "", 14, 1, "2026-12-15"},
		{"too late for an estimate", "2026-12-16", "", 14, -1, ""},
		{"the owner saw it yesterday", "2026-11-10", "2026-11-09", 0, -1, ""},
		{"saw it before its day", "2026-11-01", "2026-10-31", 0, 0, "2026-11-23"},
		{"saw the first, is told the second", "2026-11-24", "2026-11-09", 0, 1, "2026-12-01"},
	} {
		s, ok := step("2026-12-01", []int{30, 7}, c.today, c.seen, c.late)
		if no := map[bool]int{true: s.No, false: -1}[ok]; no != c.no || ok && s.Until != c.until {
			t.Errorf("%s: %+v %v", c.name, s, ok)
		}
	}
	if _, ok := step("", []int{30}, "2026-11-18", "", 0); ok {
		t.Error("a date that nobody knows is reminded of")
	}
	if s, ok := step("2028-03-01", []int{1, 0}, "2028-02-29", "", 0); !ok || s.No != 0 || s.Until != "2028-02-29" {
		t.Errorf("leap day: %+v", s)
	}
}

func TestJ07Rhythm(t *testing.T) {
	for _, c := range []struct {
		name   string
		washes string
		least  int
		want   Rhythm
		on     string // to be reminded two days after the usual one
		until  string
	}{
		{"too few", "2026-10-01 2026-10-11 2026-10-21", 4, Rhythm{}, "", ""},
		{"two on one day are one", "2026-10-01 2026-10-11 2026-10-21 2026-10-21", 4, Rhythm{}, "", ""},
		{"every ten days", "2026-10-01 2026-10-11 2026-10-21 2026-10-31", 4, Rhythm{10, "2026-10-31", "2026-11-10", "2026-11-30"}, "2026-11-12", "2026-11-26"},
		{"in any order", "2026-10-31 2026-10-11 2026-10-01 2026-10-21", 4, Rhythm{10, "2026-10-31", "2026-11-10", "2026-11-30"}, "2026-11-12", "2026-11-26"},
		{"a long journey does not spoil it", "2026-06-01 2026-06-11 2026-06-21 2026-09-21 2026-10-01 2026-10-11", 4, Rhythm{10, "2026-10-11", "2026-10-21", "2026-11-10"}, "2026-10-23", "2026-11-06"},
		{"an even number of gaps", "2026-10-01 2026-10-08 2026-10-15 2026-10-25 2026-11-05", 4, Rhythm{8, "2026-11-05", "2026-11-13", "2026-11-29"}, "2026-11-15", "2026-11-28"},
		{"habits change: the last ten gaps count", "2026-01-01 2026-03-01 2026-05-01 2026-07-01 2026-09-01 2026-09-06 2026-09-11 2026-09-16 2026-09-21 2026-09-26 2026-10-01 2026-10-06 2026-10-11", 4,
			Rhythm{5, "2026-10-11", "2026-10-16", "2026-10-30"}, "2026-10-18", "2026-10-29"},
		{"twice a year: gone before the reminder", "2025-01-01 2025-07-01 2026-01-01 2026-07-01", 4, Rhythm{181, "2026-07-01", "2026-12-29", "2026-10-29"}, "2026-12-31", ""},
		{"each day", "2026-10-01 2026-10-02 2026-10-03 2026-10-04", 4, Rhythm{1, "2026-10-04", "2026-10-05", "2026-10-19"}, "2026-10-07", "2026-10-18"},
		{"across a leap day", "2028-02-01 2028-02-11 2028-02-21 2028-03-02", 4, Rhythm{10, "2028-03-02", "2028-03-12", "2028-04-01"}, "2028-03-14", "2028-03-28"},
	} {
		got, ok := rhythmOf(strings.Fields(c.washes), c.least)
		if got != c.want || ok != (c.on != "") {
			t.Errorf("%s: %+v %v, want %+v", c.name, got, ok, c.want)
			continue
		}
		if !ok {
			continue
		}
		if on, until := got.washDue(2); on != c.on || until != c.until {
			t.Errorf("%s: %s until %s, want %s until %s", c.name, on, until, c.on, c.until)
		}
	}
}

func TestDoneMovesOn(t *testing.T) {
	b := book{table: DefaultTable(), terms: map[string]Terms{notify.MaintenanceDue: {EveryKm: 10000, EveryMonths: 6}}}
	const today = "2026-11-18"
	for _, c := range []struct {
		name string
		car  Car
		in   DoneInput
		want Car
		err  error
	}{
		{"inspection", Car{RegisteredOn: "2020-11-02"}, DoneInput{Event: notify.InspectionDue}, Car{RegisteredOn: "2020-11-02", InspectedTo: "2026-11-30"}, nil},
		{"inspection a year early", Car{RegisteredOn: "2019-11-02"}, DoneInput{Event: notify.InspectionDue}, Car{}, ErrNoDue},
		{"inspection of an unknown car", Car{}, DoneInput{Event: notify.InspectionDue}, Car{}, ErrNoDue},
		{"insurance: a year on", Car{InsuredTo: "2026-11-20"}, DoneInput{Event: notify.InsuranceDue}, Car{InsuredTo: "2027-11-20"}, nil},
		{"insurance: its own date", Car{}, DoneInput{Event: notify.InsuranceDue, On: "2027-10-01"}, Car{InsuredTo: "2027-10-01"}, nil},
		{"insurance in the past", Car{}, DoneInput{Event: notify.InsuranceDue, On: "2026-10-01"}, Car{}, fault.ErrInvalid},
		{"insurance without a date", Car{}, DoneInput{Event: notify.InsuranceDue}, Car{}, fault.ErrInvalid},
		{"maintenance today", Car{Km: 39000, KmOn: "2026-10-01"}, DoneInput{Event: notify.MaintenanceDue, Km: 40000}, Car{ServicedOn: today, ServicedKm: 40000, Km: 40000, KmOn: today}, nil},
		{"maintenance without the odometer", Car{Km: 39000, KmOn: "2026-10-01", ServicedKm: 30000}, DoneInput{Event: notify.MaintenanceDue}, Car{ServicedOn: today, Km: 39000, KmOn: "2026-10-01"}, nil},
		{"maintenance that was told late", Car{Km: 41000, KmOn: "2026-11-10"}, DoneInput{Event: notify.MaintenanceDue, On: "2026-11-01", Km: 40000},
			Car{ServicedOn: "2026-11-01", ServicedKm: 40000, Km: 41000, KmOn: "2026-11-10"}, nil},
		{"maintenance tomorrow", Car{}, DoneInput{Event: notify.MaintenanceDue, On: "2026-11-19"}, Car{}, fault.ErrInvalid},
		{"maintenance before the last", Car{ServicedOn: "2026-11-10"}, DoneInput{Event: notify.MaintenanceDue, On: "2026-11-01"}, Car{}, fault.ErrInvalid},
		{"an odometer that ran backwards", Car{ServicedOn: "2026-05-10", ServicedKm: 30000}, DoneInput{Event: notify.MaintenanceDue, Km: 20000}, Car{}, fault.ErrInvalid},
		{"something else", Car{}, DoneInput{Event: "holiday"}, Car{}, ErrRule},
	} {
		car := c.car
		err := car.done(c.in, b, today)
		if !errors.Is(err, c.err) || err == nil && car != c.want {
			t.Errorf("%s: %+v, %v", c.name, car, err)
		}
	}
}

func TestInputIsChecked(t *testing.T) {
	good := Input{Kind: Private, RegisteredOn: "2020-11-02", InsuredTo: "2027-01-01", ServicedOn: "2026-05-01", ServicedKm: 30000, Km: 35000, EveryKm: 7500, EveryMonths: 6}
	if err := good.check(DefaultTable(), "2026-11-18"); err != nil {
		t.Fatal(err)
	}
	for field, spoil := range map[string]func(*Input){
		"kind":         func(in *Input) { in.Kind = "tank" },
		"registeredOn": func(in *Input) { in.RegisteredOn = "2026-11-19" },
		"servicedOn":   func(in *Input) { in.ServicedOn = "2020-11-01" },
		"insuredTo":    func(in *Input) { in.InsuredTo = "2030-01-01" },
		"km":           func(in *Input) { in.Km = 29999 },
		"everyKm":      func(in *Input) { in.EveryKm = 10 },
	} {
		in := good
		spoil(&in)
		var f *fault.Error
		if err := in.check(DefaultTable(), "2026-11-18"); !errors.As(err, &f) || f.Fields[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	in := Input{Kind: Private, ServicedKm: 5, RegisteredOn: "x", InsuredTo: "2026-02-30"}
	var f *fault.Error
	if err := in.check(DefaultTable(), "2026-11-18"); !errors.As(err, &f) || len(f.Fields) != 3 {
		t.Errorf("%v", err)
	}
}

// Every rule is an event of the messages, and the defaults of those that are kept here are good.
func TestRulesAreGood(t *testing.T) {
	known := map[string]bool{}
	for _, e := range notify.Events() {
		known[e.Event] = true
	}
	for _, r := range Rules() {
		if !known[r.Event] || r.Help == "" {
			t.Errorf("%+v", r)
		}
		if r.ours() {
			if err := r.check(r.Default); err != nil {
				t.Errorf("%s: %v", r.Event, err)
			}
		}
	}
	steps, _ := ruleOf(notify.InspectionDue)
	for name, days := range map[string][]int{"none": {}, "backwards": {7, 30}, "the same": {7, 7}, "negative": {7, -1}, "far": {91, 7}, "three": {30, 20, 10}} {
		if steps.check(Terms{Days: days}) == nil {
			t.Errorf("%s is good", name)
		}
	}
	if err := steps.check(Terms{Days: []int{0}}); err != nil {
		t.Errorf("on the day alone: %v", err)
	}
	wash, _ := ruleOf(notify.NextWash)
	if wash.check(Terms{Days: []int{2}, Least: 2}) == nil {
		t.Error("a rhythm of two washes")
	}
	if _, err := ruleOf("nonsense"); !errors.Is(err, ErrRule) {
		t.Error(err)
	}
}

func TestDuesInWords(t *testing.T) {
	b := book{table: DefaultTable(), terms: map[string]Terms{notify.MaintenanceDue: {EveryKm: 10000, EveryMonths: 6}}}
	got := b.dues(Car{Kind: Private, RegisteredOn: "2020-12-02", InsuredTo: "2026-11-10", ServicedOn: "2026-09-01", ServicedKm: 30000, Km: 35000, KmOn: "2026-10-21"}, "2026-11-18")
	for i, want := range []Due{
		{notify.MaintenanceDue, "保养", "2026-12-10", "soon", "2026年12月10日", "预计那时跑到 40000 公里"},
		{notify.InspectionDue, "年检", "2026-12-31", "fine", "2026年12月底前", "要到检测站上线检测；可提前三个月办"},
		{notify.InsuranceDue, "保险", "2026-11-10", "late", "2026年11月10日", "已过期，请尽快办理"},
	} {
		if got[i] != want {
			t.Errorf("%+v, want %+v", got[i], want)
		}
	}
	for _, d := range b.dues(Car{Kind: Private}, "2026-11-18") {
		if d.State != "unknown" || d.On != "" || d.Note == "" {
			t.Errorf("%+v", d)
		}
	}
	if nearest(got) != 2 || nearest(b.dues(Car{}, "2026-11-18")) != -1 {
		t.Error("another comes first")
	}
}
