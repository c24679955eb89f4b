package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/shop"
)

// demoBays are the bays of the two stores: what they are called, their kind, and whether they are kept for priority members.
var demoBays = [][]struct {
	name, kind string
	priority   bool
}{
	{{"1 号洗车位", shop.BayWash, false}, {"2 号洗车位", shop.BayWash, false}, {"3 号洗车位", shop.BayWash, true}, {"1 号美容位", shop.BayDetail, false}, {"2 号美容位", shop.BayDetail, false}, {"贴膜位", shop.BayFilm, false},
		{"举升位", shop.BayLift, false}, {"上门车", shop.BayVan, false}},
	{{"1 号洗车位", shop.BayWash, false}, {"2 号洗车位", shop.BayWash, false}, {"美容位", shop.BayDetail, false}},
}

// demoHours are the stores' hours on every day, as the addresses say them.
var demoHours = []shop.MinuteSpan{{Opens: 8*60 + 30, Closes: 20 * 60}, {Opens: 0, Closes: 24 * 60}}

// demoTechnicians are who does the work, by name: where, what, when, and the day of the week that is free.
var demoTechnicians = map[string]struct {
	store  int
	skills []roster.Skill
	shift  roster.ShiftInput
	free   time.Weekday
}{
	"吴技师": {0, []roster.Skill{{Skill: roster.SkillWash, Level: 4}, {Skill: roster.SkillDetail, Level: 4}, {Skill: roster.SkillFilm, Level: 3}}, at("08:30", "17:30", "12:00", "13:00"), time.Sunday},
	"王海":  {0, []roster.Skill{{Skill: roster.SkillWash, Level: 3}, {Skill: roster.SkillDriver, Level: 2}}, at("09:00", "18:00", "13:00", "14:00"), time.Monday},
	"赵春生": {0, []roster.Skill{{Skill: roster.SkillWash, Level: 2}, {Skill: roster.SkillDetail, Level: 5}, {Skill: roster.SkillFilm, Level: 5}}, at("09:00", "18:30", "12:30", "13:30"), time.Tuesday},
	"刘铁军": {0, []roster.Skill{{Skill: roster.SkillRepair, Level: 4}, {Skill: roster.SkillInspect, Level: 3}, {Skill: roster.SkillRescue, Level: 3}, {Skill: roster.SkillDriver, Level: 3}},
		at("08:30", "19:00", "12:00", "13:00"), time.Wednesday},
	"何小满": {0, []roster.Skill{{Skill: roster.SkillWash, Level: 2}}, at("11:00", "20:00", "14:00", "15:00"), time.Thursday},
	"周福":  {1, []roster.Skill{{Skill: roster.SkillWash, Level: 4}, {Skill: roster.SkillDetail, Level: 3}, {Skill: roster.SkillInspect, Level: 2}}, at("08:00", "17:00", "12:00", "13:00"), time.Monday},
	"孟凡":  {1, []roster.Skill{{Skill: roster.SkillWash, Level: 3}, {Skill: roster.SkillDetail, Level: 2}, {Skill: roster.SkillRescue, Level: 2}}, at("13:00", "22:00", "17:30", "18:30"), time.Thursday},
	"冯远":  {1, []roster.Skill{{Skill: roster.SkillWash, Level: 2}, {Skill: roster.SkillRescue, Level: 3}}, at("22:00", "30:00", "26:00", "26:30"), time.Saturday}, // through the night
}

// at reads a shift from the wall clock's times.
func at(starts, ends, breakStarts, breakEnds string) roster.ShiftInput {
	minute := func(s string) int {
		var h, m int
		_, _ = fmt.Sscanf(s, "%d:%d", &h, &m)
		return h*60 + m
	}
	return roster.ShiftInput{Starts: minute(starts), Ends: minute(ends), BreakStarts: minute(breakStarts), BreakEnds: minute(breakEnds)}
}

// rosterAhead is how many days are planned from today on when a demo begins, and restAhead how many at least when it goes on.
const rosterAhead, restAhead = 21, 14

