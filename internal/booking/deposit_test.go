package booking

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/ledger"
	"github.com/liangche/liangche/internal/money"
	"github.com/liangche/liangche/internal/payment"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/wxsandbox"
)

// kept is what the shop owes for deposits, from the journal.
func (r *rig) kept() int64 {
	return r.count(`SELECT COALESCE(SUM(amount), 0) FROM ledger_entries WHERE account = ?`, ledger.Deposits)
}

func (r *rig) revenue() int64 {
	return r.count(`SELECT COALESCE(SUM(amount), 0) FROM ledger_entries WHERE account = ?`, ledger.Revenue)
}

func TestDepositPaidConfirms(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner().onWeChat()
	b := o.paid(r.at(3, 10, 0))
	if r.kept() != 5000 || b.PaidPostingID == 0 || !b.FreeCancelUntil.Equal(r.at(2, 10, 0)) || !b.HoldExpiresAt.IsZero() {
		t.Fatalf("kept %d, %+v", r.kept(), b)
	}
	v, err := r.one(o.ctx(), b, nil)
	must(t, err)
	if !v.Cancel.Allowed || v.Cancel.RefundFen != 5000 || v.FreeCancelUntil == nil {
		t.Errorf("terms %+v", v.Cancel)
	}
	if n := r.count(`SELECT COUNT(*) FROM notify_messages WHERE event = 'booking_confirmed'`); n != 1 {
		t.Errorf("%d confirmations", n)
	}
	if _, _, err := r.Pay(o.ctx(), b.ID); !errors.Is(err, ErrState) {
		t.Errorf("paying twice: %v", err)
	}
	r.sound()
}

// Cancelled in time the deposit goes back; the state follows WeChat.
func TestDepositCancelledInTime(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner().onWeChat()
	b := o.paid(r.at(3, 10, 0))
	b, err := r.Cancel(o.ctx(), b.ID, "有事", nil)
	must(t, err)
	if b.State != Cancelled || b.DepositState != DepositRefunding || b.DepositBackFen != 5000 || r.kept() != 0 || r.revenue() != 0 {
		t.Fatalf("cancelled: %s, %s, kept %d", b.State, b.DepositState, r.kept())
	}
	for range 10 {
		must(t, r.queue.Drain(t.Context()))
		r.clk.Advance(time.Minute)
		if _, err := r.Check(o.ctx(), o.id, b.ID); err != nil {
			t.Fatal(err)
		}
	}
	if b = r.get(b.ID); b.DepositState != DepositRefunded {
		t.Errorf("after WeChat gave it back: %s", b.DepositState)
	}
	if got := r.owner().slots(3, r.detail); len(got) == 0 {
		t.Error("the time is not free again")
	}
	r.sound()
}

// Cancelled late it is forfeited, when that was said before: the refund that was shown must still be true.
func TestDepositCancelledLate(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner().onWeChat()
	b := o.paid(r.at(3, 10, 0))
	shown := money.Fen(5000)
	r.clk.Set(r.at(2, 10, 0).Add(time.Second))
	_, err := r.Cancel(o.ctx(), b.ID, "", &shown)
	f := r.wantErr(err, ErrTerms)
	if terms, ok := f.Detail.(CancelTerms); !ok || terms.RefundFen != 0 {
		t.Errorf("detail %v", f.Detail)
	}
	r.wantState(b.ID, Confirmed)
	b, err = r.Cancel(o.ctx(), b.ID, "", nil)
	must(t, err)
	if b.DepositState != DepositForfeited || r.kept() != 0 || r.revenue() != 5000 {
		t.Errorf("%s, kept %d, revenue %d", b.DepositState, r.kept(), r.revenue())
	}
	r.sound()
}

func TestDepositLateButTheShopForgives(t *testing.T) {
	r := newRig(t, 1, 1)
	r.set(setting.BookingLateCancelForfeits, false)
	o := r.owner().onWeChat()
	b := o.paid(r.at(3, 10, 0))
	r.clk.Set(r.at(3, 9, 0))
	b, err := r.Cancel(o.ctx(), b.ID, "", nil)
	must(t, err)
	if b.DepositState != DepositRefunding {
		t.Errorf("deposit %s", b.DepositState)
	}
	r.sound()
}

// The shop's own cancellation gives back whatever the time, and the owner is told.
func TestDepositShopCancels(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner().onWeChat()
	b := o.paid(r.at(3, 10, 0))
	r.clk.Set(r.at(3, 9, 59))
	if _, err := r.ShopCancel(r.staff(), b.ID, " "); err == nil {
		t.Error("cancelled without a reason")
	}
	b, err := r.ShopCancel(r.staff(), b.ID, "设备故障")
	must(t, err)
	if b.DepositState != DepositRefunding || b.CancelledBy != "shop" {
		t.Errorf("deposit %s by %s", b.DepositState, b.CancelledBy)
	}
	if n := r.count(`SELECT COUNT(*) FROM notify_messages WHERE event = 'booking_cancelled'`); n != 1 {
		t.Errorf("%d messages", n)
	}
	r.sound()
}

func TestDepositNoShowForfeits(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner().onWeChat()
	b := o.paid(r.at(3, 10, 0))
	if _, err := r.MarkNoShow(r.staff(), b.ID); !errors.Is(err, ErrState) {
		t.Errorf("before its time: %v", err)
	}
	r.clk.Set(r.at(3, 10, 30))
	b, err := r.MarkNoShow(r.staff(), b.ID)
	must(t, err)
	if b.DepositState != DepositForfeited || r.revenue() != 5000 {
		t.Errorf("deposit %s, revenue %d", b.DepositState, r.revenue())
	}
	r.sound()
}

