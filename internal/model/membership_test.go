package model

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/liangche/liangche/internal/sale"
	"github.com/liangche/liangche/internal/tier"
)

// Paid memberships: a tier for some months, earned as they pass.

const memberPrice, memberMonths = 6001, 2

// membership is one that was bought.
type membership struct {
	id           int64
	by           *person
	sale         *bought
	state        string // "" before it is paid, active, ended, refunded
	starts, ends time.Time
	earned       int64
}

// monthsOn is the end of the day that is so many months later, or of that month's last day; what begins at midnight follows the day before.
func monthsOn(start time.Time, months int) time.Time {
	day := start.Add(-time.Millisecond).In(time.FixedZone("", 8*3600))
	first := time.Date(day.Year(), day.Month()+time.Month(months), 1, 0, 0, 0, 0, day.Location())
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(day.Day(), last))
}

// placed is the tier of a member as whoever looks at it now decides.
func (h *history) placed(p *person) {
	now := h.clk.Now()
	p.silver = h.spentFen(p) >= silverAt
	for _, m := range h.memberships {
		p.silver = p.silver || m.by == p && m.state == tier.MembershipActive && !now.Before(m.starts) && now.Before(m.ends)
	}
}

func (h *history) buysAMembership(r *rand.Rand) {
	p, _ := one(r, h.people)
	method, _ := one(r, []string{sale.MethodCash, sale.MethodBalance, sale.MethodBalance, sale.MethodWeChatNative})
	want := ""
	if method == sale.MethodBalance && p.available() < memberPrice {
		want = "wallet.insufficient_balance"
	}
	h.say("  member %d buys a membership by %s", p.id, method)
	ctx := h.staff()
	command := func(ctx context.Context) (int64, error) {
		x, _, err := h.Sales.Begin(ctx, sale.Buy{Kind: tier.SaleKind, SubjectID: h.catalog.member, MemberID: p.id, StoreID: h.store}, sale.Pay{Method: method})
		return x.ID, err
	}
	id, err := command(ctx)
	if !h.answers(want, err) {
		return
	}
	x, err := h.Sales.Sale(h.t.Context(), p.id, id)
	h.need(err)
	m := &membership{by: p, sale: &bought{id: id, by: p, fen: memberPrice, method: method}}
	h.memberships = append(h.memberships, m)
	h.sells(m.sale, x.PaymentID, "memberships", func() {
		m.starts = h.clk.Now()
		for _, o := range h.memberships { // it follows the one that runs
			if o.by == p && o.state == tier.MembershipActive && o.ends.After(m.starts) {
				m.starts = o.ends
			}
		}
		m.state, m.ends = tier.MembershipActive, monthsOn(m.starts, memberMonths)
		h.placed(p)
	}, func() {})
	if m.sale.pay == nil {
		h.remember(ctx, id, command)
	}
}

// refund is what goes back of a membership: the days that have not begun, and nothing that was earned.
func (m *membership) refund(now time.Time) int64 {
	const day = 24 * time.Hour
	if m.state != tier.MembershipActive || !now.Before(m.ends) {
		return 0
	}
	all := int64(m.ends.Sub(m.starts) / day)
	left := min(int64(m.ends.Sub(now)/day), all)
	return min(memberPrice*left/all, memberPrice-m.earned)
}

func (h *history) returnsAMembership(r *rand.Rand) {
	m, ok := likely(r, only(h.memberships, func(m *membership) bool { return m.state != "" }), func(m *membership) bool { return m.state == tier.MembershipActive })
	if !ok {
		return
	}
	fen, fault := m.refund(h.clk.Now()), ""
	if fen == 0 {
		fault = "tier.membership_ended"
	}
	if m.id == 0 {
		list, err := h.Tiers.Memberships(h.t.Context(), m.by.id)
		h.need(err)
		for _, x := range list {
			if x.SaleID == m.sale.id {
				m.id = x.ID
			}
		}
	}
	h.say("  the membership of sale %d goes back: %d", m.sale.id, fen)
	ctx := h.staff()
	command := func(ctx context.Context) (int64, error) {
		got, err := h.Tiers.RefundMembership(ctx, m.id, "顾客要求退会员")
		return int64(got), err
	}
	got, err := command(ctx)
	if !h.answers(fault, err) {
		return
	}
	if got != fen {
		h.fail("%d goes back, the model says %d", got, fen)
	}
	h.remember(ctx, fen, command)
	h.earns(m, memberPrice-fen) // what does not go back
	h.returns(m.sale, fen, "memberships")
	m.state, m.ends = tier.MembershipRefunded, h.clk.Now()
	h.placed(m.by)
}

// earns books what the shop has earned of a membership in all.
func (h *history) earns(m *membership, fen int64) {
	h.books["memberships"] -= fen - m.earned
	h.books["revenue"] += fen - m.earned
	m.earned = fen
}

// advances is what the job does with the months that are over.
func (h *history) advances() {
	for _, m := range h.memberships {
		if m.state != tier.MembershipActive {
			continue
		}
		over := 0
		for over < memberMonths && !h.clk.Now().Before(monthsOn(m.starts, over+1)) {
			over++
		}
		h.earns(m, memberPrice*int64(over)/memberMonths)
		if over == memberMonths {
			m.state = tier.MembershipEnded
		}
	}
}