// layOut gives the stores their hours, bays and calendar, and the technicians their skills.
func (s *seeder) layOut(ctx context.Context) error {
	for i, st := range s.stores {
		var week []shop.WeekSpan
		for w := range 7 {
			week = append(week, shop.WeekSpan{Weekday: w, Opens: demoHours[i].Opens, Closes: demoHours[i].Closes})
		}
		if _, err := s.Shops.SetHours(ctx, st.ID, week); err != nil {
			return fmt.Errorf("hours of %s: %w", st.Name, err)
		}
		for k, b := range demoBays[i] {
			if _, err := s.Shops.CreateBay(ctx, shop.BayInput{StoreID: st.ID, Name: b.name, Kind: b.kind, Priority: b.priority, Sort: k}); err != nil {
				return fmt.Errorf("bay %s: %w", b.name, err)
			}
		}
	}
	for _, year := range []int{2026, 2027} {
		if _, err := s.Shops.ImportDays(ctx, shop.ImportInput{Year: year}); err != nil {
			return fmt.Errorf("holidays of %d: %w", year, err)
		}
	}
	people, err := s.Staff.People(ctx)
	if err != nil {
		return err
	}
	for _, p := range people {
		t, ok := demoTechnicians[p.Name]
		if !ok {
			continue
		}
		if _, _, err := s.Roster.SetTechnician(ctx, p.ID, roster.TechnicianInput{Bookable: true, Skills: t.skills}); err != nil {
			return fmt.Errorf("technician %s: %w", p.Name, err)
		}
	}
	return nil
}

// planAhead plans the shifts that are missing until three weeks after today: two weeks by hand, the others like the one before.
func (s *seeder) planAhead(ctx context.Context, today time.Time) error {
	day := today.Format(time.DateOnly)
	last := bizday.Add(day, rosterAhead)
	if s.planned == "" {
		first := roster.Monday(today, bizday.DefaultZone)
		s.planned = bizday.Add(first, 13)
		for d := day; d <= s.planned; d = bizday.Add(d, 1) {
			if err := s.planByHand(ctx, d); err != nil {
				return err
			}
		}
	}
	for s.planned < last {
		for _, st := range s.stores {
			if _, err := s.Roster.CopyWeek(ctx, st.ID, bizday.Add(s.planned, 1)); err != nil {
				return err
			}
		}
		s.planned = bizday.Add(s.planned, 7)
	}
	return nil
}

func (s *seeder) planByHand(ctx context.Context, day string) error {
	people, err := s.Roster.Technicians(ctx, 0)
	if err != nil {
		return err
	}
	for _, p := range people {
		t := demoTechnicians[p.Name]
		if bizday.Weekday(day) == t.free {
			continue
		}
		if err := s.Roster.PlanDay(ctx, s.stores[t.store].ID, p.StaffID, day, []roster.ShiftInput{t.shift}); err != nil {
			return fmt.Errorf("shift of %s on %s: %w", p.Name, day, err)
		}
	}
	return nil
}

// continueRoster plans on where a demo's roster ended, so that there are always two weeks in which something can be booked: each
// day like the same day of the last week that was planned, however long the folder lay still.
func (d *Demo) continueRoster(ctx context.Context) error {
	ctx = actor.With(ctx, actor.Job("演示数据"))
	stores, err := d.Shops.Stores(ctx)
	if err != nil {
		return err
	}
	for _, st := range stores {
		today := st.BizDay(d.DB.Now())
		week, err := d.lastWeek(ctx, st, today)
		if err != nil {
			return err
		}
		if len(week) == 0 {
			continue // nobody plans shifts here
		}
		for day := max(today, bizday.Add(week[len(week)-1].Day, 1)); day <= bizday.Add(today, restAhead); day = bizday.Add(day, 1) {
			if err := d.planLike(ctx, st, day, week); err != nil {
				return err
			}
		}
	}
	return nil
}

// lastWeek is the shifts of the last seven days that were planned in a store, by day.
func (d *Demo) lastWeek(ctx context.Context, st shop.Store, today string) ([]roster.Shift, error) {
	for end := bizday.Add(today, 90); end > bizday.Add(today, -730); end = bizday.Add(end, -90) {
		all, err := d.Roster.Shifts(ctx, st.ID, bizday.Add(end, -90), end)
		if err != nil {
			return nil, err
		}
		if len(all) == 0 {
			continue
		}
		last := all[len(all)-1].Day
		return d.Roster.Shifts(ctx, st.ID, bizday.Add(last, -6), last)
	}
	return nil, nil
}

// planLike plans a day like the same day of a week. Who left, or works elsewhere then, is not planned.
func (d *Demo) planLike(ctx context.Context, st shop.Store, day string, week []roster.Shift) error {
	spans := map[int64][]roster.ShiftInput{}
	var people []int64
	for _, x := range week {
		if bizday.Weekday(x.Day) == bizday.Weekday(day) {
			spans[x.StaffID] = append(spans[x.StaffID], roster.ShiftInput{Starts: x.Starts, Ends: x.Ends, BreakStarts: x.BreakStarts, BreakEnds: x.BreakEnds})
			people = append(people, x.StaffID)
		}
	}
	for _, id := range slices.Compact(people) {
		err := d.Roster.PlanDay(ctx, st.ID, id, day, spans[id])
		if err != nil && !errors.Is(err, roster.ErrOverlap) && !errors.Is(err, roster.ErrNotHere) {
			return err
		}
	}
	return nil
}
