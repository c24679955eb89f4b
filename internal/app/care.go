package app

import (
	"context"

	"github.com/liangche/liangche/internal/bizday"
	"github.com/liangche/liangche/internal/booking"
	"github.com/liangche/liangche/internal/campaign"
	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/remind"
)

// carVisits tells the reminders when cars were washed, and who comes anyway.
type carVisits struct {
	till     *checkout.Service
	bookings *booking.Service
}

func (v carVisits) Washes(ctx context.Context, members, services []int64, since string) ([]remind.Wash, error) {
	rows, err := v.till.Served(ctx, members, services, since)
	out := make([]remind.Wash, 0, len(rows))
	for _, x := range rows {
		out = append(out, remind.Wash{MemberID: x.MemberID, Plate: x.Plate, Day: x.BizDay, Store: x.Store})
	}
	return out, err
}

func (v carVisits) Booked(ctx context.Context, members []int64) (map[int64]bool, error) {
	return v.bookings.Booked(ctx, members)
}

// birthdayGifts names what members were given for the birthday that is on a day: gifts may come up to a month ahead.
func birthdayGifts(gifts *campaign.Service) func(context.Context, []int64, string) (map[int64]string, error) {
	return func(ctx context.Context, members []int64, day string) (map[int64]string, error) {
		from, _, err := bizday.Bounds(bizday.Add(day, -31), bizday.DefaultZone)
		if err != nil {
			return nil, err
		}
		return gifts.BirthdayGifts(ctx, members, from)
	}
}
