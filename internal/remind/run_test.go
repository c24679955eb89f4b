package remind

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/db"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/jobs"
	"github.com/liangche/liangche/internal/member"
	"github.com/liangche/liangche/internal/notify"
)

func (r *rig) elapsed() time.Duration { return 0 }

// A car's year: each reminder once, with what is to be done, and stale from the day on which the next one speaks.
func TestB07DuesOfACar(t *testing.T) {
	r := newRig(t)
	m, v := r.owner("")
	r.told(m, v, Input{RegisteredOn: "2020-12-02", InsuredTo: "2027-01-10", ServicedOn: "2026-08-20", ServicedKm: 30000})
	r.day("2026-11-30", 10) // 30 days before 12-31 is 12-01
	r.wants(m)
	r.day("2026-12-01", 8)
	r.wants(m) // not at eight in the morning
	r.day("2026-12-01", 9)
	r.wants(m, notify.InspectionDue)
	got := r.messages(m)[0]
	if got.value("plate") != "浙A10001" || got.value("time") != "2026-12-31" || got.value("hint") != "需上线检测，请提前安排" || got.value("store") != "西湖店" || got.UntilAt != ends("2026-12-23").UnixMilli() {
		t.Errorf("%+v", got)
	}
	for _, day := range []string{"2026-12-02", "2026-12-10", "2026-12-11", "2026-12-23"} {
		r.day(day, 10)
	}
	r.wants(m, notify.InspectionDue, notify.InsuranceDue)
	r.day("2026-12-24", 10)
	r.day("2026-12-31", 23)
	r.wants(m, notify.InspectionDue, notify.InsuranceDue, notify.InspectionDue)
	r.day("2027-01-03", 10)
	r.wants(m, notify.InspectionDue, notify.InsuranceDue, notify.InspectionDue, notify.InsuranceDue)
	if _, err := r.Done(r.ctx(), m, v, DoneInput{Event: notify.InspectionDue}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Done(r.ctx(), m, v, DoneInput{Event: notify.InspectionDue}); !errors.Is(err, ErrNoDue) {
		t.Errorf("done twice: %v", err)
	}
	for day := "2027-01-04"; day < "2027-03-10"; day = addDay(day) {
		r.day(day, 10)
	}
	// Maintenance by months: 2027-02-20, fourteen days ahead and on the day.
	r.wants(m, notify.InspectionDue, notify.InsuranceDue, notify.InspectionDue, notify.InsuranceDue, notify.MaintenanceDue, notify.MaintenanceDue)
}

func addDay(day string) string {
	t, _ := time.Parse(time.DateOnly, day)
	return t.AddDate(0, 0, 1).Format(time.DateOnly)
}

// N29: after an outage the newest reminder alone is written, nothing that makes no sense any more, and nothing twice.
func TestN29OutageOfOurs(t *testing.T) {
	r := newRig(t)
	m, v := r.owner("1990-12-03")
	r.told(m, v, Input{RegisteredOn: "2020-12-02", InsuredTo: "2026-12-05"})
	r.day("2026-12-29", 10) // nothing ran since 11-18: the insurance has ended, of the inspection the second reminder is left
	r.wants(m, notify.InspectionDue)
	if got := r.messages(m)[0]; !strings.HasSuffix(got.Dedupe, "2026-12-31:1") || got.UntilAt != ends("2026-12-31").UnixMilli() {
		t.Errorf("%+v", got)
	}
	r.day("2026-12-29", 11)
	r.day("2026-12-30", 10)
	r.wants(m, notify.InspectionDue)
	r.day("2027-01-01", 10)
	r.wants(m, notify.InspectionDue)
}

// The day is China's: at half past four in the afternoon of the day before in London it is half past midnight there.
func TestDayIsChinas(t *testing.T) {
	r := newRig(t)
	m, _ := r.owner("1990-12-03")
	r.clk.Set(time.Date(2026, 12, 2, 16, 30, 0, 0, time.UTC))
	must(t, r.Tick(t.Context()))
	r.wants(m) // their day, but half past midnight
	r.clk.Set(time.Date(2026, 12, 3, 0, 59, 0, 0, time.UTC))
	must(t, r.Tick(t.Context()))
	r.wants(m)
	r.clk.Set(time.Date(2026, 12, 3, 1, 0, 0, 0, time.UTC))
	must(t, r.Tick(t.Context()))
	r.wants(m, notify.Birthday)
	if got := r.messages(m)[0]; got.UntilAt != time.Date(2026, 12, 3, 16, 0, 0, 0, time.UTC).UnixMilli() {
		t.Errorf("%+v", got)
	}
}

func TestJ06Birthday(t *testing.T) {
	r := newRig(t)
	leap, _ := r.owner("1992-02-29")
	day, _ := r.owner("1990-02-28")
	other, _ := r.owner("1990-03-01")
	r.gifts[day] = "生日礼"
	r.day("2027-02-28", 10) // no leap year
	r.day("2027-02-28", 15)
	r.wants(leap, notify.Birthday)
	r.wants(day, notify.Birthday)
	r.wants(other)
	if a, b := r.messages(leap)[0], r.messages(day)[0]; a.value("name") != "林女士" || a.value("gift") != "愿您一路平安，天天好心情" || b.value("gift") != "生日礼已放进您的卡包" {
		t.Errorf("%+v %+v", a, b)
	}
	r.day("2027-03-01", 10)
	r.wants(other, notify.Birthday)
	r.day("2028-02-28", 10)
	r.wants(leap, notify.Birthday)
	r.day("2028-02-29", 10)
	r.wants(leap, notify.Birthday, notify.Birthday)
	r.wants(day, notify.Birthday, notify.Birthday)
	r.day("2029-03-05", 10) // a wish days later is none
	r.wants(day, notify.Birthday, notify.Birthday)
}

// N30: a birthday wish is marketing: no template message, no SMS without consent, and a grant only for exactly this template. That is the
// messages' rule; this slice must not go round it by another event.
func TestN30BirthdayIsMarketing(t *testing.T) {
	for _, e := range notify.Events() {
		if e.Event == notify.Birthday && !e.Marketing() {
			t.Error("a birthday wish is no marketing")
		}
		if rule, err := ruleOf(e.Event); err == nil && rule.ours() && e.Event != notify.Birthday && e.Marketing() {
			t.Errorf("%s is marketing", e.Event)
		}
	}
	r := newRig(t)
	m, _ := r.owner("1990-11-18")
	r.day("2026-11-18", 10)
	r.wants(m, notify.Birthday)
	must(t, r.Queue.Drain(t.Context()))
	if n := r.count(`SELECT COUNT(*) FROM notify_messages WHERE event = 'birthday' AND state IN ('sent', 'delivered')`); n != 0 {
		t.Errorf("%d wishes went out without consent", n)
	}
	if n := r.count(`SELECT COUNT(*) FROM notify_calls`); n != 0 {
		t.Error("a wish is on the call list")
	}
}

func TestJ07NextWash(t *testing.T) {
	r := newRig(t)
	r.clk.Set(time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC)) // they joined long ago
	m, _ := r.owner("")
	few, _ := r.owner("")
	comes, _ := r.owner("")
	wash := func(m int64, plate string, list ...string) {
		for _, d := range list {
			r.washed = append(r.washed, Wash{m, plate, d, "西湖店"})
		}
	}
	rhythm := []string{"2026-10-01", "2026-10-11", "2026-10-21", "2026-10-31"}
	wash(m, "浙A10001", rhythm...)
	wash(m, "浙A99999", "2026-01-01", "2026-01-11", "2026-01-21", "2026-01-31") // another car, gone for long
	wash(few, "浙A10002", rhythm[1:]...)
	wash(comes, "浙A10003", rhythm...)
	r.booked[comes] = true
	r.day("2026-11-11", 10)
	r.wants(m)
	counts, err := r.Preview(r.t.Context())
	must(t, err)
	if !slices.Contains(counts, Count{"2026-11-12", notify.NextWash, 2}) { // who booked is left out on the day itself
		t.Errorf("tomorrow: %v", counts)
	}
	r.day("2026-11-12", 10)
	r.wants(m, notify.NextWash)
	r.wants(few)
	r.wants(comes)
	if got := r.messages(m)[0]; got.value("plate") != "浙A10001" || got.value("hint") != "平常约 10 天洗一次，来洗洗吧" || got.UntilAt != ends("2026-11-26").UnixMilli() {
		t.Errorf("%+v", got)
	}
	r.day("2026-11-20", 10) // once for each wash
	r.wants(m, notify.NextWash)
	delete(r.booked, comes) // cancelled: it makes sense until the 26th
	r.day("2026-11-26", 10)
	r.wants(comes, notify.NextWash)
	wash(m, "浙A10001", "2026-11-20")
	r.day("2026-12-02", 10)
	r.wants(m, notify.NextWash, notify.NextWash)
	r.day("2027-03-01", 10) // gone
	r.wants(m, notify.NextWash, notify.NextWash)
}

