package app

import (
	"context"
	"fmt"
	"io"

	"github.com/liangche/liangche/internal/ledger"
)

// Audit recomputes everything that the database claims about money and writes each difference as one line to out, progress to
// progress. It returns how many differences there are. It changes nothing.
func (a *App) Audit(ctx context.Context, out, progress io.Writer) (problems int, err error) {
	report := func(p string) {
		problems++
		fmt.Fprintln(out, "✗ "+p)
	}
	steps := []struct {
		name string
		run  func() error
	}{
		{"journal, balances, lots, holds", func() error {
			return ledger.Audit(ctx, a.DB, report, func(n int) { fmt.Fprintf(progress, "\r  %d accounts and postings recomputed", n) })
		}},
		{"top-ups and refunds", func() error { return a.Wallet.Audit(ctx, report) }},
		{"sales and what of them went back", func() error { return a.Sales.Audit(ctx, report) }},
		{"tiers, rights, memberships", func() error { return a.Tiers.Audit(ctx, report) }},
		{"points earned, given and taken", func() error { return a.Points.Audit(ctx, report) }},
		{"coupons, holds, claims", func() error { return a.Coupons.Audit(ctx, report) }},
		{"passes, their lines, uses and payments", func() error { return a.Passes.Audit(ctx, report) }},
		{"orders, lines, tenders", func() error { return a.Checkout.Audit(ctx, report) }},
		{"payments, refunds at WeChat", func() error { return a.Payments.Audit(ctx, report) }},
		{"time of bays and technicians", func() error { return a.Slots.Audit(ctx, report) }},
		{"bookings and their time", func() error { return a.Bookings.Audit(ctx, report) }},
		{"family and company accounts", func() error { return a.Groups.Audit(ctx, report) }},
		{"gifts and codes", func() error { return a.Gifts.Audit(ctx, report) }},
		{"the mall's stock and orders", func() error { return a.Mall.Audit(ctx, report) }},
		{"invitations", func() error { return a.Referral.Audit(ctx, report) }},
		{"members who were merged", func() error { return a.Merges.Audit(ctx, report) }},
		{"messages, calls, grants", func() error { return a.Messages.Audit(ctx, report) }},
		{"days of rain and what they brought", func() error { return a.Rain.Audit(ctx, report) }},
		{"every slice's view of the others", func() error { return a.auditJoins(ctx, report) }},
	}
	for i, s := range steps {
		fmt.Fprintf(progress, "[%d/%d] %s\n", i+1, len(steps), s.name)
		if err := s.run(); err != nil {
			return problems, fmt.Errorf("%s: %w", s.name, err)
		}
		if i == 0 {
			fmt.Fprintln(progress)
		}
	}
	return problems, nil
}

// auditJoins compares what slices say of each other: only here may one statement read several slices' tables.
func (a *App) auditJoins(ctx context.Context, report func(string)) error {
	for _, c := range joins {
		var ids []int64
		if err := a.DB.Select(ctx, &ids, c.query); err != nil {
			return err
		}
		for _, id := range ids {
			report(fmt.Sprintf(c.say, id))
		}
	}
	return nil
}
