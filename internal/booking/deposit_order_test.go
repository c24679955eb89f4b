package booking

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/checkout"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/money"
)

// claim is what the till does when an order begins, and end when it is paid, given up or undone.
func (r *rig) claim(b Booking, order int64) error {
	return r.db.InTx(r.staff(), func(ctx context.Context, tx *db.Tx) error {
		_, err := r.Visits().ClaimTx(ctx, tx, checkout.VisitClaim{BookingID: b.ID, OrderID: order, StoreID: b.StoreID, MemberID: b.MemberID, Plate: b.Plate})
		return err
	})
}

func (r *rig) end(b Booking, order int64, settled bool, used money.Fen) error {
	return r.db.InTx(r.staff(), func(ctx context.Context, tx *db.Tx) error {
		return r.Visits().EndTx(ctx, tx, checkout.VisitEnd{BookingID: b.ID, OrderID: order, Settled: settled, UsedFen: used})
	})
}

// arrived is a booking with a paid deposit of 50.00 whose car is here.
func (r *rig) arrivedPaid() (owner, Booking) {
	r.t.Helper()
	o := r.owner().onWeChat()
	b := o.paid(r.at(3, 10, 0))
	r.clk.Set(r.at(3, 9, 55))
	b, err := r.Arrive(r.staff(), b.ID)
	must(r.t, err)
	return o, b
}

// While an order waits for its payment, or is paid, the visit cannot be cancelled: its deposit would go back and count at the till.
func TestCancelWaitsForTheOrder(t *testing.T) {
	r := liveRig(t, 1, 1)
	_, b := r.arrivedPaid()
	must(t, r.claim(b, 777))
	_, err := r.ShopCancel(r.staff(), b.ID, "设备故障")
	r.wantErr(err, ErrState)
	must(t, r.end(b, 777, true, 5000))
	_, err = r.ShopCancel(r.staff(), b.ID, "设备故障")
	r.wantErr(err, ErrState)
	if b = r.get(b.ID); b.State != Arrived || b.DepositState != DepositUsed || r.kept() != 5000 { // the till's own posting takes it
		t.Fatalf("%s, deposit %s, kept %d", b.State, b.DepositState, r.kept())
	}
	must(t, r.end(b, 777, false, 0))
	b, err = r.ShopCancel(r.staff(), b.ID, "设备故障")
	must(t, err)
	if b.State != Cancelled || b.DepositState != DepositRefunding || b.DepositBackFen != 5000 || r.kept() != 0 {
		t.Errorf("%s, deposit %s, back %d, kept %d", b.State, b.DepositState, b.DepositBackFen, r.kept())
	}
	if err := r.end(b, 777, true, 5000); !errors.Is(err, checkout.ErrVisit) {
		t.Errorf("an order of before counts a deposit that went back: %v", err)
	}
	r.sound()
}

// A part went back after the settlement, then the settlement was undone: cancelling gives back what is left, and no more.
func TestCancelGivesBackWhatIsLeft(t *testing.T) {
	r := liveRig(t, 1, 1)
	_, b := r.arrivedPaid()
	must(t, r.claim(b, 777))
	must(t, r.end(b, 777, true, 3000))
	must(t, r.queue.Drain(t.Context()))
	must(t, r.end(b, 777, false, 0))
	b, err := r.ShopCancel(r.staff(), b.ID, "设备故障")
	must(t, err)
	if b.DepositState != DepositRefunding || b.DepositBackFen != 5000 || r.kept() != 0 {
		t.Errorf("deposit %s, back %d, kept %d", b.DepositState, b.DepositBackFen, r.kept())
	}
	if n := r.count(`SELECT COALESCE(SUM(amount_fen), 0) FROM payment_refunds`); n != 5000 {
		t.Errorf("%d fen on the way back", n)
	}
	r.sound()
}