// Who is suspended, leaving or gone hears nothing; who left is forgotten.
func TestOnlyActiveMembersAreReminded(t *testing.T) {
	r := newRig(t)
	suspended, v1 := r.owner("1990-11-18")
	gone, v2 := r.owner("1990-11-18")
	here, v3 := r.owner("1990-11-18")
	for m, v := range map[int64]int64{suspended: v1, gone: v2, here: v3} {
		r.told(m, v, Input{InsuredTo: "2026-12-01"})
		r.washed = append(r.washed, Wash{m, "浙A", "2026-10-01", ""}, Wash{m, "浙A", "2026-10-15", ""}, Wash{m, "浙A", "2026-10-29", ""}, Wash{m, "浙A", "2026-11-04", ""})
	}
	must(t, r.Members.Suspend(r.ctx(), suspended, "欠款"))
	_, err := r.Members.Close(r.ctx(), gone, "搬家")
	must(t, err)
	r.day("2026-11-18", 10)
	r.day("2026-11-20", 10)
	r.wants(suspended)
	r.wants(gone)
	if got := r.events(here); !slices.Contains(got, notify.InsuranceDue) || !slices.Contains(got, notify.Birthday) || !slices.Contains(got, notify.NextWash) {
		t.Errorf("told %v", got)
	}
	if n := r.count(`SELECT COUNT(*) FROM remind_cars WHERE member_id = ?`, gone); n != 0 {
		t.Error("what the member told of the car is still kept")
	}
	if n := r.count(`SELECT COUNT(*) FROM remind_cars`); n != 2 {
		t.Errorf("%d cars are kept", n)
	}
	must(t, r.Members.RemoveVehicle(r.ctx(), here, v3))
	if n := r.count(`SELECT COUNT(*) FROM remind_cars WHERE vehicle_id = ?`, v3); n != 0 {
		t.Error("a car that is gone is still kept")
	}
	must(t, r.Members.Reinstate(r.ctx(), suspended, "已结清"))
	r.day("2026-11-21", 10) // it still makes sense
	if got := r.events(suspended); !slices.Contains(got, notify.InsuranceDue) {
		t.Errorf("told %v", got)
	}
}

