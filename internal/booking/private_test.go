package booking

import (
	"context"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/actor"
)

// stored is a booking's row as one text.
func (r *rig) stored(id int64) string {
	r.t.Helper()
	var row bookingRow
	must(r.t, r.db.Get(r.t.Context(), &row, `SELECT `+bookingColumns+` FROM booking_bookings WHERE id = ?`, id))
	return strings.Join([]string{row.Note, row.Address, row.Extra, row.ContactName, row.ContactPhone}, "|")
}

func TestWhereSomebodyIsLiesSealed(t *testing.T) {
	r := liveRig(t, 1, 1)
	o := r.owner()
	b := r.errand(o)
	row := r.stored(b.ID)
	for _, secret := range []string{"江苏路", "车管所", "王女士"} {
		if strings.Contains(row, secret) {
			t.Errorf("%s lies open: %s", secret, row)
		}
	}
	rescue, err := r.owner().help()
	must(t, err)
	if n := r.count(`SELECT COUNT(*) FROM booking_bookings WHERE lat_e6 <> 0 OR lng_e6 <> 0 OR address <> '' OR note <> ''`); n != 0 {
		t.Error("coordinates lie open")
	}
	v, err := r.one(o.ctx(), r.get(b.ID), nil)
	must(t, err)
	if v.Address != "江苏路 1 号 5 幢 301 室" || v.Extra == nil || v.Extra.ContactName != "王女士" || v.Extra.Destination != "车管所" {
		t.Errorf("the owner sees %+v", v)
	}
	d, err := r.Service.detail(r.staff(), r.get(rescue.ID), nil)
	must(t, err)
	if d.LatE6 != 31230000 || d.LngE6 != 121473000 {
		t.Errorf("the desk sees %+v", d.View)
	}
	_, err = r.Cancel(o.ctx(), b.ID, "家里老人住院了", nil)
	must(t, err)
	if n := r.count(`SELECT COUNT(*) FROM booking_events WHERE booking_id = ? AND event_text LIKE '%老人住院%'`, b.ID); n == 0 {
		t.Error("the log does not hold the reason: this test shows nothing")
	}
	must(t, r.db.InTx(t.Context(), func(ctx context.Context, tx *dbTx) error { return r.EraseTx(ctx, tx, o.id) }))
	if n := r.count(`SELECT COUNT(*) FROM booking_events WHERE event_text LIKE '%老人住院%'`); n != 0 {
		t.Error("the log keeps the reason")
	}
	if n := r.count(`SELECT COUNT(*) FROM booking_bookings WHERE cancel_reason LIKE '%老人住院%'`); n != 0 {
		t.Error("the booking keeps the reason")
	}
	if row := r.stored(b.ID); row != "||||" {
		t.Errorf("after the member left: %s", row)
	}
	got := r.get(b.ID)
	if got.Plate != o.plate {
		t.Errorf("the plate is history, and is %q", got.Plate)
	}
	if r.stored(rescue.ID) == "||||" {
		t.Error("somebody else's was erased")
	}
}

func TestWhoLooksAtAPhoneIsRecorded(t *testing.T) {
	r := liveRig(t, 1, 1)
	b, err := r.DeskCreate(r.staff(), DeskAsk{StoreID: r.store, Kind: KindVisit, Channel: ChannelPhone, ContactName: "陈思远", ContactPhone: "13900001234", Plate: "沪A77777",
		VehicleClassID: r.class, ServiceIDs: []int64{r.wash}, StartsAt: ptr(r.at(1, 10, 0))})
	must(t, err)
	d, err := r.Service.detail(r.staff(), b, nil)
	must(t, err)
	if !d.HasContact || strings.Contains(d.Phone, "0000") {
		t.Errorf("the desk sees %q", d.Phone)
	}
	c, err := r.Contact(r.staff(), b.ID)
	must(t, err)
	if c != (ContactView{"陈思远", "13900001234"}) {
		t.Errorf("whom to call: %+v", c)
	}
	if n := r.count(`SELECT COUNT(*) FROM audit_log WHERE action = 'booking.contact' AND subject_id = ?`, b.ID); n != 1 {
		t.Errorf("recorded %d times", n)
	}
	mine := r.owner().booked(r.at(1, 12, 0))
	_, err = r.Contact(r.staff(), mine.ID)
	r.wantErr(err, ErrNoContact)
	_, err = r.Contact(actor.With(t.Context(), actor.Actor{Kind: actor.Staff, ID: 9, Stores: []int64{4242}}), b.ID)
	if err == nil {
		t.Error("another store's staff saw the number")
	}
}
