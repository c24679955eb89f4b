package model

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/wallet"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// What members bring and take back.

func (h *history) joins(r *rand.Rand) {
	p := h.register()
	if r.IntN(4) == 0 { // somebody's phone again
		_, err := h.Members.Register(h.staff(), p.form)
		h.answers("member.phone_taken", err)
	}
}

// register makes a member with a car and a WeChat.
func (h *history) register() *person {
	p := &person{plate: fmt.Sprintf("浙A%05d", h.n.Add(1)%100000)}
	p.form = member.NewMember{StoreID: h.store, Phone: fmt.Sprintf("137%08d", h.n.Add(1)), Name: "会员", Vehicle: &member.VehicleInput{Plate: p.plate, VehicleClassID: h.catalog.car}}
	j, err := h.Members.Register(h.staff(), p.form)
	h.need(err)
	p.id = j.MemberID
	var who wxsandbox.Persona
	p.identity, who, err = h.identity(p.id)
	h.need(err)
	p.persona = who.ID
	h.people = append(h.people, p)
	return p
}

const cardCap, leastTopup, mostTopup = 500000, 1000, 500000

// wants draws how much somebody tops up, and says which fault the model expects.
func (h *history) wants(r *rand.Rand, p *person) (a wallet.Ask, fault string) {
	a = wallet.Ask{MemberID: p.id, StoreID: h.store}
	switch n := r.IntN(10); {
	case n < 5:
		a.PlanID, a.AmountFen = h.catalog.plan, planFen
	case n < 6:
		a.PlanID, a.AmountFen = h.catalog.plan, planFen+1
		return a, "wallet.plan_changed"
	case n < 9:
		a.AmountFen = fenOf(leastTopup + r.Int64N(60000))
	default:
		a.AmountFen = fenOf([]int64{leastTopup - 1, leastTopup, mostTopup, mostTopup + 1}[r.IntN(4)])
	}
	if a.PlanID == 0 && (a.AmountFen < leastTopup || a.AmountFen > mostTopup) {
		return a, "wallet.topup_amount"
	}
	if int64(a.AmountFen) > p.room(cardCap, h.clk.Now()) {
		return a, "wallet.card_cap"
	}
	return a, ""
}

// begun notes a top-up that was begun.
func (h *history) begun(p *person, a wallet.Ask, t wallet.Topup) *topup {
	x := &topup{id: t.ID, by: p, fen: int64(a.AmountFen), method: a.Method, state: "pending", begun: h.clk.Now()}
	if a.PlanID != 0 {
		x.bonus = planBonus
	}
	p.topups, h.topups = append(p.topups, x), append(h.topups, x)
	return x
}

// credits books a top-up that was paid.
func (h *history) credits(t *topup) {
	t.state = "credited"
	t.by.receives(t, false, t.fen)
	t.by.receives(t, true, t.bonus)
	h.books[till(t.method)] -= t.fen
	h.books["bonus_granted"] -= t.bonus
}

// till is the account that a way of paying fills.
func till(method string) string {
	switch method {
	case "wechat", "wechat_native":
		return "wechat"
	}
	return method
}

func (h *history) topsUpAtTheDesk(r *rand.Rand) {
	p, _ := one(r, h.people)
	a, want := h.wants(r, p)
	a.Method, _ = one(r, []string{wallet.MethodCash, wallet.MethodCard, wallet.MethodAlipay, wallet.MethodWeChatNative})
	a.Reference = "123456"
	h.say("  member %d tops up %s by %s", p.id, a.AmountFen, a.Method)
	ctx := h.staff()
	t, _, err := h.Wallet.Desk(ctx, a)
	if !h.answers(want, err) {
		return
	}
	x := h.begun(p, a, t)
	if a.Method == wallet.MethodWeChatNative {
		h.awaits(x, t.PaymentID, "")
	} else {
		h.credits(x)
	}
	h.remember(ctx, t.ID, func(ctx context.Context) (int64, error) {
		if x.pay != nil {
			return t.ID, nil // it would ask WeChat for the code again, which may be too late
		}
		t, _, err := h.Wallet.Desk(ctx, a)
		return t.ID, err
	})
}

func (h *history) topsUpByWeChat(r *rand.Rand) {
	p, _ := one(r, h.people)
	a, want := h.wants(r, p)
	a.Method, a.StoreID = wallet.MethodWeChat, 0
	h.say("  member %d wants to top up %s in the app", p.id, a.AmountFen)
	t, _, err := h.Wallet.Begin(h.owner(p.id, p.identity), a.PlanID, a.AmountFen)
	if h.answers(want, err) {
		h.awaits(h.begun(p, a, t), t.PaymentID, p.persona)
	}
}

// awaits notes that a top-up waits for WeChat, which has heard of it.
func (h *history) awaits(t *topup, paymentID int64, persona string) {
	t.pay = h.expects(paymentID, t.fen, persona)
	t.pay.known = true
	t.pay.succeeded = func() { h.credits(t) }
	t.pay.ended = func() { t.state = "closed" }
}