func TestSwitchAndTermsOfARule(t *testing.T) {
	r := newRig(t)
	m, v := r.owner("")
	r.told(m, v, Input{InsuredTo: "2026-12-18"})
	must(t, r.Choose(r.ctx(), notify.InsuranceDue, Choice{On: false, Terms: Terms{Days: []int{30, 7}}}))
	r.clk.Advance(5 * time.Second) // the switch is read from a copy of two seconds
	r.day("2026-11-18", 12)
	r.wants(m)
	must(t, r.Choose(r.ctx(), notify.InsuranceDue, Choice{On: true, Terms: Terms{Days: []int{20}}}))
	r.day("2026-11-18", 13)
	r.wants(m) // thirty days ahead, and now it is twenty
	r.day("2026-11-28", 9)
	r.wants(m, notify.InsuranceDue)
	r.day("2026-12-18", 9)
	r.wants(m, notify.InsuranceDue)

	must(t, r.Choose(r.ctx(), notify.PassExpiring, Choice{On: true, Value: 10}))
	must(t, r.Choose(r.ctx(), notify.BookingTomorrow, Choice{On: true, Value: 19}))
	all, err := r.all(t.Context())
	must(t, err)
	values := map[string]int64{}
	for _, x := range all.Items {
		values[x.Event] = x.Value
	}
	if values[notify.PassExpiring] != 10 || values[notify.BookingTomorrow] != 19 || len(all.Items) != len(Rules()) {
		t.Errorf("%+v", values)
	}
	for event, in := range map[string]Choice{notify.PassExpiring: {Value: 1000}, notify.InspectionDue: {Terms: Terms{Days: []int{7, 30}}}, "nonsense": {}} {
		if err := r.Choose(r.ctx(), event, in); fault.As(err) == nil || fault.As(err).Kind >= 500 {
			t.Errorf("%s: %v", event, err)
		}
	}
	if n := r.count(`SELECT COUNT(*) FROM audit_log WHERE action = 'remind.terms'`); n != 1 {
		t.Errorf("%d traces", n)
	}
}

