package booking

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/roster"
	"github.com/liangche/liangche/internal/setting"
	"github.com/liangche/liangche/internal/shop"
	"github.com/liangche/liangche/internal/slot"
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

// until lets the clock run every ten minutes.
func (r *rig) until(end time.Time) {
	r.t.Helper()
	for r.clk.Now().Before(end) {
		r.later(10 * time.Minute)
	}
}

func TestX07AForgottenJobIsNotExtendedForEver(t *testing.T) {
	r := liveRig(t, 1, 1)
	far := r.owner()
	next := far.booked(r.at(0, 13, 0))
	b := r.late(r.owner())
	r.until(r.at(0, 14, 0))
	job := r.wantState(b.ID, InService)
	if !job.EndsAt.Equal(r.at(0, 12, 0)) || slot.Cell(job.ToCell).Time().After(r.at(0, 12, 10)) {
		t.Errorf("half an hour from eleven lasts until %s", job.EndsAt)
	}
	if p := r.problems()[b.ID]; !strings.Contains(p.Text, "超过计划时间仍未完工，请确认") {
		t.Errorf("the board says %q", p.Text)
	}
	if got := r.kinds(next.ID); slices.Contains(got, EventDelayed) {
		t.Errorf("the next owner was told: %v", got)
	}
	r.sound()
}

func TestX07AForgottenJobEndsWhenTheShopCloses(t *testing.T) {
	r := liveRig(t, 1, 1)
	o := r.owner().onWeChat()
	b := o.paid(r.at(1, 18, 0)) // two hours
	r.clk.Set(r.at(1, 18, 0))
	_, err := r.Arrive(r.staff(), b.ID)
	must(t, err)
	_, err = r.Start(r.staff(), b.ID)
	must(t, err)
	r.until(r.at(0, 20, 50))
	if p, ok := r.problems()[b.ID]; ok && strings.Contains(p.Text, "超过计划时间") {
		t.Errorf("before the shop closes: %q", p.Text)
	}
	r.until(r.at(0, 23, 0))
	if job := r.wantState(b.ID, InService); !job.EndsAt.Equal(r.at(0, 21, 0)) {
		t.Errorf("the job lasts until %s", job.EndsAt)
	}
	if p := r.problems()[b.ID]; !strings.Contains(p.Text, "超过计划时间仍未完工，请确认") {
		t.Errorf("the board says %q", p.Text)
	}
	r.sound()
}

func TestX07OverrunSeesTheTechniciansOtherStore(t *testing.T) {
	r := liveRig(t, 1, 1)
	b := r.late(r.owner())
	person := b.Segments[0].TechnicianID
	here := r.store
	st, err := r.shops.Create(r.staff(), shop.Input{Name: "徐汇店", Address: "漕溪北路 8 号", Timezone: "Asia/Shanghai"})
	must(t, err)
	_, err = r.shops.CreateBay(r.staff(), shop.BayInput{StoreID: st.ID, Name: "徐汇 1 号", Kind: shop.BayWash})
	must(t, err)
	must(t, r.roster.PlanDay(r.staff(), here, person, r.day(0), []roster.ShiftInput{{Starts: 9 * 60, Ends: 11*60 + 30}}))
	must(t, r.roster.PlanDay(r.staff(), st.ID, person, r.day(0), []roster.ShiftInput{{Starts: 11*60 + 30, Ends: 21 * 60}}))
	r.clk.Advance(5 * time.Second)
	o := r.owner()
	next, err := r.DeskCreate(r.staff(), DeskAsk{StoreID: st.ID, Kind: KindVisit, Channel: ChannelDesk, MemberID: o.id, Plate: o.plate, VehicleClassID: r.class, ServiceIDs: []int64{r.wash},
		StartsAt: ptr(r.at(0, 11, 35))})
	must(t, err)
	r.clk.Set(r.at(0, 11, 30))
	r.minute()
	if got := r.kinds(next.ID); !slices.Contains(got, EventDelayed) {
		t.Errorf("the owner at the other store was not told: %v", got)
	}
	if job := r.get(b.ID); !job.EndsAt.Equal(r.at(0, 11, 35)) {
		t.Errorf("the job gets what is left, until %s", job.EndsAt)
	}
	r.sound()
}

func TestAWalkInThatWasForgottenIsNotSeatedTheNextMorning(t *testing.T) {
	r := liveRig(t, 1, 1)
	r.clk.Set(r.at(0, 20, 0))
	busy := r.lined("沪A10001")
	_, err := r.Start(r.staff(), busy.ID)
	must(t, err)
	r.lined("沪A10002")
	o := r.owner()
	ghost := r.lined(o.plate)
	r.wantState(ghost.ID, Queued)
	r.clk.Set(r.at(0, 20, 59))
	r.minute()
	r.wantState(ghost.ID, Queued)
	r.later(time.Minute)
	got := r.wantState(ghost.ID, Cancelled)
	if got.CancelledBy != bySystem || got.CancelReason == "" {
		t.Errorf("cancelled by %q: %q", got.CancelledBy, got.CancelReason)
	}
	if told := r.messages(o.id); !slices.Contains(told, "booking_cancelled") {
		t.Errorf("the owner is told %v", told)
	}
	r.sound()
}

func TestALineOfYesterdayIsNeverSeatedWhateverRunsFirst(t *testing.T) {
	r := liveRig(t, 1, 1)
	r.clk.Set(r.at(0, 20, 50)) // nothing fits before the shop closes
	b := r.lined("沪A10001")
	r.wantState(b.ID, Queued)
	if q := r.queueView(b); q.Minutes != int(queueWindow.Minutes()) {
		t.Errorf("tomorrow is no turn: %+v", q)
	}
	r.clk.Set(r.at(1, 9, 30)) // our jobs were down all night
	must(t, r.advance(r.staff(), r.store))
	r.wantState(b.ID, Queued)
	r.minute()
	r.wantState(b.ID, Cancelled)
	r.sound()
}