// expects notes a payment by WeChat.
func (h *history) expects(id, fen int64, persona string) *payment {
	got, err := h.Payments.Get(h.t.Context(), h.DB, id)
	h.need(err)
	if int64(got.AmountFen) != fen {
		h.fail("asks for %s, the model for %d", got.AmountFen, fen)
	}
	p := &payment{id: id, no: got.OutTradeNo, fen: fen, due: got.ExpiresAt, persona: persona, state: "live"}
	h.payments = append(h.payments, p)
	return p
}

// paysAtWeChat pays on the phone. Nobody is told.
func (h *history) paysAtWeChat(r *rand.Rand) {
	p, ok := one(r, only(h.payments, func(p *payment) bool { return !p.paid && p.known }))
	if ok {
		h.pays(p)
	}
}

func (h *history) pays(p *payment) {
	who := p.persona
	if who == "" {
		who = h.payer.ID
	}
	_, err := h.wx.Pay(wxsandbox.PayRequest{OutTradeNo: p.no, PersonaID: who, Outcome: wxsandbox.OutcomePayLoseNotice})
	h.say("  pays %s: %v", p.no, err)
	if possible := p.state == "live" && h.clk.Now().Before(p.due); possible != (err == nil) {
		h.fail("paying at WeChat: %v, the model says that it may be paid: %v", err, possible)
	}
	p.paid = err == nil
}

// weChatTells sends the notifications of some payments in any order, some of them several times.
func (h *history) weChatTells(r *rand.Rand) {
	all := only(h.payments, func(p *payment) bool { return p.paid })
	for range min(len(all), 1+r.IntN(3)) {
		p, _ := one(r, all)
		for range 1 + r.IntN(2) {
			h.say("  tells of %s", p.no)
			_, err := h.wx.Resend(p.no)
			h.need(err)
			p.settle()
		}
	}
}

// asksWeChat looks at a payment now, as an app that polls.
func (h *history) asksWeChat(r *rand.Rand) {
	p, ok := one(r, h.payments)
	if !ok {
		return
	}
	h.say("  asks about %s", p.no)
	_, err := h.Payments.Check(h.t.Context(), p.id)
	h.need(err)
	if p.paid {
		p.settle()
	}
}

// givesUp cancels a top-up that waits to be paid.
func (h *history) givesUp(r *rand.Rand) {
	t, ok := one(r, only(h.topups, func(t *topup) bool { return t.pay != nil }))
	if !ok {
		return
	}
	h.say("  gives top-up %d up", t.id)
	_, err := h.Wallet.Cancel(h.owner(t.by.id, t.by.identity), t.by.id, t.id)
	h.need(err)
	if t.pay.paid { // too late: the money counts
		t.pay.settle()
	}
	t.pay.close()
}

func (h *history) refundsTopUp(r *rand.Rand) {
	p, _ := likely(r, h.people, func(p *person) bool { return p.available() > 0 })
	_, most := p.refundPlan(0, h.clk.Now())
	fen := []int64{0, most, most + 1, r.Int64N(most + 1), r.Int64N(most + 1)}[r.IntN(5)]
	h.say("  member %d wants %d of %d back", p.id, fen, most)
	shown, err := h.Wallet.PlanFor(h.t.Context(), p.id, fenOf(fen))
	h.need(err)
	parts, most := p.refundPlan(fen, h.clk.Now())
	if int64(shown.RefundableFen) != most {
		h.fail("%s may go back, the model says %d", shown.RefundableFen, most)
	}
	if fen == 0 {
		fen = most
	}
	want := ""
	if fen == 0 || fen > most {
		want = "wallet.refund_exceeds"
	}
	if r.IntN(8) == 0 && want == "" { // what was shown is another plan
		shown.PlanHash = "x"
		want = "wallet.refund_plan_changed"
	}
	ctx := h.staff()
	command := func(ctx context.Context) (int64, error) {
		got, err := h.Wallet.Refund(ctx, p.id, h.store, fenOf(fen), "会员申请退款", shown.PlanHash)
		return got.ID, err
	}
	id, err := command(ctx)
	if !h.answers(want, err) {
		return
	}
	h.remember(ctx, id, command)
	got, err := h.Wallet.RefundByID(h.t.Context(), id)
	h.need(err)
	if len(got.Parts) != len(parts) {
		h.fail("goes back in %d parts, the model says %d", len(got.Parts), len(parts))
	}
	for _, s := range parts {
		for _, x := range got.Parts {
			if x.TopupID == s.of.id && (int64(x.AmountFen) != s.principal || int64(x.BonusBackFen) != s.bonus) {
				h.fail("top-up %d gives %s and %s of bonus back, the model says %d and %d", x.TopupID, x.AmountFen, x.BonusBackFen, s.principal, s.bonus)
			}
		}
		h.books[till(s.of.method)] += s.principal
		h.books["bonus_granted"] += s.bonus
		if !s.of.byHand(h.clk.Now()) {
			s.of.pay.back += s.principal
		}
	}
	giveBack(parts)
}