// The owner just saw the date on the page: nobody repeats it the next morning.
func TestWhatTheOwnerSawIsNotRepeated(t *testing.T) {
	r := newRig(t)
	m, v := r.owner("")
	_, err := r.Tell(r.as(actor.Actor{Kind: actor.Owner, ID: 5, MemberID: m}), m, v, Input{Kind: Private, InsuredTo: "2026-12-10"})
	must(t, err)
	r.day("2026-11-19", 10)
	r.wants(m)
	r.day("2026-12-03", 10)
	r.wants(m, notify.InsuranceDue)
}

// N29: two instances at the same time, and a kill between pages, write everything once.
func TestN29TwoInstancesWriteOnce(t *testing.T) {
	r := newRig(t)
	const people = 30
	for range people {
		m, v := r.owner("1990-11-18")
		r.told(m, v, Input{InsuredTo: "2026-11-20"})
	}
	r.clk.Set(time.Date(2026, 11, 18, 4, 0, 0, 0, time.UTC))
	var wg sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		wg.Go(func() { errs[i] = r.Tick(t.Context()) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil && !errors.As(err, new(jobs.After)) {
			t.Error(err)
		}
	}
	must(t, r.Tick(t.Context()))
	for _, event := range []string{notify.InsuranceDue, notify.Birthday} {
		if n := r.count(`SELECT COUNT(*) FROM notify_messages WHERE event = ?`, event); n != people {
			t.Errorf("%d of %s, want %d", n, event, people)
		}
		if n := r.count(`SELECT told FROM remind_runs WHERE event = ?`, event); n != people {
			t.Errorf("the run of %s says %d", event, n)
		}
	}
}

// A page that another instance wrote is not written again, and a run that was stopped goes on where it stood.
func TestRunGoesOnWhereItStood(t *testing.T) {
	r := newRig(t)
	ctx := r.ctx()
	today := "2026-11-18"
	for range 3 {
		m, v := r.owner("")
		r.told(m, v, Input{InsuredTo: "2026-11-20"})
	}
	run, err := r.openRun(ctx, today, notify.InsuranceDue)
	must(t, err)
	b, err := readBook(ctx, r.DB, "")
	must(t, err)
	p, err := r.carPage(ctx, b, run, today)
	must(t, err)
	all := p.messages
	p.messages, p.more = all[:1], true // as if a page held one
	p.afterID = r.first(1)
	next, mine, err := r.keep(ctx, run, p)
	if err != nil || !mine {
		t.Fatal(mine, err)
	}
	if _, mine, err := r.keep(ctx, run, p); err != nil || mine {
		t.Errorf("the same page again: %v %v", mine, err)
	}
	again, err := r.openRun(ctx, today, notify.InsuranceDue)
	must(t, err)
	if again.AfterID != next.AfterID || again.Told != 1 || again.FinishedAt != 0 {
		t.Fatalf("%+v", again)
	}
	if more, err := r.goOn(ctx, today, notify.InsuranceDue, r.elapsed); err != nil || more {
		t.Fatal(more, err)
	}
	if n := r.count(`SELECT COUNT(*) FROM notify_messages`); n != 3 {
		t.Errorf("%d messages", n)
	}
	if more, err := r.goOn(ctx, addDay(today), notify.InsuranceDue, func() time.Duration { return time.Hour }); err != nil || !more {
		t.Errorf("a turn without time: %v %v", more, err)
	}
}

func (r *rig) first(n int) (id int64) {
	r.t.Helper()
	must(r.t, r.DB.Get(r.t.Context(), &id, `SELECT vehicle_id FROM remind_cars ORDER BY vehicle_id LIMIT 1`))
	return id
}

// More than one page of everything: each car and each member once.
func TestPages(t *testing.T) {
	r := newRig(t)
	const n = chunk + 3
	must(t, r.DB.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error { return fillCars(ctx, tx, r, n) }))
	r.day("2026-11-18", 10)
	if got := r.count(`SELECT COUNT(*) FROM notify_messages WHERE event = 'insurance_due'`); got != n {
		t.Errorf("%d of %d cars", got, n)
	}
	if got := r.count(`SELECT looked FROM remind_runs WHERE event = 'insurance_due'`); got != n {
		t.Errorf("looked at %d of %d", got, n)
	}
	if got := r.count(`SELECT COUNT(*) FROM remind_cars WHERE inspection_on = '2026-12-31'`); got != n {
		t.Errorf("%d of %d dates were computed", got, n)
	}
}

