package booking

import (
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/shop"
)

// firstDay is the first day of a search for washes, for an owner or for the desk.
func (o owner) firstDay(desk bool, services ...int64) SlotDay {
	o.r.t.Helper()
	in := what{storeID: o.r.store, kind: KindVisit, services: services}
	var l SlotList
	var err error
	if desk {
		in.classID = o.r.class
		l, err = o.r.DeskSlots(o.r.staff(), in, "", 2)
	} else {
		l, err = o.r.OwnerSlots(o.ctx(), o.id, o.vehicle, in, "", 2)
	}
	must(o.r.t, err)
	if len(l.Days) != 2 || l.Days[1].Off != "" || len(l.Days[1].Slots) == 0 {
		o.r.t.Fatalf("tomorrow: %+v", l.Days)
	}
	if d := l.Days[0]; !strings.Contains(sent(o.r.t, l), `"off":"`+d.Off+`"`) && d.Off != "" {
		o.r.t.Errorf("not sent: %s", sent(o.r.t, l))
	}
	return l.Days[0]
}

// A day is full while all that is left of it is taken. When nothing is left because it is late, it says so; after closing time, that the shop is closed.
func TestTodayThatIsOverIsNotFull(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner()
	for _, c := range []struct {
		hour, minute int
		desk         bool
		detail       bool
		off, closed  string
	}{
		{10, 0, false, false, "", ""},
		{19, 45, false, false, "", ""},
		{20, 1, false, false, offLate, "来不及约了"}, // half an hour before, and half an hour of work
		{20, 1, true, false, "", ""},            // the desk takes who is there
		{20, 36, true, false, offLate, "来不及约了"},
		{18, 30, false, true, offLate, "来不及约了"}, // two hours of work, and a changeover
		{20, 59, false, false, offLate, "来不及约了"},
		{21, 0, false, false, offShut, "已打烊"},
		{21, 0, true, false, offShut, "已打烊"},
		{23, 58, false, false, offShut, "已打烊"},
	} {
		r.clk.Set(r.at(0, c.hour, c.minute))
		service := r.wash
		if c.detail {
			service = r.detail
		}
		d := o.firstDay(c.desk, service)
		if d.Off != c.off || d.Closed != c.closed || (len(d.Slots) == 0) != (c.off != "") {
			t.Errorf("%02d:%02d, desk %v, detail %v: %q %q, %d starts", c.hour, c.minute, c.desk, c.detail, d.Off, d.Closed, len(d.Slots))
		}
	}
	r.clk.Set(r.at(1, 0, 1))
	if d := o.firstDay(false, r.wash); d.Off != "" || len(d.Slots) == 0 {
		t.Errorf("after midnight: %+v", d)
	}
	r.sound()
}

// Taken is taken, also on a day of which little is left.
func TestTodayThatIsTakenIsFull(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner()
	r.clk.Set(r.at(0, 19, 30))
	for _, at := range []time.Time{r.at(0, 20, 0), r.at(0, 20, 30)} {
		r.owner().booked(at)
	}
	if d := o.firstDay(false, r.wash); d.Off != "" || d.Closed != "" || len(d.Slots) != 0 {
		t.Errorf("everything is taken: %+v", d)
	}
	r.clk.Set(r.at(0, 20, 5))
	if d := o.firstDay(false, r.wash); d.Off != offLate {
		t.Errorf("nothing is left that could be taken: %+v", d)
	}
}

// A day off stays a day off, at whatever hour it is asked for; a shop that works at night is not closed at nine.
func TestTodayOffAndTodayLong(t *testing.T) {
	r := newRig(t, 1, 1)
	o := r.owner()
	_, _, err := r.shops.SetDay(r.staff(), shop.DayInput{StoreID: r.store, Day: r.day(0), Kind: shop.DayClosed, Name: "盘点"})
	must(t, err)
	r.clk.Set(r.at(0, 22, 0))
	if d := o.firstDay(false, r.wash); d.Off != offClosed || d.Closed != "盘点休息" {
		t.Errorf("a day off: %+v", d)
	}
	_, _, err = r.shops.SetDay(r.staff(), shop.DayInput{StoreID: r.store, Day: r.day(0), Kind: shop.DaySpecial, Opens: 5 * 60, Closes: 8 * 60})
	must(t, err)
	r.clk.Advance(3 * time.Second)
	if d := o.firstDay(false, r.wash); d.Off != offShut {
		t.Errorf("a day whose few hours are over, and in which nobody worked: %+v", d)
	}
	_, _, err = r.shops.SetDay(r.staff(), shop.DayInput{StoreID: r.store, Day: r.day(0), Kind: shop.DaySpecial, Opens: 9 * 60, Closes: 26 * 60})
	must(t, err)
	r.shift(r.people.all[0].ID, r.day(0), 9*60, 26*60)
	r.clk.Advance(3 * time.Second)
	if d := o.firstDay(false, r.wash); d.Off != "" || len(d.Slots) == 0 {
		t.Errorf("open until two in the night: %+v", d)
	}
}
