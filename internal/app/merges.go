package app

import "github.com/liangche/liangche/internal/merge"

// merges hands over what each slice does when two members are merged, in the order in which rows are locked: bookings before members, then what members
// hold, then what follows from the ledger.
func (a *App) merges() *merge.Service {
	return merge.New(merge.Deps{DB: a.DB, Log: a.log, Members: a.Members, Messages: a.Messages, Settings: a.Settings, Orders: a.Checkout.OrdersOf, Before: 1, Parts: []merge.Part{
		{Look: a.Bookings.MergeLook, Move: a.Bookings.MergeTx},
		{Look: a.Members.MergeLook, Move: a.Members.MergeTx},
		{Move: a.Reminders.MergeTx}, // after the cars
		{Look: a.Coupons.MergeLook, Move: a.Coupons.MergeTx},
		{Look: a.Passes.MergeLook, Move: a.Passes.MergeTx},
		{Look: a.Wallet.MergeLook},
		{Look: a.Sales.MergeLook},
		{Look: a.Checkout.MergeLook, Move: a.Checkout.MergeTx},
		{Look: a.Mall.MergeLook, Move: a.Mall.MergeTx},
		{Look: a.Groups.MergeLook, Move: a.Groups.MergeTx},
		{Look: a.Tiers.MergeLook, Move: a.Tiers.MergeTx, Late: true},
		{Move: a.Points.MergeTx, Late: true},
		{Move: a.Referral.MergeTx, Late: true},
		{Move: a.Outreach.MergeTx, Late: true},
		{Move: a.Messages.MergeTx, Late: true},
	}})
}