// fillCars writes cars of members as rows, so that pages fill.
func fillCars(ctx context.Context, tx *db.Tx, r *rig, n int) error {
	type person struct {
		ID        int64  `db:"id"`
		Name      string `db:"name_sealed"`
		NameIndex string `db:"name_index"`
		Phone     string `db:"phone_sealed"`
		Last4     string `db:"last4_index"`
		Verified  bool   `db:"phone_verified"`
		Gender    string `db:"gender"`
		Birthday  string `db:"birthday"`
		Status    string `db:"status"`
		Reason    string `db:"status_reason"`
		Store     int64  `db:"store_id"`
		Charter   int64  `db:"charter_version"`
		CharterAt int64  `db:"charter_at"`
		Joined    int64  `db:"joined_at"`
		By        string `db:"created_kind"`
		ByID      int64  `db:"created_by"`
		Created   int64  `db:"created_at"`
		Updated   int64  `db:"updated_at"`
	}
	type car struct {
		ID      int64  `db:"id"`
		Member  int64  `db:"member_id"`
		Plate   string `db:"plate"`
		Kind    string `db:"plate_kind"`
		Brand   string `db:"brand"`
		Model   string `db:"model"`
		Color   string `db:"color"`
		Class   int64  `db:"vehicle_class_id"`
		Marks   string `db:"marks"`
		Bought  string `db:"purchased_on"`
		Created int64  `db:"created_at"`
		Updated int64  `db:"updated_at"`
	}
	for i := range n {
		m := person{ID: tx.NewID(), Status: "active", Store: r.store, Joined: tx.Millis(), Gender: "unknown"}
		v := car{ID: tx.NewID(), Member: m.ID, Plate: fmt.Sprintf("浙B%05d", i)}
		tx.InsertSoon("member_members", m)
		tx.InsertSoon("member_vehicles", v)
		tx.InsertSoon("remind_cars", carRow{VehicleID: v.ID, MemberID: m.ID, Kind: Private, RegisteredOn: "2020-12-02", InsuredTo: "2026-11-20", UpdatedAt: 1})
	}
	return nil
}

