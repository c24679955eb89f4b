package roster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/clock"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/perm"
	"github.com/liangche/liangche/internal/shop"
)

// crew are the people of a test.
type crew struct{ all []Person }

func (c *crew) StaffPeople(context.Context) ([]Person, error) { return slices.Clone(c.all), nil }

// floor is two stores, one of them in New York, and three people: 11 works everywhere, 12 in the first store, 13 is an accountant.
type floor struct {
	t          *testing.T
	s          *Service
	db         *db.DB
	clk        *clock.Manual
	crew       *crew
	near, away shop.Store
}

func (f *floor) ctx() context.Context { return actor.With(f.t.Context(), actor.Job("test")) }

func open(t *testing.T) *floor {
	d, clk := dbtest.New(t) // Wednesday 2026-11-18
	f := &floor{t: t, db: d, clk: clk}
	shops := shop.New(d)
	var err error
	if f.near, err = shops.Create(f.ctx(), shop.Input{Name: "西湖店"}); err == nil {
		f.away, err = shops.Create(f.ctx(), shop.Input{Name: "纽约店", Timezone: "America/New_York"})
	}
	if err != nil {
		t.Fatal(err)
	}
	f.crew = &crew{[]Person{{11, "王师傅", true, nil}, {12, "李师傅", true, []int64{f.near.ID}}, {13, "郑会计", true, nil}}}
	f.s = New(d, f.crew, shops)
	for _, id := range []int64{11, 12} {
		if _, _, err := f.s.SetTechnician(f.ctx(), id, TechnicianInput{Bookable: true, Skills: []Skill{{SkillDetail, 2}, {SkillWash, 3}}}); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func (f *floor) plan(store shop.Store, staff int64, day string, spans ...ShiftInput) error {
	return f.s.PlanDay(f.ctx(), store.ID, staff, day, spans)
}

func (f *floor) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// shifts writes the shifts of a store as text.
func (f *floor) shifts(store shop.Store, from, to string) string {
	f.t.Helper()
	all, err := f.s.Shifts(f.ctx(), store.ID, from, to)
	f.must(err)
	var out []string
	for _, x := range all {
		out = append(out, fmt.Sprintf("%s %d %s", x.Day[5:], x.StaffID, hours(x.Starts, x.Ends)))
	}
	return strings.Join(out, ", ")
}

func TestTechnicians(t *testing.T) {
	f := open(t)
	all, err := f.s.Technicians(f.ctx(), f.near.ID)
	f.must(err)
	if len(all) != 2 || all[0].Name != "王师傅" || all[0].Level(SkillWash) != 3 || all[0].Level(SkillFilm) != 0 || all[0].Skills[0].Skill != SkillWash {
		t.Errorf("%+v", all)
	}
	if all, _ = f.s.Technicians(f.ctx(), f.away.ID); len(all) != 1 || all[0].StaffID != 11 {
		t.Errorf("%+v", all)
	}
	if all, _ = f.s.Candidates(f.ctx(), 0); len(all) != 3 || all[2].Bookable || len(all[2].Skills) != 0 {
		t.Errorf("%+v", all)
	}
	f.crew.all[0].Active = false
	f.clk.Advance(2 * time.Second)
	if all, _ = f.s.Technicians(f.ctx(), 0); len(all) != 2 || all[0].Active {
		t.Errorf("a suspended technician stays on the list: %+v", all)
	}
	for name, in := range map[string]TechnicianInput{
		"skills[0].skill": {Skills: []Skill{{"fly", 1}}}, "skills[1].skill": {Skills: []Skill{{SkillWash, 1}, {SkillWash, 2}}},
		"skills[0].level": {Skills: []Skill{{SkillWash, 6}}}, "skills": {Bookable: true},
	} {
		_, _, err := f.s.SetTechnician(f.ctx(), 11, in)
		if x := fault.As(err); !errors.Is(err, fault.ErrInvalid) || len(x.Fields) != 1 || x.Fields[0].Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := f.s.SetTechnician(f.ctx(), 99, TechnicianInput{}); !errors.Is(err, fault.ErrNotFound) {
		t.Error(err)
	}
}

func TestWorkingIsShiftsWithoutBreaks(t *testing.T) {
	f := open(t)
	f.must(f.plan(f.near, 11, "2026-11-18", ShiftInput{540, 1080, 720, 780}))
	f.must(f.plan(f.near, 11, "2026-11-19", ShiftInput{1200, 1560, 0, 0}))                          // until 02:00
	f.must(f.plan(f.near, 11, "2026-11-20", ShiftInput{120, 300, 0, 0}))                            // from 02:00: they touch
	f.must(f.plan(f.near, 12, "2026-11-18", ShiftInput{0, 60, 0, 0}, ShiftInput{1380, 1440, 0, 0})) // two of one day
	from, _ := bizday.At("2026-11-18", 600, "")
	to, _ := bizday.At("2026-11-20", 240, "")
	got, err := f.s.Working(f.ctx(), f.near.ID, from, to)
	f.must(err)
	text := func(id int64) string {
		var out []string
		for _, x := range got[id] {
			out = append(out, x.From.In(bizday.Location("")).Format("02 15:04")+"–"+x.To.In(bizday.Location("")).Format("02 15:04"))
		}
		return strings.Join(out, ", ")
	}
	if text(11) != "18 10:00–18 12:00, 18 13:00–18 18:00, 19 20:00–20 04:00" || text(12) != "18 23:00–19 00:00" {
		t.Errorf("%s | %s", text(11), text(12))
	}
	if got, _ = f.s.Working(f.ctx(), f.away.ID, from, to); len(got) != 0 {
		t.Errorf("%v", got)
	}
	// Long ago the copy knows nothing: the table is read.
	f.clk.Advance(40 * 24 * time.Hour)
	if got, _ = f.s.Working(f.ctx(), f.near.ID, from, to); len(got) != 2 {
		t.Errorf("history: %v", got)
	}
	if _, err := f.s.Working(f.ctx(), 5, from, to); !errors.Is(err, fault.ErrNotFound) {
		t.Error(err)
	}
}

// In the night in which clocks change a shift is as long as it really is.
func TestShiftsWhenClocksChange(t *testing.T) {
	f := open(t)
	f.clk.Set(time.Date(2026, 10, 30, 12, 0, 0, 0, time.UTC))
	f.must(f.plan(f.away, 11, "2026-10-31", ShiftInput{22 * 60, 30 * 60, 0, 0}))
	f.clk.Set(time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC))
	f.must(f.plan(f.away, 11, "2027-03-13", ShiftInput{22 * 60, 30 * 60, 0, 0}))
	for day, want := range map[string]float64{"2026-10-31": 9, "2027-03-13": 7} {
		from, to, _ := bizday.Bounds(day, f.away.Timezone)
		got, err := f.s.Working(f.ctx(), f.away.ID, from, to.AddDate(0, 0, 1))
		if x := got[11]; err != nil || len(x) != 1 || x[0].To.Sub(x[0].From).Hours() != want {
			t.Errorf("%s: %v %v", day, got, err)
		}
	}
}

func TestOverlapsAreRefused(t *testing.T) {
	f := open(t)
	f.must(f.plan(f.near, 11, "2026-11-18", ShiftInput{1200, 1680, 0, 0})) // 20:00 to 04:00
	blamed := func(err, want error, fields ...string) {
		t.Helper()
		var got []string
		for _, x := range fault.As(err).Fields {
			got = append(got, x.Field)
		}
		if !errors.Is(err, want) || !slices.Equal(got, fields) {
			t.Errorf("%v %v, want %v %v", err, fault.As(err).Fields, want, fields)
		}
	}
	blamed(f.plan(f.near, 11, "2026-11-19", ShiftInput{540, 600, 0, 0}, ShiftInput{235, 300, 0, 0}), ErrOverlap, "spans[1]")
	f.must(f.plan(f.near, 11, "2026-11-19", ShiftInput{240, 300, 0, 0}))
	// 10:00 to 12:00 in New York is 23:00 to 01:00 in Shanghai.
	blamed(f.plan(f.away, 11, "2026-11-18", ShiftInput{600, 720, 0, 0}), ErrOverlap, "spans[0]")
	f.must(f.plan(f.away, 11, "2026-11-18", ShiftInput{960, 1000, 0, 0})) // 05:00 on the 19th
	blamed(f.plan(f.near, 11, "2026-11-19", ShiftInput{290, 400, 0, 0}), ErrOverlap, "spans[0]")
	if got := f.shifts(f.near, "2026-11-18", "2026-11-20"); got != "11-18 11 20:00–28:00, 11-19 11 04:00–05:00" {
		t.Errorf("a refused plan changed something: %s", got)
	}
	f.must(f.plan(f.near, 11, "2026-11-18")) // a day off
	if got := f.shifts(f.near, "2026-11-18", "2026-11-18"); got != "" {
		t.Error(got)
	}
	blamed(f.plan(f.near, 11, "2026-11-17"), fault.ErrInvalid, "day")
	blamed(f.plan(f.near, 11, "2028-11-17"), fault.ErrInvalid, "day")
	blamed(f.plan(f.near, 11, "17.11.2026"), fault.ErrInvalid, "day")
	blamed(f.plan(f.near, 13, "2026-11-18", ShiftInput{0, 60, 0, 0}), ErrNotTechnician)
	blamed(f.plan(f.away, 12, "2026-11-18", ShiftInput{0, 60, 0, 0}), ErrNotHere)
	blamed(f.plan(f.near, 99, "2026-11-18", ShiftInput{0, 60, 0, 0}), fault.ErrNotFound)
	for name, in := range map[string]ShiftInput{"ends first": {600, 600, 0, 0}, "too long": {0, 1445, 0, 0}, "past two days": {1430, 2885, 0, 0}, "not of five": {1, 60, 0, 0},
		"before midnight": {-5, 60, 0, 0}, "break outside": {540, 720, 700, 730}, "break backwards": {540, 720, 660, 600}, "break at the end": {540, 720, 700, 720}, "break at the start": {540, 720, 540, 560}} {
		if err := f.plan(f.near, 11, "2026-11-18", in); !errors.Is(err, fault.ErrInvalid) || fault.As(err).Fields[0].Field != "spans[0]" {
			t.Errorf("%s: %v", name, err)
		}
	}
	blamed(f.plan(f.near, 11, "2026-11-18", ShiftInput{0, 60, 0, 0}, ShiftInput{55, 120, 0, 0}), fault.ErrInvalid, "spans[1]")
	blamed(f.plan(f.near, 11, "2026-11-18", make([]ShiftInput, 5)...), fault.ErrInvalid, "spans", "spans[0]", "spans[1]", "spans[2]", "spans[3]", "spans[4]")
	f.crew.all[0].Active = false
	f.clk.Advance(2 * time.Second)
	blamed(f.plan(f.near, 11, "2026-11-20", ShiftInput{0, 60, 0, 0}), ErrNotHere)
	f.must(f.plan(f.near, 11, "2026-11-19")) // what was planned can still be taken away
}

// Two managers plan the same person into two stores at once: one of them is refused.
func TestPlansAtOnce(t *testing.T) {
	f := open(t)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		store, span := f.near, ShiftInput{1380, 1500, 0, 0}
		if i%2 == 1 {
			store, span = f.away, ShiftInput{600, 720, 0, 0}
		}
		wg.Go(func() { errs[i] = f.plan(store, 11, "2026-11-20", span) })
	}
	wg.Wait()
	won := map[int]bool{}
	for i, err := range errs {
		if err == nil {
			won[i%2] = true
		} else if !errors.Is(err, ErrOverlap) {
			t.Error(err)
		}
	}
	if len(won) != 1 {
		t.Errorf("planned in %d stores", len(won))
	}
}

func TestCopyWeek(t *testing.T) {
	f := open(t)
	day := ShiftInput{540, 1080, 720, 780}
	f.must(f.plan(f.near, 11, "2026-11-20", day))
	f.must(f.plan(f.near, 11, "2026-11-21", day))
	f.must(f.plan(f.near, 12, "2026-11-20", day))
	f.must(f.plan(f.near, 12, "2026-11-22", day))
	f.must(f.plan(f.near, 12, "2026-11-27", ShiftInput{600, 660, 0, 0})) // next week's Friday is planned already
	f.must(f.plan(f.away, 11, "2026-11-27", ShiftInput{1380, 1440, 0, 0}))
	got, err := f.s.CopyWeek(f.ctx(), f.near.ID, "2026-11-23")
	if err != nil || got != (Copied{2, 1}) { // 11 is in New York on what is Saturday in Shanghai
		t.Errorf("%+v %v", got, err)
	}
	if text := f.shifts(f.near, "2026-11-23", "2026-11-29"); text != "11-27 11 09:00–18:00, 11-27 12 10:00–11:00, 11-29 12 09:00–18:00" {
		t.Error(text)
	}
	if all, _ := f.s.Shifts(f.ctx(), f.near.ID, "2026-11-29", "2026-11-29"); all[0].BreakStarts != 720 || all[0].BreakEnds != 780 {
		t.Errorf("the break was lost: %+v", all)
	}
	if got, err = f.s.CopyWeek(f.ctx(), f.near.ID, "2026-11-23"); err != nil || got != (Copied{0, 1}) {
		t.Errorf("again: %+v %v", got, err)
	}
	// Into the week that runs, only into the days to come; people who left are not planned.
	f.clk.Set(time.Date(2026, 11, 27, 20, 0, 0, 0, time.UTC)) // Saturday morning in Shanghai
	f.must(f.plan(f.near, 12, "2026-11-29"))
	if got, err = f.s.CopyWeek(f.ctx(), f.near.ID, "2026-11-23"); err != nil || got != (Copied{1, 1}) {
		t.Errorf("%+v %v", got, err)
	}
	f.crew.all[1].Active = false
	f.clk.Advance(2 * time.Second)
	if got, err = f.s.CopyWeek(f.ctx(), f.near.ID, "2026-11-30"); err != nil || got != (Copied{1, 2}) {
		t.Errorf("%+v %v", got, err)
	}
	for _, week := range []string{"2026-12-01", "2026-11-16", "x", "2030-01-07"} {
		if _, err := f.s.CopyWeek(f.ctx(), f.near.ID, week); !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("%s: %v", week, err)
		}
	}
	if Monday(f.clk.Now(), "") != "2026-11-23" || monday("2026-11-29") != "2026-11-23" || monday("2026-11-30") != "2026-11-30" {
		t.Error(Monday(f.clk.Now(), ""))
	}
}

