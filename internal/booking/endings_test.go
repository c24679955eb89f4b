package booking

import (
	"testing"
)

func TestShopGivesUpWorkAndTheDepositGoesBack(t *testing.T) {
	for _, finished := range []bool{false, true} {
		r := liveRig(t, 1, 1)
		o := r.owner().onWeChat()
		b := o.paid(r.at(1, 10, 0))
		r.clk.Set(r.at(1, 10, 0))
		_, err := r.Arrive(r.staff(), b.ID)
		must(t, err)
		_, err = r.Start(r.staff(), b.ID)
		must(t, err)
		if finished {
			_, err = r.Finish(r.staff(), b.ID, "")
			must(t, err)
		}
		_, err = r.Cancel(o.ctx(), b.ID, "不要了", nil)
		r.wantErr(err, ErrCancel)
		b, err = r.ShopCancel(r.staff(), b.ID, "机器坏了，没有做成")
		must(t, err)
		if b.State != Cancelled || b.DepositState != DepositRefunding || b.CancelledBy != "shop" {
			t.Errorf("finished %v: %s, deposit %s, by %s", finished, b.State, b.DepositState, b.CancelledBy)
		}
		if n := r.count(`SELECT COUNT(*) FROM slot_cells WHERE owner_id = ?`, b.ID); n != 0 {
			t.Errorf("finished %v: %d cells are still kept", finished, n)
		}
		must(t, r.queue.Drain(t.Context()))
		r.sound()
	}
}