// The law changes: the shop edits the table, and all dates follow at once.
func TestTableIsEdited(t *testing.T) {
	r := newRig(t)
	m, v := r.owner("")
	if c := r.told(m, v, Input{RegisteredOn: "2024-12-02"}); c.Dues[1].On != "2026-12-31" {
		t.Fatalf("%+v", c.Dues)
	}
	table := DefaultTable()
	table.Kinds[0].Stages = []Stage{{0, 3, 36, false}, {3, 0, 12, true}}
	must(t, r.SetInspections(r.ctx(), table))
	must(t, r.Queue.Drain(t.Context()))
	if n := r.count(`SELECT COUNT(*) FROM remind_cars WHERE inspection_on = '2027-12-31'`); n != 1 {
		t.Error("the date did not follow")
	}
	got, err := r.Inspections(t.Context())
	must(t, err)
	if len(got.Kinds) != 5 || len(got.Kinds[0].Stages) != 2 {
		t.Errorf("%+v", got)
	}
	table.Kinds[0].Stages[1].FromYear = 4
	if err := r.SetInspections(r.ctx(), table); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("a gap: %v", err)
	}
	counts, err := r.Preview(t.Context())
	if err != nil || len(counts) != 0 {
		t.Errorf("%v %v", counts, err)
	}
}

// What is told on the vehicle's own page counts here, and the other way round.
func TestMileageIsOne(t *testing.T) {
	r := newRig(t)
	m, v := r.owner("")
	r.told(m, v, Input{ServicedOn: "2026-09-01", ServicedKm: 30000, Km: 33000})
	cars, err := r.Members.Vehicles(t.Context(), m)
	must(t, err)
	if cars[0].MileageKm == nil || *cars[0].MileageKm != 33000 {
		t.Errorf("%+v", cars[0])
	}
	r.clk.Advance(10 * 24 * time.Hour)
	km := int64(36000)
	_, err = r.Members.EditVehicle(r.ctx(), m, v, member.VehicleInput{Plate: cars[0].Plate, MileageKm: &km})
	must(t, err)
	all, err := r.Cars(t.Context(), m)
	must(t, err)
	if all[0].Car.Km != 36000 || all[0].Car.KmOn != "2026-11-28" || all[0].Dues[0].On != "2027-01-26" {
		t.Errorf("%+v %+v", all[0].Car, all[0].Dues[0])
	}
	if n := r.count(`SELECT COUNT(*) FROM remind_cars WHERE maintenance_on = '2027-01-26'`); n != 1 {
		t.Error("the run would look for another date")
	}
}

// Other people's cars do not exist.
func TestOtherPeoplesCars(t *testing.T) {
	r := newRig(t)
	m, _ := r.owner("")
	_, theirs := r.owner("")
	if _, err := r.Tell(r.ctx(), m, theirs, Input{Kind: Private}); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("told: %v", err)
	}
	if _, err := r.Done(r.ctx(), m, theirs, DoneInput{Event: notify.InsuranceDue, On: "2027-01-01"}); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("done: %v", err)
	}
	if all, err := r.Cars(t.Context(), 424242); err != nil || len(all) != 0 {
		t.Errorf("%v %v", all, err)
	}
}

// Two that tell at once: one of them wins, nothing is mixed.
func TestTwoTellAtOnce(t *testing.T) {
	r := newRig(t)
	m, v := r.owner("")
	ctx := r.ctx()
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			in := Input{Kind: Private, ServicedOn: "2026-11-01", ServicedKm: int64(10000 + i), Km: int64(20000 + i)}
			if _, err := r.Tell(ctx, m, v, in); err != nil && !errors.Is(err, fault.ErrBusyWrite) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	all, err := r.Cars(t.Context(), m)
	must(t, err)
	if c := all[0].Car; c.Km-c.ServicedKm != 10000 || r.count(`SELECT COUNT(*) FROM remind_cars`) != 1 {
		t.Errorf("%+v", c)
	}
}
