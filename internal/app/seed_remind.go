package app

import (
	"context"
	"fmt"
	"time"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/remind"
)

// tellOfCars is what the demo's owners told of their cars: some of it is due soon, some has passed, and of some cars nothing is known.
func (s *seeder) tellOfCars(ctx context.Context, until time.Time) error {
	today := bizday.Of(until, bizday.DefaultZone)
	back := func(years, months, days int) string {
		t, _ := time.Parse(time.DateOnly, today)
		return t.AddDate(-years, -months, -days).Format(time.DateOnly)
	}
	for i, p := range s.people {
		if i%5 == 4 || p.id == 0 {
			continue
		}
		cars, err := s.Members.Vehicles(ctx, p.id)
		if err != nil {
			return err
		}
		if len(cars) == 0 {
			continue
		}
		km := int64(8000 + 4100*i%90000)
		in := remind.Input{Kind: remind.Private, RegisteredOn: back(1+i%9, 11+i%2-i%12, 3*i%28), Km: km + 9000, ServicedOn: back(0, 5, 40*i%90), ServicedKm: km, InsuredTo: bizday.Add(today, 3+29*i%340)}
		if i%7 == 3 {
			in.EveryKm, in.EveryMonths = 7500, 6
		}
		who := s.as(ctx, p.owner)
		if p.owner.ID == 0 {
			who = s.as(ctx, s.desks[p.home])
		}
		if _, err := s.Reminders.Tell(who, p.id, cars[0].ID, in); err != nil {
			return fmt.Errorf("what member %d told of the car: %w", i, err)
		}
	}
	return nil
}
