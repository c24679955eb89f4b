package booking

import (
	"context"
	"testing"

	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/payment"
)

func TestADayOnWhichNobodyWorksSaysSo(t *testing.T) {
	r := newRig(t, 1, 1)
	person := r.people.all[0].ID
	must(t, r.roster.PlanDay(r.staff(), r.store, person, r.day(2), nil))
	r.clk.Advance(3e9)
	o := r.owner()
	l, err := r.OwnerSlots(o.ctx(), o.id, o.vehicle, what{storeID: r.store, kind: KindVisit, services: []int64{r.wash}}, r.day(1), 3)
	must(t, err)
	for i, want := range []string{"", "当天没有排班", ""} {
		if d := l.Days[i]; d.Closed != want || (len(d.Slots) == 0) != (want != "") {
			t.Errorf("%s: %q, %d starts", d.Day, d.Closed, len(d.Slots))
		}
	}
}

// What was planned stays beside what happened: who looks back sees when the car really was ready.
func TestAJobThatIsDoneSaysWhenItEnded(t *testing.T) {
	r := newRig(t, 1, 1)
	b := r.owner().booked(r.at(0, 11, 0))
	show := func() View {
		v, err := r.one(r.staff(), r.get(b.ID), nil)
		must(t, err)
		return v
	}
	if v := show(); v.StartedAt != nil || v.FinishedAt != nil {
		t.Errorf("before: %v, %v", v.StartedAt, v.FinishedAt)
	}
	began, ended := r.at(0, 11, 4), r.at(0, 11, 21)
	r.clk.Set(began)
	_, err := r.Start(r.staff(), b.ID)
	must(t, err)
	r.clk.Set(ended)
	_, err = r.Finish(r.staff(), b.ID, "")
	must(t, err)
	if v := show(); !v.EndsAt.Equal(r.at(0, 11, 30)) || v.StartedAt == nil || !v.StartedAt.Equal(began) || v.FinishedAt == nil || !v.FinishedAt.Equal(ended) {
		t.Errorf("planned until %v, from %v to %v", v.EndsAt, v.StartedAt, v.FinishedAt)
	}
	desk, err := r.deskViews(r.staff(), []Booking{r.get(b.ID)})
	must(t, err)
	if s := desk[0].Segments[0]; !s.ServiceTo.Equal(ended) || !s.To.Equal(r.at(0, 11, 25)) {
		t.Errorf("the desk sees work until %v, reserved until %v", s.ServiceTo, s.To)
	}
}

func TestADepositIsBackWhenAllOfItIs(t *testing.T) {
	r := liveRig(t, 1, 1)
	_, b := r.arrivedPaid()
	must(t, r.claim(b, 777))
	must(t, r.end(b, 777, true, 3000))
	must(t, r.queue.Drain(t.Context()))
	must(t, r.end(b, 777, false, 0))
	b, err := r.ShopCancel(r.staff(), b.ID, "设备故障")
	must(t, err)
	for i, amount := range []int64{2000, 3000} {
		must(t, r.db.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			if _, err := tx.Exec(ctx, `UPDATE payment_refunds SET state = ? WHERE amount_fen = ?`, payment.RefundSuccess, amount); err != nil {
				return err
			}
			list, err := r.payments.Refunds(ctx, tx, b.PaymentID)
			if err != nil {
				return err
			}
			return fulfiller{r.Service}.RefundedTx(ctx, tx, list[i])
		}))
		if got, want := r.get(b.ID).DepositState, []string{DepositRefunding, DepositRefunded}[i]; got != want {
			t.Errorf("after %d: %s, want %s", amount, got, want)
		}
	}
}

// Somebody makes a booking longer while it is being moved: it keeps its new length.
func TestAMoveDoesNotUndoAResize(t *testing.T) {
	r := newRig(t, 1, 1)
	b := r.owner().booked(r.at(1, 10, 0))
	w, err := r.wishAgain(r.staff(), b, true)
	must(t, err)
	end := r.at(1, 11, 30)
	_, err = r.Move(r.staff(), b.ID, MoveAsk{Version: b.Version, SegmentNo: 1, EndsAt: &end})
	must(t, err)
	err = r.db.InTx(r.staff(), func(ctx context.Context, tx *db.Tx) error {
		return r.rescheduleTx(ctx, tx, w, 0, b.ID, r.at(1, 14, 0))
	})
	r.wantErr(err, errTry)
	b, err = r.Reschedule(r.staff(), 0, b.ID, r.at(1, 14, 0), 0)
	must(t, err)
	if !b.EndsAt.Equal(r.at(1, 15, 30)) {
		t.Errorf("moved, it lasts until %s", b.EndsAt)
	}
	r.sound()
}