// Settled again without the deposit, what was left of it goes back, and the booking says so.
func TestRestOfTheDepositGoesBack(t *testing.T) {
	r := liveRig(t, 1, 1)
	_, b := r.arrivedPaid()
	must(t, r.claim(b, 777))
	must(t, r.end(b, 777, true, 3000))
	must(t, r.queue.Drain(t.Context()))
	must(t, r.end(b, 777, false, 0))
	_, err := r.Start(r.staff(), b.ID)
	must(t, err)
	_, err = r.Finish(r.staff(), b.ID, "")
	must(t, err)
	must(t, r.claim(b, 778))
	must(t, r.end(b, 778, true, 0))
	must(t, r.queue.Drain(t.Context()))
	if b = r.get(b.ID); b.State != Settled || b.DepositState != DepositRefunding || b.DepositBackFen != 5000 || r.kept() != 0 {
		t.Errorf("%s, deposit %s, back %d, kept %d", b.State, b.DepositState, b.DepositBackFen, r.kept())
	}
	r.sound()
}

// The desk may release a bay at once, but who may still come within the grace loses nothing.
func TestNoShowWithinTheGraceForfeitsNothing(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner().onWeChat()
	b := o.paid(r.at(3, 10, 0))
	r.clk.Set(r.at(3, 10, 15).Add(-time.Second))
	b, err := r.MarkNoShow(r.staff(), b.ID)
	must(t, err)
	if b.State != NoShow || b.DepositState != DepositRefunding || r.revenue() != 0 {
		t.Errorf("%s, deposit %s, revenue %d", b.State, b.DepositState, r.revenue())
	}
	r.sound()
}

// The shop moves a booking closer: nobody becomes late to cancel by that, and putting it back undoes it.
func TestShopMovesNobodyIntoTheForfeit(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner().onWeChat()
	b := o.paid(r.at(3, 10, 0))
	b, err := r.Reschedule(r.staff(), 0, b.ID, r.at(0, 15, 0), 0)
	must(t, err)
	if !b.FreeCancelUntil.Equal(r.at(0, 15, 0)) {
		t.Errorf("moved to today: free until %v", b.FreeCancelUntil)
	}
	back := r.at(3, 10, 0)
	b, err = r.Move(r.staff(), b.ID, MoveAsk{Version: b.Version, SegmentNo: 1, StartsAt: &back})
	must(t, err)
	v, err := r.one(o.ctx(), b, nil)
	must(t, err)
	if v.Cancel.RefundFen != 5000 || b.FreeCancelUntil.Before(r.at(2, 10, 0)) {
		t.Errorf("put back: %+v, free until %v", v.Cancel, b.FreeCancelUntil)
	}
	r.sound()
}

// The car before is not ready and the owner is told to come later: whoever does so is neither hurried nor released, and loses no deposit.
func TestOurDelayIsNobodysNoShow(t *testing.T) {
	for _, byHand := range []bool{false, true} {
		r := liveRig(t, 1, 2)
		o := r.owner().onWeChat()
		next := o.paid(r.at(1, 12, 15))
		ten, end := r.at(1, 10, 0), next.EndsAt
		first, err := r.DeskCreate(r.staff(), DeskAsk{StoreID: r.store, Plate: "沪A99901", VehicleClassID: r.class, ServiceIDs: []int64{r.detail}, Kind: KindVisit,
			Channel: ChannelDesk, StartsAt: &ten})
		must(t, err)
		r.clk.Set(ten)
		_, err = r.Start(r.staff(), first.ID)
		must(t, err)
		for r.clk.Now().Before(end.Add(-10 * time.Minute)) {
			r.later(5 * time.Minute)
			if got := r.get(next.ID); got.State != Confirmed {
				t.Fatalf("%v: the delayed one is %s", r.clk.Now(), got.State)
			}
		}
		if n := r.count(`SELECT COUNT(*) FROM booking_events WHERE booking_id = ? AND kind = 'delayed'`, next.ID); n != 1 {
			t.Errorf("told %d times: %v", n, r.messages(o.id))
		}
		if r.count(`SELECT COUNT(*) FROM booking_events WHERE booking_id = ? AND kind = 'late'`, next.ID) != 0 {
			t.Errorf("hurried: %v", r.messages(o.id))
		}
		if byHand {
			_, err = r.MarkNoShow(r.staff(), next.ID)
			must(t, err)
		} else {
			r.clk.Set(end.Add(time.Hour))
			must(t, r.Minute(t.Context()))
		}
		if got := r.get(next.ID); got.State != NoShow || got.DepositState != DepositRefunding || r.revenue() != 0 {
			t.Errorf("by hand %v: %s, deposit %s", byHand, got.State, got.DepositState)
		}
		r.sound()
	}
}