func TestALineLastsAsLongAsTheNight(t *testing.T) {
	r := liveRig(t, 1, 1)
	var week []shop.WeekSpan
	for d := range 7 {
		week = append(week, shop.WeekSpan{Weekday: d, Opens: 9 * 60, Closes: 26 * 60})
	}
	_, err := r.shops.SetHours(r.staff(), r.store, week)
	must(t, err)
	r.clk.Advance(3 * time.Second)
	for _, c := range []struct {
		name       string
		came, ends time.Time
	}{
		{"in the evening", r.at(0, 23, 0), r.at(1, 2, 0)},
		{"after midnight", r.at(1, 1, 0), r.at(1, 2, 0)},
		{"the next morning", r.at(1, 9, 0), r.at(2, 2, 0)},
	} {
		got, err := r.lineEnds(t.Context(), Booking{StoreID: r.store, CreatedAt: c.came})
		if err != nil || !got.Equal(c.ends) {
			t.Errorf("%s: the line ends at %s, want %s (%v)", c.name, got, c.ends, err)
		}
	}
}

// atHome is a confirmed visit of the van tomorrow at ten.
func (r *rig) atHome(o owner) Booking {
	r.t.Helper()
	in := catalog.ServiceInput{Name: "上门洗", Kind: "wash", Minutes: 40, Prices: []catalog.Price{{VehicleClassID: r.class, PriceFen: 9900}}}
	in.BookingKinds = []string{"at_home"}
	a := o.ask(r.at(1, 10, 0), r.service(in))
	a.Kind, a.Address = KindAtHome, "江苏路 1 号 5 幢 301 室"
	r.bay("上门车", shop.BayVan, false)
	b, err := r.Create(o.ctx(), a)
	must(r.t, err)
	b, err = r.Confirm(o.ctx(), b.ID)
	must(r.t, err)
	return b
}

func TestNobodyMissesWhomWeNeverWentTo(t *testing.T) {
	r := liveRig(t, 1, 1)
	b := r.atHome(r.owner())
	r.clk.Set(r.at(1, 11, 0))
	_, err := r.MarkNoShow(r.staff(), b.ID)
	r.wantErr(err, ErrState)
	r.wantState(b.ID, Confirmed)
	_, err = r.Dispatch(r.staff(), b.ID)
	must(t, err)
	_, err = r.MarkNoShow(r.staff(), b.ID)
	must(t, err)
	r.wantState(b.ID, NoShow)
	r.sound()
}

// errand is one that the owner asks for tomorrow at ten.
func (r *rig) errand(o owner) Booking {
	r.t.Helper()
	r.hire("跑腿的", roster.Skill{Skill: "inspect", Level: 2})
	in := catalog.ServiceInput{Name: "年检代办", Kind: "other", Minutes: 90, Prices: []catalog.Price{{VehicleClassID: r.class, PriceFen: 30000}}}
	in.BookingKinds = []string{"errand"}
	a := o.ask(r.at(1, 10, 0), r.service(in))
	a.Kind, a.Address, a.Extra = KindErrand, "江苏路 1 号 5 幢 301 室", &Extra{Destination: "车管所", ContactName: "王女士"}
	b, err := r.Create(o.ctx(), a)
	must(r.t, err)
	return b
}

// help is a rescue that the owner asks for now.
func (o owner) help() (Booking, error) {
	a := o.ask(time.Time{})
	a.Kind, a.ServiceIDs, a.StartsAt, a.LatE6, a.LngE6, a.Extra = KindRescue, nil, nil, 31230000, 121473000, &Extra{Fault: "没电了"}
	return o.r.Create(o.ctx(), a)
}

func TestRequestsThatNobodyAcceptsEnd(t *testing.T) {
	r := liveRig(t, 1, 1)
	a, c := r.owner(), r.owner()
	errand := r.errand(a)
	rescue, err := c.help()
	must(t, err)
	r.clk.Advance(2*time.Hour - time.Minute)
	r.minute()
	r.wantState(rescue.ID, Requested)
	r.clk.Advance(time.Minute)
	_, err = r.Accept(r.staff(), rescue.ID, 0)
	r.wantErr(err, ErrPast)
	r.minute()
	if b := r.wantState(rescue.ID, Cancelled); b.CancelledBy != bySystem {
		t.Errorf("cancelled by %q", b.CancelledBy)
	}
	r.wantState(errand.ID, Requested)
	r.clk.Set(r.at(1, 10, 0))
	_, err = r.Accept(r.staff(), errand.ID, 0)
	r.wantErr(err, ErrPast)
	r.minute()
	r.wantState(errand.ID, Cancelled)
	for _, o := range []owner{a, c} {
		if told := r.messages(o.id); !slices.Contains(told, "booking_cancelled") {
			t.Errorf("the owner is told %v", told)
		}
	}
	r.sound()
}

func TestRescuesCountInTheLimit(t *testing.T) {
	r := liveRig(t, 2, 2)
	r.set(setting.BookingMaxOpen, 2)
	o := r.owner()
	for n := range 2 {
		o.booked(r.at(1, 10+n, 0))
	}
	_, err := o.help() // help is not refused
	must(t, err)
	_, err = o.help() // but nobody needs it twice
	r.wantErr(err, ErrLimit)
	c := r.owner()
	_, err = c.help()
	must(t, err)
	c.booked(r.at(1, 12, 0))
	_, err = c.create(r.at(1, 14, 0))
	r.wantErr(err, ErrLimit)
}
