package shop

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/perm"
)

func newStore(t *testing.T, s *Service, in Input) Store {
	t.Helper()
	st, err := s.Create(system(t), in)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func system(t *testing.T) context.Context { return actor.With(t.Context(), actor.Job("test")) }

// spans writes what is open in a window as text: "11-18 09:00–21:00 8h".
func spans(t *testing.T, s *Service, st Store, from, to string) string {
	t.Helper()
	loc := bizday.Location(st.Timezone)
	at := func(day string) time.Time {
		x, err := time.ParseInLocation("2006-01-02 15:04", day, loc)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	all, err := s.OpenSpans(t.Context(), st.ID, at(from), at(to))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, x := range all {
		out = append(out, fmt.Sprintf("%s–%s %g", x.From.In(loc).Format("01-02 15:04"), x.To.In(loc).Format("15:04"), x.To.Sub(x.From).Hours()))
	}
	return strings.Join(out, ", ")
}

func TestHoursByWeekdayAndDaysThatDiffer(t *testing.T) {
	d, _ := dbtest.New(t)
	s := New(d)
	ctx := system(t)
	st := newStore(t, s, Input{Name: "西湖店"})
	other := newStore(t, s, Input{Name: "滨江店"})
	// 2026-11-16 is a Monday.
	if got := spans(t, s, st, "2026-11-16 00:00", "2026-11-18 00:00"); got != "11-16 09:00–21:00 12, 11-17 09:00–21:00 12" {
		t.Error(got)
	}
	week := []WeekSpan{{1, 8 * 60, 12 * 60}, {1, 13 * 60, 20 * 60}, {2, 20 * 60, 26 * 60}, {6, 0, 24 * 60}, {0, 0, 24 * 60}}
	if n, err := s.SetHours(ctx, st.ID, week); err != nil || n != 0 {
		t.Fatal(n, err)
	}
	// Two parts of a day; a night; a day without hours; two whole days that touch.
	want := "11-16 08:00–12:00 4, 11-16 13:00–20:00 7, 11-17 20:00–02:00 6, 11-21 00:00–00:00 48"
	if got := spans(t, s, st, "2026-11-16 00:00", "2026-11-23 00:00"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// A window that begins in the middle of a night.
	if got := spans(t, s, st, "2026-11-18 01:00", "2026-11-18 23:00"); got != "11-18 01:00–02:00 1" {
		t.Error(got)
	}
	set := func(store int64, day, kind string, opens, closes int) {
		t.Helper()
		if _, _, err := s.SetDay(ctx, DayInput{StoreID: store, Day: day, Kind: kind, Name: "店庆", Opens: opens, Closes: closes}); err != nil {
			t.Fatal(err)
		}
	}
	set(0, "2026-11-16", DayClosed, 0, 0)
	set(st.ID, "2026-11-16", DaySpecial, 10*60, 16*60) // beats the common row
	set(0, "2026-11-17", DaySpecial, 22*60, 46*60)     // into the 18th until 22:00
	set(0, "2026-11-21", DayClosed, 0, 0)
	set(st.ID, "2026-11-22", DayNormal, 0, 0)
	want = "11-16 10:00–16:00 6, 11-17 22:00–22:00 24, 11-22 00:00–00:00 24"
	if _, _, err := s.SetDay(ctx, DayInput{Day: "2026-11-17", Kind: DaySpecial, Opens: 22 * 60, Closes: 47 * 60}); err == nil {
		t.Error("25 hours in one day")
	}
	if got := spans(t, s, st, "2026-11-16 00:00", "2026-11-23 00:00"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := spans(t, s, other, "2026-11-16 00:00", "2026-11-17 00:00"); got != "" {
		t.Errorf("the other store on a common closure: %s", got)
	}
	p, err := s.DayPlan(ctx, st.ID, "2026-11-16")
	if err != nil || p.Kind != DaySpecial || p.Name != "店庆" || len(p.Spans) != 1 || p.Spans[0] != (MinuteSpan{600, 960}) {
		t.Errorf("%+v %v", p, err)
	}
	if p, _ = s.DayPlan(ctx, st.ID, "2026-11-21"); p.Kind != DayClosed || len(p.Spans) != 0 {
		t.Errorf("%+v", p)
	}
	if p, _ = s.DayPlan(ctx, st.ID, "2026-11-22"); p.Kind != DayNormal || p.Name != "店庆" || len(p.Spans) != 1 {
		t.Errorf("%+v", p)
	}
	if _, err := s.RemoveDay(ctx, st.ID, "2026-11-16"); err != nil {
		t.Fatal(err)
	}
	if got := spans(t, s, st, "2026-11-16 00:00", "2026-11-17 00:00"); got != "" {
		t.Errorf("back to the common row: %s", got)
	}
	if _, err := s.RemoveDay(ctx, st.ID, "2026-11-16"); !errors.Is(err, fault.ErrNotFound) {
		t.Error(err)
	}
}

// A night shift on the days on which the clocks change is an hour shorter or longer, and nothing overlaps.
func TestOpenSpansWhenClocksChange(t *testing.T) {
	d, _ := dbtest.New(t)
	s := New(d)
	for _, c := range []struct {
		zone, spring, autumn string
	}{{"America/New_York", "2026-03-08", "2026-11-01"}, {"Europe/Berlin", "2026-03-29", "2026-10-25"}} {
		st := newStore(t, s, Input{Name: c.zone, Timezone: c.zone})
		var round, night, early []WeekSpan
		for w := range 7 {
			round, night, early = append(round, WeekSpan{w, 0, 1440}), append(night, WeekSpan{w, 22 * 60, 30 * 60}), append(early, WeekSpan{w, 2 * 60, 3 * 60})
		}
		day := func(date, from, to string) string { return spans(t, s, st, date+" "+from, date+" "+to) }
		hours := func(all []WeekSpan) {
			t.Helper()
			if _, err := s.SetHours(system(t), st.ID, all); err != nil {
				t.Fatal(err)
			}
		}
		hours(round)
		for date, want := range map[string]string{c.spring: "23", c.autumn: "25"} {
			from, to, _ := bizday.Bounds(date, c.zone)
			all, err := s.OpenSpans(t.Context(), st.ID, from, to)
			if err != nil || len(all) != 1 || fmt.Sprintf("%g", all[0].To.Sub(all[0].From).Hours()) != want {
				t.Errorf("%s %s: %v %v", c.zone, date, all, err)
			}
		}
		hours(night)
		for date, want := range map[string]string{c.spring: "7", c.autumn: "9", "2026-06-10": "8"} {
			got := spans(t, s, st, bizday.Add(date, -1)+" 12:00", date+" 12:00")
			if !strings.HasSuffix(got, "22:00–06:00 "+want) || strings.Contains(got, ",") {
				t.Errorf("%s %s: %s", c.zone, date, got)
			}
		}
		hours(early)
		if c.zone == "America/New_York" {
			if got := day(c.spring, "00:00", "12:00"); got != "" {
				t.Errorf("an hour that does not exist: %s", got)
			}
			if got := day(c.autumn, "00:00", "12:00"); got != c.autumn[5:]+" 02:00–03:00 1" {
				t.Error(got)
			}
		} else if got := day(c.autumn, "00:00", "12:00"); got != c.autumn[5:]+" 02:00–03:00 2" {
			t.Errorf("the hour that comes twice: %s", got)
		}
	}
}

func TestBadHoursAreNamed(t *testing.T) {
	d, _ := dbtest.New(t)
	s := New(d)
	st := newStore(t, s, Input{Name: "西湖店"})
	for name, c := range map[string]struct {
		spans []WeekSpan
		field string
	}{
		"none":                 {nil, "spans"},
		"weekday":              {[]WeekSpan{{7, 0, 60}}, "spans[0].weekday"},
		"closes first":         {[]WeekSpan{{1, 600, 600}}, "spans[0]"},
		"too late":             {[]WeekSpan{{1, 600, 2885}}, "spans[0]"},
		"over 24 hours":        {[]WeekSpan{{1, 600, 2045}}, "spans[0]"},
		"not of five":          {[]WeekSpan{{1, 601, 700}}, "spans[0]"},
		"before midnight":      {[]WeekSpan{{1, -5, 700}}, "spans[0]"},
		"overlap on a day":     {[]WeekSpan{{1, 540, 800}, {1, 700, 900}}, "spans[1]"},
		"overlap at midnight":  {[]WeekSpan{{2, 60, 600}, {1, 1200, 1505}}, "spans[0]"},
		"overlap of the weeks": {[]WeekSpan{{0, 0, 600}, {6, 1200, 1445}}, "spans[0]"},
	} {
		_, err := s.SetHours(system(t), st.ID, c.spans)
		if f := fault.As(err); !errors.Is(err, fault.ErrInvalid) || len(f.Fields) != 1 || f.Fields[0].Field != c.field {
			t.Errorf("%s: %v %+v", name, err, f)
		}
	}
	for _, ok := range [][]WeekSpan{{{1, 1200, 1500}, {2, 60, 600}}, {{6, 1200, 1440}, {0, 0, 600}}, {{3, 0, 1440}}} {
		if _, err := s.SetHours(system(t), st.ID, ok); err != nil {
			t.Errorf("%v: %v", ok, err)
		}
	}
	if _, err := s.SetHours(system(t), 5, usualHours()); !errors.Is(err, fault.ErrNotFound) {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		in    DayInput
		field string
	}{
		"day":    {DayInput{Day: "2026-02-30", Kind: DayClosed}, "day"},
		"name":   {DayInput{Day: "2026-02-03", Kind: DayClosed, Name: strings.Repeat("年", 21)}, "name"},
		"kind":   {DayInput{Day: "2026-02-03", Kind: "holiday"}, "kind"},
		"no end": {DayInput{Day: "2026-02-03", Kind: DaySpecial, Opens: 600}, "opens"},
	} {
		_, _, err := s.SetDay(system(t), c.in)
		if f := fault.As(err); !errors.Is(err, fault.ErrInvalid) || len(f.Fields) != 1 || f.Fields[0].Field != c.field {
			t.Errorf("%s: %v %+v", name, err, f)
		}
	}
}

func TestBays(t *testing.T) {
	d, _ := dbtest.New(t)
	s := New(d)
	var asked []int64
	s.Watch(func(_ context.Context, id int64) (int, error) { asked = append(asked, id); return 2, nil })
	st, other := newStore(t, s, Input{Name: "西湖店"}), newStore(t, s, Input{Name: "滨江店"})
	c := apitest.New(t, s.Routes)
	boss := c.As(apitest.Staff(perm.BookingRead, perm.BookingSetup))
	local := apitest.Staff(perm.BookingRead, perm.BookingSetup)
	local.AllStores, local.Stores = false, []int64{other.ID}
	const at = "/api/console/bays"
	var a, b Bay
	boss.OK(http.MethodPost, at, BayInput{StoreID: st.ID, Name: " 1 号洗车位 ", Kind: BayWash, Sort: 2}, &a)
	boss.OK(http.MethodPost, at, BayInput{StoreID: st.ID, Name: "优先位", Kind: BayWash, Priority: true, Sort: 1}, &b)
	boss.OK(http.MethodPost, at, BayInput{StoreID: other.ID, Name: "1 号洗车位", Kind: BayVan}, nil) // a name may come again in another store
	boss.Fault(ErrBayName, http.MethodPost, at, BayInput{StoreID: st.ID, Name: "优先位", Kind: BayLift})
	if f := boss.Fault(fault.ErrInvalid, http.MethodPost, at, BayInput{StoreID: st.ID, Name: " ", Kind: BayLift}); f[0].Field != "name" {
		t.Error(f)
	}
	boss.Fault(fault.ErrNotFound, http.MethodPost, at, BayInput{StoreID: 9, Name: "x", Kind: BayLift})
	c.As(local).Fault(fault.ErrStore, http.MethodPost, at, BayInput{StoreID: st.ID, Name: "x", Kind: BayLift})
	c.As(local).Fault(fault.ErrNotFound, http.MethodPut, fmt.Sprint(at, "/", a.ID), BayInput{StoreID: other.ID, Name: "x", Kind: BayLift})
	c.As(local).Fault(fault.ErrStore, http.MethodGet, fmt.Sprint(at, "?storeId=", st.ID), nil)
	var page httpapi.Page[Bay]
	boss.OK(http.MethodGet, fmt.Sprint(at, "?storeId=", st.ID), nil, &page)
	if len(page.Items) != 2 || page.Items[0].ID != b.ID || page.Items[1].Name != "1 号洗车位" {
		t.Errorf("%+v", page)
	}
	off := false
	var saved BaySaved
	boss.OK(http.MethodPut, fmt.Sprint(at, "/", a.ID), BayInput{StoreID: other.ID, Name: "1 号洗车位", Kind: BayDetail, Active: &off}, &saved)
	if saved.Active || saved.StoreID != st.ID || saved.Kind != BayDetail || saved.Affected != 2 || len(asked) != 1 || asked[0] != st.ID {
		t.Errorf("%+v %v", saved, asked)
	}
	boss.OK(http.MethodPut, fmt.Sprint(at, "/", a.ID), BayInput{StoreID: st.ID, Name: "1 号洗车位", Kind: BayDetail}, &saved)
	if got, err := s.BayByID(t.Context(), a.ID); err != nil || got.Active {
		t.Errorf("active stays as it is: %+v %v", got, err)
	}
	if _, err := s.BayByID(t.Context(), 5); !errors.Is(err, fault.ErrNotFound) {
		t.Error(err)
	}
}

func TestImportOfHolidays(t *testing.T) {
	d, _ := dbtest.New(t)
	s := New(d)
	st := newStore(t, s, Input{Name: "西湖店"})
	c := apitest.New(t, s.Routes)
	boss := c.As(apitest.Staff(perm.BookingRead, perm.BookingSetup))
	const at = "/api/console/store-days"
	var got Imported
	boss.OK(http.MethodPost, at+"/import", ImportInput{Year: 2026}, &got)
	if got.Added != 3+9+3+5+3+3+7 || got.Kept != 0 || got.Lines[3].Day.Name != "春节" || got.Lines[3].Day.Kind != DayNormal {
		t.Fatalf("%+v", got)
	}
	// Somebody closes New Year's Eve; the next import leaves it alone, and so does one that changes nothing.
	boss.OK(http.MethodPut, at, DayInput{Day: "2026-02-16", Kind: DayClosed, Name: "除夕"}, nil)
	boss.OK(http.MethodPost, at+"/import", ImportInput{Year: 2026, Closed: true}, &got)
	if got.Added != 0 || got.Kept != 1 || got.Changed != 32 {
		t.Errorf("%+v", got)
	}
	boss.OK(http.MethodPost, at+"/import", ImportInput{Year: 2026, Closed: true}, &got)
	if got.Kept != 33 {
		t.Errorf("%+v", got)
	}
	var saved httpapi.Page[Day]
	boss.OK(http.MethodGet, at+"?from=2026-02-15&to=2026-02-17", nil, &saved)
	if len(saved.Items) != 3 || saved.Items[1].Name != "除夕" || !saved.Items[1].Edited || saved.Items[2].Kind != DayClosed || saved.Items[2].Edited {
		t.Errorf("%+v", saved)
	}
	boss.OK(http.MethodPost, at+"/import", ImportInput{Year: 2026, Replace: true}, &got)
	if got.Changed != 33 {
		t.Errorf("%+v", got)
	}
	text := "\ufeff2027-02-05,除夕,closed\n2027/2/9，初四，特殊，10：00-16：00\r\n\n2027-02-10\t夜场\tspecial\t18:00-02:00\n2027.2.11,照常上班\n2027-02-12,,休息,\n"
	boss.OK(http.MethodPost, at+"/import", ImportInput{StoreID: st.ID, Text: text}, &got)
	want := []Day{{st.ID, "2027-02-05", DayClosed, "除夕", 0, 0, false}, {st.ID, "2027-02-09", DaySpecial, "初四", 600, 960, false},
		{st.ID, "2027-02-10", DaySpecial, "夜场", 1080, 1560, false}, {st.ID, "2027-02-11", DayNormal, "照常上班", 0, 0, false}, {st.ID, "2027-02-12", DayClosed, "", 0, 0, false}}
	for i, w := range want {
		if got.Lines[i].Day != w || got.Lines[i].Outcome != OutcomeAdded {
			t.Errorf("line %d: %+v, want %+v", i, got.Lines[i], w)
		}
	}
	bad := "2027-02-30,x\n明天,x\n2027-03-01,x,maybe\n2027-03-02,x,special\n2027-03-03,x,special,10:99-11:00\n2027-03-04,x,closed,10:00-11:00\n2027-03-05,ok\n2027-03-05,again\n1,2,3,4,5\n" +
		"2027-03-06,x,special,10:01-11:00\n2027-03-07," + strings.Repeat("长", 21)
	f := boss.Fault(fault.ErrInvalid, http.MethodPost, at+"/import", ImportInput{Text: bad})
	var lines []string
	for _, x := range f {
		lines = append(lines, x.Field)
	}
	if strings.Join(lines, " ") != "lines[0] lines[1] lines[2] lines[3] lines[4] lines[5] lines[7] lines[8] lines[9] lines[10]" || !strings.Contains(f[0].Message, "第 1 行") {
		t.Errorf("%+v", f)
	}
	boss.OK(http.MethodGet, at+"?from=2027-03-01&to=2027-03-31", nil, &saved)
	if len(saved.Items) != 0 {
		t.Errorf("half of a refused import stayed: %+v", saved)
	}
	for _, in := range []ImportInput{{}, {Year: 2026, Text: "2027-02-05"}, {Year: 2031}, {Text: strings.Repeat("x\n", maxImport+1)}} {
		boss.Fault(fault.ErrInvalid, http.MethodPost, at+"/import", in)
	}
	// The list of a store holds the common rows too, its own last on one date, and pages come one after the other.
	boss.OK(http.MethodPut, at, DayInput{StoreID: st.ID, Day: "2026-10-01", Kind: DayClosed, Name: "国庆"}, nil)
	var seen []string
	for after := ""; ; {
		var p httpapi.Page[Day]
		boss.OK(http.MethodGet, fmt.Sprintf("%s?storeId=%d&from=2026-09-27&to=2026-10-02&limit=2&after=%s", at, st.ID, after), nil, &p)
		for _, x := range p.Items {
			seen = append(seen, fmt.Sprint(x.Day[5:], x.StoreID != 0))
		}
		if after = p.Next; after == "" {
			break
		}
	}
	if strings.Join(seen, " ") != "09-27false 10-01false 10-01true 10-02false" {
		t.Error(seen)
	}
	boss.Fault(fault.ErrInvalid, http.MethodGet, at+"?from=2026-13-01&to=2026-10-02", nil)
	boss.Fault(fault.ErrInvalid, http.MethodGet, at+"?from=2020-01-01&to=2026-10-02", nil)
	local := apitest.Staff(perm.BookingRead, perm.BookingSetup)
	local.AllStores, local.Stores = false, []int64{st.ID}
	c.As(local).Fault(fault.ErrStore, http.MethodPut, at, DayInput{Day: "2026-10-01", Kind: DayClosed})
	c.As(local).OK(http.MethodPut, at, DayInput{StoreID: st.ID, Day: "2026-10-03", Kind: DayClosed}, nil)
	c.As(local).OK(http.MethodPost, at+"/remove", DayRef{st.ID, "2026-10-03"}, nil)
	var w Week
	c.As(local).OK(http.MethodGet, fmt.Sprintf("/api/console/stores/%d/hours", st.ID), nil, &w)
	if len(w.Spans) != 7 {
		t.Errorf("%+v", w)
	}
	w.Spans[1].Closes = 1500
	c.As(local).OK(http.MethodPut, fmt.Sprintf("/api/console/stores/%d/hours", st.ID), WeekInput{w.Spans}, &w)
	if w.Spans[1].Closes != 1500 {
		t.Errorf("%+v", w)
	}
	c.As(local).Fault(fault.ErrNotFound, http.MethodGet, "/api/console/stores/4242/hours", nil)
}

// Every year of the table is sound: dates in order, inside the year, no day twice.
func TestHolidayTable(t *testing.T) {
	for year, table := range holidays {
		last := ""
		for _, h := range table {
			if !bizday.Valid(h.from) || !bizday.Valid(h.to) || h.from > h.to || h.from <= last || !strings.HasPrefix(h.from, fmt.Sprint(year)) {
				t.Errorf("%d: %+v", year, h)
			}
			last = h.to
		}
	}
}