func TestConsole(t *testing.T) {
	f := open(t)
	asked := 0
	f.s.Watch(func(context.Context, int64) (int, error) { asked++; return 3, nil })
	c := apitest.New(t, f.s.Routes)
	boss := c.As(apitest.Staff(perm.RosterRead, perm.RosterWrite))
	limited := apitest.Staff(perm.RosterRead, perm.RosterWrite)
	limited.AllStores, limited.Stores = false, []int64{f.away.ID}
	local := c.As(limited)
	at := func(path string, store shop.Store) string {
		return fmt.Sprintf("/api/console%s?storeId=%d", path, store.ID)
	}
	var people httpapi.Page[Technician]
	boss.OK(http.MethodGet, at("/technicians", f.near)+"&limit=2", nil, &people)
	if len(people.Items) != 2 || people.Next != "12" {
		t.Errorf("%+v", people)
	}
	local.Fault(fault.ErrStore, http.MethodGet, at("/technicians", f.near), nil)
	boss.Fault(fault.ErrNotFound, http.MethodGet, "/api/console/technicians?storeId=4242", nil)
	var saved TechnicianSaved
	boss.OK(http.MethodPut, "/api/console/technicians/13", TechnicianInput{Bookable: true, Skills: []Skill{{SkillDriver, 5}}}, &saved)
	if !saved.Bookable || saved.Name != "郑会计" || saved.Affected != 3 {
		t.Errorf("%+v", saved)
	}
	local.Fault(fault.ErrNotFound, http.MethodPut, "/api/console/technicians/12", TechnicianInput{Skills: []Skill{}})
	var p Planned
	in := PlanInput{f.near.ID, 12, "2026-11-19", []ShiftInput{{Starts: 540, Ends: 1080}}}
	boss.OK(http.MethodPut, "/api/console/shifts", in, &p)
	if len(p.Items) != 1 || p.Affected != 3 || asked != 2 {
		t.Errorf("%+v %d", p, asked)
	}
	local.Fault(fault.ErrStore, http.MethodPut, "/api/console/shifts", in)
	local.Fault(fault.ErrStore, http.MethodPost, "/api/console/shifts/copy", CopyInput{f.near.ID, "2026-11-23"})
	var copied Copied
	boss.OK(http.MethodPost, "/api/console/shifts/copy", CopyInput{f.near.ID, "2026-11-23"}, &copied)
	var list httpapi.Page[Shift]
	boss.OK(http.MethodGet, at("/shifts", f.near)+"&from=2026-11-16&to=2026-11-30&limit=1", nil, &list)
	after := list.Next
	list = httpapi.Page[Shift]{}
	boss.OK(http.MethodGet, at("/shifts", f.near)+"&from=2026-11-16&to=2026-11-30&limit=1&after="+after, nil, &list)
	if copied.Copied != 1 || len(list.Items) != 1 || list.Items[0].Day != "2026-11-26" || list.Next != "" {
		t.Errorf("%+v %+v", copied, list)
	}
	boss.Fault(fault.ErrInvalid, http.MethodGet, at("/shifts", f.near)+"&from=2026-11-16&to=2027-11-16", nil)
	c.As(apitest.Staff(perm.RosterRead)).Fault(fault.ErrForbidden, http.MethodPut, "/api/console/shifts", in)
}