// N06: cancelled while the payment was under way. The order is closed at WeChat first; when it was paid a moment before, the rules of a paid one
// count and the money goes back.
func TestN06CancelMeetsPayment(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner().onWeChat()
	b, err := o.create(r.at(3, 10, 0), r.detail)
	must(t, err)
	o.payDeposit(b.ID) // and nobody tells us
	b, err = r.Cancel(o.ctx(), b.ID, "", nil)
	must(t, err)
	if b.State != Cancelled || b.DepositState != DepositRefunding || r.kept() != 0 {
		t.Fatalf("%s, %s, kept %d", b.State, b.DepositState, r.kept())
	}
	r.sound()

	b, err = o.create(r.at(3, 10, 0), r.detail)
	must(t, err)
	if _, _, err := r.Pay(o.ctx(), b.ID); err != nil {
		t.Fatal(err)
	}
	paymentID := r.get(b.ID).PaymentID
	b, err = r.Cancel(o.ctx(), b.ID, "", nil)
	must(t, err)
	if b.State != Cancelled || b.DepositState != DepositNone {
		t.Fatalf("unpaid: %s, %s", b.State, b.DepositState)
	}
	p, err := r.payments.Get(t.Context(), r.db, paymentID)
	must(t, err)
	if _, err := r.wx.Pay(wxsandbox.PayRequest{OutTradeNo: p.OutTradeNo, PersonaID: r.wx.Personas()[0].ID, Outcome: wxsandbox.OutcomePayLoseNotice}); err == nil {
		t.Error("a closed order could be paid")
	}
	r.sound()
}

// N06: a payment that comes after the hold ran out and somebody else took the time finds nobody who wants it, and goes back by itself.
func TestN06LatePaymentGoesBack(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner().onWeChat()
	b, err := o.create(r.at(3, 10, 0), r.detail)
	must(t, err)
	o.payDeposit(b.ID)
	r.clk.Advance(11 * time.Minute)
	other, err := r.owner().create(r.at(3, 10, 0), r.detail)
	must(t, err)
	paymentID := r.get(b.ID).PaymentID
	p, err := r.payments.Check(t.Context(), paymentID)
	must(t, err)
	if p.State != payment.StateSurplus {
		t.Errorf("payment is %s", p.State)
	}
	r.wantState(b.ID, Expired)
	r.wantState(other.ID, Held)
	if r.kept() != 0 {
		t.Errorf("kept %d", r.kept())
	}
	r.sound()
}

// A payment whose news comes late, but before anybody else wanted the time, still counts.
func TestDepositNewsComesLate(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner().onWeChat()
	b, err := o.create(r.at(3, 10, 0), r.detail)
	must(t, err)
	o.payDeposit(b.ID)
	r.clk.Advance(12 * time.Minute)
	if b, err = r.Check(o.ctx(), o.id, b.ID); err != nil || b.State != Confirmed {
		t.Errorf("%s %v", b.State, err)
	}
	r.sound()
}

// Confirming and expiring race for the same row: one of them wins, and the time is taken exactly when the booking lives.
func TestConfirmRacesExpiry(t *testing.T) {
	r := newRig(t, 2, 2)
	for i := range 12 {
		o := r.owner()
		b, err := o.create(r.at(1, 9+i%10, 0))
		must(t, err)
		r.clk.Advance(10*time.Minute - time.Millisecond)
		var wg sync.WaitGroup
		var confirmErr error
		wg.Go(func() { _, confirmErr = r.Confirm(o.ctx(), b.ID) })
		wg.Go(func() {
			r.clk.Advance(time.Millisecond)
			if _, err := r.ExpireDue(actor.With(t.Context(), actor.Job("expire"))); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		switch got := r.get(b.ID); {
		case confirmErr == nil && got.State != Confirmed, confirmErr != nil && !errors.Is(confirmErr, ErrHoldOver), confirmErr != nil && got.State == Confirmed:
			t.Errorf("confirm said %v, the booking is %s", confirmErr, got.State)
		}
		if _, err := r.ExpireDue(actor.With(t.Context(), actor.Job("expire"))); err != nil {
			t.Fatal(err)
		}
		r.sound()
		if got := r.get(b.ID); got.State == Confirmed {
			if _, err := r.Cancel(o.ctx(), b.ID, "", nil); err != nil {
				t.Fatal(err)
			}
		}
		r.clk.Set(time.Date(2026, 11, 18, 2, i, 0, 0, time.UTC))
	}
}

// Cancelling and the news of the payment race: whoever is first, no money is lost and none is kept.
func TestN06CancelRacesPaidNews(t *testing.T) {
	r := newRig(t, 2, 2)
	o := r.owner().onWeChat()
	for i := range 6 {
		b, err := o.create(r.at(3, 10+i, 0), r.detail)
		must(t, err)
		o.payDeposit(b.ID)
		paymentID := r.get(b.ID).PaymentID
		var wg sync.WaitGroup
		wg.Go(func() {
			for range 5 {
				if _, err := r.Cancel(o.ctx(), b.ID, "", nil); err == nil || errors.Is(err, ErrCancel) {
					return
				}
			}
		})
		wg.Go(func() {
			if _, err := r.payments.Check(context.WithoutCancel(t.Context()), paymentID); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		if got := r.get(b.ID); got.State != Cancelled || (got.DepositState != DepositRefunding && got.DepositState != DepositNone) {
			t.Errorf("%s, deposit %s", got.State, got.DepositState)
		}
		if r.kept() != 0 {
			t.Errorf("kept %d", r.kept())
		}
		r.sound()
	}
}
