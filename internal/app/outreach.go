package app

import (
	"context"

	"github.com/liangche/liangche/internal/config"
	"github.com/liangche/liangche/internal/notify"
	"github.com/liangche/liangche/internal/outreach"
	"github.com/liangche/liangche/internal/rain"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/sms"
)

// campaigns lets the messages ask for the texts to many: the outreach stands on the messages, so it is built after them.
type campaigns struct{ a *App }

func (c campaigns) Campaign(ctx context.Context, id, memberID int64) (notify.Campaign, error) {
	return c.a.Outreach.Campaign(ctx, id, memberID)
}

func (c campaigns) Broken(ctx context.Context, id int64, why string) error {
	return c.a.Outreach.Broken(ctx, id, why)
}

// buildOutreach builds what turns to members by itself. No weather provider is connected: days of rain are marked by hand.
func (a *App) buildOutreach(c config.Config) {
	a.Outreach = outreach.New(outreach.Deps{DB: a.DB, Log: a.log, Queue: a.Queue, Members: a.Members, Shops: a.Shops, Coupons: a.Coupons, Points: a.Points, Messages: a.Messages,
		People: people{a.DB}, History: history{a.DB}, Texts: c.SMS.Provider != sms.None,
		ShopName: func(ctx context.Context) (string, error) { return a.Settings.Text(ctx, setting.ShopName) }})
	a.Rain = rain.New(rain.Deps{DB: a.DB, Log: a.log, Queue: a.Queue, Members: a.Members, Catalog: a.Catalog, Shops: a.Shops, Coupons: a.Coupons, Passes: a.Passes, Messages: a.Messages,
		Washes: washes{a.DB}, Bookings: a.Bookings})
	a.Outreach.Jobs(a.Queue)
	a.Rain.Jobs(a.Queue)
}
